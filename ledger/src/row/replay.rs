//! Table `replay`: what is sent again, and how far that has come.
//!
//! Does not know which deliveries a replay wants.

use postern_core::api::replay::ReplayState;
use postern_core::id::Seq;
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{LedgerError, damaged};
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value, key_set};

/// Columns of [`Replay::read`].
pub(crate) const COLUMNS: &str =
    "seq, state, cursor, total, scanned, replayed, created_at_ms, ended_at_ms, query";

/// The column `query`: what was asked for, and which webhook had the name then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) webhook: Option<Seq>,
    pub(crate) query: ReplayQuery,
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) seq: Seq,
    pub(crate) state: ReplayState,
    pub(crate) cursor: Seq,
    pub(crate) total: u32,
    pub(crate) scanned: u32,
    pub(crate) replayed: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) stored: Stored,
}

impl Replay {
    /// Reads [`COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: row.seq(0)?,
            state: ReplayState::parse(row.text(1)?)
                .ok_or(LedgerError::Corrupt { what: "a replay's state is unknown" })?,
            cursor: row.seq(2)?,
            total: row.number(3)?,
            scanned: row.number(4)?,
            replayed: row.number(5)?,
            created_at: row.timestamp(6)?,
            ended_at: row.timestamp_or_none(7)?,
            stored: serde_json::from_str(row.text(8)?).map_err(damaged("a replay can't be read"))?,
        })
    }
}

/// What a step found in its range.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) rows: u32,
    pub(crate) last: Option<Seq>,
    /// Whether there may be more behind the last.
    pub(crate) has_more: bool,
}

impl Looked {
    /// `rows` of at most `limit` were found.
    pub(crate) fn at_most(limit: u32, rows: usize, last: Option<Seq>) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        Self { rows, last, has_more: rows >= limit }
    }
}

/// Stores a replay that is running, its cursor at `after`. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    seq: Seq,
    stored: &Stored,
    after: Seq,
    total: u32,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO replay (seq, state, cursor, total, scanned, replayed, created_at_ms, query)
         VALUES (?1, 'running', ?2, ?3, 0, 0, ?4, ?5)",
        &[
            Value::from(seq),
            Value::from(after),
            Value::from(total),
            Value::from(now),
            Value::Text(to_json(stored)?),
        ],
    )?;
    Ok(())
}

/// Ends a replay before it has come to its end. Inside the caller's transaction.
pub(crate) fn cancel<S: Sql>(sql: &S, replay: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE replay SET state = 'cancelled', ended_at_ms = ?2 WHERE seq = ?1",
        &[Value::from(replay), Value::from(now)],
    )?;
    Ok(())
}

/// Notes how far a replay has come; it is done where the step found fewer rows than it could look at. Inside
/// the caller's transaction.
pub(crate) fn advance<S: Sql>(
    sql: &S,
    replay: &Replay,
    looked: &Looked,
    replayed: usize,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let is_done = !looked.has_more;
    let state = if is_done { ReplayState::Done } else { ReplayState::Running };
    sql.run(
        "UPDATE replay SET state = ?2, cursor = ?3, scanned = scanned + ?4, replayed = replayed + ?5, ended_at_ms = ?6 WHERE seq = ?1",
        &[
            Value::from(replay.seq),
            Value::from(state.as_str()),
            Value::from(looked.last.unwrap_or(replay.cursor)),
            Value::from(looked.rows),
            Value::from(u32::try_from(replayed).unwrap_or(u32::MAX)),
            Value::from(is_done.then_some(now)),
        ],
    )?;
    Ok(())
}

/// Deletes replays.
pub(crate) fn delete<S: Sql>(sql: &S, replays: Vec<Seq>) -> Result<(), LedgerError> {
    sql.run(
        "DELETE FROM replay WHERE seq IN (SELECT value FROM json_each(?1))",
        &[Value::Text(key_set(replays))],
    )?;
    Ok(())
}
