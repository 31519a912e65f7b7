//! The gateways that are connected, as administrators are told.

use serde_json::{Value, json};
use tidegate_model::{
    id::BootId,
    lease::WhenAlone,
    link::{PROTOCOL_VERSION, Up},
    port::Clock as _,
    role::Role,
    sharing::{Sharing, Together},
};

use crate::support::House;

#[tokio::test]
async fn administrators_see_how_gateways_share_budgets() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let boot = BootId::new(house.clock.now(), [3; 10]);
    house.gateway_says(Up::Hello { protocol: PROTOCOL_VERSION, boot }).await;
    let gateways = async || house.get(&admin, "/api/v1/gateways").await.is(200).json()["items"].clone();
    let mut shown = gateways().await;
    while shown[0].is_null() {
        shown = gateways().await;
    }
    assert_eq!((&shown[0]["id"], &shown[0]["sharing"]), (&json!(boot.0), &Value::Null), "{shown}");
    let sharing = Sharing {
        together: Together::Alone,
        since: house.clock.now(),
        gateways: 3,
        when_alone: WhenAlone::Closed,
        round_trip_micros: None,
        unanswered: 7,
    };
    house.gateway_says(Up::Sharing(sharing)).await;
    while shown[0]["sharing"].is_null() {
        shown = gateways().await;
    }
    assert_eq!(
        shown[0]["sharing"],
        json!({"state": "alone", "since": house.clock.now().rfc3339(), "gateways": 3, "when_alone": "closed",
            "round_trip_us": null, "unanswered": 7})
    );
    // The same for Prometheus.
    let figures = house.get(&admin, "/api/v1/metrics").await.is(200);
    assert!(figures.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    for line in [
        format!(r#"tidegate_limits_shared{{gateway="{}",state="alone"}} 1"#, boot.0),
        format!(r#"tidegate_limits_shared{{gateway="{}",state="together"}} 0"#, boot.0),
        format!(r#"tidegate_limits_unanswered_total{{gateway="{}"}} 7"#, boot.0),
        format!(r#"tidegate_gateway_sessions{{gateway="{}"}} 0"#, boot.0),
        "# EOF".to_owned(),
    ] {
        assert!(figures.text.lines().any(|told| told == line), "{line} in {}", figures.text);
    }
    let other = house.person("ada", &[Role::Observer]).await;
    house.get(&other, "/api/v1/gateways").await.is(403);
    house.get(&other, "/api/v1/metrics").await.is(403);
}
