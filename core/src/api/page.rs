//! Lists: newest first, cursor-paged.

use serde::{Deserialize, Serialize};

use crate::query::PageQuery;
use crate::time::Timestamp;

/// Items of a page where the caller names no limit.
pub const LIMIT_DEFAULT: u32 = 50;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 200;
/// The limit of a list that is given whole where nobody names one: its number of items is bounded otherwise.
pub const LIMIT_NONE: u32 = u32::MAX;

/// One page of a list. It is full, or the last, or says in `searched_to` why it is short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PageOf{T}"))]
pub struct Page<T> {
    /// The items. Fewer than the limit, even none, do not mean the end: only a `next` of null does.
    pub items: Vec<T>,
    /// Pass as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// Only of a page that is short although the list goes on: one request looks at a bounded part of a list, and this one
    /// has come back to this time. What is newer and fits is on this page or on those before; `next` searches on from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<Timestamp>,
}

impl<T> Page<T> {
    /// A page that is full or the last.
    #[must_use]
    pub const fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next, searched_to: None }
    }

    /// The part of `items` that `query` asks for, where they are at hand and sorted by `name`: a cursor is the last name of the page
    /// before.
    #[must_use]
    pub fn cut(mut items: Vec<T>, query: &PageQuery, name: impl Fn(&T) -> &str) -> Self {
        if let Some(after) = &query.cursor {
            items.retain(|item| name(item) > after.as_str());
        }
        let limit = query.limit as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_last| has_more).map(|last| String::from(name(last)));
        Self::new(items, next)
    }

    /// Puts the page behind it that `next` led to.
    pub fn extend(&mut self, more: Self) {
        self.items.extend(more.items);
        self.next = more.next;
        self.searched_to = more.searched_to;
    }

    /// The same page of other items: one for each, in their order.
    #[must_use]
    pub fn of<U>(self, items: Vec<U>) -> Page<U> {
        Page { items, next: self.next, searched_to: self.searched_to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_at_hand_is_cut_into_pages_that_hold_each_item_once() {
        let all = ["a", "b", "c", "d", "e"];
        let ask = |limit, cursor: Option<String>| {
            Page::cut(all.to_vec(), &PageQuery { limit, cursor }, |name| name)
        };
        for limit in [1, 2, 4, 5, 6, LIMIT_NONE] {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = ask(limit, cursor);
                assert!(!page.items.is_empty() && page.items.len() <= limit as usize, "{limit}: {page:?}");
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{limit}");
        }
        assert_eq!(
            ask(2, Some(String::from("bb"))),
            Page::new(vec!["c", "d"], Some(String::from("d"))),
            "an item that was deleted since"
        );
        assert_eq!(ask(2, Some(String::from("e"))), Page::new(Vec::new(), None));
    }
}
