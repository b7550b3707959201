//! The platform's alarm, and what is known of it.

use std::cell::{Cell, RefCell};

use postern_core::time::Timestamp;
use postern_engine::Rest;
use postern_ledger::{LeaseTicket, Ledger, LedgerError};
use wasm_bindgen::JsValue;
use worker::ScheduledTime;
use worker::durable::Storage;

use super::sql::ObjectSql;
use crate::clock;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};

/// An alarm this far in the past has been lost: it is set again.
const LOST_AFTER_MS: i64 = 60_000;

/// What is known of the platform's alarm. Setting it costs a row, reading it a call, so both are avoided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Armed {
    #[default]
    Unknown,
    No,
    At(Timestamp),
}

/// The alarm, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    armed: Cell<Armed>,
    pub(super) machine: RefCell<postern_engine::Alarm>,
}

impl Alarm {
    /// Tickets came to be claimed.
    pub(super) fn claimed(&self, tickets: &[LeaseTicket], now: Timestamp) {
        self.machine.borrow_mut().claimed(tickets, now);
    }

    /// What was measured is of a project that is gone.
    pub(super) fn forget_pressure(&self) {
        self.machine.replace(postern_engine::Alarm::default());
    }

    /// When the alarm has to ring: for what the ledger has planned, or for what grows old.
    ///
    /// # Errors
    /// The database fails.
    pub(super) fn wake_at(
        &self,
        ledger: &Ledger<ObjectSql>,
        rest: Rest,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let mut machine = self.machine.borrow_mut();
        let planned = if machine.is_publishing(now) {
            ledger.next_wake_beside_publishing(now)?
        } else {
            ledger.next_wake(now)?
        };
        let planned = planned.map(|(at, _reason)| at);
        let earliest = [planned, ledger.upkeep_at(now)?].into_iter().flatten().min();
        Ok(machine.plan(earliest, rest, now))
    }

    /// Finds out when the alarm is set, the first time after the object was started. Call it before the first
    /// write of a turn: what waits between a write and the setting of its alarm would part them.
    ///
    /// # Errors
    /// The platform failed.
    pub(super) async fn learn(&self, storage: &Storage) -> worker::Result<()> {
        if self.armed.get() == Armed::Unknown {
            let at = storage.get_alarm().await?;
            if self.armed.get() == Armed::Unknown {
                self.armed.set(at.map_or(Armed::No, |at_ms| Armed::At(Timestamp(at_ms))));
            }
        }
        Ok(())
    }

    /// Makes sure that the alarm rings at `wake_at` or earlier. Never puts it off.
    ///
    /// # Errors
    /// The platform failed.
    pub(super) async fn no_later_than(
        &self,
        storage: &Storage,
        wake_at: Timestamp,
        now: Timestamp,
    ) -> worker::Result<()> {
        let wake_at = wake_at.max(now.plus_ms(1));
        if is_armed_for(self.armed.get(), wake_at, now) { Ok(()) } else { self.set(storage, wake_at).await }
    }

    /// The same at the end of work that has committed something: a failure is logged, because the watchdog
    /// finds what an alarm has missed.
    pub(super) async fn arm(&self, storage: &Storage, wake_at: Timestamp, id: &RequestId) {
        if let Err(error) = self.no_later_than(storage, wake_at, clock::now()).await {
            let fields: [(&str, &dyn std::fmt::Display); 1] = [("error", &log::chain(&error))];
            log::error(id, "the alarm could not be set; the watchdog will", &fields);
        }
    }

    /// Sets the alarm to `wake_at`, or off. Only for one who knows all that is due.
    ///
    /// # Errors
    /// The platform failed.
    pub(super) async fn set_exactly(
        &self,
        storage: &Storage,
        wake_at: Option<Timestamp>,
        now: Timestamp,
    ) -> worker::Result<()> {
        match wake_at.map(|at| at.max(now.plus_ms(1))) {
            Some(at) if self.armed.get() == Armed::At(at) => Ok(()),
            Some(at) => self.set(storage, at).await,
            None if self.armed.get() == Armed::No => Ok(()),
            None => {
                self.armed.set(Armed::No);
                storage.delete_alarm().await.inspect_err(|_| self.armed.set(Armed::Unknown))
            }
        }
    }

    /// An `i64` would be an offset (docs/platform.md 1.9, trap 8): the time is given as a date.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that sets the alarm, and it sets an absolute time"
    )]
    async fn set(&self, storage: &Storage, at: Timestamp) -> worker::Result<()> {
        self.armed.set(Armed::At(at));
        meter::count(Billed::RowsWritten, 1);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
        let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
        storage.set_alarm(ScheduledTime::new(date)).await.inspect_err(|_| self.armed.set(Armed::Unknown))
    }

    /// The platform has taken the alarm off to ring it.
    pub(super) fn rang(&self) {
        self.armed.set(Armed::No);
    }
}

/// Whether an alarm stands that will ring at `wake_at` or earlier. One that should have rung long ago will
/// not.
fn is_armed_for(armed: Armed, wake_at: Timestamp, now: Timestamp) -> bool {
    match armed {
        Armed::Unknown | Armed::No => false,
        Armed::At(at) => at <= wake_at && now.ms_since(at) < LOST_AFTER_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_alarm_is_kept_and_a_later_one_replaced() {
        let now = Timestamp(1_000_000);
        let wake = now.plus_ms(500);
        let check = |armed, kept| assert_eq!(is_armed_for(armed, wake, now), kept, "{armed:?}");
        check(Armed::At(now.plus_ms(499)), true);
        check(Armed::At(wake), true);
        check(Armed::At(now.plus_ms(501)), false);
        check(Armed::No, false);
        check(Armed::Unknown, false);
    }

    #[test]
    fn an_alarm_that_rests_in_the_past_is_set_again() {
        let now = Timestamp(1_000_000);
        assert!(is_armed_for(Armed::At(now.plus_ms(-59_999)), now, now));
        assert!(!is_armed_for(Armed::At(now.plus_ms(-60_000)), now, now));
    }
}
