//! Deny rules as records: who may make them, what they have to name, and what gateways are told of them.

use super::*;
use crate::{
    command::ChangeDenyRule,
    deny::{Denied, DenyRule},
    id::DenyRuleId,
};

fn new(stage: &Stage<impl Catalog>, denied: Denied) -> DenyRule {
    let (now, random) = stage.id_parts();
    DenyRule {
        id: DenyRuleId::new(now, random),
        denied,
        is_inverted: false,
        is_enabled: true,
        reason: "It sends spam.".to_owned(),
        created_at: Timestamp(0),
        created_by: "nobody".to_owned(),
        etag: 9,
    }
}

fn change(rule: &DenyRule) -> ChangeDenyRule {
    let DenyRule { id, denied, is_inverted, is_enabled, reason, .. } = rule.clone();
    ChangeDenyRule { id, based_on: None, denied, is_inverted, is_enabled, reason }
}

fn range(text: &str) -> Denied {
    Denied::Range(text.parse().unwrap())
}

fn made(outcome: Result<Outcome, Refused>) -> Result<DenyRule, String> {
    match outcome {
        Ok(Outcome::DenyRule(rule)) => Ok(*rule),
        Ok(other) => panic!("{other:?}"),
        Err(refused) => Err(kind(&refused)),
    }
}

/// What gateways are told, as words.
async fn told(port: &impl Catalog) -> Vec<String> {
    let rules = port.snapshot_parts().await.unwrap().deny_rules;
    rules.iter().map(|rule| format!("{} {}", rule.denied.word(), rule.denied.value())).collect()
}

pub async fn deny_rules_are_made_changed_and_deleted_by_administrators(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (admin, ada) = (stage.user("root", Role::Admin).await, stage.user("Ada", Role::Creator).await);
    let rule = new(&stage, range("203.0.113.0/24"));
    let refused = stage.execute(&ada, Command::CreateDenyRule(rule.clone())).await;
    assert_eq!(made(refused), Err("needs administer".to_owned()));
    assert_eq!(stage.port.deny_rules().await.unwrap(), []);
    let before = stage.number().await;
    let first = made(stage.execute(&admin, Command::CreateDenyRule(rule.clone())).await).unwrap();
    assert_eq!((first.created_by.as_str(), first.etag, first.id), ("root", 1, rule.id));
    assert!(first.created_at >= START, "the time is the store's to say");
    assert!(stage.number().await > before, "gateways notice");
    assert_eq!(told(&stage.port).await, ["range 203.0.113.0/24"]);
    let twin = new(&stage, range("203.0.113.9/24"));
    let twin = made(stage.execute(&admin, Command::CreateDenyRule(twin)).await);
    assert_eq!(twin, Err("duplicate /value".to_owned()));
    // Off, and gateways know it no more; a change from another tag is none.
    let off = ChangeDenyRule { is_enabled: false, based_on: Some(1), ..change(&first) };
    let second = made(stage.execute(&admin, Command::ChangeDenyRule(off.clone())).await).unwrap();
    assert_eq!((second.is_enabled, second.etag), (false, 2));
    assert!(told(&stage.port).await.is_empty());
    let stale = made(stage.execute(&admin, Command::ChangeDenyRule(off)).await);
    assert_eq!(stale, Err("stale 2".to_owned()));
    let turned = ChangeDenyRule { is_inverted: true, is_enabled: true, ..change(&second) };
    let third = made(stage.execute(&admin, Command::ChangeDenyRule(turned)).await).unwrap();
    let facts = stage.port.snapshot_parts().await.unwrap().deny_rules;
    assert!(facts.len() == 1 && facts[0].is_inverted);
    assert_eq!(stage.port.deny_rules().await.unwrap(), std::slice::from_ref(&third));
    let log = stage.port.changes(ApiId(rule.id.0), 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(actions, ["changed a deny rule", "changed a deny rule", "made a deny rule"]);
    let delete = |based_on| Command::DeleteDenyRule { id: rule.id, based_on };
    assert!(matches!(stage.execute(&ada, delete(None)).await, Err(Refused::Forbidden(_))));
    assert!(matches!(stage.execute(&admin, delete(Some(1))).await, Err(Refused::Stale { current: 3 })));
    stage.execute(&admin, delete(Some(3))).await.unwrap();
    assert_eq!(stage.port.deny_rules().await.unwrap(), []);
    assert!(told(&stage.port).await.is_empty());
    let gone = made(stage.execute(&admin, Command::ChangeDenyRule(change(&third))).await);
    assert_eq!(gone, Err("no deny rule".to_owned()));
}

pub async fn what_a_deny_rule_names_is_there_and_takes_it_along(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let made_there = stage.furnish().await;
    let admin = stage.user("root", Role::Admin).await;
    let create = async |denied: Denied| {
        made(stage.execute(&admin, Command::CreateDenyRule(new(&stage, denied))).await)
    };
    for unknown in [
        Denied::Api("/nowhere".to_owned()),
        Denied::Application(ApplicationId(nowhere())),
        Denied::User(UserId(nowhere())),
    ] {
        assert_eq!(create(unknown).await, Err("invalid /value".to_owned()));
    }
    // A context is written as the API has it, however it is typed.
    let of_api = create(Denied::Api("ECHO".to_owned())).await.unwrap();
    assert_eq!(of_api.denied, Denied::Api("/echo".to_owned()));
    create(Denied::Application(made_there.shop.id)).await.unwrap();
    let sam = made_there.owner.user.unwrap();
    create(Denied::User(sam)).await.unwrap();
    assert_eq!(stage.port.deny_rules().await.unwrap().len(), 3);
    let parts = stage.port.snapshot_parts().await.unwrap();
    let shop = parts.applications.iter().find(|found| found.id == made_there.shop.id).unwrap();
    assert_eq!(shop.owner, Some(sam), "gateways know whose an application is");
    stage.done(Command::DeleteApplication { id: made_there.shop.id }).await;
    assert_eq!(told(&stage.port).await.len(), 2);
    let delete = Command::DeleteUser { id: sam, based_on: None, heir: None, subject: subject() };
    stage.done(delete).await;
    assert_eq!(told(&stage.port).await, ["api /echo"]);
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(told(&reopened).await, ["api /echo"]);
}
