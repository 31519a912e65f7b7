//! Rules of how clients prove who they are.

use super::{FieldProblem, Problems};
use crate::{
    headers::HeaderRules,
    security::{ANY_ORIGIN, ORIGIN_BYTES_MAX, ORIGINS_MAX, Security, check_origin},
};

/// Credentials and origins, under `pointer` (usually `/security`). `headers` are the rules of the same design: an API
/// that passes cookies on is not open to every page.
pub fn security(pointer: &str, security: &Security, headers: &HeaderRules, problems: &mut Problems) {
    if security.accepts.is_empty() {
        let detail = "Choose at least one: else nobody could connect.";
        problems.push(FieldProblem::new(format!("{pointer}/accepts"), "required", detail));
    }
    origins(&format!("{pointer}/origins"), security, headers, problems);
}

fn origins(pointer: &str, security: &Security, headers: &HeaderRules, problems: &mut Problems) {
    let origins = &security.origins;
    if origins.len() > ORIGINS_MAX {
        let detail = format!("An API names at most {ORIGINS_MAX} origins.");
        problems.push(FieldProblem::new(pointer, "too_many", detail));
    }
    for (place, origin) in origins.iter().enumerate() {
        let mut problem = |code, detail: String| {
            problems.push(FieldProblem::new(format!("{pointer}/{place}"), code, detail));
        };
        if origin.len() > ORIGIN_BYTES_MAX {
            problem("too_long", format!("An origin has at most {ORIGIN_BYTES_MAX} bytes."));
        } else if let Err(error) = check_origin(origin) {
            problem("malformed", error.to_string());
        } else if origins[..place].contains(origin) {
            problem("duplicate", "This origin stands here already.".to_owned());
        }
        let is_ambient = security.accepts.iter().any(|way| way.kind().is_ambient());
        if origin == ANY_ORIGIN && (is_ambient || headers.passes_cookies()) {
            let detail = "A browser presents passwords, certificates and cookies by itself, for any page that asks. \
                          Name the origins instead, or accept and pass on none of these.";
            problem("unsafe", detail.to_owned());
        }
    }
}
