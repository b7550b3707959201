//! The screen: what arrived, and beside it how the inbox answers.

use leptos::prelude::*;
use postern_core::api::inbox::InboxRequestView;
use postern_core::api::live::ChangeKind;
use postern_core::api::test::TestView;

use super::answer::InboxFacts;
use super::deletion::{ClearDialog, delete};
use super::model;
use super::requests::requests;
use super::trial::{send_test, test_words};
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy_button;
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;

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
