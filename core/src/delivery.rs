//! Deliveries and attempts: what happened, and what happens next.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::contract::{Rendering, counts_as_delivered};
use crate::credential::{HIDDEN, is_credential, mask_header};
use crate::retry::{self, RetryAfter};
use crate::time::Timestamp;
use crate::variants::spelled;
use crate::webhook::Contract;

/// Where a delivery stands: pending → (leased → waiting)* → delivered, dead or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "DeliveryState"))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum State {
    /// Accepted; the first attempt has not started.
    Pending,
    /// Somebody holds it and is calling, until the lease ends.
    Leased,
    /// An attempt failed; the next is due at `next_at`.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
    /// Stopped by a person, or its webhook was deleted.
    Cancelled,
}

spelled!(pub State, "The wire spelling.");

impl State {
    /// Whether there is nothing left to do.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead | Self::Cancelled)
    }
}

/// How one HTTP call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AttemptOutcome"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// An answer's status line and headers arrived, whatever became of its body (`body_note`). Whether the
    /// status counts as delivered is the contract's word.
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// The timeout ended before an answer's status and headers had come.
    TimedOut,
    /// The connection was refused, reset or lost.
    ConnectionFailed {
        /// What the platform said.
        message: String,
    },
    /// The name does not resolve.
    NameNotResolved,
    /// The egress policy refuses the URL.
    Blocked {
        /// Why.
        message: String,
    },
    /// The request could not be made, or the platform failed.
    PlatformFailed {
        /// What the platform said.
        message: String,
    },
    /// The lease ended without a report: the attempt may or may not have reached the receiver.
    Lost,
}

impl Outcome {
    /// Whether the call could not be made and the receiver has no part in it: too many subrequests, a sealing
    /// key that was taken out. It says nothing of the receiver, and no step of a schedule is used up. A
    /// failure of TLS comes in the same form and is the receiver's.
    #[must_use]
    pub fn is_our_fault(&self) -> bool {
        matches!(self, Self::PlatformFailed { message } if !speaks_of_tls(message))
    }
}

/// Whether a platform's message is about TLS. The platforms have no code for it, only words.
pub(crate) fn speaks_of_tls(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["tls", "ssl", "certificate", "handshake"].iter().any(|word| message.contains(word))
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AttemptTrigger"))]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The schedule (the first attempt included).
    Schedule,
    /// A person asked for it.
    Resend,
}

/// The request as it was sent, without its body, which [`Rendering`] makes again from the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SentRequest {
    /// The URL called.
    pub url: String,
    /// Headers in the order they were set; protected values are `••••••••`.
    pub headers: Vec<(String, String)>,
    /// From what the body was rendered.
    pub rendering: Rendering,
    /// Bytes of the body.
    pub body_bytes: u32,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReceivedResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers, at most 8 KiB of them: one that does not fit is left out. What decides was read before
    /// (`asks`).
    pub headers: Vec<(String, String)>,
    /// How many headers were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub headers_left_out: u32,
    /// The body as text, read in the charset that it declares, cut at 64 KiB; base64 where `body_is_base64`.
    pub body: String,
    /// Whether `body` is base64, because its bytes can't be read as text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body_is_base64: bool,
    /// Whether the body was cut or broke off.
    pub truncated: bool,
    /// What is to be said of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_note: Option<BodyNote>,
    /// What the headers ask for, as they were received. Absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What is to be said of an answer's body. The status decides whatever this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BodyNote {
    /// The connection ended before the body did, or what framed it made no sense.
    BrokenOff {
        /// What the platform said.
        message: String,
    },
    /// The timeout ended before the body did.
    TimedOut,
    /// The bytes are not what `content-encoding` says.
    NotDecoded {
        /// The content coding, such as `gzip`.
        coding: String,
        /// What the platform said.
        message: String,
    },
    /// The bytes are compressed in a form that Postern does not read, and are kept as they came.
    StillEncoded {
        /// The value of `content-encoding`, such as `zstd`.
        coding: String,
    },
    /// The bytes are not text in the declared charset (UTF-8 if absent), or the charset is unknown.
    NotText {
        /// The declared charset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charset: Option<String>,
    },
}

/// What the headers of an answer ask for, read when it came from all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Asks {
    /// What `Retry-After` says, if the answer has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// What `webhook-delivery` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// The value of a `webhook-delivery` that says nothing known, cut to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_wish: Option<String>,
}

impl Asks {
    /// What these headers ask for in an answer that came at `now`. A header of several lines counts as one
    /// list (RFC 9110 5.3).
    #[must_use]
    pub fn read(headers: &[(String, String)], now: Timestamp) -> Self {
        let value = |wanted: &str| {
            let values: Vec<&str> = headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.as_str())
                .collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        let wished = value(WISH_HEADER);
        let wish = wished.as_deref().and_then(Wish::parse);
        let unknown_wish = wished
            .filter(|_| wish.is_none())
            .map(|text| text.chars().take(retry::NOT_UNDERSTOOD_CHARS_MAX).collect());
        Self {
            retry_after: value("retry-after").map(|value| RetryAfter::read(&value, now)),
            wish,
            unknown_wish,
        }
    }
}

impl ReceivedResponse {
    /// An answer of this status and these headers, which came at `now`; its body is not read yet. Headers are
    /// kept up to [`RESPONSE_HEADER_BYTES_MAX`]; what they ask for is read from all of them. Credentials
    /// (`set-cookie`, a `token` in `location`) are hidden: what is kept, every reader of the project sees.
    #[must_use]
    pub fn from_head(status: u16, received: Vec<(String, String)>, now: Timestamp) -> Self {
        let asks = Some(Asks::read(&received, now));
        let count = received.len();
        let mut room = RESPONSE_HEADER_BYTES_MAX;
        let fits = |(name, value): &(String, String)| {
            let left = room.checked_sub(name.len() + value.len());
            room = left.unwrap_or(room);
            left.is_some()
        };
        let shown = |(name, mut value): (String, String)| {
            if is_credential(&name, &value) {
                value = String::from(HIDDEN);
            }
            mask_header(&name, &mut value);
            (name, value)
        };
        let headers: Vec<_> = received.into_iter().map(shown).filter(fits).collect();
        let headers_left_out = u32::try_from(count - headers.len()).unwrap_or(u32::MAX);
        Self { status, headers, headers_left_out, asks, ..Self::default() }
    }

    /// What its headers ask for. `now` is when it came, for a record that does not hold it.
    #[must_use]
    pub fn asks(&self, now: Timestamp) -> Asks {
        self.asks.clone().unwrap_or_else(|| Asks::read(&self.headers, now))
    }
}

/// Bytes of an answer's body that are read at most; the rest is cancelled.
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer's headers that are kept at most.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 8 * 1024;

/// One HTTP call of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// 1, 2, …
    pub number: u32,
    /// Why it was made.
    pub trigger: Trigger,
    /// When the call started.
    pub started_at: Timestamp,
    /// Until the answer was read, or the failure known.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What was sent; null if nothing was sent (`blocked`) or it is not known (`lost`).
    pub request: Option<SentRequest>,
    /// What came back.
    pub response: Option<ReceivedResponse>,
    /// Which request or background run of Postern made it, as its logs name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What follows an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The receiver took it.
    Delivered,
    /// Try again at `next_at`.
    Wait {
        /// When the next attempt is due.
        next_at: Timestamp,
    },
    /// Give up.
    Dead,
    /// This delivery is dead and the webhook is to be disabled.
    DisableWebhook {
        /// Why: never [`DisableCause::FailingForDays`], which is not one delivery's to know (`health`).
        cause: DisableCause,
    },
}

/// Why Postern disables a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisableCause {
    /// The receiver answered 410 Gone.
    Gone,
    /// The receiver's answer carried `webhook-delivery: disable`.
    Asked,
    /// Five days of failure without one success.
    FailingForDays,
}

impl DisableCause {
    /// In words, as `disabled_reason` and the operational event say it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Gone => "The receiver answered 410 Gone",
            Self::Asked => "The receiver's answer asked for it (webhook-delivery: disable)",
            Self::FailingForDays => "Every call failed for five days",
        }
    }
}

/// What the answer's header `webhook-delivery` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// No more calls to this webhook.
    Disable,
    /// No further attempt of this delivery.
    Abort,
}

/// The answer header in which a receiver says what should become of the delivery or its webhook.
pub const WISH_HEADER: &str = "webhook-delivery";

impl Wish {
    /// Reads the header's value: `disable` or `abort`, whatever the case. Other values say nothing.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        if value.eq_ignore_ascii_case("disable") {
            Some(Self::Disable)
        } else if value.eq_ignore_ascii_case("abort") {
            Some(Self::Abort)
        } else {
            None
        }
    }

    /// The wish of an answer; `None` if the contract is not `standard`: a receiver of another system, or a
    /// proxy before it, does not mean us.
    #[must_use]
    pub fn from_response(contract: Contract, response: &ReceivedResponse) -> Option<Self> {
        if contract != Contract::Standard {
            return None;
        }
        // When it came says nothing of a wish.
        response.asks(Timestamp(0)).wish
    }
}

/// What the decision needs to know of the delivery and its webhook.
#[derive(Clone, Copy, Debug)]
pub struct RetryTerms<'a> {
    /// The webhook's contract.
    pub contract: Contract,
    /// Whether it retries. Where it does not, no schedule counts.
    pub retry: bool,
    /// Seconds before attempt 2, 3, …: the webhook's, else the project's; `None` is the default
    /// ([`crate::retry::DEFAULT_WAITS_S`]).
    pub schedule_s: Option<&'a [u32]>,
    /// Scheduled attempts made so far, this one included (resends do not count).
    pub scheduled_attempts: u32,
    /// Seeds the jitter.
    pub seed: u64,
    /// Whether a 410 disables the webhook; else it waits for a second one
    /// ([`crate::health::Health::gone_disables`]) and is a failure as others.
    pub gone_disables: bool,
}

/// Decides what follows an attempt that ended at `now`. What the receiver wishes ([`Wish`]) counts only where
/// it did not take the delivery.
#[must_use]
pub fn decide(
    standing: RetryTerms<'_>,
    outcome: &Outcome,
    response: Option<&ReceivedResponse>,
    now: Timestamp,
) -> Decision {
    match outcome {
        Outcome::Answered { status } if counts_as_delivered(standing.contract, *status) => {
            return Decision::Delivered;
        }
        Outcome::Answered { status: 410 } if standing.gone_disables => {
            return Decision::DisableWebhook { cause: DisableCause::Gone };
        }
        // No attempt will fare better until somebody edits the webhook; a person can resend then.
        Outcome::Blocked { .. } => return Decision::Dead,
        _ => {}
    }
    match response.and_then(|response| Wish::from_response(standing.contract, response)) {
        Some(Wish::Disable) => return Decision::DisableWebhook { cause: DisableCause::Asked },
        Some(Wish::Abort) => return Decision::Dead,
        None => {}
    }
    let next_attempt = standing.scheduled_attempts.saturating_add(1);
    if next_attempt > 1 && !standing.retry {
        return Decision::Dead;
    }
    let retry_after_s =
        response.and_then(|response| retry_after(response, now)).and_then(|asked| asked.wait_s());
    match retry::wait_ms(next_attempt, standing.schedule_s, standing.seed, retry_after_s) {
        Some(wait_ms) => Decision::Wait { next_at: now.plus_ms(wait_ms) },
        None => Decision::Dead,
    }
}

/// What the answer's `Retry-After` says, if it has one. `now` is when the answer came, for a record that does
/// not hold it.
#[must_use]
pub fn retry_after(response: &ReceivedResponse, now: Timestamp) -> Option<RetryAfter> {
    response.asks(now).retry_after
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);
    const STANDING: RetryTerms<'_> = RetryTerms {
        contract: Contract::Standard,
        retry: true,
        schedule_s: None,
        scheduled_attempts: 1,
        seed: 7,
        gone_disables: true,
    };

    fn after(standing: RetryTerms<'_>, status: u16) -> Decision {
        decide(standing, &Outcome::Answered { status }, None, NOW)
    }

    fn failures() -> Vec<Outcome> {
        let message = || String::from("x");
        vec![
            Outcome::Answered { status: 500 },
            Outcome::Answered { status: 404 },
            Outcome::TimedOut,
            Outcome::ConnectionFailed { message: message() },
            Outcome::NameNotResolved,
            Outcome::PlatformFailed { message: message() },
            Outcome::Lost,
        ]
    }

    #[test]
    fn the_contract_says_what_counts_as_delivered() {
        for (contract, status, is_delivered) in [
            (Contract::Standard, 200, true),
            (Contract::Standard, 204, true),
            (Contract::Standard, 299, true),
            (Contract::Standard, 302, false),
            (Contract::Standard, 199, false),
            (Contract::Ubiops, 200, true),
            (Contract::Ubiops, 302, true),
            (Contract::Ubiops, 399, true),
            (Contract::Ubiops, 400, false),
        ] {
            let decision = after(RetryTerms { contract, ..STANDING }, status);
            assert_eq!(decision == Decision::Delivered, is_delivered, "{contract:?} {status}");
        }
    }

    #[test]
    fn every_failure_is_repeated_until_the_schedule_ends() {
        for outcome in failures() {
            for scheduled_attempts in 1..=9 {
                let decision = decide(RetryTerms { scheduled_attempts, ..STANDING }, &outcome, None, NOW);
                assert!(
                    matches!(decision, Decision::Wait { next_at } if next_at > NOW),
                    "{outcome:?} {scheduled_attempts}"
                );
            }
            assert_eq!(
                decide(RetryTerms { scheduled_attempts: 10, ..STANDING }, &outcome, None, NOW),
                Decision::Dead,
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn without_retry_one_attempt_is_all() {
        for outcome in failures() {
            assert_eq!(
                decide(RetryTerms { retry: false, ..STANDING }, &outcome, None, NOW),
                Decision::Dead,
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn a_failed_resend_before_the_first_scheduled_attempt_leaves_that_attempt_due() {
        for retry in [false, true] {
            let standing = RetryTerms { retry, scheduled_attempts: 0, ..STANDING };
            assert_eq!(after(standing, 500), Decision::Wait { next_at: NOW });
        }
    }

    #[test]
    fn a_receiver_that_is_gone_disables_its_webhook() {
        for contract in Contract::ALL {
            for retry in [false, true] {
                assert_eq!(
                    after(RetryTerms { contract, retry, ..STANDING }, 410),
                    Decision::DisableWebhook { cause: DisableCause::Gone }
                );
            }
        }
    }

    #[test]
    fn a_410_that_waits_for_a_second_one_is_a_failure_as_others() {
        for contract in Contract::ALL {
            let waits = RetryTerms { contract, gone_disables: false, ..STANDING };
            assert!(matches!(after(waits, 410), Decision::Wait { next_at } if next_at > NOW), "{contract:?}");
            assert_eq!(after(RetryTerms { retry: false, ..waits }, 410), Decision::Dead);
            assert_eq!(after(RetryTerms { scheduled_attempts: 10, ..waits }, 410), Decision::Dead);
        }
    }

    fn wishing(status: u16, value: &str) -> ReceivedResponse {
        let headers = vec![(String::from("Webhook-Delivery"), String::from(value))];
        ReceivedResponse { status, headers, ..ReceivedResponse::default() }
    }

    #[test]
    fn a_receiver_that_asks_to_be_left_alone_is() {
        for (value, expected) in [
            ("disable", Decision::DisableWebhook { cause: DisableCause::Asked }),
            (" Disable\t", Decision::DisableWebhook { cause: DisableCause::Asked }),
            ("ABORT", Decision::Dead),
            ("abort", Decision::Dead),
        ] {
            for contract in Contract::ALL {
                for status in [400, 410, 500] {
                    let response = wishing(status, value);
                    let decision = decide(
                        RetryTerms { contract, ..STANDING },
                        &Outcome::Answered { status },
                        Some(&response),
                        NOW,
                    );
                    let gone = Decision::DisableWebhook { cause: DisableCause::Gone };
                    let said = format!("{contract:?} {status} {value}");
                    match (status, contract) {
                        (410, _) => assert_eq!(decision, gone, "{said}"),
                        (_, Contract::Standard) => assert_eq!(decision, expected, "{said}"),
                        // The header is of Standard Webhooks: another system's receiver does not mean us.
                        _ => assert!(matches!(decision, Decision::Wait { .. }), "{said}"),
                    }
                }
            }
        }
    }

    #[test]
    fn a_wish_of_an_answer_that_is_success_and_one_that_nobody_knows_are_ignored() {
        assert_eq!(
            decide(STANDING, &Outcome::Answered { status: 204 }, Some(&wishing(204, "disable")), NOW),
            Decision::Delivered
        );
        for value in ["", "disabled", "disable, abort", "retry"] {
            let decision =
                decide(STANDING, &Outcome::Answered { status: 500 }, Some(&wishing(500, value)), NOW);
            assert!(matches!(decision, Decision::Wait { .. }), "{value}");
        }
    }

    #[test]
    fn a_schedule_of_the_webhook_or_the_project_replaces_the_default() {
        let with = |schedule_s, scheduled_attempts| {
            after(RetryTerms { schedule_s, scheduled_attempts, ..STANDING }, 500)
        };
        let fits = |decision: Decision, wait_s: i64| matches!(decision, Decision::Wait { next_at } if (wait_s * 800..=wait_s * 1_200).contains(&next_at.ms_since(NOW)));
        assert!(fits(with(Some(&[7, 60]), 1), 7) && fits(with(Some(&[7, 60]), 2), 60));
        assert_eq!(with(Some(&[7, 60]), 3), Decision::Dead);
        assert_eq!(with(Some(&[]), 1), Decision::Dead, "one attempt");
        assert_eq!(with(Some(&[]), 0), Decision::Wait { next_at: NOW }, "a resend came before it");
        let none = RetryTerms { schedule_s: Some(&[7]), retry: false, ..STANDING };
        assert_eq!(after(none, 500), Decision::Dead, "retry: false wins");
    }

    #[test]
    fn a_blocked_url_is_not_tried_again() {
        assert_eq!(
            decide(STANDING, &Outcome::Blocked { message: String::from("x") }, None, NOW),
            Decision::Dead
        );
    }

    #[test]
    fn retry_after_lengthens_the_wait_whatever_the_case_of_its_name() {
        for (value, wait_ms) in
            [("3600", 3_600_000), ("999999999", 86_400_000), ("Sat, 21 Nov 2026 15:07:32 GMT", 3_601_000)]
        {
            let response = ReceivedResponse {
                status: 503,
                headers: vec![(String::from("Retry-After"), String::from(value))],
                ..ReceivedResponse::default()
            };
            let decision = decide(STANDING, &Outcome::Answered { status: 503 }, Some(&response), NOW);
            assert_eq!(decision, Decision::Wait { next_at: NOW.plus_ms(wait_ms) }, "{value}");
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> ReceivedResponse {
        let headers =
            headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
        ReceivedResponse::from_head(status, headers, NOW)
    }

    #[test]
    fn what_decides_is_read_from_the_headers_as_received() {
        let long = "y".repeat(9_000);
        let many: Vec<(String, &str)> = (0..400).map(|n| (format!("x-{n}"), "a value of a header")).collect();
        let many = || many.iter().map(|(name, value)| (name.as_str(), *value));
        for before in [vec![("x-long", long.as_str())], many().collect()] {
            let with = |name, value| {
                let headers: Vec<_> = before.iter().copied().chain([(name, value)]).collect();
                answer(503, &headers)
            };
            let after = |response: &ReceivedResponse| {
                decide(STANDING, &Outcome::Answered { status: 503 }, Some(response), NOW)
            };
            let later = with("retry-after", "600");
            assert!(later.headers_left_out > 0);
            assert!(
                later.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
                    <= RESPONSE_HEADER_BYTES_MAX
            );
            assert_eq!(after(&later), Decision::Wait { next_at: NOW.plus_ms(600_000) });
            assert_eq!(after(&with("webhook-delivery", "abort")), Decision::Dead);
            assert_eq!(
                after(&with("Webhook-Delivery", "disable")),
                Decision::DisableWebhook { cause: DisableCause::Asked }
            );
        }
        let kept = answer(503, &[("x-long", &long), ("retry-after", "600")]);
        assert_eq!(
            (kept.headers.len(), kept.headers_left_out),
            (1, 1),
            "a header that does not fit leaves room for the next"
        );
    }

    #[test]
    fn credentials_of_an_answer_are_hidden() {
        let kept = answer(
            302,
            &[
                ("set-cookie", "hush"),
                ("retry-after", "hush"),
                ("x-csrf-token", "hush"),
                ("Location", "/a?b=1&token=hush"),
            ],
        );
        let shown: Vec<&str> = kept.headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(shown, [HIDDEN, "hush", HIDDEN, &format!("/a?b=1&token={HIDDEN}")]);
    }

    #[test]
    fn what_decides_survives_the_way_through_a_record() {
        let response = answer(
            503,
            &[("x-long", &"y".repeat(9_000)), ("retry-after", "4.5"), ("webhook-delivery", "later")],
        );
        let text = serde_json::to_string(&response).unwrap_or_default();
        let read: ReceivedResponse = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read, response);
        let asks = read.asks(Timestamp(0));
        assert_eq!(asks.retry_after.and_then(|asked| asked.wait_s()), Some(5));
        assert_eq!((asks.wish, asks.unknown_wish.as_deref()), (None, Some("later")));
        let old = r#"{"status":503,"headers":[["retry-after","60"]],"body":"x","truncated":true}"#;
        let old: ReceivedResponse = serde_json::from_str(old).unwrap_or_default();
        assert_eq!(
            retry_after(&old, NOW),
            Some(RetryAfter::Seconds { seconds: 60 }),
            "a record of an older build"
        );
    }

    #[test]
    fn a_retry_after_that_is_not_understood_leaves_the_schedule() {
        for value in ["soon", "-600", "", "1e3", "60 parsecs", &"9x".repeat(9_000)] {
            let response = answer(503, &[("retry-after", value)]);
            let decision = decide(STANDING, &Outcome::Answered { status: 503 }, Some(&response), NOW);
            assert_eq!(decision, after(STANDING, 503), "{value:.20}");
        }
        let response = answer(503, &[("Retry-After", "4.5")]);
        let decision = decide(STANDING, &Outcome::Answered { status: 503 }, Some(&response), NOW);
        assert!(
            matches!(decision, Decision::Wait { next_at } if next_at.ms_since(NOW) >= 5_000),
            "{decision:?}"
        );
        let twice = answer(503, &[("retry-after", "60"), ("retry-after", "600")]);
        assert_eq!(
            retry_after(&twice, NOW),
            Some(RetryAfter::Seconds { seconds: 600 }),
            "two lines are one list"
        );
    }

    #[test]
    fn the_status_decides_whatever_became_of_the_body() {
        let coding = || String::from("gzip");
        let message = || String::from("m");
        for note in [
            BodyNote::BrokenOff { message: message() },
            BodyNote::TimedOut,
            BodyNote::NotDecoded { coding: coding(), message: message() },
            BodyNote::StillEncoded { coding: coding() },
            BodyNote::NotText { charset: None },
        ] {
            let after = |status, headers: &[(&str, &str)]| {
                let response = ReceivedResponse {
                    truncated: true,
                    body_note: Some(note.clone()),
                    ..answer(status, headers)
                };
                decide(STANDING, &Outcome::Answered { status }, Some(&response), NOW)
            };
            assert_eq!(after(200, &[]), Decision::Delivered, "{note:?}");
            assert_eq!(after(410, &[]), Decision::DisableWebhook { cause: DisableCause::Gone }, "{note:?}");
            assert_eq!(
                after(429, &[("retry-after", "600")]),
                Decision::Wait { next_at: NOW.plus_ms(600_000) },
                "{note:?}"
            );
            assert_eq!(after(500, &[("webhook-delivery", "abort")]), Decision::Dead, "{note:?}");
        }
    }

    #[test]
    fn a_state_reads_back_as_it_is_spelt() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_string(&state).ok(), Some(format!("\"{}\"", state.as_str())));
        }
    }
}
