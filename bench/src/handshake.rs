//! The opening handshake of RFC 6455 as text: what a client asks, what a backend answers, and whether it fits.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};

/// The key of every handshake: a gateway's cost does not depend on it, and nobody caches these answers.
pub(crate) const KEY: &str = "dGlkZWdhdGUtYmVuY2ghIQ==";

/// What a client sends; `fields` are further header fields, each with its line end.
pub(crate) fn request(target: &str, host: &str, fields: &str) -> Vec<u8> {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n",
    );
    request.into_bytes()
}

/// The length of the answer's head, once it is there; anything but a good 101 is an error.
pub(crate) fn opened(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(length) = head_bytes(answer) else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..length]);
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        let problem = String::from_utf8_lossy(&answer[length..]);
        return Err(io::Error::other(format!("the handshake was refused: {status} {problem}")));
    }
    if field(&head, "sec-websocket-accept") != Some(&accept_key(KEY)) {
        return Err(io::Error::other("the answer to the handshake has a wrong accept key"));
    }
    Ok(Some(length))
}

/// What a backend answers to a request's head.
pub(crate) fn switching(head: &str) -> io::Result<String> {
    let key =
        field(head, "sec-websocket-key").ok_or_else(|| io::Error::other("this is no WebSocket handshake"))?;
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    ))
}

/// The length of a head (request or response), if it is there to its end.
pub(crate) fn head_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The value of a header field in a head.
pub(crate) fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The value of `Sec-WebSocket-Accept` for a key (RFC 6455, section 4.2.2).
pub(crate) fn accept_key(key: &str) -> String {
    let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_accept_key_is_the_one_of_the_rfc() {
        assert_eq!(super::accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
