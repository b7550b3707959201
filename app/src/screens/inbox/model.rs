//! What an inbox recorded, in words, and how the live feed adds to it.

use postern_core::api::inbox::{InboxRequestView, REQUESTS_KEPT, SignatureVerdict};

use crate::ui::badge::Tone;
use crate::ui::rows::store::Row;

/// Requests that the server keeps.
pub(super) const KEPT: usize = REQUESTS_KEPT as usize;

impl Row for InboxRequestView {
    fn id(&self) -> &str {
        &self.id
    }

    /// A recorded request never changes. The feed cuts its body, so what the list has is more.
    fn follows(&self, _known: &Self) -> bool {
        false
    }
}

/// The verdict on a signature, as a word with a reason.
pub(crate) fn verdict(signature: &SignatureVerdict) -> (Tone, String) {
    match signature {
        SignatureVerdict::Unsigned => (Tone::Idle, String::from("Not signed")),
        SignatureVerdict::Valid { webhook } => (Tone::Good, format!("Signed by {webhook}")),
        SignatureVerdict::Invalid { reason } => (Tone::Bad, format!("Bad signature: {reason}")),
    }
}

/// Opens a request, or closes it again.
pub(super) fn toggle(opened: &mut Vec<String>, id: &str) {
    match opened.iter().position(|known| known == id) {
        Some(at) => drop(opened.swap_remove(at)),
        None => opened.push(String::from(id)),
    }
}

/// The first line of a request: `POST /path`.
pub(crate) fn request_line(request: &InboxRequestView) -> String {
    format!("{} {}", request.method, if request.path.is_empty() { "/" } else { &request.path })
}

/// What was typed as an answer, as the JSON that sets it; text that is not a number is sent as it was typed,
/// so that the server's message is shown.
///
/// `delay_ms` is milliseconds. The body goes out as it was typed, with its white space: it is a body, not a
/// name.
pub(crate) fn answer_body(status: &str, delay_ms: &str, body: &str) -> serde_json::Value {
    let number = |text: &str| {
        text.trim()
            .parse::<u32>()
            .map_or_else(|_| serde_json::Value::from(text.trim()), serde_json::Value::from)
    };
    serde_json::json!({ "answer": { "status": number(status), "delay_ms": number(delay_ms), "body": body } })
}

#[cfg(test)]
mod tests {
    use leptos::prelude::GetUntracked;

    use super::*;
    use crate::ui::rows::store::{Offered, Sorting, Store};

    fn request(id: &str) -> InboxRequestView {
        serde_json::from_value(serde_json::json!({
            "id": id, "method": "POST", "path": "", "headers": [], "body": "", "body_is_base64": false, "body_bytes": 0, "truncated": false,
            "received_at": "2026-11-21T14:07:31.204Z", "signature": {"verdict": "unsigned"}, "answered": 200
        }))
        .expect("a request")
    }

    #[test]
    fn what_the_list_has_is_not_replaced_by_what_the_feed_cut() {
        let mut cut = request("req_1");
        cut.body = String::from("cut");
        let mut store = Store::new(Sorting::Newest);
        store.replace(&[request("req_1")]);
        assert_eq!(store.offer(&cut), Offered::Known);
        assert_eq!(
            store.signal::<InboxRequestView>("req_1").map(|known| known.get_untracked()),
            Some(request("req_1"))
        );
        assert_eq!(store.offer(&request("req_2")), Offered::Top);
    }

    #[test]
    fn a_request_begins_with_its_method_and_path() {
        assert_eq!(request_line(&request("req_1")), "POST /");
    }

    #[test]
    fn a_request_is_opened_and_closed() {
        let mut opened = vec![String::from("req_1")];
        toggle(&mut opened, "req_2");
        toggle(&mut opened, "req_1");
        assert_eq!(opened, ["req_2"]);
    }

    #[test]
    fn the_verdict_names_who_signed_or_what_is_wrong() {
        assert_eq!(
            verdict(&SignatureVerdict::Valid { webhook: String::from("orders") }).1,
            "Signed by orders"
        );
        assert_eq!(verdict(&SignatureVerdict::Invalid { reason: String::from("stale") }).0, Tone::Bad);
    }

    #[test]
    fn an_answer_keeps_what_is_no_number_for_the_edge_to_refuse() {
        assert_eq!(
            answer_body("503", " 20 ", "x"),
            serde_json::json!({"answer": {"status": 503, "delay_ms": 20, "body": "x"}})
        );
        assert_eq!(answer_body("soon", "0", "")["answer"]["status"], "soon");
        assert!(postern_core::inbox::update(&answer_body("503", "0", "").to_string()).is_ok());
    }
}
