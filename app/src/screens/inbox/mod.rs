//! One inbox: what arrives, live, with the signature checked; and how it answers, so that failure can be rehearsed.

mod model;

use crate::dom::{View, hears, keyed, part, truth, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::inbox::{InboxRequestView, InboxView};
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::fault::InputFault;
use serde_json::json;

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Place, Query};
use crate::screens::webhook::watch;
use crate::shell::{ProjectState, link, live_dot};
use crate::ui::badge::badge_of;
use crate::ui::button::{Button, Look};
use crate::ui::code::{code_block, header_lines};
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::more_button;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::{Toasts, use_toasts};
use crate::words;

/// The screen.
#[component]
pub(crate) fn Inbox(
    /// `ibx_…`
    id: String,
) -> View {
    let (project, live, nav, toasts) = (use_project(), use_live(), use_nav(), use_toasts());
    let state: ProjectState = expect_context();
    let inbox = Fetched::new({
        let (project, id) = (project.clone(), id.clone());
        move || {
            let (project, id) = (project.clone(), id.clone());
            project.inbox(&id)
        }
    });
    let requests = Fetched::new({
        let (project, id) = (project.clone(), id.clone());
        move || {
            let (project, id) = (project.clone(), id.clone());
            project.inbox_requests(&id, &Query::default().with("limit", Some("50")))
        }
    });
    live.on_change({
        let id = id.clone();
        move |event| match event {
            LiveEvent::InboxRequest { inbox_id, request } if *inbox_id == id => requests.value.update(|page| {
                if let Some(page) = page {
                    model::take_in(page, request);
                }
            }),
            LiveEvent::Many => requests.reload(),
            LiveEvent::InboxRequest { .. }
            | LiveEvent::Delivery { .. }
            | LiveEvent::Webhooks
            | LiveEvent::Test { .. }
            | LiveEvent::Replay { .. }
            | LiveEvent::Run { .. } => {}
        }
    });

    let name =
        Signal::derive(move || inbox.value.with(|inbox| inbox.as_ref().map_or_else(|| String::from("Inbox"), |inbox| inbox.name.clone())));
    let test = RwSignal::new(None::<TestView>);
    watch(project.clone(), test);
    let testing = Sending::new();
    let send = {
        let project = project.clone();
        move || {
            let Some(url) = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.url.clone())) else { return };
            testing.send(project.test_url(&json!({ "url": url })), move |answer| match answer {
                Ok(started) => test.set(Some(started)),
                Err(failure) => toasts.complain(failure.to_string()),
            });
        }
    };
    use_shortcut("T", "Send a test here", send.clone());
    let test_words = move || {
        test.get().map(|test| match test.status {
            TestStatus::Pending => String::from("Test under way…"),
            TestStatus::Completed => String::from("Test arrived"),
            TestStatus::Failed => format!("Test failed: {}", test.error_message.unwrap_or_default()),
        })
    };
    let (is_asking, clearing) = (RwSignal::new(false), Sending::new());
    let clear = {
        let (project, id) = (project.clone(), id.clone());
        move || {
            clearing.send(project.clear_inbox(&id), move |answer| {
                is_asking.set(false);
                match answer {
                    Ok(()) => {
                        toasts.say("All requests deleted");
                        requests.reload();
                    }
                    Err(failure) => toasts.complain(failure.to_string()),
                }
            });
        }
    };
    let older = {
        let (project, id) = (project.clone(), id.clone());
        move |next: &str| project.inbox_requests(&id, &Query::default().with("cursor", Some(next)))
    };
    let older = StoredValue::new_local(older);
    let delete = move || {
        let (back, here) =
            (Place::Project(project.name().clone(), Area::Inboxes), Place::Project(project.name().clone(), Area::Inbox(id.clone())));
        let (api, doomed) = (project.clone(), id.clone());
        let shown = name.get_untracked();
        nav.go(&back);
        toasts.undoable(
            format!("{shown} deleted"),
            id.clone(),
            move || {
                when(api.delete_inbox(&doomed), move |answer| match answer {
                    Ok(()) => state.0.reload(),
                    Err(failure) => {
                        toasts.bring_back(&doomed);
                        toasts.complain(failure.to_string());
                    }
                });
            },
            move || nav.go(&here),
        );
    };
    let send_again = send.clone();
    let (clear, send_again) = (StoredValue::new_local(clear), StoredValue::new_local(send_again));
    let is_empty = Memo::new(move || requests.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let ids = move || {
        requests
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|request| request.id.clone()).collect()).unwrap_or_default())
    };
    let list = move || {
        if is_empty.get() {
            let test = view! { <Button label="Send a test here" look=Look::Primary icon=Icon::Send shortcut="T" on_press=move |()| send_again.with_value(|send| send()) /> };
            return empty(
                Icon::Inbox,
                "Nothing has arrived yet",
                "Send a test, or give this URL to a webhook. What arrives appears here at once.",
                test,
            );
        }
        view! {
            <ol class="requests" aria-label="Requests">{keyed(ids, move |id| request_row(requests, id))}</ol>
            {more_button(requests, "Show older ones", move |next| older.with_value(|older| older(next)))}
            <div class="more"><Button label="Delete all requests" icon=Icon::Delete on_press=move |()| is_asking.set(true) /></div>
        }
    };
    let url = move || inbox.value.with(|inbox| inbox.as_ref().map(|inbox| inbox.url.clone()).unwrap_or_default());
    let about = move || view! { <InboxFacts inbox=inbox toasts=toasts /> };
    view! {
        <PageHead title=name above=("Inboxes", link(Area::Inboxes))>
            {live_dot(live)}
            <Button label="Send a test here" look=Look::Primary icon=Icon::Send shortcut="T" on_press=move |()| send() />
            <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=move |()| delete() />
        </PageHead>
        <div class="url-line">
            <span class="mono break">{part(url)}</span>
            {copy_button("URL", url)}
            <span role="status" aria-label="Test status">{part(test_words)}</span>
        </div>
        <div class="split">
            <section aria-label="What arrived">{loaded(requests, skeleton::rows, move || part(list))}</section>
            <aside>{loaded(inbox, skeleton::text, about)}</aside>
        </div>
        <Dialog open=is_asking title="Delete all requests?">
            <p>"What this inbox has recorded goes for good. The inbox and its address stay."</p>
            <div class="dialog-foot">
                <Button label="Delete them" look=Look::Danger disabled=clearing.busy() on_press=move |()| clear.with_value(|clear| clear()) />
                <Button label="Keep them" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
}

/// A recorded request: one line, and all of it when it is opened.
fn request_row(requests: Fetched<Page<InboxRequestView>>, id: String) -> View {
    let clock = use_clock();
    // A recorded request never changes: it is read once. The feed cuts bodies; the whole one is in the list.
    let Some(request) =
        requests.value.with_untracked(|page| page.as_ref().and_then(|page| page.items.iter().find(|request| request.id == id).cloned()))
    else {
        return View::nothing();
    };
    let is_open = RwSignal::new(false);
    let (tone, word) = model::verdict(&request.signature);
    let at = request.received_at;
    let line = model::request_line(&request);
    let size = words::bytes(request.body_bytes);
    let answered = request.answered;
    let content = move || {
        is_open.get().then(|| {
            let first = format!("{}  at {}", model::request_line(&request), words::time_of_day(at, offset_min(at)));
            let kind = if request.body_is_base64 { "Body, in base64 because it is not text" } else { "Body" };
            let body = match postern_core::inbox::decoded(&request.body) {
                _ if request.body.is_empty() => view! { <p class="hint">"The body is empty."</p> },
                _ if request.body_text.is_some() => view! {
                    <p class="hint">"Body, read in the charset that it declares"</p>
                    {code_block("Body", request.body_text.clone().unwrap_or_default())}
                    <details class="fold"><summary>"In base64, as it came"</summary>{code_block("Body in base64", request.body.clone())}</details>
                },
                // actinia sends its status so.
                Some(decoded) => view! {
                    <p class="hint">"Body, decoded: it is JSON inside a JSON string"</p>
                    {code_block("Decoded body", decoded)}
                    <details class="fold"><summary>"As it came"</summary>{code_block("Body", request.body.clone())}</details>
                },
                None => view! { <p class="hint">{kind}</p>{code_block("Body", request.body.clone())} },
            };
            let cut = (request.truncated
                || (!request.body_is_base64 && usize::try_from(request.body_bytes).is_ok_and(|bytes| bytes > request.body.len())))
            .then(|| view! { <p class="hint">"This is the beginning of it."</p> });
            view! { <div class="request-body">{header_lines(first, request.headers.clone())}{body}{cut}</div> }
        })
    };
    view! {
        <li class="card request fresh">
            <button type="button" class="request-line" data-row="" aria-expanded=truth(move || is_open.get()) on:click=hears(move |_| is_open.update(|open| *open = !*open))>
                <b class="mono clip">{line}</b>
                {badge_of(tone, &word)}
                <span class="faint">{format!("{size} · answered {answered}")}</span>
                <span class="faint number">{part(move || words::ago(clock.now(), at))}</span>
            </button>
            {part(content)}
        </li>
    }
}

/// How the inbox answers.
#[component]
fn InboxFacts(inbox: Fetched<InboxView>, toasts: Toasts) -> View {
    let project = use_project();
    let answer = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.answer.clone())).unwrap_or_default();
    let (status, delay, body) =
        (RwSignal::new(answer.status.to_string()), RwSignal::new(answer.delay_ms.to_string()), RwSignal::new(answer.body));
    let failure = RwSignal::new(None::<ApiFailure>);
    let sent = move || model::answer_body(&status.get(), &delay.get(), &body.get());
    let faults = Memo::new(move || match postern_core::inbox::update(&sent().to_string()) {
        Err(InputFault::Invalid(faults)) => faults.into_iter().map(below_answer).collect(),
        Ok(_) | Err(InputFault::Malformed(_)) => Vec::new(),
    });
    let fault = move |field: &'static str| shown_fault(faults, field);
    let sending = Sending::new();
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if faults.with_untracked(|faults| !faults.is_empty()) {
            return;
        }
        let Some(id) = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.id.clone())) else { return };
        sending.send(project.update_inbox(&id, &untrack(sent)), move |answer| match answer {
            Ok(changed) => {
                failure.set(None);
                toasts.say(format!("From now on it {}", crate::screens::inboxes::answer_words(&changed)));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let preset = move |name: &'static str, new_status: &'static str, new_delay: &'static str| {
        let press = move |_| {
            status.set(String::from(new_status));
            delay.set(String::from(new_delay));
        };
        view! { <button type="button" class="chip" on:click=hears(press)>{name}</button> }
    };
    view! {
        <form class="card pad stack" on:submit=hears(save) novalidate=true aria-label="Answer">
            <h2>"How it answers"</h2>
            <p class="about">"Rehearse failure: callbacks to this inbox get what you set here."</p>
            <div class="chips" role="group" aria-label="Examples">
                {preset("200 at once", "200", "0")}
                {preset("503 overloaded", "503", "0")}
                {preset("410 gone", "410", "0")}
                {preset("too slow", "200", "15000")}
            </div>
            <div class="halves">
                <TextField label="Status" value=status kind="number" fault=fault("status") />
                <TextField label="Delay in ms" value=delay kind="number" fault=fault("delay_ms") />
            </div>
            <TextArea label="Body" value=body mono=true rows=3 fault=fault("body") />
            {refusal(failure)}
            <div class="form-foot"><Button label="Save answer" submits=true disabled=sending.busy() /></div>
        </form>
    }
}

/// A fault of the answer as one of its member.
fn below_answer(mut fault: postern_core::fault::Fault) -> postern_core::fault::Fault {
    if let Some(member) = fault.pointer.strip_prefix("/answer") {
        fault.pointer = String::from(member);
    }
    fault
}
