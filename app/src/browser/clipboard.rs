//! The clipboard.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Copies `text`; `false` where the browser does not let us (no permission, or a page that is not secure).
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Outside secure contexts the property is missing, and calling through it would throw.
    let there = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|found| !found.is_undefined());
    there && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
