//! Tickets: each opens one session, wherever it is presented, and is forgotten.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{developers::kind_of, *};
use crate::{
    admit::{Binding, Identity},
    exchange::Source,
    revocation::Marks,
    ticket::{Redemption, TICKET_MILLIS, TICKETS_MAX, Ticket},
};

fn identity(client_id: &str) -> Identity {
    Identity {
        client_id: client_id.to_owned(),
        key_manager: None,
        subject: "person".to_owned(),
        expires_at: START.plus_millis(3_600_000),
        signed_with: Some("key".into()),
        bound_to: Some(Binding::Certificate("thumbprint".into())),
        scopes: ["orders:write".to_owned()].into(),
        marks: Marks { credential: Some(Mark::from([7; 8])), issued_at: START, ..Marks::default() },
        source: Some(Arc::new(Source {
            client_id: "before".to_owned(),
            key_manager: None,
            credential: Mark::from([1; 8]),
            subject: Mark::from([2; 8]),
            signed_with: None,
        })),
        claims: serde_json::from_str(r#"{"groups":["a"],"level":2}"#).unwrap(),
    }
}

struct Counter<P> {
    stage: Stage<P>,
    shop: ApplicationId,
    api: ApiId,
    other_api: ApiId,
    owner: Actor,
    other: Actor,
}

impl<P: Catalog> Counter<P> {
    async fn on(port: P) -> Self {
        let stage = Stage::on(port);
        let there = stage.furnish().await;
        let (shop, api) = (there.shop.id, there.echo.id);
        let other_api = ApiId(Uuid::from_u128(77));
        Self { stage, shop, api, other_api, owner: there.owner, other: there.other }
    }

    async fn keep(&self, actor: &Actor, name: &str, now: Timestamp) -> String {
        let ticket = Ticket {
            hash: Secret(name.to_owned()),
            api: self.api,
            application: self.shop,
            identity: identity(name),
            expires_at: now.plus_millis(TICKET_MILLIS),
        };
        kind_of(self.stage.execute_at(now, actor, Command::KeepTicket(Box::new(ticket))).await)
    }

    async fn redeem(&self, name: &str, api: ApiId, now: Timestamp) -> Redemption {
        let command = Command::RedeemTicket { hash: Secret(name.to_owned()), api };
        match self.stage.port.execute(&Actor::product(), now, command).await.unwrap() {
            Outcome::Redeemed(redemption) => redemption,
            other => panic!("{other:?}"),
        }
    }
}

pub async fn a_ticket_is_worth_its_identity_once_at_its_api(ground: &impl Ground) {
    let counter = Counter::on(ground.open().await).await;
    let (api, later) = (counter.api, START.plus_millis(TICKET_MILLIS));
    let number = counter.stage.number().await;
    assert_eq!(counter.keep(&counter.other, "t", START).await, "no application");
    assert_eq!(counter.redeem("t", api, START).await, Redemption::Unknown);
    assert_eq!(counter.keep(&counter.owner, "t", START).await, "ok");
    assert_eq!(counter.keep(&Actor::product(), "late", START).await, "ok", "gateways sell as the product");
    assert_eq!(counter.redeem("t", counter.other_api, START).await, Redemption::Unknown);
    assert_eq!(counter.redeem("t", api, START).await, Redemption::Good(Box::new(identity("t"))));
    assert_eq!(counter.redeem("t", api, START).await, Redemption::Used);
    assert_eq!(counter.redeem("late", api, later).await, Redemption::Unknown, "it has expired");
    let last = counter.redeem("late", api, later.plus_millis(-1)).await;
    assert_eq!(last, Redemption::Good(Box::new(identity("late"))));
    assert_eq!(counter.stage.number().await, number, "no gateway has to be told");
    counter.stage.done(Command::DeleteApplication { id: counter.shop }).await;
    assert_eq!(counter.redeem("t", api, START).await, Redemption::Unknown, "it goes with its application");
}

pub async fn a_used_ticket_is_used_also_after_a_kill(ground: &impl Ground) {
    let counter = Counter::on(ground.open().await).await;
    counter.keep(&counter.owner, "used", START).await;
    counter.keep(&counter.owner, "fresh", START).await;
    counter.redeem("used", counter.api, START).await;
    let port = ground.open_as_after_a_kill().await;
    let counter = Counter { stage: Stage::on(port), ..counter };
    assert_eq!(counter.redeem("used", counter.api, START).await, Redemption::Used);
    assert!(matches!(counter.redeem("fresh", counter.api, START).await, Redemption::Good(_)));
}

pub async fn of_a_thousand_that_present_a_ticket_one_is_first(ground: &impl Ground) {
    let counter = Counter::on(ground.open().await).await;
    counter.keep(&counter.owner, "t", START).await;
    let all = (0..1_000).map(|_| counter.redeem("t", counter.api, START));
    let all = join_all(all).await;
    let (good, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| matches!(it, Redemption::Good(_)));
    assert_eq!((good.len(), rest.len()), (1, 999));
    assert!(rest.iter().all(|redemption| *redemption == Redemption::Used), "{rest:?}");
}

pub async fn tickets_that_wait_are_bounded_and_forgotten(ground: &impl Ground) {
    let counter = Counter::on(ground.open().await).await;
    let keep = async |number| counter.keep(&counter.owner, &format!("t{number}"), START).await;
    let all = (0..TICKETS_MAX).map(keep);
    assert!(join_all(all).await.iter().all(|kept| kept == "ok"));
    assert_eq!(counter.keep(&counter.owner, "more", START).await, "conflict");
    assert!(matches!(counter.redeem("t5", counter.api, START).await, Redemption::Good(_)));
    assert_eq!(counter.keep(&counter.owner, "more", START).await, "ok", "one that is used waits no more");
    assert_eq!(counter.keep(&counter.owner, "again", START).await, "conflict");
    let later = START.plus_millis(TICKET_MILLIS);
    assert_eq!(counter.keep(&counter.owner, "again", later).await, "ok", "what has expired is forgotten");
    assert_eq!(
        counter.redeem("t5", counter.api, START).await,
        Redemption::Unknown,
        "it is not there any more"
    );
}
