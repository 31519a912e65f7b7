//! How long a token is kept, who fetches it and who waits, on a clock of the test's own.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use tidegate_model::user::Secret;
use tokio::sync::Semaphore;

use super::*;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// An issuer whose answers wait for the test's permission.
struct Issuer {
    clock: Hands,
    tokens: Tokens,
    asked: AtomicUsize,
    may_answer: Semaphore,
    lifetime_millis: AtomicI64,
}

impl Issuer {
    fn new(lifetime_millis: i64) -> Self {
        Self {
            clock: Hands(AtomicI64::new(0)),
            tokens: Tokens::default(),
            asked: AtomicUsize::new(0),
            may_answer: Semaphore::new(0),
            lifetime_millis: AtomicI64::new(lifetime_millis),
        }
    }

    /// A negative lifetime is a refusal.
    async fn answer(&self) -> Result<Issued, NoToken> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.may_answer.acquire().await.unwrap().forget();
        match self.lifetime_millis.load(Ordering::SeqCst) {
            ..0 => Err(NoToken::Refused { status: 401 }),
            lifetime => {
                Ok(Issued { token: Token(format!("token-{number}").into()), lifetime_millis: Some(lifetime) })
            }
        }
    }

    async fn get(&self) -> Result<String, NoToken> {
        let token = self.tokens.get(&credential("s"), &self.clock, || self.answer()).await?;
        Ok(token.0.to_string())
    }

    fn at(&self, millis: i64) {
        self.clock.0.store(millis, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn credential(secret: &str) -> Credential {
    Credential::OAuth {
        token_url: "https://issuer.test/token".to_owned(),
        client_id: "gateway".to_owned(),
        client_secret: Secret(secret.to_owned()),
        scope: String::new(),
    }
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let issuer = Issuer::new(100_000);
    issuer.may_answer.add_permits(9);
    for (millis, token) in [(0, "token-1"), (89_999, "token-1"), (90_000, "token-2"), (179_999, "token-2")] {
        issuer.at(millis);
        assert_eq!(issuer.get().await.unwrap(), token, "{millis}");
    }
    let long = Issuer::new(3_600_000);
    long.may_answer.add_permits(9);
    for (millis, token) in [(0, "token-1"), (3_539_999, "token-1"), (3_540_000, "token-2")] {
        long.at(millis);
        assert_eq!(long.get().await.unwrap(), token, "{millis}");
    }
}

#[tokio::test]
async fn many_that_wait_cost_one_fetch() {
    let issuer = Issuer::new(100_000);
    let all = async { tokio::join!(issuer.get(), issuer.get(), issuer.get()) };
    let answering = async {
        tokio::task::yield_now().await;
        issuer.may_answer.add_permits(1);
    };
    let ((one, two, three), ()) = tokio::join!(all, answering);
    assert_eq!([one, two, three].map(Result::unwrap), ["token-1"; 3]);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn many_that_wait_share_a_refusal_and_who_comes_later_asks_again() {
    let issuer = Issuer::new(-1);
    let all = async { tokio::join!(issuer.get(), issuer.get(), issuer.get()) };
    let answering = async {
        tokio::task::yield_now().await;
        issuer.may_answer.add_permits(1);
    };
    let ((one, two, three), ()) = tokio::join!(all, answering);
    assert_eq!([one, two, three], [const { Err(NoToken::Refused { status: 401 }) }; 3]);
    assert_eq!(issuer.asked(), 1);
    issuer.may_answer.add_permits(1);
    issuer.lifetime_millis.store(1_000, Ordering::SeqCst);
    assert_eq!(issuer.get().await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_fetch_that_is_dropped_is_taken_over() {
    let issuer = Issuer::new(100_000);
    {
        let mut first = Box::pin(issuer.get());
        tokio::select! {
            biased;
            _ = &mut first => panic!("nobody answers yet"),
            () = std::future::ready(()) => {}
        }
    }
    issuer.may_answer.add_permits(1);
    assert_eq!(issuer.get().await.unwrap(), "token-2");
}

#[tokio::test]
async fn while_one_renews_the_others_go_on_with_what_they_have() {
    let issuer = Issuer::new(100_000);
    issuer.may_answer.add_permits(1);
    issuer.get().await.unwrap();
    issuer.at(95_000);
    let renewing = issuer.get();
    let others = async {
        tokio::task::yield_now().await;
        assert_eq!(issuer.get().await.unwrap(), "token-1");
        issuer.may_answer.add_permits(1);
    };
    let (renewed, ()) = tokio::join!(renewing, others);
    assert_eq!(renewed.unwrap(), "token-2");
    // A renewal that fails harms nobody before the end.
    issuer.lifetime_millis.store(-1, Ordering::SeqCst);
    issuer.may_answer.add_permits(9);
    issuer.at(190_000);
    assert_eq!(issuer.get().await.unwrap(), "token-2");
    issuer.at(195_000);
    assert_eq!(issuer.get().await, Err(NoToken::Refused { status: 401 }));
}

#[tokio::test]
async fn a_refused_token_is_forgotten_unless_it_is_young_or_replaced_already() {
    let issuer = Issuer::new(100_000);
    issuer.may_answer.add_permits(9);
    let old = Token(issuer.get().await.unwrap().into());
    let forget = |token: &Token| issuer.tokens.forget(&credential("s"), token, issuer.clock.now());
    issuer.at(YOUNG_MILLIS - 1);
    assert!(!forget(&old), "a new one would not be better");
    issuer.at(YOUNG_MILLIS);
    assert!(forget(&old));
    let new = Token(issuer.get().await.unwrap().into());
    assert_ne!(old, new);
    assert!(forget(&old), "there is another one");
    assert_eq!(issuer.get().await.unwrap(), "token-2", "which is kept");
}

#[tokio::test]
async fn another_secret_has_another_token_and_what_is_kept_is_bounded() {
    let issuer = Issuer::new(100_000);
    issuer.may_answer.add_permits(KEPT_MAX + 10);
    for number in 0..=KEPT_MAX {
        let credential = credential(&number.to_string());
        issuer.tokens.get(&credential, &issuer.clock, || issuer.answer()).await.unwrap();
    }
    assert_eq!(issuer.asked(), KEPT_MAX + 1);
    assert!(issuer.tokens.0.lock().unwrap().len() <= KEPT_MAX);
}
