//! Every operation of the native API, and who may ask for it: the only table of roles and operations.
//!
//! The Worker's questions ([`Operation::needs`] through `edge`'s `Need`), the security requirements of `openapi.json`
//! and the words of the dashboard ([`Role::about`]) all follow it, and tests hold each of them against it. The facades ask for
//! the same operations in other systems' words.

use serde::{Deserialize, Serialize};

use crate::token::Role;
use crate::token::Role::{Execute, Publish, Read};

/// Who may ask for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody, without a token.
    Nobody,
    /// Whoever holds `ADMIN_TOKEN`.
    Admin,
    /// A token of any role, or `ADMIN_TOKEN`.
    AnyToken,
    /// A token of one of these roles or of `manage`, or `ADMIN_TOKEN`.
    Roles(&'static [Role]),
}

/// A token of the role `manage`, or `ADMIN_TOKEN`.
const MANAGE: Needs = Needs::Roles(&[]);

impl Needs {
    /// Whether a token of `role` suffices.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Nobody | Self::AnyToken => true,
            Self::Admin => false,
            Self::Roles(roles) => role == Role::Manage || roles.contains(&role),
        }
    }
}

macro_rules! operations {
    ($($(#[$about:meta])* $name:ident => $needs:expr,)*) => {
        /// What can be asked for. Written in camel case (`createRun`) it is the `operationId` of the API's description.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Operation {
            $($(#[$about])* $name,)*
        }

        impl Operation {
            /// Every one, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Who may ask for it.
            #[must_use]
            pub const fn needs(self) -> Needs {
                match self {
                    $(Self::$name => $needs,)*
                }
            }
        }
    };
}

operations! {
    /// Say whether Postern answers.
    GetHealth => Needs::Nobody,
    /// Read the counters of the deployment.
    GetMetrics => Needs::Admin,
    /// Say whose token it is.
    GetToken => Needs::AnyToken,
    /// List the projects that a token is for.
    ListProjects => Needs::AnyToken,
    /// Create a project.
    CreateProject => Needs::Admin,

    /// Show a project.
    GetProject => Needs::Roles(&[Read]),
    /// Change a project's settings.
    UpdateProject => MANAGE,
    /// List tokens.
    ListTokens => MANAGE,
    /// Create a token.
    CreateToken => MANAGE,
    /// Revoke a token.
    DeleteToken => MANAGE,

    /// List webhooks.
    ListWebhooks => Needs::Roles(&[Read]),
    /// Create a webhook.
    CreateWebhook => MANAGE,
    /// Show a webhook.
    GetWebhook => Needs::Roles(&[Read]),
    /// Change a webhook.
    UpdateWebhook => MANAGE,
    /// Delete a webhook.
    DeleteWebhook => MANAGE,
    /// Show a webhook's signing secret.
    GetWebhookSecret => MANAGE,
    /// Replace a webhook's signing secret.
    RotateWebhookSecret => MANAGE,
    /// Let a webhook's deliveries wait.
    PauseWebhook => MANAGE,
    /// Let them go on.
    ResumeWebhook => MANAGE,
    /// Test a webhook.
    TestWebhook => MANAGE,
    /// Test a webhook that is not stored.
    CreateTest => MANAGE,
    /// Show a test.
    GetTest => Needs::Roles(&[Read]),

    /// List event types.
    ListEventTypes => Needs::Roles(&[Read]),
    /// Add an event type.
    CreateEventType => MANAGE,
    /// Show an event type.
    GetEventType => Needs::Roles(&[Read]),
    /// Change an event type.
    UpdateEventType => MANAGE,
    /// Remove an event type.
    DeleteEventType => MANAGE,

    /// List events.
    ListEvents => Needs::Roles(&[Read]),
    /// Post an event.
    CreateEvent => Needs::Roles(&[Publish]),
    /// Post many events.
    CreateEvents => Needs::Roles(&[Publish]),
    /// Say what an event would do. It shows signatures of whatever the caller writes, so it needs as much as reading the secret.
    DryRunEvent => MANAGE,
    /// Export events.
    ExportEvents => Needs::Roles(&[Read]),
    /// Show an event.
    GetEvent => Needs::Roles(&[Read]),

    /// List deliveries.
    ListDeliveries => Needs::Roles(&[Read]),
    /// Export deliveries.
    ExportDeliveries => Needs::Roles(&[Read]),
    /// Show a delivery.
    GetDelivery => Needs::Roles(&[Read]),
    /// Send a delivery now.
    RetryDelivery => MANAGE,
    /// Cancel a delivery.
    CancelDelivery => MANAGE,

    /// List inboxes.
    ListInboxes => Needs::Roles(&[Read]),
    /// Create an inbox.
    CreateInbox => MANAGE,
    /// Show an inbox.
    GetInbox => Needs::Roles(&[Read]),
    /// Change an inbox.
    UpdateInbox => MANAGE,
    /// Delete an inbox.
    DeleteInbox => MANAGE,
    /// List what an inbox recorded.
    ListInboxRequests => Needs::Roles(&[Read]),
    /// Forget what an inbox recorded.
    ClearInboxRequests => MANAGE,

    /// List replays.
    ListReplays => Needs::Roles(&[Read]),
    /// Replay deliveries, or count them first.
    CreateReplay => MANAGE,
    /// Show a replay.
    GetReplay => Needs::Roles(&[Read]),
    /// Stop a replay.
    CancelReplay => MANAGE,

    /// List runs.
    ListRuns => Needs::Roles(&[Read, Execute]),
    /// Create a run: at actinia's facade, submit a job.
    CreateRun => Needs::Roles(&[Execute]),
    /// Claim a run.
    ClaimRun => Needs::Roles(&[Execute]),
    /// Show a run: at actinia's facade, a resource.
    GetRun => Needs::Roles(&[Read, Execute]),
    /// Say how far a run is.
    UpdateRun => Needs::Roles(&[Execute]),
    /// End a run.
    FinishRun => Needs::Roles(&[Execute]),
    /// Stop a run.
    TerminateRun => Needs::Roles(&[Execute]),
    /// Send a run's callback again.
    RetryRunCallback => Needs::Roles(&[Execute]),

    /// List the audit log, which says who is who and where they are.
    ListAudit => MANAGE,
    /// Show the configuration.
    GetConfiguration => Needs::Roles(&[Read]),
    /// Say what a configuration would change.
    PlanConfiguration => MANAGE,
    /// Apply a configuration.
    ApplyConfiguration => MANAGE,
    /// Read another system's webhooks.
    PreviewImport => MANAGE,

    /// Count attempts.
    GetStats => Needs::Roles(&[Read]),
    /// Read the metrics of a project.
    GetProjectMetrics => Needs::Roles(&[Read]),
    /// Listen to changes.
    Listen => Needs::Roles(&[Read]),
    /// Ask for a ticket that opens the live feed once.
    CreateLiveTicket => Needs::Roles(&[Read]),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the words that people read of a role promise, as a rule. New words need a new rule here.
    fn is_promised(words: &str, operation: Operation) -> bool {
        let name = format!("{operation:?}");
        let is_look = ["Get", "List", "Export"].iter().any(|verb| name.starts_with(verb));
        match words {
            "everything in this project" => true,
            "post events, nothing else" => {
                matches!(operation, Operation::CreateEvent | Operation::CreateEvents)
            }
            "create runs, work on them and read them, nothing else" => {
                name.contains("Run") && operation != Operation::DryRunEvent
            }
            "read everything but secrets, tokens and the audit log" => {
                let is_kept_back = matches!(
                    operation,
                    Operation::GetWebhookSecret | Operation::ListTokens | Operation::ListAudit
                );
                is_look && !is_kept_back
                    || matches!(operation, Operation::Listen | Operation::CreateLiveTicket)
            }
            other => panic!("nobody knows what {other:?} promises"),
        }
    }

    #[test]
    fn each_role_may_do_exactly_what_its_words_say() {
        for role in Role::ALL {
            for operation in Operation::ALL {
                match operation.needs() {
                    Needs::Nobody | Needs::AnyToken => assert!(operation.needs().allows(role)),
                    Needs::Admin => assert!(!operation.needs().allows(role), "{role:?} {operation:?}"),
                    needs @ Needs::Roles(_) => {
                        assert_eq!(
                            needs.allows(role),
                            is_promised(role.about(), *operation),
                            "{} {operation:?}",
                            role.as_str()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_documents_say_of_each_role_what_the_page_says() {
        let document = include_str!("../../docs/api.md");
        for role in Role::ALL {
            let row = format!("| `{}` | {}", role.as_str(), role.about());
            assert!(document.contains(&row), "docs/api.md has no row {row}");
        }
    }

    #[test]
    fn every_operation_is_in_the_table_once() {
        let mut sorted = Operation::ALL.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), Operation::ALL.len());
        assert_eq!(serde_json::to_value(Operation::DryRunEvent).ok(), Some(serde_json::json!("dryRunEvent")));
    }
}
