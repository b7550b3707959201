//! The outbox: what is to be published to KV, in the same transaction as the change itself.
//!
//! An item has one row however often it changes: the latest version wins, and `outbox_done` only removes the
//! row of the version that was written. So KV ends up equal to the ledger whatever fails in between, and a
//! busy item costs one write a wake-up.

use postern_core::api::project::ProjectView;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::outbox::{self, PROJECT_ITEM};
use crate::row::text::to_json;
use crate::row::webhook::StoredWebhook;
use crate::sql::{Sql, Value};

/// Bytes of the definitions that are published at once: each is held several times on its way.
const DUE_BYTES_MAX: usize = 4 << 20;

/// One thing to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Names the item for [`Ledger::outbox_done`] and [`Ledger::outbox_failed`].
    pub item: Seq,
    /// The version to be published.
    pub version: u32,
    /// What to write.
    pub content: OutboxItem,
}

/// What a KV write is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboxItem {
    /// The project's record.
    Project(ProjectView),
    /// A webhook's definition.
    Webhook(Box<StoredWebhook>),
    /// A webhook is gone: delete its key.
    WebhookDeleted {
        /// `whk_…`
        id: String,
    },
}

impl<S: Sql> Ledger<S> {
    /// What is to be published now, the longest waiting first: at most 4 MiB of definitions (a single one may
    /// have more). Publish one write of an item at a time and in this order, then call
    /// [`Ledger::outbox_done`] or [`Ledger::outbox_failed`].
    ///
    /// # Errors
    /// The database fails.
    pub fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxEntry>, LedgerError> {
        let rows = self.sql.run(
            "SELECT item, version, deleted FROM outbox WHERE next_at_ms <= ?1 ORDER BY next_at_ms, item LIMIT ?2",
            &[Value::from(now), Value::from(limit)],
        )?;
        bounded(rows.iter().map(|row| {
            let item = row.seq(0)?;
            let content = if item == PROJECT_ITEM {
                OutboxItem::Project(self.view())
            } else if row.flag(2)? {
                OutboxItem::WebhookDeleted { id: self.ids.id(Kind::Webhook, item) }
            } else {
                let webhook = self.stored_webhook_at(item)?;
                OutboxItem::Webhook(Box::new(
                    webhook.ok_or(LedgerError::Corrupt { what: "the outbox names no webhook" })?,
                ))
            };
            Ok(OutboxEntry { item, version: row.number(1)?, content })
        }))
    }

    /// This version is in KV. Does nothing where a newer one waits.
    ///
    /// # Errors
    /// The database fails.
    pub fn outbox_done(&mut self, item: Seq, version: u32) -> Result<(), LedgerError> {
        outbox::take_out(&self.sql, item, version)
    }

    /// KV did not take this version: it is due again after 1 s, 2 s, 4 s … up to four minutes. Does nothing
    /// where a newer one waits.
    ///
    /// # Errors
    /// The database fails.
    pub fn outbox_failed(&mut self, item: Seq, version: u32, now: Timestamp) -> Result<(), LedgerError> {
        outbox::put_off(&self.sql, item, version, now)
    }
}

/// The first of them that are published together, at least one; no more are read.
fn bounded(
    entries: impl Iterator<Item = Result<OutboxEntry, LedgerError>>,
) -> Result<Vec<OutboxEntry>, LedgerError> {
    let (mut bytes, mut due) = (0, Vec::new());
    for entry in entries {
        let entry = entry?;
        if let OutboxItem::Webhook(stored) = &entry.content {
            bytes += to_json(&stored.definition)?.len();
        }
        if bytes > DUE_BYTES_MAX && !due.is_empty() {
            break;
        }
        due.push(entry);
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use postern_core::webhook::{Definition, Header};

    use super::*;
    use crate::support::build::{START, create, ledger, webhook};

    #[test]
    fn the_latest_version_is_published_and_an_earlier_one_does_not_count() {
        let mut ledger = ledger();
        let key = create(&mut ledger, webhook("w", "*"));
        let mut changed = webhook("w", "*");
        changed.timeout_s = 20;
        ledger.update_webhook("w", changed, None, START).unwrap();
        let due = ledger.outbox_due(START, 10).unwrap();
        assert_eq!(due.len(), 2);
        assert_eq!(due[0].content, OutboxItem::Project(ledger.view()));
        assert_eq!((due[1].item, due[1].version), (key, 2));
        ledger.outbox_done(key, 1).unwrap();
        assert_eq!(ledger.outbox_due(START, 10).unwrap().len(), 2);
        ledger.outbox_done(key, 2).unwrap();
        assert_eq!(ledger.outbox_due(START, 10).unwrap().len(), 1);
    }

    #[test]
    fn a_failed_write_comes_back_later_and_later() {
        let mut ledger = ledger();
        let mut now = START;
        for wait_ms in [1_000, 2_000, 4_000] {
            ledger.outbox_failed(PROJECT_ITEM, 1, now).unwrap();
            assert!(ledger.outbox_due(now.plus_ms(wait_ms - 1), 10).unwrap().is_empty());
            now = now.plus_ms(wait_ms);
            assert_eq!(ledger.outbox_due(now, 10).unwrap().len(), 1);
        }
        for _again in 0..20 {
            ledger.outbox_failed(PROJECT_ITEM, 1, now).unwrap();
        }
        assert_eq!(ledger.outbox_due(now.plus_ms(256_000), 10).unwrap().len(), 1);
    }

    #[test]
    fn a_deleted_webhook_is_removed_from_kv() {
        let mut ledger = ledger();
        let key = create(&mut ledger, webhook("w", "*"));
        ledger.delete_webhook("w", None, START).unwrap();
        let id = ledger.ids().id(Kind::Webhook, key);
        let due = ledger.outbox_due(START, 10).unwrap();
        assert_eq!(due[1], OutboxEntry { item: key, version: 2, content: OutboxItem::WebhookDeleted { id } });
    }

    #[test]
    fn what_is_published_at_once_is_bounded_in_bytes_and_the_rest_follows() {
        let mut ledger = ledger();
        let header =
            |number: u32| Header { key: format!("x-{number}"), value: "v".repeat(4_096), protected: false };
        for number in 0..60 {
            let headers = (0..20).map(header).collect();
            create(&mut ledger, Definition { headers, ..webhook(&format!("w{number}"), "*") });
        }
        let (mut published, mut batches) = (0, 0);
        loop {
            let due = ledger.outbox_due(START, 200).unwrap();
            if due.is_empty() {
                break;
            }
            let bytes = serde_json::to_string(&due).unwrap().len();
            assert!(bytes < DUE_BYTES_MAX + 40_000, "{bytes}");
            for entry in &due {
                ledger.outbox_done(entry.item, entry.version).unwrap();
            }
            published += due.len();
            batches += 1;
        }
        assert_eq!((published, batches), (61, 2));
    }
}
