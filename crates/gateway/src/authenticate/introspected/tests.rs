//! Words that hold for their time, memories that have a bound, and one question for a token.

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn digest(number: usize) -> Digest {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest
}

#[expect(clippy::unnecessary_wraps, reason = "a word is what is remembered")]
fn good(lives_millis: i64) -> Word {
    Ok(Arc::new(Identity { expires_at: NOW.plus_millis(lives_millis), ..Identity::default() }))
}

#[test]
fn a_word_holds_for_its_time() {
    let opaque = Introspected::default();
    opaque.say(digest(1), good(3_600_000), NOW);
    opaque.say(digest(2), Err(BadToken::Expired), NOW);
    opaque.say(digest(3), good(5_000), NOW);
    let at = |number, millis| opaque.said(&digest(number), NOW.plus_millis(millis));
    assert!(matches!(at(1, GOOD_MILLIS - 1), Some(Ok(_))));
    assert_eq!(at(1, GOOD_MILLIS), None);
    assert_eq!(at(2, BAD_MILLIS - 1), Some(Err(BadToken::Expired)));
    assert_eq!(at(2, BAD_MILLIS), None);
    assert!(matches!(at(3, 4_999), Some(Ok(_))));
    assert_eq!(at(3, 5_000), Some(Err(BadToken::Expired)), "the token itself has ended");
    assert_eq!(at(4, 0), None);
}

#[test]
fn tokens_that_are_made_up_crowd_out_no_good_word() {
    let opaque = Introspected::default();
    opaque.say(digest(0), good(3_600_000), NOW);
    for number in 1..5 * BAD_MAX {
        opaque.say(digest(number), Err(BadToken::Expired), NOW);
    }
    assert!(matches!(opaque.said(&digest(0), NOW), Some(Ok(_))));
    let words = opaque.words();
    assert!(words.1.lengths().into_iter().all(|length| length <= BAD_MAX));
}

#[tokio::test]
async fn whoever_comes_second_waits_for_the_first_and_nothing_is_left() {
    let opaque = Introspected::default();
    let first = opaque.turn(digest(1)).await.unwrap();
    let mut second = Box::pin(opaque.turn(digest(1)));
    let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx).is_pending()));
    assert!(waits.await);
    assert!(opaque.turn(digest(2)).await.is_some(), "another token has its own turn");
    drop(first);
    drop(second.await.unwrap());
    assert!(opaque.under_way.lock().unwrap().is_empty());
}

#[tokio::test]
async fn questions_under_way_have_a_bound() {
    let opaque = Introspected::default();
    let mut turns = Vec::new();
    for number in 0..ASKING_MAX {
        turns.push(opaque.turn(digest(number)).await.unwrap());
    }
    assert!(opaque.turn(digest(ASKING_MAX)).await.is_none());
    turns.pop();
    assert!(opaque.turn(digest(ASKING_MAX)).await.is_some());
}
