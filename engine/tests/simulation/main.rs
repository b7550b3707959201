//! The deterministic simulation: one project on a virtual clock, with everything around it failing. The
//! world drives the engine's machines, as `edge` does.
//!
//! A seed decides all of it: who posts what and when, how receivers behave, which calls are lost before or
//! after their commit, which messages are lost, late or doubled, when processes die, how the clock is set,
//! what operators do. After every step the whole database is audited (`audit.rs`); at the end the faults
//! stop, and everything accepted must have ended well. Which states, rules and transitions were reached is
//! counted, and each must be.
//!
//! One seed again, with its trace if it fails:
//!
//! ```text
//! POSTERN_SEED=17 cargo test -p postern-engine --test simulation
//! ```
//!
//! Other seeds than the first 10,000:
//!
//! ```text
//! POSTERN_SEEDS=90000 POSTERN_FROM=10000 \
//!     cargo test -p postern-engine --test simulation nothing_is_lost -- --nocapture
//! ```

mod audit;
mod faulty;
#[path = "../../../ledger/tests/support/random.rs"]
mod random;
mod receiver;
#[path = "../../../ledger/tests/support/mod.rs"]
#[expect(dead_code, reason = "the unit tests use the rest")]
mod support;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::faulty::Defect;
use crate::world::{Weather, World};

/// Situations that some runs of this many seeds meet and others do not. Each has a test of its own.
const RARE: [&str; 1] = [
    // `report::tests::a_late_success_revives_a_delivery_that_was_given_up`
    "a late truth revived a delivery",
];

/// Seeds of a test run.
const SEEDS: u64 = 10_000;
/// What the seeds must get into, or they prove nothing.
const SITUATIONS: [&str; 118] = [
    "answers were given up",
    "deliveries were given up before their time",
    "told: a project fills up",
    "a full project refused events",
    "a webhook was paused between a lease and its claim",
    "a webhook was opened step by step",
    "events waited for a call with others",
    "events of several requests travelled together",
    "a carrier of events died",
    "a call with events hung",
    "a producer lost patience",
    "a webhook was jammed",
    "a call with reports hung",
    "reports of a stuck call were carried by another",
    "what a queue refused was sent again",
    "a call failed by our own fault",
    "a call of an ended delivery had its place",
    "a definition was not found",
    "a webhook waited for its turn",
    "as many tickets were under way as may be",
    "a live delivery went before a replayed one",
    "a replayed delivery had its turn",
    "a webhook was moved",
    "a webhook was renamed",
    "a claim was given back twice",
    "KV hung",
    "a claim was given back",
    "a queue refused tickets",
    "another invocation carried a report",
    "reports travelled together",
    "reports travelled with a claim",
    "several tickets were claimed at once",
    "the project could not be reached",
    "tickets travelled together",
    "tickets went back to their queue",
    "a person ended a pause",
    "KV was behind",
    "a call was signed with two secrets",
    "a call ended at a URL that its webhook had left",
    "a delivery was cancelled",
    "a delivery was cancelled in flight",
    "a delivery was given up",
    "a delivery was sent again",
    "a delivery waited for a call to end",
    "a delivery waited for a disabled webhook",
    "a delivery waited for a failing webhook",
    "a delivery waited for a paused webhook",
    "a delivery waited for a slot of a rate limit",
    "a delivery waited for a throttled webhook",
    "a delivery waited for an older one",
    "a first 410 left its webhook enabled",
    "a held delivery was released",
    "a limit was edited",
    "a pause doubled",
    "a receiver said when to call again",
    "a receiver wanted no further attempt",
    "a receiver wanted to be disabled",
    "a receiver was gone",
    "a replay sent again",
    "a replay sent what was missing",
    "a replay was cancelled",
    "a schedule began anew",
    "a schedule ended",
    "a second 410 disabled its webhook",
    "a secret was rotated",
    "a slot of a rate limit came while the object slept",
    "a throttled webhook recovered a step",
    "a ticket came when its gate had closed",
    "a ticket was offered again",
    "a webhook began to fail",
    "a webhook failed for five days",
    "a webhook recovered",
    "a webhook was deleted",
    "a webhook was enabled",
    "a webhook was paused",
    "a webhook was probed",
    "a webhook was resumed",
    "a webhook was throttled",
    "a webhook without retries gave up at once",
    "an alarm never rang",
    "an attempt was lost",
    "an attempt was reported after the end",
    "an event that nobody wanted was kept",
    "an event was posted again",
    "an old delivery was deleted",
    "an operational event caused what is not told",
    "an operational event was delivered",
    "an order was given up",
    "an order went on",
    "as many calls at once as allowed",
    "as many calls in a window as allowed",
    "attempts were lost in a row",
    "labels and data of an event decided",
    "state delivered",
    "state leased",
    "state pending",
    "state waiting",
    "the alarm was set for a gate or a replay",
    "the clock went back",
    "the clock went forward",
    "the inline lane was taken",
    "the object slept",
    "the project died after its commit",
    "the project died within a call",
    "the project's schedule changed",
    "the truth came late",
    "told: a delivery is dead",
    "told: a webhook is failing",
    "told: a webhook is throttled",
    "told: a webhook recovered",
    "told: a webhook was disabled",
    "a message was lost",
    "a message was late",
    "a message came twice",
    "a report was lost",
    "a report was late",
    "a report came twice",
    "a dispatcher died",
];
/// Seeds within which each planted defect must be noticed.
const SEEDS_PER_DEFECT: u64 = 10_000;
/// Simulations that run at once.
const THREADS: u32 = 2;

fn number_from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a run of seeds came to.
struct Findings {
    steps: u64,
    /// Calls that reached a receiver.
    calls: u64,
    /// In how many seeds each situation was reached.
    reached: BTreeMap<&'static str, u64>,
}

/// Runs the seeds, and stops at the first that finds something.
fn run(seeds: std::ops::Range<u64>) -> Findings {
    let next = AtomicU64::new(seeds.start);
    let has_failed = AtomicBool::new(false);
    let reached = Mutex::new(BTreeMap::<&str, u64>::new());
    let steps = AtomicU64::new(0);
    let calls = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _thread in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || has_failed.load(Ordering::Relaxed) {
                        return;
                    }
                    // A panic of the ledger is a finding, and its seed must be known.
                    let result = std::panic::catch_unwind(|| World::run(seed, None))
                        .unwrap_or_else(|_panic| Err(String::from("it panicked")));
                    match result {
                        Ok(summary) => {
                            steps.fetch_add(u64::from(summary.steps), Ordering::Relaxed);
                            calls.fetch_add(summary.calls as u64, Ordering::Relaxed);
                            let mut reached = reached.lock().expect("no panic under the lock");
                            for situation in summary.reached {
                                *reached.entry(situation).or_default() += 1;
                            }
                        }
                        Err(violation) => {
                            has_failed.store(true, Ordering::Relaxed);
                            failures.lock().expect("no panic under the lock").push((seed, violation));
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic under the lock");
    failures.sort();
    if let Some((seed, violation)) = failures.first() {
        panic!(
            "{violation}\nrepeat it with: POSTERN_SEED={seed} cargo test -p postern-engine --test simulation nothing_is_lost"
        );
    }
    Findings {
        steps: steps.into_inner(),
        calls: calls.into_inner(),
        reached: reached.into_inner().expect("no panic under the lock"),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what was reached is the result")]
#[expect(clippy::disallowed_methods, reason = "how long it takes is shown and decides nothing")]
fn nothing_is_lost_early_or_doubled_whatever_fails() {
    if let Some(seed) = number_from_environment("POSTERN_SEED") {
        run(seed..seed + 1);
        return;
    }
    let from = number_from_environment("POSTERN_FROM").unwrap_or(0);
    let count = number_from_environment("POSTERN_SEEDS").unwrap_or(SEEDS);
    let began = std::time::Instant::now();
    let Findings { steps, calls, reached } = run(from..from + count);
    let took_s = began.elapsed().as_secs_f32();
    println!(
        "{count} seeds from {from}, {steps} steps, {calls} calls in {took_s:.1} s; reached, in how many seeds:"
    );
    for (situation, seeds) in &reached {
        println!("{seeds:>8}  {situation}");
    }
    let unknown: Vec<_> = reached
        .keys()
        .filter(|situation| !SITUATIONS.contains(situation) && !RARE.contains(situation))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in the list");
    let missing: Vec<_> = SITUATIONS.iter().filter(|situation| !reached.contains_key(*situation)).collect();
    assert!(missing.is_empty() || count < SEEDS, "{count} seeds did not reach {missing:?}");
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..5 {
        assert_eq!(World::run(seed, None), World::run(seed, None), "seed {seed}");
    }
}

/// Seeds of a quiet day: 10,000 events.
const QUIET_SEEDS: u64 = 200;

#[test]
#[expect(clippy::print_stdout, reason = "how much was doubled is the result")]
fn failing_object_calls_double_next_to_nothing_and_lose_nothing() {
    let (mut events, mut calls, mut delivered) = (0, 0, 0);
    for seed in 0..QUIET_SEEDS {
        let summary =
            World::run_in(Weather::ObjectCalls, seed, None).unwrap_or_else(|violation| panic!("{violation}"));
        events += summary.events;
        calls += summary.calls;
        delivered += summary.delivered;
    }
    let doubled = calls - delivered;
    println!("{events} events, {delivered} deliveries, {calls} calls: {doubled} doubled");
    assert!(events >= 50 * usize::try_from(QUIET_SEEDS).expect("small"));
    assert!(doubled * 1_000 <= events, "{doubled} calls too many for {events} events");
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "what noticed it is the result")]
fn is_noticed(defect: Defect) {
    let noticed = (0..SEEDS_PER_DEFECT)
        .find_map(|seed| World::run(seed, Some(defect)).err().map(|violation| (seed, violation)));
    let Some((seed, violation)) = noticed else {
        panic!("{SEEDS_PER_DEFECT} seeds did not notice {defect:?}")
    };
    println!("{defect:?}: noticed by seed {seed}: {}", violation.lines().last().unwrap_or_default().trim());
}

#[test]
fn a_lease_that_never_ends_is_noticed() {
    is_noticed(Defect::LeaseNeverEnds);
}

#[test]
fn a_report_without_compare_and_set_is_noticed() {
    is_noticed(Defect::ReportWithoutCompare);
}

#[test]
fn a_skipped_outbox_is_noticed() {
    is_noticed(Defect::OutboxSkipped);
}

#[test]
fn a_ticket_that_can_be_claimed_twice_is_noticed() {
    is_noticed(Defect::ClaimedTwice);
}

#[test]
fn an_event_stored_apart_from_its_deliveries_is_noticed() {
    is_noticed(Defect::NoTransactions);
}

#[test]
fn work_that_is_leased_before_it_is_due_is_noticed() {
    is_noticed(Defect::LeasedEarly);
}

#[test]
fn an_alarm_that_forgets_retries_is_noticed() {
    is_noticed(Defect::WakesForFirstAttemptsOnly);
}

#[test]
fn held_deliveries_that_are_never_released_are_noticed() {
    is_noticed(Defect::NeverReleased);
}

#[test]
fn a_rate_limit_that_is_not_enforced_is_noticed() {
    is_noticed(Defect::RateIgnored);
}

#[test]
fn calls_of_a_rate_limit_that_a_restart_forgets_are_noticed() {
    is_noticed(Defect::WindowForgotten);
}

#[test]
fn calls_of_a_rate_limit_that_a_restart_takes_for_new_ones_are_noticed() {
    is_noticed(Defect::WindowRenewed);
}

#[test]
fn a_concurrency_limit_that_is_not_enforced_is_noticed() {
    is_noticed(Defect::ConcurrencyIgnored);
}

#[test]
fn an_order_that_is_not_kept_is_noticed() {
    is_noticed(Defect::OrderIgnored);
}

#[test]
fn an_order_that_does_not_go_on_is_noticed() {
    is_noticed(Defect::OrderStalls);
}

#[test]
fn throttling_that_changes_nothing_is_noticed() {
    is_noticed(Defect::ThrottleIgnored);
}

#[test]
fn a_410_that_changes_nothing_is_noticed() {
    is_noticed(Defect::GoneIgnored);
}

#[test]
fn a_first_410_that_disables_although_a_second_one_was_asked_for_is_noticed() {
    is_noticed(Defect::ConfirmIgnored);
}

#[test]
fn health_that_does_not_survive_a_crash_is_noticed() {
    is_noticed(Defect::HealthForgotten);
}

#[test]
fn an_inline_lease_that_does_not_survive_a_crash_is_noticed() {
    is_noticed(Defect::InlineForgotten);
}

#[test]
fn a_paused_webhook_that_is_called_is_noticed() {
    is_noticed(Defect::PauseIgnored);
}

#[test]
fn a_schedule_that_is_not_used_is_noticed() {
    is_noticed(Defect::ScheduleIgnored);
}

#[test]
fn a_replay_that_repeats_itself_is_noticed() {
    is_noticed(Defect::ReplayRepeats);
}

#[test]
fn attempts_that_are_not_counted_are_noticed() {
    is_noticed(Defect::StatsSkipped);
}

#[test]
fn giving_back_that_costs_a_number_is_noticed() {
    is_noticed(Defect::GivingBackCosts);
}

#[test]
fn what_is_given_back_and_never_due_is_noticed() {
    is_noticed(Defect::GivenBackForGood);
}

#[test]
fn a_cancelled_delivery_that_keeps_its_plan_is_noticed() {
    is_noticed(Defect::CancelKeepsPlan);
}

#[test]
fn a_cancelled_delivery_that_keeps_its_order_key_is_noticed() {
    is_noticed(Defect::CancelKeepsOrder);
}

#[test]
fn an_attempt_that_replaces_those_before_it_is_noticed() {
    is_noticed(Defect::RecordForgets);
}

#[test]
fn an_attempt_that_its_delivery_does_not_count_is_noticed() {
    is_noticed(Defect::RecordUncounted);
}

#[test]
fn an_offer_that_nobody_can_claim_is_noticed() {
    is_noticed(Defect::OfferedClaimed);
}

#[test]
fn an_idempotency_key_that_is_not_looked_for_is_noticed() {
    is_noticed(Defect::KeyIgnored);
}

#[test]
fn an_end_that_keeps_its_order_key_is_noticed() {
    is_noticed(Defect::EndKeepsOrder);
}

#[test]
fn a_wish_to_send_again_that_is_not_stored_is_noticed() {
    is_noticed(Defect::ResendUnmarked);
}

#[test]
fn an_invocation_with_too_many_calls_is_noticed() {
    is_noticed(Defect::BoundsIgnored);
}

#[test]
fn an_invocation_that_plans_beyond_its_end_is_noticed() {
    is_noticed(Defect::ShiftIgnored);
}

#[test]
fn a_call_that_is_made_twice_is_noticed() {
    is_noticed(Defect::CalledTwice);
}

#[test]
fn a_claim_that_is_not_given_back_is_noticed() {
    is_noticed(Defect::UnclaimForgotten);
}

#[test]
fn tickets_that_a_failed_claim_forgets_is_noticed() {
    is_noticed(Defect::ClaimGivenUp);
}

#[test]
fn a_failed_claim_that_is_taken_for_an_empty_one_is_noticed() {
    is_noticed(Defect::FailedClaimTakenForEmpty);
}

#[test]
fn a_work_that_is_forgotten_is_noticed() {
    is_noticed(Defect::WorkForgotten);
}

#[test]
fn reports_that_are_given_up_is_noticed() {
    is_noticed(Defect::ReportsGivenUp);
}

#[test]
fn a_report_that_is_not_made_is_noticed() {
    is_noticed(Defect::ReportForgotten);
}

#[test]
fn tickets_that_a_queue_refused_is_noticed() {
    is_noticed(Defect::RefusedForgotten);
}

#[test]
fn a_replay_that_does_not_go_on_is_noticed() {
    is_noticed(Defect::ReplayForgotten);
}

#[test]
fn tests_that_are_not_called_again_is_noticed() {
    is_noticed(Defect::TestsForgotten);
}

#[test]
fn definitions_that_are_not_published_is_noticed() {
    is_noticed(Defect::PublishForgotten);
}

#[test]
fn a_definition_that_kv_refused_is_noticed() {
    is_noticed(Defect::PublishedUnwritten);
}

#[test]
fn an_alarm_that_is_not_set_is_noticed() {
    is_noticed(Defect::AlarmNotSet);
}

#[test]
fn a_claim_that_is_given_back_for_another_one_is_noticed() {
    is_noticed(Defect::UnclaimUnfenced);
}

#[test]
fn a_replay_that_forgets_its_line_is_noticed() {
    is_noticed(Defect::LineForgotten);
}

#[test]
fn a_replay_that_goes_before_live_deliveries_is_noticed() {
    is_noticed(Defect::ReplayedFirst);
}

#[test]
fn replayed_deliveries_that_a_start_forgets_are_noticed() {
    is_noticed(Defect::ReplayedForgotten);
}

#[test]
fn a_late_claim_that_does_not_renew_its_lease_is_noticed() {
    is_noticed(Defect::LeaseNotRenewed);
}

#[test]
fn a_lease_that_a_start_forgets_is_noticed() {
    is_noticed(Defect::LeaseForgotten);
}

#[test]
fn statistics_that_do_not_learn_the_truth_are_noticed() {
    is_noticed(Defect::TruthUncounted);
}

#[test]
fn a_replay_of_all_types_is_noticed() {
    is_noticed(Defect::ReplayedTypesIgnored);
}

#[test]
fn retries_that_are_not_sent_is_noticed() {
    is_noticed(Defect::LaneForgotten);
}

#[test]
fn a_call_of_a_cancelled_delivery_that_takes_no_place_is_noticed() {
    is_noticed(Defect::PlaceForgotten);
}

#[test]
fn what_a_stuck_call_has_in_hand_and_nobody_carries_is_noticed() {
    is_noticed(Defect::StuckDropped);
}

#[test]
fn reports_that_are_dropped_early_are_noticed() {
    is_noticed(Defect::DroppedEarly);
}

#[test]
fn refused_tickets_that_count_as_under_way_are_noticed() {
    is_noticed(Defect::RefusedCounted);
}

#[test]
fn refused_tickets_that_are_sent_again_at_once_are_noticed() {
    is_noticed(Defect::RefusedAtOnce);
}

#[test]
fn a_publication_that_never_ends_is_noticed() {
    is_noticed(Defect::PublishingForGood);
}

#[test]
fn retention_that_counts_from_the_beginning_is_noticed() {
    is_noticed(Defect::KeptFromBeginning);
}

#[test]
fn a_wish_to_send_again_that_is_lost_is_noticed() {
    is_noticed(Defect::ResendLost);
}

#[test]
fn a_claim_that_is_given_back_and_tells_nobody_is_noticed() {
    is_noticed(Defect::GivenBackUntold);
}

#[test]
fn a_leased_order_key_that_is_not_known_is_noticed() {
    is_noticed(Defect::KeyUnlisted);
}

#[test]
fn answers_that_go_to_other_requests_are_noticed() {
    is_noticed(Defect::AnswersMixedUp);
}

#[test]
fn events_that_nobody_carries_are_noticed() {
    is_noticed(Defect::WaitingEventsLeft);
}

#[test]
fn an_order_that_a_lost_attempt_stops_is_noticed() {
    is_noticed(Defect::LostUntold);
}

#[test]
fn an_order_that_a_report_stops_is_noticed() {
    is_noticed(Defect::ReportedUntold);
}

#[test]
fn an_order_that_a_refused_claim_stops_is_noticed() {
    is_noticed(Defect::RefusedUntold);
}

#[test]
fn an_order_that_a_cancelled_delivery_stops_is_noticed() {
    is_noticed(Defect::CancelledUntold);
}

#[test]
fn a_missing_definition_that_is_looked_for_at_once_is_noticed() {
    is_noticed(Defect::RestForgotten);
}

#[test]
fn a_delivery_that_is_sent_again_beside_its_order_is_noticed() {
    is_noticed(Defect::ResentUnordered);
}

#[test]
fn a_delivery_that_a_replay_sends_beside_its_order_is_noticed() {
    is_noticed(Defect::ReplayedUnordered);
}

#[test]
fn a_replay_that_skips_some_is_noticed() {
    is_noticed(Defect::ReplaySkips);
}

#[test]
fn a_slow_start_that_a_restart_forgets_is_noticed() {
    is_noticed(Defect::SlowStartForgotten);
}

#[test]
fn a_retry_that_is_planned_too_early_is_noticed() {
    is_noticed(Defect::RetriedEarly);
}

#[test]
fn a_retry_that_is_planned_too_late_is_noticed() {
    is_noticed(Defect::RetriedLate);
}

#[test]
fn what_is_given_up_and_not_counted_is_noticed() {
    is_noticed(Defect::AgedUncounted);
}

#[test]
fn what_is_given_up_too_early_is_noticed() {
    is_noticed(Defect::AgedYoung);
}

#[test]
fn what_is_open_and_given_up_is_noticed() {
    is_noticed(Defect::AgedOpen);
}

#[test]
fn a_call_of_a_delivery_that_ended_late_and_takes_no_place_is_noticed() {
    is_noticed(Defect::LatePlaceForgotten);
}

#[test]
fn an_alarm_that_a_report_does_not_set_is_noticed() {
    is_noticed(Defect::AlarmNotSetByReport);
}

#[test]
fn an_alarm_that_a_claim_given_back_does_not_set_is_noticed() {
    is_noticed(Defect::AlarmNotSetByUnclaim);
}

#[test]
fn an_alarm_that_a_resumed_webhook_does_not_set_is_noticed() {
    is_noticed(Defect::AlarmNotSetByResume);
}

#[test]
fn an_alarm_that_a_replay_does_not_set_is_noticed() {
    is_noticed(Defect::AlarmNotSetByReplay);
}

#[test]
fn held_deliveries_that_are_forgotten_too_early_are_noticed() {
    is_noticed(Defect::DrainedEarly);
}
