//! The event that an attempt carried.

use leptos::prelude::*;
use postern_core::api::event::EventView;

use crate::ui::code::code_block;

/// An event with its data, as far as it has it: what was not given with it is left out.
pub(crate) fn event_facts(event: &EventView) -> AnyView {
    let object = event.object.as_ref().map(|object| {
        let version = object.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        view! { <div><dt>"Object"</dt><dd>{format!("{} {}{version}", object.kind, object.name)}</dd></div> }
            .into_any()
    });
    let key = event.idempotency_key.clone();
    let key =
        key.map(|key| view! { <div><dt>"Idempotency key"</dt><dd class="mono">{key}</dd></div> }.into_any());
    let order = event.order_key.clone();
    let order = order
        .map(|key| view! { <div><dt>"Order key"</dt><dd class="mono break">{key}</dd></div> }.into_any());
    let label = |(key, value): (&String, &String)| {
        view! { <code class="break">{format!("{key}: {value}")}</code> }.into_any()
    };
    let labels = (!event.labels.is_empty()).then(|| {
        view! { <div><dt>"Labels"</dt><dd><span class="codes">{event.labels.iter().map(label).collect_view()}</span></dd></div> }.into_any()
    });
    let data = event.data.as_ref().map(|data| code_block("Event data", String::from(data.get())));
    view! {
        <dl class="facts">
            <div><dt>"Type"</dt><dd class="mono">{event.kind.clone()}</dd></div>
            <div><dt>"Id"</dt><dd class="mono">{event.id.clone()}</dd></div>
            {object}
            {key}
            {order}
            {labels}
        </dl>
        {data}
    }
    .into_any()
}
