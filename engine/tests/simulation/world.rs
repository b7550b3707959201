//! The world around one ledger: producers, the platform's alarm, queues, isolates, receivers, KV,
//! operators, and their faults.
//!
//! It drives the machines of the engine as `edge` does: [`Desk`] is an invocation, [`Mailbox`] an isolate's
//! reports, [`Ring`] the alarm. What the world itself decides is what the platform and people decide: how
//! long things take, what is lost, when who dies. Time is that of the world; the project's clock is set
//! forward and back against it.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;

use postern_core::condition::Condition;
use postern_core::contract::Rendering;
use postern_core::delivery::{Attempt, Outcome, SentRequest, State};
use postern_core::event::NewEvent;
use postern_core::filter::EventPattern;
use postern_core::id::{Kind, Seq};
use postern_core::project::{ScheduleChange, SettingsPatch};
use postern_core::quota::{Quota, Quotas};
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, RateLimit, WebhookName};
use postern_engine::{
    Alarm, CallId, Carried, Carry, Desk, Do, Fault, Heard, Intake, Jitter, Load, Mailbox, Message, Paces,
    Parcel, Queued, Ready, Rest, Ring, Round, Shift, Task, TicketBounds, Told, Turn, pack, put_back,
};
use postern_ledger::{
    GivenBack, Ingested, InlineLimit, LEASE_SLACK_MS, Lane, LeaseTicket, Ledger, LedgerError, OutboxEntry,
    OutboxItem, Report, Row, Sql, StoredWebhook, TestDraft, TestWork, Why, Work, WorkSet,
};

use crate::audit::{Audit, Plan, Sent, Step, Violation, expect, plan};
use crate::faulty::{Defect, Faulty};
use crate::random::Random;
use crate::receiver::{Answer, Receiver};
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
/// After the faults have ended the watchdog looks so often how full a project is, so long apart.
const LOOKS_AT_FULLNESS: i64 = 10;
const LOOKS_AT_FULLNESS_MS: i64 = 4 * 3_600_000;
/// The watchdog runs every minute.
const WATCHDOG_MS: i64 = 60_000;
/// An object that nobody called for so long is asleep: its memory is gone, its alarm stands.
const ASLEEP_AFTER_MS: i64 = 10_000;
/// A consumer's invocation ends so long after it started, and one of a request.
const CONSUMER_MS: i64 = 31_000;
const REQUEST_MS: i64 = 30_000;
/// While as many tickets are under way as may be, the alarm rests for so long at most.
const FULL_REST_MS: i64 = 1_000;
/// Isolates, which share nothing.
const ISOLATES: u64 = 2;
/// A ticket that was put back so often may be left to its lease.
const HOPS_MAX: u32 = 20;
/// A call with reports that has taken longer is not waited for by others.
const STUCK_AFTER_MS: i64 = 5_000;
/// A replay does not rest for longer than this, if nothing dies.
const REPLAYED_WITHIN_MS: i64 = 5_000;
/// A delivery whose definition was not found rests for so long.
const RESTS_MS: i64 = 30_000;
/// What a queue refused rests for so long at least.
const REFUSED_REST_MS: i64 = 1_000;
/// What is to be published is, within this time, if nothing dies. KV may hang for 10 s.
const PUBLISHED_WITHIN_MS: i64 = 20_000;
/// A ticket that nobody claimed for so long is taken for lost.
const TICKET_LOST_AFTER_MS: i64 = 1_000 + LEASE_SLACK_MS;
/// What an invocation has to tell the project is told within this time, whichever calls of it fail.
const TOLD_WITHIN_MS: i64 = 25_000;
/// A producer waits for its answer so long.
const PATIENCE_MS: i64 = 60_000;
/// A call with events that has taken longer is not waited for by others.
const STUCK_INTAKE_MS: i64 = 2_000;
/// Events travel in groups of so many requests, so that a full one is met.
const GROUP: Load = Load { calls: 3, bytes: 1_000 };
/// No report is later than this.
const LAST_REPORT_MS: i64 = 600_000;
/// Everything must have settled this long after the faults ended: the schedule's longest wait is 24 h and
/// 20 % more.
const SETTLED_MS: i64 = 4 * 86_400_000;
/// A seed that takes more steps than this is turning in circles.
const STEPS_MAX: u32 = 40_000;

thread_local! {
    /// The database of a seed that ended well, for the next seed: its tables and prepared statements are
    /// kept.
    static SPARE: Cell<Option<Rc<Native>>> = const { Cell::new(None) };
}

/// Something that will happen.
enum Happening {
    /// A producer posts a batch.
    Post(Vec<NewEvent>),
    /// The project's object gets a call with events of several requests.
    AskIngest(Group),
    /// The call has come back, and its carrier goes on.
    Ingested(Group, Vec<Reply<Ingested>>),
    /// A producer has no answer yet.
    LosePatience(u64),
    /// The alarm rings, if it is still set to this instant of the project's clock.
    Alarm(i64),
    /// The project's clock is set.
    ClockJump,
    /// The cron looks whether the alarm is set.
    Watchdog,
    /// A queue delivers a batch of messages.
    Batch(Vec<Message>),
    /// An invocation looks what is to be done, unless it has looked since.
    Look(u64, u64),
    /// An invocation learns something.
    Hear(u64, Box<Heard>),
    /// A receiver's answer has come.
    Answered(u64, CallId, Box<Report>),
    /// The project's object gets a call of an invocation.
    Ask(u64, Box<Ask>),
    /// It gets a call with reports.
    AskReports(Carrying, Vec<Report>),
    /// A call that its caller has given up reaches the object all the same.
    Late(Box<Ask>),
    /// An invocation carries reports.
    Carry(Carrying),
    /// The project has answered a call with reports, or not.
    CarriedTo(Carrying, Carried),
    /// The platform ends an invocation.
    End(u64),
    /// KV has taken definitions, or has not.
    Published(u64, Vec<OutboxEntry>, bool),
    /// A trial call is made.
    TestCall(Box<TestWork>),
    /// A trial call is reported.
    TestReport(Seq, u32, Box<Attempt>),
    /// An operator does something.
    Operate,
    /// An operator does something about a delivery that is being called, or about its order.
    Meddle,
    /// An operator cancels this delivery.
    Cancel(i64),
    /// An operator pauses a webhook, for which much comes then.
    Jam,
    /// Somebody asks for an older delivery than one that is leased, and pauses its webhook before the claim.
    Squeeze(i64),
    /// The webhook of this name is resumed.
    Unjam(WebhookName),
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

/// What an invocation asks of the project.
#[derive(Clone)]
enum Ask {
    Claim { reports: Vec<Report>, tickets: Vec<LeaseTicket> },
    Report { reports: Vec<Report> },
    Unclaim { claims: Vec<GivenBack> },
}

/// One invocation of the Worker.
struct Invocation {
    desk: Desk,
    isolate: usize,
    /// Counts its looks, so that a wait that was cut short does nothing.
    looks: u64,
    /// Calls under way, with their deliveries and numbers, and the ends of their leases.
    calls: BTreeMap<CallId, ((i64, u32), i64)>,
    /// Tickets that it has neither claimed nor put back, and claims whose calls have not started and that
    /// were not given back: what it must not forget.
    owes: BTreeSet<(i64, u32)>,
    /// Reports that it has neither left in a mailbox nor told the project.
    untold: BTreeSet<(i64, u32)>,
    /// Tickets that it may leave to their leases, because they were put back often.
    old: BTreeSet<(i64, u32)>,
}

/// A producer's request that has no answer yet.
struct Request {
    events: Vec<NewEvent>,
    isolate: usize,
    since_ms: i64,
    /// Whether a call of the object has it, or had it: another one would store an event without a key twice.
    is_sent: bool,
}

/// Requests whose events reach the project in one call.
struct Group {
    isolate: usize,
    round: Round,
    requests: Vec<u64>,
}

/// What the invocations of an isolate share.
struct Isolate {
    paces: Paces,
    mailbox: Mailbox,
    intake: Intake<u64>,
    /// When a call with events of its requests last hung, or its carrier died.
    intake_stuck_ms: i64,
    /// Reports that were left in the mailbox and are not acknowledged, by delivery and number.
    left: BTreeMap<(i64, u32), Left>,
    /// The latest turn that it has given.
    turn: u64,
}

impl Isolate {
    fn new() -> Self {
        Self {
            paces: Paces::default(),
            mailbox: Mailbox::default(),
            intake: Intake::new(GROUP),
            intake_stuck_ms: 0,
            left: BTreeMap::new(),
            turn: 0,
        }
    }
}

/// A report that was left.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// When its lease ends.
    until_ms: i64,
    /// The turn that has it in hand, and since when.
    hand: Option<(u64, i64)>,
}

impl Left {
    /// Whether who has this turn must carry it: its lease goes on, and nobody else has it, or had it when
    /// the turn began and had been stuck for long.
    fn is_due(self, carrying: &Carrying, now_ms: i64) -> bool {
        let is_elsewhere = self.hand.is_some_and(|(turn, since_ms)| {
            turn != carrying.number && since_ms + STUCK_AFTER_MS > carrying.since_ms
        });
        self.until_ms > now_ms && !is_elsewhere
    }
}

/// An invocation that carries reports.
struct Carrying {
    id: u64,
    turn: Turn,
    /// Names the turn, in order.
    number: u64,
    since_ms: i64,
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

/// What goes wrong in a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Everything may.
    Chaos,
    /// One call in a hundred of the project's object fails, half of them after their commit; nothing else
    /// does.
    ObjectCalls,
}

/// What kind of deliveries a seed is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    /// All kinds.
    Mixed,
    /// Those of one order key, in which people meddle.
    Ordered,
    /// More than their webhooks may get at once.
    Crowded,
    /// Those of slow receivers, of whose calls the project hears when it has given them up.
    Overdue,
}

/// What a seed came to; equal for equal seeds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) steps: u32,
    pub(crate) calls: usize,
    pub(crate) delivered: usize,
    pub(crate) events: usize,
    ended_at_ms: i64,
    /// Situations that it got into.
    pub(crate) reached: BTreeSet<&'static str>,
}

/// One seed.
#[expect(clippy::struct_excessive_bools, reason = "what is so at the moment, each of something else")]
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
    weather: Weather,
    company: Company,
    faulty: bool,
    store: Rc<Native>,
    sql: Rc<Faulty>,
    ledger: Ledger<Rc<Faulty>>,
    /// Bytes that the project may store, where that is about as much as it does.
    bytes_max: Option<u64>,
    audit: Audit,
    /// On the project's clock.
    alarm_ms: Option<i64>,
    /// What had been written, and the time, when the alarm was last set.
    planned_for: (u64, Timestamp),
    /// What the tables said after so much had been written.
    tables_plan: Option<(u64, Plan)>,
    /// Times in a row that the alarm rang and nothing came of it.
    idle_rings: u32,
    /// Versions of each key in the order in which they were put; the last is current.
    kv: BTreeMap<String, Vec<Option<StoredWebhook>>>,
    project_is_in_kv: bool,
    cache: BTreeMap<(Seq, u32), Definition>,
    isolates: Vec<Isolate>,
    invocations: BTreeMap<u64, Invocation>,
    invocations_made: u64,
    /// Producers that wait for an answer.
    requests: BTreeMap<u64, Request>,
    requests_made: u64,
    alarm: Alarm,
    ticket_bounds: TicketBounds,
    /// Counts the processes of the object: what one of them was about to do dies with it.
    process: u64,
    is_ringing: bool,
    /// Deliveries that changed in this ring.
    ring_changed: usize,
    desk_bounds: postern_engine::Bounds,
    /// Whether something failed in this ring, and what the queues refused.
    has_failed: bool,
    refused: Vec<LeaseTicket>,
    /// When tickets were leased that the process of the object was told of, and nobody claimed.
    out: BTreeMap<(i64, u32), i64>,
    /// When what a queue refused was given back.
    refused_ms: BTreeMap<i64, i64>,
    /// When a replay that runs was made or went on last.
    replaying_since_ms: Option<i64>,
    /// Until when deliveries rest whose definitions were not found.
    resting_ms: BTreeMap<i64, i64>,
    /// When no call reaches the object, and when the queues take nothing.
    outages: Vec<(i64, i64)>,
    refusals: Vec<(i64, i64)>,
    was_set: bool,
    /// When something last happened that excuses what is late or lost.
    trouble_ms: i64,
    /// When an invocation gave a claim back, by delivery and number.
    given_up_ms: BTreeMap<(i64, u32), (i64, i64)>,
    /// When each call ended, by delivery and number, and when its lease ends.
    ended_ms: BTreeMap<(i64, u32), (i64, i64)>,
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
        Self::run_in(Weather::Chaos, seed, defect)
    }

    /// Runs a seed to its end in this weather.
    pub(crate) fn run_in(weather: Weather, seed: u64, defect: Option<Defect>) -> Result<Summary, Violation> {
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
        sql.begin("");
        let mut world = Self {
            random,
            now_ms: START.0,
            clock_off_ms: 0,
            heal_at_ms,
            happenings: BinaryHeap::new(),
            order: 0,
            epoch: 0,
            weather,
            company: Company::Mixed,
            faulty: weather == Weather::Chaos,
            store,
            sql,
            ledger,
            bytes_max: None,
            audit: Audit::default(),
            alarm_ms: None,
            planned_for: (0, Timestamp(0)),
            tables_plan: None,
            idle_rings: 0,
            kv: BTreeMap::new(),
            project_is_in_kv: false,
            cache: BTreeMap::new(),
            isolates: Vec::new(),
            invocations: BTreeMap::new(),
            invocations_made: 0,
            requests: BTreeMap::new(),
            requests_made: 0,
            alarm: Alarm::default(),
            ticket_bounds: TicketBounds::PLATFORM,
            process: 0,
            is_ringing: false,
            ring_changed: 0,
            desk_bounds: postern_engine::Bounds::PLATFORM,
            has_failed: false,
            refused: Vec::new(),
            out: BTreeMap::new(),
            refused_ms: BTreeMap::new(),
            replaying_since_ms: None,
            resting_ms: BTreeMap::new(),
            outages: Vec::new(),
            refusals: Vec::new(),
            was_set: false,
            trouble_ms: 0,
            given_up_ms: BTreeMap::new(),
            ended_ms: BTreeMap::new(),
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
        self.start_isolates();
        if self.weather == Weather::Chaos {
            self.company = match self.random.below(100) {
                0..8 => Company::Ordered,
                8..18 => Company::Crowded,
                18..24 => Company::Overdue,
                _ => Company::Mixed,
            };
        }
        for _webhook in 0..self.random.between(1, 3) {
            self.create_webhook()?;
        }
        if self.weather == Weather::Chaos
            && self.heal_at_ms - self.now_ms > 3_600_000
            && self.random.chance(12)
        {
            let used = self.store.database_size().map_err(|error| error.to_string())?;
            // It ages from 70 % on, and is full long after that.
            self.bytes_max = Some(used * 100 / 72);
            self.limit();
        }
        match self.weather {
            Weather::Chaos => self.plan_the_chaos(),
            Weather::ObjectCalls => self.plan_a_quiet_day(),
        }
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
                    | Happening::LosePatience(_)
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
        let now_ms = self.now().0;
        self.audit.at_the_end(&self.store, now_ms)?;
        self.check_kv()?;
        Ok(Summary {
            steps,
            calls: self.audit.calls(),
            events: self.audit.accepted(),
            delivered: self.audit.deliveries(|state| state == State::Delivered).len(),
            ended_at_ms: self.now_ms,
            reached: std::mem::take(&mut self.audit.reached),
        })
    }

    fn start_isolates(&mut self) {
        self.isolates = (0..ISOLATES).map(|_isolate| Isolate::new()).collect();
    }

    fn plan_the_chaos(&mut self) {
        let span_ms = self.heal_at_ms - self.now_ms;
        if self.random.chance(25) {
            // Bounds so small that each is met.
            let small = |random: &mut Random, to| usize::try_from(random.between(1, to)).expect("small");
            let calls = small(&mut self.random, 3);
            self.desk_bounds = postern_engine::Bounds {
                calls,
                calls_per_webhook: small(&mut self.random, 2).min(calls),
                quick: small(&mut self.random, 4),
                hanging: small(&mut self.random, 2).min(calls),
                claims: small(&mut self.random, 2),
            };
        }
        if self.random.chance(25) {
            self.ticket_bounds = TicketBounds { plain: 3, least: 2, most: 4, room: 1 };
            self.alarm = Alarm::new(self.ticket_bounds);
        }
        if self.random.chance(20) {
            self.outages = self.windows(60_000);
        }
        if self.random.chance(15) {
            self.refusals = self.windows(600_000);
        }
        self.first_is_cursed = self.random.chance(8);
        if self.random.chance(60) {
            self.asleep_after_ms = ASLEEP_AFTER_MS;
        }
        for batch in 0..self.random.between(1, 4) {
            let mut events = Vec::new();
            let is_much = matches!(self.company, Company::Crowded | Company::Overdue);
            let is_burst = self.random.chance(if is_much { 60 } else { 5 });
            let count = if is_burst { 9 } else { self.random.between(1, 3) };
            for number in 0..count {
                events.push(self.event(&format!("key-{batch}-{number}")));
            }
            if self.random.chance(10) {
                events.extend(events.first().cloned());
            }
            let after_ms = self.random.between(0, span_ms * 9 / 10);
            if self.random.chance(30) {
                // Of as many producers, at about the same time.
                for event in events {
                    let apart_ms = self.random.between(0, 20);
                    self.plan(after_ms + apart_ms, Happening::Post(vec![event]));
                }
            } else {
                self.plan(after_ms, Happening::Post(events));
            }
        }
        for _operation in 0..self.random.between(0, 6) {
            let after_ms = self.random.between(0, span_ms);
            self.plan(after_ms, Happening::Operate);
        }
        for _jam in 0..if self.company == Company::Crowded { 2 } else { 0 } {
            let after_ms = self.random.between(span_ms / 3, span_ms);
            self.plan(after_ms, Happening::Jam);
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
        if self.bytes_max.is_some() {
            // The platform's cron looks all the time; some of it will do.
            for look in 1..20 {
                self.plan(span_ms * look / 20, Happening::Watchdog);
            }
        }
        self.plan(span_ms, Happening::Heal);
    }

    /// Fifty events, a second or so apart.
    fn plan_a_quiet_day(&mut self) {
        for number in 0..50 {
            let event = NewEvent { order_key: None, ..self.event(&format!("key-{number}")) };
            let after_ms = self.random.between(0, 50_000);
            self.plan(after_ms, Happening::Post(vec![event]));
        }
        self.plan(LAST_REPORT_MS, Happening::Heal);
    }

    /// Whether a call of the object fails on a quiet day, before its commit or after it.
    fn is_half_a_percent(&mut self) -> bool {
        self.weather == Weather::ObjectCalls && self.random.below(200) == 0
    }

    /// One or two spans of time before the faults end.
    fn windows(&mut self, longest_ms: i64) -> Vec<(i64, i64)> {
        let span_ms = self.heal_at_ms - self.now_ms;
        (0..self.random.between(1, 2))
            .map(|_window| {
                let from_ms = self.now_ms + self.random.between(0, span_ms);
                (from_ms, (from_ms + self.random.between(1_000, longest_ms)).min(self.heal_at_ms))
            })
            .collect()
    }

    fn event(&mut self, key: &str) -> NewEvent {
        let kind = self.random.pick(&KINDS).expect("some");
        let mut event =
            NewEvent { data: json(&format!("{{\"n\":{}}}", self.random.below(4))), ..keyed(kind, key) };
        if self.company == Company::Ordered {
            event.order_key = Some(String::from(ORDER_KEYS[0]));
        } else if self.random.chance(40) {
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
            Happening::AskIngest(group) => self.asked_to_ingest(group),
            Happening::Ingested(group, replies) => self.ingested(group, replies),
            Happening::LosePatience(request) => self.lose_patience(request),
            Happening::Alarm(at_ms) if self.alarm_ms == Some(at_ms) && at_ms <= self.now().0 => self.ring(),
            Happening::ClockJump if self.faulty => {
                self.set_clock();
                Ok(())
            }
            Happening::Watchdog => self.watch(),
            Happening::Batch(messages) => self.consume(messages),
            Happening::Look(id, looks) => {
                let is_current =
                    self.invocations.get(&id).is_some_and(|invocation| invocation.looks == looks);
                if is_current { self.look(id) } else { Ok(()) }
            }
            Happening::Hear(id, heard) => self.hear(id, *heard),
            Happening::Answered(id, call, report) => self.answered(id, call, report),
            Happening::Ask(id, ask) => self.asked(id, *ask),
            Happening::AskReports(carrying, reports) => self.asked_to_report(carrying, reports),
            Happening::Late(ask) => self.asked_late(*ask),
            Happening::Carry(carrying) => self.carry(carrying),
            Happening::CarriedTo(carrying, carried) => {
                self.carried(carrying, carried);
                Ok(())
            }
            Happening::End(id) => self.end(id),
            Happening::Published(process, entries, is_taken) => self.published(process, entries, is_taken),
            Happening::TestCall(work) => {
                self.call_test(&work);
                Ok(())
            }
            Happening::TestReport(test, number, attempt) => self.report_test(test, number, *attempt),
            Happening::Operate if self.faulty => self.operate(),
            Happening::Meddle if self.faulty => self.meddle(),
            Happening::Cancel(key) if self.faulty => self.cancel_one(key),
            Happening::Jam if self.faulty => self.jam(),
            Happening::Squeeze(key) if self.faulty => self.squeeze(key),
            Happening::Unjam(name) => self.unjam(&name),
            Happening::Alarm(_)
            | Happening::ClockJump
            | Happening::Operate
            | Happening::Meddle
            | Happening::Cancel(_)
            | Happening::Squeeze(_)
            | Happening::Jam => Ok(()),
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
        self.check_replaying()?;
        // Accepting is the promise on which all else stands: it is interrupted more often.
        if self.fault(if name == "ingest" { 12 } else { 4 }) {
            let statements = self.random.below(12);
            self.sql.light_fuse(statements);
        }
        let now = self.now();
        let replays = if name == "replay_step" { self.replays()? } else { Vec::new() };
        self.sql.begin(name);
        let result = operation(&mut self.ledger, now);
        self.sql.begin("");
        let died_within = self.sql.revive();
        let died_after = !died_within && self.fault(3);
        let is_asked = matches!(name, "ingest" | "claim" | "report" | "unclaim");
        let is_silent = died_within || died_after || self.fault(2) || (is_asked && self.is_half_a_percent());
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
        let replay = match name {
            "replay_step" => self.replays()?.into_iter().find(|now| !replays.contains(now)),
            _ => None,
        };
        let replay = replay.map(|(seq, _scanned)| seq);
        self.audit.after_step(&self.store, Step { name, now_ms: now.0, replay })?;
        self.check_lost()?;
        if matches!(name, "create_replay" | "replay_step" | "cancel_replay" | "delete_webhook") {
            self.replaying_since_ms = self.is_replaying()?.then_some(now.0);
        }
        if self.sql.defect().is_some_and(Defect::needs_restarts) {
            self.reopen()?;
        }
        if died_within || died_after {
            // What the step has ended the new process does not know.
            self.audit.restarted();
            // The alarm is set with the commit; who died before it leaves that to the watchdog.
            self.audit.excuse_until(now.0 + WATCHDOG_MS);
            self.plan(WATCHDOG_MS, Happening::Watchdog);
        } else if !self.is_ringing && !self.is_alarm_forgotten(name) {
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

    /// Whether a defect is planted that leaves the alarm as it is after this operation.
    fn is_alarm_forgotten(&self, operation: &str) -> bool {
        match self.sql.defect() {
            Some(Defect::AlarmNotSetByReport) => operation == "report",
            Some(Defect::AlarmNotSetByUnclaim) => operation == "unclaim",
            Some(Defect::AlarmNotSetByResume) => operation == "update_webhook",
            Some(Defect::AlarmNotSetByReplay) => operation == "create_replay",
            _ => false,
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

    /// A replay that runs goes on; where the project is full it waits for room.
    fn check_replaying(&self) -> Result<(), Violation> {
        let Some(since_ms) = self.replaying_since_ms else { return Ok(()) };
        let rested_ms = self.now().0 - since_ms.max(self.audit.excused_until_ms());
        let is_excused = self.was_set || self.bytes_max.is_some();
        expect(rested_ms <= REPLAYED_WITHIN_MS || is_excused, || {
            format!("a replay went on at {since_ms}, and has rested for {rested_ms} ms")
        })
    }

    fn is_replaying(&self) -> Result<bool, Violation> {
        let running = self.store.run("SELECT 1 FROM replay WHERE state = 'running'", &[]);
        Ok(!running.map_err(|error| error.to_string())?.is_empty())
    }

    /// Replays, with how far they have come and whether they run.
    fn replays(&self) -> Result<Vec<(i64, i64)>, Violation> {
        let rows = self.store.run("SELECT seq, 2 * scanned + (state = 'running') FROM replay", &[]);
        let rows = rows.map_err(|error| error.to_string())?;
        let read = |row: &Row| Ok((row.integer(0)?, row.integer(1)?));
        rows.iter().map(read).collect::<Result<_, LedgerError>>().map_err(|error| error.to_string())
    }

    fn reopen(&mut self) -> Result<(), Violation> {
        self.planned_for = (u64::MAX, Timestamp(0));
        self.process += 1;
        self.alarm = Alarm::new(self.ticket_bounds);
        self.audit.restarted();
        self.out.clear();
        self.open()
    }

    /// A new ledger on what is stored.
    fn open(&mut self) -> Result<(), Violation> {
        let opened = Ledger::open(Rc::clone(&self.sql)).map_err(|error| format!("open failed: {error}"))?;
        self.ledger = opened.ok_or("the project is gone")?;
        self.limit();
        Ok(())
    }

    /// Sets the quotas of the project, which an object does at every start.
    fn limit(&mut self) {
        if let Some(bytes) = self.bytes_max {
            self.ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, bytes));
        }
    }

    /// Sets the alarm to the next thing to do, unless it rings earlier anyway.
    fn set_alarm(&mut self) -> Result<(), Violation> {
        let changes = (self.store.changes(), self.now());
        if self.alarm_ms.is_some() && changes == self.planned_for {
            return Ok(());
        }
        self.planned_for = changes;
        if let Some(at) = self.planned(Rest::None)? {
            self.arm(at);
        }
        Ok(())
    }

    /// What the alarm is to be set to; checks that the ledger names the next thing to do.
    fn planned(&mut self, rest: Rest) -> Result<Option<Timestamp>, Violation> {
        let now_ms = self.now().0;
        if self.alarm.is_publishing(self.now()) {
            let wake =
                self.ledger.next_wake_beside_publishing(self.now()).map_err(|error| error.to_string())?;
            return Ok(self.alarm.plan(wake.map(|(at, _reason)| at), rest, Timestamp(now_ms)));
        }
        let wake = self.ledger.next_wake(self.now()).map_err(|error| error.to_string())?;
        let plan = self.plan_of_tables()?;
        let named_ms = wake.map(|(at, _reason)| at.0);
        let wanted_ms = plan.earliest_ms.map(|at_ms| at_ms.max(now_ms));
        // A gate may open earlier than anything else is due, or be looked at in vain; nothing else may come
        // late.
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
        Ok(self.alarm.plan(named_ms.map(Timestamp), rest, Timestamp(now_ms)))
    }

    /// What the tables say about when something is to be done, which changes with them alone.
    fn plan_of_tables(&mut self) -> Result<Plan, Violation> {
        let changes = self.store.changes();
        match self.tables_plan {
            Some((of, plan)) if of == changes => Ok(plan),
            _ => {
                let plan = plan(&self.store)?;
                self.tables_plan = Some((changes, plan));
                Ok(plan)
            }
        }
    }

    /// The alarm rings at this time or earlier.
    fn arm(&mut self, at: Timestamp) {
        let now_ms = self.now().0;
        let at_ms = at.0.max(now_ms + 1);
        if self.alarm_ms.is_none_or(|alarm_ms| alarm_ms > at_ms) {
            self.alarm_ms = Some(at_ms);
            if self.fault(4) {
                self.audit.reached.insert("an alarm never rang");
                self.audit.excuse_until(at_ms + WATCHDOG_MS);
                self.plan(at_ms - now_ms + WATCHDOG_MS, Happening::Watchdog);
            } else {
                self.plan(at_ms - now_ms, Happening::Alarm(at_ms));
            }
        }
    }

    /// Sets the project's clock forward or back; the platform's alarms go by it.
    fn set_clock(&mut self) {
        let before = self.clock_off_ms;
        self.was_set = true;
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
        let process = self.process;
        self.ring_changed = 0;
        self.has_failed = false;
        self.refused.clear();
        self.is_ringing = true;
        let mut ring = Ring::default();
        loop {
            let now = self.now();
            let Some(task) = ring.next(&mut self.alarm, now) else { break };
            let told = self.do_task(task)?;
            self.has_failed |= told == Told::Failed;
            // A process that starts anew all the time forgets what it looked up, and rings on.
            if self.process != process && !self.is_restless() {
                self.is_ringing = false;
                return Ok(());
            }
            let now = self.now();
            ring.told(&mut self.alarm, told, now);
        }
        self.is_ringing = false;
        let refused = std::mem::take(&mut self.refused);
        let is_whole = self.process == process && !self.has_failed;
        if is_whole {
            self.check_published()?;
            for ticket in refused {
                let is_out = self.audit.is_unclaimed(ticket.delivery.0, ticket.attempt);
                expect(!is_out, || format!("{ticket:?} was refused by its queue and stays leased"))?;
            }
        }
        let still_due = self
            .ledger
            .next_wake(self.now())
            .map_err(|error| error.to_string())?
            .is_some_and(|(at, _reason)| at <= self.now());
        self.idle_rings = if due && still_due && self.ring_changed == 0 { self.idle_rings + 1 } else { 0 };
        expect(self.idle_rings < 50 || self.is_restless(), || String::from("the alarm rings for nothing"))
    }

    fn is_restless(&self) -> bool {
        self.sql.defect().is_some_and(Defect::needs_restarts)
    }

    fn do_task(&mut self, task: Task) -> Result<Told, Violation> {
        let few = |random: &mut Random, of: u32| of.min(u32::try_from(random.between(1, 20)).expect("small"));
        match task {
            Task::Replay(_) if self.is_planted(Defect::ReplayForgotten) => {}
            Task::Tests if self.is_planted(Defect::TestsForgotten) => {}
            Task::Publish(_) if self.is_planted(Defect::PublishForgotten) => self.alarm.published(),
            Task::Arm(_) | Task::Plan(_) if self.is_planted(Defect::AlarmNotSet) => {}
            Task::Arm(at) => self.arm(at),
            Task::Replay(rows) => {
                if !self.is_replaying()? {
                    return Ok(Told::Done);
                }
                let rows = few(&mut self.random, rows);
                let stepped = self.call("replay_step", |ledger, now| ledger.replay_step(now, rows))?.done();
                return Ok(if stepped.is_some() { Told::More } else { Told::Failed });
            }
            Task::Lease(limit) => {
                let limit = few(&mut self.random, limit);
                let leased = self.call("lease_due", |ledger, now| ledger.lease_due(now, limit))?.done();
                let Some(leased) = leased else { return Ok(Told::Failed) };
                let count = leased.tickets.len();
                expect(count <= limit as usize, || {
                    format!("{count} tickets were leased, {limit} were asked for")
                })?;
                self.ring_changed += leased.changed.len();
                if self.company == Company::Ordered
                    && let Some(ticket) = leased.tickets.first()
                    && self.fault(25)
                {
                    self.plan(1, Happening::Squeeze(ticket.delivery.0));
                }
                let keys = leased.tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt));
                self.out.extend(keys.map(|key| (key, self.now_ms)));
                return Ok(Told::Leased { changed: leased.changed.len(), tickets: leased.tickets });
            }
            Task::Send(tickets) => {
                self.check_rested(&tickets)?;
                let mut refused = Vec::new();
                let mut packed = 0;
                for lane in [Lane::First, Lane::Retry] {
                    let messages = pack(&project(), &tickets, lane, 0);
                    packed += messages.iter().map(|message| message.tickets.len()).sum::<usize>();
                    if messages.is_empty() || (lane == Lane::Retry && self.is_planted(Defect::LaneForgotten))
                    {
                        continue;
                    }
                    if self.is_within(&self.refusals) || self.fault(4) {
                        self.audit.reached.insert("a queue refused tickets");
                        refused.extend(messages.into_iter().flat_map(|message| message.tickets));
                    } else {
                        self.enqueue(&messages);
                    }
                }
                expect(packed == tickets.len(), || format!("{packed} tickets of {tickets:?} were packed"))?;
                self.refused.extend(refused.iter().copied());
                if self.is_planted(Defect::RefusedCounted) {
                    let due_at = self.now().plus_ms(REFUSED_REST_MS);
                    self.call("unlease", |ledger, now| ledger.unlease(&refused, due_at, now))?;
                    self.forget_tickets(&refused);
                    refused.clear();
                }
                if self.is_planted(Defect::RefusedForgotten) {
                    refused.clear();
                }
                return Ok(Told::Sent { refused });
            }
            Task::Unlease(tickets, due_at) => {
                let due_at = if self.is_planted(Defect::RefusedAtOnce) { self.now() } else { due_at };
                self.forget_tickets(&tickets);
                let given_back = self.call("unlease", |ledger, now| ledger.unlease(&tickets, due_at, now))?;
                if given_back.done().is_none() {
                    return Ok(Told::Failed);
                }
                let now_ms = self.now_ms;
                self.refused_ms.extend(tickets.iter().map(|ticket| (ticket.delivery.0, now_ms)));
            }
            Task::Tests => {
                if let Some(due) = self.call("due_tests", Ledger::due_tests)?.done() {
                    for work in due.works {
                        self.plan(1, Happening::TestCall(Box::new(work)));
                    }
                }
            }
            Task::Runs => {}
            Task::Publish(_limit) => self.publish()?,
            Task::Retain => {
                let upkeep = self.ledger.upkeep_at(self.now()).map_err(|error| error.to_string())?;
                if upkeep.is_some_and(|at| at <= self.now()) {
                    let more = self.call("retention_step", Ledger::retention_step)?.done();
                    return Ok(if more == Some(true) { Told::More } else { Told::Done });
                }
            }
            Task::Plan(rest) => {
                let now = self.now();
                if self.alarm.is_full(now) {
                    self.check_full()?;
                    self.audit.excuse_until(now.0 + FULL_REST_MS);
                    self.audit.reached.insert("as many tickets were under way as may be");
                }
                self.alarm_ms = None;
                if let Some(at) = self.planned(rest)? {
                    self.arm(at);
                }
            }
        }
        Ok(Told::Done)
    }

    /// Tickets that are not under way any more, as the alarm was told.
    fn forget_tickets(&mut self, tickets: &[LeaseTicket]) {
        for ticket in tickets {
            self.out.remove(&(ticket.delivery.0, ticket.attempt));
        }
    }

    /// So many tickets are under way that it may be too many.
    fn check_full(&mut self) -> Result<(), Violation> {
        let now_ms = self.now_ms;
        self.out.retain(|_ticket, at_ms| now_ms - *at_ms < TICKET_LOST_AFTER_MS);
        let (count, bounds) = (self.out.len(), self.ticket_bounds);
        expect(count + bounds.room > bounds.least || self.was_set, || {
            format!("{count} tickets are under way, and that is too many for the alarm")
        })
    }

    /// What a queue refused is not sent again at once, unless somebody asks for it.
    fn check_rested(&mut self, tickets: &[LeaseTicket]) -> Result<(), Violation> {
        for ticket in tickets {
            let key = ticket.delivery.0;
            let is_asked = self.audit.asked.contains(&key) || self.audit.cancelled.contains(&key);
            if let Some(until_ms) = self.resting_ms.remove(&key) {
                expect(self.now_ms >= until_ms || is_asked || self.was_set, || {
                    format!(
                        "{key} has no definition and rests until {until_ms}, and is sent at {}",
                        self.now_ms
                    )
                })?;
            }
            let Some(at_ms) = self.refused_ms.remove(&key) else { continue };
            let has_rested = self.now_ms - at_ms >= REFUSED_REST_MS;
            expect(has_rested || is_asked || self.was_set, || {
                format!("{key} was refused by its queue at {at_ms} and is sent again at {}", self.now_ms)
            })?;
            self.audit.reached.insert("what a queue refused was sent again");
        }
        Ok(())
    }

    /// What is to be published does not wait for long.
    fn check_published(&self) -> Result<(), Violation> {
        let rows = self.store.run("SELECT min(next_at_ms) FROM outbox", &[]);
        let rows = rows.map_err(|error| error.to_string())?;
        let due =
            rows.first().map(|row| row.integer_or_none(0)).transpose().map_err(|error| error.to_string())?;
        let Some(due_ms) = due.flatten() else { return Ok(()) };
        let late_ms = self.now().0 - due_ms.max(self.audit.excused_until_ms());
        expect(late_ms <= PUBLISHED_WITHIN_MS || self.was_set, || {
            format!("a definition was to be published at {due_ms} and is not {late_ms} ms later")
        })
    }

    fn is_within(&self, windows: &[(i64, i64)]) -> bool {
        self.faulty && windows.iter().any(|(from_ms, to_ms)| (*from_ms..*to_ms).contains(&self.now_ms))
    }

    /// Messages on their way, several of which may be delivered as a batch.
    fn enqueue(&mut self, messages: &[Message]) {
        let size = usize::try_from(self.random.between(1, 3)).expect("small");
        for batch in messages.chunks(size) {
            self.enqueue_batch(batch.to_vec());
        }
    }

    fn enqueue_batch(&mut self, batch: Vec<Message>) {
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
            self.plan(again_ms, Happening::Batch(batch.clone()));
        }
        if batch.iter().any(|message| message.tickets.len() > 1) {
            self.audit.reached.insert("tickets travelled together");
        }
        self.plan(delay_ms, Happening::Batch(batch));
    }

    fn watch(&mut self) -> Result<(), Violation> {
        let is_forgotten = self.alarm_ms.is_none_or(|alarm_ms| alarm_ms < self.now().0);
        if is_forgotten {
            return self.ring();
        }
        // It may be set to something that comes later than what is due.
        self.wake_up()?;
        if self.bytes_max.is_some() {
            self.call("watch_fullness", Ledger::watch_fullness)?;
        }
        self.planned_for = (u64::MAX, Timestamp(0));
        self.set_alarm()
    }

    /// Starts to write to KV, which goes on beside everything else.
    fn publish(&mut self) -> Result<(), Violation> {
        let due = self.call("outbox_due", |ledger, now| ledger.outbox_due(now, 10))?.done();
        let Some(entries) = due.filter(|entries| !entries.is_empty()) else {
            self.alarm.published();
            return Ok(());
        };
        let hangs = self.fault(10);
        if hangs {
            self.audit.reached.insert("KV hung");
        }
        let after_ms = if hangs { 10_000 } else { self.random.between(1, 300) };
        self.plan(after_ms, Happening::Published(self.process, entries, !hangs));
        Ok(())
    }

    fn published(
        &mut self,
        process: u64,
        entries: Vec<OutboxEntry>,
        is_taken: bool,
    ) -> Result<(), Violation> {
        if process != self.process && !self.is_restless() {
            return Ok(());
        }
        for entry in entries {
            let (item, version) = (entry.item, entry.version);
            if (!is_taken || self.fault(20)) && !self.is_planted(Defect::PublishedUnwritten) {
                self.call("outbox_failed", |ledger, now| ledger.outbox_failed(item, version, now))?;
                continue;
            }
            match entry.content {
                _ if !is_taken => {}
                OutboxItem::Project(_view) => self.project_is_in_kv = true,
                OutboxItem::Webhook(webhook) => {
                    self.kv.entry(webhook.id.clone()).or_default().push(Some(*webhook));
                }
                OutboxItem::WebhookDeleted { id } => self.kv.entry(id).or_default().push(None),
            }
            self.call("outbox_done", |ledger, _now| ledger.outbox_done(item, version))?;
        }
        if process == self.process {
            if !self.is_planted(Defect::PublishingForGood) {
                self.alarm.published();
            }
            self.planned_for = (u64::MAX, Timestamp(0));
            self.set_alarm()?;
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

    /// A request comes to an isolate: it calls the project, or leaves its events to one that does.
    fn post(&mut self, events: Vec<NewEvent>) -> Result<(), Violation> {
        self.requests_made += 1;
        let (id, isolate, now) = (self.requests_made, self.isolate(), self.now());
        let bytes = events.iter().map(|event| 100 + event.data.get().len()).sum();
        let request = Request { events, isolate, since_ms: self.now_ms, is_sent: false };
        self.requests.insert(id, request);
        self.plan(PATIENCE_MS, Happening::LosePatience(id));
        if let Some(round) = self.isolates[isolate].intake.enter(&project(), id, bytes, now) {
            return self.carry_events(isolate, round);
        }
        self.audit.reached.insert("events waited for a call with others");
        Ok(())
    }

    /// Who carries calls the project with what waits for it.
    fn carry_events(&mut self, isolate: usize, round: Round) -> Result<(), Violation> {
        let now = self.now();
        let requests = self.isolates[isolate].intake.next(&round, now);
        if requests.is_empty() {
            return Ok(());
        }
        expect(requests.len() <= GROUP.calls, || format!("{} requests travel at once", requests.len()))?;
        if requests.len() > 1 {
            self.audit.reached.insert("events of several requests travelled together");
        }
        for id in &requests {
            let Some(request) = self.requests.get_mut(id) else { continue };
            expect(!request.is_sent, || format!("the events of request {id} were sent twice"))?;
            request.is_sent = true;
        }
        let after_ms = self.latency_ms();
        self.plan(after_ms, Happening::AskIngest(Group { isolate, round, requests }));
        Ok(())
    }

    /// The object takes the events of each request for itself; one that fails leaves the others as they are.
    fn asked_to_ingest(&mut self, group: Group) -> Result<(), Violation> {
        let mut replies = Vec::new();
        let (is_unreachable, process) = (self.is_unreachable_for_events(), self.process);
        for id in &group.requests {
            let Some(events) = self.requests.get(id).map(|request| request.events.clone()) else {
                replies.push(Reply::Lost);
                continue;
            };
            // A process that dies takes the answers with it that were not given yet.
            if is_unreachable || (self.process != process && !self.is_restless()) {
                replies.push(Reply::Lost);
                continue;
            }
            replies.push(self.ingest(events)?);
        }
        if is_unreachable || (self.process != process && !self.is_restless()) {
            for reply in &mut replies {
                *reply = Reply::Lost;
            }
        }
        if self.is_planted(Defect::AnswersMixedUp) {
            replies.reverse();
        }
        if self.fault(1) {
            self.audit.reached.insert("a carrier of events died");
            self.isolates[group.isolate].intake_stuck_ms = self.now_ms;
            return Ok(());
        }
        let after_ms = if self.fault(2) {
            self.audit.reached.insert("a call with events hung");
            self.isolates[group.isolate].intake_stuck_ms = self.now_ms + 3 * STUCK_INTAKE_MS;
            self.random.between(STUCK_INTAKE_MS, 3 * STUCK_INTAKE_MS)
        } else {
            self.latency_ms()
        };
        self.plan(after_ms, Happening::Ingested(group, replies));
        Ok(())
    }

    /// Whether a call with events does not reach the object.
    fn is_unreachable_for_events(&mut self) -> bool {
        self.is_within(&self.outages) || self.fault(2) || self.is_half_a_percent()
    }

    fn ingest(&mut self, events: Vec<NewEvent>) -> Result<Reply<Ingested>, Violation> {
        let inline = InlineLimit(u32::try_from(self.random.below(7)).expect("small"));
        // A webhook whose limits are not known is fit for the inline lane: it is the limits that are to be
        // missed.
        let inline =
            if self.sql.defect().is_some_and(Defect::needs_restarts) { InlineLimit(0) } else { inline };
        let reply = self.call("ingest", |ledger, now| ledger.ingest(events, inline, now))?;
        if let Reply::Done(ingested) = &reply {
            let now = self.now();
            for work in &ingested.works.works {
                self.audit.claim(work, true, now.0)?;
            }
            expect(ingested.works.works.len() <= inline.0 as usize, || {
                format!(
                    "{} calls were leased to a request that makes {}",
                    ingested.works.works.len(),
                    inline.0
                )
            })?;
        }
        Ok(reply)
    }

    /// Every request gets its own answer, or learns that there is none, and the carrier goes on.
    fn ingested(&mut self, group: Group, replies: Vec<Reply<Ingested>>) -> Result<(), Violation> {
        let Group { isolate, round, requests } = group;
        self.isolates[isolate].intake.returned(&round);
        let is_left = self.is_planted(Defect::WaitingEventsLeft);
        for (id, reply) in requests.into_iter().zip(replies) {
            self.answer_producer(id, isolate, reply)?;
        }
        if is_left { Ok(()) } else { self.carry_events(isolate, round) }
    }

    fn answer_producer(&mut self, id: u64, isolate: usize, reply: Reply<Ingested>) -> Result<(), Violation> {
        let request = self.requests.remove(&id);
        match reply {
            // Who does not wait any more is not told, and makes no calls: these are lost.
            Reply::Done(ingested) => {
                let Some(request) = request else {
                    return self.run_inline(isolate, ingested.works);
                };
                expect(request.events.len() == ingested.accepted.len(), || {
                    format!(
                        "{} events were posted and {:?} answered",
                        request.events.len(),
                        ingested.accepted
                    )
                })?;
                for (event, accepted) in request.events.iter().zip(&ingested.accepted) {
                    let key = event.idempotency_key.as_deref().unwrap_or_default();
                    let ids = self.ledger.ids();
                    self.audit.accept(&self.store, key, accepted, |seq| ids.id(Kind::Event, seq))?;
                }
                self.run_inline(isolate, ingested.works)?;
                if self.random.chance(15) {
                    self.plan(1_000, Happening::Post(request.events));
                }
            }
            // No answer: the producer repeats until there is one.
            Reply::Lost => {
                if let Some(request) = request {
                    self.post_again(request.events);
                }
            }
            Reply::Refused => {
                let used = self.store.database_size().map_err(|error| error.to_string())?;
                // Some of it may have aged meanwhile.
                let is_full = self.bytes_max.is_some_and(|bytes| used > bytes / 2);
                expect(is_full, || String::from("good events were refused"))?;
                self.audit.reached.insert("a full project refused events");
            }
        }
        Ok(())
    }

    fn post_again(&mut self, events: Vec<NewEvent>) {
        let after_ms = self.random.between(500, 20_000);
        self.plan(after_ms, Happening::Post(events));
    }

    /// A producer that got no answer posts its events again. It had to get one, unless a call hung or died in
    /// its isolate.
    fn lose_patience(&mut self, id: u64) -> Result<(), Violation> {
        let Some(request) = self.requests.remove(&id) else { return Ok(()) };
        let stuck_ms = self.isolates[request.isolate].intake_stuck_ms;
        // Who comes right after it waits for it, too, and goes on when the next one comes.
        expect(stuck_ms + STUCK_INTAKE_MS >= request.since_ms || self.was_set, || {
            format!("request {id} of {} got no answer, and nothing hung since {stuck_ms}", request.since_ms)
        })?;
        self.audit.reached.insert("a producer lost patience");
        self.post_again(request.events);
        Ok(())
    }

    // Invocations.

    /// A request makes the calls that were leased to it, after its answer.
    fn run_inline(&mut self, isolate: usize, works: WorkSet) -> Result<(), Violation> {
        if works.works.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let shift = Shift::new(now, now.plus_ms(self.planted_shift(REQUEST_MS)));
        let paces = &self.isolates[isolate].paces;
        let mut desk = Desk::new(self.planted_bounds(), shift, Vec::new(), paces, now);
        let owes = works.works.iter().map(|work| (work.delivery.0, work.attempt)).collect();
        desk.take(&project(), works, paces, now);
        self.invoke(desk, isolate, REQUEST_MS, owes, BTreeSet::new())
    }

    /// A consumer takes a batch of messages.
    fn consume(&mut self, batch: Vec<Message>) -> Result<(), Violation> {
        let isolate = self.isolate();
        let now = self.now();
        let tickets: Vec<Queued> = batch.into_iter().flat_map(Message::into_queued).collect();
        let shift = Shift::new(now, now.plus_ms(self.planted_shift(CONSUMER_MS)));
        let key = |queued: &Queued| (queued.ticket.delivery.0, queued.ticket.attempt);
        let (old, owed): (Vec<_>, Vec<_>) = tickets.iter().partition(|queued| queued.hops >= HOPS_MAX);
        let owes = owed.into_iter().map(key).collect();
        let old = old.into_iter().map(key).collect();
        let desk = Desk::new(self.planted_bounds(), shift, tickets, &self.isolates[isolate].paces, now);
        self.invoke(desk, isolate, CONSUMER_MS, owes, old)
    }

    fn isolate(&mut self) -> usize {
        usize::try_from(self.random.below(ISOLATES)).expect("small")
    }

    fn invoke(
        &mut self,
        desk: Desk,
        isolate: usize,
        lasts_ms: i64,
        owes: BTreeSet<(i64, u32)>,
        old: BTreeSet<(i64, u32)>,
    ) -> Result<(), Violation> {
        self.invocations_made += 1;
        let id = self.invocations_made;
        self.invocations.insert(
            id,
            Invocation {
                desk,
                isolate,
                looks: 0,
                calls: BTreeMap::new(),
                owes,
                untold: BTreeSet::new(),
                old,
            },
        );
        self.plan(lasts_ms, Happening::End(id));
        self.look(id)
    }

    fn look(&mut self, id: u64) -> Result<(), Violation> {
        let now = self.now();
        let Some(invocation) = self.invocations.get_mut(&id) else { return Ok(()) };
        invocation.looks += 1;
        let looks = invocation.looks;
        let todo = invocation.desk.next(&mut self.isolates[invocation.isolate].paces, now);
        if todo.is_empty() && invocation.desk.is_over() {
            let (owes, untold) = (invocation.owes.clone(), invocation.untold.clone());
            self.invocations.remove(&id);
            return expect(owes.is_empty() && untold.is_empty(), || {
                format!("an invocation is over and forgot {owes:?} or did not tell {untold:?}")
            });
        }
        for todo in todo {
            match todo {
                Do::Sleep { ms } => self.plan(i64::from(ms), Happening::Look(id, looks)),
                Do::Call { call, ready, timeout_s } => {
                    self.settle(id, [(ready.work.delivery.0, ready.work.attempt)]);
                    self.make_call(id, call, &ready, timeout_s)?;
                    if self.is_planted(Defect::CalledTwice) {
                        self.make_call(id, call, &ready, timeout_s)?;
                    }
                }
                Do::Claim { project: _, reports, tickets } => {
                    if !reports.is_empty() {
                        self.audit.reached.insert("reports travelled with a claim");
                    }
                    let reports = reports.into_iter().map(|parcel| parcel.report).collect();
                    let tickets: Vec<LeaseTicket> = tickets.into_iter().map(|queued| queued.ticket).collect();
                    self.settle(id, tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)));
                    self.ask(id, Ask::Claim { reports, tickets });
                }
                Do::HandBack { tickets } => {
                    self.audit.reached.insert("tickets went back to their queue");
                    let back = tickets.iter().map(|queued| (queued.ticket.delivery.0, queued.ticket.attempt));
                    self.settle(id, back.collect::<Vec<_>>());
                    let hops = tickets.iter().map(|queued| queued.hops + 1).sum::<u32>();
                    let mut counted = 0;
                    for lane in [Lane::First, Lane::Retry] {
                        let messages = put_back(&tickets, lane);
                        let older =
                            messages.iter().flat_map(|message| message.tickets.iter().map(|_| message.hops));
                        counted += older.sum::<u32>();
                        self.enqueue(&messages);
                    }
                    expect(counted == hops, || format!("{tickets:?} were put back {counted} hops old"))?;
                    self.plan(5, Happening::Hear(id, Box::new(Heard::Done)));
                }
                Do::Report { .. } if self.is_planted(Defect::ReportForgotten) && looks % 4 == 0 => {
                    self.plan(5, Happening::Hear(id, Box::new(Heard::Done)));
                }
                Do::Report { project, reports } => self.leave(id, &project, reports),
                Do::Unclaim { project: _, claims } => {
                    self.settle(id, claims.iter().map(|claim| (claim.delivery.0, claim.attempt)));
                    for claim in &claims {
                        let until_ms = claim.lease_until.0;
                        self.given_up_ms.insert((claim.delivery.0, claim.attempt), (self.now_ms, until_ms));
                    }
                    if self.is_planted(Defect::UnclaimForgotten) {
                        self.plan(5, Happening::Hear(id, Box::new(Heard::Done)));
                    } else {
                        self.ask(id, Ask::Unclaim { claims });
                    }
                }
            }
        }
        Ok(())
    }

    /// What an invocation has done it owes no more.
    fn settle(&mut self, id: u64, done: impl IntoIterator<Item = (i64, u32)>) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            for key in done {
                invocation.owes.remove(&key);
            }
        }
    }

    fn is_planted(&self, defect: Defect) -> bool {
        self.sql.defect() == Some(defect)
    }

    fn planted_bounds(&self) -> postern_engine::Bounds {
        let bounds = self.desk_bounds;
        if self.is_planted(Defect::BoundsIgnored) {
            return postern_engine::Bounds {
                calls: bounds.calls + 4,
                calls_per_webhook: bounds.calls + 4,
                ..bounds
            };
        }
        bounds
    }

    fn planted_shift(&self, lasts_ms: i64) -> i64 {
        if self.is_planted(Defect::ShiftIgnored) { 10 * lasts_ms } else { lasts_ms }
    }

    /// An isolate, the network or a clock did something that excuses what is late or lost.
    fn note_trouble(&mut self) {
        self.trouble_ms = self.now_ms;
    }

    /// An attempt that is recorded as lost although its call ended or was given up long ago, in an
    /// invocation that could say so.
    fn check_lost(&self) -> Result<(), Violation> {
        for (what, known) in [("called", &self.ended_ms), ("given up", &self.given_up_ms)] {
            for key in &self.audit.newly_lost {
                let Some((at_ms, until_ms)) = known.get(key) else { continue };
                let is_excused =
                    self.trouble_ms >= *at_ms || until_ms - at_ms < TOLD_WITHIN_MS || self.was_set;
                expect(is_excused, || {
                    format!("attempt {} of {} was {what} at {at_ms} and is recorded as lost", key.1, key.0)
                })?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, id: u64, heard: Heard) -> Result<(), Violation> {
        let now = self.now();
        let heard = match heard {
            Heard::NotClaimed { project, jitter, .. } if self.is_planted(Defect::ClaimGivenUp) => {
                Heard::NotClaimed { project, fault: Fault::Lasting, jitter }
            }
            Heard::NotClaimed { project, .. } if self.is_planted(Defect::FailedClaimTakenForEmpty) => {
                Heard::Claimed { project, works: WorkSet::default() }
            }
            Heard::Claimed { project, mut works } if self.is_planted(Defect::WorkForgotten) => {
                works.works.truncate(1);
                Heard::Claimed { project, works }
            }
            heard => heard,
        };
        let Some(invocation) = self.invocations.get_mut(&id) else { return Ok(()) };
        invocation.desk.heard(heard, &mut self.isolates[invocation.isolate].paces, now);
        self.look(id)
    }

    /// An invocation is gone, with all that it held; its connections are cut.
    fn kill(&mut self, id: u64) {
        self.note_trouble();
        if let Some(invocation) = self.invocations.remove(&id) {
            for (called, _until_ms) in invocation.calls.into_values() {
                self.audit.call_ended(called);
            }
        }
    }

    /// The platform ends an invocation.
    fn end(&mut self, id: u64) -> Result<(), Violation> {
        if let Some(invocation) = self.invocations.get(&id) {
            let cut = invocation.calls.values().collect::<Vec<_>>();
            // A clock that was set says nothing of how long an invocation has run.
            expect(cut.is_empty() || self.was_set, || {
                format!("an invocation ended in the midst of calls of {cut:?}")
            })?;
        }
        self.kill(id);
        Ok(())
    }

    fn make_call(&mut self, id: u64, call: CallId, ready: &Ready, timeout_s: u32) -> Result<(), Violation> {
        let work = &ready.work;
        let is_cursed = self.first_is_cursed
            && self.receivers.first_key_value().is_some_and(|(first, _receiver)| *first == work.webhook);
        if !self.invocations.contains_key(&id) {
            return Ok(());
        }
        if self.fault(2) || (is_cursed && self.faulty) {
            self.audit.reached.insert("a dispatcher died");
            self.kill(id);
            return Ok(());
        }
        let is_lost = self.fault(if self.company == Company::Ordered { 8 } else { 1 });
        let definition = if is_lost { None } else { self.definition(work)? };
        let Some(definition) = definition else {
            self.audit.reached.insert("a definition was not found");
            // It must be given back.
            self.owe(id, [(work.delivery.0, work.attempt)]);
            self.plan(1, Happening::Hear(id, Box::new(Heard::Called { call, report: None })));
            return Ok(());
        };
        let Some(receiver) = self.receivers.get(&work.webhook) else {
            return Err(String::from("a call to nobody"));
        };
        let mut answer = receiver.answer(&mut self.random, self.now_ms, timeout_s);
        if self.fault(if self.company == Company::Ordered { 12 } else { 1 }) {
            answer = Answer::not_made();
        }
        let key = work.delivery.0;
        self.audit.send(work, Sent { started_at_ms: self.now().0, outcome: answer.outcome.clone() })?;
        self.audit.call_began(work, self.was_set)?;
        self.note(|_world| {
            format!(
                "send {key} attempt {}: {:?} after {} ms",
                work.attempt, answer.outcome, answer.duration_ms
            )
        });
        let mut record = attempt(work.attempt, answer.outcome, self.now());
        record.request = Some(SentRequest {
            rendering: Rendering::for_event(&definition, ""),
            url: definition.url,
            headers: Vec::new(),
            body_bytes: 0,
        });
        record.response = answer.response;
        if let Some(response) = record.response.as_mut().filter(|_response| self.bytes_max.is_some()) {
            response.body = response.body.repeat(100);
        }
        record.duration_ms = u32::try_from(answer.duration_ms).expect("a timeout at most");
        let report = Report { delivery: work.delivery, attempt: record };
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.calls.insert(call, ((key, work.attempt), work.lease_until.0));
            let (count, bound) = (invocation.calls.len(), self.desk_bounds.calls);
            expect(count <= bound, || {
                format!("an invocation makes {count} calls at once, {bound} are allowed")
            })?;
        }
        self.plan(answer.duration_ms, Happening::Answered(id, call, Box::new(report)));
        Ok(())
    }

    fn answered(&mut self, id: u64, call: CallId, report: Box<Report>) -> Result<(), Violation> {
        let Some(invocation) = self.invocations.get_mut(&id) else { return Ok(()) };
        let until_ms = invocation.calls.remove(&call).map(|(called, until_ms)| {
            self.audit.call_ended(called);
            until_ms
        });
        if let Some(until_ms) = until_ms {
            self.ended_ms.insert((report.delivery.0, report.attempt.number), (self.now_ms, until_ms));
        }
        if let Some(until_ms) = until_ms
            && self.company == Company::Overdue
            && self.fault(25)
        {
            // Its isolate is frozen, and tells it all the same when it wakes up.
            self.kill(id);
            let overdue_ms = (until_ms - self.now().0).max(0) + self.random.between(100, 15_000);
            if self.random.chance(20) {
                self.plan(overdue_ms - 50, Happening::Cancel(report.delivery.0));
            }
            let reports = vec![*report];
            self.plan(overdue_ms, Happening::Late(Box::new(Ask::Report { reports })));
            return Ok(());
        }
        if self.fault(2) {
            self.audit.reached.insert("a report was lost");
            self.kill(id);
            return Ok(());
        }
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.untold.insert((report.delivery.0, report.attempt.number));
        }
        self.hear(id, Heard::Called { call, report: Some(report) })
    }

    // Calls of the project's object, each of which may fail before or after its commit, or arrive when
    // nobody waits for it.

    fn latency_ms(&mut self) -> i64 {
        if self.fault(5) { self.random.between(300, 3_000) } else { self.random.between(1, 30) }
    }

    fn ask(&mut self, id: u64, ask: Ask) {
        let after_ms = self.latency_ms();
        self.plan(after_ms, Happening::Ask(id, Box::new(ask)));
    }

    /// Whether a call does not reach the object in time; it may still reach it late.
    fn is_unreachable(&mut self, ask: impl FnOnce() -> Ask) -> bool {
        if self.is_within(&self.outages) {
            self.note_trouble();
        }
        if self.is_within(&self.outages) || self.fault(2) || self.is_half_a_percent() {
            self.audit.reached.insert("the project could not be reached");
            return true;
        }
        if self.fault(4) {
            let late_ms = self.random.between(5_000, 120_000);
            self.plan(late_ms, Happening::Late(Box::new(ask())));
            return true;
        }
        false
    }

    fn asked(&mut self, id: u64, ask: Ask) -> Result<(), Violation> {
        let again = ask.clone();
        let is_unreachable = self.is_unreachable(|| again);
        let jitter = Jitter::of(u32::try_from(self.random.below(1_000)).expect("small"));
        let failed = Heard::NotClaimed { project: project(), fault: Fault::Passing, jitter };
        let heard = match ask {
            Ask::Claim { tickets, .. } if is_unreachable => {
                self.owe_tickets(id, tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)));
                failed
            }
            Ask::Claim { reports, tickets } => {
                let owed: Vec<(i64, u32)> =
                    tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)).collect();
                if tickets.len() > 1 {
                    self.audit.reached.insert("several tickets were claimed at once");
                }
                let told: Vec<(i64, u32)> =
                    reports.iter().map(|report| (report.delivery.0, report.attempt.number)).collect();
                let are_taken = reports.is_empty() || self.take_reports(reports)?;
                if let Some(works) = self.claim(&tickets, are_taken)? {
                    self.tell(id, &told);
                    let keys = works.works.iter().map(|work| (work.delivery.0, work.attempt));
                    self.owe(id, keys.collect::<Vec<_>>());
                    Heard::Claimed { project: project(), works }
                } else {
                    self.owe_tickets(id, owed);
                    failed
                }
            }
            Ask::Unclaim { claims } => {
                if !is_unreachable && self.fault(30) {
                    self.audit.reached.insert("a claim was given back twice");
                    let again_ms = self.random.between(200, 40_000);
                    self.plan(again_ms, Happening::Late(Box::new(Ask::Unclaim { claims: claims.clone() })));
                }
                // It is told once.
                if is_unreachable || !self.unclaim(&claims)? {
                    for claim in &claims {
                        self.given_up_ms.remove(&(claim.delivery.0, claim.attempt));
                    }
                }
                Heard::Done
            }
            Ask::Report { .. } => Heard::Done,
        };
        let after_ms = self.latency_ms();
        self.plan(after_ms, Happening::Hear(id, Box::new(heard)));
        Ok(())
    }

    /// An invocation has told the project of these attempts.
    fn tell(&mut self, id: u64, told: &[(i64, u32)]) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            for key in told {
                invocation.untold.remove(key);
            }
        }
    }

    /// What an invocation has to care for.
    fn owe(&mut self, id: u64, keys: impl IntoIterator<Item = (i64, u32)>) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.owes.extend(keys);
        }
    }

    /// Tickets that it has not got rid of.
    fn owe_tickets(&mut self, id: u64, keys: impl IntoIterator<Item = (i64, u32)>) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            let old = &invocation.old;
            invocation.owes.extend(keys.into_iter().filter(|key| !old.contains(key)));
        }
    }

    fn asked_late(&mut self, ask: Ask) -> Result<(), Violation> {
        match ask {
            Ask::Claim { reports, tickets } => {
                if !reports.is_empty() {
                    self.take_reports(reports)?;
                }
                self.note_claims(&tickets);
                self.call("claim", |ledger, now| ledger.claim(&tickets, now)).map(|_nobody_waits| ())
            }
            Ask::Report { reports } => self.take_reports(reports).map(|_taken| ()),
            Ask::Unclaim { claims } => self.unclaim(&claims).map(|_is_done| ()),
        }
    }

    fn claim(&mut self, tickets: &[LeaseTicket], is_asked: bool) -> Result<Option<WorkSet>, Violation> {
        if !is_asked {
            return Ok(None);
        }
        let now = self.now();
        self.alarm.claimed(tickets, now);
        self.forget_tickets(tickets);
        self.note_claims(tickets);
        let Some(works) = self.call("claim", |ledger, now| ledger.claim(tickets, now))?.done() else {
            return Ok(None);
        };
        for work in &works.works {
            self.audit.claim(work, false, now.0)?;
        }
        let meddles = if self.company == Company::Mixed { 3 } else { 25 };
        if !works.works.is_empty() && self.fault(meddles) {
            let soon_ms = *self.random.pick(&[60, 2_000]).expect("some");
            let after_ms = self.random.between(1, soon_ms);
            self.plan(after_ms, Happening::Meddle);
        }
        Ok(Some(works))
    }

    /// What can be claimed was given back, and is another claim from now on.
    fn note_claims(&mut self, tickets: &[LeaseTicket]) {
        for ticket in tickets {
            let key = (ticket.delivery.0, ticket.attempt);
            if self.audit.is_unclaimed(key.0, key.1) {
                self.given_up_ms.remove(&key);
            }
        }
    }

    /// Whether it is certain that they were given back.
    fn unclaim(&mut self, claims: &[GivenBack]) -> Result<bool, Violation> {
        let given_back = self.call("unclaim", |ledger, now| ledger.unclaim(claims, now))?.done();
        for key in given_back.iter().flatten() {
            let is_meant = |claim: &&GivenBack| claim.delivery == *key && claim.why == Why::NoDefinition;
            if claims.iter().any(|claim| is_meant(&claim)) {
                self.resting_ms.insert(key.0, self.now_ms + RESTS_MS);
            }
        }
        Ok(given_back.is_some())
    }

    /// Whether the caller learns that they were taken.
    fn take_reports(&mut self, reports: Vec<Report>) -> Result<bool, Violation> {
        if reports.len() > 1 {
            self.audit.reached.insert("reports travelled together");
        }
        let told: Vec<(i64, u32)> =
            reports.iter().map(|report| (report.delivery.0, report.attempt.number)).collect();
        for key in &told {
            match self.ended_ms.get(key) {
                Some((ended_ms, _until_ms)) if self.now_ms - ended_ms >= 10_000 => {
                    self.audit.reached.insert("a report was late");
                }
                Some(_) | None => {}
            }
        }
        self.audit.reporting.clone_from(&told);
        let reply = self.call("report", |ledger, now| ledger.report(reports, now))?;
        if self.is_planted(Defect::LatePlaceForgotten) {
            self.open()?;
            self.audit.forget_turns();
        }
        match reply {
            Reply::Done(_reported) => {
                for (key, number) in told {
                    self.audit.reported(&self.store, key, number)?;
                }
                Ok(true)
            }
            Reply::Lost => {
                self.audit.reached.insert("a report came twice");
                Ok(false)
            }
            Reply::Refused => Ok(true),
        }
    }

    // Reports of an isolate.

    fn leave(&mut self, id: u64, project: &postern_core::webhook::ProjectName, parcels: Vec<Parcel>) {
        let now = self.now();
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        let isolate = &mut self.isolates[invocation.isolate];
        for Parcel { report, until } in &parcels {
            let key = (report.delivery.0, report.attempt.number);
            invocation.untold.remove(&key);
            isolate.left.entry(key).or_insert(Left { until_ms: until.0, hand: None });
        }
        let next = if let Some(turn) = isolate.mailbox.leave(project, parcels, now) {
            isolate.turn += 1;
            Happening::Carry(Carrying { id, turn, number: isolate.turn, since_ms: now.0 })
        } else {
            self.audit.reached.insert("another invocation carried a report");
            Happening::Hear(id, Box::new(Heard::Done))
        };
        self.plan(0, next);
    }

    fn carry(&mut self, carrying: Carrying) -> Result<(), Violation> {
        let now = self.now();
        let Some(invocation) = self.invocations.get(&carrying.id) else { return Ok(()) };
        let isolate = &mut self.isolates[invocation.isolate];
        let carry = isolate.mailbox.next(&carrying.turn, now);
        let is_latest = carrying.number == isolate.turn;
        let mut due: BTreeSet<(i64, u32)> = isolate
            .left
            .iter()
            .filter(|(_key, left)| left.is_due(&carrying, now.0))
            .map(|(key, _left)| *key)
            .collect();
        match carry {
            Carry::Now(mut reports) => {
                self.plant_in_carried(&carrying, &mut reports);
                let isolate = self.isolate_of(carrying.id);
                for report in &reports {
                    let key = (report.delivery.0, report.attempt.number);
                    due.remove(&key);
                    if let Some(left) = isolate.and_then(|isolate| self.isolates[isolate].left.get_mut(&key))
                    {
                        if left.hand.is_some_and(|(turn, _since)| turn != carrying.number) {
                            self.audit.reached.insert("reports of a stuck call were carried by another");
                        }
                        left.hand = Some((carrying.number, now.0));
                    }
                }
                let after_ms = self.latency_ms();
                self.plan(after_ms, Happening::AskReports(carrying, reports));
            }
            Carry::After(ms) => {
                self.plan(i64::from(ms), Happening::Carry(carrying));
                return Ok(());
            }
            Carry::Over => {
                self.plan(0, Happening::Hear(carrying.id, Box::new(Heard::Done)));
                if !is_latest {
                    return Ok(());
                }
            }
        }
        expect(due.is_empty() || self.was_set, || {
            format!("reports were left and nobody carries them: {due:?}")
        })
    }

    fn isolate_of(&self, id: u64) -> Option<usize> {
        self.invocations.get(&id).map(|invocation| invocation.isolate)
    }

    /// Takes reports out of a call, where a defect does so.
    fn plant_in_carried(&self, carrying: &Carrying, reports: &mut Vec<Report>) {
        let Some(isolate) = self.isolate_of(carrying.id) else { return };
        let (left, now_ms) = (&self.isolates[isolate].left, self.now().0);
        let left_of = |report: &Report| left.get(&(report.delivery.0, report.attempt.number));
        if self.is_planted(Defect::StuckDropped) {
            reports.retain(|report| {
                left_of(report)
                    .and_then(|left| left.hand)
                    .is_none_or(|(turn, _since)| turn == carrying.number)
            });
        }
        if self.is_planted(Defect::DroppedEarly) {
            reports.retain(|report| left_of(report).is_none_or(|left| left.until_ms - now_ms > 20_000));
        }
    }

    fn asked_to_report(&mut self, carrying: Carrying, reports: Vec<Report>) -> Result<(), Violation> {
        let again = reports.clone();
        let is_taken =
            !self.is_unreachable(|| Ask::Report { reports: again }) && self.take_reports(reports)?;
        let jitter = Jitter::of(u32::try_from(self.random.below(1_000)).expect("small"));
        let is_taken = is_taken || self.is_planted(Defect::ReportsGivenUp);
        let carried = if is_taken { Carried::Taken } else { Carried::Not(Fault::Passing, jitter) };
        let after_ms = if self.fault(4) {
            self.audit.reached.insert("a call with reports hung");
            self.random.between(STUCK_AFTER_MS, 3 * STUCK_AFTER_MS)
        } else {
            self.latency_ms()
        };
        self.plan(after_ms, Happening::CarriedTo(carrying, carried));
        Ok(())
    }

    fn carried(&mut self, carrying: Carrying, carried: Carried) {
        let now = self.now();
        let Some(isolate) = self.isolate_of(carrying.id) else { return };
        let isolate = &mut self.isolates[isolate];
        isolate.mailbox.carried(&carrying.turn, carried, now);
        let is_in_hand = |left: &Left| left.hand.is_some_and(|(turn, _since)| turn == carrying.number);
        if carried == Carried::Taken {
            isolate.left.retain(|_key, left| !is_in_hand(left));
        } else {
            isolate.left.retain(|_key, left| !is_in_hand(left) || left.until_ms > now.0);
            for left in isolate.left.values_mut().filter(|left| is_in_hand(left)) {
                left.hand = None;
            }
        }
        self.plan(0, Happening::Carry(carrying));
    }

    /// The definition that a dispatcher uses: from its own memory, from KV (which may lag), or from the
    /// project.
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
        let is_much = matches!(self.company, Company::Crowded | Company::Overdue);
        let patterns = if is_much && self.random.chance(70) { &PATTERNS[3..5] } else { &PATTERNS[..] };
        let pattern = self.random.pick(patterns).expect("some");
        let mut definition = webhook(&format!("w{}", self.webhooks_made), pattern);
        if self.random.chance(15) {
            definition.events.extend(EventPattern::parse("postern.*"));
        }
        definition.retry = self.random.chance(85);
        definition.timeout_s = u32::try_from(self.random.between(1, 30)).expect("small");
        let rules = self.random.below(if is_much { 2 } else { 4 });
        for _rule in 0..rules {
            self.make_rule(&mut definition);
        }
        let limit = |random: &mut Random, to| Some(u32::try_from(random.between(1, to)).expect("small"));
        match self.company {
            Company::Mixed => {}
            Company::Ordered => {
                definition.ordered = true;
                if self.random.chance(30) {
                    definition.concurrency_limit = limit(&mut self.random, 3);
                }
            }
            Company::Crowded => definition.concurrency_limit = limit(&mut self.random, 9),
            Company::Overdue => {
                definition.concurrency_limit = limit(&mut self.random, 2);
                definition.timeout_s = u32::try_from(self.random.between(10, 30)).expect("small");
            }
        }
        self.wake_up()?;
        let seq = self.ledger.reserve(self.now());
        let well_from_ms = if self.weather == Weather::Chaos { self.heal_at_ms } else { self.now_ms };
        let receiver = if self.company == Company::Overdue && self.random.chance(80) {
            Receiver::slow(well_from_ms)
        } else {
            Receiver::new(&mut self.random, self.now_ms, well_from_ms)
        };
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
        match self.random.below(16) {
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
            12 | 14 | 15 => self.replay(chosen.as_ref()),
            _ => self.create_test(),
        }
    }

    fn edit(&mut self, mut definition: Definition) -> Result<(), Violation> {
        let name = definition.name.clone();
        match self.random.below(10) {
            0 => definition.retry = !definition.retry,
            8 => definition.url = format!("https://moved-{}.example/hook", self.order),
            9 => definition.name = WebhookName::parse(&format!("named-{}", self.order)).expect("a name"),
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
        let all = [State::Dead, State::Cancelled, State::Delivered];
        let states =
            if missing { Vec::new() } else { all[..if self.random.chance(40) { 3 } else { 2 }].into() };
        let mut types = Vec::new();
        if self.random.chance(25) {
            types.extend(self.random.pick(&PATTERNS[..3]).and_then(|pattern| EventPattern::parse(pattern)));
        }
        let span_ms = self.now_ms - START.0;
        let mut bound = |percent| {
            let ms = self.random.between(0, span_ms);
            self.random.chance(percent).then_some(START.plus_ms(ms))
        };
        let (since, until) = (bound(15), bound(10));
        if self.random.chance(50) {
            // Live ones come while it goes on.
            let key = format!("beside-{}", self.order);
            let events = (0..self.random.between(1, 4)).map(|n| self.event(&format!("{key}-{n}"))).collect();
            let after_ms = self.random.between(1, 2_000);
            self.plan(after_ms, Happening::Post(events));
        }
        let query = ReplayQuery { webhook, since, until, states, types, missing };
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

    /// What is being called is cancelled, or an older one of its order is sent again.
    fn meddle(&mut self) -> Result<(), Violation> {
        let (called, older) = self.audit.called();
        match self.random.pick(&older).copied() {
            Some(key) if self.random.chance(80) => self.send_again(key),
            _ => self.random.pick(&called).copied().map_or(Ok(()), |key| self.cancel_one(key)),
        }
    }

    /// A webhook is paused while live deliveries come for it and others are replayed to it.
    fn jam(&mut self) -> Result<(), Violation> {
        let fit =
            self.audit.definitions().filter(|(_key, definition)| definition.enabled && !definition.paused);
        let fit: Vec<Definition> = fit.map(|(_key, definition)| definition.clone()).collect();
        let Some(definition) = self.random.pick(&fit).cloned() else { return Ok(()) };
        self.audit.reached.insert("a webhook was jammed");
        let name = definition.name.clone();
        self.pause(Definition { paused: true, ..definition })?;
        let query = ReplayQuery {
            webhook: Some(String::from(name.as_str())),
            since: None,
            until: None,
            states: vec![State::Dead, State::Cancelled, State::Delivered],
            types: Vec::new(),
            missing: false,
        };
        self.call("create_replay", |ledger, now| ledger.create_replay(query, now))?;
        let key = format!("jam-{}", self.order);
        let events = (0..self.random.between(3, 10)).map(|n| self.event(&format!("{key}-{n}"))).collect();
        self.plan(50, Happening::Post(events));
        let after_ms = self.random.between(1_000, 4_000);
        self.plan(after_ms, Happening::Unjam(name));
        Ok(())
    }

    fn squeeze(&mut self, key: i64) -> Result<(), Violation> {
        let Some((webhook, older)) = self.audit.leased_before_claim(key) else { return Ok(()) };
        self.send_again(older)?;
        let found = self.audit.definitions().find(|(of, _definition)| *of == webhook);
        let Some(definition) = found.map(|(_of, definition)| definition.clone()) else { return Ok(()) };
        if !definition.enabled || definition.paused {
            return Ok(());
        }
        self.audit.reached.insert("a webhook was paused between a lease and its claim");
        let name = definition.name.clone();
        self.pause(Definition { paused: true, ..definition })?;
        let after_ms = self.random.between(1_000, 60_000);
        self.plan(after_ms, Happening::Unjam(name));
        Ok(())
    }

    fn unjam(&mut self, name: &WebhookName) -> Result<(), Violation> {
        let found = self.audit.definitions().find(|(_key, definition)| definition.name == *name);
        match found.map(|(_key, definition)| definition.clone()) {
            Some(definition) if definition.paused => self.pause(Definition { paused: false, ..definition }),
            _ => Ok(()),
        }
    }

    /// Pauses or resumes a webhook, as its definition says.
    fn pause(&mut self, definition: Definition) -> Result<(), Violation> {
        let name = definition.name.clone();
        self.call("update_webhook", |ledger, now| ledger.update_webhook(name.as_str(), definition, None, now))
            .map(|_reply| ())
    }

    fn resend(&mut self) -> Result<(), Violation> {
        // What is leased is refused.
        let are_all = self.random.chance(30);
        let keys = self.audit.deliveries(|state| are_all || state != State::Leased);
        self.random.pick(&keys).copied().map_or(Ok(()), |key| self.send_again(key))
    }

    fn send_again(&mut self, key: i64) -> Result<(), Violation> {
        let id = self.id(key);
        self.audit.resent.insert(key);
        self.audit.asked.insert(key);
        let sent = self.call("resend", |ledger, now| ledger.resend(&id, now))?.done();
        let is_open = self.audit.state(key).is_some_and(|state| !state.is_final());
        expect(sent.is_none() || is_open, || format!("{key} is to be sent again and has ended"))
    }

    fn cancel(&mut self) -> Result<(), Violation> {
        let keys = self.audit.deliveries(|state| !state.is_final());
        self.random.pick(&keys).copied().map_or(Ok(()), |key| self.cancel_one(key))
    }

    fn cancel_one(&mut self, key: i64) -> Result<(), Violation> {
        let id = self.id(key);
        self.audit.cancelled.insert(key);
        let cancelled = self.call("cancel", |ledger, now| ledger.cancel(&id, now))?.done();
        if self.is_planted(Defect::PlaceForgotten) {
            self.open()?;
            self.audit.forget_turns();
        }
        let is_over = self.audit.state(key) == Some(State::Cancelled);
        expect(cancelled.is_none() || is_over, || format!("{key} was cancelled and goes on"))
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
            variation: None,
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
        self.note_trouble();
        self.epoch += 1;
        self.cache.clear();
        for id in self.invocations.keys().copied().collect::<Vec<_>>() {
            self.kill(id);
        }
        for request in std::mem::take(&mut self.requests).into_values() {
            self.post_again(request.events);
        }
        self.start_isolates();
        let now_ms = self.now().0;
        self.audit.excuse_until(now_ms + WATCHDOG_MS);
        self.plan(WATCHDOG_MS, Happening::Watchdog);
        self.reopen()
    }

    /// From here on everything works, and every webhook is enabled; later once more, because a 410 that was
    /// answered before may be reported after.
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
        if self.bytes_max.is_some() {
            for look in 1..=LOOKS_AT_FULLNESS {
                self.plan(look * LOOKS_AT_FULLNESS_MS, Happening::Watchdog);
            }
        }
        Ok(())
    }
}
