//! How an attempt ended, in a few words.

use super::body::of_body;
use super::reason::named;
use super::status::with_phrase;
use crate::delivery::{BodyNote, Outcome, speaks_of_tls};
use crate::retry::{RETRY_AFTER_MAX_S, RetryAfter};

/// How an attempt ended in a few words, such as `503 Service Unavailable` or `timed out`: for a cell of a
/// list.
#[must_use]
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { status } => with_phrase(*status),
        Outcome::TimedOut => String::from("timed out"),
        Outcome::ConnectionFailed { message } | Outcome::PlatformFailed { message }
            if speaks_of_tls(message) =>
        {
            String::from("TLS failed")
        }
        Outcome::ConnectionFailed { .. } => String::from("connection failed"),
        Outcome::NameNotResolved => String::from("host not found"),
        Outcome::Blocked { .. } => String::from("blocked"),
        Outcome::PlatformFailed { .. } => String::from("call failed"),
        Outcome::Lost => String::from("result lost"),
    }
}

/// How a `Retry-After` goes on after the status.
pub(super) fn asked_for(asked: &RetryAfter) -> String {
    match asked {
        RetryAfter::Seconds { seconds } if *seconds > RETRY_AFTER_MAX_S => {
            format!(" with Retry-After {seconds} s, of which Postern waits {RETRY_AFTER_MAX_S} s")
        }
        RetryAfter::Seconds { seconds } => format!(" with Retry-After {seconds} s"),
        RetryAfter::Past => String::from(" with a Retry-After that has passed"),
        RetryAfter::NotUnderstood { value } => format!(", Retry-After was not understood: {}", named(value)),
    }
}

/// How an attempt whose answer is `response` ended, in a few words and with what was wrong with the body: for
/// a line of a list.
#[must_use]
pub fn brief_with_body(outcome: &Outcome, note: Option<&BodyNote>) -> String {
    let mut words = brief(outcome);
    if let Some(note) = note {
        of_body(note).add_to(&mut words);
    }
    words
}

/// [`brief_with_body`] of the call of a run: also with what the answer's `Retry-After` says, where the
/// receiver did not take it.
#[must_use]
pub fn brief_of_call(outcome: &Outcome, asked: Option<&RetryAfter>, note: Option<&BodyNote>) -> String {
    let is_success = matches!(outcome, Outcome::Answered { status: 200..=299 });
    let mut words = brief(outcome);
    if let Some(asked) = asked.filter(|_asked| !is_success) {
        words.push_str(&asked_for(asked));
    }
    if let Some(note) = note {
        of_body(note).add_to(&mut words);
    }
    words
}

/// Whether it is what the dispatcher writes where the platform gives no reason (`edge::sender`).
pub(super) fn is_name_or_tls(message: &str) -> bool {
    message.starts_with("the host name does not resolve, or no secured connection")
}

pub(super) fn is_refusal(message: &str) -> bool {
    message.to_ascii_lowercase().contains("refused")
}
