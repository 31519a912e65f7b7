//! Asked to stop: SIGINT and SIGTERM. The first asks, the second insists.

use std::io;

use tokio::signal::unix::{SignalKind, signal as listen};

/// Waits for the first request to stop. From then on a second one ends the process at once.
pub(crate) async fn signal() -> io::Result<()> {
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // Detached on purpose: it waits for a second signal until the process is over.
    tokio::spawn(async move {
        let code = tokio::select! {
            // 128 + the signal's number, as shells report it.
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        std::process::exit(code);
    });
    Ok(())
}
