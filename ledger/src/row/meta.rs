//! Table `meta`: one row, the project itself.
//!
//! Does not know what a setting means, nor when upkeep is due.

use postern_core::api::project::ProjectSettings;
use postern_core::id::{IdSpace, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value, first};

/// Stores a new project, made under this schema. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    schema: u32,
    project: &ProjectName,
    ids: IdSpace,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO meta (id, schema, project, salt, created_at_ms) VALUES (1, ?1, ?2, ?3, ?4)",
        &[
            Value::from(schema),
            Value::from(project.as_str()),
            Value::Text(format!("{:x}", ids.salt())),
            Value::from(now),
        ],
    )?;
    Ok(())
}

/// Notes that the database has this schema. Inside the caller's transaction.
pub(crate) fn set_schema<S: Sql>(sql: &S, schema: u32) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET schema = ?1", &[Value::from(schema)])?;
    Ok(())
}

/// Stores the settings. Inside the caller's transaction.
pub(crate) fn set_settings<S: Sql>(sql: &S, settings: &ProjectSettings) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET settings = ?1", &[Value::Text(to_json(settings)?)])?;
    Ok(())
}

/// Notes the key below which no inline lease is open. Inside the caller's transaction.
pub(crate) fn set_inline_checked<S: Sql>(sql: &S, checked: Seq) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET inline_checked = ?1", &[Value::from(checked)])?;
    Ok(())
}

/// Notes when the next pass of retention may start.
pub(crate) fn set_upkeep_at<S: Sql>(sql: &S, at: Timestamp) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET upkeep_at_ms = ?1", &[Value::from(at)])?;
    Ok(())
}

/// Notes the sealing key of all secrets.
pub(crate) fn set_sealed_under<S: Sql>(sql: &S, key: &str) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET sealed_under = ?1", &[Value::from(key)])?;
    Ok(())
}

/// Notes that the project is full. Inside the caller's transaction.
pub(crate) fn note_full<S: Sql>(sql: &S) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET \"full\" = 1", &[])?;
    Ok(())
}

/// Notes that the project is no longer full. Inside the caller's transaction.
pub(crate) fn note_not_full<S: Sql>(sql: &S) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET \"full\" = 0", &[])?;
    Ok(())
}

/// Notes what was given up before its retention was over, as JSON. Inside the caller's transaction.
pub(crate) fn set_aged<S: Sql>(sql: &S, aged: String) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET aged = ?1", &[Value::Text(aged)])?;
    Ok(())
}

/// Notes that deliveries which ended before then may be gone. Inside the caller's transaction.
pub(crate) fn note_swept_before<S: Sql>(sql: &S, at: Timestamp) -> Result<(), LedgerError> {
    sql.run("UPDATE meta SET swept_before_ms = max(swept_before_ms, ?1)", &[Value::from(at)])?;
    Ok(())
}

/// Before when deliveries may be gone that have ended.
pub(crate) fn swept_before<S: Sql>(sql: &S) -> Result<Timestamp, LedgerError> {
    let rows = sql.run("SELECT swept_before_ms FROM meta", &[])?;
    first(rows).ok_or(LedgerError::Corrupt { what: "the project has no row" })?.timestamp(0)
}
