//! The gateway's end of the link: snapshots, revocations and acknowledgements come, batches and presence go.
//!
//! One batch is under way at a time; it is repeated until it is acknowledged, under the same number and with the
//! same facts. A snapshot is acknowledged when every worker decides with it, a revocation when no session lives on by
//! what it ends. It does not know what a link is made of.

use std::{sync::Arc, time::Duration};

use tidegate_model::{
    fact::Batch,
    id::BootId,
    link::{Down, GatewayLink, LinkClosed, PROTOCOL_VERSION, Up},
    port::Clock,
    revocation::Revocation,
    sharing::Sharing,
    snapshot::Snapshot,
    target::TargetFacts,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    admit::Desk,
    drain,
    relay::{Budgets, Workers},
    report::Reporter,
};

/// How long an acknowledgement is awaited before the batch is sent again: a store that is busy for longer is in
/// trouble, and a repeat costs it one look-up.
const REPEAT_AFTER: Duration = Duration::from_secs(3);
/// How long the last batches may take when the gateway ends: a few commits.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the link task works with.
pub(crate) struct Talk {
    pub(crate) boot: BootId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) link: Arc<dyn GatewayLink>,
    /// For whoever checks what the newest one names.
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    /// How addresses of backends do.
    pub(crate) targets: watch::Receiver<Vec<TargetFacts>>,
    /// How budgets are shared; `None`: with nobody, or nothing is known yet.
    pub(crate) sharing: watch::Receiver<Option<Sharing>>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) reporter: Arc<Reporter>,
}

/// The batch that is not acknowledged yet.
struct Underway {
    batch: Arc<Batch>,
    repeat_at: Instant,
}

impl Talk {
    /// Talks until the link ends, or `ended` says that nothing more will be counted and all that was is on disk.
    pub(crate) async fn run(self, ended: watch::Receiver<bool>) {
        // A control plane that is stuck takes no message, and whoever waits for it to take one sees nothing else: the
        // time for the last words runs beside the talk.
        let mut is_over = ended.clone();
        let enough = async {
            drain::is_said(&mut is_over).await;
            sleep(LAST_WORDS).await;
        };
        tokio::select! {
            talked = self.talk(ended) => {
                if let Err(LinkClosed) = talked {
                    tracing::warn!("the link to the control plane has ended");
                }
            }
            () = enough => tracing::error!("the last counts could not be stored in time"),
        }
    }

    async fn talk(&self, mut ended: watch::Receiver<bool>) -> Result<(), LinkClosed> {
        self.link.send(Up::Hello { protocol: PROTOCOL_VERSION, boot: self.boot }).await?;
        let (mut number, mut underway) = (0, None::<Underway>);
        let (mut is_last, mut targets) = (false, self.targets.clone());
        let mut sharing = self.sharing.clone();
        loop {
            if let Some(open) = self.reporter.presence() {
                self.link.send(Up::Presence(open)).await?;
            }
            if underway.is_none()
                && let Some(batch) = self.reporter.batch(number + 1, self.budgets.tell(self.clock.now()))
            {
                number += 1;
                underway = Some(self.send(batch).await?);
            }
            if is_last && underway.is_none() {
                return Ok(());
            }
            let repeat_at = underway.as_ref().map(|underway| underway.repeat_at);
            // None of these loses anything when another is first: a link keeps its next message, a reporter what
            // was added, a watch its value.
            tokio::select! {
                down = self.link.next() => match down? {
                    Down::Snapshot(snapshot) => self.decide(&snapshot).await?,
                    Down::Revoked(some) => self.revoke(&some).await?,
                    Down::OpaqueTokens(some) => {
                        let number = self.desk.know(&some);
                        self.link.send(Up::OpaqueTokens { number }).await?;
                    }
                    Down::Used(some) => self.budgets.resume(&some, self.clock.now()),
                    Down::BatchStored { boot, number } if boot == self.boot => {
                        underway.take_if(|underway| underway.batch.number <= number);
                    }
                    Down::BatchStored { .. } => {}
                    Down::Answer { number, answer } => self.desk.answered(number, answer),
                },
                // Nobody tells any more once the gateway drains.
                Ok(()) = targets.changed() => {
                    let told = targets.borrow_and_update().clone();
                    self.link.send(Up::Targets(told)).await?;
                }
                Ok(()) = sharing.changed() => {
                    let told = *sharing.borrow_and_update();
                    if let Some(told) = told {
                        self.link.send(Up::Sharing(told)).await?;
                    }
                }
                wished = self.desk.wishes() => {
                    for key_manager in wished {
                        self.link.send(Up::KeysWanted { key_manager }).await?;
                    }
                }
                // Counts wait for the batch that is under way; who is connected does not.
                () = self.reporter.changed() => {}
                () = sleep_until(repeat_at.unwrap_or_else(Instant::now)), if repeat_at.is_some() => {
                    if let Some(Underway { batch, .. }) = underway.take() {
                        underway = Some(self.send(batch).await?);
                    }
                }
                () = drain::is_said(&mut ended), if !is_last => is_last = true,
            }
        }
    }

    async fn send(&self, batch: Arc<Batch>) -> Result<Underway, LinkClosed> {
        self.link.send(Up::Batch(Arc::clone(&batch))).await?;
        Ok(Underway { batch, repeat_at: Instant::now() + REPEAT_AFTER })
    }

    async fn decide(&self, snapshot: &Arc<Snapshot>) -> Result<(), LinkClosed> {
        // New handshakes first: one that was admitted by the old snapshot is asked again by its worker.
        self.desk.replace(snapshot);
        self.workers.decide(snapshot).await;
        self.budgets.forget_absent(snapshot);
        self.snapshots.send_replace(Arc::clone(snapshot));
        let number = snapshot.number();
        tracing::debug!(number, "decides with a new snapshot");
        self.link.send(Up::Applied { number }).await
    }

    async fn revoke(&self, some: &[Revocation]) -> Result<(), LinkClosed> {
        // New handshakes first: one that was admitted before is asked again by its worker.
        let number = self.desk.revoke(some);
        self.workers.revoke(number).await;
        tracing::debug!(number, "credentials were revoked");
        self.link.send(Up::Revoked { number }).await
    }
}
