//! The screen: a search, and the operations that fit it.

use leptos::prelude::*;
use postern_core::route::DESCRIPTION_PATH;

use super::model;
use super::operation::group;
use crate::api::use_api;
use crate::fetched::Fetched;
use crate::ui::button::Button;
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;

/// The screen: a search over method, path and words, and the operations that fit, in the groups of the
/// document.
///
/// The document is one file of some hundred kilobytes, loaded with this screen only and read once. A document
/// that cannot be read shows as one without operations.
#[component]
pub(crate) fn Reference() -> AnyView {
    let api = use_api();
    let description = Fetched::new(move || api.description());
    let groups = Memo::new(move |_| {
        description.value.with(|text| text.as_deref().and_then(model::read).unwrap_or_default())
    });
    let typed = RwSignal::new(String::new());
    let list = move || {
        let fitting = groups.with(|groups| typed.with(|typed| model::fitting(groups, typed)));
        if fitting.is_empty() {
            let clear =
                view! { <Button label="Show all" on_press=move |()| typed.set(String::new()) /> }.into_any();
            return empty(
                Icon::Search,
                "No operation has these words",
                "Try a word of the path, such as webhooks, or a method.",
                clear,
            );
        }
        fitting.into_iter().map(group).collect_view().into_any()
    };
    view! {
        <PageHead title="API reference" about="Every operation, to read and to try">
            <a class="button" href=DESCRIPTION_PATH download="openapi.json">
                {glyph(Icon::Export)}
                <span class="label">"OpenAPI document"</span>
            </a>
        </PageHead>
        <div class="toolbar" role="search">
            <label class="search">
                {glyph(Icon::Search)}
                <span class="for-ear">"Filter operations"</span>
                <input
                    type="search"
                    placeholder="Method, path or words"
                    autocomplete="off"
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </label>
        </div>
        {loaded(description, skeleton::rows, move || list.into_any())}
    }
    .into_any()
}
