//! The shapes in which the product runs: which rooms are in the process and what joins them.

pub(crate) mod all_in_one;
