//! What helps who writes a receiver: the signature doctor, from a refused attempt to the mistake, and the
//! check of a receiver.

use postern_tests::browser::{Browser, Scheme, Width};
use postern_tests::page::{Dashboard, Hand, WebhookPage};
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use serde_json::json;

#[tokio::test]
async fn a_refused_attempt_leads_to_the_doctor_who_names_the_mistake() {
    let (project, sink) = (stack::project("doctor").await, Sink::start().await);
    sink.always("/a", Behaviour::status(401));
    project.listen("shop", &sink.url("/a"), &json!({ "retry": false })).await;
    let event = project.event("order.paid", json!({ "order": 7 })).await;
    let dead = project
        .delivery_when(&event.id, "shop", "is given up", |of| of.delivery.state.as_str() == "dead")
        .await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    let signature = call.header("webhook-signature").expect("it is signed").to_owned();

    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/deliveries?open={}", project.name, dead.delivery.id)).await;
    browser.click("link", "Check with the signature doctor").await;
    dashboard.heading("Signature doctor").await;
    browser.sees("The secret is missing").await;
    browser.click("button", "Use the secret of shop").await;
    browser.sees("The signature is right").await;
    assert!(!browser.address().await.contains("whsec"), "a secret is in no address");
    browser.fill("Signature that your code computes", &signature).await;
    browser.sees("The computed signature starts with v1, already.").await;
    browser.fill("Signature that your code computes", "nonsense").await;
    browser.sees("Your code computes something else").await;
    browser.fill("Signature that your code computes", "").await;
    let seen = format!(
        "webhook-id: {}\nwebhook-timestamp: {}\nwebhook-signature: {signature}\n\n{}",
        call.message_id(),
        call.header("webhook-timestamp").expect("it has one"),
        call.text().replace("\"order\":", "\"order\": ")
    );
    browser.fill("Request", &seen).await;
    browser.sees("The body was parsed and written again, with other white space.").await;
    browser.sees("Verify the raw body before anything parses it").await;
    for (name, width, scheme) in [
        ("doctor-1440-light", Width::Wide, Scheme::Light),
        ("doctor-1440-dark", Width::Wide, Scheme::Dark),
        ("doctor-390-light", Width::Narrow, Scheme::Light),
        ("doctor-390-dark", Width::Narrow, Scheme::Dark),
    ] {
        browser.look(width, scheme).await;
        browser.picture(name).await;
        assert_eq!(browser.axe().await, [""; 0], "{name}");
        assert_eq!(browser.overflow_px().await, 0, "{name}");
    }
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_receiver_that_takes_everything_is_checked_and_told_what_to_change() {
    let (project, sink) = (stack::project("checked").await, Sink::start().await);
    project.listen("shop", &sink.url("/a"), &json!({})).await;
    sink.always("/down", Behaviour::status(503));
    project.listen("down", &sink.url("/down"), &json!({ "contract": "ubiops" })).await;

    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    let page = WebhookPage::open(dashboard, "shop").await;
    page.check_the_receiver().await;
    browser.sees("The receiver passes 5 of 9 tests.").await;
    for words in [
        "Refuses a wrong signature",
        "Verify the signature before you use the body",
        "Takes a body of 150 kB",
    ] {
        browser.sees(words).await;
    }
    for (name, width, scheme) in [
        ("check-1440-light", Width::Wide, Scheme::Light),
        ("check-1440-dark", Width::Wide, Scheme::Dark),
        ("check-390-light", Width::Narrow, Scheme::Light),
        ("check-390-dark", Width::Narrow, Scheme::Dark),
    ] {
        browser.look(width, scheme).await;
        browser.script("document.getElementById('examination').scrollIntoView()", vec![]).await;
        browser.picture(name).await;
        assert_eq!(browser.axe().await, [""; 0], "{name}");
        assert_eq!(browser.overflow_px().await, 0, "{name}");
    }
    browser.look(Width::Wide, Scheme::Light).await;
    let page = WebhookPage::open(dashboard, "down").await;
    page.check_the_receiver().await;
    browser.sees("The receiver passes 0 of 1 tests.").await;
    browser.sees("The sound callback was not taken.").await;
    assert_eq!(sink.wait_for("/down", 1).await.len(), 1, "nothing more is tried");
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}
