//! Groups of API policies in REST, and their conditions.
//!
//! Beside `policies.rs`, which says what a policy is in REST. When a condition holds, `tidegate_model::group` says.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tidegate_model::{
    deny::Range,
    group::{Aspect, Condition, Group, Pattern},
    rule::FieldProblem,
};
use utoipa::ToSchema;

use super::{LimitAnswer, LimitInput, limit, limit_input};

/// The words of what is looked at.
const KINDS: [&str; 4] = ["address", "header", "query", "claim"];

/// What has to be true of a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Condition)]
pub(crate) struct ConditionBody {
    /// What is looked at: `address`, `header` and `query` (parameter) of the handshake, or `claim` of the token.
    #[schema(example = "claim")]
    kind: String,
    /// Of a header, a query parameter or a claim: its name. That of a claim may lead to a member of an object:
    /// `realm_access.roles`. No credential can be named.
    #[schema(example = "department")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// One of these is enough, at most 32: addresses and ranges (`10.0.0.0/8`), or values, in which `*` stands for any
    /// characters. Of a header or parameter that stands several times, and of a claim that is a list, each is looked at.
    any_of: Vec<String>,
    /// It holds where none of the values is found; also where the header, parameter or claim is absent.
    #[serde(default)]
    not: bool,
}

/// Sessions that other limits hold for than the policy's own.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupAnswer {
    name: String,
    description: String,
    /// All of them hold of a session that is in the group.
    conditions: Vec<ConditionBody>,
    /// In place of the policy's own; none: unlimited.
    limits: Vec<LimitAnswer>,
}

/// Sessions that other limits hold for than the policy's own: the first group counts whose conditions all hold, and all that
/// are in it share its limits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupInput)]
pub(crate) struct GroupInput {
    /// Unique in the policy; at most 64 characters.
    #[schema(example = "Partners")]
    name: String,
    /// One sentence for whoever looks after the policy; at most 512 characters.
    #[serde(default)]
    description: String,
    /// All of them hold of a session that is in the group; 1 to 8.
    conditions: Vec<ConditionBody>,
    /// In place of the policy's own, and what is beyond them becomes what the policy says; none: unlimited. At most 8.
    limits: Vec<LimitInput>,
}

impl From<&Condition> for ConditionBody {
    fn from(Condition { aspect, is_inverted }: &Condition) -> Self {
        let (name, any_of) = match aspect {
            Aspect::Address { any_of } => {
                let written = |range: &Range| {
                    range.alone().map_or_else(|| range.to_string(), |address| address.to_string())
                };
                (None, any_of.iter().map(written).collect())
            }
            Aspect::Header { name, any_of }
            | Aspect::Query { name, any_of }
            | Aspect::Claim { name, any_of } => {
                (Some(name.clone()), any_of.iter().map(|Pattern(text)| text.clone()).collect())
            }
        };
        Self { kind: aspect.word().to_owned(), name, any_of, not: *is_inverted }
    }
}

impl From<&Group> for GroupAnswer {
    fn from(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            description: group.description.clone(),
            conditions: group.conditions.iter().map(ConditionBody::from).collect(),
            limits: group.limits.iter().map(LimitAnswer::from).collect(),
        }
    }
}

impl From<&Group> for GroupInput {
    fn from(group: &Group) -> Self {
        let GroupAnswer { name, description, conditions, .. } = group.into();
        Self { name, description, conditions, limits: group.limits.iter().map(limit_input).collect() }
    }
}

/// The group that is told of at a pointer, and problems of words that say nothing.
pub(super) fn group(at: &str, input: GroupInput, problems: &mut Vec<FieldProblem>) -> Group {
    let GroupInput { name, description, conditions, limits } = input;
    let conditions = conditions.into_iter().enumerate();
    let conditions: Vec<_> = conditions
        .filter_map(|(place, one)| condition(&format!("{at}/conditions/{place}"), one, problems))
        .collect();
    let limits = limits.iter().enumerate();
    let limits =
        limits.filter_map(|(place, one)| limit(&format!("{at}/limits/{place}"), one, problems)).collect();
    Group { name, description, conditions, limits }
}

fn condition(at: &str, body: ConditionBody, problems: &mut Vec<FieldProblem>) -> Option<Condition> {
    let ConditionBody { kind, name, any_of, not: is_inverted } = body;
    let mut problem = |leaf: &str, code, detail: String| {
        problems.push(FieldProblem::new(format!("{at}/{leaf}"), code, detail));
    };
    if kind == "address" {
        if name.is_some() {
            problem("name", "no_name", "An address has no name: leave it out.".to_owned());
        }
        let ranges = any_of.iter().enumerate().filter_map(|(place, text)| {
            let range = text.trim().parse().map(IpAddr::into).or_else(|_| text.parse::<Range>());
            let detail = "Enter an address or a range like 203.0.113.0/24 or 2001:db8::/32.";
            range.map_err(|_| problem(&format!("any_of/{place}"), "no_address", detail.to_owned())).ok()
        });
        let any_of = ranges.collect();
        return Some(Condition { aspect: Aspect::Address { any_of }, is_inverted });
    }
    let any_of = any_of.into_iter().map(Pattern).collect();
    // That there is none, the rules say.
    let name = name.unwrap_or_default();
    let aspect = match kind.as_str() {
        "header" => Aspect::Header { name, any_of },
        "query" => Aspect::Query { name, any_of },
        "claim" => Aspect::Claim { name, any_of },
        _ => {
            problem("kind", "unknown_word", format!("Choose one of: {}.", KINDS.join(", ")));
            return None;
        }
    };
    Some(Condition { aspect, is_inverted })
}
