//! The form of a webhook.

use super::{Dashboard, WebhookPage};
use crate::wait::{SOON, eventually};

/// The form, new or of a webhook that is changed.
#[derive(Clone, Copy, Debug)]
pub struct WebhookForm<'a>(Dashboard<'a>);

impl<'a> WebhookForm<'a> {
    /// Opens it from the list.
    pub async fn new(dashboard: Dashboard<'a>) -> Self {
        dashboard.press("link", "New webhook").await;
        dashboard.heading("New webhook").await;
        Self(dashboard)
    }

    /// Fills in the name.
    pub async fn name(&self, name: &str) {
        self.0.write("Name", name).await;
    }

    /// Fills in the event patterns.
    pub async fn events(&self, patterns: &str) {
        self.0.write("Events", patterns).await;
    }

    /// Unfolds what most webhooks leave as it is.
    pub async fn unfold(&self) {
        self.0.press("button", "Schedule, limits and finer filters").await;
        self.0.browser.find("textbox", "Payload filter").await;
    }

    /// Fills in the payload filter.
    pub async fn filter(&self, condition: &str) {
        self.0.write("Payload filter", condition).await;
    }

    /// Tries the payload filter on this data, and returns what it says.
    pub async fn try_the_filter_on(&self, data: &str, verdict: &str) -> String {
        self.0.write("Try it on", data).await;
        let browser = self.0.browser;
        eventually(&format!("the filter says {verdict:?}"), SOON, async || {
            let said = browser.find("status", "What the filter says").await.text().await.ok()?;
            said.contains(verdict).then_some(said)
        })
        .await
    }

    /// Has an inbox made, and returns the URL that the form then holds.
    pub async fn use_a_new_inbox(&self) -> String {
        self.0.press("button", "Use a new inbox").await;
        let browser = self.0.browser;
        eventually("the URL is that of an inbox", SOON, async || {
            let url = browser.find("textbox", "URL").await.prop("value").await.ok()??;
            url.contains("/in/").then_some(url)
        })
        .await
    }

    /// Creates the webhook and goes on to its screen.
    pub async fn create(self, name: &str) -> WebhookPage<'a> {
        self.0.press("button", "Create webhook").await;
        WebhookPage::arrived(self.0, name).await
    }
}
