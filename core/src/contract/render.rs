//! From an event to a body, and to an event that shows one.

use super::source::{Rendering, Source};
use super::{standard, ubiops, up42};
use crate::event::NewEvent;
use crate::webhook::{Contract, Definition};

impl Rendering {
    /// The rendering of an event of type `kind` for `webhook`.
    #[must_use]
    pub fn for_event(webhook: &Definition, kind: &str) -> Self {
        match webhook.contract {
            Contract::Standard | Contract::Up42 => {
                Self { contract: webhook.contract, subscribed_event: None, include_result: false }
            }
            Contract::Ubiops => Self {
                contract: Contract::Ubiops,
                subscribed_event: ubiops::subscribed_event(webhook, kind),
                include_result: webhook.include_result,
            },
        }
    }
}

/// The body's exact text.
#[must_use]
pub fn render(rendering: &Rendering, source: &Source<'_>) -> String {
    match rendering.contract {
        Contract::Standard => standard::render(source),
        Contract::Ubiops => ubiops::render(rendering, source),
        Contract::Up42 => up42::render(source),
    }
}

/// An event that `webhook` would take (but for its payload condition), for tests and previews where nobody
/// wrote one.
#[must_use]
pub fn sample_event(webhook: &Definition) -> NewEvent {
    match webhook.contract {
        Contract::Standard => standard::sample_event(webhook),
        Contract::Ubiops => ubiops::sample_event(webhook),
        Contract::Up42 => up42::sample_event(webhook),
    }
}
