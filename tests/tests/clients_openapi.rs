//! Clients that are generated from `/openapi.json`, one in Python and one in TypeScript, work with the real
//! Worker: a project, a webhook, events, a list by its cursor, a refusal. The generators have nothing to warn
//! of.

use postern_tests::python;
use postern_tests::stack::{self, ADMIN_TOKEN};
use serde_json::json;

#[tokio::test]
async fn a_python_client_is_generated_without_a_warning_and_works() {
    let base = stack::shared().await.base();
    let arguments = [base.as_str(), ADMIN_TOKEN, "generated-py"];
    let summary = python::run("openapi/requirements", "tests/clients/openapi/drive.py", &arguments).await;
    assert_eq!((&summary["client"], &summary["events"]), (&json!("openapi-python-client"), &json!(5)));
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 25), "{summary}");
}

#[tokio::test]
async fn a_typescript_client_is_generated_without_a_warning_and_works() {
    let base = stack::shared().await.base();
    let arguments = [base.as_str(), ADMIN_TOKEN, "generated-ts"];
    let summary = python::run_node("tests/clients/openapi/generate.mjs", &arguments).await;
    assert_eq!((&summary["client"], &summary["events"]), (&json!("openapi-typescript"), &json!(5)));
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 12), "{summary}");
}
