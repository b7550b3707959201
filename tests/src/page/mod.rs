//! Page objects: what a person does on each screen, by role and label.
//!
//! A [`Hand`] decides whether it is done with the mouse or with the keyboard alone, so one journey serves
//! both.

mod dashboard;
mod inbox;
mod query_bar;
mod replay;
mod webhook;
mod webhook_form;

pub use dashboard::{Dashboard, Hand};
pub use inbox::InboxPage;
pub use query_bar::QueryBar;
pub use replay::ReplayDialog;
pub use webhook::WebhookPage;
pub use webhook_form::WebhookForm;
