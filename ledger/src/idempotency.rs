//! Idempotency keys of calls other than posting an event (whose key is the event's own): a call that is
//! repeated with its key gets the first answer again, for a day.
//!
//! What is kept is the answer, so no call may use this whose answer holds a secret.

use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::idempotency;
use crate::row::keys::first_key;
use crate::sql::{Sql, Value, first};

/// Hours that a key is known.
pub const KEY_HOURS: u32 = 24;

impl<S: Sql> Ledger<S> {
    /// What the call with this key was answered; `None` where the key is new or older than a day. `digest`
    /// stands for the call itself.
    ///
    /// # Errors
    /// [`LedgerError::IdempotencyReused`] where it was another call; the database fails.
    pub fn answered_before(
        &self,
        key: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<String>, LedgerError> {
        let rows =
            self.sql.run("SELECT seq, digest, reply FROM idempotency WHERE key = ?1", &[Value::from(key)])?;
        let Some(row) = first(rows) else { return Ok(None) };
        if row.seq(0)? < first_key(oldest(now)) {
            return Ok(None);
        }
        if row.text(1)? == digest {
            Ok(Some(String::from(row.text(2)?)))
        } else {
            Err(LedgerError::IdempotencyReused)
        }
    }

    /// Keeps what a call was answered.
    ///
    /// # Errors
    /// The database fails.
    pub fn keep_answer(
        &mut self,
        key: &str,
        digest: &str,
        reply: &str,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let seq = self.reserve(now);
        idempotency::put(&self.sql, seq, key, digest, reply)?;
        self.upkeep.reconsider();
        Ok(())
    }
}

/// Keys from before then are forgotten.
pub(crate) const fn oldest(now: Timestamp) -> Timestamp {
    now.plus_ms(-(KEY_HOURS as i64) * 3_600_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::build::{START, ledger};

    #[test]
    fn a_repeated_call_gets_the_first_answer_for_a_day() {
        let mut ledger = ledger();
        assert_eq!(ledger.answered_before("k", "d", START), Ok(None));
        ledger.keep_answer("k", "d", "first", START).unwrap();
        let day = i64::from(KEY_HOURS) * 3_600_000;
        assert_eq!(
            ledger.answered_before("k", "d", START.plus_ms(day - 1)).unwrap().as_deref(),
            Some("first")
        );
        assert_eq!(ledger.answered_before("k", "other", START), Err(LedgerError::IdempotencyReused));
        let later = START.plus_ms(day + 1);
        assert_eq!(ledger.answered_before("k", "other", later), Ok(None));
        ledger.keep_answer("k", "other", "second", later).unwrap();
        assert_eq!(ledger.answered_before("k", "other", later).unwrap().as_deref(), Some("second"));
    }
}
