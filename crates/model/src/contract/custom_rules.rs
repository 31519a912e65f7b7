//! Custom rules as records: who may make them, what gateways are told of them, and that what was used of a key survives.

use super::*;
use crate::{
    command::{ChangeCustomRule, CustomRuleCommand},
    custom_rule::CustomRule,
    fact::Batch,
    holder::{BudgetKey, Holder},
    id::{BootId, CustomRuleId},
    limit::{Limit, Window},
    policy::Policy,
    usage::{Usage, UsageOf, Used},
};

fn new(stage: &Stage<impl Catalog>, name: &str, expression: &str) -> CustomRule {
    let (now, random) = stage.id_parts();
    let limits = vec![Limit::messages(5, Window::Day)];
    CustomRule {
        id: CustomRuleId::new(now, random),
        policy: Policy { name: name.to_owned(), limits, ..Policy::default() },
        expression: expression.to_owned(),
        is_enabled: true,
        created_at: Timestamp(0),
        created_by: "nobody".to_owned(),
        etag: 9,
    }
}

fn change(rule: &CustomRule) -> ChangeCustomRule {
    let CustomRule { id, policy, expression, is_enabled, .. } = rule.clone();
    ChangeCustomRule { id, based_on: None, policy, expression, is_enabled }
}

fn made(outcome: Result<Outcome, Refused>) -> Result<CustomRule, String> {
    match outcome {
        Ok(Outcome::CustomRule(rule)) => Ok(*rule),
        Ok(other) => panic!("{other:?}"),
        Err(refused) => Err(kind(&refused)),
    }
}

/// What gateways are told.
async fn told(port: &impl Catalog) -> Vec<String> {
    let rules = port.snapshot_parts().await.unwrap().custom_rules;
    rules.iter().map(|rule| format!("{} {}", rule.policy.name, rule.expression)).collect()
}

pub async fn custom_rules_are_made_changed_and_deleted_by_administrators(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (admin, ada) = (stage.user("root", Role::Admin).await, stage.user("Ada", Role::Publisher).await);
    let command = Command::CustomRule;
    let rule = new(&stage, "PerUser", "user");
    let create = || command(CustomRuleCommand::Create(rule.clone()));
    assert_eq!(made(stage.execute(&ada, create()).await), Err("needs administer".to_owned()));
    let before = stage.number().await;
    let first = made(stage.execute(&admin, create()).await).unwrap();
    assert_eq!((first.created_by.as_str(), first.etag, first.id), ("root", 1, rule.id));
    assert!(first.created_at >= START, "the time is the store's to say");
    assert!(stage.number().await > before, "gateways notice");
    assert_eq!(told(&stage.port).await, ["PerUser user"]);
    for (name, expression, refused) in
        [("peruser", "topic", "duplicate /name"), ("Broken", "topic +", "invalid /expression")]
    {
        let other = command(CustomRuleCommand::Create(new(&stage, name, expression)));
        assert_eq!(made(stage.execute(&admin, other).await), Err(refused.to_owned()));
    }
    let second = command(CustomRuleCommand::Create(new(&stage, "PerTopic", "topic")));
    made(stage.execute(&admin, second).await).unwrap();
    assert_eq!(told(&stage.port).await, ["PerUser user", "PerTopic topic"]);
    // Off, and gateways know it no more; a change from another tag is none.
    let off = ChangeCustomRule { is_enabled: false, based_on: Some(1), ..change(&first) };
    let off = || command(CustomRuleCommand::Change(off.clone()));
    let changed = made(stage.execute(&admin, off()).await).unwrap();
    assert_eq!((changed.is_enabled, changed.etag), (false, 2));
    assert_eq!(told(&stage.port).await, ["PerTopic topic"]);
    assert_eq!(made(stage.execute(&admin, off()).await), Err("stale 2".to_owned()));
    // Another name, which nobody else has.
    let mut renamed = change(&changed);
    "PerPerson".clone_into(&mut renamed.policy.name);
    renamed.is_enabled = true;
    let renamed = command(CustomRuleCommand::Change(renamed));
    made(stage.execute(&admin, renamed).await).unwrap();
    let again = command(CustomRuleCommand::Create(new(&stage, "PerUser", "address")));
    made(stage.execute(&admin, again).await).unwrap();
    let all = ["PerPerson user", "PerTopic topic", "PerUser address"];
    assert_eq!(told(&stage.port).await, all);
    let log = stage.port.changes(ApiId(rule.id.0), 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(actions, ["changed a custom rule", "changed a custom rule", "made a custom rule"]);
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(told(&reopened).await, all);
    let delete = |based_on| command(CustomRuleCommand::Delete { id: rule.id, based_on });
    assert!(matches!(stage.execute(&ada, delete(None)).await, Err(Refused::Forbidden(_))));
    assert!(matches!(stage.execute(&admin, delete(Some(1))).await, Err(Refused::Stale { current: 3 })));
    stage.execute(&admin, delete(Some(3))).await.unwrap();
    assert_eq!(told(&stage.port).await, all[1..]);
    assert_eq!(made(stage.execute(&admin, off()).await), Err("no custom rule".to_owned()));
}

pub async fn what_was_used_of_a_key_is_kept_by_its_rule(ground: &impl Ground) {
    let port = ground.open().await;
    let shape = Limit::messages(5, Window::Day).shape();
    let of = |rule: u8, key: &str, units| {
        let holder = Holder::Rule { id: CustomRuleId::new(START, [rule; 10]), key: key.into() };
        let used = Used::Calendar { window: Window::Day.number(START), units };
        Usage { key: BudgetKey { holder, shape }, used, at: START }
    };
    let longest = "é".repeat(crate::expression::KEY_BYTES_MAX / 2);
    let told = vec![of(1, "acme", 2), of(1, "'; \"-- ", 3), of(1, &longest, 4), of(2, "acme", 5)];
    for number in 1..=2 {
        let boot = BootId(Uuid::from_u128(0xb007));
        let usage = told.clone();
        let batch = Batch { boot, number, counts: Vec::new(), sessions: Vec::new(), usage };
        port.append(&batch).await.unwrap();
    }
    let mut found = port.usage(UsageOf::Everyone, START).await.unwrap();
    found.sort_by_key(|usage| match usage.used {
        Used::Calendar { units, .. } => units,
        Used::Sliding { .. } => 0,
    });
    let twice = [of(1, "acme", 4), of(1, "'; \"-- ", 6), of(1, &longest, 8), of(2, "acme", 10)];
    assert_eq!(found, twice);
}
