//! The inboxes of a project: addresses of our own that record what reaches them.

use crate::dom::{CollectView, View, hears, part, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::inbox::InboxView;
use postern_core::api::live::LiveEvent;
use postern_core::fault::InputFault;
use serde_json::json;

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::screens::webhooks::calmly;
use crate::shell::{ProjectState, link, live_dot};
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::field::TextField;
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
pub(crate) fn Inboxes() -> View {
    let (project, live, toasts, clock) = (use_project(), use_live(), use_toasts(), use_clock());
    let inboxes = Fetched::new(move || {
        let project = project.clone();
        project.inboxes()
    });
    let reload = calmly(move || inboxes.reload());
    live.on_change(move |event| match event {
        LiveEvent::InboxRequest { .. } | LiveEvent::Many => reload(),
        LiveEvent::Delivery { .. } | LiveEvent::Webhooks | LiveEvent::Test { .. } | LiveEvent::Replay { .. } | LiveEvent::Run { .. } => {}
    });
    let is_creating = RwSignal::new(false);
    use_shortcut("N", "New inbox", move || is_creating.set(true));
    let new_button = move || {
        view! { <Button label="New inbox" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=move |()| is_creating.set(true) /> }
    };
    let card = move |inbox: InboxView| {
        let (url, at) = (inbox.url.clone(), inbox.created_at);
        view! {
            <li class="card pad tile">
                <a class="stretched" data-row="" href=link(Area::Inbox(inbox.id.clone()))>{inbox.name.clone()}</a>
                <span class="with-copy"><span class="mono faint clip">{inbox.url.clone()}</span>{copy_button("URL", move || url.clone())}</span>
                <span class="faint">{format!("{} · {} · ", words::count(inbox.received, "request", "requests"), answer_words(&inbox))}"created "{part(move || words::ago(clock.now(), at))}</span>
            </li>
        }
    };
    let list = move || {
        let shown: Vec<InboxView> = inboxes.value.with(|page| {
            page.as_ref().map(|page| page.items.iter().filter(|inbox| !toasts.is_gone(&inbox.id)).cloned().collect()).unwrap_or_default()
        });
        if shown.is_empty() {
            return empty(
                Icon::Inbox,
                "No inbox yet",
                "An inbox is a receiver for a first try: it records every request, checks its signature and answers as you tell it to.",
                new_button(),
            );
        }
        view! { <ul class="tiles">{shown.into_iter().map(card).collect_view()}</ul> }
    };
    view! {
        <PageHead title="Inboxes" about="Addresses of our own that record what reaches them">
            {live_dot(live)}
            {new_button()}
        </PageHead>
        {loaded(inboxes, skeleton::rows, move || part(list))}
        <Dialog open=is_creating title="New inbox"><NewInbox /></Dialog>
    }
}

/// How an inbox answers, in a few words.
pub(crate) fn answer_words(inbox: &InboxView) -> String {
    let delay = if inbox.answer.delay_ms > 0 { format!(" after {}", words::duration(inbox.answer.delay_ms)) } else { String::new() };
    format!("answers {}{delay}", inbox.answer.status)
}

#[component]
fn NewInbox() -> View {
    let (project, nav) = (use_project(), use_nav());
    let state: ProjectState = expect_context();
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<ApiFailure>);
    let (is_sent, sending) = (RwSignal::new(false), Sending::new());
    let body = move || json!({ "name": name.get().trim() });
    let faults = Memo::new(move || match postern_core::inbox::create(&body().to_string()) {
        Err(InputFault::Invalid(faults)) => faults.into_named(),
        Ok(_) | Err(InputFault::Malformed(_)) => Vec::new(),
    });
    let fault = fault_when(faults, "name", move || is_sent.get() || name.with(|name| !name.is_empty()));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        if !is_complete(faults, IN_DIALOG) {
            return;
        }
        failure.set(None);
        let place = project.name().clone();
        sending.send(project.create_inbox(&untrack(body)), move |answer| match answer {
            Ok(inbox) => {
                state.0.reload();
                nav.go(&Place::Project(place, Area::Inbox(inbox.id)));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    view! {
        <form on:submit=hears(submit) novalidate=true>
            <TextField label="Name" value=name first=true hint="What it stands in for, such as billing" fault=fault />
            {refusal(failure)}
            <div class="dialog-foot"><Submit label="Create inbox" sending=sending /></div>
        </form>
    }
}
