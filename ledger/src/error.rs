//! What can go wrong with an operation. Nothing was written when one of these comes back.

use crate::sql::SqlError;

/// Why an operation did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The database holds what the ledger never writes: a bug or a damaged store.
    #[error("the store is damaged: {what}")]
    Corrupt {
        /// What was found.
        what: &'static str,
    },
    /// The schema was written by a newer Postern than this one.
    #[error("the store has schema {found}, this program knows {known}")]
    SchemaTooNew {
        /// The version in the store.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// There is no such thing in this project.
    #[error("there is no such {what}")]
    NotFound {
        /// `webhook`, `delivery`, …
        what: &'static str,
    },
    /// Names of this kind are unique in a project, and this one is in use.
    #[error("a {what} with this name exists")]
    NameTaken {
        /// `webhook`, `inbox`, …
        what: &'static str,
    },
    /// The caller's version is not the current one.
    #[error("the current version is {current}")]
    VersionMismatch {
        /// The current version.
        current: u32,
    },
    /// The idempotency key was used for other content.
    #[error("/events/{index}/idempotency_key: the key was used with other content")]
    IdempotencyConflict {
        /// Position in the batch, from 0.
        index: usize,
    },
    /// The idempotency key was used for another call.
    #[error("the idempotency key was used with another request")]
    IdempotencyReused,
    /// Data of an event does not fit the schema of its type.
    #[error("the data of an event does not fit the schema of its type")]
    SchemaViolated {
        /// Every place, with pointers such as `/events/3/data/n`.
        faults: postern_core::fault::Faults,
    },
    /// It can't be done in the state in which the thing is.
    #[error("{why}")]
    StateConflict {
        /// Why, in words for the person who asked.
        why: &'static str,
    },
    /// It is over a quota of the project.
    #[error(transparent)]
    Quota(#[from] postern_core::quota::Exceeded),
    /// The cursor was not made by this project.
    #[error("the cursor is not one of this project")]
    BadCursor,
}

/// A JSON column does not read back.
pub(crate) fn damaged(what: &'static str) -> impl FnOnce(serde_json::Error) -> LedgerError {
    move |_error| LedgerError::Corrupt { what }
}
