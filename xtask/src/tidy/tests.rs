//! The tree keeps its rules, and each rule finds what breaks it.

use super::*;
use crate::tools;

#[test]
fn the_tree_keeps_its_rules() {
    let root = tools::root();
    let sources = tree(&root).unwrap();
    let baseline = fs::read_to_string(root.join(BASELINE)).unwrap_or_default();
    println!("{}", length::report(&sources));
    let findings = findings(&sources, &baseline);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn found(path: &str, text: &str) -> Vec<Finding> {
    findings(&tree_with(path, text), "")
}

/// One file, and a crate that names the modules of these tests.
fn tree_with(path: &str, text: &str) -> [Source; 2] {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    [source(path, text), source("crates/x/src/lib.rs", "//! X.\nmod a;\n")]
}

#[test]
fn a_file_that_nothing_names_is_found() {
    for (path, count) in [
        ("crates/x/src/a.rs", 0),
        ("crates/x/src/b.rs", 1),
        ("crates/x/src/aa.rs", 1),
        ("crates/x/src/a/tests.rs", 1),
        ("crates/x/src/bin/tool.rs", 0),
        ("fuzz/fuzz_targets/frames.rs", 0),
    ] {
        assert_eq!(found(path, "//! It.\n").len(), count, "{path}");
    }
}

#[test]
fn an_arrow_that_the_design_does_not_have_is_found() {
    let manifest = |package: &str, section: &str, dependency: &str| {
        found(
            "crates/x/Cargo.toml",
            &format!("[package]\nname = \"{package}\"\n[{section}]\n{dependency}.workspace = true\n"),
        )
    };
    for (package, section, dependency) in [
        ("tidegate-store", "dependencies", "tidegate-gateway"),
        ("tidegate-gateway", "dependencies", "tidegate-store"),
        ("tidegate-gateway", "dev-dependencies", "tidegate-control"),
        ("tidegate-control", "dependencies", "tidegate-store"),
        ("tidegate-wire", "build-dependencies", "tidegate-model"),
        ("tidegate-e2e", "dev-dependencies", "tidegate-wire"),
        ("tidegate-new", "dependencies", "tidegate-model"),
    ] {
        assert_eq!(manifest(package, section, dependency).len(), 1, "{package} {section} {dependency}");
    }
    assert!(manifest("tidegate-control", "dev-dependencies", "tidegate-store").is_empty());
    assert!(manifest("tidegate-server", "dependencies", "tidegate-store").is_empty());
}

#[test]
fn a_feature_that_imports_another_is_found() {
    let import = |path: &str| format!("import {{ x }} from '{path}';\n");
    assert_eq!(found("portal/src/features/apis/list.tsx", &import("../../features/keys/x")).len(), 1);
    assert!(found("portal/src/features/apis/list.tsx", &import("../../ui/table")).is_empty());
    assert!(found("portal/src/features/apis/list.tsx", &import("@/features/apis/form")).is_empty());
}

#[test]
fn each_rule_of_text_finds_its_line() {
    let file = |line: &str| found("crates/x/src/a.rs", &format!("//! A.\n{line}\n"));
    for line in [
        concat!("    todo", "!(\"later\");"),
        concat!("    dbg", "!(x);"),
        concat!("// TO", "DO: later"),
        concat!("#[ig", "nore]"),
        concat!("pub struct SessionMan", "ager;"),
        concat!("fn up", "stream_of() {}"),
        concat!("// see /wo", "rk/x"),
    ] {
        assert_eq!(file(line).len(), 1, "{line}");
    }
    assert!(file("pub struct Session;").is_empty());
    assert_eq!(found("crates/x/src/a.rs", "fn a() {}\n").len(), 1, "no //!");
    assert_eq!(found("crates/x/src/a/mod.rs", "//! A.\n").len(), 1, "mod.rs");
}

#[test]
fn what_is_long_may_only_shrink() {
    let long = format!(
        "//! A.\nimpl X {{\n    pub async fn long(&self) {{\n{}    }}\n}}\n",
        "        x();\n".repeat(80)
    );
    let sources = tree_with("crates/x/src/a.rs", &long);
    assert_eq!(findings(&sources, "").len(), 1);
    assert!(findings(&sources, "82 crates/x/src/a.rs::long\n").is_empty());
    assert_eq!(findings(&sources, "81 crates/x/src/a.rs::long\n").len(), 1);
    assert_eq!(findings(&sources, "90 crates/x/src/a.rs::long\n").len(), 1, "lower the ratchet");
    let lines = format!("//! A.\n{}", "// x\n".repeat(601));
    assert_eq!(found("crates/x/src/a.rs", &lines).len(), 1);
}
