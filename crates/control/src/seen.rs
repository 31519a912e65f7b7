//! When portal sessions and personal access tokens were used last, remembered until it is written: a write for every
//! call would cost more than the call.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{
    command::Command,
    time::Timestamp,
    user::{Actor, Presented},
};

use crate::{problem::Problem, state::Inner};

/// Sessions and tokens that are remembered between two writes; when so many are used, those beyond are seen later.
const SEEN_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<Presented, Timestamp>>);

impl Seen {
    fn times(&self) -> MutexGuard<'_, HashMap<Presented, Timestamp>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was used now.
    pub(crate) fn mark(&self, presented: Presented, now: Timestamp) {
        let mut times = self.times();
        if times.len() < SEEN_MAX || times.contains_key(&presented) {
            times.insert(presented, now);
        }
    }
}

impl Inner {
    /// Writes what was used since the last time. What cannot be written is only seen later.
    pub(crate) async fn write_seen(&self) -> Result<(), Problem> {
        let seen: Vec<_> = self.seen.times().drain().collect();
        if seen.is_empty() {
            return Ok(());
        }
        self.execute(&Actor::product(), Command::KeepSeen(seen)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_model::user::Secret;

    use super::*;

    #[test]
    fn memory_is_bounded_and_the_last_time_counts() {
        let seen = Seen::default();
        let session = |number: usize| Presented::Session(Secret(number.to_string()));
        for number in 0..SEEN_MAX + 10 {
            seen.mark(session(number), Timestamp(1));
        }
        seen.mark(session(0), Timestamp(2));
        let times = seen.times();
        assert_eq!((times.len(), times[&session(0)]), (SEEN_MAX, Timestamp(2)));
    }
}
