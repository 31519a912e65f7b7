//! Fresh credentials for sessions that are open: whose they are is looked for among the worker's sessions, some in each
//! turn, as a review does.
//!
//! What a credential is worth for a session is `tidegate_model::renew`'s to say; it knows no HTTP and no token. A session
//! that has begun to end is not there any more.

use tidegate_model::{
    admit::Unwelcome,
    id::SessionId,
    renew::{Fresh, NotRenewed},
    time::Timestamp,
};
use tokio::sync::oneshot;

use super::Worker;

/// Sessions that are looked at in one turn: a look costs a tenth of a microsecond.
const LOOKS_PER_TURN: usize = 2_048;

/// A fresh credential for some of the worker's sessions.
pub(crate) struct Renewal {
    pub(crate) fresh: Fresh,
    /// For the session with this number alone; `None`: for all that are whose it is.
    pub(crate) only: Option<u64>,
    pub(crate) answer: oneshot::Sender<Renewed>,
}

/// What came of it on one worker.
#[derive(Debug, Default)]
pub(crate) struct Renewed {
    /// Those that go on by it, and until when.
    pub(crate) sessions: Vec<(SessionId, Timestamp)>,
    /// Why one of them does not.
    pub(crate) refused: Option<NotRenewed>,
}

/// How far a renewal has come.
pub(super) struct Walk {
    renewal: Renewal,
    next: usize,
    /// Places that there were when it came.
    places: usize,
    found: Renewed,
}

impl Worker {
    /// Begins to look whose sessions a fresh credential is for.
    pub(super) fn begin_renewal(&mut self, renewal: Renewal) {
        let places = self.sessions.all().end;
        self.renewals.push_back(Walk { renewal, next: 0, places, found: Renewed::default() });
    }

    /// Goes on with the eldest that is under way.
    pub(super) fn renew_some(&mut self) {
        let Some(mut walk) = self.renewals.pop_front() else { return };
        for _ in 0..LOOKS_PER_TURN {
            let place = walk.next;
            if place >= walk.places {
                break;
            }
            walk.next += 1;
            match self.renew(place, &walk.renewal) {
                None => continue,
                Some(Ok(renewed)) => walk.found.sessions.push(renewed),
                Some(Err(refused)) => walk.found.refused = Some(refused),
            }
            if walk.renewal.only.is_some() {
                walk.next = walk.places;
            }
        }
        if walk.next < walk.places {
            return self.renewals.push_front(walk);
        }
        // Whoever asked may be gone; the sessions go on all the same.
        let _ = walk.renewal.answer.send(walk.found);
    }

    /// `None`: the session is not one that the credential is for.
    fn renew(
        &mut self,
        place: usize,
        renewal: &Renewal,
    ) -> Option<Result<(SessionId, Timestamp), NotRenewed>> {
        let session = self.sessions.get(place)?;
        let (id, held, fresh) = (session.record.id, &session.record.grant, &renewal.fresh);
        let is_meant = renewal.only.is_none_or(|number| number == id.number) && fresh.owns(held);
        if !is_meant || session.relay().is_ending() {
            return None;
        }
        if self.commons.revoked.hit(&fresh.revocable()) {
            return Some(Err(NotRenewed::Unwelcome(Unwelcome::Revoked)));
        }
        Some(fresh.renew(&self.snapshot, held, self.wall).map(|grant| {
            let expires_at = grant.expires_at;
            self.allow(place, grant);
            self.timers.expire(expires_at, place, id.number);
            (id, expires_at)
        }))
    }
}
