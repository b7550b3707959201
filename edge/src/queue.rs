//! Messages of the queues `deliveries` and `retries`: text of JSON that holds ids only, so that no secret and
//! no large body travels through a queue, and no map turns into `{}` (docs/platform.md 1.9, trap 1). Nothing
//! is ever delayed in a queue (trap 9): when something is due is the ledger's to say.

use postern_core::webhook::ProjectName;
use postern_ledger::LeaseTicket;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use worker::{BatchMessageBuilder, Env, QueueContentType, RawMessageBuilder};

use crate::meter::{self, Billed};

/// Messages of one `sendBatch` at most (docs/platform.md 2.2: 100 messages and 256 KB; one of ours is below
/// 200 bytes).
const BATCH_MESSAGES_MAX: usize = 100;

/// One attempt to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Whose.
    pub(crate) project: ProjectName,
    /// The right to claim it.
    pub(crate) ticket: LeaseTicket,
    /// How often it was put back because other webhooks hang (see `dispatch`).
    #[serde(default)]
    pub(crate) hops: u32,
}

impl Message {
    /// Reads a message's body. `None` for anything that is not ours (a poison message).
    pub(crate) fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// Sends messages to the queue that `binding` produces for, in as few batches as possible.
///
/// # Errors
/// The queue refused a batch; later ones were not sent. The leases of what was not sent end by themselves.
#[expect(clippy::disallowed_methods, reason = "the one place that sends, and it sends text")]
pub(crate) async fn send(env: &Env, binding: &str, messages: &[Message]) -> worker::Result<()> {
    let queue = env.queue(binding)?;
    for batch in messages.chunks(BATCH_MESSAGES_MAX) {
        let mut builder = BatchMessageBuilder::<JsValue>::new();
        for message in batch {
            let text = serde_json::to_string(message)?;
            builder = builder.message(
                RawMessageBuilder::new(JsValue::from_str(&text))
                    .build_with_content_type(QueueContentType::Text),
            );
        }
        queue.send_raw_batch(builder.build()).await?;
        meter::count(Billed::QueueOperations, batch.len() as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use postern_core::id::Seq;
    use postern_ledger::Lane;

    use super::*;

    #[test]
    fn the_wire_form_of_a_message_does_not_change_by_accident() {
        let ticket = LeaseTicket { delivery: Seq(5), attempt: 2, webhook: Seq(3), lane: Lane::Retry };
        let message = Message { project: ProjectName::parse("p1").unwrap(), ticket, hops: 1 };
        let text =
            r#"{"project":"p1","ticket":{"delivery":5,"attempt":2,"webhook":3,"lane":"retry"},"hops":1}"#;
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        assert_eq!(Message::parse(text), Some(message));
    }

    #[test]
    fn what_is_not_ours_is_no_message() {
        for body in ["", "{}", "null", "[1]", r#"{"project":"P 1"}"#, r#"{"project":"p1","ticket":{}}"#] {
            assert_eq!(Message::parse(body), None, "{body}");
        }
    }
}
