//! The authorization server under strict clients of other hands, unmodified: each goes through a whole flow against the
//! real binary and says what came of it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    client::Opening,
    portal::{Api, Person, send},
    product::Product,
    programs::{client, node, python},
    wait::{PATIENCE, within},
};

/// Nobody listens there: the flows read the address that a browser is sent to, and go no further.
const REDIRECT: &str = "http://127.0.0.1:9/cb";
const BYE: &str = "http://127.0.0.1:9/bye";

/// A key of an application, with what its client is told to be.
async fn key(admin: &Person<'_>, name: &str, told: Value) -> (String, Option<String>) {
    let application = admin.post("/applications", json!({"name": name})).await.is(201).json();
    let path = format!("/applications/{}/keys", application["id"].as_str().unwrap());
    let mut body = json!({
        "type": "production", "redirect_uris": [REDIRECT], "post_logout_redirect_uris": [BYE],
    });
    for (name, value) in told.as_object().unwrap() {
        body[name] = value.clone();
    }
    let key = admin.post(&path, body).await.is(201).json();
    let secret = key["client_secret"].as_str().map(str::to_owned);
    (key["client_id"].as_str().unwrap().to_owned(), secret)
}

/// What a program says, line by line.
async fn said(mut command: Command, product: &Product, id: &str, secret: Option<&str>) -> Vec<String> {
    let told = json!({
        "issuer": product.portal.origin(), "username": "developer", "password": product.portal.password("developer"),
        "id": id, "secret": secret, "redirect": REDIRECT, "bye": BYE, "certificate": product.certificate(),
    });
    command.arg(told.to_string()).env("NODE_EXTRA_CA_CERTS", product.certificate());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let output = within("a flow", PATIENCE, program.wait_with_output()).await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{complaint}");
    said.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn openid_client_goes_through_a_whole_flow() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let grants = json!({"grants": ["client_credentials", "authorization_code", "refresh_token"]});
    let (id, secret) = key(&admin, "Flow", grants).await;
    let expected = [
        "discovered true",
        "code bearer openid profile",
        "userinfo developer",
        "refresh true true",
        "introspection true",
        "revocation false",
        "again invalid_grant",
        "again invalid_grant",
        "client credentials bearer none",
        "signed out http://127.0.0.1:9/bye?state=s",
    ];
    assert_eq!(said(node("openid-client.mjs"), &product, &id, secret.as_deref()).await, expected);
}

#[tokio::test]
async fn oauth4webapi_goes_through_a_whole_flow_without_a_secret() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let told = json!({"client_type": "browser", "grants": ["authorization_code", "refresh_token"]});
    let (id, secret) = key(&admin, "Flow", told).await;
    assert_eq!(secret, None);
    let expected = [
        "discovered 2",
        "code bearer openid",
        "userinfo true",
        "refresh bearer",
        "late invalid_grant",
        "refused login_required",
    ];
    assert_eq!(said(node("oauth4webapi.mjs"), &product, &id, None).await, expected);
}

#[tokio::test]
async fn authlib_goes_through_a_whole_flow() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    for format in ["jwt", "opaque"] {
        let grants = ["authorization_code", "refresh_token"];
        let application = json!({"grants": grants, "token_format": format});
        let (id, secret) = key(&admin, format, application).await;
        let mut command = python();
        command.arg(client("authlib_flow.py"));
        let expected = [
            "code Bearer openid profile",
            "ID token True True True",
            "userinfo developer",
            "refresh True",
            "introspection True",
            "revocation 200",
            "introspection False",
        ];
        assert_eq!(said(command, &product, &id, secret.as_deref()).await, expected, "{format}");
    }
}

#[tokio::test]
async fn openid_client_connects_a_device() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let grants = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"];
    let (id, _) = key(&admin, "Device", json!({"client_type": "native", "grants": grants})).await;
    let expected = [
        "begun true true",
        "person The device is connected",
        "waited authorization_pending",
        "tokens bearer openid profile developer",
        "userinfo developer",
        "refresh bearer",
        "person The device was not allowed",
        "denied access_denied",
    ];
    assert_eq!(said(node("device.mjs"), &product, &id, None).await, expected);
}

#[tokio::test]
async fn openid_client_exchanges_a_token_for_one_of_a_service() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let (id, own) = key(&admin, "Page", json!({"grants": ["authorization_code"]})).await;
    let grants = json!({"grants": ["urn:ietf:params:oauth:grant-type:token-exchange"]});
    let (service, secret) = key(&admin, "Service", grants).await;
    let secrets = json!({"own": own, "service": {"id": service, "secret": secret}}).to_string();
    let expected = [
        "advertised true",
        "exchanged bearer true none",
        "introspection true true true",
        "refused invalid_request",
        "refused invalid_request",
        "refused invalid_target",
        "refused invalid_scope",
        "refused invalid_request",
        "revocation false",
        "refused invalid_request",
    ];
    assert_eq!(said(node("token-exchange.mjs"), &product, &id, Some(&secrets)).await, expected);
}

#[tokio::test]
async fn a_program_registers_itself_and_connects() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Registered", json!({"production": {"url": backend.url()}})).await;
    let body = json!({"name": "Fleet", "owner": "developer", "uses_max": 3});
    let made = admin.post("/registration-tokens", body).await.is(201).json();
    let token = made["token"].as_str().unwrap();
    let mut lines = said(node("registration.mjs"), &product, "", Some(token)).await;
    let last = lines.pop().unwrap();
    let expected = [
        "refused 401",
        "registered Sensor client_secret_basic 0",
        "code openid profile developer",
        "refresh bearer",
        "client credentials bearer",
        "read 200 true no secret",
        "changed 200 Meter",
        "not another invalid_request",
        "not by another 401",
        "page none no secret",
        "page invalid_redirect_uri",
    ];
    assert_eq!(lines, expected);
    let words: Vec<_> = last.split(' ').collect();
    let ["token", client_id, access, own] = words[..] else { panic!("{last}") };
    // It is an application of its owner as any other, which somebody has to subscribe.
    let refused = Opening::to(&api.ws).bearer(access).refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (403, "no-subscription"));
    let applications = admin.get("/applications").await.is(200).json();
    let found = applications["items"].as_array().unwrap().iter().find(|found| found["name"] == "Meter");
    let found = found.unwrap();
    assert_eq!((&found["owner"], &found["registered_by"]), (&json!("developer"), &json!("Fleet")));
    admin.subscribe(found["id"].as_str().unwrap(), &api, "Unlimited").await;
    let mut session = Opening::to(&api.ws).bearer(access).open().await;
    session.echo("registered").await;
    // It takes itself away: its session ends, its token opens nothing any more.
    let place = format!("/oauth2/register/{client_id}");
    let request = product.portal.request(reqwest::Method::DELETE, &place).bearer_auth(own);
    send(request).await.is(204);
    assert_eq!(session.closed().await.0, 3000);
    assert_eq!(Opening::to(&api.ws).bearer(access).refused().await.status, 401);
    assert!(!product.logged().contains(token) && !product.logged().contains(own));
}

/// A key pair of each kind that clients sign with, by algorithm.
fn key_pairs() -> Value {
    let made = node("key-pairs.mjs").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

/// What the client of a key with this public half is told to be.
fn signing(public: &Value) -> Value {
    json!({"authentication": "private_key_jwt", "jwks": {"keys": [public]}})
}

#[tokio::test]
async fn openid_client_proves_itself_with_a_key_of_its_own() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    for (algorithm, pair) in key_pairs().as_object().unwrap() {
        let (id, secret) = key(&admin, algorithm, signing(&pair["public"])).await;
        assert_eq!(secret, None, "there is nothing here that could be stolen");
        let expected = [
            "advertised true true",
            "client credentials bearer",
            "overheard 401 invalid_client",
            "introspection true",
            "revocation false",
            "thief 401",
        ];
        let private = pair["private"].to_string();
        let said = said(node("private-key-jwt.mjs"), &product, &id, Some(&private)).await;
        assert_eq!(said, expected, "{algorithm}");
    }
}

#[tokio::test]
async fn authlib_proves_itself_with_a_key_of_its_own() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let pair = &key_pairs()["ES256"];
    let (id, _) = key(&admin, "Signs", signing(&pair["public"])).await;
    let mut command = python();
    command.arg(client("authlib_private_key_jwt.py"));
    let expected =
        ["client credentials Bearer", "introspection True", "revocation 200", "introspection False"];
    let private = pair["private"].to_string();
    assert_eq!(said(command, &product, &id, Some(&private)).await, expected);
}

#[tokio::test]
async fn an_opaque_token_opens_the_gateway_until_it_is_given_back() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    let (id, secret, api) = {
        let admin = product.portal.admin().await;
        let api = admin.publish("Opaque", json!({"production": {"url": backend.url()}})).await;
        let application = admin.application("Opaque", "Unlimited").await;
        admin.subscribe(&application, &api, "Unlimited").await;
        let path = format!("/applications/{application}/keys");
        let body = json!({"type": "production", "token_format": "opaque"});
        let key = admin.post(&path, body).await.is(201).json();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"), api)
    };
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let granted = product.portal.token(&id, &secret).await.is(200).json();
        tokens.push(granted["access_token"].as_str().unwrap().to_owned());
    }
    for token in &tokens {
        assert!(token.starts_with("tga_"), "{token}");
        Opening::to(&api.ws).bearer(token).open().await.echo("at once").await;
    }
    let unknown = format!("{}0", &tokens[0][..tokens[0].len() - 1]);
    assert_eq!(Opening::to(&api.ws).bearer(&unknown).refused().await.problem(), "credential-invalid");
    let request =
        product.portal.request(reqwest::Method::POST, "/oauth2/revoke").basic_auth(&id, Some(&secret));
    send(request.form(&[("token", &tokens[0])])).await.is(200);
    assert_eq!(Opening::to(&api.ws).bearer(&tokens[0]).refused().await.status, 401);
    Opening::to(&api.ws).bearer(&tokens[1]).open().await.echo("still").await;
    // What was given back stays so, what was issued stays so.
    product.stop().await;
    product.start_again().await;
    let admin = product.portal.admin().await;
    let api = Api::read(&admin.get(&format!("/apis/{}", api.id)).await.is(200).json());
    assert_eq!(Opening::to(&api.ws).bearer(&tokens[0]).refused().await.status, 401);
    Opening::to(&api.ws).bearer(&tokens[1]).open().await.echo("after a restart").await;
}
