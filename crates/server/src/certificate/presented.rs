//! The certificate that the listeners present now, and the watch over its files.
//!
//! A handshake takes what is current when it begins; sessions that are open do not notice a change. A pair that cannot
//! be used is told in the log, and the one before it stays. It does not know who listens.

use std::{io, os::unix::fs::MetadataExt as _, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    client::verify_server_name,
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::ServerName;
use tidegate_model::{port::Clock as _, time::Timestamp};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{JoinError, spawn_blocking},
    time::{Instant, MissedTickBehavior, interval, interval_at},
};

use super::{CertificateError, Source};
use crate::clock::SystemClock;

/// Between two looks at the files. Two are needed for a change, since a pair is two files: so a new one is presented
/// within four seconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it is asked whether a certificate of our own has to be renewed. It is due for a month.
const RENEW_EVERY: Duration = Duration::from_hours(1);

/// The current certificate, for any number of listeners.
#[derive(Debug)]
pub(crate) struct Presented(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Presented {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// What tells a file from the one that was there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Of the rights as well.
    changed: (i64, i64),
}

impl Stamp {
    /// `None` where there is no file. Links are followed, as certificate tools replace those.
    async fn of(path: &Path) -> Option<Self> {
        let file = tokio::fs::metadata(path).await.ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            len: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

/// The stamps of certificate and key.
type Stamps = [Option<Stamp>; 2];

/// When files are worth reading.
#[derive(Debug)]
struct Looks {
    /// At the last look.
    seen: Stamps,
    /// Of what was read last.
    read: Stamps,
}

impl Looks {
    /// Whether the files are others than those read last, and have been still since the last look: a pair that is being
    /// replaced has one old and one new file for a moment.
    fn at(&mut self, now: Stamps) -> bool {
        let is_still = std::mem::replace(&mut self.seen, now) == now;
        let is_due = is_still && now != self.read;
        if is_due {
            self.read = now;
        }
        is_due
    }
}

/// Whoever keeps [`Presented`] current.
pub(crate) struct Watch {
    source: Source,
    host: String,
    presented: Arc<Presented>,
    looks: Looks,
    hangup: Signal,
}

impl Watch {
    /// Presents what the source has, made first if need be. From now on SIGHUP means: read it again.
    pub(crate) async fn start(source: Source, host: &str) -> Result<Self, StartError> {
        let hangup = signal(SignalKind::hangup())?;
        // Before the files are read: what changes after that is seen as a change.
        let before = stamps(&source).await;
        let pair = read(&source, Source::ready).await?;
        warn_of_another_name(&pair, host);
        let after = stamps(&source).await;
        // A pair that was just made is no change.
        let read = if before.contains(&None) { after } else { before };
        let presented = Arc::new(Presented(ArcSwap::new(pair)));
        Ok(Self { source, host: host.to_owned(), presented, looks: Looks { seen: read, read }, hangup })
    }

    /// What listeners present.
    pub(crate) fn presented(&self) -> Arc<Presented> {
        Arc::clone(&self.presented)
    }

    /// Watches for as long as it is polled. Dropping it loses nothing but the watch.
    pub(crate) async fn run(mut self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewal = interval_at(Instant::now() + RENEW_EVERY, RENEW_EVERY);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let now = stamps(&self.source).await;
                    if self.looks.at(now) {
                        self.take(read(&self.source, |source, _| source.read()).await);
                    }
                }
                Some(()) = self.hangup.recv() => {
                    tracing::info!("asked to read the certificate again");
                    self.take_ready().await;
                }
                _ = renewal.tick() => self.take_ready().await,
            }
        }
    }

    /// Reads whatever is there, without waiting for it to be still.
    async fn take_ready(&mut self) {
        self.take(read(&self.source, Source::ready).await);
    }

    fn take(&self, pair: Result<Arc<CertifiedKey>, CertificateError>) {
        let [certificate, _] = self.source.files();
        let certificate = certificate.display();
        match pair {
            Ok(pair) if pair.cert == self.presented.0.load().cert => {
                tracing::debug!(%certificate, "the certificate is the same as before");
            }
            Ok(pair) => {
                warn_of_another_name(&pair, &self.host);
                self.presented.0.store(pair);
                tracing::info!(%certificate, "the certificate was replaced; new handshakes get the new one");
            }
            Err(error) => {
                tracing::warn!(%certificate, %error, "the certificate was not replaced; the one before it stays");
            }
        }
    }
}

/// Why there is no certificate to present.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// It cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The system gives no signals.
    #[error("cannot listen for SIGHUP")]
    Signal(#[from] io::Error),
}

async fn stamps(source: &Source) -> Stamps {
    let [certificate, key] = source.files();
    [Stamp::of(&certificate).await, Stamp::of(&key).await]
}

/// Files may lie on a disk that is far away: they are read where waiting holds up nobody.
async fn read(
    source: &Source,
    how: fn(&Source, Timestamp) -> Result<Arc<CertifiedKey>, CertificateError>,
) -> Result<Arc<CertifiedKey>, CertificateError> {
    let source = source.clone();
    let reading = spawn_blocking(move || how(&source, SystemClock.now()));
    match reading.await.map_err(JoinError::try_into_panic) {
        Ok(read) => read,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // It was never begun: the process ends.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// Clients that check names, which is all of them, would not connect.
fn warn_of_another_name(pair: &CertifiedKey, host: &str) {
    let Ok(name) = ServerName::try_from(host) else { return };
    let Some(parsed) = pair.cert.first().and_then(|own| ParsedCertificate::try_from(own).ok()) else {
        return;
    };
    if verify_server_name(&parsed, &name).is_err() {
        tracing::warn!(
            host,
            "the certificate is not for the public name that --host gives: clients will not trust it"
        );
    }
}

#[cfg(test)]
mod tests;
