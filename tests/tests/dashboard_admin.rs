//! What a person who answers for a project does in the dashboard: tokens that end, the catalogue with
//! schemas, the audit log, and the request that made an attempt.

use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;
use postern_core::problem::ProblemType;
use postern_tests::browser::Browser;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack::{self, ADMIN_TOKEN};
use postern_tests::wait::{SOON, until};
use serde_json::json;

#[tokio::test]
async fn a_token_gets_an_end_and_its_last_use_is_in_sight() {
    let project = stack::project("lifetimes").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Tokens").await;
    dashboard.press("button", "New token").await;
    dashboard.write("Name", "quarterly").await;
    browser.click("radio", "90 days").await;
    dashboard.press("button", "Create token").await;
    browser.sees("It is shown only now.").await;
    let tokens: Page<TokenView> = project.get("tokens").await.expect(200).read();
    let made = tokens.items.into_iter().find(|token| token.name == "quarterly").expect("the token was made");
    let days = made.expires_at.expect("it has an end").ms_since(made.created_at) / 86_400_000;
    assert!((89..=90).contains(&days), "{days} days");
    dashboard.open(&format!("/p/{}/tokens", project.name)).await;
    browser.sees("Last used").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn an_event_type_with_a_schema_is_added_archived_and_offered_again() {
    let project = stack::project("catalogue").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Event types").await;
    dashboard.press("button", "New event type").await;
    dashboard.write("Name", "order.paid").await;
    dashboard.write("Schema", "{\"pattern\":\"x\"}").await;
    browser.sees("regular expressions").await;
    dashboard.write("Schema", "{\"type\":\"object\"}").await;
    dashboard.press("button", "Add event type").await;
    browser.sees("data that does not fit is refused").await;
    let archived = async || {
        let page: Page<EventTypeView> = project.get("event-types").await.expect(200).read();
        page.items.first().is_some_and(|item| item.archived)
    };
    dashboard.press("button", "Archive order.paid").await;
    until("it is archived", SOON, archived).await;
    browser.sees("archived").await;
    dashboard.press("button", "Offer again order.paid").await;
    until("it is offered again", SOON, async || !archived().await).await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_audit_log_shows_who_changed_what_field_by_field() {
    let project = stack::project("auditlog").await;
    project.listen("orders", "http://127.0.0.1:1024/", &json!({})).await;
    project.patch("webhooks/orders", &json!({ "timeout_s": 20 })).await.expect(200);
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Audit log").await;
    for words in ["Webhook updated", "Webhook created", "Project created", "ADMIN_TOKEN", "first"] {
        browser.sees(words).await;
    }
    dashboard.open(&format!("/p/{}/audit?subject=webhook%3Aorders", project.name)).await;
    browser.sees("Webhook updated").await;
    browser
        .script(
            "document.querySelectorAll('main details').forEach(details => { details.open = true; });",
            vec![],
        )
        .await;
    browser.sees("timeout_s").await;
    let text = browser.text().await;
    assert!(text.contains("10") && text.contains("20") && !text.contains("Project created"), "{text}");
    assert_eq!(browser.axe().await, [""; 0]);
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn an_attempt_names_the_request_that_made_it() {
    let project = stack::project("madeby").await;
    project.listen("w", "http://127.0.0.1:1024/", &json!({ "retry": false })).await;
    let event = project.event("a", json!(1)).await;
    let delivery = project.attempted(&event.id, "w").await;
    let id = delivery.attempts[0].attempt.request_id.clone().expect("an attempt names its request");
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/deliveries?open={}", project.name, delivery.delivery.id)).await;
    browser.sees(&id).await;
    browser.close().await;
}

#[tokio::test]
async fn a_project_is_deleted_by_an_administrator_who_types_its_name() {
    let project = stack::project("doomed").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Settings").await;
    browser.sees("Only an admin token can do this.").await;
    assert!(!browser.has("button", "Delete project…").await);
    browser.close().await;

    let browser = Browser::open().await;
    browser.go(&format!("{base}/p/{}/settings#sign-in-dev={ADMIN_TOKEN}", project.name)).await;
    browser.click("button", "Delete project…").await;
    let label = format!("Type {} to confirm", project.name);
    browser.fill(&label, "another").await;
    let is_off = || async {
        let button = browser.find("button", "Delete for good").await;
        button.attr("aria-disabled").await.expect("the button is there").is_some()
    };
    assert!(is_off().await, "the name is not typed");
    browser.fill(&label, &project.name).await;
    until("the button works", SOON, async || !is_off().await).await;
    browser.click("button", "Delete for good").await;
    browser.sees(&format!("{} deleted", project.name)).await;
    until("the list is shown", SOON, async || browser.address().await.ends_with("/projects")).await;
    project.get("webhooks").await.problem(ProblemType::Unauthorized);
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}
