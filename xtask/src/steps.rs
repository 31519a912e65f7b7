//! What each command does, in order. Cheap checks come first; `cargo nextest` comes last, so that its closing line
//! ends the output.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    portal,
    tools::{cargo, debian, need_compiler, need_node, npm, python_with, root, step, target},
};

/// What the black-box tests need of Python: clients, the conformance suite, and the fuzzer of REST. Each in one version, so that a
/// verdict changes only with us.
const PYTHON_PACKAGES: [(&str, &str); 5] = [
    ("authlib", "1.9.10"),
    ("httpx", "0.28.1"),
    ("kosoku", "0.1.0"),
    ("schemathesis", "4.32.5"),
    ("websockets", "15.0.1"),
];

/// Builds what is out of date and becomes `tidegate serve --demo`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    need_node()?;
    need_compiler()?;
    portal::build()?;
    step("build tidegate", cargo().args(["build", "--release", "--package", "tidegate-server"]))?;
    let error = Command::new(target().join("release/tidegate")).args(["serve", "--demo"]).args(args).exec();
    Err(error).context("cannot start the built tidegate")
}

/// Everything that can be tested.
pub(crate) fn test() -> Result<()> {
    need_compiler()?;
    need_nextest()?;
    need_node()?;
    portal::install(&root().join("portal"))?;
    for (title, script) in [
        ("lint the portal", "lint"),
        ("check the portal's types", "types"),
        ("check the portal's generated client", "check:generated"),
        ("test the portal's units", "test"),
    ] {
        step(title, &mut npm(&["run", "--silent", script]))?;
    }
    portal::build()?;
    // One build for both: alone, the binary would be built with other features of its libraries, and they again.
    step("build the tests and tidegate", cargo().args(["build", "--workspace", "--all-targets"]))?;
    let clients = Clients::prepare()?;
    step("walk through the portal in a browser", clients.known_to(&mut npm(&["run", "--silent", "e2e"])))?;
    step("test everything else", clients.known_to(cargo().args(["nextest", "run", "--workspace"])))
}

/// Plays the whole REST document as every role and as nobody; the same small is part of [`test`].
pub(crate) fn schemathesis() -> Result<()> {
    need_compiler()?;
    step("build tidegate", cargo().args(["build", "--package", "tidegate-server"]))?;
    let python = python()?;
    let mut play = cargo();
    // By cargo's own runner: nextest ends what takes as long as this.
    play.args(["test", "--package", "tidegate-e2e", "--test", "it", "--", "--nocapture", "schemathesis::"]);
    play.env("TIDEGATE_WHOLE_DOCUMENT", "1").env("TIDEGATE_BIN", binary()).env("TIDEGATE_PYTHON", python);
    step("play the REST document", &mut play)
}

/// What has to hold before a change lands.
pub(crate) fn ci() -> Result<()> {
    step("check formatting", cargo().args(["fmt", "--all", "--check"]))?;
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]);
    step("lint", &mut clippy)?;
    test()
}

/// Writes what is generated from the code.
pub(crate) fn generate() -> Result<()> {
    need_node()?;
    step("build tidegate", cargo().args(["build", "--package", "tidegate-server"]))?;
    let output = Command::new(binary()).arg("openapi").output().context("cannot run the built tidegate")?;
    if !output.status.success() {
        bail!("`tidegate openapi` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::write(root().join("openapi/control.json"), output.stdout)?;
    portal::install(&root().join("portal"))?;
    step("generate the portal's client", &mut npm(&["run", "--silent", "generate"]))
}

fn need_nextest() -> Result<()> {
    let found = cargo().args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    if found {
        return Ok(());
    }
    step("install cargo-nextest", cargo().args(["install", "--locked", "cargo-nextest"]))
}

fn python() -> Result<PathBuf> {
    python_with(&target().join("xtask/python"), &PYTHON_PACKAGES)
}

fn binary() -> PathBuf {
    target().join("debug/tidegate")
}

/// The programs that tests talk with and stand behind.
struct Clients {
    chromium: PathBuf,
    nginx: PathBuf,
    haproxy: PathBuf,
    redis_server: PathBuf,
    python: PathBuf,
    wscat: PathBuf,
}

impl Clients {
    fn prepare() -> Result<Self> {
        let found = debian(&[
            ("chromium", "chromium"),
            ("nginx", "nginx-light"),
            ("haproxy", "haproxy"),
            ("redis-server", "redis-server"),
        ])?;
        let [chromium, nginx, haproxy, redis_server] = found.try_into().unwrap_or_default();
        let python = python()?;
        let wscat = root().join("e2e/clients");
        portal::install(&wscat)?;
        Ok(Self {
            chromium,
            nginx,
            haproxy,
            redis_server,
            python,
            wscat: wscat.join("node_modules/.bin/wscat"),
        })
    }

    fn known_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("TIDEGATE_BIN", binary())
            .env("TIDEGATE_PORTAL_DIST", root().join("portal/dist"))
            .env("TIDEGATE_CHROMIUM", &self.chromium)
            .env("TIDEGATE_NGINX", &self.nginx)
            .env("TIDEGATE_HAPROXY", &self.haproxy)
            .env("TIDEGATE_REDIS_SERVER", &self.redis_server)
            .env("TIDEGATE_PYTHON", &self.python)
            .env("TIDEGATE_WSCAT", &self.wscat)
    }
}
