//! The control plane over its router, on a real SQLite file, with a fixed clock and seeded randomness.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod alerts;
mod api_keys;
mod arrival;
mod audit;
mod certificates;
mod console;
mod contract;
mod custom_rules;
mod discovery;
mod gateways;
mod key_managers;
mod oauth;
mod own_roles;
mod pages;
mod policies;
mod portal_sessions;
mod possession;
mod revocations;
mod roles;
mod sign_up;
mod signing_keys;
mod stories;
mod support;
mod tickets;
mod usage;
mod users;
