//! One function for each parser of outside text. None may panic; beyond that each checks what must hold of
//! whatever is taken.

use postern_core::condition::Condition;
use postern_core::config;
use postern_core::delivery::Attempt;
use postern_core::egress::{self, Policy};
use postern_core::event;
use postern_core::facade::{ubiops, up42};
use postern_core::fault::{self, DETAIL_BYTES_MAX, FAULTS_MAX, InputFault, POINTER_BYTES_MAX};
use postern_core::filter::{EventFacts, EventPattern, explain, matches};
use postern_core::histogram;
use postern_core::import;
use postern_core::json_schema::Schema;
use postern_core::live_ticket::{self, Offered};
use postern_core::operation::Operation;
use postern_core::query::{DeliveryQuery, EventQuery, ExportQuery, HistogramQuery, PageQuery, WebhookQuery};
use postern_core::retry::{RETRY_AFTER_MAX_S, RetryAfter};
use postern_core::route::Path;
use postern_core::run;
use postern_core::signing::{Secret, sign, verify};
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, parse};
use serde_json::Value;
use serde_json::value::RawValue;

/// What is fed.
pub type Target = fn(&str);

/// Every target by its name, which is also its corpus' folder.
pub const ALL: &[(&str, Target)] = &[
    ("webhook", webhook),
    ("event", events),
    ("condition", condition),
    ("filter", filter),
    ("url", url),
    ("chain", chain),
    ("retry_after", retry_after),
    ("signature", signature),
    ("schema", schema),
    ("facades", facades),
    ("path", path),
    ("live_ticket", live_ticket),
    ("json", json),
    ("config", config),
    ("import", import),
];

const NOW: Timestamp = Timestamp(1_795_270_051_204);

fn public() -> Policy {
    Policy { allow_private_targets: false, own_hosts: vec![String::from("postern.example")] }
}

/// A definition as it is after a draft was taken; `None` where it is refused.
fn definition(body: &str) -> Option<Definition> {
    let draft = fault::parse_json(body).ok()?;
    parse::create(&draft, &public()).ok().map(|(definition, _secret)| definition)
}

fn is_told(faults: &[fault::Fault]) {
    assert!(!faults.is_empty(), "a refusal names what is wrong");
    assert!(faults.len() <= FAULTS_MAX, "a refusal is bounded: {} faults", faults.len());
    for fault in faults {
        assert!(
            fault.pointer.len() <= POINTER_BYTES_MAX && fault.detail.len() <= DETAIL_BYTES_MAX,
            "{fault:?}"
        );
        assert!(
            !fault.detail.is_empty() && (fault.pointer.is_empty() || fault.pointer.starts_with(['/', '?'])),
            "{fault:?}"
        );
    }
}

fn webhook(body: &str) {
    let Ok(draft) = fault::parse_json(body) else { return };
    match parse::create(&draft, &public()) {
        Err(faults) => is_told(&faults),
        Ok((definition, _secret)) => {
            let text = serde_json::to_string(&definition).expect("a definition is JSON");
            let read: Definition = serde_json::from_str(&text).expect("what is stored can be read");
            assert_eq!(read, definition, "what is stored is what was taken");
            let same = egress::check(&definition.url, &public()).expect("the stored URL passes again");
            assert_eq!(same.url, definition.url);
            match parse::update(&definition, &draft, &public()) {
                Ok(again) => assert_eq!(again.name, definition.name),
                Err(faults) => is_told(&faults),
            }
        }
    }
}

fn events(body: &str) {
    for outcome in [event::parse_event(body).map(|event| vec![event]), event::parse_batch(body)] {
        match outcome {
            Ok(events) => {
                for event in events {
                    assert!(
                        event::is_event_type(&event.kind) && !event::is_operational(&event.kind),
                        "{}",
                        event.kind
                    );
                    // As text: a number beyond a float (1e400) is kept as it was written, and is not a value
                    // here.
                    let again = format!("{{\"type\":\"{}\",\"data\":{}}}", event.kind, event.data.get());
                    let again =
                        event::parse_event(&again).expect("an event that was taken can be posted again");
                    assert_eq!(again.data.get(), event.data.get(), "data is what the producer wrote");
                }
            }
            Err(InputFault::Invalid(faults)) => is_told(&faults),
            Err(_) => {}
        }
    }
}

/// Two lines: a condition, and the data that it is asked about.
fn condition(text: &str) {
    let (condition, data) = text.split_once('\n').unwrap_or((text, "{}"));
    let (Ok(condition), Ok(data)) = (fault::parse_json(condition), fault::parse_json(data)) else { return };
    match Condition::parse(&condition, "/filter") {
        Err(faults) => is_told(&faults),
        Ok(condition) => {
            assert_eq!(
                condition.holds(&data),
                condition.explain(&data).holds,
                "what is explained is what is decided"
            );
            let again = Condition::parse(&condition.to_value(), "").expect("its own JSON is one");
            assert_eq!(again.holds(&data), condition.holds(&data));
        }
    }
}

/// Two lines: a webhook's draft, and an event.
fn filter(text: &str) {
    let Some((draft, body)) = text.split_once('\n') else {
        if let Some(pattern) = EventPattern::parse(text) {
            assert_eq!(pattern.as_str(), text);
            assert!(text.ends_with('*') || pattern.matches(text), "{text} is the type that it names");
        }
        return;
    };
    let (Some(definition), Ok(event)) = (definition(draft), event::parse_event(body)) else { return };
    let facts = EventFacts::from_event(&event);
    assert_eq!(
        matches(&definition, &facts),
        explain(&definition, &facts).matched,
        "what is explained is what is decided"
    );
}

fn url(text: &str) {
    let own = ["postern.example", "postern.example:443"];
    match egress::check(text, &public()) {
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
        Ok(target) => {
            assert!(target.url.starts_with("https://"), "{}", target.url);
            let authority = target.url["https://".len()..].split(['/', '?', '#']).next().unwrap_or_default();
            assert!(!authority.contains('@'), "credentials stay in {}", target.url);
            let again = egress::check(&target.url, &public()).expect("what was taken passes again");
            assert_eq!((again.url.as_str(), again.authorization), (target.url.as_str(), None));
            let is_inbox = target.url.split_once(authority).is_some_and(|(_, rest)| rest.starts_with("/in/"));
            assert!(
                is_inbox || !own.contains(&authority.trim_end_matches('.')),
                "{} is ourselves",
                target.url
            );
        }
    }
}

fn chain(body: &str) {
    let entry = run::Entry {
        origin: String::from("https://postern.example"),
        path: String::from("/"),
        endpoint: String::new(),
    };
    for outcome in [
        run::parse::create(body, &public(), entry).map(|_draft| ()),
        run::parse::claim(body).map(|_lease| ()),
    ] {
        if let Err(InputFault::Invalid(faults)) = outcome {
            is_told(&faults);
        }
    }
    if let Ok(update) = run::parse::update(body) {
        assert!(update.progress.is_none_or(|progress| progress.percent <= 100));
    }
    let _end = run::parse::finish(body);
}

fn retry_after(value: &str) {
    for now in [NOW, Timestamp(0), Timestamp(i64::MAX / 2), Timestamp(-1)] {
        assert!(RetryAfter::read(value, now).wait_s().is_none_or(|seconds| seconds <= RETRY_AFTER_MAX_S));
    }
}

/// What a client offers in `Sec-WebSocket-Protocol`.
fn live_ticket(protocols: &str) {
    let credentials: Vec<&str> = live_ticket::credentials(protocols).collect();
    match live_ticket::offered(protocols) {
        Offered::Nothing => assert!(credentials.is_empty(), "{credentials:?} open nothing"),
        Offered::Ticket(ticket) => {
            assert_eq!(
                credentials,
                [format!("{}{ticket}", live_ticket::SUBPROTOCOL_PREFIX)],
                "one ticket is the only credential"
            );
            let alone = format!("{}{ticket}", live_ticket::SUBPROTOCOL_PREFIX);
            assert_eq!(
                live_ticket::offered(&alone),
                Offered::Ticket(ticket),
                "the others make no difference"
            );
        }
        Offered::Wrong | Offered::Token => {
            assert!(!credentials.is_empty(), "what is refused is seen as a credential")
        }
    }
}

/// Lines: the three headers of a signature, and the body.
fn signature(text: &str) {
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next();
    let (id, timestamp, signature, body) = (next(), next(), next(), next().unwrap_or_default());
    let secrets = [Secret::from_random(&[7; 32])];
    let now_s = NOW.0 / 1_000;
    // Nobody who does not know the secret makes a signature that verifies: 256 bits are not guessed here.
    assert!(verify(&secrets, id, timestamp, signature, body.as_bytes(), now_s).is_err());
    if let Some(id) = id {
        let signed = sign(&secrets, id, now_s, body.as_bytes()).expect("an HMAC key signs");
        let stamp = now_s.to_string();
        assert!(verify(&secrets, Some(id), Some(&stamp), Some(&signed), body.as_bytes(), now_s).is_ok());
        assert!(
            verify(&secrets, Some(id), Some(&stamp), Some(&signed), format!("{body}x").as_bytes(), now_s)
                .is_err()
        );
    }
    let _parsed = Secret::parse(text);
}

/// Two lines: a schema, and a value.
fn schema(text: &str) {
    let (schema, value) = text.split_once('\n').unwrap_or((text, "null"));
    let (Ok(schema), Ok(value)) = (fault::parse_json(schema), fault::parse_json(value)) else { return };
    match Schema::parse(&schema, "/schema") {
        Err(faults) => is_told(&faults),
        Ok(schema) => {
            schema.check(&value, "/data").iter().for_each(|fault| is_told(std::slice::from_ref(fault)))
        }
    }
}

/// What the clients of the other systems send, and what the ledger reads back.
fn facades(body: &str) {
    for outcome in
        [ubiops::create(body, &public()), up42::create(body, &public(), &["job.status", "order.status"])]
    {
        match outcome {
            Ok(definition) => {
                assert!(egress::check(&definition.url, &public()).is_ok());
                let text = serde_json::to_string(&definition).expect("a definition is JSON");
                assert_eq!(
                    serde_json::from_str::<Definition>(&text).expect("what is stored can be read"),
                    definition
                );
            }
            Err(InputFault::Invalid(faults)) => is_told(&faults),
            Err(_) => {}
        }
    }
    let _test = ubiops::test_create(body, &public());
    let _trial = parse::trial(body, &public());
    let _attempt: Result<Attempt, _> = serde_json::from_str(body);
}

/// Paths and queries.
fn path(text: &str) {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if let Some(path) = Path::parse(path) {
        for method in Operation::ALL.iter().map(|operation| operation.method().as_str()) {
            let Ok(route) = path.clone().route(method) else { continue };
            let again = Path::parse(&route.path()).and_then(|again| again.route(method).ok());
            assert_eq!(again, Some(route), "a route's own path leads back to it");
        }
    }
    let _page = PageQuery::parse(query);
    let _webhooks = WebhookQuery::parse(query);
    let _events = EventQuery::parse(query);
    let _deliveries = DeliveryQuery::parse(query);
    if let Ok(histogram) = HistogramQuery::parse(query, Timestamp(0)) {
        let starts = histogram::starts(histogram.since, histogram.until);
        assert!((1..=histogram::BINS_MAX).contains(&starts.len()));
    }
    for export in [ExportQuery::parse_events(query), ExportQuery::parse_deliveries(query)] {
        if let Err(faults) = export {
            is_told(&faults);
        }
    }
}

/// Any body.
fn json(body: &str) {
    let Ok(value) = fault::parse_json(body) else { return };
    assert!(serde_json::from_str::<Box<RawValue>>(body).is_ok(), "what is taken is JSON");
    assert_eq!(fault::parse_json(&value.to_string()).as_ref(), Ok(&value), "what is written is read again");
    let first = value.as_object().and_then(|members| members.keys().next());
    if let (Some(name), Some(rest)) = (first, body.trim_start().strip_prefix('{')) {
        let twice = format!("{{{}:null,{rest}", Value::from(name.as_str()));
        match fault::parse_json(&twice) {
            Err(InputFault::Invalid(faults)) => is_told(&faults),
            other => panic!("a member given twice is refused, not {other:?}"),
        }
    }
}

/// A configuration: what is planned for an empty project changes nothing once it is there.
fn config(body: &str) {
    let request = match config::Request::parse(body) {
        Ok(request) => request,
        Err(InputFault::Invalid(faults)) => return is_told(&faults),
        Err(InputFault::Malformed(_)) => return,
    };
    match config::plan(&config::State::default(), &request, &public()) {
        Err(faults) => is_told(&faults),
        Ok(plan) => {
            assert_eq!(plan.steps.len(), plan.changes.len(), "each step is told");
            let mut state = config::State::default();
            for step in plan.steps {
                if let config::Step::CreateWebhook(definition, _choice) = step {
                    state.webhooks.push((1, *definition));
                }
            }
            let document = config::document(&state);
            let again = config::Request { document, prune: true, expect: None };
            let again = config::plan(&state, &again, &public()).expect("what is exported comes back");
            let changed = again.changes.iter().filter(|change| change.kind == config::Kind::Webhook);
            assert_eq!(changed.count(), 0, "what is exported changes no webhook");
        }
    }
}

/// A listing of another system.
fn import(body: &str) {
    match import::Request::parse(body) {
        Ok(request) => drop(import::preview(&request, &public())),
        Err(InputFault::Invalid(faults)) => is_told(&faults),
        Err(InputFault::Malformed(_)) => {}
    }
}
