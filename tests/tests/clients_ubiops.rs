//! The real `ubiops` client, unmodified, in two releases and against both versions of the API. The scripts
//! assert; here their summaries are checked, so that nothing was left out unnoticed.

use postern_tests::{python, stack};
use serde_json::{Value, json};

/// Every operation that the client has for webhooks (docs/wire.md A.2).
const OPERATIONS: [&str; 7] = [
    "webhook_tests_create",
    "webhook_tests_get",
    "webhooks_create",
    "webhooks_delete",
    "webhooks_get",
    "webhooks_list",
    "webhooks_update",
];

async fn drive(release: &str, version: &str) {
    let (project, stranger) = (stack::project("ubiops").await, stack::project("stranger").await);
    let requirements = format!("ubiops/requirements-{release}");
    let arguments = [
        project.api.base.as_str(),
        version,
        project.name.as_str(),
        project.token.as_str(),
        stranger.token.as_str(),
    ];
    let summary = python::run(&requirements, "tests/clients/ubiops/drive.py", &arguments).await;
    assert_eq!((&summary["client"], &summary["api"]), (&json!(release), &json!(version)));
    assert_eq!(summary["operations"], json!(OPERATIONS));
    let scenarios = summary["scenarios"].as_array().map_or(0, Vec::len);
    assert_eq!(scenarios, 14, "{}", summary["scenarios"]);
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 100), "{summary}");
    assert_eq!(summary["left"], Value::from(0), "the client deleted all it made");
}

#[tokio::test]
async fn release_4_1_0_drives_every_operation_of_v2_1() {
    drive("4.1.0", "v2.1").await;
}

#[tokio::test]
async fn release_4_1_0_drives_every_operation_of_v2() {
    drive("4.1.0", "v2").await;
}

#[tokio::test]
async fn release_4_15_0_drives_every_operation_of_v2_1() {
    drive("4.15.0", "v2.1").await;
}

#[tokio::test]
async fn release_4_15_0_drives_every_operation_of_v2() {
    drive("4.15.0", "v2").await;
}
