//! One operation, to read.

use leptos::prelude::*;

use super::model::{self, Answer, Field, Group, Operation};
use super::try_it::TryIt;
use crate::ui::code::code_block;

/// The operation that is a WebSocket, which a form can't try.
const LIVE: &str = "listen";

/// Operations that belong together.
pub(super) fn group(group: Group) -> AnyView {
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
