//! Executors at work: a run is created, claimed, heard of, ended or stopped.

use postern_core::api::run::{RunClaim, RunView};
use postern_core::id::{Kind, Seq};
use postern_core::run::{self, CallbackKind, EXECUTOR_LOST, RunDraft, RunEnd, RunMode, RunState, RunUpdate};
use postern_core::time::Timestamp;
use serde_json::value::RawValue;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::run::{
    self as row, COLUMNS, Phase, RunRow, Snapshot, end_run, put_callback, put_update, write_log,
};
use crate::row::text::to_json;
use crate::runs::calls::{LOST_MAX, RunTurn, VALID};
use crate::sql::{Sql, Value, atomically, first};

/// What a run says whose executor was lost.
const OFFERED_AGAIN: &str = "The executor was lost; the run waits for another one";

/// What a claim came to.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// What is to be done; `None`: no run waits.
    pub claim: Option<RunClaim>,
    /// Runs that changed.
    pub changed: Vec<RunView>,
}

impl<S: Sql> Ledger<S> {
    /// Stores a run under a key from [`Ledger::reserve`]; its credentials are sealed. A run with callbacks is
    /// probed first; one that can't be done ([`RunDraft::refusal`]) has ended.
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
        atomically(&self.sql, |sql| {
            row::insert(sql, seq, draft, (state, phase, message), now)?;
            if is_probed { put_callback(sql, seq, CallbackKind::ProbeFinished, Some(now)) } else { Ok(()) }
        })?;
        self.upkeep.reconsider();
        self.run_turn(seq, now)
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
        row::claim(&self.sql, run.seq, lease_s, lease_until, now)?;
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
    /// [`LedgerError::NotFound`]; [`LedgerError::StateConflict`] where the executor is not the one at work
    /// (any more); [`LedgerError::Quota`] where its log, or what else it says, has no room in the store: a
    /// sign of life alone is always taken; the database fails.
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
        self.admit_run_words(&update.log, &[update.message.as_deref()], now)?;
        let message = update.message.unwrap_or(run.message);
        let progress = update.progress.or(run.progress);
        let log = self.longer_log(seq, update.log)?;
        let snapshot = Snapshot { message, progress, at: now };
        atomically(&self.sql, |sql| {
            row::renew(sql, seq, &snapshot, now.plus_ms(i64::from(run.lease_s) * 1_000), now)?;
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
        let results = end.results.as_ref().map(|results| results.get());
        self.admit_run_words(&end.log, &[end.message.as_deref(), results], now)?;
        let log = self.longer_log(seq, end.log)?;
        let message = end.message.unwrap_or_else(|| String::from(end.outcome.message()));
        atomically(&self.sql, |sql| {
            write_log(sql, seq, log.as_ref())?;
            if let Some(results) = &end.results {
                row::set_results(sql, seq, results)?;
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
            row::cancel_probes(sql, seq)?;
            end_run(sql, &run, RunState::Terminated, RunState::Terminated.message(), now)
        })?;
        self.run_turn(seq, now)
    }

    /// The run of an executor that is heard.
    fn heard(&self, seq: Seq, claim: Option<u32>) -> Result<RunRow, LedgerError> {
        let run = self.run_row(seq)?;
        run::check_claim(run.state, run.claim, claim)
            .map_err(|not_heard| LedgerError::StateConflict { why: not_heard.why() })?;
        Ok(run)
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

    /// Offers runs again whose executor said nothing for its lease, or gives them up.
    pub(super) fn end_lost_claims(&mut self, now: Timestamp) -> Result<Vec<RunView>, LedgerError> {
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
                row::offer_again(sql, run.seq, lost, OFFERED_AGAIN, now)?;
                if !run::is_offered_again(lost) {
                    end_run(sql, run, RunState::Error, EXECUTOR_LOST, now)?;
                }
            }
            Ok(())
        })?;
        self.run_clock.reconsider();
        runs.iter().map(|run| Ok(self.run_view(&self.run_row(run.seq)?))).collect()
    }
}
