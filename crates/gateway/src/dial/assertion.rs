//! Backend tokens: what is asserted of a session's client to its backend, signed with the key of the snapshot.
//!
//! One is signed for every session that wants it, since it names the session. It costs a handshake less than the check
//! of its access token did, so nothing is kept. It does not know which APIs want it.

use tidegate_model::{port::Entropy, route::base_path, snapshot::BackendTokenFacts, time::Timestamp};
use tidegate_oauth::{
    assertion::{Assertion, AssertionSigner},
    jwk::{BadKey, SigningKey},
    token::CannotSign,
};

use super::Opening;

/// Signs by one snapshot's facts.
#[derive(Debug)]
pub(crate) struct Assertions {
    facts: BackendTokenFacts,
    signer: AssertionSigner,
}

impl Assertions {
    pub(crate) fn new(facts: &BackendTokenFacts) -> Result<Self, BadKey> {
        let signer = AssertionSigner::new(&facts.issuer, &SigningKey::from_text(&facts.key.0)?);
        Ok(Self { facts: facts.clone(), signer })
    }

    /// Whether it signs by exactly these facts.
    pub(crate) fn is_for(&self, facts: &BackendTokenFacts) -> bool {
        self.facts == *facts
    }

    /// The token for a session that is about to open.
    pub(crate) fn token(
        &self,
        opening: &Opening<'_>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<String, CannotSign> {
        let Opening { grant, subject, instance, .. } = opening;
        let (api, application) = (&grant.api, &grant.application);
        let assertion = Assertion {
            aud: &base_path(&api.context, &api.version),
            sub: subject,
            client_id: &grant.client_id,
            application: &application.name,
            application_id: &application.id.to_string(),
            plan: grant.plan_name(),
            api: &api.name,
            api_id: &api.id.to_string(),
            version: &api.version,
            environment: grant.environment.as_str(),
            session: instance,
        };
        self.signer.sign(&assertion, now.seconds(), &mut |bytes: &mut [u8]| entropy.fill(bytes))
    }
}
