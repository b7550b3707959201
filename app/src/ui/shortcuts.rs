//! Shortcuts: screens say which keys they answer to, one listener hears them, one dialog lists those that
//! work now.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::browser::focus;

/// A key and what it does. Keys are written as on the button: `N`, `/`, `?`, `Esc`.
#[derive(Clone)]
pub(crate) struct Shortcut {
    /// Tells it from another with the same key.
    id: u32,
    /// The key.
    pub(crate) key: &'static str,
    /// What it does, in words.
    pub(crate) what: &'static str,
    /// Does it.
    act: UnsyncCallback<()>,
}

/// The shortcuts that work now.
#[derive(Clone, Copy)]
pub(crate) struct Shortcuts {
    /// Those of the screen come after those of the frame, and win.
    all: RwSignal<Vec<Shortcut>>,
    /// The number of the next one.
    next_id: StoredValue<u32>,
}

impl Shortcuts {
    /// Listens, and offers itself to everything below.
    pub(crate) fn provide() -> Self {
        let shortcuts = Self { all: RwSignal::new(Vec::new()), next_id: StoredValue::new(0) };
        window_event_listener(leptos::ev::keydown, move |event| shortcuts.hear(&event));
        provide_context(shortcuts);
        shortcuts
    }

    /// Those that work now, the most special last; reactive.
    pub(crate) fn all(self) -> Vec<Shortcut> {
        self.all.get()
    }

    /// Runs the shortcut that a key means, if there is one.
    ///
    /// A key with Ctrl, ⌘ or Alt belongs to the browser. In a text field every key but Esc is typed, and in a
    /// modal dialog the dialog has them all.
    fn hear(self, event: &KeyboardEvent) {
        if event.default_prevented()
            || event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || focus::is_in_dialog()
        {
            return;
        }
        let Some(key) = written(&event.key()).filter(|key| key == "Esc" || !focus::is_in_text()) else {
            return;
        };
        let found =
            self.all.with_untracked(|all| all.iter().rev().find(|shortcut| shortcut.key == key).cloned());
        if let Some(shortcut) = found {
            event.prevent_default();
            shortcut.act.run(());
        }
    }
}

/// Answers to `key` as long as the present scope lives. A newer one goes before an older one with the same
/// key.
pub(crate) fn use_shortcut(key: &'static str, what: &'static str, act: impl Fn() + 'static) {
    let shortcuts: Shortcuts = expect_context();
    let id = shortcuts.next_id.with_value(|id| *id);
    shortcuts.next_id.set_value(id + 1);
    shortcuts
        .all
        .update(|all| all.push(Shortcut { id, key, what, act: UnsyncCallback::new(move |()| act()) }));
    on_cleanup(move || {
        shortcuts.all.update(|all| all.retain(|shortcut| shortcut.id != id));
    });
}

/// The browser's name of a key as we write it; `None` for what is never a shortcut.
fn written(key: &str) -> Option<String> {
    match key {
        "Escape" => Some(String::from("Esc")),
        "ArrowDown" => Some(String::from("J")),
        "ArrowUp" => Some(String::from("K")),
        one if one.chars().count() == 1 => Some(one.to_ascii_uppercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_move_like_j_and_k() {
        assert_eq!(written("ArrowDown").as_deref(), Some("J"));
        assert_eq!(written("k").as_deref(), Some("K"));
        assert_eq!(written("?").as_deref(), Some("?"));
        assert_eq!(written("Tab"), None);
    }
}
