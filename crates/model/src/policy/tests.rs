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
