//! Every operation of the OpenAPI document with no credential and with each single role.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::role::{ROLES, Role};

use crate::support::{House, Person};

/// Who may call an operation, the public ones by everyone.
enum Who {
    Everyone,
    SignedIn,
    Roles(&'static [Role]),
}

fn table() -> BTreeMap<&'static str, Who> {
    use Role::{Admin, Creator, Observer, Publisher, Subscriber};
    use Who::{Everyone, Roles, SignedIn};
    let view = || Roles(&[Admin, Creator, Publisher, Observer]);
    let create = || Roles(&[Admin, Creator]);
    let publish = || Roles(&[Admin, Publisher]);
    let either = || Roles(&[Admin, Creator, Publisher]);
    let develop = || Roles(&[Admin, Subscriber]);
    BTreeMap::from([
        ("signIn", Everyone),
        ("getSettings", Everyone),
        ("listPlans", Everyone),
        ("listApplicationPolicies", Everyone),
        ("listCatalogue", Everyone),
        ("getCatalogueApi", Everyone),
        ("getSession", SignedIn),
        ("createToken", SignedIn),
        ("listTokens", SignedIn),
        ("deleteToken", SignedIn),
        ("signOut", SignedIn),
        ("createApi", create()),
        ("listApis", view()),
        ("getApi", view()),
        ("updateApi", either()),
        ("deleteApi", create()),
        ("listChanges", view()),
        ("getApiTraffic", view()),
        ("listApiSubscriptions", view()),
        ("getLifecycle", view()),
        ("changeLifecycle", publish()),
        ("deployApi", either()),
        ("listRevisions", view()),
        ("createVersion", create()),
        ("getEndpointsHealth", view()),
        ("testApiEndpoint", either()),
        ("testEndpoint", create()),
        ("createApplication", develop()),
        ("listApplications", develop()),
        ("getApplication", develop()),
        ("updateApplication", develop()),
        ("deleteApplication", develop()),
        ("getApplicationTraffic", develop()),
        ("createKey", develop()),
        ("listKeys", develop()),
        ("deleteKey", develop()),
        ("renewSecret", develop()),
        ("issueToken", develop()),
        ("createSubscription", develop()),
        ("listSubscriptions", develop()),
        ("deleteSubscription", develop()),
        ("listSigningKeys", Roles(&[Admin])),
        ("rotateSigningKey", Roles(&[Admin])),
        ("removeSigningKey", Roles(&[Admin])),
    ])
}

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
        "rotateSigningKey" => json!({}),
        "createKey" => json!({"type": "production"}),
        "createSubscription" => {
            json!({"application_id": uuid::Uuid::nil(), "api_id": uuid::Uuid::nil(), "plan": "Gold"})
        }
        _ => return None,
    })
}

#[tokio::test]
async fn every_operation_answers_every_role_as_the_table_says() {
    let house = House::new().await;
    let mut people: Vec<(Option<Role>, Person)> = vec![(None, Person::default())];
    for role in ROLES {
        people.push((Some(role), house.person(role.as_str(), &[role]).await));
    }
    let document: Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    let table = table();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let who = table.get(name).unwrap_or_else(|| panic!("{name} is missing in the table of roles"));
            // Signing out ends the session that the other checks need.
            if name == "signOut" {
                seen += 1;
                continue;
            }
            let nil = uuid::Uuid::nil().to_string();
            let path = format!(
                "/api/v1{}",
                path.replace("{id}", &nil).replace("{client_id}", "nobody").replace("{kid}", "nobody")
            );
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for (role, person) in &people {
                let status = house.call(person, method.clone(), &path, body(name)).await.status.as_u16();
                let expected = match (who, role) {
                    (Who::Everyone, _) | (Who::SignedIn, Some(_)) => "open",
                    (Who::Roles(roles), Some(role)) if roles.contains(role) => "open",
                    (Who::SignedIn | Who::Roles(_), None) => "401",
                    (Who::Roles(_), Some(_)) => "403",
                };
                let found = match status {
                    401 if name != "signIn" => "401",
                    403 => "403",
                    status => {
                        assert!(status < 500, "{name} as {role:?}: {status}");
                        "open"
                    }
                };
                assert_eq!(found, expected, "{name} as {role:?}: {status}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, table.len(), "the table names an operation that does not exist");
}
