//! One JSON object per line on the console: what Workers Logs indexes. Fields are for machines, `message` is
//! for people. Never logged: secrets, tokens, header values, bodies.

use std::fmt::{self, Display};

use serde_json::{Map, Value};

/// How much attention a line needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Something happened.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Somebody must act.
    Error,
}

/// Names one request, or one run of a handler, in logs, in problems and in the `x-request-id` header.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// A new id from eight random bytes.
    pub(crate) fn new(random: [u8; 8]) -> Self {
        Self(format!("{:016x}", u64::from_be_bytes(random)))
    }

    /// Sixteen hex digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the line of a request that was answered. `route` is its pattern, never its path: names and keys are
/// not for logs.
pub(crate) fn request(
    id: &RequestId,
    method: &str,
    route: &str,
    project: Option<&str>,
    status: u16,
    duration_ms: i64,
) {
    worker::console_log!("{}", request_line(id, method, route, project, status, duration_ms));
}

fn request_line(
    id: &RequestId,
    method: &str,
    route: &str,
    project: Option<&str>,
    status: u16,
    duration_ms: i64,
) -> String {
    serde_json::json!({
        "level": "info",
        "message": "request",
        "request_id": id.as_str(),
        "method": method,
        "route": route,
        "project": project,
        "status": status,
        "duration_ms": duration_ms,
    })
    .to_string()
}

/// Writes a line about something that happened.
pub(crate) fn info(id: &RequestId, message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Info, id, message, fields);
}

/// Writes a line about something that went wrong and was dealt with.
pub(crate) fn warn(id: &RequestId, message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Warn, id, message, fields);
}

/// Writes a line that somebody must act on.
pub(crate) fn error(id: &RequestId, message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Error, id, message, fields);
}

fn write(level: Level, id: &RequestId, message: &str, fields: &[(&str, &dyn Display)]) {
    let line = line(level, id, message, fields);
    match level {
        Level::Info => worker::console_log!("{line}"),
        Level::Warn => worker::console_warn!("{line}"),
        Level::Error => worker::console_error!("{line}"),
    }
}

/// The line's text.
fn line(level: Level, id: &RequestId, message: &str, fields: &[(&str, &dyn Display)]) -> String {
    let level = match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let mut object = Map::new();
    object.insert(String::from("level"), Value::from(level));
    object.insert(String::from("message"), Value::from(message));
    object.insert(String::from("request_id"), Value::from(id.as_str()));
    for (name, value) in fields {
        object.insert(String::from(*name), Value::from(value.to_string()));
    }
    Value::Object(object).to_string()
}

/// Makes a panic say where it happened. It must not happen: the other requests of the isolate die with it.
pub(crate) fn panics() {
    std::panic::set_hook(Box::new(|panic| {
        worker::console_error!(
            "{}",
            line(Level::Error, &RequestId::new([0; 8]), "panic", &[("error", panic)])
        );
    }));
}

/// An error with all its causes in one line: `a: b: c`.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_line() {
        let text =
            request_line(&RequestId::new([1; 8]), "GET", "/v1/projects/{project}", Some("p1"), 200, 12);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&read["status"], &read["duration_ms"], &read["project"]),
            (&Value::from(200), &Value::from(12), &Value::from("p1"))
        );
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_fields_hold() {
        let id = RequestId::new([0xab; 8]);
        let line = line(Level::Warn, &id, "queue refused", &[("error", &"two\nlines \"quoted\"")]);
        assert!(!line.contains('\n'));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["level"], "warn");
        assert_eq!(read["request_id"], "abababababababab");
        assert_eq!(read["error"], "two\nlines \"quoted\"");
    }
}
