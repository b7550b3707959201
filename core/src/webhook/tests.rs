//! Parsing of native drafts and patches.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::parse::{self, SecretChoice};
use super::*;
use crate::egress::Policy;
use crate::fault::{Faults, InputFault, pointers};
use crate::nearly::{is_read_or_explained, nearly};

type Outcome = Result<(), Faults>;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn with(changes: Value) -> Value {
    let mut body = json!({"name": "w", "url": "https://r.example/h", "events": ["order.*"]});
    if let (Some(body), Value::Object(changes)) = (body.as_object_mut(), changes) {
        body.extend(changes);
    }
    body
}

fn made(changes: Value) -> Result<Definition, Faults> {
    parse::create(&with(changes), &Policy::default()).map(|(definition, _)| definition)
}

fn patched(current: &Definition, patch: &Value) -> Result<Definition, Faults> {
    parse::update(current, patch, &Policy::default())
}

#[test]
fn three_fields_are_enough() -> Outcome {
    let (webhook, secret) = parse::create(&with(json!({})), &Policy::default())?;
    assert_eq!(secret, SecretChoice::Generate);
    assert_eq!(webhook.contract, Contract::Standard);
    assert_eq!(webhook.object, ObjectFilter::default());
    assert_eq!(
        (webhook.timeout_s, webhook.enabled, webhook.retry, webhook.include_result),
        (10, true, true, false)
    );
    assert_eq!(
        (webhook.description.as_str(), webhook.labels.len(), webhook.headers.len(), webhook.secret),
        ("", 0, 0, None)
    );
    Ok(())
}

#[test]
fn the_contract_decides_what_silence_means() -> Outcome {
    let (ubiops, secret) = parse::create(&with(json!({"contract": "ubiops"})), &Policy::default())?;
    assert!(!ubiops.retry && secret == SecretChoice::Given);
    let (unsigned, secret) = parse::create(&with(json!({"secret": null})), &Policy::default())?;
    assert!(unsigned.secret.is_none() && secret == SecretChoice::Given);
    let (signed, secret) = parse::create(&with(json!({"secret": SECRET})), &Policy::default())?;
    assert!(signed.secret.as_deref() == Some(SECRET) && secret == SecretChoice::Given);
    Ok(())
}

#[test]
fn a_secret_of_up42_is_any_text_and_does_not_survive_a_change_of_contract() -> Outcome {
    let up42 = made(json!({"contract": "up42", "secret": " hush ü\n"}))?;
    assert_eq!((up42.secret.as_deref(), up42.retry), (Some(" hush ü\n"), true));
    assert_eq!(made(json!({"contract": "up42"}))?.secret, None);
    for contract in ["standard", "ubiops"] {
        assert_eq!(pointers(patched(&up42, &json!({"contract": contract}))), ["/secret"], "{contract}");
        assert_eq!(patched(&up42, &json!({"contract": contract, "secret": null}))?.secret, None);
        assert_eq!(
            patched(&up42, &json!({"contract": contract, "secret": SECRET}))?.secret.as_deref(),
            Some(SECRET)
        );
    }
    assert_eq!(
        pointers(patched(&made(json!({"secret": SECRET}))?, &json!({"contract": "up42"}))),
        ["/secret"]
    );
    assert_eq!(
        patched(&made(json!({"secret": null}))?, &json!({"contract": "up42"}))?.contract,
        Contract::Up42
    );
    assert_eq!(patched(&up42, &json!({"name": "w2"}))?.secret, up42.secret);
    Ok(())
}

#[test]
fn every_field_is_taken() -> Outcome {
    let webhook = made(json!({
        "contract": "ubiops", "object": {"type": "deployment", "name": "d1", "version": null}, "description": "two\nlines",
        "headers": [{"key": "X-A", "value": "1"}, {"key": "X-B", "value": "a\tb ~", "protected": true}], "labels": {"env": "prod"},
        "events": ["deployment_request_failed", "*"], "timeout_s": 30, "enabled": false, "retry": true, "include_result": true,
    }))?;
    assert_eq!(
        webhook.object,
        ObjectFilter {
            kind: Some(String::from("deployment")),
            name: Some(String::from("d1")),
            version: None
        }
    );
    let headers: Vec<(&str, &str, bool)> =
        webhook.headers.iter().map(|h| (h.key.as_str(), h.value.as_str(), h.protected)).collect();
    assert_eq!(headers, [("X-A", "1", false), ("X-B", "a\tb ~", true)]);
    assert_eq!(
        (webhook.timeout_s, webhook.enabled, webhook.retry, webhook.include_result),
        (30, false, true, true)
    );
    assert_eq!(webhook.labels.get("env").map(String::as_str), Some("prod"));
    Ok(())
}

#[test]
fn every_field_that_says_what_flows_is_taken_and_can_be_reset() -> Outcome {
    let condition = json!({"and": [{"field": "amount", "gt": 100}, {"not": {"field": "test", "eq": true}}]});
    let webhook = made(json!({
        "retry_schedule_s": [1, 604_800], "rate_limit": {"calls": 10_000, "per_s": 3_600}, "concurrency_limit": 100, "ordered": true,
        "filter": condition, "event_labels": {"env": "prod"}, "paused": true, "confirm_gone": true,
    }))?;
    assert_eq!(webhook.retry_schedule_s, Some(vec![1, 604_800]));
    assert_eq!(webhook.rate_limit, Some(RateLimit { calls: 10_000, per_s: 3_600 }));
    assert_eq!(
        (webhook.concurrency_limit, webhook.ordered, webhook.paused, webhook.confirm_gone),
        (Some(100), true, true, true)
    );
    assert_eq!(webhook.filter.as_ref().map(crate::condition::Condition::to_value), Some(condition));
    assert_eq!(webhook.event_labels.get("env").map(String::as_str), Some("prod"));

    assert_eq!(patched(&webhook, &json!({}))?, webhook);
    let reset = json!({
        "retry_schedule_s": null, "rate_limit": null, "concurrency_limit": null, "ordered": false, "filter": null,
        "event_labels": null, "paused": false, "confirm_gone": false,
    });
    assert_eq!(patched(&webhook, &reset)?, made(json!({}))?);
    assert_eq!(
        patched(&webhook, &json!({"retry_schedule_s": []}))?.retry_schedule_s,
        Some(vec![]),
        "one attempt, not the default"
    );
    Ok(())
}

#[test]
fn a_definition_of_an_older_version_reads_back() -> Outcome {
    let old = json!({
        "name": "w", "url": "https://r.example/", "contract": "standard", "events": ["*"],
        "object": {"type": null, "name": null, "version": null}, "headers": [], "description": "", "labels": {}, "timeout_s": 10,
        "enabled": true, "retry": true, "include_result": false, "secret": null,
    });
    let webhook = made(json!({"events": ["*"], "url": "https://r.example/"}))?;
    assert_eq!(serde_json::from_value::<Definition>(old.clone()).ok(), Some(webhook.clone()));
    assert_eq!(serde_json::to_value(&webhook).ok(), Some(old), "what says nothing is left out");
    Ok(())
}

#[test]
fn everything_about_a_webhook_reads_back_from_a_store() -> Outcome {
    let mut webhook = made(json!({
        "retry_schedule_s": [], "rate_limit": {"calls": 1, "per_s": 1}, "concurrency_limit": 1, "ordered": true, "paused": true,
        "filter": {"field": "a", "in": [1, 1.5, "x", null, [1], {"b": 2}], "exists": true}, "event_labels": {"a": "b"}, "secret": SECRET,
    }))?;
    webhook.rotate_secret(String::from("s1.k1.sealed"), 60, crate::time::Timestamp(0));
    let stored = serde_json::to_string(&webhook).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Definition>(&stored).ok(), Some(webhook.clone()));
    assert!(!format!("{webhook:?} {:?}", webhook.previous_secrets).contains("whsec_"));
    Ok(())
}

#[test]
fn a_secret_that_is_set_signs_alone() -> Outcome {
    let mut webhook = made(json!({"secret": SECRET}))?;
    webhook.rotate_secret(String::from("s1.k1.sealed"), 60, crate::time::Timestamp(0));
    for patch in [json!({"secret": SECRET}), json!({"secret": null})] {
        assert!(patched(&webhook, &patch)?.previous_secrets.is_empty(), "{patch}");
    }
    assert_eq!(patched(&webhook, &json!({"paused": true}))?.previous_secrets, webhook.previous_secrets);
    Ok(())
}

#[test]
fn every_bad_field_is_named() {
    let events = |count: usize| (0..count).map(|n| format!("e{n}")).collect::<Vec<_>>();
    let headers =
        |count: usize| (0..count).map(|n| json!({"key": format!("h{n}"), "value": "1"})).collect::<Vec<_>>();
    let labels =
        |count: usize| (0..count).map(|n| (format!("l{n}"), json!("1"))).collect::<serde_json::Map<_, _>>();
    let header = |key: &str, value: &str| json!({"headers": [{"key": key, "value": value}]});
    for (changes, pointer) in [
        (json!({"name": " w"}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": ".."}), "/name"),
        (json!({"name": "ü".repeat(65)}), "/name"),
        (json!({"url": 1}), "/url"),
        (json!({"url": "http://r.example/"}), "/url"),
        (json!({"url": format!("https://r.example/{}", "x".repeat(2048))}), "/url"),
        (json!({"contract": "up43"}), "/contract"),
        (json!({"contract": "up42", "secret": ""}), "/secret"),
        (json!({"contract": "up42", "secret": "x".repeat(76)}), "/secret"),
        (json!({"contract": "up42", "headers": [{"key": "Digest", "value": "x"}]}), "/headers/0/key"),
        (
            json!({"contract": "up42", "headers": [{"key": "X-A", "value": "x"}, {"key": "signature-input", "value": "x"}]}),
            "/headers/1/key",
        ),
        (json!({"contract": null}), "/contract"),
        (json!({"events": []}), "/events"),
        (json!({"events": null}), "/events"),
        (json!({"events": "order.paid"}), "/events"),
        (json!({"events": events(51)}), "/events"),
        (json!({"events": ["a", "a b"]}), "/events/1"),
        (json!({"events": ["a", 1]}), "/events/1"),
        (json!({"events": ["a", "a"]}), "/events/1"),
        (json!({"object": "d1"}), "/object"),
        (json!({"object": {"type": 1}}), "/object/type"),
        (json!({"object": {"name": ""}}), "/object/name"),
        (json!({"object": {"kind": "x"}}), "/object/kind"),
        (json!({"headers": headers(21)}), "/headers"),
        (header("bad name", "1"), "/headers/0/key"),
        (header("bad:", "1"), "/headers/0/key"),
        (header("ü", "1"), "/headers/0/key"),
        (header("Host", "x"), "/headers/0/key"),
        (header("Content-Length", "1"), "/headers/0/key"),
        (header("transfer-encoding", "chunked"), "/headers/0/key"),
        (header("Connection", "close"), "/headers/0/key"),
        (header("Webhook-Signature", "v1,x"), "/headers/0/key"),
        (header("webhook-anything", "1"), "/headers/0/key"),
        (header("CF-Worker", "1"), "/headers/0/key"),
        (header("A", "a\r\nb: c"), "/headers/0/value"),
        (header("A", "a\u{0}"), "/headers/0/value"),
        (header("A", "a\u{7f}"), "/headers/0/value"),
        (header("A", "a\u{85}"), "/headers/0/value"),
        (header("A", "€"), "/headers/0/value"),
        (header("A", " a"), "/headers/0/value"),
        (header("A", ""), "/headers/0/value"),
        (header("A", &"x".repeat(4097)), "/headers/0/value"),
        (json!({"headers": [{"key": "A"}]}), "/headers/0/value"),
        (json!({"headers": [{"key": "A", "value": "1", "protected": null}]}), "/headers/0/protected"),
        (json!({"headers": [{"key": "A", "value": "1", "secret": true}]}), "/headers/0/secret"),
        (json!({"headers": [{"key": "A", "value": "1"}, {"key": "a", "value": "2"}]}), "/headers/1/key"),
        (json!({"description": "ü".repeat(401)}), "/description"),
        (json!({"description": "a\u{0}"}), "/description"),
        (json!({"labels": labels(33)}), "/labels"),
        (json!({"labels": {"a:b": "1"}}), "/labels/a:b"),
        (json!({"labels": {"a/b~": 1}}), "/labels/a~1b~0"),
        (json!({"labels": {"": "1"}}), "/labels/"),
        (json!({"labels": {"a": "x".repeat(257)}}), "/labels/a"),
        (json!({"timeout_s": 0}), "/timeout_s"),
        (json!({"timeout_s": 31}), "/timeout_s"),
        (json!({"timeout_s": -1}), "/timeout_s"),
        (json!({"timeout_s": 1e300}), "/timeout_s"),
        (json!({"enabled": null}), "/enabled"),
        (json!({"retry": "no"}), "/retry"),
        (json!({"include_result": 0}), "/include_result"),
        (json!({"secret": "hush"}), "/secret"),
        (json!({"secret": "whsec_aHVzaA=="}), "/secret"),
        (json!({"secret": 1}), "/secret"),
        (json!({"retry_schedule_s": 5}), "/retry_schedule_s"),
        (json!({"retry_schedule_s": [5, 0]}), "/retry_schedule_s/1"),
        (json!({"retry_schedule_s": [604_801]}), "/retry_schedule_s/0"),
        (json!({"retry_schedule_s": [1.5]}), "/retry_schedule_s/0"),
        (json!({"retry_schedule_s": ["5"]}), "/retry_schedule_s/0"),
        (json!({"retry_schedule_s": vec![1; 21]}), "/retry_schedule_s"),
        (json!({"rate_limit": 5}), "/rate_limit"),
        (json!({"rate_limit": {"calls": 5}}), "/rate_limit/per_s"),
        (json!({"rate_limit": {"calls": 0, "per_s": 1}}), "/rate_limit/calls"),
        (json!({"rate_limit": {"calls": 10_001, "per_s": 1}}), "/rate_limit/calls"),
        (json!({"rate_limit": {"calls": 1, "per_s": 3_601}}), "/rate_limit/per_s"),
        (json!({"rate_limit": {"calls": 1, "per_s": null}}), "/rate_limit/per_s"),
        (json!({"rate_limit": {"calls": 1, "per_s": 1, "burst": 2}}), "/rate_limit/burst"),
        (json!({"concurrency_limit": 0}), "/concurrency_limit"),
        (json!({"concurrency_limit": 101}), "/concurrency_limit"),
        (json!({"concurrency_limit": "1"}), "/concurrency_limit"),
        (json!({"ordered": null}), "/ordered"),
        (json!({"ordered": 1}), "/ordered"),
        (json!({"paused": null}), "/paused"),
        (json!({"confirm_gone": "second"}), "/confirm_gone"),
        (json!({"filter": "amount > 1"}), "/filter"),
        (
            json!({"filter": {"and": [{"field": "a", "eq": 1}, {"field": "b", "like": 1}]}}),
            "/filter/and/1/like",
        ),
        (json!({"event_labels": ["a"]}), "/event_labels"),
        (json!({"event_labels": {"a": 1}}), "/event_labels/a"),
        (json!({"event_labels": labels(33)}), "/event_labels"),
        (json!({"previous_secrets": []}), "/previous_secrets"),
        (json!({"secret": "whsk_aHVzaA=="}), "/secret"),
        (json!({"id": "whk_1"}), "/id"),
        (json!({"version": 1}), "/version"),
        (
            json!({"url": "https://u:p@r.example/", "headers": [{"key": "Authorization", "value": "x"}]}),
            "/url",
        ),
        (json!({"url": "https://u:p@r.example/", "headers": headers(20)}), "/url"),
        (
            json!({"contract": "ubiops", "events": ["pipeline_request_failed"], "object": {"type": "deployment"}}),
            "/events/0",
        ),
    ] {
        assert_eq!(pointers(made(changes.clone())), [pointer], "{changes}");
    }
}

#[test]
fn all_bad_fields_are_named_at_once() {
    let draft = json!({"name": "", "url": "x", "headers": [{"key": "a b", "value": "\n"}, 1], "timeout_s": 99, "nonsense": 1});
    let found = pointers(parse::create(&draft, &Policy::default()));
    assert_eq!(
        found,
        [
            "/name",
            "/url",
            "/events",
            "/headers/0/key",
            "/headers/0/value",
            "/headers/1",
            "/timeout_s",
            "/nonsense"
        ]
    );
    assert_eq!(pointers(parse::create(&json!([]), &Policy::default())), [""]);
    assert_eq!(pointers(parse::create(&json!({}), &Policy::default())), ["/name", "/url", "/events"]);
}

#[test]
fn limits_are_reached_exactly() -> Outcome {
    let events: Vec<String> = (0..50).map(|n| format!("e{n}")).collect();
    let headers: Vec<Value> =
        (0..20).map(|n| json!({"key": format!("h{n}"), "value": "x".repeat(4096)})).collect();
    let labels: serde_json::Map<String, Value> = (0..32).map(|n| (format!("l{n}"), json!(""))).collect();
    let webhook = made(
        json!({"name": "ü".repeat(64), "events": events, "headers": headers, "labels": labels, "description": "ü".repeat(400), "timeout_s": 1}),
    )?;
    assert_eq!((webhook.events.len(), webhook.headers.len(), webhook.labels.len()), (50, 20, 32));
    Ok(())
}

#[test]
fn no_fault_repeats_a_value_that_may_be_secret() {
    let draft = with(
        json!({"secret": "sesame", "headers": [{"key": "A", "value": "sesame\n"}], "url": "https://u:sesame@10.0.0.1/"}),
    );
    let faults = parse::create(&draft, &Policy::default()).err().unwrap_or_default();
    assert_eq!(faults.len(), 3);
    assert!(faults.iter().all(|fault| !fault.detail.contains("sesame")), "{faults:?}");
}

#[test]
fn names_and_descriptions_hide_nothing_and_older_names_read_back() -> Outcome {
    for (changes, pointer) in
        [(json!({"name": "a\u{202e}b"}), "/name"), (json!({"description": "a\u{2066}b"}), "/description")]
    {
        assert_eq!(pointers(made(changes)), [pointer]);
    }
    assert_eq!(made(json!({"description": "one\ntwo"}))?.description, "one\ntwo");
    assert!(serde_json::from_str::<WebhookName>("\"a\u{200d}b\"").is_ok(), "what an older version stored");
    Ok(())
}

#[test]
fn a_part_of_the_object_that_is_not_sent_stays() -> Outcome {
    let webhook = made(json!({"object": {"type": "deployment", "name": "d1", "version": "v1"}}))?;
    let patch = |object: Value| patched(&webhook, &json!({ "object": object }));
    let parts = |object: &ObjectFilter| {
        [&object.kind, &object.name, &object.version].map(|part| part.clone().unwrap_or_default())
    };
    assert_eq!(parts(&patch(json!({"name": "d2"}))?.object), ["deployment", "d2", "v1"]);
    assert_eq!(parts(&patch(json!({"version": null}))?.object), ["deployment", "d1", ""]);
    assert_eq!(parts(&patch(json!({}))?.object), ["deployment", "d1", "v1"]);
    assert_eq!(patch(Value::Null)?.object, ObjectFilter::default());
    assert_eq!(pointers(patch(json!({"name": 1, "kind": "x"}))), ["/object/name", "/object/kind"]);
    Ok(())
}

#[test]
fn a_credential_that_nobody_marked_is_protected() -> Outcome {
    let protected =
        |webhook: &Definition| webhook.headers.iter().map(|header| header.protected).collect::<Vec<_>>();
    let names = ["Authorization", "cookie", "X-Api-Key", "x_auth_token", "X-Open"];
    let unmarked: Vec<Value> = names.iter().map(|name| json!({"key": name, "value": "v"})).collect();
    let webhook = made(json!({"headers": unmarked}))?;
    assert_eq!(protected(&webhook), [true, true, true, true, false]);
    assert_eq!(
        protected(&patched(&made(json!({}))?, &json!({"headers": unmarked}))?),
        [true, true, true, true, false]
    );
    let trial = parse::trial(
        &json!({"url": "https://r.example/", "headers": unmarked}).to_string(),
        &Policy::default(),
    );
    assert!(trial.is_ok_and(|trial| protected(&trial.definition) == [true, true, true, true, false]));
    let open = made(json!({"headers": [{"key": "Authorization", "value": "v", "protected": false}]}))?;
    assert_eq!(protected(&open), [false], "somebody said otherwise");
    Ok(())
}

#[test]
fn a_header_that_is_kept_stays_as_protected_as_it_was() -> Outcome {
    let webhook = made(
        json!({"headers": [{"key": "X-Mine", "value": "v", "protected": true}, {"key": "X-Open", "value": "1"}]}),
    )?;
    assert_eq!(
        patched(&webhook, &json!({"headers": [{"key": "x-mine"}, {"key": "X-Open"}]}))?.headers.len(),
        2
    );
    let kept = patched(&webhook, &json!({"headers": [{"key": "X-Mine"}, {"key": "X-Open", "value": "2"}]}))?;
    assert_eq!(kept.headers.iter().map(|header| header.protected).collect::<Vec<_>>(), [true, false]);
    let opened = json!({"headers": [{"key": "X-Mine", "protected": false}]});
    assert_eq!(pointers(patched(&webhook, &opened)), ["/headers/0/value"]);
    Ok(())
}

#[test]
fn headers_that_mislead_are_refused_with_the_reason() {
    for name in [
        "Content-Encoding",
        "set-cookie",
        "Svix-Id",
        "webhook_id",
        "Webhook-Signature",
        "Forwarded",
        "x-forwarded-for",
        "Via",
        "range",
        "if-match",
    ] {
        let faults = made(json!({"headers": [{"key": name, "value": "v"}]})).err().unwrap_or_default();
        assert!(
            matches!(&*faults, [fault] if fault.pointer == "/headers/0/key" && fault.detail.len() > name.len() + 10),
            "{name}: {faults:?}"
        );
    }
    let own = made(json!({"contract": "up42", "headers": [{"key": "signature_input", "value": "v"}]}));
    assert_eq!(pointers(own), ["/headers/0/key"]);
}

#[test]
fn credentials_of_the_url_become_a_protected_header() -> Outcome {
    let webhook = made(json!({"url": "https://user:p%40ss@r.example/h#top"}))?;
    assert_eq!(webhook.url, "https://r.example/h");
    assert_eq!(
        webhook.headers,
        [Header {
            key: String::from("authorization"),
            value: String::from("Basic dXNlcjpwQHNz"),
            protected: true
        }]
    );
    let moved = patched(&webhook, &json!({"url": "https://other:x@r.example/"}))?;
    assert_eq!(
        moved.headers,
        [Header {
            key: String::from("authorization"),
            value: String::from("Basic b3RoZXI6eA=="),
            protected: true
        }]
    );
    let both = json!({"url": "https://a:b@r.example/", "headers": [{"key": "AUTHORIZATION", "value": "x"}]});
    assert_eq!(pointers(patched(&webhook, &both)), ["/url"]);
    Ok(())
}

type Change = fn(&mut Definition);

#[test]
fn a_patch_changes_only_what_it_names() -> Outcome {
    let stored = made(
        json!({"labels": {"a": "b"}, "description": "text", "timeout_s": 20, "object": {"name": "d1"}, "secret": SECRET}),
    )?;
    assert_eq!(patched(&stored, &json!({}))?, stored);
    let changes: [(Value, Change); 6] = [
        (json!({"enabled": false}), |webhook| webhook.enabled = false),
        (json!({"retry": false}), |webhook| webhook.retry = false),
        (json!({"secret": null}), |webhook| webhook.secret = None),
        (json!({"object": null}), |webhook| webhook.object = ObjectFilter::default()),
        (json!({"timeout_s": null, "description": null}), |webhook| {
            webhook.timeout_s = 10;
            webhook.description = String::new();
        }),
        (json!({"labels": null}), |webhook| webhook.labels.clear()),
    ];
    for (patch, change) in changes {
        let mut expected = stored.clone();
        change(&mut expected);
        assert!(patched(&stored, &patch)? == expected, "{patch}");
    }
    Ok(())
}

#[test]
fn a_patch_is_checked_like_a_draft() -> Outcome {
    let stored = made(json!({}))?;
    let patch = json!({"name": null, "url": null, "events": null, "contract": "x", "enabled": null, "secret": "x", "id": 1});
    assert_eq!(
        pointers(patched(&stored, &patch)),
        ["/name", "/contract", "/events", "/url", "/enabled", "/secret", "/id"]
    );
    assert_eq!(pointers(patched(&stored, &json!("x"))), [""]);
    Ok(())
}

#[test]
fn a_kept_value_is_told_from_a_new_one() -> Outcome {
    let mut stored = made(
        json!({"headers": [{"key": "A", "value": "x", "protected": true}, {"key": "B", "value": "2"}]}),
    )?;
    stored.headers[0].value = String::from("s1.k1.sealed");
    let kept = patched(
        &stored,
        &json!({"headers": [{"key": "a", "protected": true}, {"key": "b", "protected": true}]}),
    )?;
    let is_kept: Vec<bool> = kept.headers.iter().map(|header| header.is_kept_from(&stored.headers)).collect();
    assert_eq!(is_kept, [true, false], "b was stored in clear and has to be sealed now");
    let replaced = patched(&stored, &json!({"headers": [{"key": "A", "value": "new", "protected": true}]}))?;
    assert!(!replaced.headers[0].is_kept_from(&stored.headers));
    let revealing = json!({"headers": [{"key": "A", "protected": false}]});
    assert_eq!(pointers(patched(&stored, &revealing)), ["/headers/0/value"]);
    Ok(())
}

#[test]
fn a_test_takes_a_type_and_data_or_nothing() -> Result<(), InputFault> {
    let webhook = made(json!({"object": {"type": "deployment"}}))?;
    for body in ["", " ", "{}"] {
        let event = parse::test(body)?.event_for(&webhook);
        assert!(crate::filter::matches(&webhook, &crate::filter::EventFacts::from_event(&event)), "{body}");
    }
    let event = parse::test(r#"{"type":"x","data":{ "n":1.0 }}"#)?.event_for(&webhook);
    assert_eq!((event.kind.as_str(), event.data.get()), ("x", r#"{ "n":1.0 }"#));
    for body in [
        r#"{"type":"a b"}"#,
        r#"{"type":1}"#,
        r#"{"x":1}"#,
        r#"{"data":"\ud800"}"#,
        r#"{"data":1,"data":2}"#,
        "[]",
    ] {
        assert!(matches!(parse::test(body), Err(InputFault::Invalid(faults)) if faults.len() == 1), "{body}");
    }
    assert!(matches!(parse::test("{"), Err(InputFault::Malformed(_))));
    Ok(())
}

#[test]
fn a_trial_refuses_what_it_would_not_use() {
    for key in parse::NOT_OF_A_TRIAL {
        let body = json!({"url": "https://r.example/", key: null}).to_string();
        let Err(InputFault::Invalid(faults)) = parse::trial(&body, &Policy::default()) else {
            panic!("{key}")
        };
        let mut pointers: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
        pointers.dedup();
        assert_eq!(pointers, [format!("/{key}")]);
    }
}

#[test]
fn a_result_is_asked_for_where_callbacks_can_carry_it() -> Outcome {
    for contract in ["standard", "up42"] {
        assert_eq!(
            pointers(made(json!({"contract": contract, "include_result": true}))),
            ["/include_result"]
        );
        let webhook = made(json!({"contract": contract, "include_result": false}))?;
        assert_eq!(pointers(patched(&webhook, &json!({"include_result": true}))), ["/include_result"]);
    }
    Ok(())
}

#[test]
fn labels_and_objects_show_all_that_they_hold() {
    for (field, pointer) in [
        (json!({"labels": {"a\u{200b}": "b"}}), "/labels/a\u{200b}"),
        (json!({"labels": {"a": "b\u{202e}"}}), "/labels/a"),
        (json!({"event_labels": {"a": "\u{feff}"}}), "/event_labels/a"),
        (json!({"object": {"type": "a\u{2066}"}}), "/object/type"),
        (json!({"object": {"name": "a\u{2066}"}}), "/object/name"),
        (json!({"object": {"version": "a\u{2066}"}}), "/object/version"),
        (json!({"object": {"type": "a/b"}}), "/object/type"),
    ] {
        assert_eq!(pointers(made(field)), [pointer]);
    }
}

#[test]
fn a_trial_needs_only_a_url() -> Result<(), InputFault> {
    let trial = parse::trial(r#"{"url":"https://r.example/"}"#, &Policy::default())?;
    assert_eq!((trial.definition.name.as_str(), trial.definition.secret), ("test", None));
    let trial = parse::trial(
        r#"{"url":"https://r.example/","contract":"ubiops","type":"order.paid","data":[1],"timeout_s":3}"#,
        &Policy::default(),
    )?;
    assert_eq!(
        (trial.event.kind.as_str(), trial.event.data.get(), trial.definition.timeout_s),
        ("order.paid", "[1]", 3)
    );
    for body in [
        "{}",
        r#"{"url":"x"}"#,
        r#"{"url":"https://r.example/","x":1}"#,
        r#"{"url":"https://r.example/","events":[]}"#,
    ] {
        assert!(
            matches!(parse::trial(body, &Policy::default()), Err(InputFault::Invalid(faults)) if faults.len() == 1),
            "{body}"
        );
    }
    Ok(())
}

#[test]
fn names_are_what_paths_and_clients_can_carry() {
    for (text, is_name) in [
        ("p1", true),
        ("a_b-c", true),
        ("0", true),
        ("", false),
        ("-a", false),
        ("_a", false),
        ("A", false),
        ("a.b", false),
        ("ä", false),
    ] {
        assert_eq!(ProjectName::parse(text).is_some(), is_name, "{text}");
    }
    assert!(ProjectName::parse(&"a".repeat(63)).is_some() && ProjectName::parse(&"a".repeat(64)).is_none());
    for (text, is_name) in [
        ("a/b", true),
        ("世界 🌍", true),
        ("a..b", true),
        (".", false),
        ("..", false),
        (" a", false),
        ("a\t", false),
        ("a\u{7f}b", false),
    ] {
        assert_eq!(WebhookName::parse(text).is_some(), is_name, "{text}");
    }
}

/// Any JSON value of little depth.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let key = prop::sample::select(vec![
            "name",
            "url",
            "events",
            "headers",
            "key",
            "value",
            "protected",
            "labels",
            "object",
            "type",
            "secret",
            "timeout_s",
            "retry_schedule_s",
            "rate_limit",
            "filter",
            "field",
            "and",
            "not",
            "in",
            "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (String::from(key), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_sent_is_parsed_or_named(draft in any_json(), changes in any_json()) {
        for draft in [draft, with(changes)] {
            match parse::create(&draft, &Policy::default()) {
                Ok((webhook, _)) => {
                    let _updated = parse::update(&webhook, &draft, &Policy::default());
                }
                Err(faults) => prop_assert!(!faults.is_empty()),
            }
        }
    }

    #[test]
    fn a_webhook_that_is_nearly_valid_is_read_or_explained(
        draft in nearly(json!({
            "name": "w", "url": "https://u:p@r.example/h", "events": ["order.*", "a.b"], "contract": "standard",
            "description": "d", "labels": {"env": "prod"}, "event_labels": {"env": "prod"}, "enabled": true,
            "headers": [{"key": "X-A", "value": "1", "protected": false}, {"key": "x-api-key", "value": "2"}],
            "object": {"type": "deployment", "name": null}, "filter": {"field": "n", "gt": 1}, "timeout_s": 10,
            "retry": true, "retry_schedule_s": [5, 300], "rate_limit": {"calls": 10, "per_s": 1}, "ordered": true,
            "concurrency_limit": 5, "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        })),
    ) {
        let made = parse::create(&draft, &Policy::default());
        is_read_or_explained(&draft, made.map_err(InputFault::from))?;
    }
}
