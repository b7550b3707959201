//! UP42's API as raw HTTP: what its SDK never sends, or never shows, is checked here; the SDK itself is
//! driven in `clients_up42`. Paths and shapes are those of docs/wire.md B; callbacks are verified as
//! docs/wire.md B.5 says that UP42's receivers do.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use postern_tests::client::{Api, Project, Reply};
use postern_tests::sink::{Behaviour, Received, Sink};
use postern_tests::stack::{self, Stack};
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// UP42's side of a project, logged in.
struct Up42 {
    project: Project,
    api: Api,
    workspace: String,
}

impl Up42 {
    async fn new(label: &str) -> Self {
        Self::on(stack::project(label).await).await
    }

    async fn on(project: Project) -> Self {
        let token =
            log_in(&project.api, &password_form(&project.name, &project.token)).await.expect(200).json();
        let api = project.api.with_token(token["access_token"].as_str().expect("a login gives a token"));
        let me = api.send(Method::GET, "/up42/users/me", None).await.expect(200).json();
        Self { workspace: String::from(me["data"]["id"].as_str().expect("a user has an id")), project, api }
    }

    fn path(&self, rest: &str) -> String {
        format!("/up42/workspaces/{}/{rest}", self.workspace)
    }

    async fn send(&self, method: Method, rest: &str, body: Option<&Value>) -> Reply {
        self.api.send(method, &self.path(rest), body).await
    }

    /// What an answer holds, in its envelope.
    async fn data(&self, method: Method, rest: &str, body: Option<&Value>) -> Value {
        let reply = self.send(method, rest, body).await;
        assert!(matches!(reply.status, 200 | 201), "{}: {} {}", reply.call, reply.status, reply.body);
        let mut answer = reply.json();
        assert_eq!(
            answer.as_object().map(|answer| answer.keys().map(String::as_str).collect::<Vec<_>>()),
            Some(vec!["data", "error"])
        );
        assert_eq!(answer["error"], Value::Null);
        answer["data"].take()
    }

    /// Creates a webhook and gives its id.
    async fn create(&self, draft: &Value) -> String {
        let made = self.data(Method::POST, "webhooks", Some(draft)).await;
        String::from(made["id"].as_str().expect("a webhook has an id"))
    }

    /// What must not change when a request is refused.
    async fn census(&self) -> Value {
        json!([self.data(Method::GET, "webhooks", None).await, self.project.census().await])
    }
}

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];
const OAUTH: &str = "/up42/oauth/token";
const OPENID: &str = "/up42/realms/public/protocol/openid-connect/token";

fn password_form(project: &str, token: &str) -> String {
    format!("grant_type=password&username={project}&password={token}")
}

async fn log_in(api: &Api, form: &str) -> Reply {
    api.without_token().send_raw(Method::POST, OAUTH, &FORM, String::from(form)).await
}

/// The answer is an error in UP42's shape with this status, and mentions every word.
#[track_caller]
fn refused(reply: &Reply, status: u16, words: &[&str]) {
    assert_eq!(reply.status, status, "{}: {}", reply.call, reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"), "{}", reply.call);
    let body = reply.json();
    assert_eq!(
        (body.get("data"), &body["error"]["code"]),
        (Some(&Value::Null), &json!(status)),
        "{}: {}",
        reply.call,
        reply.body
    );
    let message = body["error"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{} must give a message: {}", reply.call, reply.body));
    assert!(!message.is_empty());
    for word in words {
        assert!(message.contains(word), "{}: {message:?} does not mention {word:?}", reply.call);
    }
}

fn draft(name: &str, url: &str) -> Value {
    json!({ "name": name, "url": url, "events": ["job.status"], "secret": null, "active": true })
}

/// A draft that is right but for what `more` sets.
fn with(more: Value) -> Value {
    let mut draft = draft("w", "http://127.0.0.1:1024/");
    if let (Some(draft), Value::Object(more)) = (draft.as_object_mut(), more) {
        draft.extend(more);
    }
    draft
}

fn sorted_keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_login_by_any_release_s_way_gives_a_token_and_never_a_member_named_error() {
    let project = stack::project("up42login").await;
    let (name, token) = (project.name.as_str(), project.token.as_str());
    let anyone = project.api.without_token();
    let basic = format!("Basic {}", STANDARD.encode(format!("{name}:{token}")));
    let newest = format!("{}&client_id=up42-sdk&scope=openid", password_form(name, token));
    let in_form = format!("grant_type=client_credentials&client_id={name}&client_secret={token}");
    for path in [OAUTH, OPENID] {
        for (api, form) in [
            (anyone.clone(), password_form(name, token)),
            (anyone.clone(), newest.clone()),
            (anyone.clone(), in_form.clone()),
            (anyone.with_authorization(&basic), String::from("grant_type=client_credentials")),
        ] {
            let answer = api.send_raw(Method::POST, path, &FORM, form.clone()).await.expect(200).json();
            assert_eq!(sorted_keys(&answer), ["access_token", "data", "expires_in", "token_type"], "{form}");
            assert_eq!(answer["data"]["accessToken"], answer["access_token"]);
            assert_eq!(answer["token_type"], "bearer");
            assert!(
                answer["expires_in"].as_u64().is_some_and(|seconds| seconds > 30),
                "the SDK renews 30 s earlier"
            );
            let bearer = api.with_token(answer["access_token"].as_str().expect("a token"));
            bearer.send(Method::GET, "/up42/users/me", None).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_login_that_fails_says_so_in_the_words_of_oauth() {
    let (project, stranger) = (stack::project("up42nologin").await, stack::project("stranger").await);
    let name = project.name.as_str();
    let wrong_end = format!("{}b", &project.token[..project.token.len() - 1]);
    for (form, status, error) in [
        (password_form(name, "nonsense"), 401, "invalid_grant"),
        (password_form(name, &wrong_end), 401, "invalid_grant"),
        (password_form(name, &stranger.token), 401, "invalid_grant"),
        (password_form("no-such-project", &project.token), 401, "invalid_grant"),
        (password_form("No Project!", "x"), 401, "invalid_grant"),
        (password_form(name, stack::ADMIN_TOKEN), 401, "invalid_grant"),
        (String::new(), 400, "invalid_request"),
        (String::from("grant_type=password"), 400, "invalid_request"),
        (String::from("grant_type=%zz"), 400, "invalid_request"),
        (String::from("{\"grant_type\":\"password\"}"), 400, "invalid_request"),
        (String::from("grant_type=refresh_token&refresh_token=x"), 400, "unsupported_grant_type"),
    ] {
        let reply = log_in(&project.api, &form).await;
        assert_eq!(reply.status, status, "{form}: {}", reply.body);
        let answer = reply.json();
        assert_eq!(answer["error"], error, "{form}: {}", reply.body);
        assert!(answer["error_description"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(
            !reply.body.contains(&wrong_end) && !reply.body.contains(stack::ADMIN_TOKEN),
            "nothing repeats a token"
        );
    }
    refused(&log_in(&project.api, &"x".repeat(9 * 1024)).await, 413, &["KiB"]);
    refused(&project.api.send(Method::GET, OAUTH, None).await, 405, &["POST"]);
    // Bytes that are not text are not a form either.
    let broken = project
        .api
        .without_token()
        .send_raw(Method::POST, OAUTH, &FORM, vec![0xff, 0xfe])
        .await
        .expect(400)
        .json();
    assert_eq!(broken["error"], "invalid_request");
}

#[tokio::test]
async fn every_way_to_ask_for_the_workspace_gives_the_same_one() {
    let up42 = Up42::new("up42space").await;
    let get = async |path: &str| up42.api.send(Method::GET, path, None).await.expect(200).json();
    assert_eq!(
        (up42.workspace.len(), up42.workspace.matches('-').count()),
        (36, 4),
        "a UUID: {}",
        up42.workspace
    );
    assert_eq!(
        get("/up42/realms/public/protocol/openid-connect/userinfo").await["sub"],
        up42.workspace.as_str()
    );
    assert_eq!(
        get(&format!("/up42/projects/{}", up42.project.name)).await["data"]["workspaceId"],
        up42.workspace.as_str()
    );
    let other = Up42::new("up42otherspace").await;
    assert_ne!(other.workspace, up42.workspace);
    refused(
        &up42.api.send(Method::GET, &format!("/up42/projects/{}", other.project.name), None).await,
        404,
        &[],
    );
    refused(&up42.api.send(Method::GET, &other.path("webhooks"), None).await, 404, &["workspace"]);
}

#[tokio::test]
async fn a_created_webhook_has_every_field_of_the_sdk() {
    let up42 = Up42::new("up42shape").await;
    let sent = json!({ "name": "w", "url": "http://127.0.0.1:1024/", "events": ["job.status", "order.status"], "secret": "hush", "active": true });
    let reply = up42.send(Method::POST, "webhooks", Some(&sent)).await.expect(201).json();
    let made = &reply["data"];
    assert_eq!(
        sorted_keys(made),
        ["active", "createdAt", "events", "id", "name", "secret", "updatedAt", "url"]
    );
    for field in ["name", "url", "events", "secret", "active"] {
        assert_eq!(made[field], sent[field], "{field}");
    }
    let id = made["id"].as_str().expect("an id");
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "a bare UUID: {id}");
    assert!(
        made["createdAt"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z') && time.contains('T') && time.contains('.'))
    );
    assert_eq!(&up42.data(Method::GET, &format!("webhooks/{id}"), None).await, made);
    assert_eq!(up42.data(Method::GET, "webhooks", None).await, json!([made]));
    let native = up42.project.get("webhooks/w").await.expect(200).json();
    assert_eq!(
        (native["contract"].as_str(), native["id"].as_str()),
        (Some("up42"), Some(format!("whk_{id}").as_str()))
    );
    assert_eq!((&native["signed"], &native["retry"]), (&json!(true), &json!(true)));
    let least = json!({ "name": "least", "url": "http://127.0.0.1:1024/", "events": ["job.status"] });
    let least = up42.data(Method::POST, "webhooks", Some(&least)).await;
    assert_eq!((&least["active"], &least["secret"]), (&json!(false), &json!("")));
}

#[tokio::test]
async fn a_put_replaces_what_up42_knows_and_nothing_else() {
    let up42 = Up42::new("up42put").await;
    let id = up42.create(&with(json!({ "secret": "hush" }))).await;
    up42.project
        .patch("webhooks/w", &json!({ "description": "kept", "timeout_s": 3, "retry": false }))
        .await
        .expect(200);
    let rest = format!("webhooks/{id}");
    let read = up42.data(Method::GET, &rest, None).await;
    let before = up42.project.get("webhooks/w").await.expect(200).json();
    // The SDK up to 1.0.3 reads a webhook and writes all of it back.
    up42.data(Method::PUT, &rest, Some(&read)).await;
    assert_eq!(
        up42.project.get("webhooks/w").await.expect(200).json(),
        before,
        "what is written back as it was makes no new version"
    );
    let body = json!({ "name": "w2", "url": "http://127.0.0.1:1025/x", "events": ["order.status"], "secret": null, "active": false });
    let changed = up42.data(Method::PUT, &rest, Some(&body)).await;
    for field in ["name", "url", "events", "active"] {
        assert_eq!(changed[field], body[field], "{field}");
    }
    assert_eq!(
        (&changed["secret"], &changed["id"], &changed["createdAt"]),
        (&json!(""), &read["id"], &read["createdAt"])
    );
    assert!(changed["updatedAt"].as_str() > read["updatedAt"].as_str());
    let native = up42.project.get("webhooks/w2").await.expect(200).json();
    assert_eq!(native["description"], "kept");
    assert_eq!(
        (&native["timeout_s"], &native["retry"], &native["signed"]),
        (&json!(3), &json!(false), &json!(false))
    );
    let secret = json!({ "name": "w2", "url": "http://127.0.0.1:1025/x", "events": ["order.status"], "secret": "ü".repeat(75), "active": false });
    assert_eq!(up42.data(Method::PUT, &rest, Some(&secret)).await["secret"], secret["secret"]);
    assert_eq!(up42.send(Method::DELETE, &rest, None).await.expect(204).body, "");
    for (method, body) in [(Method::GET, None), (Method::DELETE, None), (Method::PUT, Some(&secret))] {
        refused(&up42.send(method, &rest, body).await, 404, &["webhook"]);
    }
}

#[tokio::test]
async fn a_body_is_ignored_where_old_releases_send_one() {
    let up42 = Up42::new("up42body").await;
    let id = up42.create(&draft("w", "http://127.0.0.1:1024/")).await;
    let typed = [("content-type", "application/json")];
    for body in ["{}", "", "{not json"] {
        for path in [
            up42.path("webhooks"),
            up42.path(&format!("webhooks/{id}")),
            String::from("/up42/webhooks/events"),
            String::from("/up42/users/me"),
        ] {
            up42.api.send_raw(Method::GET, &path, &typed, body).await.expect(200);
        }
        up42.api
            .send_raw(Method::POST, &up42.path(&format!("webhooks/{id}/tests")), &typed, body)
            .await
            .expect(200);
    }
    up42.api.send_raw(Method::DELETE, &up42.path(&format!("webhooks/{id}")), &typed, "{}").await.expect(204);
}

#[tokio::test]
async fn the_events_are_those_of_up42_and_of_the_project_s_catalogue() {
    let up42 = Up42::new("up42events").await;
    let events = async || {
        up42.api.send(Method::GET, "/up42/webhooks/events", None).await.expect(200).json()["data"].take()
    };
    let own = events().await;
    assert_eq!(
        own.as_array().map(|own| own.iter().map(|event| event["name"].clone()).collect()),
        Some(vec![json!("job.status"), json!("order.status")])
    );
    assert_eq!(sorted_keys(&own[0]), ["category", "description", "documentation", "name", "title"]);
    let tile = with(json!({ "events": ["tile.ready"] }));
    refused(
        &up42.send(Method::POST, "webhooks", Some(&tile)).await,
        400,
        &["events.0", "tile.ready", "job.status"],
    );
    up42.project
        .post("event-types", &json!({ "name": "tile.ready", "description": "A tile is there." }))
        .await
        .expect(201);
    assert_eq!(
        (&events().await[2]["name"], &events().await[2]["description"]),
        (&json!("tile.ready"), &json!("A tile is there."))
    );
    let id = up42.create(&tile).await;
    // The catalogue only says what is offered: what a webhook listens to already may be written back.
    up42.project.delete("event-types/tile.ready").await.expect(204);
    let mut read = up42.data(Method::GET, &format!("webhooks/{id}"), None).await;
    read["name"] = json!("renamed");
    assert_eq!(
        up42.data(Method::PUT, &format!("webhooks/{id}"), Some(&read)).await["events"],
        json!(["tile.ready"])
    );
}

#[tokio::test]
async fn bad_bodies_are_refused_by_name_of_field_and_nothing_is_stored() {
    let up42 = Up42::new("up42bad").await;
    let taken = up42.create(&draft("taken", "http://127.0.0.1:1024/")).await;
    up42.create(&draft("other", "http://127.0.0.1:1024/")).await;
    let before = up42.census().await;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["name", "url", "events"]),
        (json!([]), &["object"]),
        (json!("text"), &[]),
        (with(json!({ "name": "x".repeat(65) })), &["name"]),
        (with(json!({ "name": "" })), &["name"]),
        (with(json!({ "name": 5 })), &["name"]),
        (with(json!({ "name": null })), &["name"]),
        (with(json!({ "url": "nonsense" })), &["url"]),
        (with(json!({ "url": "ftp://example.com/" })), &["url"]),
        (with(json!({ "url": "javascript:alert(1)" })), &["url"]),
        (with(json!({ "url": format!("http://127.0.0.1/{}", "x".repeat(5_000)) })), &["url"]),
        (with(json!({ "events": [] })), &["events"]),
        (with(json!({ "events": "job.status" })), &["events"]),
        // The typo of UP42's documentation.
        (with(json!({ "events": ["job.status, order.status"] })), &["events.0", "string of its own"]),
        (with(json!({ "events": ["job.status", "nothing.known"] })), &["events.1", "nothing.known"]),
        (with(json!({ "events": ["job.status", 5] })), &["events.1"]),
        (with(json!({ "events": ["*"] })), &["events.0"]),
        (with(json!({ "events": ["job.status", "job.status"] })), &["events.1", "twice"]),
        (with(json!({ "secret": "x".repeat(76) })), &["secret", "75"]),
        (with(json!({ "secret": 5 })), &["secret"]),
        (with(json!({ "active": "yes" })), &["active"]),
        (with(json!({ "active": null })), &["active"]),
        (with(json!({ "unknown": 5 })), &["unknown"]),
        (with(json!({ "name": 1, "events": {}, "active": 0 })), &["name", "events", "active"]),
        (with(json!({ "name": "other" })), &["\"other\" exists already"]),
    ];
    for (body, words) in &cases {
        let created = up42.send(Method::POST, "webhooks", Some(body)).await;
        refused(&created, 400, words);
        assert!(!created.body.contains("xxxxxxxxxxxxxxxxxxxxxxxxx"), "no fault repeats what may be a secret");
        refused(&up42.send(Method::PUT, &format!("webhooks/{taken}"), Some(body)).await, 400, words);
    }
    assert_eq!(up42.census().await, before);
}

#[tokio::test]
async fn errors_of_every_route_have_the_shape_of_up42() {
    let up42 = Up42::new("up42errors").await;
    let id = up42.create(&with(json!({ "secret": "hush" }))).await;
    let stranger = stack::project("stranger").await;
    let draft = draft("new", "http://127.0.0.1:1024/");
    let (one, tests) = (up42.path(&format!("webhooks/{id}")), up42.path(&format!("webhooks/{id}/tests")));
    let routes = [
        (Method::GET, String::from("/up42/users/me"), None),
        (Method::GET, String::from("/up42/realms/public/protocol/openid-connect/userinfo"), None),
        (Method::GET, format!("/up42/projects/{}", up42.project.name), None),
        (Method::GET, String::from("/up42/webhooks/events"), None),
        (Method::GET, up42.path("webhooks"), None),
        (Method::POST, up42.path("webhooks"), Some(draft.clone())),
        (Method::GET, one.clone(), None),
        (Method::PUT, one.clone(), Some(draft.clone())),
        (Method::DELETE, one.clone(), None),
        (Method::POST, tests.clone(), None),
    ];
    let before = up42.census().await;
    let unknown_token = format!("{}b", &up42.project.token[..up42.project.token.len() - 1]);
    for (method, path, body) in &routes {
        for authorization in
            ["Bearer nonsense", "Bearer ", "Basic abc", "nonsense", &format!("Bearer {}", stack::ADMIN_TOKEN)]
        {
            refused(
                &up42.api.with_authorization(authorization).send(method.clone(), path, body.as_ref()).await,
                401,
                &[],
            );
        }
        refused(&up42.api.without_token().send(method.clone(), path, body.as_ref()).await, 401, &["log in"]);
        refused(
            &up42.api.with_token(&unknown_token).send(method.clone(), path, body.as_ref()).await,
            401,
            &[],
        );
        if path.contains("/workspaces/") || path.contains("/projects/") {
            refused(
                &up42.api.with_token(&stranger.token).send(method.clone(), path, body.as_ref()).await,
                404,
                &[],
            );
        }
        refused(&up42.api.send(Method::PATCH, path, Some(&json!({}))).await, 405, &[]);
        if body.is_some() {
            let raw = async |kind: &str, body: Vec<u8>| {
                up42.api.send_raw(method.clone(), path, &[("content-type", kind)], body).await
            };
            refused(&raw("application/json", b"{not json".to_vec()).await, 400, &["JSON"]);
            refused(&raw("application/json", vec![0xff]).await, 400, &["UTF-8"]);
            refused(&raw("application/json", "[".repeat(1_000).into_bytes()).await, 400, &["nested"]);
            refused(&raw("text/plain", draft.to_string().into_bytes()).await, 400, &["application/json"]);
            refused(&raw("application/json", vec![b'x'; 300 * 1024]).await, 413, &["KiB"]);
        }
    }
    for path in [
        "/up42/",
        "/up42/nothing",
        "/up42/workspaces",
        &up42.path("webhooks/"),
        &up42.path("orders"),
        "/up42/%ff",
    ] {
        refused(&up42.api.send(Method::GET, path, None).await, 404, &[]);
    }
    for id in ["nonsense", "00000000-0000-7000-8000-000000000000", "..%2F", "%00", &format!("whk_{id}")] {
        refused(&up42.send(Method::GET, &format!("webhooks/{id}"), None).await, 404, &[]);
        refused(&up42.send(Method::POST, &format!("webhooks/{id}/tests"), None).await, 404, &[]);
    }
    assert_eq!(up42.census().await, before);
}

#[tokio::test]
async fn a_secret_is_shown_to_those_who_may_change_it_and_to_nobody_else() {
    let up42 = Up42::new("up42secret").await;
    let id = up42.create(&with(json!({ "secret": "hush-hush-42" }))).await;
    let rest = format!("webhooks/{id}");
    assert_eq!(up42.data(Method::GET, &rest, None).await["secret"], "hush-hush-42");
    let native = up42.project.get("webhooks/w").await.expect(200);
    assert!(!native.body.contains("hush-hush-42"), "the native API shows it only where it is asked for");
    assert_eq!(up42.project.secret("w").await.as_deref(), Some("hush-hush-42"));
    for role in ["read", "publish", "execute"] {
        let token = up42.project.token(role).await;
        let form = password_form(&up42.project.name, &token);
        let login = log_in(&up42.project.api, &form).await.expect(200).json();
        let api = up42.api.with_token(login["access_token"].as_str().expect("a token"));
        for path in [up42.path("webhooks"), up42.path(&rest)] {
            let reply = api.send(Method::GET, &path, None).await;
            assert!(!reply.body.contains("hush-hush-42"), "{}: {}", reply.call, reply.body);
            if role == "read" {
                let data = reply.expect(200).json()["data"].take();
                let shown = data.get(0).unwrap_or(&data);
                assert_eq!(shown["secret"], Value::Null, "not shown, and not said to be none: {shown}");
            } else {
                refused(&reply, 403, &[]);
            }
        }
        let body = draft("w", "http://127.0.0.1:1024/");
        for (method, path, body) in [
            (Method::POST, up42.path("webhooks"), Some(&body)),
            (Method::PUT, up42.path(&rest), Some(&body)),
            (Method::DELETE, up42.path(&rest), None),
            (Method::POST, up42.path(&format!("{rest}/tests")), None),
        ] {
            refused(&api.send(method, &path, body).await, 403, &["role"]);
        }
    }
    assert_eq!(up42.data(Method::GET, &rest, None).await["secret"], "hush-hush-42");
}

#[tokio::test]
async fn only_webhooks_of_its_own_contract_are_known() {
    let up42 = Up42::new("up42own").await;
    let native = up42.project.listen("native", "http://127.0.0.1:1024/", &json!({})).await;
    let other = native.id.trim_start_matches("whk_");
    assert_eq!(up42.data(Method::GET, "webhooks", None).await, json!([]));
    let body = draft("native", "http://127.0.0.1:1024/");
    for (method, rest, body) in [
        (Method::GET, format!("webhooks/{other}"), None),
        (Method::PUT, format!("webhooks/{other}"), Some(&body)),
        (Method::DELETE, format!("webhooks/{other}"), None),
        (Method::POST, format!("webhooks/{other}/tests"), None),
    ] {
        refused(&up42.send(method, &rest, body).await, 404, &[]);
    }
    refused(&up42.send(Method::POST, "webhooks", Some(&body)).await, 400, &["\"native\" exists already"]);
}

/// Verifies a callback as UP42's receivers do (docs/wire.md B.5), and that the body is covered. Gives the
/// listed names.
fn verify(call: &Received, secret: &str) -> Result<Vec<String>, String> {
    let header =
        |name: &str| call.header(name).ok_or_else(|| format!("no header {name}: {:?}", call.headers));
    let input = header("signature-input")?;
    let listed = input
        .strip_prefix("up42-sig=(")
        .and_then(|rest| rest.split_once(");"))
        .ok_or("the input names no headers")?;
    let names: Vec<String> = listed.0.split(' ').map(|name| String::from(name.trim_matches('"'))).collect();
    if names.iter().any(|name| name.to_lowercase() != *name) {
        return Err(String::from("names are in lower case"));
    }
    let created = listed.1.strip_prefix("created=").ok_or("the input says no time")?;
    if !(10..=20).contains(&created.len()) {
        return Err(String::from("a time has 10 to 20 digits"));
    }
    let created: u64 = created.parse().map_err(|fault| format!("the time is not a number: {fault}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    if created > now || now - created >= 300 {
        return Err(format!("made at {created}, now is {now}"));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for name in &names {
        mac.update(header(name)?.as_bytes());
    }
    let (label, signature) = header("signature")?.split_once('=').ok_or("the signature has no label")?;
    let signature = STANDARD.decode(signature).map_err(|fault| fault.to_string())?;
    if label != "up42-sig" || mac.verify_slice(&signature).is_err() {
        return Err(String::from("the signature is not that of the listed headers"));
    }
    let digest = format!("SHA-256={}", STANDARD.encode(Sha256::digest(&call.body)));
    if !names.iter().any(|name| name == "digest") || header("digest")? != digest {
        return Err(String::from("the body is not covered"));
    }
    Ok(names)
}

#[tokio::test]
async fn a_callback_arrives_signed_as_up42_s_receivers_verify() {
    let (up42, sink) = (Up42::new("up42signed").await, Sink::start().await);
    let secret = "any text: ü, 75 characters at most";
    up42.create(&json!({ "name": "signed", "url": sink.url("/signed"), "events": ["job.status"], "secret": secret, "active": true })).await;
    up42.create(&json!({ "name": "plain", "url": sink.url("/plain"), "events": ["job.status"], "secret": "", "active": true })).await;
    up42.create(&json!({ "name": "inactive", "url": sink.url("/inactive"), "events": ["job.status"], "secret": null, "active": false }))
        .await;
    up42.create(&json!({ "name": "orders", "url": sink.url("/orders"), "events": ["order.status"], "secret": null, "active": true })).await;
    let data = json!({ "status": "SUCCEEDED", "id": "ü", "n": 1 });
    up42.project.event("job.status", data.clone()).await;
    let call = sink.wait_for("/signed", 1).await.remove(0);
    assert_eq!(call.json(), json!({ "event": "job.status", "body": data }));
    assert_eq!(
        verify(&call, secret),
        Ok(vec![String::from("date"), String::from("digest")]),
        "{:?}",
        call.headers
    );
    assert!(verify(&call, "another").is_err());
    assert_eq!(
        call.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("date")).count(),
        1,
        "the platform adds none"
    );
    assert_eq!(call.header("content-type"), Some("application/json"));
    // Beside it the headers of Standard Webhooks, under the same text.
    let at = call.header("webhook-timestamp").expect("a time");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{}.{at}.{}", call.message_id(), call.text()).as_bytes());
    assert_eq!(
        call.header("webhook-signature"),
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())).as_str())
    );
    let plain = sink.wait_for("/plain", 1).await.remove(0);
    for name in ["digest", "signature-input", "signature", "webhook-signature"] {
        assert_eq!(plain.header(name), None, "nothing is signed without a secret");
    }
    up42.project.event("order.status", json!({ "status": "FULFILLED" })).await;
    assert_eq!(sink.wait_for("/orders", 1).await[0].json()["event"], "order.status");
    assert_eq!((sink.count("/signed"), sink.count("/inactive")), (1, 0));
}

#[tokio::test]
async fn a_changed_secret_signs_from_the_next_callback_on() {
    let (up42, sink) = (Up42::new("up42rekey").await, Sink::start().await);
    let mut body = json!({ "name": "w", "url": sink.url("/w"), "events": ["job.status"], "secret": "one", "active": true });
    let id = up42.create(&body).await;
    let mut count = 0;
    for secret in ["one", "two"] {
        body["secret"] = json!(secret);
        up42.data(Method::PUT, &format!("webhooks/{id}"), Some(&body)).await;
        up42.project.event("job.status", json!({})).await;
        count += 1;
        let call = sink.wait_for("/w", count).await.remove(count - 1);
        assert!(verify(&call, secret).is_ok(), "{secret}: {:?}", call.headers);
    }
    // A rotation makes a secret that UP42's receivers read as text.
    let made = up42.project.post("webhooks/w/secret/rotate", &json!({})).await.expect(200).json();
    let made = made["secret"].as_str().expect("a secret");
    assert_eq!(up42.data(Method::GET, &format!("webhooks/{id}"), None).await["secret"], made);
    up42.project.event("job.status", json!({})).await;
    let call = sink.wait_for("/w", 3).await.remove(2);
    assert!(verify(&call, made).is_ok(), "{:?}", call.headers);
    let standard = call.header("webhook-signature").expect("a signature");
    assert_eq!(standard.split(' ').count(), 2, "the headers beside are signed with the one before too");
    up42.project.post("webhooks/w/secret/rotate", &json!({ "kind": "v1a" })).await.faults(&["/kind"]);
}

#[tokio::test]
async fn only_2xx_is_delivered_and_failures_are_repeated() {
    let (up42, sink) = (Up42::new("up42outcome").await, Sink::start().await);
    sink.script(
        "/again",
        vec![Behaviour::with_header(302, "location", "/elsewhere"), Behaviour::status(204)],
    );
    let id = up42
        .create(&json!({ "name": "again", "url": sink.url("/again"), "events": ["job.status"], "secret": "hush", "active": true }))
        .await;
    up42.project.patch("webhooks/again", &json!({ "retry_schedule_s": [1] })).await.expect(200);
    let event = up42.project.event("job.status", json!({ "status": "FAILED" })).await;
    let calls = sink.wait_for("/again", 2).await;
    assert_eq!((calls[0].text(), calls[0].message_id()), (calls[1].text(), calls[1].message_id()));
    assert!(calls.iter().all(|call| verify(call, "hush").is_ok()), "each attempt is signed anew");
    let detail = up42
        .project
        .delivery_when(&event.id, "again", "is delivered", |detail| detail.attempts.len() == 2)
        .await;
    assert_eq!(detail.delivery.last_status, Some(204));
    assert!(sink.received("/elsewhere").is_empty(), "a redirect is not followed");
    assert_eq!(up42.data(Method::GET, &format!("webhooks/{id}"), None).await["active"], json!(true));
}

#[tokio::test]
async fn a_test_sends_each_event_now_and_counts_what_was_taken() {
    let (up42, sink) = (Up42::new("up42tests").await, Sink::start().await);
    let both = json!(["job.status", "order.status"]);
    sink.always("/broken", Behaviour::status(500));
    sink.always("/moved", Behaviour::with_header(301, "location", "/elsewhere"));
    sink.script("/half", vec![Behaviour::status(200), Behaviour::status(500)]);
    for (path, succeeded) in [("/fine", 2), ("/broken", 0), ("/moved", 0), ("/half", 1)] {
        // Inactive: a test is expected to call.
        let draft =
            json!({ "name": path, "url": sink.url(path), "events": both, "secret": "hush", "active": false });
        let id = up42.create(&draft).await;
        let ran = up42.data(Method::POST, &format!("webhooks/{id}/tests"), None).await;
        assert_eq!(sorted_keys(&ran), ["startedAt", "testsRun", "testsSucceeded"]);
        assert_eq!((&ran["testsRun"], &ran["testsSucceeded"]), (&json!(2), &json!(succeeded)), "{path}");
        let calls = sink.received(path);
        let mut events: Vec<String> =
            calls.iter().map(|call| call.json()["event"].as_str().unwrap_or_default().to_owned()).collect();
        events.sort_unstable();
        assert_eq!(events, ["job.status", "order.status"], "the answer comes when all calls have ended");
        assert!(
            calls
                .iter()
                .all(|call| verify(call, "hush").is_ok() && call.json()["body"]["status"].is_string())
        );
    }
    let nowhere = json!({ "name": "nowhere", "url": format!("http://127.0.0.1:{}/", stack::free_port()), "events": ["job.status"], "secret": null, "active": false });
    let id = up42.create(&nowhere).await;
    let ran = up42.data(Method::POST, &format!("webhooks/{id}/tests"), None).await;
    assert_eq!((&ran["testsRun"], &ran["testsSucceeded"]), (&json!(1), &json!(0)));
    assert!(up42.project.deliveries("limit=10").await.items.is_empty(), "a test is not a delivery");
}

#[tokio::test]
async fn a_test_of_a_receiver_that_hangs_ends_with_its_timeout() {
    let (up42, sink) = (Up42::new("up42hang").await, Sink::start().await);
    sink.always("/hang", Behaviour::Hang);
    let id = up42.create(&json!({ "name": "w", "url": sink.url("/hang"), "events": ["job.status"], "secret": null, "active": true })).await;
    up42.project.patch("webhooks/w", &json!({ "timeout_s": 1 })).await.expect(200);
    let ran = up42.data(Method::POST, &format!("webhooks/{id}/tests"), None).await;
    assert_eq!((&ran["testsRun"], &ran["testsSucceeded"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn the_native_api_makes_webhooks_that_up42_s_sdk_reads() {
    let (up42, sink) = (Up42::new("up42native").await, Sink::start().await);
    let made = up42
        .project
        .listen("n", &sink.url("/n"), &json!({ "contract": "up42", "events": ["job.*"], "secret": "hush" }))
        .await;
    let id = String::from(made.id.trim_start_matches("whk_"));
    let read = up42.data(Method::GET, &format!("webhooks/{id}"), None).await;
    assert_eq!((&read["events"], &read["secret"]), (&json!(["job.*"]), &json!("hush")));
    let ran = up42.data(Method::POST, &format!("webhooks/{id}/tests"), None).await;
    assert_eq!(
        (&ran["testsRun"], &ran["testsSucceeded"]),
        (&json!(1), &json!(1)),
        "a pattern stands for what there is"
    );
    assert!(verify(&sink.wait_for("/n", 1).await[0], "hush").is_ok());
    let mut renamed = read.clone();
    renamed["name"] = json!("renamed");
    assert_eq!(
        up42.data(Method::PUT, &format!("webhooks/{id}"), Some(&renamed)).await["events"],
        json!(["job.*"])
    );
    up42.project
        .post("webhooks", &json!({ "name": "x", "url": sink.url("/x"), "contract": "up42", "events": ["*"], "secret": "y".repeat(76) }))
        .await
        .faults(&["/secret"]);
    let headers = json!([{ "key": "Digest", "value": "x" }]);
    let own = json!({
        "name": "x", "url": sink.url("/x"), "contract": "up42", "events": ["*"], "headers": headers
    });
    up42.project.post("webhooks", &own).await.faults(&["/headers/0/key"]);
    up42.project.patch("webhooks/renamed", &json!({ "contract": "standard" })).await.faults(&["/secret"]);
    up42.project
        .patch("webhooks/renamed", &json!({ "contract": "standard", "secret": null }))
        .await
        .expect(200);
    refused(&up42.send(Method::GET, &format!("webhooks/{id}"), None).await, 404, &[]);
}

#[tokio::test]
async fn an_inbox_says_that_a_signature_by_any_text_is_valid() {
    let up42 = Up42::new("up42inbox").await;
    let inbox = up42.project.inbox("in").await;
    up42.create(&json!({ "name": "w", "url": inbox.url, "events": ["job.status"], "secret": "any text", "active": true })).await;
    up42.project.event("job.status", json!({ "status": "RUNNING" })).await;
    until("the inbox recorded a valid request", SOON, async || {
        let page = up42.project.get(&format!("inboxes/{}/requests", inbox.id)).await.expect(200).json();
        page["items"][0]["signature"].to_string().contains("valid")
            && !page["items"][0]["signature"].to_string().contains("invalid")
    })
    .await;
}

#[tokio::test]
async fn a_deployment_as_it_comes_refuses_hostile_urls_in_up42_s_words() {
    let stack = Stack::start_strict().await;
    let up42 = Up42::on(stack.project("up42egress").await).await;
    let id = up42.create(&draft("public", "https://example.com/hooks")).await;
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://localhost/",
        "https://printer/",
        "https://metadata.internal/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3/",
        "file:///etc/passwd",
        "https://",
        "",
    ] {
        refused(&up42.send(Method::POST, "webhooks", Some(&draft("w", url))).await, 400, &["url"]);
        refused(
            &up42.send(Method::PUT, &format!("webhooks/{id}"), Some(&draft("public", url))).await,
            400,
            &["url"],
        );
    }
    let list = up42.data(Method::GET, "webhooks", None).await;
    assert_eq!(
        (list.as_array().map(Vec::len), &list[0]["url"]),
        (Some(1), &json!("https://example.com/hooks"))
    );
}

#[tokio::test]
async fn a_secret_of_up42_is_sealed_where_it_is_stored() {
    let mut stack = Stack::start().await;
    let (up42, sink) = (Up42::on(stack.project("up42sealed").await).await, Sink::start().await);
    let mut body = json!({ "name": "readable-name", "url": sink.url("/w"), "events": ["job.status"], "secret": "hush-hush-one", "active": true });
    let id = up42.create(&body).await;
    body["secret"] = json!("hush-hush-two");
    up42.data(Method::PUT, &format!("webhooks/{id}"), Some(&body)).await;
    up42.data(Method::POST, &format!("webhooks/{id}/tests"), None).await;
    until("a copy of the definition is in KV", SOON, async || stack.state_holds("readable-name")).await;
    stack.stop().await;
    for hidden in ["hush-hush-one", "hush-hush-two"] {
        assert!(!stack.state_holds(hidden), "{hidden} is stored as it is");
        assert!(!stack.log().contains(hidden), "{hidden} is in the log");
    }
    stack.boot().await;
    assert_eq!(
        up42.data(Method::GET, &format!("webhooks/{id}"), None).await["secret"],
        "hush-hush-two",
        "and it is there"
    );
}
