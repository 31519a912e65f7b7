//! Notices: what a client is told of messages that were dropped, in an envelope that the API declares.
//!
//! A notice is a text message in the client's own stream, so its shape is the API's to say: a JSON object, in which some
//! strings stand for what is told. It does not know when one is said, nor how.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{meter::Level, rule::POLICY_NAME_CHARS_MAX, topic::Direction};

/// The longest notice as text, in bytes, when the longest is filled in: it goes beside a stream that is too much already.
pub const NOTICE_BYTES_MAX: usize = 1_024;
/// How deep its objects and lists may be within each other.
pub const NOTICE_DEPTH_MAX: usize = 8;

/// What a notice tells.
#[derive(Debug, Clone, Copy)]
pub struct Told<'t> {
    /// Name of the plan or policy whose limit was reached.
    pub policy: &'t str,
    /// Where it is held.
    pub level: Level,
    /// Who sent the message: the client (publish) or the backend (subscribe).
    pub direction: Direction,
    /// Whole seconds until there is more.
    pub retry_after_seconds: u32,
}

/// The words that stand for what is told, each as a whole string.
pub const WORDS: [&str; 4] = ["$policy", "$level", "$direction", "$retry_after"];

/// A notice as an API declares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notice(Map<String, Value>);

/// Why an object is no notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNotice {
    /// There is nothing in it.
    #[error("a notice says something: declare at least one field")]
    Empty,
    /// See [`NOTICE_BYTES_MAX`].
    #[error("a notice has at most {NOTICE_BYTES_MAX} bytes when its words are filled in")]
    TooLong,
    /// See [`NOTICE_DEPTH_MAX`].
    #[error("a notice is at most {NOTICE_DEPTH_MAX} levels deep")]
    TooDeep,
    /// A string begins with `$` and stands for nothing.
    #[error("a string that begins with “$” is one of: $policy, $level, $direction, $retry_after")]
    UnknownWord,
}

impl Notice {
    /// A notice of this shape; whether it makes sense, [`Self::check`] says.
    pub const fn of(shape: Map<String, Value>) -> Self {
        Self(shape)
    }

    /// Why it makes no sense, if that is so.
    ///
    /// # Errors
    /// [`BadNotice`].
    pub fn check(&self) -> Result<(), BadNotice> {
        if self.0.is_empty() {
            return Err(BadNotice::Empty);
        }
        self.0.values().try_for_each(|value| check(value, 1))?;
        let longest = Told {
            policy: &"x".repeat(POLICY_NAME_CHARS_MAX),
            level: Level::Subscription,
            direction: Direction::Subscribe,
            retry_after_seconds: u32::MAX,
        };
        if self.saying(longest).len() > NOTICE_BYTES_MAX { Err(BadNotice::TooLong) } else { Ok(()) }
    }

    /// Its shape.
    pub const fn shape(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The text of one that tells this: a JSON object.
    pub fn saying(&self, told: Told<'_>) -> String {
        let filled = self.0.iter().map(|(name, value)| (name.clone(), filled(value, told)));
        Value::Object(filled.collect()).to_string()
    }
}

fn check(value: &Value, depth: usize) -> Result<(), BadNotice> {
    if depth > NOTICE_DEPTH_MAX {
        return Err(BadNotice::TooDeep);
    }
    match value {
        Value::String(text) if text.starts_with('$') && !WORDS.contains(&text.as_str()) => {
            Err(BadNotice::UnknownWord)
        }
        Value::Array(values) => values.iter().try_for_each(|value| check(value, depth + 1)),
        Value::Object(fields) => fields.values().try_for_each(|value| check(value, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn filled(value: &Value, told: Told<'_>) -> Value {
    match value {
        Value::String(text) => match text.as_str() {
            "$policy" => told.policy.into(),
            "$level" => told.level.as_str().into(),
            "$direction" => told.direction.as_str().into(),
            "$retry_after" => told.retry_after_seconds.into(),
            _ => value.clone(),
        },
        Value::Array(values) => values.iter().map(|value| filled(value, told)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, told))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notice(shape: Value) -> Notice {
        let Value::Object(shape) = shape else { panic!("an object") };
        Notice::of(shape)
    }

    const TOLD: Told<'_> = Told {
        policy: "Gold",
        level: Level::Subscription,
        direction: Direction::Publish,
        retry_after_seconds: 37,
    };

    #[test]
    fn whole_strings_stand_for_what_is_told_and_nothing_else_changes() {
        let shape = json!({"type": "limit", "costs $policy": 1, "of": ["$policy", "$level"],
            "more": {"in": "$retry_after", "side": "$direction", "no": "a $policy"}, "null": null});
        let text = notice(shape).saying(TOLD);
        let expected = json!({"type": "limit", "costs $policy": 1, "of": ["Gold", "subscription"],
            "more": {"in": 37, "side": "publish", "no": "a $policy"}, "null": null});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn a_notice_is_an_object_of_bounded_size_and_depth_whose_words_are_known() {
        let nested = |levels: usize| (1..levels).fold(json!("end"), |inner, _| json!([inner]));
        for (shape, expected) in [
            (json!({}), Err(BadNotice::Empty)),
            (json!({"to": "$user"}), Err(BadNotice::UnknownWord)),
            (json!({"to": [{"in": "$"}]}), Err(BadNotice::UnknownWord)),
            (json!({"in": nested(NOTICE_DEPTH_MAX)}), Ok(())),
            (json!({"in": nested(NOTICE_DEPTH_MAX + 1)}), Err(BadNotice::TooDeep)),
            (json!({"x": "y".repeat(NOTICE_BYTES_MAX - 8)}), Ok(())),
            (json!({"x": "y".repeat(NOTICE_BYTES_MAX - 7)}), Err(BadNotice::TooLong)),
            (json!({"x": vec!["$policy"; 30]}), Err(BadNotice::TooLong)),
        ] {
            assert_eq!(notice(shape.clone()).check(), expected, "{shape}");
        }
    }

    #[test]
    fn a_notice_is_written_as_the_object_that_it_is() {
        let one = notice(json!({"type": "limit", "policy": "$policy"}));
        let written = serde_json::to_string(&one).unwrap();
        assert_eq!(written, r#"{"policy":"$policy","type":"limit"}"#);
        assert_eq!(serde_json::from_str::<Notice>(&written).unwrap(), one);
    }
}
