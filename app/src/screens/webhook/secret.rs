//! The signing secret: asked for only when somebody wants to see it, and replaced while the one before signs
//! on for a while.
//!
//! A secret is never part of a webhook as it is loaded. It is fetched when somebody reveals it, which the
//! audit log notes, and forgotten by the page when it is hidden or the screen is left.

use leptos::prelude::*;
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::fault::{Fault, InputFault};
use postern_core::signing::SecretKind;
use postern_core::webhook::Contract;
use postern_core::webhook::rotation::{OVERLAP_DEFAULT_S, Rotation};
use reactive_stores::Store;
use serde_json::{Value, json};

use crate::api::{ApiFailure, use_project};
use crate::browser::clock::offset_min;
use crate::fetched::{Fetched, when};
use crate::ui::button::Button;
use crate::ui::code::code_block;
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{Sending, Submit, fault_when, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;
use crate::words;

/// The secret among a webhook's facts: hidden, until it is revealed. UP42's own signature has no overlap, so
/// the dialog says that a rotation holds at once.
///
/// What is revealed stays until it is hidden, replaced, or the screen is left; a change of the webhook does
/// not reveal or hide anything.
#[component]
pub(super) fn SecretRow(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let shown = RwSignal::new(None::<SecretView>);
    let is_rotating = RwSignal::new(false);
    let is_signed = Memo::new(move |_| {
        webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.signed))
    });
    let is_up42 = Memo::new(move |_| {
        webhook
            .value
            .with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.contract == Contract::Up42))
    });
    let reveal = revealing(name.clone(), shown);
    let rotate = move || {
        view! { <Button label="Rotate secret…" icon=Icon::Again on_press=move |()| is_rotating.set(true) /> }
            .into_any()
    };
    let content = move || {
        match (is_signed.get(), shown.get()) {
        (false, _) => view! { <span>"Callbacks are not signed"</span> }.into_any(),
        (true, None) => view! {
            <div class="page-actions">
                <Button label="Reveal secret" icon=Icon::Reveal on_press=reveal />
                {rotate()}
            </div>
        }
        .into_any(),
        (true, Some(view)) => view! {
            {secret_lines(&view)}
            <div class="page-actions"><Button label="Hide" on_press=move |()| shown.set(None) />{rotate()}</div>
        }
        .into_any(),
    }
    };
    let done = move || {
        shown.set(None);
        webhook.reload();
    };
    let one_only = move || {
        let words = "UP42's own signature knows one secret only: it changes at once.";
        is_up42.get().then(|| view! { <p class="hint">{words}</p> }.into_any())
    };
    view! {
        <dl class="facts last"><div><dt>"Signing secret"</dt><dd class="stack">{move || content()}</dd></div></dl>
        <Dialog open=is_rotating title="Rotate the secret" class="wide">
            {move || one_only()}
            <Rotate name=name.clone() done=move || done() />
        </Dialog>
    }
    .into_any()
}

/// Asks for the secret, which is noted in the audit log, and shows it.
fn revealing(name: String, shown: RwSignal<Option<SecretView>>) -> UnsyncCallback<()> {
    let (project, toasts) = (use_project(), use_toasts());
    UnsyncCallback::new(move |()| {
        when(project.webhook_secret(&name), move |answer| match answer {
            Ok(view) => shown.set(Some(view)),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    })
}

/// A secret, its public key, and how long those before it sign on. A shared secret has no public key; of a
/// key pair the receiver needs nothing else.
fn secret_lines(view: &SecretView) -> AnyView {
    let line = |name: &'static str, text: String| {
        let copied = text.clone();
        view! { <span class="with-copy"><code class="break">{text}</code>{copy_button(name, move || copied.clone())}</span> }.into_any()
    };
    let public = view.public_key.clone().map(|key| {
        view! {
            <p class="hint">"Receivers verify with the public key:"</p>
            {line("Public key", key)}
        }
        .into_any()
    });
    let previous = view.previous.iter().map(|previous| {
        let at = previous.expires_at;
        view! { <p class="hint">{format!("The previous secret also signs until {}.", words::date_time(at, offset_min(at)))}</p> }.into_any()
    });
    view! {
        {view.secret.clone().map(|secret| line("Secret", secret))}
        {public}
        {previous.collect_view()}
    }
    .into_any()
}

/// What takes the place of the secret. Its names are those of the form only; [`RotationDraft::body`] says
/// what goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NewSecret {
    /// One of the same kind.
    LikeBefore,
    /// One of this kind.
    Made(SecretKind),
    /// One that is typed.
    Given,
}

impl NewSecret {
    /// All of them, in the order in which they are offered.
    const ALL: [Self; 4] =
        [Self::LikeBefore, Self::Made(SecretKind::V1), Self::Made(SecretKind::V1a), Self::Given];

    /// Its name in the form.
    const fn as_str(self) -> &'static str {
        match self {
            Self::LikeBefore => "",
            Self::Made(kind) => kind.as_str(),
            Self::Given => "given",
        }
    }

    /// Reads the name.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.as_str() == name)
    }

    /// What stands beside its button: words and a hint.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::LikeBefore => ("Like the one before", ""),
            Self::Made(SecretKind::V1) => {
                ("Shared secret", "whsec_, HMAC-SHA256 (v1): the receiver has it too")
            }
            Self::Made(SecretKind::V1a) => {
                ("Key pair", "whsk_, ed25519 (v1a): the receiver has only the public key")
            }
            Self::Given => ("Use mine", "whsec_ or whsk_ followed by base64"),
        }
    }
}

/// The form of a rotation. The overlap is a text until it is parsed.
#[derive(Clone, Debug, PartialEq, Eq, Store)]
struct RotationDraft {
    /// For how long the secret before signs too.
    overlap: String,
    /// What takes its place.
    new: NewSecret,
    /// The secret; counts only where it is [`NewSecret::Given`].
    secret: String,
}

impl RotationDraft {
    /// The body of the rotation. Text that is not a time is sent as it was typed, so that the parser says
    /// what it should be.
    fn body(&self) -> Value {
        let overlap = match self.overlap.trim() {
            "" | "0" => Value::from(0),
            text => words::seconds_of(text).map_or_else(|| Value::from(text), Value::from),
        };
        match self.new {
            NewSecret::LikeBefore => json!({ "overlap_s": overlap }),
            NewSecret::Made(kind) => json!({ "overlap_s": overlap, "kind": kind.as_str() }),
            NewSecret::Given => json!({ "overlap_s": overlap, "secret": self.secret.trim() }),
        }
    }

    /// What the edge would say is wrong with it.
    fn faults(&self) -> Vec<Fault> {
        match Rotation::parse(&self.body().to_string()) {
            Ok(_) => Vec::new(),
            Err(InputFault::Invalid(faults)) => faults.into_named(),
            Err(InputFault::Malformed(detail)) => vec![Fault::new("", detail)],
        }
    }
}

/// The form; afterwards the new secret, which the receiver has to be given before the old one ends.
///
/// Nothing is sent while a field is wrong. The dialog makes the form anew each time it is opened, so a secret
/// that was typed does not stay in the page.
///
/// Closing the dialog before the new secret was copied loses nothing: it can be revealed, unlike a token.
#[component]
fn Rotate(
    /// The webhook.
    name: String,
    /// Called when it was done.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let project = use_project();
    let draft = Store::new(RotationDraft {
        overlap: words::exact(OVERLAP_DEFAULT_S),
        new: NewSecret::LikeBefore,
        secret: String::new(),
    });
    let faults = Memo::new(move |_| draft.with(RotationDraft::faults));
    let (failure, made, sending) =
        (RwSignal::new(None::<ApiFailure>), RwSignal::new(None::<SecretView>), Sending::new());
    let submit = UnsyncCallback::new(move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if faults.with_untracked(|faults| !faults.is_empty()) {
            return;
        }
        failure.set(None);
        sending.send(
            project.rotate_secret(&name, &draft.with_untracked(RotationDraft::body)),
            move |answer| match answer {
                Ok(view) => {
                    done();
                    made.set(Some(view));
                }
                Err(refused) => failure.set(Some(refused)),
            },
        );
    });
    (move || match made.get() {
        Some(view) => made_view(&view),
        None => view! {
            <p class="about">
                "Callbacks are signed with both secrets for a while, so that the receiver can change over without missing one."
            </p>
            <form on:submit=move |event| submit.run(event) novalidate=true>
                <RotationFields draft=draft faults=faults />
                {refusal(failure)}
                <div class="dialog-foot"><Submit label="Rotate now" sending=sending /></div>
            </form>
        }
        .into_any(),
    })
    .into_any()
}

/// How long the old secret signs on, and what the new one is.
///
/// The field for a secret of one's own is there only while that is chosen; what was typed is kept and not
/// sent with another choice.
#[component]
fn RotationFields(
    /// The form.
    draft: Store<RotationDraft>,
    /// What is wrong with it.
    faults: Memo<Vec<Fault>>,
) -> AnyView {
    let chosen = Bound::from(draft.new()).by_name(NewSecret::as_str, NewSecret::parse);
    let options = NewSecret::ALL.map(|secret| (secret.as_str(), secret.words().0, secret.words().1)).to_vec();
    let is_given = Memo::new(move |_| draft.new().get() == NewSecret::Given);
    let secret_fault =
        fault_when(faults, "secret", move || draft.secret().with(|secret| !secret.trim().is_empty()));
    let given = move || {
        is_given.get().then(|| {
            view! { <TextField label="New secret" value=draft.secret() kind="password" mono=true fault=secret_fault /> }.into_any()
        })
    };
    view! {
        <TextField
            label="The old one keeps signing for"
            value=draft.overlap()
            first=true
            hint="Such as 1 d, 12 h or 30 min, at most 7 d. 0 ends it at once."
            fault=shown_fault(faults, "overlap_s")
        />
        <Choice label="The new one" value=chosen options=options />
        {move || given()}
    }
    .into_any()
}

/// What a rotation made. Of a key pair it says which half is whose, because the two are easy to mix up.
fn made_view(view: &SecretView) -> AnyView {
    let ends = match view.previous.first().map(|previous| previous.expires_at) {
        Some(at) => {
            format!(
                "The old one also signs until {}. Give the receiver the new one before then.",
                words::date_time(at, offset_min(at))
            )
        }
        None => String::from("The old one no longer signs. Give the receiver the new one now."),
    };
    let public = view.public_key.clone().map(|key| {
        view! {
            <p class="hint">"What the receiver verifies with:"</p>
            {code_block("Public key", key)}
            <p class="hint">"What Postern signs with:"</p>
        }
        .into_any()
    });
    let secret = view.secret.clone().map(|secret| code_block("New secret", secret));
    view! {
        <p role="status"><b>"The secret was replaced. "</b>{ends}</p>
        {public}
        {secret}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    fn draft(overlap: &str, new: NewSecret, secret: &str) -> RotationDraft {
        RotationDraft { overlap: String::from(overlap), new, secret: String::from(secret) }
    }

    #[test]
    fn a_rotation_says_only_what_was_chosen() {
        assert_eq!(draft("1 d", NewSecret::LikeBefore, "x").body(), json!({ "overlap_s": 86_400 }));
        assert_eq!(
            draft("0", NewSecret::Made(SecretKind::V1a), "").body(),
            json!({ "overlap_s": 0, "kind": "v1a" })
        );
        assert_eq!(
            draft("12 h", NewSecret::Given, " whsec_ ").body(),
            json!({ "overlap_s": 43_200, "secret": "whsec_" })
        );
    }

    #[test]
    fn what_is_typed_is_judged_as_at_the_edge() {
        assert_eq!(draft("1 d", NewSecret::Made(SecretKind::V1), "").faults(), []);
        assert!(fault_of(&draft("soon", NewSecret::LikeBefore, "").faults(), "overlap_s").is_some());
        assert!(fault_of(&draft("8 d", NewSecret::LikeBefore, "").faults(), "overlap_s").is_some());
        assert!(fault_of(&draft("1 d", NewSecret::Given, "guess me").faults(), "secret").is_some());
    }

    #[test]
    fn every_choice_reads_its_own_name() {
        for secret in NewSecret::ALL {
            assert_eq!(NewSecret::parse(secret.as_str()), Some(secret));
        }
        assert_eq!(NewSecret::parse("v2"), None);
    }
}
