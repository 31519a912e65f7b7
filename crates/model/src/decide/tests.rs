//! The rules that changes to APIs are tested against.
