//! The rows of a list: which there are, in which order, and a signal for each. Plain Rust, without a browser.
//!
//! A change of one row writes one signal and is found by its id, so that it costs the same in a list of ten
//! rows and of 100,000. Rows that are collected ([`Store::hold`]) have their signal already, but no place
//! yet.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use leptos::prelude::{ArcRwSignal, Set, WithUntracked};

/// What names a row in its list.
pub(crate) type Id = Arc<str>;

/// Kinds of rows that a list counts; see [`Row::marks`].
pub(crate) const MARKS: usize = 4;

/// How many shown rows have each mark.
pub(crate) type Counts = [u32; MARKS];

/// Something that a list shows a row of.
pub(crate) trait Row: Clone + PartialEq + Send + Sync + 'static {
    /// What names it. Where a list is sorted, greater ids are newer.
    fn id(&self) -> &str;

    /// Whether it may take the place of `known`, which has the same id: a message may be overtaken by a list
    /// that was loaded after it was sent.
    fn follows(&self, known: &Self) -> bool {
        let _ = known;
        true
    }

    /// What the heading counts of it: a bit for each kind.
    fn marks(&self) -> u8 {
        0
    }
}

/// How the rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorting {
    /// The newest first: by id, downwards.
    Newest,
    /// As the server gave them.
    AsGiven,
}

/// What became of a row that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// The list has it, and it was written if it differs.
    Known,
    /// It is new and belongs above all that are shown.
    Top,
    /// It is new and belongs between those that are shown, or below them.
    Within,
}

/// A row: its signal, and its marks as they are counted.
struct Slot {
    /// An `ArcRwSignal<T>`. Its type is erased, so that the store exists once for all kinds of rows.
    signal: Box<dyn Any + Send + Sync>,
    /// What is counted of it, as of the row that was written last.
    marks: u8,
    /// Whether it has a place; one that is collected has none yet.
    is_shown: bool,
}

/// The rows of a list.
pub(crate) struct Store {
    /// How they are ordered.
    sorting: Sorting,
    /// The rows that are shown. Each is in `slots`, and none is here twice.
    order: VecDeque<Id>,
    /// The rows that are collected, in the order in which they came.
    held: Vec<Id>,
    /// Every row, shown or collected.
    slots: HashMap<Id, Slot>,
    /// How many shown rows have each mark.
    counts: Counts,
    /// See [`Self::revision`].
    revision: u32,
}

impl Store {
    /// An empty list.
    pub(crate) fn new(sorting: Sorting) -> Self {
        Self {
            sorting,
            order: VecDeque::new(),
            held: Vec::new(),
            slots: HashMap::new(),
            counts: [0; MARKS],
            revision: 0,
        }
    }

    /// How the rows are ordered.
    pub(crate) const fn sorting(&self) -> Sorting {
        self.sorting
    }

    /// How many rows are shown.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many rows are collected.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// How many shown rows have each mark.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Another number once rows were shown or taken away.
    pub(crate) const fn revision(&self) -> u32 {
        self.revision
    }

    /// The shown row at `at`.
    pub(crate) fn id_at(&self, at: usize) -> Option<&Id> {
        self.order.get(at)
    }

    /// Where a row is shown.
    ///
    /// In a sorted list it is found in steps that grow with the logarithm of its length; otherwise all rows
    /// are looked at, which such lists are short enough for.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        match self.sorting {
            Sorting::Newest => self.place(id).ok(),
            Sorting::AsGiven => self.order.iter().position(|known| compare(known, id).is_eq()),
        }
    }

    /// Whether there is such a row, shown or collected.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.slots.contains_key(id)
    }

    /// The signal of a row.
    pub(crate) fn signal<T: Row>(&self, id: &str) -> Option<ArcRwSignal<T>> {
        signal_of(self.slots.get(id)?).cloned()
    }

    /// Writes `row` into its signal if the list has it; otherwise says where it would belong.
    pub(crate) fn offer<T: Row>(&mut self, row: &T) -> Offered {
        let Some(slot) = self.slots.get_mut(row.id()) else {
            return self.belongs(row.id());
        };
        if let Some(signal) = signal_of::<T>(slot)
            .filter(|signal| signal.with_untracked(|known| known != row && row.follows(known)))
        {
            signal.set(row.clone());
            let marks = row.marks();
            if slot.is_shown {
                count(&mut self.counts, slot.marks, marks);
            }
            slot.marks = marks;
        }
        Offered::Known
    }

    /// Shows a row that the list does not have yet, in its place.
    pub(crate) fn insert<T: Row>(&mut self, row: &T) {
        if let Some(id) = self.add(row) {
            self.show(id);
        }
    }

    /// Collects a row that the list does not have yet.
    pub(crate) fn hold<T: Row>(&mut self, row: &T) {
        if let Some(id) = self.add(row) {
            self.held.push(id);
        }
    }

    /// Shows what was collected; whether there was anything.
    pub(crate) fn show_held(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let any = !held.is_empty();
        for id in held {
            self.show(id);
        }
        any
    }

    /// Puts `rows` in the place of all that there are. Rows that stay keep their signal, which is written
    /// only if they differ.
    pub(crate) fn replace<T: Row>(&mut self, rows: &[T]) {
        let mut before = std::mem::take(&mut self.slots);
        self.forget_order();
        for row in rows {
            if self.slots.contains_key(row.id()) {
                continue;
            }
            match before.remove_entry(row.id()) {
                Some((id, mut slot)) => {
                    // As it was loaded, not if it follows: what was loaded is right.
                    overwrite(&mut slot, row);
                    self.append(id, slot);
                }
                None => self.append(Id::from(row.id()), new_slot(row)),
            }
        }
        self.sort();
    }

    /// Puts the rows of the next page behind those that there are.
    pub(crate) fn extend<T: Row>(&mut self, rows: &[T]) {
        for row in rows {
            if self.offer(row) != Offered::Known {
                self.insert(row);
            }
        }
    }

    /// Takes shown rows down to the id `until` away that are not among `rows`, which were loaded just now.
    ///
    /// For rows that were deleted while nobody listened, such as after a gap of the feed.
    pub(crate) fn keep_only<T: Row>(&mut self, rows: &[T], until: &str) {
        let is_loaded = |id: &Id| rows.iter().any(|row| row.id() == &**id);
        let gone: Vec<Id> =
            self.order.iter().take_while(|id| &***id >= until).filter(|id| !is_loaded(id)).cloned().collect();
        for id in gone {
            self.remove(&id);
        }
    }

    /// Takes a row away; whether it was shown.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let at = self.position(id);
        let Some(slot) = self.slots.remove(id) else { return false };
        if slot.is_shown {
            count(&mut self.counts, slot.marks, 0);
        } else {
            self.held.retain(|held| **held != *id);
        }
        self.revision = self.revision.wrapping_add(1);
        at.and_then(|at| self.order.remove(at)).is_some()
    }

    /// Takes the lowest rows away until `most` are shown; the last one that stays, if any was taken.
    ///
    /// What waits is not touched: it is above all that is shown.
    pub(crate) fn cut(&mut self, most: usize) -> Option<Id> {
        let mut is_cut = false;
        while self.order.len() > most {
            if let Some(id) = self.order.pop_back()
                && let Some(slot) = self.slots.remove(&id)
            {
                count(&mut self.counts, slot.marks, 0);
                is_cut = true;
            }
        }
        self.revision = self.revision.wrapping_add(u32::from(is_cut));
        self.order.back().filter(|_| is_cut).cloned()
    }

    /// Where a row that the list does not have would be.
    fn belongs(&self, id: &str) -> Offered {
        match self.order.front() {
            Some(first) if **first > *id && self.sorting == Sorting::Newest => Offered::Within,
            _ => Offered::Top,
        }
    }

    /// Whether a row would be below all that are shown.
    pub(crate) fn is_below(&self, id: &str) -> bool {
        self.sorting == Sorting::Newest && self.order.back().is_some_and(|last| **last > *id)
    }

    /// Makes the signal of a row, unless there is one: no id is ever in the list twice.
    fn add<T: Row>(&mut self, row: &T) -> Option<Id> {
        if self.slots.contains_key(row.id()) {
            return None;
        }
        let id = Id::from(row.id());
        self.slots.insert(Id::clone(&id), new_slot(row));
        Some(id)
    }

    /// Puts a row below all that are shown.
    fn append(&mut self, id: Id, slot: Slot) {
        count(&mut self.counts, 0, slot.marks);
        self.order.push_back(Id::clone(&id));
        self.slots.insert(id, Slot { is_shown: true, ..slot });
    }

    /// Gives a row its place.
    fn show(&mut self, id: Id) {
        let at = match self.sorting {
            Sorting::Newest => self.place(&id).unwrap_or_else(|at| at),
            Sorting::AsGiven => self.order.len(),
        };
        self.count_shown(&id);
        self.revision = self.revision.wrapping_add(1);
        // A ring: at the ends at once, elsewhere the shorter side moves.
        self.order.insert(at, id);
    }

    /// Counts a row from now on.
    fn count_shown(&mut self, id: &str) {
        if let Some(slot) = self.slots.get_mut(id).filter(|slot| !slot.is_shown) {
            slot.is_shown = true;
            count(&mut self.counts, 0, slot.marks);
        }
    }

    /// Forgets which rows are shown and collected, not the rows.
    fn forget_order(&mut self) {
        self.order.clear();
        self.held.clear();
        self.counts = [0; MARKS];
        self.revision = self.revision.wrapping_add(1);
    }

    /// Rows that were loaded are in order already, which costs little to make sure of.
    fn sort(&mut self) {
        if self.sorting == Sorting::Newest {
            self.order.make_contiguous().sort_by(|a, b| b.cmp(a));
        }
    }

    /// Where a row is (`Ok`) or would be (`Err`) in a sorted list.
    fn place(&self, id: &str) -> Result<usize, usize> {
        self.order.binary_search_by(|known| compare(known, id).reverse())
    }
}

/// Compares the id of a row that is looked at with one that is looked for.
fn compare(known: &Id, id: &str) -> Ordering {
    #[cfg(test)]
    tests::LOOKS.with(|looks| looks.set(looks.get() + 1));
    (**known).cmp(id)
}

/// A row with its signal, without a place.
fn new_slot<T: Row>(row: &T) -> Slot {
    Slot { signal: Box::new(ArcRwSignal::new(row.clone())), marks: row.marks(), is_shown: false }
}

/// Writes a row whatever its version is.
///
/// Counts are the caller's: the row has no place at this moment.
fn overwrite<T: Row>(slot: &mut Slot, row: &T) {
    if let Some(signal) = signal_of::<T>(slot).filter(|signal| signal.with_untracked(|known| known != row)) {
        signal.set(row.clone());
    }
    slot.marks = row.marks();
}

/// The signal of a row; `None` where it is asked for as another type than it was made as.
fn signal_of<T: Row>(slot: &Slot) -> Option<&ArcRwSignal<T>> {
    slot.signal.downcast_ref()
}

/// Counts a row that had the marks `was` and has `is`.
fn count(counts: &mut Counts, was: u8, is: u8) {
    for (bit, count) in counts.iter_mut().enumerate() {
        let has = |marks: u8| u32::from(marks >> bit & 1);
        *count = (*count + has(is)).saturating_sub(has(was));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use leptos::prelude::GetUntracked;

    use super::*;

    thread_local! {
        /// Rows that were looked at to find one.
        pub(super) static LOOKS: Cell<u32> = const { Cell::new(0) };
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Call {
        id: String,
        version: u32,
        is_open: bool,
    }

    impl Row for Call {
        fn id(&self) -> &str {
            &self.id
        }

        fn follows(&self, known: &Self) -> bool {
            known.version <= self.version
        }

        fn marks(&self) -> u8 {
            u8::from(self.is_open)
        }
    }

    fn call(number: u32, version: u32) -> Call {
        Call { id: format!("c{number:06}"), version, is_open: version == 1 }
    }

    fn calls(numbers: impl IntoIterator<Item = u32>) -> Vec<Call> {
        numbers.into_iter().map(|number| call(number, 1)).collect()
    }

    fn filled(numbers: impl IntoIterator<Item = u32>) -> Store {
        let mut store = Store::new(Sorting::Newest);
        store.replace(&calls(numbers));
        store
    }

    fn ids(store: &Store) -> Vec<u32> {
        store.order.iter().map(|id| id[1..].parse().expect("a number")).collect()
    }

    fn version(store: &Store, number: u32) -> Option<u32> {
        store.signal::<Call>(&call(number, 0).id).map(|signal| signal.get_untracked().version)
    }

    /// What must hold whatever happened: no id twice, everything has a signal, every row is where it is
    /// looked for, counts are right.
    fn check(store: &Store) {
        let mut all: Vec<&Id> = store.order.iter().chain(&store.held).collect();
        assert_eq!(all.len(), store.slots.len());
        all.sort();
        all.dedup();
        assert_eq!(all.len(), store.slots.len(), "an id is there twice");
        assert!(all.iter().all(|id| store.slots.contains_key(&***id)));
        for (at, id) in store.order.iter().enumerate() {
            assert_eq!(store.position(id), Some(at));
        }
        let open = store
            .order
            .iter()
            .filter(|id| store.slots.get(&***id).is_some_and(|slot| slot.marks == 1))
            .count();
        assert_eq!(store.counts()[0] as usize, open);
    }

    #[test]
    fn a_known_row_is_written_in_its_place_and_never_goes_back_in_time() {
        let mut store = filled([3, 2, 1]);
        let signal = store.signal::<Call>("c000002").expect("a row");
        assert_eq!(store.offer(&call(2, 5)), Offered::Known);
        assert_eq!(store.offer(&call(2, 4)), Offered::Known);
        assert_eq!((signal.get_untracked().version, ids(&store)), (5, vec![3, 2, 1]));
        assert_eq!(store.counts(), [2, 0, 0, 0]);
        check(&store);
    }

    #[test]
    fn a_new_row_says_where_it_belongs_and_goes_there() {
        let mut store = filled([8, 6, 4]);
        assert_eq!(store.offer(&call(9, 1)), Offered::Top);
        assert_eq!(store.offer(&call(7, 1)), Offered::Within);
        assert!(store.is_below("c000003") && !store.is_below("c000005"));
        for number in [9, 7, 3, 7] {
            store.insert(&call(number, 1));
        }
        assert_eq!(ids(&store), [9, 8, 7, 6, 4, 3]);
        check(&store);
    }

    #[test]
    fn a_page_replaces_all_and_writes_only_what_differs() {
        let mut store = filled([5, 4, 3]);
        let (kept, changed) = (
            store.signal::<Call>("c000004").expect("a row"),
            store.signal::<Call>("c000003").expect("a row"),
        );
        store.hold(&call(7, 1));
        store.replace(&[call(6, 1), call(4, 1), call(3, 0), call(4, 1)]);
        assert_eq!((ids(&store), store.held()), (vec![6, 4, 3], 0));
        assert_eq!(
            (kept.get_untracked().version, changed.get_untracked().version),
            (1, 0),
            "what was loaded is right"
        );
        assert_eq!((version(&store, 5), version(&store, 7)), (None, None));
        check(&store);
    }

    #[test]
    fn what_is_held_has_no_place_until_it_is_shown_and_is_kept_up_to_date() {
        let mut store = filled([2, 1]);
        store.hold(&call(3, 1));
        store.hold(&call(4, 1));
        store.hold(&call(4, 9));
        assert_eq!((ids(&store), store.held(), store.offer(&call(3, 2))), (vec![2, 1], 2, Offered::Known));
        check(&store);
        assert!(store.show_held() && !store.show_held());
        assert_eq!((ids(&store), version(&store, 3)), (vec![4, 3, 2, 1], Some(2)));
        check(&store);
    }

    #[test]
    fn a_row_goes_from_wherever_it_is() {
        let mut store = filled([3, 2, 1]);
        store.hold(&call(4, 1));
        assert!(store.remove("c000002") && !store.remove("c000002") && !store.remove("c000004"));
        assert_eq!((ids(&store), store.held()), (vec![3, 1], 0));
        check(&store);
    }

    #[test]
    fn the_next_page_may_repeat_what_is_there() {
        let mut store = filled([9, 8]);
        store.extend(&calls([8, 7, 6]));
        assert_eq!(ids(&store), [9, 8, 7, 6]);
        check(&store);
    }

    #[test]
    fn what_a_fresh_page_no_longer_has_goes_and_what_is_below_stays() {
        let mut store = filled([9, 8, 7, 6, 5]);
        let page = calls([10, 9, 7]);
        store.keep_only(&page, "c000007");
        store.extend(&page);
        assert_eq!(ids(&store), [10, 9, 7, 6, 5]);
        check(&store);
    }

    #[test]
    fn a_list_that_is_too_long_is_cut_at_its_end() {
        let mut store = filled([5, 4, 3, 2]);
        assert_eq!(store.cut(4), None);
        assert_eq!(store.cut(2).as_deref(), Some("c000004"));
        assert_eq!(ids(&store), [5, 4]);
        check(&store);
    }

    #[test]
    fn as_given_is_the_order_of_the_server() {
        let mut store = Store::new(Sorting::AsGiven);
        store.replace(&calls([2, 9, 4]));
        store.extend(&calls([1, 5]));
        assert_eq!(ids(&store), [2, 9, 4, 1, 5]);
        store.replace(&calls([9, 2]));
        assert_eq!(ids(&store), [9, 2]);
        check(&store);
    }

    #[test]
    fn a_change_looks_at_few_rows_in_a_list_of_100_000() {
        let mut store = filled((0..100_000).rev());
        assert_eq!(store.len(), 100_000);
        LOOKS.set(0);
        for number in 0..10_000 {
            assert_eq!(store.offer(&call(number * 10, 2)), Offered::Known);
            assert_eq!(LOOKS.get(), 0, "a known row is found by its id");
            store.insert(&call(100_000 + number, 1));
            // The length has 17 binary digits.
            assert!(LOOKS.replace(0) <= 18, "row {number}");
        }
        assert_eq!(
            (store.len(), store.position("c109999"), store.position("c000000")),
            (110_000, Some(0), Some(109_999))
        );
        check(&store);
    }

    #[test]
    fn no_order_of_changes_breaks_it() {
        // A walk that is the same each time: a linear congruence.
        let mut seed = 7u32;
        let mut next = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        let mut store = filled([20, 10]);
        for _ in 0..3_000 {
            let number = next(60);
            match next(9) {
                0..=3 => match store.offer(&call(number, next(4))) {
                    Offered::Known => {}
                    Offered::Top if next(2) == 0 => store.hold(&call(number, 1)),
                    Offered::Top | Offered::Within => store.insert(&call(number, 1)),
                },
                4 => drop(store.remove(&call(number, 0).id)),
                5 => drop(store.show_held()),
                6 => drop(store.cut(30)),
                7 => store.extend(&calls([number + 3, number + 1, number])),
                _ => store.replace(&calls((0..next(20)).map(|step| 60 - step * 3))),
            }
            check(&store);
            let shown = ids(&store);
            assert!(shown.is_sorted_by(|a, b| a > b), "{shown:?}");
        }
    }
}
