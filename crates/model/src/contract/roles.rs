//! Own roles as records: who may change them, what they mean to whoever holds one, and what keeps one from being deleted.

use super::*;
use crate::{
    audit::{AuditQuery, Kind},
    command::{ChangeRole, ChangeUser, UpdateApi},
    port::UserQuery,
    role::{OwnRole, Permission, RoleName},
    scope::Scope,
    user::UserState,
};

use super::people::subject;

fn name(text: &str) -> RoleName {
    RoleName::parse(text).unwrap()
}

fn partner(means: &[Role]) -> OwnRole {
    let means = means.iter().copied().collect();
    OwnRole { name: name("partner"), description: "Who resells.".to_owned(), means, etag: 1 }
}

fn create(means: &[Role]) -> Command {
    Command::ChangeRole(ChangeRole::Create(partner(means)))
}

fn update(means: &[Role], based_on: Option<u64>) -> Command {
    let (description, means) = ("Who resells.".to_owned(), means.iter().copied().collect());
    Command::ChangeRole(ChangeRole::Update { name: name("partner"), based_on, description, means })
}

fn delete(text: &str, based_on: Option<u64>) -> Command {
    Command::ChangeRole(ChangeRole::Delete { name: name(text), based_on })
}

fn give(user: &Actor, names: &[&str]) -> Command {
    let roles = names.iter().map(|text| name(text)).collect();
    let id = user.user.unwrap();
    let state = UserState::Active;
    Command::ChangeUser(ChangeUser { id, based_on: None, roles, state, subject: subject() })
}

fn made(outcome: Result<Outcome, Refused>) -> Result<OwnRole, String> {
    match outcome {
        Ok(Outcome::Role(role)) => Ok(role),
        Ok(other) => panic!("{other:?}"),
        Err(refused) => Err(kind(&refused)),
    }
}

pub async fn own_roles_are_made_changed_and_deleted_by_administrators(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (admin, ada) = (stage.user("root", Role::Admin).await, stage.user("Ada", Role::Publisher).await);
    assert_eq!(made(stage.execute(&ada, create(&[])).await), Err("needs administer".to_owned()));
    let first = made(stage.execute(&admin, create(&[Role::Publisher])).await).unwrap();
    assert_eq!(first, partner(&[Role::Publisher]));
    assert_eq!(made(stage.execute(&admin, create(&[])).await), Err("duplicate /name".to_owned()));
    let shipped = OwnRole { name: Role::Observer.into(), ..partner(&[]) };
    let shipped = Command::ChangeRole(ChangeRole::Create(shipped));
    assert_eq!(made(stage.execute(&admin, shipped).await), Err("duplicate /name".to_owned()));
    assert_eq!(made(stage.execute(&ada, update(&[], None)).await), Err("needs administer".to_owned()));
    let admins = stage.execute(&admin, update(&[Role::Admin], None)).await;
    assert_eq!(made(admins), Err("invalid /means".to_owned()));
    let second =
        made(stage.execute(&admin, update(&[Role::Creator, Role::Observer], Some(1))).await).unwrap();
    assert_eq!(second, OwnRole { etag: 2, ..partner(&[Role::Creator, Role::Observer]) });
    assert_eq!(made(stage.execute(&admin, update(&[], Some(1))).await), Err("stale 2".to_owned()));
    assert_eq!(stage.port.own_roles().await.unwrap(), [second]);

    let refused = async |actor: &Actor, command| kind(&stage.execute(actor, command).await.unwrap_err());
    assert_eq!(refused(&ada, delete("partner", None)).await, "needs administer");
    assert_eq!(refused(&admin, delete("partner", Some(1))).await, "stale 2");
    assert_eq!(refused(&admin, delete("nobody", None)).await, "no role");
    assert_eq!(refused(&admin, delete("admin", None)).await, "conflict");
    stage.execute(&admin, delete("partner", Some(2))).await.unwrap();
    assert!(ground.open_as_after_a_kill().await.own_roles().await.unwrap().is_empty());
    let query = AuditQuery { kind: Some(Kind::Role), ..AuditQuery::default() };
    let all = PageRequest { limit: 200, cursor: None };
    let entries = stage.port.audit(&query, &all).await.unwrap().items;
    let told: Vec<_> = entries.iter().map(|entry| (entry.action.as_str(), entry.object.as_str())).collect();
    assert_eq!(
        told,
        [("deleted a role", "partner"), ("changed a role", "partner"), ("made a role", "partner")]
    );
}

pub async fn what_an_own_role_means_acts_at_once_for_whoever_holds_it(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Subscriber).await;
    stage.user("bob", Role::Creator).await;
    stage.done(create(&[Role::Publisher])).await;
    stage.done(give(&ada, &["partner"])).await;
    let held = async || stage.port.user(ada.user.unwrap()).await.unwrap().unwrap().roles;
    let found = async |role: &str| -> Vec<String> {
        let query = UserQuery { role: Some(name(role)), ..UserQuery::default() };
        let all = PageRequest { limit: 200, cursor: None };
        let users = stage.port.users(&query, &all).await.unwrap().items;
        users.into_iter().map(|user| user.username).collect()
    };
    let roles = held().await;
    assert_eq!(roles.given(), &BTreeSet::from([name("partner")]));
    assert_eq!(roles.permissions(), [Permission::ApiView, Permission::ApiPublish].into());
    assert_eq!(
        (found("partner").await, found("publisher").await),
        (vec!["Ada".to_owned()], vec!["Ada".to_owned()])
    );
    assert_eq!(found("creator").await, ["bob"]);

    stage.done(update(&[Role::Creator], None)).await;
    assert_eq!(held().await.permissions(), [Permission::ApiView, Permission::ApiCreate].into());
    assert_eq!((found("publisher").await, found("creator").await.len()), (vec![], 2));
    let by_name = stage.port.account("ada").await.unwrap().unwrap().user;
    assert_eq!(by_name.roles, held().await);
    stage.done(update(&[], None)).await;
    assert!(held().await.permissions().is_empty());
}

pub async fn an_own_role_that_is_used_stays(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Subscriber).await;
    stage.done(create(&[])).await;
    stage.done(give(&ada, &["partner", "subscriber"])).await;
    let echo = stage.published("Echo", "1.0").await;
    let with_scopes = |scopes: Vec<Scope>| {
        let design = Design { scopes, ..echo.design.clone() };
        Command::UpdateApi(UpdateApi { id: echo.id, based_on: None, design, is_default_version: None })
    };
    let scope =
        Scope { name: "orders".to_owned(), roles: BTreeSet::from([name("partner")]), ..Scope::default() };
    stage.done(with_scopes(vec![scope])).await;
    stage.done(Command::DeployApi { id: echo.id, based_on: None }).await;
    let used = async || match stage.execute(&Actor::product(), delete("partner", None)).await {
        Err(Refused::Conflict { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    let detail = used().await;
    assert!(detail.contains("1 user with it, 1 API with a scope for it (Echo 1.0)"), "{detail}");
    stage.done(give(&ada, &["subscriber"])).await;
    // Out of the working copy, and still live.
    stage.done(with_scopes(Vec::new())).await;
    let detail = used().await;
    assert!(!detail.contains("user") && detail.contains("Echo 1.0"), "{detail}");
    stage.done(Command::DeployApi { id: echo.id, based_on: None }).await;
    stage.done(delete("partner", None)).await;
}

pub async fn no_role_is_given_that_is_not_there(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Subscriber).await;
    let refused = stage.execute(&Actor::product(), give(&ada, &["partner"])).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /roles");
    let (now, random) = stage.id_parts();
    let roles = Roles::of(BTreeSet::from([name("partner")]), &[partner(&[Role::Admin])]);
    let eve = User::new(UserId::new(now, random), "eve".to_owned(), roles, now);
    let account = Account { user: eve, password_hash: Secret("hash".to_owned()) };
    let refused = stage.execute(&Actor::product(), Command::CreateUser(account)).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /roles");
    let scope =
        Scope { name: "orders".to_owned(), roles: BTreeSet::from([name("partner")]), ..Scope::default() };
    let mut creation = stage.creation("Echo", "1.0");
    creation.design.scopes = vec![scope];
    let refused = stage.execute(&Actor::product(), Command::CreateApi(creation)).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /scopes/0/roles");
}
