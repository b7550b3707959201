//! The screen of one webhook.

use super::Dashboard;
use crate::wait::{SOON, until};

/// The screen.
#[derive(Clone, Copy, Debug)]
pub struct WebhookPage<'a>(Dashboard<'a>);

impl<'a> WebhookPage<'a> {
    /// Waits for it.
    pub async fn arrived(dashboard: Dashboard<'a>, name: &str) -> Self {
        dashboard.heading(name).await;
        dashboard.browser.find("button", "Send test").await;
        Self(dashboard)
    }

    /// Goes to it from the list.
    pub async fn open(dashboard: Dashboard<'a>, name: &str) -> Self {
        dashboard.visit("Webhooks").await;
        dashboard.press("link", name).await;
        Self::arrived(dashboard, name).await
    }

    /// Sends a test of this event type and waits for how it ends.
    pub async fn test(&self, kind: &str) -> String {
        self.0.write("Event type", kind).await;
        self.0.press("button", "Send test").await;
        let browser = self.0.browser;
        let ended = ["Completed", "Failed"];
        until("the test ends before our eyes", SOON, async || {
            let status = browser.find("status", "Test status").await.text().await.unwrap_or_default();
            ended.iter().any(|word| status.contains(word))
        })
        .await;
        browser.find("status", "Test status").await.text().await.unwrap_or_default()
    }

    /// Makes all calls of the check, and waits until the last has ended.
    pub async fn check_the_receiver(&self) {
        self.0.press("button", "Check the receiver").await;
        self.0.browser.find("button", "Checking…").await;
        self.0.browser.find("button", "Check the receiver").await;
    }

    /// Switches it off.
    pub async fn disable(&self) {
        self.0.press("button", "Disable").await;
        self.0.browser.find("button", "Enable").await;
    }

    /// Switches it on.
    pub async fn enable(&self) {
        self.0.press("button", "Enable").await;
        self.0.browser.find("button", "Disable").await;
    }

    /// Has its deliveries wait.
    pub async fn pause(&self) {
        self.0.press("button", "Pause").await;
        self.0.browser.find("button", "Resume").await;
    }

    /// Lets its deliveries go.
    pub async fn resume(&self) {
        self.0.press("button", "Resume").await;
        self.0.browser.find("button", "Pause").await;
    }

    /// Replaces its secret by a key pair, and returns the private key, which is shown.
    pub async fn rotate_to_a_key_pair(&self) -> String {
        let browser = self.0.browser;
        self.0.press("button", "Rotate secret…").await;
        browser.click("radio", "Key pair").await;
        self.0.press("button", "Rotate now").await;
        browser.sees("The old one also signs until").await;
        let shown = browser
            .script(
                "return document.querySelector('dialog[open] [aria-label=\"New secret\"]').textContent;",
                vec![],
            )
            .await;
        self.0.press("button", "Close").await;
        browser.gone("dialog", "Rotate the secret").await;
        String::from(shown.as_str().unwrap_or_default())
    }

    /// Deletes it, which leads back to the list.
    pub async fn delete(&self, name: &str) {
        self.0.press("button", "Delete").await;
        self.0.heading("Webhooks").await;
        self.0.browser.sees(&format!("{name} deleted")).await;
    }
}
