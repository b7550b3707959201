//! Reading what the API answers into the types of `postern_core::api`.
//!
//! Those types can read themselves (serde), but serde writes for each of them a reader of objects *and* of arrays, with
//! every field inlined: together 60 KB compressed, a quarter of what the page may weigh. Here each type is one line of field
//! names, read by one machinery. The tests hold every line against serde's own reader.

use std::collections::BTreeMap;

use postern_core::api::audit::{Actor, ActorKind, AuditAction, AuditEntry, Subject, SubjectKind};
use postern_core::api::delivery::{AttemptView, DeliveryDetail, DeliveryView};
use postern_core::api::dry_run::{DryRunAttempt, DryRunRequest, DryRunView, DryRunWebhook};
use postern_core::api::event::{EventAccepted, EventTypeView, EventView};
use postern_core::api::inbox::{Answer, InboxRequestView, InboxView, SignatureVerdict};
use postern_core::api::live::{LiveEvent, LiveTicket};
use postern_core::api::page::Page;
use postern_core::api::project::{ProjectCounts, ProjectCreated, ProjectDetail, ProjectSettings, ProjectView};
use postern_core::api::replay::{ReplayCount, ReplayState, ReplayView};
use postern_core::api::run::{CallbackAttemptView, CallbackView, RunDetail, RunView, RunWebhooksView};
use postern_core::api::stats::{StatsBucket, StatsCounts, StatsView, WebhookStats};
use postern_core::api::test::{TestStatus, TestView};
use postern_core::api::token::{TokenCreated, TokenIdentity, TokenView};
use postern_core::api::webhook::{HeaderView, Health, HealthStatus, PreviousSecretView, SecretView, WebhookView};
use postern_core::change::{Change, Changes};
use postern_core::condition::Clause;
use postern_core::contract::Rendering;
use postern_core::delivery::{Asks, Attempt, BodyNote, Outcome, ReceivedResponse, SentRequest, State, Trigger, Wish};
use postern_core::event::ObjectRef;
use postern_core::explain::Reason;
use postern_core::fault::Fault;
use postern_core::filter::EventPattern;
use postern_core::problem::Problem;
use postern_core::quota::{Quota, QuotaUse};
use postern_core::replay::ReplayQuery;
use postern_core::retry::RetryAfter;
use postern_core::run::{CallbackAttempt, CallbackKind, CallbackState, Progress, RunMode, RunState};
use postern_core::time::Timestamp;
use postern_core::token::Role;
use postern_core::webhook::{Contract, ObjectFilter, ProjectName, RateLimit};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json;

/// Reads a JSON text; `None` where it is not JSON, or not what is expected.
pub(crate) fn read<T: Read>(text: &str) -> Option<T> {
    // Checked once, so that everything below may take the text for granted.
    if json::is_json(text) { T::read(Raw(text.trim())) } else { None }
}

/// One value inside a text that is known to be JSON, without white space around it.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The member `name` of an object; `null` where it has none.
    pub(crate) fn member(self, name: &str) -> Self {
        let mut rest = Pieces(self.inside('{'));
        while let (Some(key), Some(value)) = (rest.next(), rest.next()) {
            if key.0.trim_matches('"') == name {
                return value;
            }
        }
        Raw("null")
    }

    /// The items of an array, or the keys and values of an object in turn.
    fn pieces(self) -> Pieces<'a> {
        Pieces(self.inside(if self.0.starts_with('{') { '{' } else { '[' }))
    }

    fn inside(self, open: char) -> &'a str {
        self.0.strip_prefix(open).map(|rest| &rest[..rest.len() - 1]).unwrap_or_default()
    }

    /// The text of a string.
    fn text(self) -> Option<String> {
        serde_json::from_str(self.0).ok()
    }

    /// The text of a string that holds no escapes, such as the name of a state.
    fn word(self) -> &'a str {
        self.0.trim_matches('"')
    }

    fn number(self) -> Option<u32> {
        self.0.parse().ok()
    }

    fn is_null(self) -> bool {
        self.0 == "null"
    }
}

/// The values between two brackets, with what stands between them (commas, colons, white space) left out.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let rest = self.0.trim_start_matches([',', ':', ' ', '\n', '\r', '\t']);
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(json::value_length(rest));
        self.0 = after;
        Some(Raw(piece))
    }
}

/// What can be read.
pub(crate) trait Read: Sized {
    /// Reads it; `None` where the value is not what is expected.
    fn read(raw: Raw<'_>) -> Option<Self>;
}

impl Read for String {
    fn read(raw: Raw<'_>) -> Option<Self> {
        raw.text()
    }
}

impl Read for u32 {
    fn read(raw: Raw<'_>) -> Option<Self> {
        raw.number()
    }
}

impl Read for u64 {
    fn read(raw: Raw<'_>) -> Option<Self> {
        raw.0.parse().ok()
    }
}

impl Read for f64 {
    fn read(raw: Raw<'_>) -> Option<Self> {
        raw.0.parse().ok()
    }
}

impl Read for u16 {
    fn read(raw: Raw<'_>) -> Option<Self> {
        raw.number()?.try_into().ok()
    }
}

impl Read for bool {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        if raw.is_null() { Some(None) } else { T::read(raw).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        if raw.0.starts_with('[') { raw.pieces().map(T::read).collect() } else { None }
    }
}

impl<T: Read> Read for Box<T> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        T::read(raw).map(Self::new)
    }
}

impl Read for (String, String) {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let mut pieces = raw.pieces();
        Some((pieces.next()?.text()?, pieces.next()?.text()?))
    }
}

impl Read for BTreeMap<String, String> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let mut pieces = raw.pieces();
        let mut map = Self::new();
        while let (Some(key), Some(value)) = (pieces.next(), pieces.next()) {
            map.insert(key.text()?, value.text()?);
        }
        Some(map)
    }
}

impl Read for BTreeMap<String, u64> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let mut pieces = raw.pieces();
        let mut map = Self::new();
        while let (Some(key), Some(value)) = (pieces.next(), pieces.next()) {
            map.insert(key.text()?, Read::read(value)?);
        }
        Some(map)
    }
}

impl Read for Box<RawValue> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        RawValue::from_string(String::from(raw.0)).ok()
    }
}

impl Read for Value {
    fn read(raw: Raw<'_>) -> Option<Self> {
        // With every number as it was sent.
        postern_core::json::read(raw.0).ok()
    }
}

impl Read for Timestamp {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse_rfc3339(raw.word())
    }
}

impl Read for ProjectName {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for State {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for Role {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for Contract {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for Trigger {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.word() {
            "schedule" => Some(Self::Schedule),
            "resend" => Some(Self::Resend),
            _ => None,
        }
    }
}

impl Read for ActorKind {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.word() {
            "token" => Some(Self::Token),
            "admin" => Some(Self::Admin),
            "postern" => Some(Self::Postern),
            _ => None,
        }
    }
}

impl Read for AuditAction {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for SubjectKind {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for Changes {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let mut pieces = raw.pieces();
        let mut changes = BTreeMap::new();
        while let (Some(field), Some(change)) = (pieces.next(), pieces.next()) {
            changes.insert(field.text()?, Read::read(change)?);
        }
        Some(Self(changes))
    }
}

impl Read for ReplayState {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for RunState {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for RunMode {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.word() {
            "work" => Some(Self::Work),
            "validation" => Some(Self::Validation),
            _ => None,
        }
    }
}

impl Read for CallbackKind {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for CallbackState {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for CallbackAttempt {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            number: Read::read(raw.member("number"))?,
            started_at: Read::read(raw.member("started_at"))?,
            duration_ms: Read::read(raw.member("duration_ms"))?,
            outcome: Read::read(raw.member("outcome"))?,
            answer: Option::read(raw.member("answer"))?.unwrap_or_default(),
            retry_after_s: Read::read(raw.member("retry_after_s"))?,
            body_note: Read::read(raw.member("body_note"))?,
            request_id: Read::read(raw.member("request_id"))?,
        })
    }
}

impl Read for CallbackAttemptView {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self { result: Read::read(raw.member("result"))?, attempt: Read::read(raw)? })
    }
}

impl Read for EventPattern {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for HealthStatus {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.word() {
            "disabled" => Some(Self::Disabled),
            "paused" => Some(Self::Paused),
            "failing" => Some(Self::Failing),
            "throttled" => Some(Self::Throttled),
            "healthy" => Some(Self::Healthy),
            _ => None,
        }
    }
}

impl Read for TestStatus {
    fn read(raw: Raw<'_>) -> Option<Self> {
        match raw.word() {
            "pending" => Some(Self::Pending),
            "completed" => Some(Self::Completed),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

impl Read for Outcome {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let message = || raw.member("message").text();
        Some(match raw.member("kind").word() {
            "answered" => Self::Answered { status: Read::read(raw.member("status"))? },
            "timed_out" => Self::TimedOut,
            "connection_failed" => Self::ConnectionFailed { message: message()? },
            "name_not_resolved" => Self::NameNotResolved,
            "blocked" => Self::Blocked { message: message()? },
            "platform_failed" => Self::PlatformFailed { message: message()? },
            "lost" => Self::Lost,
            _ => return None,
        })
    }
}

impl Read for ReceivedResponse {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            status: Read::read(raw.member("status"))?,
            headers: Read::read(raw.member("headers"))?,
            headers_left_out: Option::read(raw.member("headers_left_out"))?.unwrap_or_default(),
            body: Read::read(raw.member("body"))?,
            body_is_base64: Option::read(raw.member("body_is_base64"))?.unwrap_or_default(),
            truncated: Read::read(raw.member("truncated"))?,
            body_note: Read::read(raw.member("body_note"))?,
            asks: Read::read(raw.member("asks"))?,
        })
    }
}

impl Read for BodyNote {
    fn read(raw: Raw<'_>) -> Option<Self> {
        let text = |name| raw.member(name).text();
        Some(match raw.member("kind").word() {
            "broken_off" => Self::BrokenOff { message: text("message")? },
            "timed_out" => Self::TimedOut,
            "not_decoded" => Self::NotDecoded { coding: text("coding")?, message: text("message")? },
            "still_encoded" => Self::StillEncoded { coding: text("coding")? },
            "not_text" => Self::NotText { charset: Read::read(raw.member("charset"))? },
            _ => return None,
        })
    }
}

impl Read for RetryAfter {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(match raw.member("kind").word() {
            "seconds" => Self::Seconds { seconds: Read::read(raw.member("seconds"))? },
            "past" => Self::Past,
            "not_understood" => Self::NotUnderstood { value: raw.member("value").text()? },
            _ => return None,
        })
    }
}

impl Read for Wish {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

impl Read for SignatureVerdict {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(match raw.member("verdict").word() {
            "unsigned" => Self::Unsigned,
            "valid" => Self::Valid { webhook: raw.member("webhook").text()? },
            "invalid" => Self::Invalid { reason: raw.member("reason").text()? },
            _ => return None,
        })
    }
}

impl Read for TokenIdentity {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            project: Read::read(raw.member("project"))?,
            id: Read::read(raw.member("id"))?,
            name: Read::read(raw.member("name"))?,
            role: Read::read(raw.member("role"))?,
            expires_at: Read::read(raw.member("expires_at"))?,
        })
    }
}

impl Read for LiveTicket {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self { ticket: Read::read(raw.member("ticket"))?, expires_at: Read::read(raw.member("expires_at"))? })
    }
}

impl Read for LiveEvent {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(match raw.member("change").word() {
            "delivery" => Self::Delivery { delivery: Read::read(raw.member("delivery"))? },
            "test" => Self::Test { test: Read::read(raw.member("test"))? },
            "inbox_request" => Self::InboxRequest { inbox_id: raw.member("inbox_id").text()?, request: Read::read(raw.member("request"))? },
            "replay" => Self::Replay { replay: Read::read(raw.member("replay"))? },
            "run" => Self::Run { run: Read::read(raw.member("run"))? },
            "webhooks" => Self::Webhooks,
            "many" => Self::Many,
            _ => return None,
        })
    }
}

impl<T: Read> Read for Page<T> {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            items: Read::read(raw.member("items"))?,
            next: Read::read(raw.member("next"))?,
            searched_to: Read::read(raw.member("searched_to"))?,
        })
    }
}

impl Read for StatsBucket {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self { at: Read::read(raw.member("at"))?, counts: Read::read(raw)? })
    }
}

impl Read for WebhookStats {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            webhook: Read::read(raw.member("webhook"))?,
            webhook_id: Read::read(raw.member("webhook_id"))?,
            counts: Read::read(raw)?,
        })
    }
}

impl Read for Rendering {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            contract: Read::read(raw.member("contract"))?,
            subscribed_event: Read::read(raw.member("subscribed_event"))?,
            include_result: Option::read(raw.member("include_result"))?.unwrap_or_default(),
        })
    }
}

impl Read for Problem {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            kind: Read::read(raw.member("type"))?,
            quota: Read::read(raw.member("quota"))?,
            limit: Read::read(raw.member("limit"))?,
            used: Read::read(raw.member("used"))?,
            retry_after_s: Read::read(raw.member("retry_after_s"))?,
            title: Read::read(raw.member("title"))?,
            status: Read::read(raw.member("status"))?,
            detail: Read::read(raw.member("detail"))?,
            request_id: Read::read(raw.member("request_id"))?,
            errors: Option::read(raw.member("errors"))?.unwrap_or_default(),
            more_errors: Option::read(raw.member("more_errors"))?.unwrap_or_default(),
        })
    }
}

impl Read for ProjectDetail {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Some(Self {
            name: Read::read(raw.member("name"))?,
            created_at: Read::read(raw.member("created_at"))?,
            counts: Read::read(raw.member("counts"))?,
            settings: Read::read(raw.member("settings"))?,
            sealed_under: Read::read(raw.member("sealed_under"))?,
            quotas: Option::read(raw.member("quotas"))?.unwrap_or_default(),
            full: Option::read(raw.member("full"))?.unwrap_or_default(),
        })
    }
}

impl Read for Quota {
    fn read(raw: Raw<'_>) -> Option<Self> {
        Self::parse(raw.word())
    }
}

/// Objects whose members have the names of the fields, but for those that are given another.
macro_rules! objects {
    ($($kind:ident { $($field:ident $(= $name:literal)?),* $(,)? })*) => {$(
        impl Read for $kind {
            fn read(raw: Raw<'_>) -> Option<Self> {
                Some(Self { $($field: Read::read(raw.member(objects!(@name $field $($name)?)))?),* })
            }
        }
    )*};
    (@name $field:ident $name:literal) => { $name };
    (@name $field:ident) => { stringify!($field) };
}

objects! {
    Actor { kind, id, name }
    Answer { status, delay_ms, body }
    Asks { retry_after, wish, unknown_wish }
    Attempt { number, trigger, started_at, duration_ms, outcome, request, response, request_id }
    AttemptView { attempt, reason, request_body }
    AuditEntry { id, at, actor, address, request_id, action, subject, changes }
    Change { from, to }
    Clause { pointer, text, holds, found, children }
    DeliveryDetail { delivery, reason, attempts, event }
    DeliveryView {
        id, event_id, kind = "type", webhook_id, webhook, message_id, state, attempts, next_at, last_status, last_result,
        last_duration_ms, created_at, updated_at,
    }
    DryRunAttempt { attempt, at }
    DryRunRequest { method, url, headers, body }
    DryRunView { webhooks }
    DryRunWebhook { webhook, webhook_id, matched, delivers, reasons, request, timeline }
    EventAccepted { id, deliveries, duplicate }
    EventTypeView { name, description, example, schema, archived, version, created_at }
    EventView { id, kind = "type", data, object, idempotency_key, order_key, labels, accepted_at, deliveries }
    Fault { pointer, detail }
    Health { recent, at_once, latest_at, status, failing_since, failures_in_a_row, next_call_at, held, gone_from, disabled_at }
    HeaderView { key, value, protected }
    InboxRequestView { id, method, path, headers, body, body_is_base64, body_text, body_bytes, truncated, received_at, signature, answered }
    InboxView { id, name, url, answer, received, created_at }
    ObjectFilter { kind = "type", name, version }
    ObjectRef { kind = "type", name, version }
    ProjectCounts { webhooks, inboxes, open }
    ProjectCreated { project, token }
    PreviousSecretView { expires_at }
    ProjectSettings { retry_schedule_s, retention_days, actinia_locations }
    ProjectView { name, created_at }
    QuotaUse { quota, limit, used }
    RateLimit { calls, per_s }
    Reason { headline, advice }
    ReplayCount { dry_run, count, capped }
    ReplayQuery { webhook, since, until, states, types, missing }
    ReplayView { id, state, query, total, scanned, replayed, created_at, ended_at }
    CallbackView { kind, url, state, next_at, reason, attempts }
    Progress { step, of, percent }
    RunDetail {
        id, state, mode, message, progress, claim, lease_until, labels, webhooks, created_at, started_at, updated_at, ended_at, chain,
        results, log, log_dropped, callbacks,
    }
    RunView {
        id, state, mode, message, progress, claim, lease_until, labels, webhooks, created_at, started_at, updated_at, ended_at,
    }
    RunWebhooksView { finished, update, auth }
    SecretView { secret, public_key, previous }
    Subject { kind, name }
    StatsCounts { attempts, delivered, failed, at_once, success_rate, p50_ms, p95_ms, p99_ms, outcomes }
    StatsView { totals, buckets, webhooks }
    SentRequest { url, headers, rendering, body_bytes }
    TestView { id, webhook, status, error_message, retry, attempts, next_attempt_at, attempt, created_at }
    TokenCreated { token, secret }
    TokenView { id, name, role, created_at, expires_at, last_used_at }
    WebhookView {
        id, name, url, contract, events, object, headers, description, labels, timeout_s, enabled, disabled_reason, retry,
        include_result, signed, retry_schedule_s, rate_limit, concurrency_limit, ordered, filter, event_labels, paused, confirm_gone, version, created_at, updated_at, health,
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    const AT: &str = "2026-11-21T14:07:31.204Z";

    /// Reads `sample` as serde does, in every way it may be written.
    #[track_caller]
    fn reads_like_serde<T: Read + DeserializeOwned + std::fmt::Debug>(sample: &Value) {
        for text in [sample.to_string(), serde_json::to_string_pretty(sample).expect("JSON")] {
            let expected: T = serde_json::from_str(&text).expect("serde reads the sample");
            let found = read::<T>(&text);
            assert_eq!(found.map(|found| format!("{found:?}")), Some(format!("{expected:?}")), "{text}");
        }
    }

    fn attempt() -> Value {
        json!({
            "attempt": {
                "number": 1, "trigger": "resend", "started_at": AT, "duration_ms": 63, "outcome": {"kind": "answered", "status": 503},
                "request": {
                    "url": "https://e.com/", "headers": [["a", "b \"c\" \\ ,]}"], ["d", ""]],
                    "rendering": {"contract": "ubiops", "subscribed_event": "e", "include_result": true}, "body_bytes": 9
                },
                "response": {"status": 503, "headers": [], "body": "{\"a\":[1]}", "truncated": true}
            },
            "reason": {"headline": "h", "advice": ""}, "request_body": null
        })
    }

    fn delivery() -> Value {
        json!({
            "id": "dlv_1", "event_id": "evt_1", "type": "a.b", "webhook_id": "whk_1", "webhook": null, "message_id": "msg_1",
            "state": "waiting", "attempts": 3, "next_at": AT, "last_status": 503, "last_result": "503", "last_duration_ms": 7,
            "created_at": AT, "updated_at": AT
        })
    }

    fn event() -> Value {
        json!({
            "id": "evt_1", "type": "a.b", "data": {"n": 1.5, "type": "not this one"}, "object": {"type": "t", "name": "n"},
            "idempotency_key": null, "order_key": "o", "labels": {"env": "prod"}, "accepted_at": AT, "deliveries": 2
        })
    }

    fn webhook() -> Value {
        json!({
            "id": "whk_1", "name": "ü \n \"q\"", "url": "https://e.com/", "contract": "standard", "events": ["a", "b.*"],
            "object": {"type": null, "name": "d1", "version": "v1"}, "headers": [{"key": "k", "value": null, "protected": true}],
            "description": "", "labels": {"b": "2", "a": ":1,"}, "timeout_s": 10, "enabled": false, "disabled_reason": "410",
            "retry": true, "include_result": false, "signed": true, "retry_schedule_s": [5, 60], "rate_limit": {"calls": 9, "per_s": 1},
            "concurrency_limit": 3, "ordered": true, "filter": {"or": [{"field": "a.b", "eq": "]}"}]}, "event_labels": {"env": "prod"},
            "paused": false, "confirm_gone": true, "version": 3, "created_at": AT, "updated_at": AT,
            "health": {
                "recent": ["delivered", "dead"], "at_once": 1, "latest_at": null, "status": "throttled", "failing_since": AT,
                "failures_in_a_row": 2, "next_call_at": AT, "held": 7, "gone_from": AT, "disabled_at": null
            }
        })
    }

    fn request() -> Value {
        json!({
            "id": "req_1", "method": "POST", "path": "/a?b", "headers": [["x", "y"]], "body": "<b>", "body_is_base64": false,
            "body_bytes": 3, "truncated": false, "received_at": AT, "signature": {"verdict": "valid", "webhook": "w"}, "answered": 200
        })
    }

    fn replay() -> Value {
        json!({
            "id": "rpl_1", "state": "running", "total": 9, "scanned": 5, "replayed": 4, "created_at": AT, "ended_at": null,
            "query": {"webhook": "w", "since": AT, "until": null, "states": ["dead"], "types": ["a.*"], "missing": false}
        })
    }

    fn run() -> Value {
        json!({
            "id": "run_1", "state": "running", "mode": "work", "message": "m", "progress": {"step": 1, "of": 2, "percent": 50}, "claim": 1,
            "lease_until": AT, "labels": {"name": "n"}, "webhooks": {"finished": "https://e.com/", "update": null, "auth": "u:XXX"},
            "created_at": AT, "started_at": AT, "updated_at": AT, "ended_at": null
        })
    }

    fn run_in_full() -> Value {
        let mut full = run();
        let attempt = json!({"result": "200 OK", "number": 1, "started_at": AT, "duration_ms": 5, "outcome": {"kind": "lost"}, "retry_after_s": 5, "request_id": "r"});
        full["chain"] = json!({"version": "1", "list": [{"id": "1"}]});
        full["results"] = Value::Null;
        full["log"] = json!(["a", {"b": [1]}]);
        full["log_dropped"] = json!(2);
        let mut broken = attempt.clone();
        broken["body_note"] = json!({"kind": "broken_off", "message": "m"});
        full["callbacks"] = json!([{
            "kind": "probe_finished", "url": "https://e.com/", "state": "delivered", "next_at": null,
            "reason": {"headline": "h", "advice": ""}, "attempts": [attempt, broken]
        }]);
        full
    }

    fn stats() -> Value {
        let counts = |key: &str, value: Value| {
            let mut counts = json!({
                "attempts": 5_000_000_000_u64, "delivered": 4, "failed": 1, "at_once": 3, "success_rate": 0.8, "p50_ms": 63, "p95_ms": 840,
                "p99_ms": null, "outcomes": {"2xx": 4, "timed_out": 1}
            });
            counts[key] = value;
            counts
        };
        let mut webhook = counts("webhook", json!("w"));
        webhook["webhook_id"] = json!("whk_1");
        let mut none = counts("at", json!(AT));
        none["success_rate"] = Value::Null;
        json!({"totals": counts("at", json!(AT)), "buckets": [none], "webhooks": [webhook]})
    }

    fn dry_run() -> Value {
        let leaf = json!({"pointer": "/filter/and/0", "text": "amount gt 100", "holds": false, "found": "7", "children": []});
        let clause = json!({"pointer": "/filter", "text": "all of these hold", "holds": false, "found": null, "children": [leaf]});
        let request = json!({"method": "POST", "url": "https://e.com/", "headers": [["a", "b"]], "body": "{}"});
        json!({"webhooks": [{
            "webhook": "w", "webhook_id": "whk_1", "matched": true, "delivers": false, "reasons": [clause], "request": request,
            "timeline": [{"attempt": 1, "at": AT}]
        }]})
    }

    fn test() -> Value {
        json!({"id": "tst_1", "webhook": "w", "status": "failed", "error_message": "e", "retry": true, "attempts": 2, "next_attempt_at": AT, "attempt": attempt(), "created_at": AT})
    }

    #[test]
    fn whatever_is_said_of_an_answer_reads_as_serde_reads_it() {
        let notes = [
            json!({"kind": "broken_off", "message": "m"}),
            json!({"kind": "timed_out"}),
            json!({"kind": "not_decoded", "coding": "gzip", "message": "m"}),
            json!({"kind": "still_encoded", "coding": "zstd"}),
            json!({"kind": "not_text", "charset": "x"}),
            json!({"kind": "not_text"}),
        ];
        let asks = [
            json!({"retry_after": {"kind": "seconds", "seconds": 5}, "wish": "disable"}),
            json!({"retry_after": {"kind": "past"}, "wish": "abort"}),
            json!({"retry_after": {"kind": "not_understood", "value": "soon"}, "unknown_wish": "never"}),
            json!({}),
        ];
        for (note, asks) in notes.iter().zip(asks.iter().cycle()) {
            let mut attempt = attempt();
            let response = &mut attempt["attempt"]["response"];
            response["body_note"] = note.clone();
            response["asks"] = asks.clone();
            response["body_is_base64"] = json!(true);
            response["headers_left_out"] = json!(3);
            reads_like_serde::<AttemptView>(&attempt);
        }
    }

    #[test]
    fn every_answer_reads_as_serde_reads_it() {
        let project = json!({"name": "demo", "created_at": AT});
        reads_like_serde::<Page<WebhookView>>(&json!({"items": [webhook(), webhook()], "next": "c"}));
        reads_like_serde::<Page<DeliveryView>>(&json!({"items": [], "next": null}));
        reads_like_serde::<Page<DeliveryView>>(&json!({"items": [], "next": "c", "searched_to": AT}));
        reads_like_serde::<DeliveryDetail>(
            &json!({"delivery": delivery(), "reason": {"headline": "h", "advice": "a"}, "attempts": [attempt()], "event": event()}),
        );
        reads_like_serde::<EventView>(&event());
        reads_like_serde::<EventAccepted>(&json!({"id": "evt_1", "deliveries": 0, "duplicate": true}));
        reads_like_serde::<EventTypeView>(
            &json!({"name": "a", "description": "d", "example": {"x": [null, true]}, "schema": {"type": "object"}, "archived": true, "version": 3, "created_at": AT}),
        );
        let actor = json!({"kind": "token", "id": "tok_1", "name": "ci"});
        let changes = json!({"timeout_s": {"from": 10, "to": null}, "headers": {"from": [], "to": [{"key": "a"}]}});
        reads_like_serde::<AuditEntry>(&json!({
            "id": "aud_1", "at": AT, "actor": actor, "address": null, "request_id": "00ff", "action": "webhook.secret_rotated",
            "subject": {"kind": "event_type", "name": "a"}, "changes": changes,
        }));
        let answer = json!({"status": 200, "delay_ms": 5, "body": ""});
        reads_like_serde::<InboxView>(&json!({"id": "ibx_1", "name": "n", "url": "u", "answer": answer, "received": 2, "created_at": AT}));
        reads_like_serde::<InboxRequestView>(&request());
        reads_like_serde::<TestView>(&test());
        let identity = json!({"project": "demo", "id": "tok_1", "name": "n", "role": "execute", "expires_at": AT});
        reads_like_serde::<TokenIdentity>(&identity);
        let nobody = json!({"project": null, "id": null, "name": "ADMIN_TOKEN", "role": "manage", "expires_at": null});
        reads_like_serde::<TokenIdentity>(&nobody);
        reads_like_serde::<LiveTicket>(&json!({"ticket": "abc", "expires_at": AT}));
        reads_like_serde::<TokenCreated>(
            &json!({"token": {"id": "tok_1", "name": "n", "role": "publish", "created_at": AT}, "secret": "pst_"}),
        );
        let counts = json!({"webhooks": 1, "inboxes": 2, "open": 3});
        let settings = json!({"retry_schedule_s": null, "retention_days": 30, "actinia_locations": ["nc_spm_08"]});
        reads_like_serde::<ProjectDetail>(&json!({"name": "demo", "created_at": AT, "counts": counts, "settings": settings}));
        let quotas =
            json!([{"quota": "stored_bytes", "limit": 8_000_000_000_u64, "used": 1}, {"quota": "webhooks", "limit": null, "used": null}]);
        reads_like_serde::<ProjectDetail>(&json!({
            "name": "demo", "created_at": AT, "counts": counts, "settings": settings, "quotas": quotas, "full": true,
        }));
        reads_like_serde::<ProjectCreated>(&json!({"project": project, "token": "pst_"}));
        reads_like_serde::<SecretView>(&json!({"secret": null, "public_key": null, "previous": [{"expires_at": AT}]}));
        reads_like_serde::<StatsView>(&stats());
        reads_like_serde::<DryRunView>(&dry_run());
        reads_like_serde::<Page<ReplayView>>(&json!({"items": [replay()], "next": null}));
        reads_like_serde::<ReplayCount>(&json!({"dry_run": true, "count": 1_000_000, "capped": true}));
        reads_like_serde::<Page<RunView>>(&json!({"items": [run()], "next": null}));
        reads_like_serde::<RunDetail>(&run_in_full());
        reads_like_serde::<Problem>(&json!({
            "type": "t", "title": "T", "status": 422, "detail": "d", "request_id": "r", "errors": [{"pointer": "/a", "detail": "b"}],
            "more_errors": 7
        }));
        reads_like_serde::<Problem>(&json!({"type": "t", "title": "T", "status": 404, "detail": "d"}));
        reads_like_serde::<Problem>(&json!({
            "type": "t", "title": "T", "status": 429, "detail": "d", "quota": "webhooks", "limit": 3, "used": 3, "retry_after_s": 2,
        }));
    }

    #[test]
    fn every_change_of_the_feed_reads_as_serde_reads_it() {
        reads_like_serde::<LiveEvent>(&json!({"change": "delivery", "delivery": delivery()}));
        reads_like_serde::<LiveEvent>(&json!({"change": "test", "test": test()}));
        reads_like_serde::<LiveEvent>(&json!({"change": "inbox_request", "inbox_id": "ibx_1", "request": request()}));
        reads_like_serde::<LiveEvent>(&json!({"change": "replay", "replay": replay()}));
        reads_like_serde::<LiveEvent>(&json!({"change": "run", "run": run()}));
        reads_like_serde::<LiveEvent>(&json!({"change": "webhooks"}));
        reads_like_serde::<LiveEvent>(&json!({"change": "many"}));
        assert!(read::<LiveEvent>("{\"change\":\"from the future\"}").is_none());
        assert!(read::<LiveEvent>("pong").is_none());
    }

    #[test]
    fn every_outcome_and_verdict_reads_as_serde_reads_it() {
        for kind in ["timed_out", "name_not_resolved", "lost"] {
            reads_like_serde::<Outcome>(&json!({"kind": kind}));
        }
        for kind in ["connection_failed", "blocked", "platform_failed"] {
            reads_like_serde::<Outcome>(&json!({"kind": kind, "message": "m"}));
        }
        reads_like_serde::<SignatureVerdict>(&json!({"verdict": "unsigned"}));
        reads_like_serde::<SignatureVerdict>(&json!({"verdict": "invalid", "reason": "r"}));
        for state in State::ALL {
            reads_like_serde::<State>(&json!(state));
        }
        for status in ["disabled", "paused", "failing", "throttled", "healthy"] {
            reads_like_serde::<HealthStatus>(&json!(status));
        }
        for state in ReplayState::ALL {
            reads_like_serde::<ReplayState>(&json!(state));
        }
        for role in Role::ALL {
            reads_like_serde::<Role>(&json!(role));
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        for text in ["", "[]", "{}", "{\"items\":{},\"next\":null}", "{\"items\":[1],\"next\":null}", "<html>"] {
            assert!(read::<Page<DeliveryView>>(text).is_none(), "{text}");
        }
    }

    #[test]
    fn data_of_an_event_is_kept_as_it_was_written() {
        let text = format!(
            "{{\"id\":\"e\",\"type\":\"t\",\"data\":{{ \"n\" : 1e400 }},\"object\":null,\"labels\":{{}},\"accepted_at\":\"{AT}\",\"deliveries\":0}}"
        );
        let event: EventView = read(&text).expect("an event");
        assert_eq!(event.data.map(|data| String::from(data.get())), Some(String::from("{ \"n\" : 1e400 }")));
    }
}
