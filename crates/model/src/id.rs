//! Identifiers: one newtype per noun, so that an application's id cannot be passed where an API's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier (UUID version 7, RFC 9562) from a time and ten random bytes, so that ids sort by creation.
            pub fn new(now: crate::time::Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// Names one API in one version.
    ApiId,
    /// Names an application of a developer.
    ApplicationId,
    /// Names the right of an application to an API under a plan.
    SubscriptionId,
    /// Names a person who signs in.
    UserId,
    /// Names a personal access token (not its secret).
    TokenId,
    /// Names a signed-in browser (not its cookie).
    PortalSessionId,
    /// Names what a person allowed a client to do: everything that comes from one code.
    AuthorizationId,
    /// Names an API key (not its secret).
    ApiKeyId,
    /// Names a certificate of an application.
    CertificateId,
    /// Names a key manager: another issuer whose tokens are accepted.
    KeyManagerId,
    /// Names a sign-in provider: another issuer by which people sign in.
    ProviderId,
    /// Names a deny rule.
    DenyRuleId,
    /// Names a custom rule.
    CustomRuleId,
    /// Names a registration token (not its secret).
    RegistrationTokenId,
    /// Names an alert.
    AlertId,
    /// Names a channel of alerts.
    ChannelId,
    /// Names one run of one gateway process: batches are numbered within it.
    BootId,
}

/// Names one session: the run of a gateway, the worker that carries it, and a number within the run, so that a
/// command finds its socket. Written `boot-worker-number`, for example in `instance` of a problem document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId {
    /// The gateway's run.
    pub boot: BootId,
    /// The worker, from 0.
    pub worker: u16,
    /// The session's number within the run, from 1.
    pub number: u64,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.boot.0.simple(), self.worker, self.number)
    }
}

/// The text is no id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a session")]
pub struct NoSession;

impl FromStr for SessionId {
    type Err = NoSession;
    /// Only what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, NoSession> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(NoSession);
        let boot = BootId(Uuid::try_parse(part()?).map_err(|_| NoSession)?);
        let worker = part()?.parse().map_err(|_| NoSession)?;
        let number = part()?.parse().map_err(|_| NoSession)?;
        let id = Self { boot, worker, number };
        if id.to_string() == text { Ok(id) } else { Err(NoSession) }
    }
}

#[cfg(test)]
mod tests;
