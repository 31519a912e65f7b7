//! Keys in and out.
