//! The invariants. The audit reads the tables itself and trusts nothing that the ledger keeps in memory.
//!
//! Three things it works out on its own and compares after every step: how each webhook does (its health,
//! from the attempts as they come on record), what was to be told (operational events), and who is being
//! called right now (from the claims), which is what limits, probing and order are about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use postern_core::api::event::EventAccepted;
use postern_core::api::project::{Aged, ProjectSettings};
use postern_core::delivery::{Attempt, Outcome, State, Trigger, Wish};
use postern_core::event::{ObjectRef, Operational, is_operational};
use postern_core::filter::{self, EventFacts};
use postern_core::health::{AT_ONCE_MAX, Cause, DISABLE_AFTER_MS, Health, Signal, Transition};
use postern_core::id::Seq;
use postern_core::replay::ReplayQuery;
use postern_core::retry::{DEFAULT_WAITS_S, JITTER_PERCENT};
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition};
use postern_ledger::{LedgerError, Row, Sql, Value, Work};

use crate::support::native::{Native, Touched};

/// Who claims has so long beside the call's timeout at least (the ledger's rule, said again).
const CLAIM_SLACK_MS: i64 = 15_000;

/// Lost attempts in a row that do not count (the ledger's rule, said again).
const LOST_REPEATS_MAX: usize = 3;

/// A 410 is a second one so long after the first (the core's rule, said again).
const GONE_CONFIRM_MS: i64 = 600_000;

/// The longest lease: of a call that may take 30 s.
const INLINE_LEASE_MS: i64 = 60_000;

/// A process may die so often before it tells what was given up.
const LOOKS_UNTOLD_MAX: u32 = 4;

/// What is given up where the store fills up is kept for so long after its end (the ledger's rules, said
/// again).
const RECORDS_KEPT_MS: i64 = 3_600_000;
const ANSWERS_KEPT_MS: i64 = DAY_MS;

/// Live deliveries that are leased in a row while a replayed one waits, at most: three, and those of a step
/// that began with others.
const LIVE_IN_A_ROW_MAX: u32 = 12;

/// Failures in a row from which on a webhook is probed, what it gets at once after that, how long each
/// doubling of it takes at least, and the shortest pause (the core's rules, said again).
const FAILING_AFTER: u32 = 5;
const SLOW_START_FROM: u32 = 2;
const SLOW_START_STEP_MS: i64 = 334;
const SPACING_MIN_MS: i64 = 1_000;

const DAY_MS: i64 = 86_400_000;

/// A webhook that may be called and has something to be called with gets its lease within this time on the
/// project's clock. Alarms that are lost and processes that die cost a minute each, until the watchdog
/// looks.
const LEASED_WITHIN_MS: i64 = 600_000;

/// Where no alarm was lost and nothing died, it gets it within this time.
const LEASED_SOON_MS: i64 = 5_000;

/// What is wrong, in words.
pub(crate) type Violation = String;

/// A call that reached its receiver.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) started_at_ms: i64,
    pub(crate) outcome: Outcome,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Call {
    webhook: i64,
    lease_until_ms: i64,
    /// Whether its delivery had ended when the object started anew: who starts does not know of the call.
    is_forgotten: bool,
}

/// From when on a webhook could be called, as it did then.
#[derive(Clone, Copy, Debug)]
struct Free {
    from_ms: i64,
    health: Health,
}

/// An attempt that is taken faster leaves its webhook fit for the inline lane (the ledger's rule, said
/// again).
const QUICK_MS: u32 = 1_000;

/// Values of the column `parked`.
const HELD: u32 = 1;
const HELD_REPLAYED: u32 = 3;

/// A delivery as it was after the last step that touched it.
#[derive(Clone, Debug)]
struct Known {
    event: i64,
    webhook: i64,
    state: State,
    attempt: u32,
    claimed: bool,
    parked: u32,
    /// Whether a replay sends it.
    is_replayed: bool,
    order_key: Option<String>,
    /// The record of attempts as it is stored, and read. Most steps leave it as it is.
    record: Rc<str>,
    attempts: Rc<[Attempt]>,
}

impl Known {
    fn is_called(&self) -> bool {
        self.state == State::Leased && self.claimed
    }

    /// Whether this number is being called, as far as the ledger knows.
    fn is_called_as(&self, number: u32) -> bool {
        self.is_called() && self.attempt == number
    }
}

/// What producers were told of an event.
#[derive(Clone, Debug)]
struct Accepted {
    id: String,
    /// Of the answer that said that it is new; answers may arrive in another order than they were given.
    deliveries: Option<u32>,
    /// The fewest that another answer said.
    repeated: Option<u32>,
}

/// What an event says that its deliveries depend on.
#[derive(Clone, Debug)]
struct KnownEvent {
    kind: String,
    order_key: Option<String>,
}

/// A webhook as stored.
#[derive(Clone, Debug)]
struct Hook {
    version: u32,
    definition: Definition,
}

/// Webhooks by key. Shared, because every step looks at those before it.
type Hooks = Rc<BTreeMap<i64, Hook>>;

/// The operation that a step was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// The ledger's clock.
    pub(crate) now_ms: i64,
    /// The replay that a step of one works on.
    pub(crate) replay: Option<i64>,
}

/// What is known from the steps so far.
#[derive(Default)]
pub(crate) struct Audit {
    deliveries: BTreeMap<i64, Known>,
    events: BTreeMap<i64, KnownEvent>,
    last_event: i64,
    hooks: Hooks,
    /// Every version that was ever current.
    versions: BTreeMap<(i64, u32), Definition>,
    settings: ProjectSettings,
    health: BTreeMap<i64, Health>,
    /// Every call, by delivery and number.
    sent: BTreeMap<(i64, u32), Sent>,
    claimed: BTreeSet<(i64, u32)>,
    /// Claims of which no report has come, with their webhooks and the ends of their leases.
    claims: BTreeMap<(i64, u32), (i64, i64)>,
    /// Claimed and not ended, by webhook.
    under_way: BTreeMap<i64, BTreeSet<i64>>,
    /// When calls started that count for a rate limit, by webhook, with their deliveries.
    begun: BTreeMap<i64, Vec<(i64, i64)>>,
    /// Webhooks that have held deliveries, and from when on one of them could be leased.
    free: BTreeMap<i64, Free>,
    /// Nothing is late before then: an alarm was lost, a process died, or the queues are full.
    excused_until_ms: i64,
    /// Webhooks that got a lease in this step, and whether one was of a held delivery.
    served: BTreeMap<i64, bool>,
    /// Of a webhook that could be called: those that were served in rounds since, and it was not.
    passed_by: BTreeMap<i64, BTreeSet<i64>>,
    /// Those of them that waited while the object slept.
    slept: BTreeSet<i64>,
    /// Open deliveries that go by an order key, by webhook and key.
    in_order: BTreeMap<(i64, String), BTreeSet<i64>>,
    /// Before this instant the next attempt must not be leased.
    earliest_ms: BTreeMap<i64, i64>,
    /// Event ids with their idempotency keys, as they were acknowledged.
    accepted: BTreeMap<String, Accepted>,
    message_ids: BTreeMap<i64, String>,
    /// Each event goes to each webhook once.
    pairs: BTreeSet<(i64, i64)>,
    replayed: BTreeSet<(i64, i64)>,
    /// When deliveries ended, and in which process of the object.
    ended: BTreeMap<i64, (i64, u64)>,
    /// Processes of the object so far.
    starts: u64,
    /// Attempts that were ever recorded.
    recorded: usize,
    /// Situations that were reached: a simulation that never gets into trouble proves nothing.
    pub(crate) reached: BTreeSet<&'static str>,
    /// Deliveries that a person asks to be sent again in this step.
    pub(crate) resent: BTreeSet<i64>,
    /// Attempts that this step recorded as lost.
    pub(crate) newly_lost: Vec<(i64, u32)>,
    /// The reports that this step brings, in their order: delivery and number.
    pub(crate) reporting: Vec<(i64, u32)>,
    /// Deliveries that a person ever asked to be sent again.
    pub(crate) asked: BTreeSet<i64>,
    /// Calls that are being made, by delivery and number: the truth, whatever the ledger knows of it.
    in_flight: BTreeMap<(i64, u32), Call>,
    /// Leases of this step by webhook: live ones, and held ones of a replay.
    leases: BTreeMap<i64, (u32, u32)>,
    /// Live deliveries of a webhook that were leased since a replayed one was, while both waited; not known
    /// after a start.
    live_in_a_row: BTreeMap<i64, u32>,
    /// What the ledger says was given up before its time, and what was.
    aged: Aged,
    aged_deliveries: u64,
    /// What was deleted, before its time or not.
    deleted: u64,
    aged_answers: u64,
    /// How often it was told that something was given up.
    aging_told: u32,
    /// How often somebody looked how full the project is, and did not tell it.
    looks_untold: u32,
    /// How far each replay has come.
    cursors: BTreeMap<i64, i64>,
    /// Webhooks whose latest attempt on record failed or was slow, as far as a process knows it.
    ailing: BTreeSet<i64>,
    /// Deliveries that a replay sends and nobody has asked for since.
    in_replays: BTreeSet<i64>,
    /// Attempts on record that their receivers took, while their webhooks were there.
    taken: usize,
    was_set: bool,
    /// Deliveries that a person ever asked to be cancelled.
    pub(crate) cancelled: BTreeSet<i64>,
}

/// What a step must have led to.
#[derive(Default)]
struct Expected {
    /// Operational events with the webhooks that they are about.
    told: Vec<(Operational, i64)>,
    /// Webhooks that Postern disabled.
    disabled: BTreeSet<i64>,
    /// What attempts say of their webhooks, in order.
    news: Vec<News>,
}

/// An attempt that came on record.
struct News {
    webhook: i64,
    delivery: i64,
    attempt: Attempt,
    is_operational: bool,
}

/// Whether an attempt called another URL than its webhook has (the ledger's rule, said again).
fn went_elsewhere(definition: Option<&Definition>, attempt: &Attempt) -> bool {
    let called = attempt.request.as_ref().map(|request| request.url.as_str());
    definition.zip(called).is_some_and(|(definition, called)| definition.url != called)
}

/// Fails the step where `holds` is false.
pub(crate) fn expect(holds: bool, violation: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

fn query(store: &Native, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, Violation> {
    store.run(statement, parameters).map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn damaged(error: LedgerError) -> Violation {
    format!("a row can't be read: {error}")
}

impl Audit {
    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.sent.len()
    }

    /// How many events were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.len()
    }

    /// Deliveries in a state that `wanted` accepts.
    pub(crate) fn deliveries(&self, wanted: impl Fn(State) -> bool) -> Vec<i64> {
        self.deliveries.iter().filter(|(_key, known)| wanted(known.state)).map(|(key, _known)| *key).collect()
    }

    /// Every webhook's current definition.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (i64, &Definition)> {
        self.hooks.iter().map(|(key, hook)| (*key, &hook.definition))
    }

    /// The definition that a version of a webhook had.
    pub(crate) fn version(&self, webhook: i64, version: u32) -> Option<&Definition> {
        self.versions.get(&(webhook, version))
    }

    fn waits<'a>(&'a self, webhook: &'a Definition) -> &'a [u32] {
        webhook
            .retry_schedule_s
            .as_deref()
            .or(self.settings.retry_schedule_s.as_deref())
            .unwrap_or(DEFAULT_WAITS_S)
    }

    /// The project's clock was set to `now_ms`.
    pub(crate) fn clock_was_set(&mut self, now_ms: i64) {
        self.was_set = true;
        for (at_ms, _delivery) in self.begun.values_mut().flatten() {
            *at_ms = now_ms.min(*at_ms);
        }
        // What waited waits by another clock; the next step says from when on.
        self.free.clear();
        self.passed_by.clear();
    }

    /// The object slept: a new one knows what is stored.
    pub(crate) fn slept(&mut self) {
        self.reached.insert("the object slept");
        let limited =
            |webhook: &&i64| self.hooks.get(webhook).is_some_and(|hook| hook.definition.rate_limit.is_some());
        self.slept.extend(self.free.keys().filter(limited));
    }

    /// Whose turn is next and who does badly is not known any more.
    pub(crate) fn forget_turns(&mut self) {
        self.passed_by.clear();
        self.live_in_a_row.clear();
        self.ailing.clear();
    }

    /// A new process of the object: it knows what is stored, and not which calls of ended deliveries go on,
    /// nor who was served last.
    pub(crate) fn restarted(&mut self) {
        self.starts += 1;
        self.forget_turns();
        for ((key, number), call) in &mut self.in_flight {
            call.is_forgotten |= !self.deliveries.get(key).is_some_and(|known| known.is_called_as(*number));
        }
    }

    /// What is late until this instant is not the ledger's fault.
    pub(crate) fn excuse_until(&mut self, ms: i64) {
        self.excused_until_ms = self.excused_until_ms.max(ms);
    }

    /// Checks everything that a step may have changed.
    pub(crate) fn after_step(&mut self, store: &Native, step: Step) -> Result<(), Violation> {
        self.check_free(step.now_ms)?;
        self.newly_lost.clear();
        if step.name == "watch_fullness" && self.aged != Aged::default() && self.aging_told == 0 {
            self.looks_untold += 1;
        }
        expect(self.looks_untold <= LOOKS_UNTOLD_MAX, || format!("{:?} was told to nobody", self.aged))?;
        let touched = store.take_touched();
        if touched == Touched::default() {
            return Ok(());
        }
        let before = Rc::clone(&self.hooks);
        let could = self.free_now(step.now_ms);
        if touched.tables.contains("webhook") {
            self.read_hooks(store)?;
            self.notice_edits(&before, step);
        }
        if step.name == "update_settings" {
            let rows = query(store, "SELECT settings FROM meta", &[])?;
            let text = rows.first().ok_or("no settings")?.text(0).map_err(damaged)?.to_owned();
            self.settings = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            self.reached.insert("the project's schedule changed");
        }
        let mut expected = Expected::default();
        for key in &touched.deliveries {
            self.check_delivery(store, *key, step, &mut expected)?;
        }
        // Reports that came together say something of their webhooks in their order.
        let reported = std::mem::take(&mut self.reporting);
        self.note_ailing(&reported, &expected.news);
        // Who is edited or disabled starts with the benefit of the doubt.
        let hooks = Rc::clone(&self.hooks);
        let version_of = |hooks: &BTreeMap<i64, Hook>, key: &i64| hooks.get(key).map(|hook| hook.version);
        self.ailing.retain(|key| version_of(&hooks, key) == version_of(&before, key));
        expected.news.sort_by_key(|news| {
            reported.iter().position(|known| *known == (news.delivery, news.attempt.number))
        });
        if step.name == "resend" && touched.tables.contains("webhook_health") {
            self.note_pause_ended(store, step)?;
        }
        self.resent.clear();
        let has_news = !expected.news.is_empty();
        self.judge(&before, step, &mut expected)?;
        self.check_disabled(&before, step, &expected)?;
        if touched.tables.contains("event") || !expected.told.is_empty() {
            self.check_new_events(store, step, expected)?;
        }
        if has_news || touched.tables.contains("webhook_health") || touched.tables.contains("webhook") {
            self.check_health(store)?;
        }
        if step.name == "retention_step" {
            self.check_aged(store)?;
        }
        if let Some(replay) = step.replay {
            self.check_passed_by(store, replay)?;
        }
        self.note_free(step);
        if step.name == "lease_due" {
            self.check_turns(&could)?;
        }
        self.served.clear();
        self.check_lines()?;
        self.check_order()
    }

    /// Where live deliveries of a webhook still wait, a step leased a replayed one for three live ones, and
    /// one whose turn it was.
    fn check_lines(&mut self) -> Result<(), Violation> {
        for (webhook, (live, replayed)) in std::mem::take(&mut self.leases) {
            let waits = |parked| {
                self.deliveries.values().any(|known| known.webhook == webhook && known.parked == parked)
            };
            let (waits_live, waits_replayed) = (waits(HELD), waits(HELD_REPLAYED));
            if waits_live {
                expect(replayed <= live / 3 + 1, || {
                    format!("{replayed} replayed deliveries of {webhook} went with {live} live ones")
                })?;
                if replayed > 0 {
                    self.reached.insert("a replayed delivery had its turn");
                }
                if let Some(before) = self.live_in_a_row.get(&webhook) {
                    expect(before + live >= 3 * replayed, || {
                        format!(
                            "{replayed} replayed deliveries of {webhook} went after {before} and {live} live ones"
                        )
                    })?;
                }
            }
            match self.live_in_a_row.get(&webhook).copied() {
                _ if replayed > 0 => {
                    // As many came after it at most.
                    self.live_in_a_row.insert(webhook, live);
                }
                Some(before) => {
                    self.live_in_a_row.insert(webhook, before + live);
                }
                None => {}
            }
            // What a replay has under way may be as much as it may have.
            let is_ahead =
                |known: &Known| known.state == State::Leased && !known.claimed && known.is_replayed;
            let must_have_gone = waits_live && waits_replayed && !self.deliveries.values().any(is_ahead);
            let in_a_row = self.live_in_a_row.get(&webhook).copied().unwrap_or_default();
            expect(!must_have_gone || in_a_row <= LIVE_IN_A_ROW_MAX, || {
                format!("{in_a_row} live deliveries of {webhook} were leased while a replayed one waited")
            })?;
            if !waits_replayed {
                self.live_in_a_row.entry(webhook).and_modify(|in_a_row| *in_a_row = (*in_a_row).min(3));
            }
            if live > 0 && waits_replayed {
                self.reached.insert("a live delivery went before a replayed one");
            }
        }
        Ok(())
    }

    /// What was given up before its time is counted, for whoever asks what is missing.
    fn check_aged(&mut self, store: &Native) -> Result<(), Violation> {
        let rows = query(store, "SELECT aged FROM meta", &[])?;
        let stored = rows.first().ok_or("no project")?.text_or_none(0).map_err(damaged)?;
        let stored: serde_json::Value =
            serde_json::from_str(stored.unwrap_or("{}")).map_err(|error| error.to_string())?;
        let aged: Aged = serde_json::from_value(stored["aged"].clone()).unwrap_or_default();
        let (deliveries, answers) =
            (std::mem::take(&mut self.aged_deliveries), std::mem::take(&mut self.aged_answers));
        let deleted = std::mem::take(&mut self.deleted);
        // What is old enough to go may go either way.
        let follows = |before: &Aged| {
            let counted = before.deliveries + deliveries..=before.deliveries + deleted;
            counted.contains(&aged.deliveries) && aged.answers == before.answers + answers
        };
        // It starts anew where all of it would be gone by now.
        expect(follows(&self.aged) || follows(&Aged::default()) || self.was_set, || {
            format!("{deliveries} deliveries and {answers} answers were given up: {:?}, {aged:?}", self.aged)
        })?;
        if deliveries > 0 {
            self.reached.insert("deliveries were given up before their time");
        }
        self.aged = aged;
        Ok(())
    }

    /// A replay has sent again what it came by, as far as it asks for that.
    fn check_passed_by(&mut self, store: &Native, replay: i64) -> Result<(), Violation> {
        let rows = query(
            store,
            "SELECT cursor, state, query FROM replay WHERE seq = ?1",
            &[Value::Integer(replay)],
        )?;
        let row = rows.first().ok_or("no replay")?;
        let (cursor, state) = (row.integer(0).map_err(damaged)?, row.text(1).map_err(damaged)?);
        let stored = row.text(2).map_err(damaged)?;
        let stored: serde_json::Value = serde_json::from_str(stored).map_err(|error| error.to_string())?;
        let asked: ReplayQuery =
            serde_json::from_value(stored["query"].clone()).map_err(|error| error.to_string())?;
        let before = self.cursors.insert(replay, cursor);
        if asked.missing || asked.since.is_some() || asked.until.is_some() {
            return Ok(());
        }
        let to = if state == "done" { replay } else { cursor };
        let of_webhook = stored["webhook"].as_i64();
        let from = before.map_or(0, |before| before + 1);
        let range = self.deliveries.range(from..from.max(to + 1));
        // Those that are deleted have no end any more.
        for (key, known) in range.filter(|(key, _known)| self.ended.contains_key(key)) {
            let kind = self.events.get(&known.event).map_or("", |event| &event.kind);
            let is_meant = known.state.is_final()
                && of_webhook.is_none_or(|webhook| webhook == known.webhook)
                && self.hooks.contains_key(&known.webhook)
                && asked.states.contains(&known.state)
                && asked.takes_type(kind);
            expect(!is_meant, || {
                format!(
                    "replay {replay} ({state}, {before:?} to {cursor}, {stored}) came by {key} and left it: {known:?}"
                )
            })?;
        }
        Ok(())
    }

    /// No webhook waits that could be called.
    fn check_free(&self, now_ms: i64) -> Result<(), Violation> {
        for (webhook, free) in &self.free {
            let is_limited = self.hooks.get(webhook).is_some_and(|hook| hook.definition.rate_limit.is_some());
            let is_soon = is_limited
                || self.was_set
                || now_ms - free.from_ms.max(self.excused_until_ms) <= LEASED_SOON_MS;
            expect(is_soon && now_ms - free.from_ms <= LEASED_WITHIN_MS, || {
                let begun = self.begun.get(webhook);
                format!(
                    "webhook {webhook} could be called from {free:?} on and was not until {now_ms}: {begun:?} began"
                )
            })?;
        }
        Ok(())
    }

    /// From when on webhooks can get a lease, as things stand.
    fn note_free(&mut self, step: Step) {
        for (webhook, hook) in self.hooks.iter() {
            let health = self.health.get(webhook).copied().unwrap_or_default();
            match self.free_from_ms_of(*webhook, &hook.definition, &health, step.now_ms) {
                Some(from_ms) => {
                    let free = self.free.entry(*webhook).or_insert(Free { from_ms, health });
                    // It may have been known before, and nothing was leased since.
                    let is_as_before = free.health == health;
                    let from_ms = if is_as_before { from_ms.min(free.from_ms) } else { from_ms };
                    *free = Free { from_ms, health };
                }
                None => {
                    self.free.remove(webhook);
                }
            }
        }
        let hooks = Rc::clone(&self.hooks);
        self.free.retain(|webhook, _free| hooks.contains_key(webhook));
    }

    /// Webhooks take turns: none is served in two rounds while another one could be called in both and was
    /// served in neither. `could` are those that could be called before this round.
    fn check_turns(&mut self, could: &BTreeSet<i64>) -> Result<(), Violation> {
        let served = std::mem::take(&mut self.served);
        self.passed_by.retain(|webhook, _by| could.contains(webhook) && !served.contains_key(webhook));
        for webhook in could.iter().filter(|webhook| !served.contains_key(webhook)) {
            // What this round changed may be why.
            if !self.free.contains_key(webhook) {
                self.passed_by.remove(webhook);
                continue;
            }
            for (other, _is_held) in served.iter().filter(|(_other, is_held)| **is_held) {
                let is_first = self.passed_by.entry(*webhook).or_default().insert(*other);
                expect(is_first, || {
                    let free = self.free.get(webhook);
                    format!(
                        "webhook {other} was served in two rounds while {webhook} waited for its turn: {free:?}"
                    )
                })?;
                self.reached.insert("a webhook waited for its turn");
            }
        }
        Ok(())
    }

    /// Webhooks that can be called now, as things stand, and that no rate limit slows down.
    fn free_now(&self, now_ms: i64) -> BTreeSet<i64> {
        let is_unlimited =
            |webhook: &i64| self.hooks.get(webhook).is_some_and(|hook| hook.definition.rate_limit.is_none());
        let free = self.free.iter().filter(|(webhook, free)| free.from_ms <= now_ms && is_unlimited(webhook));
        free.map(|(webhook, _free)| *webhook).collect()
    }

    /// When a webhook may be called with a held delivery; `None` where there is none to lease, or something
    /// else than time keeps it.
    fn free_from_ms_of(
        &self,
        webhook: i64,
        definition: &Definition,
        health: &Health,
        now_ms: i64,
    ) -> Option<i64> {
        if !definition.enabled || definition.paused {
            return None;
        }
        let of_webhook = || self.deliveries.values().filter(|known| known.webhook == webhook);
        if !of_webhook().any(|known| known.parked == HELD) {
            return None;
        }
        let leased = of_webhook().filter(|known| known.state == State::Leased).count();
        // The call of a delivery that has ended has its place until it is reported, or was not in time.
        let goes_on = |known: &&Known| {
            known.state.is_final() && known.claimed && known.attempts.len() < known.attempt as usize
        };
        // Likewise that of one that was sent again meanwhile.
        let is_beside = |((key, number), (of, until_ms)): &(&(i64, u32), &(i64, i64))| {
            let known = self.deliveries.get(key);
            *of == webhook
                && *until_ms > now_ms
                && !known.is_some_and(|known| known.is_called_as(*number) || goes_on(&known))
        };
        let beside = self.claims.iter().filter(is_beside).count();
        let used = leased + of_webhook().filter(goes_on).count() + beside;
        let limits = [definition.concurrency_limit, health.at_once, (health.level > 0).then_some(1)];
        let limit = limits.into_iter().flatten().min().unwrap_or(AT_ONCE_MAX);
        if used >= limit as usize {
            return None;
        }
        let is_well = health.level == 0 && health.at_once.is_none();
        let from_ms =
            health.next_call_at.filter(|_at| health.level > 0).map_or(now_ms, |at| at.0.max(now_ms));
        let Some(rate) = definition.rate_limit else { return Some(from_ms) };
        if !is_well {
            return None;
        }
        // A ticket that nobody has claimed has its slot.
        let tickets = of_webhook().filter(|known| known.state == State::Leased && !known.claimed).count();
        let slots = (rate.calls as usize).checked_sub(tickets).filter(|slots| *slots > 0)?;
        let begun = self.begun.get(&webhook).map_or(&[][..], Vec::as_slice);
        // The last one that has to leave the window; none, where there are fewer calls than slots.
        let leaves = begun.len().checked_sub(slots).and_then(|at| begun.get(at));
        Some(leaves.map_or(now_ms, |(at_ms, _delivery)| now_ms.max(at_ms + i64::from(rate.per_s) * 1_000)))
    }

    /// What is behind has an older open one with its order key before it, or another one that is leased.
    fn check_order(&self) -> Result<(), Violation> {
        for (key, known) in self.deliveries.iter().filter(|(_key, known)| known.parked == 2) {
            let is_of_key = |other: &Known| {
                !other.state.is_final()
                    && other.webhook == known.webhook
                    && other.order_key == known.order_key
            };
            let has_older = self.deliveries.range(..key).any(|(_key, older)| is_of_key(older));
            let is_leased = |other: &Known| other.state == State::Leased && is_of_key(other);
            let has_leased = || self.deliveries.range(key..).any(|(_key, other)| is_leased(other));
            expect(has_older || has_leased(), || format!("delivery {key} is behind nothing: {known:?}"))?;
        }
        Ok(())
    }

    fn read_hooks(&mut self, store: &Native) -> Result<(), Violation> {
        let rows = query(store, "SELECT seq, version FROM webhook ORDER BY seq", &[])?;
        let found = rows
            .iter()
            .map(|row| Ok((row.integer(0)?, row.number(1)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(damaged)?;
        if found.iter().copied().eq(self.hooks.iter().map(|(key, hook)| (*key, hook.version))) {
            return Ok(());
        }
        let stored = definitions(store)?.into_iter().zip(found);
        self.hooks = Rc::new(
            stored.map(|((key, definition), (_key, version))| (key, Hook { version, definition })).collect(),
        );
        for (key, hook) in self.hooks.iter() {
            self.versions.insert((*key, hook.version), hook.definition.clone());
        }
        Ok(())
    }

    /// What a changed definition means for what is known.
    fn notice_edits(&mut self, before: &BTreeMap<i64, Hook>, step: Step) {
        let gone: Vec<i64> = before.keys().filter(|key| !self.hooks.contains_key(key)).copied().collect();
        for key in gone {
            self.health.remove(&key);
            self.under_way.remove(&key);
            self.begun.remove(&key);
            self.in_order.retain(|(webhook, _key), _open| *webhook != key);
            self.reached.insert("a webhook was deleted");
        }
        if step.name != "update_webhook" {
            return;
        }
        for (key, hook) in self.hooks.iter() {
            let Some(before) = before.get(key).filter(|before| before.version != hook.version) else {
                continue;
            };
            let (before, after) = (&before.definition, &hook.definition);
            if after.enabled && !before.enabled {
                self.health.remove(key);
            } else if before.paused && !after.paused {
                self.health.entry(*key).and_modify(|health| *health = health.resumed());
            }
            if after.url != before.url {
                self.health.remove(key);
            }
            if after.rate_limit != before.rate_limit {
                self.free.remove(key);
            }
            if after.rate_limit.is_none() {
                self.begun.remove(key);
            }
            if before.ordered && !after.ordered {
                self.in_order.retain(|(webhook, _key), _open| webhook != key);
            }
            let secrets = after.previous_secrets.len();
            for (is_reached, situation) in [
                (after.enabled && !before.enabled, "a webhook was enabled"),
                (!after.paused && before.paused, "a webhook was resumed"),
                (after.paused && !before.paused, "a webhook was paused"),
                (
                    after.rate_limit != before.rate_limit
                        || after.concurrency_limit != before.concurrency_limit,
                    "a limit was edited",
                ),
                (before.ordered && !after.ordered, "an order was given up"),
                (before.url != after.url, "a webhook was moved"),
                (before.name != after.name, "a webhook was renamed"),
                (secrets > before.previous_secrets.len(), "a secret was rotated"),
            ] {
                if is_reached {
                    self.reached.insert(situation);
                }
            }
        }
    }

    fn check_delivery(
        &mut self,
        store: &Native,
        key: i64,
        step: Step,
        expected: &mut Expected,
    ) -> Result<(), Violation> {
        let rows = query(
            store,
            "SELECT event, webhook, state, attempt, made, claimed, attempts, scheduled, parked, offers, order_key, late,
                (SELECT type FROM event WHERE event.seq = delivery.event), (SELECT order_key FROM event WHERE event.seq = delivery.event),
                next_at_ms IS NOT NULL, lease_until_ms IS NOT NULL, resend, next_at_ms
             FROM delivery WHERE seq = ?1",
            &[Value::Integer(key)],
        )?;
        let mut before = self.deliveries.get(&key).cloned();
        let Some(row) = rows.first() else {
            let Some(before) = before else {
                // A transaction that was undone touched it.
                return Ok(());
            };
            let is_meant = step.name == "retention_step" && before.state.is_final();
            self.reached.insert("an old delivery was deleted");
            expect(is_meant, || format!("delivery {key} ({before:?}) is gone after {}", step.name))?;
            let ended_ms = self.ended.remove(&key).map_or(step.now_ms, |(at_ms, _process)| at_ms);
            let kept_ms = i64::from(self.settings.retention_days) * DAY_MS;
            self.deleted += 1;
            self.aged_deliveries += u64::from(step.now_ms - ended_ms < kept_ms);
            // Where the store fills up it is kept for an hour; what is told of that is compared below.
            return expect(self.was_set || step.now_ms - ended_ms >= RECORDS_KEPT_MS, || {
                format!("delivery {key} ended at {ended_ms} and is gone at {}", step.now_ms)
            });
        };
        let (now, made, scheduled) = read(row, before.as_ref()).map_err(damaged)?;
        let order_key = now.order_key.clone();
        let event = KnownEvent {
            kind: String::from(row.text(12).map_err(damaged)?),
            order_key: row.text_or_none(13).map_err(damaged)?.map(String::from),
        };
        // Bodies of answers go a day after the end, where the store fills up.
        if let Some(before) =
            before.as_mut().filter(|before| step.name == "retention_step" && before.attempts != now.attempts)
        {
            let ended_ms = self.ended.get(&key).map_or(step.now_ms, |(at_ms, _process)| *at_ms);
            let is_old = now.state.is_final() && step.now_ms - ended_ms >= ANSWERS_KEPT_MS;
            let is_bare = now
                .attempts
                .iter()
                .flat_map(|attempt| &attempt.response)
                .all(|response| response.body.is_empty());
            expect((is_old || self.was_set) && is_bare, || format!("{key} lost its answers: {now:?}"))?;
            before.attempts = without_answers(&before.attempts);
            expect(before.attempts == now.attempts, || format!("{key} lost more than answers: {now:?}"))?;
            self.aged_answers += 1;
            self.reached.insert("answers were given up");
        }

        let said = |what: &str| format!("delivery {key} ({now:?}, before: {before:?}) {what}");
        let hook = self.hooks.get(&now.webhook).map(|hook| &hook.definition);

        // Attempts are numbered 1..n, and only the one in flight may be missing.
        let numbered = now.attempts.iter().zip(1..).all(|(attempt, number)| attempt.number == number);
        expect(numbered && now.attempts.len() == made as usize, || said("has gaps in its attempts"))?;
        let in_flight = now.attempt - made;
        let fits = match now.state {
            State::Leased => in_flight == 1,
            State::Pending => now.attempt == 0,
            State::Waiting => in_flight == 0,
            State::Delivered | State::Dead | State::Cancelled => in_flight <= 1,
        };
        expect(fits, || said("has handed out a number too many or too few"))?;

        // Everything open has a plan, or waits for a gate or an older one; nothing that has ended does.
        let (is_planned, is_inline) = (row.flag(14).map_err(damaged)?, row.flag(15).map_err(damaged)?);
        let is_leased = now.state == State::Leased;
        let has_its_plan = match (now.state.is_final(), now.parked) {
            (true, parked) => parked == 0 && !is_planned && !is_inline && order_key.is_none(),
            (false, 0) => is_planned != is_inline && (is_planned || (is_leased && now.claimed)),
            (false, HELD | HELD_REPLAYED) => !is_leased && !is_planned && !is_inline,
            (false, _) => !is_leased && !is_planned && !is_inline && order_key.is_some(),
        };
        expect(has_its_plan, || said("has no plan, or one after its end"))?;

        // What is on record stays; a lost attempt may give way to the truth.
        let kept = before.as_ref().is_none_or(|before| {
            before.attempts.len() <= now.attempts.len()
                && before
                    .attempts
                    .iter()
                    .zip(now.attempts.iter())
                    .all(|(old, new)| old == new || old.outcome == Outcome::Lost)
        });
        expect(kept, || said("forgot an attempt"))?;
        for attempt in now.attempts.iter().filter(|attempt| attempt.outcome != Outcome::Lost) {
            let sent = self.sent.get(&(key, attempt.number));
            let is_true = sent.is_some_and(|sent| {
                sent.started_at_ms == attempt.started_at.0 && sent.outcome == attempt.outcome
            });
            expect(is_true, || {
                said(&format!("records attempt {} that was not made so: {sent:?}", attempt.number))
            })?;
        }

        let recorded_before = before.as_ref().map_or(0, |before| before.attempts.len());
        let grew = recorded_before < now.attempts.len();
        self.recorded += now.attempts.len() - recorded_before;
        let told_truth = before.as_ref().is_some_and(|before| {
            before.attempts.iter().zip(now.attempts.iter()).any(|(old, new)| old != new)
        });
        let is_operational = is_operational(&event.kind);
        let known_of = |number: usize| {
            before.as_ref().and_then(|before| before.attempts.get(number)).map(|attempt| &attempt.outcome)
        };
        for (number, attempt) in now.attempts.iter().enumerate() {
            // Who sends a cancelled delivery again does not wait for the report of its call.
            if attempt.outcome == Outcome::Lost && known_of(number).is_none() && step.name == "lease_due" {
                self.newly_lost.push((key, attempt.number));
            }
            if attempt.outcome != Outcome::Lost && known_of(number) != Some(&attempt.outcome) {
                let (webhook, attempt) = (now.webhook, attempt.clone());
                expected.news.push(News { webhook, delivery: key, attempt, is_operational });
            }
        }
        if now.state.is_final() && before.as_ref().is_none_or(|before| before.state != now.state) {
            self.ended.insert(key, (step.now_ms, self.starts));
        }
        let came_back =
            before.as_ref().is_some_and(|before| before.state.is_final() && !now.state.is_final());
        if let Some(before) = &before {
            expect(before.event == now.event && before.webhook == now.webhook, || {
                said("changed what it is for")
            })?;
            let was_leased = step.name == "resend" && before.state == State::Leased;
            expect(!was_leased || (now.state == State::Leased && now.attempt == before.attempt), || {
                said("was sent again while it was leased")
            })?;
            let key_of_event = event.order_key.as_ref().filter(|_key| hook.is_some_and(|hook| hook.ordered));
            expect(!came_back || order_key.as_ref() == key_of_event, || {
                said("came back and goes by the wrong order key")
            })?;
            let left_its_end = before.state.is_final() && before.state != now.state;
            let may_leave = self.resent.contains(&key)
                || (step.name == "replay_step" && came_back)
                || (told_truth && now.state == State::Delivered && before.state == State::Dead);
            expect(!left_its_end || may_leave, || said("came back after its end"))?;
            if let Some(replay) = step.replay.filter(|_replay| came_back) {
                let is_first = self.replayed.insert((replay, key));
                expect(is_first, || said("was sent again twice by one replay"))?;
                let wants = replay_wants(store, replay, &event.kind, before.state)?;
                expect(wants, || said("was sent again by a replay that does not want it"))?;
                self.reached.insert("a replay sent again");
            }
        } else {
            expect(self.pairs.insert((now.event, now.webhook)), || {
                said("is the second one of its event and webhook")
            })?;
            let is_late = row.flag(11).map_err(damaged)?;
            expect(is_late == (step.name == "replay_step"), || said("is late, or is not"))?;
            if is_late {
                self.reached.insert("a replay sent what was missing");
            }
            let goes_by = event.order_key.as_ref().filter(|_key| hook.is_some_and(|hook| hook.ordered));
            expect(order_key.as_ref() == goes_by, || said("goes by the wrong order key"))?;
            let waits = |known: &Known| known.webhook == now.webhook && known.parked == HELD;
            if step.name == "ingest" && now.parked == 0 {
                // Those of its own step may be read before it or after it.
                let mut older = self.deliveries.range(..now.event).map(|(_key, known)| known);
                expect(!older.any(waits), || said("goes before others that are held"))?;
            }
            let older = order_key.as_ref().and_then(|order_key| {
                self.in_order.get(&(now.webhook, order_key.clone()))?.first().filter(|first| **first < key)
            });
            expect(older.is_none() || now.parked == 2, || said("does not wait behind an older one"))?;
            if let Some(order_key) = &order_key {
                self.in_order.entry((now.webhook, order_key.clone())).or_default().insert(key);
            }
        }
        if now.state.is_final() || came_back {
            for open in self
                .in_order
                .iter_mut()
                .filter(|((webhook, _key), _open)| *webhook == now.webhook)
                .map(|(_key, open)| open)
            {
                open.remove(&key);
            }
        }
        match now.state {
            State::Delivered => {
                expect(now.attempts.iter().any(took_it), || said("was never taken by its receiver"))?;
            }
            State::Dead if before.as_ref().is_none_or(|before| before.state != State::Dead) => {
                let retries = hook.is_none_or(|webhook| webhook.retry);
                let last = now.attempts.last();
                let is_elsewhere = last.is_some_and(|last| went_elsewhere(hook, last));
                let wish = last
                    .and_then(|last| last.response.as_ref())
                    .and_then(|response| Wish::from_response(Contract::Standard, response))
                    .filter(|wish| !is_elsewhere || *wish != Wish::Disable);
                let is_gone = last.is_some_and(|last| last.outcome == Outcome::Answered { status: 410 });
                let is_exhausted = hook.is_none_or(|hook| scheduled as usize > self.waits(hook).len());
                let is_disabling =
                    is_gone && !is_elsewhere && self.gone_disables(now.webhook, hook, step.now_ms);
                let may_be = last.is_some() && (!retries || is_disabling || wish.is_some() || is_exhausted);
                expect(may_be, || said("was given up too early"))?;
                if !is_operational {
                    expected.told.push((Operational::DeliveryDead, now.webhook));
                }
                for (is_reached, situation) in [
                    (is_gone, "a receiver was gone"),
                    (wish == Some(Wish::Abort), "a receiver wanted no further attempt"),
                    (wish == Some(Wish::Disable), "a receiver wanted to be disabled"),
                    (!retries, "a webhook without retries gave up at once"),
                    (retries && is_exhausted, "a schedule ended"),
                ] {
                    if is_reached {
                        self.reached.insert(situation);
                    }
                }
            }
            State::Leased => {
                let newly = before
                    .as_ref()
                    .is_none_or(|before| before.state != State::Leased || before.attempt != now.attempt);
                // A number that is handed out in the step that loses an attempt is due at once, unless too
                // many were lost in a row, and what was put aside was due.
                let was_due = before.as_ref().is_some_and(|before| before.parked != 0);
                let is_its_time = if grew {
                    lost_in_a_row(&now.attempts) <= LOST_REPEATS_MAX
                } else {
                    self.earliest_ms.get(&key).is_none_or(|earliest_ms| *earliest_ms <= step.now_ms)
                };
                let is_due = was_due || is_its_time;
                expect(!newly || is_due, || said("is leased before its time"))?;
                // One may be held and leased again in the same step, under the same number.
                if step.name == "lease_due" {
                    let (live, replayed) = self.leases.entry(now.webhook).or_default();
                    let was_held = before.as_ref().map(|before| before.parked);
                    *live += u32::from(!now.is_replayed);
                    *replayed += u32::from(was_held == Some(HELD_REPLAYED));
                }
                if newly {
                    self.free.remove(&now.webhook);
                    if self.slept.remove(&now.webhook) {
                        self.reached.insert("a slot of a rate limit came while the object slept");
                    }
                }
            }
            State::Pending | State::Waiting | State::Dead | State::Cancelled => {}
        }
        // A claim leaves its delivery as it was only where it is given back.
        if let Some(before) = before.as_ref().filter(|before| {
            before.state == State::Leased
                && before.claimed
                && !now.state.is_final()
                && !grew
                && now.attempt < before.attempt
        }) {
            let is_meant = step.name == "unclaim";
            expect(is_meant, || said(&format!("lost its claim by {}", step.name)))?;
            let is_called = self.in_flight.contains_key(&(key, before.attempt));
            expect(!is_called, || said("was given back while it is being called"))?;
            self.claimed.remove(&(key, before.attempt));
            self.claims.remove(&(key, before.attempt));
            self.reached.insert("a claim was given back");
        }
        let is_under_way = now.state == State::Leased && now.claimed;
        let was_claimed =
            before.as_ref().is_some_and(|before| before.claimed && before.attempt == now.attempt);
        if let Some(rate) = hook.and_then(|hook| hook.rate_limit).filter(|_rate| is_under_way && !was_claimed)
        {
            let begun = self.begun.entry(now.webhook).or_default();
            begun.push((step.now_ms, key));
            let from_ms = step.now_ms - i64::from(rate.per_s) * 1_000;
            begun.retain(|(at_ms, _delivery)| *at_ms > from_ms);
            expect(begun.len() <= rate.calls as usize, || {
                said(&format!("begins beyond {rate:?}: {begun:?}"))
            })?;
            if begun.len() == rate.calls as usize {
                self.reached.insert("as many calls in a window as allowed");
            }
        }
        if is_under_way && !was_claimed {
            // An inline lease is in no index, and as long as the longest at most.
            let until_ms = row.integer_or_none(17).map_err(damaged)?.unwrap_or(step.now_ms + INLINE_LEASE_MS);
            self.claims.insert((key, now.attempt), (now.webhook, until_ms));
        }
        let is_known = |attempt: &&Attempt| attempt.outcome != Outcome::Lost;
        for attempt in now.attempts.iter().filter(is_known) {
            self.claims.remove(&(key, attempt.number));
        }
        if !is_under_way && let Some(under_way) = self.under_way.get_mut(&now.webhook) {
            under_way.remove(&key);
        }

        let lost = lost_in_a_row(&now.attempts);
        let was = before.as_ref().map(|before| before.state);
        let parked_before = before.as_ref().map_or(0, |before| before.parked);
        let newly_parked = now.parked != 0 && parked_before != now.parked;
        let health = self.health.get(&now.webhook).copied().unwrap_or_default();
        let gate = |rule: bool| newly_parked && matches!(now.parked, HELD | HELD_REPLAYED) && rule;
        let by_cause = |cause| {
            gate(hook.is_some_and(|hook| hook.enabled && !hook.paused) && health.cause == Some(cause))
        };
        let unbound = |hook: &&Definition| hook.enabled && !hook.paused && health.level == 0;
        for (is_reached, situation) in [
            (grew && lost > 0, "an attempt was lost"),
            (grew && lost > LOST_REPEATS_MAX, "attempts were lost in a row"),
            (told_truth, "the truth came late"),
            (
                grew && now.attempts.last().is_some_and(|last| last.outcome.is_our_fault()),
                "a call failed by our own fault",
            ),
            (
                told_truth && was == Some(State::Dead) && now.state == State::Delivered,
                "a late truth revived a delivery",
            ),
            (grew && was.is_some_and(State::is_final), "an attempt was reported after the end"),
            (was.is_none() && now.claimed, "the inline lane was taken"),
            (now.state == State::Dead && was != Some(State::Dead), "a delivery was given up"),
            (now.state == State::Cancelled && was != Some(State::Cancelled), "a delivery was cancelled"),
            (now.state == State::Cancelled && now.claimed, "a delivery was cancelled in flight"),
            (self.resent.contains(&key), "a delivery was sent again"),
            (self.resent.contains(&key) && came_back && scheduled == 0, "a schedule began anew"),
            (gate(hook.is_some_and(|hook| !hook.enabled)), "a delivery waited for a disabled webhook"),
            (
                gate(hook.is_some_and(|hook| hook.enabled && hook.paused)),
                "a delivery waited for a paused webhook",
            ),
            (by_cause(Cause::Failing), "a delivery waited for a failing webhook"),
            (by_cause(Cause::Throttled), "a delivery waited for a throttled webhook"),
            (
                gate(hook.filter(unbound).is_some_and(|hook| hook.rate_limit.is_some())),
                "a delivery waited for a slot of a rate limit",
            ),
            (
                gate(hook.filter(unbound).is_some_and(|hook| hook.concurrency_limit.is_some())),
                "a delivery waited for a call to end",
            ),
            (newly_parked && now.parked == 2, "a delivery waited for an older one"),
            (parked_before == 2 && now.parked != 2, "an order went on"),
            (parked_before == HELD && now.state == State::Leased, "a held delivery was released"),
            (step.name == "claim" && newly_parked, "a ticket came when its gate had closed"),
            (row.number(9).map_err(damaged)? > 1, "a ticket was offered again"),
            (now.state == State::Pending, "state pending"),
            (now.state == State::Leased, "state leased"),
            (now.state == State::Waiting, "state waiting"),
            (now.state == State::Delivered, "state delivered"),
        ] {
            if is_reached {
                self.reached.insert(situation);
            }
        }
        if self.resent.contains(&key) || before.is_none() || came_back {
            self.earliest_ms.insert(key, step.now_ms);
        } else if parked_before != 0 && now.parked == 0 {
            // It was due all the time; a clock that went back does not make it wait.
            let earliest_ms = self.earliest_ms.entry(key).or_insert(step.now_ms);
            *earliest_ms = step.now_ms.min(*earliest_ms);
        } else if grew {
            let waits = hook.map_or(&[][..], |hook| self.waits(hook));
            let (earliest_ms, latest_ms) = span_ms(waits, &now.attempts, scheduled, step.now_ms);
            let planned_ms = row.integer_or_none(17).map_err(damaged)?;
            if let Some(planned_ms) = planned_ms.filter(|_at| now.state == State::Waiting && now.parked == 0)
            {
                expect((earliest_ms..=latest_ms).contains(&planned_ms), || {
                    said(&format!("is planned for {planned_ms}, not between {earliest_ms} and {latest_ms}"))
                })?;
            }
            self.earliest_ms.insert(key, earliest_ms);
        }
        let is_leased_now = step.name == "lease_due" && now.state == State::Leased;
        let was_released = parked_before == HELD && (is_leased_now || now.parked == 2);
        if is_leased_now || was_released {
            *self.served.entry(now.webhook).or_default() |= was_released;
        }
        // One that turned out to be behind another of its order had its turn, too.
        if step.name == "lease_due" && newly_parked && now.parked == 2 {
            self.leases.entry(now.webhook).or_default().0 += 1;
        }
        if step.name == "replay_step" && (before.is_none() || came_back) {
            self.in_replays.insert(key);
        }
        if self.resent.contains(&key) && !now.is_replayed {
            self.in_replays.remove(&key);
        }
        expect(self.in_replays.contains(&key) == now.is_replayed, || said("waits in the wrong line"))?;
        if hook.is_some() {
            let taken = |attempts: &[Attempt]| attempts.iter().filter(|attempt| took_it(attempt)).count();
            let before = before.as_ref().map_or(0, |before| taken(&before.attempts));
            self.taken += taken(&now.attempts).saturating_sub(before);
        }
        self.events.insert(now.event, event);
        self.deliveries.insert(key, now);
        Ok(())
    }

    /// Takes note of the webhooks whose latest attempt was slow or failed. What is told again, or of another
    /// URL, may say anything.
    fn note_ailing(&mut self, reported: &[(i64, u32)], news: &[News]) {
        let is_news =
            |known: &&(i64, u32)| news.iter().any(|news| (news.delivery, news.attempt.number) == **known);
        for (delivery, _number) in reported.iter().filter(|known| !is_news(known)) {
            if let Some(known) = self.deliveries.get(delivery) {
                self.ailing.remove(&known.webhook);
            }
        }
        for News { webhook, attempt, .. } in news {
            let hook = self.hooks.get(webhook).map(|hook| &hook.definition);
            let is_quick = took_it(attempt) && attempt.duration_ms < QUICK_MS;
            let says_nothing = attempt.outcome.is_our_fault() || went_elsewhere(hook, attempt);
            if is_quick || says_nothing || reported.len() > 1 {
                self.ailing.remove(webhook);
            } else {
                self.ailing.insert(*webhook);
            }
        }
        for (delivery, _number) in &self.newly_lost {
            if let Some(known) = self.deliveries.get(delivery) {
                self.ailing.insert(known.webhook);
            }
        }
    }

    /// What the attempts that came on record in this step say of their webhooks.
    fn judge(
        &mut self,
        before: &BTreeMap<i64, Hook>,
        step: Step,
        expected: &mut Expected,
    ) -> Result<(), Violation> {
        for News { webhook, attempt, is_operational, .. } in std::mem::take(&mut expected.news) {
            if !before.get(&webhook).is_some_and(|hook| hook.definition.enabled)
                || expected.disabled.contains(&webhook)
            {
                continue;
            }
            if went_elsewhere(before.get(&webhook).map(|hook| &hook.definition), &attempt) {
                self.reached.insert("a call ended at a URL that its webhook had left");
                continue;
            }
            let response = attempt.response.as_ref();
            let wants_no_more = !took_it(&attempt)
                && response.and_then(|response| Wish::from_response(Contract::Standard, response))
                    == Some(Wish::Disable);
            let definition = before.get(&webhook).map(|hook| &hook.definition);
            let is_gone = attempt.outcome == (Outcome::Answered { status: 410 });
            let is_disabling = is_gone && self.gone_disables(webhook, definition, step.now_ms);
            if is_gone && definition.is_some_and(|definition| definition.confirm_gone) {
                self.reached.insert(if is_disabling {
                    "a second 410 disabled its webhook"
                } else {
                    "a first 410 left its webhook enabled"
                });
            }
            if is_disabling || wants_no_more {
                expected.disabled.insert(webhook);
                expected.told.push((Operational::WebhookDisabled, webhook));
                continue;
            }
            let now = Timestamp(step.now_ms);
            let Some(signal) = Signal::from_outcome(Contract::Standard, &attempt.outcome, response, now)
            else {
                continue;
            };
            let was = self.health.get(&webhook).copied().unwrap_or_default();
            let (health, transitions) = was.after(signal, now);
            check_judged(&was, signal, &health, step.now_ms, self.was_set)?;
            self.health.insert(webhook, health);
            if signal == Signal::Success && was.level > 1 && health.level == was.level - 1 {
                self.reached.insert("a throttled webhook recovered a step");
            }
            if matches!(signal, Signal::Throttled { retry_after_s: Some(_) }) {
                self.reached.insert("a receiver said when to call again");
            }
            if health.level > 1 && health.level > was.level {
                self.reached.insert("a pause doubled");
            }
            for transition in transitions {
                let (kind, situation) = match transition {
                    Transition::Failing => (Operational::WebhookFailing, "a webhook began to fail"),
                    Transition::Recovered => (Operational::WebhookRecovered, "a webhook recovered"),
                    Transition::Throttled => (Operational::WebhookThrottled, "a webhook was throttled"),
                    Transition::DisabledForDays => {
                        self.reached.insert("a webhook failed for five days");
                        let since_ms = health.failing_since.map_or(step.now_ms, |since| since.0);
                        debug_assert!(step.now_ms - since_ms >= DISABLE_AFTER_MS, "the core's rule");
                        expected.disabled.insert(webhook);
                        expected.told.push((Operational::WebhookDisabled, webhook));
                        continue;
                    }
                };
                self.reached.insert(situation);
                if is_operational {
                    self.reached.insert("an operational event caused what is not told");
                } else {
                    expected.told.push((kind, webhook));
                }
            }
        }
        Ok(())
    }

    /// Whether a 410 disables a webhook: the first one does, unless it asks for a second one.
    fn gone_disables(&self, webhook: i64, definition: Option<&Definition>, now_ms: i64) -> bool {
        let first = self.health.get(&webhook).and_then(|health| health.gone_since);
        let asks = definition.is_some_and(|definition| definition.confirm_gone);
        !asks || first.is_some_and(|first| now_ms - first.0 >= GONE_CONFIRM_MS)
    }

    /// Postern disabled the webhooks that it had to, and no others.
    fn check_disabled(
        &self,
        before: &BTreeMap<i64, Hook>,
        step: Step,
        expected: &Expected,
    ) -> Result<(), Violation> {
        for (key, hook) in self.hooks.iter() {
            let was_enabled = before.get(key).is_some_and(|before| before.definition.enabled);
            if expected.disabled.contains(key) {
                expect(!hook.definition.enabled, || {
                    format!("webhook {key} was to be disabled after {}", step.name)
                })?;
            } else if was_enabled && !hook.definition.enabled {
                expect(step.name == "update_webhook", || {
                    format!("webhook {key} was disabled by {} for no reason", step.name)
                })?;
            }
        }
        Ok(())
    }

    /// Each new event has a delivery for exactly the webhooks that want it, and what was to be told is told
    /// once.
    fn check_new_events(
        &mut self,
        store: &Native,
        step: Step,
        mut expected: Expected,
    ) -> Result<(), Violation> {
        let events = query(
            store,
            "SELECT seq, type, deliveries, object, labels, data FROM event WHERE seq > ?1 ORDER BY seq",
            &[Value::Integer(self.last_event)],
        )?;
        for event in &events {
            let (key, kind) = (event.integer(0).map_err(damaged)?, event.text(1).map_err(damaged)?);
            let data = event.text(5).map_err(damaged)?;
            let object: Option<ObjectRef> = event
                .text_or_none(3)
                .map_err(damaged)?
                .map(|text| serde_json::from_str(text).expect("an object reads back"));
            let labels: BTreeMap<String, String> = event
                .text_or_none(4)
                .map_err(damaged)?
                .map_or_else(BTreeMap::new, |text| serde_json::from_str(text).expect("labels read back"));
            let mut subject = None;
            if matches!(kind, "postern.project.aging" | "postern.project.full") {
                expect(matches!(step.name, "ingest" | "watch_fullness"), || {
                    format!("{kind} was told by {}", step.name)
                })?;
                self.aging_told += u32::from(kind == "postern.project.aging");
                self.reached.insert("told: a project fills up");
            } else if is_operational(kind) {
                let data: serde_json::Value =
                    serde_json::from_str(data).map_err(|error| error.to_string())?;
                let at = expected.told.iter().position(|(told, webhook)| {
                    told.as_str() == kind
                        && data.get("webhook").and_then(|name| name.as_str()) == self.name_of(*webhook)
                });
                let at = at.ok_or_else(|| {
                    format!("{kind} was told after {} and nothing of the kind happened: {data}", step.name)
                })?;
                subject = Some(expected.told.swap_remove(at).1);
                self.reached.insert(situation_of(kind));
            } else {
                expect(step.name == "ingest", || format!("event {key} was made by {}", step.name))?;
            }
            let facts = EventFacts::new(kind, object.as_ref(), &labels, data);
            let wants = |(webhook, hook): &(&i64, &Hook)| {
                hook.definition.enabled
                    && subject != Some(**webhook)
                    && filter::matches(&hook.definition, &facts)
            };
            let wanted: Vec<i64> = self.hooks.iter().filter(wants).map(|(webhook, _hook)| *webhook).collect();
            let rows = query(
                store,
                "SELECT webhook FROM delivery WHERE event = ?1 ORDER BY webhook",
                &[Value::Integer(key)],
            )?;
            let found =
                rows.iter().map(|row| row.integer(0)).collect::<Result<Vec<_>, _>>().map_err(damaged)?;
            // One that a later report of the same step disabled was enabled when the event was told.
            let was_enabled = |webhook: &&i64| !expected.disabled.contains(*webhook);
            let is_right = found.iter().filter(was_enabled).eq(wanted.iter().filter(was_enabled));
            expect(is_right, || format!("event {key} is wanted by {wanted:?} and goes to {found:?}"))?;
            expect(event.integer(2).map_err(damaged)? == i64::try_from(found.len()).expect("few"), || {
                format!("event {key} miscounts its deliveries")
            })?;
            if wanted.is_empty() {
                self.reached.insert("an event that nobody wanted was kept");
            }
            if self
                .hooks
                .values()
                .any(|hook| hook.definition.filter.is_some() || !hook.definition.event_labels.is_empty())
            {
                self.reached.insert("labels and data of an event decided");
            }
            if subject.is_some() && !found.is_empty() {
                self.reached.insert("an operational event was delivered");
            }
            self.last_event = key;
        }
        expect(expected.told.is_empty(), || format!("{:?} was not told after {}", expected.told, step.name))
    }

    fn name_of(&self, webhook: i64) -> Option<&str> {
        self.hooks.get(&webhook).map(|hook| hook.definition.name.as_str())
    }

    /// A person who asks for a delivery asks for it now: the pause of its webhook ends, if what they asked
    /// was stored.
    fn note_pause_ended(&mut self, store: &Native, step: Step) -> Result<(), Violation> {
        for (key, known) in self.resent.iter().filter_map(|key| Some((key, self.deliveries.get(key)?))) {
            let Some(health) = self.health.get_mut(&known.webhook) else { continue };
            let asked = health.asked_for(Timestamp(step.now_ms));
            let statement = "SELECT 1 FROM delivery WHERE seq = ?1 AND resend = 1 AND parked = 0 AND next_at_ms = ?2 AND updated_at_ms = ?2";
            let is_stored =
                !query(store, statement, &[Value::Integer(*key), Value::Integer(step.now_ms)])?.is_empty();
            if is_stored && asked != *health {
                *health = asked;
                self.reached.insert("a person ended a pause");
            }
        }
        Ok(())
    }

    /// The stored health is what the attempts say.
    fn check_health(&self, store: &Native) -> Result<(), Violation> {
        let rows = query(store, "SELECT webhook, health FROM webhook_health ORDER BY webhook", &[])?;
        let mut stored = BTreeMap::new();
        for row in &rows {
            let health: Health =
                serde_json::from_str(row.text(1).map_err(damaged)?).map_err(|error| error.to_string())?;
            stored.insert(row.integer(0).map_err(damaged)?, health);
        }
        let known: BTreeMap<i64, Health> = self
            .health
            .iter()
            .filter(|(_key, health)| !health.is_plain())
            .map(|(key, health)| (*key, *health))
            .collect();
        expect(stored == known, || {
            format!("the health of the webhooks is {known:?} and stored is {stored:?}")
        })
    }

    /// A dispatcher was given this attempt; `inline` with the event itself.
    pub(crate) fn claim(&mut self, work: &Work, inline: bool, now_ms: i64) -> Result<(), Violation> {
        let (key, webhook) = (work.delivery.0, work.webhook.0);
        let said = |what: &str| format!("attempt {} of {key} was given out {what}", work.attempt);
        expect(self.claimed.insert((key, work.attempt)), || said("twice"))?;
        let known = self.deliveries.get(&key).ok_or_else(|| said("and does not exist"))?;
        let fits = known.state == State::Leased
            && known.claimed
            && known.attempt == work.attempt
            && known.webhook == webhook;
        expect(fits, || said("and is not to be made"))?;
        let hook = self.hooks.get(&webhook).ok_or_else(|| said("and its webhook is gone"))?;
        let definition = &hook.definition;
        expect(definition.enabled && !definition.paused, || said("while its webhook takes no calls"))?;
        expect(hook.version == work.webhook_version, || said("for a version that is not current"))?;
        let left_ms = work.lease_until.0 - now_ms - i64::from(work.timeout_s) * 1_000;
        expect(left_ms >= CLAIM_SLACK_MS, || said(&format!("with {left_ms} ms beside its timeout")))?;
        let health = self.health.get(&webhook).copied().unwrap_or_default();
        let going_on = self.going_on(webhook, now_ms);
        let under_way = self.under_way.entry(webhook).or_default();
        under_way.insert(key);
        let calls = under_way.len() + going_on.len();
        if inline {
            let is_plain = definition.rate_limit.is_none()
                && definition.concurrency_limit.is_none()
                && !definition.ordered;
            let is_well = health.level == 0 && health.at_once.is_none() && health.failures_in_a_row == 0;
            expect(is_plain && is_well, || {
                said(&format!("inline although its webhook has rules or does not do well: {health:?}"))
            })?;
            expect(!self.ailing.contains(&webhook), || {
                said("inline after an attempt that failed or was slow")
            })?;
            let waits = |known: &Known| known.webhook == webhook && known.parked == HELD;
            expect(!self.deliveries.values().any(waits), || said("inline before others that are held"))?;
        }
        if let Some(at_once) = health.at_once {
            expect(calls <= at_once as usize, || {
                said(&format!("beyond {health:?} after an outage: {under_way:?} and {going_on:?}"))
            })?;
            self.reached.insert("a webhook was opened step by step");
        }
        if health.level > 0 {
            let is_time = health.next_call_at.is_none_or(|at| at.0 <= now_ms);
            expect(is_time && calls == 1, || {
                said(&format!("at {now_ms} while {health:?} and {under_way:?}, {going_on:?} are under way"))
            })?;
            self.reached.insert("a webhook was probed");
        }
        if let Some(limit) = definition.concurrency_limit {
            expect(calls <= limit as usize, || {
                said(&format!("beyond {limit} at once: {under_way:?} and {going_on:?}"))
            })?;
            if calls == limit as usize {
                self.reached.insert("as many calls at once as allowed");
            }
            if !going_on.is_empty() {
                self.reached.insert("a call of an ended delivery had its place");
            }
        }
        let order_key = self.events.get(&known.event).and_then(|event| event.order_key.clone());
        if let Some(open) = order_key.and_then(|order_key| self.in_order.get(&(webhook, order_key)))
            && open.contains(&key)
        {
            expect(open.first() == Some(&key), || {
                said(&format!("before older ones of its order: {open:?}"))
            })?;
        }
        if let Some(order_key) = &known.order_key {
            let mut others = self.deliveries.iter().filter(|(other, of)| {
                **other != key
                    && of.is_called()
                    && of.webhook == webhook
                    && of.order_key.as_ref() == Some(order_key)
            });
            expect(others.next().is_none(), || said("beside another one of its order"))?;
        }
        let message_id = self.message_ids.entry(key).or_insert_with(|| work.message_id.clone());
        expect(*message_id == work.message_id, || {
            format!("{key} has the webhook-ids {message_id} and {}", work.message_id)
        })
    }

    /// Calls of a webhook under way whose deliveries have ended, or go on with another number, as far as the
    /// ledger can know of them.
    fn going_on(&self, webhook: i64, now_ms: i64) -> Vec<(i64, u32)> {
        let of_webhook = self.in_flight.iter().filter(|((key, number), call)| {
            let is_current = self.deliveries.get(key).is_some_and(|known| known.is_called_as(*number));
            call.webhook == webhook && !is_current && !call.is_forgotten && call.lease_until_ms > now_ms
        });
        let calls = of_webhook.map(|(call, _of)| *call);
        if self.was_set { Vec::new() } else { calls.collect() }
    }

    /// A call starts at its receiver: no other one of its delivery is under way, unless a person asked for
    /// it or nobody can know what time it is.
    pub(crate) fn call_began(&mut self, work: &Work, clock_was_set: bool) -> Result<(), Violation> {
        let key = work.delivery.0;
        let is_second = self.is_in_flight(key);
        // Its delivery may have ended before it began.
        let is_current = self.deliveries.get(&key).is_some_and(|known| known.is_called_as(work.attempt));
        let ended_in = self.ended.get(&key).map(|(_at_ms, process)| *process);
        let is_forgotten = !is_current && ended_in.is_some_and(|process| process < self.starts);
        let call = Call { webhook: work.webhook.0, lease_until_ms: work.lease_until.0, is_forgotten };
        self.in_flight.insert((key, work.attempt), call);
        let is_asked = self.asked.contains(&key) || self.cancelled.contains(&key) || clock_was_set;
        expect(!is_second || is_asked, || format!("delivery {key} is called while it is being called"))
    }

    /// Nothing is late before this instant.
    pub(crate) const fn excused_until_ms(&self) -> i64 {
        self.excused_until_ms
    }

    /// The state of a delivery.
    pub(crate) fn state(&self, key: i64) -> Option<State> {
        self.deliveries.get(&key).map(|known| known.state)
    }

    /// Whether this attempt is leased and nobody has claimed it.
    pub(crate) fn is_unclaimed(&self, key: i64, number: u32) -> bool {
        self.deliveries
            .get(&key)
            .is_some_and(|known| known.state == State::Leased && known.attempt == number && !known.claimed)
    }

    fn is_in_flight(&self, key: i64) -> bool {
        self.in_flight.range((key, 0)..=(key, u32::MAX)).next().is_some()
    }

    /// A call has ended, or was cut off.
    pub(crate) fn call_ended(&mut self, call: (i64, u32)) {
        self.in_flight.remove(&call);
    }

    /// Deliveries that are claimed, and those that have ended of which a younger one with the same order key
    /// is claimed: what a person may meddle with.
    pub(crate) fn called(&self) -> (Vec<i64>, Vec<i64>) {
        let claimed = self.deliveries.iter().filter(|(_key, known)| known.is_called());
        let called: Vec<i64> = claimed.map(|(key, _known)| *key).collect();
        let of = |key: &i64| {
            let known = self.deliveries.get(key)?;
            Some((known.webhook, self.events.get(&known.event)?.order_key.clone()?))
        };
        let is_before = |key: &i64| {
            let owner = of(key);
            owner.is_some() && called.iter().any(|younger| key < younger && of(younger) == owner)
        };
        let ended = self.deliveries.iter().filter(|(_key, known)| known.state.is_final());
        let older = ended.map(|(key, _known)| *key).filter(is_before).collect();
        (called, older)
    }

    /// Where this delivery is leased and not claimed: its webhook, and an older one of its order that has
    /// ended.
    pub(crate) fn leased_before_claim(&self, key: i64) -> Option<(i64, i64)> {
        let known =
            self.deliveries.get(&key).filter(|known| known.state == State::Leased && !known.claimed)?;
        let order_key = known.order_key.as_ref()?;
        let is_of_order = |other: &Known| {
            let event = self.events.get(&other.event);
            other.webhook == known.webhook
                && event.is_some_and(|event| event.order_key.as_ref() == Some(order_key))
        };
        let mut older = self.deliveries.range(..key).filter(|(_key, other)| other.state.is_final());
        older.find(|(_key, other)| is_of_order(other)).map(|(older, _other)| (known.webhook, *older))
    }

    /// A call reached its receiver.
    pub(crate) fn send(&mut self, work: &Work, sent: Sent) -> Result<(), Violation> {
        let again = self.sent.insert((work.delivery.0, work.attempt), sent);
        expect(again.is_none(), || format!("attempt {} of {} was sent twice", work.attempt, work.delivery.0))
    }

    /// The ledger acknowledged a report: the truth is on record now.
    pub(crate) fn reported(&self, store: &Native, key: i64, number: u32) -> Result<(), Violation> {
        let known = self.deliveries.get(&key);
        let recorded = known.and_then(|known| known.attempts.get(number as usize - 1));
        let is_on_record = recorded.is_some_and(|attempt| attempt.outcome != Outcome::Lost);
        let is_deleted = known.is_some_and(|known| known.state.is_final())
            && query(store, "SELECT 1 FROM delivery WHERE seq = ?1", &[Value::Integer(key)])?.is_empty();
        expect(is_on_record || is_deleted, || {
            format!("the report of attempt {number} of {key} is not on record: {recorded:?}")
        })
    }

    /// An event was acknowledged under `idempotency_key`; `id_of` gives the id of an event.
    pub(crate) fn accept(
        &mut self,
        store: &Native,
        idempotency_key: &str,
        told: &EventAccepted,
        id_of: impl Fn(Seq) -> String,
    ) -> Result<(), Violation> {
        let EventAccepted { id, deliveries, duplicate: is_duplicate } = told;
        let Some(known) = self.accepted.get_mut(idempotency_key) else {
            let rows = query(
                store,
                "SELECT seq, (SELECT count(*) FROM delivery WHERE event = e.seq) FROM event AS e WHERE idempotency_key = ?1",
                &[Value::from(idempotency_key)],
            )?;
            if let Some(row) = rows.first() {
                let stored = id_of(row.seq(0).map_err(damaged)?);
                expect(rows.len() == 1 && stored == *id, || {
                    format!("{idempotency_key} is stored as {stored} and was acknowledged as {id}")
                })?;
            }
            let found = rows.first().map_or(Ok(0), |row| row.number(1)).map_err(damaged)?;
            // Who learns of it late may find some of them deleted, or others made by a replay.
            expect(*is_duplicate || found == *deliveries, || {
                format!("{id} was accepted with {deliveries} deliveries and has {found}")
            })?;
            let (first, repeated) =
                if *is_duplicate { (None, Some(*deliveries)) } else { (Some(*deliveries), None) };
            let accepted = Accepted { id: id.clone(), deliveries: first, repeated };
            self.accepted.insert(String::from(idempotency_key), accepted);
            return Ok(());
        };
        self.reached.insert("an event was posted again");
        let before = known.clone();
        if *is_duplicate {
            known.repeated = Some(known.repeated.map_or(*deliveries, |fewest| fewest.min(*deliveries)));
        } else {
            known.deliveries = Some(*deliveries);
        }
        // A replay may have made more meanwhile.
        let is_first = known.deliveries.zip(known.repeated).is_none_or(|(first, repeated)| first <= repeated);
        let is_once = *is_duplicate || before.deliveries.is_none();
        expect(known.id == *id && is_once && is_first, || {
            format!("{idempotency_key} was accepted as {before:?} and then as {told:?}")
        })
    }

    /// After the faults have ended and everything has settled: what was accepted has ended, and for a reason.
    pub(crate) fn at_the_end(&self, store: &Native, now_ms: i64) -> Result<(), Violation> {
        self.check_free(now_ms)?;
        for (key, known) in &self.deliveries {
            expect(known.state.is_final(), || format!("delivery {key} never ended: {known:?}"))?;
            if known.state == State::Cancelled {
                let is_meant = self.cancelled.contains(key) || !self.hooks.contains_key(&known.webhook);
                expect(is_meant, || format!("delivery {key} was cancelled by nobody: {known:?}"))?;
            }
            if known.state == State::Dead {
                // A person may send again what was taken; then the latest round counts.
                let taken = known.attempts.iter().rposition(took_it);
                let sent_again =
                    known.attempts.iter().rposition(|attempt| attempt.trigger == Trigger::Resend);
                // Of a deleted webhook nobody knows what counts as taken.
                let is_deleted = !self.hooks.contains_key(&known.webhook);
                expect(taken.is_none() || taken < sent_again || is_deleted, || {
                    format!("delivery {key} is dead although it was taken: {known:?}")
                })?;
            }
        }
        for (statement, what) in [
            (
                "SELECT count(*) FROM test WHERE status = 'pending' OR next_at_ms IS NOT NULL",
                "a test never ended",
            ),
            ("SELECT count(*) FROM replay WHERE state = 'running'", "a replay never ended"),
        ] {
            let pending = query(store, statement, &[])?;
            expect(pending.first().is_some_and(|row| row.integer(0) == Ok(0)), || String::from(what))?;
        }
        let counted = query(store, "SELECT coalesce(sum(attempts), 0) FROM stat", &[])?;
        let counted = counted.first().ok_or("a sum has no row")?.integer(0).map_err(damaged)?;
        let recorded = i64::try_from(self.recorded).expect("few");
        expect(counted == recorded, || {
            format!("{recorded} attempts are on record and {counted} are counted")
        })?;
        let delivered = query(store, "SELECT coalesce(sum(delivered), 0) FROM stat", &[])?;
        let delivered = delivered.first().ok_or("a sum has no row")?.integer(0).map_err(damaged)?;
        let taken = i64::try_from(self.taken).expect("few");
        // Which hour counted a lost attempt is not known any more once the clock was set.
        expect(delivered == taken || self.was_set, || {
            format!("{taken} attempts were taken and {delivered} are counted as delivered")
        })
    }
}

/// What a signal must have made of a webhook's health: the core's rules, said again in the few words that
/// nobody may get wrong.
fn check_judged(
    was: &Health,
    signal: Signal,
    health: &Health,
    now_ms: i64,
    clock_was_set: bool,
) -> Result<(), Violation> {
    let said = |what: &str| format!("{was:?} became {health:?} by {signal:?} at {now_ms}, and {what}");
    let is_early = was.next_call_at.is_some_and(|at| now_ms < at.0);
    let next_ms = |health: &Health| health.next_call_at.map(|at| at.0);
    match signal {
        Signal::Success => {
            expect(health.failures_in_a_row == 0, || said("failures are still counted"))?;
            let is_overtaken = is_early && was.cause == Some(Cause::Throttled);
            let is_kept = (health.level, next_ms(health)) == (was.level, next_ms(was));
            expect(!is_overtaken || is_kept, || said("a call of before its pause ended the pause"))?;
            let has_recovered = was.level > 0 && health.level == 0;
            expect(
                !has_recovered || health.at_once.is_some_and(|at_once| at_once <= SLOW_START_FROM),
                || said("it gets everything at once after its outage"),
            )?;
            if let Some(at_once) = was.at_once.filter(|_at_once| was.level == 0) {
                let has_waited = was.at_once_since.is_none_or(|since| now_ms - since.0 >= SLOW_START_STEP_MS);
                let is_opened = health.at_once.is_none_or(|now| now > at_once);
                expect(!is_opened || has_waited || clock_was_set, || said("it opened too soon"))?;
                let most = health.at_once.unwrap_or(AT_ONCE_MAX);
                expect(most <= 2 * at_once, || said("it opened too far"))?;
            }
        }
        Signal::Throttled { .. } => expect(health.level > 0, || said("it is called as before"))?,
        Signal::Failed | Signal::Gone | Signal::Refused => {
            expect(health.failures_in_a_row == was.failures_in_a_row + 1, || said("it was not counted"))?;
            let is_failing = health.failures_in_a_row >= FAILING_AFTER;
            expect(health.level > 0 || !is_failing, || said("it is called as before"))?;
            expect(health.level == was.level || is_failing, || said("it is taken for failing too soon"))?;
            expect(health.at_once <= was.at_once || was.at_once.is_none(), || {
                said("it opened by a failure")
            })?;
        }
    }
    if signal != Signal::Success && health.level > 0 {
        expect(health.level >= was.level && next_ms(health) >= next_ms(was), || {
            said("its pause got shorter")
        })?;
        let paused_ms = next_ms(health).unwrap_or(now_ms) - now_ms;
        expect(is_early || paused_ms >= SPACING_MIN_MS, || said("there is no pause"))?;
    }
    Ok(())
}

/// What it means that an operational event was told.
fn situation_of(kind: &str) -> &'static str {
    match kind {
        "postern.webhook.disabled" => "told: a webhook was disabled",
        "postern.webhook.failing" => "told: a webhook is failing",
        "postern.webhook.recovered" => "told: a webhook recovered",
        "postern.webhook.throttled" => "told: a webhook is throttled",
        _ => "told: a delivery is dead",
    }
}

/// Whether a replay asks for deliveries in this state of events of this type.
fn replay_wants(store: &Native, replay: i64, kind: &str, state: State) -> Result<bool, Violation> {
    let rows = query(store, "SELECT query FROM replay WHERE seq = ?1", &[Value::Integer(replay)])?;
    let text = rows.first().ok_or("no replay")?.text(0).map_err(damaged)?;
    let stored: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let asked: ReplayQuery =
        serde_json::from_value(stored["query"].clone()).map_err(|error| error.to_string())?;
    Ok(asked.takes_type(kind) && asked.states.contains(&state))
}

/// Every stored definition.
fn definitions(store: &Native) -> Result<BTreeMap<i64, Definition>, Violation> {
    let rows = query(store, "SELECT seq, definition FROM webhook ORDER BY seq", &[])?;
    rows.iter()
        .map(|row| {
            let definition =
                serde_json::from_str(row.text(1).map_err(damaged)?).map_err(|error| error.to_string())?;
            Ok((row.integer(0).map_err(damaged)?, definition))
        })
        .collect()
}

/// What the tables say about when something is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The earliest instant at which something open is planned, gates and replays apart.
    pub(crate) earliest_ms: Option<i64>,
    /// Whether a delivery waits for a gate, or a replay is running.
    pub(crate) more: bool,
}

/// The plan as it follows from the tables alone.
pub(crate) fn plan(store: &Native) -> Result<Plan, Violation> {
    let rows = query(
        store,
        "SELECT min(at), EXISTS (SELECT 1 FROM delivery WHERE parked IN (1, 3)) OR EXISTS (SELECT 1 FROM replay WHERE state = 'running') FROM (
            SELECT coalesce(next_at_ms, lease_until_ms) AS at FROM delivery WHERE state IN ('pending', 'leased', 'waiting') AND parked = 0
            UNION ALL SELECT next_at_ms FROM test WHERE status = 'pending' AND (waiting = 0
                OR (SELECT count(*) FROM test WHERE status = 'pending' AND waiting = 0 AND number > 1) < 6)
            UNION ALL SELECT next_at_ms FROM outbox)",
        &[],
    )?;
    let row = rows.first().ok_or("a minimum has no row")?;
    Ok(Plan { earliest_ms: row.integer_or_none(0).map_err(damaged)?, more: row.flag(1).map_err(damaged)? })
}

fn read(row: &Row, before: Option<&Known>) -> Result<(Known, u32, u32), LedgerError> {
    let stored = row.text(6)?;
    let (record, attempts) = match before.filter(|before| *before.record == *stored) {
        Some(before) => (Rc::clone(&before.record), Rc::clone(&before.attempts)),
        None => (Rc::from(stored), attempts_in(stored)),
    };
    let known = Known {
        event: row.integer(0)?,
        webhook: row.integer(1)?,
        state: State::parse(row.text(2)?).expect("a state reads back"),
        attempt: row.number(3)?,
        claimed: row.flag(5)?,
        parked: row.number(8)?,
        is_replayed: row.number(16)? & 2 != 0,
        order_key: row.text_or_none(10)?.map(String::from),
        record,
        attempts,
    };
    Ok((known, row.number(4)?, row.number(7)?))
}

fn attempts_in(record: &str) -> Rc<[Attempt]> {
    record.lines().map(|line| serde_json::from_str(line).expect("an attempt reads back")).collect()
}

/// Attempts without the bodies of their answers, as ageing leaves them.
fn without_answers(attempts: &[Attempt]) -> Rc<[Attempt]> {
    let bare = |attempt: &Attempt| {
        let mut attempt = attempt.clone();
        if let Some(response) = attempt.response.as_mut().filter(|response| !response.body.is_empty()) {
            response.body.clear();
            response.body_is_base64 = false;
            response.truncated = true;
        }
        attempt
    };
    attempts.iter().map(bare).collect()
}

const fn took_it(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Answered { status: 200..=299 })
}

/// Attempts at the end that were lost.
fn lost_in_a_row(attempts: &[Attempt]) -> usize {
    attempts.iter().rev().take_while(|attempt| attempt.outcome == Outcome::Lost).count()
}

/// Between which instants the next attempt is to follow these, the last of which was recorded at `now_ms`.
/// `waits` are those before the second attempt, the third and so on.
fn span_ms(waits: &[u32], attempts: &[Attempt], scheduled: u32, now_ms: i64) -> (i64, i64) {
    let Some(last) = attempts.last() else { return (now_ms, now_ms) };
    if (1..=LOST_REPEATS_MAX).contains(&lost_in_a_row(attempts)) {
        return (now_ms, now_ms);
    }
    let our_faults = attempts.iter().rev().take_while(|attempt| attempt.outcome.is_our_fault()).count();
    if our_faults > 0 {
        let at_ms = now_ms + (30_000 << (our_faults - 1).min(16)).min(3_600_000);
        return (at_ms, at_ms);
    }
    let wait_s = (scheduled as usize).checked_sub(1).and_then(|at| waits.get(at)).copied().unwrap_or(0);
    let varied_ms = |percent: u32| i64::from(wait_s) * i64::from(percent) * 10;
    let asked = last
        .response
        .iter()
        .flat_map(|response| &response.headers)
        .find(|(name, _value)| name == "Retry-After");
    let asked_ms = asked.map_or(0, |(_name, value)| value.parse::<i64>().expect("seconds") * 1_000);
    let (shortest_ms, longest_ms) = (varied_ms(100 - JITTER_PERCENT), varied_ms(100 + JITTER_PERCENT));
    (now_ms + shortest_ms.max(asked_ms), now_ms + longest_ms.max(asked_ms))
}
