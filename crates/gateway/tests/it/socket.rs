//! A byte stream and the WebSocket frames on it, written by hand from RFC 6455: what the gateway is measured by must
//! not be the gateway's own.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::soon;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
pub(crate) const CONTINUATION: u8 = 0;
/// The reserved bit that an opcode has where its message is compressed (RFC 7692 section 6).
pub(crate) const COMPRESSED: u8 = 0x40;

/// Any stream.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The first line and the headers of a message, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    /// As it came.
    pub(crate) text: String,
}

/// A control frame or a whole message, unmasked. The opcode is with [`COMPRESSED`] where that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// One end of a connection.
pub(crate) struct Frames {
    stream: Box<dyn Duplex>,
    /// Read and not used yet.
    read: Vec<u8>,
    /// A client masks, a backend does not (RFC 6455 section 5.1); each insists on the opposite.
    masks: bool,
    next_key: u32,
    /// A message whose last fragment has not come.
    begun: Option<Frame>,
}

impl Head {
    fn parse(text: String) -> Self {
        let mut lines = text.trim_end().split("\r\n");
        let start = lines.next().unwrap().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} is a header"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers = lines.map(header).collect();
        Self { start, headers, text }
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|header| header.0 == name).map(|header| &*header.1).collect()
    }

    /// The only value of a header.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} stands once in {}", self.text);
        all[0]
    }
}

/// A frame as a client (with a key) or a backend writes it.
pub(crate) fn encode(opcode: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    let mask = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ 0..126 => bytes.push(mask | u8::try_from(len).unwrap()),
        len @ 126..0x1_0000 => {
            bytes.push(mask | 0x7e);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(mask | 0x7f);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// A frame as it was read.
struct Read {
    frame: Frame,
    is_last: bool,
    is_masked: bool,
    /// Its length on the wire.
    len: usize,
}

/// The frame that the bytes begin with, if it is whole.
fn decode(bytes: &[u8]) -> Option<Read> {
    let [first, second, rest @ ..] = bytes else { return None };
    assert_eq!(first & 0x30, 0, "no bits that nothing gives a meaning to");
    let (len, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk::<2>().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?
        }
        127 => rest.split_first_chunk::<8>().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
        len => (u64::from(len), rest),
    };
    let is_masked = second & 0x80 != 0;
    let (key, rest) = if is_masked { rest.split_first_chunk::<4>()? } else { (&[0; 4], rest) };
    let payload = rest.get(..usize::try_from(len).unwrap())?;
    let payload: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let len = bytes.len() - rest.len() + payload.len();
    let frame = Frame { opcode: first & 0x4f, payload };
    Some(Read { frame, is_last: first & 0x80 != 0, is_masked, len })
}

impl Frames {
    pub(crate) fn of_client(stream: Box<dyn Duplex>) -> Self {
        Self { stream, read: Vec::new(), masks: true, next_key: 1, begun: None }
    }

    pub(crate) fn of_backend(stream: Box<dyn Duplex>) -> Self {
        Self { stream, read: Vec::new(), masks: false, next_key: 1, begun: None }
    }

    /// What was read behind what was asked for.
    pub(crate) fn unused(&self) -> &[u8] {
        &self.read
    }

    /// More bytes; `false` at the end of the stream, orderly or not.
    async fn more(&mut self) -> bool {
        soon("bytes", self.stream.read_buf(&mut self.read)).await.is_ok_and(|some| some > 0)
    }

    /// The next head; `None` where the stream ends before it.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = self.read.drain(..at + 4).collect();
                return Some(Head::parse(String::from_utf8(head).expect("a head is text")));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Everything until the stream ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    /// The next control frame or whole message; `None` where the stream ends before it.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let Some(read) = decode(&self.read) else {
                if self.more().await {
                    continue;
                }
                return None;
            };
            self.read.drain(..read.len);
            assert_eq!(read.is_masked, !self.masks, "clients mask and backends do not");
            if let Some(whole) = self.assembled(read) {
                return Some(whole);
            }
        }
    }

    /// What has become whole with this frame.
    fn assembled(&mut self, Read { frame, is_last, .. }: Read) -> Option<Frame> {
        if frame.opcode == CONTINUATION {
            let begun = self.begun.as_mut().expect("something to continue");
            begun.payload.extend(frame.payload);
            return if is_last { self.begun.take() } else { None };
        }
        if is_last {
            return Some(frame);
        }
        assert_eq!(self.begun.replace(frame), None, "one message at a time");
        None
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon("room for bytes", async {
            self.stream.write_all(bytes).await.unwrap();
            self.stream.flush().await.unwrap();
        })
        .await;
    }

    /// Says that nothing more will come.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(crate) async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let frame = self.frame(opcode, payload);
        self.write(&frame).await;
    }

    /// A frame as this end writes it.
    pub(crate) fn frame(&mut self, opcode: u8, payload: &[u8]) -> Vec<u8> {
        self.next_key = self.next_key.wrapping_mul(0x0101_0101).wrapping_add(0x9e37_79b9);
        encode(opcode, payload, self.masks.then(|| self.next_key.to_be_bytes()))
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes()).await;
    }

    /// The next frame, which is a text.
    pub(crate) async fn hear(&mut self) -> String {
        let frame = self.next().await.expect("a text comes");
        assert_eq!(frame.opcode, TEXT, "a text comes, not {frame:?}");
        String::from_utf8(frame.payload).unwrap()
    }

    /// Says goodbye.
    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        self.send(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat()).await;
    }

    /// The next frame, which is a Close: its code and reason. It is answered, and the stream ends.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let frame = self.next().await.expect("a Close comes");
        assert_eq!(frame.opcode, CLOSE, "a Close comes, not {frame:?}");
        self.farewell(&frame).await
    }

    /// The Close that comes, behind Pings that are answered.
    pub(crate) async fn closed_after_pongs(&mut self) -> (u16, String) {
        loop {
            let frame = self.next().await.expect("the goodbye");
            if frame.opcode != PING {
                return self.farewell(&frame).await;
            }
            self.send(PONG, &frame.payload).await;
        }
    }

    /// Answers a Close.
    pub(crate) async fn farewell(&mut self, close: &Frame) -> (u16, String) {
        let answer = self.frame(CLOSE, &close.payload);
        // Whoever said goodbye may be gone before the answer.
        let _ = soon("room for an answer", async {
            self.stream.write_all(&answer).await?;
            self.stream.flush().await
        })
        .await;
        let (code, reason) = close.payload.split_first_chunk::<2>().expect("a Close has a code");
        (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
    }
}
