//! Postern beside the least that any Worker must do (`tests/floor.mjs`), and beside an older build of itself
//! (`--against COMMIT`). They take turns at each rate, so that a machine that is busy for a while is busy for
//! all of them: what counts is the ratio of two figures of one run.

use serde_json::json;

use super::account::percentile_ms;
use super::options::{Options, Part};
use super::parts::{BATCH, RATES_IN_BATCHES};
use super::report::{self, Report, median};
use super::run::{self, Plan, Run};
use crate::stack::{Host, Stack};

/// How often a rate is tried before it counts as too high: a neighbour's compiler is no fault of Postern's.
const TRIES: usize = 2;
/// Runs of each build at one rate, of whose figures the medians are compared.
const ROUNDS: usize = 3;

/// One kind of load.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    webhooks: usize,
    batch: usize,
    /// The rates of the sweep.
    rates: &'static [u32],
    /// The rate at which both builds are at ease, so that what differs is what an event costs.
    at_ease: u32,
}

const LOADS: [Load; 3] = [
    Load {
        name: "fan-out 1",
        webhooks: 1,
        batch: 1,
        rates: &[200, 300, 400, 500, 600, 700, 800, 900, 1_000],
        at_ease: 100,
    },
    Load {
        name: "fan-out 10",
        webhooks: 10,
        batch: 1,
        rates: &[50, 75, 100, 125, 150, 200, 250, 300, 350],
        at_ease: 30,
    },
    // The floor takes one event a call, so this one is for two builds only.
    Load { name: "batches of 100", webhooks: 1, batch: BATCH, rates: &RATES_IN_BATCHES, at_ease: 300 },
];

impl Load {
    fn plan(&self, rate: u32, options: &Options) -> Plan {
        Plan { batch: self.batch, ..Plan::new(rate, self.webhooks, options.duration, options.body_bytes) }
    }
}

/// What is compared of two builds, in milliseconds.
type Figure = (&'static str, fn(&Run) -> f64);

const FIGURES: [Figure; 5] = [
    ("accepted p50", |run| of(&run.account.accept_ns, 50)),
    ("accepted p99", |run| of(&run.account.accept_ns, 99)),
    ("end to end p50", |run| of(&run.account.end_to_end_ns, 50)),
    ("end to end p99", |run| of(&run.account.end_to_end_ns, 99)),
    ("CPU a callback", |run| run.cpu_ms_per_callback),
];

fn of(sorted_ns: &[u64], percent: usize) -> f64 {
    percentile_ms(sorted_ns, percent).unwrap_or(f64::INFINITY)
}

/// Who takes part in a sweep.
struct Contender<'a> {
    host: Host,
    stack: &'a Stack,
    /// The highest rate that it kept up with.
    sustained: u32,
    /// Whether it fell behind.
    is_out: bool,
}

/// Sweeps all loads, and compares the two builds at a rate that both bear.
pub async fn measure(options: &Options, report: &mut Report) {
    let now = Stack::start_on(Host::Miniflare).await;
    let floor = Stack::start_on(Host::Floor).await;
    let then = match options.worker_then() {
        Some(folder) => {
            let commit = folder.file_name().unwrap_or_default().display();
            report.say(format!("`then` is the Worker of {commit}"));
            Some(Stack::start_then(folder).await)
        }
        None => None,
    };
    report.say(report::head());
    let mut found = Vec::new();
    for load in LOADS {
        let is_wanted = options.fanout.is_none_or(|wanted| wanted == load.webhooks);
        let has_a_rival = load.batch == 1 || then.is_some();
        if !(is_wanted && has_a_rival) {
            continue;
        }
        let floor = Some((Host::Floor, &floor)).filter(|_| load.batch == 1);
        let rivals = [Some((Host::Miniflare, &now)), then.as_ref().map(|then| (Host::Then, then)), floor];
        let contenders = rivals
            .into_iter()
            .flatten()
            .map(|(host, stack)| Contender { host, stack, sustained: 0, is_out: false })
            .collect();
        found.extend(sweep(load, contenders, options, report).await);
        if let Some(then) = &then {
            found.extend(at_ease(load, &now, then, options, report).await);
        }
    }
    for line in found {
        report.say(format!("           {line}"));
    }
}

/// Raises the rate until all have fallen behind; gives a line for each of Postern's rivals.
async fn sweep(
    load: Load,
    mut contenders: Vec<Contender<'_>>,
    options: &Options,
    report: &mut Report,
) -> Vec<String> {
    for rate in options.rates.as_deref().unwrap_or(load.rates) {
        for contender in contenders.iter_mut().filter(|contender| !contender.is_out) {
            let plan = load.plan(*rate, options);
            let mut tries = 0;
            let kept_up = loop {
                tries += 1;
                let run = shown(contender.host, contender.stack, &plan, report).await;
                // A publisher that was late says nothing of the system: the next rate is worth a try.
                contender.is_out = !run.kept_up() && !run.publisher_was_late();
                if !contender.is_out || tries == TRIES {
                    break run.kept_up();
                }
            };
            contender.sustained = if kept_up { *rate } else { contender.sustained };
        }
    }
    let [now, rivals @ ..] = &contenders[..] else { return Vec::new() };
    let line = |rival: &Contender<'_>| {
        let name = report::name(rival.host);
        // Of what kept up with no rate nothing is a multiple.
        let ratio = (rival.sustained > 0).then(|| f64::from(now.sustained) / f64::from(rival.sustained));
        report.keep(
            "floor_ratio",
            json!({
                "load": load.name, "fanout": load.webhooks, "batch": load.batch, "rival": name,
                "postern_per_s": now.sustained, "rival_per_s": rival.sustained, "ratio": ratio
            }),
        );
        format!(
            "{}: kept up with {} events/s, {name} with {}: {}",
            load.name,
            now.sustained,
            rival.sustained,
            ratio.map_or_else(|| String::from("no ratio"), |ratio| format!("{ratio:.2}x"))
        )
    };
    rivals.iter().map(line).collect()
}

/// Both builds in turns at a rate that they bear.
async fn at_ease(
    load: Load,
    now: &Stack,
    then: &Stack,
    options: &Options,
    report: &mut Report,
) -> Vec<String> {
    let plan = load.plan(load.at_ease, options);
    let (mut runs_now, mut runs_then) = (Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        runs_now.push(shown(Host::Miniflare, now, &plan, report).await);
        runs_then.push(shown(Host::Then, then, &plan, report).await);
    }
    let line = |(what, figure): Figure| {
        let (now, then) = (median(runs_now.iter().map(figure)), median(runs_then.iter().map(figure)));
        let ratio = now / then;
        report.keep(
            "at_ease",
            json!({
                "load": load.name, "rate_per_s": load.at_ease, "figure": what,
                "now_ms": now, "then_ms": then, "ratio": ratio
            }),
        );
        format!(
            "{} at {}/s, {what}: {now:.2} ms, then {then:.2} ms: {ratio:.2}x (medians of {ROUNDS})",
            load.name, load.at_ease
        )
    };
    FIGURES.into_iter().map(line).collect()
}

/// A run, with its line and its entry in the report.
async fn shown(host: Host, stack: &Stack, plan: &Plan, report: &mut Report) -> Run {
    let run = run::measure(stack, plan).await;
    report.say(report::line(host, &run));
    report.keep(Part::Floor.name(), report::run_json(host, &run));
    report.check(&run.account);
    run
}
