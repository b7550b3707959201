//! What a listing becomes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::Request;
use super::source;
use crate::egress::Policy;
use crate::fault::is_invisible;
use crate::webhook::{WebhookName, parse};

/// What became of one item of the listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ImportItemView"))]
pub struct ItemView {
    /// Where it stands in the listing, from 0.
    pub index: usize,
    /// What it is called there, as far as it says.
    pub name: String,
    /// Whether the document holds a webhook for it.
    pub taken: bool,
    /// What was not taken over, or why nothing was.
    pub notes: Vec<String>,
}

/// Answer to `POST import/preview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ImportPreviewView"))]
pub struct PreviewView {
    /// To be looked at, changed and given to `config/apply`.
    #[serde(deserialize_with = "crate::json::written")]
    pub document: Value,
    /// One for each item, in their order.
    pub items: Vec<ItemView>,
}

/// What a listing becomes. `policy` decides about every URL as it does when a webhook is saved.
#[must_use]
pub fn preview(request: &Request, policy: &Policy) -> PreviewView {
    let mut webhooks = Vec::new();
    let mut items = Vec::new();
    let mut names = Names::default();
    for (index, item) in source::items(request.from, &request.listing).into_iter().enumerate() {
        let Some(mut found) = source::read(request.from, item) else {
            let notes = vec![String::from("is not a webhook in the form in which this system lists one")];
            items.push(ItemView { index, name: String::new(), taken: false, notes });
            continue;
        };
        let name = names.name_for(&found.name, index);
        if name != found.name {
            found.add_note(format!("is called {name} here"));
        }
        found.set("name", name.clone());
        let mut checked = found.draft.clone();
        checked.remove("secret");
        let taken = match parse::create(&Value::Object(checked), policy) {
            Ok(_) => true,
            Err(faults) => {
                found.notes.say(format!("was left out: {}", faults.sentence()));
                false
            }
        };
        if taken {
            webhooks.push(Value::Object(found.draft));
        } else {
            names.taken.remove(&name);
        }
        items.push(ItemView { index, name: found.name, taken, notes: found.notes.into_texts() });
    }
    if source::has_more(&request.listing)
        && let Some(last) = items.last_mut()
    {
        last.notes
            .push(String::from("more webhooks stand on further pages of this list: import those as well"));
    }
    PreviewView {
        document: Value::Object([(String::from("webhooks"), Value::from(webhooks))].into_iter().collect()),
        items,
    }
}

/// The names of what was taken over.
#[derive(Default)]
struct Names {
    taken: BTreeSet<String>,
    /// The number that was tried last behind a name: a listing may hold one name a thousand times.
    numbers: BTreeMap<String, u32>,
}

impl Names {
    /// A name that is one and is not taken.
    fn name_for(&mut self, wanted: &str, index: usize) -> String {
        let cut: String = wanted
            .trim()
            .chars()
            .filter(|c| !c.is_control() && !is_invisible(*c))
            .take(WebhookName::CHARS_MAX - 5)
            .collect();
        let base = WebhookName::parse(cut.trim())
            .map_or_else(|| format!("imported-{}", index + 1), |name| String::from(name.as_str()));
        if self.taken.insert(base.clone()) {
            return base;
        }
        let number = self.numbers.entry(base.clone()).or_insert(2);
        loop {
            let name = format!("{base}-{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            *number += 1;
        }
    }
}
