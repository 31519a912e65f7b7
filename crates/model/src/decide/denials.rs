//! What a change to the deny rules may do, as pure functions. The other rules are handed in, and what the rule names is
//! looked up by whoever executes.
//!
//! Rules keep people out of gateways alone: nobody can lock himself out of the portal with one.

use crate::{
    command::{ChangeDenyRule, Refused},
    deny::{Denied, DenyRule, REASON_CHARS_MAX, RULES_MAX},
    role::Permission,
    rule::FieldProblem,
    user::Actor,
};

use super::{needs, no_problems, not_stale};

/// Decides on a new rule; `others` are all there are.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, one like it, too many.
pub fn create(rule: &DenyRule, actor: &Actor, others: &[DenyRule]) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    no_problems(problems(rule))?;
    if others.len() >= RULES_MAX {
        let detail =
            format!("There are at most {RULES_MAX} deny rules. Delete one first, or put ranges together.");
        return Err(Refused::conflict(detail));
    }
    is_alone(rule, others)
}

/// Decides on a change; answers the rule after it. `others` are all there are, this one among them.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, another kind, fields that break rules, one like it.
pub fn change(
    was: &DenyRule,
    command: ChangeDenyRule,
    actor: &Actor,
    others: &[DenyRule],
) -> Result<DenyRule, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, command.based_on)?;
    let ChangeDenyRule { denied, is_inverted, is_enabled, reason, .. } = command;
    let rule = DenyRule { denied, is_inverted, is_enabled, reason, etag: was.etag + 1, ..was.clone() };
    no_problems(problems(&rule))?;
    is_alone(&rule, others)?;
    Ok(rule)
}

/// Decides on a deletion.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag.
pub fn delete(rule: &DenyRule, based_on: Option<u64>, actor: &Actor) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(rule.etag, based_on)
}

fn problems(rule: &DenyRule) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if rule.is_inverted && !rule.denied.is_place() {
        let detail = "Only a rule about an address or a range can be turned around.";
        problems.push(FieldProblem::new("/inverted", "not_a_place", detail));
    }
    if rule.reason.chars().count() > REASON_CHARS_MAX {
        let detail = format!("A reason has at most {REASON_CHARS_MAX} characters.");
        problems.push(FieldProblem::new("/reason", "too_long", detail));
    } else if rule.reason.chars().any(char::is_control) {
        let detail = "A reason cannot contain control characters.";
        problems.push(FieldProblem::new("/reason", "illegal_character", detail));
    }
    if let Denied::Range(range) = rule.denied
        && range.is_everybody()
        && rule.is_inverted
    {
        let detail = "All but everybody is nobody: this rule would deny only the other kind of addresses.";
        problems.push(FieldProblem::new("/value", "everybody", detail));
    }
    problems
}

fn is_alone(rule: &DenyRule, others: &[DenyRule]) -> Result<(), Refused> {
    let is_twin = |other: &&DenyRule| {
        other.id != rule.id && other.denied == rule.denied && other.is_inverted == rule.is_inverted
    };
    if others.iter().any(|other| is_twin(&other)) {
        let detail = "There is a deny rule for this already. Enable or change that one.";
        return Err(Refused::Duplicate(FieldProblem::new("/value", "duplicate", detail)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{DenyRuleId, UserId},
        role::Role,
        time::Timestamp,
        user::User,
    };

    fn rule(number: u8, denied: &str) -> DenyRule {
        DenyRule {
            id: DenyRuleId::new(Timestamp(0), [number; 10]),
            denied: Denied::Range(denied.parse().unwrap()),
            is_inverted: false,
            is_enabled: true,
            reason: String::new(),
            created_at: Timestamp(0),
            created_by: "admin".to_owned(),
            etag: 3,
        }
    }

    fn person(role: Role) -> Actor {
        let id = UserId::new(Timestamp(0), [1; 10]);
        Actor::person(&User::new(id, "someone".to_owned(), [role].into(), Timestamp(0)))
    }

    fn changed(was: &DenyRule) -> ChangeDenyRule {
        let DenyRule { id, denied, is_inverted, is_enabled, reason, etag, .. } = was.clone();
        ChangeDenyRule { id, based_on: Some(etag), denied, is_inverted, is_enabled, reason }
    }

    #[test]
    fn only_administrators_make_change_and_delete_rules() {
        let one = rule(1, "10.0.0.0/8");
        for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
            let actor = person(role);
            let refused = Err(Refused::Forbidden(Permission::Administer));
            assert_eq!(create(&one, &actor, &[]), refused);
            assert_eq!(change(&one, changed(&one), &actor, &[]).map(drop), refused);
            assert_eq!(delete(&one, None, &actor), refused);
        }
        let admin = person(Role::Admin);
        assert_eq!(create(&one, &admin, &[]), Ok(()));
        assert_eq!(delete(&one, Some(3), &admin), Ok(()));
        assert_eq!(delete(&one, Some(2), &admin), Err(Refused::Stale { current: 3 }));
    }

    #[test]
    fn what_a_rule_cannot_say_is_told_by_its_field() {
        let admin = person(Role::Admin);
        let about_api = DenyRule { denied: Denied::Api("/echo".to_owned()), ..rule(1, "10.0.0.0/8") };
        let long = "x".repeat(REASON_CHARS_MAX + 1);
        for (wrong, pointer) in [
            (DenyRule { is_inverted: true, ..about_api.clone() }, "/inverted"),
            (DenyRule { is_inverted: true, ..rule(1, "0.0.0.0/0") }, "/value"),
            (DenyRule { reason: long, ..about_api.clone() }, "/reason"),
            (DenyRule { reason: "a\nb".to_owned(), ..about_api }, "/reason"),
        ] {
            let Err(Refused::Invalid(problems)) = create(&wrong, &admin, &[]) else { panic!("{wrong:?}") };
            assert_eq!(problems[0].pointer, pointer);
        }
    }

    #[test]
    fn one_rule_says_one_thing() {
        let admin = person(Role::Admin);
        let (one, two) = (rule(1, "10.0.0.0/8"), rule(2, "10.9.9.9/8"));
        let all = [one.clone()];
        assert!(matches!(create(&two, &admin, &all), Err(Refused::Duplicate(_))));
        assert_eq!(create(&DenyRule { is_inverted: true, ..two.clone() }, &admin, &all), Ok(()));
        let off = ChangeDenyRule { is_enabled: false, ..changed(&one) };
        let next = change(&one, off, &admin, &all).unwrap();
        assert_eq!((next.is_enabled, next.etag), (false, 4));
        let stale = ChangeDenyRule { based_on: Some(1), ..changed(&one) };
        assert_eq!(change(&one, stale, &admin, &all), Err(Refused::Stale { current: 3 }));
        let full: Vec<_> = (0..RULES_MAX).map(|_| rule(9, "192.0.2.0/24")).collect();
        assert!(matches!(create(&one, &admin, &full), Err(Refused::Conflict { .. })));
    }
}
