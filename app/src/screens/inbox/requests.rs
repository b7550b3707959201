//! What arrived: one line for each request, and all of it when it is opened.

use leptos::prelude::*;
use postern_core::api::inbox::InboxRequestView;

use super::model;
use crate::browser::clock::{Clock, offset_min, use_clock};
use crate::ui::badge::badge_of;
use crate::ui::code::{code_block, header_lines};
use crate::ui::rows::List;
use crate::words;

/// The requests. `opened` are the ids of those that are open: a row that was scrolled away is open when it
/// comes back.
pub(super) fn requests(list: List<InboxRequestView>, opened: RwSignal<Vec<String>>) -> AnyView {
    let clock = use_clock();
    list.items("requests", "Requests", move |request, place| row(list, request, place, opened, clock))
}

/// A request: its line, and all of it below while it is open.
///
/// The line says what is compared most: method and path, whether the signature holds, the size, and what was
/// answered. The rest is made when it is unfolded.
fn row(
    list: List<InboxRequestView>,
    request: RwSignal<InboxRequestView>,
    place: Signal<String>,
    opened: RwSignal<Vec<String>>,
    clock: Clock,
) -> AnyView {
    let id = StoredValue::new(request.with_untracked(|request| request.id.clone()));
    let is_open = Memo::new(move |_| id.with_value(|id| opened.with(|opened| opened.contains(id))));
    let press = move |_| opened.update(|opened| id.with_value(|id| model::toggle(opened, id)));
    let ((tone, word), line, about, at) = request.with_untracked(|request| {
        let about = format!("{} · answered {}", words::bytes(request.body_bytes.into()), request.answered);
        (model::verdict(&request.signature), model::request_line(request), about, request.received_at)
    });
    let content = move || is_open.get().then(|| request.with(whole));
    view! {
        <li class="card request fresh" aria-posinset=place aria-setsize=move || list.core.total(0)>
            <button type="button" class="request-line" data-row="" aria-expanded=move || is_open.get().to_string() on:click=press>
                <b class="mono clip">{line}</b>
                {badge_of(tone, &word)}
                <span class="faint">{about}</span>
                <span class="faint number">{move || words::ago(clock.now(), at)}</span>
            </button>
            {move || content()}
        </li>
    }
    .into_any()
}

/// A request in full. The feed cuts bodies; the whole one is in the list once that is loaded again.
fn whole(request: &InboxRequestView) -> AnyView {
    let at = request.received_at;
    let first = format!("{}  at {}", model::request_line(request), words::time_of_day(at, offset_min(at)));
    let is_cut = request.truncated
        || (!request.body_is_base64
            && usize::try_from(request.body_bytes).is_ok_and(|bytes| bytes > request.body.len()));
    let cut = is_cut.then(|| view! { <p class="hint">"This is the start of it."</p> }.into_any());
    view! { <div class="request-body">{header_lines(first, request.headers.clone())}{body(request)}{cut}</div> }.into_any()
}

/// Its body, in the form in which it can be read best.
///
/// Three forms, by what it is: text as it came, JSON inside of a JSON string decoded, and bytes that are no
/// text in base64. The form in which it came is always there too.
fn body(request: &InboxRequestView) -> AnyView {
    let kind = if request.body_is_base64 { "Body, in base64 because it is not text" } else { "Body" };
    match postern_core::inbox::decoded(&request.body) {
        _ if request.body.is_empty() => view! { <p class="hint">"The body is empty."</p> }.into_any(),
        _ if request.body_text.is_some() => view! {
            <p class="hint">"Body, read in the charset that it declares"</p>
            {code_block("Body", request.body_text.clone().unwrap_or_default())}
            <details class="fold"><summary>"In base64, as it came"</summary>{code_block("Body in base64", request.body.clone())}</details>
        }
        .into_any(),
        // actinia sends its status so.
        Some(decoded) => view! {
            <p class="hint">"Body, decoded: it is JSON inside a JSON string"</p>
            {code_block("Decoded body", decoded)}
            <details class="fold"><summary>"As it came"</summary>{code_block("Body", request.body.clone())}</details>
        }
        .into_any(),
        None => view! { <p class="hint">{kind}</p>{code_block("Body", request.body.clone())} }.into_any(),
    }
}
