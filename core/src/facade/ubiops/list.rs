//! UbiOps' list filter.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::api::webhook::WebhookView;
use crate::contract::ubiops::{OBJECT_TYPES, object_type_of};
use crate::fault::Faults;
use crate::query;

/// Parts between the commas of `labels` at most: each webhook's labels are compared with them.
const LABEL_PARTS_MAX: usize = 128;

/// UbiOps' list filter (docs/wire.md A.2). What is `None` or empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFilter {
    /// What stands between the commas of `labels`. A value may hold a comma, and its text does not say which
    /// commas are its own: a webhook is listed if there is a reading in which it has all of the labels.
    pub labels: Vec<String>,
    /// The object's type.
    pub object_type: Option<String>,
    /// The event, as subscribed.
    pub event: Option<String>,
}

impl ListFilter {
    /// Reads the raw query `labels=k:v,k:v&object_type=&event=`. An empty value counts as not given. A part
    /// of `labels` without a colon goes on with the value before it: `labels=city:Zug,
    /// Switzerland,env:prod`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = query::Parameters::parse(query)?;
        let labels = parameters.one("labels").filter(|text| !text.is_empty());
        if let Some(text) = &labels {
            parameters.label("labels", text);
        }
        let object_type = parameters.one("object_type").filter(|text| !text.is_empty());
        if let Some(object_type) = &object_type
            && !OBJECT_TYPES.contains(&object_type.as_str())
        {
            parameters.fault("object_type", "must be deployment or pipeline");
        }
        let event = parameters.one("event").filter(|text| !text.is_empty());
        if let Some(event) = &event
            && object_type_of(event).is_none()
        {
            parameters.fault("event", "must be an event such as deployment_request_finished");
        }
        let labels: Vec<String> =
            labels.map(|text| text.split(',').map(String::from).collect()).unwrap_or_default();
        if labels.len() > LABEL_PARTS_MAX {
            parameters.fault("labels", format!("must have at most {LABEL_PARTS_MAX} parts between commas"));
        }
        parameters.finish(Self { labels, object_type, event })
    }

    /// Whether the filter lets `webhook` through.
    #[must_use]
    pub fn matches(&self, webhook: &WebhookView) -> bool {
        self.has_labels(&webhook.labels)
            && self.object_type.as_ref().is_none_or(|kind| webhook.object.kind.as_ref() == Some(kind))
            && self.event.as_ref().is_none_or(|event| webhook.events.contains(event))
    }
}

impl ListFilter {
    /// The only label that can be meant, where there is only one reading.
    #[must_use]
    pub fn only_label(&self) -> Option<(String, String)> {
        let (first, rest) = self.labels.split_first()?;
        let (key, _value) = first.split_once(':')?;
        let text = self.labels.join(",");
        let value = text.get(key.len() + 1..)?;
        (!rest.iter().any(|part| part.contains(':'))).then(|| (String::from(key), String::from(value)))
    }

    /// Whether the parts can be read as labels that are all among `labels`. Each place between two parts
    /// where a label can start is looked at once.
    fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let parts = &self.labels;
        let mut starts = BTreeSet::from([0]);
        while let Some(at) = starts.pop_first() {
            let Some(part) = parts.get(at) else { return true };
            let label = part.split_once(':').and_then(|(key, begin)| Some((begin, labels.get(key)?)));
            let Some((begin, value)) = label else { continue };
            let mut left = value.strip_prefix(begin);
            for next in at + 1..=parts.len() {
                let Some(rest) = left else { break };
                if rest.is_empty() {
                    starts.insert(next);
                }
                left = parts.get(next).and_then(|part| rest.strip_prefix(',')?.strip_prefix(part.as_str()));
            }
        }
        false
    }
}
