//! Points in time as the whole product writes them down: milliseconds since the Unix epoch, UTC.
//!
//! Nothing here asks a clock; see [`crate::port::Clock`].

use serde::{Deserialize, Serialize};

/// Milliseconds in one minute.
pub const MINUTE_MILLIS: i64 = 60_000;
/// Milliseconds in one day (UTC days have no leap seconds in Unix time).
pub const DAY_MILLIS: i64 = 86_400_000;

/// A point in time: milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since the epoch, as tokens carry them.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This point moved by `millis` (negative: towards the past).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The beginning of the minute that holds this point.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0.div_euclid(MINUTE_MILLIS).saturating_mul(MINUTE_MILLIS))
    }

    /// The same point for formatting; `None` outside the calendar that `time` knows (years ±9999).
    pub fn to_utc(self) -> Option<::time::OffsetDateTime> {
        ::time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).ok()
    }

    /// The point that a text in RFC 3339 names, in whatever zone; `None` where it is none.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at =
            ::time::OffsetDateTime::parse(text, &::time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }

    /// RFC 3339 in UTC with milliseconds, as REST and logs show it.
    pub fn rfc3339(self) -> String {
        self.to_utc()
            .and_then(|at| at.format(&::time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

#[cfg(test)]
mod tests;
