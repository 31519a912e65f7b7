//! Tables of `relay`.
