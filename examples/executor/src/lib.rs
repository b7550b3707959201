//! An example executor: it claims runs of a project, does what their chains say, and tells Postern how far it
//! is.
//!
//! A chain is `{"list": [{"id", "exe", "params"}]}`, as actinia's process chains are. Only three programs are
//! run, and nothing else, because a chain comes from outside: `/bin/sleep` (up to 60 s), `/bin/true` and
//! `/bin/false`. The process itself is never a shell, and its arguments are checked.
//!
//! What every executor has to do is all here: claim with a lease ([`Postern::claim`]), say something well
//! before the lease ends ([`LEASE_S`], [`TELL_EVERY`]), send the claim's number along so that a stale
//! executor is told apart, and stop working when the answer is 409: the run was terminated, or somebody else
//! has it.
//!
//! ```text
//! postern-executor http://127.0.0.1:8787 demo pst_demo_…        # works until it is stopped
//! postern-executor --once http://127.0.0.1:8787 demo pst_demo_… # until no run waits
//! ```
//! The token needs the role `execute`. Over https put a proxy in front: this example speaks plain HTTP only.

#![expect(clippy::print_stderr, reason = "it is run in a terminal and tells there what it does")]

mod chain;
mod postern;

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::chain::Step;
use crate::postern::{Heard, Postern, Run};

/// Seconds of a claim's lease.
const LEASE_S: u32 = 30;
/// While a step runs, Postern hears of it this often: well before the lease ends, and often enough for a bar
/// that moves.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How often a running step is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Rest between two claims where nothing waits.
const IDLE: Duration = Duration::from_millis(500);

/// Claims and does runs until `is_enough` says so; it is asked whenever no run waits and after each failure.
/// Gives how many runs were done.
pub fn serve(base: &str, project: &str, token: &str, mut is_enough: impl FnMut() -> bool) -> usize {
    let postern = Postern::new(base, project, token);
    let mut done = 0;
    loop {
        match postern.claim(LEASE_S) {
            Ok(Some(run)) => {
                eprintln!("{}: claimed", run.id);
                let end = work(&postern, &run);
                eprintln!("{}: {end}", run.id);
                done += 1;
                continue;
            }
            Ok(None) => {}
            Err(fault) => eprintln!("{fault}"),
        }
        if is_enough() {
            return done;
        }
        thread::sleep(IDLE);
    }
}

/// Does a run to its end; gives what became of it, in words.
fn work(postern: &Postern, run: &Run) -> String {
    let steps = match chain::parse(&run.chain) {
        Ok(steps) => steps,
        Err(fault) => return told(&postern.finish(run, "error", &fault, &json!({}), &[])),
    };
    let of = steps.len();
    let mut log = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        let message = format!(
            "Running {} with parameters {:?} for the process {number} of {of}",
            step.exe, step.params
        );
        let progress = json!({ "step": number, "of": of });
        if let Stopped::Yes(why) =
            stopped(&postern.update(run, &json!({ "message": message, "progress": progress })))
        {
            return why;
        }
        let started = Instant::now();
        let code = match run_step(step, || {
            stopped(&postern.update(run, &json!({ "message": message, "progress": progress })))
        }) {
            Ended::Code(code) => code,
            Ended::Stopped(why) => return why,
            Ended::NotStarted(fault) => return told(&postern.finish(run, "error", &fault, &json!({}), &log)),
        };
        log.push(json!({
            "id": step.id, "executable": step.exe, "parameter": step.params, "stdout": "", "stderr": [""], "return_code": code,
            "run_time": started.elapsed().as_secs_f64(),
        }));
        if code != 0 {
            let message = format!("Error while running executable <{}>: it ended with {code}", step.exe);
            return told(&postern.finish(run, "error", &message, &json!({}), &log));
        }
    }
    told(&postern.finish(run, "finished", "Processing successfully finished", &json!({}), &log))
}

/// How a step ended.
enum Ended {
    Code(i32),
    /// Postern wants no more of this run.
    Stopped(String),
    NotStarted(String),
}

/// Whether the work is to be stopped, and why.
enum Stopped {
    No,
    Yes(String),
}

/// Runs a step, telling Postern now and then. It is killed where Postern wants no more of it.
fn run_step(step: &Step, tell: impl Fn() -> Stopped) -> Ended {
    let mut child = match Command::new(step.exe)
        .args(&step.params)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
    {
        Ok(child) => child,
        Err(fault) => return Ended::NotStarted(format!("{} could not be started: {fault}", step.exe)),
    };
    let mut told_at = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ended::Code(status.code().unwrap_or(-1)),
            Ok(None) => thread::sleep(LOOK_EVERY),
            Err(fault) => {
                kill(&mut child);
                return Ended::NotStarted(format!("{} could not be waited for: {fault}", step.exe));
            }
        }
        if told_at.elapsed() >= TELL_EVERY {
            told_at = Instant::now();
            if let Stopped::Yes(why) = tell() {
                kill(&mut child);
                return Ended::Stopped(why);
            }
        }
    }
}

fn kill(child: &mut Child) {
    // It may have ended by itself meanwhile.
    drop(child.kill());
    drop(child.wait());
}

/// Only a 409 stops the work: a connection that fails may come back before the lease ends.
fn stopped(heard: &Heard) -> Stopped {
    match heard {
        Heard::Yes => Stopped::No,
        Heard::Refused(why) => Stopped::Yes(why.clone()),
        Heard::Failed(fault) => {
            eprintln!("{fault}");
            Stopped::No
        }
    }
}

fn told(heard: &Heard) -> String {
    match heard {
        Heard::Yes => String::from("done"),
        Heard::Refused(why) | Heard::Failed(why) => why.clone(),
    }
}
