//! Limits: how much of what a budget gives, over which time, and counted how. How it is counted exactly is in
//! [`crate::throttle`].
//!
//! A limit belongs to a plan or a policy; what it is held against (a subscription, an application, an API) is not known
//! here.

use serde::{Deserialize, Serialize};

use crate::{
    time::{DAY_MILLIS, MINUTE_MILLIS, Timestamp},
    topic::Direction,
};

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Data messages, however many frames each has. Control frames are free.
    #[default]
    Messages,
    /// Payload bytes of data messages, as they are on the wire.
    Bytes,
    /// Sessions that begin.
    Connects,
}

impl Unit {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Bytes, Self::Connects];

    /// The word used in REST, storage and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Connects => "connects",
        }
    }
}

/// A span of time that a limit speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// A second of the clock.
    Second,
    /// From second 0 to second 59.
    Minute,
    /// From minute 0 to minute 59.
    Hour,
    /// From 00:00 to 23:59 UTC.
    Day,
    /// From the first of a month, 00:00 UTC, to its last day.
    Month,
}

impl Window {
    /// All, the shortest first.
    pub const ALL: [Self; 5] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// The word used in REST, storage and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Length in milliseconds. A month counts as 30 days here: what slides has no calendar.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => MINUTE_MILLIS,
            Self::Hour => 60 * MINUTE_MILLIS,
            Self::Day => DAY_MILLIS,
            Self::Month => 30 * DAY_MILLIS,
        }
    }

    /// Number of the calendar window that holds `now`, counted from the epoch; what is before it counts as its first.
    pub fn number(self, now: Timestamp) -> u64 {
        let now = now.max(Timestamp(0));
        match self {
            Self::Month => month(now),
            _ => (now.millis() / self.millis()).unsigned_abs(),
        }
    }

    /// When the calendar window with this number begins.
    pub fn begin(self, number: u64) -> Timestamp {
        match self {
            Self::Month => first_of(number),
            _ => Timestamp(i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(self.millis())),
        }
    }

    /// The most that a limit over this window may say: a budget keeps its window and what was used of it in one word of
    /// 64 bits, and half of what is there is left to messages that go over. A second takes a gigabyte, a
    /// month a petabyte.
    pub const fn amount_max(self) -> u64 {
        (1 << (64 - self.number_bits() - 1)) - 1
    }

    /// How many bits the number of a window has until the year 2149 and later.
    pub(crate) const fn number_bits(self) -> u32 {
        match self {
            Self::Second => 33,
            Self::Minute => 27,
            Self::Hour => 21,
            Self::Day => 17,
            Self::Month => 13,
        }
    }
}

/// How the time of a limit passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Counting {
    /// By the calendar: each window begins with the whole amount.
    #[default]
    Calendar,
    /// Evenly: so many may come at once, and what was used comes back at the rate that the amount and the window say.
    Sliding {
        /// How many may come at once after a long enough rest, at least 1.
        burst: u64,
    },
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// How much passes in one window, at most [`Window::amount_max`]. Zero lets nothing pass.
    pub amount: u64,
    /// Of what.
    pub unit: Unit,
    /// In which time.
    pub per: Window,
    /// How that time passes.
    #[serde(default)]
    pub counting: Counting,
    /// Whose messages count; sessions that begin have no direction.
    #[serde(default)]
    pub direction: Direction,
}

impl Limit {
    /// So many messages of both directions in a calendar window.
    pub const fn messages(amount: u64, per: Window) -> Self {
        Self { amount, unit: Unit::Messages, per, counting: Counting::Calendar, direction: Direction::Both }
    }
}

/// What two limits must have in common to count in the same budget. A policy has at most one limit of each shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    unit: Unit,
    per: Window,
    slides: bool,
    direction: Direction,
}

impl Shape {
    /// In which time it counts.
    pub const fn per(self) -> Window {
        self.per
    }

    /// Whether it slides; otherwise it counts by the calendar.
    pub const fn slides(self) -> bool {
        self.slides
    }
}

impl Limit {
    /// Its shape.
    pub const fn shape(&self) -> Shape {
        let slides = matches!(self.counting, Counting::Sliding { .. });
        Shape { unit: self.unit, per: self.per, slides, direction: self.direction }
    }
}

/// Months from January 1970 to the one that holds this point.
fn month(at: Timestamp) -> u64 {
    let date = at.to_utc().map_or(::time::Date::MAX, ::time::OffsetDateTime::date);
    let months = (date.year() - 1_970) * 12 + i32::from(u8::from(date.month())) - 1;
    u64::try_from(months).unwrap_or_default()
}

/// When a month begins.
fn first_of(month: u64) -> Timestamp {
    let year = i32::try_from(month / 12 + 1_970).ok();
    let in_year = u8::try_from(month % 12 + 1).ok().and_then(|month| ::time::Month::try_from(month).ok());
    let first =
        year.zip(in_year).and_then(|(year, month)| ::time::Date::from_calendar_date(year, month, 1).ok());
    // Beyond the calendar there is no month.
    first.map_or(Timestamp(i64::MAX), |date| {
        Timestamp::from_seconds(date.midnight().assume_utc().unix_timestamp())
    })
}

#[cfg(test)]
mod tests;
