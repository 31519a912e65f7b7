//! A proof is taken once for as long as it could be taken, and what is remembered has an end.

use super::*;

fn proof(number: usize) -> Proof {
    let mut replay_id = [0; 32];
    replay_id[..8].copy_from_slice(&number.to_be_bytes());
    Proof { thumbprint: String::new(), replay_id, issued_at: 0 }
}

#[test]
fn a_proof_is_taken_once_for_as_long_as_it_is_good() {
    for begin in [0, 1, ACCEPTED_SECONDS - 1, ACCEPTED_SECONDS, 5 * ACCEPTED_SECONDS] {
        let mut seen = Seen::default();
        assert_eq!(seen.take(&proof(1), begin), Ok(()));
        for later in [0, 1, ACCEPTED_SECONDS / 2, ACCEPTED_SECONDS] {
            let again = seen.take(&proof(1), begin + later);
            assert_eq!(again, Err(BadProof::Replayed), "{begin} + {later}");
        }
        assert_eq!(seen.take(&proof(2), begin + ACCEPTED_SECONDS), Ok(()));
    }
}

#[test]
fn what_is_remembered_has_an_end_and_nothing_is_forgotten_for_it() {
    let mut seen = Seen::default();
    for number in 0..REMEMBERED_MAX {
        assert_eq!(seen.take(&proof(number), 1), Ok(()));
    }
    assert_eq!(seen.take(&proof(REMEMBERED_MAX), 1), Err(BadProof::TooMany));
    assert_eq!(seen.take(&proof(0), 1), Err(BadProof::Replayed));
    let next = 1 + ACCEPTED_SECONDS;
    assert_eq!(seen.take(&proof(REMEMBERED_MAX), next), Ok(()), "the next generation has room");
    assert_eq!(seen.take(&proof(0), next + 2 * ACCEPTED_SECONDS), Ok(()), "long over, and so forgotten");
}
