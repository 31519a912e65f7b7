//! The developer's side as records: applications, their keys, and subscriptions.

use super::*;
use crate::{command::UpdateApplication, decide::folded};

fn change(id: ApplicationId, based_on: Option<u64>, name: &str, policy: &str) -> Command {
    let (name, policy, description) = (name.to_owned(), policy.to_owned(), "Changed.".to_owned());
    Command::UpdateApplication(UpdateApplication { id, based_on, name, description, policy })
}

pub(super) fn key_command(
    application: ApplicationId,
    client_id: &str,
    environment: Environment,
) -> CreateKey {
    CreateKey {
        application,
        client_id: client_id.to_owned(),
        secret_hash: Secret(format!("hash of {client_id}")),
        environment,
        grants: vec!["client_credentials".to_owned()],
        settings: ClientSettings::default(),
    }
}

/// Kind of a refusal, with the field where it names one.
pub(super) fn kind(refused: &Refused) -> String {
    match refused {
        Refused::Invalid(problems) => format!("invalid {}", problems[0].pointer),
        Refused::Duplicate(problem) => format!("duplicate {}", problem.pointer),
        Refused::NotFound(noun) => format!("no {noun}"),
        Refused::Stale { current } => format!("stale {current}"),
        Refused::Conflict { .. } => "conflict".to_owned(),
        Refused::SignedOut => "signed out".to_owned(),
        Refused::Forbidden(permission) => format!("needs {}", permission.as_str()),
    }
}

pub(super) fn kind_of(outcome: Result<Outcome, Refused>) -> String {
    outcome.map_or_else(|refused| kind(&refused), |_| "ok".to_owned())
}

pub async fn an_application_name_is_unique_for_its_owner(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (sam, zoe) = (stage.user("sam", Role::Subscriber).await, stage.user("zoe", Role::Subscriber).await);
    let product = Actor::product();
    let create = async |owner: &Actor, name: &str, expected: &str| {
        let command = Command::CreateApplication(stage.application_command(name));
        assert_eq!(kind_of(stage.execute(owner, command).await), expected, "{name} of {}", owner.name);
    };
    create(&sam, "Shop", "ok").await;
    create(&sam, "SHOP", "duplicate /name").await;
    create(&zoe, "shop", "ok").await;
    create(&product, "Shop", "ok").await;
    create(&product, "shoP", "duplicate /name").await;
    create(&sam, "Straße", "ok").await;
    create(&sam, "STRAßE", "duplicate /name").await;
    create(&sam, " Shop", "invalid /name").await;
    let mine = all_applications(&stage.port, sam.user, 10).await;
    let rename = async |place: usize, name: &str, expected: &str| {
        let command = change(mine[place].id, None, name, "Unlimited");
        assert_eq!(kind_of(stage.execute(&sam, command).await), expected, "{name}");
    };
    rename(0, "SHOP", "ok").await;
    rename(1, "shop", "duplicate /name").await;
    rename(0, "Kiosk", "ok").await;
    rename(1, "shop", "ok").await;
}

pub async fn applications_are_listed_by_name_and_owner(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let owners = [stage.user("sam", Role::Subscriber).await, stage.user("zoe", Role::Subscriber).await];
    let mut expected = Vec::new();
    for name in ["zeta", "Alpha", "beta", "Ärger", "\"quoted\"", "gamma 'two'", &"ü".repeat(100)] {
        for owner in &owners {
            expected.push(stage.application(owner, name).await);
        }
    }
    expected.sort_by_key(|application| (folded(&application.name), application.id));
    for limit in [1, 2, 3, 14, 15] {
        assert_eq!(all_applications(&stage.port, None, limit).await, expected, "{limit} in a page");
        for owner in &owners {
            let theirs: Vec<_> = expected.iter().filter(|one| one.owner == owner.user).cloned().collect();
            assert_eq!(all_applications(&stage.port, owner.user, limit).await, theirs);
        }
    }
    assert_eq!(all_applications(&stage.port, Some(UserId(nowhere())), 5).await, []);
}

pub async fn what_another_owns_does_not_exist(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let admin = stage.user("new", Role::Admin).await;
    let ours = stage.application(&Actor::product(), "Ours").await;
    let (shop, client_id) = (there.shop.id, &there.key.client_id);
    let commands = || {
        let secret_hash = Secret("other".to_owned());
        [
            change(shop, None, "Shop", "10PerMin"),
            Command::ReplaceSecret { application: shop, client_id: client_id.clone(), secret_hash },
            Command::DeleteSubscription { id: there.subscription.id },
            Command::DeleteKey { application: shop, client_id: client_id.clone() },
            Command::CreateKey(key_command(shop, "next", Environment::Production)),
            Command::DeleteApplication { id: shop },
        ]
    };
    for command in commands() {
        let shown = format!("{command:?}");
        let refused = kind_of(stage.execute(&there.other, command).await);
        assert!(refused == "no application" || refused == "no subscription", "{refused} to {shown}");
    }
    let command = Command::DeleteApplication { id: ours.id };
    assert_eq!(kind_of(stage.execute(&there.owner, command.clone()).await), "no application");
    for command in commands().into_iter().chain([command]) {
        let shown = format!("{command:?}");
        assert_eq!(
            kind_of(stage.execute(&admin, command).await),
            "ok",
            "an admin sets everything straight: {shown}"
        );
    }
    assert_eq!(stage.port.application(shop).await.unwrap(), None);
}

pub async fn an_application_changes_only_from_its_tag_of_now(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (shop, owner) = (there.shop.id, &there.owner);
    for (based_on, expected) in
        [(Some(2), "stale 1"), (Some(1), "ok"), (Some(1), "stale 2"), (None, "ok"), (Some(3), "ok")]
    {
        let outcome = stage.execute(owner, change(shop, based_on, "Kiosk", "20PerMin")).await;
        assert_eq!(kind_of(outcome), expected, "{based_on:?}");
    }
    let found = stage.port.application(shop).await.unwrap().unwrap();
    let expected = Application {
        name: "Kiosk".to_owned(),
        description: "Changed.".to_owned(),
        policy: "20PerMin".to_owned(),
        etag: 4,
        ..there.shop
    };
    assert_eq!(found, expected);
}

pub async fn a_key_is_one_for_each_environment(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (owner, shop) = (&there.owner, there.shop.id);
    assert_eq!(stage.port.key(&there.key.client_id).await.unwrap(), Some(there.key.clone()));
    assert_eq!(stage.port.key("nobody").await.unwrap(), None);
    assert_eq!(stage.port.key(&there.key.client_id.to_uppercase()).await.unwrap(), None);
    let environments = async || {
        let keys = stage.port.keys(shop).await.unwrap();
        keys.iter().map(|key| key.environment).collect::<Vec<_>>()
    };
    assert_eq!(environments().await, [Environment::Production, Environment::Sandbox]);
    let again = Command::CreateKey(key_command(shop, "again", Environment::Production));
    assert_eq!(kind_of(stage.execute(owner, again.clone()).await), "duplicate /type");
    let delete = Command::DeleteKey { application: shop, client_id: there.key.client_id.clone() };
    stage.execute(owner, delete.clone()).await.unwrap();
    assert_eq!(environments().await, [Environment::Sandbox]);
    assert_eq!(kind_of(stage.execute(owner, delete).await), "no key");
    stage.execute(owner, again).await.unwrap();
    assert_eq!(environments().await, [Environment::Production, Environment::Sandbox]);
    let clients = stage.port.snapshot_parts().await.unwrap().clients;
    assert!(clients.iter().all(|client| client.client_id != there.key.client_id));
    assert_eq!(stage.port.keys(there.till.id).await.unwrap(), []);
}

pub async fn a_secret_is_replaced_and_the_old_one_gone(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (application, client_id) = (there.shop.id, there.key.client_id.clone());
    let secret_hash = Secret("another hash".to_owned());
    let command = Command::ReplaceSecret { application, client_id, secret_hash: secret_hash.clone() };
    let outcome = stage.execute(&there.owner, command).await.unwrap();
    let expected = Key { secret_hash, ..there.key.clone() };
    assert!(matches!(outcome, Outcome::Key(key) if key == expected));
    assert_eq!(stage.port.key(&there.key.client_id).await.unwrap(), Some(expected));
}

pub async fn subscriptions_are_found_by_application_api_and_owner(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let owners = [stage.user("sam", Role::Subscriber).await, stage.user("zoe", Role::Subscriber).await];
    let apis = [stage.published("One", "1.0").await, stage.published("Two", "1.0").await];
    let mut all = Vec::new();
    for owner in &owners {
        for name in ["Shop", "Till"] {
            let application = stage.application(owner, name).await;
            for api in &apis[..if name == "Shop" { 2 } else { 1 }] {
                all.push((stage.subscription(owner, application.id, api.id, "Gold").await, owner.user));
            }
        }
    }
    let applications: BTreeSet<_> = all.iter().map(|(one, _)| one.application).collect();
    let some = |id: &ApplicationId| Some(*id);
    for application in applications.iter().map(some).chain([None, Some(ApplicationId(nowhere()))]) {
        for api in [None, Some(apis[0].id), Some(apis[1].id), Some(ApiId(nowhere()))] {
            for owner in [None, owners[0].user, owners[1].user, Some(UserId(nowhere()))] {
                let query = SubscriptionQuery { application, api, owner };
                let expected: Vec<_> = all
                    .iter()
                    .filter(|(one, _)| application.is_none_or(|id| one.application == id))
                    .filter(|(one, _)| api.is_none_or(|id| one.api == id))
                    .filter(|(_, theirs)| owner.is_none() || *theirs == owner)
                    .map(|(one, _)| one.clone())
                    .collect();
                assert_eq!(all_subscriptions(&stage.port, query, 2).await, expected, "{query:?}");
            }
        }
    }
    let mut counts = stage.port.subscription_counts().await.unwrap();
    counts.sort_unstable();
    assert_eq!(counts, [(apis[0].id, 4), (apis[1].id, 2)]);
    let (last, _) = all.last().unwrap();
    assert_eq!(stage.port.subscription(last.id).await.unwrap().as_ref(), Some(last));
}

pub async fn subscriptions_are_listed_oldest_first(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let owner = stage.user("sam", Role::Subscriber).await;
    let application = stage.application(&owner, "Shop").await;
    let mut expected = Vec::new();
    for name in ["z", "y", "a", "m", "b"] {
        let api = stage.published(name, "1.0").await;
        let plan = if name > "n" { "Silver" } else { "Gold" };
        expected.push(stage.subscription(&owner, application.id, api.id, plan).await);
    }
    for limit in [1, 2, 5, 6] {
        assert_eq!(all_subscriptions(&stage.port, SubscriptionQuery::default(), limit).await, expected);
    }
    let ended = expected.remove(1);
    stage.execute(&owner, Command::DeleteSubscription { id: ended.id }).await.unwrap();
    assert_eq!(all_subscriptions(&stage.port, SubscriptionQuery::default(), 3).await, expected);
    let again = stage.subscription(&owner, application.id, ended.api, "Silver").await;
    expected.push(again);
    assert_eq!(all_subscriptions(&stage.port, SubscriptionQuery::default(), 3).await, expected);
}

pub async fn a_deleted_application_takes_its_keys_and_subscriptions_along(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    stage.execute(&there.owner, Command::DeleteApplication { id: there.shop.id }).await.unwrap();
    let port = &stage.port;
    assert_eq!(port.application(there.shop.id).await.unwrap(), None);
    assert_eq!(port.keys(there.shop.id).await.unwrap(), []);
    assert_eq!(port.key(&there.key.client_id).await.unwrap(), None);
    assert_eq!(port.subscription(there.subscription.id).await.unwrap(), None);
    assert_eq!(port.subscription_counts().await.unwrap(), [(there.echo.id, 1)], "others keep theirs");
    let parts = port.snapshot_parts().await.unwrap();
    let left: Vec<_> = parts.applications.iter().map(|one| one.id).collect();
    assert_eq!((left, parts.clients.len(), parts.subscriptions.len()), (vec![there.till.id], 0, 1));
    let again = stage.application(&there.owner, "Shop").await;
    assert_eq!(stage.port.keys(again.id).await.unwrap(), []);
}

fn api_key_command(application: ApplicationId, number: u128) -> ApiKey {
    ApiKey {
        id: ApiKeyId(Uuid::from_u128(number)),
        application,
        environment: Environment::Sandbox,
        name: format!("Key {number}"),
        prefix: "tgk_abcdef".to_owned(),
        hash: Secret(format!("hash of API key {number}")),
        expires_at: None,
        addresses: vec!["10.0.0.0/8".to_owned()],
        referers: vec!["https://app.test".to_owned()],
        created_at: START,
    }
}

pub async fn api_keys_are_made_replaced_and_deleted_by_their_owner(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (shop, owner) = (there.shop.id, &there.owner);
    let create = |number| Command::CreateApiKey(api_key_command(shop, number));
    let id = |number| ApiKeyId(Uuid::from_u128(number));
    let replace = |number, next| Command::ReplaceApiKey {
        application: shop,
        id: id(number),
        next: id(next),
        prefix: "tgk_ghijkl".to_owned(),
        hash: Secret(format!("hash of API key {next}")),
    };
    let delete = |number| Command::DeleteApiKey { application: shop, id: id(number) };
    for command in [create(1), replace(1, 2), delete(1)] {
        let shown = format!("{command:?}");
        assert_eq!(kind_of(stage.execute(&there.other, command).await), "no application", "{shown}");
    }
    assert_eq!(kind_of(stage.execute(owner, create(1)).await), "ok");
    assert_eq!(kind_of(stage.execute(owner, create(2)).await), "ok");
    assert_eq!(kind_of(stage.execute(owner, create(2)).await), "duplicate ");
    let nameless = ApiKey { name: String::new(), ..api_key_command(shop, 3) };
    assert_eq!(kind_of(stage.execute(owner, Command::CreateApiKey(nameless)).await), "invalid /name");
    assert_eq!(kind_of(stage.execute(owner, replace(9, 10)).await), "no API key");
    assert_eq!(kind_of(stage.execute(owner, replace(1, 4)).await), "ok");
    assert_eq!(kind_of(stage.execute(owner, delete(1)).await), "no API key", "it has another id now");
    let listed = stage.port.api_keys(shop).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [id(2), id(4)]);
    assert_eq!((listed[1].name.as_str(), listed[1].prefix.as_str()), ("Key 1", "tgk_ghijkl"));
    assert_eq!(listed[1].addresses, ["10.0.0.0/8"], "its settings are those of the key before it");
    let facts = |parts: SnapshotParts| parts.api_keys.into_iter().map(|key| key.hash.0).collect::<Vec<_>>();
    let mut hashes = facts(stage.port.snapshot_parts().await.unwrap());
    hashes.sort();
    assert_eq!(hashes, ["hash of API key 2", "hash of API key 4"]);
    let before = stage.number().await;
    assert_eq!(kind_of(stage.execute(owner, delete(2)).await), "ok");
    assert_eq!(stage.number().await, before + 1, "gateways notice");
    stage.done(Command::DeleteApplication { id: shop }).await;
    assert_eq!(facts(stage.port.snapshot_parts().await.unwrap()), Vec::<String>::new());
}

fn certificate(application: ApplicationId, number: u128) -> Certificate {
    Certificate {
        id: CertificateId(Uuid::from_u128(number)),
        application,
        environment: Environment::Production,
        name: format!("Certificate {number}"),
        thumbprint: format!("thumbprint {number}"),
        subject: "CN=station".to_owned(),
        begins_at: START,
        expires_at: START.plus_millis(1 << 40),
        created_at: START,
    }
}

pub async fn certificates_are_one_applications_and_go_with_it(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (shop, owner) = (there.shop.id, &there.owner);
    let add = |application, number| Command::AddCertificate(Box::new(certificate(application, number)));
    let id = |number| CertificateId(Uuid::from_u128(number));
    let delete = |number| Command::DeleteCertificate { application: shop, id: id(number) };
    for command in [add(shop, 1), delete(1)] {
        let shown = format!("{command:?}");
        assert_eq!(kind_of(stage.execute(&there.other, command).await), "no application", "{shown}");
    }
    let before = stage.number().await;
    assert_eq!(kind_of(stage.execute(owner, add(shop, 1)).await), "ok");
    assert_eq!(stage.number().await, before + 1, "gateways notice");
    assert_eq!(kind_of(stage.execute(owner, add(shop, 2)).await), "ok");
    // A second one under the same thumbprint would make it a question of luck whose session it opens.
    for (who, application) in [(owner, shop), (&there.other, there.till.id)] {
        let again = Certificate { id: id(3), ..certificate(application, 1) };
        let refused = stage.execute(who, Command::AddCertificate(Box::new(again))).await;
        assert_eq!(kind_of(refused), "duplicate /certificate");
    }
    let over = Certificate { expires_at: START, begins_at: Timestamp(0), ..certificate(shop, 4) };
    let refused = stage.execute(owner, Command::AddCertificate(Box::new(over))).await;
    assert_eq!(kind_of(refused), "invalid /certificate");
    let listed = stage.port.certificates(shop).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(Certificate { created_at: START, ..listed[1].clone() }, certificate(shop, 2));
    let facts = |parts: SnapshotParts| {
        let mut found: Vec<_> =
            parts.certificates.into_iter().map(|one| (one.thumbprint, one.expires_at)).collect();
        found.sort();
        found
    };
    let of = |number: u128| (format!("thumbprint {number}"), START.plus_millis(1 << 40));
    assert_eq!(facts(stage.port.snapshot_parts().await.unwrap()), [of(1), of(2)]);
    let before = stage.number().await;
    assert_eq!(kind_of(stage.execute(owner, delete(2)).await), "ok");
    assert_eq!(kind_of(stage.execute(owner, delete(2)).await), "no certificate");
    assert_eq!(stage.number().await, before + 1, "gateways notice");
    stage.done(Command::DeleteApplication { id: shop }).await;
    assert_eq!(facts(stage.port.snapshot_parts().await.unwrap()), []);
    assert_eq!(stage.port.certificates(shop).await.unwrap(), []);
}

pub async fn secrets_of_keys_go_to_gateways_only_where_an_api_takes_them(ground: &impl Ground) {
    use crate::{command::UpdateApi, security::Way};
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let secrets = async || stage.port.snapshot_parts().await.unwrap().client_secrets;
    assert_eq!(secrets().await, []);
    let mut design = stage.port.api(there.echo.id).await.unwrap().unwrap().design;
    design.security.accepts.insert(Way::Basic);
    let (id, is_default_version) = (there.echo.id, None);
    stage.done(Command::UpdateApi(UpdateApi { id, based_on: None, design, is_default_version })).await;
    assert_eq!(secrets().await, [], "the working copy is nobody's to serve");
    stage.done(Command::DeployApi { id, based_on: None }).await;
    let sent = secrets().await;
    assert!(sent.iter().any(|it| it.client_id == there.key.client_id && it.hash == there.key.secret_hash));
}
