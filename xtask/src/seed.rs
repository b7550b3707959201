//! The first project: after the first start no screen of the dashboard is empty.
//!
//! A project `demo` with an inbox, a webhook to it and a few event types. It is made once for a state folder;
//! what a person deletes or changes later stays so. Only the webhook's address follows when
//! the stack moves to another port.

use std::fs;

use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::files;
use crate::http::{self, Answer};
use crate::wrangler::State;

const PROJECT: &str = "demo";
const INBOX: &str = "first";
const WEBHOOK: &str = "hello";

/// Makes the first project unless this state had it before.
///
/// # Errors
/// The API refused something, or did not answer.
pub(crate) fn plant(address: &str, admin_token: &str, state: &State) -> Result<String> {
    let api = Api { address, token: admin_token };
    // What it holds is the address that the webhook was given.
    let marker = state.file("seeded");
    let remember = |url: &str| files::write(&marker, url);
    if let Ok(planted) = fs::read_to_string(&marker) {
        if let Some(moved) = api.follow_the_port(&planted)? {
            remember(&moved)?;
            return Ok("webhook `hello` moved to this port".to_owned());
        }
        return Ok("there already".to_owned());
    }

    // Each of these may be there from a first start that was interrupted.
    api.create("/v1/projects", &json!({ "name": PROJECT }))?;
    for (name, description, example) in event_types() {
        api.create(
            &in_project("event-types"),
            &json!({ "name": name, "description": description, "example": example }),
        )?;
    }
    api.create(&in_project("inboxes"), &json!({ "name": INBOX }))?;
    let url = api
        .inbox_url()?
        .ok_or_else(|| Failure::new("The first project's inbox was made, but is not listed."))?;
    api.create(
        &in_project("webhooks"),
        &json!({ "name": WEBHOOK, "url": url, "events": ["order.*"], "description": "Sends every order event to the inbox `first`." }),
    )?;
    remember(&url)?;
    Ok(format!("made `{PROJECT}`"))
}

fn event_types() -> [(&'static str, &'static str, Value); 3] {
    [
        (
            "order.paid",
            "A customer's payment for an order has arrived.",
            json!({ "order": "A-1042", "amount_cents": 4990, "currency": "EUR" }),
        ),
        (
            "order.shipped",
            "An order has left the warehouse.",
            json!({ "order": "A-1042", "carrier": "DHL", "tracking": "00340434161094042557" }),
        ),
        (
            "invoice.created",
            "An invoice has been made out; it is not paid yet.",
            json!({ "invoice": "2026-0118", "order": "A-1042", "due": "2026-12-21" }),
        ),
    ]
}

fn in_project(rest: &str) -> String {
    format!("/v1/projects/{PROJECT}/{rest}")
}

/// The native API, as far as it is needed here.
struct Api<'a> {
    address: &'a str,
    token: &'a str,
}

impl Api<'_> {
    /// Creates something, or finds it there.
    fn create(&self, path: &str, body: &Value) -> Result<()> {
        match self.send("POST", path, &[], body)? {
            Answer { status: 200..=299 | 409, .. } => Ok(()),
            refused => Err(refusal("POST", path, &refused)),
        }
    }

    fn inbox_url(&self) -> Result<Option<String>> {
        let inboxes = self.get(&in_project("inboxes"))?;
        let first = inboxes.json["items"]
            .as_array()
            .and_then(|items| items.iter().find(|inbox| inbox["name"] == INBOX));
        Ok(first.and_then(|inbox| inbox["url"].as_str()).map(str::to_owned))
    }

    /// Points the webhook to the inbox's address of today, if it still has the one it was planted with.
    /// Returns the new one.
    fn follow_the_port(&self, planted: &str) -> Result<Option<String>> {
        let path = in_project(&format!("webhooks/{WEBHOOK}"));
        let webhook = self.get(&path)?;
        let Some(url) = self.inbox_url()? else { return Ok(None) };
        if webhook.status != 200 || webhook.json["url"] != planted || url == planted {
            return Ok(None);
        }
        let version = format!("\"{}\"", webhook.json["version"]);
        let answer = self.send("PATCH", &path, &[("if-match", &version)], &json!({ "url": url }))?;
        if answer.status == 200 { Ok(Some(url)) } else { Err(refusal("PATCH", &path, &answer)) }
    }

    fn get(&self, path: &str) -> Result<Answer> {
        http::get(self.address, path, Some(self.token)).map_err(|cause| no_answer("GET", path, &cause))
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer> {
        http::send(method, self.address, path, self.token, headers, body)
            .map_err(|cause| no_answer(method, path, &cause))
    }
}

fn refusal(method: &str, path: &str, answer: &Answer) -> Failure {
    Failure::new(format!(
        "The first project could not be made: {method} {path} answered {} {}",
        answer.status, answer.json
    ))
}

fn no_answer(method: &str, path: &str, cause: &ureq::Error) -> Failure {
    Failure::new(format!("The first project could not be made: {method} {path}: {cause}."))
}
