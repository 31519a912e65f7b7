//! The gateway through its public door only: real sockets on port 0, a literal snapshot over the one-process link, a
//! clock that the test sets, and clients and backends of the test's own.
//!
//! `world` is the snapshot and its tokens, `rig` the gateway with what stands around it, `client` and `backend` the
//! two sides, `socket` the frames they exchange. Nothing waits for time to pass but for what must happen, within
//! `PATIENCE`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod addresses;
mod at_once;
mod backend;
mod backend_credentials;
mod backend_tls;
mod backends;
mod behind;
mod bound_to_certificates;
mod client;
mod console;
mod credentials;
mod crowd;
mod custom_rules;
mod denied;
mod ending;
mod exchanged;
mod facts;
mod forged;
mod groups;
mod health;
mod http2;
mod introspection;
mod issuers;
mod lean;
mod limits;
mod mutual;
mod open;
mod origin;
mod passing;
mod presence;
mod probe;
mod proof;
mod protocol;
mod proxy_header;
mod refusals;
mod renewal;
mod revoked;
mod rig;
mod secrets;
mod secure_backend;
mod sessions;
mod socket;
mod stalled;
mod standing;
mod tickets;
mod topics;
mod trusted;
mod usage;
mod workers;
mod world;

use std::time::Duration;

/// How long anything that must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must come, in time.
async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"))
}
