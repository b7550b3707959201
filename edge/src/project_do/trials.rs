//! Questions about tests (trial calls).

use postern_core::api::test::TestView;
use postern_core::delivery::Attempt;
use postern_core::event::NewEvent;
use postern_core::examination::Variation;
use postern_core::fault::Fault;
use postern_core::id::{Kind, Seq};
use postern_core::operation::Operation;
use postern_core::webhook::Definition;
use postern_core::webhook::parse::{Trial, TrialDraft};
use postern_ledger::{TestDraft, TestWork};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(TryWebhook, TryDefinition, ShowTrial, ReportTrial);

replies! {
    TestView => "test",
    TrialStarted => "test_started",
}

/// A trial, and the call to make for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrialStarted {
    /// As it stands: pending.
    pub(crate) test: TestView,
    /// The call.
    pub(crate) work: TestWork,
}

/// Try a stored webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TryWebhook {
    /// Its name.
    pub(crate) name: String,
    /// The event type; a sample if absent.
    pub(crate) kind: Option<String>,
    /// Its data; a sample if absent.
    pub(crate) data: Option<Box<RawValue>>,
    /// Whether it is called again if it fails.
    #[serde(default)]
    pub(crate) retry: bool,
    /// What is different from a sound callback.
    #[serde(default)]
    pub(crate) variation: Option<Variation>,
}

impl Question for TryWebhook {
    const NAME: &'static str = "test_webhook";
    const NEED: Need<Self> = Need::Of(Operation::TestWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = TrialStarted;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TrialStarted, Refusal> {
        let Self { name, kind, data, retry, variation } = self;
        let stored = turn.ledger.stored_webhook(&name)?;
        if let Some(Err(why)) = variation.map(|variation| variation.check(&stored.definition)) {
            return Err(Fault::new("/variation", why).into());
        }
        let event = TrialDraft { kind, data, retry, variation }.event_for(&stored.definition);
        let seq = turn.ledger.reserve(turn.now);
        let draft = draft_of(Some((stored.seq, name)), stored.definition, event);
        turn.start_trial(seq, TestDraft { retry, variation, ..draft })
    }
}

impl TryWebhook {
    /// From what was parsed.
    pub(crate) fn new(name: String, draft: TrialDraft) -> Self {
        let TrialDraft { kind, data, retry, variation } = draft;
        Self { name, kind, data, retry, variation }
    }
}

/// Try a definition that is not stored; its secrets are plain.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TryDefinition {
    /// As parsed.
    pub(crate) definition: Definition,
    /// What to send.
    pub(crate) event: NewEvent,
    /// Whether it is called again if it fails.
    #[serde(default)]
    pub(crate) retry: bool,
    /// What is different from a sound callback.
    #[serde(default)]
    pub(crate) variation: Option<Variation>,
}

impl Question for TryDefinition {
    const NAME: &'static str = "test_definition";
    const NEED: Need<Self> = Need::Of(Operation::CreateTest);
    const ARMS: Arms = Arms::Alarm;
    type Reply = TrialStarted;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TrialStarted, Refusal> {
        let Self { definition, event, retry, variation } = self;
        let (seq, id) = turn.new_id(Kind::Test);
        let sealed = turn.seal(&id, &definition, None)?;
        turn.start_trial(seq, TestDraft { retry, variation, ..draft_of(None, sealed, event) })
    }
}

impl From<Trial> for TryDefinition {
    fn from(trial: Trial) -> Self {
        let Trial { definition, event, retry, variation } = trial;
        Self { definition, event, retry, variation }
    }
}

/// One trial.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowTrial {
    /// `tst_…`
    pub(crate) id: String,
}

impl Question for ShowTrial {
    const NAME: &'static str = "show_test";
    const NEED: Need<Self> = Need::Of(Operation::GetTest);
    const ARMS: Arms = Arms::Nothing;
    type Reply = TestView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TestView, Refusal> {
        Ok(turn.ledger.test(&self.id)?)
    }
}

/// The dispatcher is done with a trial.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReportTrial {
    /// Which.
    pub(crate) test: Seq,
    /// Which call of it.
    pub(crate) number: u32,
    /// What came of it.
    pub(crate) attempt: Attempt,
}

impl Question for ReportTrial {
    const NAME: &'static str = "report_test";
    const NEED: Need<Self> = Need::Postern(Done::default);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        let changed = turn.ledger.report_test(self.test, self.number, self.attempt, turn.now)?;
        turn.changes.tests.extend(changed);
        Ok(Done)
    }
}

impl Turn<'_> {
    /// Starts a trial.
    ///
    /// # Errors
    /// The ledger refuses.
    pub(super) fn start_trial(&mut self, seq: Seq, draft: TestDraft) -> Result<TrialStarted, Refusal> {
        let (test, work) = self.ledger.create_test(seq, draft, self.now)?;
        self.changes.tests.push(test.clone());
        Ok(TrialStarted { test, work })
    }
}

/// A trial of `sealed` that makes one call, of the stored webhook that it is of, if any.
pub(super) fn draft_of(webhook: Option<(Seq, String)>, sealed: Definition, event: NewEvent) -> TestDraft {
    let (webhook, webhook_name) = webhook.unzip();
    TestDraft {
        webhook,
        webhook_name,
        retry: false,
        definition: sealed,
        kind: event.kind,
        data: event.data,
        object: event.object,
        variation: None,
    }
}
