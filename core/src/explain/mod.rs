//! Why a delivery stands where it stands: one sentence, and what to do.

use serde::{Deserialize, Serialize};

use crate::contract::counts_as_delivered;
use crate::delivery::{Attempt, BodyNote, Outcome, ReceivedResponse, State, Wish, speaks_of_tls};
use crate::retry::{RETRY_AFTER_MAX_S, RetryAfter};
use crate::time::Timestamp;
use crate::webhook::{Contract, RateLimit};

/// An explanation for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Reason {
    /// What happened, in one sentence.
    pub headline: String,
    /// What it means and what to do; may be empty.
    pub advice: String,
}

/// Why a delivery that is due is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Its webhook is disabled.
    Disabled {
        /// Why, where Postern did it ([`crate::delivery::DisableCause::reason`]).
        reason: Option<String>,
    },
    /// Its webhook is paused.
    Paused,
    /// Its webhook fails, and is probed.
    Failing {
        /// Failures in a row.
        failures: u32,
        /// When it is called next.
        next_call_at: Option<Timestamp>,
    },
    /// Its webhook is throttled.
    Throttled {
        /// When it is called next.
        next_call_at: Option<Timestamp>,
    },
    /// As many calls as the webhook may get in a time have begun.
    RateLimited {
        /// The limit.
        limit: RateLimit,
    },
    /// As many calls as the webhook may get at once are under way.
    ConcurrencyLimited {
        /// The limit.
        limit: u32,
    },
    /// An older delivery with the same order key has not ended.
    Ordered {
        /// Its id, `dlv_…`.
        behind: String,
    },
}

impl Hold {
    /// The reason and what to do.
    fn reason(&self) -> Reason {
        let next_call = |at: &Option<Timestamp>| {
            at.map(|at| format!(", the next one at {}", at.to_rfc3339())).unwrap_or_default()
        };
        let (headline, advice) = match self {
            Self::Disabled { reason: None } => (
                String::from("the webhook is disabled"),
                "Nothing is sent until somebody enables it. This delivery goes out then, unless it is cancelled.",
            ),
            Self::Disabled { reason: Some(why) } => (
                format!("Postern disabled the webhook: {}", lower_first(why)),
                "Ask who runs the receiver, then enable the webhook: this delivery goes out then. What happened meanwhile can be replayed.",
            ),
            Self::Paused => (
                String::from("the webhook is paused"),
                "It takes events, and sends them once somebody resumes it.",
            ),
            Self::Failing { failures, next_call_at } => (
                format!(
                    "the webhook failed {failures} times in a row, so it gets one call at a time{}",
                    next_call(next_call_at)
                ),
                "The first call that succeeds lets the others go out. Look at its latest attempts.",
            ),
            Self::Throttled { next_call_at } => (
                format!(
                    "the receiver is overloaded, so the webhook gets one call at a time{}",
                    next_call(next_call_at)
                ),
                "Calls come closer with each one that succeeds. If this happens often, set a rate limit that the receiver can take.",
            ),
            Self::RateLimited { limit: RateLimit { calls, per_s } } => (
                format!("the webhook has had its {} in {per_s} s", counted(*calls as usize, "call")),
                "It goes out as soon as its rate limit allows. Raise the limit if the receiver can take more.",
            ),
            Self::ConcurrencyLimited { limit } => (
                format!(
                    "{} under way, as many as it may get at once",
                    match limit {
                        1 => String::from("1 call to the webhook is"),
                        more => format!("{more} calls to the webhook are"),
                    }
                ),
                "It goes out when one of them ends. Raise the webhook's concurrency limit if the receiver can take more.",
            ),
            Self::Ordered { behind } => (
                format!("{behind}, which has the same order key, has not ended"),
                "The webhook keeps the order of events. To let this one go out, fix or cancel the one before it.",
            ),
        };
        Reason { headline, advice: String::from(advice) }
    }
}

/// `text`, which is English, in the middle of a sentence.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
        .unwrap_or_default()
}

/// Explains one attempt of a test, after which nothing is disabled. `confirm_gone`: whether the webhook asks for a second 410.
#[must_use]
pub fn trial(contract: Contract, confirm_gone: bool, attempt: &Attempt) -> Reason {
    let Reason { headline, advice } = self::attempt(contract, attempt);
    let wish = attempt.response.as_ref().and_then(|response| Wish::of(contract, response));
    let advice = match (&attempt.outcome, wish) {
        (Outcome::Answered { status }, _) if counts_as_delivered(contract, *status) => {
            return Reason { headline, advice };
        }
        (Outcome::Answered { status: 410 }, _) if confirm_gone => String::from(
            "The receiver says that it is gone for good. This was a test, so nothing is disabled; the same answer to a delivery would \
             disable the webhook if it came again ten minutes later, without a success in between.",
        ),
        (Outcome::Answered { status: 410 }, _) => String::from(
            "The receiver says that it is gone for good. This was a test, so nothing is disabled; the same answer to a delivery would \
             disable the webhook.",
        ),
        (_, Some(Wish::Disable)) => String::from(
            "The receiver asks for no more calls. This was a test, so nothing is disabled; the same answer to a delivery would \
             disable the webhook.",
        ),
        (_, Some(Wish::Abort)) => String::from(status_advice_of(&attempt.outcome)),
        (_, None) => return Reason { headline, advice },
    };
    let body = attempt.response.as_ref().and_then(|response| response.body_note.as_ref()).map(of_body);
    let advice = body.map_or_else(|| advice.clone(), |body| format!("{advice} {}", body.advice));
    Reason { headline, advice }
}

/// Explains one attempt of a delivery, such as `503 Service Unavailable with Retry-After 60 s`.
#[must_use]
pub fn attempt(contract: Contract, attempt: &Attempt) -> Reason {
    let reason = |headline: String, advice: &str| Reason { headline, advice: String::from(advice) };
    match &attempt.outcome {
        Outcome::Answered { status } => answered(contract, *status, attempt),
        Outcome::TimedOut => reason(
            format!(
                "No answer within {} s",
                attempt.duration_ms.saturating_add(500).div_euclid(1_000).max(1)
            ),
            "The receiver took the connection but did not answer in time. It should store the callback and answer at once, then \
             work; or give the webhook a longer timeout (30 s at most).",
        ),
        Outcome::ConnectionFailed { message } | Outcome::PlatformFailed { message }
            if speaks_of_tls(message) =>
        {
            tls_failed(message)
        }
        Outcome::ConnectionFailed { message } if is_name_or_tls(message) => reason(
            String::from("The host name does not resolve, or no secure connection came about"),
            "The platform does not say which of the two. Check the host of the URL for a typing error; if it is right and the URL \
             begins with https, ask who runs the receiver to check its certificate: it may be expired, for another name or \
             self-signed.",
        ),
        Outcome::ConnectionFailed { message } => reason(
            String::from(if is_refusal(message) {
                "The receiver refused the connection"
            } else {
                "The connection failed or was lost"
            }),
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

/// [`delivery`] of one that is due and not sent.
#[must_use]
pub fn held(contract: Contract, state: State, attempts: &[Attempt], hold: &Hold) -> Reason {
    let so_far = delivery(contract, state, attempts);
    let hold = hold.reason();
    let advice = match state {
        State::Pending | State::Waiting => format!("{} {}", hold.advice, so_far.advice),
        // Nothing holds what is under way or has ended.
        State::Leased | State::Delivered | State::Dead | State::Cancelled => return so_far,
    };
    let headline = if attempts.is_empty() { String::from("Not called yet") } else { so_far.headline };
    Reason { headline: format!("{headline}. Held: {}", hold.headline), advice: String::from(advice.trim()) }
}

/// Explains the delivery as a whole from its state and attempts (oldest first).
#[must_use]
pub fn delivery(contract: Contract, state: State, attempts: &[Attempt]) -> Reason {
    let plain = |headline: &str, advice: &str| Reason {
        headline: String::from(headline),
        advice: String::from(advice),
    };
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
        State::Leased => {
            format!("Attempt {} is under way; the one before failed: {so_far}", last.number.saturating_add(1))
        }
        State::Dead => {
            let asked =
                if wish(contract, last) == Some(Wish::Abort) { ", as the receiver asked" } else { "" };
            format!("Given up after {}{asked}: {so_far}", counted(attempts.len(), "attempt"))
        }
        State::Cancelled => format!("Cancelled after {}: {so_far}", counted(attempts.len(), "attempt")),
    };
    let advice = match state {
        State::Cancelled => String::from(CANCELLED_ADVICE),
        State::Dead => format!("{} When it is fixed, resend this delivery.", last_reason.advice),
        _ => last_reason.advice,
    };
    Reason { headline, advice: String::from(advice.trim()) }
}

const CANCELLED_ADVICE: &str =
    "Somebody cancelled it, or its webhook was deleted. Nothing more will be sent unless it is resent.";

/// A delivered delivery: the attempt that did it, and how many failed before.
fn delivered(contract: Contract, attempts: &[Attempt]) -> Reason {
    let is_success = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
    let Some((failed, success)) =
        attempts.iter().position(is_success).and_then(|failed| Some((failed, attempts.get(failed)?)))
    else {
        return Reason { headline: String::from("Delivered"), advice: String::new() };
    };
    let Reason { headline, advice } = attempt(contract, success);
    let headline = match failed {
        0 => format!("Delivered at the first attempt: {headline}"),
        failed => format!(
            "Delivered at attempt {} after {}: {headline}",
            success.number,
            counted(failed, "failed attempt")
        ),
    };
    Reason { headline, advice }
}

/// ` (the last 3 attempts ended this way)`, where more than one did.
fn repetition(attempts: &[Attempt]) -> String {
    let same = attempts
        .iter()
        .rev()
        .take_while(|attempt| {
            Some(brief(&attempt.outcome)) == attempts.last().map(|last| brief(&last.outcome))
        })
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
    let response = attempt.response.as_ref();
    let body = response.and_then(|response| response.body_note.as_ref()).map(of_body);
    let mut headline = with_phrase(status);
    if counts_as_delivered(contract, status) {
        let advice = body.map(|body| body.add_to(&mut headline)).unwrap_or_default();
        return Reason { headline, advice };
    }
    let arrived_at = attempt.started_at.plus_ms(i64::from(attempt.duration_ms));
    let asks = response.map(|response| response.asks(arrived_at)).unwrap_or_default();
    if let Some(asked) = &asks.retry_after {
        headline.push_str(&asked_for(asked));
    }
    if let Some(location) =
        response.and_then(|response| header(response, "location")).filter(|_| matches!(status, 300..=399))
    {
        headline = format!("{headline}, redirect to {}", shorten(location));
    }
    let advice = match wish(contract, attempt) {
        _ if status == 410 => status_advice(status),
        Some(Wish::Disable) => {
            headline.push_str(", and asks for no more calls");
            "The answer's header webhook-delivery says disable, so Postern disabled the webhook. If that is wrong, ask who runs the \
             receiver, then enable the webhook and resend."
        }
        Some(Wish::Abort) => {
            headline.push_str(", and asks for no further attempt");
            "The answer's header webhook-delivery says abort: the receiver does not want this delivery again. Its answer may say why."
        }
        None => {
            // Of another contract nobody reads the header, so nobody fails to understand it.
            if let Some(value) = asks.unknown_wish.as_ref().filter(|_| contract == Contract::Standard) {
                headline = format!("{headline}, webhook-delivery was not understood: {}", named(value));
            }
            status_advice(status)
        }
    };
    let mut advice = String::from(advice);
    if let Some(body) = body {
        let about_body = body.add_to(&mut headline);
        advice = format!("{advice} {about_body}");
    }
    Reason { headline, advice }
}

/// How a `Retry-After` goes on after the status.
fn asked_for(asked: &RetryAfter) -> String {
    match asked {
        RetryAfter::Seconds { seconds } if *seconds > RETRY_AFTER_MAX_S => {
            format!(" with Retry-After {seconds} s, of which Postern waits {RETRY_AFTER_MAX_S} s")
        }
        RetryAfter::Seconds { seconds } => format!(" with Retry-After {seconds} s"),
        RetryAfter::Past => String::from(" with a Retry-After that has passed"),
        RetryAfter::NotUnderstood { value } => format!(", Retry-After was not understood: {}", named(value)),
    }
}

/// A header value in a sentence.
fn named(value: &str) -> String {
    match shorten(value) {
        text if text.is_empty() => String::from("it is empty"),
        text => text,
    }
}

/// What is said of an answer's body.
struct AboutBody {
    /// Goes on after the status; empty where the headline does without it.
    headline: String,
    /// What it means.
    advice: String,
}

impl AboutBody {
    /// Goes on with `headline`, and gives what it means.
    fn add_to(self, headline: &mut String) -> String {
        headline.push_str(&self.headline);
        self.advice
    }
}

fn of_body(note: &BodyNote) -> AboutBody {
    const DECIDES: &str = "The status had come and decides, so nothing else follows from that.";
    let about = |headline: &str, advice: String| AboutBody { headline: String::from(headline), advice };
    match note {
        BodyNote::BrokenOff { message } => about(
            ", with a body that broke off",
            format!(
                "The connection ended before the answer's body did ({}). {DECIDES}",
                shorten(message).trim_end_matches('.')
            ),
        ),
        BodyNote::TimedOut => about(
            ", with a body that did not end in time",
            format!("The answer's body did not end within the timeout. {DECIDES}"),
        ),
        BodyNote::NotDecoded { coding, message } => AboutBody {
            headline: format!(", with a body that is not valid {}", shorten(coding)),
            advice: format!(
                "The answer says content-encoding: {}, but its body is something else or empty ({}). {DECIDES}",
                shorten(coding),
                shorten(message).trim_end_matches('.')
            ),
        },
        BodyNote::StillEncoded { coding } => about(
            "",
            format!(
                "The answer's body is compressed (content-encoding: {}), which Postern does not undo: it is kept in base64 as it came.",
                shorten(coding)
            ),
        ),
        BodyNote::NotText { charset: Some(charset) } => about(
            "",
            format!(
                "The answer's body is not text in the charset that it declares ({}): it is kept in base64 as it came.",
                shorten(charset)
            ),
        ),
        BodyNote::NotText { charset: None } => about(
            "",
            String::from(
                "The answer's body is not UTF-8 and declares no other charset: it is kept in base64 as it came.",
            ),
        ),
    }
}

/// How an attempt whose answer is `response` ended, in a few words and with what was wrong with the body: for a line of a list.
#[must_use]
pub fn brief_with_body(outcome: &Outcome, note: Option<&BodyNote>) -> String {
    let mut words = brief(outcome);
    if let Some(note) = note {
        of_body(note).add_to(&mut words);
    }
    words
}

/// [`brief_with_body`] of the call of a run: also with what the answer's `Retry-After` says, where the receiver did not take it.
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

/// What the answer of a failed attempt wishes.
fn wish(contract: Contract, attempt: &Attempt) -> Option<Wish> {
    let is_success =
        matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
    attempt.response.as_ref().filter(|_| !is_success).and_then(|response| Wish::of(contract, response))
}

/// [`status_advice`] of an answer; nothing where none came.
const fn status_advice_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { status } => status_advice(*status),
        _ => "",
    }
}

/// What a 410 means that disables the webhook.
const GONE_ADVICE: &str = "The receiver says that it is gone for good, so Postern disabled the webhook. If that is wrong, ask who runs the \
                           receiver, then enable the webhook and resend.";
/// What it means where the webhook asks for a second one (`confirm_gone`), and this is a first one.
const GONE_ONCE_ADVICE: &str = "The receiver says that it is gone for good. Postern disables the webhook if it says so again ten minutes \
                                after the first time, unless a call succeeds in between. If it is wrong, ask who runs the receiver.";

impl Reason {
    /// The same of an attempt that disabled nothing, because its webhook is disabled by a second 410 only (`confirm_gone`).
    #[must_use]
    pub fn where_gone_is_not_confirmed(self) -> Self {
        Self { advice: self.advice.replace(GONE_ADVICE, GONE_ONCE_ADVICE), ..self }
    }
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
        404 => {
            "The receiver answers, but has nothing at this path. Compare the path of the URL with the receiver's documentation."
        }
        405 => {
            "The receiver takes no POST at this path. The URL is probably that of a page, not of a callback handler."
        }
        408 => {
            "The receiver waited for the request in vain. It is probably overloaded, or a proxy before it is."
        }
        409 => {
            "The receiver says that this conflicts with what it has. If it has handled this webhook-id already, it should answer 2xx."
        }
        410 => GONE_ADVICE,
        413 => {
            "The callback is larger than the receiver allows. Raise its body limit (256 KiB is always enough), or send less data."
        }
        415 => {
            "The receiver does not take application/json. Make it, or set a content-type header on the webhook."
        }
        400 | 422 => {
            "The receiver read the callback and found it wrong. Its answer usually says why: look at the response, and at the \
             event's data. Repeating the same bytes rarely helps."
        }
        429 => {
            "The receiver asks for fewer calls. Postern waits at least as long as Retry-After says and spaces the calls to this \
             webhook until they succeed again; if it goes on, set a rate limit that the receiver can take, or subscribe to fewer events."
        }
        400..=499 => {
            "The receiver refuses the request as it is. Its answer may say why: look at the response."
        }
        502..=504 => {
            "A proxy before the receiver got no good answer from it: it is down, restarting or overloaded. This usually passes by \
             itself; if not, ask who runs the receiver."
        }
        525 | 526 => {
            "Cloudflare, in front of the receiver, could not make a TLS connection to it. Its certificate is missing, expired or wrong."
        }
        520..=524 | 530 => {
            "Cloudflare, in front of the receiver, could not reach it or got no good answer. Ask who runs the receiver."
        }
        500..=599 => {
            "The receiver failed while it handled the callback. Its logs, at the time of this attempt, say why."
        }
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

/// Whether it is what the dispatcher writes where the platform gives no reason (`edge::sender`).
fn is_name_or_tls(message: &str) -> bool {
    message.starts_with("the host name does not resolve, or no secured connection")
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
    response
        .headers
        .iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
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
