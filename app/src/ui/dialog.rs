//! Modal dialogs: the browser's own `<dialog>`, which keeps the focus inside, closes with Esc and gives the
//! focus back.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::button::icon_button;
use super::fresh_id;
use super::icon::Icon;
use crate::fetched::effect;

/// A dialog that is shown while `open` is true. Its content is made anew each time, so a form in it starts
/// empty, and what it held is forgotten when it is closed. Esc, the button in the corner and a press beside
/// it close it.
///
/// `children` is called again each time it opens. The heading names the dialog for the ear, and the browser
/// gives the focus back to what opened it.
#[component]
pub(crate) fn Dialog(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
    /// What is in it.
    children: ChildrenFn,
) -> AnyView {
    let element = NodeRef::<leptos::html::Dialog>::new();
    let heading = fresh_id();
    let content = {
        let heading = heading.clone();
        move || {
            open.get().then(|| {
                view! {
                    <div class="dialog-body">
                        <h2 id=heading.clone()>{title.clone()}</h2>
                        {children()}
                        <div class="dialog-close">{icon_button(Icon::Close, "Close", move || open.set(false))}</div>
                    </div>
                }
                .into_any()
            })
        }
    };
    effect(move || {
        let is_open = open.get();
        if let Some(dialog) = element.get() {
            if is_open && !dialog.open() {
                // Fails only for an element that is not in the document.
                drop(dialog.show_modal());
            } else if !is_open && dialog.open() {
                dialog.close();
            }
        }
    });
    // A press on what is around the dialog has the dialog itself as its target.
    let press = move |event: web_sys::MouseEvent| {
        let on_backdrop = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| target.tag_name() == "DIALOG");
        if on_backdrop {
            open.set(false);
        }
    };
    view! {
        <dialog node_ref=element class=format!("dialog {class}") aria-labelledby=heading on:close=move |_| open.set(false) on:mousedown=press>
            {content}
        </dialog>
    }
    .into_any()
}
