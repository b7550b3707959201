//! The list: how it is loaded, what changes it, and its rows.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::webhook::WebhookView;
use postern_core::webhook::ProjectName;

use super::codes::event_codes;
use super::model;
use crate::api::use_project;
use crate::browser::clock::{Clock, use_clock};
use crate::fetched::{Fetched, effect};
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::ui::badge::badge;
use crate::ui::rows::store::Sorting;
use crate::ui::rows::view::{Column, numbers, words};
use crate::ui::rows::{List, Reloads, as_many_as};
use crate::ui::strip::strip;
use crate::ui::toast::use_toasts;
use crate::words::ago;

/// The columns, as the cells of [`row`] follow.
const COLUMNS: [Column; 7] = [
    words("Webhook"),
    words("Events"),
    words("Contract"),
    words("Latest 42"),
    words("State"),
    numbers("Delivered"),
    numbers("Last call"),
];

/// The webhooks that the address asks for, as they change. Those that are about to be deleted are not among
/// them.
///
/// A webhook that was renamed, made or deleted may move rows, so those changes load everything anew. A
/// delivery only changes colours and numbers: rows are written where they are, and pages below stay.
pub(super) fn list_of() -> List<WebhookView> {
    let (nav, project, toasts) = (use_nav(), use_project(), use_toasts());
    let query = Memo::new(move |_| model::api_query(&nav.query(), None));
    let (shown, asked) = (StoredValue::new(0usize), StoredValue::new(String::new()));
    // Counts what makes everything anew. Deliveries only change how webhooks do: they keep their rows and
    // their pages.
    let set = StoredValue::new(0u32);
    let page = Fetched::new(move || {
        let query = query.get();
        asked.set_value(format!("{}{}", set.get_value(), query.text()));
        project.webhooks(&query.with("limit", as_many_as(shown.get_value()).as_deref()))
    });
    let list = List::of(page, Sorting::AsGiven, Reloads::Refresh(asked), None, move |webhook| {
        !toasts.is_gone(&webhook.id)
    });
    effect(move || shown.set_value(list.core.len()));
    let reload = calmly(move || page.reload());
    use_live().on_change(move |change| match change.kind() {
        ChangeKind::Webhooks | ChangeKind::Many => {
            set.set_value(set.get_value().wrapping_add(1));
            page.reload();
        }
        ChangeKind::Delivery => reload(),
        ChangeKind::Test | ChangeKind::InboxRequest | ChangeKind::Replay | ChangeKind::Run => {}
    });
    list
}

/// The rows. A press opens the webhook's own screen.
pub(super) fn table(list: List<WebhookView>) -> AnyView {
    let (clock, project) = (use_clock(), StoredValue::new(use_project().name().clone()));
    list.table(&COLUMNS, Signal::stored(None), move |webhook, place| row(webhook, place, project, clock))
}

/// A row. Each cell follows the signal by itself.
fn row(
    webhook: RwSignal<WebhookView>,
    place: Signal<String>,
    project: StoredValue<ProjectName>,
    clock: Clock,
) -> AnyView {
    let of = move |part: fn(&WebhookView) -> String| (move || webhook.with(part)).into_any();
    let href = move || {
        webhook
            .with(|webhook| Place::Project(project.get_value(), Area::Webhook(webhook.name.clone())).path())
    };
    // A picture and a list of codes are made again only where they differ.
    let health = Memo::new(move |_| {
        webhook.with(|webhook| (model::strip_tones(&webhook.health), model::strip_summary(&webhook.health)))
    });
    let picture = move || health.with(|(tones, summary)| strip(model::STRIP_LENGTH, tones, summary.clone()));
    let codes = Memo::new(move |_| webhook.with(|webhook| webhook.events.clone()));
    let object = Memo::new(move |_| webhook.with(|webhook| model::object_words(&webhook.object)));
    let object = move || {
        object.with(|object| {
            (!object.is_empty())
                .then(|| view! { <span class="faint clip">{object.clone()}</span> }.into_any())
        })
    };
    let last = move || {
        webhook.with(|webhook| {
            webhook.health.latest_at.map_or_else(|| String::from("never"), |at| ago(clock.now(), at))
        })
    };
    view! {
        <tr role="row" class="fresh" aria-rowindex=place>
            <td role="cell" class="main-cell">
                <a class="stretched" data-row="" href=href>{of(|webhook| webhook.name.clone())}</a>
                <span class="mono faint clip">{of(|webhook| webhook.url.clone())}</span>
            </td>
            <td role="cell" data-label="Events">{move || codes.with(|codes| event_codes(codes))}{object}</td>
            <td role="cell" class="faint" data-label="Contract">{of(|webhook| String::from(webhook.contract.as_str()))}</td>
            <td role="cell" data-label="Latest">{move || picture()}</td>
            <td role="cell" data-label="State">{badge(move || webhook.with(model::standing))}</td>
            <td role="cell" class="number" data-label="Delivered">{of(|webhook| model::delivered(&webhook.health))}</td>
            <td role="cell" class="number faint" data-label="Last call">{move || last()}</td>
        </tr>
    }
    .into_any()
}
