//! The audit log: who did what to which thing, when, from where, with the difference.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::admin::UNNAMED;
use crate::change::{CHANGED, Changes};
use crate::time::Timestamp;
use crate::variants::spelled;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// `tok_…` of a token; null for the others.
    pub id: Option<String>,
    /// The token's name, `ADMIN_TOKEN` or the name of an administrator, or `postern`.
    pub name: String,
}

impl Actor {
    /// Postern itself.
    #[must_use]
    pub fn postern() -> Self {
        Self { kind: ActorKind::Postern, id: None, name: String::from("postern") }
    }

    /// A caller with `ADMIN_TOKEN`.
    #[must_use]
    pub fn admin() -> Self {
        Self::named_admin(UNNAMED)
    }

    /// The administrator whose token in `ADMIN_TOKENS` has this name.
    #[must_use]
    pub fn named_admin(name: &str) -> Self {
        Self { kind: ActorKind::Admin, id: None, name: String::from(name) }
    }
}

/// What kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A token of the project.
    Token,
    /// An administrator: `ADMIN_TOKEN`, or one of `ADMIN_TOKENS`.
    Admin,
    /// Postern itself.
    Postern,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum AuditAction {
    /// The project was made.
    #[serde(rename = "project.created")]
    #[strum(serialize = "project.created")]
    ProjectCreated,
    /// The project's settings were changed.
    #[serde(rename = "settings.updated")]
    #[strum(serialize = "settings.updated")]
    SettingsUpdated,
    /// A webhook was made.
    #[serde(rename = "webhook.created")]
    #[strum(serialize = "webhook.created")]
    WebhookCreated,
    /// A webhook was changed.
    #[serde(rename = "webhook.updated")]
    #[strum(serialize = "webhook.updated")]
    WebhookUpdated,
    /// A webhook was deleted; its open deliveries were cancelled.
    #[serde(rename = "webhook.deleted")]
    #[strum(serialize = "webhook.deleted")]
    WebhookDeleted,
    /// A webhook's deliveries wait.
    #[serde(rename = "webhook.paused")]
    #[strum(serialize = "webhook.paused")]
    WebhookPaused,
    /// A webhook's deliveries go on.
    #[serde(rename = "webhook.resumed")]
    #[strum(serialize = "webhook.resumed")]
    WebhookResumed,
    /// Postern disabled a webhook; `disabled_reason` says why.
    #[serde(rename = "webhook.disabled")]
    #[strum(serialize = "webhook.disabled")]
    WebhookDisabled,
    /// Somebody looked at a webhook's signing secret.
    #[serde(rename = "webhook.secret_read")]
    #[strum(serialize = "webhook.secret_read")]
    SecretRead,
    /// A webhook's signing secret was replaced.
    #[serde(rename = "webhook.secret_rotated")]
    #[strum(serialize = "webhook.secret_rotated")]
    SecretRotated,
    /// A token was made.
    #[serde(rename = "token.created")]
    #[strum(serialize = "token.created")]
    TokenCreated,
    /// A token was revoked.
    #[serde(rename = "token.deleted")]
    #[strum(serialize = "token.deleted")]
    TokenDeleted,
    /// An event type was added to the catalogue.
    #[serde(rename = "event_type.created")]
    #[strum(serialize = "event_type.created")]
    EventTypeCreated,
    /// An event type was changed.
    #[serde(rename = "event_type.updated")]
    #[strum(serialize = "event_type.updated")]
    EventTypeUpdated,
    /// An event type was removed.
    #[serde(rename = "event_type.deleted")]
    #[strum(serialize = "event_type.deleted")]
    EventTypeDeleted,
    /// An inbox was made.
    #[serde(rename = "inbox.created")]
    #[strum(serialize = "inbox.created")]
    InboxCreated,
    /// An inbox was changed.
    #[serde(rename = "inbox.updated")]
    #[strum(serialize = "inbox.updated")]
    InboxUpdated,
    /// An inbox was deleted with all that it recorded.
    #[serde(rename = "inbox.deleted")]
    #[strum(serialize = "inbox.deleted")]
    InboxDeleted,
    /// A replay was started.
    #[serde(rename = "replay.created")]
    #[strum(serialize = "replay.created")]
    ReplayCreated,
    /// A replay was stopped.
    #[serde(rename = "replay.cancelled")]
    #[strum(serialize = "replay.cancelled")]
    ReplayCancelled,
    /// A configuration was applied; what it changed stands in entries of its own.
    #[serde(rename = "config.applied")]
    #[strum(serialize = "config.applied")]
    ConfigApplied,
}

spelled!(pub AuditAction, "The wire spelling.");

impl AuditAction {
    /// What kind of thing it is done to.
    #[must_use]
    pub const fn subject(self) -> SubjectKind {
        match self {
            Self::ProjectCreated | Self::SettingsUpdated | Self::ConfigApplied => SubjectKind::Project,
            Self::WebhookCreated
            | Self::WebhookUpdated
            | Self::WebhookDeleted
            | Self::WebhookPaused
            | Self::WebhookResumed
            | Self::WebhookDisabled
            | Self::SecretRead
            | Self::SecretRotated => SubjectKind::Webhook,
            Self::TokenCreated | Self::TokenDeleted => SubjectKind::Token,
            Self::EventTypeCreated | Self::EventTypeUpdated | Self::EventTypeDeleted => {
                SubjectKind::EventType
            }
            Self::InboxCreated | Self::InboxUpdated | Self::InboxDeleted => SubjectKind::Inbox,
            Self::ReplayCreated | Self::ReplayCancelled => SubjectKind::Replay,
        }
    }

    /// What a change of a webhook is called: by what it changed.
    #[must_use]
    pub fn of_webhook_change(changes: &Changes) -> Self {
        match changes.0.get("paused") {
            Some(paused) if changes.is_only("paused") && paused.to == true => Self::WebhookPaused,
            Some(_) if changes.is_only("paused") => Self::WebhookResumed,
            _ if changes.is_only("secret") && changes.0.values().all(|change| change.to == CHANGED) => {
                Self::SecretRotated
            }
            _ => Self::WebhookUpdated,
        }
    }
}

/// What kind of thing something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SubjectKind {
    /// The project itself.
    Project,
    /// A webhook, by name.
    Webhook,
    /// A token, by name.
    Token,
    /// An event type, by name.
    EventType,
    /// An inbox, by name.
    Inbox,
    /// A replay, by id.
    Replay,
}

spelled!(pub SubjectKind, "The wire spelling.");

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its name then; a replay's id.
    pub name: String,
}

/// An entry of the log. Entries never change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// `aud_…`
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The network address that the request came from; null if there was no request, or its address is
    /// unknown.
    pub address: Option<String>,
    /// The request, as in its `x-request-id` and in the logs; null if there was no request.
    pub request_id: Option<String>,
    /// What.
    pub action: AuditAction,
    /// To which thing.
    pub subject: Subject,
    /// The difference, field by field; secrets are only said to be `set` or `changed`.
    pub changes: Changes,
}

/// Days that entries are kept.
pub const AUDIT_DAYS: u32 = 365;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn actions_and_kinds_have_one_spelling() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_value(action).ok(), Some(json!(action.as_str())));
            assert_eq!(AuditAction::parse(action.as_str()), Some(action));
        }
        for kind in SubjectKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(json!(kind.as_str())));
            assert_eq!(SubjectKind::parse(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn a_change_of_nothing_but_paused_has_a_name_of_its_own() {
        let paused = |from: bool| Changes::one("paused", json!(from), json!(!from));
        assert_eq!(AuditAction::of_webhook_change(&paused(false)), AuditAction::WebhookPaused);
        assert_eq!(AuditAction::of_webhook_change(&paused(true)), AuditAction::WebhookResumed);
        let secret = |from: &str, to: &str| Changes::one("secret", json!(from), json!(to));
        assert_eq!(AuditAction::of_webhook_change(&secret("set", "changed")), AuditAction::SecretRotated);
        assert_eq!(AuditAction::of_webhook_change(&secret("set", "")), AuditAction::WebhookUpdated);
        let mut more = paused(false);
        more.0.extend(Changes::one("name", Value::Null, json!("x")).0);
        assert_eq!(AuditAction::of_webhook_change(&more), AuditAction::WebhookUpdated);
    }
}
