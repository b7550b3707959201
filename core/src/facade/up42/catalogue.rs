//! The events that a client may subscribe to.

use serde::Serialize;

use crate::api::event::EventTypeView;
use crate::contract::up42::EVENTS;

/// An event as `GET webhooks/events` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventEntry {
    /// What webhooks subscribe to.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it belongs to.
    pub category: String,
    /// When it happens.
    pub description: String,
    /// An address to read on; may be empty.
    pub documentation: String,
}

/// The events that a project has: UP42's, then those that its catalogue offers.
#[must_use]
pub fn event_entries(catalogue: &[EventTypeView]) -> Vec<EventEntry> {
    let own = [
        ("job.status", "Job status", "The status of a job has changed."),
        ("order.status", "Order status", "An order has been fulfilled or has failed."),
    ];
    let entry = |name: &str, title: &str, description: &str| EventEntry {
        name: String::from(name),
        title: String::from(title),
        category: category_of(name),
        description: String::from(description),
        documentation: String::new(),
    };
    let others = catalogue.iter().filter(|kind| !kind.archived && !EVENTS.contains(&kind.name.as_str()));
    let others = others.map(|kind| entry(&kind.name, &kind.name, &kind.description));
    own.iter().map(|(name, title, description)| entry(name, title, description)).chain(others).collect()
}

/// What stands before the first dot, such as `JOB`.
fn category_of(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_uppercase()
}
