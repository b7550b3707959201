//! Tables `run` and `run_callback`: long jobs, and who is told of them.
//!
//! Does not know what follows a call or a lost claim: `core::run` and the operations decide that.

use postern_core::id::Seq;
use postern_core::run::{
    CallRecord, CallbackKind, CallbackState, Entry, Progress, RunDraft, RunMode, RunState, Webhooks,
};
use postern_core::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{LedgerError, damaged};
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value, key_set};

/// What [`RunRow::read`] reads. The large columns stay where they are.
pub(crate) const COLUMNS: &str = "seq, state, mode, phase, claim, lost, lease_s, lease_until_ms, created_at_ms, started_at_ms, updated_at_ms, \
                       ended_at_ms, message, progress, labels, webhooks, entry";

/// What [`CallbackRow::read`] reads.
pub(crate) const CALLBACK_COLUMNS: &str = "run, kind, state, number, next_at_ms, snapshot, attempts, tries";

/// How far a run has come, as its row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its addresses are being probed.
    Probing = 0,
    /// It waits for a claim.
    Offered = 1,
    /// It was claimed, or has ended.
    Taken = 2,
}

/// A row of `run` but for its large columns.
pub(crate) struct RunRow {
    pub(crate) seq: Seq,
    pub(crate) state: RunState,
    pub(crate) mode: RunMode,
    pub(crate) phase: Phase,
    pub(crate) claim: u32,
    pub(crate) lost: u32,
    pub(crate) lease_s: u32,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) message: String,
    pub(crate) progress: Option<Progress>,
    pub(crate) labels: std::collections::BTreeMap<String, String>,
    pub(crate) webhooks: Option<Webhooks>,
    pub(crate) entry: Entry,
}

/// A row of `run_callback`.
pub(crate) struct CallbackRow {
    pub(crate) run: Seq,
    pub(crate) kind: CallbackKind,
    pub(crate) state: CallbackState,
    pub(crate) number: u32,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) attempts: Vec<CallRecord>,
    pub(crate) tries: u32,
}

/// What an update says that was not taken yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) message: String,
    pub(crate) progress: Option<Progress>,
    pub(crate) at: Timestamp,
}

/// Chain, results, log, and how many entries the log has lost.
pub(crate) type LargeColumns = (Box<RawValue>, Option<Box<RawValue>>, Vec<Box<RawValue>>, u32);

impl RunRow {
    /// Reads [`COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        let corrupt = |what| LedgerError::Corrupt { what };
        Ok(Self {
            seq: row.seq(0)?,
            state: RunState::parse(row.text(1)?).ok_or(corrupt("a run's state is unknown"))?,
            mode: match row.text(2)? {
                "work" => RunMode::Work,
                "validation" => RunMode::Validation,
                _ => return Err(corrupt("a run's mode is unknown")),
            },
            phase: match row.number(3)? {
                0 => Phase::Probing,
                1 => Phase::Offered,
                2 => Phase::Taken,
                _ => return Err(corrupt("a run's phase is unknown")),
            },
            claim: row.number(4)?,
            lost: row.number(5)?,
            lease_s: row.number(6)?,
            lease_until: row.timestamp_or_none(7)?,
            created_at: row.timestamp(8)?,
            started_at: row.timestamp_or_none(9)?,
            updated_at: row.timestamp(10)?,
            ended_at: row.timestamp_or_none(11)?,
            message: String::from(row.text(12)?),
            progress: row
                .text_or_none(13)?
                .map(|text| json_of(text, "a progress can't be read"))
                .transpose()?,
            labels: json_of(row.text(14)?, "labels can't be read")?,
            webhooks: row
                .text_or_none(15)?
                .map(|text| json_of(text, "a run's webhooks can't be read"))
                .transpose()?,
            entry: json_of(row.text(16)?, "a run's entry can't be read")?,
        })
    }
}

impl CallbackRow {
    /// Reads [`CALLBACK_COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        Ok(Self {
            run: row.seq(0)?,
            kind: CallbackKind::parse(row.text(1)?)
                .ok_or(LedgerError::Corrupt { what: "a callback's kind is unknown" })?,
            state: CallbackState::parse(row.text(2)?)
                .ok_or(LedgerError::Corrupt { what: "a callback's state is unknown" })?,
            number: row.number(3)?,
            next_at: row.timestamp_or_none(4)?,
            snapshot: row
                .text_or_none(5)?
                .map(|text| json_of(text, "an update can't be read"))
                .transpose()?,
            attempts: json_of(row.text(6)?, "calls can't be read")?,
            tries: row.number(7)?,
        })
    }
}

/// The text of the column `mode`.
const fn mode_text(mode: RunMode) -> &'static str {
    match mode {
        RunMode::Work => "work",
        RunMode::Validation => "validation",
    }
}

/// Reads a JSON column.
pub(crate) fn json_of<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(damaged(what))
}

/// Makes a callback due at `at`, or, without a time, waiting for an update to be through.
pub(crate) fn put_callback<S: Sql>(
    sql: &S,
    run: Seq,
    kind: CallbackKind,
    at: Option<Timestamp>,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO run_callback (run, kind, state, number, next_at_ms) VALUES (?1, ?2, 'waiting', 0, ?3)",
        &[Value::from(run), Value::from(kind.as_str()), Value::from(at)],
    )?;
    Ok(())
}

/// Makes an update due. One under way is followed by it; one that the receiver has not taken yet is replaced.
pub(crate) fn put_update<S: Sql>(
    sql: &S,
    run: Seq,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO run_callback (run, kind, state, number, next_at_ms, snapshot) VALUES (?1, 'update', 'waiting', 0, ?2, ?3)
         ON CONFLICT (run, kind) DO UPDATE SET snapshot = excluded.snapshot, tries = 0,
            next_at_ms = CASE state WHEN 'leased' THEN next_at_ms ELSE excluded.next_at_ms END,
            state = CASE state WHEN 'leased' THEN state ELSE 'waiting' END",
        &[Value::from(run), Value::from(now), Value::Text(to_json(snapshot)?)],
    )?;
    Ok(())
}

/// Stores a longer log, if there is one.
pub(crate) fn write_log<S: Sql>(sql: &S, run: Seq, log: Option<&(String, u32)>) -> Result<(), LedgerError> {
    if let Some((text, dropped)) = log {
        sql.run(
            "UPDATE run SET log = ?2, log_dropped = ?3 WHERE seq = ?1",
            &[Value::from(run), Value::from(text.as_str()), Value::from(*dropped)],
        )?;
    }
    Ok(())
}

/// Ends a run. `finished` is told where its address has passed its probe.
pub(crate) fn end_run<S: Sql>(
    sql: &S,
    run: &RunRow,
    state: RunState,
    message: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET state = ?2, phase = 2, lease_until_ms = NULL, message = ?3, updated_at_ms = ?4, ended_at_ms = ?4 WHERE seq = ?1",
        &[Value::from(run.seq), Value::from(state.as_str()), Value::from(message), Value::from(now)],
    )?;
    if run.phase == Phase::Probing || run.mode == RunMode::Validation || run.webhooks.is_none() {
        return forget_credentials(sql, run);
    }
    // An update that failed and waits to be repeated says less than the end.
    sql.run(
        "UPDATE run_callback SET state = 'cancelled', next_at_ms = NULL WHERE run = ?1 AND kind = 'update' AND state = 'waiting' AND tries > 0",
        &[Value::from(run.seq)],
    )?;
    let rows = sql.run(
        "SELECT 1 FROM run_callback WHERE run = ?1 AND kind = 'update' AND state IN ('waiting', 'leased')",
        &[Value::from(run.seq)],
    )?;
    put_callback(sql, run.seq, CallbackKind::Finished, rows.is_empty().then_some(now))
}

/// Deletes the credentials of a run that calls nobody any more.
pub(crate) fn forget_credentials<S: Sql>(sql: &S, run: &RunRow) -> Result<(), LedgerError> {
    let Some(mut webhooks) = run.webhooks.clone() else { return Ok(()) };
    if webhooks.forget_credentials() {
        set_webhooks(sql, run.seq, &webhooks)?;
    }
    Ok(())
}

/// Stores a run that starts so. Inside the caller's transaction.
pub(crate) fn insert<S: Sql>(
    sql: &S,
    seq: Seq,
    draft: &RunDraft,
    (state, phase, message): (RunState, Phase, &str),
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "INSERT INTO run (seq, state, mode, phase, claim, lost, lease_s, created_at_ms, updated_at_ms, ended_at_ms,
            message, labels, webhooks, entry, chain)
         VALUES (?1, ?2, ?3, ?4, 0, 0, 0, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            Value::from(seq),
            Value::from(state.as_str()),
            Value::from(mode_text(draft.mode)),
            Value::from(phase as u32),
            Value::from(now),
            Value::from(state.is_final().then_some(now)),
            Value::from(message),
            Value::Text(to_json(&draft.labels)?),
            Value::from(draft.webhooks.as_ref().map(to_json).transpose()?),
            Value::Text(to_json(&draft.entry)?),
            Value::from(draft.chain.get()),
        ],
    )?;
    Ok(())
}

/// Gives a run to an executor.
pub(crate) fn claim<S: Sql>(
    sql: &S,
    run: Seq,
    lease_s: u32,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET state = 'running', phase = 2, claim = claim + 1, lease_s = ?2, lease_until_ms = ?3, message = ?4,
            started_at_ms = coalesce(started_at_ms, ?5), updated_at_ms = ?5 WHERE seq = ?1",
        &[
            Value::from(run),
            Value::from(lease_s),
            Value::from(lease_until),
            Value::from(RunState::Running.message()),
            Value::from(now),
        ],
    )?;
    Ok(())
}

/// Stores what an executor says of its run, and the new end of its lease. Inside the caller's transaction.
pub(crate) fn renew<S: Sql>(
    sql: &S,
    run: Seq,
    said: &Snapshot,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET message = ?2, progress = ?3, updated_at_ms = ?4, lease_until_ms = ?5 WHERE seq = ?1",
        &[
            Value::from(run),
            Value::from(said.message.as_str()),
            Value::from(said.progress.as_ref().map(to_json).transpose()?),
            Value::from(now),
            Value::from(lease_until),
        ],
    )?;
    Ok(())
}

/// Makes a run wait for a claim. Inside the caller's transaction.
pub(crate) fn offer<S: Sql>(sql: &S, run: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET phase = 1, updated_at_ms = ?2 WHERE seq = ?1",
        &[Value::from(run), Value::from(now)],
    )?;
    Ok(())
}

/// Makes a run wait for another claim, after so many were lost. Inside the caller's transaction.
pub(crate) fn offer_again<S: Sql>(
    sql: &S,
    run: Seq,
    lost: u32,
    message: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET state = 'accepted', phase = 1, lost = ?2, lease_until_ms = NULL, message = ?3, updated_at_ms = ?4
         WHERE seq = ?1",
        &[Value::from(run), Value::from(lost), Value::from(message), Value::from(now)],
    )?;
    Ok(())
}

/// Stores the results of a run. Inside the caller's transaction.
pub(crate) fn set_results<S: Sql>(sql: &S, run: Seq, results: &RawValue) -> Result<(), LedgerError> {
    sql.run("UPDATE run SET results = ?2 WHERE seq = ?1", &[Value::from(run), Value::from(results.get())])?;
    Ok(())
}

/// Stores the sealed addresses of a run.
pub(crate) fn set_webhooks<S: Sql>(sql: &S, run: Seq, webhooks: &Webhooks) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run SET webhooks = ?2 WHERE seq = ?1",
        &[Value::from(run), Value::Text(to_json(webhooks)?)],
    )?;
    Ok(())
}

/// Deletes runs with their callbacks.
pub(crate) fn delete<S: Sql>(sql: &S, runs: Vec<Seq>) -> Result<(), LedgerError> {
    let keys = key_set(runs);
    sql.run(
        "DELETE FROM run_callback WHERE run IN (SELECT value FROM json_each(?1))",
        &[Value::Text(keys.clone())],
    )?;
    sql.run("DELETE FROM run WHERE seq IN (SELECT value FROM json_each(?1))", &[Value::Text(keys)])?;
    Ok(())
}

/// Cancels the probes of a run that wait. Inside the caller's transaction.
pub(crate) fn cancel_probes<S: Sql>(sql: &S, run: Seq) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run_callback SET state = 'cancelled', next_at_ms = NULL
         WHERE run = ?1 AND kind IN ('probe_finished', 'probe_update') AND state = 'waiting'",
        &[Value::from(run)],
    )?;
    Ok(())
}

/// Makes a callback due, at the start of its schedule.
pub(crate) fn restart_callback<S: Sql>(
    sql: &S,
    run: Seq,
    kind: CallbackKind,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run_callback SET state = 'waiting', tries = 0, next_at_ms = ?3 WHERE run = ?1 AND kind = ?2",
        &[Value::from(run), Value::from(kind.as_str()), Value::from(now)],
    )?;
    Ok(())
}

/// Leases call `number` of a callback. Inside the caller's transaction.
pub(crate) fn lease_callback<S: Sql>(
    sql: &S,
    run: Seq,
    kind: CallbackKind,
    number: u32,
    until: Timestamp,
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run_callback SET state = 'leased', number = ?3, tries = tries + 1, next_at_ms = ?4
         WHERE run = ?1 AND kind = ?2",
        &[Value::from(run), Value::from(kind.as_str()), Value::from(number), Value::from(until)],
    )?;
    Ok(())
}

/// Stores what came of a call. Inside the caller's transaction.
pub(crate) fn record_call<S: Sql>(
    sql: &S,
    (run, kind): (Seq, CallbackKind),
    state: CallbackState,
    next_at: Option<Timestamp>,
    attempts: &[CallRecord],
) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run_callback SET state = ?3, next_at_ms = ?4, attempts = ?5 WHERE run = ?1 AND kind = ?2",
        &[
            Value::from(run),
            Value::from(kind.as_str()),
            Value::from(state.as_str()),
            Value::from(next_at),
            Value::Text(to_json(&attempts)?),
        ],
    )?;
    Ok(())
}

/// Makes the call due that tells the end of a run, if it waits for an update. Inside the caller's
/// transaction.
pub(crate) fn release_finished<S: Sql>(sql: &S, run: Seq, now: Timestamp) -> Result<(), LedgerError> {
    sql.run(
        "UPDATE run_callback SET next_at_ms = ?2
         WHERE run = ?1 AND kind = 'finished' AND state = 'waiting' AND next_at_ms IS NULL",
        &[Value::from(run), Value::from(now)],
    )?;
    Ok(())
}
