//! Into which parts a histogram cuts a time.

use crate::time::Timestamp;

/// Parts of a time at most: as many as a person tells apart, and one more, because the first and the last
/// seldom are whole.
pub const BINS_MAX: usize = 49;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Widths that clocks know, in milliseconds, up to a day.
const WIDTHS_MS: [i64; 27] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, DAY_MS,
];

/// When the parts of a time start: the first with it, the others at round times of UTC, so that the same hour
/// is cut in the same places whoever asks. A part ends where the next one starts, the last one at `until`.
#[must_use]
pub fn starts(since: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let width = width_ms(until.0.saturating_sub(since.0));
    let second = since.0.div_euclid(width).saturating_add(1).saturating_mul(width);
    let later = (0..).map(|number: i64| Timestamp(second.saturating_add(number.saturating_mul(width))));
    let later = later.take(BINS_MAX - 1).take_while(|start| *start < until);
    std::iter::once(since).chain(later).collect()
}

/// The least width of which a time has no more than it may; beyond a day, whole days.
fn width_ms(span_ms: i64) -> i64 {
    let most = i64::try_from(BINS_MAX - 1).unwrap_or(i64::MAX);
    let fits = WIDTHS_MS.into_iter().find(|width| span_ms <= width.saturating_mul(most));
    fits.unwrap_or_else(|| span_ms.div_euclid(most.saturating_mul(DAY_MS)).saturating_add(1) * DAY_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    #[test]
    fn a_day_is_cut_at_its_half_hours() {
        let starts = starts(NOW.plus_ms(-DAY_MS), NOW);
        assert_eq!(starts.len(), 49);
        let said: Vec<String> = starts.iter().take(3).map(|start| start.to_rfc3339()).collect();
        assert_eq!(
            said,
            ["2026-11-20T14:07:31.204Z", "2026-11-20T14:30:00.000Z", "2026-11-20T15:00:00.000Z"]
        );
    }

    #[test]
    fn what_is_empty_is_one_part() {
        assert_eq!(starts(NOW, NOW), [NOW]);
        assert!((48..=BINS_MAX).contains(&starts(Timestamp::FIRST, Timestamp::LAST).len()));
    }

    #[test]
    fn what_is_whole_is_not_cut_at_its_end() {
        let hour = Timestamp(NOW.0.div_euclid(3_600_000) * 3_600_000);
        assert_eq!(starts(hour, hour.plus_ms(DAY_MS)).len(), 48);
        assert_eq!(starts(hour, hour.plus_ms(1)), [hour]);
    }

    proptest! {
        /// From a millisecond to all the time there is.
        #[test]
        fn every_time_is_cut_into_few_parts_that_follow_each_other(
            since in -62_135_596_800_000_i64..253_402_300_799_999,
            span in prop_oneof![1_i64..1_000, 1_i64..1_000_000_000, 1_i64..300_000_000_000_000],
        ) {
            let (since, until) = (Timestamp(since), Timestamp(since + span));
            let starts = starts(since, until);
            prop_assert!(starts.len() <= BINS_MAX);
            prop_assert_eq!(starts[0], since);
            prop_assert!(starts.is_sorted_by(|earlier, later| earlier < later));
            prop_assert!(starts.iter().all(|start| *start < until));
            // No part is longer than the others, and none is missing at the end.
            let width = width_ms(span);
            let ends = starts.iter().skip(1).chain([&until]);
            prop_assert!(starts.iter().zip(ends).all(|(start, end)| end.0 - start.0 <= width));
        }
    }
}
