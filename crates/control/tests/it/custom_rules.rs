//! Custom rules over REST: made, read, changed from the tag of now, tried against a sample, deleted; and told to gateways.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{Answer, House, Person};

const RULES: &str = "/api/v1/custom-rules";

/// An administrator, with a token so that requests can have headers of their own.
struct Office {
    house: House,
    admin: Person,
    token: String,
}

impl Office {
    async fn open() -> Self {
        let house = House::new().await;
        let admin = house.person("boss", &[Role::Admin]).await;
        let made = house.post(&admin, "/api/v1/tokens", json!({"name": "rules"})).await.is(201).json();
        let token = format!("Bearer {}", made["token"].as_str().unwrap());
        Self { house, admin, token }
    }

    async fn based_on(&self, tag: Option<&str>, method: Method, path: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::AUTHORIZATION, &self.token);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        self.house.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.house.post(&self.admin, path, body).await
    }
}

fn rule(name: &str, expression: &str) -> Value {
    json!({"name": name, "expression": expression, "limits": [{"amount": 60, "per": "minute"}]})
}

/// Pointers and codes of the fields that a problem names.
fn fields(answer: &Answer) -> Vec<(String, String)> {
    let json = answer.json();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let errors = json["errors"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
}

#[tokio::test]
async fn a_rule_is_made_read_changed_and_deleted() {
    let office = Office::open().await;
    let house = &office.house;
    let body = json!({"name": "Large", "description": "What is large.", "on_excess": "drop", "enabled": false,
        "expression": "size > 65536 ? user : null",
        "limits": [{"amount": 60, "per": "minute"}, {"amount": 1_048_576, "unit": "bytes", "per": "second"}]});
    let made = office.post(RULES, body.clone()).await.is(201);
    let first = made.json();
    let place = format!("{RULES}/{}", first["id"].as_str().unwrap());
    assert_eq!(made.header("location"), place);
    for same in ["name", "description", "on_excess", "enabled", "expression"] {
        assert_eq!(first[same], body[same], "{same}");
    }
    assert_eq!((&first["etag"], &first["created_by"]), (&json!(1), &json!("boss")));
    assert_eq!(first["asked_for_each"], "message");
    assert_eq!(first["limits"][1]["unit"], "bytes");
    let read = house.get(&office.admin, &place).await.is(200);
    assert_eq!((read.json(), read.header("etag")), (first.clone(), "\"1\""));
    assert_eq!(house.get(&office.admin, RULES).await.is(200).json()["items"], json!([first]));
    let twin = office.post(RULES, rule("large", "topic")).await.is(409);
    assert_eq!(fields(&twin), [("/name".to_owned(), "duplicate".to_owned())]);
    let next = || rule("PerPerson", "user");
    office.based_on(None, Method::PUT, &place, &next()).await.is(428);
    let changed = office.based_on(Some("\"1\""), Method::PUT, &place, &next()).await.is(200);
    let json = changed.json();
    assert_eq!((changed.header("etag"), &json["name"]), ("\"2\"", &json!("PerPerson")));
    assert_eq!((&json["enabled"], &json["on_excess"]), (&json!(true), &json!("close")));
    assert_eq!(json["asked_for_each"], "session");
    office.based_on(Some("\"1\""), Method::PUT, &place, &next()).await.is(412);
    office.based_on(Some("\"1\""), Method::DELETE, &place, &Value::Null).await.is(412);
    office.based_on(Some("\"2\""), Method::DELETE, &place, &Value::Null).await.is(204);
    house.get(&office.admin, &place).await.is(404);
    let audit = house.get(&office.admin, "/api/v1/audit?kind=custom_rule").await.is(200).json();
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["deleted a custom rule", "changed a custom rule", "made a custom rule"]);
}

#[tokio::test]
async fn what_a_rule_cannot_say_is_told_by_its_field_with_line_and_column() {
    let office = Office::open().await;
    let mut wrong = rule("per person", "user ==\n 'ada' ? usr : null");
    wrong["limits"] = json!([]);
    let refused = office.post(RULES, wrong).await.is(400);
    let told = [("/name", "illegal_character"), ("/limits", "required"), ("/expression", "unknown_name")];
    assert_eq!(fields(&refused), told.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    let detail = refused.json()["errors"][2]["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("Line 2, column 10: “usr” is not known."), "{detail}");
    let mut wrong = rule("x", "user");
    wrong["limits"][0]["per"] = json!("week");
    wrong["on_excess"] = json!("explode");
    let refused = office.post(RULES, wrong).await.is(400);
    let told = [("/on_excess", "unknown_word"), ("/limits/0/per", "unknown_word")];
    assert_eq!(fields(&refused), told.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
}

#[tokio::test]
async fn an_expression_is_tried_against_a_sample_and_nothing_is_kept() {
    let office = Office::open().await;
    let test = async |expression: &str, sample: Value| {
        let body = json!({"expression": expression, "sample": sample});
        let json = office.post(&format!("{RULES}/test"), body).await.is(200).json();
        (json["key"].clone(), json["amount"].clone(), json["error"].clone(), json["asked_for_each"].clone())
    };
    let none = Value::Null;
    let sample = json!({"user": "ada", "application": {"id": "1", "name": "Shop"},
        "api": {"name": "Echo", "version": "1.0", "context": "/echo"}, "topic": "/rooms/7", "address": "203.0.113.7",
        "claims": {"tenant": "acme", "roles": ["dev"], "realm": {"level": 3}}, "size": 70_000, "direction": "subscribe"});
    for (expression, key, amount, asked) in [
        ("user + '@' + claims.tenant", json!("ada@acme"), json!(null), "session"),
        ("size > 65536 ? {'key': user, 'amount': 5} : null", json!("ada"), json!(5), "message"),
        ("direction + topic + address", json!("subscribe/rooms/7203.0.113.7"), json!(null), "direction"),
        (
            "'dev' in claims.roles ? application.name + api.version : null",
            json!("Shop1.0"),
            json!(null),
            "session",
        ),
        ("claims['realm.level'] > 2 ? 'high' : 'low'", json!("high"), json!(null), "session"),
        ("user == 'bob' ? user : null", json!(null), json!(null), "session"),
    ] {
        let expected = (key, amount, none.clone(), json!(asked));
        assert_eq!(test(expression, sample.clone()).await, expected, "{expression}");
    }
    let (key, _, error, _) = test("claims.tenant", json!({})).await;
    assert_eq!((key, error), (none, json!("there is no “tenant”")));
    let refused = async |body: Value| fields(&office.post(&format!("{RULES}/test"), body).await.is(400));
    let expression = [("/expression".to_owned(), "no_loops".to_owned())];
    assert_eq!(refused(json!({"expression": "[1].map(x, x)"})).await, expression);
    let wrong = json!({"expression": "user", "sample": {"address": "here", "direction": "both"}});
    let told = [("/sample/address", "malformed"), ("/sample/direction", "unknown_word")];
    assert_eq!(refused(wrong).await, told.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    let list = office.house.get(&office.admin, RULES).await.is(200).json();
    assert_eq!(list["items"], json!([]));
}
