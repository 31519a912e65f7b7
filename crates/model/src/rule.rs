//! Rules of single fields: what a name, context, version, endpoint address … may look like.
//!
//! Each check answers a [`FieldProblem`] with a pointer, a stable code and a sentence that says the way out, so
//! that REST and the portal show the same words beside the same field. Rules across records (unique, known
//! plan) are in [`crate::decide`].

use url::Url;

use crate::endpoint::{
    Bounds, CONNECT_TIMEOUT, Endpoint, Endpoints, HANDSHAKE_TIMEOUT, IDLE_TIMEOUT, LIFETIME, PING_INTERVAL,
    PONG_TIMEOUT, SUSPEND_AFTER, SUSPEND_FIRST, SUSPEND_MAX, Suspension, TARGETS_MAX, URL_BYTES_MAX,
};
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

/// Both endpoints, under `pointer` (usually `/endpoints`).
pub fn endpoints(pointer: &str, endpoints: &Endpoints, problems: &mut Problems) {
    for (name, endpoint) in [("production", &endpoints.production), ("sandbox", &endpoints.sandbox)] {
        if let Some(found) = endpoint {
            self::endpoint(&format!("{pointer}/{name}"), found, problems);
        }
    }
}

/// One endpoint: its addresses and the bounds of its timeouts.
pub fn endpoint(pointer: &str, endpoint: &Endpoint, problems: &mut Problems) {
    endpoint_url(&format!("{pointer}/url"), &endpoint.url, problems);
    for (place, url) in endpoint.others.iter().enumerate() {
        let pointer = format!("{pointer}/others/{place}");
        endpoint_url(&pointer, url, problems);
        if endpoint.targets().take(place + 1).any(|before| before == url) {
            let detail = "This address is there already. Each address stands once.";
            problems.push(FieldProblem::new(pointer, "duplicate", detail));
        }
    }
    if endpoint.others.len() >= TARGETS_MAX {
        let detail = format!("An endpoint has at most {TARGETS_MAX} addresses.");
        problems.push(FieldProblem::new(format!("{pointer}/others"), "too_many", detail));
    }
    let mut bounded = |leaf: &str, unit: &str, value: u32, bounds: Bounds| {
        if value < bounds.min || value > bounds.max {
            let detail = format!("Choose between {} and {} {unit}.", bounds.min, bounds.max);
            problems.push(FieldProblem::new(format!("{pointer}/{leaf}"), "out_of_range", detail));
        }
    };
    let Suspension { after_failures, first_ms, max_ms } = endpoint.suspension;
    for (leaf, value, bounds) in [
        ("connect_timeout_ms", endpoint.connect_timeout_ms, CONNECT_TIMEOUT),
        ("handshake_timeout_ms", endpoint.handshake_timeout_ms, HANDSHAKE_TIMEOUT),
        ("idle_timeout_ms", endpoint.idle_timeout_ms, IDLE_TIMEOUT),
        ("ping_interval_ms", endpoint.ping_interval_ms, PING_INTERVAL),
        ("pong_timeout_ms", endpoint.pong_timeout_ms, PONG_TIMEOUT),
        ("lifetime_max_ms", endpoint.lifetime_max_ms, LIFETIME),
        ("suspension/first_ms", first_ms, SUSPEND_FIRST),
        ("suspension/max_ms", max_ms, SUSPEND_MAX),
    ] {
        bounded(leaf, "milliseconds", value, bounds);
    }
    bounded("suspension/after_failures", "failures", after_failures, SUSPEND_AFTER);
}

/// Sizes within their bounds.
pub fn protocol(pointer: &str, protocol: &Protocol, problems: &mut Problems) {
    let mut bounded = |leaf: &str, value: u32, bounds: Bounds| {
        if value < bounds.min || value > bounds.max {
            let detail = format!("Choose between {} and {} bytes.", bounds.min, bounds.max);
            problems.push(FieldProblem::new(format!("{pointer}/{leaf}"), "out_of_range", detail));
        }
    };
    bounded("message_bytes_max", protocol.message_bytes_max, MESSAGE_BYTES);
    bounded("frame_bytes_max", protocol.frame_bytes_max, FRAME_BYTES);
}

/// The address of an endpoint: `ws://` or `wss://`, a host, no credentials, no fragment (RFC 6455, section 3).
pub fn endpoint_url(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if text.is_empty() {
        problem("required", "Enter the address of the backend, for example ws://localhost:8080.");
        return;
    }
    if text.len() > URL_BYTES_MAX {
        problem("too_long", &format!("An address has at most {URL_BYTES_MAX} bytes."));
        return;
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        problem("illegal_character", "An address cannot contain spaces or control characters.");
        return;
    }
    if !(text.starts_with("ws://") || text.starts_with("wss://")) {
        problem("scheme", "The address must begin with ws:// or wss:// (secured).");
        return;
    }
    match Url::parse(text) {
        Ok(url) if url.host_str().is_none_or(str::is_empty) => problem("host", "The address names no host."),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            problem("credentials", "The address cannot carry a user name or password.");
        }
        Ok(url) if url.fragment().is_some() => problem("fragment", "The address cannot have a “#” part."),
        Ok(url) if url.port() == Some(0) => problem("port", "Port 0 cannot be connected to."),
        Ok(_) => {}
        Err(_) => problem("malformed", "This is not an address that can be connected to."),
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
