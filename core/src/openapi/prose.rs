//! Doc comments as readers of the API need them: they are written for readers of the source, and become
//! descriptions.

use serde_json::Value;

use crate::{api, condition, run, webhook};

/// How a reference to the repository's own documents starts; in brackets, it says nothing to readers of the
/// API.
const PAPERS: &str = "(docs/";

/// Makes every description of the document fit for readers of the API.
pub(super) fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                match member {
                    Value::String(text) if key == "description" => *text = readable(text),
                    other => tidy(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Paragraphs in one line, values instead of the names of constants, names instead of links to items, and
/// `null` for `None`.
pub(super) fn readable(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    let mut rest = without_papers(&paragraphs.join("\n\n"));
    let mut readable = String::new();
    while let Some((before, after)) = rest.split_once("[`") {
        let (path, after) = after.split_once("`]").unwrap_or((after, ""));
        let name = path.rsplit("::").next().unwrap_or(path);
        readable.push_str(before);
        match value_of(name) {
            Some(value) => readable.push_str(&value),
            None => readable.extend(["`", name, "`"]),
        }
        rest = String::from(after);
    }
    (readable + &rest).replace("`None`", "null")
}

/// The text without references to [`PAPERS`].
fn without_papers(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(PAPERS) {
        let (before, paper) = rest.split_at(start);
        kept.push_str(before.trim_end());
        rest = paper.split_once(')').map_or("", |(_, after)| after);
    }
    kept + rest
}

/// The value of a constant that descriptions name, with commas between thousands.
fn value_of(constant: &str) -> Option<String> {
    let value: usize = match constant {
        "CALLS_MAX" => webhook::RateLimit::CALLS_MAX as usize,
        "COUNTED_MAX" => api::replay::COUNTED_MAX as usize,
        "LOOKED_MAX" => api::replay::LOOKED_MAX as usize,
        "FOUND_CHARS_MAX" => condition::FOUND_CHARS_MAX,
        "HELD_MAX" => api::webhook::HELD_MAX as usize,
        "PER_S_MAX" => webhook::RateLimit::PER_S_MAX as usize,
        "RECENT_MAX" => api::webhook::RECENT_MAX as usize,
        "RETENTION_DAYS_MAX" => api::project::RETENTION_DAYS_MAX as usize,
        "STEPS_MAX" => run::STEPS_MAX as usize,
        "WEBHOOKS_MAX" => api::stats::WEBHOOKS_MAX,
        _ => return None,
    };
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    Some(grouped)
}
