//! PROXY headers before everything else on a connection: of whom they are believed, and what is dropped.

use tidegate_model::forwarded::TrustedProxies;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    backend::Backend,
    client::{self, Ask},
    rig::Rig,
    socket::Frames,
    world::World,
};

/// 192.0.2.7, port 8080, over IPv4 in version 2.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x1f\x90\x23\x8b";
/// The same, and that it came over TLS.
const BINARY_TLS: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x07\xc6\x33\x64\x01\x1f\x90\x23\x8b\x20\0\x05\x01\0\0\0\0";
/// A health check of the proxy's own.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const TEXT: &[u8] = b"PROXY TCP6 2001:db8::7 ::1 8080 9099\r\n";
const UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n";

/// A gateway whose trusted proxies send a header.
async fn rig(world: &mut World, trusted: &str) -> Rig {
    Rig::with(world, |settings| {
        settings.trusted = TrustedProxies::parse(trusted).unwrap();
        settings.proxy_protocol = true;
    })
    .await
}

#[tokio::test]
async fn a_trusted_proxy_says_for_whom_it_connects() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1").await;
    let ask = Ask::usual(&world);
    for (header, client, proto) in [
        (TEXT, "2001:db8::7", "http"),
        (UNKNOWN, "127.0.0.1", "http"),
        (BINARY, "192.0.2.7", "http"),
        (BINARY_TLS, "192.0.2.7", "https"),
        (LOCAL, "127.0.0.1", "http"),
    ] {
        let bytes = [header, &ask.bytes()].concat();
        // Whole, and cut in the middle of the header.
        for cut in [0, 7, header.len() - 1, header.len()] {
            let mut stream = TcpStream::connect(rig.plain_address()).await.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.write_all(&bytes[..cut]).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(&bytes[cut..]).await.unwrap();
            let mut session = client::switched(Frames::of_client(Box::new(stream))).await;
            session.echo("hello").await;
            let head = backend.last_head();
            assert_eq!((head.one("x-forwarded-for"), head.one("x-forwarded-proto")), (client, proto));
        }
    }
}

#[tokio::test]
async fn the_header_comes_before_tls() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1").await;
    let mut stream = TcpStream::connect(rig.secure_address()).await.unwrap();
    stream.write_all(BINARY).await.unwrap();
    let mut session = client::open(Rig::secured(stream, &[]).await, &Ask::usual(&world)).await;
    session.echo("hello").await;
    let head = backend.head();
    assert_eq!((head.one("x-forwarded-for"), head.one("x-forwarded-proto")), ("192.0.2.7", "https"));
}

#[tokio::test]
async fn behind_a_header_a_client_is_believed_nothing_more() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1, 198.51.100.0/24").await;
    let ask = Ask::usual(&world).with("X-Forwarded-For", "203.0.113.9");
    for (header, client) in [
        (BINARY, "192.0.2.7"),
        // A trusted proxy behind a trusted proxy: its word counts as it would directly.
        (&b"PROXY TCP4 198.51.100.1 192.0.2.1 8080 9099\r\n"[..], "203.0.113.9"),
        (UNKNOWN, "203.0.113.9"),
    ] {
        let mut stream = TcpStream::connect(rig.plain_address()).await.unwrap();
        stream.write_all(header).await.unwrap();
        client::open(Box::new(stream), &ask).await.echo("hello").await;
        assert_eq!(backend.last_head().one("x-forwarded-for"), client);
    }
}

#[tokio::test]
async fn a_trusted_proxy_without_a_header_is_dropped() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1").await;
    let ask = Ask::usual(&world).bytes();
    let too_long = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"[..], &[0; 8_192]].concat();
    for bytes in [&ask[..], b"PROXY TCP4 192.0.2.7\r\n", b"\x16\x03\x01\x02\0", b"PROXY UNKNOWN\n", &too_long]
    {
        for address in [rig.plain_address(), rig.secure_address()] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // It may be gone before all of it is said.
            let _ = stream.write_all(bytes).await;
            assert_eq!(Frames::of_client(Box::new(stream)).rest().await, b"", "{bytes:?}");
        }
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn nobody_elses_header_is_read() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let trusting_others = rig(&mut world, "10.0.0.0/8").await;
    let reading_none = Rig::with(&mut world, |settings| {
        settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap();
    })
    .await;
    for rig in [&trusting_others, &reading_none] {
        for header in [TEXT, BINARY] {
            let bytes = [header, &Ask::usual(&world).bytes()].concat();
            let answer = client::ask(rig.plain().await, &bytes).await;
            assert_eq!((answer.status, &*answer.problem()), (400, "malformed-request"));
        }
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_trusted_proxy_that_says_nothing_is_cut() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1").await;
    let silent = async |address, some: &'static [u8]| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(some).await.unwrap();
        assert_eq!(Frames::of_client(Box::new(stream)).rest().await, b"");
    };
    let (plain, secure) = (rig.plain_address(), rig.secure_address());
    tokio::join!(
        silent(plain, b""),
        silent(plain, &TEXT[..20]),
        silent(secure, b""),
        silent(secure, &BINARY[..20])
    );
    backend.saw_nothing().await;
}
