//! Keyboard focus: where it is, and moving it where a person expects it next.

use leptos::prelude::{document, request_animation_frame};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Moves the focus to the first element that `selector` finds, once what is being rendered is there.
///
/// In the next frame: what is asked for in the same turn is in the document by then. Nothing happens if there
/// is no such element.
pub(crate) fn soon(selector: &'static str) {
    request_animation_frame(move || {
        now(selector);
    });
}

/// Moves the focus to the first element that `selector` finds; whether there was one.
pub(crate) fn now(selector: &str) -> bool {
    let found = document()
        .query_selector(selector)
        .ok()
        .flatten()
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    found.is_some_and(|element| element.focus().is_ok())
}

/// Called before what `leaving` finds is taken off the page. If the focus is in it, the browser would drop
/// it, and a person at the keyboard would start from the top of the page again: it moves to the drawer that
/// it was in, else to the heading of the screen. It stays where it is if its element is still there
/// afterwards.
pub(crate) fn rescue(leaving: &str) {
    let is_in = |element: &Element, around: &str| element.closest(around).is_ok_and(|found| found.is_some());
    let Some(focused) = document().active_element().filter(|element| is_in(element, leaving)) else { return };
    let refuge = if is_in(&focused, ".drawer") { ".drawer" } else { "main h1" };
    request_animation_frame(move || {
        if !focused.is_connected() {
            now(refuge);
        }
    });
}

/// Moves the focus `by` elements among those that `selector` finds and says which element has it then. If the
/// focus is elsewhere, the step starts from the one within `open`, and if there is no such one it leads to
/// the first or the last.
pub(crate) fn step(selector: &str, open: &str, by: i32) -> Option<HtmlElement> {
    let found = document().query_selector_all(selector).ok()?;
    let count = i32::try_from(found.length()).ok()?;
    let active = document().active_element();
    let place = |is: &dyn Fn(&Element) -> bool| {
        let is_it = |at: &u32| {
            found.item(*at).and_then(|node| node.dyn_into().ok()).is_some_and(|element: Element| is(&element))
        };
        (0..found.length()).find(is_it)
    };
    let at = place(&|element| Some(element) == active.as_ref())
        .or_else(|| place(&|element| element.closest(open).is_ok_and(|around| around.is_some())));
    let next = match at {
        Some(at) => (i32::try_from(at).ok()? + by).clamp(0, count - 1),
        None if by > 0 => 0,
        None => count - 1,
    };
    let element = found.item(u32::try_from(next).ok()?)?.dyn_into::<HtmlElement>().ok()?;
    element.focus().ok()?;
    Some(element)
}

/// Whether what has the focus takes letters, so that a single key must not be a shortcut.
pub(crate) fn is_in_text() -> bool {
    document()
        .active_element()
        .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Whether a modal dialog is open.
pub(crate) fn is_in_dialog() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}
