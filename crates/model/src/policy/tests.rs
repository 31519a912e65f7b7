//! The shipped numbers are a promise to users.

use super::*;

#[test]
fn shipped_plans_carry_the_specified_numbers() {
    let shown: Vec<_> = business_plans()
        .into_iter()
        .map(|plan| (plan.name, plan.limits.first().map(|limit| (limit.amount, limit.per))))
        .collect();
    let expected: Vec<(String, _)> =
        BUSINESS_PLANS.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
    assert_eq!(shown, expected);
    assert!(
        business_plans().iter().chain(&application_policies()).all(|policy| policy.description.is_empty())
    );
}

#[test]
fn what_ships_for_apis_is_told_by_its_names() {
    let shown = api_policies().into_iter().map(|policy| (policy.name, policy.limits));
    let per_minute = |amount| vec![Limit::messages(amount, Window::Minute)];
    let expected = [
        ("50KPerMin", per_minute(50_000)),
        ("20KPerMin", per_minute(20_000)),
        ("10KPerMin", per_minute(10_000)),
        ("Unlimited", Vec::new()),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected.map(|(name, limits)| (name.to_owned(), limits)));
}
