//! How each system lists a webhook, and what its fields are called here.

use serde_json::{Map, Value, json};

use super::{Found, From};
use crate::event::is_event_type;
use crate::webhook::field::{DESCRIPTION_CHARS_MAX, EVENTS_MAX};

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

/// One webhook; `None` where it is none.
pub(super) fn read(from: From, item: &Value) -> Option<Found> {
    let item = item.as_object()?;
    match from {
        From::Svix => svix(item),
        From::Convoy => convoy(item),
        From::Hook0 => hook0(item),
        From::Ubiops => ubiops(item),
        From::Up42 => up42(item),
        From::Actinia => actinia(item),
    }
}

fn text<'a>(item: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The first of these that says something.
fn name_of(item: &Map<String, Value>, keys: &[&str]) -> String {
    keys.iter().find_map(|key| text(item, key)).map(String::from).unwrap_or_default()
}

fn describe(found: &mut Found, item: &Map<String, Value>) {
    if let Some(description) = text(item, "description") {
        found.set("description", description.chars().take(DESCRIPTION_CHARS_MAX).collect::<String>());
    }
}

/// Event types by name; what is none of ours cannot be asked for.
fn events(found: &mut Found, item: Option<&Value>, all_where_empty: bool) {
    let names: Vec<&str> = item.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut patterns: Vec<String> = Vec::new();
    for name in &names {
        // Other systems allow - in names, ours does not.
        let ours = name.replace('-', "_");
        let pattern = if *name == "*" || is_event_type(&ours) { ours } else { String::new() };
        if pattern.is_empty() {
            found.note(format!("event type {name} has no name here"));
        } else {
            if pattern != *name {
                found.note(format!("event type {name} is called {pattern} here: post it under this name"));
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
    if names.is_empty() && all_where_empty {
        patterns.push(String::from("*"));
    }
    found.set("events", patterns);
}

/// Headers as an object of names and values.
fn headers(found: &mut Found, item: Option<&Value>) {
    let mut taken = Vec::new();
    for (key, value) in item.and_then(Value::as_object).into_iter().flatten() {
        match value.as_str() {
            // It may be a password: nobody but its owner knows.
            Some(value) => taken.push(json!({ "key": key, "value": value, "protected": true })),
            None => found.note(format!("header {key} has no value in the listing")),
        }
    }
    if !taken.is_empty() {
        found.note("headers are protected here; make those that are no secrets readable");
        found.set("headers", taken);
    }
}

fn labels(found: &mut Found, key: &str, item: Option<&Value>) {
    let labels: Map<String, Value> = item
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(_key, value)| value.is_string())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !labels.is_empty() {
        found.set(key, labels);
    }
}

const NEW_SECRET: &str = "the signing secret is not listed: a new one is made, which the receiver must be given";

fn svix(item: &Map<String, Value>) -> Option<Found> {
    let mut found = Found { name: name_of(item, &["uid", "description", "id"]), ..Found::default() };
    found.set("url", text(item, "url")?);
    describe(&mut found, item);
    // `filterTypes` and `rateLimit` until version 1, `eventTypes` and `throttleRate` after it.
    events(&mut found, item.get("filterTypes").or_else(|| item.get("eventTypes")), true);
    if let Some(calls) = item.get("rateLimit").or_else(|| item.get("throttleRate")).and_then(Value::as_u64) {
        found.set("rate_limit", json!({ "calls": calls, "per_s": 1 }));
    }
    found.set("enabled", item.get("disabled") != Some(&Value::Bool(true)));
    labels(&mut found, "labels", item.get("metadata"));
    headers(&mut found, item.get("headers"));
    if item.get("channels").and_then(Value::as_array).is_some_and(|channels| !channels.is_empty()) {
        found.note("channels are not taken over: use event_labels");
    }
    found.note(NEW_SECRET);
    Some(found)
}

fn convoy(item: &Map<String, Value>) -> Option<Found> {
    // A subscription holds its endpoint.
    let endpoint = item.get("endpoint_metadata").and_then(Value::as_object).unwrap_or(item);
    let mut found = Found { name: name_of(item, &["name", "title", "uid"]), ..Found::default() };
    found.set("url", text(endpoint, "url").or_else(|| text(endpoint, "target_url"))?);
    describe(&mut found, endpoint);
    let filter = item.get("filter_config").and_then(Value::as_object);
    if let Some(types) = filter.and_then(|filter| filter.get("event_types")) {
        events(&mut found, Some(types), true);
    } else {
        found.set("events", vec!["*"]);
        found.note("an endpoint does not say which events it gets: import its subscriptions instead, or choose them");
    }
    if let (Some(calls), Some(per_s)) =
        (endpoint.get("rate_limit").and_then(Value::as_u64), endpoint.get("rate_limit_duration").and_then(Value::as_u64))
        && calls > 0
        && per_s > 0
    {
        found.set("rate_limit", json!({ "calls": calls, "per_s": per_s }));
    }
    if let Some(timeout_s) = endpoint.get("http_timeout").and_then(Value::as_u64).filter(|seconds| *seconds > 0) {
        found.set("timeout_s", timeout_s.min(30));
        if timeout_s > 30 {
            found.note(format!("the timeout is 30 s instead of {timeout_s} s"));
        }
    }
    let status = text(endpoint, "status");
    found.set("enabled", status != Some("inactive"));
    found.set("paused", status == Some("paused"));
    if let Some(key) = endpoint.get("authentication").and_then(|authentication| authentication.get("api_key")).and_then(Value::as_object)
        && let (Some(name), Some(value)) = (text(key, "header_name"), text(key, "header_value"))
    {
        found.set("headers", json!([{ "key": name, "value": value, "protected": true }]));
    }
    if filter.and_then(|filter| filter.get("filter")).is_some_and(|filter| !filter.is_null()) {
        found.note("filters of the payload are not taken over: write a filter");
    }
    found.note(NEW_SECRET);
    Some(found)
}

fn hook0(item: &Map<String, Value>) -> Option<Found> {
    let target = item.get("target").and_then(Value::as_object)?;
    let mut found = Found { name: name_of(item, &["description", "subscription_id"]), ..Found::default() };
    found.set("url", text(target, "url")?);
    describe(&mut found, item);
    events(&mut found, item.get("event_types"), false);
    found.set("enabled", item.get("is_enabled") != Some(&Value::Bool(false)));
    headers(&mut found, target.get("headers"));
    labels(&mut found, "event_labels", item.get("labels"));
    if let (Some(key), Some(value)) = (text(item, "label_key"), text(item, "label_value")) {
        found.set("event_labels", json!({ key: value }));
    }
    labels(&mut found, "labels", item.get("metadata"));
    if text(target, "method").is_some_and(|method| !method.eq_ignore_ascii_case("POST")) {
        found.note("callbacks are always POST");
    }
    found.note(NEW_SECRET);
    Some(found)
}

fn ubiops(item: &Map<String, Value>) -> Option<Found> {
    let mut found = Found { name: name_of(item, &["name", "id"]), ..Found::default() };
    found.set("contract", "ubiops");
    found.set("url", text(item, "url")?);
    describe(&mut found, item);
    events(&mut found, Some(&json!([text(item, "event")?])), false);
    let mut object = Map::new();
    for (theirs, ours) in [("object_type", "type"), ("object_name", "name"), ("version", "version")] {
        if let Some(value) = text(item, theirs) {
            object.insert(String::from(ours), Value::from(value));
        }
    }
    found.set("object", object);
    let mut taken = Vec::new();
    for header in item.get("headers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        match (text(header, "key"), text(header, "value")) {
            (Some(key), Some(value)) => {
                taken.push(json!({ "key": key, "value": value, "protected": header.get("protected") == Some(&Value::Bool(true)) }));
            }
            (Some(key), None) => found.note(format!("header {key} is protected there: give its value")),
            (None, _) => {}
        }
    }
    found.set("headers", taken);
    labels(&mut found, "labels", item.get("labels"));
    if let Some(seconds) = item.get("timeout").and_then(Value::as_u64) {
        found.set("timeout_s", seconds);
    }
    for key in ["enabled", "retry", "include_result"] {
        if let Some(flag) = item.get(key).and_then(Value::as_bool) {
            found.set(key, flag);
        }
    }
    Some(found)
}

fn up42(item: &Map<String, Value>) -> Option<Found> {
    let mut found = Found { name: name_of(item, &["name", "id"]), ..Found::default() };
    found.set("contract", "up42");
    found.set("url", text(item, "url")?);
    events(&mut found, item.get("events"), false);
    found.set("enabled", item.get("active") == Some(&Value::Bool(true)));
    match text(item, "secret") {
        Some(secret) => found.set("secret", secret),
        None => found.set("secret", Value::Null),
    }
    Some(found)
}

/// actinia has no stored webhooks: each process chain brings its own. The end of a run is the nearest that an event comes.
fn actinia(item: &Map<String, Value>) -> Option<Found> {
    let chain = item.get("process_chain_list").and_then(Value::as_array).and_then(|chains| chains.first()).and_then(Value::as_object);
    let chain = chain.unwrap_or(item);
    let webhooks = chain.get("webhooks").and_then(Value::as_object).unwrap_or(chain);
    let mut found = Found { name: name_of(chain, &["id", "name"]), ..Found::default() };
    found.set("url", text(webhooks, "finished")?);
    found.set("events", vec!["run.finished"]);
    found.note("actinia's webhooks belong to a process chain: post such chains to /actinia or to runs, which take them as they are");
    if text(webhooks, "update").is_some() {
        found.note("the update URL is not taken over: only runs send updates");
    }
    if text(webhooks, "auth").is_some() {
        found.note("auth is not taken over: give the header authorization");
    }
    Some(found)
}
