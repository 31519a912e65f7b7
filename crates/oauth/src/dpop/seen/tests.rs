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
        assert_eq!(seen.take(&proof(1), "a", begin), Ok(()));
        for later in [0, 1, ACCEPTED_SECONDS / 2, ACCEPTED_SECONDS] {
            let again = seen.take(&proof(1), "b", begin + later);
            assert_eq!(again, Err(BadProof::Replayed), "{begin} + {later}");
        }
        assert_eq!(seen.take(&proof(2), "a", begin + ACCEPTED_SECONDS), Ok(()));
    }
}

#[test]
fn what_is_remembered_has_an_end_and_nothing_is_forgotten_for_it() {
    let mut seen = Seen::default();
    for number in 0..REMEMBERED_MAX {
        let client = format!("client {}", number % 8);
        assert_eq!(seen.take(&proof(number), &client, 1), Ok(()));
    }
    assert_eq!(seen.take(&proof(REMEMBERED_MAX), "another", 1), Err(BadProof::TooMany));
    assert_eq!(seen.take(&proof(0), "client 0", 1), Err(BadProof::Replayed));
    let next = 1 + ACCEPTED_SECONDS;
    assert_eq!(seen.take(&proof(REMEMBERED_MAX), "another", next), Ok(()), "the next generation has room");
    let long_over = next + 2 * ACCEPTED_SECONDS;
    assert_eq!(seen.take(&proof(0), "client 0", long_over), Ok(()), "and so it is forgotten");
}

#[test]
fn one_client_leaves_room_for_the_others() {
    let mut seen = Seen::default();
    for number in 0..REMEMBERED_OF_CLIENT_MAX {
        assert_eq!(seen.take(&proof(number), "greedy", 1), Ok(()));
    }
    let more = REMEMBERED_OF_CLIENT_MAX;
    assert_eq!(seen.take(&proof(more), "greedy", 1), Err(BadProof::TooMany));
    assert_eq!(seen.take(&proof(more), "modest", 1), Ok(()));
    assert_eq!(seen.take(&proof(more + 1), "greedy", 1 + ACCEPTED_SECONDS), Ok(()), "by now it may again");
}
