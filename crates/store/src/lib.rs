//! The ports of `model` on databases: [`SqliteCatalog`] keeps records and facts in one SQLite file, [`RedisBudgets`] what
//! gateways know together of the budgets that they share.
//!
//! It knows no HTTP and no socket of a client. What a change may do is decided in `model::decide`, inside the
//! transaction that writes it. Statements are built by SeaORM, so that another database needs another way to open
//! and not other queries. Read `writer.rs` for how changes are committed, then `execute.rs`.

mod alerts;
mod allowed;
mod api_keys;
mod apis;
mod applications;
mod audit;
mod authorizations;
mod certificates;
mod cursor;
mod custom_rules;
mod deny_rules;
mod device_codes;
mod entity;
mod execute;
mod facts;
mod issuers;
mod migration;
mod outbox;
mod policies;
mod providers;
mod reads;
mod redis;
mod registrations;
mod revocations;
mod roles;
mod sqlite;
mod tickets;
mod usage;
mod users;
mod vault;
mod writer;

pub use redis::{BadRedis, RedisBudgets};
pub use sqlite::{OpenError, SqliteCatalog};
pub use vault::KeyError;
