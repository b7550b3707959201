//! A project's configuration as a document, and webhooks of other systems, from outside.

use postern_core::config::{Action, PlanView};
use postern_core::import::PreviewView;
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::sink::Sink;
use postern_tests::stack;
use postern_tests::stack::Stack;
use serde_json::{Value, json};

async fn document(project: &Project) -> Value {
    project.get("config").await.expect(200).json()
}

async fn plan(project: &Project, document: &Value) -> PlanView {
    project.post("config/plan", &json!({ "document": document, "prune": false })).await.expect(200).read()
}

async fn plan_pruned(project: &Project, document: &Value) -> PlanView {
    project.post("config/plan", &json!({ "document": document, "prune": true })).await.expect(200).read()
}

/// A project with one of everything that a configuration holds.
async fn furnished(label: &str, url: &str) -> Project {
    let project = stack::project(label).await;
    let headers = json!([{ "key": "Authorization", "value": "Bearer hush-hush", "protected": true }, { "key": "X-Open", "value": "1" }]);
    project
        .listen(
            "full",
            url,
            &json!({ "headers": headers, "timeout_s": 20, "labels": { "team": "a" }, "filter": { "field": "n", "gt": 0 } }),
        )
        .await;
    project
        .listen("quiet", url, &json!({ "contract": "ubiops", "events": ["deployment_request_failed"] }))
        .await;
    project
        .post(
            "event-types",
            &json!({ "name": "order.paid", "description": "Paid.", "schema": { "type": "object" } }),
        )
        .await
        .expect(201);
    project
}

#[tokio::test]
async fn a_configuration_is_read_without_secrets_and_applying_it_changes_nothing() {
    let project = furnished("readback", "http://127.0.0.1:1024/").await;
    let shown = project.get("config").await.expect(200);
    assert!(
        !shown.body.contains("hush-hush") && !shown.body.contains("whsec_") && !shown.body.contains("s1."),
        "{}",
        shown.body
    );
    assert_eq!(shown.json()["webhooks"][0]["secret"], json!({ "keep": true }));
    let before = project.census().await;
    let planned = plan_pruned(&project, &shown.json()).await;
    assert_eq!((planned.changes.len(), planned.text.as_str()), (0, "Nothing changes.\n"));
    assert_eq!(shown.header("etag"), Some(format!("\"{}\"", planned.base).as_str()));
    let applied: PlanView = project
        .post("config/apply", &json!({ "document": shown.json(), "prune": true, "expect": planned.base }))
        .await
        .expect(200)
        .read();
    assert_eq!((applied.changes.len(), &applied.base), (0, &planned.base));
    assert_eq!(project.census().await, before);
}

/// What we export we take back, also where it is longer than any other body may be.
#[tokio::test]
async fn a_long_configuration_of_our_own_is_taken_back() {
    let project = stack::project("long-config").await;
    for number in 0..5 {
        let example = "x".repeat(240_000);
        let kind = json!({ "name": format!("long.t{number}"), "description": "", "example": example });
        project.post("event-types", &kind).await.expect(201);
    }
    let shown = project.get("config").await.expect(200);
    assert!(shown.body.len() > 1_100_000, "{} bytes", shown.body.len());
    let planned = plan_pruned(&project, &shown.json()).await;
    assert_eq!(planned.text, "Nothing changes.\n");
    let body = json!({ "document": shown.json(), "prune": true, "expect": planned.base });
    let applied: PlanView = project.post("config/apply", &body).await.expect(200).read();
    assert_eq!((applied.changes.len(), applied.base), (0, planned.base));
}

#[tokio::test]
async fn what_is_planned_is_what_is_applied_and_secrets_stay() {
    let sink = Sink::start().await;
    let project = furnished("applied", &sink.url("/hook")).await;
    let secret = project.secret("full").await;
    let mut wanted = document(&project).await;
    wanted["settings"]["retention_days"] = json!(7);
    wanted["event_types"] = json!([{ "name": "order.sent" }]);
    wanted["webhooks"][0]["timeout_s"] = json!(5);
    wanted["webhooks"][1] = json!({ "name": "new", "url": sink.url("/new"), "events": ["order.*"] });
    let planned = plan_pruned(&project, &wanted).await;
    let said: Vec<(Action, &str)> =
        planned.changes.iter().map(|change| (change.action, change.name.as_str())).collect();
    assert_eq!(
        said,
        [
            (Action::Update, ""),
            (Action::Create, "order.sent"),
            (Action::Delete, "order.paid"),
            (Action::Update, "full"),
            (Action::Create, "new"),
            (Action::Delete, "quiet"),
        ]
    );
    assert!(planned.text.contains("~ webhook full\n    timeout_s: 20 -> 5\n"), "{}", planned.text);
    let unpruned = plan(&project, &wanted).await;
    assert!(unpruned.changes.iter().all(|change| change.action != Action::Delete));

    let body = json!({ "document": wanted, "prune": true, "expect": planned.base });
    let applied: PlanView = project.post("config/apply", &body).await.expect(200).read();
    assert_eq!(applied.changes, planned.changes);
    assert_ne!(applied.base, planned.base);
    assert_eq!(plan_pruned(&project, &wanted).await.changes, [], "applying it again would change nothing");
    assert_eq!(project.secret("full").await, secret, "the secret was kept");
    assert!(
        project.secret("new").await.is_some_and(|secret| secret.starts_with("whsec_")),
        "a new one was made"
    );
    project.get("webhooks/quiet").await.problem(ProblemType::NotFound);
    let event = project.event("order.sent", json!({ "n": 1 })).await;
    for webhook in ["full", "new"] {
        project.attempted(&event.id, webhook).await;
    }
    let calls = sink.received("/hook");
    assert_eq!(
        calls.last().and_then(|call| call.header("authorization")),
        Some("Bearer hush-hush"),
        "and the protected header too"
    );
    project.post("config/apply", &body).await.problem(ProblemType::StateConflict);
    let log = project.get("audit?limit=10").await.expect(200).json();
    assert!(
        log["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|item| item["action"] == "config.applied")),
        "{log}"
    );
}

#[tokio::test]
async fn a_document_with_faults_names_them_all_and_changes_nothing() {
    let project = furnished("faulty", "http://127.0.0.1:1024/").await;
    let before = project.census().await;
    let mut wanted = document(&project).await;
    wanted["settings"]["retention_days"] = json!(0);
    wanted["event_types"][0]["schema"] = json!({ "pattern": "x" });
    wanted["webhooks"][0]["url"] = json!("ftp://example.com/");
    wanted["webhooks"][1]["colour"] = json!("red");
    wanted["more"] = json!(1);
    for call in ["plan", "apply"] {
        project.post(&format!("config/{call}"), &json!({ "document": wanted, "prune": true })).await.faults(
            &[
                "/document/settings/retention_days",
                "/document/event_types/0/schema/pattern",
                "/document/webhooks/0/url",
                "/document/webhooks/1/colour",
                "/document/more",
            ],
        );
    }
    project.post("config/apply", &json!({ "prune": 1 })).await.faults(&["/document", "/prune"]);
    assert_eq!(project.census().await, before);
}

#[tokio::test]
async fn a_listing_of_another_system_becomes_a_document_that_applies() {
    let project = stack::project("import").await;
    let listing = json!({ "data": [
        { "id": "ep_1", "uid": "orders", "url": "http://127.0.0.1:1024/a", "filterTypes": ["order.paid"], "channels": ["c"], "rateLimit": 5 },
        { "id": "ep_2", "url": "ftp://example.com/" },
    ] });
    let preview: PreviewView = project
        .post("import/preview", &json!({ "from": "svix", "listing": listing }))
        .await
        .expect(200)
        .read();
    assert_eq!(preview.items.iter().map(|item| item.taken).collect::<Vec<_>>(), [true, false]);
    assert_eq!(project.census().await["webhooks"], json!([]), "a preview stores nothing");
    project.post("config/apply", &json!({ "document": preview.document })).await.expect(200);
    let webhook = project.get("webhooks/orders").await.expect(200).json();
    assert_eq!(
        (&webhook["rate_limit"], &webhook["signed"]),
        (&json!({ "calls": 5, "per_s": 1 }), &json!(true))
    );
    project
        .post("import/preview", &json!({ "from": "nobody", "listing": 7 }))
        .await
        .faults(&["/from", "/listing"]);
}

#[tokio::test]
async fn the_egress_policy_stands_at_both_doors() {
    let stack = Stack::start_strict().await;
    let project = stack.project("strict").await;
    let hostile = [
        "http://a.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "https://localhost/",
        "https://10.0.0.1/",
    ];
    for url in hostile {
        let document = json!({ "webhooks": [{ "name": "w", "url": url, "events": ["*"] }] });
        for call in ["plan", "apply"] {
            project
                .post(&format!("config/{call}"), &json!({ "document": document }))
                .await
                .faults(&["/document/webhooks/0/url"]);
        }
        let preview: PreviewView = project
            .post(
                "import/preview",
                &json!({ "from": "svix", "listing": { "data": [{ "id": "e", "url": url }] } }),
            )
            .await
            .expect(200)
            .read();
        assert!(!preview.items[0].taken && preview.document["webhooks"] == json!([]), "{url}");
    }
}
