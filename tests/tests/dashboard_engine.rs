//! What a person does with the delivery engine in the dashboard: replay with a count and progress, recover
//! what a webhook missed, pause and resume, rotate a secret, filter by payload, ask what would happen, change
//! settings, take data home.

use postern_core::api::project::ProjectDetail;
use postern_core::api::webhook::WebhookView;
use postern_tests::browser::Browser;
use postern_tests::client::Project;
use postern_tests::page::{Dashboard, Hand, ReplayDialog, WebhookForm, WebhookPage};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::json;

/// Has an inbox answer with `status` from now on.
async fn answer(project: &Project, inbox: &str, status: u16) {
    let body = json!({ "answer": { "status": status, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{inbox}"), &body).await.expect(200);
}

/// Waits until an inbox has recorded `count` requests.
async fn arrived(project: &Project, inbox: &str, count: usize) {
    let what = format!("{count} requests have arrived");
    until(&what, SOON, async || project.inbox_requests(inbox).await.items.len() >= count).await;
    assert_eq!(project.inbox_requests(inbox).await.items.len(), count);
}

#[tokio::test]
async fn what_was_given_up_is_counted_then_replayed_with_its_progress_in_sight() {
    let project = stack::project("replay").await;
    let inbox = project.inbox("moody").await;
    answer(&project, &inbox.id, 503).await;
    project.listen("w", &inbox.url, &json!({ "retry": false })).await;
    for n in 0..3 {
        let event = project.event("order.paid", json!({ "n": n })).await;
        project
            .delivery_when(&event.id, "w", "is given up", |detail| detail.delivery.state.as_str() == "dead")
            .await;
    }
    answer(&project, &inbox.id, 200).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    let dialog = ReplayDialog::open(dashboard).await;
    dialog.webhook("nobody").await;
    dashboard.press("button", "Count").await;
    browser.sees("Not found").await;
    dialog.webhook("w").await;
    assert_eq!(dialog.count().await.trim(), "3 deliveries would be sent again.");
    assert!(project.deliveries("state=dead").await.items.len() == 3, "counting sends nothing");
    dialog.start("Send 3 deliveries again", "3 sent").await;
    until("all three are delivered", SOON, async || {
        project.deliveries("state=delivered").await.items.len() == 3
    })
    .await;
    arrived(&project, &inbox.id, 6).await;
    assert!(!browser.address().await.contains("replay="), "a dialog that was closed is not in the address");
    assert_eq!(browser.complaints(&["404"]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_webhook_that_is_enabled_again_is_offered_what_it_missed() {
    let project = stack::project("recover").await;
    let inbox = project.inbox("late").await;
    project.listen("w", &inbox.url, &json!({ "events": ["order.*"], "enabled": true })).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let webhook = WebhookPage::open(dashboard, "w").await;
    webhook.disable().await;
    browser.sees("Events pass it by").await;
    for kind in ["order.paid", "order.shipped", "invoice.created"] {
        assert_eq!(project.event(kind, json!({})).await.deliveries, 0);
    }
    webhook.enable().await;
    dashboard.press("link", "Recover what it missed…").await;
    let dialog = ReplayDialog::arrived(dashboard).await;
    assert_eq!(dialog.count().await.trim(), "2 events would be sent.");
    dialog.start("Send 2 events", "2 sent").await;
    arrived(&project, &inbox.id, 2).await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn an_event_that_no_webhook_wanted_is_sent_to_one_that_came_later() {
    let project = stack::project("nobody").await;
    let event = project.event("order.paid", json!({ "n": 1 })).await;
    project.event("order.paid", json!({ "n": 2 })).await;
    let inbox = project.inbox("later").await;
    project.listen("later", &inbox.url, &json!({})).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/events?open={}", project.name, event.id)).await;
    browser.sees("No webhook wanted it").await;
    dashboard.press("link", "Send to a webhook…").await;
    let dialog = ReplayDialog::arrived(dashboard).await;
    dialog.webhook("later").await;
    assert_eq!(dialog.count().await.trim(), "1 event would be sent.");
    dialog.start("Send 1 event", "1 sent").await;
    arrived(&project, &inbox.id, 1).await;
    assert!(
        project.inbox_requests(&inbox.id).await.items[0].body.contains("\"n\":1"),
        "that event, not the other one"
    );
    browser.close().await;
}

#[tokio::test]
async fn a_paused_webhook_holds_its_deliveries_and_says_so_until_it_is_resumed() {
    let project = stack::project("pause").await;
    let inbox = project.inbox("patient").await;
    project.listen("w", &inbox.url, &json!({})).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    WebhookPage::open(dashboard, "w").await.pause().await;
    browser.sees("It takes events, and sends none.").await;
    let event = project.event("order.paid", json!({})).await;
    browser.sees("1 delivery is held until it is resumed").await;
    dashboard.visit("Deliveries").await;
    browser.sees("Held").await;
    browser.sees("webhook paused").await;
    let held = project.deliveries("webhook=w").await.items.remove(0);
    assert_eq!(held.event_id, event.id);
    dashboard.open(&format!("/p/{}/deliveries?open={}", project.name, held.id)).await;
    browser.sees("Held: the webhook is paused").await;
    browser.press(thirtyfour::Key::Escape + "").await;
    WebhookPage::open(dashboard, "w").await.resume().await;
    arrived(&project, &inbox.id, 1).await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_rotated_secret_is_shown_once_and_the_old_one_signs_on() {
    let project = stack::project("rotate").await;
    let inbox = project.inbox("signed").await;
    project.listen("w", &inbox.url, &json!({})).await;
    let before = project.secret("w").await.expect("a standard webhook is signed");
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let webhook = WebhookPage::open(dashboard, "w").await;
    let shown = webhook.rotate_to_a_key_pair().await;
    let after = project.secret("w").await.expect("it is still signed");
    assert_eq!(shown, after);
    assert!(before.starts_with("whsec_") && after.starts_with("whsk_"), "{before} {after}");
    assert!(!browser.text().await.contains("whsk_"), "it is gone with the dialog");
    project.event("order.paid", json!({})).await;
    arrived(&project, &inbox.id, 1).await;
    let headers = project.inbox_requests(&inbox.id).await.items.remove(0).headers;
    let signature = headers
        .iter()
        .find(|(name, _)| name == "webhook-signature")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let schemes: Vec<&str> = signature.split(' ').filter_map(|part| part.split(',').next()).collect();
    assert_eq!(schemes, ["v1a", "v1"], "both sign: {signature}");
    browser.close().await;
}

#[tokio::test]
async fn a_payload_filter_is_judged_and_explained_while_it_is_typed() {
    let project = stack::project("filter").await;
    let inbox = project.inbox("choosy").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let form = WebhookForm::new(dashboard).await;
    form.name("w").await;
    browser.fill("URL", &inbox.url).await;
    form.events("order.*").await;
    form.unfold().await;
    form.filter("{\"and\":").await;
    browser.sees("is not JSON yet").await;
    form.filter("{\"and\":[{\"field\":\"total\",\"gt\":100},{\"field\":\"country\",\"above\":1}]}").await;
    browser.sees("and › 1").await;
    form.filter(
        "{\"and\":[{\"field\":\"total\",\"gt\":100},{\"field\":\"country\",\"in\":[\"NL\",\"DE\"]}]}",
    )
    .await;
    let said = form.try_the_filter_on("{\"total\":142,\"country\":\"FR\"}", "not wanted").await;
    assert!(
        said.contains("total gt 100") && said.contains("found 142") && said.contains("found \"FR\""),
        "{said}"
    );
    form.try_the_filter_on("{\"total\":142,\"country\":\"NL\"}", "Such an event is wanted.").await;
    form.create("w").await;
    let stored: WebhookView = project.get("webhooks/w").await.expect(200).read();
    let condition =
        json!({ "and": [{ "field": "total", "gt": 100 }, { "field": "country", "in": ["NL", "DE"] }] });
    assert_eq!(stored.filter, Some(condition));
    assert_eq!(project.event("order.paid", json!({ "total": 142, "country": "FR" })).await.deliveries, 0);
    assert_eq!(project.event("order.paid", json!({ "total": 142, "country": "NL" })).await.deliveries, 1);
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn what_would_happen_is_said_webhook_by_webhook_and_nothing_happens() {
    let project = stack::project("dry").await;
    let inbox = project.inbox("dry").await;
    project.listen("orders", &inbox.url, &json!({ "events": ["order.*"] })).await;
    project.listen("invoices", &inbox.url, &json!({ "events": ["invoice.*"] })).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Events").await;
    browser.click("button", "Post an event").await;
    browser.fill("Event type", "order.paid").await;
    browser.fill("Data", "{\"total\": 142}").await;
    browser.fill("Labels", "env:prod").await;
    browser.fill("Order key", "o-1").await;
    browser.click("button", "What would happen?").await;
    browser.sees("1 webhook would get it, 1 would not.").await;
    browser.click("button", "Gets it").await;
    browser.sees("webhook-signature").await;
    browser.sees("\"total\": 142").await;
    browser.sees("Attempt 2").await;
    browser.click("button", "Skipped").await;
    browser.sees("type is invoice.*").await;
    assert_eq!(project.census().await["events"], json!([]), "nothing was stored");
    browser.click("button", "Post event").await;
    browser.sees("Accepted: it goes to 1 webhook").await;
    let event = project.census().await["events"][0].clone();
    assert_eq!((&event["order_key"], &event["labels"]), (&json!("o-1"), &json!({ "env": "prod" })));
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn settings_are_judged_while_typing_and_saved() {
    let project = stack::project("settings").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Settings").await;
    browser.fill("Days that things are kept", "400").await;
    browser.sees("Must be 1 to 365 days.").await;
    browser.fill("Days that things are kept", "7").await;
    browser.click("radio", "Its own").await;
    browser.fill("Waits", "soon").await;
    browser.sees("Each must be a time from 1 s to 7 d").await;
    browser.fill("Waits", "5 s, 1 min").await;
    browser.sees("up to 3 attempts in about 1 min 5 s").await;
    browser.click("button", "Save settings").await;
    browser.sees("Settings saved").await;
    let detail: ProjectDetail = project
        .api
        .send(reqwest::Method::GET, project.path("").trim_end_matches('/'), None)
        .await
        .expect(200)
        .read();
    assert_eq!((detail.settings.retry_schedule_s, detail.settings.retention_days), (Some(vec![5, 60]), 7));
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn an_export_is_saved_as_a_file_with_a_line_for_each_event() {
    let project = stack::project("export").await;
    for n in 0..3 {
        project.event("order.paid", json!({ "n": n })).await;
    }
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Settings").await;
    let watch = "const make = URL.createObjectURL; URL.createObjectURL = blob => { window.exported = blob; return make(blob); };";
    browser.script(watch, vec![]).await;
    browser.click("button", "Export").await;
    browser.sees(".ndjson saved").await;
    let text = browser.script("return window.exported.text();", vec![]).await;
    let lines: Vec<serde_json::Value> = text
        .as_str()
        .unwrap_or_default()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let numbers: Vec<&serde_json::Value> = lines.iter().map(|line| &line["data"]["n"]).collect();
    assert_eq!(numbers, [0, 1, 2], "oldest first");
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_overview_counts_attempts_and_shows_them_over_time() {
    let project = stack::project("numbers").await;
    let inbox = project.inbox("numbers").await;
    project.listen("good", &inbox.url, &json!({})).await;
    project.listen("bad", "http://127.0.0.1:1024/", &json!({ "retry": false })).await;
    let event = project.event("order.paid", json!({})).await;
    for webhook in ["good", "bad"] {
        project.attempted(&event.id, webhook).await;
    }
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.go(&format!("{base}/#sign-in-dev={}", project.token)).await;
    browser.sees("1 of 2 made in the last 24 hours").await;
    browser.sees("24 hours: 2 attempts, 50 % delivered").await;
    browser.find("heading", "Most failures").await;
    browser.sees("1 of 1 attempts failed").await;
    browser.click("button", "The numbers as a table").await;
    browser.find("row", "2").await;
    browser.click("button", "30 days").await;
    browser.sees("1 of 2 made in the last 30 days").await;
    browser.sees("30 days: 2 attempts, 50 % delivered").await;
    assert!(browser.address().await.ends_with("range=30d"));
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_in_one_breath_makes_one_thing() {
    let project = stack::project("twice").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let twice = "const form = document.querySelector('dialog[open] form'); form.requestSubmit(); form.requestSubmit();";
    for (screen, opener, path) in [
        ("Tokens", "New token", "tokens"),
        ("Inboxes", "New inbox", "inboxes"),
        ("Event types", "New event type", "event-types"),
    ] {
        dashboard.visit(screen).await;
        let before = project.get(path).await.expect(200).json()["items"].as_array().map_or(0, Vec::len);
        browser.click("button", opener).await;
        browser.fill("Name", "twice").await;
        browser.script(twice, vec![]).await;
        let count =
            async || project.get(path).await.expect(200).json()["items"].as_array().map_or(0, Vec::len);
        until(&format!("{path} has one more"), SOON, async || count().await > before).await;
        // What a second call would have done, it would have done by the time that a later one is answered.
        project.get(path).await.expect(200);
        assert_eq!(count().await, before + 1, "{path}");
        browser.go(&format!("{base}/p/{}", project.name)).await;
    }
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}
