//! Runs: what the Worker asks of them, and how the object answers. Their rules are `core::run`'s and the ledger's.

use postern_core::api::page::Page;
use postern_core::api::run::{RunClaim, RunDetail, RunView};
use postern_core::id::{Kind, Seq};
use postern_core::operation::Operation;
use postern_core::run::parse::RunQuery;
use postern_core::run::{CallRecord, CallbackKind, RunDraft, RunEnd, RunUpdate, Webhooks};
use postern_ledger::{RunCall, RunTurn};
use serde::{Deserialize, Serialize};

use super::command::{Need, Reply};
use super::run::{Refusal, Turn};
use crate::seal::{self, Owner};

/// Runs whose credentials are looked at in one step when the sealing key has changed.
const RESEALED_AT_ONCE: u32 = 100;
/// Runs whose credentials are moved to another sealing key in one turn; the next minute goes on.
const RESEALED_MAX: usize = 500;

/// What a project can be asked about its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunCommand {
    /// Add a run; its credentials are plain and get sealed in the object, which knows the new id.
    Create {
        /// As parsed.
        draft: Box<RunDraft>,
    },
    /// The same, answered in actinia's words.
    Submit {
        /// As parsed.
        draft: Box<RunDraft>,
    },
    /// One page of the runs.
    List {
        /// Which.
        query: RunQuery,
    },
    /// One run in full.
    Show {
        /// `run_…`
        id: String,
    },
    /// One run in actinia's words.
    Status {
        /// `run_…`
        id: String,
    },
    /// The newest runs in actinia's words.
    Statuses {
        /// How many at most.
        limit: u32,
    },
    /// Give a run to an executor.
    Claim {
        /// Seconds of the lease.
        lease_s: u32,
    },
    /// What an executor says while it works.
    Update {
        /// `run_…`
        id: String,
        /// As parsed.
        update: RunUpdate,
    },
    /// The end.
    Finish {
        /// `run_…`
        id: String,
        /// As parsed.
        end: RunEnd,
    },
    /// Stop a run.
    Terminate {
        /// `run_…`
        id: String,
    },
    /// Call a callback again, now.
    Resend {
        /// `run_…`
        id: String,
        /// Which callback of it, as the path names it.
        kind: String,
    },
    /// The dispatcher is done with a call.
    Report {
        /// The run.
        run: Seq,
        /// Which callback of it.
        kind: CallbackKind,
        /// Which call of that.
        number: u32,
        /// What came of it.
        attempt: Box<CallRecord>,
    },
}

/// What a project replies about its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunReply {
    /// A run that changed, and calls that the Worker makes after its answer.
    Turn(Box<RunTurn>),
    /// A run that was submitted, and what actinia says of it.
    Submitted {
        /// As of [`RunReply::Turn`].
        turn: Box<RunTurn>,
        /// HTTP status.
        code: u16,
        /// JSON.
        text: String,
    },
    /// A page of runs.
    Page(Page<RunView>),
    /// A run in full.
    Detail(Box<RunDetail>),
    /// What an executor is to do; `None`: nothing waits.
    Claim(Option<Box<RunClaim>>),
    /// A run in actinia's words.
    Status {
        /// HTTP status.
        code: u16,
        /// JSON.
        text: String,
    },
    /// Runs in actinia's words, a JSON text each.
    Statuses(Vec<String>),
    /// Calls that follow at once.
    Calls(Vec<RunCall>),
}

impl RunCommand {
    /// Who may ask it.
    pub(crate) const fn need(&self) -> Need {
        Need::Of(match self {
            Self::List { .. } | Self::Statuses { .. } => Operation::ListRuns,
            Self::Show { .. } | Self::Status { .. } => Operation::GetRun,
            Self::Create { .. } | Self::Submit { .. } => Operation::CreateRun,
            Self::Claim { .. } => Operation::ClaimRun,
            Self::Update { .. } => Operation::UpdateRun,
            Self::Finish { .. } => Operation::FinishRun,
            Self::Terminate { .. } => Operation::TerminateRun,
            Self::Resend { .. } => Operation::RetryRunCallback,
            Self::Report { .. } => return Need::Postern,
        })
    }

    /// Whether it may leave something to be done later.
    pub(crate) const fn is_write(&self) -> bool {
        !matches!(self, Self::List { .. } | Self::Show { .. } | Self::Status { .. } | Self::Statuses { .. })
    }
}

impl Turn<'_> {
    /// Answers a command about runs.
    pub(super) fn runs(&mut self, command: RunCommand) -> Result<Reply, Refusal> {
        let now = self.now;
        let reply = match command {
            RunCommand::Create { draft } => {
                let turn = self.create_run(*draft)?;
                return Ok(self.turned(turn));
            }
            RunCommand::Submit { draft } => {
                let turn = self.create_run(*draft)?;
                let (code, text) = self.ledger.run_status(&turn.run.id)?;
                self.changes.runs.push(turn.run.clone());
                RunReply::Submitted { turn: Box::new(turn), code, text }
            }
            RunCommand::List { query } => RunReply::Page(self.ledger.list_runs(
                query.state,
                query.page.limit,
                query.page.cursor.as_deref(),
            )?),
            RunCommand::Show { id } => RunReply::Detail(Box::new(self.ledger.run(&id)?)),
            RunCommand::Status { id } => {
                let (code, text) = self.ledger.run_status(&id)?;
                RunReply::Status { code, text }
            }
            RunCommand::Statuses { limit } => RunReply::Statuses(self.ledger.run_statuses(limit)?),
            RunCommand::Claim { lease_s } => {
                let claimed = self.ledger.claim_run(lease_s, now)?;
                self.changes.runs.extend(claimed.changed);
                RunReply::Claim(claimed.claim.map(Box::new))
            }
            RunCommand::Update { id, update } => {
                let turn = self.ledger.update_run(&id, update, now)?;
                return Ok(self.turned(turn));
            }
            RunCommand::Finish { id, end } => {
                let turn = self.ledger.finish_run(&id, end, now)?;
                return Ok(self.turned(turn));
            }
            RunCommand::Terminate { id } => {
                let turn = self.ledger.terminate_run(&id, now)?;
                return Ok(self.turned(turn));
            }
            RunCommand::Resend { id, kind } => {
                let turn = self.ledger.resend_run_callback(&id, &kind, now)?;
                return Ok(self.turned(turn));
            }
            RunCommand::Report { run, kind, number, attempt } => {
                let calls = self.ledger.report_run_call(run, kind, number, *attempt, now)?.map(|turn| {
                    self.changes.runs.push(turn.run);
                    turn.calls
                });
                RunReply::Calls(calls.unwrap_or_default())
            }
        };
        Ok(Reply::Runs(reply))
    }

    /// Moves the credentials of runs to the current sealing key, some of them each minute; gives how many runs have some that do not
    /// open. `None`: there are more to move.
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
        let seq = self.ledger.reserve(self.now);
        let id = self.ledger.ids().id(Kind::Run, seq);
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
    fn turned(&mut self, turn: RunTurn) -> Reply {
        self.changes.runs.push(turn.run.clone());
        Reply::Runs(RunReply::Turn(Box::new(turn)))
    }
}

#[cfg(test)]
mod tests {
    use postern_core::operation::Needs;
    use postern_core::token::Role;
    use serde_json::value::RawValue;

    use super::*;
    use crate::project_do::command::Command;

    #[test]
    fn what_an_executor_says_passes_through_a_call_as_it_was_written() {
        let written = r#"{"z":1,"a":[1e400]}"#;
        let raw = || RawValue::from_string(String::from(written)).unwrap();
        let end = postern_core::run::parse::finish(&format!(r#"{{"outcome":"finished","log":[{written}]}}"#))
            .unwrap();
        let end = RunEnd { results: Some(raw()), ..end };
        let text =
            serde_json::to_string(&Command::Runs(RunCommand::Finish { id: String::from("run_1"), end }))
                .unwrap();
        let Ok(Command::Runs(RunCommand::Finish { end, .. })) = serde_json::from_str(&text) else {
            panic!("{text}")
        };
        assert_eq!((end.log[0].get(), end.results.unwrap().get()), (written, written));
        let none = serde_json::to_string(&Reply::Runs(RunReply::Claim(None))).unwrap();
        assert!(matches!(serde_json::from_str(&none), Ok(Reply::Runs(RunReply::Claim(None)))), "{none}");
    }

    #[test]
    fn executors_run_readers_look_and_publishers_do_neither() {
        let id = || String::from("run_1");
        let roles = |command: RunCommand| {
            let needs = command.need().of_callers().unwrap_or(Needs::Admin);
            Role::ALL.into_iter().filter(|role| needs.allows(*role)).collect::<Vec<_>>()
        };
        assert_eq!(roles(RunCommand::Claim { lease_s: 60 }), [Role::Manage, Role::Execute]);
        assert_eq!(roles(RunCommand::Terminate { id: id() }), [Role::Manage, Role::Execute]);
        assert_eq!(
            roles(RunCommand::Resend { id: id(), kind: String::from("finished") }),
            [Role::Manage, Role::Execute]
        );
        assert_eq!(roles(RunCommand::Show { id: id() }), [Role::Manage, Role::Execute, Role::Read]);
        assert_eq!(roles(RunCommand::Statuses { limit: 1 }), [Role::Manage, Role::Execute, Role::Read]);
        assert!(RunCommand::Claim { lease_s: 60 }.is_write() && !RunCommand::Show { id: id() }.is_write());
    }
}
