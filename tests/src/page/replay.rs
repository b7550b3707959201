//! The dialog that replays, and the list of replays with their progress: on the screen of deliveries.

use super::Dashboard;
use crate::wait::{SOON, eventually};

/// The open dialog.
#[derive(Clone, Copy, Debug)]
pub struct ReplayDialog<'a>(Dashboard<'a>);

impl<'a> ReplayDialog<'a> {
    /// Opens it from the screen of deliveries.
    pub async fn open(dashboard: Dashboard<'a>) -> Self {
        dashboard.visit("Deliveries").await;
        dashboard.press("button", "Replay…").await;
        Self::arrived(dashboard).await
    }

    /// Waits for it: other screens lead to it too.
    pub async fn arrived(dashboard: Dashboard<'a>) -> Self {
        dashboard.heading("Replay").await;
        dashboard.browser.find("button", "Count").await;
        Self(dashboard)
    }

    /// Only of this webhook.
    pub async fn webhook(&self, name: &str) {
        self.0.write("Webhook", name).await;
    }

    /// Has it counted and returns what it says.
    pub async fn count(&self) -> String {
        self.0.press("button", "Count").await;
        let browser = self.0.browser;
        eventually("the dialog says how many there are", SOON, async || {
            let said = browser.find("status", "Count").await.text().await.ok()?;
            (!said.trim().is_empty()).then_some(said)
        })
        .await
    }

    /// Starts it by the button with this name, and waits until the newest replay of the list shows
    /// `progress`.
    pub async fn start(self, button: &str, progress: &str) {
        self.0.press("button", button).await;
        self.0.browser.gone("dialog", "Replay").await;
        self.0.browser.find("region", "Replays").await;
        self.0.browser.sees(progress).await;
    }
}
