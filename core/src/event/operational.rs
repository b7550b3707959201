//! Postern's own events.

/// What the types of Postern's own events begin with.
pub const OPERATIONAL_PREFIX: &str = "postern.";

/// Whether `kind` is the type of one of Postern's own events.
#[must_use]
pub fn is_operational(kind: &str) -> bool {
    kind.starts_with(OPERATIONAL_PREFIX)
}

/// Postern's own events: what happened to a webhook, a delivery or the project, for whoever subscribes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operational {
    /// Postern disabled a webhook.
    WebhookDisabled,
    /// A webhook failed [`crate::health::FAILING_AFTER`] times in a row; it is probed from now on.
    WebhookFailing,
    /// A webhook that was failing or throttled is called as usual again.
    WebhookRecovered,
    /// A receiver asked for fewer calls, or a proxy before it did not reach it.
    WebhookThrottled,
    /// A delivery was given up.
    DeliveryDead,
    /// The project uses 80 % of the bytes that it may store.
    ProjectFull,
}

impl Operational {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::WebhookDisabled,
        Self::WebhookFailing,
        Self::WebhookRecovered,
        Self::WebhookThrottled,
        Self::DeliveryDead,
        Self::ProjectFull,
    ];

    /// The event type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebhookDisabled => "postern.webhook.disabled",
            Self::WebhookFailing => "postern.webhook.failing",
            Self::WebhookRecovered => "postern.webhook.recovered",
            Self::WebhookThrottled => "postern.webhook.throttled",
            Self::DeliveryDead => "postern.delivery.dead",
            Self::ProjectFull => "postern.project.full",
        }
    }
}
