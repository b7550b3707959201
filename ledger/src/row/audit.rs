//! Table `audit`: who changed what.
//!
//! Does not know who acts.

use postern_core::api::audit::AuditAction;
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use serde::Serialize;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value};

/// Stores an entry. Inside the caller's transaction.
pub(crate) fn insert<S: Sql, T: Serialize>(
    sql: &S,
    seq: Seq,
    action: AuditAction,
    subject: &str,
    entry: &T,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO audit (seq, at_ms, action, subject, entry) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            Value::from(seq),
            Value::from(now),
            Value::from(action.as_str()),
            Value::from(subject),
            Value::Text(to_json(entry)?),
        ],
    )?;
    Ok(())
}

/// Deletes up to `limit` entries below a key, the oldest first; gives how many.
pub(crate) fn delete_before<S: Sql>(sql: &S, kept_from: Seq, limit: u32) -> Result<usize, LedgerError> {
    let rows = sql.run(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE seq < ?1 ORDER BY seq LIMIT ?2) RETURNING seq",
        &[Value::from(kept_from), Value::from(limit)],
    )?;
    Ok(rows.len())
}
