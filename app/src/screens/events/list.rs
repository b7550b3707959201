//! The list: how it is loaded, and its rows.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;

use super::model::EventRow;
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::{Clock, now, use_clock};
use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::nav::{Nav, use_nav};
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::find::{Token, asked};
use crate::ui::rows::store::Sorting;
use crate::ui::rows::view::{Column, numbers, words};
use crate::ui::rows::{List, Reloads};
use crate::words::ago;

/// The columns, as the cells of [`row`] follow.
const COLUMNS: [Column; 4] = [words("Event"), words("Object"), numbers("Deliveries"), numbers("Accepted")];

/// The events that the address asks for, as they come; `query` is that part of it.
///
/// It is not offered row by row as deliveries are: the feed carries deliveries, and an event has as many as
/// it matched webhooks. A search for a text is not repeated as events come: each time it would read payloads
/// by the megabyte. It counts in `came` that something did.
pub(super) fn list_of(query: Memo<Query>, came: RwSignal<bool>) -> List<EventRow> {
    let project = use_project();
    let asked_for = StoredValue::new(String::new());
    let page = Fetched::new(move || {
        let query = query.get();
        asked_for.set_value(query.text());
        came.set(false);
        load(&project, &asked(&query, now()), None)
    });
    let list = List::of(page, Sorting::Newest, Reloads::Refresh(asked_for), None, |_| true);
    let reload = calmly(move || page.reload());
    use_live().on_change(move |change| {
        // An event has no message of its own on the feed; its deliveries tell of it.
        if !matches!(change.kind(), ChangeKind::Delivery | ChangeKind::Many) {
            return;
        }
        if query.with_untracked(is_costly) {
            came.set(true);
        } else {
            reload();
        }
    });
    list
}

/// Whether a search reads payloads.
pub(super) fn is_costly(query: &Query) -> bool {
    query.value(Token::Text.key()).is_some()
}

/// A page of the events that a query asks for, with its times as the API has them.
///
/// What a row shows is taken out of each event here, so that a list of thousands does not keep their data.
pub(super) fn load(project: &ProjectApi, query: &Query, cursor: Option<&str>) -> Load<Page<EventRow>> {
    let events = project.events(&query.clone().with("cursor", cursor));
    Box::pin(async move {
        let page = events.await?;
        let rows = page.items.iter().map(EventRow::of).collect();
        Ok(page.with_items(rows))
    })
}

/// The rows. A press opens the drawer.
pub(super) fn table(list: List<EventRow>) -> AnyView {
    let (nav, clock, here) = (use_nav(), use_clock(), StoredValue::new(link(Area::Events)));
    let open = Signal::derive(move || nav.value("open"));
    list.table(&COLUMNS, open, move |event, place| row(event, place, nav, clock, here))
}

/// A row. Each cell follows the signal by itself.
fn row(
    event: RwSignal<EventRow>,
    place: Signal<String>,
    nav: Nav,
    clock: Clock,
    here: StoredValue<String>,
) -> AnyView {
    let id = event.with_untracked(|event| event.id.clone());
    let (shown, opened) = (id.clone(), id.clone());
    let is_open = move || nav.value("open").as_deref() == Some(opened.as_str());
    let href =
        move || here.with_value(|here| format!("{here}{}", nav.query().with("open", Some(&id)).text()));
    view! {
        <tr role="row" class="fresh" class:open=is_open aria-rowindex=place>
            <td role="cell" class="main-cell"><a class="stretched mono" data-row="" href=href>{move || event.with(|event| event.kind.clone())}</a><span class="mono faint clip">{shown}</span></td>
            <td role="cell" data-label="Object">{move || event.with(|event| event.object.clone())}</td>
            <td role="cell" class="number" data-label="Deliveries">{move || event.with(|event| event.deliveries.to_string())}</td>
            <td role="cell" class="number faint" data-label="Accepted">{move || event.with(|event| ago(clock.now(), event.accepted_at))}</td>
        </tr>
    }
    .into_any()
}
