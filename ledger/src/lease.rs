//! Leasing what is due, and claiming what was leased.
//!
//! A lease reserves an attempt's number for whoever claims it first. Two steps, because a ticket may be lost, late or
//! doubled on its way through a queue: a lease that nobody claimed was certainly not sent and costs nothing; one that
//! was claimed may have been sent, so its number is used up and recorded as lost.

use std::collections::BTreeSet;

use postern_core::delivery::{Attempt, Decision, Outcome, State, Trigger, decide};
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::ingest::{data_of, object_of};
use crate::project::Ledger;
use crate::report::{self, Recorded};
use crate::sql::{Row, Sql, Value, atomically, key_set};
use crate::webhooks::{state_of, to_json};
use crate::work::{LEASE_SLACK_MS, Lane, LeaseTicket, Work, WorkEvent, WorkSet};

/// Lost attempts in a row that are repeated at once and not counted by the schedule: it was our dispatcher that broke,
/// not the receiver. More of them look like a delivery that breaks the dispatcher, and follow the schedule.
pub(crate) const LOST_REPEATS_MAX: usize = 3;
/// Milliseconds beyond the timeout that a claimer needs at least; where less of the lease is left, it is renewed.
const CLAIM_SLACK_MS: i64 = LEASE_SLACK_MS / 2;

/// What [`Ledger::lease_due`] handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leased {
    /// To be sent to the queue of their lane.
    pub tickets: Vec<LeaseTicket>,
    /// Deliveries that changed, those of `tickets` among them.
    pub changed: Vec<Seq>,
}

/// A delivery's row without its record of attempts.
#[derive(Clone, Copy, Debug)]
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
}

impl DeliveryRow {
    /// The columns that [`DeliveryRow::read`] wants, in its order.
    pub(crate) const COLUMNS: &str =
        "seq, event, webhook, state, attempt, made, scheduled, offers, claimed, resend, next_at_ms, updated_at_ms";

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
        })
    }

    pub(crate) const fn trigger(&self) -> Trigger {
        if self.resend { Trigger::Resend } else { Trigger::Schedule }
    }

    /// The state of an open delivery that nobody holds.
    pub(crate) const fn resting_state(&self) -> State {
        if self.made == 0 { State::Pending } else { State::Waiting }
    }
}

/// What is to be done with a due delivery.
enum Step {
    /// Offer this number.
    Offer { attempt: u32, offers: u32, lease_until: Timestamp },
    /// Put it aside until its webhook is enabled.
    Park { state: State, attempt: u32 },
}

impl<S: Sql> Ledger<S> {
    /// Leases up to `limit` deliveries that are due, the longest due first, and ends the leases that nobody reported.
    /// Deliveries of disabled webhooks are put aside. Call it again while [`Ledger::next_wake`] is not in the future.
    ///
    /// # Errors
    /// The database fails.
    pub fn lease_due(&mut self, now: Timestamp, limit: u32) -> Result<Leased, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {} FROM delivery WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2", DeliveryRow::COLUMNS),
            &[Value::from(now), Value::from(limit)],
        )?;
        if rows.is_empty() {
            return Ok(Leased::default());
        }
        let due = rows.iter().map(DeliveryRow::read).collect::<Result<Vec<_>, _>>()?;
        let roster = &self.roster;
        let (leased, lost) = atomically(&self.sql, |sql| {
            let mut leased = Leased::default();
            let mut lost = BTreeSet::new();
            let mut offers = Vec::new();
            let mut parked = Vec::new();
            let mut orphans = Vec::new();
            for row in due {
                leased.changed.push(row.seq);
                let Some(member) = roster.get(row.webhook) else {
                    // Never written so; but one damaged row must not hold up all the others for ever.
                    orphans.push(row.seq);
                    continue;
                };
                let step = if row.state != State::Leased {
                    Some(plan(&row, member, row.attempt + 1, 1, now))
                } else if row.claimed {
                    lost.insert(row.webhook);
                    end_lost(sql, &row, member, now)?
                } else {
                    Some(plan(&row, member, row.attempt, row.offers + 1, now))
                };
                match step {
                    None => {}
                    Some(Step::Offer { attempt, offers: times, lease_until }) => {
                        offers.push((row.seq.0, attempt, times, lease_until.0));
                        let lane = if attempt == 1 { Lane::First } else { Lane::Retry };
                        leased.tickets.push(LeaseTicket { delivery: row.seq, attempt, webhook: row.webhook, lane });
                    }
                    Some(Step::Park { state, attempt }) => parked.push((row.seq.0, state.as_str(), attempt)),
                }
            }
            if !offers.is_empty() {
                sql.run(
                    "UPDATE delivery SET state = 'leased', attempt = j.value ->> 1, offers = j.value ->> 2, claimed = 0,
                        next_at_ms = j.value ->> 3, updated_at_ms = ?2
                     FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
                    &[Value::Text(to_json(&offers)?), Value::from(now)],
                )?;
            }
            if !parked.is_empty() {
                sql.run(
                    "UPDATE delivery SET state = j.value ->> 1, attempt = j.value ->> 2, parked = 1, next_at_ms = NULL, updated_at_ms = ?2
                     FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
                    &[Value::Text(to_json(&parked)?), Value::from(now)],
                )?;
            }
            if !orphans.is_empty() {
                sql.run(
                    "UPDATE delivery SET state = 'cancelled', attempt = made, next_at_ms = NULL, updated_at_ms = ?2
                     WHERE seq IN (SELECT value FROM json_each(?1))",
                    &[Value::Text(key_set(orphans)), Value::from(now)],
                )?;
            }
            Ok((leased, lost))
        })?;
        for webhook in lost {
            self.roster.note(webhook, false);
        }
        Ok(leased)
    }

    /// Takes the attempts of `tickets` that may be made now. Each can be taken once: a doubled or outdated ticket, or
    /// one of a delivery that has ended or whose webhook is disabled, yields nothing and can be forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub fn claim(&mut self, tickets: &[LeaseTicket], now: Timestamp) -> Result<WorkSet, LedgerError> {
        let wanted: Vec<(i64, u32)> = tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)).collect();
        let rows = self.sql.run(
            &format!(
                "SELECT DISTINCT {} FROM json_each(?1) AS j CROSS JOIN delivery
                 WHERE seq = j.value ->> 0 AND state = 'leased' AND attempt = j.value ->> 1 AND claimed = 0",
                DeliveryRow::COLUMNS
            ),
            &[Value::Text(to_json(&wanted)?)],
        )?;
        let mut works = Vec::with_capacity(rows.len());
        let mut kept = Vec::new();
        let mut renewed = Vec::new();
        for row in &rows {
            let row = DeliveryRow::read(row)?;
            let Some(member) = self.roster.get(row.webhook).filter(|member| member.enabled()) else { continue };
            let lease_until = row.next_at.ok_or(LedgerError::Corrupt { what: "a lease has no end" })?;
            let lease_until = if lease_until.ms_since(now) < member.timeout_ms() + CLAIM_SLACK_MS {
                let lease_until = now.plus_ms(member.lease_ms(1));
                renewed.push((row.seq.0, lease_until.0));
                lease_until
            } else {
                kept.push(row.seq);
                lease_until
            };
            works.push(Work {
                delivery: row.seq,
                attempt: row.attempt,
                trigger: row.trigger(),
                message_id: self.ids.id(Kind::Message, row.seq),
                event: row.event,
                webhook: row.webhook,
                webhook_id: self.ids.id(Kind::Webhook, row.webhook),
                webhook_version: member.version,
                timeout_s: member.timeout_s(),
                lease_until,
            });
        }
        if works.is_empty() {
            return Ok(WorkSet::default());
        }
        let events = self.work_events(works.iter().map(|work| work.event).collect())?;
        atomically(&self.sql, |sql| {
            // Apart, because setting `next_at_ms` writes its index even where the value stays.
            if !kept.is_empty() {
                sql.run(
                    "UPDATE delivery SET claimed = 1, updated_at_ms = ?2 WHERE seq IN (SELECT value FROM json_each(?1))",
                    &[Value::Text(key_set(kept)), Value::from(now)],
                )?;
            }
            if !renewed.is_empty() {
                sql.run(
                    "UPDATE delivery SET claimed = 1, next_at_ms = j.value ->> 1, updated_at_ms = ?2
                     FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
                    &[Value::Text(to_json(&renewed)?), Value::from(now)],
                )?;
            }
            Ok(())
        })?;
        Ok(WorkSet { events, works })
    }

    /// The events with these keys.
    fn work_events(&self, keys: BTreeSet<Seq>) -> Result<Vec<WorkEvent>, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, type, object, accepted_at_ms, data FROM event WHERE seq IN (SELECT value FROM json_each(?1))",
            &[Value::Text(key_set(keys))],
        )?;
        rows.iter()
            .map(|row| {
                let seq = row.seq(0)?;
                Ok(WorkEvent {
                    seq,
                    id: self.ids.id(Kind::Event, seq),
                    kind: String::from(row.text(1)?),
                    object: object_of(row.text_or_none(2)?)?,
                    accepted_at: row.timestamp(3)?,
                    data: data_of(row.text(4)?)?,
                })
            })
            .collect()
    }
}

/// Offers `attempt`, or puts the delivery aside where its webhook is disabled.
fn plan(row: &DeliveryRow, member: &crate::roster::Member, attempt: u32, offers: u32, now: Timestamp) -> Step {
    if member.enabled() {
        return Step::Offer { attempt, offers, lease_until: now.plus_ms(member.lease_ms(offers)) };
    }
    Step::Park { state: row.resting_state(), attempt: attempt - 1 }
}

/// Records that a claimed attempt was never reported, and says what follows where it is to be repeated now.
fn end_lost<S: Sql>(sql: &S, row: &DeliveryRow, member: &crate::roster::Member, now: Timestamp) -> Result<Option<Step>, LedgerError> {
    let lost_before = report::attempts_of(sql, row.seq)?.iter().rev().take_while(|attempt| attempt.outcome == Outcome::Lost).count();
    let record = lost_attempt(row, now);
    let mut recorded = DeliveryRow { made: row.attempt, ..*row };
    if lost_before < LOST_REPEATS_MAX {
        report::record(
            sql,
            row,
            &record,
            Recorded { state: recorded.resting_state(), next_at: Some(now), resend: row.resend, scheduled: row.scheduled },
            now,
        )?;
        return Ok(Some(plan(&recorded, member, row.attempt + 1, 1, now)));
    }
    recorded.scheduled += u32::from(!row.resend);
    let (state, next_at) = match decide(member.standing(row.seq, recorded.scheduled), &Outcome::Lost, None, now) {
        Decision::Wait { next_at } => (State::Waiting, Some(next_at)),
        Decision::Delivered | Decision::Dead | Decision::DisableWebhook => (State::Dead, None),
    };
    report::record(sql, row, &record, Recorded { state, next_at, resend: false, scheduled: recorded.scheduled }, now)?;
    Ok(None)
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
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::retry::SCHEDULE_S;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{START, attempt_due, create, lease, ledger, post, webhook};

    const LEASE_MS: i64 = 40_000;

    fn state(ledger: &Ledger<impl Sql>, delivery: Seq) -> (State, u32, Option<Timestamp>) {
        let view = ledger.delivery_views(&[delivery]).unwrap().remove(0);
        (view.state, view.attempts, view.next_at)
    }

    #[test]
    fn the_longest_due_is_leased_first_and_only_once() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let (first, second) = (post(&mut ledger, "a")[0], post(&mut ledger, "b")[0]);
        let one = ledger.lease_due(START, 1).unwrap();
        assert_eq!(one.tickets.iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(), [first]);
        assert_eq!(one.changed, [first]);
        assert_eq!(lease(&mut ledger, START)[0].delivery, second);
        assert!(lease(&mut ledger, START).is_empty());
        assert_eq!(state(&ledger, first), (State::Leased, 0, Some(START.plus_ms(LEASE_MS))));
    }

    #[test]
    fn the_lane_is_that_of_the_attempts_number() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post(&mut ledger, "a");
        let tickets = lease(&mut ledger, START);
        assert_eq!((tickets[0].lane, tickets[0].attempt), (Lane::First, 1));
        ledger.claim(&tickets, START).unwrap();
        let tickets = lease(&mut ledger, START.plus_ms(LEASE_MS));
        assert_eq!((tickets[0].lane, tickets[0].attempt), (Lane::Retry, 2));
    }

    #[test]
    fn a_ticket_is_claimed_once_however_often_it_arrives() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post(&mut ledger, "a");
        let tickets = lease(&mut ledger, START);
        let doubled = [tickets[0], tickets[0]];
        let works = ledger.claim(&doubled, START).unwrap();
        assert_eq!((works.works.len(), works.events.len()), (1, 1));
        assert!(ledger.claim(&tickets, START).unwrap().works.is_empty());
        let wrong = LeaseTicket { attempt: 2, ..tickets[0] };
        assert!(ledger.claim(&[wrong], START).unwrap().works.is_empty());
        assert!(ledger.claim(&[], START).unwrap().works.is_empty());
    }

    #[test]
    fn a_late_claim_renews_the_lease_so_that_the_call_has_its_time() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post(&mut ledger, "a");
        post(&mut ledger, "b");
        let tickets = lease(&mut ledger, START);
        let early = ledger.claim(&tickets[..1], START.plus_ms(15_000)).unwrap();
        assert_eq!(early.works[0].lease_until, START.plus_ms(LEASE_MS));
        let late = ledger.claim(&tickets[1..], START.plus_ms(15_001)).unwrap();
        assert_eq!(late.works[0].lease_until, START.plus_ms(15_001 + LEASE_MS));
        assert_eq!(lease(&mut ledger, START.plus_ms(LEASE_MS)).len(), 1);
    }

    #[test]
    fn a_lease_that_nobody_claimed_offers_the_same_number_again_and_records_nothing() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        lease(&mut ledger, START);
        let again = START.plus_ms(LEASE_MS);
        let tickets = lease(&mut ledger, again);
        assert_eq!(tickets[0].attempt, 1);
        assert_eq!(state(&ledger, delivery), (State::Leased, 0, Some(again.plus_ms(2 * LEASE_MS))));
        assert_eq!(ledger.claim(&tickets, again).unwrap().works.len(), 1);
    }

    #[test]
    fn a_claimed_lease_that_ends_is_recorded_as_lost_and_repeated_at_once_even_without_retry() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        let delivery = post(&mut ledger, "a")[0];
        let tickets = lease(&mut ledger, START);
        ledger.claim(&tickets, START).unwrap();
        let tickets = lease(&mut ledger, START.plus_ms(LEASE_MS));
        assert_eq!(tickets[0].attempt, 2);
        let view = &ledger.delivery_views(&[delivery]).unwrap()[0];
        assert_eq!((view.attempts, view.last_result.as_deref()), (1, Some("not reported")));
    }

    #[test]
    fn what_is_lost_again_and_again_follows_the_schedule() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        let mut now = START;
        for attempt in 1..=4 {
            let tickets = lease(&mut ledger, now);
            assert_eq!(tickets[0].attempt, attempt);
            ledger.claim(&tickets, now).unwrap();
            now = now.plus_ms(LEASE_MS);
        }
        assert!(lease(&mut ledger, now).is_empty());
        let (state, attempts, next_at) = state(&ledger, delivery);
        assert_eq!((state, attempts), (State::Waiting, 4));
        assert!(next_at.unwrap() >= now.plus_ms(i64::from(SCHEDULE_S[1]) * 800));
    }

    #[test]
    fn deliveries_of_a_disabled_webhook_wait_for_it_and_keep_their_number() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let offered = post(&mut ledger, "a")[0];
        let tickets = lease(&mut ledger, START);
        let pending = post(&mut ledger, "b")[0];
        ledger.update_webhook("w", Definition { enabled: false, ..webhook("w", "*") }, None, START).unwrap();
        assert!(ledger.claim(&tickets, START).unwrap().works.is_empty());
        let now = START.plus_ms(LEASE_MS);
        assert!(lease(&mut ledger, now).is_empty());
        for delivery in [offered, pending] {
            assert_eq!(state(&ledger, delivery), (State::Pending, 0, None));
        }
        assert_eq!(ledger.detail().unwrap().counts.open, 2);
        ledger.update_webhook("w", webhook("w", "*"), None, now).unwrap();
        let tickets = lease(&mut ledger, now);
        assert_eq!(tickets.iter().map(|ticket| ticket.attempt).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(ledger.claim(&tickets, now).unwrap().works.len(), 2);
    }

    #[test]
    fn a_damaged_row_does_not_hold_up_the_others() {
        let mut damaged = ledger();
        create(&mut damaged, webhook("gone", "a"));
        create(&mut damaged, webhook("w", "b"));
        let (orphan, other) = (post(&mut damaged, "a")[0], post(&mut damaged, "b")[0]);
        damaged.sql.run("DELETE FROM webhook WHERE name = 'gone'", &[]).unwrap();
        let mut damaged = Ledger::open(Rc::clone(&damaged.sql)).unwrap().unwrap();
        assert_eq!(lease(&mut damaged, START).iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(), [other]);
        assert_eq!(state(&damaged, orphan), (State::Cancelled, 0, None));
    }

    #[test]
    fn nothing_is_leased_before_it_is_due() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        let due = state(&ledger, delivery).2.unwrap();
        assert!(due.ms_since(START) >= 4_000);
        assert!(lease(&mut ledger, due.plus_ms(-1)).is_empty());
        assert_eq!(lease(&mut ledger, due).len(), 1);
    }
}
