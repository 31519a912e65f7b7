//! Opaque tokens on their way to gateways: each is one small message to each, however many there are and however much else
//! gateways know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_model::{
    opaque::{OpaqueTokenFacts, OpaqueTokens},
    port::PortError,
};
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::Feed;

/// Tokens in one message: some hundred kilobytes, however many there are when a gateway connects.
const TOKENS_PER_MESSAGE: usize = 512;

/// What gateways are told of.
#[derive(Debug)]
pub(super) struct Tokens {
    all: Mutex<OpaqueTokens>,
    pub(super) newest: watch::Sender<u64>,
    /// One reading at a time; whoever waits finds the newer ones already there.
    reading: AsyncMutex<()>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { all: Mutex::default(), newest: watch::Sender::new(0), reading: AsyncMutex::new(()) }
    }
}

impl Feed {
    /// Reads what was issued since the last time, for gateways to be told. Answers the number of the newest.
    pub(crate) async fn read_tokens(&self) -> Result<u64, PortError> {
        let _one = self.tokens.reading.lock().await;
        let known = self.known_tokens().number();
        let new = self.catalog.opaque_tokens(known, self.clock.now()).await?;
        let number = {
            let mut all = self.known_tokens();
            all.extend(new);
            all.number()
        };
        self.tokens.newest.send_if_modified(|newest| std::mem::replace(newest, number) != number);
        Ok(number)
    }

    /// A token was issued and that is on disk: tells, and waits until it opens sessions at every connected gateway.
    pub(crate) async fn issued(&self) {
        let number = match self.read_tokens().await {
            Ok(number) => number,
            Err(error) => {
                // The token is safe; the next reading carries it.
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "an opaque token could not be sent to gateways");
                return;
            }
        };
        if !self.everywhere(|gateway| gateway.tokens >= number).await {
            tracing::warn!(number, "a gateway has not taken an opaque token within its time");
        }
    }

    /// What a gateway that was told up to `told` is to be told, in messages of a bounded size.
    pub(super) fn new_tokens(&self, told: u64) -> Vec<Arc<[OpaqueTokenFacts]>> {
        let new: Vec<_> = self.known_tokens().since(told).cloned().collect();
        new.chunks(TOKENS_PER_MESSAGE).map(Arc::from).collect()
    }

    fn known_tokens(&self) -> MutexGuard<'_, OpaqueTokens> {
        // Never held across an await.
        self.tokens.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
