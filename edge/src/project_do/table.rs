//! Every question that the object answers, by its name.

use serde_json::value::RawValue;

use super::erased::AnyQuestion;
use super::question::{Listed, Question};
use super::refusal::Refusal;
use super::wire::Entry;
use super::{
    attempts, audit, config, deliveries, event_types, events, inboxes, live_tickets, projects, replays, runs,
    stats, tokens, trials, up42, watchdog, webhooks,
};

/// How the questions of one type are read.
struct Row {
    name: &'static str,
    read: fn(&RawValue) -> serde_json::Result<Box<dyn AnyQuestion>>,
}

const fn row<Q: Question>() -> Row {
    Row { name: Q::NAME, read: read_as::<Q> }
}

fn read_as<Q: Question>(text: &RawValue) -> serde_json::Result<Box<dyn AnyQuestion>> {
    Ok(Box::new(serde_json::from_str::<Q>(text.get())?))
}

macro_rules! questions {
    ($($module:ident: $($question:ident),+;)+) => {
        $($(impl Listed for $module::$question {})+)+

        const TABLE: &[Row] = &[$($(row::<$module::$question>(),)+)+];
    };
}

questions! {
    // What each event asks comes first.
    events: Ingest, ListEvents, ShowEvent, ExportEvents, DryRunEvent;
    attempts: ClaimAttempts, ReportAttempts, ShowDefinition;
    deliveries: ListDeliveries, ShowDelivery, ExportDeliveries, ResendDelivery, CancelDelivery;
    inboxes: Receive, CreateInbox, ListInboxes, ShowInbox, UpdateInbox, DeleteInbox, ListRequests, ClearRequests;
    runs: CreateRun, SubmitRun, ListRuns, ShowRun, ShowRunStatus, ListRunStatuses, ClaimRun, UpdateRun, FinishRun,
        TerminateRun, ResendRunCallback, ReportRunCall;
    trials: TryWebhook, TryDefinition, ShowTrial, ReportTrial;
    webhooks: CreateWebhook, ListWebhooks, ShowWebhook, UpdateWebhook, DeleteWebhook, ShowSecret, RotateSecret,
        PauseWebhook;
    up42: ListUp42Webhooks, ShowUp42Webhook, CreateUp42Webhook, UpdateUp42Webhook, DeleteUp42Webhook,
        TryUp42Webhook;
    event_types: CreateEventType, ListEventTypes, ShowEventType, UpdateEventType, DeleteEventType;
    replays: CreateReplay, CountReplay, ListReplays, ShowReplay, CancelReplay;
    projects: ShowProject, ShowProjectDetail, UpdateSettings, ListLocations, May;
    tokens: CreateToken, ShowToken, ListTokens, DeleteToken;
    live_tickets: CreateLiveTicket;
    config: ShowConfig, PlanConfig, ApplyConfig;
    audit: ListAudit;
    stats: ShowStats, ShowMetrics;
    watchdog: Tick;
}

/// The name of each.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// Reads a question.
///
/// # Errors
/// It has no name of the table, or its content does not read: a bug, or a Worker of another version.
pub(super) fn read(command: &RawValue) -> Result<Box<dyn AnyQuestion>, Refusal> {
    let unreadable = |name: &str, error: &serde_json::Error| {
        Refusal::Failed(format!("a question {name:?} that does not read: {error}"))
    };
    let mut name = String::new();
    let mut text = command;
    loop {
        let entry: Entry<'_> = serde_json::from_str(text.get()).map_err(|error| unreadable(&name, &error))?;
        name.push_str(entry.name);
        if let Some(row) = TABLE.iter().find(|row| row.name == name) {
            return (row.read)(entry.value).map_err(|error| unreadable(&name, &error));
        }
        name.push('.');
        text = entry.value;
    }
}
