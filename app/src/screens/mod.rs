//! The screens, a folder each: `mod.rs` shows, `model.rs` decides what is shown and is tested natively.

pub(crate) mod attempt;
pub(crate) mod deliveries;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod inboxes;
pub(crate) mod nowhere;
pub(crate) mod overview;
pub(crate) mod projects;
pub(crate) mod sign_in;
pub(crate) mod tokens;
pub(crate) mod webhook;
pub(crate) mod webhook_form;
pub(crate) mod webhooks;
