//! Processes that end with us, however we end.
//!
//! A small supervisor (a shell) starts the program in a process group of its own and waits at a pipe. When
//! the pipe closes, because the owner was dropped, or the test process ended or was killed, the supervisor
//! kills the whole group and removes the folder that belongs to it. Statics are never dropped in Rust, so
//! nothing less would do for a stack that the tests of a file share.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::wait::{SOON, until};

const SUPERVISOR: &str = r#"
setsid "$@" >>"$POSTERN_FOLDER/output.log" 2>&1 </dev/null &
group=$!
until kill -s 0 -- "-$group" 2>/dev/null; do :; done
echo "$group"
read -r keep
kill -s KILL -- "-$group" 2>/dev/null
wait "$group"
[ -n "$keep" ] || rm -rf -- "$POSTERN_FOLDER" || { sleep 1; rm -rf -- "$POSTERN_FOLDER"; }
"#;

/// A running program with everything it started.
#[derive(Debug)]
pub struct Supervised {
    supervisor: Child,
    group: i32,
}

impl Supervised {
    /// Starts `program` in `folder`, which exists and is its own: the output goes to `output.log` there, and
    /// the folder is removed at the end. `prepare` sets arguments and environment.
    pub fn start(program: &Path, folder: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SUPERVISOR, "postern-supervisor"]).arg(program);
        prepare(&mut command);
        command
            .env("POSTERN_FOLDER", folder)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // A process group of its own: a Ctrl-C at the test run must not end the supervisor before it has
        // tidied up.
        let mut supervisor = command.process_group(0).spawn().expect("/bin/sh can be started");
        let mut said = String::new();
        BufReader::new(supervisor.stdout.take().expect("the supervisor's output is a pipe"))
            .read_line(&mut said)
            .expect("the supervisor says its group");
        let group = said.trim().parse().unwrap_or_else(|_| {
            panic!("the supervisor must say its group's id, not {said:?} (is `setsid` installed?)")
        });
        Self { supervisor, group }
    }

    /// Whether the program itself has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        is_over(self.group)
    }

    /// CPU time that the group's running processes have used so far.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let group = self.group.to_string();
        let ticks = stats()
            .filter(|stat| state_and_group(stat).is_some_and(|(_, of)| of == group))
            .filter_map(|stat| ticks(&stat))
            .sum::<u64>();
        Duration::from_millis(ticks * MS_PER_TICK)
    }

    /// `kill -9` of the whole group; the folder stays.
    pub async fn kill9(self) {
        self.end_by(Signal::SIGKILL).await;
    }

    /// What Ctrl-C does, and waits for the end; the folder stays.
    pub async fn interrupt(self) {
        self.end_by(Signal::SIGINT).await;
    }

    async fn end_by(mut self, signal: Signal) {
        killpg(Pid::from_raw(self.group), signal).expect("the process group can be signalled");
        until("the ended processes are gone", SOON, async || group_is_empty(self.group)).await;
        if let Some(mut pipe) = self.supervisor.stdin.take() {
            // Nothing is lost where the supervisor is gone already.
            let _ = pipe.write_all(b"keep\n");
        }
        let _ = self.supervisor.wait();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// Whether the process is gone or only waits to be collected.
fn is_over(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_or(true, |stat| state_and_group(&stat).is_none_or(|(state, _)| state == "Z"))
}

/// Whether no process of the group runs any more.
fn group_is_empty(group: i32) -> bool {
    let group = group.to_string();
    !stats().any(|stat| state_and_group(&stat).is_some_and(|(state, of)| of == group && state != "Z"))
}

/// `/proc/PID/stat` of every process.
fn stats() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").expect("/proc lists the processes");
    entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
}

/// Linux counts CPU time for `/proc` in hundredths of a second, on every architecture that we run on.
const MS_PER_TICK: u64 = 10;

/// Fields 14 and 15 of `/proc/PID/stat` together: time in user and in kernel mode.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

/// Fields 3 and 5 of `/proc/PID/stat`; the name before them may hold spaces and parentheses.
fn state_and_group(stat: &str) -> Option<(&str, &str)> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?, fields.nth(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_parentheses_does_not_hide_its_group() {
        assert_eq!(state_and_group("12 (a) b) S 1 34 34 0"), Some(("S", "34")));
        assert_eq!(state_and_group(""), None);
        assert_eq!(ticks("12 (a) b) S 1 34 34 0 -1 4194560 5 6 7 8 20 3 0 0 20 0"), Some(23));
    }

    #[test]
    fn this_process_is_not_over() {
        assert!(!is_over(std::process::id().cast_signed()));
        assert!(is_over(i32::MAX));
    }

    #[tokio::test]
    async fn a_killed_group_leaves_its_folder_and_a_dropped_one_does_not() {
        let folder = std::env::temp_dir().join(format!("postern-supervised-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        // A shell with a child: both are of the group.
        let start = || {
            Supervised::start(Path::new("/bin/sh"), &folder, |command| {
                _ = command.args(["-c", "sleep 600; echo never"]);
            })
        };
        let killed = start();
        let group = killed.group;
        assert!(!killed.is_over());
        killed.kill9().await;
        assert!(group_is_empty(group) && folder.exists());
        let dropped = start();
        let group = dropped.group;
        drop(dropped);
        until("the dropped processes are gone", SOON, async || group_is_empty(group)).await;
        assert!(!folder.exists());
    }
}
