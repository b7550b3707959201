//! Deleting the inbox, or all that it recorded.

use leptos::prelude::*;
use postern_core::api::inbox::InboxRequestView;

use crate::api::use_project;
use crate::fetched::when;
use crate::nav::use_nav;
use crate::project::ProjectState;
use crate::routes::{Area, Place};
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::form::Sending;
use crate::ui::rows::List;
use crate::ui::toast::use_toasts;

/// Deletes the inbox, unless that is taken back.
///
/// As with a webhook: it is deleted once the time to take it back is over, and the way back leads to it. A
/// project's count of inboxes is loaded again then.
pub(super) fn delete(own: StoredValue<String>, name: Signal<String>) -> UnsyncCallback<()> {
    let (project, nav, toasts) = (use_project(), use_nav(), use_toasts());
    let state: ProjectState = expect_context();
    UnsyncCallback::new(move |()| {
        let id = own.get_value();
        let place = |area| Place::Project(project.name().clone(), area);
        let (back, here) = (place(Area::Inboxes), place(Area::Inbox(id.clone())));
        let (api, doomed, shown) = (project.clone(), id.clone(), name.get_untracked());
        nav.go(&back);
        let commit = move || {
            when(api.delete_inbox(&doomed), move |answer| match answer {
                Ok(()) => state.0.reload(),
                Err(failure) => {
                    toasts.bring_back(&doomed);
                    toasts.complain(failure.to_string());
                }
            });
        };
        toasts.undoable(format!("{shown} deleted"), id, commit, move || nav.go(&here));
    })
}

/// Asks before all requests are deleted.
#[component]
pub(super) fn ClearDialog(
    own: StoredValue<String>,
    list: List<InboxRequestView>,
    is_asking: RwSignal<bool>,
) -> AnyView {
    let (project, toasts, clearing) = (use_project(), use_toasts(), Sending::new());
    let clear = UnsyncCallback::new(move |()| {
        clearing.send(own.with_value(|id| project.clear_inbox(id)), move |answer| {
            is_asking.set(false);
            match answer {
                Ok(()) => {
                    toasts.say("All requests deleted");
                    list.page.reload();
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
        });
    });
    view! {
        <Dialog open=is_asking title="Delete all requests?">
            <p>"What this inbox has recorded goes for good. The inbox and its address stay."</p>
            <div class="dialog-foot">
                <Button label="Delete them" look=Look::Danger disabled=clearing.busy() on_press=move |()| clear.run(()) />
                <Button label="Keep them" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
    .into_any()
}
