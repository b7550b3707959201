//! Lists that change while they are looked at: a signal for each row, only the rows near what is visible in
//! the document, and new rows that come too fast to be read behind a bar.
//!
//! [`List`] joins a list of the API with the live feed: pages come from a [`Fetched`], changes through
//! [`List::offer`]. What depends on the type of its rows is thin; the work is done by [`intake`] and
//! [`view`], which exist once.

pub(crate) mod gate;
pub(crate) mod intake;
pub(crate) mod news;
mod owners;
pub(crate) mod store;
pub(crate) mod view;
pub(crate) mod window;

use std::borrow::Cow;

use leptos::prelude::*;
use postern_core::api::page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
use postern_core::time::Timestamp;

use self::intake::Intake;
use self::store::{Counts, Id, MARKS, Row, Sorting};
use super::more;
use super::toast::use_toasts;
use crate::api::Load;
use crate::browser::clock;
use crate::fetched::{Fetched, effect, when};
use crate::routes::Query;

/// What a list is, whatever its rows are.
#[derive(Clone, Copy)]
pub(crate) struct Core {
    /// The rows, and the rules by which they come in.
    intake: StoredValue<Intake, LocalStorage>,
    /// Moves when rows come or go.
    order: RwSignal<u32>,
    /// See [`Row::marks`].
    counts: RwSignal<Counts>,
    /// New rows that wait to be shown.
    waiting: RwSignal<usize>,
    /// Whether there is a next page.
    has_more: RwSignal<bool>,
    /// How far back was searched, if the list ends here only because a search is bounded in time.
    searched_to: RwSignal<Option<Timestamp>>,
    /// Counts how often everything was replaced: a next page that was asked for before does not belong to what is there now.
    replaced: StoredValue<u32>,
    /// Whether the person wants nothing to move.
    is_still: StoredValue<bool>,
    /// Loads everything anew.
    reload: UnsyncCallback<()>,
}

impl Core {
    /// An empty list; `reload` loads it anew.
    fn new(sorting: Sorting, most: Option<usize>, reload: UnsyncCallback<()>) -> Self {
        Self {
            intake: StoredValue::new_local(Intake::new(sorting, most)),
            order: RwSignal::new(0),
            counts: RwSignal::new([0; MARKS]),
            waiting: RwSignal::new(0),
            has_more: RwSignal::new(false),
            searched_to: RwSignal::new(None),
            replaced: StoredValue::new(0),
            is_still: StoredValue::new(false),
            reload,
        }
    }

    /// How many rows are shown; reactive.
    pub(crate) fn len(self) -> usize {
        self.order.track();
        self.with(|intake| intake.store.len()).unwrap_or_default()
    }

    /// How many rows there are, below so many rows of headings, for the ear: `-1` means that nobody knows.
    /// Reactive.
    pub(crate) fn total(self, headings: usize) -> String {
        if self.has_more() { String::from("-1") } else { (self.len() + headings).to_string() }
    }

    /// How many shown rows have each mark; reactive.
    pub(crate) fn counts(self) -> Counts {
        self.counts.get()
    }

    /// Whether there is a next page; reactive.
    pub(crate) fn has_more(self) -> bool {
        self.has_more.get()
    }

    /// Whether nothing is shown; moves only when that changes.
    pub(crate) fn is_empty(self) -> Memo<bool> {
        Memo::new(move |_| self.len() == 0)
    }

    /// Shows nothing new by itself, or does again.
    pub(crate) fn keep_still(self, is_still: bool) {
        self.is_still.set_value(is_still);
    }

    /// Shows the rows that wait.
    pub(crate) fn show_waiting(self) {
        if self.change(|intake| intake.show().then_some(())) == Some(None) {
            self.reload.run(());
        }
    }

    /// What there is, untracked; `None` once the screen is gone.
    fn with<R>(self, look: impl FnOnce(&Intake) -> R) -> Option<R> {
        self.intake.try_with_value(look)
    }

    /// Changes what nothing on the page shows. `None` once the screen is gone.
    fn with_mut<R>(self, act: impl FnOnce(&mut Intake) -> R) -> Option<R> {
        self.intake.try_update_value(act)
    }

    /// Changes what there is, and tells the signals that it concerns. `None` once the screen is gone.
    fn change<R>(self, act: impl FnOnce(&mut Intake) -> R) -> Option<R> {
        let changed = self.intake.try_update_value(|intake| {
            let before = intake.store.revision();
            let result = act(intake);
            (result, before != intake.store.revision(), Shown::of(intake))
        });
        let (result, has_moved, shown) = changed?;
        self.settle(shown);
        if has_moved {
            self.order.update(|order| *order = order.wrapping_add(1));
        }
        Some(result)
    }

    /// Writes only the signals that differ: who reads the others has nothing to do.
    fn settle(self, shown: Shown) {
        let Shown { counts, waiting, has_more, searched_to } = shown;
        if self.counts.get_untracked() != counts {
            self.counts.set(counts);
        }
        if self.waiting.get_untracked() != waiting {
            self.waiting.set(waiting);
        }
        if self.has_more.get_untracked() != has_more {
            self.has_more.set(has_more);
        }
        if self.searched_to.get_untracked() != searched_to {
            self.searched_to.set(searched_to);
        }
    }
}

/// What the page says of a list beside its rows.
struct Shown {
    /// How many rows have each mark.
    counts: Counts,
    /// New rows that wait.
    waiting: usize,
    /// Whether there is a next page.
    has_more: bool,
    /// How far back was searched, if the list ends there for want of time.
    searched_to: Option<Timestamp>,
}

impl Shown {
    /// As it is now.
    fn of(intake: &Intake) -> Self {
        Self {
            counts: intake.store.counts(),
            waiting: intake.waiting(),
            has_more: intake.next.is_some(),
            searched_to: intake.searched_to,
        }
    }
}

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
    /// At most [`LIMIT_MAX`] rows are loaded again. Those further down stay as they were known, until the feed
    /// tells of them or they are opened.
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

    /// A row that is new or has changed. One that is not shown is inserted only if it `fits`.
    pub(crate) fn offer(self, row: &T, fits: bool) {
        let now = clock::now().0;
        self.core.change(|intake| intake.offer(row, fits, now));
    }

    /// Takes a row away.
    pub(crate) fn remove(self, id: &str) {
        self.core.change(|intake| intake.store.remove(id));
    }

    /// The button that puts the next page below. `load` gives the page that starts at a cursor.
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

    /// Shows rows by their id, with the signal of each.
    fn shower(self, row: impl Fn(RwSignal<T>, Signal<String>) -> AnyView + 'static) -> view::Shower {
        StoredValue::new_local(Box::new(move |id: &Id, place| {
            let signal = self.core.with(|intake| intake.store.signal::<T>(id)).flatten()?;
            Some(row(RwSignal::from(signal), place))
        }))
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
            Sorting::Newest => page.items.iter().rev().for_each(|row| self.offer(row, true)),
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
