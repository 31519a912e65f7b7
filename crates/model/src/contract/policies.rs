//! Policies as records: who may change them, when gateways notice, and what keeps one from
//! being deleted.

use super::*;
use crate::{
    command::{ChangePolicy, ImportPolicies, Imported, UpdateApi},
    group::{Condition, Group},
    limit::{Counting, Limit, Unit, Window},
    policy::{Excess, KeptPolicy, Policy, PolicyKind},
    topic::Topic,
};

fn policy(name: &str, limits: &[Limit]) -> Policy {
    Policy { name: name.to_owned(), limits: limits.to_vec(), ..Policy::default() }
}

/// One of each kind of condition, and a group without a limit.
fn groups() -> Vec<Group> {
    let condition = |body: &str| serde_json::from_str::<Condition>(body).unwrap();
    let all = [
        r#"{"kind":"address","any_of":["10.0.0.0/8","2001:db8::1/128"]}"#,
        r#"{"kind":"header","name":"X-Tier","any_of":["gold","plat*"],"is_inverted":true}"#,
        r#"{"kind":"query","name":"room","any_of":["1"]}"#,
        r#"{"kind":"claim","name":"realm_access.roles","any_of":["staff"]}"#,
    ];
    let conditions = all.map(condition).to_vec();
    let (name, description) = ("Größe A".to_owned(), "Inside.".to_owned());
    let limits = vec![Limit::messages(7, Window::Day)];
    let free = Group {
        name: "Free".to_owned(),
        limits: Vec::new(),
        conditions: conditions[..1].to_vec(),
        ..Group::default()
    };
    vec![Group { name, description, conditions, limits }, free]
}

fn made(outcome: Result<Outcome, Refused>) -> Result<KeptPolicy, String> {
    match outcome {
        Ok(Outcome::Policy(kept)) => Ok(*kept),
        Ok(other) => panic!("{other:?}"),
        Err(refused) => Err(kind(&refused)),
    }
}

async fn kept(port: &impl Catalog, kind: PolicyKind, name: &str) -> Option<KeptPolicy> {
    port.policies(kind).await.unwrap().into_iter().find(|kept| kept.policy.name == name)
}

/// The policy of this name that gateways know.
async fn told(port: &impl Catalog, kind: PolicyKind, name: &str) -> Option<Policy> {
    let parts = port.snapshot_parts().await.unwrap();
    let policies = match kind {
        PolicyKind::Business => parts.plans,
        PolicyKind::Application => parts.application_policies,
        PolicyKind::Api => parts.api_policies,
    };
    policies.into_iter().find(|policy| policy.name == name)
}

fn delete(kind: PolicyKind, name: &str, based_on: Option<u64>) -> Command {
    Command::DeletePolicy { kind, name: name.to_owned(), based_on }
}

pub async fn policies_are_made_changed_and_deleted_by_administrators(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (admin, ada) = (stage.user("root", Role::Admin).await, stage.user("Ada", Role::Publisher).await);
    let sliding = Limit {
        unit: Unit::Bytes,
        counting: Counting::Sliding { burst: 4_096 },
        ..Limit::messages(65_536, Window::Second)
    };
    let told_of = Policy {
        on_excess: Excess::Delay,
        description: "For streams.".to_owned(),
        sessions_per_user_max: Some(3),
        sessions_per_address_max: Some(4),
        ..policy("Stream", &[Limit::messages(9_000, Window::Month), sliding])
    };
    for kind in PolicyKind::ALL {
        let told_of = if kind == PolicyKind::Api {
            Policy { groups: groups(), ..told_of.clone() }
        } else {
            told_of.clone()
        };
        let create = || Command::CreatePolicy(kind, told_of.clone());
        assert_eq!(made(stage.execute(&ada, create()).await), Err("needs administer".to_owned()));
        let before = stage.number().await;
        let first = made(stage.execute(&admin, create()).await).unwrap();
        assert_eq!(first, KeptPolicy { policy: told_of.clone(), etag: 1 });
        assert!(stage.number().await > before, "gateways notice");
        assert_eq!(told(&stage.port, kind, "Stream").await, Some(told_of.clone()));
        assert_eq!(stage.port.policies(kind).await.unwrap().pop(), Some(first), "what is new is the last");
        assert_eq!(made(stage.execute(&admin, create()).await), Err("duplicate /name".to_owned()));
        let next = policy("Stream", &[Limit::messages(10, Window::Second)]);
        let change = |policy: &Policy, based_on| {
            Command::ChangePolicy(ChangePolicy { kind, based_on, policy: policy.clone() })
        };
        let refused = stage.execute(&ada, change(&next, None)).await;
        assert_eq!(made(refused), Err("needs administer".to_owned()));
        let second = made(stage.execute(&admin, change(&next, Some(1))).await).unwrap();
        assert_eq!(second, KeptPolicy { policy: next.clone(), etag: 2 });
        assert_eq!(told(&stage.port, kind, "Stream").await, Some(next.clone()));
        assert_eq!(made(stage.execute(&admin, change(&next, Some(1))).await), Err("stale 2".to_owned()));
        let nowhere = made(stage.execute(&admin, change(&policy("Nowhere", &[]), None)).await);
        assert_eq!(nowhere, Err(format!("no {}", kind.noun())));
        let nothing = policy("Stream", &[Limit::messages(0, Window::Second)]);
        let refused = made(stage.execute(&admin, change(&nothing, None)).await);
        assert_eq!(refused, Err("invalid /limits/0/amount".to_owned()));
        let refused = stage.execute(&ada, delete(kind, "Stream", None)).await;
        assert!(matches!(refused, Err(Refused::Forbidden(_))));
        let stale = stage.execute(&admin, delete(kind, "Stream", Some(1))).await;
        assert!(matches!(stale, Err(Refused::Stale { current: 2 })));
        stage.execute(&admin, delete(kind, "Stream", Some(2))).await.unwrap();
        assert_eq!(kept(&stage.port, kind, "Stream").await, None);
        assert_eq!(told(&stage.port, kind, "Stream").await, None);
    }
}

pub async fn a_policy_that_is_used_stays(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let used = async |kind, name| match stage.execute(&Actor::product(), delete(kind, name, None)).await {
        Err(Refused::Conflict { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    let detail = used(PolicyKind::Business, "Gold").await;
    assert!(
        detail.contains("1 subscription under it") && detail.contains("3 APIs that offer it"),
        "{detail}"
    );
    assert!(detail.contains("Chat 1.0, Draft 0.1") || detail.contains("Echo 1.0, Chat 1.0"), "{detail}");
    // Out of the working copy, and still live; deployed, and still subscribed.
    for api in [&there.echo, &there.chat, &there.draft] {
        let mut design = api.design.clone();
        design.plans = vec!["Silver".to_owned()];
        let update = UpdateApi { id: api.id, based_on: None, design, is_default_version: None };
        stage.done(Command::UpdateApi(update)).await;
    }
    let detail = used(PolicyKind::Business, "Gold").await;
    assert!(detail.contains("Echo 1.0") && !detail.contains("Draft"), "{detail}");
    for api in [&there.echo, &there.chat] {
        stage.done(Command::DeployApi { id: api.id, based_on: None }).await;
    }
    let detail = used(PolicyKind::Business, "Gold").await;
    assert!(detail.contains("1 subscription under it") && !detail.contains("API that"), "{detail}");
    stage.done(Command::DeleteSubscription { id: there.subscription.id }).await;
    stage.done(delete(PolicyKind::Business, "Gold", None)).await;
    // And of applications.
    let made = made(
        stage
            .execute(&Actor::product(), Command::CreatePolicy(PolicyKind::Application, policy("Tight", &[])))
            .await,
    );
    assert!(made.is_ok());
    let command = stage.application_command("Bound");
    let command = Command::CreateApplication(CreateApplication { policy: "Tight".to_owned(), ..command });
    stage.done(command).await;
    let detail = used(PolicyKind::Application, "Tight").await;
    assert!(detail.contains("1 application with it"), "{detail}");
    assert!(used(PolicyKind::Application, "Unlimited").await.contains("stays"));
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(kept(&reopened, PolicyKind::Business, "Gold").await, None);
    assert!(kept(&reopened, PolicyKind::Application, "Tight").await.is_some());
}

pub async fn a_policy_that_an_api_or_a_topic_names_is_there_and_stays(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let used = async |name| match stage.execute(&Actor::product(), delete(PolicyKind::Api, name, None)).await
    {
        Err(Refused::Conflict { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    let update = async |api: &Api, of_api: Option<&str>, of_topic: Option<&str>| {
        let mut design = api.design.clone();
        design.plans = vec!["Silver".to_owned()];
        design.api_policy = of_api.map(str::to_owned);
        let api_policy = of_topic.map(str::to_owned);
        design.topics.declared = vec![Topic { path: "/*".to_owned(), api_policy, ..Topic::default() }];
        let update = UpdateApi { id: api.id, based_on: None, design, is_default_version: None };
        stage.execute(&Actor::product(), Command::UpdateApi(update)).await
    };
    for (of_api, of_topic, at) in
        [(Some("Gold"), None, "/api_policy"), (None, Some("10PerMin"), "/topics/declared/0/api_policy")]
    {
        let refused = update(&there.echo, of_api, of_topic).await.unwrap_err();
        assert_eq!(super::kind(&refused), format!("invalid {at}"));
    }
    update(&there.echo, Some("20KPerMin"), None).await.unwrap();
    update(&there.draft, None, Some("20KPerMin")).await.unwrap();
    let told = async || {
        let parts = stage.port.snapshot_parts().await.unwrap();
        parts.apis.iter().find(|api| api.id == there.echo.id).unwrap().api_policy.clone()
    };
    assert_eq!(told().await, None, "the working copy acts on nobody");
    let detail = used("20KPerMin").await;
    assert!(detail.contains("2 APIs held to it") && detail.contains("Draft 0.1"), "{detail}");
    stage.done(Command::DeployApi { id: there.echo.id, based_on: None }).await;
    assert_eq!(told().await.as_deref(), Some("20KPerMin"));
    for api in [&there.echo, &there.draft] {
        update(api, None, None).await.unwrap();
    }
    let detail = used("20KPerMin").await;
    assert!(detail.contains("1 API held to it (Echo 1.0)"), "{detail}");
    stage.done(Command::DeployApi { id: there.echo.id, based_on: None }).await;
    stage.done(delete(PolicyKind::Api, "20KPerMin", None)).await;
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(kept(&reopened, PolicyKind::Api, "20KPerMin").await, None);
}

pub async fn an_import_is_one_unit(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let hour = [Limit::messages(60, Window::Hour)];
    let import = |plans: &[Policy], policies: &[Policy], of_apis: &[Policy]| {
        let (plans, application_policies, api_policies) =
            (plans.to_vec(), policies.to_vec(), of_apis.to_vec());
        Command::ImportPolicies(ImportPolicies { plans, application_policies, api_policies })
    };
    let before = stage.port.policies(PolicyKind::Business).await.unwrap();
    let number = stage.number().await;
    let bad = import(&[policy("New", &hour)], &[policy("two words", &hour)], &[policy("New", &hour)]);
    let refused = stage.execute(&Actor::product(), bad).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /application_policies/0/name");
    assert_eq!(stage.port.policies(PolicyKind::Business).await.unwrap(), before);
    assert_eq!(stage.number().await, number);
    let good = import(
        &[policy("New", &hour), policy("Gold", &hour), before[1].policy.clone()],
        &[policy("New", &[])],
        &[policy("New", &[])],
    );
    let Outcome::Imported(imported) = stage.done(good.clone()).await else { panic!() };
    assert_eq!(imported, Imported { created: 3, changed: 1, unchanged: 1 });
    assert_eq!(kept(&stage.port, PolicyKind::Business, "Gold").await.unwrap().etag, 2);
    let number = stage.number().await;
    let Outcome::Imported(imported) = stage.done(good).await else { panic!() };
    assert_eq!(imported, Imported { created: 0, changed: 0, unchanged: 5 });
    assert_eq!(stage.number().await, number, "nothing differs, so nobody is told");
    // All there is, as a document, changes nothing.
    let all = async |kind| {
        stage.port.policies(kind).await.unwrap().into_iter().map(|kept| kept.policy).collect::<Vec<_>>()
    };
    let [plans, policies, of_apis] = PolicyKind::ALL.map(all);
    let whole = import(&plans.await, &policies.await, &of_apis.await);
    let Outcome::Imported(imported) = stage.done(whole).await else { panic!() };
    assert_eq!((imported.created, imported.changed), (0, 0));
}
