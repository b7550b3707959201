//! Which rows of a long list are in the document: those near what is visible, and a few that must not go.
//! Plain arithmetic.

use std::ops::Range;

/// Up to this length a list is shown whole.
pub(crate) const WHOLE_MAX: usize = 100;
/// Rows above and below what is visible, so that a turn of the wheel shows nothing empty.
const OVERSCAN: usize = 12;
/// Rows below what is visible while the top of the list is. There rows are inserted as they come, and each
/// one in the document is laid out and painted again then; and a list seldom starts at the upper edge of the
/// screen, so that some of its height is in hand already.
const AT_TOP: usize = 4;
/// The window moves by this many rows at once, not with every row that is scrolled by.
const STEP: usize = 8;
/// Rows that fit on a screen at most: a measurement that is wrong must not render everything.
const SCREEN_MAX: usize = 200;

/// What stands in the document where it was measured: the rows from `at`, `len` of them (one row, or those
/// that a spacer stands for), from `top` to `bottom` below the upper edge of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// The first of the rows.
    pub(crate) at: usize,
    /// How many.
    pub(crate) len: usize,
    /// Its upper edge.
    pub(crate) top: f64,
    /// Its lower edge.
    pub(crate) bottom: f64,
}

/// Rows of the height `row` that a screen of the height `screen` shows at once, also where the first and the
/// last are cut.
pub(crate) fn per_screen(screen: f64, row: f64) -> usize {
    if row < 1.0 {
        return SCREEN_MAX;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest whole number that fits"
    )]
    let rows = (screen / row).ceil().max(0.0) as usize;
    (rows + 1).min(SCREEN_MAX)
}

/// The row at the upper edge of the screen. `all` is what stands in the document, from top to bottom.
pub(crate) fn first_visible(all: &[Measured]) -> usize {
    let Some(found) = all.iter().find(|one| one.bottom > 0.0) else {
        return all.last().map_or(0, |last| (last.at + last.len).saturating_sub(1));
    };
    let (height, above) = (found.bottom - found.top, (-found.top).max(0.0));
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows")]
    let passed = if height > 0.0 { above / height * found.len as f64 } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of rows"
    )]
    let passed = passed as usize;
    found.at + passed.min(found.len.saturating_sub(1))
}

/// The rows around those that are visible: `first`, and as many as a screen shows.
pub(crate) fn around(first: usize, per_screen: usize, count: usize) -> Range<usize> {
    if count <= WHOLE_MAX {
        return 0..count;
    }
    let first = first.min(count.saturating_sub(per_screen));
    if first == 0 {
        return 0..(per_screen + AT_TOP).min(count);
    }
    let start = first.saturating_sub(OVERSCAN) / STEP * STEP;
    let end = (first + per_screen + OVERSCAN).div_ceil(STEP) * STEP;
    start..end.min(count)
}

/// What stands in the document, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// These rows.
    Rows(Range<usize>),
    /// A spacer in the place of these rows. It is numbered from the window, up (-1, -2 …) and down (1, 2 …),
    /// so that the one next to the window stays the same element while others come and go.
    Gap(i32, Range<usize>),
}

/// The pieces of a list of `count` rows: the window, each of `pins` with its neighbours, so that a step from
/// it finds the next one, and spacers for all others.
pub(crate) fn pieces(window: &Range<usize>, pins: &[usize], count: usize) -> Vec<Piece> {
    let rendered = rendered(window.clone(), pins, count);
    let above = rendered.iter().filter(|range| range.start <= window.start).count();
    let mut all = Vec::new();
    let mut end = 0;
    for (at, range) in rendered.into_iter().enumerate() {
        if end < range.start {
            let number = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
            // The gap before the window is -1; the one behind it is 1.
            let number = if at < above { number(at) - number(above) } else { number(at) - number(above) + 1 };
            all.push(Piece::Gap(number, end..range.start));
        }
        end = range.end;
        all.push(Piece::Rows(range));
    }
    if end < count {
        all.push(Piece::Gap(i32::MAX, end..count));
    }
    all
}

/// The rows that are in the document, in order and without overlaps.
fn rendered(window: Range<usize>, pins: &[usize], count: usize) -> Vec<Range<usize>> {
    let pinned =
        pins.iter().filter(|pin| **pin < count).map(|pin| pin.saturating_sub(1)..(pin + 2).min(count));
    let mut all: Vec<Range<usize>> =
        pinned.chain(std::iter::once(window)).filter(|range| !range.is_empty()).collect();
    all.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in all {
        match merged.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => merged.push(range),
        }
    }
    merged
}

/// The height of a row with the space below it: the middle one of those that were measured, because a few may
/// be opened. `None` where no two rows stand below one another.
pub(crate) fn row_height(all: &[Measured]) -> Option<f64> {
    let mut heights: Vec<f64> = all
        .windows(2)
        .filter_map(|two| match two {
            [one, below] if one.len == 1 && below.at == one.at + 1 => Some(below.top - one.top),
            _ => None,
        })
        .filter(|height| *height >= 1.0)
        .collect();
    heights.sort_by(f64::total_cmp);
    heights.get(heights.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: f64 = 48.0;

    /// A list of `count` rows of one height as one spacer, scrolled by `scrolled`.
    fn window_at(scrolled: f64, screen: f64, count: usize) -> Range<usize> {
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let bottom = count as f64 * ROW - scrolled;
        let all = [Measured { at: 0, len: count, top: -scrolled, bottom }];
        around(first_visible(&all), per_screen(screen, ROW), count)
    }

    #[test]
    fn a_short_list_is_whole() {
        assert_eq!(window_at(3_000.0, 900.0, WHOLE_MAX), 0..WHOLE_MAX);
        assert_eq!(around(0, 20, 0), 0..0);
    }

    #[test]
    fn what_is_visible_is_always_within_the_window() {
        for count in [101, 1_000, 100_000] {
            for scrolled in (0..count * 48).step_by(count * 48 / 97) {
                #[expect(clippy::cast_precision_loss, reason = "pixels")]
                let window = window_at(scrolled as f64, 900.0, count);
                let (first, last) = (scrolled / 48, ((scrolled + 899) / 48).min(count - 1));
                assert!(
                    window.contains(&first) && window.contains(&last),
                    "{count} rows, {scrolled} px: {window:?}"
                );
                assert!(window.len() <= 20 + 2 * (OVERSCAN + STEP), "{window:?}");
            }
        }
    }

    #[test]
    fn few_rows_wait_below_the_screen_where_rows_are_inserted() {
        assert_eq!(around(0, 20, 10_000), 0..24);
        assert_eq!(around(0, 21, 10_000), 0..25, "not a step more");
        assert_eq!(around(1, 20, 10_000), 0..40);
    }

    #[test]
    fn a_hundred_thousand_rows_end_with_the_last() {
        let window = window_at(100_000.0 * ROW - 900.0, 900.0, 100_000);
        assert_eq!(window.end, 100_000);
        assert!(window.start > 99_900, "{window:?}");
        // Scrolled further than the list is long, as after rows went.
        assert_eq!(window_at(9e9, 900.0, 100_000).end, 100_000);
    }

    #[test]
    fn the_window_stays_while_a_few_rows_are_scrolled_by() {
        let windows: Vec<Range<usize>> =
            (0..80).map(|at| window_at(48_000.0 + f64::from(at) * ROW, 900.0, 10_000)).collect();
        let mut different = windows;
        different.dedup();
        assert!(different.len() <= 2 * 80 / STEP + 2, "{} windows", different.len());
    }

    #[test]
    fn a_row_that_was_opened_is_as_high_as_it_is() {
        let row = |at: usize, top: f64, bottom: f64| Measured { at, len: 1, top, bottom };
        let all = [
            Measured { at: 0, len: 5, top: -2_400.0, bottom: -2_160.0 },
            row(5, -2_160.0, -100.0),
            row(6, -100.0, -52.0),
        ];
        let below = [row(7, -52.0, -4.0), row(8, -4.0, 44.0), row(9, 44.0, 92.0)];
        assert_eq!(first_visible(&[&all[..], &below[..]].concat()), 8);
        assert_eq!(first_visible(&all), 6, "all is above the screen");
        assert_eq!(first_visible(&[]), 0);
    }

    #[test]
    fn a_height_that_is_none_renders_no_more_than_a_screen_can_hold() {
        assert_eq!(per_screen(900.0, 0.0), SCREEN_MAX);
        assert_eq!(per_screen(f64::NAN, f64::NAN), 1);
        assert_eq!(per_screen(900.0, 48.0), 20);
    }

    fn gaps(pieces: &[Piece]) -> Vec<(i32, Range<usize>)> {
        pieces
            .iter()
            .filter_map(|piece| {
                if let Piece::Gap(number, rows) = piece { Some((*number, rows.clone())) } else { None }
            })
            .collect()
    }

    #[test]
    fn pins_keep_their_neighbours_and_spacers_fill_the_rest() {
        let rows = rendered(104..152, &[3, 151, 9_999], 10_000);
        assert_eq!(rows, [2..5, 104..153, 9_998..10_000]);
        let all = pieces(&(104..152), &[3, 151, 9_000], 10_000);
        assert_eq!(gaps(&all), [(-2, 0..2), (-1, 5..104), (1, 153..8_999), (i32::MAX, 9_002..10_000)]);
        assert_eq!(
            pieces(&(0..40), &[0, 20_000], 10_000),
            [Piece::Rows(0..40), Piece::Gap(i32::MAX, 40..10_000)]
        );
        assert_eq!(pieces(&(0..101), &[], 101), [Piece::Rows(0..101)]);
        assert_eq!(pieces(&(0..0), &[], 0), []);
    }

    #[test]
    fn the_spacer_next_to_the_window_stays_the_same_while_pins_come_and_go() {
        let of = |pins: &[usize]| {
            gaps(&pieces(&(104..152), pins, 1_000)).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [-1, i32::MAX]);
        assert_eq!(of(&[50]), [-2, -1, i32::MAX]);
        assert_eq!(of(&[103]), [-1, i32::MAX]);
        assert_eq!(of(&[500]), [-1, 1, i32::MAX]);
    }

    #[test]
    fn rows_and_spacers_are_all_rows_once_and_no_two_spacers_have_one_number() {
        for pins in [&[][..], &[0], &[99_999, 0], &[150, 103, 104, 99_000], &[1, 20, 40, 60, 5_000, 6_000]] {
            let all = pieces(&(104..152), pins, 100_000);
            let ranges: Vec<Range<usize>> =
                all.iter().map(|(Piece::Rows(range) | Piece::Gap(_, range))| range.clone()).collect();
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{all:?}");
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, 100_000));
            let mut numbers: Vec<i32> = gaps(&all).into_iter().map(|(number, _)| number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
            numbers.dedup();
            assert_eq!(numbers.len(), gaps(&all).len());
        }
    }

    #[test]
    fn the_height_of_a_row_is_the_middle_one() {
        let row = |at: usize, top: f64| Measured { at, len: 1, top, bottom: top + 40.0 };
        let gap = Measured { at: 0, len: 5, top: 0.0, bottom: 240.0 };
        let all = [gap, row(5, 240.0), row(6, 288.0), row(7, 2_000.0), row(8, 2_048.0), row(20, 9_000.0)];
        assert_eq!(row_height(&all), Some(48.0));
        assert_eq!(row_height(&[gap, row(5, 240.0)]), None);
    }
}
