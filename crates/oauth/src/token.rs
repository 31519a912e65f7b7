//! Access tokens as JWT (RFC 9068): issuing ours, and verifying what a client presents.
//!
//! The signature and its encoding are the library's (`jsonwebtoken` on aws-lc). Everything a token claims about
//! how it should be verified is ours to judge: the algorithm is pinned by the key that `kid` names, keys inside a
//! token are never looked at, `crit` is refused, claims have exactly their types, and time is an argument.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, crypto};
use serde::{Deserialize, Serialize};

use crate::{
    Random,
    jwk::{BadKey, SigningKey, VerificationKey, verification_keys},
};

/// Longest token that is looked at, in bytes. Ours have about 600; a header field holds 8 KiB in most servers.
pub const TOKEN_BYTES_MAX: usize = 8_192;
/// Difference between clocks that is forgiven, in seconds, for `nbf` and `iat`; `exp` is exact, since the
/// gateway and the issuer are told the time by the same house and a session ends at `exp` anyway.
pub const SKEW_SECONDS: i64 = 60;
/// Longest identifier in a claim, in bytes.
const CLAIM_BYTES_MAX: usize = 1_024;

/// The claims of an access token of ours (RFC 9068, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject: the client itself for client credentials.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Identifier of the token.
    pub jti: String,
    /// Scopes, separated by spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
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
#[derive(Debug, Clone, Copy)]
pub struct Grant<'g> {
    /// Issuer URL.
    pub issuer: &'g str,
    /// Audience.
    pub audience: &'g str,
    /// OAuth client, also the subject.
    pub client_id: &'g str,
    /// Scopes, separated by spaces; may be empty.
    pub scope: &'g str,
    /// Seconds since the epoch.
    pub now: i64,
    /// Seconds it lives.
    pub lifetime: i64,
}

/// Signing failed; our fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct CannotSign;

/// Issues an access token.
///
/// # Errors
/// [`CannotSign`] when the library refuses the key.
pub fn issue(key: &SigningKey, grant: &Grant<'_>, random: &mut dyn Random) -> Result<String, CannotSign> {
    let mut id = [0; 16];
    random.fill(&mut id);
    let claims = Claims {
        iss: grant.issuer.to_owned(),
        sub: grant.client_id.to_owned(),
        aud: Audience::One(grant.audience.to_owned()),
        client_id: grant.client_id.to_owned(),
        exp: grant.now.saturating_add(grant.lifetime),
        iat: grant.now,
        nbf: None,
        jti: URL_SAFE_NO_PAD.encode(id),
        scope: grant.scope.to_owned(),
    };
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid().to_owned());
    jsonwebtoken::encode(&header, &claims, key.encoding()).map_err(|_| CannotSign)
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
}

#[derive(Deserialize)]
struct PresentedHeader {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// Verifies access tokens of one issuer for one audience.
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
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(BadToken::Malformed)?;
        if payload.contains('.') {
            return Err(BadToken::Malformed);
        }
        let header: PresentedHeader = json(header)?;
        let key = self.key_for(&header)?;
        // Canonical base64url is checked here, so that no second spelling of a signature is accepted.
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadToken::Malformed)?;
        match crypto::verify(signature, message.as_bytes(), &key.key, key.algorithm) {
            Ok(true) => {}
            _ => return Err(BadToken::BadSignature),
        }
        let claims: Claims = json(payload)?;
        self.judge(&claims, now)?;
        Ok(claims)
    }

    fn key_for(&self, header: &PresentedHeader) -> Result<&VerificationKey, BadToken> {
        let typ = header.typ.as_deref().ok_or(BadToken::WrongType)?;
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !typ.eq_ignore_ascii_case("at+jwt") || header.crit.is_some() || header.b64.is_some() {
            return Err(BadToken::WrongType);
        }
        let kid = header.kid.as_deref().ok_or(BadToken::UnknownKey)?;
        let key = self.keys.iter().find(|key| key.kid == kid).ok_or(BadToken::UnknownKey)?;
        if format!("{:?}", key.algorithm) != header.alg {
            return Err(BadToken::UnknownKey);
        }
        Ok(key)
    }

    fn judge(&self, claims: &Claims, now: i64) -> Result<(), BadToken> {
        let texts = [&claims.sub, &claims.client_id, &claims.jti];
        if texts.iter().any(|text| text.is_empty() || text.len() > CLAIM_BYTES_MAX) {
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

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| BadToken::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| BadToken::Malformed)
}

#[cfg(test)]
mod tests;
