//! What is left of a request's body when it was answered without being read to its end: read and thrown away.
//!
//! A refusal often comes before the body is read. Were the rest left unread, the connection would have to be closed
//! under a client that still writes, and the answer could be lost with it (RFC 9112, section 9.6); the next request on
//! it certainly would. Reading is bounded in bytes and time: a client that has far more to say loses its connection.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

/// Most bytes read for nothing: many times what any call takes, at the price of a moment's copying.
const BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A body whose rest is read when it is dropped.
pub(crate) struct Leftover<B: Body<Data = Bytes> + Send + Unpin + 'static>(Option<B>);

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Leftover<B> {
    pub(crate) fn new(body: B) -> Self {
        Self(Some(body))
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Body for Leftover<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Drop for Leftover<B> {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        // Without a runtime everything ends anyway.
        let Ok(runtime) = Handle::try_current() else { return };
        // Detached: bounded by both limits, and it ends with its connection.
        runtime.spawn(timeout(PATIENCE, throw_away(body)));
    }
}

async fn throw_away(mut body: impl Body<Data = Bytes> + Unpin) {
    let mut left = BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(less) = left.checked_sub(bytes) else { return };
        left = less;
    }
}

#[cfg(test)]
mod tests;
