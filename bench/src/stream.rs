//! A non-blocking byte stream to a gateway, plain or in TLS, with what its socket did not take yet.
//!
//! It knows no frames. Edges, not levels: after an event it is to be read until it has no more.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use mio::net::TcpStream;
use rustix::io::Errno;
use rustls::{ClientConfig, ClientConnection, RootCertStore, client::Resumption, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// See the module.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Bounded by what the user of the stream keeps in flight.
    unsent: Vec<u8>,
    /// The other side has said goodbye: its end is no loss.
    pub(crate) may_end: bool,
}

/// A configuration that trusts the certificates in a file, and no others. Every session makes a full handshake.
pub(crate) fn trusting(certificates: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificates)
        .with_context(|| format!("cannot read {}", certificates.display()))?
    {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

impl Stream {
    /// Begins to connect, from this address if one is given.
    pub(crate) fn connect(to: SocketAddr, from: Option<Ipv4Addr>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if let Some(from) = from.filter(|_| to.is_ipv4()) {
            socket.bind(&SocketAddr::from((from, 0)).into())?;
        }
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&to.into()) {
            // What the system says while a connection is under way.
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
            _ => Ok(Self::of(TcpStream::from_std(socket.into()))),
        }
    }

    /// A stream on a socket that is connected.
    pub(crate) fn of(socket: TcpStream) -> Self {
        Self { socket, tls: None, unsent: Vec::new(), may_end: false }
    }

    /// From now on what is sent is encrypted.
    pub(crate) fn encrypt(
        &mut self,
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        tls.set_buffer_limit(None);
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Sends, or keeps what the socket does not take until [`Stream::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return self.flush();
        }
        let sent = if self.unsent.is_empty() { write(&mut self.socket, bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was kept; to be called when the socket can be written again.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.unsent)?;
            }
        }
        if self.unsent.is_empty() {
            return Ok(());
        }
        let sent = write(&mut self.socket, &self.unsent)?;
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        Ok(())
    }

    /// Whether something waits for the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Reads once: how much, zero at the end of the stream, or `None` when there is nothing now.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            let read = match &mut self.tls {
                None => self.socket.read(buffer),
                Some(tls) => tls.reader().read(buffer),
            };
            match read {
                Ok(read) => return Ok(Some(read)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Some(0)),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) => {}
            }
            let Some(tls) = &mut self.tls else { return Ok(None) };
            match tls.read_tls(&mut self.socket) {
                Ok(0) => return Ok(Some(0)),
                Ok(_) => {
                    tls.process_new_packets().map_err(io::Error::other)?;
                    self.flush()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a read that gave so much of so much room was the last one: a plain socket that fills less has no more.
    pub(crate) fn is_drained(&self, read: usize, room: usize) -> bool {
        self.tls.is_none() && read < room
    }

    /// Closes with a reset, so that one run after another leaves no sockets in `TIME_WAIT`.
    pub(crate) fn abort(self) {
        // A socket that is gone needs no reset.
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}

fn write(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match socket.write(&bytes[sent..]) {
            Ok(taken) => sent += taken,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
