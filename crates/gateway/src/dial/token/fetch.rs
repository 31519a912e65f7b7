//! Fetching a token: one POST to the token URL, over the dialler's own steps.
//!
//! So the address rules of backends hold here as well, asked of the resolved address; TLS is checked against the
//! machine's own authorities, redirects are not followed, and time and size are bounded. What the issuer says
//! beside the token is not repeated to anybody.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tidegate_model::{endpoint::Credential, user::Secret};
use tokio::time::{Instant, timeout};
use url::{Url, form_urlencoded};

use super::{super::Target, Issued, NoToken, Token};
use crate::{
    dial::{DialError, Dialler},
    stream::Stream,
};

/// From the look-up of the name to the last byte of the answer. Clients wait for it before their handshake goes on, and
/// an issuer that needs longer is in trouble.
const WITHIN: Duration = Duration::from_secs(10);
/// The largest answer: a token of eight kilobytes is a large one.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The largest head of an answer, and what is read at once.
const HEAD_BYTES_MAX: usize = 16 * 1024;
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
        let fetched = timeout(limit, async {
            let stream = self.reach(&url, Instant::now() + limit).await?;
            ask(stream, question(&url, client_id, client_secret, scope)?).await
        });
        let fetched = fetched.await.unwrap_or(Err(NoToken::Timeout));
        if let Err(error) = &fetched {
            tracing::warn!(?error, host = url.host_str(), "a token for a backend cannot be had");
        }
        fetched
    }

    /// A connection to the issuer.
    async fn reach(&self, url: &Url, deadline: Instant) -> Result<Stream, NoToken> {
        let target = Target::of(url.clone(), "http", "https")?;
        let addresses = self.resolve(&target).await?;
        let (stream, _) = self.connect(&addresses, deadline).await?;
        let stream = self.secure_with(&target, stream, self.trust.usual(), None).await?;
        Ok(stream)
    }
}

impl From<DialError> for NoToken {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Forbidden => Self::Forbidden,
            DialError::Untrusted(_) => Self::Untrusted,
            DialError::ConnectTimeout | DialError::TlsTimeout | DialError::HandshakeTimeout => Self::Timeout,
            DialError::BadUrl | DialError::BadTrust(_) => Self::BadUrl,
            DialError::NoToken(error) => error,
            DialError::Unresolved
            | DialError::Unreachable
            | DialError::Refused { .. }
            | DialError::Malformed
            | DialError::Gone => Self::Unreachable,
        }
    }
}

/// Id and secret go as Basic, each encoded first (RFC 6749 section 2.3.1).
fn question(
    url: &Url,
    client_id: &str,
    client_secret: &Secret,
    scope: &str,
) -> Result<Request<Full<Bytes>>, NoToken> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(&client_secret.0)));
    let mut form = form_urlencoded::Serializer::new("grant_type=client_credentials".to_owned());
    if !scope.is_empty() {
        form.append_pair("scope", scope);
    }
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut authorization =
        header::HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| NoToken::BadUrl)?;
    authorization.set_sensitive(true);
    Request::post(path)
        .header(header::HOST, host)
        .header(header::AUTHORIZATION, authorization)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.finish())))
        .map_err(|_| NoToken::BadUrl)
}

async fn ask(stream: Stream, question: Request<Full<Bytes>>) -> Result<Issued, NoToken> {
    let gone = |_| NoToken::Unreachable;
    let mut builder = http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await.map_err(gone)?;
    let answered = async {
        let answer = sender.send_request(question).await.map_err(|error| {
            if error.is_parse() || error.is_parse_too_large() {
                NoToken::Malformed
            } else {
                NoToken::Unreachable
            }
        })?;
        if answer.status() != StatusCode::OK {
            return Err(NoToken::Refused { status: answer.status().as_u16() });
        }
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        issued(&body.map_err(|_| NoToken::Malformed)?.to_bytes())
    };
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answered = &mut answered => answered,
        // The connection has ended; what it brought is in the answer's hands.
        _ = connection => answered.await,
    }
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
