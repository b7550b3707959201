//! What each operation is asked and answers: the only place where that is described. Its path, method and
//! needs are in the table of [`crate::operation`]; [`described`] matches all of them, so that a new one does
//! not compile before it is described.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::body::{self, Body, body};
use crate::api::audit::{AuditEntry, SubjectKind};
use crate::api::delivery::{
    DeliveryCount, DeliveryDetail, DeliveryHistogram, DeliveryView, ExportedDelivery,
};
use crate::api::dry_run::DryRunView;
use crate::api::event::{BatchAccepted, EventAccepted, EventDecisions, EventTypeView, EventView};
use crate::api::inbox::{InboxRequestView, InboxView};
use crate::api::live::LiveTicket;
use crate::api::page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::api::project::{ProjectCreated, ProjectDetail, ProjectView};
use crate::api::replay::{ReplayCount, ReplayView};
use crate::api::run::{RunClaim, RunDetail, RunView};
use crate::api::stats::StatsView;
use crate::api::test::TestView;
use crate::api::token::{TokenCreated, TokenIdentity, TokenView};
use crate::api::totals::TotalsView;
use crate::api::webhook::{SecretView, WebhookView};
use crate::config::PlanView;
use crate::delivery::State;
use crate::event::OBJECT_PART_CHARS_MAX;
use crate::import::PreviewView;
use crate::metrics::{Form, PROJECTS_MAX};
use crate::operation::{Method, Needs, Operation as Id, Reads};
use crate::problem::ProblemType;
use crate::query::{DataForm, TEXT_CHARS_MAX, WebhookState};
use crate::run::{CallbackKind, RunState};
use crate::search::{PIECE_CHARS_MAX, PIECE_CHARS_MIN};

/// What an answer holds.
pub(super) enum Content {
    /// Nothing.
    Nothing,
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Text of one of these types, the first where nobody asks for another.
    Text(&'static [&'static str]),
    /// One JSON value of this schema a line.
    Lines(fn(&mut SchemaGenerator) -> Schema),
}

/// A good answer.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// When, in words.
    pub(super) description: &'static str,
    /// What it holds.
    pub(super) content: Content,
    /// Whether the version of the thing stands in `ETag`.
    pub(super) has_etag: bool,
    /// One that was given.
    pub(super) example: Option<Value>,
}

/// A query parameter.
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// Its schema.
    pub(super) schema: Value,
    /// In words.
    pub(super) description: &'static str,
}

/// What a method does at a path.
pub(super) struct Operation {
    /// Which it is. Written in camel case it is the `operationId`, which is stable, for generated clients.
    pub(super) id: Id,
    /// In a line.
    pub(super) summary: &'static str,
    /// In more lines, or empty.
    pub(super) description: &'static str,
    /// Query parameters.
    pub(super) query: Vec<Parameter>,
    /// The query parameter that must be given.
    pub(super) needs: Option<Parameter>,
    /// The request's body.
    pub(super) body: Option<Body>,
    /// Every good answer.
    pub(super) answers: Vec<Answer>,
    /// Problems beside those that follow from the rest ([`Operation::all_problems`]).
    problems: Vec<ProblemType>,
}

impl Operation {
    fn new(id: Id, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            description: "",
            query: Vec::new(),
            needs: None,
            body: None,
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    fn query(self, query: Vec<Parameter>) -> Self {
        Self { query, ..self }
    }

    fn needing(self, parameter: Parameter) -> Self {
        Self { needs: Some(parameter), ..self }
    }

    fn body(self, body: Body) -> Self {
        Self { body: Some(body), ..self }
    }

    fn answer(mut self, status: u16, description: &'static str, content: Content) -> Self {
        self.answers.push(Answer { status, description, content, has_etag: false, example: None });
        self
    }

    fn gives<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answer(status, description, Content::Json(SchemaGenerator::subschema_for::<T>))
    }

    fn lines<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answer(200, description, Content::Lines(SchemaGenerator::subschema_for::<T>))
    }

    fn gone(self, description: &'static str) -> Self {
        self.answer(204, description, Content::Nothing)
    }

    /// The last answer has an `ETag`.
    fn with_etag(mut self) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.has_etag = true;
        }
        self
    }

    /// The last answer, as it was given once.
    fn such_as(mut self, example: Value) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.example = Some(example);
        }
        self
    }

    fn or(mut self, problem: ProblemType) -> Self {
        self.problems.push(problem);
        self
    }

    /// Every problem that it may answer with, in the order of [`ProblemType::ALL`]; a method that a path does
    /// not have is told by `Allow` whatever the operation.
    pub(super) fn all_problems(&self) -> Vec<ProblemType> {
        let mut found = self.problems.clone();
        found.extend([ProblemType::TooManyRequests, ProblemType::Internal]);
        if self.id.needs() != Needs::Nobody {
            found.extend([ProblemType::Unauthorized, ProblemType::Unavailable]);
        }
        if matches!(self.id.needs(), Needs::Roles(_) | Needs::Admin) {
            found.push(ProblemType::Forbidden);
        }
        if self.id.is_of_a_project() {
            found.push(ProblemType::ProjectNotFound);
        }
        if self.body.is_some() {
            found.extend([
                ProblemType::MalformedJson,
                ProblemType::BodyTooLarge,
                ProblemType::UnsupportedMediaType,
                ProblemType::InvalidInput,
            ]);
        }
        if !self.query.is_empty() {
            found.push(ProblemType::InvalidInput);
        }
        if self.id.method() != Method::Get {
            // For a header that it does not support.
            found.push(ProblemType::InvalidInput);
        }
        if self.id.reads(Reads::IfMatch) {
            found.push(ProblemType::VersionMismatch);
        }
        if self.id.reads(Reads::IdempotencyKey) {
            found.extend([ProblemType::IdempotencyConflict, ProblemType::InvalidInput]);
        }
        ProblemType::ALL.into_iter().filter(|problem| found.contains(problem)).collect()
    }
}

/// The tags in their order, with what each is about.
pub(super) const TAGS: [(&str, &str); 14] = [
    ("Projects", "Tenants: everything else belongs to one."),
    ("Tokens", "Bearer secrets of a project with a role: `manage`, `publish`, `execute` or `read`."),
    ("Webhooks", "Where to call, for which events, how to sign, how to retry."),
    ("Tests", "Trial calls."),
    ("Event types", "The catalogue of event types, with the schemas of their data."),
    ("Events", "Something that happened, posted once by a producer."),
    ("Deliveries", "One event for one webhook, with every attempt in full."),
    ("Inboxes", "URLs of our own that record what reaches them."),
    ("Replays", "Sending deliveries again, or events that a webhook missed."),
    ("Runs", "Long jobs that executors claim, with their callbacks."),
    ("Configuration", "Settings, event types and webhooks as one document."),
    ("Audit log", "Who did what to which thing, when and from where."),
    ("Observing", "Statistics, and the live feed."),
    ("Health", "Whether the deployment answers."),
];

/// Of lists that are searched.
const ABOUT_SEARCH: &str = "One call looks at 20,000 rows at most, and with `text` or `label` at 8 MiB of payloads or labels: a page that ends there before it is full \
     says in `searched_to` how far it came, and `next` goes on. With `since` there is an end to it.";

/// How metrics are written.
const METRICS: [&str; 2] = [Form::Text.content_type(), Form::OpenMetrics.content_type()];

/// What an operation is asked and answers.
pub(super) fn described(id: Id) -> Operation {
    match id {
        Id::GetHealth => Operation::new(Id::GetHealth, "Check that Postern answers")
                .answer(200, "It does.", Content::Json(|_generator| schemars::json_schema!({ "$ref": "#/components/schemas/Health" })))
                .such_as(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "allow_private_targets": false })),
        Id::GetMetrics => Operation::new(Id::GetMetrics, "Read the metrics of the deployment")
                .about(
                    "For Prometheus: what this isolate of the Worker has counted since it started, and the \
                     counters and states of the first twenty projects by name. A call that accepts \
                     `application/openmetrics-text` gets OpenMetrics.",
                )
                .query(vec![Parameter {
                    name: "projects",
                    schema: json!({ "type": "integer", "minimum": 0, "maximum": PROJECTS_MAX, "default": PROJECTS_MAX }),
                    description: "How many projects are asked at most; 0 for the Worker alone.",
                }])
                .answer(200, "The metrics.", Content::Text(&METRICS)),
        Id::GetToken => Operation::new(Id::GetToken, "Show the token of the call")
                .about("The name, the project and the role of the token that the call carries.")
                .gives::<TokenIdentity>(200, "The token.")
                .or(ProblemType::InvalidInput),
        Id::ListProjects => Operation::new(Id::ListProjects, "List projects")
                .about("Every project for an admin token, the token's own for any other.")
                .query(whole_or_page())
                .gives::<Page<ProjectView>>(200, "The projects, by name."),
        Id::CreateProject => Operation::new(Id::CreateProject, "Create a project")
                .body(body("ProjectCreate", json!({ "name": "shop" })))
                .gives::<ProjectCreated>(201, "Created, with a first token of the role `manage`: the only time that it is shown.")
                .or(ProblemType::NameTaken)
                .or(ProblemType::StateConflict),
        Id::GetProject => Operation::new(Id::GetProject, "Show a project").gives::<ProjectDetail>(200, "The project, its counts and its settings."),
        Id::UpdateProject => Operation::new(Id::UpdateProject, "Change a project's settings")
                .about("Only what is sent changes; null restores a default.")
                .body(body("SettingsPatch", json!({ "retention_days": 90 })))
                .gives::<ProjectDetail>(200, "The project as it is now."),
        Id::DeleteProject => Operation::new(Id::DeleteProject, "Delete a project")
                .about(
                    "With its webhooks, events, deliveries, runs, tokens and audit log, at once and for good. Calls that are under way end, and \
                     nobody keeps what came of them. Only an admin token can do this.",
                )
                .needing(text("confirm", "The project's name, so that nobody deletes another one by mistake."))
                .gone("Deleted. A project of this name can be created once its copies are removed too, which takes some seconds.")
                .or(ProblemType::InvalidInput),
        Id::ListTokens => Operation::new(Id::ListTokens, "List tokens")
                .query(whole_or_page())
                .gives::<Page<TokenView>>(200, "Tokens, newest first; never their secrets."),
        Id::CreateToken => Operation::new(Id::CreateToken, "Create a token")
                .body(body("TokenCreate", json!({ "name": "checkout service", "role": "publish" })))
                .gives::<TokenCreated>(201, "Created, with its secret: the only time that it is shown."),
        Id::DeleteToken => Operation::new(Id::DeleteToken, "Revoke a token").gone("Revoked at once.").or(ProblemType::NotFound),
        Id::ListWebhooks => Operation::new(Id::ListWebhooks, "List webhooks")
                .query(page_and(vec![
                    text("search", "Part of the name, the URL or the description, in any case."),
                    labels("label", "`key:value`; may be given several times, and all must fit."),
                    text("event", "An event pattern, as the webhook lists it."),
                    text("object_type", "The type of its object filter."),
                    text("object_name", "The name of its object filter."),
                    word("state", &WebhookState::ALL.map(WebhookState::as_str), "How they are; `down`: they fail, or were disabled by Postern."),
                ]))
                .gives::<Page<WebhookView>>(200, "A page, by name."),
        Id::CreateWebhook => Operation::new(Id::CreateWebhook, "Create a webhook")
                .body(body("WebhookCreate", webhook_example()))
                .gives::<WebhookView>(201, "Created.")
                .with_etag()
                .or(ProblemType::NameTaken)
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::GetWebhook => Operation::new(Id::GetWebhook, "Show a webhook")
            .gives::<WebhookView>(200, "The webhook, without its secret.")
            .with_etag()
            .or(ProblemType::NotFound),
        Id::UpdateWebhook => Operation::new(Id::UpdateWebhook, "Change a webhook")
            .about("Only what is sent changes.")
            .body(body(
                "WebhookPatch",
                json!({ "timeout_s": 20, "rate_limit": { "calls": 100, "per_s": 60 } }),
            ))
            .gives::<WebhookView>(200, "The webhook as it is now.")
            .with_etag()
            .or(ProblemType::NotFound)
            .or(ProblemType::NameTaken)
            .or(ProblemType::Quota),
        Id::DeleteWebhook => Operation::new(Id::DeleteWebhook, "Delete a webhook")
            .gone("Deleted; its open deliveries are cancelled.")
            .or(ProblemType::NotFound),
        Id::GetWebhookSecret => Operation::new(Id::GetWebhookSecret, "Show a webhook's signing secret")
                .gives::<SecretView>(200, "The secret in clear; looking at it is noted in the audit log.")
                .or(ProblemType::NotFound),
        Id::RotateWebhookSecret => Operation::new(Id::RotateWebhookSecret, "Replace a webhook's signing secret")
                .about("The previous secret signs beside the new one for a while, so that receivers can \
                        change over.")
                .body(body("SecretRotation", json!({ "overlap_s": 3_600 })).optional())
                .gives::<SecretView>(200, "The new secret in clear.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::PauseWebhook => Operation::new(Id::PauseWebhook, "Pause a webhook")
                .about("Its deliveries wait; events are still accepted. Nothing happens if it is paused \
                        already.")
                .gives::<WebhookView>(200, "The webhook as it is now.")
                .with_etag()
                .or(ProblemType::NotFound),
        Id::ResumeWebhook => Operation::new(Id::ResumeWebhook, "Resume a webhook")
                .gives::<WebhookView>(200, "The webhook as it is now.")
                .with_etag()
                .or(ProblemType::NotFound),
        Id::TestWebhook => Operation::new(Id::TestWebhook, "Test a webhook")
                .about(
                    "Called at once. With `retry` a failed call is repeated, up to six attempts in about a \
                     minute; the test is `pending` meanwhile. A `variation` is a call that a good receiver refuses, or \
                     takes although many do not; the `finding` of the test says how this one did.",
                )
                .body(body("WebhookTest", json!({ "type": "order.paid", "data": { "order": "o-1" } })).optional())
                .gives::<TestView>(201, "The pending test.")
                .or(ProblemType::NotFound),
        Id::CreateTest => Operation::new(Id::CreateTest, "Test a webhook that is not stored")
                .about("The fields of a webhook that tell how it is called, of which only `url` is needed, with `type` and `data`. \
                        Without a secret the call is not signed. A failed call is repeated only with \
                        `retry: true`.")
                .body(body(
                    "TestCreate",
                    json!({ "url": "https://example.com/hooks", "type": "order.paid", "data": { "order": "o-1" }, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }),
                ))
                .gives::<TestView>(201, "The pending test."),
        Id::GetTest => Operation::new(Id::GetTest, "Show a test").gives::<TestView>(200, "The test, with its latest attempt once one was made.").or(ProblemType::NotFound),
        Id::ListEventTypes => Operation::new(Id::ListEventTypes, "List event types")
                .query(whole_or_page())
                .gives::<Page<EventTypeView>>(200, "The catalogue, by name."),
        Id::CreateEventType => Operation::new(Id::CreateEventType, "Add an event type")
                .body(body("EventTypeCreate", event_type_example()))
                .gives::<EventTypeView>(201, "Added.")
                .with_etag()
                .or(ProblemType::NameTaken)
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::GetEventType => Operation::new(Id::GetEventType, "Show an event type")
            .gives::<EventTypeView>(200, "The event type.")
            .with_etag()
            .or(ProblemType::NotFound),
        Id::UpdateEventType => Operation::new(Id::UpdateEventType, "Change an event type")
            .about("Only what is sent changes; null empties a field. The name can't change.")
            .body(body("EventTypePatch", json!({ "archived": true })))
            .gives::<EventTypeView>(200, "The event type as it is now.")
            .with_etag()
            .or(ProblemType::NotFound),
        Id::DeleteEventType => Operation::new(Id::DeleteEventType, "Remove an event type")
            .gone("Removed from the catalogue; its events stay.")
            .or(ProblemType::NotFound),
        Id::ListEvents => Operation::new(Id::ListEvents, "List events")
                .about(ABOUT_SEARCH)
                .query(page_and(event_filters(
                    "Accepted at this time or later: `accepted_at`.",
                    "Accepted before this time; later than `since`.",
                )))
                .gives::<Page<EventView>>(200, "A page, newest first, without data."),
        Id::CreateEvent => Operation::new(Id::CreateEvent, "Post an event")
                .about("An answer 202 means that the event and its deliveries are stored. `Idempotency-Key` stands for the body's `idempotency_key`.")
                .body(body("EventCreate", event_example()))
                .gives::<EventAccepted>(202, "Stored, with all deliveries.")
                .such_as(json!({ "id": "evt_019aa6e1-2c64-7000-8d3b-0f2f4c1d7a55", "deliveries": 1, "duplicate": false }))
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::CreateEvents => Operation::new(Id::CreateEvents, "Post many events")
                .about("All of them are accepted, or none.")
                .body(body("EventBatch", json!({ "events": [{ "type": "order.paid", "data": { "order": "o-1" } }, { "type": "order.sent", "data": null }] })))
                .gives::<BatchAccepted>(202, "Stored, with all deliveries, in the order of the batch.")
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::DryRunEvent => Operation::new(Id::DryRunEvent, "Preview an event")
                .about("Webhook by webhook: whether it would get the event and why, and the exact request. Nothing is stored or sent.")
                .query(vec![text("webhook", "Only this webhook.")])
                .body(body("EventCreate", event_example()))
                .gives::<DryRunView>(200, "What would happen.")
                .or(ProblemType::NotFound),
        Id::ExportEvents => Operation::new(Id::ExportEvents, "Export events")
                .about("Every event that fits, one JSON value a line, oldest first. A stream that breaks \
                        off is incomplete.")
                .query(export_and(vec![word(
                    "data",
                    &DataForm::ALL.map(DataForm::as_str),
                    "How the data is written: `json` (the default) as a value, `text` as a string that \
                     holds what the producer wrote, for readers that would round large numbers.",
                )]))
                .lines::<EventView>("Lines of events, with their data."),
        Id::GetEvent => Operation::new(Id::GetEvent, "Show an event").gives::<EventView>(200, "The event, with its data.").or(ProblemType::NotFound),
        Id::ListEventDeliveries => Operation::new(Id::ListEventDeliveries, "List the deliveries of an event")
                .about("One for each webhook that got it, and those that a replay made later. For the attempts of one, show it.")
                .query(whole_or_page())
                .gives::<Page<DeliveryView>>(200, "All of them, or a page; newest first.")
                .or(ProblemType::NotFound),
        Id::ListEventDecisions => Operation::new(Id::ListEventDecisions, "List what webhooks make of an event")
                .about(
                    "Webhook by webhook: its delivery, or why it has none, filter by filter. Judged by the definitions of now: which \
                     ones decided when the event came is not kept. 200 webhooks at most, first those that got the event or want it.",
                )
                .query(vec![text("webhook", "Only this webhook.")])
                .gives::<EventDecisions>(200, "By name.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::CountDeliveries => Operation::new(Id::CountDeliveries, "Count deliveries")
                .about(
                    "Those that the list of deliveries gives in all its pages, by the same filters. One call looks at 100,000 at \
                     most, and with a filter on their events (`type`, `object`, `label`, `text`) at 20,000: beyond that `exact` is \
                     false, and there are at least `count`.",
                )
                .query(delivery_filters())
                .gives::<DeliveryCount>(200, "How many there are, or are at least.")
                .such_as(json!({ "count": 1868, "exact": false, "searched_to": "2026-11-21T09:30:00.000Z" })),
        Id::GetDeliveryHistogram => Operation::new(Id::GetDeliveryHistogram, "Count deliveries by time")
                .about(
                    "Those that the list of deliveries gives by the same filters, by when they were made and where they stand. \
                     Without times, of the last 24 hours. One call looks at as many as a count does, the newest first: beyond \
                     that `exact` is false, and nothing older than `searched_to` was counted.",
                )
                .query(delivery_filters())
                .gives::<DeliveryHistogram>(200, "Every part of the time.")
                .such_as(json!({
                    "since": "2026-11-21T09:30:00.000Z",
                    "until": "2026-11-21T09:30:02.000Z",
                    "bins": [
                        { "at": "2026-11-21T09:30:00.000Z", "pending": 0, "leased": 0, "waiting": 0, "delivered": 12, "dead": 1, "cancelled": 0 },
                        { "at": "2026-11-21T09:30:01.000Z", "pending": 1, "leased": 0, "waiting": 2, "delivered": 8, "dead": 0, "cancelled": 0 },
                    ],
                    "exact": true,
                })),
        Id::ListDeliveries => Operation::new(Id::ListDeliveries, "List deliveries")
                .about(ABOUT_SEARCH)
                .query(page_and(delivery_filters()))
                .gives::<Page<DeliveryView>>(200, "A page, newest first.")
                .or(ProblemType::NotFound),
        Id::ExportDeliveries => Operation::new(Id::ExportDeliveries, "Export deliveries")
                .about("Every delivery that fits, one JSON value a line, oldest first. A stream that breaks \
                        off is incomplete.")
                .query(export_and(vec![
                    word("state", &State::ALL.map(State::as_str), "Where they stand."),
                    text("webhook", "The webhook's name."),
                ]))
                .lines::<ExportedDelivery>("Lines of deliveries, each with all its attempts.")
                .or(ProblemType::NotFound),
        Id::GetDelivery => Operation::new(Id::GetDelivery, "Show a delivery")
                .gives::<DeliveryDetail>(200, "The delivery, the reason for its state, every attempt and \
                                               the event.")
                .or(ProblemType::NotFound),
        Id::RetryDelivery => Operation::new(Id::RetryDelivery, "Send a delivery now")
                .gives::<DeliveryView>(202, "It is due now.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::CancelDelivery => Operation::new(Id::CancelDelivery, "Cancel a delivery")
                .gives::<DeliveryView>(200, "No more attempts.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::ListInboxes => Operation::new(Id::ListInboxes, "List inboxes")
                .query(page_and(Vec::new()))
                .gives::<Page<InboxView>>(200, "A page."),
        Id::CreateInbox => Operation::new(Id::CreateInbox, "Create an inbox")
                .body(body("InboxCreate", json!({ "name": "trial" })))
                .gives::<InboxView>(201, "Created, with its address.")
                .or(ProblemType::NameTaken)
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::GetInbox => Operation::new(Id::GetInbox, "Show an inbox")
                .gives::<InboxView>(200, "The inbox.")
                .or(ProblemType::NotFound),
        Id::UpdateInbox => Operation::new(Id::UpdateInbox, "Change an inbox")
                .body(body("InboxPatch", json!({ "answer": { "status": 503, "delay_ms": 200 } })))
                .gives::<InboxView>(200, "The inbox as it is now.")
                .or(ProblemType::NotFound)
                .or(ProblemType::NameTaken),
        Id::DeleteInbox => Operation::new(Id::DeleteInbox, "Delete an inbox")
                .gone("Deleted, with all that it recorded.")
                .or(ProblemType::NotFound),
        Id::ListInboxRequests => Operation::new(Id::ListInboxRequests, "List what an inbox recorded")
                .query(page_and(Vec::new()))
                .gives::<Page<InboxRequestView>>(200, "A page, newest first.")
                .or(ProblemType::NotFound),
        Id::ClearInboxRequests => Operation::new(Id::ClearInboxRequests, "Forget what an inbox recorded")
                .gone("Forgotten.")
                .or(ProblemType::NotFound),
        Id::ListReplays => Operation::new(Id::ListReplays, "List replays").query(page_and(Vec::new())).gives::<Page<ReplayView>>(200, "A page, newest first."),
        Id::CreateReplay => Operation::new(Id::CreateReplay, "Replay deliveries")
                .about("An empty object replays everything that is dead or cancelled. Ten replays run at once at most.")
                .body(body("ReplayCreate", json!({ "since": "2026-11-21T09:30:00Z", "types": ["order.*"], "dry_run": true })))
                .gives::<ReplayCount>(200, "With `dry_run`: how many deliveries would be made due.")
                .gives::<ReplayView>(202, "The replay, which goes on in the background.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict)
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::GetReplay => Operation::new(Id::GetReplay, "Show a replay").gives::<ReplayView>(200, "The replay.").or(ProblemType::NotFound),
        Id::CancelReplay => Operation::new(Id::CancelReplay, "Stop a replay")
                .gives::<ReplayView>(200, "Stopped; what it made due stays due.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::ListRuns => Operation::new(Id::ListRuns, "List runs")
                .query(page_and(vec![word("state", &RunState::ALL.map(RunState::as_str), "Where they stand.")]))
                .gives::<Page<RunView>>(200, "A page, newest first."),
        Id::CreateRun => Operation::new(Id::CreateRun, "Create a run")
                .about(
                    "Its callbacks are probed before it is offered to an executor: each must answer a GET \
                     with 200. While nothing answers, the probe is repeated for ten seconds.",
                )
                .body(body(
                    "RunCreate",
                    json!({ "chain": { "steps": ["import", "analyse"] }, "webhooks": { "finished": "https://example.com/done" } }),
                ))
                .gives::<RunView>(201, "Created.")
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::ClaimRun => Operation::new(Id::ClaimRun, "Claim a run")
                .about("The oldest run that waits. The claim ends with its lease, which each update renews; \
                        then the run is offered again.")
                .body(body("RunClaimRequest", json!({ "lease_s": 60 })).optional())
                .gives::<RunClaim>(200, "The work to do.")
                .gone("Nothing waits."),
        Id::GetRun => Operation::new(Id::GetRun, "Show a run")
                .gives::<RunDetail>(200, "The run with its chain, log, results and callbacks.")
                .or(ProblemType::NotFound),
        Id::UpdateRun => Operation::new(Id::UpdateRun, "Report a run's progress")
                .about("An empty object only renews the lease.")
                .body(
                    body("RunUpdateRequest", json!({ "claim": 1, "message": "step 2 of 5", "progress": { "step": 2, "of": 5 } }))
                        .optional(),
                )
                .gives::<RunView>(202, "The run as it is now.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::FinishRun => Operation::new(Id::FinishRun, "End a run")
                .body(body("RunFinishRequest", json!({ "claim": 1, "outcome": "finished", "results": { "area": 12.5 } })))
                .gives::<RunView>(202, "The run as it is now.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::TerminateRun => Operation::new(Id::TerminateRun, "Stop a run")
                .about("Its executor learns of it by a 409.")
                .gives::<RunView>(200, "The run as it is now.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::RetryRunCallback => Operation::new(Id::RetryRunCallback, "Send a run's callback again")
                .about(
                    "Now, under the same `webhook-id`, and then by the project's retry schedule from its start. The credentials of \
                     an address are kept, sealed, until its receiver has taken the end of the run, or else until the run is deleted \
                     with its retention; a callback whose credentials are gone is a 409, and so are a probe, a call that is under \
                     way, and the update of a run that has ended.",
                )
                .gives::<RunView>(202, "It is being called.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::ListAudit => Operation::new(Id::ListAudit, "List the audit log")
                .query(page_and(vec![Parameter {
                    name: "subject",
                    schema: json!({ "type": "string", "maxLength": TEXT_CHARS_MAX, "pattern": subject_pattern() }),
                    description: "What kind of thing (`token`), or a kind, a colon and a name (`webhook:shop`).",
                }]))
                .gives::<Page<AuditEntry>>(200, "A page, newest first."),
        Id::GetConfiguration => Operation::new(Id::GetConfiguration, "Show the configuration")
                .answer(200, "The document, without secrets.", Content::Json(config_document))
                .with_etag(),
        Id::PlanConfiguration => Operation::new(Id::PlanConfiguration, "Preview a configuration")
                .body(body("ConfigRequest", configuration_example()))
                .gives::<PlanView>(200, "The plan; nothing has changed."),
        Id::ApplyConfiguration => Operation::new(Id::ApplyConfiguration, "Apply a configuration")
                .about("All of it or nothing.")
                .body(body("ConfigRequest", configuration_example()))
                .gives::<PlanView>(200, "What has changed.")
                .or(ProblemType::StateConflict)
                .or(ProblemType::Quota).or(ProblemType::StorageFull),
        Id::PreviewImport => Operation::new(Id::PreviewImport, "Read another system's webhooks")
                .about("Makes a configuration of what its API lists. Nothing is stored.")
                .body(body(
                    "ImportRequest",
                    json!({ "from": "svix", "listing": { "data": [{ "uid": "shop", "url": "https://example.com/hooks" }] } }),
                ))
                .gives::<PreviewView>(200, "A document to look at and to apply, with a note for everything that could not be taken over."),
        Id::GetStats => Operation::new(Id::GetStats, "Count attempts")
                .about("Without parameters, the last 24 hours by the hour.")
                .query(vec![
                    text("webhook", "Only of this webhook."),
                    text("type", "Only of this event type."),
                    time("since", "Where the first bucket starts; rounded down to the start of a bucket."),
                    time("until", "Later than `since`; now if absent."),
                    word("bucket", &["hour", "day"], "The width of the buckets."),
                ])
                .gives::<StatsView>(200, "The whole time, and every bucket of it.")
                .or(ProblemType::NotFound)
                .or(ProblemType::StateConflict),
        Id::GetTotals => Operation::new(Id::GetTotals, "Count what matters first")
                .about(
                    "Deliveries by where they stand, and webhooks that are down. Success is a share of deliveries, not of \
                     attempts. Each total is what the list of deliveries gives for its time and state. One call looks at the \
                     newest 100,000 of the time: where there are more, a total says the later time from which on it counted.",
                )
                .query(vec![
                    time("since", "Deliveries that were made at this time or later; 24 hours before `until` if absent."),
                    time("until", "Made before this time; later than `since`. Now if absent."),
                ])
                .gives::<TotalsView>(200, "The totals.")
                .such_as(json!({
                    "until": "2026-11-21T09:30:00.000Z",
                    "made": {
                        "since": "2026-11-20T09:30:00.000Z",
                        "pending": 3, "leased": 1, "waiting": 163, "delivered": 9500, "dead": 24, "cancelled": 0,
                    },
                    "dead": { "since": "2026-11-20T09:30:00.000Z", "count": 24 },
                    "open": { "count": 1868, "exact": true, "oldest_at": "2026-11-20T21:13:00.000Z" },
                    "webhooks": { "down": 9, "all": 30 },
                })),
        Id::GetProjectMetrics => Operation::new(Id::GetProjectMetrics, "Read the metrics of a project")
                .about(
                    "For Prometheus: accepted events, attempts by result, how long they took, and \
                     deliveries by state. Counters never go back, whatever is deleted. A call that accepts \
                     `application/openmetrics-text` gets OpenMetrics.",
                )
                .answer(200, "The metrics.", Content::Text(&METRICS))
                .or(ProblemType::InvalidInput)
                .or(ProblemType::StateConflict),
        Id::CreateLiveTicket => Operation::new(Id::CreateLiveTicket, "Ask for a ticket to the live feed")
                .about("For browsers: it opens one connection within 30 seconds, as its token would. The \
                        connection closes when the token is revoked.")
                .gives::<LiveTicket>(201, "The ticket: the only time that it is shown.")
                .such_as(json!({ "ticket": "mzxw6ytboi4dambqgaydambqgaydambqgaydambqgaydambqgaya", "expires_at": "2026-11-21T14:08:01.204Z" })),
        Id::Listen => Operation::new(Id::Listen, "Listen to changes")
                .about(
                    "A WebSocket: each text frame is one change (`LiveEvent`). The subprotocol is \
                     `postern.v1`; a browser, which can set no header, also offers a ticket as the \
                     subprotocol `ticket.<ticket>`. A token is not accepted there, because logs keep \
                     subprotocols.",
                )
                .answer(101, "The connection is a WebSocket from now on.", Content::Nothing)
                .or(ProblemType::InvalidInput)
                .or(ProblemType::Quota),
    }
}

fn webhook_example() -> Value {
    json!({ "name": "shop", "url": "https://example.com/hooks", "events": ["order.*"] })
}

fn event_type_example() -> Value {
    let schema =
        json!({ "type": "object", "properties": { "order": { "type": "string" } }, "required": ["order"] });
    json!({
        "name": "order.paid",
        "description": "An order was paid for.",
        "example": { "order": "o-1" },
        "schema": schema,
    })
}

fn event_example() -> Value {
    let data = json!({ "order": "o-1", "total": 42 });
    json!({ "type": "order.paid", "data": data, "idempotency_key": "o-1-paid" })
}

fn configuration_example() -> Value {
    json!({ "document": { "settings": { "retention_days": 90 }, "webhooks": [webhook_example()] } })
}

// --- parameters ---

fn text(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, schema: json!({ "type": "string", "maxLength": TEXT_CHARS_MAX }), description }
}

fn word(name: &'static str, words: &[&str], description: &'static str) -> Parameter {
    Parameter { name, schema: json!({ "type": "string", "enum": words }), description }
}

fn time(name: &'static str, description: &'static str) -> Parameter {
    // An empty one does not restrict, as with every text of a query.
    let schema = json!({ "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "maxLength": 0 }] });
    Parameter { name, schema, description }
}

fn labels(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        schema: json!({ "type": "array", "items": { "type": "string", "pattern": "^[^:]+:" } }),
        description,
    }
}

fn page_and(mut more: Vec<Parameter>) -> Vec<Parameter> {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT });
    more.push(Parameter { name: "limit", schema: limit, description: "The most items of a page." });
    more.push(text(
        "cursor",
        "`next` of the page before; opaque. A page that is short and has a `next` says in `searched_to` how far it looked.",
    ));
    more
}

/// Of a list that is given whole where nobody names a limit.
fn whole_or_page() -> Vec<Parameter> {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX });
    vec![
        Parameter {
            name: "limit",
            schema: limit,
            description: "The most items of a page; if absent, all that follow.",
        },
        text("cursor", "`next` of the page before; opaque."),
    ]
}

/// What is wanted of events, or of the events of deliveries.
fn event_filters(since: &'static str, until: &'static str) -> Vec<Parameter> {
    vec![
        time("since", since),
        time("until", until),
        text("type", "The event type."),
        labels("label", "`key:value` of the event; may be given several times, and all must fit."),
        Parameter {
            name: "object",
            schema: json!({ "type": "string", "pattern": format!("^([^/]{{1,{OBJECT_PART_CHARS_MAX}}}(/.{{1,{OBJECT_PART_CHARS_MAX}}})?)?$") }),
            description: "What the event happened to: a type (`order`), or a type, a slash and a name (`order/o-1`).",
        },
        Parameter {
            name: "text",
            schema: json!({ "anyOf": [
                { "type": "string", "minLength": PIECE_CHARS_MIN, "maxLength": PIECE_CHARS_MAX },
                { "type": "string", "maxLength": 0 },
            ] }),
            description: "A piece of the event's `data`, as the producer wrote it, with its case.",
        },
    ]
}

fn delivery_filters() -> Vec<Parameter> {
    let mut all = vec![
        word("state", &State::ALL.map(State::as_str), "Where they stand."),
        text("webhook", "The webhook's name."),
        Parameter {
            name: "event",
            schema: json!({ "type": "string", "pattern": "^(evt_.*)?$" }),
            description: "The event's id, `evt_…`.",
        },
        Parameter {
            name: "status",
            schema: json!({ "type": "string", "pattern": "^([1-5]([0-9][0-9]|xx))?$" }),
            description: "The status of the latest answer (`503`), or its class (`5xx`).",
        },
        Parameter {
            name: "attempts_min",
            schema: json!({ "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "string", "maxLength": 0 },
            ] }),
            description: "So many attempts were made, or more.",
        },
    ];
    all.extend(event_filters(
        "Made at this time or later: `created_at`.",
        "Made before this time; later than `since`.",
    ));
    all
}

fn export_and(more: Vec<Parameter>) -> Vec<Parameter> {
    let mut all = vec![
        time(
            "since",
            "Accepted (events) or made (deliveries) at this time or later: `accepted_at`, `created_at`.",
        ),
        time("until", "Accepted or made before this time; later than `since`."),
        text("type", "The event type."),
    ];
    all.extend(more);
    all
}

fn subject_pattern() -> String {
    format!("^(({})(:.*)?)?$", SubjectKind::ALL.map(SubjectKind::as_str).join("|"))
}

// --- schemas of answers that are no type ---

/// Answer to `GET /healthz`.
pub(super) fn health() -> Value {
    json!({
        "type": "object",
        "description": "That Postern answers.",

        "properties": {
            "status": { "const": "ok" },
            "version": { "type": "string", "description": "Of Postern." },
            "allow_private_targets": { "type": "boolean", "description": "Whether private addresses may be called (development)." },
        },
        "required": ["status", "version", "allow_private_targets"],
    })
}

fn config_document(_generator: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "$ref": "#/components/schemas/ConfigDocument" })
}

/// The description of a parameter in the path of an operation.
pub(super) fn path_parameter(name: &str, id: Id) -> (Value, &'static str) {
    let text = || json!({ "type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX });
    let kind = id.template().split('/').next().unwrap_or_default();
    match (name, kind) {
        ("project", _) => (body::project_name(), "The project's name."),
        ("name", "event-types") => (body::event_type(), "The event type."),
        ("name", _) => (body::webhook_name(), "The webhook's name."),
        ("kind", _) => {
            let kinds =
                CallbackKind::ALL.into_iter().filter(|kind| !kind.is_probe()).map(CallbackKind::as_str);
            (json!({ "type": "string", "enum": kinds.collect::<Vec<_>>() }), "What the callback says.")
        }
        (_, "tokens") => (text(), "`tok_…`"),
        (_, "tests") => (text(), "`tst_…`"),
        (_, "events") => (text(), "`evt_…`"),
        (_, "inboxes") => (text(), "`ibx_…`"),
        (_, "replays") => (text(), "`rpl_…`"),
        (_, "runs") => (text(), "`run_…`"),
        _ => (text(), "`dlv_…`"),
    }
}
