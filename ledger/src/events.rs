//! Events as people see them.

use postern_core::api::event::EventView;
use postern_core::api::page::Page;
use postern_core::id::{Kind, Seq};

use crate::error::LedgerError;
use crate::pages::SCANNED_MAX;
use crate::project::Ledger;
use crate::row::event::{data_of, labels_of, object_of};
use crate::sql::{Row, Sql, Value, first, key_set};

/// A page of events: parameters are the key before which it starts, rows looked at, the type (or null), items
/// plus one.
const LIST: &str = "SELECT seq, type, object, idempotency_key, accepted_at_ms, deliveries, order_key, labels
     FROM (SELECT seq, type, object, idempotency_key, accepted_at_ms, deliveries, order_key, labels
           FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)
     WHERE ?3 IS NULL OR type = ?3
     ORDER BY seq DESC LIMIT ?4";

/// The last event that a page looks at, if it looks at as many as it may.
const LOOKED_UP_TO: &str =
    "SELECT seq, 0, accepted_at_ms FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET (?2 - 1)";

impl<S: Sql> Ledger<S> {
    fn event_view(&self, row: &Row) -> Result<EventView, LedgerError> {
        Ok(EventView {
            id: self.ids.id(Kind::Event, row.seq(0)?),
            kind: String::from(row.text(1)?),
            data: None,
            object: object_of(row.text_or_none(2)?)?,
            idempotency_key: row.text_or_none(3)?.map(String::from),
            accepted_at: row.timestamp(4)?,
            deliveries: row.number(5)?,
            order_key: row.text_or_none(6)?.map(String::from),
            labels: labels_of(row.text_or_none(7)?)?,
        })
    }

    /// Events without their data, newest first; of exactly the type `kind`, where one is given. One page
    /// looks at 20,000 of them at most: one that ends there says so in `searched_to`.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_events(
        &self,
        kind: Option<&str>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<EventView>, LedgerError> {
        let before = self.cursor_seq(cursor)?;
        let rows = self.sql.run(
            LIST,
            &[
                Value::from(before),
                Value::from(SCANNED_MAX),
                Value::from(kind),
                Value::from(limit.saturating_add(1)),
            ],
        )?;
        let items =
            rows.iter().take(limit as usize).map(|row| self.event_view(row)).collect::<Result<_, _>>()?;
        let looked_up_to =
            || Ok(first(self.sql.run(LOOKED_UP_TO, &[Value::from(before), Value::from(SCANNED_MAX)])?));
        self.page_of(items, &rows, limit, looked_up_to)
    }

    /// An event with its data.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn event(&self, id: &str) -> Result<EventView, LedgerError> {
        let seq = self.seq_of(Kind::Event, id, "event")?;
        self.events_in_full(&[seq])?.pop().ok_or(LedgerError::NotFound { what: "event" })
    }

    /// These events with their data, in the order of their keys; unknown ones are left out.
    pub(crate) fn events_in_full(&self, keys: &[Seq]) -> Result<Vec<EventView>, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, type, object, idempotency_key, accepted_at_ms, deliveries, order_key, labels, data FROM event
             WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq",
            &[Value::Text(key_set(keys.iter().copied()))],
        )?;
        rows.iter()
            .map(|row| Ok(EventView { data: Some(data_of(row.text(8)?)?), ..self.event_view(row)? }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::build::{ledger, post};

    #[test]
    fn events_are_listed_newest_first_and_by_type() {
        let mut ledger = ledger();
        for kind in ["a", "b", "a"] {
            post(&mut ledger, kind);
        }
        let all = ledger.list_events(None, 2, None).unwrap();
        let rest = ledger.list_events(None, 2, all.next.as_deref()).unwrap();
        let kinds: Vec<&str> = all.items.iter().chain(&rest.items).map(|event| event.kind.as_str()).collect();
        assert_eq!((kinds, rest.next), (vec!["a", "b", "a"], None));
        let of_a = ledger.list_events(Some("a"), 2, None).unwrap();
        assert!(
            of_a.items.len() == 2 && of_a.items.iter().all(|event| event.kind == "a" && event.data.is_none())
        );
    }

    #[test]
    fn an_event_in_full_has_its_data_as_the_producer_wrote_it() {
        let mut ledger = ledger();
        post(&mut ledger, "a");
        let id = ledger.list_events(None, 1, None).unwrap().items.remove(0).id;
        assert_eq!(ledger.event(&id).unwrap().data.unwrap().get(), "{\"n\":1}");
        assert_eq!(
            ledger.event(&id.replace("evt_", "dlv_")).map(|_event| ()),
            Err(LedgerError::NotFound { what: "event" })
        );
    }
}
