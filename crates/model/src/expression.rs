//! Expressions of custom rules: CEL over what is known of a session and of a message, which yields a key and an amount, or
//! nothing.
//!
//! The language is that of the `cel` crate, which bounds neither what it parses nor what it evaluates. Here both are: a source is
//! looked at before the parser sees it ([`source`]), its tree afterwards ([`check`]), so that whatever was compiled is evaluated
//! in a bounded number of steps, on a bounded stack, over values of bounded length. A panic of the library is an error of the
//! expression. It does not know who asks, nor what becomes of a key: that is [`crate::custom_rule`].

mod check;
mod facts;
mod source;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cel::{Context, Env, ExecutionError, IdedExpr, Value, objects::Key as MapKey};
use sha2::{Digest as _, Sha256};

pub use facts::{Facts, TEXT_BYTES_MAX};

/// Longest source, in bytes: a screen of text, and nothing that a person cannot check by reading.
pub const SOURCE_BYTES_MAX: usize = 1_024;
/// Longest key that is kept as it is, in bytes; a longer one is known by its hash. Keys are names of budgets, in memory, in
/// the database and in Redis.
pub const KEY_BYTES_MAX: usize = 256;

/// What the library offers: its operators and functions, of which [`check`] lets some pass.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(false)));

/// How often an expression is asked, by what it looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Once for each session, and again when something of that changes.
    #[default]
    Session,
    /// As above, for each direction: it looks at that.
    Direction,
    /// For each message: it looks at the size.
    Message,
}

/// What an expression looks at, beyond what never changes while a session is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looks {
    /// And so how often it is asked.
    pub asked: Asked,
    /// At whom the credential speaks for.
    pub user: bool,
    /// At these claims of the credential, by name; each once.
    pub claims: Vec<String>,
    /// Its result may name an amount.
    pub names_amount: bool,
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable word for programs.
    pub code: &'static str,
    /// Sentence for people.
    pub detail: String,
    /// Line and column where it is, each from 1; `None`: it is about the whole.
    pub at: Option<(usize, usize)>,
}

impl Fault {
    fn new(code: &'static str, at: Option<(usize, usize)>, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), at }
    }
}

/// Why an expression yields nothing that could be used, in words that hold no value of the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

/// What an expression yields where its rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whoever has the same shares a budget; at most [`KEY_BYTES_MAX`] bytes.
    pub key: Arc<str>,
    /// Takes the place of the amount of the rule's limit.
    pub amount: Option<u64>,
}

/// An expression that was checked.
#[derive(Debug)]
pub struct Expression {
    tree: IdedExpr,
    looks: Looks,
}

impl Expression {
    /// Checks a source.
    ///
    /// # Errors
    /// [`Fault`]: the first thing that is wrong.
    pub fn compile(text: &str) -> Result<Self, Fault> {
        source::check(text)?;
        // Unwind safe: nothing of what the parser holds outlives it.
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            ENV.parser().max_recursion_depth(source::RECURSION_MAX).parse_with_source_info(text)
        }));
        let unreadable = || Fault::new("syntax", None, "This cannot be read as an expression.");
        let (tree, places) = parsed.map_err(|_| unreadable())?.map_err(|errors| {
            // What follows from a fault of the syntax is said before it, where it stands before it.
            let is_syntax = |error: &&cel::ParseError| error.msg.starts_with(source::SYNTAX);
            let error = errors.errors.iter().find(is_syntax).or(errors.errors.first());
            error.map_or_else(unreadable, |error| {
                let place = |number: isize| usize::try_from(number).ok().filter(|number| *number > 0);
                let at = place(error.pos.0).zip(place(error.pos.1));
                Fault::new("syntax", at, source::plain(&error.msg))
            })
        })?;
        let looks = check::check(&tree, &|id| source::place(text, places.offset_for(id)))?;
        Ok(Self { tree, looks })
    }

    /// What it looks at.
    pub const fn looks(&self) -> &Looks {
        &self.looks
    }

    /// What it yields for these; `None`: its rule does not apply.
    ///
    /// # Errors
    /// [`Failed`]: something that it looks at is not there or has another type, or what it yields is no key.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<Option<Found>, Failed> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(facts);
        // Unwind safe: the tree is not changed, and facts are only read.
        let value = catch_unwind(AssertUnwindSafe(|| Value::resolve(&self.tree, &context)))
            .map_err(|_| Failed("it cannot be evaluated".to_owned()))?
            .map_err(|error| Failed(reason(&error)))?;
        found(value)
    }
}

fn found(value: Value) -> Result<Option<Found>, Failed> {
    let failed = |text: &str| Err(Failed(text.to_owned()));
    match value {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::String(key) => Ok(key_of(&key).map(|key| Found { key, amount: None })),
        Value::Map(map) => {
            let entry = |name: &str| map.map.get(&MapKey::String(Arc::new(name.to_owned())));
            let key = match entry("key") {
                Some(Value::String(key)) => key_of(key),
                Some(Value::Null) => None,
                _ => return failed("the map that it yields has no text as “key”"),
            };
            let amount = match entry("amount") {
                None => None,
                Some(Value::Int(amount)) => match u64::try_from(*amount) {
                    Ok(amount) => Some(amount),
                    Err(_) => return failed("the amount that it yields is below zero"),
                },
                Some(Value::UInt(amount)) => Some(*amount),
                Some(_) => return failed("the amount that it yields is no whole number"),
            };
            Ok(key.map(|key| Found { key, amount }))
        }
        Value::Bool(true) => failed("it yields true, which is no key"),
        _ => failed("it yields neither a text nor a map, and so no key"),
    }
}

/// A key as budgets are named by it; `None` where it is empty.
fn key_of(text: &str) -> Option<Arc<str>> {
    if text.len() <= KEY_BYTES_MAX {
        return (!text.is_empty()).then(|| text.into());
    }
    Some(format!("sha256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(text))).into())
}

/// What went wrong, without the values it went wrong with: they may be somebody's.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("there is no “{name}”"),
        ExecutionError::UndeclaredReference(name) => format!("“{name}” is not known here"),
        ExecutionError::NoSuchOverload(overload) => {
            let name = overload.function().trim_matches(['_', '@']);
            format!(
                "“{name}” cannot be used with values of the types {}",
                overload.argument_types().join(", ")
            )
        }
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            let sign = match *operator {
                "add" => "+",
                "sub" => "-",
                "mul" => "*",
                "div" => "/",
                "rem" => "%",
                other => other,
            };
            format!("“{sign}” cannot be used with values of these types")
        }
        ExecutionError::ValuesNotComparable(..) => "values of these types cannot be compared".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list has no such element".to_owned(),
        ExecutionError::UnsupportedIndex(..) => "a value of this type has no elements".to_owned(),
        ExecutionError::DuplicateKey(_) => "a map names a key twice".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("{function}() does not take this value"),
        _ => "a value has another type than it should have".to_owned(),
    }
}
