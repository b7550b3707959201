//! Table `leftover`: copies of a deleted project's definitions that are still in KV. It is there only while
//! there are some.
//!
//! Does not know where a copy stands in KV: that is for whoever removes it.

use serde::Serialize;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value};

/// Something of a deleted project that KV still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The project's name.
    pub project: String,
    /// `whk_…`; `None`: the project's own entry in the list.
    pub webhook_id: Option<String>,
}

/// Stores these. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(sql: &S, leftovers: &[Leftover]) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO leftover (webhook, project)
         SELECT coalesce(value ->> 'webhook_id', ''), value ->> 'project' FROM json_each(?1)",
        &[Value::Text(to_json(&leftovers)?)],
    )?;
    Ok(())
}

/// Up to `limit` of them, the project's own entry first.
pub(crate) fn some<S: Sql>(sql: &S, limit: u32) -> Result<Vec<Leftover>, LedgerError> {
    let rows = sql.run(
        "SELECT project, nullif(webhook, '') FROM leftover ORDER BY webhook LIMIT ?1",
        &[Value::from(limit)],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Leftover {
                project: String::from(row.text(0)?),
                webhook_id: row.text_or_none(1)?.map(String::from),
            })
        })
        .collect()
}

/// Forgets those that are gone; with the last of them the table goes. Whether there are more. Inside the
/// caller's transaction.
pub(crate) fn delete<S: Sql>(sql: &S, gone: &[Leftover]) -> Result<bool, LedgerError> {
    sql.run(
        "DELETE FROM leftover WHERE webhook IN
            (SELECT coalesce(value ->> 'webhook_id', '') FROM json_each(?1))",
        &[Value::Text(to_json(&gone)?)],
    )?;
    let has_more = !some(sql, 1)?.is_empty();
    if !has_more {
        sql.run("DROP TABLE leftover", &[])?;
    }
    Ok(has_more)
}
