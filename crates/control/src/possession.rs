//! Proofs of possession at the token endpoint: a client that sends one gets a token that is bound to its key (RFC 9449, section
//! 5), and one that is told so gets tokens that are bound to the certificate that it shows (RFC 8705, section 3).
//!
//! Proofs that were taken are remembered in this process; one is good for a minute, which no restart outruns by much. They are
//! when the grant has been verified that they come with, and not before: a stranger leaves nothing behind. What makes a proof
//! right, `tidegate_oauth::dpop` says.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use tidegate_model::application::Key;
use tidegate_oauth::{
    certificate::is_thumbprint,
    dpop::{self, Address, BadProof, Expected, Proof, Seen},
    grant::TokenError,
    token::Confirmation,
};

use crate::state::Inner;

/// The header of a proof.
const FIELD: &str = "dpop";

/// The proofs that were taken.
#[derive(Debug, Default)]
pub(crate) struct Taken(Mutex<Seen>);

/// What a client has shown beside its request.
#[derive(Debug)]
pub(crate) struct Holder {
    /// A right proof of a key, not taken yet.
    proof: Option<Proof>,
    /// The thumbprint of its certificate.
    certificate: Option<Arc<str>>,
    /// What its access tokens are to be bound to.
    bound_to: Option<Confirmation>,
}

/// Before the thumbprint of a certificate, where refresh tokens say what they are bound to; that of a key stands alone.
const CERTIFICATE: &str = "x5t#S256:";

impl Holder {
    /// What access tokens are to be bound to; `None`: to nothing.
    pub(crate) const fn bound_to(&self) -> Option<&Confirmation> {
        self.bound_to.as_ref()
    }

    /// The same as it is kept of a refresh token.
    pub(crate) fn kept(&self) -> Option<String> {
        self.bound_to.as_ref().map(|bound_to| match bound_to {
            Confirmation::Key(thumbprint) => thumbprint.clone(),
            Confirmation::Certificate(thumbprint) => format!("{CERTIFICATE}{thumbprint}"),
        })
    }

    /// Whether what is kept so is the client's to use.
    pub(crate) fn holds_kept(&self, kept: Option<&str>) -> bool {
        kept.is_none_or(|kept| match kept.strip_prefix(CERTIFICATE) {
            Some(thumbprint) => self.has_shown(thumbprint),
            None => self.has_proved(kept),
        })
    }

    /// Whether what is bound to this is the client's to use.
    pub(crate) fn holds(&self, bound_to: Option<&Confirmation>) -> bool {
        bound_to.is_none_or(|bound_to| match bound_to {
            Confirmation::Key(thumbprint) => self.has_proved(thumbprint),
            Confirmation::Certificate(thumbprint) => self.has_shown(thumbprint),
        })
    }

    fn has_proved(&self, thumbprint: &str) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.is_of(thumbprint))
    }

    fn has_shown(&self, thumbprint: &str) -> bool {
        self.certificate.as_deref() == Some(thumbprint)
    }
}

/// A client whose tokens are bound to its certificate has shown none that can be read.
const NO_CERTIFICATE: TokenError = TokenError::InvalidRequest(
    "the access tokens of this client are bound to its certificate; show that in TLS, to a proxy that tells of it",
);
/// It has sent a proof besides.
const TWO_BINDINGS: TokenError = TokenError::InvalidRequest(
    "the access tokens of this client are bound to its certificate; send no DPoP proof",
);

impl Inner {
    /// Takes the proof, if there is one, which is good for nothing from then on.
    pub(crate) fn take(&self, holder: &Holder, client_id: &str) -> Result<(), TokenError> {
        let Some(proof) = &holder.proof else { return Ok(()) };
        // A std mutex: held for a look-up, never across an await or a verification.
        let mut taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(taken.take(proof, client_id, self.now().seconds())?)
    }

    /// What the client of this key shows: a proof of a key, and the certificate that it is known to have shown.
    pub(crate) fn holder(
        &self,
        headers: &HeaderMap,
        path: &str,
        certificate: Option<Arc<str>>,
        key: &Key,
    ) -> Result<Holder, TokenError> {
        let proof = self.proof(headers, path)?;
        let bound_to = match (&proof, &certificate) {
            (None, Some(shown)) if key.settings.certificate_bound_tokens && is_thumbprint(shown) => {
                Some(Confirmation::Certificate(shown.to_string()))
            }
            (None, _) if key.settings.certificate_bound_tokens => return Err(NO_CERTIFICATE),
            (Some(_), _) if key.settings.certificate_bound_tokens => return Err(TWO_BINDINGS),
            (proof, _) => proof.as_ref().map(|proof| Confirmation::Key(proof.thumbprint.clone())),
        };
        Ok(Holder { proof, certificate, bound_to })
    }

    fn proof(&self, headers: &HeaderMap, path: &str) -> Result<Option<Proof>, TokenError> {
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
        let expected = Expected { method: "POST", address: &address, access_token: None };
        Ok(Some(dpop::verify(proof, &expected, now)?))
    }
}
