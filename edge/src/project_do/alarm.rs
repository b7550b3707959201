//! The project's only clock: one alarm that goes on with replays, leases what is due, hands it to the queues, publishes to
//! KV, and deletes what is old. Each of these is bounded in one alarm; the next one goes on.
//!
//! It never fails: an alarm that throws seven times is gone (docs/platform.md 1.3). It arms itself again before it
//! works, so a crash in the middle costs a minute at most, and at its end it is set to exactly what the ledger says
//! comes next.

use std::cell::Cell;

use futures_util::StreamExt as _;
use postern_ledger::{Lane, LeaseTicket, OutboxEntry};
use worker::Env;

use super::answer;
use super::changes::Changes;
use super::object::Project;
use crate::dispatch::Dispatcher;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};
use crate::queue::{self, Message};
use crate::{clock, config, definition_kv};

/// When the alarm rings again if it breaks off in the middle.
const WATCH_MS: i64 = 60_000;
/// Deliveries that are leased at once: five message batches. More than that is leased in the next round.
const LEASE_MAX: u32 = 500;
/// Rounds of one alarm; the next alarm goes on.
const ROUNDS_MAX: usize = 10;
/// Rows that one step of a replay looks at, and steps of one alarm: fewer than its rounds lease, so that a replay does not
/// run ahead of what can be sent.
const REPLAY_ROWS: u32 = 500;
const REPLAY_STEPS_MAX: usize = 4;
/// Steps of retention in one alarm.
const RETENTION_STEPS_MAX: usize = 4;
/// After a failure the alarm rests for so long: what is due stays due, and would make it ring at once.
const FAILED_REST_MS: i64 = 1_000;
/// Definitions that are published in one alarm, and how many at once.
const PUBLISH_MAX: u32 = 200;
const PUBLISH_AT_ONCE: usize = 6;

impl Project {
    /// The alarm's work. Each step logs its own failure and leaves the rest to the next alarm.
    pub(super) async fn ring(&self) {
        let id = Self::new_id();
        let storage = self.state.storage();
        self.alarm.rang();
        meter::count(Billed::ObjectRequests, 1);
        let has_failed = Cell::new(false);
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            has_failed.set(true);
            log::error(&id, what, &[("error", error)]);
        };

        // 1. Arm again before anything can go wrong.
        let now = clock::now();
        if let Err(error) = self.alarm.no_later_than(&storage, now.plus_ms(WATCH_MS), now).await {
            failed("the alarm could not arm itself; the watchdog will", &log::chain(&error));
        }
        // 2. Go on with replays: what they make due is leased next.
        for _ in 0..REPLAY_STEPS_MAX {
            match self.replay(&id) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    failed("a replay could not go on; it will be tried again", &error);
                    break;
                }
            }
        }
        // 3. Lease what is due and hand it over.
        for _ in 0..ROUNDS_MAX {
            match self.lease_and_send(&id).await {
                Ok(changed) if changed >= LEASE_MAX as usize / 2 => {}
                Ok(_) => break,
                Err(error) => {
                    failed("due deliveries could not be handed over; their leases will end", &error);
                    break;
                }
            }
        }
        // 4. Tests whose call was cut short, or that are to be called again.
        if let Err(error) = self.run_due_tests(&id) {
            failed("due tests could not be run", &error);
        }
        // 4b. Runs whose executor was lost, and callbacks of runs.
        if let Err(error) = self.run_due_runs(&id) {
            failed("due runs could not be looked after", &error);
        }
        // 5. Publish to KV.
        if let Err(error) = self.publish(&id).await {
            failed("definitions could not be published", &error);
        }
        // 6. Delete what is old.
        for _ in 0..RETENTION_STEPS_MAX {
            let now = clock::now();
            match self.with_ledger(|ledger| ledger.retention_step(now)) {
                Ok(Some(true)) => {}
                Ok(_) => break,
                Err(error) => {
                    failed("what is old could not be deleted; it will be tried again", &error);
                    break;
                }
            }
        }
        // 7. Set the alarm to what the ledger says comes next. The ledger knows everything, so a later time is right too.
        let now = clock::now();
        match self.with_ledger(|ledger| answer::wake_at(ledger, now)) {
            Ok(wake) => {
                let rest_until = now.plus_ms(if has_failed.get() { FAILED_REST_MS } else { 0 });
                let wake_at = wake.flatten().map(|at| at.max(rest_until));
                if let Err(error) = self.alarm.set_exactly(&storage, wake_at, now).await {
                    failed("the alarm could not be set", &log::chain(&error));
                }
            }
            Err(error) => failed("what comes next could not be read", &error),
        }
    }

    /// Does a step of a replay and tells the live feed; `true`: there was one.
    fn replay(&self, id: &RequestId) -> Result<bool, String> {
        let now = clock::now();
        let Some(step) = self.with_ledger(|ledger| ledger.replay_step(now, REPLAY_ROWS))? else {
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

    /// Leases up to [`LEASE_MAX`] deliveries, tells the live feed and sends the tickets. Gives how many deliveries changed:
    /// some may have been put aside.
    async fn lease_and_send(&self, id: &RequestId) -> Result<usize, String> {
        let now = clock::now();
        let Some((project, leased)) =
            self.with_ledger(|ledger| Ok((ledger.project().clone(), ledger.lease_due(now, LEASE_MAX)?)))?
        else {
            return Ok(0);
        };
        let count = leased.changed.len();
        self.tell(id, Changes { deliveries: leased.changed, ..Changes::default() });
        for (binding, lane) in [(config::DELIVERIES, Lane::First), (config::RETRIES, Lane::Retry)] {
            let tickets = leased.tickets.iter().filter(|ticket: &&LeaseTicket| ticket.lane == lane);
            let messages: Vec<_> = tickets
                .map(|ticket| Message { project: project.clone(), ticket: *ticket, hops: 0 })
                .collect();
            queue::send(&self.env, binding, &messages).await.map_err(|error| log::chain(&error))?;
        }
        Ok(count)
    }

    /// Runs tests from here, beside the alarm, whose call was lost or that retry: they are few, and no queue knows them.
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

    /// Takes up lost executors of runs, and makes the calls of runs that nobody makes, from here as with tests.
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

    /// Puts what the outbox holds into KV. What KV refuses stays in the outbox, which says when to try again.
    async fn publish(&self, id: &RequestId) -> Result<(), String> {
        let now = clock::now();
        let Some((project, entries)) =
            self.with_ledger(|ledger| Ok((ledger.project().clone(), ledger.outbox_due(now, PUBLISH_MAX)?)))?
        else {
            return Ok(());
        };
        let puts = entries.into_iter().map(|entry: OutboxEntry| {
            let (env, project): (&Env, _) = (&self.env, &project);
            async move {
                let outcome = definition_kv::publish(env, project, &entry.content).await;
                (entry, outcome)
            }
        });
        let mut puts = futures_util::stream::iter(puts).buffer_unordered(PUBLISH_AT_ONCE);
        while let Some((entry, outcome)) = puts.next().await {
            let now = clock::now();
            self.with_ledger(|ledger| match &outcome {
                Ok(()) => ledger.outbox_done(entry.item, entry.version),
                Err(error) => {
                    log::warn(
                        id,
                        "KV refused a definition; it will be tried again",
                        &[("error", &log::chain(error))],
                    );
                    ledger.outbox_failed(entry.item, entry.version, now)
                }
            })?;
        }
        Ok(())
    }
}
