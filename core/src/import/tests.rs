//! Listings as the systems' documentation shows them; nothing of them is lost without a note.

use serde_json::{Value, json};

use super::found::{NOTE_BYTES_MAX, NOTES_MAX};
use super::request::ITEMS_MAX;
use super::*;
use crate::config::{self, State};
use crate::egress::Policy;
use crate::fault::InputFault;

fn policy() -> Policy {
    Policy { allow_private_targets: false, own_hosts: Vec::new() }
}

fn previewed(from: From, listing: Value) -> PreviewView {
    preview(&Request { from, listing }, &policy())
}

fn webhook(view: &PreviewView, index: usize) -> Value {
    view.document["webhooks"][index].clone()
}

/// The document can be applied as it is.
fn applies(view: &PreviewView) {
    let request = config::Request { document: view.document.clone(), prune: false, expect: None };
    let plan = config::plan(&State::default(), &request, &policy());
    assert!(plan.is_ok(), "{plan:?}");
}

#[test]
fn svix() {
    let view = previewed(
        From::Svix,
        json!({"data": [
            {"id": "ep_1", "uid": "orders", "url": "https://a.example/hook", "description": "Orders", "filterTypes": ["order.paid", "order-refunded"],
             "channels": ["c"], "disabled": true, "rateLimit": 5, "metadata": {"team": "a"}, "version": 1, "createdAt": "2026-01-01T00:00:00Z"},
            {"id": "ep_2", "url": "https://b.example/", "description": "", "metadata": {}, "eventTypes": null, "throttleRate": 2},
        ], "iterator": "x", "done": true}),
    );
    applies(&view);
    assert_eq!(
        webhook(&view, 0),
        json!({"name": "orders", "url": "https://a.example/hook", "description": "Orders", "events": ["order.paid", "order_refunded"],
               "rate_limit": {"calls": 5, "per_s": 1}, "enabled": false, "labels": {"team": "a"}})
    );
    assert_eq!((&webhook(&view, 1)["events"], &webhook(&view, 1)["name"]), (&json!(["*"]), &json!("ep_2")));
    assert_eq!(view.items[0].notes.len(), 3, "{:?}", view.items[0].notes);
}

#[test]
fn convoy() {
    let view = previewed(
        From::Convoy,
        json!({"status": true, "message": "", "data": {"content": [
            {"uid": "e1", "name": "orders", "url": "https://a.example/", "status": "paused", "rate_limit": 100, "rate_limit_duration": 60,
             "http_timeout": 45, "authentication": {"type": "api_key", "api_key": {"header_name": "X-Key", "header_value": "k"}}},
            {"uid": "s1", "name": "sub", "filter_config": {"event_types": ["a.b"], "filter": {"body": {}}},
             "endpoint_metadata": {"url": "https://b.example/", "status": "inactive"}},
        ], "pagination": {}}}),
    );
    applies(&view);
    let (endpoint, subscription) = (webhook(&view, 0), webhook(&view, 1));
    assert_eq!(
        (&endpoint["rate_limit"], &endpoint["timeout_s"], &endpoint["paused"]),
        (&json!({"calls": 100, "per_s": 60}), &json!(30), &json!(true))
    );
    assert_eq!(endpoint["headers"], json!([{"key": "X-Key", "value": "k", "protected": true}]));
    assert_eq!(
        (&subscription["events"], &subscription["enabled"], &subscription["url"]),
        (&json!(["a.b"]), &json!(false), &json!("https://b.example/"))
    );
}

#[test]
fn hook0() {
    let view = previewed(
        From::Hook0,
        json!([{"subscription_id": "0191", "is_enabled": true, "event_types": ["billing.invoice.paid"], "description": "Invoices",
                "label_key": "tenant", "label_value": "acme", "metadata": {},
                "target": {"type": "http", "method": "PUT", "url": "https://a.example/", "headers": {"X-A": "1"}}}]),
    );
    applies(&view);
    let found = webhook(&view, 0);
    assert_eq!(
        (&found["event_labels"], &found["events"], &found["name"]),
        (&json!({"tenant": "acme"}), &json!(["billing.invoice.paid"]), &json!("Invoices"))
    );
    assert!(view.items[0].notes.iter().any(|note| note.contains("POST")));
}

#[test]
fn the_three_seeds() {
    let ubiops = previewed(
        From::Ubiops,
        json!([{"id": "u", "name": "w", "url": "https://a.example/", "event": "deployment_request_completed", "object_type": "deployment",
                "object_name": "d1", "version": null, "headers": [{"key": "A", "value": null, "protected": true}, {"key": "B", "value": "1", "protected": false}],
                "description": "", "labels": {"a": "b"}, "timeout": 20, "enabled": false, "retry": true, "include_result": true}]),
    );
    applies(&ubiops);
    let found = webhook(&ubiops, 0);
    assert_eq!(
        (&found["contract"], &found["object"], &found["timeout_s"]),
        (&json!("ubiops"), &json!({"type": "deployment", "name": "d1"}), &json!(20))
    );
    assert_eq!(ubiops.items[0].notes, ["header A is protected there: give its value"]);

    let up42 = previewed(
        From::Up42,
        json!({"data": [{"id": "i", "name": "w", "url": "https://a.example/", "events": ["job.status"], "active": true, "secret": ""}], "error": null}),
    );
    applies(&up42);
    assert_eq!((&webhook(&up42, 0)["enabled"], &webhook(&up42, 0)["secret"]), (&json!(true), &Value::Null));

    let actinia = previewed(
        From::Actinia,
        json!([{"version": 1, "list": [], "webhooks": {"finished": "https://a.example/f", "update": "https://a.example/u", "auth": "u:p"}}]),
    );
    applies(&actinia);
    assert_eq!(webhook(&actinia, 0)["url"], "https://a.example/f");
    assert!(
        !actinia.document.to_string().contains("u:p") && actinia.items[0].notes.len() == 4,
        "{:?}",
        actinia.items
    );
}

#[test]
fn what_is_of_the_wrong_type_or_unknown_is_told() {
    let notes = |from, listing| {
        previewed(from, listing).items.into_iter().flat_map(|item| item.notes).collect::<Vec<_>>().join("\n")
    };
    let svix = notes(
        From::Svix,
        json!([{"uid": "w", "url": "https://a.example/", "filterTypes": ["a", 1], "rateLimit": "5", "transformation": "x",
                "metadata": {"n": 1}, "description": "d".repeat(401)}]),
    );
    for part in [
        "an event type must be a text",
        "not taken over: rateLimit, transformation",
        "label n is not taken over",
        "cut to 400",
    ] {
        assert!(svix.contains(part), "{part}: {svix}");
    }
    let wrong = previewed(
        From::Svix,
        json!([{"uid": "w", "url": "https://a.example/", "filterTypes": "order.paid"}]),
    );
    assert!(
        !wrong.items[0].taken,
        "a text is no list, and does not stand for every event: {:?}",
        wrong.items
    );
    let convoy = notes(
        From::Convoy,
        json!([{"name": "w", "url": "https://a.example/", "rate_limit": 5, "http_timeout": "10s", "slack_webhook_url": "https://s.example/"}]),
    );
    assert!(convoy.contains("not taken over: http_timeout, rate_limit, slack_webhook_url"), "{convoy}");
    let ubiops = notes(
        From::Ubiops,
        json!([{"name": "w", "url": "https://a.example/", "event": "deployment_request_completed", "retry": "yes", "headers": [{"value": "1"}]}]),
    );
    assert!(
        ubiops.contains("not taken over: retry") && ubiops.contains("header number 1 has no name"),
        "{ubiops}"
    );
    let up42 = notes(
        From::Up42,
        json!([{"name": "w", "url": "https://a.example/", "events": ["job.status"], "active": "true", "secret": 1}]),
    );
    assert!(up42.contains("not taken over: active") && up42.contains("the secret is not a string"), "{up42}");
}

#[test]
fn a_secret_that_signs_alike_is_taken_over_and_another_is_told() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let svix = |secret: &str| {
        previewed(From::Svix, json!({"data": [{"url": "https://a.example/", "uid": "a", "secret": secret}]}))
    };
    let taken = svix(secret);
    applies(&taken);
    assert_eq!(webhook(&taken, 0)["secret"], secret);
    assert!(!taken.items[0].notes.iter().any(|note| note.contains("secret")), "{:?}", taken.items);
    let other = svix("hush");
    assert!(webhook(&other, 0).get("secret").is_none());
    let convoy = json!([{"url": "https://a.example/", "name": "a", "secrets": [{"value": "hush"}]}]);
    for view in [other, previewed(From::Convoy, convoy)] {
        let notes = &view.items[0].notes;
        assert!(
            notes.iter().any(|note| note.starts_with("its signing secret is not taken over")),
            "{notes:?}"
        );
        assert!(!notes.iter().any(|note| note.contains("hush")), "{notes:?}");
    }
}

#[test]
fn what_a_listing_leaves_to_its_next_page_and_all_that_is_left_out_are_told() {
    let item = json!({"url": "https://a.example/", "uid": "a", "name": "a"});
    for (from, listing) in [
        (From::Svix, json!({"data": [item], "done": false, "iterator": "x"})),
        (From::Convoy, json!({"data": {"content": [item], "pagination": {"has_next_page": true}}})),
    ] {
        let notes = previewed(from, listing).items.remove(0).notes;
        assert!(notes.iter().any(|note| note.contains("further pages")), "{notes:?}");
    }
    let many: serde_json::Map<String, Value> =
        (0..30).map(|number| (format!("m{number}"), json!(1))).collect();
    let mut item = many;
    item.insert(String::from("url"), json!("https://a.example/"));
    let notes = previewed(From::Svix, json!([item])).items.remove(0).notes;
    assert!(
        notes.iter().any(|note| note.starts_with("not taken over: ") && note.ends_with(" and 10 more")),
        "{notes:?}"
    );
    let off = previewed(From::Svix, json!([{"url": "https://a.example/", "enabled": false}]));
    assert_eq!(webhook(&off, 0)["enabled"], false);
    let header = json!({"key": "X-A", "value": "v", "protected": false, "comment": "why"});
    let ubiops = json!([{"url": "https://a.example/", "name": "a", "event": "deployment_request_completed", "headers": [header]}]);
    let notes = previewed(From::Ubiops, ubiops).items.remove(0).notes;
    assert_eq!(notes, ["not taken over: headers[0].comment"]);
}

#[test]
fn credentials_come_in_protected_and_headers_that_mislead_stay_out() {
    let headers = json!([{"key": "X-Api-Key", "value": "k"}, {"key": "X-Open", "value": "1", "protected": false}, {"key": "Via", "value": "p"}]);
    let listing = json!([{"name": "w", "url": "https://a.example/", "event": "deployment_request_completed", "headers": headers}]);
    let view = previewed(From::Ubiops, listing);
    applies(&view);
    let request = config::Request { document: view.document.clone(), prune: false, expect: None };
    let plan =
        config::plan(&State::default(), &request, &policy()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let [config::Step::CreateWebhook(webhook, _)] = plan.steps.as_slice() else {
        panic!("{:?}", plan.changes)
    };
    let found: Vec<(&str, bool)> =
        webhook.headers.iter().map(|header| (header.key.as_str(), header.protected)).collect();
    assert_eq!(found, [("X-Api-Key", true), ("X-Open", false)]);
    assert!(
        view.items[0].notes.iter().any(|note| note.starts_with("header Via is not taken over")),
        "{:?}",
        view.items[0].notes
    );
}

#[test]
fn a_listing_that_is_too_long_is_refused_and_not_cut() {
    let listing = vec![json!({"url": "https://a.example/"}); ITEMS_MAX + 1];
    let body = json!({"from": "svix", "listing": {"data": listing}}).to_string();
    assert!(
        matches!(Request::parse(&body), Err(InputFault::Invalid(faults)) if faults.len() == 1 && faults[0].pointer == "/listing")
    );
}

#[test]
fn a_webhook_of_very_many_event_types_is_refused_and_not_looked_through() {
    let names: Vec<String> = (0..20_000).map(|n| format!("t{n}")).collect();
    let view = previewed(
        From::Svix,
        json!({ "data": [{ "uid": "w", "url": "https://r.example/", "filterTypes": names }] }),
    );
    let text = serde_json::to_string(&view).unwrap_or_default();
    assert!(text.contains("\"taken\":false") && text.len() < 10_000, "{}", text.len());
}

#[test]
fn what_can_not_be_saved_is_left_out_with_the_reason() {
    let view = previewed(
        From::Svix,
        json!({"data": [
            {"id": "a", "url": "http://169.254.169.254/latest"}, {"id": "b", "url": "https://user:pass@localhost/"}, {"id": "c"}, 7,
            {"id": "same", "url": "https://a.example/"}, {"id": "same", "url": "https://a.example/"},
        ]}),
    );
    let taken: Vec<bool> = view.items.iter().map(|item| item.taken).collect();
    assert_eq!(taken, [false, false, false, false, true, true]);
    assert!(
        view.items[0].notes.iter().any(|note| note.starts_with("was left out: url:")),
        "{:?}",
        view.items[0]
    );
    assert_eq!(webhook(&view, 1)["name"], "same-2");
    applies(&view);
}

#[test]
fn a_call_names_a_system_and_its_listing() {
    assert!(Request::parse(r#"{"from":"svix","listing":[]}"#).is_ok());
    assert!(
        matches!(Request::parse(r#"{"from":"x","more":1}"#), Err(InputFault::Invalid(faults)) if faults.len() == 3)
    );
    assert!(
        matches!(Request::parse(r#"{"from":"svix","listing":7}"#), Err(InputFault::Invalid(faults)) if faults.len() == 1)
    );
}

#[test]
fn notes_are_bounded_and_why_something_was_left_out_is_always_said() {
    let view = previewed(
        From::Up42,
        json!([{"name": "w", "url": "https://a.example/", "events": vec!["x".repeat(5_000) + "-"; 100]}]),
    );
    let notes = &view.items[0].notes;
    assert_eq!((notes.len(), notes.last().map(String::as_str)), (NOTES_MAX + 2, Some("and 80 more")));
    assert!(
        notes.iter().all(|note| note.len() <= NOTE_BYTES_MAX)
            && notes[NOTES_MAX].starts_with("was left out: events: "),
        "{notes:?}"
    );
}
