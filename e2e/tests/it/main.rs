//! Black-box tests: the real binary, other people's clients, and backends of the tests' own.
//!
//! They know nothing of the product's code: what they ask is REST, OAuth, WebSocket, files and signals. The first
//! modules are what tests stand on; each of the others tells one part of what the product promises.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod backend;
mod client;
mod portal;
mod product;
mod programs;
mod wait;

mod alerts;
mod backends;
mod certificate;
mod clients;
mod conformance;
mod console;
mod deploy;
mod durability;
mod excess;
mod first_start;
mod issuers;
mod lifecycle;
mod limits;
mod mutual;
mod negatives;
mod oauth;
mod passing;
mod probe;
mod protocol;
mod proxies;
mod quota;
mod refusals;
mod rest;
mod schemathesis;
mod sentence;
mod shared;
mod timeouts;
mod topics;
mod traffic;
