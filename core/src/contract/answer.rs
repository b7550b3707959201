//! Which answers count as delivered.

use crate::webhook::Contract;

/// Whether an answer with `status` counts as delivered.
#[must_use]
pub const fn counts_as_delivered(contract: Contract, status: u16) -> bool {
    match contract {
        Contract::Standard | Contract::Up42 => matches!(status, 200..=299),
        Contract::Ubiops => matches!(status, 200..=399),
    }
}
