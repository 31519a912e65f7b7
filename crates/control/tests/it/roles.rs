//! Every operation of the OpenAPI document, called by nobody, by each single role, by a newcomer and by somebody
//! who was disabled.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::{
    operation::{self, Who},
    role::{Permission, ROLES, Role, permissions},
};

use crate::support::{House, Person};

/// A body that passes the JSON reader, so that the role decides.
fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "signIn" => json!({"username": "nobody", "password": "x"}),
        "createToken" | "createApplication" | "updateApplication" => json!({"name": "x"}),
        "createApi" => json!({"name": "x", "context": "/x", "version": "1"}),
        "updateApi" => json!({"description": "", "endpoints": {}, "plans": []}),
        "changeLifecycle" => json!({"event": "publish"}),
        "createVersion" => json!({"version": "2"}),
        "testApiEndpoint" | "testEndpoint" => json!({"url": "ws://localhost:1"}),
        "rotateSigningKey" | "updateKey" => json!({}),
        "createUser" => json!({"username": "ada", "roles": ["wizard"]}),
        "updateUser" => json!({"roles": [], "state": "active"}),
        "choosePassword" => json!({"current_password": "x", "new_password": "x"}),
        "revokeToken" => json!({"token": "x"}),
        "createApiKey" => json!({"name": "x", "type": "production"}),
        "addCertificate" => json!({"name": "x", "type": "production", "certificate": "x"}),
        "createTicket" => json!({"application_id": uuid::Uuid::nil(), "api_id": uuid::Uuid::nil()}),
        "createKey" => json!({"type": "production"}),
        "provideKey" => json!({"key_manager": uuid::Uuid::nil(), "client_id": "x", "type": "production"}),
        "createKeyManager" => json!({"name": "x", "issuer": "x", "keys": {}, "audiences": []}),
        "updateKeyManager" => json!({"issuer": "x", "keys": {}, "audiences": []}),
        "createSignInProvider" | "updateSignInProvider" => {
            json!({"name": "x", "issuer": "x", "client_id": "x"})
        }
        "createSubscription" => {
            json!({"application_id": uuid::Uuid::nil(), "api_id": uuid::Uuid::nil(), "plan": "Gold"})
        }
        _ => return None,
    })
}

/// What a call is answered with, as far as the rule decides it.
fn expected(who: Who, held: Option<&BTreeSet<Permission>>, for_once: bool) -> &'static str {
    match (who, held) {
        (Who::Everyone, _) | (Who::Arrived, Some(_)) => "open",
        (_, None) => "unauthenticated",
        (Who::SignedIn | Who::Holds(_), Some(_)) if for_once => "password-for-once",
        (_, Some(held)) if who.lacks(held).is_some() => "forbidden",
        _ => "open",
    }
}

/// Somebody who calls, what they hold, and whether the password they signed in with is for one time.
struct Visitor {
    name: String,
    person: Person,
    held: Option<BTreeSet<Permission>>,
    for_once: bool,
    /// The only scope of the token that they present.
    scope: Option<&'static str>,
}

async fn visitors(house: &House) -> Vec<Visitor> {
    let visitor = |name: &str, person, held| Visitor {
        name: name.to_owned(),
        person,
        held,
        for_once: false,
        scope: None,
    };
    let mut found = vec![visitor("nobody", Person::default(), None)];
    let admin = house.person("boss", &[Role::Admin]).await;
    for role in ROLES {
        let (name, held) = (role.as_str(), permissions(&BTreeSet::from([role])));
        found.push(visitor(name, house.person(name, &[role]).await, Some(held)));
    }
    found.push(visitor("no role", house.person("none", &[]).await, Some(BTreeSet::new())));
    let body = json!({"username": "newcomer", "roles": ["admin"]});
    let made = house.post(&admin, "/api/v1/users", body).await.is(201);
    let person = house.signed_in("newcomer", made.json()["one_time_password"].as_str().unwrap()).await;
    let held = Some(permissions(&BTreeSet::from([Role::Admin])));
    found.push(Visitor { name: "newcomer".to_owned(), person, held, for_once: true, scope: None });
    for scope in ["apis:read", "users:write"] {
        let body = json!({"name": scope, "scopes": [scope]});
        let token = house.post(&admin, "/api/v1/tokens", body).await.is(201).json();
        let person = Person::bearing(token["token"].as_str().unwrap());
        let held = Some(permissions(&BTreeSet::from([Role::Admin])));
        let name = format!("a token for {scope}");
        found.push(Visitor { name, person, held, for_once: false, scope: Some(scope) });
    }
    // Disabled after signing in, and after making a token: both are refused as those of nobody are.
    let gone = house.person("gone", &[Role::Admin]).await;
    let token = house.post(&gone, "/api/v1/tokens", json!({"name": "script"})).await.is(201);
    let token = Person::bearing(token.json()["token"].as_str().unwrap());
    house.get(&token, "/api/v1/users").await.is(200);
    let listed = house.get(&admin, "/api/v1/users?q=gone").await.is(200);
    let id = listed.json()["items"][0]["id"].as_str().unwrap().to_owned();
    house.change_user(&admin, &id, &["admin"], "disabled").await.is(200);
    found.push(visitor("disabled, by cookie", gone, None));
    found.push(visitor("disabled, by token", token, None));
    found
}

#[tokio::test]
async fn every_operation_answers_everybody_as_the_table_says() {
    let house = House::new().await;
    let visitors = visitors(&house).await;
    let document: Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let rule = operation::who(name);
            let rule = rule.unwrap_or_else(|| panic!("{name} has no rule in model::operation::TABLE"));
            seen.insert(name);
            // Signing out ends the session that the other checks need.
            if name == "signOut" {
                continue;
            }
            let needed = operation::scope(path, method == "get");
            let nil = uuid::Uuid::nil().to_string();
            let path = format!(
                "/api/v1{}",
                path.replace("{id}", &nil)
                    .replace("{key_manager}", &nil)
                    .replace("{client_id}", "nobody")
                    .replace("{kid}", "nobody")
                    .replace("{key_id}", &nil)
                    .replace("{certificate_id}", &nil)
                    .replace("{name}", "nobody")
            );
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for visitor in &visitors {
                let answer = house.call(&visitor.person, method.clone(), &path, body(name)).await;
                let status = answer.status.as_u16();
                assert!(status < 500, "{name} as {}: {status} {}", visitor.name, answer.text);
                let found = match status {
                    401 if name == "signIn" => "open",
                    401 | 403 => &answer.kind(),
                    _ => "open",
                };
                let lacks_scope = visitor.scope.is_some_and(|own| own != needed) && rule != Who::Everyone;
                let expected = match expected(rule, visitor.held.as_ref(), visitor.for_once) {
                    "open" if lacks_scope => "insufficient-scope",
                    expected => expected,
                };
                assert_eq!(found, expected, "{name} as {}: {}", visitor.name, answer.text);
            }
        }
    }
    let ruled: BTreeSet<_> = operation::TABLE.iter().map(|(id, _)| *id).collect();
    assert_eq!(seen, ruled, "the table names an operation that does not exist");
}
