//! The inboxes of a project: addresses of our own that record what reaches them.
//!
//! They are receivers for a first try, and for tests: without a server of one's own, one sees here what a
//! callback looks like.

use leptos::prelude::*;
use postern_core::api::inbox::InboxView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::fault::InputFault;
use postern_core::inbox;
use serde_json::json;

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::routes::{Area, Place};
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::field::TextField;
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen. N opens the form of a new inbox. The counts follow the feed, but not each request for itself.
///
/// The list is short (a quota bounds it), so all of it is loaded at once and has no pages.
#[component]
pub(crate) fn Inboxes() -> AnyView {
    let (project, live) = (use_project(), use_live());
    let inboxes = Fetched::new(move || project.inboxes());
    let reload = calmly(move || inboxes.reload());
    live.on_change(move |change| {
        if matches!(change.kind(), ChangeKind::InboxRequest | ChangeKind::Many) {
            reload();
        }
    });
    let is_creating = RwSignal::new(false);
    use_shortcut("N", "New inbox", move || is_creating.set(true));
    let list = move || view! { <InboxCards inboxes=inboxes is_creating=is_creating /> }.into_any();
    view! {
        <PageHead title="Inboxes" about="Addresses of our own that record what reaches them">
            {live_dot(live)}
            {new_button(is_creating)}
        </PageHead>
        {loaded(inboxes, skeleton::rows, list)}
        <Dialog open=is_creating title="New inbox"><NewInbox /></Dialog>
    }
    .into_any()
}

/// The button that opens the form of a new inbox.
fn new_button(is_creating: RwSignal<bool>) -> AnyView {
    let press = move |()| is_creating.set(true);
    view! { <Button label="New inbox" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=press /> }
        .into_any()
}

/// The inboxes, a card each, without those that are being deleted.
#[component]
fn InboxCards(
    /// The inboxes.
    inboxes: Fetched<Page<InboxView>>,
    /// Whether the form of a new one is open.
    is_creating: RwSignal<bool>,
) -> AnyView {
    let toasts = use_toasts();
    (move || {
        let shown: Vec<InboxView> = inboxes.value.with(|page| {
            page.as_ref().map(|page| page.items.iter().filter(|inbox| !toasts.is_gone(&inbox.id)).cloned().collect()).unwrap_or_default()
        });
        if shown.is_empty() {
            return empty(
                Icon::Inbox,
                "No inbox yet",
                "An inbox is a receiver for a first try: it records every request, checks its signature and answers as you tell it to.",
                new_button(is_creating),
            );
        }
        view! { <ul class="tiles">{shown.into_iter().map(card).collect_view()}</ul> }.into_any()
    })
    .into_any()
}

/// One inbox: its name, its URL to copy, how much it got and how it answers. The whole card leads to what it
/// recorded.
fn card(inbox: InboxView) -> AnyView {
    let (clock, at) = (use_clock(), inbox.created_at);
    let facts =
        format!("{} · {} · ", words::count(inbox.received, "request", "requests"), answer_words(&inbox));
    let (shown, copied) = (inbox.url.clone(), inbox.url);
    let url =
        view! { <span class="mono faint clip">{shown}</span>{copy_button("URL", move || copied.clone())} };
    view! {
        <li class="card pad tile">
            <a class="stretched" data-row="" href=link(Area::Inbox(inbox.id))>{inbox.name}</a>
            <span class="with-copy">{url}</span>
            <span class="faint">{facts}"created "{move || words::ago(clock.now(), at)}</span>
        </li>
    }
    .into_any()
}

/// How an inbox answers, in a few words.
pub(crate) fn answer_words(inbox: &InboxView) -> String {
    let delay = if inbox.answer.delay_ms > 0 {
        format!(" after {}", words::duration(inbox.answer.delay_ms))
    } else {
        String::new()
    };
    format!("answers {}{delay}", inbox.answer.status)
}

/// The form of a new inbox, which leads to it. The side bar counts inboxes, so the project is loaded again.
#[component]
fn NewInbox() -> AnyView {
    let (project, nav) = (use_project(), use_nav());
    let state: ProjectState = expect_context();
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<ApiFailure>);
    let (is_sent, sending) = (RwSignal::new(false), Sending::new());
    let body = move || json!({ "name": name.get().trim() });
    let faults = Memo::new(move |_| match inbox::create(&body().to_string()) {
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
        <form on:submit=submit novalidate=true>
            <TextField label="Name" value=name first=true hint="What it stands in for, such as billing" fault=fault />
            {refusal(failure)}
            <div class="dialog-foot"><Submit label="Create inbox" sending=sending /></div>
        </form>
    }
    .into_any()
}
