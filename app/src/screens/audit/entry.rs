//! One entry of the log.

use leptos::prelude::*;
use postern_core::api::audit::AuditEntry;
use postern_core::change::Change;
use web_sys::HtmlDetailsElement;

use super::model;
use crate::browser::clock::{Clock, offset_min};
use crate::words;

/// One entry, which never changes: what was done to which thing, who did it, and the difference that it made.
///
/// Made once and never written again, so it takes the entry and no signal.
pub(super) fn row(
    entry: &AuditEntry,
    place: Signal<String>,
    clock: Clock,
    opened: RwSignal<Vec<String>>,
) -> AnyView {
    let at = entry.at;
    let (exact, ago) = (words::date_time(at, offset_min(at)), move || words::ago(clock.now(), at));
    let subject = entry.subject.name.clone();
    view! {
        <tr role="row" aria-rowindex=place>
            <td role="cell" class="main-cell"><b>{model::words_of(entry)}</b><span class="mono faint clip">{subject}</span></td>
            <td role="cell" data-label="Who">{entry.actor.name.clone()}<span class="faint clip">{model::origin_of(entry)}</span></td>
            <td role="cell" data-label="Difference">{difference(entry, opened)}</td>
            <td role="cell" class="number faint" data-label="When" title=exact>{ago}</td>
        </tr>
    }
    .into_any()
}

/// The fields that an entry changed, folded away. `opened` are the ids of the entries whose fields are shown:
/// a row that was scrolled away is open when it comes back.
fn difference(entry: &AuditEntry, opened: RwSignal<Vec<String>>) -> AnyView {
    let changes = &entry.changes.0;
    if changes.is_empty() {
        return view! { <span class="faint">"—"</span> }.into_any();
    }
    let number = words::count(u32::try_from(changes.len()).unwrap_or(u32::MAX), "field", "fields");
    let id = entry.id.clone();
    let is_open = opened.with_untracked(|opened| opened.contains(&id));
    let toggled = move |event: web_sys::Event| {
        let is_open = event_target::<HtmlDetailsElement>(&event).open();
        opened.update(|opened| {
            opened.retain(|known| *known != id);
            if is_open {
                opened.push(id.clone());
            }
        });
    };
    view! {
        <details class="fold" open=is_open on:toggle=toggled>
            <summary>{number}<span class="for-ear">{format!(" of {}", entry.subject.name)}</span></summary>
            <dl class="facts">{changes.iter().map(field).collect_view()}</dl>
        </details>
    }
    .into_any()
}

/// One field before and after, as what was deleted and what was inserted: for the ear as well as for the eye.
fn field((name, change): (&String, &Change)) -> AnyView {
    let (from, to) = model::sides(change);
    let from = from.map(|text| view! { <del class="mono break">{text}</del> }.into_any());
    let to = to.map(|text| view! { <ins class="mono break">{text}</ins> }.into_any());
    view! { <div><dt>{name.clone()}</dt><dd>{from}" "{to}</dd></div> }.into_any()
}
