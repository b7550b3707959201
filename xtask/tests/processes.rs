//! What `cargo xtask` promises about processes, seen from outside: nothing outlives it, and it says no before
//! it does anything slow.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const XTASK: &str = env!("CARGO_BIN_EXE_postern-xtask");

fn xtask(arguments: &[&str]) -> Output {
    Command::new(XTASK).args(arguments).stdin(Stdio::null()).output().expect("xtask starts")
}

/// Whether a process runs: it exists and is not just waiting to be buried.
fn runs(pid: &str) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().expect("ps starts");
    let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[track_caller]
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within 20 s");
        thread::yield_now();
    }
}

/// A supervisor over a shell with a child of its own, and the ids of both.
fn supervised_pair(shell: &str) -> (Child, [String; 2]) {
    let mut supervisor = Command::new(XTASK)
        .args(["__supervise", "sh", "-c", shell])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("the supervisor starts");
    let mut lines = BufReader::new(supervisor.stdout.take().expect("its output")).lines();
    let mut line = || lines.next().expect("a line").expect("text");
    let pids = [line(), line()];
    (supervisor, pids)
}

#[test]
fn what_a_program_started_ends_with_the_one_who_asked_for_it() {
    let (mut supervisor, pids) = supervised_pair("echo $$; sleep 600 & echo $!; wait");
    assert!(pids.iter().all(|pid| runs(pid)), "both run");

    // What the kernel does to our end of the pipe when we die.
    drop(supervisor.stdin.take());

    eventually("both end", || !pids.iter().any(|pid| runs(pid)));
    assert!(!supervisor.wait().expect("it ends").success());
}

#[test]
fn a_program_that_will_not_end_is_killed() {
    let (mut supervisor, pids) =
        supervised_pair("trap '' TERM; echo $$; (trap '' TERM; exec sleep 600) & echo $!; wait; wait");

    drop(supervisor.stdin.take());

    eventually("both end", || !pids.iter().any(|pid| runs(pid)));
    assert!(!supervisor.wait().expect("it ends").success());
}

#[test]
fn a_supervisor_hands_on_the_exit_code() {
    let mut supervisor = Command::new(XTASK)
        .args(["__supervise", "sh", "-c", "exit 7"])
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("the supervisor starts");
    // Held open while it runs, unlike `wait`, which would close it first.
    let lifeline = supervisor.stdin.take();
    assert_eq!(supervisor.wait().expect("it ends").code(), Some(7));
    drop(lifeline);
}

#[test]
fn a_taken_port_is_said_in_one_sentence_before_anything_else_happens() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port().to_string();

    let output = xtask(&["dev", "--port", &port]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "no step was begun");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains(&port) && complaint.trim().lines().count() == 1, "{complaint}");
}

#[test]
fn an_unknown_command_is_named_with_those_there_are() {
    let output = xtask(&["deploi"]);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("`deploi`") && complaint.contains("cargo xtask dev"), "{complaint}");
}

#[test]
fn the_hook_of_trunk_says_who_calls_it() {
    let output =
        Command::new(XTASK).arg("trunk-hook").env_remove("TRUNK_STAGING_DIR").output().expect("xtask starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "no step was begun");
    assert!(complaint.contains("trunk build") && complaint.trim().lines().count() == 1, "{complaint}");
}

#[test]
fn asking_for_help_shows_the_commands() {
    for words in [&[][..], &["--help"], &["dev", "--help"]] {
        let output = xtask(words);
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("cargo xtask test"),
            "{words:?}"
        );
    }
}
