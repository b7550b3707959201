//! Table `live_ticket`: tickets for the live feed that nobody used yet. Holds hashes only.
//!
//! Does not know how many tickets a token may have.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// Stores a ticket of a token, or of `ADMIN_TOKEN` if that is absent.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    hash: &str,
    token: Option<Seq>,
    expires_at: Timestamp,
) -> Result<(), LedgerError> {
    let row = [Value::from(hash), Value::from(token), Value::from(expires_at)];
    sql.run("INSERT INTO live_ticket (hash, token, expires_at_ms) VALUES (?1, ?2, ?3)", &row)?;
    Ok(())
}

/// Deletes a ticket.
pub(crate) fn delete<S: Sql>(sql: &S, hash: &str) -> Result<(), LedgerError> {
    sql.run("DELETE FROM live_ticket WHERE hash = ?1", &[Value::from(hash)])?;
    Ok(())
}

/// Deletes the tickets that have expired.
pub(crate) fn delete_expired<S: Sql>(sql: &S, now: Timestamp) -> Result<(), LedgerError> {
    sql.run("DELETE FROM live_ticket WHERE expires_at_ms <= ?1", &[Value::from(now)])?;
    Ok(())
}
