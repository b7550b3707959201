//! One vector file per rule, checked wherever this crate runs: natively by `cargo test`, in the Worker and in
//! the browser by tests that switch on the feature `vectors` and call [`run`].
//!
//! A vector file is data: inputs and the one right answer. Where a rule changes, its file changes with it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::condition::Condition;
use crate::contract::{self, Rendering, Source};
use crate::egress::{self, Policy};
use crate::event::ObjectRef;
use crate::filter::{self, EventFacts, EventPattern};
use crate::retry::RetryAfter;
use crate::signing::{self, Secret, SecretFault, VerifyFault};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, ObjectFilter, WebhookName, parse};
use crate::{id, retry};

/// Checks every vector.
#[must_use]
pub fn run() -> Report {
    let mut report = Report { cases: 0, failures: Vec::new(), file: "" };
    egress(&mut report);
    signing(&mut report);
    filter(&mut report);
    condition(&mut report);
    retry(&mut report);
    rendering(&mut report);
    ids(&mut report);
    report
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// How many cases of the files were checked, so that a caller notices a run that left some out.
    pub cases: usize,
    /// What does not hold, one line each; empty where all is well.
    pub failures: Vec<String>,
    /// What is being checked.
    file: &'static str,
}

impl Report {
    fn read<T: DeserializeOwned + Default>(&mut self, file: &'static str, text: &str) -> T {
        self.file = file;
        serde_json::from_str(text).unwrap_or_else(|error| {
            self.failures.push(format!("{file}: {error}"));
            T::default()
        })
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, case: &str, found: &T, expected: &T) {
        if found != expected {
            self.failures.push(format!("{}: {case}: found {found:?}, expected {expected:?}", self.file));
        }
    }
}

#[derive(Deserialize)]
struct EgressCase {
    url: String,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    own_hosts: Vec<String>,
    /// `ok` or a refusal's code; several joined by ` or ` where the platforms' parsers give up at different
    /// points.
    expect: String,
    note: String,
    normalised: Option<String>,
    authorization: Option<String>,
}

fn egress(report: &mut Report) {
    let cases: Vec<EgressCase> = report.read("egress.json", include_str!("../vectors/egress.json"));
    report.same("there are enough cases", &(cases.len() >= 120), &true);
    for case in cases {
        report.cases += 1;
        let policy = Policy { allow_private_targets: case.allow_private, own_hosts: case.own_hosts };
        let name = format!("{} ({})", case.url, case.note);
        let verdict = egress::check(&case.url, &policy);
        let code = verdict.as_ref().map_or_else(egress::Refusal::code, |_| "ok");
        if !case.expect.split(" or ").any(|expected| expected == code) {
            report.failures.push(format!("{}: {name}: found {code}, expected {}", report.file, case.expect));
        }
        let Ok(target) = verdict else { continue };
        if let Some(normalised) = case.normalised {
            report.same(&name, &target.url, &normalised);
        }
        report.same(&name, &target.authorization, &case.authorization);
        // Before every attempt the stored URL is checked again: it must come out as it went in.
        let again = egress::check(&target.url, &policy).map(|again| (again.url, again.authorization));
        report.same(&name, &again, &Ok((target.url, None)));
    }
}

#[derive(Default, Deserialize)]
struct SigningCases {
    secrets: Vec<SecretCase>,
    sign: Vec<SignCase>,
    verify: Vec<VerifyCase>,
}

#[derive(Deserialize)]
struct SecretCase {
    text: String,
    expect: String,
}

#[derive(Deserialize)]
struct SignCase {
    note: String,
    secrets: Vec<String>,
    id: String,
    timestamp_s: i64,
    body: String,
    signature: String,
}

#[derive(Deserialize)]
struct VerifyCase {
    note: String,
    secrets: Vec<String>,
    id: Option<String>,
    timestamp: Option<String>,
    signature: Option<String>,
    body: String,
    now_s: i64,
    expect: String,
}

fn signing(report: &mut Report) {
    let cases: SigningCases = report.read("signing.json", include_str!("../vectors/signing.json"));
    for case in cases.secrets {
        report.cases += 1;
        let code = match Secret::parse(&case.text) {
            Ok(_) => "ok",
            Err(SecretFault::NoPrefix) => "no_prefix",
            Err(SecretFault::NotBase64) => "not_base64",
            Err(SecretFault::Length { .. }) => "length",
            Err(SecretFault::KeyLength { .. }) => "key_length",
            Err(SecretFault::KeyMismatch) => "key_mismatch",
            Err(SecretFault::Unsupported) => "unsupported",
        };
        report.same(&case.text, &code, &case.expect.as_str());
    }
    let parse_all =
        |texts: &[String]| texts.iter().filter_map(|text| Secret::parse(text).ok()).collect::<Vec<_>>();
    for case in cases.sign {
        report.cases += 1;
        let signature =
            signing::sign(&parse_all(&case.secrets), &case.id, case.timestamp_s, case.body.as_bytes());
        report.same(&case.note, &signature.unwrap_or_else(|fault| fault.to_string()), &case.signature);
    }
    for case in cases.verify {
        report.cases += 1;
        let verdict = signing::verify(
            &parse_all(&case.secrets),
            case.id.as_deref(),
            case.timestamp.as_deref(),
            case.signature.as_deref(),
            case.body.as_bytes(),
            case.now_s,
        );
        let code = match verdict {
            Ok(()) => "ok",
            Err(VerifyFault::MissingHeader(_)) => "missing_header",
            Err(VerifyFault::BadTimestamp) => "bad_timestamp",
            Err(VerifyFault::Stale { .. }) => "stale",
            Err(VerifyFault::Mismatch) => "mismatch",
        };
        report.same(&case.note, &code, &case.expect.as_str());
    }
}

#[derive(Default, Deserialize)]
struct FilterCases {
    patterns: Vec<PatternCase>,
    matches: Vec<MatchCase>,
}

#[derive(Deserialize)]
struct PatternCase {
    text: String,
    valid: bool,
}

#[derive(Debug, Deserialize)]
struct MatchCase {
    expect: bool,
    events: Vec<EventPattern>,
    kind: String,
    contract: Option<Contract>,
    #[serde(default)]
    object: ObjectFilter,
    event_object: Option<ObjectRef>,
    #[serde(default)]
    event_labels: BTreeMap<String, String>,
    filter: Option<Condition>,
    /// The event's.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// JSON text.
    data: Option<String>,
}

fn filter(report: &mut Report) {
    let cases: FilterCases = report.read("filter.json", include_str!("../vectors/filter.json"));
    for case in cases.patterns {
        report.cases += 1;
        report.same(&case.text, &EventPattern::parse(&case.text).is_some(), &case.valid);
    }
    let Some(name) = WebhookName::parse("w") else { return };
    for case in cases.matches {
        report.cases += 1;
        let shown = format!("{case:?}");
        let contract = case.contract.unwrap_or(Contract::Standard);
        let webhook = Definition {
            object: case.object,
            event_labels: case.event_labels,
            filter: case.filter,
            ..Definition::new(name.clone(), "https://r.example/", contract, case.events)
        };
        let data = case.data.as_deref().unwrap_or("null");
        let facts = EventFacts::new(&case.kind, case.event_object.as_ref(), &case.labels, data);
        report.same(&shown, &filter::matches(&webhook, &facts), &case.expect);
        // The explanation comes to the same verdict, from reasons that all hold or do not.
        let explained = filter::explain(&webhook, &facts);
        let all_hold = explained.reasons.iter().all(|reason| reason.holds);
        report.same(&shown, &(explained.matched, all_hold), &(case.expect, case.expect));
    }
}

#[derive(Default, Deserialize)]
struct ConditionCases {
    parse: Vec<ParseCase>,
    holds: Vec<HoldsCase>,
}

#[derive(Deserialize)]
struct ParseCase {
    #[serde(deserialize_with = "crate::json::written")]
    condition: Value,
    /// Pointers.
    faults: Vec<String>,
}

#[derive(Deserialize)]
struct HoldsCase {
    #[serde(deserialize_with = "crate::json::written")]
    condition: Value,
    #[serde(deserialize_with = "crate::json::written")]
    data: Value,
    expect: bool,
}

fn condition(report: &mut Report) {
    let cases: ConditionCases = report.read("condition.json", include_str!("../vectors/condition.json"));
    for case in cases.parse {
        report.cases += 1;
        let faults = Condition::parse(&case.condition, "").err().unwrap_or_default();
        let pointers: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
        report.same(&case.condition.to_string(), &pointers, &case.faults);
    }
    for case in cases.holds {
        report.cases += 1;
        let shown = format!("{} of {}", case.condition, case.data);
        match Condition::parse(&case.condition, "") {
            Ok(condition) => {
                report.same(&shown, &condition.holds(&case.data), &case.expect);
                report.same(&shown, &condition.explain(&case.data).holds, &case.expect);
                report.same(&shown, &condition.to_value().to_string(), &case.condition.to_string());
            }
            Err(faults) => report.failures.push(format!("{}: {shown}: {faults:?}", report.file)),
        }
    }
}

#[derive(Default, Deserialize)]
struct RetryCases {
    waits: Vec<WaitCase>,
    retry_after: Vec<RetryAfterCase>,
}

#[derive(Debug, Deserialize)]
struct WaitCase {
    next_attempt: u32,
    /// The webhook's or the project's; the default if absent.
    schedule_s: Option<Vec<u32>>,
    seed: u64,
    retry_after_s: Option<u32>,
    wait_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct RetryAfterCase {
    value: String,
    now: Timestamp,
    /// To wait at least; null where the value is not understood.
    seconds: Option<u32>,
}

fn retry(report: &mut Report) {
    let cases: RetryCases = report.read("retry.json", include_str!("../vectors/retry.json"));
    for case in cases.waits {
        report.cases += 1;
        let wait_ms =
            retry::wait_ms(case.next_attempt, case.schedule_s.as_deref(), case.seed, case.retry_after_s);
        report.same(&format!("{case:?}"), &wait_ms, &case.wait_ms);
    }
    for case in cases.retry_after {
        report.cases += 1;
        report.same(&format!("{case:?}"), &RetryAfter::read(&case.value, case.now).wait_s(), &case.seconds);
    }
}

#[derive(Deserialize)]
struct RenderingCase {
    note: String,
    /// A native create body.
    webhook: Value,
    event: EventCase,
    accepted_at: Timestamp,
    message_id: String,
    now: Timestamp,
    body: String,
    headers: Vec<(String, String)>,
    shown_headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct EventCase {
    #[serde(rename = "type")]
    kind: String,
    /// JSON text.
    data: String,
    object: Option<ObjectRef>,
}

fn rendering(report: &mut Report) {
    let cases: Vec<RenderingCase> = report.read("rendering.json", include_str!("../vectors/rendering.json"));
    for case in cases {
        report.cases += 1;
        let Ok((webhook, _)) = parse::create(&case.webhook, &Policy::default()) else {
            report.failures.push(format!("rendering.json: {}: the webhook is faulty", case.note));
            continue;
        };
        let Ok(data) = RawValue::from_string(case.event.data) else {
            report.failures.push(format!("rendering.json: {}: the data is no JSON", case.note));
            continue;
        };
        let kind = case.event.kind.as_str();
        let source =
            Source { kind, accepted_at: case.accepted_at, data: &data, object: case.event.object.as_ref() };
        let rendering = Rendering::for_event(&webhook, kind);
        match contract::build(&webhook, &rendering, &source, &case.message_id, case.now) {
            Ok(callback) => {
                report.same(&case.note, &callback.body, &case.body);
                report.same(&case.note, &callback.headers, &case.headers);
                report.same(&case.note, &callback.shown_headers, &case.shown_headers);
                report.same(&case.note, &contract::render(&rendering, &source), &case.body);
            }
            Err(fault) => report.failures.push(format!("rendering.json: {}: {fault}", case.note)),
        }
    }
}

/// 64-bit arithmetic is where a browser could differ; the round trip is a rule, so it needs no file.
fn ids(report: &mut Report) {
    report.file = "ids";
    let space = id::IdSpace::new(u64::MAX);
    let seq = id::Seq::after(id::Seq::ZERO, 1_795_270_051_204);
    let shown = space.id(id::Kind::Event, seq);
    report.same("the id of a known moment", &shown.as_str(), &"evt_01a1fe6f-0584-7000-bfff-ffffffffffff");
    report.same("its row", &space.seq(id::Kind::Event, &shown), &Some(seq));
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_vector_holds() {
        let report = super::run();
        assert!(
            report.failures.is_empty(),
            "{} failures:\n{}",
            report.failures.len(),
            report.failures.join("\n")
        );
        assert_ne!(report.cases, 0);
    }
}
