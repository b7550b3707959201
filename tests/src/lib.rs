//! What the end-to-end tests and the benchmark stand on: a real `wrangler dev`, receivers that obey, a client
//! that speaks the native API, a browser.
//!
//! In scope: starting and killing the real thing, talking to it as strangers do (HTTP, WebSocket, a page),
//! and recording exactly what it sent. Out of scope: any rule of Postern (they are tested in `core` and
//! `ledger`); nothing here imports `edge`. Everything panics with a sentence where the machine lacks
//! something: a test that cannot run has failed.
//!
//! The first part of a test file's name decides where `cargo xtask test` runs it: `api_`, `delivery_` and
//! `stack_` are end to end, `clients_` need the Python environments, `dashboard_` the browser.

pub mod artefacts;
pub mod bench;
pub mod browser;
pub mod client;
pub mod executor;
pub mod hostile;
pub mod live;
pub mod page;
pub mod python;
pub mod random;
pub mod sink;
pub mod stack;
pub mod supervised;
pub mod vectors;
pub mod wait;
