//! Postern's own events.

use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::variants;

/// What the types of Postern's own events start with.
pub const OPERATIONAL_PREFIX: &str = "postern.";

/// Whether `kind` is the type of one of Postern's own events.
#[must_use]
pub fn is_operational(kind: &str) -> bool {
    kind.starts_with(OPERATIONAL_PREFIX)
}

/// Postern's own events: what happened to a webhook, a delivery or the project, for webhooks that
/// subscribe to it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount, IntoStaticStr, VariantArray,
)]
#[strum(const_into_str)]
pub enum Operational {
    /// Postern disabled a webhook.
    #[strum(serialize = "postern.webhook.disabled")]
    WebhookDisabled,
    /// A webhook failed [`crate::health::FAILING_AFTER`] times in a row; it is probed from now on.
    #[strum(serialize = "postern.webhook.failing")]
    WebhookFailing,
    /// A webhook that was failing or throttled is called as usual again.
    #[strum(serialize = "postern.webhook.recovered")]
    WebhookRecovered,
    /// A receiver asked for fewer calls, or a proxy before it did not reach it.
    #[strum(serialize = "postern.webhook.throttled")]
    WebhookThrottled,
    /// A delivery was given up.
    #[strum(serialize = "postern.delivery.dead")]
    DeliveryDead,
    /// The project uses 80 % of the bytes that it may store.
    #[strum(serialize = "postern.project.full")]
    ProjectFull,
    /// The project gives up what has ended before its retention is over, because its store fills up.
    #[strum(serialize = "postern.project.aging")]
    ProjectAging,
}

impl Operational {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = variants::array(Self::VARIANTS);

    /// The event type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
