//! `cargo xtask simulate`: the deterministic simulation over many seeds, or until somebody stops it.
//!
//! The simulation itself is a test of the engine (`engine/tests/simulation`), which takes the seeds from
//! `POSTERN_FROM` (the first) and `POSTERN_SEEDS` (how many), runs them on two threads and prints the states
//! and rules that they reached. Here it is built optimised, but with its assertions, and run a chunk of seeds
//! at a time. A seed that fails ends it, with the command that repeats it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::failure::{Failure, Result};
use crate::process::{self, capture};
use crate::report;
use crate::test_program;
use crate::workspace;

/// Seeds of one process: some seconds of work.
const CHUNK: u64 = 2_000;
/// The test that runs the seeds, by the start of its name.
const TEST: &str = "nothing_is_lost";
/// The end of the line after which the simulation lists what was reached.
const REACHED: &str = "reached, in how many seeds:";
/// How often the progress is said.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How many seeds; 0 goes on until it is stopped.
    seeds: u64,
    /// The first.
    from: u64,
}

impl Options {
    /// Reads the arguments after `simulate`.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut options = Self { seeds: 10_000, from: 0 };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("seeds") => options.seeds = number(&arguments.value()?.string()?)?,
                Arg::Long("from") => options.from = number(&arguments.value()?.string()?)?,
                other => return Err(Failure::argument("simulate", "--seeds N and --from N", other)),
            }
        }
        Ok(options)
    }

    /// The seeds of chunk `number`, if there is one.
    fn chunk(&self, number: u64) -> Option<(u64, u64)> {
        let offset = number.checked_mul(CHUNK)?;
        let left = if self.seeds == 0 { CHUNK } else { self.seeds.saturating_sub(offset) };
        (left > 0).then(|| (self.from.saturating_add(offset), left.min(CHUNK)))
    }
}

/// Runs the seeds.
///
/// # Errors
/// The simulation could not be built, or a seed failed: the sentence holds what the simulation said of it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    report::announce("building the simulation, optimised");
    let program = build()?;
    let many =
        if options.seeds == 0 { String::from("until stopped") } else { format!("{} seeds", options.seeds) };
    report::say(format!("simulating from seed {}, {many}", options.from));
    let mut tally =
        Tally { started: Instant::now(), said: Duration::ZERO, seeds: 0, reached: BTreeMap::new() };
    let ended =
        (0..).map_while(|number| options.chunk(number)).try_for_each(|chunk| tally.run(&program, chunk));
    tally.say_all();
    ended.map(|()| ExitCode::SUCCESS)
}

/// What the chunks found, all together.
struct Tally {
    started: Instant,
    said: Duration,
    seeds: u64,
    /// States and rules by name, and in how many seeds each was reached.
    reached: BTreeMap<String, u64>,
}

impl Tally {
    /// Runs `count` seeds from `first` on.
    fn run(&mut self, program: &PathBuf, (first, count): (u64, u64)) -> Result<()> {
        let mut simulation = process::command(program);
        simulation.args([TEST, "--nocapture"]).env_remove("POSTERN_SEED");
        simulation.env("POSTERN_FROM", first.to_string()).env("POSTERN_SEEDS", count.to_string());
        let output = capture(simulation, "simulation")?;
        if !output.succeeded || !output.text.contains("1 passed") {
            return Err(Failure::new(format!(
                "Of the seeds {first} to {}:\n{}",
                first + count - 1,
                output.text.trim()
            )));
        }
        self.seeds += count;
        for (name, seeds) in reached(&output.text) {
            *self.reached.entry(name).or_default() += seeds;
        }
        let elapsed = self.started.elapsed();
        if elapsed >= self.said + SAY_EVERY {
            self.said = elapsed;
            let per_s = self.seeds / elapsed.as_secs().max(1);
            let rules = self.reached.len();
            report::say(format!(
                "  {} seeds, none failed, {per_s} a second, {rules} states and rules reached",
                self.seeds
            ));
        }
        Ok(())
    }

    fn say_all(&self) {
        report::say(format!(
            "{} seeds without a violation in {}; they reached:",
            self.seeds,
            report::seconds(self.started.elapsed())
        ));
        for (name, seeds) in &self.reached {
            report::say(format!("  {seeds:>10} seeds  {name}"));
        }
    }
}

/// The lines `N  NAME` after [`REACHED`].
fn reached(printed: &str) -> impl Iterator<Item = (String, u64)> + '_ {
    let list = printed.lines().skip_while(|line| !line.trim_end().ends_with(REACHED)).skip(1);
    list.map_while(|line| {
        let (seeds, name) = line.trim().split_once("  ")?;
        Some((name.to_owned(), seeds.parse().ok()?))
    })
}

/// Builds the simulation and gives its executable.
fn build() -> Result<PathBuf> {
    let mut build = test_program::cargo();
    build.args([
        "test",
        "--release",
        "--no-run",
        "--color",
        "never",
        "--package",
        "postern-engine",
        "--test",
        "simulation",
    ]);
    optimise(&mut build);
    build
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true");
    let printed = process::must_succeed(build, "the simulation's build")?;
    executable(&printed).ok_or_else(|| Failure::new("cargo did not say where the simulation is."))
}

/// Where cargo put what it built: `Executable tests/simulation/main.rs (PATH)`.
fn executable(printed: &str) -> Option<PathBuf> {
    let line = printed.lines().rev().find_map(|line| line.trim().strip_prefix("Executable "))?;
    let (_, path) = line.strip_suffix(')')?.rsplit_once('(')?;
    Some(workspace::root().join(path))
}

/// Makes a release build of ours fast to run: the profile is the Worker's, which has to be small.
pub(crate) fn optimise(build: &mut Command) {
    // Link-time optimisation would make everybody wait for it.
    build
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3");
}

/// A number that may be grouped: `10_000` or `10,000`.
fn number(text: &str) -> Result<u64> {
    let digits = text.replace(['_', ','], "");
    digits.parse().map_err(|_not_a_number| Failure::new(format!("`{text}` is not a number.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn seeds_and_start_are_numbers() {
        assert_eq!(parse("--seeds 1_000 --from=17").expect("numbers"), Options { seeds: 1_000, from: 17 });
        assert_eq!(parse("").expect("nothing"), Options { seeds: 10_000, from: 0 });
        for wrong in ["--seeds", "--seeds many", "--speed 1", "17"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn chunks_cover_every_seed_once_and_end_unless_there_is_no_end() {
        let options = Options { seeds: 2 * CHUNK + 1, from: 7 };
        let chunks: Vec<_> = (0..4).map(|number| options.chunk(number)).collect();
        assert_eq!(chunks, [Some((7, CHUNK)), Some((7 + CHUNK, CHUNK)), Some((7 + 2 * CHUNK, 1)), None]);
        assert_eq!(Options { seeds: 0, from: 0 }.chunk(1_000_000), Some((1_000_000 * CHUNK, CHUNK)));
    }

    #[test]
    fn the_executable_is_read_from_what_cargo_prints() {
        let printed = "   Compiling postern-engine\n    Finished `release`\n  Executable tests/simulation/main.rs (/t/release/deps/simulation-1)\n";
        assert_eq!(executable(printed), Some(PathBuf::from("/t/release/deps/simulation-1")));
        assert_eq!(executable("error: no"), None);
    }

    #[test]
    fn what_was_reached_is_read_from_what_the_simulation_prints() {
        let printed = "running 1 test\n9 seeds from 0, 5 steps, 2 calls in 0.1 s; reached, in how many seeds:\n       9  an attempt was lost\n       1  state leased\ntest a ... ok\n\ntest result: ok. 1 passed";
        let found = [(String::from("an attempt was lost"), 9), (String::from("state leased"), 1)];
        assert_eq!(reached(printed).collect::<Vec<_>>(), found);
    }
}
