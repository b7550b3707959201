//! Why a delivery stands where it stands: one sentence, and what to do (DESIGN 6.4).

use serde::{Deserialize, Serialize};

use crate::contract::counts_as_delivered;
use crate::delivery::{Attempt, Outcome, ReceivedResponse, State, retry_after_s};
use crate::webhook::Contract;

/// An explanation for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What happened, in one sentence.
    pub headline: String,
    /// What it means and what to do; may be empty.
    pub advice: String,
}

/// Explains one attempt, such as `503 Service Unavailable with Retry-After 60 s`.
#[must_use]
pub fn attempt(contract: Contract, attempt: &Attempt) -> Reason {
    let reason = |headline: String, advice: &str| Reason { headline, advice: String::from(advice) };
    match &attempt.outcome {
        Outcome::Answered { status } => answered(contract, *status, attempt),
        Outcome::TimedOut => reason(
            format!("No answer within {} s", attempt.duration_ms.saturating_add(500).div_euclid(1_000).max(1)),
            "The receiver took the connection but did not finish its answer in time. It should store the callback and answer at \
             once, then work; or give the webhook a longer timeout (30 s at most).",
        ),
        Outcome::ConnectionFailed { message } | Outcome::PlatformFailed { message } if speaks_of_tls(message) => tls_failed(message),
        Outcome::ConnectionFailed { message } => reason(
            String::from(if is_refusal(message) { "The receiver refused the connection" } else { "The connection failed or was lost" }),
            "Nothing answered at this host and port, or the connection broke on the way. Check that the receiver runs, listens on \
             this port and that its firewall lets callbacks in.",
        ),
        Outcome::NameNotResolved => reason(
            String::from("The host name does not resolve"),
            "DNS knows no address for the host of the URL. Check it for a typing error; if the host is new or has moved, ask who \
             runs its DNS.",
        ),
        Outcome::Blocked { message } => reason(
            format!("Not called, because the URL is not allowed: it {message}"),
            "Postern calls public hosts only. Change the webhook's URL, then resend. The receiver got nothing.",
        ),
        Outcome::PlatformFailed { message } => reason(
            format!("The call could not be made: {}", shorten(message)),
            "This is on Postern's side or on the network in between, not the receiver's answer. If it repeats, tell who runs this \
             Postern, with the delivery's id.",
        ),
        Outcome::Lost => reason(
            String::from("The result of the call was lost"),
            "Postern stopped before it could record the answer, so the receiver may or may not have got this attempt. The next one \
             carries the same webhook-id: a receiver that remembers ids sees it only once.",
        ),
    }
}

/// How an attempt ended in a few words, such as `503 Service Unavailable` or `timed out`: for a cell of a list.
#[must_use]
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { status } => with_phrase(*status),
        Outcome::TimedOut => String::from("timed out"),
        Outcome::ConnectionFailed { message } | Outcome::PlatformFailed { message } if speaks_of_tls(message) => String::from("TLS failed"),
        Outcome::ConnectionFailed { .. } => String::from("connection failed"),
        Outcome::NameNotResolved => String::from("host not found"),
        Outcome::Blocked { .. } => String::from("blocked"),
        Outcome::PlatformFailed { .. } => String::from("call failed"),
        Outcome::Lost => String::from("result lost"),
    }
}

/// Explains the delivery as a whole from its state and attempts (oldest first).
#[must_use]
pub fn delivery(contract: Contract, state: State, attempts: &[Attempt]) -> Reason {
    let plain = |headline: &str, advice: &str| Reason { headline: String::from(headline), advice: String::from(advice) };
    let Some(last) = attempts.last() else {
        return match state {
            State::Pending => plain("Accepted, not called yet", ""),
            State::Leased => plain("The first attempt is under way", ""),
            State::Waiting => plain("Waiting for the first attempt", ""),
            State::Delivered => plain("Delivered", ""),
            State::Dead => plain("Given up before the first attempt", "Look at the webhook, then resend."),
            State::Cancelled => plain("Cancelled before the first attempt", CANCELLED_ADVICE),
        };
    };
    let last_reason = attempt(contract, last);
    let so_far = format!("{}{}", last_reason.headline, repetition(attempts));
    let headline = match state {
        State::Delivered => return delivered(contract, attempts),
        State::Pending | State::Waiting => format!("Attempt {} failed: {so_far}", last.number),
        State::Leased => format!("Attempt {} is under way; the one before failed: {so_far}", last.number.saturating_add(1)),
        State::Dead => format!("Given up after {}: {so_far}", counted(attempts.len(), "attempt")),
        State::Cancelled => format!("Cancelled after {}: {so_far}", counted(attempts.len(), "attempt")),
    };
    let advice = match state {
        State::Cancelled => String::from(CANCELLED_ADVICE),
        State::Dead => format!("{} When it is mended, resend this delivery.", last_reason.advice),
        _ => last_reason.advice,
    };
    Reason { headline, advice: String::from(advice.trim()) }
}

const CANCELLED_ADVICE: &str = "Somebody cancelled it, or its webhook was deleted. Nothing more will be sent unless it is resent.";

/// A delivered delivery: the attempt that did it, and how many failed before.
fn delivered(contract: Contract, attempts: &[Attempt]) -> Reason {
    let is_success = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
    let headline = match attempts.iter().position(is_success).and_then(|failed| Some((failed, attempts.get(failed)?))) {
        Some((0, success)) => format!("Delivered at the first attempt: {}", brief(&success.outcome)),
        Some((failed, success)) => {
            let after = counted(failed, "failed attempt");
            format!("Delivered at attempt {} after {after}: {}", success.number, brief(&success.outcome))
        }
        None => String::from("Delivered"),
    };
    Reason { headline, advice: String::new() }
}

/// ` (the last 3 attempts ended this way)`, where more than one did.
fn repetition(attempts: &[Attempt]) -> String {
    let same = attempts
        .iter()
        .rev()
        .take_while(|attempt| Some(brief(&attempt.outcome)) == attempts.last().map(|last| brief(&last.outcome)))
        .count();
    match same {
        0 | 1 => String::new(),
        same if same == attempts.len() => format!(" (all {same} attempts ended this way)"),
        same => format!(" (the last {same} attempts ended this way)"),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// An answer arrived.
fn answered(contract: Contract, status: u16, attempt: &Attempt) -> Reason {
    if counts_as_delivered(contract, status) {
        return Reason { headline: with_phrase(status), advice: String::new() };
    }
    let response = attempt.response.as_ref();
    let mut headline = with_phrase(status);
    let arrived_at = attempt.started_at.plus_ms(i64::from(attempt.duration_ms));
    if let Some(seconds) = response.and_then(|response| retry_after_s(response, arrived_at)) {
        headline = format!("{headline} with Retry-After {seconds} s");
    }
    if let Some(location) = response.and_then(|response| header(response, "location")).filter(|_| matches!(status, 300..=399)) {
        headline = format!("{headline}, redirect to {}", shorten(location));
    }
    Reason { headline, advice: String::from(status_advice(status)) }
}

/// What to do about a status that is not success.
const fn status_advice(status: u16) -> &'static str {
    match status {
        300..=399 => {
            "Redirects are not followed: the new place has not passed the checks that the webhook's URL has. If the receiver has \
             moved, set its new address as the URL."
        }
        401 | 403 => {
            "The receiver does not accept the credentials or the signature. If its key or token, or the webhook's secret, was \
             changed lately, set the new one on both sides; else ask who runs the receiver whether a firewall or proxy answers."
        }
        404 => "The receiver answers, but has nothing at this path. Compare the path of the URL with the receiver's documentation.",
        405 => "The receiver takes no POST at this path. The URL is probably that of a page, not of a callback handler.",
        408 => "The receiver waited for the request in vain. It is probably overloaded, or a proxy before it is.",
        409 => "The receiver says that this conflicts with what it has. If it has handled this webhook-id already, it should answer 2xx.",
        410 => {
            "The receiver says that it is gone for good, so Postern disabled the webhook. If that is wrong, ask who runs the \
             receiver, then enable the webhook and resend."
        }
        413 => "The callback is larger than the receiver allows. Raise its body limit (256 KiB is always enough), or send less data.",
        415 => "The receiver does not take application/json. Make it, or set a content-type header on the webhook.",
        400 | 422 => {
            "The receiver read the callback and found it wrong. Its answer usually says why: look at the response, and at the \
             event's data. Repeating the same bytes rarely helps."
        }
        429 => {
            "The receiver asks for fewer calls. Postern waits as long as Retry-After says; if it goes on, subscribe to fewer events \
             or ask who runs the receiver for a higher limit."
        }
        400..=499 => "The receiver refuses the request as it is. Its answer may say why: look at the response.",
        502..=504 => {
            "A proxy before the receiver got no good answer from it: it is down, restarting or overloaded. This usually passes by \
             itself; if not, ask who runs the receiver."
        }
        525 | 526 => {
            "Cloudflare, in front of the receiver, could not make a TLS connection to it. Its certificate is missing, expired or wrong."
        }
        520..=524 | 530 => "Cloudflare, in front of the receiver, could not reach it or got no good answer. Ask who runs the receiver.",
        500..=599 => "The receiver failed while it handled the callback. Its logs, at the time of this attempt, say why.",
        _ => "The receiver's answer does not count as success. It should answer 2xx.",
    }
}

fn tls_failed(message: &str) -> Reason {
    Reason {
        headline: format!("No secure connection: {}", shorten(message)),
        advice: String::from(
            "TLS with the receiver failed. Its certificate may be expired, for another name, self-signed or sent without its \
             intermediate certificates. Ask who runs the receiver to check it.",
        ),
    }
}

/// Whether a platform's message is about TLS. The platforms have no code for it, only words.
fn speaks_of_tls(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["tls", "ssl", "certificate", "handshake"].iter().any(|word| message.contains(word))
}

fn is_refusal(message: &str) -> bool {
    message.to_ascii_lowercase().contains("refused")
}

/// The first line of foreign text, cut.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let line = text.lines().next().unwrap_or("").trim();
    let mut short: String = line.chars().take(CHARS_MAX).collect();
    if line.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

fn header<'a>(response: &'a ReceivedResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn with_phrase(status: u16) -> String {
    match reason_phrase(status) {
        "" => format!("HTTP status {status}"),
        phrase => format!("{status} {phrase}"),
    }
}

/// The usual reason phrase of an HTTP status (`Service Unavailable`); `""` for an unknown one. IANA's registry, and the
/// ones that Cloudflare answers with in a receiver's place.
#[must_use]
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        520 => "Web Server Returned an Unknown Error",
        521 => "Web Server Is Down",
        522 => "Connection Timed Out",
        523 => "Origin Is Unreachable",
        524 => "A Timeout Occurred",
        525 => "SSL Handshake Failed",
        526 => "Invalid SSL Certificate",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
