//! Rules of the groups of an API policy, and of their conditions. What a value of an address is, whoever reads it has said.

use super::{
    FieldProblem, Problems,
    policy::{description, limits},
};
use crate::{
    attribute::{is_credential_header, is_credential_parameter},
    group::{Aspect, CONDITIONS_MAX, Condition, GROUPS_MAX, Group, PATTERN_BYTES_MAX, Pattern, VALUES_MAX},
    headers::{HEADER_NAME_BYTES_MAX, is_same_name},
    policy::PolicyKind,
    security::{API_KEY_HEADER, API_KEY_QUERY, QUERY_NAME_BYTES_MAX},
};

/// Longest name of a group, in characters.
pub const GROUP_NAME_CHARS_MAX: usize = 64;
/// Longest name of a claim, in bytes: some issuers name claims by addresses.
const CLAIM_NAME_BYTES_MAX: usize = 256;

/// The groups of a policy; `at` is its pointer.
pub fn groups(kind: PolicyKind, at: &str, groups: &[Group], problems: &mut Problems) {
    let pointer = format!("{at}/groups");
    if kind != PolicyKind::Api && !groups.is_empty() {
        let detail = "Only API policies have groups. Leave them out.";
        problems.push(FieldProblem::new(&pointer, "only_api_policies", detail));
        return;
    }
    if groups.len() > GROUPS_MAX {
        problems.push(FieldProblem::new(
            &pointer,
            "too_many",
            format!("There are at most {GROUPS_MAX} groups."),
        ));
    }
    for (place, group) in groups.iter().enumerate().take(GROUPS_MAX) {
        let at = format!("{pointer}/{place}");
        name(&format!("{at}/name"), &group.name, &groups[..place], problems);
        description(&at, &group.description, problems);
        limits(&at, &group.limits, problems);
        let pointer = format!("{at}/conditions");
        if group.conditions.is_empty() {
            let detail = "Say when the group holds: enter a condition.";
            problems.push(FieldProblem::new(&pointer, "required", detail));
        } else if group.conditions.len() > CONDITIONS_MAX {
            let detail = format!("There are at most {CONDITIONS_MAX} conditions.");
            problems.push(FieldProblem::new(&pointer, "too_many", detail));
        }
        for (place, one) in group.conditions.iter().enumerate().take(CONDITIONS_MAX) {
            condition(&format!("{pointer}/{place}"), one, problems);
        }
    }
}

fn name(pointer: &str, text: &str, before: &[Group], problems: &mut Problems) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    if text.trim().is_empty() {
        problem("required", "Enter a name.".to_owned());
    } else if text.trim() != text {
        problem("stray_space", "A name has no spaces at its ends.".to_owned());
    } else if text.chars().count() > GROUP_NAME_CHARS_MAX {
        problem("too_long", format!("A name has at most {GROUP_NAME_CHARS_MAX} characters."));
    } else if text.chars().any(char::is_control) {
        problem("illegal_character", "A name cannot contain control characters.".to_owned());
    } else if before.iter().any(|other| other.name.to_lowercase() == text.to_lowercase()) {
        problem("repeated", format!("There is a group “{text}” in this policy already."));
    }
}

fn condition(at: &str, condition: &Condition, problems: &mut Problems) {
    let count = match &condition.aspect {
        Aspect::Address { any_of } => any_of.len(),
        Aspect::Header { name, any_of } => {
            header(&format!("{at}/name"), name, problems);
            patterns(at, any_of, problems)
        }
        Aspect::Query { name, any_of } => {
            named(&format!("{at}/name"), "query parameter", name, QUERY_NAME_BYTES_MAX, problems);
            if is_credential_parameter(name) || name == API_KEY_QUERY {
                credential(&format!("{at}/name"), name, problems);
            }
            patterns(at, any_of, problems)
        }
        Aspect::Claim { name, any_of } => {
            named(&format!("{at}/name"), "claim", name, CLAIM_NAME_BYTES_MAX, problems);
            patterns(at, any_of, problems)
        }
    };
    let pointer = format!("{at}/any_of");
    if count == 0 {
        problems.push(FieldProblem::new(pointer, "required", "Enter a value."));
    } else if count > VALUES_MAX {
        let detail = format!("There are at most {VALUES_MAX} values.");
        problems.push(FieldProblem::new(pointer, "too_many", detail));
    }
}

fn credential(pointer: &str, name: &str, problems: &mut Problems) {
    let detail = format!("“{name}” holds a credential, which no policy looks at.");
    problems.push(FieldProblem::new(pointer, "credential", detail));
}

fn header(pointer: &str, name: &str, problems: &mut Problems) {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && !name.bytes().all(is_token) {
        let detail = "A header has letters, digits and hyphens.";
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    } else if is_credential_header(name) || is_same_name(name, API_KEY_HEADER) {
        credential(pointer, name, problems);
    } else {
        named(pointer, "header", name, HEADER_NAME_BYTES_MAX, problems);
    }
}

fn named(pointer: &str, noun: &str, name: &str, bytes_max: usize, problems: &mut Problems) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    if name.is_empty() {
        problem("required", format!("Enter the name of the {noun}."));
    } else if name.len() > bytes_max {
        problem("too_long", format!("The name of a {noun} has at most {bytes_max} bytes."));
    } else if name.chars().any(char::is_control) {
        problem("illegal_character", "A name cannot contain control characters.".to_owned());
    }
}

/// Answers how many there are.
fn patterns(at: &str, any_of: &[Pattern], problems: &mut Problems) -> usize {
    for (place, Pattern(text)) in any_of.iter().enumerate().take(VALUES_MAX) {
        let mut problem = |code, detail: String| {
            problems.push(FieldProblem::new(format!("{at}/any_of/{place}"), code, detail));
        };
        if text.is_empty() {
            problem("required", "Enter a value, or * for any.".to_owned());
        } else if text.len() > PATTERN_BYTES_MAX {
            problem("too_long", format!("A value has at most {PATTERN_BYTES_MAX} bytes."));
        } else if text.chars().any(char::is_control) {
            problem("illegal_character", "A value cannot contain control characters.".to_owned());
        }
    }
    any_of.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(kind: PolicyKind, told: &[Value]) -> Vec<(String, &'static str)> {
        let groups: Vec<Group> = serde_json::from_value(json!(told)).unwrap();
        let mut problems = Vec::new();
        super::groups(kind, "", &groups, &mut problems);
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
    }

    fn group(name: &str, conditions: &[Value]) -> Value {
        json!({"name": name, "conditions": conditions, "limits": []})
    }

    fn inside() -> Value {
        json!({"kind": "address", "any_of": ["10.0.0.0/8"]})
    }

    fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
        vec![(pointer.to_owned(), code)]
    }

    #[test]
    fn groups_are_of_api_policies_and_named_once() {
        let good = group("Inside", &[inside()]);
        assert_eq!(found(PolicyKind::Api, std::slice::from_ref(&good)), []);
        for kind in [PolicyKind::Business, PolicyKind::Application] {
            assert_eq!(found(kind, std::slice::from_ref(&good)), one("/groups", "only_api_policies"));
        }
        for (name, code) in [
            ("", "required"),
            (" a", "stray_space"),
            (&"x".repeat(65), "too_long"),
            ("a\tb", "illegal_character"),
        ] {
            assert_eq!(found(PolicyKind::Api, &[group(name, &[inside()])]), one("/groups/0/name", code));
        }
        let twin = group("INSIDE", &[inside()]);
        assert_eq!(found(PolicyKind::Api, &[good, twin]), one("/groups/1/name", "repeated"));
        let many: Vec<_> = (0..=GROUPS_MAX).map(|place| group(&place.to_string(), &[inside()])).collect();
        assert_eq!(found(PolicyKind::Api, &many[1..]), []);
        assert_eq!(found(PolicyKind::Api, &many), one("/groups", "too_many"));
    }

    #[test]
    fn a_group_says_when_it_holds_and_its_limits_keep_the_rules() {
        assert_eq!(found(PolicyKind::Api, &[group("a", &[])]), one("/groups/0/conditions", "required"));
        let many = vec![inside(); CONDITIONS_MAX + 1];
        assert_eq!(found(PolicyKind::Api, &[group("a", &many)]), one("/groups/0/conditions", "too_many"));
        let mut limited = group("a", &[inside()]);
        limited["limits"] = json!([{"amount": 0, "unit": "messages", "per": "day"}]);
        limited["description"] = json!("x".repeat(513));
        assert_eq!(
            found(PolicyKind::Api, &[limited]),
            [
                ("/groups/0/description".to_owned(), "too_long"),
                ("/groups/0/limits/0/amount".to_owned(), "out_of_range")
            ]
        );
    }

    #[test]
    fn a_condition_names_what_may_be_looked_at_and_some_values() {
        let named = |kind: &str, name: &str| json!({"kind": kind, "name": name, "any_of": ["a", "b*"]});
        let of = |condition: Value| found(PolicyKind::Api, &[group("a", &[inside(), condition])]);
        let at = |leaf: &str| format!("/groups/0/conditions/1/{leaf}");
        for (kind, name) in [
            ("header", "X-Tier"),
            ("header", "user-agent"),
            ("query", "room"),
            ("query", "größe"),
            ("claim", "realm_access.roles"),
            ("claim", "https://example.com/groups"),
        ] {
            assert_eq!(of(named(kind, name)), [], "{kind} {name}");
        }
        for (kind, name, code) in [
            ("header", "", "required"),
            ("header", "x tier", "illegal_character"),
            ("header", &"x".repeat(129), "too_long"),
            ("header", "Authorization", "credential"),
            ("header", "proxy_authorization", "credential"),
            ("header", "COOKIE", "credential"),
            ("header", "Sec-WebSocket-Protocol", "credential"),
            ("header", "apikey", "credential"),
            ("query", "", "required"),
            ("query", "access_token", "credential"),
            ("query", "apikey", "credential"),
            ("query", "ticket", "credential"),
            ("query", &"x".repeat(65), "too_long"),
            ("claim", "", "required"),
            ("claim", "a\nb", "illegal_character"),
        ] {
            assert_eq!(of(named(kind, name)), [(at("name"), code)], "{kind} {name}");
        }
        let values = |any_of: Value| of(json!({"kind": "claim", "name": "a", "any_of": any_of}));
        assert_eq!(values(json!([])), [(at("any_of"), "required")]);
        assert_eq!(values(json!(vec!["a"; 33])), [(at("any_of"), "too_many")]);
        assert_eq!(values(json!(["a", ""])), [(at("any_of/1"), "required")]);
        assert_eq!(values(json!(["x".repeat(257)])), [(at("any_of/0"), "too_long")]);
        assert_eq!(values(json!(["a\u{7}"])), [(at("any_of/0"), "illegal_character")]);
        assert_eq!(of(json!({"kind": "address", "any_of": []})), [(at("any_of"), "required")]);
    }
}
