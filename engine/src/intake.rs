//! Calls of an isolate for one project that travel together: group commit.
//!
//! A call to the object and its commit cost about the same for one event or for fifty. So while one call is
//! under way, what further requests of the isolate bring waits, and goes together in the next call. Nothing
//! waits when nothing is under way. Each request keeps its own answer: only its text travels with others.
//!
//! A request that finds nobody calling is the carrier: it calls with its own and goes on with what came
//! meanwhile, in the part of its invocation that outlives its client. After [`CARRIES_FOR_MS`] whoever comes
//! takes over. Where nobody comes, it goes on itself: unlike reports, which their leases bring back, a
//! request that waits here is never left behind. What a call has in hand is never called with again: an event
//! without a key would be stored twice.

use std::collections::{BTreeMap, VecDeque};

use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;

/// How long a carrier goes on with the calls of others, if somebody comes to go on instead: its invocation
/// ends 30 s after its answer (docs/platform.md 1.4).
const CARRIES_FOR_MS: i64 = 3_000;
/// Who comes while a call has taken longer than this calls for himself and for all who wait.
const STUCK_AFTER_MS: i64 = 2_000;

/// How much travels together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Calls.
    pub calls: usize,
    /// Bytes of their texts. A single call that has more travels alone.
    pub bytes: usize,
}

impl Load {
    /// What the platform's memory and an object's turn bear: a body has at most 256 KiB.
    pub const PLATFORM: Self = Self { calls: 64, bytes: 1024 * 1024 };
}

/// What waits for a project, and who carries.
#[derive(Debug)]
struct Queue<T> {
    /// With the bytes of each.
    waiting: VecDeque<(usize, T)>,
    carrier: Option<Carrier>,
    /// Calls under way, of whichever carrier.
    under_way: usize,
}

/// A request that calls for others.
#[derive(Clone, Copy, Debug)]
struct Carrier {
    number: u64,
    since: Timestamp,
    /// When its last call started.
    called: Timestamp,
}

/// The calls of an isolate that wait for their project. `T` is what the driver needs to send one and to
/// answer it.
#[derive(Debug)]
pub struct Intake<T> {
    load: Load,
    queues: BTreeMap<ProjectName, Queue<T>>,
    /// Rounds so far: names them, also after a queue is gone and another has come.
    rounds: u64,
}

/// The duty to call a project with what waits for it, by [`Intake::next`] until it gives nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Round {
    project: ProjectName,
    number: u64,
}

impl<T> Intake<T> {
    /// Nothing waits.
    #[must_use]
    pub const fn new(load: Load) -> Self {
        Self { load, queues: BTreeMap::new(), rounds: 0 }
    }

    /// Leaves a call of `bytes` for its project. `Some`: the caller must carry, in a part of its invocation
    /// that does not end with its client.
    pub fn enter(&mut self, project: &ProjectName, call: T, bytes: usize, now: Timestamp) -> Option<Round> {
        let empty = || Queue { waiting: VecDeque::new(), carrier: None, under_way: 0 };
        let queue = self.queues.entry(project.clone()).or_insert_with(empty);
        queue.waiting.push_back((bytes, call));
        if queue.carrier.is_some_and(|carrier| now.ms_since(carrier.called) < STUCK_AFTER_MS) {
            return None;
        }
        self.rounds += 1;
        queue.carrier = Some(Carrier { number: self.rounds, since: now, called: now });
        Some(Round { project: project.clone(), number: self.rounds })
    }

    /// The calls to be sent together now, in the order in which they came; then [`Intake::returned`].
    /// Nothing: the round is over.
    pub fn next(&mut self, round: &Round, now: Timestamp) -> Vec<T> {
        let Some(queue) = self.queues.get_mut(&round.project) else { return Vec::new() };
        let carrier = match queue.carrier {
            Some(carrier) if carrier.number == round.number => carrier,
            Some(_) => return Vec::new(),
            // It had let go for whoever would come, and nobody came.
            None => Carrier { number: round.number, since: now, called: now },
        };
        let (mut calls, mut bytes) = (Vec::new(), 0);
        while let Some((more, _call)) = queue.waiting.front()
            && (calls.is_empty() || (calls.len() < self.load.calls && bytes + more <= self.load.bytes))
            && let Some((more, call)) = queue.waiting.pop_front()
        {
            bytes += more;
            calls.push(call);
        }
        if calls.is_empty() {
            queue.carrier = None;
            if queue.under_way == 0 {
                self.queues.remove(&round.project);
            }
            return calls;
        }
        queue.under_way += 1;
        let lets_go = now.ms_since(carrier.since) >= CARRIES_FOR_MS;
        queue.carrier = Some(Carrier { called: now, ..carrier }).filter(|_carrier| !lets_go);
        calls
    }

    /// A call of a round came back, well or not: its requests have been answered.
    pub fn returned(&mut self, round: &Round) {
        if let Some(queue) = self.queues.get_mut(&round.project) {
            queue.under_way = queue.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    fn intake() -> Intake<u32> {
        Intake::new(Load { calls: 3, bytes: 100 })
    }

    fn enter(intake: &mut Intake<u32>, call: u32, ms: i64) -> Option<Round> {
        intake.enter(&project(), call, 10, NOW.plus_ms(ms))
    }

    fn next(intake: &mut Intake<u32>, round: &Round, ms: i64) -> Vec<u32> {
        intake.next(round, NOW.plus_ms(ms))
    }

    #[test]
    fn a_call_goes_at_once_where_none_is_under_way_and_the_others_go_together() {
        let mut intake = intake();
        let round = enter(&mut intake, 1, 0).unwrap();
        assert_eq!(next(&mut intake, &round, 0), [1]);
        assert!(enter(&mut intake, 2, 1).is_none() && enter(&mut intake, 3, 2).is_none());
        intake.returned(&round);
        assert_eq!(next(&mut intake, &round, 3), [2, 3]);
        intake.returned(&round);
        assert!(next(&mut intake, &round, 4).is_empty());
        let again = enter(&mut intake, 4, 5).unwrap();
        assert_ne!(again, round);
        assert_eq!(next(&mut intake, &again, 5), [4]);
    }

    #[test]
    fn a_group_is_bounded_by_calls_and_bytes_and_a_large_call_goes_alone() {
        let mut intake = intake();
        let round = enter(&mut intake, 0, 0).unwrap();
        assert_eq!(next(&mut intake, &round, 0), [0]);
        for call in 1..=5 {
            assert!(enter(&mut intake, call, 1).is_none());
        }
        for (call, bytes) in [(6, 70), (7, 31), (8, 500), (9, 10)] {
            assert!(intake.enter(&project(), call, bytes, NOW).is_none());
        }
        let mut groups = Vec::new();
        loop {
            intake.returned(&round);
            let calls = next(&mut intake, &round, 2);
            if calls.is_empty() {
                break;
            }
            groups.push(calls);
        }
        assert_eq!(groups, [vec![1, 2, 3], vec![4, 5, 6], vec![7], vec![8], vec![9]]);
        assert!(intake.queues.is_empty(), "nothing is kept of a project that is quiet");
    }

    #[test]
    fn whoever_comes_takes_over_from_a_carrier_of_three_seconds_and_else_it_goes_on() {
        let mut intake = intake();
        let first = enter(&mut intake, 1, 0).unwrap();
        assert_eq!(next(&mut intake, &first, 0), [1]);
        assert!(enter(&mut intake, 2, 1).is_none());
        intake.returned(&first);
        assert_eq!(next(&mut intake, &first, CARRIES_FOR_MS), [2], "its last call");
        let second = enter(&mut intake, 3, CARRIES_FOR_MS + 1).unwrap();
        assert_eq!(next(&mut intake, &second, CARRIES_FOR_MS + 1), [3]);
        intake.returned(&first);
        assert!(next(&mut intake, &first, CARRIES_FOR_MS + 2).is_empty());

        let mut intake = self::intake();
        let alone = enter(&mut intake, 1, 0).unwrap();
        assert_eq!(next(&mut intake, &alone, CARRIES_FOR_MS), [1], "it lets go");
        intake.returned(&alone);
        assert!(next(&mut intake, &alone, CARRIES_FOR_MS + 1).is_empty(), "nobody came, nothing waits");
    }

    #[test]
    fn nobody_who_waits_is_left_behind_by_a_carrier_that_let_go() {
        let mut intake = intake();
        let carrier = enter(&mut intake, 0, 0).unwrap();
        assert_eq!(next(&mut intake, &carrier, 0), [0]);
        for call in 1..=5 {
            assert!(enter(&mut intake, call, 1).is_none());
        }
        intake.returned(&carrier);
        assert_eq!(next(&mut intake, &carrier, CARRIES_FOR_MS), [1, 2, 3], "it lets go while two still wait");
        intake.returned(&carrier);
        assert_eq!(next(&mut intake, &carrier, CARRIES_FOR_MS + 5), [4, 5]);
    }

    #[test]
    fn a_stuck_call_keeps_its_own_only() {
        let mut intake = intake();
        let stuck = enter(&mut intake, 1, 0).unwrap();
        assert_eq!(next(&mut intake, &stuck, 0), [1]);
        assert!(enter(&mut intake, 2, 10).is_none());
        let next_one = enter(&mut intake, 3, STUCK_AFTER_MS).unwrap();
        assert_eq!(
            next(&mut intake, &next_one, STUCK_AFTER_MS),
            [2, 3],
            "1 may be stored: it is not sent again"
        );
        intake.returned(&stuck);
        assert!(next(&mut intake, &stuck, STUCK_AFTER_MS + 1).is_empty());
        intake.returned(&next_one);
        assert!(next(&mut intake, &next_one, STUCK_AFTER_MS + 1).is_empty());
        assert!(intake.queues.is_empty());
    }

    #[test]
    fn projects_do_not_wait_for_each_other() {
        let mut intake = intake();
        let other = ProjectName::parse("p2").unwrap();
        assert!(enter(&mut intake, 1, 0).is_some());
        assert!(intake.enter(&other, 2, 10, NOW).is_some());
    }

    /// Requests that come, calls that come back after a while or never, in any order: each request is sent
    /// once, in the order in which they came where no call is stuck, and none is left behind while a call
    /// comes back.
    #[test]
    fn whatever_comes_is_sent_once_and_never_left_behind() {
        for seed in 0..2_000_u64 {
            let mut bits = seed;
            let mut random = |below: u64| {
                bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (bits >> 33) % below
            };
            let (mut intake, mut ms, mut entered) = (intake(), 0, 0);
            let mut sent: Vec<u32> = Vec::new();
            // The rounds whose call is under way, and whether it ever comes back.
            let mut under_way: Vec<(Round, bool)> = Vec::new();
            let mut is_stuck = false;
            let mut drive = |intake: &mut Intake<u32>, round: Round, ms, lost, under_way: &mut Vec<_>| {
                let calls = next(intake, &round, ms);
                assert!(calls.len() <= 3, "seed {seed}: {calls:?}");
                if !calls.is_empty() {
                    sent.extend(calls);
                    under_way.push((round, lost));
                }
            };
            for _step in 0..60 {
                ms += i64::try_from(random(700)).unwrap();
                if random(2) == 0 {
                    if let Some(round) = intake.enter(&project(), entered, 10, NOW.plus_ms(ms)) {
                        let lost = random(10) == 0;
                        is_stuck |= lost;
                        drive(&mut intake, round, ms, lost, &mut under_way);
                    }
                    entered += 1;
                } else if let Some(place) = under_way.iter().position(|(_round, lost)| !lost) {
                    let (round, _lost) = under_way.swap_remove(place);
                    intake.returned(&round);
                    drive(&mut intake, round, ms, false, &mut under_way);
                }
            }
            // Whoever still comes back goes on, and one more request wakes what only lost carriers knew of.
            ms += STUCK_AFTER_MS;
            let last = enter(&mut intake, entered, ms);
            if let Some(round) = last {
                drive(&mut intake, round, ms, false, &mut under_way);
            }
            while let Some(place) = under_way.iter().position(|(_round, lost)| !lost) {
                let (round, _lost) = under_way.swap_remove(place);
                intake.returned(&round);
                drive(&mut intake, round, ms, false, &mut under_way);
            }
            let mut all = sent.clone();
            all.sort_unstable();
            assert_eq!(all, (0..=entered).collect::<Vec<_>>(), "seed {seed}");
            assert!(is_stuck || sent.is_sorted(), "seed {seed}: {sent:?}");
        }
    }
}
