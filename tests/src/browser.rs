//! A real Chromium, headless, driven through `ChromeDriver`.
//!
//! Elements are found as a person finds them: by role and accessible name ([`Browser::find`]). Everything
//! waits with a deadline; nothing sleeps.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};

use crate::artefacts;
use crate::stack::free_port;
use crate::supervised::Supervised;
use crate::wait::{SOON, eventually, until};

/// Defines `postern` in the page: finding by role and accessible name. The name is computed the way browsers
/// do, for the cases that the page uses; what is `aria-hidden` (such as shortcut hints) is not part of it.
const FINDER: &str = include_str!("finder.js");

/// How wide the window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A telephone: 390 px.
    Narrow,
    /// A laptop: 1440 px.
    Wide,
}

/// What the system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// An open browser window.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    // Ends the browser when it is dropped.
    _process: Supervised,
}

impl Browser {
    /// Opens a window of its own, with nothing kept from another.
    pub async fn open() -> Self {
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("postern-browser-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).expect("the browser's folder can be made");
        let process = Supervised::start(&artefacts::chromedriver(), &folder, |command| {
            command.arg(format!("--port={port}")).env("TMPDIR", &folder).env("HOME", &folder);
        });
        let server = format!("http://127.0.0.1:{port}");
        let status = crate::client::Api::new(&server, None);
        until("ChromeDriver answers", SOON, async || {
            status.try_get("/status").await.is_some_and(|reply| reply.status == 200)
        })
        .await;
        let driver = Self::session(&server, &folder)
            .await
            .unwrap_or_else(|fault| panic!("Chromium does not start: {fault}"));
        let browser = Self { driver, _process: process };
        browser.look(Width::Wide, Scheme::Light).await;
        browser
    }

    async fn session(server: &str, folder: &std::path::Path) -> WebDriverResult<WebDriver> {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(artefacts::chromium().to_str().expect("Chromium's path is plain"))?;
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--force-prefers-reduced-motion",
            "--no-proxy-server",
        ] {
            wanted.add_arg(argument)?;
        }
        wanted.add_arg(&format!("--user-data-dir={}", folder.join("profile").display()))?;
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        WebDriver::new(server, wanted).await
    }

    /// Sets the window's width and the system's colour scheme.
    pub async fn look(&self, width: Width, scheme: Scheme) {
        let (width, height, mobile) = match width {
            Width::Narrow => (390, 844, true),
            Width::Wide => (1440, 900, false),
        };
        let scheme = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }] })).await;
    }

    /// Sends a command of the Chrome `DevTools` Protocol.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.driver
            .cdp()
            .send_raw(method, parameters)
            .await
            .unwrap_or_else(|fault| panic!("{method}: {fault}"))
    }

    /// Goes to an address.
    pub async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|fault| panic!("{url}: {fault}"));
    }

    /// The address shown.
    pub async fn address(&self) -> String {
        self.driver.current_url().await.expect("a window has an address").to_string()
    }

    /// Runs JavaScript in the page.
    pub async fn script(&self, source: &str, arguments: Vec<Value>) -> Value {
        let answer = self
            .driver
            .execute(source, arguments)
            .await
            .unwrap_or_else(|fault| panic!("{fault}\nin {source}"));
        answer.json().clone()
    }

    /// The visible element with this role whose accessible name is `name`, or starts with it.
    pub async fn find(&self, role: &str, name: &str) -> WebElement {
        let what = format!("there is a {role} named {name:?}");
        for_page(&what, self, async || self.found(role, name).await).await
    }

    /// Whether there is one now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        self.found(role, name).await.is_some()
    }

    /// Waits until it is gone.
    pub async fn gone(&self, role: &str, name: &str) {
        until(&format!("the {role} named {name:?} is gone"), SOON, async || !self.has(role, name).await)
            .await;
    }

    async fn found(&self, role: &str, name: &str) -> Option<WebElement> {
        let source = format!("{FINDER}\nreturn find(arguments[0], arguments[1]);");
        // While a page is being replaced there is nothing to find.
        self.driver.execute(source, vec![json!(role), json!(name)]).await.ok()?.element().ok()
    }

    /// Clicks what has this role and name.
    pub async fn click(&self, role: &str, name: &str) {
        // An element may be replaced or still move between being found and being clicked.
        eventually(&format!("the {role} named {name:?} takes a click"), SOON, async || {
            let element = self.found(role, name).await?;
            element.scroll_into_view().await.ok()?;
            element.click().await.ok()
        })
        .await;
    }

    /// Clicks the element if it is there now: for one that goes with what an earlier click did.
    pub async fn click_if_there(&self, role: &str, name: &str) {
        if let Some(element) = self.found(role, name).await
            && element.scroll_into_view().await.is_ok()
        {
            // It may go between being found and being clicked.
            let _gone = element.click().await;
        }
    }

    /// Puts `text` into the field with this label, in place of what it holds.
    pub async fn fill(&self, label: &str, text: &str) {
        eventually(&format!("the field {label:?} takes text"), SOON, async || {
            let field = self.found("textbox", label).await?;
            field.click().await.ok()?;
            field.send_keys(Key::Control + "a").await.ok()?;
            field.send_keys(Key::Delete + "").await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
    }

    /// Chooses the option that shows `text` of the list with this label.
    pub async fn choose(&self, label: &str, text: &str) {
        let list = self.find("combobox", label).await;
        let source = "const [list, text] = arguments; const option = [...list.options].find(option => option.text.includes(text) || option.value === text);\
                      list.value = option.value; list.dispatchEvent(new Event('input', { bubbles: true })); list.dispatchEvent(new Event('change', { bubbles: true }));";
        let arguments = vec![list.to_json().expect("an element is a value"), json!(text)];
        self.script(source, arguments).await;
    }

    /// Waits until the page shows `text`.
    pub async fn sees(&self, text: &str) {
        for_page(&format!("the page shows {text:?}"), self, async || {
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    /// The text that is shown.
    pub async fn text(&self) -> String {
        let shown = self.driver.execute("return document.body ? document.body.innerText : '';", vec![]).await;
        shown.ok().and_then(|shown| shown.json().as_str().map(String::from)).unwrap_or_default()
    }

    /// Presses keys where the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.expect("keys can be pressed");
    }

    /// Presses `key` while Control is held.
    pub async fn press_with_control(&self, key: char) {
        let chord =
            self.driver.action_chain().key_down(Key::Control).send_keys(key.to_string()).key_up(Key::Control);
        chord.perform().await.expect("keys can be pressed");
    }

    /// Walks with Tab until the focus is on what has this role and name, as somebody without a mouse does.
    pub async fn tab_to(&self, role: &str, name: &str) {
        self.find(role, name).await;
        let mut passed = Vec::new();
        for _ in 0..150 {
            let here = self.focus().await;
            if here.0 == role && here.1.starts_with(name) {
                return;
            }
            passed.push(format!("{} {:?}", here.0, here.1));
            self.press(Key::Tab + "").await;
        }
        panic!("Tab does not reach the {role} named {name:?}; it passed {}", passed.join(", "));
    }

    /// Role and name of what has the focus.
    pub async fn focus(&self) -> (String, String) {
        let source = format!("{FINDER}\nreturn describe(document.activeElement);");
        let found = self.script(&source, vec![]).await;
        let part = |index: usize| found[index].as_str().map(String::from).unwrap_or_default();
        (part(0), part(1))
    }

    /// Everything the browser's console complained of since the last call: errors, and what the content
    /// security policy stopped. A request that is answered 4xx shows there too: `expected` are words of those
    /// that the test provoked.
    pub async fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("ChromeDriver hands out the console");
        let severe = log
            .into_iter()
            .filter(|entry| entry.level == "SEVERE" || entry.message.contains("Content Security Policy"));
        severe
            .map(|entry| entry.message)
            .filter(|message| !expected.iter().any(|words| message.contains(words)))
            .collect()
    }

    /// Violations of the accessibility rules that axe knows, one line each.
    pub async fn axe(&self) -> Vec<String> {
        let axe = fs::read_to_string(artefacts::node_module("axe-core/axe.min.js"))
            .expect("axe-core is installed: `npm ci`");
        self.driver.execute(format!("if (!window.axe) {{ {axe} }}"), vec![]).await.expect("axe loads");
        let source = "const done = arguments[arguments.length - 1];\
                      axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations.map(v => `${v.id}: ${v.help}: ` + v.nodes.map(n => `${n.html} (${n.failureSummary})`).join(' | '))), fault => done([String(fault)]));";
        let found = self.driver.execute_async(source, vec![]).await.expect("axe runs").json().clone();
        found
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| String::from(line.as_str().unwrap_or_default()))
            .collect()
    }

    /// How many pixels the page is wider than its window.
    pub async fn overflow_px(&self) -> i64 {
        self.script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth;",
            vec![],
        )
        .await
        .as_i64()
        .unwrap_or(i64::MAX)
    }

    /// Saves a picture as `target/pictures/NAME.png`.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = artefacts::root().join("target/pictures");
        fs::create_dir_all(&folder).expect("the pictures' folder can be made");
        let file = folder.join(format!("{name}.png"));
        self.driver.screenshot(&file).await.expect("a picture can be taken");
        file
    }

    /// Closes the window.
    pub async fn close(self) {
        self.driver.clone().quit().await.expect("the window can be closed");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A failed test has not closed its window. The browser is about to be killed: asking it to quit, as
        // the driver would do here, could only block this thread until it gives up.
        drop(self.driver.clone().leak());
    }
}

/// Looks until there is something; at the deadline the panic shows the page.
async fn for_page<T>(what: &str, browser: &Browser, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        if started.elapsed() > SOON {
            let (address, text) = (browser.address().await, browser.text().await);
            let picture = browser.picture(&format!("failed-{}", std::process::id())).await;
            let complaints = browser.complaints(&[]).await;
            panic!(
                "not within {} s: {what}\nat {address} (picture: {})\nconsole: {complaints:?}\n{text}",
                SOON.as_secs(),
                picture.display()
            );
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
