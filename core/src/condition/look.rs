//! Looking into the data of an event: what stands at a path, and how much of a list is looked at.

use std::borrow::Cow;

use serde_json::Value;

use super::words::{FOUND_CHARS_MAX, shown};
use crate::budget::Budget;
use crate::fault::shown_list;

/// Elements of lists that one condition on a field looks at in one event: all others are as if they were not
/// there.
pub const ELEMENTS_MAX: usize = 1_000;

/// How much of the data a test may still look at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) budget: &'a Budget,
    elements_left: usize,
    is_cut: bool,
}

impl<'a> Look<'a> {
    pub(super) const fn new(budget: &'a Budget) -> Self {
        Self { budget, elements_left: ELEMENTS_MAX, is_cut: false }
    }

    /// For another test of what was found: with the elements that finding it has left.
    pub(super) const fn again(&self) -> Self {
        *self
    }

    /// Whether elements were left out.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Counts a look at an element; `false` where it is one too many.
    fn element(&mut self) -> bool {
        if self.elements_left == 0 {
            self.is_cut = true;
            return false;
        }
        self.elements_left -= 1;
        self.budget.pay_look(0)
    }
}

/// What stands at a path.
pub(super) enum Found<'a> {
    /// Without a list on the way there.
    One(&'a Value),
    /// In the elements of lists; nothing, where the path leads nowhere.
    Each(Vec<&'a Value>),
}

impl<'a> Found<'a> {
    fn values(&self) -> &[&'a Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }

    pub(super) fn is_anything(&self) -> bool {
        !self.values().is_empty()
    }

    /// Whether `test` holds for any value, or for any element of a value that is a list.
    pub(super) fn any(&self, look: &mut Look<'_>, test: impl Fn(&Value) -> bool) -> bool {
        self.values().iter().any(|value| {
            test(value)
                || value
                    .as_array()
                    .is_some_and(|elements| elements.iter().any(|element| look.element() && test(element)))
        })
    }

    /// As JSON, cut; the values of lists as a list. `None` where there is nothing.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::One(value) => Some(shown(value)),
            Self::Each(values) => (!values.is_empty()).then(|| shown_list(values, FOUND_CHARS_MAX)),
        }
    }
}

/// What stands at `path` of `data`: a dotted path, or a JSON pointer if it starts with `/`.
///
/// In a list, a name that is not an index leads into each element.
pub(super) fn find<'a>(data: &'a Value, path: &str, look: &mut Look<'_>) -> Found<'a> {
    let names = match path.strip_prefix('/') {
        Some(pointer) => Names { rest: Some(pointer), separator: '/' },
        None => Names { rest: Some(path), separator: '.' },
    };
    let mut found = Vec::new();
    match walk(data, names, look, &mut found) {
        Some(value) => Found::One(value),
        None => Found::Each(found),
    }
}

/// Follows `names`; what is found behind a list is added to `found`.
fn walk<'a>(
    mut value: &'a Value,
    mut names: Names<'_>,
    look: &mut Look<'_>,
    found: &mut Vec<&'a Value>,
) -> Option<&'a Value> {
    loop {
        let here = names;
        let Some(name) = names.next() else { return Some(value) };
        if !look.budget.pay_look(name.len()) {
            return None;
        }
        value = match value {
            Value::Object(map) => map.get(name.as_ref())?,
            Value::Array(elements) => {
                if let Some(index) = index(&name) {
                    elements.get(index)?
                } else {
                    for element in elements {
                        if !look.element() {
                            break;
                        }
                        // An element that is a list itself stands for its own elements.
                        if (element.is_object() || element.is_array())
                            && let Some(value) = walk(element, here, look, found)
                        {
                            found.push(value);
                        }
                    }
                    return None;
                }
            }
            _ => return None,
        };
    }
}

/// The names of a path, one after the other.
#[derive(Clone, Copy)]
struct Names<'p> {
    rest: Option<&'p str>,
    separator: char,
}

impl<'p> Names<'p> {
    fn next(&mut self) -> Option<Cow<'p, str>> {
        let rest = self.rest?;
        let (name, rest) =
            rest.split_once(self.separator).map_or((rest, None), |(name, rest)| (name, Some(rest)));
        self.rest = rest;
        let is_escaped = self.separator == '/' && name.contains('~');
        Some(if is_escaped {
            Cow::Owned(name.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(name)
        })
    }
}

/// An index as RFC 6901 spells it: without leading zeros.
fn index(text: &str) -> Option<usize> {
    let is_canonical =
        text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if is_canonical { text.parse().ok() } else { None }
}
