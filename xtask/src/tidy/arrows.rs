//! Who may know whom: the arrows between crates, and between the portal's folders.

use super::{Finding, Source};

/// Each package of ours and the packages of ours it may know, in any kind of dependency.
const ARROWS: [(&str, &[&str]); 11] = [
    ("tidegate-wire", &[]),
    ("tidegate-oauth", &[]),
    ("tidegate-model", &[]),
    ("tidegate-store", &["tidegate-model", "tidegate-oauth"]),
    ("tidegate-gateway", &["tidegate-wire", "tidegate-oauth", "tidegate-model"]),
    ("tidegate-control", &["tidegate-oauth", "tidegate-model"]),
    (
        "tidegate-server",
        &[
            "tidegate-wire",
            "tidegate-oauth",
            "tidegate-model",
            "tidegate-store",
            "tidegate-gateway",
            "tidegate-control",
        ],
    ),
    ("tidegate-e2e", &[]),
    ("tidegate-bench", &[]),
    ("xtask", &[]),
    ("tidegate-fuzz", &["tidegate-wire", "tidegate-oauth", "tidegate-model"]),
];

/// Arrows that only tests may have.
const ARROWS_OF_TESTS: [(&str, &str); 1] = [("tidegate-control", "tidegate-store")];

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for manifest in sources.iter().filter(|source| source.path.ends_with("Cargo.toml")) {
        found.extend(of_manifest(manifest));
    }
    for source in sources.iter().filter(|source| source.path.starts_with("portal/src/features/")) {
        found.extend(of_feature(source));
    }
    found
}

fn of_manifest(manifest: &Source) -> Vec<Finding> {
    let mut package = None;
    let mut section = String::new();
    let mut found = Vec::new();
    for line in manifest.text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()));
        if section == "package" && key == "name" {
            package = Some(value.trim_matches('"').to_owned());
        }
        let Some(package) = &package else { continue };
        let dependency = key.split('.').next().unwrap_or_default();
        if !section.ends_with("dependencies") || !dependency.starts_with("tidegate-") {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| from == package) else {
            found.push(format!(
                "{}: {package} is not in the list of packages. Add it to ARROWS in xtask/src/tidy/arrows.rs, with a decision record.",
                manifest.path
            ));
            break;
        };
        let for_tests =
            section == "dev-dependencies" && ARROWS_OF_TESTS.contains(&(package.as_str(), dependency));
        if !allowed.contains(&dependency) && dependency != package && !for_tests {
            found.push(format!(
                "{}: {package} may not know {dependency}. Move what is shared into a crate that both may know (ARCHITECTURE.md).",
                manifest.path
            ));
        }
    }
    found
}

fn of_feature(source: &Source) -> Option<Finding> {
    let own = source.path.strip_prefix("portal/src/features/")?.split('/').next()?;
    let other = source
        .text
        .lines()
        .filter(|line| line.contains("from ") || line.contains("import("))
        .filter_map(|line| line.split("features/").nth(1))
        .filter_map(|rest| rest.split(['/', '\'', '"']).next())
        .find(|feature| *feature != own)?;
    Some(format!(
        "{}: the feature {own} imports the feature {other}. Move what both need to portal/src/ui or portal/src/lib.",
        source.path
    ))
}
