//! Every operation of the native API, in one table: its method and path, who may ask for it, what it reads of
//! a request.
//!
//! The Worker's router, its answer to a method that a path does not take, what a question to a project needs
//! (`edge`'s `Need`), the paths, methods and security requirements of `openapi.json`, and the calls of the
//! page all follow it. The facades ask for the same operations in other systems' words. What is answered is
//! described in `openapi`.

use serde::{Deserialize, Serialize};

use crate::token::Role;
use crate::token::Role::{Execute, Publish, Read};

/// Who may ask for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody, without a token.
    Nobody,
    /// Administrators: `ADMIN_TOKEN`.
    Admin,
    /// A token of any role, or `ADMIN_TOKEN`.
    AnyToken,
    /// A token of one of these roles or of `manage`, or `ADMIN_TOKEN`.
    Roles(&'static [Role]),
}

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

/// Anybody, without a token.
const NOBODY: Needs = Needs::Nobody;
/// `ADMIN_TOKEN`.
const ADMIN: Needs = Needs::Admin;
/// Any token.
const ANY_TOKEN: Needs = Needs::AnyToken;
/// A token of the role `manage`, or `ADMIN_TOKEN`.
const MANAGE: Needs = Needs::Roles(&[]);
const READ: Needs = Needs::Roles(&[Read]);
const PUBLISH: Needs = Needs::Roles(&[Publish]);
const EXECUTE: Needs = Needs::Roles(&[Execute]);
const READ_OR_EXECUTE: Needs = Needs::Roles(&[Read, Execute]);

/// A method of HTTP. A HEAD is a GET whose body the platform leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method of a request; `None` for one that no path takes.
    #[must_use]
    pub fn of_request(text: &str) -> Option<Self> {
        match text {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }

    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Several of them, as the `Allow` header says them.
    #[must_use]
    pub fn list(methods: &[Self]) -> String {
        methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What an operation reads of a request beside its path and a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// A query. Any other operation refuses a parameter: it would be ignored.
    Query,
    /// No body: it does what its path says, and a field of a body would be ignored.
    NoBody,
    /// An `Idempotency-Key` header, whatever the request turns out to ask for.
    IdempotencyKey,
    /// An `If-Match` header.
    IfMatch,
}

/// What path segments of a project's operations stand below.
const PROJECT: &str = "/v1/projects/{project}";

macro_rules! operations {
    (
        deployment {
            $($(#[$dabout:meta])*
            $doperation:ident: $dmethod:ident $dpath:literal, $dtag:literal, $dneeds:expr, [$($dreads:ident),*];)*
        }
        $($(#[$gabout:meta])*
        $group:ident $tag:literal {
            $($(#[$about:meta])*
            $operation:ident $({ $($name:ident),+ })?:
                $method:ident $path:literal, $needs:expr, [$($reads:ident),*];)*
        })*
    ) => {
        /// What can be asked for. Written in camel case (`createRun`) it is the `operationId` of the API's
        /// description.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Operation {
            $($(#[$dabout])* $doperation,)*
            $($($(#[$about])* $operation,)*)*
        }

        impl Operation {
            /// Every one, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$doperation,)* $($(Self::$operation,)*)*];

            /// Who may ask for it.
            #[must_use]
            pub const fn needs(self) -> Needs {
                match self {
                    $(Self::$doperation => $dneeds,)*
                    $($(Self::$operation => $needs,)*)*
                }
            }

            /// Its method.
            #[must_use]
            pub const fn method(self) -> Method {
                match self {
                    $(Self::$doperation => Method::$dmethod,)*
                    $($(Self::$operation => Method::$method,)*)*
                }
            }

            /// Its heading in the API's description.
            #[must_use]
            pub const fn tag(self) -> &'static str {
                match self {
                    $(Self::$doperation => $dtag,)*
                    $($(Self::$operation => $tag,)*)*
                }
            }

            /// Its path with `{…}` for each name: from the root if it starts with `/`, below a project
            /// otherwise.
            pub(crate) const fn template(self) -> &'static str {
                match self {
                    $(Self::$doperation => $dpath,)*
                    $($(Self::$operation => $path,)*)*
                }
            }

            const fn all_that_it_reads(self) -> &'static [Reads] {
                match self {
                    $(Self::$doperation => &[$(Reads::$dreads),*],)*
                    $($(Self::$operation => &[$(Reads::$reads),*],)*)*
                }
            }

            /// It, asked for the deployment; `None` if it is of a project.
            pub(crate) const fn of_deployment(self) -> Option<Deployment> {
                match self {
                    $(Self::$doperation => Some(Deployment::$doperation),)*
                    $($(Self::$operation)|* => None,)*
                }
            }

            /// It, asked for the things of these names, in the order of the path; `None` if it is not of a
            /// project or a name is missing.
            pub(crate) fn of_project(self, names: Vec<String>) -> Option<Request> {
                let mut names = names.into_iter();
                Some(match self {
                    $(Self::$doperation => return None,)*
                    $($(Self::$operation => Request::$group($group::$operation $({
                        $($name: names.next()?),+
                    })?),)*)*
                })
            }
        }

        /// An operation of the deployment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Deployment {
            $($(#[$dabout])* $doperation,)*
        }

        impl Deployment {
            /// Which operation it is.
            #[must_use]
            pub const fn operation(self) -> Operation {
                match self {
                    $(Self::$doperation => Operation::$doperation,)*
                }
            }
        }

        /// An operation of a project, with the names in its path.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Request {
            $($(#[$gabout])* $group($group),)*
        }

        impl Request {
            /// Which operation it is.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self {
                    $($(Self::$group($group::$operation { .. }) => Operation::$operation,)*)*
                }
            }

            /// The names in its path, in their order.
            pub(crate) fn names(&self) -> Vec<&str> {
                match self {
                    $($(Self::$group($group::$operation $({ $($name),+ })?) => vec![$($($name.as_str()),+)?],)*)*
                }
            }
        }

        $($(#[$gabout])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $group {
            $($(#[$about])* $operation $({
                $(
                    /// Names a thing: a decoded segment of the path.
                    $name: String
                ),+
            })?,)*
        }

        impl From<$group> for Request {
            fn from(request: $group) -> Self {
                Self::$group(request)
            }
        })*
    };
}

impl Operation {
    /// Whether it reads this of a request.
    #[must_use]
    pub fn reads(self, part: Reads) -> bool {
        self.all_that_it_reads().contains(&part)
    }

    /// Whether it is one of a project.
    #[must_use]
    pub fn is_of_a_project(self) -> bool {
        !self.template().starts_with('/')
    }

    /// Its whole path with `{…}` for each name: one text for all requests of a kind, for logs, counters and
    /// the API's description.
    #[must_use]
    pub fn pattern(self) -> String {
        match self.template() {
            "" => String::from(PROJECT),
            template if self.is_of_a_project() => format!("{PROJECT}/{template}"),
            template => String::from(template),
        }
    }
}

operations! {
    deployment {
        /// Say whether Postern answers.
        GetHealth: Get "/healthz", "Health", NOBODY, [];
        /// Read the counters of the deployment.
        GetMetrics: Get "/metrics", "Observing", ADMIN, [Query];
        /// Say whose token it is.
        GetToken: Get "/v1/token", "Tokens", ANY_TOKEN, [];
        /// List the projects that a token is for.
        ListProjects: Get "/v1/projects", "Projects", ANY_TOKEN, [Query];
        /// Create a project.
        CreateProject: Post "/v1/projects", "Projects", ADMIN, [];
    }

    /// Of one project as a whole.
    Projects "Projects" {
        /// Show a project.
        GetProject: Get "", READ, [];
        /// Change a project's settings.
        UpdateProject: Patch "", MANAGE, [];
        /// Delete a project with all that is in it.
        DeleteProject: Delete "", ADMIN, [Query, NoBody];
    }

    /// Of a project's tokens.
    Tokens "Tokens" {
        /// List tokens.
        ListTokens: Get "tokens", MANAGE, [Query];
        /// Create a token.
        CreateToken: Post "tokens", MANAGE, [];
        /// Revoke a token.
        DeleteToken { id }: Delete "tokens/{id}", MANAGE, [NoBody];
    }

    /// Of webhooks.
    Webhooks "Webhooks" {
        /// List webhooks.
        ListWebhooks: Get "webhooks", READ, [Query];
        /// Create a webhook.
        CreateWebhook: Post "webhooks", MANAGE, [IdempotencyKey];
        /// Show a webhook.
        GetWebhook { name }: Get "webhooks/{name}", READ, [];
        /// Change a webhook.
        UpdateWebhook { name }: Patch "webhooks/{name}", MANAGE, [IfMatch];
        /// Delete a webhook.
        DeleteWebhook { name }: Delete "webhooks/{name}", MANAGE, [NoBody, IfMatch];
        /// Show a webhook's signing secret.
        GetWebhookSecret { name }: Get "webhooks/{name}/secret", MANAGE, [];
        /// Replace a webhook's signing secret.
        RotateWebhookSecret { name }: Post "webhooks/{name}/secret/rotate", MANAGE, [IfMatch];
        /// Let a webhook's deliveries wait.
        PauseWebhook { name }: Post "webhooks/{name}/pause", MANAGE, [NoBody, IfMatch];
        /// Let them go on.
        ResumeWebhook { name }: Post "webhooks/{name}/resume", MANAGE, [NoBody, IfMatch];
    }

    /// Of trial calls.
    Tests "Tests" {
        /// Test a webhook.
        TestWebhook { name }: Post "webhooks/{name}/test", MANAGE, [];
        /// Test a webhook that is not stored.
        CreateTest: Post "tests", MANAGE, [];
        /// Show a test.
        GetTest { id }: Get "tests/{id}", READ, [];
    }

    /// Of the catalogue.
    EventTypes "Event types" {
        /// List event types.
        ListEventTypes: Get "event-types", READ, [Query];
        /// Add an event type.
        CreateEventType: Post "event-types", MANAGE, [IdempotencyKey];
        /// Show an event type.
        GetEventType { name }: Get "event-types/{name}", READ, [];
        /// Change an event type.
        UpdateEventType { name }: Patch "event-types/{name}", MANAGE, [IfMatch];
        /// Remove an event type.
        DeleteEventType { name }: Delete "event-types/{name}", MANAGE, [NoBody, IfMatch];
    }

    /// Of events.
    Events "Events" {
        /// List events.
        ListEvents: Get "events", READ, [Query];
        /// Post an event.
        CreateEvent: Post "events", PUBLISH, [IdempotencyKey];
        /// Post many events.
        CreateEvents: Post "events/batch", PUBLISH, [IdempotencyKey];
        /// Say what an event would do. It shows signatures of whatever the caller writes, so it needs as much
        /// as reading the secret.
        DryRunEvent: Post "events/dry-run", MANAGE, [Query];
        /// Export events.
        ExportEvents: Get "events/export", READ, [Query];
        /// Show an event.
        GetEvent { id }: Get "events/{id}", READ, [];
        /// List the deliveries of an event.
        ListEventDeliveries { id }: Get "events/{id}/deliveries", READ, [Query];
        /// List what webhooks make of an event.
        ListEventDecisions { id }: Get "events/{id}/decisions", READ, [Query];
    }

    /// Of deliveries.
    Deliveries "Deliveries" {
        /// List deliveries.
        ListDeliveries: Get "deliveries", READ, [Query];
        /// Count deliveries.
        CountDeliveries: Get "deliveries/count", READ, [Query];
        /// Count deliveries by when they were made.
        GetDeliveryHistogram: Get "deliveries/histogram", READ, [Query];
        /// Export deliveries.
        ExportDeliveries: Get "deliveries/export", READ, [Query];
        /// Show a delivery.
        GetDelivery { id }: Get "deliveries/{id}", READ, [];
        /// Send a delivery now.
        RetryDelivery { id }: Post "deliveries/{id}/retry", MANAGE, [NoBody];
        /// Cancel a delivery.
        CancelDelivery { id }: Post "deliveries/{id}/cancel", MANAGE, [NoBody];
    }

    /// Of inboxes.
    Inboxes "Inboxes" {
        /// List inboxes.
        ListInboxes: Get "inboxes", READ, [Query];
        /// Create an inbox.
        CreateInbox: Post "inboxes", MANAGE, [IdempotencyKey];
        /// Show an inbox.
        GetInbox { id }: Get "inboxes/{id}", READ, [];
        /// Change an inbox.
        UpdateInbox { id }: Patch "inboxes/{id}", MANAGE, [];
        /// Delete an inbox.
        DeleteInbox { id }: Delete "inboxes/{id}", MANAGE, [NoBody];
        /// List what an inbox recorded.
        ListInboxRequests { id }: Get "inboxes/{id}/requests", READ, [Query];
        /// Forget what an inbox recorded.
        ClearInboxRequests { id }: Delete "inboxes/{id}/requests", MANAGE, [NoBody];
    }

    /// Of replays.
    Replays "Replays" {
        /// List replays.
        ListReplays: Get "replays", READ, [Query];
        /// Replay deliveries, or count them first.
        CreateReplay: Post "replays", MANAGE, [IdempotencyKey];
        /// Show a replay.
        GetReplay { id }: Get "replays/{id}", READ, [];
        /// Stop a replay.
        CancelReplay { id }: Post "replays/{id}/cancel", MANAGE, [NoBody];
    }

    /// Of runs.
    Runs "Runs" {
        /// List runs.
        ListRuns: Get "runs", READ_OR_EXECUTE, [Query];
        /// Create a run: at actinia's facade, submit a job.
        CreateRun: Post "runs", EXECUTE, [IdempotencyKey];
        /// Claim a run.
        ClaimRun: Post "runs/claim", EXECUTE, [];
        /// Show a run: at actinia's facade, a resource.
        GetRun { id }: Get "runs/{id}", READ_OR_EXECUTE, [];
        /// Say how far a run is.
        UpdateRun { id }: Post "runs/{id}/updates", EXECUTE, [];
        /// End a run.
        FinishRun { id }: Post "runs/{id}/finish", EXECUTE, [];
        /// Stop a run.
        TerminateRun { id }: Post "runs/{id}/terminate", EXECUTE, [NoBody];
        /// Send a run's callback again.
        RetryRunCallback { id, kind }: Post "runs/{id}/callbacks/{kind}/retry", EXECUTE, [NoBody];
    }

    /// Of the audit log.
    AuditLog "Audit log" {
        /// List the audit log, which says who is who and where they are.
        ListAudit: Get "audit", MANAGE, [Query];
    }

    /// Of the configuration as one document.
    Configuration "Configuration" {
        /// Show the configuration.
        GetConfiguration: Get "config", READ, [];
        /// Say what a configuration would change.
        PlanConfiguration: Post "config/plan", MANAGE, [];
        /// Apply a configuration.
        ApplyConfiguration: Post "config/apply", MANAGE, [IdempotencyKey];
        /// Read another system's webhooks.
        PreviewImport: Post "import/preview", MANAGE, [];
    }

    /// Of what is watched.
    Observing "Observing" {
        /// Count attempts.
        GetStats: Get "stats", READ, [Query];
        /// Count what a person wants to know first.
        GetTotals: Get "totals", READ, [Query];
        /// Read the metrics of a project.
        GetProjectMetrics: Get "metrics", READ, [];
        /// Ask for a ticket that opens the live feed once.
        CreateLiveTicket: Post "live/tickets", READ, [NoBody];
    }

    /// Of the live feed, which is a WebSocket.
    LiveFeed "Observing" {
        /// Listen to changes.
        Listen: Get "live", READ, [Query];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the words that people read of a role promise, as a rule. New words need a new rule here.
    fn is_promised(words: &str, operation: Operation) -> bool {
        let name = format!("{operation:?}");
        let is_look = ["Get", "List", "Count", "Export"].iter().any(|verb| name.starts_with(verb));
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
