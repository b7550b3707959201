//! Runs as people and actinia's API see them.

use postern_core::api::page::Page;
use postern_core::api::run::{
    CallbackAttemptView, CallbackView, RunDetail, RunParts, RunView, RunWebhooksView,
};
use postern_core::facade::actinia::{self, Facts};
use postern_core::id::{Kind, Seq};
use postern_core::run::{self, RunState};

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::run::{CALLBACK_COLUMNS, COLUMNS, CallbackRow, LargeColumns, RunRow, json_of};
use crate::row::text::to_json;
use crate::sql::{Sql, Value, first};

/// Bytes of a list of runs in actinia's words at most: each has its chain, results and log, and the object
/// 128 MB for all it does.
const STATUSES_BYTES_MAX: usize = 4 * 1024 * 1024;

impl<S: Sql> Ledger<S> {
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

    /// The same of the newest runs: at most `limit` of them, and as many as have [`STATUSES_BYTES_MAX`]
    /// together.
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

    fn status_at(&self, seq: Seq) -> Result<(u16, String), LedgerError> {
        let run = self.run_row(seq)?;
        let (chain, results, log, _) = self.large_columns(seq)?;
        let uuid = self.ids.uuid(seq).to_string();
        let facts =
            Facts { chain: Some(&chain), results: results.as_deref(), log: &log, ..self.facts(&run, &uuid) };
        Ok((facts.http_code(), actinia::status(&facts)))
    }

    pub(super) fn facts<'a>(&'a self, run: &'a RunRow, uuid: &'a str) -> Facts<'a> {
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

    pub(super) fn run_view(&self, run: &RunRow) -> RunView {
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

    pub(super) fn run_row(&self, seq: Seq) -> Result<RunRow, LedgerError> {
        let rows = self.sql.run(&format!("SELECT {COLUMNS} FROM run WHERE seq = ?1"), &[Value::from(seq)])?;
        first(rows).map_or(Err(LedgerError::NotFound { what: "run" }), |row| RunRow::read(&row))
    }

    pub(super) fn large_columns(&self, seq: Seq) -> Result<LargeColumns, LedgerError> {
        let rows = self
            .sql
            .run("SELECT chain, results, log, log_dropped FROM run WHERE seq = ?1", &[Value::from(seq)])?;
        let row = first(rows).ok_or(LedgerError::NotFound { what: "run" })?;
        let results =
            row.text_or_none(1)?.map(|text| json_of(text, "a run's results can't be read")).transpose()?;
        Ok((
            json_of(row.text(0)?, "a chain can't be read")?,
            results,
            json_of(row.text(2)?, "a log can't be read")?,
            row.number(3)?,
        ))
    }
}

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
