//! UbiOps' API as raw HTTP: what its client never sends, or never shows, is checked here; the client itself
//! is driven in `clients_ubiops`. Statuses and bodies are those of docs/wire.md A.6.

use postern_tests::client::{Api, Project, Reply};
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually, until};
use reqwest::Method;
use serde_json::{Value, json};

/// UbiOps' side of a project.
struct Ubiops {
    project: Project,
    api: Api,
    version: &'static str,
}

impl Ubiops {
    async fn new(label: &str) -> Self {
        let project = stack::project(label).await;
        let api = project.api.with_authorization(&format!("Token {}", project.token));
        Self { project, api, version: "v2.1" }
    }

    fn path(&self, rest: &str) -> String {
        format!("/ubiops/{}/projects/{}/{rest}", self.version, self.project.name)
    }

    async fn send(&self, method: Method, rest: &str, body: Option<&Value>) -> Reply {
        self.api.send(method, &self.path(rest), body).await
    }

    async fn create(&self, draft: &Value) -> Value {
        self.send(Method::POST, "webhooks", Some(draft)).await.expect(201).json()
    }

    /// What must not change when a request is refused.
    async fn census(&self) -> Value {
        json!([
            self.send(Method::GET, "webhooks", None).await.expect(200).json(),
            self.project.census().await
        ])
    }
}

/// The answer is an error in UbiOps' shape with this status, and mentions every word.
#[track_caller]
fn refused(reply: &Reply, status: u16, words: &[&str]) {
    assert_eq!(reply.status, status, "{}: {}", reply.call, reply.body);
    assert!(
        reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
        "{:?}",
        reply.headers
    );
    let body = reply.json();
    let error = body["error"]
        .as_str()
        .unwrap_or_else(|| panic!("{} must say {{\"error\": text}}: {}", reply.call, reply.body));
    for word in words {
        assert!(error.contains(word), "{}: {error:?} does not mention {word:?}", reply.call);
    }
}

fn draft(name: &str, url: &str) -> Value {
    json!({ "name": name, "url": url, "object_type": "deployment", "object_name": "d1", "event": "deployment_request_completed" })
}

/// A draft that is right but for what `more` sets.
fn with(more: Value) -> Value {
    let mut draft = draft("w", "http://127.0.0.1:1024/");
    if let (Some(draft), Value::Object(more)) = (draft.as_object_mut(), more) {
        draft.extend(more);
    }
    draft
}

#[tokio::test]
async fn a_created_webhook_has_every_field_of_the_client_and_the_documented_defaults() {
    let ubiops = Ubiops::new("ubishape").await;
    let made = ubiops.create(&draft("w", "http://127.0.0.1:1024/")).await;
    let mut fields: Vec<&str> = made.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "creation_date",
        "description",
        "enabled",
        "event",
        "headers",
        "id",
        "include_result",
        "labels",
        "last_updated",
        "name",
        "object_name",
        "object_type",
        "retry",
        "timeout",
        "url",
        "version",
    ];
    assert_eq!(fields, expected);
    for (field, value) in [
        ("description", json!("")),
        ("enabled", json!(true)),
        ("headers", json!([])),
        ("include_result", json!(false)),
        ("labels", json!({})),
        ("retry", json!(false)),
        ("timeout", json!(10)),
        ("version", Value::Null),
        ("object_type", json!("deployment")),
        ("object_name", json!("d1")),
        ("event", json!("deployment_request_completed")),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let id = made["id"].as_str().expect("an id");
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "a bare UUID: {id}");
    let native = ubiops.project.get("webhooks/w").await.expect(200).json();
    assert_eq!(
        (native["contract"].as_str(), native["id"].as_str()),
        (Some("ubiops"), Some(format!("whk_{id}").as_str()))
    );
}

#[tokio::test]
async fn both_versions_of_the_api_show_the_same_webhooks() {
    let ubiops = Ubiops::new("ubiversions").await;
    let made = ubiops.create(&draft("w", "http://127.0.0.1:1024/")).await;
    let older = Ubiops { version: "v2", project: ubiops.project.clone(), api: ubiops.api.clone() };
    assert_eq!(older.send(Method::GET, "webhooks", None).await.expect(200).json(), json!([made]));
    assert_eq!(older.send(Method::GET, "webhooks/w", None).await.expect(200).json(), made);
    assert_eq!(older.send(Method::DELETE, "webhooks/w", None).await.expect(204).body, "");
    refused(&ubiops.send(Method::GET, "webhooks/w", None).await, 404, &[]);
    let unknown = ubiops
        .api
        .send(Method::GET, &format!("/ubiops/v3/projects/{}/webhooks", ubiops.project.name), None)
        .await;
    refused(&unknown, 404, &[]);
}

#[tokio::test]
async fn only_webhooks_of_its_own_contract_are_listed() {
    let ubiops = Ubiops::new("ubiown").await;
    ubiops.project.listen("native", "http://127.0.0.1:1024/", &json!({})).await;
    ubiops.create(&draft("own", "http://127.0.0.1:1024/")).await;
    let list = ubiops.send(Method::GET, "webhooks", None).await.expect(200).json();
    assert_eq!(
        list.as_array().map(|list| list.iter().map(|webhook| webhook["name"].clone()).collect::<Vec<_>>()),
        Some(vec![json!("own")])
    );
    refused(&ubiops.send(Method::GET, "webhooks/native", None).await, 404, &[]);
    assert!(
        matches!(
            ubiops
                .send(Method::POST, "webhooks", Some(&draft("native", "http://127.0.0.1:1024/")))
                .await
                .status,
            400 | 409
        ),
        "names are unique in the project"
    );
}

#[tokio::test]
async fn the_list_is_filtered_by_labels_object_and_event() {
    let ubiops = Ubiops::new("ubifilter").await;
    for (name, more) in [
        ("a", json!({ "labels": { "team": "geo", "env": "prod" } })),
        ("b", json!({ "labels": { "team": "geo" }, "event": "deployment_request_failed" })),
        ("c", json!({ "object_type": "pipeline", "object_name": "p", "event": "pipeline_request_finished" })),
    ] {
        let mut draft = with(more);
        draft["name"] = json!(name);
        ubiops.create(&draft).await;
    }
    for (query, expected) in [
        ("", vec!["a", "b", "c"]),
        ("labels=team%3Ageo", vec!["a", "b"]),
        ("labels=team%3Ageo%2Cenv%3Aprod", vec!["a"]),
        ("labels=team:geo,env:prod", vec!["a"]),
        ("labels=team%3Amoon", vec![]),
        ("object_type=pipeline", vec!["c"]),
        ("event=deployment_request_failed", vec!["b"]),
        ("object_type=deployment&labels=env:prod&event=deployment_request_completed", vec!["a"]),
    ] {
        let list = ubiops.send(Method::GET, &format!("webhooks?{query}"), None).await.expect(200).json();
        let mut names: Vec<&str> = list
            .as_array()
            .expect("a bare array")
            .iter()
            .filter_map(|webhook| webhook["name"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected, "?{query}");
    }
    for query in ["labels=nocolon", "object_type=planet", "event=deployment_request_exploded"] {
        refused(&ubiops.send(Method::GET, &format!("webhooks?{query}"), None).await, 400, &[]);
    }
}

#[tokio::test]
async fn bad_drafts_are_refused_by_name_of_field_and_nothing_is_stored() {
    let ubiops = Ubiops::new("ubibad").await;
    ubiops.create(&draft("taken", "http://127.0.0.1:1024/")).await;
    let before = ubiops.census().await;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["name", "url", "object_type", "object_name", "event"]),
        (json!([]), &[]),
        (json!("text"), &[]),
        (with(json!({ "name": "x".repeat(65) })), &["name"]),
        (with(json!({ "name": "" })), &["name"]),
        (with(json!({ "name": 5 })), &["name"]),
        (with(json!({ "url": "nonsense" })), &["url"]),
        (with(json!({ "url": "ftp://example.com/" })), &["url"]),
        (with(json!({ "object_type": "planet" })), &["object_type"]),
        (with(json!({ "object_name": "" })), &["object_name"]),
        (with(json!({ "event": "deployment_request_exploded" })), &["event"]),
        (with(json!({ "event": "pipeline_request_failed" })), &["event"]),
        (with(json!({ "timeout": 0 })), &["timeout"]),
        (with(json!({ "timeout": 31 })), &["timeout"]),
        (with(json!({ "timeout": "10" })), &["timeout"]),
        (with(json!({ "enabled": "yes" })), &["enabled"]),
        (with(json!({ "retry": 1 })), &["retry"]),
        (with(json!({ "include_result": [] })), &["include_result"]),
        (with(json!({ "description": "x".repeat(401) })), &["description"]),
        (with(json!({ "labels": ["a"] })), &["labels"]),
        (with(json!({ "labels": { "a": 5 } })), &["labels"]),
        (with(json!({ "headers": { "a": "b" } })), &["headers"]),
        (with(json!({ "headers": [{ "key": "A", "value": "1" }] })), &["protected"]),
        (with(json!({ "headers": [{ "value": "1", "protected": false }] })), &["key"]),
        (with(json!({ "headers": [{ "key": "A", "protected": true }] })), &["value"]),
        (with(json!({ "headers": [{ "key": "A", "value": null, "protected": true }] })), &["value"]),
        (with(json!({ "headers": [{ "key": "webhook-id", "value": "1", "protected": true }] })), &["key"]),
        (with(json!({ "unknown": 5 })), &["unknown"]),
        (
            with(json!({ "timeout": 99, "event": "x", "description": 7 })),
            &["timeout", "event", "description"],
        ),
    ];
    for (body, words) in cases {
        refused(&ubiops.send(Method::POST, "webhooks", Some(&body)).await, 400, words);
    }
    let taken = ubiops.send(Method::POST, "webhooks", Some(&draft("taken", "http://127.0.0.1:1024/"))).await;
    assert!(matches!(taken.status, 400 | 409), "{}", taken.body);
    refused(&taken, taken.status, &["name"]);
    assert_eq!(ubiops.census().await, before);
}

#[tokio::test]
async fn bad_updates_are_refused_and_change_nothing() {
    let ubiops = Ubiops::new("ubibadupd").await;
    ubiops.create(&draft("w", "http://127.0.0.1:1024/")).await;
    ubiops.create(&draft("other", "http://127.0.0.1:1024/")).await;
    let before = ubiops.census().await;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({ "name": "x".repeat(65) }), &["name"]),
        (json!({ "name": "other" }), &["name"]),
        (json!({ "event": "pipeline_request_failed" }), &["event"]),
        (json!({ "timeout": 31 }), &["timeout"]),
        (json!({ "object_type": "pipeline" }), &["object_type"]),
        (json!({ "object_name": "d2" }), &["object_name"]),
        (json!({ "version": "v2" }), &["version"]),
        (json!({ "headers": [{ "key": "New", "protected": true }] }), &["value"]),
        (json!({ "description": "fine", "url": "" }), &["url"]),
        (json!([]), &[]),
    ];
    for (body, words) in cases {
        let reply = ubiops.send(Method::PATCH, "webhooks/w", Some(&body)).await;
        assert!(matches!(reply.status, 400 | 409), "{body}: {} {}", reply.status, reply.body);
        refused(&reply, reply.status, words);
    }
    refused(&ubiops.send(Method::PATCH, "webhooks/nobody", Some(&json!({ "retry": true }))).await, 404, &[]);
    assert_eq!(ubiops.census().await, before);
}

#[tokio::test]
async fn errors_of_every_route_have_the_shape_of_ubiops() {
    let ubiops = Ubiops::new("ubierrors").await;
    let stranger = stack::project("stranger").await;
    ubiops.create(&draft("w", "http://127.0.0.1:1024/")).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let test = json!({ "url": "http://127.0.0.1:1024/", "object_type": "deployment", "object_name": "d1", "event": "deployment_request_failed" });
    let routes = [
        (Method::GET, String::from("webhooks"), None),
        (Method::POST, String::from("webhooks"), Some(draft("new", "http://127.0.0.1:1024/"))),
        (Method::GET, String::from("webhooks/w"), None),
        (Method::PATCH, String::from("webhooks/w"), Some(json!({ "retry": true }))),
        (Method::DELETE, String::from("webhooks/w"), None),
        (Method::POST, String::from("webhooks-tests"), Some(test)),
        (Method::GET, format!("webhooks-tests/{nobody}"), None),
    ];
    let before = ubiops.census().await;
    for (method, rest, body) in &routes {
        let path = ubiops.path(rest);
        for authorization in ["Token nonsense", "Token ", "Basic abc", "nonsense"] {
            refused(
                &ubiops
                    .api
                    .with_authorization(authorization)
                    .send(method.clone(), &path, body.as_ref())
                    .await,
                401,
                &[],
            );
        }
        refused(&ubiops.api.without_token().send(method.clone(), &path, body.as_ref()).await, 401, &[]);
        let foreign = ubiops.api.with_authorization(&format!("Token {}", stranger.token));
        refused(&foreign.send(method.clone(), &path, body.as_ref()).await, 404, &[]);
        let admin = ubiops.api.with_authorization(&format!("Token {}", stack::ADMIN_TOKEN));
        let missing = path.replace(&ubiops.project.name, "no-such-project");
        refused(&admin.send(method.clone(), &missing, body.as_ref()).await, 404, &[]);
        refused(&ubiops.send(Method::PUT, rest, Some(&json!({}))).await, 405, &[]);
        if body.is_some() {
            let raw = async |body: Vec<u8>| {
                ubiops
                    .api
                    .send_raw(method.clone(), &path, &[("content-type", "application/json")], body)
                    .await
            };
            refused(&raw(b"{not json".to_vec()).await, 400, &[]);
            refused(&raw(vec![b'x'; 300 * 1024]).await, 413, &[]);
        }
    }
    let reader = ubiops.api.with_authorization(&format!("Token {}", ubiops.project.token("read").await));
    refused(&reader.send(Method::DELETE, &ubiops.path("webhooks/w"), None).await, 403, &[]);
    refused(&ubiops.send(Method::GET, &format!("webhooks-tests/{nobody}"), None).await, 404, &[]);
    refused(&ubiops.send(Method::GET, "webhooks-tests/nonsense", None).await, 404, &[]);
    refused(&ubiops.send(Method::GET, "deployments", None).await, 404, &[]);
    // The reader's token is the one thing that was made meanwhile.
    assert_eq!(ubiops.census().await[0], before[0]);
}

#[tokio::test]
async fn a_token_is_taken_with_either_word_before_it() {
    let ubiops = Ubiops::new("ubitoken").await;
    for word in ["Token", "Bearer", "token"] {
        let api = ubiops.api.with_authorization(&format!("{word} {}", ubiops.project.token));
        api.send(Method::GET, &ubiops.path("webhooks"), None).await.expect(200);
    }
    // The client sends a content type with GET and DELETE, and no body (docs/wire.md A.1).
    ubiops.create(&draft("w", "http://127.0.0.1:1024/")).await;
    let typed = [("content-type", "application/json")];
    ubiops.api.send_raw(Method::GET, &ubiops.path("webhooks/w"), &typed, "").await.expect(200);
    ubiops.api.send_raw(Method::DELETE, &ubiops.path("webhooks/w"), &typed, "").await.expect(204);
}

#[tokio::test]
async fn protected_values_are_hidden_kept_and_sent() {
    let (ubiops, sink) = (Ubiops::new("ubiprotected").await, Sink::start().await);
    let mut body = draft("w", &sink.url("/a"));
    body["headers"] = json!([{ "key": "Authorization", "value": "Token 9", "protected": true }, { "key": "X-A", "value": "1", "protected": false }]);
    ubiops.create(&body).await;
    let read = ubiops.send(Method::GET, "webhooks/w", None).await.expect(200);
    assert!(!read.body.contains("Token 9"));
    let hidden = &read.json()["headers"][0];
    assert_eq!(
        (hidden["key"].as_str(), &hidden["value"], hidden["protected"].as_bool()),
        (Some("Authorization"), &Value::Null, Some(true))
    );
    // docs/wire.md A.3: a missing and a null value alike keep what is stored.
    for kept in [
        json!({ "key": "Authorization", "protected": true }),
        json!({ "key": "authorization", "value": null, "protected": true }),
    ] {
        ubiops.send(Method::PATCH, "webhooks/w", Some(&json!({ "headers": [kept] }))).await.expect(200);
    }
    post(
        &ubiops.project,
        "deployment_request_completed",
        json!({ "request_id": "r1", "status": "completed" }),
    )
    .await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!((call.header("authorization"), call.header("x-a")), (Some("Token 9"), None));
    ubiops
        .send(Method::PATCH, "webhooks/w", Some(&json!({ "headers": null, "labels": null, "timeout": null })))
        .await
        .expect(200);
    let cleared = ubiops.send(Method::GET, "webhooks/w", None).await.expect(200).json();
    assert_eq!(
        (&cleared["headers"], &cleared["labels"], &cleared["timeout"]),
        (&json!([]), &json!({}), &json!(10))
    );
}

/// Posts an event about version v1 of the deployment d1.
async fn post(project: &Project, kind: &str, data: Value) -> String {
    let event = json!({ "type": kind, "data": data, "object": { "type": "deployment", "name": "d1", "version": "v1" } });
    let accepted = project.post("events", &event).await.expect(202).json();
    String::from(accepted["id"].as_str().expect("an event has an id"))
}

#[tokio::test]
async fn a_callback_has_the_documented_keys() {
    let (ubiops, sink) = (Ubiops::new("ubikeys").await, Sink::start().await);
    ubiops.create(&draft("w", &sink.url("/a"))).await;
    let data = json!({ "request_id": "req-1", "status": "completed", "result": { "x": 1 }, "deployment_id": "dep-1", "deployment_version_id": "ver-1", "text": "Done." });
    post(&ubiops.project, "deployment_request_completed", data).await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!(
        call.json(),
        json!({ "event": "deployment_request_completed", "deployment_id": "dep-1", "deployment_name": "d1", "deployment_version_id": "ver-1", "deployment_version_name": "v1", "request_id": "req-1", "status": "completed", "text": "Done." })
    );
    assert_eq!((call.method.as_str(), call.header("content-type")), ("POST", Some("application/json")));
    assert!(
        call.header("webhook-id").is_some()
            && call.header("webhook-timestamp").is_some()
            && call.header("webhook-signature").is_none()
    );
    assert!(call.header("user-agent").is_some_and(|agent| agent.starts_with("Postern/")));
}

#[tokio::test]
async fn finished_fires_on_completed_and_on_failed_and_on_nothing_else() {
    let (ubiops, sink) = (Ubiops::new("ubifinished").await, Sink::start().await);
    for (path, event) in [
        ("/finished", "deployment_request_finished"),
        ("/failed", "deployment_request_failed"),
        ("/started", "deployment_request_started"),
    ] {
        let mut body = draft(&path[1..], &sink.url(path));
        body["event"] = json!(event);
        ubiops.create(&body).await;
    }
    for (event, status) in [("started", "processing"), ("completed", "completed"), ("failed", "failed")] {
        post(
            &ubiops.project,
            &format!("deployment_request_{event}"),
            json!({ "request_id": "r", "status": status }),
        )
        .await;
    }
    let finished = sink.wait_for("/finished", 2).await;
    let mut statuses: Vec<Value> = finished.iter().map(|call| call.json()["status"].clone()).collect();
    statuses.sort_unstable_by_key(ToString::to_string);
    assert_eq!(statuses, ["completed", "failed"]);
    assert!(finished.iter().all(|call| call.json()["event"] == "deployment_request_finished"));
    assert_eq!((sink.wait_for("/failed", 1).await.len(), sink.wait_for("/started", 1).await.len()), (1, 1));
}

#[tokio::test]
async fn object_name_and_version_decide_who_hears() {
    let (ubiops, sink) = (Ubiops::new("ubiobject").await, Sink::start().await);
    for (path, object, version) in [
        ("/any", "d1", Value::Null),
        ("/v1", "d1", json!("v1")),
        ("/v2", "d1", json!("v2")),
        ("/d2", "d2", Value::Null),
    ] {
        let mut body = draft(&path[1..], &sink.url(path));
        (body["object_name"], body["version"]) = (json!(object), version);
        ubiops.create(&body).await;
    }
    post(
        &ubiops.project,
        "deployment_request_completed",
        json!({ "request_id": "r", "status": "completed" }),
    )
    .await;
    sink.wait_for("/any", 1).await;
    sink.wait_for("/v1", 1).await;
    let deliveries = ubiops.project.deliveries("limit=200").await;
    assert_eq!(deliveries.items.len(), 2, "the other version and the other deployment hear nothing");
}

#[tokio::test]
async fn a_result_is_included_on_request_and_up_to_16_kb() {
    let (ubiops, sink) = (Ubiops::new("ubiresult").await, Sink::start().await);
    let mut body = draft("w", &sink.url("/a"));
    body["include_result"] = json!(true);
    ubiops.create(&body).await;
    // `"x…"` is 16,000 bytes with its quotes; the next is one too many.
    for (characters, kept) in [(15_998, true), (15_999, false)] {
        let result = json!("x".repeat(characters));
        let before = sink.received("/a").len();
        post(
            &ubiops.project,
            "deployment_request_completed",
            json!({ "request_id": "r", "status": "completed", "result": result }),
        )
        .await;
        let body = sink.wait_for("/a", before + 1).await[before].json();
        assert_eq!(body.get("result").is_some(), kept, "{characters} characters");
    }
}

#[tokio::test]
async fn a_test_goes_from_pending_to_its_end_with_a_message() {
    let (ubiops, sink) = (Ubiops::new("ubitest").await, Sink::start().await);
    sink.always("/moved", Behaviour::with_header(302, "location", "/elsewhere"));
    sink.always("/broken", Behaviour::status(500));
    let nowhere = format!("http://127.0.0.1:{}/", stack::free_port());
    for (url, ending) in [
        (sink.url("/fine"), "completed"),
        (sink.url("/moved"), "completed"),
        (sink.url("/broken"), "failed"),
        (nowhere, "failed"),
    ] {
        let body = json!({ "url": url, "object_type": "pipeline", "object_name": "p1", "version": "v1", "event": "pipeline_request_completed", "timeout": 5,
            "headers": [{ "key": "X-Try", "value": "1", "protected": true }] });
        let made = ubiops.send(Method::POST, "webhooks-tests", Some(&body)).await.expect(201).json();
        assert_eq!((made["status"].as_str(), &made["error_message"]), (Some("pending"), &Value::Null));
        let id = made["id"].as_str().expect("a test has an id");
        let ended = eventually(&format!("the test of {url} ends"), SOON, async || {
            let test =
                ubiops.send(Method::GET, &format!("webhooks-tests/{id}"), None).await.expect(200).json();
            (test["status"] != "pending").then_some(test)
        })
        .await;
        assert_eq!(ended["status"], ending, "{url}: {ended}");
        assert_eq!(ended["error_message"].is_null(), ending == "completed", "{ended}");
    }
    sink.script("/again", [503, 200].map(Behaviour::status).to_vec());
    let body = json!({ "url": sink.url("/again"), "object_type": "pipeline", "object_name": "p1", "event": "pipeline_request_completed", "retry": true });
    let made = ubiops.send(Method::POST, "webhooks-tests", Some(&body)).await.expect(201).json();
    let path = format!("webhooks-tests/{}", made["id"].as_str().expect("a test has an id"));
    let status = async || ubiops.send(Method::GET, &path, None).await.expect(200).json()["status"].clone();
    sink.wait_for("/again", 1).await;
    assert_eq!(status().await, "pending", "its first call failed, and it is called again");
    until("the test that retries ends", SOON, async || status().await == "completed").await;
    assert_eq!(sink.count("/again"), 2);
    let call = sink.wait_for("/fine", 1).await.remove(0);
    assert_eq!(
        (call.header("x-try"), call.json()["event"].as_str(), call.json()["pipeline_name"].as_str()),
        (Some("1"), Some("pipeline_request_completed"), Some("p1"))
    );
    assert!(sink.received("/elsewhere").is_empty(), "a redirect is not followed");
    for (body, words) in [
        (json!({}), vec!["url", "object_type", "object_name", "event"]),
        (with(json!({ "timeout": 31 })), vec!["name", "timeout"]),
        (json!([]), vec![]),
    ] {
        refused(&ubiops.send(Method::POST, "webhooks-tests", Some(&body)).await, 400, &words);
    }
}
