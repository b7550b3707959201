//! Whether a webhook wants an event, and why.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::EventFacts;
use super::pattern::EventPattern;
use crate::condition::{Clause, cut};
use crate::event::ObjectRef;
use crate::fault::pointer_segment;
use crate::webhook::{Contract, Definition, ObjectFilter};

/// Whether `webhook` wants this event: by type, object, labels and data. Says nothing of `enabled` and
/// `paused`. Worth nothing once the event's budget is spent ([`EventFacts::overspent`]).
///
/// A `ubiops` webhook for `*_finished` also matches `*_completed` and `*_failed` (docs/wire.md A.4).
#[must_use]
pub fn matches(webhook: &Definition, event: &EventFacts<'_>) -> bool {
    event.budget.pay(WEBHOOK_STEPS + webhook.events.len() as u64)
        && takes_type(webhook, event.kind)
        && object_matches(&webhook.object, event.object)
        && webhook.event_labels.iter().all(|(key, value)| event.labels.get(key) == Some(value))
        && webhook.filter.as_ref().is_none_or(|filter| filter.holds_within(event.data(), &event.budget))
}

/// Steps of saying why a webhook wants an event or not, apart from its condition.
const EXPLANATION_STEPS: u64 = 5_000;

/// Steps of comparing an event with a webhook, apart from its condition.
const WEBHOOK_STEPS: u64 = 40;

/// Whether `webhook` wants events of type `kind` at all, about whatever object and with whatever data.
#[must_use]
pub fn takes_type(webhook: &Definition, kind: &str) -> bool {
    webhook.events.iter().any(|pattern| takes(webhook.contract, pattern, kind))
}

/// What came of matching an event with a webhook, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// What [`matches`] says.
    pub matched: bool,
    /// One for each thing the webhook says of events, with pointers into its definition: `/enabled`,
    /// `/paused`, `/events`, `/object/type`, `/event_labels/env`, `/filter/and/0`.
    pub reasons: Vec<Clause>,
}

/// [`matches`] with its reasons. A disabled webhook gets no event although it would match one; a paused one
/// gets it, and it waits.
#[must_use]
pub fn explain(webhook: &Definition, event: &EventFacts<'_>) -> Match {
    let clause = |pointer: String, text: String, holds: bool, found: Option<&str>| Clause {
        pointer,
        text,
        holds,
        found: found.map(|found| cut(&Value::from(found).to_string())),
        children: Vec::new(),
    };
    event.budget.pay(EXPLANATION_STEPS);
    let mut reasons = Vec::new();
    let enabled = if webhook.enabled { "enabled" } else { "disabled: it gets no events" };
    reasons.push(clause(String::from("/enabled"), String::from(enabled), webhook.enabled, None));
    if webhook.paused {
        reasons.push(clause(
            String::from("/paused"),
            String::from("paused: its deliveries wait until it is resumed"),
            true,
            None,
        ));
    }
    let patterns: Vec<&str> = webhook.events.iter().map(EventPattern::as_str).collect();
    let text = format!("type is {}", patterns.join(" or "));
    reasons.push(clause(String::from("/events"), text, takes_type(webhook, event.kind), Some(event.kind)));
    for (key, wanted, found) in object_parts(&webhook.object, event.object) {
        if let Some(wanted) = wanted {
            reasons.push(clause(
                format!("/object/{key}"),
                format!("object {key} is {wanted}"),
                found == Some(wanted),
                found,
            ));
        }
    }
    for (key, wanted) in &webhook.event_labels {
        let found = event.labels.get(key);
        let pointer = format!("/event_labels/{}", pointer_segment(key));
        reasons.push(clause(
            pointer,
            format!("label {key} is {wanted}"),
            found == Some(wanted),
            found.map(String::as_str),
        ));
    }
    if let Some(filter) = &webhook.filter {
        reasons.push(filter.explain_within(event.data(), "/filter", &event.budget));
    }
    Match { matched: reasons.iter().skip(1).all(|reason| reason.holds), reasons }
}

/// Whether `pattern` of a webhook with `contract` takes an event of type `kind`.
pub(crate) fn takes(contract: Contract, pattern: &EventPattern, kind: &str) -> bool {
    pattern.matches(kind) || (contract == Contract::Ubiops && ends_either_way(pattern.as_str(), kind))
}

/// How UbiOps' "finished" ends.
const ENDS: [&str; 2] = ["_completed", "_failed"];

/// Whether `pattern` is UbiOps' "finished" and `kind` one of the two ways in which the same thing ends.
fn ends_either_way(pattern: &str, kind: &str) -> bool {
    let Some(stem) = pattern.strip_suffix("_finished") else { return false };
    kind.strip_prefix(stem).is_some_and(|end| ENDS.contains(&end))
}

/// The types that the exact pattern `text` of a webhook with `contract` takes beside itself.
#[must_use]
pub fn ways_to_end(contract: Contract, text: &str) -> Vec<String> {
    let stem = text.strip_suffix("_finished").filter(|_stem| contract == Contract::Ubiops);
    stem.map(|stem| ENDS.map(|end| format!("{stem}{end}")).to_vec()).unwrap_or_default()
}

fn object_matches(filter: &ObjectFilter, object: Option<&ObjectRef>) -> bool {
    object_parts(filter, object).into_iter().all(|(_, wanted, found)| wanted.is_none() || found == wanted)
}

/// The parts of an object with their names: wanted, and found.
fn object_parts<'a>(
    filter: &'a ObjectFilter,
    object: Option<&'a ObjectRef>,
) -> [(&'static str, Option<&'a str>, Option<&'a str>); 3] {
    [
        ("type", filter.kind.as_deref(), object.map(|object| object.kind.as_str())),
        ("name", filter.name.as_deref(), object.map(|object| object.name.as_str())),
        ("version", filter.version.as_deref(), object.and_then(|object| object.version.as_deref())),
    ]
}
