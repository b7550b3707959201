//! What an inbox recorded, in words, and how the live feed adds to it.

use postern_core::api::inbox::{InboxRequestView, REQUESTS_KEPT, SignatureVerdict};
use postern_core::api::page::Page;

use crate::ui::badge::Tone;

/// The verdict on a signature, as a word with a reason.
pub(crate) fn verdict(signature: &SignatureVerdict) -> (Tone, String) {
    match signature {
        SignatureVerdict::Unsigned => (Tone::Idle, String::from("Not signed")),
        SignatureVerdict::Valid { webhook } => (Tone::Good, format!("Signed by {webhook}")),
        SignatureVerdict::Invalid { reason } => (Tone::Bad, format!("Bad signature: {reason}")),
    }
}

/// Puts a request on top; what the inbox no longer keeps goes.
pub(crate) fn take_in(list: &mut Page<InboxRequestView>, request: &InboxRequestView) {
    if list.items.iter().all(|known| known.id != request.id) {
        list.items.insert(0, request.clone());
        list.items.truncate(usize::try_from(REQUESTS_KEPT).unwrap_or(usize::MAX));
    }
}

/// The first line of a request: `POST /path`.
pub(crate) fn request_line(request: &InboxRequestView) -> String {
    format!("{} {}", request.method, if request.path.is_empty() { "/" } else { &request.path })
}

/// What was typed as an answer, as the JSON that sets it; what is no number goes as it was typed, so that the edge says so.
pub(crate) fn answer_body(status: &str, delay_ms: &str, body: &str) -> serde_json::Value {
    let number = |text: &str| text.trim().parse::<u32>().map_or_else(|_| serde_json::Value::from(text.trim()), serde_json::Value::from);
    serde_json::json!({ "answer": { "status": number(status), "delay_ms": number(delay_ms), "body": body } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str) -> InboxRequestView {
        serde_json::from_value(serde_json::json!({
            "id": id, "method": "POST", "path": "", "headers": [], "body": "", "body_is_base64": false, "body_bytes": 0, "truncated": false,
            "received_at": "2026-11-21T14:07:31.204Z", "signature": {"verdict": "unsigned"}, "answered": 200
        }))
        .expect("a request")
    }

    #[test]
    fn a_request_is_taken_in_once_and_on_top() {
        let mut list = Page::new(vec![request("req_1")], None);
        take_in(&mut list, &request("req_2"));
        take_in(&mut list, &request("req_1"));
        let ids: Vec<&str> = list.items.iter().map(|request| request.id.as_str()).collect();
        assert_eq!(ids, ["req_2", "req_1"]);
        assert_eq!(request_line(&request("req_1")), "POST /");
    }

    #[test]
    fn the_verdict_names_who_signed_or_what_is_wrong() {
        assert_eq!(verdict(&SignatureVerdict::Valid { webhook: String::from("orders") }).1, "Signed by orders");
        assert_eq!(verdict(&SignatureVerdict::Invalid { reason: String::from("stale") }).0, Tone::Bad);
    }

    #[test]
    fn an_answer_keeps_what_is_no_number_for_the_edge_to_refuse() {
        assert_eq!(answer_body("503", " 20 ", "x"), serde_json::json!({"answer": {"status": 503, "delay_ms": 20, "body": "x"}}));
        assert_eq!(answer_body("soon", "0", "")["answer"]["status"], "soon");
        assert!(postern_core::inbox::update(&answer_body("503", "0", "").to_string()).is_ok());
    }
}
