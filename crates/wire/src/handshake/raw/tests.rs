//! Tables of raw heads.
