//! Phase seven: what was counted, on its way to the store.
//!
//! Workers and refused handshakes add to one report; the link task takes it away as numbered batches and keeps each
//! until it is told that the batch is on disk. So nothing is counted twice, and a control plane that is away delays
//! counts but loses none: counts add up by minute, and only the records of single sessions are bounded. It does not
//! know sockets. Read next: `link.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{
    fact::{Batch, CountKey, Counts, OpenSessions, SessionClosed},
    id::{ApiId, ApplicationId, BootId},
    time::Timestamp,
    usage::Usage,
};
use tokio::sync::Notify;

use crate::{admit::NotAdmitted, relay::Ledger};

/// Records of ended sessions that wait for a control plane that is away: some 300 bytes each, so 30 MiB. Their counts
/// are kept beyond it.
const CLOSED_MAX: usize = 100_000;
/// Records of ended sessions in one batch: one transaction of the store, well under a second.
const CLOSED_PER_BATCH: usize = 2_000;

/// What waits to be sent.
#[derive(Debug, Default)]
struct Waiting {
    counts: HashMap<CountKey, Counts>,
    closed: Vec<SessionClosed>,
    /// Sessions open now.
    open: HashMap<(ApiId, ApplicationId), i64>,
    has_open_changed: bool,
    /// Records that found no room.
    lost: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reporter {
    boot: BootId,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

impl Reporter {
    pub(crate) fn new(boot: BootId) -> Self {
        Self { boot, waiting: Mutex::default(), changed: Notify::new() }
    }

    /// Adds what a worker has counted.
    pub(crate) fn add(&self, ledger: Ledger) {
        let mut waiting = self.waiting();
        for (key, counts) in ledger.counts {
            waiting.counts.entry(key).or_default().add(&counts);
        }
        let room = CLOSED_MAX - waiting.closed.len();
        waiting.lost += ledger.closed.len().saturating_sub(room) as u64;
        waiting.closed.extend(ledger.closed.into_iter().take(room));
        waiting.has_open_changed |= !ledger.opened.is_empty();
        for (of, change) in ledger.opened {
            *waiting.open.entry(of).or_default() += change;
        }
        waiting.open.retain(|_, open| *open != 0);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Counts a handshake that was refused, where it is known whose it was.
    pub(crate) fn refused(&self, refused: &NotAdmitted, now: Timestamp) {
        let Some(api) = refused.api else { return };
        let key = CountKey {
            minute: now.minute(),
            api,
            application: refused.application,
            plan: refused.plan.clone(),
        };
        let one = Counts { refusals: 1, ..Counts::default() };
        self.waiting().counts.entry(key).or_default().add(&one);
        self.changed.notify_one();
    }

    /// Waits until something was added since the last wait. Dropping the future loses nothing.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes the next batch, if there is anything to tell, with what was used of budgets.
    pub(crate) fn batch(&self, number: u64, usage: Vec<Usage>) -> Option<Arc<Batch>> {
        let mut waiting = self.waiting();
        if waiting.counts.is_empty() && waiting.closed.is_empty() && usage.is_empty() {
            return None;
        }
        if waiting.lost > 0 {
            tracing::error!(
                sessions = waiting.lost,
                "records of ended sessions found no room; their counts are kept"
            );
            waiting.lost = 0;
        }
        let counts = std::mem::take(&mut waiting.counts).into_iter().collect();
        let some = waiting.closed.len().min(CLOSED_PER_BATCH);
        let sessions = waiting.closed.drain(..some).collect();
        Some(Arc::new(Batch { boot: self.boot, number, counts, sessions, usage }))
    }

    /// The sessions open now, if that has changed since it was asked last.
    pub(crate) fn presence(&self) -> Option<Vec<OpenSessions>> {
        let mut waiting = self.waiting();
        if !std::mem::take(&mut waiting.has_open_changed) {
            return None;
        }
        let open = |(&(api, application), &open): (&(ApiId, ApplicationId), &i64)| OpenSessions {
            api,
            application,
            open: u32::try_from(open).unwrap_or(0),
        };
        Some(waiting.open.iter().map(open).collect())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A std mutex: held for a few additions, twice a second by each worker, never across an await.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
