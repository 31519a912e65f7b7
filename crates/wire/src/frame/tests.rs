//! Tables and properties of `frame`.
