//! Whether new rows are inserted as they come, or collected because they come faster than anybody reads.
//! Plain Rust.

use std::collections::VecDeque;

/// New rows a second up to which they are inserted.
const RATE: usize = 20;
/// The time in which they are counted.
const SECOND_MS: i64 = 1_000;
/// How long it stays closed once they came faster, so that the list does not change its ways with each burst.
const CLOSED_MS: i64 = 2_000;
/// Rows that are told of together came one after the other, over at most this time.
const TOGETHER_MS: i64 = 2_000;

/// Counts how fast rows come. Times are milliseconds of the page's clock.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// When the latest rows came: one more than may come within a second.
    latest: VecDeque<i64>,
    closed_until: i64,
}

impl Gate {
    /// Notes that `number` rows came; whether they are to be inserted, otherwise they are to be collected.
    ///
    /// Rows that are told of together are spread over the time since the last ones, so that a tab which was
    /// told once a second is not taken for one in which they came at once.
    pub(crate) fn arrive(&mut self, number: usize, now: i64) -> bool {
        let since = self.latest.back().map_or(now, |last| (*last).max(now - TOGETHER_MS).min(now));
        for at in 1..=number {
            let part = |of: i64| {
                i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(of)
                    / i64::try_from(number.max(1)).unwrap_or(1)
            };
            self.note(since + part(now - since));
        }
        self.is_open(now)
    }

    /// Whether rows are to be inserted as they come.
    pub(crate) const fn is_open(&self, now: i64) -> bool {
        now >= self.closed_until
    }

    /// Notes one row.
    fn note(&mut self, at: i64) {
        self.latest.push_back(at);
        if self.latest.len() > RATE + 1 {
            self.latest.pop_front();
        }
        if self.latest.len() > RATE && self.latest.front().is_some_and(|first| at - first < SECOND_MS) {
            self.closed_until = at + CLOSED_MS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is open after each of `number` rows that came `every` milliseconds.
    fn open_after(gate: &mut Gate, start: i64, every: i64, number: i64) -> Vec<bool> {
        (0..number).map(|at| gate.arrive(1, start + at * every)).collect()
    }

    #[test]
    fn twenty_rows_a_second_are_inserted_and_more_are_collected() {
        assert!(open_after(&mut Gate::default(), 0, 50, 200).iter().all(|is_open| *is_open));
        let fast = open_after(&mut Gate::default(), 0, 20, 200);
        assert!(
            fast[..RATE].iter().all(|is_open| *is_open) && fast[RATE..].iter().all(|is_open| !is_open),
            "{fast:?}"
        );
    }

    #[test]
    fn it_opens_again_once_it_is_calm() {
        let mut gate = Gate::default();
        open_after(&mut gate, 0, 10, 100);
        assert!(!gate.is_open(991 + 1_900));
        assert!(gate.is_open(991 + 2_100));
        assert!(gate.arrive(1, 991 + 2_100));
    }

    #[test]
    fn rows_that_are_told_of_together_are_spread_over_the_time_since_the_last() {
        let mut gate = Gate::default();
        gate.arrive(1, 0);
        // 12 a second, told every 1.5 s; then 40.
        assert!((1..20).all(|at| gate.arrive(18, at * 1_500)), "{gate:?}");
        assert!((20..24).map(|at| gate.arrive(60, at * 1_500)).all(|is_open| !is_open), "{gate:?}");
    }

    #[test]
    fn a_clock_that_was_put_back_does_no_harm() {
        let mut gate = Gate::default();
        gate.arrive(3, 10_000);
        assert!(gate.arrive(1, 2_000));
    }
}
