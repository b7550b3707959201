//! The database as the simulated project sees it: it can die in the middle of an operation, and a defect
//! can be planted in it by rewriting a statement, so that the ledger itself needs no test-only code.

use std::cell::Cell;
use std::rc::Rc;

use postern_ledger::{LedgerError, Row, Sql, SqlError, Value};

use crate::support::native::Native;

/// A mistake that the simulation must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Leased deliveries are not looked at again.
    LeaseNeverEnds,
    /// Every report is taken for the expected one.
    ReportWithoutCompare,
    /// Changed definitions are not put into the outbox.
    OutboxSkipped,
    /// A claim does not ask whether somebody else claimed.
    ClaimedTwice,
    /// Each statement is its own commit.
    NoTransactions,
    /// Work is leased a minute before it is due.
    LeasedEarly,
    /// The alarm is set for pending deliveries only.
    WakesForFirstAttemptsOnly,
    /// Held deliveries stay held.
    NeverReleased,
    /// Rate limits are stored and not enforced.
    RateIgnored,
    /// The calls that a rate limit counts are not stored.
    WindowForgotten,
    /// After a start, every call that a rate limit ever counted counts as started now: an object that sleeps
    /// between two calls never finds its window free.
    WindowRenewed,
    /// Concurrency limits are stored and not enforced.
    ConcurrencyIgnored,
    /// Order keys are stored and not looked at.
    OrderIgnored,
    /// What has the order's turn next is not told so.
    OrderStalls,
    /// That a webhook is throttled or failing is known, and until when is not.
    ThrottleIgnored,
    /// 410 and the wish to be disabled change nothing.
    GoneIgnored,
    /// That a webhook asks for a second 410 is stored and not looked at.
    ConfirmIgnored,
    /// How a webhook does is not stored.
    HealthForgotten,
    /// A restart forgets the inline leases.
    InlineForgotten,
    /// Paused webhooks are called.
    PauseIgnored,
    /// A webhook's own schedule is not used.
    ScheduleIgnored,
    /// A step of a replay does not move its cursor.
    ReplayRepeats,
    /// Attempts are not counted.
    StatsSkipped,
    /// What is given back costs its number.
    GivingBackCosts,
    /// What is given back has no plan.
    GivenBackForGood,
    /// A cancelled delivery keeps its plan.
    CancelKeepsPlan,
    /// A cancelled delivery keeps its order key.
    CancelKeepsOrder,
    /// An attempt replaces those before it.
    RecordForgets,
    /// A recorded attempt is not counted by its delivery.
    RecordUncounted,
    /// What is offered is offered as claimed.
    OfferedClaimed,
    /// The key of a repeated event is not looked for.
    KeyIgnored,
    /// What has ended keeps its order key.
    EndKeepsOrder,
    /// A person's wish to have a delivery sent again is stored as an attempt of its schedule.
    ResendUnmarked,
    /// What is given back may be another's claim of the same number.
    UnclaimUnfenced,
    /// After an attempt a replayed delivery counts as a live one.
    LineForgotten,
    /// What a replay sends goes before what is live.
    ReplayedFirst,
    /// A start forgets that replayed deliveries are held.
    ReplayedForgotten,
    /// A claim that came late leaves its lease as short as it is.
    LeaseNotRenewed,
    /// A start forgets which deliveries are leased.
    LeaseForgotten,
    /// That a lost attempt was delivered is not counted.
    TruthUncounted,
    /// A replay sends events of all types again.
    ReplayedTypesIgnored,
    /// What has ended is deleted as old as its beginning is.
    KeptFromBeginning,
    /// A person's wish to have a delivery sent again is not stored.
    ResendLost,
    /// The next of an order is not told when a claim of another is given back.
    GivenBackUntold,
    /// What is leased with an order key is not known to be.
    KeyUnlisted,
    /// A webhook whose held deliveries were read in part is taken for one that has none.
    DrainedEarly,
    // Of the orchestration: what the machines are told, or what they say, is changed on its way.
    /// An invocation makes more calls at once than it may.
    BoundsIgnored,
    /// An invocation plans beyond its end.
    ShiftIgnored,
    /// A call is made twice.
    CalledTwice,
    /// What is to be given back is not.
    UnclaimForgotten,
    /// After a claim that failed its tickets are forgotten.
    ClaimGivenUp,
    /// A claim that failed is taken for one that yielded nothing.
    FailedClaimTakenForEmpty,
    /// Of a claim one work is called.
    WorkForgotten,
    /// Reports that could not be made are taken for made.
    ReportsGivenUp,
    /// Some reports are not made.
    ReportForgotten,
    /// What a queue refused is taken for sent.
    RefusedForgotten,
    /// Replays do not go on.
    ReplayForgotten,
    /// Tests that were cut short are not called again.
    TestsForgotten,
    /// Nothing is published.
    PublishForgotten,
    /// What KV refused is taken for published.
    PublishedUnwritten,
    /// A ring does not set the alarm, neither before its work nor after it.
    AlarmNotSet,
    /// Retries are not sent to their queue.
    LaneForgotten,
    /// The call of a delivery that was cancelled takes no place.
    PlaceForgotten,
    /// What a stuck call has in hand is not carried by others.
    StuckDropped,
    /// Reports are dropped long before their leases end.
    DroppedEarly,
    /// Tickets that a queue refused count as under way.
    RefusedCounted,
    /// Tickets that a queue refused are due at once.
    RefusedAtOnce,
    /// A publication never ends.
    PublishingForGood,
    /// Requests whose events travelled together get each other's answers.
    AnswersMixedUp,
    /// Who carried events does not go on with those that came meanwhile.
    WaitingEventsLeft,
    /// The next of an order is not told when an attempt is recorded as lost.
    LostUntold,
    /// The next of an order is not told when an attempt is reported.
    ReportedUntold,
    /// The next of an order is not told when a claim is refused.
    RefusedUntold,
    /// The next of an order is not told when a delivery is cancelled.
    CancelledUntold,
    /// A delivery whose definition was not found is due at once.
    RestForgotten,
    /// What a person sends again does not get its order key back.
    ResentUnordered,
    /// What a replay sends again does not get its order key back.
    ReplayedUnordered,
    /// A step of a replay leaves out the first that it comes by.
    ReplaySkips,
    /// A start forgets that a webhook is opened step by step after an outage.
    SlowStartForgotten,
    /// A retry is due a second before its time.
    RetriedEarly,
    /// A retry is due a quarter of its wait late.
    RetriedLate,
    /// What is given up before its time is not counted.
    AgedUncounted,
    /// What is given up before its time may have ended just now.
    AgedYoung,
    /// What is open is given up before its time.
    AgedOpen,
    /// The call of a delivery that an earlier attempt ended takes no place.
    LatePlaceForgotten,
    /// A report that makes something due does not set the alarm.
    AlarmNotSetByReport,
    /// A claim that is given back does not set the alarm.
    AlarmNotSetByUnclaim,
    /// A webhook that is resumed does not set the alarm.
    AlarmNotSetByResume,
    /// A new replay does not set the alarm.
    AlarmNotSetByReplay,
}

impl Defect {
    /// Whether it lies in what is read after a start: the process is started anew after every call then.
    pub(crate) const fn needs_restarts(self) -> bool {
        matches!(
            self,
            Self::RateIgnored
                | Self::ConcurrencyIgnored
                | Self::ThrottleIgnored
                | Self::PauseIgnored
                | Self::ConfirmIgnored
                | Self::KeyUnlisted
                | Self::SlowStartForgotten
        )
    }

    /// The operation in which it lies; `None`: in all of them.
    const fn operation(self) -> Option<&'static str> {
        match self {
            Self::GivenBackUntold | Self::RestForgotten => Some("unclaim"),
            Self::ResendLost | Self::ResentUnordered => Some("resend"),
            Self::ReplayedUnordered | Self::ReplaySkips => Some("replay_step"),
            Self::LostUntold => Some("lease_due"),
            Self::ReportedUntold | Self::RetriedEarly | Self::RetriedLate => Some("report"),
            Self::RefusedUntold => Some("claim"),
            Self::CancelledUntold => Some("cancel"),
            Self::AgedUncounted | Self::AgedYoung | Self::AgedOpen => Some("retention_step"),
            _ => None,
        }
    }

    /// What to look for in statements, and what to put in its place.
    const fn rewrites(self) -> &'static [(&'static str, &'static str)] {
        const ROSTER: &str = "definition, name FROM webhook WHERE seq > ?1";
        match self {
            Self::LeaseNeverEnds => &[(
                "FROM delivery WHERE next_at_ms <= ?1 ORDER",
                "FROM delivery WHERE next_at_ms <= ?1 AND state <> 'leased' ORDER",
            )],
            Self::ReportWithoutCompare => {
                &[("state = 'leased' AND claimed = 1 AND attempt = ?2 FROM", "?2 > 0 FROM")]
            }
            Self::OutboxSkipped => &[(
                "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) VALUES (?1, ?2, ?3, 0, ?4)",
                "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) SELECT ?1, ?2, ?3, 0, ?4 WHERE ?2 < 2",
            )],
            Self::ClaimedTwice => &[("attempt = j.value ->> 1 AND claimed = 0", "attempt = j.value ->> 1")],
            Self::LeasedEarly => &[(
                "FROM delivery WHERE next_at_ms <= ?1 ORDER",
                "FROM delivery WHERE next_at_ms <= ?1 + 60000 ORDER",
            )],
            Self::WakesForFirstAttemptsOnly => &[(
                "FROM delivery WHERE next_at_ms IS NOT NULL ORDER",
                "FROM delivery WHERE state = 'pending' ORDER",
            )],
            Self::NeverReleased => &[(
                "WHERE webhook = ?1 AND parked = 1 ORDER BY seq",
                "WHERE webhook = ?1 AND parked = 9 ORDER BY seq",
            )],
            Self::RateIgnored => {
                &[(ROSTER, "json_remove(definition, '$.rate_limit'), name FROM webhook WHERE seq > ?1")]
            }
            Self::WindowForgotten => &[(
                "INSERT INTO rate_window (webhook, begun) SELECT value ->> 0, value ->> 1 FROM json_each(?1) WHERE true",
                "INSERT INTO rate_window (webhook, begun) SELECT value ->> 0, value ->> 1 FROM json_each(?1) WHERE false",
            )],
            // What lies ahead of the clock counts as now.
            Self::WindowRenewed => &[(
                "SELECT webhook, begun FROM rate_window",
                "SELECT webhook, json_array(json_array(9000000000000, (SELECT sum(value ->> 1) FROM json_each(begun)))) FROM rate_window",
            )],
            Self::ConcurrencyIgnored => &[(
                ROSTER,
                "json_remove(definition, '$.concurrency_limit'), name FROM webhook WHERE seq > ?1",
            )],
            Self::PauseIgnored => {
                &[(ROSTER, "json_remove(definition, '$.paused'), name FROM webhook WHERE seq > ?1")]
            }
            Self::ConfirmIgnored => {
                &[(ROSTER, "json_remove(definition, '$.confirm_gone'), name FROM webhook WHERE seq > ?1")]
            }
            Self::ScheduleIgnored => {
                &[(ROSTER, "json_remove(definition, '$.retry_schedule_s'), name FROM webhook WHERE seq > ?1")]
            }
            Self::ThrottleIgnored => &[(
                "SELECT webhook, health FROM",
                "SELECT webhook, json_remove(health, '$.next_call_at') FROM",
            )],
            Self::OrderIgnored => &[
                (
                    "AND order_key = ?2 ORDER BY seq LIMIT 1",
                    "AND order_key = ?2 AND seq < 0 ORDER BY seq LIMIT 1",
                ),
                (
                    "value ->> '$[1][3]', value ->> '$[1][0]'",
                    "coalesce(value ->> '$[1][3]', CASE value ->> '$[1][2]' WHEN 2 THEN ?2 END), value ->> '$[1][0]'",
                ),
                (
                    "value ->> '$[1][4]', value ->> '$[1][2]',",
                    "value ->> '$[1][4]', CASE value ->> '$[1][2]' WHEN 2 THEN 0 ELSE value ->> '$[1][2]' END,",
                ),
            ],
            Self::OrderStalls
            | Self::GivenBackUntold
            | Self::LostUntold
            | Self::ReportedUntold
            | Self::RefusedUntold
            | Self::CancelledUntold => &[(
                "updated_at_ms = ?5 WHERE seq = ?1 AND parked = ?3",
                "updated_at_ms = ?5 WHERE seq = ?1 AND parked = ?3 + 9",
            )],
            Self::GoneIgnored => {
                &[("definition = ?5 WHERE seq = ?1", "definition = ?5 WHERE seq = ?1 AND 0")]
            }
            Self::HealthForgotten => &[(
                "INSERT INTO webhook_health (webhook, health) VALUES (?1, ?2)",
                "INSERT INTO webhook_health (webhook, health) SELECT ?1, ?2 WHERE false",
            )],
            Self::InlineForgotten => &[(
                "AND state = 'leased' AND next_at_ms IS NULL AND parked = 0",
                "AND state = 'nothing' AND parked = 0",
            )],
            Self::ReplayRepeats => &[(
                "UPDATE replay SET state = ?2, cursor = ?3",
                "UPDATE replay SET state = ?2, cursor = cursor + 0 * ?3",
            )],
            Self::StatsSkipped => {
                &[("DO UPDATE SET attempts = excluded.attempts,", "DO UPDATE SET attempts = stat.attempts,")]
            }
            Self::GivingBackCosts => &[(
                "offers = 0, attempt = j.value ->> 2, updated_at_ms",
                "offers = 0, attempt = (j.value ->> 2) + 1, updated_at_ms",
            )],
            Self::GivenBackForGood => &[(
                "offers = 0, attempt = j.value ->> 2, updated_at_ms",
                "offers = 0, attempt = j.value ->> 2, next_at_ms = NULL, updated_at_ms",
            )],
            Self::CancelKeepsPlan => &[(
                "next_at_ms = ?5, lease_until_ms = ?6, order_key = NULL,",
                "next_at_ms = coalesce(?5, next_at_ms), lease_until_ms = ?6, order_key = NULL,",
            )],
            Self::CancelKeepsOrder => &[("lease_until_ms = ?6, order_key = NULL,", "lease_until_ms = ?6,")],
            Self::RecordForgets => &[("attempts = attempts || ?11", "attempts = ?11")],
            Self::RecordUncounted => {
                &[("SET state = ?2, made = ?3,", "SET state = ?2, made = made + 0 * ?3,")]
            }
            Self::OfferedClaimed => &[(
                "offers = j.value ->> 3, updated_at_ms = ?2",
                "offers = j.value ->> 3, claimed = 1, updated_at_ms = ?2",
            )],
            Self::KeyIgnored => &[(
                "idempotency_key IN (SELECT value FROM json_each(?1))",
                "idempotency_key IN (SELECT value || 'x' FROM json_each(?1))",
            )],
            Self::EndKeepsOrder => &[(
                "order_key = CASE ?12 WHEN 1 THEN NULL ELSE order_key END",
                "order_key = CASE ?12 WHEN 9 THEN NULL ELSE order_key END",
            )],
            Self::ResendUnmarked => &[(
                "scheduled = j.value ->> 2, resend = j.value ->> 4,",
                "scheduled = j.value ->> 2, resend = 0,",
            )],
            Self::UnclaimUnfenced => {
                &[("AND coalesce(next_at_ms, lease_until_ms) = j.value ->> 2", "AND j.value ->> 2 > 0")]
            }
            Self::LineForgotten => &[("resend = (resend & 2) | ?5,", "resend = ?5,")],
            Self::ReplayedFirst => &[(
                "WHERE webhook = ?1 AND parked = 1 ORDER BY seq",
                "WHERE webhook = ?1 AND parked IN (1, 3) ORDER BY parked DESC, seq",
            )],
            Self::ReplayedForgotten => &[(
                "FROM delivery WHERE parked = 3 AND webhook > ?1",
                "FROM delivery WHERE parked = 9 AND webhook > ?1",
            )],
            Self::LeaseNotRenewed => &[(
                "claimed = 1, next_at_ms = j.value ->> 1,",
                "claimed = 1, next_at_ms = min(next_at_ms, j.value ->> 1),",
            )],
            Self::LeaseForgotten => &[(
                "WHERE next_at_ms IS NOT NULL AND state = 'leased' ORDER BY next_at_ms",
                "WHERE next_at_ms IS NOT NULL AND state = 'nothing' ORDER BY next_at_ms",
            )],
            Self::TruthUncounted => &[(
                "delivered = excluded.delivered,",
                "delivered = CASE WHEN excluded.attempts = stat.attempts THEN stat.delivered ELSE excluded.delivered END,",
            )],
            Self::ReplayedTypesIgnored => &[(
                "created_at_ms, ended_at_ms, query FROM replay",
                "created_at_ms, ended_at_ms, json_set(query, '$.query.types', json('[]')) FROM replay",
            )],
            Self::KeptFromBeginning => {
                &[("SELECT seq, state, updated_at_ms FROM delivery", "SELECT seq, state, 0 FROM delivery")]
            }
            Self::ResendLost => &[(
                "FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
                "FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0 AND ?2 < 0",
            )],
            Self::KeyUnlisted => &[(
                "SELECT webhook, seq, claimed, order_key, updated_at_ms, resend FROM delivery",
                "SELECT webhook, seq, claimed, NULL, updated_at_ms, resend FROM delivery",
            )],
            Self::DrainedEarly => &[(
                "AND parked = 1 ORDER BY seq LIMIT ?2",
                "AND parked = 1 ORDER BY seq LIMIT max(1, ?2 - 1)",
            )],
            Self::RestForgotten => &[(
                "next_at_ms = j.value ->> '$[1][3]', lease_until_ms = j.value ->> '$[1][4]', offers = 0",
                "next_at_ms = min(j.value ->> '$[1][3]', ?2), lease_until_ms = j.value ->> '$[1][4]', offers = 0",
            )],
            Self::ResentUnordered | Self::ReplayedUnordered => &[(
                "order_key = CASE j.value ->> 3 WHEN 1 THEN",
                "order_key = CASE j.value ->> 3 WHEN 9 THEN",
            )],
            Self::ReplaySkips => &[(
                "FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0",
                "FROM json_each(?1) AS j WHERE delivery.seq = j.value ->> 0 AND j.key > 0",
            )],
            Self::SlowStartForgotten => {
                &[("SELECT webhook, health FROM", "SELECT webhook, json_remove(health, '$.at_once') FROM")]
            }
            Self::RetriedEarly => &[(
                "resend = (resend & 2) | ?5, next_at_ms = ?6,",
                "resend = (resend & 2) | ?5, next_at_ms = max(?7, ?6 - 1000),",
            )],
            Self::RetriedLate => &[(
                "resend = (resend & 2) | ?5, next_at_ms = ?6,",
                "resend = (resend & 2) | ?5, next_at_ms = ?6 + (?6 - ?7) / 4,",
            )],
            Self::AgedUncounted => &[("UPDATE meta SET aged = ?1", "UPDATE meta SET aged = ?1 WHERE false")],
            Self::AgedYoung => &[(
                "state IN ('delivered', 'dead', 'cancelled') AND updated_at_ms < ?3\n             FROM delivery WHERE seq > ?1 AND seq <= ?2",
                "state IN ('delivered', 'dead', 'cancelled') AND updated_at_ms < ?3 + 3600000\n             FROM delivery WHERE seq > ?1 AND seq <= ?2",
            )],
            Self::AgedOpen => &[(
                "state IN ('delivered', 'dead', 'cancelled') AND updated_at_ms < ?3\n             FROM delivery WHERE seq > ?1 AND seq <= ?2",
                "updated_at_ms < ?3\n             FROM delivery WHERE seq > ?1 AND seq <= ?2",
            )],
            Self::NoTransactions
            | Self::BoundsIgnored
            | Self::ShiftIgnored
            | Self::CalledTwice
            | Self::UnclaimForgotten
            | Self::ClaimGivenUp
            | Self::FailedClaimTakenForEmpty
            | Self::WorkForgotten
            | Self::ReportsGivenUp
            | Self::ReportForgotten
            | Self::RefusedForgotten
            | Self::ReplayForgotten
            | Self::TestsForgotten
            | Self::PublishForgotten
            | Self::PublishedUnwritten
            | Self::AlarmNotSet
            | Self::LaneForgotten
            | Self::PlaceForgotten
            | Self::StuckDropped
            | Self::DroppedEarly
            | Self::RefusedCounted
            | Self::RefusedAtOnce
            | Self::PublishingForGood
            | Self::AnswersMixedUp
            | Self::WaitingEventsLeft
            | Self::LatePlaceForgotten
            | Self::AlarmNotSetByReport
            | Self::AlarmNotSetByUnclaim
            | Self::AlarmNotSetByResume
            | Self::AlarmNotSetByReplay => &[],
        }
    }
}

/// What goes on before the first operation: the project and its tables are made.
const MAKING: &str = "create";

/// The database of one seed.
pub(crate) struct Faulty {
    store: Rc<Native>,
    has_schema: bool,
    defect: Option<Defect>,
    /// Statements until the process dies.
    fuse: Cell<Option<u64>>,
    is_dead: Cell<bool>,
    /// The operation under way.
    operation: Cell<&'static str>,
}

impl Faulty {
    /// `has_schema`: the tables are there already, and empty. Making them takes a fifth of a seed's time.
    pub(crate) fn new(store: Rc<Native>, has_schema: bool, defect: Option<Defect>) -> Rc<Self> {
        Rc::new(Self {
            store,
            has_schema,
            defect,
            fuse: Cell::new(None),
            is_dead: Cell::new(false),
            operation: Cell::new(MAKING),
        })
    }

    /// What is planted.
    pub(crate) const fn defect(&self) -> Option<Defect> {
        self.defect
    }

    /// An operation begins.
    pub(crate) fn begin(&self, operation: &'static str) {
        self.operation.set(operation);
    }

    /// The process dies before the statement after `statements` more.
    pub(crate) fn light_fuse(&self, statements: u64) {
        self.fuse.set(Some(statements));
    }

    /// Whether the process died. A new one starts.
    pub(crate) fn revive(&self) -> bool {
        self.fuse.set(None);
        self.is_dead.replace(false)
    }
}

impl Sql for Faulty {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        match self.fuse.get() {
            Some(0) => self.is_dead.set(true),
            Some(left) => self.fuse.set(Some(left - 1)),
            None => {}
        }
        if self.is_dead.get() {
            return Err(SqlError::new("the process died"));
        }
        // Tables are made before the first operation.
        if self.has_schema
            && self.operation.get() == MAKING
            && (["CREATE ", "ALTER ", "DROP "].iter().any(|word| statement.starts_with(word))
                || statement.contains("delivery_1"))
        {
            return Ok(Vec::new());
        }
        let is_here = |defect: &Defect| defect.operation().is_none_or(|name| name == self.operation.get());
        let Some(defect) = self.defect.filter(is_here) else { return self.store.run(statement, parameters) };
        let rewrites = defect.rewrites();
        if !rewrites.iter().any(|(from, _to)| statement.contains(from)) {
            return self.store.run(statement, parameters);
        }
        let rewritten = rewrites
            .iter()
            .fold(String::from(statement), |statement, (from, to)| statement.replace(from, to));
        self.store.run(&rewritten, parameters)
    }

    fn database_size(&self) -> Result<u64, SqlError> {
        self.store.database_size()
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        if self.defect == Some(Defect::NoTransactions) { work() } else { self.store.transaction(work) }
    }
}
