//! Commands about policies: business plans, application policies, API policies.

use crate::policy::{Policy, PolicyKind};

/// Changes what a policy limits. Its name says which it is, and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePolicy {
    /// Of which kind.
    pub kind: PolicyKind,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// The policy as it is to be.
    pub policy: Policy,
}

/// Makes what is not there, and changes what is there and differs, all or nothing. What is not told of stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPolicies {
    /// Business plans.
    pub plans: Vec<Policy>,
    /// Application policies.
    pub application_policies: Vec<Policy>,
    /// API policies.
    pub api_policies: Vec<Policy>,
}

/// What an import came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Policies that were not there.
    pub created: u32,
    /// Policies that were otherwise.
    pub changed: u32,
    /// Policies that were so already.
    pub unchanged: u32,
}
