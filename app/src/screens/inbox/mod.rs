//! One inbox: what arrives, live, with the signature checked; and how it answers, so that failure can be
//! rehearsed.
//!
//! The feed carries each request whole but for a long body, so nothing is loaded for it. The server keeps
//! only the newest requests of an inbox, and the list is as long.

mod answer;
mod model;
mod requests;

use leptos::prelude::*;
use postern_core::api::inbox::{InboxRequestView, InboxView};
use postern_core::api::live::ChangeKind;
use postern_core::api::test::{TestStatus, TestView};
use serde_json::json;

use self::answer::InboxFacts;
use self::requests::requests;
use crate::api::use_project;
use crate::fetched::{Fetched, when};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::routes::{Area, Place, Query};
use crate::screens::webhook::watch;
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// The screen.
///
/// What arrived and how it answers are loaded beside each other, and each has its own failure and its own way
/// to try again.
#[component]
pub(crate) fn Inbox(
    /// `ibx_…`
    id: String,
) -> AnyView {
    let (project, live) = (use_project(), use_live());
    let own = StoredValue::new(id);
    let inbox = Fetched::new(move || own.with_value(|id| project.inbox(id)));
    let list = list_of(own);
    let name = Signal::derive(move || {
        inbox
            .value
            .with(|inbox| inbox.as_ref().map_or_else(|| String::from("Inbox"), |inbox| inbox.name.clone()))
    });
    let test = RwSignal::new(None::<TestView>);
    let send = send_test(inbox, test);
    use_shortcut("T", "Send a test here", move || send.run(()));
    let delete = delete(own, name);
    let is_asking = RwSignal::new(false);
    let url =
        move || inbox.value.with(|inbox| inbox.as_ref().map(|inbox| inbox.url.clone()).unwrap_or_default());
    let about = move || view! { <InboxFacts inbox=inbox /> }.into_any();
    view! {
        <PageHead title=name above=("Inboxes", link(Area::Inboxes))>
            {live_dot(live)}
            <Button label="Send a test here" look=Look::Primary icon=Icon::Send shortcut="T" on_press=move |()| send.run(()) />
            <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=move |()| delete.run(()) />
        </PageHead>
        <div class="url-line">
            <span class="mono break">{move || url()}</span>
            {copy_button("URL", url)}
            <span role="status" aria-label="Test status">{move || test.with(|test| test.as_ref().map(test_words))}</span>
        </div>
        <div class="split">
            <section aria-label="What arrived">{loaded(list.page, skeleton::rows, content(list, own, send, is_asking))}</section>
            <aside>{loaded(inbox, skeleton::text, about)}</aside>
        </div>
        <ClearDialog own=own list=list is_asking=is_asking />
    }
    .into_any()
}

/// What the inbox `own` recorded, as it comes.
fn list_of(own: StoredValue<String>) -> List<InboxRequestView> {
    let project = use_project();
    let list = List::following(Memo::new(|_| Query::default()), Some(model::KEPT), move |query| {
        own.with_value(|id| project.inbox_requests(id, query))
    });
    use_live().on_change(move |change| {
        if let Some(request) = own.with_value(|id| change.request_of(id)) {
            list.offer(&request);
        } else if change.kind() == ChangeKind::Many {
            list.page.reload();
        }
    });
    list
}

/// Sends a test to the inbox, and puts into `test` what becomes of it.
///
/// Nothing is sent twice by a press while one is under way. What arrives comes through the feed like
/// everything else; `test` says only how the call went.
fn send_test(inbox: Fetched<InboxView>, test: RwSignal<Option<TestView>>) -> UnsyncCallback<()> {
    let (project, toasts, sending) = (use_project(), use_toasts(), Sending::new());
    watch(project.clone(), test);
    UnsyncCallback::new(move |()| {
        let Some(url) = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.url.clone()))
        else {
            return;
        };
        sending.send(project.test_url(&json!({ "url": url })), move |answer| match answer {
            Ok(started) => test.set(Some(started)),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    })
}

/// How the test is doing.
fn test_words(test: &TestView) -> String {
    match test.status {
        TestStatus::Pending => String::from("Test under way…"),
        TestStatus::Completed => String::from("Test arrived"),
        TestStatus::Failed => format!("Test failed: {}", test.error_message.clone().unwrap_or_default()),
    }
}

/// Deletes the inbox, unless that is taken back.
///
/// As with a webhook: it is deleted once the time to take it back is over, and the way back leads to it. A
/// project's count of inboxes is loaded again then.
fn delete(own: StoredValue<String>, name: Signal<String>) -> UnsyncCallback<()> {
    let (project, nav, toasts) = (use_project(), use_nav(), use_toasts());
    let state: ProjectState = expect_context();
    UnsyncCallback::new(move |()| {
        let id = own.get_value();
        let place = |area| Place::Project(project.name().clone(), area);
        let (back, here) = (place(Area::Inboxes), place(Area::Inbox(id.clone())));
        let (api, doomed, shown) = (project.clone(), id.clone(), name.get_untracked());
        nav.go(&back);
        let commit = move || {
            when(api.delete_inbox(&doomed), move |answer| match answer {
                Ok(()) => state.0.reload(),
                Err(failure) => {
                    toasts.bring_back(&doomed);
                    toasts.complain(failure.to_string());
                }
            });
        };
        toasts.undoable(format!("{shown} deleted"), id, commit, move || nav.go(&here));
    })
}

/// The requests, or how to get one.
///
/// `opened` are the ids of the requests that are unfolded. They are kept here, not in the rows, because a row
/// that is scrolled out of sight is taken out of the document.
fn content(
    list: List<InboxRequestView>,
    own: StoredValue<String>,
    send: UnsyncCallback<()>,
    is_asking: RwSignal<bool>,
) -> impl Fn() -> AnyView + Send + 'static {
    let (project, is_empty) = (StoredValue::new_local(use_project()), list.core.is_empty());
    let opened = RwSignal::new(Vec::<String>::new());
    let older = move |next: &str| {
        let query = Query::default().with("cursor", Some(next));
        project.with_value(|project| own.with_value(|id| project.inbox_requests(id, &query)))
    };
    move || {
        if is_empty.get() {
            let test = view! { <Button label="Send a test here" look=Look::Primary icon=Icon::Send shortcut="T" on_press=move |()| send.run(()) /> };
            return empty(
                Icon::Inbox,
                "Nothing has arrived yet",
                "Send a test, or give this URL to a webhook. What arrives appears here at once.",
                test.into_any(),
            );
        }
        view! {
            {list.news()}
            {requests(list, opened)}
            {list.more("Show older ones", older)}
            <div class="more"><Button label="Delete all requests" icon=Icon::Delete on_press=move |()| is_asking.set(true) /></div>
        }
        .into_any()
    }
}

/// Asks before all requests are deleted.
#[component]
fn ClearDialog(own: StoredValue<String>, list: List<InboxRequestView>, is_asking: RwSignal<bool>) -> AnyView {
    let (project, toasts, clearing) = (use_project(), use_toasts(), Sending::new());
    let clear = UnsyncCallback::new(move |()| {
        clearing.send(own.with_value(|id| project.clear_inbox(id)), move |answer| {
            is_asking.set(false);
            match answer {
                Ok(()) => {
                    toasts.say("All requests deleted");
                    list.page.reload();
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
        });
    });
    view! {
        <Dialog open=is_asking title="Delete all requests?">
            <p>"What this inbox has recorded goes for good. The inbox and its address stay."</p>
            <div class="dialog-foot">
                <Button label="Delete them" look=Look::Danger disabled=clearing.busy() on_press=move |()| clear.run(()) />
                <Button label="Keep them" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
    .into_any()
}
