//! Names and their addresses, looked up anew for every connection.

use std::{fmt, io, net::SocketAddr};

/// Looks names up.
#[async_trait::async_trait]
pub trait Names: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a host, with this port.
    ///
    /// # Errors
    /// The name has none, or nobody can tell.
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The machine's own resolver, as its administrator has set it up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait::async_trait]
impl Names for SystemNames {
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}
