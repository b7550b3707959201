//! The only reader of time and randomness in the page.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::time::Timestamp;

/// The present, to the millisecond.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds of this millennium")]
    Timestamp(js_sys::Date::now() as i64)
}

/// Minutes that local time is ahead of UTC at `at`.
pub(crate) fn offset_min(at: Timestamp) -> i64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit 53 bits")]
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at.0 as f64));
    #[expect(clippy::cast_possible_truncation, reason = "at most a day, in minutes")]
    let behind = date.get_timezone_offset() as i64;
    -behind
}

/// A number from 0 to 1 that nobody needs to fail to guess (jitter, not secrets).
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// The present as a signal that moves once a second: what relative times and countdowns are read from.
#[derive(Clone, Copy)]
pub(crate) struct Clock(RwSignal<Timestamp>);

impl Clock {
    /// Starts it and offers it to everything below.
    pub(crate) fn provide() {
        let tick = RwSignal::new(now());
        set_interval(move || tick.set(now()), Duration::from_secs(1));
        provide_context(Self(tick));
    }

    /// The present; reactive.
    pub(crate) fn now(self) -> Timestamp {
        self.0.get()
    }
}

/// The clock of the page.
pub(crate) fn use_clock() -> Clock {
    expect_context()
}
