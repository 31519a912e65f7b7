//! The authorization server through its public doors: what a client and a browser can ask, and what they must not get.

mod authorize;
pub(crate) mod client;
mod client_assertion;
mod cross_origin;
mod device;
mod keys;
mod negatives;
mod refresh;
mod registration;
mod scopes;
mod token_exchange;
mod tokens;
