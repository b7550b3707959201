//! Counting attempts: by how they ended, and by how long they took.
//!
//! One [`Tally`] of each hour, webhook and event type is what the ledger stores; sums of them are what the
//! API shows (`api::stats`). Both parts have a short text form and are added up without loss.

use std::fmt::Write as _;

use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::delivery::Outcome;
use crate::variants::spelled;

/// How an attempt ended, as coarsely as a chart can show it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumCount,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum OutcomeClass {
    /// 200 to 299.
    #[strum(serialize = "2xx")]
    Success,
    /// 300 to 399.
    #[strum(serialize = "3xx")]
    Redirect,
    /// 400 to 499.
    #[strum(serialize = "4xx")]
    Refused,
    /// 500 and above (and numbers that are not an HTTP status).
    #[strum(serialize = "5xx")]
    ReceiverFailed,
    /// No answer in time.
    TimedOut,
    /// Refused, reset or lost.
    Connection,
    /// The name does not resolve.
    Dns,
    /// The egress policy refuses the URL.
    Blocked,
    /// The call could not be made.
    Platform,
    /// The result is not known.
    Lost,
}

spelled!(pub OutcomeClass, "The wire spelling.");

impl OutcomeClass {
    /// The class of an outcome.
    #[must_use]
    pub const fn from_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered { status: 200..=299 } => Self::Success,
            Outcome::Answered { status: 300..=399 } => Self::Redirect,
            Outcome::Answered { status: 400..=499 } => Self::Refused,
            Outcome::Answered { .. } => Self::ReceiverFailed,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::ConnectionFailed { .. } => Self::Connection,
            Outcome::NameNotResolved => Self::Dns,
            Outcome::Blocked { .. } => Self::Blocked,
            Outcome::PlatformFailed { .. } => Self::Platform,
            Outcome::Lost => Self::Lost,
        }
    }

    /// Whether there is a latency worth counting: somebody answered.
    #[must_use]
    pub const fn has_latency(self) -> bool {
        matches!(self, Self::Success | Self::Redirect | Self::Refused | Self::ReceiverFailed)
    }
}

/// How many attempts ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes([u64; OutcomeClass::ALL.len()]);

impl Outcomes {
    /// None.
    pub const ZERO: Self = Self([0; OutcomeClass::ALL.len()]);

    /// Counts one.
    pub const fn add(&mut self, class: OutcomeClass) {
        self.0[class as usize] += 1;
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// How many ended so.
    #[must_use]
    pub const fn get(&self, class: OutcomeClass) -> u64 {
        self.0[class as usize]
    }

    /// The classes that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (OutcomeClass, u64)> {
        OutcomeClass::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// `2xx:98 5xx:1 timed_out:1`; empty where nothing was counted.
    #[must_use]
    pub fn to_text(&self) -> String {
        joined(self.iter().map(|(class, count)| (class.as_str(), count)))
    }

    /// Reads [`Self::to_text`]; `None` where it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut outcomes = Self::default();
        for (class, count) in pairs(text) {
            outcomes.0[OutcomeClass::parse(class)? as usize] = count?;
        }
        Some(outcomes)
    }
}

/// Buckets of a histogram. Four to each doubling: the last starts at 114,688 ms, far beyond the longest
/// timeout.
pub const BUCKETS: usize = 64;

/// How long attempts took: counts in buckets that grow with the latency, each a quarter of the power of two
/// below it wide, so that a percentile is right to about an eighth; and their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    /// What was counted before sums were kept is not in it.
    sum_ms: u64,
}

/// What stands for the sum among the buckets of [`Histogram::to_text`].
const SUM: &str = "sum";

impl Default for Histogram {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Histogram {
    /// Nothing.
    pub const ZERO: Self = Self { counts: [0; BUCKETS], sum_ms: 0 };

    /// Counts one that took so many milliseconds.
    pub fn add(&mut self, duration_ms: u32) {
        if let Some(count) = self.counts.get_mut(bucket_of(duration_ms)) {
            *count = count.saturating_add(1);
        }
        self.sum_ms = self.sum_ms.saturating_add(duration_ms.into());
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The milliseconds of all that were counted.
    #[must_use]
    pub const fn sum_ms(&self) -> u64 {
        self.sum_ms
    }

    /// How many took at most so many milliseconds, for one bound in each doubling from 3 ms to 65,535 ms.
    pub fn cumulative(&self) -> impl Iterator<Item = (u32, u64)> {
        let counts = self.counts;
        (4..BUCKETS)
            .step_by(4)
            .map(move |bucket| (lower_bound_ms(bucket).saturating_sub(1), counts.iter().take(bucket).sum()))
    }

    /// The milliseconds that `percent` (0 to 100) of what was counted took at most, read between the bounds
    /// of a bucket; `None` where nothing was counted.
    #[must_use]
    pub fn percentile_ms(&self, percent: u8) -> Option<u32> {
        let count = self.count();
        // The rank is that of the nearest-rank method: 1 is the quickest.
        let rank = (count * u64::from(percent.min(100))).div_ceil(100).max(1);
        let mut below = 0;
        for (index, in_bucket) in self.counts.iter().enumerate() {
            if below + in_bucket >= rank {
                let (from, to) = (lower_bound_ms(index), lower_bound_ms(index + 1));
                let within = u64::from(to - from) * (rank - below) / in_bucket;
                // The last millisecond of the bucket, not the first of the next one.
                return u32::try_from(within).ok().map(|within| (from + within).min(to - 1));
            }
            below += in_bucket;
        }
        None
    }

    /// `12:3 14:1 sum:68`: bucket and count, and the sum; empty where nothing was counted.
    #[must_use]
    pub fn to_text(&self) -> String {
        let counts = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| (index.to_string(), *count));
        joined(counts.chain((self.sum_ms > 0).then(|| (String::from(SUM), self.sum_ms))))
    }

    /// Reads [`Self::to_text`]; `None` where it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut histogram = Self::default();
        for (key, count) in pairs(text) {
            if key == SUM {
                histogram.sum_ms = count?;
            } else {
                *histogram.counts.get_mut(key.parse::<usize>().ok()?)? = count?;
            }
        }
        Some(histogram)
    }
}

/// The bucket of a latency. Below 4 ms each millisecond has its own.
fn bucket_of(duration_ms: u32) -> usize {
    let Some(doublings) = duration_ms.checked_ilog2().filter(|doublings| *doublings >= 2) else {
        return duration_ms as usize;
    };
    let quarter = (duration_ms >> (doublings - 2)) & 3;
    ((doublings as usize - 1) * 4 + quarter as usize).min(BUCKETS - 1)
}

/// The smallest latency of a bucket; that of the bucket after the last is where the last one ends.
fn lower_bound_ms(bucket: usize) -> u32 {
    let bucket = u32::try_from(bucket).unwrap_or(u32::MAX).min(64);
    if bucket < 4 { bucket } else { (4 + bucket % 4) << (bucket / 4 - 1) }
}

/// What is counted of a webhook's attempts in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attempts made.
    pub attempts: u64,
    /// Of them, those that were delivered.
    pub delivered: u64,
    /// Of those, first attempts.
    pub at_once: u64,
    /// How they ended.
    pub outcomes: Outcomes,
    /// How long those took that got an answer.
    pub latency: Histogram,
}

/// One attempt, as far as a [`Tally`] counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedAttempt {
    /// How it ended.
    pub class: OutcomeClass,
    /// How long it took.
    pub duration_ms: u32,
    /// Whether its receiver took it.
    pub delivered: bool,
    /// Whether it was the first of its delivery.
    pub first: bool,
}

impl Tally {
    /// Counts one attempt.
    pub fn add(&mut self, attempt: &CountedAttempt) {
        self.attempts += 1;
        self.delivered += u64::from(attempt.delivered);
        self.at_once += u64::from(attempt.delivered && attempt.first);
        self.outcomes.add(attempt.class);
        if attempt.class.has_latency() {
            self.latency.add(attempt.duration_ms);
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.at_once = self.at_once.saturating_add(other.at_once);
        self.outcomes.merge(&other.outcomes);
        self.latency.merge(&other.latency);
    }

    /// Attempts that were not delivered.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.attempts.saturating_sub(self.delivered)
    }
}

/// `key:count` joined by spaces.
fn joined(pairs: impl Iterator<Item = (impl std::fmt::Display, u64)>) -> String {
    let mut text = String::new();
    for (key, count) in pairs {
        let space = if text.is_empty() { "" } else { " " };
        let _never_fails = write!(text, "{space}{key}:{count}");
    }
    text
}

/// The pairs of [`joined`]; an unparsable count is `None`.
fn pairs(text: &str) -> impl Iterator<Item = (&str, Option<u64>)> {
    text.split(' ').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once(':') {
        Some((key, count)) => (key, count.parse().ok()),
        None => (pair, None),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        assert_eq!(bucket_of(0), 0);
        for bucket in 0..BUCKETS {
            let (from, to) = (lower_bound_ms(bucket), lower_bound_ms(bucket + 1));
            assert!(from < to, "{bucket}");
            assert_eq!((bucket_of(from), bucket_of(to - 1)), (bucket, bucket), "{from} to {to}");
        }
        assert_eq!((lower_bound_ms(BUCKETS - 1), bucket_of(u32::MAX)), (114_688, BUCKETS - 1));
    }

    #[test]
    fn a_bound_counts_what_took_at_most_so_long() {
        let mut histogram = Histogram::default();
        for ms in [0, 3, 4, 7, 8, 65_535, 65_536, u32::MAX] {
            histogram.add(ms);
        }
        let bounds: Vec<(u32, u64)> = histogram.cumulative().collect();
        assert_eq!(bounds[..3], [(3, 2), (7, 4), (15, 5)]);
        assert_eq!((bounds.len(), bounds.last()), (15, Some(&(65_535, 6))));
        assert_eq!((histogram.count(), histogram.sum_ms()), (8, 22 + 65_535 + 65_536 + u64::from(u32::MAX)));
    }

    #[test]
    fn what_was_stored_before_there_were_sums_is_read() {
        let old = Histogram::parse("12:3 14:1");
        assert_eq!(
            old.map(|histogram| (histogram.count(), histogram.sum_ms(), histogram.to_text())),
            Some((4, 0, String::from("12:3 14:1")))
        );
        assert_eq!(Histogram::parse("12:3 sum:x"), None);
    }

    #[test]
    fn percentiles_of_nothing_and_of_one() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile_ms(50), None);
        histogram.add(3);
        assert_eq!([0, 50, 100].map(|percent| histogram.percentile_ms(percent)), [Some(3); 3]);
    }

    #[test]
    fn what_nobody_answered_has_no_latency() {
        let mut tally = Tally::default();
        for (outcome, duration_ms, delivered, first) in [
            (Outcome::TimedOut, 10_000, false, true),
            (Outcome::Answered { status: 503 }, 40, false, false),
            (Outcome::Answered { status: 200 }, 60, true, false),
            (Outcome::Answered { status: 204 }, 61, true, true),
        ] {
            let class = OutcomeClass::from_outcome(&outcome);
            tally.add(&CountedAttempt { class, duration_ms, delivered, first });
        }
        assert_eq!(
            (tally.attempts, tally.delivered, tally.failed(), tally.at_once, tally.latency.count()),
            (4, 2, 2, 1, 3)
        );
        assert_eq!(tally.outcomes.to_text(), "2xx:2 5xx:1 timed_out:1");
    }

    #[test]
    fn a_class_reads_back_as_it_is_spelt() {
        for class in OutcomeClass::ALL {
            assert_eq!(OutcomeClass::parse(class.as_str()), Some(class));
        }
    }

    #[test]
    fn damaged_texts_are_noticed() {
        for text in ["64:1", "a:1", "1", "1:x", "1:-1", "2xx:1"] {
            assert_eq!(Histogram::parse(text), None, "{text}");
        }
        for text in ["6xx:1", "2xx", "2xx:"] {
            assert_eq!(Outcomes::parse(text), None, "{text}");
        }
    }

    fn histogram_of(durations: &[u32]) -> Histogram {
        let mut histogram = Histogram::default();
        for duration_ms in durations {
            histogram.add(*duration_ms);
        }
        histogram
    }

    proptest! {
        #[test]
        fn a_percentile_is_right_to_a_quarter(mut durations in prop::collection::vec(0u32..100_000, 1..200), percent in 0u8..=100) {
            let found = histogram_of(&durations).percentile_ms(percent).unwrap_or(u32::MAX);
            durations.sort_unstable();
            let rank = (durations.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = durations[rank - 1];
            prop_assert!(found.abs_diff(exact) <= exact / 4, "found {found}, exact {exact}");
        }

        #[test]
        fn percentiles_only_grow(durations in prop::collection::vec(0u32..200_000, 1..50)) {
            let histogram = histogram_of(&durations);
            let all: Vec<Option<u32>> = (0..=100).map(|percent| histogram.percentile_ms(percent)).collect();
            prop_assert!(all.is_sorted());
        }

        #[test]
        fn sums_are_those_of_the_parts_and_texts_read_back(a in prop::collection::vec(any::<u32>(), 0..50), b in prop::collection::vec(any::<u32>(), 0..50)) {
            let mut sum = histogram_of(&a);
            sum.merge(&histogram_of(&b));
            prop_assert_eq!(sum, histogram_of(&[a, b].concat()));
            prop_assert_eq!(Histogram::parse(&sum.to_text()), Some(sum));
        }

        #[test]
        fn outcomes_read_back(classes in prop::collection::vec(0..OutcomeClass::ALL.len(), 0..50)) {
            let mut outcomes = Outcomes::default();
            for class in &classes {
                outcomes.add(OutcomeClass::ALL[*class]);
            }
            prop_assert_eq!(Outcomes::parse(&outcomes.to_text()), Some(outcomes));
            prop_assert_eq!(outcomes.iter().map(|(_, count)| count).sum::<u64>(), classes.len() as u64);
        }
    }
}
