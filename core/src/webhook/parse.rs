//! From a draft (any JSON value) to a [`Definition`], or to every bad field.
//!
//! The page calls the same functions while its form is being filled in. The rules of single fields are in
//! `webhook::field`, which the UbiOps facade shares.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Contract, Definition, ObjectFilter, RateLimit, TIMEOUT_DEFAULT_S, WebhookName, field, header};
use crate::condition::Condition;
use crate::contract::{self, ubiops};
use crate::egress::Policy;
use crate::event::{self, NewEvent};
use crate::examination::Variation;
use crate::fault::{self, Faults, Fields, InputFault, Sent};

/// What a new webhook without a `secret` field gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChoice {
    /// The draft names one, or says `null`: take the definition's.
    Given,
    /// The draft is silent and the contract signs by default (`standard`): the caller makes one and sets it.
    Generate,
}

/// Parses the native create body (API in `api::webhook`). Unknown fields are faults.
///
/// Only `name`, `url` and `events` are required. Defaults: contract `standard`, every object, no headers,
/// labels or description, 10 s, enabled, retry for `standard` only, no result, the project's schedule, no
/// limit, no order, no further filter, not paused, disabled by the first 410.
///
/// # Errors
/// Every bad field: missing, of the wrong type, too long, too many, unknown, refused by the egress policy.
pub fn create(draft: &Value, policy: &Policy) -> Result<(Definition, SecretChoice), Faults> {
    let mut fields = Fields::from_value(draft, "")?;
    let name = fields.text("name");
    let name = fields.required("name", name).and_then(|text| field::name(&mut fields, text));
    let definition = new_definition(&mut fields, name, None, policy);
    let has_secret = draft.get("secret").is_some();
    let faults = fields.finish();
    match definition {
        Some(definition) if faults.is_empty() => {
            let generates = !has_secret && definition.contract == Contract::Standard;
            Ok((definition, if generates { SecretChoice::Generate } else { SecretChoice::Given }))
        }
        _ => Err(faults),
    }
}

/// Reads everything but the name of a new webhook. `events_default` stands in where the draft names no
/// events.
fn new_definition(
    fields: &mut Fields<'_>,
    name: Option<WebhookName>,
    events_default: Option<&str>,
    policy: &Policy,
) -> Option<Definition> {
    let url = fields.text("url");
    let url = fields.required("url", url).and_then(|text| field::url(fields, text, policy));
    let contract = read_contract(fields);
    let contract = contract.value().unwrap_or(Contract::Standard);
    let events = match (fields.list("events"), events_default.and_then(crate::filter::EventPattern::parse)) {
        (Sent::Missing, Some(pattern)) => Some(vec![pattern]),
        (sent, _) => fields.required("events", sent).and_then(|items| field::events(fields, items)),
    };
    let object = fields
        .object("object")
        .value()
        .map(|map| field::object(fields, map, ObjectFilter::default()))
        .unwrap_or_default();
    let headers = fields.list("headers").value();
    let headers = headers
        .map(|items| field::headers(fields, items, &[], field::ProtectedField::Optional))
        .unwrap_or_default();
    let description =
        fields.text("description").value().map(|text| field::description(fields, text)).unwrap_or_default();
    let labels =
        fields.object("labels").value().map(|map| field::labels(fields, "labels", map)).unwrap_or_default();
    let timeout_s = fields
        .integer("timeout_s")
        .value()
        .map_or(TIMEOUT_DEFAULT_S, |seconds| field::timeout_s(fields, "timeout_s", seconds));
    let enabled = read_flag(fields, "enabled").unwrap_or(true);
    let retry = read_flag(fields, "retry").unwrap_or(contract.retries_by_default());
    let include_result = read_include_result(fields, contract).unwrap_or(false);
    let secret = fields.text("secret").value().and_then(|text| field::secret(fields, text, contract));
    // Before the first `?`: what is wrong with these must be said although another field is missing.
    let mut flow = Flow::default();
    flow.read(fields);
    let url = url?;
    let mut definition = Definition {
        object,
        headers,
        description,
        labels,
        timeout_s,
        enabled,
        retry,
        include_result,
        secret,
        ..Definition::new(name?, url.url, contract, events?)
    };
    flow.apply(&mut definition);
    field::add_authorization(fields, &mut definition, url.authorization, field::Authorization::MustBeNew);
    check_events_fit_object(fields, &definition);
    check_headers_fit_contract(fields, &definition);
    Some(definition)
}

/// Applies the native PATCH body to `current`: only the fields that were sent change, and of `object` only
/// its parts that were sent. Lists, labels and a filter are one value each and are replaced whole. A
/// protected header without a `value` (or with `null`) keeps the stored one; `null` for `timeout_s`,
/// `labels`, `headers`, `description` restores the default, and for `object`, `secret`, `retry_schedule_s`,
/// `rate_limit`, `concurrency_limit`, `filter` and `event_labels` it removes it. From then on only the new
/// secret signs; to let the previous one sign for a while, rotate it.
///
/// Kept values are copied from `current` as they are, so sealed text stays sealed text: see
/// [`super::Header::is_kept_from`].
///
/// # Errors
/// Every bad field; a missing value for a header that is not stored is one.
pub fn update(current: &Definition, patch: &Value, policy: &Policy) -> Result<Definition, Faults> {
    let mut fields = Fields::from_value(patch, "")?;
    let mut updated = current.clone();

    let name = fields.text("name");
    if let Some(name) = fields.not_null("name", name).value().and_then(|text| field::name(&mut fields, text))
    {
        updated.name = name;
    }
    if let Some(contract) = read_contract(&mut fields).value() {
        updated.contract = contract;
    }
    let events = fields.list("events");
    if let Some(events) =
        fields.not_null("events", events).value().and_then(|items| field::events(&mut fields, items))
    {
        updated.events = events;
    }
    match fields.object("object") {
        Sent::Null => updated.object = ObjectFilter::default(),
        Sent::Value(map) => updated.object = field::object(&mut fields, map, updated.object.clone()),
        Sent::Missing | Sent::Wrong => {}
    }
    let headers = fields.list("headers");
    field::update_headers(
        &mut fields,
        &mut updated,
        headers,
        &current.headers,
        field::ProtectedField::Optional,
    );
    let url = fields.text("url");
    if let Some(url) =
        fields.not_null("url", url).value().and_then(|text| field::url(&mut fields, text, policy))
    {
        updated.url = url.url;
        let authorization = match headers {
            Sent::Value(_) => field::Authorization::MustBeNew,
            _ => field::Authorization::Replaces,
        };
        field::add_authorization(&mut fields, &mut updated, url.authorization, authorization);
    }
    match fields.text("description") {
        Sent::Null => updated.description = String::new(),
        Sent::Value(text) => updated.description = field::description(&mut fields, text),
        Sent::Missing | Sent::Wrong => {}
    }
    match fields.object("labels") {
        Sent::Null => updated.labels = BTreeMap::new(),
        Sent::Value(map) => updated.labels = field::labels(&mut fields, "labels", map),
        Sent::Missing | Sent::Wrong => {}
    }
    match fields.integer("timeout_s") {
        Sent::Null => updated.timeout_s = TIMEOUT_DEFAULT_S,
        Sent::Value(seconds) => updated.timeout_s = field::timeout_s(&mut fields, "timeout_s", seconds),
        Sent::Missing | Sent::Wrong => {}
    }
    update_flags(&mut fields, &mut updated);
    update_secret(&mut fields, &mut updated, current.contract);
    let mut flow = Flow::default();
    flow.read(&mut fields);
    flow.apply(&mut updated);
    check_events_fit_object(&mut fields, &updated);
    check_headers_fit_contract(&mut fields, &updated);
    let faults = fields.finish();
    if faults.is_empty() { Ok(updated) } else { Err(faults) }
}

/// The fields of a patch that are true or false.
fn update_flags(fields: &mut Fields<'_>, updated: &mut Definition) {
    if let Some(enabled) = read_flag(fields, "enabled") {
        updated.enabled = enabled;
    }
    if let Some(retry) = read_flag(fields, "retry") {
        updated.retry = retry;
    }
    if let Some(include_result) = read_include_result(fields, updated.contract) {
        updated.include_result = include_result;
    }
}

/// The secret of a patch; `before` is the contract that read the stored one.
fn update_secret(fields: &mut Fields<'_>, updated: &mut Definition, before: Contract) {
    match fields.text("secret") {
        Sent::Null => {
            updated.secret = None;
            updated.previous_secrets = Vec::new();
        }
        Sent::Value(text) => {
            updated.secret = field::secret(fields, text, updated.contract);
            updated.previous_secrets = Vec::new();
        }
        Sent::Missing if updated.secret.is_some() && reads_secrets_otherwise(before, updated.contract) => {
            fields.fault(
                "secret",
                "must be given again, or be null: the new contract reads secrets in another way",
            );
        }
        Sent::Missing | Sent::Wrong => {}
    }
}

/// The fields that say which events flow to a webhook, and how: read alike from a draft and from a patch.
/// What is `None` was not sent, `Some(None)` restores the default.
#[derive(Default)]
#[expect(clippy::option_option, reason = "not sent and sent as null are two things")]
struct Flow {
    retry_schedule_s: Option<Option<Vec<u32>>>,
    rate_limit: Option<Option<RateLimit>>,
    concurrency_limit: Option<Option<u32>>,
    ordered: Option<bool>,
    filter: Option<Option<Condition>>,
    event_labels: Option<BTreeMap<String, String>>,
    paused: Option<bool>,
    confirm_gone: Option<bool>,
}

impl Flow {
    fn read(&mut self, fields: &mut Fields<'_>) {
        match fields.list("retry_schedule_s") {
            Sent::Null => self.retry_schedule_s = Some(None),
            Sent::Value(items) => {
                self.retry_schedule_s = Some(Some(field::schedule_s(fields, "retry_schedule_s", items)));
            }
            Sent::Missing | Sent::Wrong => {}
        }
        match fields.object("rate_limit") {
            Sent::Null => self.rate_limit = Some(None),
            Sent::Value(map) => self.rate_limit = Some(field::rate_limit(fields, map)),
            Sent::Missing | Sent::Wrong => {}
        }
        match fields.integer("concurrency_limit") {
            Sent::Null => self.concurrency_limit = Some(None),
            Sent::Value(count) => self.concurrency_limit = Some(field::concurrency_limit(fields, count)),
            Sent::Missing | Sent::Wrong => {}
        }
        self.ordered = read_flag(fields, "ordered");
        match fields.any("filter") {
            Some(Value::Null) => self.filter = Some(None),
            Some(sent) => self.filter = Some(field::condition(fields, "filter", sent)),
            None => {}
        }
        match fields.object("event_labels") {
            Sent::Null => self.event_labels = Some(BTreeMap::new()),
            Sent::Value(map) => self.event_labels = Some(field::labels(fields, "event_labels", map)),
            Sent::Missing | Sent::Wrong => {}
        }
        self.paused = read_flag(fields, "paused");
        self.confirm_gone = read_flag(fields, "confirm_gone");
    }

    fn apply(self, definition: &mut Definition) {
        fn set<T>(to: &mut T, sent: Option<T>) {
            if let Some(value) = sent {
                *to = value;
            }
        }
        set(&mut definition.retry_schedule_s, self.retry_schedule_s);
        set(&mut definition.rate_limit, self.rate_limit);
        set(&mut definition.concurrency_limit, self.concurrency_limit);
        set(&mut definition.ordered, self.ordered);
        set(&mut definition.filter, self.filter);
        set(&mut definition.event_labels, self.event_labels);
        set(&mut definition.paused, self.paused);
        set(&mut definition.confirm_gone, self.confirm_gone);
    }
}

/// What a test of a webhook sends.
#[derive(Clone, Debug, Default)]
pub struct TrialDraft {
    /// The event type; the webhook's sample ([`crate::contract::sample_event`]) where it is `None`.
    pub kind: Option<String>,
    /// The event data, as written; the sample's where it is `None`.
    pub data: Option<Box<RawValue>>,
    /// Whether it is called again where it fails ([`crate::retry::TEST_WAITS_S`]).
    pub retry: bool,
    /// What is different from a sound callback.
    pub variation: Option<Variation>,
}

impl TrialDraft {
    /// The event that the test of `webhook` is about: what the draft says, the webhook's sample for the rest.
    #[must_use]
    pub fn event_for(self, webhook: &Definition) -> NewEvent {
        let sample = contract::sample_event(webhook);
        NewEvent { kind: self.kind.unwrap_or(sample.kind), data: self.data.unwrap_or(sample.data), ..sample }
    }
}

/// Fields of a webhook that do nothing in a test of one that is not stored: it is called once, with what the
/// test says, and is in no list.
pub(crate) const NOT_OF_A_TRIAL: [&str; 10] = [
    "description",
    "labels",
    "enabled",
    "paused",
    "retry_schedule_s",
    "rate_limit",
    "concurrency_limit",
    "ordered",
    "filter",
    "event_labels",
];

/// A trial call that needs no stored webhook (`POST tests`).
#[derive(Clone, Debug)]
pub struct Trial {
    /// Where and how to call; its name is generated.
    pub definition: Definition,
    /// What to send.
    pub event: NewEvent,
    /// Whether it is called again where it fails ([`crate::retry::TEST_WAITS_S`]). Only where somebody asks
    /// for it: that webhooks of the contract retry by default says nothing of a test.
    pub retry: bool,
    /// What is different from a sound callback.
    pub variation: Option<Variation>,
}

/// Parses the body of `POST webhooks/{name}/test`: `{"type"?, "data"?, "retry"?, "variation"?}`. An empty
/// body is `{}`. Whether the webhook can do the variation is another question ([`Variation::check`]).
///
/// # Errors
/// Not JSON, or every bad field.
pub fn test(body: &str) -> Result<TrialDraft, InputFault> {
    let split = fault::split_object(if body.trim().is_empty() { "{}" } else { body }, "", "data")?;
    let mut fields = Fields::new(&split.rest, "");
    fields.absorb(split.faults);
    let kind = test_kind(&mut fields);
    let retry = read_flag(&mut fields, "retry").unwrap_or(false);
    let variation = read_variation(&mut fields, &split.rest, split.raw.as_deref());
    let faults = fields.finish();
    if faults.is_empty() {
        Ok(TrialDraft { kind, data: split.raw, retry, variation })
    } else {
        Err(faults.into())
    }
}

/// Parses the body of `POST tests`: the fields of a webhook that tell how it is called, of which only `url`
/// is required, and `type` and `data` as in [`test()`]. Without a `secret` the call is not signed.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn trial(body: &str, policy: &Policy) -> Result<Trial, InputFault> {
    let split = fault::split_object(body, "", "data")?;
    let mut fields = Fields::new(&split.rest, "");
    fields.absorb(split.faults);
    let name = fields.text("name").value();
    let name = name.map_or_else(|| WebhookName::parse("test"), |text| field::name(&mut fields, text));
    let definition = new_definition(&mut fields, name, Some("*"), policy);
    for key in NOT_OF_A_TRIAL.into_iter().filter(|key| split.rest.contains_key(*key)) {
        fields.fault(key, "does nothing in a test, which calls once: leave it out");
    }
    let kind = test_kind(&mut fields);
    let variation = read_variation(&mut fields, &split.rest, split.raw.as_deref());
    if let Some(Err(why)) = definition.as_ref().zip(variation).map(|(webhook, asked)| asked.check(webhook)) {
        fields.fault("variation", why);
    }
    let faults = fields.finish();
    let retry = split.rest.get("retry").and_then(Value::as_bool).unwrap_or(false);
    match definition {
        Some(definition) if faults.is_empty() => {
            let event = TrialDraft { kind, data: split.raw, retry, variation }.event_for(&definition);
            Ok(Trial { definition, event, retry, variation })
        }
        _ => Err(faults.into()),
    }
}

fn test_kind(fields: &mut Fields<'_>) -> Option<String> {
    fields.expect("data");
    let kind = fields.text("type").value()?;
    if !event::is_event_type(kind) {
        fields.fault("type", event::TYPE_RULE);
    }
    Some(String::from(kind))
}

/// Reads what is different about a test. One that is makes its calls once.
fn read_variation(
    fields: &mut Fields<'_>,
    sent: &serde_json::Map<String, Value>,
    data: Option<&RawValue>,
) -> Option<Variation> {
    let text = fields.text("variation").value()?;
    let Some(variation) = Variation::parse(text) else {
        let known = Variation::ALL.map(Variation::as_str).join(", ");
        fields.fault("variation", format!("must be one of {known}"));
        return None;
    };
    if sent.get("retry") == Some(&Value::Bool(true)) {
        fields.fault("variation", "makes its calls once: leave out `retry`");
    }
    if data.is_some() && variation == Variation::Large {
        fields.fault("data", "must be left out: the variation `large` brings its own");
    }
    Some(variation)
}

fn read_contract(fields: &mut Fields<'_>) -> Sent<Contract> {
    let sent = fields.text("contract");
    match fields.not_null("contract", sent) {
        Sent::Value(text) => {
            if let Some(contract) = Contract::parse(text) {
                return Sent::Value(contract);
            }
            let known = Contract::ALL.map(Contract::as_str).join(", ");
            fields.fault("contract", format!("must be one of {known}"));
            Sent::Wrong
        }
        Sent::Missing => Sent::Missing,
        Sent::Null | Sent::Wrong => Sent::Wrong,
    }
}

fn read_flag(fields: &mut Fields<'_>, key: &'static str) -> Option<bool> {
    let sent = fields.flag(key);
    fields.not_null(key, sent).value()
}

/// Whether a valid secret of one contract may be invalid for the other: `up42` takes any text.
fn reads_secrets_otherwise(before: Contract, after: Contract) -> bool {
    (before == Contract::Up42) != (after == Contract::Up42)
}

/// A header that the contract sets itself would be overwritten, or forge a signature.
fn check_headers_fit_contract(fields: &mut Fields<'_>, definition: &Definition) {
    for (index, header) in definition.headers.iter().enumerate() {
        if header::is_own(&header.key, definition.contract) {
            let detail = format!(
                "{} is set by the contract {} and can't be configured",
                header.key,
                definition.contract.as_str()
            );
            fields.fault_below(&format!("headers/{index}/key"), detail);
        }
    }
}

/// Callbacks of other contracts than UbiOps' carry the whole `data`, or what UP42's clients read.
fn read_include_result(fields: &mut Fields<'_>, contract: Contract) -> Option<bool> {
    let include_result = read_flag(fields, "include_result");
    if include_result == Some(true) && contract != Contract::Ubiops {
        let detail = format!("does nothing with the contract {}: leave it out", contract.as_str());
        fields.fault("include_result", detail);
    }
    include_result
}

/// UbiOps' own events belong to one kind of object (docs/wire.md A.4); a webhook for the other kind would
/// never fire.
fn check_events_fit_object(fields: &mut Fields<'_>, definition: &Definition) {
    let Some(kind) = definition.object.kind.as_deref().filter(|_| definition.contract == Contract::Ubiops)
    else {
        return;
    };
    for (index, pattern) in definition.events.iter().enumerate() {
        if let Some(object_type) = ubiops::object_type_of(pattern.as_str())
            && object_type != kind
        {
            let detail = format!("{} is an event of a {object_type}, not of a {kind}", pattern.as_str());
            fields.fault_below(&format!("events/{index}"), detail);
        }
    }
}
