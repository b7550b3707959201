//! Webhooks of other systems: from what their own API lists to a configuration document, with a note for everything that
//! could not be taken over.
//!
//! The listing is pasted or fetched by a person; nothing is called from here. The document goes through `config` like any
//! other, so a preview changes nothing. What a system never lists (secrets, protected values) cannot be taken over.

mod source;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::egress::Policy;
use crate::fault::{Fields, InputFault, is_invisible, parse_json, shorten};
use crate::webhook::{WebhookName, parse};

/// Bytes of a call that brings a listing, at most.
pub const LISTING_BYTES_MAX: usize = 1024 * 1024;
/// Items of a listing at most.
const ITEMS_MAX: usize = 1_000;
/// Notes of one item at most; the others are counted.
const NOTES_MAX: usize = 20;
/// Bytes of a note at most.
const NOTE_BYTES_MAX: usize = 1_024;

/// Whose listing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// Svix: `GET /api/v1/app/{app}/endpoint`.
    Svix,
    /// Convoy: endpoints, or subscriptions, of a project.
    Convoy,
    /// Hook0: `GET /api/v1/subscriptions`.
    Hook0,
    /// UbiOps: `GET /projects/{project}/webhooks`.
    Ubiops,
    /// UP42: `GET /workspaces/{workspace}/webhooks`.
    Up42,
    /// actinia: process chains with `webhooks`, or such objects alone.
    Actinia,
}

impl From {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Svix, Self::Convoy, Self::Hook0, Self::Ubiops, Self::Up42, Self::Actinia];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Svix => "svix",
            Self::Convoy => "convoy",
            Self::Hook0 => "hook0",
            Self::Ubiops => "ubiops",
            Self::Up42 => "up42",
            Self::Actinia => "actinia",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|from| from.as_str() == text)
    }
}

/// The body of `POST import/preview`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whose listing it is.
    pub from: From,
    /// What their API answered.
    pub listing: Value,
}

impl Request {
    /// Reads `{"from", "listing"}`.
    ///
    /// # Errors
    /// Not JSON, or every bad field.
    pub fn parse(body: &str) -> Result<Self, InputFault> {
        let body = parse_json(body)?;
        let mut fields = Fields::of(&body, "")?;
        let from = fields.text("from");
        let from = fields.required("from", from).and_then(|text| {
            let from = From::parse(text);
            if from.is_none() {
                fields.fault("from", format!("must be one of {}", From::ALL.map(From::as_str).join(", ")));
            }
            from
        });
        let listing = fields.any("listing");
        match listing {
            None => fields.fault("listing", "is required: what their API answered"),
            Some(Value::Array(_) | Value::Object(_)) => {}
            Some(_) => {
                fields.fault("listing", "must be the JSON that their API answered, an object or an array");
            }
        }
        if let (Some(from), Some(listing)) = (from, listing) {
            let count = source::items(from, listing).len();
            if count > ITEMS_MAX {
                fields.fault(
                    "listing",
                    format!("must hold at most {ITEMS_MAX} webhooks, this holds {count}: import it in parts"),
                );
            }
        }
        let faults = fields.finish();
        match (from, listing) {
            (Some(from), Some(listing)) if faults.is_empty() => Ok(Self { from, listing: listing.clone() }),
            _ => Err(faults.into()),
        }
    }
}

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

/// A webhook as another system describes it, in the words of ours.
#[derive(Default)]
struct Found {
    name: String,
    draft: Map<String, Value>,
    notes: Notes,
}

/// What is said of one item.
#[derive(Default)]
struct Notes {
    said: Vec<String>,
    more: usize,
}

impl Notes {
    fn add(&mut self, text: impl Into<String>) {
        if self.said.len() >= NOTES_MAX {
            self.more += 1;
            return;
        }
        self.say(text);
    }

    /// What must be said, however much was.
    fn say(&mut self, text: impl Into<String>) {
        let mut text = text.into();
        shorten(&mut text, NOTE_BYTES_MAX);
        self.said.push(text);
    }

    fn into_texts(self) -> Vec<String> {
        let Self { mut said, more } = self;
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        said
    }
}

impl Found {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.draft.insert(String::from(key), value.into());
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.add(text);
    }
}

/// What a listing becomes. `policy` decides about every URL as it does when a webhook is saved.
#[must_use]
pub fn preview(request: &Request, policy: &Policy) -> PreviewView {
    let mut webhooks = Vec::new();
    let mut items = Vec::new();
    let mut names = Names::default();
    for (index, item) in source::items(request.from, &request.listing).into_iter().enumerate() {
        let Some(mut found) = source::read(request.from, item) else {
            let notes = vec![String::from("is no webhook as this system lists one")];
            items.push(ItemView { index, name: String::new(), taken: false, notes });
            continue;
        };
        let name = names.name_for(&found.name, index);
        if name != found.name {
            found.note(format!("is called {name} here"));
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
