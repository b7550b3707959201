//! The first minute, in a real browser: sign in by link → create a webhook to an inbox → test → see it arrive
//! live → disable → delete with undo. Once with the mouse, once without one.

use postern_core::problem::ProblemType;
use postern_core::token::Role;
use postern_tests::browser::Browser;
use postern_tests::client::Project;
use postern_tests::page::{Dashboard, Hand, InboxPage, WebhookForm, WebhookPage};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::{Value, json};

async fn journey(hand: Hand) {
    let project = stack::project("journey").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, hand, &base, &project.token).await;
    assert!(!browser.address().await.contains("pst_"), "the token leaves the address bar at once");

    let form = WebhookForm::new(dashboard).await;
    form.name("hello").await;
    form.events("order.*").await;
    let url = form.use_a_new_inbox().await;
    assert!(url.starts_with(&format!("{base}/in/{}.", project.name)), "{url}");
    let webhook = form.create("hello").await;
    let ended = webhook.test("order.paid").await;
    assert!(ended.contains("Completed") && ended.contains("200"), "{ended}");

    let inbox = InboxPage::open(dashboard, "hello-inbox").await;
    let first = inbox.requests(1).await.remove(0);
    assert!(first.contains("POST") && first.contains("Signed by hello"), "{first}");
    // The page is not touched: what is posted now must appear by itself.
    project.event("order.shipped", json!({ "live": true })).await;
    assert_eq!(inbox.requests(2).await.len(), 2);
    inbox.send_a_test().await;
    assert!(inbox.requests(3).await[0].contains("POST"));

    let webhook = WebhookPage::open(dashboard, "hello").await;
    webhook.disable().await;
    assert_eq!(project.get("webhooks/hello").await.expect(200).json()["enabled"], false);
    webhook.delete("hello").await;
    dashboard.press("button", "Undo").await;
    WebhookPage::arrived(dashboard, "hello").await;
    project.get("webhooks/hello").await.expect(200);
    WebhookPage::arrived(dashboard, "hello").await.delete("hello").await;
    dashboard.press("button", "Dismiss").await;
    until("the webhook is deleted", SOON, async || project.get("webhooks/hello").await.status == 404).await;
    project.get("webhooks/hello").await.problem(ProblemType::NotFound);
    assert!(!browser.has("link", "hello").await, "the list does not show it");
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_first_minute_works_with_the_mouse() {
    journey(Hand::Mouse).await;
}

#[tokio::test]
async fn the_first_minute_works_with_the_keyboard_alone() {
    journey(Hand::Keyboard).await;
}

#[tokio::test]
async fn a_pasted_token_signs_in_and_a_wrong_one_says_so() {
    let project = stack::project("paste").await;
    let browser = Browser::open().await;
    browser.go(&project.api.base).await;
    browser.find("heading", "Sign in").await;
    browser.fill("Token", "pst_nonsense").await;
    browser.click("button", "Sign in").await;
    browser.sees("does not know this token").await;
    browser.fill("Token", &project.token).await;
    browser.click("button", "Sign in").await;
    browser.find("heading", "Overview").await;
    assert_eq!(browser.complaints(&["401"]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_form_says_what_the_edge_would_say_while_typing() {
    let project = stack::project("typing").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let form = WebhookForm::new(dashboard).await;
    form.name(&"x".repeat(65)).await;
    browser.fill("URL", "ftp://example.com/").await;
    form.events("not!ok").await;
    browser.press(thirtyfour::Key::Tab + "").await;
    let faults = async || {
        browser
            .script("return [...document.querySelectorAll('.fault')].map(fault => fault.innerText);", vec![])
            .await
    };
    until("name, URL and events are complained of", SOON, async || {
        faults().await.as_array().is_some_and(|faults| faults.len() >= 3)
    })
    .await;
    form.name("fine").await;
    browser.fill("URL", "https://example.com/hooks").await;
    form.events("order.paid").await;
    until("nothing is complained of", SOON, async || faults().await.as_array().is_some_and(Vec::is_empty))
        .await;
    // The preview shows the exact callback before anything is saved.
    browser.sees("webhook-signature").await;
    browser.sees("\"type\": \"order.paid\"").await;
    assert_eq!(project.census().await["webhooks"], json!([]), "nothing is saved by typing");
    browser.close().await;
}

#[tokio::test]
async fn a_failed_delivery_says_why_and_is_resent_from_its_drawer() {
    let project = stack::project("resend").await;
    let inbox = project.inbox("moody").await;
    answer(&project, &inbox.id, 503).await;
    project.listen("w", &inbox.url, &json!({})).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Deliveries").await;
    // Accepted while the page is open: the row comes by the live feed.
    let event = project.event("order.paid", json!({ "n": 1 })).await;
    let delivery = project.attempted(&event.id, "w").await.delivery;
    browser.sees("order.paid").await;
    dashboard.open(&format!("/p/{}/deliveries?open={}", project.name, delivery.id)).await;
    browser.find("button", "Resend").await;
    browser.sees("503").await;
    browser.find("button", "Copy as curl").await;
    answer(&project, &inbox.id, 200).await;
    browser.click("button", "Resend").await;
    browser.sees("Resent").await;
    until("the second attempt is delivered", SOON, async || {
        project.delivery(&delivery.id).await.delivery.state.as_str() == "delivered"
    })
    .await;
    browser.sees("Delivered").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

async fn answer(project: &Project, inbox: &str, status: u16) {
    let body = json!({ "answer": { "status": status, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{inbox}"), &body).await.expect(200);
}

#[tokio::test]
async fn filters_live_in_the_address_and_come_back_with_it() {
    let project = stack::project("filters").await;
    project.listen("alpha", "http://127.0.0.1:1024/", &json!({})).await;
    project.listen("beta", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    browser.find("link", "alpha").await;
    browser.click("button", "Disabled").await;
    browser.gone("link", "alpha").await;
    browser.find("link", "beta").await;
    let address = browser.address().await;
    assert!(address.contains("state=disabled"), "{address}");
    dashboard.open(&address.replace(&base, "")).await;
    browser.find("link", "beta").await;
    assert!(!browser.has("link", "alpha").await);
    browser.close().await;
}

#[tokio::test]
async fn a_link_signs_in_a_tab_that_is_open_already() {
    let project = stack::project("open").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.go(&base).await;
    browser.find("heading", "Sign in").await;
    browser.go(&format!("{base}/#sign-in-dev={}", project.token)).await;
    browser.find("heading", "Overview").await;
    assert!(!browser.address().await.contains("pst_"), "the token leaves the address bar");
    browser.close().await;
}

#[tokio::test]
async fn a_link_with_another_token_asks_before_it_takes_the_place_of_the_one_that_is_there() {
    let (mine, theirs) = (stack::project("mine").await, stack::project("theirs").await);
    let (browser, base) = (Browser::open().await, mine.api.base.clone());
    browser.go(&format!("{base}/#sign-in-dev={}", mine.token)).await;
    browser.find("heading", "Overview").await;
    // Both kinds of links, of a page that is loaded and of one that is there.
    for (link, path) in [("sign-in", "/"), ("sign-in-dev", &*format!("/p/{}", mine.name))] {
        browser.go(&format!("{base}{path}#{link}={}", theirs.token)).await;
        browser.find("dialog", QUESTION).await;
        browser.sees(&format!("project {}", theirs.name)).await;
        browser.sees("signed in already").await;
        assert!(!browser.address().await.contains("pst_"), "the token leaves the address bar");
        browser.click("button", "Do not sign in").await;
        browser.gone("dialog", QUESTION).await;
        assert_eq!(kept_token(&browser).await, json!(mine.token), "nothing has changed");
    }
    browser.go(&format!("{base}/p/{}#sign-in={}", mine.name, theirs.token)).await;
    browser.click("button", &format!("Sign in to {}", theirs.name)).await;
    until("the other project is shown", SOON, async || browser.address().await.contains(&theirs.name)).await;
    browser.find("heading", "Overview").await;
    browser.close().await;
}

/// The heading of what is asked before a link signs in.
const QUESTION: &str = "Sign in with this link?";

/// The token that the tab keeps.
async fn kept_token(browser: &Browser) -> Value {
    browser.script("return sessionStorage.getItem('postern.token');", vec![]).await
}

#[tokio::test]
async fn a_link_asks_whose_project_it_opens_before_it_signs_in() {
    let project = stack::project("asked").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let reader = project
        .post("tokens", &json!({ "name": "for the auditor", "role": "read" }))
        .await
        .expect(201)
        .json();
    let link = format!("{base}/#sign-in={}", reader["secret"].as_str().expect("a new token is shown"));
    let decline = async |how: &str| {
        // Another document first: a change of the fragment alone loads nothing.
        browser.go("about:blank").await;
        browser.go(&link).await;
        browser.find("dialog", QUESTION).await;
        assert!(!browser.address().await.contains("pst_"), "the token leaves the address bar at once");
        for words in [
            &*format!("project {}", project.name),
            "token for the auditor",
            "role is read",
            Role::Read.about(),
        ] {
            browser.sees(words).await;
        }
        assert_eq!(
            browser.focus().await,
            (String::from("button"), String::from("Do not sign in")),
            "the safe choice"
        );
        match how {
            "Esc" => browser.press(thirtyfour::Key::Escape + "").await,
            _ => browser.press(thirtyfour::Key::Enter + "").await,
        }
        browser.gone("dialog", QUESTION).await;
        browser.find("heading", "Sign in").await;
        assert_eq!(kept_token(&browser).await, Value::Null, "nobody is signed in after {how}");
    };
    decline("Esc").await;
    decline("Enter").await;
    browser.go(&link).await;
    browser.click("button", &format!("Sign in to {}", project.name)).await;
    browser.find("heading", "Overview").await;
    assert_eq!(kept_token(&browser).await, reader["secret"]);
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_link_whose_token_opens_no_dashboard_says_why() {
    let project = stack::project("toolittle").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let unknown = format!("{}aaaa", &project.token[..project.token.len() - 4]);
    for (token, words) in [
        (unknown, "The server does not know this token"),
        (project.token("publish").await, "This one has the role publish: post events, nothing else"),
        (project.token("execute").await, "This one has the role execute"),
    ] {
        browser.go("about:blank").await;
        browser.go(&format!("{base}/#sign-in={token}")).await;
        browser.find("dialog", QUESTION).await;
        browser.sees(words).await;
        assert!(!browser.has("button", "Sign in to").await);
        browser.click("button", "Do not sign in").await;
        browser.find("heading", "Sign in").await;
        browser.fill("Token", &token).await;
        browser.click("button", "Sign in").await;
        browser.sees(words).await;
        assert_eq!(kept_token(&browser).await, Value::Null);
    }
    browser.go("about:blank").await;
    browser.go(&format!("{base}/#sign-in={}", stack::ADMIN_TOKEN)).await;
    browser.sees("every project of this deployment").await;
    browser.click("button", "Sign in to every project").await;
    until("the administrator is signed in", SOON, async || {
        kept_token(&browser).await == json!(stack::ADMIN_TOKEN)
    })
    .await;
    browser.close().await;
}

#[tokio::test]
async fn a_webhook_whose_name_holds_a_slash_has_an_address_of_its_own() {
    let project = stack::project("slash").await;
    project.listen("a/b 100%", "http://127.0.0.1:1024/", &json!({})).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.press("link", "a/b 100%").await;
    WebhookPage::arrived(dashboard, "a/b 100%").await;
    let address = browser.address().await;
    browser.go("about:blank").await;
    browser.go(&address).await;
    WebhookPage::arrived(dashboard, "a/b 100%").await;
    browser.close().await;
}

#[tokio::test]
async fn the_first_screen_needs_none_of_the_parts_that_are_loaded_later() {
    let project = stack::project("first-load").await;
    let browser = Browser::open().await;
    let fetched = async || {
        let names = browser
            .script("return performance.getEntriesByType('resource').map(entry => entry.name)", vec![])
            .await;
        serde_json::from_value::<Vec<String>>(names).expect("names")
    };
    let is_late = |name: &&String| name.contains("/split_") || name.contains("/chunk_");
    browser.go(&format!("{}/#sign-in-dev={}", project.api.base, project.token)).await;
    browser.find("heading", "What needs you").await;
    let first = fetched().await;
    assert!(first.iter().any(|name| name.ends_with("postern-app_bg.wasm")), "{first:?}");
    assert_eq!(first.iter().filter(is_late).count(), 0, "{first:?}");

    browser.click("link", "Deliveries").await;
    browser.find("heading", "Deliveries").await;
    let then = fetched().await;
    assert!(then.iter().any(|name| name.ends_with("split_traffic.wasm")), "{then:?}");
    assert_eq!(browser.focus().await.1, "Deliveries", "the heading that came later has the focus");
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_part_that_cannot_be_loaded_says_so_and_can_be_tried_again() {
    let project = stack::project("late-part").await;
    let browser = Browser::open().await;
    let _dashboard =
        Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &project.api.base, &project.token).await;
    // As when the connection is gone: every part fails to arrive.
    let cut = "window.wholeFetch = window.fetch; \
               window.fetch = (what, how) => String(what.url ?? what).endsWith('.wasm') ? Promise.reject(new TypeError('cut')) : wholeFetch(what, how)";
    browser.script(cut, vec![]).await;
    browser.click("link", "Tokens").await;
    browser.find("heading", "This part of the dashboard could not be loaded").await;
    browser.script("window.fetch = window.wholeFetch", vec![]).await;
    browser.click("button", "Try again").await;
    browser.find("heading", "Tokens").await;
    assert!(!browser.complaints(&[]).await.is_empty(), "the failure is in the console");
    browser.close().await;
}
