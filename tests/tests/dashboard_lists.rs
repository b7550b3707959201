//! Lists of any length, and the history of what was looked at.

use postern_tests::browser::Browser;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::{Value, json};

/// How high the table is, how high a row of it, how many rows it has, and how many of them are in the
/// document.
const MEASURES: &str = "const body = document.querySelector('main tbody'); \
    const rows = [...body.querySelectorAll('tr:not(.gap)')]; \
    return [body.offsetHeight, rows[0].offsetHeight, \
            Number(document.querySelector('main table').getAttribute('aria-rowcount')) - 1, rows.length]";

#[tokio::test]
async fn a_long_list_is_as_high_as_all_its_rows_though_few_are_in_the_document() {
    let project = stack::project("long-list").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    for part in 0..3 {
        let events: Vec<Value> = (0..100)
            .map(|at| json!({ "type": "order.paid", "data": { "order": part * 100 + at } }))
            .collect();
        project.post("events/batch", &json!({ "events": events })).await.expect(202);
    }
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/events", project.name)).await;
    let measures = async || {
        let found = browser.script(MEASURES, vec![]).await;
        serde_json::from_value::<[f64; 4]>(found).expect("four numbers")
    };
    browser.find("button", "Show older ones").await;
    until("200 rows are loaded", SOON, async || {
        let [_, _, count, shown] = measures().await;
        if count.max(shown) < 200.0 && browser.has("button", "Show older ones").await {
            browser.click("button", "Show older ones").await;
        }
        count.max(shown) >= 200.0
    })
    .await;
    // The window is laid out in the next frame.
    until("few rows are in the document", SOON, async || measures().await[3] < 150.0).await;
    let [height, row, count, shown] = measures().await;
    assert!(
        (height - count * row).abs() < count * row / 10.0,
        "{height} px of {count} rows of {row} px, {shown} shown"
    );
    browser.script("scrollTo(0, document.documentElement.scrollHeight)", vec![]).await;
    let last = "const rows = document.querySelectorAll('main tbody tr:not(.gap)'); \
                return Number(rows[rows.length - 1].getAttribute('aria-rowindex')) - 1";
    until("the last row is there", SOON, async || browser.script(last, vec![]).await.as_f64() == Some(count))
        .await;
    assert_eq!(browser.complaints(&[]).await, [""; 0], "the policy of the page allows what the list does");
    browser.close().await;
}

#[tokio::test]
async fn back_forward_and_links_show_what_the_address_says() {
    let project = stack::project("history").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let at = async |path: &str, heading: &str| {
        dashboard.heading(heading).await;
        let (wanted, found) = (format!("{base}/p/{}{path}", project.name), browser.address().await);
        assert_eq!(found, wanted);
    };
    // A chip replaces the address; the entry of before is where Back leads.
    browser.click("link", "Deliveries").await;
    at("/deliveries", "Deliveries").await;
    browser.click("button", "Gave up").await;
    at("/deliveries?state=dead", "Deliveries").await;
    browser.script("history.back()", vec![]).await;
    at("/webhooks", "Webhooks").await;
    // To the very address that was replaced, by another way: it is the page's again.
    browser.click("link", "Deliveries").await;
    at("/deliveries", "Deliveries").await;
    browser.click("button", "Gave up").await;
    at("/deliveries?state=dead", "Deliveries").await;
    browser.click("link", "Webhooks").await;
    at("/webhooks", "Webhooks").await;
    browser.click("link", "Events").await;
    at("/events", "Events").await;
    browser.script("history.back()", vec![]).await;
    at("/webhooks", "Webhooks").await;
    browser.script("history.forward()", vec![]).await;
    at("/events", "Events").await;
    browser.click("link", "Webhooks").await;
    at("/webhooks", "Webhooks").await;
    browser.click("button", "Disabled").await;
    at("/webhooks?state=disabled", "Webhooks").await;
    browser.close().await;
}
