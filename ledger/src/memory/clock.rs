//! When something is to be done next: replays, runs, retention.
//!
//! Does not know how any of it is done, nor when deliveries are due: that is read from their index.

use std::cell::Cell;
use std::collections::BTreeSet;

use postern_core::id::Seq;
use postern_core::time::Timestamp;

/// Keys of the replays that are running, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    pub(crate) running: BTreeSet<Seq>,
    /// There was no room for more; looked at again then.
    pub(crate) waits_until: Option<Timestamp>,
}

impl Replays {
    /// Whether there is work to do.
    pub(crate) fn are_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// When there is work to do.
    pub(crate) fn goes_on_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.are_running().then(|| self.waits_until.map_or(now, |at| at.max(now)))
    }
}

/// When the next lease of a run or of one of its calls ends, or a call is due, once it is known.
#[derive(Debug, Default)]
pub(crate) struct RunClock {
    pub(crate) next: Cell<NextWake>,
}

/// What is known of that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum NextWake {
    /// It has to be looked up.
    #[default]
    Unknown,
    /// Nothing is planned.
    Never,
    At(Timestamp),
}

impl RunClock {
    /// Forgets what comes next: something has changed.
    pub(crate) fn reconsider(&self) {
        self.next.set(NextWake::Unknown);
    }
}

/// What a pass goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Deliveries,
    Events,
    Stats,
    Tests,
    Replays,
    Runs,
    Audit,
    Keys,
}

/// The order of a pass. Events after deliveries: they can go once these have.
pub(crate) const PARTS: [Part; 8] = [
    Part::Deliveries,
    Part::Events,
    Part::Stats,
    Part::Tests,
    Part::Replays,
    Part::Runs,
    Part::Audit,
    Part::Keys,
];

impl Part {
    /// The part that follows.
    pub(crate) fn after(self) -> Option<Self> {
        PARTS.into_iter().skip_while(|part| *part != self).nth(1)
    }
}

/// How far retention has come.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// The pass at hand: the part, and the last key that was looked at.
    pub(crate) pass: Option<(Part, Seq)>,
    /// When the next pass may start, once it is known.
    pub(crate) next: Cell<Option<Timestamp>>,
}

impl Upkeep {
    /// Forgets when the next pass starts: what it depends on has changed.
    pub(crate) fn reconsider(&mut self) {
        self.next.set(None);
    }
}
