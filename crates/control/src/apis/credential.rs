//! What a backend is shown, and how it is trusted, as REST takes and gives them: secrets only ever come in.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    endpoint::{BackendTls, Credential},
    user::Secret,
};
use utoipa::ToSchema;

/// What a backend is shown. A secret that is left out stays as it was, as long as the rest names the same credential.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = CredentialInput)]
pub(crate) enum CredentialInput {
    /// Nothing.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic { username: String, password: Option<Hidden> },
    /// One header with a secret value.
    Header {
        #[schema(example = "X-Api-Key")]
        name: String,
        value: Option<Hidden>,
    },
    /// `Authorization: Bearer` with a token that the gateway gets by the client credentials grant.
    #[serde(rename = "oauth")]
    OAuth {
        #[schema(example = "https://issuer.example.com/oauth2/token")]
        token_url: String,
        client_id: String,
        client_secret: Option<Hidden>,
        /// Scopes with spaces between them.
        #[serde(default)]
        scope: String,
    },
}

/// A secret as it comes in. Its Debug hides it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Secret, value_type = String, format = Password)]
pub(crate) struct Hidden(Secret);

fn given(secret: Option<Hidden>) -> Secret {
    secret.map(|hidden| hidden.0).unwrap_or_default()
}

impl From<CredentialInput> for Credential {
    fn from(input: CredentialInput) -> Self {
        match input {
            CredentialInput::None => Self::None,
            CredentialInput::Basic { username, password } => {
                Self::Basic { username, password: given(password) }
            }
            CredentialInput::Header { name, value } => Self::Header { name, value: given(value) },
            CredentialInput::OAuth { token_url, client_id, client_secret, scope } => {
                Self::OAuth { token_url, client_id, client_secret: given(client_secret), scope }
            }
        }
    }
}

/// What a backend is shown, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Credential)]
pub(crate) enum CredentialAnswer {
    None,
    Basic {
        username: String,
    },
    Header {
        name: String,
    },
    #[serde(rename = "oauth")]
    OAuth {
        token_url: String,
        client_id: String,
        scope: String,
    },
}

impl From<Credential> for CredentialAnswer {
    fn from(credential: Credential) -> Self {
        match credential {
            Credential::None => Self::None,
            Credential::Basic { username, .. } => Self::Basic { username },
            Credential::Header { name, .. } => Self::Header { name },
            Credential::OAuth { token_url, client_id, scope, .. } => {
                Self::OAuth { token_url, client_id, scope }
            }
        }
    }
}

/// How a `wss` backend is trusted; what is absent has its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackendTlsInput)]
pub(crate) struct TlsInput {
    /// Check the backend's certificate: chain, name and time. Default true.
    verify: Option<bool>,
    /// Certificates (PEM) of the authorities to trust; empty: those of the gateway's machine.
    #[serde(default)]
    authorities: String,
    /// The name to ask for and to find in the certificate; empty: the address's host.
    #[serde(default)]
    server_name: String,
    /// The certificate (PEM, with its chain) that the gateway shows; empty: none.
    #[serde(default)]
    client_certificate: String,
    /// Its key (PEM). Left out, it stays as it was, as long as the certificate does.
    client_key: Option<Hidden>,
}

impl From<TlsInput> for BackendTls {
    fn from(input: TlsInput) -> Self {
        Self {
            verify: input.verify.unwrap_or(Self::default().verify),
            authorities: input.authorities,
            server_name: input.server_name,
            client_certificate: input.client_certificate,
            client_key: given(input.client_key),
        }
    }
}

/// How a `wss` backend is trusted.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BackendTls)]
pub(crate) struct TlsAnswer {
    verify: bool,
    authorities: String,
    server_name: String,
    /// The certificate that the gateway shows; its key is never answered.
    client_certificate: String,
}

impl From<BackendTls> for TlsAnswer {
    fn from(tls: BackendTls) -> Self {
        Self {
            verify: tls.verify,
            authorities: tls.authorities,
            server_name: tls.server_name,
            client_certificate: tls.client_certificate,
        }
    }
}
