//! The screen.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::webhook::WebhookView;

use super::actions::Actions;
use super::examination::Examination;
use super::facts::facts;
use super::latest::Latest;
use super::missed::Missed;
use super::receiver::ReceiverCode;
use super::secret::SecretRow;
use super::test_panel::TestPanel;
use crate::api::use_project;
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::routes::{Area, Place};
use crate::screens::webhooks::model as list_model;
use crate::ui::badge::badge;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;

/// The screen. E leads to the form, P pauses or resumes, T sends a test.
///
/// The buttons appear with the webhook, and P with them: before that nobody knows whether it is paused or
/// enabled.
#[component]
pub(crate) fn Webhook(
    /// The webhook's name.
    name: String,
) -> AnyView {
    let (project, live) = (use_project(), use_live());
    let webhook = Fetched::new({
        let (project, name) = (project.clone(), name.clone());
        move || project.webhook(&name)
    });
    live.on_change(move |change| {
        if matches!(change.kind(), ChangeKind::Webhooks | ChangeKind::Many) {
            webhook.reload();
        }
    });
    let (edit, above) = (link(Area::WebhookEdit(name.clone())), link(Area::Webhooks));
    let state = badge(move || {
        webhook.value.with(|webhook| webhook.as_ref().map(list_model::standing).unwrap_or_default())
    });
    let content = {
        let name = name.clone();
        move || view! { <Content webhook=webhook name=name.clone() /> }.into_any()
    };
    use_shortcut("E", "Edit this webhook", {
        let (nav, place) =
            (use_nav(), Place::Project(project.name().clone(), Area::WebhookEdit(name.clone())));
        move || nav.go(&place)
    });
    let is_there = Memo::new(move |_| webhook.value.with(Option::is_some));
    let actions = {
        let name = name.clone();
        move || {
            is_there
                .get()
                .then(|| view! { <Actions webhook=webhook name=name.clone() edit=edit.clone() /> }.into_any())
        }
    };
    view! {
        <PageHead title=name above=("Webhooks", above)>
            {state}
            {live_dot(live)}
            {actions}
        </PageHead>
        {loaded(webhook, skeleton::text, content)}
    }
    .into_any()
}

/// What there is to see of the webhook, once it is loaded.
///
/// The notice about its health stands above everything, because it says what to do. The facts are drawn anew
/// with each load; the test panel is not, so that what was typed there stays.
#[component]
fn Content(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let (clock, state) = (use_clock(), expect_context::<ProjectState>());
    let health = Memo::new(move |_| {
        webhook.value.with(|webhook| {
            webhook.as_ref().and_then(|webhook| list_model::health_words(webhook, clock.now()))
        })
    });
    let health_notice = move || health.get().map(|(tone, headline, advice)| notice(tone, headline, advice));
    let facts = move || webhook.value.with(|webhook| webhook.as_ref().map(|webhook| facts(webhook, state)));
    view! {
        {move || health_notice()}
        <Missed webhook=webhook name=name.clone() />
        <div class="split">
            <div class="stack">
                <section class="card" aria-labelledby="facts">
                    <h2 class="card-head" id="facts">"Facts"</h2>
                    {move || facts()}
                    <SecretRow webhook=webhook name=name.clone() />
                </section>
            </div>
            <TestPanel webhook=webhook name=name.clone() />
        </div>
        <Examination name=name.clone() />
        <Latest webhook=webhook name=name />
        <ReceiverCode webhook=webhook />
    }
    .into_any()
}
