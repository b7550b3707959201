//! The invariants. The audit reads the tables itself and trusts nothing that the ledger keeps in memory.

use std::collections::{BTreeMap, BTreeSet};

use postern_core::delivery::{Attempt, Outcome, State, Trigger};
use postern_core::filter;
use postern_core::retry::{JITTER_PERCENT, SCHEDULE_S};
use postern_core::webhook::Definition;
use postern_ledger::{LedgerError, Row, Sql, Value, Work};

use crate::support::native::Native;

/// Lost attempts in a row that do not count (the ledger's rule, said again).
const LOST_REPEATS_MAX: usize = 3;

/// What is wrong, in words.
pub(crate) type Violation = String;

/// A call that reached its receiver.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) started_at_ms: i64,
    pub(crate) outcome: Outcome,
}

/// A delivery as it was after the last step that touched it.
#[derive(Clone, Debug)]
struct Known {
    event: i64,
    webhook: i64,
    state: State,
    attempt: u32,
    claimed: bool,
    attempts: Vec<Attempt>,
}

/// What is known from the steps so far.
#[derive(Default)]
pub(crate) struct Audit {
    deliveries: BTreeMap<i64, Known>,
    last_event: i64,
    /// Every call, by delivery and number.
    sent: BTreeMap<(i64, u32), Sent>,
    claimed: BTreeSet<(i64, u32)>,
    /// Before this instant the next attempt must not be leased.
    earliest_ms: BTreeMap<i64, i64>,
    /// Event ids with their idempotency keys, as they were acknowledged.
    accepted: BTreeMap<String, (String, u32)>,
    message_ids: BTreeMap<i64, String>,
    /// Situations that were reached: a simulation that never gets into trouble proves nothing.
    pub(crate) reached: BTreeSet<&'static str>,
    /// Deliveries that a person asks to be sent again in this step.
    pub(crate) resent: BTreeSet<i64>,
    /// Deliveries that a person ever asked to be cancelled.
    pub(crate) cancelled: BTreeSet<i64>,
}

/// Fails the step where `holds` is false.
pub(crate) fn expect(holds: bool, violation: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

fn query(store: &Native, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, Violation> {
    store.run(statement, parameters).map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn damaged(error: LedgerError) -> Violation {
    format!("a row does not read back: {error}")
}

impl Audit {
    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.sent.len()
    }

    /// Deliveries in a state that `wanted` accepts, with that state.
    pub(crate) fn deliveries(&self, wanted: impl Fn(State) -> bool) -> Vec<i64> {
        self.deliveries.iter().filter(|(_key, known)| wanted(known.state)).map(|(key, _known)| *key).collect()
    }

    /// Checks everything that a step may have changed.
    pub(crate) fn after_step(&mut self, store: &Native, now_ms: i64) -> Result<(), Violation> {
        self.check_new_events(store)?;
        for key in store.take_touched() {
            self.check_delivery(store, key, now_ms)?;
        }
        self.resent.clear();
        check_plans(store)
    }

    /// Each new event has a delivery for exactly the webhooks that want it.
    fn check_new_events(&mut self, store: &Native) -> Result<(), Violation> {
        let events =
            query(store, "SELECT seq, type, deliveries FROM event WHERE seq > ?1 ORDER BY seq", &[Value::Integer(self.last_event)])?;
        if events.is_empty() {
            return Ok(());
        }
        let webhooks = definitions(store)?;
        for event in &events {
            let (key, kind) = (event.integer(0).map_err(damaged)?, event.text(1).map_err(damaged)?);
            let wanted = webhooks.iter().filter(|(_key, webhook)| webhook.enabled && filter::matches(webhook, kind, None));
            let wanted: Vec<i64> = wanted.map(|(key, _webhook)| *key).collect();
            let rows = query(store, "SELECT webhook FROM delivery WHERE event = ?1 ORDER BY webhook", &[Value::Integer(key)])?;
            let found = rows.iter().map(|row| row.integer(0)).collect::<Result<Vec<_>, _>>().map_err(damaged)?;
            expect(found == wanted, || format!("event {key} is wanted by {wanted:?} and goes to {found:?}"))?;
            expect(event.integer(2).map_err(damaged)? == i64::try_from(wanted.len()).expect("few"), || {
                format!("event {key} miscounts its deliveries")
            })?;
            self.last_event = key;
        }
        Ok(())
    }

    fn check_delivery(&mut self, store: &Native, key: i64, now_ms: i64) -> Result<(), Violation> {
        let rows = query(
            store,
            "SELECT event, webhook, state, attempt, made, claimed, attempts, scheduled, parked, offers FROM delivery WHERE seq = ?1",
            &[Value::Integer(key)],
        )?;
        let before = self.deliveries.get(&key);
        let Some(row) = rows.first() else {
            // A transaction that was undone touched it, or it is gone.
            return expect(before.is_none(), || format!("delivery {key} is gone"));
        };
        let (now, made, scheduled) = read(row).map_err(damaged)?;
        let said = |what: &str| format!("delivery {key} ({now:?}, before: {before:?}) {what}");

        // Attempts are numbered 1..n, and only the one in flight may be missing.
        let numbered = now.attempts.iter().zip(1..).all(|(attempt, number)| attempt.number == number);
        expect(numbered && now.attempts.len() == made as usize, || said("has gaps in its attempts"))?;
        let in_flight = now.attempt - made;
        let fits = match now.state {
            State::Leased => in_flight == 1,
            State::Pending => now.attempt == 0,
            State::Waiting => in_flight == 0,
            State::Delivered | State::Dead | State::Cancelled => in_flight <= 1,
        };
        expect(fits, || said("has handed out a number too many or too few"))?;

        // What is on record stays; a lost attempt may give way to the truth.
        let kept = before.is_none_or(|before| {
            before.attempts.len() <= now.attempts.len()
                && before.attempts.iter().zip(&now.attempts).all(|(old, new)| old == new || old.outcome == Outcome::Lost)
        });
        expect(kept, || said("forgot an attempt"))?;
        for attempt in now.attempts.iter().filter(|attempt| attempt.outcome != Outcome::Lost) {
            let sent = self.sent.get(&(key, attempt.number));
            let is_true = sent.is_some_and(|sent| sent.started_at_ms == attempt.started_at.0 && sent.outcome == attempt.outcome);
            expect(is_true, || said(&format!("records attempt {} that was not made so: {sent:?}", attempt.number)))?;
        }

        let grew = before.map_or(0, |before| before.attempts.len()) < now.attempts.len();
        let told_truth = before.is_some_and(|before| before.attempts.iter().zip(&now.attempts).any(|(old, new)| old != new));
        if let Some(before) = before {
            expect(before.event == now.event && before.webhook == now.webhook, || said("changed what it is for"))?;
            let came_back = before.state.is_final() && before.state != now.state;
            let may_come_back = self.resent.contains(&key) || (told_truth && now.state == State::Delivered && before.state == State::Dead);
            expect(!came_back || may_come_back, || said("came back after its end"))?;
        }
        match now.state {
            State::Delivered => expect(now.attempts.iter().any(took_it), || said("was never taken by its receiver"))?,
            State::Dead if before.is_none_or(|before| before.state != State::Dead) => {
                let retries = definitions(store)?.get(&now.webhook).is_none_or(|webhook| webhook.retry);
                let last = now.attempts.last().map(|attempt| &attempt.outcome);
                let is_gone = matches!(last, Some(Outcome::Answered { status: 410 }));
                let is_exhausted = scheduled as usize >= SCHEDULE_S.len();
                expect(!now.attempts.is_empty() && (!retries || is_gone || is_exhausted), || said("was given up too early"))?;
            }
            State::Leased => {
                let newly = before.is_none_or(|before| before.state != State::Leased || before.attempt != now.attempt);
                // A number that is handed out in the step that accepts the event or loses an attempt is due at once.
                let is_due = grew || self.earliest_ms.get(&key).is_none_or(|earliest_ms| *earliest_ms <= now_ms);
                expect(!newly || is_due, || said("is leased before its time"))?;
            }
            State::Pending | State::Waiting | State::Dead | State::Cancelled => {}
        }

        let lost = now.attempts.iter().rev().take_while(|attempt| attempt.outcome == Outcome::Lost).count();
        let was = before.map(|before| before.state);
        for (is_reached, situation) in [
            (grew && lost > 0, "an attempt was lost"),
            (grew && lost > LOST_REPEATS_MAX, "attempts were lost in a row"),
            (told_truth, "the truth came late"),
            (told_truth && was == Some(State::Dead) && now.state == State::Delivered, "a late truth revived a delivery"),
            (grew && was.is_some_and(State::is_final), "an attempt was reported after the end"),
            (was.is_none() && now.claimed, "the inline lane was taken"),
            (now.state == State::Dead && was != Some(State::Dead), "a delivery was given up"),
            (now.state == State::Cancelled && now.claimed, "a delivery was cancelled in flight"),
            (self.resent.contains(&key), "a delivery was sent again"),
            (row.flag(8).map_err(damaged)?, "a delivery waited for its webhook"),
            (row.number(9).map_err(damaged)? > 1, "a ticket was offered again"),
        ] {
            if is_reached {
                self.reached.insert(situation);
            }
        }
        if self.resent.contains(&key) || before.is_none() {
            self.earliest_ms.insert(key, now_ms);
        } else if grew {
            self.earliest_ms.insert(key, earliest_ms(&now.attempts, scheduled, now_ms));
        }
        self.deliveries.insert(key, now);
        Ok(())
    }

    /// A dispatcher was given this attempt.
    pub(crate) fn claim(&mut self, work: &Work) -> Result<(), Violation> {
        let key = work.delivery.0;
        expect(self.claimed.insert((key, work.attempt)), || format!("attempt {} of {key} was given out twice", work.attempt))?;
        let fits = self.deliveries.get(&key).is_some_and(|known| {
            known.state == State::Leased && known.claimed && known.attempt == work.attempt && known.webhook == work.webhook.0
        });
        expect(fits, || format!("attempt {} of {key} was given out and is not to be made", work.attempt))?;
        let message_id = self.message_ids.entry(key).or_insert_with(|| work.message_id.clone());
        expect(*message_id == work.message_id, || format!("{key} has the webhook-ids {message_id} and {}", work.message_id))
    }

    /// A call reached its receiver.
    pub(crate) fn send(&mut self, work: &Work, sent: Sent) -> Result<(), Violation> {
        let again = self.sent.insert((work.delivery.0, work.attempt), sent);
        expect(again.is_none(), || format!("attempt {} of {} was sent twice", work.attempt, work.delivery.0))
    }

    /// The ledger acknowledged a report: the truth is on record now.
    pub(crate) fn reported(&self, key: i64, number: u32) -> Result<(), Violation> {
        let recorded = self.deliveries.get(&key).and_then(|known| known.attempts.get(number as usize - 1));
        let is_on_record = recorded.is_some_and(|attempt| attempt.outcome != Outcome::Lost);
        expect(is_on_record, || format!("the report of attempt {number} of {key} is not on record: {recorded:?}"))
    }

    /// An event was acknowledged under `idempotency_key`.
    pub(crate) fn accept(&mut self, idempotency_key: &str, id: &str, deliveries: u32, is_duplicate: bool) -> Result<(), Violation> {
        let acknowledged = (String::from(id), deliveries);
        let Some(first) = self.accepted.get(idempotency_key) else {
            self.accepted.insert(String::from(idempotency_key), acknowledged);
            return Ok(());
        };
        self.reached.insert("an event was posted again");
        expect(is_duplicate && *first == acknowledged, || {
            format!("{idempotency_key} was accepted as {first:?} and then as {acknowledged:?}")
        })
    }

    /// After the faults have ended and everything has settled: what was accepted has ended, and for a reason.
    pub(crate) fn at_the_end(&self, store: &Native) -> Result<(), Violation> {
        let webhooks = definitions(store)?;
        for (key, known) in &self.deliveries {
            expect(known.state.is_final(), || format!("delivery {key} never ended: {known:?}"))?;
            if known.state == State::Cancelled {
                let is_meant = self.cancelled.contains(key) || !webhooks.contains_key(&known.webhook);
                expect(is_meant, || format!("delivery {key} was cancelled by nobody: {known:?}"))?;
            }
            if known.state == State::Dead {
                // A person may send again what was taken; then the latest round counts.
                let taken = known.attempts.iter().rposition(took_it);
                let sent_again = known.attempts.iter().rposition(|attempt| attempt.trigger == Trigger::Resend);
                expect(taken.is_none() || taken < sent_again, || format!("delivery {key} is dead although it was taken: {known:?}"))?;
            }
        }
        for (key, (id, deliveries)) in &self.accepted {
            let rows = query(
                store,
                "SELECT count(*) FROM delivery WHERE event = (SELECT seq FROM event WHERE idempotency_key = ?1)",
                &[Value::from(key.as_str())],
            )?;
            let found = rows.first().ok_or("a count has no row")?.number(0).map_err(damaged)?;
            expect(found == *deliveries, || format!("{id} was accepted with {deliveries} deliveries and has {found}"))?;
        }
        let pending = query(store, "SELECT count(*) FROM test WHERE status = 'pending' OR next_at_ms IS NOT NULL", &[])?;
        expect(pending.first().is_some_and(|row| row.integer(0) == Ok(0)), || String::from("a test never ended"))
    }
}

/// Every stored definition.
pub(crate) fn definitions(store: &Native) -> Result<BTreeMap<i64, Definition>, Violation> {
    let rows = query(store, "SELECT seq, definition FROM webhook", &[])?;
    rows.iter()
        .map(|row| {
            let definition = serde_json::from_str(row.text(1).map_err(damaged)?).map_err(|error| error.to_string())?;
            Ok((row.integer(0).map_err(damaged)?, definition))
        })
        .collect()
}

/// The earliest instant at which something open is planned; `None` where nothing is open.
pub(crate) fn earliest_plan(store: &Native) -> Result<Option<i64>, Violation> {
    let rows = query(
        store,
        "SELECT min(next_at_ms) FROM (
            SELECT next_at_ms FROM delivery WHERE state IN ('pending', 'leased', 'waiting') AND parked = 0
            UNION ALL SELECT next_at_ms FROM test WHERE status = 'pending'
            UNION ALL SELECT next_at_ms FROM outbox)",
        &[],
    )?;
    rows.first().ok_or("a minimum has no row")?.integer_or_none(0).map_err(damaged)
}

/// The earliest instant at which a delivery is planned.
pub(crate) fn earliest_delivery(store: &Native) -> Result<Option<i64>, Violation> {
    let rows = query(store, "SELECT min(next_at_ms) FROM delivery", &[])?;
    rows.first().ok_or("a minimum has no row")?.integer_or_none(0).map_err(damaged)
}

/// Everything open has a plan, or waits for its webhook to be enabled.
fn check_plans(store: &Native) -> Result<(), Violation> {
    let rows = query(
        store,
        "SELECT seq FROM delivery WHERE state IN ('pending', 'leased', 'waiting') AND CASE WHEN parked
            THEN state = 'leased' OR next_at_ms IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM webhook WHERE webhook.seq = delivery.webhook AND json_extract(definition, '$.enabled') = 0)
            ELSE next_at_ms IS NULL END
         UNION ALL
         SELECT seq FROM delivery WHERE state NOT IN ('pending', 'leased', 'waiting') AND (parked OR next_at_ms IS NOT NULL)",
        &[],
    )?;
    expect(rows.is_empty(), || format!("deliveries without a plan, or with one after their end: {rows:?}"))
}

fn read(row: &Row) -> Result<(Known, u32, u32), LedgerError> {
    let attempts = row.text(6)?.lines().map(|line| serde_json::from_str(line).expect("an attempt reads back")).collect();
    let known = Known {
        event: row.integer(0)?,
        webhook: row.integer(1)?,
        state: State::parse(row.text(2)?).expect("a state reads back"),
        attempt: row.number(3)?,
        claimed: row.flag(5)?,
        attempts,
    };
    Ok((known, row.number(4)?, row.number(7)?))
}

const fn took_it(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Answered { status: 200..=299 })
}

/// Before this instant nothing may follow the attempts, the last of which was recorded at `now_ms`.
fn earliest_ms(attempts: &[Attempt], scheduled: u32, now_ms: i64) -> i64 {
    let Some(last) = attempts.last() else { return now_ms };
    let lost = attempts.iter().rev().take_while(|attempt| attempt.outcome == Outcome::Lost).count();
    if (1..=LOST_REPEATS_MAX).contains(&lost) || (last.trigger == Trigger::Resend && scheduled == 0) {
        return now_ms;
    }
    let wait_s = SCHEDULE_S.get(scheduled as usize).copied().unwrap_or(0);
    let shortest_ms = i64::from(wait_s) * i64::from(100 - JITTER_PERCENT) * 10;
    let asked = last.response.iter().flat_map(|response| &response.headers).find(|(name, _value)| name == "Retry-After");
    let asked_ms = asked.map_or(0, |(_name, value)| value.parse::<i64>().expect("seconds") * 1_000);
    now_ms + shortest_ms.max(asked_ms)
}
