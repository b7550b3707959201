//! The limits of the project, and what is known of their use.
//!
//! Does not decide what is allowed: `quotas` does, and counts anew where a bound comes to its limit.

use std::cell::Cell;
use std::collections::BTreeMap;

use postern_core::id::Seq;
use postern_core::quota::{Minute, Quota, Quotas};
use postern_core::time::Timestamp;

use crate::error::LedgerError;

/// Tokens and inboxes whose minute is remembered at most; those of minutes that are over are forgotten first.
const MINUTES_MAX: usize = 10_000;

/// A number that is never below the truth, and when it was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) at_most: u64,
    pub(crate) counted_at: Timestamp,
}

/// The size of the store when it was read, and what may have come since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) since: u64,
    pub(crate) read_at: Timestamp,
}

/// The limits, and what is known of their use.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) quotas: Quotas,
    pub(crate) open: Cell<Option<Bound>>,
    pub(crate) size: Cell<Option<Size>>,
    pub(crate) events: BTreeMap<String, Minute>,
    pub(crate) requests: BTreeMap<Seq, Minute>,
    /// Whether it was told that the project is full: the column `meta.full`.
    pub(crate) full: bool,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            quotas: Quotas::NONE,
            open: Cell::new(None),
            size: Cell::new(None),
            events: BTreeMap::new(),
            requests: BTreeMap::new(),
            full: false,
        }
    }
}

impl Meters {
    /// So many deliveries were opened.
    pub(crate) fn note_open(&self, more: usize) {
        if let Some(Bound { at_most, counted_at }) = self.open.get() {
            self.open.set(Some(Bound { at_most: at_most.saturating_add(more as u64), counted_at }));
        }
    }

    /// So many bytes were stored.
    pub(crate) fn note_bytes(&self, more: u64) {
        if let Some(size) = self.size.get() {
            self.size.set(Some(Size { since: size.since.saturating_add(more), ..size }));
        }
    }
}

/// Takes `more` of the minute of `whose`.
pub(crate) fn take<K: Ord>(
    minutes: &mut BTreeMap<K, Minute>,
    whose: K,
    (quotas, quota): (&Quotas, Quota),
    more: u64,
    now: Timestamp,
) -> Result<(), LedgerError> {
    if quotas.limit(quota).is_none() {
        return Ok(());
    }
    if minutes.len() >= MINUTES_MAX {
        minutes.retain(|_whose, minute| !minute.is_over(now.0));
    }
    // Where all of so many are at it within one minute, the newest are not counted: memory is bounded first.
    if minutes.len() < MINUTES_MAX || minutes.contains_key(&whose) {
        minutes.entry(whose).or_default().take(quotas, quota, more, now.0)?;
    }
    Ok(())
}
