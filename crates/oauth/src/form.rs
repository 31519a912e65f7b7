//! The form of a request that a client makes by itself (token, revocation, introspection): its parameters, and what
//! the client presents (RFC 6749, sections 2.3 and 3.2). It does not know what is asked for.

use std::collections::BTreeMap;

use crate::{
    client::{Method, Presented, Proof, from_basic, is_credential},
    client_assertion,
    grant::TokenError,
    percent,
};

/// Largest form that is read, in bytes.
pub const FORM_BYTES_MAX: usize = 8_192;
/// Most parameters in a form; the requests we know use fewer than ten.
const PARAMETERS_MAX: usize = 64;

/// Parameters that may stand several times: for whom a token is asked (RFC 8693, section 2.1; RFC 8707, section 2).
const LISTS: [&str; 2] = ["resource", "audience"];

/// Parameters by name; each is taken out once.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    single: BTreeMap<String, String>,
    lists: Vec<(String, String)>,
}

impl Parameters {
    /// Takes one out. One without a value counts as absent (RFC 6749, section 3.2).
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.single.remove(name).filter(|value| !value.is_empty())
    }

    /// All values of one that may stand several times, in their order.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let values = self.lists.extract_if(.., |(own, _)| own == name).map(|(_, value)| value);
        values.filter(|value| !value.is_empty()).collect()
    }

    /// Takes one out that must be there.
    ///
    /// # Errors
    /// `missing`, as [`TokenError::InvalidRequest`].
    pub fn needed(&mut self, name: &str, missing: &'static str) -> Result<String, TokenError> {
        self.take(name).ok_or(TokenError::InvalidRequest(missing))
    }
}

/// Values may be secrets.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lists = self.lists.iter().map(|(name, _)| name);
        f.debug_set().entries(self.single.keys().chain(lists)).finish()
    }
}

/// Reads a form, or a query, in which no parameter stands twice but those that are lists.
///
/// # Errors
/// [`TokenError::InvalidRequest`].
pub fn parameters(form: &str) -> Result<Parameters, TokenError> {
    if form.len() > FORM_BYTES_MAX {
        return Err(TokenError::InvalidRequest("the form is too large"));
    }
    let pairs = percent::form(form).ok_or(TokenError::InvalidRequest("the form is malformed"))?;
    if pairs.len() > PARAMETERS_MAX {
        return Err(TokenError::InvalidRequest("the form has too many parameters"));
    }
    // RFC 6749, section 3.2: none may stand twice, unknown ones are ignored.
    let (lists, pairs) = pairs.into_iter().partition(|(name, _): &(String, String)| LISTS.contains(&&**name));
    let pairs: Vec<_> = pairs;
    let mut single = BTreeMap::new();
    for (name, value) in pairs {
        if single.insert(name, value).is_some() {
            return Err(TokenError::InvalidRequest("a parameter is repeated"));
        }
    }
    Ok(Parameters { single, lists })
}

/// Reads a form and what the client presents with it: the `Authorization` field, if any, and the form.
///
/// # Errors
/// [`TokenError`]: a form that is none, repeated parameters, two ways of authentication.
pub fn read(authorization: Option<&str>, form: &str) -> Result<(Presented, Parameters), TokenError> {
    let mut parameters = parameters(form)?;
    let (id, secret) = (parameters.take("client_id"), parameters.take("client_secret"));
    let kind = parameters.take("client_assertion_type");
    let client = match (kind.as_deref(), parameters.take("client_assertion")) {
        (None, None) => presented(authorization, id, secret)?,
        (Some(client_assertion::TYPE), Some(_)) if authorization.is_some() || secret.is_some() => {
            return Err(TWO_WAYS);
        }
        (Some(client_assertion::TYPE), Some(assertion)) => asserted(id, assertion)?,
        _ => {
            let detail = "client_assertion goes with the client_assertion_type of a JWT, and with no other";
            return Err(TokenError::InvalidRequest(detail));
        }
    };
    Ok((client, parameters))
}

const TWO_WAYS: TokenError = TokenError::InvalidRequest("use one way of client authentication, not two");
const ANOTHER: TokenError = TokenError::InvalidRequest("client_id differs from the authenticated client");

fn asserted(client_id: Option<String>, assertion: String) -> Result<Presented, TokenError> {
    let claimed = client_assertion::claimed_client(&assertion).ok_or(TokenError::InvalidClient)?;
    if client_id.is_some_and(|named| named != claimed) {
        return Err(ANOTHER);
    }
    Ok(Presented { client_id: claimed, proof: Proof::Assertion(assertion) })
}

fn presented(
    authorization: Option<&str>,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<Presented, TokenError> {
    match (authorization, client_id, client_secret) {
        (Some(_), _, Some(_)) => Err(TWO_WAYS),
        (Some(value), client_id, None) => {
            let presented = from_basic(value).ok_or(TokenError::InvalidClient)?;
            match client_id {
                Some(named) if named != presented.client_id => Err(ANOTHER),
                _ => Ok(presented),
            }
        }
        (None, Some(client_id), Some(secret)) if is_credential(&client_id) && is_credential(&secret) => {
            Ok(Presented { client_id, proof: Proof::Secret(secret, Method::Post) })
        }
        (None, Some(client_id), None) if is_credential(&client_id) => {
            Ok(Presented { client_id, proof: Proof::None })
        }
        (None, _, _) => Err(TokenError::InvalidClient),
    }
}
