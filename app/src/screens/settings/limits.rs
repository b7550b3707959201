//! What the deployment lets the project hold and be asked for, and how much of it is used.

use leptos::prelude::*;
use postern_core::api::project::ProjectDetail;
use postern_core::quota::QuotaUse;

use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::quota;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::notice::notice;

/// The limits, with their use when the screen was opened; nothing from a server that does not say them.
///
/// A limit that is nearly used up is marked here and said on the overview. What the project had to give up
/// early, because its store was full, is said above the list.
pub(super) fn limits(detail: Fetched<ProjectDetail>) -> AnyView {
    let uses = Memo::new(move |_| {
        detail.value.with(|detail| detail.as_ref().map(|detail| detail.quotas.clone()).unwrap_or_default())
    });
    let aged = Memo::new(move |_| {
        detail.value.with(|detail| detail.as_ref().and_then(|detail| quota::aged(detail, offset_min)))
    });
    let row = |of: &QuotaUse| {
        let near =
            of.is_nearly_used_up().then(|| view! { " "{badge_of(Tone::Busy, "Nearly used up")} }.into_any());
        view! {
            <div>
                <dt>{quota::name(of.quota)}</dt>
                <dd>{quota::use_words(of)}{near}</dd>
            </div>
        }
        .into_any()
    };
    let content = move || {
        let uses = uses.get();
        (!uses.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="limits">
                    <h2 class="card-head" id="limits">"Limits"</h2>
                    <p class="pad about">"Set by the operator of this deployment. What exceeds a limit is \
                                          refused; what exists goes on."</p>
                    {move || aged.get().map(|of| notice(Tone::Busy, of.headline, of.advice))}
                    <dl class="facts">{uses.iter().map(row).collect_view()}</dl>
                </section>
            }
            .into_any()
        })
    };
    content.into_any()
}
