//! Questions about webhooks.

use postern_core::api::audit::AuditAction;
use postern_core::api::page::Page;
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::contract;
use postern_core::facade::ubiops;
use postern_core::fault;
use postern_core::id::Kind;
use postern_core::operation::Operation;
use postern_core::query::WebhookQuery;
use postern_core::signing::Secret;
use postern_core::webhook::parse;
use postern_core::webhook::rotation::{NextSecret, Rotation};
use postern_core::webhook::{Contract, Definition};
use postern_ledger::{LedgerError, StoredWebhook, WebhookFilter};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::clock;
use crate::seal::{self, Owner};

questions!(
    CreateWebhook,
    ListWebhooks,
    ShowWebhook,
    UpdateWebhook,
    DeleteWebhook,
    ShowSecret,
    RotateSecret,
    PauseWebhook
);

replies! {
    WebhookView => "webhook",
    Page<WebhookView> => "webhooks",
    SecretView => "secret",
}

/// In which API's words a change of a webhook is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// `core::webhook::parse::update`
    Native,
    /// `core::facade::ubiops::update`; knows only webhooks of that contract.
    Ubiops,
}

/// Add a webhook; its secrets are plain and get sealed in the object, which knows the new id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateWebhook {
    /// As parsed.
    pub(crate) definition: Box<Definition>,
}

impl Question for CreateWebhook {
    const NAME: &'static str = "create_webhook";
    const NEED: Need<Self> = Need::Of(Operation::CreateWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = WebhookView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<WebhookView, Refusal> {
        turn.create_webhook(&self.definition)
    }
}

/// One page of the webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListWebhooks {
    /// Which.
    pub(crate) query: WebhookQuery,
    /// Only of this contract.
    pub(crate) contract: Option<Contract>,
}

impl Question for ListWebhooks {
    const NAME: &'static str = "list_webhooks";
    const NEED: Need<Self> = Need::Of(Operation::ListWebhooks);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<WebhookView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<WebhookView>, Refusal> {
        let Self { query, contract } = self;
        let WebhookQuery { page, search, labels, event, object_type, object_name, state } = query;
        let filter = WebhookFilter { search, labels, event, object_type, object_name, state, contract };
        Ok(turn.ledger.list_webhooks(&filter, page.limit, page.cursor.as_deref())?)
    }
}

/// One webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowWebhook {
    /// Its name.
    pub(crate) name: String,
    /// Only if it has this contract.
    pub(crate) contract: Option<Contract>,
}

impl Question for ShowWebhook {
    const NAME: &'static str = "show_webhook";
    const NEED: Need<Self> = Need::Of(Operation::GetWebhook);
    const ARMS: Arms = Arms::Nothing;
    type Reply = WebhookView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<WebhookView, Refusal> {
        turn.check_contract(&self.name, self.contract)?;
        Ok(turn.ledger.webhook(&self.name)?)
    }
}

/// Change a webhook. The patch is applied in the object, to the definition as it is then.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateWebhook {
    /// Its name.
    pub(crate) name: String,
    /// The request's body.
    pub(crate) patch: String,
    /// In whose words.
    pub(crate) dialect: Dialect,
    /// Refuse if the version is another.
    pub(crate) if_version: Option<u32>,
}

impl Question for UpdateWebhook {
    const NAME: &'static str = "update_webhook";
    const NEED: Need<Self> = Need::Of(Operation::UpdateWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = WebhookView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<WebhookView, Refusal> {
        let Self { name, patch, dialect, if_version } = self;
        // An edit of what was changed meanwhile is told first: its faults may come from that change.
        let stored = turn.ledger.expect_version(&name, if_version)?;
        let policy = turn.policy();
        let updated = match dialect {
            Dialect::Native => parse::update(&stored.definition, &fault::parse_json(&patch)?, &policy)?,
            Dialect::Ubiops => {
                turn.check_contract(&name, Some(Contract::Ubiops))?;
                ubiops::update(&stored.definition, &patch, &policy)?
            }
        };
        turn.update_webhook(&stored, &updated, if_version)
    }
}

/// Remove a webhook.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteWebhook {
    /// Its name.
    pub(crate) name: String,
    /// Only if it has this contract.
    pub(crate) contract: Option<Contract>,
    /// Refuse if the version is another.
    pub(crate) if_version: Option<u32>,
}

impl Question for DeleteWebhook {
    const NAME: &'static str = "delete_webhook";
    const NEED: Need<Self> = Need::Of(Operation::DeleteWebhook);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.delete_webhook(&self.name, self.contract, self.if_version)
    }
}

/// A webhook's signing secret, in clear.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowSecret {
    /// Its name.
    pub(crate) name: String,
}

impl Question for ShowSecret {
    const NAME: &'static str = "show_secret";
    const NEED: Need<Self> = Need::Of(Operation::GetWebhookSecret);
    const ARMS: Arms = Arms::Nothing;
    type Reply = SecretView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<SecretView, Refusal> {
        let stored = turn.ledger.stored_webhook(&self.name)?;
        turn.ledger.note(AuditAction::SecretRead, &self.name, turn.now)?;
        turn.secret_view(&stored.id, &stored.definition)
    }
}

/// Replace a webhook's signing secret. The new one signs from this version on; the one before moves to the
/// previous ones as it is, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RotateSecret {
    /// Its name.
    pub(crate) name: String,
    /// As parsed; a secret of the caller's is plain and gets sealed in the object.
    pub(crate) rotation: Rotation,
    /// Refuse if the version is another.
    #[serde(default)]
    pub(crate) if_version: Option<u32>,
}

impl Question for RotateSecret {
    const NAME: &'static str = "rotate_secret";
    const NEED: Need<Self> = Need::Of(Operation::RotateWebhookSecret);
    const ARMS: Arms = Arms::Alarm;
    type Reply = SecretView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<SecretView, Refusal> {
        let Self { name, rotation, if_version } = self;
        let stored = turn.ledger.expect_version(&name, if_version)?;
        let contract = stored.definition.contract;
        let current = turn.secret_view(&stored.id, &stored.definition)?.secret;
        let current = current.and_then(|secret| contract::secret_of(contract, &secret).ok());
        let secret = match rotation.secret.decide(contract, current.as_ref())? {
            NextSecret::Text(secret) => secret,
            NextSecret::Generate(kind) => Secret::generate(kind, &clock::random()?)
                .map_err(|fault| Refusal::Failed(format!("a new secret {fault}")))?
                .reveal(),
        };
        let mut rotated = stored.definition.clone();
        rotated.rotate_secret(secret, rotation.overlap_s, turn.now);
        let sealed = turn.seal(&stored.id, &rotated, Some(&stored.definition))?;
        let view = turn.secret_view(&stored.id, &sealed)?;
        turn.ledger.update_webhook(&name, sealed, Some(stored.version), turn.now)?;
        turn.changes.webhooks = true;
        Ok(view)
    }
}

/// Let a webhook's deliveries wait, or go on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PauseWebhook {
    /// Its name.
    pub(crate) name: String,
    /// Whether they wait.
    pub(crate) paused: bool,
    /// Refuse if the version is another.
    #[serde(default)]
    pub(crate) if_version: Option<u32>,
}

impl Question for PauseWebhook {
    const NAME: &'static str = "pause_webhook";
    const NEED: Need<Self> =
        Need::OfContent(
            |question| {
                if question.paused { Operation::PauseWebhook } else { Operation::ResumeWebhook }
            },
        );
    const ARMS: Arms = Arms::Alarm;
    type Reply = WebhookView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<WebhookView, Refusal> {
        let Self { name, paused, if_version } = self;
        let view = if paused {
            turn.ledger.pause_webhook(&name, if_version, turn.now)?
        } else {
            turn.ledger.resume_webhook(&name, if_version, turn.now)?
        };
        turn.changes.webhooks = true;
        Ok(view)
    }
}

impl Turn<'_> {
    /// Adds a webhook, its secrets still plain.
    ///
    /// # Errors
    /// The ledger refuses, or a secret can't be sealed.
    pub(super) fn create_webhook(&mut self, definition: &Definition) -> Result<WebhookView, Refusal> {
        let (seq, id) = self.new_id(Kind::Webhook);
        let sealed = self.seal(&id, definition, None)?;
        let view = self.ledger.create_webhook(seq, sealed, self.now)?;
        self.changes.webhooks = true;
        Ok(view)
    }

    /// Replaces `stored` by `updated`, whose new secrets are still plain.
    ///
    /// # Errors
    /// The ledger refuses, or a secret can't be sealed.
    pub(super) fn update_webhook(
        &mut self,
        stored: &StoredWebhook,
        updated: &Definition,
        if_version: Option<u32>,
    ) -> Result<WebhookView, Refusal> {
        let sealed = self.seal(&stored.id, updated, Some(&stored.definition))?;
        let name = stored.definition.name.as_str();
        let view = self.ledger.update_webhook(name, sealed, if_version, self.now)?;
        self.changes.webhooks = true;
        Ok(view)
    }

    /// Removes a webhook, if it has this contract.
    ///
    /// # Errors
    /// The ledger refuses.
    pub(super) fn delete_webhook(
        &mut self,
        name: &str,
        contract: Option<Contract>,
        if_version: Option<u32>,
    ) -> Result<Done, Refusal> {
        self.check_contract(name, contract)?;
        self.changes.deliveries = self.ledger.delete_webhook(name, if_version, self.now)?;
        self.changes.webhooks = true;
        Ok(Done)
    }

    /// A facade knows only its own webhooks.
    fn check_contract(&self, name: &str, contract: Option<Contract>) -> Result<(), Refusal> {
        match contract {
            Some(wanted) if self.ledger.stored_webhook(name)?.definition.contract != wanted => {
                Err(LedgerError::NotFound { what: "webhook" }.into())
            }
            _ => Ok(()),
        }
    }

    /// The signing secret of a webhook in clear.
    fn secret_view(&self, id: &str, sealed: &Definition) -> Result<SecretView, Refusal> {
        let owner = Owner { project: self.project, id };
        let secret = seal::unseal_secret(&self.settings.keyring, owner, sealed)?;
        Ok(SecretView::from_secrets(secret, &sealed.previous_secrets, self.now))
    }
}
