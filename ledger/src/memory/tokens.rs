//! The project's tokens by the hashes of their secrets, so that checking one costs no query.
//!
//! Does not know what a role may do.

use std::fmt;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::token::Role;

/// The tokens in memory, so that checking one costs no query.
#[derive(Default)]
pub(crate) struct TokenBook {
    pub(crate) entries: Vec<Entry>,
}

/// A token.
pub(crate) struct Entry {
    pub(crate) seq: Seq,
    pub(crate) hash: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl fmt::Debug for TokenBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBook").field("entries", &self.entries.len()).finish()
    }
}
