//! OAuth clients: their identifiers, and how they prove who they are at the token endpoint (RFC 6749, section
//! 2.3): `client_secret_basic` or `client_secret_post`, never both at once.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::Random;

/// Longest client identifier or secret that is looked at, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 256;

/// A new client identifier: 18 random bytes in base64url. Not secret, not guessable by accident.
pub fn new_client_id(random: &mut dyn Random) -> String {
    let mut bytes = [0; 18];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How a client proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `Authorization: Basic`.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
}

/// What a client presented.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Identifier.
    pub client_id: String,
    /// Secret.
    pub client_secret: String,
    /// How.
    pub method: Method,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Reads `Authorization: Basic` (RFC 7617) with form-encoded parts (RFC 6749, section 2.3.1).
/// `None` when the field is not Basic or cannot be read.
pub fn from_basic(value: &str) -> Option<Presented> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > CREDENTIAL_BYTES_MAX * 4 {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, client_secret) = decoded.split_once(':')?;
    let part = |text: &str| {
        let pair = format!("x={text}");
        let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
        (!text.contains('&') && value.len() <= CREDENTIAL_BYTES_MAX).then(|| value.into_owned())
    };
    Some(Presented {
        client_id: part(client_id)?,
        client_secret: part(client_secret)?,
        method: Method::Basic,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_decoded_as_the_rfc_says() {
        let value = format!("bAsIc {}", STANDARD.encode("a%20b:s%3A%2Bc"));
        let presented = from_basic(&value).unwrap();
        assert_eq!((presented.client_id.as_str(), presented.client_secret.as_str()), ("a b", "s:+c"));
        assert!(!format!("{presented:?}").contains("s:"));
        for bad in ["Basic", "Bearer abc", "Basic !!!", &format!("Basic {}", STANDARD.encode("no colon"))] {
            assert!(from_basic(bad).is_none(), "{bad}");
        }
    }
}
