//! What ends the process: SIGINT and SIGTERM, or a part of it that is stuck. The first asks, what comes then insists.

use std::{future::pending, io, process::ExitCode, sync::Arc, thread, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal as listen},
    sync::Notify,
};

/// The exit code when a relay worker was stuck: none that a shell or a signal gives, and by sysexits.h that of a fault
/// of the software itself. Supervisors start again whatever did not end with 0.
pub(crate) const STUCK: u8 = 70;
/// How long the orderly end may take when something is stuck: that of a stop by signal takes half a minute at most.
const ORDERLY_MAX: Duration = Duration::from_secs(45);

/// The word of the gateway that it cannot help itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stuck(Arc<Notify>);

impl Stuck {
    /// Asks for the end; called from a thread outside of tokio, which may be what is stuck.
    pub(crate) fn say(&self) {
        self.0.notify_one();
        // Without a thread there is still the orderly end.
        let _ = thread::Builder::new().name("end".to_owned()).spawn(|| {
            thread::sleep(ORDERLY_MAX);
            tracing::error!("the process does not end in order; it ends now");
            std::process::exit(STUCK.into());
        });
    }
}

/// Waits for the first request to stop. From then on a second one ends the process at once.
pub(crate) async fn signal() -> io::Result<()> {
    signal_or(pending()).await.map(|_| ())
}

/// Waits for a signal or for the word that something is stuck; answers what the process is to end with.
pub(crate) async fn signal_or_stuck(stuck: &Stuck) -> io::Result<ExitCode> {
    let is_signal = signal_or(stuck.0.notified()).await?;
    Ok(if is_signal { ExitCode::SUCCESS } else { ExitCode::from(STUCK) })
}

async fn signal_or(other: impl Future<Output = ()>) -> io::Result<bool> {
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let is_signal = tokio::select! {
        _ = interrupt.recv() => true,
        _ = terminate.recv() => true,
        () = other => false,
    };
    // Detached on purpose: it waits for one more signal until the process is over.
    tokio::spawn(async move {
        let code = tokio::select! {
            // 128 + the signal's number, as shells report it.
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        std::process::exit(code);
    });
    Ok(is_signal)
}

#[cfg(test)]
mod tests;
