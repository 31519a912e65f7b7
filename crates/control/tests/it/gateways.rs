//! The gateways that are connected, as administrators are told.

use serde_json::{Value, json};
use tidegate_model::{
    lease::WhenAlone,
    link::Up,
    port::Clock as _,
    role::Role,
    sharing::{Sharing, Together},
};

use crate::support::House;

#[tokio::test]
async fn administrators_see_how_gateways_share_budgets() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let shown = house.get(&admin, "/api/v1/gateways").await.is(200).json();
    let gateway = &shown["items"][0];
    assert_eq!((&gateway["ready"], &gateway["sharing"]), (&json!(true), &Value::Null), "{shown}");
    let sharing = Sharing {
        together: Together::Alone,
        since: house.clock.now(),
        gateways: 3,
        when_alone: WhenAlone::Closed,
        round_trip_micros: None,
        unanswered: 7,
    };
    house.gateway_says(Up::Sharing(sharing)).await;
    let mut shown = shown;
    while shown["items"][0]["sharing"].is_null() {
        shown = house.get(&admin, "/api/v1/gateways").await.is(200).json();
    }
    assert_eq!(
        shown["items"][0]["sharing"],
        json!({"state": "alone", "since": house.clock.now().rfc3339(), "gateways": 3, "when_alone": "closed",
            "round_trip_us": null, "unanswered": 7})
    );
    let other = house.person("ada", &[Role::Observer]).await;
    house.get(&other, "/api/v1/gateways").await.is(403);
}
