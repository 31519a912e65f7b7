//! No file of Rust lies in the tree that the compiler never reads: tests in one would never run, and nobody would notice.

use super::{Finding, Source};

/// Files that cargo itself looks for.
const ROOTS: [&str; 4] = ["lib.rs", "main.rs", "build.rs", "mod.rs"];
/// Folders of programs that each stand for themselves.
const PROGRAMS: [&str; 5] = ["/bin", "/tests", "/benches", "/examples", "/fuzz_targets"];

/// A finding for each file that no file beside or above it names as a module.
pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let rust = || sources.iter().filter(|source| source.is("rs"));
    rust().filter(|source| !is_read(source, sources)).map(|source| {
        format!(
            "{}: no `mod` names it, so it is not compiled and its tests do not run. Name it in its parent, or delete it.",
            source.path
        )
    })
    .collect()
}

fn is_read(source: &Source, sources: &[Source]) -> bool {
    let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let is_program = || PROGRAMS.iter().any(|one| folder.ends_with(one)) && !folder.contains("/src/");
    if ROOTS.contains(&name) || is_program() || folder.ends_with("src/bin") {
        return true;
    }
    let stem = name.trim_end_matches(".rs");
    // `a/b.rs` is named in `a.rs`, or in `a/lib.rs`, `a/main.rs` where `a` is a root.
    let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
    let declares = |text: &str| {
        text.lines().any(|line| {
            let line = line.trim().trim_end_matches(';');
            line.strip_suffix(stem).is_some_and(|before| before == "mod " || before.ends_with(" mod "))
        })
    };
    sources.iter().filter(|other| parents.contains(&other.path)).any(|other| declares(&other.text))
}
