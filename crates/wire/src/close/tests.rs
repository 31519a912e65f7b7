//! Tables and properties of `close`.
