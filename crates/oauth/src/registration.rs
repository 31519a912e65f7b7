//! Clients that register themselves (RFC 7591) and look after their registration (RFC 7592), as functions: what a client says
//! of itself, what is wrong with it, and what it is answered. The fields are those of RFC 7591, section 2, of `OpenID`
//! Connect Registration and RP-Initiated Logout, and of RFC 8705 and RFC 9449 as far as they mean something here.
//!
//! What is read here has the right types and bounds and does not contradict itself. Which grants, addresses and keys a client
//! may have, who registers clients otherwise says, and storage knows which there are.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    client::{Method, is_credential},
    json,
    redirect::{self, Place},
};

/// Largest document of a client, in bytes: twenty addresses of each kind and a key set fit.
pub const DOCUMENT_BYTES_MAX: usize = 48 * 1_024;
/// Longest list, whose entries have bounds of their own.
const ENTRIES_MAX: usize = 32;
/// Longest text that has no other bound, in characters.
const TEXT_CHARS_MAX: usize = 512;
/// People who answer for a client.
const CONTACTS_MAX: usize = 10;
/// Longest address of a mailbox (RFC 5321, section 4.5.3.1.3), in characters; other ways to reach people are shorter.
const CONTACT_CHARS_MAX: usize = 254;
/// Longest identifier or version of a software, in characters.
const SOFTWARE_CHARS_MAX: usize = 100;
const CODE: &str = "code";
const AUTHORIZATION_CODE: &str = "authorization_code";

/// Why a client is not registered, or its registration not changed (RFC 7591, section 3.2.2; RFC 6749, section 5.2 for the
/// last).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// A redirect address may not be registered.
    #[error("{0}")]
    RedirectUri(String),
    /// Another field is wrong.
    #[error("{0}")]
    Metadata(String),
    /// What is called a statement is none.
    #[error("software_statement is no text")]
    SoftwareStatement,
    /// Statements are not taken: nobody here has agreed with anybody on who may make them.
    #[error("software statements are not taken here; send the metadata by itself")]
    UnapprovedSoftwareStatement,
    /// The request says what only the server says, or is about another client.
    #[error("{0}")]
    Request(&'static str),
}

impl RegistrationError {
    /// The `error` code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RedirectUri(_) => "invalid_redirect_uri",
            Self::Metadata(_) => "invalid_client_metadata",
            Self::SoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::Request(_) => "invalid_request",
        }
    }

    /// What is wrong with a field.
    pub fn of_field(name: &str, detail: impl Display) -> Self {
        let told = format!("{name}: {detail}");
        if name.starts_with("redirect_uris") { Self::RedirectUri(told) } else { Self::Metadata(told) }
    }
}

/// The answer to a request that is refused; the description is ASCII, as the RFC has it.
#[derive(Debug, Clone, Serialize)]
pub struct RegistrationErrorResponse {
    /// Code.
    pub error: &'static str,
    /// Sentence.
    pub error_description: String,
}

impl From<RegistrationError> for RegistrationErrorResponse {
    fn from(error: RegistrationError) -> Self {
        let ascii = |c: char| match c {
            '“' | '”' | '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        };
        Self { error: error.code(), error_description: error.to_string().chars().map(ascii).collect() }
    }
}

/// What a client says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientMetadata {
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// How it proves who it is.
    #[serde(rename = "token_endpoint_auth_method", serialize_with = "method_name")]
    pub method: Method,
    /// The grants that it uses.
    pub grant_types: Vec<String>,
    /// `code`, where it uses codes.
    pub response_types: Vec<&'static str>,
    /// `native` for a program on somebody's device, `web` for all others.
    pub application_type: &'static str,
    /// What people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Pages about it, for people.
    #[serde(flatten)]
    pub pages: Pages,
    /// How to reach who answers for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Its public keys (RFC 7517).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Names the software of which it is a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Where browsers may be sent to after signing out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Its access tokens are bound to its certificate.
    #[serde(rename = "tls_client_certificate_bound_access_tokens")]
    pub certificate_bound: bool,
}

/// Pages about a client: `https` addresses without a user or a fragment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// What it is.
    #[serde(rename = "client_uri", skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What becomes of what it learns of people.
    #[serde(rename = "policy_uri", skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// On what terms it works.
    #[serde(rename = "tos_uri", skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the derive calls it so")]
fn method_name<S: serde::Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(method.as_str())
}

impl ClientMetadata {
    /// Whether it is a program on somebody's device.
    pub fn is_native(&self) -> bool {
        self.application_type == NATIVE
    }
}

/// `application_type` of a program on somebody's device.
pub const NATIVE: &str = "native";
/// `application_type` of all others.
pub const WEB: &str = "web";

/// The `response_types` of a client with these grants: here they follow from them (section 2.1).
pub fn response_types(grant_types: &[String]) -> Vec<&'static str> {
    if grant_types.iter().any(|grant| grant == AUTHORIZATION_CODE) { vec![CODE] } else { Vec::new() }
}

/// What a client is told of its registration (RFC 7591, section 3.2.1; RFC 7592, section 3). Secret.
#[derive(Clone, Serialize)]
pub struct ClientInformation {
    /// Its identifier.
    pub client_id: String,
    /// When it got that, in seconds since the epoch.
    pub client_id_issued_at: i64,
    /// Its secret, told once: what is kept is a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Zero, where there is a secret: it does not end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_expires_at: Option<i64>,
    /// With what it looks after its registration.
    pub registration_access_token: String,
    /// Where.
    pub registration_client_uri: String,
    /// What it is registered as, which may differ from what it asked for.
    #[serde(flatten)]
    pub metadata: ClientMetadata,
}

/// A registration as its client wants it to be.
#[derive(Clone)]
pub struct Replacement {
    /// Whose; the caller compares it with whose it is.
    pub client_id: String,
    /// The secret that it has, where it says it; the caller compares it.
    pub client_secret: Option<String>,
    /// All of what it says of itself: what is not said is gone.
    pub metadata: ClientMetadata,
}

/// Reads what a client says of itself to be registered.
///
/// # Errors
/// [`RegistrationError`].
pub fn read(document: &[u8]) -> Result<ClientMetadata, RegistrationError> {
    Members::of(document)?.metadata()
}

/// Reads what a client says of itself from now on (RFC 7592, section 2.2).
///
/// # Errors
/// [`RegistrationError`].
pub fn read_replacement(document: &[u8]) -> Result<Replacement, RegistrationError> {
    let mut members = Members::of(document)?;
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if members.take(name).is_some() {
            return Err(RegistrationError::Request(
                "leave out what the server says: registration_access_token, registration_client_uri, \
                 client_secret_expires_at, client_id_issued_at",
            ));
        }
    }
    let credential = |text: Option<String>| text.filter(|text| is_credential(text));
    let client_id = credential(members.text("client_id", TEXT_CHARS_MAX)?)
        .ok_or(RegistrationError::Request("client_id is missing"))?;
    let client_secret = members.text("client_secret", TEXT_CHARS_MAX)?;
    Ok(Replacement { client_id, client_secret, metadata: members.metadata()? })
}

/// What is not read yet. Members that are not known are ignored (section 2), so is `null` (section 2.2 of RFC 7592).
struct Members(Map<String, Value>);

impl Members {
    fn of(document: &[u8]) -> Result<Self, RegistrationError> {
        let object = if document.len() > DOCUMENT_BYTES_MAX { None } else { json::object(document) };
        object.map(Self).ok_or_else(|| {
            let detail = "send one JSON object of at most 48 KiB, in which no name stands twice";
            RegistrationError::Metadata(detail.to_owned())
        })
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str, chars_max: usize) -> Result<Option<String>, RegistrationError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => bounded(name, text, chars_max).map(Some),
            Some(_) => Err(RegistrationError::of_field(name, "this is a text")),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool, RegistrationError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(RegistrationError::of_field(name, "this is true or false")),
        }
    }

    fn texts(&mut self, name: &str, chars_max: usize) -> Result<Option<Vec<String>>, RegistrationError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(entries) = value else {
            return Err(RegistrationError::of_field(name, "this is a list of texts"));
        };
        if entries.len() > ENTRIES_MAX {
            let detail = format!("a list has at most {ENTRIES_MAX} entries");
            return Err(RegistrationError::of_field(name, detail));
        }
        let entry = |(place, entry)| match entry {
            Value::String(text) => bounded(&format!("{name}[{place}]"), text, chars_max),
            _ => Err(RegistrationError::of_field(name, "this is a list of texts")),
        };
        entries.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The address of a page that people may be led to.
    fn page(&mut self, name: &str) -> Result<Option<String>, RegistrationError> {
        let Some(page) = self.text(name, TEXT_CHARS_MAX)? else { return Ok(None) };
        redirect::is_registrable(&page, Place::Web).map_err(|bad| RegistrationError::of_field(name, bad))?;
        if page.starts_with("https://") {
            Ok(Some(page))
        } else {
            Err(RegistrationError::of_field(name, "a page for people is an https address"))
        }
    }

    fn method(&mut self) -> Result<Method, RegistrationError> {
        let name = "token_endpoint_auth_method";
        // Section 2: the default.
        let Some(word) = self.text(name, TEXT_CHARS_MAX)? else { return Ok(Method::Basic) };
        Method::parse(&word).ok_or_else(|| {
            let known = Method::ALL.map(Method::as_str).join(", ");
            RegistrationError::of_field(name, format!("choose of {known}"))
        })
    }

    fn application_type(&mut self) -> Result<&'static str, RegistrationError> {
        match self.text("application_type", TEXT_CHARS_MAX)?.as_deref() {
            None | Some(WEB) => Ok(WEB),
            Some(NATIVE) => Ok(NATIVE),
            Some(_) => Err(RegistrationError::of_field("application_type", "choose web or native")),
        }
    }

    /// Grants, and the response types that have to go with them (section 2.1).
    fn grants(&mut self) -> Result<Vec<String>, RegistrationError> {
        let grants = self.texts("grant_types", TEXT_CHARS_MAX)?;
        let grants = grants.unwrap_or_else(|| vec![AUTHORIZATION_CODE.to_owned()]);
        let follow = response_types(&grants);
        let Some(asked) = self.texts("response_types", TEXT_CHARS_MAX)? else { return Ok(grants) };
        if asked.iter().any(|kind| kind != CODE) {
            return Err(RegistrationError::of_field("response_types", "code is the only one"));
        }
        if asked.is_empty() != follow.is_empty() {
            let detail = "code goes with the grant authorization_code, and that with code";
            return Err(RegistrationError::of_field("response_types", detail));
        }
        Ok(grants)
    }

    fn jwks(&mut self, method: Method) -> Result<Option<Value>, RegistrationError> {
        let (jwks, uri) = (self.take("jwks"), self.take("jwks_uri"));
        match (jwks, uri) {
            (Some(_), Some(_)) => {
                Err(RegistrationError::of_field("jwks_uri", "give jwks or jwks_uri, not both"))
            }
            (None, Some(_)) if method == Method::PrivateKeyJwt => {
                Err(RegistrationError::of_field("jwks_uri", "keys are not fetched; give them as jwks"))
            }
            (Some(Value::Object(set)), None) => {
                Ok(Some(Value::Object(set)).filter(|_| method == Method::PrivateKeyJwt))
            }
            (Some(_), None) => Err(RegistrationError::of_field("jwks", "this is a JSON Web Key Set")),
            // Keys that nothing is proven with are not kept.
            (None, _) => Ok(None),
        }
    }

    fn contacts(&mut self) -> Result<Vec<String>, RegistrationError> {
        let contacts = self.texts("contacts", CONTACT_CHARS_MAX)?.unwrap_or_default();
        if contacts.len() > CONTACTS_MAX {
            let detail = format!("a client has at most {CONTACTS_MAX} contacts");
            return Err(RegistrationError::of_field("contacts", detail));
        }
        Ok(contacts)
    }

    fn metadata(mut self) -> Result<ClientMetadata, RegistrationError> {
        match self.take("software_statement") {
            None => {}
            Some(Value::String(_)) => return Err(RegistrationError::UnapprovedSoftwareStatement),
            Some(_) => return Err(RegistrationError::SoftwareStatement),
        }
        let (method, application_type, grant_types) =
            (self.method()?, self.application_type()?, self.grants()?);
        if application_type == NATIVE && method != Method::None {
            let detail = "a native client has no secret here; ask for token_endpoint_auth_method none";
            return Err(RegistrationError::of_field("application_type", detail));
        }
        Ok(ClientMetadata {
            redirect_uris: self.texts("redirect_uris", TEXT_CHARS_MAX)?.unwrap_or_default(),
            method,
            response_types: response_types(&grant_types),
            grant_types,
            application_type,
            client_name: self.text("client_name", TEXT_CHARS_MAX)?,
            pages: Pages {
                client: self.page("client_uri")?,
                policy: self.page("policy_uri")?,
                terms: self.page("tos_uri")?,
            },
            contacts: self.contacts()?,
            jwks: self.jwks(method)?,
            software_id: self.text("software_id", SOFTWARE_CHARS_MAX)?,
            software_version: self.text("software_version", SOFTWARE_CHARS_MAX)?,
            post_logout_redirect_uris: self
                .texts("post_logout_redirect_uris", TEXT_CHARS_MAX)?
                .unwrap_or_default(),
            certificate_bound: self.flag("tls_client_certificate_bound_access_tokens")?,
        })
    }
}

fn bounded(name: &str, text: String, chars_max: usize) -> Result<String, RegistrationError> {
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(char::is_control) {
        let detail = format!("this has 1 to {chars_max} characters, none of which control anything");
        return Err(RegistrationError::of_field(name, detail));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
