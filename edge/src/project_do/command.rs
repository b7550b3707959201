//! What the Worker asks a project object, and what the object replies: JSON text of one [`Call`] and one [`Reply`].
//!
//! Both enums are externally tagged: `RawValue` (event data, kept as the producer wrote it) reads in no other form. The
//! two sides are deployed together, but an old Worker may still speak with a new object for a moment, so a change must be
//! additive; `tests` pin the form.

use postern_core::admin::UNNAMED;
use postern_core::api::audit::{Actor, AuditEntry};
use postern_core::api::delivery::{DeliveryDetail, DeliveryView};
use postern_core::api::event::{EventAccepted, EventTypeView, EventView};
use postern_core::api::inbox::{Answer, InboxRequestView, InboxView};
use postern_core::api::page::Page;
use postern_core::api::project::{ProjectDetail, ProjectView};
use postern_core::api::replay::{ReplayCount, ReplayView};
use postern_core::api::stats::StatsView;
use postern_core::api::test::TestView;
use postern_core::api::token::{TokenIdentity, TokenView};
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::config::PlanView;
use postern_core::delivery::Attempt;
use postern_core::event::{EventTypeDraft, NewEvent};
use postern_core::facade::up42;
use postern_core::id::Seq;
use postern_core::metrics::ProjectMetrics;
use postern_core::operation::{Needs, Operation};
use postern_core::problem::Problem;
use postern_core::project::SettingsPatch;
use postern_core::query::{
    AuditQuery, DeliveryQuery, EventQuery, ExportQuery, PageQuery, StatsQuery, WebhookQuery,
};
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use postern_core::token::Role;
use postern_core::webhook::parse::{Trial, TrialDraft};
use postern_core::webhook::rotation::Rotation;
use postern_core::webhook::{Contract, Definition, ProjectName};
use postern_ledger::{DryRun, Exported, GivenBack, LeaseTicket, Report, StoredWebhook, TestWork, WorkSet};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::runs::{RunCommand, RunReply};
use crate::log::RequestId;

/// Who asks. The object trusts this: only the Worker can reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Caller {
    /// Holds `ADMIN_TOKEN` (compared in the Worker).
    Admin,
    /// Holds the token of this administrator (`ADMIN_TOKENS`, compared in the Worker).
    NamedAdmin(String),
    /// Holds a token with this SHA-256 that names this project. Whether the project knows it is the object's to say.
    Token(String),
    /// Postern itself: dispatcher, queue consumers, cron, and whatever calls an inbox.
    Postern,
}

impl Caller {
    /// Whether it is an administrator, whom no project need know.
    pub(crate) const fn is_admin(&self) -> bool {
        matches!(self, Self::Admin | Self::NamedAdmin(_))
    }

    /// The administrator of this name.
    pub(crate) fn admin(name: &str) -> Self {
        if name == UNNAMED { Self::Admin } else { Self::NamedAdmin(String::from(name)) }
    }

    /// Who acts, for the audit log; a token is known to its project only.
    pub(crate) fn actor(&self) -> Option<Actor> {
        match self {
            Self::Admin => Some(Actor::admin()),
            Self::NamedAdmin(name) => Some(Actor::named_admin(name)),
            Self::Postern => Some(Actor::postern()),
            Self::Token(_) => None,
        }
    }
}

/// One question to a project.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Which project; the object is addressed by the same name.
    pub(crate) project: ProjectName,
    /// Who asks.
    pub(crate) caller: Caller,
    /// For the logs of the object.
    pub(crate) request_id: RequestId,
    /// `https://host` under which the request came in; inbox addresses begin with it. Empty where there was none.
    pub(crate) origin: String,
    /// The network address of who asks, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Answer as the first time where this was asked before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) once: Option<Once>,
    /// What is asked.
    pub(crate) command: Command,
}

/// A call that its caller may repeat with the same key (`Idempotency-Key`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Once {
    /// The key.
    pub(crate) key: String,
    /// SHA-256 of method, path and body: another call must not have the same key.
    pub(crate) digest: String,
}

/// In which API's words a change of a webhook is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// `core::webhook::parse::update`
    Native,
    /// `core::facade::ubiops::update`; knows only webhooks of that contract.
    Ubiops,
    /// `core::facade::up42::update`; knows only webhooks of that contract.
    Up42,
}

/// What UP42's API asks a project. It names webhooks by their id, and knows only those of its contract. Bodies are read in the
/// object, because only there is known which events the project has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Up42Command {
    /// One page of the webhooks.
    List {
        /// Which.
        page: PageQuery,
    },
    /// One webhook.
    Show {
        /// `whk_…`
        id: String,
    },
    /// Add a webhook.
    Create {
        /// The request's body.
        body: String,
    },
    /// Change a webhook.
    Update {
        /// `whk_…`
        id: String,
        /// The request's body.
        body: String,
    },
    /// Remove a webhook.
    Delete {
        /// `whk_…`
        id: String,
    },
    /// Test a webhook with each of its events.
    Test {
        /// `whk_…`
        id: String,
    },
}

impl Up42Command {
    /// What it is in the native API. Secrets are shown to those who may change them.
    const fn operation(&self) -> Operation {
        match self {
            Self::List { .. } => Operation::ListWebhooks,
            Self::Show { .. } => Operation::GetWebhook,
            Self::Create { .. } => Operation::CreateWebhook,
            Self::Update { .. } => Operation::UpdateWebhook,
            Self::Delete { .. } => Operation::DeleteWebhook,
            Self::Test { .. } => Operation::TestWebhook,
        }
    }
}

/// What a project is asked about its configuration as a whole. Bodies are read in the object, where its state is known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfigCommand {
    /// The document.
    Show,
    /// What applying a document would change.
    Plan {
        /// The request's body.
        body: String,
    },
    /// Apply a document.
    Apply {
        /// The request's body.
        body: String,
    },
}

/// What a project can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// Make the project, with a first `manage` token.
    CreateProject {
        /// SHA-256 of the token.
        token_hash: String,
    },
    /// The project's entry in a list.
    ShowProject,
    /// The locations that actinia's clients are told of.
    ListLocations,
    /// The project and its counts.
    ShowProjectDetail,
    /// Change the project's settings.
    UpdateSettings {
        /// As parsed.
        patch: SettingsPatch,
    },
    /// Add a token.
    CreateToken {
        /// SHA-256 of it.
        hash: String,
        /// What its owner calls it.
        name: String,
        /// What it may do.
        role: Role,
        /// From then on it opens nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Whose token the caller shows.
    ShowToken,
    /// All tokens.
    ListTokens {
        /// Which.
        page: PageQuery,
    },
    /// Revoke a token.
    DeleteToken {
        /// `tok_…`
        id: String,
    },
    /// Add a webhook; its secrets are plain and get sealed in the object, which knows the new id.
    CreateWebhook {
        /// As parsed.
        definition: Box<Definition>,
    },
    /// One page of the webhooks.
    ListWebhooks {
        /// Which.
        query: WebhookQuery,
        /// Only of this contract.
        contract: Option<Contract>,
    },
    /// One webhook.
    ShowWebhook {
        /// Its name.
        name: String,
        /// Only if it has this contract.
        contract: Option<Contract>,
    },
    /// Change a webhook. The patch is applied in the object, to the definition as it is then.
    UpdateWebhook {
        /// Its name.
        name: String,
        /// The request's body.
        patch: String,
        /// In whose words.
        dialect: Dialect,
        /// Refuse if the version is another.
        if_version: Option<u32>,
    },
    /// Remove a webhook.
    DeleteWebhook {
        /// Its name.
        name: String,
        /// Only if it has this contract.
        contract: Option<Contract>,
        /// Refuse if the version is another.
        if_version: Option<u32>,
    },
    /// A webhook's signing secret, in clear.
    ShowSecret {
        /// Its name.
        name: String,
    },
    /// Replace a webhook's signing secret.
    RotateSecret {
        /// Its name.
        name: String,
        /// As parsed; a secret of the caller's is plain and gets sealed in the object.
        rotation: Rotation,
        /// Refuse if the version is another.
        #[serde(default)]
        if_version: Option<u32>,
    },
    /// Let a webhook's deliveries wait, or go on.
    PauseWebhook {
        /// Its name.
        name: String,
        /// Whether they wait.
        paused: bool,
        /// Refuse if the version is another.
        #[serde(default)]
        if_version: Option<u32>,
    },
    /// Test a stored webhook.
    TestWebhook {
        /// Its name.
        name: String,
        /// The event type; a sample where it is none.
        kind: Option<String>,
        /// Its data; a sample where it is none.
        data: Option<Box<RawValue>>,
        /// Whether it is called again where it fails.
        #[serde(default)]
        retry: bool,
    },
    /// Test a definition that is not stored; its secrets are plain.
    TestDefinition {
        /// As parsed.
        definition: Box<Definition>,
        /// What to send.
        event: NewEvent,
        /// Whether it is called again where it fails.
        #[serde(default)]
        retry: bool,
    },
    /// What UP42's API asks.
    Up42(Up42Command),
    /// Something about runs.
    Runs(RunCommand),
    /// One test.
    ShowTest {
        /// `tst_…`
        id: String,
    },
    /// Add to the catalogue.
    CreateEventType {
        /// As parsed.
        draft: EventTypeDraft,
    },
    /// The catalogue.
    ListEventTypes {
        /// Which.
        page: PageQuery,
    },
    /// One entry of the catalogue.
    ShowEventType {
        /// The event type.
        name: String,
    },
    /// Change an entry of the catalogue. The patch is applied in the object, to the entry as it is then.
    UpdateEventType {
        /// The event type.
        name: String,
        /// The request's body.
        patch: String,
        /// Refuse if the version is another.
        if_version: Option<u32>,
    },
    /// Remove from the catalogue.
    DeleteEventType {
        /// The event type.
        name: String,
        /// Refuse if the version is another.
        #[serde(default)]
        if_version: Option<u32>,
    },
    /// What is asked about the configuration as a whole.
    Config(ConfigCommand),
    /// Whether the caller may do this here; nothing else.
    May {
        /// What.
        operation: Operation,
    },
    /// One page of the audit log.
    ListAudit {
        /// Which.
        query: AuditQuery,
    },
    /// Accept events, all or none.
    Ingest {
        /// As parsed.
        events: Vec<NewEvent>,
    },
    /// What an event would do; nothing is stored.
    DryRun {
        /// As parsed.
        event: NewEvent,
        /// Only to the webhook of this name.
        webhook: Option<String>,
    },
    /// One page of the events.
    ListEvents {
        /// Which.
        query: EventQuery,
    },
    /// One event with its data.
    ShowEvent {
        /// `evt_…`
        id: String,
    },
    /// A page of events, oldest first, as text.
    ExportEvents {
        /// Which.
        query: ExportQuery,
        /// Where the page before ended.
        after: Option<Seq>,
    },
    /// A page of deliveries, oldest first, as text.
    ExportDeliveries {
        /// Which.
        query: ExportQuery,
        /// Where the page before ended.
        after: Option<Seq>,
    },
    /// Counts of attempts.
    ShowStats {
        /// Which.
        query: StatsQuery,
    },
    /// What the project tells Prometheus.
    ShowMetrics,
    /// Begin a replay.
    CreateReplay {
        /// As parsed.
        query: ReplayQuery,
    },
    /// How many deliveries a replay would make due.
    CountReplay {
        /// As parsed.
        query: ReplayQuery,
    },
    /// One page of the replays.
    ListReplays {
        /// Which.
        page: PageQuery,
    },
    /// One replay.
    ShowReplay {
        /// `rpl_…`
        id: String,
    },
    /// Stop a replay.
    CancelReplay {
        /// `rpl_…`
        id: String,
    },
    /// One page of the deliveries.
    ListDeliveries {
        /// Which.
        query: DeliveryQuery,
    },
    /// One delivery with its attempts.
    ShowDelivery {
        /// `dlv_…`
        id: String,
    },
    /// Make a delivery due now.
    Resend {
        /// `dlv_…`
        id: String,
    },
    /// Stop a delivery.
    Cancel {
        /// `dlv_…`
        id: String,
    },
    /// Add an inbox.
    CreateInbox {
        /// Its name.
        name: String,
        /// The secret part of its address.
        key: String,
    },
    /// One page of the inboxes.
    ListInboxes {
        /// Which.
        page: PageQuery,
    },
    /// One inbox.
    ShowInbox {
        /// `ibx_…`
        id: String,
    },
    /// Change an inbox; what is `None` stays.
    UpdateInbox {
        /// `ibx_…`
        id: String,
        /// Its name.
        name: Option<String>,
        /// The status it answers.
        status: Option<u16>,
        /// Milliseconds before the answer.
        delay_ms: Option<u32>,
        /// The answer's body.
        body: Option<String>,
    },
    /// Remove an inbox.
    DeleteInbox {
        /// `ibx_…`
        id: String,
    },
    /// One page of what an inbox recorded.
    ListRequests {
        /// `ibx_…`
        id: String,
        /// Which.
        page: PageQuery,
    },
    /// Forget what an inbox recorded.
    ClearRequests {
        /// `ibx_…`
        id: String,
    },
    /// A request reached an inbox.
    Receive {
        /// The secret part of the address.
        key: String,
        /// What arrived; `id`, `received_at`, `signature` and `answered` are filled in by the object.
        request: Box<InboxRequestView>,
    },
    /// Open the live feed (sent with a WebSocket upgrade).
    Listen,
    /// The same for whoever holds a ticket; the Worker asks it, because a ticket says who its holder is.
    ListenWithTicket {
        /// SHA-256 of the ticket.
        hash: String,
    },
    /// Make a ticket for the live feed.
    CreateLiveTicket {
        /// SHA-256 of it.
        hash: String,
    },
    /// The dispatcher takes attempts; it reports finished ones in the same call.
    Claim {
        /// What was done since the last claim.
        reports: Vec<Report>,
        /// What to take.
        tickets: Vec<LeaseTicket>,
    },
    /// The dispatcher gives back attempts that it has claimed and not started.
    Unclaim {
        /// Which.
        claims: Vec<GivenBack>,
    },
    /// The dispatcher is done with attempts.
    Report {
        /// What came of them.
        reports: Vec<Report>,
    },
    /// The dispatcher is done with a test.
    ReportTest {
        /// Which.
        test: Seq,
        /// Which call of it.
        number: u32,
        /// What came of it.
        attempt: Box<Attempt>,
    },
    /// The dispatcher's copy of a definition is missing or too old.
    ShowDefinition {
        /// Which webhook.
        webhook: Seq,
        /// The version the delivery needs.
        at_least_version: u32,
    },
    /// The watchdog looks whether the alarm is set.
    Tick,
}

/// Who may ask a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Who may ask for this operation ([`Operation::needs`]).
    Of(Operation),
    /// Postern itself.
    Postern,
}

impl Need {
    /// What of a caller who is not Postern itself; `None` where only Postern may ask.
    pub(crate) const fn of_callers(self) -> Option<Needs> {
        match self {
            Self::Of(operation) => Some(operation.needs()),
            Self::Postern => None,
        }
    }
}

impl Command {
    /// Who may ask it. A command stands for one operation of the native API, in whatever words it came.
    pub(crate) const fn need(&self) -> Need {
        Need::Of(match self {
            Self::CreateProject { .. } => Operation::CreateProject,
            Self::ShowProject | Self::ListLocations => Operation::ListProjects,
            Self::ShowProjectDetail => Operation::GetProject,
            Self::UpdateSettings { .. } => Operation::UpdateProject,
            Self::CreateToken { .. } => Operation::CreateToken,
            Self::ShowToken => Operation::GetToken,
            Self::ListTokens { .. } => Operation::ListTokens,
            Self::DeleteToken { .. } => Operation::DeleteToken,
            Self::CreateWebhook { .. } => Operation::CreateWebhook,
            Self::ListWebhooks { .. } => Operation::ListWebhooks,
            Self::ShowWebhook { .. } => Operation::GetWebhook,
            Self::UpdateWebhook { .. } => Operation::UpdateWebhook,
            Self::DeleteWebhook { .. } => Operation::DeleteWebhook,
            Self::ShowSecret { .. } => Operation::GetWebhookSecret,
            Self::RotateSecret { .. } => Operation::RotateWebhookSecret,
            Self::PauseWebhook { paused: true, .. } => Operation::PauseWebhook,
            Self::PauseWebhook { paused: false, .. } => Operation::ResumeWebhook,
            Self::TestWebhook { .. } => Operation::TestWebhook,
            Self::TestDefinition { .. } => Operation::CreateTest,
            Self::Up42(command) => command.operation(),
            Self::Runs(command) => return command.need(),
            Self::ShowTest { .. } => Operation::GetTest,
            Self::CreateEventType { .. } => Operation::CreateEventType,
            Self::ListEventTypes { .. } => Operation::ListEventTypes,
            Self::ShowEventType { .. } => Operation::GetEventType,
            Self::UpdateEventType { .. } => Operation::UpdateEventType,
            Self::DeleteEventType { .. } => Operation::DeleteEventType,
            Self::Config(ConfigCommand::Show) => Operation::GetConfiguration,
            Self::Config(ConfigCommand::Plan { .. }) => Operation::PlanConfiguration,
            Self::Config(ConfigCommand::Apply { .. }) => Operation::ApplyConfiguration,
            Self::May { operation } => *operation,
            Self::ListAudit { .. } => Operation::ListAudit,
            Self::Ingest { .. } => Operation::CreateEvent,
            Self::DryRun { .. } => Operation::DryRunEvent,
            Self::ListEvents { .. } => Operation::ListEvents,
            Self::ShowEvent { .. } => Operation::GetEvent,
            Self::ExportEvents { .. } => Operation::ExportEvents,
            Self::ExportDeliveries { .. } => Operation::ExportDeliveries,
            Self::ShowStats { .. } => Operation::GetStats,
            Self::ShowMetrics => Operation::GetProjectMetrics,
            Self::CreateReplay { .. } | Self::CountReplay { .. } => Operation::CreateReplay,
            Self::ListReplays { .. } => Operation::ListReplays,
            Self::ShowReplay { .. } => Operation::GetReplay,
            Self::CancelReplay { .. } => Operation::CancelReplay,
            Self::ListDeliveries { .. } => Operation::ListDeliveries,
            Self::ShowDelivery { .. } => Operation::GetDelivery,
            Self::Resend { .. } => Operation::RetryDelivery,
            Self::Cancel { .. } => Operation::CancelDelivery,
            Self::CreateInbox { .. } => Operation::CreateInbox,
            Self::ListInboxes { .. } => Operation::ListInboxes,
            Self::ShowInbox { .. } => Operation::GetInbox,
            Self::UpdateInbox { .. } => Operation::UpdateInbox,
            Self::DeleteInbox { .. } => Operation::DeleteInbox,
            Self::ListRequests { .. } => Operation::ListInboxRequests,
            Self::ClearRequests { .. } => Operation::ClearInboxRequests,
            Self::Listen => Operation::Listen,
            Self::CreateLiveTicket { .. } => Operation::CreateLiveTicket,
            Self::ListenWithTicket { .. }
            | Self::Receive { .. }
            | Self::Claim { .. }
            | Self::Unclaim { .. }
            | Self::Report { .. }
            | Self::ReportTest { .. }
            | Self::ShowDefinition { .. }
            | Self::Tick => return Need::Postern,
        })
    }

    /// The test of a stored webhook.
    pub(crate) fn test_webhook(name: String, draft: TrialDraft) -> Self {
        Self::TestWebhook { name, kind: draft.kind, data: draft.data, retry: draft.retry }
    }

    /// The test of a definition that is not stored.
    pub(crate) fn test_definition(trial: Trial) -> Self {
        Self::TestDefinition {
            definition: Box::new(trial.definition),
            event: trial.event,
            retry: trial.retry,
        }
    }
}

/// What an inbox answers, and what it recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    /// What to answer.
    pub(crate) answer: Answer,
}

/// What a project replies.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// The command was refused.
    Refused(Box<Problem>),
    /// The object failed; the text is for the log.
    Failed(String),
    /// Done, and there is nothing to show.
    Done,
    /// A project as in a list.
    Project(ProjectView),
    /// Names of actinia's locations.
    Locations(Vec<String>),
    /// A project with its counts.
    ProjectDetail(ProjectDetail),
    /// A token.
    Token(TokenView),
    /// Whose token the caller shows.
    TokenIdentity(TokenIdentity),
    /// All tokens.
    Tokens(Page<TokenView>),
    /// A webhook.
    Webhook(Box<WebhookView>),
    /// A page of webhooks.
    Webhooks(Page<WebhookView>),
    /// A signing secret in clear.
    Secret(SecretView),
    /// A test, and the call to make for it.
    TestStarted {
        /// As it stands: pending.
        test: Box<TestView>,
        /// The call.
        work: Box<TestWork>,
    },
    /// Tests, and the calls to make for them.
    TestsStarted(Vec<StartedTest>),
    /// A webhook as UP42 shows it.
    Up42Webhook(Box<up42::Webhook>),
    /// A page of them.
    Up42Webhooks(Page<up42::Webhook>),
    /// Something about runs.
    Runs(RunReply),
    /// A test.
    Test(Box<TestView>),
    /// An entry of the catalogue.
    EventType(EventTypeView),
    /// The configuration.
    Config {
        /// The document.
        #[serde(deserialize_with = "postern_core::json::written")]
        document: serde_json::Value,
        /// Stands for the state that it is of.
        base: String,
    },
    /// What a configuration changes, or changed.
    Plan(Box<PlanView>),
    /// A page of the audit log.
    Audit(Page<AuditEntry>),
    /// The catalogue.
    EventTypes(Page<EventTypeView>),
    /// Events were accepted.
    Accepted {
        /// One per event.
        items: Vec<EventAccepted>,
        /// Attempts that the Worker makes itself after its answer (the inline lane).
        work: WorkSet,
    },
    /// An event.
    Event(Box<EventView>),
    /// A page of events.
    Events(EventPage),
    /// What an event would do.
    DryRun(Box<DryRun>),
    /// A page of an export.
    Exported(Exported),
    /// Counts of attempts.
    Stats(Box<StatsView>),
    /// What a project tells Prometheus.
    Metrics(Box<ProjectMetrics>),
    /// A replay.
    Replay(Box<ReplayView>),
    /// How many deliveries a replay would make due.
    ReplayCount(ReplayCount),
    /// A page of replays.
    Replays(Page<ReplayView>),
    /// A delivery.
    Delivery(Box<DeliveryView>),
    /// A delivery with its attempts.
    DeliveryDetail(Box<DeliveryDetail>),
    /// A page of deliveries.
    Deliveries(Page<DeliveryView>),
    /// An inbox.
    Inbox(InboxView),
    /// A page of inboxes.
    Inboxes(Page<InboxView>),
    /// A page of recorded requests.
    Requests(Page<InboxRequestView>),
    /// A request was recorded; `None`: there is no such inbox.
    Received(Option<Received>),
    /// A ticket for the live feed was made.
    LiveTicket {
        /// From then on it opens nothing.
        expires_at: Timestamp,
    },
    /// Attempts to make.
    Work(WorkSet),
    /// A definition, sealed; `None`: the webhook is gone.
    Definition(Option<Box<StoredWebhook>>),
}

/// One of several tests that begin together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartedTest {
    /// As it stands: pending.
    pub(crate) test: TestView,
    /// The call.
    pub(crate) work: TestWork,
}

/// A page of events.
pub(crate) type EventPage = Page<EventView>;

impl Reply {
    /// The variant's name, for the log line about a reply that does not fit its command.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Done => "done",
            Self::Project(_) => "project",
            Self::Locations(_) => "locations",
            Self::ProjectDetail(_) => "project_detail",
            Self::Token(_) => "token",
            Self::TokenIdentity(_) => "token_identity",
            Self::Tokens(_) => "tokens",
            Self::Webhook(_) => "webhook",
            Self::Webhooks(_) => "webhooks",
            Self::Secret(_) => "secret",
            Self::TestStarted { .. } => "test_started",
            Self::TestsStarted(_) => "tests_started",
            Self::Up42Webhook(_) => "up42_webhook",
            Self::Up42Webhooks(_) => "up42_webhooks",
            Self::Runs(_) => "runs",
            Self::Test(_) => "test",
            Self::EventType(_) => "event_type",
            Self::EventTypes(_) => "event_types",
            Self::Config { .. } => "config",
            Self::Plan(_) => "plan",
            Self::Audit(_) => "audit",
            Self::Accepted { .. } => "accepted",
            Self::Event(_) => "event",
            Self::Events(_) => "events",
            Self::DryRun(_) => "dry_run",
            Self::Exported(_) => "exported",
            Self::Stats(_) => "stats",
            Self::Metrics(_) => "metrics",
            Self::Replay(_) => "replay",
            Self::ReplayCount(_) => "replay_count",
            Self::Replays(_) => "replays",
            Self::Delivery(_) => "delivery",
            Self::DeliveryDetail(_) => "delivery_detail",
            Self::Deliveries(_) => "deliveries",
            Self::Inbox(_) => "inbox",
            Self::Inboxes(_) => "inboxes",
            Self::Requests(_) => "requests",
            Self::Received(_) => "received",
            Self::LiveTicket { .. } => "live_ticket",
            Self::Work(_) => "work",
            Self::Definition(_) => "definition",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(command: Command) -> Call {
        Call {
            project: ProjectName::parse("p1").unwrap(),
            caller: Caller::Token(String::from("ab12")),
            request_id: RequestId::new([0; 8]),
            origin: String::from("https://a.example"),
            address: None,
            once: None,
            command,
        }
    }

    #[test]
    fn the_wire_form_of_a_call_does_not_change_by_accident() {
        let data =
            RawValue::from_string(String::from(r#"{"a":{"b":[1,2]},"big":12345678901234567890}"#)).unwrap();
        let event = NewEvent::new(String::from("order.paid"), data);
        let text = serde_json::to_string(&call(Command::Ingest { events: vec![event] })).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"project":"p1","caller":{"token":"ab12"},"request_id":"0000000000000000","origin":"https://a.example","#,
                r#""command":{"ingest":{"events":[{"type":"order.paid","data":{"a":{"b":[1,2]},"big":12345678901234567890}}]}}}"#
            )
        );
    }

    #[test]
    fn event_data_passes_through_a_call_as_it_was_written() {
        let written = r#"{"z":1,"a":{"m":{}},"n":1e400,"s":" 1 "}"#;
        let data = RawValue::from_string(String::from(written)).unwrap();
        let event =
            NewEvent { idempotency_key: Some(String::from("k")), ..NewEvent::new(String::from("a"), data) };
        let text = serde_json::to_string(&call(Command::Ingest { events: vec![event] })).unwrap();
        let read: Call = serde_json::from_str(&text).unwrap();
        let Command::Ingest { events } = read.command else { panic!("another command") };
        assert_eq!(events[0].data.get(), written);
    }

    #[test]
    fn a_reply_with_raw_data_reads_back() {
        let reply = Reply::Accepted { items: Vec::new(), work: WorkSet::default() };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"accepted":{"items":[],"work":{"events":[],"works":[]}}}"#);
        assert!(matches!(serde_json::from_str(&text).unwrap(), Reply::Accepted { .. }));
    }

    /// Whether a token of `role` may ask `command`.
    fn allows(role: Role, command: &Command) -> bool {
        command.need().of_callers().is_some_and(|needs| needs.allows(role))
    }

    /// The roles that may ask `command`.
    fn roles(command: &Command) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| allows(*role, command)).collect()
    }

    #[test]
    fn secrets_and_changes_need_a_manage_token() {
        let id = String::new;
        assert_eq!(roles(&Command::ShowSecret { name: id() }), [Role::Manage]);
        assert_eq!(roles(&Command::DeleteToken { id: id() }), [Role::Manage]);
        assert_eq!(roles(&Command::Resend { id: id() }), [Role::Manage]);
        let event = NewEvent::new(String::from("a"), RawValue::NULL.to_owned());
        assert_eq!(roles(&Command::DryRun { event, webhook: None }), [Role::Manage], "it shows signatures");
        assert_eq!(roles(&Command::ShowReplay { id: id() }), [Role::Manage, Role::Read]);
        assert_eq!(roles(&Command::Ingest { events: Vec::new() }), [Role::Manage, Role::Publish]);
        assert_eq!(roles(&Command::Listen), [Role::Manage, Role::Read]);
        assert_eq!(roles(&Command::CreateLiveTicket { hash: id() }), [Role::Manage, Role::Read]);
        assert_eq!(roles(&Command::ListenWithTicket { hash: id() }), []);
        assert_eq!(roles(&Command::ShowProject), Role::ALL);
        assert_eq!(roles(&Command::Tick), []);
        assert_eq!(roles(&Command::May { operation: Operation::CreateRun }), [Role::Manage, Role::Execute]);
        assert_eq!(roles(&Command::Up42(Up42Command::Show { id: id() })), [Role::Manage, Role::Read]);
        assert_eq!(roles(&Command::Up42(Up42Command::Test { id: id() })), [Role::Manage]);
        assert_eq!(roles(&Command::Up42(Up42Command::Update { id: id(), body: id() })), [Role::Manage]);
        assert_eq!(roles(&Command::CreateProject { token_hash: id() }), []);
        assert_eq!(Command::CreateProject { token_hash: id() }.need().of_callers(), Some(Needs::Admin));
    }
}
