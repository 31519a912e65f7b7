//! Waiting for what must come: a condition is asked again until it holds, and a deadline turns patience into a failure
//! that names what was waited for. Nothing here sleeps for the sake of sleeping.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::time::{sleep, timeout};

/// Patience for what takes milliseconds on a quiet machine and may take seconds on a busy one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < patience, "waited {patience:?} in vain: {what}");
        sleep(PAUSE).await;
    }
}

/// The future's answer, which must come in time.
pub(crate) async fn within<T>(what: &str, patience: Duration, future: impl Future<Output = T>) -> T {
    timeout(patience, future).await.unwrap_or_else(|_| panic!("waited {patience:?} in vain: {what}"))
}

/// Seconds that are left of this calendar minute, in which the product's windows are measured.
pub(crate) fn seconds_left_in_minute() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    60 - since.as_secs() % 60
}

/// Returns when so many seconds are left of a calendar minute; at once if they are already.
pub(crate) async fn minute_with(seconds: u64) {
    until("the next minute", Duration::from_secs(61), async || {
        (seconds_left_in_minute() > seconds).then_some(())
    })
    .await;
}
