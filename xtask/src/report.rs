//! What a person or a program reads while a command runs: lines on standard output, complaints on standard
//! error.
//!
//! A reader that goes away (a closed pipe, no terminal at all) must not end the command, so a line that
//! cannot be written is dropped.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// A line on standard output.
pub(crate) fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    // Dropped on purpose: see the module's comment.
    drop(writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush()));
}

/// A line on standard error.
pub(crate) fn complain(line: impl AsRef<str>) {
    drop(writeln!(io::stderr().lock(), "{}", line.as_ref()));
}

/// Does one step and says what came of it and how long it took. `work` returns a few words on what it did
/// (`"found"`, `"built"`).
///
/// # Errors
/// Those of `work`, after a line that names the step that failed.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Result<String>) -> Result<()> {
    let started = Instant::now();
    match work() {
        Ok(outcome) => {
            say(format!("  ✓ {name:<24} {outcome:<34} {}", seconds(started.elapsed())));
            Ok(())
        }
        // The step did nothing wrong.
        Err(stopped @ Failure::Stopped { .. }) => Err(stopped),
        Err(failure) => {
            say(format!("  ✗ {name:<24} {:<34} {}", "failed", seconds(started.elapsed())));
            Err(failure)
        }
    }
}

/// Announces work that takes long enough for a person to wonder.
pub(crate) fn announce(what: impl AsRef<str>) {
    say(format!("  → {}", what.as_ref()));
}

/// A duration as people read it: `0.3 s`, `12.0 s`, `3 min 20 s`.
pub(crate) fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole < 120 {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_said_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(119)), "119.0 s");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
    }
}
