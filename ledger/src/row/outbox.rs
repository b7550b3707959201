//! Table `outbox`: what is to be published, one row an item.
//!
//! Does not know what an item holds: that is read when it is published.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// The key of the project's own record.
pub(crate) const PROJECT_ITEM: Seq = Seq::ZERO;

/// Asks for `item` to be published in this version. Inside the caller's transaction.
pub(crate) fn put<S: Sql>(sql: &S, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
    enqueue(sql, item, version, false, now)
}

/// Asks for the removal of `item`. Inside the caller's transaction.
pub(crate) fn delete<S: Sql>(sql: &S, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
    enqueue(sql, item, version, true, now)
}

fn enqueue<S: Sql>(
    sql: &S,
    item: Seq,
    version: u32,
    deleted: bool,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT (item) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, failures = 0,
            next_at_ms = excluded.next_at_ms",
        &[Value::from(item), Value::from(version), Value::from(deleted), Value::from(now)],
    )?;
    Ok(())
}
