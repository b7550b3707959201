//! `cargo xtask deploy`: release builds, then `wrangler deploy`, which may ask for a sign-in.

use std::process::{Command, ExitCode};

use lexopt::{Arg, Parser};

use crate::builds::{self, Profile};
use crate::failure::{Failure, Result};
use crate::process::{self, Output};
use crate::report;
use crate::tools::Toolbox;
use crate::workspace;
use crate::wrangler::{self, State};

/// What was asked for on the command line.
pub(crate) struct Options {
    is_dry_run: bool,
}

impl Options {
    /// Reads the arguments after `deploy`.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut options = Self { is_dry_run: false };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("dry-run") => options.is_dry_run = true,
                other => return Err(Failure::argument("deploy", "--dry-run", other)),
            }
        }
        Ok(options)
    }
}

/// Builds and deploys, or goes all the way but the last step.
///
/// # Errors
/// A build or the deployment failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let tools = Toolbox::prepare()?;
    builds::build_all(&tools, Profile::Release)?;
    if options.is_dry_run {
        let output = dry_run(&tools)?;
        report::say(output.text.trim_end());
        return Ok(if output.succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    // In the foreground and not under a supervisor: it may open a browser or ask something, and ends by
    // itself.
    let mut deploy = Command::new(&tools.node);
    deploy.arg(Toolbox::wrangler()).arg("deploy").current_dir(workspace::root()).env("PATH", tools.path());
    wrangler::set_built(&mut deploy);
    let status =
        deploy.status().map_err(|cause| Failure::new(format!("wrangler could not be started: {cause}.")))?;
    process::go_on()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Bundles and checks the configuration without an account.
///
/// # Errors
/// wrangler could not be started.
pub(crate) fn dry_run(tools: &Toolbox) -> Result<Output> {
    let folder = workspace::stage().join("deploy");
    let mut deploy = wrangler::command(tools, &State::at(&folder)?);
    deploy
        .args(["deploy", "--dry-run", "--outdir"])
        .arg(folder.join("bundle"))
        .env("CI", "1")
        .env("NO_COLOR", "1");
    process::capture(deploy, "wrangler deploy --dry-run")
}
