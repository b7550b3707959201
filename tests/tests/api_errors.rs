//! Bad input, a table per route: each gets the status and problem of the native API, nothing is stored, and
//! the server answers afterwards.
//!
//! What a good body looks like is known for every route here; each test spoils one thing of it.

use postern_core::config::CONFIG_BYTES_MAX;
use postern_core::fault::BODY_BYTES_MAX;
use postern_core::import::LISTING_BYTES_MAX;
use postern_core::problem::ProblemType;
use postern_tests::client::{Api, Project, Reply};
use postern_tests::stack;
use reqwest::Method;
use serde_json::{Value, json};

/// What a route is open to.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Manage,
    Publish,
    Read,
}

/// One operation of the native API below a project. `{whk}` and so on stand for ids that exist.
struct Operation {
    method: Method,
    path: &'static str,
    needs: Needs,
    /// A body that is accepted; `None` if the operation takes no body.
    body: Option<Value>,
}

fn operations() -> Vec<Operation> {
    use Needs::{Manage, Publish, Read};
    let url = "http://127.0.0.1:1024/";
    let make = |method: &str, path, needs, body| Operation {
        method: Method::from_bytes(method.as_bytes()).expect("a method"),
        path,
        needs,
        body,
    };
    vec![
        make("GET", "tokens", Manage, None),
        make("POST", "tokens", Manage, Some(json!({ "name": "t", "role": "read" }))),
        make("DELETE", "tokens/{tok}", Manage, None),
        make("GET", "webhooks", Read, None),
        make("POST", "webhooks", Manage, Some(json!({ "name": "new", "url": url, "events": ["*"] }))),
        make("GET", "webhooks/w", Read, None),
        make("PATCH", "webhooks/w", Manage, Some(json!({ "retry": false }))),
        make("DELETE", "webhooks/w", Manage, None),
        make("GET", "webhooks/w/secret", Manage, None),
        make("POST", "webhooks/w/secret/rotate", Manage, Some(json!({ "overlap_s": 60, "kind": "v1" }))),
        make("POST", "webhooks/w/pause", Manage, None),
        make("POST", "webhooks/w/resume", Manage, None),
        make("POST", "webhooks/w/test", Manage, Some(json!({ "type": "order.paid", "data": {} }))),
        make("POST", "tests", Manage, Some(json!({ "url": url }))),
        make("GET", "event-types", Read, None),
        make(
            "POST",
            "event-types",
            Manage,
            Some(json!({ "name": "new.type", "description": "New.", "example": null })),
        ),
        make("GET", "event-types/known.type", Read, None),
        make("PATCH", "event-types/known.type", Manage, Some(json!({ "description": "Well known." }))),
        make("DELETE", "event-types/known.type", Manage, None),
        make("GET", "audit", Manage, None),
        make("GET", "config", Read, None),
        make("POST", "config/plan", Manage, Some(json!({ "document": { "webhooks": [] } }))),
        make("POST", "config/apply", Manage, Some(json!({ "document": {}, "prune": false }))),
        make("POST", "import/preview", Manage, Some(json!({ "from": "svix", "listing": [] }))),
        make("POST", "events", Publish, Some(json!({ "type": "order.paid", "data": {} }))),
        make(
            "POST",
            "events/batch",
            Publish,
            Some(json!({ "events": [{ "type": "order.paid", "data": {} }] })),
        ),
        make(
            "POST",
            "events/dry-run",
            Manage,
            Some(json!({ "type": "order.paid", "data": {}, "labels": {}, "order_key": "k" })),
        ),
        make("GET", "events/export", Read, None),
        make("GET", "metrics", Read, None),
        make("GET", "events", Read, None),
        make("GET", "events/{evt}", Read, None),
        make("GET", "events/{evt}/deliveries", Read, None),
        make("GET", "events/{evt}/decisions", Read, None),
        make("GET", "deliveries/export", Read, None),
        make("GET", "deliveries", Read, None),
        make("GET", "deliveries/count", Read, None),
        make("GET", "deliveries/histogram", Read, None),
        make("GET", "deliveries/{dlv}", Read, None),
        make("POST", "deliveries/{dlv}/retry", Manage, None),
        make("POST", "deliveries/{dlv}/cancel", Manage, None),
        make("GET", "replays", Read, None),
        make(
            "POST",
            "replays",
            Manage,
            Some(
                json!({ "webhook": "w", "since": "2026-01-01T00:00:00Z", "states": ["cancelled"], "types": ["none.such"], "dry_run": true }),
            ),
        ),
        make("GET", "replays/{rpl}", Read, None),
        make("POST", "replays/{rpl}/cancel", Manage, None),
        make("GET", "stats", Read, None),
        make("GET", "totals", Read, None),
        make("GET", "inboxes", Read, None),
        make("POST", "inboxes", Manage, Some(json!({ "name": "new" }))),
        make("GET", "inboxes/{ibx}", Read, None),
        make("PATCH", "inboxes/{ibx}", Manage, Some(json!({ "name": "other" }))),
        make("DELETE", "inboxes/{ibx}", Manage, None),
        make("GET", "inboxes/{ibx}/requests", Read, None),
        make("DELETE", "inboxes/{ibx}/requests", Manage, None),
    ]
}

/// A project in which everything that the operations name exists.
struct Furnished {
    project: Project,
    ids: Vec<(&'static str, String)>,
}

impl Furnished {
    async fn new(label: &str) -> Self {
        let project = stack::project(label).await;
        // A webhook that keeps a delivery open: nothing listens there, and it retries.
        project.listen("w", "http://127.0.0.1:1024/", &json!({})).await;
        let inbox = project.inbox("old").await;
        project
            .post("event-types", &json!({ "name": "known.type", "description": "Known.", "example": null }))
            .await
            .expect(201);
        let token =
            project.post("tokens", &json!({ "name": "extra", "role": "read" })).await.expect(201).json();
        let replay = project.post("replays", &json!({ "states": ["delivered"] })).await.expect(202).json();
        let event = project.event("order.paid", json!({})).await;
        let delivery = project.attempted(&event.id, "w").await;
        let token = String::from(token["token"]["id"].as_str().expect("a token has an id"));
        let replay = String::from(replay["id"].as_str().expect("a replay has an id"));
        let ids = vec![
            ("{tok}", token),
            ("{evt}", event.id),
            ("{dlv}", delivery.delivery.id),
            ("{ibx}", inbox.id),
            ("{rpl}", replay),
        ];
        Self { project, ids }
    }

    fn path(&self, operation: &Operation) -> String {
        let filled = self
            .ids
            .iter()
            .fold(String::from(operation.path), |path, (placeholder, id)| path.replace(placeholder, id));
        self.project.path(&filled)
    }

    async fn call(&self, api: &Api, operation: &Operation) -> Reply {
        api.send(operation.method.clone(), &self.path(operation), operation.body.as_ref()).await
    }

    /// Sends `body` as JSON to an operation that takes one.
    async fn with_body(&self, operation: &Operation, body: impl Into<reqwest::Body>) -> Reply {
        self.project
            .api
            .send_raw(
                operation.method.clone(),
                &self.path(operation),
                &[("content-type", "application/json")],
                body,
            )
            .await
    }

    /// What the project holds, without what time alone changes.
    async fn census(&self) -> Value {
        let mut census = self.project.census().await;
        for delivery in census["deliveries"].as_array_mut().into_iter().flatten() {
            for field in [
                "state",
                "attempts",
                "next_at",
                "updated_at",
                "last_result",
                "last_status",
                "last_duration_ms",
            ] {
                delivery[field] = Value::Null;
            }
        }
        for webhook in census["webhooks"].as_array_mut().into_iter().flatten() {
            webhook["health"] = Value::Null;
        }
        census
    }

    async fn still_works(&self) {
        assert!(self.project.event("order.paid", json!({ "after": true })).await.id.starts_with("evt_"));
    }
}

fn taking_a_body() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.body.is_some())
}

#[tokio::test]
async fn every_route_refuses_callers_without_a_right_to_it() {
    let furnished = Furnished::new("callers").await;
    let project = &furnished.project;
    let stranger = stack::project("stranger").await;
    let (read, publish, execute) =
        (project.token("read").await, project.token("publish").await, project.token("execute").await);
    let before = furnished.census().await;
    for operation in operations() {
        furnished.call(&project.api.without_token(), &operation).await.problem(ProblemType::Unauthorized);
        furnished
            .call(&project.api.with_token("pst_nonsense"), &operation)
            .await
            .problem(ProblemType::Unauthorized);
        furnished.call(&stranger.api, &operation).await.problem(ProblemType::ProjectNotFound);
        if operation.needs != Needs::Read {
            furnished.call(&project.api.with_token(&read), &operation).await.problem(ProblemType::Forbidden);
        }
        if operation.needs != Needs::Publish {
            furnished
                .call(&project.api.with_token(&publish), &operation)
                .await
                .problem(ProblemType::Forbidden);
        }
        furnished.call(&project.api.with_token(&execute), &operation).await.problem(ProblemType::Forbidden);
        let missing = furnished.path(&operation).replace(&format!("/{}/", project.name), "/no-such-project/");
        let admin = stack::shared().await.admin();
        admin
            .send(operation.method.clone(), &missing, operation.body.as_ref())
            .await
            .problem(ProblemType::ProjectNotFound);
    }
    assert_eq!(furnished.census().await, before, "refused calls store nothing");
    furnished.still_works().await;
}

#[tokio::test]
async fn every_route_that_takes_a_body_refuses_what_is_not_json() {
    let furnished = Furnished::new("notjson").await;
    let before = furnished.census().await;
    for operation in taking_a_body() {
        for body in ["{", "not json", "{\"a\":1,}", "[1,2", "{} {}"] {
            furnished.with_body(&operation, body).await.problem(ProblemType::MalformedJson);
        }
        furnished
            .with_body(&operation, vec![b'"', 0xff, 0xfe, b'"'])
            .await
            .problem(ProblemType::MalformedJson);
    }
    assert_eq!(furnished.census().await, before);
    furnished.still_works().await;
}

#[tokio::test]
async fn every_route_that_takes_a_body_refuses_other_types_and_unknown_fields() {
    let furnished = Furnished::new("types").await;
    let before = furnished.census().await;
    for operation in taking_a_body() {
        for body in [json!([]), json!("text"), json!(7), json!(null), json!(true)] {
            furnished.with_body(&operation, body.to_string()).await.faults(&[""]);
        }
        let mut body = operation.body.clone().expect("the operation takes a body");
        body["no/such~field"] = json!(1);
        furnished.with_body(&operation, body.to_string()).await.faults(&["/no~1such~0field"]);
        let wrong: serde_json::Map<String, Value> =
            fields(&operation).into_iter().map(|name| (name, json!({ "unfit": [1] }))).collect();
        let named = furnished
            .with_body(&operation, Value::Object(wrong).to_string())
            .await
            .problem(ProblemType::InvalidInput);
        for name in fields(&operation)
            .iter()
            .filter(|name| !["data", "example", "document", "listing"].contains(&name.as_str()))
        {
            assert!(
                named.errors.iter().any(|fault| fault.pointer.starts_with(&format!("/{name}"))),
                "{} {name}: {:?}",
                operation.path,
                named.errors
            );
        }
    }
    assert_eq!(furnished.census().await, before);
    furnished.still_works().await;
}

fn fields(operation: &Operation) -> Vec<String> {
    let body = operation.body.as_ref().and_then(Value::as_object);
    body.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[tokio::test]
async fn every_route_that_takes_a_body_refuses_one_over_the_limit() {
    let furnished = Furnished::new("large").await;
    let before = furnished.census().await;
    for operation in taking_a_body() {
        let padded = |bytes: usize| {
            let body = operation.body.as_ref().expect("the operation takes a body").to_string();
            format!("{}{body}", " ".repeat(bytes - body.len()))
        };
        // A configuration, or another system's listing, may be larger than an event.
        let max = match operation.path.split_once('/') {
            Some(("config", _)) => CONFIG_BYTES_MAX,
            Some(("import", _)) => LISTING_BYTES_MAX,
            _ => BODY_BYTES_MAX,
        };
        furnished.with_body(&operation, padded(max + 1)).await.problem(ProblemType::BodyTooLarge);
        furnished.with_body(&operation, vec![b'x'; 2 * max]).await.problem(ProblemType::BodyTooLarge);
    }
    assert_eq!(furnished.census().await, before);
    let event = json!({ "type": "a", "data": 1 }).to_string();
    let full = format!("{}{event}", " ".repeat(BODY_BYTES_MAX - event.len()));
    let events = furnished.project.path("events");
    furnished
        .project
        .api
        .send_raw(Method::POST, &events, &[("content-type", "application/json")], full)
        .await
        .expect(202);
}

#[tokio::test]
async fn every_route_that_takes_a_body_wants_it_to_be_called_json() {
    let furnished = Furnished::new("media").await;
    let before = furnished.census().await;
    for operation in taking_a_body() {
        let body = operation.body.as_ref().expect("the operation takes a body").to_string();
        for media_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            let reply = furnished
                .project
                .api
                .send_raw(
                    operation.method.clone(),
                    &furnished.path(&operation),
                    &[("content-type", media_type)],
                    body.clone(),
                )
                .await;
            reply.problem(ProblemType::UnsupportedMediaType);
        }
    }
    assert_eq!(furnished.census().await, before);
    let body = json!({ "type": "a", "data": 1 }).to_string();
    let spelled = [("content-type", "Application/JSON; charset=utf-8")];
    furnished
        .project
        .api
        .send_raw(Method::POST, &furnished.project.path("events"), &spelled, body)
        .await
        .expect(202);
}

#[tokio::test]
async fn every_route_names_the_methods_that_it_knows() {
    let furnished = Furnished::new("verbs").await;
    let before = furnished.census().await;
    let all = operations();
    for operation in &all {
        let known: Vec<&Method> =
            all.iter().filter(|other| other.path == operation.path).map(|other| &other.method).collect();
        for method in [Method::PUT, Method::TRACE, Method::DELETE, Method::PATCH, Method::POST, Method::GET] {
            // A client library may refuse to send TRACE; a path's own methods are right ones.
            if method == Method::TRACE
                || known.contains(&&method)
                || (operation.path == "tests" && method == Method::GET)
            {
                continue;
            }
            let reply = furnished.project.api.send(method, &furnished.path(operation), None).await;
            reply.problem(ProblemType::MethodNotAllowed);
            let allow = reply.header("allow").unwrap_or_default();
            assert!(
                known.iter().all(|method| allow.contains(method.as_str())),
                "{}: Allow: {allow}",
                operation.path
            );
        }
    }
    assert_eq!(furnished.census().await, before);
    furnished.still_works().await;
}

#[tokio::test]
async fn every_route_that_names_a_thing_says_when_there_is_none() {
    let (furnished, stranger) = (Furnished::new("things").await, Furnished::new("stranger").await);
    let nobody = "00000000-0000-7000-8000-000000000000";
    let before = furnished.census().await;
    for operation in operations() {
        let spoil = |to: &str| {
            let known = ["webhooks/w", "event-types/known.type"];
            let path = known.iter().fold(String::from(operation.path), |path, name| {
                path.replace(name, &format!("{}/nobody", name.split('/').next().unwrap_or_default()))
            });
            ["tok", "evt", "dlv", "ibx", "rpl"]
                .iter()
                .fold(path, |path, prefix| path.replace(&format!("{{{prefix}}}"), &to.replace('*', prefix)))
        };
        if spoil("x") == operation.path {
            continue;
        }
        for id in [
            format!("*_{nobody}"),
            String::from("x"),
            String::from("%00"),
            format!("evt_{nobody}"),
            "a".repeat(300),
        ] {
            let path = furnished.project.path(&spoil(&id));
            furnished
                .project
                .api
                .send(operation.method.clone(), &path, operation.body.as_ref())
                .await
                .problem(ProblemType::NotFound);
        }
        if operation.path.contains('{') {
            // Another project's thing, asked for in mine.
            let foreign = stranger.path(&operation).replace(&stranger.project.name, &furnished.project.name);
            furnished
                .project
                .api
                .send(operation.method.clone(), &foreign, operation.body.as_ref())
                .await
                .problem(ProblemType::NotFound);
        }
    }
    assert_eq!(furnished.census().await, before);
    stranger.still_works().await;
}

#[tokio::test]
async fn every_paged_list_refuses_a_bad_page() {
    let furnished = Furnished::new("pages").await;
    let requests = format!("inboxes/{}/requests", furnished.ids[3].1);
    for list in [
        "webhooks",
        "events",
        "deliveries",
        "inboxes",
        "replays",
        "runs",
        "audit",
        "tokens",
        "event-types",
        &requests,
    ] {
        for limit in ["0", "201", "-1", "x", "1.5", "", "99999999999999999999"] {
            furnished.project.get(&format!("{list}?limit={limit}")).await.faults(&["?limit"]);
        }
        // What is listed by name goes on after a name: any text has its place there.
        if !["webhooks", "event-types"].contains(&list) {
            furnished.project.get(&format!("{list}?cursor=%00nonsense")).await.faults(&["?cursor"]);
        }
    }
    furnished.project.get("deliveries?state=asleep").await.faults(&["?state"]);
    furnished.project.get("webhooks?label=no-colon").await.faults(&["?label"]);
    furnished.still_works().await;
}

#[tokio::test]
async fn statistics_exports_and_dry_runs_refuse_bad_queries() {
    let furnished = Furnished::new("queries").await;
    let table: [(&str, &[&str]); 12] = [
        ("stats?bucket=week", &["?bucket"]),
        ("stats?since=yesterday&until=1", &["?since", "?until"]),
        ("stats?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", &["?until"]),
        ("stats?since=2020-01-01T00:00:00Z", &["?since"]),
        ("stats?limit=1", &["?limit"]),
        ("events/export?state=dead&webhook=w", &["?state", "?webhook"]),
        ("events/export?since=x", &["?since"]),
        ("events/export?cursor=x&limit=3", &["?cursor", "?limit"]),
        ("deliveries/export?state=asleep", &["?state"]),
        ("deliveries/export?since=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00Z", &["?until"]),
        ("replays?state=running", &["?state"]),
        ("events/export?type=%zz", &["?"]),
    ];
    for (path, pointers) in table {
        furnished.project.get(path).await.faults(pointers);
    }
    furnished.project.get("stats?webhook=nobody").await.problem(ProblemType::NotFound);
    let event = json!({ "type": "order.paid", "data": {} });
    furnished.project.post("events/dry-run?event=a", &event).await.faults(&["?event"]);
    furnished.project.post("events/dry-run?webhook=nobody", &event).await.problem(ProblemType::NotFound);
    furnished.still_works().await;
}

#[tokio::test]
async fn what_the_engine_is_told_is_checked_field_by_field() {
    let furnished = Furnished::new("engine").await;
    let before = furnished.census().await;
    let webhooks: [(Value, &[&str]); 16] = [
        (json!({ "retry_schedule_s": [0] }), &["/retry_schedule_s/0"]),
        (json!({ "retry_schedule_s": [1, 604_801] }), &["/retry_schedule_s/1"]),
        (json!({ "retry_schedule_s": vec![1; 21] }), &["/retry_schedule_s"]),
        (json!({ "rate_limit": { "calls": 0 } }), &["/rate_limit/calls", "/rate_limit/per_s"]),
        (
            json!({ "rate_limit": { "calls": 10_001, "per_s": 3_601 } }),
            &["/rate_limit/calls", "/rate_limit/per_s"],
        ),
        (json!({ "concurrency_limit": 0 }), &["/concurrency_limit"]),
        (json!({ "concurrency_limit": 101 }), &["/concurrency_limit"]),
        (json!({ "ordered": "yes", "paused": 1 }), &["/ordered", "/paused"]),
        (json!({ "filter": { "field": "a" } }), &["/filter"]),
        (
            json!({ "filter": { "and": [{ "field": "a", "gt": true }, { "or": [] }] } }),
            &["/filter/and/0/gt", "/filter/and/1/or"],
        ),
        (json!({ "filter": { "field": "a", "near": 1 } }), &["/filter/near"]),
        (json!({ "filter": 7 }), &["/filter"]),
        (json!({ "event_labels": { "env": 7 } }), &["/event_labels/env"]),
        (json!({ "secret": "whsk_AAAA" }), &["/secret"]),
        (json!({ "previous_secrets": [] }), &["/previous_secrets"]),
        (
            json!({ "retry_schedule_s": "5", "rate_limit": 5, "filter": [] }),
            &["/retry_schedule_s", "/rate_limit", "/filter"],
        ),
    ];
    for (patch, pointers) in webhooks {
        furnished.project.patch("webhooks/w", &patch).await.faults(pointers);
        let mut draft = json!({ "name": "new", "url": "http://127.0.0.1:1024/", "events": ["*"] });
        draft
            .as_object_mut()
            .expect("a draft is an object")
            .extend(patch.as_object().cloned().expect("a patch is an object"));
        furnished.project.post("webhooks", &draft).await.faults(pointers);
    }
    let bodies: [(&str, Value, &[&str]); 12] = [
        ("webhooks/w/secret/rotate", json!({ "overlap_s": -1 }), &["/overlap_s"]),
        ("webhooks/w/secret/rotate", json!({ "overlap_s": 604_801, "kind": "v2" }), &["/overlap_s", "/kind"]),
        ("webhooks/w/secret/rotate", json!({ "secret": "whsec_short" }), &["/secret"]),
        ("replays", json!({ "missing": true }), &["/webhook"]),
        ("replays", json!({ "missing": true, "webhook": "w", "states": ["dead"] }), &["/states"]),
        ("replays", json!({ "states": ["pending", "dead", "dead"] }), &["/states/0", "/states/2"]),
        ("replays", json!({ "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z" }), &["/until"]),
        ("replays", json!({ "types": ["a..b"], "dry_run": 1 }), &["/types/0", "/dry_run"]),
        ("events", json!({ "type": "postern.webhook.failing", "data": {} }), &["/type"]),
        (
            "events",
            json!({ "type": "a", "data": {}, "order_key": "", "labels": { "k": 1 } }),
            &["/order_key", "/labels/k"],
        ),
        ("events/dry-run", json!({ "type": "a b" }), &["/type", "/data"]),
        ("events/batch", json!({ "events": [{ "type": "postern.x", "data": 1 }] }), &["/events/0/type"]),
    ];
    for (path, body, pointers) in bodies {
        furnished.project.post(path, &body).await.faults(pointers);
    }
    let settings: [(Value, &[&str]); 5] = [
        (json!({ "retention_days": 0 }), &["/retention_days"]),
        (json!({ "retention_days": 366, "retry_schedule_s": 5 }), &["/retention_days", "/retry_schedule_s"]),
        (json!({ "retry_schedule_s": [5, "x"] }), &["/retry_schedule_s/1"]),
        (json!({ "name": "other" }), &["/name"]),
        (json!([]), &[""]),
    ];
    let project = format!("/v1/projects/{}", furnished.project.name);
    for (patch, pointers) in settings {
        furnished.project.api.send(Method::PATCH, &project, Some(&patch)).await.faults(pointers);
    }
    furnished.project.post("replays", &json!({ "webhook": "nobody" })).await.problem(ProblemType::NotFound);
    let read = furnished.project.api.with_token(&furnished.project.token("read").await);
    read.send(Method::PATCH, &project, Some(&json!({ "retention_days": 7 })))
        .await
        .problem(ProblemType::Forbidden);
    let mut after = furnished.census().await;
    after["tokens"] = before["tokens"].clone();
    assert_eq!(after, before);
    furnished.still_works().await;
}

#[tokio::test]
async fn a_path_that_nobody_knows_is_a_problem_too() {
    let furnished = Furnished::new("paths").await;
    for path in [
        "/v1/",
        "/v1/nothing",
        "/v1/projects/",
        "/v2/projects",
        &furnished.project.path("nothing"),
        &furnished.project.path("webhooks/w/nothing"),
        &furnished.project.path("events/batch/x"),
    ] {
        // Outside the API's folder the page answers.
        if path.starts_with("/v1/") {
            furnished.project.api.send(Method::GET, path, None).await.problem(ProblemType::NotFound);
        }
    }
    let page = furnished.project.api.send(Method::GET, "/p/anything/webhooks", None).await.expect(200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")),
        "{:?}",
        page.headers
    );
}

#[tokio::test]
async fn a_problem_names_the_request_under_which_it_is_logged() {
    let project = stack::project("ids").await;
    let reply = project.get("webhooks/nobody").await;
    let problem = reply.problem(ProblemType::NotFound);
    assert!(problem.request_id.as_deref().is_some_and(|id| !id.is_empty()));
    assert_eq!(problem.request_id.as_deref(), reply.header("x-request-id"));
    let good = project.get("webhooks").await.expect(200);
    assert_ne!(good.header("x-request-id"), reply.header("x-request-id"));
    assert_eq!(good.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_burst_of_bad_requests_does_not_stop_good_ones() {
    let furnished = Furnished::new("burst").await;
    let bodies = ["{", "[]", "{\"type\":7}", "\u{0}", "{\"type\":\"a\",\"data\":1,\"x\":1}"];
    let bad = futures_util::future::join_all((0..60).map(|n| {
        let events = furnished.project.path("events");
        let api = furnished.project.api.clone();
        async move {
            api.send_raw(
                Method::POST,
                &events,
                &[("content-type", "application/json")],
                bodies[n % bodies.len()],
            )
            .await
        }
    }));
    let good = futures_util::future::join_all((0..20).map(|n| furnished.project.event("good", json!(n))));
    let (bad, good) = tokio::join!(bad, good);
    assert!(
        bad.iter().all(|reply| reply.status == 400 || reply.status == 422),
        "{:?}",
        bad.iter().map(|reply| reply.status).collect::<Vec<_>>()
    );
    assert_eq!(good.len(), 20);
}

/// What the description says of a header holds on every operation that names it, whether this call needs the
/// header or not. A write that does not name it refuses it: whoever sends one counts on it.
#[tokio::test]
async fn a_header_is_checked_where_it_is_described_and_refused_by_writes_that_would_ignore_it() {
    let furnished = Furnished::new("headers").await;
    let document: Value =
        stack::shared().await.anonymous().try_get("/openapi.json").await.expect("it is served").json();
    let (mut checked, mut refused) = (Vec::new(), 0);
    for (pattern, item) in document["paths"].as_object().expect("paths") {
        let operations = item.as_object().into_iter().flatten().filter(|(name, _)| *name != "parameters");
        for (method, operation) in operations {
            let names = |name: &str| {
                let reference = format!("#/components/parameters/{name}");
                operation["parameters"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|parameter| parameter["$ref"] == reference.as_str()))
            };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or(Method::OPTIONS);
            let path = pattern.replace("{project}", &furnished.project.name).replace("{name}", "w");
            if names("IdempotencyKey") {
                for key in [String::from("x").repeat(129), String::from("k\u{f6}")] {
                    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
                    let reply = furnished
                        .project
                        .api
                        .send_raw(method.clone(), &path, &headers, "{\"dry_run\":true}")
                        .await;
                    let problem = reply.problem(ProblemType::InvalidInput);
                    let told: Vec<&str> = problem.errors.iter().map(|fault| fault.detail.as_str()).collect();
                    assert!(
                        told.iter().any(|detail| detail.starts_with("the Idempotency-Key header ")),
                        "{method} {path}: {told:?}"
                    );
                }
                checked.push(format!("{method} {pattern} Idempotency-Key"));
            }
            if names("IfMatch") {
                let headers = [("content-type", "application/json"), ("if-match", "none of ours")];
                let reply = furnished.project.api.send_raw(method.clone(), &path, &headers, "{}").await;
                reply.problem(ProblemType::VersionMismatch);
                checked.push(format!("{method} {pattern} If-Match"));
            }
            if method == Method::GET || !pattern.starts_with("/v1/projects/{project}") {
                continue;
            }
            for (described, header, value) in
                [("IdempotencyKey", "idempotency-key", "k"), ("IfMatch", "if-match", "\"1\"")]
            {
                if !names(described) {
                    let headers = [("content-type", "application/json"), (header, value)];
                    let reply = furnished.project.api.send_raw(method.clone(), &path, &headers, "{}").await;
                    let problem = reply.problem(ProblemType::InvalidInput);
                    let detail = &problem.errors[0].detail;
                    assert!(
                        detail.starts_with("this call does not support an I"),
                        "{method} {path}: {detail}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(checked.len() >= 15, "{checked:?}");
    assert!(refused >= 50, "{refused}");
    // The sample of the issue: an answer that keeps nothing needs no key, and checks it all the same.
    let headers = [("content-type", "application/json"), ("idempotency-key", &*"x".repeat(129))];
    let path = furnished.project.path("replays");
    let reply = furnished
        .project
        .api
        .send_raw(Method::POST, &path, &headers, "{\"webhook\":\"w\",\"dry_run\":true}")
        .await;
    reply.problem(ProblemType::InvalidInput);
}
