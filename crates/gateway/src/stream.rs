//! A connection while it is admitted or dialled, on tokio: plain TCP, TLS over TCP, or the console's Unix stream.
//!
//! When both handshakes are done it is taken apart into a socket and a TLS state ([`Stream::into_leg`]) and leaves
//! tokio for a relay worker. It does not know who is at the other end.

use std::{
    io,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll},
};

use socket2::SockRef;
use tidegate_oauth::certificate::thumbprint;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsStream;

use crate::certificate::Thumbprint;
use crate::relay::{Coder, Leg, Socket};

/// Makes a new connection fit for small messages and bounded memory: what waits in the kernel for a peer that does not
/// read is part of what a session may cost. `buffer_bytes` is for each direction; the kernel takes about twice that
/// for its own accounts. `None` leaves it to the system, which lets it grow to several megabytes.
///
/// A listener hands it on to every connection that it accepts: three calls of the system less for each.
pub(crate) fn prepare<S: AsFd>(socket: &S, buffer_bytes: Option<usize>) {
    let socket = SockRef::from(socket);
    // A socket that cannot do any of this still works.
    let _ = socket.set_tcp_nodelay(true);
    if let Some(bytes) = buffer_bytes {
        let _ = socket.set_send_buffer_size(bytes);
        let _ = socket.set_recv_buffer_size(bytes);
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Whether client and gateway agreed on HTTP/2 (RFC 7301).
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }

    /// The certificate that a client has shown in its handshake, or in the one that it goes on from.
    pub(crate) fn certificate(&self) -> Option<Thumbprint> {
        let Self::Tls(stream) = self else { return None };
        let TlsStream::Server(stream) = &**stream else { return None };
        let shown = stream.get_ref().1.peer_certificates()?.first()?;
        Some(thumbprint(shown).into())
    }

    /// Writes all of it, and lets TLS send its records.
    pub(crate) async fn write_all_flushed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        self.flush().await
    }

    /// Returns when the peer is known to be gone; never where it has sent something, or where that cannot be seen
    /// without reading (TLS). Nothing is read.
    pub(crate) async fn gone(&self) {
        let mut byte = [0];
        if let Self::Tcp(stream) = self
            && matches!(stream.peek(&mut byte).await, Ok(0) | Err(_))
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// The two halves of a relay's leg; `early` are bytes that were read beyond the handshake, `coder` is there where
    /// the peer's compression ends here.
    pub(crate) fn into_leg(self, early: Vec<u8>, coder: Option<Coder>) -> io::Result<Leg> {
        let tcp = |stream: TcpStream| stream.into_std().map(mio::net::TcpStream::from_std).map(Socket::Tcp);
        let (socket, tls) = match self {
            Self::Tcp(stream) => (tcp(stream)?, None),
            Self::Unix(stream) => (Socket::unix(stream.into_std()?, None), None),
            Self::Tls(stream) => match *stream {
                TlsStream::Client(stream) => {
                    let (stream, tls) = stream.into_inner();
                    (tcp(stream)?, Some(rustls::Connection::from(tls)))
                }
                TlsStream::Server(stream) => {
                    let (stream, tls) = stream.into_inner();
                    (tcp(stream)?, Some(rustls::Connection::from(tls)))
                }
            },
        };
        Ok(Leg::new(socket, tls, early, coder))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
