//! Every question that the object answers, by its name.

use serde_json::value::RawValue;

use super::erased::{AnyQuestion, Row};
use super::refusal::Refusal;
use super::wire::Entry;
use super::{
    attempts, audit, config, deliveries, event_types, events, inboxes, live_tickets, projects, replays, runs,
    stats, tokens, trials, up42, watchdog, webhooks,
};

/// The questions of each resource. What each event asks comes first.
const TABLE: &[&[Row]] = &[
    events::QUESTIONS,
    attempts::QUESTIONS,
    deliveries::QUESTIONS,
    inboxes::QUESTIONS,
    runs::QUESTIONS,
    trials::QUESTIONS,
    webhooks::QUESTIONS,
    up42::QUESTIONS,
    event_types::QUESTIONS,
    replays::QUESTIONS,
    projects::QUESTIONS,
    tokens::QUESTIONS,
    live_tickets::QUESTIONS,
    config::QUESTIONS,
    audit::QUESTIONS,
    stats::QUESTIONS,
    watchdog::QUESTIONS,
];

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().copied().flatten()
}

/// The name of each.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|row| row.name)
}

/// Reads a question.
///
/// # Errors
/// It has no name of the table, or its content does not read: a bug, or a Worker of another version.
pub(super) fn read(command: &RawValue) -> Result<Box<dyn AnyQuestion>, Refusal> {
    let unreadable = |name: &str, error: &serde_json::Error| {
        Refusal::Failed(format!("a question {name:?} can't be read: {error}"))
    };
    let mut name = String::new();
    let mut text = command;
    loop {
        let entry: Entry<'_> = serde_json::from_str(text.get()).map_err(|error| unreadable(&name, &error))?;
        name.push_str(entry.name);
        if let Some(row) = rows().find(|row| row.name == name) {
            return (row.read)(entry.value).map_err(|error| unreadable(&name, &error));
        }
        name.push('.');
        text = entry.value;
    }
}
