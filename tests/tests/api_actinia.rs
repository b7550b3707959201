//! actinia's API as raw HTTP: what its clients never send, or never show, is checked here; the clients
//! themselves are driven in `clients_actinia`. Paths, statuses and shapes are those of docs/wire.md C.

use postern_core::api::run::{RunClaim, RunView};
use postern_tests::client::{Api, Project, Reply};
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const NOBODY: &str = "resource_id-00000000-0000-7000-8000-000000000000";

/// actinia's side of a project.
struct Actinia {
    project: Project,
    api: Api,
}

impl Actinia {
    async fn new(label: &str) -> Self {
        let project = stack::project(label).await;
        // The role that an actinia user needs: it submits, looks at and stops jobs.
        let api = project.api.with_authorization(&basic(&project.name, &project.token("execute").await));
        Self { project, api }
    }

    async fn send(&self, method: Method, rest: &str, body: Option<&Value>) -> Reply {
        self.api.send(method, &path(rest), body).await
    }

    async fn get(&self, rest: &str) -> Reply {
        self.send(Method::GET, rest, None).await
    }

    /// Posts a chain as an export job, which is accepted whatever it is.
    async fn export(&self, chain: &Value) -> Value {
        let made = self
            .send(Method::POST, "locations/nc_spm_08/processing_async_export", Some(chain))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&made["status"], &made["http_code"], &made["message"]),
            (&json!("accepted"), &json!(200), &json!("Resource accepted"))
        );
        made
    }

    /// The resource once it has ended: HTTP status and body.
    async fn ended(&self, made: &Value) -> (u16, Value) {
        let resource = self.resource(made);
        eventually(&format!("{resource} ends"), SOON, async || {
            let reply = self.get(&resource).await;
            let found = reply.json();
            assert_eq!(found["http_code"], json!(reply.status), "the status is the http_code");
            (found["status"] != "accepted" && found["status"] != "running").then_some((reply.status, found))
        })
        .await
    }

    fn resource(&self, made: &Value) -> String {
        format!(
            "resources/{}/{}",
            self.project.name,
            made["resource_id"].as_str().expect("a resource has an id")
        )
    }

    /// Claims the only run, natively.
    async fn claim(&self) -> RunClaim {
        eventually("a run is offered", SOON, async || {
            let reply = self.project.post("runs/claim", &json!({ "lease_s": 60 })).await;
            (reply.status == 200).then(|| reply.read())
        })
        .await
    }
}

/// `Basic …` of a login.
fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn path(rest: &str) -> String {
    format!("/actinia/api/v3/{rest}")
}

/// The answer is an error in actinia's shape with this status, and mentions the words.
#[track_caller]
fn refused(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}: {}", reply.call, reply.body);
    let body = reply.json();
    let message = body["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{} must say a message: {}", reply.call, reply.body));
    assert!(body["status"] == "error" && message.contains(words), "{}: {}", reply.call, reply.body);
}

fn chain(more: Value) -> Value {
    let mut chain = json!({ "version": "1", "list": [{ "id": "1", "exe": "/bin/true", "params": [] }] });
    if let (Some(chain), Value::Object(more)) = (chain.as_object_mut(), more) {
        chain.extend(more);
    }
    chain
}

#[tokio::test]
async fn every_way_to_post_a_chain_makes_a_run() {
    let actinia = Actinia::new("acpaths").await;
    for root in ["locations", "projects"] {
        for (rest, endpoint) in [
            ("nc_spm_08/processing_async_export", "asyncephemeralexportresource"),
            ("any%20name/processing_async", "asyncephemeralresource"),
            ("l/mapsets/m/processing_async", "asyncpersistentresource"),
        ] {
            let rest = format!("{root}/{rest}");
            let made = actinia.send(Method::POST, &rest, Some(&chain(json!({})))).await.expect(200).json();
            assert_eq!(
                (&made["status"], &made["user_id"]),
                (&json!("accepted"), &json!(actinia.project.name))
            );
            let (base, full) = (&actinia.project.api.base, path(&rest));
            let info = json!({ "endpoint": endpoint, "method": "POST", "path": full, "request_url": format!("{base}{full}") });
            assert_eq!(made["api_info"], info);
            assert_eq!(
                made["urls"],
                json!({ "status": format!("{base}{}", path(&actinia.resource(&made))), "resources": [] })
            );
            assert_eq!(made["process_chain_list"], json!([chain(json!({}))]));
            assert_eq!(made["process_results"], json!({}));
            for absent in ["iteration", "start_timestamp", "process_log", "progress", "exception"] {
                assert!(made.get(absent).is_none(), "{absent}");
            }
        }
        let names = actinia.get(root).await.expect(200).json();
        assert_eq!(
            (&names["status"], &names["locations"]),
            (&json!("success"), &json!([actinia.project.name]))
        );
        // What a script asks for by name is listed once the project says so.
        let project = format!("/v1/projects/{}", actinia.project.name);
        let named = json!({ "actinia_locations": ["nc_spm_08", "l"] });
        actinia.project.api.send(Method::PATCH, &project, Some(&named)).await.expect(200);
        let names = actinia.get(root).await.expect(200).json();
        assert_eq!(
            (&names["locations"], &names["projects"]),
            (&json!(["nc_spm_08", "l"]), &json!(["nc_spm_08", "l"]))
        );
        actinia
            .project
            .api
            .send(Method::PATCH, &project, Some(&json!({ "actinia_locations": null })))
            .await
            .expect(200);
    }
    let list = actinia.get(&format!("resources/{}", actinia.project.name)).await.expect(200).json();
    assert_eq!(list["resource_list"].as_array().map(Vec::len), Some(6));
    let version =
        actinia.api.without_token().send(Method::GET, &path("version"), None).await.expect(200).json();
    assert!(version.as_object().is_some_and(|version| version.len() > 2), "{version}");
}

#[tokio::test]
async fn a_job_is_shown_from_acceptance_to_its_end() {
    let (actinia, sink) = (Actinia::new("aclife").await, Sink::start().await);
    let webhooks =
        json!({ "finished": sink.url("/f"), "update": sink.url("/u"), "auth": "user:pass:hush-word" });
    let made = actinia.export(&chain(json!({ "webhooks": webhooks }))).await;
    let claimed = actinia.claim().await;
    assert_eq!(
        format!(
            "run_{}",
            made["resource_id"].as_str().unwrap_or_default().trim_start_matches("resource_id-")
        ),
        claimed.id
    );
    assert!(!claimed.chain.get().contains("hush-word"), "the executor needs no password");
    let run = format!("runs/{}", claimed.id);
    let log = json!({ "id": "1", "executable": "/bin/true", "parameter": [], "stdout": "", "stderr": [""], "return_code": 0, "run_time": 0.1 });
    let update = json!({ "message": "Running executable", "progress": { "step": 1, "of": 2 }, "log": [log] });
    actinia.project.post(&format!("{run}/updates"), &update).await.expect(202);
    let running = actinia.get(&actinia.resource(&made)).await.expect(200).json();
    assert_eq!(
        (&running["status"], &running["progress"]),
        (&json!("running"), &json!({ "step": 1, "num_of_steps": 2 }))
    );
    assert!(
        running["start_timestamp"].is_f64()
            && running["process_time_delta"].is_number()
            && running["process_log"] == json!([log])
    );

    actinia
        .project
        .post(&format!("{run}/finish"), &json!({ "outcome": "finished", "results": { "n": 1 } }))
        .await
        .expect(202);
    let (status, done) = actinia.ended(&made).await;
    assert_eq!(
        (status, &done["message"], &done["process_results"]),
        (200, &json!("Processing successfully finished"), &json!({ "n": 1 }))
    );
    assert_eq!(
        done["process_chain_list"][0]["webhooks"],
        json!({ "finished": sink.url("/f"), "update": sink.url("/u"), "auth": "user:XXX" })
    );
    let posted = &sink.wait_for("/f", 2).await[1];
    let inner: String = serde_json::from_slice(&posted.body).expect("JSON in a string");
    let told: Value = serde_json::from_str(&inner).expect("JSON inside");
    assert_eq!(told, done, "the callback says what the resource says");
    assert!(!done.to_string().contains("hush-word"));
    let stack = stack::shared().await;
    assert!(!stack.state_holds("hush-word"), "a password lies in the open");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_the_job_in_actinias_words() {
    let (actinia, sink) = (Actinia::new("acwrong").await, Sink::start().await);
    sink.always("/nocontent", Behaviour::status(204));
    let own = format!("{}/v1/projects", actinia.project.api.base);
    for (webhooks, message) in [
        (json!({}), String::from("The finished URL is missing in the webhooks definition.")),
        (
            json!({ "finished": sink.url("/nocontent") }),
            format!("The finished webhook URL {} can not be accessed.", sink.url("/nocontent")),
        ),
        (
            json!({ "finished": sink.url("/ok"), "update": "http://127.0.0.1:1024/" }),
            String::from("The update webhook URL http://127.0.0.1:1024/ can not be accessed."),
        ),
        (
            json!({ "finished": own }),
            format!(
                "The finished webhook URL {own} can not be accessed. It must not point at Postern itself, except at one of its inboxes (/in/…)."
            ),
        ),
    ] {
        let made = actinia.export(&chain(json!({ "webhooks": webhooks }))).await;
        let (status, failed) = actinia.ended(&made).await;
        assert_eq!(
            (status, &failed["status"], &failed["message"]),
            (400, &json!("error"), &json!(format!("AsyncProcessError:  {message}")))
        );
        assert_eq!(
            failed["exception"],
            json!({ "message": message, "type": "AsyncProcessError", "traceback": [] })
        );
    }
    assert!(sink.all().iter().all(|received| received.method == "GET"), "nothing is posted");
    actinia.project.post("runs/claim", &json!({})).await.expect(204);
}

#[tokio::test]
async fn a_validation_looks_and_does_nothing() {
    let (actinia, sink) = (Actinia::new("acvalid").await, Sink::start().await);
    sink.always("/bad", Behaviour::status(500));
    let good = chain(json!({ "webhooks": { "finished": sink.url("/f"), "update": sink.url("/u") } }));
    let bad = chain(json!({ "webhooks": { "finished": sink.url("/f"), "update": sink.url("/bad") } }));
    for root in ["locations", "projects"] {
        let sync = format!("{root}/l/process_chain_validation_sync");
        let found = actinia.send(Method::POST, &sync, Some(&good)).await.expect(200).json();
        assert_eq!((&found["status"], &found["process_results"]), (&json!("finished"), &json!({})));
        let found = actinia.send(Method::POST, &sync, Some(&bad)).await.expect(400).json();
        let message =
            format!("AsyncProcessError:  The update webhook URL {} can not be accessed.", sink.url("/bad"));
        assert_eq!((&found["status"], &found["message"]), (&json!("error"), &json!(message)));
        actinia.get(&actinia.resource(&found)).await.expect(400);
        let later = format!("{root}/l/process_chain_validation_async");
        for (chain, code, status) in
            [(&good, 200, "finished"), (&bad, 400, "error"), (&json!({}), 400, "error")]
        {
            let made = actinia.send(Method::POST, &later, Some(chain)).await.expect(200).json();
            assert_eq!(made["status"], "accepted");
            let (found, ended) = actinia.ended(&made).await;
            assert_eq!((found, &ended["status"]), (code, &json!(status)), "{ended}");
        }
    }
    assert!(sink.all().iter().all(|received| received.method == "GET"), "nobody is told");
    actinia.project.post("runs/claim", &json!({})).await.expect(204);
}

#[tokio::test]
async fn strangers_readers_and_publishers_call_nobody_and_who_may_execute_may_submit() {
    let (actinia, sink) = (Actinia::new("acroles").await, Sink::start().await);
    let project = &actinia.project;
    let chain = chain(json!({ "webhooks": { "finished": sink.url("/f"), "auth": "u:p" } }));
    let forged = format!("pst_{}_{}", project.name, "a".repeat(52));
    let role =
        async |role: &str| project.api.with_authorization(&basic(&project.name, &project.token(role).await));
    let post = async |api: &Api, rest: &str| api.send(Method::POST, &path(rest), Some(&chain)).await;
    let stranger = project.api.with_authorization(&basic(&project.name, &forged));
    for (api, status) in [(stranger, 401), (role("read").await, 403), (role("publish").await, 403)] {
        for process in
            ["process_chain_validation_sync", "process_chain_validation_async", "processing_async_export"]
        {
            assert_eq!(post(&api, &format!("locations/l/{process}")).await.status, status, "{process}");
        }
    }
    assert_eq!(sink.all().len(), 0, "nobody was called");
    for user in [role("execute").await, role("manage").await] {
        let made = post(&user, "locations/l/processing_async_export").await.expect(200).json();
        assert_eq!(made["status"], "accepted");
        assert_eq!(
            post(&user, "locations/l/process_chain_validation_sync").await.expect(200).json()["status"],
            "finished"
        );
        let resource = path(&actinia.resource(&made));
        user.send(Method::GET, &resource, None).await.expect(200);
        user.send(Method::GET, &path(&format!("resources/{}", project.name)), None).await.expect(200);
        role("publish").await.send(Method::GET, &resource, None).await.expect(403);
        user.send(Method::DELETE, &resource, None).await.expect(200);
    }
}

#[tokio::test]
async fn a_job_is_terminated_and_its_executor_learns_it() {
    let actinia = Actinia::new("acstop").await;
    let made = actinia.export(&chain(json!({}))).await;
    let claimed = actinia.claim().await;
    let resource = actinia.resource(&made);
    let answer = actinia.send(Method::DELETE, &resource, None).await.expect(200).json();
    assert_eq!(answer["status"], "accepted");
    actinia.project.post(&format!("runs/{}/updates", claimed.id), &json!({})).await.expect(409);
    let (status, ended) = actinia.ended(&made).await;
    assert_eq!((status, &ended["status"]), (200, &json!("terminated")));
    actinia.send(Method::DELETE, &resource, None).await.expect(200);
    assert_eq!(actinia.get(&resource).await.expect(200).json()["status"], "terminated");
}

#[tokio::test]
async fn errors_of_every_route_have_the_shape_of_actinia() {
    let (actinia, stranger) = (Actinia::new("acerrors").await, stack::project("stranger").await);
    let (name, token) = (actinia.project.name.as_str(), actinia.project.token.as_str());
    let routes = [
        (Method::GET, String::from("locations"), None),
        (Method::POST, String::from("locations/l/processing_async_export"), Some(chain(json!({})))),
        (Method::POST, String::from("projects/l/process_chain_validation_sync"), Some(chain(json!({})))),
        (Method::GET, format!("resources/{name}"), None),
        (Method::GET, format!("resources/{name}/{NOBODY}"), None),
        (Method::DELETE, format!("resources/{name}/{NOBODY}"), None),
    ];
    for (method, rest, body) in &routes {
        let full = path(rest);
        for login in [
            basic(name, "nonsense"),
            basic(name, &stranger.token),
            basic(&stranger.name, token),
            basic("no-such-project", stack::ADMIN_TOKEN),
            basic("", ""),
            format!("Bearer {token}"),
            String::from("Basic !!"),
        ] {
            let reply =
                actinia.api.with_authorization(&login).send(method.clone(), &full, body.as_ref()).await;
            refused(&reply, 401, "");
            assert!(
                reply.header("www-authenticate").is_some_and(|value| value.starts_with("Basic")),
                "{:?}",
                reply.headers
            );
        }
        refused(&actinia.api.without_token().send(method.clone(), &full, body.as_ref()).await, 401, "");
        refused(&actinia.send(Method::PUT, rest, Some(&json!({}))).await, 405, "");
        if body.is_some() {
            for wrong in ["{not json", "[]", "\"text\"", ""] {
                let typed = [("content-type", "application/json")];
                refused(&actinia.api.send_raw(method.clone(), &full, &typed, wrong).await, 400, "");
            }
            refused(
                &actinia
                    .api
                    .send_raw(
                        method.clone(),
                        &full,
                        &[("content-type", "application/json")],
                        "x".repeat(300 * 1024),
                    )
                    .await,
                400,
                "",
            );
        }
    }
    for resource in [NOBODY, "nonsense", "resource_id-1"] {
        refused(&actinia.get(&format!("resources/{name}/{resource}")).await, 400, "Resource does not exist");
        refused(
            &actinia.send(Method::DELETE, &format!("resources/{name}/{resource}"), None).await,
            400,
            "Resource does not exist",
        );
    }
    refused(&actinia.get(&format!("resources/{}", stranger.name)).await, 401, "");
    for rest in ["", "nothing", "locations/l", "resources"] {
        refused(&actinia.get(rest).await, 404, "");
    }
    let admin = actinia.api.with_authorization(&basic(name, stack::ADMIN_TOKEN));
    admin.send(Method::GET, &path("locations"), None).await.expect(200);
    let runs: Vec<RunView> =
        actinia.project.get("runs").await.expect(200).read::<postern_core::api::page::Page<RunView>>().items;
    assert!(runs.is_empty(), "{runs:?}");
}
