//! Lists of any length, and the history of what was looked at.

use postern_tests::browser::Browser;
use postern_tests::client::Project;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::stack::{self, Stack};
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
        if count.max(shown) < 200.0 {
            browser.click_if_there("button", "Show older ones").await;
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

/// Runs before the page's own scripts: keeps the page's sockets, so that a test can cut the live feed.
const KEEP_SOCKETS: &str = "window.sockets = []; window.WebSocket = class extends WebSocket { \
    constructor(...how) { super(...how); window.sockets.push(this); } };";

/// Posts `count` events for a webhook that is not called, so that each has a delivery that stays as it is.
async fn post(project: &Project, count: usize) {
    let event = |at: usize| json!({ "type": "order.paid", "data": { "order": at } });
    for part in (0..count).step_by(100) {
        let events: Vec<Value> = (part..count.min(part + 100)).map(event).collect();
        project.post("events/batch", &json!({ "events": events })).await.expect(202);
    }
}

/// Loads the list of deliveries, and older ones until `count` are shown.
async fn load_deliveries(browser: &Browser, dashboard: &Dashboard<'_>, project: &Project, count: usize) {
    dashboard.open(&format!("/p/{}/deliveries", project.name)).await;
    browser.find("button", "Show older ones").await;
    until(&format!("{count} rows are loaded"), SOON, async || {
        if loaded(browser).await < count {
            browser.click_if_there("button", "Show older ones").await;
        }
        loaded(browser).await >= count
    })
    .await;
}

/// How many rows the heading says are loaded.
async fn loaded(browser: &Browser) -> usize {
    let about =
        browser.script("return document.querySelector('main .about')?.textContent ?? ''", vec![]).await;
    let digits: String =
        about.as_str().unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// Cuts the live feed and waits until the page has it again, and has loaded what it shows since.
async fn cut_the_feed(browser: &Browser) {
    let cut = "window.answers = performance.getEntriesByType('resource').length; \
               window.before = sockets.length; sockets.at(-1).close();";
    browser.script(cut, vec![]).await;
    let is_back = "const rest = performance.getEntriesByType('resource').slice(answers); \
                   return sockets.length > before && sockets.at(-1).readyState === 1 && \
                          rest.some(({ name }) => name.includes('/deliveries'));";
    until("the feed is back", SOON, async || browser.script(is_back, vec![]).await == true).await;
}

/// Several rows come at the top. Those that stay are not taken out of the document: a browser would work out
/// styles and layout of all of them anew, and the focus would be lost.
async fn rows_that_stay_are_not_moved(browser: &Browser, project: &Project) {
    browser.script("scrollTo(0, 0)", vec![]).await;
    let first = "return document.querySelector('main tbody tr')?.getAttribute('aria-rowindex') ?? ''";
    until("the top is shown", SOON, async || browser.script(first, vec![]).await == "2").await;
    let watch = "window.taken = []; \
        new MutationObserver((changes) => taken.push(...changes.flatMap(({ removedNodes }) => [...removedNodes]))) \
            .observe(document.querySelector('main tbody'), { childList: true });";
    browser.script(watch, vec![]).await;
    let before = loaded(browser).await;
    post(project, 3).await;
    until("the new rows are shown", SOON, async || loaded(browser).await == before + 3).await;
    let moved = "return taken.filter((row) => row.isConnected).length";
    assert_eq!(browser.script(moved, vec![]).await, 0, "rows that stay are left where they are");
}

#[tokio::test]
async fn a_reconnect_keeps_loaded_pages_the_scroll_and_the_focus() {
    let project = stack::project("reconnect").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "paused": true })).await;
    post(&project, 120).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": KEEP_SOCKETS })).await;
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    load_deliveries(&browser, &dashboard, &project, 120).await;
    // A row of the second page has the focus.
    let focus = "const row = document.querySelectorAll('main [data-row]')[60] ?? document.querySelector('main [data-row]'); \
                 row.scrollIntoView({ block: 'center' }); row.focus(); \
                 return [row.getAttribute('href'), row.getBoundingClientRect().top]";
    let before = browser.script(focus, vec![]).await;
    let now = "const row = document.activeElement; \
               return [row.getAttribute('href'), row.getBoundingClientRect().top]";
    cut_the_feed(&browser).await;
    post(&project, 3).await;
    until("the new rows are there", SOON, async || loaded(&browser).await == 123).await;
    let after = browser.script(now, vec![]).await;
    assert_eq!(after[0], before[0], "the row keeps the focus");
    let moved = after[1].as_f64().unwrap_or(f64::MAX) - before[1].as_f64().unwrap_or_default();
    assert!(moved.abs() <= 2.0, "the row stays where it is on the screen, not {moved} px from there");
    rows_that_stay_are_not_moved(&browser, &project).await;
    browser.close().await;
}

#[tokio::test]
async fn a_paused_list_stands_still_also_after_a_reconnect() {
    let project = stack::project("paused").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "paused": true })).await;
    post(&project, 60).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": KEEP_SOCKETS })).await;
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    load_deliveries(&browser, &dashboard, &project, 60).await;
    browser.click("button", "Pause").await;
    browser.find("button", "Resume").await;
    browser.script("window.before = sockets.length; sockets.at(-1).close();", vec![]).await;
    let is_back = "return sockets.length > before && sockets.at(-1).readyState === 1";
    until("the feed is back", SOON, async || browser.script(is_back, vec![]).await == true).await;
    post(&project, 2).await;
    browser.find("button", "Resume (2 new)").await;
    assert_eq!(loaded(&browser).await, 60);
    browser.click("button", "Resume (2 new)").await;
    until("the list is as it is now", SOON, async || loaded(&browser).await == 62).await;
    browser.close().await;
}

#[tokio::test]
async fn the_next_row_is_the_one_below_that_which_the_drawer_shows() {
    let project = stack::project("next-row").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "paused": true })).await;
    post(&project, 6).await;
    let rows = project.deliveries("").await.items;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    // By a link: no row has the focus.
    dashboard.open(&format!("/p/{}/deliveries?open={}", project.name, rows[2].id)).await;
    browser.find("button", "Close").await;
    until("the row of the drawer is marked", SOON, async || {
        browser.script("return document.querySelector('main tr.open') !== null", vec![]).await == true
    })
    .await;
    let shows = async |id: &str| {
        until(&format!("the drawer shows {id}"), SOON, async || browser.address().await.ends_with(id)).await;
    };
    browser.press("j").await;
    shows(&rows[3].id).await;
    browser.press("k").await;
    shows(&rows[2].id).await;
    browser.close().await;
}

#[tokio::test]
async fn what_can_still_be_undone_is_done_before_a_link_signs_in() {
    let (mine, theirs) = (stack::project("undo-mine").await, stack::project("undo-theirs").await);
    let inbox = mine.inbox("doomed").await;
    let (browser, base) = (Browser::open().await, mine.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &mine.token).await;
    dashboard.open(&format!("/p/{}/inboxes/{}", mine.name, inbox.id)).await;
    browser.click("button", "Delete").await;
    browser.find("button", "Undo").await;
    browser.script("location.hash = arguments[0]", vec![json!(format!("#sign-in={}", theirs.token))]).await;
    browser.click("button", &format!("Sign in to {}", theirs.name)).await;
    until("the other project is shown", SOON, async || browser.address().await.contains(&theirs.name)).await;
    until("the inbox is gone", SOON, async || mine.get(&format!("inboxes/{}", inbox.id)).await.status == 404)
        .await;
    browser.close().await;
}

#[tokio::test]
async fn a_part_that_comes_with_the_second_try_has_the_focus() {
    let project = stack::project("retried").await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({ "urls": ["*.wasm"] })).await;
    dashboard.press("link", "Deliveries").await;
    browser.find("button", "Try again").await;
    let focus = async |role: &str, name: &str| {
        until(&format!("the {role} {name:?} has the focus"), SOON, async || {
            let (found, named) = browser.focus().await;
            found == role && named.starts_with(name)
        })
        .await;
    };
    browser.click("button", "Try again").await;
    focus("button", "Try again").await;
    browser.devtools("Network.setBlockedURLs", json!({ "urls": [] })).await;
    browser.click("button", "Try again").await;
    dashboard.heading("Deliveries").await;
    focus("heading", "Deliveries").await;
    browser.close().await;
}

#[tokio::test]
async fn data_that_comes_with_the_second_try_does_not_take_the_focus_away() {
    let project = stack::project("data-retried").await;
    project.listen("away", "http://127.0.0.1:1024/", &json!({ "paused": true })).await;
    post(&project, 1).await;
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    browser.devtools("Network.enable", json!({})).await;
    let cut = async |urls: &[&str]| {
        browser.devtools("Network.setBlockedURLs", json!({ "urls": urls })).await;
    };
    let focus = async |role: &str, name: &str| {
        until(&format!("the {role} {name:?} has the focus"), SOON, async || {
            let (found, named) = browser.focus().await;
            found == role && named.starts_with(name)
        })
        .await;
    };
    let retry = async || {
        browser.click("button", "Try again").await;
        focus("button", "Try again").await;
        cut(&[]).await;
        browser.click("button", "Try again").await;
        browser.gone("button", "Try again").await;
    };
    // A list that was never there.
    cut(&["*/v1/*/deliveries*"]).await;
    dashboard.visit("Deliveries").await;
    retry().await;
    browser.find("link", "order.paid").await;
    focus("heading", "Deliveries").await;
    // One that is there and could not be loaded again.
    cut(&["*/v1/*/deliveries*"]).await;
    browser.click("button", "Pause").await;
    browser.click("button", "Resume").await;
    browser.sees("This may be out of date.").await;
    retry().await;
    focus("heading", "Deliveries").await;
    // What a drawer shows.
    cut(&["*/v1/*/deliveries/dlv_*"]).await;
    browser.click("link", "order.paid").await;
    retry().await;
    focus("region", "Delivery").await;
    browser.close().await;
}

#[tokio::test]
async fn a_limit_is_warned_of_shown_and_named_when_it_is_reached() {
    let stack = Stack::start_with_variables("QUOTA_INBOXES=\"5\"\n").await;
    let project = stack.project("limits").await;
    for at in 0..4 {
        project.inbox(&format!("inbox {at}")).await;
    }
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Overview").await;
    browser.sees("Inboxes: 4 of 5 · 80 %").await;
    browser.sees("Delete one that is not needed.").await;
    browser.click("link", "All limits of this project").await;
    dashboard.heading("Settings").await;
    browser.sees("4 of 5 · 80 %").await;
    browser.sees("at most 10,000").await;
    assert_eq!(browser.axe().await, [""; 0]);
    project.inbox("inbox 4").await;
    dashboard.visit("Inboxes").await;
    browser.click("button", "New inbox").await;
    browser.fill("Name", "one too many").await;
    browser.click("button", "Create").await;
    browser.sees("The limit is 5 inboxes of this project").await;
    browser.sees("5 are used. Delete one that is not needed.").await;
    browser.close().await;
}
