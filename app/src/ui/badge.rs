//! States: a dot and a word, in one of four colours. The word alone says it all.

use crate::dom::{View, part, value, view};
use crate::state::Memo;

/// What a state means to a person.
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
pub(crate) fn badge(state: impl Fn() -> (Tone, String) + Send + Sync + 'static) -> View {
    badge_of_signal(Memo::new(state))
}

fn badge_of_signal(state: Memo<(Tone, String)>) -> View {
    view! {
        <span class=value(move || Some(format!("badge {}", state.with(|(tone, _)| tone.class()))))>
            <i class="dot" aria-hidden="true"></i>
            {part(move || state.with(|(_, word)| word.clone()))}
        </span>
    }
}

/// A state that stays as it is.
pub(crate) fn badge_of(tone: Tone, word: &str) -> View {
    view! {
        <span class=format!("badge {}", tone.class())>
            <i class="dot" aria-hidden="true"></i>
            {String::from(word)}
        </span>
    }
}
