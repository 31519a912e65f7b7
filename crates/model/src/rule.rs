//! Rules of single fields: what a name, context, version, endpoint address … may look like.
//!
//! Each check answers a [`FieldProblem`] with a pointer, a stable code and a sentence that says the way out, so
//! that REST and the portal show the same words beside the same field. Rules across records (unique, known
//! plan) are in [`crate::decide`].

mod api_key;
mod backend;
mod certificate;
mod group;
mod issuer;
mod passing;
mod people;
mod policy;
mod provider;
mod security;
mod topic;

pub use api_key::api_key;
pub use backend::{endpoint, endpoint_url, endpoints};
pub use certificate::certificate;
pub use group::{GROUP_NAME_CHARS_MAX, groups};
pub use issuer::{issuer_url, key_manager_name, provided_client_id, trust};
pub use passing::{headers, mappings};
pub use people::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, USERNAME_CHARS_MAX, password, username};
pub use policy::{LIMITS_MAX, POLICY_DESCRIPTION_CHARS_MAX, POLICY_NAME_CHARS_MAX, policy};
pub use provider::{provider_name, sign_in_trust};
pub use security::security;
pub use topic::{scope, scopes, topics, undefined_scopes};

use crate::endpoint::Bounds;
use crate::notice::{BadNotice, Notice};
use crate::protocol::{FRAME_BYTES, MESSAGE_BYTES, Protocol};

/// Longest name of an API or an application, in characters.
pub const NAME_CHARS_MAX: usize = 50;
/// Longest context, in bytes (it is ASCII).
pub const CONTEXT_BYTES_MAX: usize = 200;
/// Longest version, in characters.
pub const VERSION_CHARS_MAX: usize = 30;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 32_766;
/// Longest name of an application, in characters.
pub const APPLICATION_NAME_CHARS_MAX: usize = 100;
/// Longest description of an application, in characters.
pub const APPLICATION_DESCRIPTION_CHARS_MAX: usize = 512;

/// Characters that neither a name nor a version may hold.
const RESERVED: &str = "~!@#;:%^*()+={}|\\<>\"',&$[]/";

/// One field that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) of the field.
    pub pointer: String,
    /// Stable word for programs: `required`, `too_long`, `illegal_character`, `out_of_range`, …
    pub code: &'static str,
    /// Sentence for people.
    pub detail: String,
}

impl FieldProblem {
    /// A problem of the field at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

type Problems = Vec<FieldProblem>;

fn text_rules(pointer: &str, noun: &str, text: &str, chars_max: usize, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(FieldProblem::new(pointer, "required", format!("Enter a {noun}.")));
        return;
    }
    if text.chars().count() > chars_max {
        let detail = format!("A {noun} has at most {chars_max} characters.");
        problems.push(FieldProblem::new(pointer, "too_long", detail));
    }
    if let Some(bad) = text.chars().find(|c| RESERVED.contains(*c)) {
        let detail = format!("A {noun} cannot contain “{bad}”.");
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    } else if text.chars().any(char::is_control) {
        let detail = format!("A {noun} cannot contain control characters.");
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    }
}

/// The name of an API: 1 to [`NAME_CHARS_MAX`] characters, none reserved, no stray spaces.
pub fn name(pointer: &str, text: &str, problems: &mut Problems) {
    text_rules(pointer, "name", text, NAME_CHARS_MAX, problems);
    if text.trim() != text || text.contains("  ") {
        let detail = "A name has no spaces at its ends and no two spaces in a row.";
        problems.push(FieldProblem::new(pointer, "stray_space", detail));
    }
}

/// What people call a credential: 1 to [`APPLICATION_NAME_CHARS_MAX`] characters of any script.
pub(crate) fn label(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    if text.trim().is_empty() {
        problem("required", "Enter a name.".to_owned());
    } else if text.chars().count() > APPLICATION_NAME_CHARS_MAX {
        problem("too_long", format!("A name has at most {APPLICATION_NAME_CHARS_MAX} characters."));
    } else if text.chars().any(char::is_control) {
        problem("illegal_character", "A name cannot contain control characters.".to_owned());
    }
}

/// The version: 1 to [`VERSION_CHARS_MAX`] characters, none reserved, no white space.
pub fn version(pointer: &str, text: &str, problems: &mut Problems) {
    text_rules(pointer, "version", text, VERSION_CHARS_MAX, problems);
    if text.chars().any(char::is_whitespace) {
        problems.push(FieldProblem::new(pointer, "illegal_character", "A version cannot contain spaces."));
    }
    if text == "." || text == ".." || !text.is_ascii() {
        let detail = "A version is part of an address: use letters, digits, dots, hyphens or underscores.";
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    }
}

/// The context with its leading `/` added where it lacks.
pub fn normal_context(text: &str) -> String {
    if text.starts_with('/') || text.is_empty() { text.to_owned() } else { format!("/{text}") }
}

/// A context, already normal: allowed characters, no empty or dot segments, `{version}` only as one whole
/// segment, balanced parentheses, not `/t/` (reserved for tenants), no final `/`.
pub fn context(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if text.is_empty() || text == "/" {
        problem("required", "Enter a context, for example /orders.");
        return;
    }
    if text.len() > CONTEXT_BYTES_MAX {
        problem("too_long", &format!("A context has at most {CONTEXT_BYTES_MAX} characters."));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "_${}.;()/-".contains(*c))) {
        problem("illegal_character", &format!("A context cannot contain “{bad}”."));
        return;
    }
    if text.ends_with('/') {
        problem("trailing_slash", "A context cannot end in “/”.");
    } else if text[1..].split('/').any(|segment| segment.is_empty() || segment == "." || segment == "..") {
        problem("empty_segment", "A context cannot contain “//”, “/./” or “/../”.");
    }
    if is_gateways_own(text) {
        problem("reserved", "“/.tidegate” is the gateway's own. Choose another context.");
    }
    if text == "/t" || text.starts_with("/t/") || text.contains("/t/") {
        problem("reserved", "“/t/” is reserved. Choose another context.");
    }
    let templates = text.split('/').filter(|segment| *segment == "{version}").count();
    let braces = text.chars().filter(|c| matches!(c, '{' | '}')).count();
    if templates > 1 || braces != templates * 2 {
        problem("version_template", "“{version}” may stand once, as a whole segment; no other braces.");
    }
    if !parentheses_balance(text) {
        problem("unbalanced", "Parentheses in a context must be balanced.");
    }
}

/// Whether it is a part of what a gateway says at addresses of its own.
fn is_gateways_own(text: &str) -> bool {
    text.split('/').nth(1).is_some_and(|first| first.eq_ignore_ascii_case(".tidegate"))
}

fn parentheses_balance(text: &str) -> bool {
    let mut depth = 0_u32;
    for c in text.chars() {
        depth = match c {
            '(' => depth + 1,
            ')' if depth == 0 => return false,
            ')' => depth - 1,
            _ => depth,
        };
    }
    depth == 0
}

/// The description of an API.
pub fn description(pointer: &str, text: &str, problems: &mut Problems) {
    if text.len() > DESCRIPTION_BYTES_MAX {
        let detail = format!("A description has at most {DESCRIPTION_BYTES_MAX} bytes.");
        problems.push(FieldProblem::new(pointer, "too_long", detail));
    }
}

/// Sizes within their bounds.
pub fn protocol(pointer: &str, protocol: &Protocol, problems: &mut Problems) {
    for (leaf, value, bounds) in [
        ("message_bytes_max", protocol.message_bytes_max, MESSAGE_BYTES),
        ("frame_bytes_max", protocol.frame_bytes_max, FRAME_BYTES),
    ] {
        bounded(&format!("{pointer}/{leaf}"), "bytes", value, bounds, problems);
    }
}

/// What clients are told of messages that were dropped.
pub fn notice(pointer: &str, notice: &Notice, problems: &mut Problems) {
    if let Err(bad) = notice.check() {
        let code = match bad {
            BadNotice::Empty => "required",
            BadNotice::TooLong => "too_long",
            BadNotice::TooDeep => "too_deep",
            BadNotice::UnknownWord => "unknown_word",
        };
        let mut detail = bad.to_string();
        detail[..1].make_ascii_uppercase();
        problems.push(FieldProblem::new(pointer, code, format!("{detail}.")));
    }
}

pub(crate) fn bounded(pointer: &str, unit: &str, value: u32, bounds: Bounds, problems: &mut Problems) {
    if value < bounds.min || value > bounds.max {
        let detail = format!("Choose between {} and {} {unit}.", bounds.min, bounds.max);
        problems.push(FieldProblem::new(pointer, "out_of_range", detail));
    }
}

/// The name and description of an application.
pub fn application(name: &str, description: &str, problems: &mut Problems) {
    if name.trim().is_empty() {
        problems.push(FieldProblem::new("/name", "required", "Enter a name."));
    } else if name.trim() != name {
        problems.push(FieldProblem::new("/name", "stray_space", "A name has no spaces at its ends."));
    }
    if name.chars().count() > APPLICATION_NAME_CHARS_MAX {
        let detail = format!("A name has at most {APPLICATION_NAME_CHARS_MAX} characters.");
        problems.push(FieldProblem::new("/name", "too_long", detail));
    }
    if name.chars().any(char::is_control) {
        let detail = "A name cannot contain control characters.";
        problems.push(FieldProblem::new("/name", "illegal_character", detail));
    }
    if description.chars().count() > APPLICATION_DESCRIPTION_CHARS_MAX {
        let detail = format!("A description has at most {APPLICATION_DESCRIPTION_CHARS_MAX} characters.");
        problems.push(FieldProblem::new("/description", "too_long", detail));
    }
}

#[cfg(test)]
mod tests;
