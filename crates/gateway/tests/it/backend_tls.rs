//! An endpoint's own TLS settings: whom it trusts, by which name, what it shows, and how long TLS may take.

use tidegate_model::{
    endpoint::{BackendTls, Endpoint},
    port::{Probe as _, ProbeReport, ProbeRequest, ProbeStep},
    user::Secret,
};

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    secure_backend::{Authority, Pair, SecureBackend},
    soon,
    world::World,
};

fn trusting(authority: &Authority) -> BackendTls {
    BackendTls { authorities: authority.pem.clone(), ..BackendTls::default() }
}

fn showing(tls: BackendTls, pair: &Pair) -> BackendTls {
    let client_key = Secret(pair.key.clone());
    BackendTls { client_certificate: pair.certificate.clone(), client_key, ..tls }
}

/// A session is opened and works.
async fn opens(url: &str, tls: BackendTls) {
    let mut world = World::new(url);
    *world.production().tls = tls;
    let rig = Rig::start(&mut world).await;
    // The second one may take up the first one's TLS session.
    for _ in 0..2 {
        let mut client = rig.open(&Ask::usual(&world)).await;
        client.echo("through TLS").await;
        client.leave().await;
    }
}

/// A session is refused with this problem, and *Test endpoint* says what to do about it.
async fn refused(url: &str, tls: BackendTls, status: u16, problem: &str, advice: &str) {
    let mut world = World::new(url);
    *world.production().tls = tls;
    world.production().tls_timeout_ms = 300;
    let rig = Rig::start(&mut world).await;
    let answer = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((answer.status, &*answer.problem()), (status, problem));
    let body = String::from_utf8(answer.body).unwrap();
    assert!(!body.contains(advice) && !body.contains("PEM"), "details are not the client's: {body}");
    let report = probed(&rig, world.production().clone()).await;
    let told = report.advice.expect("whoever failed is advised");
    assert!(told.contains(advice), "{told}");
}

async fn probed(rig: &Rig, endpoint: Endpoint) -> ProbeReport {
    soon("a report", rig.gateway.probe(ProbeRequest { endpoint })).await
}

#[tokio::test]
async fn an_own_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    let backend = SecureBackend::echo(&authority.issue("localhost")).await;
    let url = backend.url("localhost");
    opens(&url, trusting(&authority)).await;
    refused(&url, BackendTls::default(), 502, "backend-untrusted", "endpoint's own authorities").await;
    refused(&url, trusting(&Authority::new()), 502, "backend-untrusted", "issued by an authority").await;
}

#[tokio::test]
async fn the_name_is_checked_and_can_be_another_than_the_address() {
    let authority = Authority::new();
    let backend = SecureBackend::echo(&authority.issue("inside.test")).await;
    let url = backend.url("localhost");
    refused(&url, trusting(&authority), 502, "backend-untrusted", "server name").await;
    let named = BackendTls { server_name: "inside.test".to_owned(), ..trusting(&authority) };
    opens(&url, named).await;
    let other = BackendTls { server_name: "other.test".to_owned(), ..trusting(&authority) };
    refused(&url, other, 502, "backend-untrusted", "not for this host").await;
}

#[tokio::test]
async fn without_a_check_anybody_is_believed_and_the_probe_says_so() {
    let backend = SecureBackend::echo(&Authority::new().issue("somebody.test")).await;
    let unchecked = BackendTls { verify: false, ..BackendTls::default() };
    opens(&backend.url("localhost"), unchecked.clone()).await;
    let rig = Rig::unready(|_| {});
    let endpoint = Endpoint { tls: Box::new(unchecked), ..Endpoint::new(backend.url("127.0.0.1")) };
    let report = probed(&rig, endpoint).await;
    assert!(report.is_ok(), "{report:?}");
    let tls = report.steps.iter().find(|step| step.step == ProbeStep::Tls).unwrap();
    assert!(tls.detail.contains("not checked"), "{tls:?}");
}

#[tokio::test]
async fn a_client_certificate_that_is_asked_for_is_shown() {
    let (authority, visitors) = (Authority::new(), Authority::new());
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let backend = SecureBackend::for_visitors(&authority.issue("localhost"), &visitors, versions).await;
        let url = backend.url("localhost");
        let tls = trusting(&authority);
        opens(&url, showing(tls.clone(), &visitors.issue("gateway"))).await;
        refused(&url, tls.clone(), 502, "backend-untrusted", "asks for a client certificate").await;
        let strangers = showing(tls, &Authority::new().issue("gateway"));
        refused(&url, strangers, 502, "backend-untrusted", "client certificate").await;
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_said_to_the_tester_alone() {
    let authority = Authority::new();
    let backend = SecureBackend::echo(&authority.issue("localhost")).await;
    let url = backend.url("localhost");
    let (one, other) = (authority.issue("one"), authority.issue("other"));
    let mixed = Pair { certificate: one.certificate.clone(), key: other.key };
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    let broken = Pair { certificate: garbage.clone(), key: one.key };
    for (tls, advice) in [
        (BackendTls { authorities: garbage, ..BackendTls::default() }, "authorities hold no certificate"),
        (showing(trusting(&authority), &mixed), "not that of the client certificate"),
        (showing(trusting(&authority), &broken), "client certificate cannot be read"),
    ] {
        refused(&url, tls, 502, "backend-misconfigured-tls", advice).await;
    }
}

#[tokio::test]
async fn tls_has_a_time_limit_of_its_own() {
    // It accepts, and says nothing.
    let backend = Backend::bind().await;
    let url = backend.url().replace("ws:", "wss:");
    refused(&url, BackendTls::default(), 504, "backend-tls-timeout", "300 ms").await;
}
