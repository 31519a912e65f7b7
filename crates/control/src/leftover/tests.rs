//! How much is read of a body that nobody wants.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;

/// A body of frames of 64 KiB that counts how many were taken.
struct Counted {
    left: usize,
    taken: Arc<AtomicUsize>,
}

const FRAME_BYTES: usize = 64 * 1_024;
static FRAME: [u8; FRAME_BYTES] = [0; FRAME_BYTES];

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&FRAME)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

async fn taken_of(frames: usize, read: usize) -> usize {
    let taken = Arc::<AtomicUsize>::default();
    let counted = Counted { left: frames, taken: Arc::clone(&taken) };
    let mut body = Leftover::new(counted);
    for _ in 0..read {
        body.frame().await;
    }
    drop(body);
    // The reading task was spawned before this one yields, and its body is always ready.
    while Arc::strong_count(&taken) > 1 {
        tokio::task::yield_now().await;
    }
    taken.load(Ordering::Relaxed)
}

#[tokio::test]
async fn the_rest_is_read_to_its_end_or_its_bound() {
    let most = BYTES_MAX / FRAME_BYTES;
    for (frames, read, expected) in [(0, 0, 0), (3, 0, 3), (3, 1, 3), (3, 3, 3), (10_000, 2, 2 + most + 1)] {
        assert_eq!(taken_of(frames, read).await, expected, "{frames} frames, {read} read");
    }
}
