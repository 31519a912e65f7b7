//! An answer to a request that becomes no session, as a value, and how each version of HTTP writes it.
//!
//! It does not know why it is given: `refusal.rs` does. Over HTTP/1.1 it is the last thing on its connection; over
//! HTTP/2 it ends its stream and no other.

use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::quota::Fields;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names as HTTP/1.1 spells them. What every answer has is added when it is written.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    /// It answers a HEAD: the body's length is said, and not the body.
    pub(crate) is_head_only: bool,
}

impl Answer {
    /// The same with what a client is told of its limits.
    pub(crate) fn with(mut self, quota: Option<&Fields>) -> Self {
        let fields = quota.into_iter().flat_map(Fields::headers);
        self.headers.extend(fields.map(|(name, value)| (name, value.to_owned())));
        self
    }

    /// As bytes of HTTP/1.1.
    pub(crate) fn to_http1(&self) -> Vec<u8> {
        let Self { status, content_type, body, .. } = self;
        // RFC 9110 section 7.8: who sends Upgrade says so in Connection.
        let has_upgrade = self.headers.iter().any(|(name, _)| *name == "Upgrade");
        let connection = if has_upgrade { "Upgrade, close" } else { "close" };
        let mut lines = String::new();
        for (name, value) in &self.headers {
            lines.extend([name, ": ", value, "\r\n"]);
        }
        let sent = if self.is_head_only { "" } else { body };
        format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             Connection: {connection}\r\nCache-Control: no-store\r\n{lines}\r\n{sent}",
            reason_phrase(*status),
            body.len(),
        )
        .into_bytes()
    }

    /// As the head of an answer of HTTP/2, which has no headers of a connection (RFC 9113 section 8.2.2).
    pub(crate) fn to_http2(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let length = self.body.len().to_string();
        let usual = [
            ("content-type", self.content_type),
            ("content-length", &*length),
            ("cache-control", "no-store"),
        ];
        let own = self.headers.iter().filter(|(name, _)| *name != "Upgrade");
        for (name, value) in usual.into_iter().chain(own.map(|(name, value)| (*name, &**value))) {
            let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
            // All are written here from tokens, numbers and JSON.
            if let (Ok(name), Ok(value)) = header {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

fn reason_phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
