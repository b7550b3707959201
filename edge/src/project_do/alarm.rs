//! The project's only clock: one alarm that goes on with replays, leases what is due, hands it to the
//! queues, publishes to KV, and deletes what is old. What a ring does, and in which order, is decided by
//! [`Ring`]; here it is driven.
//!
//! It never fails: an alarm that throws seven times is gone (docs/platform.md 1.3).

use std::future::Future;
use std::rc::Rc;

use futures_util::StreamExt as _;
use futures_util::future::{self, Either};
use postern_core::webhook::ProjectName;
use postern_engine::{Rest, Ring, Task, Told, pack};
use postern_ledger::{Lane, LeaseTicket, Ledger, LedgerError, OutboxEntry};
use worker::Env;

use super::changes::Changes;
use super::object::Project;
use super::sql::ObjectSql;
use crate::dispatch::Dispatcher;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};
use crate::queue;
use crate::{clock, config, definition_kv};

/// Definitions that are written to KV at once.
const PUBLISH_AT_ONCE: usize = 6;
/// A publication starts nothing more after so long: the next one may start 60 s after it, and two at once
/// could leave an older definition behind. What is left stays in the outbox.
const PUBLISHES_FOR_MS: i64 = 45_000;
/// KV and queues that have not answered by then have failed, as far as the alarm is concerned.
const PATIENCE_MS: u32 = 10_000;

impl Project {
    /// The alarm's work. Each task logs its own failure and leaves the rest to the next ring.
    pub(super) async fn ring(&self) {
        let id = Self::new_id();
        self.alarm.rang();
        meter::count(Billed::ObjectRequests, 1);
        if let Ok(None) = self.with_ledger(|_ledger| Ok(())) {
            return self.remove_leftovers(&id).await;
        }
        let mut ring = Ring::default();
        loop {
            let Some(task) = ring.next(&mut self.alarm.machine.borrow_mut(), clock::now()) else { return };
            let told = self.do_task(&id, task).await.unwrap_or_else(|(what, error)| {
                log::error(&id, what, &[("error", &error)]);
                Told::Failed
            });
            ring.told(&mut self.alarm.machine.borrow_mut(), told, clock::now());
        }
    }

    /// Does one task of a ring; or says what failed, and how.
    async fn do_task(&self, id: &RequestId, task: Task) -> Result<Told, (&'static str, String)> {
        let now = clock::now();
        let done = |failed: &'static str| move |error: String| (failed, error);
        match task {
            Task::Arm(at) => {
                let armed = self.alarm.no_later_than(&self.state.storage(), at, now).await;
                armed.map_err(|error| {
                    ("the alarm could not arm itself; the watchdog will", log::chain(&error))
                })?;
            }
            Task::Replay(rows) => {
                let is_any = self
                    .replay(id, rows)
                    .map_err(done("a replay could not go on; it will be tried again"))?;
                return Ok(if is_any { Told::More } else { Told::Done });
            }
            Task::Lease(limit) => {
                return self.lease(id, limit).map_err(done("due deliveries could not be leased"));
            }
            Task::Send(tickets) => return Ok(Told::Sent { refused: self.send(id, &tickets).await }),
            Task::Unlease(tickets, due_at) => {
                let given_back = self.with_ledger(|ledger| ledger.unlease(&tickets, due_at, now));
                let changed = given_back.map_err(done("what a queue refused waits for its leases to end"))?;
                self.tell(id, Changes { deliveries: changed.unwrap_or_default(), ..Changes::default() });
            }
            Task::Tests => self.run_due_tests(id).map_err(done("due tests could not be run"))?,
            Task::Runs => self.run_due_runs(id).map_err(done("due runs could not be continued"))?,
            Task::Publish(limit) => {
                self.publish(id, limit).map_err(done("definitions could not be published"))?;
            }
            Task::Retain => {
                let step = self.with_ledger(|ledger| ledger.retention_step(now));
                let step = step.map_err(done("old data could not be deleted; it will be tried again"))?;
                return Ok(if step == Some(true) { Told::More } else { Told::Done });
            }
            Task::Plan(rest) => {
                let wake = self.with_ledger(|ledger| self.alarm.wake_at(ledger, rest, now));
                let wake = wake.map_err(done("the time of the next work could not be read"))?;
                // The ledger knows everything, so a later time is right too.
                let set = self.alarm.set_exactly(&self.state.storage(), wake.flatten(), now).await;
                set.map_err(|error| ("the alarm could not be set", log::chain(&error)))?;
            }
        }
        Ok(Told::Done)
    }

    /// Does a step of a replay and tells the live feed; `true`: there was one.
    fn replay(&self, id: &RequestId, rows: u32) -> Result<bool, String> {
        let now = clock::now();
        let Some(step) = self.with_ledger(|ledger| ledger.replay_step(now, rows))? else {
            return Ok(false);
        };
        let is_any = step.replay.is_some();
        self.tell(
            id,
            Changes {
                deliveries: step.changed,
                replays: step.replay.into_iter().collect(),
                ..Changes::default()
            },
        );
        Ok(is_any)
    }

    /// Leases up to `limit` deliveries and tells the live feed.
    fn lease(&self, id: &RequestId, limit: u32) -> Result<Told, String> {
        let now = clock::now();
        let leased = self.with_ledger(|ledger| ledger.lease_due(now, limit))?.unwrap_or_default();
        let changed = leased.changed.len();
        self.tell(id, Changes { deliveries: leased.changed, ..Changes::default() });
        Ok(Told::Leased { changed, tickets: leased.tickets })
    }

    /// Sends tickets to the queues of their lanes, to both at once; gives those that were refused.
    async fn send(&self, id: &RequestId, tickets: &[LeaseTicket]) -> Vec<LeaseTicket> {
        let Ok(Some(project)) = self.with_ledger(|ledger| Ok(ledger.project().clone())) else {
            return tickets.to_vec();
        };
        let lane = async |binding, lane| {
            let messages = pack(&project, tickets, lane, 0);
            // What a queue has taken without saying so comes twice, and is claimed once.
            let (sent, error) = match in_time(queue::send(&self.env, binding, &messages)).await {
                Some(Ok(())) => return Vec::new(),
                Some(Err(refused)) => (refused.sent, log::chain(&refused.error)),
                None => (0, String::from("it does not answer")),
            };
            log::warn(id, "a queue refused tickets; they will be offered again", &[("error", &error)]);
            messages.into_iter().skip(sent).flat_map(|message| message.tickets).collect::<Vec<_>>()
        };
        let (mut refused, retries) =
            future::join(lane(config::DELIVERIES, Lane::First), lane(config::RETRIES, Lane::Retry)).await;
        refused.extend(retries);
        refused
    }

    /// Runs tests from here, beside the alarm, whose call was lost or that retry: they are few, and no
    /// queue knows them.
    fn run_due_tests(&self, id: &RequestId) -> Result<(), String> {
        let now = clock::now();
        let Some((project, due)) =
            self.with_ledger(|ledger| Ok((ledger.project().clone(), ledger.due_tests(now)?)))?
        else {
            return Ok(());
        };
        self.tell(id, Changes { tests: due.changed, ..Changes::default() });
        if !due.works.is_empty() {
            let dispatcher = Dispatcher::new(&self.env, id, None).map_err(|fault| fault.to_string())?;
            self.state.wait_until(dispatcher.run_tests(project, due.works));
        }
        Ok(())
    }

    /// Takes up lost executors of runs, and makes the calls of runs that nobody makes, from here as with
    /// tests.
    fn run_due_runs(&self, id: &RequestId) -> Result<(), String> {
        let now = clock::now();
        let Some((project, due)) =
            self.with_ledger(|ledger| Ok((ledger.project().clone(), ledger.due_runs(now)?)))?
        else {
            return Ok(());
        };
        self.tell(id, Changes { runs: due.changed, ..Changes::default() });
        if !due.calls.is_empty() {
            let dispatcher = Dispatcher::new(&self.env, id, None).map_err(|fault| fault.to_string())?;
            self.state.wait_until(dispatcher.run_calls(project, due.calls));
        }
        Ok(())
    }

    /// Puts what the outbox holds into KV, beside the alarm. What KV refuses stays in the outbox, which
    /// says when to try again.
    fn publish(&self, id: &RequestId, limit: u32) -> Result<(), String> {
        let now = clock::now();
        let due =
            self.with_ledger(|ledger| Ok((ledger.project().clone(), ledger.outbox_due(now, limit)?)))?;
        let Some((project, entries)) = due.filter(|(_project, entries)| !entries.is_empty()) else {
            self.alarm.machine.borrow_mut().published();
            return Ok(());
        };
        let (env, id, storage) = (self.env.clone(), id.clone(), self.state.storage());
        let (ledger, alarm) = (Rc::clone(&self.ledger), Rc::clone(&self.alarm));
        self.state.wait_until(async move {
            let puts = entries.into_iter().map(|entry| put(&env, &project, entry));
            let mut puts = futures_util::stream::iter(puts).buffer_unordered(PUBLISH_AT_ONCE);
            while let Some((entry, outcome)) = puts.next().await {
                if let Err(error) = note_published(&mut ledger.borrow_mut(), &id, &entry, outcome) {
                    log::error(&id, "published definitions could not be recorded", &[("error", &error)]);
                }
                if clock::now().ms_since(now) >= PUBLISHES_FOR_MS {
                    break;
                }
            }
            drop(puts);
            alarm.machine.borrow_mut().published();
            let now = clock::now();
            let wake = ledger.borrow().as_ref().map(|ledger| alarm.wake_at(ledger, Rest::None, now));
            if let Some(Ok(Some(wake_at))) = wake {
                alarm.arm(&storage, wake_at, &id).await;
            }
        });
        Ok(())
    }
}

/// Writes one entry of the outbox to KV, within a time.
async fn put(env: &Env, project: &ProjectName, entry: OutboxEntry) -> (OutboxEntry, Result<(), String>) {
    let outcome = match in_time(definition_kv::publish(env, project, &entry.content)).await {
        Some(outcome) => outcome.map_err(|error| log::chain(&error)),
        None => Err(String::from("it does not answer")),
    };
    (entry, outcome)
}

/// What comes of this, where it comes soon enough.
async fn in_time<T>(work: impl Future<Output = T>) -> Option<T> {
    let work = std::pin::pin!(work);
    match future::select(work, clock::sleep(PATIENCE_MS)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(((), _)) => None,
    }
}

/// Tells the outbox what became of one of its entries.
fn note_published(
    ledger: &mut Option<Ledger<ObjectSql>>,
    id: &RequestId,
    entry: &OutboxEntry,
    outcome: Result<(), String>,
) -> Result<(), LedgerError> {
    let Some(ledger) = ledger else { return Ok(()) };
    match outcome {
        Ok(()) => ledger.outbox_done(entry.item, entry.version),
        Err(error) => {
            log::warn(id, "KV refused a definition; it will be tried again", &[("error", &error)]);
            ledger.outbox_failed(entry.item, entry.version, clock::now())
        }
    }
}
