//! The search for the mistake.

use super::content::{HMAC_SHA256, Signer, Writing, heads, signers, written};
use super::forms::{Way, bodies, key_of, keys_as_copied, keys_in_code};
use super::mistake::Mistake;
use super::received::Received;
use crate::signing::TOLERANCE_S;

/// Mistakes that are made at once, at most.
const AT_ONCE_MAX: usize = 2;
/// Bytes of a body with which two mistakes at once are tried: there are some thousand pairs.
const PAIRS_BODY_BYTES_MAX: usize = 64 * 1024;

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// The request verifies with this secret, and the computed signature is the right one.
    Right,
    /// The request is not what was signed, or the secret not the one that signed it: it verifies without
    /// these mistakes.
    ChangedOnTheWay(Vec<Mistake>),
    /// The request verifies. The code that computed the other signature makes these mistakes.
    WrongInCode(Vec<Mistake>),
    /// The request verifies. Nobody knows what the code does.
    UnknownInCode,
    /// It does not verify with this secret, whatever is tried.
    Unknown,
}

/// What stands out beside that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The secret is not `whsec_` and base64.
    #[error("The secret is not whsec_ followed by base64: copy it from the webhook's page.")]
    SecretDoesNotRead,
    /// The secret is the key of an asymmetric signature, which is not tried.
    #[error(
        "The secret belongs to the asymmetric signature v1a, which is not tried here: paste the one that starts with whsec_."
    )]
    SecretIsAsymmetric,
    /// The header has no signature of the version `v1`.
    #[error("webhook-signature holds no signature of version 1 (v1, and base64).")]
    NoVersionOne,
    /// The timestamp is not a number of seconds.
    #[error("webhook-timestamp is not a number of seconds since 1970.")]
    TimestampDoesNotRead,
    /// The timestamp is so many seconds from now, and receivers take five minutes; positive is in the past.
    #[error("webhook-timestamp is {} seconds in the {}: libraries refuse more than {TOLERANCE_S}, so check the receiver's clock, and do not verify old requests.", seconds.unsigned_abs(), if *seconds < 0 { "future" } else { "past" })]
    Stale {
        /// Seconds.
        seconds: i64,
    },
    /// The header says that the body has another length, in bytes.
    #[error("content-length says {declared} bytes, and the body here has {found}: it was cut or changed.")]
    OtherLength {
        /// By the header.
        declared: usize,
        /// Here.
        found: usize,
    },
}

/// The steps that are tried, each in every way.
struct Tries {
    keys: Vec<Way<Vec<u8>>>,
    bodies: Vec<Way<Vec<u8>>>,
    heads: Vec<Way<String>>,
    signers: Vec<Way<Signer>>,
}

/// Finds out why `received` does not verify with `secret`, or why code that knows both computed another
/// signature.
#[must_use]
pub fn examine(received: &Received, secret: &str, computed: Option<&str>) -> Diagnosis {
    let Received { id, timestamp, signature, body, .. } = received;
    let on_the_way = Tries {
        keys: keys_as_copied(secret),
        bodies: bodies(body),
        heads: heads(id, timestamp).into_iter().take(1).collect(),
        signers: vec![Way::right(HMAC_SHA256)],
    };
    let sent: Vec<&str> = signature
        .split([' ', '\t'])
        .filter_map(|part| part.trim_end_matches(',').strip_prefix("v1,"))
        .collect();
    let of_sender = |bytes: &[u8]| {
        // A sender writes its signature right.
        sent.iter().any(|sent| written(sent, bytes) == Some(Writing::Right)).then_some(Writing::Right)
    };
    let Some(changed) = on_the_way.search(of_sender) else { return Diagnosis::Unknown };
    if !changed.is_empty() {
        return Diagnosis::ChangedOnTheWay(changed);
    }
    let Some(computed) = computed.map(str::trim).filter(|computed| !computed.is_empty()) else {
        return Diagnosis::Right;
    };
    let in_code =
        Tries { keys: keys_in_code(secret), heads: heads(id, timestamp), signers: signers(), ..on_the_way };
    match in_code.search(|bytes| written(computed, bytes)) {
        Some(mistakes) if mistakes.is_empty() => Diagnosis::Right,
        Some(mistakes) => Diagnosis::WrongInCode(mistakes),
        None => Diagnosis::UnknownInCode,
    }
}

impl Tries {
    /// The fewest mistakes with which `is_it` knows the signature; it tells the mistake in its writing.
    fn search(&self, is_it: impl Fn(&[u8]) -> Option<Writing>) -> Option<Vec<Mistake>> {
        let is_long = self.bodies.first().is_some_and(|body| body.with.len() > PAIRS_BODY_BYTES_MAX);
        (0..=if is_long { 1 } else { AT_ONCE_MAX }).find_map(|count| self.search_with(count, &is_it))
    }

    /// The same with exactly so many.
    fn search_with(&self, count: usize, is_it: &impl Fn(&[u8]) -> Option<Writing>) -> Option<Vec<Mistake>> {
        for key in &self.keys {
            for body in &self.bodies {
                for head in &self.heads {
                    let made = [key.mistake, body.mistake, head.mistake];
                    if made.iter().flatten().count() > count {
                        continue;
                    }
                    let content = [head.with.as_bytes(), &body.with].concat();
                    for signer in &self.signers {
                        let made = made.into_iter().chain([signer.mistake]).flatten();
                        if made.clone().count() > count {
                            continue;
                        }
                        if let Some(in_writing) = is_it(&(signer.with)(&key.with, &content)) {
                            let found: Vec<Mistake> = made.chain(in_writing.mistake()).collect();
                            if found.len() == count {
                                return Some(found);
                            }
                        }
                    }
                }
            }
        }
        None
    }
}

/// What stands out of a request and a secret at `now_s`, in seconds since 1970.
#[must_use]
pub fn doubts(received: &Received, secret: &str, now_s: i64) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let trimmed = secret.trim();
    if trimmed.starts_with("whsk_") || trimmed.starts_with("whpk_") {
        doubts.push(Doubt::SecretIsAsymmetric);
    } else if key_of(secret).is_none() {
        doubts.push(Doubt::SecretDoesNotRead);
    }
    if !received.signature.split([' ', '\t']).any(|part| part.starts_with("v1,")) {
        doubts.push(Doubt::NoVersionOne);
    }
    match received.timestamp.parse::<i64>() {
        Ok(at_s) => {
            let seconds = now_s.saturating_sub(at_s);
            if seconds.unsigned_abs() > TOLERANCE_S.unsigned_abs() {
                doubts.push(Doubt::Stale { seconds });
            }
        }
        Err(_not_a_number) => doubts.push(Doubt::TimestampDoesNotRead),
    }
    let found = received.body.len();
    doubts.extend(
        received
            .content_length
            .filter(|declared| *declared != found)
            .map(|declared| Doubt::OtherLength { declared, found }),
    );
    doubts
}
