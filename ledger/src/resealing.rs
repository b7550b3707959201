//! Moving secrets to a new sealing key, a bounded step at a time, so that the old key can be taken out.
//!
//! The ledger opens nothing: the owner asks for webhooks one page after the other
//! ([`Ledger::webhooks_after`]), seals again what is under an old key ([`Ledger::replace_sealed_text`]), and
//! notes the key when all is done.

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::Definition;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::meta;
use crate::row::webhook::{StoredWebhook, replace_sealed_text};
use crate::sql::{Sql, atomically};

impl<S: Sql> Ledger<S> {
    /// The sealing key under which every webhook's secrets are known to be; `None` where nobody looked yet.
    #[must_use]
    pub fn sealed_under(&self) -> Option<&str> {
        self.sealed_under.as_deref()
    }

    /// Notes that every webhook's secrets are under this key. Does nothing while there is a webhook whose
    /// definition can't be read: its secrets are under an older one.
    ///
    /// # Errors
    /// The database fails.
    pub fn note_sealed_under(&mut self, key: &str) -> Result<(), LedgerError> {
        if self.roster.iter().any(|(_seq, member)| !member.is_readable()) {
            return Ok(());
        }
        meta::set_sealed_under(&self.sql, key)?;
        self.sealed_under = Some(String::from(key));
        Ok(())
    }

    /// Up to `limit` webhooks in the order of their keys, after `after`.
    ///
    /// # Errors
    /// The database fails.
    pub fn webhooks_after(&self, after: Seq, limit: usize) -> Result<Vec<StoredWebhook>, LedgerError> {
        let mut keys: Vec<Seq> =
            self.roster.iter().filter(|(_, member)| member.is_readable()).map(|(seq, _)| seq).collect();
        keys.retain(|seq| *seq > after);
        keys.sort_unstable();
        keys.into_iter().take(limit).filter_map(|seq| self.stored_webhook_at(seq).transpose()).collect()
    }

    /// Replaces the sealed text of a webhook by another of the same secrets: neither its version nor anything
    /// that people see changes, and its copy is published again. `false` where its version is another by now,
    /// or it is gone.
    ///
    /// # Errors
    /// The database fails.
    pub fn replace_sealed_text(
        &mut self,
        webhook: &StoredWebhook,
        sealed: &Definition,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        atomically(&self.sql, |sql| replace_sealed_text(sql, webhook, sealed, now))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::support::build::{START, create, ledger, webhook};

    #[test]
    fn sealed_text_is_replaced_without_a_new_version_and_published_again() {
        let mut made = ledger();
        let (one, two) = (create(&mut made, webhook("a", "*")), create(&mut made, webhook("b", "*")));
        made.outbox_done(one, 1).unwrap();
        let page = made.webhooks_after(Seq::ZERO, 1).unwrap();
        assert_eq!((page[0].seq, made.webhooks_after(one, 9).unwrap()[0].seq), (one, two));
        let sealed = Definition { secret: Some(String::from("s1.k2.sealed")), ..page[0].definition.clone() };
        assert!(made.replace_sealed_text(&page[0], &sealed, START).unwrap());
        let stored = made.stored_webhook("a").unwrap();
        assert_eq!((stored.version, stored.definition.secret.as_deref()), (1, Some("s1.k2.sealed")));
        assert!(
            made.outbox_due(START, 10).unwrap().iter().any(|entry| entry.item == one && entry.version == 1)
        );
        made.update_webhook("a", Definition { timeout_s: 20, ..sealed.clone() }, None, START).unwrap();
        assert!(!made.replace_sealed_text(&page[0], &sealed, START).unwrap(), "it is another version by now");
    }

    #[test]
    fn the_key_that_everything_is_under_survives() {
        let mut made = ledger();
        assert_eq!(made.sealed_under(), None);
        made.note_sealed_under("k2").unwrap();
        let reopened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!((made.sealed_under(), reopened.sealed_under()), (Some("k2"), Some("k2")));
        assert_eq!(reopened.detail().unwrap().sealed_under.as_deref(), Some("k2"));
    }
}
