//! Phase three, where a token is bound to something: the client shows with each handshake that the key is its own (RFC 9449),
//! or the certificate that it is bound to (RFC 8705, section 3).
//!
//! A proof is taken once: those that were seen are remembered for as long as they could be taken again, in this gateway
//! alone. What makes a proof right, `tidegate_oauth::dpop` says. It does not know APIs or subscriptions.

use std::sync::{Mutex, PoisonError};

use tidegate_model::{
    admit::{Binding, Identity},
    time::Timestamp,
};
use tidegate_oauth::dpop::{self, Address, BadProof, Expected, Proof, Seen};

use crate::{
    authenticate::Credential, certificate::BadCertificate, connection::Client, handshake::Request,
    refusal::Refusal,
};

/// The method of a handshake. A stream of HTTP/2 that becomes a WebSocket counts as the same request (RFC 8441 moves the
/// handshake of RFC 6455, it does not replace it).
pub(crate) const METHOD: &str = "GET";

/// The proofs that were seen.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<Seen>);

/// Whether who presents the token may: it is bound to nothing, to a key that the request proves, or to the certificate of its
/// connection. Answers the proof, which is not taken yet.
pub(crate) fn shown(
    identity: &Identity,
    presented: &Credential,
    method: &str,
    request: &Request,
    client: Client,
    now: Timestamp,
) -> Result<Option<Proof>, Refusal> {
    if let Some(Binding::Certificate(bound)) = &identity.bound_to {
        // It is there on every connection, so what was bought with such a token needs it as well.
        return match (presented, &request.certificate) {
            (Credential::Token { is_dpop: true, .. }, _) => Err(BadProof::NotBound.into()),
            (_, Some(shown)) if shown == bound => Ok(None),
            (_, Some(_)) => Err(BadCertificate::Another.into()),
            (_, None) => Err(BadCertificate::NotShown.into()),
        };
    }
    let (token, is_dpop) = match presented {
        Credential::Token { token, is_dpop } => (token.as_str(), *is_dpop),
        // Only tokens are bound. Who bought a ticket with one has proved it then, as a browser cannot when it opens
        // a WebSocket.
        Credential::ApiKey(_)
        | Credential::Client(_)
        | Credential::Ticket(_)
        | Credential::Certificate(_)
        | Credential::Nothing => return Ok(None),
    };
    let thumbprint = match (&identity.bound_to, is_dpop) {
        (None, false) => return Ok(None),
        (None, true) => return Err(BadProof::NotBound.into()),
        (Some(_), false) => return Err(BadProof::Needed.into()),
        (Some(Binding::Key(thumbprint) | Binding::Certificate(thumbprint)), true) => thumbprint,
    };
    let mut fields = request.headers.iter().filter(|(name, _)| name == "dpop");
    let (Some((_, proof)), None) = (fields.next(), fields.next()) else {
        return Err(BadProof::NotOne.into());
    };
    let proof = std::str::from_utf8(proof).map_err(|_| BadProof::Malformed)?.trim_matches([' ', '\t']);
    let address = Address::of(client.is_tls, &request.authority, &request.path);
    let expected = Expected { method, address: &address, access_token: Some(token) };
    let proof = dpop::verify(proof, &expected, now.seconds())?;
    if !proof.is_of(thumbprint) {
        return Err(BadProof::WrongKey.into());
    }
    Ok(Some(proof))
}

impl Proofs {
    /// Takes a proof of this client, which is good for nothing from then on. Only of who may connect: whoever holds a token
    /// that opens nothing leaves nothing behind.
    pub(crate) fn take(&self, proof: &Proof, client_id: &str, now: Timestamp) -> Result<(), Refusal> {
        // A std mutex: held for a look-up, never across an await or a verification.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(seen.take(proof, client_id, now.seconds())?)
    }
}
