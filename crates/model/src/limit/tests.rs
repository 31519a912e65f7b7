//! Windows: their edges, over years with and without a leap day, and what a word of 64 bits holds.

use proptest::prelude::*;

use super::*;

/// The first of a month, by counting days.
fn counted(months: u64) -> Timestamp {
    let (mut year, mut days) = (1_970, 0);
    for month in 0..months {
        let in_year = month % 12;
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        days += match in_year {
            1 => 28 + i64::from(is_leap),
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        year += i64::from(in_year == 11);
    }
    Timestamp(days * DAY_MILLIS)
}

#[test]
fn months_begin_where_the_calendar_says() {
    for month in 0..3_000 {
        let (begin, end) = (counted(month), counted(month + 1));
        assert_eq!(Window::Month.begin(month), begin, "{month}");
        for (at, number) in
            [(begin, month), (begin.plus_millis(1), month), (end.plus_millis(-1), month), (end, month + 1)]
        {
            assert_eq!(Window::Month.number(at), number, "{}", at.rfc3339());
        }
    }
}

#[test]
fn the_edges_of_time_have_windows() {
    for per in Window::ALL {
        assert_eq!(per.number(Timestamp(i64::MIN)), 0, "{per:?}");
        assert_eq!(per.number(Timestamp(-1)), 0, "{per:?}");
        assert_eq!(per.begin(0), Timestamp(0), "{per:?}");
        assert!(per.begin(per.number(Timestamp(i64::MAX)) + 1) > Timestamp(0), "{per:?}");
    }
}

#[test]
fn a_word_holds_every_window_until_2149_and_every_amount() {
    let far = counted((2_150 - 1_970) * 12);
    for per in Window::ALL {
        assert!(per.number(far) < 1 << per.number_bits(), "{per:?}");
        assert!(per.amount_max() >= 1_000_000_000, "{per:?}");
    }
}

proptest! {
    #[test]
    fn a_window_holds_what_is_between_its_begin_and_the_next(millis in 0i64..6_000_000_000_000) {
        let at = Timestamp(millis);
        for per in Window::ALL {
            let number = per.number(at);
            prop_assert!(per.begin(number) <= at && at < per.begin(number + 1), "{:?} {}", per, at.rfc3339());
            prop_assert_eq!(per.number(per.begin(number)), number);
        }
    }
}
