//! Questions of UP42's API. It names webhooks by their id, and knows only those of its contract. Bodies are
//! read in the object, because only there it is known which events the project has. Secrets are shown to
//! those who may change them.

use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;
use postern_core::contract::up42::EVENTS;
use postern_core::facade::up42 as api;
use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::query::PageQuery;
use postern_core::webhook::{Contract, Definition};
use postern_ledger::{LedgerError, StoredWebhook, WebhookFilter};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::trials::{TrialStarted, draft_of};
use super::turn::Turn;
use crate::seal::{self, Owner};

questions!(
    ListUp42Webhooks,
    ShowUp42Webhook,
    CreateUp42Webhook,
    UpdateUp42Webhook,
    DeleteUp42Webhook,
    TryUp42Webhook
);

replies! {
    api::Webhook => "up42_webhook",
    Page<api::Webhook> => "up42_webhooks",
    TrialsStarted => "tests_started",
}

/// One page of the webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListUp42Webhooks {
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListUp42Webhooks {
    const NAME: &'static str = "up42.list";
    const NEED: Need<Self> = Need::Of(Operation::ListWebhooks);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Page<api::Webhook>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<api::Webhook>, Refusal> {
        let filter = WebhookFilter { contract: Some(Contract::Up42), ..WebhookFilter::default() };
        let found = turn.ledger.list_webhooks(&filter, self.page.limit, self.page.cursor.as_deref())?;
        let items = found.items.iter().map(|view| turn.up42_view(view)).collect::<Result<_, Refusal>>()?;
        Ok(found.with_items(items))
    }
}

/// One webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowUp42Webhook {
    /// `whk_…`
    pub(crate) id: String,
}

impl Question for ShowUp42Webhook {
    const NAME: &'static str = "up42.show";
    const NEED: Need<Self> = Need::Of(Operation::GetWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = api::Webhook;

    fn answer(self, turn: &mut Turn<'_>) -> Result<api::Webhook, Refusal> {
        let stored = turn.up42_stored(&self.id)?;
        let view = turn.ledger.webhook(stored.definition.name.as_str())?;
        turn.up42_view(&view)
    }
}

/// Add a webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateUp42Webhook {
    /// The request's body.
    pub(crate) body: String,
}

impl Question for CreateUp42Webhook {
    const NAME: &'static str = "up42.create";
    const NEED: Need<Self> = Need::Of(Operation::CreateWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = api::Webhook;

    fn answer(self, turn: &mut Turn<'_>) -> Result<api::Webhook, Refusal> {
        let catalogue = turn.ledger.catalogue()?;
        let definition = api::create(&self.body, &turn.policy(), &known(&catalogue))?;
        let view = turn.create_webhook(&definition).map_err(|refusal| named(refusal, &definition))?;
        turn.up42_view(&view)
    }
}

/// Change a webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateUp42Webhook {
    /// `whk_…`
    pub(crate) id: String,
    /// The request's body.
    pub(crate) body: String,
}

impl Question for UpdateUp42Webhook {
    const NAME: &'static str = "up42.update";
    const NEED: Need<Self> = Need::Of(Operation::UpdateWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = api::Webhook;

    fn answer(self, turn: &mut Turn<'_>) -> Result<api::Webhook, Refusal> {
        let stored = turn.up42_stored(&self.id)?;
        let updated = turn.up42_update(&stored, &self.body)?;
        let view =
            turn.update_webhook(&stored, &updated, None).map_err(|refusal| named(refusal, &updated))?;
        turn.up42_view(&view)
    }
}

/// Remove a webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteUp42Webhook {
    /// `whk_…`
    pub(crate) id: String,
}

impl Question for DeleteUp42Webhook {
    const NAME: &'static str = "up42.delete";
    const NEED: Need<Self> = Need::Of(Operation::DeleteWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        let stored = turn.up42_stored(&self.id)?;
        turn.delete_webhook(stored.definition.name.as_str(), Some(Contract::Up42), None)
    }
}

/// Trials, and the calls to make for them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TrialsStarted(pub(crate) Vec<TrialStarted>);

/// Try a webhook with each of its events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TryUp42Webhook {
    /// `whk_…`
    pub(crate) id: String,
}

impl Question for TryUp42Webhook {
    const NAME: &'static str = "up42.test";
    const NEED: Need<Self> = Need::Of(Operation::TestWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = TrialsStarted;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TrialsStarted, Refusal> {
        let stored = turn.up42_stored(&self.id)?;
        let catalogue = turn.ledger.catalogue()?;
        let mut started = Vec::new();
        for event in api::test_events(&stored.definition, &known(&catalogue)) {
            let seq = turn.ledger.reserve(turn.now);
            let of = Some((stored.seq, String::from(stored.definition.name.as_str())));
            started.push(turn.start_trial(seq, draft_of(of, stored.definition.clone(), event))?);
        }
        Ok(TrialsStarted(started))
    }
}

impl Turn<'_> {
    /// The definition that UP42's body makes of `stored`. A secret that is sent back as it is stays the
    /// sealed text that it was, and secrets before it sign on: the SDK writes back whatever it read.
    fn up42_update(&self, stored: &StoredWebhook, body: &str) -> Result<Definition, Refusal> {
        let catalogue = self.ledger.catalogue()?;
        let mut updated = api::update(&stored.definition, body, &self.policy(), &known(&catalogue))?;
        let owner = Owner { project: self.project, id: &stored.id };
        let current = seal::unseal_secret(&self.settings.keyring, owner, &stored.definition)?;
        if updated.secret == current {
            updated.secret.clone_from(&stored.definition.secret);
            updated.previous_secrets.clone_from(&stored.definition.previous_secrets);
        }
        Ok(updated)
    }

    fn up42_stored(&self, id: &str) -> Result<StoredWebhook, Refusal> {
        let stored = self.ledger.stored_webhook_by_id(id)?;
        if stored.definition.contract == Contract::Up42 {
            Ok(stored)
        } else {
            Err(LedgerError::NotFound { what: "webhook" }.into())
        }
    }

    /// What is shown of a webhook: its secret too, which is noted (docs/wire.md B.3).
    fn up42_view(&mut self, view: &WebhookView) -> Result<api::Webhook, Refusal> {
        // Only to those who may change them.
        if !self.may(Operation::GetWebhookSecret) {
            return Ok(api::Webhook::from_view(view, api::Secrecy::Hidden));
        }
        let stored = self.ledger.stored_webhook(&view.name)?;
        let owner = Owner { project: self.project, id: &stored.id };
        let secret = seal::unseal_secret(&self.settings.keyring, owner, &stored.definition)?;
        if secret.is_some() {
            self.ledger.note_reading(&stored, self.now)?;
        }
        Ok(api::Webhook::from_view(view, api::Secrecy::Open(secret)))
    }
}

/// A refusal in UP42's words: it says itself which name is taken.
fn named(refusal: Refusal, wanted: &Definition) -> Refusal {
    match refusal {
        Refusal::Problem(problem) if problem.problem_type() == Some(ProblemType::NameTaken) => {
            let name = wanted.name.as_str();
            let detail = format!("name: a webhook named {name:?} exists already in this project");
            Refusal::from(Problem::new(ProblemType::NameTaken, detail))
        }
        refusal => refusal,
    }
}

/// The events that webhooks may subscribe to.
fn known(catalogue: &[EventTypeView]) -> Vec<&str> {
    EVENTS.into_iter().chain(catalogue.iter().map(|kind| kind.name.as_str())).collect()
}
