//! Messages of the queues `deliveries` and `retries`: text of JSON that holds ids only, so that no secret
//! and no large body travels through a queue, and no map turns into `{}` (docs/platform.md 1.9, trap 1).
//! Nothing is ever delayed in a queue (trap 9): when something is due is the ledger's to say.

use postern_engine::Message;
use wasm_bindgen::JsValue;
use worker::{BatchMessageBuilder, Env, QueueContentType, RawMessageBuilder};

use crate::meter::{self, Billed};

/// Messages of one `sendBatch` at most (docs/platform.md 2.2: 100 messages and 256 KB; one of ours is below
/// 1 KB).
const BATCH_MESSAGES_MAX: usize = 100;

/// A queue took only some of what was sent to it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Messages that it took: the first ones.
    pub(crate) sent: usize,
    /// Why it did not take the next.
    pub(crate) error: worker::Error,
}

/// Sends messages to the queue that `binding` produces for, in as few batches as possible.
///
/// # Errors
/// The queue refused a batch; later ones were not sent.
pub(crate) async fn send(env: &Env, binding: &str, messages: &[Message]) -> Result<(), Refused> {
    let mut sent = 0;
    for batch in messages.chunks(BATCH_MESSAGES_MAX) {
        send_batch(env, binding, batch).await.map_err(|error| Refused { sent, error })?;
        sent += batch.len();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place that sends, and it sends text")]
async fn send_batch(env: &Env, binding: &str, batch: &[Message]) -> worker::Result<()> {
    let mut builder = BatchMessageBuilder::<JsValue>::new();
    for message in batch {
        let text = serde_json::to_string(message)?;
        builder = builder.message(
            RawMessageBuilder::new(JsValue::from_str(&text)).build_with_content_type(QueueContentType::Text),
        );
    }
    env.queue(binding)?.send_raw_batch(builder.build()).await?;
    meter::count(Billed::QueueOperations, batch.len() as u64);
    Ok(())
}
