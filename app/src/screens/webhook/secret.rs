//! The signing secret: asked for only when somebody wants to see it, and replaced while the one before signs on for a while.

use leptos::prelude::*;
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::fault::{Fault, InputFault};
use postern_core::signing::SecretKind;
use postern_core::webhook::Contract;
use postern_core::webhook::rotation::{OVERLAP_DEFAULT_S, Rotation};
use serde_json::{Value, json};

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::offset_min;
use crate::dom::{CollectView, View, hears, part, view};
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::state::{Memo, RwSignal};
use crate::ui::button::Button;
use crate::ui::code::code_block;
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::field::{Choice, TextField};
use crate::ui::form::{Sending, Submit, fault_when, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;
use crate::words;

/// The secret among a webhook's facts.
#[component]
pub(super) fn SecretRow(webhook: Fetched<WebhookView>, name: String) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let shown = RwSignal::new(None::<SecretView>);
    let is_rotating = RwSignal::new(false);
    let is_signed = Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.signed)));
    let is_up42 =
        Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.contract == Contract::Up42)));
    let reveal = {
        let name = name.clone();
        move || {
            when(project.webhook_secret(&name), move |answer| match answer {
                Ok(view) => shown.set(Some(view)),
                Err(failure) => toasts.complain(failure.to_string()),
            });
        }
    };
    let reveal = StoredValue::new_local(reveal);
    let rotate = move || view! { <Button label="Rotate secret…" icon=Icon::Again on_press=move |()| is_rotating.set(true) /> };
    let content = move || match (is_signed.get(), shown.get()) {
        (false, _) => view! { <span>"Callbacks are not signed"</span> },
        (true, None) => view! {
            <div class="page-actions">
                <Button label="Reveal secret" icon=Icon::Reveal on_press=move |()| reveal.with_value(|reveal| reveal()) />
                {rotate()}
            </div>
        },
        (true, Some(view)) => view! {
            {secret_lines(&view)}
            <div class="page-actions"><Button label="Hide" on_press=move |()| shown.set(None) />{rotate()}</div>
        },
    };
    let done = move || {
        shown.set(None);
        webhook.reload();
    };
    view! {
        <dl class="facts last"><div><dt>"Signing secret"</dt><dd class="stack">{part(content)}</dd></div></dl>
        <Dialog open=is_rotating title="Rotate the secret" class="wide">
            {part(move || is_up42.get().then(|| view! { <p class="hint">"UP42's own signature knows one secret only: it changes at once."</p> }))}
            <Rotate name=name.clone() done=done />
        </Dialog>
    }
}

/// A secret, its public key, and how long those before it sign on.
fn secret_lines(view: &SecretView) -> View {
    let line = |name: &'static str, text: String| {
        let copied = text.clone();
        view! { <span class="with-copy"><code class="break">{text}</code>{copy_button(name, move || copied.clone())}</span> }
    };
    let public =
        view.public_key.clone().map(|key| view! { <p class="hint">"Receivers verify with the public key:"</p>{line("Public key", key)} });
    let previous = view.previous.iter().map(|previous| {
        let at = previous.expires_at;
        view! { <p class="hint">{format!("A secret before it signs too, until {}.", words::date_time(at, offset_min(at)))}</p> }
    });
    view! {
        {view.secret.clone().map(|secret| line("Secret", secret))}
        {public}
        {previous.collect_view()}
    }
}

/// The body of a rotation as it was typed. What is no time stays as it was typed, so that the parser says what it should be.
fn body_of(overlap: &str, kind: &str, secret: &str) -> Value {
    let overlap = match overlap.trim() {
        "" | "0" => Value::from(0),
        text => words::seconds_of(text).map_or_else(|| Value::from(text), Value::from),
    };
    match kind {
        "given" => json!({ "overlap_s": overlap, "secret": secret.trim() }),
        "" => json!({ "overlap_s": overlap }),
        kind => json!({ "overlap_s": overlap, "kind": kind }),
    }
}

fn faults_of(body: &Value) -> Vec<Fault> {
    match Rotation::parse(&body.to_string()) {
        Ok(_) => Vec::new(),
        Err(InputFault::Invalid(faults)) => faults.into_named(),
        Err(InputFault::Malformed(detail)) => vec![Fault::new("", detail)],
    }
}

/// The form; afterwards the new secret.
#[component]
fn Rotate(
    /// The webhook.
    name: String,
    /// Called when it was done.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> View {
    let project = use_project();
    let (overlap, kind, secret) =
        (RwSignal::new(words::exact(OVERLAP_DEFAULT_S)), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (failure, made, sending) = (RwSignal::new(None::<ApiFailure>), RwSignal::new(None::<SecretView>), Sending::new());
    let body = move || body_of(&overlap.get(), &kind.get(), &secret.get());
    let faults = Memo::new(move || faults_of(&body()));
    let fault = move |field: &'static str| shown_fault(faults, field);
    let secret_fault = fault_when(faults, "secret", move || secret.with(|secret| !secret.trim().is_empty()));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if faults.with_untracked(|faults| !faults.is_empty()) {
            return;
        }
        failure.set(None);
        sending.send(project.rotate_secret(&name, &untrack(body)), move |answer| match answer {
            Ok(view) => {
                done();
                made.set(Some(view));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let submit = StoredValue::new_local(submit);
    let kinds = vec![
        ("", "Like the one before", ""),
        (SecretKind::V1.as_str(), "Shared secret", "whsec_, HMAC-SHA256 (v1): the receiver has it too"),
        (SecretKind::V1a.as_str(), "Key pair", "whsk_, ed25519 (v1a): the receiver has only the public key"),
        ("given", "Use mine", "whsec_ or whsk_ followed by base64"),
    ];
    part(move || match made.get() {
        Some(view) => made_view(&view),
        None => view! {
            <p class="about">"Callbacks are signed with both secrets for a while, so that the receiver can change over without missing one."</p>
            <form on:submit=hears(move |event| submit.with_value(|submit| submit(event))) novalidate=true>
                <TextField label="The old one signs on for" value=overlap first=true hint="Such as 1 d, 12 h or 30 min, at most 7 d. 0 ends it at once." fault=fault("overlap_s") />
                <Choice label="The new one" value=kind options=kinds.clone() />
                {part(move || kind.with(|kind| kind == "given").then(|| view! { <TextField label="New secret" value=secret kind="password" mono=true fault=secret_fault /> }))}
                {refusal(failure)}
                <div class="dialog-foot"><Submit label="Rotate now" sending=sending /></div>
            </form>
        },
    })
}

/// What a rotation made.
fn made_view(view: &SecretView) -> View {
    let ends = match view.previous.first().map(|previous| previous.expires_at) {
        Some(at) => {
            format!("The old one signs too until {}. Give the receiver the new one before then.", words::date_time(at, offset_min(at)))
        }
        None => String::from("The old one does not sign any more. Give the receiver the new one now."),
    };
    view! {
        <p role="status"><b>"The secret was replaced. "</b>{ends}</p>
        {view.public_key.clone().map(|key| view! { <p class="hint">"What the receiver verifies with:"</p>{code_block("Public key", key)}<p class="hint">"What Postern signs with:"</p> })}
        {view.secret.clone().map(|secret| code_block("New secret", secret))}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    #[test]
    fn a_rotation_says_only_what_was_chosen() {
        assert_eq!(body_of("1 d", "", "x"), json!({ "overlap_s": 86_400 }));
        assert_eq!(body_of("0", "v1a", ""), json!({ "overlap_s": 0, "kind": "v1a" }));
        assert_eq!(body_of("12 h", "given", " whsec_ "), json!({ "overlap_s": 43_200, "secret": "whsec_" }));
    }

    #[test]
    fn what_is_typed_is_judged_as_at_the_edge() {
        assert_eq!(faults_of(&body_of("1 d", "v1", "")), []);
        assert!(fault_of(&faults_of(&body_of("soon", "", "")), "overlap_s").is_some());
        assert!(fault_of(&faults_of(&body_of("8 d", "", "")), "overlap_s").is_some());
        assert!(fault_of(&faults_of(&body_of("1 d", "given", "guess me")), "secret").is_some());
    }
}
