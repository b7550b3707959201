//! Table `test`: trial calls.
//!
//! Does not know what follows a call.

use postern_core::api::test::TestStatus;
use postern_core::delivery::Attempt;
use postern_core::examination::Variation;
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value, key_set};

/// A trial to be stored, whose first call is leased.
pub(crate) struct NewTrial<'a> {
    pub(crate) seq: Seq,
    pub(crate) webhook: Option<Seq>,
    pub(crate) webhook_name: Option<&'a str>,
    pub(crate) lease_until: Timestamp,
    /// JSON of the sealed definition.
    pub(crate) definition: String,
    /// JSON of the event.
    pub(crate) event: String,
    pub(crate) retry: bool,
    pub(crate) variation: Option<Variation>,
}

/// Where a trial stands after a call.
pub(crate) struct TrialProgress<'a> {
    pub(crate) seq: Seq,
    pub(crate) status: TestStatus,
    /// Calls started.
    pub(crate) number: u32,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) error_message: Option<&'a str>,
    pub(crate) attempt: Option<&'a Attempt>,
    /// Whether `next_at` is when the next call is due, not when a lease ends.
    pub(crate) waits: bool,
}

/// Reads a `status` column.
pub(crate) fn status_of(text: &str) -> Result<TestStatus, LedgerError> {
    match text {
        "pending" => Ok(TestStatus::Pending),
        "completed" => Ok(TestStatus::Completed),
        "failed" => Ok(TestStatus::Failed),
        _ => Err(LedgerError::Corrupt { what: "unknown test status" }),
    }
}

/// The text of the column `status`.
const fn status_text(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Pending => "pending",
        TestStatus::Completed => "completed",
        TestStatus::Failed => "failed",
    }
}

/// How many trials are kept beside a new one.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// Those that have ended: of more, the oldest go.
    pub ended: i64,
    /// All: of more, the oldest go although their calls are not over.
    pub all: i64,
}

/// Stores a trial, as the newest of `kept`. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    trial: NewTrial<'_>,
    kept: Kept,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO test (seq, webhook, webhook_name, status, number, next_at_ms, created_at_ms, definition, event, retry, variation)
         VALUES (?1, ?2, ?3, ?9, 1, ?4, ?5, ?6, ?7, ?8, ?10)",
        &[
            Value::from(trial.seq),
            Value::from(trial.webhook),
            Value::from(trial.webhook_name),
            Value::from(trial.lease_until),
            Value::from(now),
            Value::Text(trial.definition),
            Value::Text(trial.event),
            Value::from(trial.retry),
            Value::from(status_text(TestStatus::Pending)),
            Value::from(trial.variation.map(Variation::as_str)),
        ],
    )?;
    sql.run(
        "DELETE FROM test WHERE seq <= (SELECT seq FROM test ORDER BY seq DESC LIMIT 1 OFFSET ?1)
         AND (status <> ?2 OR seq <= (SELECT seq FROM test ORDER BY seq DESC LIMIT 1 OFFSET ?3))",
        &[Value::from(kept.ended), Value::from(status_text(TestStatus::Pending)), Value::from(kept.all)],
    )?;
    Ok(())
}

/// Stores where a trial stands. Inside the caller's transaction.
pub(crate) fn update<S: Sql>(sql: &S, trial: &TrialProgress<'_>) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE test SET status = ?2, number = ?3, next_at_ms = ?4, error_message = ?5, attempt = ?6, waiting = ?7
         WHERE seq = ?1",
        &[
            Value::from(trial.seq),
            Value::from(status_text(trial.status)),
            Value::from(trial.number),
            Value::from(trial.next_at),
            Value::from(trial.error_message),
            Value::from(trial.attempt.map(to_json).transpose()?),
            Value::from(trial.waits),
        ],
    )?;
    Ok(())
}

/// Deletes trials.
pub(crate) fn delete<S: Sql>(sql: &S, trials: Vec<Seq>) -> Result<(), LedgerError> {
    sql.run(
        "DELETE FROM test WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(trials))],
    )?;
    Ok(())
}
