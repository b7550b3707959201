//! The catalogue of event types, and what data must be where a type has a schema.
//!
//! A type without a schema informs, it does not bar: events of types that the catalogue does not know, or has
//! archived, are accepted. The names of types with a schema are in memory, their schemas once an event has
//! needed them, so that a project without schemas pays nothing for them.

use std::rc::Rc;

use postern_core::api::audit::AuditAction;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::{LIMIT_NONE, Page};
use postern_core::change::Changes;
use postern_core::event::EventTypeDraft;
use postern_core::fault::Faults;
use postern_core::filter::EventFacts;
use postern_core::json_schema::Schema;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::event_type::{COLUMNS, TypeChange, delete_type, put_type, view, view_of};
use crate::sql::{Sql, Value, first};

/// Types of a project's catalogue at most: a list without a limit gives all of them.
pub(crate) const EVENT_TYPES_MAX: usize = 1_000;

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_schemas(&mut self) -> Result<(), LedgerError> {
        let rows = self.sql.run("SELECT name FROM event_type WHERE schema IS NOT NULL", &[])?;
        self.schemas.0 = rows
            .iter()
            .map(|row| Ok((String::from(row.text(0)?), None)))
            .collect::<Result<_, LedgerError>>()?;
        Ok(())
    }

    /// Adds a type to the catalogue.
    ///
    /// # Errors
    /// [`LedgerError::NameTaken`]; [`LedgerError::StateConflict`] at 1,000 types; the database fails.
    pub fn create_event_type(
        &mut self,
        draft: EventTypeDraft,
        now: Timestamp,
    ) -> Result<EventTypeView, LedgerError> {
        let rows = self.sql.run(
            "SELECT count(*), count(CASE WHEN name = ?1 THEN 1 END) FROM event_type",
            &[Value::from(draft.name.as_str())],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        if row.flag(1)? {
            return Err(LedgerError::NameTaken { what: "event type" });
        }
        if row.number(0)? as usize >= EVENT_TYPES_MAX {
            return Err(LedgerError::StateConflict {
                why: "a project has at most 1,000 event types: delete one first",
            });
        }
        self.admit_bytes(crate::quotas::bytes_of(1, 0), now)?;
        let made = view(draft, 1, now);
        self.commit_type(&TypeChange { before: None, after: Some(made.clone()) }, now)?;
        Ok(made)
    }

    /// Replaces what the catalogue says of a type; its name stays. The same again makes no new version.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn update_event_type(
        &mut self,
        name: &str,
        draft: EventTypeDraft,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<EventTypeView, LedgerError> {
        let before = self.expect_type(name, expected_version)?;
        let same = view(draft.clone(), before.version, before.created_at);
        if same == before {
            return Ok(before);
        }
        let after = view(draft, before.version + 1, before.created_at);
        self.commit_type(&TypeChange { before: Some(before), after: Some(after.clone()) }, now)?;
        Ok(after)
    }

    /// The whole catalogue, by name.
    ///
    /// # Errors
    /// The database fails.
    pub fn catalogue(&self) -> Result<Vec<EventTypeView>, LedgerError> {
        Ok(self.list_event_types(LIMIT_NONE, None)?.items)
    }

    /// The catalogue by name, from the type after `cursor` on, which is a name.
    ///
    /// # Errors
    /// The database fails.
    pub fn list_event_types(
        &self,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<EventTypeView>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM event_type WHERE name > ?1 ORDER BY name LIMIT ?2"),
            &[Value::from(cursor.unwrap_or_default()), Value::from(limit.saturating_add(1))],
        )?;
        let items = rows.iter().take(limit as usize).map(view_of).collect::<Result<Vec<_>, _>>()?;
        let has_more = rows.len() > items.len();
        let next = items.last().filter(|_last| has_more).map(|last| last.name.clone());
        Ok(Page::new(items, next))
    }

    /// One type.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn event_type(&self, name: &str) -> Result<EventTypeView, LedgerError> {
        let rows = self
            .sql
            .run(&format!("SELECT {COLUMNS} FROM event_type WHERE name = ?1"), &[Value::from(name)])?;
        view_of(&first(rows).ok_or(LedgerError::NotFound { what: "event type" })?)
    }

    /// Removes a type from the catalogue. Events of it are accepted all the same.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn delete_event_type(
        &mut self,
        name: &str,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let before = self.expect_type(name, expected_version)?;
        self.commit_type(&TypeChange { before: Some(before), after: None }, now)
    }

    /// The type, if its version is the expected one; `None` expects any.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn expect_type(&self, name: &str, expected: Option<u32>) -> Result<EventTypeView, LedgerError> {
        let current = self.event_type(name)?;
        if expected.is_some_and(|expected| expected != current.version) {
            return Err(LedgerError::VersionMismatch { current: current.version });
        }
        Ok(current)
    }

    fn commit_type(&mut self, change: &TypeChange, now: Timestamp) -> Result<(), LedgerError> {
        self.within_bounds(change.growth()?, now, |sql| self.write_type(sql, change, now))?;
        self.settle_type(change);
        Ok(())
    }

    /// Writes a change with its entry in the audit log. Inside the caller's transaction;
    /// [`Ledger::settle_type`] follows its commit.
    pub(crate) fn write_type(&self, sql: &S, change: &TypeChange, now: Timestamp) -> Result<(), LedgerError> {
        let changes = Changes::of_event_type(change.before.as_ref(), change.after.as_ref());
        let (action, name) = match (&change.before, &change.after) {
            (None, Some(after)) => (AuditAction::EventTypeCreated, &after.name),
            (Some(_), Some(after)) => (AuditAction::EventTypeUpdated, &after.name),
            (Some(before), None) => (AuditAction::EventTypeDeleted, &before.name),
            (None, None) => return Ok(()),
        };
        match &change.after {
            Some(after) => put_type(sql, after)?,
            None => delete_type(sql, name)?,
        }
        self.audit(sql, action, name, changes, now)
    }

    /// Takes a change that was committed into memory.
    pub(crate) fn settle_type(&mut self, change: &TypeChange) {
        if let Some(before) = &change.before {
            self.schemas.0.remove(&before.name);
        }
        if let Some(after) = change.after.as_ref().filter(|after| after.schema.is_some()) {
            self.schemas.0.insert(after.name.clone(), None);
        }
    }

    /// What of the data of `event` does not fit the schema of its type; `pointer` is where the data stands in
    /// the input. Paid from the event's budget.
    ///
    /// A stored schema that [`Schema::parse`] refuses is as none: an earlier build took it, and what it asked
    /// for is not known any more. Its events are accepted unchecked rather than refused for what their
    /// producer cannot fix; the catalogue still shows it, and who stores it again learns what is wrong
    /// with it.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) fn check_data(
        &mut self,
        event: &EventFacts<'_>,
        pointer: &str,
    ) -> Result<Faults, LedgerError> {
        let Some(known) = self.schemas.0.get(event.kind) else { return Ok(Faults::default()) };
        let schema = if let Some(schema) = known {
            Rc::clone(schema)
        } else {
            let view = self.event_type(event.kind)?;
            let Some(schema) = view.schema.as_ref().and_then(|schema| Schema::parse(schema, "").ok()) else {
                self.schemas.0.remove(event.kind);
                return Ok(Faults::default());
            };
            let schema = Rc::new(schema);
            self.schemas.0.insert(view.name, Some(Rc::clone(&schema)));
            schema
        };
        Ok(schema.check_within(event.data(), pointer, event.budget()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use postern_core::event::NewEvent;

    use super::*;
    use crate::InlineLimit;
    use crate::support::build::{START, event, keyed, ledger};

    fn draft(name: &str) -> EventTypeDraft {
        EventTypeDraft {
            description: String::from("Said"),
            example: Some(json!({"n": 1})),
            ..EventTypeDraft::new(String::from(name))
        }
    }

    fn strict(name: &str) -> EventTypeDraft {
        EventTypeDraft {
            schema: Some(json!({"properties": {"n": {"type": "string"}}})),
            example: None,
            ..draft(name)
        }
    }

    #[test]
    fn the_catalogue_holds_each_type_once() {
        let mut ledger = ledger();
        let made = ledger.create_event_type(draft("order.paid"), START).unwrap();
        ledger.create_event_type(EventTypeDraft { example: None, ..draft("a") }, START).unwrap();
        assert_eq!(
            ledger.create_event_type(draft("a"), START),
            Err(LedgerError::NameTaken { what: "event type" })
        );
        let names: Vec<String> = ledger.catalogue().unwrap().into_iter().map(|kind| kind.name).collect();
        assert_eq!(names, ["a", "order.paid"]);
        assert_eq!(
            (ledger.catalogue().unwrap().remove(1), ledger.event_type("order.paid").unwrap()),
            (made.clone(), made)
        );
        ledger.delete_event_type("a", None, START).unwrap();
        assert_eq!(
            ledger.delete_event_type("a", None, START),
            Err(LedgerError::NotFound { what: "event type" })
        );
    }

    #[test]
    fn the_catalogue_is_listed_page_by_page_each_type_once() {
        let mut ledger = ledger();
        for name in ["c", "a", "e", "b", "d"] {
            ledger.create_event_type(draft(name), START).unwrap();
        }
        let names =
            |page: &Page<EventTypeView>| page.items.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>();
        let first = ledger.list_event_types(2, None).unwrap();
        assert_eq!(
            (names(&first), first.next.as_deref()),
            (vec![String::from("a"), String::from("b")], Some("b"))
        );
        ledger.delete_event_type("b", None, START).unwrap();
        let second = ledger.list_event_types(3, Some("b")).unwrap();
        assert_eq!(
            (names(&second), second.next),
            (["c", "d", "e"].map(String::from).to_vec(), None),
            "the page before ended there"
        );
    }

    #[test]
    fn an_update_names_the_version_it_was_made_for() {
        let mut ledger = ledger();
        ledger.create_event_type(draft("a"), START).unwrap();
        let archived = EventTypeDraft { archived: true, ..draft("a") };
        assert_eq!(
            ledger.update_event_type("a", draft("a"), Some(1), START).unwrap().version,
            1,
            "nothing changed"
        );
        let updated = ledger.update_event_type("a", archived, Some(1), START.plus_ms(9)).unwrap();
        assert_eq!((updated.version, updated.archived, updated.created_at), (2, true, START));
        let stale = ledger.update_event_type("a", draft("a"), Some(1), START);
        assert_eq!(stale, Err(LedgerError::VersionMismatch { current: 2 }));
        assert_eq!(
            ledger.delete_event_type("a", Some(1), START),
            Err(LedgerError::VersionMismatch { current: 2 })
        );
        ledger.delete_event_type("a", Some(2), START).unwrap();
    }

    #[test]
    fn data_that_does_not_fit_is_refused_with_its_place_and_nothing_is_stored() {
        let mut made = ledger();
        made.create_event_type(strict("order.paid"), START).unwrap();
        let mut reopened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        for ledger in [&mut made, &mut reopened] {
            let batch = vec![event("other"), event("order.paid"), event("order.paid")];
            let Err(LedgerError::SchemaViolated { faults }) = ledger.ingest(batch, InlineLimit(0), START)
            else {
                panic!("refused")
            };
            let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(pointers, ["/events/1/data/n", "/events/2/data/n"]);
            assert!(matches!(
                ledger.dry_run(event("order.paid"), None, START),
                Err(LedgerError::SchemaViolated { .. })
            ));
        }
        assert!(made.list_events(&crate::EventFilter::default(), 10, None).unwrap().items.is_empty());
        let fitting = NewEvent { data: crate::support::build::json(r#"{"n":"1"}"#), ..event("order.paid") };
        assert!(made.ingest(vec![fitting], InlineLimit(0), START).is_ok());
        let large = |n: &str| NewEvent {
            data: crate::support::build::json(&format!(r#"{{"n":{n}}}"#)),
            ..event("order.paid")
        };
        assert!(matches!(
            made.ingest(vec![large("1E400")], InlineLimit(0), START),
            Err(LedgerError::SchemaViolated { .. })
        ));
        assert!(made.ingest(vec![large("\"1E400\"")], InlineLimit(0), START).is_ok());
    }

    #[test]
    fn a_stored_schema_that_is_refused_now_checks_nothing() {
        let mut made = ledger();
        made.create_event_type(strict("a"), START).unwrap();
        let refused =
            r#"{"properties": {"n": {"type": "string"}}, "unevaluatedItems": false, "$dynamicRef": "x"}"#;
        assert!(Schema::parse(&serde_json::from_str(refused).unwrap(), "").is_err());
        made.sql.run("UPDATE event_type SET schema = ?1", &[Value::from(refused)]).unwrap();
        let mut ledger = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        for _time in 0..2 {
            assert!(ledger.ingest(vec![event("a")], InlineLimit(0), START).is_ok());
            assert!(ledger.dry_run(event("a"), None, START).is_ok());
        }
        assert!(ledger.event_type("a").unwrap().schema.is_some(), "the catalogue shows what is stored");
        ledger.update_event_type("a", strict("a"), None, START).unwrap();
        assert!(ledger.ingest(vec![event("a")], InlineLimit(0), START).is_err());
    }

    #[test]
    fn a_schema_holds_from_when_it_was_set_until_it_is_taken_off() {
        let mut ledger = ledger();
        ledger.ingest(vec![keyed("a", "k")], InlineLimit(0), START).unwrap();
        ledger.create_event_type(draft("a"), START).unwrap();
        ledger.update_event_type("a", strict("a"), None, START).unwrap();
        assert!(ledger.ingest(vec![event("a")], InlineLimit(0), START).is_err());
        let again = ledger.ingest(vec![keyed("a", "k")], InlineLimit(0), START).unwrap();
        assert!(again.accepted[0].duplicate, "what was accepted is not refused when it is repeated");
        let archived = EventTypeDraft { archived: true, ..strict("a") };
        ledger.update_event_type("a", archived, None, START).unwrap();
        assert!(
            ledger.ingest(vec![event("a")], InlineLimit(0), START).is_err(),
            "archived types are still checked"
        );
        ledger.update_event_type("a", draft("a"), None, START).unwrap();
        assert!(ledger.ingest(vec![event("a")], InlineLimit(0), START).is_ok());
        ledger.update_event_type("a", strict("a"), None, START).unwrap();
        ledger.delete_event_type("a", None, START).unwrap();
        assert!(ledger.ingest(vec![event("a")], InlineLimit(0), START).is_ok());
    }
}
