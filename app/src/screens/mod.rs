//! The screens, a folder each: `mod.rs` shows, `model.rs` decides what is shown and is tested natively.

use crate::dom::{View, view};
use crate::routes::Area;

pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod clauses;
pub(crate) mod deliveries;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod inboxes;
pub(crate) mod nowhere;
pub(crate) mod overview;
pub(crate) mod projects;
pub(crate) mod reference;
pub(crate) mod replays;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod tokens;
pub(crate) mod webhook;
pub(crate) mod webhook_form;
pub(crate) mod webhooks;

/// The screens of webhooks (see `lazy`).
pub(crate) fn webhooks_part(area: Area) -> View {
    match area {
        Area::Webhooks => view! { <webhooks::Webhooks /> },
        Area::WebhookNew => view! { <webhook_form::WebhookNew /> },
        Area::Webhook(name) => view! { <webhook::Webhook name=name /> },
        Area::WebhookEdit(name) => view! { <webhook_form::WebhookEdit name=name /> },
        _ => View::nothing(),
    }
}

/// The screens of what came in and went out.
pub(crate) fn traffic_part(area: Area) -> View {
    match area {
        Area::Deliveries => view! { <deliveries::Deliveries /> },
        Area::Events => view! { <events::Events /> },
        Area::Inboxes => view! { <inboxes::Inboxes /> },
        Area::Inbox(id) => view! { <inbox::Inbox id=id /> },
        Area::Runs => view! { <runs::Runs /> },
        Area::Run(id) => view! { <runs::Run id=id /> },
        _ => View::nothing(),
    }
}

/// The screens of what is set up once.
pub(crate) fn settings_part(area: Area) -> View {
    match area {
        Area::EventTypes => view! { <event_types::EventTypes /> },
        Area::Tokens => view! { <tokens::Tokens /> },
        Area::Audit => view! { <audit::Audit /> },
        Area::Settings => view! { <settings::Settings /> },
        _ => View::nothing(),
    }
}

/// The description of the API.
pub(crate) fn reference_part(area: Area) -> View {
    match area {
        Area::Reference => view! { <reference::Reference /> },
        _ => View::nothing(),
    }
}
