//! The rules of isolation, as tables: what one invocation does when, in words.

use postern_core::delivery::{Attempt, Outcome, Trigger};
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_ledger::{Lane, LeaseTicket, Report, Why, Work, WorkEvent, WorkSet};

use super::invocation::*;
use crate::backoff::Jitter;
use crate::message::Queued;
use crate::pace::HANGS_AFTER_MS;
use crate::pace::Pace;
use crate::pace::Paces;

const START: Timestamp = Timestamp(1_000_000);

/// An invocation whose claims yield whatever they ask for.
struct Play {
    desk: Desk,
    paces: Paces,
    now: Timestamp,
    calls: Vec<(CallId, String, i64, u32)>,
    timeout_s: u32,
}

fn name(project: &str) -> ProjectName {
    ProjectName::parse(project).unwrap()
}

fn queued(project: &str, webhook: i64, delivery: i64) -> Queued {
    let ticket =
        LeaseTicket { delivery: Seq(delivery), attempt: 1, webhook: Seq(webhook), lane: Lane::First };
    Queued { project: name(project), ticket, hops: 0 }
}

/// Tickets of one project: webhook and how many, numbered from 1.
fn tickets(of: &[(i64, usize)]) -> Vec<Queued> {
    let webhooks = of.iter().flat_map(|(webhook, count)| std::iter::repeat_n(*webhook, *count));
    webhooks.zip(1..).map(|(webhook, delivery)| queued("p1", webhook, delivery)).collect()
}

fn report(delivery: i64, duration_ms: u32) -> Report {
    let attempt = Attempt {
        number: 1,
        trigger: Trigger::Schedule,
        started_at: START,
        duration_ms,
        outcome: Outcome::Answered { status: 200 },
        request: None,
        response: None,
        request_id: None,
    };
    Report { delivery: Seq(delivery), attempt }
}

impl Play {
    fn with(tickets: Vec<Queued>, paces: Paces) -> Self {
        let shift = Shift::new(START, START.plus_ms(31_000));
        let desk = Desk::new(Bounds::PLATFORM, shift, tickets, &paces, START);
        Self { desk, paces, now: START, calls: Vec::new(), timeout_s: 10 }
    }

    fn new(tickets: Vec<Queued>) -> Self {
        Self::with(tickets, Paces::new())
    }

    /// What is done `ms` after the start, in words, without the waiting.
    fn at(&mut self, ms: i64) -> Vec<String> {
        self.now = START.plus_ms(ms);
        let todo = self.desk.next(&mut self.paces, self.now);
        todo.into_iter().filter_map(|todo| self.words(todo)).collect()
    }

    fn words(&mut self, todo: Do) -> Option<String> {
        let list = |keys: Vec<i64>| keys.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let of = |tickets: &[Queued]| list(tickets.iter().map(|queued| queued.ticket.delivery.0).collect());
        let reported =
            |parcels: &[Parcel]| list(parcels.iter().map(|parcel| parcel.report.delivery.0).collect());
        Some(match todo {
            Do::Call { call, ready, timeout_s } => {
                let delivery = ready.work.delivery.0;
                self.calls.push((call, String::from(ready.project.as_str()), delivery, timeout_s));
                format!("call {delivery}")
            }
            Do::Claim { project, reports, tickets } if reports.is_empty() => {
                format!("claim {}: {}", project.as_str(), of(&tickets))
            }
            Do::Claim { project, reports, tickets } => {
                format!("report {} and claim {}: {}", reported(&reports), project.as_str(), of(&tickets))
            }
            Do::HandBack { tickets } => format!("hand back {}", of(&tickets)),
            Do::Report { project, reports } => format!("report {}: {}", project.as_str(), reported(&reports)),
            Do::Unclaim { project, claims } => {
                let keys = |why| {
                    let meant = claims.iter().filter(|claim| claim.why == why);
                    list(meant.map(|claim| claim.delivery.0).collect())
                };
                if claims.iter().all(|claim| claim.why == Why::NoTime) {
                    format!("unclaim {}: {}", project.as_str(), keys(Why::NoTime))
                } else {
                    format!(
                        "unclaim {}: {}, rest {}",
                        project.as_str(),
                        keys(Why::NoTime),
                        keys(Why::NoDefinition)
                    )
                }
            }
            Do::Sleep { .. } => return None,
        })
    }

    /// Claims yield these deliveries of these webhooks.
    fn claimed(&mut self, project: &str, works: &[(i64, i64)]) {
        let works = works.iter().map(|(webhook, delivery)| Work {
            delivery: Seq(*delivery),
            attempt: 1,
            trigger: Trigger::Schedule,
            message_id: String::new(),
            event: Seq(1),
            webhook: Seq(*webhook),
            webhook_id: String::new(),
            webhook_version: 1,
            timeout_s: self.timeout_s,
            lease_until: START.plus_ms(40_000),
        });
        let event = WorkEvent {
            seq: Seq(1),
            id: String::new(),
            kind: String::from("a"),
            data: serde_json::value::RawValue::from_string(String::from("1")).unwrap(),
            object: None,
            accepted_at: START,
        };
        let works = WorkSet { events: vec![event], works: works.collect() };
        self.hear(Heard::Claimed { project: name(project), works });
    }

    fn hear(&mut self, heard: Heard) {
        self.desk.heard(heard, &mut self.paces, self.now);
    }

    fn ends(&mut self, delivery: i64, duration_ms: u32) {
        let at = self.calls.iter().position(|call| call.2 == delivery).unwrap();
        let (call, ..) = self.calls.remove(at);
        self.hear(Heard::Called { call, report: Some(Box::new(report(delivery, duration_ms))) });
    }

    fn not_claimed(&mut self, project: &str, fault: Fault) {
        self.hear(Heard::NotClaimed { project: name(project), fault, jitter: Jitter::of(500) });
    }
}

/// A webhook of which 40 tickets may be claimed at once.
fn quick(webhooks: &[i64]) -> Paces {
    let mut paces = Paces::new();
    for webhook in webhooks {
        paces.note(&name("p1"), Seq(*webhook), Pace::Quick, START);
    }
    paces
}

#[test]
fn webhooks_take_turns() {
    let things = vec![(1, 'a'), (1, 'b'), (1, 'c'), (2, 'd'), (3, 'e'), (3, 'f')];
    let ordered: String =
        in_turn(things, |(webhook, _)| *webhook).into_iter().map(|(_, name)| name).collect();
    assert_eq!(ordered, "adebfc");
    let things = vec![(3, 'a'), (1, 'b'), (1, 'c')];
    let ordered: String =
        in_turn(things, |(webhook, _)| *webhook).into_iter().map(|(_, name)| name).collect();
    assert_eq!(ordered, "abc");
}

#[test]
fn an_invocation_claims_what_it_can_call_and_reports_with_the_next_claim() {
    let mut play = Play::new(tickets(&[(1, 7)]));
    assert_eq!(play.at(0), ["claim p1: 1 2 3 4 5"]);
    assert!(play.at(10).is_empty(), "a project is asked once at a time");
    play.claimed("p1", &[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
    assert_eq!(play.at(20), ["call 1", "call 2", "call 3", "call 4", "call 5"]);
    play.ends(1, 20);
    // It is known to be quick by now.
    assert_eq!(play.at(40), ["report 1 and claim p1: 6 7"]);
    play.claimed("p1", &[(1, 6)]);
    assert_eq!(play.at(50), ["call 6"], "what somebody else has claimed yields nothing");
    for delivery in [2, 3, 4, 5] {
        play.ends(delivery, 30);
    }
    assert!(play.at(60).is_empty(), "the last call may end soon");
    play.ends(6, 30);
    assert_eq!(play.at(70), ["report p1: 2 3 4 5 6"]);
    assert!(!play.desk.is_over(), "a report is under way");
    play.hear(Heard::Done);
    assert!(play.at(80).is_empty() && play.desk.is_over());
}

#[test]
fn no_webhook_has_all_connections_while_others_wait() {
    let mut play = Play::new(tickets(&[(1, 4), (2, 4)]));
    assert_eq!(play.at(0), ["claim p1: 1 5 2 6 3"], "no more of one than may start");
    play.claimed("p1", &[(1, 1), (2, 5), (1, 2), (2, 6), (1, 3)]);
    assert_eq!(play.at(10), ["call 1", "call 5", "call 2", "call 6", "call 3"]);
    // The first webhook hangs with its three; the second goes on with two.
    play.ends(5, 600);
    play.ends(6, 600);
    assert_eq!(play.at(20), ["report 5 6 and claim p1: 7 8"]);
}

#[test]
fn a_webhook_that_waits_alone_may_have_what_is_free() {
    let mut play = Play::new(tickets(&[(1, 9), (2, 1)]));
    assert_eq!(play.at(0), ["claim p1: 1 10 2 3"]);
    play.claimed("p1", &[(1, 1), (2, 10), (1, 2), (1, 3)]);
    assert_eq!(play.at(10), ["call 1", "call 10", "call 2", "call 3", "claim p1: 4"]);
}

#[test]
fn of_quick_webhooks_more_is_claimed_and_they_go_first() {
    let mut play = Play::with(tickets(&[(1, 3), (2, 60)]), quick(&[2]));
    let claims = play.at(0);
    assert_eq!(claims.len(), 1);
    let keys: Vec<i64> =
        claims[0].trim_start_matches("claim p1: ").split(' ').map(|key| key.parse().unwrap()).collect();
    assert_eq!(keys.len(), 43, "40 quick ones, and three that may start");
    assert_eq!(keys[..2], [4, 5]);
    assert_eq!(keys[40..], [1, 2, 3]);
}

#[test]
fn calls_that_hang_let_the_rest_go_to_another_invocation() {
    let mut play = Play::with(tickets(&[(1, 50)]), quick(&[1]));
    assert_eq!(play.at(0).len(), 1);
    let works: Vec<(i64, i64)> = (1..=40).map(|delivery| (1, delivery)).collect();
    play.claimed("p1", &works);
    assert_eq!(play.at(0).len(), 5);
    assert!(play.at(999).is_empty(), "nobody hangs yet");
    let keys = |from: i64, to: i64| (from..=to).map(|key| key.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        play.at(1_000),
        [format!("unclaim p1: {}", keys(6, 40)), format!("hand back {}", keys(41, 50)),]
    );
    assert_eq!(play.paces.of(&name("p1"), Seq(1), play.now), Pace::Hanging);
}

#[test]
fn a_quick_webhook_keeps_its_connections_beside_three_that_hang() {
    let mut play = Play::with(tickets(&[(2, 10), (1, 3)]), quick(&[2]));
    play.at(0);
    let mut works: Vec<(i64, i64)> = vec![(1, 11), (1, 12), (1, 13)];
    works.extend((1..=10).map(|delivery| (2, delivery)));
    play.claimed("p1", &works);
    let started = play.at(0);
    assert_eq!(started.len(), 5);
    for delivery in [1, 2] {
        play.ends(delivery, 20);
    }
    play.at(20);
    play.ends(3, 980);
    // Three of the first hang by now: the second goes on with what it has.
    let next = play.at(1_000);
    assert!(next.iter().all(|todo| !todo.starts_with("unclaim")), "{next:?}");
}

#[test]
fn a_ticket_is_not_put_back_beyond_the_shortest_lease() {
    assert!(i64::from(HOPS_MAX) * HANGS_AFTER_MS < 1_000 + postern_ledger::LEASE_SLACK_MS);
    let mut old = tickets(&[(1, 1)]);
    old[0].hops = HOPS_MAX;
    let mut play = Play::new(old);
    assert!(play.at(25_000).is_empty() && play.desk.is_over(), "it is left to its lease");
}

#[test]
fn a_call_that_might_outlive_its_lease_is_given_back() {
    for (ms, expected) in [(30_000, "call 1"), (30_001, "unclaim p1: 1")] {
        let mut play = Play::new(Vec::new());
        play.desk.shift = Shift::new(START.plus_ms(ms), START.plus_ms(ms + 31_000));
        play.now = START.plus_ms(ms);
        play.claimed("p1", &[(1, 1)]);
        assert_eq!(play.at(ms), [expected], "at {ms}");
    }
}

#[test]
fn a_call_that_might_outlive_its_invocation_is_given_back() {
    // An invocation of 31 s: when a call may start, and how long it may take.
    for (timeout_s, ms, patience_s) in [
        (10, 0, Some(10)),
        (10, 19_000, Some(10)),
        (10, 19_001, None),
        (1, 28_000, Some(1)),
        (1, 28_001, None),
        (25, 4_000, Some(25)),
        (25, 4_001, None),
        (30, 0, Some(30)),
        (30, 500, Some(30)),
        (30, 501, Some(29)),
        (30, 3_000, Some(27)),
        (30, 3_001, None),
        (29, 0, Some(29)),
        (29, 2_000, Some(28)),
    ] {
        let mut play = Play::new(Vec::new());
        play.timeout_s = timeout_s;
        play.now = START.plus_ms(ms);
        play.claimed("p1", &[(1, 1)]);
        let expected = if patience_s.is_some() { "call 1" } else { "unclaim p1: 1" };
        assert_eq!(play.at(ms), [expected], "{timeout_s} s at {ms}");
        assert_eq!(play.calls.first().map(|call| call.3), patience_s, "{timeout_s} s at {ms}");
    }
}

#[test]
fn nothing_is_claimed_that_could_not_be_called_any_more() {
    let mut play = Play::new(tickets(&[(1, 2)]));
    assert_eq!(play.at(19_001), ["hand back 1 2"]);
}

#[test]
fn projects_are_asked_beside_each_other_each_once_at_a_time() {
    let mut play = Play::new(vec![
        queued("p1", 1, 1),
        queued("p2", 1, 2),
        queued("p3", 1, 3),
        queued("p1", 1, 4),
        queued("p4", 1, 5),
        queued("p5", 1, 6),
        queued("p6", 1, 7),
    ]);
    assert_eq!(play.at(0), ["claim p1: 1 4", "claim p2: 2", "claim p3: 3", "claim p4: 5"]);
    play.claimed("p2", &[(1, 2)]);
    assert_eq!(play.at(10), ["call 2"], "the others have the rest of the connections");
    play.claimed("p1", &[(1, 1)]);
    assert_eq!(play.at(20), ["call 1", "claim p5: 6"]);
}

#[test]
fn the_same_delivery_key_in_two_projects_is_two_calls() {
    let mut play = Play::new(Vec::new());
    play.claimed("p1", &[(1, 1)]);
    play.claimed("p2", &[(1, 1)]);
    assert_eq!(play.at(0), ["call 1", "call 1"]);
    play.ends(1, 20);
    assert_eq!(play.desk.running.len(), 1, "the other one goes on");
}

#[test]
fn a_claim_that_fails_loses_neither_reports_nor_tickets() {
    let mut play = Play::new(tickets(&[(1, 6)]));
    play.at(0);
    play.claimed("p1", &[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
    play.at(0);
    play.ends(1, 600);
    assert_eq!(play.at(600), ["report 1 and claim p1: 6"]);
    play.not_claimed("p1", Fault::Passing);
    assert!(play.at(600).is_empty(), "it rests for 200 ms");
    assert_eq!(play.at(700), ["report p1: 1"], "the reports do not wait for it");
    assert!(play.at(799).is_empty());
    assert_eq!(play.at(800), ["claim p1: 6"]);
    play.not_claimed("p1", Fault::Passing);
    assert_eq!(play.at(1_250), ["hand back 6"], "the four others hang by now");
}

#[test]
fn tickets_of_a_project_that_cannot_be_asked_go_back() {
    let mut play = Play::new(tickets(&[(1, 1)]));
    for ms in [0, 300, 900] {
        assert_eq!(play.at(ms), ["claim p1: 1"], "at {ms}");
        play.not_claimed("p1", Fault::Passing);
    }
    assert_eq!(play.at(900), ["hand back 1"]);
    play.hear(Heard::Done);
    assert!(play.desk.is_over());
}

#[test]
fn a_project_that_refuses_is_not_asked_again() {
    let mut play = Play::new(tickets(&[(1, 9)]));
    play.at(0);
    play.not_claimed("p1", Fault::Lasting);
    assert!(play.at(10_000).is_empty() && play.desk.is_over());
}

#[test]
fn a_report_waits_for_others_but_not_for_long() {
    let mut play = Play::new(Vec::new());
    play.claimed("p1", &[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
    play.at(0);
    play.now = START.plus_ms(50);
    play.ends(1, 50);
    assert!(play.at(100).is_empty());
    play.ends(2, 100);
    assert!(play.at(149).is_empty());
    assert_eq!(play.at(200), ["report p1: 1 2"], "nothing else ended for 100 ms");
    play.ends(3, 200);
    for ms in (250..1_150).step_by(90) {
        play.now = START.plus_ms(ms);
        play.hear(Heard::Done);
    }
    assert_eq!(play.at(1_200), ["report p1: 3"], "other things end all the time");
}

#[test]
fn a_call_whose_definition_was_not_found_gives_its_claim_back_at_once_to_rest() {
    let mut play = Play::new(tickets(&[(1, 1)]));
    play.at(0);
    play.claimed("p1", &[(1, 1)]);
    assert_eq!(play.at(10), ["call 1"]);
    let (call, ..) = play.calls.remove(0);
    play.hear(Heard::Called { call, report: None });
    assert!(!play.desk.is_over());
    assert_eq!(play.at(20), ["unclaim p1: , rest 1"]);
    play.hear(Heard::Done);
    assert!(play.desk.is_over());
}
