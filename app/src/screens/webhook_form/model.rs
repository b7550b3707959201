//! The form of a webhook as a value: what was typed, as the JSON that is sent, what is wrong with it field by field, and the
//! callback that it would make. The rules are `postern_core`'s; here they only find their place beside the fields.

use std::collections::BTreeMap;

use postern_core::api::webhook::WebhookView;
use postern_core::condition::{Clause, Condition};
use postern_core::contract::{self, Callback, HIDDEN, Rendering, Source};
use postern_core::egress::Policy;
use postern_core::event::NewEvent;
use postern_core::fault::Fault;
use postern_core::filter::EventPattern;
use postern_core::json::read;
use postern_core::retry::DEFAULT_WAITS_S;
use postern_core::signing::{GENERATED_SECRET_BYTES, Secret, SecretKind};
use postern_core::time::Timestamp;
use postern_core::webhook::parse::{self, SecretChoice};
use postern_core::webhook::{Definition, Header, ObjectFilter, WebhookName};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::json;
use crate::screens::events::model::labels_of as labels;
use crate::screens::schedule;
use crate::ui::form::sentence;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a field of the form")]
pub(crate) struct Draft {
    /// `standard`, `ubiops` or `up42`.
    pub(crate) contract: String,
    /// Name.
    pub(crate) name: String,
    /// URL.
    pub(crate) url: String,
    /// Patterns, separated by white space or commas.
    pub(crate) events: String,
    /// The object filter; empty parts mean any.
    pub(crate) object: [String; 3],
    /// Extra headers.
    pub(crate) headers: Vec<HeaderDraft>,
    /// `key:value` pairs, separated by commas.
    pub(crate) labels: String,
    /// Seconds.
    pub(crate) timeout: String,
    /// Whether failed attempts are repeated.
    pub(crate) retry: bool,
    /// Whether `ubiops` callbacks carry `result`.
    pub(crate) include_result: bool,
    /// Description.
    pub(crate) description: String,
    /// `generate`, `given`, `none`, or `keep` where a webhook is edited.
    pub(crate) secret_mode: String,
    /// The secret, where it is given.
    pub(crate) secret: String,
    /// Whether it has a schedule of its own.
    pub(crate) own_schedule: bool,
    /// That schedule, as `schedule` reads it.
    pub(crate) waits: String,
    /// Calls and seconds of the rate limit; both empty means none.
    pub(crate) rate: [String; 2],
    /// Calls at once; empty means any number.
    pub(crate) concurrency: String,
    /// Whether events with one order key come one after the other.
    pub(crate) ordered: bool,
    /// Whether a 410 disables it only where it is answered again.
    pub(crate) confirm_gone: bool,
    /// Labels that an event must carry, `key:value` pairs separated by commas.
    pub(crate) event_labels: String,
    /// The payload condition as JSON text; empty means none.
    pub(crate) filter: String,
}

/// A header as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderDraft {
    /// Name.
    pub(crate) key: String,
    /// Value; of a stored protected header, empty means: keep it.
    pub(crate) value: String,
    /// Hidden on reads.
    pub(crate) protected: bool,
    /// Whether its value is stored and not known here.
    pub(crate) is_stored: bool,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            contract: String::from("standard"),
            name: String::new(),
            url: String::new(),
            events: String::new(),
            object: Default::default(),
            headers: Vec::new(),
            labels: String::new(),
            timeout: String::from("10"),
            retry: true,
            include_result: false,
            description: String::new(),
            secret_mode: String::from("generate"),
            secret: String::new(),
            own_schedule: false,
            waits: schedule::text(DEFAULT_WAITS_S),
            rate: Default::default(),
            concurrency: String::new(),
            ordered: false,
            confirm_gone: false,
            event_labels: String::new(),
            filter: String::new(),
        }
    }
}

impl Draft {
    /// The draft that changes nothing of `webhook`.
    pub(crate) fn of(webhook: &WebhookView) -> Self {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let header = |header: &postern_core::api::webhook::HeaderView| HeaderDraft {
            key: header.key.clone(),
            value: header.value.clone().unwrap_or_default(),
            protected: header.protected,
            is_stored: header.protected,
        };
        Self {
            contract: String::from(webhook.contract.as_str()),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.join(" "),
            object: [part(&webhook.object.kind), part(&webhook.object.name), part(&webhook.object.version)],
            headers: webhook.headers.iter().map(header).collect(),
            labels: labels_text(&webhook.labels),
            timeout: webhook.timeout_s.to_string(),
            retry: webhook.retry,
            include_result: webhook.include_result,
            description: webhook.description.clone(),
            secret_mode: String::from("keep"),
            secret: String::new(),
            own_schedule: webhook.retry_schedule_s.is_some(),
            waits: schedule::text(webhook.retry_schedule_s.as_deref().unwrap_or(DEFAULT_WAITS_S)),
            rate: webhook.rate_limit.map(|limit| [limit.calls.to_string(), limit.per_s.to_string()]).unwrap_or_default(),
            concurrency: webhook.concurrency_limit.map(|limit| limit.to_string()).unwrap_or_default(),
            ordered: webhook.ordered,
            confirm_gone: webhook.confirm_gone,
            event_labels: labels_text(&webhook.event_labels),
            filter: webhook.filter.as_ref().and_then(|filter| json::pretty(&filter.to_string())).unwrap_or_default(),
        }
    }

    /// The body that creates the webhook, or changes it where `is_edit`.
    pub(crate) fn json(&self, is_edit: bool) -> Value {
        let mut body = Map::new();
        let mut set = |key: &str, value: Value| drop(body.insert(String::from(key), value));
        set("contract", json!(self.contract));
        set("name", json!(self.name));
        set("url", json!(self.url.trim()));
        set("events", json!(patterns(&self.events)));
        set("object", self.object_json());
        set("headers", Value::Array(self.headers.iter().map(HeaderDraft::json).collect()));
        set("labels", Value::Object(labels(&self.labels)));
        set("timeout_s", number(&self.timeout));
        set("retry", json!(self.retry));
        set("include_result", json!(self.include_result && self.contract == "ubiops"));
        set("description", json!(self.description));
        set("retry_schedule_s", if self.own_schedule { schedule::json(&self.waits) } else { Value::Null });
        set("rate_limit", self.rate_json());
        let concurrency = self.concurrency.trim();
        set("concurrency_limit", if concurrency.is_empty() { Value::Null } else { number(concurrency) });
        set("ordered", json!(self.ordered));
        set("confirm_gone", json!(self.confirm_gone));
        set("event_labels", Value::Object(labels(&self.event_labels)));
        set("filter", self.filter_json());
        match self.secret_mode.as_str() {
            // Any text is a secret of UP42's, spaces included.
            "given" if self.contract == "up42" => set("secret", json!(self.secret)),
            "given" => set("secret", json!(self.secret.trim())),
            "none" => set("secret", Value::Null),
            // Silence: a new webhook gets one where its contract signs, an old one keeps what it has.
            _ => {}
        }
        if self.secret_mode == "generate" && !is_edit && self.contract != "standard" {
            // Only `standard` signs by default; another contract says so by its secret.
            set("secret", Value::Null);
        }
        Value::Object(body)
    }

    fn rate_json(&self) -> Value {
        let [calls, per_s] = &self.rate;
        if self.rate.iter().all(|part| part.trim().is_empty()) {
            return Value::Null;
        }
        // A part that is missing is left out, so that the parser says that it is required.
        let parts = [("calls", calls), ("per_s", per_s)].into_iter().filter(|(_, part)| !part.trim().is_empty());
        Value::Object(parts.map(|(key, part)| (String::from(key), number(part))).collect())
    }

    /// The payload condition; text that is no JSON goes as it is, and is refused.
    fn filter_json(&self) -> Value {
        match self.filter.trim() {
            "" => Value::Null,
            text => read(text).unwrap_or_else(|_| Value::from(text)),
        }
    }

    fn object_json(&self) -> Value {
        let part = |part: &String| if part.trim().is_empty() { Value::Null } else { json!(part.trim()) };
        let [kind, name, version] = &self.object;
        json!({ "type": part(kind), "name": part(name), "version": part(version) })
    }
}

impl HeaderDraft {
    fn json(&self) -> Value {
        if self.is_stored && self.value.is_empty() {
            // The stored value is kept.
            return json!({ "key": self.key.trim(), "protected": self.protected });
        }
        json!({ "key": self.key.trim(), "value": self.value, "protected": self.protected })
    }
}

/// A number; what is none goes out as it was typed, so that the parser says what it should be.
fn number(text: &str) -> Value {
    let text = text.trim();
    text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from)
}

/// The patterns in a text.
pub(crate) fn patterns(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|pattern| !pattern.is_empty()).map(String::from).collect()
}

/// `text` with `pattern` added, or without it where it is there.
pub(crate) fn toggle(text: &str, pattern: &str) -> String {
    let mut all = patterns(text);
    match all.iter().position(|known| known == pattern) {
        Some(at) => drop(all.remove(at)),
        None => all.push(String::from(pattern)),
    }
    all.join(" ")
}

/// Labels as they are typed.
pub(crate) fn labels_text(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    pairs.join(", ")
}

/// What patterns may be meant: the known types, the groups that hold more than one of them, and everything.
pub(crate) fn suggestions(types: &[String]) -> Vec<String> {
    let stem = |name: &String| name.rsplit_once('.').map(|(stem, _)| format!("{stem}.*"));
    let mut all = types.to_vec();
    for group in types.iter().filter_map(stem) {
        let members = types.iter().filter(|name| stem(name).as_ref() == Some(&group)).count();
        if members > 1 && !all.contains(&group) {
            all.push(group);
        }
    }
    all.push(String::from("*"));
    all
}

/// The events that UbiOps knows (WIRE A.4), offered where the contract is `ubiops`.
pub(crate) const UBIOPS_EVENTS: [&str; 8] = [
    "deployment_request_started",
    "deployment_request_finished",
    "deployment_request_completed",
    "deployment_request_failed",
    "pipeline_request_started",
    "pipeline_request_finished",
    "pipeline_request_completed",
    "pipeline_request_failed",
];

/// What the edge would say of the draft.
#[derive(Clone)]
pub(crate) enum Verdict {
    /// It would take it: what would be stored, and whether it would make a secret.
    Fits(Box<Definition>, SecretChoice),
    /// It would refuse it, with every reason.
    Refused(Vec<Fault>),
}

/// Asks `postern_core` what the edge would say.
pub(crate) fn judge(draft: &Draft, current: Option<&WebhookView>, policy: &Policy) -> Verdict {
    let answer = match current {
        None => parse::create(&draft.json(false), policy),
        Some(webhook) => {
            parse::update(&definition_of(webhook), &draft.json(true), policy).map(|definition| (definition, SecretChoice::Given))
        }
    };
    match answer {
        Ok((definition, choice)) => Verdict::Fits(Box::new(definition), choice),
        Err(faults) => Verdict::Refused(faults.into_named()),
    }
}

/// The definition that a webhook as read stands for. Hidden values are filled with a mark, the secret is left out: good for
/// parsing a change against it, and for nothing else.
fn definition_of(webhook: &WebhookView) -> Definition {
    let header = |header: &postern_core::api::webhook::HeaderView| Header {
        key: header.key.clone(),
        value: header.value.clone().unwrap_or_else(|| String::from(HIDDEN)),
        protected: header.protected,
    };
    let name = WebhookName::parse(&webhook.name).or_else(|| WebhookName::parse("webhook"));
    let events = webhook.events.iter().filter_map(|pattern| EventPattern::parse(pattern)).collect();
    Definition {
        object: ObjectFilter { ..webhook.object.clone() },
        headers: webhook.headers.iter().map(header).collect(),
        description: webhook.description.clone(),
        labels: webhook.labels.clone(),
        timeout_s: webhook.timeout_s,
        enabled: webhook.enabled,
        retry: webhook.retry,
        include_result: webhook.include_result,
        secret: webhook.signed.then(sample_secret),
        retry_schedule_s: webhook.retry_schedule_s.clone(),
        rate_limit: webhook.rate_limit,
        concurrency_limit: webhook.concurrency_limit,
        ordered: webhook.ordered,
        confirm_gone: webhook.confirm_gone,
        filter: webhook.filter.as_ref().and_then(|filter| Condition::parse(filter, "").ok()),
        event_labels: webhook.event_labels.clone(),
        paused: webhook.paused,
        ..Definition::new(name.expect("'webhook' is a name"), webhook.url.clone(), webhook.contract, events)
    }
}

/// A secret that everybody knows: it signs previews.
fn sample_secret() -> String {
    Secret::from_random(&[7; GENERATED_SECRET_BYTES]).reveal()
}

/// The fields that are folded away.
const FOLDED: [&str; 5] = ["retry_schedule_s", "rate_limit", "concurrency_limit", "event_labels", "filter"];

/// Whether something that is folded away is wrong.
pub(crate) fn has_folded_fault(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| FOLDED.contains(&field_of(&fault.pointer)))
}

/// Whether no field shows this fault.
pub(crate) fn is_unplaced(fault: &Fault) -> bool {
    const PLACED: [&str; 8] = ["name", "url", "events", "object", "timeout_s", "secret", "description", "labels"];
    let field = field_of(&fault.pointer);
    !PLACED.contains(&field) && !FOLDED.contains(&field) && !field.ends_with("/key") && !field.ends_with("/value")
}

/// The field that a pointer belongs to: its first part, with the index and member for headers (`headers/0/key`).
pub(crate) fn field_of(pointer: &str) -> &str {
    let rest = pointer.trim_start_matches('/');
    if rest.starts_with("headers/") { rest } else { rest.split('/').next().unwrap_or_default() }
}

/// What is wrong with the payload condition, part by part: where, and what. Text that is not JSON yet says where it breaks off.
pub(crate) fn filter_faults(text: &str) -> Vec<Fault> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    match read(text) {
        Ok(filter) => Condition::parse(&filter, "").err().unwrap_or_default().into_named(),
        Err(error) => vec![Fault::new("", format!("is not JSON yet (line {}, column {})", error.line(), error.column()))],
    }
}

/// What each part of the payload condition says of `data`, both as they are typed; `None` where one of them can't be read.
pub(crate) fn explain_filter(filter: &str, data: &str) -> Option<Clause> {
    let (filter, data) = (read(filter).ok()?, read(data).ok()?);
    Some(Condition::parse(&filter, "").ok()?.explain(&data))
}

/// What a place in the condition is called.
pub(crate) fn filter_place(pointer: &str) -> String {
    match pointer.trim_start_matches('/') {
        "" => String::from("The condition"),
        place => place.replace('/', " › "),
    }
}

/// What the egress policy says of the URL, in words.
pub(crate) fn egress_words(url: &str, policy: &Policy) -> (bool, String) {
    let url = url.trim();
    if url.is_empty() {
        return (true, String::from("Where callbacks go, such as https://example.com/hooks"));
    }
    match postern_core::egress::check(url, policy) {
        Err(refusal) => (false, sentence(&refusal.to_string())),
        Ok(target) if target.authorization.is_some() => {
            (true, String::from("May be called. The name and password become a protected Authorization header."))
        }
        Ok(target) if target.url != url => (true, format!("May be called, as {}", target.url)),
        Ok(_) => (true, String::from("May be called.")),
    }
}

/// A callback as it would go out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Headers, with hidden values as they are shown.
    pub(crate) headers: Vec<(String, String)>,
    /// The exact body.
    pub(crate) body: String,
    /// The event that it tells of.
    pub(crate) kind: String,
    /// Whether the signature is made with a sample secret.
    pub(crate) is_sample_signed: bool,
    /// Whether it will be signed with a key that this page can't sign with: there is no signature in the preview.
    pub(crate) is_signed_later: bool,
}

/// The callback that `definition` would make of a sample event. `example` is the catalogue's example of `data` for it.
pub(crate) fn preview(
    mut definition: Definition,
    choice: SecretChoice,
    keeps_secret: bool,
    example: impl Fn(&str) -> Option<Value>,
    now: Timestamp,
) -> Option<Preview> {
    let is_private = |secret: &String| Secret::parse(secret).is_ok_and(|secret| secret.kind() == SecretKind::V1a);
    let is_signed_later = definition.secret.as_ref().is_some_and(is_private);
    if is_signed_later {
        definition.secret = None;
    }
    let is_sample_signed = choice == SecretChoice::Generate || (keeps_secret && definition.secret.is_some());
    if is_sample_signed {
        definition.secret = Some(sample_secret());
    }
    let NewEvent { kind, data, object, .. } = contract::sample_event(&definition);
    let data = match example(&kind) {
        Some(example) => RawValue::from_string(example.to_string()).ok()?,
        None => data,
    };
    let source = Source { kind: &kind, accepted_at: now, data: &data, object: object.as_ref() };
    let rendering = Rendering::of(&definition, &kind);
    let Callback { shown_headers, body, .. } =
        contract::build(&definition, &rendering, &source, "msg_0198a1c2-77f0-7b41-9d2e-5f6f1b0c8a11", now).ok()?;
    Some(Preview { headers: shown_headers, body, kind, is_sample_signed, is_signed_later })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    fn policy() -> Policy {
        Policy { allow_private_targets: false, own_hosts: vec![String::from("postern.example")] }
    }

    fn draft() -> Draft {
        Draft {
            name: String::from("orders"),
            url: String::from("https://example.com/hooks"),
            events: String::from("order.*, invoice.created"),
            labels: String::from("team:billing, tier : gold"),
            ..Draft::default()
        }
    }

    fn faults(draft: &Draft) -> Vec<Fault> {
        match judge(draft, None, &policy()) {
            Verdict::Fits(..) => Vec::new(),
            Verdict::Refused(faults) => faults,
        }
    }

    #[test]
    fn a_good_draft_fits_and_makes_a_signed_callback() {
        let Verdict::Fits(definition, choice) = judge(&draft(), None, &policy()) else { panic!("fits") };
        assert_eq!(choice, SecretChoice::Generate);
        assert_eq!(definition.labels.get("tier").map(String::as_str), Some("gold"));
        let preview = preview(*definition, choice, false, |_| Some(json!({"total": 4})), Timestamp(1_795_270_051_204)).expect("a preview");
        assert!(preview.is_sample_signed);
        assert!(preview.headers.iter().any(|(name, value)| name == "webhook-signature" && value.starts_with("v1,")));
        assert!(preview.body.contains(r#""data":{"total":4}"#), "{}", preview.body);
    }

    #[test]
    fn every_fault_finds_its_field() {
        let mut bad = Draft {
            name: String::new(),
            url: String::from("http://10.0.0.1/"),
            events: String::from("order..paid"),
            timeout: String::from("soon"),
            ..draft()
        };
        bad.headers = vec![HeaderDraft { key: String::from("webhook-id"), value: String::from("x"), ..HeaderDraft::default() }];
        bad.secret_mode = String::from("given");
        bad.secret = String::from("guess me");
        let faults = faults(&bad);
        for field in ["name", "url", "events", "timeout_s", "headers/0/key", "secret"] {
            assert!(fault_of(&faults, field).is_some(), "{field}: {faults:?}");
        }
        assert_eq!(fault_of(&faults, "description"), None);
    }

    #[test]
    fn the_url_is_judged_in_words() {
        assert_eq!(egress_words("https://example.com/x", &policy()), (true, String::from("May be called.")));
        assert!(!egress_words("https://127.1/", &policy()).0);
        assert!(!egress_words("https://postern.example/v1", &policy()).0);
        assert!(egress_words("", &policy()).0);
    }

    #[test]
    fn an_untouched_edit_changes_nothing_and_keeps_hidden_values() {
        let webhook: WebhookView = serde_json::from_value(json!({
            "id": "whk_1", "name": "orders", "url": "https://example.com/", "contract": "ubiops", "events": ["deployment_request_finished"],
            "object": {"type": "deployment", "name": "d1", "version": null},
            "headers": [{"key": "authorization", "value": null, "protected": true}, {"key": "x-a", "value": "1", "protected": false}],
            "description": "d", "labels": {"a": "b"}, "timeout_s": 7, "enabled": true, "disabled_reason": null, "retry": false,
            "include_result": true, "signed": true, "retry_schedule_s": [5, 90], "rate_limit": {"calls": 9, "per_s": 60},
            "concurrency_limit": 3, "ordered": true, "confirm_gone": true, "filter": {"and": [{"field": "a", "gt": 1.5}]}, "event_labels": {"env": "prod"},
            "paused": true, "version": 3, "created_at": "2026-11-21T09:30:00.000Z",
            "updated_at": "2026-11-21T09:30:00.000Z", "health": {"recent": [], "at_once": 0, "latest_at": null}
        }))
        .expect("a webhook");
        let Verdict::Fits(definition, _) = judge(&Draft::of(&webhook), Some(&webhook), &policy()) else { panic!("fits") };
        assert_eq!(*definition, definition_of(&webhook));
    }

    #[test]
    fn what_flows_to_it_is_sent_as_it_was_typed() {
        let mut typed = Draft {
            own_schedule: true,
            waits: String::from("5 s, 2 h"),
            rate: ["10", "60"].map(String::from),
            concurrency: String::from(" 2 "),
            ordered: true,
            event_labels: String::from("env:prod"),
            filter: String::from("{\"field\":\"total\",\"gt\":100}"),
            ..draft()
        };
        let body = typed.json(false);
        assert_eq!(body["retry_schedule_s"], json!([5, 7_200]));
        assert_eq!(body["rate_limit"], json!({ "calls": 10, "per_s": 60 }));
        assert_eq!(body["filter"], json!({ "field": "total", "gt": 100 }));
        assert_eq!(faults(&typed), []);
        typed.waits = String::from("soon");
        typed.rate = ["many", ""].map(String::from);
        typed.concurrency = String::from("0");
        typed.event_labels = String::from(":prod");
        typed.filter = String::from("{\"field\":\"total\",\"above\":1}");
        let found = faults(&typed);
        for field in ["retry_schedule_s", "rate_limit", "concurrency_limit", "event_labels", "filter"] {
            assert!(fault_of(&found, field).is_some(), "{field}: {found:?}");
        }
        assert_eq!(faults(&Draft { filter: String::from("{"), ..draft() }).len(), 1);
    }

    #[test]
    fn a_condition_is_judged_and_explained_while_it_is_typed() {
        assert_eq!(filter_faults(" "), []);
        assert!(filter_faults("{\"and\":").first().is_some_and(|fault| fault.detail.starts_with("is not JSON yet (line 1")));
        let bad = filter_faults(r#"{"and":[{"field":"a","eq":1},{"field":"b","gt":true}]}"#);
        assert_eq!(bad.iter().map(|fault| filter_place(&fault.pointer)).collect::<Vec<_>>(), ["and › 1 › gt"]);
        let clause = explain_filter(r#"{"and":[{"field":"a","eq":1},{"field":"b","gt":2}]}"#, r#"{"a":1,"b":2}"#).expect("a clause");
        assert!(!clause.holds && clause.children[0].holds && !clause.children[1].holds);
        assert_eq!(explain_filter("{", "{}"), None);
    }

    #[test]
    fn a_private_key_is_taken_and_signed_with_later() {
        let key = format!("whsk_{}", "A".repeat(86));
        let given = Draft { secret_mode: String::from("given"), secret: key, ..draft() };
        let Verdict::Fits(definition, choice) = judge(&given, None, &policy()) else { panic!("fits") };
        // The workspace's tests are built with ed25519: the preview is the same there, because it never signs with a key.
        let preview = preview(*definition, choice, false, |_| None, Timestamp(1_795_270_051_204)).expect("a preview");
        assert!(preview.is_signed_later && !preview.is_sample_signed);
        assert!(preview.headers.iter().all(|(name, _)| name != "webhook-signature"));
    }

    #[test]
    fn patterns_are_added_and_taken_away_again() {
        assert_eq!(toggle("order.paid", "order.*"), "order.paid order.*");
        assert_eq!(toggle("order.paid, order.*", "order.paid"), "order.*");
        assert_eq!(patterns(" a,b  c "), ["a", "b", "c"]);
    }

    #[test]
    fn groups_are_offered_where_they_hold_more_than_one_type() {
        let types = ["order.paid", "order.shipped", "invoice.created"].map(String::from);
        assert_eq!(suggestions(&types), ["order.paid", "order.shipped", "invoice.created", "order.*", "*"]);
    }

    #[test]
    fn another_contract_signs_only_if_asked_to() {
        for contract in ["ubiops", "up42"] {
            let other = Draft { contract: String::from(contract), ..draft() };
            assert_eq!(other.json(false).get("secret"), Some(&Value::Null), "{contract}");
        }
        assert_eq!(draft().json(false).get("secret"), None);
    }

    #[test]
    fn a_secret_of_up42_is_sent_as_it_was_typed_and_signs_the_preview() {
        let up42 = Draft { contract: String::from("up42"), secret_mode: String::from("given"), secret: String::from(" hush "), ..draft() };
        assert_eq!(up42.json(false).get("secret"), Some(&json!(" hush ")));
        let policy = Policy { allow_private_targets: true, ..Policy::default() };
        let Verdict::Fits(definition, choice) = judge(&up42, None, &policy) else { panic!("the draft is good") };
        let preview = preview(*definition, choice, false, |_| None, Timestamp(0)).expect("a preview");
        assert!(preview.headers.iter().any(|(name, _)| name == "signature-input"), "{:?}", preview.headers);
        assert!(preview.body.starts_with(r#"{"event":"#), "{}", preview.body);
    }
}
