//! The rules of the tree that no compiler checks: which crate may know which, how files open, how long they get,
//! which words are used. They run as ordinary tests, and `cargo xtask tidy` prints the state.
//!
//! Each rule is a function from a tree to findings, so that its own test can hand it a tree that breaks it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::portal::files;

mod arrows;
mod length;
mod orphans;
mod text;

#[cfg(test)]
mod tests;

/// A file of the tree: its path from the root, with `/`, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Whether the file's name ends in this extension.
    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Something that breaks a rule: where, what, and how to mend it.
pub(crate) type Finding = String;

/// Folders that hold nothing of ours, or nothing written by hand.
const NOT_OURS: [&str; 9] = [
    ".git/",
    "target/",
    "fuzz/target/",
    "portal/node_modules/",
    "portal/dist/",
    "portal/test-results/",
    "portal/playwright-report/",
    "e2e/clients/node_modules/",
    "docs/guide/images/",
];

/// Every text file of the tree that is ours.
pub(crate) fn tree(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in walk(root, root)? {
        let relative = relative(root, &path);
        if let Ok(text) = fs::read_to_string(&path) {
            sources.push(Source { path: relative, text });
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn walk(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let shown = relative(root, &path);
        if NOT_OURS.iter().any(|other| format!("{shown}/").starts_with(other)) {
            continue;
        }
        if path.is_dir() { found.extend(walk(root, &path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// All findings in a tree.
pub(crate) fn findings(sources: &[Source], baseline: &str) -> Vec<Finding> {
    let mut all = arrows::findings(sources);
    all.extend(text::findings(sources));
    all.extend(length::findings(sources, baseline));
    all.extend(orphans::findings(sources));
    all
}

/// The committed lengths that may only shrink.
pub(crate) const BASELINE: &str = "xtask/tidy-baseline.txt";

/// Prints the longest functions and files, and what breaks a rule.
pub(crate) fn print(root: &Path) -> Result<()> {
    let sources = tree(root)?;
    let baseline = fs::read_to_string(root.join(BASELINE)).unwrap_or_default();
    println!("{}", length::report(&sources));
    let findings = findings(&sources, &baseline);
    for finding in &findings {
        println!("{finding}");
    }
    let lines: BTreeMap<&str, usize> =
        sources.iter().filter(|source| source.is("rs")).fold(BTreeMap::new(), |mut lines, source| {
            let room = source.path.split("/src/").next().unwrap_or_default();
            *lines.entry(room).or_default() += source.text.lines().count();
            lines
        });
    for (room, lines) in lines.iter().filter(|(room, _)| !room.contains('.')) {
        println!("{lines:>7} lines  {room}");
    }
    // The portal's own files are counted apart, they are not Rust.
    println!("{:>7} files  portal/src", files(&root.join("portal/src"))?.len());
    anyhow::ensure!(findings.is_empty(), "{} finding(s) break a rule", findings.len());
    Ok(())
}
