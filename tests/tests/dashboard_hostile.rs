//! Text from outside stays text: whatever a producer, a receiver or a stranger at an inbox sends is shown,
//! and never becomes markup or code. The content security policy has nothing to stop, and the console nothing
//! to say.

use std::time::Duration;

use postern_tests::browser::Browser;
use postern_tests::sink::{Answer, Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::json;

/// Markup that would run if any of it were rendered.
const HOSTILE: &str = "<img src=x onerror=\"window.hostile=1\"><script>window.hostile=2</script><a href=\"javascript:window.hostile=3\">x</a></textarea></title><svg onload=window.hostile=4>";

#[tokio::test]
async fn hostile_text_is_shown_as_text_on_every_screen() {
    let (project, sink) = (stack::project("hostile").await, Sink::start().await);
    let headers = vec![
        (String::from("x-hostile"), String::from(HOSTILE)),
        (String::from("content-type"), String::from("text/html")),
    ];
    sink.always(
        "/bad",
        Behaviour::Answer(Answer { status: 500, headers, body: HOSTILE.into(), delay: Duration::ZERO }),
    );
    let name = "<b onmouseover=alert(1)>w";
    let more = json!({
        "description": HOSTILE, "labels": { "<i>k</i>": HOSTILE.chars().take(60).collect::<String>() },
        "headers": [{ "key": "X-Mine", "value": HOSTILE, "protected": false }],
        "object": { "type": "<u>t<u>", "name": null, "version": null }, "retry": false, "ordered": true,
        "event_labels": { "<i>e</i>": "<b>x</b>" },
        "filter": { "or": [{ "field": "html", "eq": HOSTILE }, { "field": "<svg onload=window.hostile=6>", "starts_with": HOSTILE }] }
    });
    project.listen(name, &sink.url("/bad"), &more).await;
    let kind = json!({ "name": "order.paid", "description": HOSTILE, "example": { "html": HOSTILE } });
    project.post("event-types", &kind).await.expect(201);
    let event = json!({
        "type": "order.paid",
        "data": { "html": HOSTILE, HOSTILE: 1 },
        "object": { "type": "<u>t<u>", "name": &HOSTILE[..100] },
        "idempotency_key": "<b>k</b>",
        "order_key": &HOSTILE[..100],
        "labels": { "<i>e</i>": "<b>x</b>" }
    });
    let event = project.post("events", &event).await.expect(202).json();
    let event = event["id"].as_str().expect("an event has an id");
    let delivery = project.attempted(event, &postern_core::route::encode_segment(name)).await.delivery.id;
    let inbox = project.inbox("<h1>inbox</h1>").await;
    let path = format!("{}/%3Cscript%3E?{}", inbox.url.replace(&project.api.base, ""), "q=<b>");
    let strange = [("x-strange", HOSTILE), ("content-type", "text/html")];
    project.api.send_raw(Method::POST, &path, &strange, HOSTILE).await.expect(200);

    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.go(&format!("{base}/#sign-in-dev={}", project.token)).await;
    browser.find("heading", "Overview").await;
    let webhook = postern_core::route::encode_segment(name);
    let at = |rest: &str| format!("{base}/p/{}{rest}", project.name);
    for (address, shown) in [
        (at(""), ""),
        (at("/webhooks"), name),
        (at(&format!("/webhooks/{webhook}")), "onerror"),
        (at(&format!("/webhooks/{webhook}/edit")), ""),
        (at("/deliveries"), name),
        (at(&format!("/deliveries?open={delivery}")), "500"),
        (at("/events"), ""),
        (at(&format!("/events?open={event}")), "onerror"),
        (at("/event-types"), "onerror"),
        (at("/inboxes"), "<h1>inbox</h1>"),
        (at("/webhooks?search=%3Cscript%3Ewindow.hostile%3D5%3C/script%3E"), ""),
    ] {
        browser.go(&address).await;
        browser.sees(shown).await;
        until("the screen is loaded", SOON, async || {
            browser
                .script("return document.querySelectorAll('[aria-busy=true], .skeleton').length;", vec![])
                .await
                == json!(0)
        })
        .await;
        harmless(&browser, &address).await;
    }
    // A dry run repeats filter, labels and data.
    browser.go(&at("/events?post=1")).await;
    browser.fill("Event type", "order.paid").await;
    browser.fill("Data", &json!({ "html": HOSTILE }).to_string()).await;
    browser.fill("Labels", "<i>e</i>:<b>x</b>").await;
    browser.fill("Order key", &HOSTILE[..100]).await;
    browser.click("button", "What would happen?").await;
    browser.click("button", "Skipped").await;
    browser.sees("html eq").await;
    harmless(&browser, "a dry run").await;
    // What was sent, what came back, and what an inbox recorded are opened too.
    browser.go(&at(&format!("/deliveries?open={delivery}"))).await;
    for tab in ["Request", "Response", "Event"] {
        browser.click("tab", tab).await;
        browser.sees("onerror").await;
        harmless(&browser, tab).await;
    }
    browser.go(&at(&format!("/inboxes/{}", inbox.id))).await;
    browser.click("button", "POST").await;
    browser.sees("onerror").await;
    harmless(&browser, "an inbox's request").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0], "nothing was tried, so nothing had to be stopped");
    // The next person at this browser is not signed in.
    let kept = browser
        .script("return JSON.stringify([{...localStorage}, document.cookie, location.href]);", vec![])
        .await
        .to_string();
    let token = project.token.rsplit('_').next().expect("a token has parts");
    assert!(!kept.contains(token) && !kept.contains("whsec_"), "the browser keeps {kept}");
    browser.close().await;
}

async fn harmless(browser: &Browser, at: &str) {
    let source = "return [window.hostile ?? null, document.querySelectorAll('img[src=x], [onerror], [onload], [onmouseover], a[href^=\"javascript:\"]').length];";
    assert_eq!(browser.script(source, vec![]).await, json!([null, 0]), "{at}");
}

#[tokio::test]
async fn the_page_is_served_with_a_policy_that_allows_no_inline_code() {
    let project = stack::project("policy").await;
    for path in ["/", "/p/x/webhooks"] {
        let page = project.api.without_token().send(Method::GET, path, None).await.expect(200);
        let policy = page.header("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {part} is not in {policy:?}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(
            (page.header("x-content-type-options"), page.header("referrer-policy")),
            (Some("nosniff"), Some("no-referrer"))
        );
    }
}

#[tokio::test]
async fn the_policy_stops_code_that_got_into_the_page() {
    let project = stack::project("stopped").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.go(&base).await;
    browser.find("heading", "Sign in").await;
    let source = "const code = document.createElement('script'); code.textContent = 'window.hostile = 1'; document.body.append(code);\
                  document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hostile=2\">'); return window.hostile ?? null;";
    assert_eq!(browser.script(source, vec![]).await, json!(null));
    until("the browser complains", SOON, async || !browser.complaints(&[]).await.is_empty()).await;
    assert_eq!(browser.script("return window.hostile ?? null;", vec![]).await, json!(null));
    browser.close().await;
}
