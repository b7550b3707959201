//! Questions about runs. Their rules are `core::run`'s and the ledger's.

use postern_core::api::page::Page;
use postern_core::api::run::{RunClaim, RunDetail, RunView};
use postern_core::id::{Kind, Seq};
use postern_core::operation::Operation;
use postern_core::run::parse::RunQuery;
use postern_core::run::{CallRecord, CallbackKind, RunDraft, RunEnd, RunUpdate, Webhooks};
use postern_ledger::{RunCall, RunTurn};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, Reply, replies};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::seal::{self, Owner};

questions!(
    CreateRun,
    SubmitRun,
    ListRuns,
    ShowRun,
    ShowRunStatus,
    ListRunStatuses,
    ClaimRun,
    UpdateRun,
    FinishRun,
    TerminateRun,
    ResendRunCallback,
    ReportRunCall
);

replies! {
    Page<RunView> => "runs.page",
    RunDetail => "runs.detail",
    Option<RunClaim> => "runs.claim",
    RunStatus => "runs.status",
    RunStatuses => "runs.statuses",
    Vec<RunCall> => "runs.calls",
}

/// Runs whose credentials are looked at in one step when the sealing key has changed.
const RESEALED_AT_ONCE: u32 = 100;
/// Runs whose credentials are moved to another sealing key in one turn; the next minute goes on.
const RESEALED_MAX: usize = 500;

impl Reply for RunTurn {
    const NAME: &'static str = "runs.turn";

    fn without_calls(&self) -> Option<Self> {
        Some(Self { run: self.run.clone(), calls: Vec::new() })
    }
}

/// A run that was submitted, and what actinia says of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunSubmitted {
    /// The run, and calls that the Worker makes after its answer.
    pub(crate) turn: RunTurn,
    /// HTTP status.
    pub(crate) code: u16,
    /// JSON.
    pub(crate) text: String,
}

impl Reply for RunSubmitted {
    const NAME: &'static str = "runs.submitted";

    fn without_calls(&self) -> Option<Self> {
        Some(Self { turn: self.turn.without_calls()?, code: self.code, text: self.text.clone() })
    }
}

/// A run in actinia's words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunStatus {
    /// HTTP status.
    pub(crate) code: u16,
    /// JSON.
    pub(crate) text: String,
}

/// Runs in actinia's words, a JSON text each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RunStatuses(pub(crate) Vec<String>);

/// Add a run; its credentials are plain and get sealed in the object, which knows the new id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateRun {
    /// As parsed.
    pub(crate) draft: Box<RunDraft>,
}

impl Question for CreateRun {
    const NAME: &'static str = "runs.create";
    const NEED: Need<Self> = Need::Of(Operation::CreateRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunTurn;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunTurn, Refusal> {
        let run = turn.create_run(*self.draft)?;
        Ok(turn.announce_run(run))
    }
}

/// The same, answered in actinia's words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubmitRun {
    /// As parsed.
    pub(crate) draft: Box<RunDraft>,
}

impl Question for SubmitRun {
    const NAME: &'static str = "runs.submit";
    const NEED: Need<Self> = Need::Of(Operation::CreateRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunSubmitted;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunSubmitted, Refusal> {
        let run = turn.create_run(*self.draft)?;
        let (code, text) = turn.ledger.run_status(&run.run.id)?;
        Ok(RunSubmitted { turn: turn.announce_run(run), code, text })
    }
}

/// One page of the runs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListRuns {
    /// Which.
    pub(crate) query: RunQuery,
}

impl Question for ListRuns {
    const NAME: &'static str = "runs.list";
    const NEED: Need<Self> = Need::Of(Operation::ListRuns);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<RunView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<RunView>, Refusal> {
        let RunQuery { state, page } = self.query;
        Ok(turn.ledger.list_runs(state, page.limit, page.cursor.as_deref())?)
    }
}

/// One run in full.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowRun {
    /// `run_…`
    pub(crate) id: String,
}

impl Question for ShowRun {
    const NAME: &'static str = "runs.show";
    const NEED: Need<Self> = Need::Of(Operation::GetRun);
    const ARMS: Arms = Arms::Nothing;
    type Reply = RunDetail;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunDetail, Refusal> {
        Ok(turn.ledger.run(&self.id)?)
    }
}

/// One run in actinia's words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowRunStatus {
    /// `run_…`
    pub(crate) id: String,
}

impl Question for ShowRunStatus {
    const NAME: &'static str = "runs.status";
    const NEED: Need<Self> = Need::Of(Operation::GetRun);
    const ARMS: Arms = Arms::Nothing;
    type Reply = RunStatus;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunStatus, Refusal> {
        let (code, text) = turn.ledger.run_status(&self.id)?;
        Ok(RunStatus { code, text })
    }
}

/// The newest runs in actinia's words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListRunStatuses {
    /// How many at most.
    pub(crate) limit: u32,
}

impl Question for ListRunStatuses {
    const NAME: &'static str = "runs.statuses";
    const NEED: Need<Self> = Need::Of(Operation::ListRuns);
    const ARMS: Arms = Arms::Nothing;
    type Reply = RunStatuses;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunStatuses, Refusal> {
        Ok(RunStatuses(turn.ledger.run_statuses(self.limit)?))
    }
}

/// Give a run to an executor. The reply is what it is to do, and `None` if nothing waits.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimRun {
    /// Seconds of the lease.
    pub(crate) lease_s: u32,
}

impl Question for ClaimRun {
    const NAME: &'static str = "runs.claim";
    const NEED: Need<Self> = Need::Of(Operation::ClaimRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Option<RunClaim>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Option<RunClaim>, Refusal> {
        let claimed = turn.ledger.claim_run(self.lease_s, turn.now)?;
        turn.changes.runs.extend(claimed.changed);
        Ok(claimed.claim)
    }
}

/// What an executor says while it works.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateRun {
    /// `run_…`
    pub(crate) id: String,
    /// As parsed.
    pub(crate) update: RunUpdate,
}

impl Question for UpdateRun {
    const NAME: &'static str = "runs.update";
    const NEED: Need<Self> = Need::Of(Operation::UpdateRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunTurn;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunTurn, Refusal> {
        let run = turn.ledger.update_run(&self.id, self.update, turn.now)?;
        Ok(turn.announce_run(run))
    }
}

/// The end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FinishRun {
    /// `run_…`
    pub(crate) id: String,
    /// As parsed.
    pub(crate) end: RunEnd,
}

impl Question for FinishRun {
    const NAME: &'static str = "runs.finish";
    const NEED: Need<Self> = Need::Of(Operation::FinishRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunTurn;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunTurn, Refusal> {
        let run = turn.ledger.finish_run(&self.id, self.end, turn.now)?;
        Ok(turn.announce_run(run))
    }
}

/// Stop a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TerminateRun {
    /// `run_…`
    pub(crate) id: String,
}

impl Question for TerminateRun {
    const NAME: &'static str = "runs.terminate";
    const NEED: Need<Self> = Need::Of(Operation::TerminateRun);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunTurn;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunTurn, Refusal> {
        let run = turn.ledger.terminate_run(&self.id, turn.now)?;
        Ok(turn.announce_run(run))
    }
}

/// Call a callback again, now.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ResendRunCallback {
    /// `run_…`
    pub(crate) id: String,
    /// Which callback of it, as the path names it.
    pub(crate) kind: String,
}

impl Question for ResendRunCallback {
    const NAME: &'static str = "runs.resend";
    const NEED: Need<Self> = Need::Of(Operation::RetryRunCallback);
    const ARMS: Arms = Arms::Alarm;
    type Reply = RunTurn;

    fn answer(self, turn: &mut Turn<'_>) -> Result<RunTurn, Refusal> {
        let run = turn.ledger.resend_run_callback(&self.id, &self.kind, turn.now)?;
        Ok(turn.announce_run(run))
    }
}

/// The dispatcher is done with a call. The reply is the calls that follow at once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReportRunCall {
    /// The run.
    pub(crate) run: Seq,
    /// Which callback of it.
    pub(crate) kind: CallbackKind,
    /// Which call of that.
    pub(crate) number: u32,
    /// What came of it.
    pub(crate) attempt: Box<CallRecord>,
}

impl Question for ReportRunCall {
    const NAME: &'static str = "runs.report";
    const NEED: Need<Self> = Need::Postern(Vec::new);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Vec<RunCall>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Vec<RunCall>, Refusal> {
        let Self { run, kind, number, attempt } = self;
        let Some(changed) = turn.ledger.report_run_call(run, kind, number, *attempt, turn.now)? else {
            return Ok(Vec::new());
        };
        Ok(turn.announce_run(changed).calls)
    }
}

impl Turn<'_> {
    /// Moves the credentials of runs to the current sealing key, some of them each minute; gives how many
    /// runs have some that do not open. `None`: there are more to move.
    pub(super) fn reseal_runs(&mut self) -> Result<Option<usize>, Refusal> {
        let keyring = &self.settings.keyring;
        let (mut after, mut replaced, mut failed) = (Seq::ZERO, 0, 0);
        loop {
            if replaced >= RESEALED_MAX {
                return Ok(None);
            }
            let page = self.ledger.runs_with_credentials_after(after, RESEALED_AT_ONCE)?;
            let Some((last, ..)) = page.last() else { return Ok(Some(failed)) };
            after = *last;
            for (seq, id, mut webhooks) in page {
                let owner = Owner { project: self.project, id: &id };
                let (mut is_changed, mut is_open) = (false, true);
                for authorization in webhooks.targets_mut().filter_map(|target| target.authorization.as_mut())
                {
                    if keyring.is_current(authorization) {
                        continue;
                    }
                    match seal::open_text(keyring, owner, seal::AUTHORIZATION, authorization) {
                        Ok(plain) => {
                            *authorization = seal::seal_text(keyring, owner, seal::AUTHORIZATION, &plain)?;
                        }
                        Err(_) => is_open = false,
                    }
                    is_changed = true;
                }
                if is_changed && is_open {
                    self.ledger.replace_run_credentials(seq, &webhooks)?;
                    replaced += 1;
                }
                failed += usize::from(!is_open);
            }
        }
    }

    fn create_run(&mut self, mut draft: RunDraft) -> Result<RunTurn, Refusal> {
        let (seq, id) = self.new_id(Kind::Run);
        let owner = Owner { project: self.project, id: &id };
        for target in draft.webhooks.iter_mut().flat_map(Webhooks::targets_mut) {
            if let Some(authorization) = &mut target.authorization {
                *authorization =
                    seal::seal_text(&self.settings.keyring, owner, seal::AUTHORIZATION, authorization)?;
            }
        }
        Ok(self.ledger.create_run(seq, &draft, self.now)?)
    }

    /// A run that changed: for the caller and for the live feed.
    fn announce_run(&mut self, changed: RunTurn) -> RunTurn {
        self.changes.runs.push(changed.run.clone());
        changed
    }
}

#[cfg(test)]
mod tests {
    use postern_core::token::Role;
    use serde_json::value::RawValue;

    use super::super::erased::text_of;
    use super::super::question::Asking;
    use super::super::wire::value_of;
    use super::*;

    #[test]
    fn what_an_executor_says_passes_through_a_call_as_it_was_written() {
        let written = r#"{"z":1,"a":[1e400]}"#;
        let raw = || RawValue::from_string(String::from(written)).unwrap();
        let end = postern_core::run::parse::finish(&format!(r#"{{"outcome":"finished","log":[{written}]}}"#))
            .unwrap();
        let end = RunEnd { results: Some(raw()), ..end };
        let text = serde_json::to_string(&Asking(FinishRun { id: String::from("run_1"), end })).unwrap();
        assert!(text.starts_with(r#"{"runs":{"finish":{"id":"run_1","#), "{text}");
        let FinishRun { end, .. } =
            serde_json::from_str(value_of(&text, FinishRun::NAME).unwrap().get()).unwrap();
        assert_eq!((end.log[0].get(), end.results.unwrap().get()), (written, written));
        let none = text_of::<Option<RunClaim>>(&None).unwrap();
        assert_eq!(none, r#"{"runs":{"claim":null}}"#);
        let value = value_of(&none, <Option<RunClaim> as Reply>::NAME).unwrap();
        assert!(matches!(serde_json::from_str::<Option<RunClaim>>(value.get()), Ok(None)), "{none}");
    }

    fn roles<Q: Question>(question: &Q) -> Vec<Role> {
        let needs = Q::NEED.operation(question).map(Operation::needs);
        Role::ALL.into_iter().filter(|role| needs.is_some_and(|needs| needs.allows(*role))).collect()
    }

    #[test]
    fn executors_run_readers_look_and_publishers_do_neither() {
        let id = || String::from("run_1");
        assert_eq!(roles(&ClaimRun { lease_s: 60 }), [Role::Manage, Role::Execute]);
        assert_eq!(roles(&TerminateRun { id: id() }), [Role::Manage, Role::Execute]);
        assert_eq!(
            roles(&ResendRunCallback { id: id(), kind: String::from("finished") }),
            [Role::Manage, Role::Execute]
        );
        assert_eq!(roles(&ShowRun { id: id() }), [Role::Manage, Role::Execute, Role::Read]);
        assert_eq!(roles(&ListRunStatuses { limit: 1 }), [Role::Manage, Role::Execute, Role::Read]);
        assert_eq!((ClaimRun::ARMS, ShowRun::ARMS), (Arms::Alarm, Arms::Nothing));
    }
}
