//! Fields of forms: a label above, the control, a hint or what is wrong below. What is wrong is tied to the
//! control (`aria-describedby`, `aria-invalid`), so that it is heard when the control has the focus.
//!
//! A control knows nothing of the form that it is in: it shows a [`Bound`] value and hands back what a person
//! makes of it.

use leptos::prelude::*;
use reactive_stores::{StoreField, Subfield};

use super::fresh_id;

/// What a control shows and changes: a signal of its own, a field of a store, or a part of either. Controls
/// take this, so that each of them is compiled once whatever it is bound to.
pub(crate) struct Bound<T: Send + Sync + 'static> {
    /// What the control shows.
    shown: Signal<T>,
    /// Called with what a person makes of it.
    change: UnsyncCallback<T>,
}

impl<T: Send + Sync> Clone for Bound<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync> Copy for Bound<T> {}

impl<T: Clone + Send + Sync + 'static> Bound<T> {
    /// Shows `shown`, and calls `change` with what a person makes of it.
    pub(crate) fn new(shown: impl Into<Signal<T>>, change: impl Fn(T) + 'static) -> Self {
        Self { shown: shown.into(), change: UnsyncCallback::new(change) }
    }

    /// The same by name, for a [`Choice`], whose radio buttons have names as their values. An unknown name
    /// changes nothing.
    pub(crate) fn by_name(self, name: fn(T) -> &'static str, parse: fn(&str) -> Option<T>) -> Bound<String> {
        let shown = Signal::derive(move || String::from(name(self.shown.get())));
        Bound::new(shown, move |chosen: String| {
            if let Some(chosen) = parse(&chosen) {
                self.change.run(chosen);
            }
        })
    }
}

impl<T: Clone + Send + Sync + 'static> From<RwSignal<T>> for Bound<T> {
    fn from(signal: RwSignal<T>) -> Self {
        Self::new(signal, move |typed| signal.set(typed))
    }
}

impl<Inner, Prev, T> From<Subfield<Inner, Prev, T>> for Bound<T>
where
    Inner: StoreField<Value = Prev> + Track + IsDisposed + Copy + Send + Sync + 'static,
    Prev: 'static,
    T: Clone + Send + Sync + 'static,
{
    fn from(field: Subfield<Inner, Prev, T>) -> Self {
        Self::new(field, move |typed| field.set(typed))
    }
}

/// One line of text, of whatever kind the browser has a control for. Browsers neither complete nor correct
/// it: names, addresses and patterns are not prose.
#[component]
pub(crate) fn TextField(
    /// Its name.
    #[prop(into)]
    label: String,
    /// What is typed.
    #[prop(into)]
    value: Bound<String>,
    /// What it is for, or what fits.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// What is wrong with it.
    #[prop(optional, into)]
    fault: Option<Signal<Option<String>>>,
    /// `text`, `password`, `number`, `url`, `search`.
    #[prop(optional, into)]
    kind: Option<&'static str>,
    /// An example.
    #[prop(optional, into)]
    placeholder: Option<&'static str>,
    /// What may be meant.
    #[prop(optional, into)]
    suggestions: Option<Signal<Vec<String>>>,
    /// Whether it is set in the type of what is copied.
    #[prop(optional)]
    mono: bool,
    /// Whether the label is only for the ear.
    #[prop(optional)]
    bare: bool,
    /// Whether it has the focus when it appears.
    #[prop(optional)]
    first: bool,
    /// Called when the focus leaves it.
    #[prop(optional, into)]
    on_leave: Option<UnsyncCallback<()>>,
) -> AnyView {
    let id = fresh_id();
    let (below, list) = (format!("{id}-below"), suggestions.map(|_| format!("{id}-list")));
    let is_wrong = move || fault.is_some_and(|fault| fault.with(Option::is_some));
    view! {
        <div class="field" class:wrong=is_wrong>
            <label for=id.clone() class:for-ear=bare>{label}</label>
            <input
                id=id
                class:mono=mono
                type=kind.unwrap_or("text")
                placeholder=placeholder
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                autofocus=first
                list=list.clone()
                aria-describedby=below.clone()
                aria-invalid=move || is_wrong().then_some("true")
                prop:value=value.shown
                on:input=move |event| value.change.run(event_target_value(&event))
                on:blur=move |_| left(on_leave)
            />
            {suggestions.map(|suggestions| datalist(list.unwrap_or_default(), suggestions))}
            {below_field(below, hint, fault)}
        </div>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub(crate) fn TextArea(
    /// Its name.
    #[prop(into)]
    label: String,
    /// What is typed.
    #[prop(into)]
    value: Bound<String>,
    /// What it is for, or what fits.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// What is wrong with it.
    #[prop(optional, into)]
    fault: Option<Signal<Option<String>>>,
    /// Lines shown.
    #[prop(default = 4)]
    rows: u32,
    /// Whether it is set in the type of what is copied.
    #[prop(optional)]
    mono: bool,
    /// Called when the focus leaves it.
    #[prop(optional, into)]
    on_leave: Option<UnsyncCallback<()>>,
) -> AnyView {
    let id = fresh_id();
    let below = format!("{id}-below");
    let is_wrong = move || fault.is_some_and(|fault| fault.with(Option::is_some));
    view! {
        <div class="field" class:wrong=is_wrong>
            <label for=id.clone()>{label}</label>
            <textarea
                id=id
                class:mono=mono
                rows=rows.to_string()
                spellcheck="false"
                aria-describedby=below.clone()
                aria-invalid=move || is_wrong().then_some("true")
                prop:value=value.shown
                on:input=move |event| value.change.run(event_target_value(&event))
                on:blur=move |_| left(on_leave)
            ></textarea>
            {below_field(below, hint, fault)}
        </div>
    }
    .into_any()
}

/// On or off.
///
/// It holds at once, as far as its form goes: what is shown is what will be sent.
#[component]
pub(crate) fn Switch(
    /// Its name.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    #[prop(into)]
    value: Bound<bool>,
    /// What it does.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
) -> AnyView {
    let id = fresh_id();
    let (below, input_id) = (format!("{id}-below"), id.clone());
    view! {
        <div class="field switch">
            <label for=id>
                <input
                    id=input_id
                    type="checkbox"
                    role="switch"
                    aria-describedby=below.clone()
                    prop:checked=value.shown
                    on:change=move |event| value.change.run(event_target_checked(&event))
                />
                <span>{label}</span>
            </label>
            {below_field(below, hint, None)}
        </div>
    }
    .into_any()
}

/// Several things of which one is chosen, all in sight: each has a value, the words for it and a hint.
///
/// The browser's radio buttons: arrow keys move among them, and Tab goes past all of them at once. Options
/// are (name, words, hint), and `value` is the name.
#[component]
pub(crate) fn Choice(
    /// Its name.
    #[prop(into)]
    label: String,
    /// The name of what is chosen.
    #[prop(into)]
    value: Bound<String>,
    /// What can be chosen.
    options: Vec<(&'static str, &'static str, &'static str)>,
) -> AnyView {
    let group = fresh_id();
    let option = |(name, words, hint): (&'static str, &'static str, &'static str)| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name=group.clone()
                    value=name
                    prop:checked=move || value.shown.with(|value| value == name)
                    on:change=move |_| value.change.run(String::from(name))
                />
                <span><b>{words}</b>" "<span class="faint">{hint}</span></span>
            </label>
        }
        .into_any()
    };
    let options = options.into_iter().map(option).collect_view();
    view! {
        <fieldset class="choices">
            <legend>{label}</legend>
            {options}
        </fieldset>
    }
    .into_any()
}

/// The values that a text field offers: suggestions, not the only ones that fit.
pub(crate) fn datalist(id: String, values: Signal<Vec<String>>) -> AnyView {
    let options = move || {
        values
            .get()
            .into_iter()
            .map(|value| view! { <option value=value></option> }.into_any())
            .collect_view()
    };
    view! { <datalist id=id>{move || options()}</datalist> }.into_any()
}

/// Tells that the focus has left a control. A field that is taken away with the focus in it is left after its
/// scope has ended: then there is nobody to tell.
fn left(on_leave: Option<UnsyncCallback<()>>) {
    if let Some(on_leave) = on_leave {
        on_leave.try_run(());
    }
}

/// What stands below a control: what is wrong with it, else its hint. The control names `id` in its
/// `aria-describedby`.
fn below_field(id: String, hint: Option<Signal<String>>, fault: Option<Signal<Option<String>>>) -> AnyView {
    let wrong = move || fault.and_then(|signal| signal.get());
    let content = move || match (wrong(), hint) {
        (Some(wrong), _) => view! { <span class="fault">{wrong}</span> }.into_any(),
        (None, Some(hint)) => view! { <span class="hint">{hint}</span> }.into_any(),
        (None, None) => ().into_any(),
    };
    view! { <div class="below" id=id>{move || content()}</div> }.into_any()
}
