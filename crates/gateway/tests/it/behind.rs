//! Behind a proxy: what a backend is told of the client, and whom the gateway believes.

use tidegate_model::forwarded::TrustedProxies;

use crate::{backend::Backend, client::Ask, rig::Rig, world::World};

/// What the backend is told when the client, or a proxy, says this of itself.
async fn told(trusted: &str, said: &[(&str, &str)]) -> (String, String) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| {
        settings.trusted = TrustedProxies::parse(trusted).unwrap();
    })
    .await;
    let ask = said.iter().fold(Ask::usual(&world), |ask, (name, value)| ask.with(name, value));
    rig.open(&ask).await.echo("hello").await;
    let head = backend.head();
    (head.one("x-forwarded-for").to_owned(), head.one("x-forwarded-proto").to_owned())
}

#[tokio::test]
async fn a_client_that_speaks_for_others_is_not_believed() {
    let said = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")];
    for trusted in ["", "10.0.0.0/8"] {
        assert_eq!(told(trusted, &said).await, ("127.0.0.1".to_owned(), "http".to_owned()), "{trusted:?}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_speaks_for_its_client() {
    let said = [("X-Forwarded-For", "1.1.1.1, 203.0.113.9"), ("X-Forwarded-Proto", "https")];
    assert_eq!(told("127.0.0.0/8", &said).await, ("203.0.113.9".to_owned(), "https".to_owned()));
    let silent = told("127.0.0.1", &[]).await;
    assert_eq!(silent, ("127.0.0.1".to_owned(), "http".to_owned()), "a proxy that says nothing");
}
