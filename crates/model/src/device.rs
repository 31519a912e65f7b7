//! Codes of devices (RFC 8628): a device that has no browser asks for one, and waits while a person answers on another
//! screen.
//!
//! One that is allowed becomes the [`Code`](crate::authorization::Code) of an authorization, and is used up as every code
//! is. It knows hashes of codes, never the codes.

use crate::{id::UserId, time::Timestamp, user::Secret};

/// How long a person has for an answer, in milliseconds: ten minutes, to find a telephone and to sign in.
pub const DEVICE_CODE_MILLIS: i64 = 10 * 60_000;
/// How long a code that is over is remembered, in milliseconds, so that a device that comes late hears that it is.
pub const REMEMBERED_MILLIS: i64 = DEVICE_CODE_MILLIS;
/// Most codes of a client that wait at a time; the oldest ends for the next. Whoever knows a client id can ask for codes: to push out
/// one, this many would have to be asked for while its person types.
pub const DEVICE_CODES_MAX: u64 = 1_000;

/// A device that waits for a person, or was denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// Hash of what the device presents.
    pub code_hash: Secret,
    /// Hash of what the person types.
    pub user_code_hash: Secret,
    /// Which client asks.
    pub client_id: String,
    /// For what: scopes separated by spaces.
    pub scope: String,
    /// When it asked.
    pub created_at: Timestamp,
    /// Until when it can be answered and used.
    pub expires_at: Timestamp,
    /// When a person denied it, if somebody did.
    pub denied_at: Option<Timestamp>,
}

impl DeviceCode {
    /// Whether it can be answered.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.denied_at.is_none() && self.expires_at > now
    }
}

/// Denies a device that waits.
#[derive(Debug, Clone)]
pub struct DenyDevice {
    /// Hash of what the device presents.
    pub code_hash: Secret,
    /// Who denies it.
    pub user: UserId,
    /// Hash of the portal session in which they do; refused when it has ended.
    pub session: Secret,
}
