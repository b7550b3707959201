//! Table `rate_window`: when the calls started that a webhook's rate limit counts, one row a webhook with a
//! limit.
//!
//! Does not know which calls still count: `memory::window` does.

use postern_core::id::Seq;

use crate::error::{LedgerError, damaged};
use crate::row::text::to_json;
use crate::sql::{Sql, Value};

/// Instants in milliseconds, oldest first, with how many calls started then: the column `begun`.
pub(crate) type Begun = Vec<(i64, u32)>;

/// Reads a `begun` column.
pub(crate) fn read_begun(text: &str) -> Result<Begun, LedgerError> {
    serde_json::from_str(text).map_err(damaged("the calls of a rate limit can't be read"))
}

/// Stores the windows of webhooks. Inside the caller's transaction.
pub(crate) fn write_windows<S: Sql>(sql: &S, windows: &[(i64, Begun)]) -> Result<(), LedgerError> {
    if !windows.is_empty() {
        // SQLite reads `ON` after a SELECT as that of a join, unless a WHERE stands between.
        sql.run(
            "INSERT INTO rate_window (webhook, begun) SELECT value ->> 0, value ->> 1 FROM json_each(?1) WHERE true
             ON CONFLICT (webhook) DO UPDATE SET begun = excluded.begun",
            &[Value::Text(to_json(&windows)?)],
        )?;
    }
    Ok(())
}

/// Forgets the calls of a webhook that has no limit any more. Inside the caller's transaction.
pub(crate) fn delete_window<S: Sql>(sql: &S, webhook: Seq) -> Result<(), LedgerError> {
    sql.run("DELETE FROM rate_window WHERE webhook = ?1", &[Value::from(webhook)])?;
    Ok(())
}
