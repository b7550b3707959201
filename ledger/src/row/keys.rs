//! Keys and the times that they stand for.
//!
//! A key is made from the time of its row and never lies before it. Which rows there are is not known here.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::sql::Row;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The first key that could be given out at `at`: rows below it were created before. A time may lie further
/// in the future than any key that the object's SQL can give back.
pub(crate) fn first_key(at: Timestamp) -> Seq {
    Seq::after(Seq::ZERO, at.0).min(Seq::LAST)
}

/// The key of a delivery and when it was made, from the columns key, `late`, `accepted_at_ms` that start at
/// `at`. One that a replay made (`late`) has no column for it: its key says it.
pub(crate) fn read_created(row: &Row, at: usize) -> Result<(Seq, Timestamp), LedgerError> {
    let seq = row.seq(at)?;
    let (is_late, accepted_at) = (row.flag(at + 1)?, row.timestamp(at + 2)?);
    Ok((seq, if is_late { Timestamp(seq.unix_ms()) } else { accepted_at }))
}

/// Of what has no timeline: the first key that is younger than so many days.
pub(crate) fn oldest_kept(now: Timestamp, days: u32) -> Seq {
    first_key(days_before(now, days))
}

/// So many days before `now`.
pub(crate) const fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.plus_ms(-(days as i64) * DAY_MS)
}
