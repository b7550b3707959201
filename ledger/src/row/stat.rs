//! Table `stat`: counts of attempts, one row an hour, webhook and event type.
//!
//! Does not know what a chart shows: reading ranges is `crate::stats`.

use std::collections::BTreeMap;

use postern_core::delivery::Attempt;
use postern_core::id::Seq;
use postern_core::stats::{CountedAttempt, Histogram, OutcomeClass, Outcomes, Tally};
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::delivery::DeliveryRow;
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value};

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Columns of [`Counted::read`], of `stat AS s`.
pub(crate) const COLUMNS: &str =
    "s.hour, s.webhook, s.type, s.attempts, s.delivered, s.at_once, s.outcomes, s.latency";

/// The hour that holds `at`, counted since 1970.
pub(crate) const fn hour_of(at: Timestamp) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// One attempt, as far as it is counted.
#[derive(Clone, Debug)]
pub(crate) struct StatNote {
    /// Whose.
    pub(crate) webhook: Seq,
    /// The event's type.
    pub(crate) kind: String,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// How it ended.
    pub(crate) class: OutcomeClass,
    /// Whether the receiver took it.
    pub(crate) delivered: bool,
    /// Whether it was its delivery's first.
    pub(crate) first: bool,
    /// How long it took.
    pub(crate) duration_ms: u32,
}

impl StatNote {
    fn add_to(&self, tally: &mut Tally) {
        tally.add(&CountedAttempt {
            class: self.class,
            duration_ms: self.duration_ms,
            delivered: self.delivered,
            first: self.first,
        });
    }
}

/// What the statistics learn of an attempt that its receiver did not take.
pub(crate) fn stat_note(row: &DeliveryRow, attempt: &Attempt, now: Timestamp) -> StatNote {
    StatNote {
        webhook: row.webhook,
        kind: row.kind.clone(),
        at: now,
        class: OutcomeClass::from_outcome(&attempt.outcome),
        delivered: false,
        first: attempt.number == 1,
        duration_ms: attempt.duration_ms,
    }
}

/// Counts attempts. Inside the caller's transaction: what is counted there is written once for each hour,
/// webhook and type.
pub(crate) fn count_attempts<S: Sql>(sql: &S, notes: &[StatNote]) -> Result<(), LedgerError> {
    if notes.is_empty() {
        return Ok(());
    }
    let mut tallies: BTreeMap<(i64, Seq, &str), Tally> = BTreeMap::new();
    for note in notes {
        note.add_to(tallies.entry((hour_of(note.at), note.webhook, &note.kind)).or_default());
    }
    let keys: Vec<_> = tallies.keys().map(|(hour, webhook, kind)| (hour, webhook.0, kind)).collect();
    let known = sql.run(
        &format!(
            "SELECT {COLUMNS} FROM json_each(?1) AS j CROSS JOIN stat AS s
             ON s.hour = j.value ->> 0 AND s.webhook = j.value ->> 1 AND s.type = j.value ->> 2"
        ),
        &[Value::Text(to_json(&keys)?)],
    )?;
    for row in &known {
        let counted = Counted::read(row)?;
        if let Some(tally) = tallies.get_mut(&(counted.hour, counted.webhook, row.text(2)?)) {
            tally.merge(&counted.tally);
        }
    }
    let rows: Vec<_> = tallies
        .iter()
        .map(|((hour, webhook, kind), tally)| {
            let (outcomes, latency) = (tally.outcomes.to_text(), tally.latency.to_text());
            (hour, webhook.0, kind, tally.attempts, tally.delivered, tally.at_once, outcomes, latency)
        })
        .collect();
    // SQLite reads `ON` after a SELECT as that of a join, unless a WHERE stands between.
    sql.run(
        "INSERT INTO stat (hour, webhook, type, attempts, delivered, at_once, outcomes, latency)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
         FROM json_each(?1) WHERE true
         ON CONFLICT (hour, webhook, type) DO UPDATE SET attempts = excluded.attempts, delivered = excluded.delivered,
            at_once = excluded.at_once, outcomes = excluded.outcomes, latency = excluded.latency",
        &[Value::Text(to_json(&rows)?)],
    )?;
    Ok(())
}

/// Deletes up to `limit` rows of hours before this one; gives how many.
pub(crate) fn delete_before<S: Sql>(sql: &S, hour: i64, limit: u32) -> Result<usize, LedgerError> {
    let rows = sql.run(
        "DELETE FROM stat WHERE (hour, webhook, type) IN
            (SELECT hour, webhook, type FROM stat WHERE hour < ?1 LIMIT ?2) RETURNING webhook",
        &[Value::from(hour), Value::from(limit)],
    )?;
    Ok(rows.len())
}

/// A row, without its event type.
pub(crate) struct Counted {
    pub(crate) hour: i64,
    pub(crate) webhook: Seq,
    pub(crate) tally: Tally,
}

impl Counted {
    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        const DAMAGED: LedgerError = LedgerError::Corrupt { what: "counts can't be read" };
        let count = |at| row.integer(at).and_then(|count| u64::try_from(count).map_err(|_negative| DAMAGED));
        Ok(Self {
            hour: row.integer(0)?,
            webhook: row.seq(1)?,
            tally: Tally {
                attempts: count(3)?,
                delivered: count(4)?,
                at_once: count(5)?,
                outcomes: Outcomes::parse(row.text(6)?).ok_or(DAMAGED)?,
                latency: Histogram::parse(row.text(7)?).ok_or(DAMAGED)?,
            },
        })
    }
}
