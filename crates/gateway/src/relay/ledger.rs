//! What one worker has counted since it reported last.
//!
//! Plain values of one thread; once a second, and at the turn of each minute, they are added to the gateway's
//! report. It does not know how a report travels: that is `report.rs`.

use std::{collections::HashMap, sync::Arc};

use tidegate_model::{
    fact::{CountKey, Counts, SessionClosed},
    id::{ApiId, ApplicationId},
    time::Timestamp,
    usage::Tally,
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Counts of the minutes they name.
    pub(crate) counts: HashMap<CountKey, Counts>,
    /// Sessions that ended.
    pub(crate) closed: Vec<SessionClosed>,
    /// Budgets of which there may be something to tell.
    pub(super) used: Vec<Arc<Tally>>,
    /// By how much the number of open sessions changed.
    pub(crate) opened: HashMap<(ApiId, ApplicationId), i64>,
    /// The minute that is counted in.
    pub(super) minute: Timestamp,
    /// Sessions with counts that are not in `counts`.
    pub(super) dirty: Vec<usize>,
}

impl Ledger {
    pub(super) fn add(&mut self, (key, counts): (CountKey, Counts)) {
        self.counts.entry(key).or_default().add(&counts);
    }

    pub(super) fn opened(&mut self, api: ApiId, application: ApplicationId, change: i64) {
        *self.opened.entry((api, application)).or_default() += change;
    }

    /// Whether there is nothing to report.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.closed.is_empty() && self.opened.is_empty() && self.dirty.is_empty()
    }

    /// Takes everything that was counted; the minute goes on.
    pub(super) fn take(&mut self) -> Self {
        let minute = self.minute;
        std::mem::replace(self, Self { minute, ..Self::default() })
    }
}
