//! The question before a token is revoked.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;

use crate::api::use_project;
use crate::fetched::{Fetched, when};
use crate::ui::button::{Button, Look};
use crate::ui::toast::use_toasts;

/// The question before a token is revoked, which can't be undone. It closes as soon as it is answered; what
/// came of it is said in the corner.
#[component]
pub(super) fn Revocation(
    /// The token that it is about.
    doomed: RwSignal<Option<TokenView>>,
    /// Whether it is asked.
    is_asking: RwSignal<bool>,
    /// The tokens, which are loaded again.
    tokens: Fetched<Page<TokenView>>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let revoke = move |()| {
        let Some(token) = doomed.get_untracked() else { return };
        is_asking.set(false);
        when(project.revoke_token(&token.id), move |answer| match answer {
            Ok(()) => {
                toasts.say(format!("{} revoked", token.name));
                tokens.reload();
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let name = move || doomed.with(|token| token.as_ref().map(|token| token.name.clone()));
    view! {
        <p><b>{move || name()}</b>" stops working at once, everywhere. This cannot be undone."</p>
        <div class="dialog-foot">
            <Button label="Revoke token" look=Look::Danger on_press=revoke />
            <Button label="Keep it" on_press=move |()| is_asking.set(false) />
        </div>
    }
    .into_any()
}
