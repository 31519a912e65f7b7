//! Proof Key for Code Exchange (RFC 7636): S256 alone. With `plain`, whoever sees the request could redeem the code.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::secret;

/// The one method.
pub const METHOD: &str = "S256";
/// Length of a challenge: a SHA-256 in base64url.
pub const CHALLENGE_BYTES: usize = 43;
/// Bounds of a verifier's length (RFC 7636, section 4.1).
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

/// Whether a text can be a challenge of the method.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_BYTES && URL_SAFE_NO_PAD.decode(text).is_ok_and(|digest| digest.len() == 32)
}

/// Whether a text can be a verifier: 43 to 128 unreserved characters.
pub fn is_verifier(text: &str) -> bool {
    VERIFIER_BYTES.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// The challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Whether the verifier is the one of the challenge.
pub fn proves(verifier: &str, challenged: &str) -> bool {
    is_verifier(verifier) && secret::equal(&challenge(verifier), challenged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_and_what_is_not_it() {
        let (verifier, challenged) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_challenge(challenged) && proves(verifier, challenged));
        for wrong in
            ["", &verifier[1..], "ebjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenged, &"a".repeat(129)]
        {
            assert!(!proves(wrong, challenged), "{wrong}");
        }
        // A short verifier proves nothing, even of its own challenge.
        assert!(!proves("short", &challenge("short")));
        assert!(!is_verifier(&format!("{}=", "a".repeat(43))) && !is_verifier(&"ä".repeat(30)));
        for odd in ["", &challenged[1..], &format!("{challenged}="), &"=".repeat(43), &"+".repeat(43)] {
            assert!(!is_challenge(odd), "{odd}");
        }
    }
}
