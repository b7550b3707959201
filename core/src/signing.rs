//! Standard Webhooks signatures (docs/wire.md D.2) over `{id}.{timestamp}.{body}`: `v1` is HMAC-SHA256 with a
//! `whsec_` secret that both sides know, `v1a` is ed25519 with a `whsk_` key whose public half, `whpk_`, is
//! all that receivers need.
//!
//! The feature `asymmetric` brings the ed25519 arithmetic. Without it (the page, which must stay small) a
//! `whsk_` key is read and shown by its form, and signing with it is a clear error.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine as _, alphabet};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::variants::spelled;

#[cfg(feature = "asymmetric")]
use ed25519_compact::{KeyPair, SecretKey, Seed};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// Symmetric secrets start so.
const SECRET_PREFIX: &str = "whsec_";
/// Private keys start so.
const PRIVATE_KEY_PREFIX: &str = "whsk_";
/// Public keys start so.
const PUBLIC_KEY_PREFIX: &str = "whpk_";
/// Bytes of a symmetric secret (docs/wire.md D.2).
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// Bytes of a private key: the seed, then the public key (docs/wire.md D.2).
const PRIVATE_KEY_BYTES: usize = 64;
/// Bytes of its first half.
const SEED_BYTES: usize = 32;
/// People copy secrets with and without the padding.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The two kinds of secret, named after the signatures that they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SecretKind {
    /// Symmetric: HMAC-SHA256, `whsec_`.
    V1,
    /// Asymmetric: ed25519, `whsk_`.
    V1a,
}

spelled!(pub SecretKind, "The wire spelling, also the scheme in `webhook-signature`.");

impl SecretKind {
    /// Bytes of its signatures: those of SHA-256, and of ed25519 (RFC 8032 5.1.6).
    const fn signature_bytes(self) -> usize {
        match self {
            Self::V1 => 32,
            Self::V1a => 64,
        }
    }
}

/// A parsed secret: `whsec_` and the base64 of 24 to 64 bytes, or `whsk_` and the base64 of an ed25519 seed
/// and its public key.
#[derive(Clone)]
pub struct Secret(Key);

#[derive(Clone)]
enum Key {
    Symmetric(Vec<u8>),
    /// A text that is itself the key of the HMAC.
    Text(String),
    Private([u8; PRIVATE_KEY_BYTES]),
}

/// Random bytes of a secret that Postern makes, of either kind.
pub const GENERATED_SECRET_BYTES: usize = 32;

/// What is wrong with a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// No `whsec_` or `whsk_` in front.
    #[error("must start with whsec_ or whsk_")]
    NoPrefix,
    /// What follows is not base64.
    #[error("must be whsec_ or whsk_ followed by base64")]
    NotBase64,
    /// A `whsec_` of fewer than 24 or more than 64 bytes.
    #[error("must hold 24 to 64 bytes, this one holds {bytes}")]
    Length {
        /// Bytes found.
        bytes: usize,
    },
    /// A `whsk_` that does not hold a seed and a public key.
    #[error("must hold 64 bytes (the ed25519 seed, then the public key), this one holds {bytes}")]
    KeyLength {
        /// Bytes found.
        bytes: usize,
    },
    /// The public half of a `whsk_` does not belong to its seed.
    #[error("must hold the public key of its seed, this one belongs to another seed")]
    KeyMismatch,
    /// This build can't do ed25519 (feature `asymmetric`).
    #[error("is an ed25519 key, and this build of Postern can't sign with those")]
    Unsupported,
}

/// Why a signature does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyFault {
    /// One of the three headers is missing.
    #[error("header {0} is missing")]
    MissingHeader(&'static str),
    /// `webhook-timestamp` is not an integer.
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

/// Bytes of `webhook-signature` that a receiver reads at most: some 90 signatures.
pub const SIGNATURE_HEADER_BYTES_MAX: usize = 4 * 1024;
/// Signatures of one header that are compared at most. A sender has one for each of its secrets, of which it
/// has few.
pub const CANDIDATES_MAX: usize = 16;

/// Seconds a timestamp may differ from the verifier's clock (reference libraries: 300).
pub const TOLERANCE_S: i64 = 300;

impl Secret {
    /// Reads `whsec_…` or `whsk_…`.
    ///
    /// # Errors
    /// What is wrong with it; never repeats the secret. Without the feature `asymmetric` the two halves of a
    /// `whsk_` are not compared.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let decode =
            |encoded: &str| SECRET_BASE64.decode(encoded).map_err(|_not_shown| SecretFault::NotBase64);
        if let Some(encoded) = text.strip_prefix(SECRET_PREFIX) {
            let bytes = decode(encoded)?;
            if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
                return Err(SecretFault::Length { bytes: bytes.len() });
            }
            return Ok(Self(Key::Symmetric(bytes)));
        }
        let encoded = text.strip_prefix(PRIVATE_KEY_PREFIX).ok_or(SecretFault::NoPrefix)?;
        let bytes = decode(encoded)?;
        let key: [u8; PRIVATE_KEY_BYTES] =
            bytes.try_into().map_err(|bytes: Vec<u8>| SecretFault::KeyLength { bytes: bytes.len() })?;
        check_halves(&key)?;
        Ok(Self(Key::Private(key)))
    }

    /// A symmetric secret whose key is the UTF-8 of any text, as UP42 has them (docs/wire.md B.5).
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(Key::Text(String::from(text)))
    }

    /// A symmetric secret of random bytes.
    #[must_use]
    pub fn from_random(random: &[u8; GENERATED_SECRET_BYTES]) -> Self {
        Self(Key::Symmetric(random.to_vec()))
    }

    /// A secret of this kind, made of random bytes.
    ///
    /// # Errors
    /// [`SecretFault::Unsupported`] for `v1a` without the feature `asymmetric`; [`SecretFault::KeyMismatch`]
    /// where all bytes are zero, which no key may be made of.
    pub fn generate(kind: SecretKind, random: &[u8; GENERATED_SECRET_BYTES]) -> Result<Self, SecretFault> {
        match kind {
            SecretKind::V1 => Ok(Self::from_random(random)),
            SecretKind::V1a => key_from_seed(random).map(|key| Self(Key::Private(key))),
        }
    }

    /// Which signatures it makes.
    #[must_use]
    pub const fn kind(&self) -> SecretKind {
        match self.0 {
            Key::Symmetric(_) | Key::Text(_) => SecretKind::V1,
            Key::Private(_) => SecretKind::V1a,
        }
    }

    /// `whsec_…` or `whsk_…`, or the text it was made of.
    #[must_use]
    pub fn reveal(&self) -> String {
        match &self.0 {
            Key::Symmetric(bytes) => format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)),
            Key::Text(text) => text.clone(),
            Key::Private(key) => format!("{PRIVATE_KEY_PREFIX}{}", STANDARD.encode(key)),
        }
    }

    /// `whpk_…`, what a receiver verifies `v1a` with; `None` for a symmetric secret.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        match &self.0 {
            Key::Symmetric(_) | Key::Text(_) => None,
            Key::Private(key) => {
                key.get(SEED_BYTES..).map(|public| format!("{PUBLIC_KEY_PREFIX}{}", STANDARD.encode(public)))
            }
        }
    }

    /// The signature of `content`, without its scheme.
    fn sign(&self, content: &[u8]) -> Result<Vec<u8>, SecretFault> {
        match &self.0 {
            Key::Symmetric(bytes) => Ok(hmac_sha256(bytes, content)),
            Key::Text(text) => Ok(hmac_sha256(text.as_bytes(), content)),
            Key::Private(key) => sign_with_key(key, content),
        }
    }
}

/// The base64 of the HMAC-SHA256 of `content`.
pub(crate) fn hmac_base64(key: &[u8], content: &[u8]) -> String {
    STANDARD.encode(hmac_sha256(key, content))
}

/// The base64 of the SHA-256 of `content`.
pub(crate) fn sha256_base64(content: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(content))
}

/// The HMAC-SHA256 of `content`.
pub(crate) fn hmac_sha256(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

/// A private key from its seed.
#[cfg(feature = "asymmetric")]
fn key_from_seed(seed: &[u8; SEED_BYTES]) -> Result<[u8; PRIVATE_KEY_BYTES], SecretFault> {
    KeyPair::try_from_seed(Seed::new(*seed))
        .map(|pair| *pair.sk)
        .map_err(|_all_zero| SecretFault::KeyMismatch)
}

#[cfg(not(feature = "asymmetric"))]
const fn key_from_seed(_seed: &[u8; SEED_BYTES]) -> Result<[u8; PRIVATE_KEY_BYTES], SecretFault> {
    Err(SecretFault::Unsupported)
}

/// Checks that the public half of a key belongs to its seed: signatures by a key of two parts that do not fit
/// give the seed away.
#[cfg(feature = "asymmetric")]
fn check_halves(key: &[u8; PRIVATE_KEY_BYTES]) -> Result<(), SecretFault> {
    let mut seed = [0; SEED_BYTES];
    seed.copy_from_slice(&key[..SEED_BYTES]);
    if key_from_seed(&seed)? == *key { Ok(()) } else { Err(SecretFault::KeyMismatch) }
}

#[cfg(not(feature = "asymmetric"))]
#[expect(clippy::unnecessary_wraps, reason = "the other build can fail")]
const fn check_halves(_key: &[u8; PRIVATE_KEY_BYTES]) -> Result<(), SecretFault> {
    Ok(())
}

#[cfg(feature = "asymmetric")]
#[expect(clippy::unnecessary_wraps, reason = "the other build can't sign")]
fn sign_with_key(key: &[u8; PRIVATE_KEY_BYTES], content: &[u8]) -> Result<Vec<u8>, SecretFault> {
    Ok(SecretKey::new(*key).sign(content, None).as_ref().to_vec())
}

#[cfg(not(feature = "asymmetric"))]
const fn sign_with_key(_key: &[u8; PRIVATE_KEY_BYTES], _content: &[u8]) -> Result<Vec<u8>, SecretFault> {
    Err(SecretFault::Unsupported)
}

/// What is signed: `{id}.{timestamp}.{body}`.
fn content(id: &str, timestamp_s: i64, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{id}.{timestamp_s}.").into_bytes();
    content.extend_from_slice(body);
    content
}

/// The `webhook-signature` value for these bytes: one signature per secret, in their order, separated by
/// spaces.
///
/// # Errors
/// [`SecretFault::Unsupported`] for a `whsk_` without the feature `asymmetric`.
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> Result<String, SecretFault> {
    let content = content(id, timestamp_s, body);
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        signatures.push(format!("{},{}", secret.kind().as_str(), STANDARD.encode(secret.sign(&content)?)));
    }
    Ok(signatures.join(" "))
}

/// A received request whose signature is to be verified: what was signed, and what is said to be its
/// signature.
///
/// What it costs is bounded whatever a sender puts into the header: [`SIGNATURE_HEADER_BYTES_MAX`],
/// [`CANDIDATES_MAX`], and one signature made for each secret that is asked.
pub struct Received {
    content: Vec<u8>,
    candidates: Vec<(SecretKind, Vec<u8>)>,
    left_out: Option<String>,
}

impl Received {
    /// Takes a request as it arrived at `now_s`.
    ///
    /// # Errors
    /// A header is missing, or the timestamp is malformed or too far from `now_s`.
    pub fn read(
        id: Option<&str>,
        timestamp: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
        now_s: i64,
    ) -> Result<Self, VerifyFault> {
        let id = id.ok_or(VerifyFault::MissingHeader("webhook-id"))?;
        let timestamp = timestamp.ok_or(VerifyFault::MissingHeader("webhook-timestamp"))?;
        let signature = signature.ok_or(VerifyFault::MissingHeader("webhook-signature"))?;
        let timestamp_s: i64 = timestamp.parse().map_err(|_not_a_number| VerifyFault::BadTimestamp)?;
        let seconds = now_s.saturating_sub(timestamp_s);
        if seconds.unsigned_abs() > TOLERANCE_S.unsigned_abs() {
            return Err(VerifyFault::Stale { seconds });
        }
        let read =
            signature.get(..signature.floor_char_boundary(SIGNATURE_HEADER_BYTES_MAX)).unwrap_or(signature);
        let mut candidates: Vec<_> = read.split([' ', '\t']).filter_map(candidate).collect();
        let mut left_out = Vec::new();
        if candidates.len() > CANDIDATES_MAX {
            left_out.push(format!(
                "only the first {CANDIDATES_MAX} of {} signatures were compared",
                candidates.len()
            ));
            candidates.truncate(CANDIDATES_MAX);
        }
        if read.len() < signature.len() {
            left_out.push(format!(
                "only the first {} KiB of webhook-signature were read",
                SIGNATURE_HEADER_BYTES_MAX / 1024
            ));
        }
        let left_out = (!left_out.is_empty()).then(|| left_out.join("; "));
        Ok(Self { content: content(id, timestamp_s, body), candidates, left_out })
    }

    /// Whether one of the signatures is that of `secret`: its own is made once and compared with each in
    /// constant time.
    ///
    /// An ed25519 signature is made anew as well, which takes as long for any number of candidates: it is the
    /// same each time (RFC 8032 5.1.6), and nobody but who holds the key can make another.
    #[must_use]
    pub fn is_signed_with(&self, secret: &Secret) -> bool {
        let mut of_kind = self.candidates.iter().filter(|(kind, _)| *kind == secret.kind()).peekable();
        if of_kind.peek().is_none() {
            return false;
        }
        let Ok(own) = secret.sign(&self.content) else { return false };
        // Every candidate is compared: how long it takes tells nothing about which one fits.
        bool::from(of_kind.fold(Choice::from(0), |matches, (_, candidate)| matches | own.ct_eq(candidate)))
    }

    /// What of the header was not looked at, in words.
    #[must_use]
    pub fn left_out(&self) -> Option<&str> {
        self.left_out.as_deref()
    }
}

/// A part of `webhook-signature`: scheme and signature. One of another length can't be right, and is not
/// worth a comparison.
fn candidate(part: &str) -> Option<(SecretKind, Vec<u8>)> {
    // Two lines of one header arrive as one with a comma between them (RFC 9110 5.3).
    let (scheme, encoded) = part.trim_end_matches(',').split_once(',')?;
    let kind = SecretKind::parse(scheme)?;
    let signature = STANDARD.decode(encoded).ok()?;
    (signature.len() == kind.signature_bytes()).then_some((kind, signature))
}

/// Verifies a received request as a receiver would that knows these secrets.
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
    let received = Received::read(id, timestamp, signature, body, now_s)?;
    // Every secret is asked: how long it takes tells nothing about which one fits.
    let matches = secrets.iter().fold(false, |matches, secret| matches | received.is_signed_with(secret));
    if matches { Ok(()) } else { Err(VerifyFault::Mismatch) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_never_repeats_the_secret() {
        for text in ["hush", "whsec_hu!sh", "whsec_aHVzaA==", "whsk_hu!sh", "whsk_aHVzaA=="] {
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

    #[cfg(feature = "asymmetric")]
    #[test]
    fn a_made_key_reads_back_and_its_public_half_is_shown() -> Result<(), SecretFault> {
        let secret = Secret::generate(SecretKind::V1a, &[7; GENERATED_SECRET_BYTES])?;
        let again = Secret::parse(&secret.reveal())?;
        assert_eq!((again.reveal(), again.kind()), (secret.reveal(), SecretKind::V1a));
        assert!(
            secret
                .public_key()
                .is_some_and(|key| key.starts_with("whpk_") && key.len() == "whpk_".len() + 44)
        );
        assert_eq!(Secret::from_random(&[7; 32]).public_key(), None);
        assert_eq!(
            Secret::generate(SecretKind::V1a, &[0; GENERATED_SECRET_BYTES]).err(),
            Some(SecretFault::KeyMismatch)
        );
        Ok(())
    }

    #[cfg(not(feature = "asymmetric"))]
    #[test]
    fn without_ed25519_a_key_is_read_and_shown_but_does_not_sign() {
        let text = format!("{PRIVATE_KEY_PREFIX}{}", STANDARD.encode([7; PRIVATE_KEY_BYTES]));
        let Ok(secret) = Secret::parse(&text) else { panic!("the form is right") };
        assert_eq!((secret.reveal(), secret.kind()), (text, SecretKind::V1a));
        assert!(secret.public_key().is_some());
        assert_eq!(sign(&[secret], "msg_1", 1, b"").err(), Some(SecretFault::Unsupported));
        assert_eq!(
            Secret::generate(SecretKind::V1a, &[7; GENERATED_SECRET_BYTES]).err(),
            Some(SecretFault::Unsupported)
        );
    }

    fn received(signature: &str) -> Result<Received, VerifyFault> {
        Received::read(Some("msg_1"), Some("1000"), Some(signature), b"{}", 1_000)
    }

    #[test]
    fn only_so_many_signatures_are_compared_and_it_is_said() -> Result<(), Box<dyn std::error::Error>> {
        let secret = Secret::from_random(&[7; GENERATED_SECRET_BYTES]);
        let right = sign(std::slice::from_ref(&secret), "msg_1", 1_000, b"{}")?;
        let wrong = format!("v1,{}", STANDARD.encode([1; 32]));
        for (before, is_found) in
            [(0, true), (CANDIDATES_MAX - 1, true), (CANDIDATES_MAX, false), (60, false)]
        {
            let header = vec![wrong.as_str(); before].join(" ") + " " + &right;
            let received = received(&header)?;
            assert_eq!(
                (received.is_signed_with(&secret), received.candidates.len()),
                (is_found, (before + 1).min(CANDIDATES_MAX))
            );
            assert_eq!(received.left_out().is_some(), before >= CANDIDATES_MAX, "{before}");
        }
        let many = received(&vec![wrong.as_str(); 60].join(" "))?;
        assert_eq!(many.left_out(), Some("only the first 16 of 60 signatures were compared"));
        Ok(())
    }

    #[test]
    fn signatures_of_a_wrong_length_are_dropped_before_any_is_compared()
    -> Result<(), Box<dyn std::error::Error>> {
        let secret = Secret::from_random(&[7; GENERATED_SECRET_BYTES]);
        let right = sign(std::slice::from_ref(&secret), "msg_1", 1_000, b"{}")?;
        let wrong = [
            format!("v1,{}", STANDARD.encode([1; 31])),
            format!("v1a,{}", STANDARD.encode([1; 32])),
            String::from("v1,AAAA"),
        ];
        let received = received(&format!("{} {right}", vec![wrong.join(" "); 20].join(" ")))?;
        assert_eq!((received.candidates.len(), received.left_out()), (1, None));
        assert!(received.is_signed_with(&secret));
        Ok(())
    }

    #[test]
    fn only_so_much_of_the_header_is_read_and_it_is_said() -> Result<(), Box<dyn std::error::Error>> {
        let secret = Secret::from_random(&[7; GENERATED_SECRET_BYTES]);
        let right = sign(std::slice::from_ref(&secret), "msg_1", 1_000, b"{}")?;
        for (filler, is_found) in [
            ("x".repeat(SIGNATURE_HEADER_BYTES_MAX), false),
            ("ü".repeat(SIGNATURE_HEADER_BYTES_MAX), false),
            (String::from("x"), true),
        ] {
            let received = received(&format!("{filler} {right}"))?;
            assert_eq!(received.is_signed_with(&secret), is_found);
            assert_eq!(
                received.left_out(),
                (!is_found).then_some("only the first 4 KiB of webhook-signature were read")
            );
        }
        Ok(())
    }

    fn reference(secret: &Secret) -> Result<standardwebhooks::Webhook, TestCaseError> {
        standardwebhooks::Webhook::new(&secret.reveal())
            .map_err(|error| TestCaseError::fail(error.to_string()))
    }

    proptest! {
        #[test]
        fn the_reference_library_makes_the_same_signature(key in prop::collection::vec(any::<u8>(), 24..=64), id in "[a-zA-Z0-9_]{1,40}", timestamp_s in 0i64..4_000_000_000, body in ".{0,200}") {
            let secret = Secret(Key::Symmetric(key));
            let theirs = reference(&secret)?.sign(&id, timestamp_s, body.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(sign(std::slice::from_ref(&secret), &id, timestamp_s, body.as_bytes()), Ok(theirs.clone()));
            let verdict = verify(&[secret], Some(&id), Some(&timestamp_s.to_string()), Some(&theirs), body.as_bytes(), timestamp_s);
            prop_assert_eq!(verdict, Ok(()));
        }

        #[test]
        fn one_flipped_bit_of_the_body_is_noticed(mut body in prop::collection::vec(any::<u8>(), 1..100), at: prop::sample::Index, bit in 0u8..8, kind in prop::sample::select(&SecretKind::ALL[..])) {
            let Ok(secret) = Secret::generate(kind, &[1; 32]) else { return Ok(()) };
            let signature = sign(std::slice::from_ref(&secret), "msg_1", 1, &body).unwrap_or_default();
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            prop_assert_eq!(verify(&[secret], Some("msg_1"), Some("1"), Some(&signature), &body, 1), Err(VerifyFault::Mismatch));
        }

        #[test]
        fn no_header_makes_it_panic(id in ".{0,20}", timestamp in ".{0,20}", signature in ".{0,60}", now_s: i64) {
            let _verdict = verify(&[Secret::from_random(&[1; 32])], Some(&id), Some(&timestamp), Some(&signature), b"", now_s);
            let _fault = Secret::parse(&signature);
        }
    }

    #[test]
    fn signatures_of_two_lines_of_one_header_are_all_read() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let right = STANDARD.encode(secret.sign(&content("m", 1, b"{}")).expect("a signature"));
        let other = STANDARD.encode([0; 32]);
        for header in [format!("v1,{right}, v1,{other}"), format!("v1,{other},\tv1,{right}")] {
            let verdict =
                verify(std::slice::from_ref(&secret), Some("m"), Some("1"), Some(&header), b"{}", 1);
            assert_eq!(verdict, Ok(()), "{header}");
        }
    }
}
