//! What a test of a webhook sends.

use crate::contract::up42::{kinds_of, sample_of};
use crate::event::NewEvent;
use crate::webhook::Definition;
use crate::webhook::field::EVENTS_MAX;

/// What a test of `webhook` sends (docs/wire.md B.4): one event for each that it subscribes to. A pattern
/// stands for those of the `known` names that it matches.
#[must_use]
pub fn test_events(webhook: &Definition, known: &[&str]) -> Vec<NewEvent> {
    let mut kinds: Vec<String> = Vec::new();
    for kind in webhook.events.iter().flat_map(|pattern| kinds_of(pattern, known)) {
        if !kinds.contains(&kind) && kinds.len() < EVENTS_MAX {
            kinds.push(kind);
        }
    }
    kinds.iter().map(|kind| sample_of(webhook, kind)).collect()
}
