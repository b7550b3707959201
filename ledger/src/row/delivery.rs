//! Table `delivery`: what becomes of an event at a webhook.
//!
//! Does not know whether a delivery may be called: gates, limits and order are decided by the operations.

use std::collections::BTreeSet;

use postern_core::delivery::{Attempt, Outcome, State, Trigger};
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::attempts::{ATTEMPTS_BYTES_MAX, answered, from_lines, in_short, shrink, to_lines};
use crate::row::text::{state_of, to_json};
use crate::sql::{Row, Sql, Value, first};

/// Deliveries that one statement inserts, so that its JSON stays well below the 2 MB of a value.
const INSERTED_AT_ONCE: usize = 5_000;

/// Whether an open delivery is put aside, and why: the column `parked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parked(pub(crate) u8);

impl Parked {
    /// It is planned, leased or has ended.
    pub(crate) const NOT: Self = Self(0);
    /// Its webhook's gate is closed.
    pub(crate) const HELD: Self = Self(1);
    /// An older open delivery has its order key.
    pub(crate) const BEHIND: Self = Self(2);
}

/// A delivery's row without its record of attempts.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) seq: Seq,
    pub(crate) event: Seq,
    pub(crate) webhook: Seq,
    pub(crate) state: State,
    /// The highest number handed out.
    pub(crate) attempt: u32,
    /// Attempts recorded.
    pub(crate) made: u32,
    /// Attempts that count for the schedule.
    pub(crate) scheduled: u32,
    /// How often the current number was offered.
    pub(crate) offers: u32,
    pub(crate) claimed: bool,
    pub(crate) resend: bool,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    /// Only while it is open, and only of an ordered webhook.
    pub(crate) order_key: Option<String>,
    /// The event's type.
    pub(crate) kind: String,
}

impl DeliveryRow {
    /// The columns that [`DeliveryRow::read`] wants, in its order.
    pub(crate) const COLUMNS: &str = "delivery.seq, delivery.event, delivery.webhook, delivery.state, delivery.attempt, delivery.made,
        delivery.scheduled, delivery.offers, delivery.claimed, delivery.resend, delivery.next_at_ms, delivery.updated_at_ms,
        delivery.order_key, (SELECT type FROM event WHERE event.seq = delivery.event)";
    /// How many there are.
    pub(crate) const COLUMN_COUNT: usize = 14;

    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: row.seq(0)?,
            event: row.seq(1)?,
            webhook: row.seq(2)?,
            state: state_of(row.text(3)?)?,
            attempt: row.number(4)?,
            made: row.number(5)?,
            scheduled: row.number(6)?,
            offers: row.number(7)?,
            claimed: row.flag(8)?,
            resend: row.flag(9)?,
            next_at: row.timestamp_or_none(10)?,
            updated_at: row.timestamp(11)?,
            order_key: row.text_or_none(12)?.map(String::from),
            // An event is kept while it has deliveries; a damaged store must not stop the alarm.
            kind: row.text_or_none(13)?.map(String::from).unwrap_or_default(),
        })
    }

    pub(crate) const fn trigger(&self) -> Trigger {
        if self.resend { Trigger::Resend } else { Trigger::Schedule }
    }

    /// The state of an open delivery that nobody holds.
    pub(crate) const fn resting_state(&self) -> State {
        if self.made == 0 { State::Pending } else { State::Waiting }
    }

    /// Attempts that count for the schedule once the one at hand is recorded. A resend does not count, unless it is the
    /// first of a new round.
    pub(crate) fn scheduled_after(&self) -> u32 {
        self.scheduled + u32::from(!self.resend || self.scheduled == 0)
    }

    /// Whether no older open delivery has the same order key.
    pub(crate) fn is_head<S: Sql>(&self, sql: &S) -> Result<bool, LedgerError> {
        match &self.order_key {
            None => Ok(true),
            Some(key) => Ok(head_of(sql, self.webhook, key)?.is_none_or(|head| head >= self.seq)),
        }
    }
}

/// Where a delivery stands after an attempt was recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    pub(crate) state: State,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) resend: bool,
    pub(crate) scheduled: u32,
}

/// Where a new delivery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Due at once.
    Due,
    /// Its webhook's gate decides.
    Held,
    /// Behind an older one with the same order key.
    Behind,
    /// Leased to the caller until then.
    Inline { until: Timestamp },
}

/// A delivery to be inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) seq: Seq,
    pub(crate) event: Seq,
    pub(crate) webhook: Seq,
    pub(crate) place: Place,
    /// Whether it goes by its event's order key.
    pub(crate) in_order: bool,
    /// Whether a replay makes it. The keys of all others follow that of their event without a gap.
    pub(crate) late: bool,
}

/// Order keys of deliveries that are planned and not stored yet, with their webhooks.
pub(crate) type KeysTaken = BTreeSet<(Seq, String)>;

/// Stores deliveries of events that are stored already. Inside the caller's transaction.
pub(crate) fn insert_deliveries<S: Sql>(sql: &S, planned: &[Planned], now: Timestamp) -> Result<(), LedgerError> {
    for chunk in planned.chunks(INSERTED_AT_ONCE) {
        let row = |delivery: &Planned| {
            let (next_at, lease_until, parked) = match delivery.place {
                Place::Due => (Some(now.0), None, Parked::NOT),
                Place::Held => (None, None, Parked::HELD),
                Place::Behind => (None, None, Parked::BEHIND),
                Place::Inline { until } => (None, Some(until.0), Parked::NOT),
            };
            let (inline, in_order, late) = (u8::from(lease_until.is_some()), u8::from(delivery.in_order), u8::from(delivery.late));
            (delivery.seq.0, delivery.event.0, delivery.webhook.0, next_at, inline, lease_until, parked.0, in_order, late)
        };
        let rows: Vec<_> = chunk.iter().map(row).collect();
        sql.run(
            "INSERT INTO delivery (seq, event, webhook, next_at_ms, state, attempt, offers, claimed, lease_until_ms, parked, order_key,
                late, updated_at_ms)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CASE value ->> 4 WHEN 1 THEN 'leased' ELSE 'pending' END,
                value ->> 4, value ->> 4, value ->> 4, value ->> 5, value ->> 6,
                CASE value ->> 7 WHEN 1 THEN (SELECT order_key FROM event WHERE event.seq = value ->> 1) END,
                value ->> 8, ?2
             FROM json_each(?1)",
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// The oldest open delivery of a webhook with this order key.
pub(crate) fn head_of<S: Sql>(sql: &S, webhook: Seq, order_key: &str) -> Result<Option<Seq>, LedgerError> {
    let rows = sql.run(
        "SELECT seq FROM delivery WHERE webhook = ?1 AND order_key = ?2 ORDER BY seq LIMIT 1",
        &[Value::from(webhook), Value::from(order_key)],
    )?;
    first(rows).map(|row| row.seq(0)).transpose()
}

/// Puts deliveries aside: `(delivery, state, attempt, parked)`.
pub(crate) fn write_parked<S: Sql>(sql: &S, parked: &[(i64, &str, u32, u8)], now: Timestamp) -> Result<(), LedgerError> {
    if !parked.is_empty() {
        sql.run(
            "UPDATE delivery SET state = j.value ->> 1, attempt = j.value ->> 2, parked = j.value ->> 3, offers = 0, claimed = 0,
                next_at_ms = NULL, lease_until_ms = NULL, updated_at_ms = ?2
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
            &[Value::Text(to_json(&parked)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// Appends an attempt to a delivery's record and sets where the delivery stands. Inside the caller's transaction.
pub(crate) fn record<S: Sql>(sql: &S, row: &DeliveryRow, attempt: &Attempt, recorded: Recorded, now: Timestamp) -> Result<(), LedgerError> {
    let line = to_json(attempt)? + "\n";
    make_room(sql, row.seq, line.len())?;
    sql.run(
        "UPDATE delivery SET state = ?2, made = ?3, scheduled = ?4, offers = 0, claimed = 0, resend = ?5, next_at_ms = ?6,
            lease_until_ms = NULL, updated_at_ms = ?7, last_status = coalesce(?8, last_status), last_duration_ms = ?9,
            last_result = ?10, attempts = attempts || ?11, order_key = CASE ?12 WHEN 1 THEN NULL ELSE order_key END
         WHERE seq = ?1",
        &[
            Value::from(row.seq),
            Value::from(recorded.state.as_str()),
            Value::from(attempt.number),
            Value::from(recorded.scheduled),
            Value::from(recorded.resend),
            Value::from(recorded.next_at),
            Value::from(now),
            Value::from(answered(attempt)),
            Value::from(attempt.duration_ms),
            Value::Text(in_short(&attempt.outcome)),
            Value::Text(line),
            Value::from(recorded.state.is_final()),
        ],
    )?;
    Ok(())
}

/// Every recorded attempt of a delivery, oldest first.
pub(crate) fn attempts_of<S: Sql>(sql: &S, delivery: Seq) -> Result<Vec<Attempt>, LedgerError> {
    let rows = sql.run("SELECT attempts FROM delivery WHERE seq = ?1", &[Value::from(delivery)])?;
    let row = first(rows).ok_or(LedgerError::NotFound { what: "delivery" })?;
    from_lines(row.text(0)?)
}

/// Makes room for `bytes` more in a delivery's record, where it is nearly full.
fn make_room<S: Sql>(sql: &S, delivery: Seq, bytes: usize) -> Result<(), LedgerError> {
    let rows = sql.run("SELECT length(CAST(attempts AS BLOB)) FROM delivery WHERE seq = ?1", &[Value::from(delivery)])?;
    let used = first(rows).ok_or(LedgerError::NotFound { what: "delivery" })?.number(0)? as usize;
    if used + bytes <= ATTEMPTS_BYTES_MAX {
        return Ok(());
    }
    let mut attempts = attempts_of(sql, delivery)?;
    shrink(&mut attempts, bytes)?;
    sql.run("UPDATE delivery SET attempts = ?2 WHERE seq = ?1", &[Value::from(delivery), Value::Text(to_lines(&attempts)?)])?;
    Ok(())
}

/// The record of an attempt that nobody reported.
pub(crate) fn lost_attempt(row: &DeliveryRow, now: Timestamp) -> Attempt {
    Attempt {
        number: row.attempt,
        trigger: row.trigger(),
        started_at: row.updated_at,
        duration_ms: u32::try_from(now.ms_since(row.updated_at)).unwrap_or(0),
        outcome: Outcome::Lost,
        request: None,
        response: None,
        request_id: None,
    }
}
