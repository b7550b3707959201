//! The API reference: every operation of `/openapi.json`, to read and to try with the token of the page.
//!
//! What the document says is shown as text, like everything from outside. An operation is made when it is
//! opened: sixty of them at once would be slow.

mod model;

use leptos::prelude::*;
use postern_core::route::DESCRIPTION_PATH;

use self::model::{Answer, Field, Group, Operation, Parameter, Stands};
use crate::api::{Api, use_api, use_project};
use crate::browser::http::Whole;
use crate::browser::location;
use crate::fetched::{Fetched, spawn};
use crate::ui::badge::Tone;
use crate::ui::button::{Button, Look};
use crate::ui::code::{code_block, header_lines};
use crate::ui::copy::copy;
use crate::ui::field::{TextArea, TextField};
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, notice};
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// Characters of an answer's body that are shown at most.
const SHOWN_CHARS_MAX: usize = 64 * 1024;
/// The operation that is a WebSocket, which a form can't try.
const LIVE: &str = "listen";

/// The screen: a search over method, path and words, and the operations that fit, in the groups of the
/// document.
///
/// The document is one file of some hundred kilobytes, loaded with this screen only and read once. A document
/// that cannot be read shows as one without operations.
#[component]
pub(crate) fn Reference() -> AnyView {
    let api = use_api();
    let description = Fetched::new(move || api.description());
    let groups = Memo::new(move |_| {
        description.value.with(|text| text.as_deref().and_then(model::read).unwrap_or_default())
    });
    let typed = RwSignal::new(String::new());
    let list = move || {
        let fitting = groups.with(|groups| typed.with(|typed| model::fitting(groups, typed)));
        if fitting.is_empty() {
            let clear =
                view! { <Button label="Show all" on_press=move |()| typed.set(String::new()) /> }.into_any();
            return empty(
                Icon::Search,
                "No operation has these words",
                "Try a word of the path, such as webhooks, or a method.",
                clear,
            );
        }
        fitting.into_iter().map(group).collect_view().into_any()
    };
    view! {
        <PageHead title="API reference" about="Every operation, to read and to try">
            <a class="button" href=DESCRIPTION_PATH download="openapi.json">
                {glyph(Icon::Export)}
                <span class="label">"OpenAPI document"</span>
            </a>
        </PageHead>
        <div class="toolbar" role="search">
            <label class="search">
                {glyph(Icon::Search)}
                <span class="for-ear">"Filter operations"</span>
                <input
                    type="search"
                    placeholder="Method, path or words"
                    autocomplete="off"
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </label>
        </div>
        {loaded(description, skeleton::rows, move || list.into_any())}
    }
    .into_any()
}

/// Operations that belong together.
fn group(group: Group) -> AnyView {
    view! {
        <section class="card">
            <div class="card-head"><h2>{group.name}</h2><p class="faint">{group.about}</p></div>
            {group.operations.into_iter().map(operation).collect_view()}
        </section>
    }
    .into_any()
}

/// One operation, folded; what is in it is made when it is opened first, and stays: what was typed in its
/// form is still there when it is opened again.
fn operation(operation: Operation) -> AnyView {
    let was_open = RwSignal::new(false);
    let (method, path, summary) =
        (operation.method.clone(), operation.path.clone(), operation.summary.clone());
    let operation = StoredValue::new_local(operation);
    // Set once and never taken back: closed and opened again, the form still has what was typed.
    let content = move || was_open.get().then(|| operation.with_value(shown));
    let toggled = move || {
        if !was_open.get_untracked() {
            was_open.set(true);
        }
    };
    view! {
        <details class="fold operation" on:toggle=move |_: web_sys::Event| toggled()>
            <summary><b class="mono">{method}</b>" "<code class="break">{path}</code>" "<span class="faint">{summary}</span></summary>
            {move || content()}
        </details>
    }
    .into_any()
}

/// An operation in full: parameters, body, answers, and the form to try it. The live feed has no form,
/// because it is a WebSocket.
fn shown(operation: &Operation) -> AnyView {
    let body = operation.body.as_ref().map(|body| {
        let optional = (!body.required).then_some(" (may be left out)");
        view! { <h3>"Body"{optional}</h3>{fields(&body.fields)}{code_block("Example", body.example.clone())} }
            .into_any()
    });
    let parameters: Vec<Field> = operation.parameters.iter().map(model::parameter_field).collect();
    let parameters =
        (!parameters.is_empty()).then(|| view! { <h3>"Parameters"</h3>{fields(&parameters)} }.into_any());
    let tries = if operation.id == LIVE {
        let words = "This one is a WebSocket: the dot beside the project's name says whether this page listens to it.";
        view! { <p class="faint">{words}</p> }.into_any()
    } else {
        view! { <TryIt operation=operation.clone() /> }.into_any()
    };
    view! {
        <div class="operation-body">
            <p>{operation.about.clone()}</p>
            {parameters}
            {body}
            <h3>"Answers"</h3>
            <dl class="facts">{operation.answers.iter().map(answer).collect_view()}</dl>
            <h3>"Try it"</h3>
            {tries}
        </div>
    }
    .into_any()
}

/// What may or must be there, one line each.
fn fields(fields: &[Field]) -> AnyView {
    let line = |field: &Field| {
        let needed = field.required.then(|| view! { <b>" required"</b> }.into_any());
        view! {
            <div>
                <dt><code>{field.name.clone()}</code>{needed}</dt>
                <dd><span class="mono faint break">{field.kind.clone()}</span>" "{field.about.clone()}</dd>
            </div>
        }
        .into_any()
    };
    view! { <dl class="facts">{fields.iter().map(line).collect_view()}</dl> }.into_any()
}

/// One answer that an operation can give, with its fields folded away.
fn answer(answer: &Answer) -> AnyView {
    let members = (!answer.fields.is_empty()).then(|| {
        view! {
            <details class="fold">
                <summary>{answer.kind.clone()}</summary>
                {fields(&answer.fields)}
            </details>
        }
        .into_any()
    });
    let kind = (answer.fields.is_empty() && !answer.kind.is_empty())
        .then(|| view! { <span class="mono faint break">{answer.kind.clone()}</span> }.into_any());
    view! { <div><dt><code>{answer.status.clone()}</code></dt><dd>{answer.about.clone()}" "{kind}{members}</dd></div> }.into_any()
}

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
fn TryIt(
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
