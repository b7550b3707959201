//! Every `curl` of README.md and of the pages in `docs/` is run as it stands there, and must be answered as
//! the text says.
//!
//! A command is followed by its answer as a comment, `# 202 {"id":"evt_…",…}`: the status, and the body with
//! `…` for what differs from time to time. The commands of a page run in one go, against a project of their
//! own that stands where the text says `demo`.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use postern_tests::{artefacts, stack};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

/// What the text calls the server and the project.
const SERVER: &str = "http://127.0.0.1:8787";
const PROJECT: &str = "/projects/demo";
/// Ends an answer in what the script prints: the status stands behind it.
const END: &str = "@@ status ";

/// A block of a page.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Where it starts.
    line: usize,
    /// The commands.
    script: String,
    /// Status and body that each is to be answered with.
    answers: Vec<(String, String)>,
}

/// The blocks with a `curl`.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        match &mut open {
            None if line == "```sh" => {
                open = Some(Block { line: at + 1, script: String::new(), answers: Vec::new() });
            }
            None => {}
            Some(_) if line == "```" => {
                found.extend(open.take().filter(|block| block.script.contains("curl ")));
            }
            Some(block) => {
                let said = line.strip_prefix("# ").and_then(|said| said.split_once(' ').or(Some((said, ""))));
                match said.filter(|(status, _)| status.len() == 3 && status.parse::<u16>().is_ok()) {
                    Some((status, body)) => block.answers.push((String::from(status), String::from(body))),
                    None => block.script = format!("{}{line}\n", block.script),
                }
            }
        }
    }
    found
}

/// Whether `body` is `told`, where `…` stands for anything.
fn fits(told: &str, body: &str) -> bool {
    let mut parts = told.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = body.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn pages() -> Vec<PathBuf> {
    let root = artefacts::root();
    let docs =
        fs::read_dir(root.join("docs")).expect("there is a folder docs").flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

#[tokio::test]
async fn every_command_of_the_documentation_does_what_the_text_says() {
    let mut commands = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap_or_else(|fault| panic!("{}: {fault}", page.display()));
        let blocks = blocks(&text);
        if blocks.is_empty() {
            continue;
        }
        // As `cargo xtask dev` leaves `demo`: an inbox, and a webhook that calls it.
        let project = stack::project("docs").await;
        let root = format!("/v1/projects/{}", project.name);
        let inbox = project
            .api
            .send(Method::POST, &format!("{root}/inboxes"), Some(&json!({ "name": "first" })))
            .await
            .expect(201)
            .json();
        let webhook = json!({ "name": "hello", "url": inbox["url"], "events": ["order.*"] });
        project.api.send(Method::POST, &format!("{root}/webhooks"), Some(&webhook)).await.expect(201);
        for block in blocks {
            let place = format!("{}:{}", page.display(), block.line);
            let script = block
                .script
                .replace(SERVER, &project.api.base)
                .replace(PROJECT, &format!("/projects/{}", project.name));
            let answers = run(&place, &script, &project.token).await;
            assert_eq!(
                answers.len(),
                block.answers.len(),
                "{place}: each command is followed by its answer (`# 200 …`)\n{answers:#?}"
            );
            for ((status, body), (told_status, told_body)) in answers.iter().zip(&block.answers) {
                assert_eq!(status, told_status, "{place}: {body}");
                assert!(fits(told_body, body), "{place} says\n{told_body}\nand the answer is\n{body}");
                commands += 1;
            }
        }
    }
    assert!(commands >= 15, "only {commands} commands were found");
}

/// Runs a block with bash; status and body of every answer.
async fn run(place: &str, script: &str, token: &str) -> Vec<(String, String)> {
    let curl = format!(
        "curl() {{ command curl --silent --show-error --noproxy '*' --max-time 60 --write-out '\\n{END}%{{http_code}}\\n' \"$@\"; }}\n"
    );
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c"])
        .arg(format!("{curl}{script}"))
        .env("TOKEN", token)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.unwrap_or_else(|fault| panic!("bash could not be started: {fault}"));
    let (told, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{place} ended with {}:\n{told}\n{complained}", output.status);
    let mut answers = Vec::new();
    let mut body = String::new();
    for line in told.lines() {
        match line.strip_prefix(END) {
            Some(status) => answers.push((String::from(status), std::mem::take(&mut body))),
            None => body.push_str(line),
        }
    }
    answers
}

#[test]
fn a_block_is_its_commands_and_their_answers() {
    let page = "x\n```sh\ncurl a \\\n  -d 1\n# 200 {\"a\":…}\n# a word\ncurl b\n# 204\n```\n```sh\nls\n```\n```json\ncurl\n```\n";
    let script = String::from("curl a \\\n  -d 1\n# a word\ncurl b\n");
    let answers =
        vec![(String::from("200"), String::from("{\"a\":…}")), (String::from("204"), String::new())];
    assert_eq!(blocks(page), [Block { line: 2, script, answers }]);
}

#[test]
fn an_answer_fits_what_is_told_of_it() {
    assert!(fits(r#"{"id":"evt_…","n":1}"#, r#"{"id":"evt_7","n":1}"#));
    assert!(fits("{…}", "{}") && fits("", "") && fits("…", "anything"));
    assert!(fits(r#"{…"a":1,…}"#, r#"{"z":0,"a":1,"b":2}"#));
    for (told, body) in [
        (r#"{"n":1}"#, r#"{"n":2}"#),
        (r#"{"n":1…}"#, r#"{"m":1}"#),
        (r#"{…"a":1,…}"#, r#"{"a":2,"b":1}"#),
        ("", "x"),
    ] {
        assert!(!fits(told, body), "{told} {body}");
    }
}
