//! The same load by `hookbench`, which other systems were measured with, so that the figures of both can be
//! put side by side: if they differ much for Postern, ours are not to be trusted.
//!
//! It lies beside the repository (`../shared/hookbench`), not in it; `cargo xtask bench` builds it and names
//! it in `POSTERN_HOOKBENCH`. Without it this part says so and measures nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::options::{OWN_MACHINE, Options, Part};
use super::report::{self, Report};
use crate::stack::{Host, Stack, free_port};

/// Svix' native server with `PostgreSQL` and Redis, durable, on two cores: events a second sustained, by
/// fan-out (hookbench's README, medians of three).
const SVIX: [(usize, f64); 2] = [(1, 1_000.0), (10, 350.0)];
/// Its latency end to end at 200 events/s and fan-out 1, p50, and the better p99 that was seen, in
/// milliseconds.
const SVIX_AT_200_MS: (f64, f64) = (1.7, 3.0);
/// Rates of the sweeps, by fan-out. 200 is among them for the comparison of latencies.
const SWEEPS: [(usize, &str); 2] = [(1, "50,100,200,400,600,800,1000"), (10, "20,50,100,200,350")];

/// Sweeps both fan-outs.
pub async fn measure(options: &Options, report: &mut Report) {
    let Some(program) =
        std::env::var_os("POSTERN_HOOKBENCH").map(PathBuf::from).filter(|program| program.exists())
    else {
        report.say("not measured: hookbench is not beside the repository (../shared/hookbench)");
        return;
    };
    let asked = options.host();
    // The rate, the machine and the neighbours are the same only in one run.
    let beside = Some(OWN_MACHINE).filter(|own| *own != asked);
    let then = options.worker_then().map(|_folder| Host::Then);
    report.say(format!(
        "{:<10} {:>7} {:>12} {:>14} {:>12}",
        "runtime", "fan-out", "kept up with", "Svix sustained", "ratio"
    ));
    let runs = SWEEPS.into_iter().zip(SVIX).flat_map(|(sweep, svix)| {
        [Some(asked), then, beside].into_iter().flatten().map(move |host| (host, sweep, svix))
    });
    for (host, (fanout, sweep), (_, svix)) in runs {
        let stack = match options.worker_then() {
            Some(folder) if host == Host::Then => Stack::start_then(folder).await,
            _ => Stack::start_on(host).await,
        };
        let found = match run(&program, &stack, fanout, sweep, options).await {
            Ok(found) => found,
            Err(why) => {
                report.say(format!("hookbench, fan-out {fanout}: {why}"));
                continue;
            }
        };
        let kept_up = found["max_kept_up_per_s"].as_f64().unwrap_or_default();
        report.say(format!(
            "{:<10} {fanout:>7} {kept_up:>10.0}/s {svix:>12.0}/s {:>11.2}x",
            report::name(host),
            kept_up / svix
        ));
        let at_200 =
            found["steps"].as_array().into_iter().flatten().find(|step| step["offered_per_s"] == 200.0);
        if let Some(step) = at_200.filter(|_| fanout == 1) {
            let ms =
                |quantile: &str| step["pooled_end_to_end_ms"][quantile].as_f64().unwrap_or(f64::INFINITY);
            let (p50, p99) = (ms("p50"), ms("p99"));
            report.say(format!(
                "           end to end at 200/s: p50 {p50:.1} ms ({:.2}x Svix), p99 {p99:.1} ms ({:.2}x)",
                p50 / SVIX_AT_200_MS.0,
                p99 / SVIX_AT_200_MS.1
            ));
        }
        report.keep(
            Part::Yardstick.name(),
            json!({
                "runtime": report::name(host), "fanout": fanout, "kept_up_per_s": kept_up, "svix_per_s": svix,
                "max_sustained_per_s": found["max_sustained_per_s"], "void": found["void"]
            }),
        );
    }
    report.say("Svix' figures are those of hookbench's README, from another machine of this kind; it is not run here.");
}

async fn run(
    program: &Path,
    stack: &Stack,
    fanout: usize,
    sweep: &str,
    options: &Options,
) -> Result<Value, String> {
    let project = stack.project("yardstick").await;
    let port = free_port();
    for webhook in 0..fanout {
        let url = format!("http://127.0.0.1:{port}/hook/{webhook}");
        project.listen(&format!("w{webhook}"), &url, &json!({ "events": ["order.paid"] })).await;
    }
    let out = std::env::temp_dir().join(format!("postern-hookbench-{}-{port}.json", std::process::id()));
    let mut command = Command::new(program);
    command.args(["--target", "postern", "--sweep", sweep]);
    for (name, value) in
        [("base", stack.base()), ("token", project.token.clone()), ("project", project.name.clone())]
    {
        command.arg("--var").arg(format!("{name}={value}"));
    }
    command.arg("--fanout").arg(fanout.to_string());
    command.arg("--duration").arg(options.duration.as_secs().to_string());
    command.arg("--payload-bytes").arg(options.body_bytes.to_string());
    command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    command.arg("--out").arg(&out).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let status = command.status().await.map_err(|fault| format!("it could not be started: {fault}"))?;
    let text = std::fs::read_to_string(&out)
        .map_err(|fault| format!("it ended with {status} and no report: {fault}"));
    drop(std::fs::remove_file(&out));
    serde_json::from_str(&text?).map_err(|fault| format!("its report is not JSON: {fault}"))
}
