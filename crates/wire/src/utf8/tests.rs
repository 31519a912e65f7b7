//! Tables and properties of `utf8`.
