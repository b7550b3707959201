//! A browser window with the dashboard in it, and a probe beside the page that watches and feeds it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::bench::report::Report;
use crate::browser::Browser;
use crate::client::Project;
use crate::wait::until;

/// Defines `probe` in the page.
const PROBE: &str = include_str!("probe.js");
/// How long a page may take that does far too much.
const PATIENCE: Duration = Duration::from_mins(3);
/// Nothing more is loaded once nothing was for so long.
const QUIET_MS: f64 = 1_000.0;

/// The window.
pub(super) struct Watched {
    browser: Browser,
}

/// What the main thread did in a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Work {
    /// How long it was watched.
    elapsed_ms: f64,
    /// How long its tasks took, as a person feels it: what else the machine did meanwhile is in it.
    task_ms: f64,
    /// Its CPU time, which other work on the machine changes little.
    cpu_ms: f64,
    /// Of its tasks: the page's own code.
    script_ms: f64,
    /// Of its tasks: styles and layout.
    layout_ms: f64,
    /// Messages of the live feed that the page was told.
    pub(super) messages: f64,
    /// Its longest task; 0 if all were shorter than 50 ms.
    pub(super) longest_ms: f64,
}

/// Milliseconds of the main thread for one message; the names are those of [`Work`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct PerMessage {
    pub(super) task: f64,
    pub(super) cpu: f64,
    pub(super) script: f64,
    pub(super) layout: f64,
}

impl Work {
    /// The share of the time that it was busy, from 0 to 1.
    pub(super) fn busy(&self) -> f64 {
        self.task_ms / self.elapsed_ms
    }

    /// The share of the time that it had a processor, from 0 to 1.
    pub(super) fn busy_cpu(&self) -> f64 {
        self.cpu_ms / self.elapsed_ms
    }

    /// What each message took, with all that the page did besides; empty without a message.
    pub(super) fn per_message(&self) -> Option<PerMessage> {
        let of = |ms: f64| ms / self.messages;
        let Self { task_ms, cpu_ms, script_ms, layout_ms, .. } = *self;
        (self.messages > 0.0).then(|| PerMessage {
            task: of(task_ms),
            cpu: of(cpu_ms),
            script: of(script_ms),
            layout: of(layout_ms),
        })
    }
}

/// Bytes that the page holds, once garbage was collected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// Objects of JavaScript.
    pub(super) script: f64,
    /// The browser's own objects for the page: the document.
    pub(super) document: f64,
    /// The memory of the WebAssembly program, which never shrinks.
    pub(super) wasm: f64,
}

impl Watched {
    /// Opens a window, with nothing kept from another. `rows`: the list of deliveries holds so many that
    /// nobody sent.
    pub(super) async fn open(rows: Option<usize>) -> Self {
        let browser = Browser::open().await;
        let source = format!("(() => {{\nconst madeUp = {};\n{PROBE}\n}})();", json!(rows));
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
        browser.devtools("Performance.enable", json!({})).await;
        Self { browser }
    }

    /// Goes to the first screen of the project and waits until all of it is loaded.
    pub(super) async fn load_overview(&self, project: &Project) {
        self.browser
            .go(&format!("{}/p/{}#sign-in-dev={}", project.api.base, project.name, project.token))
            .await;
        self.until_quiet().await;
    }

    /// Goes to the list of deliveries and waits until all of it is loaded, and the live feed is open.
    pub(super) async fn load_deliveries(&self, project: &Project) {
        self.browser
            .go(&format!("{}/p/{}/deliveries#sign-in-dev={}", project.api.base, project.name, project.token))
            .await;
        until("the list of deliveries is there", PATIENCE, async || !self.ask("listAt").await.is_null())
            .await;
        until("the live feed is open", PATIENCE, async || self.ask("isLive()").await == true).await;
        self.until_quiet().await;
    }

    /// Has all older pages of the list shown.
    pub(super) async fn load_older(&self) {
        until("the whole list is shown", PATIENCE, async || self.ask("asksForOlder()").await == false).await;
    }

    async fn until_quiet(&self) {
        until("the page is loaded", PATIENCE, async || self.number("quietFor()").await >= QUIET_MS).await;
    }

    /// What the probe says.
    pub(super) async fn ask(&self, what: &str) -> Value {
        self.browser.script(&format!("return probe.{what};"), vec![]).await
    }

    /// A number that the probe says; 0 if absent.
    pub(super) async fn number(&self, what: &str) -> f64 {
        self.ask(what).await.as_f64().unwrap_or_default()
    }

    /// What the main thread does for so long.
    pub(super) async fn work(&self, duration: Duration) -> Work {
        self.ask("longest()").await;
        let (heard, before) = (self.number("heard").await, self.metrics().await);
        tokio::time::sleep(duration).await;
        let (after, heard_then) = (self.metrics().await, self.number("heard").await);
        let ms = |at: usize| (after[at] - before[at]) * 1_000.0;
        let longest_ms = self.number("longest()").await;
        Work {
            elapsed_ms: ms(0),
            task_ms: ms(1),
            cpu_ms: ms(2),
            script_ms: ms(3),
            layout_ms: ms(4) + ms(5),
            messages: heard_then - heard,
            longest_ms,
        }
    }

    /// The browser's clock, and what it counts of the main thread, in seconds.
    async fn metrics(&self) -> [f64; 6] {
        let answer = self.browser.devtools("Performance.getMetrics", json!({})).await;
        ["Timestamp", "TaskDuration", "ThreadTime", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"]
            .map(|name| {
                let found =
                    answer["metrics"].as_array().into_iter().flatten().find(|metric| metric["name"] == name);
                found
                    .and_then(|metric| metric["value"].as_f64())
                    .unwrap_or_else(|| panic!("the browser must say its {name}: {answer}"))
            })
    }

    /// What the page holds.
    pub(super) async fn memory(&self) -> Memory {
        self.browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
        let usage = self.browser.devtools("Runtime.getHeapUsage", json!({})).await;
        let bytes = |name: &str| usage[name].as_f64().unwrap_or_default();
        Memory {
            script: bytes("usedSize"),
            document: bytes("embedderHeapUsedSize"),
            wasm: self.number("wasmBytes()").await,
        }
    }

    /// Closes the window. Says whether the content security policy stopped anything: such a page is not what
    /// it was meant to be, and no figures of it count.
    pub(super) async fn close(self, report: &Report) {
        let violations = self.number("violations").await;
        if violations > 0.0 {
            report.say(format!("         the content security policy stopped this page {violations} times: it does less than it should"));
        }
        self.browser.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_costs_its_share_of_all_that_the_page_did() {
        let work = Work {
            elapsed_ms: 2_000.0,
            task_ms: 500.0,
            cpu_ms: 250.0,
            script_ms: 200.0,
            layout_ms: 100.0,
            messages: 100.0,
            longest_ms: 0.0,
        };
        assert_eq!((work.busy(), work.busy_cpu()), (0.25, 0.125));
        assert_eq!(work.per_message(), Some(PerMessage { task: 5.0, cpu: 2.5, script: 2.0, layout: 1.0 }));
        assert_eq!(Work { messages: 0.0, ..work }.per_message(), None);
    }
}
