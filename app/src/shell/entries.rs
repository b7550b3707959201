//! What the sidebar leads to.

use crate::routes::Area;
use crate::ui::icon::Icon;

/// The entries of the navigation, in order.
pub(crate) const ENTRIES: [(&str, Icon, Area); 12] = [
    ("Overview", Icon::Overview, Area::Overview),
    ("Webhooks", Icon::Webhook, Area::Webhooks),
    ("Deliveries", Icon::Delivery, Area::Deliveries),
    ("Events", Icon::Event, Area::Events),
    ("Event types", Icon::EventType, Area::EventTypes),
    ("Inboxes", Icon::Inbox, Area::Inboxes),
    ("Runs", Icon::Run, Area::Runs),
    ("Tokens", Icon::Token, Area::Tokens),
    ("Audit log", Icon::Audit, Area::Audit),
    ("Settings", Icon::Settings, Area::Settings),
    ("Signature doctor", Icon::Doctor, Area::Doctor),
    ("API reference", Icon::Reference, Area::Reference),
];
