//! Every operation of the OpenAPI document, called by nobody, by each single role, by a newcomer and by somebody
//! who was disabled.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::{
    operation::{self, Who},
    role::{Permission, Role, Roles},
};

use crate::support::{House, Person};

/// A body that passes the JSON reader, so that the role decides.
fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "signIn" => json!({"username": "nobody", "password": "x"}),
        "createToken" | "createApplication" | "updateApplication" | "createRegistrationToken" => {
            json!({"name": "x"})
        }
        "createApi" => json!({"name": "x", "context": "/x", "version": "1"}),
        "updateApi" => json!({"description": "", "endpoints": {}, "plans": []}),
        "changeLifecycle" => json!({"event": "publish"}),
        "createVersion" => json!({"version": "2"}),
        "testApiEndpoint" | "testEndpoint" => json!({"url": "ws://localhost:1"}),
        "rotateSigningKey" | "updateKey" => json!({}),
        "createAlertChannel" => json!({"kind": "webhook", "application_id": uuid::Uuid::nil()}),
        "updateMail" => json!({"server": null}),
        "testMail" => json!({"to": "x"}),
        "updateAlertSettings" => json!({"thresholds": [], "windows": []}),
        "createCustomRule" | "updateCustomRule" => json!({"name": "x", "expression": "", "limits": []}),
        "testCustomRule" => json!({"expression": "user"}),
        "createUser" => json!({"username": "ada", "roles": ["wizard"]}),
        "createRole" => json!({"name": "Wizard"}),
        "updateRole" => json!({"means": []}),
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
    person: Person,
    held: Option<BTreeSet<Permission>>,
    for_once: bool,
    /// The only scope of the token that they present.
    scope: Option<&'static str>,
}

/// Somebody of whom nothing else is to be said.
fn visitor(person: Person, held: Option<BTreeSet<Permission>>) -> Visitor {
    Visitor { person, held, for_once: false, scope: None }
}

fn permissions(role: Role) -> BTreeSet<Permission> {
    Roles::from([role]).permissions()
}

/// The address of an operation, with what stands for nothing that is there.
fn address(path: &str) -> String {
    let nil = uuid::Uuid::nil().to_string();
    let path = ["{id}", "{key_manager}", "{key_id}", "{certificate_id}"]
        .iter()
        .fold(path.to_owned(), |path, place| path.replace(place, &nil));
    let path =
        ["{client_id}", "{kid}", "{name}"].iter().fold(path, |path, place| path.replace(place, "nobody"));
    format!("/api/v1{path}")
}

/// Calls every operation as this visitor.
async fn walk(house: &House, visitor: Visitor) {
    let document: Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let rule = operation::who(name);
            let rule = rule.unwrap_or_else(|| panic!("{name} has no rule in model::operation::TABLE"));
            // Signing out ends the session that the other checks need.
            if name == "signOut" {
                continue;
            }
            let needed = operation::scope(path, method == "get");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = house.call(&visitor.person, method, &address(path), body(name)).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{name}: {status} {}", answer.text);
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
            assert_eq!(found, expected, "{name}: {}", answer.text);
        }
    }
}

#[test]
fn the_table_names_the_operations_that_there_are() {
    let document: Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let named: BTreeSet<_> = operations.map(|one| one["operationId"].as_str().unwrap()).collect();
    let ruled: BTreeSet<_> = operation::TABLE.iter().map(|(id, _)| *id).collect();
    assert_eq!(named, ruled);
}

#[tokio::test]
async fn nobody_calls_what_is_for_everyone_alone() {
    walk(&House::new().await, visitor(Person::default(), None)).await;
}

async fn walk_as(role: Role) {
    let house = House::new().await;
    let person = house.person("ada", &[role]).await;
    walk(&house, visitor(person, Some(permissions(role)))).await;
}

#[tokio::test]
async fn an_admin_calls_everything() {
    walk_as(Role::Admin).await;
}

#[tokio::test]
async fn a_creator_calls_what_the_table_says() {
    walk_as(Role::Creator).await;
}

#[tokio::test]
async fn a_publisher_calls_what_the_table_says() {
    walk_as(Role::Publisher).await;
}

#[tokio::test]
async fn a_subscriber_calls_what_the_table_says() {
    walk_as(Role::Subscriber).await;
}

#[tokio::test]
async fn an_observer_calls_what_the_table_says() {
    walk_as(Role::Observer).await;
}

#[tokio::test]
async fn who_has_no_role_calls_what_takes_none() {
    let house = House::new().await;
    let person = house.person("none", &[]).await;
    walk(&house, visitor(person, Some(BTreeSet::new()))).await;
}

#[tokio::test]
async fn who_holds_an_own_role_calls_what_it_means() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let body = json!({"name": "partner", "means": ["publisher", "subscriber"]});
    house.post(&admin, "/api/v1/roles", body).await.is(201);
    let person = house.person("ada", &[]).await;
    let id = house.id_of(&admin, "ada").await;
    house.change_user(&admin, &id, &["partner"], "active").await.is(200);
    let held = Roles::from([Role::Publisher, Role::Subscriber]).permissions();
    walk(&house, visitor(person, Some(held))).await;
}

#[tokio::test]
async fn whose_password_is_for_one_time_chooses_another_and_nothing_else() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let body = json!({"username": "newcomer", "roles": ["admin"]});
    let made = house.post(&admin, "/api/v1/users", body).await.is(201);
    let person = house.signed_in("newcomer", made.json()["one_time_password"].as_str().unwrap()).await;
    walk(&house, Visitor { for_once: true, ..visitor(person, Some(permissions(Role::Admin))) }).await;
}

async fn walk_with_a_token_for(scope: &'static str) {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let body = json!({"name": scope, "scopes": [scope]});
    let token = house.post(&admin, "/api/v1/tokens", body).await.is(201).json();
    let person = Person::bearing(token["token"].as_str().unwrap());
    walk(&house, Visitor { scope: Some(scope), ..visitor(person, Some(permissions(Role::Admin))) }).await;
}

#[tokio::test]
async fn a_token_for_reading_apis_is_for_nothing_else() {
    walk_with_a_token_for("apis:read").await;
}

#[tokio::test]
async fn a_token_for_changing_users_is_for_nothing_else() {
    walk_with_a_token_for("users:write").await;
}

/// Disabled after signing in, and after making a token: both are refused as those of nobody are.
#[tokio::test]
async fn who_was_disabled_is_nobody() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let gone = house.person("gone", &[Role::Admin]).await;
    let token = house.post(&gone, "/api/v1/tokens", json!({"name": "script"})).await.is(201);
    let token = Person::bearing(token.json()["token"].as_str().unwrap());
    house.get(&token, "/api/v1/users").await.is(200);
    let id = house.id_of(&admin, "gone").await;
    house.change_user(&admin, &id, &["admin"], "disabled").await.is(200);
    walk(&house, visitor(gone, None)).await;
    walk(&house, visitor(token, None)).await;
}
