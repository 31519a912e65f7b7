//! What was used of plans: kept over restarts, told to gateways, and shown to whom it concerns.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_model::{
    fact::Batch,
    holder::{BudgetKey, Holder},
    id::{ApiId, ApplicationId, BootId, SubscriptionId},
    limit::{Counting, Limit, Unit, Window},
    link::{self, Down, GatewayLink as _, Up},
    port::Clock as _,
    role::Role,
    usage::{Usage, Used},
};
use uuid::Uuid;

use crate::support::{House, Person, echo};

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

fn id(made: &Value) -> Uuid {
    made["id"].as_str().unwrap().parse().unwrap()
}

/// An API under one plan with four limits, and an application that is subscribed to it.
struct Subscribed {
    api: Uuid,
    application: Uuid,
    subscription: Uuid,
}

impl Subscribed {
    async fn new(house: &House, admin: &Person, developer: &Person) -> Self {
        let limits = json!([
            {"amount": 100, "per": "day"},
            {"amount": 9, "unit": "bytes", "per": "second"},
            {"amount": 24, "unit": "connects", "per": "day", "counting": "sliding", "burst": 6},
            {"amount": 5, "per": "hour", "direction": "publish"},
        ]);
        house.post(admin, "/api/v1/plans", json!({"name": "Four", "limits": limits})).await.is(201);
        let policy = json!({"name": "Own", "limits": [{"amount": 7, "per": "day"}]});
        house.post(admin, "/api/v1/application-policies", policy).await.is(201);
        let mut body = echo();
        (body["plans"], body["publish"]) = (json!(["Four", "Unlimited"]), json!(true));
        let api = id(&house.post(admin, "/api/v1/apis", body).await.is(201).json());
        let application = json!({"name": "App", "policy": "Own"});
        let application =
            id(&house.post(developer, "/api/v1/applications", application).await.is(201).json());
        let body = json!({"application_id": application, "api_id": api, "plan": "Four"});
        let made = house.post(developer, "/api/v1/subscriptions", body).await.is(201).json();
        assert_eq!(used(&made["usage"]), [json!(0), Value::Null, json!(0), json!(0)], "from the beginning");
        Self { api, application, subscription: id(&made) }
    }

    fn holder(&self) -> Holder {
        Holder::Subscription {
            id: SubscriptionId(self.subscription),
            application: ApplicationId(self.application),
            api: ApiId(self.api),
        }
    }
}

/// What is used of each limit.
fn used(usage: &Value) -> Vec<Value> {
    usage["limits"].as_array().unwrap().iter().map(|limit| limit["used"].clone()).collect()
}

/// The one subscription of a list.
async fn only(house: &House, person: &Person, list: &str) -> Value {
    let found = house.get(person, list).await.is(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    found["items"][0].clone()
}

#[tokio::test]
async fn what_gateways_used_is_one_number_for_developer_and_publisher() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let publisher = house.person("pub", &[Role::Publisher]).await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let there = Subscribed::new(&house, &admin, &developer).await;
    let (now, own) = (house.clock.now(), Holder::Application(ApplicationId(there.application)));
    let sliding = Limit {
        unit: Unit::Connects,
        counting: Counting::Sliding { burst: 6 },
        ..Limit::messages(24, Window::Day)
    };
    let debt = Usage {
        key: BudgetKey { holder: there.holder(), shape: sliding.shape() },
        // Two of which each takes an hour to come back.
        used: Used::Sliding { clear_at: now.plus_millis(2 * 3_600_000) },
        at: now,
    };
    let usage = vec![today(&house, there.holder(), 40), debt, today(&house, own, 9)];
    house.gateway_says(Up::Batch(batch(1, usage))).await;
    house.gateway_says(Up::Batch(batch(2, vec![today(&house, there.holder(), 2)]))).await;
    let mine = format!("/api/v1/subscriptions?application_id={}", there.application);
    let of_api = format!("/api/v1/apis/{}/subscriptions", there.api);
    let of_application = format!("/api/v1/applications/{}/usage", there.application);
    let seen = loop {
        let seen = only(&house, &developer, &mine).await["usage"].clone();
        if used(&seen)[0] == 42 {
            break seen;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&seen["policy"], &seen["unlimited"]), (&json!("Four"), &json!(false)));
    let of = |place: usize, name: &str| seen["limits"][place][name].clone();
    let limit = |place: usize| ["used", "left", "most", "amount"].map(|name| of(place, name));
    assert_eq!(limit(0), [json!(42), json!(58), json!(100), json!(100)]);
    assert_eq!(limit(1), [Value::Null, Value::Null, json!(9), json!(9)], "over before it is told");
    assert_eq!(limit(2), [json!(2), json!(4), json!(6), json!(24)]);
    assert_eq!(limit(3), [json!(0), json!(5), json!(5), json!(5)]);
    // It is 08:00 in that house.
    assert_eq!(of(0, "renewed_at"), "2027-01-16T00:00:00Z");
    assert_eq!(of(1, "renewed_at"), Value::Null);
    assert_eq!(of(2, "renewed_at"), "2027-01-15T10:00:00Z");
    assert_eq!(of(3, "renewed_at"), "2027-01-15T09:00:00Z");
    for (person, list) in [(&publisher, &of_api), (&admin, &of_api), (&admin, &mine)] {
        assert_eq!(only(&house, person, list).await["usage"], seen);
    }
    // More than there is, where the policy was made smaller.
    let own = house.get(&developer, &of_application).await.is(200).json();
    let own = &own["limits"][0];
    assert_eq!((&own["used"], &own["left"], &own["most"]), (&json!(9), &json!(0), &json!(7)));
    // An hour later one has come back to what slides.
    house.clock.0.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
    let later = only(&house, &developer, &mine).await["usage"].clone();
    assert_eq!(used(&later), [json!(42), Value::Null, json!(1), json!(0)]);
    assert_eq!(later["limits"][2]["renewed_at"], "2027-01-15T10:00:00Z");
}

#[tokio::test]
async fn what_an_application_has_used_is_its_owners_to_see() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let [developer, other] =
        [house.person("dev", &[Role::Subscriber]).await, house.person("eve", &[Role::Subscriber]).await];
    let publisher = house.person("pub", &[Role::Publisher]).await;
    let there = Subscribed::new(&house, &admin, &developer).await;
    let path = format!("/api/v1/applications/{}/usage", there.application);
    house.get(&admin, &path).await.is(200);
    house.get(&other, &path).await.is(404);
    house.get(&publisher, &path).await.is(403);
    house.get(&Person::default(), &path).await.is(401);
    house.get(&developer, "/api/v1/applications/nowhere/usage").await.is(404);
    let list = format!("/api/v1/apis/{}/subscriptions", there.api);
    house.get(&developer, &list).await.is(403);
    // Without a limit, it says so.
    let body = json!({"name": "Free"});
    let free = id(&house.post(&developer, "/api/v1/applications", body).await.is(201).json());
    let usage = house.get(&developer, &format!("/api/v1/applications/{free}/usage")).await.is(200).json();
    assert_eq!((&usage["unlimited"], &usage["limits"]), (&json!(true), &json!([])));
}
