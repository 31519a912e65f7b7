//! Authorizations: what a person allowed a client, the code that it begins with, the refresh tokens that carry it on,
//! and the consents that are remembered.
//!
//! All that comes from one code is one authorization, and ends as one: a code or a refresh token that is presented
//! twice was stolen once, and nobody can tell by whom, so both holders lose it (RFC 9700, sections 2.1.1 and 4.14).
//! It knows hashes of secrets, never the secrets; what a code must be presented with is checked by the `oauth` crate.

use crate::{
    exchange::Source,
    id::{AuthorizationId, UserId},
    time::Timestamp,
    user::Secret,
};

/// How long a code is valid, in milliseconds: a redirect takes a second, a slow network some more. RFC 6749, section
/// 4.1.2, recommends ten minutes at most.
pub const CODE_MILLIS: i64 = 60_000;
/// How long an authorization lasts at most, in milliseconds, however often it is renewed: 90 days. Then the person is
/// asked again.
pub const AUTHORIZATION_MILLIS: i64 = 90 * 86_400_000;
/// How long a code, a refresh token or an authorization that is over is remembered, in milliseconds: while it is, a
/// second presentation is recognised as what it is. Longer than the longest access token lives.
pub const REMEMBERED_MILLIS: i64 = 2 * 86_400_000;
/// Most access tokens that say nothing by themselves and that one client holds at a time. Gateways keep all of them; the oldest ends
/// for the next one.
pub const OPAQUE_TOKENS_MAX: u64 = 1_000;

/// What a person allowed a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Identifier; `grant_id` in its tokens.
    pub id: AuthorizationId,
    /// Whom.
    pub client_id: String,
    /// Who.
    pub user: UserId,
    /// What: scopes separated by spaces.
    pub scope: String,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// What the client wants to find again in its ID token.
    pub nonce: Option<String>,
    /// By what gateways know it; see the `oauth` crate's marks. Not secret.
    pub mark: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Since when it is over, if it is.
    pub ended_at: Option<Timestamp>,
}

/// A code and what it has to be presented with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Hash of the code.
    pub code_hash: Secret,
    /// Exactly as the client asked with it; empty for a device's, as is the challenge: nobody else ever saw it.
    pub redirect_uri: String,
    /// S256 challenge (RFC 7636, section 4.2).
    pub challenge: String,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
    /// When it was redeemed, if it was.
    pub used_at: Option<Timestamp>,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Hash of the token.
    pub token_hash: Secret,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one, if it was.
    pub used_at: Option<Timestamp>,
    /// Thumbprint of the key that its holder has to show (RFC 9449, section 5); `None`: its client's proof is enough.
    pub bound_to: Option<String>,
}

/// An access token that says nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueToken {
    /// Hash of the token.
    pub token_hash: Secret,
    /// Whose.
    pub client_id: String,
    /// Where it came from; `None` for client credentials, and for people of another issuer.
    pub authorization: Option<AuthorizationId>,
    /// `sub`: a person's id or the client.
    pub subject: String,
    /// Scopes separated by spaces.
    pub scope: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The token that it was exchanged for, if it was.
    pub source: Option<Source>,
}

/// Keeps an authorization with its code, and remembers the consent.
#[derive(Debug, Clone)]
pub struct Authorize {
    /// The authorization.
    pub authorization: Authorization,
    /// Its code.
    pub code: Code,
    /// Hash of the portal session in which the person allows it; refused when it has ended.
    pub session: Secret,
    /// Whether the person was asked: then these scopes need not be asked for again.
    pub remember: bool,
}

/// Exchanges a code, whose client and proofs were checked, for tokens.
#[derive(Debug, Clone)]
pub struct RedeemCode {
    /// Hash of the code.
    pub code_hash: Secret,
    /// Who presents it.
    pub client_id: String,
    /// The first refresh token, where the client may have one.
    pub refresh: Option<RefreshToken>,
    /// The access token, where it says nothing by itself.
    pub access: Option<OpaqueToken>,
}

/// Exchanges a refresh token for the next one.
#[derive(Debug, Clone)]
pub struct Renew {
    /// Hash of the token that is presented.
    pub token_hash: Secret,
    /// Who presents it.
    pub client_id: String,
    /// The next one. Never valid for longer than its authorization.
    pub next: RefreshToken,
    /// The access token, where it says nothing by itself.
    pub access: Option<OpaqueToken>,
}

/// Ends an authorization with all that came from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndAuthorization {
    /// Which one.
    pub id: AuthorizationId,
}

/// A client that a person has allowed something, or need not be asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedClient {
    /// Which one.
    pub client_id: String,
    /// The application that it is of.
    pub application: String,
    /// Whose that is, if somebody's.
    pub owner_name: String,
    /// What it may, in order.
    pub scopes: Vec<String>,
    /// When it was allowed first, of what still stands.
    pub since: Timestamp,
    /// When it was allowed last.
    pub last: Timestamp,
}

/// Ends all that a person allowed a client, and asks them again the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// Who, and nobody else.
    pub user: UserId,
    /// From whom.
    pub client_id: String,
}

/// What a code or refresh token was worth. All of these are on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// Tokens, and it is used up.
    Granted(Box<Authorization>),
    /// It was used before: the authorization is over from now on, and so is all that came from it.
    Replayed(AuthorizationId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_recognised_for_longer_than_tokens_live() {
        let longest = i64::from(crate::client::ACCESS_TOKEN_SECONDS.max) * 1_000;
        assert!(REMEMBERED_MILLIS > longest && CODE_MILLIS < longest);
        let refresh = i64::from(crate::client::REFRESH_TOKEN_SECONDS.max) * 1_000;
        assert!(refresh <= AUTHORIZATION_MILLIS);
        assert!(
            i64::from(crate::client::ACCESS_TOKEN_SECONDS.max) <= crate::signing_key::LONGEST_TOKEN_SECONDS
        );
    }
}
