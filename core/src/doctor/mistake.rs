//! What people do wrong when they verify a callback, in words.

use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A mistake that makes a right callback fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Mistake {
    /// White space around the secret.
    SecretHasSpace,
    /// Quotes around the secret.
    SecretHasQuotes,
    /// A line break or a space within the secret.
    SecretIsBroken,
    /// No `whsec_` before the secret.
    SecretLacksPrefix,
    /// `whsec_whsec_`.
    SecretHasTwoPrefixes,
    /// `-` and `_` for `+` and `/`.
    SecretIsUrlSafe,
    /// No `=` at the end of the secret.
    SecretLacksPadding,
    /// `%2B` for `+`.
    SecretIsEscaped,
    /// The key is the text of the secret.
    SecretUsedAsText,
    /// The key is the text behind `whsec_`.
    SecretNotDecoded,
    /// The key is what a lenient decoder makes of the whole secret.
    PrefixDecoded,
    /// A line break after the body.
    BodyHasNewline,
    /// White space around the body, or the body without its own.
    BodyHasSpace,
    /// CRLF for LF, or the other way round.
    BodyHasOtherLines,
    /// A byte order mark before the body.
    BodyHasMark,
    /// The body was parsed and written again.
    BodyWrittenAgain,
    /// Letters beyond ASCII became `\u` escapes, or the other way round.
    BodyEscaped,
    /// The UTF-8 of the body was read as Latin-1.
    BodyInOtherCharset,
    /// The body is in base64.
    BodyInBase64,
    /// The body is a JSON string that holds the body.
    BodyQuoted,
    /// The body is the value of a form.
    BodyInForm,
    /// The body was read before, and nothing is left of it.
    BodyEmpty,
    /// The body is an object that became a text.
    BodyIsObject,
    /// Only the member `data` was signed.
    BodyIsData,
    /// Only the body was signed.
    ContentIsBody,
    /// Timestamp and body were signed, without the id.
    ContentLacksId,
    /// Id and body were signed, without the timestamp.
    ContentLacksTimestamp,
    /// The timestamp stands before the id.
    ContentSwapped,
    /// No dots between the parts.
    ContentLacksDots,
    /// Another mark between the parts.
    ContentHasOtherMarks,
    /// The timestamp is in milliseconds.
    TimestampInMilliseconds,
    /// SHA-1.
    HashIsSha1,
    /// SHA-512.
    HashIsSha512,
    /// A hash without a key.
    HashHasNoKey,
    /// The content is the key and the key the content.
    KeyIsContent,
    /// The signature is in hexadecimal.
    SignatureInHex,
    /// The signature is the base64 of hexadecimal digits.
    SignatureOfHex,
    /// `-` and `_` for `+` and `/`.
    SignatureIsUrlSafe,
    /// No `=` at the end of the signature.
    SignatureLacksPadding,
    /// The whole header is compared, with `v1,`.
    SignatureHasVersion,
}

impl Mistake {
    /// Every mistake that is tried.
    pub const ALL: [Self; Self::COUNT] = crate::variants::array(Self::VARIANTS);

    /// Its name, for links and tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What is wrong, as a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::SecretHasSpace => "There is white space around the secret.",
            Self::SecretHasQuotes => "There are quotes around the secret.",
            Self::SecretIsBroken => "There is white space within the secret.",
            Self::SecretLacksPrefix => "The secret lacks its start, whsec_.",
            Self::SecretHasTwoPrefixes => "The secret starts with whsec_ twice.",
            Self::SecretIsUrlSafe => "The secret is in URL-safe base64, with - and _.",
            Self::SecretLacksPadding => "The secret lacks the = at its end.",
            Self::SecretIsEscaped => "The secret is escaped as in a URL (%2B, %2F, %3D).",
            Self::SecretUsedAsText => "The key is the text of the secret.",
            Self::SecretNotDecoded => "The key is the text behind whsec_, not the bytes that it stands for.",
            Self::PrefixDecoded => "The secret was decoded from base64 together with whsec_.",
            Self::BodyHasNewline => "The body has gained or lost a line break at its end.",
            Self::BodyHasSpace => "The body has gained or lost white space at its ends.",
            Self::BodyHasOtherLines => "The line breaks in the body were changed (CRLF and LF).",
            Self::BodyHasMark => "The body has gained a byte order mark.",
            Self::BodyWrittenAgain => "The body was parsed and written again, with other white space.",
            Self::BodyEscaped => "Letters of the body were turned into \\u escapes, or back.",
            Self::BodyInOtherCharset => "The body was read as Latin-1 (ISO 8859-1) instead of UTF-8.",
            Self::BodyInBase64 => "The body is still in base64.",
            Self::BodyQuoted => "The body is a JSON string that holds the body.",
            Self::BodyInForm => "The body is encoded as a form.",
            Self::BodyEmpty => "The body is empty.",
            Self::BodyIsObject => "The body is the text [object Object].",
            Self::BodyIsData => "Only the member data of the body was signed.",
            Self::ContentIsBody => "Only the body was signed.",
            Self::ContentLacksId => "The id is missing from what was signed.",
            Self::ContentLacksTimestamp => "The timestamp is missing from what was signed.",
            Self::ContentSwapped => "Id and timestamp were signed in the wrong order.",
            Self::ContentLacksDots => "There are no dots between id, timestamp and body.",
            Self::ContentHasOtherMarks => "The marks between id, timestamp and body are not dots.",
            Self::TimestampInMilliseconds => "The timestamp was signed in milliseconds.",
            Self::HashIsSha1 => "The hash is SHA-1.",
            Self::HashIsSha512 => "The hash is SHA-512.",
            Self::HashHasNoKey => "The hash is a plain SHA-256, not an HMAC.",
            Self::KeyIsContent => "Key and content were given to the HMAC in the wrong order.",
            Self::SignatureInHex => "The signature is in hexadecimal.",
            Self::SignatureOfHex => "The signature is the base64 of hexadecimal digits.",
            Self::SignatureIsUrlSafe => "The signature is in URL-safe base64, with - and _.",
            Self::SignatureLacksPadding => "The signature lacks the = at its end.",
            Self::SignatureHasVersion => "The computed signature starts with v1, already.",
        }
    }

    /// What to change, as a sentence.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::SecretHasSpace => {
                "Trim the secret where it is read: files and variables often end with a line break."
            }
            Self::SecretHasQuotes => "Take the quotes away where the secret is set.",
            Self::SecretIsBroken => "Copy the secret again in one piece.",
            Self::SecretLacksPrefix | Self::SecretHasTwoPrefixes => {
                "Copy the whole secret from the webhook's page: whsec_ and what follows, once."
            }
            Self::SecretIsUrlSafe => {
                "Copy the secret from the webhook's page: its alphabet is that of standard base64, with + and /."
            }
            Self::SecretLacksPadding => {
                "Copy the whole secret with the = at its end; some libraries refuse it without."
            }
            Self::SecretIsEscaped => "Decode the secret once before you store it.",
            Self::SecretUsedAsText | Self::SecretNotDecoded => {
                "Take whsec_ away and decode the rest from base64: these bytes are the key."
            }
            Self::PrefixDecoded => {
                "Take whsec_ away before you decode: a lenient decoder makes a key of it without a word."
            }
            Self::BodyHasNewline | Self::BodyHasSpace | Self::BodyHasMark => {
                "Verify the bytes as they arrive; do not trim or complete them, and do not read them as lines."
            }
            Self::BodyHasOtherLines => "Verify the bytes as they arrive, read in binary mode.",
            Self::BodyWrittenAgain | Self::BodyEscaped => {
                "Verify the raw body before anything parses it (Express: express.raw(); Flask: request.get_data(); Next.js: await request.text())."
            }
            Self::BodyInOtherCharset => "Verify the bytes, or decode them as UTF-8.",
            Self::BodyInBase64 => {
                "Decode the body first: API gateways hand it over in base64 and say so (isBase64Encoded)."
            }
            Self::BodyQuoted => "Read the body as text, not as JSON, and do not turn it into JSON once more.",
            Self::BodyInForm => "Read the raw body: what stands in front of your code takes it for a form.",
            Self::BodyEmpty => {
                "Something read the body before: verify first, or keep a copy of the raw bytes."
            }
            Self::BodyIsObject => "Sign the raw text of the body, not the object that a parser made of it.",
            Self::BodyIsData => "Sign the whole body, not a part of it.",
            Self::ContentIsBody
            | Self::ContentLacksId
            | Self::ContentLacksTimestamp
            | Self::ContentSwapped
            | Self::ContentLacksDots
            | Self::ContentHasOtherMarks => "Sign webhook-id, a dot, webhook-timestamp, a dot, and the body.",
            Self::TimestampInMilliseconds => "Sign webhook-timestamp as it arrives: whole seconds.",
            Self::HashIsSha1 | Self::HashIsSha512 | Self::HashHasNoKey => "Use HMAC with SHA-256.",
            Self::KeyIsContent => "Look at the order of the arguments: the secret is the key.",
            Self::SignatureInHex | Self::SignatureOfHex => "Encode the bytes of the HMAC in base64.",
            Self::SignatureIsUrlSafe | Self::SignatureLacksPadding => {
                "Encode in standard base64 with padding, or compare the decoded bytes."
            }
            Self::SignatureHasVersion => {
                "Compare what stands behind v1, and do so with each of the signatures in the header."
            }
        }
    }
}
