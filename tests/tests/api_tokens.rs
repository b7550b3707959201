//! Tokens from outside: expiry, last use, and what each role may do on every route.

use std::collections::BTreeMap;

use postern_core::api::page::Page;
use postern_core::api::token::{TokenIdentity, TokenView};
use postern_core::operation::{
    AuditLog, Configuration, Deliveries, EventTypes, Events, Inboxes, Observing, Operation, Projects,
    Replays, Request, Runs, Tests, Tokens, Webhooks,
};
use postern_core::problem::ProblemType;
use postern_core::route::Route;
use postern_core::token::Role;
use postern_core::webhook::ProjectName;
use postern_tests::client::{Api, Project};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually, in_ms};
use reqwest::Method;
use serde_json::{Value, json};

async fn tokens(project: &Project) -> Vec<TokenView> {
    let page: Page<TokenView> = project.get("tokens").await.expect(200).read();
    page.items
}

#[tokio::test]
async fn a_token_opens_nothing_from_its_expiry_on() {
    let project = stack::project("expiry").await;
    for (expiry, pointer) in [
        (json!("yesterday"), "/expires_at"),
        (json!("2020-01-01T00:00:00Z"), "/expires_at"),
        (json!(7), "/expires_at"),
    ] {
        project
            .post("tokens", &json!({ "name": "x", "role": "read", "expires_at": expiry }))
            .await
            .faults(&[pointer]);
    }
    let long = json!({ "name": "long", "role": "read", "expires_at": in_ms(86_400_000) });
    let created = project.post("tokens", &long).await.expect(201).json();
    assert_eq!(created["token"]["expires_at"], long["expires_at"]);
    let reader = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    reader.send(Method::GET, &project.path("webhooks"), None).await.expect(200);

    let short = json!({ "name": "short", "role": "read", "expires_at": in_ms(4_000) });
    let created = project.post("tokens", &short).await.expect(201).json();
    let reader = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    reader.send(Method::GET, &project.path("webhooks"), None).await.expect(200);
    let refused = eventually("the token expires", SOON, async || {
        let reply = reader.send(Method::GET, &project.path("webhooks"), None).await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    let mut unknown = project.token.clone();
    unknown.replace_range(unknown.len() - 4.., "aaaa");
    let stranger = project.api.with_token(&unknown).send(Method::GET, &project.path("webhooks"), None).await;
    let (expired, unknown) =
        (refused.problem(ProblemType::Unauthorized), stranger.problem(ProblemType::Unauthorized));
    assert_eq!(expired.detail, unknown.detail, "an expired token is told the same as one that never was");
    assert!(
        tokens(&project).await.iter().any(|token| token.name == "short"),
        "it stays in the list until it is deleted"
    );
}

/// Every item of a list by `key`, read `limit` at a time as a generated client reads it.
async fn by_pages(api: &Api, path: &str, key: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            api.send(Method::GET, &format!("{path}?limit={limit}{cursor}"), None).await.expect(200).json();
        let items = page["items"].as_array().expect("a page has items");
        assert!(items.len() == limit || page["next"].is_null(), "{path}: a page is full, or the last");
        found.extend(items.iter().map(|item| item[key].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn lists_that_are_given_whole_are_given_by_pages_where_somebody_asks() {
    let project = stack::project("paged").await;
    for number in 0..4 {
        project.post("tokens", &json!({ "name": format!("t{number}"), "role": "read" })).await.expect(201);
        project.post("event-types", &json!({ "name": format!("order.e{number}") })).await.expect(201);
    }
    for (list, key, count) in [("tokens", "id", 5), ("event-types", "name", 4)] {
        let path = project.path(list);
        let page = project.get(list).await.expect(200).json();
        assert!(page["next"].is_null(), "{list}: all of it");
        let whole: Vec<Value> =
            page["items"].as_array().into_iter().flatten().map(|item| item[key].clone()).collect();
        assert_eq!(whole.len(), count, "{list}");
        for limit in [1, 2, 3, 200] {
            assert_eq!(by_pages(&project.api, &path, key, limit).await, whole, "{list} by {limit}");
        }
        project.get(&format!("{list}?limit=0&nonsense=1")).await.faults(&["?limit", "?nonsense"]);
    }
    assert_eq!(
        by_pages(&project.api, "/v1/projects", "name", 1).await,
        [json!(project.name)],
        "a token sees its own project"
    );
    let admin = stack::shared().await.admin();
    let names = by_pages(&admin, "/v1/projects", "name", 2).await;
    assert!(
        names.contains(&json!(project.name))
            && names.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()),
        "{names:?}"
    );
    admin.send(Method::GET, "/v1/projects?limit=201", None).await.faults(&["?limit"]);
}

#[tokio::test]
async fn the_last_use_is_shown() {
    let project = stack::project("use").await;
    let created =
        project.post("tokens", &json!({ "name": "ci", "role": "publish" })).await.expect(201).json();
    let of = |tokens: Vec<TokenView>| {
        tokens.into_iter().find(|token| token.name == "ci").expect("the token is listed").last_used_at
    };
    assert_eq!(of(tokens(&project).await), None);
    let before = in_ms(-1_000);
    let publisher = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    let event = json!({ "type": "a", "data": 1 });
    publisher.send(Method::POST, &project.path("events"), Some(&event)).await.expect(202);
    let used = of(tokens(&project).await).expect("it was used");
    assert!(used > before && used < in_ms(1_000));
    publisher.send(Method::POST, &project.path("events"), Some(&event)).await.expect(202);
    assert_eq!(of(tokens(&project).await), Some(used), "noted at most once a minute");
}

#[tokio::test]
async fn a_call_whose_answer_holds_a_secret_takes_no_idempotency_key() {
    let project = stack::project("nokey").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let body = json!({ "name": "ci", "role": "read" }).to_string();
    project.api.send_raw(Method::POST, &project.path("tokens"), &headers, body).await.faults(&[""]);
    assert_eq!(tokens(&project).await.len(), 1, "only the first one");
}

/// Each route with its methods, and the roles beside `manage` that may use it. Written out here although
/// `core::operation` has the same table: a change of who may do what has to be made twice.
fn routes() -> Vec<(Request, &'static [&'static str])> {
    let name = || String::from("nothing");
    vec![
        (Projects::GetProject.into(), &["read"]),
        (Projects::UpdateProject.into(), &[]),
        (Tokens::ListTokens.into(), &[]),
        (Tokens::CreateToken.into(), &[]),
        (Tokens::DeleteToken { id: name() }.into(), &[]),
        (Webhooks::ListWebhooks.into(), &["read"]),
        (Webhooks::CreateWebhook.into(), &[]),
        (Webhooks::GetWebhook { name: name() }.into(), &["read"]),
        (Webhooks::UpdateWebhook { name: name() }.into(), &[]),
        (Webhooks::DeleteWebhook { name: name() }.into(), &[]),
        (Webhooks::GetWebhookSecret { name: name() }.into(), &[]),
        (Webhooks::RotateWebhookSecret { name: name() }.into(), &[]),
        (Webhooks::PauseWebhook { name: name() }.into(), &[]),
        (Webhooks::ResumeWebhook { name: name() }.into(), &[]),
        (Tests::TestWebhook { name: name() }.into(), &[]),
        (Tests::CreateTest.into(), &[]),
        (Tests::GetTest { id: name() }.into(), &["read"]),
        (EventTypes::ListEventTypes.into(), &["read"]),
        (EventTypes::CreateEventType.into(), &[]),
        (EventTypes::GetEventType { name: name() }.into(), &["read"]),
        (EventTypes::UpdateEventType { name: name() }.into(), &[]),
        (EventTypes::DeleteEventType { name: name() }.into(), &[]),
        (Events::ListEvents.into(), &["read"]),
        (Events::CreateEvent.into(), &["publish"]),
        (Events::CreateEvents.into(), &["publish"]),
        (Events::DryRunEvent.into(), &[]),
        (Events::ExportEvents.into(), &["read"]),
        (Events::GetEvent { id: name() }.into(), &["read"]),
        (Events::ListEventDeliveries { id: name() }.into(), &["read"]),
        (Events::ListEventDecisions { id: name() }.into(), &["read"]),
        (Deliveries::ListDeliveries.into(), &["read"]),
        (Deliveries::CountDeliveries.into(), &["read"]),
        (Deliveries::GetDeliveryHistogram.into(), &["read"]),
        (Deliveries::ExportDeliveries.into(), &["read"]),
        (Deliveries::GetDelivery { id: name() }.into(), &["read"]),
        (Deliveries::RetryDelivery { id: name() }.into(), &[]),
        (Deliveries::CancelDelivery { id: name() }.into(), &[]),
        (Inboxes::ListInboxes.into(), &["read"]),
        (Inboxes::CreateInbox.into(), &[]),
        (Inboxes::GetInbox { id: name() }.into(), &["read"]),
        (Inboxes::UpdateInbox { id: name() }.into(), &[]),
        (Inboxes::DeleteInbox { id: name() }.into(), &[]),
        (Inboxes::ListInboxRequests { id: name() }.into(), &["read"]),
        (Inboxes::ClearInboxRequests { id: name() }.into(), &[]),
        (Replays::ListReplays.into(), &["read"]),
        (Replays::CreateReplay.into(), &[]),
        (Replays::GetReplay { id: name() }.into(), &["read"]),
        (Replays::CancelReplay { id: name() }.into(), &[]),
        (Runs::ListRuns.into(), &["read", "execute"]),
        (Runs::CreateRun.into(), &["execute"]),
        (Runs::ClaimRun.into(), &["execute"]),
        (Runs::GetRun { id: name() }.into(), &["read", "execute"]),
        (Runs::UpdateRun { id: name() }.into(), &["execute"]),
        (Runs::FinishRun { id: name() }.into(), &["execute"]),
        (Runs::TerminateRun { id: name() }.into(), &["execute"]),
        (Runs::RetryRunCallback { id: name(), kind: name() }.into(), &["execute"]),
        (AuditLog::ListAudit.into(), &[]),
        (Configuration::GetConfiguration.into(), &["read"]),
        (Configuration::PlanConfiguration.into(), &[]),
        (Configuration::ApplyConfiguration.into(), &[]),
        (Configuration::PreviewImport.into(), &[]),
        (Observing::CreateLiveTicket.into(), &["read"]),
        (Observing::GetProjectMetrics.into(), &["read"]),
        (Observing::GetStats.into(), &["read"]),
        (Observing::GetTotals.into(), &["read"]),
    ]
}

/// A body that reaches the question of who may: well-formed, whatever it names.
fn body(operation: Operation) -> Value {
    match operation {
        Operation::CreateToken => json!({ "name": "t", "role": "read" }),
        Operation::CreateWebhook => json!({ "name": "w", "url": "https://example.com/", "events": ["*"] }),
        Operation::CreateTest => json!({ "url": "https://example.com/" }),
        Operation::CreateEventType => json!({ "name": "a" }),
        Operation::CreateEvent | Operation::DryRunEvent => json!({ "type": "a", "data": 1 }),
        Operation::CreateEvents => json!({ "events": [{ "type": "a", "data": 1 }] }),
        Operation::CreateRun => json!({ "chain": {} }),
        Operation::ClaimRun => json!({ "lease_s": 60 }),
        Operation::UpdateRun => json!({ "message": "half" }),
        Operation::FinishRun => json!({ "outcome": "finished", "message": "done" }),
        Operation::CreateInbox => json!({ "name": "i" }),
        Operation::PlanConfiguration | Operation::ApplyConfiguration => json!({ "document": {} }),
        Operation::PreviewImport => json!({ "from": "svix", "listing": [] }),
        _ => json!({}),
    }
}

fn method_of(operation: Operation) -> Method {
    Method::from_bytes(operation.method().as_str().as_bytes()).expect("a method")
}

/// Where the description of the API has it.
fn described_as(operation: Operation) -> (String, String) {
    (operation.pattern(), String::from(operation.method().as_str()))
}

/// The roles that the description of the API asks for, by path and method; only what a project's tokens may
/// do.
fn described(document: &Value) -> BTreeMap<(String, String), Vec<String>> {
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in
            item.as_object().into_iter().flatten().filter(|(key, _)| *key != "parameters")
        {
            let alternatives = operation["security"].as_array().into_iter().flatten();
            let roles: Vec<String> =
                alternatives.filter_map(|one| one["bearer"][0].as_str()).map(String::from).collect();
            if roles.iter().any(|role| role == "manage") {
                described.insert((path.clone(), method.to_uppercase()), roles);
            }
        }
    }
    described
}

#[tokio::test]
async fn each_role_may_do_what_it_says_and_what_is_described_on_every_route() {
    let project = stack::project("matrix").await;
    let with_manage =
        |roles: &[&str]| roles.iter().chain(&["manage"]).copied().map(String::from).collect::<Vec<_>>();
    let mut expected: BTreeMap<(String, String), Vec<String>> = routes()
        .into_iter()
        .map(|(request, roles)| (described_as(request.operation()), with_manage(roles)))
        .collect();
    // A WebSocket, which is tested with the live feed.
    expected.insert(described_as(Operation::Listen), with_manage(&["read"]));
    let document = project.api.send(Method::GET, "/openapi.json", None).await.expect(200).json();
    assert_eq!(described(&document), expected);
    let introduction = document["info"]["description"].as_str().unwrap_or_default();
    let name = ProjectName::parse(&project.name).expect("a project name");
    for role in Role::ALL {
        assert!(
            introduction.contains(&format!("`{}` ({})", role.as_str(), role.about())),
            "the page's words are the description's"
        );
        let token = project.api.with_token(&project.token(role.as_str()).await);
        for (request, roles) in routes() {
            let (body, method) = (body(request.operation()), method_of(request.operation()));
            let path = Route::Project(name.clone(), request).path();
            let has_body = method == Method::POST || method == Method::PATCH;
            let reply = token.send(method.clone(), &path, has_body.then_some(&body)).await;
            if role == Role::Manage || roles.contains(&role.as_str()) {
                assert!(
                    !matches!(reply.status, 401 | 403 | 405),
                    "{role:?} may {method} {path}: {} {}",
                    reply.status,
                    reply.body
                );
            } else {
                reply.problem(ProblemType::Forbidden);
            }
        }
    }
    for (request, _) in routes() {
        let (body, method) = (body(request.operation()), method_of(request.operation()));
        let path = Route::Project(name.clone(), request).path();
        let has_body = method == Method::POST || method == Method::PATCH;
        project
            .api
            .without_token()
            .send(method.clone(), &path, has_body.then_some(&body))
            .await
            .problem(ProblemType::Unauthorized);
    }
}

#[tokio::test]
async fn a_token_is_told_whose_it_is() {
    let project = stack::project("whose").await;
    let whose = async |token: &str| project.api.with_token(token).send(Method::GET, "/v1/token", None).await;
    for role in Role::ALL {
        let draft = json!({ "name": format!("for {}", role.as_str()), "role": role.as_str(), "expires_at": in_ms(86_400_000) });
        let created = project.post("tokens", &draft).await.expect(201).json();
        let told: TokenIdentity =
            whose(created["secret"].as_str().expect("a new token is shown")).await.expect(200).read();
        let view: TokenView = serde_json::from_value(created["token"].clone()).expect("a token");
        let expected = (Some(project.name.clone()), Some(view.id), view.name, view.role, view.expires_at);
        assert_eq!(
            (
                told.project.map(|name| String::from(name.as_str())),
                told.id,
                told.name,
                told.role,
                told.expires_at
            ),
            expected
        );
    }
    let admin: TokenIdentity = whose(stack::ADMIN_TOKEN).await.expect(200).read();
    assert_eq!((admin.project, admin.id, admin.role), (None, None, Role::Manage));
    let unknown = format!("{}aaaa", &project.token[..project.token.len() - 4]);
    for token in ["nonsense", &unknown] {
        whose(token).await.problem(ProblemType::Unauthorized);
    }
    project.api.without_token().send(Method::GET, "/v1/token", None).await.problem(ProblemType::Unauthorized);
    project.api.send(Method::POST, "/v1/token", None).await.problem(ProblemType::MethodNotAllowed);
    project.api.send(Method::GET, "/v1/token?x=1", None).await.faults(&["?x"]);
}

#[tokio::test]
async fn a_token_that_posts_events_does_nothing_with_runs() {
    let project = stack::project("norun").await;
    let run = project.post("runs", &json!({ "chain": { "n": 1 } })).await.expect(201).json();
    let run = format!("runs/{}", run["id"].as_str().expect("a run has an id"));
    let calls = [
        (Method::POST, String::from("runs"), json!({ "chain": {} })),
        (Method::POST, String::from("runs/claim"), json!({})),
        (Method::POST, format!("{run}/updates"), json!({ "message": "mine" })),
        (Method::POST, format!("{run}/finish"), json!({ "outcome": "finished" })),
        (Method::POST, format!("{run}/terminate"), json!({})),
        (Method::GET, run.clone(), Value::Null),
        (Method::GET, String::from("runs"), Value::Null),
    ];
    let publisher = project.api.with_token(&project.token("publish").await);
    for (method, rest, body) in &calls {
        let body = Some(body).filter(|body| !body.is_null());
        publisher.send(method.clone(), &project.path(rest), body).await.problem(ProblemType::Forbidden);
    }
    let after = project.get(&run).await.expect(200).json();
    assert_eq!(
        (&after["state"], &after["claim"]),
        (&json!("accepted"), &json!(0)),
        "nobody touched it: {after}"
    );
}
