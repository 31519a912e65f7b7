//! What is known is what the store holds, and no more than that.

use super::*;

const MAX: u64 = OPAQUE_TOKENS_MAX;

fn token(number: u64, client_id: &str, issued_at: i64, lives: i64) -> OpaqueTokenFacts {
    OpaqueTokenFacts {
        number,
        token_hash: Secret(number.to_string()),
        client_id: client_id.to_owned(),
        subject: client_id.to_owned(),
        grant_id: None,
        scope: String::new(),
        issued_at: Timestamp(issued_at),
        expires_at: Timestamp(issued_at + lives),
        source: None,
    }
}

fn knows(tokens: &OpaqueTokens, number: u64) -> bool {
    tokens.find(&Secret(number.to_string())).is_some_and(|found| found.number == number)
}

#[test]
fn tokens_are_found_by_hash_and_told_in_order_from_any_number() {
    let mut tokens = OpaqueTokens::default();
    tokens.extend([
        token(3, "a", 0, 10),
        token(5, "b", 0, 10),
        token(5, "b", 0, 10),
        token(4, "late", 0, 10),
    ]);
    assert_eq!(tokens.number(), 5);
    assert!(knows(&tokens, 3) && knows(&tokens, 5) && !knows(&tokens, 4), "what is late was told before");
    let since = |number| tokens.since(number).map(|token| token.number).collect::<Vec<_>>();
    assert_eq!((since(0), since(3), since(5)), (vec![3, 5], vec![5], vec![]));
}

#[test]
fn the_oldest_of_a_client_that_has_too_many_goes_and_nobody_elses() {
    let mut tokens = OpaqueTokens::default();
    tokens.add(token(1, "other", 0, 1_000_000));
    // The second of the client has expired by the time that there are too many: it goes first.
    tokens.add(token(2, "client", 1, 1_000_000));
    tokens.add(token(3, "client", 1, 5));
    tokens.extend((4..=MAX + 1).map(|number| token(number, "client", 1, 1_000_000)));
    assert!((1..=MAX + 1).all(|number| knows(&tokens, number)));
    tokens.add(token(MAX + 2, "client", 10, 1_000_000));
    assert!(!knows(&tokens, 3) && knows(&tokens, 2));
    tokens.add(token(MAX + 3, "client", 10, 1_000_000));
    assert!(!knows(&tokens, 2) && knows(&tokens, 4) && knows(&tokens, 1));
}

#[test]
fn what_has_expired_takes_no_room_for_long() {
    let mut tokens = OpaqueTokens::default();
    for number in 1..=100_000 {
        let client = format!("client {}", number % 1_000);
        tokens.add(token(number, &client, i64::try_from(number).unwrap(), 100));
        assert!(tokens.all.len() <= TIDY_FROM + 1, "{number}");
    }
    assert_eq!(tokens.numbers.len(), tokens.all.len());
    assert_eq!(tokens.of_clients.values().map(VecDeque::len).sum::<usize>(), tokens.all.len());
}
