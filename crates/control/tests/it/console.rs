//! The console's door: only from the portal's own pages, and only as a WebSocket.

use axum::{body::Body, http::Method};
use tidegate_model::role::Role;

use crate::support::{House, Person};

#[tokio::test]
async fn the_door_opens_for_the_portals_own_pages_alone() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    assert_eq!(house.get(&developer, "/console/echo/1.0").await.is(400).kind(), "malformed");
    let foreign = House::request(&Person::default(), &Method::GET, "/console/echo/1.0");
    let foreign = foreign.header("origin", "https://evil.example").body(Body::empty()).unwrap();
    assert_eq!(house.send(foreign).await.is(403).kind(), "forged");
    assert!(house.door.0.lock().await.is_empty(), "nothing reached the gateway");
}
