//! Signing people in by another issuer (OpenID Connect Core, section 3.1): what is asked of it, what comes back, and when
//! its ID token is believed.
//!
//! The request is bound to the browser that began it: `state`, `nonce` and the verifier of PKCE all follow from one random
//! text that this browser alone holds, so that nothing has to be remembered here and nobody can finish what another
//! browser began (RFC 9700, sections 2.1.1 and 4.7). It knows no HTTP; documents are handed in.

use serde_json::{Map, Value};

use crate::{
    Random, form,
    id_token::half_hash,
    issuer::{BadDocument, discovered, is_for},
    json,
    jwk::{Algorithm, VerificationKey, verification_keys},
    jws::{self, Parts},
    pkce, redirect,
    secret::{self, Kind},
    token::{SKEW_SECONDS, TOKEN_BYTES_MAX},
};

/// How long a person has to sign in at the issuer, in seconds: with a second factor that has to be looked for.
pub const REQUEST_SECONDS: i64 = 600;
/// Longest subject, in bytes (section 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// Longest code that is passed on, in bytes: some issuers put what they know into it.
const CODE_BYTES_MAX: usize = 4_096;
/// Longest access token that is presented for the userinfo, in bytes.
const ACCESS_TOKEN_BYTES_MAX: usize = 16_384;
/// Most values of a claim of roles that are looked at.
const VALUES_MAX: usize = 512;

/// What a sign-in needs of an issuer, by its discovery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the browser is sent.
    pub authorization: String,
    /// Where a code is redeemed.
    pub token: String,
    /// Where the keys are.
    pub keys: String,
    /// Where more is told of the person, if anywhere.
    pub userinfo: Option<String>,
    /// The issuer says who it is when it sends the browser back (RFC 9207, section 3).
    pub names_itself: bool,
    /// The issuer takes a client's secret in the form alone.
    pub posts_secret: bool,
}

/// What the discovery document of this issuer says (OpenID Connect Discovery, section 3).
///
/// # Errors
/// [`BadDocument`].
pub fn endpoints(document: &[u8], issuer: &str) -> Result<Endpoints, BadDocument> {
    let document = discovered(document, issuer)?;
    let address = |name: &str| match document.get(name) {
        None => Ok(None),
        Some(Value::String(address)) => Ok(Some(address.clone())),
        Some(_) => Err(BadDocument::Malformed),
    };
    let needed = |name: &str| address(name)?.ok_or(BadDocument::Malformed);
    // Without the list it is Basic alone (the same section).
    let ways = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
    let takes = |way: &str| ways.is_some_and(|ways| ways.iter().any(|known| known == way));
    Ok(Endpoints {
        authorization: needed("authorization_endpoint")?,
        token: needed("token_endpoint")?,
        keys: needed("jwks_uri")?,
        userinfo: address("userinfo_endpoint")?,
        names_itself: document.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        posts_secret: takes("client_secret_post") && !takes("client_secret_basic"),
    })
}

/// A sign-in that a browser began. What it holds of it is [`Begun::kept`], and nobody else knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    secret: String,
    /// What it is for, as whoever began it writes it: which issuer, until when, and where to go then.
    pub about: String,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("about", &self.about).finish_non_exhaustive()
    }
}

impl Begun {
    /// Begins one; `about` has no dot.
    pub fn new(about: String, random: &mut dyn Random) -> Self {
        Self { secret: secret::generate(Kind::SignIn, random), about }
    }

    /// What the browser keeps, fit for a cookie where `about` is.
    pub fn kept(&self) -> String {
        format!("{}.{}", self.secret, self.about)
    }

    /// What a browser kept; `None` for what cannot be ours.
    pub fn read(kept: &str) -> Option<Self> {
        let (secret, about) = kept.split_once('.')?;
        secret::is_well_formed(Kind::SignIn, secret)
            .then(|| Self { secret: secret.to_owned(), about: about.to_owned() })
    }

    fn derived(&self, purpose: &str) -> String {
        secret::seal(&self.secret, purpose, &self.about)
    }

    /// `state`: comes back unchanged, or it was not this browser that began.
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// Whether this `state` is the one.
    pub fn is_state(&self, state: &str) -> bool {
        secret::equal(&self.state(), state)
    }

    /// `nonce`: stands in the ID token, which so is for this browser.
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// The verifier of PKCE (RFC 7636): 43 characters.
    pub fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// Where the browser is sent.
    pub fn address(&self, endpoints: &Endpoints, client_id: &str, redirect_uri: &str, scope: &str) -> String {
        redirect::with_query(
            &endpoints.authorization,
            &[
                ("response_type", "code"),
                ("client_id", client_id),
                ("redirect_uri", redirect_uri),
                ("scope", scope),
                ("state", &self.state()),
                ("nonce", &self.nonce()),
                ("code_challenge", &pkce::challenge(&self.verifier())),
                ("code_challenge_method", pkce::METHOD),
            ],
        )
    }
}

/// Why what an issuer sent back signs nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotVouchedFor {
    /// Not what an issuer sends.
    #[error("what came back cannot be read")]
    Malformed,
    /// The issuer, or the person there, said no.
    #[error("the person was not signed in there")]
    Declined,
    /// The code was refused where it had to be redeemed.
    #[error("the code that came back is worth nothing there; each works once")]
    CodeRefused,
    /// Another browser began it, or nobody did.
    #[error("it was not begun in this browser")]
    WrongState,
    /// The answer does not say that it is of this issuer (RFC 9207).
    #[error("it came from another issuer")]
    WrongIssuer,
    /// The ID token is signed by no key of the issuer, or by an algorithm that is not accepted.
    #[error("the ID token is signed by no key of this issuer")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature of the ID token is wrong")]
    BadSignature,
    /// It is for another client, or for more than this one.
    #[error("the ID token is for somebody else")]
    WrongAudience,
    /// It is another kind of token.
    #[error("this is no ID token")]
    WrongType,
    /// It is over.
    #[error("the ID token has expired")]
    Expired,
    /// It says that it is of the future.
    #[error("the ID token is of the future; compare the clocks")]
    NotYetValid,
    /// It was asked for by another browser.
    #[error("the ID token is of another sign-in")]
    WrongNonce,
    /// What is told beside it is of somebody else.
    #[error("what the issuer tells of the person is of another person")]
    OtherPerson,
}

/// The code that came back with the browser.
///
/// # Errors
/// [`NotVouchedFor`], the first reason found. `state` is compared before anything else is believed.
pub fn code(
    query: &str,
    begun: &Begun,
    issuer: &str,
    endpoints: &Endpoints,
) -> Result<String, NotVouchedFor> {
    let mut query = form::parameters(query).map_err(|_| NotVouchedFor::Malformed)?;
    let state = query.take("state").ok_or(NotVouchedFor::WrongState)?;
    if !begun.is_state(&state) {
        return Err(NotVouchedFor::WrongState);
    }
    match query.take("iss") {
        Some(named) if named != issuer => return Err(NotVouchedFor::WrongIssuer),
        None if endpoints.names_itself => return Err(NotVouchedFor::WrongIssuer),
        _ => {}
    }
    if query.take("error").is_some() {
        return Err(NotVouchedFor::Declined);
    }
    let code = query.take("code").ok_or(NotVouchedFor::Malformed)?;
    if code.len() > CODE_BYTES_MAX { Err(NotVouchedFor::Malformed) } else { Ok(code) }
}

/// What a code was worth.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Who the person is, signed.
    pub id_token: String,
    /// For the userinfo; empty where none that could be presented came along.
    pub access_token: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// The answer of a token endpoint (section 3.1.3.3).
///
/// # Errors
/// [`NotVouchedFor::Malformed`].
pub fn tokens(answer: &[u8]) -> Result<Tokens, NotVouchedFor> {
    let mut answer = json::object(answer).ok_or(NotVouchedFor::Malformed)?;
    let mut text = |name: &str| match answer.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let id_token = text("id_token").ok_or(NotVouchedFor::Malformed)?;
    let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    let access_token =
        text("access_token").filter(|token| is_bearer && token.len() <= ACCESS_TOKEN_BYTES_MAX);
    Ok(Tokens { id_token, access_token: access_token.unwrap_or_default() })
}

/// What an ID token has to be to be believed.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// `iss`, compared byte by byte.
    pub issuer: &'e str,
    /// The client that it is for.
    pub client_id: &'e str,
    /// As it was sent.
    pub nonce: &'e str,
    /// The access token that came with it; empty for none.
    pub access_token: &'e str,
    /// Seconds since the epoch.
    pub now: i64,
}

/// Who a believed ID token is about, and what it says of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `sub`.
    pub subject: String,
    claims: Map<String, Value>,
}

impl Claims {
    /// A claim: by its whole name, else along its dots into objects, as some issuers nest them.
    fn named(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).or_else(|| {
            let mut parts = name.split('.');
            let first = self.claims.get(parts.next()?)?;
            parts.try_fold(first, |inside, part| inside.get(part))
        })
    }

    /// A claim that is a text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.named(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A claim that is a list of texts, or one text; `None` where there is no such claim.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        Some(match self.named(name)? {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => {
                several.iter().take(VALUES_MAX).filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Adds what the userinfo says (section 5.3.2) to what the ID token says, which stands where both do.
    ///
    /// # Errors
    /// [`NotVouchedFor::OtherPerson`] where it is about somebody else, as one that was put in its place would be.
    pub fn add(&mut self, userinfo: &[u8]) -> Result<(), NotVouchedFor> {
        let told = json::object(userinfo).ok_or(NotVouchedFor::Malformed)?;
        if told.get("sub").and_then(Value::as_str) != Some(&self.subject) {
            return Err(NotVouchedFor::OtherPerson);
        }
        for (name, value) in told {
            self.claims.entry(name).or_insert(value);
        }
        Ok(())
    }
}

/// Verifies an ID token by section 3.1.3.7, with the keys of this set.
///
/// Whatever the token says of itself, the algorithm is the key's own and one of [`Algorithm`]: never none, never a shared
/// secret. An audience beside this client is not trusted (point 3).
///
/// # Errors
/// [`NotVouchedFor`], the first reason found. [`NotVouchedFor::UnknownKey`] may be an issuer that has new keys.
pub fn verify(token: &str, key_set: &str, expected: &Expected<'_>) -> Result<Claims, NotVouchedFor> {
    let parts = Parts::of(token, TOKEN_BYTES_MAX).ok_or(NotVouchedFor::Malformed)?;
    let keys = verification_keys(key_set).map_err(|_| NotVouchedFor::UnknownKey)?;
    let key = key_for(&parts.header().ok_or(NotVouchedFor::Malformed)?, &keys)?;
    if !key.verifies(parts.message(), &parts.signature().ok_or(NotVouchedFor::Malformed)?) {
        return Err(NotVouchedFor::BadSignature);
    }
    let claims = parts.payload().ok_or(NotVouchedFor::Malformed)?;
    // A logout token (OpenID Connect Back-Channel Logout, section 2.4) is signed by the same keys for the same client.
    if claims.contains_key("events") {
        return Err(NotVouchedFor::WrongType);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(NotVouchedFor::WrongIssuer);
    }
    is_for_us(&claims, expected.client_id)?;
    is_of_now(&claims, expected.now)?;
    if !text("nonce").is_some_and(|nonce| secret::equal(nonce, expected.nonce)) {
        return Err(NotVouchedFor::WrongNonce);
    }
    // Beside a code it may be left out, and where it stands it has to be right (section 3.1.3.8).
    if let Some(hash) = claims.get("at_hash")
        && hash.as_str() != Some(&half_hash(key.algorithm, expected.access_token))
    {
        return Err(NotVouchedFor::WrongAudience);
    }
    let subject = text("sub").filter(|text| (1..=SUBJECT_BYTES_MAX).contains(&text.len()));
    let subject = subject.filter(|text| text.is_ascii() && !text.contains(|c: char| c.is_ascii_control()));
    Ok(Claims { subject: subject.ok_or(NotVouchedFor::Malformed)?.to_owned(), claims })
}

fn key_for<'k>(
    header: &Map<String, Value>,
    keys: &'k [VerificationKey],
) -> Result<&'k VerificationKey, NotVouchedFor> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let is_jwt = match header.get("typ") {
        None => true,
        Some(typ) => typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")),
    };
    if !is_jwt || jws::is_extended(header) {
        return Err(NotVouchedFor::WrongType);
    }
    let algorithm = text("alg").and_then(Algorithm::named).ok_or(NotVouchedFor::UnknownKey)?;
    let key = match text("kid") {
        Some(kid) => keys.iter().find(|key| *key.kid == *kid),
        // Needed only where the issuer has several (section 10.1).
        None if header.contains_key("kid") => None,
        None => keys.first().filter(|_| keys.len() == 1),
    };
    key.filter(|key| key.algorithm == algorithm).ok_or(NotVouchedFor::UnknownKey)
}

fn is_for_us(claims: &Map<String, Value>, client_id: &str) -> Result<(), NotVouchedFor> {
    let ours = [client_id.to_owned()];
    let audience = claims.get("aud").ok_or(NotVouchedFor::WrongAudience)?;
    let is_alone = audience.as_array().is_none_or(|several| several.len() == 1);
    let is_ours = is_for(audience, &ours).map_err(|_| NotVouchedFor::Malformed)?;
    let is_party = claims.get("azp").is_none_or(|party| party.as_str() == Some(client_id));
    if is_ours && is_alone && is_party { Ok(()) } else { Err(NotVouchedFor::WrongAudience) }
}

fn is_of_now(claims: &Map<String, Value>, now: i64) -> Result<(), NotVouchedFor> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().filter(|at| *at >= 0).map(Some).ok_or(NotVouchedFor::Malformed),
    };
    let expires = seconds("exp")?.ok_or(NotVouchedFor::Malformed)?;
    let issued = seconds("iat")?.ok_or(NotVouchedFor::Malformed)?;
    if expires <= now {
        return Err(NotVouchedFor::Expired);
    }
    let latest = now.saturating_add(SKEW_SECONDS);
    if issued > latest || seconds("nbf")?.is_some_and(|from| from > latest) {
        return Err(NotVouchedFor::NotYetValid);
    }
    // It was asked for a moment ago (point 10): an older one was kept by somebody.
    let earliest = now.saturating_sub(REQUEST_SECONDS + SKEW_SECONDS);
    if issued < earliest { Err(NotVouchedFor::Expired) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
