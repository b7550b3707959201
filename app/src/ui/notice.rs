//! Words in a box: what is empty and how to fill it, what a call refused, why a delivery stands where it stands.

use crate::dom::{CollectView, View, part, view};
use crate::state::RwSignal;

use super::badge::Tone;
use super::icon::{Icon, glyph};
use crate::api::ApiFailure;

/// Nothing here yet: what it would hold, and the button that fills it.
pub(crate) fn empty(icon: Icon, headline: &'static str, advice: &'static str, action: View) -> View {
    view! {
        <div class="empty">
            {glyph(icon)}
            <h2>{headline}</h2>
            <p>{advice}</p>
            {action}
        </div>
    }
}

/// A headline and what follows from it.
pub(crate) fn notice(tone: Tone, headline: String, advice: String) -> View {
    let advice = (!advice.is_empty()).then(|| view! { <p>{advice}</p> });
    view! {
        <div class=format!("notice {}", tone.class())>
            <p class="headline">{headline}</p>
            {advice}
        </div>
    }
}

/// Why a form was not accepted, announced when it appears. Faults that stand beside their fields are not repeated.
pub(crate) fn refusal(failure: RwSignal<Option<ApiFailure>>) -> View {
    let content = move || {
        failure.get().map(|failure| {
            let faults =
                failure.faults().iter().map(|fault| view! { <li><code>{fault.pointer.clone()}</code>" "{fault.detail.clone()}</li> });
            let faults = (failure.faults().len() > 1).then(|| view! { <ul>{faults.collect_view()}</ul> });
            view! { <div class="notice bad"><p class="headline">{failure.headline()}</p><p>{failure.advice()}</p>{faults}</div> }
        })
    };
    view! { <div role="alert">{part(content)}</div> }
}
