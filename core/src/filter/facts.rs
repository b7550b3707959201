//! The parts of an event that matching looks at.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::budget::{Budget, EVENT_STEPS_MAX};
use crate::event::{NewEvent, ObjectRef};
use crate::fault::Fault;
use crate::json;

/// The parts of an event that matching looks at. The data is read only where a webhook asks for it, and once.
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
    pub(super) budget: Budget,
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

    /// Why nothing that was found out about the event counts; `pointer` is where its data stands. Must be
    /// asked before [`matches`] or [`explain`] is believed.
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
    pub fn from_event(event: &'a NewEvent) -> Self {
        Self::new(&event.kind, event.object.as_ref(), &event.labels, event.data.get())
    }

    /// The data, read once. An event was refused where it can't be read; what an earlier build took is
    /// `null`, in which every field is missing.
    #[must_use]
    pub fn data(&self) -> &Value {
        self.read.get_or_init(|| json::read(self.data).unwrap_or(Value::Null))
    }
}
