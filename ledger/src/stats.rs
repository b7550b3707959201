//! Counts: what was attempted and how it ended, by the hour, webhook and event type.
//!
//! [`crate::row::stat::count_attempts`] adds to them in the commit of the reports that they count, so they
//! never say more or less than the record of attempts did at that moment. A row is written once per commit,
//! however many attempts of it were reported. Reading adds hours up to what a chart shows. Rows are ordered
//! by hour, so a range of time is a range of keys; for one webhook each hour is looked up on its own.

use std::collections::BTreeMap;

use postern_core::api::stats::{
    BUCKETS_MAX, StatsBucket, StatsCounts, StatsView, WEBHOOKS_MAX, WebhookStats,
};
use postern_core::id::{Kind, Seq};
use postern_core::query::StatsQuery;
use postern_core::stats::Tally;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::stat::{COLUMNS, Counted, HOUR_MS, hour_of};
use crate::sql::{Row, Sql, Value};

/// Rows that one query reads.
const READ_AT_ONCE: u32 = 2_000;
/// Hours of one webhook that one query looks up.
const HOURS_AT_ONCE: i64 = 1_000;
/// Rows that one answer adds up at most.
const ROWS_MAX: usize = 1_000_000;

/// What is added up of the rows that a query asks for.
struct Sums {
    totals: Tally,
    buckets: Vec<Tally>,
    webhooks: BTreeMap<Seq, Tally>,
    first_ms: i64,
    width_ms: i64,
    rows: usize,
}

impl Sums {
    /// More rows were read.
    fn read(&mut self, rows: usize) -> Result<(), LedgerError> {
        self.rows += rows;
        if self.rows > ROWS_MAX {
            return Err(LedgerError::StateConflict {
                why: "too much was counted in this time: ask for less of it, or for one webhook",
            });
        }
        Ok(())
    }

    fn add(&mut self, row: &Row) -> Result<(), LedgerError> {
        let Counted { hour, webhook, tally } = Counted::read(row)?;
        self.totals.merge(&tally);
        self.webhooks.entry(webhook).or_default().merge(&tally);
        let at =
            usize::try_from((hour * HOUR_MS - self.first_ms).div_euclid(self.width_ms)).unwrap_or(usize::MAX);
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.merge(&tally);
        }
        Ok(())
    }
}

impl<S: Sql> Ledger<S> {
    /// The counts of a time, hour by hour or day by day. An hour that has started is counted as far as it has
    /// come.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] for an unknown webhook; [`LedgerError::StateConflict`] where more than a
    /// million rows would have to be added up; the database fails.
    pub fn stats(&self, query: &StatsQuery) -> Result<StatsView, LedgerError> {
        let webhook = match &query.webhook {
            Some(name) => Some(self.roster.named(name).ok_or(LedgerError::NotFound { what: "webhook" })?),
            None => None,
        };
        let (first_ms, width_ms) = (query.bucket.start_of(query.since).0, query.bucket.ms());
        let spanned_ms = query.until.0.saturating_sub(first_ms).max(1);
        let buckets = usize::try_from(spanned_ms.div_euclid(width_ms) + i64::from(spanned_ms % width_ms > 0))
            .unwrap_or(0);
        let mut sums = Sums {
            totals: Tally::default(),
            buckets: vec![Tally::default(); buckets.min(BUCKETS_MAX as usize)],
            webhooks: BTreeMap::new(),
            first_ms,
            width_ms,
            rows: 0,
        };
        let (first_hour, end_hour) =
            (hour_of(Timestamp(first_ms)), hour_of(Timestamp(first_ms + spanned_ms - 1)) + 1);
        match webhook {
            Some(webhook) => {
                self.sum_webhook(&mut sums, webhook, query.kind.as_deref(), first_hour, end_hour)?;
            }
            None => self.sum_all(&mut sums, query.kind.as_deref(), first_hour, end_hour)?,
        }
        Ok(self.stats_view(&sums))
    }

    /// Every webhook: the range of keys from one hour to the other, a part at a time.
    fn sum_all(
        &self,
        sums: &mut Sums,
        kind: Option<&str>,
        first_hour: i64,
        end_hour: i64,
    ) -> Result<(), LedgerError> {
        let mut after = (first_hour, Seq::ZERO, String::new());
        loop {
            let rows = self.sql.run(
                &format!(
                    "SELECT {COLUMNS} FROM stat AS s
                     WHERE (s.hour, s.webhook, s.type) > (?1, ?2, ?3) AND s.hour < ?4 ORDER BY s.hour, s.webhook, s.type LIMIT ?5"
                ),
                &[Value::from(after.0), Value::from(after.1), Value::Text(after.2), Value::from(end_hour), Value::from(READ_AT_ONCE)],
            )?;
            sums.read(rows.len())?;
            for row in rows.iter().filter(|row| kind.is_none_or(|kind| row.text(2) == Ok(kind))) {
                sums.add(row)?;
            }
            match rows.last() {
                Some(last) if rows.len() >= READ_AT_ONCE as usize => {
                    after = (last.integer(0)?, last.seq(1)?, String::from(last.text(2)?));
                }
                _ => return Ok(()),
            }
        }
    }

    /// One webhook: each hour is looked up, so that those of others are not read.
    fn sum_webhook(
        &self,
        sums: &mut Sums,
        webhook: Seq,
        kind: Option<&str>,
        first_hour: i64,
        end_hour: i64,
    ) -> Result<(), LedgerError> {
        let mut from = first_hour;
        while from < end_hour {
            let to = end_hour.min(from + HOURS_AT_ONCE);
            let rows = self.sql.run(
                &format!(
                    "WITH RECURSIVE hours (hour) AS (SELECT ?1 UNION ALL SELECT hour + 1 FROM hours WHERE hour + 1 < ?2)
                     SELECT {COLUMNS} FROM hours CROSS JOIN stat AS s ON s.hour = hours.hour AND s.webhook = ?3
                     WHERE ?4 IS NULL OR s.type = ?4"
                ),
                &[Value::from(from), Value::from(to), Value::from(webhook), Value::from(kind)],
            )?;
            sums.read(rows.len())?;
            rows.iter().try_for_each(|row| sums.add(row))?;
            from = to;
        }
        Ok(())
    }

    fn stats_view(&self, sums: &Sums) -> StatsView {
        let bucket = |at_ms: i64, tally: &Tally| StatsBucket {
            at: Timestamp(at_ms),
            counts: StatsCounts::from(tally),
        };
        let starts = (0..).map(|number: i64| sums.first_ms + number * sums.width_ms);
        let mut webhooks: Vec<(&Seq, &Tally)> = sums.webhooks.iter().collect();
        webhooks.sort_by_key(|(_webhook, tally)| std::cmp::Reverse((tally.failed(), tally.attempts)));
        let named = webhooks.into_iter().take(WEBHOOKS_MAX).map(|(webhook, tally)| WebhookStats {
            webhook: self.roster.get(*webhook).map(|member| String::from(member.name())),
            webhook_id: self.ids.id(Kind::Webhook, *webhook),
            counts: StatsCounts::from(tally),
        });
        StatsView {
            totals: bucket(sums.first_ms, &sums.totals),
            buckets: starts.zip(&sums.buckets).map(|(at_ms, tally)| bucket(at_ms, tally)).collect(),
            webhooks: named.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_core::api::stats::BucketWidth;
    use postern_core::delivery::Outcome;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::row::stat::{StatNote, count_attempts};
    use crate::support::build::{START, attempt_due, create, ledger, post, webhook};
    use crate::support::native::Native;
    use postern_core::stats::OutcomeClass;

    fn noted(webhook: i64, kind: &str, at: Timestamp, class: OutcomeClass, duration_ms: u32) -> StatNote {
        let delivered = class == OutcomeClass::Success;
        StatNote {
            webhook: Seq(webhook),
            kind: String::from(kind),
            at,
            class,
            delivered,
            first: true,
            duration_ms,
        }
    }

    fn rows(sql: &Native) -> Vec<(i64, String)> {
        let rows = sql.run("SELECT attempts, outcomes FROM stat ORDER BY hour, webhook, type", &[]).unwrap();
        rows.iter().map(|row| (row.integer(0).unwrap(), String::from(row.text(1).unwrap()))).collect()
    }

    fn query(since: Timestamp, until: Timestamp, bucket: BucketWidth) -> StatsQuery {
        StatsQuery { webhook: None, kind: None, since, until, bucket }
    }

    fn attempts(view: &StatsView) -> Vec<u64> {
        view.buckets.iter().map(|bucket| bucket.counts.attempts).collect()
    }

    #[test]
    fn notes_of_one_hour_webhook_and_type_are_one_row_now_and_later() {
        let ledger = ledger();
        let hour = Timestamp(hour_of(START) * HOUR_MS);
        let success = OutcomeClass::Success;
        let mut notes = vec![
            noted(1, "a", hour, success, 40),
            noted(1, "a", hour.plus_ms(HOUR_MS - 1), OutcomeClass::TimedOut, 40),
            noted(1, "b", hour, success, 40),
            noted(2, "a", hour, success, 40),
            noted(1, "a", hour.plus_ms(HOUR_MS), success, 40),
        ];
        count_attempts(&ledger.sql, &notes).unwrap();
        let once: Vec<(i64, String)> = [(2, "2xx:1 timed_out:1"), (1, "2xx:1"), (1, "2xx:1"), (1, "2xx:1")]
            .map(|(count, text)| (count, String::from(text)))
            .into();
        assert_eq!(rows(&ledger.sql), once);
        notes.truncate(1);
        count_attempts(&ledger.sql, &notes).unwrap();
        assert_eq!(rows(&ledger.sql)[0], (3, String::from("2xx:2 timed_out:1")));
        count_attempts(&ledger.sql, &[]).unwrap();
        assert_eq!(rows(&ledger.sql).len(), 4);
    }

    #[test]
    fn a_report_is_counted_as_it_ended() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for status in [200, 200, 503] {
            post(&mut ledger, "order.paid");
            attempt_due(&mut ledger, START, Outcome::Answered { status });
        }
        let view =
            ledger.stats(&query(START.plus_ms(-HOUR_MS), START.plus_ms(1), BucketWidth::Hour)).unwrap();
        let totals = &view.totals.counts;
        assert_eq!((totals.attempts, totals.delivered, totals.failed, totals.at_once), (3, 2, 1, 2));
        assert_eq!(
            totals.outcomes.clone().into_iter().collect::<Vec<_>>(),
            [(String::from("2xx"), 2), (String::from("5xx"), 1)]
        );
        assert!(totals.p50_ms.is_some_and(|ms| (32..48).contains(&ms)), "{:?}", totals.p50_ms);
        assert_eq!(attempts(&view), [0, 3]);
        assert_eq!((view.webhooks.len(), view.webhooks[0].webhook.as_deref()), (1, Some("w")));
    }

    #[test]
    fn buckets_cover_the_time_and_hold_what_fell_into_it() {
        let ledger = ledger();
        let day = BucketWidth::Day.start_of(START);
        let notes: Vec<StatNote> = [-1, 0, HOUR_MS, 24 * HOUR_MS - 1, 24 * HOUR_MS, 48 * HOUR_MS]
            .into_iter()
            .map(|ms| noted(1, "a", day.plus_ms(ms), OutcomeClass::Success, 1))
            .collect();
        count_attempts(&ledger.sql, &notes).unwrap();
        let days = ledger.stats(&query(day, day.plus_ms(48 * HOUR_MS), BucketWidth::Day)).unwrap();
        assert_eq!((attempts(&days), days.totals.counts.attempts), (vec![3, 1], 4));
        assert_eq!((days.totals.at, days.buckets[1].at), (day, day.plus_ms(24 * HOUR_MS)));
        let hours = ledger.stats(&query(day, day.plus_ms(2 * HOUR_MS + 1), BucketWidth::Hour)).unwrap();
        assert_eq!(attempts(&hours), [1, 1, 0]);
    }

    #[test]
    fn one_webhook_and_one_type_can_be_asked_for() {
        let mut ledger = ledger();
        let (a, b) = (create(&mut ledger, webhook("a", "*")), create(&mut ledger, webhook("b", "*")));
        let notes: Vec<StatNote> = (0..30)
            .map(|number| {
                let at = START.plus_ms(-number * HOUR_MS);
                noted(
                    if number % 3 == 0 { a.0 } else { b.0 },
                    if number % 2 == 0 { "x" } else { "y" },
                    at,
                    OutcomeClass::Refused,
                    1,
                )
            })
            .collect();
        count_attempts(&ledger.sql, &notes).unwrap();
        let check = |webhook: Option<&str>, kind: Option<&str>, expected: u64| {
            let asked = StatsQuery {
                webhook: webhook.map(String::from),
                kind: kind.map(String::from),
                ..query(START.plus_ms(-40 * HOUR_MS), START.plus_ms(1), BucketWidth::Hour)
            };
            let view = ledger.stats(&asked).unwrap();
            assert_eq!(
                (view.totals.counts.attempts, attempts(&view).iter().sum::<u64>()),
                (expected, expected),
                "{webhook:?} {kind:?}"
            );
        };
        check(None, None, 30);
        check(Some("a"), None, 10);
        check(Some("b"), None, 20);
        check(None, Some("x"), 15);
        check(Some("a"), Some("x"), 5);
        let unknown = StatsQuery {
            webhook: Some(String::from("c")),
            ..query(START, START.plus_ms(1), BucketWidth::Hour)
        };
        assert_eq!(ledger.stats(&unknown), Err(LedgerError::NotFound { what: "webhook" }));
    }

    #[test]
    fn more_rows_than_one_query_reads_are_added_up_all_the_same() {
        let ledger = ledger();
        let notes: Vec<StatNote> = (0..i64::from(READ_AT_ONCE) + 500)
            .map(|webhook| noted(webhook, "a", START, OutcomeClass::Dns, 1))
            .collect();
        count_attempts(&ledger.sql, &notes).unwrap();
        let view =
            ledger.stats(&query(START.plus_ms(-HOUR_MS), START.plus_ms(1), BucketWidth::Hour)).unwrap();
        assert_eq!((view.totals.counts.attempts, view.webhooks.len()), (2_500, WEBHOOKS_MAX));
    }

    #[test]
    fn the_webhooks_that_failed_most_come_first_deleted_ones_too() {
        let mut ledger = ledger();
        let well = create(&mut ledger, webhook("well", "*"));
        let mut notes = vec![noted(well.0, "a", START, OutcomeClass::Success, 1); 9];
        notes.extend(vec![noted(7, "a", START, OutcomeClass::Connection, 1); 2]);
        count_attempts(&ledger.sql, &notes).unwrap();
        let view =
            ledger.stats(&query(START.plus_ms(-HOUR_MS), START.plus_ms(1), BucketWidth::Hour)).unwrap();
        let named: Vec<(Option<&str>, u64)> =
            view.webhooks.iter().map(|of| (of.webhook.as_deref(), of.counts.failed)).collect();
        assert_eq!(named, [(None, 2), (Some("well"), 0)]);
    }
}
