//! actinia's words for runs (docs/wire.md C): what its API says of a run, what a run's callbacks carry, and
//! in [`chain`] what a process chain may hold. What a run is and does, `crate::run` decides.

pub mod chain;
mod status;

pub use self::status::{BASE_PATH, Facts, RESOURCE_PREFIX, callback_body, error, message, status};

#[cfg(test)]
mod tests;
