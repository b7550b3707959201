//! The form of a new token, and the one sight of its secret.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;
use postern_core::token::Role;
use reactive_stores::Store;

use super::model::{self, Lifetime, TokenDraft, TokenDraftStoreFields};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self};
use crate::fetched::Fetched;
use crate::ui::code::code_block;
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete};
use crate::ui::notice::refusal;

/// The form of a new token; once it is made, its secret in the place of the form. Closing the dialog forgets
/// the secret: the content of a dialog is made anew each time it is opened.
#[component]
pub(super) fn NewToken(
    /// The tokens, which are loaded again.
    tokens: Fetched<Page<TokenView>>,
) -> AnyView {
    let secret = RwSignal::new(None::<String>);
    (move || match secret.get() {
        Some(secret) => view! {
            <p><b>"It is shown only now."</b>" Keep it somewhere safe; only its hash is stored."</p>
            {code_block("Token", secret)}
        }
        .into_any(),
        None => view! { <TokenForm tokens=tokens secret=secret /> }.into_any(),
    })
    .into_any()
}

/// The form itself. The role that can do the least is chosen until somebody chooses another one.
#[component]
fn TokenForm(
    /// The tokens, which are loaded again.
    tokens: Fetched<Page<TokenView>>,
    /// Takes the secret of the token that was made.
    secret: RwSignal<Option<String>>,
) -> AnyView {
    let project = use_project();
    let draft = Store::new(TokenDraft::default());
    let faults = Memo::new(move |_| draft.with(|draft| draft.faults(clock::now())));
    let (is_sent, sending, failure) =
        (RwSignal::new(false), Sending::new(), RwSignal::new(None::<ApiFailure>));
    let fault =
        fault_when(faults, "name", move || is_sent.get() || draft.name().with(|name| !name.is_empty()));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        if !is_complete(faults, IN_DIALOG) {
            return;
        }
        failure.set(None);
        let body = draft.with_untracked(|draft| draft.body(clock::now()));
        sending.send(project.create_token(&body), move |answer| match answer {
            Ok(created) => {
                tokens.reload();
                secret.set(Some(created.secret));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let roles = model::ROLES.map(|role| (role.as_str(), role.as_str(), role.about())).to_vec();
    let lifetimes =
        Lifetime::ALL.map(|lifetime| (lifetime.as_str(), lifetime.words().0, lifetime.words().1)).to_vec();
    let role = Bound::from(draft.role()).by_name(Role::as_str, Role::parse);
    let lifetime = Bound::from(draft.lifetime()).by_name(Lifetime::as_str, Lifetime::parse);
    view! {
        <form on:submit=submit novalidate=true>
            <TextField label="Name" value=draft.name() first=true hint="Who or what uses it, such as shop-backend" fault=fault />
            <Choice label="Role" value=role options=roles />
            <Choice label="Lifetime" value=lifetime options=lifetimes />
            {refusal(failure)}
            <div class="dialog-foot"><Submit label="Create token" sending=sending /></div>
        </form>
    }
    .into_any()
}
