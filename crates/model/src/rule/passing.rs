//! Rules of what passes to a backend beside the messages: headers and topics.

use super::{FieldProblem, Problems};
use crate::{
    headers::{
        HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, HeaderRules, RULES_MAX, is_gateways_own, is_same_name,
        pieces,
    },
    mapping::{MAPPING_BYTES_MAX, MAPPINGS_MAX, TopicMapping},
};

/// The name of a header: a token (RFC 9110 section 5.6.2).
pub(super) fn header_name(pointer: &str, name: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if name.is_empty() {
        problem("required", "Enter the name of a header.");
    } else if name.len() > HEADER_NAME_BYTES_MAX {
        problem("too_long", &format!("A header's name has at most {HEADER_NAME_BYTES_MAX} bytes."));
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        problem("illegal_character", "A header's name has letters, digits and hyphens.");
    }
}

/// A header that is the gateway's to say.
pub(super) fn own_header(pointer: &str, name: &str, problems: &mut Problems) {
    if is_gateways_own(name) {
        let detail = format!("“{name}” belongs to the connection or is said by the gateway itself.");
        problems.push(FieldProblem::new(pointer, "reserved", detail));
    }
}

/// Rules for headers, under `pointer` (usually `/headers`).
pub fn headers(pointer: &str, rules: &HeaderRules, problems: &mut Problems) {
    let HeaderRules { allow, deny, rename, set, .. } = rules;
    for (list, count) in
        [("allow", allow.len()), ("deny", deny.len()), ("rename", rename.len()), ("set", set.len())]
    {
        if count > RULES_MAX {
            let detail = format!("There are at most {RULES_MAX} rules of one kind.");
            problems.push(FieldProblem::new(format!("{pointer}/{list}"), "too_many", detail));
        }
    }
    let mut named = |list: &str, leaf: &str, names: &[&str]| {
        for (place, name) in names.iter().enumerate() {
            let at = format!("{pointer}/{list}/{place}{leaf}");
            header_name(&at, name, problems);
            own_header(&at, name, problems);
            if names[..place].iter().any(|before| is_same_name(before, name)) {
                problems.push(FieldProblem::new(at, "duplicate", "This header stands here already."));
            }
        }
    };
    named("allow", "", &allow.iter().map(String::as_str).collect::<Vec<_>>());
    named("deny", "", &deny.iter().map(String::as_str).collect::<Vec<_>>());
    named("rename", "/from", &rename.iter().map(|rule| rule.from.as_str()).collect::<Vec<_>>());
    named("rename", "/to", &rename.iter().map(|rule| rule.to.as_str()).collect::<Vec<_>>());
    named("set", "/name", &set.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>());
    for (place, rule) in set.iter().enumerate() {
        value(&format!("{pointer}/set/{place}/value"), &rule.value, problems);
    }
    credentials_stay(pointer, rules, problems);
}

/// A client's own credential is never handed on, under no name (design: whatever was presented never reaches a
/// backend).
fn credentials_stay(pointer: &str, rules: &HeaderRules, problems: &mut Problems) {
    let allowed = rules.allow.iter().enumerate().map(|(place, name)| (format!("allow/{place}"), name));
    let renamed =
        rules.rename.iter().enumerate().map(|(place, rule)| (format!("rename/{place}/from"), &rule.from));
    for (leaf, name) in allowed.chain(renamed) {
        if name.eq_ignore_ascii_case("authorization") {
            let detail = "The client's credential is for the gateway and never passed on. Give the endpoint a \
                          credential of its own, or set a header with {subject}.";
            problems.push(FieldProblem::new(format!("{pointer}/{leaf}"), "reserved", detail));
        }
    }
}

fn value(pointer: &str, value: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if value.len() > HEADER_VALUE_BYTES_MAX {
        problem("too_long", &format!("A value has at most {HEADER_VALUE_BYTES_MAX} bytes."));
    }
    if !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') || value.trim() != value {
        problem("illegal_character", "A value has visible ASCII characters, and spaces between them.");
    }
    if let Err(error) = pieces(value) {
        problem("unknown_placeholder", &error.to_string());
    }
}

/// Topic mappings, under `pointer` (usually `/mappings`).
pub fn mappings(pointer: &str, mappings: &[TopicMapping], problems: &mut Problems) {
    if mappings.len() > MAPPINGS_MAX {
        let detail = format!("An API has at most {MAPPINGS_MAX} topic mappings.");
        problems.push(FieldProblem::new(pointer, "too_many", detail));
    }
    for (place, mapping) in mappings.iter().enumerate() {
        let mut problem = |leaf: &str, code, detail: String| {
            problems.push(FieldProblem::new(format!("{pointer}/{place}/{leaf}"), code, detail));
        };
        for (leaf, text) in [("topic", &mapping.topic), ("backend", &mapping.backend)] {
            if text.len() > MAPPING_BYTES_MAX {
                problem(leaf, "too_long", format!("This has at most {MAPPING_BYTES_MAX} bytes."));
            }
        }
        if let Err(error) = mapping.check_topic() {
            problem("topic", "malformed", error.to_string());
        } else if mappings[..place].iter().any(|before| before.topic == mapping.topic) {
            problem("topic", "duplicate", "This topic is mapped already.".to_owned());
        }
        if let Err(error) = mapping.check_backend() {
            problem("backend", "malformed", error.to_string());
        }
    }
}
