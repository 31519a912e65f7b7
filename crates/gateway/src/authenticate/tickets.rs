//! Tickets, asked about over the link: whoever keeps them says which of many that present the same one was first.
//!
//! This is the one question of admission that leaves the gateway, so it has a deadline, and a bound on how many wait for
//! an answer. It does not know what a ticket opens.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tidegate_model::{
    link::{GatewayLink, Up},
    ticket::{Answer, Ask},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

/// How long an answer may take: a commit and a round trip take milliseconds, and whoever waits longer than two seconds
/// is better told to come again.
const DEADLINE: Duration = Duration::from_secs(2);
/// Questions under way at a time, as many as one commit answers together; others wait for their turn within the same
/// deadline. A link takes twice as many messages, so that questions and answers never stand in each other's way.
const UNDERWAY_MAX: usize = 128;

/// See the module.
pub(crate) struct Tickets {
    link: Arc<dyn GatewayLink>,
    next: AtomicU64,
    turns: Arc<Semaphore>,
    underway: Mutex<HashMap<u64, Underway>>,
}

/// A question that was sent, and whoever waits for its answer: perhaps nobody any more.
struct Underway {
    answer: oneshot::Sender<Answer>,
    /// Given back when the answer has come, however late that is.
    _turn: OwnedSemaphorePermit,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

/// A question that is not sent yet: nobody will answer it when it is dropped as such.
struct Unsent<'t> {
    tickets: &'t Tickets,
    number: u64,
    is_sent: bool,
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if !self.is_sent {
            self.tickets.underway().remove(&self.number);
        }
    }
}

impl Tickets {
    pub(crate) fn new(link: Arc<dyn GatewayLink>) -> Self {
        Self {
            link,
            next: AtomicU64::new(1),
            turns: Arc::new(Semaphore::new(UNDERWAY_MAX)),
            underway: Mutex::default(),
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        timeout(DEADLINE, self.in_turn(ask)).await.ok().flatten().unwrap_or(Answer::Unavailable)
    }

    async fn in_turn(&self, ask: Ask) -> Option<Answer> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.underway().insert(number, Underway { answer, _turn: turn });
        let mut question = Unsent { tickets: self, number, is_sent: false };
        self.link.send(Up::Ask { number, ask }).await.ok()?;
        question.is_sent = true;
        answered.await.ok()
    }

    /// An answer came. One that nobody waits for any more is dropped.
    pub(crate) fn answered(&self, number: u64, answer: Answer) {
        if let Some(underway) = self.underway().remove(&number) {
            // Whoever asked may have given up.
            let _ = underway.answer.send(answer);
        }
    }

    fn underway(&self) -> MutexGuard<'_, HashMap<u64, Underway>> {
        // A std mutex: held for a look-up, never across an await.
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
