//! Token exchange (RFC 8693): a person's token for one of another client, and what does not get one. What was exchanged ends
//! with what it came of.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_model::role::Role;
use tidegate_oauth::{
    certificate::thumbprint,
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
};

use super::client::{Client, ISSUER, Stage, claims, form};
use crate::support::{Answer, House, Person, echo};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const THEIRS: &str = "https://issuer.example";
const NOW: i64 = 1_800_000_000;

/// A client of the stage's owner that people allow, and a service of the same owner, both subscribed to one API.
struct Pair {
    stage: Stage,
    admin: Person,
    service: Client,
    /// Where the service's keys are.
    keys: String,
    /// Of the service.
    subscription: String,
}

/// A client that exchanges, of a new application of this person.
async fn service(house: &House, owner: &Person, more: Value) -> (Client, String) {
    let made = house.post(owner, "/api/v1/applications", json!({"name": "Service"})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
    let mut body = json!({"type": "production", "grants": [GRANT]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let key = house.post(owner, &keys, body).await.is(201).json();
    let text = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
    (Client { id: text("client_id"), secret: text("client_secret") }, keys)
}

impl Pair {
    async fn new() -> Self {
        Self::with(json!({}), json!({})).await
    }

    /// With keys that are told this beside the usual.
    async fn with(first: Value, second: Value) -> Self {
        let stage = Stage::with(first).await;
        let admin = stage.house.person("root", &[Role::Admin]).await;
        let mut body = echo();
        body["scopes"] =
            json!([{"name": "read"}, {"name": "write"}, {"name": "run", "roles": ["publisher"]}]);
        body["topics"] = json!({"declared": [{"path": "/*", "publish_scopes": ["read", "write", "run"]}]});
        body["publish"] = json!(true);
        let api = stage.house.post(&admin, "/api/v1/apis", body).await.is(201).json();
        let api = api["id"].as_str().unwrap().to_owned();
        let (service, keys) = service(&stage.house, &stage.owner, second).await;
        let mut subscription = String::new();
        for keys in [&stage.keys, &keys] {
            let application = keys.split('/').nth(4).unwrap();
            let body = json!({"application_id": application, "api_id": api, "plan": "Gold"});
            let made = stage.house.post(&stage.owner, "/api/v1/subscriptions", body).await.is(201).json();
            subscription = text(&made, "id");
        }
        Self { stage, admin, service, keys, subscription }
    }

    /// A token of Ada for the first client.
    async fn token(&self, scope: &str) -> String {
        text(&self.stage.tokens(scope).await, "access_token")
    }

    async fn ask(&self, client: &Client, token: &str, more: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let mut pairs = vec![("grant_type", GRANT), ("subject_token", token)];
        if more.iter().all(|(name, _)| *name != "subject_token_type") {
            pairs.push(("subject_token_type", ACCESS_TOKEN));
        }
        pairs.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        pairs.extend(client.proof());
        let mut request = Request::builder().method(Method::POST).uri("/oauth2/token");
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        self.stage.house.send(request.body(Body::from(form(&pairs))).unwrap()).await
    }

    async fn exchange(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        self.ask(&self.service, token, more, None).await
    }

    #[track_caller]
    fn is_refused(answer: Answer, error: &str, why: &str) {
        let answer = answer.is(400).json();
        assert_eq!(answer["error"], error, "{why}: {answer}");
    }

    /// Whether what the service holds is worth something, by introspection.
    async fn is_active(&self, token: &str) -> bool {
        let mut pairs = vec![("token", token)];
        pairs.extend(self.service.proof());
        let answer = self.stage.post_form(None, "/oauth2/introspect", &form(&pairs)).await.is(200).json();
        answer["active"].as_bool().unwrap()
    }

    /// A key manager, and a client of it that this person's application has provided.
    async fn key_manager(&self, key: &SigningKey, owner: &Person, application: &str) -> Value {
        let body = json!({"name": "Corporate", "issuer": THEIRS, "audiences": ["tidegate"],
            "keys": {"jwks": serde_json::from_str::<Value>(&key_set([key])).unwrap()},
            "claims": {"client_id": "azp", "scope": "scope", "subject": "sub"}});
        let made = self.stage.house.post(&self.admin, "/api/v1/key-managers", body).await.is(201).json();
        let path = format!("/api/v1/applications/{application}/provided-keys");
        let body = json!({"key_manager": made["id"], "client_id": "their-app", "type": "production"});
        self.stage.house.post(owner, &path, body).await.is(201);
        made
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

fn new_key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

/// A token of the key manager in which these claims are others.
#[expect(clippy::needless_pass_by_value, reason = "a literal is given away")]
fn theirs(key: &SigningKey, changed: Value) -> String {
    let mut claims = json!({"iss": THEIRS, "sub": "user-7", "aud": "tidegate", "azp": "their-app", "scope": "read run",
        "iat": NOW, "exp": NOW + 600, "jti": "t-1"});
    claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    key.signed(&json!({"typ": "JWT", "alg": "ES256", "kid": key.kid()}), &claims).unwrap()
}

#[tokio::test]
async fn a_service_gets_a_token_of_its_own_for_the_same_person() {
    let pair = Pair::new().await;
    let before = pair.token("openid profile read write").await;
    let answer = pair.exchange(&before, &[]).await.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let granted = answer.json();
    assert_eq!(
        (&granted["issued_token_type"], &granted["token_type"], &granted["scope"]),
        (&json!(ACCESS_TOKEN), &json!("Bearer"), &json!("read write")),
        "what a person told one client is not told to another"
    );
    assert!(granted.get("refresh_token").is_none() && granted.get("id_token").is_none(), "{granted}");
    let (old, new) = (claims(&before), claims(&text(&granted, "access_token")));
    assert_eq!((&new["sub"], &new["iss"], &new["grant_id"]), (&old["sub"], &old["iss"], &old["grant_id"]));
    assert_eq!(
        (new["client_id"].as_str(), &new["aud"]),
        (Some(&*pair.service.id), &json!(format!("{ISSUER}/gateway")))
    );
    assert_eq!(new["source"]["client_id"], old["client_id"]);
    assert!(pair.is_active(&text(&granted, "access_token")).await);
    let userinfo = pair.stage.userinfo(&text(&granted, "access_token")).await;
    assert_ne!(userinfo.status, 200, "it says nothing of the person");
    // Every name for what there is, is taken.
    let target = format!("{ISSUER}/gateway");
    let more = [
        ("requested_token_type", JWT),
        ("subject_token_type", JWT),
        ("audience", &*target),
        ("resource", &*target),
    ];
    assert_eq!(pair.exchange(&before, &more).await.is(200).json()["issued_token_type"], JWT);
    let twice = [("audience", &*target), ("audience", &*target)];
    pair.exchange(&before, &twice).await.is(200);
}

#[tokio::test]
async fn nothing_is_for_more_than_what_it_came_of_and_nothing_outlives_it() {
    let pair = Pair::new().await;
    let before = pair.token("read").await;
    assert_eq!(pair.exchange(&before, &[("scope", "read")]).await.is(200).json()["scope"], "read");
    for beyond in ["write", "read write", "openid", "run", "other"] {
        Pair::is_refused(pair.exchange(&before, &[("scope", beyond)]).await, "invalid_scope", beyond);
    }
    let exp = claims(&before)["exp"].as_i64().unwrap();
    pair.stage.house.clock.0.fetch_add(3_000_000, Ordering::Relaxed);
    let granted = pair.exchange(&before, &[]).await.is(200).json();
    assert_eq!(claims(&text(&granted, "access_token"))["exp"], exp);
    assert_eq!(granted["expires_in"], 600);
    pair.stage.house.clock.0.fetch_add(600_000, Ordering::Relaxed);
    Pair::is_refused(pair.exchange(&before, &[]).await, "invalid_request", "at its end");
}

#[tokio::test]
async fn what_is_not_a_persons_token_is_not_exchanged() {
    let pair = Pair::new().await;
    let tokens = pair.stage.tokens("openid read").await;
    let good = text(&tokens, "access_token");
    let own = {
        let mut pairs = vec![("grant_type", "client_credentials")];
        pairs.extend(pair.stage.client.proof());
        text(&pair.stage.token(&form(&pairs)).await.is(200).json(), "access_token")
    };
    let exchanged = text(&pair.exchange(&good, &[]).await.is(200).json(), "access_token");
    let mut forged = good.clone();
    forged.replace_range(forged.len() - 8..forged.len() - 4, "AAAA");
    for (token, why) in [
        (&*own, "a client's own"),
        (&*text(&tokens, "id_token"), "an ID token"),
        (&*text(&tokens, "refresh_token"), "a refresh token"),
        (&*exchanged, "exchanged before"),
        (&*forged, "forged"),
        ("tga_0000000000000000000000000000000000000000000", "an opaque one that nobody has"),
        ("word", "no token"),
        (&*theirs(&new_key(), json!({})), "of an issuer that nobody knows"),
        (&*theirs(&new_key(), json!({"iss": ISSUER})), "in our name"),
    ] {
        Pair::is_refused(pair.exchange(token, &[]).await, "invalid_request", why);
    }
    for (more, error) in [
        (&[("subject_token_type", "")][..], "invalid_request"),
        (&[("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")], "invalid_request"),
        (&[("subject_token_type", "urn:ietf:params:oauth:token-type:saml2")], "invalid_request"),
        (&[("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], "invalid_request"),
        (&[("actor_token", &*good), ("actor_token_type", ACCESS_TOKEN)], "invalid_request"),
        (&[("actor_token_type", ACCESS_TOKEN)], "invalid_request"),
        (&[("audience", "https://elsewhere.example")], "invalid_target"),
        (&[("resource", "wss://localhost:8099/echo/1.0")], "invalid_target"),
        (&[("audience", ISSUER), ("audience", "https://localhost:9443/gateway")], "invalid_target"),
        (&[("scope", "read"), ("scope", "read")], "invalid_request"),
    ] {
        Pair::is_refused(pair.exchange(&good, more).await, error, &format!("{more:?}"));
    }
    Pair::is_refused(pair.exchange("", &[]).await, "invalid_request", "none");
}

#[tokio::test]
async fn only_clients_of_one_owner_and_one_environment_exchange_and_only_with_the_grant() {
    let pair = Pair::new().await;
    let (house, token) = (&pair.stage.house, pair.token("read").await);
    Pair::is_refused(
        pair.ask(&pair.stage.client, &token, &[], None).await,
        "unauthorized_client",
        "a client without the grant",
    );
    let thief = house.person("eve", &[Role::Subscriber]).await;
    let (theirs, _) = service(house, &thief, json!({})).await;
    Pair::is_refused(pair.ask(&theirs, &token, &[], None).await, "invalid_request", "another owner");
    let body = json!({"type": "sandbox", "grants": [GRANT]});
    let key = house.post(&pair.stage.owner, &pair.keys, body).await.is(201).json();
    let sandbox = Client { id: text(&key, "client_id"), secret: text(&key, "client_secret") };
    Pair::is_refused(pair.ask(&sandbox, &token, &[], None).await, "invalid_request", "another environment");
    let silent = Client { id: pair.service.id.clone(), secret: String::new() };
    let answer = pair.ask(&silent, &token, &[], None).await.is(401).json();
    assert_eq!(answer["error"], "invalid_client", "a client that does not prove itself");
    // One that could not is never given the grant.
    let body = json!({"grants": [GRANT], "client_type": "native"});
    let path = format!("{}/{}", pair.keys, pair.service.id);
    let refused = house.call(&pair.stage.owner, Method::PATCH, &path, Some(body)).await.is(400);
    assert!(refused.text.contains("needs_secret"), "{}", refused.text);
}

#[tokio::test]
async fn what_was_exchanged_ends_with_what_it_came_of() {
    let ends: [(&str, &str); 6] = [
        ("token", "the token was handed back"),
        ("grant", "the authorization was ended"),
        ("client", "all tokens of its client were ended"),
        ("person", "its person was disabled"),
        ("key", "its client was deleted"),
        ("own", "all tokens of the service were ended"),
    ];
    for (what, why) in ends {
        for second in [json!({}), json!({"token_format": "opaque"})] {
            let pair = Pair::with(json!({}), second).await;
            let house = &pair.stage.house;
            let tokens = pair.stage.tokens("read").await;
            let before = text(&tokens, "access_token");
            let after = text(&pair.exchange(&before, &[]).await.is(200).json(), "access_token");
            assert!(pair.is_active(&after).await, "{why}");
            let ended = async |token: &str| {
                let mut pairs = vec![("token", token)];
                pairs.extend(pair.stage.client.proof());
                pair.stage.post_form(None, "/oauth2/revoke", &form(&pairs)).await.is(200);
            };
            let first = format!("{}/{}", pair.stage.keys, pair.stage.client.id);
            let owner = &pair.stage.owner;
            match what {
                "token" => ended(&before).await,
                "grant" => ended(&text(&tokens, "refresh_token")).await,
                "client" => {
                    drop(house.call(owner, Method::DELETE, &format!("{first}/tokens"), None).await.is(204));
                }
                "key" => drop(house.call(owner, Method::DELETE, &first, None).await.is(204)),
                "own" => {
                    let path = format!("{}/{}/tokens", pair.keys, pair.service.id);
                    house.call(owner, Method::DELETE, &path, None).await.is(204);
                }
                _ => {
                    let me = house.get(&pair.stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
                    house
                        .change_user(&pair.admin, me.as_str().unwrap(), &["observer"], "disabled")
                        .await
                        .is(200);
                }
            }
            assert!(!pair.is_active(&after).await, "{why}");
            if what != "own" {
                Pair::is_refused(pair.exchange(&before, &[]).await, "invalid_request", why);
            }
        }
    }
}

#[tokio::test]
async fn a_bound_token_is_exchanged_by_who_holds_its_key_for_one_that_is_bound_as_well() {
    let pair = Pair::new().await;
    let (holder, other) = (new_key(), new_key());
    let proof = |key: &SigningKey, jti: &str| {
        let set: Value = serde_json::from_str(&key_set([key])).unwrap();
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": set["keys"][0]});
        let claims = json!({"jti": jti, "htm": "POST", "htu": format!("{ISSUER}/oauth2/token"), "iat": NOW});
        key.signed(&header, &claims).unwrap()
    };
    let code = pair.stage.code("read").await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("dpop", proof(&holder, "1"));
    let body = Body::from(form(&pair.stage.redeeming(&code)));
    let bound =
        text(&pair.stage.house.send(request.body(body).unwrap()).await.is(200).json(), "access_token");
    assert!(claims(&bound)["cnf"]["jkt"].is_string());
    Pair::is_refused(pair.exchange(&bound, &[]).await, "invalid_request", "no proof");
    let asked = async |proof: &str| pair.ask(&pair.service, &bound, &[], Some(proof)).await;
    Pair::is_refused(asked(&proof(&other, "2")).await, "invalid_request", "another key");
    let granted = asked(&proof(&holder, "3")).await.is(200).json();
    assert_eq!(granted["token_type"], "DPoP");
    assert_eq!(claims(&text(&granted, "access_token"))["cnf"], claims(&bound)["cnf"]);
    Pair::is_refused(
        asked(&proof(&holder, "3")).await,
        "invalid_dpop_proof",
        "a proof that was shown before",
    );
}

#[tokio::test]
async fn one_that_is_bound_to_a_certificate_is_exchanged_by_who_shows_it_for_one_that_is_bound_as_well() {
    let pair = Pair::with(json!({"certificate_bound_tokens": true}), json!({})).await;
    let ask = async |body: &str, shown: Option<u8>| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(number) = shown {
            request = request.extension(tidegate_control::Shown(thumbprint(&[number]).into()));
        }
        pair.stage.house.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let code = pair.stage.code("read").await;
    let bound = ask(&form(&pair.stage.redeeming(&code)), Some(1)).await.is(200).json();
    let bound = text(&bound, "access_token");
    let mut pairs =
        vec![("grant_type", GRANT), ("subject_token", &*bound), ("subject_token_type", ACCESS_TOKEN)];
    pairs.extend(pair.service.proof());
    let body = form(&pairs);
    Pair::is_refused(ask(&body, None).await, "invalid_request", "none shown");
    Pair::is_refused(ask(&body, Some(2)).await, "invalid_request", "another");
    let granted = ask(&body, Some(1)).await.is(200).json();
    assert_eq!(granted["token_type"], "Bearer");
    assert_eq!(claims(&text(&granted, "access_token"))["cnf"], claims(&bound)["cnf"]);
}

#[tokio::test]
async fn opaque_tokens_are_exchanged_and_gateways_are_told_what_they_came_of() {
    let opaque = json!({"token_format": "opaque"});
    let pair = Pair::with(opaque.clone(), opaque).await;
    let before = pair.token("read write").await;
    Pair::is_refused(
        pair.exchange(&before, &[("subject_token_type", JWT)]).await,
        "invalid_request",
        "no JWT",
    );
    let more = [("requested_token_type", JWT)];
    Pair::is_refused(pair.exchange(&before, &more).await, "invalid_request", "no JWT to be had");
    let granted = pair.exchange(&before, &[("scope", "read")]).await.is(200).json();
    assert!(text(&granted, "access_token").starts_with("tga_"));
    let told = pair.stage.house.tokens.lock().await.clone();
    let [first, second] = [&pair.stage.client.id, &pair.service.id]
        .map(|id| told.iter().find(|token| token.client_id == *id).unwrap());
    let source = second.source.as_ref().unwrap();
    assert_eq!(
        (&source.client_id, &source.key_manager, &source.signed_with),
        (&first.client_id, &None, &None)
    );
    assert_eq!(
        (&second.subject, &second.grant_id, &*second.scope),
        (&first.subject, &first.grant_id, "read")
    );
    assert!(second.expires_at <= first.expires_at && first.source.is_none());
}

#[tokio::test]
async fn a_token_of_a_key_manager_is_exchanged_by_who_has_provided_its_client() {
    let pair = Pair::new().await;
    let (key, owner) = (new_key(), &pair.stage.owner);
    let application = pair.stage.keys.split('/').nth(4).unwrap();
    let made = pair.key_manager(&key, owner, application).await;
    let token = theirs(&key, json!({}));
    let granted = pair.exchange(&token, &[]).await.is(200).json();
    assert_eq!((&granted["scope"], &granted["expires_in"]), (&json!("read run"), &json!(600)));
    let access = text(&granted, "access_token");
    let new = claims(&access);
    assert_eq!((&new["sub"], &new["iss"]), (&json!("Corporate|user-7"), &json!(ISSUER)));
    assert_eq!(
        (&new["source"]["key_manager"], &new["source"]["client_id"]),
        (&made["id"], &json!("their-app"))
    );
    assert!(new.get("grant_id").is_none() && pair.is_active(&access).await);
    for (changed, why) in [
        (json!({"aud": "elsewhere"}), "for another audience"),
        (json!({"exp": NOW}), "at its end"),
        (json!({"azp": "unknown"}), "a client that nobody has provided"),
        (json!({"sub": "their-app"}), "a client's own"),
        (json!({"nonce": "n"}), "an ID token"),
        (json!({"cnf": {"jkt": "thumbprint"}}), "bound, and nobody proves it"),
        (json!({"cnf": {"x5t#S256": "A".repeat(43)}}), "bound to a certificate, and none is shown"),
        (json!({"cnf": {"x": "y"}}), "bound in a way that nobody knows"),
    ] {
        Pair::is_refused(pair.exchange(&theirs(&key, changed), &[]).await, "invalid_request", why);
    }
    let stranger = new_key();
    Pair::is_refused(
        pair.exchange(&theirs(&stranger, json!({})), &[]).await,
        "invalid_request",
        "another key",
    );
    let thief = pair.stage.house.person("eve", &[Role::Subscriber]).await;
    let (other, _) = service(&pair.stage.house, &thief, json!({})).await;
    Pair::is_refused(pair.ask(&other, &token, &[], None).await, "invalid_request", "another owner");
    // What comes of it ends with the key manager.
    let path = format!("/api/v1/key-managers/{}", made["id"].as_str().unwrap());
    pair.stage.house.call(&pair.admin, Method::DELETE, &path, None).await.is(204);
    assert!(!pair.is_active(&access).await);
    Pair::is_refused(pair.exchange(&token, &[]).await, "invalid_request", "of an issuer that is gone");
}

#[tokio::test]
async fn what_a_person_may_have_is_read_anew() {
    let pair = Pair::new().await;
    let me = pair.stage.house.get(&pair.stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
    let me = me.as_str().unwrap();
    let house = &pair.stage.house;
    house.change_user(&pair.admin, me, &["publisher"], "active").await.is(200);
    let before = pair.token("read run").await;
    assert_eq!(pair.exchange(&before, &[]).await.is(200).json()["scope"], "read run");
    house.change_user(&pair.admin, me, &["observer"], "active").await.is(200);
    assert_eq!(pair.exchange(&before, &[]).await.is(200).json()["scope"], "read");
    // And so is what the service reaches.
    let path = format!("/api/v1/subscriptions/{}", pair.subscription);
    house.call(&pair.stage.owner, Method::DELETE, &path, None).await.is(204);
    assert_eq!(pair.exchange(&before, &[]).await.is(200).json()["scope"], Value::Null);
}
