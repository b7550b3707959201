//! `cargo xtask bench`: a release build under load. What is measured and how is written in `tests/src/bench`, but for `scale` and
//! `worst`, which need no server and are benchmarks of the ledger (`ledger/benches`).

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::builds::{self, Profile};
use crate::environment::{self, Browser};
use crate::failure::Result;
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

/// Builds everything in release and hands `arguments` to the benchmark; its exit code is ours.
///
/// # Errors
/// A build failed, or the benchmark could not be started.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    if needs_a_stack(arguments) {
        let tools = Toolbox::prepare()?;
        builds::build_all(&tools, Profile::Release)?;
        let mut bench = test_program::cargo();
        bench
            .args(["run", "--quiet", "--release", "--package", "postern-tests", "--bin", "bench", "--"])
            .args(arguments);
        optimise(&mut bench);
        let browser = if wants(arguments, "page") { Some(Browser::find_or_install()?) } else { None };
        environment::set(&mut bench, &tools, browser.as_ref());
        if wants(arguments, "yardstick")
            && let Some(hookbench) = hookbench()?
        {
            bench.env("POSTERN_HOOKBENCH", hookbench);
        }
        code = run_through(bench)?;
    }
    for (part, shows) in NATIVE.into_iter().filter(|(part, _shows)| wants(arguments, part)) {
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

/// The value of `--only`, if it is given.
fn only(arguments: &[String]) -> Option<&String> {
    let at = arguments.iter().position(|argument| argument == "--only")?;
    arguments.get(at + 1)
}

/// Whether `part` is asked for. Rates alone are measured where they are given (tests/src/bench/options.rs).
fn wants(arguments: &[String], part: &str) -> bool {
    match only(arguments) {
        Some(parts) => parts.split(',').any(|name| name == part),
        None => !arguments
            .iter()
            .any(|argument| ["--rates", "--fanout", "--help", "-h"].contains(&argument.as_str())),
    }
}

/// Whether anything is asked for that does not run in the ledger.
fn needs_a_stack(arguments: &[String]) -> bool {
    only(arguments)
        .is_none_or(|parts| parts.split(',').any(|name| !NATIVE.iter().any(|(part, _shows)| *part == name)))
}

/// The yardstick that other systems were measured with, built. It lies beside the repository or it does not.
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

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_runs_in_the_ledger_runs_by_default_and_where_it_is_named() {
        for (line, scale, stack) in [
            ("", true, true),
            ("--only scale", true, false),
            ("--only rates,scale", true, true),
            ("--only rates", false, true),
            ("--rates 50", false, true),
            ("--duration 5", true, true),
            ("--help", false, true),
        ] {
            assert_eq!((wants(&words(line), "scale"), needs_a_stack(&words(line))), (scale, stack), "{line}");
        }
        assert!(
            wants(&words("--only worst"), "worst")
                && !needs_a_stack(&words("--only scale,worst"))
                && !wants(&words("--only worst"), "scale")
        );
        assert!(
            wants(&[], "page")
                && wants(&words("--only page --against dist"), "page")
                && !wants(&words("--only rates"), "page")
        );
    }
}
