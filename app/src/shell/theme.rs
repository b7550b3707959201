//! Light, dark, or as the system has it. `public/boot.js` applies the choice before the first paint.

use leptos::prelude::*;

use crate::browser::storage::Keep;
use crate::ui::icon::{Icon, glyph};

/// Must be the key that `public/boot.js` reads.
const KEY: &str = "postern.theme";

/// A button that goes through the three.
pub(crate) fn theme_button() -> AnyView {
    let theme = RwSignal::new(Keep::Browser.read(KEY).unwrap_or_default());
    let press = move |_| {
        let next = next(&theme.get_untracked());
        Keep::Browser.write(KEY, Some(next).filter(|next| !next.is_empty()));
        if let Some(root) = document().document_element() {
            // Fails only for a name that an attribute cannot have.
            drop(if next.is_empty() {
                root.remove_attribute("data-theme")
            } else {
                root.set_attribute("data-theme", next)
            });
        }
        theme.set(String::from(next));
    };
    let word = move || theme.with(|theme| word(theme));
    view! {
        <button type="button" class="button quiet" on:click=press>
            {glyph(Icon::Theme)}
            <span class="label">"Theme: "{move || word()}</span>
        </button>
    }
    .into_any()
}

/// The theme after this one; empty means as the system has it, and so does a value that is not known.
fn next(theme: &str) -> &'static str {
    match theme {
        "" => "light",
        "light" => "dark",
        _ => "",
    }
}

/// What the button says.
fn word(theme: &str) -> &'static str {
    match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_goes_round_and_a_value_from_elsewhere_means_the_system() {
        assert_eq!(next(next(next(""))), "");
        assert_eq!(word("purple"), "system");
        assert_eq!(next("purple"), "");
    }
}
