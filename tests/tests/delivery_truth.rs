//! The truth table: everything that a receiver can do to a first attempt, against the real Worker, all at
//! once; and the page docs/outcomes.md, which is made of what was seen.
//!
//! Each row says what must come of it: the result, where the delivery stands, when the next attempt is due
//! (within the jitter), what it does to the webhook. The test fails if a row is otherwise, or if the page
//! that is committed is not the one that it makes. `POSTERN_BLESS=1` writes the page instead.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use postern_core::api::delivery::DeliveryDetail;
use postern_core::delivery::State;
use postern_core::retry::JITTER_PERCENT;
use postern_tests::artefacts;
use postern_tests::client::Project;
use postern_tests::sink::{Answer, Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use serde_json::{Value, json};

/// Wait before the second attempt of every row, in seconds: so long that it does not come while the test
/// looks.
const FIRST_WAIT_S: u32 = 300;
/// What the answers with `Retry-After` ask for, in seconds: more than any jittered wait of the schedule.
const ASKED_S: u32 = 600;
/// Timeout of the rows that run into it, in seconds.
const TIMEOUT_S: u32 = 1;
/// From the end of a call to the commit of its report, on a busy machine.
const REPORT_MS: i64 = 10_000;
/// A body that is larger than what is read of it.
const LONG_BODY_BYTES: usize = 10_000_000;

/// Where the first call goes, and what it meets there.
#[derive(Clone, Debug)]
enum Receiver {
    /// Our receiver, told how to behave.
    Told(Behaviour),
    /// A port that nobody listens on.
    Refuses,
    /// A host name that does not exist.
    Unknown,
    /// `https` to a port that speaks no TLS.
    WithoutTls,
}

/// When the next attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Never,
    Schedule,
    Asked,
}

/// How the webhook stands afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Webhook {
    Untouched,
    Throttled,
    Disabled,
}

struct Row {
    name: String,
    /// The first column of the page.
    words: String,
    receiver: Receiver,
    /// `last_result`
    result: &'static str,
    state: State,
    next: Next,
    webhook: Webhook,
    /// Whether the webhook asks for a second 410.
    confirm_gone: bool,
}

impl Row {
    fn new(name: &str, words: &str, receiver: Receiver, result: &'static str) -> Self {
        let (name, words) = (String::from(name), String::from(words));
        let (state, next, webhook) = (State::Waiting, Next::Schedule, Webhook::Untouched);
        Self { name, words, receiver, result, state, next, webhook, confirm_gone: false }
    }

    fn told(name: &str, words: &str, behaviour: Behaviour, result: &'static str) -> Self {
        Self::new(name, words, Receiver::Told(behaviour), result)
    }

    /// An empty answer that fails and is tried again.
    fn status(status: u16, result: &'static str) -> Self {
        Self::told(&status.to_string(), &format!("answers {status}"), Behaviour::status(status), result)
    }

    /// The same with one header.
    fn header(status: u16, name: &str, value: &str, result: &'static str) -> Self {
        let words = format!("answers {status} with `{name}: {value}`");
        Self::told(
            &format!("{status}-{value}").replace(['/', ':', '.'], ""),
            &words,
            Behaviour::with_header(status, name, value),
            result,
        )
    }

    fn delivered(self) -> Self {
        Self { state: State::Delivered, next: Next::Never, ..self }
    }

    fn dead(self) -> Self {
        Self { state: State::Dead, next: Next::Never, ..self }
    }

    fn asked(self) -> Self {
        Self { next: Next::Asked, ..self }
    }

    fn throttles(self) -> Self {
        Self { webhook: Webhook::Throttled, ..self }
    }

    fn disables(self) -> Self {
        Self { webhook: Webhook::Disabled, ..self.dead() }
    }

    fn url(&self, sink: &Sink) -> String {
        match &self.receiver {
            Receiver::Told(_) => sink.url(&self.path()),
            Receiver::Refuses => format!("http://127.0.0.1:{}/", stack::free_port()),
            Receiver::Unknown => String::from("http://no-such-host.example/"),
            Receiver::WithoutTls => sink.url("/").replacen("http:", "https:", 1),
        }
    }

    fn path(&self) -> String {
        format!("/{}", self.name)
    }

    /// Whether only the timeout ends the call.
    fn is_slow(&self) -> bool {
        matches!(
            self.receiver,
            Receiver::Told(
                Behaviour::Hang | Behaviour::HangInBody(_) | Behaviour::DripHead | Behaviour::DripBody(_)
            )
        )
    }
}

/// `taken` as gzip.
const GZIP: [u8; 28] = *b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\xfa\xfftaken\x08\xd6\xe8\xbf\x05\0\0\0";
/// `taken` in zlib's format.
const DEFLATE: [u8; 16] = *b"\x78\x01\x01\x05\0\xfa\xfftaken\x06\x46\x02\x14";
/// The start of a zstd frame.
const ZSTD: [u8; 6] = *b"\x28\xb5\x2f\xfd\x04\x58";
/// Bytes of a header that is longer than what is kept of all.
const LONG_HEADER_BYTES: usize = 9_000;

/// Rows whose status line and headers are complete, and whose body is not what they say: the status decides.
fn rows_of_bodies() -> Vec<Row> {
    let coded = |status, coding: &str, body: &[u8]| {
        Behaviour::with_headers(status, &[("content-encoding", coding)], body)
    };
    let cut = |head: &str| {
        Behaviour::Bytes(format!("HTTP/1.1 {head}\r\ncontent-length: 100\r\n\r\nhalf").into_bytes())
    };
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nno length\r\n".to_vec();
    let asked = format!("429 Told\r\nretry-after: {ASKED_S}");
    vec![
        Row::told(
            "half",
            "resets the connection in mid-body (after `200`)",
            Behaviour::ResetInBody,
            "200 OK",
        )
        .delivered(),
        Row::told(
            "cut-503",
            "closes the connection in mid-body (after `503`)",
            cut("503 Told"),
            "503 Service Unavailable",
        ),
        Row::told("cut-410", "closes the connection in mid-body (after `410`)", cut("410 Told"), "410 Gone")
            .disables(),
        Row::told(
            "cut-429",
            &format!("closes the connection in mid-body (after `429` with `retry-after: {ASKED_S}`)"),
            cut(&asked),
            "429 Too Many Requests",
        )
        .asked()
        .throttles(),
        Row::told(
            "chunks",
            "answers 200 in chunks, and one of them has no length",
            Behaviour::Bytes(chunked),
            "200 OK",
        )
        .delivered(),
        Row::told("gzip", "answers 200 with a body in gzip", coded(200, "gzip", &GZIP), "200 OK").delivered(),
        Row::told("x-gzip", "answers 200 with a body in x-gzip", coded(200, "x-gzip", &GZIP), "200 OK")
            .delivered(),
        Row::told("gzip-capitals", "answers 200 with a body in GZIP", coded(200, "GZIP", &GZIP), "200 OK")
            .delivered(),
        Row::told("deflate", "answers 200 with a body in deflate", coded(200, "deflate", &DEFLATE), "200 OK")
            .delivered(),
        Row::told(
            "deflate-wrong",
            "answers 200 with `content-encoding: deflate` and a body that is not deflate",
            coded(200, "deflate", b"plain text"),
            "200 OK",
        )
        .delivered(),
        Row::told(
            "gzip-empty",
            "answers 200 with `content-encoding: gzip` and no body",
            coded(200, "gzip", b""),
            "200 OK",
        )
        .delivered(),
        Row::told(
            "gzip-wrong",
            "answers 200 with `content-encoding: gzip` and a body that is not gzip",
            coded(200, "gzip", b"plain text"),
            "200 OK",
        )
        .delivered(),
        Row::told("gzip-cut", "answers 200 with half of a gzip", coded(200, "gzip", &GZIP[..14]), "200 OK")
            .delivered(),
        Row::told(
            "br-wrong",
            "answers 200 with `content-encoding: br` and no body",
            coded(200, "br", b""),
            "200 OK",
        )
        .delivered(),
        Row::told(
            "gzip-503",
            "answers 503 with `content-encoding: gzip` and no body",
            coded(503, "gzip", b""),
            "503 Service Unavailable",
        ),
        Row::told(
            "gzip-410",
            "answers 410 with `content-encoding: gzip` and no body",
            coded(410, "gzip", b""),
            "410 Gone",
        )
        .disables(),
        Row::told("zstd", "answers 200 with a body in zstd", coded(200, "zstd", &ZSTD), "200 OK").delivered(),
        Row::told("slow-body", "sends its body too slowly (after `200`)", Behaviour::DripBody(200), "200 OK")
            .delivered(),
        Row::told(
            "slow-503",
            "sends its body too slowly (after `503`)",
            Behaviour::DripBody(503),
            "503 Service Unavailable",
        ),
        Row::told(
            "slow-410",
            "sends its body too slowly (after `410`)",
            Behaviour::DripBody(410),
            "410 Gone",
        )
        .disables(),
    ]
}

/// Rows about headers that decide: behind a long one, and in forms that HTTP does not know.
fn rows_of_headers() -> Vec<Row> {
    let long = "y".repeat(LONG_HEADER_BYTES);
    let asked = ASKED_S.to_string();
    let behind = |status, name: &str, value: &str| {
        Behaviour::with_headers(status, &[("a-long-one", &long), (name, value)], "")
    };
    let behind_words = |status: u16, name: &str, value: &str| {
        format!("answers {status} with a header of 9,000 letters and `{name}: {value}`")
    };
    let retry_after = |name: &str, value: &str| {
        let words = format!("answers 503 with `retry-after: {value}`");
        Row::told(name, &words, Behaviour::with_header(503, "retry-after", value), "503 Service Unavailable")
            .throttles()
    };
    vec![
        Row::told(
            "behind-503",
            &behind_words(503, "retry-after", &asked),
            behind(503, "retry-after", &asked),
            "503 Service Unavailable",
        )
        .asked()
        .throttles(),
        Row::told(
            "behind-disable",
            &behind_words(500, "webhook-delivery", "disable"),
            behind(500, "webhook-delivery", "disable"),
            "500 Internal Server Error",
        )
        .disables(),
        retry_after("after-decimals", "599.5").asked(),
        retry_after("after-list", "60, 600").asked(),
        retry_after("after-text", "soon"),
        retry_after("after-negative", "-600"),
        retry_after("after-past", "Sunday, 06-Nov-94 08:49:37 GMT"),
    ]
}

fn rows() -> Vec<Row> {
    [rows_of_statuses(), rows_of_headers(), rows_of_bodies(), rows_without_an_answer()]
        .into_iter()
        .flatten()
        .collect()
}

fn rows_of_statuses() -> Vec<Row> {
    let asked = ASKED_S.to_string();
    let moved = "https://moved.example/hook";
    let long = Behaviour::Answer(Answer {
        status: 200,
        headers: Vec::new(),
        body: vec![b'x'; LONG_BODY_BYTES],
        delay: std::time::Duration::ZERO,
    });
    vec![
        Row::status(200, "200 OK").delivered(),
        Row::status(201, "201 Created").delivered(),
        Row::status(204, "204 No Content").delivered(),
        Row::told("long", "answers 200 with a body of 10 MB", long, "200 OK").delivered(),
        Row::told("endless", "answers 200 with a body that never ends", Behaviour::Endless, "200 OK")
            .delivered(),
        Row::header(301, "location", moved, "301 Moved Permanently"),
        Row::header(302, "location", moved, "302 Found"),
        Row::header(307, "location", moved, "307 Temporary Redirect"),
        Row::status(400, "400 Bad Request"),
        Row::status(401, "401 Unauthorized"),
        Row::status(403, "403 Forbidden"),
        Row::status(404, "404 Not Found"),
        Row::status(408, "408 Request Timeout"),
        Row::status(409, "409 Conflict"),
        Row::status(410, "410 Gone").disables(),
        Row {
            confirm_gone: true,
            ..Row::told(
                "410-first",
                "answers 410, and the webhook has `confirm_gone`",
                Behaviour::status(410),
                "410 Gone",
            )
        },
        Row::status(413, "413 Content Too Large"),
        Row::status(425, "425 Too Early"),
        Row::status(429, "429 Too Many Requests").throttles(),
        Row::header(429, "retry-after", &asked, "429 Too Many Requests").asked().throttles(),
        Row::status(500, "500 Internal Server Error"),
        Row::header(500, "webhook-delivery", "abort", "500 Internal Server Error").dead(),
        Row::header(500, "webhook-delivery", "disable", "500 Internal Server Error").disables(),
        Row::status(502, "502 Bad Gateway").throttles(),
        Row::status(503, "503 Service Unavailable"),
        Row::header(503, "retry-after", &asked, "503 Service Unavailable").asked().throttles(),
        Row::status(504, "504 Gateway Timeout").throttles(),
    ]
}

fn rows_without_an_answer() -> Vec<Row> {
    vec![
        Row::new("refused", "refuses the connection", Receiver::Refuses, "connection failed"),
        Row::told("reset", "resets the connection before an answer", Behaviour::Reset, "connection failed"),
        Row::new(
            "unknown",
            "does not exist: the host name does not resolve",
            Receiver::Unknown,
            "connection failed",
        ),
        Row::new("plain", "speaks no TLS at an `https` URL", Receiver::WithoutTls, "connection failed"),
        Row::told("silent", "takes the request and never answers", Behaviour::Hang, "timed out"),
        Row::told("slow-headers", "sends its headers too slowly", Behaviour::DripHead, "timed out"),
        Row::told(
            "invalid",
            "answers something that is not HTTP",
            Behaviour::Bytes(b"220 mail.example ESMTP ready\r\n".to_vec()),
            "connection failed",
        ),
    ]
}

/// What was seen of a row.
struct Seen {
    detail: DeliveryDetail,
    webhook: Value,
}

/// Posts one event to all rows at once and looks at each after its first attempt.
async fn observe(project: &Project, sink: &Sink, rows: &[Row]) -> Vec<Seen> {
    for row in rows {
        if let Receiver::Told(behaviour) = &row.receiver {
            sink.always(&row.path(), behaviour.clone());
        }
        let timeout_s = if row.is_slow() { TIMEOUT_S } else { 20 };
        let more = json!({
            "timeout_s": timeout_s, "retry_schedule_s": [FIRST_WAIT_S, 600], "confirm_gone": row.confirm_gone,
        });
        project.listen(&row.name, &row.url(sink), &more).await;
    }
    let event = project.event("truth", json!({ "n": 1 })).await;
    assert_eq!(usize::try_from(event.deliveries), Ok(rows.len()));
    let mut ended: BTreeMap<String, DeliveryDetail> = BTreeMap::new();
    eventually("every row has had its first attempt", 2 * SOON, async || {
        let page = project.deliveries("limit=200").await;
        for delivery in page.items.into_iter().filter(|delivery| delivery.attempts > 0) {
            let name = delivery.webhook.clone().expect("no webhook is deleted");
            if let Entry::Vacant(vacant) = ended.entry(name) {
                vacant.insert(project.delivery(&delivery.id).await);
            }
        }
        (ended.len() == rows.len()).then_some(())
    })
    .await;
    let mut seen = Vec::new();
    for row in rows {
        let webhook = project.get(&format!("webhooks/{}", row.name)).await.expect(200).json();
        seen.push(Seen { detail: ended.remove(&row.name).expect("every row is there"), webhook });
    }
    seen
}

/// What is otherwise than the row says.
fn differences(row: &Row, seen: &Seen) -> Vec<String> {
    let delivery = &seen.detail.delivery;
    let mut found = Vec::new();
    let mut check = |what: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{}: {what} is {is}, not {should}", row.name));
        }
    };
    check("attempts", seen.detail.attempts.len().to_string(), String::from("1"));
    check("result", delivery.last_result.clone().unwrap_or_default(), String::from(row.result));
    check("state", String::from(delivery.state.as_str()), String::from(row.state.as_str()));
    check("webhook", format!("{:?}", webhook_state(&seen.webhook)), format!("{:?}", row.webhook));
    let wait = wait_ms(&seen.detail);
    let is_due_in_time = match (wait_range_ms(row.next), wait) {
        (None, wait) => wait.is_none(),
        (Some(range), Some(wait_ms)) => (*range.start()..=*range.end() + REPORT_MS).contains(&wait_ms),
        (Some(_), None) => false,
    };
    check(
        "next attempt",
        format!("{wait:?} ms {}", if is_due_in_time { "in" } else { "out of" }),
        format!("{wait:?} ms in"),
    );
    if row.is_slow() {
        let attempt = &seen.detail.attempts[0].attempt;
        check(
            "waited for the timeout",
            (attempt.duration_ms >= TIMEOUT_S * 1_000 - 50).to_string(),
            String::from("true"),
        );
    }
    found
}

fn webhook_state(webhook: &Value) -> Webhook {
    if webhook["enabled"] == false {
        assert!(webhook["disabled_reason"].is_string(), "a disabled webhook says why: {webhook}");
        Webhook::Disabled
    } else if webhook["health"]["status"] == "throttled" {
        Webhook::Throttled
    } else {
        Webhook::Untouched
    }
}

/// Milliseconds from the end of the first attempt to the next.
fn wait_ms(detail: &DeliveryDetail) -> Option<i64> {
    let attempt = &detail.attempts.first()?.attempt;
    let ended = attempt.started_at.plus_ms(i64::from(attempt.duration_ms));
    Some(detail.delivery.next_at?.ms_since(ended))
}

/// What the wait must be in.
fn wait_range_ms(next: Next) -> Option<RangeInclusive<i64>> {
    let part = |percent: u32| i64::from(FIRST_WAIT_S) * 10 * i64::from(percent);
    match next {
        Next::Never => None,
        Next::Schedule => Some(part(100 - JITTER_PERCENT)..=part(100 + JITTER_PERCENT)),
        Next::Asked => Some(i64::from(ASKED_S) * 1_000..=i64::from(ASKED_S) * 1_000),
    }
}

const PAGE_HEAD: &str = "\
# What a receiver does, and what comes of it

This page is made by `tests/tests/delivery_truth.rs`: each row was seen with the real Worker, and a test run fails where one
has changed. `POSTERN_BLESS=1 cargo xtask test --only e2e` writes it anew.

Every row is the first attempt of a delivery to a webhook with the contract `standard` that retries. **By the schedule** is
the wait before the second attempt: 5 s unless the webhook or the project has a schedule of its own, and up to 20 % more or less,
so that receivers that failed together are not called together again. `Retry-After` only ever lengthens a wait.

| The receiver | Result | Delivery | Next attempt | Webhook | Reason in words |
| --- | --- | --- | --- | --- | --- |
";

const PAGE_FOOT: &str = "
* Redirects are never followed. A webhook with the contract `ubiops` counts 3xx as delivered.
* A complete status line and headers are the answer: the status decides, whatever the body turns out to be. The reason says what was
  wrong with the body.
* Of an answer's body at most 64 KiB are read and kept; a longer body is cut and changes nothing. A body in gzip, x-gzip, deflate or br
  is kept decompressed; in any other content coding, and where the bytes are not text in the declared charset, it is kept in base64.
* `Retry-After` and `webhook-delivery` are read from the headers as they came, of which 8 KiB are kept. Seconds may have decimals, which
  are rounded up, or units (`45s`, `2 minutes`, `1h30m`, `PT30S`); of several values the longest counts; at most a day is waited. A form that is not
  understood leaves the schedule and slows the webhook down, and the reason names it.
* **Throttled**: all deliveries of the webhook are slowed down, not only this one. One call at a time, further apart with each such
  answer, and closer together again with each success.
* **Disabled**: nothing is sent until somebody enables the webhook again. What it missed can be replayed then.
* **`confirm_gone`**: a webhook that has it is disabled by a second 410, which counts from ten minutes after the first on, unless a call
  succeeded in between. Until then a 410 is a failure as others. An answer with `webhook-delivery: disable` disables it at once.
* The timeout of a webhook (1 to 30 s) covers connecting, headers and body together; where it ends in the body, the status has come
  already and decides.
";

fn page(rows: &[Row], seen: &[Seen]) -> String {
    let mut page = String::from(PAGE_HEAD);
    for (row, seen) in rows.iter().zip(seen) {
        let delivery = match row.state {
            State::Delivered => "delivered",
            State::Dead => "dead",
            _ => "waits",
        };
        let next = match row.next {
            Next::Never => String::from("–"),
            Next::Schedule => String::from("by the schedule"),
            Next::Asked => format!("in {ASKED_S} s"),
        };
        let webhook = match row.webhook {
            Webhook::Untouched => "–",
            Webhook::Throttled => "throttled",
            Webhook::Disabled => "disabled",
        };
        let reason = &seen.detail.attempts[0].reason;
        // How long a call that ran into its timeout really took is the machine's affair.
        let headline = if row.result == "timed out" {
            format!("No answer within {TIMEOUT_S} s")
        } else {
            reason.headline.clone()
        };
        let words = format!("**{headline}.** {}", reason.advice);
        let result = seen.detail.delivery.last_result.as_deref().unwrap_or_default();
        writeln!(
            page,
            "| {} | {result} | {delivery} | {next} | {webhook} | {} |",
            row.words,
            words.trim().replace('|', "\\|")
        )
        .expect("text can be written to a string");
    }
    page.push_str(PAGE_FOOT);
    page
}

#[tokio::test]
async fn every_answer_has_the_outcome_that_the_page_says() {
    let (project, sink) = (stack::project("truth").await, Sink::start().await);
    let rows = rows();
    let seen = observe(&project, &sink, &rows).await;
    let found: Vec<String> = rows.iter().zip(&seen).flat_map(|(row, seen)| differences(row, seen)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));

    let (file, made) = (artefacts::root().join("docs/outcomes.md"), page(&rows, &seen));
    if std::env::var_os("POSTERN_BLESS").is_some() {
        std::fs::write(&file, &made).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    for (is, should) in committed.lines().zip(made.lines()) {
        assert_eq!(is, should, "docs/outcomes.md is not what was seen; POSTERN_BLESS=1 writes it anew");
    }
    assert_eq!(
        committed.len(),
        made.len(),
        "docs/outcomes.md is not what was seen; POSTERN_BLESS=1 writes it anew"
    );
}
