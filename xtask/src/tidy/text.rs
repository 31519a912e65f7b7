//! How files open, and words that may not stand in them.

use super::{Finding, Source};

/// What may not stand in a line of Rust, and what to do instead. Written in pieces, so that this file keeps its own rule.
const BANNED: [(&str, &str); 6] = [
    (concat!("todo", "!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (concat!("dbg", "!("), "use tracing"),
    (concat!("TO", "DO"), "do it, or write an issue"),
    (concat!("FIX", "ME"), "mend it, or write an issue"),
    (concat!("#[ig", "nore"), "a test that does not run is no test: mend it or delete it"),
];

/// Words of names that say nothing (the lexicon has better ones).
const EMPTY_NAMES: [&str; 3] = [concat!("Man", "ager"), concat!("Hel", "per"), concat!("Ut", "ils")];

/// The two sides of a relay are the client and the backend.
const OTHER_SIDES: [&str; 2] = [concat!("up", "stream"), concat!("down", "stream")];

/// What belongs to one machine and not into the tree.
const MACHINE: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(of_source).collect()
}

fn of_source(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let rust = source.is("rs");
    if rust && !source.text.starts_with("//!") {
        found.push(format!("{}: open the file with `//!`: what it is, what it does not know.", source.path));
    }
    if source.path.ends_with("/mod.rs") {
        found.push(format!("{}: name the file after its module, beside its folder.", source.path));
    }
    for (number, line) in source.text.lines().enumerate() {
        let place = format!("{}:{}", source.path, number + 1);
        if rust {
            for (banned, instead) in BANNED {
                if line.contains(banned) {
                    found.push(format!("{place}: “{banned}”: {instead}."));
                }
            }
            found.extend(
                of_names(line).map(|name| format!("{place}: “{name}” says nothing; see docs/lexicon.md.")),
            );
        }
        if !source.path.ends_with("package-lock.json") && !source.path.ends_with("Cargo.lock") {
            for machine in MACHINE.iter().filter(|machine| line.contains(**machine)) {
                found.push(format!("{place}: “{machine}” is a path of one machine."));
            }
        }
    }
    found
}

/// Names declared in a line that the lexicon refuses.
fn of_names(line: &str) -> impl Iterator<Item = String> {
    let declared = ["struct ", "enum ", "trait ", "type ", "fn ", "mod ", "const "]
        .iter()
        .find_map(|word| {
            line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ").strip_prefix(word)
        })
        .map(|rest| {
            rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default().to_owned()
        });
    declared.into_iter().filter(|name| {
        // One noun of the lexicon, and of the field, has such a word in it.
        let said = name.replace("KeyManager", "");
        EMPTY_NAMES.iter().any(|empty| said.contains(empty))
            || OTHER_SIDES.iter().any(|other| name.to_lowercase().contains(other))
    })
}
