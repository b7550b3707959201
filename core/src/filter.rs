//! Matching: which events a webhook wants.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::{Budget, EVENT_STEPS_MAX};
use crate::condition::{Clause, cut};
use crate::event::{NewEvent, ObjectRef, TYPE_CHARS_MAX, is_event_type, is_operational};
use crate::fault::{Fault, pointer_segment};
use crate::json;
use crate::webhook::{Contract, Definition, ObjectFilter};

/// An exact event type (`order.paid`), a prefix (`order.*`, which matches every type below `order.`) or everything that
/// producers post (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct EventPattern(pub(crate) String);

impl EventPattern {
    /// The pattern, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let stem = text.strip_suffix(".*").unwrap_or(text);
        let fits = text == "*" || (text.len() <= TYPE_CHARS_MAX && is_event_type(stem));
        fits.then(|| Self(String::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an event of type `kind` matches. Postern's own events (`postern.…`) match only a pattern that names them:
    /// whoever subscribes to everything means what the producers post.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        if self.0 == "*" {
            return !is_operational(kind);
        }
        match self.0.strip_suffix(".*") {
            Some(stem) => kind.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
            None => self.0 == kind,
        }
    }
}

/// What of an event decides who wants it. The data is read only where a webhook asks for it, and once.
#[derive(Debug)]
pub struct EventFacts<'a> {
    /// The event type.
    pub kind: &'a str,
    /// What it happened to.
    pub object: Option<&'a ObjectRef>,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    data: &'a str,
    read: OnceCell<Value>,
    budget: Budget,
}

impl<'a> EventFacts<'a> {
    /// The facts of an event; `data` is JSON text. What looks at them shares the budget of one event.
    #[must_use]
    pub const fn new(
        kind: &'a str,
        object: Option<&'a ObjectRef>,
        labels: &'a BTreeMap<String, String>,
        data: &'a str,
    ) -> Self {
        Self { kind, object, labels, data, read: OnceCell::new(), budget: Budget::of_event() }
    }

    /// With the budget that the event has, where it is not one of its own.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What is left to look at them with.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Why nothing that was found out about the event counts; `pointer` is where its data stands. Must be asked before
    /// [`matches`] or [`explain`] is believed.
    #[must_use]
    pub fn overspent(&self, pointer: &str) -> Option<Fault> {
        self.budget.is_spent().then(|| {
            Fault::new(
                pointer,
                format!(
                    "takes more than {EVENT_STEPS_MAX} steps to be compared with the schema of its type and the conditions of the webhooks \
                     that want its type; send less data, or simplify the conditions"
                ),
            )
        })
    }

    /// The facts of an event that was just posted.
    #[must_use]
    pub fn of(event: &'a NewEvent) -> Self {
        Self::new(&event.kind, event.object.as_ref(), &event.labels, event.data.get())
    }

    /// The data, read once. An event was refused where it can't be read; what an earlier build took is `null`, in which every
    /// field is missing.
    #[must_use]
    pub fn data(&self) -> &Value {
        self.read.get_or_init(|| json::read(self.data).unwrap_or(Value::Null))
    }
}

/// Whether `webhook` wants this event: by type, object, labels and data. Says nothing of `enabled` and `paused`. Worth nothing
/// once the event's budget is spent ([`EventFacts::overspent`]).
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
    /// One for each thing the webhook says of events, with pointers into its definition: `/enabled`, `/paused`, `/events`,
    /// `/object/type`, `/event_labels/env`, `/filter/and/0`.
    pub reasons: Vec<Clause>,
}

/// [`matches`] with its reasons. A disabled webhook gets no event although it would match one; a paused one gets it, and it
/// waits.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_exact_type_matches_itself_and_nothing_longer(kind in "[a-z_]{1,8}(\\.[a-z_]{1,8}){0,3}", more in "[a-z_.]{1,5}") {
            let pattern = EventPattern::parse(&kind);
            let longer = format!("{kind}{more}");
            let holds = pattern.is_some_and(|pattern| pattern.matches(&kind) && !pattern.matches(&longer));
            prop_assert!(holds);
        }

        #[test]
        fn a_prefix_matches_what_is_below_it_only(stem in "[a-z]{1,8}", below in "[a-z]{1,8}(\\.[a-z]{1,8})?") {
            let pattern = EventPattern::parse(&format!("{stem}.*"));
            let (inside, beside) = (format!("{stem}.{below}"), format!("{stem}{below}"));
            let holds = pattern.is_some_and(|pattern| pattern.matches(&inside) && !pattern.matches(&stem) && !pattern.matches(&beside));
            prop_assert!(holds);
        }

        #[test]
        fn a_text_is_a_pattern_only_if_it_can_match(text in "[a-z.*_]{0,12}") {
            if let Some(pattern) = EventPattern::parse(&text) {
                let kind = text.replace('*', "x");
                prop_assert!(pattern.matches(&kind) && is_event_type(&kind));
            }
        }
    }
}
