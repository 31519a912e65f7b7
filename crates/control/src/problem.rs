//! The one place that turns a failure into a status and a problem document (RFC 9457).
//!
//! What goes wrong inside is logged here with its causes and told to the caller as a sentence without them.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tidegate_model::{
    command::Refused,
    port::{CommandError, PortError},
    role::{Permission, Role},
    rule::FieldProblem,
};
use utoipa::ToSchema;

/// One field that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer (RFC 6901) of the field.
    #[schema(example = "/context")]
    pub(crate) pointer: String,
    /// Stable word for programs.
    #[schema(example = "duplicate")]
    pub(crate) code: String,
    /// Sentence for people.
    pub(crate) detail: String,
}

/// A problem document.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// Address of a page about this kind of problem.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind in words.
    pub(crate) title: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// What happened this time, and the way out.
    pub(crate) detail: String,
    /// Identifier of the request, to quote.
    pub(crate) instance: String,
    /// Fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
}

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Fields break rules.
    Validation(Vec<FieldProblem>),
    /// Something like it exists.
    Duplicate(FieldProblem),
    /// Not signed in.
    Unauthenticated(&'static str),
    /// Signed in, and not allowed.
    Forbidden(Permission),
    /// Signed in with a password for one time.
    PasswordForOnce,
    /// Signed up, and not approved yet.
    Waiting,
    /// Allowed by role, and the token is not for it: the scope that it lacks.
    Scope(String),
    /// Allowed by role, refused as forged.
    Forged(&'static str),
    /// Not there.
    NotFound(&'static str),
    /// Its state does not allow it.
    Conflict(String),
    /// Someone else was quicker.
    Stale(u64),
    /// `If-Match` is needed.
    PreconditionRequired,
    /// Too many tries; seconds to wait.
    Throttled(u64),
    /// The body is too large.
    TooLarge,
    /// The body is not JSON by its type.
    UnsupportedMediaType,
    /// The body or address cannot be read.
    Malformed(String),
    /// The method is not one of the address.
    MethodNotAllowed,
    /// Try again later.
    Unavailable(PortError),
    /// Our fault.
    Internal(&'static str),
}

/// Every kind: its word in `type`, its status, its title, and what its page says.
pub(crate) const KINDS: [(&str, u16, &str, &str); 18] = [
    (
        "validation",
        400,
        "Some fields break a rule",
        "Each entry of `errors` names a field, a code and the way out.",
    ),
    (
        "malformed",
        400,
        "The request cannot be read",
        "The body is not the JSON that the call takes, or the address is wrong.",
    ),
    (
        "unauthenticated",
        401,
        "Sign in first",
        "No valid portal session or personal access token came with the request.",
    ),
    (
        "forbidden",
        403,
        "Your roles do not allow this",
        "Another role is needed. An administrator can grant it.",
    ),
    (
        "password-for-once",
        403,
        "Choose a password of your own first",
        "The password you signed in with is for one time. PUT /api/v1/account/password takes the next one.",
    ),
    (
        "waiting",
        403,
        "Your account waits for an administrator",
        "Whoever signs up is approved by an administrator before the first sign-in.",
    ),
    (
        "insufficient-scope",
        403,
        "The token is not for this",
        "A personal access token with scopes may do what they name and nothing else. Make one with the scope that the \
         detail names.",
    ),
    (
        "forged",
        403,
        "The request does not come from the portal",
        "Calls with a cookie need the session's X-CSRF-Token and the portal's own origin.",
    ),
    (
        "not-found",
        404,
        "There is nothing here",
        "It does not exist, was deleted, or belongs to someone else.",
    ),
    (
        "method-not-allowed",
        405,
        "This address does not take this method",
        "See the OpenAPI document for the methods of each address.",
    ),
    (
        "duplicate",
        409,
        "Something like it exists already",
        "Names, contexts and addresses are unique; the entry of `errors` says which is taken.",
    ),
    (
        "conflict",
        409,
        "Its present state does not allow this",
        "The detail says what is missing or what is possible instead.",
    ),
    (
        "stale",
        412,
        "Someone else changed it",
        "Read it again, look at the difference, and repeat the change with the new ETag.",
    ),
    ("too-large", 413, "The body is too large", "A body has at most 256 KiB."),
    ("unsupported-media-type", 415, "The body is not JSON", "Send Content-Type: application/json."),
    (
        "precondition-required",
        428,
        "If-Match is missing",
        "Send the ETag of what the change is based on in If-Match.",
    ),
    ("throttled", 429, "Too many tries", "Wait as long as Retry-After says."),
    (
        "unavailable",
        503,
        "Not possible right now",
        "The database or a gateway does not answer. Nothing was changed; try again.",
    ),
];

/// The kind of our own faults, kept apart since it has nothing to teach.
const INTERNAL: (&str, u16, &str) = ("internal", 500, "Something went wrong on our side");

impl Problem {
    fn kind(&self) -> &'static str {
        match self {
            Self::Validation(_) => "validation",
            Self::Duplicate(_) => "duplicate",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::PasswordForOnce => "password-for-once",
            Self::Waiting => "waiting",
            Self::Scope(_) => "insufficient-scope",
            Self::Forged(_) => "forged",
            Self::NotFound(_) => "not-found",
            Self::Conflict(_) => "conflict",
            Self::Stale(_) => "stale",
            Self::PreconditionRequired => "precondition-required",
            Self::Throttled(_) => "throttled",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::Malformed(_) => "malformed",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => INTERNAL.0,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Validation(fields) => {
                fields.iter().map(|field| field.detail.as_str()).collect::<Vec<_>>().join(" ")
            }
            Self::Duplicate(field) => field.detail.clone(),
            Self::Unauthenticated(detail) | Self::Forged(detail) => (*detail).to_owned(),
            Self::Forbidden(permission) => {
                let roles: Vec<_> = permission.held_by().map(Role::as_str).collect();
                format!("This needs one of the roles {}. Ask an administrator for it.", roles.join(", "))
            }
            Self::PasswordForOnce => {
                "An administrator set your password. Choose another, then go on.".to_owned()
            }
            Self::Waiting => {
                "You signed up, and nobody has approved it yet. Sign in again when an administrator has."
                    .to_owned()
            }
            Self::Scope(scope) => format!("This needs a personal access token with the scope {scope}."),
            Self::NotFound(noun) => format!("There is no such {noun}, or it is not yours."),
            Self::Conflict(detail) | Self::Malformed(detail) => detail.clone(),
            Self::Stale(current) => {
                format!("It was changed since you read it; it is at ETag \"{current}\" now.")
            }
            Self::PreconditionRequired => "Send the ETag of what you read in If-Match.".to_owned(),
            Self::Throttled(seconds) => format!("Too many tries. Wait {seconds} seconds."),
            Self::TooLarge => "A body has at most 256 KiB.".to_owned(),
            Self::UnsupportedMediaType => "Send the body as application/json.".to_owned(),
            Self::MethodNotAllowed => "See the OpenAPI document for the methods of this address.".to_owned(),
            Self::Unavailable(_) => "Nothing was changed. Try again in a moment.".to_owned(),
            Self::Internal(_) => "Nothing was changed. Quote the instance when you report it.".to_owned(),
        }
    }

    fn errors(&self) -> Vec<FieldError> {
        let fields: &[FieldProblem] = match self {
            Self::Validation(fields) => fields,
            Self::Duplicate(field) => std::slice::from_ref(field),
            _ => &[],
        };
        let error = |field: &FieldProblem| FieldError {
            pointer: field.pointer.clone(),
            code: field.code.to_owned(),
            detail: field.detail.clone(),
        };
        fields.iter().map(error).collect()
    }

    fn log(&self) {
        match self {
            Self::Unavailable(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "a port is unavailable");
            }
            Self::Internal(context) => tracing::error!(context, "an internal fault"),
            _ => {}
        }
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        if error.is_unavailable() {
            return Self::Unavailable(error);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "a port failed");
        Self::Internal("a port failed")
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(fields) => Self::Validation(fields),
            Refused::Duplicate(field) => Self::Duplicate(field),
            Refused::NotFound(noun) => Self::NotFound(noun),
            Refused::Stale { current } => Self::Stale(current),
            Refused::Conflict { detail, .. } => Self::Conflict(detail),
            Refused::SignedOut => Self::Unauthenticated("The sign-in has ended. Sign in again."),
            Refused::Forbidden(permission) => Self::Forbidden(permission),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refused) => refused.into(),
            CommandError::Port(error) => error.into(),
        }
    }
}

/// A problem waiting for the request's identifier and the issuer's address, which the outermost layer knows.
#[derive(Debug, Clone)]
pub(crate) struct Pending(ProblemDocument);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let kind = self.kind();
        let known = KINDS.iter().find(|(word, ..)| *word == kind);
        let (status, title) =
            known.map_or((INTERNAL.1, INTERNAL.2), |(_, status, title, _)| (*status, *title));
        let document = ProblemDocument {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status,
            detail: self.detail(),
            instance: String::new(),
            errors: self.errors(),
        };
        let mut response =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        if let Self::Throttled(seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthenticated(_)) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Tidegate\""));
        }
        response.extensions_mut().insert(Pending(document));
        response
    }
}

/// Writes a pending problem as the body of its response.
pub(crate) fn finish(mut response: Response, portal_url: &str, request_id: &str) -> Response {
    let Some(Pending(mut document)) = response.extensions_mut().remove::<Pending>() else { return response };
    document.kind = format!("{portal_url}/problems/{}", document.kind);
    request_id.clone_into(&mut document.instance);
    // A struct of strings always serialises.
    let text = serde_json::to_string(&document).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, text.into())
}
