//! Re-authentication in place: whoever holds a session presents a fresh credential for it and stays.
//!
//! The session goes on as it is; who may stay, until when and under which plan is read anew from the credential and the
//! snapshot. A session belongs to the client that opened it, and where its credential spoke for a person, to that person
//! alone. A pure function; it does not know how the credential was checked.

use std::sync::Arc;

use crate::{
    admit::{Grant, Identity, Unwelcome, standing},
    attribute::{Attributes, Claims},
    exchange::Source,
    id::{ApiId, KeyManagerId},
    revocation::{Marks, Revocable},
    snapshot::Snapshot,
    time::Timestamp,
};

/// A credential that was checked, as sessions remember it.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// At which API it was presented.
    pub api: ApiId,
    /// The OAuth client.
    pub client_id: Arc<str>,
    /// The issuer whose client it is; `None`: ours.
    pub key_manager: Option<KeyManagerId>,
    /// What it allows besides.
    pub scopes: Arc<[String]>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Name of the issuer's key that signed it.
    pub signed_with: Option<Arc<str>>,
    /// By what it can be revoked.
    pub marks: Marks,
    /// The token that it was exchanged for, if it was.
    pub source: Option<Arc<Source>>,
    /// What else it says, as far as somebody looks at it.
    pub claims: Claims,
    /// Whom it speaks for.
    pub user: Option<Arc<str>>,
}

/// Why a session is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRenewed {
    /// It is somebody else's: another client's, another person's, of another API.
    NotTheirs,
    /// The session's own credential ends later, at this time.
    Worse(Timestamp),
    /// With this credential it could not stay.
    Unwelcome(Unwelcome),
}

impl Fresh {
    /// What a session keeps of an identity.
    pub fn new(api: ApiId, identity: &Identity) -> Self {
        Self {
            api,
            client_id: identity.client_id.as_str().into(),
            key_manager: identity.key_manager,
            scopes: Arc::clone(&identity.scopes),
            expires_at: identity.expires_at,
            signed_with: identity.signed_with.clone(),
            marks: identity.marks,
            source: identity.source.clone(),
            claims: identity.claims.clone(),
            user: identity.user().map(Arc::from),
        }
    }

    /// As revocations are asked about it.
    pub fn revocable(&self) -> Revocable<'_> {
        let client_id = self.key_manager.is_none().then_some(&*self.client_id);
        Revocable { client_id, marks: &self.marks, source: self.source.as_deref() }
    }

    /// Whether a session with this grant belongs to who presents it.
    pub fn owns(&self, held: &Grant) -> bool {
        // API keys have ids of their own, which never are those of clients.
        held.api.id == self.api
            && held.client_id == self.client_id
            && held.key_manager.as_deref().copied() == self.key_manager
            && held.marks.subject == self.marks.subject
    }

    /// What a session is allowed from now on. What it was opened with stays what its API has to accept: a ticket is
    /// renewed by a token where only tickets open sessions.
    ///
    /// # Errors
    /// [`NotRenewed`]; the session stays what it was.
    pub fn renew(&self, snapshot: &Snapshot, held: &Grant, now: Timestamp) -> Result<Grant, NotRenewed> {
        if !self.owns(held) {
            return Err(NotRenewed::NotTheirs);
        }
        if self.expires_at < held.expires_at {
            return Err(NotRenewed::Worse(held.expires_at));
        }
        let user = self.user.as_ref().filter(|_| snapshot.looked_at().has_user());
        let wanted = Grant {
            scopes: Arc::clone(&self.scopes),
            expires_at: self.expires_at,
            signed_with: self.signed_with.clone(),
            marks: self.marks,
            source: self.source.clone(),
            attributes: Attributes::renewed(held.attributes.as_ref(), &self.claims, user),
            ..held.clone()
        };
        standing(snapshot, &wanted, now).map_err(NotRenewed::Unwelcome)
    }
}

#[cfg(test)]
mod tests;
