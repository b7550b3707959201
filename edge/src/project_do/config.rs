//! Questions about a project's configuration as a whole. Bodies are read in the object, where its state is
//! known.
//!
//! A plan compares definitions in clear, so that a document which names a secret that is set already changes
//! nothing; what did not change is then written as the sealed text that it was.

use std::collections::BTreeMap;

use postern_core::config::{self, PlanView, Request, State, Step};
use postern_core::id::Kind;
use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::signing::Secret;
use postern_core::webhook::parse::SecretChoice;
use postern_core::webhook::{Definition, Header};
use postern_ledger::{ConfigStep, LedgerError, StoredWebhook};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::erased::questions;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::clock;
use crate::seal::{self, Owner};

questions!(ShowConfig, PlanConfig, ApplyConfig);

replies! {
    Configuration => "config",
    PlanView => "plan",
}

/// The project's webhooks by name, as they are stored and in clear.
type Known<'a> = BTreeMap<&'a str, (&'a StoredWebhook, &'a Definition)>;

/// The configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Configuration {
    /// The document.
    #[serde(deserialize_with = "postern_core::json::written")]
    pub(crate) document: Value,
    /// Stands for the state that it is of.
    pub(crate) base: String,
}

/// The document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowConfig;

impl Question for ShowConfig {
    const NAME: &'static str = "config.show";
    const NEED: Need<Self> = Need::Of(Operation::GetConfiguration);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Configuration;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Configuration, Refusal> {
        let (state, _stored) = turn.config_state()?;
        Ok(Configuration { document: config::document(&state), base: state.digest() })
    }
}

/// What applying a document would change.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanConfig {
    /// The request's body.
    pub(crate) body: String,
}

impl Question for PlanConfig {
    const NAME: &'static str = "config.plan";
    const NEED: Need<Self> = Need::Of(Operation::PlanConfiguration);
    const ARMS: Arms = Arms::Nothing;
    type Reply = PlanView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<PlanView, Refusal> {
        let (state, _stored) = turn.config_state()?;
        let plan = config::plan(&state, &Request::parse(&self.body)?, &turn.policy())?;
        Ok(plan.view(state.digest()))
    }
}

/// Apply a document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ApplyConfig {
    /// The request's body.
    pub(crate) body: String,
}

impl Question for ApplyConfig {
    const NAME: &'static str = "config.apply";
    const NEED: Need<Self> = Need::Of(Operation::ApplyConfiguration);
    const ARMS: Arms = Arms::Alarm;
    type Reply = PlanView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<PlanView, Refusal> {
        let (state, stored) = turn.config_state()?;
        let request = Request::parse(&self.body)?;
        if request.expect.as_ref().is_some_and(|expected| *expected != state.digest()) {
            let detail = "the configuration has changed since it was planned against; plan again";
            return Err(Refusal::from(Problem::new(ProblemType::StateConflict, detail)));
        }
        let plan = config::plan(&state, &request, &turn.policy())?;
        let known: Known<'_> = stored
            .iter()
            .zip(&state.webhooks)
            .map(|(webhook, (_version, plain))| (webhook.definition.name.as_str(), (webhook, plain)))
            .collect();
        let steps =
            plan.steps.iter().map(|step| turn.sealed_step(step, &known)).collect::<Result<Vec<_>, _>>()?;
        if !steps.is_empty() {
            turn.changes.deliveries = turn.ledger.apply_config(steps, turn.now)?;
            turn.changes.webhooks = true;
        }
        let (applied, _stored) = turn.config_state()?;
        Ok(plan.view(applied.digest()))
    }
}

impl Turn<'_> {
    /// The project's state in clear, and its webhooks as they are stored.
    fn config_state(&self) -> Result<(State, Vec<StoredWebhook>), Refusal> {
        let stored = self.ledger.stored_webhooks()?;
        let mut webhooks = Vec::with_capacity(stored.len());
        for webhook in &stored {
            let owner = Owner { project: self.project, id: &webhook.id };
            webhooks
                .push((webhook.version, seal::unseal(&self.settings.keyring, owner, &webhook.definition)?));
        }
        let state = State {
            settings: self.ledger.settings().clone(),
            event_types: self.ledger.catalogue()?,
            webhooks,
        };
        Ok((state, stored))
    }

    fn sealed_step(&mut self, step: &Step, known: &Known<'_>) -> Result<ConfigStep, Refusal> {
        Ok(match step {
            Step::Settings(settings) => ConfigStep::Settings(settings.clone()),
            Step::PutEventType(draft) => ConfigStep::PutEventType(draft.clone()),
            Step::DeleteEventType(name) => ConfigStep::DeleteEventType(name.clone()),
            Step::DeleteWebhook(name) => ConfigStep::DeleteWebhook(name.clone()),
            Step::CreateWebhook(definition, choice) => {
                let definition = with_secret(definition, *choice)?;
                let (seq, id) = self.new_id(Kind::Webhook);
                ConfigStep::CreateWebhook(seq, Box::new(self.seal(&id, &definition, None)?))
            }
            Step::UpdateWebhook(wanted, choice) => {
                let (webhook, plain) = known
                    .get(wanted.name.as_str())
                    .copied()
                    .ok_or(LedgerError::NotFound { what: "webhook" })?;
                let wanted = with_secret(wanted, *choice)?;
                let kept = with_sealed_text(&wanted, plain, &webhook.definition);
                let sealed = self.seal(&webhook.id, &kept, Some(&webhook.definition))?;
                ConfigStep::UpdateWebhook(Box::new(sealed))
            }
        })
    }
}

/// The definition with a new secret where it is to have one.
fn with_secret(definition: &Definition, choice: SecretChoice) -> Result<Definition, Refusal> {
    let mut definition = definition.clone();
    if choice == SecretChoice::Generate {
        definition.secret = Some(Secret::from_random(&clock::random()?).reveal());
    }
    Ok(definition)
}

/// `wanted` with the sealed text of every secret and protected value that is the one of `plain` still.
fn with_sealed_text(wanted: &Definition, plain: &Definition, sealed: &Definition) -> Definition {
    let mut kept = wanted.clone();
    if kept.secret == plain.secret {
        kept.secret.clone_from(&sealed.secret);
        kept.previous_secrets.clone_from(&sealed.previous_secrets);
    }
    for header in kept.headers.iter_mut().filter(|header| header.protected) {
        let same = |(plain, _sealed): &(&Header, _)| {
            plain.protected && plain.key.eq_ignore_ascii_case(&header.key) && plain.value == header.value
        };
        if let Some((_plain, sealed)) = plain.headers.iter().zip(&sealed.headers).find(same) {
            // A value is sealed under the name in lower case, so another spelling of it opens all the same.
            header.value.clone_from(&sealed.value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use postern_core::webhook::{Contract, WebhookName};

    use super::*;

    fn definition(secret: &str, value: &str) -> Definition {
        let name = WebhookName::parse("w").unwrap();
        Definition {
            secret: Some(String::from(secret)),
            headers: vec![Header { key: String::from("A"), value: String::from(value), protected: true }],
            ..Definition::new(name, "https://w.example/", Contract::Standard, Vec::new())
        }
    }

    #[test]
    fn what_did_not_change_stays_the_sealed_text_that_it_was() {
        let (plain, sealed) = (definition("p", "v"), definition("s1.p", "s1.v"));
        let same = Definition { timeout_s: 20, ..plain.clone() };
        assert_eq!(with_sealed_text(&same, &plain, &sealed), Definition { timeout_s: 20, ..sealed.clone() });
        let other = definition("new", "new");
        assert_eq!(with_sealed_text(&other, &plain, &sealed), other, "to be sealed");
    }
}
