//! One-time tickets: where they are bought, by whom and from which page, what each opens, and that it opens it once.

use std::sync::{Arc, atomic::Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidegate_model::{
    endpoint::Endpoint,
    lifecycle::State,
    revocation::Revoked,
    security::Way,
    topic::{Topic, Topics},
};
use tidegate_oauth::{
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
    mark,
    secret::{self, Kind},
};

use crate::{
    backend::Backend,
    client::{self, Answer, Ask, because},
    http2::peer,
    rig::Rig,
    world::{ISSUER, NOW, PATH, PRODUCTION, SANDBOX, World, api, issuer, new_key},
};

const COUNTER: &str = "/.tidegate/tickets/echo/1.0";
const PAGE: &str = "https://app.test";

async fn started(change: impl FnOnce(&mut World)) -> (Backend, World, Rig) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    change(&mut world);
    let rig = Rig::start(&mut world).await;
    (backend, world, rig)
}

/// An ordinary request, which asks for no upgrade.
fn plain(method: &'static str, target: &str) -> Ask {
    let ask = Ask { method, ..Ask::to(target) };
    ["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]
        .iter()
        .fold(ask, |ask, it| ask.without(it))
}

fn purchase(token: &str) -> Ask {
    plain("POST", COUNTER).bearer(token).with("Content-Length", "0")
}

#[track_caller]
fn sold(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.head.one("content-type"), "application/json");
    assert_eq!(answer.head.one("cache-control"), "no-store");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["expires_in"], 30);
    let ticket = body["ticket"].as_str().unwrap().to_owned();
    assert!(secret::is_well_formed(Kind::Ticket, &ticket), "{ticket}");
    ticket
}

async fn buy(rig: &Rig, token: &str) -> String {
    sold(&rig.ask(&purchase(token)).await)
}

fn by_query(ticket: &str) -> Ask {
    Ask::to(&format!("{PATH}?a=1&ticket={ticket}"))
}

fn by_subprotocol(ticket: &str) -> Ask {
    Ask::to(PATH).with("Sec-WebSocket-Protocol", &format!("ticket, {ticket}"))
}

#[tokio::test]
async fn a_ticket_opens_one_session_and_stays_here() {
    let (backend, world, rig) = started(|_| {}).await;
    for (place, ask) in [("query", by_query as fn(&str) -> Ask), ("subprotocol", by_subprotocol)] {
        let ticket = buy(&rig, &world.token()).await;
        let mut client = rig.open(&ask(&ticket)).await;
        client.echo("hello").await;
        // A browser wants one of its offers, and never the ticket.
        let chosen = client.head.all("sec-websocket-protocol");
        assert_eq!(chosen, if place == "query" { vec![] } else { vec!["ticket"] });
        client.leave().await;
        let head = backend.last_head().text;
        assert!(!head.contains("ticket") && !head.contains(&ticket[4..]), "{head}");
        for again in [by_query(&ticket), by_subprotocol(&ticket)] {
            let refused = rig.ask(&again).await;
            refused.is_problem(401, "ticket-used");
            assert!(!String::from_utf8_lossy(&refused.body).contains(&ticket[4..]));
        }
    }
    assert_eq!(backend.seen.borrow().heads.len(), 2);
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    assert_eq!((told.totals().sessions, told.totals().refusals), (2, 4));
    for session in told.sessions() {
        assert_eq!(session.application, world.parts.applications[0].id);
        assert!(!format!("{session:?}").contains("tgt_"));
    }
}

/// A thousand sockets at once present the same ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_that_present_a_ticket_one_gets_in() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Arc::new(Rig::with(&mut world, |settings| settings.sessions_max = 3_000).await);
    let bytes = by_query(&buy(&rig, &world.token()).await).bytes();
    let presenting = (0..1_000).map(|_| {
        let (rig, bytes) = (Arc::clone(&rig), bytes.clone());
        tokio::spawn(async move {
            let mut frames = crate::socket::Frames::of_client(rig.plain().await);
            frames.write(&bytes).await;
            let head = frames.head().await.expect("an answer comes");
            let status = head.start.split(' ').nth(1).unwrap().to_owned();
            if status == "101" {
                (status, String::new(), Some(frames))
            } else {
                let body: Value = serde_json::from_slice(&frames.rest().await).unwrap();
                (status, body["type"].as_str().unwrap().to_owned(), None)
            }
        })
    });
    let (mut winners, mut refused) = (Vec::new(), 0);
    for one in presenting.collect::<Vec<_>>() {
        match one.await.unwrap() {
            (_, _, Some(frames)) => winners.push(frames),
            (status, kind, None) => {
                assert_eq!((&*status, &*kind), ("401", "https://problems.test/problems/ticket-used"));
                refused += 1;
            }
        }
    }
    assert_eq!((winners.len(), refused), (1, 999));
    assert_eq!(backend.seen.borrow().heads.len(), 1);
}

#[tokio::test]
async fn what_is_no_ticket_for_this_api_is_refused_alike() {
    let (backend, world, rig) = started(|world| {
        let mut other = api(7, "/other", "ws://127.0.0.1:9");
        other.state = State::Prototyped;
        world.parts.apis.push(other);
    })
    .await;
    let never_sold = secret::generate(Kind::Ticket, &mut |bytes: &mut [u8]| bytes.fill(9));
    let other = sold(
        &rig.ask(&Ask { target: "/.tidegate/tickets/other/1.0".to_owned(), ..purchase(&world.token()) })
            .await,
    );
    for ticket in [&*never_sold, &*other, "tgt_", "tgt_nonsense", &format!("{never_sold}x")] {
        rig.ask(&by_query(ticket)).await.is_problem(401, "ticket-invalid");
        rig.ask(&by_subprotocol(ticket)).await.is_problem(401, "ticket-invalid");
    }
    // Who asked two at a wrong place has used up nothing.
    rig.ask(&Ask::to(&format!("/other/1.0?ticket={other}"))).await.is_problem(502, "backend-unreachable");
    assert!(backend.seen.borrow().heads.is_empty());
    // Wrong tickets count like other wrong secrets.
    for _ in 0..20 {
        rig.ask(&by_query(&never_sold)).await;
    }
    rig.ask(&by_query(&never_sold)).await.is_problem(429, "too-many-attempts");
}

#[tokio::test]
async fn a_parameter_that_is_no_ticket_is_the_backends() {
    let (backend, world, rig) = started(|_| {}).await;
    let ask = Ask::to(&format!("{PATH}?ticket=42&a=1")).bearer(&world.token());
    rig.open(&ask.with("Sec-WebSocket-Protocol", "ticket, chat")).await.leave().await;
    let head = backend.last_head();
    assert_eq!(head.start, "GET /?ticket=42&a=1 HTTP/1.1");
    assert_eq!(head.one("sec-websocket-protocol"), "ticket, chat");
}

/// No good credential hides a bad one, and what an API does not take is not passed on.
#[tokio::test]
async fn a_ticket_is_one_credential_among_others() {
    let (backend, mut world, rig) = started(|_| {}).await;
    let token = world.token();
    let ticket = buy(&rig, &token).await;
    for ask in [
        by_query(&ticket).bearer(&token),
        by_query(&ticket).bearer("nonsense"),
        Ask::to(&format!("{PATH}?ticket=tgt_bad")).bearer(&token),
        by_query(&ticket).with("Sec-WebSocket-Protocol", &format!("ticket, {ticket}")),
        Ask::to(&format!("{PATH}?ticket={ticket}&ticket={ticket}")),
        Ask::to(&format!("{PATH}?ticket={ticket}&access_token={token}")),
    ] {
        rig.ask(&ask).await.is_problem(400, "credential-several");
    }
    world.api().security.accepts.remove(&Way::Ticket);
    rig.decide(&mut world).await;
    rig.ask(&by_query(&ticket)).await.is_problem(401, "credential-not-accepted");
    rig.ask(&by_subprotocol(&ticket)).await.is_problem(401, "credential-not-accepted");
    rig.ask(&purchase(&token)).await.is_problem(401, "credential-not-accepted");
    assert!(backend.seen.borrow().heads.is_empty());
    assert_eq!(rig.control.told.borrow().asks, 1, "nothing was used up");
}

#[tokio::test]
async fn a_session_ends_when_the_token_that_bought_its_ticket_would_have() {
    let (_backend, world, rig) = started(|_| {}).await;
    let token = world.token_with(&json!({}), &json!({"exp": NOW.seconds() + 20}));
    let (kept, late) = (buy(&rig, &token).await, buy(&rig, &token).await);
    let mut client = rig.open(&by_query(&kept)).await;
    client.echo("hello").await;
    rig.clock.forward(20_000);
    assert_eq!(client.closed().await, because(3000, "expired"));
    rig.ask(&by_query(&late)).await.is_problem(401, "credential-expired");
}

#[tokio::test]
async fn what_ends_the_token_ends_its_tickets_and_their_sessions() {
    let (_backend, mut world, rig) = started(|_| {}).await;
    let token = world.token();
    let (kept, late) = (buy(&rig, &token).await, buy(&rig, &token).await);
    let mut client = rig.open(&by_query(&kept)).await;
    rig.revoke([Revoked::Credential(mark::token(ISSUER, "token-1").into())]).await;
    assert_eq!(client.closed().await, because(3000, "revoked"));
    rig.ask(&by_query(&late)).await.is_problem(401, "credential-revoked");
    rig.ask(&purchase(&token)).await.is_problem(401, "credential-revoked");

    // The issuer's key goes, its subscription, and the kind of credential.
    let other = world.token_with(&json!({}), &json!({"jti": "token-2"}));
    let late = buy(&rig, &other).await;
    let key = new_key();
    world.parts.issuer = issuer(&key);
    rig.decide(&mut world).await;
    rig.ask(&by_query(&late)).await.is_problem(401, "credential-revoked");
    world.key = key;
    let other = world.token_with(&json!({}), &json!({"jti": "token-3"}));
    let (kept, late) = (buy(&rig, &other).await, buy(&rig, &other).await);
    let mut client = rig.open(&by_query(&kept)).await;
    world.api().security.accepts.remove(&Way::Ticket);
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3000, "credential_not_accepted"));
    world.api().security.accepts.insert(Way::Ticket);
    world.parts.subscriptions.clear();
    rig.decide(&mut world).await;
    rig.ask(&by_query(&late)).await.is_problem(403, "no-subscription");
}

/// Who could open no session with a credential can buy nothing with it.
#[tokio::test]
async fn who_may_not_connect_may_not_buy() {
    let (_backend, world, rig) = started(|world| {
        world.parts.apis.push(api(7, "/others", "ws://127.0.0.1:9"));
        let mut blocked = api(8, "/blocked", "ws://127.0.0.1:9");
        blocked.state = State::Blocked;
        world.parts.apis.push(blocked);
        world.api().security.accepts = Way::ALL.into();
    })
    .await;
    let token = world.token();
    let at = |target: &str| Ask { target: target.to_owned(), ..purchase(&token) };
    let ticket = buy(&rig, &token).await;
    for (ask, status, kind, why) in [
        (plain("POST", COUNTER), 401, "credential-missing", "none"),
        (purchase("nonsense"), 401, "credential-invalid", "nonsense"),
        (
            purchase(&world.token_with(&json!({}), &json!({"exp": NOW.seconds()}))),
            401,
            "credential-expired",
            "old",
        ),
        (purchase(&world.token_of("nobody")), 401, "credential-revoked", "of no client"),
        (purchase(&world.token_of(SANDBOX)), 503, "no-endpoint", "no such endpoint"),
        (purchase(&ticket), 401, "credential-invalid", "a ticket buys none"),
        (plain("POST", &format!("{COUNTER}?ticket={ticket}")), 401, "credential-not-accepted", "nor so"),
        (
            plain("POST", &format!("{COUNTER}?access_token={token}")),
            401,
            "credential-not-accepted",
            "in the query",
        ),
        (plain("POST", COUNTER).with("ApiKey", "tgk_x"), 401, "credential-not-accepted", "an API key"),
        (purchase(&token).bearer(&token), 400, "credential-several", "two"),
        (at("/.tidegate/tickets/others/1.0"), 403, "no-subscription", "not subscribed"),
        (at("/.tidegate/tickets/blocked/1.0"), 403, "api-blocked", "blocked"),
        (at("/.tidegate/tickets/none/1.0"), 404, "unknown-api", "no such API"),
        (at("/.tidegate/tickets/"), 404, "unknown-api", "no API"),
        (at("/.tidegate/tickets/echo/../echo/1.0"), 400, "ambiguous-path", "two readings"),
        (Ask { method: "PUT", ..purchase(&token) }, 405, "method-not-allowed", "another method"),
        (purchase(&token).with("Upgrade", "websocket"), 400, "malformed-handshake", "an upgrade"),
        (
            plain("POST", COUNTER).bearer(&token).with("Content-Length", "2").behind(b"{}"),
            400,
            "malformed-handshake",
            "a body",
        ),
        (
            plain("POST", COUNTER).bearer(&token).with("Transfer-Encoding", "chunked"),
            400,
            "malformed-handshake",
            "chunks",
        ),
    ] {
        let answer = rig.ask(&ask).await;
        assert_eq!((answer.status, &*answer.problem()), (status, kind), "{why}");
    }
    assert_eq!(rig.control.told.borrow().asks, 1);
}

fn page(ask: Ask, origin: &str) -> Ask {
    ask.with("Origin", origin)
}

fn preflight(origin: &str) -> Ask {
    page(plain("OPTIONS", COUNTER), origin)
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", "authorization")
}

#[tokio::test]
async fn a_page_that_the_api_names_may_ask_and_read_the_answer() {
    let (_backend, world, rig) = started(|world| {
        world.api().security.origins = vec![PAGE.to_owned(), "https://*.apps.test".to_owned()];
    })
    .await;
    for origin in [PAGE, "https://one.apps.test"] {
        let leave = rig.ask(&preflight(origin)).await;
        assert_eq!((leave.status, leave.body.len()), (200, 0));
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "authorization, dpop"),
            ("vary", "Origin"),
        ] {
            assert_eq!(leave.head.one(name), value);
        }
        let answer = rig.ask(&page(purchase(&world.token()), origin)).await;
        assert_eq!(answer.head.one("access-control-allow-origin"), origin);
        assert_eq!(answer.head.one("vary"), "Origin");
        rig.open(&page(by_query(&sold(&answer)), origin)).await.leave().await;
        // A refusal can be read as well.
        let refused = rig.ask(&page(purchase("nonsense"), origin)).await;
        refused.is_problem(401, "credential-invalid");
        assert_eq!(refused.head.one("access-control-allow-origin"), origin);
        // Nothing that a browser adds by itself is ever let in.
        assert!(refused.head.all("access-control-allow-credentials").is_empty());
    }
    let ticket = buy(&rig, &world.token()).await;
    for origin in ["https://evil.test", "null", "https://app.test.evil", "https://a.b.apps.test", ""] {
        for ask in
            [preflight(origin), page(purchase(&world.token()), origin), page(purchase("nonsense"), origin)]
        {
            let refused = rig.ask(&ask).await;
            refused.is_problem(403, "origin-refused");
            assert!(refused.head.all("access-control-allow-origin").is_empty(), "{origin}");
        }
        rig.ask(&page(by_query(&ticket), origin)).await.is_problem(403, "origin-refused");
    }
    let two = preflight(PAGE).with("Origin", "https://evil.test");
    assert_eq!(rig.ask(&two).await.status, 403);
    rig.open(&by_query(&ticket)).await.leave().await;
}

#[tokio::test]
async fn tickets_are_bought_over_http2_and_over_tls_as_well() {
    let (_backend, world, rig) = started(|world| world.api().security.origins = vec![PAGE.to_owned()]).await;
    let connection = peer::Connection::open(&rig).await;
    let over = |method| peer::Ask { method, protocol: None, ..peer::Ask::to(COUNTER) }.with("origin", PAGE);
    let leave = connection.ask(&over("OPTIONS")).await;
    assert_eq!((leave.status, leave.head.one("access-control-allow-origin")), (200, PAGE));
    let ticket = sold(&connection.ask(&over("POST").bearer(&world.token())).await);
    let session = peer::Ask::to(&format!("{PATH}?ticket={ticket}"));
    connection.session(&session).await.leave().await;
    connection.ask(&session).await.is_problem(401, "ticket-used");
    connection.ask(&over("POST")).await.is_problem(401, "credential-missing");

    let answer = client::ask(rig.secure().await, &purchase(&world.token()).bytes()).await;
    client::open(rig.secure().await, &by_query(&sold(&answer))).await.leave().await;
}

/// A browser can prove that it holds its key when it buys, and not when it opens a WebSocket.
#[tokio::test]
async fn a_bound_token_buys_with_a_proof_of_the_purchase() {
    let (_backend, world, rig) = started(|_| {}).await;
    let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    let token = world.token_with(&json!({}), &json!({"cnf": {"jkt": key.kid()}}));
    let proof = |method: &str, path: &str| {
        let set: Value = serde_json::from_str(&key_set([&key])).unwrap();
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": set["keys"][0]});
        let ath = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()));
        let htu = format!("http://gateway.test:9099{path}");
        let claims = json!({"jti": format!("{method}{path}"), "htm": method, "htu": htu, "iat": NOW.seconds(), "ath": ath});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        crate::world::signed(&key, &format!("{}.{}", part(&header), part(&claims)))
    };
    let ask = |proof: &str| {
        plain("POST", COUNTER).with("Authorization", &format!("DPoP {token}")).with("DPoP", proof)
    };
    rig.ask(&purchase(&token)).await.is_problem(401, "proof-invalid");
    rig.ask(&ask(&proof("GET", COUNTER))).await.is_problem(401, "proof-invalid");
    rig.ask(&ask(&proof("POST", PATH))).await.is_problem(401, "proof-invalid");
    let good = proof("POST", COUNTER);
    let ticket = sold(&rig.ask(&ask(&good)).await);
    rig.ask(&ask(&good)).await.is_problem(401, "proof-invalid");
    rig.open(&by_query(&ticket)).await.leave().await;
}

/// The one question that leaves the gateway has an end.
#[tokio::test]
async fn nobody_waits_for_a_control_plane_that_does_not_answer() {
    let (backend, world, rig) = started(|_| {}).await;
    let ticket = buy(&rig, &world.token()).await;
    rig.control.tickets_away.store(true, Ordering::SeqCst);
    let (use_it, purchase) = (by_query(&ticket), purchase(&world.token()));
    let (used, bought) = tokio::join!(rig.ask(&use_it), rig.ask(&purchase));
    for answer in [used, bought] {
        answer.is_problem(503, "tickets-unavailable");
        assert_eq!(answer.head.one("retry-after"), "5");
    }
    // Others are admitted as ever.
    rig.open(&Ask::usual(&world)).await.leave().await;
    assert_eq!(backend.seen.borrow().heads.len(), 1);
    rig.control.tickets_away.store(false, Ordering::SeqCst);
    buy(&rig, &world.token()).await;
}

#[tokio::test]
async fn a_ticket_is_admitted_as_its_buyer() {
    let sandbox = Backend::echo().await;
    let (backend, world, rig) = started(|world| {
        world.api().endpoints.sandbox = Some(Endpoint::new(sandbox.url()));
    })
    .await;
    for client in [PRODUCTION, SANDBOX] {
        let ticket = buy(&rig, &world.token_of(client)).await;
        rig.open(&by_query(&ticket)).await.leave().await;
    }
    let heads = |backend: &Backend| backend.seen.borrow().heads.len();
    assert_eq!((heads(&backend), heads(&sandbox)), (1, 1));
}

#[tokio::test]
async fn a_ticket_opens_the_topics_that_its_buyers_scopes_do() {
    let (_backend, world, rig) = started(|world| {
        let declared = vec![Topic {
            path: "/room".to_owned(),
            publish_scopes: vec!["write".to_owned()],
            subscribe_scopes: vec!["read".to_owned()],
            ..Topic::default()
        }];
        world.api().topics = Topics { declared, ..Topics::default() };
    })
    .await;
    let opened = async |scope: &str| {
        // A ticket is for the API; which topic it opens is asked where it is presented.
        let token = world.token_with(&json!({}), &json!({ "scope": scope, "jti": scope }));
        let ticket = buy(&rig, &token).await;
        Ask::to(&format!("{PATH}/room?ticket={ticket}"))
    };
    let all = opened("read write").await;
    rig.open(&all).await.echo("both ways").await;
    let some = opened("read").await;
    let mut listener = rig.open(&some).await;
    listener.frames.say("may I").await;
    assert_eq!(listener.closed().await, because(1008, "direction"));
    let none = opened("other").await;
    rig.ask(&none).await.is_problem(403, "scope-missing");
}
