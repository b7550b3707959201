//! Leasing what is due, and claiming what was leased.
//!
//! A lease reserves an attempt's number for the first claim. Two steps, because a ticket may be lost,
//! late or doubled on its way through a queue: a lease that nobody claimed was certainly not sent and costs
//! nothing; one that was claimed may have been sent, so its number is used up and recorded as lost.
//!
//! A due delivery passes two questions: whether an older one with its order key is open or another one is
//! leased (then it is put behind it), and what its webhook's gate lets through (then it is held). Both take
//! it out of the index of due work.

use std::collections::{BTreeMap, BTreeSet};

use postern_core::delivery::{Decision, Outcome, decide};
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::memory::gate::{Effects, Opening};
use crate::memory::roster::{LEASE_SLACK_MS, Member};
use crate::memory::window::{Window, rows_of};
use crate::project::Ledger;
use crate::report::release_next;
use crate::row::delivery::{
    self, DeliveryRow, Ending, Offer, Parking, Plan, Recorded, attempts_of, lost_attempt,
};
use crate::row::event::{data_of, object_of};
use crate::row::meta;
use crate::row::rate_window::write_windows;
use crate::row::stat::{StatNote, count_attempts, stat_note};
use crate::row::text::to_json;
use crate::sql::{Sql, Value, atomically, key_set};
use crate::work::{Lane, LeaseTicket, Work, WorkEvent, WorkSet};

/// Lost attempts in a row that are repeated at once and not counted by the schedule: it was our dispatcher
/// that broke, not the receiver. More of them look like a delivery that breaks the dispatcher, and follow the
/// schedule.
pub(crate) const LOST_REPEATS_MAX: usize = 3;
/// Milliseconds beyond the timeout that a claimer needs at least; where less of the lease is left, it is
/// renewed.
const CLAIM_SLACK_MS: i64 = LEASE_SLACK_MS / 2;
/// Milliseconds between two notes of how far inline leases are known to have ended.
const INLINE_CHECK_MS: i64 = 60_000;
/// This part of a call's limit is kept for held deliveries, where there are any.
const HELD_SHARE: usize = 4;

/// What [`Ledger::lease_due`] handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leased {
    /// To be sent to the queue of their lane.
    pub tickets: Vec<LeaseTicket>,
    /// Deliveries that changed, those of `tickets` among them.
    pub changed: Vec<Seq>,
}

/// One call of [`Ledger::lease_due`], inside its transaction.
struct Round<'a, S: Sql> {
    ledger: &'a Ledger<S>,
    sql: &'a S,
    now: Timestamp,
    limit: usize,
    leased: Leased,
    effects: Effects,
    notes: Vec<StatNote>,
    /// Leases that end in this round, by webhook: all, and those that nobody claimed.
    ended: BTreeMap<Seq, (usize, usize)>,
    /// The deliveries of these leases.
    lease_ends: BTreeSet<Seq>,
    /// What each gate still lets through.
    slots: BTreeMap<Seq, usize>,
    offers: Vec<Offer>,
    parked: Vec<Parking>,
}

impl<S: Sql> Ledger<S> {
    /// Leases up to `limit` deliveries that are due or held by a gate that is open, the longest waiting
    /// first, and ends the leases that nobody reported. What is due and may not be called now is put aside.
    /// Call it again while [`Ledger::next_wake`] is not in the future.
    ///
    /// # Errors
    /// The database fails.
    pub fn lease_due(&mut self, now: Timestamp, limit: u32) -> Result<Leased, LedgerError> {
        let limit = (limit as usize).max(1);
        let inline = self.gates.inline_ended(now, limit.div_ceil(2));
        let mut for_due = limit - inline.len();
        if self.gates.holding().next().is_some() {
            for_due = (for_due - for_due / HELD_SHARE).max(usize::from(inline.is_empty()));
        }
        let mut due = self.inline_rows(&inline)?;
        let mut unreadable = Vec::new();
        if for_due > 0 {
            let rows = self.sql.run(
                &format!(
                    "SELECT {} FROM delivery WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2",
                    DeliveryRow::COLUMNS
                ),
                &[Value::from(now), Value::from(u32::try_from(for_due).unwrap_or(u32::MAX))],
            )?;
            for row in &rows {
                match DeliveryRow::read(row) {
                    Ok(row) => due.push(row),
                    Err(_unreadable) => unreadable.push(row.seq(0)?),
                }
            }
        }
        let webhooks: BTreeSet<Seq> = due.iter().map(|row| row.webhook).chain(self.gates.holding()).collect();
        let windows = self.windows_set_back(webhooks, now);
        let checked = self.inline_checkpoint(now);
        if due.is_empty()
            && unreadable.is_empty()
            && checked.is_none()
            && self.gates.holding().next().is_none()
        {
            return Ok(Leased::default());
        }
        let this = &*self;
        let (leased, effects) = atomically(&self.sql, |sql| {
            let mut round = Round::new(this, sql, now, limit, &due);
            if !unreadable.is_empty() {
                delivery::set_aside(sql, unreadable)?;
            }
            write_windows(sql, &rows_of(&windows))?;
            round.effects.windows = windows;
            for row in due {
                round.take_up(&row)?;
            }
            round.write_parked()?;
            round.release_held()?;
            delivery::offer(sql, &round.offers, now)?;
            count_attempts(sql, &round.notes)?;
            if let Some(checked) = checked {
                meta::set_inline_checked(sql, checked)?;
            }
            Ok((round.leased, round.effects))
        })?;
        if let Some(checked) = checked {
            self.inline_checked = (checked, now);
        }
        let mut leased = leased;
        leased.changed.extend(effects.changed.iter().copied());
        self.apply(effects, now);
        Ok(leased)
    }

    /// Rows of inline leases that have ended.
    fn inline_rows(&self, ended: &[Seq]) -> Result<Vec<DeliveryRow>, LedgerError> {
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.sql.run(
            &format!(
                "SELECT {} FROM delivery WHERE seq IN (SELECT value FROM json_each(?1)) AND state = 'leased' AND next_at_ms IS NULL
                 ORDER BY seq",
                DeliveryRow::COLUMNS
            ),
            &[Value::Text(key_set(ended.iter().copied()))],
        )?;
        rows.iter().map(DeliveryRow::read).collect()
    }

    /// The key up to which no inline lease is open, where it is time to note it.
    fn inline_checkpoint(&self, now: Timestamp) -> Option<Seq> {
        let (checked, at) = self.inline_checked;
        let known = self.gates.oldest_inline().map_or_else(|| self.last_key(), |oldest| Seq(oldest.0 - 1));
        // A clock that went back must not put it off for long.
        let is_time = now.ms_since(at) >= INLINE_CHECK_MS || now < at;
        (is_time && known > checked).then_some(known)
    }

    /// Windows of these webhooks that lie ahead of a clock that went back, as they are to be kept from now
    /// on.
    fn windows_set_back(
        &self,
        webhooks: impl IntoIterator<Item = Seq>,
        now: Timestamp,
    ) -> BTreeMap<Seq, Window> {
        let set_back = |webhook| {
            let rate = self.roster.get(webhook)?.rules().rate?;
            Some((webhook, self.gates.window_set_back(webhook, rate, now)?))
        };
        webhooks.into_iter().filter_map(set_back).collect()
    }

    /// Takes the attempts of `tickets` that may be made now. Each can be taken once: a doubled or outdated
    /// ticket, or one of a delivery that has ended, yields nothing and can be forgotten. One whose webhook
    /// may not be called now yields nothing either; its delivery waits for the gate, and its number is not
    /// used up.
    ///
    /// # Errors
    /// The database fails.
    pub fn claim(&mut self, tickets: &[LeaseTicket], now: Timestamp) -> Result<WorkSet, LedgerError> {
        let wanted: Vec<(i64, u32)> =
            self.fitting(tickets, now)?.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)).collect();
        let rows = self.sql.run(
            &format!(
                "SELECT DISTINCT {} FROM json_each(?1) AS j CROSS JOIN delivery
                 WHERE delivery.seq = j.value ->> 0 AND state = 'leased' AND attempt = j.value ->> 1 AND claimed = 0",
                DeliveryRow::COLUMNS
            ),
            &[Value::Text(to_json(&wanted)?)],
        )?;
        let rows = rows.iter().map(DeliveryRow::read).collect::<Result<Vec<_>, _>>()?;
        let mut works = Vec::with_capacity(rows.len());
        let mut kept = Vec::new();
        let mut renewed = Vec::new();
        let mut refused = Vec::new();
        let windows = self.windows_set_back(rows.iter().map(|row| row.webhook), now);
        let mut effects = Effects { windows, ..Effects::default() };
        let mut begun: BTreeMap<Seq, Vec<Seq>> = BTreeMap::new();
        for row in &rows {
            let Some(member) = self.roster.get(row.webhook) else { continue };
            let begun = begun.entry(row.webhook).or_default();
            if !self.gates.may_begin(row.webhook, member.rules(), now, begun.len()) {
                refused.push(Parking { delivery: row.seq, made: row.made, plan: Plan::Held });
                effects.end(row.webhook, row.seq);
                effects.hold(row.webhook);
                continue;
            }
            let Plan::Leased { until: lease_until, .. } = row.plan else { continue };
            begun.push(row.seq);
            let lease_until = if lease_until.ms_since(now) < member.timeout_ms() + CLAIM_SLACK_MS {
                let lease_until = now.plus_ms(member.lease_ms(1));
                renewed.push((row.seq, lease_until));
                lease_until
            } else {
                kept.push(row.seq);
                lease_until
            };
            works.push(self.work_of(row, member, lease_until));
        }
        if works.is_empty() && refused.is_empty() {
            return Ok(WorkSet::default());
        }
        let events = if works.is_empty() {
            Vec::new()
        } else {
            self.work_events(works.iter().map(|work| work.event).collect())?
        };
        effects.windows.extend(self.windows_with(&begun, now));
        atomically(&self.sql, |sql| {
            // With the claims, so that no crash parts the calls from what counts them.
            write_windows(sql, &rows_of(&effects.windows))?;
            delivery::claim(sql, kept, &renewed, now)?;
            delivery::park(sql, &refused, now)?;
            for row in rows.iter().filter(|row| refused.iter().any(|refused| refused.delivery == row.seq)) {
                release_next(sql, &mut effects, row, now)?;
            }
            Ok(())
        })?;
        for (webhook, deliveries) in begun {
            for delivery in deliveries {
                self.gates.claim(webhook, delivery, now);
            }
        }
        self.apply(effects, now);
        Ok(WorkSet { events, works })
    }

    /// The windows of the rate-limited among these webhooks, with the calls that start in them.
    fn windows_with(
        &self,
        begun: &BTreeMap<Seq, Vec<Seq>>,
        now: Timestamp,
    ) -> impl Iterator<Item = (Seq, Window)> {
        let started = begun.iter().filter(|(_webhook, deliveries)| !deliveries.is_empty());
        started.filter_map(move |(webhook, deliveries)| {
            let calls = u32::try_from(deliveries.len()).unwrap_or(u32::MAX);
            let rate = self.roster.get(*webhook)?.rules().rate?;
            Some((*webhook, self.gates.window_with(*webhook, rate, now, calls)))
        })
    }

    /// The call of a delivery that is leased to `member`.
    fn work_of(&self, row: &DeliveryRow, member: &Member, lease_until: Timestamp) -> Work {
        Work {
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
        }
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

impl<'a, S: Sql> Round<'a, S> {
    fn new(ledger: &'a Ledger<S>, sql: &'a S, now: Timestamp, limit: usize, due: &[DeliveryRow]) -> Self {
        let mut ended: BTreeMap<Seq, (usize, usize)> = BTreeMap::new();
        let lease_ends = due.iter().filter(|row| row.plan.is_leased()).map(|row| row.seq).collect();
        for row in due.iter().filter(|row| row.plan.is_leased()) {
            let (all, unclaimed) = ended.entry(row.webhook).or_default();
            *all += 1;
            *unclaimed += usize::from(!row.plan.is_claimed());
        }
        Self {
            ledger,
            sql,
            now,
            limit,
            leased: Leased::default(),
            effects: Effects::default(),
            notes: Vec::new(),
            ended,
            lease_ends,
            slots: BTreeMap::new(),
            offers: Vec::new(),
            parked: Vec::new(),
        }
    }

    /// A row that is due: a delivery whose time has come, or whose lease has ended.
    fn take_up(&mut self, row: &DeliveryRow) -> Result<(), LedgerError> {
        self.leased.changed.push(row.seq);
        let Some(member) = self.ledger.roster.get(row.webhook) else {
            // Never written so; but one damaged row must not hold up all the others for ever.
            self.effects.end(row.webhook, row.seq);
            delivery::cancel_orphan(self.sql, row, self.now)?;
            return Ok(());
        };
        if !row.plan.is_leased() {
            return self.offer_or_park(row, member, row.attempt + 1, 1);
        }
        self.effects.end(row.webhook, row.seq);
        if !row.plan.is_claimed() {
            self.offer_or_park(row, member, row.attempt, row.offers + 1)?;
        } else if let Some(recorded) = self.end_lost(row, member)? {
            self.offer_or_park(&recorded, member, row.attempt + 1, 1)?;
        }
        release_next(self.sql, &mut self.effects, row, self.now)
    }

    /// Whether the order of its key lets a delivery go: no older one is open, and no other is leased. A
    /// younger one may be, if a replay or a person has asked for this one meanwhile.
    fn is_next_of_key(&self, row: &DeliveryRow) -> Result<bool, LedgerError> {
        let Some(key) = &row.order_key else { return Ok(true) };
        let mut leased = self.ledger.gates.leased_with_key(row.webhook, key);
        let is_other_leased = leased.any(|other| other != row.seq && !self.lease_ends.contains(&other));
        Ok(!is_other_leased && row.is_head(self.sql)?)
    }

    fn offer_or_park(
        &mut self,
        row: &DeliveryRow,
        member: &Member,
        attempt: u32,
        offers: u32,
    ) -> Result<(), LedgerError> {
        // What waits goes first, but for what a person has asked for.
        let waits_for_none =
            || row.resend || (!self.ledger.gates.holds(row.webhook) && !self.effects.holds(row.webhook));
        if !self.is_next_of_key(row)? {
            self.park(row, Plan::Behind);
        } else if waits_for_none() && self.slots(row.webhook, member) > 0 {
            self.offer(row, member, attempt, offers);
        } else {
            self.park(row, Plan::Held);
            self.effects.hold(row.webhook);
        }
        Ok(())
    }

    /// What the gate of a webhook still lets through in this round.
    fn slots(&mut self, webhook: Seq, member: &Member) -> usize {
        let (ended, unclaimed) = self.ended.get(&webhook).copied().unwrap_or_default();
        *self.slots.entry(webhook).or_insert_with(|| {
            match self.ledger.gates.opening_without(webhook, member.rules(), self.now, ended, unclaimed) {
                Opening::Now(slots) => slots,
                Opening::At(_) | Opening::Later => 0,
            }
        })
    }

    fn offer(&mut self, row: &DeliveryRow, member: &Member, attempt: u32, offers: u32) {
        if let Some(slots) = self.slots.get_mut(&row.webhook) {
            *slots = slots.saturating_sub(1);
        }
        self.offers.push(Offer {
            delivery: row.seq,
            attempt,
            offers,
            until: self.now.plus_ms(member.lease_ms(offers)),
        });
        let lane = if attempt == 1 { Lane::First } else { Lane::Retry };
        self.leased.tickets.push(LeaseTicket { delivery: row.seq, attempt, webhook: row.webhook, lane });
        self.effects.leased.push((row.webhook, row.seq, row.order_key.clone()));
    }

    /// Puts a delivery aside. A number that was offered to nobody who claimed it is not used up.
    fn park(&mut self, row: &DeliveryRow, plan: Plan) {
        self.parked.push(Parking { delivery: row.seq, made: row.made, plan });
    }

    fn write_parked(&mut self) -> Result<(), LedgerError> {
        delivery::park(self.sql, &std::mem::take(&mut self.parked), self.now)
    }

    /// Leases held deliveries of the gates that are open, the oldest of each first.
    fn release_held(&mut self) -> Result<(), LedgerError> {
        let gates = &self.ledger.gates;
        let known = gates.holding();
        let new = self.effects.held.iter().copied().filter(|webhook| !gates.holds(*webhook));
        let webhooks: Vec<Seq> = known.chain(new).collect();
        let mut open = Vec::new();
        for webhook in webhooks {
            match self.ledger.roster.get(webhook) {
                None => self.effects.drained(webhook),
                Some(member) if self.slots(webhook, member) > 0 => open.push((webhook, member)),
                Some(_closed) => {}
            }
        }
        // Each open gate gets its share, so that a webhook with many held deliveries does not keep the
        // others.
        let left = self.limit.saturating_sub(self.leased.tickets.len());
        let share = left.checked_div(open.len()).unwrap_or(0).max(1);
        for (webhook, member) in open.into_iter().take(left) {
            let slots = self.slots(webhook, member).min(share);
            let rows = self.sql.run(
                &format!(
                    "SELECT {} FROM delivery WHERE webhook = ?1 AND parked = 1 ORDER BY seq LIMIT ?2",
                    DeliveryRow::COLUMNS
                ),
                &[Value::from(webhook), Value::from(u32::try_from(slots).unwrap_or(u32::MAX))],
            )?;
            if rows.len() < slots {
                self.effects.drained(webhook);
            }
            for row in &rows {
                let row = DeliveryRow::read(row)?;
                self.leased.changed.push(row.seq);
                if self.is_next_of_key(&row)? {
                    self.offer(&row, member, row.attempt + 1, 1);
                } else {
                    self.park(&row, Plan::Behind);
                }
            }
            gates.served(webhook);
        }
        self.write_parked()
    }

    /// Records that a claimed attempt was never reported; gives the delivery as it is then, where it is to be
    /// repeated now.
    fn end_lost(&mut self, row: &DeliveryRow, member: &Member) -> Result<Option<DeliveryRow>, LedgerError> {
        let (sql, now) = (self.sql, self.now);
        let lost_before = attempts_of(sql, row.seq)?
            .iter()
            .rev()
            .take_while(|attempt| attempt.outcome == Outcome::Lost)
            .count();
        let lost = lost_attempt(row, now);
        self.effects.notes.push((row.webhook, false));
        self.notes.push(stat_note(row, &lost, now));
        let mut recorded = DeliveryRow { made: row.attempt, plan: Plan::Due { at: now }, ..row.clone() };
        if lost_before < LOST_REPEATS_MAX {
            let standing = Recorded { plan: recorded.plan, resend: row.resend, scheduled: row.scheduled };
            delivery::record(sql, row, &lost, standing, now)?;
            return Ok(Some(recorded));
        }
        recorded.scheduled = row.scheduled_after();
        let plan = match decide(
            self.ledger.standing(member, row.seq, recorded.scheduled),
            &Outcome::Lost,
            None,
            now,
        ) {
            Decision::Wait { next_at } => Plan::Due { at: next_at },
            Decision::Delivered | Decision::Dead | Decision::DisableWebhook { .. } => {
                Plan::Ended(Ending::Dead)
            }
        };
        delivery::record(
            sql,
            row,
            &lost,
            Recorded { plan, resend: false, scheduled: recorded.scheduled },
            now,
        )?;
        if plan.is_final() {
            release_next(sql, &mut self.effects, row, now)?;
            self.ledger.announce_dead(sql, &mut self.effects, row, &lost, now)?;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::State;
    use postern_core::retry::SCHEDULE_S;
    use postern_core::webhook::{Definition, RateLimit};

    use super::*;
    use crate::support::build::{
        START, attempt, attempt_due, create, event, in_order, lease, ledger, post, webhook,
    };
    use crate::support::native::Native;

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
        assert_eq!(
            lease(&mut damaged, START).iter().map(|ticket| ticket.delivery).collect::<Vec<_>>(),
            [other]
        );
        assert_eq!(state(&damaged, orphan), (State::Cancelled, 0, None));
    }

    fn keys(tickets: &[LeaseTicket]) -> Vec<Seq> {
        tickets.iter().map(|ticket| ticket.delivery).collect()
    }

    /// Claims and reports.
    fn end(ledger: &mut Ledger<Rc<Native>>, tickets: &[LeaseTicket], status: u16, now: Timestamp) {
        for work in ledger.claim(tickets, now).unwrap().works {
            let attempt = attempt(work.attempt, Outcome::Answered { status }, now);
            ledger.report(vec![crate::Report { delivery: work.delivery, attempt }], now).unwrap();
        }
    }

    fn gate_opens_at(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Option<Timestamp> {
        for entry in ledger.outbox_due(now, 100).unwrap() {
            ledger.outbox_done(entry.item, entry.version).unwrap();
        }
        ledger.next_wake(now).unwrap().map(|(at, _reason)| at)
    }

    #[test]
    fn deliveries_of_a_paused_webhook_wait_and_go_on_in_their_order() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let offered = post(&mut ledger, "a")[0];
        let tickets = lease(&mut ledger, START);
        ledger.pause_webhook("w", None, START).unwrap();
        let (second, third) = (post(&mut ledger, "b")[0], post(&mut ledger, "c")[0]);
        assert!(ledger.claim(&tickets, START).unwrap().works.is_empty());
        assert_eq!(state(&ledger, offered), (State::Pending, 0, None), "its number is not used up");
        assert!(lease(&mut ledger, START.plus_ms(1_000_000)).is_empty());
        let health = ledger.webhook("w").unwrap().health;
        assert_eq!((health.status, health.held), (postern_core::api::webhook::HealthStatus::Paused, 3));
        ledger.resume_webhook("w", None, START).unwrap();
        assert_eq!(gate_opens_at(&mut ledger, START), Some(START));
        let tickets = lease(&mut ledger, START);
        assert_eq!(keys(&tickets), [offered, second, third]);
        assert!(tickets.iter().all(|ticket| ticket.attempt == 1));
    }

    #[test]
    fn no_more_calls_begin_in_a_window_than_the_rate_limit_says() {
        let mut ledger = ledger();
        let rate = RateLimit { calls: 2, per_s: 10 };
        create(&mut ledger, Definition { rate_limit: Some(rate), ..webhook("w", "*") });
        let deliveries: Vec<Seq> = (0..5).flat_map(|_number| post(&mut ledger, "a")).collect();
        let tickets = lease(&mut ledger, START);
        assert_eq!(keys(&tickets), deliveries[..2]);
        end(&mut ledger, &tickets[..1], 200, START);
        let later = START.plus_ms(4_000);
        assert!(lease(&mut ledger, later).is_empty(), "the ticket that is out has the other slot");
        end(&mut ledger, &tickets[1..], 200, later);
        // What sleeps forgets how long a ticket was on its way, and counts on none.
        let mut ledger = slept(&ledger);
        assert_eq!(gate_opens_at(&mut ledger, later), Some(START.plus_ms(10_000)));
        let tickets = lease(&mut ledger, START.plus_ms(10_000));
        assert_eq!(keys(&tickets), deliveries[2..3]);
        end(&mut ledger, &tickets, 200, START.plus_ms(10_000));
        assert!(lease(&mut ledger, START.plus_ms(13_999)).is_empty());
        assert_eq!(keys(&lease(&mut ledger, START.plus_ms(14_000))), deliveries[3..4]);
    }

    #[test]
    fn after_a_restart_a_window_holds_what_was_called_in_it() {
        let mut ledger = ledger();
        let rate = RateLimit { calls: 3, per_s: 60 };
        create(&mut ledger, Definition { rate_limit: Some(rate), ..webhook("w", "*") });
        let deliveries: Vec<Seq> = (0..6).flat_map(|_number| post(&mut ledger, "a")).collect();
        let tickets = lease(&mut ledger, START);
        end(&mut ledger, &tickets[..1], 200, START);
        ledger.claim(&tickets[1..2], START).unwrap();
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert!(
            lease(&mut ledger, START.plus_ms(1_000)).is_empty(),
            "one was reported, one is under way, one is leased"
        );
        assert_eq!(ledger.claim(&tickets[2..], START.plus_ms(1_000)).unwrap().works.len(), 1);
        let tickets = lease(&mut ledger, START.plus_ms(61_000));
        assert_eq!(keys(&tickets).last(), Some(&deliveries[3]));
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let next_day = START.plus_ms(86_400_000);
        assert!(lease(&mut ledger, next_day).len() >= 3, "a quiet webhook does not wait");
    }

    /// The next full hour after [`START`]: counts are kept by the hour, and start anew.
    const HOUR: Timestamp = Timestamp((START.0 / 3_600_000 + 1) * 3_600_000);

    fn limited(calls: u32, per_s: u32) -> Definition {
        Definition { rate_limit: Some(RateLimit { calls, per_s }), ..webhook("w", "*") }
    }

    /// The object slept: a new instance knows what is stored.
    fn slept(ledger: &Ledger<Rc<Native>>) -> Ledger<Rc<Native>> {
        Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap()
    }

    fn post_at(ledger: &mut Ledger<Rc<Native>>, count: usize, now: Timestamp) {
        ledger.ingest((0..count).map(|_number| event("a")).collect(), crate::InlineLimit(0), now).unwrap();
    }

    /// What an alarm and its dispatchers do at `now`, the object asleep before each step; gives how many
    /// calls were made. The last step leaves the object awake, which sets its alarm.
    fn ring(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> usize {
        *ledger = slept(ledger);
        let tickets = lease(ledger, now);
        if tickets.is_empty() {
            return 0;
        }
        *ledger = slept(ledger);
        let works = ledger.claim(&tickets, now).unwrap().works;
        *ledger = slept(ledger);
        for work in &works {
            let attempt = attempt(work.attempt, Outcome::Answered { status: 200 }, now);
            ledger.report(vec![crate::Report { delivery: work.delivery, attempt }], now).unwrap();
        }
        works.len()
    }

    /// Follows the alarm from `now` on until all is done: after how many seconds each call was made.
    fn seconds_of_calls(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Vec<i64> {
        let mut calls = Vec::new();
        let mut at = now;
        for _ring in 0..200 {
            calls.extend(std::iter::repeat_n(at.ms_since(now) / 1_000, ring(ledger, at)));
            let Some(next) = gate_opens_at(ledger, at) else { return calls };
            at = next.max(at.plus_ms(1));
        }
        panic!("it goes on for ever: {calls:?}");
    }

    #[test]
    fn a_limited_webhook_is_called_on_time_although_the_object_sleeps_before_every_step() {
        let mut ledger = ledger();
        create(&mut ledger, limited(1, 60));
        post_at(&mut ledger, 1, HOUR);
        assert_eq!(seconds_of_calls(&mut ledger, HOUR), [0]);
        let later = HOUR.plus_ms(300_000);
        post_at(&mut ledger, 3, later);
        let mut ledger = slept(&ledger);
        assert_eq!(
            gate_opens_at(&mut ledger, later),
            Some(later),
            "one call in this hour, and none in this minute"
        );
        assert_eq!(seconds_of_calls(&mut ledger, later), [0, 60, 120]);
    }

    #[test]
    fn a_burst_is_let_through_and_then_as_much_a_window_although_the_object_sleeps() {
        let mut ledger = ledger();
        create(&mut ledger, limited(10, 60));
        let mut now = HOUR;
        // Well below the limit: every event is called as it comes.
        for _half_minute in 0..130 {
            post_at(&mut ledger, 1, now);
            assert_eq!(ring(&mut ledger, now), 1, "{} s after the hour", now.ms_since(HOUR) / 1_000);
            now = now.plus_ms(30_000);
        }
        // One call is in the window, for half of it.
        post_at(&mut ledger, 25, now);
        let calls = seconds_of_calls(&mut ledger, now);
        let in_window = |from: i64| calls.iter().filter(|at| (from..from + 60).contains(*at)).count();
        assert_eq!((in_window(0), in_window(60), in_window(120), calls.len()), (10, 10, 5, 25), "{calls:?}");
        assert_eq!(calls.iter().filter(|at| **at == 0).count(), 9);
    }

    #[test]
    fn a_rate_limit_is_used_up_and_never_exceeded_however_long_a_ticket_is_on_its_way() {
        for latency_ms in [0, 500, 1_000, 3_000] {
            let mut ledger = ledger();
            create(&mut ledger, limited(10, 1));
            post_at(&mut ledger, 700, START);
            let (mut on_their_way, mut begun) = (BTreeMap::<Timestamp, Vec<LeaseTicket>>::new(), Vec::new());
            let mut under_way = BTreeMap::<Timestamp, Vec<Work>>::new();
            let (mut now, end) = (START, START.plus_ms(60_000));
            while now < end {
                for works in under_way.remove(&now).into_iter().flatten() {
                    let attempt = attempt(works.attempt, Outcome::Answered { status: 200 }, now);
                    ledger.report(vec![crate::Report { delivery: works.delivery, attempt }], now).unwrap();
                }
                if let Some(tickets) = on_their_way.remove(&now) {
                    let works = ledger.claim(&tickets, now).unwrap().works;
                    begun.extend(works.iter().map(|_work| now));
                    under_way.entry(now.plus_ms(50)).or_default().extend(works);
                }
                let tickets = lease(&mut ledger, now);
                on_their_way.entry(now.plus_ms(latency_ms.max(1))).or_default().extend(tickets);
                let wakes = [on_their_way.keys().next(), under_way.keys().next()].into_iter().flatten();
                let opens = gate_opens_at(&mut ledger, now).map(|at| at.max(now.plus_ms(1)));
                now = wakes.copied().chain(opens).min().unwrap_or(end);
            }
            for (index, at) in begun.iter().enumerate().skip(10) {
                assert!(at.ms_since(begun[index - 10]) >= 1_000, "eleven calls in a second, {latency_ms} ms");
            }
            // 600 are allowed in a minute; the first tickets have yet to show how long they take.
            let allowed = 600 - 10 * usize::try_from(latency_ms).unwrap() / 1_000;
            assert!(begun.len() * 100 >= allowed * 95, "{} calls, {latency_ms} ms", begun.len());
        }
    }

    #[test]
    fn no_window_holds_more_calls_than_the_limit_says_however_often_the_object_starts() {
        for (calls, per_s) in [(1, 60), (3, 20), (10, 60), (150, 30)] {
            let mut ledger = ledger();
            create(&mut ledger, limited(calls, per_s));
            let mut begun: Vec<Timestamp> = Vec::new();
            let mut waiting = Vec::new();
            let mut now = HOUR;
            for step in 0..300_i64 {
                now = now.plus_ms(step * 7_919 % 11_000);
                post_at(&mut ledger, usize::try_from(step * 31 % 17).unwrap(), now);
                ledger = slept(&ledger);
                waiting.extend(lease(&mut ledger, now));
                ledger = slept(&ledger);
                // Some tickets come late, some never, and the calls of some are lost.
                let now_taken: Vec<LeaseTicket> =
                    waiting.extract_if(.., |ticket| (ticket.delivery.0 + step) % 3 > 0).collect();
                let works = ledger.claim(&now_taken, now).unwrap().works;
                begun.extend(works.iter().map(|_work| now));
                for work in works.iter().filter(|work| work.delivery.0 % 5 > 0) {
                    let attempt = attempt(work.attempt, Outcome::Answered { status: 200 }, now);
                    ledger.report(vec![crate::Report { delivery: work.delivery, attempt }], now).unwrap();
                }
                let in_window =
                    begun.iter().rev().take_while(|at| now.ms_since(**at) < i64::from(per_s) * 1_000).count();
                assert!(in_window <= calls as usize, "{in_window} calls of {calls} in {per_s} s");
            }
            let allowed = now.ms_since(HOUR) / 1_000 * i64::from(calls) / i64::from(per_s);
            assert!(
                i64::try_from(begun.len()).unwrap() * 3 > allowed.min(2_000),
                "{} of {allowed} calls",
                begun.len()
            );
        }
    }

    #[test]
    fn a_clock_that_goes_back_costs_two_windows_at_most() {
        let mut ledger = ledger();
        create(&mut ledger, limited(1, 60));
        post_at(&mut ledger, 1, HOUR);
        assert_eq!(ring(&mut ledger, HOUR), 1);
        let back = HOUR.plus_ms(-3_000_000);
        post_at(&mut ledger, 2, back);
        let mut ledger = slept(&ledger);
        let calls = seconds_of_calls(&mut ledger, back);
        assert_eq!(calls, [60, 120], "the call that lies ahead counts as made when that was noticed");
    }

    #[test]
    fn a_clock_that_was_years_ahead_closes_no_window_for_years() {
        let mut ledger = ledger();
        create(&mut ledger, limited(1, 60));
        let far = HOUR.plus_ms(10 * 365 * 86_400_000);
        post_at(&mut ledger, 1, far);
        assert_eq!(ring(&mut ledger, far), 1);
        post_at(&mut ledger, 1, HOUR);
        let mut ledger = slept(&ledger);
        assert_eq!(gate_opens_at(&mut ledger, HOUR), Some(HOUR.plus_ms(60_000)));
        assert_eq!(seconds_of_calls(&mut ledger, HOUR.plus_ms(60_000)), [60]);
    }

    #[test]
    fn a_limit_that_is_changed_goes_on_with_the_calls_of_its_window_and_one_that_was_removed_without() {
        let mut ledger = ledger();
        create(&mut ledger, limited(2, 60));
        post_at(&mut ledger, 9, HOUR);
        assert_eq!(ring(&mut ledger, HOUR), 2);
        let change = |ledger: &mut Ledger<Rc<Native>>, definition| {
            ledger.update_webhook("w", definition, None, HOUR.plus_ms(1_000)).unwrap();
            *ledger = slept(ledger);
        };
        let soon = HOUR.plus_ms(2_000);
        change(&mut ledger, limited(3, 60));
        assert_eq!(ring(&mut ledger, soon), 1, "two of three are used");
        change(&mut ledger, limited(1, 60));
        assert_eq!(
            gate_opens_at(&mut ledger, soon),
            Some(soon.plus_ms(60_000)),
            "the last of three must have left"
        );
        change(&mut ledger, limited(1, 5));
        assert_eq!(gate_opens_at(&mut ledger, soon), Some(soon.plus_ms(5_000)));
        change(&mut ledger, webhook("w", "*"));
        assert!(ledger.sql.run("SELECT 1 FROM rate_window", &[]).unwrap().is_empty());
        change(&mut ledger, limited(2, 60));
        assert_eq!(ring(&mut ledger, soon), 2, "a limit counts from when it was set");
        ledger.delete_webhook("w", None, soon).unwrap();
        assert!(ledger.sql.run("SELECT 1 FROM rate_window", &[]).unwrap().is_empty());
    }

    #[test]
    fn a_claim_of_a_webhook_with_a_limit_writes_one_row_more_and_others_none() {
        for (definition, expected) in [(webhook("w", "*"), 2), (limited(5, 60), 3)] {
            let mut ledger = ledger();
            create(&mut ledger, definition);
            post_at(&mut ledger, 2, HOUR);
            let tickets = lease(&mut ledger, HOUR);
            let store = Rc::clone(&ledger.sql);
            let written =
                store.count_rows_written(|| assert_eq!(ledger.claim(&tickets, HOUR).unwrap().works.len(), 2));
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn no_more_calls_are_under_way_than_the_concurrency_limit_says() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { concurrency_limit: Some(2), ..webhook("w", "*") });
        let deliveries: Vec<Seq> = (0..4).flat_map(|_number| post(&mut ledger, "a")).collect();
        let tickets = lease(&mut ledger, START);
        assert_eq!(keys(&tickets), deliveries[..2]);
        assert!(lease(&mut ledger, START).is_empty());
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert!(lease(&mut ledger, START).is_empty(), "a restart forgets no lease");
        end(&mut ledger, &tickets[..1], 500, START);
        assert_eq!(keys(&lease(&mut ledger, START)), deliveries[2..3]);
        let edited =
            Definition { concurrency_limit: Some(3), ..ledger.stored_webhook("w").unwrap().definition };
        ledger.update_webhook("w", edited, None, START).unwrap();
        assert_eq!(keys(&lease(&mut ledger, START)), deliveries[3..]);
    }

    #[test]
    fn the_head_of_an_order_waits_and_others_go_on() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { ordered: true, ..webhook("w", "*") });
        let events = vec![
            in_order("a", "k"),
            in_order("b", "k"),
            in_order("c", "other"),
            event("d"),
            in_order("e", "k"),
        ];
        let deliveries = ledger.ingest(events, crate::InlineLimit(6), START).unwrap().changed;
        let [head, second, other, free, third] = deliveries[..] else { panic!("{deliveries:?}") };
        let tickets = lease(&mut ledger, START);
        assert_eq!(keys(&tickets), [head, other, free]);
        end(&mut ledger, &tickets, 500, START);
        let due = state(&ledger, head).2.unwrap();
        assert!(
            due > START && !keys(&lease(&mut ledger, due.plus_ms(-1))).contains(&second),
            "the head waits for its retry"
        );
        assert_eq!(ledger.detail().unwrap().counts.open, 5);
        let id = ledger.ids().id(Kind::Delivery, head);
        ledger.cancel(&id, due).unwrap();
        let tickets: Vec<LeaseTicket> =
            lease(&mut ledger, due).into_iter().filter(|ticket| ticket.delivery == second).collect();
        end(&mut ledger, &tickets, 200, due);
        assert!(keys(&lease(&mut ledger, due)).contains(&third));
    }

    #[test]
    fn who_gives_up_its_order_gets_everything_that_waited() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { ordered: true, ..webhook("w", "*") });
        let events = (0..3).map(|_number| in_order("a", "k")).collect();
        let deliveries = ledger.ingest(events, crate::InlineLimit(0), START).unwrap().changed;
        assert_eq!(keys(&lease(&mut ledger, START)), deliveries[..1]);
        ledger.update_webhook("w", webhook("w", "*"), None, START).unwrap();
        assert_eq!(keys(&lease(&mut ledger, START)), deliveries[1..]);
    }

    #[test]
    fn a_failing_webhook_gets_one_call_at_a_time_until_one_succeeds() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for _failure in 0..postern_core::health::FAILING_AFTER {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        }
        let waiting: Vec<Seq> = (0..3).flat_map(|_number| post(&mut ledger, "b")).collect();
        assert!(lease(&mut ledger, START.plus_ms(500)).is_empty());
        let opens = gate_opens_at(&mut ledger, START.plus_ms(500)).unwrap();
        assert_eq!(opens, START.plus_ms(1_040), "a second after the report");
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let probe = lease(&mut ledger, opens);
        assert_eq!(keys(&probe), waiting[..1]);
        assert!(lease(&mut ledger, opens.plus_ms(30_000)).is_empty());
        end(&mut ledger, &probe, 200, opens);
        assert_eq!(keys(&lease(&mut ledger, opens)), waiting[1..]);
    }

    #[test]
    fn a_delivery_that_a_person_asks_for_does_not_wait_for_the_pause_of_its_webhook() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for _failure in 0..postern_core::health::FAILING_AFTER {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        }
        let waiting: Vec<Seq> = (0..3).flat_map(|_number| post(&mut ledger, "b")).collect();
        let soon = START.plus_ms(500);
        assert!(lease(&mut ledger, soon).is_empty());
        let id = ledger.ids().id(Kind::Delivery, waiting[2]);
        ledger.resend(&id, soon).unwrap();
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(keys(&lease(&mut ledger, soon)), waiting[2..], "it is the probe, and the only one");
    }

    #[test]
    fn a_webhook_with_many_held_deliveries_does_not_keep_the_others() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { paused: true, ..webhook("many", "a") });
        for name in ["few", "fewer"] {
            create(&mut ledger, Definition { paused: true, ..webhook(name, "b") });
        }
        create(&mut ledger, webhook("none", "c"));
        for _batch in 0..20 {
            ledger
                .ingest((0..100).map(|_number| event("a")).collect(), crate::InlineLimit(0), START)
                .unwrap();
        }
        let few = post(&mut ledger, "b");
        for name in ["many", "few", "fewer"] {
            ledger.resume_webhook(name, None, START).unwrap();
        }
        let due = post(&mut ledger, "c")[0];
        let first = ledger.lease_due(START, 8).unwrap().tickets;
        assert!(few.iter().chain([&due]).all(|delivery| keys(&first).contains(delivery)), "{first:?}");
        let mut leased = first.len();
        for _call in 0..2_000 {
            let tickets = ledger.lease_due(START, 100).unwrap().tickets;
            assert!(tickets.len() <= 100);
            leased += tickets.len();
            if tickets.is_empty() {
                break;
            }
            // What was called makes room for what waits.
            for ticket in tickets {
                let work = ledger.claim(&[ticket], START).unwrap().works.remove(0);
                let attempt = attempt(work.attempt, Outcome::Answered { status: 200 }, START);
                ledger.report(vec![crate::Report { delivery: work.delivery, attempt }], START).unwrap();
            }
        }
        assert_eq!(leased, 2_003);
    }

    #[test]
    fn a_receiver_that_is_back_after_an_outage_gets_2_4_and_8_calls_at_once_in_the_first_second() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for _failure in 0..postern_core::health::FAILING_AFTER {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, Outcome::TimedOut);
        }
        for _batch in 0..50 {
            post_at(&mut ledger, 100, START);
        }
        let probe_at = gate_opens_at(&mut ledger, START.plus_ms(40)).unwrap();
        // The receiver takes 100 ms for a call and as many at once as it gets; tickets arrive at once.
        let (mut now, mut under_way) = (probe_at, Vec::<(Timestamp, Work)>::new());
        let (mut at_once, mut done) = (Vec::new(), 0);
        while done < 5_000 {
            let (ended, left) = under_way.drain(..).partition(|(at, _work)| *at <= now);
            under_way = left;
            let ended: Vec<(Timestamp, Work)> = ended;
            done += ended.len();
            let report = |(_, work): (Timestamp, Work)| crate::Report {
                delivery: work.delivery,
                attempt: attempt(work.attempt, Outcome::Answered { status: 200 }, now),
            };
            ledger.report(ended.into_iter().map(report).collect(), now).unwrap();
            for _round in 0..3 {
                let tickets = lease(&mut ledger, now);
                let works = ledger.claim(&tickets, now).unwrap().works;
                under_way.extend(works.into_iter().map(|work| (now.plus_ms(100), work)));
            }
            at_once.push(under_way.len());
            now = now.plus_ms(100);
            assert!(now.ms_since(probe_at) < 60_000, "{done} done, {at_once:?}");
        }
        assert_eq!(at_once[0], 1, "the probe");
        assert!(at_once[1..11].iter().all(|count| *count <= 8), "{at_once:?}");
        assert!([2, 4, 8, 16, 32, 50].iter().all(|count| at_once.contains(count)), "{at_once:?}");
        assert_eq!(at_once.iter().max(), Some(&50), "the bound of all");
        // At its own pace, 50 in 100 ms, it would have taken ten seconds.
        let took_ms = i64::try_from(at_once.len()).unwrap() * 100;
        assert!(took_ms <= 12_000, "{took_ms} ms");
    }

    #[test]
    fn a_webhook_without_a_limit_gets_fifty_calls_at_once_and_its_page_says_so() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post_at(&mut ledger, 80, START);
        let tickets = lease(&mut ledger, START);
        let works = ledger.claim(&tickets, START).unwrap().works;
        assert_eq!((tickets.len(), works.len()), (80, 50));
        let waiting = tickets[79].delivery;
        let id = ledger.ids().id(Kind::Delivery, waiting);
        let told = ledger.delivery(&id).unwrap().reason.headline;
        assert!(told.contains("50 calls to the webhook are under way"), "{told}");
        let attempt = attempt(works[0].attempt, Outcome::Answered { status: 200 }, START);
        ledger.report(vec![crate::Report { delivery: works[0].delivery, attempt }], START).unwrap();
        let next: Vec<Seq> = lease(&mut ledger, START).iter().map(|ticket| ticket.delivery).collect();
        assert_eq!(next[0], tickets[50].delivery, "one has ended, and the oldest that waits goes on");
    }

    #[test]
    fn a_row_that_cannot_be_read_holds_up_no_other() {
        let mut ledger = ledger();
        for name in ["damaged", "well"] {
            create(&mut ledger, webhook(name, name));
        }
        let (damaged, well) = (post(&mut ledger, "damaged")[0], post(&mut ledger, "well")[0]);
        let now = START.plus_ms(1_000);
        for (table, column) in
            [("webhook", "definition"), ("webhook_health", "health"), ("rate_window", "begun")]
        {
            let statement = match table {
                "webhook" => "UPDATE webhook SET definition = ?1 WHERE name = 'damaged'",
                "webhook_health" => "INSERT INTO webhook_health (webhook, health) VALUES (1, ?1)",
                _ => "INSERT INTO rate_window (webhook, begun) VALUES (1, ?1)",
            };
            ledger.sql.run(statement, &[Value::from("{\"level\":\"of another build\"}")]).unwrap();
            assert!(Ledger::open(Rc::clone(&ledger.sql)).is_ok(), "{table}.{column}");
        }
        let mut ledger = slept(&ledger);
        let view = ledger.webhook("damaged").unwrap();
        assert!(!view.enabled && view.disabled_reason.unwrap().contains("another version of Postern"));
        let refused = ledger.update_webhook("damaged", webhook("damaged", "*"), None, now);
        assert!(matches!(refused, Err(LedgerError::StateConflict { .. })), "it stays as it was written");
        assert_eq!(ledger.webhooks_after(Seq(0), 9).unwrap().len(), 1);
        assert_eq!(keys(&lease(&mut ledger, now)), [well], "its own deliveries wait");
        assert_eq!(state(&ledger, damaged).0, State::Pending);
        assert_eq!(post(&mut ledger, "damaged"), [], "it takes no events");

        // An attempt and a state of another build.
        let late = post(&mut ledger, "well")[0];
        let text = Value::from("{\"outcome\":\"of another build\"}\n");
        let lost = now.plus_ms(LEASE_MS);
        let tickets = ledger.lease_due(now, 9).unwrap().tickets;
        ledger.claim(&tickets, now).unwrap();
        let statement = "UPDATE delivery SET attempts = ?1, made = 1, attempt = 2 WHERE seq = ?2";
        ledger.sql.run(statement, &[text, Value::from(late)]).unwrap();
        ledger.sql.run("UPDATE delivery SET state = 'unheard' WHERE seq = ?1", &[Value::from(well)]).unwrap();
        assert_eq!(keys(&lease(&mut ledger, lost)), [late]);
        ledger.sql.run("DELETE FROM outbox", &[]).unwrap();
        assert!(ledger.next_wake(lost).unwrap().unwrap().0 > lost, "nothing is due for ever");
        ledger.delete_webhook("damaged", None, lost).unwrap();
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
