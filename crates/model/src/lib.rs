//! The business of Tidegate without IO: nouns, rules, lifecycle, roles, the immutable [`snapshot::Snapshot`]
//! that gateways decide with, admission, throttle arithmetic, facts, and the ports that rooms implement.
//!
//! It does not know a runtime, SQL, HTTP or a socket; time and randomness are arguments. Start reading at
//! [`api`], then [`decide`] (what a change may do) and [`admit`] (who may connect).

pub mod admit;
pub mod alert;
pub mod anonymous;
pub mod api;
pub mod application;
pub mod attribute;
pub mod audit;
pub mod authorization;
pub mod client;
pub mod command;
#[cfg(feature = "test-support")]
pub mod contract;
pub mod custom_rule;
pub mod decide;
pub mod deny;
pub mod device;
pub mod endpoint;
pub mod exchange;
pub mod expression;
pub mod fact;
pub mod forwarded;
pub mod group;
pub mod headers;
pub mod holder;
pub mod id;
pub mod issuer;
pub mod lease;
pub mod lifecycle;
pub mod limit;
pub mod link;
pub mod mapping;
pub mod meter;
pub mod network;
pub mod notice;
pub mod opaque;
pub mod operation;
pub mod policy;
pub mod port;
pub mod protocol;
pub mod provider;
pub mod registration;
pub mod renew;
pub mod revocation;
pub mod role;
pub mod route;
pub mod rule;
pub mod scope;
pub mod security;
pub mod sharing;
pub mod sign_up;
pub mod signing_key;
pub mod snapshot;
pub mod target;
pub mod terms;
pub mod throttle;
pub mod ticket;
pub mod time;
pub mod topic;
pub mod usage;
pub mod user;
