//! Table `webhook_health`: how a webhook does. Without a row it is healthy.
//!
//! Does not know what follows from a webhook's health: `core::health` and the gates decide that.

use postern_core::health::Health;
use postern_core::id::Seq;

use crate::error::LedgerError;
use crate::row::text::to_json;
use crate::sql::{Sql, Value};

/// Stores how a webhook does; a row is there only where there is something to remember. Inside the caller's
/// transaction.
pub(crate) fn write_health<S: Sql>(sql: &S, webhook: Seq, health: &Health) -> Result<(), LedgerError> {
    if health.is_plain() {
        sql.run("DELETE FROM webhook_health WHERE webhook = ?1", &[Value::from(webhook)])?;
    } else {
        sql.run(
            "INSERT INTO webhook_health (webhook, health) VALUES (?1, ?2)
             ON CONFLICT (webhook) DO UPDATE SET health = excluded.health",
            &[Value::from(webhook), Value::Text(to_json(health)?)],
        )?;
    }
    Ok(())
}

/// Forgets how a webhook did. Inside the caller's transaction.
pub(crate) fn delete_health<S: Sql>(sql: &S, webhook: Seq) -> Result<(), LedgerError> {
    sql.run("DELETE FROM webhook_health WHERE webhook = ?1", &[Value::from(webhook)])?;
    Ok(())
}
