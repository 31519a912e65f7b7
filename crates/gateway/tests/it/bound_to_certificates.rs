//! Tokens that are bound to a certificate (RFC 8705, section 3): they open nothing without it, however they are presented, and
//! what is bought or renewed with one needs it as well.

use rustls::version::TLS13;
use serde_json::{Value, json};
use tidegate_model::{forwarded::TrustedProxies, security::Way};
use tidegate_oauth::certificate::thumbprint;

use crate::{
    backend::Backend,
    client::{Answer, Ask, because},
    http2::peer,
    issuers,
    mutual::{BOTH, Pair, Shower},
    rig::Rig,
    world::{NOW, PATH, World, new_key},
};

fn bound(pair: &Pair) -> Value {
    json!({"cnf": {"x5t#S256": thumbprint(&pair.der)}})
}

fn token(world: &World, pair: &Pair) -> String {
    world.token_with(&json!({}), &bound(pair))
}

fn ask(world: &World, pair: &Pair) -> Ask {
    Ask::to(PATH).bearer(&token(world, pair))
}

/// A gateway that asks for certificates, and an API that takes credentials in these ways.
async fn started(
    ways: &[Way],
    change: impl FnOnce(&mut World),
    settings: impl FnOnce(&mut tidegate_gateway::Settings),
) -> (Backend, World, Rig) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts = ways.iter().copied().collect();
    change(&mut world);
    let rig = Rig::with(&mut world, |all| {
        all.ask_certificates = true;
        settings(all);
    })
    .await;
    (backend, world, rig)
}

#[track_caller]
fn is_refused(answer: &Answer) {
    answer.is_problem(401, "proof-invalid");
    let challenge = answer.head.one("www-authenticate");
    assert!(challenge.starts_with("Bearer") && challenge.contains("error=\"invalid_token\""), "{challenge}");
}

fn post(target: &str, token: &str) -> Ask {
    let headers = vec![("Host".to_owned(), "gateway.test".to_owned())];
    Ask { method: "POST", target: target.to_owned(), version: "HTTP/1.1", headers, behind: Vec::new() }
        .bearer(token)
}

#[tokio::test]
async fn it_opens_a_session_on_a_connection_with_its_certificate_and_on_no_other() {
    let (own, other) = (Pair::new(), Pair::new());
    let (backend, world, rig) = started(&[Way::OAuthHeader, Way::OAuthQuery], |_| {}, |_| {}).await;
    let query = Ask::to(&format!("{PATH}?access_token={}", token(&world, &own)));
    for version in BOTH {
        let shower = Shower::with(version, &own);
        assert!(shower.is_asked(&rig).await, "no API asks, and the operator does");
        for ask in [&ask(&world, &own), &query] {
            shower.open(&rig, ask).await.echo("hello").await;
            is_refused(&Shower::with(version, &other).ask(&rig, ask).await);
            is_refused(&Shower::without(version).ask(&rig, ask).await);
            is_refused(&rig.ask(ask).await);
        }
        // What is not bound is as good with any.
        shower.open(&rig, &Ask::usual(&world)).await.leave().await;
        let dpop = Ask::to(PATH).with("Authorization", &format!("DPoP {}", token(&world, &own)));
        shower.ask(&rig, &dpop).await.is_problem(401, "proof-invalid");
    }
    for (pair, opens) in [(&own, true), (&other, false)] {
        let stream = Shower::with(&TLS13, pair).connect(&rig, Some("h2")).await.unwrap();
        let connection = peer::Connection::over(Box::new(stream)).await;
        let ask = peer::Ask::to(PATH).with("authorization", &format!("Bearer {}", token(&world, &own)));
        if opens {
            connection.session(&ask).await.echo("hello").await;
        } else {
            connection.ask(&ask).await.is_problem(401, "proof-invalid");
        }
    }
    let opened = 2 * 2 + 2 + 1;
    assert_eq!(backend.seen.borrow().heads.len(), opened, "nobody else was let through");
}

#[tokio::test]
async fn nobody_is_asked_where_no_operator_wants_it() {
    let pair = Pair::new();
    let (_backend, world, rig) =
        started(&[Way::OAuthHeader], |_| {}, |settings| settings.ask_certificates = false).await;
    let shower = Shower::with(&TLS13, &pair);
    assert!(!shower.is_asked(&rig).await);
    is_refused(&shower.ask(&rig, &ask(&world, &pair)).await);
}

/// At an API that takes certificates one is a credential, and two are refused: but not a token and what it is bound to.
#[tokio::test]
async fn its_certificate_is_no_second_credential_and_hides_none() {
    let (own, other) = (Pair::new(), Pair::new());
    let ways = [Way::MutualTls, Way::OAuthHeader, Way::ApiKeyHeader];
    let (backend, mut world, rig) = started(&ways, |_| {}, |_| {}).await;
    let (first, second) = (Shower::with(&TLS13, &own), Shower::with(&TLS13, &other));
    first.open(&rig, &ask(&world, &own)).await.echo("hello").await;
    is_refused(&second.ask(&rig, &ask(&world, &own)).await);
    // The other one is an application's: what it would open, it opens alone.
    world.parts.certificates = vec![other.facts(&world, 1)];
    rig.decide(&mut world).await;
    is_refused(&second.ask(&rig, &ask(&world, &own)).await);
    second.open(&rig, &Ask::to(PATH)).await.leave().await;
    for more in [
        Ask::usual(&world),
        Ask::to(PATH).bearer("nonsense"),
        ask(&world, &own).with("ApiKey", "tgk_nonsense"),
        ask(&world, &own).with("Authorization", "Basic eDp5"),
    ] {
        for shower in [&first, &second] {
            shower.ask(&rig, &more).await.is_problem(400, "credential-several");
        }
    }
    let expired = world.token_with(&json!({}), &json!({"exp": NOW.seconds(), "cnf": bound(&own)["cnf"]}));
    let answer = first.ask(&rig, &Ask::to(PATH).bearer(&expired)).await;
    answer.is_problem(400, "credential-several");
    assert_eq!(backend.seen.borrow().heads.len(), 2);
}

#[tokio::test]
async fn a_ticket_that_was_bought_with_it_needs_its_certificate_as_well() {
    let (own, other) = (Pair::new(), Pair::new());
    for ways in [&[Way::OAuthHeader, Way::Ticket][..], &[Way::OAuthHeader, Way::Ticket, Way::MutualTls]] {
        let (_backend, world, rig) = started(ways, |_| {}, |_| {}).await;
        let (holder, thief) = (Shower::with(&TLS13, &own), Shower::with(&TLS13, &other));
        let purchase = post("/.tidegate/tickets/echo/1.0", &token(&world, &own));
        is_refused(&thief.ask(&rig, &purchase).await);
        is_refused(&rig.ask(&purchase).await);
        let buy = async || {
            let answer = holder.ask(&rig, &purchase).await;
            assert_eq!(answer.status, 201, "{}", answer.head.text);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            Ask::to(&format!("{PATH}?ticket={}", body["ticket"].as_str().unwrap()))
        };
        holder.open(&rig, &buy().await).await.echo("hello").await;
        is_refused(&thief.ask(&rig, &buy().await).await);
        is_refused(&rig.ask(&buy().await).await);
    }
}

#[tokio::test]
async fn a_session_is_renewed_with_it_by_who_shows_its_certificate() {
    let (own, other) = (Pair::new(), Pair::new());
    let (_backend, world, rig) = started(&[Way::OAuthHeader], |_| {}, |_| {}).await;
    let holder = Shower::with(&TLS13, &own);
    let lives = |seconds: i64| {
        let mut claims = bound(&own);
        claims["exp"] = json!(NOW.seconds() + seconds);
        world.token_with(&json!({}), &claims)
    };
    let mut session = holder.open(&rig, &Ask::to(PATH).bearer(&lives(5))).await;
    let place = format!("/.tidegate/sessions/echo/1.0/{}", session.head.one("x-request-id"));
    let fresh = post(&place, &lives(60));
    is_refused(&Shower::with(&TLS13, &other).ask(&rig, &fresh).await);
    is_refused(&rig.ask(&fresh).await);
    assert_eq!(holder.ask(&rig, &fresh).await.status, 200);
    rig.clock.forward(5_000);
    session.echo("it goes on").await;
    rig.clock.forward(55_000);
    assert_eq!(session.closed().await, because(3000, "expired"));
}

#[tokio::test]
async fn behind_a_proxy_its_certificate_is_what_the_proxy_says() {
    let (own, other) = (Pair::new(), Pair::new());
    let (_backend, world, rig) = started(
        &[Way::OAuthHeader],
        |_| {},
        |settings| {
            settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap();
            settings.client_cert = true;
        },
    )
    .await;
    let told = |value: &str| ask(&world, &own).with("Client-Cert", value);
    rig.open(&told(&own.header())).await.echo("hello").await;
    is_refused(&rig.ask(&told(&other.header())).await);
    is_refused(&rig.ask(&told(":bm9uc2Vuc2U=:")).await);
    is_refused(&rig.ask(&told("nonsense")).await);
    is_refused(&rig.ask(&told(&own.header()).with("Client-Cert", &other.header())).await);
    is_refused(&rig.ask(&ask(&world, &own)).await);
    // What the proxy has shown itself is not its client's.
    is_refused(&Shower::with(&TLS13, &own).ask(&rig, &ask(&world, &own)).await);

    // Of nobody else it is believed.
    let (_backend, world, rig) =
        started(&[Way::OAuthHeader], |_| {}, |settings| settings.client_cert = true).await;
    is_refused(&rig.ask(&ask(&world, &own).with("Client-Cert", &own.header())).await);
}

#[tokio::test]
async fn so_it_is_with_tokens_of_other_issuers() {
    let (own, other, key) = (Pair::new(), Pair::new(), new_key());
    let theirs = |world: &mut World| {
        let application = world.parts.applications[0].id;
        world.parts.key_managers.push(issuers::facts(1, issuers::OTHER, &[&key]));
        world.parts.clients.push(issuers::provided(issuers::id(1), issuers::CLIENT, application));
    };
    let (_backend, _world, rig) = started(&[Way::OAuthHeader], theirs, |_| {}).await;
    let ask = Ask::to(PATH).bearer(&issuers::token(&key, &bound(&own)));
    Shower::with(&TLS13, &own).open(&rig, &ask).await.echo("hello").await;
    is_refused(&Shower::with(&TLS13, &other).ask(&rig, &ask).await);
    is_refused(&rig.ask(&ask).await);
    let unknown = json!({"cnf": {"x5t#S256": ""}});
    let ask = Ask::to(PATH).bearer(&issuers::token(&key, &unknown));
    rig.ask(&ask).await.is_problem(401, "credential-invalid");
}
