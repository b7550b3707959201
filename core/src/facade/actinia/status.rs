//! What actinia's API says of a run, and what a run's callbacks carry.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json;
use crate::run::{CallbackKind, Entry, Progress, RunState};
use crate::time::Timestamp;

/// What a resource's id starts with; the run's UUID follows.
pub const RESOURCE_PREFIX: &str = "resource_id-";

/// Where the API starts, below the origin.
pub const BASE_PATH: &str = "/actinia/api/v3";

/// In front of every message of an error, with two spaces (docs/wire.md C.3).
const ERROR_PREFIX: &str = "AsyncProcessError:  ";

/// The part of a run that its status shows.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The user of actinia's words.
    pub project: &'a str,
    /// The run's bare UUID.
    pub uuid: &'a str,
    /// Where it came in.
    pub entry: &'a Entry,
    /// Where it stands.
    pub state: RunState,
    /// What was said last.
    pub message: &'a str,
    /// How far it is.
    pub progress: Option<Progress>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When anything was last said of it.
    pub updated_at: Timestamp,
    /// What is to be done; without passwords.
    pub chain: Option<&'a RawValue>,
    /// What came of it.
    pub results: Option<&'a RawValue>,
    /// What the executor logged.
    pub log: &'a [Box<RawValue>],
}

impl Facts<'_> {
    /// The HTTP status of an answer about it: 400 for an error, for every client (docs/wire.md C.3).
    #[must_use]
    pub const fn http_code(&self) -> u16 {
        match self.state {
            RunState::Error => 400,
            RunState::Accepted | RunState::Running | RunState::Finished | RunState::Terminated => 200,
        }
    }
}

/// The status response, in the order of actinia's documentation.
#[derive(Serialize)]
struct Shown<'a> {
    status: &'static str,
    user_id: &'a str,
    resource_id: String,
    queue: &'static str,
    accept_timestamp: f64,
    accept_datetime: String,
    timestamp: f64,
    datetime: String,
    time_delta: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_timestamp: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_datetime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_time_delta: Option<f64>,
    message: String,
    http_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Value>,
    process_results: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    process_log: Vec<Value>,
    process_chain_list: Vec<&'a RawValue>,
    urls: Value,
    api_info: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Value>,
}

/// What actinia's API says of a run (docs/wire.md C.3).
#[must_use]
pub fn status(facts: &Facts<'_>) -> String {
    let origin = &facts.entry.origin;
    let resource_id = format!("{RESOURCE_PREFIX}{}", facts.uuid);
    let message = message(facts.state, facts.message);
    let shown = Shown {
        status: facts.state.as_str(),
        user_id: facts.project,
        queue: "local",
        accept_timestamp: seconds(facts.created_at.0),
        accept_datetime: datetime(facts.created_at),
        timestamp: seconds(facts.updated_at.0),
        datetime: datetime(facts.updated_at),
        time_delta: seconds(facts.updated_at.ms_since(facts.created_at)),
        start_timestamp: facts.started_at.map(|at| seconds(at.0)),
        start_datetime: facts.started_at.map(datetime),
        process_time_delta: facts.started_at.map(|at| seconds(facts.updated_at.ms_since(at))),
        http_code: facts.http_code(),
        progress: facts.progress.map(|progress| json!({ "step": progress.step, "num_of_steps": progress.of })),
        process_results: results(facts.results),
        process_log: facts.log.iter().map(|entry| log_entry(entry)).collect(),
        process_chain_list: facts.chain.into_iter().collect(),
        urls: json!({
            "status": format!("{origin}{BASE_PATH}/resources/{}/{resource_id}", facts.project),
            "resources": [],
        }),
        api_info: json!({
            "endpoint": facts.entry.endpoint,
            "method": "POST",
            "path": facts.entry.path,
            "request_url": format!("{origin}{}", facts.entry.path),
        }),
        exception: (facts.state == RunState::Error)
            .then(|| json!({ "message": facts.message, "type": ERROR_PREFIX.trim_end_matches([':', ' ']), "traceback": [] })),
        message,
        resource_id,
    };
    serde_json::to_string(&shown).unwrap_or_else(|_never| String::from("{}"))
}

/// The body of a POST about a run: its status as JSON inside a JSON string (docs/wire.md C.5). An `update`
/// has neither log nor chain.
#[must_use]
pub fn callback_body(kind: CallbackKind, facts: &Facts<'_>) -> String {
    let text = match kind {
        CallbackKind::Update => {
            status(&Facts { state: RunState::Running, chain: None, results: None, log: &[], ..*facts })
        }
        CallbackKind::Finished | CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate => status(facts),
    };
    Value::from(text).to_string()
}

/// A message in actinia's form.
#[must_use]
pub fn message(state: RunState, message: &str) -> String {
    if state == RunState::Error && !message.starts_with(ERROR_PREFIX) {
        format!("{ERROR_PREFIX}{message}")
    } else {
        String::from(message)
    }
}

/// actinia's clients take an object or a string (docs/wire.md C.3).
pub(super) fn results(results: Option<&RawValue>) -> Value {
    let read = results.and_then(|raw| json::read(raw.get()).ok());
    match read {
        None | Some(Value::Null) => json!({}),
        Some(known @ (Value::Object(_) | Value::String(_))) => known,
        // By hand: `json!` would rewrite numbers.
        Some(other) => Value::Object([(String::from("value"), other)].into_iter().collect()),
    }
}

/// An entry of the log in actinia's form. Whatever else an executor logged becomes the output of a step
/// called `log`, because actinia's clients read nothing else.
fn log_entry(raw: &RawValue) -> Value {
    let entry = json::read(raw.get()).unwrap_or_default();
    let fits = entry["executable"].is_string()
        && entry["parameter"].is_array()
        && entry["stdout"].is_string()
        && entry["stderr"].is_array()
        && entry["return_code"].is_i64()
        && entry["run_time"].is_number();
    if fits {
        return entry;
    }
    let text = match entry {
        Value::String(text) => text,
        other => other.to_string(),
    };
    json!({ "executable": "log", "parameter": [], "stdout": text, "stderr": [""], "return_code": 0, "run_time": 0.0 })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// `2025-01-01 00:00:00.100000`
fn datetime(at: Timestamp) -> String {
    let text = at.to_rfc3339().replace('T', " ");
    format!("{}000", text.trim_end_matches('Z'))
}

/// An error that is about no resource: `{"status":"error","message":…}`.
#[must_use]
pub fn error(message: &str) -> String {
    json!({ "status": "error", "message": message }).to_string()
}
