//! A machine of one's own: `cargo xtask serve`, which is the release Worker on bare workerd.
//!
//! Covered:
//!
//! 1. `kill -9` under load loses no accepted event.
//! 2. A name that leads to a private address is refused where the connection is made.
//! 3. Page, live feed, KV, queues and cron are there as at the edge, and a client can't choose its address.
//! 4. A copy that is made while it runs is a data folder with everything that was accepted before.
//! 5. It speaks HTTPS with a certificate of ours.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_core::delivery::State;
use postern_tests::artefacts;
use postern_tests::client::Project;
use postern_tests::live::Feed;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::{Stack, free_port};
use postern_tests::supervised::Supervised;
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;

/// Receivers of the tests have addresses of loopback.
const PRIVATE: &[&str] = &["--allow-private"];
/// How often everything dies.
const KILLS: usize = 8;
/// Events that are accepted between two of them, at least.
const EVENTS_A_ROUND: usize = 40;
/// Producers at once.
const PRODUCERS: usize = 4;
/// Waits between attempts, in seconds.
const RETRIES: [u32; 5] = [2, 2, 2, 2, 2];
/// Every accepted event: its lease of a call that died ends after 31 s, and others wait behind it.
const ARRIVES: Duration = Duration::from_mins(3);
/// The cron runs once a minute.
const CRON: Duration = Duration::from_secs(75);

/// Events of one project that were answered 202, by the number in their data.
type Accepted = Arc<Mutex<BTreeSet<u64>>>;

/// The number of the next event.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Posts events until nobody answers any more.
async fn produce(project: Project, accepted: Accepted) {
    let path = project.path("events");
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "type": "order.paid", "data": { "number": number } }).to_string();
        let headers = [("content-type", "application/json")];
        let Ok(reply) = project.api.try_send(Method::POST, &path, &headers, body).await else { return };
        assert_eq!(reply.status, 202, "{}", reply.body);
        accepted.lock().expect("no producer panicked").insert(number);
    }
}

/// The numbers of the events that reached `path`.
fn arrived(sink: &Sink, path: &str) -> BTreeSet<u64> {
    sink.received(path).iter().filter_map(|call| call.json()["data"]["number"].as_u64()).collect()
}

fn count(accepted: &Accepted) -> usize {
    accepted.lock().expect("no producer panicked").len()
}

#[tokio::test]
async fn kill_9_under_load_loses_no_accepted_event() {
    let mut stack = Stack::start_own_machine(PRIVATE, "").await;
    let (project, sink) = (stack.project("killed").await, Sink::start().await);
    project.listen("fast", &sink.url("/fast"), &json!({ "timeout_s": 1 })).await;
    // One call of four fails, so that the queue `retries` is hardly ever empty when everything dies, and the
    // webhook is not taken for one that fails.
    let steps = [500, 200, 200, 200].map(Behaviour::status).into_iter().cycle();
    sink.script("/again", steps.take(2 * KILLS * EVENTS_A_ROUND).collect());
    let retried = json!({ "timeout_s": 1, "retry_schedule_s": RETRIES });
    project.listen("again", &sink.url("/again"), &retried).await;
    let accepted = Accepted::default();
    for round in 1..=KILLS {
        let mut producers = JoinSet::new();
        for _ in 0..PRODUCERS {
            producers.spawn(produce(project.clone(), Arc::clone(&accepted)));
        }
        let wanted = count(&accepted) + EVENTS_A_ROUND;
        until("the events of a round are accepted", SOON, async || count(&accepted) >= wanted).await;
        stack.kill9().await;
        while let Some(ended) = producers.join_next().await {
            ended.unwrap_or_else(|fault| panic!("round {round}: {fault}"));
        }
        stack.boot().await;
    }
    let accepted = accepted.lock().expect("no producer panicked").clone();
    for path in ["/fast", "/again"] {
        until(&format!("all {} events arrive at {path}", accepted.len()), ARRIVES, async || {
            accepted.is_subset(&arrived(&sink, path))
        })
        .await;
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_where_the_connection_is_made() {
    // The policy lets everything pass here, as it would a public name that somebody points at 127.0.0.1.
    let stack = Stack::start_own_machine(&[], "ALLOW_PRIVATE_TARGETS=\"true\"\n").await;
    let (project, sink) = (stack.project("inward").await, Sink::start().await);
    let by_address = sink.url("/secret");
    let by_name = by_address.replace("127.0.0.1", "localhost");
    for (name, url) in [("byaddress", &by_address), ("byname", &by_name)] {
        project.listen(name, url, &json!({})).await;
    }
    let event = project.event("e", json!(1)).await;
    for name in ["byaddress", "byname"] {
        let detail = project.attempted(&event.id, name).await;
        assert_eq!(detail.delivery.state, State::Waiting, "{name}");
        let attempt = &detail.attempts[0].attempt;
        assert!(attempt.response.is_none(), "{name}: {attempt:?}");
    }
    assert_eq!(sink.all().len(), 0, "nobody connected");
}

#[tokio::test]
async fn what_the_platform_gives_is_there_and_a_client_cannot_choose_its_address() {
    let stack = Stack::start_own_machine(PRIVATE, "AUTH_FAILURES_PER_MINUTE=\"5\"\n").await;
    let (project, sink) = (stack.project("home").await, Sink::start().await);
    // The page, with the headers of public/_headers, under every path that is nobody else's.
    for path in ["/", "/projects/home/deliveries"] {
        let page = stack.anonymous().send(Method::GET, path, None).await.expect(200);
        assert!(page.body.contains("<title>Postern</title>"), "{path}: {}", page.body);
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {:?}", page.headers);
    }
    // KV: what lists the projects. The live feed: a WebSocket.
    let listed = stack.admin().send(Method::GET, "/v1/projects", None).await.expect(200);
    assert!(listed.body.contains(&project.name), "{}", listed.body);
    Feed::open(&project).await.close().await;
    // A queue: what carries second attempts. By name, where private addresses are allowed.
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    let url = sink.url("/a").replace("127.0.0.1", "localhost");
    project.listen("w", &url, &json!({ "retry_schedule_s": RETRIES })).await;
    let event = project.event("e", json!(1)).await;
    project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
    assert!(metric(&stack, "postern_queue_operations_total").await > 0);
    // The cron: the watchdog lists the projects, which counts as a write.
    let before = metric(&stack, "postern_kv_writes_total").await;
    until("the cron lists the projects", CRON, async || {
        metric(&stack, "postern_kv_writes_total").await > before
    })
    .await;
    // Guesses are counted by the address of the connection, whatever the client says of itself.
    let mut statuses = Vec::new();
    for guess in 0..8 {
        let (claimed, wrong) = (format!("203.0.113.{guess}"), format!("Bearer wrong-{guess}"));
        let headers = [("cf-connecting-ip", claimed.as_str()), ("authorization", wrong.as_str())];
        let reply = stack.anonymous().send_raw(Method::GET, "/v1/projects", &headers, "").await;
        statuses.push(reply.status);
    }
    assert!(statuses.starts_with(&[401; 5]) && statuses.ends_with(&[429; 2]), "{statuses:?}");
}

/// A counter of the deployment's metrics.
async fn metric(stack: &Stack, name: &str) -> u64 {
    let metrics = stack.admin().send(Method::GET, "/metrics", None).await.expect(200).body;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in:\n{metrics}"))
}

#[tokio::test]
async fn a_copy_made_while_it_runs_holds_all_that_was_accepted_before() {
    let mut stack = Stack::start_own_machine(PRIVATE, "").await;
    let (project, sink) = (stack.project("copied").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    project.post_nothing("webhooks/w/pause").await.expect(200);
    let secret = project.secret("w").await;
    let accepted = Accepted::default();
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        producers.spawn(produce(project.clone(), Arc::clone(&accepted)));
    }
    until("the first events are accepted", SOON, async || count(&accepted) >= EVENTS_A_ROUND).await;
    let before = accepted.lock().expect("no producer panicked").clone();
    let copy = stack.state().with_file_name("copy");
    let script = artefacts::root().join("examples/self-hosting/backup.py");
    let made = output(Command::new("python3").arg(script).arg(stack.state()).arg(&copy)).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let during = count(&accepted);
    until("events are accepted after the copy", SOON, async || count(&accepted) > during).await;
    stack.kill9().await;
    while let Some(ended) = producers.join_next().await {
        ended.expect("a producer ends when nobody answers");
    }

    let restored = Stack::start_own_machine_from(&copy, PRIVATE).await;
    let project = Project::new(&restored.base(), &project.name, &project.token);
    assert_eq!(project.secret("w").await, secret, "what was sealed is opened again");
    project.post_nothing("webhooks/w/resume").await.expect(200);
    until("all that was accepted before the copy arrives", ARRIVES, async || {
        before.is_subset(&arrived(&sink, "/a"))
    })
    .await;
}

#[tokio::test]
async fn it_speaks_https_with_a_certificate() {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("postern-https-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(&folder);
    let made = output(&mut make).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let address = format!("127.0.0.1:{port}");
    let running = Supervised::start(&artefacts::xtask(), &folder, |command| {
        command.args(["serve", "--built", "--data", "data", "--listen", &address]);
        command.args(["--certificate", "certificate.pem", "--key", "key.pem"]);
        command.env("POSTERN_WORKER", artefacts::worker()).env("POSTERN_DIST", artefacts::dashboard());
    });
    until("it answers over TLS", SOON, async || {
        assert!(
            !running.is_over(),
            "{}",
            std::fs::read_to_string(folder.join("output.log")).unwrap_or_default()
        );
        let mut ask = Command::new("openssl");
        ask.args(["s_client", "-quiet", "-connect", &address, "-CAfile", "certificate.pem"]);
        ask.args(["-verify_return_error", "-verify_hostname", "localhost"]).current_dir(&folder);
        let mut asking = ask
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl starts");
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut input = asking.stdin.take().expect("openssl reads what we write");
        // It may have ended, where nobody listens yet.
        drop(input.write_all(request).await);
        let answer = asking.wait_with_output().await.expect("openssl ends");
        drop(input);
        String::from_utf8_lossy(&answer.stdout).starts_with("HTTP/1.1 200 OK")
    })
    .await;
}

async fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("the program starts")
}
