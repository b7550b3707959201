//! Waiting for a condition with a deadline: the only way in which a test waits.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postern_core::time::Timestamp;

/// How long a condition may take that nothing but a busy machine delays.
pub const SOON: Duration = Duration::from_secs(30);

/// Pause between two looks: short beside what is waited for, long beside what a look costs.
const PAUSE: Duration = Duration::from_millis(40);

/// Calls `look` until it yields a value, and returns that.
///
/// `what` completes the sentence "within 30 s, …" of the panic at the deadline.
pub async fn eventually<T>(what: &str, deadline: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < deadline, "not within {} s: {what}", deadline.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}

/// Calls `look` until it is true.
pub async fn until(what: &str, deadline: Duration, mut look: impl AsyncFnMut() -> bool) {
    eventually(what, deadline, async || look().await.then_some(())).await;
}

/// The time so many milliseconds from now.
#[must_use]
pub fn in_ms(ms: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    Timestamp(i64::try_from(now.as_millis()).expect("milliseconds fit")).plus_ms(ms)
}
