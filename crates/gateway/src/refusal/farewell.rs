//! What both sides of a session are told when the gateway ends it, and what its record says of the end.
//!
//! It does not know why a session ends beyond the words that come with it.

use tidegate_model::{admit::Unwelcome, meter::Level, throttle::Scarcity};
use tidegate_wire::{
    close::{CloseReason, REASON_BYTES_MAX, code},
    relay::{Cause, Ending, Initiator},
};

use crate::relay::{Farewell, UsedUp};

/// What both sides are told when a session may not stay.
pub(crate) fn unwelcome(unwelcome: Unwelcome) -> Farewell {
    match unwelcome {
        Unwelcome::Expired => farewell("expired", code::UNAUTHORIZED),
        Unwelcome::Revoked => farewell("revoked", code::UNAUTHORIZED),
        Unwelcome::NotAccepted => farewell("credential_not_accepted", code::UNAUTHORIZED),
        Unwelcome::KeyRevoked => farewell("key_revoked", code::UNAUTHORIZED),
        Unwelcome::SigningKeyRemoved => farewell("signing_key_removed", code::UNAUTHORIZED),
        Unwelcome::IssuerNotAccepted => farewell("issuer_not_accepted", code::UNAUTHORIZED),
        Unwelcome::TopicGone => farewell("topic_gone", code::FORBIDDEN),
        Unwelcome::ScopeMissing => farewell("scope_missing", code::FORBIDDEN),
        Unwelcome::SubscriptionEnded => farewell("subscription_ended", code::FORBIDDEN),
        Unwelcome::ApiBlocked => farewell("api_blocked", code::FORBIDDEN),
        Unwelcome::ApiRetired => farewell("api_retired", code::FORBIDDEN),
        Unwelcome::Denied => farewell("denied", code::FORBIDDEN),
    }
}

/// The gateway shuts down.
pub(crate) fn restart() -> Farewell {
    farewell("restart", code::RESTART)
}

/// The gateway failed in this session.
pub(crate) fn fault() -> Farewell {
    farewell("internal", code::INTERNAL)
}

/// The worker that carried the session failed.
pub(crate) fn worker_lost() -> Farewell {
    farewell("worker_lost", code::INTERNAL)
}

/// A backend is told that the session ends and why; what was wrong with its client is not its business in a code.
fn farewell(word: &'static str, code: u16) -> Farewell {
    let reason = format!(r#"{{"reason":"{word}"}}"#);
    let backend = CloseReason::ours(code::GOING_AWAY, &reason);
    Farewell { word, client: CloseReason::ours(code, &reason), backend }
}

/// The Close for the message above the limit, and for one of which a gateway that is alone cannot know whether it is.
#[cold]
pub(crate) fn quota_close(used_up: &UsedUp) -> CloseReason {
    let UsedUp { plan, level, retry_after_seconds, scarcity } = used_up;
    let plan = serde_json::Value::from(plan.as_str());
    let reason = if *scarcity == Scarcity::Alone { "quota_unknown" } else { "quota" };
    // A plan needs no further word; what several share has one, so that nobody looks for a fault of their own.
    let level = match level {
        Level::Subscription => String::new(),
        level => format!(r#","level":"{}""#, level.as_str()),
    };
    let full = format!(r#"{{"reason":"{reason}","plan":{plan}{level},"retry_after":{retry_after_seconds}}}"#);
    // A reason that is cut is no JSON any more.
    let short = || format!(r#"{{"reason":"{reason}","retry_after":{retry_after_seconds}}}"#);
    let reason = if full.len() <= REASON_BYTES_MAX { full } else { short() };
    CloseReason::ours(code::LIMIT, &reason)
}

/// The Close for a message that a client sends where only the backend may.
#[cold]
pub(crate) fn misdirected_close() -> CloseReason {
    CloseReason::ours(code::POLICY, r#"{"reason":"direction"}"#)
}

/// The close code of a session's record: what the client saw or sent; 1006 when there was none.
pub(crate) fn closing_code(ending: &Ending) -> u16 {
    match (ending.cause, ending.initiator) {
        (Cause::Vanished | Cause::Reset | Cause::Silent, Initiator::Backend) => code::BAD_GATEWAY,
        (Cause::Violation(_), Initiator::Backend) => code::INTERNAL,
        _ => ending.code,
    }
}

/// The reason of a session's record: one word, none where the peers ended it. `imposed` is the word of the
/// farewell, if the gateway gave one.
pub(crate) fn closing_word(ending: &Ending, imposed: &'static str) -> &'static str {
    match ending.cause {
        Cause::Closed | Cause::Vanished | Cause::Reset => "",
        Cause::Violation(violation) => violation.word(),
        Cause::Limit if ending.code == code::POLICY => "direction",
        Cause::Limit => "quota",
        Cause::Idle => "idle",
        Cause::Silent => "no_pong",
        Cause::Lifetime => "lifetime",
        Cause::Imposed => imposed,
    }
}
