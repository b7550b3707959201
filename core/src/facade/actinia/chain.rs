//! Process chains: what a POST of one may hold, and how it becomes a run.
//!
//! actinia takes nearly every JSON object and says in the job what is wrong with it; so a chain that can't be
//! done becomes a run that ends in an error at once ([`RunDraft::refusal`]), and only what is not a JSON
//! object is refused here.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::egress::{self, Policy};
use crate::fault::{Fault, InputFault, parse_json, shorten, shown, type_name};
use crate::run::parse::read_auth;
use crate::run::{Entry, MASKED_PASSWORD, RunDraft, RunMode, Target, Webhooks, not_accessible};

/// What `webhooks` of a chain may hold.
const WEBHOOKS: [&str; 3] = ["finished", "update", "auth"];
/// Characters of an unknown member that a refusal repeats at most.
const SHOWN_CHARS_MAX: usize = 60;
/// Bytes of a refusal at most: it is part of every view of the run, and may repeat what was sent.
const REFUSAL_BYTES_MAX: usize = 1_024;

/// The run that a process chain asks for. The chain is kept without passwords.
///
/// # Errors
/// Not JSON, or no object.
pub fn submit(body: &str, policy: &Policy, entry: Entry, mode: RunMode) -> Result<RunDraft, InputFault> {
    let Value::Object(mut chain) = parse_json(body)? else {
        return Err(InputFault::from(Fault::new("", "must be a JSON object: a process chain")));
    };
    // In actinia's order, so that its first complaint is ours as well.
    let checked = steps(&chain).and_then(|steps| {
        let webhooks = read_webhooks(&chain, policy)?;
        check_steps(steps)?;
        Ok(webhooks)
    });
    let (webhooks, refusal) = match checked {
        Ok(webhooks) => (webhooks, None),
        Err(mut refusal) => {
            shorten(&mut refusal, REFUSAL_BYTES_MAX);
            (None, Some(refusal))
        }
    };
    mask(&mut chain, policy);
    let chain = RawValue::from_string(Value::Object(chain).to_string())
        .unwrap_or_else(|_never| RawValue::NULL.to_owned());
    Ok(RunDraft { chain, webhooks, labels: std::collections::BTreeMap::new(), mode, entry, refusal })
}

/// The `list` of a chain of `version` 1.
fn steps(chain: &Map<String, Value>) -> Result<&[Value], String> {
    match chain.get("version") {
        None => return Err(String::from("The version is missing in the process chain definition.")),
        Some(version) if *version == "1" || *version == 1 => {}
        Some(other) => {
            let other = shown(other, SHOWN_CHARS_MAX);
            return Err(format!("The version {other} of the process chain is not supported; 1 is."));
        }
    }
    match chain.get("list") {
        None => Err(String::from("The list of processes is missing in the process chain definition.")),
        Some(Value::Array(list)) => Ok(list),
        Some(other) => {
            Err(format!("The list of the process chain must be an array, not {}.", type_name(other)))
        }
    }
}

/// Each step has an `evaluate`, or an `id` and a `module` or an `exe`.
fn check_steps(steps: &[Value]) -> Result<(), String> {
    for (index, step) in steps.iter().enumerate() {
        let at = index + 1;
        let Some(step) = step.as_object() else {
            return Err(format!(
                "Process {at} of the process chain must be an object, not {}.",
                type_name(step)
            ));
        };
        let is_text = |key: &str| step.get(key).is_some_and(Value::is_string);
        if is_text("evaluate") {
            continue;
        }
        if !is_text("module") && !is_text("exe") {
            return Err(format!("Process {at} of the process chain has neither a module nor an exe."));
        }
        if !is_text("id") {
            return Err(format!("Process {at} of the process chain has no id."));
        }
    }
    Ok(())
}

fn read_webhooks(chain: &Map<String, Value>, policy: &Policy) -> Result<Option<Webhooks>, String> {
    let webhooks = match chain.get("webhooks") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(webhooks)) => webhooks,
        Some(other) => {
            return Err(format!(
                "The webhooks of the process chain must be an object, not {}.",
                type_name(other)
            ));
        }
    };
    let finished = target(webhooks, "finished", policy)?
        .ok_or_else(|| String::from("The finished URL is missing in the webhooks definition."))?;
    let update = target(webhooks, "update", policy)?;
    if let Some(unknown) = webhooks.keys().find(|key| !WEBHOOKS.contains(&key.as_str())) {
        let shown: String = unknown.chars().take(SHOWN_CHARS_MAX).collect();
        return Err(format!(
            "The webhooks definition holds {shown:?}, which is not one of {}.",
            WEBHOOKS.join(", ")
        ));
    }
    let mut webhooks_of = Webhooks { finished, update, user: None, forgotten: false };
    match webhooks.get("auth") {
        None | Some(Value::Null) => {}
        Some(auth) => {
            let text = auth.as_str().unwrap_or("");
            let auth = read_auth(text).map_err(|detail| format!("The auth of the webhooks {detail}."))?;
            auth.protect(&mut webhooks_of);
        }
    }
    Ok(Some(webhooks_of))
}

fn target(webhooks: &Map<String, Value>, key: &str, policy: &Policy) -> Result<Option<Target>, String> {
    let url = match webhooks.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(url)) => url,
        Some(other) => {
            return Err(format!("The {key} URL of the webhooks must be a string, not {}.", type_name(other)));
        }
    };
    match egress::check(url, policy) {
        Ok(target) => Ok(Some(Target { url: target.url, authorization: target.authorization })),
        Err(refusal) => Err(format!("{} It {refusal}.", not_accessible(key, &shown_url(url, policy)))),
    }
}

/// Takes the passwords out of `webhooks`.
fn mask(chain: &mut Map<String, Value>, policy: &Policy) {
    let Some(Value::Object(webhooks)) = chain.get_mut("webhooks") else { return };
    for (key, value) in webhooks.iter_mut() {
        let Value::String(text) = value else {
            // Only a string is accepted as a login, but any other value may hold one.
            if key == "auth" && !value.is_null() {
                *value = Value::from(MASKED_PASSWORD);
            }
            continue;
        };
        *text = match text.split_once(':') {
            Some((user, _password)) if key == "auth" => format!("{user}:{MASKED_PASSWORD}"),
            None if key == "auth" => String::from(MASKED_PASSWORD),
            _ => shown_url(text, policy),
        };
    }
}

/// A URL without its credentials. One that can't be taken apart is not shown where it may hold some.
fn shown_url(url: &str, policy: &Policy) -> String {
    match egress::check(url, policy) {
        Ok(target) => target.url,
        Err(_refused) if url.contains('@') => String::from(MASKED_PASSWORD),
        Err(_refused) => String::from(url),
    }
}
