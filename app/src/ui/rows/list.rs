//! A list of the API: its pages come from a [`Fetched`], its changes from the live feed.

use std::borrow::Cow;

use leptos::prelude::*;
use postern_core::api::page::{LIMIT_DEFAULT, LIMIT_MAX, Page};

use super::core::Core;
use super::intake::Intake;
use super::store::{Id, Row, Sorting};
use crate::api::Load;
use crate::browser::clock;
use crate::fetched::{Fetched, effect, when};
use crate::routes::Query;
use crate::ui::more;
use crate::ui::toast::use_toasts;

/// A list of the API while it changes.
#[derive(Clone)]
pub(crate) struct List<T: Row> {
    /// What loads it. Its value is only the first page, as it was when it was loaded.
    pub(crate) page: Fetched<Page<T>>,
    /// What it is apart from its type.
    pub(crate) core: Core,
}

impl<T: Row> Copy for List<T> {}

/// How a list takes in its first page when that is loaded again.
#[derive(Clone, Copy)]
pub(crate) enum Reloads {
    /// It is all there is.
    Replace,
    /// It is the newest part; what was loaded below stays, as long as the query that is kept here is the
    /// same.
    Refresh(StoredValue<String>),
}

impl<T: Row> List<T> {
    /// The rows that `page` loads, the newest first.
    pub(crate) fn newest(page: Fetched<Page<T>>) -> Self {
        Self::of(page, Sorting::Newest, Reloads::Replace, None, |_| true)
    }

    /// The rows that `load` gives for a query, the newest first. Loaded again for the same query, they are
    /// brought up to date where they are: pages, scroll and focus stay. `most` as in [`Self::of`].
    ///
    /// At most [`LIMIT_MAX`] rows are loaded again. Those further down stay as they were known, until the
    /// feed tells of them or they are opened.
    pub(crate) fn following(
        query: Memo<Query>,
        most: Option<usize>,
        load: impl Fn(&Query) -> Load<Page<T>> + 'static,
    ) -> Self {
        let (asked, shown) = (StoredValue::new(String::new()), StoredValue::new(0usize));
        let page = Fetched::new(move || {
            let query = query.get();
            let text = query.text();
            let limit =
                if asked.with_value(|asked| *asked == text) { as_many_as(shown.get_value()) } else { None };
            asked.set_value(text);
            match limit {
                Some(limit) => load(&query.with("limit", Some(&limit))),
                None => load(&query),
            }
        });
        let list = Self::of(page, Sorting::Newest, Reloads::Refresh(asked), most, |_| true);
        effect(move || shown.set_value(list.core.len()));
        list
    }

    /// The rows that `page` loads; `most`: as many as the server keeps, where it keeps only the newest;
    /// `keeps`: which of them are shown, reactive.
    pub(crate) fn of(
        page: Fetched<Page<T>>,
        sorting: Sorting,
        reloads: Reloads,
        most: Option<usize>,
        keeps: impl Fn(&T) -> bool + 'static,
    ) -> Self {
        let core = Core::new(sorting, most, UnsyncCallback::new(move |()| page.reload()));
        let list = Self { page, core };
        let (seen, shown_for) = (StoredValue::new(None::<u32>), StoredValue::new(None::<String>));
        effect(move || {
            page.value.with(|value| {
                let Some(value) = value else { return };
                let kept = kept_of(value, &keeps);
                let asked = if let Reloads::Refresh(asked) = reloads { asked.try_get_value() } else { None };
                if seen.get_value() == Some(page.arrivals()) {
                    list.change_page(&kept, sorting);
                } else if asked.is_some() && shown_for.get_value() == asked {
                    list.refresh(&kept);
                } else {
                    list.replace(&kept);
                }
                seen.set_value(Some(page.arrivals()));
                shown_for.set_value(asked);
            });
        });
        list
    }

    /// Takes in a row that is new or has changed, and fits what the list shows: it gets its place, or waits
    /// behind the bar.
    pub(crate) fn offer(self, row: &T) {
        let now = clock::now().0;
        self.core.change(|intake| intake.offer(row, now));
    }

    /// Takes in a row that has changed, and does not fit what the list shows: only one that is shown already
    /// is written, and it stays until the list is loaded again. Whether it is shown already, or waits behind
    /// the bar.
    pub(crate) fn update(self, row: &T) -> bool {
        self.core.change(|intake| intake.update(row)).unwrap_or_default()
    }

    /// The id of the first row that is shown; untracked.
    pub(crate) fn first_id(self) -> Option<Id> {
        self.core.with(|intake| intake.store.id_at(0).cloned()).flatten()
    }

    /// Takes a row away.
    pub(crate) fn remove(self, id: &str) {
        self.core.change(|intake| intake.store.remove(id));
    }

    /// The button that puts the next page below. `load` gives the page that starts at a cursor.
    ///
    /// A page that comes after the list was loaded anew is dropped: it joins an end that is not there any
    /// more. A failure is said in the corner, and the button stays.
    pub(crate) fn more(self, label: &'static str, load: impl Fn(&str) -> Load<Page<T>> + 'static) -> AnyView {
        let (toasts, busy, core) = (use_toasts(), RwSignal::new(false), self.core);
        let press = move || {
            if busy.get_untracked() {
                return;
            }
            let next = core.with_mut(Intake::start_extending).flatten();
            let Some(next) = next else { return };
            busy.set(true);
            let replaced = core.replaced.get_value();
            when(load(&next), move |answer| {
                busy.set(false);
                match answer {
                    Ok(page) if core.replaced.try_get_value() == Some(replaced) => {
                        core.change(|intake| intake.extend(&next, &page));
                    }
                    Ok(_) => {
                        core.change(Intake::give_up);
                    }
                    Err(failure) => {
                        core.change(Intake::give_up);
                        toasts.complain(failure.to_string());
                    }
                }
            });
        };
        let (has_more, searched_to) =
            (Memo::new(move |_| core.has_more.get()), Memo::new(move |_| core.searched_to.get()));
        more::shown(has_more, searched_to, label, busy, UnsyncCallback::new(move |()| press()))
    }

    /// Everything anew.
    fn replace(self, page: &Page<T>) {
        self.core.replaced.set_value(self.core.replaced.get_value().wrapping_add(1));
        self.core.change(|intake| intake.replace(page));
    }

    /// The newest part anew.
    fn refresh(self, page: &Page<T>) {
        let now = clock::now().0;
        self.core.change(|intake| intake.refresh(page, now));
    }

    /// The page that is shown was changed here, not loaded again.
    fn change_page(self, page: &Page<T>, sorting: Sorting) {
        match sorting {
            Sorting::AsGiven => self.replace(page),
            Sorting::Newest => page.items.iter().rev().for_each(|row| self.offer(row)),
        }
    }
}

/// The `limit` with which a list is loaded again, so that the rows that are shown come up to date with it: as
/// many as the API gives at once. `None` where its own default is enough.
pub(crate) fn as_many_as(shown: usize) -> Option<String> {
    let limit = shown.min(usize::try_from(LIMIT_MAX).unwrap_or(usize::MAX));
    (limit > usize::try_from(LIMIT_DEFAULT).unwrap_or_default()).then(|| limit.to_string())
}

/// A page without the rows that are not shown.
fn kept_of<'a, T: Row>(page: &'a Page<T>, keeps: &impl Fn(&T) -> bool) -> Cow<'a, Page<T>> {
    if page.items.iter().all(keeps) {
        return Cow::Borrowed(page);
    }
    let items = page.items.iter().filter(|row| keeps(row)).cloned().collect();
    Cow::Owned(Page { items, next: page.next.clone(), searched_to: page.searched_to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_again_is_as_long_as_what_is_shown() {
        assert_eq!(
            [0, 50, 51, 1_000].map(as_many_as),
            [None, None, Some(String::from("51")), Some(String::from("200"))]
        );
    }
}
