//! Column `attempts` of a delivery: the record of its attempts, one JSON value a line, oldest first.
//!
//! Does not know SQL: [`crate::row::delivery`] reads and writes the column.

use postern_core::delivery::{Attempt, Outcome, Trigger};
use postern_core::explain::reason_phrase;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::row::text::to_json;

/// Bytes of a delivery's attempts at most: a row has 2 MB (docs/platform.md 2.3) and must hold one more
/// attempt.
pub(crate) const ATTEMPTS_BYTES_MAX: usize = 1_500_000;

/// Reads the column. An attempt that another version of Postern wrote in a form that is unknown here counts
/// as one whose result was lost: it must not stop what else is to be done.
pub(crate) fn from_lines(text: &str) -> Vec<Attempt> {
    let unreadable = |index: usize| Attempt {
        number: u32::try_from(index + 1).unwrap_or(u32::MAX),
        trigger: Trigger::Schedule,
        started_at: Timestamp(0),
        duration_ms: 0,
        outcome: Outcome::Lost,
        request: None,
        response: None,
        request_id: None,
    };
    let lines = text.lines().enumerate();
    lines.map(|(index, line)| serde_json::from_str(line).unwrap_or_else(|_| unreadable(index))).collect()
}

/// The text of the column.
pub(crate) fn to_lines(attempts: &[Attempt]) -> Result<String, LedgerError> {
    attempts.iter().map(|attempt| Ok(to_json(attempt)? + "\n")).collect()
}

/// Drops the bodies of answers; gives how many bytes they had.
pub(crate) fn drop_bodies(attempts: &mut [Attempt]) -> usize {
    attempts.iter_mut().map(drop_body).sum()
}

/// Drops the body of its answer; gives how many bytes it had.
fn drop_body(attempt: &mut Attempt) -> usize {
    match &mut attempt.response {
        Some(response) if !response.body.is_empty() => {
            response.body_is_base64 = false;
            response.truncated = true;
            std::mem::take(&mut response.body).len()
        }
        _ => 0,
    }
}

/// Drops what is dispensable, oldest first, until `bytes` more fit: first answers' bodies, then answers'
/// headers and requests. That an attempt was made, when and how it ended stays.
pub(crate) fn shrink(attempts: &mut [Attempt], bytes: usize) -> Result<(), LedgerError> {
    let mut used = to_lines(attempts)?.len();
    let drop_body = |attempt: &mut Attempt| {
        drop_body(attempt);
    };
    let drop_headers = |attempt: &mut Attempt| {
        attempt.request = None;
        attempt.response = None;
    };
    let reduce: [&dyn Fn(&mut Attempt); 2] = [&drop_body, &drop_headers];
    for reduce in reduce {
        for attempt in attempts.iter_mut() {
            if used + bytes <= ATTEMPTS_BYTES_MAX {
                return Ok(());
            }
            let before = to_json(attempt)?.len();
            reduce(attempt);
            used -= before - to_json(attempt)?.len();
        }
    }
    Ok(())
}

/// The status of an attempt that got an answer.
pub(crate) const fn answered(attempt: &Attempt) -> Option<u32> {
    match attempt.outcome {
        Outcome::Answered { status } => Some(status as u32),
        _ => None,
    }
}

/// An outcome in a few words, for lists.
pub(crate) fn in_short(outcome: &Outcome) -> String {
    String::from(match outcome {
        Outcome::Answered { status } => {
            return format!("{status} {}", reason_phrase(*status)).trim_end().to_owned();
        }
        Outcome::TimedOut => "timed out",
        Outcome::ConnectionFailed { .. } => "connection failed",
        Outcome::NameNotResolved => "name not resolved",
        Outcome::Blocked { .. } => "blocked",
        Outcome::PlatformFailed { .. } => "could not be sent",
        Outcome::Lost => "not reported",
    })
}
