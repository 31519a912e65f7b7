//! Clients that register themselves, and look after that (RFC 7591, RFC 7592): what they get, and what nobody gets.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use super::client::{CHALLENGE, ISSUER, REDIRECT, form};
use crate::support::{Answer, House, PASSWORD, Person};

const PLACE: &str = "/oauth2/register";
const TOKENS: &str = "/api/v1/registration-tokens";

struct Stage {
    house: House,
    admin: Person,
    dev: Person,
}

impl Stage {
    async fn new() -> Self {
        let house = House::new().await;
        let admin = house.person("boss", &[Role::Admin]).await;
        let dev = house.person("dev", &[Role::Subscriber]).await;
        Self { house, admin, dev }
    }

    /// A registration token of dev's, with more said of it.
    async fn token(&self, more: Value) -> Value {
        let mut body = json!({"name": "Fleet", "owner": "dev", "uses_max": 100});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.house.post(&self.admin, TOKENS, body).await.is(201).json()
    }

    async fn by(&self) -> Person {
        Person::bearing(self.token(json!({})).await["token"].as_str().unwrap())
    }

    async fn register(&self, by: &Person, document: Value) -> Answer {
        self.house.post(by, PLACE, document).await
    }

    /// A registered client that uses client credentials, and it as a caller.
    async fn registered(&self, by: &Person, more: Value) -> (Value, Person) {
        let mut document = json!({"grant_types": ["client_credentials"], "client_name": "Sensor"});
        for (name, value) in more.as_object().unwrap() {
            document[name] = value.clone();
        }
        let told = self.register(by, document).await.is(201).json();
        let caller = Person::bearing(told["registration_access_token"].as_str().unwrap());
        (told, caller)
    }

    async fn listed(&self) -> Value {
        self.house.get(&self.admin, TOKENS).await.is(200).json()["items"].clone()
    }

    /// This one, as it is listed now.
    async fn found(&self, made: &Value) -> Value {
        let listed = self.listed().await;
        listed.as_array().unwrap().iter().find(|one| one["id"] == made["id"]).unwrap().clone()
    }

    async fn form(&self, path: &str, body: String) -> Answer {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.house.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What the token endpoint says to a client's own request, with this secret.
    async fn own_token(&self, client_id: &str, secret: &str) -> Answer {
        let pairs =
            [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        self.form("/oauth2/token", form(&pairs)).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Where a client looks after its registration, within the house.
fn own_place(told: &Value) -> String {
    text(&told["registration_client_uri"]).strip_prefix(ISSUER).unwrap().to_owned()
}

fn unproven(answer: &Answer, what: &str) {
    assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.text);
    assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"registration\""), "{what}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    assert!(answer.text.is_empty(), "{what}: {}", answer.text);
}

#[tokio::test]
async fn a_program_registers_by_a_token_and_works_as_any_client() {
    let stage = Stage::new().await;
    let made = stage.token(json!({"type": "sandbox", "uses_max": 2, "expires_in_days": 7})).await;
    assert_eq!(
        (&made["owner"], &made["type"], &made["state"]),
        (&json!("dev"), &json!("sandbox"), &json!("active"))
    );
    let by = Person::bearing(text(&made["token"]));
    let document = json!({
        "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        "response_types": [], "client_name": "Sensor", "contacts": ["ops@client.test"], "software_id": "sensor",
        "software_version": "2.2", "token_endpoint_auth_method": "client_secret_post", "logo_uri": "https://a.test/x.png",
    });
    let answer = stage.register(&by, document).await.is(201);
    assert_eq!(
        (answer.header("cache-control"), answer.header("content-type")),
        ("no-store", "application/json")
    );
    let told = answer.json();
    let (id, secret) = (text(&told["client_id"]), text(&told["client_secret"]));
    assert_eq!(
        told,
        json!({
            "client_id": id, "client_id_issued_at": 1_800_000_000, "client_secret": secret, "client_secret_expires_at": 0,
            "registration_access_token": told["registration_access_token"],
            "registration_client_uri": format!("{ISSUER}/oauth2/register/{id}"),
            "redirect_uris": [], "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "response_types": [], "application_type": "web", "client_name": "Sensor", "contacts": ["ops@client.test"],
            "software_id": "sensor", "software_version": "2.2", "tls_client_certificate_bound_access_tokens": false,
        })
    );
    stage.own_token(id, secret).await.is(200);
    // Its owner finds it among the others, with where it came from, and does with it what they want.
    let applications = stage.house.get(&stage.dev, "/api/v1/applications").await.is(200).json();
    let found = &applications["items"][0];
    assert_eq!((&found["name"], &found["registered_by"]), (&json!("Sensor"), &json!("Fleet")));
    let keys = format!("/api/v1/applications/{}/keys", text(&found["id"]));
    let key = stage.house.get(&stage.dev, &keys).await.is(200).json()["items"][0].clone();
    assert_eq!((&key["client_id"], &key["type"]), (&json!(id), &json!("sandbox")));
    let renewed =
        stage.house.call(&stage.dev, Method::POST, &format!("{keys}/{id}/secret"), None).await.is(200);
    stage.own_token(id, secret).await.is(401);
    stage.own_token(id, text(&renewed.json()["client_secret"])).await.is(200);
    // What is listed of the token has counted, and says no secret.
    let listed = stage.listed().await;
    assert_eq!((&listed[0]["used"], &listed[0]["state"]), (&json!(1), &json!("active")));
    assert!(listed[0]["last_used_at"].is_string() && listed[0].get("token").is_none());
    stage.registered(&by, json!({"client_name": null})).await;
    assert_eq!(stage.listed().await[0]["state"], "used_up");
    unproven(&stage.register(&by, json!({"grant_types": ["client_credentials"]})).await, "used up");
}

#[tokio::test]
async fn who_has_no_good_token_registers_nothing() {
    let mut stage = Stage::new().await;
    let good = stage.token(json!({})).await;
    let short = stage.token(json!({"expires_in_days": 1})).await;
    let gone = stage.token(json!({})).await;
    let path = format!("{TOKENS}/{}", text(&gone["id"]));
    stage.house.call(&stage.admin, Method::DELETE, &path, None).await.is(204);
    stage.house.call(&stage.admin, Method::DELETE, &path, None).await.is(404);
    let of_other = stage.house.person("eve", &[Role::Subscriber]).await;
    let eve = stage.token(json!({"owner": "eve"})).await;
    let personal = stage.house.post(&of_other, "/api/v1/tokens", json!({"name": "x"})).await.is(201).json();
    let (told, own) = stage.registered(&Person::bearing(text(&good["token"])), json!({})).await;
    let users = stage.house.get(&stage.admin, "/api/v1/users?q=eve").await.is(200).json();
    let id = text(&users["items"][0]["id"]).to_owned();
    stage.house.change_user(&stage.admin, &id, &["subscriber"], "disabled").await.is(200);
    assert_eq!(stage.found(&eve).await["state"], "owner_may_not");
    stage.house.clock.0.fetch_add(86_400_000, Ordering::Relaxed);
    stage.admin = stage.house.signed_in("boss", PASSWORD).await;
    let text_of = |made: &Value| text(&made["token"]).to_owned();
    let mistyped = format!("{}0", &text_of(&good)[..text_of(&good).len() - 1]);
    for (what, token) in [
        ("an expired one", text_of(&short)),
        ("one that was taken back", text_of(&gone)),
        ("one of somebody who is disabled", text_of(&eve)),
        ("a personal access token", text_of(&personal)),
        ("a token of a registered client", text(&told["registration_access_token"]).to_owned()),
        ("a client secret", text(&told["client_secret"]).to_owned()),
        ("a mistyped one", mistyped),
        ("nonsense", "x".to_owned()),
    ] {
        let answer = stage.register(&Person::bearing(&token), json!({"grant_types": "nonsense"})).await;
        unproven(&answer, what);
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{what}");
    }
    unproven(&stage.register(&Person::default(), json!({})).await, "none");
    // A signed-in administrator is no client, and a query is no place for a token.
    let cookie = stage.house.post(&stage.admin, PLACE, json!({})).await;
    unproven(&cookie, "a cookie");
    let query = format!("{PLACE}?access_token={}", text_of(&good));
    unproven(&stage.house.post(&Person::default(), &query, json!({})).await, "in the query");
    for scheme in ["DPoP", "Basic", ""] {
        let value = format!("{scheme} {}", text_of(&good));
        let request = Request::builder().method(Method::POST).uri(PLACE);
        let request = request
            .header(header::AUTHORIZATION, value.trim())
            .header(header::CONTENT_TYPE, "application/json");
        unproven(&stage.house.send(request.body(Body::from("{}")).unwrap()).await, scheme);
    }
    let twice =
        Request::builder().method(Method::POST).uri(PLACE).header(header::CONTENT_TYPE, "application/json");
    let bearer = format!("Bearer {}", text_of(&good));
    let twice = twice.header(header::AUTHORIZATION, &bearer).header(header::AUTHORIZATION, &bearer);
    stage.house.send(twice.body(Body::from("{}")).unwrap()).await.is(400);
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        stage.house.call(&own, method, PLACE, None).await.is(405);
    }
    assert_eq!(stage.found(&good).await["used"], 1, "nothing of this was a use");
}

#[tokio::test]
async fn what_a_client_may_not_be_is_refused_by_its_field_and_uses_nothing_up() {
    let stage = Stage::new().await;
    let by = stage.by().await;
    let (metadata, redirect) = ("invalid_client_metadata", "invalid_redirect_uri");
    let code = |uri: &str| json!({"redirect_uris": [uri]});
    let own = |more: Value| {
        let mut document = json!({"grant_types": ["client_credentials"]});
        for (name, value) in more.as_object().unwrap() {
            document[name] = value.clone();
        }
        document
    };
    for (document, error, begins) in [
        (json!({}), redirect, "redirect_uris: "),
        (json!({"redirect_uris": []}), redirect, "redirect_uris: "),
        (code("http://client.test/cb"), redirect, "redirect_uris[0]: "),
        (code("https://client.test/cb#x"), redirect, "redirect_uris[0]: "),
        (code("https://me@client.test/cb"), redirect, "redirect_uris[0]: "),
        (code("https://client.test/a/../cb"), redirect, "redirect_uris[0]: "),
        (code("https://*.client.test/cb"), redirect, "redirect_uris[0]: "),
        (code("javascript:alert(1)"), redirect, "redirect_uris[0]: "),
        (code("com.example.app:/cb"), redirect, "redirect_uris[0]: "),
        (code("/cb"), redirect, "redirect_uris[0]: "),
        (json!({"redirect_uris": [REDIRECT, REDIRECT]}), redirect, "redirect_uris[1]: "),
        (json!({"redirect_uris": vec![REDIRECT; 21]}), redirect, "redirect_uris: "),
        (
            own(json!({"post_logout_redirect_uris": ["http://a.test"]})),
            metadata,
            "post_logout_redirect_uris[0]: ",
        ),
        (json!({"grant_types": ["password"]}), metadata, "grant_types[0]: "),
        (json!({"grant_types": ["implicit"], "response_types": ["token"]}), metadata, "response_types: "),
        (json!({"grant_types": ["client_credentials", "client_credentials"]}), metadata, "grant_types[1]: "),
        (own(json!({"token_endpoint_auth_method": "none"})), metadata, "grant_types[0]: "),
        (json!({"grant_types": ["refresh_token"]}), metadata, "grant_types: "),
        (own(json!({"token_endpoint_auth_method": "private_key_jwt"})), metadata, "jwks: "),
        (
            own(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}})),
            metadata,
            "jwks: ",
        ),
        (
            own(json!({"token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}})),
            metadata,
            "jwks: ",
        ),
        (own(json!({"client_name": " Sensor"})), metadata, "client_name: "),
        (own(json!({"client_name": "x".repeat(101)})), metadata, "client_name: "),
        (own(json!({"software_statement": "e30.e30."})), "unapproved_software_statement", "software"),
    ] {
        let said = document.to_string();
        let answer = stage.register(&by, document).await.is(400);
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = answer.json();
        assert_eq!(answer["error"], error, "{said}: {answer}");
        assert!(text(&answer["error_description"]).starts_with(begins), "{said}: {answer}");
    }
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "redirect_uris=https://client.test/cb"),
        ("text/plain", "{}"),
        ("application/json", "{"),
        ("application/json", "{\"client_name\": \"a\", \"client_name\": \"b\"}"),
    ] {
        let request = House::request(&by, &Method::POST, PLACE).header(header::CONTENT_TYPE, kind);
        let answer = stage.house.send(request.body(Body::from(body)).unwrap()).await.is(400).json();
        assert_eq!(answer["error"], metadata, "{kind}: {body}");
    }
    let large = json!({"client_name": "x".repeat(300_000)});
    stage.register(&by, large).await.is(413);
    assert_eq!(stage.listed().await[0]["used"], 0);
    let applications = stage.house.get(&stage.dev, "/api/v1/applications").await.is(200).json();
    assert_eq!(applications["items"], json!([]));
}

#[tokio::test]
async fn copies_of_one_program_have_names_that_tell_them_apart() {
    let stage = Stage::new().await;
    let by = stage.by().await;
    let (first, _) = stage.registered(&by, json!({})).await;
    let (second, own) = stage.registered(&by, json!({})).await;
    assert_eq!(first["client_name"], "Sensor");
    let mark: String = text(&second["client_id"]).chars().take(6).collect();
    assert_eq!(second["client_name"], format!("Sensor ({mark})"));
    // Saying the same again changes nothing, by either name.
    for name in ["Sensor", text(&second["client_name"])] {
        let document = json!({"client_id": second["client_id"], "grant_types": ["client_credentials"], "client_name": name});
        let told =
            stage.house.call(&own, Method::PUT, &own_place(&second), Some(document)).await.is(200).json();
        assert_eq!(told["client_name"], second["client_name"]);
    }
}

#[tokio::test]
async fn a_client_reads_changes_and_ends_its_registration() {
    let stage = Stage::new().await;
    let by = stage.by().await;
    let (told, own) = stage.registered(&by, json!({"software_id": "sensor"})).await;
    let (place, id) = (own_place(&told), text(&told["client_id"]).to_owned());
    let secret = text(&told["client_secret"]).to_owned();
    let mut expected = told.clone();
    for gone in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(gone);
    }
    let answer = stage.house.get(&own, &place).await.is(200);
    assert_eq!((answer.json(), answer.header("cache-control")), (expected, "no-store"));
    // All of it is replaced: what is not said is gone.
    let put = async |document: Value| stage.house.call(&own, Method::PUT, &place, Some(document)).await;
    let document = json!({"client_id": id, "client_secret": secret, "client_name": "Sensor 2",
        "redirect_uris": [REDIRECT], "grant_types": ["authorization_code", "client_credentials"]});
    let changed = put(document).await.is(200).json();
    assert_eq!(
        (&changed["client_name"], &changed["redirect_uris"]),
        (&json!("Sensor 2"), &json!([REDIRECT]))
    );
    assert_eq!((changed.get("software_id"), changed.get("client_secret")), (None, None));
    assert_eq!(changed["registration_access_token"], told["registration_access_token"]);
    stage.own_token(&id, &secret).await.is(200);
    // Without a secret, and with one again: it is another, and told.
    let public = json!({"client_id": id, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    assert_eq!(put(public).await.is(200).json()["token_endpoint_auth_method"], "none");
    stage.own_token(&id, &secret).await.is(401);
    let back = json!({"client_id": id, "grant_types": ["client_credentials"]});
    let back = put(back).await.is(200).json();
    assert_eq!(back["client_secret_expires_at"], 0);
    stage.own_token(&id, &secret).await.is(401);
    stage.own_token(&id, text(&back["client_secret"])).await.is(200);
    for (what, document) in [
        ("another client", json!({"client_id": "other", "grant_types": ["client_credentials"]})),
        ("no client", json!({"grant_types": ["client_credentials"]})),
        (
            "a wrong secret",
            json!({"client_id": id, "client_secret": secret, "grant_types": ["client_credentials"]}),
        ),
        (
            "a token of its own choice",
            json!({"client_id": id, "registration_access_token": "x", "grant_types": ["client_credentials"]}),
        ),
    ] {
        assert_eq!(put(document).await.is(400).json()["error"], "invalid_request", "{what}");
    }
    let bad = put(json!({"client_id": id, "grant_types": ["password"]})).await.is(400).json();
    assert_eq!(bad["error"], "invalid_client_metadata");
    stage.own_token(&id, text(&back["client_secret"])).await.is(200);
    let ended = stage.house.call(&own, Method::DELETE, &place, None).await.is(204);
    assert_eq!(ended.header("cache-control"), "no-store");
    stage.own_token(&id, text(&back["client_secret"])).await.is(401);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        unproven(&stage.house.call(&own, method, &place, None).await, "it has ended");
    }
    let applications = stage.house.get(&stage.dev, "/api/v1/applications").await.is(200).json();
    assert_eq!(applications["items"], json!([]));
}

#[tokio::test]
async fn nobody_but_a_client_itself_looks_after_its_registration() {
    let stage = Stage::new().await;
    let made = stage.token(json!({})).await;
    let by = Person::bearing(text(&made["token"]));
    let (one, own) = stage.registered(&by, json!({})).await;
    let (other, others) = stage.registered(&by, json!({})).await;
    let secret = Person::bearing(text(&one["client_secret"]));
    let access = stage.own_token(text(&one["client_id"]), text(&one["client_secret"])).await.is(200).json();
    let access = Person::bearing(text(&access["access_token"]));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let body = json!({"client_id": one["client_id"], "grant_types": ["client_credentials"]});
        for (what, person) in [
            ("nobody", &Person::default()),
            ("another client", &others),
            ("the registration token", &by),
            ("its secret", &secret),
            ("its access token", &access),
            ("its owner", &stage.dev),
            ("an administrator", &stage.admin),
        ] {
            let answer = stage.house.call(person, method.clone(), &own_place(&one), Some(body.clone())).await;
            unproven(&answer, &format!("{method} by {what}"));
        }
        for client in ["nobody", "%00", &"x".repeat(300)] {
            let path = format!("{PLACE}/{client}");
            unproven(&stage.house.call(&own, method.clone(), &path, Some(body.clone())).await, client);
        }
    }
    for method in [Method::POST, Method::PATCH] {
        stage.house.call(&own, method, &own_place(&one), Some(json!({}))).await.is(405);
    }
    // Of a disabled owner nothing works, and all of it does again afterwards.
    let users = stage.house.get(&stage.admin, "/api/v1/users?q=dev").await.is(200).json();
    let id = text(&users["items"][0]["id"]).to_owned();
    stage.house.change_user(&stage.admin, &id, &["subscriber"], "disabled").await.is(200);
    unproven(&stage.house.get(&own, &own_place(&one)).await, "its owner is disabled");
    stage.house.change_user(&stage.admin, &id, &["subscriber"], "active").await.is(200);
    stage.house.get(&own, &own_place(&one)).await.is(200);
    // An application that is deleted takes its registration along.
    let applications = stage.house.get(&stage.admin, "/api/v1/applications").await.is(200).json();
    for item in applications["items"].as_array().unwrap() {
        let path = format!("/api/v1/applications/{}", text(&item["id"]));
        stage.house.call(&stage.admin, Method::DELETE, &path, None).await.is(204);
    }
    unproven(&stage.house.get(&own, &own_place(&one)).await, "deleted");
    unproven(&stage.house.get(&others, &own_place(&other)).await, "deleted");
}

#[tokio::test]
async fn a_person_is_told_where_a_client_came_from_and_its_pages_are_text() {
    let stage = Stage::new().await;
    let by = stage.by().await;
    let (told, _) = stage
        .registered(
            &by,
            json!({"client_name": "<b>Shop</b>", "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT],
                "client_uri": "https://client.test/a?b&c='d'", "policy_uri": "https://policy.test/"}),
        )
        .await;
    let asking = [
        ("response_type", "code"),
        ("client_id", text(&told["client_id"])),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let page = stage.house.get(&stage.admin, &format!("/oauth2/authorize?{}", form(&asking))).await.is(200);
    for shown in [
        "It gave itself its name and registered by “Fleet”.",
        "<a href=\"https://client.test/a?b&amp;c=&#39;d&#39;\" target=\"_blank\" rel=\"noopener noreferrer\">\
         https://client.test</a>",
        "<a href=\"https://policy.test/\"",
        "&lt;b&gt;Shop&lt;/b&gt;",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains("<b>Shop"));
}

#[tokio::test]
async fn registrations_are_told_in_the_audit_log_without_a_secret() {
    let stage = Stage::new().await;
    let made = stage.token(json!({})).await;
    let (told, own) = stage.registered(&Person::bearing(text(&made["token"])), json!({})).await;
    let document = json!({"client_id": told["client_id"], "grant_types": ["client_credentials"],
        "client_name": "Sensor", "software_id": "sensor"});
    stage.house.call(&own, Method::PUT, &own_place(&told), Some(document)).await.is(200);
    stage.house.call(&own, Method::DELETE, &own_place(&told), None).await.is(204);
    let path = format!("{TOKENS}/{}", text(&made["id"]));
    stage.house.call(&stage.admin, Method::DELETE, &path, None).await.is(204);
    let log = stage.house.get(&stage.admin, "/api/v1/audit").await.is(200).json();
    let entries = log["items"].as_array().unwrap();
    let client = format!("client {}", text(&told["client_id"]));
    let mut found = Vec::new();
    for entry in entries {
        let (by, action) = (text(&entry["by"]).to_owned(), text(&entry["action"]).to_owned());
        let path = format!("/api/v1/audit/{}", entry["number"]);
        let whole = stage.house.get(&stage.admin, &path).await.is(200).text;
        for secret in ["registration_access_token", "client_secret"] {
            assert!(!whole.contains(text(&told[secret])), "{action}: {whole}");
        }
        assert!(!whole.contains(text(&made["token"])), "{action}: {whole}");
        if by != "boss" || entry["kind"] == "registration_token" {
            found.push((by, action));
        }
    }
    let expected = [
        ("boss", "deleted a registration token"),
        (&client, "deleted"),
        (&client, "a client changed its registration"),
        ("registration token Fleet", "a client registered itself"),
        ("registration token Fleet", "made a key"),
        ("registration token Fleet", "created"),
        ("boss", "made a registration token"),
    ];
    let expected: Vec<_> = expected.map(|(by, action)| (by.to_owned(), action.to_owned())).into();
    found.retain(|(by, _)| by != "tidegate" && by != "dev");
    assert_eq!(found, expected);
}

#[tokio::test]
async fn one_network_registers_so_many_in_a_minute() {
    let stage = Stage::new().await;
    let by = stage.by().await;
    for number in 0..60 {
        stage.registered(&by, json!({"client_name": format!("Sensor {number}")})).await;
    }
    let document = json!({"grant_types": ["client_credentials"]});
    let late = stage.register(&by, document.clone()).await.is(429);
    assert!((1..=60).contains(&late.header("retry-after").parse::<u32>().unwrap()));
    // Who has no token is told that, and takes nobody's place.
    unproven(&stage.register(&Person::bearing("x"), document.clone()).await, "no token");
    stage.house.clock.0.fetch_add(60_000, Ordering::Relaxed);
    stage.register(&by, document).await.is(201);
}

#[tokio::test]
async fn tokens_are_made_for_who_may_have_applications() {
    let stage = Stage::new().await;
    stage.house.person("watcher", &[Role::Observer]).await;
    for (body, pointer, code) in [
        (json!({"name": ""}), "/name", "required"),
        (json!({"name": "x", "owner": "nobody"}), "/owner", "unknown_user"),
        (json!({"name": "x", "owner": "watcher"}), "/owner", "may_not"),
        (json!({"name": "x", "type": "staging"}), "/type", "unknown_type"),
        (json!({"name": "x", "uses_max": 0}), "/uses_max", "out_of_range"),
        (json!({"name": "x", "uses_max": 10_001}), "/uses_max", "out_of_range"),
        (json!({"name": "x", "expires_in_days": 0}), "/expires_in_days", "out_of_range"),
        (json!({"name": "x", "expires_in_days": 367}), "/expires_in_days", "out_of_range"),
        (json!({"name": "x", "token": "mine"}), "/token", "unknown_field"),
    ] {
        let answer = stage.house.post(&stage.admin, TOKENS, body.clone()).await.is(400).json();
        assert_eq!(
            (&answer["errors"][0]["pointer"], &answer["errors"][0]["code"]),
            (&json!(pointer), &json!(code))
        );
    }
    let own = stage.house.post(&stage.admin, TOKENS, json!({"name": "Mine"})).await.is(201).json();
    assert_eq!(
        (&own["owner"], &own["uses_max"], &own["type"]),
        (&json!("boss"), &json!(1), &json!("production"))
    );
    assert_eq!(own["expires_at"], "2027-02-14T08:00:00Z");
    assert!(text(&own["token"]).starts_with(text(&own["prefix"])));
}
