//! How a webhook does: when its failures become a reason to call it less, and its successes a reason to call
//! it as usual.
//!
//! One [`Health`] per webhook, changed by nothing but [`Health::after`]. Three ways to be unwell:
//!
//! - **Throttled**: the receiver, or a proxy before it, is overloaded (429, 502, 504, or 503 with
//!   `Retry-After`). Each such answer doubles the space between two calls, each success halves it, until it
//!   is gone.
//! - **Failing**: [`FAILING_AFTER`] other failures in a row. The space doubles with each further one; a
//!   single success ends it at once, because the receiver is back.
//! - **Failing for days**: no success for [`DISABLE_AFTER_MS`] after the first failure. The webhook is to be
//!   disabled. What was before a person paused the webhook does not count ([`Health::resumed`]).
//!
//! While [`Health::is_probed`], a webhook gets one call at a time and none before [`Health::next_call_at`];
//! the ledger holds its other deliveries. A 410 that does not disable its webhook at once is a failure that
//! is remembered until the next success ([`Health::gone_disables`]). Not here: the retries of a single
//! delivery (`delivery::decide`).

mod signal;
mod spacing;
mod state;

pub use self::signal::Signal;
pub use self::spacing::{Cause, FAILING_SPACING_MAX_MS, LEVEL_MAX, THROTTLED_SPACING_MAX_MS, spacing_ms};
pub use self::state::{DISABLE_AFTER_MS, FAILING_AFTER, GONE_CONFIRM_MS, Health, Transition};

#[cfg(test)]
mod tests;
