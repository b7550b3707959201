//! Its latest deliveries.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::webhook::WebhookView;

use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::{deliveries, replays};
use crate::ui::button::{LinkButton, Look};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::skeleton;

/// The latest deliveries, kept up to date, and the ways to send more. Tests are not deliveries, so they are
/// not among them.
///
/// A delivery that changes is put into the list from the message itself; only the webhook's own health is
/// asked for again, and not for each message.
#[component]
pub(super) fn Latest(
    /// The webhook, which is loaded again when its deliveries change: they decide how it does.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let query = Query::default().with("webhook", Some(&name));
    let latest = deliveries::list_of({
        let query = query.clone();
        move || query.clone()
    });
    let reload = calmly(move || webhook.reload());
    use_live().on_change({
        let query = query.clone();
        move |change| {
            if let Some(delivery) =
                change.delivery().filter(|delivery| deliveries::model::fits(&query, delivery))
            {
                deliveries::take_in(latest, query.clone(), &delivery);
                reload();
            } else if change.kind() == ChangeKind::Many {
                latest.reload();
            }
        }
    });
    let is_empty =
        Memo::new(move |_| latest.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let list = move || {
        if is_empty.get() {
            view! { <p class="pad about">"No event has matched this webhook yet. Tests are not listed here."</p> }.into_any()
        } else {
            deliveries::rows(latest, None)
        }
    };
    let replay = replays::address(replays::Kind::Ended, &query);
    let (post, all) =
        (format!("{}?post=1", link(Area::Events)), format!("{}{}", link(Area::Deliveries), query.text()));
    view! {
        <section class="card" aria-labelledby="latest">
            <div class="card-head">
                <h2 id="latest">"Latest deliveries"</h2>
                <span class="page-actions">
                    <LinkButton label="Replay…" href=replay icon=Icon::Again look=Look::Quiet />
                    <LinkButton label="Post an event" href=post icon=Icon::Send look=Look::Quiet />
                    <LinkButton label="All deliveries" href=all look=Look::Quiet />
                </span>
            </div>
            {loaded(latest, skeleton::rows, move || list.into_any())}
        </section>
    }
    .into_any()
}
