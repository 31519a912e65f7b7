//! As whom the client connects: nobody, the bearer of a token, or a key that gets one first (RFC 6749, section 4.4).

use std::sync::Arc;

use anyhow::{Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::ClientConfig;
use serde::Deserialize;
use url::{Url, form_urlencoded::byte_serialize};

use super::dial;

/// What the client has to show.
pub(super) enum Credential {
    /// Nothing, or something in `--header` or the URL.
    None,
    /// An access token.
    Token(String),
    /// A key.
    Key { client_id: String, client_secret: String, token_url: Url },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenAnswer {
    Issued {
        access_token: String,
    },
    Refused {
        error: String,
        #[serde(default)]
        error_description: String,
    },
}

impl Credential {
    /// The token to present, got first where there is only a key.
    pub(super) async fn token(self, tls: &Arc<ClientConfig>) -> Result<Option<String>> {
        let (client_id, client_secret, token_url) = match self {
            Self::None => return Ok(None),
            Self::Token(token) => return Ok(Some(token)),
            Self::Key { client_id, client_secret, token_url } => (client_id, client_secret, token_url),
        };
        // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&client_id), encoded(&client_secret));
        let authorization = format!("Basic {}", STANDARD.encode(pair));
        let form = "grant_type=client_credentials";
        let (status, body) = dial::post_form(&token_url, tls, &authorization, form).await?;
        match serde_json::from_slice(&body) {
            Ok(TokenAnswer::Issued { access_token }) => Ok(Some(access_token)),
            Ok(TokenAnswer::Refused { error, error_description }) => {
                bail!("no token for {client_id}: {error} {error_description}")
            }
            Err(_) => bail!("no token for {client_id}: {token_url} answered {status}"),
        }
    }
}
