//! Phase six: the end of the gateway. New connections are refused, handshakes under way are answered, every session
//! gets a Close 1012, and the last counts reach the store.
//!
//! It does not know what made the process end.

use std::{sync::Arc, time::Duration};

use tidegate_wire::Micros;
use tokio::sync::watch;

use crate::{HANDSHAKES_MAX, Inner, http2, refusal};

/// How long goodbyes are spread over, so that all clients do not come back in the same moment.
const SPREAD: Micros = Micros::from_secs(2);
/// So many clients may come back in the same moment without anybody noticing.
const SPREAD_FROM: usize = 200;
/// How long sessions may take to end, beginning with the first goodbye: the spread, the time that a peer has to
/// answer a Close, and a little more.
const GRACE: Micros = Micros::from_secs(10);
/// How long handshakes under way may take to be refused.
const HANDSHAKES_GRACE: Duration = Duration::from_secs(7);
/// How long connections over HTTP/2 may take to end when their sessions have: the goodbyes of their streams are on
/// their way, and so is the connection's own.
const CONNECTIONS_GRACE: Duration = Duration::from_secs(2);

/// Returns once the value is true, or nobody can make it so any more. Dropping the future loses nothing.
pub(crate) async fn is_said(word: &mut watch::Receiver<bool>) {
    // The guard that this answers must not live across an await.
    drop(word.wait_for(|said| *said).await);
}

/// Ends everything but the link; answers how many sessions had to be cut.
pub(crate) async fn run(inner: &Inner) -> usize {
    inner.draining.send_replace(true);
    let all = u32::try_from(HANDSHAKES_MAX).unwrap_or(u32::MAX);
    if tokio::time::timeout(HANDSHAKES_GRACE, inner.handshaking.acquire_many(all)).await.is_err() {
        tracing::warn!("some handshakes did not end in time");
    }
    let open = inner.workers.load();
    let spread = if open > SPREAD_FROM { SPREAD } else { Micros::ZERO };
    let cut = inner.workers.drain(Arc::new(refusal::restart()), spread, GRACE).await;
    let all = u32::try_from(http2::CONNECTIONS_MAX).unwrap_or(u32::MAX);
    // Whoever takes longer is cut with the process.
    let _ = tokio::time::timeout(CONNECTIONS_GRACE, inner.multiplexing.acquire_many(all)).await;
    cut
}
