//! *Test endpoint*: a real handshake from the product, step by step, that tells what a session would meet.

use serde_json::{Value, json};

use crate::{backend::Backend, portal::Answer, product::Product};

/// The outcome, and the last step with whether it went well.
fn last(answer: Answer) -> (String, String, bool) {
    let report = answer.is(200).json();
    let step = report["steps"].as_array().unwrap().last().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&report["outcome"]), text(&step["step"]), step["ok"].as_bool().unwrap())
}

#[tokio::test]
async fn testing_an_endpoint_tells_what_a_session_would_meet() {
    let (product, echo, dead, silent) =
        (Product::start().await, Backend::echo(), Backend::dead(), Backend::silent());
    let refusing = Backend::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let creator = product.portal.person("creator").await;
    let test = async |url: &str| {
        creator.post("/endpoints/test", json!({"url": url, "handshake_timeout_ms": 300})).await
    };
    let failed = |step: &str| ("failed".to_owned(), step.to_owned(), false);
    let well = test(&echo.url()).await.is(200).json();
    assert_eq!((&well["outcome"], &well["advice"]), (&json!("ok"), &json!(null)), "{well}");
    assert!(well["steps"].as_array().unwrap().iter().all(|step| step["ok"] == true), "{well}");
    assert_eq!(last(test(&dead.url()).await), failed("connect"));
    assert_eq!(last(test(&refusing.url()).await), failed("handshake"));
    assert_eq!(last(test(&silent.url()).await), failed("handshake"));
    assert_eq!(last(test("ws://no-such-host.invalid").await), failed("resolve"));
    let wrong = test("http://localhost:1").await;
    assert!(wrong.status == 400 || last(wrong).0 == "failed");

    // The endpoint of an API as it is saved, before anything is published.
    let design = json!({"name": "Probed", "context": "/probed", "version": "1",
        "endpoints": {"production": {"url": echo.url()}, "sandbox": {"url": dead.url()}}});
    let made = creator.post("/apis", design).await.is(201).json();
    let path = format!("/apis/{}/endpoints/test", made["id"].as_str().unwrap());
    assert_eq!(last(creator.post(&path, json!({})).await).0, "ok");
    assert_eq!(last(creator.post(&path, json!({"environment": "sandbox"})).await), failed("connect"));
    let developer = product.portal.person("developer").await;
    assert_eq!(developer.post(&path, json!({})).await.is(403).problem(), "forbidden");
}
