//! The tokens of a project: who may do what. A secret is shown once, when it is made.

use crate::dom::{CollectView, View, hears, part, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::token::TokenView;
use postern_core::fault::InputFault;
use postern_core::time::Timestamp;
use postern_core::token::{self, Role};
use serde_json::{Value, json};

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self, offset_min, use_clock};
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::ui::button::{Button, Look};
use crate::ui::code::code_block;
use crate::ui::dialog::Dialog;
use crate::ui::field::{Choice, TextField};
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen.
#[component]
pub(crate) fn Tokens() -> View {
    let (project, toasts, clock) = (use_project(), use_toasts(), use_clock());
    let tokens = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.tokens()
        }
    });
    let is_creating = RwSignal::new(false);
    use_shortcut("N", "New token", move || is_creating.set(true));
    let new_button = move || {
        view! { <Button label="New token" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=move |()| is_creating.set(true) /> }
    };
    let doomed = RwSignal::new(None::<TokenView>);
    let is_asking = RwSignal::new(false);
    let revoke = move || {
        let Some(token) = doomed.get_untracked() else { return };
        is_asking.set(false);
        let project = project.clone();
        when(project.revoke_token(&token.id), move |answer| match answer {
            Ok(()) => {
                toasts.say(format!("{} revoked", token.name));
                tokens.reload();
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let revoke = StoredValue::new_local(revoke);
    let row = move |token: TokenView| {
        let (at, used, expires, asked) = (token.created_at, token.last_used_at, token.expires_at, token.clone());
        let ask = move || {
            doomed.set(Some(asked.clone()));
            is_asking.set(true);
        };
        view! {
            <tr role="row">
                <td role="cell" class="main-cell"><b>{token.name.clone()}</b><span class="mono faint clip">{token.id.clone()}</span></td>
                <td role="cell" data-label="Role">{String::from(token.role.as_str())}<span class="faint clip">{token.role.about()}</span></td>
                <td role="cell" class="number faint" data-label="Last used">{part(move || used.map_or_else(|| String::from("never"), |used| words::ago(clock.now(), used)))}</td>
                <td role="cell" class="number faint" data-label="Expires">{part(move || expiry_words(clock.now(), expires))}</td>
                <td role="cell" class="number faint" data-label="Created">{part(move || words::ago(clock.now(), at))}</td>
                <td role="cell" class="number"><Button label="Revoke" about=token.name on_press=move |()| ask() /></td>
            </tr>
        }
    };
    let list = move || {
        let items = tokens.value.get().map(|page| page.items).unwrap_or_default();
        if items.is_empty() {
            return empty(
                Icon::Token,
                "No token yet",
                "A token lets a producer publish, an executor work on runs, or a person read or manage.",
                new_button(),
            );
        }
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
    };
    let doomed_name = move || doomed.with(|token| token.as_ref().map(|token| token.name.clone()));
    view! {
        <PageHead title="Tokens" about="Who may do what in this project">{new_button()}</PageHead>
        {loaded(tokens, skeleton::rows, move || part(list))}
        <Dialog open=is_creating title="New token"><NewToken done=move || tokens.reload() /></Dialog>
        <Dialog open=is_asking title="Revoke this token?">
            <p><b>{part(doomed_name)}</b>" stops working at once, everywhere. This cannot be undone."</p>
            <div class="dialog-foot">
                <Button label="Revoke token" look=Look::Danger on_press=move |()| revoke.with_value(|revoke| revoke()) />
                <Button label="Keep it" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
}

/// When a token stops, in words.
fn expiry_words(now: Timestamp, expires_at: Option<Timestamp>) -> String {
    match expires_at {
        None => String::from("never"),
        Some(at) if at <= now => String::from("expired"),
        Some(at) => words::date_time(at, offset_min(at)),
    }
}

/// The roles in the order in which they are offered: what most tokens need first, what few should have last.
const ROLES: [Role; 4] = [Role::Publish, Role::Execute, Role::Read, Role::Manage];

/// For how many days a new token may be used: value of the choice, words, hint.
const LIFETIMES: [(&str, &str, &str); 4] = [
    ("0", "no end", "until somebody revokes it"),
    ("30", "30 days", "for something that ends"),
    ("90", "90 days", "where tokens are replaced each quarter"),
    ("365", "a year", "where they are replaced each year"),
];

/// The body that makes a token.
fn body_of(name: &str, role: &str, days: &str, now: Timestamp) -> Value {
    let mut body = json!({ "name": name.trim(), "role": role });
    if let Some(days) = days.parse::<i64>().ok().filter(|days| *days > 0) {
        body["expires_at"] = json!(now.plus_ms(days * 86_400_000));
    }
    body
}

#[component]
fn NewToken(
    /// Called when a token was made.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> View {
    let project = use_project();
    let (name, role) = (RwSignal::new(String::new()), RwSignal::new(String::from(Role::Publish.as_str())));
    let failure = RwSignal::new(None::<ApiFailure>);
    let secret = RwSignal::new(None::<String>);
    let (is_sent, sending) = (RwSignal::new(false), Sending::new());
    let days = RwSignal::new(String::from("0"));
    let body = move || body_of(&name.get(), &role.get(), &days.get(), clock::now());
    let faults = Memo::new(move || match token::create(&body().to_string(), clock::now()) {
        Err(InputFault::Invalid(faults)) => faults.into_named(),
        Ok(_) | Err(InputFault::Malformed(_)) => Vec::new(),
    });
    let fault = fault_when(faults, "name", move || is_sent.get() || name.with(|name| !name.is_empty()));
    let options = ROLES.map(|role| (role.as_str(), role.as_str(), role.about())).to_vec();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        if !is_complete(faults, IN_DIALOG) {
            return;
        }
        failure.set(None);
        sending.send(project.create_token(&untrack(body)), move |answer| match answer {
            Ok(created) => {
                done();
                secret.set(Some(created.secret));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let submit = StoredValue::new_local(submit);
    part(move || match secret.get() {
        Some(secret) => view! {
            <p><b>"It is shown only now."</b>" Keep it somewhere safe; only its hash is stored."</p>
            {code_block("Token", secret)}
        },
        None => view! {
            <form on:submit=hears(move |event| submit.with_value(|submit| submit(event))) novalidate=true>
                <TextField label="Name" value=name first=true hint="Who or what uses it, such as shop-backend" fault=fault />
                <Choice label="Role" value=role options=options.clone() />
                <Choice label="Lifetime" value=days options=LIFETIMES.to_vec() />
                {refusal(failure)}
                <div class="dialog-foot"><Submit label="Create token" sending=sending /></div>
            </form>
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_without_an_end_says_nothing_of_one() {
        let now = Timestamp(1_795_270_051_204);
        assert_eq!(body_of(" ci ", "read", "0", now), json!({"name": "ci", "role": "read"}));
        let month = body_of("ci", "read", "30", now);
        assert_eq!(month["expires_at"], json!("2026-12-21T14:07:31.204Z"));
        assert!(token::create(&month.to_string(), now).is_ok());
    }

    #[test]
    fn every_role_is_offered_once() {
        let mut offered = ROLES.map(Role::as_str);
        let mut all = Role::ALL.map(Role::as_str);
        offered.sort_unstable();
        all.sort_unstable();
        assert_eq!(offered, all);
    }

    #[test]
    fn an_expiry_is_told_in_words() {
        let now = Timestamp(1_795_270_051_204);
        assert_eq!(expiry_words(now, None), "never");
        assert_eq!(expiry_words(now, Some(now)), "expired");
    }
}
