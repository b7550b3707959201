//! Postern's domain: what a webhook is, which events it wants, how a callback looks, is signed, retried and
//! explained.
//!
//! In scope: rules, wire types and their validation. The same code runs in the Worker, in the browser and
//! natively. Out of scope: storage (`ledger`), network and platform (`edge`), pixels (`app`). Nothing here
//! reads a clock, makes a random number or does I/O: time, seeds and salts are arguments, and what must
//! happen next is a return value.

pub mod accept;
pub mod admin;
pub mod api;
pub mod budget;
pub mod change;
mod compare;
pub mod condition;
pub mod config;
pub mod contract;
pub mod credential;
mod decimal;
pub mod delivery;
pub mod doctor;
pub mod egress;
pub mod event;
pub mod examination;
pub mod explain;
pub mod facade;
pub mod fault;
pub mod filter;
pub mod health;
pub mod histogram;
pub mod id;
pub mod import;
pub mod inbox;
pub mod json;
pub mod json_schema;
pub mod json_text;
pub mod limit;
pub mod live_ticket;
pub mod media;
pub mod metrics;
#[cfg(test)]
mod nearly;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod operation;
pub mod presence;
pub mod problem;
pub mod project;
pub mod query;
pub mod quota;
pub mod replay;
pub mod retry;
pub mod route;
pub mod run;
pub mod search;
pub mod signing;
pub mod stats;
pub mod time;
pub mod token;
mod variants;
#[cfg(any(all(test, feature = "asymmetric"), feature = "vectors"))]
pub mod vectors;
pub mod webhook;
