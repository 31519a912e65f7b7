//! How long files and functions get: a ratchet. What was short stays short; what is long may only shrink.

use std::collections::BTreeMap;

use super::{Finding, Source};

/// A file beyond this has probably become two things.
const FILE_LINES_MAX: usize = 600;
/// A function beyond this has probably become two things.
const FUNCTION_LINES_MAX: usize = 70;

/// A length: of a file (no name) or of a function in it.
type Lengths = BTreeMap<String, usize>;

pub(super) fn findings(sources: &[Source], baseline: &str) -> Vec<Finding> {
    let allowed: Lengths = baseline
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(lines, what)| Some((what.to_owned(), lines.parse().ok()?)))
        .collect();
    let long = too_long(sources);
    let grown = long.iter().filter(|(what, lines)| allowed.get(*what).is_none_or(|allowed| *lines > allowed));
    let mut found: Vec<Finding> = grown
        .map(|(what, lines)| format!("{what}: {lines} lines. It has probably become two things: split it."))
        .collect();
    for (what, allowed) in &allowed {
        let now = long.get(what).copied().unwrap_or_default();
        if now < *allowed {
            found.push(format!(
                "{what}: shrunk from {allowed} to {now} lines. Well done: lower it in {} so that it stays so.",
                super::BASELINE
            ));
        }
    }
    found
}

fn is_product(source: &Source) -> bool {
    let path = &source.path;
    let test = path.contains("/tests/") || path.ends_with("/tests.rs") || path.starts_with("e2e/");
    source.is("rs") && !test && !path.starts_with("bench/") && !path.starts_with("fuzz/")
}

fn too_long(sources: &[Source]) -> Lengths {
    let mut long = Lengths::new();
    for source in sources {
        let product = is_product(source);
        let script = (source.is("ts") || source.is("tsx")) && !source.path.contains("/generated/");
        let lines = source.text.lines().count();
        if (product || script) && lines > FILE_LINES_MAX {
            long.insert(source.path.clone(), lines);
        }
        if product {
            let functions =
                functions(&source.text).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
            long.extend(functions.map(|(name, lines)| (format!("{}::{name}", source.path), lines)));
        }
    }
    long
}

/// The functions of a formatted file with their lengths: from the line that declares one to the brace that closes
/// it at the same indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<&str> = code.split(' ').take_while(|word| !word.contains('(')).collect();
        let declares = code.split_once("fn ").is_some_and(|(before, _)| {
            before.split(' ').all(|word| {
                word.is_empty()
                    || ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"].contains(&word)
            })
        });
        if !declares || words.is_empty() {
            continue;
        }
        let head_end = lines[number..]
            .iter()
            .find(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
        if head_end.is_none_or(|line| !line.ends_with('{')) {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let end = format!("{indent}}}");
        let Some(length) = lines[number..].iter().position(|line| *line == end) else { continue };
        let name = code.split("fn ").nth(1).unwrap_or_default();
        let name = name.split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), length + 1));
    }
    found
}

/// The ten longest functions, so that they are seen.
pub(super) fn report(sources: &[Source]) -> String {
    let mut all: Vec<(usize, String)> = sources
        .iter()
        .filter(|source| is_product(source))
        .flat_map(|source| {
            functions(&source.text)
                .into_iter()
                .map(|(name, lines)| (lines, format!("{}::{name}", source.path)))
        })
        .collect();
    all.sort_by(|one, other| other.cmp(one));
    let shown: Vec<String> = all.iter().take(10).map(|(lines, what)| format!("{lines:>5}  {what}")).collect();
    format!("The ten longest functions:\n{}", shown.join("\n"))
}
