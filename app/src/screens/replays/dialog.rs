//! The dialog of a new replay, on the screen of deliveries.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::replay::ReplayView;

use super::form::ReplayForm;
use super::model::Kind;
use crate::fetched::{Fetched, effect};
use crate::nav::use_nav;
use crate::ui::dialog::Dialog;

/// The values of the address that belong to the dialog, and to nothing else on its screen. The time of missed
/// events is one of them; that of deliveries is what their list is searched by.
fn own_values(kind: &str) -> &'static [&'static str] {
    if Kind::parse(kind) == Some(Kind::Missing) { &["replay", "since", "until"] } else { &["replay"] }
}

/// The dialog: open as long as the address has `replay`. So a link opens it, Back closes it, and a reload
/// keeps it open; closed, it takes its values out of the address.
#[component]
pub(crate) fn ReplayDialog(
    /// Takes in what was started.
    list: Fetched<Page<ReplayView>>,
    /// The names of the project's webhooks.
    webhooks: Signal<Vec<String>>,
) -> AnyView {
    let nav = use_nav();
    let is_open = RwSignal::new(nav.query_now().value("replay").is_some());
    // Opened by a link, or closed by Back: the dialog follows.
    effect(move || {
        let wanted = nav.value("replay").is_some();
        if is_open.get_untracked() != wanted {
            is_open.set(wanted);
        }
    });
    // Closed by hand: the address follows.
    effect(move || {
        let is_closed = !is_open.get();
        if let Some(kind) = nav.query_now().value("replay").filter(|_| is_closed) {
            let rest = own_values(&kind).iter().fold(nav.query_now(), |query, key| query.with(key, None));
            nav.filter_by(&rest);
        }
    });
    view! { <Dialog open=is_open title="Replay" class="wide"><ReplayForm list=list webhooks=webhooks is_open=is_open /></Dialog> }
        .into_any()
}
