//! The form itself.

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;
use reactive_stores::Store;

use super::flow::Flow;
use super::how::How;
use super::model::{self, FormField, Purpose, WebhookDraft, WebhookDraftStoreFields};
use super::preview::PreviewPane;
use super::said::{Remaining, Said};
use super::what_and_where::WhatAndWhere;
use super::which_events::WhichEvents;
use crate::api::{ApiFailure, use_project};
use crate::deployment::use_policy;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Place};
use crate::ui::button::{LinkButton, Look};
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, Submit};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// The form with its preview.
///
/// It is always possible to press the button: if something is wrong, every field says so then, and the first
/// one that is wrong gets the focus, also out of the fold. A change is sent with the version that it was made
/// of, so that a change by somebody else meanwhile is a conflict and not lost.
#[component]
pub(super) fn Form(
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
