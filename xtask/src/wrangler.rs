//! Starts `wrangler` so that it sends nothing, asks nothing, and keeps everything it writes in one state
//! folder: several stacks run beside each other without meeting.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, PipeReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::failure::{Failure, Result};
use crate::files;
use crate::http;
use crate::process::{self, Job};
use crate::report;
use crate::tools::Toolbox;
use crate::variables::Variables;
use crate::workspace;

/// A folder with everything a stack remembers: KV and objects (`v3`), and what only a run needs (`run`).
pub(crate) struct State(PathBuf);

impl State {
    /// The folder of that name, made if it is not there. A relative name counts from the repository's root.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        let folder = workspace::root().join(folder);
        let run = folder.join("run");
        files::make_folder(&run)?;
        Ok(Self(folder))
    }

    /// Forgets everything. Only what is ours is removed: the folder may be anybody's.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub(crate) fn forget(&self) -> Result<()> {
        let ours = [self.0.join("v3"), self.file("registry"), self.file("cache"), self.file("logs")];
        for folder in ours.iter().filter(|folder| folder.exists()) {
            files::remove_folder(folder)?;
        }
        let seeded = self.file("seeded");
        if seeded.exists() {
            fs::remove_file(&seeded).map_err(|cause| Failure::path("remove", &seeded, &cause))
        } else {
            Ok(())
        }
    }

    /// The path of a file of this name for the run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join("run").join(name)
    }

    /// What wrangler prints.
    pub(crate) fn log(&self) -> PathBuf {
        self.file("wrangler.log")
    }
}

/// A `wrangler` of the pinned version, on a Node that it accepts, quiet.
pub(crate) fn command(tools: &Toolbox, state: &State) -> Command {
    let mut command = process::command(&tools.node);
    command.arg(Toolbox::wrangler()).current_dir(workspace::root());
    set_quiet(&mut command);
    set_built(&mut command);
    command
        .env("PATH", tools.path())
        .env("WRANGLER_REGISTRY_PATH", state.file("registry"))
        .env("WRANGLER_LOG_PATH", state.file("logs"))
        .env("MINIFLARE_CACHE_DIR", state.file("cache"));
    command
}

/// Keeps wrangler from building what was just built: see `build` in wrangler.jsonc.
pub(crate) fn set_built(command: &mut Command) {
    command.env("POSTERN_BUILT", "1");
}

/// The environment of docs/platform.md 1.8 that no two stacks need to differ in: no metrics, no look for a
/// newer version, no questions.
pub(crate) fn set_quiet(command: &mut Command) {
    command
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("WRANGLER_NO_SKILLS_UPDATE_PROMPTS", "true")
        .env("DO_NOT_TRACK", "1")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .env("X_LOCAL_OBSERVABILITY", "false")
        .env("X_LOCAL_EXPLORER", "false");
}

/// A running `wrangler dev`.
pub(crate) struct Dev {
    job: Job,
    log: PathBuf,
    /// `127.0.0.1:8787`
    pub(crate) address: String,
}

impl Dev {
    /// Starts it. Its output goes to the state's log; warnings and errors are shown as well.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn start(tools: &Toolbox, state: &State, vars: &Variables, port: u16) -> Result<Self> {
        let env_file = state.file("dev.env");
        vars.write_env_file(&env_file)?;
        let mut dev = command(tools, state);
        dev.args([
            "dev",
            "--ip",
            "127.0.0.1",
            "--inspector-port",
            "0",
            "--show-interactive-dev-session=false",
        ])
        .args(["--port", &port.to_string()])
        .arg("--persist-to")
        .arg(&state.0)
        .arg("--env-file")
        .arg(&env_file)
        // Not a terminal to draw on.
        .env("CI", "1")
        .env("NO_COLOR", "1");
        let log = state.log();
        let file = File::create(&log).map_err(|cause| Failure::path("write", &log, &cause))?;
        let reader = process::merge_streams(&mut dev)?;
        let job = Job::start(dev)?;
        thread::spawn(move || relay(reader, file));
        Ok(Self { job, log, address: format!("127.0.0.1:{port}") })
    }

    /// Waits until requests are answered.
    ///
    /// # Errors
    /// It ended, or `deadline` passed; the sentence ends with the last lines of its log.
    pub(crate) fn wait_until_healthy(&mut self, deadline: Instant) -> Result<()> {
        loop {
            process::go_on()?;
            if http::get(&self.address, "/healthz", None).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            self.check()?;
            if Instant::now() > deadline {
                return Err(self.failure("wrangler dev runs, but /healthz does not answer 200"));
            }
            thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// It does not; the sentence ends with the last lines of its log.
    pub(crate) fn check(&mut self) -> Result<()> {
        if self.job.status().is_none() {
            return Ok(());
        }
        process::go_on()?;
        Err(self.failure("wrangler dev stopped by itself"))
    }

    /// Runs the Worker's cron once, as the platform does every minute and `wrangler dev` does not.
    pub(crate) fn run_watchdog(&self) {
        // A minute later there is another: what goes wrong in the Worker is in its log.
        drop(http::get(&self.address, "/cdn-cgi/handler/scheduled", None));
    }

    fn failure(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n");
        Failure::new(format!("{what}. The end of {}:\n{last}", self.log.display()))
    }
}

/// Copies what wrangler prints to its log, and shows what matters.
fn relay(reader: PipeReader, mut log: File) {
    for line in BufReader::new(reader).split(b'\n').map_while(std::result::Result::ok) {
        let line = without_colours(&String::from_utf8_lossy(&line));
        // A log that cannot be written (a full disk) must not stop us from emptying the pipe.
        drop(writeln!(log, "{line}"));
        if matters(&line) {
            report::say(format!("  wrangler: {}", line.trim()));
        }
    }
}

/// wrangler marks its own warnings and errors, and what a Worker wrote as either.
fn matters(line: &str) -> bool {
    // Not so here: see `Dev::run_watchdog`.
    let is_about_cron = line.contains("Scheduled Workers are not automatically triggered");
    (line.contains("[ERROR]") || line.contains("[WARNING]")) && !is_about_cron
}

/// A line without its terminal sequences (`ESC [ … m`), which wrangler writes even where nobody can see
/// colours.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, after)| after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_warnings_are_shown_and_the_rest_is_only_logged() {
        assert!(matters("✘ [ERROR] Build failed with 1 error:"));
        assert!(matters("▲ [WARNING] The entrypoint has exports"));
        assert!(!matters("[wrangler:info] GET /healthz 200 OK (3ms)"));
        assert!(!matters(
            "▲ [WARNING] Scheduled Workers are not automatically triggered during local development."
        ));
    }

    #[test]
    fn a_coloured_line_reads_as_its_words() {
        assert_eq!(
            without_colours(
                "\u{1b}[33m▲ \u{1b}[43;33m[\u{1b}[43;30mWARNING\u{1b}[43;33m]\u{1b}[0m \u{1b}[1mText\u{1b}[0m"
            ),
            "▲ [WARNING] Text"
        );
        assert_eq!(without_colours("plain"), "plain");
    }
}
