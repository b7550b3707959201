//! `cargo xtask fuzz`: libFuzzer over every parser of outside text (`fuzz/`), each target with a corpus that
//! is kept.
//!
//! A stable compiler is enough: coverage comes from LLVM's own pass, and an address sanitizer would find
//! nothing in code without `unsafe`. What breaks a target is written to `target/fuzz/crashes` and named; put
//! it into `fuzz/corpus/TARGET` with its fix, so that it never comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::failure::{Failure, Result};
use crate::files;
use crate::process::{self, capture};
use crate::report;
use crate::test_program;
use crate::tools::Apt;
use crate::workspace;

/// Instrumentation for libFuzzer, as `-C` flags that a stable compiler takes.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";
/// Bytes of an input at most: beyond it the parsers see more of the same.
const INPUT_BYTES_MAX: u32 = 4_096;
/// An input that takes longer has found a loop, however busy the machine is.
const INPUT_SECONDS_MAX: u32 = 60;
/// What [`Amount::Inputs`] are made from.
const SEED: u32 = 20_261_130;
/// Memory beyond which an input has found a leak.
const MEMORY_MIB_MAX: u32 = 1_024;

/// How much a target is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// As much as it takes in so many seconds; 0: its corpus only.
    Seconds(u64),
    /// Its corpus of the repository and so many inputs made of it from a fixed seed: the same on every
    /// machine.
    Inputs(u64),
}

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How much each target is fed.
    pub(crate) amount: Amount,
    /// The one target, or `None` for all.
    pub(crate) only: Option<String>,
    /// Whether what was found interesting is added to the corpus in the repository.
    pub(crate) keep: bool,
}

impl Options {
    /// Reads the arguments after `fuzz`.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut options = Self { amount: Amount::Seconds(60), only: None, keep: false };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("seconds") => options.amount = Amount::Seconds(arguments.value()?.parse()?),
                Arg::Long("inputs") => options.amount = Amount::Inputs(arguments.value()?.parse()?),
                Arg::Long("only") => options.only = Some(arguments.value()?.string()?),
                Arg::Long("keep") => options.keep = true,
                other => {
                    let takes = "--seconds N, --inputs N, --only TARGET and --keep";
                    return Err(Failure::argument("fuzz", takes, other));
                }
            }
        }
        Ok(options)
    }
}

/// What a target came to.
pub(crate) struct Found {
    /// Its name.
    pub(crate) target: String,
    /// Inputs that were tried.
    pub(crate) executions: u64,
    /// Inputs that are kept, with those of the repository.
    pub(crate) corpus: usize,
    /// What it said where it broke.
    pub(crate) finding: Option<String>,
}

/// Feeds the targets.
///
/// # Errors
/// They could not be built, or one broke.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let found = feed(options)?;
    report::say(format!("{:<14} {:>12} {:>8}  finding", "target", "executions", "corpus"));
    for target in &found {
        let finding =
            target.finding.as_deref().map_or("none", |finding| finding.lines().next().unwrap_or("yes"));
        report::say(format!(
            "{:<14} {:>12} {:>8}  {finding}",
            target.target, target.executions, target.corpus
        ));
    }
    let broken: Vec<&Found> = found.iter().filter(|target| target.finding.is_some()).collect();
    if broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let findings: Vec<String> =
        broken.iter().map(|target| target.finding.clone().unwrap_or_default()).collect();
    Err(Failure::new(findings.join("\n")))
}

/// Builds once and feeds each target in turn.
///
/// # Errors
/// The targets could not be built or started.
pub(crate) fn feed(options: &Options) -> Result<Vec<Found>> {
    report::announce("building the fuzz targets");
    let program = build()?;
    let corpora = workspace::root().join("fuzz/corpus");
    let mut targets: Vec<String> = folders(&corpora)?;
    if let Some(only) = &options.only {
        targets.retain(|target| target == only);
    }
    if targets.is_empty() {
        return Err(Failure::new("There is no such target: each has a folder in fuzz/corpus."));
    }
    targets.iter().map(|target| feed_one(&program, &corpora, target, options)).collect()
}

fn feed_one(program: &Path, corpora: &Path, target: &str, options: &Options) -> Result<Found> {
    let own = corpora.join(target);
    let grown = workspace::root().join("target/fuzz/corpus").join(target);
    let fixed = workspace::root().join("target/fuzz/fixed").join(target);
    let crashes = workspace::root().join("target/fuzz/crashes");
    for folder in [&grown, &crashes] {
        fs::create_dir_all(folder)
            .map_err(|cause| Failure::new(format!("{} cannot be made: {cause}.", folder.display())))?;
    }
    let started = Instant::now();
    let mut fuzzer = process::command(program);
    fuzzer.env("POSTERN_FUZZ", target);
    fuzzer.arg(format!("-artifact_prefix={}/{target}-", crashes.display()));
    fuzzer.args([
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        String::from("-print_final_stats=1"),
    ]);
    // The first folder is the one that grows.
    match options.amount {
        Amount::Seconds(0) => fuzzer.arg("-runs=0").arg(&own),
        Amount::Seconds(seconds) => fuzzer.arg(format!("-max_total_time={seconds}")).arg(&grown).arg(&own),
        Amount::Inputs(count) => {
            // What an earlier run found must not decide what this one tries.
            drop(fs::remove_dir_all(&fixed));
            files::make_folder(&fixed)?;
            fuzzer.arg(format!("-runs={count}")).arg(format!("-seed={SEED}")).arg(&fixed).arg(&own)
        }
    };
    let output = capture(fuzzer, target)?;
    if options.keep && output.succeeded && matches!(options.amount, Amount::Seconds(1..)) {
        let mut merge = process::command(program);
        merge.env("POSTERN_FUZZ", target).arg("-set_cover_merge=1").arg(&own).arg(&grown);
        capture(merge, "merge")?;
    }
    let executions = stat(&output.text, "stat::number_of_executed_units:");
    report::say(format!("  {target}: {executions} inputs in {}", report::seconds(started.elapsed())));
    let tail: Vec<&str> =
        output.text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("stat::")).collect();
    let finding = (!output.succeeded).then(|| format!("{target}: {}", tail.join("\n")));
    Ok(Found { target: target.to_owned(), executions, corpus: files(&own) + files(&grown), finding })
}

/// The number behind `name` in what libFuzzer printed.
fn stat(printed: &str, name: &str) -> u64 {
    let line = printed.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
}

fn folders(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder)
        .map_err(|cause| Failure::new(format!("{} cannot be read: {cause}.", folder.display())))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn build() -> Result<PathBuf> {
    if workspace::on_path("c++").is_none() {
        // libFuzzer is C++.
        if let Some(mut apt) = Apt::find()? {
            apt.install(&["g++".to_owned()])?;
        }
    }
    let target_dir = workspace::root().join("target/fuzz/build");
    let mut build = test_program::cargo();
    // Flags for a named target are not applied to build scripts, which libFuzzer's runtime is not linked to.
    let host = host()?;
    build.current_dir(workspace::root().join("fuzz")).args([
        "build",
        "--release",
        "--locked",
        "--target",
        &host,
    ]);
    build.env("CARGO_TARGET_DIR", &target_dir).env("RUSTFLAGS", INSTRUMENTED);
    process::must_succeed(build, "the fuzz targets' build")?;
    Ok(target_dir.join(host).join("release/postern-fuzz"))
}

/// The compiler's own target triple.
fn host() -> Result<String> {
    let mut rustc = process::command("rustc");
    rustc.arg("-vV");
    let printed = process::must_succeed(rustc, "rustc -vV")?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc does not say what it compiles for."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn time_and_target_can_be_chosen() {
        let only = Some(String::from("url"));
        assert_eq!(
            parse("--seconds 5 --only=url --keep").expect("right"),
            Options { amount: Amount::Seconds(5), only, keep: true }
        );
        assert_eq!(
            parse("").expect("nothing"),
            Options { amount: Amount::Seconds(60), only: None, keep: false }
        );
        assert_eq!(parse("--inputs 100").expect("a count").amount, Amount::Inputs(100));
        for wrong in ["--seconds", "--inputs many", "--seconds soon", "--speed 1", "url"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_count_is_read_from_what_libfuzzer_prints() {
        let printed = "Done 7 runs in 1 second(s)\nstat::number_of_executed_units: 7\nstat::peak_rss_mb: 30";
        assert_eq!(stat(printed, "stat::number_of_executed_units:"), 7);
        assert_eq!(stat("", "stat::number_of_executed_units:"), 0);
    }
}
