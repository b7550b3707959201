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
//! - **Failing for days**: no success for [`DISABLE_AFTER_MS`] after the first failure, and enough failures
//!   since to say so: [`DISABLE_FAILURES_MIN`] of them, on [`DISABLE_DAYS_MIN`] days. The webhook is to be
//!   disabled. What was before a person paused the webhook does not count, and an edit that makes another
//!   receiver of it starts anew ([`Health::edited`]).
//!
//! After an outage a webhook opens slowly: it gets [`SLOW_START_FROM`] calls at once, and twice as many every
//! [`SLOW_START_STEP_MS`] in which one succeeds, until it has [`AT_ONCE_MAX`], the bound of every webhook
//! that sets none ([`Health::at_once`]). A failure on the way halves it.
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
pub use self::state::{
    AT_ONCE_MAX, DISABLE_AFTER_MS, DISABLE_DAYS_MIN, DISABLE_FAILURES_MIN, FAILING_AFTER, GONE_CONFIRM_MS,
    Health, SLOW_START_FROM, SLOW_START_STEP_MS, Transition,
};

#[cfg(test)]
mod tests;
