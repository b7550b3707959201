//! What a list does with what is loaded and with what the live feed tells: inserts, collects, or leaves
//! alone. Plain Rust.
//!
//! The list is always one whole stretch: every row that fits between its top and its end is shown or waits
//! behind the bar. So a page is put below only if it starts where the list ends, a row below the end is left
//! for its page, and what is cut off at the end moves the end up.

use postern_core::api::page::Page;
use postern_core::time::Timestamp;

use super::gate::Gate;
use super::store::{Offered, Row, Sorting, Store};

/// Rows up to which the feed lengthens a list. Pages that a person asks for lengthen it further.
const LIVE_MAX: usize = 10_000;
/// Rows that are collected at most: beyond, the list is loaded anew when they are asked for.
const HELD_MAX: usize = 2_000;

/// What happens to a row that is newer than all that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is shown at once.
    Inserted,
    /// It waits behind the bar until somebody asks for it.
    Collected,
}

/// The rows of a list, and what comes in.
///
/// It knows neither signals of the page nor the clock: times are arguments, in milliseconds.
pub(crate) struct Intake {
    /// The rows.
    pub(crate) store: Store,
    /// Where the next page starts, if there is one.
    pub(crate) next: Option<String>,
    /// How far back was searched, if the list ends here only because a search is bounded in time.
    pub(crate) searched_to: Option<Timestamp>,
    /// Whether the next page is being loaded: the end that it starts from must not move meanwhile.
    is_extending: bool,
    /// Says whether rows come slowly enough to be inserted.
    gate: Gate,
    /// New rows that were counted and are not kept.
    beyond: usize,
    /// Whether they were asked for: the next page that is loaded is all there is.
    wants_anew: bool,
    /// As many rows as there were when a page was put in last: what a person asked for is not cut off again.
    paged: usize,
    /// As many as the server keeps, where it keeps only the newest.
    most: Option<usize>,
}

impl Intake {
    /// An empty list. `most`: as many rows as the server keeps, where it keeps only the newest.
    pub(crate) fn new(sorting: Sorting, most: Option<usize>) -> Self {
        Self {
            store: Store::new(sorting),
            next: None,
            searched_to: None,
            is_extending: false,
            gate: Gate::default(),
            beyond: 0,
            wants_anew: false,
            paged: 0,
            most,
        }
    }

    /// New rows that wait to be shown.
    pub(crate) fn waiting(&self) -> usize {
        self.store.held() + self.beyond
    }

    /// Whether rows come slowly enough to be read.
    pub(crate) const fn is_calm(&self, now: i64) -> bool {
        self.gate.is_open(now)
    }

    /// Puts a page in the place of everything.
    pub(crate) fn replace<T: Row>(&mut self, page: &Page<T>) {
        self.store.replace(&page.items);
        self.end_as(page);
        (self.beyond, self.wants_anew) = (0, false);
    }

    /// The cursor of the next page, which the caller is about to load; [`Self::extend`] or [`Self::give_up`]
    /// follows. Until then nothing is cut off, because the page would not join what is left. `None` at the
    /// end of the list.
    pub(crate) fn start_extending(&mut self) -> Option<String> {
        self.is_extending = self.next.is_some();
        self.next.clone()
    }

    /// Puts the page that starts at the cursor `from` below. `false`: the list ends elsewhere by now, and the
    /// page would leave a hole that nobody sees, so it is not taken.
    pub(crate) fn extend<T: Row>(&mut self, from: &str, page: &Page<T>) -> bool {
        self.is_extending = false;
        if self.next.as_deref() != Some(from) {
            return false;
        }
        self.store.extend(&page.items);
        self.end_as(page);
        true
    }

    /// The next page could not be loaded.
    pub(crate) fn give_up(&mut self) {
        self.is_extending = false;
        self.cut();
    }

    /// The list ends where `page` does.
    fn end_as<T>(&mut self, page: &Page<T>) {
        self.next.clone_from(&page.next);
        self.searched_to = page.searched_to;
        self.paged = self.store.len();
    }

    /// Takes in the first page of a list that was loaded before and has changed: what was loaded below it
    /// stays. Where more came meanwhile than a page holds, they wait to be asked for.
    ///
    /// A page that reaches down to what is shown joins it. One that does not leaves a gap of unknown size, so
    /// nothing of it is shown beside the rows that are there: either it takes their place, while rows come
    /// slowly, or the bar offers it.
    pub(crate) fn refresh<T: Row>(&mut self, page: &Page<T>, now: i64) {
        if self.store.sorting() == Sorting::AsGiven {
            return self.refresh_as_given(page);
        }
        if self.wants_anew {
            return self.replace(page);
        }
        let newest = self.store.id_at(0).cloned();
        let (Some(oldest), Some(newest), true) =
            (page.items.last().map(Row::id), newest, page.next.is_some())
        else {
            return self.replace(page);
        };
        if oldest > &*newest && self.beyond == 0 && self.gate.arrive(page.items.len(), now) {
            return self.replace(page);
        }
        if oldest > &*newest {
            // As many as are known of; the list is loaded again when somebody asks for them.
            self.beyond = page.items.len().max(self.beyond);
            return;
        }
        self.store.keep_only(&page.items, oldest);
        let new = page.items.iter().filter(|row| !self.store.has(row.id())).count();
        let fate = if new == 0 { Fate::Inserted } else { self.fate_of(new, now) };
        for row in page.items.iter().rev() {
            self.take(row, fate);
        }
    }

    /// Rows that have no order of their own are written where they are, if the page has only such; otherwise
    /// it is all that is true.
    fn refresh_as_given<T: Row>(&mut self, page: &Page<T>) {
        if page.next.is_none() || page.items.iter().any(|row| !self.store.has(row.id())) {
            return self.replace(page);
        }
        for row in &page.items {
            self.store.offer(row);
        }
    }

    /// Takes in a row that is new or has changed, and fits what the list shows. Whether rows came or went.
    pub(crate) fn offer<T: Row>(&mut self, row: &T, now: i64) -> bool {
        match self.store.offer(row) {
            Offered::Known => false,
            Offered::Top => {
                let fate = self.fate_of(1, now);
                self.take(row, fate)
            }
            Offered::Within => self.take(row, Fate::Inserted),
        }
    }

    /// Takes in a row that has changed, and does not fit what the list shows: it is written where it is shown
    /// already, and nowhere else. Whether the list has it.
    pub(crate) fn update<T: Row>(&mut self, row: &T) -> bool {
        self.store.offer(row) == Offered::Known
    }

    /// Whether all that waits is kept, so that showing it loads nothing.
    pub(crate) const fn is_kept_whole(&self) -> bool {
        self.beyond == 0
    }

    /// Shows what waits; `false`: not all of it is kept, and the list is to be loaded anew.
    pub(crate) fn show(&mut self) -> bool {
        if self.beyond > 0 {
            (self.beyond, self.wants_anew) = (0, true);
            return false;
        }
        self.store.show_held();
        self.cut();
        true
    }

    /// What happens to so many new rows at the top. While some wait, others wait with them.
    fn fate_of(&mut self, number: usize, now: i64) -> Fate {
        if self.gate.arrive(number, now) && self.waiting() == 0 { Fate::Inserted } else { Fate::Collected }
    }

    /// Puts a row in its place, or collects it, or leaves it alone. `at_top` is what happens to it if it
    /// belongs above all that are shown. Whether rows came or went.
    fn take<T: Row>(&mut self, row: &T, at_top: Fate) -> bool {
        match self.store.offer(row) {
            Offered::Known => return false,
            Offered::Top if at_top == Fate::Collected => {
                if self.store.held() < HELD_MAX {
                    self.store.hold(row);
                } else {
                    self.beyond += 1;
                }
                return false;
            }
            Offered::Within if self.is_not_loaded(row.id()) => return false,
            Offered::Top | Offered::Within => self.store.insert(row),
        }
        self.cut();
        true
    }

    /// Whether a row is on a page that was not loaded yet: below all that are shown, and below where the
    /// search ended.
    ///
    /// Its place would be right today, but the page that it is on would bring its neighbours later, above and
    /// below it: until then the list would have a hole.
    fn is_not_loaded(&self, id: &str) -> bool {
        let is_past = |end: &String| cursor_of(id) < end.as_str();
        self.next.as_ref().is_some_and(is_past) && self.store.is_below(id)
    }

    /// Keeps the list from growing without end. What is cut off can be loaded again.
    ///
    /// A list that the server keeps short (`most`) has no next page: what is cut off is gone there too.
    fn cut(&mut self) {
        if self.is_extending {
            return;
        }
        let most = self.most.unwrap_or_else(|| LIVE_MAX.max(self.paged));
        if let Some(last) = self.store.cut(most) {
            self.next = self.most.is_none().then(|| String::from(cursor_of(&last)));
            self.searched_to = None;
        }
    }
}

/// The cursor of the page below a row: its id without the kind (`dlv_…`).
fn cursor_of(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, cursor)| cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Call(String);

    impl Row for Call {
        fn id(&self) -> &str {
            &self.0
        }
    }

    fn call(number: usize) -> Call {
        Call(format!("dlv_{number:07}"))
    }

    fn page(numbers: impl IntoIterator<Item = usize>, next: Option<&str>) -> Page<Call> {
        Page::new(numbers.into_iter().map(call).collect(), next.map(String::from))
    }

    fn filled(numbers: impl IntoIterator<Item = usize>, next: Option<&str>) -> Intake {
        let mut intake = Intake::new(Sorting::Newest, None);
        intake.replace(&page(numbers, next));
        intake
    }

    /// One row every `every` milliseconds.
    fn offer_all(intake: &mut Intake, numbers: std::ops::Range<usize>, every: i64) {
        for number in numbers {
            intake.offer(&call(number), i64::try_from(number).unwrap_or_default() * every);
        }
    }

    fn first(intake: &Intake) -> Option<&str> {
        intake.store.id_at(0).map(|id| &**id)
    }

    #[test]
    fn slow_rows_are_inserted_and_fast_ones_wait_until_they_are_asked_for() {
        let mut intake = filled([1], None);
        // 10 a second, then 100.
        assert!((2..12).all(|at: i32| intake.offer(&call(at.unsigned_abs() as usize), i64::from(at) * 100)));
        let inserted = (0..500)
            .filter(|at| intake.offer(&call(100 + at), 2_000 + i64::try_from(*at).unwrap_or_default() * 10))
            .count();
        assert!(inserted <= 21, "{inserted}");
        assert_eq!((intake.waiting(), intake.store.len()), (500 - inserted, 11 + inserted));
        assert!(!intake.is_calm(7_000) && intake.is_calm(9_100));
        assert!(intake.show());
        assert_eq!((intake.waiting(), intake.store.len(), first(&intake)), (0, 511, Some("dlv_0000599")));
    }

    #[test]
    fn what_waits_or_is_shown_is_kept_up_to_date_and_counted_once() {
        let mut intake = filled([1], None);
        for _ in 0..3 {
            offer_all(&mut intake, 10..60, 0);
        }
        assert_eq!(intake.store.len() + intake.waiting(), 51);
    }

    #[test]
    fn only_so_many_are_kept_and_then_the_list_is_loaded_anew() {
        let mut intake = filled([1], None);
        offer_all(&mut intake, 2..HELD_MAX + 501, 0);
        assert_eq!((intake.store.held(), intake.waiting() + intake.store.len()), (HELD_MAX, HELD_MAX + 500));
        assert!(!intake.show());
        intake.replace(&page([9_000, 8_999], None));
        assert_eq!((intake.waiting(), intake.store.len()), (0, 2));
    }

    #[test]
    fn what_fits_no_filter_and_what_is_on_a_later_page_is_left_alone() {
        let mut intake = filled([8, 6, 4], Some("c"));
        intake.update(&call(9));
        assert!(!intake.offer(&call(3), 0));
        assert!(intake.offer(&call(5), 0));
        assert_eq!(intake.store.len(), 4);
        let mut whole = filled([8, 6, 4], None);
        assert!(whole.offer(&call(3), 0));
        assert_eq!(whole.store.position("dlv_0000003"), Some(3));
    }

    #[test]
    fn the_feed_lengthens_a_list_up_to_a_limit_and_the_rest_can_be_loaded_again() {
        let mut intake = filled([1, 0], None);
        offer_all(&mut intake, 2..LIVE_MAX + 100, 100);
        assert_eq!((intake.store.len(), intake.next.as_deref()), (LIVE_MAX, Some("0000100")));
        // As many as a person asked for.
        assert!(intake.extend("0000100", &page((0..100).rev(), None)));
        let paged = (0..30_000).map(|at| call(2_000_000 - at)).collect();
        intake.replace(&Page::new(paged, None));
        assert!(intake.offer(&call(3_000_000), 9_000_000));
        assert_eq!(intake.store.len(), 30_000);
    }

    #[test]
    fn a_page_that_does_not_join_the_end_of_the_list_is_not_taken() {
        let mut intake = filled([9, 8], Some("0000008"));
        let next = intake.start_extending();
        assert_eq!(next.as_deref(), Some("0000008"));
        // So many came meanwhile that only the newest are true.
        intake.refresh(&page([20, 19], Some("0000019")), 60_000);
        assert!(!intake.extend("0000008", &page([7, 6], None)), "10 to 18 would be missing without a word");
        assert_eq!((intake.store.len(), intake.next.as_deref()), (2, Some("0000019")));
    }

    #[test]
    fn nothing_is_cut_off_while_the_page_below_it_is_loaded() {
        let mut intake = filled((100..LIVE_MAX + 100).rev(), Some("0000100"));
        assert_eq!(intake.start_extending().as_deref(), Some("0000100"));
        offer_all(&mut intake, LIVE_MAX + 100..LIVE_MAX + 120, 1_000);
        assert!(intake.extend("0000100", &page((50..100).rev(), Some("0000050"))));
        let last = intake.store.id_at(intake.store.len() - 1).cloned();
        assert_eq!((intake.store.len(), last.as_deref()), (LIVE_MAX + 70, Some("dlv_0000050")));
        // One more in, one more out: the end moves, and the next page starts there.
        offer_all(&mut intake, LIVE_MAX + 120..LIVE_MAX + 121, 1_000);
        assert_eq!((intake.store.len(), intake.next.as_deref()), (LIVE_MAX + 70, Some("0000051")));
    }

    #[test]
    fn a_page_that_could_not_be_loaded_lets_the_list_be_cut_again() {
        let mut intake = filled((0..LIVE_MAX).rev(), Some("0000000"));
        assert!(intake.start_extending().is_some());
        offer_all(&mut intake, LIVE_MAX..LIVE_MAX + 10, 1_000);
        assert_eq!(intake.store.len(), LIVE_MAX + 10);
        intake.give_up();
        assert_eq!((intake.store.len(), intake.next.as_deref()), (LIVE_MAX, Some("0000010")));
    }

    #[test]
    fn how_far_was_searched_is_said_of_the_end_that_is_shown() {
        let searched = |numbers: &[usize], next, at| Page {
            searched_to: Some(Timestamp(at)),
            ..page(numbers.iter().copied(), Some(next))
        };
        let mut intake = filled([9, 8], Some("0000008"));
        assert!(intake.extend("0000008", &searched(&[7], "0000004", 5)));
        assert_eq!(intake.searched_to, Some(Timestamp(5)));
        // A fresh first page has nothing to say of the end.
        intake.refresh(&page([10, 9], Some("0000009")), 0);
        assert_eq!((intake.searched_to, intake.next.as_deref()), (Some(Timestamp(5)), Some("0000004")));
        // What was searched and did not fit then may fit now.
        assert!(intake.offer(&call(5), 0) && !intake.offer(&call(3), 0));
        let mut long = Intake::new(Sorting::Newest, None);
        long.replace(&searched(&[1], "0000000", 5));
        offer_all(&mut long, 2..LIVE_MAX + 3, 1_000);
        assert_eq!((long.searched_to, long.next.as_deref()), (None, Some("0000003")));
    }

    #[test]
    fn an_inbox_keeps_what_the_server_keeps() {
        let mut intake = Intake::new(Sorting::Newest, Some(3));
        intake.replace(&page([3, 2, 1], Some("c")));
        assert!(intake.offer(&call(4), 0));
        assert_eq!((intake.store.len(), intake.next.as_deref()), (3, None));
    }

    #[test]
    fn a_fresh_first_page_keeps_what_was_loaded_below_it() {
        let mut intake = filled([9, 8, 7], Some("7"));
        assert!(intake.extend("7", &page([6, 5], Some("5"))));
        intake.refresh(&page([11, 10, 9], Some("9")), 5_000);
        assert_eq!(
            (intake.store.len(), intake.next.as_deref(), first(&intake)),
            (7, Some("5"), Some("dlv_0000011"))
        );
        // A gap of unknown length: only what was loaded is true.
        intake.refresh(&page([20, 19, 18], Some("18")), 60_000);
        assert_eq!((intake.store.len(), intake.next.as_deref()), (3, Some("18")));
        // All there is.
        intake.refresh(&page([21], None), 120_000);
        assert_eq!(intake.store.len(), 1);
    }

    #[test]
    fn a_list_in_the_order_of_the_server_keeps_its_pages_while_no_row_is_new() {
        let mut intake = Intake::new(Sorting::AsGiven, None);
        intake.replace(&page([2, 9], Some("9")));
        assert!(intake.extend("9", &page([4, 1], None)));
        intake.refresh(&page([2, 9], Some("9")), 0);
        assert_eq!((intake.store.len(), intake.next.as_deref()), (4, None));
        intake.refresh(&page([2, 3], Some("3")), 0);
        assert_eq!((intake.store.len(), intake.next.as_deref()), (2, Some("3")));
    }

    #[test]
    fn a_flood_of_first_pages_waits_to_be_asked_for() {
        let mut intake = filled([9, 8, 7], Some("7"));
        intake.refresh(&page((10..60).rev(), Some("10")), 500);
        assert_eq!((intake.store.len(), intake.waiting()), (3, 50));
        intake.refresh(&page((70..120).rev(), Some("70")), 2_000);
        assert_eq!((intake.store.len(), intake.waiting()), (3, 50));
        assert!(!intake.show());
        intake.refresh(&page((80..130).rev(), Some("80")), 2_100);
        assert_eq!((intake.store.len(), intake.waiting(), first(&intake)), (50, 0, Some("dlv_0000129")));
    }
}
