//! How the benchmark's results are shown: tables for people while it runs, one JSON document for programs at
//! its end.

use std::io::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::account::{Closed, percentile_ms};
use super::run::Run;
use crate::stack::Host;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Report {
    found: Map<String, Value>,
    void: bool,
}

impl Report {
    /// Prints a line. Without a reader it is dropped.
    pub fn say(&self, line: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        drop(writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush()));
    }

    /// Says what else the machine does: figures of a busy one mean nothing.
    pub fn begin(&mut self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.say(format!(
            "{cores} cores, load before the start {load} (latencies mean little above {cores})"
        ));
        self.keep("machine", json!({ "cores": cores, "load_before": load }));
    }

    /// Adds an entry to the list `part` of the document.
    pub fn keep(&mut self, part: &str, entry: Value) {
        let list = self.found.entry(part).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(entry);
        }
    }

    /// Notes an account that does not add up.
    pub fn check(&mut self, account: &Closed) {
        self.void |= !account.void.is_empty();
    }

    /// Whether some account did not add up.
    #[must_use]
    pub const fn is_void(&self) -> bool {
        self.void
    }

    /// The document.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(self.found.clone())
    }
}

/// The head of a table of runs.
#[must_use]
pub fn head() -> String {
    format!(
        "{:<10} {:>6} {:>7} {:>5} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  verdict",
        "runtime",
        "rate/s",
        "fan-out",
        "batch",
        "accepted",
        "missing",
        "repeated",
        "acc p50",
        "acc p99",
        "e2e p50",
        "e2e p99",
        "calls/s",
        "cpu/call",
        "refused"
    )
}

/// A run as one line of the table.
#[must_use]
pub fn line(host: Host, run: &Run) -> String {
    let account = &run.account;
    format!(
        "{:<10} {:>6} {:>7} {:>5} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9.0} {:>6.2} ms {:>9}  {}",
        name(host),
        run.plan.rate,
        run.plan.fanout(),
        run.plan.batch,
        account.accepted,
        account.missing,
        account.repeated,
        ms(&account.accept_ns, 50),
        ms(&account.accept_ns, 99),
        ms(&account.end_to_end_ns, 50),
        ms(&account.end_to_end_ns, 99),
        run.callbacks_per_s,
        run.cpu_ms_per_callback,
        account.refused,
        verdict(run)
    )
}

/// A percentile of sorted nanoseconds, for a table.
#[must_use]
pub fn ms(sorted_ns: &[u64], percent: usize) -> String {
    percentile_ms(sorted_ns, percent).map_or_else(|| String::from("-"), |ms| format!("{ms:.1} ms"))
}

/// Sorted nanoseconds as JSON.
#[must_use]
pub fn quantiles(sorted_ns: &[u64]) -> Value {
    let ms = |percent| percentile_ms(sorted_ns, percent);
    json!({ "p50": ms(50), "p99": ms(99), "max": ms(100) })
}

/// A time in seconds, for a table.
#[must_use]
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// A run as JSON.
#[must_use]
pub fn run_json(host: Host, run: &Run) -> Value {
    let account = &run.account;
    json!({
        "runtime": name(host), "rate_per_s": run.plan.rate, "fanout": run.plan.fanout(), "batch": run.plan.batch,
        "body_bytes": run.plan.body_bytes, "offered": account.offered, "accepted": account.accepted, "refused": account.refused,
        "first_refusal": account.first_refusal, "arrived": account.arrived, "missing": account.missing, "repeated": account.repeated,
        "accept_ms": quantiles(&account.accept_ns), "end_to_end_ms": quantiles(&account.end_to_end_ns),
        "callbacks_per_s": run.callbacks_per_s, "cpu_ms_per_callback": run.cpu_ms_per_callback,
        "publisher_lag_p99_ms": run.lag_p99_ms, "kept_up": run.kept_up(), "void": account.void
    })
}

/// What to say of a run.
#[must_use]
pub fn verdict(run: &Run) -> String {
    match run.account.void.first() {
        Some(why) => format!("VOID: {why}"),
        None if run.account.refused > 0 => {
            format!("refused: {}", run.account.first_refusal.as_deref().unwrap_or_default())
        }
        None if run.publisher_was_late() => format!("the publisher was late (p99 {:.0} ms)", run.lag_p99_ms),
        None if run.kept_up() => String::from("kept up"),
        None => String::from("fell behind"),
    }
}

/// A runtime's name.
#[must_use]
pub const fn name(host: Host) -> &'static str {
    match host {
        Host::Wrangler => "wrangler",
        Host::Miniflare => "miniflare",
        Host::Then => "then",
        Host::Floor => "floor",
        Host::OwnMachine(_) => "own",
    }
}

/// The middle one; infinite without values.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::INFINITY)
}
