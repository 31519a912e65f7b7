//! The conformance suite `kosoku`, which nobody here wrote, through the gateway: as the client of an API whose backend
//! conforms, and as a backend that breaks the protocol, visited by a client that conforms.
//!
//! Those that conform are the library `ws`. A case that fails does so by its number; its text, and what it expects,
//! are in the suite. All 301 cases of sections 1 to 10 are played. Sections 12 and 13 are compression, 1,000 messages
//! a case, of which a few are played:
//!
//! | left out | why |
//! |---|---|
//! | 12.x.1, 13.x.1 | 16 bytes a message, which the gateway does not compress where it ends compression (RFC 7692 section 6 leaves it free); the suite cannot read an echo in text that was not compressed |
//! | 12.x.2 to 12.x.4, 12.x.11 except for 12.1.2, 12.3.4, and as a client 12.2.11; 13.x.3, 13.x.4, 13.x.11 | more of the same, and a test run may not take minutes |
//! | 12.x.5 to 12.x.10, 13.x.5 to 13.x.10 | 4 to 128 KiB a message: a minute and more in a debug build |
//! | 12.x.12 to 12.x.18, 13.x.12 to 13.x.18 | the same in fragments |
//! | 13.3, 13.4, 13.5, 13.6 as a backend, under `terminate` | they want the gateway to limit its window, which it does not offer |

use std::{
    fmt,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};

use crate::{
    portal::Api,
    product::Product,
    programs::{client, next_line, node, python},
    wait::within,
};

/// Sections 1 to 10.
const PROTOCOL: [&str; 9] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"];
/// Short texts, a KiB of binary messages, and short texts with each set of parameters.
const COMPRESSION: [&str; 3] = ["12.1.2", "12.3.4", "13.*.2"];
/// Binary messages in many fragments.
const COMPRESSED_FRAGMENTS: &str = "12.2.11";
/// Cases at a time, where the suite is the client.
const PARALLEL: &str = "4";
/// Cases that may be right without being strict: a busy machine is late with an answer.
const NON_STRICT_MAX: usize = 2;
/// For a run of the suite in a debug build on a busy machine.
const RUN_PATIENCE: Duration = Duration::from_mins(2);

/// What the suite says of a case.
struct Verdict {
    case: String,
    behaviour: String,
    close: String,
    rest: String,
}

impl Verdict {
    fn read(line: &str) -> Self {
        let mut parts = line.splitn(4, '\t').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_else(|| panic!("not a verdict: {line}"));
        Self { case: part(), behaviour: part(), close: part(), rest: part() }
    }

    fn is_passed(&self) -> bool {
        matches!(self.behaviour.as_str(), "OK" | "NON-STRICT" | "INFORMATIONAL")
            && matches!(self.close.as_str(), "OK" | "INFORMATIONAL")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, close {}: {}", self.case, self.behaviour, self.close, self.rest)
    }
}

/// A program that runs until its input ends or it is dropped, and its output by lines.
struct Program(Child, Lines<BufReader<ChildStdout>>);

impl Program {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self(child, lines)
    }

    /// The address that it prints first.
    async fn address(&mut self) -> String {
        next_line(&mut self.1).await
    }

    /// All that it says until it ends.
    async fn verdicts(mut self) -> Vec<Verdict> {
        let mut said = String::new();
        let mut output = self.1.into_inner();
        within("the verdicts", RUN_PATIENCE, output.read_to_string(&mut said)).await.unwrap();
        let status = within("the suite's end", RUN_PATIENCE, self.0.wait()).await.unwrap();
        assert!(status.success(), "the suite broke off ({status}): {said}");
        said.lines().map(Verdict::read).collect()
    }
}

/// The suite in one of its modes.
fn suite(words: &[&str], cases: &[&str]) -> Program {
    let mut command = python();
    command.arg(client("conformance.py")).args(words).args(cases);
    Program::start(command)
}

/// The library's echo in one of its modes, with compression where the API has it.
fn echo(words: &[&str], compression: &str) -> Program {
    let mut command = node("echo.mjs");
    command.args(words).args((compression != "off").then_some("deflate"));
    Program::start(command)
}

/// An API on this backend, and a token for it.
async fn offered(product: &Product, backend: &str, compression: &str) -> (Api, String) {
    let admin = product.portal.admin().await;
    let api = json!({"name": "Conformance", "context": "/conformance", "version": "1.0",
        "endpoints": {"production": {"url": backend}}, "protocol": {"compression": compression},
        "plans": ["Unlimited"], "publish": true});
    let api = Api::read(&admin.post("/apis", api).await.is(201).json());
    let access = admin.access("Conformance", &api, "Unlimited").await;
    (api, access.token)
}

/// The suite's cases as those of a client, against an echo behind the gateway.
async fn as_client(compression: &str, cases: &[&str]) -> Vec<Verdict> {
    let product = Product::start().await;
    let mut backend = echo(&["serve"], compression);
    let (api, token) = offered(&product, &backend.address().await, compression).await;
    // The suite sets no headers.
    suite(&["client", &format!("{}?access_token={token}", api.ws), PARALLEL], cases).verdicts().await
}

/// The suite's cases as those of a backend, visited by a client through the gateway.
async fn as_backend(compression: &str, cases: &[&str]) -> Vec<Verdict> {
    let product = Product::start().await;
    let mut backend = suite(&["server"], cases);
    let (api, token) = offered(&product, &backend.address().await, compression).await;
    let mut visitor = echo(&["visit", &api.ws, &token], compression);
    let status = within("the visitor's end", RUN_PATIENCE, visitor.0.wait()).await.unwrap();
    assert!(status.success(), "the visitor broke off: {status}");
    backend.verdicts().await
}

/// Fails with all cases that did, and where there were fewer than there are: what plays nothing proves nothing.
fn all_passed(verdicts: &[Verdict], count: usize) {
    let shown =
        |verdicts: Vec<&Verdict>| verdicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let failed = shown(verdicts.iter().filter(|verdict| !verdict.is_passed()).collect());
    assert!(failed.is_empty(), "failed:\n{failed}");
    let lax: Vec<_> = verdicts.iter().filter(|verdict| verdict.behaviour == "NON-STRICT").collect();
    assert!(lax.len() <= NON_STRICT_MAX, "not strict:\n{}", shown(lax));
    assert_eq!(verdicts.len(), count, "cases played");
}

#[tokio::test]
async fn every_case_of_a_client_passes() {
    all_passed(&as_client("off", &PROTOCOL).await, 301);
}

#[tokio::test]
async fn every_case_of_a_backend_passes() {
    all_passed(&as_backend("off", &PROTOCOL).await, 301);
}

#[tokio::test]
async fn compression_that_passes_is_right_for_a_client() {
    let cases = [&COMPRESSION[..], &[COMPRESSED_FRAGMENTS]].concat();
    all_passed(&as_client("pass", &cases).await, 10);
}

#[tokio::test]
async fn compression_that_passes_is_right_for_a_backend() {
    all_passed(&as_backend("pass", &COMPRESSION).await, 9);
}

#[tokio::test]
async fn compression_that_ends_here_is_right_for_a_client() {
    let cases = [&COMPRESSION[..], &[COMPRESSED_FRAGMENTS]].concat();
    all_passed(&as_client("terminate", &cases).await, 10);
}

#[tokio::test]
async fn compression_that_ends_here_is_right_for_a_backend() {
    let cases = [&COMPRESSION[..2], &["13.1.2", "13.2.2", "13.7.2"]].concat();
    all_passed(&as_backend("terminate", &cases).await, 5);
}
