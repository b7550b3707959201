//! Running other programs so that none of them outlives us.
//!
//! Every program that takes long is started through a *supervisor*: this same executable, in a process group
//! of its own, holding one end of a pipe whose other end only we hold. It starts the program in that group.
//! When we end, however we end (a signal, a panic, `kill -9`), the kernel closes our end; the supervisor
//! notices and takes the whole group down, the programs that the program started included. That needs no
//! `unsafe` and works the same on Linux and macOS, where a parent-death signal does not exist.
//!
//! The ordinary way to the end is [`Job::stop`]: `SIGTERM` to the group, a few seconds of patience, then
//! `SIGKILL`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, Result};
use crate::report;

/// The hidden first argument that makes this executable a supervisor.
pub(crate) const SUPERVISE: &str = "__supervise";

/// How long a group may take to end after `SIGTERM`.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a long, silent program's last line is shown.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The signal that asked us to end, or 0.
static STOP: AtomicI32 = AtomicI32::new(0);

/// The groups that run.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C and `SIGTERM` end what runs, and then us: everything that waits returns
/// [`Failure::Stopped`]. A second signal, or ten seconds without an end, kills instead of asking.
///
/// # Errors
/// The handlers could not be installed.
pub(crate) fn stop_on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|cause| Failure::new(format!("Could not listen for signals: {cause}.")))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let again = STOP.swap(signal, Ordering::SeqCst) != 0;
            signal_groups(if again { Signal::SIGKILL } else { Signal::SIGTERM });
            if again {
                std::process::exit(128 + signal);
            }
            thread::spawn(move || {
                thread::sleep(2 * PATIENCE);
                signal_groups(Signal::SIGKILL);
                std::process::exit(128 + signal);
            });
        }
    });
    Ok(())
}

fn signal_groups(signal: Signal) {
    for group in groups().iter() {
        // A group that has ended meanwhile is what we want.
        _ = killpg(*group, signal);
    }
}

/// Whether a signal asked us to end.
///
/// # Errors
/// [`Failure::Stopped`] if so.
pub(crate) fn go_on() -> Result<()> {
    match STOP.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Failure::Stopped { signal }),
    }
}

/// A command that will run `program` under a supervisor. Arguments, environment and folder are set on it as
/// on any other; what cargo and rustup told *us* about our own build is not handed on.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(own_executable());
    command.arg(SUPERVISE).arg(program);
    for (name, _) in env::vars_os() {
        let inherited_from_cargo = name.to_str().is_some_and(|name| {
            name == "CARGO"
                || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
                    .iter()
                    .any(|start| name.starts_with(start))
        });
        if inherited_from_cargo {
            command.env_remove(name);
        }
    }
    // `cargo run` puts its toolchain's libraries first, which another toolchain's compiler must not load.
    if let Some(libraries) = env::var_os("LD_LIBRARY_PATH") {
        let kept: Vec<PathBuf> = env::split_paths(&libraries)
            .filter(|dir| {
                !dir.to_string_lossy().contains("/toolchains/")
                    && !dir.starts_with(crate::workspace::target())
            })
            .collect();
        match env::join_paths(&kept) {
            Ok(joined) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", joined),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
    command
}

/// Our own program, even after a build has replaced the file it was started from.
fn own_executable() -> PathBuf {
    let linux = PathBuf::from("/proc/self/exe");
    if linux.exists() { linux } else { env::current_exe().unwrap_or(linux) }
}

/// A path to our own program for the programs that we start: good as long as we run, as [`own_executable`]
/// is.
pub(crate) fn own_executable_for_others() -> PathBuf {
    let linux = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if linux.exists() { linux } else { own_executable() }
}

/// A program that runs under a supervisor, with everything it started. Dropping it stops it.
pub(crate) struct Job {
    supervisor: Child,
    group: Pid,
    /// Never written to: that it closes is the message.
    _lifeline: ChildStdin,
    ended: Option<ExitStatus>,
}

impl Job {
    /// Starts what [`command`] made. The program itself reads an empty standard input.
    ///
    /// # Errors
    /// The supervisor could not be started, or we are ending.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        // Held over the spawn, so that a signal either prevents the start or finds the group in the list.
        let mut groups = groups();
        go_on()?;
        let mut supervisor = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|cause| Failure::new(format!("Could not start {}: {cause}.", name_of(&command))))?;
        let group = Pid::from_raw(supervisor.id().cast_signed());
        groups.push(group);
        let lifeline =
            supervisor.stdin.take().ok_or_else(|| Failure::new("A supervisor has no standard input."))?;
        Ok(Self { supervisor, group, _lifeline: lifeline, ended: None })
    }

    /// How it ended, if it has.
    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.supervisor.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`Failure::Stopped`] if a signal ended it and us.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let status = match self.ended {
            Some(status) => status,
            None => self
                .supervisor
                .wait()
                .map_err(|cause| Failure::new(format!("Could not wait for a program: {cause}.")))?,
        };
        self.ended = Some(status);
        go_on()?;
        Ok(status)
    }

    /// Ends it and everything it started, and returns when nothing of it is left.
    pub(crate) fn stop(&mut self) {
        _ = killpg(self.group, Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Reaps the supervisor, which would otherwise count as a member of its group for ever.
            let _ = self.status();
            if killpg(self.group, None).is_err() {
                break;
            }
            if Instant::now() > deadline {
                _ = killpg(self.group, Signal::SIGKILL);
                if self.ended.is_none() {
                    self.ended = self.supervisor.wait().ok();
                }
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        groups().retain(|group| *group != self.group);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a program printed (both streams, in order) and how it ended.
pub(crate) struct Output {
    /// Standard output and standard error, as they came.
    pub(crate) text: String,
    /// Whether it exited with 0.
    pub(crate) succeeded: bool,
}

/// Runs a program to its end and keeps what it prints. If it takes long, `label` and its latest line are said
/// now and then.
///
/// # Errors
/// It could not be started, or a signal ended it.
pub(crate) fn capture(mut command: Command, label: &str) -> Result<Output> {
    let reader = merge_streams(&mut command)?;
    let mut job = Job::start(command)?;
    let printed = Arc::new(Mutex::new(Vec::new()));
    let done = collect(reader, Arc::clone(&printed));
    let started = Instant::now();
    let mut next_heartbeat = HEARTBEAT;
    while job.status().is_none() {
        // Ends early when the pipe closes, which is when the program has ended, or nearly.
        if done.recv_timeout(Duration::from_millis(250)) == Err(mpsc::RecvTimeoutError::Disconnected) {
            break;
        }
        if started.elapsed() > next_heartbeat {
            next_heartbeat += HEARTBEAT;
            let so_far = text_of(&printed);
            let latest = so_far.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
            report::say(format!(
                "    {label}, {} so far: {}",
                report::seconds(started.elapsed()),
                latest.chars().take(100).collect::<String>()
            ));
        }
    }
    let status = job.wait()?;
    // A daemon that it left behind could hold the pipe open: what it printed is complete all the same.
    let _ = done.recv_timeout(Duration::from_secs(1));
    Ok(Output { text: text_of(&printed), succeeded: status.success() })
}

/// Like [`capture`], for programs that have to succeed.
///
/// # Errors
/// Also if it exits with anything but 0; the sentence ends with what it printed.
pub(crate) fn must_succeed(command: Command, label: &str) -> Result<String> {
    let output = capture(command, label)?;
    if output.succeeded {
        return Ok(output.text);
    }
    Err(Failure::new(format!("{label} failed:\n{}", output.text.trim_end())))
}

/// Sends both streams of `command` into one pipe, and returns its reading end.
///
/// # Errors
/// No pipe could be made.
pub(crate) fn merge_streams(command: &mut Command) -> Result<PipeReader> {
    let no_pipe = |cause: io::Error| Failure::new(format!("Could not make a pipe: {cause}."));
    let (reader, writer) = io::pipe().map_err(no_pipe)?;
    command.stdout(writer.try_clone().map_err(no_pipe)?).stderr(writer);
    Ok(reader)
}

/// Reads to the end on a thread of its own; the returned channel closes then.
fn collect(mut reader: PipeReader, into: Arc<Mutex<Vec<u8>>>) -> mpsc::Receiver<()> {
    let (open, done) = mpsc::channel::<()>();
    thread::spawn(move || {
        let mut chunk = [0_u8; 8192];
        while let Ok(count @ 1..) = reader.read(&mut chunk) {
            into.lock().unwrap_or_else(PoisonError::into_inner).extend(chunk.iter().take(count));
        }
        drop(open);
    });
    done
}

fn text_of(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// The program's name: the supervisor's second argument.
fn name_of(command: &Command) -> String {
    command.get_args().nth(1).unwrap_or(command.get_program()).display().to_string()
}

/// The supervisor's own `main`: runs `arguments` until they end or our parent does.
pub(crate) fn supervise(arguments: Vec<OsString>) -> ExitCode {
    // It must outlive the SIGTERM that its group gets, to see the rest of the group out.
    let Ok(_ignored) = Signals::new([SIGINT, SIGTERM]) else { return ExitCode::FAILURE };
    let mut arguments = arguments.into_iter();
    let Some(program) = arguments.next() else { return ExitCode::FAILURE };
    let mut child = match Command::new(&program).args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(cause) => {
            report::complain(format!("could not start {}: {cause}", program.display()));
            return ExitCode::from(127);
        }
    };
    // The parent made us the leader of our group, so our process id is the group's too.
    let own_group = Pid::this();
    let orphaned = Arc::new(AtomicBool::new(false));
    let says_orphaned = Arc::clone(&orphaned);
    thread::spawn(move || {
        // Nothing is ever sent: this returns when our parent is gone.
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        says_orphaned.store(true, Ordering::SeqCst);
        _ = killpg(own_group, Signal::SIGTERM);
        thread::sleep(PATIENCE);
        _ = killpg(own_group, Signal::SIGKILL);
    });
    let Ok(status) = child.wait() else { return ExitCode::FAILURE };
    if orphaned.load(Ordering::SeqCst) {
        // What the program itself started may need a moment longer, and nothing else will see to it.
        // This ends us too.
        thread::sleep(Duration::from_millis(500));
        _ = killpg(own_group, Signal::SIGKILL);
    }
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
