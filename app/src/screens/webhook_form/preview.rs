//! The callback that the form would make, beside it: made by the code that makes callbacks, of an event of
//! the catalogue.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::webhook::Definition;
use reactive_stores::Store;

use super::model::{self, Preview, Verdict, WebhookDraft, WebhookDraftStoreFields};
use crate::browser::clock;
use crate::fetched::Fetched;
use crate::screens::events::model::example_of;
use crate::ui::code::{code_block, header_lines};

/// The exact callback, once the form fits. Its time is that at which the form was opened, so that the
/// signature does not change while nothing else does.
#[component]
pub(super) fn PreviewPane(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What the edge would say of it.
    verdict: Memo<Verdict>,
    /// The catalogue, whose examples are shown as the event's data.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let opened_at = clock::now();
    let preview = Memo::new(move |_| {
        verdict.with(|verdict| match verdict {
            Verdict::Fits(definition, choice) => {
                let mode = draft.secret_mode().get();
                let example = |kind: &str| types.value.with(|types| example_of(types.as_ref(), kind));
                model::preview(Definition::clone(definition), *choice, mode, example, opened_at)
            }
            Verdict::Refused(_) => None,
        })
    });
    let content = move || preview.get().map_or_else(nothing_yet, callback);
    view! { <aside class="preview" aria-label="Preview">{move || content()}</aside> }.into_any()
}

/// What stands there while the form does not fit.
fn nothing_yet() -> AnyView {
    view! {
        <div class="card pad">
            <h2>"What will be sent"</h2>
            <p class="about">"Once name, URL and events fit, the exact callback is shown here."</p>
        </div>
    }
    .into_any()
}

/// The callback, and how its signature will differ.
fn callback(preview: Preview) -> AnyView {
    let hint = |words: &'static str| view! { <p class="hint">{words}</p> }.into_any();
    let sample = preview
        .is_sample_signed
        .then(|| hint("Signed with a sample secret here, with the webhook's own when it is sent."));
    let later = preview
        .is_signed_later
        .then(|| hint("The signature (v1a, ed25519) is made when it is sent: it is not shown here."));
    view! {
        <div class="card pad">
            <h2>"What will be sent"</h2>
            <p class="about">"For an event "<code>{preview.kind}</code></p>
            {header_lines(String::from("POST"), preview.headers)}
            {code_block("Body", preview.body)}
            {sample}
            {later}
        </div>
    }
    .into_any()
}
