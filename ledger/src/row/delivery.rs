//! Table `delivery`: what becomes of an event at a webhook.
//!
//! The only file that writes the table, one function a transition: [`insert`], [`offer`], [`claim`],
//! [`give_back`], [`park`], [`record`], the ends ([`cancel`] and its kin, [`deliver_late`]), [`make_due`],
//! [`release`], [`reveal`]. What comes next of a delivery is one value, its [`Plan`]: five columns are read
//! and written through it, so that no statement keeps them consistent by hand. In debug builds each row is
//! checked when it is read (`DeliveryRow::is_consistent`).
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

/// What comes next of a delivery: the columns `state`, `claimed`, `parked`, `next_at_ms` and `lease_until_ms`
/// in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It may be leased from then on.
    Due { at: Timestamp },
    /// Its attempt may be claimed, or is being made, until then. In the index of due work, where its end is
    /// found.
    Leased { until: Timestamp, claimed: bool },
    /// Leased to the request that brought its event, and claimed, until then. In no index: the gates know
    /// its end.
    Inline { until: Timestamp },
    /// Its webhook's gate is closed.
    Held,
    /// An older open delivery has its order key.
    Behind,
    /// It has ended.
    Ended(Ending),
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Delivered,
    /// It was given up.
    Dead,
    /// A person stopped it, or its webhook was deleted.
    Cancelled,
}

/// The columns of a [`Plan`].
#[derive(Clone, Copy, Debug)]
struct PlanColumns {
    state: State,
    claimed: bool,
    parked: u32,
    next_at: Option<Timestamp>,
    lease_until: Option<Timestamp>,
}

/// The columns of a plan, as the start of a JSON array that is written by [`SET_PLAN`].
type PlanJson = (&'static str, u8, u32, Option<i64>, Option<i64>);

/// Sets the columns of a plan from `j.value -> 1`, a [`PlanJson`].
const SET_PLAN: &str =
    "state = j.value ->> '$[1][0]', claimed = j.value ->> '$[1][1]', parked = j.value ->> '$[1][2]',
    next_at_ms = j.value ->> '$[1][3]', lease_until_ms = j.value ->> '$[1][4]'";

/// Of a delivery that ends: a number that was offered but not claimed was never used.
const USED_NUMBERS: &str = "attempt - (state = 'leased' AND claimed = 0)";

impl Plan {
    /// Whether an attempt is leased.
    pub(crate) const fn is_leased(self) -> bool {
        matches!(self, Self::Leased { .. } | Self::Inline { .. })
    }

    /// Whether an attempt is leased and claimed, so that the call may have been made.
    pub(crate) const fn is_claimed(self) -> bool {
        matches!(self, Self::Leased { claimed: true, .. } | Self::Inline { .. })
    }

    /// Whether it has ended.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// The state of a delivery with this plan, of which `made` attempts are recorded.
    const fn state(self, made: u32) -> State {
        match self {
            Self::Due { .. } | Self::Held | Self::Behind if made == 0 => State::Pending,
            Self::Due { .. } | Self::Held | Self::Behind => State::Waiting,
            Self::Leased { .. } | Self::Inline { .. } => State::Leased,
            Self::Ended(Ending::Delivered) => State::Delivered,
            Self::Ended(Ending::Dead) => State::Dead,
            Self::Ended(Ending::Cancelled) => State::Cancelled,
        }
    }

    const fn columns(self, made: u32) -> PlanColumns {
        let rest = PlanColumns {
            state: self.state(made),
            claimed: false,
            parked: 0,
            next_at: None,
            lease_until: None,
        };
        match self {
            Self::Due { at } => PlanColumns { next_at: Some(at), ..rest },
            Self::Leased { until, claimed } => PlanColumns { claimed, next_at: Some(until), ..rest },
            Self::Inline { until } => PlanColumns { claimed: true, lease_until: Some(until), ..rest },
            Self::Held => PlanColumns { parked: 1, ..rest },
            Self::Behind => PlanColumns { parked: 2, ..rest },
            Self::Ended(_) => rest,
        }
    }

    fn json(self, made: u32) -> PlanJson {
        let columns = self.columns(made);
        (
            columns.state.as_str(),
            u8::from(columns.claimed),
            columns.parked,
            columns.next_at.map(|at| at.0),
            columns.lease_until.map(|at| at.0),
        )
    }
}

impl PlanColumns {
    /// The plan that they say. Columns that contradict each other are read by the first that says something;
    /// what has no plan waits for its gate.
    const fn plan(self) -> Plan {
        match (self.state, self.parked, self.next_at, self.lease_until) {
            (State::Delivered, ..) => Plan::Ended(Ending::Delivered),
            (State::Dead, ..) => Plan::Ended(Ending::Dead),
            (State::Cancelled, ..) => Plan::Ended(Ending::Cancelled),
            (State::Leased, _, Some(until), _) => Plan::Leased { until, claimed: self.claimed },
            (State::Leased, _, None, Some(until)) => Plan::Inline { until },
            (_, 2, ..) => Plan::Behind,
            (_, 0, Some(at), _) => Plan::Due { at },
            _ => Plan::Held,
        }
    }

    /// Whether they are what their plan would write. Of a delivery that has ended, who claimed its last
    /// attempt does not matter: an attempt that was under way when a person stopped it may still be reported.
    fn fit(self, made: u32) -> bool {
        let written = self.plan().columns(made);
        let is_claim_kept = self.claimed == written.claimed || self.state.is_final();
        is_claim_kept
            && (self.state, self.parked, self.next_at, self.lease_until)
                == (written.state, written.parked, written.next_at, written.lease_until)
    }
}

/// A delivery's row without its record of attempts.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) seq: Seq,
    pub(crate) event: Seq,
    pub(crate) webhook: Seq,
    pub(crate) plan: Plan,
    /// The highest number handed out.
    pub(crate) attempt: u32,
    /// Attempts recorded.
    pub(crate) made: u32,
    /// Attempts that count for the schedule.
    pub(crate) scheduled: u32,
    /// How often the current number was offered.
    pub(crate) offers: u32,
    pub(crate) resend: bool,
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
        delivery.order_key, (SELECT type FROM event WHERE event.seq = delivery.event), delivery.parked, delivery.lease_until_ms";
    /// How many there are.
    pub(crate) const COLUMN_COUNT: usize = 16;

    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        let columns = PlanColumns {
            state: state_of(row.text(3)?)?,
            claimed: row.flag(8)?,
            parked: row.number(14)?,
            next_at: row.timestamp_or_none(10)?,
            lease_until: row.timestamp_or_none(15)?,
        };
        let read = Self {
            seq: row.seq(0)?,
            event: row.seq(1)?,
            webhook: row.seq(2)?,
            plan: columns.plan(),
            attempt: row.number(4)?,
            made: row.number(5)?,
            scheduled: row.number(6)?,
            offers: row.number(7)?,
            resend: row.flag(9)?,
            updated_at: row.timestamp(11)?,
            order_key: row.text_or_none(12)?.map(String::from),
            // An event is kept while it has deliveries; a damaged store must not stop the alarm.
            kind: row.text_or_none(13)?.map(String::from).unwrap_or_default(),
        };
        debug_assert!(
            read.is_consistent() && columns.fit(read.made),
            "the columns of a delivery contradict each other: {read:?}, {columns:?}"
        );
        Ok(read)
    }

    /// Its state, as people know it.
    pub(crate) const fn state(&self) -> State {
        self.plan.state(self.made)
    }

    /// Whether the numbers fit the plan: attempts are numbered without a gap, and only the one in flight may
    /// be missing. The simulation's auditor asks the same of every row, with the columns that are not read
    /// here.
    pub(crate) fn is_consistent(&self) -> bool {
        let Some(in_flight) = self.attempt.checked_sub(self.made) else { return false };
        match self.plan {
            Plan::Due { .. } | Plan::Held => in_flight == 0,
            Plan::Behind => in_flight == 0 && self.order_key.is_some(),
            Plan::Leased { .. } | Plan::Inline { .. } => in_flight == 1,
            Plan::Ended(_) => in_flight <= 1 && self.order_key.is_none(),
        }
    }

    pub(crate) const fn trigger(&self) -> Trigger {
        if self.resend { Trigger::Resend } else { Trigger::Schedule }
    }

    /// The highest number that may have been used: not one that was offered and not claimed.
    const fn used_numbers(&self) -> u32 {
        match self.plan {
            Plan::Leased { claimed: false, .. } => self.attempt.saturating_sub(1),
            _ => self.attempt,
        }
    }

    /// Attempts that count for the schedule once the one at hand is recorded. A resend does not count, unless
    /// it is the first of a new round.
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
    pub(crate) plan: Plan,
    pub(crate) resend: bool,
    pub(crate) scheduled: u32,
}

/// A delivery to be inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) seq: Seq,
    pub(crate) event: Seq,
    pub(crate) webhook: Seq,
    pub(crate) plan: Plan,
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
            let attempt = u8::from(delivery.plan.is_leased());
            let (in_order, late) = (u8::from(delivery.in_order), u8::from(delivery.late));
            let (state, claimed, parked, next_at, lease_until) = delivery.plan.json(0);
            let keys = (delivery.seq.0, delivery.event.0, delivery.webhook.0);
            (keys, (state, claimed, parked, next_at, lease_until), attempt, in_order, late)
        };
        let rows: Vec<_> = chunk.iter().map(row).collect();
        sql.run(
            "INSERT INTO delivery (seq, event, webhook, next_at_ms, state, attempt, offers, claimed, lease_until_ms, parked, order_key,
                late, updated_at_ms)
             SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[1][3]', value ->> '$[1][0]',
                value ->> 2, value ->> 2, value ->> '$[1][1]', value ->> '$[1][4]', value ->> '$[1][2]',
                CASE value ->> 3 WHEN 1 THEN (SELECT order_key FROM event WHERE event.seq = value ->> '$[0][1]') END,
                value ->> 4, ?2
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

/// A delivery to be put aside. Every number that was used is recorded by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parking {
    pub(crate) delivery: Seq,
    /// Attempts recorded, which is the highest number that is used up.
    pub(crate) made: u32,
    /// [`Plan::Held`] or [`Plan::Behind`].
    pub(crate) plan: Plan,
}

/// A delivery to be sent again, whatever came of it so far. Every number that was used is recorded by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resend {
    pub(crate) delivery: Seq,
    /// Attempts recorded.
    pub(crate) made: u32,
    /// Attempts that count for the schedule: none if that is to start anew.
    pub(crate) scheduled: u32,
    pub(crate) order: Order,
}

/// Whether a delivery that is sent again goes by its event's order key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As it is: an open delivery keeps its key, one that has ended has none.
    Kept,
    /// It gets its key back.
    Restored,
}

/// Leases deliveries. Inside the caller's transaction.
pub(crate) fn offer<S: Sql>(sql: &S, offers: &[Offer], now: Timestamp) -> Result<(), LedgerError> {
    if !offers.is_empty() {
        let rows: Vec<_> = offers
            .iter()
            .map(|offer| {
                let plan = Plan::Leased { until: offer.until, claimed: false };
                (offer.delivery.0, plan.json(offer.attempt.saturating_sub(1)), offer.attempt, offer.offers)
            })
            .collect();
        sql.run(
            &format!(
                "UPDATE delivery SET {SET_PLAN}, attempt = j.value ->> 2, offers = j.value ->> 3, updated_at_ms = ?2
                 FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0"
            ),
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// Marks leased deliveries as claimed: `kept` have enough of their lease left, `renewed` get another end.
/// Inside the caller's transaction.
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

/// Makes leased deliveries due whose attempt was certainly not made: [`Parking::plan`] says when. Inside the
/// caller's transaction.
pub(crate) fn give_back<S: Sql>(sql: &S, returns: &[Parking], now: Timestamp) -> Result<(), LedgerError> {
    let row = |back: &Parking| (back.delivery.0, back.plan.json(back.made), back.made);
    let rows: Vec<_> = returns.iter().map(row).collect();
    sql.run(
        &format!(
            "UPDATE delivery SET {SET_PLAN}, offers = 0, attempt = j.value ->> 2, updated_at_ms = ?2
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0"
        ),
        &[Value::Text(to_json(&rows)?), Value::from(now)],
    )?;
    Ok(())
}

/// Puts deliveries aside. Inside the caller's transaction.
pub(crate) fn park<S: Sql>(sql: &S, parkings: &[Parking], now: Timestamp) -> Result<(), LedgerError> {
    if !parkings.is_empty() {
        let row = |parking: &Parking| (parking.delivery.0, parking.plan.json(parking.made), parking.made);
        let rows: Vec<_> = parkings.iter().map(row).collect();
        sql.run(
            &format!(
                "UPDATE delivery SET {SET_PLAN}, attempt = j.value ->> 2, offers = 0, updated_at_ms = ?2
                 FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0"
            ),
            &[Value::Text(to_json(&rows)?), Value::from(now)],
        )?;
    }
    Ok(())
}

/// Makes deliveries due now because somebody asks for it. [`Order`] says whether those that have ended get
/// their order key back, which they lost with their end. Inside the caller's transaction.
pub(crate) fn make_due<S: Sql>(sql: &S, resends: &[Resend], now: Timestamp) -> Result<(), LedgerError> {
    let row = |resend: &Resend| {
        let is_restored = u8::from(resend.order == Order::Restored);
        (resend.delivery.0, Plan::Due { at: now }.json(resend.made), resend.scheduled, is_restored)
    };
    let rows: Vec<_> = resends.iter().map(row).collect();
    sql.run(
        &format!(
            "UPDATE delivery SET {SET_PLAN}, scheduled = j.value ->> 2, resend = 1, offers = 0, updated_at_ms = ?2,
                order_key = CASE j.value ->> 3 WHEN 1 THEN (SELECT order_key FROM event WHERE event.seq = delivery.event)
                    ELSE order_key END
             FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0"
        ),
        &[Value::Text(to_json(&rows)?), Value::from(now)],
    )?;
    Ok(())
}

/// Makes a delivery due now that waits behind another one of its order key; `false` if it does not wait.
/// Inside the caller's transaction.
pub(crate) fn release<S: Sql>(sql: &S, delivery: Seq, now: Timestamp) -> Result<bool, LedgerError> {
    let (due, behind) = (Plan::Due { at: now }.columns(0), Plan::Behind.columns(0));
    let released = sql.run(
        "UPDATE delivery SET parked = ?4, next_at_ms = ?2, updated_at_ms = ?5 WHERE seq = ?1 AND parked = ?3 RETURNING seq",
        &[
            Value::from(delivery),
            Value::from(due.next_at),
            Value::from(behind.parked),
            Value::from(due.parked),
            Value::from(now),
        ],
    )?;
    Ok(!released.is_empty())
}

/// The deliveries of a webhook do not go by order keys any more: those that wait behind others go free
/// together, and wait for the gate. Inside the caller's transaction.
pub(crate) fn give_up_order<S: Sql>(sql: &S, webhook: Seq) -> Result<(), LedgerError> {
    let (behind, held) = (Plan::Behind.columns(0), Plan::Held.columns(0));
    sql.run(
        "UPDATE delivery SET order_key = NULL, parked = CASE parked WHEN ?2 THEN ?3 ELSE parked END
         WHERE webhook = ?1 AND order_key IS NOT NULL",
        &[Value::from(webhook), Value::from(behind.parked), Value::from(held.parked)],
    )?;
    Ok(())
}

/// Ends an open delivery without a further attempt, as it is at `now`. Inside the caller's transaction.
fn end<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    ending: Ending,
    attempt: u32,
    updated_at: Timestamp,
) -> Result<(), LedgerError> {
    let ended = Plan::Ended(ending).columns(row.made);
    sql.run(
        "UPDATE delivery SET state = ?2, attempt = ?3, parked = ?4, next_at_ms = ?5, lease_until_ms = ?6, order_key = NULL,
            updated_at_ms = ?7
         WHERE seq = ?1",
        &[
            Value::from(row.seq),
            Value::from(ended.state.as_str()),
            Value::from(attempt),
            Value::from(ended.parked),
            Value::from(ended.next_at),
            Value::from(ended.lease_until),
            Value::from(updated_at),
        ],
    )?;
    Ok(())
}

/// Takes deliveries out of the index of due work whose rows can't be read, so that they hold up no other.
/// Their state stays as it was written. Inside the caller's transaction.
pub(crate) fn set_aside<S: Sql>(sql: &S, deliveries: Vec<Seq>) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE delivery SET next_at_ms = NULL WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(deliveries))],
    )?;
    Ok(())
}

/// Cancels an open delivery. A number that was offered but not claimed was never used. Inside the caller's
/// transaction.
pub(crate) fn cancel<S: Sql>(sql: &S, row: &DeliveryRow, now: Timestamp) -> Result<(), LedgerError> {
    end(sql, row, Ending::Cancelled, row.used_numbers(), now)
}

/// Cancels every open delivery of a webhook, as [`cancel`] does; gives the newest of them, `named_max` at
/// most. Inside the caller's transaction.
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
    let ended = Plan::Ended(Ending::Cancelled).columns(0);
    sql.run(
        &format!(
            "UPDATE delivery SET state = ?3, attempt = {USED_NUMBERS}, parked = ?4, next_at_ms = ?5, lease_until_ms = ?6,
                order_key = NULL, updated_at_ms = ?2
             WHERE webhook = ?1 AND state IN ('pending', 'leased', 'waiting')"
        ),
        &[
            Value::from(webhook),
            Value::from(now),
            Value::from(ended.state.as_str()),
            Value::from(ended.parked),
            Value::from(ended.next_at),
            Value::from(ended.lease_until),
        ],
    )?;
    rows.iter().map(|row| row.seq(0)).collect()
}

/// Cancels a delivery whose webhook is gone: a damaged row. An attempt that is under way will not be
/// recorded, so its number is not used, claimed or not. Inside the caller's transaction.
pub(crate) fn cancel_orphan<S: Sql>(sql: &S, row: &DeliveryRow, now: Timestamp) -> Result<(), LedgerError> {
    end(sql, row, Ending::Cancelled, row.made, now)
}

/// Ends a delivery as delivered, because an attempt that was taken for lost has arrived. A next number that
/// was offered but not claimed was never used. Inside the caller's transaction.
pub(crate) fn deliver_late<S: Sql>(sql: &S, row: &DeliveryRow, now: Timestamp) -> Result<(), LedgerError> {
    end(sql, row, Ending::Delivered, row.used_numbers(), now)
}

/// Appends an attempt to a delivery's record and sets where the delivery stands. Inside the caller's
/// transaction.
pub(crate) fn record<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    attempt: &Attempt,
    recorded: Recorded,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let line = to_json(attempt)? + "\n";
    make_room(sql, row.seq, line.len())?;
    let columns = recorded.plan.columns(attempt.number);
    debug_assert!(
        recorded.plan.is_final() || matches!(recorded.plan, Plan::Due { .. }),
        "a recorded attempt leaves a delivery due, or ends it: {recorded:?}"
    );
    sql.run(
        "UPDATE delivery SET state = ?2, made = ?3, scheduled = ?4, offers = 0, claimed = ?13, resend = ?5, next_at_ms = ?6,
            lease_until_ms = ?14, updated_at_ms = ?7, last_status = coalesce(?8, last_status), last_duration_ms = ?9,
            last_result = ?10, attempts = attempts || ?11, order_key = CASE ?12 WHEN 1 THEN NULL ELSE order_key END
         WHERE seq = ?1",
        &[
            Value::from(row.seq),
            Value::from(columns.state.as_str()),
            Value::from(attempt.number),
            Value::from(recorded.scheduled),
            Value::from(recorded.resend),
            Value::from(columns.next_at),
            Value::from(now),
            Value::from(answered(attempt)),
            Value::from(attempt.duration_ms),
            Value::Text(in_short(&attempt.outcome)),
            Value::Text(line),
            Value::from(recorded.plan.is_final()),
            Value::from(columns.claimed),
            Value::from(columns.lease_until),
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

/// Replaces the records of attempts of deliveries that have ended by shorter ones. Inside the caller's
/// transaction.
///
/// Each row goes to another key and back: SQLite gives no page back where a row becomes shorter in its place,
/// only where one is deleted (docs/platform.md 2.3).
pub(crate) fn shorten<S: Sql>(sql: &S, records: &[(Seq, Vec<Attempt>)]) -> Result<(), LedgerError> {
    let rows = records.iter().map(|(seq, attempts)| Ok((seq.0, to_lines(attempts)?)));
    let rows = rows.collect::<Result<Vec<_>, LedgerError>>()?;
    sql.run(
        "UPDATE delivery SET seq = -seq, attempts = j.value ->> 1 FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
        &[Value::Text(to_json(&rows)?)],
    )?;
    sql.run("UPDATE delivery SET seq = -seq WHERE seq < 0", &[])?;
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
    Ok(from_lines(row.text(0)?))
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
        plan: Plan::Due { at: Timestamp(1) },
        attempt: 0,
        made: 0,
        scheduled: 0,
        offers: 0,
        resend: false,
        updated_at: Timestamp(0),
        order_key: None,
        kind: String::new(),
    };

    const LEASED: Plan = Plan::Leased { until: Timestamp(1), claimed: false };
    const INLINE: Plan = Plan::Inline { until: Timestamp(1) };
    const DEAD: Plan = Plan::Ended(Ending::Dead);

    #[test]
    fn a_row_whose_numbers_contradict_its_plan_is_known() {
        let keyed = |row: DeliveryRow| DeliveryRow { order_key: Some(String::from("k")), ..row };
        let leased = DeliveryRow { plan: LEASED, attempt: 1, ..OPEN };
        let inline = DeliveryRow { plan: INLINE, ..leased.clone() };
        let waiting = DeliveryRow { attempt: 2, made: 2, ..OPEN };
        let behind = keyed(DeliveryRow { plan: Plan::Behind, ..OPEN });
        let dead = DeliveryRow { plan: DEAD, attempt: 2, made: 1, ..OPEN };
        for row in [&OPEN, &leased, &inline, &waiting, &behind, &dead] {
            assert!(row.is_consistent(), "{row:?}");
        }
        for row in [
            DeliveryRow { attempt: 1, ..OPEN },
            DeliveryRow { made: 1, ..OPEN },
            DeliveryRow { attempt: 2, ..leased },
            DeliveryRow { made: 1, ..inline },
            DeliveryRow { made: 1, ..waiting },
            DeliveryRow { order_key: None, ..behind },
            DeliveryRow { attempt: 3, ..dead.clone() },
            keyed(dead),
        ] {
            assert!(!row.is_consistent(), "{row:?}");
        }
    }

    #[test]
    fn a_plan_reads_back_from_the_columns_that_it_writes() {
        let claimed = Plan::Leased { until: Timestamp(1), claimed: true };
        let ended = [Ending::Delivered, Ending::Dead, Ending::Cancelled].map(Plan::Ended);
        for plan in [OPEN.plan, LEASED, claimed, INLINE, Plan::Held, Plan::Behind].into_iter().chain(ended) {
            for made in [0, 3] {
                let columns = plan.columns(made);
                assert_eq!(columns.plan(), plan);
                assert!(columns.fit(made), "{columns:?}");
            }
        }
    }

    #[test]
    fn columns_that_no_plan_writes_are_known() {
        let (due, leased, dead) = (OPEN.plan.columns(0), LEASED.columns(0), DEAD.columns(1));
        for columns in [
            PlanColumns { next_at: None, ..due },
            PlanColumns { parked: 1, ..due },
            PlanColumns { claimed: true, ..due },
            PlanColumns { lease_until: Some(Timestamp(1)), ..due },
            PlanColumns { next_at: None, ..leased },
            PlanColumns { parked: 2, ..leased },
            PlanColumns { claimed: false, ..INLINE.columns(0) },
            PlanColumns { next_at: Some(Timestamp(1)), ..dead },
            PlanColumns { parked: 1, ..dead },
        ] {
            assert!(!columns.fit(0), "{columns:?}");
        }
        assert!(!due.fit(1), "what was attempted waits");
        assert!(
            PlanColumns { claimed: true, ..dead }.fit(1),
            "a call may be under way when its delivery ends"
        );
    }
}
