//! Access tokens of other issuers: verifying them by the rules that were set for their issuer, its discovery document
//! (OpenID Discovery, RFC 8414) and its answers about opaque tokens (RFC 7662).
//!
//! What a token says of itself chooses nothing but the issuer: keys are looked up by `kid` among that issuer's alone,
//! the algorithm is the key's own and must be on the issuer's list, keys and addresses inside a token are never looked
//! at. Most issuers do not follow RFC 9068 to the letter, so the header's type may be `JWT` where the rules say so;
//! what is then told apart by its claims are ID tokens, refresh tokens and logout tokens. It knows no HTTP.

use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::{
    json,
    jwk::{Algorithm, BadKey, VerificationKey, verification_keys},
    jws::{self, Parts},
    token::{BadToken, Confirmation, EXPIRY_MAX, SKEW_SECONDS, TOKEN_BYTES_MAX},
};

/// Longest client id or subject that is believed, in bytes.
const CLAIM_BYTES_MAX: usize = 1_024;
/// Most scopes that are read from a token: more are cut off, and grant nothing.
const SCOPES_MAX: usize = 256;
/// Largest discovery document and introspection answer that is read, in bytes: large ones have ten kilobytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1_024;

/// How tokens of one issuer are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// `iss`, compared byte by byte.
    pub issuer: String,
    /// A token must name one of them in `aud`.
    pub audiences: Vec<String>,
    /// Name of the claim that says the client.
    pub client_id: String,
    /// Name of the claim that says the scopes.
    pub scope: String,
    /// Name of the claim that says the subject.
    pub subject: String,
    /// Names of the algorithms that are accepted.
    pub algorithms: Vec<String>,
    /// Only `at+jwt` as the header's type.
    pub requires_at_jwt: bool,
}

/// What a believed token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The OAuth client.
    pub client_id: String,
    /// Whom it speaks for; the client where it names nobody.
    pub subject: String,
    /// Scopes, each once.
    pub scopes: Vec<String>,
    /// When it ends, in seconds since the epoch.
    pub expires_at: i64,
    /// When it was issued, in seconds since the epoch, if it says so.
    pub issued_at: Option<i64>,
    /// Its identifier within the issuer, if it has one.
    pub token_id: Option<String>,
    /// What whoever presents it has to show beside it.
    pub bound_to: Option<Confirmation>,
    /// The key that signed it; none for an opaque token.
    pub kid: Option<Arc<str>>,
    /// All that it says, or its issuer says of it.
    pub claims: Map<String, Value>,
}

/// The `iss` that a token claims, before anything of it was verified: only to choose whose rules it is judged by.
/// `None`: it is no JWT that says so.
pub fn claimed_issuer(token: &str) -> Option<String> {
    match parts(token).ok()?.payload()?.remove("iss") {
        Some(Value::String(issuer)) => Some(issuer),
        _ => None,
    }
}

/// Whether the text has the shape of a JWT; what has not is opaque.
pub fn is_jwt(token: &str) -> bool {
    parts(token).is_ok_and(|parts| parts.header().is_some_and(|header| header.contains_key("alg")))
}

fn parts(token: &str) -> Result<Parts<'_>, BadToken> {
    Parts::of(token, TOKEN_BYTES_MAX).ok_or(BadToken::Malformed)
}

/// Verifies the tokens of one issuer.
#[derive(Debug)]
pub struct IssuerVerifier {
    rules: Rules,
    keys: Vec<VerificationKey>,
}

impl IssuerVerifier {
    /// By these rules, with the keys of this set.
    ///
    /// # Errors
    /// [`BadKey::Set`] when the document cannot be used.
    pub fn new(rules: Rules, key_set: &str) -> Result<Self, BadKey> {
        let keys = verification_keys(key_set)?;
        let accepted = |key: &VerificationKey| rules.algorithms.iter().any(|it| it == key.algorithm.name());
        let keys = keys.into_iter().filter(accepted).collect();
        Ok(Self { rules, keys })
    }

    /// Verifies a token at `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// [`BadToken`], the first reason found. [`BadToken::UnknownKey`] may be an issuer that has new keys.
    pub fn verify(&self, token: &str, now: i64) -> Result<Verified, BadToken> {
        let parts = parts(token)?;
        let key = self.key_for(&parts.header().ok_or(BadToken::Malformed)?)?;
        if !key.verifies(parts.message(), &parts.signature().ok_or(BadToken::Malformed)?) {
            return Err(BadToken::BadSignature);
        }
        let claims = parts.payload().ok_or(BadToken::Malformed)?;
        is_access_token(&claims)?;
        match claims.get("iss") {
            Some(Value::String(issuer)) if *issuer == self.rules.issuer => {}
            Some(Value::String(_)) => return Err(BadToken::WrongIssuer),
            _ => return Err(BadToken::Malformed),
        }
        let audience = claims.get("aud").ok_or(BadToken::WrongAudience)?;
        if !is_for(audience, &self.rules.audiences)? {
            return Err(BadToken::WrongAudience);
        }
        let verified = self.judge(claims, now)?;
        Ok(Verified { kid: Some(key.kid.clone()), ..verified })
    }

    /// What an issuer answered about an opaque token (RFC 7662, section 2.2), judged as the claims of a token.
    ///
    /// # Errors
    /// [`BadToken::Expired`] for one that is not active, which is all that an issuer says of whatever it does not
    /// know; else as for a token.
    pub fn introspected(&self, answer: &[u8], now: i64) -> Result<Verified, BadToken> {
        let claims = json::object(answer).ok_or(BadToken::Malformed)?;
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(BadToken::Expired),
            _ => return Err(BadToken::Malformed),
        }
        // A refresh token is active as well (RFC 7662, section 2.2: `token_type` as of RFC 6749, section 5.1).
        is_access_token(&claims)?;
        if let Some(kind) = claims.get("token_type")
            && !kind
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer") || kind == "access_token")
        {
            return Err(BadToken::WrongType);
        }
        match claims.get("iss") {
            None => {}
            Some(Value::String(issuer)) if *issuer == self.rules.issuer => {}
            Some(_) => return Err(BadToken::WrongIssuer),
        }
        // An issuer that names no audience has judged itself whether its asker may take the token (RFC 7662, section 4).
        if let Some(audience) = claims.get("aud")
            && !is_for(audience, &self.rules.audiences)?
        {
            return Err(BadToken::WrongAudience);
        }
        self.judge(claims, now)
    }

    fn key_for(&self, header: &Map<String, Value>) -> Result<&VerificationKey, BadToken> {
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(BadToken::Malformed),
        };
        let algorithm = text("alg")?.ok_or(BadToken::Malformed)?;
        if !self.is_type(text("typ")?) {
            return Err(BadToken::WrongType);
        }
        if jws::is_extended(header) {
            return Err(BadToken::WrongType);
        }
        let kid = text("kid")?.ok_or(BadToken::UnknownKey)?;
        let key = self.keys.iter().find(|key| *key.kid == *kid).ok_or(BadToken::UnknownKey)?;
        if Algorithm::named(algorithm) != Some(key.algorithm) {
            return Err(BadToken::UnknownKey);
        }
        Ok(key)
    }

    /// Media types are compared without case (RFC 7515, section 4.1.9).
    fn is_type(&self, typ: Option<&str>) -> bool {
        let is = |accepted: &str| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(accepted));
        let is_at_jwt = is("at+jwt") || is("application/at+jwt");
        is_at_jwt || (!self.rules.requires_at_jwt && (typ.is_none() || is("JWT")))
    }

    fn judge(&self, whole: Map<String, Value>, now: i64) -> Result<Verified, BadToken> {
        let claims = &whole;
        let expires_at = seconds(claims, "exp")?.ok_or(BadToken::Malformed)?;
        if expires_at > EXPIRY_MAX {
            return Err(BadToken::Malformed);
        }
        if expires_at <= now {
            return Err(BadToken::Expired);
        }
        let latest = now.saturating_add(SKEW_SECONDS);
        let issued_at = seconds(claims, "iat")?;
        if [issued_at, seconds(claims, "nbf")?].into_iter().flatten().any(|from| from > latest) {
            return Err(BadToken::NotYetValid);
        }
        let client_id = text(claims, &self.rules.client_id)?.ok_or(BadToken::Malformed)?;
        let subject = text(claims, &self.rules.subject)?.unwrap_or_else(|| client_id.clone());
        let scopes = scopes(claims.get(&self.rules.scope))?;
        let token_id = text(claims, "jti")?;
        let bound_to = bound_to(claims)?;
        Ok(Verified {
            client_id,
            subject,
            scopes,
            expires_at,
            issued_at,
            token_id,
            bound_to,
            kid: None,
            claims: whole,
        })
    }
}

/// Issuers that call every token `JWT` say in its claims what it is: an ID token has a nonce or hashes of what it came
/// with (OpenID Connect Core, sections 2 and 3.3.2.11), a logout token has events (Back-Channel Logout, section 2.4), and
/// two wide-spread issuers write the kind into a claim of their own.
fn is_access_token(claims: &Map<String, Value>) -> Result<(), BadToken> {
    let foreign = ["nonce", "at_hash", "c_hash", "s_hash", "events"];
    let is_other = |name: &str, accepted: &[&str]| match claims.get(name) {
        None => false,
        Some(Value::String(kind)) => !accepted.iter().any(|known| kind.eq_ignore_ascii_case(known)),
        Some(_) => true,
    };
    let is_wrong = foreign.iter().any(|name| claims.contains_key(*name))
        || is_other("typ", &["Bearer", "at+jwt", "JWT"])
        || is_other("token_use", &["access"]);
    if is_wrong { Err(BadToken::WrongType) } else { Ok(()) }
}

pub(crate) fn is_for(audience: &Value, audiences: &[String]) -> Result<bool, BadToken> {
    let known = |one: &Value| match one {
        Value::String(one) => Ok(audiences.contains(one)),
        _ => Err(BadToken::Malformed),
    };
    match audience {
        Value::Array(several) => several.iter().try_fold(false, |found, one| Ok(found | known(one)?)),
        one => known(one),
    }
}

/// A time, which is a whole number here: a fraction of a second has no meaning to anybody.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, BadToken> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().filter(|at| *at >= 0).map(Some).ok_or(BadToken::Malformed),
    }
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, BadToken> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= CLAIM_BYTES_MAX => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(BadToken::Malformed),
    }
}

/// What the token is bound to; see [`Confirmation`].
fn bound_to(claims: &Map<String, Value>) -> Result<Option<Confirmation>, BadToken> {
    let Some(cnf) = claims.get("cnf") else { return Ok(None) };
    let cnf = Confirmation::deserialize(cnf).ok().filter(Confirmation::is_usable);
    cnf.ok_or(BadToken::WrongType).map(Some)
}

/// Text separated by spaces (RFC 6749, section 3.3) or, as some issuers have it, a list.
fn scopes(claim: Option<&Value>) -> Result<Vec<String>, BadToken> {
    let mut scopes: Vec<String> = Vec::new();
    let mut add = |scope: &str| {
        if !scope.is_empty() && scopes.len() < SCOPES_MAX && !scopes.iter().any(|other| other == scope) {
            scopes.push(scope.to_owned());
        }
    };
    match claim {
        None => {}
        Some(Value::String(text)) => text.split(' ').for_each(&mut add),
        Some(Value::Array(list)) => {
            for scope in list {
                add(scope.as_str().ok_or(BadToken::Malformed)?);
            }
        }
        Some(_) => return Err(BadToken::Malformed),
    }
    Ok(scopes)
}

/// Why a document of an issuer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDocument {
    /// Not a discovery document, or one without `jwks_uri`.
    #[error("this is not a discovery document that names the keys")]
    Malformed,
    /// It speaks for another issuer (OpenID Discovery, section 4.3).
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    /// Not a key set, too large, too many keys, or one name for two.
    #[error("the key set cannot be used: it is none, is too large, or names a key twice")]
    KeySet,
    /// No key of it can verify a token.
    #[error("the key set has no key that tokens can be verified with")]
    NoKeys,
}

/// Where the keys of this issuer are, by its discovery document.
///
/// # Errors
/// [`BadDocument`].
pub fn keys_address(document: &[u8], issuer: &str) -> Result<String, BadDocument> {
    match discovered(document, issuer)?.remove("jwks_uri") {
        Some(Value::String(address)) => Ok(address),
        _ => Err(BadDocument::Malformed),
    }
}

/// A discovery document that says that it is of this issuer, as it has to (OpenID Connect Discovery, section 4.3; RFC 8414,
/// section 3.3).
pub(crate) fn discovered(document: &[u8], issuer: &str) -> Result<Map<String, Value>, BadDocument> {
    let document = json::object(document).ok_or(BadDocument::Malformed)?;
    match document.get("issuer") {
        Some(Value::String(named)) if named == issuer => Ok(document),
        Some(Value::String(_)) => Err(BadDocument::OtherIssuer),
        _ => Err(BadDocument::Malformed),
    }
}

/// The names of the keys of a set that tokens can be verified with, and their algorithms.
///
/// # Errors
/// [`BadDocument`].
pub fn usable_keys(key_set: &str) -> Result<Vec<(String, &'static str)>, BadDocument> {
    let keys = verification_keys(key_set).map_err(|_| BadDocument::KeySet)?;
    if keys.is_empty() {
        return Err(BadDocument::NoKeys);
    }
    Ok(keys.into_iter().map(|key| (key.kid.to_string(), key.algorithm.name())).collect())
}

#[cfg(test)]
mod tests;
