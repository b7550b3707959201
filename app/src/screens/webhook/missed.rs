//! The way to what it missed while it was disabled.

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;
use postern_core::time::Timestamp;

use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::routes::Query;
use crate::screens::replays;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::icon::Icon;
use crate::words;

/// The value of the address that says since when a webhook, enabled again, missed events.
pub(super) const MISSED: &str = "missed";

/// After a webhook was enabled again: the way to what it missed. Since when stands in the address, so that a
/// reload does not lose it; once it is not needed any more, it is taken out of there.
#[component]
pub(super) fn Missed(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let nav = use_nav();
    let missed = Memo::new(move |_| {
        let is_enabled =
            webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled));
        nav.value(MISSED).and_then(|since| Timestamp::parse_rfc3339(&since)).filter(|_| is_enabled)
    });
    (move || {
        missed.get().map(|since| {
            let query = Query::default().with("webhook", Some(&name)).with("since", Some(&since.to_rfc3339()));
            let href = replays::address(replays::Kind::Missing, &query);
            view! {
                <div class="notice busy" role="status">
                    <p class="headline">{format!("It had been disabled since {}", words::date_time(since, offset_min(since)))}</p>
                    <p>"Events that it wants may have passed it by meanwhile."</p>
                    <div class="page-actions">
                        <LinkButton label="Recover what it missed…" href=href icon=Icon::Again look=Look::Primary />
                        <Button label="Not needed" on_press=move |()| nav.filter(MISSED, None) />
                    </div>
                </div>
            }
            .into_any()
        })
    })
    .into_any()
}
