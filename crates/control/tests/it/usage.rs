//! What was used of plans: kept over restarts, told to gateways, and shown to whom it concerns.

use std::sync::Arc;

use tidegate_model::{
    fact::Batch,
    holder::{BudgetKey, Holder},
    id::{ApplicationId, BootId},
    limit::{Limit, Window},
    link::{self, Down, GatewayLink as _, Up},
    port::Clock as _,
    usage::{Usage, Used},
};
use uuid::Uuid;

use crate::support::House;

/// So many messages of this day, as a gateway tells of them.
fn today(house: &House, holder: Holder, units: u64) -> Usage {
    let at = house.clock.now();
    let key = BudgetKey { holder, shape: Limit::messages(1, Window::Day).shape() };
    Usage { key, used: Used::Calendar { window: Window::Day.number(at), units }, at }
}

fn batch(number: u64, usage: Vec<Usage>) -> Arc<Batch> {
    let boot = BootId(Uuid::from_u128(0xb007));
    Arc::new(Batch { boot, number, counts: Vec::new(), sessions: Vec::new(), usage })
}

#[tokio::test]
async fn a_gateway_that_connects_is_told_what_was_used_before_its_first_snapshot() {
    let house = House::new().await;
    let holder = |number: u128| Holder::Application(ApplicationId(Uuid::from_u128(number)));
    let all: Vec<_> = (1..=1_200).map(|number| today(&house, holder(number), 3)).collect();
    // Another gateway, which says it twice.
    let (gateway, end) = link::channel();
    let feeding = house.control.clone();
    tokio::spawn(async move { feeding.feed(Arc::new(end)).await });
    for _ in 0..2 {
        gateway.send(Up::Batch(batch(1, all.clone()))).await.unwrap();
        while !matches!(gateway.next().await.unwrap(), Down::BatchStored { number: 1, .. }) {}
    }
    let (gateway, end) = link::channel();
    let feeding = house.control.clone();
    tokio::spawn(async move { feeding.feed(Arc::new(end)).await });
    let mut told = Vec::new();
    while told.len() < all.len() {
        let Down::Used(some) = gateway.next().await.unwrap() else { panic!("what was used comes first") };
        told.extend(some.iter().cloned());
    }
    told.sort_by_key(|usage| serde_json::to_string(&usage.key).unwrap());
    assert_eq!(told, all);
}
