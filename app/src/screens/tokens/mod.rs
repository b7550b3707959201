//! The tokens of a project: who may do what. A secret is shown once, when it is made.
//!
//! A token can't be changed, only revoked, and that holds at once, also for connections that were opened with
//! it. So there is a question before it, where other deletions can be taken back.

mod model;

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;
use postern_core::token::Role;
use reactive_stores::Store;

use self::model::{Lifetime, TokenDraft, TokenDraftStoreFields};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self, offset_min, use_clock};
use crate::fetched::{Fetched, when};
use crate::ui::button::{Button, Look};
use crate::ui::code::code_block;
use crate::ui::dialog::Dialog;
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen. N opens the form of a new token.
///
/// The dialogs are part of the screen, not of a row: a row goes when the list is loaded again, and an open
/// question must not go with it.
#[component]
pub(crate) fn Tokens() -> AnyView {
    let project = use_project();
    let tokens = Fetched::new(move || project.tokens());
    let is_creating = RwSignal::new(false);
    use_shortcut("N", "New token", move || is_creating.set(true));
    let (is_asking, doomed) = (RwSignal::new(false), RwSignal::new(None::<TokenView>));
    let revoke = UnsyncCallback::new(move |token| {
        doomed.set(Some(token));
        is_asking.set(true);
    });
    let list =
        move || view! { <TokenTable tokens=tokens revoke=revoke is_creating=is_creating /> }.into_any();
    view! {
        <PageHead title="Tokens" about="Who may do what in this project">{new_button(is_creating)}</PageHead>
        {loaded(tokens, skeleton::rows, list)}
        <Dialog open=is_creating title="New token"><NewToken tokens=tokens /></Dialog>
        <Dialog open=is_asking title="Revoke this token?"><Revocation doomed=doomed is_asking=is_asking tokens=tokens /></Dialog>
    }
    .into_any()
}

/// The button that opens the form of a new token.
fn new_button(is_creating: RwSignal<bool>) -> AnyView {
    let press = move |()| is_creating.set(true);
    view! { <Button label="New token" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=press /> }
        .into_any()
}

/// The tokens, a row each; on a narrow screen each row is a card with the names of its columns in it.
#[component]
fn TokenTable(
    /// The tokens.
    tokens: Fetched<Page<TokenView>>,
    /// Asks whether a token is to be revoked.
    revoke: UnsyncCallback<TokenView>,
    /// Whether the form of a new token is open.
    is_creating: RwSignal<bool>,
) -> AnyView {
    (move || {
        let items = tokens.value.get().map(|page| page.items).unwrap_or_default();
        if items.is_empty() {
            return empty(
                Icon::Token,
                "No token yet",
                "A token lets a producer publish, an executor work on runs, or a person read or manage.",
                new_button(is_creating),
            );
        }
        let row = |token| view! { <TokenRow token=token revoke=revoke /> };
        view! {
            <div class="card scroll">
                <table role="table" class="list cards">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Token"</th>
                            <th role="columnheader" scope="col">"Role"</th>
                            <th role="columnheader" scope="col" class="number">"Last used"</th>
                            <th role="columnheader" scope="col" class="number">"Expires"</th>
                            <th role="columnheader" scope="col" class="number">"Created"</th>
                            <th role="columnheader" scope="col" class="number">"Actions"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{items.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    })
    .into_any()
}

/// One token: who uses it, what it may do, when it was last used, and until when it can be. Times are told
/// against the clock of the page, so they stay right while the screen is open.
#[component]
fn TokenRow(
    /// The token.
    token: TokenView,
    /// Asks whether it is to be revoked.
    revoke: UnsyncCallback<TokenView>,
) -> AnyView {
    let clock = use_clock();
    let asked = token.clone();
    let (created_at, used_at, expires_at) = (token.created_at, token.last_used_at, token.expires_at);
    let used = move || model::used_words(clock.now(), used_at);
    let expires = move || model::expiry_words(clock.now(), expires_at, offset_min);
    let created = move || words::ago(clock.now(), created_at);
    let ask = move |()| revoke.run(asked.clone());
    view! {
        <tr role="row">
            <td role="cell" class="main-cell"><b>{token.name.clone()}</b><span class="mono faint clip">{token.id}</span></td>
            <td role="cell" data-label="Role">{token.role.as_str()}<span class="faint clip">{token.role.about()}</span></td>
            <td role="cell" class="number faint" data-label="Last used">{move || used()}</td>
            <td role="cell" class="number faint" data-label="Expires">{move || expires()}</td>
            <td role="cell" class="number faint" data-label="Created">{move || created()}</td>
            <td role="cell" class="number"><Button label="Revoke" about=token.name on_press=ask /></td>
        </tr>
    }
    .into_any()
}

/// The question before a token is revoked, which can't be undone. It closes as soon as it is answered; what
/// came of it is said in the corner.
#[component]
fn Revocation(
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

/// The form of a new token; once it is made, its secret in the place of the form. Closing the dialog forgets
/// the secret: the content of a dialog is made anew each time it is opened.
#[component]
fn NewToken(
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
