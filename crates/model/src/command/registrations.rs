//! Changes to registration tokens, and by clients to their own registrations.

use crate::{
    client::ClientSettings,
    id::{ApplicationId, RegistrationTokenId},
    registration::{About, RegistrationToken},
    user::Secret,
};

/// What is done with registration tokens, and by clients to their own registrations.
#[derive(Debug, Clone)]
pub enum RegistrationCommand {
    /// Makes a token. Its `used`, `last_used_at`, `created_at` and `created_by` are the store's to say. Answers
    /// [`super::Outcome::RegistrationToken`].
    CreateToken(Box<RegistrationToken>),
    /// Takes a token back; what registered by it stays. Answers [`super::Outcome::Done`].
    DeleteToken(RegistrationTokenId),
    /// See [`Register`]. Answers [`super::Outcome::Registered`]; not found where the token is not good.
    Register(Box<Register>),
    /// See [`ChangeRegistration`]. Answers [`super::Outcome::Registered`]; not found where the token is another.
    Change(Box<ChangeRegistration>),
    /// See [`EndRegistration`]. Answers [`super::Outcome::Done`]; not found where the token is another.
    End(EndRegistration),
}

impl RegistrationCommand {
    /// Whether it is about a token by which clients register, which gateways do not know.
    pub const fn is_about_token(&self) -> bool {
        matches!(self, Self::CreateToken(_) | Self::DeleteToken(_))
    }
}

/// What a client is to be.
#[derive(Debug, Clone)]
pub struct ClientWish {
    /// What people know it by; without one, its client id. Where its owner has an application of this name, a part of the
    /// client id is added: copies of one program register with one name.
    pub name: Option<String>,
    /// Grants it may use.
    pub grants: Vec<String>,
    /// What kind of client it is. What it cannot say itself (how its tokens are) is as in a new key, and stays in a change.
    pub settings: ClientSettings,
    /// What else it says of itself.
    pub about: About,
    /// Hash of a secret for it, where it is to have one; in a change: where it had none.
    pub secret_hash: Secret,
}

/// A client registers itself by a registration token: an application, a key and a registration, and one use less.
#[derive(Debug, Clone)]
pub struct Register {
    /// Hash of the registration token.
    pub by: Secret,
    /// Identifier of the new application.
    pub application: ApplicationId,
    /// OAuth `client_id` of the new key.
    pub client_id: String,
    /// Hash of the token with which it will look after itself.
    pub token_hash: Secret,
    /// What it is to be.
    pub wish: ClientWish,
}

/// A client changes its own registration as a whole.
#[derive(Debug, Clone)]
pub struct ChangeRegistration {
    /// Which client.
    pub client_id: String,
    /// Hash of what it looks after itself with.
    pub token_hash: Secret,
    /// What it is to be from now on.
    pub wish: ClientWish,
}

/// A client takes itself away: its key, and its application where nothing else is in that.
#[derive(Debug, Clone)]
pub struct EndRegistration {
    /// Which client.
    pub client_id: String,
    /// Hash of what it looks after itself with.
    pub token_hash: Secret,
}
