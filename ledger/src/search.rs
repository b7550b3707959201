//! Searching deliveries and events: which rows a page or a count looks at, and which of them it wants.
//!
//! Keys go by time, so a time is a range of keys, and what is rare (given up, open, of one event) is looked
//! up in an index. Everything else is a walk from the newest row backwards that ends after so many rows, or,
//! where payloads or labels are read, so many bytes: no search keeps a project from its work for long. What
//! ended there says how far it has come.

use std::collections::BTreeMap;

use postern_core::api::delivery::{DeliveryCount, DeliveryView};
use postern_core::api::event::EventView;
use postern_core::api::page::Page;
use postern_core::delivery::State;
use postern_core::id::{Kind, Seq};
use postern_core::query::PageQuery;
use postern_core::search::{DeliveryFilter, EventFilter, ObjectFilter};
use postern_core::time::Timestamp;

use crate::deliveries::VIEW_COLUMNS;
use crate::error::LedgerError;
use crate::pages::SCANNED_MAX;
use crate::project::Ledger;
use crate::row::keys::read_created;
use crate::row::text::member_text;
use crate::sql::{Row, Sql, Value, first, key_set};
use crate::timeline::Timeline;

/// Deliveries that one count looks at, at most: it reads less of each than a page. Where it has to read their
/// events too, it looks at as many as a page.
const COUNTED_MAX: u32 = 100_000;
/// Bytes of payloads and labels that one page or count reads, at most, but for those of the last event.
const READ_BYTES_MAX: u32 = 8 * 1_024 * 1_024;
/// Bytes of a payload that are passed over in the time of reading one: 0.01 to 0.06 ns each, 0.9 where they
/// are read (SQLite 3.40, payloads of 20 and 256 KB).
const PASSED_BYTES: u32 = 32;

/// What a page shows of an event, in the order of `event_view`.
pub(crate) const EVENT_COLUMNS: &str =
    "seq, type, object, idempotency_key, accepted_at_ms, deliveries, order_key, labels";

/// Values of a statement, numbered as they come.
#[derive(Default)]
pub(crate) struct Bound(Vec<Value>);

impl Bound {
    /// All of them, in their order.
    pub(crate) fn values(&self) -> &[Value] {
        &self.0
    }

    /// Takes a value; gives what stands for it in the statement.
    fn put(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}

/// Keys between these two, which are not among them.
#[derive(Clone, Copy)]
struct Range {
    after: Seq,
    before: Seq,
}

impl Range {
    /// `seq < ?1 AND seq > ?2`, of this column.
    fn condition(self, column: &str, bound: &mut Bound) -> String {
        let (before, after) = (bound.put(self.before), bound.put(self.after));
        format!("{column} < {before} AND {column} > {after}")
    }

    /// What of it is looked at where the search ends there.
    fn down_to(self, end: Option<&End>) -> Self {
        Self { after: end.map_or(self.after, |end| self.after.max(Seq(end.last.0 - 1))), ..self }
    }
}

/// What is wanted of the event `e`.
#[derive(Clone, Copy)]
struct EventWish<'a> {
    kind: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    object: Option<&'a ObjectFilter>,
    piece: Option<&'a str>,
}

impl<'a> EventWish<'a> {
    /// What deliveries with this filter want of their events.
    fn of(filter: &'a DeliveryFilter) -> Self {
        let DeliveryFilter { kind, labels, object, piece, .. } = filter;
        Self { kind: kind.as_deref(), labels, object: object.as_ref(), piece: piece.as_deref() }
    }

    /// Whether every event is wanted.
    fn is_any(self) -> bool {
        let Self { kind, labels, object, piece } = self;
        kind.is_none() && labels.is_empty() && object.is_none() && piece.is_none()
    }

    /// Bytes that are read of an event, where they can be many: a label is looked for in all labels of the
    /// event. They stand behind the payload; passing over that takes a thirtieth of the time of reading it.
    fn bytes(self) -> Option<String> {
        let labels = format!("{} * coalesce(octet_length(e.labels), 0)", self.labels.len());
        match self.piece {
            Some(_) => Some(format!("{labels} + octet_length(e.data)")),
            None if self.labels.is_empty() => None,
            None => Some(format!("{labels} + octet_length(e.data) / {PASSED_BYTES}")),
        }
    }

    /// The conditions; the one that reads payloads is the last.
    fn conditions(self, bound: &mut Bound) -> Result<Vec<String>, LedgerError> {
        let mut all = Vec::new();
        if let Some(kind) = self.kind {
            all.push(format!("e.type = {}", bound.put(kind)));
        }
        if let Some(object) = self.object {
            all.push(format!("e.object ->> '$.type' = {}", bound.put(object.kind.as_str())));
            if let Some(name) = &object.name {
                all.push(format!("e.object ->> '$.name' = {}", bound.put(name.as_str())));
            }
        }
        // A label's text in the stored object: behind a brace or a comma only a name can start, because
        // quotes in a name or a value have a backslash before them, and no name starts with a comma or a
        // colon. Reading the object for each event took ten times as long.
        for (name, value) in self.labels {
            let member = member_text(name, value)?;
            let first = bound.put(format!("{{{member}"));
            let later = bound.put(format!(",{member}"));
            all.push(format!("(instr(e.labels, {first}) > 0 OR instr(e.labels, {later}) > 0)"));
        }
        if let Some(piece) = self.piece {
            all.push(format!("instr(e.data, {}) > 0", bound.put(piece)));
        }
        Ok(all)
    }
}

/// How deliveries are found.
enum Found {
    /// By going through all of them, or all of one webhook.
    Walk { webhook: Option<Seq> },
    /// In the index of those that were given up or cancelled.
    Unsent(State),
    /// Among all that are open: those in the indexes of open work, and these, which are in none.
    Open { inline: String },
    /// Behind their event's key, and in the index of those that a replay made.
    OfEvent(Seq),
}

impl Found {
    /// Where the rows `d` that are looked at stand, and the conditions that find them.
    fn rows(&self, range: Range, bound: &mut Bound) -> (String, Vec<String>) {
        match self {
            Self::Walk { webhook } => {
                let of_webhook = webhook.map(|webhook| format!("d.webhook = {}", bound.put(webhook)));
                let conditions = [range.condition("d.seq", bound)].into_iter().chain(of_webhook);
                (String::from("delivery AS d"), conditions.collect())
            }
            // The list in the condition is that of the index, so that SQLite sees that it may be used. Named,
            // because SQLite knows nothing of how few the index holds.
            Self::Unsent(state) => {
                let state = bound.put(state.as_str());
                let conditions = vec![
                    String::from("d.state IN ('dead', 'cancelled')"),
                    format!("d.state = {state}"),
                    range.condition("d.seq", bound),
                ];
                (String::from("delivery AS d INDEXED BY delivery_unsent"), conditions)
            }
            Self::Open { inline } => {
                let (within, inline) = (range.condition("seq", bound), bound.put(inline.as_str()));
                let keys = format!(
                    "SELECT seq FROM delivery INDEXED BY delivery_due WHERE next_at_ms IS NOT NULL AND {within}
                     UNION SELECT seq FROM delivery INDEXED BY delivery_parked WHERE parked = 1 AND {within}
                     UNION SELECT seq FROM delivery INDEXED BY delivery_replayed WHERE parked = 3 AND {within}
                     UNION SELECT seq FROM delivery INDEXED BY delivery_order WHERE order_key IS NOT NULL AND parked = 2 AND {within}
                     UNION SELECT seq FROM (SELECT value AS seq FROM json_each({inline})) AS j WHERE {within}"
                );
                (rows_of(&keys), Vec::new())
            }
            // Those that came with the event are the first rows behind its key, before any that a replay
            // made.
            Self::OfEvent(event) => {
                let (within, event) = (range.condition("seq", bound), bound.put(*event));
                let keys = format!(
                    "SELECT seq FROM (SELECT seq, event FROM delivery WHERE seq > {event} ORDER BY seq
                        LIMIT coalesce((SELECT deliveries FROM event WHERE seq = {event}), 0)) AS d WHERE event = {event} AND {within}
                     UNION SELECT seq FROM delivery INDEXED BY delivery_late WHERE late = 1 AND event = {event} AND {within}"
                );
                (rows_of(&keys), Vec::new())
            }
        }
    }
}

/// The deliveries with these keys.
fn rows_of(keys: &str) -> String {
    format!("({keys}) AS k CROSS JOIN delivery AS d ON d.seq = k.seq")
}

/// Where a search ends.
struct End {
    /// The last row that is looked at.
    last: Seq,
    /// The same, where more rows may follow: the columns of [`read_created`].
    cut: Option<Row>,
}

impl End {
    /// At this row, if there is one, although more may follow: the columns of [`read_created`].
    fn before_the_rest(row: Option<Row>) -> Result<Option<Self>, LedgerError> {
        row.map(|row| Ok(Self { last: row.seq(0)?, cut: Some(row) })).transpose()
    }
}

/// At the row before which they came to as many bytes as may be read, or at the last row. `rows` gives `seq`,
/// `late`, `accepted_at_ms` and `bytes`, newest first.
fn end_by_bytes<S: Sql>(
    sql: &S,
    rows: &str,
    rows_max: u32,
    bound: &Bound,
) -> Result<Option<End>, LedgerError> {
    let statement = format!(
        "SELECT seq, late, accepted_at_ms, total >= {READ_BYTES_MAX} OR looked >= {rows_max}
         FROM (SELECT seq, late, accepted_at_ms, bytes, sum(bytes) OVER w AS total, count(*) OVER w AS looked
               FROM ({rows} LIMIT {rows_max}) AS j WINDOW w AS (ORDER BY seq DESC ROWS UNBOUNDED PRECEDING)) AS j
         WHERE total - bytes < {READ_BYTES_MAX} ORDER BY seq LIMIT 1"
    );
    let Some(row) = first(sql.run(&statement, &bound.0)?) else { return Ok(None) };
    Ok(Some(End { last: row.seq(0)?, cut: row.flag(3)?.then_some(row) }))
}

/// A search of deliveries: where it looks, and what it wants there.
pub(crate) struct DeliverySearch<'a> {
    found: Found,
    /// The only webhook and the only state that are wanted of what is found, where they did not find it.
    webhook: Option<Seq>,
    state: Option<State>,
    range: Range,
    filter: &'a DeliveryFilter,
    /// The last row that it looks at, where more may follow: the columns of [`read_created`].
    cut: Option<Row>,
}

impl DeliverySearch<'_> {
    /// The conditions on the delivery `d`.
    fn conditions(&self, bound: &mut Bound) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(webhook) = self.webhook {
            all.push(format!("d.webhook = {}", bound.put(webhook)));
        }
        if let Some(state) = self.state {
            all.push(format!("d.state = {}", bound.put(state.as_str())));
        }
        if let Some(status) = self.filter.status {
            let (first, last) = status.range();
            let (first, last) = (bound.put(u32::from(first)), bound.put(u32::from(last)));
            all.push(format!("d.last_status BETWEEN {first} AND {last}"));
        }
        if let Some(least) = self.filter.attempts_min {
            all.push(format!("d.made >= {}", bound.put(least)));
        }
        all
    }

    /// Whether it looks at rows that it does not want.
    fn passes_over(&self) -> bool {
        !self.conditions(&mut Bound::default()).is_empty() || !EventWish::of(self.filter).is_any()
    }

    /// Looks at no more rows than these, and reads no more bytes than may be read.
    fn within<S: Sql>(mut self, sql: &S, rows_max: u32) -> Result<Self, LedgerError> {
        let end = match EventWish::of(self.filter).bytes() {
            Some(bytes) => {
                let mut bound = Bound::default();
                let (rows, conditions) = self.found.rows(self.range, &mut bound);
                let rows = format!(
                    "SELECT d.seq, d.late, e.accepted_at_ms, {bytes} AS bytes FROM {rows}
                     CROSS JOIN event AS e ON e.seq = d.event {} ORDER BY d.seq DESC",
                    all_of(&conditions)
                );
                end_by_bytes(sql, &rows, rows_max, &bound)?
            }
            None => self.end_by_rows(sql, rows_max)?,
        };
        self.range = self.range.down_to(end.as_ref());
        self.cut = end.and_then(|end| end.cut);
        Ok(self)
    }

    /// At the last row of as many as may be looked at. Few are open, and few are of one event.
    fn end_by_rows<S: Sql>(&self, sql: &S, rows_max: u32) -> Result<Option<End>, LedgerError> {
        if matches!(self.found, Found::Open { .. } | Found::OfEvent(_)) {
            return Ok(None);
        }
        let mut bound = Bound::default();
        let (rows, conditions) = self.found.rows(self.range, &mut bound);
        let statement = format!(
            "SELECT d.seq, d.late, e.accepted_at_ms
             FROM (SELECT d.seq FROM {rows} {} ORDER BY d.seq DESC LIMIT 1 OFFSET {}) AS k
             CROSS JOIN delivery AS d ON d.seq = k.seq CROSS JOIN event AS e ON e.seq = d.event",
            all_of(&conditions),
            rows_max - 1
        );
        End::before_the_rest(first(sql.run(&statement, &bound.0)?))
    }

    /// `FROM` and `WHERE` of the deliveries `d` that it finds, and of their events `e`.
    pub(crate) fn source(&self, events: Events, bound: &mut Bound) -> Result<String, LedgerError> {
        let (rows, mut conditions) = self.found.rows(self.range, bound);
        conditions.extend(self.conditions(bound));
        let wish = EventWish::of(self.filter);
        let join = match events {
            Events::WhereAsked if wish.is_any() => "",
            Events::WhereAsked | Events::Always => "CROSS JOIN event AS e ON e.seq = d.event",
        };
        conditions.extend(wish.conditions(bound)?);
        Ok(format!("FROM {rows} {join} {}", all_of(&conditions)))
    }
}

/// Whether a search reads the events of what it finds.
#[derive(Clone, Copy)]
pub(crate) enum Events {
    /// Where the filter asks for something of them.
    WhereAsked,
    Always,
}

/// `WHERE` and these conditions, or nothing.
fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) }
}

impl<S: Sql> Ledger<S> {
    /// The keys of a time, below `before`.
    fn range(
        &self,
        of: Timeline,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        before: Seq,
    ) -> Result<Range, LedgerError> {
        let key = |at: Timestamp| self.first_created(of, at);
        let after = since.map(key).transpose()?.map_or(Seq::ZERO, |first| Seq(first.0 - 1));
        Ok(Range { after, before: until.map(key).transpose()?.map_or(before, |end| end.min(before)) })
    }

    /// How deliveries are searched; `None` where there can be none.
    fn delivery_search<'a>(
        &self,
        filter: &'a DeliveryFilter,
        before: Seq,
    ) -> Result<Option<DeliverySearch<'a>>, LedgerError> {
        let webhook = match &filter.webhook {
            None => None,
            Some(name) => match self.roster.named(name) {
                Some(seq) => Some(seq),
                None => return Ok(None),
            },
        };
        let event = match &filter.event {
            None => None,
            Some(id) => match self.ids.seq(Kind::Event, id) {
                Some(seq) => Some(seq),
                None => return Ok(None),
            },
        };
        let (found, webhook, state) = match (event, filter.state) {
            (Some(event), state) => (Found::OfEvent(event), webhook, state),
            (None, Some(state @ (State::Dead | State::Cancelled))) => (Found::Unsent(state), webhook, None),
            (None, state @ Some(State::Pending | State::Leased | State::Waiting))
                if self.count_open(SCANNED_MAX)? < SCANNED_MAX =>
            {
                (Found::Open { inline: key_set(self.gates.inline_leases()) }, webhook, state)
            }
            (None, state) => (Found::Walk { webhook }, None, state),
        };
        let range = self.range(Timeline::Deliveries, filter.since, filter.until, before)?;
        Ok(Some(DeliverySearch { found, webhook, state, range, filter, cut: None }))
    }

    /// Deliveries, newest first. Those in a state that is rare (`dead`, `cancelled`), those that are open (as
    /// long as there are at most 20,000) and those of one event are looked up, so their pages are full. Of
    /// the others one page looks at 20,000 at most, and where it looks for a text or a label, at 8 MiB of
    /// payloads or labels: one that ends there says so in `searched_to`.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_deliveries(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<DeliveryView>, LedgerError> {
        let before = self.cursor_seq(cursor)?;
        let Some(mut search) = self.delivery_search(filter, before)? else {
            return Ok(Page::new(Vec::new(), None));
        };
        if search.passes_over() {
            search = search.within(&self.sql, SCANNED_MAX)?;
        }
        let mut bound = Bound::default();
        let statement = format!(
            "SELECT {VIEW_COLUMNS} {} ORDER BY d.seq DESC LIMIT {}",
            search.source(Events::Always, &mut bound)?,
            bound.put(limit.saturating_add(1))
        );
        let rows = self.sql.run(&statement, &bound.0)?;
        let items = rows
            .iter()
            .take(limit as usize)
            .map(|row| self.delivery_view_of(row))
            .collect::<Result<_, _>>()?;
        self.page_of(items, &rows, limit, || Ok(search.cut))
    }

    /// Every delivery of an event, newest first: one for each webhook that got it, and those that a replay
    /// made.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::BadCursor`]; the database fails.
    pub fn deliveries_of_event(&self, id: &str, page: &PageQuery) -> Result<Page<DeliveryView>, LedgerError> {
        self.event_exists(id)?;
        let filter = DeliveryFilter { event: Some(String::from(id)), ..DeliveryFilter::default() };
        self.list_deliveries(&filter, page.limit, page.cursor.as_deref())
    }

    /// A search for all that fits, as far as one request may look, and the time from which on that is all:
    /// `None` where there is nothing older. `None` of a search where nothing can be found.
    pub(crate) fn bounded_search<'a>(
        &self,
        filter: &'a DeliveryFilter,
    ) -> Result<Option<(DeliverySearch<'a>, Option<Timestamp>)>, LedgerError> {
        let rows_max = if EventWish::of(filter).is_any() { COUNTED_MAX } else { SCANNED_MAX };
        let Some(search) = self.delivery_search(filter, self.cursor_seq(None)?)? else { return Ok(None) };
        let mut search = search.within(&self.sql, rows_max)?;
        let Some(cut) = search.cut.take() else { return Ok(Some((search, None))) };
        // More of the last row's time may follow it.
        let from = read_created(&cut, 0)?.1.plus_ms(1);
        search.range.after = Seq(self.first_created(Timeline::Deliveries, from)?.0 - 1);
        Ok(Some((search, Some(from))))
    }

    /// How many deliveries [`Ledger::list_deliveries`] gives in all its pages. It looks at 100,000 at most,
    /// where it asks for something of their events at 20,000, and where it looks for a text or a label, at
    /// 8 MiB of payloads or labels: a count that ends there says so.
    ///
    /// # Errors
    /// The database fails.
    pub fn count_deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryCount, LedgerError> {
        let rows_max = if EventWish::of(filter).is_any() { COUNTED_MAX } else { SCANNED_MAX };
        let Some(search) = self.delivery_search(filter, self.cursor_seq(None)?)? else {
            return Ok(DeliveryCount { count: 0, exact: true, searched_to: None });
        };
        let search = search.within(&self.sql, rows_max)?;
        let mut bound = Bound::default();
        let statement = format!("SELECT count(*) {}", search.source(Events::WhereAsked, &mut bound)?);
        let counted = first(self.sql.run(&statement, &bound.0)?);
        let count = counted.ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)?;
        let end = search.cut.map(|row| read_created(&row, 0)).transpose()?;
        Ok(DeliveryCount {
            count,
            exact: end.is_none(),
            searched_to: end.map(|(_seq, created_at)| created_at),
        })
    }

    /// Events without their data, newest first. One page looks at 20,000 of them at most, and where it looks
    /// for a text or a label, at 8 MiB of payloads or labels: one that ends there says so in `searched_to`.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_events(
        &self,
        filter: &EventFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<EventView>, LedgerError> {
        let range = self.range(Timeline::Events, filter.since, filter.until, self.cursor_seq(cursor)?)?;
        let wish = EventWish {
            kind: filter.kind.as_deref(),
            labels: &filter.labels,
            object: filter.object.as_ref(),
            piece: filter.piece.as_deref(),
        };
        let end = if wish.is_any() { None } else { self.events_end(wish, range)? };
        let mut bound = Bound::default();
        let range = range.down_to(end.as_ref());
        let mut conditions = vec![range.condition("seq", &mut bound)];
        conditions.extend(wish.conditions(&mut bound)?);
        let statement = format!(
            "SELECT {EVENT_COLUMNS} FROM event AS e {} ORDER BY seq DESC LIMIT {}",
            all_of(&conditions),
            bound.put(limit.saturating_add(1))
        );
        let rows = self.sql.run(&statement, &bound.0)?;
        let items =
            rows.iter().take(limit as usize).map(|row| self.event_view(row)).collect::<Result<_, _>>()?;
        self.page_of(items, &rows, limit, || Ok(end.and_then(|end| end.cut)))
    }

    /// Where a page that wants this of events ends.
    fn events_end(&self, wish: EventWish<'_>, range: Range) -> Result<Option<End>, LedgerError> {
        let mut bound = Bound::default();
        let within = range.condition("seq", &mut bound);
        if let Some(bytes) = wish.bytes() {
            let rows = format!(
                "SELECT seq, 0 AS late, accepted_at_ms, {bytes} AS bytes FROM event AS e WHERE {within} ORDER BY seq DESC"
            );
            return end_by_bytes(&self.sql, &rows, SCANNED_MAX, &bound);
        }
        let statement = format!(
            "SELECT seq, 0, accepted_at_ms FROM event WHERE {within} ORDER BY seq DESC LIMIT 1 OFFSET {}",
            SCANNED_MAX - 1
        );
        End::before_the_rest(first(self.sql.run(&statement, &bound.0)?))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::Outcome;
    use postern_core::event::{NewEvent, ObjectRef};
    use postern_core::search::StatusFilter;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{
        START, attempt, attempt_due, create, event, in_order, json, ledger, missing, post, webhook,
    };
    use crate::support::history::add;
    use crate::support::native::Native;
    use crate::{InlineLimit, Report};

    const OK: Outcome = Outcome::Answered { status: 200 };
    const FAILED: Outcome = Outcome::Answered { status: 503 };

    #[test]
    fn the_list_is_newest_first_and_pages_without_gaps_whatever_the_filter() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "order.*"));
        for number in 0..30 {
            post(&mut ledger, if number % 3 == 0 { "order.paid" } else { "user.created" });
        }
        attempt_due_all(&mut ledger);
        let filters = [
            (DeliveryFilter::default(), 40),
            (DeliveryFilter { webhook: Some(String::from("b")), ..DeliveryFilter::default() }, 10),
            (DeliveryFilter { kind: Some(String::from("order.paid")), ..DeliveryFilter::default() }, 20),
            (DeliveryFilter { state: Some(State::Delivered), ..DeliveryFilter::default() }, 20),
            (DeliveryFilter { state: Some(State::Dead), ..DeliveryFilter::default() }, 0),
            (DeliveryFilter { webhook: Some(String::from("nobody")), ..DeliveryFilter::default() }, 0),
        ];
        for (filter, expected) in filters {
            let (mut seen, mut cursor): (Vec<String>, _) = (Vec::new(), None);
            loop {
                let page = ledger.list_deliveries(&filter, 7, cursor.as_deref()).unwrap();
                assert!(page.items.len() <= 7);
                seen.extend(page.items.into_iter().map(|view| view.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), expected, "{filter:?}");
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
        }
    }

    /// Half of what is due is delivered, the other half waits.
    fn attempt_due_all(ledger: &mut Ledger<impl Sql>) {
        let tickets = ledger.lease_due(START, 100).unwrap().tickets;
        let works = ledger.claim(&tickets, START).unwrap().works;
        let reports = works.iter().zip(0..).map(|(work, number)| Report {
            delivery: work.delivery,
            attempt: attempt(work.attempt, if number % 2 == 0 { OK } else { FAILED }, START),
        });
        ledger.report(reports.collect(), START).unwrap();
    }

    /// Goes through a list and checks that each page is full, or the last, or says how far it looked; gives
    /// the lengths of the pages and the items.
    fn all_pages<T>(
        limit: u32,
        created: impl Fn(&T) -> Timestamp,
        load: impl Fn(Option<&str>) -> Result<Page<T>, LedgerError>,
    ) -> (Vec<usize>, Vec<T>) {
        let (mut lengths, mut items, mut cursor) = (Vec::new(), Vec::new(), None);
        let mut searched_to = Timestamp(i64::MAX);
        loop {
            let page = load(cursor.as_deref()).unwrap();
            assert!(page.items.len() <= limit as usize);
            let is_short = page.items.len() < limit as usize;
            assert_eq!(page.searched_to.is_some(), is_short && page.next.is_some(), "a short page says why");
            assert!(
                page.items.iter().all(|item| created(item) <= searched_to),
                "what is newer was on a page before"
            );
            if let Some(at) = page.searched_to {
                assert!(at <= searched_to && page.items.iter().all(|item| created(item) >= at));
                searched_to = at;
            }
            lengths.push(page.items.len());
            items.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return (lengths, items);
            }
        }
    }

    fn deliveries(ledger: &Ledger<Rc<Native>>, filter: &DeliveryFilter) -> (Vec<usize>, Vec<DeliveryView>) {
        all_pages(
            50,
            |view: &DeliveryView| view.created_at,
            |cursor| ledger.list_deliveries(filter, 50, cursor),
        )
    }

    #[test]
    fn what_failed_is_found_at_once_among_thousands_that_did_not() {
        let mut ledger = ledger();
        let (a, b) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        for (webhook, kind, state) in
            [(a, "rare", State::Dead), (b, "usual", State::Cancelled), (a, "usual", State::Dead)]
        {
            ledger = add(&ledger.sql, webhook, 30, kind, state);
            ledger = add(&ledger.sql, b, 25_000, "usual", State::Delivered);
        }
        ledger = add(&ledger.sql, a, 20, "usual", State::Waiting);
        ledger = add(&ledger.sql, b, 25_000, "usual", State::Delivered);
        let lengths = |filter: DeliveryFilter| deliveries(&ledger, &filter).0;
        let of = |state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
        let webhook = Some(String::from("a"));
        assert_eq!(lengths(of(State::Dead)), [50, 10]);
        assert_eq!(lengths(of(State::Cancelled)), [30]);
        assert_eq!(lengths(of(State::Waiting)), [20]);
        assert_eq!(lengths(of(State::Leased)), [0]);
        assert_eq!(lengths(DeliveryFilter { webhook: webhook.clone(), ..of(State::Dead) }), [50, 10]);
        assert_eq!(lengths(DeliveryFilter { webhook: webhook.clone(), ..of(State::Cancelled) }), [0]);
        assert_eq!(
            lengths(DeliveryFilter { webhook, kind: Some(String::from("rare")), ..of(State::Dead) }),
            [30]
        );
    }

    #[test]
    fn a_page_that_ends_before_it_is_full_says_how_far_it_looked() {
        let mut ledger = ledger();
        let (a, b) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        for _round in 0..3 {
            ledger = add(&ledger.sql, a, 9, "rare", State::Delivered);
            ledger = add(&ledger.sql, b, 25_000, "usual", State::Dead);
        }
        let rare = Some(String::from("rare"));
        let (lengths, found) =
            deliveries(&ledger, &DeliveryFilter { kind: rare.clone(), ..DeliveryFilter::default() });
        assert_eq!((lengths, found.len()), (vec![0, 9, 9, 9], 27));
        let (lengths, found) = deliveries(
            &ledger,
            &DeliveryFilter { state: Some(State::Delivered), ..DeliveryFilter::default() },
        );
        assert_eq!((lengths, found.len()), (vec![0, 9, 9, 9], 27));
        let dead = DeliveryFilter {
            webhook: Some(String::from("a")),
            state: Some(State::Dead),
            ..DeliveryFilter::default()
        };
        assert_eq!(deliveries(&ledger, &dead).0, [0, 0, 0, 0], "all of them are another webhook's");
        let load = |cursor: Option<&str>| {
            ledger.list_events(&EventFilter { kind: rare.clone(), ..EventFilter::default() }, 50, cursor)
        };
        assert_eq!(all_pages(50, |event: &EventView| event.accepted_at, load).0, [0, 9, 9, 9]);
    }

    #[test]
    fn more_open_deliveries_than_a_page_may_look_at_are_searched_too() {
        let mut ledger = ledger();
        let webhook = create(&mut ledger, webhook("a", "*"));
        ledger = add(&ledger.sql, webhook, 9, "a", State::Pending);
        ledger = add(&ledger.sql, webhook, i64::from(SCANNED_MAX), "a", State::Waiting);
        let (lengths, found) =
            deliveries(&ledger, &DeliveryFilter { state: Some(State::Pending), ..DeliveryFilter::default() });
        assert_eq!((lengths, found.len()), (vec![0, 9], 9));
    }

    #[test]
    fn open_deliveries_are_found_wherever_they_wait() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("inline", "a"));
        create(&mut ledger, Definition { ordered: true, ..webhook("ordered", "b") });
        create(&mut ledger, webhook("paused", "c"));
        ledger.pause_webhook("paused", None, START).unwrap();
        ledger.ingest(vec![event("a")], InlineLimit(1), START).unwrap();
        ledger.ingest(vec![in_order("b", "k"), in_order("b", "k")], InlineLimit(0), START).unwrap();
        post(&mut ledger, "c");
        let names = |state| {
            let found =
                deliveries(&ledger, &DeliveryFilter { state: Some(state), ..DeliveryFilter::default() }).1;
            found.into_iter().filter_map(|view| view.webhook).collect::<Vec<_>>()
        };
        assert_eq!(names(State::Leased), ["inline"]);
        assert_eq!(names(State::Pending), ["paused", "ordered", "ordered"]);
    }

    #[test]
    fn the_index_of_what_failed_costs_one_row_for_each_that_fails_and_none_for_others() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        let store = Rc::clone(&ledger.sql);
        let mut written = |status, now| {
            let mut deliver = || {
                ledger.ingest(vec![event("a")], InlineLimit(0), now).unwrap();
                attempt_due(&mut ledger, now, Outcome::Answered { status });
            };
            store.count_rows_written(&mut deliver)
        };
        written(200, START);
        let delivered = written(200, START.plus_ms(1_000));
        // The event that tells of it; how the webhook does; the index.
        assert_eq!(written(500, START.plus_ms(2_000)), delivered + 3);
    }

    #[test]
    fn a_cursor_of_another_project_is_refused() {
        let ledger = ledger();
        let foreign = postern_core::id::IdSpace::new(99).uuid(Seq(1)).to_string();
        for cursor in ["", "nonsense", &foreign] {
            let refused = ledger.list_deliveries(&DeliveryFilter::default(), 5, Some(cursor)).map(|_page| ());
            assert_eq!(refused, Err(LedgerError::BadCursor), "{cursor}");
        }
    }

    /// An event with a label, an object and a payload.
    fn about(customer: &str, order: &str, data: &str) -> NewEvent {
        let object = ObjectRef { kind: String::from("order"), name: String::from(order), version: None };
        NewEvent { labels: labelled(customer), object: Some(object), data: json(data), ..event("a") }
    }

    fn labelled(customer: &str) -> BTreeMap<String, String> {
        labels_of("customer", customer)
    }

    /// That the pages of a filter hold so many deliveries, and that the count knows it.
    #[track_caller]
    fn finds(ledger: &Ledger<Rc<Native>>, filter: &DeliveryFilter, expected: usize) {
        assert_eq!(deliveries(ledger, filter).1.len(), expected, "{filter:?}");
        let counted = ledger.count_deliveries(filter).unwrap();
        assert_eq!(
            (counted.count as usize, counted.exact, counted.searched_to),
            (expected, true, None),
            "{filter:?}"
        );
    }

    #[test]
    fn deliveries_are_found_by_what_their_event_is_about() {
        let mut ledger = ledger();
        for name in ["a", "b"] {
            create(&mut ledger, webhook(name, "*"));
        }
        for event in [
            about("acme", "o-1", r#"{"note":"50% off"}"#),
            about("acme", "o-2", r#"{"note":"Full price"}"#),
            about("Acme", "o-1", r#"{"note":"50x off"}"#),
            event("a"),
        ] {
            ledger.ingest(vec![event], InlineLimit(0), START).unwrap();
        }
        let all = DeliveryFilter::default;
        finds(&ledger, &DeliveryFilter { labels: labelled("acme"), ..all() }, 4);
        finds(&ledger, &DeliveryFilter { labels: labelled("nobody"), ..all() }, 0);
        finds(&ledger, &DeliveryFilter { object: ObjectFilter::parse("order"), ..all() }, 6);
        finds(&ledger, &DeliveryFilter { object: ObjectFilter::parse("order/o-1"), ..all() }, 4);
        finds(&ledger, &DeliveryFilter { object: ObjectFilter::parse("orde"), ..all() }, 0);
        for (piece, expected) in [("50%", 2), ("off", 4), ("full", 0), ("Full", 2), ("\"n\":1", 2)] {
            finds(&ledger, &DeliveryFilter { piece: Some(String::from(piece)), ..all() }, expected);
        }
        let one = DeliveryFilter {
            webhook: Some(String::from("b")),
            labels: labelled("acme"),
            object: ObjectFilter::parse("order/o-1"),
            piece: Some(String::from("note")),
            ..all()
        };
        finds(&ledger, &one, 1);
        let found = |filter: EventFilter| ledger.list_events(&filter, 50, None).unwrap().items.len();
        assert_eq!(found(EventFilter { labels: labelled("acme"), ..EventFilter::default() }), 2);
        assert_eq!(
            found(EventFilter { object: ObjectFilter::parse("order/o-1"), ..EventFilter::default() }),
            2
        );
        assert_eq!(found(EventFilter { piece: Some(String::from("off")), ..EventFilter::default() }), 2);
    }

    #[test]
    fn labels_are_found_exactly_whatever_they_hold() {
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
        };
        // Some are written as if they held the text of another.
        let stored = [
            labels(&[("k", "v")]),
            labels(&[("k", "V")]),
            labels(&[("a", "1"), ("k", "v"), ("z", "")]),
            labels(&[("x\"k", "v")]),
            labels(&[("{\"k", "v")]),
            labels(&[("a", ","), ("b", "k")]),
            labels(&[("a", ",\"k\":\"v\""), ("b", "{\"k\":\"v\"}")]),
            labels(&[("k", "v\"")]),
            labels(&[("k", "v\\")]),
            labels(&[("Zürich", "5 % – 日本"), ("k", "")]),
        ];
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        for labels in &stored {
            let labelled = NewEvent { labels: labels.clone(), ..event("a") };
            ledger.ingest(vec![labelled, event("a")], InlineLimit(0), START).unwrap();
        }
        for wanted in stored
            .iter()
            .flat_map(|labels| labels.iter().map(|(k, v)| labels_of(k, v)).chain([labels.clone()]))
        {
            let has =
                |labels: &&BTreeMap<String, String>| wanted.iter().all(|(k, v)| labels.get(k) == Some(v));
            finds(
                &ledger,
                &DeliveryFilter { labels: wanted.clone(), ..DeliveryFilter::default() },
                stored.iter().filter(has).count(),
            );
        }
    }

    fn labels_of(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(String::from(name), String::from(value))])
    }

    #[test]
    fn deliveries_are_found_by_their_latest_answer_and_how_often_they_were_tried() {
        type Answered = (Option<u16>, u32);

        let mut ledger = ledger();
        create(&mut ledger, webhook("fails", "a"));
        create(&mut ledger, webhook("takes", "b"));
        let first = post(&mut ledger, "a")[0];
        attempt_due(&mut ledger, START, FAILED);
        ledger.resend(&ledger.ids().id(Kind::Delivery, first), START).unwrap();
        attempt_due(&mut ledger, START, FAILED);
        post(&mut ledger, "b");
        attempt_due(&mut ledger, START, OK);
        post(&mut ledger, "b");
        let status =
            |text: &str| DeliveryFilter { status: StatusFilter::parse(text), ..DeliveryFilter::default() };
        let tried = |times| DeliveryFilter { attempts_min: Some(times), ..DeliveryFilter::default() };
        let answered: Vec<Answered> = ledger
            .list_deliveries(&DeliveryFilter::default(), 9, None)
            .unwrap()
            .items
            .iter()
            .map(|view| (view.last_status, view.attempts))
            .collect();
        let having = |fits: &dyn Fn(&Answered) -> bool| answered.iter().filter(|view| fits(view)).count();
        for (text, range) in
            [("503", 503..504), ("5xx", 500..600), ("2xx", 200..300), ("200", 200..201), ("404", 404..405)]
        {
            let expected = having(&|view| view.0.is_some_and(|status| range.contains(&status)));
            finds(&ledger, &status(text), expected);
        }
        assert!(having(&|view| view.1 >= 2) > 0, "{answered:?}");
        for times in 0..5 {
            finds(&ledger, &tried(times), having(&|view| view.1 >= times));
        }
    }

    #[test]
    fn a_time_narrows_every_way_to_look() {
        let mut ledger = ledger();
        let webhook = create(&mut ledger, webhook("a", "*"));
        for state in [State::Dead, State::Delivered, State::Waiting] {
            ledger = add(&ledger.sql, webhook, 30, "a", state);
        }
        let all = deliveries(&ledger, &DeliveryFilter::default()).1;
        let middle = |state| {
            let of_state: Vec<&DeliveryView> = all.iter().filter(|view| view.state == state).collect();
            (of_state[19].created_at, of_state[9].created_at)
        };
        for state in [State::Dead, State::Delivered, State::Waiting] {
            let (since, until) = middle(state);
            let filter =
                DeliveryFilter { state: Some(state), since: Some(since), ..DeliveryFilter::default() };
            finds(&ledger, &filter, 20);
            finds(&ledger, &DeliveryFilter { until: Some(until), ..filter.clone() }, 10);
            finds(&ledger, &DeliveryFilter { until: Some(since), since: None, ..filter }, 10);
        }
        let (since, until) = (all[59].created_at, all[29].created_at);
        let of_time = EventFilter { since: Some(since), until: Some(until), ..EventFilter::default() };
        assert_eq!(ledger.list_events(&of_time, 50, None).unwrap().items.len(), 30);
        let with_piece = EventFilter { piece: Some(String::from("1")), ..of_time };
        assert_eq!(ledger.list_events(&with_piece, 50, None).unwrap().items.len(), 30);
    }

    #[test]
    fn an_event_shows_all_of_its_deliveries_late_ones_too_and_no_other() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "*"));
        let batch = ledger.ingest(vec![event("x"), event("y")], InlineLimit(0), START).unwrap().accepted;
        create(&mut ledger, webhook("late", "*"));
        let query = missing("late");
        let later = START.plus_ms(5_000);
        ledger.create_replay(query, later).unwrap();
        while ledger.replay_step(later, 500).unwrap().replay.is_some() {}
        post(&mut ledger, "z");
        for accepted in &batch {
            let page = ledger.deliveries_of_event(&accepted.id, &PageQuery::default()).unwrap();
            let names: Vec<&str> = page.items.iter().filter_map(|view| view.webhook.as_deref()).collect();
            assert_eq!((names, page.next), (vec!["late", "b", "a"], None));
            assert!(page.items.iter().all(|view| view.event_id == accepted.id));
            let filter = DeliveryFilter { event: Some(accepted.id.clone()), ..DeliveryFilter::default() };
            finds(&ledger, &filter, 3);
            finds(&ledger, &DeliveryFilter { webhook: Some(String::from("late")), ..filter.clone() }, 1);
            finds(&ledger, &DeliveryFilter { since: Some(later), ..filter.clone() }, 1);
            finds(&ledger, &DeliveryFilter { state: Some(State::Dead), ..filter.clone() }, 0);
            let (first, cursor) = {
                let page = ledger.list_deliveries(&filter, 2, None).unwrap();
                (page.items.len(), page.next.unwrap())
            };
            assert_eq!(
                (first, ledger.list_deliveries(&filter, 2, Some(&cursor)).unwrap().items.len()),
                (2, 1)
            );
        }
        let gone = ledger.ids().id(Kind::Event, ledger.last_key());
        for unknown in ["evt_1", gone.as_str()] {
            finds(
                &ledger,
                &DeliveryFilter { event: Some(String::from(unknown)), ..DeliveryFilter::default() },
                0,
            );
            assert_eq!(
                ledger.deliveries_of_event(unknown, &PageQuery::default()).map(|_page| ()),
                Err(LedgerError::NotFound { what: "event" })
            );
        }
    }

    #[test]
    fn a_text_is_looked_for_in_so_many_bytes_of_payloads_and_then_the_page_says_how_far() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        // Each is a fifth of what one page may read.
        let large = format!("\"{}\"", "x".repeat(READ_BYTES_MAX as usize / 5));
        ledger.ingest(vec![about("acme", "needle", "\"needle\"")], InlineLimit(0), START).unwrap();
        for at in 0..12 {
            let large = about("acme", "large", &large);
            ledger.ingest(vec![large], InlineLimit(0), START.plus_ms(1 + at)).unwrap();
        }
        let piece = Some(String::from("needle"));
        let filter = DeliveryFilter { piece: piece.clone(), ..DeliveryFilter::default() };
        let (lengths, found) = deliveries(&ledger, &filter);
        assert_eq!((lengths, found.len()), (vec![0, 0, 1], 1));
        let counted = ledger.count_deliveries(&filter).unwrap();
        assert_eq!((counted.count, counted.exact, counted.searched_to), (0, false, Some(START.plus_ms(8))));
        let late = DeliveryFilter { until: Some(START.plus_ms(1)), ..filter };
        finds(&ledger, &late, 1);
        let load = |cursor: Option<&str>| {
            ledger.list_events(&EventFilter { piece: piece.clone(), ..EventFilter::default() }, 50, cursor)
        };
        assert_eq!(all_pages(50, |event: &EventView| event.accepted_at, load).0, [0, 0, 1]);
    }

    #[test]
    fn labels_are_looked_for_in_so_many_bytes_and_then_the_page_says_how_far() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        ledger.ingest(vec![about("acme", "needle", "1")], InlineLimit(0), START).unwrap();
        let wanted = labelled("acme");
        // Each is a fifth of what one page may read.
        let value = "x".repeat(READ_BYTES_MAX as usize / 5);
        for at in 0..12 {
            let large = NewEvent { labels: labels_of("other", &value), ..event("a") };
            ledger.ingest(vec![large], InlineLimit(0), START.plus_ms(1 + at)).unwrap();
        }
        let filter = DeliveryFilter { labels: wanted.clone(), ..DeliveryFilter::default() };
        let (lengths, found) = deliveries(&ledger, &filter);
        assert_eq!((lengths, found.len()), (vec![0, 0, 1], 1));
        let counted = ledger.count_deliveries(&filter).unwrap();
        assert_eq!((counted.count, counted.exact), (0, false));
        let load = |cursor: Option<&str>| {
            ledger.list_events(&EventFilter { labels: wanted.clone(), ..EventFilter::default() }, 50, cursor)
        };
        assert_eq!(all_pages(50, |event: &EventView| event.accepted_at, load).0, [0, 0, 1]);
    }

    #[test]
    fn a_count_that_did_not_look_at_everything_says_so() {
        let mut ledger = ledger();
        let webhook = create(&mut ledger, webhook("a", "*"));
        ledger = add(&ledger.sql, webhook, i64::from(COUNTED_MAX) - 1, "a", State::Delivered);
        let all = DeliveryFilter::default();
        assert_eq!(
            ledger.count_deliveries(&all).unwrap(),
            DeliveryCount { count: COUNTED_MAX - 1, exact: true, searched_to: None }
        );
        ledger = add(&ledger.sql, webhook, 2, "b", State::Delivered);
        let counted = ledger.count_deliveries(&all).unwrap();
        assert_eq!((counted.count, counted.exact, counted.searched_to.is_some()), (COUNTED_MAX, false, true));
        let at = counted.searched_to;
        let rare = DeliveryFilter { kind: Some(String::from("b")), ..all };
        let counted = ledger.count_deliveries(&rare).unwrap();
        assert_eq!((counted.count, counted.exact), (2, false));
        assert!(counted.searched_to > at, "it reads events too, so it looks at fewer");
        let at = counted.searched_to.map(|at| at.plus_ms(1));
        assert!(ledger.count_deliveries(&DeliveryFilter { since: at, ..rare }).unwrap().exact);
    }
}
