//! Tests of the relay through its public door: scenarios on a simulated driver, seeded random sessions against a
//! shadow model, and properties. `sim` is the driver; it is also the shortest complete example of one.

#![allow(clippy::unwrap_used, reason = "what is wrong in a test shall stop it")]

mod properties;
mod scenarios;
mod seeds;
mod sim;
