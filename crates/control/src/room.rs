//! Room in what is remembered of strangers: when it is full, what is over goes, and where that is not enough, the older half.
//!
//! It knows no clock and not what is remembered.

use std::{collections::HashMap, hash::Hash};

use tidegate_model::time::Timestamp;

/// Makes room where there are `most` entries, by the time that each is told by: what was over before `now`, or the half whose
/// times are the earliest.
pub(crate) fn make<K: Eq + Hash, V>(
    entries: &mut HashMap<K, V>,
    most: usize,
    now: Timestamp,
    over_at: impl Fn(&V) -> Timestamp,
    told_by: impl Fn(&V) -> Timestamp,
) {
    if entries.len() < most {
        return;
    }
    entries.retain(|_, entry| over_at(entry) > now);
    if entries.len() >= most {
        let mut times: Vec<_> = entries.values().map(&told_by).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        entries.retain(|_, entry| told_by(entry) > middle);
    }
}
