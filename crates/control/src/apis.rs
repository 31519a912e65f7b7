//! APIs, the side of creators and publishers: `/apis`. One file for each thing that is done with one.

pub(crate) mod answer;
pub(crate) mod change;
pub(crate) mod credential;
pub(crate) mod deploy;
pub(crate) mod endpoint;
pub(crate) mod endpoint_health;
pub(crate) mod lifecycle;
pub(crate) mod passing;
pub(crate) mod protocol;
pub(crate) mod read;
mod scopes;
pub(crate) mod security;
pub(crate) mod test_endpoint;
mod topics;
