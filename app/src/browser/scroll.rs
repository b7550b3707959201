//! Where things stand on the screen, and how far the page is scrolled.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// The height of the screen that the page has.
pub(crate) fn screen_height() -> f64 {
    window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default()
}

/// The upper and the lower edge of an element, below the upper edge of the screen.
pub(crate) fn edges(element: &Element) -> (f64, f64) {
    let rect = element.get_bounding_client_rect();
    (rect.top(), rect.bottom())
}

/// The width of an element.
pub(crate) fn width(element: &Element) -> f64 {
    element.get_bounding_client_rect().width()
}

/// Gives an element a property of style, or takes it away with an empty value. Not by the attribute `style`,
/// which the content security policy of the page ignores.
pub(crate) fn set_style(element: &Element, property: &str, value: &str) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // Fails only for what is not a property.
        drop(element.style().set_property(property, value));
    }
}

/// Scrolls on by `px`.
pub(crate) fn by(px: f64) {
    window().scroll_by_with_x_and_y(0.0, px);
}

/// Scrolls to the top of the page.
pub(crate) fn to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// The elements within `element`, without what is within them.
pub(crate) fn children(element: &Element) -> Vec<Element> {
    std::iter::successors(element.first_element_child(), Element::next_element_sibling).collect()
}

/// The element with this id.
pub(crate) fn element(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// What has the focus, if that is something within `element`.
pub(crate) fn focused_within(element: &Element) -> Option<HtmlElement> {
    let active = document().active_element().filter(|active| element.contains(Some(active)))?;
    active.dyn_into().ok()
}

/// Gives the focus back to what had it, where moving it within the document took it away.
pub(crate) fn refocus(element: &HtmlElement) {
    if element.is_connected() && document().active_element().as_ref() != Some(element.as_ref()) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        // Fails only where it may not have the focus any more.
        drop(element.focus_with_options(&options));
    }
}
