//! Table `event_type`: the catalogue.
//!
//! Does not know what a schema asks of data: `crate::event_types` does.

use postern_core::api::event::EventTypeView;
use postern_core::event::EventTypeDraft;
use postern_core::json;
use postern_core::time::Timestamp;

use crate::error::{LedgerError, damaged};
use crate::row::text::{Extent, json_extent, to_json};
use crate::sql::{Row, Sql, Value};

/// Columns of [`view_of`].
pub(crate) const COLUMNS: &str = "name, description, example, schema, archived, version, created_at_ms";

/// Bytes around an entry of the catalogue in an export, at most: the names of its fields.
pub(crate) const TYPE_OVERHEAD_BYTES: u32 = 100;

/// The same in values: its fields.
pub(crate) const TYPE_OVERHEAD_VALUES: i64 = 8;

/// A change of the catalogue that is allowed, and not written yet.
#[derive(Clone, Debug)]
pub(crate) struct TypeChange {
    pub(crate) before: Option<EventTypeView>,
    pub(crate) after: Option<EventTypeView>,
}

impl TypeChange {
    /// By how much it makes the configuration longer, or shorter.
    pub(crate) fn growth(&self) -> Result<Extent, LedgerError> {
        let extent = |kind: &Option<EventTypeView>| -> Result<Extent, LedgerError> {
            let Some(kind) = kind else { return Ok(Extent::default()) };
            let json =
                |part: &Option<serde_json::Value>| part.as_ref().map_or(Ok(Extent::default()), json_extent);
            let texts = i64::try_from(kind.name.len() + kind.description.len()).unwrap_or(i64::MAX);
            let rest = Extent { bytes: i64::from(TYPE_OVERHEAD_BYTES) + texts, values: TYPE_OVERHEAD_VALUES };
            Ok(rest + json(&kind.example)? + json(&kind.schema)?)
        };
        Ok(extent(&self.after)? - extent(&self.before)?)
    }
}

/// What a draft becomes.
pub(crate) fn view(draft: EventTypeDraft, version: u32, created_at: Timestamp) -> EventTypeView {
    let EventTypeDraft { name, description, example, schema, archived } = draft;
    EventTypeView { name, description, example, schema, archived, version, created_at }
}

pub(crate) fn view_of(row: &Row) -> Result<EventTypeView, LedgerError> {
    let json = |at| {
        row.text_or_none(at)?.map(json::read).transpose().map_err(damaged("the catalogue can't be read"))
    };
    Ok(EventTypeView {
        name: String::from(row.text(0)?),
        description: String::from(row.text(1)?),
        example: json(2)?,
        schema: json(3)?,
        archived: row.flag(4)?,
        version: row.number(5)?,
        created_at: row.timestamp(6)?,
    })
}

/// Stores a type, or replaces what is stored of it. Inside the caller's transaction.
pub(crate) fn put_type<S: Sql>(sql: &S, kind: &EventTypeView) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO event_type (name, description, example, schema, archived, version, created_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (name) DO UPDATE SET description = excluded.description, example = excluded.example,
            schema = excluded.schema, archived = excluded.archived, version = excluded.version",
        &[
            Value::from(kind.name.as_str()),
            Value::from(kind.description.as_str()),
            Value::from(kind.example.as_ref().map(to_json).transpose()?),
            Value::from(kind.schema.as_ref().map(to_json).transpose()?),
            Value::from(kind.archived),
            Value::from(kind.version),
            Value::from(kind.created_at),
        ],
    )?;
    Ok(())
}

/// Removes a type. Inside the caller's transaction.
pub(crate) fn delete_type<S: Sql>(sql: &S, name: &str) -> Result<(), LedgerError> {
    sql.run("DELETE FROM event_type WHERE name = ?1", &[Value::from(name)])?;
    Ok(())
}
