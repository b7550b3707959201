//! Ageing: what has ended goes before its retention is over, where the store fills up, so that a project
//! never stops for want of bytes that nobody needs.
//!
//! From 70 % of the stored bytes on, until they are below 65 %, the oldest go first: bodies of answers that
//! are older than a day, then whole deliveries that have ended, with their events. What is open stays, and so
//! does what was created or ended within the last hour. If that does not suffice, the store comes to its
//! limit and takes nothing new (`quotas`).
//!
//! A step is bounded in rows and bytes, and what it gave up is written in its own commit (`meta.aged`): the
//! project's detail and its metrics say it for as long as the retention would have kept what is gone, and
//! `postern.project.aging` tells it when the first answers go, and when the first deliveries or events go.
//!
//! Bytes are pages in use: SQLite fills a page that was given back before it asks for another.

use postern_core::api::operational::ProjectAgingData;
use postern_core::api::project::Aged;
use postern_core::delivery::Attempt;
use postern_core::event::Operational;
use postern_core::id::Seq;
use postern_core::quota::{Quota, ages, still_ages};
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::memory::ageing::{GivenUp, Stage};
use crate::memory::gate::Effects;
use crate::project::Ledger;
use crate::row::attempts::{drop_bodies, from_lines};
use crate::row::keys::{DAY_MS, days_before, first_key};
use crate::row::text::to_json;
use crate::row::{delivery, event, meta};
use crate::sql::{Sql, Value, atomically, first, key_set};

/// Milliseconds that the body of an answer is kept at least: somebody may be looking for why a call failed.
const ANSWERS_KEPT_MS: i64 = DAY_MS;
/// Milliseconds that anything is kept at least.
const RECORDS_KEPT_MS: i64 = 3_600_000;
/// Deliveries whose answers one step looks at: the length of each is read through.
const ANSWERS_ROWS: u32 = 100;
/// Bytes of attempts that one step reads; a single delivery may have more.
const ANSWERS_BYTES_MAX: u64 = 4_000_000;
/// Bytes of bodies below which a delivery is left as it is: writing it anew gives back less than it costs.
const WORTH_BYTES: usize = 256;
/// Deliveries or events that one step looks at.
const RECORDS_ROWS: u32 = 500;
/// Milliseconds until somebody looks again, where all that may go is gone.
const REST_MS: i64 = 600_000;

/// Ended deliveries that one step gives up.
struct Window {
    over: Vec<Seq>,
    /// When the last of them ended.
    newest_end: Timestamp,
    /// The last key that was looked at.
    to: Seq,
}

impl<S: Sql> Ledger<S> {
    /// What was given up, where the retention would have kept it.
    pub(crate) fn aged(&self) -> Option<Aged> {
        Some(&self.ageing.given_up.aged).filter(|aged| **aged != Aged::default()).cloned()
    }

    /// Unix milliseconds before which deliveries and events were given up; 0: none were.
    pub(crate) fn kept_since_ms(&self) -> u64 {
        self.ageing.given_up.aged.kept_since.map_or(0, |since| u64::try_from(since.0).unwrap_or(0))
    }

    /// Starts ageing where it is time, and tells what was given up; gives the deliveries of that.
    pub(crate) fn watch_ageing(
        &mut self,
        used: u64,
        limit: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        // Also where the clock went back.
        let rests = self.ageing.rests_until.is_some_and(|until| (1..=REST_MS).contains(&until.ms_since(now)));
        let is_time = !rests && limit.is_some_and(|limit| ages(used, limit));
        if is_time && self.ageing.stage.is_none() {
            self.ageing.stage = Some(Stage::Answers);
        }
        let given_up = &self.ageing.given_up;
        if given_up.is_over(days_before(now, self.settings.retention_days)) {
            let forgotten = GivenUp { answers_to: given_up.answers_to, ..GivenUp::default() };
            meta::set_aged(&self.sql, to_json(&forgotten)?)?;
            self.ageing.given_up = forgotten;
        } else if given_up.to_tell() != given_up.told {
            return self.tell_ageing(used, limit, now);
        }
        Ok(Vec::new())
    }

    fn tell_ageing(
        &mut self,
        used: u64,
        limit: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let mut given_up = self.ageing.given_up.clone();
        given_up.told = given_up.to_tell();
        let data = ProjectAgingData {
            project: String::from(self.project().as_str()),
            stored_bytes: used,
            limit,
            retention_days: self.settings.retention_days,
            aged: given_up.aged.clone(),
        };
        let effects = atomically(&self.sql, |sql| {
            let mut effects = Effects::default();
            meta::set_aged(sql, to_json(&given_up)?)?;
            self.announce(sql, &mut effects, None, Operational::ProjectAging, &data, now)?;
            Ok(effects)
        })?;
        self.ageing.given_up = given_up;
        let changed = effects.changed.clone();
        self.apply(effects, now);
        Ok(changed)
    }

    /// One step; `true`: there is more to do now. A step that fails ends the ageing, which starts again when
    /// the size is next looked at.
    pub(crate) fn age(&mut self, stage: Stage, now: Timestamp) -> Result<bool, LedgerError> {
        self.ageing.stage = None;
        self.meters.size.set(None);
        let limit = self.meters.quotas.limit(Quota::StoredBytes);
        let used = self.stored_bytes(now)?;
        if !limit.is_some_and(|limit| still_ages(used, limit)) {
            self.upkeep.reconsider();
            return Ok(false);
        }
        let next = match stage {
            Stage::Answers if self.age_answers(now)? => Some(Stage::Answers),
            Stage::Answers => Some(Stage::Records(Seq::ZERO)),
            Stage::Records(after) => self.age_records(after, now)?.map(Stage::Records),
        };
        self.meters.size.set(None);
        if next.is_none() {
            self.ageing.rests_until = Some(now.plus_ms(REST_MS));
            self.upkeep.reconsider();
        }
        self.ageing.stage = next;
        Ok(next.is_some())
    }

    /// Gives up the answers of some deliveries; `true`: there may be more.
    fn age_answers(&mut self, now: Timestamp) -> Result<bool, LedgerError> {
        let before = now.plus_ms(-ANSWERS_KEPT_MS);
        let looked_at = self.sql.run(
            "SELECT seq, length(CAST(attempts AS BLOB)), state IN ('delivered', 'dead', 'cancelled') AND updated_at_ms < ?3
             FROM delivery WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?4",
            &[
                Value::from(self.ageing.given_up.answers_to),
                Value::from(first_key(before)),
                Value::from(before),
                Value::from(ANSWERS_ROWS),
            ],
        )?;
        let (mut wanted, mut bytes, mut last) = (Vec::new(), 0, None);
        for row in &looked_at {
            let length = u64::from(row.number(1)?);
            if row.flag(2)? && length >= WORTH_BYTES as u64 {
                bytes += length;
                if bytes > ANSWERS_BYTES_MAX && !wanted.is_empty() {
                    break;
                }
                wanted.push(row.seq(0)?);
            }
            last = Some(row.seq(0)?);
        }
        let Some(last) = last else { return Ok(false) };
        let shorter = self.without_answers(wanted)?;
        let mut given_up = self.ageing.given_up.clone();
        given_up.answers_to = last;
        given_up.aged.answers += shorter.len() as u64;
        if given_up.aged.answers > 0 {
            given_up.aged.answers_kept_since = Some(Timestamp(last.unix_ms()));
        }
        atomically(&self.sql, |sql| {
            delivery::shorten(sql, &shorter)?;
            meta::set_aged(sql, to_json(&given_up)?)
        })?;
        self.ageing.given_up = given_up;
        Ok(true)
    }

    /// The attempts of those of `deliveries` that had bodies worth giving up, without them.
    fn without_answers(&self, deliveries: Vec<Seq>) -> Result<Vec<(Seq, Vec<Attempt>)>, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, attempts FROM delivery WHERE seq IN (SELECT value FROM json_each(?1))",
            &[Value::Text(key_set(deliveries))],
        )?;
        let mut shorter = Vec::new();
        for row in &rows {
            let mut attempts = from_lines(row.text(1)?);
            if drop_bodies(&mut attempts) >= WORTH_BYTES {
                shorter.push((row.seq(0)?, attempts));
            }
        }
        Ok(shorter)
    }

    /// Gives up some deliveries that have ended, and events that have none left; gives the last key that was
    /// looked at, where more follow.
    fn age_records(&mut self, after: Seq, now: Timestamp) -> Result<Option<Seq>, LedgerError> {
        let before = now.plus_ms(-RECORDS_KEPT_MS);
        let end = Seq(first_key(before).0 - 1);
        // No more events than one step takes.
        let crowded = first(self.sql.run(
            "SELECT seq - 1 FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT 1 OFFSET ?3",
            &[Value::from(after), Value::from(end), Value::from(RECORDS_ROWS)],
        )?);
        let crowded = crowded.map(|row| row.seq(0)).transpose()?;
        let window = self.ended_deliveries(after, crowded.unwrap_or(end), before)?;
        let to = window.to;
        let mut given_up = self.ageing.given_up.clone();
        atomically(&self.sql, |sql| {
            if !window.over.is_empty() {
                given_up.aged.deliveries += window.over.len() as u64;
                meta::note_swept_before(sql, window.newest_end.plus_ms(1))?;
                delivery::delete(sql, window.over)?;
            }
            let events = events_without_deliveries(sql, after, to)?;
            given_up.aged.events += events.len() as u64;
            event::delete(sql, events)?;
            if given_up.aged.deliveries + given_up.aged.events > 0 {
                let since = Timestamp(to.unix_ms());
                given_up.aged.kept_since = given_up.aged.kept_since.max(Some(since));
            }
            meta::set_aged(sql, to_json(&given_up)?)
        })?;
        self.ageing.given_up = given_up;
        Ok((to < end).then_some(to))
    }

    /// Deliveries between these keys that ended before then, some of them. An event whose deliveries are cut
    /// is left to the next step, unless it has more than one step takes.
    fn ended_deliveries(&self, after: Seq, to: Seq, before: Timestamp) -> Result<Window, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, event, updated_at_ms, state IN ('delivered', 'dead', 'cancelled') AND updated_at_ms < ?3
             FROM delivery WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?4",
            &[Value::from(after), Value::from(to), Value::from(before), Value::from(RECORDS_ROWS)],
        )?;
        let mut window = Window { over: Vec::new(), newest_end: Timestamp(0), to };
        if let Some(last) = rows.last().filter(|_last| rows.len() >= RECORDS_ROWS as usize) {
            let whole_to = Seq(last.seq(1)?.0 - 1);
            window.to = if whole_to > after { whole_to } else { last.seq(0)? };
        }
        for row in &rows {
            if row.flag(3)? && row.seq(0)? <= window.to {
                window.over.push(row.seq(0)?);
                window.newest_end = window.newest_end.max(row.timestamp(2)?);
            }
        }
        Ok(window)
    }
}

/// Events up to a key that have no delivery.
fn events_without_deliveries<S: Sql>(sql: &S, after: Seq, to: Seq) -> Result<Vec<Seq>, LedgerError> {
    let rows = sql.run(
        "SELECT e.seq FROM event AS e WHERE e.seq > ?1 AND e.seq <= ?2
            AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq > e.seq AND d.seq <= e.seq + e.deliveries AND d.event = e.seq)
            AND NOT EXISTS (SELECT 1 FROM delivery AS l WHERE l.late = 1 AND l.event = e.seq)",
        &[Value::from(after), Value::from(to)],
    )?;
    rows.iter().map(|row| row.seq(0)).collect()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::{Outcome, ReceivedResponse, State};
    use postern_core::event::NewEvent;
    use postern_core::quota::Quotas;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{START, attempt, create, json, ledger, webhook};
    use crate::support::native::Native;
    use crate::{DeliveryFilter, InlineLimit, Report};

    type Project = Ledger<Rc<Native>>;

    /// Bytes that the projects of these tests may store.
    const LIMIT: u64 = 4_000_000;

    fn limited() -> Project {
        let mut ledger = ledger();
        ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, LIMIT));
        ledger
    }

    fn of_a_kilobyte(kind: &str) -> NewEvent {
        NewEvent::new(String::from(kind), json(&format!("\"{}\"", "x".repeat(1_000))))
    }

    /// Posts so many events; gives why they were refused.
    fn post(ledger: &mut Project, kind: &str, events: usize, now: Timestamp) -> Result<(), LedgerError> {
        ledger.ingest((0..events).map(|_| of_a_kilobyte(kind)).collect(), InlineLimit(0), now).map(|_| ())
    }

    /// Delivers what is due; every answer has a body of so many bytes.
    fn deliver(ledger: &mut Project, body: usize, now: Timestamp) {
        loop {
            let tickets = ledger.lease_due(now, 100).unwrap().tickets;
            if tickets.is_empty() {
                return;
            }
            let answered = |work: crate::Work| {
                let response =
                    ReceivedResponse { status: 200, body: "y".repeat(body), ..ReceivedResponse::default() };
                let attempt = attempt(work.attempt, Outcome::Answered { status: 200 }, now);
                Report { delivery: work.delivery, attempt: Attempt { response: Some(response), ..attempt } }
            };
            let works = ledger.claim(&tickets, now).unwrap().works;
            ledger.report(works.into_iter().map(answered).collect(), now).unwrap();
        }
    }

    /// Does what an alarm does now; gives how many steps it took.
    fn keep_up(ledger: &mut Project, now: Timestamp) -> usize {
        let mut steps = 0;
        while ledger.upkeep_at(now).unwrap() == Some(now) && ledger.retention_step(now).unwrap() {
            steps += 1;
        }
        steps
    }

    fn used(ledger: &Project) -> u64 {
        ledger.sql.database_size().unwrap()
    }

    fn told(ledger: &Project) -> Vec<serde_json::Value> {
        let rows = ledger
            .sql
            .run("SELECT data FROM event WHERE type = 'postern.project.aging' ORDER BY seq", &[])
            .unwrap();
        rows.iter().map(|row| serde_json::from_str(row.text(0).unwrap()).unwrap()).collect()
    }

    fn count(ledger: &Project, what: &str) -> i64 {
        let rows = ledger.sql.run(&format!("SELECT count(*) FROM {what}"), &[]).unwrap();
        first(rows).unwrap().integer(0).unwrap()
    }

    /// 5 events a second in 8 GB are 9 an hour in 4 MB.
    #[test]
    fn a_project_that_would_be_full_on_its_eighth_day_serves_for_a_year() {
        let mut ledger = limited();
        create(&mut ledger, webhook("w", "a"));
        let ops = create(&mut ledger, webhook("ops", "postern.*"));
        let (mut most, mut aged_on_day) = (0, None);
        for day in 0..365 {
            for quarter in 0..4 {
                let now = START.plus_ms(day * DAY_MS + quarter * DAY_MS / 4);
                post(&mut ledger, "a", 54, now).unwrap_or_else(|refused| panic!("day {day}: {refused}"));
                deliver(&mut ledger, 20, now);
                ledger.watch_fullness(now).unwrap();
                keep_up(&mut ledger, now);
                most = most.max(used(&ledger));
                if ledger.aged().is_some() {
                    aged_on_day = aged_on_day.or(Some(day));
                }
            }
        }
        assert!((3..9).contains(&aged_on_day.unwrap()), "{aged_on_day:?}");
        assert!(most < LIMIT * 75 / 100, "{most} bytes of {LIMIT}");
        let now = START.plus_ms(365 * DAY_MS);
        let aged = ledger.detail().unwrap().aged.unwrap();
        let kept_days = now.ms_since(aged.kept_since.unwrap()) / DAY_MS;
        assert!((2..9).contains(&kept_days), "{kept_days} days are kept");
        assert!(aged.events > 50_000 && aged.deliveries > 50_000, "{aged:?}");
        let metrics = ledger.metrics(now).unwrap();
        assert_eq!((metrics.stored_bytes, metrics.stored_bytes_limit), (used(&ledger), LIMIT));
        assert_eq!(Some(metrics.kept_since_ms), aged.kept_since.map(|since| since.0.unsigned_abs()));
        assert!(!ledger.detail().unwrap().full, "it never came near");
        // It was told once, long ago: that event has aged, too.
        assert_eq!(told(&ledger).len(), 0);
        let to_ops = ledger.stats(&postern_core::query::StatsQuery {
            webhook: Some(String::from("ops")),
            kind: None,
            since: START,
            until: now,
            bucket: postern_core::api::stats::BucketWidth::Day,
        });
        assert_eq!(to_ops.unwrap().totals.counts.delivered, 1, "{ops:?}");
    }

    #[test]
    fn bodies_of_answers_go_first_and_short_ones_stay() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "a"));
        for hour in 0..30 {
            let now = START.plus_ms(hour * 3_600_000);
            post(&mut ledger, "a", 12, now).unwrap();
            deliver(&mut ledger, if hour == 0 { 100 } else { 2_500 }, now);
        }
        let now = START.plus_ms(30 * 3_600_000);
        let before = used(&ledger);
        ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, before * 100 / 71));
        assert_eq!(ledger.watch_fullness(now).unwrap(), []);
        assert!(keep_up(&mut ledger, now) > 0);
        let aged = ledger.detail().unwrap().aged.unwrap();
        assert_eq!((aged.answers, aged.deliveries, aged.kept_since), (60, 0, None), "five of the six hours");
        let since = aged.answers_kept_since.unwrap();
        assert!((1..=3_600_001).contains(&now.plus_ms(-DAY_MS).ms_since(since)), "{since:?}");
        let with_body = |length: &str| {
            count(
                &ledger,
                &format!(
                    "delivery WHERE seq > 0 AND length(attempts) {length} AND attempts LIKE '%yyyyyyyy%'"
                ),
            )
        };
        assert_eq!((with_body("> 2000"), with_body("< 2000")), (24 * 12, 12));
        assert_eq!(count(&ledger, "delivery"), 30 * 12);
        let freed = before - used(&ledger);
        assert!(freed > 60 * 2_000, "pages are given back: {freed} bytes");
        let listed = ledger.list_deliveries(&DeliveryFilter::default(), 200, None).unwrap().items;
        assert!(listed.iter().all(|delivery| delivery.state == State::Delivered));
        let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(reopened.detail().unwrap().aged, Some(aged));
        // It is told once, and forgotten when it would be gone anyway.
        reopened.set_quotas(ledger.meters.quotas);
        reopened.watch_fullness(now).unwrap();
        reopened.watch_fullness(now.plus_ms(60_000)).unwrap();
        let told = told(&reopened);
        assert_eq!(
            (told.len(), &told[0]["aged"]["answers"], &told[0]["retention_days"]),
            (1, &60.into(), &30.into())
        );
        reopened.watch_fullness(now.plus_ms(31 * DAY_MS)).unwrap();
        assert_eq!(reopened.detail().unwrap().aged, None);
    }

    #[test]
    fn what_is_open_or_new_stays_and_the_wall_is_told_before_it_is_hit() {
        let mut ledger = limited();
        create(&mut ledger, Definition { paused: true, ..webhook("paused", "held") });
        create(&mut ledger, webhook("w", "a"));
        post(&mut ledger, "held", 100, START).unwrap();
        post(&mut ledger, "nobody", 100, START).unwrap();
        post(&mut ledger, "a", 100, START).unwrap();
        deliver(&mut ledger, 2_000, START);
        let later = START.plus_ms(3 * DAY_MS);
        let mut refused = None;
        for _ in 0..100 {
            refused = post(&mut ledger, "held", 100, later).err();
            if refused.is_some() {
                break;
            }
            keep_up(&mut ledger, later);
        }
        let Some(LedgerError::Quota(over)) = refused else { panic!("{refused:?}") };
        assert_eq!((over.quota, over.limit), (Quota::StoredBytes, LIMIT));
        let aged = ledger.aged().unwrap();
        assert_eq!((aged.answers, aged.deliveries, aged.events), (100, 100, 200));
        let open = count(&ledger, "delivery WHERE parked = 1");
        assert_eq!(open, count(&ledger, "event WHERE type = 'held'"), "nothing that is open is given up");
        assert!(open > 1_000, "{open}");
        // It does not spin, and all else goes on.
        assert_eq!(ledger.ageing.stage, None);
        ledger.watch_fullness(later.plus_ms(REST_MS - 1)).unwrap();
        assert_eq!(ledger.ageing.stage, None);
        let listed = ledger.list_deliveries(&DeliveryFilter::default(), 1, None).unwrap().items;
        ledger.cancel(&listed[0].id, later).unwrap();
        ledger.resume_webhook("paused", None, later).unwrap();
        deliver(&mut ledger, 10, later);
        // Once they have ended for an hour they make room.
        let hours_later = later.plus_ms(2 * 3_600_000);
        ledger.watch_fullness(hours_later).unwrap();
        assert!(keep_up(&mut ledger, hours_later) > 0);
        post(&mut ledger, "held", 100, hours_later).unwrap();
    }

    #[test]
    fn an_event_of_many_deliveries_goes_a_part_at_a_time() {
        let mut ledger = limited();
        for number in 0..700 {
            create(&mut ledger, webhook(&format!("w{number}"), "a"));
        }
        for _ in 0..3 {
            post(&mut ledger, "a", 1, START).unwrap();
            deliver(&mut ledger, 10, START);
        }
        let later = START.plus_ms(DAY_MS);
        let size = used(&ledger);
        ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, size));
        for round in 0..2 {
            let now = later.plus_ms(round * REST_MS);
            ledger.watch_fullness(now).unwrap();
            let mut last = count(&ledger, "delivery");
            while ledger.ageing.stage.is_some() {
                ledger.retention_step(now).unwrap();
                let left = count(&ledger, "delivery");
                assert!(last - left <= i64::from(RECORDS_ROWS), "{left} of {last} are left");
                last = left;
            }
            ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, used(&ledger)));
        }
        assert_eq!((count(&ledger, "delivery"), count(&ledger, "event WHERE type = 'a'")), (0, 0));
    }
}
