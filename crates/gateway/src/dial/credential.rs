//! What a backend is shown: one header line made of an endpoint's credential.
//!
//! It does not know how a token is fetched, nor where the line stands in a head.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tidegate_model::endpoint::Credential;

use super::{
    DialError, Dialler,
    token::{NoToken, Token},
};

/// A header line that proves who the gateway is. Its Debug hides the value.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    /// The token in it, for a backend that refuses it.
    token: Option<Token>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Shown {
    fn authorization(value: Vec<u8>, token: Option<Token>) -> Self {
        Self { name: "Authorization".to_owned(), value, token }
    }

    fn bearer(token: Token) -> Self {
        Self::authorization([b"Bearer ", token.as_bytes()].concat(), Some(token))
    }
}

impl Dialler {
    /// What a backend with this credential is shown. Waits where a token has to be fetched first.
    pub(crate) async fn shown(&self, credential: &Credential) -> Result<Option<Shown>, DialError> {
        Ok(match credential {
            Credential::None => None,
            Credential::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.0));
                Some(Shown::authorization(format!("Basic {pair}").into_bytes(), None))
            }
            Credential::Header { name, value } => {
                Some(Shown { name: name.clone(), value: value.0.clone().into_bytes(), token: None })
            }
            Credential::OAuth { .. } => Some(Shown::bearer(self.token(credential).await?)),
        })
    }

    /// What a backend is shown that refused `before` with 401; `None` where there is nothing better.
    pub(super) async fn shown_instead(
        &self,
        credential: &Credential,
        before: Option<&Shown>,
    ) -> Result<Option<Shown>, DialError> {
        let Some(refused) = before.and_then(|before| before.token.as_ref()) else { return Ok(None) };
        if !self.tokens.forget(credential, refused, self.clock.now()) {
            return Ok(None);
        }
        Ok(Some(Shown::bearer(self.token(credential).await?)))
    }

    async fn token(&self, credential: &Credential) -> Result<Token, NoToken> {
        self.tokens.get(credential, &*self.clock, || self.fetch(credential)).await
    }
}

#[cfg(test)]
mod tests;
