//! Contracts: how a callback's body looks and which answers count as delivered.

mod answer;
mod callback;
mod headers;
mod json;
mod render;
mod sample;
mod source;
mod standard;
pub mod ubiops;
pub mod up42;

pub use self::answer::counts_as_delivered;
pub use self::callback::{ACCEPT, Callback, USER_AGENT, build, secret_of};
pub use self::headers::own_headers;
pub use self::render::{render, sample_event};
pub use self::source::{Rendering, Source};

#[cfg(test)]
mod tests;
