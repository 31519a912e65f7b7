//! Reading what a caller sends (JSON bodies, `If-Match`, path and query, each failure a problem that names the
//! place), and the shapes of answers.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tidegate_model::rule::FieldProblem;

use crate::problem::Problem;

/// Largest body, in bytes: the longest description and everything else of an API fit eight times.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1_024;

/// A JSON body without unknown fields.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::UnsupportedMediaType);
        }
        let bytes = read(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| explain(&error))
    }
}

/// The whole body, within its bound.
pub(crate) async fn read(request: Request) -> Result<bytes::Bytes, Problem> {
    match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::TooLarge),
        Err(_) => Err(Problem::Malformed("The body broke off.".to_owned())),
    }
}

/// An unknown, missing or repeated field is a problem of that field; anything else of the whole body.
fn explain(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let field =
        |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let known = [
        ("unknown field `", "unknown_field", "is not a field of this call"),
        ("missing field `", "required", "is missing"),
        ("duplicate field `", "repeated", "stands twice"),
    ];
    for (prefix, code, what) in known {
        if let Some(name) = field(prefix) {
            let detail = format!("“{name}” {what}.");
            return Problem::Validation(vec![FieldProblem::new(format!("/{name}"), code, detail)]);
        }
    }
    Problem::Malformed(format!("The body is not the JSON that this call takes: {text}."))
}

/// Parts of the path.
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // An id that is no id names nothing.
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(found)| Self(found))
            .map_err(|_| Problem::NotFound("resource"))
    }
}

/// The query, without unknown parameters.
pub(crate) struct InQuery<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(found)| Self(found))
            .map_err(|error| Problem::Malformed(format!("The query cannot be read: {}.", error.body_text())))
    }
}

/// A number of a query from 1 to `MAX`; any other is refused as the query that it makes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct UpTo<const MAX: u32>(pub(crate) u32);

impl<const MAX: u32> TryFrom<u32> for UpTo<MAX> {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if (1..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!("it is a number from 1 to {MAX}"))
        }
    }
}

/// The entity tag in `If-Match`, if any.
pub(crate) fn if_match(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::IF_MATCH)?;
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return None;
    }
    let tag = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    // A tag that is none of ours matches nothing.
    Some(tag.parse().unwrap_or(u64::MAX))
}

/// The same where a change has to say what it is based on.
pub(crate) fn required_if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::PreconditionRequired);
    }
    Ok(if_match(headers))
}

/// A JSON answer that no cache keeps.
pub(crate) struct Answer<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], axum::Json(self.0)).into_response()
    }
}

/// A JSON answer with its entity tag.
pub(crate) struct Tagged<T>(pub(crate) u64, pub(crate) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, format!("\"{}\"", self.0))], Answer(self.1)).into_response()
    }
}

/// A new resource: 201, where it is, its entity tag if it has one.
pub(crate) struct Created<T>(pub(crate) String, pub(crate) T);

impl<T: IntoResponse> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.0)], self.1).into_response()
    }
}
