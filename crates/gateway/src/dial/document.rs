//! Asking an issuer over HTTP: its documents, and what it says of an opaque token; over the dialler's own steps.
//!
//! So the address rules of backends hold here as well, asked of the resolved address; TLS is checked against the
//! machine's own authorities, redirects are not followed, and time and size are bounded. It does not know what the
//! answers mean.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tidegate_model::{issuer::Introspection, port::NoDocument};
use tokio::time::{Instant, timeout};
use url::{Url, form_urlencoded};

use super::{DialError, Dialler, Target};
use crate::stream::Stream;

/// From the look-up of the name to the last byte of a document. Nobody's handshake waits for it.
const DOCUMENT_WITHIN: Duration = Duration::from_secs(10);
/// The same for what is said of a token: a client waits for it in its handshake.
const INTROSPECTION_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of an answer, and what is read at once.
const HEAD_BYTES_MAX: usize = 16 * 1024;

impl Dialler {
    /// The document at this address.
    pub(crate) async fn document(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(url).map_err(|_| NoDocument::BadUrl)?;
        let request = asked(&url, Method::GET).body(Full::default()).map_err(|_| NoDocument::BadUrl)?;
        self.answer(&url, request, bytes_max, DOCUMENT_WITHIN).await
    }

    /// What the issuer says of a token (RFC 7662, section 2.1). Id and secret go as Basic, each encoded first (RFC 6749,
    /// section 2.3.1).
    pub(crate) async fn introspect(
        &self,
        at: &Introspection,
        token: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        let url = Url::parse(&at.url).map_err(|_| NoDocument::BadUrl)?;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encoded(&at.client_id), encoded(&at.client_secret.0)));
        let authorization = header::HeaderValue::from_str(&format!("Basic {pair}"));
        let mut authorization = authorization.map_err(|_| NoDocument::BadUrl)?;
        authorization.set_sensitive(true);
        let request = asked(&url, Method::POST)
            .header(header::AUTHORIZATION, authorization)
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
        let answered = timeout(within, async {
            let target = Target::of(url.clone(), "http", "https")?;
            let addresses = self.resolve(&target).await?;
            let (stream, _) = self.connect(&addresses, Instant::now() + within).await?;
            let stream = self.secure_with(&target, stream, self.trust.usual(), None).await?;
            ask(stream, request, bytes_max).await
        });
        let answered = answered.await.unwrap_or(Err(NoDocument::Timeout));
        if let Err(error) = &answered {
            tracing::warn!(?error, host = url.host_str(), "an issuer does not answer as it should");
        }
        answered
    }
}

impl From<DialError> for NoDocument {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Forbidden => Self::Forbidden,
            DialError::Untrusted(_) => Self::Untrusted,
            DialError::ConnectTimeout | DialError::TlsTimeout | DialError::HandshakeTimeout => Self::Timeout,
            DialError::BadUrl | DialError::BadTrust(_) | DialError::NoToken(_) => Self::BadUrl,
            DialError::Unresolved
            | DialError::Unreachable
            | DialError::Refused { .. }
            | DialError::Malformed
            | DialError::Gone => Self::Unreachable,
        }
    }
}

fn form_of(token: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", "access_token");
    form.finish()
}

fn asked(url: &Url, method: Method) -> hyper::http::request::Builder {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let accepted = "application/json, application/jwk-set+json";
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, accepted)
        .header(header::CONNECTION, "close")
}

async fn ask(
    stream: Stream,
    question: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<Vec<u8>, NoDocument> {
    let gone = |_| NoDocument::Unreachable;
    let mut builder = http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await.map_err(gone)?;
    let answered = async {
        let answer = sender.send_request(question).await.map_err(|error| {
            if error.is_parse() || error.is_parse_too_large() {
                NoDocument::Malformed
            } else {
                NoDocument::Unreachable
            }
        })?;
        if answer.status() != StatusCode::OK {
            return Err(NoDocument::Refused { status: answer.status().as_u16() });
        }
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        Ok(body.map_err(|_| NoDocument::Malformed)?.to_bytes().to_vec())
    };
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answered = &mut answered => answered,
        // The connection has ended; what it brought is in the answer's hands.
        _ = connection => answered.await,
    }
}

#[cfg(test)]
mod tests;
