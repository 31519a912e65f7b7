//! The two ends of one leg: the gateway's, as a worker gets it, and the peer's, which a scenario plays.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use socket2::SockRef;
use tidegate_wire::Side;

use crate::relay::{Leg, Socket};

/// What the legs of a session are made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Legs {
    Plain,
    Tls,
}

/// The far end of a leg.
pub(super) struct Peer {
    socket: TcpStream,
    tls: Option<Connection>,
}

impl Legs {
    /// A leg for `side` and its peer, both non-blocking.
    pub(super) fn pair(self, side: Side) -> (Leg, Peer) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        for socket in [&ours, &socket] {
            socket.set_nodelay(true).unwrap();
            socket.set_nonblocking(true).unwrap();
        }
        let ours = Socket::Tcp(mio::net::TcpStream::from_std(ours));
        let (our_tls, tls) = match self {
            Self::Plain => (None, None),
            Self::Tls => {
                let (client, server) = connections();
                match side {
                    Side::Client => (Some(server), Some(client)),
                    Side::Backend => (Some(client), Some(server)),
                }
            }
        };
        (Leg::new(ours, our_tls, Vec::new(), None), Peer { socket, tls })
    }
}

impl Peer {
    /// Reads what there is; zero is the orderly end, which TLS announces by its own alert.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(bytes) };
        loop {
            match tls.reader().read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            tls.read_tls(&mut self.socket)?;
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Writes what the socket takes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.write(bytes) };
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        let sealed = tls.writer().write(bytes)?;
        // What does not leave now leaves before the next bytes; the last ones are flushed by whoever waits for them.
        while tls.wants_write() && tls.write_tls(&mut self.socket).is_ok() {}
        Ok(sealed)
    }

    /// Says that nothing more will come. A connection that is gone already is finished.
    pub(super) fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() && tls.write_tls(&mut self.socket).is_ok() {}
        }
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Breaks the connection off.
    pub(super) fn reset(self) {
        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

fn configs() -> &'static Configs {
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    CONFIGS.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = || Arc::<CryptoProvider>::new(aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let server = server.unwrap().with_no_client_auth();
        Configs {
            client: Arc::new(client.unwrap().with_root_certificates(roots).with_no_client_auth()),
            server: Arc::new(server.with_single_cert(vec![certificate], key).unwrap()),
        }
    })
}

/// A client's and a server's end whose handshake is done.
fn connections() -> (Connection, Connection) {
    let configs = configs();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = Connection::from(ClientConnection::new(Arc::clone(&configs.client), name).unwrap());
    let mut server = Connection::from(ServerConnection::new(Arc::clone(&configs.server)).unwrap());
    while client.wants_write() || server.wants_write() {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    (client, server)
}

fn carry(from: &mut Connection, to: &mut Connection) {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        to.read_tls(&mut left).unwrap();
        to.process_new_packets().unwrap();
    }
}
