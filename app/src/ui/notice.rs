//! Words in a box: what is empty and how to fill it, what a call refused, why a delivery stands where it
//! stands.

use super::badge::Tone;
use super::icon::{Icon, glyph};
use crate::api::ApiFailure;
use leptos::prelude::*;

/// Nothing here yet: what it would hold, and the button that fills it. `action` may be empty where there is
/// nothing to press.
///
/// An empty list always says what it is for, and what to do next: it is the first that a newcomer sees of it.
pub(crate) fn empty(icon: Icon, headline: &'static str, advice: &'static str, action: AnyView) -> AnyView {
    view! {
        <div class="empty">
            {glyph(icon)}
            <h2>{headline}</h2>
            <p>{advice}</p>
            {action}
        </div>
    }
    .into_any()
}

/// A headline and what follows from it; without advice, the headline alone.
pub(crate) fn notice(tone: Tone, headline: String, advice: String) -> AnyView {
    let advice = (!advice.is_empty()).then(|| view! { <p>{advice}</p> }.into_any());
    view! {
        <div class=format!("notice {}", tone.class())>
            <p class="headline">{headline}</p>
            {advice}
        </div>
    }
    .into_any()
}

/// Why a form was not accepted, announced when it appears. Faults that stand beside their fields are not
/// repeated.
///
/// The place is there from the start and empty, so that what appears in it is announced. One fault alone is
/// in the advice already; several are listed with their places.
pub(crate) fn refusal(failure: RwSignal<Option<ApiFailure>>) -> AnyView {
    let content = move || {
        failure.get().map(|failure| {
            let faults = failure
                .faults()
                .iter()
                .map(|fault| view! { <li><code>{fault.pointer.clone()}</code>" "{fault.detail.clone()}</li> }.into_any());
            let faults = (failure.faults().len() > 1).then(|| view! { <ul>{faults.collect_view()}</ul> }.into_any());
            view! { <div class="notice bad"><p class="headline">{failure.headline()}</p><p>{failure.advice()}</p>{faults}</div> }.into_any()
        })
    };
    view! { <div role="alert">{move || content()}</div> }.into_any()
}
