//! Copying, and saying that it worked.

use super::button::icon_button;
use super::icon::Icon;
use super::toast::{Toasts, use_toasts};
use crate::browser::clipboard;
use crate::fetched::spawn;
use leptos::prelude::*;

/// Copies `text`; `what` is said afterwards: "`what` copied". A browser may refuse, such as on a page without
/// TLS; then it is said what to do instead.
pub(crate) fn copy(toasts: Toasts, what: &str, text: String) {
    let what = String::from(what);
    spawn(async move {
        if clipboard::copy(&text).await {
            toasts.say(format!("{what} copied"));
        } else {
            toasts.complain("The browser did not allow copying. Select the text and copy it by hand.");
        }
    });
}

/// A button that copies. `text` is asked for when it is pressed, so it may change until then.
///
/// It shows an icon only; its name is "Copy" and `what`, so that several on a screen are told apart by ear.
pub(crate) fn copy_button(what: &'static str, text: impl Fn() -> String + 'static) -> AnyView {
    boxed_copy_button(what, Box::new(text))
}

/// Not generic, so that it exists once.
fn boxed_copy_button(what: &'static str, text: Box<dyn Fn() -> String>) -> AnyView {
    let toasts = use_toasts();
    icon_button(Icon::Copy, format!("Copy {}", what.to_ascii_lowercase()), move || copy(toasts, what, text()))
}
