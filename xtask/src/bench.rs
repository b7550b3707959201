//! `cargo xtask bench`: a release build under load. What is measured and how is written in `tests/src/bench`,
//! but for `scale` and `worst`, which need no server and are benchmarks of the ledger (`ledger/benches`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::against;
use crate::builds::{self, Profile};
use crate::environment::{self, Browser};
use crate::failure::{Failure, Result};
use crate::process::{self, Job, must_succeed};
use crate::report;
use crate::simulate::optimise;
use crate::test_program;
use crate::tools::Toolbox;
use crate::workspace;

/// The parts that run in the ledger, with what they show.
const NATIVE: [(&str, &str); 2] = [
    ("scale", "one project as its history grows, in a native ledger"),
    ("worst", "the request that costs most CPU, behind every door, in a native ledger"),
];

/// The parts that measure the Worker of another commit beside this one.
const BESIDE: [&str; 2] = ["floor", "yardstick"];

/// What `--help` shows: the benchmark's own text, without building it.
pub(crate) const USAGE: &str = include_str!("../../tests/src/bench/usage.txt");

/// What of the command line decides what is built and started here. The rest is the benchmark's
/// (`tests/src/bench/options.rs`), which refuses what is wrong.
#[derive(Default)]
struct Selection {
    /// The names in `--only`; `None` if it is absent.
    only: Option<Vec<String>>,
    /// Whether an argument is there that selects the rates alone.
    is_narrowed: bool,
    /// The commit in `--against`, whose Worker is measured beside this one. A folder there is the benchmark's
    /// own matter.
    commit: Option<String>,
}

impl Selection {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut selection = Self::default();
        let mut arguments = Parser::from_args(arguments);
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("only") => {
                    let names = arguments.value()?.string()?;
                    selection.only = Some(names.split(',').map(String::from).collect());
                }
                Arg::Long("against") => {
                    let value = arguments.value()?.string()?;
                    selection.commit = Some(value).filter(|value| !Path::new(value).is_dir());
                }
                Arg::Long("rates" | "fanout") => {
                    selection.is_narrowed = true;
                    drop(arguments.optional_value());
                }
                _ => drop(arguments.optional_value()),
            }
        }
        if selection.commit.is_some() && !BESIDE.iter().any(|part| selection.wants(part)) {
            return Err(Failure::new(format!(
                "--against: a commit is measured by {} only (`page` takes a folder with a built dashboard).",
                BESIDE.join(" and ")
            )));
        }
        Ok(selection)
    }

    /// Whether `part` is asked for.
    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().map_or(!self.is_narrowed, |names| names.iter().any(|name| name == part))
    }

    /// Whether anything is asked for that does not run in the ledger.
    fn needs_a_stack(&self) -> bool {
        let is_native = |name: &String| NATIVE.iter().any(|(part, _shows)| part == name);
        self.only.as_ref().is_none_or(|names| !names.iter().all(is_native))
    }
}

/// Builds everything in release and hands `arguments` to the benchmark; its exit code is ours.
///
/// # Errors
/// A build failed, or the benchmark could not be started.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let selection = Selection::parse(arguments)?;
    let mut code = ExitCode::SUCCESS;
    if selection.needs_a_stack() {
        // Before anything that takes minutes.
        let commit = selection.commit.as_deref().map(against::full_name).transpose()?;
        let tools = Toolbox::prepare()?;
        let arguments = match &commit {
            Some(commit) => against::with_folder(arguments, &against::worker(&tools, commit)?),
            None => arguments.to_vec(),
        };
        builds::build_all(&tools, Profile::Release)?;
        let mut bench = test_program::cargo();
        bench
            .args(["run", "--quiet", "--release", "--package", "postern-tests", "--bin", "bench", "--"])
            .args(arguments);
        optimise(&mut bench);
        let browser = if selection.wants("page") { Some(Browser::find_or_install()?) } else { None };
        environment::set(&mut bench, &tools, browser.as_ref());
        if selection.wants("yardstick")
            && let Some(hookbench) = hookbench()?
        {
            bench.env("POSTERN_HOOKBENCH", hookbench);
        }
        code = run_through(bench)?;
    }
    for (part, shows) in NATIVE.into_iter().filter(|(part, _shows)| selection.wants(part)) {
        report::say(format!("\n== {part}: {shows}"));
        let mut bench = test_program::cargo();
        bench.args(["bench", "--quiet", "--package", "postern-ledger", "--bench", part]);
        optimise(&mut bench);
        let ended = run_through(bench)?;
        code = if code == ExitCode::SUCCESS { ended } else { code };
    }
    Ok(code)
}

fn run_through(command: Command) -> Result<ExitCode> {
    let status = Job::start(command)?.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)))
}

/// The yardstick that other systems were measured with, built. `None` if its source is not beside the
/// repository.
fn hookbench() -> Result<Option<PathBuf>> {
    let Some(manifest) = workspace::root()
        .parent()
        .map(|beside| beside.join("shared/hookbench/Cargo.toml"))
        .filter(|file| file.exists())
    else {
        return Ok(None);
    };
    let target = workspace::cache()?.join("hookbench");
    report::announce("building hookbench");
    let mut build = process::command("cargo");
    build
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(&manifest)
        .env("CARGO_TARGET_DIR", &target);
    must_succeed(build, "hookbench's build")?;
    Ok(Some(target.join("release/hookbench")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(line: &str) -> Selection {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Selection::parse(&words).expect("right arguments")
    }

    #[test]
    fn what_runs_in_the_ledger_runs_by_default_and_where_it_is_named() {
        for (line, scale, stack) in [
            ("", true, true),
            ("--only scale", true, false),
            ("--only=scale", true, false),
            ("--only rates,scale", true, true),
            ("--only rates", false, true),
            ("--rates 50", false, true),
            ("--rates=50", false, true),
            ("--duration 5", true, true),
        ] {
            let selection = selection(line);
            assert_eq!((selection.wants("scale"), selection.needs_a_stack()), (scale, stack), "{line}");
        }
        assert!(
            selection("--only worst").wants("worst")
                && !selection("--only scale,worst").needs_a_stack()
                && !selection("--only worst").wants("scale")
        );
        assert!(
            selection("").wants("page")
                && selection("--only page --against /dev").wants("page")
                && !selection("--only rates").wants("page")
        );
    }

    #[test]
    fn a_commit_is_built_where_a_part_measures_it_and_a_folder_never() {
        for (line, commit) in [
            ("--only floor --against 3f5dfa0", Some("3f5dfa0")),
            ("--only rates,yardstick --against=main~3", Some("main~3")),
            ("--against 3f5dfa0", Some("3f5dfa0")),
            ("--only page --against /dev", None),
            ("--only floor", None),
        ] {
            assert_eq!(selection(line).commit.as_deref(), commit, "{line}");
        }
        let refused = Selection::parse(&["--only", "page", "--against", "3f5dfa0"].map(OsString::from));
        assert!(refused.is_err_and(|why| why.to_string().contains("floor and yardstick only")));
    }
}
