//! Taking in what came of attempts.
//!
//! A report is compared with what the ledger expects before it changes anything: each number is recorded
//! once, no matter who reports it, how often and how late.

use postern_core::api::audit::AuditAction;
use postern_core::change::Changes;
use postern_core::contract::counts_as_delivered;
use postern_core::delivery::{Attempt, Decision, DisableCause, Outcome, RetryTerms, decide};
use postern_core::event::is_operational;
use postern_core::health::{Health, Signal, Transition};
use postern_core::id::Seq;
use postern_core::retry::our_fault_wait_ms;
use postern_core::time::Timestamp;
use serde_json::Value as Json;

use crate::error::LedgerError;
use crate::memory::gate::Effects;
use crate::operational::About;
use crate::project::Ledger;
use crate::row::attempts::in_short;
use crate::row::delivery::{self, DeliveryRow, Ending, Plan, Recorded, attempts_of, head_of};
use crate::row::health::write_health;
use crate::row::stat::{StatNote, count_attempts, count_what_was_lost, stat_note};
use crate::row::webhook::write_disabled;
use crate::sql::{Sql, Value, atomically, first};
use crate::work::Report;

/// An attempt that is delivered faster than this leaves its webhook fit for the inline lane.
const QUICK_MS: u32 = 1_000;
/// A failure that asks for nothing but the next attempt.
const ORDINARY_FAILURE: Outcome = Outcome::Answered { status: 500 };

/// What a set of reports changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// Deliveries that changed, those of operational events among them.
    pub changed: Vec<Seq>,
    /// Whether a webhook was disabled, or became or ceased to be failing or throttled.
    pub webhooks_changed: bool,
}

/// Whether a receiver took a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Taken,
    NotTaken,
    /// Its webhook is gone, and with it what counts.
    Unknown,
}

/// What one report came to.
enum Taken {
    /// Nobody expects it.
    Ignored,
    /// The attempt is on record.
    Recorded,
    /// It took the place of a record that said "lost", and was counted as that then.
    Corrected { lost_at: Timestamp },
}

impl<S: Sql> Ledger<S> {
    /// Takes in reports, all in one commit. One that is not expected changes nothing: its delivery is
    /// unknown, or its number is recorded already.
    ///
    /// A number that was recorded as lost takes the late report's place, and a late success ends the
    /// delivery: the receiver has it, whatever we believed. What each attempt says of its webhook's health
    /// counts in the order of the reports; the webhook is disabled where the receiver is gone, asks for it,
    /// or has failed for days. An attempt at a URL that the webhook no longer has is recorded and says
    /// nothing of the webhook.
    ///
    /// # Errors
    /// The database fails.
    pub fn report(&mut self, reports: Vec<Report>, now: Timestamp) -> Result<Reported, LedgerError> {
        let this = &*self;
        let (effects, webhooks_changed) = atomically(&self.sql, |sql| {
            let mut effects = Effects::default();
            let mut notes = Vec::new();
            let mut corrected = Vec::new();
            let mut webhooks_changed = false;
            for Report { delivery, attempt } in reports {
                let rows = sql.run(
                    &format!(
                        "SELECT {}, state = 'leased' AND claimed = 1 AND attempt = ?2 FROM delivery WHERE seq = ?1",
                        DeliveryRow::COLUMNS
                    ),
                    &[Value::from(delivery), Value::from(attempt.number)],
                )?;
                let Some(found) = first(rows) else { continue };
                let row = DeliveryRow::read(&found)?;
                let is_expected = found.flag(DeliveryRow::COLUMN_COUNT)?;
                let verdict = this.verdict(&row, &attempt);
                let says_something = verdict != Verdict::Unknown && !attempt.outcome.is_our_fault();
                if says_something && !this.went_elsewhere(&row, &attempt) {
                    let is_quick = attempt.duration_ms < QUICK_MS;
                    effects.notes.push((row.webhook, verdict == Verdict::Taken && is_quick));
                }
                let taken = if is_expected {
                    this.record_expected(sql, &mut effects, &row, &attempt, now)?
                } else if attempt.number == row.made + 1
                    && attempt.number == row.attempt
                    && !row.plan.is_leased()
                {
                    record_after_end(sql, &row, &attempt, now)?
                } else if attempt.number <= row.made {
                    replace_lost(sql, &mut effects, &row, &attempt, verdict, now)?
                } else {
                    Taken::Ignored
                };
                let note_of =
                    |at| StatNote { delivered: verdict == Verdict::Taken, ..stat_note(&row, &attempt, at) };
                match taken {
                    Taken::Ignored => continue,
                    Taken::Recorded => notes.push(note_of(now)),
                    Taken::Corrected { lost_at } => corrected.push(note_of(lost_at)),
                }
                effects.changed.push(delivery);
                effects.returned.push((row.webhook, (delivery, attempt.number)));
                webhooks_changed |= this.judge(sql, &mut effects, &row, &attempt, now)?;
            }
            count_attempts(sql, &notes)?;
            corrected.iter().try_for_each(|note| count_what_was_lost(sql, note))?;
            Ok((effects, webhooks_changed))
        })?;
        let reported = Reported {
            changed: effects.changed.clone(),
            webhooks_changed: webhooks_changed || !effects.disabled.is_empty(),
        };
        self.apply(effects, now);
        Ok(reported)
    }

    fn verdict(&self, row: &DeliveryRow, attempt: &Attempt) -> Verdict {
        match (self.roster.get(row.webhook), &attempt.outcome) {
            (None, _) => Verdict::Unknown,
            (Some(member), Outcome::Answered { status })
                if counts_as_delivered(member.contract(), *status) =>
            {
                Verdict::Taken
            }
            (Some(_), _) => Verdict::NotTaken,
        }
    }

    /// Whether an attempt called another URL than its webhook has now: the webhook was moved while the call
    /// was under way. What such a receiver answers is true of the delivery, not of the webhook.
    fn went_elsewhere(&self, row: &DeliveryRow, attempt: &Attempt) -> bool {
        let (Some(member), Some(request)) = (self.roster.get(row.webhook), &attempt.request) else {
            return false;
        };
        request.url != member.url()
    }

    /// The usual case: the attempt that is leased and claimed.
    fn record_expected(
        &self,
        sql: &S,
        effects: &mut Effects,
        row: &DeliveryRow,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Taken, LedgerError> {
        let member = self
            .roster
            .get(row.webhook)
            .ok_or(LedgerError::Corrupt { what: "a leased delivery has no webhook" })?;
        let attempt = Attempt { trigger: row.trigger(), ..attempt.clone() };
        if let Some(at) = after_our_fault(sql, row, &attempt, now)? {
            let recorded = Recorded { plan: Plan::Due { at }, resend: row.resend, scheduled: row.scheduled };
            delivery::record(sql, row, &attempt, recorded, now)?;
            effects.end(row.webhook, row.seq);
            // An older one of the key may have come to wait for it meanwhile.
            release_next(sql, effects, row, now)?;
            return Ok(Taken::Recorded);
        }
        let scheduled = row.scheduled_after();
        let gone_disables = member.gone_disables(&self.health_in(effects, row.webhook), now);
        let standing = RetryTerms { gone_disables, ..self.standing(member, row.seq, scheduled) };
        let decision = match decide(standing, &attempt.outcome, attempt.response.as_ref(), now) {
            // An old receiver that is gone is why the webhook was moved: the delivery is tried again where it
            // is now.
            Decision::DisableWebhook { .. } if self.went_elsewhere(row, &attempt) => {
                decide(standing, &ORDINARY_FAILURE, None, now)
            }
            decision => decision,
        };
        let plan = match decision {
            // Whether the webhook is disabled, `judge` says.
            Decision::Delivered => Plan::Ended(Ending::Delivered),
            Decision::Wait { next_at } => Plan::Due { at: next_at },
            Decision::Dead | Decision::DisableWebhook { .. } => Plan::Ended(Ending::Dead),
        };
        delivery::record(sql, row, &attempt, Recorded { plan, resend: false, scheduled }, now)?;
        effects.end(row.webhook, row.seq);
        release_next(sql, effects, row, now)?;
        if plan == Plan::Ended(Ending::Dead) {
            self.announce_dead(sql, effects, row, &attempt, now)?;
        }
        Ok(Taken::Recorded)
    }

    /// Notes what an attempt says of its webhook. `true`: the webhook does better or worse than before, in a
    /// way that people are told of. Inside the caller's transaction.
    fn judge(
        &self,
        sql: &S,
        effects: &mut Effects,
        row: &DeliveryRow,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let Some(member) = self.roster.get(row.webhook).filter(|member| member.enabled()) else {
            return Ok(false);
        };
        if effects.disabled(row.webhook) || self.went_elsewhere(row, attempt) {
            return Ok(false);
        }
        let before = self.health_in(effects, row.webhook);
        let gone_disables = member.gone_disables(&before, now);
        let standing = RetryTerms { gone_disables, ..self.standing(member, row.seq, row.scheduled) };
        let decision = decide(standing, &attempt.outcome, attempt.response.as_ref(), now);
        if let Decision::DisableWebhook { cause } = decision {
            self.disable(sql, effects, row.webhook, cause, now)?;
            delivery::note_disabling(sql, row.seq, attempt.number)?;
            return Ok(true);
        }
        let Some(signal) =
            Signal::from_outcome(member.contract(), &attempt.outcome, attempt.response.as_ref(), now)
        else {
            return Ok(false);
        };
        let (after, transitions) = before.after(signal, now);
        if after != before {
            write_health(sql, row.webhook, &after)?;
            effects.health.insert(row.webhook, after);
        }
        for transition in &transitions {
            if *transition == Transition::DisabledForDays {
                self.disable(sql, effects, row.webhook, DisableCause::FailingForDays, now)?;
            } else if !is_operational(&row.kind) {
                // What Postern's own events cause is not told by further ones: two webhooks that hear of each
                // other would never fall silent.
                let about = About {
                    webhook: row.webhook,
                    result: &in_short(&attempt.outcome),
                    health: &after,
                    before: &before,
                };
                self.announce_transition(sql, effects, *transition, &about, now)?;
            }
        }
        Ok(!transitions.is_empty())
    }

    /// How a webhook does, as far as this commit knows.
    fn health_in(&self, effects: &Effects, webhook: Seq) -> Health {
        effects.health.get(&webhook).copied().unwrap_or_else(|| self.gates.health(webhook))
    }

    /// Disables a webhook, unless it is already. Inside the caller's transaction.
    fn disable(
        &self,
        sql: &S,
        effects: &mut Effects,
        webhook: Seq,
        cause: DisableCause,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if effects.disabled(webhook)
            || !self.roster.get(webhook).is_some_and(crate::memory::roster::Member::enabled)
        {
            return Ok(());
        }
        let mut stored = self
            .stored_webhook_at(webhook)?
            .ok_or(LedgerError::Corrupt { what: "the roster names no webhook" })?;
        stored.definition.enabled = false;
        stored.disabled_reason = Some(String::from(cause.reason()));
        stored.version += 1;
        stored.updated_at = now;
        write_disabled(sql, &stored, cause.reason(), now)?;
        let mut changes = Changes::one("enabled", Json::from(true), Json::from(false));
        changes.0.extend(Changes::one("disabled_reason", Json::Null, Json::from(cause.reason())).0);
        self.audit_as_postern(
            sql,
            AuditAction::WebhookDisabled,
            stored.definition.name.as_str(),
            changes,
            now,
        )?;
        effects.disabled.push(stored);
        self.announce_disabled(sql, effects, webhook, cause, now)
    }
}

/// When a call is repeated that we could not make ourselves: no step of the schedule is used up. `None`: the
/// attempt counts as any other, because the call was made, or because it could not be made too often.
fn after_our_fault<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    if !attempt.outcome.is_our_fault() {
        return Ok(None);
    }
    let attempts = attempts_of(sql, row.seq)?;
    let before = attempts.iter().rev().take_while(|before| before.outcome.is_our_fault()).count();
    let wait_ms = our_fault_wait_ms(u32::try_from(before).unwrap_or(u32::MAX));
    Ok(wait_ms.map(|wait_ms| now.plus_ms(wait_ms)))
}

/// An attempt that was in flight when its delivery ended (a person cancelled it, an earlier attempt turned
/// out to have been taken): it did happen, so it is on record, and the state stays.
fn record_after_end<S: Sql>(
    sql: &S,
    row: &DeliveryRow,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Taken, LedgerError> {
    let attempt = Attempt { trigger: row.trigger(), ..attempt.clone() };
    let scheduled = row.scheduled_after();
    delivery::record(sql, row, &attempt, Recorded { plan: row.plan, resend: row.resend, scheduled }, now)?;
    Ok(Taken::Recorded)
}

/// The late truth about an attempt that was taken for lost.
fn replace_lost<S: Sql>(
    sql: &S,
    effects: &mut Effects,
    row: &DeliveryRow,
    attempt: &Attempt,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Taken, LedgerError> {
    if attempt.outcome == Outcome::Lost {
        return Ok(Taken::Ignored);
    }
    let mut attempts = attempts_of(sql, row.seq)?;
    let at =
        attempts.iter().position(|known| known.number == attempt.number && known.outcome == Outcome::Lost);
    let Some(known) = at.and_then(|at| attempts.get_mut(at)) else { return Ok(Taken::Ignored) };
    let lost_at = known.started_at.plus_ms(i64::from(known.duration_ms));
    let is_latest = attempt.number == row.made;
    *known = Attempt { trigger: known.trigger, ..attempt.clone() };
    delivery::reveal(sql, row.seq, &mut attempts, now)?;
    if is_latest || verdict == Verdict::Taken {
        delivery::show_result(sql, row.seq, attempt)?;
    }
    if verdict == Verdict::Taken && row.plan != Plan::Ended(Ending::Cancelled) {
        delivery::deliver_late(sql, row, now)?;
        effects.end_beside_call(row);
        release_next(sql, effects, row, now)?;
    }
    Ok(Taken::Corrected { lost_at })
}

/// A delivery has ended, or its lease has: the first with its order key is due now, if it waited. Inside the
/// caller's transaction, after the change was written.
pub(crate) fn release_next<S: Sql>(
    sql: &S,
    effects: &mut Effects,
    ended: &DeliveryRow,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let Some(key) = &ended.order_key else { return Ok(()) };
    let Some(next) = head_of(sql, ended.webhook, key)? else { return Ok(()) };
    if delivery::release(sql, next, now)? {
        effects.changed.push(next);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::api::webhook::HealthStatus;
    use postern_core::contract::Rendering;
    use postern_core::delivery::{ReceivedResponse, SentRequest, State, Trigger};
    use postern_core::webhook::{Contract, Definition};

    use super::*;
    use crate::row::attempts::{ATTEMPTS_BYTES_MAX, to_lines};
    use crate::support::build::{START, attempt, attempt_due, create, lease, ledger, post, webhook};
    use crate::support::native::Native;
    use crate::{LeaseTicket, Work};

    const OK: Outcome = Outcome::Answered { status: 200 };
    const FAILED: Outcome = Outcome::Answered { status: 503 };
    const LEASE_MS: i64 = 40_000;

    fn one_webhook(definition: Definition) -> (Ledger<Rc<Native>>, Seq) {
        let mut ledger = ledger();
        create(&mut ledger, definition);
        let delivery = post(&mut ledger, "order.paid")[0];
        (ledger, delivery)
    }

    fn claim(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Work {
        let tickets: Vec<LeaseTicket> = lease(ledger, now);
        ledger.claim(&tickets, now).unwrap().works.remove(0)
    }

    fn report(ledger: &mut Ledger<Rc<Native>>, work: &Work, outcome: Outcome, now: Timestamp) -> bool {
        let report = Report { delivery: work.delivery, attempt: attempt(work.attempt, outcome, now) };
        !ledger.report(vec![report], now).unwrap().changed.is_empty()
    }

    #[track_caller]
    fn check(ledger: &Ledger<Rc<Native>>, delivery: Seq, state: State, outcomes: &[Outcome]) {
        let view = &ledger.delivery_views(&[delivery]).unwrap()[0];
        let attempts = attempts_of(&ledger.sql, delivery).unwrap();
        assert_eq!(view.state, state);
        assert_eq!(view.attempts as usize, attempts.len());
        assert!(attempts.iter().zip(1..).all(|(attempt, number)| attempt.number == number), "1, 2, 3 …");
        assert_eq!(attempts.into_iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(), outcomes);
    }

    #[test]
    fn a_success_ends_the_delivery() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        attempt_due(&mut ledger, START, OK);
        check(&ledger, delivery, State::Delivered, &[OK]);
        let view = &ledger.delivery_views(&[delivery]).unwrap()[0];
        assert_eq!((view.last_status, view.last_duration_ms, view.next_at), (Some(200), Some(40), None));
        assert_eq!(view.last_result.as_deref(), Some("200 OK"));
        assert!(ledger.next_wake(START).unwrap().is_some_and(|(_at, reason)| reason.contains("published")));
    }

    #[test]
    fn a_failure_waits_for_the_schedule_and_without_retry_ends() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        attempt_due(&mut ledger, START, FAILED);
        check(&ledger, delivery, State::Waiting, &[FAILED]);
        let (mut ledger, delivery) = one_webhook(Definition { retry: false, ..webhook("w", "*") });
        attempt_due(&mut ledger, START, FAILED);
        check(&ledger, delivery, State::Dead, &[FAILED]);
    }

    #[test]
    fn the_status_of_the_last_answer_stays_when_later_attempts_get_none() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        attempt_due(&mut ledger, START, FAILED);
        attempt_due(&mut ledger, START.plus_ms(60_000), Outcome::TimedOut);
        let view = &ledger.delivery_views(&[delivery]).unwrap()[0];
        assert_eq!((view.last_status, view.last_result.as_deref()), (Some(503), Some("timed out")));
    }

    #[test]
    fn ten_failures_end_the_delivery() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let mut now = START;
        for _attempt in 0..10 {
            now = ledger.next_wake(now).unwrap().unwrap().0.max(now);
            ledger.outbox_done(crate::row::outbox::PROJECT_ITEM, 1).unwrap();
            while let Some(entry) = ledger.outbox_due(now, 1).unwrap().pop() {
                ledger.outbox_done(entry.item, entry.version).unwrap();
            }
            now = ledger.next_wake(now).unwrap().unwrap().0;
            attempt_due(&mut ledger, now, FAILED);
        }
        check(&ledger, delivery, State::Dead, &vec![FAILED; 10]);
        assert_eq!(ledger.next_wake(now).unwrap(), None);
    }

    #[test]
    fn a_report_counts_once_and_only_for_the_number_it_is_about() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let work = claim(&mut ledger, START);
        assert!(
            !report(&mut ledger, &Work { attempt: 2, ..work.clone() }, OK, START),
            "a number that nobody has"
        );
        assert!(
            !report(&mut ledger, &Work { delivery: Seq(1), ..work.clone() }, OK, START),
            "an unknown delivery"
        );
        assert!(report(&mut ledger, &work, FAILED, START));
        assert!(!report(&mut ledger, &work, FAILED, START));
        assert!(!report(&mut ledger, &work, OK, START), "the first report is the truth");
        check(&ledger, delivery, State::Waiting, &[FAILED]);
    }

    #[test]
    fn a_report_of_an_unclaimed_lease_is_refused() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let ticket = lease(&mut ledger, START)[0];
        let changed = ledger
            .report(vec![Report { delivery, attempt: attempt(ticket.attempt, OK, START) }], START)
            .unwrap();
        assert_eq!(changed, Reported::default());
        check(&ledger, delivery, State::Leased, &[]);
    }

    #[test]
    fn a_late_success_ends_the_delivery_though_the_attempt_was_taken_for_lost() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let first = claim(&mut ledger, START);
        let tickets = lease(&mut ledger, START.plus_ms(LEASE_MS));
        assert!(report(&mut ledger, &first, OK, START.plus_ms(LEASE_MS + 1)));
        check(&ledger, delivery, State::Delivered, &[OK]);
        assert!(ledger.claim(&tickets, START.plus_ms(LEASE_MS + 2)).unwrap().works.is_empty());
        assert!(!report(&mut ledger, &first, OK, START.plus_ms(LEASE_MS + 3)));
    }

    #[test]
    fn an_attempt_in_flight_while_an_earlier_one_turns_out_taken_is_recorded() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let first = claim(&mut ledger, START);
        let second = claim(&mut ledger, START.plus_ms(LEASE_MS));
        assert!(report(&mut ledger, &first, OK, START.plus_ms(LEASE_MS + 1)));
        assert!(report(&mut ledger, &second, FAILED, START.plus_ms(LEASE_MS + 2)));
        check(&ledger, delivery, State::Delivered, &[OK, FAILED]);
    }

    #[test]
    fn a_call_keeps_its_place_although_an_earlier_attempt_turned_out_taken() {
        let (mut ledger, _first) =
            one_webhook(Definition { concurrency_limit: Some(1), ..webhook("w", "*") });
        let lost = claim(&mut ledger, START);
        let called = claim(&mut ledger, START.plus_ms(LEASE_MS));
        let waits = post(&mut ledger, "order.paid")[0];
        let now = START.plus_ms(LEASE_MS + 1);
        assert!(report(&mut ledger, &lost, OK, now));
        assert_eq!(lease(&mut ledger, now), [], "the second call goes on");
        assert!(report(&mut ledger, &called, OK, now));
        let tickets = lease(&mut ledger, now);
        assert_eq!(tickets.iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(), [waits]);
    }

    #[test]
    fn a_late_success_revives_a_delivery_that_was_given_up() {
        let (mut ledger, delivery) = one_webhook(Definition { retry: false, ..webhook("w", "*") });
        let first = claim(&mut ledger, START);
        let again = START.plus_ms(LEASE_MS);
        attempt_due(&mut ledger, again, FAILED);
        check(&ledger, delivery, State::Dead, &[Outcome::Lost, FAILED]);
        assert!(report(&mut ledger, &first, OK, again.plus_ms(60_000)));
        check(&ledger, delivery, State::Delivered, &[OK, FAILED]);
    }

    #[test]
    fn a_late_failure_replaces_the_lost_record_and_nothing_else() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let first = claim(&mut ledger, START);
        let second = claim(&mut ledger, START.plus_ms(LEASE_MS));
        assert!(report(&mut ledger, &first, FAILED, START.plus_ms(LEASE_MS + 1)));
        check(&ledger, delivery, State::Leased, &[FAILED]);
        assert!(report(&mut ledger, &second, OK, START.plus_ms(LEASE_MS + 2)));
        check(&ledger, delivery, State::Delivered, &[FAILED, OK]);
    }

    #[test]
    fn an_attempt_in_flight_when_a_person_cancels_is_recorded_and_changes_nothing() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let work = claim(&mut ledger, START);
        let id = ledger.ids().id(postern_core::id::Kind::Delivery, delivery);
        ledger.cancel(&id, START).unwrap();
        assert!(report(&mut ledger, &work, OK, START));
        check(&ledger, delivery, State::Cancelled, &[OK]);
    }

    #[test]
    fn a_410_disables_the_webhook_at_once() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let (gone, also_gone) = (post(&mut ledger, "a")[0], post(&mut ledger, "b")[0]);
        let tickets = lease(&mut ledger, START);
        let works = ledger.claim(&tickets, START).unwrap().works;
        let other = post(&mut ledger, "c")[0];
        let reports = works.iter().map(|work| Report {
            delivery: work.delivery,
            attempt: attempt(work.attempt, Outcome::Answered { status: 410 }, START),
        });
        let reported = ledger.report(reports.collect(), START).unwrap();
        assert_eq!(reported, Reported { changed: vec![gone, also_gone], webhooks_changed: true });
        let view = ledger.webhook("w").unwrap();
        assert_eq!(
            (view.enabled, view.version, view.disabled_reason.as_deref()),
            (false, 2, Some(DisableCause::Gone.reason()))
        );
        assert!(ledger.outbox_due(START, 10).unwrap().iter().any(|entry| entry.version == 2));
        assert!(lease(&mut ledger, START).is_empty());
        check(&ledger, gone, State::Dead, &[Outcome::Answered { status: 410 }]);
        check(&ledger, other, State::Pending, &[]);
        assert!(post(&mut ledger, "d").is_empty());
        let enabled = ledger.update_webhook("w", webhook("w", "*"), None, START).unwrap();
        assert_eq!((enabled.disabled_reason, lease(&mut ledger, START).len()), (None, 1));
    }

    fn wishing(number: u32, status: u16, wish: &str) -> Attempt {
        let headers = vec![(String::from("Webhook-Delivery"), String::from(wish))];
        let response = ReceivedResponse { status, headers, ..ReceivedResponse::default() };
        Attempt { response: Some(response), ..attempt(number, Outcome::Answered { status }, START) }
    }

    #[test]
    fn what_a_receiver_wishes_counts_where_it_did_not_take_the_delivery() {
        for (status, wish, state, enabled) in [
            (500, "abort", State::Dead, true),
            (500, "disable", State::Dead, false),
            (500, "nonsense", State::Waiting, true),
            (200, "disable", State::Delivered, true),
        ] {
            let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
            let work = claim(&mut ledger, START);
            ledger
                .report(vec![Report { delivery, attempt: wishing(work.attempt, status, wish) }], START)
                .unwrap();
            assert_eq!(ledger.delivery_views(&[delivery]).unwrap()[0].state, state, "{status} {wish}");
            let view = ledger.webhook("w").unwrap();
            assert_eq!(
                (view.enabled, view.health.disabled_at),
                (enabled, (!enabled).then_some(START)),
                "{status} {wish}"
            );
        }
    }

    #[test]
    fn a_webhook_that_waits_for_a_second_410_retries_until_then() {
        const GONE: Outcome = Outcome::Answered { status: 410 };
        let confirming =
            || Definition { confirm_gone: true, retry_schedule_s: Some(vec![60; 20]), ..webhook("w", "*") };
        let (mut ledger, delivery) = one_webhook(confirming());
        let id = ledger.ids().id(postern_core::id::Kind::Delivery, delivery);
        let work = claim(&mut ledger, START);
        assert!(report(&mut ledger, &work, GONE, START));
        check(&ledger, delivery, State::Waiting, &[GONE]);
        let seen = ledger.webhook("w").unwrap();
        assert_eq!((seen.enabled, seen.health.gone_from), (true, Some(START.plus_ms(600_000))));
        let told = ledger.delivery(&id).unwrap();
        for reason in [&told.reason, &told.attempts[0].reason] {
            assert!(
                reason.advice.contains("says so again ten minutes")
                    && !reason.advice.contains("so Postern disabled"),
                "{reason:?}"
            );
        }
        // Again and again, in the same object and in others, but not before ten minutes are over.
        let mut now = START;
        let mut calls = 1;
        let disabled_at = loop {
            let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
            reopened.sql.run("DELETE FROM outbox", &[]).unwrap();
            now = reopened.next_wake(now).unwrap().unwrap().0;
            let tickets = lease(&mut reopened, now);
            for work in reopened.claim(&tickets, now).unwrap().works {
                calls += 1;
                assert!(report(&mut reopened, &work, GONE, now));
            }
            ledger = reopened;
            if !ledger.webhook("w").unwrap().enabled {
                break now;
            }
        };
        assert!(
            calls > 5 && (600_000..=720_000).contains(&disabled_at.ms_since(START)),
            "{calls} calls, {disabled_at:?}"
        );
        let ended = ledger.webhook("w").unwrap();
        assert_eq!(
            (ended.disabled_reason.as_deref(), ended.health.gone_from),
            (Some("The receiver answered 410 Gone"), None)
        );
        let told = ledger.delivery(&id).unwrap();
        assert_eq!((told.delivery.state, told.attempts.len()), (State::Dead, calls));
        let has_disabled = |reason: &postern_core::explain::Reason| {
            let (once, disabled) = (
                reason.advice.contains("says so again ten minutes"),
                reason.advice.contains("so Postern disabled"),
            );
            assert_ne!(once, disabled, "{reason:?}");
            disabled
        };
        assert!(has_disabled(&told.reason), "the delivery says what the last attempt did");
        let disabled: Vec<bool> = told.attempts.iter().map(|attempt| has_disabled(&attempt.reason)).collect();
        assert_eq!(disabled.iter().position(|disabled| *disabled), Some(calls - 1), "only the last one did");

        // Enabled again and sent again, it is the first 410 again; what is on record stays true.
        ledger.update_webhook("w", confirming(), None, disabled_at).unwrap();
        ledger.resend(&id, disabled_at).unwrap();
        let work = claim(&mut ledger, disabled_at);
        report(&mut ledger, &work, GONE, disabled_at);
        let told = ledger.delivery(&id).unwrap();
        assert!(ledger.webhook("w").unwrap().enabled && !has_disabled(&told.reason), "{:?}", told.reason);
        assert!(
            has_disabled(&told.attempts[calls - 1].reason) && !has_disabled(&told.attempts[calls].reason)
        );

        // A success in between starts over, and so does another URL.
        for moved in [false, true] {
            let (mut ledger, _delivery) = one_webhook(confirming());
            let work = claim(&mut ledger, START);
            report(&mut ledger, &work, GONE, START);
            if moved {
                let elsewhere =
                    Definition { url: String::from("https://elsewhere.example/"), ..confirming() };
                ledger.update_webhook("w", elsewhere, None, START).unwrap();
            } else {
                let next = START.plus_ms(90_000);
                let work = claim(&mut ledger, next);
                report(&mut ledger, &work, OK, next);
            }
            assert_eq!(ledger.webhook("w").unwrap().health.gone_from, None, "{moved}");
            let hour = START.plus_ms(3_600_000);
            if !moved {
                post(&mut ledger, "order.paid");
            }
            let work = claim(&mut ledger, hour);
            report(&mut ledger, &work, GONE, hour);
            assert!(ledger.webhook("w").unwrap().enabled, "{moved}: it is the first one again");
        }
        // Who does not ask for a second one any more has had the last.
        let (mut ledger, delivery) = one_webhook(confirming());
        let work = claim(&mut ledger, START);
        report(&mut ledger, &work, GONE, START);
        ledger.update_webhook("w", Definition { confirm_gone: false, ..confirming() }, None, START).unwrap();
        let work = claim(&mut ledger, START.plus_ms(90_000));
        report(&mut ledger, &work, GONE, START.plus_ms(90_000));
        check(&ledger, delivery, State::Dead, &[GONE, GONE]);
        assert!(!ledger.webhook("w").unwrap().enabled);
    }

    #[test]
    fn a_late_410_disables_too() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let first = claim(&mut ledger, START);
        lease(&mut ledger, START.plus_ms(LEASE_MS));
        assert!(report(&mut ledger, &first, Outcome::Answered { status: 410 }, START.plus_ms(LEASE_MS + 1)));
        assert!(!ledger.webhook("w").unwrap().enabled);
        check(&ledger, delivery, State::Leased, &[Outcome::Answered { status: 410 }]);
    }

    /// An attempt at the URL that [`webhook`] gives `w`, or at another one.
    fn at_url(url: &str, attempt: Attempt) -> Attempt {
        let rendering =
            Rendering { contract: Contract::Standard, subscribed_event: None, include_result: false };
        Attempt {
            request: Some(SentRequest {
                url: String::from(url),
                headers: Vec::new(),
                rendering,
                body_bytes: 2,
            }),
            ..attempt
        }
    }

    #[test]
    fn what_the_old_url_answers_is_recorded_and_says_nothing_of_a_webhook_that_was_moved() {
        let (old, new) = ("https://w.example/hook", "https://new.example/hook");
        let gone = |number| attempt(number, Outcome::Answered { status: 410 }, START);
        for answer in [&gone as &dyn Fn(u32) -> Attempt, &|number| wishing(number, 500, "disable")] {
            let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
            let work = claim(&mut ledger, START);
            ledger
                .update_webhook("w", Definition { url: String::from(new), ..webhook("w", "*") }, None, START)
                .unwrap();
            let reported = ledger
                .report(
                    vec![Report { delivery, attempt: at_url(old, answer(work.attempt)) }],
                    START.plus_ms(40),
                )
                .unwrap();
            assert_eq!(reported, Reported { changed: vec![delivery], webhooks_changed: false });
            check(&ledger, delivery, State::Waiting, &[answer(1).outcome]);
            let view = ledger.webhook("w").unwrap();
            assert_eq!(
                (view.enabled, view.health.failures_in_a_row, view.health.failing_since),
                (true, 0, None)
            );
            let now = START.plus_ms(60_000);
            let work = claim(&mut ledger, now);
            ledger
                .report(vec![Report { delivery, attempt: at_url(new, answer(work.attempt)) }], now)
                .unwrap();
            assert!(!ledger.webhook("w").unwrap().enabled, "the new URL has its say");
        }
    }

    #[test]
    fn failures_and_successes_of_the_old_url_are_not_those_of_the_new_one() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        for _number in 0..7 {
            post(&mut ledger, "a");
        }
        let tickets = lease(&mut ledger, START);
        let works = ledger.claim(&tickets, START).unwrap().works;
        ledger
            .update_webhook(
                "w",
                Definition { url: String::from("https://new.example/hook"), ..webhook("w", "*") },
                None,
                START,
            )
            .unwrap();
        let mut answer = |work: &Work, url: &str, outcome: Outcome| {
            let attempt = at_url(url, attempt(work.attempt, outcome, START));
            ledger.report(vec![Report { delivery: work.delivery, attempt }], START).unwrap();
            let health = ledger.webhook("w").unwrap().health;
            (health.status, health.failures_in_a_row)
        };
        let (old, new) = ("https://w.example/hook", "https://new.example/hook");
        for work in &works[..4] {
            assert_eq!(answer(work, old, Outcome::Answered { status: 429 }), (HealthStatus::Healthy, 0));
        }
        assert_eq!(answer(&works[4], new, Outcome::Answered { status: 500 }).1, 1);
        assert_eq!(answer(&works[5], old, OK).1, 1, "nor does the old one's success count");
        assert_eq!(answer(&works[6], new, OK).1, 0);
    }

    #[test]
    fn five_days_of_failure_disable_and_enabling_gives_a_clean_slate() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        let hours = [0, 12, 24, 36, 48, 60, 72, 84, 96, 119, 121];
        for hours in hours {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START.plus_ms(hours * 3_600_000), FAILED);
            assert_eq!(ledger.webhook("w").unwrap().enabled, hours < 120, "{hours}");
        }
        let view = ledger.webhook("w").unwrap();
        assert_eq!(view.disabled_reason.as_deref(), Some(DisableCause::FailingForDays.reason()));
        assert_eq!((view.health.failures_in_a_row, view.health.failing_since), (11, Some(START.plus_ms(40))));
        let later = START.plus_ms(200 * 3_600_000);
        ledger.update_webhook("w", Definition { retry: false, ..webhook("w", "*") }, None, later).unwrap();
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        post(&mut ledger, "a");
        attempt_due(&mut ledger, later, FAILED);
        let health = ledger.webhook("w").unwrap().health;
        assert_eq!((health.failures_in_a_row, health.disabled_at), (1, None));
    }

    #[test]
    fn a_call_that_we_could_not_make_uses_up_no_step_of_the_schedule_and_blames_nobody() {
        let (mut ledger, delivery) = one_webhook(Definition { retry: false, ..webhook("w", "*") });
        let ours = Outcome::PlatformFailed { message: String::from("Too many subrequests.") };
        let mut now = START;
        let mut waits_s = Vec::new();
        for _ in 0..10 {
            attempt_due(&mut ledger, now, ours.clone());
            let view = ledger.delivery_views(&[delivery]).unwrap().remove(0);
            assert_eq!(view.state, State::Waiting, "a webhook that does not retry has got no call yet");
            let next_at = view.next_at.unwrap();
            waits_s.push(next_at.ms_since(now.plus_ms(40)) / 1_000);
            now = next_at;
        }
        assert_eq!(waits_s, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        let health = ledger.webhook("w").unwrap().health;
        assert_eq!((health.status, health.failures_in_a_row), (HealthStatus::Healthy, 0));
        attempt_due(&mut ledger, now, FAILED);
        let view = ledger.delivery_views(&[delivery]).unwrap().remove(0);
        assert_eq!((view.state, view.attempts), (State::Dead, 11), "its only call failed");
        assert_eq!(ledger.webhook("w").unwrap().health.failures_in_a_row, 1);
    }

    #[test]
    fn a_webhook_that_was_moved_keeps_neither_the_pause_nor_the_days_of_its_old_url() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let first = post(&mut ledger, "a")[0];
        let work = claim(&mut ledger, START);
        let headers = vec![(String::from("retry-after"), String::from("86400"))];
        let response = ReceivedResponse { status: 429, headers, ..ReceivedResponse::default() };
        let refused = attempt(work.attempt, Outcome::Answered { status: 429 }, START);
        let refused = Attempt { response: Some(response), ..refused };
        ledger.report(vec![Report { delivery: first, attempt: refused }], START).unwrap();
        let waiting = post(&mut ledger, "b")[0];
        let minute = START.plus_ms(60_000);
        assert!(lease(&mut ledger, minute).is_empty());
        let moved = Definition { url: String::from("https://new.example/hook"), ..webhook("w", "*") };
        ledger.update_webhook("w", moved, None, minute).unwrap();
        assert_eq!(ledger.next_wake(minute).unwrap().map(|(at, _)| at), Some(minute));
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let leased: Vec<Seq> = lease(&mut ledger, minute).iter().map(|ticket| ticket.delivery).collect();
        assert_eq!(leased, [waiting], "the new URL is called at once");
    }

    #[test]
    fn days_without_a_call_are_no_days_of_failure() {
        type Change = dyn Fn(&mut Ledger<Rc<Native>>, bool, Timestamp);
        let by_command: &Change = &|ledger, paused, at| {
            if paused {
                ledger.pause_webhook("w", None, at).unwrap();
            } else {
                ledger.resume_webhook("w", None, at).unwrap();
            }
        };
        let by_patch: &Change = &|ledger, paused, at| {
            ledger
                .update_webhook(
                    "w",
                    Definition { paused, ..ledger.stored_webhook("w").unwrap().definition },
                    None,
                    at,
                )
                .unwrap();
        };
        let by_config: &Change = &|ledger, paused, at| {
            let definition = Definition { paused, ..ledger.stored_webhook("w").unwrap().definition };
            ledger.apply_config(vec![crate::ConfigStep::UpdateWebhook(Box::new(definition))], at).unwrap();
        };
        for change in [by_command, by_patch, by_config] {
            let mut ledger = ledger();
            create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
            let throttled = Outcome::Answered { status: 502 };
            let hours = |hours: i64| START.plus_ms(hours * 3_600_000);
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, throttled.clone());
            change(&mut ledger, true, hours(1));
            change(&mut ledger, false, hours(145));
            let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
            assert_eq!(
                ledger.webhook("w").unwrap().health.status,
                HealthStatus::Throttled,
                "it is still called one at a time"
            );
            for at in [145, 157, 169, 181, 193, 205, 217, 229, 241, 264] {
                post(&mut ledger, "a");
                attempt_due(&mut ledger, hours(at), throttled.clone());
                assert!(ledger.webhook("w").unwrap().enabled, "{at}");
            }
            post(&mut ledger, "a");
            attempt_due(&mut ledger, hours(266), throttled.clone());
            assert!(!ledger.webhook("w").unwrap().enabled, "five days of calls that failed");
        }
    }

    #[test]
    fn throttling_spaces_all_calls_of_the_webhook_and_ends_step_by_step() {
        let (mut ledger, _delivery) = one_webhook(webhook("w", "*"));
        let others: Vec<Seq> = (0..4).flat_map(|_number| post(&mut ledger, "b")).collect();
        let tickets = lease(&mut ledger, START);
        let works = ledger.claim(&tickets[..2], START).unwrap().works;
        for work in &works {
            report(&mut ledger, work, Outcome::Answered { status: 429 }, START);
        }
        let standing = |ledger: &Ledger<_>| {
            let health = ledger.webhook("w").unwrap().health;
            (health.status, health.next_call_at)
        };
        // The second call was under way when the first was refused: it tells nothing new.
        assert_eq!(standing(&ledger), (HealthStatus::Throttled, Some(START.plus_ms(1_000))));
        assert!(
            ledger.claim(&tickets[2..], START.plus_ms(999)).unwrap().works.is_empty(),
            "tickets that are out wait as well"
        );
        let mut now = START.plus_ms(1_000);
        let answers = [Outcome::Answered { status: 429 }, OK, OK];
        for (expected, answer) in others[1..].iter().zip(answers) {
            let tickets = lease(&mut ledger, now);
            assert_eq!(tickets.iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(), [*expected]);
            let work = ledger.claim(&tickets, now).unwrap().works.remove(0);
            report(&mut ledger, &work, answer, now);
            now = standing(&ledger).1.unwrap_or(now);
        }
        assert_eq!(now, START.plus_ms(4_000), "2 s after the second refusal, 1 s after the first success");
        assert_eq!(ledger.webhook("w").unwrap().health.status, HealthStatus::Healthy);
    }

    #[test]
    fn many_large_answers_fit_because_the_oldest_bodies_make_room() {
        let (mut ledger, delivery) = one_webhook(webhook("w", "*"));
        let id = ledger.ids().id(postern_core::id::Kind::Delivery, delivery);
        for number in 1..=12 {
            let now = START.plus_ms(i64::from(number) * 20_000_000);
            ledger.resend(&id, now).unwrap();
            let work = claim(&mut ledger, now);
            let mut record = attempt(work.attempt, FAILED, now);
            // A body of control characters is six times as long in JSON.
            let body = "\u{1}".repeat(64 * 1024);
            record.response = Some(ReceivedResponse {
                status: 503,
                headers: Vec::new(),
                body,
                ..ReceivedResponse::default()
            });
            ledger.report(vec![Report { delivery, attempt: record }], now).unwrap();
        }
        let attempts = attempts_of(&ledger.sql, delivery).unwrap();
        let bodies: Vec<bool> = attempts
            .iter()
            .map(|attempt| attempt.response.as_ref().is_some_and(|response| !response.body.is_empty()))
            .collect();
        assert_eq!(attempts.len(), 12);
        assert!(!bodies[0] && bodies[11]);
        assert!(attempts.iter().all(|attempt| attempt.trigger == Trigger::Resend));
        let used = to_lines(&attempts).unwrap().len();
        assert!(used <= ATTEMPTS_BYTES_MAX, "{used}");
    }

    #[test]
    fn the_statistics_of_the_hour_learn_what_a_lost_attempt_was() {
        let (mut ledger, _delivery) = one_webhook(webhook("w", "*"));
        let work = claim(&mut ledger, START);
        let hour_of = |at: Timestamp| at.0 - at.0.rem_euclid(3_600_000);
        let lost_at = work.lease_until;
        lease(&mut ledger, lost_at);
        let counts = |ledger: &Ledger<Rc<Native>>| {
            let rows = ledger.sql.run(
                "SELECT attempts, delivered, at_once, outcomes, latency <> '' FROM stat WHERE hour = ?1",
                &[Value::Integer(hour_of(lost_at) / 3_600_000)],
            );
            let row = first(rows.unwrap()).unwrap();
            let outcomes = String::from(row.text(3).unwrap());
            (row.number(0).unwrap(), row.number(1).unwrap(), row.number(2).unwrap(), outcomes)
        };
        assert_eq!(counts(&ledger), (1, 0, 0, String::from("lost:1")));
        let days_later = lost_at.plus_ms(2 * 86_400_000);
        assert!(report(&mut ledger, &work, OK, days_later));
        assert_eq!(counts(&ledger), (1, 1, 1, String::from("2xx:1")));
    }
}
