//! States: a dot and a word, in one of four colours. The word alone says it all.

use leptos::prelude::*;

/// What a state means to a person.
///
/// Colours are the style sheet's; a screen says what a state means, and never which colour it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Under way, or to be watched.
    Busy,
    /// Somebody has to act.
    Bad,
    /// Nothing happens.
    #[default]
    Idle,
}

impl Tone {
    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Bad => "bad",
            Self::Idle => "idle",
        }
    }
}

/// A state that changes.
///
/// The element stays and its word changes, so that a screen reader announces it where it stands in a
/// `role="status"`.
pub(crate) fn badge(state: impl Fn() -> (Tone, String) + Send + Sync + 'static) -> AnyView {
    badge_of_signal(Memo::new(move |_| state()))
}

/// Not generic, so that it exists once.
fn badge_of_signal(state: Memo<(Tone, String)>) -> AnyView {
    view! {
        <span class=move || format!("badge {}", state.with(|(tone, _)| tone.class()))>
            <i class="dot" aria-hidden="true"></i>
            {move || state.with(|(_, word)| word.clone())}
        </span>
    }
    .into_any()
}

/// A state that stays as it is.
pub(crate) fn badge_of(tone: Tone, word: &str) -> AnyView {
    view! {
        <span class=format!("badge {}", tone.class())>
            <i class="dot" aria-hidden="true"></i>
            {String::from(word)}
        </span>
    }
    .into_any()
}
