//! Exports: everything of a kind, oldest first, a page at a time.
//!
//! A page is text: one JSON value a line (NDJSON), ready to be sent on. Producers' data may hold line feeds
//! between its tokens; in a line it does not ([`one_line`]). A page is bounded in rows looked at, in lines
//! and in bytes, because one record of attempts may hold 1.5 MB; the caller asks for the next page with the
//! key that the last one gave. What is stored meanwhile has higher keys and is found at the end.

use postern_core::api::delivery::ExportedDelivery;
use postern_core::delivery::State;
use postern_core::id::Seq;
use postern_core::json_text::one_line;
use postern_core::query::DataForm;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{LedgerError, damaged};
use crate::project::Ledger;
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value, first, key_set};
use crate::timeline::Timeline;

/// Rows that a page looks at, at most; the reader of the export asks for pages until the last.
const SCANNED_MAX: u32 = 2_000;
/// Lines of a page at most.
const LINES_MAX: u32 = 200;
/// A page that has come to so many bytes takes no more rows.
const BYTES_MAX: usize = 2_000_000;
/// Rows that are read at once: as large as they can be, they still fit the object's memory.
const CHUNK: usize = 10;

/// What is exported. What is `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFilter {
    /// What was accepted then or later: `accepted_at` of an event, `created_at` of a delivery.
    pub since: Option<Timestamp>,
    /// What was accepted before then: likewise.
    pub until: Option<Timestamp>,
    /// Events, or deliveries of events, of exactly this type.
    pub kind: Option<String>,
    /// Deliveries in this state.
    pub state: Option<State>,
    /// Deliveries of the webhook with this name; of an unknown one there are none.
    pub webhook: Option<String>,
    /// How the data of events is written.
    pub data: DataForm,
}

/// One page of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// One JSON value a line, each with its line feed.
    pub lines: String,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Seq>,
}

/// The range of keys `(after, before)`, both not in it.
struct Range {
    after: Seq,
    before: Seq,
}

impl Range {
    fn of<S: Sql>(
        ledger: &Ledger<S>,
        of: Timeline,
        filter: &ExportFilter,
        after: Option<Seq>,
    ) -> Result<Self, LedgerError> {
        let first = |at: Timestamp| ledger.first_created(of, at);
        // What was given already was not before the range: its start need not be looked up again.
        let after = match (after, filter.since) {
            (Some(after), _) => after,
            (None, Some(since)) => Seq(first(since)?.0 - 1),
            (None, None) => Seq::ZERO,
        };
        Ok(Self { after, before: filter.until.map_or(Ok(Seq::LAST), first)? })
    }
}

impl<S: Sql> Ledger<S> {
    /// A page of events with their data, oldest first, starting after the key `after`.
    ///
    /// # Errors
    /// The database fails.
    pub fn export_events(&self, filter: &ExportFilter, after: Option<Seq>) -> Result<Exported, LedgerError> {
        let range = Range::of(self, Timeline::Events, filter, after)?;
        let (first_of_range, before) = (Value::from(range.after), Value::from(range.before));
        let found = self.sql.run(
            "SELECT seq FROM (SELECT seq, type FROM event WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3)
             WHERE ?4 IS NULL OR type = ?4 ORDER BY seq LIMIT ?5",
            &[
                first_of_range.clone(),
                before.clone(),
                Value::from(SCANNED_MAX),
                Value::from(filter.kind.as_deref()),
                Value::from(LINES_MAX),
            ],
        )?;
        let window_end = format!(
            "SELECT seq FROM event WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT 1 OFFSET {}",
            SCANNED_MAX - 1
        );
        self.page(&found, (&window_end, &[first_of_range, before]), |this, keys| {
            this.event_lines(keys, filter.data)
        })
    }

    /// A page of deliveries with every attempt, oldest first, starting after the key `after`.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where the webhook was renamed or deleted since the first page: an empty page
    /// would pass for the end of a whole export. The database fails.
    pub fn export_deliveries(
        &self,
        filter: &ExportFilter,
        after: Option<Seq>,
    ) -> Result<Exported, LedgerError> {
        let webhook = match &filter.webhook {
            None => None,
            Some(name) => match self.roster.named(name) {
                Some(seq) => Some(seq),
                None if after.is_some() => return Err(LedgerError::NotFound { what: "webhook" }),
                None => return Ok(Exported::default()),
            },
        };
        let range = Range::of(self, Timeline::Deliveries, filter, after)?;
        let (first_of_range, before) = (Value::from(range.after), Value::from(range.before));
        let of_webhook = if webhook.is_some() { "AND webhook = ?3" } else { "AND ?3 IS NULL" };
        let found = self.sql.run(
            &format!(
                "SELECT d.seq FROM (SELECT seq, event, state FROM delivery WHERE seq > ?1 AND seq < ?2 {of_webhook} ORDER BY seq LIMIT ?4) AS d
                 CROSS JOIN event AS e ON e.seq = d.event
                 WHERE (?5 IS NULL OR d.state = ?5) AND (?6 IS NULL OR e.type = ?6) ORDER BY d.seq LIMIT ?7"
            ),
            &[
                first_of_range.clone(),
                before.clone(),
                Value::from(webhook),
                Value::from(SCANNED_MAX),
                Value::from(filter.state.map(State::as_str)),
                Value::from(filter.kind.as_deref()),
                Value::from(LINES_MAX),
            ],
        )?;
        let window_end = format!(
            "SELECT seq FROM delivery WHERE seq > ?1 AND seq < ?2 {of_webhook} ORDER BY seq LIMIT 1 OFFSET {}",
            SCANNED_MAX - 1
        );
        self.page(
            &found,
            (&window_end, &[first_of_range, before, Value::from(webhook)]),
            Self::delivery_lines,
        )
    }

    fn event_lines(&self, keys: &[Seq], form: DataForm) -> Result<Vec<String>, LedgerError> {
        let mut events = self.events_in_full(keys)?;
        if form == DataForm::Text {
            for event in &mut events {
                let text = event.data.as_deref().map(|data| to_json(&data.get())).transpose()?;
                event.data = text
                    .map(RawValue::from_string)
                    .transpose()
                    .map_err(damaged("data can't be read as text"))?;
            }
        }
        events.iter().map(to_json).collect()
    }

    fn delivery_lines(&self, keys: &[Seq]) -> Result<Vec<String>, LedgerError> {
        let views = self.delivery_views(keys)?;
        let records = self.sql.run(
            "SELECT attempts FROM delivery WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq",
            &[Value::Text(key_set(keys.iter().copied()))],
        )?;
        if views.len() != records.len() {
            return Err(LedgerError::Corrupt { what: "a delivery has no event" });
        }
        let lines = views.into_iter().zip(&records).map(|(delivery, record)| {
            let attempts: Vec<&str> = record.text(0)?.lines().collect();
            let attempts = RawValue::from_string(format!("[{}]", attempts.join(",")))
                .map_err(damaged("attempts can't be read"))?;
            to_json(&ExportedDelivery::new(delivery, attempts))
        });
        lines.collect()
    }

    /// The page of the keys that were `found`: `lines` gives the lines of some of them, in their order. Where
    /// all of them fit, the next page starts after the window that was looked at.
    fn page(
        &self,
        found: &[Row],
        (window_end, parameters): (&str, &[Value]),
        lines: impl Fn(&Self, &[Seq]) -> Result<Vec<String>, LedgerError>,
    ) -> Result<Exported, LedgerError> {
        let keys = found.iter().map(|row| row.seq(0)).collect::<Result<Vec<_>, _>>()?;
        let mut page = Exported::default();
        let mut written = 0;
        for chunk in keys.chunks(CHUNK) {
            for line in lines(self, chunk)? {
                page.lines.push_str(&one_line(&line));
                page.lines.push('\n');
            }
            written += chunk.len();
            if page.lines.len() >= BYTES_MAX {
                break;
            }
        }
        let is_cut = written < keys.len() || keys.len() >= LINES_MAX as usize;
        page.next = if is_cut {
            written.checked_sub(1).and_then(|last| keys.get(last)).copied()
        } else {
            first(self.sql.run(window_end, parameters)?).map(|row| row.seq(0)).transpose()?
        };
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::Outcome;
    use postern_core::event::NewEvent;
    use postern_core::webhook::Definition;
    use serde_json::Value as Json;

    use super::*;
    use crate::InlineLimit;
    use crate::support::build::{START, attempt_due, create, event, json, ledger, post, webhook};
    use crate::support::native::Native;

    /// Every line of an export, and how many pages it took.
    fn all(page: impl Fn(Option<Seq>) -> Exported) -> (Vec<Json>, usize) {
        let (mut lines, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let exported = page(after);
            pages += 1;
            assert!(exported.lines.is_empty() || exported.lines.ends_with('\n'));
            lines.extend(exported.lines.lines().map(|line| serde_json::from_str(line).unwrap()));
            assert!(exported.next.is_none_or(|next| Some(next) > after), "pages go on");
            match exported.next {
                Some(next) => after = Some(next),
                None => return (lines, pages),
            }
        }
    }

    fn events(ledger: &Ledger<Rc<Native>>, filter: &ExportFilter) -> (Vec<Json>, usize) {
        all(|after| ledger.export_events(filter, after).unwrap())
    }

    fn deliveries(ledger: &Ledger<Rc<Native>>, filter: &ExportFilter) -> (Vec<Json>, usize) {
        all(|after| ledger.export_deliveries(filter, after).unwrap())
    }

    #[test]
    fn events_come_oldest_first_with_their_data_and_every_one_once() {
        let mut ledger = ledger();
        for number in 0..5 {
            let batch = (0..100)
                .map(|at| NewEvent { data: json(&(number * 100 + at).to_string()), ..event("a") })
                .collect();
            ledger.ingest(batch, InlineLimit(0), START).unwrap();
        }
        let (lines, pages) = events(&ledger, &ExportFilter::default());
        let data: Vec<i64> = lines.iter().map(|line| line["data"].as_i64().unwrap()).collect();
        assert_eq!((data, pages), ((0..500).collect(), 3));
        assert!(lines[0]["id"].as_str().is_some_and(|id| id.starts_with("evt_")));
    }

    #[test]
    fn a_time_and_a_type_choose() {
        let mut ledger = ledger();
        for second in 0..6 {
            let kind = if second % 2 == 0 { "even" } else { "odd" };
            ledger.ingest(vec![event(kind)], InlineLimit(0), START.plus_ms(second * 1_000)).unwrap();
        }
        let count = |since: Option<i64>, until: Option<i64>, kind: Option<&str>| {
            let at = |second: i64| START.plus_ms(second * 1_000);
            let filter = ExportFilter {
                since: since.map(at),
                until: until.map(at),
                kind: kind.map(String::from),
                ..ExportFilter::default()
            };
            events(&ledger, &filter).0.len()
        };
        assert_eq!(count(None, None, None), 6);
        assert_eq!(count(Some(2), None, None), 4, "from this time on");
        assert_eq!(count(None, Some(2), None), 2, "before this time");
        assert_eq!(count(Some(1), Some(4), Some("odd")), 2);
        assert_eq!(count(Some(7), None, None), 0);
    }

    #[test]
    fn a_rare_type_is_found_behind_many_others() {
        let mut ledger = ledger();
        for _ in 0..25 {
            ledger.ingest((0..100).map(|_| event("common")).collect(), InlineLimit(0), START).unwrap();
        }
        ledger.ingest(vec![event("rare")], InlineLimit(0), START).unwrap();
        let filter = ExportFilter { kind: Some(String::from("rare")), ..ExportFilter::default() };
        let (lines, pages) = events(&ledger, &filter);
        assert_eq!((lines.len(), pages), (1, 2));
    }

    #[test]
    fn deliveries_come_with_every_attempt_as_it_is_recorded() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("a", "*") });
        let id = ledger.ids().id(postern_core::id::Kind::Delivery, post(&mut ledger, "order.paid")[0]);
        attempt_due(&mut ledger, START, Outcome::Answered { status: 503 });
        ledger.resend(&id, START).unwrap();
        attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        create(&mut ledger, webhook("b", "*"));
        post(&mut ledger, "order.sent");
        let (lines, _pages) = deliveries(&ledger, &ExportFilter::default());
        assert_eq!(lines.len(), 3);
        assert_eq!(
            (&lines[0]["id"], &lines[0]["state"], &lines[0]["webhook"]),
            (&Json::from(id), &Json::from("delivered"), &Json::from("a"))
        );
        let outcomes: Vec<i64> = lines[0]["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["outcome"]["status"].as_i64().unwrap())
            .collect();
        assert_eq!(outcomes, [503, 200]);
        let count = |filter: ExportFilter| deliveries(&ledger, &filter).0.len();
        assert_eq!(count(ExportFilter { state: Some(State::Pending), ..ExportFilter::default() }), 2);
        assert_eq!(count(ExportFilter { webhook: Some(String::from("b")), ..ExportFilter::default() }), 1);
        assert_eq!(count(ExportFilter { webhook: Some(String::from("c")), ..ExportFilter::default() }), 0);
        assert_eq!(
            count(ExportFilter { kind: Some(String::from("order.paid")), ..ExportFilter::default() }),
            1
        );
    }

    #[test]
    fn an_event_is_one_line_whatever_its_producer_put_between_the_tokens() {
        let written = "{\n  \"big\": 12345678901234567890123,\r\n\t\"price\": 1.10, \"far\" : 1e400,\n \"s\": \"a  \u{2028}b\\n\"\n}";
        let mut ledger = ledger();
        ledger
            .ingest(vec![NewEvent { data: json(written), ..event("a") }, event("b")], InlineLimit(0), START)
            .unwrap();
        let lines = ledger.export_events(&ExportFilter::default(), None).unwrap().lines;
        assert_eq!(lines.split_inclusive('\n').count(), 2);
        assert_eq!(lines.matches(['\r', '\u{85}', '\u{2028}', '\u{2029}']).count(), 0, "{lines}");
        let compact =
            r#""data":{"big":12345678901234567890123,"price":1.10,"far":1e400,"s":"a  \u2028b\n"},"#;
        assert!(lines.contains(compact), "{lines}");
        let filter = ExportFilter { data: DataForm::Text, ..ExportFilter::default() };
        let (texts, _pages) = events(&ledger, &filter);
        assert_eq!(texts[0]["data"], written, "byte for byte");
        assert_eq!(texts[1]["data"], "{\"n\":1}");
    }

    /// The names of a JSON object's members, as they are written.
    struct Names(Vec<String>);

    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Names;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                    let mut names = Vec::new();
                    while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                        names.push(name);
                    }
                    Ok(Names(names))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    #[test]
    fn no_line_has_a_field_twice_and_all_lines_have_the_same() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        post(&mut ledger, "order.paid");
        attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        post(&mut ledger, "order.sent");
        let all = ExportFilter::default();
        for lines in [
            ledger.export_events(&all, None).unwrap().lines,
            ledger.export_deliveries(&all, None).unwrap().lines,
        ] {
            let names: Vec<Vec<String>> =
                lines.lines().map(|line| serde_json::from_str::<Names>(line).unwrap().0).collect();
            assert_eq!(names.len(), 2);
            assert_eq!(names[0], names[1]);
            let different: std::collections::BTreeSet<&String> = names[0].iter().collect();
            assert_eq!(different.len(), names[0].len(), "{:?}", names[0]);
        }
        let (lines, _pages) = deliveries(&ledger, &all);
        assert_eq!(
            (&lines[0]["attempt_count"], lines[0]["attempts"].as_array().map(Vec::len)),
            (&Json::from(1), Some(1))
        );
        assert_eq!(
            (&lines[1]["attempt_count"], lines[1]["attempts"].as_array().map(Vec::len)),
            (&Json::from(0), Some(0))
        );
    }

    #[test]
    fn an_export_whose_webhook_goes_meanwhile_breaks_off_and_does_not_look_whole() {
        for is_deleted in [true, false] {
            let mut ledger = ledger();
            create(&mut ledger, webhook("w", "*"));
            for _ in 0..3 {
                ledger.ingest((0..100).map(|_| event("a")).collect(), InlineLimit(0), START).unwrap();
            }
            let filter = ExportFilter { webhook: Some(String::from("w")), ..ExportFilter::default() };
            let page = ledger.export_deliveries(&filter, None).unwrap();
            assert!(page.next.is_some());
            if is_deleted {
                ledger.delete_webhook("w", None, START).unwrap();
            } else {
                ledger.update_webhook("w", webhook("other", "*"), None, START).unwrap();
            }
            assert_eq!(
                ledger.export_deliveries(&filter, page.next),
                Err(LedgerError::NotFound { what: "webhook" })
            );
            assert_eq!(
                ledger.export_deliveries(&filter, None),
                Ok(Exported::default()),
                "of an unknown one there are none"
            );
        }
    }

    #[test]
    fn a_page_of_large_rows_is_cut_by_its_bytes() {
        let mut ledger = ledger();
        let large = format!("\"{}\"", "x".repeat(250_000));
        for _ in 0..30 {
            ledger
                .ingest(vec![NewEvent { data: json(&large), ..event("a") }], InlineLimit(0), START)
                .unwrap();
        }
        let page = ledger.export_events(&ExportFilter::default(), None).unwrap();
        assert!(page.lines.len() < BYTES_MAX + CHUNK * 260_000, "{}", page.lines.len());
        assert_eq!(events(&ledger, &ExportFilter::default()).0.len(), 30);
    }
}
