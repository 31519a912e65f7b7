//! The fields are what the draft says, short, and of structured fields whatever a policy is called.

use tidegate_model::{
    limit::{Limit, Window},
    time::Timestamp,
};

use super::*;

/// 23 seconds into a minute.
const NOW: Moment = Moment { wall: Timestamp(1_800_000_023_000), micros: 5 };

fn policy(name: &str) -> Policy {
    Policy { name: name.to_owned(), ..Policy::default() }
}

fn quota(limit: Limit, used: u64, renewed_in: i64) -> Quota {
    let renewed_at = Some(NOW.wall.plus_millis(renewed_in));
    Quota { limit, used: Some(used), renewed_at, more_at: renewed_at }
}

#[test]
fn each_limit_is_a_member_of_both_fields() {
    let (gold, own) = (policy("Gold"), policy("Own"));
    let sliding = Limit {
        unit: Unit::Bytes,
        direction: Direction::Publish,
        counting: Counting::Sliding { burst: 20 },
        ..Limit::messages(600, Window::Hour)
    };
    let all = [
        (&own, quota(Limit::messages(10, Window::Minute), 3, 36_001)),
        (&gold, Quota { limit: sliding, used: Some(0), renewed_at: None, more_at: None }),
        (
            &gold,
            Quota { limit: Limit::messages(5, Window::Second), used: None, renewed_at: None, more_at: None },
        ),
        (&gold, quota(Limit { unit: Unit::Connects, ..Limit::messages(2, Window::Day) }, 9, 1)),
    ];
    let fields = Fields::of(all, NOW).unwrap();
    let [policy, standing] = fields.headers();
    assert_eq!(
        policy,
        (
            "RateLimit-Policy",
            "\"Own messages per minute\";q=10;qu=\"messages\";w=60, \
             \"Gold publish bytes per hour sliding\";q=600;qu=\"content-bytes\";w=3600, \
             \"Gold connects per day\";q=2;qu=\"requests\";w=86400"
        )
    );
    assert_eq!(
        standing,
        (
            "RateLimit",
            "\"Own messages per minute\";r=7;t=37, \"Gold publish bytes per hour sliding\";r=20, \
             \"Gold connects per day\";r=0;t=1"
        )
    );
}

#[test]
fn who_has_no_limit_is_told_nothing() {
    assert_eq!(Fields::of([], NOW), None);
    let second =
        Quota { limit: Limit::messages(5, Window::Second), used: None, renewed_at: None, more_at: None };
    assert_eq!(Fields::of([(&policy("Gold"), second)], NOW), None);
}

#[test]
fn no_name_and_no_number_leaves_what_structured_fields_allow_and_there_are_eight_at_most() {
    let odd = policy("a\"b\\c\r\nX: y\u{1f600}");
    let large = Limit::messages(u64::MAX, Window::Month);
    let fields = Fields::of(std::iter::repeat_n((&odd, quota(large, 0, 1)), 20), NOW).unwrap();
    let [(_, policy), (_, standing)] = fields.headers();
    assert!(policy.bytes().chain(standing.bytes()).all(|byte| matches!(byte, b' '..=b'~')), "{policy}");
    assert!(policy.starts_with("\"abcX: y messages per month\";q=999999999999999;"), "{policy}");
    assert_eq!(policy.matches(";q=").count(), 8);
    assert!(policy.len() + standing.len() < 1_500);
    // Those of which least is left.
    let plain = self::policy("Plain");
    let used = |used| (&plain, quota(Limit::messages(100, Window::Day), used, 1));
    let fields = Fields::of((0..20).map(used), NOW).unwrap();
    assert!(fields.standing.contains(";r=81;") && !fields.standing.contains(";r=100;"), "{fields:?}");
}
