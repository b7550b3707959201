//! Copying, and saying that it worked.

use crate::dom::View;

use super::button::icon_button;
use super::icon::Icon;
use super::toast::{Toasts, use_toasts};
use crate::browser::clipboard;
use crate::fetched::spawn;

/// Copies `text`; `what` is said afterwards: "`what` copied".
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

/// A button that copies.
pub(crate) fn copy_button(what: &'static str, text: impl Fn() -> String + 'static) -> View {
    boxed_copy_button(what, Box::new(text))
}

fn boxed_copy_button(what: &'static str, text: Box<dyn Fn() -> String>) -> View {
    let toasts = use_toasts();
    icon_button(Icon::Copy, format!("Copy {}", what.to_ascii_lowercase()), move || copy(toasts, what, text()))
}
