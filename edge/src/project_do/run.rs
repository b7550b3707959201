//! Answers commands: who may ask, what the ledger does, what secrets need, what the feed is told. Nothing here waits.

use postern_core::api::audit::{Actor, AuditAction};
use postern_core::api::event::EventTypeView;
use postern_core::api::inbox::{Answer, InboxRequestView};
use postern_core::api::replay::ReplayView;
use postern_core::api::token::TokenIdentity;
use postern_core::api::webhook::SecretView;
use postern_core::contract;
use postern_core::event::{self, EventTypeDraft, NewEvent};
use postern_core::facade::ubiops;
use postern_core::fault::{self, Fault, Faults, InputFault};
use postern_core::id::{Kind, Seq};
use postern_core::operation::{Needs, Operation};
use postern_core::problem::{Problem, ProblemType};
use postern_core::query::ExportQuery;
use postern_core::signing::{Secret, SecretKind};
use postern_core::time::Timestamp;
use postern_core::token::{self, TokenDraft};
use postern_core::webhook::parse::{self, TrialDraft};
use postern_core::webhook::rotation::{NewSecret, Rotation};
use postern_core::webhook::{Contract, Definition, ProjectName};
use postern_engine::Rest;
use postern_ledger::{
    Acting, AuditFilter, DeliveryFilter, ExportFilter, InboxChange, InlineLimit, Ledger, LedgerError,
    RunTurn, Verified, WebhookFilter, WorkSet,
};
use worker::Env;

use super::ObjectSql;
use super::alarm::Alarm;
use super::command::{Call, Caller, Command, ConfigCommand, Dialect, Need, Once, Received, Reply};
use super::inbox_request;
use super::live::Changes;
use super::runs::RunReply;
use crate::clock;
use crate::config::Settings;
use crate::http::request::split_url;
use crate::seal::{self, Owner, SealFault};

/// What the token that a new project starts with is called.
pub(super) const FIRST_TOKEN_NAME: &str = "first";
/// Attempts that one request makes itself after its answer: twice as many as may be open at once (docs/platform.md 2.4), since all their
/// webhooks have answered within a second lately.
const INLINE: InlineLimit = InlineLimit(12);

/// Webhooks that are sealed again in one minute.
const RESEALED_AT_ONCE: usize = 500;

/// Why a command was not done. Nothing was written then.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The client is told.
    Problem(Box<Problem>),
    /// Our own fault; for the log.
    Failed(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<InputFault> for Refusal {
    fn from(fault: InputFault) -> Self {
        Self::from(Problem::from(fault))
    }
}

impl From<Faults> for Refusal {
    fn from(faults: Faults) -> Self {
        Self::from(Problem::invalid(faults))
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::from(Faults::from(fault))
    }
}

impl From<SealFault> for Refusal {
    fn from(fault: SealFault) -> Self {
        Self::Failed(format!("a secret {fault}"))
    }
}

impl From<crate::config::ConfigFault> for Refusal {
    fn from(fault: crate::config::ConfigFault) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        let problem = |kind, detail: String| Self::from(Problem::new(kind, detail));
        match error {
            LedgerError::Sql(_) | LedgerError::Corrupt { .. } | LedgerError::SchemaTooNew { .. } => {
                Self::Failed(error.to_string())
            }
            LedgerError::NotFound { .. } => problem(ProblemType::NotFound, error.to_string()),
            LedgerError::NameTaken { .. } => problem(ProblemType::NameTaken, error.to_string()),
            LedgerError::VersionMismatch { .. } => {
                problem(ProblemType::VersionMismatch, format!("{error}; read it again and repeat the change"))
            }
            LedgerError::IdempotencyConflict { .. } | LedgerError::IdempotencyReused => {
                problem(ProblemType::IdempotencyConflict, error.to_string())
            }
            LedgerError::SchemaViolated { faults } => Self::from(faults),
            LedgerError::StateConflict { .. } => problem(ProblemType::StateConflict, error.to_string()),
            LedgerError::Quota(exceeded) => Self::from(Problem::over_quota(exceeded)),
            LedgerError::BadCursor => Self::from(Fault::new(
                "?cursor",
                "is not one of this project: leave it out to start at the beginning",
            )),
        }
    }
}

/// What follows a command beside its reply.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The alarm must ring then.
    pub(super) wake_at: Option<Timestamp>,
    /// The live feed is told.
    pub(super) changes: Changes,
}

fn unauthorized() -> Refusal {
    Refusal::from(Problem::new(ProblemType::Unauthorized, token::WRONG))
}

fn forbidden(detail: &str) -> Refusal {
    Refusal::from(Problem::new(ProblemType::Forbidden, detail))
}

/// Whether `caller` may ask what needs `need`; the token where it is one.
pub(super) fn authorize(
    ledger: &Ledger<ObjectSql>,
    caller: &Caller,
    need: Need,
    now: Timestamp,
) -> Result<Option<Verified>, Refusal> {
    let (hash, needs) = match (caller, need.of_callers()) {
        (Caller::Postern, None) | (Caller::Admin | Caller::NamedAdmin(_), Some(_)) => return Ok(None),
        (Caller::Postern, Some(_)) | (_, None) => {
            return Err(Refusal::Failed(format!("{caller:?} asked what needs {need:?}")));
        }
        (Caller::Token(hash), Some(needs)) => (hash, needs),
    };
    let token = ledger.verify_token(hash, now).ok_or_else(unauthorized)?;
    match needs {
        needs if needs.allows(token.role) => Ok(Some(token)),
        Needs::Admin => Err(forbidden("only ADMIN_TOKEN can do this")),
        _ => Err(forbidden(&format!("a token with the role {} can't do this", token.role.as_str()))),
    }
}

/// Who does what `call` asks, for the audit log.
pub(super) fn acting(call: &Call, actor: Actor) -> Acting {
    Acting { actor, address: call.address.clone(), request_id: Some(String::from(call.request_id.as_str())) }
}

/// The refusal of one who is not admin: 401 for a token that does not verify, 403 for one that does.
pub(super) fn refuse_admin_only(
    ledger: Option<&Ledger<ObjectSql>>,
    caller: &Caller,
    now: Timestamp,
) -> Refusal {
    match ledger {
        Some(ledger) => match authorize(ledger, caller, Need::Of(Operation::CreateProject), now) {
            Ok(_) => Refusal::Failed(String::from("an admin was refused")),
            Err(refusal) => refusal,
        },
        None => unauthorized(),
    }
}

/// The reply where there is no such project.
pub(super) fn without_project(call: &Call) -> Result<Reply, Refusal> {
    match (&call.caller, &call.command) {
        (Caller::Token(_), _) => Err(unauthorized()),
        (Caller::Postern, Command::Receive { .. }) => Ok(Reply::Received(None)),
        (Caller::Postern, Command::Runs(_)) => Ok(Reply::Runs(RunReply::Calls(Vec::new()))),
        (Caller::Postern, Command::Claim { .. }) => Ok(Reply::Work(WorkSet::default())),
        (Caller::Postern, Command::ShowDefinition { .. }) => Ok(Reply::Definition(None)),
        (Caller::Postern, _) => Ok(Reply::Done),
        (Caller::Admin | Caller::NamedAdmin(_), _) => Err(Refusal::from(Problem::new(
            ProblemType::ProjectNotFound,
            format!("there is no project {}", call.project.as_str()),
        ))),
    }
}

/// Answers `call`.
pub(super) fn run(
    ledger: &mut Ledger<ObjectSql>,
    alarm: &Alarm,
    env: &Env,
    call: Call,
    now: Timestamp,
) -> Result<(Reply, Done), Refusal> {
    let token = authorize(ledger, &call.caller, call.command.need(), now)?;
    if let Some(token) = &token {
        ledger.note_use(token, now)?;
    }
    let actor = token
        .as_ref()
        .map(|token| token.actor.clone())
        .or_else(|| call.caller.actor())
        .unwrap_or_else(Actor::postern);
    ledger.act_as(acting(&call, actor));
    if let Some(Once { key, digest }) = &call.once
        && let Some(reply) = ledger.answered_before(key, digest, now)?
    {
        let reply = serde_json::from_str(&reply)
            .map_err(|error| Refusal::Failed(format!("a kept answer: {error}")))?;
        return Ok((reply, Done::default()));
    }
    let settings = Settings::of(env)?;
    // UP42's reads show secrets to those who may change them.
    let shows_secrets = matches!(call.command, Command::Up42(_))
        && authorize(ledger, &call.caller, Need::Of(Operation::GetWebhookSecret), now).is_ok();
    let mut turn = Turn {
        ledger,
        settings: &settings,
        project: &call.project,
        origin: &call.origin,
        now,
        shows_secrets,
        token,
        changes: Changes::default(),
    };
    let writes = is_write(&call.command);
    let reply = turn.answer(call.command)?;
    let changes = turn.changes;
    // In the same turn as what it answers, so both are durable together.
    if let Some(Once { key, digest }) = &call.once {
        ledger.keep_answer(key, digest, &kept_text(&reply)?, now)?;
    }
    let wake_at = if writes { alarm.wake_at(ledger, Rest::None, now)? } else { None };
    Ok((reply, Done { wake_at, changes }))
}

/// The text of a reply that may be given again: whoever repeats a call must not make its attempts again.
fn kept_text(reply: &Reply) -> Result<String, Refusal> {
    let text = match reply {
        Reply::Accepted { items, .. } => {
            serde_json::to_string(&Reply::Accepted { items: items.clone(), work: WorkSet::default() })
        }
        Reply::Runs(RunReply::Turn(turn)) => {
            let turn = Box::new(RunTurn { run: turn.run.clone(), calls: Vec::new() });
            serde_json::to_string(&Reply::Runs(RunReply::Turn(turn)))
        }
        other => serde_json::to_string(other),
    };
    text.map_err(|error| Refusal::Failed(format!("an answer could not be kept: {error}")))
}

/// When the alarm must ring: for what is planned, or for what grows old.
pub(super) fn wake_at(ledger: &Ledger<ObjectSql>, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
    let planned = ledger.next_wake(now)?.map(|(at, _reason)| at);
    Ok([planned, ledger.upkeep_at(now)?].into_iter().flatten().min())
}

/// As [`wake_at`], while definitions are being published.
pub(super) fn wake_beside_publishing_at(
    ledger: &Ledger<ObjectSql>,
    now: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let planned = ledger.next_wake_beside_publishing(now)?.map(|(at, _reason)| at);
    Ok([planned, ledger.upkeep_at(now)?].into_iter().flatten().min())
}

/// Which events or deliveries an export holds.
fn export_filter(query: ExportQuery) -> ExportFilter {
    let ExportQuery { since, until, kind, state, webhook, data } = query;
    ExportFilter { since, until, kind, state, webhook, data }
}

/// Whether the command may leave something to be done later. (A tick writes nothing, but arms the alarm.)
const fn is_write(command: &Command) -> bool {
    if let Command::Runs(command) = command {
        return command.is_write();
    }
    matches!(
        command,
        Command::CreateProject { .. }
            | Command::CreateWebhook { .. }
            | Command::UpdateWebhook { .. }
            | Command::DeleteWebhook { .. }
            | Command::RotateSecret { .. }
            | Command::PauseWebhook { .. }
            | Command::UpdateSettings { .. }
            | Command::CreateReplay { .. }
            | Command::CancelReplay { .. }
            | Command::TestWebhook { .. }
            | Command::TestDefinition { .. }
            | Command::Up42(_)
            | Command::Config(ConfigCommand::Apply { .. })
            | Command::Ingest { .. }
            | Command::Resend { .. }
            | Command::Cancel { .. }
            | Command::Claim { .. }
            | Command::Unclaim { .. }
            | Command::Report { .. }
            | Command::ReportTest { .. }
            | Command::Tick
    )
}

/// One command at one instant.
pub(super) struct Turn<'a> {
    pub(super) ledger: &'a mut Ledger<ObjectSql>,
    pub(super) settings: &'a Settings,
    pub(super) project: &'a ProjectName,
    pub(super) origin: &'a str,
    pub(super) now: Timestamp,
    /// Whether secrets may stand in what UP42's API reads.
    pub(super) shows_secrets: bool,
    /// The caller's token, where it is one.
    pub(super) token: Option<Verified>,
    pub(super) changes: Changes,
}

impl Turn<'_> {
    pub(super) fn answer(&mut self, command: Command) -> Result<Reply, Refusal> {
        let (ledger, now, origin) = (&mut *self.ledger, self.now, self.origin);
        Ok(match command {
            Command::CreateProject { .. } => {
                return Err(Refusal::Failed(String::from("a project is made elsewhere")));
            }
            Command::ShowProject => Reply::Project(ledger.view()),
            Command::ListLocations => Reply::Locations(ledger.actinia_locations()),
            Command::ShowProjectDetail => Reply::ProjectDetail(ledger.detail()?),
            Command::UpdateSettings { patch } => Reply::ProjectDetail(ledger.update_settings(patch, now)?),
            Command::CreateToken { hash, name, role, expires_at } => {
                Reply::Token(ledger.create_token(&hash, TokenDraft { name, role, expires_at }, now)?)
            }
            Command::ShowToken => match self.token.take() {
                Some(Verified { role, actor, expires_at, .. }) => {
                    let project = Some(self.project.clone());
                    Reply::TokenIdentity(TokenIdentity {
                        project,
                        id: actor.id,
                        name: actor.name,
                        role,
                        expires_at,
                    })
                }
                None => return Err(Refusal::Failed(String::from("the Worker knows who holds ADMIN_TOKEN"))),
            },
            Command::ListTokens { page } => {
                Reply::Tokens(ledger.list_tokens(page.limit, page.cursor.as_deref())?)
            }
            Command::DeleteToken { id } => {
                ledger.delete_token(&id, now)?;
                self.changes.tokens = true;
                Reply::Done
            }
            Command::CreateWebhook { definition } => return self.create_webhook(&definition),
            Command::ListWebhooks { query, contract } => {
                let filter = WebhookFilter {
                    search: query.search,
                    labels: query.labels,
                    event: query.event,
                    object_type: query.object_type,
                    object_name: query.object_name,
                    enabled: query.enabled,
                    contract,
                };
                Reply::Webhooks(ledger.list_webhooks(
                    &filter,
                    query.page.limit,
                    query.page.cursor.as_deref(),
                )?)
            }
            Command::ShowWebhook { name, contract } => {
                self.check_contract(&name, contract)?;
                Reply::Webhook(Box::new(self.ledger.webhook(&name)?))
            }
            Command::UpdateWebhook { name, patch, dialect, if_version } => {
                return self.update_webhook(&name, &patch, dialect, if_version);
            }
            Command::DeleteWebhook { name, contract, if_version } => {
                self.check_contract(&name, contract)?;
                self.changes.deliveries = self.ledger.delete_webhook(&name, if_version, now)?;
                self.changes.webhooks = true;
                Reply::Done
            }
            Command::ShowSecret { name } => {
                let stored = ledger.stored_webhook(&name)?;
                ledger.note(AuditAction::SecretRead, &name, now)?;
                Reply::Secret(self.secret_view(&stored.id, &stored.definition)?)
            }
            Command::RotateSecret { name, rotation, if_version } => {
                return self.rotate_secret(&name, rotation, if_version);
            }
            Command::PauseWebhook { name, paused, if_version } => {
                let view = ledger.pause_webhook(&name, paused, if_version, now)?;
                self.changes.webhooks = true;
                Reply::Webhook(Box::new(view))
            }
            Command::TestWebhook { name, kind, data, retry } => {
                return self.test_webhook(&name, TrialDraft { kind, data, retry });
            }
            Command::TestDefinition { definition, event, retry } => {
                return self.test_definition(&definition, event, retry);
            }
            Command::Up42(command) => return self.up42(command),
            Command::Runs(command) => return self.runs(command),
            Command::ShowTest { id } => Reply::Test(Box::new(ledger.test(&id)?)),
            Command::CreateEventType { draft } => Reply::EventType(ledger.create_event_type(draft, now)?),
            Command::ListEventTypes { page } => {
                Reply::EventTypes(ledger.list_event_types(page.limit, page.cursor.as_deref())?)
            }
            Command::ShowEventType { name } => Reply::EventType(ledger.event_type(&name)?),
            Command::UpdateEventType { name, patch, if_version } => {
                return self.update_event_type(&name, &patch, if_version);
            }
            Command::DeleteEventType { name, if_version } => {
                ledger.delete_event_type(&name, if_version, now)?;
                Reply::Done
            }
            Command::Config(command) => return self.config(&command),
            Command::May { .. } => Reply::Done,
            Command::ListAudit { query } => {
                let filter = AuditFilter { subject: query.subject, name: query.name };
                Reply::Audit(ledger.list_audit(&filter, query.page.limit, query.page.cursor.as_deref())?)
            }
            Command::Ingest { events } => {
                let ingested = ledger.ingest(events, INLINE, now)?;
                self.changes.deliveries = ingested.changed;
                Reply::Accepted { items: ingested.accepted, work: ingested.works }
            }
            Command::DryRun { event, webhook } => {
                Reply::DryRun(Box::new(ledger.dry_run(event, webhook.as_deref(), now)?))
            }
            Command::ExportEvents { query, after } => {
                Reply::Exported(ledger.export_events(&export_filter(query), after)?)
            }
            Command::ExportDeliveries { query, after } => {
                Reply::Exported(ledger.export_deliveries(&export_filter(query), after)?)
            }
            Command::ShowStats { query } => Reply::Stats(Box::new(ledger.stats(&query)?)),
            Command::ShowMetrics => Reply::Metrics(Box::new(ledger.metrics(now)?)),
            Command::CreateReplay { query } => {
                let replay = ledger.create_replay(query, now)?;
                return Ok(self.told(replay));
            }
            Command::CountReplay { query } => Reply::ReplayCount(ledger.count_replay(query, now)?),
            Command::ListReplays { page } => {
                Reply::Replays(ledger.list_replays(page.limit, page.cursor.as_deref())?)
            }
            Command::ShowReplay { id } => Reply::Replay(Box::new(ledger.replay(&id)?)),
            Command::CancelReplay { id } => {
                let replay = ledger.cancel_replay(&id, now)?;
                return Ok(self.told(replay));
            }
            Command::ListEvents { query } => Reply::Events(ledger.list_events(
                query.kind.as_deref(),
                query.page.limit,
                query.page.cursor.as_deref(),
            )?),
            Command::ShowEvent { id } => Reply::Event(Box::new(ledger.event(&id)?)),
            Command::ListDeliveries { query } => {
                let filter = DeliveryFilter { state: query.state, webhook: query.webhook, kind: query.kind };
                Reply::Deliveries(ledger.list_deliveries(
                    &filter,
                    query.page.limit,
                    query.page.cursor.as_deref(),
                )?)
            }
            Command::ShowDelivery { id } => Reply::DeliveryDetail(Box::new(ledger.delivery(&id)?)),
            Command::Resend { id } => {
                let view = ledger.resend(&id, now)?;
                self.note_delivery(&id);
                Reply::Delivery(Box::new(view))
            }
            Command::Cancel { id } => {
                let view = ledger.cancel(&id, now)?;
                self.note_delivery(&id);
                Reply::Delivery(Box::new(view))
            }
            Command::CreateInbox { name, key } => {
                Reply::Inbox(ledger.create_inbox(&name, &key, origin, now)?)
            }
            Command::ListInboxes { page } => {
                Reply::Inboxes(ledger.list_inboxes(page.limit, page.cursor.as_deref(), origin)?)
            }
            Command::ShowInbox { id } => Reply::Inbox(ledger.inbox(&id, origin)?),
            Command::UpdateInbox { id, name, status, delay_ms, body } => {
                let current = ledger.inbox(&id, origin)?.answer;
                let answer = Answer {
                    status: status.unwrap_or(current.status),
                    delay_ms: delay_ms.unwrap_or(current.delay_ms),
                    body: body.unwrap_or(current.body),
                };
                Reply::Inbox(ledger.update_inbox(
                    &id,
                    InboxChange { name, answer: Some(answer) },
                    origin,
                    now,
                )?)
            }
            Command::DeleteInbox { id } => {
                ledger.delete_inbox(&id, now)?;
                Reply::Done
            }
            Command::ListRequests { id, page } => {
                Reply::Requests(ledger.list_requests(&id, page.limit, page.cursor.as_deref())?)
            }
            Command::ClearRequests { id } => {
                ledger.clear_requests(&id)?;
                Reply::Done
            }
            Command::Receive { key, request } => return self.receive(&key, *request),
            Command::Listen | Command::ListenWithTicket { .. } => {
                return Err(Refusal::Failed(String::from("the feed is opened by an upgrade")));
            }
            Command::CreateLiveTicket { hash } => {
                let expires_at = ledger.create_live_ticket(&hash, self.token.as_ref(), now)?;
                let too_many = || {
                    Problem::new(
                        ProblemType::TooManyRequests,
                        "too many tickets wait to be used: each expires after 30 s",
                    )
                };
                Reply::LiveTicket { expires_at: expires_at.ok_or_else(too_many)? }
            }
            Command::Claim { reports, tickets } => {
                self.report(reports)?;
                Reply::Work(self.ledger.claim(&tickets, now)?)
            }
            Command::Unclaim { claims } => {
                self.changes.deliveries.extend(ledger.unclaim(&claims, now)?);
                Reply::Done
            }
            Command::Report { reports } => {
                self.report(reports)?;
                Reply::Done
            }
            Command::ReportTest { test, number, attempt } => {
                self.changes.tests.extend(ledger.report_test(test, number, *attempt, now)?);
                Reply::Done
            }
            Command::ShowDefinition { webhook, at_least_version } => {
                Reply::Definition(ledger.definition(webhook, at_least_version)?.map(Box::new))
            }
            Command::Tick => {
                self.changes.deliveries.extend(ledger.watch_fullness(now)?);
                self.reseal()?;
                Reply::Done
            }
        })
    }

    pub(super) fn policy(&self) -> postern_core::egress::Policy {
        let host = (!self.origin.is_empty()).then(|| split_url(self.origin).host);
        self.settings.policy(host)
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

    fn create_webhook(&mut self, definition: &Definition) -> Result<Reply, Refusal> {
        let seq = self.ledger.reserve(self.now);
        let id = self.ledger.ids().id(Kind::Webhook, seq);
        let owner = Owner { project: self.project, id: &id };
        let sealed = seal::seal(&self.settings.keyring, owner, definition, None)?;
        let view = self.ledger.create_webhook(seq, sealed, self.now)?;
        self.changes.webhooks = true;
        Ok(Reply::Webhook(Box::new(view)))
    }

    fn update_webhook(
        &mut self,
        name: &str,
        patch: &str,
        dialect: Dialect,
        if_version: Option<u32>,
    ) -> Result<Reply, Refusal> {
        let stored = self.ledger.stored_webhook(name)?;
        // An edit of what is no longer there must be told first: its faults may come from the change in between.
        expect_version(stored.version, if_version)?;
        let policy = self.policy();
        let updated = match dialect {
            Dialect::Native => parse::update(&stored.definition, &fault::parse_json(patch)?, &policy)?,
            Dialect::Ubiops => {
                self.check_contract(name, Some(Contract::Ubiops))?;
                ubiops::update(&stored.definition, patch, &policy)?
            }
            Dialect::Up42 => self.up42_update(&stored, patch, &policy)?,
        };
        let owner = Owner { project: self.project, id: &stored.id };
        let sealed = seal::seal(&self.settings.keyring, owner, &updated, Some(&stored.definition))?;
        let view = self.ledger.update_webhook(name, sealed, if_version, self.now)?;
        self.changes.webhooks = true;
        Ok(Reply::Webhook(Box::new(view)))
    }

    /// The signing secret of a webhook in clear.
    fn secret_view(&self, id: &str, sealed: &Definition) -> Result<SecretView, Refusal> {
        let secret =
            seal::unseal_secret(&self.settings.keyring, Owner { project: self.project, id }, sealed)?;
        Ok(SecretView::from_secrets(secret, &sealed.previous_secrets, self.now))
    }

    /// The new secret signs from this version on; the one before moves to the previous ones as it is, sealed.
    fn rotate_secret(
        &mut self,
        name: &str,
        rotation: Rotation,
        if_version: Option<u32>,
    ) -> Result<Reply, Refusal> {
        let stored = self.ledger.stored_webhook(name)?;
        expect_version(stored.version, if_version)?;
        let current = self.secret_view(&stored.id, &stored.definition)?.secret;
        let contract = stored.definition.contract;
        let current = current.and_then(|secret| contract::secret_of(contract, &secret).ok());
        if contract == Contract::Up42 && rotation.secret == NewSecret::Made(Some(SecretKind::V1a)) {
            return Err(Refusal::from(Fault::new(
                "/kind",
                "must be v1: UP42's signature knows no ed25519 keys",
            )));
        }
        if let (Contract::Up42, NewSecret::Given(secret)) = (contract, &rotation.secret)
            && let Err(detail) = contract::up42::check_secret(secret)
        {
            return Err(Refusal::from(Fault::new("/secret", detail)));
        }
        let secret = match rotation.secret {
            NewSecret::Given(secret)
                if current.as_ref().is_some_and(|current| current.reveal() == secret) =>
            {
                return Err(Refusal::from(Fault::new("/secret", "is the current one already")));
            }
            NewSecret::Given(secret) => secret,
            NewSecret::Made(kind) => {
                let kind = kind.or(current.map(|secret| secret.kind())).unwrap_or(SecretKind::V1);
                let random = clock::random().map_err(|error| Refusal::Failed(error.to_string()))?;
                Secret::generate(kind, &random)
                    .map_err(|fault| Refusal::Failed(format!("a new secret {fault}")))?
                    .reveal()
            }
        };
        let mut rotated = stored.definition.clone();
        rotated.rotate_secret(secret, rotation.overlap_s, self.now);
        let owner = Owner { project: self.project, id: &stored.id };
        let sealed = seal::seal(&self.settings.keyring, owner, &rotated, Some(&stored.definition))?;
        let view = self.secret_view(&stored.id, &sealed)?;
        self.ledger.update_webhook(name, sealed, Some(stored.version), self.now)?;
        self.changes.webhooks = true;
        Ok(Reply::Secret(view))
    }

    fn update_event_type(
        &mut self,
        name: &str,
        patch: &str,
        if_version: Option<u32>,
    ) -> Result<Reply, Refusal> {
        let EventTypeView { name: own, description, example, schema, archived, version, .. } =
            self.ledger.event_type(name)?;
        expect_version(version, if_version)?;
        let current = EventTypeDraft { name: own, description, example, schema, archived };
        let updated = event::update_event_type(current, &fault::parse_json(patch)?)?;
        Ok(Reply::EventType(self.ledger.update_event_type(name, updated, if_version, self.now)?))
    }

    /// A replay that changed: for the caller and for the live feed.
    fn told(&mut self, replay: ReplayView) -> Reply {
        self.changes.replays.push(replay.clone());
        Reply::Replay(Box::new(replay))
    }

    fn test_webhook(&mut self, name: &str, draft: TrialDraft) -> Result<Reply, Refusal> {
        let stored = self.ledger.stored_webhook(name)?;
        let retry = draft.retry;
        let event = draft.event_for(&stored.definition);
        let seq = self.ledger.reserve(self.now);
        self.start_test(seq, Some((stored.seq, String::from(name))), stored.definition, event, retry)
    }

    fn test_definition(
        &mut self,
        definition: &Definition,
        event: NewEvent,
        retry: bool,
    ) -> Result<Reply, Refusal> {
        let seq = self.ledger.reserve(self.now);
        let id = self.ledger.ids().id(Kind::Test, seq);
        let sealed =
            seal::seal(&self.settings.keyring, Owner { project: self.project, id: &id }, definition, None)?;
        self.start_test(seq, None, sealed, event, retry)
    }

    pub(super) fn start_test(
        &mut self,
        seq: Seq,
        webhook: Option<(Seq, String)>,
        sealed: Definition,
        event: NewEvent,
        retry: bool,
    ) -> Result<Reply, Refusal> {
        let (webhook, webhook_name) = webhook.unzip();
        let draft = postern_ledger::TestDraft {
            webhook,
            webhook_name,
            retry,
            definition: sealed,
            kind: event.kind,
            data: event.data,
            object: event.object,
        };
        let (test, work) = self.ledger.create_test(seq, draft, self.now)?;
        self.changes.tests.push(test.clone());
        Ok(Reply::TestStarted { test: Box::new(test), work: Box::new(work) })
    }

    /// Moves secrets to the current sealing key, some of them each minute.
    fn reseal(&mut self) -> Result<(), Refusal> {
        let current = self.settings.keyring.current();
        if self.ledger.sealed_under() == Some(current) {
            return Ok(());
        }
        let (mut after, mut replaced, mut failed) = (Seq::ZERO, 0, 0);
        loop {
            let page = self.ledger.webhooks_after(after, RESEALED_AT_ONCE)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for webhook in &page {
                let owner = Owner { project: self.project, id: &webhook.id };
                match seal::reseal(&self.settings.keyring, owner, &webhook.definition, self.now) {
                    Ok(Some(sealed)) => {
                        replaced += usize::from(self.ledger.replace_sealed_text(webhook, &sealed, self.now)?);
                    }
                    Ok(None) => {}
                    // Its key was taken out too early. The others must not wait for it.
                    Err(_) => failed += 1,
                }
            }
            if replaced >= RESEALED_AT_ONCE {
                return Ok(());
            }
        }
        let Some(failed_runs) = self.reseal_runs()? else { return Ok(()) };
        failed += failed_runs;
        if failed == 0 {
            self.ledger.note_sealed_under(current)?;
        }
        Ok(())
    }

    fn receive(&mut self, key: &str, mut request: InboxRequestView) -> Result<Reply, Refusal> {
        let Some(inbox) = self.ledger.inbox_at(key)? else {
            return Ok(Reply::Received(None));
        };
        self.ledger.admit_request(inbox.seq, request.body.len(), self.now)?;
        let webhooks = self.ledger.webhooks_calling(&inbox_request::path(self.project, key))?;
        request.signature =
            inbox_request::verdict(&self.settings.keyring, self.project, &webhooks, &request, self.now);
        inbox_request::hide_credentials(&webhooks, &mut request);
        request.answered = inbox.answer.status;
        let recorded = self.ledger.record_request(inbox.seq, request, self.now)?;
        self.changes.recorded = Some(inbox_request::live_event(&inbox.id, &recorded));
        Ok(Reply::Received(Some(Received { answer: inbox.answer })))
    }

    fn report(&mut self, reports: Vec<postern_ledger::Report>) -> Result<(), Refusal> {
        if reports.is_empty() {
            return Ok(());
        }
        let reported = self.ledger.report(reports, self.now)?;
        self.changes.deliveries.extend(reported.changed);
        self.changes.webhooks |= reported.webhooks_changed;
        Ok(())
    }

    fn note_delivery(&mut self, id: &str) {
        self.changes.deliveries.extend(self.ledger.ids().seq(Kind::Delivery, id));
    }
}

/// Whether the caller's version is the current one.
fn expect_version(current: u32, expected: Option<u32>) -> Result<(), LedgerError> {
    if expected.is_some_and(|expected| expected != current) {
        Err(LedgerError::VersionMismatch { current })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    fn status(error: LedgerError) -> Option<u16> {
        match Refusal::from(error) {
            Refusal::Problem(problem) => Some(problem.status),
            Refusal::Failed(_) => None,
        }
    }

    #[test]
    fn each_ledger_error_has_its_status_and_our_own_faults_none() {
        assert_eq!(status(LedgerError::NotFound { what: "webhook" }), Some(404));
        assert_eq!(status(LedgerError::NameTaken { what: "webhook" }), Some(409));
        assert_eq!(status(LedgerError::VersionMismatch { current: 2 }), Some(412));
        assert_eq!(status(LedgerError::IdempotencyConflict { index: 0 }), Some(409));
        assert_eq!(status(LedgerError::StateConflict { why: "x" }), Some(409));
        assert_eq!(status(LedgerError::BadCursor), Some(422));
        let exceeded = Exceeded { quota: Quota::Webhooks, limit: 1, used: 1, more: 1, retry_after_s: None };
        assert_eq!(status(LedgerError::Quota(exceeded)), Some(429));
        assert_eq!(status(LedgerError::Corrupt { what: "x" }), None);
    }
}
