//! What an issuer publishes, what it tells whoever presents a token, and what it answers a client of ours, each by one
//! exchange. It does not know what the answers mean.

use std::time::Duration;

use http_body_util::Full;
use hyper::{
    Method, Request,
    body::Bytes,
    header::{self, HeaderValue},
};
use tidegate_model::{
    issuer::Introspection,
    port::{NoDocument, Question},
    user::Secret,
};
use url::{Url, form_urlencoded};

use super::{
    Dialler,
    exchange::{Wanted, basic, question},
};

/// From the look-up of the name to the last byte of a document. Nobody's handshake waits for it.
const DOCUMENT_WITHIN: Duration = Duration::from_secs(10);
/// The same for what is said of a token: a client waits for it in its handshake.
const INTROSPECTION_WITHIN: Duration = Duration::from_secs(5);

impl Dialler {
    /// The document at this address.
    pub(crate) async fn document(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(url).map_err(|_| NoDocument::BadUrl)?;
        let request = asked(&url, Method::GET).body(Full::default()).map_err(|_| NoDocument::BadUrl)?;
        self.answer(&url, request, bytes_max, DOCUMENT_WITHIN).await
    }

    /// The document at this address for whoever presents this token.
    pub(crate) async fn document_for(
        &self,
        bearer: &Secret,
        url: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(url).map_err(|_| NoDocument::BadUrl)?;
        let presented = HeaderValue::from_str(&format!("Bearer {}", bearer.0));
        let mut presented = presented.map_err(|_| NoDocument::Malformed)?;
        presented.set_sensitive(true);
        let request = asked(&url, Method::GET).header(header::AUTHORIZATION, presented);
        let request = request.body(Full::default()).map_err(|_| NoDocument::BadUrl)?;
        self.answer(&url, request, bytes_max, DOCUMENT_WITHIN).await
    }

    /// What is answered to a form of a client of ours.
    pub(crate) async fn answer_to(
        &self,
        question: &Question<'_>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(question.url).map_err(|_| NoDocument::BadUrl)?;
        let request = proven(&url, question)?;
        self.answer(&url, request, bytes_max, DOCUMENT_WITHIN).await
    }

    /// What the issuer says of a token (RFC 7662, section 2.1).
    pub(crate) async fn introspect(
        &self,
        at: &Introspection,
        token: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(&at.url).map_err(|_| NoDocument::BadUrl)?;
        let request = asked(&url, Method::POST)
            .header(header::AUTHORIZATION, basic(&at.client_id, &at.client_secret)?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form_of(token))));
        let request = request.map_err(|_| NoDocument::BadUrl)?;
        self.answer(&url, request, bytes_max, INTROSPECTION_WITHIN).await
    }

    async fn answer(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
        within: Duration,
    ) -> Result<Vec<u8>, NoDocument> {
        self.exchange(url, request, Wanted::Document { bytes_max }, within).await.inspect_err(|error| {
            tracing::warn!(?error, host = url.host_str(), "an issuer does not answer as it should");
        })
    }
}

/// The form of a client that proves itself in it, or beside it.
fn proven(url: &Url, question: &Question<'_>) -> Result<Request<Full<Bytes>>, NoDocument> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(question.form);
    let mut request =
        asked(url, Method::POST).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if question.posts_secret {
        form.append_pair("client_id", question.client_id);
        form.append_pair("client_secret", &question.client_secret.0);
    } else {
        let proof = basic(question.client_id, question.client_secret)?;
        request = request.header(header::AUTHORIZATION, proof);
    }
    request.body(Full::new(Bytes::from(form.finish()))).map_err(|_| NoDocument::BadUrl)
}

fn form_of(token: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", "access_token");
    form.finish()
}

fn asked(url: &Url, method: Method) -> hyper::http::request::Builder {
    question(url, method)
        .header(header::ACCEPT, "application/json, application/jwk-set+json")
        .header(header::CONNECTION, "close")
}

#[cfg(test)]
mod tests;
