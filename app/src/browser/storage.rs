//! What survives a reload: in this tab (the token), or in this browser (the theme, and the searches that
//! somebody saved; nothing else).

use leptos::prelude::window;
use web_sys::Storage;

/// How long a value is kept.
#[derive(Clone, Copy)]
pub(crate) enum Keep {
    /// Until the tab is closed.
    Tab,
    /// For good.
    Browser,
}

impl Keep {
    fn storage(self) -> Option<Storage> {
        match self {
            Self::Tab => window().session_storage(),
            Self::Browser => window().local_storage(),
        }
        .ok()
        .flatten()
    }

    /// The value of `key`.
    pub(crate) fn read(self, key: &str) -> Option<String> {
        self.storage()?.get_item(key).ok().flatten()
    }

    /// Keeps `value` under `key`, or forgets it. A browser that refuses (a full or forbidden store) only
    /// costs memory across reloads.
    pub(crate) fn write(self, key: &str, value: Option<&str>) {
        if let Some(storage) = self.storage() {
            drop(match value {
                Some(value) => storage.set_item(key, value),
                None => storage.remove_item(key),
            });
        }
    }
}
