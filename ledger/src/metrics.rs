//! What a project tells Prometheus.
//!
//! Counters must never go back, although what they count is deleted after a while, and nothing is written on
//! the way of an event for their sake. So one row (table `metric`) holds what was counted up to a point, and
//! each reading adds what came after it: attempts by the hour, from `stat`; events by their keys. Both are
//! added to the row at each reading, so the next one starts there. Counting starts with the first reading:
//! what was deleted before is not in it, and neither is what retention takes while nobody reads.
//!
//! The work of a reading is bounded: rows are looked at up to [`EVENTS_MAX`], [`STATS_MAX`] and
//! [`COUNTED_MAX`]. Where there are more, counters follow in the next readings, and gauges stop at their
//! limit.

use postern_core::id::Seq;
use postern_core::metrics::{COUNTED_MAX, Counters, ProjectMetrics};
use postern_core::quota::Quota;
use postern_core::stats::{Histogram, Outcomes};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{LedgerError, damaged};
use crate::project::Ledger;
use crate::row::metric;
use crate::row::stat::hour_of;
use crate::row::text::to_json;
use crate::sql::{Sql, Value, first};

/// Events that one reading counts at most.
const EVENTS_MAX: u32 = 50_000;
/// Rows of `stat` that one reading adds up at most: those that are counted for good, and those of the hours
/// that are open.
const STATS_MAX: u32 = 20_000;
/// Later than any hour of `stat`.
const NO_HOUR: i64 = 1 << 40;
/// Hours that a report may be late: those before are added to the row for good.
const OPEN_HOURS: i64 = 2;

/// What was counted for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counted {
    /// Every event up to this key.
    events_to: Seq,
    /// Every attempt before this hour.
    hours_to: i64,
    counters: Counters,
}

impl<S: Sql> Ledger<S> {
    /// What the project counts, and how it stands at `now`.
    ///
    /// # Errors
    /// [`LedgerError::StateConflict`] where the last hours alone have more rows than one reading adds up; the
    /// database fails, or what it holds does not read back.
    pub fn metrics(&mut self, now: Timestamp) -> Result<ProjectMetrics, LedgerError> {
        let mut counted = self.counted()?;
        let before = (counted.events_to, counted.hours_to);
        self.count_events(&mut counted)?;
        let closed = hour_of(now).saturating_sub(OPEN_HOURS);
        let is_caught_up = self.count_hours(&mut counted, closed)?;
        if before != (counted.events_to, counted.hours_to) {
            metric::put(&self.sql, to_json(&counted)?)?;
        }
        let mut counters = counted.counters.clone();
        if is_caught_up {
            if self.first_hour_beyond(counted.hours_to, NO_HOUR)?.is_some() {
                return Err(LedgerError::StateConflict {
                    why: "the last hours have too many webhooks and event types to be added up",
                });
            }
            self.add_attempts(&mut counters, counted.hours_to, NO_HOUR)?;
        }
        let mut found = self.standing_counts(now)?;
        found.counters = counters;
        Ok(found)
    }

    fn counted(&self) -> Result<Counted, LedgerError> {
        match first(self.sql.run("SELECT counted FROM metric WHERE id = 1", &[])?) {
            Some(row) => {
                serde_json::from_str(row.text(0)?).map_err(damaged("what was counted can't be read"))
            }
            None => Ok(Counted { events_to: Seq::ZERO, hours_to: 0, counters: Counters::default() }),
        }
    }

    /// Postern's own events are not accepted from anybody.
    fn count_events(&self, counted: &mut Counted) -> Result<(), LedgerError> {
        let rows = self.sql.run(
            "SELECT count(*) FILTER (WHERE type NOT GLOB 'postern.*'), max(seq)
             FROM (SELECT seq, type FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2)",
            &[Value::from(counted.events_to), Value::from(EVENTS_MAX)],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        if row.integer_or_none(1)?.is_some() {
            counted.counters.accepted = counted.counters.accepted.saturating_add(row.number(0)?.into());
            counted.events_to = row.seq(1)?;
        }
        Ok(())
    }

    /// Adds the hours before `closed` that are not counted yet, whole ones only; gives whether none of them
    /// is left.
    fn count_hours(&self, counted: &mut Counted, closed: i64) -> Result<bool, LedgerError> {
        let end = self.first_hour_beyond(counted.hours_to, closed)?.unwrap_or(closed);
        if end > counted.hours_to {
            let mut counters = counted.counters.clone();
            self.add_attempts(&mut counters, counted.hours_to, end)?;
            (counted.counters, counted.hours_to) = (counters, end);
        }
        Ok(end >= closed)
    }

    /// The first hour that does not fit, where those from `from` to before `to` have more than [`STATS_MAX`]
    /// rows. The first of them is taken whole.
    fn first_hour_beyond(&self, from: i64, to: i64) -> Result<Option<i64>, LedgerError> {
        let rows = self.sql.run(
            "SELECT hour, (SELECT min(hour) FROM stat WHERE hour >= ?1) FROM stat WHERE hour >= ?1 AND hour < ?2
             ORDER BY hour LIMIT 1 OFFSET ?3",
            &[Value::Integer(from), Value::Integer(to), Value::from(STATS_MAX)],
        )?;
        let cut = |row: crate::sql::Row| Ok(row.integer(0)?.max(row.integer(1)?.saturating_add(1)));
        first(rows).map(cut).transpose()
    }

    /// Adds the attempts of the hours from `from` to before `to`.
    fn add_attempts(&self, counters: &mut Counters, from: i64, to: i64) -> Result<(), LedgerError> {
        const DAMAGED: LedgerError = LedgerError::Corrupt { what: "counts can't be read" };
        let rows = self.sql.run(
            "SELECT delivered, outcomes, latency FROM stat WHERE hour >= ?1 AND hour < ?2",
            &[Value::Integer(from), Value::Integer(to)],
        )?;
        for row in rows {
            let delivered = u64::try_from(row.integer(0)?).map_err(|_negative| DAMAGED)?;
            counters.delivered = counters.delivered.saturating_add(delivered);
            counters.outcomes.merge(&Outcomes::parse(row.text(1)?).ok_or(DAMAGED)?);
            counters.latency.merge(&Histogram::parse(row.text(2)?).ok_or(DAMAGED)?);
        }
        Ok(())
    }

    /// How many deliveries stand where. Those that are sent inline are in no index; memory knows how many
    /// they are.
    fn standing_counts(&self, now: Timestamp) -> Result<ProjectMetrics, LedgerError> {
        let rows = self.sql.run(
            "SELECT
                (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE next_at_ms IS NOT NULL LIMIT ?1)),
                (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE parked = 1 LIMIT ?1))
                    + (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE parked = 3 LIMIT ?1)),
                (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE order_key IS NOT NULL AND parked = 2 LIMIT ?1)),
                (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE state IN ('dead', 'cancelled') AND state = 'dead' LIMIT ?1))",
            &[Value::from(COUNTED_MAX)],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        let held = row.number(1)?.saturating_add(row.number(2)?).min(COUNTED_MAX);
        let inline = self.gates.inline_count();
        let mut found = ProjectMetrics {
            open: row.number(0)?.saturating_add(held).saturating_add(inline).min(COUNTED_MAX),
            held,
            dead: row.number(3)?,
            sending: inline.min(COUNTED_MAX),
            stored_bytes: self.sql.database_size()?,
            stored_bytes_limit: self.meters.quotas.limit(Quota::StoredBytes).unwrap_or(0),
            kept_since_ms: self.kept_since_ms(),
            ..ProjectMetrics::default()
        };
        let planned = self.sql.run(
            "SELECT state = 'leased', claimed, count(*), count(*) FILTER (WHERE next_at_ms <= ?1), min(next_at_ms)
             FROM (SELECT state, claimed, next_at_ms FROM delivery WHERE next_at_ms IS NOT NULL ORDER BY next_at_ms LIMIT ?2)
             GROUP BY 1, 2",
            &[Value::from(now), Value::from(COUNTED_MAX)],
        )?;
        for row in planned {
            let (is_leased, is_claimed) = (row.integer(0)? == 1, row.integer(1)? == 1);
            let number = row.number(2)?;
            match (is_leased, is_claimed) {
                (true, true) => found.sending = found.sending.saturating_add(number).min(COUNTED_MAX),
                (true, false) => found.queued = found.queued.saturating_add(number).min(COUNTED_MAX),
                (false, _) => {
                    found.due = found.due.saturating_add(row.number(3)?).min(COUNTED_MAX);
                    let oldest_ms = u64::try_from(now.0.saturating_sub(row.integer(4)?)).unwrap_or(0);
                    found.oldest_due_ms = found.oldest_due_ms.max(oldest_ms);
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::Outcome;
    use postern_core::stats::OutcomeClass;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::InlineLimit;
    use crate::row::stat::HOUR_MS;
    use crate::support::build::{START, attempt_due, create, event, lease, ledger, post, webhook};

    fn outcomes(metrics: &ProjectMetrics) -> [u64; 2] {
        [OutcomeClass::Success, OutcomeClass::ReceiverFailed]
            .map(|class| metrics.counters.outcomes.get(class))
    }

    #[test]
    fn counters_go_on_whatever_is_deleted_and_however_often_they_are_read() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "a") });
        let empty = ledger.metrics(START).unwrap();
        assert_eq!((empty.counters.accepted, empty.open, empty.oldest_due_ms), (0, 0, 0));
        post(&mut ledger, "a");
        attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        for _ in 0..3 {
            let read = ledger.metrics(START).unwrap();
            assert_eq!((read.counters.accepted, read.counters.delivered, outcomes(&read)), (1, 1, [1, 0]));
        }
        // Hours later the first hour is counted for good, and its rows may go.
        let later = START.plus_ms(5 * HOUR_MS);
        assert_eq!(outcomes(&ledger.metrics(later).unwrap()), [1, 0]);
        for table in ["stat", "event"] {
            ledger.sql.run(&format!("DELETE FROM {table}"), &[]).unwrap();
        }
        ledger.ingest(vec![event("a"), event("b")], InlineLimit(0), later).unwrap();
        // It is given up, which is an event of Postern's own.
        attempt_due(&mut ledger, later, Outcome::Answered { status: 503 });
        assert_eq!(ledger.list_events(&crate::EventFilter::default(), 9, None).unwrap().items.len(), 3);
        let read = ledger.metrics(later).unwrap();
        assert_eq!((read.counters.accepted, outcomes(&read)[0]), (3, 1));
        assert_eq!(
            (outcomes(&read)[1], read.counters.latency.count(), read.counters.latency.sum_ms()),
            (1, 2, 80)
        );
    }

    #[test]
    fn gauges_say_where_deliveries_stand() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "a"));
        create(&mut ledger, Definition { paused: true, ..webhook("paused", "a") });
        create(&mut ledger, Definition { retry: false, ..webhook("once", "dies") });
        post(&mut ledger, "a");
        let read = ledger.metrics(START.plus_ms(2_500)).unwrap();
        assert_eq!(
            (read.open, read.held, read.due, read.queued, read.sending, read.dead),
            (2, 1, 1, 0, 0, 0)
        );
        assert!(read.oldest_due_ms >= 2_000, "{}", read.oldest_due_ms);
        let tickets = lease(&mut ledger, START);
        let read = ledger.metrics(START.plus_ms(1)).unwrap();
        assert_eq!((read.open, read.due, read.oldest_due_ms, read.queued, read.sending), (2, 0, 0, 1, 0));
        ledger.claim(&tickets, START).unwrap();
        let read = ledger.metrics(START.plus_ms(1)).unwrap();
        assert_eq!((read.queued, read.sending), (0, 1));
        post(&mut ledger, "dies");
        attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        assert_eq!(ledger.metrics(START).unwrap().dead, 1);
    }

    #[test]
    fn a_reading_looks_at_so_many_events_and_the_next_one_goes_on() {
        let mut ledger = ledger();
        let rows = "INSERT INTO event (seq, type, accepted_at_ms, deliveries, data)
             WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?1) SELECT value, 'a', 0, 0, '1' FROM n";
        ledger.sql.run(rows, &[Value::from(EVENTS_MAX + 10)]).unwrap();
        let accepted = |ledger: &mut Ledger<_>| ledger.metrics(START).unwrap().counters.accepted;
        assert_eq!(accepted(&mut ledger), u64::from(EVENTS_MAX));
        assert_eq!(accepted(&mut ledger), u64::from(EVENTS_MAX) + 10);
    }

    #[test]
    fn many_hours_are_added_up_a_part_at_a_time_and_each_once() {
        let mut ledger = ledger();
        let rows = "INSERT INTO stat (hour, webhook, type, attempts, delivered, at_once, outcomes, latency)
             WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < ?1)
             SELECT 1 + value / 7000, value, 'a', 1, 1, 1, '2xx:1', '3:1' FROM n";
        ledger.sql.run(rows, &[Value::from(41_999_u32)]).unwrap();
        let read: Vec<u64> = (0..4).map(|_| ledger.metrics(START).unwrap().counters.delivered).collect();
        assert_eq!(read, [14_000, 28_000, 42_000, 42_000]);
    }
}
