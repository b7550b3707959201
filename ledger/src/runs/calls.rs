//! The calls that a run makes: leased, reported, repeated.

use postern_core::api::run::RunView;
use postern_core::delivery::Outcome;
use postern_core::facade::actinia::{self, Facts};
use postern_core::id::{Kind, Seq};
use postern_core::run::{
    self, CALL_TIMEOUT_S, CallRecord, CallbackAttempt, CallbackKind, CallbackState, Next, RunMode, RunState,
    Target,
};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::memory::clock::NextWake;
use crate::memory::roster::LEASE_SLACK_MS;
use crate::project::Ledger;
use crate::row::run::{
    self as row, CALLBACK_COLUMNS, CallbackRow, RunRow, Snapshot, end_run, forget_credentials, put_callback,
};
use crate::sql::{Row, Sql, Value, atomically, first};

/// Lost claims and lost calls that one step takes up.
pub(super) const LOST_MAX: u32 = 50;
/// What a validation says that found nothing wrong.
pub(super) const VALID: &str = "Validation successfully finished";
/// Calls that are under way at once where the alarm makes them: as many as one invocation may have open
/// (docs/platform.md 2.4).
const CALLS_AT_ONCE: u32 = 6;
/// Calls that are kept of a callback.
const ATTEMPTS_KEPT: usize = 20;

/// A call to make, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunCall {
    /// The run.
    pub run: Seq,
    /// What is called, and how.
    pub kind: CallbackKind,
    /// Which call of it, from 1.
    pub number: u32,
    /// The `webhook-id`: the same for every call that tells the same.
    pub message_id: String,
    /// Where to; its authorization is sealed.
    pub target: Target,
    /// The id under which it is sealed: `run_…`.
    pub sealed_under: String,
    /// What is posted; `None` for a probe, which is a GET.
    pub body: Option<String>,
    /// When the ledger takes the call for lost.
    pub lease_until: Timestamp,
}

/// A run after something happened to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunTurn {
    /// As it is now.
    pub run: RunView,
    /// Calls that are due, leased to the caller.
    pub calls: Vec<RunCall>,
}

/// What was due.
#[derive(Clone, Debug, Default)]
pub struct DueRuns {
    /// Calls to make.
    pub calls: Vec<RunCall>,
    /// Runs that changed.
    pub changed: Vec<RunView>,
}

impl<S: Sql> Ledger<S> {
    /// Takes up what is due: claims and calls whose lease has ended, and calls whose time has come. Call it
    /// again while [`Ledger::next_wake`] is not in the future.
    ///
    /// # Errors
    /// The database fails.
    pub fn due_runs(&mut self, now: Timestamp) -> Result<DueRuns, LedgerError> {
        if self.next_run_wake()?.is_none_or(|at| at > now) {
            return Ok(DueRuns::default());
        }
        let mut changed = self.end_lost_claims(now)?;
        changed.extend(self.end_lost_calls(now)?);
        let rows = self.sql.run(
            "SELECT count(*) FROM run_callback WHERE next_at_ms IS NOT NULL AND state = 'leased'",
            &[],
        )?;
        let under_way = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)?;
        let rows = self.sql.run(
            &format!(
                "SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE next_at_ms <= ?1 AND state = 'waiting' ORDER BY next_at_ms LIMIT ?2"
            ),
            &[Value::from(now), Value::from(CALLS_AT_ONCE.saturating_sub(under_way))],
        )?;
        let calls = self.lease_calls(&rows, now)?;
        Ok(DueRuns { calls, changed })
    }

    /// Takes in what came of call `number`; gives the run and the calls that follow at once. `None`: the call
    /// is not the one that is leased.
    ///
    /// # Errors
    /// The database fails.
    pub fn report_run_call(
        &mut self,
        seq: Seq,
        kind: CallbackKind,
        number: u32,
        record: CallRecord,
        now: Timestamp,
    ) -> Result<Option<RunTurn>, LedgerError> {
        let Some(callback) = self.callback_row(seq, kind)? else { return Ok(None) };
        if callback.state != CallbackState::Leased || callback.number != number {
            return Ok(None);
        }
        let run = self.run_row(seq)?;
        let record = CallRecord { attempt: CallbackAttempt { number, ..record.attempt }, ..record };
        let schedule_s = self.settings.retry_schedule_s.as_deref();
        atomically(&self.sql, |sql| end_call(sql, &run, callback, record, schedule_s, now))?;
        self.run_turn(seq, now).map(Some)
    }

    /// Makes a callback due now, and starts its schedule anew: somebody has fixed its receiver, or wants it
    /// told again.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where [`run::may_resend`] says no; the
    /// database fails.
    pub fn resend_run_callback(
        &mut self,
        id: &str,
        kind: &str,
        now: Timestamp,
    ) -> Result<RunTurn, LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        let run = self.run_row(seq)?;
        let missing = LedgerError::NotFound { what: "callback" };
        let Some(kind) = CallbackKind::parse(kind) else { return Err(missing) };
        let Some((callback, webhooks)) = self.callback_row(seq, kind)?.zip(run.webhooks.as_ref()) else {
            return Err(missing);
        };
        run::may_resend(kind, run.state, callback.state, callback.next_at, webhooks)
            .map_err(|why| LedgerError::StateConflict { why })?;
        row::restart_callback(&self.sql, seq, kind, now)?;
        self.run_turn(seq, now)
    }

    /// When something about runs is to be done next. Known by heart between two changes: it is asked after
    /// every write.
    pub(crate) fn next_run_wake(&self) -> Result<Option<Timestamp>, LedgerError> {
        match self.run_clock.next.get() {
            NextWake::Unknown => {}
            NextWake::Never => return Ok(None),
            NextWake::At(at) => return Ok(Some(at)),
        }
        let rows =
            self.sql.run("SELECT min(lease_until_ms) FROM run WHERE lease_until_ms IS NOT NULL", &[])?;
        let claim = first(rows).map(|row| row.timestamp_or_none(0)).transpose()?.flatten();
        let rows = self.sql.run(
            "SELECT count(CASE WHEN state = 'leased' THEN 1 END), min(CASE WHEN state = 'leased' THEN next_at_ms END), min(next_at_ms)
             FROM run_callback WHERE next_at_ms IS NOT NULL",
            &[],
        )?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        // With all connections in use nothing can start before one of them is free: its report, or its
        // lease's end.
        let call = if row.number(0)? >= CALLS_AT_ONCE {
            row.timestamp_or_none(1)?
        } else {
            row.timestamp_or_none(2)?
        };
        let next = [claim, call].into_iter().flatten().min();
        self.run_clock.next.set(next.map_or(NextWake::Never, NextWake::At));
        Ok(next)
    }

    fn callback_row(&self, run: Seq, kind: CallbackKind) -> Result<Option<CallbackRow>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE run = ?1 AND kind = ?2"),
            &[Value::from(run), Value::from(kind.as_str())],
        )?;
        first(rows).map(|row| CallbackRow::read(&row)).transpose()
    }

    /// The run as it is now, and its calls that are due, leased to the caller.
    pub(super) fn run_turn(&mut self, seq: Seq, now: Timestamp) -> Result<RunTurn, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE run = ?1 AND state = 'waiting' AND next_at_ms <= ?2"),
            &[Value::from(seq), Value::from(now)],
        )?;
        let calls = self.lease_calls(&rows, now)?;
        Ok(RunTurn { run: self.run_view(&self.run_row(seq)?), calls })
    }

    fn lease_calls(&mut self, rows: &[Row], now: Timestamp) -> Result<Vec<RunCall>, LedgerError> {
        self.run_clock.reconsider();
        let mut calls = Vec::with_capacity(rows.len());
        for row in rows {
            let callback = CallbackRow::read(row)?;
            let run = self.run_row(callback.run)?;
            calls.extend(self.call_of(&run, &callback, now)?);
        }
        atomically(&self.sql, |sql| {
            for call in &calls {
                row::lease_callback(sql, call.run, call.kind, call.number, call.lease_until)?;
            }
            Ok(())
        })?;
        Ok(calls)
    }

    /// The next call of a callback.
    fn call_of(
        &self,
        run: &RunRow,
        callback: &CallbackRow,
        now: Timestamp,
    ) -> Result<Option<RunCall>, LedgerError> {
        let kind = callback.kind;
        let Some(target) = run.webhooks.as_ref().and_then(|webhooks| kind.target(webhooks)) else {
            return Ok(None);
        };
        let number = callback.number.saturating_add(1);
        let uuid = self.ids.uuid(run.seq).to_string();
        let body = match kind {
            CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate => None,
            CallbackKind::Update => {
                let Some(Snapshot { message, progress, at }) = callback.snapshot.clone() else {
                    return Ok(None);
                };
                let facts = Facts { message: &message, progress, updated_at: at, ..self.facts(run, &uuid) };
                Some(actinia::callback_body(kind, &facts))
            }
            CallbackKind::Finished => {
                let (chain, results, log, _) = self.large_columns(run.seq)?;
                let facts = Facts {
                    chain: Some(&chain),
                    results: results.as_deref(),
                    log: &log,
                    ..self.facts(run, &uuid)
                };
                Some(actinia::callback_body(kind, &facts))
            }
        };
        // Each update tells something else: the number of its first call says which.
        let told = if kind == CallbackKind::Update {
            format!("-{}", number.saturating_sub(callback.tries))
        } else {
            String::new()
        };
        Ok(Some(RunCall {
            run: run.seq,
            kind,
            number,
            message_id: format!("{}-{}{told}", self.ids.id(Kind::Message, run.seq), kind.as_str()),
            target: target.clone(),
            sealed_under: self.ids.id(Kind::Run, run.seq),
            body,
            lease_until: now.plus_ms(i64::from(CALL_TIMEOUT_S) * 1_000 + LEASE_SLACK_MS),
        }))
    }

    /// Records calls as lost whose report never came.
    fn end_lost_calls(&mut self, now: Timestamp) -> Result<Vec<RunView>, LedgerError> {
        let rows = self.sql.run(
            &format!(
                "SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE next_at_ms <= ?1 AND state = 'leased' ORDER BY next_at_ms LIMIT ?2"
            ),
            &[Value::from(now), Value::from(LOST_MAX)],
        )?;
        let mut changed = Vec::with_capacity(rows.len());
        for row in &rows {
            let callback = CallbackRow::read(row)?;
            let seq = callback.run;
            let run = self.run_row(seq)?;
            let lease_ms = i64::from(CALL_TIMEOUT_S) * 1_000 + LEASE_SLACK_MS;
            let started_at = callback.next_at.unwrap_or(now).plus_ms(-lease_ms);
            let lost = CallbackAttempt {
                number: callback.number,
                started_at,
                duration_ms: u32::try_from(now.ms_since(started_at)).unwrap_or(0),
                outcome: Outcome::Lost,
                answer: String::new(),
                retry_after_s: None,
                body_note: None,
                request_id: None,
            };
            let schedule_s = self.settings.retry_schedule_s.as_deref();
            atomically(&self.sql, |sql| {
                end_call(sql, &run, callback, CallRecord::new(lost, None), schedule_s, now)
            })?;
            changed.push(self.run_view(&self.run_row(seq)?));
        }
        self.run_clock.reconsider();
        Ok(changed)
    }
}

/// Writes what came of the call of `callback` that is leased, and what follows for its run.
fn end_call<S: Sql>(
    sql: &S,
    run: &RunRow,
    callback: CallbackRow,
    record: CallRecord,
    schedule_s: Option<&[u32]>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let CallbackRow { kind, tries, snapshot, mut attempts, .. } = callback;
    let standing = run::CallTerms { kind, tries, schedule_s, seed: run.seq.0.cast_unsigned() };
    let next = run::decide(standing, &record.attempt.outcome, record.attempt.retry_after_s);
    let (state, next_at) = match next {
        // A newer update came while this one was under way.
        _ if kind == CallbackKind::Update && tries == 0 => (CallbackState::Waiting, Some(now)),
        // Nobody waits for the answer of a probe any more.
        Next::Again { .. } if kind.is_probe() && run.state.is_final() => (CallbackState::Cancelled, None),
        // The end says more. (An older build has kept no snapshot of an update that was under way.)
        Next::Again { .. }
            if kind == CallbackKind::Update && (run.state.is_final() || snapshot.is_none()) =>
        {
            (CallbackState::Failed, None)
        }
        Next::Delivered => (CallbackState::Delivered, None),
        Next::Failed => (CallbackState::Failed, None),
        Next::Again { after_ms } => (CallbackState::Waiting, Some(now.plus_ms(after_ms))),
    };
    attempts.push(record);
    let first_kept = attempts.len().saturating_sub(ATTEMPTS_KEPT);
    attempts.drain(..first_kept);
    row::record_call(sql, (run.seq, kind), state, next_at, &attempts)?;
    match (kind, next) {
        (CallbackKind::Update, _) if !state.is_open() => row::release_finished(sql, run.seq, now),
        (CallbackKind::Finished, Next::Delivered) => forget_credentials(sql, run),
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, _) if run.state.is_final() => Ok(()),
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, Next::Failed) => {
            let url = run
                .webhooks
                .as_ref()
                .and_then(|webhooks| kind.target(webhooks))
                .map(|target| target.url.as_str());
            end_run(
                sql,
                run,
                RunState::Error,
                &run::not_accessible(kind.field(), url.unwrap_or_default()),
                now,
            )
        }
        (CallbackKind::ProbeFinished, Next::Delivered)
            if run.webhooks.as_ref().is_some_and(|webhooks| webhooks.update.is_some()) =>
        {
            put_callback(sql, run.seq, CallbackKind::ProbeUpdate, Some(now))
        }
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, Next::Delivered) => probed(sql, run, now),
        _ => Ok(()),
    }
}

/// Every address of the run has answered: it is offered, or where it was only to be looked at, it is done.
fn probed<S: Sql>(sql: &S, run: &RunRow, now: Timestamp) -> Result<(), LedgerError> {
    match run.mode {
        RunMode::Work => row::offer(sql, run.seq, now),
        RunMode::Validation => end_run(sql, run, RunState::Finished, VALID, now),
    }
}
