//! What holds for every contract; the cases are `vectors/rendering.json`.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::json::raw;
use super::ubiops::{EVENT_ENDINGS, OBJECT_TYPES, object_type_of};
use super::*;
use crate::egress::Policy;
use crate::event::ObjectRef;
use crate::facade::support::with;
use crate::fault::Faults;
use crate::filter;
use crate::signing::{self, Secret, SecretFault, verify};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, Header, RetiredSecret, parse};

fn webhook(changes: Value) -> Result<Definition, Faults> {
    let draft = with(json!({"name": "w", "url": "https://r.example/h", "events": ["*"]}), changes);
    parse::create(&draft, &Policy::default()).map(|(definition, _)| definition)
}

#[test]
fn a_sample_is_an_event_that_the_webhook_takes() -> Result<(), Faults> {
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
        assert!(filter::matches(&webhook, &filter::EventFacts::from_event(&sample)), "{changes}");
    }
    Ok(())
}

#[test]
fn a_damaged_secret_is_a_fault_and_not_an_unsigned_callback() -> Result<(), Faults> {
    let damaged = Definition { secret: Some(String::from("s1.k1.sealed")), ..webhook(json!({}))? };
    let sample = sample_event(&damaged);
    let source = Source { kind: &sample.kind, accepted_at: Timestamp(0), data: &sample.data, object: None };
    let built =
        build(&damaged, &Rendering::for_event(&damaged, &sample.kind), &source, "msg_1", Timestamp(0));
    assert_eq!(built.err(), Some(SecretFault::NoPrefix));
    Ok(())
}

#[test]
fn a_callback_is_signed_with_every_secret_that_has_not_expired() -> Result<(), Faults> {
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
        let built = build(&rotated, &Rendering::for_event(&rotated, &sample.kind), &source, "msg_1", now);
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
fn the_name_of_the_subscription_is_kept_with_the_attempt() -> Result<(), Faults> {
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
            Rendering::for_event(&ubiops(events.clone())?, kind).subscribed_event.as_deref(),
            named,
            "{events}"
        );
    }
    Ok(())
}

fn callback(webhook: &Definition, body: &str, now: Timestamp) -> Callback {
    let data = raw(&Value::from(body));
    let source = Source { kind: "job.status", accepted_at: now, data: &data, object: None };
    match build(webhook, &Rendering::for_event(webhook, "job.status"), &source, "msg_1", now) {
        Ok(callback) => callback,
        Err(fault) => panic!("{fault}"),
    }
}

fn header<'a>(callback: &'a Callback, name: &str) -> Option<&'a str> {
    callback.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn both_signatures_verify_and_up42_s_knows_the_current_secret_only() -> Result<(), Faults> {
    let mut signed = webhook(json!({"contract": "up42", "events": ["job.status"], "secret": "new ü"}))?;
    signed.previous_secrets =
        vec![RetiredSecret { secret: String::from("old"), expires_at: Timestamp(2_000_000) }];
    let now = Timestamp(1_000_000);
    let sent = callback(&signed, "x", now);
    let (id, at) = (header(&sent, "webhook-id"), header(&sent, "webhook-timestamp"));
    for secret in ["new ü", "old"] {
        let verdict = verify(
            &[Secret::from_text(secret)],
            id,
            at,
            header(&sent, "webhook-signature"),
            sent.body.as_bytes(),
            1_000,
        );
        assert_eq!(verdict, Ok(()), "{secret}");
    }
    let listed = format!(
        "{}{}",
        header(&sent, "date").unwrap_or_default(),
        header(&sent, "digest").unwrap_or_default()
    );
    let expected = format!("up42-sig={}", signing::hmac_base64("new ü".as_bytes(), listed.as_bytes()));
    assert_eq!(header(&sent, "signature"), Some(expected.as_str()));
    assert_eq!(header(&sent, "signature-input"), Some(r#"up42-sig=("date" "digest");created=1000"#));
    Ok(())
}

#[test]
fn nothing_is_signed_without_a_secret() -> Result<(), Faults> {
    let sent = callback(
        &webhook(json!({"contract": "up42", "events": ["job.status"], "secret": null}))?,
        "x",
        Timestamp(0),
    );
    for name in up42::SIGNATURE_HEADERS.into_iter().chain(["webhook-signature"]) {
        assert_eq!(header(&sent, name), None, "{name}");
    }
    Ok(())
}

#[test]
fn a_header_of_the_owner_never_replaces_a_signature() -> Result<(), Faults> {
    let forged = Header { key: String::from("Signature"), value: String::from("forged"), protected: false };
    let forging = Definition {
        headers: vec![forged],
        ..webhook(json!({"contract": "up42", "events": ["job.status"], "secret": "hush"}))?
    };
    let sent = callback(&forging, "x", Timestamp(0));
    assert!(sent.headers.iter().all(|(_, value)| value != "forged"));
    Ok(())
}

#[test]
fn a_value_that_is_no_text_is_not_lost() {
    let rendered = |data: &str| {
        let object = ObjectRef { kind: String::from("deployment"), name: String::from("d1"), version: None };
        let data = RawValue::from_string(String::from(data)).unwrap_or_else(|fault| panic!("{fault}"));
        let source = Source {
            kind: "deployment_request_failed",
            accepted_at: Timestamp(0),
            data: &data,
            object: Some(&object),
        };
        let rendering =
            Rendering { contract: Contract::Ubiops, subscribed_event: None, include_result: true };
        serde_json::from_str::<Value>(&render(&rendering, &source)).unwrap_or_default()
    };
    let body = rendered(
        r#"{"request_id":12345678901234567890123,"deployment_id":{"n":1},"deployment_version_id":true,"status":null,"text":1.50}"#,
    );
    assert_eq!(body["request_id"], "12345678901234567890123");
    assert_eq!(
        (&body["deployment_id"], &body["deployment_version_id"]),
        (&json!(r#"{"n":1}"#), &json!("true"))
    );
    assert_eq!((&body["status"], &body["text"]), (&json!("failed"), &json!("1.50")), "null says nothing");
    assert_eq!(rendered("[1, 2]")["result"], json!([1, 2]));
    assert_eq!(rendered("\"done\"")["result"], json!("done"));
    assert_eq!(rendered("null").get("result"), None);
}

#[test]
fn the_events_of_ubiops_belong_to_their_objects() {
    let events: Vec<String> = OBJECT_TYPES
        .iter()
        .flat_map(|kind| EVENT_ENDINGS.iter().map(move |ending| format!("{kind}_request_{ending}")))
        .collect();
    assert_eq!(events.len(), 8);
    for event in events {
        assert_eq!(object_type_of(&event), event.split('_').next(), "{event}");
    }
    for event in
        ["deployment_request_", "deployment_request", "x_request_failed", "deployment_request_failed.x", ""]
    {
        assert_eq!(object_type_of(event), None, "{event}");
    }
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
