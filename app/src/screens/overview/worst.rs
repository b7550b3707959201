//! The webhooks with the most failures.

use leptos::prelude::*;
use postern_core::api::stats::{StatsView, WebhookStats};

use super::stats::{self, Range};
use crate::fetched::Fetched;
use crate::project::link;
use crate::routes::Area;
use crate::ui::icon::{Icon, glyph};
use crate::words;

/// Webhooks with failures that are listed.
const WORST_MAX: usize = 5;

/// The webhooks with the most failures over the range, at most five of them. Nothing is shown where none
/// failed.
///
/// The order is the answer's: most failures first. A webhook that was deleted since stays in the numbers and
/// has no name and no link.
#[component]
pub(super) fn Worst(
    /// Statistics over `range`.
    numbers: Fetched<StatsView>,
    /// The time that they are of.
    range: Memo<Range>,
) -> AnyView {
    let worst = Memo::new(move |_| {
        numbers.value.with(|stats| {
            let webhooks = stats.as_ref().map(|stats| stats.webhooks.as_slice()).unwrap_or_default();
            webhooks
                .iter()
                .filter(|webhook| webhook.counts.failed > 0)
                .take(WORST_MAX)
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let row = |webhook: WebhookStats| {
        let counts = &webhook.counts;
        let failed =
            format!("{} of {} attempts failed", words::number(counts.failed), words::number(counts.attempts));
        let about = format!("p95 {}", stats::latency(counts.p95_ms));
        let name = match webhook.webhook {
            Some(name) => {
                let href = link(Area::Webhook(name.clone()));
                view! { <a class="stretched" data-row="" href=href>{name}</a> }.into_any()
            }
            None => view! { <span class="faint">"(deleted webhook)"</span> }.into_any(),
        };
        view! {
            <li class="need worst">
                <span>{failed}</span>
                <div>{name}<p class="faint">{about}</p></div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    (move || {
        let worst = worst.get();
        (!worst.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="worst">
                    <div class="card-head"><h2 id="worst">"Most failures"</h2><span class="faint">{range.get().label()}</span></div>
                    <ul class="needs">{worst.into_iter().map(row).collect_view()}</ul>
                </section>
            }
            .into_any()
        })
    })
    .into_any()
}
