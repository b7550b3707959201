//! When the calls started that a webhook's rate limit counts.
//!
//! They are stored in the commit that claims them (table `rate_window`, one row a webhook with a limit), so
//! that an object that sleeps between two calls, as every quiet one does, knows as much when it wakes as
//! before, and a crash never forgets a call. A webhook without a limit has no row. What a window means for
//! the next call is decided by `gate`.

use std::collections::BTreeMap;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::RateLimit;

use crate::error::LedgerError;
use crate::row::rate_window::{Begun, read_begun};

/// A limit of so many calls at most is kept to the millisecond. Where there are more, their beginnings are
/// rounded up to this part of the window: a row stays below 3 KB, and a slot may come back late by a
/// hundredth of the window, but never early.
const INSTANTS_MAX: u32 = 100;

/// The calls of one webhook that count for its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Instants, oldest first and each once, with how many calls started then.
    begun: Vec<(Timestamp, u32)>,
}

impl Window {
    /// Calls of the window that ends at `now`. What started later counts: the clock went back.
    pub(crate) fn used(&self, rate: RateLimit, now: Timestamp) -> usize {
        self.counted(rate, now).map(|(_at, calls)| calls as usize).sum()
    }

    /// When so many of the oldest calls that count at `now` do not count any more; `None` where there are not
    /// so many.
    pub(crate) fn frees_at(&self, rate: RateLimit, now: Timestamp, calls: usize) -> Option<Timestamp> {
        let mut left = calls;
        for (at, begun) in self.counted(rate, now) {
            left = left.saturating_sub(begun as usize);
            if left == 0 {
                return Some(at.min(instant_of(rate, now)).plus_ms(length_ms(rate)));
            }
        }
        None
    }

    /// Whether it holds calls that started after `now`: the clock went back. They count as started now, or
    /// the window would never end. [`Window::with`] does that, and its result has to be stored, or the next
    /// start would count them from a later `now`.
    pub(crate) fn is_ahead(&self, rate: RateLimit, now: Timestamp) -> bool {
        self.begun.last().is_some_and(|(at, _calls)| *at > instant_of(rate, now))
    }

    /// The window once `calls` more have started at `now`, without what does not count any more.
    pub(crate) fn with(&self, rate: RateLimit, now: Timestamp, calls: u32) -> Self {
        let latest = instant_of(rate, now);
        let mut begun: Vec<(Timestamp, u32)> = Vec::with_capacity(self.begun.len() + 1);
        for (at, calls) in self.counted(rate, now).chain([(latest, calls)]).filter(|(_at, calls)| *calls > 0)
        {
            let at = at.min(latest);
            match begun.last_mut() {
                Some((last, sum)) if *last == at => *sum = sum.saturating_add(calls),
                _ => begun.push((at, calls)),
            }
        }
        Self { begun }
    }

    /// The window with calls that are expected, each at its time. In no order.
    pub(crate) fn with_expected(
        &self,
        rate: RateLimit,
        expected: impl Iterator<Item = (Timestamp, u32)>,
    ) -> Self {
        let mut begun = self.begun.clone();
        begun.extend(expected.map(|(at, calls)| (instant_of(rate, at), calls)));
        begun.sort_unstable();
        Self { begun }
    }

    fn counted(&self, rate: RateLimit, now: Timestamp) -> impl Iterator<Item = (Timestamp, u32)> {
        // Half open: a call exactly `per_s` ago is out of it.
        let from = now.plus_ms(-length_ms(rate));
        self.begun.iter().copied().filter(move |(at, _calls)| *at > from)
    }

    fn pairs(&self) -> Begun {
        self.begun.iter().map(|(at, calls)| (at.0, *calls)).collect()
    }

    /// Reads a `begun` column.
    pub(crate) fn parse(text: &str) -> Result<Self, LedgerError> {
        Ok(Self {
            begun: read_begun(text)?.into_iter().map(|(at_ms, calls)| (Timestamp(at_ms), calls)).collect(),
        })
    }
}

/// The rows of windows, as [`crate::row::rate_window::write_windows`] takes them.
pub(crate) fn rows_of(windows: &BTreeMap<Seq, Window>) -> Vec<(i64, Begun)> {
    windows.iter().map(|(webhook, window)| (webhook.0, window.pairs())).collect()
}

fn length_ms(rate: RateLimit) -> i64 {
    i64::from(rate.per_s) * 1_000
}

/// The instant for which a call counts that starts at `now`.
fn instant_of(rate: RateLimit, now: Timestamp) -> Timestamp {
    if rate.calls <= INSTANTS_MAX {
        return now;
    }
    let grain_ms = (length_ms(rate) / i64::from(INSTANTS_MAX)).max(1);
    Timestamp(now.0.saturating_add(grain_ms - 1).div_euclid(grain_ms).saturating_mul(grain_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::row::text::to_json;

    const RATE: RateLimit = RateLimit { calls: 3, per_s: 10 };

    const fn at(ms: i64) -> Timestamp {
        Timestamp(1_795_270_000_000 + ms)
    }

    fn reread(window: &Window) -> Window {
        Window::parse(&to_json(&window.pairs()).unwrap()).unwrap()
    }

    #[test]
    fn a_call_counts_until_it_is_as_old_as_the_window_is_long() {
        let window = Window::default().with(RATE, at(0), 1).with(RATE, at(4_000), 2);
        assert_eq!(
            (window.used(RATE, at(9_999)), window.used(RATE, at(10_000)), window.used(RATE, at(14_000))),
            (3, 2, 0)
        );
        assert_eq!(window.frees_at(RATE, at(5_000), 1), Some(at(10_000)));
        assert_eq!(window.frees_at(RATE, at(5_000), 2), Some(at(14_000)));
        assert_eq!(window.frees_at(RATE, at(5_000), 4), None);
        assert_eq!(
            window.with(RATE, at(10_000), 0).pairs(),
            [(at(4_000).0, 2)],
            "what does not count is not kept"
        );
    }

    #[test]
    fn what_lies_ahead_of_the_clock_began_now_at_the_latest() {
        let window = Window::default().with(RATE, at(1_000), 1).with(RATE, at(3_600_000), 2);
        assert!(window.is_ahead(RATE, at(0)) && !window.is_ahead(RATE, at(3_600_000)));
        assert_eq!((window.used(RATE, at(0)), window.frees_at(RATE, at(0), 1)), (2, Some(at(10_000))));
        let moved = window.with(RATE, at(0), 0);
        assert!(!moved.is_ahead(RATE, at(0)));
        assert_eq!((moved.used(RATE, at(9_999)), moved.used(RATE, at(10_000))), (2, 0));
    }

    #[test]
    fn an_hour_of_ten_thousand_calls_is_a_small_text() {
        let rate = RateLimit { calls: RateLimit::CALLS_MAX, per_s: RateLimit::PER_S_MAX };
        let window =
            (0..10_000).fold(Window::default(), |window, number| window.with(rate, at(number * 720), 2));
        assert!(
            (10_000..=10_100).contains(&window.used(rate, at(7_200_000))),
            "some count for a hundredth of the hour longer"
        );
        let text = to_json(&window.pairs()).unwrap();
        assert!(text.len() < 3_000, "{} bytes", text.len());
        assert_eq!(reread(&window), window);
    }

    #[test]
    fn a_text_that_is_none_is_said_to_be_damaged() {
        assert!(matches!(Window::parse("[[1]]"), Err(LedgerError::Corrupt { .. })));
    }

    proptest! {
        /// Whoever calls as soon as the window says, through its stored form each time, keeps the limit, and
        /// is never kept waiting for longer than the window and the hundredth by which it may be late.
        #[test]
        fn the_limit_is_kept_whatever_is_tried_when(
            calls in prop_oneof![1_u32..=4, 90_u32..=110, 9_000_u32..=10_000],
            per_s in prop_oneof![1_u32..=3, 50_u32..=70],
            tries in prop::collection::vec((0_i64..20_000, 1_u32..4_000), 1..60),
        ) {
            let rate = RateLimit { calls, per_s };
            let mut window = Window::default();
            let mut begun: Vec<(Timestamp, u32)> = Vec::new();
            let mut now = at(0);
            for (wait_ms, wanted) in tries {
                now = now.plus_ms(wait_ms);
                let free = calls - u32::try_from(window.used(rate, now)).unwrap();
                if free == 0 {
                    let frees_at = window.frees_at(rate, now, 1).unwrap();
                    prop_assert!(frees_at > now && frees_at.ms_since(now) <= length_ms(rate) * 101 / 100);
                    prop_assert!(window.used(rate, frees_at) < calls as usize);
                }
                let made = wanted.min(free);
                begun.push((now, made));
                window = reread(&window.with(rate, now, made));
                prop_assert!(window.begun.len() <= INSTANTS_MAX as usize + 1);
                let in_window: u32 = begun.iter().filter(|(at, _made)| now.ms_since(*at) < length_ms(rate)).map(|(_at, made)| made).sum();
                prop_assert!(in_window <= calls, "{in_window} calls of {calls}");
            }
        }
    }
}
