//! What is signed and how, right and as people get it wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::forms::Way;
use super::mistake::Mistake;
use crate::signing::hmac_sha256;
use crate::token::hex;

/// How id, timestamp and body become one text: what stands in front of the body.
pub(super) fn heads(id: &str, timestamp: &str) -> Vec<Way<String>> {
    let mut heads = vec![
        Way::right(format!("{id}.{timestamp}.")),
        Way::wrong(Mistake::ContentIsBody, String::new()),
        Way::wrong(Mistake::ContentLacksId, format!("{timestamp}.")),
        Way::wrong(Mistake::ContentLacksTimestamp, format!("{id}.")),
        Way::wrong(Mistake::ContentSwapped, format!("{timestamp}.{id}.")),
        Way::wrong(Mistake::ContentLacksDots, format!("{id}{timestamp}")),
        Way::wrong(Mistake::TimestampInMilliseconds, format!("{id}.{timestamp}000.")),
    ];
    for mark in [":", "\n", "|", ",", " ", "-"] {
        heads.push(Way::wrong(Mistake::ContentHasOtherMarks, format!("{id}{mark}{timestamp}{mark}")));
    }
    heads
}

/// How a signature is made of a key and a content.
pub(super) type Signer = fn(&[u8], &[u8]) -> Vec<u8>;

/// The right one.
pub(super) const HMAC_SHA256: Signer = hmac_sha256;

/// All of them.
pub(super) fn signers() -> Vec<Way<Signer>> {
    let hash: Signer = |_key, content| Sha256::digest(content).to_vec();
    let keyed: Signer =
        |key, content| Sha256::new().chain_update(key).chain_update(content).finalize().to_vec();
    let swapped: Signer = |key, content| hmac_sha256(content, key);
    vec![
        Way::right(HMAC_SHA256),
        Way::wrong(Mistake::HashIsSha1, hmac_sha1),
        Way::wrong(Mistake::HashIsSha512, hmac_sha512),
        Way::wrong(Mistake::HashHasNoKey, hash),
        Way::wrong(Mistake::HashHasNoKey, keyed),
        Way::wrong(Mistake::KeyIsContent, swapped),
    ]
}

fn hmac_sha1(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

fn hmac_sha512(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

/// How a signature is written that stands for the right bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// As it should be.
    Right,
    /// With this mistake.
    Wrong(Mistake),
}

impl Writing {
    /// The mistake, if there is one.
    pub(super) const fn mistake(self) -> Option<Mistake> {
        match self {
            Self::Right => None,
            Self::Wrong(mistake) => Some(mistake),
        }
    }
}

/// How a signature is written, if it stands for these bytes.
pub(super) fn written(signature: &str, bytes: &[u8]) -> Option<Writing> {
    let right = STANDARD.encode(bytes);
    if signature == right {
        return Some(Writing::Right);
    }
    let hex = hex(bytes);
    let url_safe = right.replace('+', "-").replace('/', "_");
    let ways = [
        (Mistake::SignatureLacksPadding, right.trim_end_matches('=')),
        (Mistake::SignatureIsUrlSafe, url_safe.as_str()),
        (Mistake::SignatureIsUrlSafe, url_safe.trim_end_matches('=')),
        (Mistake::SignatureOfHex, &STANDARD.encode(&hex)),
    ];
    let found = ways.into_iter().find(|(_, way)| *way == signature).map(|(mistake, _)| mistake);
    let in_hex = || signature.eq_ignore_ascii_case(&hex).then_some(Mistake::SignatureInHex);
    let whole = || (signature.strip_prefix("v1,") == Some(&right)).then_some(Mistake::SignatureHasVersion);
    found.or_else(in_hex).or_else(whole).map(Writing::Wrong)
}
