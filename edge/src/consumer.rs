//! Consumers of the queues `deliveries`, `retries` and `dead-letters`.
//!
//! A message is acknowledged whatever happens: it is a hint that something is due, and the lease behind it
//! ends by itself. So nothing is retried through the queue, and no handler fails; an `Err` would become a
//! panic (docs/platform.md 1.9, trap 7).

use futures_channel::oneshot;
use futures_util::future;
use postern_engine::{Message, Queued};
use worker::{Context, Env, MessageBatch, MessageExt as _};

use crate::clock;
use crate::config;
use crate::dispatch::Dispatcher;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};

/// How long a consumer waits for its calls before it makes room for the next batch. Locally a queue runs one
/// batch at a time (docs/platform.md 3.1), so a webhook that hangs would hold up all others for its whole
/// timeout; the calls that are left go on in `wait_until`.
const WAIT_MS: u32 = 1_000;

/// Runs one batch of any of the queues.
pub(crate) async fn consume(batch: &MessageBatch<()>, env: &Env, context: &Context, id: &RequestId) {
    let messages: Vec<_> = batch.raw_iter().collect();
    // Each is read, and deleted when it is acknowledged.
    meter::count(Billed::QueueOperations, 2 * messages.len() as u64);
    if batch.queue() == config::DEAD_LETTERS_QUEUE {
        for message in &messages {
            log::error(
                id,
                "the platform could not run a message three times; its lease will end",
                &[("queue_message", &message.id())],
            );
        }
        return;
    }
    let mut tickets: Vec<Queued> = Vec::new();
    for message in &messages {
        match message.body().as_string().as_deref().and_then(Message::parse) {
            Some(message) => tickets.extend(message.into_queued()),
            None => {
                log::error(
                    id,
                    "a message that is not ours was dropped",
                    &[("queue", &batch.queue()), ("queue_message", &message.id())],
                );
            }
        }
    }
    let dispatcher = match Dispatcher::new(env, id, None) {
        Ok(dispatcher) => dispatcher,
        Err(fault) => {
            log::error(id, "nothing can be dispatched", &[("error", &fault)]);
            return;
        }
    };
    let (ended, has_ended) = oneshot::channel();
    context.wait_until(async move {
        dispatcher.run_tickets(tickets, i64::from(WAIT_MS)).await;
        // The receiver is gone where the consumer stopped waiting.
        let _consumer_left = ended.send(());
    });
    future::select(has_ended, clock::sleep(WAIT_MS)).await;
}
