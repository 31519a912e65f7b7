//! Fetching a token: one POST to the token URL. What the issuer says beside the token is not repeated to anybody.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Method, Request, body::Bytes, header};
use serde::Deserialize;
use tidegate_model::{endpoint::Credential, port::NoDocument, user::Secret};
use url::{Url, form_urlencoded};

use super::{Issued, NoToken, Token};
use crate::dial::{
    Dialler,
    exchange::{self, Wanted, basic},
};

/// From the look-up of the name to the last byte of the answer. Clients wait for it before their handshake goes on, and
/// an issuer that needs longer is in trouble.
const WITHIN: Duration = Duration::from_secs(10);
/// The largest answer: a token of eight kilobytes is a large one.
const WANTED: Wanted = Wanted::Document { bytes_max: 64 * 1024 };
/// The longest token: a header line that common servers take.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What is read of the answer (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl Dialler {
    /// A new token; `credential` is one of the kind that has one.
    pub(in crate::dial) async fn fetch(&self, credential: &Credential) -> Result<Issued, NoToken> {
        self.fetch_within(WITHIN, credential).await
    }

    async fn fetch_within(&self, limit: Duration, credential: &Credential) -> Result<Issued, NoToken> {
        let Credential::OAuth { token_url, client_id, client_secret, scope } = credential else {
            return Err(NoToken::BadUrl);
        };
        let url = Url::parse(token_url).map_err(|_| NoToken::BadUrl)?;
        let question = question(&url, client_id, client_secret, scope)?;
        let answer = self.exchange(&url, question, WANTED, limit).await.map_err(NoToken::from);
        answer.and_then(|body| issued(&body)).inspect_err(|error| {
            tracing::warn!(?error, host = url.host_str(), "a token for a backend cannot be had");
        })
    }
}

impl From<NoDocument> for NoToken {
    fn from(error: NoDocument) -> Self {
        match error {
            NoDocument::BadUrl => Self::BadUrl,
            NoDocument::Forbidden => Self::Forbidden,
            NoDocument::Unreachable => Self::Unreachable,
            NoDocument::Untrusted => Self::Untrusted,
            NoDocument::Timeout => Self::Timeout,
            NoDocument::Refused { status } => Self::Refused { status },
            NoDocument::Malformed => Self::Malformed,
        }
    }
}

fn question(
    url: &Url,
    client_id: &str,
    client_secret: &Secret,
    scope: &str,
) -> Result<Request<Full<Bytes>>, NoToken> {
    let mut form = form_urlencoded::Serializer::new("grant_type=client_credentials".to_owned());
    if !scope.is_empty() {
        form.append_pair("scope", scope);
    }
    exchange::question(url, Method::POST)
        .header(header::AUTHORIZATION, basic(client_id, client_secret)?)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.finish())))
        .map_err(|_| NoToken::BadUrl)
}

fn issued(body: &[u8]) -> Result<Issued, NoToken> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| NoToken::Malformed)?;
    let token = answer.access_token;
    // It becomes a header's value: RFC 6750 section 2.1 has no other characters than these.
    let is_usable = !token.is_empty()
        && token.len() <= TOKEN_BYTES_MAX
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    // One that does not say its type is taken for what it nearly always is.
    let is_bearer = answer.token_type.is_empty() || answer.token_type.eq_ignore_ascii_case("bearer");
    if !is_usable || !is_bearer {
        return Err(NoToken::Malformed);
    }
    // Some issuers write the number as text.
    let seconds = answer.expires_in.as_ref().and_then(|it| it.as_i64().or_else(|| it.as_str()?.parse().ok()));
    Ok(Issued { token: Token(token.into()), lifetime_millis: seconds.map(|it| it.saturating_mul(1_000)) })
}

#[cfg(test)]
mod tests;
