//! Counting on the page: the bars above the deliveries, which are the filter by time; the totals of the
//! overview, which lead to what they count.

use postern_core::api::delivery::{DeliveryCount, DeliveryHistogram};
use postern_core::api::totals::TotalsView;
use postern_tests::browser::{Browser, Scheme, Width};
use postern_tests::client::Project;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::{Value, json};
use thirtyfour::Key;

/// A project with a webhook that takes what it is sent and one that refuses it, and three events.
async fn with_deliveries(label: &str) -> Project {
    let project = stack::project(label).await;
    let (taker, refuser) = (project.inbox("taker").await, project.inbox("refuser").await);
    let refuses = json!({ "answer": { "status": 503, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{}", refuser.id), &refuses).await.expect(200);
    project.listen("billing", &taker.url, &json!({})).await;
    project.listen("crm", &refuser.url, &json!({ "retry": false })).await;
    for _event in 0..3 {
        let event = project.event("order.paid", json!({})).await;
        project.attempted(&event.id, "billing").await;
        project.attempted(&event.id, "crm").await;
    }
    project
}

/// How many rows the list has.
async fn rows(browser: &Browser, expected: usize) {
    let source = "return document.querySelectorAll('main table [data-row]').length";
    until(&format!("{expected} rows are shown"), SOON, async || {
        browser.script(source, vec![]).await == json!(expected)
    })
    .await;
}

/// What the bars say of themselves to somebody who does not see them.
async fn said(browser: &Browser) -> String {
    let source = "return document.querySelector('[role=slider]').getAttribute('aria-valuetext')";
    browser.script(source, vec![]).await.as_str().map(String::from).unwrap_or_default()
}

async fn says(browser: &Browser, part: &str) {
    until(&format!("the bars say {part}"), SOON, async || said(browser).await.contains(part)).await;
}

/// Drags over the bars, from and to these shares of their width.
async fn drag(browser: &Browser, from: f64, to: f64) {
    let source = "const at = document.querySelector('[role=slider]').getBoundingClientRect();
                  return [at.left, at.width, at.top + at.height / 2];";
    let place = browser.script(source, vec![]).await;
    let of = |index: usize| place[index].as_f64().expect("a length");
    let x = |share: f64| of(0) + share * of(1);
    for (kind, share, buttons) in
        [("mouseMoved", from, 0), ("mousePressed", from, 1), ("mouseMoved", to, 1), ("mouseReleased", to, 0)]
    {
        let event = json!({
            "type": kind, "x": x(share), "y": of(2), "button": if kind == "mouseMoved" { "none" } else { "left" },
            "buttons": buttons, "clickCount": 1,
        });
        browser.devtools("Input.dispatchMouseEvent", event).await;
    }
}

/// Whether the address asks for a time, by moments and not by a length.
async fn asks_for_a_time(browser: &Browser) {
    until("the address asks for a time", SOON, async || {
        let address = browser.address().await;
        address.contains("since=20") && address.contains("until=20")
    })
    .await;
}

#[tokio::test]
async fn the_bars_above_the_list_are_its_filter_by_time() {
    let project = with_deliveries("bars").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    dashboard.visit("Deliveries").await;
    rows(&browser, 6).await;
    browser.sees("Gave up 3").await;
    says(&browser, "3 Delivered, 3 Gave up").await;

    // With the keyboard: the last two bars, so that a half hour that begins meanwhile changes nothing.
    browser.tab_to("slider", "Deliveries by time").await;
    browser.press(Key::Home + "").await;
    says(&browser, "none").await;
    browser.press(Key::Escape + "").await;
    says(&browser, "3 Delivered").await;
    browser.press(Key::End + "").await;
    let source = "const slider = document.querySelector('[role=slider]');
                  slider.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', shiftKey: true, bubbles: true, cancelable: true }));";
    browser.script(source, vec![]).await;
    says(&browser, "3 Delivered, 3 Gave up").await;
    browser.press(Key::Enter + "").await;
    asks_for_a_time(&browser).await;
    browser.sees("6 deliveries fit.").await;
    rows(&browser, 6).await;
    says(&browser, "3 Delivered, 3 Gave up").await;

    // With a mouse: the first half of the last day, in which there was nothing.
    dashboard.press("button", "24 hours").await;
    until("the last day is asked for", SOON, async || browser.address().await.ends_with("?since=24h")).await;
    says(&browser, "3 Delivered, 3 Gave up").await;
    drag(&browser, 0.1, 0.5).await;
    asks_for_a_time(&browser).await;
    browser.sees("No delivery fits.").await;
    says(&browser, "none").await;
    dashboard.press("button", "Any time").await;
    rows(&browser, 6).await;

    // The bars follow the other filters, parts of one word too.
    dashboard.press("button", "Gave up").await;
    says(&browser, "The last 24 hours: 3 Gave up").await;
    dashboard.press("button", "Under way").await;
    says(&browser, "none").await;
    dashboard.press("button", "Any state").await;
    says(&browser, "3 Delivered, 3 Gave up").await;
    browser.script("document.querySelector('.histogram summary').click()", vec![]).await;
    browser.sees("Cancelled").await;
    for (look, width, scheme) in [
        ("1440-light", Width::Wide, Scheme::Light),
        ("1440-dark", Width::Wide, Scheme::Dark),
        ("390-light", Width::Narrow, Scheme::Light),
        ("390-dark", Width::Narrow, Scheme::Dark),
    ] {
        browser.look(width, scheme).await;
        browser.picture(&format!("histogram-{look}")).await;
        assert_eq!(browser.axe().await, [""; 0], "{look}");
        assert_eq!(browser.overflow_px().await, 0, "{look}");
    }
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn each_total_leads_to_exactly_what_it_counts() {
    let project = with_deliveries("totals").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    for (link, address, expected) in [
        ("Delivered 50 % 3 of 6 made in the last 24 hours", "state=delivered", 3),
        ("Gave up 3 of those made in the last 24 hours", "state=dead", 3),
        ("Under way 0 now: nothing waits to be sent", "state=under_way", 0),
        ("Webhooks down 0 of 2 webhooks, now", "state=down", 0),
    ] {
        dashboard.visit("Overview").await;
        dashboard.press("link", link).await;
        until(&format!("the address asks for {address}"), SOON, async || {
            browser.address().await.contains(address)
        })
        .await;
        rows(&browser, expected).await;
    }
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn totals_and_histogram_count_what_the_list_holds() {
    let project = with_deliveries("counts").await;
    let totals: TotalsView = project.get("totals").await.expect(200).read();
    assert_eq!((totals.made.counts.delivered, totals.made.counts.all()), (3, 6));
    assert_eq!((totals.dead.count, totals.open.count, totals.webhooks.all), (3, 0, 2));
    for query in ["", "state=dead", "webhook=billing", "status=5xx", "type=order.sent"] {
        let histogram: DeliveryHistogram =
            project.get(&format!("deliveries/histogram?{query}")).await.expect(200).read();
        let sum: u32 = histogram.bins.iter().map(|bin| bin.counts.all()).sum();
        let count: DeliveryCount = project.get(&format!("deliveries/count?{query}")).await.expect(200).read();
        assert_eq!((sum, histogram.exact), (count.count, true), "{query}");
    }
    let before: Value = project
        .get("deliveries/histogram?since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:02Z")
        .await
        .expect(200)
        .json();
    assert_eq!(before["bins"].as_array().map(Vec::len), Some(40));
    assert_eq!(before["bins"][1]["at"], "2026-01-01T00:00:00.050Z");
    for (path, fault) in [
        ("deliveries/histogram?status=6xx", "?status"),
        ("deliveries/histogram?limit=5", "?limit"),
        ("deliveries/histogram?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "?until"),
        ("totals?since=yesterday", "?since"),
        ("totals?webhook=billing", "?webhook"),
        ("webhooks?state=up", "?state"),
    ] {
        project.get(path).await.faults(&[fault]);
    }
    assert_eq!(project.get("webhooks?state=down").await.expect(200).json()["items"], json!([]));
}
