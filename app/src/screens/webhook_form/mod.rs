//! The form of a webhook, for a new one and for a change. While typing it says what the edge would say: what
//! is wrong with each field, whether the URL may be called, and the exact callback that would go out.
//!
//! What is typed is one value, a [`WebhookDraft`] in a store; each control is bound to its field there, so
//! that a letter typed in one redraws nothing else. It is parsed once for each change, and everything that
//! the page says follows from that verdict: faults beside their fields ([`Said`]), the preview, and whether
//! the form can be sent.
//!
//! The parts of the form are files of their own, named for what a person reads above them. `model` has the
//! rules, without a page.

mod flow;
mod how;
mod model;
mod preview;
mod said;
mod what_and_where;
mod which_events;

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;
use reactive_stores::Store;

use self::flow::Flow;
use self::how::How;
use self::model::{FormField, Purpose, WebhookDraft, WebhookDraftStoreFields};
use self::preview::PreviewPane;
use self::said::{Remaining, Said};
use self::what_and_where::WhatAndWhere;
use self::which_events::WhichEvents;
use crate::api::{ApiFailure, use_project};
use crate::deployment::use_policy;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Place};
use crate::ui::button::{LinkButton, Look};
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, Submit};
use crate::ui::loaded::loaded;
use crate::ui::notice::refusal;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// `…/webhooks/new`: an empty form. A new webhook takes the usual choices of its contract.
#[component]
pub(crate) fn WebhookNew() -> AnyView {
    view! {
        <PageHead title="New webhook" about="Where to call when an event happens, and how" above=("Webhooks", link(Area::Webhooks)) />
        <Form current=None />
    }
    .into_any()
}

/// `…/webhooks/{name}/edit`: the form, filled in with the webhook as it is when the screen is opened.
///
/// The address names the webhook; renamed in the form, it is shown under its new name once it is saved.
#[component]
pub(crate) fn WebhookEdit(
    /// The webhook's name.
    name: String,
) -> AnyView {
    let project = use_project();
    let title = format!("Edit {name}");
    let above = link(Area::Webhook(name.clone()));
    let webhook = Fetched::new(move || project.webhook(&name));
    // A change by somebody else must not replace what is being typed: the form is made once, of the first
    // value.
    let form = move || view! { <Form current=webhook.value.get_untracked() /> }.into_any();
    view! {
        <PageHead title=title above=("Webhook", above) />
        {loaded(webhook, skeleton::text, form)}
    }
    .into_any()
}

/// The form with its preview.
///
/// It is always possible to press the button: if something is wrong, every field says so then, and the first
/// one that is wrong gets the focus, also out of the fold. A change is sent with the version that it was made
/// of, so that a change by somebody else meanwhile is a conflict and not lost.
#[component]
fn Form(
    /// The webhook that is changed; `None` for a new one.
    current: Option<WebhookView>,
) -> AnyView {
    let (project, nav, toasts, policy) = (use_project(), use_nav(), use_toasts(), use_policy());
    let purpose = if current.is_some() { Purpose::Edit } else { Purpose::Create };
    let (done, label) = match purpose {
        Purpose::Create => ("created", "Create webhook"),
        Purpose::Edit => ("saved", "Save changes"),
    };
    let back = link(current.as_ref().map_or(Area::Webhooks, |webhook| Area::Webhook(webhook.name.clone())));
    let draft = Store::new(current.as_ref().map(WebhookDraft::of).unwrap_or_default());
    let current = StoredValue::new(current);
    let verdict = Memo::new(move |_| {
        draft.with(|draft| {
            policy.with(|policy| current.with_value(|current| model::judge(draft, current.as_ref(), policy)))
        })
    });
    let said = Said::new(verdict);
    let is_unfolded = RwSignal::new(draft.with_untracked(WebhookDraft::uses_flow));
    let types = Fetched::new({
        let project = project.clone();
        move || project.event_types()
    });
    let (failure, sending) = (RwSignal::new(None::<ApiFailure>), Sending::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        if !said.send() {
            // What is folded away can't have the focus.
            if said.faults().with_untracked(|faults| model::has_folded_fault(faults)) {
                is_unfolded.set(true);
            }
            return;
        }
        let (place, body) = (project.name().clone(), draft.with_untracked(|draft| draft.json(purpose)));
        let load = current.with_value(|current| match current {
            None => project.create_webhook(&body),
            Some(webhook) => project.update_webhook(&webhook.name, webhook.version, &body),
        });
        sending.send(load, move |answer| match answer {
            Ok(webhook) => {
                toasts.say(format!("{} {done}", webhook.name));
                nav.go(&Place::Project(place, Area::Webhook(webhook.name)));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    view! {
        <div class="split">
            <form class="card pad form" on:submit=submit novalidate=true aria-label="Webhook">
                <WhatAndWhere draft=draft said=said purpose=purpose />
                <WhichEvents draft=draft said=said types=types />
                <How draft=draft said=said purpose=purpose />
                <Flow draft=draft said=said is_unfolded=is_unfolded types=types />
                <ForPeople draft=draft said=said />
                {refusal(failure)}
                <Remaining said=said />
                <div class="form-foot">
                    <Submit label=label sending=sending />
                    <LinkButton label="Discard" href=back look=Look::Quiet />
                </div>
            </form>
            <PreviewPane draft=draft verdict=verdict types=types />
        </div>
    }
    .into_any()
}

/// The last part of the form: what Postern keeps and shows, and never acts upon. Labels are what lists of
/// webhooks are filtered by.
#[component]
fn ForPeople(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
) -> AnyView {
    view! {
        <fieldset>
            <legend>"For people"</legend>
            <TextArea
                label="Description"
                value=draft.description()
                rows=2
                hint="At most 400 characters"
                fault=said.fault(FormField::Description)
                on_leave=said.leave(FormField::Description)
            />
            <TextField
                label="Labels"
                value=draft.labels()
                placeholder="team:billing, tier:gold"
                hint="key:value, separated by commas"
                fault=said.fault(FormField::Labels)
                on_leave=said.leave(FormField::Labels)
            />
        </fieldset>
    }
    .into_any()
}
