//! The world around one ledger: producers, the alarm, queues, dispatchers, receivers, KV, operators, and their faults.
//!
//! It does what `edge` does, in the same order, with the same idea of what may be lost at each point. Time is that of the
//! world; the project's clock is set forward and back against it.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;

use postern_core::condition::Condition;
use postern_core::delivery::{Attempt, Outcome, State};
use postern_core::event::NewEvent;
use postern_core::filter::EventPattern;
use postern_core::id::{Kind, Seq};
use postern_core::project::{ScheduleChange, SettingsPatch};
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, RateLimit};
use postern_ledger::{
    InlineLimit, LeaseTicket, Ledger, LedgerError, OutboxItem, Report, Sql, StoredWebhook, TestDraft,
    TestWork, Work, WorkSet,
};

use crate::audit::{Audit, Sent, Step, Violation, expect, plan};
use crate::faulty::{Defect, Faulty};
use crate::random::Random;
use crate::receiver::Receiver;
use crate::support::build::{START, attempt, json, keyed, project, webhook};
use crate::support::native::Native;

/// Event types in use; webhooks listen to one of them, to `order.*` or to all.
const KINDS: [&str; 3] = ["order.paid", "order.sent", "user.created"];
/// Patterns of webhooks.
const PATTERNS: [&str; 6] = ["order.paid", "order.*", "user.created", "*", "*", "postern.*"];
/// Order keys of events.
const ORDER_KEYS: [&str; 2] = ["customer-1", "customer-2"];
/// Schedules of webhooks and of the project.
const SCHEDULES: [&[u32]; 4] = [&[], &[1], &[1, 2, 5], &[30, 60, 60, 600, 3_600]];
/// Reasons to wake up that the tables alone do not show.
const GATES_AND_REPLAYS: [&str; 2] = ["a webhook may be called again", "a replay goes on"];
/// How far the project's clock may be off.
const CLOCK_OFF_MS: i64 = 3_600_000;
/// Days that the project keeps things, in some seeds.
const RETENTION_DAYS: u32 = 2;
/// The watchdog runs every minute.
const WATCHDOG_MS: i64 = 60_000;
/// An object that nobody called for so long is asleep: its memory is gone, its alarm stands.
const ASLEEP_AFTER_MS: i64 = 10_000;
/// No report is later than this.
const LAST_REPORT_MS: i64 = 600_000;
/// Everything must have settled this long after the faults ended: the schedule's longest wait is 24 h and 20 % more.
const SETTLED_MS: i64 = 4 * 86_400_000;
/// A seed that takes more steps than this is turning in circles.
const STEPS_MAX: u32 = 40_000;

thread_local! {
    /// The database of a seed that ended well, for the next seed: its tables and prepared statements are kept.
    static SPARE: Cell<Option<Rc<Native>>> = const { Cell::new(None) };
}

/// Something that will happen.
enum Happening {
    /// A producer posts a batch.
    Post(Vec<NewEvent>),
    /// The alarm rings, if it is still set to this instant of the project's clock.
    Alarm(i64),
    /// The project's clock is set.
    ClockJump,
    /// The cron asks whether the alarm was forgotten.
    Watchdog,
    /// A queue delivers a message.
    Message(LeaseTicket),
    /// A dispatcher makes a call.
    Send(Box<Work>),
    /// A dispatcher reports.
    Report(Box<Report>, u32),
    /// A trial call is made.
    TestCall(Box<TestWork>),
    /// A trial call is reported.
    TestReport(Seq, u32, Box<Attempt>),
    /// An operator does something.
    Operate,
    /// Every process dies at once, and what they and the queues held is gone.
    Die,
    /// The faults end.
    Heal,
}

struct Entry {
    at_ms: i64,
    order: u64,
    epoch: u32,
    happening: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at_ms, self.order) == (other.at_ms, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.order).cmp(&(other.at_ms, other.order))
    }
}

/// What a caller of the project learns.
enum Reply<T> {
    Done(T),
    Refused,
    /// Nothing: it may or may not have happened.
    Lost,
}

impl<T> Reply<T> {
    fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            Self::Refused | Self::Lost => None,
        }
    }
}

/// What a seed came to; equal for equal seeds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) steps: u32,
    pub(crate) calls: usize,
    delivered: usize,
    ended_at_ms: i64,
    /// Situations that it got into.
    pub(crate) reached: BTreeSet<&'static str>,
}

/// One seed.
pub(crate) struct World {
    random: Random,
    now_ms: i64,
    /// The project's clock less the world's.
    clock_off_ms: i64,
    heal_at_ms: i64,
    happenings: BinaryHeap<Reverse<Entry>>,
    order: u64,
    /// Counts deaths: what was in memory or in a queue before one never happens.
    epoch: u32,
    faulty: bool,
    store: Rc<Native>,
    sql: Rc<Faulty>,
    ledger: Ledger<Rc<Faulty>>,
    audit: Audit,
    /// On the project's clock.
    alarm_ms: Option<i64>,
    /// What had been written, and the time, when the alarm was last set.
    planned_for: (u64, Timestamp),
    /// Times in a row that the alarm rang and nothing came of it.
    idle_rings: u32,
    /// Versions of each key in the order in which they were put; the last is current.
    kv: BTreeMap<String, Vec<Option<StoredWebhook>>>,
    project_is_in_kv: bool,
    cache: BTreeMap<(Seq, u32), Definition>,
    receivers: BTreeMap<Seq, Receiver>,
    webhooks_made: u32,
    /// How long nobody calls the object before it sleeps.
    asleep_after_ms: i64,
    /// When it was called last, on the world's clock.
    called_at_ms: i64,
    /// The first webhook's calls break their dispatcher, each time, until the faults end.
    first_is_cursed: bool,
    trace: Option<Vec<String>>,
}

impl World {
    /// Runs a seed to its end.
    pub(crate) fn run(seed: u64, defect: Option<Defect>) -> Result<Summary, Violation> {
        let mut random = Random::new(seed);
        let spare = SPARE.take();
        let has_schema = spare.is_some();
        let store = spare.unwrap_or_else(Native::new);
        store.wipe().map_err(|error| error.to_string())?;
        let sql = Faulty::new(Rc::clone(&store), has_schema, defect);
        let span_ms = random
            .pick(&[60_000, 600_000, 600_000, 6 * 3_600_000, 6 * 3_600_000, 7 * 86_400_000])
            .expect("some");
        let heal_at_ms = START.0 + span_ms;
        let ledger = Ledger::create(Rc::clone(&sql), &project(), random.next(), START)
            .map_err(|error| error.to_string())?;
        let mut world = Self {
            random,
            now_ms: START.0,
            clock_off_ms: 0,
            heal_at_ms,
            happenings: BinaryHeap::new(),
            order: 0,
            epoch: 0,
            faulty: true,
            store,
            sql,
            ledger,
            audit: Audit::default(),
            alarm_ms: None,
            planned_for: (0, Timestamp(0)),
            idle_rings: 0,
            kv: BTreeMap::new(),
            project_is_in_kv: false,
            cache: BTreeMap::new(),
            receivers: BTreeMap::new(),
            webhooks_made: 0,
            asleep_after_ms: i64::MAX,
            called_at_ms: START.0,
            first_is_cursed: false,
            trace: std::env::var_os("POSTERN_SEED").map(|_seed| Vec::new()),
        };
        let summary = world.run_to_the_end().map_err(|violation| {
            let trace = world.trace.take().unwrap_or_default().join("\n");
            format!("{trace}\nseed {seed} at {} ms: {violation}", world.now_ms - START.0)
        })?;
        SPARE.set(Some(Rc::clone(&world.store)));
        Ok(summary)
    }

    /// The project's clock.
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms + self.clock_off_ms)
    }

    fn plan(&mut self, after_ms: i64, happening: Happening) {
        self.order += 1;
        self.happenings.push(Reverse(Entry {
            at_ms: self.now_ms + after_ms,
            order: self.order,
            epoch: self.epoch,
            happening,
        }));
    }

    /// Whether a fault of this kind strikes now.
    fn fault(&mut self, percent: u64) -> bool {
        let strikes = self.random.chance(percent);
        self.faulty && strikes
    }

    fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>10} {}", self.now_ms - START.0, line(self));
            self.trace.get_or_insert_default().push(line);
        }
    }

    fn run_to_the_end(&mut self) -> Result<Summary, Violation> {
        for _webhook in 0..self.random.between(1, 3) {
            self.create_webhook()?;
        }
        self.plan_the_chaos();
        let mut steps = 0;
        while let Some(Reverse(entry)) = self.happenings.pop() {
            steps += 1;
            expect(steps < STEPS_MAX, || String::from("it turns in circles"))?;
            self.now_ms = entry.at_ms;
            if self.now_ms > self.heal_at_ms + SETTLED_MS {
                break;
            }
            let is_outside = matches!(
                entry.happening,
                Happening::Post(_)
                    | Happening::Alarm(_)
                    | Happening::ClockJump
                    | Happening::Watchdog
                    | Happening::Operate
                    | Happening::Die
                    | Happening::Heal
            );
            if is_outside || entry.epoch == self.epoch {
                self.happen(entry.happening)?;
            }
        }
        self.audit.at_the_end(&self.store)?;
        self.check_kv()?;
        Ok(Summary {
            steps,
            calls: self.audit.calls(),
            delivered: self.audit.deliveries(|state| state == State::Delivered).len(),
            ended_at_ms: self.now_ms,
            reached: std::mem::take(&mut self.audit.reached),
        })
    }

    fn plan_the_chaos(&mut self) {
        let span_ms = self.heal_at_ms - self.now_ms;
        self.first_is_cursed = self.random.chance(8);
        if self.random.chance(60) {
            self.asleep_after_ms = ASLEEP_AFTER_MS;
        }
        for batch in 0..self.random.between(1, 4) {
            let mut events = Vec::new();
            let count = if self.random.chance(5) { 9 } else { self.random.between(1, 3) };
            for number in 0..count {
                events.push(self.event(&format!("key-{batch}-{number}")));
            }
            if self.random.chance(10) {
                events.extend(events.first().cloned());
            }
            let after_ms = self.random.between(0, span_ms * 9 / 10);
            self.plan(after_ms, Happening::Post(events));
        }
        for _operation in 0..self.random.between(0, 6) {
            let after_ms = self.random.between(0, span_ms);
            self.plan(after_ms, Happening::Operate);
        }
        for _death in 0..self.random.between(0, 3) {
            let after_ms = self.random.between(0, span_ms);
            self.plan(after_ms, Happening::Die);
        }
        if self.random.chance(20) {
            for _jump in 0..self.random.between(1, 3) {
                let after_ms = self.random.between(0, span_ms);
                self.plan(after_ms, Happening::ClockJump);
            }
        }
        self.plan(span_ms, Happening::Heal);
    }

    fn event(&mut self, key: &str) -> NewEvent {
        let kind = self.random.pick(&KINDS).expect("some");
        let mut event =
            NewEvent { data: json(&format!("{{\"n\":{}}}", self.random.below(4))), ..keyed(kind, key) };
        if self.random.chance(40) {
            event.order_key = self.random.pick(&ORDER_KEYS).map(|key| String::from(*key));
        }
        if self.random.chance(30) {
            event.labels.insert(String::from("env"), String::from("prod"));
        }
        event
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::Post(events) => self.post(events),
            Happening::Alarm(at_ms) if self.alarm_ms == Some(at_ms) && at_ms <= self.now().0 => self.ring(),
            Happening::ClockJump if self.faulty => {
                self.set_clock();
                Ok(())
            }
            Happening::Watchdog => self.watch(),
            Happening::Message(ticket) => self.take_message(ticket),
            Happening::Send(work) => self.send(&work),
            Happening::Report(report, tries) => self.report(*report, tries),
            Happening::TestCall(work) => {
                self.call_test(&work);
                Ok(())
            }
            Happening::TestReport(test, number, attempt) => self.report_test(test, number, *attempt),
            Happening::Operate if self.faulty => self.operate(),
            Happening::Alarm(_) | Happening::ClockJump | Happening::Operate => Ok(()),
            Happening::Die => self.die(),
            Happening::Heal => self.heal(),
        }
    }

    // The project: one call of its object, which may die before, in or after its commit.

    fn call<T>(
        &mut self,
        name: &'static str,
        operation: impl FnOnce(&mut Ledger<Rc<Faulty>>, Timestamp) -> Result<T, LedgerError>,
    ) -> Result<Reply<T>, Violation> {
        self.wake_up()?;
        // Accepting is the promise on which all else stands: it is interrupted more often.
        if self.fault(if name == "ingest" { 12 } else { 4 }) {
            let statements = self.random.below(12);
            self.sql.light_fuse(statements);
        }
        let now = self.now();
        let replay = if name == "replay_step" { self.running_replay()? } else { None };
        let result = operation(&mut self.ledger, now);
        let died_within = self.sql.revive();
        let died_after = !died_within && self.fault(3);
        let is_silent = died_within || died_after || self.fault(2);
        if died_within || died_after {
            self.audit.reached.insert(if died_within {
                "the project died within a call"
            } else {
                "the project died after its commit"
            });
            self.reopen()?;
        }
        self.note(|_world| {
            let how = if died_within {
                "died within"
            } else if died_after {
                "died after"
            } else if is_silent {
                "lost its reply"
            } else {
                "ok"
            };
            format!(
                "{name}: {how}{}",
                result.as_ref().err().map_or_else(String::new, |error| format!(" ({error})"))
            )
        });
        self.audit.after_step(&self.store, Step { name, now_ms: now.0, replay })?;
        if self.sql.defect().is_some_and(Defect::needs_restarts) {
            self.reopen()?;
        }
        if died_within || died_after {
            // The alarm is set with the commit; who died before it leaves that to the watchdog.
            self.plan(WATCHDOG_MS, Happening::Watchdog);
        } else {
            self.set_alarm()?;
        }
        match result {
            _ if is_silent => Ok(Reply::Lost),
            Ok(value) => Ok(Reply::Done(value)),
            Err(
                error
                @ (LedgerError::Sql(_) | LedgerError::Corrupt { .. } | LedgerError::SchemaTooNew { .. }),
            ) => Err(format!("{name} failed: {error}")),
            Err(_refusal) => Ok(Reply::Refused),
        }
    }

    /// The object is called: where it was asleep, a new one answers.
    fn wake_up(&mut self) -> Result<(), Violation> {
        let idle_ms = self.now_ms - self.called_at_ms;
        self.called_at_ms = self.now_ms;
        if idle_ms < self.asleep_after_ms {
            return Ok(());
        }
        self.audit.slept();
        self.reopen()
    }

    fn running_replay(&self) -> Result<Option<i64>, Violation> {
        let rows = self
            .store
            .run("SELECT min(seq) FROM replay WHERE state = 'running'", &[])
            .map_err(|error| error.to_string())?;
        rows.first().ok_or("a minimum has no row")?.integer_or_none(0).map_err(|error| error.to_string())
    }

    fn reopen(&mut self) -> Result<(), Violation> {
        self.planned_for = (u64::MAX, Timestamp(0));
        let opened = Ledger::open(Rc::clone(&self.sql)).map_err(|error| format!("open failed: {error}"))?;
        self.ledger = opened.ok_or("the project is gone")?;
        Ok(())
    }

    /// Sets the alarm to the next thing to do, unless it rings earlier anyway; checks that the ledger names it.
    fn set_alarm(&mut self) -> Result<(), Violation> {
        let changes = (self.store.changes(), self.now());
        if self.alarm_ms.is_some() && changes == self.planned_for {
            return Ok(());
        }
        self.planned_for = changes;
        let now_ms = self.now().0;
        let wake = self.ledger.next_wake(self.now()).map_err(|error| error.to_string())?;
        let plan = plan(&self.store)?;
        let named_ms = wake.map(|(at, _reason)| at.0);
        let wanted_ms = plan.earliest_ms.map(|at_ms| at_ms.max(now_ms));
        // A gate may open earlier than anything else is due, or be looked at in vain; nothing else may come late.
        let is_for_more = wake.is_some_and(|(_at, reason)| GATES_AND_REPLAYS.contains(&reason));
        let is_early = is_for_more && wanted_ms.is_none_or(|at_ms| named_ms < Some(at_ms));
        let is_missed = plan.more
            && wake.is_none()
            && self.audit.definitions().all(|(_key, definition)| definition.enabled && !definition.paused);
        expect(!is_missed, || String::from("something waits and the ledger has no plan"))?;
        expect(named_ms == wanted_ms || is_early, || {
            format!("the next plan is at {wanted_ms:?}, the ledger says {wake:?}")
        })?;
        if is_early {
            self.audit.reached.insert("the alarm was set for a gate or a replay");
        }
        let Some(at_ms) = named_ms.map(|at_ms| at_ms.max(now_ms + 1)) else { return Ok(()) };
        if self.alarm_ms.is_none_or(|alarm_ms| alarm_ms > at_ms) {
            self.alarm_ms = Some(at_ms);
            if self.fault(4) {
                self.audit.reached.insert("an alarm never rang");
                self.plan(at_ms - now_ms + WATCHDOG_MS, Happening::Watchdog);
            } else {
                self.plan(at_ms - now_ms, Happening::Alarm(at_ms));
            }
        }
        Ok(())
    }

    /// Sets the project's clock forward or back; the platform's alarms go by it.
    fn set_clock(&mut self) {
        let before = self.clock_off_ms;
        self.clock_off_ms = self.random.between(-CLOCK_OFF_MS, CLOCK_OFF_MS);
        let now_ms = self.now().0;
        self.audit.clock_was_set(now_ms);
        self.audit.reached.insert(if self.clock_off_ms < before {
            "the clock went back"
        } else {
            "the clock went forward"
        });
        self.note(|world| format!("the clock is {} ms off", world.clock_off_ms));
        if let Some(alarm_ms) = self.alarm_ms {
            let after_ms = (alarm_ms - self.now().0).max(1);
            self.plan(after_ms, Happening::Alarm(alarm_ms));
        }
    }

    // The alarm and its watchdog.

    fn ring(&mut self) -> Result<(), Violation> {
        self.wake_up()?;
        self.alarm_ms = None;
        let due = self
            .ledger
            .next_wake(self.now())
            .map_err(|error| error.to_string())?
            .is_some_and(|(at, _reason)| at <= self.now());
        self.publish()?;
        if let Some(due) = self.call("due_tests", Ledger::due_tests)?.done() {
            for work in due.works {
                self.plan(1, Happening::TestCall(Box::new(work)));
            }
        }
        if self.running_replay()?.is_some() {
            let limit = u32::try_from(self.random.between(1, 20)).expect("small");
            self.call("replay_step", |ledger, now| ledger.replay_step(now, limit))?;
        }
        let upkeep = self.ledger.upkeep_at(self.now()).map_err(|error| error.to_string())?;
        if upkeep.is_some_and(|at| at <= self.now()) {
            self.call("retention_step", Ledger::retention_step)?;
        }
        let limit = u32::try_from(self.random.between(1, 20)).expect("small");
        let Some(leased) = self.call("lease_due", |ledger, now| ledger.lease_due(now, limit))?.done() else {
            return Ok(());
        };
        let still_due = self
            .ledger
            .next_wake(self.now())
            .map_err(|error| error.to_string())?
            .is_some_and(|(at, _reason)| at <= self.now());
        self.idle_rings = if due && still_due && leased.changed.is_empty() { self.idle_rings + 1 } else { 0 };
        // A process that starts anew all the time forgets what it looked up.
        let is_restless = self.sql.defect().is_some_and(Defect::needs_restarts);
        expect(self.idle_rings < 50 || is_restless, || String::from("the alarm rings for nothing"))?;
        for ticket in leased.tickets {
            self.enqueue(ticket);
        }
        Ok(())
    }

    fn enqueue(&mut self, ticket: LeaseTicket) {
        if self.fault(8) {
            self.audit.reached.insert("a message was lost");
            return;
        }
        let is_late = self.fault(8);
        let delay_ms =
            if is_late { self.random.between(10_000, 200_000) } else { self.random.between(1, 500) };
        if is_late {
            self.audit.reached.insert("a message was late");
        }
        if self.fault(10) {
            self.audit.reached.insert("a message came twice");
            let again_ms = self.random.between(1, 100_000);
            self.plan(again_ms, Happening::Message(ticket));
        }
        self.plan(delay_ms, Happening::Message(ticket));
    }

    fn watch(&mut self) -> Result<(), Violation> {
        let is_forgotten = self.alarm_ms.is_none_or(|alarm_ms| alarm_ms < self.now().0);
        if is_forgotten { self.ring() } else { Ok(()) }
    }

    fn publish(&mut self) -> Result<(), Violation> {
        let Some(entries) = self.call("outbox_due", |ledger, now| ledger.outbox_due(now, 10))?.done() else {
            return Ok(());
        };
        for entry in entries {
            let (item, version) = (entry.item, entry.version);
            if self.fault(20) {
                self.call("outbox_failed", |ledger, now| ledger.outbox_failed(item, version, now))?;
                continue;
            }
            match entry.content {
                OutboxItem::Project(_view) => self.project_is_in_kv = true,
                OutboxItem::Webhook(webhook) => {
                    self.kv.entry(webhook.id.clone()).or_default().push(Some(*webhook));
                }
                OutboxItem::WebhookDeleted { id } => self.kv.entry(id).or_default().push(None),
            }
            self.call("outbox_done", |ledger, _now| ledger.outbox_done(item, version))?;
        }
        Ok(())
    }

    fn check_kv(&mut self) -> Result<(), Violation> {
        expect(self.project_is_in_kv, || String::from("the project was never published"))?;
        let current = self.kv.values().filter_map(|versions| versions.last().cloned().flatten());
        let published: BTreeMap<i64, Definition> =
            current.map(|webhook| (webhook.seq.0, webhook.definition)).collect();
        let stored: BTreeMap<i64, Definition> =
            self.audit.definitions().map(|(key, definition)| (key, definition.clone())).collect();
        expect(published == stored, || {
            format!("KV holds {:?}, the ledger {:?}", published.keys(), stored.keys())
        })
    }

    // Producers.

    fn post(&mut self, events: Vec<NewEvent>) -> Result<(), Violation> {
        let inline = InlineLimit(u32::try_from(self.random.below(7)).expect("small"));
        // A webhook whose limits are not known is fit for the inline lane: it is the limits that are to be missed.
        let inline =
            if self.sql.defect().is_some_and(Defect::needs_restarts) { InlineLimit(0) } else { inline };
        let posted = events.clone();
        match self.call("ingest", |ledger, now| ledger.ingest(events, inline, now))? {
            Reply::Done(ingested) => {
                for (event, accepted) in posted.iter().zip(&ingested.accepted) {
                    let key = event.idempotency_key.as_deref().unwrap_or_default();
                    self.audit.accept(
                        &self.store,
                        key,
                        &accepted.id,
                        accepted.deliveries,
                        accepted.duplicate,
                    )?;
                }
                self.dispatch(ingested.works, true)?;
                if self.random.chance(15) {
                    self.plan(1_000, Happening::Post(posted));
                }
            }
            // No answer: the producer repeats until there is one.
            Reply::Lost => {
                let after_ms = self.random.between(500, 20_000);
                self.plan(after_ms, Happening::Post(posted));
            }
            Reply::Refused => return Err(String::from("good events were refused")),
        }
        Ok(())
    }

    // Dispatchers.

    fn take_message(&mut self, ticket: LeaseTicket) -> Result<(), Violation> {
        match self.call("claim", |ledger, now| ledger.claim(&[ticket], now))? {
            Reply::Done(works) => self.dispatch(works, false),
            Reply::Lost if self.random.chance(70) => {
                self.plan(2_000, Happening::Message(ticket));
                Ok(())
            }
            Reply::Lost | Reply::Refused => Ok(()),
        }
    }

    fn dispatch(&mut self, works: WorkSet, inline: bool) -> Result<(), Violation> {
        let now_ms = self.now().0;
        for work in works.works {
            self.audit.claim(&work, inline, now_ms)?;
            let after_ms = self.random.between(0, 1_500);
            self.plan(after_ms, Happening::Send(Box::new(work)));
        }
        Ok(())
    }

    fn send(&mut self, work: &Work) -> Result<(), Violation> {
        let is_cursed = self.first_is_cursed
            && self.receivers.first_key_value().is_some_and(|(first, _receiver)| *first == work.webhook);
        if self.fault(3) || (is_cursed && self.faulty) {
            self.audit.reached.insert("a dispatcher died");
            return Ok(());
        }
        let Some(definition) = self.definition(work)? else { return Ok(()) };
        let Some(receiver) = self.receivers.get(&work.webhook) else {
            return Err(String::from("a call to nobody"));
        };
        let answer = receiver.answer(&mut self.random, self.now_ms, definition.timeout_s);
        self.audit.send(work, Sent { started_at_ms: self.now().0, outcome: answer.outcome.clone() })?;
        self.note(|_world| {
            format!(
                "send {} attempt {}: {:?} after {} ms",
                work.delivery.0, work.attempt, answer.outcome, answer.duration_ms
            )
        });
        if self.fault(4) {
            self.audit.reached.insert("a report was lost");
            return Ok(());
        }
        let mut record = attempt(work.attempt, answer.outcome, self.now());
        record.response = answer.response;
        record.duration_ms = u32::try_from(answer.duration_ms).expect("a timeout at most");
        let report = Report { delivery: work.delivery, attempt: record };
        let mut after_ms = answer.duration_ms;
        if self.fault(6) {
            self.audit.reached.insert("a report was late");
            after_ms += self.random.between(10_000, 120_000);
        }
        if self.fault(6) {
            self.audit.reached.insert("a report came twice");
            let again_ms = after_ms + self.random.between(0, 60_000);
            self.plan(again_ms, Happening::Report(Box::new(report.clone()), 0));
        }
        self.plan(after_ms, Happening::Report(Box::new(report), 0));
        Ok(())
    }

    /// The definition that a dispatcher uses: from its own memory, from KV (which may lag), or from the project.
    fn definition(&mut self, work: &Work) -> Result<Option<Definition>, Violation> {
        let (webhook, version) = (work.webhook, work.webhook_version);
        if let Some(definition) = self.cache.get(&(webhook, version)) {
            return Ok(Some(definition.clone()));
        }
        let lag = usize::from(self.fault(40));
        if lag > 0 {
            self.audit.reached.insert("KV was behind");
        }
        let copy = self
            .kv
            .get(&work.webhook_id)
            .and_then(|versions| versions.iter().rev().nth(lag))
            .cloned()
            .flatten();
        let found = match copy.filter(|copy| copy.version >= version) {
            Some(copy) => Some(copy),
            None => {
                self.call("definition", |ledger, _now| ledger.definition(webhook, version))?.done().flatten()
            }
        };
        if let Some(found) = &found {
            expect(found.version >= version && found.seq == webhook, || {
                format!("{found:?} was given for version {version}")
            })?;
            let is_true = self.audit.version(webhook.0, found.version) == Some(&found.definition);
            expect(is_true, || format!("{found:?} is not what version {} was", found.version))?;
            if found.definition.signing_secrets(self.now()).count() > 1 {
                self.audit.reached.insert("a call was signed with two secrets");
            }
            self.cache.insert((webhook, found.version), found.definition.clone());
        }
        Ok(found.map(|found| found.definition))
    }

    fn report(&mut self, report: Report, tries: u32) -> Result<(), Violation> {
        let (key, number) = (report.delivery.0, report.attempt.number);
        let sent = report.clone();
        match self.call("report", |ledger, now| ledger.report(vec![sent], now))? {
            Reply::Done(_reported) => self.audit.reported(&self.store, key, number),
            Reply::Lost if tries < 3 && self.random.chance(80) => {
                let after_ms = self.random.between(500, 5_000);
                self.plan(after_ms, Happening::Report(Box::new(report), tries + 1));
                Ok(())
            }
            Reply::Lost | Reply::Refused => Ok(()),
        }
    }

    fn call_test(&mut self, work: &TestWork) {
        if self.fault(15) {
            return;
        }
        let status = if self.random.chance(60) { 200 } else { 500 };
        let record = attempt(work.number, Outcome::Answered { status }, self.now());
        let after_ms = if self.fault(15) { self.random.between(20_000, 90_000) } else { 40 };
        self.plan(after_ms, Happening::TestReport(work.test, work.number, Box::new(record)));
    }

    fn report_test(&mut self, test: Seq, number: u32, record: Attempt) -> Result<(), Violation> {
        self.call("report_test", |ledger, now| ledger.report_test(test, number, record, now)).map(|_reply| ())
    }

    // Operators.

    fn create_webhook(&mut self) -> Result<(), Violation> {
        self.webhooks_made += 1;
        let pattern = self.random.pick(&PATTERNS).expect("some");
        let mut definition = webhook(&format!("w{}", self.webhooks_made), pattern);
        if self.random.chance(15) {
            definition.events.extend(EventPattern::parse("postern.*"));
        }
        definition.retry = self.random.chance(85);
        definition.timeout_s = u32::try_from(self.random.between(1, 30)).expect("small");
        for _rule in 0..self.random.below(4) {
            self.make_rule(&mut definition);
        }
        self.wake_up()?;
        let seq = self.ledger.reserve(self.now());
        let receiver = Receiver::new(&mut self.random, self.now_ms, self.heal_at_ms);
        self.receivers.insert(seq, receiver);
        self.call("create_webhook", |ledger, now| ledger.create_webhook(seq, definition, now))
            .map(|_reply| ())
    }

    /// Sets one of a webhook's rules, or takes it away.
    fn make_rule(&mut self, definition: &mut Definition) {
        let number = |random: &mut Random, to: i64| u32::try_from(random.between(1, to)).expect("small");
        let is_set = self.random.chance(75);
        match self.random.below(7) {
            0 => {
                let rate =
                    RateLimit { calls: number(&mut self.random, 4), per_s: number(&mut self.random, 90) };
                definition.rate_limit = is_set.then_some(rate);
            }
            1 => definition.concurrency_limit = is_set.then_some(number(&mut self.random, 2)),
            2 => definition.ordered = is_set,
            5 => definition.confirm_gone = is_set,
            3 => {
                definition.retry_schedule_s =
                    self.random.pick(&SCHEDULES).filter(|_schedule| is_set).map(|schedule| schedule.to_vec());
            }
            4 => {
                let condition = serde_json::json!({ "field": "n", "gte": self.random.below(3) });
                definition.filter = is_set.then(|| Condition::parse(&condition, "").expect("a condition"));
            }
            _ => {
                definition.event_labels.clear();
                if self.random.chance(30) {
                    definition.event_labels.insert(String::from("env"), String::from("prod"));
                }
            }
        }
    }

    fn operate(&mut self) -> Result<(), Violation> {
        let keys: Vec<(i64, Definition)> =
            self.audit.definitions().map(|(key, definition)| (key, definition.clone())).collect();
        let chosen = self.random.pick(&keys).map(|(_key, definition)| definition.clone());
        match self.random.below(14) {
            0 => self.create_webhook(),
            1..=6 => match chosen {
                Some(definition) => self.edit(definition),
                None => self.create_webhook(),
            },
            7 => match chosen {
                Some(definition) => {
                    let name = definition.name;
                    self.call("delete_webhook", |ledger, now| ledger.delete_webhook(name.as_str(), None, now))
                        .map(|_reply| ())
                }
                None => Ok(()),
            },
            8 | 9 => self.resend(),
            10 => self.cancel(),
            11 => self.change_settings(),
            12 => self.replay(chosen.as_ref()),
            _ => self.create_test(),
        }
    }

    fn edit(&mut self, mut definition: Definition) -> Result<(), Violation> {
        let name = definition.name.clone();
        match self.random.below(8) {
            0 => definition.retry = !definition.retry,
            1 => definition.timeout_s = u32::try_from(self.random.between(1, 30)).expect("small"),
            2 => {
                let secret = format!("s1.k1.sealed-{}", self.random.next());
                let overlap_s = u32::try_from(self.random.between(0, 86_400)).expect("small");
                definition.rotate_secret(secret, overlap_s, self.now());
            }
            3 | 4 => self.make_rule(&mut definition),
            5 => definition.paused = !definition.paused,
            _ => {
                definition.enabled = !definition.enabled;
                if !definition.enabled && self.random.chance(60) {
                    let after_ms = self.random.between(1_000, 100_000);
                    self.plan(after_ms, Happening::Operate);
                }
            }
        }
        self.call("update_webhook", |ledger, now| ledger.update_webhook(name.as_str(), definition, None, now))
            .map(|_reply| ())
    }

    fn change_settings(&mut self) -> Result<(), Violation> {
        let schedule = match self.random.pick(&SCHEDULES).filter(|_schedule| self.random.chance(70)) {
            Some(schedule) => ScheduleChange::Waits(schedule.to_vec()),
            None => ScheduleChange::Default,
        };
        let patch = SettingsPatch {
            schedule: Some(schedule),
            retention_days: Some(RETENTION_DAYS),
            ..SettingsPatch::default()
        };
        self.call("update_settings", |ledger, now| ledger.update_settings(patch, now)).map(|_reply| ())
    }

    fn replay(&mut self, webhook: Option<&Definition>) -> Result<(), Violation> {
        let missing = webhook.is_some() && self.random.chance(50);
        let webhook = webhook
            .filter(|_webhook| missing || self.random.chance(50))
            .map(|webhook| String::from(webhook.name.as_str()));
        let states = if missing { Vec::new() } else { vec![State::Dead, State::Cancelled] };
        let query = ReplayQuery { webhook, since: None, until: None, states, types: Vec::new(), missing };
        let made = self.call("create_replay", |ledger, now| ledger.create_replay(query, now))?.done();
        if let Some(made) = made.filter(|_made| self.random.chance(10)) {
            self.audit.reached.insert("a replay was cancelled");
            self.call("cancel_replay", |ledger, now| ledger.cancel_replay(&made.id, now))?;
        }
        Ok(())
    }

    fn id(&self, key: i64) -> String {
        self.ledger.ids().id(Kind::Delivery, Seq(key))
    }

    fn resend(&mut self) -> Result<(), Violation> {
        let keys = self.audit.deliveries(|state| state != State::Leased);
        let Some(key) = self.random.pick(&keys).copied() else { return Ok(()) };
        let id = self.id(key);
        self.audit.resent.insert(key);
        self.call("resend", |ledger, now| ledger.resend(&id, now)).map(|_reply| ())
    }

    fn cancel(&mut self) -> Result<(), Violation> {
        let keys = self.audit.deliveries(|state| !state.is_final());
        let Some(key) = self.random.pick(&keys).copied() else { return Ok(()) };
        let id = self.id(key);
        self.audit.cancelled.insert(key);
        self.call("cancel", |ledger, now| ledger.cancel(&id, now)).map(|_reply| ())
    }

    fn create_test(&mut self) -> Result<(), Violation> {
        self.wake_up()?;
        let seq = self.ledger.reserve(self.now());
        let draft = TestDraft {
            retry: self.random.below(2) == 0,
            webhook: None,
            webhook_name: None,
            definition: webhook("test", "*"),
            kind: String::from(KINDS[0]),
            data: json("{}"),
            object: None,
        };
        if let Some((_view, work)) =
            self.call("create_test", |ledger, now| ledger.create_test(seq, draft, now))?.done()
        {
            self.plan(5, Happening::TestCall(Box::new(work)));
        }
        Ok(())
    }

    // Faults as such.

    fn die(&mut self) -> Result<(), Violation> {
        self.note(|_world| String::from("every process dies"));
        self.epoch += 1;
        self.cache.clear();
        self.reopen()
    }

    /// From here on everything works, and every webhook is enabled; later once more, because a 410 that was answered
    /// before may be reported after.
    fn heal(&mut self) -> Result<(), Violation> {
        self.note(|_world| String::from("the faults end"));
        if self.faulty {
            self.plan(LAST_REPORT_MS, Happening::Heal);
        }
        self.faulty = false;
        let stopped =
            self.audit.definitions().filter(|(_key, definition)| !definition.enabled || definition.paused);
        let stopped: Vec<Definition> = stopped.map(|(_key, definition)| definition.clone()).collect();
        for definition in stopped {
            let enabled = Definition { enabled: true, paused: false, ..definition.clone() };
            self.call("update_webhook", |ledger, now| {
                ledger.update_webhook(definition.name.as_str(), enabled, None, now)
            })?;
        }
        self.plan(WATCHDOG_MS, Happening::Watchdog);
        Ok(())
    }
}
