//! The schema, step by step; each step is a file and is never changed once released.

use sea_orm_migration::prelude::*;

mod m0001_first;
mod m0002_key_purpose;
mod m0003_authorizations;
mod m0004_people;
mod m0006_revocations;
mod m0008_signing_keys;
mod m0009_seals;
mod m0010_api_keys;
mod m0011_key_managers;
mod m0012_tickets;
mod m0013_look_ups;
mod m0014_deny_rules;
mod m0015_audit;
mod m0016_used_assertions;
mod m0017_device_codes;
mod m0022_portal_sessions;
mod m0023_token_scopes;
mod m0024_sign_up;
mod m0027_certificates;
mod m0030_policies;
mod m0031_descriptions;
mod m0034_exchanged_tokens;
mod m0035_registrations;
mod m0038_sign_in_providers;
mod m0040_own_roles;
mod m0041_api_policies;
mod m0045_usage;
mod m0046_beyond_limits;
mod m0050_custom_rules;
mod m0052_alerts;
mod m0053_alert_channels;
mod m0055_passed_beyond;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first::Step),
            Box::new(m0002_key_purpose::Step),
            Box::new(m0003_authorizations::Step),
            Box::new(m0004_people::Step),
            Box::new(m0006_revocations::Step),
            Box::new(m0008_signing_keys::Step),
            Box::new(m0009_seals::Step),
            Box::new(m0010_api_keys::Step),
            Box::new(m0011_key_managers::Step),
            Box::new(m0012_tickets::Step),
            Box::new(m0013_look_ups::Step),
            Box::new(m0014_deny_rules::Step),
            Box::new(m0015_audit::Step),
            Box::new(m0016_used_assertions::Step),
            Box::new(m0017_device_codes::Step),
            Box::new(m0022_portal_sessions::Step),
            Box::new(m0023_token_scopes::Step),
            Box::new(m0024_sign_up::Step),
            Box::new(m0027_certificates::Step),
            Box::new(m0030_policies::Step),
            Box::new(m0031_descriptions::Step),
            Box::new(m0034_exchanged_tokens::Step),
            Box::new(m0035_registrations::Step),
            Box::new(m0038_sign_in_providers::Step),
            Box::new(m0040_own_roles::Step),
            Box::new(m0041_api_policies::Step),
            Box::new(m0045_usage::Step),
            Box::new(m0046_beyond_limits::Step),
            Box::new(m0050_custom_rules::Step),
            Box::new(m0052_alerts::Step),
            Box::new(m0053_alert_channels::Step),
            Box::new(m0055_passed_beyond::Step),
        ]
    }
}

#[cfg(test)]
mod tests;
