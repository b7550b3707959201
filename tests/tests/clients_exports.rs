//! Both exports are NDJSON that `DuckDB` and Polars read, with every digit and every time.

use postern_tests::sink::{Behaviour, Sink};
use postern_tests::{python, stack};
use serde_json::json;

#[tokio::test]
async fn duckdb_and_polars_read_every_line_with_every_digit_and_time() {
    let (project, sink) = (stack::project("tables").await, Sink::start().await);
    sink.always("/a", Behaviour::with_body(503, "busy\nline two"));
    project
        .listen("w", &sink.url("/a"), &json!({ "events": ["order.*"], "retry_schedule_s": [3_600] }))
        .await;
    let arguments = [project.api.base.as_str(), project.token.as_str(), project.name.as_str()];
    let summary = python::run("exports/requirements", "tests/clients/exports/read.py", &arguments).await;
    assert_eq!(summary["events"], json!(4), "{summary}");
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 60), "{summary}");
}
