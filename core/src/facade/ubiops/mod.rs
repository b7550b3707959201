//! UbiOps' API (docs/wire.md A.2, A.3): its bodies in, its objects out.
//!
//! Definitions are the same as everywhere; this module only knows UbiOps' names for their fields. The edge
//! adds routes, tokens and status codes.

mod body;
mod detail;
mod list;

pub use self::body::{create, test_create, update};
pub use self::detail::{Detail, TestDetail};
pub use self::list::ListFilter;

#[cfg(test)]
mod tests;
