//! Secrets of endpoints: kept where they belong, and nowhere else.

use super::*;
use crate::user::Secret;

fn secret(text: &str) -> Secret {
    Secret(text.to_owned())
}

fn basic(username: &str, password: &str) -> Credential {
    Credential::Basic { username: username.to_owned(), password: secret(password) }
}

fn with(url: &str, credential: Credential) -> Endpoints {
    Endpoints {
        production: Some(Endpoint { credential: Box::new(credential), ..Endpoint::new(url) }),
        sandbox: None,
    }
}

fn kept(before: &Endpoints, mut now: Endpoints) -> Option<String> {
    now.keep_secrets(before);
    now.production?.credential.secret().map(|secret| secret.0.clone())
}

#[test]
fn a_secret_that_is_left_out_stays() {
    let before = with("wss://backend/a", basic("me", "old"));
    assert_eq!(kept(&before, with("wss://backend/b", basic("me", ""))).as_deref(), Some("old"));
    assert_eq!(kept(&before, with("wss://backend/b", basic("me", "new"))).as_deref(), Some("new"));
    assert_eq!(kept(&before, with("wss://backend/a", Credential::None)), None);
}

#[test]
fn a_secret_is_not_kept_for_somebody_else() {
    let before = with("wss://backend/a", basic("me", "old"));
    for (url, credential) in [
        ("wss://elsewhere/a", basic("me", "")),
        ("ws://backend/a", basic("me", "")),
        ("wss://backend:8443/a", basic("me", "")),
        ("wss://backend/a", basic("you", "")),
        ("wss://backend/a", Credential::Header { name: "me".to_owned(), value: secret("") }),
    ] {
        assert_eq!(kept(&before, with(url, credential)).as_deref(), Some(""), "{url}");
    }
    let mut now = with("wss://backend/a", basic("me", ""));
    now.production.as_mut().unwrap().others.push("wss://elsewhere".to_owned());
    assert_eq!(kept(&before, now).as_deref(), Some(""));
}

#[test]
fn a_token_of_an_authorization_server_is_asked_for_at_the_same_place() {
    let oauth = |token_url: &str, client_secret: &str| Credential::OAuth {
        token_url: token_url.to_owned(),
        client_id: "gateway".to_owned(),
        client_secret: secret(client_secret),
        scope: String::new(),
    };
    let before = with("wss://backend", oauth("https://issuer/token", "old"));
    assert_eq!(
        kept(&before, with("wss://backend", oauth("https://issuer/token", ""))).as_deref(),
        Some("old")
    );
    assert_eq!(kept(&before, with("wss://backend", oauth("https://thief/token", ""))).as_deref(), Some(""));
}

#[test]
fn the_key_of_a_client_certificate_stays_with_it() {
    let endpoint = |certificate: &str, key: &str| {
        let tls = BackendTls {
            client_certificate: certificate.to_owned(),
            client_key: secret(key),
            ..BackendTls::default()
        };
        Endpoints {
            production: Some(Endpoint { tls: Box::new(tls), ..Endpoint::new("wss://backend") }),
            sandbox: None,
        }
    };
    let key_after = |mut now: Endpoints| {
        now.keep_secrets(&endpoint("A", "key of A"));
        now.production.unwrap().tls.client_key.0
    };
    assert_eq!(key_after(endpoint("A", "")), "key of A");
    assert_eq!(key_after(endpoint("B", "")), "");
}

#[test]
fn nothing_secret_is_left_after_redaction() {
    let mut endpoints = with("wss://backend", basic("me", "hidden-password"));
    endpoints.production.as_mut().unwrap().tls.client_key = secret("hidden-key");
    endpoints.sandbox = endpoints.production.clone();
    assert!(!format!("{endpoints:?}").contains("hidden"));
    endpoints.redact();
    assert!(!serde_json::to_string(&endpoints).unwrap().contains("hidden"));
}

#[test]
fn a_test_of_another_address_takes_secrets_along_to_the_same_place_only() {
    let mut saved = with("wss://backend:8443/a", basic("me", "old")).production.unwrap();
    saved.others.push("wss://second".to_owned());
    saved.tls.client_key = secret("key");
    for url in ["wss://backend:8443/other?x=1", "wss://BACKEND:8443", "wss://second:443/"] {
        let tried = saved.at(url);
        assert_eq!((tried.url.as_str(), tried.others.len()), (url, 0));
        assert_eq!((&tried.credential, &tried.tls), (&saved.credential, &saved.tls), "{url}");
    }
    for url in ["ws://backend:8443/a", "wss://backend/a", "wss://thief:8443/a", "nonsense", ""] {
        let tried = saved.at(url);
        assert_eq!((*tried.credential, *tried.tls), <_>::default(), "{url}");
    }
}
