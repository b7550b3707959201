//! Runs: long jobs that an executor does, with their callbacks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::explain::Reason;
use crate::run::{CallbackAttempt, CallbackKind, CallbackState, Progress, RunMode, RunState};
use crate::time::Timestamp;

/// A run as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RunView {
    /// `run_…`
    pub id: String,
    /// Where it stands.
    pub state: RunState,
    /// What it is for.
    pub mode: RunMode,
    /// What was said last.
    pub message: String,
    /// How far it is, where somebody said it.
    pub progress: Option<Progress>,
    /// Claims that were given out; the number of the one at hand.
    pub claim: u32,
    /// When the lease of the claim at hand ends; `None` unless it is running.
    pub lease_until: Option<Timestamp>,
    /// What its creator calls it.
    pub labels: BTreeMap<String, String>,
    /// Whom it calls.
    pub webhooks: Option<RunWebhooksView>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When anything was last said of it.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// The callbacks that a run carries; no password is ever shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RunWebhooksView {
    /// Hears of the end.
    pub finished: String,
    /// Hears of updates.
    pub update: Option<String>,
    /// `user:XXX`
    pub auth: Option<String>,
}

// The fields of `RunView` are repeated, because serde can't read a text that is kept as written beside
// flattened ones.
/// A run in full: what a list shows of it, and what is large.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RunDetail {
    /// `run_…`
    pub id: String,
    /// Where it stands.
    pub state: RunState,
    /// What it is for.
    pub mode: RunMode,
    /// What was said last.
    pub message: String,
    /// How far it is.
    pub progress: Option<Progress>,
    /// The number of the claim at hand.
    pub claim: u32,
    /// When its lease ends.
    pub lease_until: Option<Timestamp>,
    /// What its creator calls it.
    pub labels: BTreeMap<String, String>,
    /// Whom it calls.
    pub webhooks: Option<RunWebhooksView>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When anything was last said of it.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What is to be done, as its creator wrote it.
    pub chain: Box<RawValue>,
    /// What came of it.
    pub results: Option<Box<RawValue>>,
    /// What the executor logged, the oldest entries first.
    pub log: Vec<Box<RawValue>>,
    /// Older entries of the log that had to make room.
    pub log_dropped: u32,
    /// Its callbacks: probes first, `update` before `finished`.
    pub callbacks: Vec<CallbackView>,
}

/// What a run has beside what a list shows of it.
#[derive(Clone, Debug)]
pub struct RunParts {
    /// See [`RunDetail`], as all of them.
    pub chain: Box<RawValue>,
    /// What came of it.
    pub results: Option<Box<RawValue>>,
    /// The log.
    pub log: Vec<Box<RawValue>>,
    /// Entries that it has lost.
    pub log_dropped: u32,
    /// The callbacks.
    pub callbacks: Vec<CallbackView>,
}

impl RunDetail {
    /// The run with its parts.
    #[must_use]
    pub fn new(run: RunView, parts: RunParts) -> Self {
        let RunView {
            id,
            state,
            mode,
            message,
            progress,
            claim,
            lease_until,
            labels,
            webhooks,
            created_at,
            started_at,
            updated_at,
            ended_at,
        } = run;
        let RunParts { chain, results, log, log_dropped, callbacks } = parts;
        Self {
            id,
            state,
            mode,
            message,
            progress,
            claim,
            lease_until,
            labels,
            webhooks,
            created_at,
            started_at,
            updated_at,
            ended_at,
            chain,
            results,
            log,
            log_dropped,
            callbacks,
        }
    }

    /// The run as a list shows it.
    #[must_use]
    pub fn view(&self) -> RunView {
        RunView {
            id: self.id.clone(),
            state: self.state,
            mode: self.mode,
            message: self.message.clone(),
            progress: self.progress,
            claim: self.claim,
            lease_until: self.lease_until,
            labels: self.labels.clone(),
            webhooks: self.webhooks.clone(),
            created_at: self.created_at,
            started_at: self.started_at,
            updated_at: self.updated_at,
            ended_at: self.ended_at,
        }
    }
}

/// A callback of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallbackView {
    /// What it tells.
    pub kind: CallbackKind,
    /// Where it goes, without credentials.
    pub url: String,
    /// Where it stands.
    pub state: CallbackState,
    /// When it is called next, or when the lease of the call at hand ends. Null while `finished` waits for an
    /// update to be through, and where no call is planned.
    pub next_at: Option<Timestamp>,
    /// Why it stands there, and what to do.
    pub reason: Reason,
    /// The latest calls, the oldest first.
    pub attempts: Vec<CallbackAttemptView>,
}

/// One call of a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallbackAttemptView {
    /// In a few words, such as `204 No Content`.
    pub result: String,
    /// The call.
    #[serde(flatten)]
    pub attempt: CallbackAttempt,
}

/// Answer to a claim: what the executor is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RunClaim {
    /// `run_…`
    pub id: String,
    /// The number of this claim; sent back with updates it tells a stale executor from the one at work.
    pub claim: u32,
    /// What is to be done.
    pub chain: Box<RawValue>,
    /// What its creator calls it.
    pub labels: BTreeMap<String, String>,
    /// Seconds of the lease; each update renews it.
    pub lease_s: u32,
    /// When it ends.
    pub lease_until: Timestamp,
    /// When the run was created.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_full_reads_back_with_its_chain_as_it_was_written() {
        let text = concat!(
            r#"{"id":"run_1","state":"running","mode":"work","message":"m","progress":{"step":1,"of":2,"percent":50},"claim":1,"#,
            r#""lease_until":"2026-11-21T14:07:31.204Z","labels":{},"webhooks":null,"created_at":"2026-11-21T14:07:31.204Z","#,
            r#""started_at":null,"updated_at":"2026-11-21T14:07:31.204Z","ended_at":null,"chain":{"z": 1,"a":1e400},"results":null,"#,
            r#""log":[{"b": 1}],"log_dropped":0,"callbacks":[{"kind":"finished","url":"https://f.example/","state":"delivered","next_at":null,"#,
            r#""reason":{"headline":"Taken at call 1: 200 OK","advice":""},"#,
            r#""attempts":[{"result":"200 OK","number":1,"started_at":"2026-11-21T14:07:31.204Z","duration_ms":5,"#,
            r#""outcome":{"kind":"answered","status":200}}]}]}"#
        );
        let read = serde_json::from_str::<RunDetail>(text);
        assert!(
            read.as_ref().is_ok_and(|run| serde_json::to_string(run).is_ok_and(|again| again == text)),
            "{read:?}"
        );
        assert!(read.is_ok_and(|run| run.view().progress == run.progress));
    }
}
