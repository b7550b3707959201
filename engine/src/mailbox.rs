//! Finished attempts on their way to their project: one call at a time from each isolate, with all that has
//! finished.
//!
//! Under load an isolate runs many invocations at once, and each of them ends with a report. A call to the
//! object costs the same whether it carries one report or fifty, so an invocation whose project is being
//! called leaves its reports to the one that calls: only data passes between invocations, never a promise
//! (the platform lets no request wait for another's).
//!
//! A report is kept until the project has taken it, or its lease has ended: the operation is
//! compare-and-set, so what may have arrived is simply sent again, after a wait that doubles. An invocation
//! may end in the middle (docs/platform.md 1.4: 30 s after its answer), and then it says nothing. So one
//! that has called for longer than [`STUCK_AFTER_MS`] no longer counts: the next invocation goes on, with
//! what the stuck one had in hand and with what waited. What waits when no further one comes is left to its
//! leases, as with any dispatcher that dies.

use std::collections::BTreeMap;

use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_ledger::Report;

use crate::backoff::{Jitter, backoff_ms};
use crate::desk::{Fault, Parcel};
use crate::size::take_what_fits;

/// How long an invocation goes on with the reports of others, if one of them comes to go on instead: its 30
/// s are not used up so.
const CARRIES_FOR_MS: i64 = 3_000;
/// A call that has taken longer is not waited for.
const STUCK_AFTER_MS: i64 = 5_000;

/// What waits for a project, and who carries.
#[derive(Debug, Default)]
struct Post {
    waiting: Vec<Parcel>,
    /// What is being called with and not acknowledged, by the number of the turn.
    in_hand: BTreeMap<u64, Hand>,
    carrier: Option<Carrier>,
    /// Calls in a row that failed.
    failures: u32,
    /// Before this instant the project is not called again.
    rests_until: Option<Timestamp>,
}

/// An invocation that calls.
#[derive(Clone, Copy, Debug)]
struct Carrier {
    number: u64,
    since: Timestamp,
    /// When its last call started, or is to start.
    called: Timestamp,
}

/// What one call carries.
#[derive(Debug)]
struct Hand {
    since: Timestamp,
    parcels: Vec<Parcel>,
}

/// The reports of an isolate, by project.
#[derive(Debug, Default)]
pub struct Mailbox {
    posts: BTreeMap<ProjectName, Post>,
    /// Turns so far: names them, also after a post is gone and another has come.
    turns: u64,
}

/// The right to call a project with what waits for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn {
    project: ProjectName,
    number: u64,
}

/// What a carrier has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Carry {
    /// Call the project with these, and tell [`Mailbox::carried`].
    Now(Vec<Report>),
    /// Ask again after so many milliseconds.
    After(u32),
    /// Nothing: the turn is over.
    Over,
}

/// What became of a call with reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The project has taken them.
    Taken,
    /// It could not be asked.
    Not(Fault, Jitter),
}

impl Mailbox {
    /// Nothing waits.
    #[must_use]
    pub const fn new() -> Self {
        Self { posts: BTreeMap::new(), turns: 0 }
    }

    /// Leaves reports for their project. `Some`: the caller must carry them, by [`Mailbox::next`] until it
    /// says that the turn is over. While a carrier rests after a failure, whoever comes carries instead: it
    /// has more of its time left.
    pub fn leave(&mut self, project: &ProjectName, parcels: Vec<Parcel>, now: Timestamp) -> Option<Turn> {
        let post = self.posts.entry(project.clone()).or_default();
        post.waiting.extend(parcels);
        let calls = post.carrier.is_some_and(|carrier| now.ms_since(carrier.called) < STUCK_AFTER_MS);
        let rests = post.rests_until.is_some_and(|until| until > now);
        if calls && !rests {
            return None;
        }
        // What a stuck call has in hand may have arrived, or not.
        let is_stuck = |hand: &Hand| now.ms_since(hand.since) >= STUCK_AFTER_MS;
        let stuck: Vec<u64> =
            post.in_hand.iter().filter(|(_turn, hand)| is_stuck(hand)).map(|(turn, _hand)| *turn).collect();
        let mut again: Vec<Parcel> =
            stuck.iter().filter_map(|turn| post.in_hand.remove(turn)).flat_map(|hand| hand.parcels).collect();
        again.append(&mut post.waiting);
        post.waiting = again;
        self.turns += 1;
        post.carrier = Some(Carrier { number: self.turns, since: now, called: now });
        Some(Turn { project: project.clone(), number: self.turns })
    }

    /// What the holder of a turn has to do.
    pub fn next(&mut self, turn: &Turn, now: Timestamp) -> Carry {
        let Some(post) = self.posts.get_mut(&turn.project) else { return Carry::Over };
        let carrier = match post.carrier {
            Some(carrier) if carrier.number == turn.number => carrier,
            Some(_) => return Carry::Over,
            // It had given up its turn, and nobody has taken it.
            None => Carrier { number: turn.number, since: now, called: now },
        };
        if post.waiting.is_empty() {
            post.carrier = None;
            if post.in_hand.is_empty() {
                self.posts.remove(&turn.project);
            }
            return Carry::Over;
        }
        if let Some(until) = post.rests_until.filter(|until| *until > now) {
            post.carrier = Some(Carrier { called: until, ..carrier });
            return Carry::After(u32::try_from(until.ms_since(now)).unwrap_or(u32::MAX));
        }
        let parcels = take_what_fits(&mut post.waiting);
        let reports = parcels.iter().map(|parcel| parcel.report.clone()).collect();
        post.in_hand.insert(turn.number, Hand { since: now, parcels });
        let is_over = now.ms_since(carrier.since) >= CARRIES_FOR_MS;
        // Who comes during the last call goes on instead; what is in hand then stays this one's.
        post.carrier = Some(Carrier { called: now, ..carrier }).filter(|_carrier| !is_over);
        Carry::Now(reports)
    }

    /// Takes note of what became of the call of a turn.
    pub fn carried(&mut self, turn: &Turn, carried: Carried, now: Timestamp) {
        let Some(post) = self.posts.get_mut(&turn.project) else { return };
        // `None`: it was taken for stuck, and another one has what it had in hand.
        let Some(hand) = post.in_hand.remove(&turn.number) else { return };
        match carried {
            Carried::Taken => {
                post.failures = 0;
                post.rests_until = None;
            }
            Carried::Not(Fault::Lasting, _jitter) => {}
            Carried::Not(Fault::Passing, jitter) => {
                post.failures += 1;
                post.rests_until = Some(now.plus_ms(backoff_ms(post.failures, jitter)));
                let mut again: Vec<Parcel> =
                    hand.parcels.into_iter().filter(|parcel| parcel.until > now).collect();
                again.append(&mut post.waiting);
                post.waiting = again;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::{Attempt, Outcome, ReceivedResponse, Trigger};
    use postern_core::id::Seq;

    use super::*;
    use crate::size::REPORTS_BYTES_MAX;

    const NOW: Timestamp = Timestamp(1_000_000);
    const MIDDLE: Jitter = Jitter::of(500);

    fn parcel(delivery: i64) -> Parcel {
        let outcome = Outcome::Answered { status: 200 };
        let (request, response, request_id) = (None, None, None);
        let attempt = Attempt {
            number: 1,
            trigger: Trigger::Schedule,
            started_at: NOW,
            duration_ms: 1,
            outcome,
            request,
            response,
            request_id,
        };
        Parcel { report: Report { delivery: Seq(delivery), attempt }, until: NOW.plus_ms(40_000) }
    }

    fn parcels(of: std::ops::Range<i64>) -> Vec<Parcel> {
        of.map(parcel).collect()
    }

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    /// The keys of what is to be carried now; nothing where the turn is over.
    fn carries(mailbox: &mut Mailbox, turn: &Turn, ms: i64) -> Vec<i64> {
        match mailbox.next(turn, NOW.plus_ms(ms)) {
            Carry::Now(reports) => reports.iter().map(|report| report.delivery.0).collect(),
            Carry::After(ms) => panic!("it waits for {ms} ms"),
            Carry::Over => Vec::new(),
        }
    }

    fn taken(mailbox: &mut Mailbox, turn: &Turn, ms: i64) {
        mailbox.carried(turn, Carried::Taken, NOW.plus_ms(ms));
    }

    fn failed(mailbox: &mut Mailbox, turn: &Turn, fault: Fault, ms: i64) {
        mailbox.carried(turn, Carried::Not(fault, MIDDLE), NOW.plus_ms(ms));
    }

    #[test]
    fn one_invocation_carries_what_others_leave() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &turn, 0), [0]);
        let left = mailbox.leave(&project(), parcels(1..3), NOW.plus_ms(1));
        assert!(left.is_none(), "its project is being called");
        taken(&mut mailbox, &turn, 2);
        assert_eq!(carries(&mut mailbox, &turn, 2), [1, 2]);
        taken(&mut mailbox, &turn, 3);
        assert!(carries(&mut mailbox, &turn, 3).is_empty());
        let next = mailbox.leave(&project(), parcels(3..4), NOW.plus_ms(4));
        assert!(next.is_some(), "nobody carries any more");
    }

    #[test]
    fn projects_do_not_wait_for_each_other() {
        let mut mailbox = Mailbox::new();
        let other = ProjectName::parse("p2").unwrap();
        assert!(mailbox.leave(&project(), parcels(0..1), NOW).is_some());
        assert!(mailbox.leave(&other, parcels(1..2), NOW).is_some());
    }

    #[test]
    fn a_call_that_is_stuck_is_not_waited_for_and_what_it_had_in_hand_is_sent_again() {
        let mut mailbox = Mailbox::new();
        let stuck = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &stuck, 0), [0]);
        assert!(mailbox.leave(&project(), parcels(1..2), NOW.plus_ms(STUCK_AFTER_MS - 1)).is_none());
        let next = mailbox.leave(&project(), parcels(2..3), NOW.plus_ms(STUCK_AFTER_MS)).unwrap();
        failed(&mut mailbox, &stuck, Fault::Passing, STUCK_AFTER_MS);
        assert!(carries(&mut mailbox, &stuck, STUCK_AFTER_MS).is_empty(), "it has lost its turn");
        assert_eq!(carries(&mut mailbox, &next, STUCK_AFTER_MS), [0, 1, 2]);
    }

    #[test]
    fn an_invocation_does_not_carry_for_ever() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &turn, CARRIES_FOR_MS), [0], "who comes during this call goes on");
        taken(&mut mailbox, &turn, CARRIES_FOR_MS);
        let next = mailbox.leave(&project(), parcels(1..2), NOW.plus_ms(CARRIES_FOR_MS)).unwrap();
        assert!(carries(&mut mailbox, &turn, CARRIES_FOR_MS).is_empty());
        assert_eq!(carries(&mut mailbox, &next, CARRIES_FOR_MS), [1]);
    }

    #[test]
    fn a_call_is_bounded_and_the_rest_follows() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..250), NOW).unwrap();
        let calls = [0, CARRIES_FOR_MS, CARRIES_FOR_MS, CARRIES_FOR_MS].map(|ms| {
            let count = carries(&mut mailbox, &turn, ms).len();
            taken(&mut mailbox, &turn, ms);
            count
        });
        assert_eq!(calls, [100, 100, 50, 0], "nobody else came");
    }

    #[test]
    fn a_call_is_bounded_in_bytes_as_they_are_sent() {
        for (body, in_one_call) in [("x".repeat(64 << 10), 31), ("\u{1}".repeat(64 << 10), 5)] {
            let large = |mut parcel: Parcel| {
                let response = ReceivedResponse { body: body.clone(), ..ReceivedResponse::default() };
                parcel.report.attempt.response = Some(response);
                parcel
            };
            let mut mailbox = Mailbox::new();
            let parcels: Vec<Parcel> = parcels(0..60).into_iter().map(large).collect();
            let turn = mailbox.leave(&project(), parcels, NOW).unwrap();
            let (mut carried, mut calls) = (Vec::new(), 0);
            while let Carry::Now(reports) = mailbox.next(&turn, NOW) {
                let bytes = serde_json::to_string(&reports).unwrap().len();
                assert!(bytes <= REPORTS_BYTES_MAX, "{bytes} bytes in one call");
                assert!(calls > 0 || reports.len() == in_one_call, "{}", reports.len());
                carried.extend(reports.iter().map(|report| report.delivery.0));
                calls += 1;
                taken(&mut mailbox, &turn, 0);
            }
            assert_eq!(carried, (0..60).collect::<Vec<_>>(), "all of them, in {calls} calls");
        }
    }

    #[test]
    fn reports_that_could_not_be_carried_are_carried_again_with_those_that_came() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..2), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &turn, 0), [0, 1]);
        failed(&mut mailbox, &turn, Fault::Passing, 10);
        assert_eq!(mailbox.next(&turn, NOW.plus_ms(10)), Carry::After(200));
        let newer = mailbox.leave(&project(), parcels(2..3), NOW.plus_ms(20)).unwrap();
        assert_eq!(mailbox.next(&newer, NOW.plus_ms(50)), Carry::After(160));
        assert!(carries(&mut mailbox, &turn, 210).is_empty(), "the newer one has more time left");
        assert_eq!(carries(&mut mailbox, &newer, 210), [0, 1, 2]);
        failed(&mut mailbox, &newer, Fault::Passing, 220);
        assert_eq!(mailbox.next(&newer, NOW.plus_ms(220)), Carry::After(400), "the wait doubles");
        assert_eq!(carries(&mut mailbox, &newer, 620), [0, 1, 2]);
        taken(&mut mailbox, &newer, 630);
        assert!(carries(&mut mailbox, &newer, 640).is_empty());
    }

    #[test]
    fn a_report_is_given_up_when_its_lease_has_ended_or_its_project_refuses() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        let mut ms = 0;
        let mut tries = 0;
        while !carries(&mut mailbox, &turn, ms).is_empty() {
            tries += 1;
            failed(&mut mailbox, &turn, Fault::Passing, ms);
            if let Carry::After(wait_ms) = mailbox.next(&turn, NOW.plus_ms(ms)) {
                ms += i64::from(wait_ms);
            }
        }
        assert_eq!((tries, ms), (10, 42_600), "until the lease ends at 40,000");

        let turn = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &turn, 0), [0]);
        failed(&mut mailbox, &turn, Fault::Lasting, 0);
        assert!(carries(&mut mailbox, &turn, 0).is_empty());
    }

    #[test]
    fn a_late_answer_of_a_stuck_call_is_not_taken_for_that_of_another() {
        let mut mailbox = Mailbox::new();
        let stuck = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &stuck, 0), [0]);
        let second = mailbox.leave(&project(), Vec::new(), NOW.plus_ms(STUCK_AFTER_MS)).unwrap();
        assert_eq!(carries(&mut mailbox, &second, STUCK_AFTER_MS), [0]);
        taken(&mut mailbox, &second, STUCK_AFTER_MS);
        assert!(carries(&mut mailbox, &second, STUCK_AFTER_MS).is_empty(), "all is done");
        let third = mailbox.leave(&project(), parcels(1..2), NOW.plus_ms(6_000)).unwrap();
        assert_eq!(carries(&mut mailbox, &third, 6_000), [1]);
        taken(&mut mailbox, &stuck, 6_001);
        failed(&mut mailbox, &third, Fault::Passing, 6_002);
        assert_eq!(mailbox.next(&third, NOW.plus_ms(6_002)), Carry::After(200));
        assert_eq!(carries(&mut mailbox, &third, 6_202), [1], "its report is still there");
    }

    #[test]
    fn what_is_in_hand_during_a_last_call_is_not_sent_by_the_one_who_goes_on() {
        let mut mailbox = Mailbox::new();
        let turn = mailbox.leave(&project(), parcels(0..1), NOW).unwrap();
        assert_eq!(carries(&mut mailbox, &turn, CARRIES_FOR_MS), [0], "its last call");
        let next = mailbox.leave(&project(), parcels(1..2), NOW.plus_ms(CARRIES_FOR_MS + 1)).unwrap();
        assert_eq!(carries(&mut mailbox, &next, CARRIES_FOR_MS + 1), [1]);
        taken(&mut mailbox, &next, CARRIES_FOR_MS + 2);
        assert!(carries(&mut mailbox, &next, CARRIES_FOR_MS + 2).is_empty());
        failed(&mut mailbox, &turn, Fault::Passing, CARRIES_FOR_MS + 3);
        assert!(matches!(mailbox.next(&turn, NOW.plus_ms(CARRIES_FOR_MS + 3)), Carry::After(_)));
        assert_eq!(carries(&mut mailbox, &turn, CARRIES_FOR_MS + 500), [0], "nobody else has it");
    }
}
