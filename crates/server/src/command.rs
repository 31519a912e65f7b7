//! The commands: one file each. A command answers the process' exit code, or an error whose text is one line that
//! says what to do.

pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod keys;
pub(crate) mod openapi;
pub(crate) mod serve;
pub(crate) mod user;
