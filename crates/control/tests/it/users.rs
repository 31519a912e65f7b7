//! Users: made, changed, disabled and deleted by administrators, and passwords chosen by themselves.

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_control::hash_password;
use tidegate_model::{
    command::Command,
    port::{Catalog as _, Clock as _},
    role::Role,
    user::{Actor, Secret},
};

use crate::support::{Answer, House, PASSWORD, Person};

const NEXT: &str = "seven grey boats adrift";

/// A new user: the id, and the password for one time.
async fn made(house: &House, admin: &Person, name: &str, roles: &[&str]) -> (String, String) {
    let answer = house.post(admin, "/api/v1/users", json!({"username": name, "roles": roles})).await.is(201);
    let text = |field: &str| answer.json()[field].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/users/{}", text("id")));
    assert_eq!(answer.header("cache-control"), "no-store");
    (text("id"), text("one_time_password"))
}

async fn change(house: &House, admin: &Person, id: &str, roles: &[&str], state: &str) -> Answer {
    house.change_user(admin, id, roles, state).await
}

#[tokio::test]
async fn a_new_user_chooses_a_password_before_anything_else() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let (_, first) = made(&house, &admin, "ada", &["creator"]).await;
    let ada = house.signed_in("ADA", &first).await;
    let session = house.get(&ada, "/api/v1/session").await.is(200).json();
    assert_eq!(
        (&session["user"]["must_change_password"], &session["permissions"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(house.get(&ada, "/api/v1/apis").await.is(403).kind(), "password-for-once");
    assert_eq!(
        house.post(&ada, "/api/v1/tokens", json!({"name": "x"})).await.is(403).kind(),
        "password-for-once"
    );

    let choose = async |current: &str, next: &str| {
        let body = json!({"current_password": current, "new_password": next});
        house.call(&ada, Method::PUT, "/api/v1/account/password", Some(body)).await
    };
    for (current, next, pointer, code) in [
        (first.as_str(), "short", "/new_password", "too_short"),
        (&first, "password12345", "/new_password", "too_common"),
        (&first, &first, "/new_password", "same"),
        ("wrong", NEXT, "/current_password", "wrong"),
    ] {
        let refused = choose(current, next).await.is(400).json();
        assert_eq!(
            (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
            (&json!(pointer), &json!(code))
        );
    }
    let other = house.signed_in("ada", &first).await;
    let chosen = choose(&first, NEXT).await.is(200);
    let again = Person::of(&chosen);
    assert_eq!(chosen.json()["permissions"], json!(["api_view", "api_create"]));
    house.get(&again, "/api/v1/apis").await.is(200);
    for ended in [&ada, &other] {
        house.get(ended, "/api/v1/session").await.is(401);
    }
    house.try_from([10, 0, 0, 9], "ada", &first).await.is(401);
    house.signed_in("ada", NEXT).await;
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once_and_comes_back_without_the_old_session() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let token = house.post(&sam, "/api/v1/tokens", json!({"name": "script"})).await.is(201).json();
    let script = Person::bearing(token["token"].as_str().unwrap());
    let application = house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", application["id"].as_str().unwrap());
    let key = house.post(&sam, &keys, json!({"type": "production"})).await.is(201).json();
    let grant = async || {
        let text = |field: &str| key[field].as_str().unwrap().to_owned();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            text("client_id"),
            text("client_secret")
        );
        let request = House::request(&Person::default(), &Method::POST, "/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        house.send(request.body(Body::from(form)).unwrap()).await.status.as_u16()
    };
    assert_eq!(grant().await, 200);
    let found = house.get(&admin, "/api/v1/users?q=SA&role=subscriber&state=active").await.is(200).json();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        house.get(&admin, &format!("/api/v1/users/{id}")).await.is(200).json()["applications"],
        json!(1)
    );

    change(&house, &admin, &id, &["subscriber"], "disabled").await.is(200);
    assert_eq!(grant().await, 401, "the keys of a disabled user get no token");
    house.get(&sam, "/api/v1/session").await.is(401);
    house.get(&script, "/api/v1/applications").await.is(401);
    let refused = house.try_from([10, 0, 0, 1], "sam", PASSWORD).await.is(401);
    let unknown = house.try_from([10, 0, 0, 2], "nobody", PASSWORD).await.is(401);
    let told = |answer: &Answer| (answer.json()["detail"].clone(), answer.kind());
    assert_eq!(told(&refused), told(&unknown), "who guesses does not learn who is disabled");

    change(&house, &admin, &id, &["subscriber"], "active").await.is(200);
    house.get(&sam, "/api/v1/session").await.is(401);
    house.get(&script, "/api/v1/applications").await.is(200);
    assert_eq!(grant().await, 200);
}

#[tokio::test]
async fn nobody_takes_the_last_administrator_away() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let listed = house.get(&admin, "/api/v1/users?role=admin").await.is(200).json();
    let own = listed["items"][0]["id"].as_str().unwrap().to_owned();
    for (roles, state) in [(&["creator"][..], "active"), (&[], "active"), (&["admin"], "disabled")] {
        assert_eq!(change(&house, &admin, &own, roles, state).await.is(409).kind(), "conflict");
    }
    house.call(&admin, Method::DELETE, &format!("/api/v1/users/{own}"), None).await.is(409);
    house.post(&admin, &format!("/api/v1/users/{own}/password"), json!({})).await.is(409);
    made(&house, &admin, "second", &["admin"]).await;
    change(&house, &admin, &own, &["creator"], "active").await.is(200);
    house.get(&admin, "/api/v1/users").await.is(403);
}

#[tokio::test]
async fn a_change_is_based_on_what_was_read() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let (id, _) = made(&house, &admin, "ada", &["creator"]).await;
    let path = format!("/api/v1/users/{id}");
    let tag = house.get(&admin, &path).await.is(200).header("etag").to_owned();
    let put = async |tag: &str, roles: Value| {
        let request = House::request(&admin, &Method::PUT, &path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, tag);
        let body = json!({"roles": roles, "state": "active"}).to_string();
        house.send(request.body(Body::from(body)).unwrap()).await
    };
    let body = json!({"roles": [], "state": "active"});
    house.call(&admin, Method::PUT, &path, Some(body)).await.is(428);
    put(&tag, json!(["publisher"])).await.is(200);
    put(&tag, json!(["observer"])).await.is(412);
    for (roles, code) in [(json!(["wizard"]), "unknown_role"), (json!(["admin", "admin"]), "repeated")] {
        assert_eq!(put("*", roles).await.is(400).json()["errors"][0]["code"], json!(code));
    }
    assert_eq!(house.get(&admin, &path).await.json()["roles"], json!(["publisher"]));
}

#[tokio::test]
async fn a_deleted_user_leaves_applications_to_whom_the_administrator_says() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let zoe = house.person("zoe", &[Role::Subscriber]).await;
    house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201);
    let id = async |name: &str| {
        let found = house.get(&admin, &format!("/api/v1/users?q={name}")).await.is(200).json();
        found["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let (sams, zoes) = (id("sam").await, id("zoe").await);
    let delete = async |query: &str| {
        house.call(&admin, Method::DELETE, &format!("/api/v1/users/{sams}{query}"), None).await
    };
    assert!(delete("").await.is(409).json()["detail"].as_str().unwrap().contains("1 application"));
    delete(&format!("?applications_to={sams}")).await.is(400);
    delete(&format!("?applications_to={}", uuid::Uuid::nil())).await.is(400);
    delete(&format!("?applications_to={zoes}")).await.is(204);
    delete("").await.is(404);
    house.get(&sam, "/api/v1/session").await.is(401);
    let theirs = house.get(&zoe, "/api/v1/applications").await.is(200).json();
    assert_eq!((&theirs["items"][0]["name"], &theirs["items"][0]["owner"]), (&json!("Shop"), &json!("zoe")));
}

#[tokio::test]
async fn guessing_waits_at_every_door_and_locks_nobody_else_out() {
    let house = House::new().await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let (here, there) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    for name in ["sam", "SAM", "sam", "Sam", "sam"] {
        house.try_from(here, name, "guess").await.is(401);
    }
    let waits = house.try_from(here, "sAm", PASSWORD).await.is(429);
    assert_eq!(waits.header("retry-after"), "1");
    house.try_from(there, "sam", PASSWORD).await.is(200);
    // The other door that asks for a password, from the address that signed in.
    let body = || Some(json!({"current_password": "guess", "new_password": NEXT}));
    for _ in 0..5 {
        house.call(&sam, Method::PUT, "/api/v1/account/password", body()).await.is(400);
    }
    house.call(&sam, Method::PUT, "/api/v1/account/password", body()).await.is(429);
    // A name that does not exist waits as one that does.
    for _ in 0..5 {
        house.try_from(here, "nobody", "guess").await.is(401);
    }
    house.try_from(here, "nobody", "guess").await.is(429);
}

#[tokio::test]
async fn a_user_of_whatever_name_is_text_or_refused() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    for name in ["", "<b>", "a b", "\u{0}", "../x", "admin\u{200b}", "ВОSS", &"a".repeat(65)] {
        let body = json!({"username": name, "roles": []});
        let refused = house.post(&admin, "/api/v1/users", body).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], json!("/username"), "{name:?}");
    }
    let taken = house.post(&admin, "/api/v1/users", json!({"username": "BOSS", "roles": []})).await;
    assert_eq!(taken.is(409).kind(), "duplicate");
    let body = json!({"username": "ada", "roles": [], "must_change_password": false});
    house.post(&admin, "/api/v1/users", body).await.is(400);
    for query in ["?role=wizard", "?state=gone", "?limit=x", "?limit=0", "?limit=201", "?unknown=1"] {
        house.get(&admin, &format!("/api/v1/users{query}")).await.is(400);
    }
}

/// Checking a password takes tens of milliseconds; a reset in that time takes two. Whoever was first, nobody is signed in
/// by the old one afterwards.
#[tokio::test]
async fn a_sign_in_with_the_old_password_does_not_outlive_a_reset_that_overtakes_it() {
    let house = House::new().await;
    let old = house.person("ada", &[Role::Creator]).await;
    let nobody = Person::default();
    let sign_in = house.post(&nobody, "/api/v1/session", json!({"username": "ada", "password": PASSWORD}));
    let choose = house.call(
        &old,
        Method::PUT,
        "/api/v1/account/password",
        Some(json!({"current_password": PASSWORD, "new_password": NEXT})),
    );
    let password_hash = Secret(hash_password("what the administrator set", [1; 16]).unwrap());
    let reset = async {
        let command = Command::SetPassword { username: "ada".to_owned(), password_hash, one_time: true };
        house.catalog.execute(&Actor::product(), house.clock.now(), command).await.unwrap();
    };
    let (late, chosen, ()) = tokio::join!(sign_in, choose, reset);
    for answer in [late, chosen] {
        if answer.status == 200 {
            house.get(&Person::of(&answer), "/api/v1/session").await.is(401);
        } else {
            // What was read after the reset is a wrong password.
            assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", answer.text);
        }
    }
    house.signed_in("ada", "what the administrator set").await;
}

#[tokio::test]
async fn a_token_is_for_what_its_scopes_name_and_makes_none_that_is_for_more() {
    let house = House::new().await;
    let dev = house.person("dev", &[Role::Subscriber]).await;
    let listed = house.get(&dev, "/api/v1/tokens/scopes").await.is(200).json();
    let known: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert!(known.contains(&"applications:read") && known.contains(&"tokens:write"), "{known:?}");
    assert!(
        !known.contains(&"users:read") && !known.contains(&"apis:write"),
        "what the roles allow: {known:?}"
    );
    let make = async |person: &Person, scopes: Value| {
        let mut body = json!({"name": "script"});
        if !scopes.is_null() {
            body["scopes"] = scopes;
        }
        house.post(person, "/api/v1/tokens", body).await
    };
    for (scopes, code) in
        [(json!([]), "required"), (json!(["users:read"]), "unknown_scope"), (json!(["all"]), "unknown_scope")]
    {
        let refused = make(&dev, scopes).await.is(400).json();
        assert_eq!(
            (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
            (&json!("/scopes"), &json!(code))
        );
    }
    let made = make(&dev, json!(["applications:read", "tokens:write", "tokens:read"])).await.is(201).json();
    let token = Person::bearing(made["token"].as_str().unwrap());
    house.get(&token, "/api/v1/applications").await.is(200);
    let refused = house.post(&token, "/api/v1/applications", json!({"name": "Shop"})).await.is(403);
    assert_eq!(refused.kind(), "insufficient-scope");
    assert!(refused.text.contains("applications:write"), "{}", refused.text);
    house.get(&token, "/api/v1/catalogue").await.is(200);
    assert_eq!(house.get(&token, "/api/v1/session").await.is(403).kind(), "insufficient-scope");
    make(&token, Value::Null).await.is(400);
    make(&token, json!(["applications:write"])).await.is(400);
    make(&token, json!(["applications:read"])).await.is(201);
    let listed = house.get(&token, "/api/v1/tokens").await.is(200).json();
    let listed: Vec<_> = listed["items"].as_array().unwrap().iter().map(|token| &token["scopes"]).collect();
    assert!(listed.contains(&&json!(["applications:read", "tokens:read", "tokens:write"])), "{listed:?}");
    let whole = make(&dev, Value::Null).await.is(201).json();
    assert_eq!(whole["scopes"], Value::Null);
}

#[tokio::test]
async fn a_token_makes_none_that_is_there_after_it() {
    let house = House::new().await;
    let dev = house.person("dev", &[Role::Subscriber]).await;
    let make = async |person: &Person, days: Value| {
        let mut body = json!({"name": "script"});
        if !days.is_null() {
            body["expires_in_days"] = days;
        }
        house.post(person, "/api/v1/tokens", body).await
    };
    let made = make(&dev, json!(3)).await.is(201).json();
    let token = Person::bearing(made["token"].as_str().unwrap());
    for longer in [Value::Null, json!(4)] {
        let refused = make(&token, longer).await.is(400);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/expires_in_days");
        assert!(refused.text.contains("at most 3 days"), "{}", refused.text);
    }
    make(&token, json!(3)).await.is(201);
    house.clock.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    make(&token, json!(3)).await.is(400);
    let lasting = make(&dev, Value::Null).await.is(201).json();
    make(&Person::bearing(lasting["token"].as_str().unwrap()), Value::Null).await.is(201);
}
