//! Token exchange (RFC 8693): what an access token came of that was exchanged for another one.
//!
//! A client gives a person's access token and gets one of its own for the same person. It ends with what it came of:
//! whatever revokes that token, its grant, its client or its person, and whatever removes the client or the key that signed
//! it, reaches the exchanged one too. It knows no token and no signature.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    application::Key,
    id::{KeyManagerId, UserId},
    revocation::Mark,
    snapshot::{ClientFacts, Snapshot},
};

/// The token that was exchanged, as far as what came of it has to remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The OAuth client that it was issued to.
    pub client_id: String,
    /// The issuer whose client that is; `None`: ours.
    #[serde(default)]
    pub key_manager: Option<KeyManagerId>,
    /// The token itself.
    pub credential: Mark,
    /// The person for whom it spoke, by their own issuer.
    pub subject: Mark,
    /// Name of the key of ours that signed it, if one did.
    #[serde(default)]
    pub signed_with: Option<Arc<str>>,
}

impl Source {
    /// As a token says it: the id of another issuer, empty for ours; marks; the name of a key, empty where ours did not sign.
    ///
    /// # Errors
    /// [`NoSource`].
    pub fn parse(
        client_id: &str,
        key_manager: &str,
        [credential, subject]: [&str; 2],
        signed_with: &str,
    ) -> Result<Self, NoSource> {
        let said = |text: &str| !text.is_empty();
        let key_manager = Some(key_manager).filter(|id| said(id)).map(str::parse).transpose();
        Ok(Self {
            client_id: Some(client_id).filter(|id| said(id)).ok_or(NoSource)?.to_owned(),
            key_manager: key_manager.map_err(|_| NoSource)?,
            credential: credential.parse().map_err(|_| NoSource)?,
            subject: subject.parse().map_err(|_| NoSource)?,
            signed_with: Some(signed_with).filter(|kid| said(kid)).map(Into::into),
        })
    }

    /// The client by which a revocation of all that a client has would name it; see
    /// [`crate::admit::Identity::revocable_client`].
    pub fn revocable_client(&self) -> Option<&str> {
        self.key_manager.is_none().then_some(&*self.client_id)
    }

    /// The client that it was issued to, while it is there.
    pub fn client<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s ClientFacts> {
        snapshot.client_of(self.key_manager, &self.client_id)
    }
}

/// What a token says that it was exchanged for makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the source of an exchanged token")]
pub struct NoSource;

/// Why a client may not exchange a token of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotExchanged {
    /// Nobody has this client any more.
    UnknownClient,
    /// What somebody else's applications were trusted with stays theirs.
    AnotherOwner,
    /// A key for tests gets nothing that opens production, and the other way round.
    AnotherEnvironment,
}

impl NotExchanged {
    /// For the developer of the client.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::UnknownClient => "the client of the subject_token is not known here (any more)",
            Self::AnotherOwner => "the subject_token was issued to an application of somebody else",
            Self::AnotherEnvironment => {
                "the subject_token is of the other environment: production and sandbox are kept apart"
            }
        }
    }
}

/// Whether a client may exchange a token that was issued to this other client: only where one person owns the
/// applications of both, and within an environment.
///
/// # Errors
/// [`NotExchanged`].
pub fn may_exchange(snapshot: &Snapshot, key: &Key, source: &Source) -> Result<(), NotExchanged> {
    let client = source.client(snapshot).ok_or(NotExchanged::UnknownClient)?;
    let owner = |application| -> Option<UserId> { snapshot.application(application)?.owner };
    match (owner(key.application), owner(client.application)) {
        (Some(own), Some(theirs)) if own == theirs => {}
        _ => return Err(NotExchanged::AnotherOwner),
    }
    if key.environment == client.environment { Ok(()) } else { Err(NotExchanged::AnotherEnvironment) }
}
