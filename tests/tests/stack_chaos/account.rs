//! Both sides of the account: what the receiver saw, and what the ledger says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use postern_core::api::event::EventView;
use postern_core::api::page::Page;
use postern_core::delivery::State;
use postern_tests::client::Project;
use postern_tests::sink::Sink;
use postern_tests::wait::until;

/// The `webhook-id`s under which each event (by its `data.n`) arrived at `path`, and how often under each.
pub(crate) fn messages_by_number(sink: &Sink, path: &str) -> BTreeMap<usize, BTreeMap<String, usize>> {
    let mut numbers: BTreeMap<usize, BTreeMap<String, usize>> = BTreeMap::new();
    for call in sink.received(path) {
        let number = call.json()["data"]["n"].as_u64().expect("a callback carries its number");
        let messages = numbers.entry(usize::try_from(number).expect("a small number")).or_default();
        *messages.entry(String::from(call.message_id())).or_default() += 1;
    }
    numbers
}

/// Events of `0..count` that did not arrive, and numbers beyond them that did.
pub(crate) fn missing_or_foreign(
    by_number: &BTreeMap<usize, BTreeMap<String, usize>>,
    count: usize,
) -> Vec<usize> {
    let missing = (0..count).filter(|number| !by_number.contains_key(number));
    missing.chain(by_number.keys().copied().filter(|number| *number >= count)).collect()
}

/// Waits until every delivery of the project has ended.
pub(crate) async fn no_delivery_is_open(project: &Project, deadline: Duration) {
    until("no delivery is open", deadline, async || {
        for state in [State::Pending, State::Leased, State::Waiting] {
            if any_in_state(project, state).await {
                return false;
            }
        }
        true
    })
    .await;
}

/// A page may be empty and not the last: a list looks at so many rows for each.
async fn any_in_state(project: &Project, state: State) -> bool {
    let mut cursor = String::new();
    loop {
        let page = project.deliveries(&format!("state={}&limit=1{cursor}", state.as_str())).await;
        match page.next {
            _ if !page.items.is_empty() => return true,
            Some(next) => cursor = format!("&cursor={next}"),
            None => return false,
        }
    }
}

/// What the ledger holds.
#[derive(Default)]
pub(crate) struct Stored {
    /// The ids of the producers' events by their idempotency keys.
    pub(crate) ids: BTreeMap<String, String>,
    /// The types of Postern's own events (`postern.…`), which have no key.
    pub(crate) operational: BTreeSet<String>,
}

/// Everything that the project holds.
pub(crate) async fn stored_events(project: &Project) -> Stored {
    let (mut stored, mut cursor) = (Stored::default(), String::new());
    loop {
        let page: Page<EventView> =
            project.get(&format!("events?limit=200{cursor}")).await.expect(200).read();
        for event in page.items {
            match event.idempotency_key {
                Some(key) => drop(stored.ids.insert(key, event.id)),
                None => drop(stored.operational.insert(event.kind)),
            }
        }
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return stored,
        }
    }
}
