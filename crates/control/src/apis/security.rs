//! How clients prove who they are, as REST takes and gives it.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    rule::FieldProblem,
    security::{Security, Way},
};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Credentials and origins; what is absent has its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecurityInput)]
pub(crate) struct SecurityInput {
    /// Which credentials are accepted, and where: `oauth_header` (`Authorization: Bearer`), `oauth_query`
    /// (`access_token`), `oauth_subprotocol` (behind `bearer`), `api_key_header`, `api_key_query`, `basic` (id and secret
    /// of an application's key), `ticket` (a one-time ticket in the query or as a subprotocol), `mutual_tls` (a certificate
    /// of an application, shown in TLS), `none` (whoever presents nothing is let in, with 500 messages a minute for each
    /// address). Default: the first three and tickets.
    accepts: Option<Vec<String>>,
    /// The header that holds an API key. Default `ApiKey`.
    api_key_header: Option<String>,
    /// The query parameter that holds an API key. Default `apikey`.
    api_key_query: Option<String>,
    /// From which web pages a browser may connect: origins like `https://app.example.com`, one wildcard label like
    /// `https://*.example.com`, `null` for pages without one, `*` for all. Empty: from all, but from none where the
    /// browser presents something by itself.
    #[serde(default)]
    origins: Vec<String>,
}

impl SecurityInput {
    /// What is meant; whether it makes sense is the business's to check.
    pub(crate) fn meant(self) -> Result<Security, Problem> {
        let usual = Security::default();
        let mut problems = Vec::new();
        let mut way = |(place, word): (usize, String)| {
            let way = Way::parse(&word);
            if way.is_none() {
                let known = Way::ALL.map(Way::as_str).join(", ");
                let pointer = format!("/security/accepts/{place}");
                problems.push(FieldProblem::new(pointer, "unknown_way", format!("Choose of: {known}.")));
            }
            way
        };
        let accepts = self.accepts.map(|words| words.into_iter().enumerate().filter_map(&mut way).collect());
        if !problems.is_empty() {
            return Err(Problem::Validation(problems));
        }
        Ok(Security {
            accepts: accepts.unwrap_or(usual.accepts),
            api_key_header: self.api_key_header.unwrap_or(usual.api_key_header),
            api_key_query: self.api_key_query.unwrap_or(usual.api_key_query),
            origins: self.origins,
        })
    }
}

/// Credentials and origins.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Security)]
pub(crate) struct SecurityAnswer {
    /// `oauth_header`, `oauth_query`, `oauth_subprotocol`, `api_key_header`, `api_key_query`, `basic`, `ticket`, `mutual_tls`,
    /// `none`.
    accepts: Vec<&'static str>,
    api_key_header: String,
    api_key_query: String,
    origins: Vec<String>,
}

impl From<Security> for SecurityAnswer {
    fn from(security: Security) -> Self {
        Self {
            accepts: security.accepts.into_iter().map(Way::as_str).collect(),
            api_key_header: security.api_key_header,
            api_key_query: security.api_key_query,
            origins: security.origins,
        }
    }
}
