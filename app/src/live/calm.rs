//! Doing once what many changes ask for.

use std::time::Duration;

use leptos::prelude::*;

/// How often what deliveries change may be loaded again while deliveries keep changing.
const CALM: Duration = Duration::from_millis(1_500);

/// Calls `act` soon, but once for many calls in a row.
pub(crate) fn calmly(act: impl Fn() + Copy + 'static) -> impl Fn() + Copy {
    at_most_every(CALM, act)
}

/// Calls `act` after `wait`, but once for many calls meanwhile.
pub(crate) fn at_most_every(wait: Duration, act: impl Fn() + Copy + 'static) -> impl Fn() + Copy {
    let waits = StoredValue::new(false);
    move || {
        if waits.try_get_value() == Some(false) {
            waits.set_value(true);
            set_timeout(
                move || {
                    if waits.try_get_value().is_some() {
                        waits.set_value(false);
                        act();
                    }
                },
                wait,
            );
        }
    }
}
