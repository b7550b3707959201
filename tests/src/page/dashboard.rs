//! The dashboard as a whole, and the hand that works it.

use thirtyfour::Key;

use crate::browser::Browser;

/// With what a person works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// Points and clicks.
    Mouse,
    /// Has no mouse: Tab, Enter, Space and letters.
    Keyboard,
}

/// The dashboard in a browser window.
#[derive(Clone, Copy, Debug)]
pub struct Dashboard<'a> {
    /// The window.
    pub browser: &'a Browser,
    /// With what it is worked.
    pub hand: Hand,
    /// `http://127.0.0.1:PORT`
    base: &'a str,
}

impl<'a> Dashboard<'a> {
    /// Opens the page by the link of development, which signs in without a question on this machine.
    pub async fn sign_in_by_link(browser: &'a Browser, hand: Hand, base: &'a str, token: &str) -> Self {
        browser.go(&format!("{base}/#sign-in-dev={token}")).await;
        let dashboard = Self { browser, hand, base };
        dashboard.press("link", "Webhooks").await;
        dashboard.heading("Webhooks").await;
        dashboard
    }

    /// Goes to a path by the address bar.
    pub async fn open(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.base)).await;
    }

    /// Waits for the screen with this heading.
    pub async fn heading(&self, name: &str) {
        self.browser.find("heading", name).await;
    }

    /// Presses a button or follows a link.
    pub async fn press(&self, role: &str, name: &str) {
        match self.hand {
            Hand::Mouse => self.browser.click(role, name).await,
            Hand::Keyboard => {
                self.browser.tab_to(role, name).await;
                self.browser.press(Key::Enter + "").await;
            }
        }
    }

    /// Writes into a field.
    pub async fn write(&self, label: &str, text: &str) {
        match self.hand {
            Hand::Mouse => self.browser.fill(label, text).await,
            Hand::Keyboard => {
                self.browser.tab_to("textbox", label).await;
                self.browser.press_with_control('a').await;
                self.browser.press(text).await;
            }
        }
    }

    /// Goes to a screen of the project by the menu.
    pub async fn visit(&self, entry: &str) {
        self.press("link", entry).await;
        self.heading(entry).await;
    }
}
