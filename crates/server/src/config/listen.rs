//! Addresses to listen on: how they are written, and how they are bound.
//!
//! A bare port means all interfaces, both IPv6 and IPv4; `localhost` means both loopback addresses, since clients
//! try either first. It does not know what is served there.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Problem, problem};

/// Connections that may wait to be accepted. The kernel caps it (`net.core.somaxconn`, 4,096 on Linux); bursts of
/// reconnecting clients are what it is for.
const BACKLOG: i32 = 4_096;
/// How often two loopback addresses are tried to find a port that is free on both.
const FREE_PORT_TRIES: usize = 32;

/// Which addresses of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interfaces {
    /// Every one, IPv6 and IPv4.
    All,
    /// `127.0.0.1` and `::1`.
    Loopback,
    /// This one.
    One(IpAddr),
}

/// An address to listen on, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    flag: &'static str,
    variable: &'static str,
    interfaces: Interfaces,
    port: u16,
}

/// An address that is listened on: one port on one or two sockets.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The sockets; at least one.
    pub(crate) listeners: Vec<TcpListener>,
    /// Their port.
    pub(crate) port: u16,
}

/// A port that cannot be listened on; one line that says how to mend it.
#[derive(Debug)]
pub(crate) struct BindError {
    listen: Listen,
    source: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listen { flag, variable, port, .. } = self.listen;
        match self.source.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "port {port} is in use by another program; stop it, or choose another port with {flag} ({variable}), for example {flag} 0 for any free one"
            ),
            io::ErrorKind::PermissionDenied => write!(
                f,
                "port {port} may not be opened by this user; choose one above 1023 with {flag} ({variable})"
            ),
            io::ErrorKind::AddrNotAvailable => write!(
                f,
                "{} is not an address of this machine; choose another with {flag} ({variable})",
                self.listen
            ),
            _ => write!(
                f,
                "cannot listen on {}: {}; choose another with {flag} ({variable})",
                self.listen, self.source
            ),
        }
    }
}

impl std::error::Error for BindError {}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interfaces {
            Interfaces::All => write!(f, "port {}", self.port),
            Interfaces::Loopback => write!(f, "localhost:{}", self.port),
            Interfaces::One(ip) => SocketAddr::new(ip, self.port).fmt(f),
        }
    }
}

impl Listen {
    /// Reads `PORT`, `:PORT`, `IP:PORT`, `[IPv6]:PORT`, `localhost:PORT` or `*:PORT`.
    pub(crate) fn parse(flag: &'static str, variable: &'static str, written: &str) -> Result<Self, Problem> {
        let text = written.trim();
        let refuse = |detail: &str| problem(flag, variable, format!("“{written}” {detail}"));
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port = port.parse::<u16>().map_err(|_| {
            refuse("does not end in a port from 0 to 65535; write PORT, IP:PORT or localhost:PORT")
        })?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let interfaces = match (host, bare) {
            ("" | "*", _) | (_, Some("::")) => Interfaces::All,
            ("localhost", _) => Interfaces::Loopback,
            (_, Some(v6)) => Interfaces::One(v6.parse::<Ipv6Addr>().map_err(|_| refuse("has no IPv6 address in its brackets"))?.into()),
            (v4, None) => Interfaces::One(v4.parse::<Ipv4Addr>().map_err(|_| {
                refuse("does not begin with an address of this machine; write PORT, IP:PORT, [IPv6]:PORT or localhost:PORT")
            })?.into()),
        };
        Ok(Self { flag, variable, interfaces, port })
    }

    /// Listens.
    pub(crate) fn bind(&self) -> Result<Bound, BindError> {
        self.bound().map_err(|source| BindError { listen: self.clone(), source })
    }

    fn bound(&self) -> io::Result<Bound> {
        let (first, second) = match self.interfaces {
            // One socket for both families; where IPv6 is switched off, IPv4 alone.
            Interfaces::All => match listen(IpAddr::V6(Ipv6Addr::UNSPECIFIED), self.port, false) {
                Err(error) if lacks_ipv6(&error) => {
                    (listen(IpAddr::V4(Ipv4Addr::UNSPECIFIED), self.port, false)?, None)
                }
                bound => (bound?, None),
            },
            Interfaces::Loopback => self.both_loopbacks()?,
            Interfaces::One(ip) => (listen(ip, self.port, true)?, None),
        };
        let port = first.local_addr()?.port();
        Ok(Bound { listeners: std::iter::once(first).chain(second).collect(), port })
    }

    /// `127.0.0.1` and `::1` on the same port; a free one must be free on both.
    fn both_loopbacks(&self) -> io::Result<(TcpListener, Option<TcpListener>)> {
        let mut tries = 0;
        loop {
            let v4 = listen(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port, true)?;
            match listen(IpAddr::V6(Ipv6Addr::LOCALHOST), v4.local_addr()?.port(), true) {
                Ok(v6) => return Ok((v4, Some(v6))),
                Err(error) if lacks_ipv6(&error) => return Ok((v4, None)),
                Err(error)
                    if self.port == 0
                        && error.kind() == io::ErrorKind::AddrInUse
                        && tries < FREE_PORT_TRIES =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn listen(ip: IpAddr, port: u16, only_v6: bool) -> io::Result<TcpListener> {
    let address = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if ip.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    // Lets a restart take the port while old connections linger in TIME_WAIT; two listeners still collide.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
