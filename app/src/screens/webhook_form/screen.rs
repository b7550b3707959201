//! The two screens of the form: for a new webhook, and for a change.

use leptos::prelude::*;

use super::form::Form;
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::project::link;
use crate::routes::Area;
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;

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
