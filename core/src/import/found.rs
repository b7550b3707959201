//! A webhook as it was found in a listing.

use serde_json::{Map, Value};

use crate::fault::shorten;

/// Notes of one item at most; the others are counted.
pub(super) const NOTES_MAX: usize = 20;

/// Bytes of a note at most.
pub(super) const NOTE_BYTES_MAX: usize = 1_024;

/// A webhook as another system describes it, in the words of ours.
#[derive(Default)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) draft: Map<String, Value>,
    pub(super) notes: Notes,
}

/// What is said of one item.
#[derive(Default)]
pub(super) struct Notes {
    said: Vec<String>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, text: impl Into<String>) {
        if self.said.len() >= NOTES_MAX {
            self.more += 1;
            return;
        }
        self.say(text);
    }

    /// What must be said, however much was.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        let mut text = text.into();
        shorten(&mut text, NOTE_BYTES_MAX);
        self.said.push(text);
    }

    pub(super) fn into_texts(self) -> Vec<String> {
        let Self { mut said, more } = self;
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        said
    }
}

impl Found {
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.draft.insert(String::from(key), value.into());
    }

    pub(super) fn add_note(&mut self, text: impl Into<String>) {
        self.notes.add(text);
    }
}
