//! What a plan says of what is too much, as a client of Python gets it: closed, delayed, dropped, told, or passed.

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    portal::{Api, Person},
    product::Product,
    programs::{client, python},
    quota::hour_with,
    wait::{PATIENCE, until, within},
};

/// Messages that the client sends, and that pass within the plan.
const SENT: u64 = 5;
const WITHIN: u64 = 3;

/// What the client got under a plan.
async fn got(api: &Api, token: &str) -> Value {
    let mut command = python();
    command.arg(client("excess.py")).args([&*api.ws, token, &SENT.to_string()]);
    let mut command = tokio::process::Command::from(command);
    let output = within("Python", PATIENCE, command.kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{complaint}"))
}

/// The first so many messages that it sent.
fn first(count: u64) -> Vec<Value> {
    (0..count).map(|number| json!(format!("message {number}"))).collect()
}

/// An application under a plan of its own, by what becomes of what is too much.
async fn under(admin: &Person<'_>, api: &Api, on_excess: &str) -> (String, String) {
    let application = admin.application(on_excess, "Unlimited").await;
    admin.subscribe(&application, api, on_excess).await;
    (admin.key(&application, "production").await.token, application)
}

#[tokio::test]
async fn python_gets_what_its_plan_says_of_what_is_too_much() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let actions = ["close", "once", "delay", "drop", "notify", "count"];
    for name in actions {
        let published = json!({"amount": WITHIN, "per": "hour", "direction": "publish"});
        // Three at once, and then one each tenth of a second.
        let even = json!({"amount": 10, "per": "second", "counting": "sliding", "burst": WITHIN, "direction": "publish"});
        let (limit, on_excess) = match name {
            "delay" => (even, name),
            "once" => (json!({"amount": 1, "unit": "connects", "per": "hour"}), "close"),
            _ => (published, name),
        };
        let plan = json!({"name": name, "limits": [limit], "on_excess": on_excess});
        admin.post("/plans", plan).await.is(201);
    }
    let notice = json!({"type": "limit", "policy": "$policy", "direction": "$direction", "retry_after": "$retry_after"});
    let api = admin.post(
        "/apis",
        json!({"name": "Much", "context": "/much", "version": "1.0", "plans": actions, "notice": notice,
            "endpoints": {"production": {"url": backend.url()}}, "publish": true}),
    );
    let api = Api::read(&api.await.is(201).json());
    hour_with(60).await;

    let (token, closed) = under(&admin, &api, "close").await;
    let got_of = async |token: &str| got(&api, token).await;
    let seen = got_of(&token).await;
    assert_eq!((&seen["heard"], &seen["code"]), (&json!(first(WITHIN)), &json!(4429)), "{seen}");
    assert!(
        seen["before"].as_str().unwrap().starts_with(r#""close publish messages per hour";r=3;t="#),
        "{seen}"
    );
    let reason: Value = serde_json::from_str(seen["reason"].as_str().unwrap()).unwrap();
    let seconds = &reason["retry_after"];
    assert!((1..=3_600).contains(&seconds.as_u64().unwrap()));
    assert_eq!(reason, json!({"reason": "quota", "plan": "close", "retry_after": seconds}));

    // A session beyond a limit is refused before it begins.
    let (token, once) = under(&admin, &api, "once").await;
    let seen = got_of(&token).await;
    assert_eq!((&seen["heard"], &seen["code"]), (&json!(first(SENT)), &json!(1000)), "{seen}");
    let refused = got_of(&token).await;
    assert_eq!(refused["status"], 429, "{refused}");
    assert!((1..=3_600).contains(&refused["retry_after"].as_str().unwrap().parse::<u64>().unwrap()));
    assert!(refused["before"].as_str().unwrap().contains(";r=0;t="), "{refused}");
    assert!(refused["problem"]["type"].as_str().unwrap().ends_with("/problems/quota"), "{refused}");

    let (token, delayed) = under(&admin, &api, "delay").await;
    let seen = got_of(&token).await;
    assert_eq!((&seen["heard"], &seen["code"]), (&json!(first(SENT)), &json!(1000)), "{seen}");
    assert!(seen["seconds"].as_f64().unwrap() >= 0.19, "two of them waited a tenth of a second each: {seen}");

    let (token, dropped) = under(&admin, &api, "drop").await;
    let seen = got_of(&token).await;
    assert_eq!((&seen["heard"], &seen["code"]), (&json!(first(WITHIN)), &json!(1000)), "{seen}");

    let (token, told) = under(&admin, &api, "notify").await;
    let seen = got_of(&token).await;
    let mut heard = seen["heard"].as_array().unwrap().clone();
    let notice = heard.iter().position(|text| text.as_str().unwrap().starts_with('{')).expect("it is told");
    let notice: Value = serde_json::from_str(heard.remove(notice).as_str().unwrap()).unwrap();
    let retry_after = &notice["retry_after"];
    assert!((1..=3_600).contains(&retry_after.as_u64().unwrap()));
    assert_eq!(
        notice,
        json!({"type": "limit", "policy": "notify", "direction": "publish", "retry_after": retry_after})
    );
    assert_eq!((heard, &seen["code"]), (first(WITHIN), &json!(1000)), "{seen}");

    let (token, counted) = under(&admin, &api, "count").await;
    let seen = got_of(&token).await;
    assert_eq!((&seen["heard"], &seen["code"]), (&json!(first(SENT)), &json!(1000)), "{seen}");

    // Each is counted, and shown to the developer.
    for (application, counts) in [
        (closed, json!({"refusals": 1, "dropped": 0, "delayed": 0, "beyond": 0, "notices": 0})),
        (once, json!({"refusals": 1, "dropped": 0, "delayed": 0, "beyond": 0, "notices": 0})),
        (delayed, json!({"refusals": 0, "dropped": 0, "delayed": 2, "beyond": 0, "notices": 0})),
        (dropped, json!({"refusals": 0, "dropped": 2, "delayed": 0, "beyond": 0, "notices": 0})),
        (told, json!({"refusals": 0, "dropped": 2, "delayed": 0, "beyond": 0, "notices": 1})),
        (counted, json!({"refusals": 0, "dropped": 0, "delayed": 0, "beyond": 2, "notices": 0})),
    ] {
        let path = format!("/applications/{application}/traffic");
        until("the counts of the application", PATIENCE, async || {
            let totals = admin.get(&path).await.is(200).json()["totals"].clone();
            let is_it = counts.as_object().unwrap().iter().all(|(name, count)| totals[name] == *count);
            is_it.then_some(())
        })
        .await;
    }
}
