//! The run of core's vector files in a place that is not the host (`tests/vectors`): what it must tell.

use std::fs;

use serde_json::Value;

use crate::artefacts;

/// Panics unless the run told that every case of every file was checked and that each holds.
///
/// The cases are counted here, from the files, so that neither an empty run nor a module of yesterday passes.
pub fn assert_all_hold(told: &str) {
    let told: Value =
        serde_json::from_str(told).unwrap_or_else(|fault| panic!("the run must tell JSON ({fault}): {told}"));
    let failures: Vec<&str> =
        told["failures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(failures.is_empty(), "{} vectors do not hold here:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(told["failures"], Value::Array(Vec::new()));
    assert_eq!(told["cases"].as_u64(), Some(cases_in_files()), "{told}");
}

/// How many cases `core/vectors/*.json` hold; no file is empty.
fn cases_in_files() -> u64 {
    let folder = artefacts::root().join("core/vectors");
    let files =
        fs::read_dir(&folder).unwrap_or_else(|fault| panic!("{} cannot be read: {fault}", folder.display()));
    let counts: Vec<u64> = files
        .map(|file| {
            let path = file.expect("a folder's entries can be read").path();
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|fault| panic!("{} cannot be read: {fault}", path.display()));
            let content = serde_json::from_str(&text)
                .unwrap_or_else(|fault| panic!("{} is not JSON: {fault}", path.display()));
            let cases = cases_in(&content);
            assert_ne!(cases, 0, "{} holds no case", path.display());
            cases
        })
        .collect();
    assert!(!counts.is_empty(), "{} holds no file", folder.display());
    counts.iter().sum()
}

/// A file is a list of cases, or an object of such lists.
fn cases_in(content: &Value) -> u64 {
    match content {
        Value::Array(cases) => cases.len() as u64,
        Value::Object(lists) => lists.values().map(cases_in).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_passes_only_with_all_cases_and_no_failure() {
        let told = |cases: u64, failures: Value| json!({ "cases": cases, "failures": failures }).to_string();
        assert_all_hold(&told(cases_in_files(), json!([])));
        for bad in [
            told(0, json!([])),
            told(cases_in_files() - 1, json!([])),
            told(cases_in_files(), json!(["egress.json: x"])),
        ] {
            assert!(catch_unwind(|| assert_all_hold(&bad)).is_err(), "{bad}");
        }
        assert!(catch_unwind(|| assert_all_hold("{}")).is_err(), "nothing was told");
    }

    #[test]
    fn the_lists_of_a_file_are_added_up() {
        assert_eq!(cases_in(&json!([{ "cases": [] }, {}])), 2);
        assert_eq!(cases_in(&json!({ "sign": [1, 2], "verify": [3], "note": "x" })), 3);
    }
}
