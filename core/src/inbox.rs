//! Inboxes: what their owners may say about them. What they record is in `api::inbox`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::inbox::{ANSWER_BODY_BYTES_MAX, Answer, DELAY_MS_MAX, InboxRequestView};
use crate::fault::{Fields, InputFault, Sent, check_name, parse_json};
use crate::media::{self, Coding, Extent};

/// Characters of an inbox's name at most.
pub const NAME_CHARS_MAX: usize = 64;

/// A new inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxDraft {
    /// Unique in its project.
    pub name: String,
}

/// A change of an inbox; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxPatch {
    /// The new name.
    pub name: Option<String>,
    /// What changes in its answer.
    pub answer: Option<AnswerPatch>,
}

/// A change of an answer; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerPatch {
    /// 200 to 599.
    pub status: Option<u16>,
    /// Milliseconds before the answer.
    pub delay_ms: Option<u32>,
    /// Its body.
    pub body: Option<String>,
}

impl AnswerPatch {
    /// `current` with the changes.
    #[must_use]
    pub fn apply(self, current: Answer) -> Answer {
        Answer {
            status: self.status.unwrap_or(current.status),
            delay_ms: self.delay_ms.unwrap_or(current.delay_ms),
            body: self.body.unwrap_or(current.body),
        }
    }
}

/// Parses the body of `POST inboxes`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str) -> Result<InboxDraft, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let name = fields.text("name");
    let name = fields.required("name", name).map(|text| read_name(&mut fields, text));
    let faults = fields.finish();
    match name {
        Some(name) if faults.is_empty() => Ok(InboxDraft { name }),
        _ => Err(faults.into()),
    }
}

/// Parses the body of `PATCH inboxes/{id}`. `"answer": null` goes back to an empty 200 at once.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(body: &str) -> Result<InboxPatch, InputFault> {
    let patch = parse_json(body)?;
    let mut fields = Fields::from_value(&patch, "")?;
    let name = fields.text("name");
    let name = fields.not_null("name", name).value().map(|text| read_name(&mut fields, text));
    let answer = match fields.object("answer") {
        Sent::Null => {
            let Answer { status, delay_ms, body } = Answer::default();
            Some(AnswerPatch { status: Some(status), delay_ms: Some(delay_ms), body: Some(body) })
        }
        Sent::Value(map) => {
            let mut part = Fields::new(map, fields.pointer_of("answer"));
            let answer = read_answer(&mut part);
            fields.absorb(part.finish());
            Some(answer)
        }
        Sent::Missing | Sent::Wrong => None,
    };
    let faults = fields.finish();
    if faults.is_empty() { Ok(InboxPatch { name, answer }) } else { Err(faults.into()) }
}

fn read_name(fields: &mut Fields<'_>, text: &str) -> String {
    if let Err(detail) = check_name(text, 1, NAME_CHARS_MAX) {
        fields.fault("name", detail);
    } else if text.trim() != text {
        fields.fault("name", "must not start or end with a space");
    }
    String::from(text)
}

fn read_answer(fields: &mut Fields<'_>) -> AnswerPatch {
    let status = fields.integer("status");
    let status = fields.not_null("status", status).value().and_then(|status| {
        let status = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
        if status.is_none() {
            fields.fault("status", "must be 200 to 599");
        }
        status
    });
    let delay_ms = fields.integer("delay_ms");
    let delay_ms = fields.not_null("delay_ms", delay_ms).value().and_then(|delay_ms| {
        let delay_ms = u32::try_from(delay_ms).ok().filter(|delay_ms| *delay_ms <= DELAY_MS_MAX);
        if delay_ms.is_none() {
            fields.fault("delay_ms", format!("must be 0 to {DELAY_MS_MAX} milliseconds"));
        }
        delay_ms
    });
    let body = fields.text("body");
    let body = fields.not_null("body", body).value().map(String::from);
    if let Some(body) = &body
        && body.len() > ANSWER_BODY_BYTES_MAX
    {
        fields
            .fault("body", format!("must be at most {ANSWER_BODY_BYTES_MAX} bytes, this has {}", body.len()));
    }
    AnswerPatch { status, delay_ms, body }
}

/// Bytes of a recorded body that are read as text at most.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// The body of a recorded request as text, where it is base64 because it is in another charset than UTF-8:
/// see [`media::as_text`] for `decode`. The record itself stays as it came, because signatures are of bytes.
#[must_use]
pub fn text_of(
    request: &InboxRequestView,
    decode: impl FnOnce(&str, &[u8], Extent) -> Option<String>,
) -> Option<String> {
    let header = |wanted: &str| {
        request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    };
    if !request.body_is_base64 || Coding::read(header("content-encoding")) != Coding::Plain {
        return None;
    }
    // Whole groups of four letters are three bytes each.
    let is_cut = request.truncated || request.body.len() > TEXT_BYTES_MAX / 3 * 4;
    let extent = if is_cut { Extent::Cut } else { Extent::Whole };
    let part = request.body.get(..TEXT_BYTES_MAX / 3 * 4).unwrap_or(&request.body);
    let bytes = STANDARD.decode(part).ok()?;
    let charset = media::charset_of(&bytes, header("content-type"))?;
    decode(&charset, &bytes, extent)
}

/// What a body says that is JSON inside a JSON string, as actinia sends it (docs/wire.md C.5): the inner
/// JSON. `None` for any other body.
#[must_use]
pub fn decoded(body: &str) -> Option<String> {
    if !body.trim_start().starts_with('"') {
        return None;
    }
    let inner: String = serde_json::from_str(body).ok()?;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&inner).is_ok();
    (is_json && inner.trim_start().starts_with(['{', '['])).then_some(inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fault::pointers;

    #[test]
    fn a_patch_changes_only_what_it_names() -> Result<(), InputFault> {
        let current = || Answer { status: 503, delay_ms: 10, body: String::from("later") };
        let answer =
            |body: &str| Ok::<_, InputFault>(update(body)?.answer.unwrap_or_default().apply(current()));
        assert_eq!(answer("{}")?, current());
        assert_eq!(answer(r#"{"answer":{"status":204}}"#)?, Answer { status: 204, ..current() });
        assert_eq!(
            answer(r#"{"answer":{"delay_ms":60000,"body":""}}"#)?,
            Answer { status: 503, delay_ms: 60_000, body: String::new() }
        );
        assert_eq!(answer(r#"{"answer":null}"#)?, Answer::default());
        assert_eq!(update(r#"{"name":"n"}"#)?, InboxPatch { name: Some(String::from("n")), answer: None });
        Ok(())
    }

    #[test]
    fn a_body_in_a_declared_charset_is_read_beside_its_bytes() {
        use crate::api::inbox::SignatureVerdict;
        use crate::time::Timestamp;

        let latin1 = |charset: &str, bytes: &[u8], _: Extent| {
            (charset == "iso-8859-1").then(|| bytes.iter().copied().map(char::from).collect::<String>())
        };
        let request = |content_type: &str, coding: &str, bytes: &[u8]| {
            let header = |name: &str, value: &str| (String::from(name), String::from(value));
            let (body, body_is_base64) = media::as_recorded(bytes.to_vec(), Extent::Whole);
            InboxRequestView {
                id: String::new(),
                method: String::from("POST"),
                path: String::new(),
                headers: vec![header("Content-Type", content_type), header("content-encoding", coding)],
                body,
                body_is_base64,
                body_text: None,
                body_bytes: 0,
                truncated: false,
                received_at: Timestamp(0),
                signature: SignatureVerdict::Unsigned,
                answered: 200,
            }
        };
        let text = |content_type: &str, coding: &str, bytes: &[u8]| {
            text_of(&request(content_type, coding, bytes), latin1)
        };
        assert_eq!(text("text/plain; charset=iso-8859-1", "", b"gr\xfc").as_deref(), Some("grü"));
        assert_eq!(text("text/plain", "", b"gr\xfc"), None, "nothing is guessed");
        assert_eq!(text("text/plain; charset=x-klingon", "", b"gr\xfc"), None);
        assert_eq!(
            text("text/plain; charset=iso-8859-1", "gzip", b"gr\xfc"),
            None,
            "compressed bytes are no text"
        );
        assert_eq!(text("text/plain; charset=iso-8859-1", "", b"plain"), None, "the body is text already");
        let long = text("text/plain; charset=iso-8859-1", "", &vec![0xfc; 300_000]);
        assert_eq!(long.map(|text| text.chars().count()), Some(TEXT_BYTES_MAX / 3 * 3));
    }

    #[test]
    fn every_bad_field_is_named() {
        for (body, pointer) in [
            (json!({"name": ""}), "/name"),
            (json!({"name": " a"}), "/name"),
            (json!({"name": "x".repeat(65)}), "/name"),
            (json!({"name": null}), "/name"),
            (json!({"name": "a\u{200b}"}), "/name"),
            (json!({"answer": 200}), "/answer"),
            (json!({"answer": {"status": 199}}), "/answer/status"),
            (json!({"answer": {"status": 600}}), "/answer/status"),
            (json!({"answer": {"status": "200"}}), "/answer/status"),
            (json!({"answer": {"delay_ms": 60_001}}), "/answer/delay_ms"),
            (json!({"answer": {"delay_ms": -1}}), "/answer/delay_ms"),
            (json!({"answer": {"body": 1}}), "/answer/body"),
            (json!({"answer": {"body": "x".repeat(ANSWER_BODY_BYTES_MAX + 1)}}), "/answer/body"),
            (json!({"answer": {"headers": []}}), "/answer/headers"),
            (json!({"url": "x"}), "/url"),
        ] {
            assert_eq!(pointers(update(&body.to_string())), [pointer], "{body}");
        }
        assert_eq!(pointers(create("{}")), ["/name"]);
        assert_eq!(pointers(create(r#"{"name":"a","answer":{}}"#)), ["/answer"]);
        assert_eq!(create(r#"{"name":"a"}"#), Ok(InboxDraft { name: String::from("a") }));
    }

    #[test]
    fn json_inside_a_json_string_is_decoded_and_nothing_else() {
        assert_eq!(decoded(r#" "{\"a\": \"\u00fc\"}""#).as_deref(), Some("{\"a\": \"ü\"}"));
        assert_eq!(decoded("\"[1]\"").as_deref(), Some("[1]"));
        for body in ["", "{}", "5", "\"text\"", "\"5\"", "\"{\"", "\"{}\" x", "not json"] {
            assert_eq!(decoded(body), None, "{body}");
        }
    }
}
