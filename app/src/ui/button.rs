//! Buttons, and links that look like them. A button that has a shortcut says so.

use leptos::prelude::*;

use super::icon::{Icon, glyph};

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// What a person most likely wants here; one a screen.
    Primary,
    /// Everything else.
    #[default]
    Plain,
    /// Without a border, among others of its kind.
    Quiet,
    /// What takes something away.
    Danger,
}

impl Look {
    /// Its class.
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Plain => "button",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
        }
    }
}

/// A button.
///
/// While `disabled` it can still have the focus and is announced as unavailable: a press does nothing.
#[component]
pub(crate) fn Button(
    /// What it does, in words.
    #[prop(into)]
    label: Signal<String>,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// Before the words.
    #[prop(optional, into)]
    icon: Option<Icon>,
    /// Its shortcut as it is written on it, such as `N`.
    #[prop(optional)]
    shortcut: &'static str,
    /// Whether it cannot be pressed now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Whether it sends the form that it is in.
    #[prop(optional)]
    submits: bool,
    /// What only assistive technology needs to hear more than the label, such as the name of what would be
    /// deleted.
    #[prop(optional, into)]
    about: Option<String>,
    /// Called when it is pressed.
    #[prop(optional, into)]
    on_press: Option<UnsyncCallback<()>>,
) -> AnyView {
    let press = move |_| {
        if let Some(on_press) = on_press
            && !disabled.get_untracked()
        {
            on_press.run(());
        }
    };
    // `aria-disabled`, not `disabled`: the button keeps the focus while what it started is under way.
    view! {
        <button
            class=look.class()
            type=if submits { "submit" } else { "button" }
            aria-disabled=move || disabled.get().then_some("true")
            aria-keyshortcuts=(!shortcut.is_empty()).then_some(shortcut)
            on:click=press
        >
            {icon.map(glyph)}
            <span class="label">{label}{about.map(|about| view! { <span class="for-ear">{format!(" {about}")}</span> }.into_any())}</span>
            {keycap(shortcut)}
        </button>
    }
    .into_any()
}

/// A link to an address of ours that looks like a button.
///
/// For what is a place: it can be opened in another tab and copied, which a button cannot. The shortcut is
/// only written on it; the screen registers it ([`super::shortcuts::use_shortcut`]).
#[component]
pub(crate) fn LinkButton(
    /// Where it leads, in words.
    #[prop(into)]
    label: String,
    /// Path and query.
    #[prop(into)]
    href: Signal<String>,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// Before the words.
    #[prop(optional, into)]
    icon: Option<Icon>,
    /// Its shortcut as it is written on it.
    #[prop(optional)]
    shortcut: &'static str,
) -> AnyView {
    view! {
        <a class=look.class() href=href aria-keyshortcuts=(!shortcut.is_empty()).then_some(shortcut)>
            {icon.map(glyph)}
            <span class="label">{label}</span>
            {keycap(shortcut)}
        </a>
    }
    .into_any()
}

/// A key as it is written on a button or in a list of shortcuts. Not part of the button's name:
/// `aria-keyshortcuts` says it.
pub(crate) fn keycap(key: &'static str) -> AnyView {
    if key.is_empty() {
        return ().into_any();
    }
    view! { <kbd aria-hidden="true">{key}</kbd> }.into_any()
}

/// A button that shows only an icon; its name is for the ear and for the tip.
pub(crate) fn icon_button(icon: Icon, name: impl Into<String>, on_press: impl Fn() + 'static) -> AnyView {
    boxed_icon_button(icon, name.into(), Box::new(on_press))
}

/// Not generic, so that it exists once.
fn boxed_icon_button(icon: Icon, name: String, on_press: Box<dyn Fn()>) -> AnyView {
    view! {
        <button class="button quiet only-icon" type="button" title=name.clone() aria-label=name on:click=move |_| on_press()>
            {glyph(icon)}
        </button>
    }
    .into_any()
}
