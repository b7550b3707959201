//! The screen: the tokens.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;

use super::model;
use super::new::NewToken;
use super::revocation::Revocation;
use crate::api::use_project;
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
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
