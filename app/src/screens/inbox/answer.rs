//! How an inbox answers, so that failure can be rehearsed.

use leptos::prelude::*;
use postern_core::api::inbox::InboxView;
use postern_core::fault::{Fault, InputFault};

use super::model;
use crate::api::{ApiFailure, use_project};
use crate::fetched::Fetched;
use crate::ui::button::Button;
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, shown_fault};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// How the inbox answers.
///
/// The fields are filled in once. What is typed is judged by the parser of the edge; the chips fill in status
/// and delay for the failures that are rehearsed most and leave the body alone.
#[component]
pub(super) fn InboxFacts(inbox: Fetched<InboxView>) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let answer = inbox
        .value
        .with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.answer.clone()))
        .unwrap_or_default();
    let (status, delay, body) = (
        RwSignal::new(answer.status.to_string()),
        RwSignal::new(answer.delay_ms.to_string()),
        RwSignal::new(answer.body),
    );
    let failure = RwSignal::new(None::<ApiFailure>);
    let sent = move || model::answer_body(&status.get(), &delay.get(), &body.get());
    let faults = Memo::new(move |_| match postern_core::inbox::update(&sent().to_string()) {
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
        let Some(id) = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.id.clone()))
        else {
            return;
        };
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
        view! { <button type="button" class="chip" on:click=press>{name}</button> }.into_any()
    };
    view! {
        <form class="card pad stack" on:submit=save novalidate=true aria-label="Answer">
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
    .into_any()
}

/// A fault of the answer as one of its member.
fn below_answer(mut fault: Fault) -> Fault {
    if let Some(member) = fault.pointer.strip_prefix("/answer") {
        fault.pointer = String::from(member);
    }
    fault
}
