//! schemathesis, unmodified, over `/openapi.json` of the real Worker with every check on: what the
//! description says is what the Worker does, for good and for bad input, and whatever the order of calls.

use postern_tests::stack::ADMIN_TOKEN;
use postern_tests::{python, stack};
use serde_json::json;

/// Which cases it draws.
const SEED: &str = "20261121";
/// Cases that are too few to have looked at everything.
const CASES_MIN: u64 = 1_000;

#[tokio::test]
async fn schemathesis_finds_nothing_that_the_description_does_not_say() {
    let project = stack::project("schemathesis").await;
    let arguments = [project.api.base.as_str(), ADMIN_TOKEN, project.name.as_str(), SEED];
    let summary =
        python::run("schemathesis/requirements", "tests/clients/schemathesis/drive.py", &arguments).await;
    assert_eq!((&summary["failures"], &summary["errors"]), (&json!([]), &json!([])));
    for phase in ["examples", "coverage", "fuzzing", "stateful"] {
        assert_eq!(summary["phases"][phase]["status"], "success", "{phase}: {summary}");
    }
    let described = operations(
        &stack::shared().await.anonymous().try_get("/openapi.json").await.expect("it is served").json(),
    );
    // All but the live feed, which is a WebSocket (`api_live`).
    assert_eq!(summary["operations"]["tested"].as_u64(), Some(described - 1), "{summary}");
    assert!(summary["test_cases"]["generated"].as_u64().is_some_and(|cases| cases >= CASES_MIN), "{summary}");
}

fn operations(document: &serde_json::Value) -> u64 {
    let items = document["paths"].as_object().into_iter().flatten();
    items
        .map(|(_, item)| {
            item.as_object().into_iter().flatten().filter(|(key, _)| *key != "parameters").count() as u64
        })
        .sum()
}
