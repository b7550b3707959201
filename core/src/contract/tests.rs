//! What holds for every contract; the cases are `vectors/rendering.json`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::webhook::{Health, Standing, WebhookView};
use crate::egress::Policy;
use crate::fault::InputFault;
use crate::filter;
use crate::signing::SecretFault;
use crate::time::Timestamp;
use crate::webhook::parse;

/// `definition` as it is read, with a standing that every contract's tests know.
pub(super) fn view(definition: &Definition) -> WebhookView {
    let at = Timestamp(1_767_225_600_000);
    let id = String::from("whk_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11");
    let standing = Standing {
        id,
        version: 1,
        disabled_reason: None,
        created_at: at,
        updated_at: at,
        health: Health::default(),
    };
    WebhookView::of(definition.clone(), standing)
}

/// `draft` with `changes`; a change to null stays as null.
pub(super) fn with(mut draft: Value, changes: Value) -> Value {
    if let (Some(draft), Value::Object(changes)) = (draft.as_object_mut(), changes) {
        draft.extend(changes);
    }
    draft
}

/// Pointers of the faults, or what was made instead.
pub(super) fn pointers<T>(outcome: Result<T, InputFault>) -> Vec<String> {
    match outcome {
        Err(InputFault::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        Err(InputFault::Malformed(text)) => vec![text],
        Ok(_) => vec![String::from("no fault")],
    }
}

fn webhook(changes: Value) -> Result<Definition, crate::fault::Faults> {
    let draft = with(json!({"name": "w", "url": "https://r.example/h", "events": ["*"]}), changes);
    parse::create(&draft, &Policy::default()).map(|(definition, _)| definition)
}

#[test]
fn a_sample_is_an_event_that_the_webhook_takes() -> Result<(), crate::fault::Faults> {
    for changes in [
        json!({}),
        json!({"events": ["order.*"], "event_labels": {"env": "prod"}}),
        json!({"events": ["*"]}),
        json!({"events": ["postern.*"]}),
        json!({"events": ["order.paid", "*"], "object": {"name": "d1"}}),
        json!({"contract": "ubiops"}),
        json!({"contract": "ubiops", "events": ["deployment_request_finished"], "object": {"type": "deployment", "version": "v2"}}),
        json!({"contract": "ubiops", "events": ["pipeline_request_started"], "include_result": true}),
    ] {
        let webhook = webhook(changes.clone())?;
        let sample = sample_event(&webhook);
        assert!(filter::matches(&webhook, &filter::EventFacts::of(&sample)), "{changes}");
    }
    Ok(())
}

#[test]
fn a_damaged_secret_is_a_fault_and_not_an_unsigned_callback() -> Result<(), crate::fault::Faults> {
    let damaged = Definition { secret: Some(String::from("s1.k1.sealed")), ..webhook(json!({}))? };
    let sample = sample_event(&damaged);
    let source = Source { kind: &sample.kind, accepted_at: Timestamp(0), data: &sample.data, object: None };
    let built = build(&damaged, &Rendering::of(&damaged, &sample.kind), &source, "msg_1", Timestamp(0));
    assert_eq!(built.err(), Some(SecretFault::NoPrefix));
    Ok(())
}

#[test]
fn a_callback_is_signed_with_every_secret_that_has_not_expired() -> Result<(), crate::fault::Faults> {
    let [old, older, new] = [1, 2, 3].map(|byte| Secret::from_random(&[byte; 32]));
    let mut rotated = Definition { secret: Some(older.reveal()), ..webhook(json!({}))? };
    rotated.rotate_secret(old.reveal(), 10, Timestamp(0));
    rotated.rotate_secret(new.reveal(), 60, Timestamp(0));
    let sample = sample_event(&rotated);
    let source = Source { kind: &sample.kind, accepted_at: Timestamp(0), data: &sample.data, object: None };
    for (now, secrets) in [
        (Timestamp(9_999), vec![new.clone(), old.clone(), older]),
        (Timestamp(10_000), vec![new.clone(), old]),
        (Timestamp(60_000), vec![new]),
    ] {
        let built = build(&rotated, &Rendering::of(&rotated, &sample.kind), &source, "msg_1", now);
        let found = built.ok().and_then(|built| {
            let signature = built.headers.into_iter().find(|(name, _)| name == "webhook-signature")?;
            Some((signature.1, built.body))
        });
        let Some((signature, body)) = found else { panic!("{now:?}: no signature") };
        assert_eq!(Ok(signature), signing::sign(&secrets, "msg_1", now.unix_s(), body.as_bytes()), "{now:?}");
    }
    Ok(())
}

#[test]
fn the_name_of_the_subscription_is_kept_with_the_attempt() -> Result<(), crate::fault::Faults> {
    let ubiops = |events: Value| webhook(json!({"contract": "ubiops", "events": events}));
    let finished = "deployment_request_finished";
    for (events, kind, named) in [
        (json!([finished]), "deployment_request_failed", Some(finished)),
        (json!([finished]), finished, None),
        (json!([finished, "deployment_request_failed"]), "deployment_request_failed", None),
        (json!(["*"]), "deployment_request_failed", None),
        (json!(["*", finished]), "deployment_request_failed", None),
    ] {
        assert_eq!(
            Rendering::of(&ubiops(events.clone())?, kind).subscribed_event.as_deref(),
            named,
            "{events}"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_body_is_json_and_carries_the_data(text in ".{0,30}", name in ".{1,20}", include_result: bool) {
        let data = raw(&json!({"request_id": text, "result": [text], "status": text}));
        let object = ObjectRef { kind: name.clone(), name: name.clone(), version: Some(name) };
        for contract in Contract::ALL {
            let rendering = Rendering { contract, subscribed_event: Some(text.clone()), include_result };
            let source = Source { kind: "a.b", accepted_at: Timestamp(0), data: &data, object: Some(&object) };
            let body: Value = serde_json::from_str(&render(&rendering, &source)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let found = match contract {
                Contract::Standard => &body["data"]["request_id"],
                Contract::Ubiops => &body["request_id"],
                Contract::Up42 => &body["body"]["request_id"],
            };
            prop_assert_eq!(found, &Value::from(text.as_str()));
        }
    }
}
