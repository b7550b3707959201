//! `cargo xtask bench`: a release build under load. What is measured and how is written in `tests/src/bin/bench.rs`.

use std::process::ExitCode;

use crate::builds::{self, Profile};
use crate::failure::Result;
use crate::process::Job;
use crate::test;
use crate::tools::Toolbox;

/// Builds everything in release and hands `arguments` to the benchmark; its exit code is ours.
///
/// # Errors
/// A build failed, or the benchmark could not be started.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let tools = Toolbox::prepare()?;
    builds::build_all(&tools, Profile::Release)?;
    let mut bench = test::cargo();
    bench.args(["run", "--quiet", "--release", "--package", "postern-tests", "--bin", "bench", "--"]).args(arguments);
    // The benchmark itself need not be small, and link-time optimisation would make everybody wait for it.
    bench
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3");
    test::set_environment(&mut bench, &tools, None);
    let status = Job::start(bench)?.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)))
}
