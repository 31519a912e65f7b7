//! What passes to a backend beside the messages, as REST takes and gives it: headers and topics of an API.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    headers::{Forward, HeaderRules, Rename, SetHeader},
    mapping::TopicMapping,
    rule::FieldProblem,
};
use utoipa::ToSchema;

use crate::problem::Problem;

/// A header under another name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RenamedHeader)]
pub(crate) struct RenameBody {
    #[schema(example = "X-Device")]
    from: String,
    #[schema(example = "Device-Id")]
    to: String,
}

/// A header that the gateway says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetHeader)]
pub(crate) struct SetBody {
    #[schema(example = "X-Application")]
    name: String,
    /// Text with `{subject}`, `{client_id}`, `{application}`, `{application_id}`, `{plan}`, `{environment}`, `{api}`,
    /// `{version}`, `{topic}`, `{session}` or `{address}` in it.
    #[schema(example = "{application}")]
    value: String,
}

/// Which headers a backend gets; what is absent has its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeaderRulesInput)]
pub(crate) struct HeadersInput {
    /// Which pass when no rule names them: `all` or `listed`.
    #[schema(example = "all")]
    forward: Option<String>,
    /// Headers that pass.
    #[serde(default)]
    allow: Vec<String>,
    /// Headers that never pass.
    #[serde(default)]
    deny: Vec<String>,
    /// Headers that pass under another name.
    #[serde(default)]
    rename: Vec<RenameBody>,
    /// Headers that the gateway says.
    #[serde(default)]
    set: Vec<SetBody>,
    /// Say who the client is in a signed token, `X-JWT-Assertion`.
    #[serde(default)]
    backend_jwt: bool,
}

impl HeadersInput {
    /// What is meant; whether it makes sense is the business's to check.
    pub(crate) fn meant(self) -> Result<HeaderRules, Problem> {
        let forward = match self.forward.as_deref() {
            None => Forward::default(),
            Some(word) => Forward::parse(word).ok_or_else(|| {
                let detail = "Choose all or listed.";
                Problem::Validation(vec![FieldProblem::new("/headers/forward", "unknown_forward", detail)])
            })?,
        };
        Ok(HeaderRules {
            forward,
            allow: self.allow,
            deny: self.deny,
            rename: self.rename.into_iter().map(|RenameBody { from, to }| Rename { from, to }).collect(),
            set: self.set.into_iter().map(|SetBody { name, value }| SetHeader { name, value }).collect(),
            backend_jwt: self.backend_jwt,
        })
    }
}

/// Which headers a backend gets.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = HeaderRules)]
pub(crate) struct HeadersAnswer {
    /// `all` or `listed`.
    forward: &'static str,
    allow: Vec<String>,
    deny: Vec<String>,
    rename: Vec<RenameBody>,
    set: Vec<SetBody>,
    backend_jwt: bool,
}

impl From<HeaderRules> for HeadersAnswer {
    fn from(rules: HeaderRules) -> Self {
        Self {
            forward: rules.forward.as_str(),
            allow: rules.allow,
            deny: rules.deny,
            rename: rules.rename.into_iter().map(|Rename { from, to }| RenameBody { from, to }).collect(),
            set: rules.set.into_iter().map(|SetHeader { name, value }| SetBody { name, value }).collect(),
            backend_jwt: rules.backend_jwt,
        }
    }
}

/// Under which path of its backend a topic is found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TopicMapping)]
pub(crate) struct MappingBody {
    /// The topic, with parameters as whole segments; a last segment `*` takes all that follows.
    #[schema(example = "/rooms/{room}")]
    topic: String,
    /// Path, with or without a query, appended to the endpoint's.
    #[schema(example = "/chat?room={room}")]
    backend: String,
}

impl From<MappingBody> for TopicMapping {
    fn from(MappingBody { topic, backend }: MappingBody) -> Self {
        Self { topic, backend }
    }
}

impl From<TopicMapping> for MappingBody {
    fn from(TopicMapping { topic, backend }: TopicMapping) -> Self {
        Self { topic, backend }
    }
}
