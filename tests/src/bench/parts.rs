//! What is measured, part by part. Each prints its table as it goes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::account::percentile_ms;
use super::options::{Options, Part};
use super::report::{self, Report, median, ms, quantiles, seconds};
use super::run::{self, Plan};
use super::{cost, floor, page, yardstick};
use crate::stack::{Host, Stack};

/// Rates that are tried if absent: of one event a call to one webhook, to ten, and of a hundred
/// events a call.
const RATES: [u32; 7] = [50, 100, 200, 400, 600, 800, 1_000];
const RATES_TO_TEN: [u32; 6] = [10, 20, 50, 100, 200, 350];
pub(super) const RATES_IN_BATCHES: [u32; 5] = [500, 1_000, 1_500, 2_000, 3_000];
/// Events of one batch: as many as the API takes.
pub(super) const BATCH: usize = 100;
/// Webhooks of the fan-out runs, and events to them, one after the other.
const FANOUTS: [(usize, usize); 5] = [(1, 100), (10, 50), (100, 20), (1_000, 5), (10_000, 3)];
/// The isolation run: so many webhooks take turns, one of which may hang, at so many events a second.
const NEIGHBOURS: usize = 100;
const ISOLATION_RATE: u32 = 50;
/// Pairs of isolation runs, of whose p99s the medians are compared: one p99 is its ten slowest callbacks, and
/// differs by half from the next one's.
const ISOLATION_PAIRS: usize = 3;
/// Starts of each of the two that are compared.
const STARTS: usize = 5;
/// What the others may lose by it (issue 3): p99 at most twice.
const ISOLATION_RATIO_MAX: f64 = 2.0;
/// The outage run: events a second, and how long the receiver is away.
const OUTAGE_RATE: u32 = 100;
const OUTAGE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(25));
const OUTAGE_PUBLISHES: Duration = Duration::from_secs(30);

/// Measures one part.
pub async fn measure(part: Part, options: &Options, report: &mut Report) {
    report.say(format!("\n== {}", title(part)));
    match part {
        Part::Rates => rates(options, report).await,
        Part::Batch => batch(options, report).await,
        Part::Fanout => fanout(options, report).await,
        Part::Isolation => isolation(options, report).await,
        Part::Outage => outage(options, report).await,
        Part::Cost => cost::measure(options, report).await,
        Part::Floor => floor::measure(options, report).await,
        Part::Start => start(report).await,
        Part::Yardstick => yardstick::measure(options, report).await,
        Part::Page => page::measure(options, report).await,
    }
}

const fn title(part: Part) -> &'static str {
    match part {
        Part::Rates => "rates: one event a call; each sweep ends where it falls behind",
        Part::Batch => "batch: a hundred events a call, one callback an event; latency counts from the call",
        Part::Fanout => "fan-out: one event to many webhooks, the next when all of them were called",
        Part::Isolation => {
            "isolation: 100 webhooks take turns at 50 events/s; the 99 without and with one beside them that hangs for 30 s"
        }
        Part::Outage => "drain: 100 events/s, the receiver is away for 20 s",
        Part::Cost => "cost: what the platform counts for each delivered callback",
        Part::Floor => {
            "floor: Postern, a Worker that only stores, calls and notes (tests/floor.mjs), and the build of --against"
        }
        Part::Start => {
            "start: from the start of the process (node, Miniflare, workerd) to the first answer, and beside it the floor's"
        }
        Part::Yardstick => "yardstick: the same load by hookbench, and Svix beside it",
        Part::Page => "page: the dashboard in Chromium",
    }
}

/// Runs `plans` until one falls behind; gives the highest rate that was kept up with.
async fn sweep(
    host: Host,
    stack: &Stack,
    part: Part,
    plans: impl Iterator<Item = Plan>,
    report: &mut Report,
) -> Option<u32> {
    let mut sustained = None;
    for plan in plans {
        let run = run::measure(stack, &plan).await;
        report.say(report::line(host, &run));
        report.keep(part.name(), report::run_json(host, &run));
        report.check(&run.account);
        // A publisher that was late says nothing of the system: the next rate is worth a try.
        if !run.kept_up() && !run.publisher_was_late() {
            break;
        }
        sustained = if run.kept_up() { Some(plan.rate) } else { sustained };
    }
    sustained
}

async fn rates(options: &Options, report: &mut Report) {
    report.say(report::head());
    for host in &options.hosts {
        let stack = Stack::start_on(*host).await;
        for fanout in options.fanout.map_or_else(|| vec![1, 10], |fanout| vec![fanout]) {
            let default = if fanout == 1 { &RATES[..] } else { &RATES_TO_TEN };
            let rates = options.rates.as_deref().unwrap_or(default);
            let plans =
                rates.iter().map(|rate| Plan::new(*rate, fanout, options.duration, options.body_bytes));
            let sustained = sweep(*host, &stack, Part::Rates, plans, report).await;
            let (name, fanout_rate) = (
                report::name(*host),
                sustained.map_or_else(|| String::from("none of them"), |rate| format!("{rate} events/s")),
            );
            report.say(format!("           {name}, fan-out {fanout}: kept up with {fanout_rate}"));
            report.keep("sustained", json!({ "runtime": name, "fanout": fanout, "events_per_s": sustained }));
        }
    }
}

async fn batch(options: &Options, report: &mut Report) {
    let host = options.host();
    let stack = Stack::start_on(host).await;
    report.say(report::head());
    let rates = options.rates.as_deref().unwrap_or(&RATES_IN_BATCHES);
    let plans = rates
        .iter()
        .map(|rate| Plan { batch: BATCH, ..Plan::new(*rate, 1, options.duration, options.body_bytes) });
    let sustained = sweep(host, &stack, Part::Batch, plans, report).await;
    report.keep(
        "sustained",
        json!({ "runtime": report::name(host), "fanout": 1, "batch": BATCH, "events_per_s": sustained }),
    );
}

async fn fanout(options: &Options, report: &mut Report) {
    let host = options.host();
    let stack = Stack::start_on(host).await;
    report.say(format!(
        "{:<10} {:>8} {:>6} {:>9} {:>9} {:>11} {:>11} {:>12} {:>8}",
        "runtime",
        "webhooks",
        "events",
        "acc p50",
        "acc max",
        "e2e p50",
        "e2e p99",
        "last, median",
        "calls/s"
    ));
    for (webhooks, rounds) in FANOUTS {
        let plan = Plan::new(1, webhooks, options.duration, options.body_bytes);
        let account = run::one_by_one(&stack, &plan, rounds).await;
        // The last callback of each event, from the moment it was posted.
        let mut last_of_event: BTreeMap<u64, u64> = BTreeMap::new();
        for (due_ns, at_ns) in &account.callbacks_ns {
            let last = last_of_event.entry(*due_ns).or_default();
            *last = at_ns.saturating_sub(*due_ns).max(*last);
        }
        let mut last_ns: Vec<u64> = last_of_event.into_values().collect();
        last_ns.sort_unstable();
        let last_ms = percentile_ms(&last_ns, 50).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a count of webhooks")]
        let per_s = webhooks as f64 / (last_ms / 1_000.0).max(1e-6);
        report.say(format!(
            "{:<10} {webhooks:>8} {rounds:>6} {:>9} {:>9} {:>11} {:>11} {last_ms:>9.1} ms {per_s:>8.0}{}",
            report::name(host),
            ms(&account.accept_ns, 50),
            ms(&account.accept_ns, 100),
            ms(&account.end_to_end_ns, 50),
            ms(&account.end_to_end_ns, 99),
            account.void.first().map_or_else(String::new, |why| format!("  VOID: {why}")),
        ));
        report.keep(
            Part::Fanout.name(),
            json!({
                "runtime": report::name(host), "webhooks": webhooks, "events": rounds, "accept_ms": quantiles(&account.accept_ns),
                "end_to_end_ms": quantiles(&account.end_to_end_ns), "last_ms": quantiles(&last_ns), "callbacks_per_s": per_s,
                "repeated": account.repeated, "void": account.void
            }),
        );
        report.check(&account);
    }
}

async fn isolation(options: &Options, report: &mut Report) {
    let duration = options.duration.max(Duration::from_secs(20));
    report.say(format!(
        "{:<10} {:>12} {:>12} {:>12} {:>12} {:>7}  verdict",
        "runtime", "p50 without", "p50 with", "p99 without", "p99 with", "ratio"
    ));
    for host in &options.hosts {
        let mut pairs = Vec::new();
        for _ in 0..ISOLATION_PAIRS {
            let mut runs = Vec::new();
            for hanging in [None, Some(NEIGHBOURS - 1)] {
                // A stack of its own: calls that hang go on for half a minute.
                let stack = Stack::start_on(*host).await;
                let plan = Plan {
                    in_turn: true,
                    hanging,
                    except: Some(NEIGHBOURS - 1),
                    ..Plan::new(ISOLATION_RATE, NEIGHBOURS, duration, options.body_bytes)
                };
                let run = run::measure(&stack, &plan).await;
                report.check(&run.account);
                runs.push(run);
            }
            let [without, with] = &runs[..] else { continue };
            report.say(format!("{}  {}", isolation_line(*host, without, with), run_verdict(without, with)));
            report.keep(
                Part::Isolation.name(),
                json!({
                    "runtime": report::name(*host),
                    "without": report::run_json(*host, without),
                    "with": report::run_json(*host, with)
                }),
            );
            pairs.push((p99_ms(without), p99_ms(with)));
        }
        let (without, with) =
            (median(pairs.iter().map(|pair| pair.0)), median(pairs.iter().map(|pair| pair.1)));
        let ratio = with / without;
        let verdict = if ratio <= ISOLATION_RATIO_MAX { "isolated" } else { "NOT isolated" };
        report.say(format!(
            "           {}, medians: p99 {without:.1} ms without, {with:.1} ms with the hanging one, {ratio:.2}x: {verdict}",
            report::name(*host)
        ));
        report.keep(
            "isolation_medians",
            json!({ "runtime": report::name(*host), "without_ms": without, "with_ms": with, "ratio": ratio }),
        );
    }
}

fn isolation_line(host: Host, without: &run::Run, with: &run::Run) -> String {
    format!(
        "{:<10} {:>12} {:>12} {:>12} {:>12} {:>6.2}x",
        report::name(host),
        ms(&without.account.end_to_end_ns, 50),
        ms(&with.account.end_to_end_ns, 50),
        ms(&without.account.end_to_end_ns, 99),
        ms(&with.account.end_to_end_ns, 99),
        p99_ms(with) / p99_ms(without),
    )
}

fn run_verdict(without: &run::Run, with: &run::Run) -> String {
    match (without.account.void.first(), with.account.void.first()) {
        (Some(why), _) | (None, Some(why)) => format!("VOID: {why}"),
        (None, None) if !without.kept_up() => {
            String::from("it falls behind even without: a busy machine shows nothing")
        }
        (None, None) => String::new(),
    }
}

fn p99_ms(run: &run::Run) -> f64 {
    percentile_ms(&run.account.end_to_end_ns, 99).unwrap_or(f64::INFINITY)
}

/// What a start costs that is not the runtime's: the two take turns, and the medians are compared.
async fn start(report: &mut Report) {
    let mut stacks = [Stack::start_on(Host::Miniflare).await, Stack::start_on(Host::Floor).await];
    let mut took_ms = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for (stack, took_ms) in stacks.iter_mut().zip(&mut took_ms) {
            stack.stop().await;
            let started = Instant::now();
            stack.boot().await;
            took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    let [ours, floor] = took_ms.map(median);
    report.say(format!(
        "Postern answers after {ours:.0} ms, the floor after {floor:.0} ms (medians of {STARTS}): {:.2}x",
        ours / floor
    ));
    report.keep(Part::Start.name(), json!({ "postern_ms": ours, "floor_ms": floor, "ratio": ours / floor }));
}

async fn outage(options: &Options, report: &mut Report) {
    let host = options.host();
    let stack = Stack::start_on(host).await;
    let plan = Plan {
        outage: Some(OUTAGE),
        // By the default schedule a delivery that was a probe twice waits for five minutes, however well its
        // receiver does.
        retry_schedule_s: Some(vec![5; 20]),
        ..Plan::new(OUTAGE_RATE, 1, OUTAGE_PUBLISHES, options.body_bytes)
    };
    let run = run::measure(&stack, &plan).await;
    report.check(&run.account);
    let Some(drain) = run.drain else { return };
    report.say(format!(
        "{}: {} events accepted (p99 {}), {} waited when the receiver came back; the first of them arrived after {}, the last after {}, \
         {} repeats{}",
        report::name(host),
        run.account.accepted,
        ms(&run.account.accept_ns, 99),
        drain.backlog,
        seconds(drain.first),
        seconds(drain.last),
        run.account.repeated,
        run.account.void.first().map_or_else(String::new, |why| format!("  VOID: {why}")),
    ));
    report.keep(
        Part::Outage.name(),
        json!({
            "run": report::run_json(host, &run),
            "away_s": OUTAGE.1.saturating_sub(OUTAGE.0).as_secs(),
            "backlog": drain.backlog,
            "first_after_s": drain.first.as_secs_f64(), "last_after_s": drain.last.as_secs_f64()
        }),
    );
}
