//! Rows that come without moving those that stay.
//!
//! `keyed` of `tachys` 0.2.19 takes every row out of the document and puts it back where two or more come
//! above it at once: it counts only those that it has passed, and gives all rows that move alike the answer
//! of the first (`findings/leptos-for-moves-every-row.sh`). A browser then works out styles and layout of the
//! whole list anew, and the focus is lost. So a change is made in steps that bring one row each.

use std::collections::HashSet;
use std::hash::Hash;

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::{AddAnyAttr, Render, RenderHtml};
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::{Position, PositionState};

/// The lists that lead from `from` to `to`, the last of which is `to`: first without what goes, then with one
/// more item at a time. What comes behind all that stays comes at once.
///
/// One step where what stays changes its order: it has to move anyway.
pub(super) fn steps<T: Clone + Eq + Hash>(from: &[T], to: &[T]) -> Vec<Vec<T>> {
    let (before, after): (HashSet<&T>, HashSet<&T>) = (from.iter().collect(), to.iter().collect());
    let stays: Vec<&T> = from.iter().filter(|item| after.contains(item)).collect();
    if stays.is_empty() || !stays.iter().copied().eq(to.iter().filter(|item| before.contains(item))) {
        return vec![to.to_vec()];
    }
    let behind = to.iter().rposition(|item| before.contains(item)).map_or(0, |last| last + 1);
    let comes = |at: &usize| !before.contains(&to[*at]);
    let mut present: Vec<bool> = to.iter().map(|item| before.contains(item)).collect();
    let list = |present: &[bool]| -> Vec<T> {
        to.iter().zip(present).filter(|(_, is_present)| **is_present).map(|(item, _)| item.clone()).collect()
    };
    let mut all = vec![list(&present)];
    for at in (0..behind).filter(comes) {
        present[at] = true;
        all.push(list(&present));
    }
    if behind < to.len() {
        all.push(to.to_vec());
    }
    if all.len() > 1 && stays.len() == from.len() {
        all.remove(0);
    }
    all
}

/// A view in several steps, which are made one after the other within one change of the document.
pub(super) struct OneByOne<V> {
    /// The steps before the last.
    before: Vec<V>,
    /// What is shown in the end.
    last: V,
}

impl<V> OneByOne<V> {
    /// The view that `view` makes of the last of `steps`; `None` without one.
    pub(super) fn new<T>(steps: Vec<T>, view: impl Fn(T) -> V) -> Option<Self> {
        let mut before: Vec<V> = steps.into_iter().map(view).collect();
        before.pop().map(|last| Self { before, last })
    }
}

impl<V: Render> Render for OneByOne<V> {
    type State = V::State;

    fn build(self) -> V::State {
        self.last.build()
    }

    fn rebuild(self, state: &mut V::State) {
        for step in self.before {
            step.rebuild(state);
        }
        self.last.rebuild(state);
    }
}

impl<V: RenderHtml + 'static> AddAnyAttr for OneByOne<V> {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _attribute: A) -> Self::Output<A> {
        self
    }
}

impl<V: RenderHtml + 'static> RenderHtml for OneByOne<V> {
    type AsyncOutput = V::AsyncOutput;
    type Owned = Self;

    const MIN_LENGTH: usize = V::MIN_LENGTH;

    fn dry_resolve(&mut self) {
        self.last.dry_resolve();
    }

    async fn resolve(self) -> V::AsyncOutput {
        self.last.resolve().await
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        attributes: Vec<AnyAttribute>,
    ) {
        self.last.to_html_with_buf(buf, position, escape, mark_branches, attributes);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> V::State {
        self.last.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(from: &str, to: &str) -> Vec<String> {
        let items = |text: &str| text.chars().collect::<Vec<char>>();
        steps(&items(from), &items(to)).into_iter().map(|step| step.into_iter().collect()).collect()
    }

    #[test]
    fn rows_come_one_by_one_once_what_goes_is_gone() {
        assert_eq!(texts("abcd", "xyzab"), ["ab", "xab", "xyab", "xyzab"]);
        assert_eq!(texts("abc_", "xaybc_"), ["xabc_", "xaybc_"]);
        assert_eq!(texts("abc", "bc"), ["bc"]);
        assert_eq!(texts("ab", "ab"), ["ab"]);
    }

    #[test]
    fn what_comes_behind_the_others_comes_at_once() {
        assert_eq!(texts("ab", "abxyz"), ["abxyz"]);
        assert_eq!(texts("abc", "bxyz"), ["b", "bxyz"]);
        assert_eq!(texts("", "abc"), ["abc"]);
        assert_eq!(texts("abc", "xyz"), ["xyz"]);
        assert_eq!(texts("abc", ""), [""]);
    }

    #[test]
    fn a_new_order_is_one_step() {
        assert_eq!(texts("abc", "xcba"), ["xcba"]);
    }
}
