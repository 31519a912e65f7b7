//! Who may change key managers, which fields are refused, and where a secret stays.

use uuid::Uuid;

use super::*;
use crate::{
    endpoint::Environment,
    id::{ApplicationId, KeyManagerId, UserId},
    issuer::{AUDIENCES_MAX, Algorithm, ClaimNames, Introspection, KeySource},
    role::{ROLES, Role},
    user::Secret,
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn person(role: Role) -> Actor {
    Actor {
        user: Some(UserId(Uuid::from_u128(7))),
        name: "someone".to_owned(),
        roles: [role].into(),
        address: None,
    }
}

fn trust() -> Trust {
    Trust {
        issuer: "https://issuer.example".to_owned(),
        keys: KeySource::Discovery("https://issuer.example/.well-known/openid-configuration".to_owned()),
        audiences: vec!["tidegate".to_owned()],
        claims: ClaimNames::default(),
        algorithms: Algorithm::ALL.to_vec(),
        requires_at_jwt: false,
        introspection: None,
        enabled: true,
    }
}

fn creation(name: &str, trust: Trust) -> CreateKeyManager {
    CreateKeyManager { id: KeyManagerId(Uuid::from_u128(1)), name: name.to_owned(), trust }
}

fn pointers(refused: Refused) -> Vec<String> {
    match refused {
        Refused::Invalid(problems) => problems.into_iter().map(|problem| problem.pointer).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_an_administrator_changes_key_managers() {
    let admin = person(Role::Admin);
    let made = create_key_manager(&creation("Issuer", trust()), &admin, NOW, &[]).unwrap();
    for role in ROLES {
        let (actor, is_admin) = (person(role), role == Role::Admin);
        assert_eq!(
            create_key_manager(&creation("Issuer", trust()), &actor, NOW, &[]).is_ok(),
            is_admin,
            "{role:?}"
        );
        let update = UpdateKeyManager { id: made.id, based_on: Some(1), trust: trust() };
        let others = [made.clone()];
        assert_eq!(update_key_manager(&made, &update, &actor, NOW, &others).is_ok(), is_admin, "{role:?}");
    }
}

#[test]
fn fields_that_break_a_rule_are_named() {
    let check = |change: &dyn Fn(&mut Trust), expected: &[&str]| {
        let mut trust = trust();
        change(&mut trust);
        let refused =
            create_key_manager(&creation("Issuer", trust), &person(Role::Admin), NOW, &[]).unwrap_err();
        assert_eq!(pointers(refused), expected);
    };
    check(&|it| it.issuer.clear(), &["/issuer"]);
    check(&|it| it.issuer = "two words".to_owned(), &["/issuer"]);
    check(&|it| it.issuer = "x".repeat(513), &["/issuer"]);
    check(&|it| it.audiences.clear(), &["/audiences"]);
    check(&|it| it.audiences = vec![String::new()], &["/audiences/0"]);
    check(
        &|it| it.audiences = (0..=AUDIENCES_MAX).map(|number| number.to_string()).collect(),
        &["/audiences"],
    );
    check(&|it| it.claims.scope = "x\n".to_owned(), &["/claims/scope"]);
    check(&|it| it.algorithms = vec![Algorithm::Es256, Algorithm::Es256], &["/algorithms/1"]);
    for (url, is_good) in [
        ("https://issuer.example/jwks?tenant=1", true),
        ("http://localhost:8080/jwks", true),
        ("http://127.0.0.1/jwks", true),
        ("http://[::1]:1/jwks", true),
        ("http://issuer.example/jwks", false),
        ("http://localhost.evil.example/jwks", false),
        ("http://10.0.0.1/jwks", false),
        ("https://a@issuer.example/jwks", false),
        ("https:///jwks#x", false),
        ("javascript:alert(1)", false),
    ] {
        let mut trust = trust();
        trust.keys = KeySource::Jwks(url.to_owned());
        let made = create_key_manager(&creation("Issuer", trust), &person(Role::Admin), NOW, &[]);
        assert_eq!(made.is_ok(), is_good, "{url}");
    }
}

#[test]
fn a_secret_stays_only_where_it_goes_to_the_same_place() {
    let introspection = |url: &str, client: &str, secret: &str| {
        Some(Introspection {
            url: url.to_owned(),
            client_id: client.to_owned(),
            client_secret: Secret(secret.to_owned()),
        })
    };
    let asked = |url: &str, client: &str, secret: &str| Trust {
        introspection: introspection(url, client, secret),
        ..trust()
    };
    let (url, admin) = ("https://issuer.example/introspect", person(Role::Admin));
    let before =
        create_key_manager(&creation("Issuer", asked(url, "gateway", "old")), &admin, NOW, &[]).unwrap();
    let after = |trust: Trust| {
        let update = UpdateKeyManager { id: before.id, based_on: None, trust };
        update_key_manager(&before, &update, &admin, NOW, std::slice::from_ref(&before))
    };
    assert_eq!(
        after(asked(url, "gateway", "")).unwrap().trust.introspection,
        introspection(url, "gateway", "old")
    );
    assert_eq!(
        after(asked(url, "gateway", "new")).unwrap().trust.introspection,
        introspection(url, "gateway", "new")
    );
    for (url, client) in [("https://evil.example/introspect", "gateway"), (url, "other")] {
        assert_eq!(pointers(after(asked(url, client, "")).unwrap_err()), ["/introspection/client_secret"]);
    }
    assert_eq!(after(trust()).unwrap().trust.introspection, None);
}

#[test]
fn a_client_of_another_issuer_is_provided_once_and_only_while_its_issuer_is_on() {
    let admin = person(Role::Admin);
    let manager = create_key_manager(&creation("Issuer", trust()), &admin, NOW, &[]).unwrap();
    let application = |number: u128| Application {
        id: ApplicationId(Uuid::from_u128(number)),
        name: format!("App {number}"),
        description: String::new(),
        policy: "Unlimited".to_owned(),
        owner: None,
        owner_name: String::new(),
        demo: false,
        registered_by: None,
        created_at: NOW,
        etag: 1,
    };
    let provide = |client_id: &str| ProvideKey {
        key_manager: manager.id,
        client_id: client_id.to_owned(),
        application: application(1).id,
        environment: Environment::Sandbox,
    };
    let decide = |role, client_id: &str, manager: &KeyManager, there: Option<&ProvidedKey>| {
        provide_key(&provide(client_id), &person(role), NOW, &application(1), manager, there)
    };
    let key = decide(Role::Subscriber, "client", &manager, None).unwrap();
    assert_eq!((key.application, key.environment), (application(1).id, Environment::Sandbox));
    assert_eq!(
        decide(Role::Creator, "client", &manager, None),
        Err(Refused::Forbidden(Permission::AppManage))
    );
    assert_eq!(pointers(decide(Role::Subscriber, "", &manager, None).unwrap_err()), ["/client_id"]);
    assert_eq!(pointers(decide(Role::Subscriber, "a\nb", &manager, None).unwrap_err()), ["/client_id"]);
    let mut off = manager.clone();
    off.trust.enabled = false;
    assert!(matches!(decide(Role::Subscriber, "client", &off, None), Err(Refused::Conflict { .. })));
    let of_another = ProvidedKey { application: application(2).id, ..key.clone() };
    for (there, tells_name) in [(key, true), (of_another, false)] {
        let Err(Refused::Duplicate(problem)) = decide(Role::Subscriber, "client", &manager, Some(&there))
        else {
            panic!("it is taken")
        };
        assert_eq!(problem.detail.contains("App"), tells_name, "{}", problem.detail);
    }
}
