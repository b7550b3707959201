//! How the benchmark's results are shown: a table for people, JSON for programs.

use serde_json::{Value, json};

use super::account::percentile_ms;
use super::run::Run;
use crate::stack::Host;

/// The table's head.
#[must_use]
pub fn head() -> String {
    format!(
        "{:<10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  verdict",
        "runtime",
        "rate/s",
        "accepted",
        "refused",
        "missing",
        "repeated",
        "acc p50",
        "acc p99",
        "e2e p50",
        "e2e p99",
        "calls/s",
        "cpu/call"
    )
}

/// A run as one line of the table.
#[must_use]
pub fn line(host: Host, run: &Run) -> String {
    let account = &run.account;
    let ms = |sorted: &[u64], percent| percentile_ms(sorted, percent).map_or_else(|| String::from("-"), |ms| format!("{ms:.1} ms"));
    format!(
        "{:<10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9.0} {:>6.1} ms  {}",
        name(host),
        run.rate,
        account.accepted,
        account.refused,
        account.missing,
        account.repeated,
        ms(&account.accept_ns, 50),
        ms(&account.accept_ns, 99),
        ms(&account.end_to_end_ns, 50),
        ms(&account.end_to_end_ns, 99),
        run.callbacks_per_s,
        run.cpu_ms_per_callback,
        verdict(run)
    )
}

/// The runs as JSON.
#[must_use]
pub fn json(runs: &[(Host, Run)], fanout: usize, body_bytes: usize) -> Value {
    let entries: Vec<Value> = runs
        .iter()
        .map(|(host, run)| {
            let account = &run.account;
            let quantiles = |sorted: &[u64]| json!({ "p50": percentile_ms(sorted, 50), "p99": percentile_ms(sorted, 99), "max": percentile_ms(sorted, 100) });
            json!({
                "runtime": name(*host), "rate_per_s": run.rate, "offered": account.offered, "accepted": account.accepted, "refused": account.refused,
                "first_refusal": account.first_refusal, "arrived": account.arrived, "missing": account.missing, "repeated": account.repeated,
                "accept_ms": quantiles(&account.accept_ns), "end_to_end_ms": quantiles(&account.end_to_end_ns), "callbacks_per_s": run.callbacks_per_s, "cpu_ms_per_callback": run.cpu_ms_per_callback,
                "publisher_lag_p99_ms": run.lag_p99_ms, "kept_up": run.kept_up(), "void": account.void
            })
        })
        .collect();
    let sustained = |host: Host| runs.iter().filter(|(of, run)| *of == host && run.kept_up()).map(|(_, run)| run.rate).max();
    json!({
        "fanout": fanout, "body_bytes": body_bytes, "runs": entries,
        "sustained_per_s": { "wrangler": sustained(Host::Wrangler), "miniflare": sustained(Host::Miniflare) }
    })
}

fn verdict(run: &Run) -> String {
    match run.account.void.first() {
        Some(why) => format!("VOID: {why}"),
        None if run.account.refused > 0 => format!("refused: {}", run.account.first_refusal.as_deref().unwrap_or_default()),
        None if run.publisher_was_late() => format!("the publisher was late (p99 {:.0} ms)", run.lag_p99_ms),
        None if run.kept_up() => String::from("kept up"),
        None => String::from("fell behind"),
    }
}

const fn name(host: Host) -> &'static str {
    match host {
        Host::Wrangler => "wrangler",
        Host::Miniflare => "miniflare",
    }
}
