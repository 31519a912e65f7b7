//! One-time tickets: bought over REST for applications of one's own, and redeemed for gateways, once.

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::{
    admit::Identity,
    id::{ApiId, ApplicationId},
    port::Clock as _,
    revocation::Revoked,
    role::Role,
    ticket::{Answer, Ask, Redemption, TICKET_MILLIS, Ticket},
    user::Secret,
};
use tidegate_oauth::secret;

use crate::support::{House, Person, echo};

/// A published API, and an application with a key that is subscribed to it.
struct Shop {
    house: House,
    sam: Person,
    api: Value,
    application: Value,
    client_id: String,
}

impl Shop {
    async fn open() -> Self {
        let house = House::new().await;
        let carl = house.person("carl", &[Role::Creator, Role::Publisher]).await;
        let sam = house.person("sam", &[Role::Subscriber]).await;
        let mut design = echo();
        design["publish"] = json!(true);
        let api = house.post(&carl, "/api/v1/apis", design).await.is(201).json()["id"].clone();
        let shop = house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201).json();
        let application = shop["id"].clone();
        let keys = format!("/api/v1/applications/{}/keys", application.as_str().unwrap());
        let key = house.post(&sam, &keys, json!({"type": "production"})).await.is(201).json();
        let subscription = json!({"application_id": application, "api_id": api, "plan": "Gold"});
        house.post(&sam, "/api/v1/subscriptions", subscription).await.is(201);
        let client_id = key["client_id"].as_str().unwrap().to_owned();
        Self { house, sam, api, application, client_id }
    }

    fn wanted(&self) -> Value {
        json!({"api_id": self.api, "application_id": self.application})
    }

    async fn buy(&self) -> String {
        let sold = self.house.post(&self.sam, "/api/v1/tickets", self.wanted()).await.is(201).json();
        assert_eq!(sold["expires_in"], 30);
        sold["ticket"].as_str().unwrap().to_owned()
    }

    fn redeem(&self, ticket: &str) -> Ask {
        let api = ApiId(self.api.as_str().unwrap().parse().unwrap());
        Ask::Redeem { hash: Secret(secret::hash(ticket)), api }
    }

    async fn redeemed(&self, ticket: &str) -> Redemption {
        match self.house.gateway_asks(vec![self.redeem(ticket)]).await.remove(0) {
            Answer::Redeemed(redemption) => redemption,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_ticket_of_a_person_is_worth_a_session_of_the_key_once() {
    let shop = Shop::open().await;
    let ticket = shop.buy().await;
    assert!(ticket.starts_with("tgt_"));
    let now = shop.house.clock.now();
    let Redemption::Good(identity) = shop.redeemed(&ticket).await else { panic!("it is good") };
    assert_eq!((&*identity.client_id, &*identity.subject), (&*shop.client_id, &*shop.client_id));
    // No longer than an access token of the key, and it ends with the person.
    assert!(identity.expires_at > now && identity.expires_at <= now.plus_millis(3_600_000));
    assert!(identity.marks.subject.is_some() && identity.marks.issued_at == now);
    assert_eq!(shop.redeemed(&ticket).await, Redemption::Used);
    assert_eq!(shop.redeemed("tgt_other").await, Redemption::Unknown);
    let late = shop.buy().await;
    shop.house.clock.0.fetch_add(TICKET_MILLIS, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(shop.redeemed(&late).await, Redemption::Unknown);
}

#[tokio::test]
async fn of_many_gateways_questions_at_once_one_is_first() {
    let shop = Shop::open().await;
    let ticket = shop.buy().await;
    let answers = shop.house.gateway_asks(vec![shop.redeem(&ticket); 128]).await;
    let good = |answer: &&Answer| matches!(answer, Answer::Redeemed(Redemption::Good(_)));
    assert_eq!(answers.iter().filter(good).count(), 1);
    assert_eq!(answers.iter().filter(|it| **it == Answer::Redeemed(Redemption::Used)).count(), 127);
}

#[tokio::test]
async fn a_gateway_sells_for_applications_that_are_there() {
    let shop = Shop::open().await;
    let ticket = |application: &str, hash: &str| {
        Ask::Keep(Box::new(Ticket {
            hash: Secret(hash.to_owned()),
            api: ApiId(shop.api.as_str().unwrap().parse().unwrap()),
            application: ApplicationId(application.parse().unwrap()),
            identity: Identity::default(),
            expires_at: shop.house.clock.now().plus_millis(TICKET_MILLIS),
        }))
    };
    let nobody = uuid::Uuid::nil().to_string();
    let asks = vec![ticket(shop.application.as_str().unwrap(), "a"), ticket(&nobody, "b")];
    assert_eq!(shop.house.gateway_asks(asks).await, [Answer::Kept, Answer::Unavailable]);
}

#[tokio::test]
async fn who_may_not_connect_may_not_buy() {
    let shop = Shop::open().await;
    let (house, sam) = (&shop.house, &shop.sam);
    let zoe = house.person("zoe", &[Role::Subscriber]).await;
    let carl = house.person("cleo", &[Role::Creator]).await;
    let buy = async |person: &Person, change: Value| {
        let mut wanted = shop.wanted();
        wanted.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        house.call(person, Method::POST, "/api/v1/tickets", Some(wanted)).await
    };
    buy(&zoe, json!({})).await.is(404);
    buy(&carl, json!({})).await.is(403);
    buy(&Person::default(), json!({})).await.is(401);
    buy(sam, json!({"type": "sandbox"})).await.is(409);
    buy(sam, json!({"type": "test"})).await.is(400);
    buy(sam, json!({"scope": "x"})).await.is(400);
    let unknown = buy(sam, json!({"api_id": uuid::Uuid::nil()})).await.is(400).json();
    assert_eq!(unknown["errors"][0]["pointer"], "/api_id");
    let other = house.post(sam, "/api/v1/applications", json!({"name": "Other"})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", other["id"].as_str().unwrap());
    house.post(sam, &keys, json!({"type": "production"})).await.is(201);
    let refused = buy(sam, json!({"application_id": other["id"]})).await.is(409);
    assert!(refused.text.contains("not subscribed"), "{}", refused.text);
    // A page of another origin has nothing of a person's but what the browser adds by itself.
    let request = House::request(sam, &Method::POST, "/api/v1/tickets").header("origin", "https://evil.test");
    let request = request.header("content-type", "application/json").body(shop.wanted().to_string().into());
    house.send(request.unwrap()).await.is(403);
}

/// Whoever made the token away expects that nothing goes on that began with it.
#[tokio::test]
async fn what_was_bought_with_a_personal_access_token_ends_with_it() {
    let shop = Shop::open().await;
    let made = shop.house.post(&shop.sam, "/api/v1/tokens", json!({"name": "ci"})).await.is(201).json();
    let script = Person::bearing(made["token"].as_str().unwrap());
    let sold = shop.house.post(&script, "/api/v1/tickets", shop.wanted()).await.is(201).json();
    let Redemption::Good(identity) = shop.redeemed(sold["ticket"].as_str().unwrap()).await else {
        panic!("it is good")
    };
    let grant = identity.marks.grant.unwrap();
    let by_session = shop.buy().await;
    let Redemption::Good(other) = shop.redeemed(&by_session).await else { panic!("it is good") };
    assert_eq!(other.marks.grant, None);
    assert!(shop.house.revoked.lock().await.is_empty());
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    shop.house.call(&shop.sam, Method::DELETE, &path, None).await.is(204);
    let told = shop.house.revoked.lock().await.clone();
    assert_eq!(told.iter().map(|one| &one.what).collect::<Vec<_>>(), [&Revoked::Grant(grant)]);
    assert!(told[0].until > identity.expires_at);
}
