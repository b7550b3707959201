//! What a chain may hold: three programs, and arguments that do no harm.

use serde_json::Value;

/// Programs that are run.
const SLEEP: &str = "/bin/sleep";
const TRUE: &str = "/bin/true";
const FALSE: &str = "/bin/false";
/// Seconds that a step may sleep.
const SLEEP_S_MAX: f64 = 60.0;
/// Steps of a chain at most.
const STEPS_MAX: usize = 1_000;

/// A step that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What its creator calls it.
    pub(crate) id: String,
    /// One of three programs.
    pub(crate) exe: &'static str,
    /// Its arguments, checked.
    pub(crate) params: Vec<String>,
}

/// The steps of a chain.
///
/// # Errors
/// What is wrong with which step, for the person who wrote the chain.
pub(crate) fn parse(chain: &Value) -> Result<Vec<Step>, String> {
    let list = chain["list"].as_array().ok_or("The chain has no list of steps.")?;
    if list.len() > STEPS_MAX {
        return Err(format!("The chain has {} steps; {STEPS_MAX} are the most.", list.len()));
    }
    list.iter()
        .enumerate()
        .map(|(index, step)| read(step).map_err(|fault| format!("Step {}: {fault}", index + 1)))
        .collect()
}

fn read(step: &Value) -> Result<Step, String> {
    let id = step["id"].as_str().unwrap_or_default().to_owned();
    let wanted = step["exe"].as_str().ok_or("has no exe; modules are not run here.")?;
    let exe = [SLEEP, TRUE, FALSE].into_iter().find(|known| *known == wanted);
    let exe = exe.ok_or_else(|| format!("{wanted} is not run here; {SLEEP}, {TRUE} and {FALSE} are."))?;
    let params = match &step["params"] {
        Value::Null => Vec::new(),
        Value::Array(params) => params
            .iter()
            .map(text_of)
            .collect::<Option<Vec<_>>>()
            .ok_or("params must be texts or numbers.")?,
        _ => return Err(String::from("params must be an array.")),
    };
    if exe == SLEEP {
        let [seconds] = params.as_slice() else {
            return Err(format!("{SLEEP} takes one number of seconds."));
        };
        // `sleep` itself would take `1d` or `infinity`, too.
        let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_plain || !seconds.parse::<f64>().is_ok_and(|seconds| seconds <= SLEEP_S_MAX) {
            return Err(format!("{SLEEP} takes 0 to {SLEEP_S_MAX} seconds."));
        }
    } else if !params.is_empty() {
        return Err(format!("{exe} takes no params."));
    }
    Ok(Step { id, exe, params })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn three_programs_are_run() {
        let chain = json!({"version": "1", "list": [
            {"id": "1", "exe": "/bin/sleep", "params": ["0.5"]}, {"id": "2", "exe": "/bin/true"}, {"id": "3", "exe": "/bin/false", "params": []},
        ]});
        let steps = parse(&chain).unwrap_or_default();
        assert_eq!(steps.iter().map(|step| step.exe).collect::<Vec<_>>(), [SLEEP, TRUE, FALSE]);
        assert_eq!(parse(&json!({"list": []})), Ok(Vec::new()));
    }

    #[test]
    fn nothing_else_is() {
        for step in [
            json!({"exe": "/bin/sh", "params": ["-c", "true"]}),
            json!({"exe": "sleep", "params": ["1"]}),
            json!({"exe": "/bin/../bin/true"}),
            json!({"module": "g.region"}),
            json!({"exe": "/bin/sleep"}),
            json!({"exe": "/bin/sleep", "params": ["1", "2"]}),
            json!({"exe": "/bin/sleep", "params": ["61"]}),
            json!({"exe": "/bin/sleep", "params": ["1d"]}),
            json!({"exe": "/bin/sleep", "params": ["infinity"]}),
            json!({"exe": "/bin/sleep", "params": ["1e9"]}),
            json!({"exe": "/bin/sleep", "params": ["--help"]}),
            json!({"exe": "/bin/sleep", "params": [-1]}),
            json!({"exe": "/bin/sleep", "params": "1"}),
            json!({"exe": "/bin/true", "params": ["--version"]}),
            json!("text"),
        ] {
            assert!(parse(&json!({ "list": [step] })).is_err(), "{step}");
        }
        assert!(parse(&json!({})).is_err());
    }
}
