//! Active health checks: a handshake with each address of each endpoint that asks for them, through the very steps of a
//! session's dial, and what is known of addresses, for the control plane.
//!
//! One task per address and way follows its interval; a new snapshot starts and stops them. What a check means is
//! decided in `dial/targets.rs`. It does not know the link.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tidegate_model::{
    endpoint::{Endpoint, Environment},
    id::{ApiId, BootId},
    lifecycle::State,
    port::{Clock, Entropy},
    snapshot::Snapshot,
    target::{LastCheck, TargetFacts},
};
use tidegate_wire::close::{CloseReason, code};
use tokio::{
    io::AsyncReadExt as _,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    dial::{Asker, Backend, DialError, Dialler, Tail, Target, Way},
    drain,
    time::Monotonic,
};

/// Checks at once. Each holds a socket for as long as its timeout; beyond it they are a little late.
const CHECKS_MAX: usize = 64;
/// The first check of a new address is not later than this; a snapshot with a thousand of them spreads them over it.
const FIRST_WITHIN: Duration = Duration::from_secs(1);
/// How much sooner or later than its interval a check comes, in hundredths: gateways that started together must not
/// check together for ever.
const JITTER_PERCENT: u32 = 10;
/// The least time between two words to the control plane: a page that shows it is read by people.
const TELL_PACE: Duration = Duration::from_secs(1);
/// How long a backend may take to answer the Close of a check that it has passed.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// How much of what it still says is read away.
const GOODBYE_BYTES_MAX: u64 = 64 * 1024;

/// What checks work with.
pub(crate) struct Checker {
    pub(crate) boot: BootId,
    pub(crate) dialler: Arc<Dialler>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) monotonic: Monotonic,
    places: Semaphore,
    next: AtomicU64,
}

/// An address that is checked.
type Checked = (String, Way);

/// An address of an endpoint in the snapshot.
struct Row {
    api: ApiId,
    environment: Environment,
    url: String,
    way: Way,
}

/// What is under way.
#[derive(Default)]
struct Checks {
    running: HashMap<Checked, (Arc<Endpoint>, AbortHandle)>,
    tasks: JoinSet<()>,
    rows: Vec<Row>,
}

impl Checker {
    pub(crate) fn new(
        boot: BootId,
        dialler: Arc<Dialler>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        monotonic: Monotonic,
    ) -> Arc<Self> {
        let (places, next) = (Semaphore::new(CHECKS_MAX), AtomicU64::new(1));
        Arc::new(Self { boot, dialler, clock, entropy, monotonic, places, next })
    }

    /// Checks what the newest snapshot names, and tells what has changed, until the gateway drains.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut snapshots: watch::Receiver<Arc<Snapshot>>,
        told: watch::Sender<Vec<TargetFacts>>,
        mut draining: watch::Receiver<bool>,
    ) {
        let mut checks = Checks::default();
        let mut tell_at = Instant::now();
        loop {
            // The pace comes before the wait: what changes within it is one word.
            let something_to_tell = async {
                sleep_until(tell_at).await;
                self.dialler.targets().changed().await;
            };
            tokio::select! {
                () = drain::is_said(&mut draining) => return,
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    self.follow(&mut checks, &snapshot);
                }
                () = something_to_tell => {
                    tell_at = Instant::now() + TELL_PACE;
                    let facts = self.facts(&checks.rows);
                    told.send_if_modified(|before| {
                        let is_new = *before != facts;
                        *before = facts;
                        is_new
                    });
                }
            }
        }
    }

    /// Starts and stops checks, so that those of the snapshot are under way.
    fn follow(self: &Arc<Self>, checks: &mut Checks, snapshot: &Snapshot) {
        let targets = self.dialler.targets();
        let mut apis: Vec<_> = snapshot.apis().filter(|api| api.state != State::Retired).collect();
        // Where two endpoints lead to one address in one way, it is always the same one that is obeyed.
        apis.sort_unstable_by_key(|api| api.id);
        checks.rows.clear();
        let mut wanted = HashMap::<Checked, Arc<Endpoint>>::new();
        for api in apis {
            for environment in [Environment::Production, Environment::Sandbox] {
                let Some(endpoint) = api.endpoints.of(environment) else { continue };
                let way = targets.way(endpoint);
                let row = |url: &str| Row { api: api.id, environment, url: url.to_owned(), way };
                checks.rows.extend(endpoint.targets().map(row));
                if endpoint.health.is_on() {
                    let endpoint = Arc::new(endpoint.clone());
                    for url in endpoint.targets() {
                        wanted.entry((url.to_owned(), way)).or_insert_with(|| Arc::clone(&endpoint));
                    }
                }
            }
        }
        checks.running.retain(|checked, (endpoint, task)| {
            let goes_on = wanted.get(checked).is_some_and(|wanted| wanted == endpoint);
            if !goes_on {
                task.abort();
            }
            if !wanted.contains_key(checked) {
                targets.unchecked(&checked.0, checked.1);
            }
            goes_on
        });
        while let Some(ended) = checks.tasks.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                tracing::error!("a health check panicked; its address is not checked any more");
            }
        }
        for (checked, endpoint) in wanted {
            if let std::collections::hash_map::Entry::Vacant(vacant) = checks.running.entry(checked) {
                let checked = vacant.key().clone();
                let task = checks.tasks.spawn(Arc::clone(self).go_on(checked, Arc::clone(&endpoint)));
                vacant.insert((endpoint, task));
            }
        }
    }

    /// Checks one address for ever.
    async fn go_on(self: Arc<Self>, (url, way): Checked, endpoint: Arc<Endpoint>) {
        let interval = Duration::from_millis(endpoint.health.interval_ms.into());
        sleep(interval.min(FIRST_WITHIN) * self.percent(100) / 100).await;
        loop {
            let Ok(place) = self.places.acquire().await else { return };
            self.check(&url, way, &endpoint).await;
            drop(place);
            sleep(interval * (100 - JITTER_PERCENT + self.percent(2 * JITTER_PERCENT)) / 100).await;
        }
    }

    /// One check. Whatever keeps a session from being opened fails it.
    async fn check(&self, url: &str, way: Way, endpoint: &Endpoint) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let instance = format!("{}-check-{number}", self.boot.0.simple());
        let asker = Asker { request: None, client: None, proto: "http", instance: &instance, passing: None };
        let limit = Duration::from_millis(endpoint.health.timeout_ms.into());
        let tail = Tail::default();
        let dialled = timeout(limit, self.dialler.dial_one(url, endpoint, &asker, &tail)).await;
        let dialled = dialled.unwrap_or(Err(DialError::HandshakeTimeout));
        let check = LastCheck { at: self.clock.now(), ok: dialled.is_ok() };
        let moved = self.dialler.targets().checked(url, way, endpoint.health, check);
        let place = || Target::parse(url).map(|target| target.place()).unwrap_or_default();
        match (moved, &dialled) {
            (Some(_), Ok(_)) => tracing::info!(backend = place(), "an address of a backend is healthy again"),
            (Some(_), Err(error)) => {
                tracing::warn!(backend = place(), %error, "an address of a backend is unhealthy");
            }
            (None, _) => {}
        }
        if let Ok(backend) = dialled {
            // However it ends, the check was passed.
            let _ = timeout(GOODBYE_WITHIN, self.say_goodbye(backend)).await;
        }
    }

    /// A Close 1000, and the backend's own is awaited.
    async fn say_goodbye(&self, backend: Backend) {
        let Backend { mut stream, .. } = backend;
        let mut key = [0; 4];
        self.entropy.fill(&mut key);
        let close = CloseReason::ours(code::NORMAL, "").to_frame(Some(key));
        if stream.write_all_flushed(close.as_bytes()).await.is_ok() {
            let mut rest = tokio::io::sink();
            let _ = tokio::io::copy(&mut stream.take(GOODBYE_BYTES_MAX), &mut rest).await;
        }
    }

    /// From 0 to `most`.
    fn percent(&self, most: u32) -> u32 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u32::try_from(u64::from_be_bytes(bytes) % u64::from(most + 1)).unwrap_or(most)
    }

    fn facts(&self, rows: &[Row]) -> Vec<TargetFacts> {
        let now = self.monotonic.now();
        let known = rows.iter().filter_map(|row| {
            let known = self.dialler.targets().known(&row.url, row.way, now)?;
            Some(TargetFacts {
                api: row.api,
                environment: row.environment,
                url: row.url.clone(),
                state: known.state,
                failures: known.failures,
                open: known.open,
                last_check: known.last_check,
            })
        });
        known.collect()
    }
}
