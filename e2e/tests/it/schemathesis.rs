//! The whole REST document, played against the real binary by schemathesis, which nobody here wrote: no answer is a
//! 5xx, every answer is what the document says, no method is taken that is not in it, and nothing that asks for a
//! sign-in answers without one.
//!
//! A small run belongs to every run of the tests; the whole one is `cargo xtask schemathesis`. Each run says its seed,
//! and `TIDEGATE_SEED` plays it again.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    portal::{Person, Portal, send},
    product::{Product, json as file},
    programs::{client, schemathesis},
    wait::within,
};

/// What is checked of every answer. That what fits the document is always accepted is not: rules of the business
/// (unique names, states, who owns what) are no part of a schema.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      missing_required_header,unsupported_method,ignored_auth";
/// Cases that a whole run plays, over everybody together.
const CASES_MIN: u64 = 20_000;

/// One run: who calls, how much.
struct Run<'a> {
    who: &'a str,
    phases: &'a str,
    /// Most cases that are made up for an operation, in each way of making them up.
    examples: u32,
    patience: Duration,
}

fn seed() -> u64 {
    let given = std::env::var("TIDEGATE_SEED").ok().map(|text| text.parse().expect("a number"));
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

impl Run<'_> {
    /// Plays it against a product of its own, and answers how many cases were played.
    async fn play(&self, seed: u64) -> u64 {
        let product = Product::start().await;
        let person = match self.who {
            "nobody" => None,
            "observer" => Some(observer(&product.portal).await),
            who => Some(product.portal.person(who).await),
        };
        let report = product.scratch().join("report.json");
        let mut command = schemathesis();
        command.arg("--config-file").arg(client("schemathesis.toml"));
        command.arg("run").arg(product.scratch().join("control.json"));
        command.arg("--url").arg(format!("{}/api/v1", product.portal.origin()));
        command.arg("--tls-verify").arg(product.certificate()).current_dir(product.scratch());
        command.args(["--checks", CHECKS, "--phases", self.phases, "--continue-on-failure", "--no-color"]);
        command.args(["--request-timeout", "60", "--generation-database", "none"]);
        command.args(["--max-examples", &self.examples.to_string(), "--seed", &seed.to_string()]);
        command.args(["--report", "json", "--report-json-path"]).arg(&report);
        // A cookie made up beside a token that is right is no invalid sign-in: one of both is enough.
        command.args(["--generation-with-security-parameters", "false"]);
        command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
        command.env("PYTHONPATH", client("")).env("PYTHONDONTWRITEBYTECODE", "1");
        if let Some(person) = &person {
            command.env("TIDEGATE_OWN", own(person).await);
            command.arg("--header").arg(format!("Authorization: Bearer {}", person.token()));
        }
        let document = product.portal.get("/api/v1/openapi.json").await.is(200).text;
        std::fs::write(product.scratch().join("control.json"), document).unwrap();
        self.judge(command, &report, seed).await
    }

    async fn judge(&self, mut command: Command, report: &Path, seed: u64) -> u64 {
        eprintln!("{}: seed {seed}", self.who);
        command.stdin(std::process::Stdio::null());
        let mut command = tokio::process::Command::from(command);
        let output =
            within("schemathesis", self.patience, command.kill_on_drop(true).output()).await.unwrap();
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let found = file(report).unwrap_or_else(|| panic!("no report; TIDEGATE_SEED={seed}: {told}"));
        let count = |name: &str| found["test_cases"][name].as_u64().unwrap_or_default();
        assert!(
            output.status.success() && count("with_failures") == 0 && found["complete"] == true,
            "as {}, TIDEGATE_SEED={seed}: {told}",
            self.who
        );
        let operations = &found["operations"];
        assert_eq!(operations["tested"], operations["total"], "every operation is played: {told}");
        eprintln!("{}: {} cases of {} operations", self.who, count("generated"), operations["tested"]);
        count("generated")
    }
}

/// The ids by which a run could end its own access, see `clients/schemathesis_hooks.py`.
async fn own(person: &Person<'_>) -> String {
    let user = person.get("/session").await.is(200).json()["user"]["id"].clone();
    let tokens = person.get("/tokens").await.is(200).json()["items"].clone();
    let tokens = tokens.as_array().into_iter().flatten().map(|token| token["id"].clone());
    tokens.chain([user]).map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
}

/// Somebody who sees and changes nothing; the first start makes no such user.
async fn observer(portal: &Portal) -> Person<'_> {
    let admin = portal.admin().await;
    let made = admin.post("/users", json!({"username": "observer", "roles": ["observer"]})).await.is(201);
    let password = made.json()["one_time_password"].as_str().unwrap().to_owned();
    let signed_in = portal.sign_in("observer", &password).await.is(200);
    let body = json!({"current_password": password, "new_password": "seen but never heard"});
    let chosen = portal.request(reqwest::Method::PUT, "/api/v1/account/password").json(&body);
    let chosen = chosen.header("cookie", cookie(signed_in.header("set-cookie")));
    let chosen = send(chosen.header("x-csrf-token", text(&signed_in.json(), "csrf_token"))).await.is(200);
    portal.with_token(&cookie(chosen.header("set-cookie")), &text(&chosen.json(), "csrf_token")).await
}

fn cookie(set: &str) -> String {
    set.split(';').next().unwrap().to_owned()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn made_up_calls_break_nothing() {
    if std::env::var_os("TIDEGATE_WHOLE_DOCUMENT").is_some() {
        return whole().await;
    }
    let run = Run { who: "admin", phases: "fuzzing", examples: 8, patience: Duration::from_secs(170) };
    let cases = run.play(seed()).await;
    assert!(cases >= 500, "{cases} cases");
}

/// Every role and nobody, in every way of making up calls.
async fn whole() {
    let mut cases = 0;
    for who in ["admin", "creator", "publisher", "developer", "observer", "nobody"] {
        let phases = "examples,coverage,fuzzing,stateful";
        let run = Run { who, phases, examples: 60, patience: Duration::from_hours(1) };
        cases += run.play(seed()).await;
    }
    assert!(cases >= CASES_MIN, "{cases} cases");
    eprintln!("{cases} cases, no answer of 5xx, no break of the document");
}
