//! A stream that is read in turns: after so many bytes it lets others of its runtime go first.
//!
//! The library reads as long as there is something, and queues what it has read for the streams. Their tasks have to
//! run in between, or a fast client fills the queues with frames that its streams would have taken. It does not know
//! what is read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a turn: two windows of a stream, so that one session alone is never held up by it.
pub(super) const TURN_BYTES: usize = 64 * 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    left: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, left: TURN_BYTES }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            self.left = TURN_BYTES;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        // Where there is nothing to read, others have their turn by themselves.
        self.left = match polled {
            Poll::Ready(_) => self.left.saturating_sub(buf.filled().len() - before),
            Poll::Pending => TURN_BYTES,
        };
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
