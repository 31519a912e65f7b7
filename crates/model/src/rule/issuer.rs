//! Rules of the fields of a key manager and of a provided key.

use std::net::IpAddr;

use url::{Host, Url};

use super::{FieldProblem, Problems, text_rules};
use crate::{
    endpoint::URL_BYTES_MAX,
    issuer::{
        ALL, AUDIENCES_MAX, CLAIM_BYTES_MAX, ISSUER_BYTES_MAX, Introspection, KEY_SET_BYTES_MAX, KeySource,
        NAME_CHARS_MAX, RESIDENT, SECRET_BYTES_MAX, Trust,
    },
};

/// The name of a key manager: as that of an API, but longer, and not [`RESIDENT`].
pub fn key_manager_name(pointer: &str, name: &str, problems: &mut Problems) {
    text_rules(pointer, "name", name, NAME_CHARS_MAX, problems);
    if name.trim() != name {
        problems.push(FieldProblem::new(pointer, "stray_space", "A name has no spaces at its ends."));
    }
    if [RESIDENT, ALL].iter().any(|word| name.eq_ignore_ascii_case(word)) {
        let detail = format!("“{name}” is a word of its own where APIs say whose tokens they accept.");
        problems.push(FieldProblem::new(pointer, "reserved", detail));
    }
}

/// What an issuer calls itself.
pub(super) fn issuer(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    match text {
        "" => problem("required", "Enter the issuer, exactly as its tokens say it in iss."),
        text if text.len() > ISSUER_BYTES_MAX => {
            problem("too_long", &format!("An issuer has at most {ISSUER_BYTES_MAX} bytes."));
        }
        text if text.chars().any(|c| c.is_control() || c.is_whitespace()) => {
            problem("illegal_character", "An issuer cannot contain spaces or control characters.");
        }
        _ => {}
    }
}

/// A secret of ours at an issuer.
pub(super) fn secret(pointer: &str, text: &str, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(FieldProblem::new(pointer, "required", "Enter the secret of this client."));
    } else if text.len() > SECRET_BYTES_MAX {
        let detail = format!("A secret has at most {SECRET_BYTES_MAX} bytes.");
        problems.push(FieldProblem::new(pointer, "too_long", detail));
    }
}

/// What is decided about another issuer.
pub fn trust(trust: &Trust, problems: &mut Problems) {
    issuer("/issuer", &trust.issuer, problems);
    let mut problem =
        |pointer: &str, code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if trust.audiences.is_empty() {
        let detail = "Enter at least one audience: without it, a token that the issuer gave for somebody else, \
                      or to prove who signed in, would open your APIs.";
        problem("/audiences", "required", detail);
    }
    if trust.audiences.len() > AUDIENCES_MAX {
        problem("/audiences", "too_many", &format!("There are at most {AUDIENCES_MAX} audiences."));
    }
    for (place, audience) in trust.audiences.iter().enumerate() {
        text(&format!("/audiences/{place}"), "audience", audience, problems);
        if trust.audiences[..place].contains(audience) {
            problems.push(FieldProblem::new(
                format!("/audiences/{place}"),
                "repeated",
                "This audience stands twice.",
            ));
        }
    }
    for (leaf, name) in [
        ("client_id", &trust.claims.client_id),
        ("scope", &trust.claims.scope),
        ("subject", &trust.claims.subject),
    ] {
        text(&format!("/claims/{leaf}"), "name of a claim", name, problems);
    }
    if trust.algorithms.is_empty() {
        problems.push(FieldProblem::new("/algorithms", "required", "Choose at least one algorithm."));
    }
    for (place, algorithm) in trust.algorithms.iter().enumerate() {
        if trust.algorithms[..place].contains(algorithm) {
            let pointer = format!("/algorithms/{place}");
            problems.push(FieldProblem::new(pointer, "repeated", "This algorithm stands twice."));
        }
    }
    key_source(&trust.keys, problems);
    if let Some(introspection) = &trust.introspection {
        self::introspection(introspection, problems);
    }
}

pub(super) fn text(pointer: &str, noun: &str, text: &str, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(FieldProblem::new(pointer, "required", format!("Enter the {noun}.")));
    } else if text.len() > CLAIM_BYTES_MAX {
        let detail = format!("A {noun} has at most {CLAIM_BYTES_MAX} bytes.");
        problems.push(FieldProblem::new(pointer, "too_long", detail));
    } else if text.chars().any(char::is_control) {
        let detail = format!("A {noun} cannot contain control characters.");
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    }
}

fn key_source(keys: &KeySource, problems: &mut Problems) {
    match keys {
        KeySource::Discovery(url) => issuer_url("/keys/discovery_url", url, problems),
        KeySource::Jwks(url) => issuer_url("/keys/jwks_url", url, problems),
        KeySource::Inline(jwks) => {
            if jwks.len() > KEY_SET_BYTES_MAX {
                let detail = format!("A key set has at most {KEY_SET_BYTES_MAX} bytes.");
                problems.push(FieldProblem::new("/keys/jwks", "too_long", detail));
            }
        }
    }
}

fn introspection(introspection: &Introspection, problems: &mut Problems) {
    issuer_url("/introspection/url", &introspection.url, problems);
    text("/introspection/client_id", "client id", &introspection.client_id, problems);
    secret("/introspection/client_secret", &introspection.client_secret.0, problems);
}

/// An address at an issuer: `https`, since whoever can change what it answers is the issuer (RFC 8414, section 6.1);
/// `http` only on this machine.
pub fn issuer_url(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    match Url::parse(text) {
        _ if text.is_empty() => {
            problem("required", "Enter an address, for example https://issuer.example.com/…");
        }
        _ if text.len() > URL_BYTES_MAX => {
            problem("too_long", &format!("An address has at most {URL_BYTES_MAX} bytes."));
        }
        Ok(url) if !is_trustworthy(&url) => {
            problem("scheme", "The address must begin with https://; http:// is for this machine alone.");
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            problem("credentials", "The address cannot carry a user name or password.");
        }
        Ok(url) if url.fragment().is_some() => problem("fragment", "The address cannot have a “#” part."),
        Ok(_) => {}
        Err(_) => problem("malformed", "This is not an address that can be connected to."),
    }
}

fn is_trustworthy(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some_and(|host| !host.is_empty()),
        "http" => match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        },
        _ => false,
    }
}

/// The client id of another issuer.
pub fn provided_client_id(pointer: &str, client_id: &str, problems: &mut Problems) {
    text(pointer, "client id", client_id, problems);
}
