//! Table `outbox`: what is to be published, one row an item.
//!
//! Does not know what an item holds: that is read when it is published.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// The key of the project's own record.
pub(crate) const PROJECT_ITEM: Seq = Seq::ZERO;

/// Milliseconds before the first repetition: KV takes one write a second a key (docs/platform.md 2.1).
const BACKOFF_MS: i64 = 1_000;
/// Doublings of the backoff at most: 1 s · 2^8 is a little over four minutes.
const BACKOFF_DOUBLINGS_MAX: u32 = 8;

/// Asks for `item` to be published in this version. Inside the caller's transaction.
pub(crate) fn put<S: Sql>(sql: &S, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
    enqueue(sql, item, version, Wanted::Current, now)
}

/// Asks for the removal of `item`. Inside the caller's transaction.
pub(crate) fn delete<S: Sql>(sql: &S, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
    enqueue(sql, item, version, Wanted::Gone, now)
}

/// What is to be published of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// What it holds.
    Current,
    /// That it is gone.
    Gone,
}

fn enqueue<S: Sql>(
    sql: &S,
    item: Seq,
    version: u32,
    wanted: Wanted,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT (item) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, failures = 0,
            next_at_ms = excluded.next_at_ms",
        &[Value::from(item), Value::from(version), Value::from(wanted == Wanted::Gone), Value::from(now)],
    )?;
    Ok(())
}

/// This version is published: its row goes. Does nothing if a newer one waits.
pub(crate) fn take_out<S: Sql>(sql: &S, item: Seq, version: u32) -> Result<(), LedgerError> {
    sql.run(
        "DELETE FROM outbox WHERE item = ?1 AND version = ?2",
        &[Value::from(item), Value::from(version)],
    )?;
    Ok(())
}

/// This version could not be published: it is due later, each time by twice as much. Does nothing if a newer
/// one waits.
pub(crate) fn put_off<S: Sql>(sql: &S, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE outbox SET failures = failures + 1, next_at_ms = ?3 + (?4 << min(failures, ?5))
         WHERE item = ?1 AND version = ?2",
        &[
            Value::from(item),
            Value::from(version),
            Value::from(now),
            Value::from(BACKOFF_MS),
            Value::from(BACKOFF_DOUBLINGS_MAX),
        ],
    )?;
    Ok(())
}
