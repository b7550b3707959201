//! The address bar, the history and the title.

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;

/// The raw path, such as `/p/demo/webhooks`.
pub(crate) fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// `?…`, or nothing.
pub(crate) fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// `#…`, or nothing.
pub(crate) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Scheme and host, such as `https://postern.example`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Host and port, such as `postern.example` or `127.0.0.1:8787`.
pub(crate) fn host() -> String {
    window().location().host().unwrap_or_default()
}

/// Another address for the present entry of the history.
pub(crate) fn replace(address: &str) {
    if let Ok(history) = window().history() {
        // Fails only where a browser limits the rate of entries.
        drop(history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
    }
}

/// The title of the tab.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the browser believes that it has a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}
