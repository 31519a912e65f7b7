//! The header with which a proxy says for whom it connects: `HAProxy`'s PROXY protocol, versions 1 and 2, without IO.
//!
//! It is strict: what is neither a whole header nor the beginning of one is refused at its first wrong byte, and no
//! length that is declared is believed beyond a bound. Whether the sender may be believed is not known here. The
//! paragraphs named are those of `proxy-protocol.txt` of `HAProxy` 2.2 and later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, its end included (section 2.1).
const V1_BYTES_MAX: usize = 107;
/// The longest header of version 2 that is read, extensions included. The protocol allows 64 KiB; what proxies send, names
/// of clients' certificates and cloud networks included, is a few hundred bytes.
const V2_BYTES_MAX: usize = 4_096;

/// How version 1 begins.
const V1_MARK: &[u8] = b"PROXY ";
/// How version 2 begins.
const V2_MARK: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The mark, version and command, family and transport, and the length of what follows.
const V2_FIXED_BYTES: usize = 16;
/// The extension that tells of the client's TLS (section 2.2.6), and the bit in it that says there was some.
const V2_SSL: u8 = 0x20;
const V2_CLIENT_SSL: u8 = 0x01;

/// For whom the sender connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// For itself, or it does not know: the connection's own address holds.
    Itself,
    /// For somebody else.
    Client {
        /// Who connected to the proxy.
        address: SocketAddr,
        /// It is said that the client came over TLS.
        is_tls: bool,
    },
}

/// A whole header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProxyHeader {
    pub(crate) origin: Origin,
    /// Bytes that belong to it; what follows is the connection's.
    pub(crate) len: usize,
}

/// Why a connection that must begin with a header does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHeader {
    /// Something else comes, for example a request.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// It begins like one and goes on otherwise.
    #[error("the PROXY header is malformed")]
    Malformed,
    /// It has no end where it must have one.
    #[error("the PROXY header is too long")]
    TooLong,
}

/// The header that the bytes begin with; `None` while it is not whole.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<ProxyHeader>, BadHeader> {
    let may_be = |mark: &[u8]| bytes.iter().zip(mark).all(|(byte, marked)| byte == marked);
    match (may_be(V2_MARK), may_be(V1_MARK)) {
        (true, _) => v2(bytes),
        (_, true) => v1(bytes),
        _ => Err(BadHeader::Missing),
    }
}

fn v1(bytes: &[u8]) -> Result<Option<ProxyHeader>, BadHeader> {
    // Two bytes end it, so the first of them is not the last that it may have.
    let mut first = bytes.iter().take(V1_BYTES_MAX - 1);
    let Some(end) = first.position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return if bytes.len() < V1_BYTES_MAX - 1 { Ok(None) } else { Err(BadHeader::TooLong) };
    };
    let origin = match bytes[end..] {
        [b'\r', b'\n', ..] => line(bytes.get(V1_MARK.len()..end).unwrap_or_default())?,
        [b'\r'] => return Ok(None),
        _ => return Err(BadHeader::Malformed),
    };
    Ok(Some(ProxyHeader { origin, len: end + 2 }))
}

/// What stands between the mark and the end of version 1.
fn line(line: &[u8]) -> Result<Origin, BadHeader> {
    let line = str::from_utf8(line).map_err(|_| BadHeader::Malformed)?;
    let mut words = line.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        // Whatever else it says is to be ignored.
        return Ok(Origin::Itself);
    }
    let [Some(client), Some(gateway), Some(client_port), Some(gateway_port), None] =
        [(); 5].map(|()| words.next())
    else {
        return Err(BadHeader::Malformed);
    };
    let address = |text: &str| match family {
        Some("TCP4") => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Some("TCP6") => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    };
    let read = (address(client), address(gateway), port(client_port), port(gateway_port));
    let (Some(client), Some(_), Some(client_port), Some(_)) = read else { return Err(BadHeader::Malformed) };
    Ok(Origin::Client { address: SocketAddr::new(client.to_canonical(), client_port), is_tls: false })
}

/// A port as version 1 writes it: digits alone, none of them superfluous.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn v2(bytes: &[u8]) -> Result<Option<ProxyHeader>, BadHeader> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<V2_FIXED_BYTES>() else { return Ok(None) };
    let [.., version_and_command, family_and_transport, high, low] = *fixed;
    let (version, command) = (version_and_command >> 4, version_and_command & 0x0f);
    if version != 2 || command > 1 {
        return Err(BadHeader::Malformed);
    }
    let len = usize::from(u16::from_be_bytes([high, low]));
    if V2_FIXED_BYTES + len > V2_BYTES_MAX {
        return Err(BadHeader::TooLong);
    }
    let Some(block) = rest.get(..len) else { return Ok(None) };
    // LOCAL (section 2.2): the proxy's own question whether somebody is there; what follows means nothing.
    let origin = if command == 0 { Origin::Itself } else { proxied(family_and_transport, block)? };
    Ok(Some(ProxyHeader { origin, len: V2_FIXED_BYTES + len }))
}

/// The addresses and extensions of a PROXY command.
fn proxied(family_and_transport: u8, block: &[u8]) -> Result<Origin, BadHeader> {
    let (ip, ports, extensions) = match family_and_transport {
        0x11 => {
            let (addresses, extensions) = block.split_first_chunk::<12>().ok_or(BadHeader::Malformed)?;
            let [a, b, c, d, _, _, _, _, ports @ ..] = *addresses;
            (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), ports, extensions)
        }
        0x21 => {
            let (client, rest) = block.split_first_chunk::<16>().ok_or(BadHeader::Malformed)?;
            let (_, rest) = rest.split_first_chunk::<16>().ok_or(BadHeader::Malformed)?;
            let (ports, extensions) = rest.split_first_chunk::<4>().ok_or(BadHeader::Malformed)?;
            (IpAddr::V6(Ipv6Addr::from(*client)), *ports, extensions)
        }
        // What exists and cannot be a client of ours is as good as unknown (section 2.2): datagrams, Unix sockets.
        other if other >> 4 <= 3 && other & 0x0f <= 2 => return Ok(Origin::Itself),
        _ => return Err(BadHeader::Malformed),
    };
    let port = u16::from_be_bytes([ports[0], ports[1]]);
    Ok(Origin::Client { address: SocketAddr::new(ip.to_canonical(), port), is_tls: is_tls(extensions)? })
}

/// Whether the extensions say that the client came over TLS.
fn is_tls(mut extensions: &[u8]) -> Result<bool, BadHeader> {
    let mut is_tls = false;
    while !extensions.is_empty() {
        let (&[kind, high, low], rest) = extensions.split_first_chunk().ok_or(BadHeader::Malformed)?;
        let len = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(len).ok_or(BadHeader::Malformed)?;
        if kind == V2_SSL {
            is_tls = value.first().ok_or(BadHeader::Malformed)? & V2_CLIENT_SSL != 0;
        }
        extensions = rest;
    }
    Ok(is_tls)
}

#[cfg(test)]
mod tests;
