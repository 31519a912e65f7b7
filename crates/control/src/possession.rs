//! Proofs of possession at the token endpoint (RFC 9449, section 5): a client that sends one gets a token that is bound to its
//! key.
//!
//! Proofs that were taken are remembered in this process; one is good for a minute, which no restart outruns by much. They are
//! when the grant has been verified that they come with, and not before: a stranger leaves nothing behind. What makes a proof
//! right, `tidegate_oauth::dpop` says.

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use tidegate_oauth::{
    dpop::{self, Address, BadProof, Expected, Proof, Seen},
    grant::TokenError,
};

use crate::state::Inner;

/// The header of a proof.
const FIELD: &str = "dpop";

/// The proofs that were taken.
#[derive(Debug, Default)]
pub(crate) struct Taken(Mutex<Seen>);

/// What a client has shown of a key: a right proof, not taken yet, or none.
#[derive(Debug)]
pub(crate) struct Holder(Option<Proof>);

impl Holder {
    /// The thumbprint of the key that the token is to be bound to; `None` where the client sent no proof.
    pub(crate) fn thumbprint(&self) -> Option<&str> {
        self.0.as_ref().map(|proof| proof.thumbprint.as_str())
    }

    /// Whether what is bound to this key, if it is to any, is the client's to use.
    pub(crate) fn holds(&self, bound_to: Option<&str>) -> bool {
        bound_to.is_none_or(|thumbprint| self.0.as_ref().is_some_and(|proof| proof.is_of(thumbprint)))
    }
}

impl Inner {
    /// Takes the proof, if there is one, which is good for nothing from then on.
    pub(crate) fn take(&self, holder: &Holder, client_id: &str) -> Result<(), TokenError> {
        let Some(proof) = &holder.0 else { return Ok(()) };
        // A std mutex: held for a look-up, never across an await or a verification.
        let mut taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(taken.take(proof, client_id, self.now().seconds())?)
    }

    /// What the client shows of a key.
    pub(crate) fn holder(&self, headers: &HeaderMap, path: &str) -> Result<Holder, TokenError> {
        let mut fields = headers.get_all(FIELD).iter();
        let proof = match (fields.next(), fields.next()) {
            (None, _) => return Ok(Holder(None)),
            (Some(proof), None) => proof.to_str().map_err(|_| BadProof::Malformed)?,
            (Some(_), Some(_)) => return Err(BadProof::NotOne.into()),
        };
        // The address that the metadata names, whatever a proxy in front makes of it.
        let address =
            Address::parse(&format!("{}{path}", self.issuer.url())).ok_or(BadProof::WrongAddress)?;
        let now = self.now().seconds();
        let proof =
            dpop::verify(proof, &Expected { method: "POST", address: &address, access_token: None }, now)?;
        Ok(Holder(Some(proof)))
    }
}
