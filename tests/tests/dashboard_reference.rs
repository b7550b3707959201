//! What a person does with the API reference: find an operation, read it, try it, and take it along as a
//! command.

use postern_tests::browser::Browser;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack;
use thirtyfour::Key;

#[tokio::test]
async fn an_operation_is_found_read_and_tried_without_a_mouse() {
    let project = stack::project("reference").await;
    let inbox = project.inbox("here").await;
    project.listen("shop", &inbox.url, &serde_json::json!({})).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let _dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    browser.press_with_control('k').await;
    browser.find("combobox", "Jump to").await;
    browser.press("api ref").await;
    browser.press(Key::Enter + "").await;
    browser.find("heading", "API reference").await;
    browser.find("heading", "Event types").await;

    browser.tab_to("textbox", "Filter operations").await;
    browser.press("get webhooks list").await;
    browser.gone("heading", "Event types").await;
    browser.tab_to("button", "GET /v1/projects/{project}/webhooks").await;
    browser.press(Key::Enter + "").await;
    browser.find("heading", "Parameters").await;
    browser.sees("key:value; may be given several times").await;
    browser.tab_to("textbox", "search (optional)").await;
    browser.press("sho").await;
    browser.tab_to("button", "Send").await;
    browser.press(Key::Enter + "").await;
    browser.sees("Answered 200").await;
    browser.sees("application/json").await;
    browser.sees("\"shop\"").await;
    assert_eq!(browser.axe().await, [""; 0]);
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_body_is_sent_as_it_was_written_and_a_refusal_is_shown_in_full() {
    let project = stack::project("reference").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let _dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    browser.go(&format!("{base}/p/{}/reference", project.name)).await;
    browser.fill("Filter operations", "createInbox").await;
    browser.click("button", "POST /v1/projects/{project}/inboxes").await;
    browser.fill("Body", "{\"name\":\"<b id=bold>from here</b>\"}").await;
    browser.click("button", "Send").await;
    browser.sees("Answered 201").await;
    browser.sees("<b id=bold>from here</b>").await;
    assert_eq!(
        browser.script("return document.getElementById('bold') === null;", vec![]).await,
        true,
        "an answer is text"
    );
    browser.click("button", "Send").await;
    browser.sees("Answered 409").await;
    browser.sees("https://postern.dev/problems/name-taken").await;
    assert_eq!(browser.complaints(&["409"]).await, [""; 0]);
    browser.close().await;
}
