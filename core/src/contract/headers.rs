//! The headers that a contract sets itself.

use super::up42;
use crate::webhook::Contract;

/// Headers that a contract sets itself, so that a webhook may not: names in lower case.
#[must_use]
pub const fn own_headers(contract: Contract) -> &'static [&'static str] {
    match contract {
        Contract::Standard | Contract::Ubiops => &[],
        Contract::Up42 => &up42::SIGNATURE_HEADERS,
    }
}
