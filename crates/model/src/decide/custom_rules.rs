//! What a change to custom rules may do, as pure functions. The other rules are handed in.

use crate::{
    command::{ChangeCustomRule, Refused},
    custom_rule::{CustomRule, RULES_MAX},
    expression::{Asked, Expression, Looks},
    limit::Unit,
    policy::PolicyKind,
    role::Permission,
    rule::{self, FieldProblem},
    user::Actor,
};

use super::{folded, needs, no_problems, not_stale};

/// Decides on a new rule; `others` are all there are.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, one of that name, too many.
pub fn create(rule: &CustomRule, actor: &Actor, others: &[CustomRule]) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    no_problems(problems(rule))?;
    if others.len() >= RULES_MAX {
        return Err(Refused::conflict(format!(
            "There are at most {RULES_MAX} custom rules: each is judged for each session. Delete one first."
        )));
    }
    is_alone(rule, others)
}

/// Decides on a change; answers the rule after it. `others` are all there are, this one among them.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, fields that break rules, one of that name.
pub fn change(
    was: &CustomRule,
    command: ChangeCustomRule,
    actor: &Actor,
    others: &[CustomRule],
) -> Result<CustomRule, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, command.based_on)?;
    let ChangeCustomRule { policy, expression, is_enabled, .. } = command;
    let rule = CustomRule { policy, expression, is_enabled, etag: was.etag + 1, ..was.clone() };
    no_problems(problems(&rule))?;
    is_alone(&rule, others)?;
    Ok(rule)
}

/// Decides on a deletion.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag.
pub fn delete(rule: &CustomRule, based_on: Option<u64>, actor: &Actor) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(rule.etag, based_on)
}

/// What is wrong with an expression, as a problem of its field.
///
/// # Errors
/// [`FieldProblem`] at `/expression`, with line and column where it is about a place.
pub fn expression(source: &str) -> Result<Expression, FieldProblem> {
    Expression::compile(source).map_err(|fault| {
        let detail = match fault.at {
            Some((line, column)) => format!("Line {line}, column {column}: {}", fault.detail),
            None => fault.detail,
        };
        FieldProblem::new("/expression", fault.code, detail)
    })
}

fn problems(rule: &CustomRule) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    // Nobody chooses a rule, so it has no terms, as a policy of an API.
    rule::policy("", PolicyKind::Api, &rule.policy, &mut problems);
    let limits = &rule.policy.limits;
    if limits.is_empty() {
        let detail = "A rule without a limit limits nothing. Add one.";
        problems.push(FieldProblem::new("/limits", "required", detail));
    }
    match expression(&rule.expression) {
        Ok(expression) => {
            let &Looks { asked, names_amount, .. } = expression.looks();
            if names_amount && limits.len() > 1 {
                let detail = "The expression names an amount, which takes the place of that of the rule's only \
                              limit. Leave one limit.";
                problems.push(FieldProblem::new("/limits", "ambiguous", detail));
            }
            let connects = limits.iter().position(|limit| limit.unit == Unit::Connects);
            if let Some(place) = connects.filter(|_| asked != Asked::Session) {
                let detail = "The expression looks at the direction or the size of messages, and sessions that begin \
                              have neither.";
                problems.push(FieldProblem::new(format!("/limits/{place}/unit"), "no_message", detail));
            }
        }
        Err(problem) => problems.push(problem),
    }
    problems
}

fn is_alone(rule: &CustomRule, others: &[CustomRule]) -> Result<(), Refused> {
    let name = folded(&rule.policy.name);
    if others.iter().any(|other| other.id != rule.id && folded(&other.policy.name) == name) {
        let detail = format!("There is a custom rule “{}” already. Change that one.", rule.policy.name);
        return Err(Refused::Duplicate(FieldProblem::new("/name", "duplicate", detail)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::CustomRuleId,
        limit::{Limit, Window},
        policy::Policy,
        role::Role,
        time::Timestamp,
    };

    fn rule(number: u8, name: &str, expression: &str) -> CustomRule {
        CustomRule {
            id: CustomRuleId::new(Timestamp(0), [number; 10]),
            policy: Policy {
                name: name.to_owned(),
                limits: vec![Limit::messages(5, Window::Minute)],
                ..Policy::default()
            },
            expression: expression.to_owned(),
            is_enabled: true,
            created_at: Timestamp(0),
            created_by: "admin".to_owned(),
            etag: 3,
        }
    }

    fn actor(role: Role) -> Actor {
        Actor { roles: [role].into(), ..Actor::product() }
    }

    fn changed(was: &CustomRule) -> ChangeCustomRule {
        let CustomRule { id, policy, expression, is_enabled, etag, .. } = was.clone();
        ChangeCustomRule { id, based_on: Some(etag), policy, expression, is_enabled }
    }

    #[test]
    fn only_administrators_make_change_and_delete_rules() {
        let one = rule(1, "PerUser", "user");
        for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
            let actor = actor(role);
            let refused = Err(Refused::Forbidden(Permission::Administer));
            assert_eq!(create(&one, &actor, &[]), refused);
            assert_eq!(change(&one, changed(&one), &actor, &[]).map(drop), refused);
            assert_eq!(delete(&one, None, &actor), refused);
        }
        let admin = actor(Role::Admin);
        assert_eq!(create(&one, &admin, &[]), Ok(()));
        assert_eq!(delete(&one, Some(3), &admin), Ok(()));
        assert_eq!(delete(&one, Some(2), &admin), Err(Refused::Stale { current: 3 }));
    }

    #[test]
    fn what_a_rule_cannot_say_is_told_by_its_field() {
        let admin = actor(Role::Admin);
        let (second, bytes) = (Limit::messages(1, Window::Second), Limit::messages(1, Window::Hour));
        let connects = Limit { unit: Unit::Connects, ..second };
        let with = |expression: &str, limits: &[Limit]| {
            let mut rule = rule(1, "PerUser", expression);
            rule.policy.limits = limits.to_vec();
            rule
        };
        for (wrong, pointer, code) in [
            (rule(1, "per user", "user"), "/name", "illegal_character"),
            (rule(1, "PerUser", ""), "/expression", "required"),
            (rule(1, "PerUser", "usr"), "/expression", "unknown_name"),
            (with("user", &[]), "/limits", "required"),
            (with("user", &[second, second]), "/limits/1", "repeated"),
            (with("{'key': user, 'amount': 5}", &[second, bytes]), "/limits", "ambiguous"),
            (with("direction", &[second, connects]), "/limits/1/unit", "no_message"),
            (with("size > 5 ? user : null", &[connects]), "/limits/0/unit", "no_message"),
        ] {
            let Err(Refused::Invalid(problems)) = create(&wrong, &admin, &[]) else { panic!("{wrong:?}") };
            assert_eq!((problems[0].pointer.as_str(), problems[0].code), (pointer, code));
        }
        let Err(problem) = expression("topic +\n usr") else { panic!() };
        assert!(problem.detail.starts_with("Line 2, column 2: “usr” is not known."), "{}", problem.detail);
    }

    #[test]
    fn names_are_unique_and_rules_are_bounded() {
        let admin = actor(Role::Admin);
        let (one, twin) = (rule(1, "PerUser", "user"), rule(2, "peruser", "topic"));
        let all = [one.clone()];
        assert!(matches!(create(&twin, &admin, &all), Err(Refused::Duplicate(_))));
        let off = ChangeCustomRule { is_enabled: false, ..changed(&one) };
        let next = change(&one, off, &admin, &all).unwrap();
        assert_eq!((next.is_enabled, next.etag), (false, 4));
        let stale = ChangeCustomRule { based_on: Some(1), ..changed(&one) };
        assert_eq!(change(&one, stale, &admin, &all), Err(Refused::Stale { current: 3 }));
        let full: Vec<_> = (0..RULES_MAX).map(|_| rule(9, "Other", "user")).collect();
        assert!(matches!(create(&one, &admin, &full), Err(Refused::Conflict { .. })));
    }
}
