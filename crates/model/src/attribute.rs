//! Attributes of a session: headers and query parameters of its handshake, and claims of its token, that a policy looks at.
//!
//! They are kept with the session, since it is judged again by every later snapshot. [`LookedAt`] names what is looked at; it is
//! collected as a snapshot is made, and what nobody names is not kept: where nothing is looked at, a session owns nothing of
//! it. So what a session began without, because nobody looked at it then, is absent as long as the session lasts; but
//! claims, and whom it speaks for, are read anew with each fresh token.
//!
//! Credentials are no attributes: a name of one is never looked at. It knows neither requests nor tokens, only their parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::{admit::Identity, headers::is_same_name};

/// The longest value that is kept, in bytes. What is longer counts as absent: cut off, it would be another value.
pub const VALUE_BYTES_MAX: usize = 1_024;
/// Most bytes of values of one kind that a session keeps; values beyond it are absent. A head or a token has 8 KiB at most
/// in common servers.
pub const VALUES_BYTES_MAX: usize = 8 * 1_024;
/// Most members of a claim that is a list; more are cut off. So many groups or roles of one person are plenty.
pub const MEMBERS_MAX: usize = 64;

/// Headers that are credentials, or hold one, in lower case.
const CREDENTIALS: [&str; 8] = [
    "authorization",
    "client-cert",
    "client-cert-chain",
    "cookie",
    "dpop",
    "proxy-authorization",
    // A token may be one of the subprotocols offered.
    "sec-websocket-protocol",
    "x-jwt-assertion",
];

/// Whether a header of this name is a credential wherever it is sent. The header that holds an API key is the API's to say.
pub fn is_credential_header(name: &str) -> bool {
    CREDENTIALS.iter().any(|credential| is_same_name(credential, name))
}

/// Whether a query parameter of this name is a credential wherever it is sent; as above.
pub fn is_credential_parameter(name: &str) -> bool {
    matches!(name, "access_token" | "ticket")
}

/// Names of claims that are looked at. One with dots also names a member of an object: `realm_access.roles`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptClaims(BTreeSet<Arc<str>>);

impl KeptClaims {
    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is looked at of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookedAt {
    headers: BTreeSet<Arc<str>>,
    parameters: BTreeSet<Arc<str>>,
    claims: KeptClaims,
    user: bool,
}

impl LookedAt {
    /// A header of the handshake, whatever its case. Nobody looks at a credential.
    pub fn add_header(&mut self, name: &str) {
        if !is_credential_header(name) {
            self.headers.insert(name.to_ascii_lowercase().into());
        }
    }

    /// A parameter of the handshake's query. Nobody looks at a credential.
    pub fn add_parameter(&mut self, name: &str) {
        if !is_credential_parameter(name) {
            self.parameters.insert(name.into());
        }
    }

    /// A claim of the token.
    pub fn add_claim(&mut self, name: &str) {
        self.claims.0.insert(name.into());
    }

    /// Whom the credential speaks for.
    pub fn add_user(&mut self) {
        self.user = true;
    }

    /// Whether nothing is looked at.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.parameters.is_empty() && self.claims.is_empty() && !self.user
    }

    /// Whether a parameter is looked at: whoever has to take a query apart asks first.
    pub fn has_parameters(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// How many headers, parameters and claims are looked at.
    pub fn len(&self) -> usize {
        self.headers.len() + self.parameters.len() + self.claims.0.len()
    }

    /// The claims.
    pub const fn claims(&self) -> &KeptClaims {
        &self.claims
    }

    /// Whether it is looked at whom a credential speaks for.
    pub const fn has_user(&self) -> bool {
        self.user
    }
}

/// What a claim says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Claim {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Box<str>),
    /// Several; each as text.
    List(Box<[Box<str>]>),
}

impl Claim {
    /// What a JSON value says, as far as so many bytes suffice; `None`: nothing that is kept.
    fn of(value: &Value, room: &mut usize) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::Number(value) => Some(Self::Number(value.clone())),
            Value::String(text) => kept(text, room).map(Self::Text),
            Value::Array(members) => {
                let members = members.iter().take(MEMBERS_MAX).filter_map(|member| match member {
                    Value::String(text) => kept(text, room),
                    Value::Number(_) | Value::Bool(_) => kept(&member.to_string(), room),
                    Value::Null | Value::Array(_) | Value::Object(_) => None,
                });
                Some(Self::List(members.collect()))
            }
            Value::Null | Value::Object(_) => None,
        }
    }

    /// Whether what it says holds, as text; of a list, whether it holds of any member.
    pub fn any(&self, mut holds: impl FnMut(&str) -> bool) -> bool {
        match self {
            Self::Boolean(value) => holds(if *value { "true" } else { "false" }),
            Self::Number(value) => holds(&value.to_string()),
            Self::Text(text) => holds(text),
            Self::List(members) => members.iter().any(|member| holds(member)),
        }
    }
}

/// The claims of a token that are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(BTreeMap<Arc<str>, Claim>);

impl Claims {
    /// Of what a token says, those of these names.
    pub fn of(token: &Map<String, Value>, names: &KeptClaims) -> Self {
        let mut room = VALUES_BYTES_MAX;
        let of = |name: &Arc<str>| Some((Arc::clone(name), Claim::of(found(token, name)?, &mut room)?));
        Self(names.0.iter().filter_map(of).collect())
    }

    /// What one says.
    pub fn get(&self, name: &str) -> Option<&Claim> {
        self.0.get(name)
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Claim)> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The claim of this name, which may have dots; else the member that it leads to.
fn found<'t>(token: &'t Map<String, Value>, name: &str) -> Option<&'t Value> {
    token.get(name).or_else(|| {
        let (object, member) = name.split_once('.')?;
        found(token.get(object)?.as_object()?, member)
    })
}

/// A value, if it can be kept within so many bytes.
fn kept(value: &str, room: &mut usize) -> Option<Box<str>> {
    if value.len() > VALUE_BYTES_MAX {
        return None;
    }
    *room = room.checked_sub(value.len())?;
    Some(value.into())
}

/// Values by their names, of which each may stand several times.
type Values = Box<[(Arc<str>, Box<str>)]>;

/// The attributes of one session. Absent ones are not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    headers: Values,
    parameters: Values,
    claims: Claims,
    user: Option<Arc<str>>,
}

impl Attributes {
    /// What a session keeps that begins; `None`: nothing. Headers and parameters are those of its handshake, without its
    /// credential and without what its API says is one.
    pub fn of<'r>(
        looked_at: &LookedAt,
        headers: impl Iterator<Item = (&'r str, &'r [u8])>,
        parameters: impl Iterator<Item = (String, String)>,
        identity: &Identity,
    ) -> Option<Arc<Self>> {
        if looked_at.is_empty() {
            return None;
        }
        let mut room = VALUES_BYTES_MAX;
        let header = |(name, value): (&str, &[u8])| {
            let name = looked_at.headers.iter().find(|header| is_same_name(header, name))?;
            Some((Arc::clone(name), kept(std::str::from_utf8(value).ok()?.trim(), &mut room)?))
        };
        let headers = headers.filter_map(header).collect();
        let mut room = VALUES_BYTES_MAX;
        let parameter = |(name, value): (String, String)| {
            let name = looked_at.parameters.get(&*name)?;
            Some((Arc::clone(name), kept(&value, &mut room)?))
        };
        let parameters = parameters.filter_map(parameter).collect();
        let user = identity.user().filter(|_| looked_at.user).map(Arc::from);
        Self { headers, parameters, claims: identity.claims.clone(), user }.unless_empty()
    }

    /// The same after a fresh token: what that says takes the place of what the one before said.
    pub fn renewed(held: Option<&Arc<Self>>, claims: &Claims, user: Option<&Arc<str>>) -> Option<Arc<Self>> {
        let (claims, user) = (claims.clone(), user.cloned());
        match held {
            Some(held) if held.claims == claims && held.user == user => Some(Arc::clone(held)),
            Some(held) => Self { claims, user, ..Self::clone(held) }.unless_empty(),
            None => Self { claims, user, ..Self::default() }.unless_empty(),
        }
    }

    fn unless_empty(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| is_same_name(known, name)).map(|(_, value)| &**value)
    }

    /// The values of a query parameter.
    pub fn parameter(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// The claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whom the credential speaks for; `None`: nobody but its client, or nobody looked.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

#[cfg(test)]
mod tests;
