//! Business plans, application policies and API policies over REST: made, read, changed from the tag of now, deleted when unused, and carried
//! as one document.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{Answer, House, Person, echo};

const PLANS: &str = "/api/v1/plans";
const API_POLICIES: &str = "/api/v1/api-policies";
const LISTS: [&str; 3] = [PLANS, "/api/v1/application-policies", API_POLICIES];

fn limit(amount: u64, per: &str) -> Value {
    json!({"amount": amount, "per": per})
}

fn billed(billing: &Value) -> Value {
    json!({"name": "New", "limits": [], "billing": billing})
}

fn policy(name: &str, limits: &[Value]) -> Value {
    json!({"name": name, "limits": limits})
}

/// An administrator who presents a token, so that requests can have headers of their own.
struct Office {
    house: House,
    admin: Person,
    token: String,
}

impl Office {
    async fn open() -> Self {
        let house = House::new().await;
        let admin = house.person("boss", &[Role::Admin]).await;
        let token = token_of(&house, &admin).await;
        Self { house, admin, token }
    }

    /// A change or deletion that is based on a tag.
    async fn based_on(&self, tag: Option<&str>, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.by(&self.token, tag, method, path, body).await
    }

    /// The same, by whoever has this token.
    async fn by(
        &self,
        token: &str,
        tag: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::AUTHORIZATION, token);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.house.send(request.body(body).unwrap()).await
    }

    async fn put(&self, tag: &str, path: &str, body: Value) -> Answer {
        self.based_on(Some(tag), Method::PUT, path, Some(body)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.house.post(&self.admin, path, body).await
    }
}

async fn token_of(house: &House, person: &Person) -> String {
    let made = house.post(person, "/api/v1/tokens", json!({"name": "plans"})).await.is(201).json();
    format!("Bearer {}", made["token"].as_str().unwrap())
}

/// Pointers and codes of the fields that a problem names.
fn fields(answer: &Answer) -> Vec<(String, String)> {
    let json = answer.json();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let errors = json["errors"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
}

fn names(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_policy_is_made_read_changed_and_deleted() {
    let office = Office::open().await;
    let house = &office.house;
    let observer = house.person("observer", &[Role::Observer]).await;
    house.get(&Person::default(), API_POLICIES).await.is(401);
    for list in LISTS {
        let bytes = json!({"amount": 65_536, "unit": "bytes", "per": "second", "counting": "sliding", "burst": 4_096,
            "direction": "publish"});
        let body = json!({"name": "Stream", "description": "For streams.", "on_excess": "delay",
            "limits": [limit(9_000, "month"), bytes], "sessions_max": 3, "sessions_per_user_max": 2,
            "sessions_per_address_max": 5, "message_bytes_max": 65_536,
            "idle_timeout_ms": 60_000, "lifetime_max_ms": 3_600_000});
        let made = office.post(list, body.clone()).await.is(201);
        let place = format!("{list}/Stream");
        assert_eq!(made.header("location"), place);
        let first = made.json();
        assert_eq!(
            (&first["on_excess"], &first["etag"], &first["unlimited"]),
            (&json!("delay"), &json!(1), &json!(false))
        );
        let month = json!({"amount": 9_000, "unit": "messages", "per": "month", "counting": "calendar", "burst": null,
            "direction": "both"});
        assert_eq!(first["limits"], json!([month, bytes]));
        for bound in [
            "sessions_max",
            "sessions_per_user_max",
            "sessions_per_address_max",
            "message_bytes_max",
            "idle_timeout_ms",
            "lifetime_max_ms",
        ] {
            assert_eq!(first[bound], body[bound]);
        }
        // Everybody may know what a plan gives; what an API takes is for those who see APIs.
        let reader = if list == API_POLICIES { &observer } else { &Person::default() };
        let read = house.get(reader, &place).await.is(200);
        assert_eq!((read.json(), read.header("etag")), (first.clone(), "\"1\""));
        let listed = house.get(reader, list).await.is(200).json();
        assert_eq!(names(&listed).last().map(String::as_str), Some("Stream"));
        let twin = office.post(list, policy("stream", &[])).await.is(409);
        assert_eq!(fields(&twin), [("/name".to_owned(), "duplicate".to_owned())]);
        let next = || policy("Stream", &[limit(10, "second")]);
        let unconditional = office.based_on(None, Method::PUT, &place, Some(next())).await;
        assert_eq!(
            (unconditional.status.as_u16(), unconditional.kind().as_str()),
            (428, "precondition-required")
        );
        let changed = office.put("\"1\"", &place, next()).await.is(200);
        assert_eq!((changed.header("etag"), &changed.json()["on_excess"]), ("\"2\"", &json!("close")));
        office.put("\"1\"", &place, next()).await.is(412);
        let renamed = office.put("\"2\"", &place, policy("Other", &[])).await.is(400);
        assert_eq!(fields(&renamed), [("/name".to_owned(), "unchangeable".to_owned())]);
        office.put("\"1\"", &format!("{list}/Nowhere"), policy("Nowhere", &[])).await.is(404);
        office.based_on(Some("\"1\""), Method::DELETE, &place, None).await.is(412);
        office.based_on(Some("\"2\""), Method::DELETE, &place, None).await.is(204);
        house.get(&office.admin, &place).await.is(404);
    }
    let audit = house.get(&office.admin, "/api/v1/audit?kind=policy").await.is(200).json();
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions[6..], ["deleted a business plan", "changed a business plan", "made a business plan"]);
    assert_eq!(
        (&actions[3], &actions[0]),
        (&json!("deleted an application policy"), &json!("deleted an API policy"))
    );
    let number = audit["items"][1]["number"].as_u64().unwrap();
    let entry = house.get(&office.admin, &format!("/api/v1/audit/{number}")).await.is(200).json();
    assert_eq!(entry["before"]["limits"][0]["amount"], 9_000, "{entry}");
    assert_eq!(entry["after"]["limits"][0]["amount"], 10, "{entry}");
}

#[tokio::test]
async fn a_problem_names_the_field_and_the_way_out() {
    let office = Office::open().await;
    let of = |change: fn(&mut Value)| {
        let mut limit = limit(5, "minute");
        change(&mut limit);
        policy("New", &[json!({"amount": 1, "per": "day"}), limit])
    };
    for (body, pointer, code) in [
        (policy("", &[]), "/name", "required"),
        (policy("two words", &[]), "/name", "illegal_character"),
        (policy("Unauthenticated", &[]), "/name", "reserved"),
        (json!({"name": "New", "limits": [], "on_excess": "explode"}), "/on_excess", "unknown_word"),
        (json!({"name": "New", "limits": [], "sessions_max": 0}), "/sessions_max", "out_of_range"),
        (
            json!({"name": "New", "limits": [], "roles": ["subscriber", "Not One"]}),
            "/roles/1",
            "unknown_role",
        ),
        (json!({"name": "New", "limits": [], "roles": ["partner"]}), "/roles", "unknown_role"),
        (billed(&json!({"currency": "euro", "price": "1"})), "/billing/currency", "illegal_character"),
        (billed(&json!({"currency": "EUR"})), "/billing/price", "required"),
        (billed(&json!({"currency": "EUR", "price": "1,50"})), "/billing/price", "no_price"),
        (billed(&json!({"currency": "EUR", "price": "1", "per": "day"})), "/billing/per", "unknown_word"),
        (of(|limit| limit["amount"] = json!(0)), "/limits/1/amount", "out_of_range"),
        (of(|limit| limit["per"] = json!("fortnight")), "/limits/1/per", "unknown_word"),
        (of(|limit| limit["unit"] = json!("words")), "/limits/1/unit", "unknown_word"),
        (of(|limit| limit["direction"] = json!("up")), "/limits/1/direction", "unknown_word"),
        (of(|limit| limit["counting"] = json!("sliding")), "/limits/1/burst", "required"),
        (of(|limit| limit["burst"] = json!(5)), "/limits/1/burst", "not_sliding"),
        (of(|limit| limit["per"] = json!("day")), "/limits/1", "repeated"),
    ] {
        let refused = office.post(PLANS, body).await.is(400);
        assert_eq!(fields(&refused), [(pointer.to_owned(), code.to_owned())]);
    }
    let mistyped = json!({"name": "New", "limits": [], "limit": 5});
    office.post(PLANS, mistyped).await.is(400);
    let refused = office.post(PLANS, of(|limit| limit["per"] = json!("fortnight"))).await;
    let detail = refused.json()["errors"][0]["detail"].clone();
    assert_eq!(detail, "Choose one of: second, minute, hour, day, month.");
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted_and_says_by_what() {
    let office = Office::open().await;
    office.post("/api/v1/apis", echo()).await.is(201);
    let refused = office.based_on(None, Method::DELETE, "/api/v1/plans/Gold", None).await.is(409);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("EchoWebSocket 1.0") && detail.contains("Then delete it"), "{detail}");
    office.house.get(&office.admin, "/api/v1/plans/Gold").await.is(200);
    let default = "/api/v1/application-policies/Unlimited";
    office.based_on(None, Method::DELETE, default, None).await.is(409);
    office.based_on(None, Method::DELETE, "/api/v1/plans/AsyncGold", None).await.is(204);
}

#[tokio::test]
async fn an_api_and_its_topics_name_policies_that_are_there_and_a_publisher_may_choose_them() {
    let office = Office::open().await;
    let house = &office.house;
    let mut wanted = echo();
    wanted["api_policy"] = json!("Gold");
    wanted["topics"] = json!({"declared": [{"path": "/news"}, {"path": "/*", "api_policy": "10kpermin"}]});
    let refused = office.post("/api/v1/apis", wanted.clone()).await.is(400);
    let unknown = |pointer: &str| (pointer.to_owned(), "unknown_policy".to_owned());
    assert_eq!(fields(&refused), [unknown("/api_policy"), unknown("/topics/declared/1/api_policy")]);
    wanted["api_policy"] = json!("20KPerMin");
    wanted["topics"]["declared"][1]["api_policy"] = json!("10KPerMin");
    let made = office.post("/api/v1/apis", wanted.clone()).await.is(201);
    let api = made.json();
    assert_eq!(api["api_policy"], "20KPerMin");
    let topics = api["topics"]["declared"].as_array().unwrap();
    let of_topics: Vec<_> = topics.iter().map(|topic| &topic["api_policy"]).collect();
    assert_eq!(of_topics, [&Value::Null, &json!("10KPerMin")]);
    let detail = office.based_on(None, Method::DELETE, "/api/v1/api-policies/10KPerMin", None).await.is(409);
    let detail = detail.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("1 API held to it (EchoWebSocket 1.0)"), "{detail}");

    let publisher = house.person("publisher", &[Role::Publisher]).await;
    let token = token_of(house, &publisher).await;
    let place = made.header("location").to_owned();
    let mut change =
        json!({"description": api["description"], "endpoints": api["endpoints"], "plans": api["plans"]});
    let put = async |change: &Value| {
        let etag = house.get(&publisher, &place).await.is(200).header("etag").to_owned();
        office.by(&token, Some(&etag), Method::PUT, &place, Some(change.clone())).await
    };
    // What is not told of stays; null takes back.
    assert_eq!(put(&change).await.is(200).json()["api_policy"], "20KPerMin");
    change["api_policy"] = Value::Null;
    change["topics"] = api["topics"].clone();
    change["topics"]["declared"][0]["api_policy"] = json!("Unlimited");
    let changed = put(&change).await.is(200).json();
    assert_eq!((&changed["api_policy"], &changed["topics"]), (&Value::Null, &change["topics"]));
    change["topics"]["declared"][0]["open"] = json!(true);
    put(&change).await.is(403);
}

#[tokio::test]
async fn all_policies_are_one_document_that_can_be_carried_elsewhere() {
    let (here, there) = (Office::open().await, Office::open().await);
    let sliding = json!({"amount": 5, "per": "hour", "counting": "sliding", "burst": 2});
    let carried =
        json!({"name": "Carried", "limits": [sliding], "sessions_max": 2, "lifetime_max_ms": 5_000});
    here.post(PLANS, carried).await.is(201);
    here.put("\"1\"", "/api/v1/plans/Gold", policy("Gold", &[limit(1, "second")])).await.is(200);
    let document = here.house.get(&here.admin, "/api/v1/policies").await.is(200).json();
    let imported = there.post("/api/v1/policies", document.clone()).await.is(200).json();
    assert_eq!(imported, json!({"created": 1, "changed": 1, "unchanged": 15}));
    let again = there.post("/api/v1/policies", document.clone()).await.is(200).json();
    assert_eq!(again, json!({"created": 0, "changed": 0, "unchanged": 17}));
    assert_eq!(there.house.get(&there.admin, "/api/v1/policies").await.is(200).json(), document);
    // One that is wrong, and none of them is taken.
    let bad = json!({"plans": [policy("Fine", &[]), policy("Bad", &[limit(0, "day")])]});
    let refused = there.post("/api/v1/policies", bad).await.is(400);
    assert_eq!(fields(&refused), [("/plans/1/limits/0/amount".to_owned(), "out_of_range".to_owned())]);
    let bad = json!({"application_policies": [policy("Fine", &[limit(1, "year")])]});
    let refused = there.post("/api/v1/policies", bad).await.is(400);
    assert_eq!(
        fields(&refused),
        [("/application_policies/0/limits/0/per".to_owned(), "unknown_word".to_owned())]
    );
    there.house.get(&there.admin, "/api/v1/plans/Fine").await.is(404);
}

#[tokio::test]
async fn a_plan_says_who_may_choose_it_and_what_it_costs() {
    let office = Office::open().await;
    let house = &office.house;
    let (ada, bob) = (
        house.person("ada", &[Role::Subscriber]).await,
        house.person("bob", &[Role::Subscriber, Role::Observer]).await,
    );
    office.post("/api/v1/roles", json!({"name": "partner"})).await.is(201);
    let billing =
        json!({"currency": "EUR", "per": "month", "price": "49.00", "price_per_1000_messages": "0.05"});
    let body = json!({"name": "Partners", "limits": [limit(9, "day")], "roles": ["partner", "observer"],
        "billing": {"currency": "EUR", "price": "49", "price_per_1000_messages": "0.050"}});
    let made = office.post(PLANS, body.clone()).await.is(201).json();
    assert_eq!((&made["roles"], &made["billing"]), (&json!(["observer", "partner"]), &billing));
    let mut api = echo();
    (api["plans"], api["publish"]) = (json!(["Gold", "Partners"]), json!(true));
    let api = office.post("/api/v1/apis", api).await.is(201).json()["id"].clone();
    let path = format!("/api/v1/catalogue/{}", api.as_str().unwrap());
    let seen = house.get(&Person::default(), &path).await.is(200).json();
    assert_eq!((&seen["plans"][1]["billing"], &seen["plans"][0]["billing"]), (&billing, &Value::Null));

    let subscribe = async |who: &Person| {
        let made = house.post(who, "/api/v1/applications", json!({"name": "App"})).await.is(201).json();
        let body = json!({"application_id": made["id"], "api_id": api, "plan": "Partners"});
        house.post(who, "/api/v1/subscriptions", body).await
    };
    let refused = subscribe(&ada).await.is(400);
    assert_eq!(fields(&refused), [("/plan".to_owned(), "not_for_you".to_owned())]);
    subscribe(&bob).await.is(201);
    subscribe(&office.admin).await.is(201);

    let role = "/api/v1/roles/partner";
    let used = house.call(&office.admin, Method::DELETE, role, None).await.is(409).json();
    assert!(used["detail"].as_str().unwrap().contains("1 business plan for it (Partners)"), "{used}");
    // As a document it is the same elsewhere, where the role is there.
    let document = house.get(&office.admin, "/api/v1/policies").await.is(200).json();
    let there = Office::open().await;
    let refused = there.post("/api/v1/policies", document.clone()).await.is(400);
    assert_eq!(fields(&refused), [("/plans/8/roles".to_owned(), "unknown_role".to_owned())]);
    there.post("/api/v1/roles", json!({"name": "partner"})).await.is(201);
    there.post("/api/v1/policies", document).await.is(200);
    let plan = "/api/v1/plans/Partners";
    assert_eq!(there.house.get(&ada_of(&there).await, plan).await.is(200).json()["billing"], billing);
    // What everybody may choose again keeps who subscribed.
    let open = json!({"name": "Partners", "limits": [limit(9, "day")]});
    let changed = office.put("\"1\"", plan, open).await.is(200).json();
    assert_eq!((&changed["roles"], &changed["billing"]), (&json!([]), &Value::Null));
    subscribe(&house.person("eve", &[Role::Subscriber]).await).await.is(201);
    house.call(&office.admin, Method::DELETE, role, None).await.is(204);
    for list in &LISTS[1..] {
        let refused =
            office.post(list, json!({"name": "New", "limits": [], "roles": ["observer"]})).await.is(400);
        assert_eq!(fields(&refused), [("/roles".to_owned(), "not_a_plan".to_owned())]);
    }
}

async fn ada_of(office: &Office) -> Person {
    office.house.person("ada", &[Role::Subscriber]).await
}

fn grouped(groups: &Value) -> Value {
    json!({"name": "Grouped", "limits": [limit(5, "minute")], "groups": groups})
}

#[tokio::test]
async fn an_api_policy_has_groups_that_come_back_as_they_were_told() {
    let office = Office::open().await;
    let condition = |kind: &str, name: &str, not: bool| json!({"kind": kind, "name": name, "any_of": ["a", "b*"], "not": not});
    let address =
        json!({"kind": "address", "any_of": ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"], "not": false});
    let whole = json!({"amount": 7, "unit": "messages", "per": "hour", "counting": "calendar", "burst": null,
        "direction": "both"});
    let groups = json!([
        {"name": "Partners", "description": "By contract.", "limits": [whole],
            "conditions": [address, condition("claim", "realm_access.roles", true)]},
        {"name": "Free", "description": "", "limits": [],
            "conditions": [condition("header", "X-Tier", false), condition("query", "room", true)]},
    ]);
    let mut told = groups.clone();
    told[0]["limits"] = json!([limit(7, "hour")]);
    told[0]["conditions"][0].as_object_mut().unwrap().remove("not");
    told[0]["conditions"][0]["any_of"][0] = json!(" 10.1.2.3/8");
    let made = office.post(API_POLICIES, grouped(&told)).await.is(201).json();
    assert_eq!(made["groups"], groups);
    assert_eq!(made["unlimited"], false);
    let document = office.house.get(&office.admin, "/api/v1/policies").await.is(200).json();
    let again = office.post("/api/v1/policies", document).await.is(200).json();
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)));
    let place = format!("{API_POLICIES}/Grouped");
    let changed = office.put("\"1\"", &place, policy("Grouped", &[])).await.is(200).json();
    assert_eq!((&changed["groups"], &changed["unlimited"]), (&json!([]), &json!(true)));
    let plan = office.house.get(&office.admin, "/api/v1/plans/Gold").await.is(200).json();
    assert_eq!(plan["groups"], json!([]));
}

#[tokio::test]
async fn a_problem_of_a_group_names_its_place() {
    let office = Office::open().await;
    let good = || json!({"kind": "claim", "name": "department", "any_of": ["sales"]});
    let of = |change: fn(&mut Value)| {
        let mut condition = good();
        change(&mut condition);
        grouped(&json!([{"name": "One", "conditions": [good(), condition], "limits": []}]))
    };
    let at = |leaf: &str| format!("/groups/0/conditions/1/{leaf}");
    for (body, pointer, code) in [
        (
            grouped(&json!([{"name": "One", "conditions": [], "limits": []}])),
            "/groups/0/conditions".to_owned(),
            "required",
        ),
        (
            grouped(&json!([{"name": "One", "conditions": [good()], "limits": [limit(1, "year")]}])),
            "/groups/0/limits/0/per".to_owned(),
            "unknown_word",
        ),
        (of(|condition| condition["kind"] = json!("cookie")), at("kind"), "unknown_word"),
        (of(|condition| condition["name"] = Value::Null), at("name"), "required"),
        (of(|condition| condition["any_of"] = json!([])), at("any_of"), "required"),
        (
            of(|condition| *condition = json!({"kind": "header", "name": "Cookie", "any_of": ["a"]})),
            at("name"),
            "credential",
        ),
        (
            of(|condition| *condition = json!({"kind": "address", "any_of": ["::1", "10.0.0.0/40"]})),
            at("any_of/1"),
            "no_address",
        ),
        (
            of(|condition| *condition = json!({"kind": "address", "name": "a", "any_of": ["::1"]})),
            at("name"),
            "no_name",
        ),
    ] {
        let refused = office.post(API_POLICIES, body).await.is(400);
        assert_eq!(fields(&refused), [(pointer, code.to_owned())]);
    }
    let refused = office.post(PLANS, of(|_| ())).await.is(400);
    assert_eq!(fields(&refused), [("/groups".to_owned(), "only_api_policies".to_owned())]);
    let bad =
        json!({"api_policies": [policy("Fine", &[]), of(|condition| condition["any_of"] = json!([""]))]});
    let refused = office.post("/api/v1/policies", bad).await.is(400);
    let pointer = "/api_policies/1/groups/0/conditions/1/any_of/0";
    assert_eq!(fields(&refused), [(pointer.to_owned(), "required".to_owned())]);
}
