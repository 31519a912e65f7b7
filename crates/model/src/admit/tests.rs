//! The rules that admission and standing are tested against.
