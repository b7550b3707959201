//! The event types that a webhook asks for, in short.

use leptos::prelude::*;

/// What a webhook listens to: the first two patterns, and how many more.
pub(crate) fn event_codes(events: &[String]) -> AnyView {
    let code = |pattern: &String| view! { <code class="clip">{pattern.clone()}</code> }.into_any();
    let more = events.len().saturating_sub(2);
    view! {
        <span class="codes">
            {events.iter().take(2).map(code).collect_view()}
            {(more > 0).then(|| view! { <span class="faint">{format!("+{more}")}</span> }.into_any())}
        </span>
    }
    .into_any()
}
