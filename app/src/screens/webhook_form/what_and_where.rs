//! The first part of the form: the webhook's name, where it calls, and how its callbacks look.
//!
//! The URL is judged while it is typed, by the egress policy of the deployment. The edge judges it again when
//! it is saved, and before each call.

use leptos::prelude::*;
use postern_core::api::inbox::InboxView;
use postern_core::problem::ProblemType;
use postern_core::webhook::Contract;
use reactive_stores::Store;
use serde_json::json;

use super::model::{self, FormField, Purpose, WebhookDraft, WebhookDraftStoreFields};
use super::said::Said;
use crate::api::{Answer, ProjectApi, use_project};
use crate::browser::clock;
use crate::deployment::use_policy;
use crate::fetched::spawn;
use crate::ui::button::Button;
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;

/// The contracts: name, words, and what distinguishes each.
const CONTRACTS: [(&str, &str, &str); 3] = [
    (
        Contract::Standard.as_str(),
        "Standard Webhooks",
        "type, timestamp and data as JSON; signed; 2xx is delivered",
    ),
    (Contract::Ubiops.as_str(), "UbiOps", "UbiOps' own payload; 2xx and 3xx are delivered"),
    (Contract::Up42.as_str(), "UP42", "event and body as JSON, with UP42's own signature; 2xx is delivered"),
];

/// Name, URL with the verdict of the egress policy, and contract.
///
/// The verdict is announced. A URL that may not be called is a fault of its field at once, because waiting
/// would not make it better; one that is missing is a fault only once the form was sent.
#[component]
pub(super) fn WhatAndWhere(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
    /// What the form is for.
    purpose: Purpose,
) -> AnyView {
    let policy = use_policy();
    let egress =
        Memo::new(move |_| draft.url().with(|url| policy.with(|policy| model::egress_words(url, policy))));
    let is_empty = Memo::new(move |_| draft.url().with(|url| url.trim().is_empty()));
    let verdict = move || {
        let class = if is_empty.get() { "hint" } else { "verdict" };
        egress.get().ok().map(|words| view! { <p class=class role="status">{words}</p> }.into_any())
    };
    let url_fault = Signal::derive(move || {
        let missing = (is_empty.get() && said.is_sent()).then(|| String::from("Say where to call."));
        egress.get().err().or(missing)
    });
    let choose = move |contract| draft.update(|draft| draft.choose_contract(contract, purpose));
    let contract = Bound::new(draft.contract(), choose).by_name(Contract::as_str, Contract::parse);
    view! {
        <fieldset>
            <legend>"What and where"</legend>
            <TextField
                label="Name"
                value=draft.name()
                first=true
                hint="Unique in this project, such as orders-to-billing"
                fault=said.fault(FormField::Name)
                on_leave=said.leave(FormField::Name)
            />
            <TextField label="URL" value=draft.url() kind="url" mono=true placeholder="https://example.com/hooks" fault=url_fault />
            {move || verdict()}
            <NewInbox draft=draft />
            <Choice label="Contract" value=contract options=CONTRACTS.to_vec() />
        </fieldset>
    }
    .into_any()
}

/// The button that makes an inbox and calls there: a receiver for people who have none yet. It is named after
/// the webhook, as far as that has a name.
#[component]
fn NewInbox(
    /// The form, whose URL becomes that of the inbox.
    draft: Store<WebhookDraft>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let make = move || {
        let made =
            make_inbox(project.clone(), model::inbox_name(&draft.name().get_untracked(), clock::now()));
        spawn(async move {
            match made.await {
                Ok(inbox) => {
                    draft.url().set(inbox.url);
                    toasts.say(format!("Inbox {} made; callbacks will go there", inbox.name));
                }
                Err(refused) => toasts.complain(refused.to_string()),
            }
        });
    };
    view! {
        <div class="beside">
            <Button label="Use a new inbox" icon=Icon::Inbox on_press=move |()| make() />
            <span class="hint">"No receiver yet? An inbox records what arrives."</span>
        </div>
    }
    .into_any()
}

/// Makes an inbox, under another name where there is one of that name already.
async fn make_inbox(project: ProjectApi, name: String) -> Answer<InboxView> {
    let answer = project.create_inbox(&json!({ "name": name })).await;
    if answer.as_ref().is_err_and(|failure| failure.is(ProblemType::NameTaken)) {
        return project.create_inbox(&json!({ "name": format!("{name}-{}", clock::now().unix_s()) })).await;
    }
    answer
}
