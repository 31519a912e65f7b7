//! Access tokens that say nothing by themselves: gateways are told their hashes and what they stand for, so no call leaves
//! the gateway. A token that was issued is at every connected gateway before its client has it.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value, json};
use tidegate_model::{
    admit::Identity,
    attribute::{Claims, KeptClaims},
    opaque::{OpaqueTokenFacts, OpaqueTokens},
    revocation::Marks,
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    mark,
    secret::{self, Kind},
    token::BadToken,
};

/// The tokens that are known.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RwLock<OpaqueTokens>);

impl Tokens {
    /// These open sessions from now on. Answers the number of the newest of all.
    pub(crate) fn add(&self, some: &[OpaqueTokenFacts]) -> u64 {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(some.iter().cloned());
        all.number()
    }

    /// Who presents the token; `None` when it is not of this kind.
    pub(crate) fn identify(
        &self,
        issuer: &str,
        token: &str,
        looked_at: &KeptClaims,
        now: Timestamp,
    ) -> Option<Result<Arc<Identity>, BadToken>> {
        if !secret::is_well_formed(Kind::AccessToken, token) {
            return None;
        }
        let hash = Secret(secret::hash(token));
        // A std lock: held for a look-up, by handshakes and not by messages; written when a token is issued.
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(facts) = all.find(&hash) else {
            return Some(Err(BadToken::Unknown));
        };
        if facts.expires_at <= now {
            return Some(Err(BadToken::Expired));
        }
        Some(Ok(Arc::new(Identity {
            client_id: facts.client_id.clone(),
            key_manager: None,
            scopes: super::scopes(&facts.scope),
            subject: facts.subject.clone(),
            expires_at: facts.expires_at,
            signed_with: None,
            bound_to: None,
            source: facts.source.clone().map(Arc::new),
            claims: claims(issuer, facts, looked_at),
            marks: marks(issuer, facts),
        })))
    }
}

/// What a token of ours that speaks for itself would say.
fn claims(issuer: &str, facts: &OpaqueTokenFacts, looked_at: &KeptClaims) -> Claims {
    if looked_at.is_empty() {
        return Claims::default();
    }
    let all = [
        ("iss", json!(issuer)),
        ("sub", json!(facts.subject)),
        ("client_id", json!(facts.client_id)),
        ("scope", json!(facts.scope)),
        ("iat", json!(facts.issued_at.seconds())),
        ("exp", json!(facts.expires_at.seconds())),
    ];
    let all: Map<String, Value> = all.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Claims::of(&all, looked_at)
}

/// By what it can be revoked.
fn marks(issuer: &str, facts: &OpaqueTokenFacts) -> Marks {
    Marks {
        credential: Some(mark::access_token(&facts.token_hash.0).into()),
        grant: facts.grant_id.as_deref().map(|id| mark::grant(issuer, id).into()),
        subject: match &facts.source {
            Some(source) => Some(source.subject),
            // A client's own token speaks for nobody.
            None => (facts.subject != facts.client_id).then(|| mark::subject(issuer, &facts.subject).into()),
        },
        issued_at: facts.issued_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_until_its_end() {
        let [known, unknown] =
            [1, 2].map(|byte| secret::generate(Kind::AccessToken, &mut |bytes: &mut [u8]| bytes.fill(byte)));
        let facts = OpaqueTokenFacts {
            number: 1,
            token_hash: Secret(secret::hash(&known)),
            client_id: "client".to_owned(),
            subject: "person".to_owned(),
            grant_id: None,
            scope: String::new(),
            issued_at: Timestamp(0),
            expires_at: Timestamp(1_000),
            source: None,
        };
        let tokens = Tokens::default();
        assert_eq!(tokens.add(&[facts]), 1);
        let at = |token: &str, now| tokens.identify("issuer", token, &KeptClaims::default(), Timestamp(now));
        let identity = at(&known, 999).unwrap().unwrap();
        assert_eq!((&*identity.client_id, &*identity.subject), ("client", "person"));
        assert_eq!(identity.expires_at, Timestamp(1_000));
        assert_eq!(at(&known, 1_000), Some(Err(BadToken::Expired)));
        assert_eq!(at(&unknown, 0), Some(Err(BadToken::Unknown)));
        // A hash that leaked is no token, and a token of another shape is somebody else's to judge.
        for other in
            [secret::hash(&known), known.replace("tga_", "tgr_"), format!("{known}x"), "a.b.c".to_owned()]
        {
            assert_eq!(at(&other, 0), None, "{other}");
        }
    }
}
