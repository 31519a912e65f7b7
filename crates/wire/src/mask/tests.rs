//! Tables and properties of `mask`.
