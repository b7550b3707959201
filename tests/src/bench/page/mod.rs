//! The dashboard in Chromium: what its first load weighs, and what the live list costs the main thread and
//! the memory.
//!
//! With `--against` another build is measured beside the one that was just made: both are served by the same
//! Worker and take turns, so that a machine that is busy for a while is busy for both. The files come from
//! `wrangler dev`, which compresses them as it sends them; `gzip -9` beside it is what the limit of the first
//! load counts (`xtask/src/size.rs`).

mod builds;
mod compare;
mod first_load;
mod live;
mod memory;
mod traffic;
mod watched;

pub use compare::measure;
