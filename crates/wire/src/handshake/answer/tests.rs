//! Tables of the answers of backends.
