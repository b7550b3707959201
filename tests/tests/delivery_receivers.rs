//! The receivers that the dashboard shows (`examples/receivers`) take what Postern sends, and nothing else.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;

use postern_core::api::test::TestView;
use postern_core::examination::{Variation, Verdict};
use postern_tests::artefacts;
use postern_tests::client::Project;
use postern_tests::sink::Sink;
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Where the files are.
fn example(file: &str) -> PathBuf {
    artefacts::root().join("examples/receivers").join(file)
}

/// The signing secret of the webhook `receiver` of `project`, which is made for `port`.
async fn secret_of(project: &Project, port: u16) -> String {
    project.listen("receiver", &format!("http://127.0.0.1:{port}/"), &json!({ "retry": false })).await;
    let shown = project.get("webhooks/receiver/secret").await.expect(200).json();
    String::from(shown["secret"].as_str().expect("callbacks are signed"))
}

fn started(mut command: Command) -> Child {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    quiet.spawn().expect("a program that starts")
}

/// An event of `project` arrives at the receiver at `port`; the same callback with another signature, another
/// body or an old timestamp is refused.
async fn takes_what_is_genuine(project: &Project, port: u16) {
    until("the receiver listens", SOON, async || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
    })
    .await;
    let sink = Sink::start().await;
    let secret = project.get("webhooks/receiver/secret").await.expect(200).json()["secret"].clone();
    project.listen("copy", &sink.url("/copy"), &json!({ "secret": secret })).await;
    let event = project.event("order.paid", json!({ "name": "Zo\u{eb}", "total": 10.5 })).await;
    project
        .delivery_when(&event.id, "receiver", "is taken", |of| of.delivery.state.as_str() == "delivered")
        .await;

    // The same secret signs the copy, so that it can be shown to the receiver again, and changed.
    let call = sink.wait_for("/copy", 1).await.remove(0);
    let send = async |changed: (&'static str, &str), body: String| {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let value = if name == changed.0 { changed.1 } else { call.header(name).expect("it is signed") };
            headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("http://127.0.0.1:{port}/");
        client.post(url).headers(headers).body(body).send().await.expect("an answer").status().as_u16()
    };
    let body = || String::from(call.text());
    assert_eq!(send(("", ""), body()).await, 204);
    assert_eq!(send(("", ""), format!("{} ", call.text())).await, 401, "another body");
    assert_eq!(send(("webhook-id", "msg_other"), body()).await, 401, "another id");
    assert_eq!(send(("webhook-timestamp", "1795270051"), body()).await, 401, "another time");
    assert_eq!(send(("webhook-signature", "v1,AAAA v1 x"), body()).await, 401, "other signatures");
    let rotated =
        format!("v1,{} {}", "A".repeat(43), call.header("webhook-signature").expect("it is signed"));
    assert_eq!(send(("webhook-signature", &rotated), body()).await, 204, "one that fits is enough");
    passes_every_test(project).await;
}

/// The receiver does what it should in each test that does something different.
async fn passes_every_test(project: &Project) {
    for variation in Variation::ALL {
        let asked = json!({ "variation": variation });
        let made: TestView = project.post("webhooks/receiver/test", &asked).await.expect(201).read();
        assert_eq!((made.variation, &made.finding), (Some(variation), &None));
        let finding =
            project.ended_test(&made.id).await.finding.expect("a test that has ended says what it found");
        assert_eq!(finding.verdict, Verdict::Passed, "{variation:?}: {}", finding.advice);
    }
}

#[tokio::test]
async fn the_receiver_for_node_takes_what_is_genuine() {
    let (project, port) = (stack::project("rx-node").await, stack::free_port());
    let mut node = Command::new(artefacts::node());
    node.arg(example("receiver.mjs"))
        .env("PORT", port.to_string())
        .env("POSTERN_SECRET", secret_of(&project, port).await);
    let _node = started(node);
    takes_what_is_genuine(&project, port).await;
}

#[tokio::test]
async fn the_receiver_for_python_takes_what_is_genuine() {
    let (project, port) = (stack::project("rx-python").await, stack::free_port());
    let mut python = Command::new(artefacts::python("standardwebhooks/requirements"));
    python
        .arg(example("receiver.py"))
        .env("PORT", port.to_string())
        .env("POSTERN_SECRET", secret_of(&project, port).await);
    let _python = started(python);
    takes_what_is_genuine(&project, port).await;
}

#[tokio::test]
async fn the_receiver_for_rust_takes_what_is_genuine() {
    let project = stack::project("rx-rust").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let secret = secret_of(&project, port).await;
    let serving = tokio::spawn(async move { postern_receiver::serve(listener, &secret).await });
    takes_what_is_genuine(&project, port).await;
    serving.abort();
}

#[tokio::test]
async fn the_receiver_for_workers_takes_what_is_genuine() {
    let (project, port) = (stack::project("rx-workers").await, stack::free_port());
    let secret = secret_of(&project, port).await;
    let folder = std::env::temp_dir().join(format!("postern-receiver-{port}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(example("worker.mjs"), folder.join("worker.mjs")).expect("a copy");
    let config = format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (\n\
           services = [(name = \"main\", worker = .receiver)],\n\
           sockets = [(name = \"http\", address = \"127.0.0.1:{port}\", http = (), service = \"main\")],\n\
         );\n\
         const receiver :Workerd.Worker = (\n\
           modules = [(name = \"worker.mjs\", esModule = embed \"worker.mjs\")],\n\
           bindings = [(name = \"POSTERN_SECRET\", text = \"{secret}\")],\n\
           compatibilityDate = \"2026-01-01\",\n\
         );\n"
    );
    std::fs::write(folder.join("config.capnp"), config).expect("a file");
    let mut workerd = Command::new(artefacts::workerd());
    workerd.args(["serve", "config.capnp"]).current_dir(&folder);
    let running = started(workerd);
    takes_what_is_genuine(&project, port).await;
    drop(running);
    std::fs::remove_dir_all(folder).expect("a folder that is ours");
}

#[tokio::test]
async fn the_command_that_tries_a_receiver_signs_as_postern_does() {
    let project = stack::project("rx-send").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let secret = secret_of(&project, port).await;
    let serving = tokio::spawn({
        let secret = secret.clone();
        async move { postern_receiver::serve(listener, &secret).await }
    });
    for (secret, status) in [(secret.as_str(), "204\n"), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "401\n")]
    {
        let mut send = Command::new("bash");
        send.arg(example("send.sh"))
            .env("POSTERN_SECRET", secret)
            .env("URL", format!("http://127.0.0.1:{port}/"));
        for proxy in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
            send.env_remove(proxy);
        }
        let output = send.stdin(Stdio::null()).output().await.expect("bash");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            status,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serving.abort();
}
