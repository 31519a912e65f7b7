//! A JWS in compact form (RFC 7515, section 7.1) taken apart. It does not know keys, nor what header and payload have to
//! say; whoever reads one says what is wrong in words of their own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::json;

/// Its three parts, still encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'t> {
    /// What the signature is over: header and payload.
    message: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    /// `None` for a text that has not three parts, or more bytes than are looked at.
    pub(crate) fn of(text: &'t str, bytes_max: usize) -> Option<Self> {
        if text.len() > bytes_max {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        (!payload.contains('.')).then_some(Self { message, header, payload, signature })
    }

    /// The header; `None` when it is no object, or has a name twice.
    pub(crate) fn header(&self) -> Option<Map<String, Value>> {
        object(self.header)
    }

    /// The payload; `None` when it is no object, or has a name twice.
    pub(crate) fn payload(&self) -> Option<Map<String, Value>> {
        object(self.payload)
    }

    /// What is signed.
    pub(crate) const fn message(&self) -> &'t [u8] {
        self.message.as_bytes()
    }

    /// The signature, from canonical base64url only, so that no second spelling of one is accepted.
    pub(crate) fn signature(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.signature).ok()
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    json::object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

/// Whether a header has what would have to be understood (RFC 7515, section 4.1.11; RFC 7797): no extension is.
pub(crate) fn is_extended(header: &Map<String, Value>) -> bool {
    header.contains_key("crit") || header.contains_key("b64")
}
