//! What a stranger can do at the doors: little is told, little is done, nothing is made, and every try
//! counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_core::fault::FAULTS_MAX;
use postern_core::problem::ProblemType;
use postern_core::token;
use postern_core::webhook::ProjectName;
use postern_tests::client::{Api, Project, Reply};
use postern_tests::live::{Credential, Feed};
use postern_tests::stack::{self, Stack};
use reqwest::Method;
use serde_json::{Map, Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");
/// Bytes that a refusal may have: far less than what it refuses.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// An object with so many unknown fields.
fn unknown_fields(count: usize) -> Value {
    (0..count).map(|n| (format!("f{n}"), json!(n))).collect::<Map<_, _>>().into()
}

/// A token of the right form that the project does not know.
fn guess(project: &Project) -> String {
    token::mint(&ProjectName::parse(&project.name).expect("a project's name"), &[9; 32])
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn workspace(project: &Project) -> String {
    postern_core::facade::up42::workspace_id(&ProjectName::parse(&project.name).expect("a project's name"))
}

/// The native refusal names so many faults at most and says how many more there are.
#[track_caller]
fn is_bounded(reply: &Reply, more: u32) {
    let problem = reply.problem(ProblemType::InvalidInput);
    assert_eq!((problem.errors.len(), problem.more_errors), (FAULTS_MAX, more), "{}", reply.call);
    assert!(problem.detail.ends_with(&format!("and {more} more")), "{}", problem.detail);
    assert!(reply.body.len() <= REFUSAL_BYTES_MAX, "{}: {} bytes", reply.call, reply.body.len());
}

#[tokio::test]
async fn a_refusal_is_bounded_at_every_door() {
    let project = stack::project("bounded").await;
    let many = unknown_fields(10_000);
    let mut event = many.clone();
    event["type"] = json!("a");
    event["data"] = json!(1);
    is_bounded(&project.post("events", &event).await, 9_950);
    is_bounded(
        &project
            .post(
                "webhooks",
                &json!({ "name": "w", "url": "http://127.0.0.1:1024/", "events": ["*"], "filter": { "and": vec![json!(1); 10_000] } }),
            )
            .await,
        9_950,
    );
    let mut test = many.clone();
    test["url"] = json!("http://127.0.0.1:1024/");
    is_bounded(&project.post("tests", &test).await, 9_950);
    let mut batch = vec![event.clone()];
    batch.extend(vec![json!({ "type": "a", "data": 1, "x": 1 }); 99]);
    is_bounded(&project.post("events/batch", &json!({ "events": batch })).await, 10_049);
    is_bounded(
        &project.post("config/plan", &json!({ "document": { "webhooks": vec![json!(1); 10_000] } })).await,
        9_950,
    );
    is_bounded(
        &project
            .post("config/apply", &json!({ "document": { "event_types": vec![json!({}); 10_000] } }))
            .await,
        9_950,
    );
    is_bounded(&project.post("import/preview", &many).await, 9_952);
    for door in ["runs", "inboxes", "replays", "tokens", "event-types"] {
        let problem = project.post(door, &many).await.problem(ProblemType::InvalidInput);
        assert_eq!(problem.errors.len(), FAULTS_MAX, "{door}");
        assert!((9_950..9_960).contains(&problem.more_errors), "{door}: {}", problem.more_errors);
    }
    let path = format!("/v1/projects/{}", project.name);
    is_bounded(&project.api.send(Method::PATCH, &path, Some(&many)).await, 9_950);
    let query: Vec<String> = (0..1_000).map(|n| format!("p{n}=1")).collect();
    is_bounded(&project.get(&format!("webhooks?{}", query.join("&"))).await, 950);

    let schema = json!({ "items": { "type": "string" } });
    project
        .post("event-types", &json!({ "name": "strict", "description": "", "schema": schema }))
        .await
        .expect(201);
    let misfits = project
        .post("events", &json!({ "type": "strict", "data": vec![1; 1_000] }))
        .await
        .problem(ProblemType::InvalidInput);
    assert!(misfits.errors.len() == FAULTS_MAX && misfits.more_errors > 0, "{misfits:?}");

    let anybody = &project.api;
    let workspace = workspace(&project);
    for (path, api) in [
        (
            format!("/ubiops/v2.1/projects/{}/webhooks", project.name),
            anybody.with_authorization(&format!("Token {}", project.token)),
        ),
        (format!("/up42/workspaces/{workspace}/webhooks"), anybody.clone()),
    ] {
        let reply = api.send(Method::POST, &path, Some(&many)).await.expect(400);
        assert!(reply.body.contains("; and ") && reply.body.contains(" more"), "{}", reply.body);
        assert!(reply.body.len() <= REFUSAL_BYTES_MAX, "{path}: {} bytes", reply.body.len());
    }
    let listed = anybody.with_authorization(&format!("Token {}", project.token));
    let path = format!("/ubiops/v2.1/projects/{}/webhooks?{}", project.name, query.join("&"));
    let reply = listed.send(Method::GET, &path, None).await.expect(400);
    assert!(reply.body.contains("; and 950 more"), "{}", reply.body);
}

/// What a facade does with bytes before JSON is what the native doors do.
#[tokio::test]
async fn a_byte_order_mark_is_read_and_a_coding_or_charset_refused_by_name_at_every_facade() {
    let project = stack::project("bytes").await;
    let webhook = json!({ "url": "http://127.0.0.1:1024/", "name": "w", "event": "deployment_request_completed", "object_type": "deployment", "object_name": "d" });
    let up42 = json!({ "url": "http://127.0.0.1:1024/", "name": "w2", "events": ["job.status"] });
    let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
    let actinia = project.api.with_authorization(&basic(&project.name, &project.token));
    for (api, path, body, made) in [
        (ubiops, format!("/ubiops/v2.1/projects/{}/webhooks", project.name), webhook, 201),
        (project.api.clone(), format!("/up42/workspaces/{}/webhooks", workspace(&project)), up42, 201),
        (
            actinia,
            String::from("/actinia/api/v3/locations/l/processing_async_export"),
            json!({ "version": "1", "list": [] }),
            200,
        ),
    ] {
        let send = async |headers: &[(&str, &str)], body: String| {
            api.send_raw(Method::POST, &path, headers, body).await
        };
        let json = ("content-type", "application/json");
        send(&[json], format!("\u{feff}{body}")).await.expect(made);
        for (header, name) in [
            (("content-encoding", "gzip"), "content-encoding"),
            (("content-type", "application/json; charset=utf-16"), "utf-16"),
        ] {
            let headers = if header.0 == json.0 { vec![header] } else { vec![json, header] };
            let reply = send(&headers, body.to_string()).await;
            assert!((400..=415).contains(&reply.status), "{path} {header:?}: {}", reply.status);
            assert!(reply.body.contains(name), "{path} {header:?}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn notes_of_an_import_are_bounded() {
    let project = stack::project("notes").await;
    let names = vec!["no name-"; 10_000];
    let listing = json!([{ "name": "w", "url": "https://a.example/", "events": names }]);
    let reply =
        project.post("import/preview", &json!({ "from": "up42", "listing": listing })).await.expect(200);
    let notes = reply.json()["items"][0]["notes"].as_array().cloned().unwrap_or_default();
    assert!(
        notes.len() <= 22
            && notes.last().is_some_and(|note| note.as_str().is_some_and(|note| note.ends_with(" more"))),
        "{notes:?}"
    );
}

/// Requests that are wrong in themselves, at every door: path, kind, body.
fn spoilt(project: &Project) -> Vec<(String, &'static str, String)> {
    let below = |rest: &str| project.path(rest);
    let (ubiops, up42) = (
        format!("/ubiops/v2/projects/{}/webhooks", project.name),
        format!("/up42/workspaces/{}/webhooks", workspace(project)),
    );
    let actinia = String::from("/actinia/api/v3/locations/l/processing_async_export");
    let mut spoilt = Vec::new();
    for path in [
        below("events"),
        below("events/batch"),
        below("webhooks"),
        below("config/apply"),
        below("import/preview"),
        ubiops,
        up42,
        actinia,
    ] {
        for (kind, body) in [
            ("application/json", String::from("{not json")),
            ("application/json", unknown_fields(1_000).to_string()),
            ("application/json", "x".repeat(1_100 * 1024)),
            ("text/plain", String::from("{}")),
        ] {
            spoilt.push((path.clone(), kind, body));
        }
    }
    spoilt
}

#[tokio::test]
async fn who_is_not_known_learns_nothing_about_a_body() {
    let project = stack::project("unknown").await;
    let (wrong, right) = (guess(&project), project.token.clone());
    let shown = |path: &str, token: &str| match path {
        _ if path.starts_with("/ubiops") => format!("Token {token}"),
        _ if path.starts_with("/actinia") => basic(&project.name, token),
        _ => format!("Bearer {token}"),
    };
    for (path, kind, body) in spoilt(&project) {
        let ask = async |token: &str| {
            project
                .api
                .with_authorization(&shown(&path, token))
                .send_raw(Method::POST, &path, &[("content-type", kind)], body.clone())
                .await
        };
        let unknown = ask(&wrong).await.expect(401);
        assert!(unknown.body.len() < 1_024, "{path}: {}", unknown.body);
        let known = ask(&right).await;
        assert!(
            matches!(known.status, 400 | 413 | 415 | 422) || path.starts_with("/actinia"),
            "{path}: {} {}",
            known.status,
            known.body
        );
    }
    for query in ["limit=0", "nonsense=1"] {
        let path = project.path(&format!("webhooks?{query}"));
        project
            .api
            .with_token(&wrong)
            .send(Method::GET, &path, None)
            .await
            .problem(ProblemType::Unauthorized);
        project.api.send(Method::GET, &path, None).await.problem(ProblemType::InvalidInput);
    }
    project
        .api
        .with_token(&wrong)
        .send(Method::GET, &project.path("live"), None)
        .await
        .problem(ProblemType::Unauthorized);
    let export = project.path("events/export?nonsense=1");
    project.api.with_token(&wrong).send(Method::GET, &export, None).await.problem(ProblemType::Unauthorized);
}

#[tokio::test]
async fn every_refusal_of_somebody_unknown_counts_as_a_guess() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"5\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n")
            .await;
    let project = stack.project("counting").await;
    let unknown = project.api.with_token(&guess(&project));
    for body in ["{not json", "{}", "[]", "\"\"", "{\"x\":1}"] {
        unknown
            .send_raw(Method::POST, &project.path("webhooks"), &[JSON], body)
            .await
            .problem(ProblemType::Unauthorized);
    }
    unknown
        .send_raw(Method::POST, &project.path("webhooks"), &[JSON], "{}")
        .await
        .problem(ProblemType::TooManyRequests);
    project.get("webhooks").await.problem(ProblemType::TooManyRequests);
}

#[tokio::test]
async fn somebody_known_may_be_refused_as_often_as_they_like() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"5\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n")
            .await;
    let project = stack.project("clumsy").await;
    for _ in 0..4 {
        project.post("webhooks", &json!({})).await.problem(ProblemType::InvalidInput);
        project.get("webhooks/nobody").await.problem(ProblemType::NotFound);
        project.get("nonsense").await.problem(ProblemType::NotFound);
        project.delete("events").await.problem(ProblemType::MethodNotAllowed);
        stack.admin().send(Method::DELETE, "/v1/projects", None).await.problem(ProblemType::MethodNotAllowed);
    }
    project.get("webhooks").await.expect(200);
}

#[tokio::test]
async fn a_guess_does_not_hide_behind_a_token_that_is_right() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"5\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n")
            .await;
    let project = stack.project("hiding").await;
    let offered = format!("postern.v1, bearer.{}", guess(&project));
    let form = format!("grant_type=password&username={}&password={}", project.name, guess(&project));
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    let live = project.path("live");
    project.get("webhooks").await.expect(200);
    project.api.send_raw(Method::POST, "/up42/oauth/token", &typed, form.clone()).await.expect(400);
    for _ in 0..4 {
        project
            .api
            .send_raw(Method::GET, &live, &[("sec-websocket-protocol", &offered)], "")
            .await
            .problem(ProblemType::Unauthorized);
    }
    let two = format!("Bearer {}, Bearer {}", project.token, guess(&project));
    project
        .api
        .with_authorization(&two)
        .send(Method::GET, &project.path("webhooks"), None)
        .await
        .problem(ProblemType::Unauthorized);
    project.api.without_token().send_raw(Method::POST, "/up42/oauth/token", &typed, form).await.expect(429);
    let fresh = project.api.with_token(&guess(&project));
    fresh.send(Method::GET, &project.path("webhooks"), None).await.problem(ProblemType::TooManyRequests);
}

#[tokio::test]
async fn every_wrong_login_gets_the_same_words() {
    let (project, stranger) = (stack::project("words").await, stack::project("foreign").await);
    let nobody = token::mint(&ProjectName::parse("no-such-project").expect("a name"), &[9; 32]);
    let words = |reply: Reply| {
        let mut body = reply.json();
        body.as_object_mut().map(|body| body.remove("request_id"));
        (reply.status, body)
    };
    let mut told: Vec<(u16, Value)> = Vec::new();
    for wrong in ["nonsense", "pst_", &guess(&project), &nobody] {
        let path = project_path_of(wrong, &project);
        told.push(words(project.api.with_token(wrong).send(Method::GET, &path, None).await));
    }
    told.push(words(project.api.with_token("nonsense").send(Method::GET, "/v1/projects", None).await));
    told.push(words(project.api.with_token(&nobody).send(Method::GET, "/v1/projects", None).await));
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 401), "{told:#?}");

    let log_in = async |user: &str, password: &str| {
        let form = format!("grant_type=password&username={user}&password={password}");
        let typed = [("content-type", "application/x-www-form-urlencoded")];
        words(project.api.without_token().send_raw(Method::POST, "/up42/oauth/token", &typed, form).await)
    };
    let mut told = Vec::new();
    for (user, password) in [
        (project.name.as_str(), "nonsense"),
        (project.name.as_str(), stack::ADMIN_TOKEN),
        (project.name.as_str(), &guess(&project)),
        (project.name.as_str(), &stranger.token),
        ("no-such-project", &nobody),
        ("Not%20a%20name", "x"),
    ] {
        told.push(log_in(user, password).await);
    }
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 401), "{told:#?}");

    let mut told = Vec::new();
    for (user, password) in [
        (project.name.as_str(), "nonsense"),
        (project.name.as_str(), &guess(&project)),
        (project.name.as_str(), &stranger.token),
        (stranger.name.as_str(), &project.token),
        ("no-such-project", &nobody),
        ("no-such-project", stack::ADMIN_TOKEN),
        ("", ""),
    ] {
        let api = project.api.with_authorization(&basic(user, password));
        told.push(words(api.send(Method::GET, "/actinia/api/v3/locations", None).await));
    }
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 401), "{told:#?}");

    let mut told = Vec::new();
    for wrong in ["nonsense", &guess(&project)] {
        let path = format!("/ubiops/v2.1/projects/{}/webhooks", project.name);
        told.push(words(
            project.api.with_authorization(&format!("Token {wrong}")).send(Method::GET, &path, None).await,
        ));
    }
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 401), "{told:#?}");
}

/// A path below the project that the token names, or below `project`.
fn project_path_of(shown: &str, project: &Project) -> String {
    let named =
        token::project_of(shown).map_or_else(|| project.name.clone(), |named| String::from(named.as_str()));
    format!("/v1/projects/{named}/webhooks")
}

#[tokio::test]
async fn the_audit_log_says_which_administrator_it_was() {
    const ADA: &str = "ada-0123456789abcdef0123456789abcdef";
    const BOB: &str = "bob-0123456789abcdef0123456789abcdef";
    let stack =
        Stack::start_with_variables(&format!("ADMIN_TOKENS=\"ada:{ADA},bob@example.com:{BOB}\"\n")).await;
    let created = Api::new(&stack.base(), Some(ADA))
        .send(Method::POST, "/v1/projects", Some(&json!({ "name": "named" })))
        .await
        .expect(201);
    let project = Project::new(&stack.base(), "named", created.json()["token"].as_str().expect("a token"));
    let patch = json!({ "retention_days": 7 });
    Api::new(&stack.base(), Some(BOB))
        .send(Method::PATCH, "/v1/projects/named", Some(&patch))
        .await
        .expect(200);
    stack
        .admin()
        .send(Method::PATCH, "/v1/projects/named", Some(&json!({ "retention_days": 8 })))
        .await
        .expect(200);
    let log = project.get("audit").await.expect(200).json();
    let who: Vec<(&str, &str)> = log["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry["action"].as_str()?, entry["actor"]["name"].as_str()?)))
        .filter(|(action, _)| *action != "token.created")
        .collect();
    assert_eq!(
        who,
        [
            ("settings.updated", "ADMIN_TOKEN"),
            ("settings.updated", "bob@example.com"),
            ("project.created", "ada")
        ]
    );
    assert!(
        log["items"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|entry| entry["actor"]["kind"] != "admin" || entry["actor"]["id"].is_null())
    );
    Api::new(&stack.base(), Some("ada"))
        .send(Method::GET, "/v1/projects", None)
        .await
        .problem(ProblemType::Unauthorized);
}

#[tokio::test]
async fn a_stranger_makes_no_object() {
    let stack = Stack::start().await;
    let project = stack.project("there").await;
    let inbox = project.inbox("i").await;
    let before = stack.objects();
    let anonymous = stack.anonymous();
    for n in 0..20 {
        anonymous
            .send(Method::POST, &format!("/in/nowhere-{n}.abcdefghijklmnopqrst"), Some(&json!(1)))
            .await
            .problem(ProblemType::NotFound);
        let name = ProjectName::parse(&format!("made-up-{n}")).expect("a name");
        let token = token::mint(&name, &[1; 32]);
        let shown = anonymous.with_token(&token);
        shown
            .send(Method::GET, &format!("/v1/projects/{}/webhooks", name.as_str()), None)
            .await
            .problem(ProblemType::Unauthorized);
        shown
            .send(Method::POST, &format!("/v1/projects/{}/events", name.as_str()), Some(&json!({})))
            .await
            .problem(ProblemType::Unauthorized);
        shown.send(Method::GET, "/v1/projects", None).await.problem(ProblemType::Unauthorized);
        shown.send(Method::GET, "/up42/users/me", None).await.expect(401);
        let ubiops = format!("/ubiops/v2.1/projects/{}/webhooks", name.as_str());
        anonymous
            .with_authorization(&format!("Token {token}"))
            .send(Method::GET, &ubiops, None)
            .await
            .expect(401);
        anonymous
            .with_authorization(&basic(name.as_str(), &token))
            .send(Method::GET, "/actinia/api/v3/locations", None)
            .await
            .expect(401);
        let made_up = Project::new(&stack.base(), name.as_str(), &token);
        assert_eq!(Feed::connect(&made_up, Credential::Header(&token)).await.err(), Some(401));
    }
    assert_eq!(stack.objects(), before, "no file was made for a name that somebody made up");
    let path = inbox.url.trim_start_matches(&stack.base()).to_owned();
    anonymous.send(Method::POST, &path, Some(&json!(1))).await.expect(200);
}

#[tokio::test]
async fn a_project_is_there_at_once_for_who_was_refused_just_before() {
    let mut stack = Stack::start().await;
    let name = ProjectName::parse("soon").expect("a name");
    let early = stack.anonymous().with_token(&token::mint(&name, &[1; 32]));
    early.send(Method::GET, "/v1/projects/soon/webhooks", None).await.problem(ProblemType::Unauthorized);
    stack
        .anonymous()
        .send(Method::GET, "/in/soon.abcdefghijklmnopqrst", None)
        .await
        .problem(ProblemType::NotFound);
    let created = stack
        .admin()
        .send(Method::POST, "/v1/projects", Some(&json!({ "name": "soon" })))
        .await
        .expect(201)
        .json();
    let project = Project::new(&stack.base(), "soon", created["token"].as_str().expect("a token"));
    project.get("webhooks").await.expect(200);
    stack.restart().await;
    project.get("webhooks").await.expect(200);
}
