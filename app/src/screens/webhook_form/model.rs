//! The form of a webhook as a value: what was typed, as the JSON that is sent, what is wrong with it field by
//! field, and the callback that it would make. The rules are `postern_core`'s; here they only find their
//! place beside the fields.

use std::collections::BTreeMap;

use postern_core::api::event::EventTypeView;
use postern_core::api::webhook::{HeaderView, WebhookView};
use postern_core::condition::{Clause, Condition};
use postern_core::contract::{self, Callback, Rendering, Source, up42};
use postern_core::credential::HIDDEN;
use postern_core::credential::is_credential;
use postern_core::egress::Policy;
use postern_core::event::NewEvent;
use postern_core::fault::Fault;
use postern_core::filter::EventPattern;
use postern_core::json::read;
use postern_core::retry::DEFAULT_WAITS_S;
use postern_core::signing::{GENERATED_SECRET_BYTES, Secret, SecretKind};
use postern_core::time::Timestamp;
use postern_core::webhook::parse::{self, SecretChoice};
use postern_core::webhook::{Contract, Definition, Header, ObjectFilter, WebhookName};
use reactive_stores::Store;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::json;
use crate::screens::events::model::labels_of as labels;
use crate::screens::schedule;
use crate::words::sentence;

/// What the form is filled in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new webhook, whose choices may still follow one another.
    Create,
    /// A change of a stored one, of which only what is sent changes.
    Edit,
}

/// The form as it is filled in, and the one list of its fields: the page binds its controls to a store of
/// this.
///
/// What is chosen has the type of what it means. What a person types is a text until it is parsed (numbers,
/// lists, labels and JSON too): half a number must stay as it was typed, and the parser's words for it are
/// what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Store)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a field of the form")]
pub(crate) struct WebhookDraft {
    /// How callbacks look.
    pub(crate) contract: Contract,
    /// Name.
    pub(crate) name: String,
    /// URL.
    pub(crate) url: String,
    /// Patterns, separated by white space or commas.
    pub(crate) events: String,
    /// The type of the objects whose events are wanted; empty means any, as in the other two parts.
    pub(crate) object_type: String,
    /// The name of the object.
    pub(crate) object_name: String,
    /// The version of the object.
    pub(crate) object_version: String,
    /// Extra headers.
    pub(crate) headers: Vec<HeaderDraft>,
    /// `key:value` pairs, separated by commas.
    pub(crate) labels: String,
    /// Seconds that an attempt may take.
    pub(crate) timeout: String,
    /// Whether failed attempts are repeated.
    pub(crate) retry: bool,
    /// Whether `ubiops` callbacks carry `result`; counts for no other contract.
    pub(crate) include_result: bool,
    /// What people should know of it.
    pub(crate) description: String,
    /// Where its secret comes from.
    pub(crate) secret_mode: SecretMode,
    /// The secret; counts only in [`SecretMode::Given`].
    pub(crate) secret: String,
    /// Whether it has a schedule of its own.
    pub(crate) own_schedule: bool,
    /// That schedule, as `schedule` reads it; kept while the switch is off.
    pub(crate) waits: String,
    /// Calls of the rate limit; empty like [`Self::rate_per_s`] means that there is no limit.
    pub(crate) rate_calls: String,
    /// Seconds of the rate limit.
    pub(crate) rate_per_s: String,
    /// Calls at once; empty means any number.
    pub(crate) concurrency: String,
    /// Whether events with one order key come one after the other.
    pub(crate) ordered: bool,
    /// Whether a 410 disables it only where it is answered again.
    pub(crate) confirm_gone: bool,
    /// Labels that an event must carry, `key:value` pairs separated by commas.
    pub(crate) event_labels: String,
    /// The payload condition as JSON text; empty means that any data is wanted.
    pub(crate) filter: String,
}

/// Where the secret of a webhook comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretMode {
    /// The edge makes one where the contract signs by default.
    Generate,
    /// It is typed here.
    Given,
    /// Callbacks are not signed.
    None,
    /// It stays as it is; only where a webhook is changed.
    Keep,
}

impl SecretMode {
    /// All of them.
    const ALL: [Self; 4] = [Self::Generate, Self::Given, Self::None, Self::Keep];

    /// Its name in the form.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Given => "given",
            Self::None => "none",
            Self::Keep => "keep",
        }
    }

    /// Reads the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A header as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderDraft {
    /// Name.
    pub(crate) key: String,
    /// Value; of a stored protected header, empty means: keep it.
    pub(crate) value: String,
    /// Whether it is hidden on reads.
    pub(crate) protected: bool,
    /// Whether its value is stored and not known here.
    pub(crate) is_stored: bool,
}

impl Default for WebhookDraft {
    fn default() -> Self {
        Self {
            contract: Contract::Standard,
            name: String::new(),
            url: String::new(),
            events: String::new(),
            object_type: String::new(),
            object_name: String::new(),
            object_version: String::new(),
            headers: Vec::new(),
            labels: String::new(),
            timeout: String::from("10"),
            retry: true,
            include_result: false,
            description: String::new(),
            secret_mode: SecretMode::Generate,
            secret: String::new(),
            own_schedule: false,
            waits: schedule::text(DEFAULT_WAITS_S),
            rate_calls: String::new(),
            rate_per_s: String::new(),
            concurrency: String::new(),
            ordered: false,
            confirm_gone: false,
            event_labels: String::new(),
            filter: String::new(),
        }
    }
}

impl WebhookDraft {
    /// The draft that changes nothing of `webhook`.
    pub(crate) fn of(webhook: &WebhookView) -> Self {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let limit = webhook.rate_limit.map(|limit| (limit.calls.to_string(), limit.per_s.to_string()));
        let (rate_calls, rate_per_s) = limit.unwrap_or_default();
        Self {
            contract: webhook.contract,
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.join(" "),
            object_type: part(&webhook.object.kind),
            object_name: part(&webhook.object.name),
            object_version: part(&webhook.object.version),
            headers: webhook.headers.iter().map(HeaderDraft::of).collect(),
            labels: labels_text(&webhook.labels),
            timeout: webhook.timeout_s.to_string(),
            retry: webhook.retry,
            include_result: webhook.include_result,
            description: webhook.description.clone(),
            secret_mode: SecretMode::Keep,
            secret: String::new(),
            own_schedule: webhook.retry_schedule_s.is_some(),
            waits: schedule::text(webhook.retry_schedule_s.as_deref().unwrap_or(DEFAULT_WAITS_S)),
            rate_calls,
            rate_per_s,
            concurrency: webhook.concurrency_limit.map(|limit| limit.to_string()).unwrap_or_default(),
            ordered: webhook.ordered,
            confirm_gone: webhook.confirm_gone,
            event_labels: labels_text(&webhook.event_labels),
            filter: webhook
                .filter
                .as_ref()
                .and_then(|filter| json::pretty(&filter.to_string()))
                .unwrap_or_default(),
        }
    }

    /// Takes another contract. A new webhook then repeats failed attempts as usual there, whatever the switch
    /// said before.
    pub(crate) fn choose_contract(&mut self, contract: Contract, purpose: Purpose) {
        let usual = contract.retries_by_default();
        if purpose == Purpose::Create && self.contract.retries_by_default() != usual {
            self.retry = usual;
        }
        self.contract = contract;
    }

    /// Whether anything that is folded away says more than usual.
    pub(crate) fn uses_flow(&self) -> bool {
        let texts = [&self.rate_calls, &self.concurrency, &self.event_labels, &self.filter];
        self.own_schedule
            || self.ordered
            || self.confirm_gone
            || texts.into_iter().any(|text| !text.is_empty())
    }

    /// The body that creates or changes the webhook.
    pub(crate) fn json(&self, purpose: Purpose) -> Value {
        let mut body = Map::new();
        let mut set = |key: &str, value: Value| drop(body.insert(String::from(key), value));
        set("contract", json!(self.contract.as_str()));
        set("name", json!(self.name));
        set("url", json!(self.url.trim()));
        set("events", json!(patterns(&self.events)));
        set("object", self.object_json());
        set("headers", Value::Array(self.headers.iter().map(HeaderDraft::json).collect()));
        set("labels", Value::Object(labels(&self.labels)));
        set("timeout_s", number(&self.timeout));
        set("retry", json!(self.retry));
        set("include_result", json!(self.include_result && self.contract == Contract::Ubiops));
        set("description", json!(self.description));
        set("retry_schedule_s", if self.own_schedule { schedule::json(&self.waits) } else { Value::Null });
        set("rate_limit", self.rate_json());
        let concurrency = self.concurrency.trim();
        set("concurrency_limit", if concurrency.is_empty() { Value::Null } else { number(concurrency) });
        set("ordered", json!(self.ordered));
        set("confirm_gone", json!(self.confirm_gone));
        set("event_labels", Value::Object(labels(&self.event_labels)));
        set("filter", self.filter_json());
        match self.secret_mode {
            // Any text is a secret of UP42's, spaces included.
            SecretMode::Given if self.contract == Contract::Up42 => set("secret", json!(self.secret)),
            SecretMode::Given => set("secret", json!(self.secret.trim())),
            SecretMode::None => set("secret", Value::Null),
            // Only `standard` signs by default; another contract says so by its secret.
            SecretMode::Generate if purpose == Purpose::Create && self.contract != Contract::Standard => {
                set("secret", Value::Null);
            }
            // Silence: a new webhook gets one where its contract signs, an old one keeps what it has.
            SecretMode::Generate | SecretMode::Keep => {}
        }
        Value::Object(body)
    }

    /// The rate limit; null where neither part of it was typed.
    fn rate_json(&self) -> Value {
        // A part that is missing is left out, so that the parser says that it is required.
        let parts = [("calls", &self.rate_calls), ("per_s", &self.rate_per_s)]
            .into_iter()
            .filter(|(_, part)| !part.trim().is_empty());
        let parts: Map<String, Value> = parts.map(|(key, part)| (String::from(key), number(part))).collect();
        if parts.is_empty() { Value::Null } else { Value::Object(parts) }
    }

    /// The payload condition. Text that is not JSON goes as it was typed, and is refused.
    fn filter_json(&self) -> Value {
        match self.filter.trim() {
            "" => Value::Null,
            text => read(text).unwrap_or_else(|_| Value::from(text)),
        }
    }

    /// The object filter; null stands for any.
    fn object_json(&self) -> Value {
        let part = |part: &String| if part.trim().is_empty() { Value::Null } else { json!(part.trim()) };
        json!({ "type": part(&self.object_type), "name": part(&self.object_name), "version": part(&self.object_version) })
    }
}

impl HeaderDraft {
    /// A header of a stored webhook.
    fn of(header: &HeaderView) -> Self {
        let (key, value) = (header.key.clone(), header.value.clone().unwrap_or_default());
        Self { key, value, protected: header.protected, is_stored: header.protected }
    }

    /// Takes another name.
    pub(crate) fn rename(&mut self, key: String) {
        let value = self.value.clone();
        self.change(key, value);
    }

    /// Takes another value.
    pub(crate) fn revalue(&mut self, value: String) {
        let key = self.key.clone();
        self.change(key, value);
    }

    /// What looks like a credential is protected, and what no longer does is not; in between, a person who
    /// switches the protection off is obeyed.
    fn change(&mut self, key: String, value: String) {
        let was_credential = is_credential(self.key.trim(), &self.value);
        let is_credential = is_credential(key.trim(), &value);
        if was_credential != is_credential {
            self.protected = is_credential;
        }
        (self.key, self.value) = (key, value);
    }

    /// As it is sent.
    fn json(&self) -> Value {
        if self.is_stored && self.value.is_empty() {
            // The stored value is kept.
            return json!({ "key": self.key.trim(), "protected": self.protected });
        }
        json!({ "key": self.key.trim(), "value": self.value, "protected": self.protected })
    }
}

/// A number. Text that is not a number is sent as it was typed, so that the parser says what it should be.
fn number(text: &str) -> Value {
    let text = text.trim();
    text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from)
}

/// The patterns in a text.
pub(crate) fn patterns(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || c == ',')
        .filter(|pattern| !pattern.is_empty())
        .map(String::from)
        .collect()
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
fn labels_text(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    pairs.join(", ")
}

/// What patterns may be meant: the known types, the groups that hold more than one of them, and everything.
fn suggestions(types: &[String]) -> Vec<String> {
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

/// What is offered to press instead of typing it: the events of the contract where it has its own, else those
/// of the catalogue.
pub(crate) fn offered(contract: Contract, types: &[String]) -> Vec<String> {
    match contract {
        Contract::Standard => suggestions(types),
        Contract::Ubiops => UBIOPS_EVENTS.map(String::from).to_vec(),
        Contract::Up42 => {
            // UP42's own events, then those of the catalogue.
            let own = up42::EVENTS.map(String::from);
            let others = suggestions(types).into_iter().filter(|kind| !own.contains(kind));
            own.iter().cloned().chain(others).collect()
        }
    }
}

/// The first type of the catalogue that `events` take and that has an example, with that example: what a
/// payload condition is tried on.
pub(crate) fn sample(events: &str, types: &[EventTypeView]) -> Option<(String, String)> {
    let patterns: Vec<EventPattern> =
        patterns(events).iter().filter_map(|text| EventPattern::parse(text)).collect();
    let takes = |item: &&EventTypeView| patterns.iter().any(|pattern| pattern.matches(&item.name));
    let found = types.iter().filter(|item| item.example.is_some()).find(takes)?;
    Some((found.name.clone(), json::pretty(&found.example.as_ref()?.to_string())?))
}

/// The events that UbiOps knows (docs/wire.md A.4), offered where the contract is `ubiops`.
const UBIOPS_EVENTS: [&str; 8] = [
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
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It would take it: what would be stored, and whether it would make a secret.
    Fits(Box<Definition>, SecretChoice),
    /// It would refuse it, with every reason.
    Refused(Vec<Fault>),
}

impl Verdict {
    /// Everything that is wrong.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Fits(..) => Vec::new(),
            Self::Refused(faults) => faults.clone(),
        }
    }
}

/// Asks `postern_core` what the edge would say.
pub(crate) fn judge(draft: &WebhookDraft, current: Option<&WebhookView>, policy: &Policy) -> Verdict {
    let answer = match current {
        None => parse::create(&draft.json(Purpose::Create), policy),
        Some(webhook) => parse::update(&definition_of(webhook), &draft.json(Purpose::Edit), policy)
            .map(|definition| (definition, SecretChoice::Given)),
    };
    match answer {
        Ok((definition, choice)) => Verdict::Fits(Box::new(definition), choice),
        Err(faults) => Verdict::Refused(faults.into_named()),
    }
}

/// The definition that a webhook as read stands for. Hidden values are filled with a mark, the secret is left
/// out: good for parsing a change against it, and for nothing else.
fn definition_of(webhook: &WebhookView) -> Definition {
    let header = |header: &HeaderView| Header {
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

/// A field that says what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormField {
    /// `name`
    Name,
    /// `url`
    Url,
    /// `events`
    Events,
    /// `object`, said below its first part.
    Object,
    /// `timeout_s`
    Timeout,
    /// `secret`
    Secret,
    /// `description`
    Description,
    /// `labels`
    Labels,
    /// `retry_schedule_s`
    Schedule,
    /// `rate_limit`, said below its first part.
    RateLimit,
    /// `concurrency_limit`
    ConcurrencyLimit,
    /// `event_labels`
    EventLabels,
    /// `filter`
    Filter,
}

impl FormField {
    /// All of them.
    const ALL: [Self; 13] = [
        Self::Name,
        Self::Url,
        Self::Events,
        Self::Object,
        Self::Timeout,
        Self::Secret,
        Self::Description,
        Self::Labels,
        Self::Schedule,
        Self::RateLimit,
        Self::ConcurrencyLimit,
        Self::EventLabels,
        Self::Filter,
    ];

    /// Its name in a body: where its faults point to.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Url => "url",
            Self::Events => "events",
            Self::Object => "object",
            Self::Timeout => "timeout_s",
            Self::Secret => "secret",
            Self::Description => "description",
            Self::Labels => "labels",
            Self::Schedule => "retry_schedule_s",
            Self::RateLimit => "rate_limit",
            Self::ConcurrencyLimit => "concurrency_limit",
            Self::EventLabels => "event_labels",
            Self::Filter => "filter",
        }
    }

    /// The field that a fault stands beside. `None` for headers, whose faults stand in their rows, and for
    /// what has no field.
    fn at(pointer: &str) -> Option<Self> {
        let name = pointer.trim_start_matches('/').split('/').next()?;
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// Whether it is folded away until somebody wants it.
    const fn is_folded(self) -> bool {
        matches!(
            self,
            Self::Schedule | Self::RateLimit | Self::ConcurrencyLimit | Self::EventLabels | Self::Filter
        )
    }
}

/// Whether something that is folded away is wrong.
pub(crate) fn has_folded_fault(faults: &[Fault]) -> bool {
    faults.iter().filter_map(|fault| FormField::at(&fault.pointer)).any(FormField::is_folded)
}

/// The faults that no field shows, in one text; `None` where every fault has its field.
pub(crate) fn unplaced(faults: &[Fault]) -> Option<String> {
    let is_unplaced = |fault: &&Fault| {
        let pointer = fault.pointer.as_str();
        let is_in_header =
            pointer.starts_with("/headers/") && (pointer.ends_with("/key") || pointer.ends_with("/value"));
        FormField::at(pointer).is_none() && !is_in_header
    };
    let words: Vec<String> = faults
        .iter()
        .filter(is_unplaced)
        .map(|fault| format!("{}: {}", fault.pointer, fault.detail))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// How many things are wrong, in words.
pub(crate) fn count_words(faults: usize) -> String {
    if faults == 1 {
        String::from("One field is not right yet.")
    } else {
        format!("{faults} things are not right yet.")
    }
}

/// What is wrong with the payload condition, part by part: where, and what. Text that is not JSON yet says
/// where it breaks off.
pub(crate) fn filter_faults(text: &str) -> Vec<Fault> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    match read(text) {
        Ok(filter) => Condition::parse(&filter, "").err().unwrap_or_default().into_named(),
        Err(error) => vec![Fault::new(
            "",
            format!("is not JSON yet (line {}, column {})", error.line(), error.column()),
        )],
    }
}

/// What each part of the payload condition says of `data`, both as they are typed; `None` where one of them
/// can't be read.
pub(crate) fn explain_filter(filter: &str, data: &str) -> Option<Clause> {
    let (filter, data) = (read(filter).ok()?, read(data).ok()?);
    Some(Condition::parse(&filter, "").ok()?.explain(&data))
}

/// The data that the condition is tried on: what was typed, beside the example of that moment, else the
/// example of now. What was emptied, or typed back into that example, makes way for another example.
pub(crate) fn trial_data(typed: Option<&(String, String)>, example: &str) -> String {
    let holds = |(data, seen): &&(String, String)| seen == example || !(data.is_empty() || data == seen);
    typed.filter(holds).map_or_else(|| String::from(example), |(data, _)| data.clone())
}

/// What is wrong with the condition in one text, where it is not several things.
pub(crate) fn filter_fault(faults: &[Fault]) -> Option<String> {
    match faults {
        [] => None,
        [only] => Some(filter_words(only)),
        many => Some(count_words(many.len())),
    }
}

/// One thing that is wrong with the condition: where, and what.
pub(crate) fn filter_words(fault: &Fault) -> String {
    format!("{} {}.", filter_place(&fault.pointer), fault.detail)
}

/// What a place in the condition is called.
fn filter_place(pointer: &str) -> String {
    match pointer.trim_start_matches('/') {
        "" => String::from("The condition"),
        place => place.replace('/', " › "),
    }
}

/// What the egress policy says of the URL, in words: as a hint where it may be called, else as what is wrong.
pub(crate) fn egress_words(url: &str, policy: &Policy) -> Result<String, String> {
    let url = url.trim();
    if url.is_empty() {
        return Ok(String::from("Where callbacks go, such as https://example.com/hooks"));
    }
    match postern_core::egress::check(url, policy) {
        Err(refusal) => Err(sentence(&refusal.to_string())),
        Ok(target) if target.authorization.is_some() => {
            Ok(String::from("May be called. The name and password become a protected Authorization header."))
        }
        Ok(target) if target.url != url => Ok(format!("May be called, as {}", target.url)),
        Ok(_) => Ok(String::from("May be called.")),
    }
}

/// What an inbox that is made for the webhook is called: after it, else after the time.
pub(crate) fn inbox_name(webhook: &str, now: Timestamp) -> String {
    match webhook.trim() {
        "" => format!("inbox-{}", now.unix_s()),
        name => format!("{name}-inbox"),
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
    /// Whether it will be signed with a key that this page can't sign with: there is no signature in the
    /// preview.
    pub(crate) is_signed_later: bool,
}

/// The callback that `definition` would make of a sample event at `now`, or `None` where none can be built.
///
/// `example` is the catalogue's example of `data` for the event's type. The page never sees a secret that is
/// stored or not made yet: where the edge makes one (`choice`), or the stored one stays (`mode`), a sample
/// secret signs instead, and [`Preview::is_sample_signed`] says so.
pub(crate) fn preview(
    mut definition: Definition,
    choice: SecretChoice,
    mode: SecretMode,
    example: impl Fn(&str) -> Option<Value>,
    now: Timestamp,
) -> Option<Preview> {
    let is_private =
        |secret: &String| Secret::parse(secret).is_ok_and(|secret| secret.kind() == SecretKind::V1a);
    let is_signed_later = definition.secret.as_ref().is_some_and(is_private);
    if is_signed_later {
        definition.secret = None;
    }
    let is_sample_signed =
        choice == SecretChoice::Generate || (mode == SecretMode::Keep && definition.secret.is_some());
    if is_sample_signed {
        definition.secret = Some(sample_secret());
    }
    let NewEvent { kind, data, object, .. } = contract::sample_event(&definition);
    let data = match example(&kind) {
        Some(example) => RawValue::from_string(example.to_string()).ok()?,
        None => data,
    };
    let source = Source { kind: &kind, accepted_at: now, data: &data, object: object.as_ref() };
    let rendering = Rendering::for_event(&definition, &kind);
    let Callback { shown_headers, body, .. } =
        contract::build(&definition, &rendering, &source, "msg_0198a1c2-77f0-7b41-9d2e-5f6f1b0c8a11", now)
            .ok()?;
    Some(Preview { headers: shown_headers, body, kind, is_sample_signed, is_signed_later })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    fn policy() -> Policy {
        Policy { allow_private_targets: false, own_hosts: vec![String::from("postern.example")] }
    }

    fn draft() -> WebhookDraft {
        WebhookDraft {
            name: String::from("orders"),
            url: String::from("https://example.com/hooks"),
            events: String::from("order.*, invoice.created"),
            labels: String::from("team:billing, tier : gold"),
            ..WebhookDraft::default()
        }
    }

    fn faults(draft: &WebhookDraft) -> Vec<Fault> {
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
        let preview = preview(
            *definition,
            choice,
            SecretMode::Generate,
            |_| Some(json!({"total": 4})),
            Timestamp(1_795_270_051_204),
        )
        .expect("a preview");
        assert!(preview.is_sample_signed);
        assert!(
            preview
                .headers
                .iter()
                .any(|(name, value)| name == "webhook-signature" && value.starts_with("v1,"))
        );
        assert!(preview.body.contains(r#""data":{"total":4}"#), "{}", preview.body);
    }

    #[test]
    fn every_fault_finds_its_field() {
        let mut bad = WebhookDraft {
            name: String::new(),
            url: String::from("http://10.0.0.1/"),
            events: String::from("order..paid"),
            timeout: String::from("soon"),
            ..draft()
        };
        bad.headers = vec![HeaderDraft {
            key: String::from("webhook-id"),
            value: String::from("x"),
            ..HeaderDraft::default()
        }];
        bad.secret_mode = SecretMode::Given;
        bad.secret = String::from("guess me");
        let faults = faults(&bad);
        for field in ["name", "url", "events", "timeout_s", "headers/0/key", "secret"] {
            assert!(fault_of(&faults, field).is_some(), "{field}: {faults:?}");
        }
        assert_eq!(fault_of(&faults, "description"), None);
    }

    #[test]
    fn the_url_is_judged_in_words() {
        assert_eq!(egress_words("https://example.com/x", &policy()), Ok(String::from("May be called.")));
        assert!(egress_words("https://127.1/", &policy()).is_err());
        assert!(egress_words("https://postern.example/v1", &policy()).is_err());
        assert!(egress_words("", &policy()).is_ok());
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
        let Verdict::Fits(definition, _) = judge(&WebhookDraft::of(&webhook), Some(&webhook), &policy())
        else {
            panic!("fits")
        };
        assert_eq!(*definition, definition_of(&webhook));
    }

    #[test]
    fn what_flows_to_it_is_sent_as_it_was_typed() {
        let mut typed = WebhookDraft {
            own_schedule: true,
            waits: String::from("5 s, 2 h"),
            rate_calls: String::from("10"),
            rate_per_s: String::from("60"),
            concurrency: String::from(" 2 "),
            ordered: true,
            event_labels: String::from("env:prod"),
            filter: String::from("{\"field\":\"total\",\"gt\":100}"),
            ..draft()
        };
        let body = typed.json(Purpose::Create);
        assert_eq!(body["retry_schedule_s"], json!([5, 7_200]));
        assert_eq!(body["rate_limit"], json!({ "calls": 10, "per_s": 60 }));
        assert_eq!(body["filter"], json!({ "field": "total", "gt": 100 }));
        assert_eq!(faults(&typed), []);
        typed.waits = String::from("soon");
        typed.rate_calls = String::from("many");
        typed.rate_per_s = String::new();
        typed.concurrency = String::from("0");
        typed.event_labels = String::from(":prod");
        typed.filter = String::from("{\"field\":\"total\",\"above\":1}");
        let found = faults(&typed);
        for field in ["retry_schedule_s", "rate_limit", "concurrency_limit", "event_labels", "filter"] {
            assert!(fault_of(&found, field).is_some(), "{field}: {found:?}");
        }
        assert_eq!(faults(&WebhookDraft { filter: String::from("{"), ..draft() }).len(), 1);
    }

    #[test]
    fn a_condition_is_judged_and_explained_while_it_is_typed() {
        assert_eq!(filter_faults(" "), []);
        assert!(
            filter_faults("{\"and\":")
                .first()
                .is_some_and(|fault| fault.detail.starts_with("is not JSON yet (line 1"))
        );
        let bad = filter_faults(r#"{"and":[{"field":"a","eq":1},{"field":"b","gt":true}]}"#);
        assert_eq!(
            bad.iter().map(|fault| filter_place(&fault.pointer)).collect::<Vec<_>>(),
            ["and › 1 › gt"]
        );
        let clause =
            explain_filter(r#"{"and":[{"field":"a","eq":1},{"field":"b","gt":2}]}"#, r#"{"a":1,"b":2}"#)
                .expect("a clause");
        assert!(!clause.holds && clause.children[0].holds && !clause.children[1].holds);
        assert_eq!(explain_filter("{", "{}"), None);
    }

    #[test]
    fn a_private_key_is_taken_and_signed_with_later() {
        // One of core/vectors/signing.json: good for a build that checks its public half, too.
        let key = String::from(
            "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==",
        );
        let given = WebhookDraft { secret_mode: SecretMode::Given, secret: key, ..draft() };
        let Verdict::Fits(definition, choice) = judge(&given, None, &policy()) else { panic!("fits") };
        // The workspace's tests are built with ed25519: the preview is the same there, because it never signs
        // with a key.
        let preview =
            preview(*definition, choice, SecretMode::Generate, |_| None, Timestamp(1_795_270_051_204))
                .expect("a preview");
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
        for contract in [Contract::Ubiops, Contract::Up42] {
            let other = WebhookDraft { contract, ..draft() };
            assert_eq!(other.json(Purpose::Create).get("secret"), Some(&Value::Null), "{contract:?}");
        }
        assert_eq!(draft().json(Purpose::Create).get("secret"), None);
    }

    #[test]
    fn a_secret_of_up42_is_sent_as_it_was_typed_and_signs_the_preview() {
        let up42 = WebhookDraft {
            contract: Contract::Up42,
            secret_mode: SecretMode::Given,
            secret: String::from(" hush "),
            ..draft()
        };
        assert_eq!(up42.json(Purpose::Create).get("secret"), Some(&json!(" hush ")));
        let policy = Policy { allow_private_targets: true, ..Policy::default() };
        let Verdict::Fits(definition, choice) = judge(&up42, None, &policy) else {
            panic!("the draft is good")
        };
        let preview =
            preview(*definition, choice, SecretMode::Generate, |_| None, Timestamp(0)).expect("a preview");
        assert!(preview.headers.iter().any(|(name, _)| name == "signature-input"), "{:?}", preview.headers);
        assert!(preview.body.starts_with(r#"{"event":"#), "{}", preview.body);
    }

    #[test]
    fn a_new_webhook_repeats_attempts_as_its_contract_usually_does() {
        let mut new = draft();
        new.choose_contract(Contract::Ubiops, Purpose::Create);
        assert!(!new.retry);
        new.retry = true;
        new.choose_contract(Contract::Ubiops, Purpose::Create);
        assert!(new.retry, "the same contract again changes nothing");
        new.choose_contract(Contract::Up42, Purpose::Create);
        assert!(new.retry);
        let mut old = draft();
        old.choose_contract(Contract::Ubiops, Purpose::Edit);
        assert!(old.retry, "a stored webhook keeps what it says");
    }

    #[test]
    fn a_header_is_protected_when_its_name_becomes_one_of_a_credential() {
        let mut header = HeaderDraft::default();
        header.rename(String::from("Author"));
        assert!(!header.protected);
        header.rename(String::from("Authorization "));
        assert!(header.protected);
        header.protected = false;
        header.rename(String::from("authorization"));
        assert!(!header.protected, "whoever switched it off is obeyed");
        header.protected = true;
        header.rename(String::from("x-shop"));
        assert!(!header.protected);
        header.revalue(String::from("Bearer hush"));
        assert!(header.protected, "a scheme of authentication makes the value one");
        header.revalue(String::from("shop 7"));
        assert!(!header.protected);
    }

    #[test]
    fn what_is_folded_away_is_opened_where_it_says_something() {
        assert!(!draft().uses_flow());
        assert!(WebhookDraft { ordered: true, ..draft() }.uses_flow());
        assert!(WebhookDraft { filter: String::from("{}"), ..draft() }.uses_flow());
    }

    #[test]
    fn a_fault_stands_beside_its_field_or_is_told_below() {
        let faults = |pointers: &[&str]| {
            pointers.iter().map(|pointer| Fault::new(*pointer, "is wrong")).collect::<Vec<_>>()
        };
        assert_eq!(unplaced(&faults(&["/name", "/headers/0/key", "/rate_limit/calls"])), None);
        assert_eq!(
            unplaced(&faults(&["/name", "/headers", "/colour"])).as_deref(),
            Some("/headers: is wrong; /colour: is wrong")
        );
        assert!(
            has_folded_fault(&faults(&["/retry_schedule_s/0"]))
                && !has_folded_fault(&faults(&["/events/0", "/headers/1/value"]))
        );
        assert_eq!(
            [count_words(1), count_words(2)],
            ["One field is not right yet.", "2 things are not right yet."]
        );
    }

    #[test]
    fn every_choice_of_a_secret_reads_its_own_name() {
        for mode in SecretMode::ALL {
            assert_eq!(SecretMode::parse(mode.as_str()), Some(mode));
        }
        assert_eq!(SecretMode::parse("other"), None);
    }

    #[test]
    fn a_contract_with_events_of_its_own_offers_them_first() {
        let types = [String::from("order.paid")];
        assert_eq!(offered(Contract::Standard, &types), ["order.paid", "*"]);
        assert_eq!(offered(Contract::Ubiops, &types), UBIOPS_EVENTS);
        let up42 = offered(Contract::Up42, &types);
        assert!(up42.starts_with(&up42::EVENTS.map(String::from)) && up42.contains(&types[0]));
    }

    #[test]
    fn a_condition_is_tried_on_the_first_example_that_the_webhook_takes() {
        let kind = |name: &str, example: Value| -> EventTypeView {
            serde_json::from_value(json!({
                "name": name, "description": "", "example": example, "schema": null, "archived": false, "version": 1,
                "created_at": "2026-11-21T09:30:00.000Z", "updated_at": "2026-11-21T09:30:00.000Z"
            }))
            .expect("an event type")
        };
        let types = [
            kind("invoice.paid", json!({"n": 1})),
            kind("order.made", Value::Null),
            kind("order.paid", json!({"n": 2})),
        ];
        assert_eq!(
            sample("order.*", &types),
            Some((String::from("order.paid"), String::from("{\n  \"n\": 2\n}")))
        );
        assert_eq!(sample("refund.*", &types), None);
    }

    #[test]
    fn an_inbox_is_named_after_its_webhook() {
        assert_eq!(inbox_name(" orders ", Timestamp(5_000)), "orders-inbox");
        assert_eq!(inbox_name("", Timestamp(5_000)), "inbox-5");
    }

    #[test]
    fn a_condition_is_tried_on_what_was_typed_until_there_is_another_example() {
        let typed = |data: &str| Some((String::from(data), String::from("1")));
        assert_eq!(trial_data(None, "1"), "1");
        assert_eq!(trial_data(typed("7").as_ref(), "2"), "7");
        assert_eq!(trial_data(typed("").as_ref(), "1"), "", "an emptied field is not filled under the hand");
        assert_eq!(trial_data(typed("").as_ref(), "2"), "2");
        assert_eq!(trial_data(typed("1").as_ref(), "2"), "2");
    }

    #[test]
    fn one_fault_of_a_condition_is_told_and_several_are_counted() {
        let fault = |pointer: &str| Fault::new(pointer, "must be a number");
        assert_eq!(filter_fault(&[]), None);
        assert_eq!(filter_fault(&[fault("/and/0/gt")]).as_deref(), Some("and › 0 › gt must be a number."));
        assert_eq!(filter_fault(&[fault(""), fault("/gt")]).as_deref(), Some("2 things are not right yet."));
    }
}
