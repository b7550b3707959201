//! An attempt as text: what was sent and received, as a command that repeats it, and how it differs from
//! another one.

use postern_core::api::delivery::AttemptView;
use postern_core::contract::counts_as_delivered;
use postern_core::credential::HIDDEN;
use postern_core::delivery::{Attempt, ReceivedResponse};
use postern_core::explain::{brief_with_body, reason_phrase};

use crate::json;

/// `POST /path` of a request: the method and what follows the host.
pub(crate) fn request_line(url: &str) -> String {
    let path = url
        .find("://")
        .and_then(|at| url[at + 3..].find('/').map(|slash| &url[at + 3 + slash..]))
        .unwrap_or("/");
    format!("POST {path}")
}

/// The host of a URL, with its port.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.find("://").map_or(url, |at| &url[at + 3..]);
    rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end])
}

/// `503 Service Unavailable`.
pub(crate) fn status_line(response: &ReceivedResponse) -> String {
    format!("{} {}", response.status, reason_phrase(response.status)).trim().into()
}

/// Whether an attempt counts as delivered: that depends on the webhook's contract, because some take a
/// redirect for a success.
pub(crate) fn is_delivered(record: &Attempt) -> bool {
    record
        .request
        .as_ref()
        .zip(record.response.as_ref())
        .is_some_and(|(request, response)| counts_as_delivered(request.rendering.contract, response.status))
}

/// How an attempt ended, in a few words.
pub(crate) fn result(record: &Attempt) -> String {
    let note = record.response.as_ref().and_then(|response| response.body_note.as_ref());
    brief_with_body(&record.outcome, note)
}

/// A shell command that sends the same bytes again; `None` where nothing was sent. Values that are hidden
/// here are named, to be filled in before it is run.
///
/// Header values that are hidden here can't be known, so the command does not run as it is: better than one
/// that runs and is refused for a reason that nobody sees.
pub(crate) fn curl(attempt: &AttemptView) -> Option<String> {
    let request = attempt.attempt.request.as_ref()?;
    let mut lines = vec![format!("curl -X POST {}", quoted(&request.url))];
    for (name, value) in &request.headers {
        let value = if value == HIDDEN { format!("<the value of {name}>") } else { value.clone() };
        lines.push(format!("  -H {}", quoted(&format!("{name}: {value}"))));
    }
    if let Some(body) = &attempt.request_body {
        lines.push(format!("  --data-raw {}", quoted(body)));
    }
    Some(lines.join(" \\\n"))
}

/// Where the attempt that is shown stands among all: the chosen one, by its number, else the latest.
pub(crate) fn shown(attempts: &[AttemptView], chosen: Option<u32>) -> Option<usize> {
    let chosen = attempts.iter().position(|attempt| Some(attempt.attempt.number) == chosen);
    chosen.or(attempts.len().checked_sub(1))
}

/// `text` as one word of a POSIX shell.
///
/// In single quotes a shell takes everything as it is; only a single quote itself has to be written outside
/// of them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// In both.
    Same,
    /// Only in the earlier one.
    Gone,
    /// Only in the later one.
    New,
}

/// Lines of each side that are compared at most: the table of the comparison has this many fields squared.
const LINES_MAX: usize = 600;

/// The difference between two texts, line by line (a longest common subsequence).
///
/// Both sides are cut after [`LINES_MAX`] lines. Lines are compared whole; a change within a line shows as
/// one line gone and one new.
pub(crate) fn difference(before: &str, after: &str) -> Vec<(Change, String)> {
    let before: Vec<&str> = before.lines().take(LINES_MAX).collect();
    let after: Vec<&str> = after.lines().take(LINES_MAX).collect();
    // common[i][j]: length of the longest common subsequence of before[i..] and after[j..].
    let width = after.len() + 1;
    let mut common = vec![0u16; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i * width + j] = if before[i] == after[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < before.len() || j < after.len() {
        let is_same = i < before.len() && j < after.len() && before[i] == after[j];
        let takes_before = j == after.len()
            || (i < before.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]);
        if is_same {
            lines.push((Change::Same, String::from(before[i])));
            (i, j) = (i + 1, j + 1);
        } else if takes_before {
            lines.push((Change::Gone, String::from(before[i])));
            i += 1;
        } else {
            lines.push((Change::New, String::from(after[j])));
            j += 1;
        }
    }
    lines
}

/// Request, outcome and response as one text, laid out so that a comparison shows what a person would point
/// at.
pub(crate) fn text_of(attempt: &AttemptView) -> String {
    let mut lines = Vec::new();
    let headers = |headers: &[(String, String)]| {
        headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    if let Some(request) = &attempt.attempt.request {
        lines.push(format!("{} {}", request_line(&request.url), host(&request.url)));
        lines.extend(headers(&request.headers));
    }
    if let Some(body) = &attempt.request_body {
        lines.extend([String::new(), laid_out(body)]);
    }
    lines.extend([String::new(), attempt.reason.headline.clone()]);
    if let Some(response) = &attempt.attempt.response {
        lines.extend(headers(&response.headers));
        lines.extend([String::new(), laid_out(&response.body)]);
    }
    lines.join("\n")
}

/// A body as it is compared: JSON line by line, anything else as it is.
fn laid_out(body: &str) -> String {
    json::pretty(body).unwrap_or_else(|| String::from(body))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An attempt that was answered with `status`.
    pub(crate) fn attempt(number: u32, status: u16, body: &str) -> AttemptView {
        serde_json::from_value(serde_json::json!({
            "attempt": {
                "number": number, "trigger": "schedule", "started_at": "2026-11-21T14:07:31.204Z", "duration_ms": 63,
                "outcome": {"kind": "answered", "status": status},
                "request": {
                    "url": "https://example.com:8443/hooks?a=1",
                    "headers": [["content-type", "application/json"], ["webhook-timestamp", format!("179527005{number}")], ["authorization", HIDDEN]],
                    "rendering": {"contract": "standard"}, "body_bytes": 9
                },
                "response": {"status": status, "headers": [["server", "s"]], "body": body, "truncated": false}
            },
            "reason": {"headline": format!("The receiver answered {status}"), "advice": ""},
            "request_body": "{\"a\":\"it's\"}"
        }))
        .expect("an attempt")
    }

    #[test]
    fn a_url_is_shown_as_method_path_and_host() {
        assert_eq!(request_line("https://example.com:8443/hooks?a=1"), "POST /hooks?a=1");
        assert_eq!(request_line("https://example.com"), "POST /");
        assert_eq!(host("https://example.com:8443/hooks"), "example.com:8443");
        assert_eq!(host("https://example.com?x"), "example.com");
    }

    #[test]
    fn the_command_repeats_the_exact_bytes_and_names_what_is_hidden() {
        let command = curl(&attempt(1, 200, "")).expect("a command");
        assert!(command.starts_with("curl -X POST 'https://example.com:8443/hooks?a=1' \\\n"), "{command}");
        assert!(command.contains(r#"--data-raw '{"a":"it'\''s"}'"#), "{command}");
        assert!(command.contains("'authorization: <the value of authorization>'"), "{command}");
    }

    #[test]
    fn the_latest_attempt_is_shown_until_another_one_is_chosen() {
        let attempts = [attempt(1, 500, ""), attempt(2, 200, "")];
        assert_eq!(shown(&attempts, None), Some(1));
        assert_eq!(shown(&attempts, Some(1)), Some(0));
        assert_eq!(shown(&attempts, Some(9)), Some(1), "one that is not there");
        assert_eq!(shown(&[], Some(1)), None);
    }

    #[test]
    fn nothing_sent_cannot_be_repeated() {
        let mut blocked = attempt(1, 200, "");
        blocked.attempt.request = None;
        assert_eq!(curl(&blocked), None);
    }

    #[test]
    fn the_difference_keeps_what_is_common_in_order() {
        let lines = difference("a\nb\nc\nd", "a\nx\nc\nd\ne");
        let kinds: Vec<(Change, &str)> =
            lines.iter().map(|(change, line)| (*change, line.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (Change::Same, "a"),
                (Change::Gone, "b"),
                (Change::New, "x"),
                (Change::Same, "c"),
                (Change::Same, "d"),
                (Change::New, "e")
            ]
        );
    }

    #[test]
    fn two_attempts_differ_in_timestamp_and_answer_only() {
        let lines = difference(&text_of(&attempt(1, 503, "busy")), &text_of(&attempt(2, 200, "busy")));
        let changed: Vec<&str> = lines
            .iter()
            .filter(|(change, _)| *change == Change::New)
            .map(|(_, line)| line.as_str())
            .collect();
        assert_eq!(changed, ["webhook-timestamp: 1795270052", "The receiver answered 200"]);
    }

    #[test]
    fn a_text_without_end_is_compared_up_to_a_limit() {
        let long = "x\n".repeat(5_000);
        assert_eq!(difference(&long, "").len(), LINES_MAX);
    }
}
