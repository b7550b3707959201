//! Finished attempts on their way to their project: one call at a time from each isolate, with all that has finished.
//!
//! Under load an isolate runs many invocations at once, and each of them ends with a report. A call to the object costs the same
//! whether it carries one report or fifty, so an invocation whose project is being called leaves its reports to the one that
//! calls: only data passes between invocations, never a promise (the platform lets no request wait for another's).
//!
//! An invocation may end in the middle (docs/platform.md 1.4: 30 s after its answer), and then it says nothing. So a call that has taken
//! longer than [`STUCK_AFTER_MS`] no longer counts: the next invocation goes on, and with it what waited. What waits when no
//! further one comes is left to its leases, as with any dispatcher that dies.

use std::cell::RefCell;
use std::collections::BTreeMap;

use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_ledger::Report;

/// How long an invocation goes on with the reports of others, if one of them comes to go on instead: its 30 s are not used up so.
const CARRIES_FOR_MS: i64 = 3_000;
/// A call that has taken longer is not waited for.
const STUCK_AFTER_MS: i64 = 5_000;
/// Reports of one call at most: each holds up to 72 KiB of an answer.
const AT_ONCE: usize = 100;

/// What waits for a project, and who carries.
#[derive(Debug, Default)]
struct Post {
    waiting: Vec<Report>,
    carrier: Option<Carrier>,
    /// Carriers so far: names them.
    carriers: u64,
}

/// An invocation that calls.
#[derive(Clone, Copy, Debug)]
struct Carrier {
    number: u64,
    since: Timestamp,
    /// When its last call began.
    called: Timestamp,
}

thread_local! {
    static POSTS: RefCell<BTreeMap<ProjectName, Post>> = const { RefCell::new(BTreeMap::new()) };
}

/// The right to call a project with what waits for it.
#[derive(Debug)]
pub(crate) struct Turn {
    project: ProjectName,
    number: u64,
}

/// Leaves `reports` for their project. `Some`: the caller must carry them, by [`Turn::next`] until it gives none.
pub(crate) fn leave(project: &ProjectName, reports: Vec<Report>, now: Timestamp) -> Option<Turn> {
    POSTS.with_borrow_mut(|posts| {
        let post = posts.entry(project.clone()).or_default();
        post.waiting.extend(reports);
        if post.carrier.is_some_and(|carrier| now.ms_since(carrier.called) < STUCK_AFTER_MS) {
            return None;
        }
        post.carriers += 1;
        post.carrier = Some(Carrier { number: post.carriers, since: now, called: now });
        Some(Turn { project: project.clone(), number: post.carriers })
    })
}

impl Turn {
    /// What is to be reported next, in one call. Empty: the turn is over.
    pub(crate) fn next(&self, now: Timestamp) -> Vec<Report> {
        POSTS.with_borrow_mut(|posts| {
            let Some(post) = posts.get_mut(&self.project) else { return Vec::new() };
            let carrier = match post.carrier {
                Some(carrier) if carrier.number == self.number => carrier,
                // It had given up its turn, and nobody has taken it.
                None if !post.waiting.is_empty() => Carrier { number: self.number, since: now, called: now },
                Some(_) | None => return Vec::new(),
            };
            let count = post.waiting.len().min(AT_ONCE);
            let reports: Vec<Report> = post.waiting.drain(..count).collect();
            let is_done = reports.is_empty();
            let is_over = now.ms_since(carrier.since) >= CARRIES_FOR_MS;
            post.carrier = (!is_done && !is_over).then_some(Carrier { called: now, ..carrier });
            if is_done {
                posts.remove(&self.project);
            }
            reports
        })
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::{Attempt, Outcome, Trigger};
    use postern_core::id::Seq;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn report(delivery: i64) -> Report {
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
        Report { delivery: Seq(delivery), attempt }
    }

    fn reports(of: std::ops::Range<i64>) -> Vec<Report> {
        of.map(report).collect()
    }

    fn keys(reports: &[Report]) -> Vec<i64> {
        reports.iter().map(|report| report.delivery.0).collect()
    }

    fn project(name: &str) -> ProjectName {
        ProjectName::parse(name).unwrap()
    }

    #[test]
    fn one_invocation_carries_what_others_leave() {
        let project = project("one");
        let turn = leave(&project, reports(0..1), NOW).unwrap();
        assert_eq!(keys(&turn.next(NOW)), [0]);
        assert!(leave(&project, reports(1..3), NOW.plus_ms(1)).is_none(), "its project is being called");
        assert_eq!(keys(&turn.next(NOW.plus_ms(2))), [1, 2]);
        assert!(turn.next(NOW.plus_ms(3)).is_empty());
        assert!(leave(&project, reports(3..4), NOW.plus_ms(4)).is_some(), "nobody carries any more");
    }

    #[test]
    fn projects_do_not_wait_for_each_other() {
        let (left, right) = (project("left"), project("right"));
        assert!(leave(&left, reports(0..1), NOW).is_some());
        assert!(leave(&right, reports(1..2), NOW).is_some());
    }

    #[test]
    fn a_call_that_is_stuck_is_not_waited_for_and_loses_nothing_that_waited() {
        let project = project("stuck");
        let stuck = leave(&project, reports(0..1), NOW).unwrap();
        assert_eq!(keys(&stuck.next(NOW)), [0]);
        assert!(leave(&project, reports(1..2), NOW.plus_ms(STUCK_AFTER_MS - 1)).is_none());
        let next = leave(&project, reports(2..3), NOW.plus_ms(STUCK_AFTER_MS)).unwrap();
        assert!(stuck.next(NOW.plus_ms(STUCK_AFTER_MS)).is_empty(), "it has lost its turn");
        assert_eq!(keys(&next.next(NOW.plus_ms(STUCK_AFTER_MS))), [1, 2]);
    }

    #[test]
    fn an_invocation_does_not_carry_for_ever() {
        let project = project("ever");
        let turn = leave(&project, reports(0..1), NOW).unwrap();
        assert_eq!(
            keys(&turn.next(NOW.plus_ms(CARRIES_FOR_MS))),
            [0],
            "whoever comes during this call goes on"
        );
        let next = leave(&project, reports(1..2), NOW.plus_ms(CARRIES_FOR_MS)).unwrap();
        assert!(turn.next(NOW.plus_ms(CARRIES_FOR_MS)).is_empty());
        assert_eq!(keys(&next.next(NOW.plus_ms(CARRIES_FOR_MS))), [1]);
    }

    #[test]
    fn a_call_is_bounded_and_the_rest_follows() {
        let project = project("many");
        let turn = leave(&project, reports(0..250), NOW).unwrap();
        let late = NOW.plus_ms(CARRIES_FOR_MS);
        let calls: Vec<usize> = [NOW, late, late, late].into_iter().map(|at| turn.next(at).len()).collect();
        assert_eq!(calls, [100, 100, 50, 0], "nobody else came");
    }
}
