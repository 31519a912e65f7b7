//! Rules of the fields of a sign-in provider.

use super::{
    FieldProblem, Problems,
    issuer::{issuer, issuer_url, secret, text},
    label,
};
use crate::provider::{OPENID, ROLE_VALUES_MAX, SCOPES_MAX, SignInTrust};

/// What the button of a sign-in provider says.
pub fn provider_name(pointer: &str, name: &str, problems: &mut Problems) {
    label(pointer, name, problems);
    if name.trim() != name {
        problems.push(FieldProblem::new(pointer, "stray_space", "A name has no spaces at its ends."));
    }
}

/// What is decided about a sign-in provider.
pub fn sign_in_trust(trust: &SignInTrust, problems: &mut Problems) {
    issuer("/issuer", &trust.issuer, problems);
    issuer_url("/discovery_url", &trust.discovery_url, problems);
    text("/client_id", "client id", &trust.client_id, problems);
    secret("/client_secret", &trust.client_secret.0, problems);
    text("/username_claim", "name of a claim", &trust.username_claim, problems);
    if trust.scopes.len() > SCOPES_MAX {
        let detail = format!("There are at most {SCOPES_MAX} scopes.");
        problems.push(FieldProblem::new("/scopes", "too_many", detail));
    }
    for (place, scope) in trust.scopes.iter().enumerate() {
        let at = format!("/scopes/{place}");
        text(&at, "scope", scope, problems);
        // RFC 6749, section 3.3.
        if scope.bytes().any(|byte| !matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~')) {
            let detail = "A scope has no spaces, quotes or backslashes, and no letters beyond ASCII.";
            problems.push(FieldProblem::new(&at, "illegal_character", detail));
        }
        if scope == OPENID {
            let detail = "openid is always asked for. Leave it out.";
            problems.push(FieldProblem::new(&at, "reserved", detail));
        }
        if trust.scopes[..place].contains(scope) {
            problems.push(FieldProblem::new(&at, "repeated", "This scope stands twice."));
        }
    }
    let Some(claim) = &trust.role_claim else { return };
    text("/role_claim/name", "name of a claim", &claim.name, problems);
    if claim.values.len() > ROLE_VALUES_MAX {
        let detail = format!("At most {ROLE_VALUES_MAX} values mean something.");
        problems.push(FieldProblem::new("/role_claim/values", "too_many", detail));
    }
    for (place, known) in claim.values.iter().enumerate() {
        let at = format!("/role_claim/values/{place}/value");
        text(&at, "value", &known.value, problems);
        if claim.values[..place].iter().any(|before| before.value == known.value) {
            problems.push(FieldProblem::new(at, "repeated", "This value stands twice."));
        }
    }
}
