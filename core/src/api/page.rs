//! Lists: newest first, cursor-paged.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Items of a page where the caller names no limit.
pub const LIMIT_DEFAULT: u32 = 50;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 200;
/// The limit of a list that is given whole if the caller names no limit: its number of items is bounded
/// otherwise.
pub const LIMIT_NONE: u32 = u32::MAX;

/// One page of a list. It is full, or the last, or says in `searched_to` why it is short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PageOf{T}"))]
pub struct Page<T> {
    /// The items. A page that is shorter than the limit, even an empty one, is not the end: only a `next` of
    /// null is.
    pub items: Vec<T>,
    /// Pass as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// Only of a page that is short although the list goes on: one request looks at a bounded part of a list,
    /// and this one has come back to this time. What is newer and fits is on this page or on those before;
    /// `next` searches on from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<Timestamp>,
}

impl<T> Page<T> {
    /// A page that is full or the last.
    #[must_use]
    pub const fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next, searched_to: None }
    }

    /// Puts the page behind it that `next` led to.
    pub fn extend(&mut self, more: Self) {
        self.items.extend(more.items);
        self.next = more.next;
        self.searched_to = more.searched_to;
    }

    /// The same page of other items: one for each, in their order.
    #[must_use]
    pub fn with_items<U>(self, items: Vec<U>) -> Page<U> {
        Page { items, next: self.next, searched_to: self.searched_to }
    }
}
