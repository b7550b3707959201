//! How each system lists a webhook, and what its fields are called here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::found::Found;
use super::from::From;
use crate::event::is_event_type;
use crate::fault::type_name;
use crate::signing::Secret;
use crate::webhook::field::{DESCRIPTION_CHARS_MAX, EVENTS_MAX};
use crate::webhook::header;

/// Whether a listing says that there are more pages of it.
pub(super) fn has_more(listing: &Value) -> bool {
    let flag = |at| listing.pointer(at).and_then(Value::as_bool);
    flag("/done") == Some(false)
        || ["/pagination/has_next_page", "/data/pagination/has_next_page"].map(flag).contains(&Some(true))
}

/// The items of a listing, wherever the system puts them.
pub(super) fn items(from: From, listing: &Value) -> Vec<&Value> {
    let places: &[&str] = match from {
        From::Svix | From::Up42 => &["/data", ""],
        From::Convoy => &["/data/content", "/data", "/content", ""],
        From::Hook0 | From::Ubiops => &["", "/data", "/results"],
        From::Actinia => &["/resource_list", ""],
    };
    let found = places.iter().find_map(|place| listing.pointer(place)?.as_array());
    // One alone is a list of one.
    found.map_or_else(|| vec![listing], |items| items.iter().collect())
}

/// One webhook, or `None` if the entry is not one. Members that nothing read are named in a note.
pub(super) fn read(from: From, item: &Value) -> Option<Found> {
    let mut item = Item::new(item.as_object()?);
    let mut found = match from {
        From::Svix => svix(&mut item),
        From::Convoy => convoy(&mut item),
        From::Hook0 => hook0(&mut item),
        From::Ubiops => ubiops(&mut item),
        From::Up42 => up42(&mut item),
        From::Actinia => actinia(&mut item),
    }?;
    item.note_rest(&mut found, "");
    Some(found)
}

/// Members of a listing that describe the entry and not the webhook: an import has no use for them.
const DESCRIPTIVE: [&str; 26] = [
    "id",
    "uid",
    "version",
    "createdAt",
    "updatedAt",
    "created_at",
    "updated_at",
    "deleted_at",
    "creation_date",
    "last_updated",
    "subscription_id",
    "application_id",
    "project_id",
    "group_id",
    "owner_id",
    "source_id",
    "endpoint_id",
    "app_id",
    "appId",
    "type",
    "secrets",
    "secret",
    "events",
    "title",
    "name",
    "list",
];

/// A member counts as read once it was found to be what was looked for; one of another type is left over like
/// an unknown one.
struct Item<'a> {
    map: &'a Map<String, Value>,
    read: BTreeSet<&'a str>,
}

impl<'a> Item<'a> {
    const fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, read: BTreeSet::new() }
    }

    fn read<T>(&mut self, key: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let (key, value) = self.map.get_key_value(key)?;
        let value = read(value)?;
        self.read.insert(key);
        Some(value)
    }

    /// A text that says something.
    fn text(&mut self, key: &str) -> Option<&'a str> {
        self.read(key, Value::as_str).filter(|text| !text.is_empty())
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, Value::as_bool)
    }

    fn number(&mut self, key: &str) -> Option<u64> {
        self.read(key, Value::as_u64)
    }

    fn list(&mut self, key: &str) -> Option<&'a [Value]> {
        self.read(key, |value| value.as_array().map(Vec::as_slice))
    }

    fn object(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        self.read(key, Value::as_object)
    }

    /// The first of these that says something.
    fn name(&mut self, keys: &[&str]) -> String {
        keys.iter().find_map(|key| self.text(key)).map(String::from).unwrap_or_default()
    }

    /// Names what is left. `at` is where it stands within the item, such as `target.`.
    fn note_rest(&self, found: &mut Found, at: &str) {
        let says_nothing = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(true) | Value::Number(_) => false,
        };
        let is_left = |key: &str, value: &Value| {
            let is_descriptive = DESCRIPTIVE.contains(&key) && !value.is_array();
            !says_nothing(value) && !self.read.contains(key) && !is_descriptive
        };
        let mut rest = self.map.iter().filter(|(key, value)| is_left(key, value));
        let left: Vec<String> = rest
            .by_ref()
            .take(NAMED_MAX)
            .map(|(key, _)| format!("{at}{}", key.chars().take(NAMED_CHARS_MAX).collect::<String>()))
            .collect();
        let more = match rest.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if !left.is_empty() {
            found.add_note(format!("not taken over: {}{more}", left.join(", ")));
        }
    }
}

/// Members that a note names at most.
const NAMED_MAX: usize = 20;
/// Characters of each of them at most.
const NAMED_CHARS_MAX: usize = 60;

fn describe(found: &mut Found, item: &mut Item<'_>) {
    if let Some(description) = item.text("description") {
        let kept: String = description.chars().take(DESCRIPTION_CHARS_MAX).collect();
        if kept.len() < description.len() {
            found.add_note(format!("the description was cut to {DESCRIPTION_CHARS_MAX} characters"));
        }
        found.set("description", kept);
    }
}

/// What a list without event types means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenEmpty {
    /// Every event.
    All,
    /// That the webhook is not complete.
    Nothing,
}

/// Event types by name; a name that Postern can't have is left out. `None` if there is no list.
fn events(found: &mut Found, items: Option<&[Value]>, when_empty: WhenEmpty) {
    let items = items.unwrap_or_default();
    let mut patterns: Vec<String> = Vec::new();
    for item in items {
        let Some(name) = item.as_str() else {
            found.add_note(format!("an event type must be a text, not {}", type_name(item)));
            continue;
        };
        // Other systems allow - in names, ours does not.
        let ours = name.replace('-', "_");
        let pattern = if name == "*" || is_event_type(&ours) { ours } else { String::new() };
        if pattern.is_empty() {
            found.add_note(format!("event type {name} has no name here"));
        } else {
            if pattern != name {
                found
                    .add_note(format!("event type {name} is called {pattern} here: post it under this name"));
            }
            if patterns.len() > EVENTS_MAX {
                // Too many for a webhook, which says so itself; to look through more of them is for nothing.
                break;
            }
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
    }
    if items.is_empty() && when_empty == WhenEmpty::All {
        patterns.push(String::from("*"));
    }
    found.set("events", patterns);
}

/// One header, unless no webhook may have it. `protected` is left to the header's name where it is `None`.
fn header(found: &mut Found, taken: &mut Vec<Value>, key: &str, value: &str, protected: Option<bool>) {
    if let Some(why) = header::refusal(key) {
        let shown: String = key.chars().take(NAMED_CHARS_MAX).collect();
        return found.add_note(format!("header {shown} is not taken over: it {why}"));
    }
    let mut header = json!({ "key": key, "value": value });
    if let Some(protected) = protected {
        header["protected"] = Value::from(protected);
    }
    taken.push(header);
}

/// Headers as an object of names and values.
fn headers(found: &mut Found, items: Option<&Map<String, Value>>) {
    let mut taken = Vec::new();
    for (key, value) in items.into_iter().flatten() {
        match value.as_str() {
            // It may be a password.
            Some(value) => header(found, &mut taken, key, value, Some(true)),
            None => found.add_note(format!("header {key} has no value in the listing")),
        }
    }
    if !taken.is_empty() {
        found.add_note("headers are protected here; make those that are not secrets readable");
        found.set("headers", taken);
    }
}

fn labels(found: &mut Found, key: &str, items: Option<&Map<String, Value>>) {
    let mut labels = Map::new();
    for (name, value) in items.into_iter().flatten() {
        if value.is_string() {
            labels.insert(name.clone(), value.clone());
        } else {
            found.add_note(format!(
                "label {name} is not taken over: its value is {}, not a text",
                type_name(value)
            ));
        }
    }
    if !labels.is_empty() {
        found.set(key, labels);
    }
}

const NEW_SECRET: &str = "the signing secret is not listed, so a new one is made; give it to the receiver";
const OTHER_SECRET: &str = "its signing secret is not taken over, because callbacks are signed in another way here: a new one is made; give it to the receiver";

/// Says that the receiver gets a new secret.
fn note_new_secret(found: &mut Found, item: &Item<'_>) {
    let is_listed = ["secret", "secrets"].iter().any(|key| match item.map.get(*key) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(secrets)) => !secrets.is_empty(),
        _ => false,
    });
    found.add_note(if is_listed { OTHER_SECRET } else { NEW_SECRET });
}

fn svix(item: &mut Item<'_>) -> Option<Found> {
    let mut found = Found { name: item.name(&["uid", "description", "id"]), ..Found::default() };
    found.set("url", item.text("url")?);
    describe(&mut found, item);
    // `filterTypes` and `rateLimit` until version 1, `eventTypes` and `throttleRate` after it.
    let types = ["filterTypes", "eventTypes"]
        .into_iter()
        .find(|key| item.map.get(*key).is_some_and(|types| !types.is_null()));
    let listed = types.and_then(|key| item.list(key));
    // A value that is not a list does not mean every event.
    let is_a_list = types.is_none() || listed.is_some();
    events(&mut found, listed, if is_a_list { WhenEmpty::All } else { WhenEmpty::Nothing });
    if let Some(calls) = item.number("rateLimit").or_else(|| item.number("throttleRate")) {
        found.set("rate_limit", json!({ "calls": calls, "per_s": 1 }));
    }
    let is_off = item.flag("disabled") == Some(true) || item.flag("enabled") == Some(false);
    found.set("enabled", !is_off);
    let metadata = item.object("metadata");
    labels(&mut found, "labels", metadata);
    let sent = item.object("headers");
    headers(&mut found, sent);
    if item.list("channels").is_some_and(|channels| !channels.is_empty()) {
        found.add_note("channels are not taken over: use event_labels");
    }
    // Svix signs as Standard Webhooks do: with the same secret no receiver notices the move.
    match item.text("secret").filter(|secret| Secret::parse(secret).is_ok()) {
        Some(secret) => found.set("secret", secret),
        None => note_new_secret(&mut found, item),
    }
    Some(found)
}

fn convoy(item: &mut Item<'_>) -> Option<Found> {
    // A subscription holds its endpoint.
    let mut inner = item.object("endpoint_metadata").map(Item::new);
    let mut found = Found { name: item.name(&["name", "title", "uid"]), ..Found::default() };
    convoy_endpoint(&mut found, inner.as_mut().unwrap_or(&mut *item))?;
    let mut filter = item.object("filter_config").map(Item::new);
    if let Some(types) = filter.as_mut().and_then(|filter| filter.list("event_types")) {
        events(&mut found, Some(types), WhenEmpty::All);
    } else {
        found.set("events", vec!["*"]);
        found.add_note(
            "an endpoint does not say which events it gets: import its subscriptions instead, or choose them",
        );
    }
    if filter.as_mut().and_then(|filter| filter.read("filter", Some)).is_some_and(|filter| !filter.is_null())
    {
        found.add_note("filters of the payload are not taken over: write a filter");
    }
    for (part, at) in [(inner, "endpoint_metadata."), (filter, "filter_config.")] {
        if let Some(part) = part {
            part.note_rest(&mut found, at);
        }
    }
    note_new_secret(&mut found, item);
    Some(found)
}

fn convoy_endpoint(found: &mut Found, endpoint: &mut Item<'_>) -> Option<()> {
    found.set("url", endpoint.text("url").or_else(|| endpoint.text("target_url"))?);
    describe(found, endpoint);
    // Without its other half a limit says nothing, and stays among what is left.
    let limit = |key: &str| endpoint.map.get(key).and_then(Value::as_u64).filter(|number| *number > 0);
    if let (Some(calls), Some(per_s)) = (limit("rate_limit"), limit("rate_limit_duration")) {
        endpoint.number("rate_limit");
        endpoint.number("rate_limit_duration");
        found.set("rate_limit", json!({ "calls": calls, "per_s": per_s }));
    }
    if let Some(timeout_s) = endpoint.number("http_timeout").filter(|seconds| *seconds > 0) {
        found.set("timeout_s", timeout_s.min(30));
        if timeout_s > 30 {
            found.add_note(format!("the timeout is 30 s instead of {timeout_s} s"));
        }
    }
    let status = endpoint.text("status");
    found.set("enabled", status != Some("inactive"));
    found.set("paused", status == Some("paused"));
    let key = endpoint
        .map
        .get("authentication")
        .and_then(|authentication| authentication.get("api_key"))
        .and_then(Value::as_object);
    if let Some(mut key) = key.map(Item::new)
        && let (Some(name), Some(value)) = (key.text("header_name"), key.text("header_value"))
    {
        endpoint.object("authentication");
        let mut taken = Vec::new();
        header(found, &mut taken, name, value, Some(true));
        found.set("headers", taken);
    }
    Some(())
}

fn hook0(item: &mut Item<'_>) -> Option<Found> {
    let mut target = Item::new(item.object("target")?);
    let mut found = Found { name: item.name(&["description", "subscription_id"]), ..Found::default() };
    found.set("url", target.text("url")?);
    describe(&mut found, item);
    let types = item.list("event_types");
    events(&mut found, types, WhenEmpty::Nothing);
    found.set("enabled", item.flag("is_enabled") != Some(false));
    let sent = target.object("headers");
    headers(&mut found, sent);
    let event_labels = item.object("labels");
    labels(&mut found, "event_labels", event_labels);
    if let (Some(key), Some(value)) = (item.text("label_key"), item.text("label_value")) {
        found.set("event_labels", json!({ key: value }));
    }
    let metadata = item.object("metadata");
    labels(&mut found, "labels", metadata);
    if target.text("method").is_some_and(|method| !method.eq_ignore_ascii_case("POST")) {
        found.add_note("callbacks are always POST");
    }
    target.note_rest(&mut found, "target.");
    note_new_secret(&mut found, item);
    Some(found)
}

fn ubiops(item: &mut Item<'_>) -> Option<Found> {
    let mut found = Found { name: item.name(&["name", "id"]), ..Found::default() };
    found.set("contract", "ubiops");
    found.set("url", item.text("url")?);
    describe(&mut found, item);
    let event = [json!(item.text("event")?)];
    events(&mut found, Some(&event), WhenEmpty::Nothing);
    let mut object = Map::new();
    for (theirs, ours) in [("object_type", "type"), ("object_name", "name"), ("version", "version")] {
        if let Some(value) = item.text(theirs) {
            object.insert(String::from(ours), Value::from(value));
        }
    }
    found.set("object", object);
    let mut taken = Vec::new();
    for (index, sent) in item.list("headers").unwrap_or_default().iter().enumerate() {
        let mut part = sent.as_object().map(Item::new);
        let key = part.as_mut().and_then(|part| part.text("key"));
        let value = part.as_mut().and_then(|part| part.text("value"));
        match (key, value) {
            (Some(key), Some(value)) => {
                let protected = part.as_mut().and_then(|part| part.flag("protected"));
                header(&mut found, &mut taken, key, value, protected);
                if let Some(part) = &part {
                    part.note_rest(&mut found, &format!("headers[{index}]."));
                }
            }
            (Some(key), None) => found.add_note(format!("header {key} is protected there: give its value")),
            (None, _) => found.add_note(format!("header number {} has no name in the listing", index + 1)),
        }
    }
    found.set("headers", taken);
    let sent = item.object("labels");
    labels(&mut found, "labels", sent);
    if let Some(seconds) = item.number("timeout") {
        found.set("timeout_s", seconds);
    }
    for key in ["enabled", "retry", "include_result"] {
        if let Some(flag) = item.flag(key) {
            found.set(key, flag);
        }
    }
    Some(found)
}

fn up42(item: &mut Item<'_>) -> Option<Found> {
    let mut found = Found { name: item.name(&["name", "id"]), ..Found::default() };
    found.set("contract", "up42");
    found.set("url", item.text("url")?);
    let types = item.list("events");
    events(&mut found, types, WhenEmpty::Nothing);
    found.set("enabled", item.flag("active") == Some(true));
    let secret = item.text("secret").map_or(Value::Null, Value::from);
    if secret.is_null()
        && item.map.get("secret").is_some_and(|secret| !secret.is_null() && !secret.is_string())
    {
        found.add_note("the secret is not a string: callbacks are not signed");
    }
    found.set("secret", secret);
    Some(found)
}

/// actinia has no stored webhooks: each process chain brings its own. The end of a run is the nearest that an
/// event comes.
fn actinia(item: &mut Item<'_>) -> Option<Found> {
    let chain = item
        .map
        .get("process_chain_list")
        .and_then(Value::as_array)
        .and_then(|chains| chains.first())
        .and_then(Value::as_object);
    let chain = chain.unwrap_or(item.map);
    // The rest of a job or of a chain is work that was done, and nothing of a webhook.
    let all = item.map;
    item.read.extend(all.keys().map(String::as_str));
    let named = chain.get("webhooks").and_then(Value::as_object);
    let (mut chain, mut webhooks) = (Item::new(chain), Item::new(named.unwrap_or(chain)));
    let mut found = Found { name: chain.name(&["id", "name"]), ..Found::default() };
    found.set("url", webhooks.text("finished")?);
    found.set("events", vec!["run.finished"]);
    found.add_note("actinia's webhooks belong to a process chain: post such chains to /actinia, which takes them as they are");
    if webhooks.text("update").is_some() {
        found.add_note("the update URL is not taken over: only runs send updates");
    }
    if webhooks.text("auth").is_some() {
        found.add_note("auth is not taken over: give the header authorization");
    }
    if named.is_some() {
        webhooks.note_rest(&mut found, "webhooks.");
    }
    Some(found)
}
