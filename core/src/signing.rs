//! Standard Webhooks signatures (PEERS 6): `v1`, HMAC-SHA256 over `{id}.{timestamp}.{body}`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// Secrets start so.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret (PEERS 6.5).
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// The scheme of HMAC signatures.
const SCHEME: &str = "v1";
/// People copy secrets with and without the padding.
const SECRET_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// A parsed symmetric secret: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Random bytes of a secret that Postern makes.
pub const GENERATED_SECRET_BYTES: usize = 32;

/// What is wrong with a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// No `whsec_` in front.
    #[error("must start with whsec_")]
    NoPrefix,
    /// What follows is not base64.
    #[error("must be whsec_ followed by base64")]
    NotBase64,
    /// Fewer than 24 or more than 64 bytes.
    #[error("must hold 24 to 64 bytes, this one holds {bytes}")]
    Length {
        /// Bytes found.
        bytes: usize,
    },
}

/// Why a signature does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyFault {
    /// One of the three headers is missing.
    #[error("header {0} is missing")]
    MissingHeader(&'static str),
    /// `webhook-timestamp` is no integer.
    #[error("webhook-timestamp is not a number of seconds")]
    BadTimestamp,
    /// The timestamp is further than the tolerance from now.
    #[error("webhook-timestamp is {seconds} s away from the time of arrival")]
    Stale {
        /// How far, in seconds; positive is in the past.
        seconds: i64,
    },
    /// No signature in the header is that of the body.
    #[error("no signature matches the body")]
    Mismatch,
}

/// Seconds a timestamp may differ from the verifier's clock (reference libraries: 300).
pub const TOLERANCE_S: i64 = 300;

impl Secret {
    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// What is wrong with it; never repeats the secret.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SecretFault::NoPrefix)?;
        let bytes = SECRET_BASE64.decode(encoded).map_err(|_not_shown| SecretFault::NotBase64)?;
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            return Err(SecretFault::Length { bytes: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// A secret from random bytes, 24 to 64 of them.
    #[must_use]
    pub fn from_random(random: &[u8; GENERATED_SECRET_BYTES]) -> Self {
        Self(random.to_vec())
    }

    /// `whsec_…`
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The HMAC over `{id}.{timestamp}.{body}`.
    fn mac(&self, id: &str, timestamp_s: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

/// The `webhook-signature` value for these bytes: one `v1,…` per secret, separated by spaces.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("{SCHEME},{}", STANDARD.encode(secret.mac(id, timestamp_s, body).finalize().into_bytes())))
        .collect();
    signatures.join(" ")
}

/// Verifies a received request as a receiver would.
///
/// # Errors
/// Why it does not verify.
pub fn verify(
    secrets: &[Secret],
    id: Option<&str>,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now_s: i64,
) -> Result<(), VerifyFault> {
    let id = id.ok_or(VerifyFault::MissingHeader("webhook-id"))?;
    let timestamp = timestamp.ok_or(VerifyFault::MissingHeader("webhook-timestamp"))?;
    let signature = signature.ok_or(VerifyFault::MissingHeader("webhook-signature"))?;
    let timestamp_s: i64 = timestamp.parse().map_err(|_not_a_number| VerifyFault::BadTimestamp)?;
    let seconds = now_s.saturating_sub(timestamp_s);
    if seconds.unsigned_abs() > TOLERANCE_S.unsigned_abs() {
        return Err(VerifyFault::Stale { seconds });
    }
    let received: Vec<Vec<u8>> = signature
        .split(' ')
        .filter_map(|part| part.split_once(','))
        .filter(|(scheme, _)| *scheme == SCHEME)
        .filter_map(|(_, encoded)| STANDARD.decode(encoded).ok())
        .collect();
    // Every pair is compared, each in constant time: how long it takes tells nothing about which one fits.
    let mut matches = Choice::from(0);
    for secret in secrets {
        let expected = secret.mac(id, timestamp_s, body).finalize().into_bytes();
        for candidate in &received {
            matches |= expected.as_slice().ct_eq(candidate.as_slice());
        }
    }
    if bool::from(matches) { Ok(()) } else { Err(VerifyFault::Mismatch) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_never_repeats_the_secret() {
        for text in ["hush", "whsec_hu!sh", "whsec_aHVzaA=="] {
            let fault = Secret::parse(text).err().map(|fault| fault.to_string()).unwrap_or_default();
            assert!(!fault.is_empty() && !fault.contains("hu") && !fault.contains("aHV"), "{fault}");
        }
    }

    #[test]
    fn a_made_secret_reads_back() -> Result<(), SecretFault> {
        let shown = Secret::from_random(&[7; GENERATED_SECRET_BYTES]).reveal();
        assert_eq!(Secret::parse(&shown)?.reveal(), shown);
        Ok(())
    }

    fn reference(secret: &Secret) -> Result<standardwebhooks::Webhook, TestCaseError> {
        standardwebhooks::Webhook::new(&secret.reveal()).map_err(|error| TestCaseError::fail(error.to_string()))
    }

    proptest! {
        #[test]
        fn the_reference_library_makes_the_same_signature(key in prop::collection::vec(any::<u8>(), 24..=64), id in "[a-zA-Z0-9_]{1,40}", timestamp_s in 0i64..4_000_000_000, body in ".{0,200}") {
            let secret = Secret(key);
            let theirs = reference(&secret)?.sign(&id, timestamp_s, body.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&sign(std::slice::from_ref(&secret), &id, timestamp_s, body.as_bytes()), &theirs);
            let verdict = verify(&[secret], Some(&id), Some(&timestamp_s.to_string()), Some(&theirs), body.as_bytes(), timestamp_s);
            prop_assert_eq!(verdict, Ok(()));
        }

        #[test]
        fn one_flipped_bit_of_the_body_is_noticed(mut body in prop::collection::vec(any::<u8>(), 1..100), at: prop::sample::Index, bit in 0u8..8) {
            let secret = Secret(vec![1; 32]);
            let signature = sign(std::slice::from_ref(&secret), "msg_1", 1, &body);
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            prop_assert_eq!(verify(&[secret], Some("msg_1"), Some("1"), Some(&signature), &body, 1), Err(VerifyFault::Mismatch));
        }

        #[test]
        fn no_header_makes_it_panic(id in ".{0,20}", timestamp in ".{0,20}", signature in ".{0,60}", now_s: i64) {
            let _verdict = verify(&[Secret(vec![1; 32])], Some(&id), Some(&timestamp), Some(&signature), b"", now_s);
            let _fault = Secret::parse(&signature);
        }
    }
}
