//! Table `delivery`: what becomes of an event at a webhook.
//!
//! The only file that writes the table, one function a transition: [`insert`], [`offer`], [`claim`], [`give_back`], [`park`], [`record`], the
//! ends ([`cancel`] and its kin, [`deliver_late`]), [`make_due`] and [`make_due_again`], [`release`], [`reveal`]. Each keeps the
//! columns of a row consistent with each other (`DeliveryRow::is_consistent`).
//!
//! Does not know whether a delivery may be called: gates, limits and order are decided by the operations.

use std::collections::BTreeSet;

use postern_core::delivery::{Attempt, Outcome, State, Trigger};
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::attempts::{ATTEMPTS_BYTES_MAX, answered, from_lines, in_short, shrink, to_lines};
use crate::row::text::{state_of, to_json};
use crate::sql::{Row, Sql, Value, first, key_set};

/// Deliveries that one statement inserts, so that its JSON stays well below the 2 MB of a value.
const INSERTED_AT_ONCE: usize = 5_000;

/// Whether an open delivery is put aside, and why: the column `parked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// It is planned, leased or has ended.
    Not = 0,
    /// Its webhook's gate is closed.
    Held = 1,
    /// An older open delivery has its order key.
    Behind = 2,
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
        let read = Self {
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
        };
        debug_assert!(read.is_consistent(), "the columns of a delivery contradict each other: {read:?}");
        Ok(read)
    }

    /// Whether the columns fit each other: attempts are numbered without a gap and only the one in flight may be missing, what has
    /// ended has no plan, and a lease that is in no index is claimed. The simulation's auditor asks the same of every row, with
    /// the columns that are not read here.
    pub(crate) fn is_consistent(&self) -> bool {
        let Some(in_flight) = self.attempt.checked_sub(self.made) else { return false };
        match self.state {
            State::Pending => self.attempt == 0,
            State::Waiting => in_flight == 0,
            State::Leased => in_flight == 1 && (self.next_at.is_some() || self.claimed),
            State::Delivered | State::Dead | State::Cancelled => {
                in_flight <= 1 && self.next_at.is_none() && self.order_key.is_none()
            }
        }
    }

    pub(crate) const fn trigger(&self) -> Trigger {
        if self.resend { Trigger::Resend } else { Trigger::Schedule }
    }

    /// The state of an open delivery that nobody holds.
    pub(crate) const fn resting_state(&self) -> State {
        if self.made == 0 { State::Pending } else { State::Waiting }
    }

    /// The state of a delivery that is made due, whatever came of it: every number that was handed out is recorded by then.
    pub(crate) const fn due_state(&self) -> State {
        if self.attempt == 0 { State::Pending } else { State::Waiting }
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
pub(crate) fn insert<S: Sql>(sql: &S, planned: &[Planned], now: Timestamp) -> Result<(), LedgerError> {
    for chunk in planned.chunks(INSERTED_AT_ONCE) {
        let row = |delivery: &Planned| {
            let (next_at, lease_until, parked) = match delivery.place {
                Place::Due => (Some(now.0), None, Parked::Not),
                Place::Held => (None, None, Parked::Held),
                Place::Behind => (None, None, Parked::Behind),
                Place::Inline { until } => (None, Some(until.0), Parked::Not),
            };
            let (inline, in_order, late) =
                (u8::from(lease_until.is_some()), u8::from(delivery.in_order), u8::from(delivery.late));
            (
                delivery.seq.0,
                delivery.event.0,
                delivery.webhook.0,
                next_at,
                inline,
                lease_until,
                parked as u8,
                in_order,
                late,
            )
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

/// A lease to be handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) delivery: Seq,
    pub(crate) attempt: u32,
    /// How often this number was offered, with this time.
    pub(crate) offers: u32,
    pub(crate) until: Timestamp,
}

/// A delivery to be put aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parking {
    pub(crate) delivery: Seq,
    /// Its state while it waits.
    pub(crate) state: State,
    /// The highest number that is used up.
    pub(crate) attempt: u32,
    pub(crate) parked: Parked,
}

/// A delivery that has ended, to be sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resend {
    pub(crate) delivery: Seq,
    /// Its state while it waits.
    pub(crate) state: State,
    /// Whether it goes by its event's order key.
    pub(crate) in_order: bool,
}

/// Leases deliveries. Inside the caller's transaction.
pub(crate) fn offer<S: Sql>(sql: &S, offers: &[Offer], now: Timestamp) -> Result<(), LedgerError> {
    if !offers.is_empty() {
        let rows: Vec<_> = offers
            .iter()
            .map(|offer| (offer.delivery.0, offer.attempt, offer.offers, offer.until.0))
            .collect();
        sql.run(
            "UPDATE delivery SET state = 'leased', attempt = j.value ->> 1, offers = j.value ->> 2, claimed = 0, parked = 0,
                next_at_ms = j.value ->> 3, lease_until_ms = NULL, updated_at_ms = ?2
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// Marks leased deliveries as claimed: `kept` have enough of their lease left, `renewed` get another end. Inside the
/// caller's transaction.
pub(crate) fn claim<S: Sql>(
    sql: &S,
    kept: Vec<Seq>,
    renewed: &[(Seq, Timestamp)],
    now: Timestamp,
) -> Result<(), LedgerError> {
    // Apart, because setting `next_at_ms` writes its index even where the value stays.
    if !kept.is_empty() {
        sql.run(
            "UPDATE delivery SET claimed = 1, updated_at_ms = ?2 WHERE seq IN (SELECT value FROM json_each(?1))",
            &[Value::Text(key_set(kept)), Value::from(now)],
        )?;
    }
    if !renewed.is_empty() {
        let rows: Vec<_> = renewed.iter().map(|(delivery, until)| (delivery.0, until.0)).collect();
        sql.run(
            "UPDATE delivery SET claimed = 1, next_at_ms = j.value ->> 1, updated_at_ms = ?2
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// A lease or claim to be given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Return {
    pub(crate) delivery: Seq,
    /// Its state while it waits.
    pub(crate) state: State,
    /// The highest number that is used up.
    pub(crate) attempt: u32,
}

/// Makes leased deliveries due at `due_at` whose attempt was certainly not made. Inside the caller's transaction.
pub(crate) fn give_back<S: Sql>(
    sql: &S,
    returns: &[Return],
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let row = |back: &Return| (back.delivery.0, back.state.as_str(), back.attempt);
    let rows: Vec<_> = returns.iter().map(row).collect();
    sql.run(
        "UPDATE delivery SET state = j.value ->> 1, attempt = j.value ->> 2, offers = 0, claimed = 0, next_at_ms = ?2,
            lease_until_ms = NULL, updated_at_ms = ?3
         FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
        &[Value::Text(to_json(&rows)?), Value::from(due_at), Value::from(now)],
    )?;
    Ok(())
}

/// Puts deliveries aside. Inside the caller's transaction.
pub(crate) fn park<S: Sql>(sql: &S, parkings: &[Parking], now: Timestamp) -> Result<(), LedgerError> {
    if !parkings.is_empty() {
        let row = |parking: &Parking| {
            (parking.delivery.0, parking.state.as_str(), parking.attempt, parking.parked as u8)
        };
        let rows: Vec<_> = parkings.iter().map(row).collect();
        sql.run(
            "UPDATE delivery SET state = j.value ->> 1, attempt = j.value ->> 2, parked = j.value ->> 3, offers = 0, claimed = 0,
                next_at_ms = NULL, lease_until_ms = NULL, updated_at_ms = ?2
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// Makes one delivery due now because a person asks for it, whatever came of it so far. An open one keeps its order key and
/// with it its place behind older ones. One that has ended has lost its key and does not get it back: it is sent at once, out of
/// order, where [`make_due_again`] puts it in order. No column of a lease is touched, because a leased delivery is never made due.
/// Inside the caller's transaction.
pub(crate) fn make_due<S: Sql>(
    sql: &S,
    delivery: Seq,
    state: State,
    scheduled: u32,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET state = ?2, scheduled = ?4, resend = 1, parked = 0, offers = 0, claimed = 0, next_at_ms = ?3,
            updated_at_ms = ?3
         WHERE seq = ?1",
        &[Value::from(delivery), Value::from(state.as_str()), Value::from(now), Value::from(scheduled)],
    )?;
    Ok(())
}

/// Makes deliveries due now that have ended, because a replay sends them again: at the beginning of their schedule, and in
/// order where their webhook keeps it. Inside the caller's transaction.
pub(crate) fn make_due_again<S: Sql>(sql: &S, resends: &[Resend], now: Timestamp) -> Result<(), LedgerError> {
    let row = |resend: &Resend| (resend.delivery.0, resend.state.as_str(), u8::from(resend.in_order));
    let rows: Vec<_> = resends.iter().map(row).collect();
    sql.run(
        "UPDATE delivery SET state = j.value ->> 1, scheduled = 0, resend = 1, parked = 0, offers = 0, claimed = 0,
            next_at_ms = ?2, lease_until_ms = NULL, updated_at_ms = ?2,
            order_key = CASE j.value ->> 2 WHEN 1 THEN (SELECT order_key FROM event WHERE event.seq = delivery.event) END
         FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
        &[Value::Text(to_json(&rows)?), Value::from(now)],
    )?;
    Ok(())
}

/// Makes a delivery due now that waits behind an older one of its order key. Inside the caller's transaction.
pub(crate) fn release<S: Sql>(sql: &S, delivery: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET parked = 0, next_at_ms = ?2, updated_at_ms = ?2 WHERE seq = ?1 AND parked = ?3",
        &[Value::from(delivery), Value::from(now), Value::from(Parked::Behind as u32)],
    )?;
    Ok(())
}

/// The deliveries of a webhook do not go by order keys any more: those that wait behind others go free together, and wait for
/// the gate. Inside the caller's transaction.
pub(crate) fn give_up_order<S: Sql>(sql: &S, webhook: Seq) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET order_key = NULL, parked = CASE parked WHEN 2 THEN 1 ELSE parked END
         WHERE webhook = ?1 AND order_key IS NOT NULL",
        &[Value::from(webhook)],
    )?;
    Ok(())
}

/// Cancels an open delivery. A number that was offered but not claimed was never used. Inside the caller's transaction.
pub(crate) fn cancel<S: Sql>(sql: &S, delivery: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET state = 'cancelled', attempt = attempt - (state = 'leased' AND claimed = 0), parked = 0,
            next_at_ms = NULL, lease_until_ms = NULL, order_key = NULL, updated_at_ms = ?2
         WHERE seq = ?1",
        &[Value::from(delivery), Value::from(now)],
    )?;
    Ok(())
}

/// Cancels every open delivery of a webhook, as [`cancel`] does; gives the newest of them, `named_max` at most. Inside the
/// caller's transaction.
pub(crate) fn cancel_all_of<S: Sql>(
    sql: &S,
    webhook: Seq,
    named_max: u32,
    now: Timestamp,
) -> Result<Vec<Seq>, LedgerError> {
    let rows = sql.run(
        "SELECT seq FROM delivery WHERE webhook = ?1 AND state IN ('pending', 'leased', 'waiting') ORDER BY seq DESC LIMIT ?2",
        &[Value::from(webhook), Value::from(named_max)],
    )?;
    sql.run(
        "UPDATE delivery SET state = 'cancelled', attempt = attempt - (state = 'leased' AND claimed = 0),
            parked = 0, next_at_ms = NULL, lease_until_ms = NULL, order_key = NULL, updated_at_ms = ?2
         WHERE webhook = ?1 AND state IN ('pending', 'leased', 'waiting')",
        &[Value::from(webhook), Value::from(now)],
    )?;
    rows.iter().map(|row| row.seq(0)).collect()
}

/// Cancels a delivery whose webhook is gone: a damaged row. An attempt that is under way will not be recorded, so its number is
/// not used, claimed or not. Inside the caller's transaction.
pub(crate) fn cancel_orphan<S: Sql>(sql: &S, delivery: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET state = 'cancelled', attempt = made, parked = 0, next_at_ms = NULL, lease_until_ms = NULL,
            order_key = NULL, updated_at_ms = ?2
         WHERE seq = ?1",
        &[Value::from(delivery), Value::from(now)],
    )?;
    Ok(())
}

/// Appends an attempt to a delivery's record and sets where the delivery stands. Inside the caller's transaction.
pub(crate) fn record<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    attempt: &Attempt,
    recorded: Recorded,
    now: Timestamp,
) -> Result<(), LedgerError> {
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

/// Replaces the record of attempts, one of which was taken for lost. Inside the caller's transaction.
pub(crate) fn reveal<S: Sql>(
    sql: &S,
    delivery: Seq,
    attempts: &mut [Attempt],
    now: Timestamp,
) -> Result<(), LedgerError> {
    shrink(attempts, 0)?;
    sql.run(
        "UPDATE delivery SET attempts = ?2, updated_at_ms = ?3 WHERE seq = ?1",
        &[Value::from(delivery), Value::Text(to_lines(attempts)?), Value::from(now)],
    )?;
    Ok(())
}

/// Shows an attempt as the latest result. Inside the caller's transaction.
pub(crate) fn show_result<S: Sql>(sql: &S, delivery: Seq, attempt: &Attempt) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET last_status = coalesce(?2, last_status), last_duration_ms = ?3, last_result = ?4 WHERE seq = ?1",
        &[Value::from(delivery), Value::from(answered(attempt)), Value::from(attempt.duration_ms), Value::Text(in_short(&attempt.outcome))],
    )?;
    Ok(())
}

/// Ends a delivery as delivered, because an attempt that was taken for lost has arrived. A next number that was offered but not
/// claimed was never used. Inside the caller's transaction.
pub(crate) fn deliver_late<S: Sql>(sql: &S, delivery: Seq) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET state = 'delivered', attempt = attempt - (state = 'leased' AND claimed = 0), parked = 0,
            next_at_ms = NULL, lease_until_ms = NULL, order_key = NULL WHERE seq = ?1",
        &[Value::from(delivery)],
    )?;
    Ok(())
}

/// Notes that an attempt of a delivery disabled its webhook. Inside the caller's transaction.
pub(crate) fn note_disabling<S: Sql>(sql: &S, delivery: Seq, attempt: u32) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET disabling = json_insert(coalesce(disabling, '[]'), '$[#]', CAST(?2 AS INTEGER)) WHERE seq = ?1",
        &[Value::from(delivery), Value::from(attempt)],
    )?;
    Ok(())
}

/// Deletes deliveries.
pub(crate) fn delete<S: Sql>(sql: &S, deliveries: Vec<Seq>) -> Result<(), LedgerError> {
    sql.run(
        "DELETE FROM delivery WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(deliveries))],
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
    let rows = sql.run(
        "SELECT length(CAST(attempts AS BLOB)) FROM delivery WHERE seq = ?1",
        &[Value::from(delivery)],
    )?;
    let used = first(rows).ok_or(LedgerError::NotFound { what: "delivery" })?.number(0)? as usize;
    if used + bytes <= ATTEMPTS_BYTES_MAX {
        return Ok(());
    }
    let mut attempts = attempts_of(sql, delivery)?;
    shrink(&mut attempts, bytes)?;
    sql.run(
        "UPDATE delivery SET attempts = ?2 WHERE seq = ?1",
        &[Value::from(delivery), Value::Text(to_lines(&attempts)?)],
    )?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: DeliveryRow = DeliveryRow {
        seq: Seq(3),
        event: Seq(2),
        webhook: Seq(1),
        state: State::Pending,
        attempt: 0,
        made: 0,
        scheduled: 0,
        offers: 0,
        claimed: false,
        resend: false,
        next_at: Some(Timestamp(1)),
        updated_at: Timestamp(0),
        order_key: None,
        kind: String::new(),
    };

    #[test]
    fn a_row_whose_columns_contradict_each_other_is_known() {
        let leased = DeliveryRow { state: State::Leased, attempt: 1, ..OPEN };
        let inline = DeliveryRow { claimed: true, next_at: None, ..leased.clone() };
        let waiting = DeliveryRow { state: State::Waiting, attempt: 2, made: 2, ..OPEN };
        let dead = DeliveryRow { state: State::Dead, attempt: 2, made: 1, next_at: None, ..OPEN };
        for row in [&OPEN, &leased, &inline, &waiting, &dead] {
            assert!(row.is_consistent(), "{row:?}");
        }
        for row in [
            DeliveryRow { attempt: 1, ..OPEN },
            DeliveryRow { made: 1, ..OPEN },
            DeliveryRow { attempt: 2, ..leased },
            DeliveryRow { claimed: false, ..inline },
            DeliveryRow { made: 1, ..waiting },
            DeliveryRow { attempt: 3, ..dead.clone() },
            DeliveryRow { next_at: Some(Timestamp(1)), ..dead.clone() },
            DeliveryRow { order_key: Some(String::from("k")), ..dead },
        ] {
            assert!(!row.is_consistent(), "{row:?}");
        }
    }
}
