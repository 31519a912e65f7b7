//! Own roles over REST: made by administrators, given, meant, and acting at once.

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{Answer, House, Person};

async fn replace(house: &House, person: &Person, path: &str, etag: &str, body: Value) -> Answer {
    let request = House::request(person, &Method::PUT, path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, etag);
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn permissions(house: &House, person: &Person) -> Value {
    house.get(person, "/api/v1/session").await.is(200).json()["permissions"].clone()
}

#[tokio::test]
async fn what_an_own_role_means_acts_with_the_next_call() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let ada = house.person("ada", &[]).await;
    let id = house.id_of(&admin, "ada").await;
    let body = json!({"name": "partner", "description": "Who resells.", "means": ["publisher"]});
    let made = house.post(&admin, "/api/v1/roles", body).await.is(201);
    assert_eq!((made.header("location"), made.header("etag")), ("/api/v1/roles/partner", "\"1\""));
    let expected = json!({"name": "partner", "description": "Who resells.", "means": ["publisher"],
        "ships": false, "permissions": ["api_view", "api_publish"], "etag": "1"});
    assert_eq!(made.json(), expected);
    house.get(&ada, "/api/v1/apis").await.is(403);
    let given = house.change_user(&admin, &id, &["partner"], "active").await.is(200).json();
    assert_eq!(given["roles"], json!(["partner"]));
    house.get(&ada, "/api/v1/apis").await.is(200);
    assert_eq!(permissions(&house, &ada).await, json!(["api_view", "api_publish"]));

    let next = json!({"description": "", "means": ["subscriber"]});
    replace(&house, &admin, "/api/v1/roles/partner", "\"7\"", next.clone()).await.is(412);
    let changed = replace(&house, &admin, "/api/v1/roles/partner", "\"1\"", next).await.is(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    house.get(&ada, "/api/v1/apis").await.is(403);
    assert_eq!(permissions(&house, &ada).await, json!(["app_manage"]));

    // Who holds it is found by its name and by what it means.
    for role in ["partner", "subscriber"] {
        let found = house.get(&admin, &format!("/api/v1/users?role={role}")).await.is(200).json();
        assert_eq!(found["items"][0]["username"], "ada", "{role}");
    }
    let refused = house.call(&admin, Method::DELETE, "/api/v1/roles/partner", None).await.is(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("1 user with it"), "{refused}");
    house.change_user(&admin, &id, &["observer"], "active").await.is(200);
    house.call(&admin, Method::DELETE, "/api/v1/roles/partner", None).await.is(204);
    house.get(&admin, "/api/v1/roles/partner").await.is(404);
    let refused = house.change_user(&admin, &id, &["partner"], "active").await.is(400).json();
    assert_eq!(refused["errors"][0]["pointer"], "/roles/0");
}

#[tokio::test]
async fn roles_that_ship_are_listed_first_and_stay_as_they_are() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let ada = house.person("ada", &[Role::Creator]).await;
    house.post(&admin, "/api/v1/roles", json!({"name": "auditor"})).await.is(201);
    let listed = house.get(&ada, "/api/v1/roles").await.is(200).json();
    let named = listed["items"].as_array().unwrap().iter();
    let names: Vec<_> = named.map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["admin", "creator", "publisher", "subscriber", "observer", "auditor"]);
    let observer = house.get(&ada, "/api/v1/roles/observer").await.is(200);
    assert_eq!(observer.json()["permissions"], json!(["api_view"]));
    let body = json!({"description": "", "means": []});
    let refused = replace(&house, &admin, "/api/v1/roles/observer", observer.header("etag"), body).await;
    assert!(refused.is(409).json()["detail"].as_str().unwrap().contains("ships with the product"));
    house.call(&admin, Method::DELETE, "/api/v1/roles/admin", None).await.is(409);
}

#[tokio::test]
async fn what_no_role_can_be_is_refused_at_its_place() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    for (body, pointer, code) in [
        (json!({"name": "Partner"}), "/name", "malformed"),
        (json!({"name": ""}), "/name", "malformed"),
        (json!({"name": "two words"}), "/name", "malformed"),
        (json!({"name": "partner", "means": ["admin"]}), "/means", "admin"),
        (json!({"name": "partner", "means": ["creator", "creator"]}), "/means/1", "repeated"),
        // What is meant ships, so that no meaning is a chain.
        (json!({"name": "partner", "means": ["partner"]}), "/means/0", "unknown_role"),
        (json!({"name": "partner", "description": "x".repeat(513)}), "/description", "too_long"),
    ] {
        let refused = house.post(&admin, "/api/v1/roles", body.clone()).await.is(400).json();
        let problem = &refused["errors"][0];
        assert_eq!((&problem["pointer"], &problem["code"]), (&json!(pointer), &json!(code)), "{body}");
    }
    let refused = house.post(&admin, "/api/v1/roles", json!({"name": "admin"})).await.is(409).json();
    assert_eq!(refused["errors"][0]["pointer"], "/name");
}
