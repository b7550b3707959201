//! The real `up42-py` SDK, unmodified, in the four releases of docs/wire.md B that differ: each logs in,
//! identifies its workspace and writes webhooks in a way of its own. The scripts assert; here their summaries
//! are checked, so that nothing was left out unnoticed.

use postern_tests::{python, stack};
use serde_json::{Value, json};

/// Every operation that the functions of the package have for webhooks.
const FUNCTIONS: [&str; 9] = [
    "authenticate",
    "create_webhook",
    "delete",
    "get_webhook_events",
    "get_webhooks",
    "info",
    "initialize_webhook",
    "trigger_test_events",
    "update",
];
/// Every operation that its records have.
const RECORDS: [&str; 7] =
    ["all", "authenticate", "delete", "get", "get_webhook_events", "save", "trigger_test_events"];

/// What a release's GET requests carry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Get {
    WithBody,
    WithoutBody,
}

async fn drive(release: &str, style: &str, operations: &[&str], get: Get) {
    let (project, stranger) = (stack::project("up42").await, stack::project("stranger").await);
    let requirements = format!("up42/requirements-{release}");
    let arguments =
        [&project.api.base, style, &project.name, &project.token, &stranger.name, &stranger.token];
    let summary = python::run(&requirements, "tests/clients/up42/drive.py", &arguments).await;
    assert_eq!((&summary["client"], &summary["style"]), (&json!(release), &json!(style)));
    assert_eq!(summary["operations"], json!(operations));
    let scenarios = summary["scenarios"].as_array().map_or(0, Vec::len);
    assert_eq!(scenarios, 10, "{}", summary["scenarios"]);
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 90), "{summary}");
    assert_eq!(summary["left"], Value::from(0), "the client deleted all it made");
    assert_eq!(summary["sends_bodies_with_get"], json!(get == Get::WithBody), "{summary}");
    assert_eq!(summary["failures"], json!([]), "nothing that a client sends is our failure");
}

#[tokio::test]
async fn release_0_33_1_drives_every_function() {
    drive("0.33.1", "functions", &FUNCTIONS, Get::WithBody).await;
}

#[tokio::test]
async fn release_0_37_2_drives_every_function() {
    drive("0.37.2", "functions", &FUNCTIONS, Get::WithBody).await;
}

#[tokio::test]
async fn release_1_1_1_drives_every_function() {
    drive("1.1.1", "functions", &FUNCTIONS, Get::WithoutBody).await;
}

#[tokio::test]
async fn release_1_1_1_drives_every_record() {
    drive("1.1.1", "records", &RECORDS, Get::WithoutBody).await;
}

#[tokio::test]
async fn release_2_6_0_drives_every_record() {
    drive("2.6.0", "records", &RECORDS, Get::WithoutBody).await;
}
