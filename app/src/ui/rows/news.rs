//! The bar above a list whose new rows wait to be shown.

use std::time::Duration;

use leptos::prelude::*;

use super::Core;
use crate::browser::clock::use_clock;
use crate::browser::{focus, scroll};
use crate::fetched::effect;
use crate::live::at_most_every;
use crate::ui::button::keycap;
use crate::ui::shortcuts::use_shortcut;
use crate::words;

/// How often it is said to the ear how many there are: a number that moves all the time is noise.
const SAID_EVERY_MS: i64 = 10_000;
/// How often the number on the bar moves: with each message, a page that shows nothing else new would be
/// painted every frame.
const COUNTED_EVERY: Duration = Duration::from_millis(250);
/// The key that shows them.
const KEY: &str = ".";

/// The bar, as long as rows wait. They are shown when it is pressed, when the list is scrolled to its top,
/// and once they come slowly again.
pub(crate) fn news(core: Core) -> AnyView {
    let clock = use_clock();
    let (said, said_at) = (RwSignal::new(String::new()), StoredValue::new(0i64));
    effect(move || {
        let now = clock.now().0;
        look(core, now);
        say(core, now, said, said_at);
    });
    let show = move || {
        core.show_waiting();
        scroll::to_top();
        focus::soon("main [data-row]");
    };
    use_shortcut(KEY, "Show what is new", move || {
        if core.waiting.get_untracked() > 0 {
            show();
        }
    });
    let (number, is_shown) = (counted(core), Memo::new(move |_| core.waiting.get() > 0));
    let bar = move || {
        is_shown.get().then(|| {
            view! {
                <div class="news">
                    <button type="button" class="button primary" aria-keyshortcuts=KEY on:click=move |_| show()>
                        <span class="label">{move || label(number.get())}</span>
                        {keycap(KEY)}
                    </button>
                </div>
            }
            .into_any()
        })
    };
    view! {
        <span class="for-ear" role="status" aria-label="New rows">{said}</span>
        {move || bar()}
    }
    .into_any()
}

/// How many wait, as the bar says it: the first at once, then a few times a second.
fn counted(core: Core) -> RwSignal<usize> {
    let number = RwSignal::new(0);
    let later = at_most_every(COUNTED_EVERY, move || number.set(core.waiting.get_untracked()));
    effect(move || {
        let waiting = core.waiting.get();
        if waiting == 0 || number.get_untracked() == 0 {
            number.set(waiting);
        } else {
            later();
        }
    });
    number
}

/// Shows what waits once rows come slowly enough to be read. Not what would load the list anew: that waits to
/// be asked for.
fn look(core: Core, now: i64) {
    let is_calm = core
        .with(|intake| intake.waiting() > 0 && intake.is_kept_whole() && intake.is_calm(now))
        .unwrap_or_default();
    if is_calm && core.is_still.try_get_value() == Some(false) {
        core.show_waiting();
    }
}

/// Says to the ear how many wait, now and then.
fn say(core: Core, now: i64, said: RwSignal<String>, said_at: StoredValue<i64>) {
    let waiting = core.waiting.get_untracked();
    if waiting == 0 && said.with_untracked(|said| !said.is_empty()) {
        said.set(String::new());
        said_at.set_value(0);
    }
    if waiting > 0 && now - said_at.get_value() >= SAID_EVERY_MS {
        said.set(label(waiting));
        said_at.set_value(now);
    }
}

/// Such as `+1,250 new`.
fn label(waiting: usize) -> String {
    format!("+{} new", words::number(u64::try_from(waiting).unwrap_or(u64::MAX)))
}

/// Shows what waits because the top of the list was scrolled to.
pub(super) fn reached_top(core: Core) {
    let has_news = core.waiting.try_get_untracked().is_some_and(|waiting| waiting > 0);
    if has_news && core.is_still.try_get_value() == Some(false) {
        core.show_waiting();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_many() {
        assert_eq!(label(125), "+125 new");
        assert_eq!(label(1_250), format!("+{} new", words::number(1_250)));
    }
}
