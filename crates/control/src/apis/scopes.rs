//! Scopes as REST takes and gives them.

use serde::{Deserialize, Serialize};
use tidegate_model::{role::OwnRole, scope::Scope};
use utoipa::ToSchema;

use crate::{problem::Problem, roles};

/// A scope to be defined.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeInput {
    /// The name in tokens.
    #[schema(example = "orders:write")]
    name: String,
    /// What it is called where people see it; empty: as in tokens.
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    description: String,
    /// Who holds one of these roles may have it: `admin`, `creator`, `publisher`, `subscriber`, `observer`, or an own one;
    /// none: everybody. An administrator may have all.
    #[serde(default)]
    roles: Vec<String>,
}

/// A scope as it is defined.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Scope)]
pub(crate) struct ScopeAnswer {
    name: String,
    display_name: String,
    description: String,
    roles: Vec<String>,
}

/// What is meant by these, named under `/scopes`; whether it makes sense is the business's to check. `own` are all own roles.
pub(crate) fn meant(scopes: Vec<ScopeInput>, own: &[OwnRole]) -> Result<Vec<Scope>, Problem> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for (at, scope) in scopes.into_iter().enumerate() {
        let roles = roles::named(&format!("/scopes/{at}/roles"), &scope.roles, own, &mut problems);
        let ScopeInput { name, display_name, description, .. } = scope;
        all.push(Scope { name, display_name, description, roles });
    }
    if problems.is_empty() { Ok(all) } else { Err(Problem::Validation(problems)) }
}

impl From<Scope> for ScopeAnswer {
    fn from(scope: Scope) -> Self {
        let Scope { name, display_name, description, roles } = scope;
        Self { name, display_name, description, roles: roles::words(&roles) }
    }
}
