//! Counting deliveries by where they stand: the totals that a person wants to know first, and a histogram.
//!
//! Both count what [`Ledger::list_deliveries`] lists for the same filter and time. What one request looks at
//! is bounded; where there is more, the answer is of a later time, and says of which.

use postern_core::api::delivery::{DeliveryHistogram, HistogramBin, StateCounts};
use postern_core::api::totals::{DeadTotal, MadeTotal, OpenTotal, TotalsView};
use postern_core::delivery::State;
use postern_core::histogram;
use postern_core::id::Seq;
use postern_core::query::{HistogramQuery, TotalsQuery};
use postern_core::search::DeliveryFilter;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::keys::read_created;
use crate::row::text::state_of;
use crate::search::{Bound, DeliverySearch, Events};
use crate::sql::{Sql, Value, first};
use crate::timeline::Timeline;

/// Open deliveries that are counted at most.
const OPEN_MAX: u32 = 100_000;

impl<S: Sql> Ledger<S> {
    /// What a person wants to know first, each total of what the list of its filter holds.
    ///
    /// # Errors
    /// The database fails.
    pub fn totals(&self, query: &TotalsQuery) -> Result<TotalsView, LedgerError> {
        let TotalsQuery { since, until } = *query;
        let of_time = DeliveryFilter { since: Some(since), until: Some(until), ..DeliveryFilter::default() };
        let (made, made_from) = self.stand_of(&of_time)?;
        let (dead, dead_from) = self.stand_of(&DeliveryFilter { state: Some(State::Dead), ..of_time })?;
        Ok(TotalsView {
            until,
            made: MadeTotal { since: made_from.unwrap_or(since), counts: made },
            dead: DeadTotal { since: dead_from.unwrap_or(since), count: dead.dead },
            open: self.open_total()?,
            webhooks: self.count_webhooks(),
        })
    }

    /// Deliveries by when they were made and where they stand.
    ///
    /// # Errors
    /// The database fails.
    pub fn delivery_histogram(&self, query: &HistogramQuery) -> Result<DeliveryHistogram, LedgerError> {
        let HistogramQuery { since, until, filter } = query;
        let starts = histogram::starts(*since, *until);
        let bin = |at: &Timestamp| HistogramBin { at: *at, counts: StateCounts::default() };
        let mut bins: Vec<HistogramBin> = starts.iter().map(bin).collect();
        let mut searched_to = None;
        if let Some((search, from)) = self.bounded_search(filter)? {
            searched_to = from;
            // The first bin holds all that is older than the second.
            let key = |at: &Timestamp| self.first_created(Timeline::Deliveries, *at);
            let keys: Vec<Seq> = starts.iter().skip(1).map(key).collect::<Result<_, _>>()?;
            self.count_parts(&search, &keys, |at, state, number| {
                if let Some(bin) = bins.get_mut(at) {
                    bin.counts.add(state, number);
                }
            })?;
        }
        Ok(DeliveryHistogram {
            since: *since,
            until: *until,
            bins,
            exact: searched_to.is_none(),
            searched_to,
        })
    }

    /// How many of a list stand where, and from when on, where not all were looked at.
    fn stand_of(&self, filter: &DeliveryFilter) -> Result<(StateCounts, Option<Timestamp>), LedgerError> {
        let mut counts = StateCounts::default();
        let Some((search, from)) = self.bounded_search(filter)? else { return Ok((counts, None)) };
        self.count_parts(&search, &[], |_at, state, number| counts.add(state, number))?;
        Ok((counts, from))
    }

    /// Counts what is found between these keys, by state: the place of the part, from 0 for what lies below
    /// the first key.
    fn count_parts(
        &self,
        search: &DeliverySearch<'_>,
        keys: &[Seq],
        mut count: impl FnMut(usize, State, u32),
    ) -> Result<(), LedgerError> {
        let mut bound = Bound::default();
        let statement = format!(
            "SELECT {} AS part, d.state, count(*) {} GROUP BY part, d.state",
            part_of(0, keys),
            search.source(Events::WhereAsked, &mut bound)?
        );
        for row in &self.sql.run(&statement, bound.values())? {
            count(row.number(0)? as usize, state_of(row.text(1)?)?, row.number(2)?);
        }
        Ok(())
    }

    /// Those that have not ended, and the oldest of them: each is in one index of open work, or leased
    /// inline.
    fn open_total(&self) -> Result<OpenTotal, LedgerError> {
        let count = self.count_open(OPEN_MAX)?;
        let exact = count < OPEN_MAX;
        let oldest_at = if exact { self.oldest_open()? } else { None };
        Ok(OpenTotal { count, exact, oldest_at })
    }

    /// When the oldest open delivery was made.
    fn oldest_open(&self) -> Result<Option<Timestamp>, LedgerError> {
        let rows = self.sql.run(
            "SELECT d.seq, d.late, e.accepted_at_ms FROM (SELECT min(seq) AS seq FROM (
                SELECT min(seq) AS seq FROM delivery INDEXED BY delivery_due WHERE next_at_ms IS NOT NULL
                UNION ALL SELECT min(seq) FROM delivery INDEXED BY delivery_parked WHERE parked = 1
                UNION ALL SELECT min(seq) FROM delivery INDEXED BY delivery_replayed WHERE parked = 3
                UNION ALL SELECT min(seq) FROM delivery INDEXED BY delivery_order WHERE order_key IS NOT NULL AND parked = 2
                UNION ALL SELECT ?1) AS j) AS k
             CROSS JOIN delivery AS d ON d.seq = k.seq CROSS JOIN event AS e ON e.seq = d.event",
            &[Value::from(self.gates.oldest_inline())],
        )?;
        let oldest = first(rows).map(|row| read_created(&row, 0)).transpose()?;
        Ok(oldest.map(|(_seq, created_at)| created_at))
    }
}

/// The place of the part in which the delivery `d` lies, in SQL: a search in halves, because 49 comparisons a
/// row would take longer than to read it. The keys are written out: a statement may have 100 parameters
/// (docs/platform.md 2.3).
fn part_of(first: usize, keys: &[Seq]) -> String {
    let (below, above) = keys.split_at(keys.len() / 2);
    match above.split_first() {
        None => first.to_string(),
        Some((key, above)) => format!(
            "CASE WHEN d.seq < {} THEN {} ELSE {} END",
            key.0,
            part_of(first, below),
            part_of(first + below.len() + 1, above)
        ),
    }
}
