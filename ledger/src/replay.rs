//! Replays: what was sent once is sent again, or what was never sent is sent now, for many deliveries at a
//! time.
//!
//! A replay is a row with a cursor. The owner's clock calls [`Ledger::replay_step`] again and again; each
//! step looks at a bounded range of keys above the cursor and moves the cursor in the commit that makes the
//! deliveries due. So a crash between two steps costs nothing, one within a step undoes all of it, and
//! nothing is made due twice.
//!
//! Only what was there when the replay was asked for is looked at: its own key is the upper end of the range.
//! Nothing here calls anybody; due deliveries go the way of all others (`lease`), with its holds, limits and
//! order.

use std::collections::BTreeSet;

use postern_core::api::audit::AuditAction;
use postern_core::api::page::Page;
use postern_core::api::replay::{COUNTED_MAX, LOOKED_MAX, ReplayCount, ReplayState, ReplayView};
use postern_core::budget::{Budget, REQUEST_STEPS_MAX};
use postern_core::change::Changes;
use postern_core::delivery::State;
use postern_core::event::{OPERATIONAL_PREFIX, is_operational};
use postern_core::filter::{self, EventFacts};
use postern_core::id::{Kind, Seq};
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use serde_json::Value as Json;

use crate::deliveries::{ATTEMPTS_MAX, record_unreported};
use crate::error::LedgerError;
use crate::project::Ledger;
use crate::quotas::bytes_of;
use crate::row::delivery::{self, DeliveryRow, KeysTaken, Line, Order, Plan, Planned, Resend};
use crate::row::event::{count_one_more_delivery, labels_of, object_of};
use crate::row::meta;
use crate::row::replay::{self, COLUMNS, Looked, Replay, Stored};
use crate::row::text::to_json;
use crate::row::webhook::StoredWebhook;
use crate::sql::{Sql, Value, atomically, first};
use crate::timeline::Timeline;

/// Rows that one step looks at where each event's data must be read: 25 MB at worst.
const ROWS_WITH_DATA_MAX: u32 = 100;
/// Steps of a [`Budget`] that reading a byte of data counts for.
const READ_STEPS: u64 = 10;
/// Rows that a count of missing events looks at in one query, where none is read.
const ROWS_COUNTED_AT_ONCE: u32 = 1_000;
/// Steps of a [`Budget`] that an event counts for which is looked for, 4 µs of SQL: a count looks at 20,000
/// at most.
const ROW_STEPS: u64 = 1_000;
/// Replays of a project that run at once.
const RUNNING_MAX: usize = 10;
/// When a replay looks again that found no room.
const ROOM_AGAIN_MS: i64 = 10_000;

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Deliveries that were made due, or were made.
    pub changed: Vec<Seq>,
    /// The replay as it is now; `None` where none is running.
    pub replay: Option<ReplayView>,
}

/// An event that a webhook wants and never had a delivery of.
struct Missing {
    event: Seq,
    order_key: Option<String>,
}

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_replays(&mut self) -> Result<(), LedgerError> {
        let rows = self.sql.run("SELECT seq FROM replay WHERE state = 'running'", &[])?;
        self.replays.running = rows.iter().map(|row| row.seq(0)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Starts a replay. [`Ledger::replay_step`] does the work.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] for an unknown webhook; [`LedgerError::StateConflict`] where ten are
    /// running; [`LedgerError::Quota`] where new deliveries have no room; the database fails.
    pub fn create_replay(&mut self, query: ReplayQuery, now: Timestamp) -> Result<ReplayView, LedgerError> {
        if self.replays.running.len() >= RUNNING_MAX {
            return Err(LedgerError::StateConflict {
                why: "ten replays are running: wait for one, or cancel one",
            });
        }
        let stored = Stored { webhook: self.replayed_webhook(&query)?, query };
        if stored.query.missing {
            self.admit_bytes(bytes_of(1, 0), now)?;
        }
        let seq = self.reserve(now);
        let (after, before) = self.replayed_range(&stored, seq, now)?;
        let total = self.count_rows(&stored, after, before, COUNTED_MAX)?;
        let id = self.ids.id(Kind::Replay, seq);
        let Ok(query) = serde_json::to_value(&stored.query) else {
            return Err(LedgerError::Corrupt { what: "a query has no JSON form" });
        };
        atomically(&self.sql, |sql| {
            replay::insert(sql, seq, &stored, after, total, now)?;
            self.audit(sql, AuditAction::ReplayCreated, &id, Changes::one("query", Json::Null, query), now)
        })?;
        self.replays.running.insert(seq);
        // Where nothing was old enough to go before, this row will be.
        self.upkeep.reconsider();
        self.replay_at(seq)
    }

    /// How many deliveries a replay would make due: of those that were given up or cancelled, or of all, it
    /// looks at [`LOOKED_MAX`].
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] for an unknown webhook; the database fails.
    pub fn count_replay(&self, query: ReplayQuery, now: Timestamp) -> Result<ReplayCount, LedgerError> {
        let stored = Stored { webhook: self.replayed_webhook(&query)?, query };
        let (after, before) = self.replayed_range(&stored, Seq((1 << 53) - 1), now)?;
        if stored.query.missing {
            return self.count_missing(&stored, after, before);
        }
        // What was given up or cancelled is found in its index, past all that was delivered; that of other
        // webhooks is looked at, too. An event is read only for its type.
        let states = &stored.query.states;
        let is_rare = states.iter().all(|state| matches!(state, State::Dead | State::Cancelled));
        let found = if is_rare {
            "INDEXED BY delivery_unsent WHERE state IN ('dead', 'cancelled') AND state IN (SELECT value FROM json_each(?5)) AND"
        } else {
            "WHERE"
        };
        let walked = stored.webhook.filter(|_webhook| !is_rare);
        let (kind, event) = match stored.query.types.as_slice() {
            [] => ("''", ""),
            _ => ("e.type", "CROSS JOIN event AS e ON e.seq = d.event"),
        };
        let rows = self.sql.run(
            &format!(
                "SELECT d.webhook, {kind}, count(CASE WHEN d.state IN (SELECT value FROM json_each(?5)) THEN 1 END), count(*)
                 FROM (SELECT event, webhook, state FROM delivery {found} seq > ?1 AND seq < ?2 {} LIMIT ?4) AS d
                 {event} GROUP BY 1, 2",
                of_webhook(walked)
            ),
            &[
                Value::from(after),
                Value::from(before),
                Value::from(walked),
                Value::from(LOOKED_MAX),
                Value::Text(to_json(states)?),
            ],
        )?;
        let (mut count, mut looked): (u32, u32) = (0, 0);
        for row in &rows {
            looked = looked.saturating_add(row.number(3)?);
            let webhook = row.seq(0)?;
            let is_meant = stored.webhook.is_none_or(|only| only == webhook);
            if is_meant && self.roster.get(webhook).is_some() && stored.query.takes_type(row.text(1)?) {
                count = count.saturating_add(row.number(2)?);
            }
        }
        let is_capped = looked >= LOOKED_MAX;
        Ok(if is_capped { ReplayCount::at_least(count) } else { ReplayCount::exactly(count) })
    }

    /// One replay.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn replay(&self, id: &str) -> Result<ReplayView, LedgerError> {
        self.replay_at(self.seq_of(Kind::Replay, id, "replay")?)
    }

    /// Replays, newest first.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_replays(&self, limit: u32, cursor: Option<&str>) -> Result<Page<ReplayView>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM replay WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"),
            &[Value::from(self.cursor_seq(cursor)?), Value::from(limit.saturating_add(1))],
        )?;
        let replays = rows.iter().take(limit as usize).map(Replay::read).collect::<Result<Vec<_>, _>>()?;
        let is_cut = rows.len() > limit as usize;
        let next = replays.last().filter(|_last| is_cut).map(|last| self.ids.uuid(last.seq).to_string());
        Ok(Page::new(replays.into_iter().map(|replay| self.replay_view(replay)).collect(), next))
    }

    /// Stops a replay. What it made due stays due.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where it has ended; the database fails.
    pub fn cancel_replay(&mut self, id: &str, now: Timestamp) -> Result<ReplayView, LedgerError> {
        let seq = self.seq_of(Kind::Replay, id, "replay")?;
        let replay = self.replay_of(seq)?;
        if replay.state != ReplayState::Running {
            return Err(LedgerError::StateConflict { why: "it has ended already" });
        }
        atomically(&self.sql, |sql| {
            replay::cancel(sql, seq, now)?;
            self.audit(sql, AuditAction::ReplayCancelled, id, Changes::default(), now)
        })?;
        self.replays.running.remove(&seq);
        self.replay_at(seq)
    }

    /// Does a part of a replay that is running, of each in its turn: looks at up to `limit` rows. What it
    /// finds waits in the replays' line. Call it again while [`Ledger::next_wake`] says that a replay goes
    /// on.
    ///
    /// # Errors
    /// The database fails; nothing was done then, and the step can be repeated.
    pub fn replay_step(&mut self, now: Timestamp, limit: u32) -> Result<Replayed, LedgerError> {
        if self.replays.goes_on_at(now).is_none_or(|at| at > now) {
            return Ok(Replayed::default());
        }
        self.replays.waits_until = None;
        let Some(seq) = self.replays.next() else { return Ok(Replayed::default()) };
        self.replays.served = Some(seq);
        let replay = self.replay_of(seq)?;
        let webhook = match replay.stored.webhook {
            None => None,
            Some(webhook) => match self.stored_webhook_at(webhook)? {
                None => return self.give_up(seq, now),
                found => found,
            },
        };
        let Some(limit) = self.replay_room(&replay.stored.query, now, limit.max(1))? else {
            self.replays.waits_until = Some(now.plus_ms(ROOM_AGAIN_MS));
            return Ok(Replayed::default());
        };
        let changed = match webhook.filter(|_webhook| replay.stored.query.missing) {
            Some(webhook) => self.send_missing(&replay, &webhook, now, limit)?,
            None => self.send_again(&replay, now, limit)?,
        };
        self.meters.note_open(changed.len());
        let view = self.replay_at(seq)?;
        if view.state != ReplayState::Running {
            self.replays.running.remove(&seq);
        }
        Ok(Replayed { changed, replay: Some(view) })
    }

    /// How many rows a step may look at, so that what it opens is within the quotas; `None`: there is no room
    /// now. A replay waits for it, and loses nothing.
    fn replay_room(
        &self,
        query: &ReplayQuery,
        now: Timestamp,
        limit: u32,
    ) -> Result<Option<u32>, LedgerError> {
        let room = self.open_room(now, u64::from(limit))?.min(u64::from(limit));
        if query.missing {
            match self.admit_bytes(bytes_of(limit as usize, 0), now) {
                Err(LedgerError::Quota(_)) => return Ok(None),
                other => other?,
            }
        }
        Ok(u32::try_from(room).ok().filter(|room| *room > 0))
    }

    /// Ends a replay whose webhook was deleted.
    fn give_up(&mut self, seq: Seq, now: Timestamp) -> Result<Replayed, LedgerError> {
        let view = self.cancel_replay(&self.ids.id(Kind::Replay, seq), now)?;
        Ok(Replayed { changed: Vec::new(), replay: Some(view) })
    }

    /// A step over deliveries that have ended: those that are asked for wait to be sent again, at the start
    /// of their schedule.
    fn send_again(&mut self, replay: &Replay, now: Timestamp, limit: u32) -> Result<Vec<Seq>, LedgerError> {
        let Stored { webhook, query } = &replay.stored;
        let (_, before) = self.replayed_range(&replay.stored, replay.seq, now)?;
        let rows = self.sql.run(
            &format!(
                "SELECT {} FROM delivery WHERE seq > ?1 AND seq < ?2 {} ORDER BY seq LIMIT ?4",
                DeliveryRow::COLUMNS,
                of_webhook(*webhook)
            ),
            &[Value::from(replay.cursor), Value::from(before), Value::from(*webhook), Value::from(limit)],
        )?;
        let rows = rows.iter().map(DeliveryRow::read).collect::<Result<Vec<_>, _>>()?;
        let looked = Looked::at_most(limit, rows.len(), rows.last().map(|row| row.seq));
        let is_wanted = |row: &&DeliveryRow| {
            query.states.contains(&row.state())
                && row.plan.is_final()
                && query.takes_type(&row.kind)
                && row.attempt < ATTEMPTS_MAX
                && self.roster.get(row.webhook).is_some()
        };
        let wanted: Vec<&DeliveryRow> = rows.iter().filter(is_wanted).collect();
        let due: Vec<Resend> = wanted
            .iter()
            .map(|row| {
                let is_ordered =
                    self.roster.get(row.webhook).is_some_and(crate::memory::roster::Member::ordered);
                let order = if is_ordered { Order::Restored } else { Order::Kept };
                Resend { delivery: row.seq, made: row.attempt, scheduled: 0, order, line: Line::Replayed }
            })
            .collect();
        atomically(&self.sql, |sql| {
            for row in wanted.iter().filter(|row| row.attempt > row.made) {
                record_unreported(sql, row, 0, now)?;
            }
            delivery::make_due(sql, &due, now)?;
            replay::advance(sql, replay, &looked, due.len(), now)
        })?;
        let changed = wanted.iter().map(|row| row.seq).collect();
        let webhooks: BTreeSet<Seq> = wanted.into_iter().map(|row| row.webhook).collect();
        for webhook in webhooks {
            self.gates.hold(webhook, Line::Replayed);
        }
        Ok(changed)
    }

    /// A step over events: those that the webhook wants now and has no delivery of get one.
    fn send_missing(
        &mut self,
        replay: &Replay,
        webhook: &StoredWebhook,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Seq>, LedgerError> {
        // A replay may wait for others, or take long: what retention may have deleted meanwhile is not
        // missing either.
        let (from, before) = self.replayed_range(&replay.stored, replay.seq, now)?;
        let after = replay.cursor.max(from);
        let limit = if webhook.definition.filter.is_some() { limit.min(ROWS_WITH_DATA_MAX) } else { limit };
        let mut steps_left = REQUEST_STEPS_MAX;
        let (looked, missing) =
            self.look_for_missing(&replay.stored.query, webhook, after, before, limit, &mut steps_left)?;
        let mut taken = KeysTaken::new();
        let mut planned = Vec::with_capacity(missing.len());
        for Missing { event, order_key } in &missing {
            let delivery = self.next_key(now);
            let plan =
                self.plan_delivery(delivery, *event, webhook.seq, order_key.as_deref(), &mut taken, now)?;
            let behind = plan.plan == Plan::Behind;
            let waits = if behind { Plan::Behind } else { Plan::Held(Line::Replayed) };
            planned.push(Planned { late: true, plan: waits, ..plan });
        }
        if !planned.is_empty() {
            self.stamp_newest_key();
        }
        atomically(&self.sql, |sql| {
            delivery::insert(sql, &planned, now)?;
            count_one_more_delivery(sql, missing.iter().map(|missing| missing.event))?;
            replay::advance(sql, replay, &looked, missing.len(), now)
        })?;
        if !planned.is_empty() {
            self.gates.hold(webhook.seq, Line::Replayed);
        }
        Ok(planned.into_iter().map(|delivery| delivery.seq).collect())
    }

    /// The events in a range that `webhook` wants, whether it is enabled or not, and never had a delivery of:
    /// neither when they were accepted (its key would follow theirs) nor from a replay.
    fn look_for_missing(
        &self,
        query: &ReplayQuery,
        webhook: &StoredWebhook,
        after: Seq,
        before: Seq,
        limit: u32,
        steps_left: &mut u64,
    ) -> Result<(Looked, Vec<Missing>), LedgerError> {
        let definition = &webhook.definition;
        let rows = self.sql.run(
            "SELECT e.seq, e.type, e.object, e.labels, e.order_key,
                EXISTS (SELECT 1 FROM delivery AS d
                        WHERE d.webhook = ?4 AND d.seq > e.seq AND d.seq <= e.seq + e.deliveries AND d.event = e.seq)
                OR EXISTS (SELECT 1 FROM delivery AS l WHERE l.late = 1 AND l.event = e.seq AND l.webhook = ?4),
                CASE WHEN ?5 OR substr(e.type, 1, length(?6)) = ?6 THEN e.data ELSE 'null' END
             FROM event AS e WHERE e.seq > ?1 AND e.seq < ?2 ORDER BY e.seq LIMIT ?3",
            &[
                Value::from(after),
                Value::from(before),
                Value::from(limit),
                Value::from(webhook.seq),
                Value::from(definition.filter.is_some()),
                Value::from(OPERATIONAL_PREFIX),
            ],
        )?;
        let mut missing = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let (kind, data) = (row.text(1)?, row.text(6)?);
            if row.flag(5)? || !query.takes_type(kind) {
                continue;
            }
            let (object, labels) = (object_of(row.text_or_none(2)?)?, labels_of(row.text_or_none(3)?)?);
            // An event that was accepted is compared to the end, whatever it takes: else it would not be
            // missed. What follows it waits for the next step.
            let facts =
                EventFacts::new(kind, object.as_ref(), &labels, data).with_budget(Budget::unlimited());
            // A webhook gets no event about itself (`operational`).
            let is_about_it = is_operational(kind)
                && facts.data().get("webhook_id").and_then(|id| id.as_str()) == Some(&webhook.id);
            if !is_about_it && filter::matches(definition, &facts) {
                missing
                    .push(Missing { event: row.seq(0)?, order_key: row.text_or_none(4)?.map(String::from) });
            }
            // Reading the data is work, too.
            let read = if definition.filter.is_some() { data.len() as u64 * READ_STEPS } else { 0 };
            *steps_left = steps_left.saturating_sub(facts.budget().used().saturating_add(read));
            if *steps_left == 0 {
                let rows = u32::try_from(index + 1).unwrap_or(u32::MAX);
                return Ok((Looked { rows, last: Some(row.seq(0)?), has_more: true }, missing));
            }
        }
        Ok((Looked::at_most(limit, rows.len(), rows.last().map(|row| row.seq(0)).transpose()?), missing))
    }

    fn count_missing(
        &self,
        stored: &Stored,
        mut after: Seq,
        before: Seq,
    ) -> Result<ReplayCount, LedgerError> {
        let Some(webhook) =
            stored.webhook.map(|webhook| self.stored_webhook_at(webhook)).transpose()?.flatten()
        else {
            return Err(LedgerError::NotFound { what: "webhook" });
        };
        let limit =
            if webhook.definition.filter.is_some() { ROWS_WITH_DATA_MAX } else { ROWS_COUNTED_AT_ONCE };
        // What a request may cost, over all of them.
        let (mut count, mut steps_left) = (0, REQUEST_STEPS_MAX);
        while steps_left > 0 {
            let (looked, missing) =
                self.look_for_missing(&stored.query, &webhook, after, before, limit, &mut steps_left)?;
            count += u32::try_from(missing.len()).unwrap_or(u32::MAX);
            steps_left = steps_left.saturating_sub(u64::from(looked.rows) * ROW_STEPS);
            match looked.last.filter(|_last| looked.has_more) {
                Some(last) => after = last,
                None => return Ok(ReplayCount::exactly(count)),
            }
        }
        Ok(ReplayCount::at_least(count))
    }

    /// Rows in the range of a replay, up to `most`.
    fn count_rows(&self, stored: &Stored, after: Seq, before: Seq, most: u32) -> Result<u32, LedgerError> {
        let inner = if stored.query.missing {
            String::from("SELECT 1 FROM event WHERE seq > ?1 AND seq < ?2 AND (?3 IS NULL OR true) LIMIT ?4")
        } else {
            format!(
                "SELECT 1 FROM delivery WHERE seq > ?1 AND seq < ?2 {} LIMIT ?4",
                of_webhook(stored.webhook)
            )
        };
        let rows = self.sql.run(
            &format!("SELECT count(*) FROM ({inner})"),
            &[Value::from(after), Value::from(before), Value::from(stored.webhook), Value::from(most)],
        )?;
        first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)
    }

    fn replayed_webhook(&self, query: &ReplayQuery) -> Result<Option<Seq>, LedgerError> {
        match &query.webhook {
            None => Ok(None),
            Some(name) => self.roster.named(name).map(Some).ok_or(LedgerError::NotFound { what: "webhook" }),
        }
    }

    /// The keys that a replay looks at, without both ends. Of events that retention may delete nothing is
    /// missing: their deliveries may be gone already.
    fn replayed_range(&self, stored: &Stored, own: Seq, now: Timestamp) -> Result<(Seq, Seq), LedgerError> {
        let of = if stored.query.missing { Timeline::Events } else { Timeline::Deliveries };
        let mut from = stored.query.since.map_or(Ok(Seq(1)), |since| self.first_created(of, since))?;
        if stored.query.missing {
            from = from.max(self.kept_from(of, now)?);
            // The retention may have been shorter before.
            from = from.max(self.first_created(of, meta::swept_before(&self.sql)?)?);
        }
        let before = stored.query.until.map_or(Ok(own), |until| self.first_created(of, until))?;
        Ok((Seq(from.0 - 1), before.min(own)))
    }

    fn replay_of(&self, seq: Seq) -> Result<Replay, LedgerError> {
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM replay WHERE seq = ?1"), &[Value::from(seq)])?;
        Replay::read(&first(rows).ok_or(LedgerError::NotFound { what: "replay" })?)
    }

    fn replay_at(&self, seq: Seq) -> Result<ReplayView, LedgerError> {
        Ok(self.replay_view(self.replay_of(seq)?))
    }

    fn replay_view(&self, replay: Replay) -> ReplayView {
        let Stored { webhook, mut query } = replay.stored;
        if let Some(member) = webhook.and_then(|webhook| self.roster.get(webhook)) {
            query.webhook = Some(String::from(member.name()));
        }
        ReplayView {
            id: self.ids.id(Kind::Replay, replay.seq),
            state: replay.state,
            query,
            total: replay.total,
            scanned: replay.scanned,
            replayed: replay.replayed,
            created_at: replay.created_at,
            ended_at: replay.ended_at,
        }
    }
}

/// Part of a condition on `delivery`: the webhook in parameter 3, where there is one.
const fn of_webhook(webhook: Option<Seq>) -> &'static str {
    if webhook.is_some() { "AND webhook = ?3" } else { "AND ?3 IS NULL" }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::{Outcome, Trigger};
    use postern_core::filter::EventPattern;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{START, attempt, create, event, in_order, ledger, missing, post, webhook};
    use crate::support::history::add;
    use crate::support::native::Native;
    use crate::{DeliveryFilter, InlineLimit, Report, Row, SqlError};

    const OK: u16 = 200;
    const FAILED: u16 = 500;

    fn query() -> ReplayQuery {
        let states = vec![State::Dead, State::Cancelled];
        ReplayQuery { webhook: None, since: None, until: None, states, types: Vec::new(), missing: false }
    }

    /// Calls all that is due until nothing is; every call is answered with `status`. Gives the deliveries
    /// that were called.
    fn deliver(ledger: &mut Ledger<impl Sql>, now: Timestamp, status: u16) -> Vec<Seq> {
        let mut called = Vec::new();
        loop {
            let tickets = ledger.lease_due(now, 200).unwrap().tickets;
            if tickets.is_empty() {
                return called;
            }
            let works = ledger.claim(&tickets, now).unwrap().works;
            called.extend(works.iter().map(|work| work.delivery));
            let report = |work: &crate::Work| Report {
                delivery: work.delivery,
                attempt: attempt(work.attempt, Outcome::Answered { status }, now),
            };
            ledger.report(works.iter().map(report).collect(), now).unwrap();
        }
    }

    /// Steps until no replay is running; gives what the steps changed.
    fn finish(ledger: &mut Ledger<impl Sql>, now: Timestamp, limit: u32) -> Vec<Seq> {
        let mut changed = Vec::new();
        while ledger.replays.are_running() {
            assert_eq!(ledger.next_wake(now).unwrap().map(|(at, _reason)| at), Some(now));
            changed.extend(ledger.replay_step(now, limit).unwrap().changed);
        }
        assert_eq!(ledger.replay_step(now, limit).unwrap(), Replayed::default());
        changed
    }

    fn states(ledger: &Ledger<impl Sql>, deliveries: &[Seq]) -> Vec<State> {
        ledger.delivery_views(deliveries).unwrap().into_iter().map(|view| view.state).collect()
    }

    fn single_attempt(name: &str, pattern: &str) -> Definition {
        Definition { retry: false, ..webhook(name, pattern) }
    }

    #[test]
    fn a_dry_run_of_what_was_given_up_looks_past_what_was_delivered() {
        let mut ledger = ledger();
        let [a, b] = ["a", "b"].map(|name| create(&mut ledger, webhook(name, "*")));
        ledger = add(&ledger.sql, a, 3, "order.paid", State::Dead);
        ledger = add(&ledger.sql, a, 2, "order.sent", State::Cancelled);
        ledger = add(&ledger.sql, b, i64::from(LOOKED_MAX), "order.paid", State::Delivered);
        ledger = add(&ledger.sql, b, 4, "order.paid", State::Dead);
        let now = START.plus_ms(86_400_000);
        let counted = |query: ReplayQuery| ledger.count_replay(query, now).unwrap();
        assert_eq!(counted(query()), ReplayCount::exactly(9));
        let of = |name: &str| Some(String::from(name));
        assert_eq!(counted(ReplayQuery { webhook: of("a"), ..query() }), ReplayCount::exactly(5));
        assert_eq!(counted(ReplayQuery { states: vec![State::Dead], ..query() }), ReplayCount::exactly(7));
        let paid = vec![EventPattern::parse("order.paid").unwrap()];
        assert_eq!(counted(ReplayQuery { types: paid, ..query() }), ReplayCount::exactly(7));
        // So many are looked at.
        let all = vec![State::Delivered, State::Dead, State::Cancelled];
        let looked = ReplayCount::at_least(LOOKED_MAX);
        assert_eq!(counted(ReplayQuery { states: all.clone(), ..query() }), looked);
        let of_a = ReplayQuery { states: all, webhook: of("a"), ..query() };
        assert_eq!(counted(of_a), ReplayCount::exactly(5));
    }

    #[test]
    fn what_is_dead_is_sent_again_once_and_what_was_delivered_is_not() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("w", "*"));
        let dead: Vec<Seq> = (0..4).flat_map(|_| post(&mut ledger, "a")).collect();
        deliver(&mut ledger, START, FAILED);
        let delivered = post(&mut ledger, "a");
        deliver(&mut ledger, START, OK);
        assert_eq!(ledger.count_replay(query(), START).unwrap(), ReplayCount::exactly(4));
        let view = ledger.create_replay(query(), START).unwrap();
        assert_eq!((view.state, view.total, view.scanned, view.replayed), (ReplayState::Running, 5, 0, 0));
        let changed = finish(&mut ledger, START, 2);
        assert_eq!(changed, dead);
        let view = ledger.replay(&view.id).unwrap();
        assert_eq!(
            (view.state, view.total, view.scanned, view.replayed, view.ended_at),
            (ReplayState::Done, 5, 5, 4, Some(START))
        );
        assert_eq!(deliver(&mut ledger, START, OK), dead);
        assert_eq!(states(&ledger, &dead), [State::Delivered; 4]);
        let detail = ledger.delivery(&ledger.ids().id(Kind::Delivery, dead[0])).unwrap();
        assert_eq!(
            detail.attempts.iter().map(|attempt| attempt.attempt.trigger).collect::<Vec<_>>(),
            [Trigger::Schedule, Trigger::Resend]
        );
        assert_eq!(states(&ledger, &delivered), [State::Delivered]);
    }

    #[test]
    fn a_replayed_delivery_that_fails_again_goes_through_its_schedule_again() {
        let mut ledger = ledger();
        let schedule = Some(vec![5]);
        create(&mut ledger, Definition { retry_schedule_s: schedule, ..webhook("w", "*") });
        let delivery = post(&mut ledger, "a")[0];
        let mut now = START;
        for _ in 0..2 {
            deliver(&mut ledger, now, FAILED);
            now = now.plus_ms(60_000);
        }
        assert_eq!(states(&ledger, &[delivery]), [State::Dead]);
        ledger.create_replay(query(), now).unwrap();
        finish(&mut ledger, now, 500);
        deliver(&mut ledger, now, FAILED);
        assert_eq!(states(&ledger, &[delivery]), [State::Waiting]);
        now = now.plus_ms(60_000);
        deliver(&mut ledger, now, OK);
        assert_eq!(states(&ledger, &[delivery]), [State::Delivered]);
    }

    #[test]
    fn webhook_time_state_and_type_choose() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("a", "*"));
        create(&mut ledger, single_attempt("b", "*"));
        let mut by_hour = Vec::new();
        for hour in 0..4 {
            let at = START.plus_ms(hour * 3_600_000);
            let kind = if hour % 2 == 0 { "order.paid" } else { "user.created" };
            by_hour.push(ledger.ingest(vec![event(kind)], InlineLimit(0), at).unwrap().changed);
        }
        let now = START.plus_ms(4 * 3_600_000);
        deliver(&mut ledger, now, FAILED);
        let check = |query: ReplayQuery, expected: u32| {
            assert_eq!(ledger.count_replay(query.clone(), now).unwrap().count, expected, "{query:?}");
        };
        check(query(), 8);
        check(ReplayQuery { webhook: Some(String::from("a")), ..query() }, 4);
        check(ReplayQuery { since: Some(START.plus_ms(3_600_000)), ..query() }, 6);
        check(ReplayQuery { until: Some(START.plus_ms(3_600_000)), ..query() }, 2);
        check(ReplayQuery { states: vec![State::Delivered], ..query() }, 0);
        check(ReplayQuery { types: vec![EventPattern::parse("order.*").unwrap()], ..query() }, 4);
        let narrow = ReplayQuery {
            webhook: Some(String::from("b")),
            since: Some(START.plus_ms(1)),
            types: vec![EventPattern::parse("order.paid").unwrap()],
            ..query()
        };
        check(narrow.clone(), 1);
        let view = ledger.create_replay(narrow, now).unwrap();
        assert_eq!(view.total, 3);
        assert_eq!(finish(&mut ledger, now, 1), [by_hour[2][1]]);
        let unknown = ReplayQuery { webhook: Some(String::from("c")), ..query() };
        assert_eq!(
            ledger.create_replay(unknown.clone(), now),
            Err(LedgerError::NotFound { what: "webhook" })
        );
        assert_eq!(ledger.count_replay(unknown, now), Err(LedgerError::NotFound { what: "webhook" }));
    }

    #[test]
    fn what_comes_after_it_was_asked_for_is_not_replayed() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("w", "*"));
        post(&mut ledger, "a");
        deliver(&mut ledger, START, FAILED);
        ledger.create_replay(query(), START).unwrap();
        let later = post(&mut ledger, "a");
        deliver(&mut ledger, START, FAILED);
        assert!(!finish(&mut ledger, START, 500).contains(&later[0]));
    }

    #[test]
    fn events_that_the_webhook_wants_and_never_got_are_sent_once_however_often_it_is_asked() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("old", "*"));
        for kind in ["order.paid", "order.paid", "user.created"] {
            post(&mut ledger, kind);
        }
        create(&mut ledger, single_attempt("new", "order.*"));
        let got = post(&mut ledger, "order.paid");
        deliver(&mut ledger, START, OK);
        assert_eq!(ledger.count_replay(missing("new"), START).unwrap(), ReplayCount::exactly(2));
        let view = ledger.create_replay(missing("new"), START).unwrap();
        let made = finish(&mut ledger, START, 1);
        let view = ledger.replay(&view.id).unwrap();
        assert_eq!((view.total, view.scanned, view.replayed, made.len()), (4, 4, 2, 2));
        assert!(made.iter().all(|delivery| !got.contains(delivery)));
        assert_eq!(deliver(&mut ledger, START, OK), made);
        assert_eq!(ledger.count_replay(missing("new"), START).unwrap().count, 0);
        ledger.create_replay(missing("new"), START).unwrap();
        assert!(finish(&mut ledger, START, 500).is_empty());
        assert_eq!(ledger.count_replay(missing("old"), START).unwrap().count, 0);
        let first =
            ledger.list_events(&crate::EventFilter::default(), 10, None).unwrap().items.pop().unwrap();
        assert_eq!(first.deliveries, 2);
    }

    #[test]
    fn labels_object_and_data_of_missing_events_are_looked_at() {
        let mut ledger = ledger();
        let data = |text: &str| crate::support::build::json(text);
        let large = postern_core::event::NewEvent { data: data("{\"amount\":200}"), ..event("a") };
        let small = postern_core::event::NewEvent { data: data("{\"amount\":2}"), ..event("a") };
        ledger.ingest(vec![large, small], InlineLimit(0), START).unwrap();
        let filter =
            postern_core::condition::Condition::parse(&serde_json::json!({"field": "amount", "gt": 100}), "")
                .unwrap();
        create(&mut ledger, Definition { filter: Some(filter), enabled: false, ..webhook("w", "*") });
        assert_eq!(
            ledger.count_replay(missing("w"), START).unwrap().count,
            1,
            "whether it is enabled or not"
        );
        ledger.create_replay(missing("w"), START).unwrap();
        let made = finish(&mut ledger, START, 500);
        assert_eq!(made.len(), 1);
        assert!(deliver(&mut ledger, START, OK).is_empty(), "it waits until the webhook is enabled");
        let stored = ledger.stored_webhook("w").unwrap().definition;
        ledger.update_webhook("w", Definition { enabled: true, ..stored }, None, START).unwrap();
        assert_eq!(deliver(&mut ledger, START, OK), made);
    }

    #[test]
    fn events_that_retention_may_delete_are_not_missing() {
        let mut ledger = ledger();
        post(&mut ledger, "a");
        create(&mut ledger, webhook("w", "*"));
        let day = 24 * 3_600_000;
        assert_eq!(ledger.count_replay(missing("w"), START.plus_ms(29 * day)).unwrap().count, 1);
        assert_eq!(ledger.count_replay(missing("w"), START.plus_ms(31 * day)).unwrap().count, 0);
    }

    #[test]
    fn a_replay_that_begins_late_does_not_send_again_what_retention_has_deleted_the_delivery_of() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        create(&mut ledger, Definition { paused: true, ..webhook("keeps-the-event", "*") });
        post(&mut ledger, "a");
        assert_eq!(deliver(&mut ledger, START, OK).len(), 1);
        let day = 24 * 3_600_000;
        ledger.create_replay(missing("w"), START.plus_ms(29 * day)).unwrap();
        let late = START.plus_ms(31 * day);
        while ledger.retention_step(late).unwrap() {}
        assert_eq!(
            ledger.list_events(&crate::EventFilter::default(), 10, None).unwrap().items.len(),
            1,
            "an open delivery keeps it"
        );
        assert!(finish(&mut ledger, late, 500).is_empty());
        assert!(deliver(&mut ledger, late, OK).is_empty());
    }

    #[test]
    fn a_webhook_gets_no_event_about_itself_from_a_replay() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("w", "*"));
        post(&mut ledger, "a");
        deliver(&mut ledger, START, 410);
        let told: Vec<String> = ledger
            .list_events(&crate::EventFilter::default(), 10, None)
            .unwrap()
            .items
            .into_iter()
            .map(|event| event.kind)
            .collect();
        assert!(told.iter().any(|kind| kind == "postern.webhook.disabled"), "{told:?}");
        create(&mut ledger, single_attempt("watcher", "postern.*"));
        let stored = ledger.stored_webhook("w").unwrap().definition;
        let watching =
            Definition { events: vec![EventPattern::parse("postern.webhook.disabled").unwrap()], ..stored };
        ledger.update_webhook("w", watching, None, START).unwrap();
        assert_eq!(ledger.count_replay(missing("w"), START).unwrap().count, 0);
        assert!(ledger.count_replay(missing("watcher"), START).unwrap().count > 0);
    }

    #[test]
    fn a_replay_keeps_the_order_of_an_ordered_webhook() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { ordered: true, ..single_attempt("w", "*") });
        let events = (0..6).map(|number| in_order("a", if number % 2 == 0 { "x" } else { "y" })).collect();
        let deliveries = ledger.ingest(events, InlineLimit(0), START).unwrap().changed;
        deliver(&mut ledger, START, FAILED);
        assert_eq!(states(&ledger, &deliveries), [State::Dead; 6]);
        // Enough failures to be probed; order is what matters here.
        let now = START.plus_ms(3_600_000);
        ledger.create_replay(query(), now).unwrap();
        finish(&mut ledger, now, 500);
        let mut called = Vec::new();
        let mut at = now;
        while called.len() < 6 {
            called.extend(deliver(&mut ledger, at, OK));
            at = at.plus_ms(60_000);
            assert!(at < now.plus_ms(3_600_000), "{called:?}");
        }
        for key in 0..2 {
            let of_key: Vec<Seq> = deliveries.iter().copied().skip(key).step_by(2).collect();
            let called: Vec<Seq> =
                called.iter().copied().filter(|delivery| of_key.contains(delivery)).collect();
            assert_eq!(called, of_key);
        }
    }

    #[test]
    fn a_cancelled_replay_stops_and_one_that_has_ended_stays() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("w", "*"));
        for _ in 0..5 {
            post(&mut ledger, "a");
        }
        deliver(&mut ledger, START, FAILED);
        let id = ledger.create_replay(query(), START).unwrap().id;
        ledger.replay_step(START, 2).unwrap();
        let cancelled = ledger.cancel_replay(&id, START).unwrap();
        assert_eq!(
            (cancelled.state, cancelled.replayed, cancelled.ended_at),
            (ReplayState::Cancelled, 2, Some(START))
        );
        assert_eq!(ledger.replay_step(START, 2).unwrap(), Replayed::default());
        assert!(matches!(ledger.cancel_replay(&id, START), Err(LedgerError::StateConflict { .. })));
        assert_eq!(ledger.replay("rpl_x"), Err(LedgerError::NotFound { what: "replay" }));
    }

    #[test]
    fn a_deleted_webhook_ends_its_replay_and_is_left_out_of_others() {
        let mut ledger = ledger();
        create(&mut ledger, single_attempt("w", "*"));
        post(&mut ledger, "a");
        deliver(&mut ledger, START, FAILED);
        let of_it = ledger
            .create_replay(ReplayQuery { webhook: Some(String::from("w")), ..query() }, START)
            .unwrap()
            .id;
        let of_all = ledger.create_replay(query(), START).unwrap().id;
        ledger.delete_webhook("w", None, START).unwrap();
        assert!(finish(&mut ledger, START, 500).is_empty());
        assert_eq!(ledger.replay(&of_it).unwrap().state, ReplayState::Cancelled);
        assert_eq!(
            (ledger.replay(&of_all).unwrap().state, ledger.replay(&of_all).unwrap().replayed),
            (ReplayState::Done, 0)
        );
        assert_eq!(ledger.count_replay(query(), START).unwrap().count, 0);
    }

    #[test]
    fn replays_are_listed_newest_first_and_ten_run_at_once() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let ids: Vec<String> =
            (0..RUNNING_MAX).map(|_| ledger.create_replay(query(), START).unwrap().id).collect();
        assert!(matches!(ledger.create_replay(query(), START), Err(LedgerError::StateConflict { .. })));
        let first = ledger.list_replays(4, None).unwrap();
        let rest = ledger.list_replays(100, first.next.as_deref()).unwrap();
        let mut listed: Vec<String> =
            first.items.into_iter().chain(rest.items).map(|replay| replay.id).collect();
        listed.reverse();
        assert_eq!((listed, rest.next), (ids, None));
        finish(&mut ledger, START, 500);
        assert!(ledger.create_replay(query(), START).is_ok());
    }

    #[test]
    fn a_renamed_webhook_is_shown_by_its_name_of_today() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let id = ledger.create_replay(missing("w"), START).unwrap().id;
        ledger.update_webhook("w", webhook("renamed", "*"), None, START).unwrap();
        assert_eq!(ledger.replay(&id).unwrap().query.webhook.as_deref(), Some("renamed"));
    }

    /// A store that breaks off at a statement, as a crash does: what the transaction wrote is undone.
    struct Breaking {
        store: Rc<Native>,
        statements_left: std::cell::Cell<u32>,
    }

    impl Sql for Breaking {
        fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
            match self.statements_left.get().checked_sub(1) {
                Some(left) => self.statements_left.set(left),
                None => return Err(SqlError::new("broken off")),
            }
            self.store.run(statement, parameters)
        }

        fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
            self.store.transaction(work)
        }

        fn database_size(&self) -> Result<u64, SqlError> {
            self.store.database_size()
        }
    }

    /// Replays `query` in steps of 3, broken off after more and more statements; each time the project is
    /// opened anew.
    fn finish_with_crashes(store: &Rc<Native>, now: Timestamp) -> (u32, Vec<Seq>) {
        let (mut crashes, mut changed) = (0, Vec::new());
        for statements in 0.. {
            let sql = Rc::new(Breaking {
                store: Rc::clone(store),
                statements_left: std::cell::Cell::new(u32::MAX),
            });
            let mut ledger = Ledger::open(Rc::clone(&sql)).unwrap().unwrap();
            if !ledger.replays.are_running() {
                return (crashes, changed);
            }
            sql.statements_left.set(statements % 12);
            match ledger.replay_step(now, 3) {
                Ok(step) => changed.extend(step.changed),
                Err(_broken_off) => crashes += 1,
            }
        }
        unreachable!("the loop ends when the replay does")
    }

    #[test]
    fn a_step_that_breaks_off_anywhere_loses_and_doubles_nothing() {
        for is_missing in [false, true] {
            let mut made = ledger();
            create(&mut made, single_attempt("w", "*"));
            let dead: Vec<Seq> = (0..20).flat_map(|_| post(&mut made, "a")).collect();
            deliver(&mut made, START, FAILED);
            create(&mut made, webhook("new", "*"));
            let asked = if is_missing { missing("new") } else { query() };
            made.create_replay(asked, START).unwrap();
            let (crashes, changed) = finish_with_crashes(&made.sql, START);
            assert!(crashes >= 5, "{crashes}");
            let mut opened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
            let view = opened.list_replays(1, None).unwrap().items.remove(0);
            assert_eq!((view.state, view.scanned, view.replayed), (ReplayState::Done, view.total, 20));
            let name = if is_missing { "new" } else { "w" };
            let filter = DeliveryFilter { webhook: Some(String::from(name)), ..DeliveryFilter::default() };
            let found = opened.list_deliveries(&filter, 100, None).unwrap().items;
            assert_eq!(found.len(), 20);
            assert!(found.iter().all(|delivery| delivery.state != State::Dead), "each is open again");
            if is_missing {
                assert_eq!(deliver(&mut opened, START, OK).len(), 20);
            } else {
                assert!(changed.iter().all(|delivery| dead.contains(delivery)));
            }
        }
    }

    /// Rows of `count` events, each with a delivery to `webhook` that is dead.
    fn dead(ledger: &Ledger<Rc<Native>>, webhook: Seq, from: i64, count: i64) {
        for statement in [
            "INSERT INTO event (seq, type, accepted_at_ms, deliveries, data)
             WITH RECURSIVE n (n) AS (SELECT ?2 UNION ALL SELECT n + 1 FROM n WHERE n < ?3)
             SELECT 2 * n, 'order.paid', 0, 1, '1' FROM n WHERE ?1 > 0",
            "INSERT INTO delivery (seq, event, webhook, state, attempt, made, updated_at_ms)
             WITH RECURSIVE n (n) AS (SELECT ?2 UNION ALL SELECT n + 1 FROM n WHERE n < ?3)
             SELECT 2 * n + 1, 2 * n, ?1, 'dead', 0, 0, 0 FROM n",
        ] {
            let last = Value::Integer(from + count - 1);
            ledger.sql.run(statement, &[Value::from(webhook), Value::Integer(from), last]).unwrap();
        }
    }

    fn replay_all(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) {
        ledger.create_replay(query(), now).unwrap();
        while ledger.replay_step(now, 500).unwrap().replay.is_some_and(|replay| replay.ended_at.is_none()) {}
    }

    /// Leases, claims and reports what may be called now; gives the deliveries in order.
    fn call_once(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Vec<Seq> {
        let tickets = ledger.lease_due(now, 500).unwrap().tickets;
        let works = ledger.claim(&tickets, now).unwrap().works;
        let called = works.iter().map(|work| work.delivery).collect();
        let report = |work: &crate::Work| Report {
            delivery: work.delivery,
            attempt: attempt(work.attempt, Outcome::Answered { status: OK }, now),
        };
        ledger.report(works.iter().map(report).collect(), now).unwrap();
        called
    }

    fn ten_a_second() -> Definition {
        let rate = postern_core::webhook::RateLimit { calls: 10, per_s: 1 };
        Definition { rate_limit: Some(rate), ..webhook("w", "*") }
    }

    #[test]
    fn a_live_delivery_behind_100_000_replayed_ones_starts_within_a_second() {
        let mut ledger = ledger();
        let hook = create(&mut ledger, ten_a_second());
        dead(&ledger, hook, 1, 100_000);
        replay_all(&mut ledger, START);
        let (mut live, mut waits_ms, mut replayed) = (BTreeSet::new(), Vec::new(), 0);
        let posted_at = START.plus_ms(1_550);
        for ms in (0..6_000).step_by(50) {
            let now = START.plus_ms(ms);
            if now == posted_at {
                let events = (0..5).map(|_number| event("order.paid")).collect();
                live.extend(ledger.ingest(events, InlineLimit(6), now).unwrap().changed);
            }
            for delivery in call_once(&mut ledger, now) {
                if live.contains(&delivery) {
                    waits_ms.push(now.ms_since(posted_at));
                } else {
                    replayed += 1;
                }
            }
        }
        assert!(waits_ms.len() == 5 && waits_ms.iter().all(|ms| *ms <= 1_000), "{waits_ms:?}");
        assert_eq!(replayed, 55, "the replay has all the other slots");
    }

    #[test]
    fn where_live_deliveries_fill_a_limit_each_fourth_slot_is_a_replays() {
        let mut ledger = ledger();
        let hook = create(&mut ledger, ten_a_second());
        dead(&ledger, hook, 1, 1_000);
        replay_all(&mut ledger, START);
        let mut replayed = 0;
        for ms in (0..8_000).step_by(100) {
            let now = START.plus_ms(ms);
            let events = (0..2).map(|_number| event("order.paid")).collect();
            ledger.ingest(events, InlineLimit(6), now).unwrap();
            let called = call_once(&mut ledger, now).into_iter();
            // In the first second nothing live waits yet.
            replayed += called.filter(|delivery| ms >= 1_000 && delivery.0 < 3_000).count();
        }
        assert!((17..=18).contains(&replayed), "{replayed} of 70");
    }

    #[test]
    fn replayed_tickets_leave_half_of_the_room_to_live_ones() {
        let mut ledger = ledger();
        let hook = create(&mut ledger, webhook("w", "*"));
        dead(&ledger, hook, 1, 2_000);
        replay_all(&mut ledger, START);
        for entry in ledger.outbox_due(START, 10).unwrap() {
            ledger.outbox_done(entry.item, entry.version).unwrap();
        }
        let tickets = ledger.lease_due(START, 100).unwrap().tickets;
        assert_eq!(tickets.len(), 50);
        assert!(ledger.lease_due(START, 50).unwrap().tickets.is_empty(), "they are half of 100 still");
        let wake = ledger.next_wake(START).unwrap().unwrap();
        assert_eq!(wake.1, "the lease of a delivery ends", "nothing turns in circles until a claim comes");
        let mut sleeping = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert!(sleeping.lease_due(START, 50).unwrap().tickets.is_empty(), "a start forgets none");
        let live = post(&mut ledger, "order.paid")[0];
        assert_eq!(ledger.lease_due(START, 50).unwrap().tickets[0].delivery, live);
        ledger.claim(&tickets[..10], START).unwrap();
        assert_eq!(ledger.next_wake(START).unwrap().unwrap().0, START, "a claim makes room");
        assert!(!ledger.lease_due(START, 60).unwrap().tickets.is_empty());
    }

    #[test]
    fn a_small_replay_does_not_wait_for_a_large_one() {
        let mut ledger = ledger();
        let (large, small) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        dead(&ledger, large, 1, 400);
        dead(&ledger, small, 500, 5);
        let of = |name: &str| ReplayQuery { webhook: Some(String::from(name)), ..query() };
        let first = ledger.create_replay(of("a"), START).unwrap();
        let second = ledger.create_replay(of("b"), START).unwrap();
        for _step in 0..2 {
            ledger.replay_step(START, 100).unwrap();
        }
        assert_eq!(ledger.replay(&second.id).unwrap().state, ReplayState::Done);
        assert_eq!(ledger.replay(&first.id).unwrap().replayed, 100);
    }

    #[test]
    fn what_a_person_asks_for_leaves_the_line_of_the_replay() {
        let mut ledger = ledger();
        let hook = create(&mut ledger, ten_a_second());
        dead(&ledger, hook, 1, 100);
        replay_all(&mut ledger, START);
        let asked_for = Seq(201);
        ledger.resend(&ledger.ids().id(Kind::Delivery, asked_for), START).unwrap();
        assert_eq!(call_once(&mut ledger, START)[0], asked_for);
    }
}
