//! Finding deliveries and events: the query bar, its address and its count; the palette by id and by name; an
//! event's attempts; what a token may not do is not offered.

use postern_tests::browser::{Browser, Scheme, Width};
use postern_tests::client::Project;
use postern_tests::page::{Dashboard, Hand, QueryBar};
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::{Value, json};
use thirtyfour::Key;

/// Four pictures of a screen: as a laptop and a telephone show it, light and dark.
const LOOKS: [(&str, Width, Scheme); 4] = [
    ("1440-light", Width::Wide, Scheme::Light),
    ("1440-dark", Width::Wide, Scheme::Dark),
    ("390-light", Width::Narrow, Scheme::Light),
    ("390-dark", Width::Narrow, Scheme::Dark),
];

/// A project with a webhook that takes what it is sent and one that refuses it, and three events: two of the
/// customer acme, and one of another. Each is tried once. Returns the ids of the events.
async fn with_deliveries(label: &str) -> (Project, Vec<String>) {
    let project = stack::project(label).await;
    let (taker, refuser) = (project.inbox("taker").await, project.inbox("refuser").await);
    let refuses = json!({ "answer": { "status": 503, "delay_ms": 0, "body": "" } });
    project.patch(&format!("inboxes/{}", refuser.id), &refuses).await.expect(200);
    project.listen("billing", &taker.url, &json!({})).await;
    project.listen("crm", &refuser.url, &json!({ "retry": false })).await;
    let mut events = Vec::new();
    for (customer, note) in [("acme", "first"), ("acme", "second"), ("umbrella", "for acme too")] {
        events.push(post(&project, customer, note).await);
    }
    for event in &events {
        project.attempted(event, "billing").await;
        project.attempted(event, "crm").await;
    }
    (project, events)
}

/// Posts an event of a customer, and returns its id.
async fn post(project: &Project, customer: &str, note: &str) -> String {
    let event = json!({ "type": "order.paid", "data": { "note": note }, "labels": { "customer": customer } });
    let accepted: Value = project.post("events", &event).await.expect(202).json();
    accepted["id"].as_str().map(String::from).expect("an event has an id")
}

/// How many rows the list has.
async fn rows(browser: &Browser, expected: usize) {
    let source = "return document.querySelectorAll('main [data-row]').length";
    until(&format!("{expected} rows are shown"), SOON, async || {
        browser.script(source, vec![]).await == json!(expected)
    })
    .await;
}

/// Pictures of the screen as it is now, each without a violation and without a part beside it.
async fn look_around(browser: &Browser, name: &str) {
    for (look, width, scheme) in LOOKS {
        browser.look(width, scheme).await;
        browser.picture(&format!("{name}-{look}")).await;
        assert_eq!(browser.axe().await, [""; 0], "{name} {look}");
        assert_eq!(browser.overflow_px().await, 0, "{name} {look}");
    }
    browser.look(Width::Wide, Scheme::Light).await;
}

async fn search_deliveries(hand: Hand) {
    let (project, _events) = with_deliveries("find").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, hand, &base, &project.token).await;
    dashboard.visit("Deliveries").await;
    let bar = QueryBar::of_deliveries(dashboard);

    bar.ask("label:customer=acme since:1h status:5xx").await;
    let asked = "label=customer%3Aacme&since=1h&status=5xx";
    bar.asked(asked).await;
    browser.sees("2 deliveries fit.").await;
    rows(&browser, 2).await;
    assert_eq!(bar.text().await, "", "what is asked stands in chips");

    // A fault changes nothing, and stays until something else is typed.
    bar.ask("status:6xx attempts:many").await;
    browser.sees("status:6xx").await;
    browser.sees("attempts:many is not a number that can be searched by: write >3").await;
    bar.ask("status:6xx").await;
    browser.sees("status:6xx must be a status (503) or a class of them (5xx).").await;
    assert_eq!(bar.text().await, "status:6xx");
    look_around(&browser, &format!("find-fault-{hand:?}")).await;
    bar.asked(asked).await;
    bar.ask("status:500").await;
    bar.asked("label=customer%3Aacme&since=1h&status=500").await;
    browser.sees("No delivery fits.").await;
    browser.sees("No delivery fits these filters").await;
    dashboard.press("button", "status: 500").await;
    bar.asked("label=customer%3Aacme&since=1h").await;
    browser.sees("4 deliveries fit.").await;
    rows(&browser, 4).await;

    // A link and a reload show the same list, and so does Back from a drawer.
    dashboard.open(&format!("/p/{}/deliveries?{asked}", project.name)).await;
    browser.sees("2 deliveries fit.").await;
    rows(&browser, 2).await;
    dashboard.press("link", "order.paid").await;
    browser.find("button", "Copy as curl").await;
    browser.script("history.back()", vec![]).await;
    browser.gone("button", "Copy as curl").await;
    bar.asked(asked).await;
    browser.find("button", "label: customer = acme").await;
    look_around(&browser, &format!("find-{hand:?}")).await;

    // The chips of states ask for the same.
    dashboard.press("button", "Delivered").await;
    bar.asked(&format!("{asked}&state=delivered")).await;
    browser.sees("No delivery fits.").await;
    dashboard.press("button", "Clear all").await;
    bar.asked("").await;
    rows(&browser, 6).await;
    bar.ask("\"for acme\"").await;
    bar.asked("text=for%20acme").await;
    browser.sees("2 deliveries fit.").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn deliveries_are_searched_with_the_mouse() {
    search_deliveries(Hand::Mouse).await;
}

#[tokio::test]
async fn deliveries_are_searched_with_the_keyboard() {
    search_deliveries(Hand::Keyboard).await;
}

#[tokio::test]
async fn what_may_be_meant_is_offered_and_taken_by_keys() {
    let (project, events) = with_deliveries("offers").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    dashboard.visit("Deliveries").await;
    let bar = QueryBar::of_deliveries(dashboard);
    bar.write("st").await;
    bar.offers(&["state:", "status:"]).await;
    look_around(&browser, "find-offers").await;
    browser.press(Key::Down + "").await;
    browser.press(Key::Down + "").await;
    browser.press(Key::Up + "").await;
    browser.press(Key::Enter + "").await;
    assert_eq!(bar.text().await, "state:");
    browser.press("dea").await;
    bar.offers(&["state:dead"]).await;
    browser.press(Key::Down + "").await;
    browser.press(Key::Enter + "").await;
    assert_eq!(bar.text().await, "state:dead ");
    bar.offers(&[]).await;
    browser.press("webhook:c").await;
    bar.offers(&["webhook:crm"]).await;
    // Escape closes what is offered and keeps what is typed; the next one takes it away.
    browser.press(Key::Escape + "").await;
    bar.offers(&[]).await;
    assert_eq!(bar.text().await, "state:dead webhook:c");
    browser.press("rm").await;
    browser.press(Key::Enter + "").await;
    bar.asked("state=dead&webhook=crm").await;
    browser.sees("3 deliveries fit.").await;
    // Backspace in the empty field takes the last chip back, to be changed.
    browser.press(Key::Backspace + "").await;
    bar.asked("state=dead").await;
    assert_eq!(bar.text().await, "webhook:crm");
    browser.press(Key::Escape + "").await;
    browser.press(Key::Escape + "").await;
    assert_eq!(bar.text().await, "");
    bar.ask(&events[0]).await;
    bar.asked(&format!("state=dead&event={}", events[0])).await;
    browser.sees("1 delivery fits.").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn events_are_searched_and_opened_by_their_id() {
    let (project, events) = with_deliveries("find-events").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Events").await;
    let bar = QueryBar::of_events(dashboard);
    bar.ask("type:order.paid label:customer=acme since:yesterday until:2099-01-01T00:00:00Z").await;
    browser.sees("2 events fit.").await;
    rows(&browser, 2).await;
    browser.find("button", "until: 2099-01-01").await;
    look_around(&browser, "find-events").await;
    bar.ask("status:500").await;
    browser
        .sees("status:500 has no such name here. Known are since, until, type, label, object, text.")
        .await;
    bar.write("").await;
    dashboard.press("button", "Clear all").await;
    bar.ask("for acme").await;
    bar.asked("text=for%20acme").await;
    browser.sees("1 event fits.").await;
    browser.sees("New ones are not added by themselves while you search for a text.").await;
    bar.ask(&events[1]).await;
    bar.asked(&format!("text=for%20acme&open={}", events[1])).await;
    browser.sees("What became of it").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_search_is_saved_under_a_name() {
    let (project, _events) = with_deliveries("views").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    dashboard.visit("Deliveries").await;
    let bar = QueryBar::of_deliveries(dashboard);
    bar.ask("label:customer=acme status:5xx").await;
    browser.sees("2 deliveries fit.").await;
    dashboard.press("button", "Views").await;
    dashboard.write("Save this search as", "acme fails").await;
    look_around(&browser, "find-views").await;
    browser.press(Key::Enter + "").await;
    browser.gone("button", "Save").await;
    // It is there after a reload, and leads back to what was asked.
    dashboard.open(&format!("/p/{}/deliveries", project.name)).await;
    rows(&browser, 6).await;
    dashboard.press("button", "Views").await;
    browser.sees("Search for something, then save it here under a name.").await;
    dashboard.press("link", "acme fails").await;
    bar.asked("status=5xx&label=customer%3Aacme").await;
    browser.sees("2 deliveries fit.").await;
    dashboard.press("button", "Views").await;
    dashboard.press("button", "Delete the view acme fails").await;
    browser.gone("link", "acme fails").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn what_only_the_server_can_judge_is_not_put_into_the_list_by_the_feed() {
    let (project, _events) = with_deliveries("unjudged").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/deliveries?label=customer%3Aumbrella", project.name)).await;
    browser.sees("2 deliveries fit.").await;
    browser.sees("New ones are not added by themselves: only the server can say whether they fit.").await;
    post(&project, "acme", "not asked for").await;
    browser.sees("2 new or changed deliveries may fit.").await;
    post(&project, "umbrella", "asked for").await;
    browser.sees("4 new or changed deliveries may fit.").await;
    rows(&browser, 2).await;
    look_around(&browser, "find-unjudged").await;
    browser.click("button", "Refresh").await;
    browser.sees("4 deliveries fit.").await;
    rows(&browser, 4).await;
    // What the feed tells all of is put in.
    dashboard.open(&format!("/p/{}/deliveries?status=2xx&since=1h", project.name)).await;
    browser.sees("5 deliveries fit.").await;
    post(&project, "acme", "live").await;
    rows(&browser, 6).await;
    browser.sees("6 deliveries fit.").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_replay_follows_the_filter_or_says_what_it_can_not_follow() {
    let (project, _events) = with_deliveries("find-replay").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    let asked = "since=1h&state=dead&webhook=crm&status=5xx";
    dashboard.open(&format!("/p/{}/deliveries?{asked}", project.name)).await;
    browser.sees("3 deliveries fit.").await;
    browser.click("button", "Replay…").await;
    browser.sees("The list is also searched by status: 5xx").await;
    let filled = "const [since, webhook] = ['datetime-local', 'text'].map(kind => document.querySelector(`dialog input[type=${kind}]`)?.value ?? ''); \
                  return [since !== '' && Math.abs(new Date(since) - (Date.now() - 3600000)) < 600000, webhook];";
    assert_eq!(browser.script(filled, vec![]).await, json!([true, "crm"]));
    browser.click("button", "Count").await;
    browser.sees("3 deliveries would be sent again.").await;
    browser.click("button", "Close").await;
    browser.gone("dialog", "Replay").await;
    QueryBar::of_deliveries(dashboard).asked(asked).await;
    browser.sees("3 deliveries fit.").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_palette_opens_ids_and_finds_webhooks_beyond_the_first_page() {
    let (project, events) = with_deliveries("palette").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    // By name and by age, it is the last of more than one page.
    project.listen("zebra", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    for number in 0..200 {
        let more = json!({ "enabled": false });
        project.listen(&format!("hook-{number:03}"), "http://127.0.0.1:1024/", &more).await;
    }
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    let jump = async |text: &str, option: &str| {
        browser.press_with_control('k').await;
        browser.find("combobox", "Jump to").await;
        browser.press(text).await;
        browser.find("option", option).await;
        browser.press(Key::Enter + "").await;
        browser.gone("dialog", "Jump to").await;
    };
    jump(&events[0], &events[0]).await;
    dashboard.heading("Events").await;
    browser.sees("What became of it").await;
    let delivery = project.attempted(&events[0], "crm").await.delivery;
    jump(&delivery.id, &delivery.id).await;
    dashboard.heading("Deliveries").await;
    browser.find("button", "Copy as curl").await;
    // The `webhook-id` that a receiver has logged leads to its delivery.
    dashboard.visit("Webhooks").await;
    jump(&delivery.message_id, &delivery.message_id).await;
    browser.find("button", "Copy as curl").await;
    jump("zeb", "zebra").await;
    dashboard.heading("zebra").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn an_event_shows_its_attempts_and_a_reader_is_not_offered_to_resend() {
    let (project, events) = with_deliveries("attempts").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    let failed = project.attempted(&events[0], "crm").await.delivery.id;
    dashboard.open(&format!("/p/{}/deliveries?open={failed}", project.name)).await;
    dashboard.press("link", "Open the event").await;
    dashboard.heading("Events").await;
    dashboard.press("button", "Attempts over time").await;
    browser.sees("503 Service Unavailable").await;
    browser.find("img", "2 attempts to 2 webhooks").await;
    look_around(&browser, "attempts").await;
    dashboard.press("button", "Resend to 1 webhook that gave up…").await;
    dashboard.press("button", "Resend").await;
    browser.find("img", "3 attempts to 2 webhooks").await;
    until("the focus is on the heading", SOON, async || {
        browser.focus().await == (String::from("heading"), String::from("What became of it"))
    })
    .await;
    browser.close().await;

    let reader = project.token("read").await;
    let browser = Browser::open().await;
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &reader).await;
    dashboard.open(&format!("/p/{}/deliveries?open={failed}", project.name)).await;
    browser.find("button", "Copy as curl").await;
    browser.gone("button", "Resend").await;
    browser.gone("button", "Replay…").await;
    dashboard.open(&format!("/p/{}/events?open={}", project.name, events[1])).await;
    browser.sees("1 gave up, 1 delivered.").await;
    browser.gone("button", "Resend to 1 webhook that gave up…").await;
    browser.gone("link", "Send to a webhook…").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}
