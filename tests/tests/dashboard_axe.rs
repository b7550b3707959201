//! Every screen, in light and dark, on a telephone and on a laptop: no violation that axe knows, nothing
//! wider than the window, and a heading that has the focus.

use postern_tests::browser::{Browser, Scheme, Width};
use postern_tests::client::Project;
use postern_tests::stack::{self, ADMIN_TOKEN};
use postern_tests::wait::{SOON, until};
use serde_json::json;

/// A project in which no screen is empty, and the ids that addresses need.
struct Furnished {
    project: Project,
    inbox: String,
    delivery: String,
    event: String,
}

impl Furnished {
    async fn new() -> Self {
        let project = stack::project("axe").await;
        let inbox = project.inbox("first").await;
        let more = json!({ "labels": { "team": "geo" }, "description": "Orders to billing.", "headers": [{ "key": "X-Key", "value": "hush", "protected": true }] });
        project.listen("good", &inbox.url, &more).await;
        project.listen("failing", "http://127.0.0.1:1024/", &json!({ "retry": false })).await;
        project.listen("waiting", "http://127.0.0.1:1024/", &json!({})).await;
        project.listen("off", &inbox.url, &json!({ "enabled": false })).await;
        let flow = json!({
            "retry_schedule_s": [5, 60], "rate_limit": { "calls": 10, "per_s": 60 }, "concurrency_limit": 2, "ordered": true, "paused": true,
            "filter": { "and": [{ "field": "id", "gte": 1 }, { "not": { "field": "test", "eq": true } }] }, "event_labels": {}
        });
        project.listen("ordered", &inbox.url, &flow).await;
        let kind =
            json!({ "name": "order.paid", "description": "An order was paid.", "example": { "id": 1 } });
        project.post("event-types", &kind).await.expect(201);
        project.token("read").await;
        let event = project.event("order.paid", json!({ "id": 1, "lines": [{ "sku": "a" }] })).await;
        for webhook in ["good", "failing", "waiting"] {
            project.attempted(&event.id, webhook).await;
        }
        project.post("replays", &json!({ "webhook": "failing" })).await.expect(202);
        let delivery = project.attempted(&event.id, "waiting").await.delivery.id;
        Self { project, inbox: inbox.id, delivery, event: event.id }
    }

    /// The addresses of all screens below the project, and what shows that each is there.
    fn screens(&self) -> Vec<(&'static str, String, &'static str, &'static str)> {
        let at = |rest: &str| format!("/p/{}{rest}", self.project.name);
        vec![
            ("overview", at(""), "heading", "Overview"),
            ("webhooks", at("/webhooks"), "link", "good"),
            ("webhooks-filtered", at("/webhooks?search=zzz"), "button", "Remove all filters"),
            ("webhook-new", at("/webhooks/new"), "button", "Create webhook"),
            ("webhook", at("/webhooks/good"), "button", "Send test"),
            ("webhook-edit", at("/webhooks/good/edit"), "button", "Save changes"),
            ("webhook-missing", at("/webhooks/nobody"), "heading", "nobody"),
            ("deliveries", at("/deliveries"), "button", "Pause"),
            ("delivery", at(&format!("/deliveries?open={}", self.delivery)), "button", "Resend"),
            ("events", at("/events"), "button", "Post an event"),
            ("event", at(&format!("/events?open={}", self.event)), "link", "Deliveries of this type"),
            ("event-types", at("/event-types"), "button", "New event type"),
            ("inboxes", at("/inboxes"), "link", "first"),
            ("inbox", at(&format!("/inboxes/{}", self.inbox)), "button", "Save answer"),
            ("tokens", at("/tokens"), "button", "New token"),
            ("overview-month", at("?range=30d"), "button", "The numbers as a table"),
            ("webhook-ordered", at("/webhooks/ordered"), "button", "Resume"),
            ("webhook-ordered-edit", at("/webhooks/ordered/edit"), "textbox", "Try it on"),
            ("deliveries-under-way", at("/deliveries?state=under_way"), "button", "Pause"),
            ("audit", at("/audit"), "heading", "Audit log"),
            ("audit-filtered", at("/audit?subject=inbox%3Anobody"), "button", "Remove the filter"),
            ("settings", at("/settings"), "button", "Save settings"),
            ("doctor", at("/signature"), "heading", "Signature doctor"),
            (
                "doctor-asked",
                at(&format!("/signature?delivery={}", self.delivery)),
                "button",
                "Use the secret of",
            ),
            ("reference", at("/reference"), "heading", "Webhooks"),
            ("nowhere", String::from("/no/such/page"), "heading", ""),
        ]
    }
}

/// Looks at what is shown in all four ways and notes what is wrong.
async fn inspect(browser: &Browser, screen: &str, wrong: &mut Vec<String>) {
    until(&format!("{screen} is loaded"), SOON, async || {
        browser
            .script("return document.querySelectorAll('[aria-busy=true], .skeleton').length;", vec![])
            .await
            == json!(0)
    })
    .await;
    for (width, scheme) in [
        (Width::Wide, Scheme::Light),
        (Width::Wide, Scheme::Dark),
        (Width::Narrow, Scheme::Light),
        (Width::Narrow, Scheme::Dark),
    ] {
        browser.look(width, scheme).await;
        let way = format!("{screen} ({width:?}, {scheme:?})");
        wrong.extend(browser.axe().await.into_iter().map(|line| format!("{way}: {line}")));
        let overflow_px = browser.overflow_px().await;
        if overflow_px > 0 {
            wrong.push(format!("{way}: {overflow_px} px wider than the window"));
        }
        browser.picture(&format!("{screen}-{width:?}-{scheme:?}").to_lowercase()).await;
    }
    browser.look(Width::Wide, Scheme::Light).await;
}

#[tokio::test]
async fn no_screen_breaks_a_rule_of_accessibility() {
    let furnished = Furnished::new().await;
    let (browser, base) = (Browser::open().await, furnished.project.api.base.clone());
    let mut wrong = Vec::new();
    browser.go(&base).await;
    browser.find("heading", "Sign in").await;
    inspect(&browser, "sign-in", &mut wrong).await;
    // Another document first: a change of the fragment alone loads nothing.
    browser.go("about:blank").await;
    browser.go(&format!("{base}/#sign-in={}", furnished.project.token)).await;
    browser.find("button", "Sign in to").await;
    inspect(&browser, "sign-in-link", &mut wrong).await;
    browser.go("about:blank").await;
    browser.go(&format!("{base}/#sign-in-dev={}", furnished.project.token)).await;
    browser.find("heading", "Overview").await;
    for (name, path, role, sign) in furnished.screens() {
        browser.go(&format!("{base}{path}")).await;
        browser.find(role, sign).await;
        inspect(&browser, name, &mut wrong).await;
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    // A missing webhook is answered 404; nothing else may be complained of.
    assert_eq!(browser.complaints(&["404"]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn no_dialog_breaks_a_rule_of_accessibility() {
    let furnished = Furnished::new().await;
    let (browser, base) = (Browser::open().await, furnished.project.api.base.clone());
    let mut wrong = Vec::new();
    browser.go(&format!("{base}/#sign-in-dev={}", furnished.project.token)).await;
    browser.find("heading", "Overview").await;
    for (name, path, opener, sign) in [
        ("post-event", "/events", "Post an event", "Post event"),
        ("replay", "/deliveries", "Replay…", "Count"),
        ("rotate-secret", "/webhooks/good", "Rotate secret…", "Rotate now"),
        ("delete-requests", &format!("/inboxes/{}", furnished.inbox), "Delete all requests", "Delete them"),
        ("new-event-type", "/event-types", "New event type", "Add event type"),
        ("new-inbox", "/inboxes", "New inbox", "Create inbox"),
        ("new-token", "/tokens", "New token", "Create token"),
        ("revoke-token", "/tokens", "Revoke", "Revoke token"),
    ] {
        browser.go(&format!("{base}/p/{}{path}", furnished.project.name)).await;
        browser.click("button", opener).await;
        browser.find("button", sign).await;
        inspect(&browser, name, &mut wrong).await;
        browser.press(thirtyfour::Key::Escape + "").await;
        browser.gone("button", sign).await;
    }
    browser.go(&format!("{base}/p/{}/events", furnished.project.name)).await;
    browser.click("button", "Post an event").await;
    browser.fill("Event type", "order.paid").await;
    browser.click("button", "What would happen?").await;
    browser.click("button", "Gets it").await;
    inspect(&browser, "dry-run", &mut wrong).await;
    browser.press(thirtyfour::Key::Escape + "").await;
    browser.gone("dialog", "Post an event").await;
    browser.click("button", "Shortcuts").await;
    browser.find("dialog", "").await;
    inspect(&browser, "shortcuts", &mut wrong).await;
    browser.press(thirtyfour::Key::Escape + "").await;
    browser.gone("dialog", "").await;
    browser.press_with_control('k').await;
    browser.find("combobox", "Jump to").await;
    inspect(&browser, "palette", &mut wrong).await;
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn no_empty_screen_breaks_a_rule_or_lacks_a_way_on() {
    let project = stack::project("empty").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let mut wrong = Vec::new();
    browser.go(&format!("{base}/#sign-in-dev={}", project.token)).await;
    browser.find("heading", "Overview").await;
    for (area, role, action) in [
        ("webhooks", "link", "New webhook"),
        ("deliveries", "link", "Post an event"),
        ("events", "button", "Post an event"),
        ("event-types", "button", "New event type"),
        ("inboxes", "button", "New inbox"),
    ] {
        browser.go(&format!("{base}/p/{}/{area}", project.name)).await;
        browser.find(role, action).await;
        inspect(&browser, &format!("{area}-empty"), &mut wrong).await;
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    browser.close().await;
}

#[tokio::test]
async fn the_administrators_list_of_projects_breaks_no_rule() {
    let project = stack::project("listed").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let mut wrong = Vec::new();
    browser.go(&format!("{base}/projects#sign-in-dev={ADMIN_TOKEN}")).await;
    browser.find("heading", "Projects").await;
    // The list is a copy in KV, which the project's alarm writes.
    until("the project is listed", SOON, async || {
        let listed = browser.has("link", &project.name).await;
        if !listed {
            browser.go(&format!("{base}/projects")).await;
            browser.find("heading", "Projects").await;
        }
        listed
    })
    .await;
    inspect(&browser, "projects", &mut wrong).await;
    browser.click("button", "New project").await;
    browser.find("button", "Create project").await;
    inspect(&browser, "new-project", &mut wrong).await;
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    browser.close().await;
}

#[tokio::test]
async fn a_new_screen_gives_its_heading_the_focus_and_the_tab_its_name() {
    let project = stack::project("focus").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.go(&format!("{base}/#sign-in-dev={}", project.token)).await;
    browser.find("heading", "Overview").await;
    for screen in ["Webhooks", "Deliveries", "Events", "Inboxes", "Tokens", "Settings"] {
        browser.click("link", screen).await;
        until(&format!("the heading {screen} has the focus"), SOON, async || {
            browser.focus().await == (String::from("heading"), String::from(screen))
        })
        .await;
        let title = browser.script("return document.title;", vec![]).await;
        assert!(title.as_str().is_some_and(|title| title.starts_with(screen)), "{title}");
    }
    browser.close().await;
}
