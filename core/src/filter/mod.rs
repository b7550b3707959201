//! Matching: which events a webhook wants.

mod facts;
mod matching;
mod pattern;

pub use self::facts::EventFacts;
pub(crate) use self::matching::takes;
pub use self::matching::{Match, explain, matches, takes_type, ways_to_end};
pub use self::pattern::EventPattern;

#[cfg(test)]
mod tests;
