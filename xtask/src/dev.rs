//! `cargo xtask dev`: from a fresh clone to a page in the browser.
//!
//! Tools, builds, `wrangler dev`, the first project; then one line for programs (`ready http://…`) and one
//! for people (a link that signs them in). From then on it watches the sources, rebuilds what depends on a
//! change, and puts the result where wrangler sees it; a build that fails says why and leaves what is served
//! alone.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::builds::{self, Built, Glance, Output, Profile};
use crate::failure::{Failure, Result};
use crate::process;
use crate::report;
use crate::seed;
use crate::tools::Toolbox;
use crate::variables::Variables;
use crate::wrangler::{Dev, State};

/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long sources must have been still before a build: editors write several files at once.
const SETTLED_AFTER: Duration = Duration::from_millis(150);
/// How often the Worker's cron runs: `triggers.crons` in wrangler.jsonc.
const WATCHDOG_EVERY: Duration = Duration::from_mins(1);
/// How long a start may take once everything is built.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// What was asked for on the command line.
pub(crate) struct Options {
    port: u16,
    state: PathBuf,
    is_fresh: bool,
    profile: Profile,
}

impl Options {
    /// Reads the arguments after `dev`.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut options =
            Self { port: 8787, state: PathBuf::from(".state"), is_fresh: false, profile: Profile::Dev };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("port") => options.port = port(&arguments.value()?.string()?)?,
                Arg::Long("state") => options.state = PathBuf::from(arguments.value()?),
                Arg::Long("fresh") => options.is_fresh = true,
                Arg::Long("release") => options.profile = Profile::Release,
                other => {
                    return Err(Failure::argument(
                        "dev",
                        "--port N, --state DIR, --fresh and --release",
                        other,
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Runs until a signal ends it.
///
/// # Errors
/// The first step that failed; [`Failure::Stopped`] is the ordinary end.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    check_port(options.port)?;
    let state = State::at(&options.state)?;
    let _lock = lock(&state)?;
    if options.is_fresh {
        state.forget()?;
    }
    let vars = Variables::of_development()?;
    let tools = match options.profile {
        Profile::Dev => Toolbox::prepare_beside(&builds::compile_ahead)?,
        Profile::Release => Toolbox::prepare()?,
    };
    // From before the builds: what is edited while they run counts as changed.
    let before = Glance::take();
    builds::build_all(&tools, options.profile)?;

    report::say("server");
    // A build may have taken minutes.
    check_port(options.port)?;
    let mut dev = None;
    report::step("wrangler dev", || {
        let mut starting = Dev::start(&tools, &state, &vars, options.port)?;
        starting.wait_until_healthy(Instant::now() + START_DEADLINE)?;
        dev = Some(starting);
        Ok(format!("log: {}", state.log().display()))
    })?;
    let mut dev = dev.ok_or_else(|| Failure::new("wrangler dev did not start."))?;
    report::step("first project", || seed::plant(&dev.address, vars.admin_token(), &state))?;

    report::say(format!(
        "\nStarted in {}. Ctrl-C stops it; its state stays in {}.",
        report::seconds(started.elapsed()),
        options.state.display()
    ));
    report::say(format!("ready http://{}", dev.address));
    // Such a link asks nothing where the page comes from this machine: app/src/session.rs.
    report::say(format!("open  http://{}/#sign-in-dev={}", dev.address, vars.admin_token()));
    watch(&tools, options.profile, &mut dev, before)
}

/// Refuses a port that somebody listens on, before anything slow is done.
fn check_port(port: u16) -> Result<()> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|cause| {
        Failure::new(match cause.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!(
                    "Port {port} is taken by another program: stop that one, or choose another with --port N."
                )
            }
            std::io::ErrorKind::PermissionDenied => {
                format!(
                    "Port {port} needs more rights than this user has: choose one above 1023 with --port N."
                )
            }
            _ => format!("Port {port} cannot be listened on: {cause}."),
        })
    })
}

/// Keeps two stacks from writing to one state folder. The system lets go of the lock when we end, however we
/// end.
fn lock(state: &State) -> Result<File> {
    let path = state.file("lock");
    let file = File::create(&path).map_err(|cause| Failure::path("write", &path, &cause))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::new(
            "Another `cargo xtask dev` uses this state folder: stop that one, or choose another folder with \
             --state DIR.",
        )),
        Err(fs::TryLockError::Error(cause)) => Err(Failure::path("lock", &path, &cause)),
    }
}

/// Rebuilds what changes, and runs the Worker's cron, until a signal comes or wrangler ends.
fn watch(tools: &Toolbox, profile: Profile, dev: &mut Dev, before: Glance) -> Result<ExitCode> {
    let mut built = before;
    let mut watchdog_ran = Instant::now();
    loop {
        process::go_on()?;
        dev.check()?;
        thread::sleep(LOOK_EVERY);
        if watchdog_ran.elapsed() >= WATCHDOG_EVERY {
            watchdog_ran = Instant::now();
            dev.run_watchdog();
        }
        let now = Glance::take();
        if now == built {
            continue;
        }
        thread::sleep(SETTLED_AFTER);
        if Glance::take() != now {
            continue;
        }
        built = now;
        rebuild(tools, profile)?;
    }
}

/// Brings up to date what the change concerns. A failing build is told, not returned: the next change may fix
/// it.
fn rebuild(tools: &Toolbox, profile: Profile) -> Result<()> {
    // Without a network a new dependency cannot be had; the build will say so in its own words.
    drop(builds::fetch_crates());
    for output in Output::SERVED {
        let started = Instant::now();
        match builds::bring_up_to_date(tools, output, profile) {
            Ok(Built::Before) => {}
            Ok(Built::Now) => report::say(format!(
                "  ✓ {} rebuilt in {}",
                output.name(),
                report::seconds(started.elapsed())
            )),
            Err(Failure::Sentence(sentence)) => {
                report::say(format!("  ✗ {sentence}\n  The {} of before is still served.", output.name()));
            }
            Err(stopped @ Failure::Stopped { .. }) => return Err(stopped),
        }
    }
    Ok(())
}

fn port(text: &str) -> Result<u16> {
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| Failure::new(format!("--port takes a number from 1 to 65535, not `{text}`.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(Parser::from_args(words))
    }

    #[test]
    fn options_have_defaults_and_both_spellings() {
        let defaults = parse(&[]).expect("no arguments");
        assert_eq!(
            (defaults.port, defaults.state, defaults.is_fresh, defaults.profile),
            (8787, PathBuf::from(".state"), false, Profile::Dev)
        );
        let given =
            parse(&["--port", "9000", "--state=/tmp/s", "--fresh", "--release"]).expect("all arguments");
        assert_eq!(
            (given.port, given.state, given.is_fresh, given.profile),
            (9000, PathBuf::from("/tmp/s"), true, Profile::Release)
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, named) in [
            (vec!["--prot"], "--prot"),
            (vec!["--port", "0"], "`0`"),
            (vec!["--port", "x"], "`x`"),
            (vec!["--state"], "--state"),
        ] {
            let sentence = parse(&words).err().expect("refused").to_string();
            assert!(sentence.contains(named), "{words:?}: {sentence}");
        }
    }

    #[test]
    fn a_taken_port_is_refused_in_one_sentence() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("its address").port();
        let sentence = check_port(port).expect_err("it is taken").to_string();
        assert!(
            sentence.contains(&port.to_string())
                && sentence.contains("taken")
                && sentence.lines().count() == 1,
            "{sentence}"
        );
    }
}
