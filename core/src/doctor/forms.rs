//! The key and the body, right and as people get them wrong.

use base64::Engine as _;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::layout::{Layout, escaped, laid_out, unescaped};
use super::mistake::Mistake;
use crate::route;

/// A way to do one step: right, or with a mistake.
pub(super) struct Way<T> {
    pub(super) mistake: Option<Mistake>,
    pub(super) with: T,
}

impl<T> Way<T> {
    pub(super) const fn right(with: T) -> Self {
        Self { mistake: None, with }
    }

    pub(super) const fn wrong(mistake: Mistake, with: T) -> Self {
        Self { mistake: Some(mistake), with }
    }
}

const PREFIX: &str = "whsec_";

/// Decodes as Node's `Buffer.from` does: either alphabet, with or without padding, whatever is left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The key of a secret that is written as Postern writes it.
pub(super) fn key_of(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix(PREFIX)?).ok().filter(|key| !key.is_empty())
}

fn standard_alphabet(text: &str) -> String {
    text.replace('-', "+").replace('_', "/")
}

/// Keys that a secret stands for which was changed on its way to the receiver.
pub(super) fn keys_as_copied(secret: &str) -> Vec<Way<Vec<u8>>> {
    let trimmed = secret.trim();
    let bare = trimmed.trim_matches(['"', '\'', '`']).trim();
    let code = bare.strip_prefix(PREFIX).unwrap_or(bare);
    let padded = format!("{code}{}", "=".repeat((4 - code.len() % 4) % 4));
    let changed = [
        (Mistake::SecretHasSpace, String::from(trimmed)),
        (Mistake::SecretHasQuotes, String::from(bare)),
        (Mistake::SecretIsBroken, bare.split_whitespace().collect()),
        (Mistake::SecretHasTwoPrefixes, String::from(code)),
        (Mistake::SecretLacksPrefix, format!("{PREFIX}{bare}")),
        (Mistake::SecretLacksPadding, format!("{PREFIX}{padded}")),
        (Mistake::SecretIsUrlSafe, format!("{PREFIX}{}", standard_alphabet(&padded))),
        (Mistake::SecretIsEscaped, route::decode_segment(bare).unwrap_or_default()),
    ];
    let mut keys: Vec<_> = key_of(secret).map(Way::right).into_iter().collect();
    for (mistake, text) in changed {
        if let Some(key) = key_of(&text)
            && keys.iter().all(|known| known.with != key)
        {
            keys.push(Way::wrong(mistake, key));
        }
    }
    keys
}

/// Keys that code makes of a right secret.
pub(super) fn keys_in_code(secret: &str) -> Vec<Way<Vec<u8>>> {
    let code = secret.trim().strip_prefix(PREFIX).unwrap_or(secret.trim());
    let mut keys = keys_as_copied(secret);
    keys.push(Way::wrong(Mistake::SecretUsedAsText, secret.trim().as_bytes().to_vec()));
    keys.push(Way::wrong(Mistake::SecretNotDecoded, code.as_bytes().to_vec()));
    if let Ok(key) = LENIENT.decode(standard_alphabet(secret.trim()).trim_end_matches('=')) {
        keys.push(Way::wrong(Mistake::PrefixDecoded, key));
    }
    keys
}

/// Bodies that `body` may have been, or may become.
pub(super) fn bodies(body: &str) -> Vec<Way<Vec<u8>>> {
    let mut bodies = vec![Way::right(body.as_bytes().to_vec())];
    let mut push = |mistake, bytes: Vec<u8>| {
        if bodies.iter().all(|known| known.with != bytes) {
            bodies.push(Way::wrong(mistake, bytes));
        }
    };
    let text = |text: &str| text.as_bytes().to_vec();
    push(Mistake::BodyHasMark, text(body.strip_prefix('\u{feff}').unwrap_or(body)));
    for end in ["\r\n", "\n"] {
        push(Mistake::BodyHasNewline, text(body.strip_suffix(end).unwrap_or(body)));
    }
    push(Mistake::BodyHasNewline, format!("{body}\n").into_bytes());
    push(Mistake::BodyHasSpace, text(body.trim()));
    let unix = body.replace("\r\n", "\n");
    push(Mistake::BodyHasOtherLines, unix.replace('\n', "\r\n").into_bytes());
    push(Mistake::BodyHasOtherLines, unix.into_bytes());
    for layout in [Layout::Compact, Layout::Spaced, Layout::Indented(2), Layout::Indented(4)] {
        if let Some(written) = laid_out(body, layout) {
            push(Mistake::BodyWrittenAgain, escaped(&written).into_bytes());
            push(Mistake::BodyWrittenAgain, written.into_bytes());
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        push(Mistake::BodyWrittenAgain, value.to_string().into_bytes());
    }
    push(Mistake::BodyEscaped, escaped(body).into_bytes());
    if let Some(plain) = unescaped(body) {
        push(Mistake::BodyEscaped, plain.into_bytes());
    }
    for (mistake, bytes) in encodings(body) {
        push(mistake, bytes);
    }
    push(Mistake::BodyIsObject, b"[object Object]".to_vec());
    push(Mistake::BodyEmpty, Vec::new());
    bodies
}

/// The body within another encoding, and taken out of one.
fn encodings(body: &str) -> Vec<(Mistake, Vec<u8>)> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let latin1: Option<Vec<u8>> = body.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let misread: String = body.bytes().map(char::from).collect();
    let mut found = vec![(Mistake::BodyInOtherCharset, misread.into_bytes())];
    found.extend(latin1.map(|bytes| (Mistake::BodyInOtherCharset, bytes)));
    found.push((Mistake::BodyInBase64, STANDARD.encode(body).into_bytes()));
    found.extend(STANDARD.decode(body.trim()).ok().map(|bytes| (Mistake::BodyInBase64, bytes)));
    found.push((Mistake::BodyQuoted, Value::from(body).to_string().into_bytes()));
    let inner = serde_json::from_str::<String>(body).ok();
    found.extend(inner.map(|inner| (Mistake::BodyQuoted, inner.into_bytes())));
    let value =
        body.split_once('=').map_or(body, |(name, value)| if value.is_empty() { name } else { value });
    let spaced = value.replace('+', " ");
    found.extend(route::decode_segment(&spaced).map(|plain| (Mistake::BodyInForm, plain.into_bytes())));
    if let Ok(Envelope { data }) = serde_json::from_str::<Envelope<'_>>(body) {
        found.push((Mistake::BodyIsData, data.get().as_bytes().to_vec()));
        found.extend(
            laid_out(data.get(), Layout::Compact).map(|data| (Mistake::BodyIsData, data.into_bytes())),
        );
    }
    found
}
