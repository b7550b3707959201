//! Which time the bars are of, what they say, and what choosing some of them asks for. Plain Rust: the
//! present and the offset of local time are arguments.

use postern_core::api::delivery::{DeliveryHistogram, HistogramBin, StateCounts};
use postern_core::delivery::State;
use postern_core::query::HistogramQuery;
use postern_core::time::Timestamp;

use super::super::model::{api_query, parts};
use crate::routes::Query;
use crate::screens::find::{Token, asked};
use crate::ui::badge::Tone;
use crate::ui::bars::Bar;
use crate::words::{self, state_word};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The times that can be pressed: as the address has them, and in words.
pub(super) const SPANS: [(&str, &str); 4] =
    [("15m", "15 min"), ("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days")];

/// What the API is asked for a query of the page. Without a time, it takes the last day.
pub(super) fn queries(page: &Query, now: Timestamp) -> Vec<Query> {
    let page = asked(page, now);
    match parts(&page).as_slice() {
        [part] => vec![api_query(part, None)],
        _ => queries_of_parts(&page, now),
    }
}

/// Parts that are put together are asked for the same time, because each answer ends when it was made.
fn queries_of_parts(page: &Query, now: Timestamp) -> Vec<Query> {
    let without_state = api_query(page, None).with(Token::State.key(), None);
    let time = HistogramQuery::parse(without_state.text().trim_start_matches('?'), now);
    let page = match time {
        Ok(HistogramQuery { since, until, .. }) => chosen(page.clone(), since, until),
        // The API says what is wrong with it.
        Err(_faults) => page.clone(),
    };
    parts(&page).iter().map(|part| api_query(part, None)).collect()
}

/// Several histograms of one time as one.
pub(super) fn together(histograms: Vec<DeliveryHistogram>) -> Option<DeliveryHistogram> {
    histograms.into_iter().reduce(|mut all, more| {
        for (bin, more) in all.bins.iter_mut().zip(more.bins) {
            bin.counts.merge(&more.counts);
        }
        all.exact &= more.exact;
        all.searched_to = all.searched_to.max(more.searched_to);
        all
    })
}

/// Several counts as one.
fn sum<'a>(counts: impl Iterator<Item = &'a HistogramBin>) -> StateCounts {
    counts.fold(StateCounts::default(), |mut all, bin| {
        all.merge(&bin.counts);
        all
    })
}

/// What is told apart, from below: as a word, and how many.
pub(super) fn outcomes(counts: &StateCounts) -> [(Tone, &'static str, u32); 4] {
    let of = |state: State, number: u32| {
        let (tone, word) = state_word(state);
        (tone, word, number)
    };
    [
        of(State::Delivered, counts.delivered),
        (Tone::Busy, "Under way", counts.open()),
        of(State::Dead, counts.dead),
        of(State::Cancelled, counts.cancelled),
    ]
}

/// The bars.
pub(super) fn bars(histogram: &DeliveryHistogram) -> Vec<Bar> {
    let bar = |bin: &HistogramBin| Bar {
        parts: outcomes(&bin.counts).map(|(tone, _word, number)| (tone, number)).to_vec(),
        is_partly_known: histogram.searched_to.is_some_and(|from| bin.at < from),
    };
    histogram.bins.iter().map(bar).collect()
}

/// When the bars from the one to the other start and end.
pub(super) fn time_of(
    histogram: &DeliveryHistogram,
    chosen: (usize, usize),
) -> Option<(Timestamp, Timestamp)> {
    let (first, last) = (chosen.0.min(chosen.1), chosen.0.max(chosen.1));
    let since = histogram.bins.get(first)?.at;
    Some((since, histogram.bins.get(last + 1).map_or(histogram.until, |next| next.at)))
}

/// Some of the bars, or all of them: their time, and how many stand where.
pub(super) fn read(
    histogram: &DeliveryHistogram,
    pointed: Option<(usize, usize)>,
) -> (Timestamp, Timestamp, StateCounts) {
    let bins = histogram.bins.as_slice();
    let time = pointed.and_then(|pointed| Some((pointed, time_of(histogram, pointed)?)));
    let Some(((from, to), (since, until))) = time else {
        return (histogram.since, histogram.until, sum(bins.iter()));
    };
    let (first, last) = (from.min(to), from.max(to));
    (since, until, sum(bins.iter().skip(first).take(last - first + 1)))
}

/// The query of the page that asks for the time of some bars.
pub(super) fn chosen(page: Query, since: Timestamp, until: Timestamp) -> Query {
    page.with(Token::Since.key(), Some(&since.to_rfc3339()))
        .with(Token::Until.key(), Some(&until.to_rfc3339()))
}

/// The query of the page that asks for the last so long, or for all times.
pub(super) fn spanned(page: Query, span: Option<&str>) -> Query {
    page.with(Token::Since.key(), span).with(Token::Until.key(), None)
}

/// The whole time in words. The list may be of all times.
pub(super) fn whole_words(
    page: Option<&Query>,
    histogram: &DeliveryHistogram,
    offset_min: impl Fn(Timestamp) -> i64,
) -> String {
    let has = |token: Token| page.is_some_and(|page| page.value(token.key()).is_some());
    if !has(Token::Since) && !has(Token::Until) {
        return String::from("The last 24 hours");
    }
    time_words(histogram.since, histogram.until, offset_min)
}

/// A time from the one moment to the other: `11-21 14:00 – 14:30`.
pub(super) fn time_words(
    since: Timestamp,
    until: Timestamp,
    offset_min: impl Fn(Timestamp) -> i64,
) -> String {
    let (from, to) = (words::date_time(since, offset_min(since)), words::date_time(until, offset_min(until)));
    let is_of_seconds = until.ms_since(since) < 60_000;
    let part = |text: &str, from: usize| {
        text.get(from..if is_of_seconds { 19 } else { 16 }).map_or_else(|| String::from(text), String::from)
    };
    let is_same_day = from.get(..10) == to.get(..10);
    format!("{} – {}", part(&from, 5), part(&to, if is_same_day { 11 } else { 5 }))
}

/// The moments written below the bars: the first, the middle one and the last.
pub(super) fn ticks(histogram: &DeliveryHistogram, offset_min: impl Fn(Timestamp) -> i64) -> [String; 3] {
    let span = histogram.until.ms_since(histogram.since);
    let moments = [histogram.since, histogram.since.plus_ms(span / 2), histogram.until];
    moments.map(|at| {
        let text = words::date_time(at, offset_min(at));
        let part = if span <= 60_000 {
            11..19
        } else if span <= DAY_MS {
            11..16
        } else {
            5..16
        };
        text.get(part).map(String::from).unwrap_or(text)
    })
}

/// Some bars in words, for those who do not see them.
pub(super) fn said(time: &str, counts: &StateCounts) -> String {
    let parts = outcomes(counts).into_iter().filter(|(_tone, _word, number)| *number > 0);
    let parts: Vec<String> =
        parts.map(|(_tone, word, number)| format!("{} {word}", words::number(u64::from(number)))).collect();
    if parts.is_empty() { format!("{time}: none") } else { format!("{time}: {}", parts.join(", ")) }
}

/// What is not counted, where something is not.
pub(super) fn bounds_words(
    histogram: &DeliveryHistogram,
    offset_min: impl Fn(Timestamp) -> i64,
) -> Option<String> {
    let from = histogram.searched_to?;
    Some(format!(
        "At least so many: counted back to {}. What is older was not looked at; choose a shorter time.",
        words::date_time(from, offset_min(from))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T14:07:31.204Z.
    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn histogram(counts: &[StateCounts]) -> DeliveryHistogram {
        let bin = |(at, counts): (i64, &StateCounts)| HistogramBin {
            at: NOW.plus_ms(at * 60_000),
            counts: *counts,
        };
        DeliveryHistogram {
            since: NOW,
            until: NOW.plus_ms(60_000 * i64::try_from(counts.len()).unwrap_or(0)),
            bins: (0..).zip(counts).map(bin).collect(),
            exact: true,
            searched_to: None,
        }
    }

    fn delivered(delivered: u32) -> StateCounts {
        StateCounts { delivered, ..StateCounts::default() }
    }

    #[test]
    fn the_parts_of_one_word_are_asked_for_one_time() {
        let asked = |page: &str| -> Vec<String> {
            queries(&Query::parse(page), NOW).iter().map(Query::text).collect()
        };
        assert_eq!(asked(""), [""]);
        assert_eq!(asked("?since=1h&open=dlv_1"), ["?since=2026-11-21T13%3A07%3A31.204Z"]);
        let day = "since=2026-11-20T14%3A07%3A31.204Z&until=2026-11-21T14%3A07%3A31.204Z";
        assert_eq!(asked("?state=under_way")[0], format!("?{day}&state=pending"));
        let hour = "since=2026-11-21T13%3A07%3A31.204Z&until=2026-11-21T14%3A07%3A31.204Z";
        let parts = ["pending", "leased", "waiting"].map(|state| format!("?{hour}&state={state}"));
        assert_eq!(asked("?state=under_way&since=1h&open=dlv_1"), parts);
        assert_eq!(asked("?state=under_way&status=6xx")[2], "?state=waiting&status=6xx");
    }

    #[test]
    fn parts_are_put_together_bar_by_bar() {
        let waiting = StateCounts { waiting: 2, ..StateCounts::default() };
        let mut cut = histogram(&[waiting, waiting]);
        (cut.exact, cut.searched_to) = (false, Some(NOW.plus_ms(60_000)));
        let all = together(vec![histogram(&[delivered(1), delivered(3)]), cut]).expect("some");
        assert_eq!(all.bins[1].counts, StateCounts { waiting: 2, delivered: 3, ..StateCounts::default() });
        assert!(!all.exact);
        assert_eq!(bars(&all).iter().map(|bar| bar.is_partly_known).collect::<Vec<_>>(), [true, false]);
        assert!(bounds_words(&all, |_| 0).is_some_and(|said| said.contains("2026-11-21 14:08:31")));
    }

    #[test]
    fn chosen_bars_are_a_time_whichever_end_was_first() {
        let histogram = histogram(&[delivered(1), delivered(2), delivered(4), delivered(8)]);
        for chosen in [(1, 2), (2, 1)] {
            assert_eq!(time_of(&histogram, chosen), Some((NOW.plus_ms(60_000), NOW.plus_ms(180_000))));
            assert_eq!(read(&histogram, Some(chosen)).2, delivered(6));
        }
        assert_eq!(time_of(&histogram, (3, 3)), Some((NOW.plus_ms(180_000), histogram.until)));
        assert_eq!(time_of(&histogram, (4, 4)), None);
        assert_eq!(read(&histogram, None), (NOW, histogram.until, delivered(15)));
        let page = chosen(Query::parse("?state=dead&since=1h"), NOW, NOW.plus_ms(1));
        assert_eq!(page.value("since").as_deref(), Some("2026-11-21T14:07:31.204Z"));
        assert_eq!(page.value("state").as_deref(), Some("dead"));
        assert_eq!(spanned(page, Some("1h")).text(), "?state=dead&since=1h");
    }

    #[test]
    fn times_and_numbers_are_said_in_words() {
        let hour = NOW.plus_ms(3_600_000);
        assert_eq!(time_words(NOW, hour, |_| 60), "11-21 15:07 – 16:07");
        assert_eq!(time_words(NOW, NOW.plus_ms(DAY_MS), |_| 0), "11-21 14:07 – 11-22 14:07");
        assert_eq!(time_words(NOW, NOW.plus_ms(5_000), |_| 0), "11-21 14:07:31 – 14:07:36");
        let counts =
            StateCounts { pending: 1, waiting: 2, delivered: 1_200, dead: 4, ..StateCounts::default() };
        assert_eq!(said("now", &counts), "now: 1,200 Delivered, 3 Under way, 4 Gave up");
        assert_eq!(said("now", &StateCounts::default()), "now: none");
    }
}
