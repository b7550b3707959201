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

/// Whether a host, with or without a port, is this very machine.
///
/// A name that only resolves to this machine is not one: what it resolves to, another program decides.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A new entry of the history.
pub(crate) fn push(address: &str) {
    if let Ok(history) = window().history() {
        // Fails only where a browser limits the rate of entries; then the page stays where it is.
        drop(history.push_state_with_url(&JsValue::NULL, "", Some(address)));
    }
    tell();
}

/// Another address for the present entry of the history.
pub(crate) fn replace(address: &str) {
    if let Ok(history) = window().history() {
        // As in `push`.
        drop(history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
    }
    tell();
}

/// Tells the router, which follows the address, to read it again.
fn tell() {
    if let Ok(event) = web_sys::Event::new("popstate") {
        // Fails only for an event that is being dispatched already.
        drop(window().dispatch_event(&event));
    }
}

/// Back to the top, for a new place.
pub(crate) fn scroll_to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// The title of the tab.
///
/// The history shows it, and a screen reader says it when a tab is chosen.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the browser believes that it has a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_on_a_loopback_address_is_a_development_one() {
        for host in ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["postern.example", "10.0.0.1:8787", "localhost.example", "127.0.0.1.postern.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
