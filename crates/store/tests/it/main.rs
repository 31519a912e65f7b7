//! The store on real SQLite in a temporary folder: the contracts of its ports, and what only a file can do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod contract;
mod file;
mod kill;
mod redis;
mod seals;
