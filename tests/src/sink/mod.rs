//! A receiver on loopback that obeys: it answers as it is told, or hangs, resets or never ends, and it
//! records exactly what reached it (raw header names in their order, the body's bytes).
//!
//! [`Sink`] is the one for tests; the benchmark runs its own rule on the same [`http`] server.

pub mod http;
mod scripted;

pub use http::{Answer, Behaviour, Received};
pub use scripted::Sink;
