//! Answers what UP42's API asks. Everything that changes something goes through the command of the native API that does the
//! same, so that both write, tell and record alike.

use postern_core::api::event::EventTypeView;
use postern_core::api::webhook::WebhookView;
use postern_core::contract::up42::EVENTS;
use postern_core::egress::Policy;
use postern_core::facade::up42::{self, Webhook};
use postern_core::problem::{Problem, ProblemType};
use postern_core::webhook::{Contract, Definition};
use postern_ledger::{LedgerError, StoredWebhook, WebhookFilter};

use super::command::{Command, Dialect, Reply, StartedTest, Up42Command};
use super::run::{Refusal, Turn};
use crate::seal::{self, Owner};

impl Turn<'_> {
    /// Answers `command`.
    pub(super) fn up42(&mut self, command: Up42Command) -> Result<Reply, Refusal> {
        match command {
            Up42Command::List { page } => {
                let filter = WebhookFilter { contract: Some(Contract::Up42), ..WebhookFilter::default() };
                let found = self.ledger.list_webhooks(&filter, page.limit, page.cursor.as_deref())?;
                let items =
                    found.items.iter().map(|view| self.up42_view(view)).collect::<Result<_, Refusal>>()?;
                Ok(Reply::Up42Webhooks(found.with_items(items)))
            }
            Up42Command::Show { id } => {
                let name = self.up42_name(&id)?;
                let view = self.ledger.webhook(&name)?;
                self.up42_view(&view).map(|shown| Reply::Up42Webhook(Box::new(shown)))
            }
            Up42Command::Create { body } => {
                let catalogue = self.ledger.catalogue()?;
                let definition = up42::create(&body, &self.policy(), &known(&catalogue))?;
                let name = String::from(definition.name.as_str());
                self.up42_written(Command::CreateWebhook { definition: Box::new(definition) }, &name)
            }
            Up42Command::Update { id, body } => {
                let name = self.up42_name(&id)?;
                let wanted = serde_json::from_str::<serde_json::Value>(&body).ok();
                let wanted = wanted
                    .as_ref()
                    .and_then(|body| body.get("name")?.as_str())
                    .map_or_else(|| name.clone(), String::from);
                let command =
                    Command::UpdateWebhook { name, patch: body, dialect: Dialect::Up42, if_version: None };
                self.up42_written(command, &wanted)
            }
            Up42Command::Delete { id } => {
                let name = self.up42_name(&id)?;
                self.answer(Command::DeleteWebhook { name, contract: Some(Contract::Up42), if_version: None })
            }
            Up42Command::Test { id } => {
                let stored = self.up42_stored(&id)?;
                let catalogue = self.ledger.catalogue()?;
                let mut started = Vec::new();
                for event in up42::test_events(&stored.definition, &known(&catalogue)) {
                    let seq = self.ledger.reserve(self.now);
                    let of = Some((stored.seq, String::from(stored.definition.name.as_str())));
                    match self.start_test(seq, of, stored.definition.clone(), event, false)? {
                        Reply::TestStarted { test, work } => {
                            started.push(StartedTest { test: *test, work: *work });
                        }
                        other => return Err(Refusal::Failed(format!("a test began with {}", other.name()))),
                    }
                }
                Ok(Reply::TestsStarted(started))
            }
        }
    }

    /// The definition that UP42's body makes of `stored`. A secret that is sent back as it is stays the sealed text that it
    /// was, and secrets before it sign on: the SDK writes back whatever it read.
    pub(super) fn up42_update(
        &self,
        stored: &StoredWebhook,
        body: &str,
        policy: &Policy,
    ) -> Result<Definition, Refusal> {
        if stored.definition.contract != Contract::Up42 {
            return Err(LedgerError::NotFound { what: "webhook" }.into());
        }
        let catalogue = self.ledger.catalogue()?;
        let mut updated = up42::update(&stored.definition, body, policy, &known(&catalogue))?;
        let owner = Owner { project: self.project, id: &stored.id };
        let current = seal::unseal_secret(&self.settings.keyring, owner, &stored.definition)?;
        if updated.secret == current {
            updated.secret.clone_from(&stored.definition.secret);
            updated.previous_secrets.clone_from(&stored.definition.previous_secrets);
        }
        Ok(updated)
    }

    /// Creates or updates a webhook that is to be called `name`, and shows it.
    fn up42_written(&mut self, command: Command, name: &str) -> Result<Reply, Refusal> {
        match self.answer(command) {
            Ok(Reply::Webhook(view)) => {
                self.up42_view(&view).map(|shown| Reply::Up42Webhook(Box::new(shown)))
            }
            Ok(other) => Err(Refusal::Failed(format!("a webhook was written with {}", other.name()))),
            Err(Refusal::Problem(problem)) if problem.problem_type() == Some(ProblemType::NameTaken) => {
                let detail = format!("name: a webhook named {name:?} exists already in this project");
                Err(Refusal::from(Problem::new(ProblemType::NameTaken, detail)))
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn up42_stored(&self, id: &str) -> Result<StoredWebhook, Refusal> {
        let stored = self.ledger.stored_webhook_by_id(id)?;
        if stored.definition.contract == Contract::Up42 {
            Ok(stored)
        } else {
            Err(LedgerError::NotFound { what: "webhook" }.into())
        }
    }

    fn up42_name(&self, id: &str) -> Result<String, Refusal> {
        self.up42_stored(id).map(|stored| String::from(stored.definition.name.as_str()))
    }

    /// What is shown of a webhook: its secret too, which is noted (docs/wire.md B.3).
    fn up42_view(&mut self, view: &WebhookView) -> Result<Webhook, Refusal> {
        if !self.shows_secrets {
            return Ok(Webhook::from_view(view, up42::Secrecy::Hidden));
        }
        let stored = self.ledger.stored_webhook(&view.name)?;
        let owner = Owner { project: self.project, id: &stored.id };
        let secret = seal::unseal_secret(&self.settings.keyring, owner, &stored.definition)?;
        if secret.is_some() {
            self.ledger.note_reading(&stored, self.now)?;
        }
        Ok(Webhook::from_view(view, up42::Secrecy::Open(secret)))
    }
}

/// The events that webhooks may subscribe to.
fn known(catalogue: &[EventTypeView]) -> Vec<&str> {
    EVENTS.into_iter().chain(catalogue.iter().map(|kind| kind.name.as_str())).collect()
}
