//! A project that deliveries are made in: 400 and a few before the page is opened, and 51 a second for as
//! long as somebody wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::client::Project;
use crate::sink::Behaviour;
use crate::sink::http::Server;
use crate::stack::Stack;
use crate::wait::{SOON, until};

/// Events a second.
pub(super) const EVENTS_PER_S: u32 = 12;
/// Deliveries a second.
pub(super) const DELIVERIES_PER_S: u32 = 51;
/// Webhooks that each event goes to.
const WEBHOOKS: usize = 4;
/// One event of so many goes to one webhook more: so 12 events make 51 deliveries.
const EVERY: usize = 4;
/// Events that are there before, and what they make.
const EVENTS_BEFORE: usize = 100;
const DELIVERIES_BEFORE: usize = EVENTS_BEFORE * WEBHOOKS + EVENTS_BEFORE / EVERY;

/// The project, and its receiver.
pub(super) struct Traffic {
    /// The project.
    pub(super) project: Project,
    arrived: Arc<AtomicUsize>,
    _receiver: Server,
}

impl Traffic {
    /// Creates the project, and has its first deliveries made.
    pub(super) async fn set_up(stack: &Stack) -> Self {
        let arrived = Arc::new(AtomicUsize::new(0));
        let receiver = Server::start({
            let arrived = Arc::clone(&arrived);
            move |_received| {
                arrived.fetch_add(1, Ordering::Relaxed);
                Behaviour::status(200)
            }
        })
        .await;
        let project = stack.project("page").await;
        for webhook in 0..=WEBHOOKS {
            let kind = if webhook < WEBHOOKS { "order.*" } else { "order.paid" };
            project
                .listen(
                    &format!("w{webhook}"),
                    &format!("{}/{webhook}", receiver.base()),
                    &json!({ "events": [kind] }),
                )
                .await;
        }
        let events: Vec<Value> = (0..EVENTS_BEFORE).map(event).collect();
        project.post("events/batch", &json!({ "events": events })).await.expect(202);
        let traffic = Self { project, arrived, _receiver: receiver };
        until("the first deliveries arrive", SOON, async || traffic.arrived() >= DELIVERIES_BEFORE).await;
        traffic
    }

    /// Deliveries that arrived so far.
    pub(super) fn arrived(&self) -> usize {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Posts events until what is returned is dropped.
    pub(super) fn publish(&self) -> Publishing {
        let project = self.project.clone();
        Publishing(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / EVENTS_PER_S);
            for number in 0.. {
                ticks.tick().await;
                let project = project.clone();
                // What becomes of it shows at the receiver.
                tokio::spawn(async move { drop(project.post("events", &event(number)).await) });
            }
        }))
    }
}

fn event(number: usize) -> Value {
    let kind = if number.is_multiple_of(EVERY) { "order.paid" } else { "order.placed" };
    json!({ "type": kind, "data": { "n": number } })
}

/// Events that are posted; ends when it is dropped.
pub(super) struct Publishing(JoinHandle<()>);

impl Drop for Publishing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
