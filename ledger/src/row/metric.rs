//! Table `metric`: one row, what was counted for good.
//!
//! Does not know what is counted.

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// Stores the counts, as JSON.
pub(crate) fn put<S: Sql>(sql: &S, counted: String) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO metric (id, counted) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET counted = excluded.counted",
        &[Value::Text(counted)],
    )?;
    Ok(())
}
