//! Webhooks: the definition of where to call, for which events, how to sign and how to retry.
//!
//! A [`Definition`] is parsed, never validated: [`parse::create`] and [`parse::update`] are the only ways to
//! make one from outside input, and they name every bad field at once. Secrets are plain text in a
//! [`Definition`] and exist only in memory; the edge seals them before they are stored.

mod definition;
pub mod field;
pub mod header;
mod name;
pub mod parse;
pub mod rotation;

pub use definition::{
    Contract, Definition, Header, ObjectFilter, RateLimit, RetiredSecret, TIMEOUT_DEFAULT_S,
};
pub use name::{ProjectName, WebhookName};

#[cfg(test)]
mod tests;
