//! The end of a project: all that is stored goes in one commit. Only the names of its copies in KV stay,
//! until their owner has removed those too.
//!
//! What is under way meanwhile finds no project: a ticket that is claimed yields nothing, a report is taken
//! for one of a project that does not exist. A project of the same name can be created once the copies are
//! gone; nothing of the old one fits its ids.

use postern_core::id::Kind;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::leftover::{self, Leftover};
use crate::schema;
use crate::sql::{Sql, atomically};

impl<S: Sql> Ledger<S> {
    /// Deletes the project with all that is in it. [`leftovers`] says what is left in KV then.
    ///
    /// # Errors
    /// The database fails; the project is there as before then.
    pub fn remove(self) -> Result<(), LedgerError> {
        let of = |webhook_id| Leftover { project: String::from(self.project().as_str()), webhook_id };
        let known = self.roster.iter().map(|(seq, _member)| seq);
        // Webhooks that were deleted just before may have their copies still.
        let deleted = self
            .sql
            .run("SELECT item FROM outbox WHERE deleted = 1", &[])?
            .iter()
            .map(|row| row.seq(0))
            .collect::<Result<Vec<_>, _>>()?;
        let webhooks = known.chain(deleted).map(|seq| of(Some(self.ids.id(Kind::Webhook, seq))));
        let left: Vec<Leftover> = std::iter::once(of(None)).chain(webhooks).collect();
        atomically(&self.sql, |sql| {
            schema::drop_all(sql)?;
            sql.run(schema::LEFTOVER, &[])?;
            leftover::insert(sql, &left)
        })
    }
}

/// Up to `limit` copies of a deleted project that are still to be removed from KV; none where none was
/// deleted here.
///
/// # Errors
/// The database fails.
pub fn leftovers<S: Sql>(sql: &S, limit: u32) -> Result<Vec<Leftover>, LedgerError> {
    if schema::has_leftovers(sql)? { leftover::some(sql, limit) } else { Ok(Vec::new()) }
}

/// Takes note that these are removed; gives whether there are more.
///
/// # Errors
/// The database fails.
pub fn leftovers_removed<S: Sql>(sql: &S, gone: &[Leftover]) -> Result<bool, LedgerError> {
    atomically(sql, |sql| leftover::delete(sql, gone))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::webhook::ProjectName;

    use super::*;
    use crate::support::build::{START, create, ledger, post, webhook};

    #[test]
    fn a_deleted_project_leaves_nothing_but_the_names_of_its_copies() {
        let mut ledger = ledger();
        let (kept, gone) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        post(&mut ledger, "order.paid");
        ledger.delete_webhook("b", None, START).unwrap();
        let (sql, project) = (Rc::clone(&ledger.sql), ledger.project().clone());
        let ids = [kept, gone].map(|seq| Some(ledger.ids().id(Kind::Webhook, seq)));
        ledger.remove().unwrap();
        assert!(Ledger::open(Rc::clone(&sql)).unwrap().is_none());
        let tables = sql.run("SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap();
        assert_eq!(tables.len(), 1, "{tables:?}");
        let left = leftovers(&sql, 10).unwrap();
        let mut expected: Vec<Option<String>> = std::iter::once(None).chain(ids).collect();
        expected.sort();
        assert_eq!(left.iter().map(|left| left.webhook_id.clone()).collect::<Vec<_>>(), expected);
        assert!(left.iter().all(|left| left.project == project.as_str()));

        let again = Ledger::create(Rc::clone(&sql), &project, 7, START).map(|_ledger| ());
        assert!(matches!(again, Err(LedgerError::StateConflict { .. })), "its copies are there still");
        assert!(leftovers_removed(&sql, &left[..1]).unwrap());
        assert_eq!(leftovers(&sql, 10).unwrap(), left[1..]);
        assert!(!leftovers_removed(&sql, &left[1..]).unwrap());
        assert!(leftovers(&sql, 10).unwrap().is_empty());
        let ledger = Ledger::create(sql, &project, 7, START).unwrap();
        assert!(ledger.list_events(&crate::EventFilter::default(), 1, None).unwrap().items.is_empty());
    }

    #[test]
    fn a_database_in_which_nothing_was_deleted_has_no_leftovers() {
        let ledger = ledger();
        assert_eq!(leftovers(&ledger.sql, 10).unwrap(), []);
        let empty = crate::support::native::Native::new();
        assert_eq!(leftovers(&empty, 10).unwrap(), []);
        let name = ProjectName::parse("p").unwrap();
        assert!(Ledger::create(empty, &name, 7, START).is_ok());
    }
}
