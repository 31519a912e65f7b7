//! The truth as plain arithmetic: what the script in Redis does, for simulation and to hold the script against.

use std::collections::{BTreeMap, HashMap};

use super::{Answer, Ask, Heard, PRESENT_MILLIS, REMEMBERED_MILLIS, SETTLE_MILLIS, Terms, Told};
use crate::id::BootId;

/// Nanoseconds of a microsecond.
const NANOS: u64 = 1_000;

/// What all gateways have told.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The number of each gateway's last word, and the millisecond of it.
    gateways: BTreeMap<BootId, (u64, u64)>,
    /// The millisecond since which gateways tell what they hold.
    settles_since: Option<u64>,
    budgets: HashMap<(String, u64), Kept>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    /// By gateway.
    held: BTreeMap<BootId, Held>,
    /// Of what slides: nanoseconds that were owed, and the microsecond of that.
    owed: u64,
    at: u64,
}

/// What a gateway holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    granted: u64,
    used: u64,
    /// It wished for more, and got nothing.
    is_short: bool,
}

impl Ledger {
    /// Takes a gateway's word at this microsecond.
    pub fn hear(&mut self, told: &Told, now_micros: u64) -> Heard {
        let now = now_micros / 1_000;
        let known = self.gateways.get(&told.boot).map_or(0, |(number, _)| *number);
        let gateways = |ledger: &Self| {
            let there =
                ledger.gateways.values().filter(|(_, seen)| now.saturating_sub(*seen) < PRESENT_MILLIS);
            u32::try_from(there.count()).unwrap_or(u32::MAX)
        };
        if known >= told.number {
            let gateways = gateways(self);
            return Heard {
                gateways,
                is_stale: true,
                has_lost: false,
                is_settling: false,
                answers: Vec::new(),
            };
        }
        let has_lost = known < told.answered;
        let settles = |since: u64| now >= since && now - since < SETTLE_MILLIS;
        let since = match self.settles_since {
            Some(since) if !has_lost || settles(since) => since,
            _ => now,
        };
        self.settles_since = Some(since);
        let is_settling = settles(since);
        if told.is_last {
            self.gateways.remove(&told.boot);
        } else {
            self.gateways.insert(told.boot, (told.number, now));
        }
        self.gateways.retain(|_, (_, seen)| now.saturating_sub(*seen) < REMEMBERED_MILLIS);
        let answers =
            told.asks.iter().map(|ask| self.answer(told.boot, ask, is_settling, now_micros)).collect();
        Heard { gateways: gateways(self), is_stale: false, has_lost, is_settling, answers }
    }

    fn answer(&mut self, boot: BootId, ask: &Ask, is_settling: bool, now: u64) -> Answer {
        let kept = self.budgets.entry((ask.name.to_string(), ask.window)).or_default();
        let before = kept.held.get(&boot).map(|held| held.granted);
        let others = || kept.held.iter().filter(|(other, _)| **other != boot).map(|(_, held)| held);
        let (granted_to_others, used_by_others) =
            others().fold((0, 0), |(granted, used), held| (granted + held.granted, used + held.used));
        let sharers = 1 + others().count() as u64;
        let (unused, is_wanted) = (granted_to_others - used_by_others, others().any(|held| held.is_short));
        let pool = match ask.terms {
            Terms::Calendar { amount, .. } => amount.saturating_sub(granted_to_others + ask.hold),
            Terms::Sliding { one_nanos, owed_max_nanos, owed, is_fresh } => {
                let passed = now.saturating_sub(kept.at).saturating_mul(NANOS);
                kept.owed = kept.owed.saturating_sub(passed);
                kept.at = now;
                kept.owed = match before {
                    Some(before) if !is_fresh && ask.hold < before => {
                        kept.owed.saturating_sub((before - ask.hold) * one_nanos)
                    }
                    Some(before) if !is_fresh => kept.owed + (ask.hold - before) * one_nanos,
                    _ => kept.owed + (ask.hold.saturating_sub(ask.used) + owed) * one_nanos,
                };
                owed_max_nanos.saturating_sub(kept.owed) / one_nanos
            }
        };
        let slice = (pool / (2 * sharers)).max(1).min(pool).min(ask.wish - ask.hold);
        let slice = if is_settling { 0 } else { slice };
        let (granted, left) = (ask.hold + slice, pool - slice);
        let mut wait_millis = 0;
        if let Terms::Sliding { one_nanos, owed_max_nanos, .. } = ask.terms {
            kept.owed += slice * one_nanos;
            if left == 0 {
                wait_millis = (kept.owed + one_nanos).saturating_sub(owed_max_nanos).div_ceil(1_000_000);
            }
        }
        let is_sliding = matches!(ask.terms, Terms::Sliding { .. });
        if granted == 0 && ask.wish == 0 && !is_sliding {
            kept.held.remove(&boot);
        } else {
            let is_short = slice == 0 && ask.wish > ask.hold;
            kept.held.insert(boot, Held { granted, used: ask.used.min(granted), is_short });
        }
        Answer { granted, left, unused, is_wanted, wait_millis }
    }

    /// Units that gateways hold of a budget in a window.
    pub fn held(&self, name: &str, window: u64) -> u64 {
        let kept = self.budgets.get(&(name.to_owned(), window));
        kept.map_or(0, |kept| kept.held.values().map(|held| held.granted).sum())
    }
}
