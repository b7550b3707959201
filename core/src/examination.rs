//! What a test may do differently, to see whether the receiver notices, and what its answer says about it.
//!
//! A receiver that answers 2xx to a sound callback may still take forged ones, fail at the second of two
//! equal ones, or refuse a large one. Each [`Variation`] is one such call. Together they are what the page
//! calls *Check the receiver*.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::contract::{self, Callback, Rendering, Source, counts_as_delivered, up42};
use crate::delivery::Outcome;
use crate::signing::SecretFault;
use crate::time::Timestamp;
use crate::variants;
use crate::webhook::{Contract, Definition};

/// How old the time of [`Variation::OldTimestamp`] is: twice what Standard Webhooks' libraries allow.
const OLD_MS: i64 = 10 * 60 * 1_000;
/// Bytes of text in the data of [`Variation::Large`]: above the 100 kB at which some frameworks stop by
/// default (Express' `express.json`), and within what an event may hold.
const LARGE_BYTES: usize = 150_000;
/// The longest timeout of a webhook that may be called twice, one after the other: an invocation ends 30 s
/// after its answer (docs/platform.md 1.4).
const REPEATED_TIMEOUT_MAX_S: u32 = 13;

/// The shortest timeout of a webhook whose body may be sent slowly.
const SLOW_TIMEOUT_MIN_S: u32 = 6;

/// What a test does differently from a sound callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Variation {
    /// The signature has the right form and is not the right one.
    WrongSignature,
    /// There is no signature.
    NoSignature,
    /// The signature is that of another body.
    OtherBody,
    /// The signature is right, and the time that it covers is ten minutes ago.
    OldTimestamp,
    /// It is called twice, one after the other, with the same `webhook-id`. The second answer counts.
    Repeated,
    /// It is called twice at once, with the same `webhook-id`. The worse answer counts.
    AtOnce,
    /// The body has 150 kB.
    Large,
    /// The body comes in pieces over three seconds.
    Slow,
}

variants::spelled!(pub Variation, "Its spelling in the API: `wrong_signature`.");

/// What the answer to a variation says about the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does what it should.
    Passed,
    /// It does not.
    Failed,
    /// There was no answer that says either.
    Unknown,
}

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Finding {
    /// What the answer says about the receiver.
    pub verdict: Verdict,
    /// Why, and what to change.
    pub advice: String,
}

impl Variation {
    /// Whether a receiver should refuse it.
    #[must_use]
    pub const fn is_to_be_refused(self) -> bool {
        matches!(self, Self::WrongSignature | Self::NoSignature | Self::OtherBody | Self::OldTimestamp)
    }

    /// Whether a test of `webhook` can do it.
    ///
    /// # Errors
    /// Why not, for the field that asks for it.
    pub const fn check(self, webhook: &Definition) -> Result<(), &'static str> {
        if self.is_to_be_refused() && webhook.secret.is_none() {
            return Err("needs a webhook that has a secret: callbacks of this one are not signed");
        }
        if matches!(self, Self::Slow) && webhook.timeout_s < SLOW_TIMEOUT_MIN_S {
            return Err("needs a webhook with a `timeout_s` of at least 6: the body takes three seconds");
        }
        if matches!(self, Self::Repeated) && webhook.timeout_s > REPEATED_TIMEOUT_MAX_S {
            return Err(
                "needs a webhook with a `timeout_s` of at most 13: both calls must end within 30 seconds",
            );
        }
        if matches!((self, webhook.contract), (Self::Large, Contract::Ubiops)) {
            return Err("needs a contract that sends the data: ubiops sends at most 16 kB of a result");
        }
        Ok(())
    }

    /// The data that is sent instead of the test's own.
    #[must_use]
    pub fn data(self) -> Option<Box<RawValue>> {
        // UbiOps' body has no `message` of the data, but its `text`.
        const OTHER: &str = "This is not what was signed.";
        let data = match self {
            Self::OtherBody => json!({ "message": OTHER, "text": OTHER }),
            Self::Large => {
                json!({ "message": "This is a large test from Postern.", "filler": "x".repeat(LARGE_BYTES) })
            }
            _ => return None,
        };
        to_raw_value(&data).ok()
    }

    /// The callback, as [`contract::build`] makes it but for what is different.
    ///
    /// # Errors
    /// As of [`contract::build`].
    pub fn callback(
        self,
        webhook: &Definition,
        rendering: &Rendering,
        source: &Source<'_>,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Callback, SecretFault> {
        let data = self.data();
        let sent = Source { data: data.as_deref().unwrap_or(source.data), ..*source };
        let signed = if self == Self::OtherBody { source } else { &sent };
        let at = if self == Self::OldTimestamp { now.plus_ms(-OLD_MS) } else { now };
        let mut callback = contract::build(webhook, rendering, signed, message_id, at)?;
        match self {
            Self::NoSignature => {
                let is_kept = |(name, _): &(String, String)| !carries_signature(name);
                callback.headers.retain(is_kept);
                callback.shown_headers.retain(is_kept);
            }
            Self::WrongSignature => {
                for (name, value) in callback.headers.iter_mut().chain(&mut callback.shown_headers) {
                    if carries_signature(name) {
                        *value = spoiled(value);
                    }
                }
            }
            Self::OtherBody => callback.body = contract::render(rendering, &sent),
            Self::OldTimestamp | Self::Repeated | Self::AtOnce | Self::Large | Self::Slow => {}
        }
        Ok(callback)
    }

    /// How many calls it makes.
    #[must_use]
    pub const fn calls(self) -> u32 {
        if matches!(self, Self::Repeated | Self::AtOnce) { 2 } else { 1 }
    }

    /// How many calls it makes one after the other.
    #[must_use]
    pub const fn calls_in_a_row(self) -> u32 {
        if matches!(self, Self::Repeated) { 2 } else { 1 }
    }

    /// What the answer says.
    #[must_use]
    pub fn judge(self, contract: Contract, outcome: &Outcome) -> Finding {
        let Outcome::Answered { status } = *outcome else {
            let advice = String::from("There was no answer. See why the call failed, and test again.");
            return Finding { verdict: Verdict::Unknown, advice };
        };
        let (verdict, advice) = match (self.is_to_be_refused(), status) {
            (true, _) if counts_as_delivered(contract, status) => (Verdict::Failed, self.if_taken()),
            (false, _) if counts_as_delivered(contract, status) => (Verdict::Passed, ""),
            (_, 300..=399 | 404 | 405 | 407 | 408 | 425 | 429) => (
                Verdict::Unknown,
                "That says nothing about this. Make a plain test pass first, then this one again.",
            ),
            (true, 400..=499) => (Verdict::Passed, ""),
            (true, _) => (
                Verdict::Failed,
                "It does not take the call, but its answer says that it broke. Answer 400 or 401, so that who looks at the log sees an attack and not a fault.",
            ),
            (false, _) => (Verdict::Failed, self.if_refused(status)),
        };
        let advice = match verdict {
            Verdict::Passed => format!("Answered {status}, as it should."),
            Verdict::Failed | Verdict::Unknown => format!("Answered {status}. {advice}"),
        };
        Finding { verdict, advice }
    }

    /// What to change where it is taken.
    const fn if_taken(self) -> &'static str {
        match self {
            Self::WrongSignature => {
                "Anybody who knows the URL can send callbacks. Verify the signature before you use the body, and answer 401 where it does not verify."
            }
            Self::NoSignature => {
                "A callback without a signature is taken. Refuse it with 401: whoever leaves the header out must not pass by the check."
            }
            Self::OtherBody => {
                "The body can be changed on its way. Compute the signature over the exact bytes that arrived, before any parser changes them."
            }
            Self::OldTimestamp => {
                "Whoever recorded a callback can send it again for ever. Refuse a webhook-timestamp that is more than five minutes from now."
            }
            Self::Repeated | Self::AtOnce | Self::Large | Self::Slow => "",
        }
    }

    /// What to change where it is refused.
    const fn if_refused(self, status: u16) -> &'static str {
        match self {
            Self::Repeated => {
                "Two calls with one webhook-id, one after the other, are not both taken. A callback comes again when its answer was lost: answer 2xx to an id that you have seen, and do nothing else."
            }
            Self::AtOnce => {
                "Two calls at once with one webhook-id are not both taken. Note the id in one step that only one of them can win, and answer 2xx to both."
            }
            Self::Large if status != 413 => {
                "A callback with a body of 150 kB is not taken, though its answer does not speak of the size. Compare it with a plain test."
            }
            Self::Large => {
                "A body of 150 kB is refused. Raise the limit of your framework or proxy: an event may hold 256 kB."
            }
            Self::Slow => {
                "A body that comes over three seconds is refused. Raise the time that your server or proxy gives a request body."
            }
            Self::WrongSignature | Self::NoSignature | Self::OtherBody | Self::OldTimestamp => "",
        }
    }
}

/// Whether a header is a signature: that of Standard Webhooks, or UP42's own.
fn carries_signature(name: &str) -> bool {
    name == "webhook-signature" || up42::SIGNATURE_HEADERS[2..].contains(&name)
}

/// A header with the bits of the first byte of each signature turned.
fn spoiled(value: &str) -> String {
    let spoil = |entry: &str| {
        let at = entry.find([',', '=']).map_or(0, |at| at + 1);
        let (kind, signature) = entry.split_at(at);
        match STANDARD.decode(signature) {
            Ok(mut bytes) if !bytes.is_empty() => {
                bytes[0] = !bytes[0];
                format!("{kind}{}", STANDARD.encode(bytes))
            }
            _ => String::from(entry),
        }
    };
    value.split(' ').map(spoil).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Policy;
    use crate::signing::{self, Secret};
    use crate::webhook::parse;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);
    const ID: &str = "msg_1";

    fn webhook(contract: &str, secret: Option<&str>) -> Definition {
        let draft = json!({ "name": "w", "url": "https://r.example/h", "events": ["order.status"], "contract": contract, "secret": secret });
        parse::create(&draft, &Policy::default()).expect("a webhook").0
    }

    /// The secret of each contract that signs.
    fn signed() -> Vec<(Definition, Secret)> {
        let own = Secret::from_random(&[7; 32]);
        let text = own.reveal();
        let all = [("standard", text.as_str()), ("ubiops", text.as_str()), ("up42", "a secret of UP42")];
        all.map(|(contract, secret)| {
            let webhook = webhook(contract, Some(secret));
            let secret = contract::secret_of(webhook.contract, secret).expect("a secret");
            (webhook, secret)
        })
        .into()
    }

    fn callback(webhook: &Definition, variation: Option<Variation>) -> Callback {
        let sample = contract::sample_event(webhook);
        let source = Source {
            kind: &sample.kind,
            accepted_at: NOW,
            data: &sample.data,
            object: sample.object.as_ref(),
        };
        let rendering = Rendering::for_event(webhook, &sample.kind);
        match variation {
            Some(variation) => variation.callback(webhook, &rendering, &source, ID, NOW),
            None => contract::build(webhook, &rendering, &source, ID, NOW),
        }
        .expect("a callback")
    }

    fn header<'a>(callback: &'a Callback, name: &str) -> Option<&'a str> {
        callback.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a receiver that follows Standard Webhooks takes it at `now`.
    fn verifies(callback: &Callback, secret: &Secret, now: Timestamp) -> bool {
        let [id, timestamp, signature] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| header(callback, name));
        let body = callback.body.as_bytes();
        signing::verify(std::slice::from_ref(secret), id, timestamp, signature, body, now.unix_s()).is_ok()
    }

    #[test]
    fn a_receiver_that_verifies_takes_what_it_should_and_nothing_else() {
        for (webhook, secret) in signed() {
            assert!(verifies(&callback(&webhook, None), &secret, NOW));
            for variation in Variation::ALL {
                let callback = callback(&webhook, Some(variation));
                let name = (webhook.contract, variation);
                assert_eq!(verifies(&callback, &secret, NOW), !variation.is_to_be_refused(), "{name:?}");
            }
        }
    }

    #[test]
    fn nothing_but_what_it_is_about_is_different() {
        for (webhook, secret) in signed() {
            let sound = callback(&webhook, None);
            let of = |variation| callback(&webhook, Some(variation));
            let without = |callback: &Callback| {
                let mut headers = callback.headers.clone();
                headers.retain(|(name, _)| !carries_signature(name));
                headers
            };
            let (wrong, none, other) =
                (of(Variation::WrongSignature), of(Variation::NoSignature), of(Variation::OtherBody));
            assert_eq!((&wrong.body, without(&wrong)), (&sound.body, without(&sound)));
            assert_eq!((&none.body, &none.headers), (&sound.body, &without(&sound)));
            assert!(other.headers == sound.headers && other.body != sound.body);
            assert_eq!(wrong.headers, wrong.shown_headers);
            let old = of(Variation::OldTimestamp);
            assert!(old.body == sound.body && verifies(&old, &secret, NOW.plus_ms(-OLD_MS)));
            for same in [Variation::Repeated, Variation::AtOnce, Variation::Slow] {
                assert!(of(same) == sound, "{same:?}");
            }
        }
    }

    #[test]
    fn a_wrong_signature_has_the_form_of_a_right_one() {
        let (two, up42) = ("v1,AAAA v1a,//8=", "up42-sig=q83v");
        assert_eq!(
            (spoiled(two), spoiled(up42)),
            (String::from("v1,/wAA v1a,AP8="), String::from("up42-sig=VM3v"))
        );
        for strange in ["", "v1", "v1,", "v1,!", "no base64"] {
            assert_eq!(spoiled(strange), strange);
        }
    }

    #[test]
    fn what_the_contract_can_t_show_is_refused() {
        let unsigned = webhook("ubiops", None);
        for variation in Variation::ALL {
            let is_refused = variation.is_to_be_refused() || variation == Variation::Large;
            assert_eq!(variation.check(&unsigned).is_err(), is_refused, "{variation:?}");
            let patient = Definition { timeout_s: REPEATED_TIMEOUT_MAX_S + 1, ..signed()[0].0.clone() };
            assert_eq!(variation.check(&patient).is_err(), variation == Variation::Repeated, "{variation:?}");
            let hasty = Definition { timeout_s: SLOW_TIMEOUT_MIN_S - 1, ..signed()[0].0.clone() };
            assert_eq!(variation.check(&hasty).is_err(), variation == Variation::Slow, "{variation:?}");
            assert!(signed().iter().all(|(webhook, _)| {
                variation.check(webhook).is_ok()
                    || (webhook.contract, variation) == (Contract::Ubiops, Variation::Large)
            }));
        }
    }

    #[test]
    fn what_is_sent_instead_of_the_data_is_known() {
        let bytes = Variation::Large.data().map_or(0, |data| data.get().len());
        assert!((LARGE_BYTES..LARGE_BYTES + 1_000).contains(&bytes), "{bytes}");
        for variation in Variation::ALL {
            let has_its_own = matches!(variation, Variation::OtherBody | Variation::Large);
            assert_eq!(variation.data().is_some(), has_its_own, "{variation:?}");
        }
    }

    #[test]
    fn each_answer_has_a_verdict_with_advice() {
        use Verdict::{Failed, Passed, Unknown};
        let judge = |variation: Variation, status| {
            variation.judge(Contract::Standard, &Outcome::Answered { status }).verdict
        };
        for variation in Variation::ALL {
            let (taken, refused) =
                if variation.is_to_be_refused() { (Failed, Passed) } else { (Passed, Failed) };
            assert_eq!(
                [200, 204, 400, 401].map(|status| judge(variation, status)),
                [taken, taken, refused, refused]
            );
            assert_eq!([500, 503].map(|status| judge(variation, status)), [Failed, Failed], "{variation:?}");
            assert_eq!([302, 404, 429].map(|status| judge(variation, status)), [Unknown; 3], "{variation:?}");
            let silent = variation.judge(Contract::Standard, &Outcome::TimedOut);
            assert_eq!(silent.verdict, Unknown);
            let advice = variation.judge(Contract::Standard, &Outcome::Answered { status: 200 }).advice;
            assert!(advice.starts_with("Answered 200") && advice.ends_with('.'), "{advice}");
        }
    }
}
