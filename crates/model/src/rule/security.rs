//! Rules of how clients prove who they are.

use super::{FieldProblem, Problems, passing::header_name};
use crate::{
    headers::{HeaderRules, is_gateways_own, is_same_name},
    security::{
        ANY_ORIGIN, ORIGIN_BYTES_MAX, ORIGINS_MAX, QUERY_NAME_BYTES_MAX, Security, TICKET_NAME, check_origin,
    },
};

/// Credentials and origins, under `pointer` (usually `/security`). `headers` are the rules of the same design: an API
/// that passes cookies on is not open to every page.
pub fn security(pointer: &str, security: &Security, headers: &HeaderRules, problems: &mut Problems) {
    if security.accepts.is_empty() {
        let detail = "Choose at least one: else nobody could connect.";
        problems.push(FieldProblem::new(format!("{pointer}/accepts"), "required", detail));
    }
    api_key_names(pointer, security, problems);
    api_key_stays(security, headers, problems);
    origins(&format!("{pointer}/origins"), security, headers, problems);
}

fn api_key_names(pointer: &str, security: &Security, problems: &mut Problems) {
    let header = &security.api_key_header;
    let at = format!("{pointer}/api_key_header");
    header_name(&at, header, problems);
    if is_gateways_own(header)
        || ["authorization", "cookie", "origin"].iter().any(|own| is_same_name(header, own))
    {
        let detail = format!("“{header}” has another meaning. Choose a name like ApiKey or X-Api-Key.");
        problems.push(FieldProblem::new(at, "reserved", detail));
    }
    let name = &security.api_key_query;
    let mut problem = |code, detail: String| {
        problems.push(FieldProblem::new(format!("{pointer}/api_key_query"), code, detail));
    };
    if name.is_empty() {
        problem("required", "Enter the name of a query parameter.".to_owned());
    } else if name.len() > QUERY_NAME_BYTES_MAX {
        problem("too_long", format!("The name has at most {QUERY_NAME_BYTES_MAX} bytes."));
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        problem("illegal_character", "The name has letters, digits, “-”, “_” and “.”.".to_owned());
    } else if name == "access_token" || name == TICKET_NAME {
        problem("reserved", format!("“{name}” is for another kind of credential."));
    }
}

/// A client's key is for the gateway, and is handed on under no name.
fn api_key_stays(security: &Security, headers: &HeaderRules, problems: &mut Problems) {
    let allowed = headers.allow.iter().enumerate().map(|(place, name)| (format!("allow/{place}"), name));
    let renamed =
        headers.rename.iter().enumerate().map(|(place, rule)| (format!("rename/{place}/from"), &rule.from));
    for (leaf, name) in allowed.chain(renamed) {
        if security.is_api_key_header(name) {
            let detail =
                "This header holds the client's API key, which is for the gateway and never passed on.";
            problems.push(FieldProblem::new(format!("/headers/{leaf}"), "reserved", detail));
        }
    }
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
