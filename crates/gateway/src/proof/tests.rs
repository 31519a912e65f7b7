//! A proof is taken once for as long as it could be taken, and what is remembered has an end.

use super::*;

fn id(number: usize) -> [u8; 32] {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

#[test]
fn a_proof_is_taken_once_for_as_long_as_it_is_good() {
    for begin in [0, 1, ACCEPTED_SECONDS - 1, ACCEPTED_SECONDS, 5 * ACCEPTED_SECONDS] {
        let mut seen = Seen { since: 0, ..Seen::default() };
        assert_eq!(seen.take(id(1), begin), Ok(()));
        for later in [0, 1, ACCEPTED_SECONDS / 2, ACCEPTED_SECONDS] {
            assert_eq!(seen.take(id(1), begin + later), Err(BadProof::Replayed.into()), "{begin} + {later}");
        }
        assert_eq!(seen.take(id(2), begin + ACCEPTED_SECONDS), Ok(()));
    }
}

#[test]
fn what_is_remembered_has_an_end_and_nothing_is_forgotten_for_it() {
    let mut seen = Seen::default();
    for number in 0..REMEMBERED_MAX {
        assert_eq!(seen.take(id(number), 1), Ok(()));
    }
    assert_eq!(seen.take(id(REMEMBERED_MAX), 1), Err(Refusal::Overloaded));
    assert_eq!(seen.take(id(0), 1), Err(BadProof::Replayed.into()));
    assert_eq!(seen.take(id(REMEMBERED_MAX), 1 + ACCEPTED_SECONDS), Ok(()), "the next generation has room");
    assert_eq!(seen.take(id(0), 1 + 3 * ACCEPTED_SECONDS), Ok(()), "long over, and so forgotten");
}
