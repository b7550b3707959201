//! A project's alarm: the order of what one ring does, and when the next one comes.
//!
//! One ring goes on with replays, leases what is due, hands it to the queues, runs due tests and runs,
//! publishes to KV and deletes what is old. Each of these is bounded; the next ring goes on. A ring arms
//! the alarm before it works, so a crash in the middle costs a minute at most, and at its end the alarm is
//! set to what the ledger says comes next.
//!
//! Nothing slow stands in its way: publications run beside it, one at a time; both queues are sent to at
//! once, and what one of them refuses is due again after a rest, while the other goes on. How much is
//! handed over follows [`crate::pressure`].

use postern_core::time::Timestamp;
use postern_ledger::LeaseTicket;

use crate::pressure::{Pressure, TicketBounds};

/// When the alarm rings again if a ring breaks off in the middle.
const WATCH_MS: i64 = 60_000;
/// Deliveries that are leased at once: they go in five batches of messages at most.
const LEASE_MAX: usize = 500;
/// Rounds of leasing in one ring.
const ROUNDS_MAX: u32 = 10;
/// Rows that one step of a replay looks at, and steps of one ring.
const REPLAY_ROWS: u32 = 500;
const REPLAY_STEPS_MAX: u32 = 4;
/// Steps of retention in one ring.
const RETENTION_STEPS_MAX: u32 = 4;
/// Definitions that are published at once.
const PUBLISH_MAX: u32 = 200;
/// After a failure the alarm rests for so long: what is due stays due, and would make it ring at once.
/// Likewise while no more tickets may be handed over, unless one is claimed.
const REST_MS: i64 = 1_000;
/// What a queue refused rests for so long after the first refusal; then twice as long each time, up to this.
const REFUSED_REST_MAX_MS: i64 = 30_000;
/// A publication that has taken longer is not waited for.
const PUBLISHING_MAX_MS: i64 = 60_000;

/// What a ring has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Arm the alarm: ring at this time or earlier.
    Arm(Timestamp),
    /// Do a step of a replay that looks at so many rows: [`Told::More`] where there was one.
    Replay(u32),
    /// Lease so many deliveries at most, and tell [`Told::Leased`].
    Lease(u32),
    /// Send these tickets to the queues of their lanes, at once, and tell [`Told::Sent`].
    Send(Vec<LeaseTicket>),
    /// Make these leases due at this time: their queue refused them.
    Unlease(Vec<LeaseTicket>, Timestamp),
    /// Start the tests that are due.
    Tests,
    /// Start what runs need.
    Runs,
    /// Start to publish so many definitions at most, beside the alarm; [`Alarm::published`] when it is over.
    Publish(u32),
    /// Do a step of retention: [`Told::More`] where there is more.
    Retain,
    /// Set the alarm to exactly what [`Alarm::plan`] makes of the ledger's plan, with this rest.
    Plan(Rest),
}

/// How long the alarm rests at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// It does not.
    #[default]
    None,
    /// Something failed.
    Failed,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is done, and there is no more of it.
    Done,
    /// It is done, and there may be more of it.
    More,
    /// It failed.
    Failed,
    /// So many deliveries changed, and these were leased.
    Leased {
        /// All that changed, those put aside among them.
        changed: usize,
        /// What to hand over.
        tickets: Vec<LeaseTicket>,
    },
    /// What the queues refused of the tickets.
    Sent {
        /// To be leased again.
        refused: Vec<LeaseTicket>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Arm,
    Replay,
    Lease,
    Tests,
    Runs,
    Publish,
    Retain,
    Plan,
    Over,
}

/// What is known between rings, in memory.
#[derive(Debug)]
pub struct Alarm {
    pressure: Pressure,
    /// Rings in a row in which a queue refused something.
    refusals: u32,
    /// Since when definitions are being published.
    publishing: Option<Timestamp>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self::new(TicketBounds::PLATFORM)
    }
}

impl Alarm {
    /// With other bounds than the Worker's.
    #[must_use]
    pub fn new(bounds: TicketBounds) -> Self {
        Self { pressure: Pressure::new(bounds), refusals: 0, publishing: None }
    }

    /// Tickets came to be claimed.
    pub fn claimed(&mut self, tickets: &[LeaseTicket], now: Timestamp) {
        self.pressure.claimed(tickets, now);
    }

    /// The publication that was started is over.
    pub const fn published(&mut self) {
        self.publishing = None;
    }

    /// Whether definitions are being published: what else is to be published waits for that.
    #[must_use]
    pub fn is_publishing(&self, now: Timestamp) -> bool {
        // Also where the clock went back.
        self.publishing.is_some_and(|since| (0..PUBLISHING_MAX_MS).contains(&now.ms_since(since)))
    }

    /// Whether no more tickets may be handed over.
    pub fn is_full(&mut self, now: Timestamp) -> bool {
        self.pressure.is_full(now)
    }

    /// When the alarm has to ring, where the ledger has something to do at `planned`.
    pub fn plan(&mut self, planned: Option<Timestamp>, rest: Rest, now: Timestamp) -> Option<Timestamp> {
        let rests = rest == Rest::Failed || self.is_full(now);
        planned.map(|at| if rests { at.max(now.plus_ms(REST_MS)) } else { at })
    }
}

/// One ring.
#[derive(Debug)]
pub struct Ring {
    stage: Stage,
    /// Steps of the stage so far.
    steps: u32,
    has_failed: bool,
    /// Whether the last round leased about as much as it might.
    is_more: bool,
    limit: usize,
    to_send: Vec<LeaseTicket>,
    refused: Vec<LeaseTicket>,
    was_refused: bool,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            stage: Stage::Arm,
            steps: 0,
            has_failed: false,
            is_more: true,
            limit: 0,
            to_send: Vec::new(),
            refused: Vec::new(),
            was_refused: false,
        }
    }
}

impl Ring {
    /// The next task; `None`: the ring is over.
    pub fn next(&mut self, alarm: &mut Alarm, now: Timestamp) -> Option<Task> {
        loop {
            if let Some(task) = self.task(alarm, now) {
                return Some(task);
            }
            if self.stage == Stage::Over {
                return None;
            }
            self.go_on();
        }
    }

    /// The next task of this stage; `None`: it is over.
    fn task(&mut self, alarm: &mut Alarm, now: Timestamp) -> Option<Task> {
        let steps = self.steps;
        let once = |task| (steps == 0).then_some(task);
        let task = match self.stage {
            Stage::Arm => once(Task::Arm(now.plus_ms(WATCH_MS))),
            Stage::Replay => (steps < REPLAY_STEPS_MAX).then_some(Task::Replay(REPLAY_ROWS)),
            Stage::Lease => return self.lease(alarm, now),
            Stage::Tests => once(Task::Tests),
            Stage::Runs => once(Task::Runs),
            Stage::Publish if alarm.is_publishing(now) => None,
            Stage::Publish => once(Task::Publish(PUBLISH_MAX)),
            Stage::Retain => (steps < RETENTION_STEPS_MAX).then_some(Task::Retain),
            Stage::Plan => once(Task::Plan(if self.has_failed { Rest::Failed } else { Rest::None })),
            Stage::Over => None,
        }?;
        if matches!(task, Task::Publish(_)) {
            alarm.publishing = Some(now);
        }
        self.steps += 1;
        Some(task)
    }

    fn lease(&mut self, alarm: &mut Alarm, now: Timestamp) -> Option<Task> {
        if !self.refused.is_empty() {
            let refused = std::mem::take(&mut self.refused);
            alarm.pressure.forget(&refused);
            let doublings = alarm.refusals.min(5);
            let rest_ms = (REST_MS << doublings).min(REFUSED_REST_MAX_MS);
            if !self.was_refused {
                alarm.refusals += 1;
            }
            self.was_refused = true;
            return Some(Task::Unlease(refused, now.plus_ms(rest_ms)));
        }
        if !self.to_send.is_empty() {
            return Some(Task::Send(std::mem::take(&mut self.to_send)));
        }
        let room = alarm.pressure.room(now);
        // After a refusal the next ring goes on: what else this one has to do does not wait for a queue.
        if self.steps >= ROUNDS_MAX || !self.is_more || self.was_refused || alarm.is_full(now) {
            return None;
        }
        self.steps += 1;
        self.limit = room.min(LEASE_MAX);
        Some(Task::Lease(u32::try_from(self.limit).unwrap_or(1)))
    }

    fn go_on(&mut self) {
        self.steps = 0;
        self.stage = match self.stage {
            Stage::Arm => Stage::Replay,
            Stage::Replay => Stage::Lease,
            Stage::Lease => Stage::Tests,
            Stage::Tests => Stage::Runs,
            Stage::Runs => Stage::Publish,
            Stage::Publish => Stage::Retain,
            Stage::Retain => Stage::Plan,
            Stage::Plan | Stage::Over => Stage::Over,
        };
    }

    /// Takes note of what came of the last task.
    pub fn told(&mut self, alarm: &mut Alarm, told: Told, now: Timestamp) {
        match told {
            Told::Leased { changed, tickets } => {
                alarm.pressure.leased(&tickets, now);
                self.is_more = changed >= self.limit / 2;
                self.to_send = tickets;
            }
            Told::Sent { refused } => {
                if refused.is_empty() && !self.was_refused {
                    alarm.refusals = 0;
                }
                self.refused = refused;
            }
            Told::Done if matches!(self.stage, Stage::Replay | Stage::Retain) => self.go_on(),
            Told::More | Told::Done => {}
            Told::Failed => {
                self.has_failed = true;
                match self.stage {
                    Stage::Publish => alarm.publishing = None,
                    Stage::Lease => self.is_more = false,
                    Stage::Replay | Stage::Retain => self.go_on(),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_core::id::Seq;
    use postern_ledger::Lane;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn ticket(delivery: i64, lane: Lane) -> LeaseTicket {
        LeaseTicket { delivery: Seq(delivery), attempt: 1, webhook: Seq(1), lane }
    }

    fn tickets(count: i64) -> Vec<LeaseTicket> {
        (0..count).map(|key| ticket(key, Lane::First)).collect()
    }

    /// What a ring does in words, where each task is answered by `answer`.
    fn ring(alarm: &mut Alarm, mut answer: impl FnMut(&Task) -> Told) -> Vec<String> {
        let mut ring = Ring::default();
        let mut words = Vec::new();
        while let Some(task) = ring.next(alarm, NOW) {
            words.push(match &task {
                Task::Send(tickets) => format!("send {}", tickets.len()),
                Task::Unlease(tickets, due_at) => {
                    format!("unlease {} for {} s", tickets.len(), due_at.ms_since(NOW) / 1_000)
                }
                Task::Arm(at) => format!("arm for {} s", at.ms_since(NOW) / 1_000),
                Task::Lease(limit) => format!("lease {limit}"),
                Task::Replay(_) => String::from("replay"),
                Task::Publish(_) => String::from("publish"),
                other => format!("{other:?}").to_lowercase(),
            });
            let told = answer(&task);
            ring.told(alarm, told, NOW);
        }
        words
    }

    fn idle(task: &Task) -> Told {
        match task {
            Task::Lease(_) => Told::Leased { changed: 0, tickets: Vec::new() },
            Task::Send(_) => Told::Sent { refused: Vec::new() },
            _ => Told::Done,
        }
    }

    #[test]
    fn a_ring_that_finds_nothing_asks_everybody_once() {
        let words = ring(&mut Alarm::default(), idle);
        assert_eq!(
            words,
            ["arm for 60 s", "replay", "lease 500", "tests", "runs", "publish", "retain", "plan(none)"]
        );
    }

    #[test]
    fn each_part_is_bounded() {
        let mut next = 0;
        let words = ring(&mut Alarm::default(), |task| match task {
            // All of it is claimed at once: it takes no room.
            Task::Lease(limit) => {
                next += 1;
                Told::Leased { changed: *limit as usize, tickets: vec![ticket(next, Lane::First)] }
            }
            Task::Send(_) => Told::Sent { refused: Vec::new() },
            _ => Told::More,
        });
        let count = |what: &str| words.iter().filter(|word| word.starts_with(what)).count();
        assert_eq!((count("replay"), count("lease"), count("send"), count("retain")), (4, 10, 10, 4));
    }

    #[test]
    fn what_a_part_fails_in_is_left_and_the_rest_is_done() {
        let words = ring(&mut Alarm::default(), |_task| Told::Failed);
        let expected =
            ["arm for 60 s", "replay", "lease 500", "tests", "runs", "publish", "retain", "plan(failed)"];
        assert_eq!(words, expected);
    }

    #[test]
    fn what_a_queue_refused_is_due_again_after_a_rest_that_doubles() {
        let mut alarm = Alarm::default();
        let refuse = |alarm: &mut Alarm, refuses: bool| {
            let mut leased = false;
            let words = ring(alarm, |task| match task {
                Task::Lease(_) if !std::mem::replace(&mut leased, true) => {
                    Told::Leased { changed: 3, tickets: tickets(3) }
                }
                Task::Send(tickets) if refuses => Told::Sent { refused: tickets[..2].to_vec() },
                task => idle(task),
            });
            words.into_iter().find(|word| word.starts_with("unlease"))
        };
        for expected in ["1 s", "2 s", "4 s", "8 s", "16 s", "30 s", "30 s"] {
            assert_eq!(refuse(&mut alarm, true), Some(format!("unlease 2 for {expected}")));
        }
        assert_eq!(refuse(&mut alarm, false), None);
        assert_eq!(refuse(&mut alarm, true), Some(String::from("unlease 2 for 1 s")));
    }

    #[test]
    fn no_more_is_handed_over_than_is_claimed() {
        let mut alarm = Alarm::default();
        let mut next = 0;
        let mut lease = |task: &Task| match task {
            Task::Lease(limit) => {
                let from = next;
                next += i64::from(*limit);
                Told::Leased {
                    changed: *limit as usize,
                    tickets: (from..next).map(|key| ticket(key, Lane::First)).collect(),
                }
            }
            task => idle(task),
        };
        let words = ring(&mut alarm, &mut lease);
        assert_eq!(words.iter().filter(|word| word.starts_with("lease")).count(), 1, "{words:?}");
        let again = ring(&mut alarm, &mut lease);
        assert!(!again.iter().any(|word| word.starts_with("lease")), "{again:?}");
        assert_eq!(alarm.plan(Some(NOW), Rest::None, NOW), Some(NOW.plus_ms(REST_MS)), "it looks again");
        assert_eq!(alarm.plan(None, Rest::None, NOW), None);
        alarm.claimed(&tickets(300), NOW);
        assert_eq!(alarm.plan(Some(NOW), Rest::None, NOW), Some(NOW), "there is room");
    }

    #[test]
    fn publications_run_one_at_a_time_beside_the_alarm() {
        let mut alarm = Alarm::default();
        let publishes = |alarm: &mut Alarm| ring(alarm, idle).contains(&String::from("publish"));
        assert!(publishes(&mut alarm) && alarm.is_publishing(NOW));
        assert!(!publishes(&mut alarm), "one is under way");
        alarm.published();
        assert!(publishes(&mut alarm));
        assert!(!alarm.is_publishing(NOW.plus_ms(PUBLISHING_MAX_MS)), "one that hangs is not waited for");
        alarm.published();
        ring(&mut alarm, |task| if matches!(task, Task::Publish(_)) { Told::Failed } else { idle(task) });
        assert!(!alarm.is_publishing(NOW), "it was not started");
    }
}
