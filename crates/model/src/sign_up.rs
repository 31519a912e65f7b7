//! Self sign-up: whether people may ask for an account by themselves, and the bounds of those who wait for an answer.

use crate::time::DAY_MILLIS;

/// Most people who wait at the same time: as many as somebody looks through. What comes beyond is refused.
pub const WAITING_MAX: u64 = 200;
/// How long somebody waits before the request lapses and the name is free again: a month, holidays included.
pub const WAITING_MILLIS: i64 = 30 * DAY_MILLIS;

/// Whether people may sign up by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SignUp {
    /// Closed until an administrator opens it.
    pub is_open: bool,
    /// Grows with every change.
    pub etag: u64,
}
