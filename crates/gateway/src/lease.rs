//! Budgets that other gateways use, too: carries this gateway's words to the truth, and the answers back.
//!
//! A task of its own, which nobody waits for but a refusal: sessions use what was granted, and say when it runs low. What is
//! said and when is `tidegate_model::lease`; what keeps the truth, it does not know.

use std::{pin::Pin, sync::Arc, time::Duration};

use async_channel::Receiver;
use tidegate_model::{
    id::BootId,
    lease::{Asker, Company, Fleet, Heard, Told, WhenAlone},
    port::{Clock, PortError, SharedBudgets},
    sharing::{Sharing, Together},
    throttle::{Budget, Moment},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{Inner, drain, relay::Budgets, time::Monotonic};

/// How long an answer is awaited before the gateway is alone. Who needs one of it waits less: `lease::AWAIT_MICROS`.
const ANSWER_WITHIN: Duration = Duration::from_millis(250);
/// How long the last words may take, in which what was not used is given back: it is lost to the others otherwise until
/// the window ends.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// By what a gateway has budgets in common with others.
pub(crate) struct Common {
    shared: Arc<dyn SharedBudgets>,
    pub(crate) fleet: Arc<Fleet>,
    needy: Receiver<Arc<Budget>>,
}

impl Common {
    /// Nothing was heard yet.
    pub(crate) fn new(shared: Arc<dyn SharedBudgets>, when_alone: WhenAlone) -> Self {
        let (fleet, needy) = Fleet::new(when_alone);
        Self { shared, fleet, needy }
    }
}

/// With whom budgets are shared, and who needs more.
pub(crate) struct Sharer {
    boot: BootId,
    shared: Arc<dyn SharedBudgets>,
    fleet: Arc<Fleet>,
    needy: Receiver<Arc<Budget>>,
    budgets: Arc<Budgets>,
    clock: Arc<dyn Clock>,
    monotonic: Monotonic,
    /// For people to be shown.
    told: watch::Sender<Option<Sharing>>,
    /// When that was, on the clock that only goes forward.
    told_at: u64,
}

/// A word that is not answered yet.
type Underway = Pin<Box<dyn Future<Output = (Told, Result<Heard, PortError>)> + Send>>;

/// Microseconds between two times that people are told of nothing but how long an answer took.
const TOLD_EACH: u64 = 1_000_000;

impl Sharer {
    /// For this gateway.
    pub(crate) fn of(
        inner: &Inner,
        common: Common,
        monotonic: Monotonic,
        told: watch::Sender<Option<Sharing>>,
    ) -> Self {
        let Common { shared, fleet, needy } = common;
        let (budgets, clock) = (Arc::clone(&inner.budgets), Arc::clone(&inner.clock));
        Self { boot: inner.boot, shared, fleet, needy, budgets, clock, monotonic, told, told_at: 0 }
    }

    /// Talks until `ended` says that no session uses a budget any more, then gives back what was not used.
    pub(crate) async fn run(mut self, mut ended: watch::Receiver<bool>) {
        let mut asker = Asker::new(self.boot, Arc::clone(&self.fleet));
        let (mut underway, mut asked_at) = (None::<Underway>, 0);
        loop {
            let now = self.now();
            while let Ok(budget) = self.needy.try_recv() {
                asker.need(&budget, now);
            }
            if underway.is_none() {
                (underway, asked_at) = (asker.say(now).map(|told| self.tell(told)), now.micros);
            }
            let due_in = Duration::from_micros(asker.due_at().saturating_sub(now.micros));
            // Dropping any but the first loses nothing: a budget that is taken out of the channel is looked at in full.
            tokio::select! {
                (told, heard) = answer(&mut underway) => {
                    underway = None;
                    tracing::trace!(?told, ?heard, "told the other gateways");
                    let all = || self.budgets.shared();
                    let now = self.now();
                    asker.hear(&told, heard.as_ref().ok(), now, all);
                    self.report(asker.company(), &heard.map(|_| now.micros - asked_at), now);
                }
                Ok(budget) = self.needy.recv() => asker.need(&budget, self.now()),
                () = sleep(due_in), if underway.is_none() => {}
                () = drain::is_said(&mut ended) => break,
            }
        }
        if !asker.company().is_together {
            return;
        }
        let goodbye = async {
            for told in asker.say_goodbye(self.now()) {
                if let Err(error) = self.shared.tell(&told).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "slices were not given back");
                }
            }
        };
        if timeout(GOODBYE_WITHIN, goodbye).await.is_err() {
            tracing::debug!("slices were not given back in time");
        }
    }

    fn now(&self) -> Moment {
        Moment { wall: self.clock.now(), micros: self.monotonic.now().get() }
    }

    fn tell(&self, told: Told) -> Underway {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let heard = timeout(ANSWER_WITHIN, shared.tell(&told)).await;
            let late = |late| Err(PortError::unavailable("the answer does not come in time", late));
            (told, heard.unwrap_or_else(late))
        })
    }

    /// Says so once where something changed, and now and then how long an answer took.
    fn report(&mut self, company: Company, answered_in: &Result<u64, PortError>, now: Moment) {
        let before = *self.told.borrow();
        let together = Together::from(company);
        let is_new = before.is_none_or(|before| before.together != together);
        let round_trip = answered_in.as_ref().ok().map(|micros| u32::try_from(*micros).unwrap_or(u32::MAX));
        let sharing = Sharing {
            together,
            since: before.filter(|_| !is_new).map_or(now.wall, |before| before.since),
            gateways: company.gateways,
            when_alone: self.fleet.when_alone(),
            round_trip_micros: round_trip.or(before.and_then(|before| before.round_trip_micros)),
            unanswered: before.map_or(0, |before| before.unanswered) + u64::from(answered_in.is_err()),
        };
        let is_due = is_new || now.micros.saturating_sub(self.told_at) >= TOLD_EACH;
        self.told.send_if_modified(|told| {
            *told = Some(sharing);
            is_due
        });
        if is_due {
            self.told_at = now.micros;
        }
        if is_new {
            self.log(sharing, answered_in.as_ref().err());
        }
    }

    fn log(&self, sharing: Sharing, error: Option<&PortError>) {
        let gateways = sharing.gateways;
        match sharing.together {
            Together::Together => tracing::info!(gateways, "budgets are shared with other gateways"),
            Together::Settling => tracing::info!(
                gateways,
                "gateways tell each other what they hold of budgets; until then each goes on by itself"
            ),
            Together::Alone => {
                let error = error.map(|error| error as &dyn std::error::Error);
                tracing::warn!(
                    error,
                    gateways,
                    when_alone = self.fleet.when_alone().as_str(),
                    "budgets are not shared with other gateways"
                );
            }
        }
    }
}

async fn answer(underway: &mut Option<Underway>) -> (Told, Result<Heard, PortError>) {
    match underway {
        Some(underway) => underway.await,
        None => std::future::pending().await,
    }
}
