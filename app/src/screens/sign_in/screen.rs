//! The screen: a token that is pasted.

use leptos::prelude::*;

use super::verdict::{opens_dashboard, said, too_little};
use crate::api::Api;
use crate::browser::location;
use crate::fetched::{effect, when};
use crate::session::use_session;
use crate::ui::button::{Button, Look};
use crate::ui::field::TextField;
use crate::ui::icon::{Icon, glyph};

/// The screen. It stands in the place of whatever the address names, so that one is there after signing in.
#[component]
pub(crate) fn SignIn() -> AnyView {
    let session = use_session();
    let token = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let fault = RwSignal::new(None::<String>);
    effect(|| location::set_title("Sign in · Postern"));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = String::from(token.get_untracked().trim());
        if typed.is_empty() {
            fault.set(Some(String::from("Paste a token first.")));
            return;
        }
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        when(Api::whose(typed.clone()), move |answer| {
            match answer {
                Ok(identity) if opens_dashboard(&identity) => session.sign_in(&typed),
                Ok(identity) => fault.set(Some(too_little(&identity))),
                Err(failure) => fault.set(Some(said(&failure))),
            }
            // The screen is gone if it worked.
            busy.set(false);
        });
    };
    let refused = move || {
        let words = "The token is no longer valid. Sign in again.";
        session.was_refused().then(|| view! { <p class="notice busy" role="alert">{words}</p> }.into_any())
    };
    let label = Signal::derive(move || String::from(if busy.get() { "Signing in…" } else { "Sign in" }));
    view! {
        <main id="main" class="sign-in">
            <div class="card pad">
                <span class="brand">{glyph(Icon::Logo)}<span>"Postern"</span></span>
                <h1 tabindex="-1">"Sign in"</h1>
                <p class="about">"Webhooks: make them, watch them arrive, know why when they do not."</p>
                {move || refused()}
                <form on:submit=submit novalidate=true>
                    <TextField
                        label="Token"
                        value=token
                        kind="password"
                        mono=true
                        first=true
                        hint="A project token (pst_…), or the ADMIN_TOKEN of this deployment. It stays in this tab."
                        fault=fault
                    />
                    <Button label=label look=Look::Primary submits=true disabled=busy />
                </form>
                <p class="hint">"In development, "<code>"cargo xtask dev"</code>" prints a link that signs you in."</p>
            </div>
        </main>
    }
    .into_any()
}
