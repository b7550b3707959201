//! What bodies about runs may hold: every bad field at once, as everywhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::{
    Entry, LEASE_S_DEFAULT, LEASE_S_MAX, LEASE_S_MIN, MESSAGE_CHARS_MAX, Progress, RunDraft, RunEnd, RunMode,
    RunState, RunUpdate, STEPS_MAX, Target, Webhooks,
};
use crate::decimal::Decimal;
use crate::egress::{self, Policy};
use crate::fault::{
    Fault, Faults, Fields, InputFault, Sent, check_text, check_visible, parse_json, split_object,
};
use crate::query::{PageQuery, Parameters};
use crate::webhook::field;

/// Characters of `auth` at most.
pub const AUTH_CHARS_MAX: usize = 1_024;

/// Parses the body of `POST runs`.
///
/// # Errors
/// Not JSON, or every bad field: a chain that is not an object, an address that the policy refuses, …
pub fn create(body: &str, policy: &Policy, entry: Entry) -> Result<RunDraft, InputFault> {
    let split = split_object(body, "", "chain")?;
    let mut fields = Fields::new(&split.rest, "");
    fields.absorb(split.faults);
    fields.expect("chain");
    match &split.raw {
        None => fields.fault("chain", "is required"),
        Some(raw) if !raw.get().trim_start().starts_with('{') => {
            fields.fault("chain", "must be a JSON object that says what is to be done");
        }
        Some(raw) if names_webhooks(raw) => fields.fault(
            "chain",
            "must not hold webhooks: they stand beside the chain here (a process chain as it is goes to actinia's paths)",
        ),
        Some(_) => {}
    }
    let webhooks = fields.object("webhooks").value().and_then(|map| webhooks(&mut fields, map, policy));
    let labels = fields
        .object("labels")
        .value()
        .map(|map| field::labels(&mut fields, "labels", map))
        .unwrap_or_default();
    let faults = fields.finish();
    match split.raw {
        Some(chain) if faults.is_empty() => {
            Ok(RunDraft { chain, webhooks, labels, mode: RunMode::Work, entry, refusal: None })
        }
        _ => Err(faults.into()),
    }
}

/// Whether a chain has callbacks of its own, as actinia's have: nobody would call them, and every reader
/// would see their credentials.
fn names_webhooks(chain: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Callbacks {
        webhooks: Option<IgnoredAny>,
    }
    serde_json::from_str::<Callbacks>(chain.get()).is_ok_and(|chain| chain.webhooks.is_some())
}

/// Reads `webhooks`: `finished`, `update` and `auth`. Credentials in an address become its `Authorization`
/// header.
fn webhooks(fields: &mut Fields<'_>, map: &Map<String, Value>, policy: &Policy) -> Option<Webhooks> {
    let mut part = Fields::new(map, fields.pointer_of("webhooks"));
    let sent = part.text("finished");
    let finished = part.required("finished", sent).and_then(|url| target(&mut part, "finished", url, policy));
    let update = part.text("update").value().and_then(|url| target(&mut part, "update", url, policy));
    let auth = part.text("auth").value().and_then(|text| match read_auth(text) {
        Ok(auth) => Some(auth),
        Err(detail) => {
            part.fault("auth", detail);
            None
        }
    });
    for (key, target) in [("finished", &finished), ("update", &update)] {
        if auth.is_some() && target.as_ref().is_some_and(|target| target.authorization.is_some()) {
            part.fault(key, "holds credentials, and auth is given: give one of the two");
        }
    }
    fields.absorb(part.finish());
    let mut webhooks = Webhooks { finished: finished?, update, user: None, forgotten: false };
    if let Some(auth) = auth {
        auth.protect(&mut webhooks);
    }
    Some(webhooks)
}

fn target(fields: &mut Fields<'_>, key: &'static str, url: &str, policy: &Policy) -> Option<Target> {
    match egress::check(url, policy) {
        Ok(target) => Some(Target { url: target.url, authorization: target.authorization }),
        Err(refusal) => {
            fields.fault(key, refusal.to_string());
            None
        }
    }
}

/// User name and password of a run's callbacks.
pub struct Auth {
    user: String,
    authorization: String,
}

impl Auth {
    /// Puts the credentials on every target; those of an address give way, as with actinia (docs/wire.md
    /// C.4).
    pub fn protect(self, webhooks: &mut Webhooks) {
        for target in webhooks.targets_mut() {
            target.authorization = Some(self.authorization.clone());
        }
        webhooks.user = Some(self.user);
    }
}

/// Reads `user:password`, split at the first colon: the password may hold colons (docs/wire.md C.4).
///
/// # Errors
/// What is wrong; never repeats the text.
pub fn read_auth(text: &str) -> Result<Auth, String> {
    let (user, _password) = text.split_once(':').ok_or_else(|| String::from("must be user:password"))?;
    check_text(text, 1, AUTH_CHARS_MAX)?;
    check_text(user, 1, AUTH_CHARS_MAX)
        .map_err(|_fault| String::from("must have a user name before the colon"))?;
    Ok(Auth { user: String::from(user), authorization: format!("Basic {}", STANDARD.encode(text)) })
}

/// Parses the body of `POST runs/claim`: how many seconds the lease shall last.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn claim(body: &str) -> Result<u32, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let sent = fields.integer("lease_s");
    let lease_s = match fields.not_null("lease_s", sent) {
        Sent::Value(seconds) => {
            let fitting =
                u32::try_from(seconds).ok().filter(|seconds| (LEASE_S_MIN..=LEASE_S_MAX).contains(seconds));
            if fitting.is_none() {
                fields.fault("lease_s", format!("must be {LEASE_S_MIN} to {LEASE_S_MAX} seconds"));
            }
            fitting.unwrap_or(LEASE_S_DEFAULT)
        }
        Sent::Missing | Sent::Null | Sent::Wrong => LEASE_S_DEFAULT,
    };
    let faults = fields.finish();
    if faults.is_empty() { Ok(lease_s) } else { Err(faults.into()) }
}

/// Parses the body of `POST runs/{id}/updates`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(body: &str) -> Result<RunUpdate, InputFault> {
    let split = split_object(body, "", "log")?;
    let mut fields = Fields::new(&split.rest, "");
    fields.absorb(split.faults);
    let claim = claim_number(&mut fields);
    let message = message(&mut fields);
    let progress = fields.object("progress").value().and_then(|map| progress(&mut fields, map));
    let log = log(&mut fields, split.raw.as_deref());
    let faults = fields.finish();
    if faults.is_empty() { Ok(RunUpdate { claim, message, progress, log }) } else { Err(faults.into()) }
}

/// Parses the body of `POST runs/{id}/finish`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn finish(body: &str) -> Result<RunEnd, InputFault> {
    let split = split_object(body, "", "log")?;
    // Two members stay as they were written, so the body is read twice. What `results` may hold the first
    // reading says: they must be readable as a value, because actinia's words for a run are made from that.
    let written = split_object(body, "", "results")?.raw;
    let mut fields = Fields::new(&split.rest, "");
    // What results hold twice stays twice.
    fields.absorb(
        split.faults.into_iter().filter(|fault| !fault.pointer.starts_with("/results/")).collect::<Faults>(),
    );
    let claim = claim_number(&mut fields);
    let sent = fields.text("outcome");
    let outcome = fields.required("outcome", sent).and_then(|text| {
        let outcome = RunState::parse(text).filter(|state| state.is_final());
        if outcome.is_none() {
            fields.fault("outcome", "must be finished, error or terminated");
        }
        outcome
    });
    let message = message(&mut fields);
    fields.expect("results");
    let results = written.filter(|results| results.get() != "null");
    let log = log(&mut fields, split.raw.as_deref());
    let faults = fields.finish();
    match outcome {
        Some(outcome) if faults.is_empty() => Ok(RunEnd { claim, outcome, message, results, log }),
        _ => Err(faults.into()),
    }
}

/// Which runs. What is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunQuery {
    /// Which part of the list.
    pub page: PageQuery,
    /// Where they stand.
    pub state: Option<RunState>,
}

impl RunQuery {
    /// Reads the query of `GET runs`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let state = parameters.one("state").and_then(|text| {
            let state = RunState::parse(&text);
            if state.is_none() {
                parameters.fault(
                    "state",
                    format!("must be one of {}", RunState::ALL.map(RunState::as_str).join(", ")),
                );
            }
            state
        });
        let found = Self { page: parameters.page(), state };
        parameters.finish(found)
    }
}

fn claim_number(fields: &mut Fields<'_>) -> Option<u32> {
    let sent = fields.integer("claim").value()?;
    let claim = u32::try_from(sent).ok().filter(|claim| *claim > 0);
    if claim.is_none() {
        fields.fault("claim", "must be the number that the claim was answered with");
    }
    claim
}

fn message(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.text("message").value()?;
    let chars = text.chars().count();
    if chars > MESSAGE_CHARS_MAX {
        fields.fault(
            "message",
            format!(
                "must be at most {MESSAGE_CHARS_MAX} characters, this has {chars}; put long texts into log"
            ),
        );
    }
    if let Err(detail) = check_visible(text) {
        fields.fault("message", detail);
    }
    Some(String::from(text))
}

fn progress(fields: &mut Fields<'_>, map: &Map<String, Value>) -> Option<Progress> {
    let mut part = Fields::new(map, fields.pointer_of("progress"));
    let number = |part: &mut Fields<'_>, key: &'static str, sent: i64, min: u32, max: u32| {
        let fitting = u32::try_from(sent).ok().filter(|number| (min..=max).contains(number));
        if fitting.is_none() {
            part.fault(key, format!("must be {min} to {max}"));
        }
        fitting
    };
    let sent = part.integer("of");
    let of = part.required("of", sent).and_then(|sent| number(&mut part, "of", sent, 1, STEPS_MAX));
    let sent = part.integer("step");
    let step = part
        .required("step", sent)
        .and_then(|sent| number(&mut part, "step", sent, 0, of.unwrap_or(STEPS_MAX)));
    let percent = match part.any("percent") {
        None | Some(Value::Null) => None,
        Some(sent) => {
            let fitting = sent.as_number().and_then(percent_of);
            if fitting.is_none() {
                part.fault("percent", "must be a number from 0 to 100");
            }
            fitting
        }
    };
    fields.absorb(part.finish());
    Some(Progress::new(step?, of?, percent))
}

/// The whole percent of a number from 0 to 100.
fn percent_of(number: &Number) -> Option<u32> {
    let number = Decimal::from_number(number);
    let percent = u32::try_from(number.truncated()?).ok()?;
    let is_within = percent < 100 || number.to_i64() == Some(100);
    (is_within && !number.is_negative()).then_some(percent)
}

fn log(fields: &mut Fields<'_>, sent: Option<&RawValue>) -> Vec<Box<RawValue>> {
    fields.expect("log");
    match sent.map(|raw| serde_json::from_str::<Option<Vec<_>>>(raw.get())) {
        None | Some(Ok(None)) => Vec::new(),
        Some(Ok(Some(entries))) => entries,
        Some(Err(_no_array)) => {
            fields.absorb(Fault::new("/log", "must be an array"));
            Vec::new()
        }
    }
}
