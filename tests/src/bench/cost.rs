//! What a delivered callback costs at the edge, from what the platform counts while it is made here.
//!
//! Rows read and written are SQLite's own counts, as the platform bills them (each index entry is a row, each
//! setting of the alarm too); KV, queue and object calls are counted where the Worker makes them. `GET
//! /metrics` shows the sums of the isolate (edge/src/meter.rs); locally there is one. Prices:
//! docs/platform.md 2.6, beyond what is included.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::options::{Options, Part};
use super::report::{self, Report};
use super::run::{self, Plan};
use crate::stack::Stack;
use crate::wait::eventually;

/// What is counted, and dollars for a million of it.
const PRICES: [(&str, f64); 8] = [
    ("rows_written", 1.0),
    ("rows_read", 0.001),
    ("kv_reads", 0.5),
    ("kv_writes", 5.0),
    ("queue_operations", 0.4),
    ("object_requests", 0.15),
    ("worker_requests", 0.3),
    // In milliseconds, of the whole process: the runtime's own share is in it, so it is a bound from above.
    ("cpu_ms", 0.02),
];
/// Rows that a first attempt which succeeds inline may write, with its event (issue 3).
const ROWS_INLINE_MAX: f64 = 5.0;
/// Counters that stand still for so long have stopped.
const QUIET: Duration = Duration::from_secs(2);

/// Measures the lanes one by one.
pub async fn measure(options: &Options, report: &mut Report) {
    let host = options.host();
    let stack = Stack::start_on(host).await;
    let (duration, bytes) = (options.duration, options.body_bytes);
    let cases = [
        ("inline, fan-out 1", Plan::new(50, 1, duration, bytes)),
        ("inline, fan-out 10", Plan::new(20, 10, duration, bytes)),
        ("queue, fan-out 20", Plan::new(10, 20, duration, bytes)),
        ("queue, batches of 100", Plan { batch: 100, ..Plan::new(200, 1, duration, bytes) }),
    ];
    report.say(format!(
        "{:<24} {:>9} {:>7} {:>7} {:>8} {:>9} {:>8} {:>8} {:>7} {:>12}",
        "per callback",
        "rows wr.",
        "rows rd",
        "KV rd",
        "KV wr.",
        "queue op",
        "obj.req",
        "req.",
        "CPU ms",
        "$ / million"
    ));
    for (name, plan) in cases {
        let (mut before, mut cpu_before) = (BTreeMap::new(), Duration::ZERO);
        let run = run::measure_from(&stack, &plan, async || {
            before = quiet_counters(&stack).await;
            cpu_before = stack.cpu();
        })
        .await;
        let after = quiet_counters(&stack).await;
        report.check(&run.account);
        let callbacks = count_as_f64(run.account.arrived.max(1));
        let cpu_ms = stack.cpu().saturating_sub(cpu_before).as_secs_f64() * 1_000.0;
        let per_callback = |what: &str| match what {
            "cpu_ms" => cpu_ms / callbacks,
            counted => {
                (after.get(counted).copied().unwrap_or_default()
                    - before.get(counted).copied().unwrap_or_default())
                    / callbacks
            }
        };
        let dollars: f64 = PRICES.iter().map(|(what, price)| per_callback(what) * price).sum();
        let rows_written = per_callback("rows_written");
        let verdict = match name {
            "inline, fan-out 1" if rows_written > ROWS_INLINE_MAX + 0.5 => "  more than 5 rows written",
            _ => "",
        };
        report.say(format!(
            "{name:<24} {rows_written:>9.2} {:>7.1} {:>7.3} {:>8.4} {:>9.3} {:>8.2} {:>8.2} {:>7.2} {dollars:>10.2} ${verdict}",
            per_callback("rows_read"),
            per_callback("kv_reads"),
            per_callback("kv_writes"),
            per_callback("queue_operations"),
            per_callback("object_requests"),
            per_callback("worker_requests"),
            per_callback("cpu_ms"),
        ));
        let entries: BTreeMap<&str, f64> =
            PRICES.iter().map(|(what, _)| (*what, per_callback(what))).collect();
        report.keep(
            Part::Cost.name(),
            json!({ "runtime": report::name(host), "case": name, "per_callback": entries, "dollars_per_million": dollars }),
        );
    }
    report.say("An object that is awake costs besides: docs/platform.md 2.6 puts it at $0.03 a million. Allowances are not deducted.");
}

/// The counters once nothing goes on any more.
async fn quiet_counters(stack: &Stack) -> BTreeMap<String, f64> {
    let (mut last, mut since) = (counters(stack).await, Instant::now());
    eventually("the counters stand still", Duration::from_mins(2), async || {
        let now = counters(stack).await;
        // Looking is a request by itself.
        let differs =
            now.iter().any(|(name, value)| name != "worker_requests" && last.get(name) != Some(value));
        if differs {
            (last, since) = (now, Instant::now());
        }
        (since.elapsed() >= QUIET).then(|| last.clone())
    })
    .await
}

/// `GET /metrics`: a line `postern_NAME_total VALUE` for each counter.
async fn counters(stack: &Stack) -> BTreeMap<String, f64> {
    let reply = stack.admin().send(Method::GET, "/metrics?projects=0", None).await.expect(200);
    let lines = reply.body.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("postern_")?.strip_suffix("_total")?;
            Some((String::from(name), value.parse().ok()?))
        })
        .collect()
}

fn count_as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
