//! Proofs of possession at the token endpoint (RFC 9449, section 5): a client that sends one gets a token that is bound to its
//! key.
//!
//! Proofs that were taken are remembered in this process; one is good for a minute, which no restart outruns by much. What
//! makes a proof right, `tidegate_oauth::dpop` says.

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use tidegate_oauth::{
    dpop::{self, Address, BadProof, Expected, Seen},
    grant::TokenError,
};

use crate::state::Inner;

/// The header of a proof.
const FIELD: &str = "dpop";

/// The proofs that were taken.
#[derive(Debug, Default)]
pub(crate) struct Taken(Mutex<Seen>);

impl Inner {
    /// The thumbprint of the key that the token is to be bound to; `None` where the client sends no proof.
    pub(crate) fn key_of_holder(
        &self,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Option<String>, TokenError> {
        let mut fields = headers.get_all(FIELD).iter();
        let proof = match (fields.next(), fields.next()) {
            (None, _) => return Ok(None),
            (Some(proof), None) => proof.to_str().map_err(|_| BadProof::Malformed)?,
            (Some(_), Some(_)) => return Err(BadProof::NotOne.into()),
        };
        // The address that the metadata names, whatever a proxy in front makes of it.
        let address =
            Address::parse(&format!("{}{path}", self.issuer.url())).ok_or(BadProof::WrongAddress)?;
        let now = self.now().seconds();
        let proof =
            dpop::verify(proof, &Expected { method: "POST", address: &address, access_token: None }, now)?;
        // A std mutex: held for a look-up, never across an await or a verification.
        self.taken.0.lock().unwrap_or_else(PoisonError::into_inner).take(&proof, now)?;
        Ok(Some(proof.thumbprint))
    }
}
