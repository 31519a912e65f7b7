//! One question to a server of an issuer and its answer, over the dialler's own steps.
//!
//! So the address rules of backends hold here as well, asked of the resolved address; TLS is checked against the
//! machine's own authorities, redirects are not followed, and time and size are bounded. It does not know what is asked,
//! nor what the answer means.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tidegate_model::{port::NoDocument, user::Secret};
use tokio::time::{Instant, timeout};
use url::{Url, form_urlencoded};

use super::{DialError, Dialler, Target};
use crate::stream::Stream;

/// The largest head of an answer, and what is read at once.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The body of a 200, of so many bytes at most.
    Document {
        /// See there.
        bytes_max: usize,
    },
    /// That it is a 2xx; what it brings is not read.
    Acceptance,
}

/// The beginning of a question to this address.
pub(super) fn question(url: &Url, method: Method) -> hyper::http::request::Builder {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Request::builder().method(method).uri(path).header(header::HOST, host)
}

/// The id and secret of a client as Basic, each encoded first (RFC 6749, section 2.3.1).
pub(super) fn basic(client_id: &str, client_secret: &Secret) -> Result<HeaderValue, NoDocument> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(&client_secret.0)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| NoDocument::BadUrl)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Dialler {
    /// What is wanted of the answer, within this time from the look-up of the name to the last byte of it.
    pub(super) async fn exchange(
        &self,
        url: &Url,
        question: Request<Full<Bytes>>,
        wanted: Wanted,
        within: Duration,
    ) -> Result<Vec<u8>, NoDocument> {
        let answered = timeout(within, async {
            let target = Target::of(url.clone(), "http", "https")?;
            let addresses = self.resolve(&target).await?;
            let (stream, _) = self.connect(&addresses, Instant::now() + within).await?;
            let stream = self.secure_with(&target, stream, self.trust.usual(), None).await?;
            ask(stream, question, wanted).await
        });
        answered.await.unwrap_or(Err(NoDocument::Timeout))
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

async fn ask(stream: Stream, question: Request<Full<Bytes>>, wanted: Wanted) -> Result<Vec<u8>, NoDocument> {
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
        let refused = NoDocument::Refused { status: answer.status().as_u16() };
        let bytes_max = match wanted {
            Wanted::Document { bytes_max } if answer.status() == StatusCode::OK => bytes_max,
            Wanted::Acceptance if answer.status().is_success() => return Ok(Vec::new()),
            _ => return Err(refused),
        };
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
