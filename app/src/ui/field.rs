//! Fields of forms: a label above, the control, a hint or what is wrong below. What is wrong is tied to the control
//! (`aria-describedby`, `aria-invalid`), so that it is heard when the control has the focus.

use crate::dom::{CollectView, View, flag, hears, only_if, part, view};
use crate::state::{RwSignal, Signal};
use leptos::prelude::*;

use super::fresh_id;

/// One line of text.
#[component]
pub(crate) fn TextField(
    /// Its name.
    #[prop(into)]
    label: String,
    /// What is typed.
    value: RwSignal<String>,
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
) -> View {
    let id = fresh_id();
    let (below, list) = (format!("{id}-below"), suggestions.map(|_| format!("{id}-list")));
    let is_wrong = move || fault.is_some_and(|fault| fault.with(Option::is_some));
    view! {
        <div class="field" class:wrong=flag(is_wrong)>
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
                aria-invalid=only_if(is_wrong)
                prop:value=value
                on:input=hears(move |event| value.set(event_target_value(&event)))
                on:blur=hears(move |_| {
                    if let Some(on_leave) = on_leave {
                        on_leave.run(());
                    }
                })
            />
            {suggestions.map(|suggestions| datalist(list.unwrap_or_default(), suggestions))}
            {below_field(below, hint, fault)}
        </div>
    }
}

/// Several lines of text.
#[component]
pub(crate) fn TextArea(
    /// Its name.
    #[prop(into)]
    label: String,
    /// What is typed.
    value: RwSignal<String>,
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
) -> View {
    let id = fresh_id();
    let below = format!("{id}-below");
    let is_wrong = move || fault.is_some_and(|fault| fault.with(Option::is_some));
    view! {
        <div class="field" class:wrong=flag(is_wrong)>
            <label for=id.clone()>{label}</label>
            <textarea
                id=id
                class:mono=mono
                rows=rows.to_string()
                spellcheck="false"
                aria-describedby=below.clone()
                aria-invalid=only_if(is_wrong)
                prop:value=value
                on:input=hears(move |event| value.set(event_target_value(&event)))
                on:blur=hears(move |_| {
                    if let Some(on_leave) = on_leave {
                        on_leave.run(());
                    }
                })
            ></textarea>
            {below_field(below, hint, fault)}
        </div>
    }
}

/// On or off.
#[component]
pub(crate) fn Switch(
    /// Its name.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    value: RwSignal<bool>,
    /// What it does.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
) -> View {
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
                    prop:checked=value
                    on:change=hears(move |event| value.set(event_target_checked(&event)))
                />
                <span>{label}</span>
            </label>
            {below_field(below, hint, None)}
        </div>
    }
}

/// Several things of which one is chosen, all in sight: each has a value, the words for it and a hint.
#[component]
pub(crate) fn Choice(
    /// Its name.
    #[prop(into)]
    label: String,
    /// What is chosen.
    value: RwSignal<String>,
    /// What can be chosen.
    options: Vec<(&'static str, &'static str, &'static str)>,
) -> View {
    let group = fresh_id();
    let option = |(name, words, hint): (&'static str, &'static str, &'static str)| {
        view! {
            <label class="choice">
                <input type="radio" name=group.clone() value=name prop:checked=flag(move || value.with(|value| value == name)) on:change=hears(move |_| value.set(String::from(name))) />
                <span><b>{words}</b>" "<span class="faint">{hint}</span></span>
            </label>
        }
    };
    let options = options.into_iter().map(option).collect_view();
    view! {
        <fieldset class="choices">
            <legend>{label}</legend>
            {options}
        </fieldset>
    }
}

/// The values that a text field offers.
pub(crate) fn datalist(id: String, values: Signal<Vec<String>>) -> View {
    let options = move || values.get().into_iter().map(|value| view! { <option value=value></option> }).collect_view();
    view! { <datalist id=id>{part(options)}</datalist> }
}

fn below_field(id: String, hint: Option<Signal<String>>, fault: Option<Signal<Option<String>>>) -> View {
    let wrong = move || fault.and_then(Signal::get);
    let content = move || match (wrong(), hint) {
        (Some(wrong), _) => view! { <span class="fault">{wrong}</span> },
        (None, Some(hint)) => view! { <span class="hint">{hint}</span> },
        (None, None) => View::nothing(),
    };
    view! { <div class="below" id=id>{part(content)}</div> }
}
