//! What the metadata advertises works, and what it does not advertise does not.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{Answer, House, ORIGIN, Person};

const GRANTS: [&str; 10] = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "implicit",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:openid:params:grant-type:ciba",
];

async fn document(house: &House) -> Value {
    let mut documents = Vec::new();
    for name in ["openid-configuration", "oauth-authorization-server"] {
        documents.push(house.get(&Person::default(), &format!("/.well-known/{name}")).await.is(200).json());
    }
    assert_eq!(documents[0]["issuer"], documents[1]["issuer"]);
    documents.remove(1)
}

fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().into_iter().flatten();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

async fn ask(house: &House, authorization: Option<&str>, form: &str) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/oauth2/token");
    request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    house.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// A client that may only get tokens for itself.
async fn client(house: &House) -> (String, String) {
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let made = house.post(&developer, "/api/v1/applications", json!({"name": "One"})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
    let key = house.post(&developer, &keys, json!({"type": "production"})).await.is(201).json();
    (key["client_id"].as_str().unwrap().to_owned(), key["client_secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_address_is_the_issuers_and_answers() {
    let house = House::new().await;
    for (name, value) in document(&house).await.as_object().unwrap() {
        let Some(address) = value.as_str().filter(|_| name.ends_with("_endpoint") || name.ends_with("_uri"))
        else {
            continue;
        };
        let path = address.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{name} is elsewhere: {address}"));
        let status = house.get(&Person::default(), path).await.status.as_u16();
        assert!(status != 404 && status < 500, "{name}: {status}");
    }
}

#[tokio::test]
async fn a_grant_is_known_if_it_is_advertised_and_else_not() {
    let house = House::new().await;
    let (id, secret) = client(&house).await;
    let advertised = list(&document(&house).await, "grant_types_supported");
    assert!(advertised.iter().all(|grant| GRANTS.contains(&&**grant)), "{advertised:?}: add it to the table");
    for grant in GRANTS {
        let form = format!("grant_type={grant}&client_id={id}&client_secret={secret}");
        let answer = ask(&house, None, &form).await.json();
        let is_unknown = answer["error"] == "unsupported_grant_type";
        assert_eq!(is_unknown, !advertised.iter().any(|known| known == grant), "{grant}: {answer}");
    }
}

#[tokio::test]
async fn a_way_of_client_authentication_works_if_it_is_advertised_and_else_not() {
    let house = House::new().await;
    let (id, secret) = client(&house).await;
    let advertised = list(&document(&house).await, "token_endpoint_auth_methods_supported");
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (method, authorization, form) in [
        ("client_secret_basic", Some(&*basic), String::new()),
        ("client_secret_post", None, format!("&client_id={id}&client_secret={secret}")),
        ("client_secret_jwt", None, format!("&client_id={id}&{assertion}&client_assertion=a.b.c")),
        ("tls_client_auth", None, format!("&client_id={id}")),
        ("self_signed_tls_client_auth", None, format!("&client_id={id}")),
    ] {
        let answer = ask(&house, authorization, &format!("grant_type=client_credentials{form}")).await;
        let works = answer.status.as_u16() == 200;
        assert_eq!(works, advertised.iter().any(|known| known == method), "{method}: {}", answer.text);
        assert!(works || answer.json()["error"] == "invalid_client", "{method}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_signing_algorithms_are_those_of_the_published_keys() {
    let house = House::new().await;
    let admin = house.person("ada", &[Role::Admin]).await;
    for (algorithm, expected) in [("EdDSA", &["ES256", "EdDSA"][..]), ("RS256", &["ES256", "EdDSA", "RS256"])]
    {
        let wish = json!({"algorithm": algorithm, "at_once": true});
        house.post(&admin, "/api/v1/signing-keys", wish).await.is(201);
        assert_eq!(list(&document(&house).await, "id_token_signing_alg_values_supported"), expected);
        let set = house.get(&Person::default(), "/oauth2/jwks").await.is(200).json();
        let mut published: Vec<_> = set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["alg"].as_str().unwrap().to_owned())
            .collect();
        published.sort();
        assert_eq!(published, expected);
    }
}
