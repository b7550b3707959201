//! The only reader of time and of randomness in the Worker, and the only one that waits. Everything else is
//! handed both as values, so that `core` and `ledger` can be run on a virtual clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Function, Promise};
use postern_core::time::Timestamp;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The platform gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("no randomness: {0}")]
pub(crate) struct NoRandomness(String);

/// Milliseconds since 1970. Inside a Worker the clock moves on only after I/O (docs/platform.md 1.7).
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "an integral number of milliseconds, far below 2^53")]
    let now_ms = js_sys::Date::now() as i64;
    Timestamp(now_ms)
}

/// `N` random bytes, good enough for keys.
///
/// # Errors
/// The platform has no random source here (global scope of a Worker).
#[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(bytes)
}

/// Makes futures wake by a resolved promise instead of `queueMicrotask`: the platform wraps each callback of
/// the latter anew, which took 0.3 ms of an event's 3.5 (measured). wasm-bindgen takes the promise where it
/// finds no `queueMicrotask`. Call it before the first future runs.
pub(crate) fn wake_by_promise() {
    // Where it can't be taken away, waking is slower and nothing else.
    let _taken =
        js_sys::Reflect::set(&js_sys::global(), &JsValue::from_str("queueMicrotask"), &JsValue::UNDEFINED);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue) -> Result<(), JsValue>;
}

/// Completes after `ms` milliseconds; dropped earlier, it takes its timer along.
///
/// `worker::Delay` is not used: it takes the timer for a number, and at today's compatibility dates it is an
/// object, so it panics.
#[expect(clippy::disallowed_methods, reason = "the request's own timer resolves it")]
pub(crate) fn sleep(ms: u32) -> Sleep {
    let mut timer = None;
    let elapsed = Promise::new(&mut |resolve, _reject| match set_timeout(&resolve, f64::from(ms)) {
        Ok(started) => timer = Some((started, resolve)),
        // Without a timer there is no waiting.
        Err(_refused) => drop(resolve.call0(&JsValue::UNDEFINED)),
    });
    Sleep { timer, elapsed: JsFuture::from(elapsed) }
}

/// See [`sleep`].
pub(crate) struct Sleep {
    /// The timer, and what it calls.
    timer: Option<(JsValue, Function)>,
    elapsed: JsFuture,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.elapsed).poll(context).map(|_undefined| self.timer = None)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((timer, resolve)) = &self.timer {
            // A timer that is gone already is what is wanted.
            let _gone = clear_timeout(timer);
            // A promise that never settles is kept for ever, with what waits for it: `JsFuture` holds itself
            // (findings/wasm-bindgen-a-dropped-future-stays.sh).
            let _settled = resolve.call0(&JsValue::UNDEFINED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_differ_each_time() {
        assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
    }
}
