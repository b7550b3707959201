//! The third part of the form: attempts, the secret that signs, and extra headers.
//!
//! Stored secrets and protected headers are not known to the page: what is left as it is keeps its stored
//! value.

use leptos::prelude::*;
use postern_core::webhook::Contract;
use reactive_stores::{Store, Subfield};

use super::model::{FormField, HeaderDraft, Purpose, SecretMode, WebhookDraft, WebhookDraftStoreFields};
use super::said::Said;
use crate::project::ProjectState;
use crate::screens::schedule;
use crate::ui::button::{Button, icon_button};
use crate::ui::field::{Bound, Choice, Switch, TextField};
use crate::ui::icon::Icon;

/// Where the secret of a new webhook comes from: name, words, hint.
const SECRETS_OF_NEW: [(&str, &str, &str); 3] = [
    (SecretMode::Generate.as_str(), "Make one", "standard callbacks are signed; other contracts are not"),
    (SecretMode::Given.as_str(), "Use mine", "whsec_ or whsk_ followed by base64; for UP42 any text"),
    (SecretMode::None.as_str(), "None", "callbacks are not signed"),
];
/// The same for a webhook that is changed.
const SECRETS_OF_STORED: [(&str, &str, &str); 3] = [
    (SecretMode::Keep.as_str(), "Keep it as it is", ""),
    (SecretMode::Given.as_str(), "Use this one", "whsec_ or whsk_ followed by base64; for UP42 any text"),
    (SecretMode::None.as_str(), "None", "callbacks are not signed"),
];

/// Whether failed attempts are repeated, how long one may take, the secret and the headers. The hint of the
/// first says what that would be for this webhook: its own schedule, the project's, or Postern's.
#[component]
pub(super) fn How(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
    /// What the form is for.
    purpose: Purpose,
) -> AnyView {
    let state: ProjectState = expect_context();
    let retry_hint = Signal::derive(move || {
        let own =
            draft.own_schedule().get().then(|| draft.waits().with(|waits| schedule::parse(waits))).flatten();
        let projects = state
            .0
            .value
            .with(|detail| detail.as_ref().and_then(|detail| detail.settings.retry_schedule_s.clone()));
        let on = schedule::of_webhook(own.as_deref(), projects.as_deref());
        format!("On: {on}. Off: {}.", schedule::ONE_ATTEMPT)
    });
    let is_ubiops = Memo::new(move |_| draft.contract().get() == Contract::Ubiops);
    let include_result = move || {
        let hint = "Up to 16,000 bytes; a longer one is left out.";
        is_ubiops.get().then(|| {
            view! { <Switch label="Include the result" value=draft.include_result() hint=hint /> }.into_any()
        })
    };
    view! {
        <fieldset>
            <legend>"How"</legend>
            <Switch label="Repeat failed attempts" value=draft.retry() hint=retry_hint />
            {move || include_result()}
            <TextField
                label="Timeout in seconds"
                value=draft.timeout()
                kind="number"
                hint="For one attempt, 1 to 30"
                fault=said.fault(FormField::Timeout)
                on_leave=said.leave(FormField::Timeout)
            />
            <SigningSecret draft=draft said=said purpose=purpose />
            <HeaderList draft=draft said=said />
        </fieldset>
    }
    .into_any()
}

/// Where the secret comes from, and the field for one that is given. A secret that was typed stays while
/// another choice is looked at; it is sent only in its own.
#[component]
fn SigningSecret(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
    /// What the form is for.
    purpose: Purpose,
) -> AnyView {
    let options = match purpose {
        Purpose::Create => SECRETS_OF_NEW,
        Purpose::Edit => SECRETS_OF_STORED,
    };
    let chosen = Bound::from(draft.secret_mode()).by_name(SecretMode::as_str, SecretMode::parse);
    let mode = Memo::new(move |_| draft.secret_mode().get());
    let fault = said.fault(FormField::Secret);
    // A secret that is kept can stop fitting, such as when the contract is changed.
    let kept_fault = move || {
        let words = (mode.get() == SecretMode::Keep).then(|| fault.get()).flatten()?;
        Some(view! { <p class="fault">{words}</p> }.into_any())
    };
    let given = move || {
        (mode.get() == SecretMode::Given).then(|| {
            let leave = said.leave(FormField::Secret);
            view! { <TextField label="Secret" value=draft.secret() kind="password" mono=true fault=fault on_leave=leave /> }.into_any()
        })
    };
    view! {
        <Choice label="Signing secret" value=chosen options=options.to_vec() />
        {move || kept_fault()}
        {move || given()}
    }
    .into_any()
}

/// The headers of the form.
type Headers = Subfield<Store<WebhookDraft>, WebhookDraft, Vec<HeaderDraft>>;

/// Extra headers, a row each. What is wrong with one is said in its row, once the form was sent.
#[component]
fn HeaderList(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
) -> AnyView {
    let headers = draft.headers();
    let number = Memo::new(move |_| headers.with(Vec::len));
    let rows = move || {
        (0..number.get())
            .map(|at| view! { <HeaderRow headers=headers at=at said=said /> }.into_any())
            .collect_view()
    };
    let add = move || headers.update(|headers| headers.push(HeaderDraft::default()));
    view! {
        <div class="headers" role="group" aria-label="Extra headers">
            {move || rows()}
            <div class="beside">
                <Button label="Add a header" icon=Icon::Plus on_press=move |()| add() />
                <span class="hint">"A protected value is never shown again."</span>
            </div>
        </div>
    }
    .into_any()
}

/// One header. It is known by its place in the list: when another is removed, the rows stay and show what
/// moved up.
///
/// A stored value is not known here, so its field is empty: what is typed replaces it, and left empty it
/// stays.
#[component]
fn HeaderRow(
    /// All headers.
    headers: Headers,
    /// Which of them.
    at: usize,
    /// What is wrong with the form.
    said: Said,
) -> AnyView {
    let key = part(headers, at, |header| header.key.clone(), HeaderDraft::rename);
    let value = part(headers, at, |header| header.value.clone(), HeaderDraft::revalue);
    let protected =
        part(headers, at, |header| header.protected, |header, protected| header.protected = protected);
    let hint = Signal::derive(move || {
        let is_stored = headers.with(|headers| headers.get(at).is_some_and(|header| header.is_stored));
        String::from(if is_stored { "Leave it empty to keep the stored value" } else { "" })
    });
    let remove = move || {
        headers.update(|headers| {
            headers.remove(at);
        });
    };
    view! {
        <div class="header-row">
            <TextField label=format!("Header {}", at + 1) value=key mono=true placeholder="x-api-key" fault=said.header_fault(at, "key") />
            <TextField label="Value" value=value mono=true hint=hint fault=said.header_fault(at, "value") />
            <Switch label="Protected" value=protected />
            {icon_button(Icon::Delete, format!("Remove header {}", at + 1), remove)}
        </div>
    }
    .into_any()
}

/// A part of a header. By hand, because a store's own way to an index panics on one that was just removed,
/// which a row may still be asked for.
fn part<T: Clone + Default + Send + Sync + 'static>(
    headers: Headers,
    at: usize,
    read: fn(&HeaderDraft) -> T,
    write: fn(&mut HeaderDraft, T),
) -> Bound<T> {
    let shown = Signal::derive(move || headers.with(|headers| headers.get(at).map(read).unwrap_or_default()));
    Bound::new(shown, move |typed| {
        headers.update(|headers| {
            if let Some(header) = headers.get_mut(at) {
                write(header, typed);
            }
        });
    })
}
