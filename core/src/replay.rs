//! Replays: what a body that asks for one may hold. The background work is the ledger's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::delivery::State;
use crate::fault::{Fields, InputFault, parse_json};
use crate::filter::EventPattern;
use crate::time::Timestamp;
use crate::webhook::{WebhookName, field};

/// The states in which a delivery can be replayed: those in which it has ended.
pub const STATES: [State; 3] = [State::Dead, State::Cancelled, State::Delivered];
/// What is replayed by default: what did not arrive.
const STATES_DEFAULT: [State; 2] = [State::Dead, State::Cancelled];

/// Which deliveries, or with `missing` which events, are replayed. What is `None` or empty does not restrict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReplayQuery {
    /// The webhook's name; always there where `missing` is set.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Deliveries made (`created_at`) at this time or later; with `missing`, events accepted then.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Likewise before this time.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// States of deliveries; empty where `missing` is set.
    #[serde(default)]
    pub states: Vec<State>,
    /// Event types.
    #[serde(default)]
    pub types: Vec<EventPattern>,
    /// Whether it is about events that the webhook wants and never had a delivery of.
    #[serde(default)]
    pub missing: bool,
}

/// The body of `POST replays`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRequest {
    /// What to replay.
    pub query: ReplayQuery,
    /// Only count.
    pub dry_run: bool,
}

impl ReplayQuery {
    /// Whether an event type is asked for.
    #[must_use]
    pub fn takes_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(kind))
    }
}

/// Parses the body of `POST replays`. An empty object replays everything that is dead or cancelled.
///
/// # Errors
/// Not JSON, or every bad field: an invalid name or time, an empty interval, a state in which nothing can be
/// replayed, `missing` without a webhook or with states.
pub fn parse(body: &str) -> Result<ReplayRequest, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let webhook = fields.text("webhook").value();
    if webhook.is_some_and(|name| WebhookName::of_known(name).is_none()) {
        fields.fault("webhook", "must be the name of a webhook");
    }
    let since = read_time(&mut fields, "since");
    let until = read_time(&mut fields, "until");
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        fields.fault("until", "must be later than since");
    }
    let missing = read_flag(&mut fields, "missing");
    let dry_run = read_flag(&mut fields, "dry_run");
    let sent_states = fields.list("states").value();
    let states = match sent_states {
        None if missing => Vec::new(),
        None => STATES_DEFAULT.to_vec(),
        Some(items) => read_states(&mut fields, items),
    };
    if missing && sent_states.is_some() {
        fields.fault("states", "must not be given with missing, which is about events without a delivery");
    }
    if missing && webhook.is_none() {
        fields.fault("webhook", "is required with missing");
    }
    let types = fields
        .list("types")
        .value()
        .and_then(|items| field::patterns(&mut fields, "types", items))
        .unwrap_or_default();
    let faults = fields.finish();
    if !faults.is_empty() {
        return Err(faults.into());
    }
    Ok(ReplayRequest {
        query: ReplayQuery { webhook: webhook.map(String::from), since, until, states, types, missing },
        dry_run,
    })
}

fn read_flag(fields: &mut Fields<'_>, key: &'static str) -> bool {
    let sent = fields.flag(key);
    fields.not_null(key, sent).value().unwrap_or(false)
}

fn read_time(fields: &mut Fields<'_>, key: &'static str) -> Option<Timestamp> {
    let text = fields.text(key).value()?;
    let time = Timestamp::parse_rfc3339(text);
    if time.is_none() {
        fields.fault(key, crate::time::TIME_RULE);
    }
    time
}

fn read_states(fields: &mut Fields<'_>, items: &[Value]) -> Vec<State> {
    let mut states = Vec::new();
    if items.is_empty() {
        fields.fault("states", "must name at least one state");
    }
    fields.each_of(items, |fields, index, item| {
        let at = format!("states/{index}");
        match item.as_str().and_then(State::parse).filter(|state| STATES.contains(state)) {
            None => {
                fields.fault_below(&at, format!("must be one of {}", STATES.map(State::as_str).join(", ")));
            }
            Some(state) if states.contains(&state) => fields.fault_below(&at, "is named twice"),
            Some(state) => states.push(state),
        }
    });
    states
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(body: &Value) -> Result<ReplayRequest, Vec<String>> {
        parse(&body.to_string()).map_err(|fault| match fault {
            InputFault::Invalid(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
            InputFault::Malformed(text) => vec![text],
        })
    }

    #[test]
    fn silence_means_what_did_not_arrive() -> Result<(), Vec<String>> {
        let request = parsed(&json!({}))?;
        assert_eq!(
            (request.query.states.as_slice(), request.query.missing, request.dry_run),
            (&STATES_DEFAULT[..], false, false)
        );
        assert!(
            request.query.takes_type("order.paid") && request.query.takes_type("postern.webhook.failing")
        );
        Ok(())
    }

    #[test]
    fn every_field_is_taken_and_reads_back_from_the_store() -> Result<(), Vec<String>> {
        let body = json!({
            "webhook": "w", "since": "2026-11-21T15:00:00+01:00", "until": "2026-11-21T15:00:00Z", "states": ["delivered"],
            "types": ["order.*", "a"], "dry_run": true,
        });
        let request = parsed(&body)?;
        assert!(request.dry_run && request.query.takes_type("order.paid") && !request.query.takes_type("b"));
        assert_eq!(
            request.query.since.map(Timestamp::to_rfc3339).as_deref(),
            Some("2026-11-21T14:00:00.000Z")
        );
        let stored = serde_json::to_string(&request.query).unwrap_or_default();
        assert_eq!(serde_json::from_str::<ReplayQuery>(&stored).ok(), Some(request.query));
        let missing = parsed(&json!({"webhook": "w", "missing": true}))?.query;
        assert!(missing.missing && missing.states.is_empty());
        Ok(())
    }

    #[test]
    fn every_bad_field_is_named() {
        for (body, pointers) in [
            (json!({"webhook": ".."}), vec!["/webhook"]),
            (json!({"webhook": 1}), vec!["/webhook"]),
            (json!({"since": "yesterday"}), vec!["/since"]),
            (json!({"since": "2026-11-21T15:00:00Z", "until": "2026-11-21T15:00:00Z"}), vec!["/until"]),
            (json!({"states": []}), vec!["/states"]),
            (json!({"states": ["dead", "waiting", "dead"]}), vec!["/states/1", "/states/2"]),
            (json!({"types": ["a b"]}), vec!["/types/0"]),
            (json!({"missing": true}), vec!["/webhook"]),
            (json!({"missing": true, "webhook": "w", "states": ["dead"]}), vec!["/states"]),
            (json!({"missing": null}), vec!["/missing"]),
            (json!({"dry_run": 1, "x": 1}), vec!["/dry_run", "/x"]),
            (json!([]), vec![""]),
        ] {
            assert_eq!(parsed(&body).map_err(|found| found.join(" ")), Err(pointers.join(" ")), "{body}");
        }
    }
}
