//! Everybody is asked once for every piece of news, some in each turn, whatever comes meanwhile.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Looks at places in one turn.
fn turn(review: &mut Review, mut look: impl FnMut(usize) -> bool) -> usize {
    review.begin_turn();
    let mut looked = 0;
    while let Some(place) = review.step() {
        looked += 1;
        if look(place) {
            review.has_closed();
        }
    }
    looked
}

#[test]
fn one_turn_looks_at_some_and_closes_fewer() {
    let mut review = Review::default();
    review.ask(10_000, false);
    assert_eq!(turn(&mut review, |_| false), 256);
    assert_eq!(turn(&mut review, |_| true), 20, "closing costs more");
    assert!(review.is_under_way() && review.asks());
}

#[test]
fn without_sessions_there_is_nothing_to_do() {
    let mut review = Review::default();
    review.ask(0, true);
    assert!(!review.is_under_way());
    assert_eq!(turn(&mut review, |_| false), 0);
}

#[test]
fn everybody_is_asked_where_it_is_not_known_whom_news_touches() {
    let mut review = Review::default();
    review.ask(1_000, false);
    assert!(!review.asks_all());
    turn(&mut review, |_| false);
    // Those that were not looked at may be touched by the news before.
    review.ask(1_000, false);
    assert!(review.asks_all());
    review.end();
    review.look_for_revoked(1_000);
    review.ask(1_000, false);
    assert!(!review.asks_all(), "what was revoked is looked for in everybody anyway");
    review.ask(1_000, true);
    assert!(review.asks_all());
}

proptest! {
    #[test]
    fn everybody_is_asked_after_the_last_news(
        news in proptest::collection::vec((1..3_000_usize, 0..8_usize), 1..6),
    ) {
        let (mut review, mut most) = (Review::default(), 0);
        let mut asked = BTreeMap::new();
        for (places, turns) in news {
            // Places are never given back.
            most = most.max(places);
            review.ask(most, false);
            asked.clear();
            for _ in 0..turns {
                turn(&mut review, |place| {
                    *asked.entry(place).or_insert(0) += 1;
                    place % 7 == 0
                });
            }
        }
        while review.is_under_way() {
            turn(&mut review, |place| {
                *asked.entry(place).or_insert(0) += 1;
                place % 7 == 0
            });
        }
        prop_assert!(asked.values().all(|times| *times == 1), "nobody is asked twice");
        prop_assert!(asked.keys().copied().eq(0..most));
    }
}
