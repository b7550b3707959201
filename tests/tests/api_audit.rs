//! The audit log from outside: who did what, from where, with the difference; and who may read it.

use postern_core::api::audit::{ActorKind, AuditAction, AuditEntry, SubjectKind};
use postern_core::api::page::Page;
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::stack;
use reqwest::Method;
use serde_json::{Value, json};

async fn log(project: &Project, query: &str) -> Vec<AuditEntry> {
    let page: Page<AuditEntry> = project.get(&format!("audit?limit=200&{query}")).await.expect(200).read();
    page.items
}

fn actions(entries: &[AuditEntry]) -> Vec<&'static str> {
    let mut actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    actions.reverse();
    actions
}

#[tokio::test]
async fn every_change_of_a_webhook_is_told_with_who_from_where_and_what() {
    let project = stack::project("audited").await;
    let header = |value: Option<&str>| json!([{ "key": "X-Key", "value": value, "protected": true }]);
    project.listen("w", "http://127.0.0.1:1024/", &json!({ "headers": header(Some("hush-hush-one")) })).await;
    let secret = project.secret("w").await.expect("a secret");
    let changed = project
        .patch("webhooks/w", &json!({ "timeout_s": 20, "headers": header(Some("hush-hush-two")) }))
        .await
        .expect(200);
    project.patch("webhooks/w", &json!({ "timeout_s": 20 })).await.expect(200);
    project.post_nothing("webhooks/w/pause").await.expect(200);
    project.post_nothing("webhooks/w/resume").await.expect(200);
    project.post("webhooks/w/secret/rotate", &json!({})).await.expect(200);
    project.delete("webhooks/w").await.expect(204);

    let entries = log(&project, "subject=webhook:w").await;
    assert_eq!(
        actions(&entries),
        [
            "webhook.created",
            "webhook.secret_read",
            "webhook.updated",
            "webhook.paused",
            "webhook.resumed",
            "webhook.secret_rotated",
            "webhook.deleted"
        ],
        "in order, and nothing for what changed nothing"
    );
    let updated = &entries[4];
    assert_eq!((updated.actor.kind, updated.actor.name.as_str()), (ActorKind::Token, "first"));
    assert_eq!(updated.request_id.as_deref(), changed.header("x-request-id"), "the request that did it");
    assert!(
        updated
            .address
            .as_deref()
            .is_some_and(|address| address.contains("127.0.0.1") || address.contains("::1")),
        "{updated:?}"
    );
    assert_eq!(
        (&updated.changes.0["timeout_s"].from, &updated.changes.0["timeout_s"].to),
        (&json!(10), &json!(20))
    );
    assert_eq!(updated.changes.0["headers"].to[0]["value"], "changed");
    let text = serde_json::to_string(&entries).expect("entries are JSON");
    for hidden in ["hush-hush-one", "hush-hush-two", secret.trim_start_matches("whsec_"), "s1.k1."] {
        assert!(!text.contains(hidden), "{hidden} is in the log: {text}");
    }
}

#[tokio::test]
async fn secrets_that_up42_s_client_is_shown_are_noted_once_for_each_reader() {
    let project = stack::project("readings").await;
    let secret = json!({ "contract": "up42", "events": ["job.status"], "secret": "hush-hush" });
    project.listen("shown", "http://127.0.0.1:1024/", &secret).await;
    project
        .listen(
            "without",
            "http://127.0.0.1:1024/",
            &json!({ "contract": "up42", "events": ["job.status"], "secret": null }),
        )
        .await;
    let me = project.api.send(Method::GET, "/up42/users/me", None).await.expect(200).json();
    let list = format!("/up42/workspaces/{}/webhooks", me["data"]["id"].as_str().expect("a user has an id"));
    let read = async |role: &str| {
        let api = project.api.with_token(&project.token(role).await);
        for _ in 0..3 {
            let shown = api.send(Method::GET, &list, None).await.expect(200);
            assert_eq!(shown.body.contains("hush-hush"), role == "manage", "{}", shown.body);
        }
    };
    read("read").await;
    assert_eq!(log(&project, "subject=webhook:shown").await.len(), 1, "who does not see it has not read it");
    read("manage").await;
    read("manage").await;
    assert_eq!(
        actions(&log(&project, "subject=webhook:shown").await),
        ["webhook.created", "webhook.secret_read", "webhook.secret_read"],
        "two tokens, three looks each"
    );
    assert_eq!(
        actions(&log(&project, "subject=webhook:without").await),
        ["webhook.created"],
        "there is no secret"
    );
}

#[tokio::test]
async fn every_kind_of_thing_is_in_the_log() {
    let stack = stack::shared().await;
    let project = stack.project("kinds").await;
    let token = project.post("tokens", &json!({ "name": "ci", "role": "publish" })).await.expect(201).json();
    let id = String::from(token["token"]["id"].as_str().expect("a token has an id"));
    let admin = Project { api: stack.admin(), ..project.clone() };
    admin.delete(&format!("tokens/{id}")).await.expect(204);
    project.post("event-types", &json!({ "name": "a" })).await.expect(201);
    project.patch("event-types/a", &json!({ "archived": true })).await.expect(200);
    project.delete("event-types/a").await.expect(204);
    project
        .api
        .send(Method::PATCH, &format!("/v1/projects/{}", project.name), Some(&json!({ "retention_days": 7 })))
        .await
        .expect(200);
    let inbox = project.inbox("i").await;
    project.patch(&format!("inboxes/{}", inbox.id), &json!({ "name": "j" })).await.expect(200);
    project.delete(&format!("inboxes/{}", inbox.id)).await.expect(204);
    project.post("replays", &json!({})).await.expect(202);

    let entries = log(&project, "").await;
    let expected = [
        "project.created",
        "token.created",
        "token.created",
        "token.deleted",
        "event_type.created",
        "event_type.updated",
        "event_type.deleted",
        "settings.updated",
        "inbox.created",
        "inbox.updated",
        "inbox.deleted",
        "replay.created",
    ];
    assert_eq!(actions(&entries), expected);
    let deleted = entries
        .iter()
        .find(|entry| entry.action == AuditAction::TokenDeleted)
        .expect("the deletion of the token");
    assert_eq!((deleted.actor.kind, deleted.actor.name.as_str()), (ActorKind::Admin, "ADMIN_TOKEN"));
    assert_eq!((deleted.subject.kind, deleted.subject.name.as_str()), (SubjectKind::Token, "ci"));
    let created = entries.last().expect("the project was made first");
    assert_eq!((created.action, created.actor.kind), (AuditAction::ProjectCreated, ActorKind::Admin));
}

#[tokio::test]
async fn the_log_is_paged_filtered_and_for_those_who_manage() {
    let project = stack::project("paged").await;
    for name in ["a", "b", "c"] {
        project.post("event-types", &json!({ "name": name })).await.expect(201);
    }
    let first: Page<AuditEntry> = project.get("audit?limit=2").await.expect(200).read();
    let cursor = first.next.expect("there is more");
    let rest: Page<AuditEntry> =
        project.get(&format!("audit?limit=200&cursor={cursor}")).await.expect(200).read();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 3, None));
    assert_eq!(log(&project, "subject=event_type").await.len(), 3);
    assert_eq!(log(&project, "subject=event_type:b").await.len(), 1);
    project.get("audit?subject=nothing&limit=0&x=1").await.faults(&["?subject", "?limit", "?x"]);
    project.get("audit?cursor=nonsense").await.faults(&["?cursor"]);
    for role in ["read", "publish", "execute"] {
        let other = Project { api: project.api.with_token(&project.token(role).await), ..project.clone() };
        other.get("audit").await.problem(ProblemType::Forbidden);
    }
    project.post("audit", &Value::Null).await.problem(ProblemType::MethodNotAllowed);
}
