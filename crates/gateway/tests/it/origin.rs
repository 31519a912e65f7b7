//! From which web pages a browser may connect, and in which places a credential may be.

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    world::{PATH, World},
};

/// An API that names origins.
async fn named(origins: &[&str]) -> (Backend, World, Rig) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    let rig = Rig::start(&mut world).await;
    (backend, world, rig)
}

/// The usual request of a page.
fn page(world: &World, origin: &str) -> Ask {
    Ask::usual(world).with("Origin", origin)
}

#[track_caller]
fn is_refused(answer: &crate::client::Answer, why: &str) {
    assert_eq!((answer.status, &*answer.problem()), (403, "origin-refused"), "{why}");
}

/// Row H1 of the catalogue of attacks: a page of someone else uses what it got hold of.
#[tokio::test]
async fn no_other_page_reaches_a_backend() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().security.origins = ["https://good.test", "https://*.apps.test"].map(str::to_owned).into();
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for origin in [
        "null",
        "https://evil.test",
        "https://good.test.evil",
        "https://evilgood.test",
        "https://evil.test/https://good.test",
        "https://good.test:8443",
        "http://good.test",
        "HTTPS://GOOD.TEST",
        "https://good.test.",
        "https://xn--gd-jbca.test",
        "https://apps.test",
        "https://a.b.apps.test",
        "https://a.apps.test.evil",
        "",
    ] {
        for ask in [
            page(&world, origin),
            Ask::to(&format!("{PATH}?access_token={token}")).with("Origin", origin),
            Ask::to(PATH).with("Sec-WebSocket-Protocol", &format!("bearer, {token}")).with("Origin", origin),
            // What is wrong with the credential is nothing that this page learns.
            Ask::to(PATH).with("Origin", origin),
            Ask::to(PATH).bearer("nonsense").with("Origin", origin),
        ] {
            is_refused(&rig.ask(&ask).await, origin);
        }
    }
    let twice = page(&world, "https://good.test").with("origin", "https://good.test");
    is_refused(&rig.ask(&twice).await, "two origins");
    let secure = crate::client::ask(rig.secure().await, &page(&world, "https://evil.test").bytes()).await;
    is_refused(&secure, "over TLS");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn named_pages_and_programs_connect() {
    let (_backend, world, rig) = named(&["https://good.test", "https://*.apps.test", "null"]).await;
    for origin in ["https://good.test", "https://a.apps.test", "null"] {
        let mut client = rig.open(&page(&world, origin)).await;
        client.echo(origin).await;
        client.leave().await;
    }
    rig.open(&Ask::usual(&world)).await.leave().await;
}

#[tokio::test]
async fn a_list_holds_from_the_next_snapshot_on() {
    let (_backend, mut world, rig) = named(&[]).await;
    let mut before = rig.open(&page(&world, "https://evil.test")).await;
    world.api().security.origins = vec!["https://good.test".to_owned()];
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&page(&world, "https://evil.test")).await, "named now");
    before.echo("who is in stays").await;
}

/// A cookie that is passed on is what the backend knows a person by: then any page could speak for that person.
#[tokio::test]
async fn a_cookie_that_goes_on_needs_a_page_that_is_named() {
    let (backend, mut world, rig) = named(&[]).await;
    let with_cookie = |world: &World, origin: &str| page(world, origin).with("Cookie", "session=1");
    rig.open(&with_cookie(&world, "https://any.test")).await.leave().await;
    assert!(backend.head().all("cookie").is_empty(), "it stays here");
    world.api().headers.allow = vec!["Cookie".to_owned()];
    rig.decide(&mut world).await;
    for origin in ["https://any.test", "null"] {
        is_refused(&rig.ask(&with_cookie(&world, origin)).await, origin);
    }
    rig.open(&page(&world, "https://any.test")).await.leave().await;
    rig.open(&Ask::usual(&world).with("Cookie", "session=1")).await.leave().await;
    world.api().security.origins = vec!["*".to_owned()];
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&with_cookie(&world, "https://any.test")).await, "all are not meant");
    world.api().security.origins = vec!["https://good.test".to_owned()];
    rig.decide(&mut world).await;
    rig.open(&with_cookie(&world, "https://good.test")).await.leave().await;
}

#[tokio::test]
async fn places_that_are_not_accepted_are_refused_before_a_backend_is_asked() {
    use tidegate_model::security::Way;
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts = [Way::OAuthHeader].into();
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    let by_query = Ask::to(&format!("{PATH}?access_token={token}"));
    let by_subprotocol = Ask::to(PATH).with("Sec-WebSocket-Protocol", &format!("bearer, {token}"));
    for ask in [&by_query, &by_subprotocol] {
        let refused = rig.ask(ask).await;
        assert_eq!((refused.status, &*refused.problem()), (401, "credential-not-accepted"));
        assert!(!String::from_utf8_lossy(&refused.body).contains(&token), "it is not repeated");
    }
    assert!(backend.seen.borrow().heads.is_empty(), "nobody was dialled");
    rig.open(&Ask::usual(&world)).await.leave().await;
    world.api().security.accepts = Way::ALL.into();
    rig.decide(&mut world).await;
    for ask in [&by_query, &by_subprotocol] {
        rig.open(ask).await.leave().await;
    }
}

#[tokio::test]
async fn an_operator_can_keep_credentials_out_of_addresses() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.query_credentials = false).await;
    let refused = rig.ask(&Ask::to(&format!("{PATH}?access_token={}", world.token()))).await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-not-accepted"));
    assert!(backend.seen.borrow().heads.is_empty(), "nobody was dialled");
    rig.open(&Ask::usual(&world)).await.leave().await;
}
