//! The database as the simulated project sees it: it can die in the middle of an operation, and a defect can be planted
//! in it by rewriting a statement, so that the ledger itself needs no test-only code.

use std::cell::Cell;
use std::rc::Rc;

use postern_ledger::{LedgerError, Row, Sql, SqlError, Value};

use crate::support::native::Native;

/// A mistake that the simulation must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Leased deliveries are not looked at again.
    LeaseNeverEnds,
    /// Every report is taken for the expected one.
    ReportWithoutCompare,
    /// Changed definitions are not put into the outbox.
    OutboxSkipped,
    /// A claim does not ask whether somebody else claimed.
    ClaimedTwice,
    /// Each statement is its own commit.
    NoTransactions,
    /// Work is leased a minute before it is due.
    LeasedEarly,
    /// The alarm is set for pending deliveries only.
    WakesForFirstAttemptsOnly,
    /// Enabling a webhook leaves its deliveries aside.
    NeverUnparked,
}

impl Defect {
    /// What to look for in a statement, and what to put in its place.
    const fn rewrite(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::LeaseNeverEnds => {
                ("FROM delivery WHERE next_at_ms <= ?1 ORDER", "FROM delivery WHERE next_at_ms <= ?1 AND state <> 'leased' ORDER")
            }
            Self::ReportWithoutCompare => ("state = 'leased' AND claimed = 1 AND attempt = ?2 FROM", "?2 > 0 FROM"),
            Self::OutboxSkipped => (
                "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) VALUES (?1, ?2, ?3, 0, ?4)",
                "INSERT INTO outbox (item, version, deleted, failures, next_at_ms) SELECT ?1, ?2, ?3, 0, ?4 WHERE ?2 < 2",
            ),
            Self::ClaimedTwice => ("attempt = j.value ->> 1 AND claimed = 0", "attempt = j.value ->> 1"),
            Self::LeasedEarly => ("FROM delivery WHERE next_at_ms <= ?1 ORDER", "FROM delivery WHERE next_at_ms <= ?1 + 60000 ORDER"),
            Self::WakesForFirstAttemptsOnly => {
                ("FROM delivery WHERE next_at_ms IS NOT NULL ORDER", "FROM delivery WHERE state = 'pending' ORDER")
            }
            Self::NeverUnparked => {
                ("SET parked = 0, next_at_ms = ?2 WHERE webhook = ?1 AND parked = 1", "SET parked = 1 WHERE webhook = ?1 AND parked = ?2")
            }
            Self::NoTransactions => return None,
        })
    }
}

/// The database of one seed.
pub(crate) struct Faulty {
    store: Rc<Native>,
    defect: Option<Defect>,
    /// Statements until the process dies.
    fuse: Cell<Option<u64>>,
    is_dead: Cell<bool>,
}

impl Faulty {
    pub(crate) fn new(store: Rc<Native>, defect: Option<Defect>) -> Rc<Self> {
        Rc::new(Self { store, defect, fuse: Cell::new(None), is_dead: Cell::new(false) })
    }

    /// The process dies before the statement after `statements` more.
    pub(crate) fn light_fuse(&self, statements: u64) {
        self.fuse.set(Some(statements));
    }

    /// Whether the process died. A new one starts.
    pub(crate) fn revive(&self) -> bool {
        self.fuse.set(None);
        self.is_dead.replace(false)
    }
}

impl Sql for Faulty {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        match self.fuse.get() {
            Some(0) => self.is_dead.set(true),
            Some(left) => self.fuse.set(Some(left - 1)),
            None => {}
        }
        if self.is_dead.get() {
            return Err(SqlError::new("the process died"));
        }
        match self.defect.and_then(Defect::rewrite) {
            Some((from, to)) if statement.contains(from) => self.store.run(&statement.replace(from, to), parameters),
            _ => self.store.run(statement, parameters),
        }
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        if self.defect == Some(Defect::NoTransactions) { work() } else { self.store.transaction(work) }
    }
}
