//! `cargo xtask autobahn`: the original Autobahn suite through a release build, and its verdicts as text.
//!
//! It is not part of `ci`: it takes minutes and Debian 11's Python 2.7. What is played and how is in
//! `bench/autobahn/run.py`; this only sees to what that needs.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    portal,
    tools::{cargo, find, need_compiler, need_node, root, step, target},
};

/// How an API may treat compression, and so which verdicts there are.
const COMPRESSIONS: [&str; 3] = ["off", "pass", "terminate"];

/// Plays the suite; `args` are one of [`COMPRESSIONS`], `off` where none is named, and cases.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let is_compression = |word: &String| COMPRESSIONS.contains(&word.as_str());
    let (named, cases): (Vec<_>, Vec<_>) = args.iter().partition(|word| is_compression(word));
    let compression = match named[..] {
        [] => "off",
        [one] => one.as_str(),
        _ => bail!("one of {} at a time", COMPRESSIONS.join(", ")),
    };
    need_node()?;
    need_compiler()?;
    if find("apt-get").is_none() || find("python3").is_none() {
        bail!("the suite is Python 2.7 from Debian 11: it runs on Debian, with python3 and its venv");
    }
    let (bench, suite) = (root().join("bench"), target().join("xtask/autobahn"));
    portal::build()?;
    portal::install(&root().join("e2e/clients"))?;
    step("build tidegate", cargo().args(["build", "--release", "--package", "tidegate-server"]))?;
    step("install the suite", Command::new(bench.join("autobahn/setup.sh")).arg(&suite))?;
    let mut play = Command::new("python3");
    play.arg(bench.join("autobahn/run.py"));
    play.arg("--binary").arg(target().join("release/tidegate")).arg("--suite").arg(&suite);
    play.arg("--out").arg(bench.join(format!("results/autobahn-{compression}.txt")));
    play.args(["--compression", compression]).args(cases);
    step("play the suite", &mut play)
}
