//! The terms of a business plan as REST tells of them: who may choose it, and what it costs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tidegate_model::{
    role::RoleName,
    rule::FieldProblem,
    terms::{Billing, Cycle, Price, Terms},
};
use utoipa::ToSchema;

use super::word;

/// What a commercial plan costs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Billing)]
pub(crate) struct BillingDocument {
    /// Code of the currency (ISO 4217), three capitals.
    #[schema(example = "EUR")]
    currency: String,
    /// The billing cycle: `month` (when absent), `week` or `year`.
    per: Option<String>,
    /// For each subscription in a cycle, whatever passes: a decimal with at most six digits behind the point.
    #[schema(example = "49.00")]
    price: Option<String>,
    /// For each thousand messages that passed, of both directions: a decimal as well.
    #[schema(example = "0.05")]
    price_per_1000_messages: Option<String>,
}

impl From<&Billing> for BillingDocument {
    fn from(billing: &Billing) -> Self {
        Self {
            currency: billing.currency.clone(),
            per: Some(billing.per.as_str().to_owned()),
            price: billing.price.map(|price| price.to_string()),
            price_per_1000_messages: billing.price_per_1000_messages.map(|price| price.to_string()),
        }
    }
}

/// The names of the roles.
pub(crate) fn names(terms: &Terms) -> Vec<String> {
    terms.roles.iter().map(RoleName::to_string).collect()
}

/// The terms that are told of under a pointer, and problems of words that say nothing.
pub(crate) fn terms(
    at: &str,
    roles: &[String],
    billing: Option<BillingDocument>,
    problems: &mut Vec<FieldProblem>,
) -> Terms {
    let mut named = BTreeSet::new();
    for (place, role) in roles.iter().enumerate() {
        if let Some(name) = RoleName::parse(role) {
            named.insert(name);
        } else {
            let detail = "The name of a role has small letters, digits, hyphens, underscores and dots.";
            problems.push(FieldProblem::new(format!("{at}/roles/{place}"), "unknown_role", detail));
        }
    }
    Terms { roles: named, billing: billing.and_then(|told| priced(&format!("{at}/billing"), told, problems)) }
}

fn priced(at: &str, told: BillingDocument, problems: &mut Vec<FieldProblem>) -> Option<Billing> {
    let per = word(&format!("{at}/per"), told.per.as_deref(), &Cycle::ALL, Cycle::as_str, problems);
    let mut price = |leaf: &str, text: Option<String>| {
        let parsed = text.map(|text| text.parse::<Price>()).transpose();
        parsed.unwrap_or_else(|error| {
            let mut detail = error.to_string();
            detail[..1].make_ascii_uppercase();
            problems.push(FieldProblem::new(format!("{at}/{leaf}"), "no_price", format!("{detail}.")));
            None
        })
    };
    let fixed = price("price", told.price);
    let price_per_1000_messages = price("price_per_1000_messages", told.price_per_1000_messages);
    Some(Billing { currency: told.currency, per: per?, price: fixed, price_per_1000_messages })
}
