//! One operation, to try.

use leptos::prelude::*;

use super::model::{self, Operation, Parameter, Stands};
use crate::api::{Api, use_api, use_project};
use crate::browser::http::Whole;
use crate::browser::location;
use crate::fetched::spawn;
use crate::ui::badge::Tone;
use crate::ui::button::{Button, Look};
use crate::ui::code::{code_block, header_lines};
use crate::ui::copy::copy;
use crate::ui::field::{TextArea, TextField};
use crate::ui::icon::Icon;
use crate::ui::notice::notice;
use crate::ui::toast::use_toasts;

/// Characters of an answer's body that are shown at most.
const SHOWN_CHARS_MAX: usize = 64 * 1024;

/// What came of a request.
///
/// A refusal by the edge is an answer like any other here; only a request that never got one is `Offline`.
#[derive(Clone)]
enum Outcome {
    /// No answer came.
    Offline,
    /// Status, its words, headers, and the body as far as it is shown.
    Answered(u16, String, Vec<(String, String)>, String),
}

/// A form that sends the request with the page's token, as it was written: what is wrong with it is for the
/// edge to say, and that is what somebody who tries it wants to see. It starts with the project and an
/// example of the body.
///
/// "Copy as curl" writes the same request with `$TOKEN` in the place of the token: what is copied ends up in
/// chats and tickets.
#[component]
pub(super) fn TryIt(
    /// What is tried.
    operation: Operation,
) -> AnyView {
    let (api, toasts) = (use_api(), use_toasts());
    let project = String::from(use_project().name().as_str());
    // The project is known; the rest is to be typed.
    let start = |parameter: &Parameter| {
        let is_project = parameter.stands == Stands::Path && parameter.field.name == "project";
        RwSignal::new(if is_project { project.clone() } else { String::new() })
    };
    let values: Vec<RwSignal<String>> = operation.parameters.iter().map(start).collect();
    let body = RwSignal::new(operation.body.as_ref().map(|body| body.example.clone()).unwrap_or_default());
    let inputs = operation.parameters.iter().zip(&values).map(|(parameter, value)| {
        let label = if parameter.field.required {
            parameter.field.name.clone()
        } else {
            format!("{} (optional)", parameter.field.name)
        };
        let hint = format!("{}, {}", parameter.stands.word(), parameter.field.kind);
        view! { <TextField label=label value=*value hint=hint mono=true /> }.into_any()
    });
    let inputs = inputs.collect_view();
    let area = operation
        .body
        .is_some()
        .then(|| view! { <TextArea label="Body" value=body rows=8 mono=true /> }.into_any());
    let operation = StoredValue::new_local(operation);
    let request = move || {
        let values: Vec<String> = values.iter().map(|value| value.get_untracked()).collect();
        operation.with_value(|operation| model::request(operation, &values, &body.get_untracked()))
    };
    let request = StoredValue::new_local(request);
    let outcome = RwSignal::new(None::<Outcome>);
    let is_sending = RwSignal::new(false);
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_sending.get_untracked() {
            is_sending.set(true);
            let request = request.with_value(|request| request());
            spawn(async move {
                outcome.set(Some(sent(api, request).await));
                is_sending.set(false);
            });
        }
    };
    let copy_curl = move || {
        copy(toasts, "Command", model::curl(&request.with_value(|request| request()), &location::origin()));
    };
    view! {
        <form on:submit=send>
            {inputs}
            {area}
            <div class="form-foot">
                <Button label="Send" icon=Icon::Send look=Look::Primary submits=true disabled=is_sending />
                <Button label="Copy as curl" icon=Icon::Copy on_press=move |()| copy_curl() />
            </div>
        </form>
        <div role="status">{move || outcome.get().map(came)}</div>
    }
    .into_any()
}

/// Sends a request, and says what came. A very long answer is cut, and says how long it was.
///
/// The answer is not parsed, unlike everywhere else in the page: whoever tries an operation wants the bytes.
async fn sent(api: Api, request: model::Request) -> Outcome {
    let answer =
        api.send_as_written(&request.method, &request.path, &request.headers, request.body.as_deref()).await;
    let Some(Whole { status: (status, words), headers, body }) = answer else { return Outcome::Offline };
    let shown: String = body.chars().take(SHOWN_CHARS_MAX).collect();
    let shown =
        if shown.len() < body.len() { format!("{shown}\n… ({} bytes in all)", body.len()) } else { shown };
    Outcome::Answered(status, words, headers, shown)
}

/// What came of a request: the status first, then headers and body as they came.
fn came(outcome: Outcome) -> AnyView {
    match outcome {
        Outcome::Offline => notice(
            Tone::Bad,
            String::from("No answer came"),
            String::from(
                "Check the connection. A path with a dot or an empty name may have been refused by the browser.",
            ),
        ),
        Outcome::Answered(status, words, headers, body) => {
            let first = format!("{status} {words}");
            let tone = if (200..300).contains(&status) { Tone::Good } else { Tone::Bad };
            let body = (!body.is_empty()).then(|| code_block("Answer", body));
            view! { {notice(tone, format!("Answered {status}"), String::new())}{header_lines(first, headers)}{body} }.into_any()
        }
    }
}
