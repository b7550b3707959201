//! Table `idempotency`: what calls with an idempotency key were answered.
//!
//! Does not know for how long a key counts.

use postern_core::id::Seq;

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// Stores what a call was answered, in place of an older answer to the same key.
pub(crate) fn put<S: Sql>(
    sql: &S,
    seq: Seq,
    key: &str,
    digest: &str,
    reply: &str,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO idempotency (seq, key, digest, reply) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, digest = excluded.digest, reply = excluded.reply",
        &[Value::from(seq), Value::from(key), Value::from(digest), Value::from(reply)],
    )?;
    Ok(())
}

/// Deletes up to `limit` answers below a key, the oldest first; gives how many.
pub(crate) fn delete_before<S: Sql>(sql: &S, kept_from: Seq, limit: u32) -> Result<usize, LedgerError> {
    let rows = sql.run(
        "DELETE FROM idempotency WHERE seq IN
            (SELECT seq FROM idempotency WHERE seq < ?1 ORDER BY seq LIMIT ?2) RETURNING seq",
        &[Value::from(kept_from), Value::from(limit)],
    )?;
    Ok(rows.len())
}
