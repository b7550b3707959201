//! The query bar above the lists of deliveries and events.

use serde_json::json;
use thirtyfour::Key;

use super::{Dashboard, Hand};
use crate::wait::{SOON, until};

/// The bar of the screen that is shown.
#[derive(Clone, Copy, Debug)]
pub struct QueryBar<'a> {
    dashboard: Dashboard<'a>,
    /// What its field is called.
    name: &'static str,
}

impl<'a> QueryBar<'a> {
    /// That of the screen of deliveries.
    #[must_use]
    pub const fn of_deliveries(dashboard: Dashboard<'a>) -> Self {
        Self { dashboard, name: "Search deliveries" }
    }

    /// That of the screen of events.
    #[must_use]
    pub const fn of_events(dashboard: Dashboard<'a>) -> Self {
        Self { dashboard, name: "Search events" }
    }

    /// Writes into the field, in place of what it holds: with the keyboard it is reached by its shortcut.
    pub async fn write(&self, text: &str) {
        let browser = self.dashboard.browser;
        match self.dashboard.hand {
            Hand::Mouse => browser.fill(self.name, text).await,
            Hand::Keyboard => {
                if browser.focus().await.1 != self.name {
                    browser.find("combobox", self.name).await;
                    browser.press("/").await;
                }
                browser.press_with_control('a').await;
                browser.press(text).await;
            }
        }
    }

    /// Asks for `text`.
    pub async fn ask(&self, text: &str) {
        self.write(text).await;
        self.dashboard.browser.press(Key::Enter + "").await;
    }

    /// What stands in the field.
    pub async fn text(&self) -> String {
        let field = self.dashboard.browser.find("combobox", self.name).await;
        field.prop("value").await.expect("a field has a value").unwrap_or_default()
    }

    /// Waits until exactly these suggestions are shown, by what each would put into the field.
    pub async fn offers(&self, expected: &[&str]) {
        let source = "const list = document.querySelector('.find-offers'); \
                      return list.checkVisibility() ? [...list.querySelectorAll('.mono')].map(of => of.textContent) : [];";
        until(&format!("{expected:?} is offered"), SOON, async || {
            self.dashboard.browser.script(source, vec![]).await == json!(expected)
        })
        .await;
    }

    /// Waits until the address has this query.
    pub async fn asked(&self, query: &str) {
        until(&format!("the address has {query:?}"), SOON, async || {
            let address = self.dashboard.browser.address().await;
            address.split_once('?').map_or("", |(_, query)| query) == query
        })
        .await;
    }
}
