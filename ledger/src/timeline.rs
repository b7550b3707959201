//! One notion of time: when a row was created, as people are shown it, and which keys were created since an
//! instant.
//!
//! Two facts make it exact. Creation times of events and deliveries never go back as keys go up
//! ([`Ledger::stamp`]), whatever the clock does; and no key lies before the time of its row, because keys run
//! ahead where one millisecond holds more than 4,096 of them. So the keys of a time are one range, and its
//! ends are found in a few steps of a table's tree.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::keys::{first_key, read_created};
use crate::sql::{Sql, Value, first};

/// What is selected by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeline {
    /// Events, by when they were accepted.
    Events,
    /// Deliveries, by when they were made: with their event, or by the replay that made up for it.
    Deliveries,
}

impl Timeline {
    /// The first row at a key or above it: its key, whether a replay made it, and when its event was
    /// accepted.
    const fn next_statement(self) -> &'static str {
        match self {
            Self::Events => "SELECT seq, 0, accepted_at_ms FROM event WHERE seq >= ?1 ORDER BY seq LIMIT 1",
            Self::Deliveries => {
                "SELECT d.seq, d.late, e.accepted_at_ms FROM delivery AS d CROSS JOIN event AS e ON e.seq = d.event
                 WHERE d.seq >= ?1 ORDER BY d.seq LIMIT 1"
            }
        }
    }
}

impl<S: Sql> Ledger<S> {
    /// The creation time of an event that is accepted at `now`: not before anything that was created earlier.
    pub(crate) fn stamp(&self, now: Timestamp) -> Timestamp {
        self.stamped.set(self.stamped.get().max(now));
        self.stamped.get()
    }

    /// Notes that a replay made a delivery with the newest key.
    pub(crate) fn stamp_newest_key(&self) {
        self.stamp(Timestamp(self.last_key().unix_ms()));
    }

    /// Reads the newest creation time, after a start.
    pub(crate) fn load_stamp(&mut self) -> Result<(), LedgerError> {
        let newest = self.sql.run(
            "SELECT seq, late, 0 FROM delivery WHERE seq = (SELECT max(seq) FROM delivery)
             UNION ALL SELECT seq, 0, accepted_at_ms FROM event WHERE seq = (SELECT max(seq) FROM event)",
            &[],
        )?;
        for row in &newest {
            self.stamp(read_created(row, 0)?.1);
        }
        Ok(())
    }

    /// The key that parts a timeline at `at`: rows below it were created before, those from it on at `at` or
    /// later.
    pub(crate) fn first_created(&self, of: Timeline, at: Timestamp) -> Result<Seq, LedgerError> {
        let next_before = |from: Seq| -> Result<Option<Seq>, LedgerError> {
            let row = first(self.sql.run(of.next_statement(), &[Value::from(from)])?);
            let created = row.map(|row| read_created(&row, 0)).transpose()?;
            Ok(created.filter(|(_seq, created_at)| *created_at < at).map(|(seq, _created_at)| seq))
        };
        let mut high = first_key(at);
        // Seldom more than this one look: only where keys ran ahead of the clock is there an older row behind
        // `high`.
        let Some(mut low) = next_before(high)? else { return Ok(high) };
        let mut width = 1;
        loop {
            high = Seq(low.0.saturating_add(width)).min(Seq::LAST);
            match next_before(high)? {
                Some(older) if older < Seq::LAST => low = older,
                _ => break,
            }
            width *= 2;
        }
        while high.0 - low.0 > 1 {
            let middle = Seq(low.0 + (high.0 - low.0) / 2);
            match next_before(middle)? {
                Some(older) => low = older,
                None => high = middle,
            }
        }
        Ok(high)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use postern_core::api::delivery::DeliveryView;
    use postern_core::delivery::{Outcome, State};
    use postern_core::id::Kind;
    use postern_core::replay::ReplayQuery;
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::support::build::{START, attempt, create, event, ledger, missing, webhook};
    use crate::support::native::Native;
    use crate::{DeliveryFilter, ExportFilter, Exported, InlineLimit, Report};

    type Project = Ledger<Rc<Native>>;

    /// Every line of an export, with the time that it shows.
    fn exported(shown: &str, page: impl Fn(Option<Seq>) -> Exported) -> BTreeMap<String, i64> {
        let (mut lines, mut after) = (BTreeMap::new(), None);
        loop {
            let Exported { lines: text, next } = page(after);
            for line in text.lines() {
                let line: Json = serde_json::from_str(line).unwrap();
                let at = Timestamp::parse_rfc3339(line[shown].as_str().unwrap()).unwrap();
                lines.insert(String::from(line["id"].as_str().unwrap()), at.0);
            }
            if next.is_none() {
                return lines;
            }
            after = next;
        }
    }

    fn events(ledger: &Project, since: Option<i64>, until: Option<i64>) -> BTreeMap<String, i64> {
        let filter = ExportFilter {
            since: since.map(Timestamp),
            until: until.map(Timestamp),
            ..ExportFilter::default()
        };
        exported("accepted_at", |after| ledger.export_events(&filter, after).unwrap())
    }

    fn deliveries(ledger: &Project, since: Option<i64>, until: Option<i64>) -> BTreeMap<String, i64> {
        let filter = ExportFilter {
            since: since.map(Timestamp),
            until: until.map(Timestamp),
            ..ExportFilter::default()
        };
        exported("created_at", |after| ledger.export_deliveries(&filter, after).unwrap())
    }

    fn replayed(ledger: &Project, since: i64, until: i64, missing: bool) -> u32 {
        let states = if missing { Vec::new() } else { vec![State::Delivered] };
        let webhook = missing.then(|| String::from("late"));
        let query = ReplayQuery {
            webhook,
            since: Some(Timestamp(since)),
            until: Some(Timestamp(until)),
            states,
            types: Vec::new(),
            missing,
        };
        ledger.count_replay(query, Timestamp(until)).unwrap().count
    }

    /// Delivers everything that is due.
    fn deliver(ledger: &mut Project, now: Timestamp) {
        loop {
            let tickets = ledger.lease_due(now, 100).unwrap().tickets;
            let works = ledger.claim(&tickets, now).unwrap().works;
            if works.is_empty() {
                return;
            }
            let report = |work: &crate::Work| Report {
                delivery: work.delivery,
                attempt: attempt(work.attempt, Outcome::Answered { status: 200 }, now),
            };
            ledger.report(works.iter().map(report).collect(), now).unwrap();
        }
    }

    fn between(all: &BTreeMap<String, i64>, since: i64, until: i64) -> BTreeMap<String, i64> {
        all.iter()
            .filter(|(_id, at)| (since..until).contains(*at))
            .map(|(id, at)| (id.clone(), *at))
            .collect()
    }

    #[test]
    fn a_batch_of_one_millisecond_is_in_that_millisecond_however_many_keys_it_takes() {
        let mut ledger = ledger();
        for number in 0..41 {
            create(&mut ledger, webhook(&format!("w{number}"), "*"));
        }
        let now = START.plus_ms(1_000);
        let taken = ledger.ingest((0..100).map(|_number| event("a")).collect(), InlineLimit(0), now).unwrap();
        assert!(taken.changed.last().unwrap().unix_ms() > now.0, "the keys ran ahead of the clock");
        let last = ledger.ids().seq(Kind::Event, &taken.accepted[99].id).unwrap();
        assert!(last.unix_ms() > now.0);
        ledger.ingest(vec![event("b")], InlineLimit(0), now.plus_ms(1)).unwrap();
        assert_eq!(events(&ledger, Some(now.0), Some(now.0 + 1)).len(), 100);
        assert_eq!(deliveries(&ledger, Some(now.0), Some(now.0 + 1)).len(), 4_100);
        assert_eq!(events(&ledger, Some(now.0 + 1), None).len(), 1);
        assert_eq!(deliveries(&ledger, Some(now.0 + 1), None).len(), 41);
        assert_eq!(events(&ledger, None, Some(now.0)).len(), 0);
    }

    #[test]
    fn retention_goes_by_the_time_that_is_shown() {
        let mut ledger = ledger();
        for number in 0..41 {
            create(&mut ledger, webhook(&format!("w{number}"), "*"));
        }
        ledger.ingest((0..100).map(|_number| event("a")).collect(), InlineLimit(0), START).unwrap();
        deliver(&mut ledger, START);
        ledger.ingest(vec![event("b")], InlineLimit(0), START.plus_ms(1)).unwrap();
        deliver(&mut ledger, START.plus_ms(1));
        let old = START.plus_ms(30 * 86_400_000 + 1);
        while ledger.retention_step(old).unwrap() {}
        assert_eq!((events(&ledger, None, None).len(), deliveries(&ledger, None, None).len()), (1, 41));
    }

    #[test]
    fn a_delivery_that_a_replay_made_is_as_old_as_it_says() {
        let mut ledger = ledger();
        ledger.ingest(vec![event("a")], InlineLimit(0), START).unwrap();
        create(&mut ledger, webhook("late", "*"));
        let later = START.plus_ms(5_000);
        let query = missing("late");
        ledger.create_replay(query, later).unwrap();
        assert_eq!(ledger.replay_step(later, 10).unwrap().changed.len(), 1);
        let view = |ledger: &Project| -> DeliveryView {
            ledger.list_deliveries(&DeliveryFilter::default(), 10, None).unwrap().items.remove(0)
        };
        assert_eq!(view(&ledger).created_at, later);
        assert_eq!(deliveries(&ledger, Some(later.0), Some(later.0 + 1)).len(), 1);
        assert_eq!(deliveries(&ledger, None, Some(later.0)).len(), 0);
    }

    /// What happens between two looks.
    #[derive(Clone, Debug)]
    enum Step {
        Batch {
            events: usize,
            kind: &'static str,
        },
        /// Keys run ahead of the clock.
        Reserve {
            keys: usize,
        },
        Deliver,
        Replay,
        Restart,
    }

    fn step() -> impl Strategy<Value = (i64, Step)> {
        let what = prop_oneof![
            5 => (1_usize..20, prop::sample::select(vec!["many", "few", "none"])).prop_map(|(events, kind)| Step::Batch { events, kind }),
            3 => (3_000_usize..9_000).prop_map(|keys| Step::Reserve { keys }),
            1 => Just(Step::Deliver),
            2 => Just(Step::Replay),
            1 => Just(Step::Restart),
        ];
        // The clock stands still, goes on, and at times goes back.
        (prop_oneof![3 => Just(0_i64), 3 => 1_i64..4, 1 => -3_i64..0, 1 => 1_000_i64..2_000], what)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Whatever is selected by time is what shows a time in that range; nothing is in two ranges, or in
        /// none.
        #[test]
        fn what_is_selected_by_time_is_what_shows_that_time(
            steps in prop::collection::vec(step(), 1..24),
            cuts in prop::collection::vec((0_usize..1_000, 0_i64..2), 6),
        ) {
            let mut ledger = ledger();
            for number in 0..3 {
                create(&mut ledger, webhook(&format!("w{number}"), "many"));
            }
            create(&mut ledger, webhook("few", "few"));
            create(&mut ledger, webhook("late", "nothing.yet"));
            let mut now = START;
            for (ms, what) in steps {
                now = now.plus_ms(ms);
                match what {
                    Step::Batch { events, kind } => {
                        ledger.ingest((0..events).map(|_number| event(kind)).collect(), InlineLimit(0), now).unwrap();
                    }
                    Step::Reserve { keys } => (0..keys).for_each(|_key| assert!(ledger.reserve(now) > Seq::ZERO)),
                    Step::Deliver => deliver(&mut ledger, now),
                    Step::Replay => {
                        let wants = ["few", "none"].map(|kind| postern_core::filter::EventPattern::parse(kind).unwrap());
                        ledger.update_webhook("late", postern_core::webhook::Definition { events: wants.into(), ..webhook("late", "x") }, None, now).unwrap();
                        let (webhook, states) = (Some(String::from("late")), Vec::new());
                        let query = ReplayQuery { webhook, since: None, until: None, states, types: Vec::new(), missing: true };
                        ledger.create_replay(query, now).unwrap();
                        while ledger.replay_step(now, 500).unwrap().replay.is_some() {}
                    }
                    Step::Restart => ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap(),
                }
            }
            // The clock may have gone back behind what is due.
            deliver(&mut ledger, START.plus_ms(1_000_000));
            let (all_events, all_deliveries) = (events(&ledger, None, None), deliveries(&ledger, None, None));
            let mut shown: Vec<i64> = all_events.values().chain(all_deliveries.values()).copied().collect();
            shown.push(START.0);
            let mut cuts: Vec<i64> = cuts.into_iter().map(|(at, beside)| shown[at % shown.len()] + beside).collect();
            cuts.sort_unstable();
            for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
                let (since, until) = (pair[0], pair[1]);
                prop_assert_eq!(&events(&ledger, Some(since), Some(until)), &between(&all_events, since, until));
                let wanted = between(&all_deliveries, since, until);
                prop_assert_eq!(&deliveries(&ledger, Some(since), Some(until)), &wanted);
                prop_assert_eq!(replayed(&ledger, since, until, false) as usize, wanted.len());
            }
            let listed = |cursor: Option<&str>| ledger.list_deliveries(&DeliveryFilter::default(), 200, cursor).unwrap();
            let mut page = listed(None);
            let mut times: Vec<Timestamp> = page.items.iter().map(|view| view.created_at).collect();
            while let Some(next) = page.next.take() {
                page = listed(Some(&next));
                times.extend(page.items.iter().map(|view| view.created_at));
            }
            prop_assert!(times.is_sorted_by(|newer, older| newer >= older), "lists are newest first by the time that they show");
            prop_assert_eq!(times.len(), all_deliveries.len());
        }
    }
}
