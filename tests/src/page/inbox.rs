//! The screen of one inbox.

use super::Dashboard;
use crate::wait::{SOON, eventually};

/// The screen.
#[derive(Clone, Copy, Debug)]
pub struct InboxPage<'a>(Dashboard<'a>);

impl<'a> InboxPage<'a> {
    /// Goes to it from the list.
    pub async fn open(dashboard: Dashboard<'a>, name: &str) -> Self {
        dashboard.visit("Inboxes").await;
        dashboard.press("link", name).await;
        dashboard.heading(name).await;
        dashboard.browser.find("button", "Send a test here").await;
        Self(dashboard)
    }

    /// The lines of the recorded requests, newest first, once there are `count`.
    pub async fn requests(&self, count: usize) -> Vec<String> {
        let source = "return [...document.querySelectorAll('ol[aria-label=Requests] > li')].map(line => line.innerText);";
        eventually(&format!("the inbox shows {count} requests"), SOON, async || {
            let lines = self.0.browser.script(source, vec![]).await;
            let lines: Vec<String> =
                lines.as_array()?.iter().filter_map(|line| line.as_str().map(String::from)).collect();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// Has a test sent here.
    pub async fn send_a_test(&self) {
        self.0.press("button", "Send a test here").await;
    }
}
