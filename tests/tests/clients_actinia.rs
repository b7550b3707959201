//! The real clients of actinia, unmodified, with the example executor at work; and actinia's own sender,
//! which delivers into an inbox. The scripts assert; here their summaries are checked, so that nothing was
//! left out unnoticed.

use postern_tests::client::Project;
use postern_tests::executor::Executor;
use postern_tests::{python, stack};
use serde_json::{Value, json};

/// Every operation of the generated client that has to do with runs (docs/wire.md C.2).
const OPERATIONS: [&str; 8] = [
    "locations_get",
    "locations_location_name_mapsets_mapset_name_processing_async_post",
    "locations_location_name_process_chain_validation_async_post",
    "locations_location_name_process_chain_validation_sync_post",
    "locations_location_name_processing_async_export_post",
    "resources_user_id_get",
    "resources_user_id_resource_id_delete",
    "resources_user_id_resource_id_get",
];

async fn drive(project: &Project, requirements: &str, script: &str) -> Value {
    let stranger = stack::project("stranger").await;
    let _executor = Executor::start(project).await;
    let arguments =
        [project.api.base.as_str(), project.name.as_str(), project.token.as_str(), stranger.token.as_str()];
    python::run(
        &format!("actinia/requirements-{requirements}"),
        &format!("tests/clients/actinia/{script}"),
        &arguments,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_client_drives_every_operation() {
    let summary = drive(&stack::project("openapi").await, "openapi-0.0.5", "openapi.py").await;
    assert_eq!((&summary["client"], &summary["operations"]), (&json!("0.0.5"), &json!(OPERATIONS)));
    assert_eq!(summary["scenarios"].as_array().map(Vec::len), Some(12), "{summary}");
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 80), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hand_written_client_drives_all_it_has() {
    let project = stack::project("hand").await;
    let summary = drive(&project, "python-0.4.1", "hand.py").await;
    assert_eq!(summary["client"], json!("0.4.1"));
    assert_eq!(summary["scenarios"].as_array().map(Vec::len), Some(10), "{summary}");
    assert!(summary["checks"].as_u64().is_some_and(|checks| checks >= 40), "{summary}");
}

#[tokio::test]
async fn actinia_itself_delivers_into_an_inbox() {
    let project = stack::project("sender").await;
    let inbox = project.inbox("i").await;
    let summary =
        python::run("actinia/requirements-core-7.1.2", "tests/clients/actinia/sender.py", &[&inbox.url])
            .await;
    assert_eq!((&summary["core"], &summary["processing"]), (&json!("7.1.2"), &json!("1.2.0")));
    let mut requests = project.inbox_requests(&inbox.id).await.items;
    requests.reverse();
    assert_eq!(
        requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(),
        ["HEAD", "HEAD", "POST", "POST"]
    );
    assert!(requests.iter().all(|request| request.answered == 200));
    for (request, status) in requests.iter().skip(2).zip(["running", "finished"]) {
        let decoded = postern_core::inbox::decoded(&request.body).expect("the body is JSON in a string");
        let decoded: Value = serde_json::from_str(&decoded).expect("what is decoded is JSON");
        assert_eq!((&decoded["status"], &decoded["message"]), (&json!(status), &json!("Größe \"1\"")));
    }
}
