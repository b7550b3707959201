//! The only caller of `fetch` to the outside: one POST or GET, bounded in time and in what is read of the answer.
//!
//! It knows nothing of deliveries or tests; `dispatch` turns an [`Exchange`] into an attempt.

use js_sys::{Promise, Uint8Array};
use postern_core::contract::{Callback, HIDDEN};
use postern_core::credential::is_credential_header;
use postern_core::delivery::{Outcome, RESPONSE_BYTES_MAX, RESPONSE_HEADER_BYTES_MAX, ReceivedResponse};
use postern_core::time::Timestamp;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Headers;

use crate::body::{self, Limits, Readable};
use crate::clock;

/// What one call came to.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// Until the answer was read or the failure known.
    pub(crate) duration_ms: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What came back, as far as it was read.
    pub(crate) response: Option<ReceivedResponse>,
}

/// Posts `callback` to `url`. `timeout_s` covers connecting, headers and body. Redirects are not followed.
pub(crate) async fn post(url: &str, callback: &Callback, timeout_s: u32) -> Exchange {
    timed(exchange(url, &callback.headers, Some(&callback.body), timeout_s)).await
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

/// The platform is called directly: `worker::Fetch` would make a `Request` first and read every body through a stream.
async fn exchange(
    url: &str,
    sent: &[(String, String)],
    body: Option<&str>,
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
    if let Some(body) = body {
        init.set_body(&Uint8Array::from(body.as_bytes()));
    }
    init.set_signal(Some(&signal));
    let response: web_sys::Response = JsFuture::from(platform_fetch(url, &init)?).await?.unchecked_into();

    let status = response.status();
    let headers = kept_headers(Headers(response.headers()).entries());
    let from =
        if is_small(&Headers(response.headers())) { Readable::Whole(response.array_buffer()) } else { Readable::Chunks(response.body()) };
    let (body, broken) = body::read(from, Limits { kept: RESPONSE_BYTES_MAX, read: RESPONSE_BYTES_MAX }).await;
    let truncated = broken.is_some() || body.is_cut();
    let outcome = broken.map_or(Outcome::Answered { status }, |error| classify(&error));
    let body = String::from_utf8_lossy(&body.kept).into_owned();
    Ok((outcome, Some(ReceivedResponse { status, headers, body, truncated })))
}

/// Whether the body is declared to fit. The length of a compressed one says nothing of what comes out.
fn is_small(headers: &Headers) -> bool {
    let header = |name| headers.get(name).ok().flatten();
    let length = header("content-length").and_then(|text| text.parse::<usize>().ok());
    length.is_some_and(|bytes| bytes <= RESPONSE_BYTES_MAX) && header("content-encoding").is_none()
}

/// The first headers, up to [`RESPONSE_HEADER_BYTES_MAX`] bytes of names and values. Credentials (`set-cookie`) are hidden: what is
/// kept, every reader of the project sees.
fn kept_headers(headers: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut left = RESPONSE_HEADER_BYTES_MAX;
    headers
        .map(|(name, value)| {
            let value = if is_credential_header(&name) { String::from(HIDDEN) } else { value };
            (name, value)
        })
        .map_while(|(name, value)| {
            left = left.checked_sub(name.len() + value.len())?;
            Some((name, value))
        })
        .collect()
}

fn classify(error: &worker::Error) -> Outcome {
    match error {
        worker::Error::UnknownJsError { name, message, .. } => outcome_of(name.as_deref(), message),
        other => outcome_of(None, &other.to_string()),
    }
}

/// What a thrown error means, by its name and message (measured, PLATFORM 1.4).
///
/// workerd says `internal error; reference = …` for a name that does not resolve as well as for a TLS handshake that
/// fails, so no more than that can be told (measured with both).
fn outcome_of(name: Option<&str>, message: &str) -> Outcome {
    let says = |text: &str| message.contains(text);
    if name == Some("TimeoutError") || says("aborted due to timeout") {
        Outcome::TimedOut
    } else if says("DNS") {
        Outcome::NameNotResolved
    } else if says("Network connection lost") || says("onnection refused") || says("reset") || says("disconnected") {
        Outcome::ConnectionFailed { message: String::from(message) }
    } else if says("internal error; reference") {
        Outcome::ConnectionFailed { message: format!("the host name does not resolve, or no secured connection came about ({message})") }
    } else {
        Outcome::PlatformFailed { message: String::from(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thrown_error_is_told_as_what_it_means() {
        let check = |name, message: &str, outcome| assert_eq!(outcome_of(name, message), outcome, "{message}");
        check(Some("TimeoutError"), "The operation was aborted due to timeout", Outcome::TimedOut);
        let lost = String::from("Network connection lost.");
        check(Some("Error"), "Network connection lost.", Outcome::ConnectionFailed { message: lost });
        let either = String::from("the host name does not resolve, or no secured connection came about (internal error; reference = abc)");
        check(Some("Error"), "internal error; reference = abc", Outcome::ConnectionFailed { message: either });
        let other = String::from("Too many subrequests.");
        check(Some("Error"), "Too many subrequests.", Outcome::PlatformFailed { message: other });
        check(Some("Error"), "DNS lookup failed.", Outcome::NameNotResolved);
    }

    #[test]
    fn headers_are_kept_up_to_their_limit() {
        let header = |bytes: usize| (String::from("n"), "v".repeat(bytes - 1));
        let kept = kept_headers([header(8_000), header(192), header(1)].into_iter());
        assert_eq!(kept.len(), 2);
        assert!(kept_headers([header(RESPONSE_HEADER_BYTES_MAX + 1)].into_iter()).is_empty());
    }

    #[test]
    fn credentials_of_an_answer_are_hidden() {
        let header = |name: &str| (String::from(name), String::from("hush"));
        let kept = kept_headers([header("set-cookie"), header("retry-after"), header("x-csrf-token")].into_iter());
        let shown: Vec<&str> = kept.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(shown, [HIDDEN, "hush", HIDDEN]);
    }
}
