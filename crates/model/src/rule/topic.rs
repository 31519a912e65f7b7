//! Rules of an API's topics and scopes.

use super::{FieldProblem, Problems};
use crate::{
    scope::{self, Scope},
    topic::{DESCRIPTION_CHARS_MAX, TOPIC_BYTES_MAX, TOPICS_MAX, Topics},
};

/// The topics of an API, under `pointer` (usually `/topics`).
pub fn topics(pointer: &str, topics: &Topics, problems: &mut Problems) {
    let declared = &topics.declared;
    if declared.len() > TOPICS_MAX {
        let detail = format!("An API declares at most {TOPICS_MAX} topics.");
        problems.push(FieldProblem::new(format!("{pointer}/declared"), "too_many", detail));
    }
    for (place, topic) in declared.iter().enumerate() {
        let at = |leaf: &str| format!("{pointer}/declared/{place}/{leaf}");
        if topic.path.len() > TOPIC_BYTES_MAX {
            let detail = format!("A topic has at most {TOPIC_BYTES_MAX} bytes.");
            problems.push(FieldProblem::new(at("path"), "too_long", detail));
        }
        if let Err(error) = topic.check_path() {
            problems.push(FieldProblem::new(at("path"), "malformed", error.to_string()));
        } else if declared[..place].iter().any(|before| before.path == topic.path) {
            problems.push(FieldProblem::new(at("path"), "duplicate", "This topic is declared already."));
        }
        if topic.is_open && topic.speech(&[]).is_err() {
            let detail = "Whoever has no credential has no scope. Leave a direction that asks for none.";
            problems.push(FieldProblem::new(at("open"), "contradiction", detail));
        }
        if topic.description.chars().count() > DESCRIPTION_CHARS_MAX {
            let detail = format!("A description has at most {DESCRIPTION_CHARS_MAX} characters.");
            problems.push(FieldProblem::new(at("description"), "too_long", detail));
        }
        for (leaf, named) in
            [("publish_scopes", &topic.publish_scopes), ("subscribe_scopes", &topic.subscribe_scopes)]
        {
            scopes_of_topic(&at(leaf), named, problems);
        }
    }
}

fn scopes_of_topic(pointer: &str, named: &[String], problems: &mut Problems) {
    if named.len() > scope::SCOPES_OF_TOPIC_MAX {
        let detail = format!("There are at most {} scopes.", scope::SCOPES_OF_TOPIC_MAX);
        problems.push(FieldProblem::new(pointer, "too_many", detail));
    }
    for (place, name) in named.iter().enumerate() {
        if named[..place].contains(name) {
            let pointer = format!("{pointer}/{place}");
            problems.push(FieldProblem::new(pointer, "repeated", "This scope stands twice."));
        }
    }
}

/// The scopes that an API defines, under `pointer` (usually `/scopes`).
pub fn scopes(pointer: &str, scopes: &[Scope], problems: &mut Problems) {
    if scopes.len() > scope::SCOPES_MAX {
        let detail = format!("An API defines at most {} scopes.", scope::SCOPES_MAX);
        problems.push(FieldProblem::new(pointer, "too_many", detail));
    }
    for (place, defined) in scopes.iter().enumerate() {
        let at = format!("{pointer}/{place}");
        self::scope(&at, defined, problems);
        if scopes[..place].iter().any(|before| before.name == defined.name) {
            let detail = "This scope is defined already.";
            problems.push(FieldProblem::new(format!("{at}/name"), "duplicate", detail));
        }
    }
}

/// One scope: its name of visible ASCII but the quote and the backslash (RFC 6749, section 3.3).
pub fn scope(pointer: &str, scope: &Scope, problems: &mut Problems) {
    let mut problem = |leaf: &str, code, detail: String| {
        problems.push(FieldProblem::new(format!("{pointer}/{leaf}"), code, detail));
    };
    let is_named = scope.name.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    match scope.name.as_str() {
        "" => problem("name", "required", "Enter the name that tokens say.".to_owned()),
        name if name.len() > scope::NAME_BYTES_MAX => {
            problem("name", "too_long", format!("A scope has at most {} bytes.", scope::NAME_BYTES_MAX));
        }
        name if scope::RESERVED.contains(&name) => {
            problem("name", "reserved", format!("“{name}” is about what a client may learn of a person."));
        }
        _ if !is_named => {
            let detail = "A scope has visible ASCII characters, but no quote, backslash or space.";
            problem("name", "illegal_character", detail.to_owned());
        }
        _ => {}
    }
    for (leaf, text, max) in [
        ("display_name", &scope.display_name, scope::DISPLAY_NAME_CHARS_MAX),
        ("description", &scope.description, scope::DESCRIPTION_CHARS_MAX),
    ] {
        if text.chars().count() > max {
            problem(leaf, "too_long", format!("This has at most {max} characters."));
        } else if text.chars().any(char::is_control) {
            problem(leaf, "illegal_character", "This cannot contain control characters.".to_owned());
        }
    }
}

/// Names of a topic's scopes that nobody defines.
pub fn undefined_scopes(pointer: &str, topics: &Topics, defined: &[Scope], problems: &mut Problems) {
    for (place, topic) in topics.declared.iter().enumerate() {
        for (leaf, named) in
            [("publish_scopes", &topic.publish_scopes), ("subscribe_scopes", &topic.subscribe_scopes)]
        {
            for (at, name) in named.iter().enumerate() {
                if !defined.iter().any(|scope| scope.name == *name) {
                    let pointer = format!("{pointer}/declared/{place}/{leaf}/{at}");
                    let detail = format!("There is no scope “{name}”. Define it first.");
                    problems.push(FieldProblem::new(pointer, "unknown_scope", detail));
                }
            }
        }
    }
}
