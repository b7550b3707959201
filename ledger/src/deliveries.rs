//! Deliveries as people see them: one in full, resend, cancel. Lists of them are in `search`.

use postern_core::api::delivery::{AttemptView, DeliveryDetail, DeliveryView};
use postern_core::contract::{Source, render};
use postern_core::delivery::Attempt;
use postern_core::explain;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::Contract;

use crate::error::{LedgerError, damaged};
use crate::memory::gate::Effects;
use crate::project::Ledger;
use crate::report::release_next;
use crate::row::delivery::{self, DeliveryRow, Line, Order, Recorded, Resend, attempts_of, lost_attempt};
use crate::row::health::write_health;
use crate::row::keys::read_created;
use crate::row::stat::{count_attempts, stat_note};
use crate::row::text::state_of;
use crate::sql::{Row, Sql, Value, atomically, first, key_set};

/// Attempts of a delivery at most, resends included: the record of them must fit its row.
pub(crate) const ATTEMPTS_MAX: u32 = 1_000;
/// What [`Ledger::delivery_view_of`] reads, from `delivery AS d` and `event AS e`.
pub(crate) const VIEW_COLUMNS: &str =
    "d.seq, d.event, e.type, d.webhook, d.state, d.made, coalesce(d.next_at_ms, d.lease_until_ms),
    d.last_status, d.last_result, d.last_duration_ms, d.seq, d.late, e.accepted_at_ms, d.updated_at_ms";

impl<S: Sql> Ledger<S> {
    pub(crate) fn delivery_view_of(&self, row: &Row) -> Result<DeliveryView, LedgerError> {
        let (seq, webhook) = (row.seq(0)?, row.seq(3)?);
        let status = row.number_or_none(7)?.map(u16::try_from).transpose();
        Ok(DeliveryView {
            id: self.ids.id(Kind::Delivery, seq),
            event_id: self.ids.id(Kind::Event, row.seq(1)?),
            kind: String::from(row.text(2)?),
            webhook_id: self.ids.id(Kind::Webhook, webhook),
            webhook: self.roster.get(webhook).map(|member| String::from(member.name())),
            message_id: self.ids.id(Kind::Message, seq),
            state: state_of(row.text(4)?)?,
            attempts: row.number(5)?,
            next_at: row.timestamp_or_none(6)?,
            last_status: status
                .map_err(|_too_big| LedgerError::Corrupt { what: "a status is not an HTTP status" })?,
            last_result: row.text_or_none(8)?.map(String::from),
            last_duration_ms: row.number_or_none(9)?,
            created_at: read_created(row, 10)?.1,
            updated_at: row.timestamp(13)?,
        })
    }

    /// These deliveries as they are now, in the order of their keys; unknown ones are left out. For the live
    /// feed.
    ///
    /// # Errors
    /// The database fails.
    pub fn delivery_views(&self, deliveries: &[Seq]) -> Result<Vec<DeliveryView>, LedgerError> {
        let rows = self.sql.run(
            &format!(
                "SELECT {VIEW_COLUMNS} FROM delivery AS d CROSS JOIN event AS e ON e.seq = d.event
                 WHERE d.seq IN (SELECT value FROM json_each(?1)) ORDER BY d.seq"
            ),
            &[Value::Text(key_set(deliveries.iter().copied()))],
        )?;
        rows.iter().map(|row| self.delivery_view_of(row)).collect()
    }

    fn delivery_view(&self, seq: Seq) -> Result<DeliveryView, LedgerError> {
        self.delivery_views(&[seq])?.pop().ok_or(LedgerError::NotFound { what: "delivery" })
    }

    /// A delivery with every attempt, what was sent and received, and its event.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn delivery(&self, id: &str) -> Result<DeliveryDetail, LedgerError> {
        let seq = self.seq_of(Kind::Delivery, id, "delivery")?;
        let delivery = self.delivery_view(seq)?;
        let event = self.event(&delivery.event_id)?;
        let attempts = attempts_of(&self.sql, seq)?;
        let webhook = self.seq_of(Kind::Webhook, &delivery.webhook_id, "webhook")?;
        let member = self.roster.get(webhook);
        // Of a webhook that asks for a second 410 only what is on record has disabled it.
        let confirms = member.is_some_and(crate::memory::roster::Member::confirms_gone);
        let disabling = if confirms { disabling_of(&self.sql, seq)? } else { Vec::new() };
        let told = |reason: explain::Reason, number: u32| {
            if confirms && !disabling.contains(&number) {
                reason.where_gone_is_not_confirmed()
            } else {
                reason
            }
        };
        let latest = attempts.last().map_or(0, |attempt| attempt.number);
        let contract = member.map(crate::memory::roster::Member::contract);
        let contract = contract.or_else(|| contract_of(&attempts)).unwrap_or(Contract::Standard);
        let hold = if delivery.state.is_final() { None } else { self.hold_of(seq, webhook)? };
        let reason = match &hold {
            Some(hold) => explain::held(contract, delivery.state, &attempts, hold),
            None => explain::delivery(contract, delivery.state, &attempts),
        };
        let data = event.data.as_ref().ok_or(LedgerError::Corrupt { what: "an event has no data" })?;
        let source =
            Source { kind: &event.kind, accepted_at: event.accepted_at, data, object: event.object.as_ref() };
        let attempts = attempts.into_iter().map(|attempt| {
            let view = attempt_view(contract, attempt, &source);
            AttemptView { reason: told(view.reason, view.attempt.number), ..view }
        });
        Ok(DeliveryDetail { delivery, reason: told(reason, latest), attempts: attempts.collect(), event })
    }

    fn delivery_row(&self, seq: Seq) -> Result<DeliveryRow, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {} FROM delivery WHERE seq = ?1", DeliveryRow::COLUMNS),
            &[Value::from(seq)],
        )?;
        DeliveryRow::read(&first(rows).ok_or(LedgerError::NotFound { what: "delivery" })?)
    }

    /// Makes a delivery due now, whatever came of it so far. One that is open gets an attempt that its
    /// schedule does not count; one that has ended starts its schedule anew. The pause of a webhook that is
    /// throttled or failing ends: somebody who asks for a call has reason to think that it will be taken. It
    /// still waits for a webhook that is paused by a person, is at a limit or is being called as a probe,
    /// and, where the webhook keeps order, for another delivery of its order key that is older or under way.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] while an attempt is being made, where the
    /// webhook is disabled or deleted, and after 1,000 attempts; [`LedgerError::Quota`] where it has ended
    /// and as many are open as may be; the database fails.
    pub fn resend(&mut self, id: &str, now: Timestamp) -> Result<DeliveryView, LedgerError> {
        let seq = self.seq_of(Kind::Delivery, id, "delivery")?;
        let row = self.delivery_row(seq)?;
        let conflict = |why| Err(LedgerError::StateConflict { why });
        let is_ordered = match self.roster.get(row.webhook) {
            None => return conflict("its webhook was deleted"),
            Some(member) if !member.enabled() => return conflict("its webhook is disabled: enable it first"),
            Some(member) => member.ordered(),
        };
        if row.plan.is_leased() {
            return conflict("an attempt is being made right now");
        }
        if row.attempt >= ATTEMPTS_MAX {
            return conflict("1,000 attempts were made: post the event again instead");
        }
        let is_reopened = row.plan.is_final();
        if is_reopened {
            self.admit_open(1, now)?;
        }
        let scheduled = if is_reopened { 0 } else { row.scheduled };
        let health = self.gates.health(row.webhook);
        let asked = health.asked_for(now);
        atomically(&self.sql, |sql| {
            if asked != health {
                write_health(sql, row.webhook, &asked)?;
            }
            if row.attempt > row.made {
                record_unreported(sql, &row, scheduled, now)?;
            }
            let is_back_in_order = is_reopened && is_ordered;
            let order = if is_back_in_order { Order::Restored } else { Order::Kept };
            let resend = Resend { delivery: seq, made: row.attempt, scheduled, order, line: Line::Live };
            delivery::make_due(sql, &[resend], now)
        })?;
        if asked != health {
            self.gates.set_health(row.webhook, asked);
        }
        self.meters.note_open(usize::from(is_reopened));
        self.delivery_view(seq)
    }

    /// Stops a delivery that is open. An attempt that is being made right now may still arrive, and is
    /// recorded; until then, or until its lease ends, it counts as one of its webhook's calls at once. The
    /// next with its order key is due.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where it has ended; the database fails.
    pub fn cancel(&mut self, id: &str, now: Timestamp) -> Result<DeliveryView, LedgerError> {
        let seq = self.seq_of(Kind::Delivery, id, "delivery")?;
        let row = self.delivery_row(seq)?;
        if row.plan.is_final() {
            return Err(LedgerError::StateConflict { why: "it has ended already" });
        }
        let effects = atomically(&self.sql, |sql| {
            let mut effects = Effects::default();
            delivery::cancel(sql, &row, now)?;
            effects.end_beside_call(&row);
            release_next(sql, &mut effects, &row, now)?;
            Ok(effects)
        })?;
        self.apply(effects, now);
        self.delivery_view(seq)
    }
}

/// Records the attempt of a delivery that was cancelled while it was being made, and not reported: its
/// number is not reused. Inside the caller's transaction.
pub(crate) fn record_unreported<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    scheduled: u32,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let recorded = Recorded { plan: row.plan, resend: row.resend, scheduled };
    let lost = lost_attempt(row, now);
    delivery::record(sql, row, &lost, recorded, now)?;
    count_attempts(sql, &[stat_note(row, &lost, now)])
}

/// The numbers of the attempts of a delivery that disabled its webhook.
fn disabling_of<S: Sql>(sql: &S, delivery: Seq) -> Result<Vec<u32>, LedgerError> {
    let rows = sql.run("SELECT disabling FROM delivery WHERE seq = ?1", &[Value::from(delivery)])?;
    let text =
        first(rows).map(|row| row.text_or_none(0).map(|text| text.map(String::from))).transpose()?.flatten();
    let read = |text: String| {
        serde_json::from_str(&text).map_err(damaged("the attempts that disabled a webhook can't be read"))
    };
    Ok(text.map(read).transpose()?.unwrap_or_default())
}

/// The contract under which the latest rendered attempt was made.
fn contract_of(attempts: &[Attempt]) -> Option<Contract> {
    attempts
        .iter()
        .rev()
        .find_map(|attempt| attempt.request.as_ref())
        .map(|request| request.rendering.contract)
}

/// An attempt with its reason and the exact body, rendered again.
pub(crate) fn attempt_view(contract: Contract, attempt: Attempt, source: &Source<'_>) -> AttemptView {
    AttemptView {
        reason: explain::attempt(contract, &attempt),
        request_body: attempt.request.as_ref().map(|request| render(&request.rendering, source)),
        attempt,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::contract::Rendering;
    use postern_core::delivery::{Outcome, SentRequest, State, Trigger};
    use postern_core::replay::ReplayQuery;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{
        START, attempt, attempt_due, create, in_order, lease, ledger, post, webhook,
    };
    use crate::support::native::Native;
    use crate::{GivenBack, InlineLimit, Report, Why};

    const OK: Outcome = Outcome::Answered { status: 200 };
    const FAILED: Outcome = Outcome::Answered { status: 503 };

    fn id(ledger: &Ledger<impl Sql>, delivery: Seq) -> String {
        ledger.ids().id(Kind::Delivery, delivery)
    }

    #[track_caller]
    fn conflict<T: std::fmt::Debug>(result: Result<T, LedgerError>, part: &str) {
        match result {
            Err(LedgerError::StateConflict { why }) => assert!(why.contains(part), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_older_delivery_that_is_sent_again_waits_for_a_younger_one_of_its_key_that_is_under_way() {
        type Ask<'a> = &'a dyn Fn(&mut Ledger<Rc<Native>>, Seq);

        let by_hand = |ledger: &mut Ledger<Rc<Native>>, head: Seq| {
            let head = id(ledger, head);
            ledger.resend(&head, START).unwrap();
        };
        let by_replay = |ledger: &mut Ledger<Rc<Native>>, _head: Seq| {
            let (states, types) = (vec![State::Delivered], Vec::new());
            let query =
                ReplayQuery { webhook: None, since: None, until: None, states, types, missing: false };
            ledger.create_replay(query, START).unwrap();
            ledger.replay_step(START, 100).unwrap();
        };
        let asks: [Ask<'_>; 2] = [&by_hand, &by_replay];
        // How the younger one's call ends: delivered, to be repeated, never claimed, never reported, given
        // back, not made through our own fault.
        for (ask, end) in asks.iter().flat_map(|ask| (0..6).map(move |end| (ask, end))) {
            let mut ledger = ledger();
            create(&mut ledger, Definition { ordered: true, ..webhook("w", "*") });
            let events = vec![in_order("a", "k"), in_order("b", "k")];
            let deliveries = ledger.ingest(events, InlineLimit(0), START).unwrap().changed;
            let (head, second) = (deliveries[0], deliveries[1]);
            attempt_due(&mut ledger, START, OK);
            let at = START.plus_ms(40);
            let tickets = lease(&mut ledger, at);
            assert_eq!(tickets.iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(), [second]);
            ask(&mut ledger, head);
            let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
            assert_eq!(lease(&mut ledger, at), [], "one at a time");
            let mut then = at;
            if end != 2 {
                let work = ledger.claim(&tickets, at).unwrap().works.remove(0);
                assert_eq!(lease(&mut ledger, at), [], "one at a time");
                let ours = Outcome::PlatformFailed { message: String::from("a test") };
                let outcome = [Some(OK), Some(FAILED), None, None, None, Some(ours)][end].clone();
                if let Some(outcome) = outcome {
                    let attempt = attempt(work.attempt, outcome, at);
                    ledger.report(vec![Report { delivery: second, attempt }], at).unwrap();
                } else if end == 4 {
                    ledger.unclaim(&[GivenBack::of(&work, Why::NoTime)], at).unwrap();
                }
            }
            if end == 2 || end == 3 {
                then = at.plus_ms(40_000);
            }
            let mut leased = lease(&mut ledger, then);
            if leased.is_empty() {
                leased = lease(&mut ledger, then);
            }
            let leased: Vec<Seq> = leased.iter().map(|ticket| ticket.delivery).collect();
            assert_eq!(leased, [head], "then the older one, {end}");
        }
    }

    #[test]
    fn an_ended_delivery_that_is_sent_again_is_in_order_whoever_asks_for_it() {
        let leased = |ledger: &mut Ledger<Rc<Native>>, at| {
            lease(ledger, at).iter().map(|ticket| ticket.delivery).collect::<Vec<_>>()
        };
        let head_waits_and_second_was_cancelled = || {
            let mut ledger = ledger();
            create(&mut ledger, Definition { ordered: true, ..webhook("w", "*") });
            let events = vec![in_order("a", "k"), in_order("b", "k")];
            let deliveries = ledger.ingest(events, InlineLimit(0), START).unwrap().changed;
            attempt_due(&mut ledger, START, FAILED);
            let second = id(&ledger, deliveries[1]);
            ledger.cancel(&second, START).unwrap();
            (ledger, deliveries[0], deliveries[1])
        };

        let (mut ledger, head, second) = head_waits_and_second_was_cancelled();
        let second_id = id(&ledger, second);
        ledger.resend(&second_id, START).unwrap();
        assert_eq!(leased(&mut ledger, START), [], "it is behind the head, which waits for its retry");
        let retry_at = ledger.delivery_views(&[head]).unwrap()[0].next_at.unwrap();
        attempt_due(&mut ledger, retry_at, OK);
        assert_eq!(leased(&mut ledger, retry_at.plus_ms(40)), [second], "once the head was reported");

        let (mut ledger, head, second) = head_waits_and_second_was_cancelled();
        let (states, types) = (vec![State::Cancelled], Vec::new());
        let query = ReplayQuery { webhook: None, since: None, until: None, states, types, missing: false };
        ledger.create_replay(query, START).unwrap();
        assert_eq!(ledger.replay_step(START, 100).unwrap().changed, [second]);
        assert_eq!(leased(&mut ledger, START), [], "it is behind the head again");
        let retry_at = ledger.delivery_views(&[head]).unwrap()[0].next_at.unwrap();
        attempt_due(&mut ledger, retry_at, OK);
        assert_eq!(leased(&mut ledger, retry_at.plus_ms(40)), [second], "once the head was reported");
    }

    #[test]
    fn a_delivery_in_full_shows_the_exact_bytes_of_each_attempt() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "order.paid")[0];
        let tickets = lease(&mut ledger, START);
        ledger.claim(&tickets, START).unwrap();
        let rendering =
            Rendering { contract: Contract::Standard, subscribed_event: None, include_result: false };
        let url = String::from("https://w.example/hook");
        let mut record = attempt(1, FAILED, START);
        record.request = Some(SentRequest { url, headers: Vec::new(), rendering, body_bytes: 9 });
        ledger.report(vec![Report { delivery, attempt: record }], START).unwrap();
        ledger.delete_webhook("w", None, START).unwrap();
        let detail = ledger.delivery(&id(&ledger, delivery)).unwrap();
        assert_eq!((detail.delivery.state, detail.delivery.webhook.as_deref()), (State::Cancelled, None));
        let body = detail.attempts[0].request_body.as_deref().unwrap();
        assert!(body.contains("\"type\":\"order.paid\"") && body.contains("\"data\":{\"n\":1}"), "{body}");
        assert_eq!(detail.event.data.unwrap().get(), "{\"n\":1}");
        assert_eq!(
            ledger.delivery("dlv_nonsense").map(|_detail| ()),
            Err(LedgerError::NotFound { what: "delivery" })
        );
    }

    #[test]
    fn a_delivery_that_has_ended_can_be_sent_again() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        let delivery = post(&mut ledger, "a")[0];
        attempt_due(&mut ledger, START, FAILED);
        let later = START.plus_ms(100_000);
        let view = ledger.resend(&id(&ledger, delivery), later).unwrap();
        assert_eq!((view.state, view.next_at), (State::Waiting, Some(later)));
        attempt_due(&mut ledger, later, OK);
        let detail = ledger.delivery(&id(&ledger, delivery)).unwrap();
        assert_eq!(detail.delivery.state, State::Delivered);
        let triggers: Vec<Trigger> = detail.attempts.iter().map(|attempt| attempt.attempt.trigger).collect();
        assert_eq!(triggers, [Trigger::Schedule, Trigger::Resend]);
    }

    #[test]
    fn a_resend_does_not_use_up_the_schedule() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        attempt_due(&mut ledger, START, FAILED);
        ledger.resend(&id(&ledger, delivery), START).unwrap();
        attempt_due(&mut ledger, START, FAILED);
        let next_at = ledger.delivery_views(&[delivery]).unwrap()[0].next_at.unwrap();
        assert!(next_at.ms_since(START) <= 6_100, "still the wait before the second attempt");
    }

    #[test]
    fn a_resend_of_what_has_ended_begins_its_schedule_anew() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry_schedule_s: Some(vec![10]), ..webhook("w", "*") });
        let delivery = post(&mut ledger, "a")[0];
        attempt_due(&mut ledger, START, FAILED);
        attempt_due(&mut ledger, START.plus_ms(20_000), FAILED);
        let state = |ledger: &Ledger<_>| ledger.delivery_views(&[delivery]).unwrap()[0].state;
        assert_eq!(state(&ledger), State::Dead);
        let later = START.plus_ms(100_000);
        ledger.resend(&id(&ledger, delivery), later).unwrap();
        attempt_due(&mut ledger, later, FAILED);
        let next_at = ledger.delivery_views(&[delivery]).unwrap()[0].next_at.unwrap();
        assert!((8_000..13_000).contains(&next_at.ms_since(later)), "the wait before the second attempt");
        attempt_due(&mut ledger, next_at, FAILED);
        assert_eq!(state(&ledger), State::Dead);
    }

    #[test]
    fn a_resend_is_refused_where_it_would_do_nothing() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        let id = id(&ledger, delivery);
        lease(&mut ledger, START);
        conflict(ledger.resend(&id, START), "right now");
        ledger.update_webhook("w", Definition { enabled: false, ..webhook("w", "*") }, None, START).unwrap();
        conflict(ledger.resend(&id, START), "disabled");
        ledger.delete_webhook("w", None, START).unwrap();
        conflict(ledger.resend(&id, START), "deleted");
        assert_eq!(ledger.resend("dlv_x", START), Err(LedgerError::NotFound { what: "delivery" }));
    }

    #[test]
    fn a_cancelled_delivery_is_not_sent_and_can_be_resent_without_a_gap_in_its_numbers() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        let id = id(&ledger, delivery);
        let tickets = lease(&mut ledger, START);
        ledger.claim(&tickets, START).unwrap();
        assert_eq!(ledger.cancel(&id, START).unwrap().state, State::Cancelled);
        conflict(ledger.cancel(&id, START), "ended");
        assert!(lease(&mut ledger, START.plus_ms(1_000_000)).is_empty());
        ledger.resend(&id, START).unwrap();
        attempt_due(&mut ledger, START, OK);
        let detail = ledger.delivery(&id).unwrap();
        let outcomes: Vec<Outcome> =
            detail.attempts.into_iter().map(|attempt| attempt.attempt.outcome).collect();
        assert_eq!(outcomes, [Outcome::Lost, OK]);
    }

    #[test]
    fn attempts_of_one_delivery_are_limited() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        ledger.sql.run("UPDATE delivery SET state = 'waiting', attempt = 1000, made = 1000", &[]).unwrap();
        conflict(ledger.resend(&id(&ledger, delivery), START), "1,000");
    }

    #[test]
    fn a_call_of_a_delivery_that_was_cancelled_and_sent_again_takes_its_place_until_it_is_reported() {
        for is_reported in [true, false] {
            let mut ledger = ledger();
            create(&mut ledger, Definition { concurrency_limit: Some(1), ..webhook("w", "*") });
            let delivery = post(&mut ledger, "a")[0];
            let tickets = lease(&mut ledger, START);
            let work = ledger.claim(&tickets, START).unwrap().works.remove(0);
            ledger.cancel(&id(&ledger, delivery), START).unwrap();
            ledger.resend(&id(&ledger, delivery), START).unwrap();
            assert_eq!(lease(&mut ledger, START), [], "its call is still under way");
            let mut now = START.plus_ms(100);
            if is_reported {
                let attempt = attempt(1, Outcome::Answered { status: 500 }, START);
                ledger.report(vec![Report { delivery, attempt }], now).unwrap();
            } else {
                for entry in ledger.outbox_due(now, 9).unwrap() {
                    ledger.outbox_done(entry.item, entry.version).unwrap();
                }
                now = ledger.next_wake(now).unwrap().unwrap().0;
                assert_eq!(now, work.lease_until, "nobody knows more of it then");
            }
            assert_eq!(lease(&mut ledger, now).len(), 1);
        }
    }
}
