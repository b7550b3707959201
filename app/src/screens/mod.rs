//! The screens, a folder each where one is more than a file: `model.rs` decides what is shown and is tested
//! natively, the other files show it, `screen.rs` the whole.

pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod clauses;
pub(crate) mod deliveries;
pub(crate) mod doctor;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod find;
pub(crate) mod home;
pub(crate) mod inbox;
pub(crate) mod inboxes;
pub(crate) mod nowhere;
pub(crate) mod overview;
mod parts;
pub(crate) mod period;
pub(crate) mod projects;
pub(crate) mod reference;
pub(crate) mod replays;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod tokens;
pub(crate) mod webhook;
pub(crate) mod webhook_form;
pub(crate) mod webhooks;

pub(crate) use self::parts::{
    Part, Screen, entry_part, first_load, reference_part, settings_part, traffic_part, webhooks_part,
};
