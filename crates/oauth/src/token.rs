//! Access tokens as JWT (RFC 9068): issuing ours, and verifying what a client presents.
//!
//! Signatures are those of [`crate::jwk`]. Everything a token claims about how it should be verified is ours to judge: the algorithm is pinned by the
//! key that `kid` names, keys and addresses of keys inside a token are never looked at, `crit` is refused, claims
//! have exactly their types, no name stands twice, and time is an argument.
//!
//! An ECDSA signature (r, s) has a second form (r, n - s) that verifies as well, and ES256 does not forbid it (RFC
//! 7518, section 3.4). So the bytes of a token identify nothing: who revokes, revokes by `jti` or client.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    Random, bearer, certificate,
    jwk::{BadKey, SigningKey, VerificationKey, verification_keys},
    jws::{self, Parts},
};

pub use crate::jwk::CannotSign;

/// Longest token that is looked at, in bytes. Ours have about 600; a header field holds 8 KiB in most servers.
pub const TOKEN_BYTES_MAX: usize = 8_192;
/// Difference between clocks that is forgiven, in seconds, for `nbf` and `iat`; `exp` is exact, since the
/// gateway and the issuer are told the time by the same house and a session ends at `exp` anyway.
pub const SKEW_SECONDS: i64 = 60;
/// Latest end of a token, 9999-12-31: what every calendar can still write, far from any overflow.
pub const EXPIRY_MAX: i64 = 253_402_300_799;
/// Longest identifier in a claim, in bytes.
const CLAIM_BYTES_MAX: usize = 1_024;

/// The claims of an access token of ours (RFC 9068, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject: the client itself for client credentials, else the person.
    pub sub: String,
    /// Audience: one or several.
    pub aud: Audience,
    /// OAuth client.
    pub client_id: String,
    /// Seconds since the epoch when it ends.
    pub exp: i64,
    /// Seconds since the epoch when it was issued.
    pub iat: i64,
    /// Seconds since the epoch before which it is not valid.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Identifier of the token.
    pub jti: String,
    /// Scopes, separated by spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The grant that it came from and that it ends with, if it came from one that lasts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub grant_id: String,
    /// The key that whoever presents the token has to have; `None`: anybody may present it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The token that it was exchanged for, if it was.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// What a token came of that was exchanged for it (RFC 8693): by what it ends before its time. A claim of our own; nothing of
/// it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// OAuth client of that token.
    pub client_id: String,
    /// The issuer whose client it is, by its id here; absent: this one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_manager: String,
    /// Mark of that token, in hexadecimal digits.
    pub credential: String,
    /// Mark of the person, in hexadecimal digits.
    pub subject: String,
    /// Name of the key that signed that token, if one of this issuer's did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signed_with: String,
}

/// `cnf` (RFC 7800): the one thing that the token is bound to. A kind of binding that is not known, or a second one, makes the
/// token unusable: whoever passed over it would take a bound token for one that anybody may present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// RFC 7638 thumbprint of the holder's key (RFC 9449, section 6.1).
    #[serde(rename = "jkt")]
    Key(String),
    /// Thumbprint of the holder's certificate (RFC 8705, section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Confirmation {
    /// Whether something could be it: a certificate's is a SHA-256, so that none is taken for one that could not be read.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Key(jkt) => !jkt.is_empty() && jkt.len() <= CLAIM_BYTES_MAX,
            Self::Certificate(thumbprint) => certificate::is_thumbprint(thumbprint),
        }
    }
}

/// An optional claim that stands there must have its type; `null` is not "absent".
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `aud`: a string or a list of strings (RFC 7519, section 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// What a token is issued for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grant<'g> {
    /// Issuer URL.
    pub issuer: &'g str,
    /// Audience.
    pub audience: &'g str,
    /// A second audience.
    pub also: Option<&'g str>,
    /// OAuth client.
    pub client_id: &'g str,
    /// Subject: a person; empty for the client itself.
    pub subject: &'g str,
    /// The grant that it came from; empty when it came from none that lasts.
    pub grant_id: &'g str,
    /// Scopes, separated by spaces; may be empty.
    pub scope: &'g str,
    /// Seconds since the epoch.
    pub now: i64,
    /// Seconds it lives.
    pub lifetime: i64,
    /// What it is bound to.
    pub bound_to: Option<&'g Confirmation>,
    /// The token that it is exchanged for.
    pub source: Option<&'g Source>,
}

/// Issues an access token.
///
/// # Errors
/// [`CannotSign`] when the library refuses the key.
pub fn issue(key: &SigningKey, grant: &Grant<'_>, random: &mut dyn Random) -> Result<String, CannotSign> {
    let mut id = [0; 16];
    random.fill(&mut id);
    let claims = Claims {
        iss: grant.issuer.to_owned(),
        sub: if grant.subject.is_empty() { grant.client_id } else { grant.subject }.to_owned(),
        aud: match grant.also {
            None => Audience::One(grant.audience.to_owned()),
            Some(also) => Audience::Several(vec![grant.audience.to_owned(), also.to_owned()]),
        },
        client_id: grant.client_id.to_owned(),
        exp: grant.now.saturating_add(grant.lifetime),
        iat: grant.now,
        nbf: None,
        jti: URL_SAFE_NO_PAD.encode(id),
        scope: grant.scope.to_owned(),
        cnf: grant.bound_to.cloned(),
        grant_id: grant.grant_id.to_owned(),
        source: grant.source.cloned(),
    };
    key.jws("at+jwt", &claims)
}

/// Why a token is refused. None of them repeats anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadToken {
    /// Not a JWT of the shape that is accepted.
    #[error("the token is malformed")]
    Malformed,
    /// Not an access token (`typ` is not `at+jwt`), or one with critical extensions.
    #[error("this is not an access token")]
    WrongType,
    /// Signed with a key that the issuer does not publish, or with another algorithm than that key's.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Another issuer.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// For another audience.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Expired.
    #[error("the token has expired")]
    Expired,
    /// Not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Never issued, ended or revoked: what an opaque token that nobody knows can be.
    #[error("the token is unknown or has ended")]
    Unknown,
}

impl BadToken {
    /// `error` of RFC 6750, section 3.1.
    pub const fn error(self) -> &'static str {
        "invalid_token"
    }

    /// The value of `WWW-Authenticate` for it.
    pub fn challenge(self, realm: &str) -> String {
        bearer::challenge(realm, Some((self.error(), &self.to_string())))
    }
}

/// A verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// What is known of it.
    pub claims: Claims,
    /// The `kid` of the key that signed it.
    pub key: Arc<str>,
    /// All that it says.
    pub payload: Map<String, Value>,
}

/// Verifies access tokens of one issuer for one audience.
#[derive(Debug)]
pub struct AccessTokenVerifier {
    issuer: String,
    audience: String,
    keys: Vec<VerificationKey>,
}

impl AccessTokenVerifier {
    /// From the issuer's key set document.
    ///
    /// # Errors
    /// [`BadKey::Set`] when the document cannot be used.
    pub fn new(issuer: &str, audience: &str, key_set: &str) -> Result<Self, BadKey> {
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            keys: verification_keys(key_set)?,
        })
    }

    /// Verifies a token at `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// [`BadToken`], the first reason found.
    pub fn verify(&self, token: &str, now: i64) -> Result<Claims, BadToken> {
        self.verify_with_key(token, now).map(|(claims, _)| claims)
    }

    /// As [`AccessTokenVerifier::verify`], with the `kid` of the key that signed: who removes a key has to find what it
    /// signed.
    ///
    /// # Errors
    /// [`BadToken`], the first reason found.
    pub fn verify_with_key(&self, token: &str, now: i64) -> Result<(Claims, Arc<str>), BadToken> {
        self.verify_whole(token, now).map(|Whole { claims, key, .. }| (claims, key))
    }

    /// As [`AccessTokenVerifier::verify_with_key`], with all that the token says.
    ///
    /// # Errors
    /// [`BadToken`], the first reason found.
    pub fn verify_whole(&self, token: &str, now: i64) -> Result<Whole, BadToken> {
        let parts = Parts::of(token, TOKEN_BYTES_MAX).ok_or(BadToken::Malformed)?;
        let key = self.key_for(&parts.header().ok_or(BadToken::Malformed)?)?;
        if !key.verifies(parts.message(), &parts.signature().ok_or(BadToken::Malformed)?) {
            return Err(BadToken::BadSignature);
        }
        let payload = parts.payload().ok_or(BadToken::Malformed)?;
        let claims = Claims::deserialize(&payload).map_err(|_| BadToken::Malformed)?;
        self.judge(&claims, now)?;
        Ok(Whole { claims, key: Arc::clone(&key.kid), payload })
    }

    fn key_for(&self, header: &Map<String, Value>) -> Result<&VerificationKey, BadToken> {
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(BadToken::Malformed),
        };
        let algorithm = text("alg")?.ok_or(BadToken::Malformed)?;
        let typ = text("typ")?.ok_or(BadToken::WrongType)?;
        // RFC 9068, section 2.1; media types are compared without case (RFC 7515, section 4.1.9).
        if !["at+jwt", "application/at+jwt"].iter().any(|accepted| typ.eq_ignore_ascii_case(accepted)) {
            return Err(BadToken::WrongType);
        }
        if jws::is_extended(header) {
            return Err(BadToken::WrongType);
        }
        let kid = text("kid")?.ok_or(BadToken::UnknownKey)?;
        let key = self.keys.iter().find(|key| *key.kid == *kid).ok_or(BadToken::UnknownKey)?;
        if key.algorithm.name() != algorithm {
            return Err(BadToken::UnknownKey);
        }
        Ok(key)
    }

    fn judge(&self, claims: &Claims, now: i64) -> Result<(), BadToken> {
        let texts = [&claims.sub, &claims.client_id, &claims.jti];
        if texts.iter().any(|text| text.is_empty() || text.len() > CLAIM_BYTES_MAX) {
            return Err(BadToken::Malformed);
        }
        if claims.exp > EXPIRY_MAX || !claims.cnf.as_ref().is_none_or(Confirmation::is_usable) {
            return Err(BadToken::Malformed);
        }
        if claims.iss != self.issuer {
            return Err(BadToken::WrongIssuer);
        }
        if !claims.aud.names(&self.audience) {
            return Err(BadToken::WrongAudience);
        }
        if claims.exp <= now {
            return Err(BadToken::Expired);
        }
        let latest = now.saturating_add(SKEW_SECONDS);
        if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(BadToken::NotYetValid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
