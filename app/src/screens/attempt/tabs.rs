//! The tabs of one attempt.

use leptos::prelude::*;
use postern_core::api::delivery::AttemptView;
use postern_core::api::event::EventView;
use postern_core::credential::HIDDEN;

use super::event::event_facts;
use super::model::{self, Change};
use crate::ui::code::{code_block, header_lines};
use crate::ui::tabs::{Tab, tabs};
use crate::words;

/// The tabs of `attempt`. `chosen` keeps the open one while attempts change. The difference is offered where
/// there is an attempt `before`, the event where somebody has it.
///
/// A tab that was open and is not offered for another attempt gives way to the first one.
pub(crate) fn attempt_tabs(
    chosen: RwSignal<&'static str>,
    attempt: AttemptView,
    before: Option<AttemptView>,
    event: Option<EventView>,
) -> AnyView {
    let (sent, received) = (attempt.clone(), attempt.clone());
    let mut all = vec![
        Tab { key: "request", label: String::from("Request"), panel: Box::new(move || request(&sent)) },
        Tab {
            key: "response",
            label: String::from("Response"),
            panel: Box::new(move || response(&received)),
        },
    ];
    if let Some(before) = before {
        all.push(Tab {
            key: "difference",
            label: format!("Difference to attempt {}", before.attempt.number),
            panel: Box::new(move || difference(&before, &attempt)),
        });
    }
    if let Some(event) = event {
        all.push(Tab {
            key: "event",
            label: String::from("Event"),
            panel: Box::new(move || event_facts(&event)),
        });
    }
    tabs("Attempt", chosen, all)
}

/// Which request or background run of Postern made the call: what its logs are searched for.
///
/// An attempt from before Postern wrote that down has none, and nothing is said.
fn made_by(attempt: &AttemptView) -> AnyView {
    let id = attempt.attempt.request_id.clone();
    id.map(|id| {
        view! { <p class="hint">"Made by request "<code>{id}</code>", as the logs name it"</p> }.into_any()
    })
    .into_any()
}

/// What was sent, with the values of protected headers left out. The body is shown exactly as it was signed,
/// so that a signature can be checked with what is copied from here.
fn request(attempt: &AttemptView) -> AnyView {
    let Some(request) = &attempt.attempt.request else {
        return view! { <p class="about">"Nothing was sent."</p>{made_by(attempt)} }.into_any();
    };
    let shown = |(name, value): &(String, String)| {
        let value = if value == HIDDEN { format!("{HIDDEN} (protected)") } else { value.clone() };
        (name.clone(), value)
    };
    let first = format!("{}  {}", model::request_line(&request.url), model::host(&request.url));
    let body = attempt.request_body.clone().unwrap_or_default();
    view! {
        {header_lines(first, request.headers.iter().map(shown).collect())}
        <p class="hint">{format!("Body, {}, exactly as signed when copied", words::bytes(request.body_bytes.into()))}</p>
        {code_block("Request body", body)}
        {made_by(attempt)}
    }
    .into_any()
}

/// What came back, as much of it as is kept. It says where something was left out: a person must not take the
/// part for the whole.
fn response(attempt: &AttemptView) -> AnyView {
    let Some(response) = &attempt.attempt.response else {
        return view! { <p class="about">{format!("No answer: {}.", attempt.reason.headline)}</p> }
            .into_any();
    };
    let body = if response.body.is_empty() {
        view! { <p class="hint">"The body is empty."</p> }.into_any()
    } else {
        code_block("Response body", response.body.clone())
    };
    let left_out = (response.headers_left_out > 0).then(|| {
        view! { <p class="hint">{format!("{} more of its headers were too long to be kept.", response.headers_left_out)}</p> }.into_any()
    });
    // Where the body broke off, the reason says so.
    let is_cut = response.truncated && response.body_note.is_none();
    let cut = is_cut
        .then(|| view! { <p class="hint">"The answer was longer; only its start is read."</p> }.into_any());
    let base64 = response
        .body_is_base64
        .then(|| view! { <p class="hint">"Body, in base64 because it is not text"</p> }.into_any());
    view! {
        {header_lines(model::status_line(response), response.headers.clone())}
        {left_out}
        {base64}
        {body}
        {cut}
    }
    .into_any()
}

/// The lines of two attempts; those of one of them only are marked, by a sign as well as by a colour.
///
/// It compares headers and bodies as text, JSON laid out before: what a person would point at when asked why
/// the second attempt worked.
fn difference(before: &AttemptView, after: &AttemptView) -> AnyView {
    let line = |(change, text): (Change, String)| {
        let (class, sign) = match change {
            Change::Same => ("line", "  "),
            Change::Gone => ("line gone", "− "),
            Change::New => ("line new", "+ "),
        };
        view! { <span class=class>{sign}{text}"\n"</span> }.into_any()
    };
    let lines = model::difference(&model::text_of(before), &model::text_of(after))
        .into_iter()
        .map(line)
        .collect_view();
    view! { <div class="code"><pre tabindex="0" role="group" aria-label="Difference">{lines}</pre></div> }
        .into_any()
}
