//! Table `event`: what was accepted.
//!
//! Does not know who wants an event; its number of deliveries is told to it.

use std::collections::BTreeMap;

use postern_core::event::{NewEvent, ObjectRef};
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use serde_json::value::RawValue;

use crate::error::{LedgerError, damaged};
use crate::row::text::to_json;
use crate::sql::{Sql, Value, key_set};

/// Stores an event. Inside the caller's transaction. `accepted_at` is the project's stamp (`timeline`).
pub(crate) fn insert_event<S: Sql>(
    sql: &S,
    seq: Seq,
    deliveries: u32,
    event: &NewEvent,
    accepted_at: Timestamp,
) -> Result<(), LedgerError> {
    let labels = (!event.labels.is_empty()).then(|| to_json(&event.labels)).transpose()?;
    sql.run(
        "INSERT INTO event (seq, type, object, idempotency_key, accepted_at_ms, deliveries, order_key, labels, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            Value::from(seq),
            Value::from(event.kind.as_str()),
            Value::from(event.object.as_ref().map(to_json).transpose()?),
            Value::from(event.idempotency_key.as_deref()),
            Value::from(accepted_at),
            Value::from(deliveries),
            Value::from(event.order_key.as_deref()),
            Value::from(labels),
            Value::from(event.data.get()),
        ],
    )?;
    Ok(())
}

/// These events have one more delivery each, made by a replay. Inside the caller's transaction.
pub(crate) fn count_one_more_delivery<S: Sql>(
    sql: &S,
    events: impl IntoIterator<Item = Seq>,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE event SET deliveries = deliveries + 1 WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(events))],
    )?;
    Ok(())
}

/// Deletes events.
pub(crate) fn delete<S: Sql>(sql: &S, events: Vec<Seq>) -> Result<(), LedgerError> {
    sql.run(
        "DELETE FROM event WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(events))],
    )?;
    Ok(())
}

/// Reads a `labels` column.
pub(crate) fn labels_of(text: Option<&str>) -> Result<BTreeMap<String, String>, LedgerError> {
    text.map_or_else(
        || Ok(BTreeMap::new()),
        |text| serde_json::from_str(text).map_err(damaged("labels can't be read")),
    )
}

/// Reads an `object` column.
pub(crate) fn object_of(text: Option<&str>) -> Result<Option<ObjectRef>, LedgerError> {
    text.map(|text| serde_json::from_str(text).map_err(damaged("an object can't be read"))).transpose()
}

/// Reads a `data` column.
pub(crate) fn data_of(text: &str) -> Result<Box<RawValue>, LedgerError> {
    RawValue::from_string(String::from(text)).map_err(damaged("an event's data can't be read"))
}
