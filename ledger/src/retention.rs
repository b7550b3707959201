//! Retention: what has ended and is old is deleted, a bounded step at a time.
//!
//! A pass goes through the parts in the order of `PARTS`: deliveries that have ended, events that have no
//! delivery left, then counts, tests, replays, runs, the audit log and idempotency keys. An open delivery
//! stays however old it is, and its event with it. A run's age counts from its end, and it stays while
//! somebody is still to be told of that end.
//!
//! Keys are ordered by time, so each step reads a range of keys from the oldest on; how far a pass has come
//! is in memory only, because what it deleted is gone and a new pass finds the rest.
//!
//! Where the store fills up, what has ended goes before its time: [`crate::ageing`], whose steps come first.
//!
//! The owner asks [`Ledger::upkeep_at`] when the next step is due. It is not part of [`Ledger::next_wake`],
//! which is asked after every write and knows what must not wait.

use postern_core::api::audit::AUDIT_DAYS;
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::idempotency::{KEY_HOURS, oldest};
use crate::memory::clock::Part;
use crate::project::Ledger;
use crate::row::keys::{DAY_MS, days_before, first_key, oldest_kept};
use crate::row::stat::{HOUR_MS, hour_of};
use crate::row::text::state_of;
use crate::row::{audit, delivery, event, idempotency, meta, replay, run, stat, trial};
use crate::sql::{Row, Sql, Value, atomically, first};
use crate::timeline::Timeline;

/// Days that hourly counts are kept.
pub const STATS_DAYS: u32 = 400;
/// Days that ended tests are kept.
pub const TESTS_DAYS: u32 = 30;
/// Rows that one step looks at, at most.
const STEP_ROWS: u32 = 500;
/// Milliseconds between the end of a pass and the next: enough for many rows to come together, little beside
/// a day.
const PASS_EVERY_MS: i64 = 3_600_000;

impl<S: Sql> Ledger<S> {
    /// When the next step of retention is due; not before `now`. `None`: there is nothing that will ever grow
    /// old.
    ///
    /// # Errors
    /// The database fails.
    pub fn upkeep_at(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        if self.upkeep.pass.is_some() || self.ageing.stage.is_some() {
            return Ok(Some(now));
        }
        if self.upkeep.next.get().is_none() {
            self.upkeep.next.set(self.next_pass()?);
        }
        Ok(self.upkeep.next.get().map(|at| at.max(now)))
    }

    /// When the oldest of anything has its age, but not before the last pass allows. Each `min` is one step
    /// in a table's tree.
    fn next_pass(&self) -> Result<Option<Timestamp>, LedgerError> {
        let rows = self.sql.run(
            "SELECT upkeep_at_ms, (SELECT min(seq) FROM delivery), (SELECT min(seq) FROM event), (SELECT min(hour) FROM stat),
                (SELECT min(seq) FROM test), (SELECT min(seq) FROM replay), (SELECT min(seq) FROM run),
                (SELECT min(seq) FROM audit), (SELECT min(seq) FROM idempotency)
             FROM meta",
            &[],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "the project has no row" })?;
        let key = |at| Ok::<_, LedgerError>(row.integer_or_none(at)?.map(|key| Seq(key).unix_ms() + 1));
        let days = |days: u32| i64::from(days) * DAY_MS;
        let kept = days(self.settings.retention_days);
        let hour_ends = row.integer_or_none(3)?.map(|hour| (hour + 1) * HOUR_MS);
        let ages = [
            (key(1)?, kept),
            (key(2)?, kept),
            (hour_ends, days(STATS_DAYS)),
            (key(4)?, days(TESTS_DAYS)),
            (key(5)?, kept),
            (key(6)?, kept),
            (key(7)?, days(AUDIT_DAYS)),
            (key(8)?, i64::from(KEY_HOURS) * HOUR_MS),
        ];
        let oldest = ages.into_iter().filter_map(|(since_ms, kept_ms)| Some(since_ms? + kept_ms)).min();
        oldest.map(|at| Ok(Timestamp(at).max(row.timestamp(0)?))).transpose()
    }

    /// Deletes up to 500 rows that are old enough, where [`Ledger::upkeep_at`] says that it is time. `true`:
    /// there is more to do now.
    ///
    /// # Errors
    /// The database fails; the step can be repeated.
    pub fn retention_step(&mut self, now: Timestamp) -> Result<bool, LedgerError> {
        if let Some(stage) = self.ageing.stage {
            return Ok(self.age(stage, now)? || self.upkeep_at(now)?.is_some_and(|at| at <= now));
        }
        let (part, after) = match self.upkeep.pass {
            Some(pass) => pass,
            None if self.upkeep_at(now)?.is_none_or(|at| at > now) => return Ok(false),
            None => (Part::Deliveries, Seq::ZERO),
        };
        let next = match self.sweep(part, after, now)? {
            Some(last) => Some((part, last)),
            None => part.after().map(|part| (part, Seq::ZERO)),
        };
        if next.is_none() {
            meta::set_upkeep_at(&self.sql, now.plus_ms(PASS_EVERY_MS))?;
            self.upkeep.reconsider();
        }
        self.upkeep.pass = next;
        Ok(next.is_some())
    }

    /// Events or deliveries below this key were created long enough ago to go once they have ended.
    pub(crate) fn kept_from(&self, of: Timeline, now: Timestamp) -> Result<Seq, LedgerError> {
        self.first_created(of, self.ended_before(now))
    }

    /// What was created or ended before then is old.
    const fn ended_before(&self, now: Timestamp) -> Timestamp {
        days_before(now, self.settings.retention_days)
    }

    /// One step of a part; gives the last key that was looked at, where more follow.
    fn sweep(&self, part: Part, after: Seq, now: Timestamp) -> Result<Option<Seq>, LedgerError> {
        let kept_from = oldest_kept(now, self.settings.retention_days);
        match part {
            Part::Deliveries => self.sweep_deliveries(after, now),
            Part::Events => {
                // The deliveries of an event have the keys after its own, but for those that a replay made.
                let rows = self.sql.run(
                    "SELECT e.seq,
                        EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq > e.seq AND d.seq <= e.seq + e.deliveries AND d.event = e.seq)
                        OR EXISTS (SELECT 1 FROM delivery AS l WHERE l.late = 1 AND l.event = e.seq)
                     FROM event AS e WHERE e.seq > ?1 AND e.seq < ?2 ORDER BY e.seq LIMIT ?3",
                    &[Value::from(after), Value::from(self.kept_from(Timeline::Events, now)?), Value::from(STEP_ROWS)],
                )?;
                self.delete(event::delete, &rows, |row| Ok(!row.flag(1)?))
            }
            Part::Stats => {
                let kept_from = hour_of(now) - i64::from(STATS_DAYS) * 24;
                Ok(again_if_full(stat::delete_before(&self.sql, kept_from, STEP_ROWS)?))
            }
            Part::Tests => {
                let rows = self.sql.run(
                    "SELECT seq, next_at_ms IS NULL FROM test WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
                    &[Value::from(after), Value::from(oldest_kept(now, TESTS_DAYS)), Value::from(STEP_ROWS)],
                )?;
                self.delete(trial::delete, &rows, |row| row.flag(1))
            }
            Part::Replays => {
                let rows = self.sql.run(
                    "SELECT seq, ended_at_ms IS NOT NULL FROM replay WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
                    &[Value::from(after), Value::from(kept_from), Value::from(STEP_ROWS)],
                )?;
                self.delete(replay::delete, &rows, |row| row.flag(1))
            }
            Part::Audit => {
                let kept_from = oldest_kept(now, AUDIT_DAYS);
                Ok(again_if_full(audit::delete_before(&self.sql, kept_from, STEP_ROWS)?))
            }
            Part::Keys => {
                let kept_from = first_key(oldest(now));
                Ok(again_if_full(idempotency::delete_before(&self.sql, kept_from, STEP_ROWS)?))
            }
            Part::Runs => {
                // A run may take longer than the retention: its age counts from its end, and whoever is to
                // hear of that end hears of it first.
                let rows = self.sql.run(
                    "SELECT seq, ended_at_ms IS NOT NULL AND ended_at_ms < ?4
                        AND NOT EXISTS (SELECT 1 FROM run_callback AS c WHERE c.run = run.seq AND c.state IN ('waiting', 'leased'))
                     FROM run WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
                    &[Value::from(after), Value::from(kept_from), Value::from(STEP_ROWS), Value::from(self.ended_before(now))],
                )?;
                self.delete(run::delete, &rows, |row| row.flag(1))
            }
        }
    }

    /// One step of the deliveries. A record is kept for so long after its end: a delivery that waited for a
    /// month may just have been sent.
    fn sweep_deliveries(&self, after: Seq, now: Timestamp) -> Result<Option<Seq>, LedgerError> {
        let (kept_from, ended_before) = (self.kept_from(Timeline::Deliveries, now)?, self.ended_before(now));
        let rows = self.sql.run(
            "SELECT seq, state, updated_at_ms FROM delivery WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
            &[Value::from(after), Value::from(kept_from), Value::from(STEP_ROWS)],
        )?;
        let delete = |sql: &S, over| {
            atomically(sql, |sql| {
                meta::note_swept_before(sql, ended_before)?;
                delivery::delete(sql, over)
            })
        };
        self.delete(delete, &rows, |row| {
            Ok(state_of(row.text(1)?)?.is_final() && row.timestamp(2)? < ended_before)
        })
    }

    /// Deletes those of `rows` (key in column 0) that `is_over`; gives the last key where the step was full.
    fn delete(
        &self,
        delete: impl Fn(&S, Vec<Seq>) -> Result<(), LedgerError>,
        rows: &[Row],
        is_over: impl Fn(&Row) -> Result<bool, LedgerError>,
    ) -> Result<Option<Seq>, LedgerError> {
        let (over, last) = those_over(rows, is_over)?;
        if !over.is_empty() {
            delete(&self.sql, over)?;
        }
        Ok(last)
    }
}

/// Where a step goes on that deletes from the oldest row on.
fn again_if_full(deleted: usize) -> Option<Seq> {
    (deleted >= STEP_ROWS as usize).then_some(Seq::ZERO)
}

/// Those of `rows` (key in column 0) that `is_over`, and the last key where the step was full.
fn those_over(
    rows: &[Row],
    is_over: impl Fn(&Row) -> Result<bool, LedgerError>,
) -> Result<(Vec<Seq>, Option<Seq>), LedgerError> {
    let mut over = Vec::new();
    for row in rows {
        if is_over(row)? {
            over.push(row.seq(0)?);
        }
    }
    let is_full = rows.len() >= STEP_ROWS as usize;
    Ok((over, rows.last().filter(|_last| is_full).map(|row| row.seq(0)).transpose()?))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::Outcome;
    use postern_core::event::NewEvent;
    use postern_core::project::SettingsPatch;
    use postern_core::stats::OutcomeClass;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::row::stat::{StatNote, count_attempts};
    use crate::support::build::{START, attempt, create, event, ledger, missing, webhook};
    use crate::support::native::Native;
    use crate::{InlineLimit, Report};

    const DAY: i64 = DAY_MS;

    fn post_at(ledger: &mut Ledger<Rc<Native>>, kind: &str, at: Timestamp) -> Vec<Seq> {
        ledger.ingest(vec![event(kind)], InlineLimit(0), at).unwrap().changed
    }

    /// Calls what is due at `at`; every call is answered with `status`.
    fn deliver_at(ledger: &mut Ledger<Rc<Native>>, at: Timestamp, status: u16) {
        loop {
            let tickets = ledger.lease_due(at, 1_000).unwrap().tickets;
            if tickets.is_empty() {
                return;
            }
            for ticket in tickets {
                let work = ledger.claim(&[ticket], at).unwrap().works.remove(0);
                let attempt = attempt(work.attempt, Outcome::Answered { status }, at);
                ledger.report(vec![Report { delivery: work.delivery, attempt }], at).unwrap();
            }
        }
    }

    /// Steps until there is nothing more to do; gives how many.
    fn pass(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> usize {
        let mut steps = 1;
        while ledger.retention_step(now).unwrap() {
            assert_eq!(ledger.upkeep_at(now).unwrap(), Some(now));
            steps += 1;
        }
        steps
    }

    fn count(ledger: &Ledger<Rc<Native>>, table: &str) -> i64 {
        first(ledger.sql.run(&format!("SELECT count(*) FROM {table}"), &[]).unwrap())
            .unwrap()
            .integer(0)
            .unwrap()
    }

    #[test]
    fn a_time_beyond_all_keys_has_one_that_sql_can_give_back() {
        for text in ["2097-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(first_key), Some(Seq::LAST), "{text}");
        }
        assert!(first_key(START) < Seq::LAST);
    }

    #[test]
    fn what_has_ended_goes_when_it_is_old_and_its_event_with_it() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "order.*"));
        post_at(&mut ledger, "order.paid", START);
        post_at(&mut ledger, "nobody.cares", START);
        deliver_at(&mut ledger, START, 200);
        let young = START.plus_ms(DAY);
        post_at(&mut ledger, "order.paid", young);
        deliver_at(&mut ledger, young, 200);

        let early = START.plus_ms(30 * DAY);
        assert!(!ledger.retention_step(early).unwrap());
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (3, 2));
        pass(&mut ledger, early.plus_ms(2));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (1, 1), "a day later");
        pass(&mut ledger, early.plus_ms(DAY + 2));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (0, 0));
    }

    #[test]
    fn a_delivery_that_waited_for_a_month_is_kept_for_as_long_as_any_other_after_its_end() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { paused: true, ..webhook("w", "*") });
        post_at(&mut ledger, "a", START);
        let resumed = START.plus_ms(31 * DAY);
        ledger.resume_webhook("w", None, resumed).unwrap();
        deliver_at(&mut ledger, resumed, 200);
        pass(&mut ledger, resumed.plus_ms(PASS_EVERY_MS));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (1, 1));
        pass(&mut ledger, resumed.plus_ms(30 * DAY));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (1, 1));
        pass(&mut ledger, resumed.plus_ms(30 * DAY + PASS_EVERY_MS));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (0, 0));
    }

    #[test]
    fn what_was_delivered_is_not_missing_after_the_retention_was_made_longer() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        create(&mut ledger, Definition { paused: true, ..webhook("paused", "*") });
        let set_days = |ledger: &mut Ledger<Rc<Native>>, days, at| {
            let patch = SettingsPatch { retention_days: Some(days), ..SettingsPatch::default() };
            ledger.update_settings(patch, at).unwrap();
        };
        set_days(&mut ledger, 1, START);
        post_at(&mut ledger, "a", START);
        deliver_at(&mut ledger, START, 200);
        let now = START.plus_ms(2 * DAY);
        pass(&mut ledger, now);
        assert_eq!(
            (count(&ledger, "event"), count(&ledger, "delivery")),
            (1, 1),
            "the other webhook's is open"
        );
        set_days(&mut ledger, 30, now);
        let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let query = missing("w");
        assert_eq!(ledger.count_replay(query.clone(), now).unwrap().count, 0);
        post_at(&mut ledger, "b", now);
        ledger.create_replay(query, now).unwrap();
        assert_eq!(ledger.replay_step(now, 100).unwrap().changed, [], "it has had both");
    }

    #[test]
    fn an_open_delivery_stays_and_keeps_its_event() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("done", "*"));
        create(&mut ledger, Definition { paused: true, ..webhook("paused", "*") });
        post_at(&mut ledger, "a", START);
        deliver_at(&mut ledger, START, 200);
        let now = START.plus_ms(300 * DAY);
        pass(&mut ledger, now);
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (1, 1));
        let open =
            ledger.list_deliveries(&crate::DeliveryFilter::default(), 10, None).unwrap().items.remove(0);
        assert!(ledger.event(&open.event_id).is_ok());
        ledger.cancel(&open.id, now).unwrap();
        assert!(!ledger.retention_step(now).unwrap(), "an hour between passes");
        pass(&mut ledger, now.plus_ms(30 * DAY));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (1, 1), "it ended 30 days ago");
        pass(&mut ledger, now.plus_ms(30 * DAY + PASS_EVERY_MS));
        assert_eq!((count(&ledger, "event"), count(&ledger, "delivery")), (0, 0));
    }

    #[test]
    fn each_part_has_its_own_age() {
        let mut ledger = ledger();
        let old = |days: i64| StatNote {
            webhook: Seq(1),
            kind: String::from("a"),
            at: START.plus_ms(-days * DAY),
            class: OutcomeClass::Success,
            delivered: true,
            first: true,
            duration_ms: 1,
        };
        count_attempts(&ledger.sql, &[old(0), old(399), old(401)]).unwrap();
        let test = ledger.reserve(START.plus_ms(-31 * DAY));
        let draft = crate::TestDraft {
            retry: false,
            webhook: None,
            webhook_name: None,
            definition: webhook("t", "*"),
            kind: String::from("a"),
            data: crate::support::build::json("1"),
            object: None,
            variation: None,
        };
        ledger.create_test(test, draft, START.plus_ms(-31 * DAY)).unwrap();
        pass(&mut ledger, START);
        assert_eq!((count(&ledger, "stat"), count(&ledger, "test")), (2, 1), "the test has not ended");
        ledger.report_test(test, 1, attempt(1, Outcome::Answered { status: 200 }, START), START).unwrap();
        pass(&mut ledger, START.plus_ms(PASS_EVERY_MS));
        assert_eq!(count(&ledger, "test"), 0);
    }

    #[test]
    fn the_audit_log_is_kept_for_a_year_and_an_idempotency_key_for_a_day() {
        let mut ledger = ledger();
        ledger.note(postern_core::api::audit::AuditAction::SecretRead, "w", START).unwrap();
        ledger.keep_answer("k", "d", "{}", START).unwrap();
        let day = START.plus_ms(DAY + 2);
        assert!(ledger.upkeep_at(START).unwrap().is_some_and(|at| at <= day));
        pass(&mut ledger, day);
        assert_eq!((count(&ledger, "audit"), count(&ledger, "idempotency")), (1, 0));
        pass(&mut ledger, START.plus_ms(365 * DAY + 2));
        assert_eq!(count(&ledger, "audit"), 0);
    }

    #[test]
    fn a_pass_is_made_of_small_steps_and_begins_again_where_it_was_cut() {
        let mut made = ledger();
        create(&mut made, webhook("w", "*"));
        for _ in 0..14 {
            let events: Vec<NewEvent> = (0..100).map(|_| event("a")).collect();
            made.ingest(events, InlineLimit(0), START).unwrap();
        }
        deliver_at(&mut made, START, 200);
        deliver_at(&mut made, START, 200);
        let now = START.plus_ms(31 * DAY);
        assert!(made.retention_step(now).unwrap());
        assert_eq!(count(&made, "delivery"), 900);
        let mut opened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!(opened.upkeep_at(now).unwrap(), Some(now));
        let steps = pass(&mut opened, now);
        assert_eq!((count(&opened, "event"), count(&opened, "delivery")), (0, 0));
        assert!((5..=11).contains(&steps), "{steps}");
    }

    #[test]
    fn upkeep_is_due_when_the_oldest_of_anything_has_its_age() {
        let mut ledger = ledger();
        assert_eq!(ledger.upkeep_at(START).unwrap(), None);
        create(&mut ledger, webhook("w", "a"));
        post_at(&mut ledger, "nobody.cares", START);
        let due = START.plus_ms(30 * DAY);
        let at = ledger.upkeep_at(START).unwrap().unwrap();
        assert!((1..=2).contains(&at.ms_since(due)), "{}", at.ms_since(due));
        let patch = SettingsPatch { retention_days: Some(1), ..SettingsPatch::default() };
        ledger.update_settings(patch, START).unwrap();
        let sooner = ledger.upkeep_at(START).unwrap().unwrap();
        assert_eq!(at.ms_since(sooner), 29 * DAY);
        assert_eq!(ledger.upkeep_at(at).unwrap(), Some(at), "never in the past");
        assert!(ledger.next_wake(START).unwrap().is_some_and(|(_at, reason)| reason.contains("published")));
    }
}
