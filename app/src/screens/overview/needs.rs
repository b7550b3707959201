//! What needs a person.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;

use super::model::{self, Need};
use crate::fetched::Fetched;
use crate::project::link;
use crate::routes::Area;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::icon::{Icon, glyph};

/// The webhooks that need a person, with why, the worst first. If no webhook does, it says so: an empty list
/// could as well be one that was not loaded.
///
/// Each row leads to its webhook: what helps (enable, resume, resend) is done there. A list that has shrunk
/// after a fix is drawn anew, because it is short.
#[component]
pub(super) fn Needs(
    /// The project's webhooks.
    webhooks: Fetched<Page<WebhookView>>,
    /// Deliveries that were given up.
    dead: Fetched<Page<DeliveryView>>,
) -> AnyView {
    let needs = Memo::new(move |_| {
        webhooks.value.with(|webhooks| {
            dead.value.with(|dead| {
                let dead = dead.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
                webhooks.as_ref().map(|page| model::needs(&page.items, dead)).unwrap_or_default()
            })
        })
    });
    let row = |need: Need| {
        let href = link(Area::Webhook(need.webhook.clone()));
        view! {
            <li class="need">
                {badge_of(need.tone, &need.state)}
                <div><a class="stretched" data-row="" href=href>{need.webhook}</a><p class="faint">{need.why}</p></div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    let list = move || {
        let needs = needs.get();
        if needs.is_empty() {
            let all_well = badge_of(Tone::Good, "All well");
            return view! { <p class="pad beside">{all_well}<span class="faint">"Nothing waits for you."</span></p> }.into_any();
        }
        view! { <ul class="needs">{needs.into_iter().map(row).collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="needs">
            <h2 class="card-head" id="needs">"What needs you"</h2>
            {move || list()}
        </section>
    }
    .into_any()
}
