//! The only caller of `fetch` to the outside: one POST or GET, bounded in time and in what is read of the
//! answer.
//!
//! It knows nothing of deliveries or tests; `dispatch` turns an [`Exchange`] into an attempt.

use std::pin::pin;

use futures_util::future::{self, Either};
use js_sys::{Promise, Uint8Array};
use postern_core::contract::Callback;
use postern_core::delivery::{BodyNote, Outcome, RESPONSE_BYTES_MAX, ReceivedResponse};
use postern_core::media::{self, Coding, Extent};
use postern_core::time::Timestamp;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Headers;

use crate::body::{self, Limits, Readable};
use crate::clock;

/// What one call came to.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// When it started.
    pub(crate) started_at: Timestamp,
    /// Until the answer was read or the failure known.
    pub(crate) duration_ms: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What came back, as far as it was read.
    pub(crate) response: Option<ReceivedResponse>,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In one piece.
    AtOnce,
    /// In [`PIECES`] with [`BETWEEN_PIECES_MS`] before each but the first.
    InPieces,
}

/// Pieces of a body that is sent slowly.
const PIECES: usize = 4;
/// Milliseconds between two of them.
const BETWEEN_PIECES_MS: u32 = 1_000;

/// Posts `callback` to `url`. `timeout_s` covers connecting, headers and body; once the headers are there it
/// ends the body only, not the answer. Redirects are not followed.
pub(crate) async fn post(url: &str, callback: &Callback, pace: Pace, timeout_s: u32) -> Exchange {
    timed(exchange(url, &callback.headers, Some((&callback.body, pace)), timeout_s)).await
}

/// Gets `url` with these headers, as [`post`] does.
pub(crate) async fn get(url: &str, headers: Vec<(String, String)>, timeout_s: u32) -> Exchange {
    timed(exchange(url, &headers, None, timeout_s)).await
}

impl Exchange {
    /// A call that did not come about.
    pub(crate) fn not_made(outcome: Outcome) -> Self {
        Self { started_at: clock::now(), duration_ms: 0, outcome, response: None }
    }
}

async fn timed(call: impl Future<Output = worker::Result<(Outcome, Option<ReceivedResponse>)>>) -> Exchange {
    let started_at = clock::now();
    let (outcome, response) = match call.await {
        Ok(parts) => parts,
        Err(error) => (classify(&error), None),
    };
    let duration_ms = u32::try_from(clock::now().ms_since(started_at)).unwrap_or(0);
    Exchange { started_at, duration_ms, outcome, response }
}

#[wasm_bindgen]
extern "C" {
    /// The platform's `fetch`, which may throw as well as reject.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn platform_fetch(url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The platform's stream that says its length, so that the request has a `content-length`.
    type FixedLengthStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(bytes: f64) -> Result<FixedLengthStream, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn readable(this: &FixedLengthStream) -> web_sys::ReadableStream;

    #[wasm_bindgen(method, getter)]
    fn writable(this: &FixedLengthStream) -> web_sys::WritableStream;
}

/// Writes the body piece by piece.
async fn feed(writer: &web_sys::WritableStreamDefaultWriter, body: &str) -> Result<(), JsValue> {
    for (at, piece) in body.as_bytes().chunks(body.len().div_ceil(PIECES).max(1)).enumerate() {
        if at > 0 {
            clock::sleep(BETWEEN_PIECES_MS).await;
        }
        JsFuture::from(writer.write_with_chunk(&Uint8Array::from(piece))).await?;
    }
    JsFuture::from(writer.close()).await.map(drop)
}

/// The platform is called directly: `worker::Fetch` would make a `Request` first and read every body through
/// a stream.
async fn exchange(
    url: &str,
    sent: &[(String, String)],
    body: Option<(&str, Pace)>,
    timeout_s: u32,
) -> worker::Result<(Outcome, Option<ReceivedResponse>)> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in sent {
        headers.append(name, value)?;
    }
    // The signal ends the wait for the headers as well as the reading of the body.
    let signal = web_sys::AbortSignal::timeout_with_u32(timeout_s.saturating_mul(1_000));
    let init = web_sys::RequestInit::new();
    init.set_method(if body.is_some() { "POST" } else { "GET" });
    init.set_headers(&headers);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_signal(Some(&signal));
    let answered = match body {
        Some((body, Pace::InPieces)) => {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let stream = FixedLengthStream::new(body.len() as f64)?;
            init.set_body(&stream.readable());
            let writer = stream.writable().get_writer()?;
            let answered = JsFuture::from(platform_fetch(url, &init)?);
            match future::select(answered, pin!(feed(&writer, body))).await {
                // Whoever answers before all has come gets no more of it. Without a word the platform would
                // wait for the rest.
                Either::Left((answered, _)) => {
                    drop(writer.abort());
                    answered?
                }
                Either::Right((_sent, answered)) => answered.await?,
            }
        }
        Some((body, Pace::AtOnce)) => {
            init.set_body(&Uint8Array::from(body.as_bytes()));
            JsFuture::from(platform_fetch(url, &init)?).await?
        }
        None => JsFuture::from(platform_fetch(url, &init)?).await?,
    };
    let response: web_sys::Response = answered.unchecked_into();

    // From here on the status decides, whatever the body turns out to be.
    let status = response.status();
    let received: Vec<(String, String)> = Headers(response.headers()).entries().collect();
    let about = AboutBody::of(&received);
    let answer = ReceivedResponse::from_head(status, received, clock::now());
    let (body, broken) =
        body::read(about.readable(&response), Limits { kept: RESPONSE_BYTES_MAX, read: RESPONSE_BYTES_MAX })
            .await;
    let truncated = broken.is_some() || body.is_cut();
    let kept = media::as_text(
        body.kept,
        if truncated { Extent::Cut } else { Extent::Whole },
        about.content_type.as_deref(),
        about.still_encoded(),
        body::decode,
    );
    let body_note = broken.map(|error| note_of(&error, &about.coding)).or(kept.note);
    let answer =
        ReceivedResponse { body: kept.body, body_is_base64: kept.is_base64, truncated, body_note, ..answer };
    Ok((Outcome::Answered { status }, Some(answer)))
}

/// What an answer's headers say of its body.
struct AboutBody {
    content_type: Option<String>,
    coding: Coding,
    /// The declared length, in bytes on the wire.
    length: Option<usize>,
}

impl AboutBody {
    fn of(headers: &[(String, String)]) -> Self {
        let header = |wanted: &str| {
            headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.as_str())
        };
        Self {
            content_type: header("content-type").map(String::from),
            coding: Coding::read(header("content-encoding")),
            length: header("content-length").and_then(|text| text.parse().ok()),
        }
    }

    /// How the body is read: at once where it is declared to fit. The length of a compressed one says nothing
    /// of what comes out.
    fn readable(&self, response: &web_sys::Response) -> Readable {
        let undone_by = match self.coding {
            Coding::Plain if self.length.is_some_and(|bytes| bytes <= RESPONSE_BYTES_MAX) => {
                return Readable::Whole(response.array_buffer());
            }
            Coding::Plain | Coding::Undone(_) | Coding::Unknown(_) => None,
            Coding::Gzip => Some("gzip"),
            Coding::Deflate => Some("deflate"),
        };
        Readable::Chunks(response.body().and_then(|stream| match undone_by {
            Some(format) => body::decompressed(&stream, format),
            None => Some(stream),
        }))
    }

    /// The coding that nobody undoes.
    fn still_encoded(&self) -> Option<&str> {
        match &self.coding {
            Coding::Unknown(name) => Some(name),
            Coding::Plain | Coding::Undone(_) | Coding::Gzip | Coding::Deflate => None,
        }
    }
}

/// What is to be said of a body that was not read to its end.
fn note_of(error: &worker::Error, coding: &Coding) -> BodyNote {
    match error {
        worker::Error::UnknownJsError { name, message, .. } => body_note(name.as_deref(), message, coding),
        other => body_note(None, &other.to_string(), coding),
    }
}

/// The same by name and message. The platform's decoders have no error of their own, only words: "Gzip
/// decompression failed.", "Brotli compressed stream ended prematurely.", "Called `close()` on a
/// decompression stream with incomplete data" (measured).
fn body_note(name: Option<&str>, message: &str, coding: &Coding) -> BodyNote {
    let is_of_decoder = message.to_ascii_lowercase().contains("compress");
    match (outcome_of(name, message), coding.name()) {
        (Outcome::TimedOut, _) => BodyNote::TimedOut,
        (_, Some(coding)) if is_of_decoder => {
            BodyNote::NotDecoded { coding: String::from(coding), message: String::from(message) }
        }
        _ => BodyNote::BrokenOff { message: String::from(message) },
    }
}

fn classify(error: &worker::Error) -> Outcome {
    match error {
        worker::Error::UnknownJsError { name, message, .. } => outcome_of(name.as_deref(), message),
        other => outcome_of(None, &other.to_string()),
    }
}

/// What a thrown error means, by its name and message (measured, docs/platform.md 1.4).
///
/// workerd says `internal error; reference = …` for a name that does not resolve as well as for a TLS
/// handshake that fails, so no more than that can be told (measured with both).
fn outcome_of(name: Option<&str>, message: &str) -> Outcome {
    let says = |text: &str| message.contains(text);
    if name == Some("TimeoutError") || says("aborted due to timeout") {
        Outcome::TimedOut
    } else if says("DNS") {
        Outcome::NameNotResolved
    } else if says("Network connection lost")
        || says("onnection refused")
        || says("reset")
        || says("disconnected")
    {
        Outcome::ConnectionFailed { message: String::from(message) }
    } else if says("internal error; reference") {
        Outcome::ConnectionFailed {
            message: format!(
                "the host name does not resolve, or no secured connection could be made ({message})"
            ),
        }
    } else {
        Outcome::PlatformFailed { message: String::from(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thrown_error_is_told_as_what_it_means() {
        let check =
            |name, message: &str, outcome| assert_eq!(outcome_of(name, message), outcome, "{message}");
        check(Some("TimeoutError"), "The operation was aborted due to timeout", Outcome::TimedOut);
        let lost = String::from("Network connection lost.");
        check(Some("Error"), "Network connection lost.", Outcome::ConnectionFailed { message: lost });
        let either = String::from(
            "the host name does not resolve, or no secured connection could be made (internal error; \
             reference = abc)",
        );
        check(
            Some("Error"),
            "internal error; reference = abc",
            Outcome::ConnectionFailed { message: either },
        );
        let other = String::from("Too many subrequests.");
        check(Some("Error"), "Too many subrequests.", Outcome::PlatformFailed { message: other });
        check(Some("Error"), "DNS lookup failed.", Outcome::NameNotResolved);
    }

    #[test]
    fn what_ends_a_body_is_told_apart() {
        let gzip = || Coding::Undone("gzip");
        let broken = |message: &str| BodyNote::BrokenOff { message: String::from(message) };
        let not_gzip = |message: &str| BodyNote::NotDecoded {
            coding: String::from("gzip"),
            message: String::from(message),
        };
        for (name, message, coding, note) in [
            (
                "TypeError",
                "Gzip compressed stream ended prematurely.",
                gzip(),
                not_gzip("Gzip compressed stream ended prematurely."),
            ),
            ("TypeError", "Gzip decompression failed.", gzip(), not_gzip("Gzip decompression failed.")),
            (
                "TypeError",
                "Called close() on a decompression stream with incomplete data",
                Coding::Gzip,
                not_gzip("Called close() on a decompression stream with incomplete data"),
            ),
            ("Error", "Network connection lost.", gzip(), broken("Network connection lost.")),
            ("Error", "Network connection lost.", Coding::Plain, broken("Network connection lost.")),
            ("TimeoutError", "The operation was aborted due to timeout", Coding::Plain, BodyNote::TimedOut),
            ("TimeoutError", "The operation was aborted due to timeout", Coding::Deflate, BodyNote::TimedOut),
        ] {
            assert_eq!(body_note(Some(name), message, &coding), note, "{message}");
        }
    }

    #[test]
    fn what_headers_say_of_a_body_is_found_whatever_their_case() {
        let header = |name: &str, value: &str| (String::from(name), String::from(value));
        let about = AboutBody::of(&[
            header("Content-Type", "text/plain"),
            header("CONTENT-ENCODING", "zstd"),
            header("content-length", "7"),
        ]);
        assert_eq!(
            (about.content_type.as_deref(), about.still_encoded(), about.length),
            (Some("text/plain"), Some("zstd"), Some(7))
        );
        let none = AboutBody::of(&[header("content-length", "many")]);
        assert_eq!((none.content_type.as_deref(), none.still_encoded(), none.length), (None, None, None));
    }
}
