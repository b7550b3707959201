//! The test programs that cargo builds; each is a job of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::process::{self, Output, capture, must_succeed};
use crate::schedule::{Finding, Tally};
use crate::workspace;

/// A built test program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Program {
    /// The folder of its package, below the root: `core`, `examples/executor`.
    pub(crate) package: String,
    /// The name of its target: the package's library, or a file of its `tests`.
    pub(crate) target: String,
    /// Where it is.
    pub(crate) file: PathBuf,
}

/// `cargo` with the default toolchain, in the repository.
pub(crate) fn cargo() -> Command {
    let mut command = process::command("cargo");
    command.current_dir(workspace::root());
    command
}

/// Builds the test programs of these packages (`--package postern-core`, `--workspace`).
///
/// # Errors
/// What the compiler said.
pub(crate) fn build(selection: &[&str]) -> Result<Vec<Program>> {
    let test = |more: &[&str]| {
        let mut test = cargo();
        test.args(["test", "--no-run"]).args(selection).args(more);
        test
    };
    must_succeed(test(&[]), "cargo test --no-run")?;
    // Nothing is left to compile: this only says where the programs are.
    let listed = must_succeed(test(&["--quiet", "--message-format=json"]), "cargo test --no-run")?;
    let programs: BTreeSet<Program> = listed.lines().filter_map(program).collect();
    if programs.is_empty() {
        Err(Failure::new("cargo names no test program."))
    } else {
        Ok(programs.into_iter().collect())
    }
}

/// What a line of cargo's says of a test program, if it is about one.
fn program(line: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(line).ok()?;
    let file = PathBuf::from(message["executable"].as_str()?);
    if message["profile"]["test"] != true {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let package = manifest.parent()?.strip_prefix(workspace::root()).ok()?.to_string_lossy().into_owned();
    Some(Program { package, target: message["target"]["name"].as_str()?.to_owned(), file })
}

/// Runs a test program in its package's folder, as cargo does. `prepare` sets its environment.
///
/// # Errors
/// It could not be started, or a signal ended it.
pub(crate) fn run(program: &Program, prepare: impl FnOnce(&mut Command)) -> Result<Finding> {
    let mut test = process::command(&program.file);
    test.current_dir(workspace::root().join(&program.package));
    prepare(&mut test);
    let output = capture(test, &program.target)?;
    Ok(finding(&output))
}

/// What cargo's own `test` of these packages comes to.
///
/// # Errors
/// See [`run`].
pub(crate) fn cargo_test(arguments: &[&str]) -> Result<Finding> {
    let mut test = cargo();
    test.args(["test", "--no-fail-fast"]).args(arguments);
    let output = capture(test, "cargo test")?;
    let found = finding(&output);
    let is_empty = found.tally == Tally::default();
    Ok(if is_empty {
        Finding { tally: Tally { passed: 0, failed: 1 }, text: format!("{}\nNo test was found.", found.text) }
    } else {
        found
    })
}

fn finding(output: &Output) -> Finding {
    let printed = output.text.as_str();
    let (tally, ignored) = count(printed);
    let complaint = match (tally, ignored) {
        (Tally { failed: 0, .. }, _) if !output.succeeded => "The test program failed without a failed test.",
        (_, 1..) => "Tests are ignored; a test runs or is deleted.",
        _ => "",
    };
    if complaint.is_empty() {
        let text = if tally.failed == 0 { format!("{} passed", tally.passed) } else { printed.to_owned() };
        return Finding { tally, text };
    }
    Finding { tally: Tally { failed: tally.failed + 1, ..tally }, text: format!("{printed}\n{complaint}") }
}

/// Adds up the `test result:` lines: passed and failed, and how many were ignored.
fn count(output: &str) -> (Tally, u32) {
    let mut tally = Tally::default();
    let mut ignored = 0;
    for line in output.lines().filter(|line| line.starts_with("test result:")) {
        let number_before = |word: &str| -> u32 {
            line.split([';', '.'])
                .filter_map(|part| part.trim().strip_suffix(word))
                .find_map(|number| number.trim().parse().ok())
                .unwrap_or(0)
        };
        tally.passed += number_before("passed");
        tally.failed += number_before("failed");
        ignored += number_before("ignored");
    }
    (tally, ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_added_up() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s\n\
                      noise\ntest result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        assert_eq!(count(output), (Tally { passed: 13, failed: 2 }, 1));
        assert_eq!(count("error: could not compile"), (Tally::default(), 0));
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_has_failed() {
        let ok =
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        let tally = |text: &str, succeeded| finding(&Output { text: text.to_owned(), succeeded }).tally;
        assert_eq!(tally(ok, true), Tally { passed: 3, failed: 0 });
        assert_eq!(tally(ok, false), Tally { passed: 3, failed: 1 });
        assert_eq!(tally("Segmentation fault", false), Tally { passed: 0, failed: 1 });
        assert_eq!(tally(&ok.replace("0 ignored", "1 ignored"), true).failed, 1);
    }

    #[test]
    fn cargo_s_messages_name_test_programs() {
        let manifest = workspace::root().join("examples/executor/Cargo.toml");
        let message = |is_test: bool, executable: Value| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": manifest, "target": { "name": "postern_executor", "kind": ["lib"] },
                "profile": { "test": is_test }, "executable": executable,
            })
            .to_string()
        };
        let wanted = Program {
            package: "examples/executor".to_owned(),
            target: "postern_executor".to_owned(),
            file: PathBuf::from("/t/a-1"),
        };
        assert_eq!(program(&message(true, Value::from("/t/a-1"))), Some(wanted));
        assert_eq!(program(&message(false, Value::from("/t/a-1"))), None, "an ordinary program");
        assert_eq!(program(&message(true, Value::Null)), None, "a library");
        assert_eq!(program("   Compiling postern-core v0.1.0"), None);
    }
}
