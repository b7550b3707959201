//! Table `token`: who may use the project.
//!
//! Does not know what a role allows; holds hashes only.

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::token::Role;

use crate::error::LedgerError;
use crate::sql::{Sql, Value};

/// A token to be stored.
pub(crate) struct NewToken<'a> {
    pub(crate) seq: Seq,
    pub(crate) hash: &'a str,
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Stores a token. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(sql: &S, token: &NewToken<'_>, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO token (seq, hash, name, role, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            Value::from(token.seq),
            Value::from(token.hash),
            Value::from(token.name),
            Value::from(token.role.as_str()),
            Value::from(now),
            Value::from(token.expires_at),
        ],
    )?;
    Ok(())
}

/// Notes that a token was used.
pub(crate) fn set_last_used<S: Sql>(sql: &S, token: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run("UPDATE token SET last_used_at_ms = ?2 WHERE seq = ?1", &[Value::from(token), Value::from(now)])?;
    Ok(())
}

/// Deletes a token. Inside the caller's transaction.
pub(crate) fn delete<S: Sql>(sql: &S, token: Seq) -> Result<(), LedgerError> {
    sql.run("DELETE FROM token WHERE seq = ?1", &[Value::from(token)])?;
    Ok(())
}
