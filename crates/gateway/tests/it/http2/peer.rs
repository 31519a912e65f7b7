//! A client of HTTP/2: connections, what is asked on their streams, and streams as byte streams.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use h2::{Reason, RecvStream, SendStream, client::SendRequest, ext::Protocol};
use http::{Request, Response};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::JoinHandle,
};

use crate::{
    client::{Answer, Client},
    rig::Rig,
    socket::{Duplex, Frames, Head},
    soon,
    world::{PATH, World},
};

/// What a stream asks, a right handshake unless it was changed.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) protocol: Option<&'static str>,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Ask {
    pub(crate) fn to(target: &str) -> Self {
        Self {
            method: "CONNECT",
            protocol: Some("websocket"),
            target: target.to_owned(),
            headers: vec![("sec-websocket-version".to_owned(), "13".to_owned())],
        }
    }

    pub(crate) fn usual(world: &World) -> Self {
        Self::to(PATH).bearer(&world.token())
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| header.0 != name);
        self
    }

    /// An ordinary request.
    pub(crate) fn get(self) -> Self {
        Self { method: "GET", protocol: None, ..self }
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::builder().method(self.method);
        request = match (self.method, self.protocol) {
            ("CONNECT", None) => request.uri("gateway.test:8099"),
            _ => request.uri(format!("https://gateway.test:8099{}", self.target)),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(()).unwrap();
        if let Some(protocol) = self.protocol {
            request.extensions_mut().insert(Protocol::from_static(protocol));
        }
        request
    }
}

/// A connection. Streams live as long as it does.
pub(crate) struct Connection {
    send: SendRequest<Bytes>,
    /// Ends with the connection.
    driving: JoinHandle<Result<(), h2::Error>>,
}

/// A stream that was asked for.
pub(crate) struct Asking {
    pub(crate) answer: h2::client::ResponseFuture,
    pub(crate) send: SendStream<Bytes>,
}

impl Connection {
    /// One that takes much in all, and as much as usual of each stream.
    pub(crate) async fn open(rig: &Rig) -> Self {
        Self::over(rig.secure_by(&["h2", "http/1.1"]).await).await
    }

    /// The same, over TLS of the test's own.
    pub(crate) async fn over(stream: Box<dyn Duplex>) -> Self {
        let mut settings = h2::client::Builder::new();
        settings.initial_connection_window_size(16 << 20);
        let (mut send, mut connection) = soon("HTTP/2", settings.handshake(stream)).await.unwrap();
        let settings = std::future::poll_fn(|cx| {
            let ended = Pin::new(&mut connection).poll(cx).is_ready();
            assert!(!ended, "the connection goes on");
            if send.is_extended_connect_protocol_enabled() { Poll::Ready(()) } else { Poll::Pending }
        });
        soon("the gateway's SETTINGS", settings).await;
        send = soon("a place for a stream", send.ready()).await.unwrap();
        Self { send, driving: tokio::spawn(connection) }
    }

    pub(crate) async fn begin(&self, ask: &Ask, is_last: bool) -> Result<Asking, h2::Error> {
        let mut send = soon("a place for a stream", self.send.clone().ready()).await?;
        let (answer, send) = send.send_request(ask.request(), is_last)?;
        Ok(Asking { answer, send })
    }

    /// Opens a session.
    pub(crate) async fn session(&self, ask: &Ask) -> Client {
        self.begin(ask, false).await.unwrap().opened().await
    }

    /// Asks what must be refused.
    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        let asking = self.begin(ask, ask.method != "CONNECT").await.unwrap();
        let response = soon("an answer", asking.answer).await.unwrap();
        let head = head(&response);
        assert_ne!((response.status().as_u16(), ask.method), (200, "CONNECT"), "{head:?}");
        let (parts, body) = response.into_parts();
        let body = whole(body).await.unwrap();
        if ask.method != "HEAD" {
            assert_eq!(head.one("content-length"), body.len().to_string());
        }
        Answer { status: parts.status.as_u16(), head, body }
    }

    /// The connection is torn.
    pub(crate) fn tear(self) {
        self.driving.abort();
    }

    /// How it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), h2::Error> {
        let Self { send, driving } = self;
        drop(send);
        soon("the connection's end", driving).await.unwrap()
    }

    /// How the gateway ends it, while the client would go on.
    pub(crate) async fn ended_by_gateway(&mut self) -> Result<(), h2::Error> {
        soon("the connection's end", &mut self.driving).await.unwrap()
    }
}

impl Asking {
    /// The session that must come of it.
    pub(crate) async fn opened(self) -> Client {
        let (head, tunnel) = self.tunnel().await;
        Client { head, frames: Frames::of_client(Box::new(tunnel) as Box<dyn Duplex>) }
    }

    pub(crate) async fn tunnel(self) -> (Head, Tunnel) {
        let response = soon("an answer", self.answer).await.unwrap();
        let head = head(&response);
        let receive = response.into_body();
        assert_eq!(head.start, "200", "{head:?}");
        (head, Tunnel { receive, send: self.send, unread: Bytes::new(), gives_back: true })
    }
}

/// All bytes of a stream until its orderly end.
pub(crate) async fn whole(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = soon("bytes or the end", body.data()).await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        bytes.extend(chunk);
    }
    assert!(body.is_end_stream());
    Ok(bytes)
}

fn head(response: &Response<RecvStream>) -> Head {
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Head {
        start: response.status().as_str().to_owned(),
        headers: headers.collect(),
        text: format!("{response:?}"),
    }
}

/// A stream as a byte stream.
pub(crate) struct Tunnel {
    pub(crate) receive: RecvStream,
    pub(crate) send: SendStream<Bytes>,
    unread: Bytes,
    /// What is read may be sent anew.
    pub(crate) gives_back: bool,
}

impl Tunnel {
    /// Takes the stream back.
    pub(crate) fn reset(&mut self) {
        self.send.send_reset(Reason::CANCEL);
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            match std::task::ready!(self.receive.poll_data(cx)) {
                Some(bytes) => self.unread = bytes.map_err(io::Error::other)?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let bytes = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..bytes]);
        self.unread.advance(bytes);
        if self.gives_back {
            let _ = self.receive.flow_control().release_capacity(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.send.reserve_capacity(buf.len());
        while self.send.capacity() == 0 {
            match std::task::ready!(self.send.poll_capacity(cx)) {
                Some(granted) => granted.map_err(io::Error::other)?,
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            };
        }
        let bytes = self.send.capacity().min(buf.len());
        let sent = self.send.send_data(Bytes::copy_from_slice(&buf[..bytes]), false);
        Poll::Ready(sent.map(|()| bytes).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.send.send_data(Bytes::new(), true).map_err(io::Error::other))
    }
}
