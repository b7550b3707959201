//! An event's drawer: what became of the event at each webhook, why others did not get it, and sending it
//! again to those where it failed.

use postern_tests::browser::{Browser, Scheme, Width};
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::json;

#[tokio::test]
async fn an_event_says_who_got_it_who_did_not_and_is_sent_again_where_it_failed() {
    let project = stack::project("story").await;
    let (taker, refuser) = (project.inbox("taker").await, project.inbox("refuser").await);
    let refuses = json!({ "answer": { "status": 503, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{}", refuser.id), &refuses).await.expect(200);
    project.listen("billing", &taker.url, &json!({})).await;
    project.listen("crm", &refuser.url, &json!({ "retry": false })).await;
    project.listen("swiss", &taker.url, &json!({ "filter": { "field": "country", "eq": "CH" } })).await;
    project.listen("asleep", &taker.url, &json!({ "enabled": false })).await;
    let event = project.event("order.paid", json!({ "order": 7, "country": "DE" })).await;
    project
        .delivery_when(&event.id, "billing", "is taken", |of| of.delivery.state.as_str() == "delivered")
        .await;
    project.delivery_when(&event.id, "crm", "is given up", |of| of.delivery.state.as_str() == "dead").await;

    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/events?open={}", project.name, event.id)).await;
    browser.sees("1 gave up, 1 delivered. 2 webhooks did not get it.").await;
    browser.sees("1 attempt, the latest: 503 Service Unavailable").await;
    browser.sees("It does not want such an event: “country eq \"CH\"” does not hold.").await;
    browser.sees("It is disabled: it gets no events.").await;
    let order = "return [...document.querySelectorAll('.outcomes summary b')].map(name => name.textContent)";
    assert_eq!(browser.script(order, vec![]).await, json!(["crm", "billing", "asleep", "swiss"]));
    for (name, width, scheme) in [
        ("event-1440-light", Width::Wide, Scheme::Light),
        ("event-1440-dark", Width::Wide, Scheme::Dark),
        ("event-390-light", Width::Narrow, Scheme::Light),
        ("event-390-dark", Width::Narrow, Scheme::Dark),
    ] {
        browser.look(width, scheme).await;
        browser
            .script(
                "document.querySelectorAll('.outcomes details').forEach(of => { of.open = true; })",
                vec![],
            )
            .await;
        browser.picture(name).await;
        assert_eq!(browser.axe().await, [""; 0], "{name}");
        assert_eq!(browser.overflow_px().await, 0, "{name}");
    }
    browser.look(Width::Wide, Scheme::Light).await;

    let takes = json!({ "answer": { "status": 200, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{}", refuser.id), &takes).await.expect(200);
    browser.click("button", "Resend to 1 webhook that gave up…").await;
    browser.sees("It is sent again to 1 webhook").await;
    browser.click("button", "Resend").await;
    browser.sees("2 delivered. 2 webhooks did not get it.").await;
    let again = async || project.inbox_requests(&refuser.id).await.items.len() == 2;
    until("the receiver is called again", SOON, again).await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}
