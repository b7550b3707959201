//! Deliveries as people see them: lists, one in full, resend, cancel.

use postern_core::api::delivery::{AttemptView, DeliveryDetail, DeliveryView};
use postern_core::api::page::Page;
use postern_core::contract::{Source, render};
use postern_core::delivery::{Attempt, State};
use postern_core::explain;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::Contract;
use serde::{Deserialize, Serialize};

use crate::error::{LedgerError, damaged};
use crate::memory::gate::Effects;
use crate::pages::SCANNED_MAX;
use crate::project::Ledger;
use crate::report::release_next;
use crate::row::delivery::{
    self, DeliveryRow, Line, Order, Plan, Recorded, Resend, attempts_of, lost_attempt,
};
use crate::row::health::write_health;
use crate::row::keys::read_created;
use crate::row::stat::{count_attempts, stat_note};
use crate::row::text::state_of;
use crate::sql::{Row, Sql, Value, atomically, first, key_set};

/// Attempts of a delivery at most, resends included: the record of them must fit its row.
pub(crate) const ATTEMPTS_MAX: u32 = 1_000;
/// What [`Ledger::delivery_view_of`] reads, from `delivery AS d` and `event AS e`.
const VIEW_COLUMNS: &str =
    "d.seq, d.event, e.type, d.webhook, d.state, d.made, coalesce(d.next_at_ms, d.lease_until_ms),
    d.last_status, d.last_result, d.last_duration_ms, d.seq, d.late, e.accepted_at_ms, d.updated_at_ms";

/// Which deliveries a list shows. What is `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFilter {
    /// Those in this state.
    pub state: Option<State>,
    /// Those of the webhook with this name; of an unknown one there are none.
    pub webhook: Option<String>,
    /// Those of events of exactly this type.
    pub kind: Option<String>,
}

impl<S: Sql> Ledger<S> {
    fn delivery_view_of(&self, row: &Row) -> Result<DeliveryView, LedgerError> {
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

    /// Deliveries, newest first. Those in a state that is rare (`dead`, `cancelled`) and those that are open
    /// (as long as there are at most 20,000) are looked up, so their pages are full. Of the others one page
    /// looks at 20,000 at most: one that ends there says so in `searched_to`.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_deliveries(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<DeliveryView>, LedgerError> {
        let before = self.cursor_seq(cursor)?;
        let webhook = match &filter.webhook {
            None => None,
            Some(name) => match self.roster.named(name) {
                Some(seq) => Some(seq),
                None => return Ok(Page::new(Vec::new(), None)),
            },
        };
        let from = Found::by(filter.state, webhook, self)?;
        let mut parameters = vec![
            Value::from(before),
            Value::from(webhook),
            Value::from(SCANNED_MAX),
            Value::from(filter.state.map(State::as_str)),
            Value::from(filter.kind.as_deref()),
            Value::from(limit.saturating_add(1)),
        ];
        parameters.extend(from.inline().map(|inline| Value::Text(String::from(inline))));
        let rows = self.sql.run(&from.list_statement(), &parameters)?;
        let items = rows
            .iter()
            .take(limit as usize)
            .map(|row| self.delivery_view_of(row))
            .collect::<Result<_, _>>()?;
        let looked_up_to = || match from.window_statement() {
            Some(statement) => Ok(first(self.sql.run(&statement, parameters.get(..4).unwrap_or_default())?)),
            None => Ok(None),
        };
        self.page_of(items, &rows, limit, looked_up_to)
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
    /// webhook is disabled or deleted, and after 1,000 attempts; the database fails.
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
        let scheduled = if row.plan.is_final() { 0 } else { row.scheduled };
        let health = self.gates.health(row.webhook);
        let asked = health.asked_for(now);
        atomically(&self.sql, |sql| {
            if asked != health {
                write_health(sql, row.webhook, &asked)?;
            }
            if row.attempt > row.made {
                record_unreported(sql, &row, scheduled, now)?;
            }
            let is_back_in_order = row.plan.is_final() && is_ordered;
            let order = if is_back_in_order { Order::Restored } else { Order::Kept };
            let resend = Resend { delivery: seq, made: row.attempt, scheduled, order, line: Line::Live };
            delivery::make_due(sql, &[resend], now)
        })?;
        if asked != health {
            self.gates.set_health(row.webhook, asked);
        }
        self.meters.note_open(1);
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
            effects.end(row.webhook, seq);
            if let Plan::Leased { until, claimed: true } | Plan::Inline { until } = row.plan {
                effects.left.push((row.webhook, (seq, row.attempt), until));
            }
            release_next(sql, &mut effects, &row, now)?;
            Ok(effects)
        })?;
        self.apply(effects, now);
        self.delivery_view(seq)
    }
}

/// Records the attempt of a delivery that was cancelled while it was being made, and not reported: its number
/// is not reused. Inside the caller's transaction.
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

/// How a list finds its deliveries. Parameters of the statements are the key before which the page starts,
/// the webhook (or null), rows looked at, state (or null), event type (or null), items plus one, keys of
/// inline leases.
enum Found {
    /// By going through all of them, or all of one webhook.
    Walk { of_webhook: bool },
    /// In the index of those that were given up or cancelled.
    Unsent,
    /// Among all that are open: those in the indexes of open work, and these, which are in none.
    Open { inline: String },
}

impl Found {
    fn by<S: Sql>(
        state: Option<State>,
        webhook: Option<Seq>,
        ledger: &Ledger<S>,
    ) -> Result<Self, LedgerError> {
        Ok(match state {
            Some(State::Dead | State::Cancelled) => Self::Unsent,
            Some(State::Pending | State::Leased | State::Waiting)
                if ledger.count_open(SCANNED_MAX)? < SCANNED_MAX =>
            {
                Self::Open { inline: key_set(ledger.gates.inline_leases()) }
            }
            _ => Self::Walk { of_webhook: webhook.is_some() },
        })
    }

    fn inline(&self) -> Option<&str> {
        if let Self::Open { inline } = self { Some(inline) } else { None }
    }

    /// The rows that are looked at, newest first, with what follows `ORDER BY`.
    fn keys(&self, columns: &str, limit: &str) -> String {
        match self {
            Self::Walk { of_webhook } => {
                let of_webhook = if *of_webhook { "AND webhook = ?2" } else { "AND ?2 IS NULL" };
                format!("SELECT {columns} FROM delivery WHERE seq < ?1 {of_webhook} ORDER BY seq DESC {limit}")
            }
            // The list in the condition is that of the index, so that SQLite sees that it may be used. Named,
            // because SQLite knows nothing of how few the index holds.
            Self::Unsent => format!(
                "SELECT {columns} FROM delivery INDEXED BY delivery_unsent
                 WHERE state IN ('dead', 'cancelled') AND state = ?4 AND seq < ?1 ORDER BY seq DESC {limit}"
            ),
            Self::Open { .. } => format!(
                "SELECT seq FROM delivery INDEXED BY delivery_due WHERE next_at_ms IS NOT NULL AND seq < ?1
                 UNION SELECT seq FROM delivery INDEXED BY delivery_parked WHERE parked = 1 AND seq < ?1
                 UNION SELECT seq FROM delivery INDEXED BY delivery_replayed WHERE parked = 3 AND seq < ?1
                 UNION SELECT seq FROM delivery INDEXED BY delivery_order WHERE order_key IS NOT NULL AND parked = 2 AND seq < ?1
                 UNION SELECT value FROM json_each(?7) WHERE value < ?1
                 ORDER BY seq DESC {limit}"
            ),
        }
    }

    fn list_statement(&self) -> String {
        let rows = match self {
            Self::Walk { .. } => {
                let columns = "seq, event, webhook, state, made, next_at_ms, lease_until_ms, late, updated_at_ms, last_status,
                    last_duration_ms, last_result";
                format!("({}) AS d", self.keys(columns, "LIMIT ?3"))
            }
            // Those of other webhooks are left out before their rows are read.
            Self::Unsent => {
                let keys = self.keys("seq, webhook", "LIMIT ?3");
                format!(
                    "({keys}) AS k CROSS JOIN delivery AS d ON (?2 IS NULL OR k.webhook = ?2) AND d.seq = k.seq"
                )
            }
            Self::Open { .. } => {
                format!(
                    "({}) AS k CROSS JOIN delivery AS d ON d.seq = k.seq AND (?2 IS NULL OR d.webhook = ?2)",
                    self.keys("seq", "LIMIT ?3")
                )
            }
        };
        format!(
            "SELECT {VIEW_COLUMNS} FROM {rows} CROSS JOIN event AS e ON e.seq = d.event
             WHERE (?4 IS NULL OR d.state = ?4) AND (?5 IS NULL OR e.type = ?5)
             ORDER BY d.seq DESC LIMIT ?6"
        )
    }

    /// The last row that a page looks at, if it looks at as many as it may: the columns of [`read_created`].
    fn window_statement(&self) -> Option<String> {
        if matches!(self, Self::Open { .. }) {
            return None;
        }
        let last = self.keys("seq", "LIMIT 1 OFFSET (?3 - 1)");
        let unused = if matches!(self, Self::Unsent) { "?2 IS NULL OR true" } else { "?4 IS NULL OR true" };
        Some(format!(
            "SELECT d.seq, d.late, e.accepted_at_ms FROM ({last}) AS k CROSS JOIN delivery AS d ON d.seq = k.seq
             CROSS JOIN event AS e ON e.seq = d.event WHERE {unused}"
        ))
    }
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
    use postern_core::delivery::{Outcome, SentRequest, Trigger};
    use postern_core::replay::ReplayQuery;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{
        START, attempt, attempt_due, create, event, in_order, lease, ledger, post, webhook,
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
    fn the_list_is_newest_first_and_pages_without_gaps_whatever_the_filter() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "order.*"));
        for number in 0..30 {
            post(&mut ledger, if number % 3 == 0 { "order.paid" } else { "user.created" });
        }
        attempt_due_all(&mut ledger);
        let filters = [
            (DeliveryFilter::default(), 40),
            (DeliveryFilter { webhook: Some(String::from("b")), ..DeliveryFilter::default() }, 10),
            (DeliveryFilter { kind: Some(String::from("order.paid")), ..DeliveryFilter::default() }, 20),
            (DeliveryFilter { state: Some(State::Delivered), ..DeliveryFilter::default() }, 20),
            (DeliveryFilter { state: Some(State::Dead), ..DeliveryFilter::default() }, 0),
            (DeliveryFilter { webhook: Some(String::from("nobody")), ..DeliveryFilter::default() }, 0),
        ];
        for (filter, expected) in filters {
            let (mut seen, mut cursor): (Vec<String>, _) = (Vec::new(), None);
            loop {
                let page = ledger.list_deliveries(&filter, 7, cursor.as_deref()).unwrap();
                assert!(page.items.len() <= 7);
                seen.extend(page.items.into_iter().map(|view| view.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), expected, "{filter:?}");
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
        }
    }

    /// Half of what is due is delivered, the other half waits.
    fn attempt_due_all(ledger: &mut Ledger<impl Sql>) {
        let tickets = ledger.lease_due(START, 100).unwrap().tickets;
        let works = ledger.claim(&tickets, START).unwrap().works;
        let reports = works.iter().zip(0..).map(|(work, number)| Report {
            delivery: work.delivery,
            attempt: attempt(work.attempt, if number % 2 == 0 { OK } else { FAILED }, START),
        });
        ledger.report(reports.collect(), START).unwrap();
    }

    /// Adds events of a type, a millisecond apart, each with a delivery to `webhook` in this state, past
    /// everything that decides on it. Gives the project as a new object finds it.
    fn add(
        ledger: &Ledger<Rc<Native>>,
        webhook: Seq,
        number: i64,
        kind: &str,
        state: State,
    ) -> Ledger<Rc<Native>> {
        let after = Value::from(ledger.last_key().0 + 4_096);
        let rows = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?2)";
        let accepted = "((?1 + n * 4096) >> 12) + 1767225600000";
        ledger
            .sql
            .run(
                &format!(
                    "INSERT INTO event (seq, type, accepted_at_ms, deliveries, data)
                     {rows} SELECT ?1 + n * 4096, ?3, {accepted}, 1, '1' FROM n"
                ),
                &[after.clone(), Value::from(number), Value::from(kind)],
            )
            .unwrap();
        let due = if state.is_final() { "NULL" } else { accepted };
        ledger
            .sql
            .run(
                &format!(
                    "INSERT INTO delivery (seq, event, webhook, state, next_at_ms, updated_at_ms)
                     {rows} SELECT ?1 + n * 4096 + 1, ?1 + n * 4096, ?3, ?4, {due}, {accepted} FROM n"
                ),
                &[after, Value::from(number), Value::from(webhook), Value::from(state.as_str())],
            )
            .unwrap();
        Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap()
    }

    /// Goes through a list and checks that each page is full, or the last, or says how far it looked; gives
    /// the lengths of the pages and the items.
    fn all_pages<T>(
        limit: u32,
        created: impl Fn(&T) -> Timestamp,
        load: impl Fn(Option<&str>) -> Result<Page<T>, LedgerError>,
    ) -> (Vec<usize>, Vec<T>) {
        let (mut lengths, mut items, mut cursor) = (Vec::new(), Vec::new(), None);
        let mut searched_to = Timestamp(i64::MAX);
        loop {
            let page = load(cursor.as_deref()).unwrap();
            assert!(page.items.len() <= limit as usize);
            let is_short = page.items.len() < limit as usize;
            assert_eq!(page.searched_to.is_some(), is_short && page.next.is_some(), "a short page says why");
            assert!(
                page.items.iter().all(|item| created(item) <= searched_to),
                "what is newer was on a page before"
            );
            if let Some(at) = page.searched_to {
                assert!(at <= searched_to && page.items.iter().all(|item| created(item) >= at));
                searched_to = at;
            }
            lengths.push(page.items.len());
            items.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return (lengths, items);
            }
        }
    }

    fn deliveries(ledger: &Ledger<Rc<Native>>, filter: &DeliveryFilter) -> (Vec<usize>, Vec<DeliveryView>) {
        all_pages(
            50,
            |view: &DeliveryView| view.created_at,
            |cursor| ledger.list_deliveries(filter, 50, cursor),
        )
    }

    #[test]
    fn what_failed_is_found_at_once_among_thousands_that_did_not() {
        let mut ledger = ledger();
        let (a, b) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        for (webhook, kind, state) in
            [(a, "rare", State::Dead), (b, "usual", State::Cancelled), (a, "usual", State::Dead)]
        {
            ledger = add(&ledger, webhook, 30, kind, state);
            ledger = add(&ledger, b, 25_000, "usual", State::Delivered);
        }
        ledger = add(&ledger, a, 20, "usual", State::Waiting);
        ledger = add(&ledger, b, 25_000, "usual", State::Delivered);
        let lengths = |filter: DeliveryFilter| deliveries(&ledger, &filter).0;
        let of = |state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
        let webhook = Some(String::from("a"));
        assert_eq!(lengths(of(State::Dead)), [50, 10]);
        assert_eq!(lengths(of(State::Cancelled)), [30]);
        assert_eq!(lengths(of(State::Waiting)), [20]);
        assert_eq!(lengths(of(State::Leased)), [0]);
        assert_eq!(lengths(DeliveryFilter { webhook: webhook.clone(), ..of(State::Dead) }), [50, 10]);
        assert_eq!(lengths(DeliveryFilter { webhook: webhook.clone(), ..of(State::Cancelled) }), [0]);
        assert_eq!(
            lengths(DeliveryFilter { webhook, kind: Some(String::from("rare")), ..of(State::Dead) }),
            [30]
        );
    }

    #[test]
    fn a_page_that_ends_before_it_is_full_says_how_far_it_looked() {
        let mut ledger = ledger();
        let (a, b) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        for _round in 0..3 {
            ledger = add(&ledger, a, 9, "rare", State::Delivered);
            ledger = add(&ledger, b, 25_000, "usual", State::Dead);
        }
        let rare = Some(String::from("rare"));
        let (lengths, found) =
            deliveries(&ledger, &DeliveryFilter { kind: rare.clone(), ..DeliveryFilter::default() });
        assert_eq!((lengths, found.len()), (vec![0, 9, 9, 9], 27));
        let (lengths, found) = deliveries(
            &ledger,
            &DeliveryFilter { state: Some(State::Delivered), ..DeliveryFilter::default() },
        );
        assert_eq!((lengths, found.len()), (vec![0, 9, 9, 9], 27));
        let dead = DeliveryFilter { webhook: Some(String::from("a")), state: Some(State::Dead), kind: None };
        assert_eq!(deliveries(&ledger, &dead).0, [0, 0, 0, 0], "all of them are another webhook's");
        let load = |cursor: Option<&str>| ledger.list_events(rare.as_deref(), 50, cursor);
        assert_eq!(
            all_pages(50, |event: &postern_core::api::event::EventView| event.accepted_at, load).0,
            [0, 9, 9, 9]
        );
    }

    #[test]
    fn more_open_deliveries_than_a_page_may_look_at_are_searched_too() {
        let mut ledger = ledger();
        let webhook = create(&mut ledger, webhook("a", "*"));
        ledger = add(&ledger, webhook, 9, "a", State::Pending);
        ledger = add(&ledger, webhook, i64::from(SCANNED_MAX), "a", State::Waiting);
        let (lengths, found) =
            deliveries(&ledger, &DeliveryFilter { state: Some(State::Pending), ..DeliveryFilter::default() });
        assert_eq!((lengths, found.len()), (vec![0, 9], 9));
    }

    #[test]
    fn open_deliveries_are_found_wherever_they_wait() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("inline", "a"));
        create(&mut ledger, Definition { ordered: true, ..webhook("ordered", "b") });
        create(&mut ledger, webhook("paused", "c"));
        ledger.pause_webhook("paused", None, START).unwrap();
        ledger.ingest(vec![event("a")], InlineLimit(1), START).unwrap();
        ledger.ingest(vec![in_order("b", "k"), in_order("b", "k")], InlineLimit(0), START).unwrap();
        post(&mut ledger, "c");
        let names = |state| {
            let found =
                deliveries(&ledger, &DeliveryFilter { state: Some(state), ..DeliveryFilter::default() }).1;
            found.into_iter().filter_map(|view| view.webhook).collect::<Vec<_>>()
        };
        assert_eq!(names(State::Leased), ["inline"]);
        assert_eq!(names(State::Pending), ["paused", "ordered", "ordered"]);
    }

    #[test]
    fn the_index_of_what_failed_costs_one_row_for_each_that_fails_and_none_for_others() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        let store = Rc::clone(&ledger.sql);
        let mut written = |status, now| {
            let mut deliver = || {
                ledger.ingest(vec![event("a")], InlineLimit(0), now).unwrap();
                attempt_due(&mut ledger, now, Outcome::Answered { status });
            };
            store.count_rows_written(&mut deliver)
        };
        written(200, START);
        let delivered = written(200, START.plus_ms(1_000));
        // The event that tells of it; how the webhook does; the index.
        assert_eq!(written(500, START.plus_ms(2_000)), delivered + 3);
    }

    #[test]
    fn a_cursor_of_another_project_is_refused() {
        let ledger = ledger();
        let foreign = postern_core::id::IdSpace::new(99).uuid(Seq(1)).to_string();
        for cursor in ["", "nonsense", &foreign] {
            let refused = ledger.list_deliveries(&DeliveryFilter::default(), 5, Some(cursor)).map(|_page| ());
            assert_eq!(refused, Err(LedgerError::BadCursor), "{cursor}");
        }
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
