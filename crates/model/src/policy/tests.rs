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
    assert_eq!(business_plans()[4].description, "Up to 50,000 messages per day, both directions together");
    assert_eq!(
        application_policies()[1].description,
        "Up to 20 messages per minute, both directions together"
    );
}

#[test]
fn thousands_are_grouped() {
    for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number), text);
    }
}
