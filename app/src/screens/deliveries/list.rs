//! The list: how it is loaded, what changes it, and its rows.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;

use super::model;
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::{Clock, use_clock};
use crate::fetched::Fetched;
use crate::nav::{Nav, use_nav};
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::badge::badge;
use crate::ui::rows::List;
use crate::ui::rows::view::{Column, numbers, words};
use crate::words::{ago, hold_words};

/// The columns, as the cells of [`row`] follow.
const COLUMNS: [Column; 6] = [
    words("State"),
    words("Event"),
    words("Webhook"),
    numbers("Attempts"),
    words("Latest attempt"),
    numbers("Accepted"),
];

/// The deliveries that `query` asks for.
pub(crate) fn list_of(query: impl Fn() -> Query + Send + Sync + 'static) -> Fetched<Page<DeliveryView>> {
    let project = use_project();
    let query = Memo::new(move |_| query());
    Fetched::new(move || load(&project, &query.get(), None))
}

/// A page of the deliveries that `page` asks for: filters with their times as the API has them, and a
/// `limit`. What the API has to be asked for part by part is put together.
///
/// The first failure is that of all parts: a list of which a third is missing would be taken for whole.
pub(super) fn load(project: &ProjectApi, page: &Query, cursor: Option<&str>) -> Load<Page<DeliveryView>> {
    let mut parts: Vec<Load<Page<DeliveryView>>> =
        model::parts(page).iter().map(|part| project.deliveries(&model::api_query(part, cursor))).collect();
    if parts.len() == 1
        && let Some(whole) = parts.pop()
    {
        return whole;
    }
    Box::pin(async move {
        let mut pages = Vec::new();
        for part in parts {
            pages.push(part.await?);
        }
        Ok(model::together(pages))
    })
}

/// Puts a change into a list that is shown by [`rows`], or that [`List`] shows.
pub(crate) fn take_in(list: Fetched<Page<DeliveryView>>, query: Query, delivery: &DeliveryView) {
    list.value.update(|page| {
        if let Some(page) = page {
            model::take_in(page, &query, delivery);
        }
    });
}

/// The rows of a list on another screen. A press opens the screen of deliveries with the drawer. `webhooks`
/// as in [`table`].
pub(crate) fn rows(
    list: Fetched<Page<DeliveryView>>,
    webhooks: Option<Fetched<Page<WebhookView>>>,
) -> AnyView {
    let list = List::newest(list);
    view! { {list.news()}{table(list, webhooks)} }.into_any()
}

/// What a row shows beside its delivery.
#[derive(Clone, Copy)]
struct Around {
    /// The address, with the filters and the drawer that is open.
    nav: Nav,
    /// The present.
    clock: Clock,
    /// The address of the screen of deliveries.
    address: StoredValue<String>,
    /// The webhooks of the project, where this is that screen.
    webhooks: Option<Fetched<Page<WebhookView>>>,
}

/// The rows. A press opens the drawer of this screen, or, from another screen, the screen of deliveries with
/// it. `webhooks` are those of the project, where this is the screen of deliveries: they say why a delivery
/// is held.
pub(super) fn table(list: List<DeliveryView>, webhooks: Option<Fetched<Page<WebhookView>>>) -> AnyView {
    let around = Around {
        nav: use_nav(),
        clock: use_clock(),
        address: StoredValue::new(link(Area::Deliveries)),
        webhooks,
    };
    let open = Signal::derive(move || around.nav.value("open"));
    list.table(&COLUMNS, open, move |delivery, place| row(delivery, place, around))
}

/// A row. Each cell follows the signal by itself.
fn row(delivery: RwSignal<DeliveryView>, place: Signal<String>, around: Around) -> AnyView {
    let Around { nav, clock, .. } = around;
    let of = move |part: fn(&DeliveryView) -> String| (move || delivery.with(part)).into_any();
    let is_open =
        move || nav.value("open").is_some_and(|open| delivery.with_untracked(|delivery| delivery.id == open));
    let state = badge(move || delivery.with(|delivery| model::standing(delivery, clock.now())));
    let when = move || delivery.with(|delivery| ago(clock.now(), delivery.created_at));
    view! {
        <tr role="row" class="fresh" class:open=is_open aria-rowindex=place>
            <td role="cell" data-label="State">{state}</td>
            <td role="cell" class="main-cell"><a class="stretched mono" data-row="" href=move || address_of(delivery, around)>{of(|delivery| delivery.kind.clone())}</a></td>
            <td role="cell" data-label="Webhook"><span class="clip">{of(|delivery| delivery.webhook.clone().unwrap_or_else(|| String::from("(deleted)")))}</span></td>
            <td role="cell" class="number" data-label="Attempts">{of(|delivery| delivery.attempts.to_string())}</td>
            <td role="cell" class="faint" data-label="Latest attempt"><span class="clip">{move || result(delivery, around)}</span></td>
            <td role="cell" class="number faint" data-label="Accepted">{move || when()}</td>
        </tr>
    }
    .into_any()
}

/// Where a press leads. Filters stay in the address when a drawer opens.
///
/// On the screen of deliveries the filters stay, so that closing the drawer leads back to the same list. From
/// another screen there are none to keep.
fn address_of(delivery: RwSignal<DeliveryView>, around: Around) -> String {
    let query = if around.webhooks.is_some() { around.nav.query() } else { Query::default() };
    let query = delivery.with_untracked(|delivery| query.with("open", Some(&delivery.id)));
    around.address.with_value(|address| format!("{address}{}", query.text()))
}

/// The latest attempt, and why the next one is held.
fn result(delivery: RwSignal<DeliveryView>, around: Around) -> String {
    delivery.with(|delivery| {
        let why = around.webhooks.filter(|_| model::is_held(delivery)).and_then(|webhooks| {
            webhooks.value.with(|page| {
                let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
                items.iter().find(|webhook| webhook.id == delivery.webhook_id).map(hold_words)
            })
        });
        model::result(delivery, why)
    })
}
