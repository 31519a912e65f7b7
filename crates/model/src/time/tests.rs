//! Times are what calendars say, and no time is too strange to be written down.

use proptest::prelude::*;

use super::*;

#[test]
fn times_are_written_as_rfc_3339_in_utc() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (i64::MAX, "9223372036854775807"),
        (i64::MIN, "-9223372036854775808"),
    ] {
        assert_eq!(Timestamp(millis).rfc3339(), text);
    }
}

proptest! {
    #[test]
    fn a_minute_begins_at_or_before_each_of_its_points(millis in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -200_000..200_000_i64]) {
        let at = Timestamp(millis);
        let minute = at.minute();
        prop_assert!(minute <= at);
        prop_assert!(i128::from(at.millis()) - i128::from(minute.millis()) < 60_000);
        prop_assert!(minute.millis() % MINUTE_MILLIS == 0 || minute.millis() == i64::MIN);
        prop_assert!(Timestamp::from_seconds(at.seconds()) <= at || at.seconds() < i64::MIN / 1_000);
        prop_assert!(!at.rfc3339().is_empty());
    }

    #[test]
    fn moving_a_time_never_wraps(millis: i64, by: i64) {
        let exact = i128::from(millis) + i128::from(by);
        let moved = i128::from(Timestamp(millis).plus_millis(by).millis());
        prop_assert_eq!(moved, exact.clamp(i64::MIN.into(), i64::MAX.into()));
    }
}
