//! What an OAuth client is told to be: its kind, where browsers may be sent back to, how long its tokens live and how
//! they look. Part of a [`crate::application::Key`].
//!
//! Which addresses may be registered at all is asked of the `oauth` crate by whoever executes the change; here are the
//! rules across fields. It does not know secrets, codes or tokens.

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Bounds,
    rule::{FieldProblem, bounded},
};

/// Lifetime of access tokens, in seconds. An hour is the field's default: long enough for a session to be worth
/// opening, short enough that a leaked token dies by itself. Below a minute, clients do nothing but ask; above a day,
/// a token is a password.
pub const ACCESS_TOKEN_SECONDS: Bounds = Bounds { default: 3_600, min: 60, max: 86_400 };
/// Lifetime of refresh tokens, in seconds: each new one begins it anew. A day by default, as the products in the field
/// have it; 90 days at most, since one that is not used for longer belongs to nobody.
pub const REFRESH_TOKEN_SECONDS: Bounds = Bounds { default: 86_400, min: 300, max: 7_776_000 };
/// Most redirect addresses of one kind: a program has a few for its stages and platforms.
pub const REDIRECT_URIS_MAX: usize = 20;

/// The grant that needs no person.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
/// The grant through a browser.
pub const AUTHORIZATION_CODE: &str = "authorization_code";
/// Going on without the browser.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The grant through another screen.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A person's token for one of the client's own.
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The grants that ask nobody but the client, which therefore has to prove who it is.
const NEED_PROOF: [&str; 2] = [CLIENT_CREDENTIALS, TOKEN_EXCHANGE];

/// Whether a client can keep a secret, and where it runs (RFC 6749, section 2.1; RFC 8252).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// A program on a machine of its owner, with a secret.
    #[default]
    Confidential,
    /// A page in a browser, without a secret.
    Browser,
    /// A program on somebody's device, without a secret. On a loopback address, its port may be any.
    Native,
}

impl ClientKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Confidential, Self::Browser, Self::Native];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Browser => "browser",
            Self::Native => "native",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Whether it has no secret.
    pub const fn is_public(self) -> bool {
        !matches!(self, Self::Confidential)
    }
}

/// How a client with a secret of its own proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// It shows the secret that it was given.
    #[default]
    Secret,
    /// It signs a statement with a key of which only the public half is known here (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Secret, Self::PrivateKeyJwt];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The way of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// How access tokens look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// Signed, readable by whoever has the issuer's keys (RFC 9068).
    #[default]
    Jwt,
    /// Random characters that say nothing to anybody but the issuer and its gateways.
    Opaque,
}

impl TokenFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Jwt, Self::Opaque];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        }
    }

    /// The format of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What a client is told to be. Records from before a field was there have its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {
    /// Whether it has a secret, and where it runs.
    pub kind: ClientKind,
    /// How it proves who it is, where it has to.
    pub authentication: ClientAuthentication,
    /// The public keys that it signs with, as a JSON Web Key Set (RFC 7517); empty where it does not.
    pub jwks: String,
    /// Where browsers may be sent back to with a code; compared character for character.
    pub redirect_uris: Vec<String>,
    /// Where browsers may be sent to after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Lifetime of access tokens in seconds; [`ACCESS_TOKEN_SECONDS`].
    pub access_token_seconds: u32,
    /// Lifetime of refresh tokens in seconds; [`REFRESH_TOKEN_SECONDS`].
    pub refresh_token_seconds: u32,
    /// How access tokens look.
    pub token_format: TokenFormat,
    /// Whether access tokens are bound to the certificate that the client shows where it asks for them
    /// (`tls_client_certificate_bound_access_tokens` of RFC 8705, section 3.4).
    pub certificate_bound_tokens: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            kind: ClientKind::default(),
            authentication: ClientAuthentication::default(),
            jwks: String::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            access_token_seconds: ACCESS_TOKEN_SECONDS.default,
            refresh_token_seconds: REFRESH_TOKEN_SECONDS.default,
            token_format: TokenFormat::default(),
            certificate_bound_tokens: false,
        }
    }
}

impl ClientSettings {
    /// Whether the client proves itself with a secret of ours.
    pub fn has_secret(&self) -> bool {
        !self.kind.is_public() && self.authentication == ClientAuthentication::Secret
    }
}

/// Says what is wrong with a client's grants and settings together. `known` are the grants that the authorization
/// server has; `is_registrable` says why an address may not be registered for a client of a kind, and `are_keys` why a key set
/// may not.
pub fn problems(
    grants: &[String],
    settings: &ClientSettings,
    known: &[&str],
    is_registrable: impl Fn(&str, ClientKind) -> Result<(), String>,
    are_keys: impl Fn(&str) -> Result<(), String>,
) -> Vec<FieldProblem> {
    let mut problems = grant_problems(grants, settings, known);
    if settings.authentication == ClientAuthentication::PrivateKeyJwt {
        if settings.kind.is_public() {
            let detail = "A client that cannot keep a secret cannot keep a key. Choose secret, or a confidential client.";
            problems.push(FieldProblem::new("/authentication", "public_client", detail));
        } else if settings.jwks.is_empty() {
            let detail = "Give the public keys that the client signs with.";
            problems.push(FieldProblem::new("/jwks", "required", detail));
        } else if let Err(detail) = are_keys(&settings.jwks) {
            problems.push(FieldProblem::new("/jwks", "key_set", detail));
        }
    }
    if settings.certificate_bound_tokens && settings.token_format == TokenFormat::Opaque {
        let detail =
            "Opaque tokens are not bound to certificates. Choose readable ones, or leave them unbound.";
        problems.push(FieldProblem::new("/certificate_bound_tokens", "opaque", detail));
    }
    let lists = [
        ("/redirect_uris", &settings.redirect_uris),
        ("/post_logout_redirect_uris", &settings.post_logout_redirect_uris),
    ];
    for (pointer, uris) in lists {
        if uris.len() > REDIRECT_URIS_MAX {
            let detail = format!("A key has at most {REDIRECT_URIS_MAX} addresses here.");
            problems.push(FieldProblem::new(pointer, "too_many", detail));
            continue;
        }
        for (place, uri) in uris.iter().enumerate() {
            let pointer = format!("{pointer}/{place}");
            if let Err(detail) = is_registrable(uri, settings.kind) {
                problems.push(FieldProblem::new(pointer, "redirect_uri", detail));
            } else if uris[..place].contains(uri) {
                problems.push(FieldProblem::new(pointer, "repeated", "This address stands twice."));
            }
        }
    }
    for (pointer, seconds, bounds) in [
        ("/access_token_seconds", settings.access_token_seconds, ACCESS_TOKEN_SECONDS),
        ("/refresh_token_seconds", settings.refresh_token_seconds, REFRESH_TOKEN_SECONDS),
    ] {
        bounded(pointer, "seconds", seconds, bounds, &mut problems);
    }
    problems
}

fn grant_problems(grants: &[String], settings: &ClientSettings, known: &[&str]) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for (place, grant) in grants.iter().enumerate() {
        let pointer = format!("/grants/{place}");
        if !known.contains(&grant.as_str()) {
            let detail = format!("Choose of {}.", known.join(", "));
            problems.push(FieldProblem::new(pointer, "unknown_grant", detail));
        } else if grants[..place].contains(grant) {
            problems.push(FieldProblem::new(pointer, "repeated", "This grant stands twice."));
        } else if NEED_PROOF.contains(&grant.as_str()) && settings.kind.is_public() {
            let detail = format!(
                "A client without a secret cannot use {grant}. Take it away, or choose confidential."
            );
            problems.push(FieldProblem::new(pointer, "needs_secret", detail));
        }
    }
    let has = |grant: &str| grants.iter().any(|one| one == grant);
    if has(AUTHORIZATION_CODE) && settings.redirect_uris.is_empty() {
        let detail = "authorization_code needs at least one redirect address.";
        problems.push(FieldProblem::new("/redirect_uris", "required", detail));
    }
    let has_no_person = |grant: &String| grant == REFRESH_TOKEN || NEED_PROOF.contains(&grant.as_str());
    if has(REFRESH_TOKEN) && grants.iter().all(has_no_person) {
        let detail =
            "Refresh tokens come from a grant with a person: add authorization_code, or that of devices.";
        problems.push(FieldProblem::new("/grants", "refresh_alone", detail));
    }
    problems
}

#[cfg(test)]
mod tests;
