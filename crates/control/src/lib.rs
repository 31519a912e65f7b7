//! The control plane: the REST API and its OpenAPI document, the authorization server's endpoints, traffic reads,
//! the feed of snapshots to gateways, the console's door, and the shell of the portal.
//!
//! It knows the business (`model`) and tokens (`oauth`), and the ports that others implement. It runs no query and
//! opens no socket to a backend. Read `state.rs` for what a handler works with, `problem.rs` for how it fails.

mod account;
mod alert_channels;
mod alerts;
mod apis;
mod applications;
mod arrival;
mod attempts;
mod audit;
mod authenticate;
mod authorizations;
mod body;
mod catalogue;
mod console;
mod custom_rules;
mod deny_rules;
mod feed;
mod gateways;
mod guess_throttle;
mod health;
mod issuer;
mod keeper;
mod key_managers;
mod known_providers;
mod leftover;
mod list;
mod mail;
mod metrics;
mod network_throttle;
mod oauth;
mod outbox;
mod pages;
mod password;
mod policies;
mod portal_sessions;
mod possession;
mod problem;
mod registration_tokens;
mod revocations;
mod roles;
mod room;
mod router;
mod seen;
mod serve;
mod session;
mod settings;
mod sign_in_providers;
mod sign_up;
mod signing_keys;
mod state;
mod subscriptions;
mod tickets;
mod tokens;
mod traffic;
mod usage;
mod users;

pub use issuer::audience;
pub use pages::{Asset, Assets};
pub use password::{HashError, generate_password, hash_password, password_matches};
pub use router::openapi_json;
pub use serve::{Peer, Serving, Shown};
pub use settings::{KeySettings, ROTATE_AFTER_DAYS, SIGNING_ALGORITHM, Settings};
pub use state::{Control, Ports, StartError};
