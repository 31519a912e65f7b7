//! Signing in by another issuer: from the button to the portal, and every way in which it must not succeed.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_model::{
    port::{Catalog as _, NoDocument},
    role::Role,
};
use tidegate_oauth::{
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
    pkce,
};

use crate::support::{Answer, House, PASSWORD, Person};

const ISSUER: &str = "https://sso.example";
const PATH: &str = "/api/v1/sign-in-providers";
const SECRET: &str = "canary-client-secret";

/// An issuer by which people sign in, the house, and its administrator.
struct Stage {
    house: House,
    admin: Person,
    key: SigningKey,
    provider: Value,
}

/// A browser that was sent to the issuer.
struct Sent {
    cookie: String,
    query: BTreeMap<String, String>,
}

fn made(over: &Value) -> Value {
    let mut body = json!({"name": "Corporate SSO", "issuer": ISSUER, "client_id": "tidegate",
        "client_secret": SECRET, "newcomers": "enter", "roles": ["subscriber"]});
    for (name, value) in over.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl Stage {
    async fn new(over: Value) -> Self {
        let house = House::new().await;
        let admin = house.person("boss", &[Role::Admin]).await;
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
        let stage = Self { house, admin, key, provider: Value::Null };
        stage.publishes(json!({})).await;
        let provider = stage.house.post(&stage.admin, PATH, made(&over)).await.is(201).json();
        Self { provider, ..stage }
    }

    /// What the issuer says of itself.
    async fn publishes(&self, over: Value) {
        let mut document = json!({"issuer": ISSUER, "authorization_endpoint": "https://sso.example/authorize",
            "token_endpoint": "https://sso.example/token", "jwks_uri": "https://sso.example/jwks",
            "userinfo_endpoint": "https://sso.example/me"});
        for (name, value) in over.as_object().unwrap() {
            document[name] = value.clone();
        }
        let shelf = &self.house.shelf;
        let place = "https://sso.example/.well-known/openid-configuration";
        shelf.put(place, Ok(&document.to_string())).await;
        shelf.put("https://sso.example/jwks", Ok(&key_set([&self.key]))).await;
    }

    fn id(&self) -> &str {
        self.provider["id"].as_str().unwrap()
    }

    async fn put(&self, over: &Value) -> Answer {
        let request = House::request(&self.admin, &Method::PUT, &format!("{PATH}/{}", self.id()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, "*");
        self.house.send(request.body(Body::from(made(over).to_string())).unwrap()).await
    }

    async fn browser(&self, path: &str, cookie: &str) -> Answer {
        let request = House::request(&Person::default(), &Method::GET, path).header(header::COOKIE, cookie);
        self.house.send(request.body(Body::empty()).unwrap()).await
    }

    async fn sent(&self, to: &str) -> Sent {
        let answer = self.browser(&format!("/sign-in/with/{}{to}", self.id()), "").await.is(303);
        let address = url::Url::parse(answer.header("location")).unwrap();
        assert_eq!(address.as_str().split('?').next(), Some("https://sso.example/authorize"));
        let flags = answer.header("set-cookie").split_once(';').unwrap();
        assert_eq!(flags.1, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
        assert!(flags.0.starts_with("__Host-tidegate_sign_in=tgn_"), "{}", flags.0);
        Sent { cookie: flags.0.to_owned(), query: address.query_pairs().into_owned().collect() }
    }

    fn claims(&self, sent: &Sent) -> Value {
        let now = self.house.clock.0.load(std::sync::atomic::Ordering::Relaxed) / 1_000;
        json!({"iss": ISSUER, "sub": "248289761001", "aud": "tidegate", "exp": now + 60, "iat": now,
            "nonce": sent.query["nonce"], "preferred_username": "ada"})
    }

    /// A code is worth an ID token that says this.
    async fn vouches(&self, claims: &Value) {
        self.answers_with(&self.key.jws("JWT", claims).unwrap()).await;
    }

    async fn answers_with(&self, id_token: &str) {
        let answer = json!({"id_token": id_token, "access_token": "their-token", "token_type": "Bearer"});
        self.house.shelf.put("https://sso.example/token by form", Ok(&answer.to_string())).await;
    }

    async fn back(&self, sent: &Sent, query: &str) -> Answer {
        self.browser(&format!("/sign-in/callback/{}?{query}", self.id()), &sent.cookie).await
    }

    fn query(sent: &Sent) -> String {
        format!("code=their-code&state={}", sent.query["state"])
    }

    /// Somebody of whom the issuer says this, beside what it says of everybody.
    async fn comes(&self, over: Value) -> Answer {
        let sent = self.sent("").await;
        let mut claims = self.claims(&sent);
        for (name, value) in over.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        self.vouches(&claims).await;
        self.back(&sent, &Self::query(&sent)).await
    }

    async fn person(&self, answer: &Answer) -> (Person, Value) {
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
        let cookie = session_of(answer).expect("a portal session begins");
        let session = self.browser("/api/v1/session", &cookie).await.is(200).json();
        (Person::with(&cookie, session["csrf_token"].as_str().unwrap()), session)
    }

    /// What the audit log says of sign-ins that failed.
    async fn failed(&self) -> Vec<String> {
        let found = self.house.get(&self.admin, "/api/v1/audit?kind=sign_in").await.is(200).json();
        let told = found["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap());
        told.filter(|action| action.contains("failed")).map(str::to_owned).collect()
    }
}

fn session_of(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let mut pairs = cookies.map(|cookie| cookie.split(';').next().unwrap());
    pairs.find(|pair| pair.starts_with("__Host-tidegate_session=tgw_")).map(str::to_owned)
}

#[tokio::test]
async fn somebody_whom_the_issuer_vouches_for_is_in_and_the_same_person_the_next_time() {
    let stage = Stage::new(json!({"scopes": ["profile", "email"]})).await;
    let choices = stage.house.get(&Person::default(), "/api/v1/session/providers").await.is(200).json();
    assert_eq!(choices["items"], json!([{"id": stage.id(), "name": "Corporate SSO"}]));
    let sent = stage.sent("?to=%2Fdevportal%3Fq%3Decho").await;
    assert_eq!(sent.query["scope"], "openid profile email");
    assert_eq!(
        (sent.query["response_type"].as_str(), sent.query["client_id"].as_str()),
        ("code", "tidegate")
    );
    assert_eq!(sent.query["redirect_uri"], stage.provider["redirect_uri"].as_str().unwrap());
    stage.vouches(&stage.claims(&sent)).await;
    let answer = stage.back(&sent, &Stage::query(&sent)).await;
    assert_eq!(answer.header("location"), "/devportal?q=echo");
    let form = stage.house.shelf.last_form().await;
    assert!(pkce::proves(&form["code_verifier"], &sent.query["code_challenge"]), "{form:?}");
    assert_eq!((form["code"].as_str(), form["client_secret"].as_str()), ("their-code", SECRET));
    assert_eq!(form["redirect_uri"], sent.query["redirect_uri"]);
    let (ada, session) = stage.person(&answer).await;
    assert_eq!(session["user"]["username"], "ada");
    assert_eq!(
        (&session["user"]["roles"], &session["user"]["has_password"]),
        (&json!(["subscriber"]), &json!(false))
    );
    stage.house.get(&ada, "/api/v1/applications").await.is(200);
    stage.house.get(&ada, "/api/v1/users").await.is(403);

    // By the subject, whatever the name is by then; the roles are the administrator's to change.
    let id = session["user"]["id"].as_str().unwrap();
    stage.house.change_user(&stage.admin, id, &["creator"], "active").await.is(200);
    let (_, again) = stage.person(&stage.comes(json!({"preferred_username": "countess"})).await).await;
    assert_eq!((&again["user"]["id"], &again["user"]["username"]), (&json!(id), &json!("ada")));
    assert_eq!(again["user"]["roles"], json!(["creator"]));
    let user = stage.house.get(&stage.admin, &format!("/api/v1/users/{id}")).await.is(200).json();
    assert_eq!(
        (&user["identities"][0]["issuer"], &user["identities"][0]["subject"]),
        (&json!(ISSUER), &json!("248289761001"))
    );
    let told = stage.house.get(&stage.admin, &format!("/api/v1/audit?object={id}")).await.is(200).json();
    let actions: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["signed in", "changed a user", "signed in", "came for the first time"]);
    assert_eq!((&told["items"][3]["by"], &told["items"][3]["address"]), (&json!("ada"), &json!("127.0.0.1")));

    // No password opens it, and nobody can guess one.
    for password in ["", PASSWORD] {
        let body = json!({"username": "ada", "password": password});
        stage.house.post(&Person::default(), "/api/v1/session", body).await.is(401);
    }
    let asked = stage.house.shelf.asked("https://sso.example/jwks").await;
    assert_eq!(asked, 1, "documents are remembered");
}

#[tokio::test]
async fn what_is_not_of_this_browser_this_issuer_and_this_client_signs_nobody_in() {
    let stage = Stage::new(json!({})).await;
    let now = 1_800_000_000;
    for (over, reason) in [
        (json!({"nonce": "another"}), "of another sign-in"),
        (json!({"nonce": null}), "of another sign-in"),
        (json!({"aud": "somebody-else"}), "for somebody else"),
        (json!({"aud": ["tidegate", "somebody-else"]}), "for somebody else"),
        (json!({"azp": "somebody-else"}), "for somebody else"),
        (json!({"iss": "https://evil.example"}), "another issuer"),
        (json!({"exp": now}), "expired"),
        (json!({"iat": now - 3_600}), "expired"),
        (json!({"iat": now + 3_600}), "of the future"),
        (json!({"sub": null}), "cannot be read"),
        (json!({"events": {}}), "no ID token"),
    ] {
        let answer = stage.comes(over.clone()).await.is(400);
        assert!(answer.text.contains(reason), "{over}: {}", answer.text);
        assert_eq!(session_of(&answer), None, "{over}");
    }
    let sent = stage.sent("").await;
    let claims = stage.claims(&sent);
    let stranger = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    let named = |alg: &str| json!({"typ": "JWT", "alg": alg, "kid": stage.key.kid()});
    let unsigned = stage.key.signed(&named("none"), &claims).unwrap();
    for (token, reason) in [
        (stranger.jws("JWT", &claims).unwrap(), "by no key"),
        (stranger.signed(&named("ES256"), &claims).unwrap(), "signature"),
        (stage.key.signed(&named("HS256"), &claims).unwrap(), "by no key"),
        (format!("{}.", unsigned.rsplit_once('.').unwrap().0), "by no key"),
        (stage.key.jws("at+jwt", &claims).unwrap(), "no ID token"),
    ] {
        stage.answers_with(&token).await;
        let answer = stage.back(&sent, &Stage::query(&sent)).await.is(400);
        assert!(answer.text.contains(reason), "{reason}: {}", answer.text);
    }
    let users = stage.house.get(&stage.admin, "/api/v1/users").await.is(200).json();
    assert_eq!(users["items"].as_array().unwrap().len(), 1, "nobody was made");
    assert!(stage.failed().await.iter().all(|action| action.contains("does not vouch")));
    assert!(!stage.failed().await.is_empty());
}

#[tokio::test]
async fn nobody_finishes_what_another_browser_began() {
    let stage = Stage::new(json!({})).await;
    let other = made(&json!({"name": "Other", "issuer": "https://other.example"}));
    let other = stage.house.post(&stage.admin, PATH, other).await.is(201).json();
    let (sent, theirs) = (stage.sent("").await, stage.sent("").await);
    stage.vouches(&stage.claims(&sent)).await;
    let good = Stage::query(&sent);
    let wrong = |cookie: &str, query: String| (cookie.to_owned(), query);
    for (cookie, query) in [
        wrong("", good.clone()),
        wrong(&theirs.cookie, good.clone()),
        wrong(&sent.cookie, Stage::query(&theirs)),
        wrong(&sent.cookie, "code=their-code".to_owned()),
        wrong(&sent.cookie, format!("code=their-code&state={}", sent.query["nonce"])),
        wrong(&format!("{0}; {0}", sent.cookie), good.clone()),
        // What the cookie says it is for is part of what `state` is made of.
        wrong(&format!("{}x", sent.cookie), good.clone()),
    ] {
        let path = format!("/sign-in/callback/{}?{query}", stage.id());
        let answer = stage.browser(&path, &cookie).await.is(400);
        assert!(answer.text.contains("not begun in this browser"), "{query}: {}", answer.text);
        assert_eq!(session_of(&answer), None);
    }
    // Begun with one issuer, brought back to the address of another.
    let mixed = format!("/sign-in/callback/{}?{good}", other["id"].as_str().unwrap());
    stage.browser(&mixed, &sent.cookie).await.is(400);
    assert_eq!(
        stage.house.shelf.asked("https://sso.example/token by form").await,
        0,
        "no code was shown to anybody"
    );
    for unknown in ["nobody", &uuid::Uuid::nil().to_string()] {
        stage.browser(&format!("/sign-in/callback/{unknown}?{good}"), &sent.cookie).await.is(404);
        stage.browser(&format!("/sign-in/with/{unknown}"), "").await.is(404);
    }
    stage.house.clock.0.fetch_add(600_000, std::sync::atomic::Ordering::Relaxed);
    let late = stage.back(&sent, &good).await.is(400);
    assert!(late.text.contains("Begin again"), "{}", late.text);

    // A page elsewhere begins nothing.
    let path = format!("/sign-in/with/{}", stage.id());
    let request =
        House::request(&Person::default(), &Method::GET, &path).header("sec-fetch-site", "cross-site");
    let answer = stage.house.send(request.body(Body::empty()).unwrap()).await.is(303);
    assert_eq!((answer.header("location"), answer.header("set-cookie")), ("/sign-in", ""));
}

#[tokio::test]
async fn answers_name_their_issuer_where_it_says_that_they_do_and_a_code_works_once() {
    let stage = Stage::new(json!({})).await;
    stage.publishes(json!({"authorization_response_iss_parameter_supported": true})).await;
    let sent = stage.sent("").await;
    stage.vouches(&stage.claims(&sent)).await;
    let silent = Stage::query(&sent);
    stage.back(&sent, &silent).await.is(400);
    stage.back(&sent, &format!("{silent}&iss=https%3A%2F%2Fevil.example")).await.is(400);
    let named = format!("{silent}&iss=https%3A%2F%2Fsso.example");
    assert_eq!(stage.house.shelf.asked("https://sso.example/token by form").await, 0);
    let declined = format!("error=access_denied&state={}&iss=https%3A%2F%2Fsso.example", sent.query["state"]);
    let declined = stage.back(&sent, &format!("{declined}&error_description=call+1-800-EVIL")).await.is(400);
    assert!(declined.text.contains("not signed in there") && !declined.text.contains("EVIL"));
    assert!(session_of(&stage.back(&sent, &named).await.is(303)).is_some());
    stage
        .house
        .shelf
        .put("https://sso.example/token by form", Err(NoDocument::Refused { status: 400 }))
        .await;
    let replayed = stage.back(&sent, &named).await.is(400);
    assert!(replayed.text.contains("each works once"), "{}", replayed.text);
    assert_eq!(session_of(&replayed), None);
}

#[tokio::test]
async fn nobody_is_taken_over_by_a_name_and_who_may_not_come_in_is_told_why() {
    let stage = Stage::new(json!({})).await;
    let ada = stage.house.person("ada", &[Role::Admin]).await;
    for name in ["ada", "ADA", "boss"] {
        let answer = stage.comes(json!({"preferred_username": name})).await.is(403);
        assert!(answer.text.contains("Your name is taken here"), "{}", answer.text);
        assert!(
            answer.text.contains("is not yours for having the same name") && session_of(&answer).is_none()
        );
    }
    let known = stage.house.get(&ada, "/api/v1/session").await.is(200).json();
    let id = known["user"]["id"].as_str().unwrap();
    let user = stage.house.get(&ada, &format!("/api/v1/users/{id}")).await.is(200).json();
    assert_eq!(user["identities"], json!([]));
    for (name, shown) in [("<script>", "no name for your account"), ("", "no name for your account")] {
        let answer = stage.comes(json!({"preferred_username": name})).await.is(403);
        assert!(answer.text.contains(shown) && !answer.text.contains("<script>"), "{}", answer.text);
    }
    assert!(stage.failed().await.iter().any(|action| action.contains("have no account")));

    stage.put(&json!({"newcomers": "refused"})).await.is(200);
    let answer = stage.comes(json!({"preferred_username": "eve"})).await.is(403);
    assert!(answer.text.contains("You have no account here"), "{}", answer.text);

    stage.put(&json!({"newcomers": "wait"})).await.is(200);
    for _ in 0..2 {
        let answer = stage.comes(json!({"preferred_username": "eve"})).await.is(403);
        assert!(answer.text.contains("waits for an administrator"), "{}", answer.text);
    }
    let waiting = stage.house.get(&stage.admin, "/api/v1/users?state=waiting").await.is(200).json();
    assert_eq!(
        (waiting["items"].as_array().unwrap().len(), &waiting["items"][0]["username"]),
        (1, &json!("eve"))
    );
    let eve = waiting["items"][0]["id"].as_str().unwrap();
    stage.house.change_user(&stage.admin, eve, &["subscriber"], "active").await.is(200);
    let (cookie, _) = stage.person(&stage.comes(json!({})).await).await;
    stage.house.change_user(&stage.admin, eve, &["subscriber"], "disabled").await.is(200);
    stage.house.get(&cookie, "/api/v1/session").await.is(401);
    let answer = stage.comes(json!({})).await.is(403);
    assert!(answer.text.contains("switched off") && session_of(&answer).is_none(), "{}", answer.text);
    assert!(stage.failed().await.iter().any(|action| action.contains("disabled")));
}

#[tokio::test]
async fn roles_follow_the_claim_at_each_sign_in_and_somebody_with_a_password_always_administers() {
    let claim = json!({"name": "realm.roles", "values": [{"value": "boss", "roles": ["admin"]},
        {"value": "api-team", "roles": ["creator", "publisher"]}]});
    let stage = Stage::new(json!({"role_claim": claim})).await;
    let (ada, session) =
        stage.person(&stage.comes(json!({"realm": {"roles": ["api-team", "x"]}})).await).await;
    assert_eq!(session["user"]["roles"], json!(["creator", "publisher", "subscriber"]));
    stage.house.get(&ada, "/api/v1/users").await.is(403);
    let (boss, session) = stage.person(&stage.comes(json!({"realm": {"roles": ["boss"]}})).await).await;
    assert_eq!(session["user"]["roles"], json!(["admin", "subscriber"]));
    stage.house.get(&boss, "/api/v1/users").await.is(200);
    // The one who signs in with a password is the last of these, however many the issuer makes.
    let own = stage.house.get(&stage.admin, "/api/v1/session").await.is(200).json();
    let own = own["user"]["id"].as_str().unwrap();
    stage.house.change_user(&boss, own, &["creator"], "active").await.is(409);
    stage.house.change_user(&boss, own, &["admin"], "disabled").await.is(409);
    stage.house.call(&boss, Method::DELETE, &format!("/api/v1/users/{own}"), None).await.is(409);
    // Taken away at the issuer: with the next sign-in also for the session that is open.
    let (_, session) = stage.person(&stage.comes(json!({"realm": {"roles": []}})).await).await;
    assert_eq!(session["user"]["roles"], json!(["subscriber"]));
    stage.house.get(&boss, "/api/v1/users").await.is(403);
    let told = stage.house.get(&stage.admin, "/api/v1/audit?kind=user").await.is(200).text;
    assert!(told.contains("got other roles"), "{told}");

    // What the ID token does not say is asked for, and is of nobody else.
    let told = json!({"sub": "1", "realm": {"roles": ["boss"]}}).to_string();
    stage.house.shelf.put("https://sso.example/me for their-token", Ok(&told)).await;
    let answer = stage.comes(json!({})).await.is(400);
    assert!(answer.text.contains("of another person"), "{}", answer.text);
    let told = json!({"sub": "248289761001", "realm": {"roles": ["boss"]}}).to_string();
    stage.house.shelf.put("https://sso.example/me for their-token", Ok(&told)).await;
    let (_, session) = stage.person(&stage.comes(json!({})).await).await;
    assert_eq!(session["user"]["roles"], json!(["admin", "subscriber"]));
}

#[tokio::test]
async fn a_provider_is_kept_without_its_secret_and_whom_it_let_in_is_out_with_it() {
    let stage = Stage::new(json!({})).await;
    let path = format!("{PATH}/{}", stage.id());
    assert_eq!(stage.provider["discovery_url"], "https://sso.example/.well-known/openid-configuration");
    let listed = stage.house.get(&stage.admin, PATH).await.is(200);
    let audit = stage.house.get(&stage.admin, "/api/v1/audit?kind=sign_in_provider").await.is(200).json();
    let entry = format!("/api/v1/audit/{}", audit["items"][0]["number"]);
    let entry = stage.house.get(&stage.admin, &entry).await.is(200);
    assert!(entry.text.contains(ISSUER) && !entry.text.contains(SECRET), "{}", entry.text);
    assert!(listed.text.contains(ISSUER) && !listed.text.contains(SECRET), "{}", listed.text);

    let (ada, _) = stage.person(&stage.comes(json!({})).await).await;
    stage.put(&json!({"client_secret": null, "name": "SSO"})).await.is(200);
    stage.house.get(&ada, "/api/v1/session").await.is(200);
    let (ada, _) = stage.person(&stage.comes(json!({})).await).await;
    assert_eq!(stage.house.shelf.last_form().await["client_secret"], SECRET, "it stays");
    let moved = stage.put(&json!({"client_secret": null, "discovery_url": "https://evil.example/d"})).await;
    assert_eq!(moved.is(400).json()["errors"][0]["pointer"], "/client_secret");

    let (sent, late) = (stage.sent("").await, stage.sent("").await);
    stage.vouches(&stage.claims(&late)).await;
    stage.put(&json!({"enabled": false})).await.is(200);
    stage.house.get(&ada, "/api/v1/session").await.is(401);
    stage.back(&late, &Stage::query(&late)).await.is(404);
    stage.browser(&format!("/sign-in/with/{}", stage.id()), &sent.cookie).await.is(404);
    let choices = stage.house.get(&Person::default(), "/api/v1/session/providers").await.is(200).json();
    assert_eq!(choices["items"], json!([]));
    stage.put(&json!({})).await.is(200);
    let (ada, session) = stage.person(&stage.comes(json!({})).await).await;
    stage.house.call(&stage.admin, Method::DELETE, &path, None).await.is(204);
    stage.house.get(&ada, "/api/v1/session").await.is(401);
    // The account stays, and an administrator can give it a password.
    let id = session["user"]["id"].as_str().unwrap();
    let reset = format!("/api/v1/users/{id}/password");
    let given = stage.house.call(&stage.admin, Method::POST, &reset, None).await.is(200).json();
    assert_eq!(given["has_password"], json!(true));
    stage.house.signed_in("ada", given["one_time_password"].as_str().unwrap()).await;
}

#[tokio::test]
async fn fields_are_judged_and_documents_are_asked_for_with_a_bound() {
    let stage = Stage::new(json!({})).await;
    for (over, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"issuer": ""}), "/issuer"),
        (json!({"discovery_url": "http://sso.example/"}), "/discovery_url"),
        (json!({"scopes": ["openid"]}), "/scopes/0"),
        (json!({"scopes": ["two words"]}), "/scopes/0"),
        (json!({"roles": ["wizard"]}), "/roles/0"),
        (json!({"newcomers": "all"}), "/newcomers"),
        (json!({"username_claim": ""}), "/username_claim"),
        (
            json!({"role_claim": {"name": "g", "values": [{"value": "x", "roles": ["wizard"]}]}}),
            "/role_claim/values/0/roles/0",
        ),
        (
            json!({"role_claim": {"name": "g", "values": [{"value": "", "roles": []}]}}),
            "/role_claim/values/0/value",
        ),
        (json!({"surprise": 1}), "/surprise"),
    ] {
        let refused = stage.put(&over).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let twin = stage.house.post(&stage.admin, PATH, made(&json!({"name": "Else"}))).await.is(409).json();
    assert_eq!(twin["errors"][0]["pointer"], "/issuer");
    let path = format!("{PATH}/{}", stage.id());
    let none = stage.house.call(&stage.admin, Method::PUT, &path, Some(made(&json!({})))).await;
    assert_eq!(none.status, 428);

    let check = format!("{path}/check");
    let good = stage.house.call(&stage.admin, Method::POST, &check, None).await.is(200).json();
    assert_eq!(good, json!({"problem": null, "keys": 1}));
    let asked =
        async || stage.house.shelf.asked("https://sso.example/.well-known/openid-configuration").await;
    for (over, problem) in [
        (json!({"issuer": "https://evil.example"}), "another issuer"),
        (json!({"token_endpoint": "http://sso.example/token"}), "cannot be used"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "cannot be used"),
        (json!({"jwks_uri": "https://sso.example/gone"}), "404 instead of 200"),
    ] {
        stage.publishes(over).await;
        let bad = stage.house.call(&stage.admin, Method::POST, &check, None).await.is(200).json();
        assert!(bad["problem"].as_str().unwrap().contains(problem), "{bad}");
    }
    // What is known stays in use while the issuer is away, and strangers do not have it asked again.
    let before = asked().await;
    for _ in 0..20 {
        stage.sent("").await;
    }
    assert_eq!(asked().await, before);
    stage.house.clock.0.fetch_add(600_000, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..20 {
        stage.sent("").await;
    }
    assert_eq!(asked().await, before + 1);
    // With other settings nothing is known of it.
    stage.put(&json!({"client_id": "other", "client_secret": "other"})).await.is(200);
    let away = stage.browser(&format!("/sign-in/with/{}", stage.id()), "").await.is(502);
    assert!(away.text.contains("Corporate SSO cannot be asked"), "{}", away.text);
}

#[tokio::test]
async fn a_key_that_is_new_at_the_issuer_is_asked_for_once() {
    let mut stage = Stage::new(json!({})).await;
    stage.person(&stage.comes(json!({})).await).await;
    stage.key = SigningKey::generate(Algorithm::Rs256, &SystemRandom::new()).unwrap();
    stage.publishes(json!({})).await;
    // Not within ten seconds of the last question: whoever makes keys up has nobody asked.
    stage.comes(json!({})).await.is(400);
    stage.house.clock.0.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    stage.person(&stage.comes(json!({})).await).await;
    let asked = stage.house.shelf.asked("https://sso.example/jwks").await;
    assert_eq!(asked, 2);
    assert!(stage.house.catalog.account("ada").await.unwrap().unwrap().password_hash.0.is_empty());
}
