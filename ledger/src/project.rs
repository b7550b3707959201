//! The project itself: opening, creating, key allocation, and when to wake up next.

use std::cell::Cell;

use postern_core::api::project::{ProjectCounts, ProjectDetail, ProjectSettings, ProjectView};
use postern_core::delivery::RetryTerms;
use postern_core::id::{IdSpace, Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;

use crate::schema;

use crate::error::LedgerError;
use crate::memory::acting::{Acting, Readings};
use crate::memory::ageing::Ageing;
use crate::memory::clock::{Replays, RunClock, Upkeep};
use crate::memory::gate::Gates;
use crate::memory::meters::Meters;
use crate::memory::roster::{Member, Roster};
use crate::memory::schemas::Schemas;
use crate::memory::tokens::TokenBook;
use crate::row::text::Extent;
use crate::row::{meta, outbox};
use crate::sql::{Sql, Value, atomically, first};

/// Deliveries are counted up to here for a project's overview.
const OPEN_COUNTED_MAX: u32 = 10_000;

/// One project: its database and what is kept of it in memory.
///
/// Not shared and never copied: the owner (one Durable Object) is the only writer.
#[derive(Debug)]
pub struct Ledger<S: Sql> {
    pub(crate) sql: S,
    pub(crate) ids: IdSpace,
    pub(crate) roster: Roster,
    pub(crate) gates: Gates,
    pub(crate) tokens: TokenBook,
    pub(crate) settings: ProjectSettings,
    pub(crate) replays: Replays,
    pub(crate) run_clock: RunClock,
    pub(crate) upkeep: Upkeep,
    pub(crate) ageing: Ageing,
    /// How much the configuration holds, or more, once somebody has counted it (`crate::config`). What is
    /// deleted is not taken off.
    pub(crate) configuration: Cell<Option<Extent>>,
    pub(crate) schemas: Schemas,
    /// The sealing key that all secrets are known to be under.
    pub(crate) sealed_under: Option<String>,
    /// Who does what follows.
    pub(crate) acting: Acting,
    pub(crate) readings: Readings,
    /// The limits of the project, and what is used of them.
    pub(crate) meters: Meters,
    /// The key up to which no inline lease is open, as the database has it, and when that was noted.
    pub(crate) inline_checked: (Seq, Timestamp),
    project: ProjectName,
    created_at: Timestamp,
    last: Cell<Seq>,
    /// The newest creation time that was given out.
    pub(crate) stamped: Cell<Timestamp>,
}

impl<S: Sql> Ledger<S> {
    /// Opens the project in `sql`, bringing its schema up to date. `None`: no project was created there;
    /// nothing is written then.
    ///
    /// # Errors
    /// The database fails, is damaged or was written by a newer program.
    pub fn open(sql: S) -> Result<Option<Self>, LedgerError> {
        if !schema::exists(&sql)? {
            return Ok(None);
        }
        let Some(row) = first(sql.run("SELECT schema, project, salt, created_at_ms FROM meta", &[])?) else {
            return Ok(None);
        };
        schema::upgrade(&sql, row.number(0)?)?;
        let project = ProjectName::parse(row.text(1)?)
            .ok_or(LedgerError::Corrupt { what: "the project's name is not valid" })?;
        let salt = u64::from_str_radix(row.text(2)?, 16)
            .map_err(|_no_hex| LedgerError::Corrupt { what: "the salt is not a number" })?;
        let created_at = row.timestamp(3)?;
        let mut ledger = Self {
            ids: IdSpace::new(salt),
            roster: Roster::default(),
            gates: Gates::default(),
            tokens: TokenBook::default(),
            settings: ProjectSettings::default(),
            replays: Replays::default(),
            run_clock: RunClock::default(),
            upkeep: Upkeep::default(),
            ageing: Ageing::default(),
            configuration: Cell::new(None),
            schemas: Schemas::default(),
            sealed_under: None,
            acting: Acting::postern(),
            readings: Readings::default(),
            meters: Meters::default(),
            inline_checked: (Seq::ZERO, Timestamp(0)),
            project,
            created_at,
            last: Cell::new(newest_key(&sql)?),
            stamped: Cell::new(Timestamp(0)),
            sql,
        };
        ledger.load_stamp()?;
        ledger.load_meters()?;
        ledger.load_settings()?;
        ledger.load_roster()?;
        ledger.load_gates()?;
        ledger.load_tokens()?;
        ledger.load_replays()?;
        ledger.load_schemas()?;
        Ok(Some(ledger))
    }

    /// Creates the project in an empty `sql`. `random` becomes the salt of its ids. Its own KV record waits
    /// in the outbox.
    ///
    /// # Errors
    /// [`LedgerError::NameTaken`] where a project lives there already, [`LedgerError::StateConflict`] where
    /// one of the same name is still being deleted; the database fails.
    pub fn create(sql: S, project: &ProjectName, random: u64, now: Timestamp) -> Result<Self, LedgerError> {
        if Self::is_created(&sql)? {
            return Err(LedgerError::NameTaken { what: "project" });
        }
        if schema::has_leftovers(&sql)? {
            let why = "a project of this name was just deleted, and its copies are being removed: try again in a minute";
            return Err(LedgerError::StateConflict { why });
        }
        let ids = IdSpace::new(random);
        atomically(&sql, |sql| {
            schema::migrate(sql, 0)?;
            meta::insert(sql, schema::NEWEST, project, ids, now)?;
            outbox::put(sql, outbox::PROJECT_ITEM, 1, now)
        })?;
        Self::open(sql)?.ok_or(LedgerError::Corrupt { what: "the project is gone" })
    }

    fn is_created(sql: &S) -> Result<bool, LedgerError> {
        Ok(schema::exists(sql)? && !sql.run("SELECT 1 FROM meta", &[])?.is_empty())
    }

    /// Turns keys into public ids and back.
    #[must_use]
    pub const fn ids(&self) -> IdSpace {
        self.ids
    }

    /// The project's name.
    #[must_use]
    pub const fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The project as lists show it.
    #[must_use]
    pub fn view(&self) -> ProjectView {
        ProjectView { name: self.project.clone(), created_at: self.created_at }
    }

    /// The project with how much is in it.
    ///
    /// # Errors
    /// The database fails.
    pub fn detail(&self) -> Result<ProjectDetail, LedgerError> {
        let rows =
            self.sql.run("SELECT (SELECT count(*) FROM webhook), (SELECT count(*) FROM inbox)", &[])?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        let counts = ProjectCounts {
            webhooks: row.number(0)?,
            inboxes: row.number(1)?,
            open: self.count_open(OPEN_COUNTED_MAX)?,
        };
        Ok(ProjectDetail {
            name: self.project.clone(),
            created_at: self.created_at,
            counts,
            settings: self.settings.clone(),
            sealed_under: self.sealed_under.clone(),
            quotas: self.quota_uses()?,
            full: self.is_full(),
            aged: self.aged(),
        })
    }

    /// Deliveries that have not ended, counted up to `most`: in the indexes that hold only them, and those
    /// that are leased inline.
    pub(crate) fn count_open(&self, most: u32) -> Result<u32, LedgerError> {
        let rows = self.sql.run(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE next_at_ms IS NOT NULL LIMIT ?1))
                + (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE parked = 1 LIMIT ?1))
                + (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE parked = 3 LIMIT ?1))
                + (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE order_key IS NOT NULL AND parked = 2 LIMIT ?1))",
            &[Value::from(most)],
        )?;
        let counted = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)?;
        Ok(counted.saturating_add(self.gates.inline_count()).min(most))
    }

    /// A key that nothing else gets: for what must know its id before it is stored (secrets are sealed under
    /// it).
    pub fn reserve(&mut self, now: Timestamp) -> Seq {
        self.next_key(now)
    }

    /// As [`Ledger::reserve`], for within a transaction. Where that is undone, its keys stay unused.
    pub(crate) fn next_key(&self, now: Timestamp) -> Seq {
        self.last.set(Seq::after(self.last.get(), now.0));
        self.last.get()
    }

    /// The newest key in use.
    pub(crate) fn last_key(&self) -> Seq {
        self.last.get()
    }

    /// What `core::delivery::decide` needs to know of a delivery to `member`, where no 410 came before.
    pub(crate) fn standing<'a>(
        &'a self,
        member: &'a Member,
        delivery: Seq,
        scheduled_attempts: u32,
    ) -> RetryTerms<'a> {
        member.standing(self.settings.retry_schedule_s.as_deref(), delivery, scheduled_attempts)
    }

    /// The row that a public id names.
    pub(crate) fn seq_of(&self, kind: Kind, id: &str, what: &'static str) -> Result<Seq, LedgerError> {
        self.ids.seq(kind, id).ok_or(LedgerError::NotFound { what })
    }

    /// When something is to be done next, and what; not before `now`. `None`: nothing is planned.
    ///
    /// Work that is due is done by [`Ledger::lease_due`], [`Ledger::due_tests`], [`Ledger::due_runs`] and
    /// [`Ledger::outbox_due`]. Retention ([`Ledger::upkeep_at`]) has its own time.
    ///
    /// # Errors
    /// The database fails.
    pub fn next_wake(&self, now: Timestamp) -> Result<Option<(Timestamp, &'static str)>, LedgerError> {
        Ok(earliest(self.wakes(now)?, now))
    }

    /// As [`Ledger::next_wake`], while definitions are being published: what else is to be published waits
    /// for that.
    ///
    /// # Errors
    /// The database fails.
    pub fn next_wake_beside_publishing(
        &self,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, &'static str)>, LedgerError> {
        let mut wakes = self.wakes(now)?;
        wakes.retain(|(_at, reason)| *reason != TO_PUBLISH);
        Ok(earliest(wakes, now))
    }

    /// Everything that is planned, with its time.
    fn wakes(&self, now: Timestamp) -> Result<Vec<(Timestamp, &'static str)>, LedgerError> {
        // Asked after every write, so in one statement; each part is one step in an index, but for the
        // pending tests, which are few (`trials::CALLS_AT_ONCE` of them are called at once).
        let rows = self.sql.run(
            "SELECT (SELECT min(next_at_ms) FROM delivery WHERE next_at_ms IS NOT NULL),
                (SELECT state = 'leased' FROM delivery WHERE next_at_ms IS NOT NULL ORDER BY next_at_ms LIMIT 1),
                (SELECT min(next_at_ms) FROM test WHERE next_at_ms IS NOT NULL AND (waiting = 0
                    OR (SELECT count(*) FROM test WHERE next_at_ms IS NOT NULL AND waiting = 0 AND number > 1) < 6)),
                (SELECT min(next_at_ms) FROM outbox)",
            &[],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "four values have no row" })?;
        let mut wakes = Vec::new();
        if let Some(at) = row.timestamp_or_none(0)? {
            wakes.push((at, if row.flag(1)? { "the lease of a delivery ends" } else { "a delivery is due" }));
        }
        if let Some(at) = row.timestamp_or_none(2)? {
            wakes.push((at, "the lease of a test ends, or it is due"));
        }
        if let Some(at) = row.timestamp_or_none(3)? {
            wakes.push((at, TO_PUBLISH));
        }
        if let Some(at) = self.gates.inline_wake() {
            wakes.push((at, "the lease of a delivery ends"));
        }
        if let Some(at) = self.next_run_wake()? {
            wakes.push((at, "a run's lease ends, or one of its callbacks is due"));
        }
        if let Some(at) = self.replays.goes_on_at(now) {
            wakes.push((at, "a replay goes on"));
        }
        let opens_at = |webhook| self.gates.opens_at(webhook, self.roster.get(webhook)?.rules(), now);
        if let Some(at) = self.gates.holding().filter_map(opens_at).min() {
            wakes.push((at, "a webhook may be called again"));
        }
        Ok(wakes)
    }
}

/// Why to wake up where the outbox holds something.
const TO_PUBLISH: &str = "definitions are to be published";

/// The first of these, now at the earliest.
fn earliest(wakes: Vec<(Timestamp, &'static str)>, now: Timestamp) -> Option<(Timestamp, &'static str)> {
    wakes.into_iter().min_by_key(|(at, _reason)| *at).map(|(at, reason)| (at.max(now), reason))
}

/// The newest key in use. Each `max` is one step in a table's tree.
fn newest_key<S: Sql>(sql: &S) -> Result<Seq, LedgerError> {
    let mut newest = Seq::ZERO;
    for statement in [
        "SELECT max(seq) FROM token",
        "SELECT max(seq) FROM webhook",
        "SELECT max(seq) FROM event",
        "SELECT max(seq) FROM delivery",
        "SELECT max(seq) FROM test",
        "SELECT max(seq) FROM inbox",
        "SELECT max(seq) FROM inbox_request",
        "SELECT max(item) FROM outbox",
        "SELECT max(seq) FROM replay",
        "SELECT max(seq) FROM run",
        "SELECT max(seq) FROM audit",
        "SELECT max(seq) FROM idempotency",
    ] {
        if let Some(key) =
            first(sql.run(statement, &[])?).map(|row| row.integer_or_none(0)).transpose()?.flatten()
        {
            newest = newest.max(Seq(key));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::support::build::{START, create, ledger, post, project, webhook};

    #[test]
    fn a_project_is_created_once_and_opens_as_it_was() {
        let mut made = ledger();
        let key = create(&mut made, webhook("w", "*"));
        let again = Ledger::create(Rc::clone(&made.sql), &project(), 9, START).map(|_ledger| ());
        assert_eq!(again, Err(LedgerError::NameTaken { what: "project" }));
        let mut opened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!((opened.view(), opened.ids()), (made.view(), made.ids()));
        assert!(opened.webhook("w").is_ok());
        assert!(opened.reserve(Timestamp(0)) > key, "keys go on where they ended, whatever the clock says");
    }

    #[test]
    fn the_next_wake_is_the_earliest_plan_and_never_in_the_past() {
        let mut ledger = ledger();
        assert_eq!(ledger.next_wake(START).unwrap(), Some((START, "definitions are to be published")));
        ledger.outbox_done(outbox::PROJECT_ITEM, 1).unwrap();
        assert_eq!(ledger.next_wake(START).unwrap(), None);
        let webhook = create(&mut ledger, webhook("w", "*"));
        ledger.outbox_done(webhook, 1).unwrap();
        post(&mut ledger, "order.paid");
        let later = START.plus_ms(5_000);
        assert_eq!(ledger.next_wake(later).unwrap(), Some((later, "a delivery is due")));
        ledger.lease_due(later, 10).unwrap();
        assert_eq!(
            ledger.next_wake(later).unwrap(),
            Some((later.plus_ms(40_000), "the lease of a delivery ends"))
        );
    }

    #[test]
    fn the_overview_counts_what_is_open() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "order.*"));
        ledger.create_inbox("i", "key", "", START).unwrap();
        post(&mut ledger, "order.paid");
        post(&mut ledger, "user.created");
        assert_eq!(ledger.detail().unwrap().counts, ProjectCounts { webhooks: 2, inboxes: 1, open: 3 });
    }
}
