//! What a backend gets beside messages, as an API of the REST API says it: headers, a signed word on the client that
//! verifies with the published keys, and mapped topics.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, Seen},
    client::Opening,
    portal::Api,
    product::Product,
};

/// The value of a header that the backend got once.
fn header<'h>(seen: &'h Seen, name: &str) -> &'h str {
    let opening = format!("\"{name}\": \"");
    let mut found = seen.head.split(&opening).skip(1).map(|rest| rest.split('"').next().unwrap());
    let value = found.next().unwrap_or_else(|| panic!("no {name}: {}", seen.head));
    assert_eq!(found.next(), None, "{name} stands once: {}", seen.head);
    value
}

/// A document that everybody may read.
async fn published(product: &Product, path: &str) -> Value {
    product.portal.get(path).await.is(200).json()
}

#[tokio::test]
async fn a_backend_gets_what_the_api_says() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let made = admin.post(
        "/apis",
        json!({
            "name": "Passing", "context": "/passing", "version": "1.0", "plans": ["Gold"], "publish": true,
            "endpoints": {"production": {"url": format!("{}/base?key=k", backend.url())}},
            "headers": {
                "deny": ["X-Debug"],
                "rename": [{"from": "X-Device", "to": "Device-Id"}],
                "set": [{"name": "X-Application", "value": "{application}"},
                    {"name": "X-Client", "value": "{client_id};plan={plan};topic={topic}"}],
                "backend_jwt": true,
            },
            "mappings": [{"topic": "/rooms/{room}", "backend": "/chat?room={room}"}],
        }),
    );
    let api = Api::read(&made.await.is(201).json());
    let access = admin.access("Wetter & Söhne", &api, "Gold").await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let opening = Opening::to(&format!("{}/rooms/7?a=1", api.ws))
        .bearer(&access.token)
        .header("X-Device", "7")
        .header("X-Debug", "1")
        .header("X-Application", "forged")
        .header("X-JWT-Assertion", "forged")
        .header("traceparent", parent);
    let mut client = opening.open().await;
    client.echo("hello").await;
    let [seen] = backend.seen().try_into().unwrap();

    assert!(seen.head.contains("/base/chat?key=k&room=7&a=1"), "{}", seen.head);
    assert_eq!(header(&seen, "device-id"), "7");
    assert_eq!(header(&seen, "x-application"), "Wetter%20&%20S%C3%B6hne");
    assert_eq!(header(&seen, "x-client"), format!("{};plan=Gold;topic=/rooms/7", access.client_id));
    assert!(header(&seen, "traceparent").starts_with(&parent[..36]), "{}", seen.head);
    for gone in ["x-device", "x-debug", "authorization", "forged"] {
        assert!(!seen.head.to_lowercase().contains(gone), "{gone}: {}", seen.head);
    }

    let token = header(&seen, "x-jwt-assertion");
    let issuer = published(&product, "/.well-known/openid-configuration").await["issuer"].clone();
    let issuer = issuer.as_str().unwrap();
    let keys: JwkSet = serde_json::from_value(published(&product, "/oauth2/backend-jwks").await).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[&api.path]);
    rules.set_issuer(&[format!("{issuer}/backend")]);
    rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("its key is published")).unwrap();
    let told = decode::<Value>(token, &key, &rules).unwrap().claims;
    for (claim, value) in [
        ("sub", &*access.client_id),
        ("client_id", &access.client_id),
        ("application", "Wetter & Söhne"),
        ("application_id", &access.application),
        ("plan", "Gold"),
        ("api", "Passing"),
        ("api_id", &api.id),
        ("version", "1.0"),
        ("environment", "production"),
        ("session", header(&seen, "x-request-id")),
    ] {
        assert_eq!(told[claim], value, "{claim}: {told}");
    }

    let access_keys: JwkSet = serde_json::from_value(published(&product, "/oauth2/jwks").await).unwrap();
    assert!(access_keys.find(&kid).is_none(), "no access token is signed with it");
    let refused = Opening::to(&api.ws).bearer(token).refused().await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-invalid"));
    assert!(!product.logged().contains(token), "it is not logged");
}
