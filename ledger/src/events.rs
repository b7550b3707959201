//! Events as people see them. Lists of them are in `search`.

use postern_core::api::event::EventView;
use postern_core::id::{Kind, Seq};

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::event::{data_of, labels_of, object_of};
use crate::search::EVENT_COLUMNS;
use crate::sql::{Row, Sql, Value, first, key_set};

impl<S: Sql> Ledger<S> {
    pub(crate) fn event_view(&self, row: &Row) -> Result<EventView, LedgerError> {
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

    /// An event with its data.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn event(&self, id: &str) -> Result<EventView, LedgerError> {
        let seq = self.seq_of(Kind::Event, id, "event")?;
        self.events_in_full(&[seq])?.pop().ok_or(LedgerError::NotFound { what: "event" })
    }

    /// That there is such an event.
    pub(crate) fn event_exists(&self, id: &str) -> Result<Seq, LedgerError> {
        let seq = self.seq_of(Kind::Event, id, "event")?;
        let found = first(self.sql.run("SELECT seq FROM event WHERE seq = ?1", &[Value::from(seq)])?);
        found.ok_or(LedgerError::NotFound { what: "event" })?.seq(0)
    }

    /// These events with their data, in the order of their keys; unknown ones are left out.
    pub(crate) fn events_in_full(&self, keys: &[Seq]) -> Result<Vec<EventView>, LedgerError> {
        let rows = self.sql.run(
            &format!(
                "SELECT {EVENT_COLUMNS}, data FROM event WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq"
            ),
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
        let all = ledger.list_events(&crate::EventFilter::default(), 2, None).unwrap();
        let rest = ledger.list_events(&crate::EventFilter::default(), 2, all.next.as_deref()).unwrap();
        let kinds: Vec<&str> = all.items.iter().chain(&rest.items).map(|event| event.kind.as_str()).collect();
        assert_eq!((kinds, rest.next), (vec!["a", "b", "a"], None));
        let of_a = ledger
            .list_events(
                &crate::EventFilter { kind: Some(String::from("a")), ..crate::EventFilter::default() },
                2,
                None,
            )
            .unwrap();
        assert!(
            of_a.items.len() == 2 && of_a.items.iter().all(|event| event.kind == "a" && event.data.is_none())
        );
    }

    #[test]
    fn an_event_in_full_has_its_data_as_the_producer_wrote_it() {
        let mut ledger = ledger();
        post(&mut ledger, "a");
        let id = ledger.list_events(&crate::EventFilter::default(), 1, None).unwrap().items.remove(0).id;
        assert_eq!(ledger.event(&id).unwrap().data.unwrap().get(), "{\"n\":1}");
        assert_eq!(
            ledger.event(&id.replace("evt_", "dlv_")).map(|_event| ()),
            Err(LedgerError::NotFound { what: "event" })
        );
    }
}
