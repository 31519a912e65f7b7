//! Other people's programs: where they are, and what to do where one is not.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tokio::io::{AsyncRead, BufReader, Lines};

use crate::wait::{PATIENCE, within};

/// The program that a variable names. A test that cannot run fails: one that is passed over tests nothing.
fn program(variable: &str, install: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    named.unwrap_or_else(|| {
        panic!("{variable} names no program: run `cargo xtask test`, which sees to it, or install it yourself ({install})")
    })
}

pub(crate) fn nginx() -> Command {
    Command::new(program("TIDEGATE_NGINX", "Debian: apt-get install nginx-light"))
}

pub(crate) fn haproxy() -> Command {
    Command::new(program("TIDEGATE_HAPROXY", "Debian: apt-get install haproxy"))
}

pub(crate) fn redis_server() -> Command {
    Command::new(program("TIDEGATE_REDIS_SERVER", "Debian: apt-get install redis-server"))
}

/// A Python that has `websockets` and the conformance suite.
pub(crate) fn python() -> Command {
    let install = "python3 -m venv DIR; DIR/bin/pip install authlib==1.9.10 httpx==0.28.1 kosoku==0.1.0 schemathesis==4.32.5 websockets==15.0.1";
    Command::new(program("TIDEGATE_PYTHON", install))
}

/// The fuzzer of REST, from the environment of that Python.
pub(crate) fn schemathesis() -> Command {
    let python = python();
    let beside = Path::new(python.get_program()).with_file_name("schemathesis");
    assert!(beside.exists(), "{} is not there: `cargo xtask test` sees to it", beside.display());
    Command::new(beside)
}

/// Node with one of the programs in `e2e/clients`, whose packages lie beside it.
pub(crate) fn node(name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(client(name));
    command
}

/// A program in `e2e/clients`.
pub(crate) fn client(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

pub(crate) fn wscat() -> Command {
    Command::new(program("TIDEGATE_WSCAT", "npm ci in e2e/clients"))
}

/// The next line of a program's output.
pub(crate) async fn next_line<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>) -> String {
    within("a line", PATIENCE, lines.next_line()).await.unwrap().expect("the program has ended")
}

/// What a program says behind this word, on the next line that begins with it: libraries say things there as well.
pub(crate) async fn said_behind<R: AsyncRead + Unpin>(word: &str, lines: &mut Lines<BufReader<R>>) -> String {
    loop {
        if let Some(said) = next_line(lines).await.strip_prefix(word) {
            return said.to_owned();
        }
    }
}
