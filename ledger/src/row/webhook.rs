//! Table `webhook`: definitions, sealed.
//!
//! Does not know what a definition means: what a change entails for other tables (the outbox, order, a rate
//! limit) is kept together with it here, so that no caller forgets it.

use postern_core::id::{IdSpace, Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition, WebhookName};
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::row::delivery;
use crate::row::health::delete_health;
use crate::row::outbox;
use crate::row::rate_window::delete_window;
use crate::row::text::{Extent, json_extent, to_json};
use crate::sql::{Row, Sql, Value};

/// Cancelled deliveries that [`delete_webhook`] names: one more than a feed tells one by one.
const CANCELLED_NAMED_MAX: u32 = 101;

/// Columns of [`StoredWebhook::read`].
pub(crate) const COLUMNS: &str =
    "seq, version, disabled_reason, created_at_ms, updated_at_ms, definition, name";
/// Which of [`COLUMNS`] is the definition.
pub(crate) const DEFINITION: usize = 5;

/// Why a webhook is disabled whose definition was written by another version of Postern.
const UNREADABLE: &str = "Its definition was written by another version of Postern and can't be read";

/// A webhook as the stores keep it: its secrets are sealed text. The ledger's row and the KV value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredWebhook {
    /// Its key.
    pub seq: Seq,
    /// `whk_…`
    pub id: String,
    /// Counts up with each change; a version never changes.
    pub version: u32,
    /// The definition, sealed.
    pub definition: Definition,
    /// Why Postern disabled it, in words.
    pub disabled_reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl StoredWebhook {
    /// Reads [`COLUMNS`]. One whose definition can't be read is a disabled webhook of its name that wants
    /// nothing ([`StoredWebhook::is_readable`]), so that it closes nobody else's.
    pub(crate) fn read(row: &Row, ids: IdSpace) -> Result<Self, LedgerError> {
        let seq = row.seq(0)?;
        let mut webhook = Self {
            seq,
            id: ids.id(Kind::Webhook, seq),
            version: row.number(1)?,
            disabled_reason: row.text_or_none(2)?.map(String::from),
            created_at: row.timestamp(3)?,
            updated_at: row.timestamp(4)?,
            definition: unreadable_definition(row.text(6)?)?,
        };
        match serde_json::from_str(row.text(DEFINITION)?) {
            Ok(definition) => webhook.definition = definition,
            Err(_unreadable) => webhook.disabled_reason = Some(String::from(UNREADABLE)),
        }
        Ok(webhook)
    }

    /// Whether its definition could be read. One that could not is never written: the version that wrote it
    /// can read it still.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.disabled_reason.as_deref() != Some(UNREADABLE)
    }
}

/// What stands for a definition that can't be read.
fn unreadable_definition(name: &str) -> Result<Definition, LedgerError> {
    let name = WebhookName::parse(name).ok_or(LedgerError::Corrupt { what: "invalid webhook name" })?;
    let definition = Definition::new(name, String::new(), Contract::Standard, Vec::new());
    Ok(Definition { enabled: false, ..definition })
}

/// A change of a webhook that is allowed, and not written yet.
#[derive(Debug)]
pub(crate) enum WebhookChange {
    /// It is new.
    Create(StoredWebhook),
    /// It has another definition.
    Update { before: Box<StoredWebhook>, after: StoredWebhook },
    /// It goes.
    Delete(StoredWebhook),
}

impl WebhookChange {
    /// The webhook's name, after the change where it stays.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Create(webhook) | Self::Update { after: webhook, .. } | Self::Delete(webhook) => {
                webhook.definition.name.as_str()
            }
        }
    }

    /// By how much it makes the configuration longer, or shorter.
    pub(crate) fn growth(&self) -> Result<Extent, LedgerError> {
        let extent = |webhook: &StoredWebhook| json_extent(&webhook.definition);
        match self {
            Self::Create(webhook) => extent(webhook),
            Self::Update { before, after } => Ok(extent(after)? - extent(before)?),
            Self::Delete(webhook) => Ok(Extent::default() - extent(webhook)?),
        }
    }
}

/// Stores a new webhook and asks for its publication. Inside the caller's transaction.
pub(crate) fn insert_webhook<S: Sql>(
    sql: &S,
    webhook: &StoredWebhook,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO webhook (seq, name, version, created_at_ms, updated_at_ms, disabled_at_ms, definition)
         VALUES (?1, ?2, 1, ?3, ?3, CASE ?4 WHEN 0 THEN ?3 END, ?5)",
        &[
            Value::from(webhook.seq),
            Value::from(webhook.definition.name.as_str()),
            Value::from(now),
            Value::from(webhook.definition.enabled),
            Value::Text(to_json(&webhook.definition)?),
        ],
    )?;
    outbox::put(sql, webhook.seq, 1, now)
}

/// Stores what a webhook's new definition changes, and asks for its publication. Inside the caller's
/// transaction.
pub(crate) fn update_webhook<S: Sql>(
    sql: &S,
    before: &StoredWebhook,
    after: &StoredWebhook,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let (seq, was_enabled, is_enabled) = (after.seq, before.definition.enabled, after.definition.enabled);
    write_version(sql, after, now)?;
    if was_enabled != is_enabled {
        let disabled_at = was_enabled.then_some(now);
        sql.run(
            "UPDATE webhook SET disabled_at_ms = ?2 WHERE seq = ?1",
            &[Value::from(seq), Value::from(disabled_at)],
        )?;
    }
    // A limit counts from when it was set; one that is changed goes on with the calls that are known.
    if before.definition.rate_limit.is_some() && after.definition.rate_limit.is_none() {
        delete_window(sql, seq)?;
    }
    // Order is kept among what was accepted under it: those go free together.
    if before.definition.ordered && !after.definition.ordered {
        delivery::give_up_order(sql, seq)?;
    }
    Ok(())
}

/// Deletes a webhook and cancels its open deliveries; gives those, up to 101 of them. Inside the caller's
/// transaction.
pub(crate) fn delete_webhook<S: Sql>(
    sql: &S,
    webhook: &StoredWebhook,
    now: Timestamp,
) -> Result<Vec<Seq>, LedgerError> {
    let seq = webhook.seq;
    let cancelled = delivery::cancel_all_of(sql, seq, CANCELLED_NAMED_MAX, now)?;
    sql.run("DELETE FROM webhook WHERE seq = ?1", &[Value::from(seq)])?;
    delete_health(sql, seq)?;
    if webhook.definition.rate_limit.is_some() {
        delete_window(sql, seq)?;
    }
    outbox::delete(sql, seq, webhook.version + 1, now)?;
    Ok(cancelled)
}

/// Writes the row of a new version and asks for its publication. Inside the caller's transaction.
pub(crate) fn write_version<S: Sql>(
    sql: &S,
    webhook: &StoredWebhook,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE webhook SET name = ?2, version = ?3, disabled_reason = ?4, updated_at_ms = ?5, definition = ?6 WHERE seq = ?1",
        &[
            Value::from(webhook.seq),
            Value::from(webhook.definition.name.as_str()),
            Value::from(webhook.version),
            Value::from(webhook.disabled_reason.as_deref()),
            Value::from(webhook.updated_at),
            Value::Text(to_json(&webhook.definition)?),
        ],
    )?;
    outbox::put(sql, webhook.seq, webhook.version, now)
}

/// Stores that Postern disabled a webhook, as a new version, and asks for its publication. Inside the
/// caller's transaction.
pub(crate) fn write_disabled<S: Sql>(
    sql: &S,
    webhook: &StoredWebhook,
    reason: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE webhook SET version = ?2, disabled_reason = ?3, disabled_at_ms = ?4, updated_at_ms = ?4, definition = ?5 WHERE seq = ?1",
        &[
            Value::from(webhook.seq),
            Value::from(webhook.version),
            Value::from(reason),
            Value::from(now),
            Value::Text(to_json(&webhook.definition)?),
        ],
    )?;
    outbox::put(sql, webhook.seq, webhook.version, now)
}

/// Replaces the sealed text of a webhook by another of the same secrets, and asks for its publication.
/// `false` where its version is another by now, or it is gone. Inside the caller's transaction.
pub(crate) fn replace_sealed_text<S: Sql>(
    sql: &S,
    webhook: &StoredWebhook,
    sealed: &Definition,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let rows = sql.run(
        "UPDATE webhook SET definition = ?3 WHERE seq = ?1 AND version = ?2 RETURNING seq",
        &[Value::from(webhook.seq), Value::from(webhook.version), Value::Text(to_json(sealed)?)],
    )?;
    if !rows.is_empty() {
        outbox::put(sql, webhook.seq, webhook.version, now)?;
    }
    Ok(!rows.is_empty())
}
