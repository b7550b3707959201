//! Egress policy: which URLs Postern will call (docs/platform.md 4). The same function decides when saving,
//! when testing and before every attempt.
//!
//! The URL is taken apart by the platform's WHATWG parser (`egress::parts`), because that is the parser that
//! `fetch` will use: a policy that reads `0x7f.1` or `①` differently from the caller is no policy. What a
//! host name resolves to is not known here; the production network refuses private addresses itself
//! (docs/platform.md 4).

mod address;
mod parts;
mod policy;
mod refusal;

pub use self::policy::{Policy, Target, check};
pub use self::refusal::{Refusal, URL_CHARS_MAX};

#[cfg(test)]
mod tests;
