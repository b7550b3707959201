//! Builders that state only what matters to a test.

use std::rc::Rc;

use postern_core::delivery::{Attempt, Outcome, Trigger};
use postern_core::event::NewEvent;
use postern_core::filter::EventPattern;
use postern_core::id::Seq;
use postern_core::replay::ReplayQuery;
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition, ProjectName, WebhookName};
use postern_ledger::{InlineLimit, LeaseTicket, Ledger, Report};
use serde_json::value::RawValue;

use super::native::Native;

/// 2026-11-21T14:07:31.204Z
pub(crate) const START: Timestamp = Timestamp(1_795_270_051_204);

/// The project of every test.
pub(crate) fn project() -> ProjectName {
    ProjectName::parse("p1").expect("a project name")
}

/// An enabled `standard` webhook that retries, for events matching `pattern`, with 10 s timeout and a sealed
/// secret.
pub(crate) fn webhook(name: &str, pattern: &str) -> Definition {
    let name_of = WebhookName::parse(name).expect("a webhook name");
    let events = vec![EventPattern::parse(pattern).expect("an event pattern")];
    let url = format!("https://{name}.example/hook");
    Definition {
        secret: Some(String::from("s1.k1.sealed")),
        ..Definition::new(name_of, url, Contract::Standard, events)
    }
}

/// What this webhook missed.
pub(crate) fn missing(webhook: &str) -> ReplayQuery {
    ReplayQuery {
        webhook: Some(String::from(webhook)),
        since: None,
        until: None,
        states: Vec::new(),
        types: Vec::new(),
        missing: true,
    }
}

/// JSON as a producer wrote it.
pub(crate) fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(String::from(text)).expect("JSON")
}

/// An event without object and key.
pub(crate) fn event(kind: &str) -> NewEvent {
    NewEvent::new(String::from(kind), json("{\"n\":1}"))
}

/// An event with an idempotency key.
pub(crate) fn keyed(kind: &str, key: &str) -> NewEvent {
    NewEvent { idempotency_key: Some(String::from(key)), ..event(kind) }
}

/// An attempt that ended so, as a dispatcher reports it.
pub(crate) fn attempt(number: u32, outcome: Outcome, started_at: Timestamp) -> Attempt {
    Attempt {
        number,
        trigger: Trigger::Schedule,
        started_at,
        duration_ms: 40,
        outcome,
        request: None,
        response: None,
        request_id: None,
    }
}

/// A new project in its own database.
pub(crate) fn ledger() -> Ledger<Rc<Native>> {
    Ledger::create(Native::new(), &project(), 7, START).expect("a project")
}

/// An event with an order key.
pub(crate) fn in_order(kind: &str, key: &str) -> NewEvent {
    NewEvent { order_key: Some(String::from(key)), ..event(kind) }
}

/// Creates a webhook.
pub(crate) fn create(ledger: &mut Ledger<Rc<Native>>, definition: Definition) -> Seq {
    let seq = ledger.reserve(START);
    ledger.create_webhook(seq, definition, START).expect("a webhook");
    seq
}

/// Posts one event at [`START`], leaving its deliveries to the queue; gives their keys.
pub(crate) fn post(ledger: &mut Ledger<Rc<Native>>, kind: &str) -> Vec<Seq> {
    ledger.ingest(vec![event(kind)], InlineLimit(0), START).expect("an event").changed
}

/// Leases what is due.
pub(crate) fn lease(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Vec<LeaseTicket> {
    ledger.lease_due(now, 100).expect("a lease").tickets
}

/// Leases and claims the next attempt of the only delivery that is due, and reports it 40 ms later.
pub(crate) fn attempt_due(ledger: &mut Ledger<Rc<Native>>, now: Timestamp, outcome: Outcome) {
    let tickets = lease(ledger, now);
    let works = ledger.claim(&tickets, now).expect("a claim").works;
    assert_eq!(works.len(), 1, "one delivery is due");
    let report = Report { delivery: works[0].delivery, attempt: attempt(works[0].attempt, outcome, now) };
    ledger.report(vec![report], now.plus_ms(40)).expect("a report");
}
