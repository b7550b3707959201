//! What every list is apart from the type of its rows, and the signals that tell of it.

use leptos::prelude::*;
use postern_core::time::Timestamp;

use super::intake::Intake;
use super::store::{Counts, MARKS, Sorting};

/// What a list is, whatever its rows are.
///
/// `Copy`, like all handles of signals: closures of rows take it along for nothing. It lives as long as the
/// screen that made it, and after that answers `None`.
#[derive(Clone, Copy)]
pub(crate) struct Core {
    /// The rows, and the rules by which they come in.
    pub(super) intake: StoredValue<Intake, LocalStorage>,
    /// Moves when rows come or go.
    pub(super) order: RwSignal<u32>,
    /// See [`Row::marks`].
    pub(super) counts: RwSignal<Counts>,
    /// New rows that wait to be shown.
    pub(super) waiting: RwSignal<usize>,
    /// Whether there is a next page.
    pub(super) has_more: RwSignal<bool>,
    /// How far back was searched, if the list ends here only because a search is bounded in time.
    pub(super) searched_to: RwSignal<Option<Timestamp>>,
    /// Counts how often everything was replaced: a next page that was asked for before does not belong to
    /// what is there now.
    pub(super) replaced: StoredValue<u32>,
    /// Whether the person wants nothing to move.
    pub(super) is_still: StoredValue<bool>,
    /// Loads everything anew.
    pub(super) reload: UnsyncCallback<()>,
}

/// How many things a list shows, and whether these are all that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of them.
    Whole(usize),
    /// The first so many: there is a next page.
    Cut(usize),
}

impl Extent {
    /// How many are shown.
    pub(crate) const fn shown(self) -> usize {
        match self {
            Self::Whole(shown) | Self::Cut(shown) => shown,
        }
    }
}

impl Core {
    /// An empty list; `reload` loads it anew.
    pub(super) fn new(sorting: Sorting, most: Option<usize>, reload: UnsyncCallback<()>) -> Self {
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

    /// How many rows are shown, and whether these are all; reactive.
    pub(crate) fn extent(self) -> Extent {
        if self.has_more() { Extent::Cut(self.len()) } else { Extent::Whole(self.len()) }
    }

    /// What waits behind the bar is shown only when somebody asks for it from now on, however calm it is.
    pub(crate) fn stand_still(self) {
        self.is_still.set_value(true);
    }

    /// What waits is shown by itself again, after [`Self::stand_still`].
    pub(crate) fn move_again(self) {
        self.is_still.set_value(false);
    }

    /// Shows the rows that wait.
    pub(crate) fn show_waiting(self) {
        if self.change(|intake| intake.show().then_some(())) == Some(None) {
            self.reload.run(());
        }
    }

    /// What there is, untracked; `None` once the screen is gone.
    pub(super) fn with<R>(self, look: impl FnOnce(&Intake) -> R) -> Option<R> {
        self.intake.try_with_value(look)
    }

    /// Changes what nothing on the page shows. `None` once the screen is gone.
    pub(super) fn with_mut<R>(self, act: impl FnOnce(&mut Intake) -> R) -> Option<R> {
        self.intake.try_update_value(act)
    }

    /// Changes what there is, and tells the signals that it concerns. `None` once the screen is gone.
    ///
    /// The signals are written after the change, outside of the borrow: what they wake may ask the list
    /// again.
    pub(super) fn change<R>(self, act: impl FnOnce(&mut Intake) -> R) -> Option<R> {
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
    pub(super) counts: Counts,
    /// New rows that wait.
    pub(super) waiting: usize,
    /// Whether there is a next page.
    pub(super) has_more: bool,
    /// How far back was searched, if the list ends there for want of time.
    pub(super) searched_to: Option<Timestamp>,
}

impl Shown {
    /// As it is now.
    pub(super) fn of(intake: &Intake) -> Self {
        Self {
            counts: intake.store.counts(),
            waiting: intake.waiting(),
            has_more: intake.next.is_some(),
            searched_to: intake.searched_to,
        }
    }
}
