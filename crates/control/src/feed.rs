//! The feed: snapshots and revocations down to every gateway, batches of facts, presence and the health of backends up, over each gateway's link.
//!
//! A change that gateways can notice is answered only when they have applied it (or a bound has passed), so that a
//! 2xx means "live". It knows no gateway, only links.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{keeper::Keeper, outbox::Telling};
use tidegate_model::{
    alert::{self, Watch},
    deny::Denied,
    endpoint::Endpoints,
    fact::{Appended, Batch, OpenSessions, TrafficOf},
    id::{ApiId, BootId},
    link::{ControlLink, Down, LinkClosed, PROTOCOL_VERSION, Up},
    port::{Catalog, Clock, EventLog, PortError},
    revocation::{Revocable, Revocation, Revocations},
    sharing::Sharing,
    snapshot::{BackendTokenFacts, Snapshot, SnapshotParts},
    target::TargetFacts,
    ticket::Answer,
    time::Timestamp,
    usage::UsageOf,
};
use tidegate_oauth::mark;
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    task::JoinSet,
};

use crate::{issuer::Issuer, tickets};

mod opaque;

/// How long a change waits for gateways to apply it. They do it in milliseconds; one that does not must not hold up
/// the people who work on the control plane.
const APPLY_WAIT: Duration = Duration::from_secs(1);

/// Questions of one gateway that are answered at a time. A gateway has half as many under way; one that asks for more is
/// told that nobody can say.
const ASKS_MAX: usize = 256;

/// Revocations in one message: some tens of kilobytes, however many there are when a gateway connects.
const REVOCATIONS_PER_MESSAGE: usize = 1_024;

/// Budgets in one message: some hundred kilobytes.
const USAGE_PER_MESSAGE: usize = 512;

/// After how long what was used is read again, when it could not be.
const USAGE_AGAIN: Duration = Duration::from_secs(1);

/// By which tokens the people are known that deny rules name.
fn name_people(parts: &mut SnapshotParts) {
    for rule in &mut parts.deny_rules {
        if let Denied::User(id) = rule.denied {
            rule.subject = Some(mark::subject(&parts.issuer.issuer, &id.to_string()).into());
        }
    }
}

#[derive(Debug, Default)]
struct Gateway {
    boot: Option<BootId>,
    applied: u64,
    /// The number up to which it holds to what was revoked.
    revoked: u64,
    /// The number up to which it knows opaque tokens.
    tokens: u64,
    open: Vec<OpenSessions>,
    targets: Vec<TargetFacts>,
    /// When it told of them.
    targets_at: Timestamp,
    /// How it shares budgets, where it does.
    sharing: Option<Sharing>,
    connected_at: Timestamp,
}

/// A gateway as people are shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) boot: BootId,
    pub(crate) connected_at: Timestamp,
    pub(crate) is_ready: bool,
    pub(crate) sessions_open: u64,
    pub(crate) sharing: Option<Sharing>,
}

/// What a gateway told of an address, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) facts: TargetFacts,
    pub(crate) at: Timestamp,
}

pub(crate) struct Feed {
    catalog: Arc<dyn Catalog>,
    events: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    issuer: Arc<Issuer>,
    backend_tokens: Option<BackendTokenFacts>,
    /// Told of keys of other issuers that gateways wish for.
    keeper: Arc<Keeper>,
    /// Told that there may be new alerts.
    telling: Arc<Telling>,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// What gateways are told was revoked, and the number of the newest of it.
    revocations: Mutex<Revocations>,
    newest_revocation: watch::Sender<u64>,
    /// One reading of them at a time; it does not wait for a snapshot.
    reading_revocations: AsyncMutex<()>,
    tokens: opaque::Tokens,
    /// One reading of the catalog at a time; whoever waits finds the newer snapshot already there.
    refreshing: AsyncMutex<()>,
    gateways: Mutex<HashMap<u64, Gateway>>,
    applied: watch::Sender<u64>,
    next: AtomicU64,
}

impl Feed {
    pub(crate) fn new(
        catalog: Arc<dyn Catalog>,
        events: Arc<dyn EventLog>,
        clock: Arc<dyn Clock>,
        issuer: Arc<Issuer>,
        backend_tokens: Option<BackendTokenFacts>,
        keeper: Arc<Keeper>,
        telling: Arc<Telling>,
    ) -> Self {
        Self {
            catalog,
            events,
            clock,
            issuer,
            backend_tokens,
            keeper,
            telling,
            snapshot: watch::Sender::new(Arc::default()),
            revocations: Mutex::default(),
            newest_revocation: watch::Sender::new(0),
            reading_revocations: AsyncMutex::new(()),
            tokens: opaque::Tokens::default(),
            refreshing: AsyncMutex::new(()),
            gateways: Mutex::default(),
            applied: watch::Sender::new(0),
            next: AtomicU64::new(1),
        }
    }

    fn gateways(&self) -> MutexGuard<'_, HashMap<u64, Gateway>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.gateways.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Reads the catalog and sends what is new. Answers the number that is out now.
    pub(crate) async fn refresh(&self) -> Result<u64, PortError> {
        let _one = self.refreshing.lock().await;
        let mut parts = self.catalog.snapshot_parts().await?;
        let number = parts.number;
        if number > self.snapshot.borrow().number() {
            // Read after the number: keys may be newer than it, never older.
            let keys = self.catalog.signing_keys().await?;
            self.issuer
                .know(keys)
                .map_err(|error| PortError::corrupt("a signing key cannot be used", error))?;
            parts.issuer = self.issuer.facts();
            parts.backend_tokens.clone_from(&self.backend_tokens);
            name_people(&mut parts);
            let snapshot = Snapshot::after(parts, &self.snapshot.borrow());
            self.snapshot.send_replace(Arc::new(snapshot));
        }
        Ok(number)
    }

    /// A change is on disk: sends it, and waits until every connected gateway decides with it.
    pub(crate) async fn changed(&self) {
        let number = match self.refresh().await {
            Ok(number) => number,
            Err(error) => {
                // The change itself is safe; the next refresh carries it.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a change could not be sent to gateways"
                );
                return;
            }
        };
        if !self.everywhere(|gateway| gateway.applied >= number).await {
            tracing::warn!(number, "a gateway has not applied a change within its time");
        }
    }

    /// Waits until every connected gateway has done so; answers whether all did within their time.
    async fn everywhere(&self, is_done: impl Fn(&Gateway) -> bool) -> bool {
        let mut applied = self.applied.subscribe();
        let everywhere = async {
            while !self.gateways().values().all(&is_done) {
                if applied.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(APPLY_WAIT, everywhere).await.is_ok()
    }

    /// Reads what was revoked since the last time, for gateways to be told. Answers the number of the newest.
    pub(crate) async fn read_revocations(&self) -> Result<u64, PortError> {
        let _one = self.reading_revocations.lock().await;
        let (known, now) = (self.revocations().number(), self.clock.now());
        let new = self.catalog.revocations(known, now).await?;
        let number = {
            let mut all = self.revocations();
            all.extend(new);
            all.tidy(now);
            all.number()
        };
        self.newest_revocation.send_if_modified(|newest| std::mem::replace(newest, number) != number);
        Ok(number)
    }

    /// Something was revoked and that is on disk: tells, and waits until no connected gateway lets it live.
    pub(crate) async fn revoked(&self) {
        let number = match self.read_revocations().await {
            Ok(number) => number,
            Err(error) => {
                // What was revoked is safe; the next reading carries it.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a revocation could not be sent to gateways"
                );
                return;
            }
        };
        if !self.everywhere(|gateway| gateway.revoked >= number).await {
            tracing::warn!(number, "a gateway has not obeyed a revocation within its time");
        }
    }

    /// Whether a credential was revoked, as gateways are told.
    pub(crate) fn is_revoked(&self, credential: &Revocable<'_>) -> bool {
        self.revocations().hit(credential)
    }

    fn revocations(&self) -> MutexGuard<'_, Revocations> {
        // As above: never held across an await.
        self.revocations.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What a gateway that was told up to `told` is to be told, in messages of a bounded size.
    fn news(&self, told: u64) -> Vec<Arc<[Revocation]>> {
        let new: Vec<_> = self.revocations().since(told).cloned().collect();
        new.chunks(REVOCATIONS_PER_MESSAGE).map(Arc::from).collect()
    }

    /// How many gateways are connected and decide with a snapshot.
    pub(crate) fn ready_gateways(&self) -> usize {
        self.gateways().values().filter(|gateway| gateway.applied > 0).count()
    }

    /// Those that are connected and have said who they are, the first first.
    pub(crate) fn connected(&self) -> Vec<Listed> {
        let gateways = self.gateways();
        let connected = gateways.values().filter_map(|gateway| {
            Some(Listed {
                boot: gateway.boot?,
                connected_at: gateway.connected_at,
                is_ready: gateway.applied > 0,
                sessions_open: gateway.open.iter().map(|open| u64::from(open.open)).sum(),
                sharing: gateway.sharing,
            })
        });
        let mut connected: Vec<_> = connected.collect();
        connected.sort_by_key(|gateway| (gateway.connected_at, gateway.boot));
        connected
    }

    /// Sessions open now, of an API or an application, over all gateways.
    pub(crate) fn open_sessions(&self, of: TrafficOf) -> u64 {
        let counts = |open: &&OpenSessions| match of {
            TrafficOf::Api(api) => open.api == api,
            TrafficOf::Application(application) => open.application == application,
        };
        let gateways = self.gateways();
        gateways
            .values()
            .flat_map(|gateway| &gateway.open)
            .filter(counts)
            .map(|open| u64::from(open.open))
            .sum()
    }

    /// Sessions open now of every API that has any.
    pub(crate) fn open_by_api(&self) -> HashMap<ApiId, u64> {
        let mut counts = HashMap::new();
        for open in self.gateways().values().flat_map(|gateway| &gateway.open) {
            *counts.entry(open.api).or_default() += u64::from(open.open);
        }
        counts
    }

    /// What every gateway told of the addresses of an API's endpoints.
    pub(crate) fn targets(&self, api: ApiId) -> Vec<Told> {
        let gateways = self.gateways();
        let told = gateways.values().flat_map(|gateway| {
            let of_api = gateway.targets.iter().filter(|facts| facts.api == api);
            of_api.map(|facts| Told { facts: facts.clone(), at: gateway.targets_at })
        });
        told.collect()
    }

    /// What gateways are told to decide with.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// The endpoints of an API that gateways serve now.
    pub(crate) fn live_endpoints(&self, api: ApiId) -> Endpoints {
        self.snapshot.borrow().api(api).map(|api| api.endpoints.clone()).unwrap_or_default()
    }

    /// Talks to one gateway until its link ends.
    pub(crate) async fn run(&self, link: Arc<dyn ControlLink>) {
        let name = self.next.fetch_add(1, Ordering::Relaxed);
        let gateway = Gateway { connected_at: self.clock.now(), ..Gateway::default() };
        self.gateways().insert(name, gateway);
        let outcome = self.talk(name, &*link).await;
        self.gateways().remove(&name);
        self.applied.send_modify(|changes| *changes += 1);
        tracing::info!(?outcome, "a gateway's link has ended");
    }

    /// What was used of budgets before, for a gateway to go on with. One that did not know it would give everything
    /// again, so it gets no snapshot until this can be read.
    async fn tell_usage(&self, link: &dyn ControlLink) -> Result<(), LinkClosed> {
        let usage = loop {
            match self.events.usage(UsageOf::Everyone, self.clock.now()).await {
                Ok(usage) => break usage,
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what was used of plans cannot be read, and is tried again"
                ),
            }
            tokio::time::sleep(USAGE_AGAIN).await;
        };
        for some in usage.chunks(USAGE_PER_MESSAGE) {
            link.send(Down::Used(some.into())).await?;
        }
        Ok(())
    }

    async fn talk(&self, name: u64, link: &dyn ControlLink) -> Result<(), LinkClosed> {
        let (mut snapshots, mut revocations) =
            (self.snapshot.subscribe(), self.newest_revocation.subscribe());
        let mut tokens = self.tokens.newest.subscribe();
        snapshots.mark_changed();
        revocations.mark_changed();
        tokens.mark_changed();
        self.tell_usage(link).await?;
        let (mut told, mut told_tokens) = (0, 0);
        // Beside the talk, so that they share commits and hold up nothing; dropped with it.
        let mut asks = JoinSet::new();
        loop {
            // All of them lose nothing when dropped: a watch keeps its newest value, a link its next message. In this
            // order: with its first snapshot a gateway admits clients, and has to know by then who is none, and who is one.
            tokio::select! {
                biased;
                changed = revocations.changed() => {
                    changed.map_err(|_| LinkClosed)?;
                    revocations.mark_unchanged();
                    for some in self.news(told) {
                        told = some.last().map_or(told, |last| last.number);
                        link.send(Down::Revoked(some)).await?;
                    }
                }
                changed = tokens.changed() => {
                    changed.map_err(|_| LinkClosed)?;
                    tokens.mark_unchanged();
                    for some in self.new_tokens(told_tokens) {
                        told_tokens = some.last().map_or(told_tokens, |last| last.number);
                        link.send(Down::OpaqueTokens(some)).await?;
                    }
                }
                changed = snapshots.changed() => {
                    changed.map_err(|_| LinkClosed)?;
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    if snapshot.number() > 0 {
                        link.send(Down::Snapshot(snapshot)).await?;
                    }
                }
                Some(answered) = asks.join_next() => {
                    // A task that panicked has no number to answer under; whoever asked waits until its deadline.
                    if let Ok((number, answer)) = answered {
                        link.send(Down::Answer { number, answer }).await?;
                    }
                }
                message = link.next() => match message? {
                    Up::Ask { number, .. } if asks.len() >= ASKS_MAX => {
                        link.send(Down::Answer { number, answer: Answer::Unavailable }).await?;
                    }
                    Up::Ask { number, ask } => {
                        let (catalog, now) = (Arc::clone(&self.catalog), self.clock.now());
                        asks.spawn(async move { (number, tickets::answer(&*catalog, now, ask).await) });
                    }
                    message => self.heard(name, link, message).await?,
                },
            }
        }
    }

    async fn heard(&self, name: u64, link: &dyn ControlLink, message: Up) -> Result<(), LinkClosed> {
        match message {
            Up::Hello { protocol, boot } => {
                if protocol != PROTOCOL_VERSION {
                    tracing::error!(protocol, "a gateway speaks another version of the link");
                    return Err(LinkClosed);
                }
                self.with(name, |gateway| gateway.boot = Some(boot));
            }
            Up::Applied { number } => {
                self.with(name, |gateway| gateway.applied = number);
                self.applied.send_modify(|changes| *changes += 1);
            }
            Up::Revoked { number } => {
                self.with(name, |gateway| gateway.revoked = number);
                self.applied.send_modify(|changes| *changes += 1);
            }
            Up::KeysWanted { key_manager } => self.keeper.wish(key_manager),
            Up::OpaqueTokens { number } => {
                self.with(name, |gateway| gateway.tokens = number);
                self.applied.send_modify(|changes| *changes += 1);
            }
            Up::Presence(open) => self.with(name, |gateway| gateway.open = open),
            Up::Sharing(sharing) => self.with(name, |gateway| gateway.sharing = Some(sharing)),
            // Answered by whoever talks.
            Up::Ask { .. } => {}
            Up::Targets(targets) => {
                let now = self.clock.now();
                self.with(name, |gateway| (gateway.targets, gateway.targets_at) = (targets, now));
            }
            Up::Batch(batch) => match self.append(&batch).await {
                Ok(_) => link.send(Down::BatchStored { boot: batch.boot, number: batch.number }).await?,
                // Not told, so the gateway repeats it.
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "facts could not be stored yet"
                    );
                }
            },
        }
        Ok(())
    }

    /// Stores a batch, with the alerts that what it tells of makes due.
    async fn append(&self, batch: &Batch) -> Result<Appended, PortError> {
        let limits = alert::watched(&self.snapshot.borrow(), &batch.usage);
        let may_be_told = !limits.is_empty();
        let appended = self.events.append_watched(batch, &Watch { limits, now: self.clock.now() }).await;
        if may_be_told {
            self.telling.wake();
        }
        appended
    }

    fn with(&self, name: u64, change: impl FnOnce(&mut Gateway)) {
        if let Some(gateway) = self.gateways().get_mut(&name) {
            change(gateway);
        }
    }
}
