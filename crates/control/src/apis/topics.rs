//! Topics as REST takes and gives them.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    rule::FieldProblem,
    topic::{Direction, Misdirected, Topic, Topics},
};
use utoipa::ToSchema;

use crate::problem::Problem;

/// A topic to be declared.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicInput {
    /// Its path, with parameters as whole segments; a last segment `*` takes all that follows.
    #[schema(example = "/rooms/{room}")]
    path: String,
    #[serde(default)]
    description: String,
    /// Who may send: `both`, `publish` (the client alone) or `subscribe` (the backend alone). Default `both`.
    direction: Option<String>,
    /// Whoever presents no credential may use it, whatever the API asks of others; each address then has 500 messages a
    /// minute. A credential that is presented all the same has to be good.
    #[serde(default)]
    open: bool,
    /// A token needs one of these for the client to send; none: it needs none.
    #[serde(default)]
    publish_scopes: Vec<String>,
    /// A token needs one of these for the client to be sent to; none: it needs none.
    #[serde(default)]
    subscribe_scopes: Vec<String>,
    /// Name of the API policy that all on the topic are held to together, beside that of the API. Absent: none.
    #[schema(example = "10KPerMin")]
    api_policy: Option<String>,
}

/// The topics of an API; what is absent has its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicsInput {
    /// Those that are declared; the first that a path fits decides, and a path that fits none is answered with 404. None:
    /// every path is a topic, open both ways.
    #[serde(default)]
    declared: Vec<TopicInput>,
    /// What becomes of a message that a client sends where it may not: `close` (the session ends with 1008) or `drop`.
    /// Default `close`. What a backend sends where it may not is always dropped.
    misdirected: Option<String>,
}

impl TopicsInput {
    /// What is meant; whether it makes sense is the business's to check.
    pub(crate) fn meant(self) -> Result<Topics, Problem> {
        let mut problems = Vec::new();
        let misdirected = chosen(self.misdirected, Misdirected::parse).unwrap_or_else(|| {
            let detail = "Choose close or drop.";
            problems.push(FieldProblem::new("/topics/misdirected", "unknown_word", detail));
            Misdirected::default()
        });
        let topic = |(place, topic): (usize, TopicInput)| {
            let direction = chosen(topic.direction, Direction::parse).unwrap_or_else(|| {
                let pointer = format!("/topics/declared/{place}/direction");
                let detail = "Choose both, publish or subscribe.";
                problems.push(FieldProblem::new(pointer, "unknown_direction", detail));
                Direction::default()
            });
            let TopicInput { path, description, open, publish_scopes, subscribe_scopes, api_policy, .. } =
                topic;
            Topic {
                path,
                description,
                direction,
                is_open: open,
                publish_scopes,
                subscribe_scopes,
                api_policy,
            }
        };
        let declared = self.declared.into_iter().enumerate().map(topic).collect();
        if problems.is_empty() {
            Ok(Topics { declared, misdirected })
        } else {
            Err(Problem::Validation(problems))
        }
    }
}

/// What a word says; the default where there is none, `None` where it says nothing.
fn chosen<T: Default>(word: Option<String>, parse: fn(&str) -> Option<T>) -> Option<T> {
    word.map_or_else(|| Some(T::default()), |word| parse(&word))
}

/// A topic as it is declared.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Topic)]
pub(crate) struct TopicAnswer {
    path: String,
    description: String,
    /// `both`, `publish` or `subscribe`.
    direction: &'static str,
    /// Whether it needs no credential.
    open: bool,
    publish_scopes: Vec<String>,
    subscribe_scopes: Vec<String>,
    /// Name of the API policy that all on the topic are held to together; null: none.
    #[schema(required)]
    api_policy: Option<String>,
}

/// The topics of an API.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Topics)]
pub(crate) struct TopicsAnswer {
    declared: Vec<TopicAnswer>,
    /// `close` or `drop`.
    misdirected: &'static str,
}

impl From<Topics> for TopicsAnswer {
    fn from(topics: Topics) -> Self {
        let topic = |topic: Topic| TopicAnswer {
            path: topic.path,
            description: topic.description,
            direction: topic.direction.as_str(),
            open: topic.is_open,
            publish_scopes: topic.publish_scopes,
            subscribe_scopes: topic.subscribe_scopes,
            api_policy: topic.api_policy,
        };
        Self {
            declared: topics.declared.into_iter().map(topic).collect(),
            misdirected: topics.misdirected.as_str(),
        }
    }
}
