//! Tables `inbox` and `inbox_request`: addresses for trying out, and what reached them.
//!
//! Does not know which names are free, nor how a request is shortened to fit.

use postern_core::api::inbox::Answer;
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value};

/// Stores an inbox with the usual answer. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    seq: Seq,
    name: &str,
    key: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO inbox (seq, name, key, created_at_ms, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            Value::from(seq),
            Value::from(name),
            Value::from(key),
            Value::from(now),
            Value::Text(to_json(&Answer::default())?),
        ],
    )?;
    Ok(())
}

/// Stores another name and answer. Inside the caller's transaction.
pub(crate) fn update<S: Sql>(sql: &S, inbox: Seq, name: &str, answer: &Answer) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE inbox SET name = ?2, answer = ?3 WHERE seq = ?1",
        &[Value::from(inbox), Value::from(name), Value::Text(to_json(answer)?)],
    )?;
    Ok(())
}

/// Deletes an inbox with what reached it. Inside the caller's transaction.
pub(crate) fn delete<S: Sql>(sql: &S, inbox: Seq) -> Result<(), LedgerError> {
    clear(sql, inbox)?;
    sql.run("DELETE FROM inbox WHERE seq = ?1", &[Value::from(inbox)])?;
    Ok(())
}

/// Deletes what reached an inbox.
pub(crate) fn clear<S: Sql>(sql: &S, inbox: Seq) -> Result<(), LedgerError> {
    sql.run("DELETE FROM inbox_request WHERE inbox = ?1", &[Value::from(inbox)])?;
    Ok(())
}

/// Keeps a request, as the newest of `kept`. [`LedgerError::NotFound`] if the inbox was deleted. Inside the
/// caller's transaction.
pub(crate) fn insert_request<S: Sql>(
    sql: &S,
    seq: Seq,
    inbox: Seq,
    request: String,
    kept: u32,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let inserted = sql.run(
        "INSERT INTO inbox_request (seq, inbox, received_at_ms, request)
         SELECT ?1, seq, ?3, ?4 FROM inbox WHERE seq = ?2 RETURNING seq",
        &[Value::from(seq), Value::from(inbox), Value::from(now), Value::Text(request)],
    )?;
    if inserted.is_empty() {
        return Err(LedgerError::NotFound { what: "inbox" });
    }
    sql.run(
        "DELETE FROM inbox_request WHERE inbox = ?1
         AND seq <= (SELECT seq FROM inbox_request WHERE inbox = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        &[Value::from(inbox), Value::from(kept)],
    )?;
    Ok(())
}
