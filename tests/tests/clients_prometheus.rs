//! Metrics, of the deployment and of a project, as both parsers of `prometheus_client` read them.

use postern_core::delivery::State;
use postern_tests::python;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::{self, ADMIN_TOKEN};
use postern_tests::wait::{self, SOON};
use serde_json::json;

#[tokio::test]
async fn prometheus_reads_what_the_deployment_and_a_project_count() {
    let (project, sink) = (stack::project("metrics").await, Sink::start().await);
    sink.always("/dead", Behaviour::status(500));
    sink.always("/later", Behaviour::status(503));
    project.listen("good", &sink.url("/good"), &json!({ "events": ["a"] })).await;
    project.listen("dead", &sink.url("/dead"), &json!({ "events": ["b"], "retry": false })).await;
    project
        .listen("later", &sink.url("/later"), &json!({ "events": ["c"], "retry_schedule_s": [3_600] }))
        .await;
    project.listen("paused", &sink.url("/good"), &json!({ "events": ["d"], "paused": true })).await;
    for kind in ["a", "b", "c", "d"] {
        project.event(kind, json!({})).await;
    }
    wait::until("three attempts were made", SOON, async || {
        let page = project.deliveries("").await;
        page.items.iter().filter(|delivery| delivery.attempts > 0 && delivery.state != State::Leased).count()
            == 3
    })
    .await;
    let arguments = [project.api.base.as_str(), ADMIN_TOKEN, project.token.as_str(), project.name.as_str()];
    let summary =
        python::run("prometheus/requirements", "tests/clients/prometheus/read.py", &arguments).await;
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 100), "{summary}");
    let sample = |name: &str| summary["samples"][name].as_f64();
    for (name, value) in [
        ("up", 1.0),
        ("events_accepted_total", 4.0),
        ("attempts_total:2xx", 1.0),
        ("attempts_total:5xx", 2.0),
        ("attempts_total:timed_out", 0.0),
        ("deliveries_delivered_total", 1.0),
        ("attempt_duration_seconds_count", 3.0),
        ("attempt_duration_seconds_bucket:+Inf", 3.0),
        ("deliveries_open", 2.0),
        ("deliveries_held", 1.0),
        ("deliveries_dead", 1.0),
        ("deliveries_due", 0.0),
        ("deliveries_queued", 0.0),
        ("deliveries_sending", 0.0),
        ("oldest_due_age_seconds", 0.0),
    ] {
        assert_eq!(sample(name), Some(value), "{name}: {summary}");
    }
}
