//! Runs: long jobs that executors claim, and the callbacks that runs carry.
//!
//! A run goes through three phases: its addresses are probed, it waits for a claim, it was claimed. A claim has a lease; where
//! it ends without a word of the executor the run is offered again, and after five of them the run has failed. What may be
//! said in which state, and what follows a call, `core::run` decides.
//!
//! Callbacks are rows of their own, one a run and kind, with leases as tests have them: what makes one due leases it to its caller,
//! which makes the call and reports it; what is left (a pause before the next call, a call whose report never came) is the
//! alarm's ([`Ledger::due_runs`]). A report counts only for the call that is leased.
//!
//! A newer update replaces one that the receiver has not taken yet. The end of a run is told after an update that is still under
//! way, so that a receiver never hears "running" last; an update that waits to be repeated gives way to it.
//!
//! The sealed credentials of the addresses stay until the receiver has taken the end, so that it can be told again whenever
//! somebody asks; where the receiver never takes it they go with the run, at the end of the project's retention.

use postern_core::api::page::Page;
use postern_core::api::run::{
    CallbackAttemptView, CallbackView, RunClaim, RunDetail, RunParts, RunView, RunWebhooksView,
};
use postern_core::delivery::Outcome;
use postern_core::facade::actinia::{self, Facts};
use postern_core::id::{Kind, Seq};
use postern_core::run::{
    self, CALL_TIMEOUT_S, CallRecord, CallbackAttempt, CallbackKind, CallbackState, EXECUTOR_LOST, Next,
    RunDraft, RunEnd, RunMode, RunState, RunUpdate, Target, Webhooks,
};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::LedgerError;
use crate::memory::clock::NextWake;
use crate::memory::roster::LEASE_SLACK_MS;
use crate::project::Ledger;
use crate::row::run::{
    CALLBACK_COLUMNS, COLUMNS, CallbackRow, LargeColumns, Phase, RunRow, Snapshot, end_run,
    forget_credentials, json_of, mode_text, put_callback, put_update, write_log,
};
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value, atomically, first};

/// Calls that are under way at once where the alarm makes them: as many as one invocation may have open
/// (docs/platform.md 2.4).
const CALLS_AT_ONCE: u32 = 6;
/// Lost claims and lost calls that one step takes up.
const LOST_MAX: u32 = 50;
/// Bytes of a list of runs in actinia's words at most: each has its chain, results and log, and the object 128 MB for all it does.
const STATUSES_BYTES_MAX: usize = 4 * 1024 * 1024;
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

/// What a claim came to.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// What is to be done; `None`: no run waits.
    pub claim: Option<RunClaim>,
    /// Runs that changed.
    pub changed: Vec<RunView>,
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
    /// Stores a run under a key from [`Ledger::reserve`]; its credentials are sealed. A run with callbacks is probed first; one that
    /// can't be done ([`RunDraft::refusal`]) has ended.
    ///
    /// # Errors
    /// The database fails.
    pub fn create_run(&mut self, seq: Seq, draft: &RunDraft, now: Timestamp) -> Result<RunTurn, LedgerError> {
        let (state, phase, message) = match (&draft.refusal, &draft.webhooks, draft.mode) {
            (Some(refusal), _, _) => (RunState::Error, Phase::Taken, refusal.as_str()),
            (None, Some(_), _) => (RunState::Accepted, Phase::Probing, "Resource accepted"),
            (None, None, RunMode::Work) => (RunState::Accepted, Phase::Offered, "Resource accepted"),
            (None, None, RunMode::Validation) => (RunState::Finished, Phase::Taken, VALID),
        };
        self.admit_run(draft.chain.get().len(), now)?;
        let is_probed = phase == Phase::Probing;
        let ended_at = state.is_final().then_some(now);
        atomically(&self.sql, |sql| {
            sql.run(
                "INSERT INTO run (seq, state, mode, phase, claim, lost, lease_s, created_at_ms, updated_at_ms, ended_at_ms, message, labels,
                    webhooks, entry, chain)
                 VALUES (?1, ?2, ?3, ?4, 0, 0, 0, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                &[
                    Value::from(seq),
                    Value::from(state.as_str()),
                    Value::from(mode_text(draft.mode)),
                    Value::from(phase as u32),
                    Value::from(now),
                    Value::from(ended_at),
                    Value::from(message),
                    Value::Text(to_json(&draft.labels)?),
                    Value::from(draft.webhooks.as_ref().map(to_json).transpose()?),
                    Value::Text(to_json(&draft.entry)?),
                    Value::from(draft.chain.get()),
                ],
            )?;
            if is_probed { put_callback(sql, seq, CallbackKind::ProbeFinished, Some(now)) } else { Ok(()) }
        })?;
        self.upkeep.reconsider();
        self.run_turn(seq, now)
    }

    /// Runs that have not ended, counted up to `most`.
    pub(crate) fn count_open_runs(&self, most: u32) -> Result<u32, LedgerError> {
        let open = RunState::ALL
            .into_iter()
            .filter(|state| !state.is_final())
            .map(RunState::as_str)
            .collect::<Vec<_>>();
        let rows = self.sql.run(
            "SELECT count(*) FROM (SELECT 1 FROM json_each(?1) AS j CROSS JOIN run ON run.state = j.value LIMIT ?2)",
            &[Value::Text(to_json(&open)?), Value::from(most)],
        )?;
        first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_runs(
        &self,
        state: Option<RunState>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<RunView>, LedgerError> {
        let of_state = if state.is_some() { "state = ?3" } else { "?3 IS NULL" };
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM run WHERE seq < ?1 AND {of_state} ORDER BY seq DESC LIMIT ?2"),
            &[
                Value::from(self.cursor_seq(cursor)?),
                Value::from(limit.saturating_add(1)),
                Value::from(state.map(RunState::as_str)),
            ],
        )?;
        let runs = rows.iter().take(limit as usize).map(RunRow::read).collect::<Result<Vec<_>, _>>()?;
        let is_cut = rows.len() > limit as usize;
        let next = runs.last().filter(|_last| is_cut).map(|last| self.ids.uuid(last.seq).to_string());
        Ok(Page::new(runs.iter().map(|run| self.run_view(run)).collect(), next))
    }

    /// One run in full.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn run(&self, id: &str) -> Result<RunDetail, LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        let run = self.run_row(seq)?;
        let (chain, results, log, log_dropped) = self.large_columns(seq)?;
        let rows = self.sql.run(
            &format!("SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE run = ?1"),
            &[Value::from(seq)],
        )?;
        let mut callbacks = rows.iter().map(CallbackRow::read).collect::<Result<Vec<_>, _>>()?;
        callbacks.sort_by_key(|callback| callback.kind);
        let callbacks = callbacks.into_iter().map(|callback| callback_view(&run, callback)).collect();
        Ok(RunDetail::new(self.run_view(&run), RunParts { chain, results, log, log_dropped, callbacks }))
    }

    /// What actinia's API says of a run: its HTTP status and its text.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn run_status(&self, id: &str) -> Result<(u16, String), LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        self.status_at(seq)
    }

    /// The same of the newest runs: at most `limit` of them, and as many as have [`STATUSES_BYTES_MAX`] together.
    ///
    /// # Errors
    /// The database fails.
    pub fn run_statuses(&self, limit: u32) -> Result<Vec<String>, LedgerError> {
        let rows = self.sql.run("SELECT seq FROM run ORDER BY seq DESC LIMIT ?1", &[Value::from(limit)])?;
        let (mut texts, mut bytes) = (Vec::new(), 0_usize);
        for row in &rows {
            let (_code, text) = self.status_at(row.seq(0)?)?;
            bytes = bytes.saturating_add(text.len());
            if bytes > STATUSES_BYTES_MAX && !texts.is_empty() {
                break;
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// Gives the run that has waited longest to the caller, for `lease_s` seconds.
    ///
    /// # Errors
    /// The database fails.
    pub fn claim_run(&mut self, lease_s: u32, now: Timestamp) -> Result<Claimed, LedgerError> {
        // A lease that ended before the alarm could ring counts as ended.
        let mut changed = self.end_lost_claims(now)?;
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM run WHERE phase = 1 ORDER BY seq LIMIT 1"), &[])?;
        let Some(run) = first(rows).map(|row| RunRow::read(&row)).transpose()? else {
            return Ok(Claimed { claim: None, changed });
        };
        let lease_until = now.plus_ms(i64::from(lease_s) * 1_000);
        self.sql.run(
            "UPDATE run SET state = 'running', phase = 2, claim = claim + 1, lease_s = ?2, lease_until_ms = ?3, message = ?4,
                started_at_ms = coalesce(started_at_ms, ?5), updated_at_ms = ?5 WHERE seq = ?1",
            &[
                Value::from(run.seq),
                Value::from(lease_s),
                Value::from(lease_until),
                Value::from(RunState::Running.message()),
                Value::from(now),
            ],
        )?;
        self.run_clock.reconsider();
        let (chain, ..) = self.large_columns(run.seq)?;
        let view = self.run_view(&self.run_row(run.seq)?);
        let claim = RunClaim {
            id: view.id.clone(),
            claim: view.claim,
            chain,
            labels: run.labels,
            lease_s,
            lease_until,
            created_at: run.created_at,
        };
        changed.push(view);
        Ok(Claimed { claim: Some(claim), changed })
    }

    /// Takes in what an executor says while it works, and renews its lease.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where the executor is not the one at work (any more); the database
    /// fails.
    pub fn update_run(
        &mut self,
        id: &str,
        update: RunUpdate,
        now: Timestamp,
    ) -> Result<RunTurn, LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        let run = self.heard(seq, update.claim)?;
        let is_told =
            !update.is_heartbeat() && run.webhooks.as_ref().is_some_and(|webhooks| webhooks.update.is_some());
        let message = update.message.unwrap_or(run.message);
        let progress = update.progress.or(run.progress);
        let log = self.longer_log(seq, update.log)?;
        let snapshot = Snapshot { message, progress, at: now };
        atomically(&self.sql, |sql| {
            sql.run(
                "UPDATE run SET message = ?2, progress = ?3, updated_at_ms = ?4, lease_until_ms = ?5 WHERE seq = ?1",
                &[
                    Value::from(seq),
                    Value::from(snapshot.message.as_str()),
                    Value::from(progress.as_ref().map(to_json).transpose()?),
                    Value::from(now),
                    Value::from(now.plus_ms(i64::from(run.lease_s) * 1_000)),
                ],
            )?;
            write_log(sql, seq, log.as_ref())?;
            if is_told { put_update(sql, seq, &snapshot, now) } else { Ok(()) }
        })?;
        self.run_turn(seq, now)
    }

    /// Takes in the end of a run.
    ///
    /// # Errors
    /// As [`Ledger::update_run`].
    pub fn finish_run(&mut self, id: &str, end: RunEnd, now: Timestamp) -> Result<RunTurn, LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        let run = self.heard(seq, end.claim)?;
        let log = self.longer_log(seq, end.log)?;
        let message = end.message.unwrap_or_else(|| String::from(end.outcome.message()));
        atomically(&self.sql, |sql| {
            write_log(sql, seq, log.as_ref())?;
            if let Some(results) = &end.results {
                sql.run(
                    "UPDATE run SET results = ?2 WHERE seq = ?1",
                    &[Value::from(seq), Value::from(results.get())],
                )?;
            }
            end_run(sql, &run, end.outcome, &message, now)
        })?;
        self.run_turn(seq, now)
    }

    /// Stops a run. Its executor learns it with its next word.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where it has ended; the database fails.
    pub fn terminate_run(&mut self, id: &str, now: Timestamp) -> Result<RunTurn, LedgerError> {
        let seq = self.seq_of(Kind::Run, id, "run")?;
        let run = self.run_row(seq)?;
        if run.state.is_final() {
            return Err(LedgerError::StateConflict { why: "it has ended already" });
        }
        atomically(&self.sql, |sql| {
            sql.run(
                "UPDATE run_callback SET state = 'cancelled', next_at_ms = NULL
                 WHERE run = ?1 AND kind IN ('probe_finished', 'probe_update') AND state = 'waiting'",
                &[Value::from(seq)],
            )?;
            end_run(sql, &run, RunState::Terminated, RunState::Terminated.message(), now)
        })?;
        self.run_turn(seq, now)
    }

    /// Makes a callback due now, and begins its schedule anew: somebody has fixed its receiver, or wants it told again.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where [`run::may_resend`] says no; the database fails.
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
        self.sql.run(
            "UPDATE run_callback SET state = 'waiting', tries = 0, next_at_ms = ?3 WHERE run = ?1 AND kind = ?2",
            &[Value::from(seq), Value::from(kind.as_str()), Value::from(now)],
        )?;
        self.run_turn(seq, now)
    }

    /// Takes up what is due: claims and calls whose lease has ended, and calls whose time has come. Call it again while
    /// [`Ledger::next_wake`] is not in the future.
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

    /// Takes in what came of call `number`; gives the run and the calls that follow at once. `None`: the call is not the one that
    /// is leased.
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

    /// Runs that keep sealed credentials, in the order of their keys, after `after`: each with its id and its callbacks.
    ///
    /// # Errors
    /// The database fails.
    pub fn runs_with_credentials_after(
        &self,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<(Seq, String, Webhooks)>, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, webhooks FROM run WHERE seq > ?1 AND instr(webhooks, '\"authorization\":\"') > 0 ORDER BY seq LIMIT ?2",
            &[Value::from(after), Value::from(limit)],
        )?;
        let read = |row: &Row| {
            Ok((
                row.seq(0)?,
                self.ids.id(Kind::Run, row.seq(0)?),
                json_of(row.text(1)?, "a run's webhooks do not read back")?,
            ))
        };
        rows.iter().map(read).collect()
    }

    /// Replaces the sealed credentials of a run by another sealed text of the same ones.
    ///
    /// # Errors
    /// The database fails.
    pub fn replace_run_credentials(&mut self, run: Seq, webhooks: &Webhooks) -> Result<(), LedgerError> {
        self.sql.run(
            "UPDATE run SET webhooks = ?2 WHERE seq = ?1",
            &[Value::from(run), Value::Text(to_json(webhooks)?)],
        )?;
        Ok(())
    }

    /// When something about runs is to be done next. Known by heart between two changes: it is asked after every write.
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
        // With all connections in use nothing can begin before one of them is free: its report, or its lease's end.
        let call = if row.number(0)? >= CALLS_AT_ONCE {
            row.timestamp_or_none(1)?
        } else {
            row.timestamp_or_none(2)?
        };
        let next = [claim, call].into_iter().flatten().min();
        self.run_clock.next.set(next.map_or(NextWake::Never, NextWake::At));
        Ok(next)
    }

    fn run_row(&self, seq: Seq) -> Result<RunRow, LedgerError> {
        let rows = self.sql.run(&format!("SELECT {COLUMNS} FROM run WHERE seq = ?1"), &[Value::from(seq)])?;
        first(rows).map_or(Err(LedgerError::NotFound { what: "run" }), |row| RunRow::read(&row))
    }

    fn callback_row(&self, run: Seq, kind: CallbackKind) -> Result<Option<CallbackRow>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {CALLBACK_COLUMNS} FROM run_callback WHERE run = ?1 AND kind = ?2"),
            &[Value::from(run), Value::from(kind.as_str())],
        )?;
        first(rows).map(|row| CallbackRow::read(&row)).transpose()
    }

    /// The run of an executor that is heard.
    fn heard(&self, seq: Seq, claim: Option<u32>) -> Result<RunRow, LedgerError> {
        let run = self.run_row(seq)?;
        run::hear(run.state, run.claim, claim)
            .map_err(|not_heard| LedgerError::StateConflict { why: not_heard.why() })?;
        Ok(run)
    }

    fn large_columns(&self, seq: Seq) -> Result<LargeColumns, LedgerError> {
        let rows = self
            .sql
            .run("SELECT chain, results, log, log_dropped FROM run WHERE seq = ?1", &[Value::from(seq)])?;
        let row = first(rows).ok_or(LedgerError::NotFound { what: "run" })?;
        let results =
            row.text_or_none(1)?.map(|text| json_of(text, "a run's results do not read back")).transpose()?;
        Ok((
            json_of(row.text(0)?, "a chain does not read back")?,
            results,
            json_of(row.text(2)?, "a log does not read back")?,
            row.number(3)?,
        ))
    }

    /// The log with `more`, and how many entries it has lost by now; `None` where there is nothing to add.
    fn longer_log(&self, seq: Seq, more: Vec<Box<RawValue>>) -> Result<Option<(String, u32)>, LedgerError> {
        if more.is_empty() {
            return Ok(None);
        }
        let (_, _, mut log, dropped) = self.large_columns(seq)?;
        let dropped = dropped.saturating_add(run::append_log(&mut log, more));
        Ok(Some((to_json(&log)?, dropped)))
    }

    /// The run as it is now, and its calls that are due, leased to the caller.
    fn run_turn(&mut self, seq: Seq, now: Timestamp) -> Result<RunTurn, LedgerError> {
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
                sql.run(
                    "UPDATE run_callback SET state = 'leased', number = ?3, tries = tries + 1, next_at_ms = ?4 WHERE run = ?1 AND kind = ?2",
                    &[Value::from(call.run), Value::from(call.kind.as_str()), Value::from(call.number), Value::from(call.lease_until)],
                )?;
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

    fn facts<'a>(&'a self, run: &'a RunRow, uuid: &'a str) -> Facts<'a> {
        Facts {
            project: self.project().as_str(),
            uuid,
            entry: &run.entry,
            state: run.state,
            message: &run.message,
            progress: run.progress,
            created_at: run.created_at,
            started_at: run.started_at,
            updated_at: run.updated_at,
            chain: None,
            results: None,
            log: &[],
        }
    }

    fn status_at(&self, seq: Seq) -> Result<(u16, String), LedgerError> {
        let run = self.run_row(seq)?;
        let (chain, results, log, _) = self.large_columns(seq)?;
        let uuid = self.ids.uuid(seq).to_string();
        let facts =
            Facts { chain: Some(&chain), results: results.as_deref(), log: &log, ..self.facts(&run, &uuid) };
        Ok((facts.http_code(), actinia::status(&facts)))
    }

    /// Offers runs again whose executor said nothing for its lease, or gives them up.
    fn end_lost_claims(&mut self, now: Timestamp) -> Result<Vec<RunView>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM run WHERE lease_until_ms <= ?1 ORDER BY lease_until_ms LIMIT ?2"),
            &[Value::from(now), Value::from(LOST_MAX)],
        )?;
        let runs = rows.iter().map(RunRow::read).collect::<Result<Vec<_>, _>>()?;
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        atomically(&self.sql, |sql| {
            for run in &runs {
                let lost = run.lost.saturating_add(1);
                sql.run(
                    "UPDATE run SET state = 'accepted', phase = 1, lost = ?2, lease_until_ms = NULL, message = ?3, updated_at_ms = ?4
                     WHERE seq = ?1",
                    &[Value::from(run.seq), Value::from(lost), Value::from(OFFERED_AGAIN), Value::from(now)],
                )?;
                if !run::is_offered_again(lost) {
                    end_run(sql, run, RunState::Error, EXECUTOR_LOST, now)?;
                }
            }
            Ok(())
        })?;
        self.run_clock.reconsider();
        runs.iter().map(|run| Ok(self.run_view(&self.run_row(run.seq)?))).collect()
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

    fn run_view(&self, run: &RunRow) -> RunView {
        RunView {
            id: self.ids.id(Kind::Run, run.seq),
            state: run.state,
            mode: run.mode,
            message: run.message.clone(),
            progress: run.progress,
            claim: run.claim,
            lease_until: run.lease_until,
            labels: run.labels.clone(),
            webhooks: run.webhooks.as_ref().map(|webhooks| RunWebhooksView {
                finished: webhooks.finished.url.clone(),
                update: webhooks.update.as_ref().map(|update| update.url.clone()),
                auth: webhooks.shown_auth(),
            }),
            created_at: run.created_at,
            started_at: run.started_at,
            updated_at: run.updated_at,
            ended_at: run.ended_at,
        }
    }
}

/// What a validation says that found nothing wrong.
const VALID: &str = "Validation successfully finished";
/// What a run says whose executor was lost.
const OFFERED_AGAIN: &str = "The executor was lost; the run waits for another one";

fn callback_view(run: &RunRow, callback: CallbackRow) -> CallbackView {
    let target = run.webhooks.as_ref().and_then(|webhooks| callback.kind.target(webhooks));
    let reason = run::reason(callback.kind, callback.state, callback.next_at, &callback.attempts);
    let attempts = callback
        .attempts
        .into_iter()
        .map(|record| CallbackAttemptView { result: record.result(), attempt: record.attempt })
        .collect();
    CallbackView {
        kind: callback.kind,
        url: target.map(|target| target.url.clone()).unwrap_or_default(),
        state: callback.state,
        next_at: callback.next_at,
        reason,
        attempts,
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
    let standing = run::Standing { kind, tries, schedule_s, seed: run.seq.0.cast_unsigned() };
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
    sql.run(
        "UPDATE run_callback SET state = ?3, next_at_ms = ?4, attempts = ?5 WHERE run = ?1 AND kind = ?2",
        &[
            Value::from(run.seq),
            Value::from(kind.as_str()),
            Value::from(state.as_str()),
            Value::from(next_at),
            Value::Text(to_json(&attempts)?),
        ],
    )?;
    match (kind, next) {
        (CallbackKind::Update, _) if !state.is_open() => {
            sql.run(
                "UPDATE run_callback SET next_at_ms = ?2 WHERE run = ?1 AND kind = 'finished' AND state = 'waiting' AND next_at_ms IS NULL",
                &[Value::from(run.seq), Value::from(now)],
            )?;
            Ok(())
        }
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
        RunMode::Work => {
            sql.run(
                "UPDATE run SET phase = 1, updated_at_ms = ?2 WHERE seq = ?1",
                &[Value::from(run.seq), Value::from(now)],
            )?;
            Ok(())
        }
        RunMode::Validation => end_run(sql, run, RunState::Finished, VALID, now),
    }
}

#[cfg(test)]
mod tests;
