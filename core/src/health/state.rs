//! How a webhook stands, and how that changes.

use serde::{Deserialize, Serialize};

use super::signal::Signal;
use super::spacing::{Cause, LEVEL_MAX, spacing_ms};
use crate::retry::RETRY_AFTER_MAX_S;
use crate::time::Timestamp;
use crate::webhook::Definition;

/// Failures in a row until a webhook counts as failing and is probed.
pub const FAILING_AFTER: u32 = 5;
/// Milliseconds from the first failure after the latest success (or the end of a pause) until a further
/// failure disables the webhook: five days (docs/wire.md D.3).
pub const DISABLE_AFTER_MS: i64 = 5 * 24 * 3_600_000;

/// Failures since the latest success that it takes at least to disable a webhook: a webhook that is rarely
/// called has given too little reason after two.
pub const DISABLE_FAILURES_MIN: u32 = 10;
/// Days (UTC) on which these failures lie at least.
pub const DISABLE_DAYS_MIN: u32 = 3;
/// Calls at once that a webhook gets whose definition says nothing of it. The requests that bring its events
/// may make more themselves.
pub const AT_ONCE_MAX: u32 = 50;
/// Calls at once that a webhook gets after the success that ends an outage.
pub const SLOW_START_FROM: u32 = 2;
/// Milliseconds between two doublings of the calls at once: eight within the first second, all within two.
pub const SLOW_START_STEP_MS: i64 = 334;
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// Milliseconds from a first 410 until another one disables a webhook that asks for a second one
/// ([`Health::gone_disables`]): ten minutes, longer than a parking page stands in for a receiver that is
/// being deployed.
pub const GONE_CONFIRM_MS: i64 = 600_000;

/// A change that is worth an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// It failed [`FAILING_AFTER`] times in a row: reported once until it succeeds.
    Failing,
    /// It was called less and is called as usual again.
    Recovered,
    /// It was called as usual and is called less, because its receiver is overloaded.
    Throttled,
    /// It has failed for [`DISABLE_AFTER_MS`] without one success, often enough, and is to be disabled. Told
    /// by every failure from then on.
    DisabledForDays,
}

/// How a webhook does. The default is a webhook that is called as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// [`Signal::Failed`] since the latest success.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures_in_a_row: u32,
    /// When the first failure of either kind ended after the latest success, or after the webhook was last
    /// resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// How far calls are spaced, 0 (as usual) to [`LEVEL_MAX`].
    #[serde(skip_serializing_if = "is_level_zero")]
    pub level: u8,
    /// Why they are; `None` exactly where the level is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// No call before then; `None` exactly where the level is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_call_at: Option<Timestamp>,
    /// When the first 410 came after the latest success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
    /// Calls at once at most after an outage; `None`: as many as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u32>,
    /// When `at_once` changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once_since: Option<Timestamp>,
    /// Failures of either kind since `failing_since`, that one included.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// Days (UTC) on which these failures lie.
    #[serde(skip_serializing_if = "is_zero")]
    pub failing_days: u32,
    /// The latest of these days, counted since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_on: Option<i64>,
    /// Whether the latest failure was a 401 or 403, which other credentials may end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_level_zero(level: &u8) -> bool {
    *level == 0
}

impl Health {
    /// Whether there is nothing to remember: no failure since the latest success, and calls as usual.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it gets one call at a time, and none before `next_call_at`.
    #[must_use]
    pub const fn is_probed(&self) -> bool {
        self.level > 0
    }

    /// How it stands after a signal at `now`, and which changes are worth an event.
    ///
    /// What ends before `next_call_at` started before the pause and says nothing about what came after: a
    /// success does not bring the calls of a throttled webhook closer together, and a failure does not space
    /// them further (many calls that were under way when a receiver vanished would else count as many
    /// probes). A failure never shortens a pause.
    #[must_use]
    pub fn after(&self, signal: Signal, now: Timestamp) -> (Self, Vec<Transition>) {
        let next_level = if self.is_early(now) { self.level } else { self.level.saturating_add(1) };
        match signal {
            Signal::Success => self.after_success(now),
            Signal::Gone => {
                let gone_since = Some(self.gone_since.unwrap_or(now));
                Self { gone_since, ..*self }.after(Signal::Failed, now)
            }
            Signal::Refused => {
                let (next, transitions) = self.after(Signal::Failed, now);
                (Self { refused: true, ..next }, transitions)
            }
            Signal::Failed => {
                let failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                let counted = Self { failures_in_a_row, ..*self };
                if failures_in_a_row < FAILING_AFTER {
                    return counted.after_failure(counted.cause, counted.level, None, now);
                }
                let (next, mut transitions) =
                    counted.after_failure(Some(Cause::Failing), next_level, None, now);
                if failures_in_a_row == FAILING_AFTER {
                    transitions.insert(0, Transition::Failing);
                }
                (next, transitions)
            }
            Signal::Throttled { retry_after_s } => {
                let (next, mut transitions) =
                    self.after_failure(Some(Cause::Throttled), next_level, retry_after_s, now);
                if self.level == 0 {
                    transitions.insert(0, Transition::Throttled);
                }
                (next, transitions)
            }
        }
    }

    /// Whether a 410 that ends at `now` disables the webhook: the first one does, unless the webhook asks for
    /// a second one (`confirm_gone`), which counts from [`GONE_CONFIRM_MS`] after the first. A success in
    /// between starts over.
    #[must_use]
    pub fn gone_disables(&self, webhook: &Definition, now: Timestamp) -> bool {
        !webhook.confirm_gone || self.gone_from().is_some_and(|from| now >= from)
    }

    /// From when on a 410 is a second one; `None` where there was no first one.
    #[must_use]
    pub fn gone_from(&self) -> Option<Timestamp> {
        self.gone_since.map(|since| since.plus_ms(GONE_CONFIRM_MS))
    }

    /// How it stands after its webhook was edited. What was heard of one receiver says nothing of another: a
    /// webhook that is enabled, that calls another URL, or that gets other credentials after its receiver
    /// refused the old ones starts with a clean slate.
    #[must_use]
    pub fn edited(&self, before: &Definition, after: &Definition) -> Self {
        let is_enabled = after.enabled && !before.enabled;
        let has_other_credentials = after.secret != before.secret || after.headers != before.headers;
        if is_enabled || after.url != before.url || (self.refused && has_other_credentials) {
            Self::default()
        } else if before.paused && !after.paused {
            self.resumed()
        } else {
            *self
        }
    }

    /// How it stands when a person asks for a call at `now`: the pause ends, calls stay one at a time.
    #[must_use]
    pub fn asked_for(&self, now: Timestamp) -> Self {
        Self { next_call_at: self.next_call_at.map(|at| at.min(now)), ..*self }
    }

    /// How it stands when its webhook is resumed after a pause. Days without a call say nothing about the
    /// receiver, so that its days of failure start again with its next failure; how far its calls are spaced
    /// stays, because nothing was heard of the receiver since.
    #[must_use]
    pub fn resumed(&self) -> Self {
        Self { failing_since: None, failures: 0, failing_days: 0, failed_on: None, ..*self }
    }

    /// Whether a call that ended at `now` started before the current pause.
    fn is_early(&self, now: Timestamp) -> bool {
        self.next_call_at.is_some_and(|next_call_at| now < next_call_at)
    }

    fn after_success(&self, now: Timestamp) -> (Self, Vec<Transition>) {
        match self.cause {
            Some(Cause::Throttled) if self.is_early(now) => {
                let Self { level, cause, next_call_at, .. } = *self;
                (Self { level, cause, next_call_at, ..Self::default() }, Vec::new())
            }
            Some(Cause::Throttled) if self.level > 1 => {
                let level = self.level - 1;
                let next_call_at = Some(now.plus_ms(spacing_ms(level, Cause::Throttled)));
                (Self { level, cause: self.cause, next_call_at, ..Self::default() }, Vec::new())
            }
            Some(Cause::Throttled | Cause::Failing) => {
                let opened =
                    Self { at_once: Some(SLOW_START_FROM), at_once_since: Some(now), ..Self::default() };
                (opened, vec![Transition::Recovered])
            }
            None => (self.opened_further(now), Vec::new()),
        }
    }

    /// A success that follows the end of an outage, or any other.
    fn opened_further(&self, now: Timestamp) -> Self {
        let Some((at_once, since)) = self.at_once.zip(self.at_once_since) else { return Self::default() };
        let (at_once, since) =
            if is_in_step(since, now) { (at_once, since) } else { (at_once.saturating_mul(2), now) };
        if at_once >= AT_ONCE_MAX {
            return Self::default();
        }
        Self { at_once: Some(at_once), at_once_since: Some(since), ..Self::default() }
    }

    /// A failure while a webhook opens halves what it gets at once, once a step at most, as it is doubled: a
    /// receiver that refuses some events must not stay closed because of them.
    fn opened_less(&self, now: Timestamp) -> (Option<u32>, Option<Timestamp>) {
        match self.at_once.zip(self.at_once_since) {
            None => (None, None),
            Some((at_once, since)) if is_in_step(since, now) => (Some(at_once), Some(since)),
            Some((at_once, _since)) => (Some((at_once / 2).max(1)), Some(now)),
        }
    }

    fn after_failure(
        &self,
        cause: Option<Cause>,
        level: u8,
        asked_s: Option<u32>,
        now: Timestamp,
    ) -> (Self, Vec<Transition>) {
        let level = level.min(LEVEL_MAX);
        let asked_ms = i64::from(asked_s.unwrap_or(0).min(RETRY_AFTER_MAX_S)) * 1_000;
        let spacing_ms = |cause| if self.is_early(now) { 0 } else { spacing_ms(level, cause) };
        let next_call_at = cause.map(|cause| now.plus_ms(spacing_ms(cause).max(asked_ms)));
        let failing_since = self.failing_since.unwrap_or(now);
        let today = now.0.div_euclid(DAY_MS);
        let failures = self.failures.saturating_add(1);
        let failing_days = self.failing_days.saturating_add(u32::from(self.failed_on != Some(today)));
        let is_hopeless = now.ms_since(failing_since) >= DISABLE_AFTER_MS
            && failures >= DISABLE_FAILURES_MIN
            && failing_days >= DISABLE_DAYS_MIN;
        // Once it is probed it gets one call at a time anyway.
        let (at_once, at_once_since) = if level == 0 { self.opened_less(now) } else { (None, None) };
        let next = Self {
            at_once,
            at_once_since,
            failures,
            failing_days,
            failed_on: Some(today),
            refused: false,
            failures_in_a_row: self.failures_in_a_row,
            failing_since: Some(failing_since),
            level,
            cause,
            next_call_at: next_call_at.max(self.next_call_at),
            gone_since: self.gone_since,
        };
        (next, if is_hopeless { vec![Transition::DisabledForDays] } else { Vec::new() })
    }
}

/// Whether what a webhook gets at once was changed within the step at hand. A clock that went back ends the
/// step, so that it keeps nothing closed.
fn is_in_step(changed_at: Timestamp, now: Timestamp) -> bool {
    (0..SLOW_START_STEP_MS).contains(&now.ms_since(changed_at))
}
