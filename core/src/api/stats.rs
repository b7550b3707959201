//! Statistics of attempts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::Tally;
use crate::time::Timestamp;

/// Buckets of an answer at most.
pub const BUCKETS_MAX: u32 = 750;
/// Webhooks of an answer at most: those with the most failures.
pub const WEBHOOKS_MAX: usize = 50;

/// The width of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BucketWidth {
    /// From one full hour (UTC) to the next.
    #[default]
    Hour,
    /// From one midnight (UTC) to the next.
    Day,
}

impl BucketWidth {
    /// Milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// When the bucket that `at` falls into starts.
    #[must_use]
    pub const fn start_of(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.div_euclid(self.ms()) * self.ms())
    }
}

/// The attempts of some time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatsBucket {
    /// When it starts.
    pub at: Timestamp,
    /// The counts.
    #[serde(flatten)]
    pub counts: StatsCounts,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatsCounts {
    /// Attempts made.
    pub attempts: u64,
    /// Of them, delivered.
    pub delivered: u64,
    /// Of them, not delivered.
    pub failed: u64,
    /// Delivered at the first attempt.
    pub at_once: u64,
    /// Delivered of all, 0 to 1; null where there was no attempt.
    #[serde(deserialize_with = "crate::json::float_or_none")]
    pub success_rate: Option<f64>,
    /// Milliseconds within which half of the answers came; null if no answer came.
    pub p50_ms: Option<u32>,
    /// The same of 95 %.
    pub p95_ms: Option<u32>,
    /// The same of 99 %.
    pub p99_ms: Option<u32>,
    /// How they ended: `2xx`, `3xx`, `4xx`, `5xx`, `timed_out`, `connection`, `dns`, `blocked`, `platform` or
    /// `lost`. What did not occur is left out.
    pub outcomes: BTreeMap<String, u64>,
}

impl From<&Tally> for StatsCounts {
    fn from(tally: &Tally) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a float has")]
        let success_rate = (tally.attempts > 0).then(|| tally.delivered as f64 / tally.attempts as f64);
        Self {
            attempts: tally.attempts,
            delivered: tally.delivered,
            failed: tally.failed(),
            at_once: tally.at_once,
            success_rate,
            p50_ms: tally.latency.percentile_ms(50),
            p95_ms: tally.latency.percentile_ms(95),
            p99_ms: tally.latency.percentile_ms(99),
            outcomes: tally
                .outcomes
                .iter()
                .map(|(class, count)| (String::from(class.as_str()), count))
                .collect(),
        }
    }
}

/// One webhook of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WebhookStats {
    /// Its name; null where it was deleted.
    pub webhook: Option<String>,
    /// `whk_…`
    pub webhook_id: String,
    /// The counts.
    #[serde(flatten)]
    pub counts: StatsCounts,
}

/// Answer to `GET stats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatsView {
    /// The whole time; `at` is its start.
    pub totals: StatsBucket,
    /// Every bucket of the time, oldest first, those without an attempt too.
    pub buckets: Vec<StatsBucket>,
    /// The webhooks with the most failures, at most [`WEBHOOKS_MAX`].
    pub webhooks: Vec<WebhookStats>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Outcome;
    use crate::stats::{CountedAttempt, OutcomeClass};

    #[test]
    fn the_wire_is_flat_and_reads_back() {
        let mut tally = Tally::default();
        for (outcome, duration_ms, taken) in
            [(Outcome::Answered { status: 200 }, 40, true), (Outcome::Lost, 0, false)]
        {
            let class = OutcomeClass::from_outcome(&outcome);
            tally.add(&CountedAttempt { class, duration_ms, delivered: taken, first: taken });
        }
        let bucket = StatsBucket { at: Timestamp(0), counts: StatsCounts::from(&tally) };
        let json = serde_json::to_value(&bucket).unwrap_or_default();
        assert_eq!(json["success_rate"], serde_json::json!(0.5));
        assert_eq!(json["outcomes"], serde_json::json!({"2xx": 1, "lost": 1}));
        assert_eq!(serde_json::from_value::<StatsBucket>(json).ok(), Some(bucket));
        assert_eq!(StatsCounts::from(&Tally::default()).success_rate, None);
    }

    #[test]
    fn buckets_begin_on_the_hour_and_at_midnight() {
        let at = Timestamp(1_795_270_051_204);
        assert_eq!(BucketWidth::Hour.start_of(at).to_rfc3339(), "2026-11-21T14:00:00.000Z");
        assert_eq!(BucketWidth::Day.start_of(at).to_rfc3339(), "2026-11-21T00:00:00.000Z");
    }
}
