//! Placeholder module comment.
