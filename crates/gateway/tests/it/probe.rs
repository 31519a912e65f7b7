//! *Test endpoint*: what it finds, step by step, and what it advises.

use std::net::{Ipv4Addr, TcpListener};

use tidegate_model::{
    endpoint::Endpoint,
    port::{Probe as _, ProbeReport, ProbeRequest, ProbeStep},
};

use crate::{
    backend::Backend,
    rig::Rig,
    socket::{CLOSE, PING, PONG, TEXT},
    soon,
};

use ProbeStep::{Connect, Handshake, Parse, Ping, Resolve, Tls};

async fn probe(rig: &Rig, url: &str) -> ProbeReport {
    let endpoint = Endpoint { connect_timeout_ms: 300, handshake_timeout_ms: 300, ..Endpoint::new(url) };
    soon("a report", rig.gateway.probe(ProbeRequest { endpoint })).await
}

/// The steps were these, and the last of them failed; somebody is told what to try.
#[track_caller]
fn fails(report: &ProbeReport, steps: &[ProbeStep], advice: &str) {
    assert_eq!(report.steps.iter().map(|step| step.step).collect::<Vec<_>>(), steps, "{report:?}");
    let (last, before) = report.steps.split_last().unwrap();
    assert!(!last.ok && before.iter().all(|step| step.ok), "{report:?}");
    assert!(!report.is_ok());
    for step in &report.steps {
        assert!(
            step.detail.ends_with('.') && step.detail.starts_with(|c: char| c.is_uppercase()),
            "{step:?}"
        );
    }
    let told = report.advice.as_deref().expect("whoever failed is advised");
    assert!(told.contains(advice), "{told}");
}

#[tokio::test]
async fn a_good_backend_passes_every_step() {
    let backend = Backend::echo().await;
    // The gateway need not have a snapshot for it.
    let rig = Rig::unready(|_| {});
    let report = probe(&rig, &format!("{}path?key=k", backend.url())).await;
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.advice, None);
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Parse, Resolve, Connect, Handshake, Ping]);
    let head = backend.head();
    assert_eq!(head.start, "GET /path?key=k HTTP/1.1");
    assert!(head.all("x-forwarded-for").is_empty() && head.all("authorization").is_empty());
}

#[tokio::test]
async fn by_name_as_well() {
    let backend = Backend::echo().await;
    let rig = Rig::unready(|_| {});
    let report = probe(&rig, &format!("ws://localhost:{}/", backend.address.port())).await;
    assert!(report.is_ok(), "{report:?}");
}

#[tokio::test]
async fn what_is_no_address_fails_at_once() {
    let rig = Rig::unready(|_| {});
    for url in ["", "localhost:8080", "http://localhost/", "ws://"] {
        fails(&probe(&rig, url).await, &[Parse], "ws://host:port/path");
    }
}

#[tokio::test]
async fn what_is_never_dialled_is_not_probed_either() {
    let rig = Rig::unready(|_| {});
    for url in ["ws://169.254.169.254/latest", "ws://[::ffff:169.254.169.254]/", &format!("ws://{}/", rig.ws)]
    {
        fails(&probe(&rig, url).await, &[Parse, Resolve], "never dialled");
    }
}

#[tokio::test]
async fn a_dead_backend_fails_to_connect() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let rig = Rig::unready(|_| {});
    let report = probe(&rig, &format!("ws://{address}/")).await;
    fails(&report, &[Parse, Resolve, Connect], &address.to_string());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_fails_at_tls() {
    let rig = Rig::unready(|_| {});
    let backend = Rig::unready(|_| {});
    let secure = backend.secure_address();
    let report = probe(&rig, &format!("wss://localhost:{}/", secure.port())).await;
    fails(&report, &[Parse, Resolve, Connect, Tls], "certificate");
}

#[tokio::test]
async fn a_backend_that_refuses_fails_at_the_handshake() {
    let rig = Rig::unready(|_| {});
    for (answer, advice) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "credential of its own"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "path"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP server"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "not a WebSocket backend"),
    ] {
        let backend = Backend::answering(answer).await;
        fails(&probe(&rig, &backend.url()).await, &[Parse, Resolve, Connect, Handshake], advice);
    }
}

#[tokio::test]
async fn a_silent_backend_fails_at_the_handshake() {
    let backend = Backend::answering("").await;
    let rig = Rig::unready(|_| {});
    fails(&probe(&rig, &backend.url()).await, &[Parse, Resolve, Connect, Handshake], "300 ms");
}

#[tokio::test]
async fn a_backend_without_a_pong_is_told_so() {
    let backend = Backend::sink_without_pong().await;
    let rig = Rig::unready(|_| {});
    let report = probe(&rig, &backend.url()).await;
    fails(&report, &[Parse, Resolve, Connect, Handshake, Ping], "Pong");
}

#[tokio::test]
async fn a_backend_that_talks_first_is_let_talk() {
    let backend = Backend::bind().await;
    let rig = Rig::unready(|_| {});
    let talking = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit.frames.say("welcome").await;
        visit.frames.send(TEXT, &vec![b'x'; 70_000]).await;
        visit.frames.send(PONG, b"not the one").await;
        let ping = visit.frames.next().await.unwrap();
        assert_eq!(ping.opcode, PING);
        visit.frames.send(PONG, &ping.payload).await;
        visit
    };
    let url = backend.url();
    let (report, _visit) = tokio::join!(probe(&rig, &url), talking);
    assert!(report.is_ok(), "{report:?}");
}

#[tokio::test]
async fn a_pong_that_answers_something_else_is_none() {
    let backend = Backend::bind().await;
    let rig = Rig::unready(|_| {});
    let talking = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit.frames.send(PONG, b"heartbeat").await;
        assert_eq!(visit.frames.next().await.unwrap().opcode, PING);
        visit.frames.send(PONG, b"").await;
        visit
    };
    let url = backend.url();
    let (report, _visit) = tokio::join!(probe(&rig, &url), talking);
    fails(&report, &[Parse, Resolve, Connect, Handshake, Ping], "Pong");
}

#[tokio::test]
async fn a_backend_that_hangs_up_after_its_yes_is_found_out() {
    let backend = Backend::bind().await;
    let rig = Rig::unready(|_| {});
    let url = backend.url();
    let leaving = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        assert_eq!(visit.frames.next().await.unwrap().opcode, PING);
        visit.frames.send(CLOSE, &1000_u16.to_be_bytes()).await;
    };
    let (report, ()) = tokio::join!(probe(&rig, &url), leaving);
    fails(&report, &[Parse, Resolve, Connect, Handshake, Ping], "hung up");
}
