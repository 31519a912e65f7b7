//! Rules of business plans and application policies.

use super::{FieldProblem, Problems, bounded, group::groups};
use crate::{
    anonymous,
    endpoint::{Bounds, IDLE_TIMEOUT, LIFETIME},
    limit::{Counting, Limit, Unit, Window},
    policy::{Policy, PolicyKind, SESSIONS},
    protocol::MESSAGE_BYTES,
    terms::{Billing, PLAN_ROLES_MAX, Price},
    topic::Direction,
};

/// Longest name of a policy, in characters: with it, the reason of a Close fits into the 123 bytes that a Close has.
pub const POLICY_NAME_CHARS_MAX: usize = 50;
/// Longest description of a policy, in characters: a sentence or two beside a choice.
pub const POLICY_DESCRIPTION_CHARS_MAX: usize = 512;
/// Most limits of one policy. Each costs every message one step, and a page shows them all.
pub const LIMITS_MAX: usize = 8;
/// The longest time in which a whole burst comes back, in milliseconds.
const BURST_MILLIS_MAX: i64 = Window::Month.millis();

/// A policy as a whole. `at` is the pointer of it.
pub fn policy(at: &str, kind: PolicyKind, policy: &Policy, problems: &mut Problems) {
    name(&format!("{at}/name"), &policy.name, problems);
    description(at, &policy.description, problems);
    bounds(at, policy, problems);
    terms(at, kind, policy, problems);
    limits(at, &policy.limits, problems);
    groups(kind, at, &policy.groups, problems);
}

/// What a person reads beside a choice.
pub(super) fn description(at: &str, text: &str, problems: &mut Problems) {
    let pointer = format!("{at}/description");
    if text.chars().count() > POLICY_DESCRIPTION_CHARS_MAX {
        let detail = format!("A description has at most {POLICY_DESCRIPTION_CHARS_MAX} characters.");
        problems.push(FieldProblem::new(pointer, "too_long", detail));
    } else if text.chars().any(char::is_control) {
        let detail = "A description cannot contain control characters.";
        problems.push(FieldProblem::new(pointer, "illegal_character", detail));
    }
}

/// All limits that hold together.
pub(super) fn limits(at: &str, limits: &[Limit], problems: &mut Problems) {
    let pointer = format!("{at}/limits");
    if limits.len() > LIMITS_MAX {
        let detail = format!("There are at most {LIMITS_MAX} limits.");
        problems.push(FieldProblem::new(&pointer, "too_many", detail));
    }
    for (place, one) in limits.iter().enumerate().take(LIMITS_MAX) {
        let pointer = format!("{pointer}/{place}");
        limit(&pointer, one, problems);
        if limits[..place].iter().any(|other| other.shape() == one.shape()) {
            let detail =
                "There is a limit on the same in the same time already. Keep the one that is to hold.";
            problems.push(FieldProblem::new(pointer, "repeated", detail));
        }
    }
}

/// Only a plan is chosen for a subscription, and sold.
fn terms(at: &str, kind: PolicyKind, policy: &Policy, problems: &mut Problems) {
    let terms = &policy.terms;
    let mut problem = |leaf: &str, code, detail: String| {
        problems.push(FieldProblem::new(format!("{at}/{leaf}"), code, detail));
    };
    if kind != PolicyKind::Business {
        let told = [("roles", !terms.roles.is_empty()), ("billing", terms.billing.is_some())];
        for (leaf, _) in told.into_iter().filter(|(_, is_told)| *is_told) {
            problem(leaf, "not_a_plan", format!("Only a business plan has it, and no {}.", kind.noun()));
        }
        return;
    }
    if terms.roles.len() > PLAN_ROLES_MAX {
        problem("roles", "too_many", format!("A plan names at most {PLAN_ROLES_MAX} roles."));
    }
    if let Some(Billing { currency, price, price_per_1000_messages, .. }) = &terms.billing {
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let detail = "Enter the code of a currency (ISO 4217): three capitals, such as EUR.";
            problem("billing/currency", "illegal_character", detail.to_owned());
        }
        let costs =
            [price, price_per_1000_messages].into_iter().flatten().any(|price: &Price| !price.is_zero());
        if !costs {
            let detail =
                "Say what it costs: in a cycle, for 1,000 messages, or both. A free plan has no billing.";
            problem("billing/price", "required", detail.to_owned());
        }
    }
}

/// What is no limit of a window: each is left out, or within its bounds.
fn bounds(at: &str, policy: &Policy, problems: &mut Problems) {
    // An endpoint may let sessions live for ever; a policy that does says nothing.
    let lifetime = Bounds { min: IDLE_TIMEOUT.min, ..LIFETIME };
    for (leaf, unit, value, bounds) in [
        ("sessions_max", "sessions", policy.sessions_max, SESSIONS),
        ("sessions_per_user_max", "sessions", policy.sessions_per_user_max, SESSIONS),
        ("sessions_per_address_max", "sessions", policy.sessions_per_address_max, SESSIONS),
        ("message_bytes_max", "bytes", policy.message_bytes_max, MESSAGE_BYTES),
        ("idle_timeout_ms", "ms", policy.idle_timeout_ms, IDLE_TIMEOUT),
        ("lifetime_max_ms", "ms", policy.lifetime_max_ms, lifetime),
    ] {
        if let Some(value) = value {
            bounded(&format!("{at}/{leaf}"), unit, value, bounds, problems);
        }
    }
}

/// It is part of addresses of REST, of what clients are told, and of designs: letters, digits, `.`, `-` and `_`.
fn name(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() {
        problem("required", "Enter a name.".to_owned());
    } else if text.chars().count() > POLICY_NAME_CHARS_MAX {
        problem("too_long", format!("A name has at most {POLICY_NAME_CHARS_MAX} characters."));
    } else if !text.chars().all(is_fine) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let detail =
            "Use letters, digits, dots, hyphens and underscores, and begin with a letter or a digit.";
        problem("illegal_character", detail.to_owned());
    } else if text.eq_ignore_ascii_case(anonymous::PLAN) {
        problem("reserved", format!("“{}” is what holds clients without a credential.", anonymous::PLAN));
    }
}

fn limit(at: &str, limit: &Limit, problems: &mut Problems) {
    let mut problem = |leaf: &str, code, detail: String| {
        problems.push(FieldProblem::new(format!("{at}/{leaf}"), code, detail));
    };
    let most = limit.per.amount_max();
    if limit.amount == 0 || limit.amount > most {
        problem(
            "amount",
            "out_of_range",
            format!("Choose between 1 and {} per {}.", grouped(most), limit.per.as_str()),
        );
    } else if let Counting::Sliding { burst } = limit.counting {
        let most = burst_max(limit);
        if burst == 0 || burst > most {
            problem(
                "burst",
                "out_of_range",
                format!("Choose between 1 and {}: it comes back within 30 days.", grouped(most)),
            );
        }
    }
    if limit.unit == Unit::Connects && limit.direction != Direction::Both {
        problem(
            "direction",
            "no_direction",
            "Sessions that begin have no direction: choose both.".to_owned(),
        );
    }
}

/// 50000 as `50,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The greatest burst: what comes back within [`BURST_MILLIS_MAX`].
fn burst_max(limit: &Limit) -> u64 {
    limit.amount.saturating_mul((BURST_MILLIS_MAX / limit.per.millis()).unsigned_abs()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::{api_policies, application_policies, business_plans},
        role::RoleName,
        terms::{Cycle, Terms},
    };

    fn sliding(amount: u64, per: Window, burst: u64) -> Limit {
        Limit { counting: Counting::Sliding { burst }, ..Limit::messages(amount, per) }
    }

    fn found(name: &str, description: &str, limits: &[Limit]) -> Vec<(String, &'static str)> {
        let (name, description) = (name.to_owned(), description.to_owned());
        let told = Policy { name, description, limits: limits.to_vec(), ..Policy::default() };
        let mut problems = Vec::new();
        policy("", PolicyKind::Business, &told, &mut problems);
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
    }

    fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
        vec![(pointer.to_owned(), code)]
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_ships_keeps_the_rules() {
        let shipped = [business_plans(), application_policies(), api_policies()].concat();
        for policy in &shipped {
            assert_eq!(found(&policy.name, &policy.description, &policy.limits), [], "{}", policy.name);
        }
    }

    #[test]
    fn names_are_words_that_fit_into_a_close() {
        for good in ["Gold", "a", "20PerMin", "team-a_2.1", &"x".repeat(50)] {
            assert_eq!(found(good, "", &[]), [], "{good}");
        }
        for (bad, code) in [
            ("", "required"),
            ("two words", "illegal_character"),
            ("größe", "illegal_character"),
            ("a/b", "illegal_character"),
            ("..", "illegal_character"),
            ("-a", "illegal_character"),
            ("unauthenticated", "reserved"),
            (&"x".repeat(51), "too_long"),
        ] {
            assert_eq!(found(bad, "", &[]), one("/name", code), "{bad}");
        }
        assert_eq!(found("Gold", &"x".repeat(513), &[]), one("/description", "too_long"));
        assert_eq!(found("Gold", "a\nb", &[]), one("/description", "illegal_character"));
    }

    #[test]
    fn a_limit_is_within_what_can_be_counted() {
        for window in Window::ALL {
            let most = Limit::messages(window.amount_max(), window);
            assert_eq!(found("Gold", "", &[most]), []);
            let amount = Limit { amount: most.amount + 1, ..most };
            assert_eq!(found("Gold", "", &[amount]), one("/limits/0/amount", "out_of_range"));
        }
        assert_eq!(
            found("Gold", "", &[Limit::messages(0, Window::Day)]),
            one("/limits/0/amount", "out_of_range")
        );
        // Thirty days of ten a second, and one more.
        assert_eq!(found("Gold", "", &[sliding(10, Window::Second, 25_920_000)]), []);
        for burst in [0, 25_920_001] {
            let told = sliding(10, Window::Second, burst);
            assert_eq!(found("Gold", "", &[told]), one("/limits/0/burst", "out_of_range"));
        }
        let connects = Limit { unit: Unit::Connects, ..Limit::messages(5, Window::Minute) };
        assert_eq!(found("Gold", "", &[connects]), []);
        let published = Limit { direction: Direction::Publish, ..connects };
        assert_eq!(found("Gold", "", &[published]), one("/limits/0/direction", "no_direction"));
    }

    #[test]
    fn what_is_bounded_at_all_is_within_what_an_api_may_say() {
        let found = |change: fn(&mut Policy)| {
            let mut told = Policy { name: "Gold".to_owned(), ..Policy::default() };
            change(&mut told);
            let mut problems = Vec::new();
            policy("/plans/2", PolicyKind::Business, &told, &mut problems);
            problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
        };
        assert_eq!(found(|policy| policy.sessions_max = Some(1)), []);
        assert_eq!(found(|policy| policy.lifetime_max_ms = Some(604_800_000)), []);
        let beyond = |leaf: &str| one(&format!("/plans/2/{leaf}"), "out_of_range");
        assert_eq!(found(|policy| policy.sessions_max = Some(0)), beyond("sessions_max"));
        assert_eq!(found(|policy| policy.sessions_per_user_max = Some(0)), beyond("sessions_per_user_max"));
        assert_eq!(
            found(|policy| policy.sessions_per_address_max = Some(1_000_001)),
            beyond("sessions_per_address_max")
        );
        assert_eq!(found(|policy| policy.message_bytes_max = Some(124)), beyond("message_bytes_max"));
        assert_eq!(found(|policy| policy.idle_timeout_ms = Some(99)), beyond("idle_timeout_ms"));
        assert_eq!(found(|policy| policy.lifetime_max_ms = Some(0)), beyond("lifetime_max_ms"));
    }

    #[test]
    fn each_shape_stands_once_and_there_are_not_many() {
        let minute = Limit::messages(5, Window::Minute);
        let published = Limit { direction: Direction::Publish, ..minute };
        assert_eq!(found("Gold", "", &[minute, published, sliding(5, Window::Minute, 2)]), []);
        assert_eq!(
            found("Gold", "", &[minute, published, Limit { amount: 9, ..minute }]),
            one("/limits/2", "repeated")
        );
        let units = [Unit::Messages, Unit::Bytes].into_iter();
        let many: Vec<_> = units
            .flat_map(|unit| Window::ALL.map(|per| Limit { unit, ..Limit::messages(5, per) }))
            .take(LIMITS_MAX + 1)
            .collect();
        assert_eq!(found("Gold", "", &many[1..]), []);
        assert_eq!(found("Gold", "", &many), one("/limits", "too_many"));
    }
    #[test]
    fn only_a_plan_has_terms_and_they_say_something() {
        let price = |text: &str| Some(text.parse().unwrap());
        let billing = Billing {
            currency: "EUR".to_owned(),
            per: Cycle::Month,
            price: price("49"),
            price_per_1000_messages: None,
        };
        let found = |kind, roles: usize, billing: Option<Billing>| {
            let roles = (0..roles).map(|place| RoleName::parse(&format!("r{place}")).unwrap()).collect();
            let told =
                Policy { name: "Gold".to_owned(), terms: Terms { roles, billing }, ..Policy::default() };
            let mut problems = Vec::new();
            policy("", kind, &told, &mut problems);
            problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
        };
        let plan = PolicyKind::Business;
        assert_eq!(found(plan, PLAN_ROLES_MAX, Some(billing.clone())), []);
        assert_eq!(found(plan, PLAN_ROLES_MAX + 1, None), one("/roles", "too_many"));
        for currency in ["", "EU", "eur", "EURO", "€"] {
            let told = Billing { currency: currency.to_owned(), ..billing.clone() };
            assert_eq!(found(plan, 0, Some(told)), one("/billing/currency", "illegal_character"));
        }
        for (fixed, per_1000, is_fine) in [("0", "0.05", true), ("0", "0", false)] {
            let told =
                Billing { price: price(fixed), price_per_1000_messages: price(per_1000), ..billing.clone() };
            let expected = if is_fine { Vec::new() } else { one("/billing/price", "required") };
            assert_eq!(found(plan, 0, Some(told)), expected);
        }
        for kind in [PolicyKind::Application, PolicyKind::Api] {
            assert_eq!(found(kind, 1, None), one("/roles", "not_a_plan"));
            assert_eq!(found(kind, 0, Some(billing.clone())), one("/billing", "not_a_plan"));
        }
    }
}
