//! Whether a new name, context and version may stand beside what exists.
//!
//! It knows addresses and not what is served at them. Its invariant: no address leads to two APIs, and what follows
//! the address of a version belongs to that version alone. Why: `docs/decisions/0010-addresses-do-not-nest.md`.

use crate::{
    api::Api,
    command::Refused,
    route::{base_path, default_path},
    rule::FieldProblem,
};

/// The key under which names and contexts are compared: without regard to case.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The key under which the address of an API is unique.
pub fn folded_path(context: &str, version: &str) -> String {
    folded(&base_path(context, version))
}

/// The key under which a context belongs to one name: with and without `{version}` it is the same address of a
/// default version.
pub fn folded_context(context: &str) -> String {
    folded(&default_path(context))
}

/// The path itself and every path that it lies inside: what a store looks up to find who has one of them.
pub fn around(path: &str) -> Vec<String> {
    let inner = path.match_indices('/').map(|(slash, _)| &path[..slash]).filter(|outer| !outer.is_empty());
    inner.chain([path]).map(str::to_owned).collect()
}

/// Where an API answers, and where it does as default version: as shown, and folded.
struct Addresses {
    own: String,
    default: String,
    own_key: String,
    default_key: String,
}

impl Addresses {
    fn of(context: &str, version: &str) -> Self {
        Self {
            own: base_path(context, version),
            default: default_path(context),
            own_key: folded_path(context, version),
            default_key: folded_context(context),
        }
    }

    /// The sentence for two APIs of different names whose addresses meet, if they do. `self` is the new one.
    fn meeting(&self, there: &Self, shown: &str) -> Option<String> {
        let (own, default) = (&self.own, &self.default);
        if self.default_key == there.own_key {
            return Some(format!(
                "As default version this would answer at {default}, where {shown} answers. Choose another context."
            ));
        }
        if self.own_key == there.default_key {
            return Some(format!(
                "{own} is where {shown} answers as default version. Choose another version or context."
            ));
        }
        if let Some(inner) = self.inside(&there.own_key) {
            let theirs = &there.own;
            return Some(format!(
                "{inner} lies inside {theirs}, where {shown} answers, and would take topics from it. Choose a context \
                 that is not inside {theirs}."
            ));
        }
        there.inside(&self.own_key).map(|inner| {
            format!(
                "{shown} answers at {inner}, inside {own}, and would take topics from this one. Choose another version \
                 or context."
            )
        })
    }

    /// The address of this API that lies inside another's, if one does.
    fn inside(&self, outer_key: &str) -> Option<&str> {
        let lies = |key: &str| key.strip_prefix(outer_key).is_some_and(|rest| rest.starts_with('/'));
        let own = lies(&self.own_key).then_some(self.own.as_str());
        own.or_else(|| lies(&self.default_key).then_some(self.default.as_str()))
    }
}

/// Whether a new name, context and version may stand beside what exists.
///
/// `neighbours` are the APIs that share the folded name, context or path, or whose address lies around or inside
/// that of the new one; others may be among them.
pub(super) fn is_free(
    name: &str,
    context: &str,
    version: &str,
    neighbours: &[Api],
) -> Result<(), FieldProblem> {
    let taken = |pointer: &str, detail: String| Err(FieldProblem::new(pointer, "duplicate", detail));
    let new = Addresses::of(context, version);
    for other in neighbours {
        let there = Addresses::of(&other.context, &other.version);
        let same_name = folded(&other.name) == folded(name);
        let same_context = there.default_key == new.default_key;
        let shown = format!("{} {}", other.name, other.version);
        if there.own_key == new.own_key {
            let pointer = if same_context { "/version" } else { "/context" };
            let detail =
                format!("{} is where {shown} answers. Choose another version or context.", there.own);
            return taken(pointer, detail);
        }
        if same_context && !same_name {
            let detail =
                format!("This context is taken by {shown}. Choose another, or make a new version of it.");
            return taken("/context", detail);
        }
        if same_name && !same_context {
            let detail = format!(
                "This name is taken by {shown} at {}. Choose another, or use its context for a new version.",
                other.context
            );
            return taken("/name", detail);
        }
        if let Some(detail) = new.meeting(&there, &shown) {
            return taken("/context", detail);
        }
    }
    Ok(())
}

/// As [`is_free`], for a new version, whose context is given: the version is what can be chosen.
pub(super) fn version_is_free(source: &Api, version: &str, neighbours: &[Api]) -> Result<(), Refused> {
    is_free(&source.name, &source.context, version, neighbours)
        .map_err(|problem| Refused::Duplicate(FieldProblem { pointer: "/version".to_owned(), ..problem }))
}

#[cfg(test)]
mod tests;
