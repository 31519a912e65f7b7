//! A non-blocking socket with what was begun on it: bytes not yet sent, and the front of a piece not yet whole.
//!
//! It knows no frames; who uses it says how much of what was read is dealt with. Edges, not levels: it reads until
//! the socket has no more.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;
use socket2::SockRef;

/// Read at once. A piece (a head or a frame) must fit.
pub(crate) const SCRATCH_BYTES: usize = 1 << 20;

/// What the sockets of one thread read into and answer from.
pub(crate) struct Scratch {
    input: Box<[u8]>,
    output: Vec<u8>,
}

/// See the module.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    /// The front of a piece.
    begun: Vec<u8>,
    /// What the socket did not take. Bounded by what the peer owes an answer to.
    unsent: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { input: vec![0; SCRATCH_BYTES].into_boxed_slice(), output: Vec::new() }
    }
}

impl Wire {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, begun: Vec::new(), unsent: Vec::new() }
    }

    /// Sends, or keeps what the socket does not take until [`Wire::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = if self.unsent.is_empty() { write(&mut self.socket, bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was kept; to be called when the socket can be written again.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let sent = write(&mut self.socket, &self.unsent)?;
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        Ok(())
    }

    /// Reads all there is. `take` gets the bytes and a place for answers, and says how many bytes are dealt with.
    /// Answers whether the peer has ended.
    pub(crate) fn receive(
        &mut self,
        scratch: &mut Scratch,
        mut take: impl FnMut(&mut [u8], &mut Vec<u8>) -> io::Result<usize>,
    ) -> io::Result<bool> {
        let Scratch { input, output } = scratch;
        loop {
            let begun = self.begun.len();
            if begun == input.len() {
                return Err(io::Error::other("a piece is larger than the scratch"));
            }
            input[..begun].copy_from_slice(&self.begun);
            let read = match self.socket.read(&mut input[begun..]) {
                Ok(0) => return Ok(true),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            output.clear();
            let bytes = &mut input[..begun + read];
            let taken = take(bytes, output)?;
            self.begun.clear();
            self.begun.extend_from_slice(&bytes[taken..]);
            if self.begun.is_empty() {
                self.begun = Vec::new();
            }
            self.send(output)?;
        }
    }

    /// Closes with a reset, so that one run after another leaves no sockets in `TIME_WAIT`.
    pub(crate) fn abort(self) {
        // A socket that is gone needs no reset.
        let _ = SockRef::from(&self.socket).set_linger(Some(std::time::Duration::ZERO));
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
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha1::{Digest as _, Sha1};
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
