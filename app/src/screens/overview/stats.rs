//! Attempts and latency over time: which time is asked for, and what the answer says. Nothing here is called
//! a success: that is a share of deliveries.

use postern_core::api::stats::{BucketWidth, StatsBucket, StatsCounts, StatsView};
use postern_core::time::Timestamp;

use crate::routes::Query;
use crate::ui::chart::Plot;
use crate::words;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How much time is shown.
///
/// Buckets are an hour for a week too: a night that goes wrong every day would vanish in days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Range {
    /// The last 24 hours, by the hour.
    #[default]
    Day,
    /// The last seven days, by the hour.
    Week,
    /// The last 30 days, by the day.
    Month,
}

impl Range {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As it stands in the address; nothing for the usual one.
    pub(super) const fn key(self) -> Option<&'static str> {
        match self {
            Self::Day => None,
            Self::Week => Some("7d"),
            Self::Month => Some("30d"),
        }
    }

    /// What the address asks for.
    pub(super) fn of(key: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|range| range.key() == key).unwrap_or_default()
    }

    /// On its button.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// The width of its buckets.
    pub(super) const fn bucket(self) -> BucketWidth {
        match self {
            Self::Day | Self::Week => BucketWidth::Hour,
            Self::Month => BucketWidth::Day,
        }
    }

    /// How many days it is.
    const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// What the API is asked.
    pub(super) fn query(self, now: Timestamp) -> Query {
        let bucket = match self.bucket() {
            BucketWidth::Hour => "hour",
            BucketWidth::Day => "day",
        };
        Query::default().with("since", Some(&self.since(now).to_rfc3339())).with("bucket", Some(bucket))
    }

    /// When it starts.
    pub(super) const fn since(self, now: Timestamp) -> Timestamp {
        now.plus_ms(-self.days() * DAY_MS)
    }

    /// When a bucket was. Days are those of UTC.
    ///
    /// Local time is `offset_min` minutes ahead of UTC at a moment: that changes with daylight saving within
    /// a range. The bucket of a month is a day of UTC, and shifting it would name a day whose numbers it does
    /// not have.
    pub(super) fn moment(self, at: Timestamp, offset_min: impl Fn(Timestamp) -> i64) -> String {
        match self {
            Self::Day => words::date_time(at, offset_min(at)).chars().skip(11).take(5).collect(),
            Self::Week => words::date_time(at, offset_min(at)).chars().skip(5).take(11).collect(),
            Self::Month => words::date_time(at, 0).chars().skip(5).take(5).collect(),
        }
    }
}

/// The range that an answer is of, by its buckets: it may be of the range before the one that is asked for
/// now.
pub(super) fn range_of(stats: &StatsView) -> Range {
    let width = match stats.buckets.as_slice() {
        [first, second, ..] => second.at.ms_since(first.at),
        _ => 0,
    };
    match stats.buckets.len() {
        _ if width > Range::Day.bucket().ms() => Range::Month,
        0..=26 => Range::Day,
        _ => Range::Week,
    }
}

/// The share of attempts that delivered: of whole counts, so that only everything is 100 %.
pub(super) fn delivered(counts: &StatsCounts) -> String {
    words::percent(counts.delivered, counts.attempts)
}

/// A latency, or a dash where nothing answered.
pub(super) fn latency(ms: Option<u32>) -> String {
    ms.map_or_else(|| String::from("—"), words::duration)
}

/// One bucket in words.
pub(super) fn bucket_words(bucket: &StatsCounts) -> String {
    match bucket.attempts {
        0 => String::from("no attempts"),
        attempts => format!(
            "{}, {} delivered, p50 {}, p95 {}",
            if attempts == 1 {
                String::from("1 attempt")
            } else {
                format!("{} attempts", words::number(attempts))
            },
            delivered(bucket),
            latency(bucket.p50_ms),
            latency(bucket.p95_ms)
        ),
    }
}

/// The whole of it in words.
///
/// It is the name of the picture for assistive technology: the whole, and the worst moment, which is what the
/// eye would find first.
pub(super) fn summary(stats: &StatsView, range: Range) -> String {
    let worst = stats
        .buckets
        .iter()
        .filter(|bucket| bucket.counts.attempts > 0)
        .min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let worst = worst
        .map(|bucket| format!(" In the worst {} {} were delivered.", unit(range), delivered(&bucket.counts)))
        .unwrap_or_default();
    format!(
        "Attempts and latency of the last {}: {}.{worst}",
        range.label(),
        bucket_words(&stats.totals.counts)
    )
}

/// What a bucket is called.
const fn unit(range: Range) -> &'static str {
    match range.bucket() {
        BucketWidth::Hour => "hour",
        BucketWidth::Day => "day",
    }
}

/// The share that was delivered; a bucket without attempts is as good as any.
fn rate(bucket: &StatsBucket) -> f64 {
    bucket.counts.success_rate.unwrap_or(1.0)
}

/// The two plots: attempts that delivered, between a round number below the worst and 100 %; latency, between
/// 0 and a round number above the slowest.
///
/// The share seldom falls below 99 %, where a scale from 0 would show a straight line; so its floor is the
/// highest of a few round numbers that is still below the worst bucket. The scale of latency starts at 0,
/// because there a line at half the height should mean half the time.
pub(super) fn plots(buckets: &[StatsBucket]) -> Vec<Plot> {
    const FLOORS_PERCENT: [u32; 6] = [99, 95, 90, 80, 50, 0];
    let worst = buckets.iter().filter_map(|bucket| bucket.counts.success_rate).fold(1.0, f64::min);
    let share_of = |percent: u32| f64::from(percent) / 100.0;
    let percent = FLOORS_PERCENT.into_iter().find(|percent| share_of(*percent) < worst).unwrap_or_default();
    let floor = share_of(percent);
    let slowest = buckets.iter().filter_map(|bucket| bucket.counts.p95_ms).max().unwrap_or(1);
    let ceiling = round_above(slowest);
    let success =
        |bucket: &StatsBucket| bucket.counts.success_rate.map(|rate| (rate - floor) / (1.0 - floor));
    let share = |ms: Option<u32>| ms.map(|ms| f64::from(ms) / f64::from(ceiling));
    vec![
        Plot {
            name: "Attempts that delivered",
            edges: [String::from("100 %"), format!("{percent} %")],
            lines: vec![("success", buckets.iter().map(success).collect())],
        },
        Plot {
            name: "Latency p95, p50",
            edges: [
                if ceiling.is_multiple_of(1_000) {
                    words::span(u64::from(ceiling / 1_000))
                } else {
                    words::duration(ceiling)
                },
                String::from("0"),
            ],
            lines: vec![
                ("slow", buckets.iter().map(|bucket| share(bucket.counts.p95_ms)).collect()),
                ("usual", buckets.iter().map(|bucket| share(bucket.counts.p50_ms)).collect()),
            ],
        },
    ]
}

/// The next of 1, 2, 5, 10, 20, … that is not below `number`.
fn round_above(number: u32) -> u32 {
    let mut step = 1u32;
    loop {
        for round in [step, step.saturating_mul(2), step.saturating_mul(5)] {
            if round >= number {
                return round;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// The moments written below the picture: the first, the middle and the last.
pub(super) fn ticks(buckets: &[StatsBucket], moment: impl Fn(Timestamp) -> String) -> Vec<String> {
    let (Some(first), Some(middle), Some(last)) =
        (buckets.first(), buckets.get(buckets.len() / 2), buckets.last())
    else {
        return Vec::new();
    };
    [first, middle, last].map(|bucket| moment(bucket.at)).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_795_269_600_000);

    fn bucket(hour: i64, attempts: u64, delivered: u64, p95_ms: Option<u32>) -> StatsBucket {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let success_rate = (attempts > 0).then(|| delivered as f64 / attempts as f64);
        let counts = StatsCounts {
            attempts,
            delivered,
            failed: attempts - delivered,
            success_rate,
            p50_ms: p95_ms,
            p95_ms,
            ..StatsCounts::default()
        };
        StatsBucket { at: AT.plus_ms(hour * 3_600_000), counts }
    }

    #[test]
    fn the_scales_fit_what_happened() {
        let plots =
            plots(&[bucket(0, 10, 10, Some(63)), bucket(1, 0, 0, None), bucket(2, 100, 93, Some(340))]);
        assert_eq!(plots[0].edges, ["100 %", "90 %"]);
        assert_eq!(plots[1].edges, ["500 ms", "0"]);
        assert_eq!(plots[0].lines[0].1[1], None);
        assert!(plots[0].lines[0].1[2].is_some_and(|height| (height - 0.3).abs() < 1e-9));
        assert_eq!([1, 3, 840, 1_001].map(round_above), [1, 5, 1_000, 2_000]);
    }

    #[test]
    fn the_picture_is_said_in_words() {
        let stats = StatsView {
            totals: bucket(0, 1_100, 1_090, Some(1_920)),
            buckets: vec![bucket(0, 1_000, 1_000, Some(63)), bucket(1, 100, 90, Some(1_920))],
            webhooks: Vec::new(),
        };
        let said = summary(&stats, Range::Day);
        assert!(said.contains("1,100 attempts, 99 % delivered, p50 1.92 s"), "{said}");
        assert!(said.ends_with("In the worst hour 90 % were delivered."), "{said}");
        assert_eq!(bucket_words(&bucket(0, 0, 0, None).counts), "no attempts");
    }

    #[test]
    fn the_range_stands_in_the_address() {
        for range in Range::ALL {
            assert_eq!(Range::of(range.key()), range);
        }
        assert_eq!(Range::of(Some("forever")), Range::Day);
        assert_eq!(Range::Month.query(AT).value("bucket").as_deref(), Some("day"));
        assert_eq!(Range::Day.moment(AT, |_| 60), "15:00");
        assert_eq!(Range::Week.moment(AT, |_| 60), "11-21 15:00");
        assert_eq!(Range::Month.moment(AT, |_| 60), "11-21");
        assert_eq!(
            ticks(&[bucket(0, 0, 0, None), bucket(1, 0, 0, None)], |at| Range::Day.moment(at, |_| 0)),
            ["14:00", "15:00", "15:00"]
        );
    }

    #[test]
    fn an_answer_tells_its_range_by_its_buckets() {
        let stats = |buckets| StatsView { totals: bucket(0, 0, 0, None), buckets, webhooks: Vec::new() };
        let hours = |number: i64| (0..number).map(|hour| bucket(hour, 0, 0, None)).collect::<Vec<_>>();
        assert_eq!(range_of(&stats(hours(25))), Range::Day);
        assert_eq!(range_of(&stats(hours(169))), Range::Week);
        assert_eq!(range_of(&stats(vec![bucket(0, 0, 0, None), bucket(24, 0, 0, None)])), Range::Month);
    }

    #[test]
    fn figures_are_said_in_words() {
        assert_eq!(latency(None), "—");
        assert_eq!(delivered(&bucket(0, 3, 2, Some(63)).counts), "66.6 %");
    }
}
