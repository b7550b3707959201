//! HTTP: reading requests and writing answers. One file per resource; each function reads a request, asks the
//! project one question and shows the reply. `router` decides which.

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod credential;
pub(crate) mod deliveries;
pub(crate) mod deployment;
pub(crate) mod dry_run;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod guard;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod inboxes;
pub(crate) mod live;
pub(crate) mod metrics;
pub(crate) mod observing;
pub(crate) mod problem;
pub(crate) mod projects;
pub(crate) mod replays;
pub(crate) mod request;
pub(crate) mod runs;
pub(crate) mod standing;
pub(crate) mod stats;
pub(crate) mod tokens;
pub(crate) mod trials;
pub(crate) mod webhooks;
