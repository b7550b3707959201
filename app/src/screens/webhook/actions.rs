//! What can be done with a webhook.

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;
use postern_core::time::Timestamp;
use serde_json::json;

use super::missed::MISSED;
use crate::api::use_project;
use crate::fetched::{Fetched, when};
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::toast::use_toasts;

/// Edit, pause or resume, enable or disable, delete. The words on the buttons follow the webhook, no matter
/// who changed it.
#[component]
pub(super) fn Actions(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
    /// The address of its form.
    edit: String,
) -> AnyView {
    let is_enabled = Memo::new(move |_| {
        webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled))
    });
    let is_paused = Memo::new(move |_| {
        webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.paused))
    });
    let switch_label =
        Signal::derive(move || String::from(if is_enabled.get() { "Disable" } else { "Enable" }));
    let (pause, switch) = (pausing(webhook, name.clone()), switching(webhook, name.clone()));
    let id = webhook
        .value
        .with_untracked(|webhook| webhook.as_ref().map(|webhook| webhook.id.clone()))
        .unwrap_or_default();
    let delete = deleting(id, name);
    use_shortcut("P", "Pause or resume this webhook", move || pause.run(()));
    let pause_button = move || {
        let (label, icon) = if is_paused.get() { ("Resume", Icon::Resume) } else { ("Pause", Icon::Pause) };
        view! { <Button label=label icon=icon shortcut="P" on_press=pause /> }.into_any()
    };
    view! {
        <LinkButton label="Edit" href=edit icon=Icon::Edit shortcut="E" />
        {move || pause_button()}
        <Button label=switch_label on_press=switch />
        <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=delete />
    }
    .into_any()
}

/// Pauses the webhook, or resumes it. While it is paused it takes events; what it would be called for waits.
/// That is the difference to a disabled one, which events pass by.
fn pausing(webhook: Fetched<WebhookView>, name: String) -> UnsyncCallback<()> {
    let (project, toasts, sending) = (use_project(), use_toasts(), Sending::new());
    UnsyncCallback::new(move |()| {
        let is_paused =
            webhook.value.with_untracked(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.paused));
        let shown = name.clone();
        let load = if is_paused { project.resume_webhook(&name) } else { project.pause_webhook(&name) };
        sending.send(load, move |answer| match answer {
            Ok(changed) => {
                let words = if changed.paused {
                    "paused: it takes events, and its deliveries wait"
                } else {
                    "resumed"
                };
                toasts.say(format!("{shown} {words}"));
                webhook.value.set(Some(changed));
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    })
}

/// Enables the webhook, or disables it. Enabled again, it shows the way to what it missed ([`Missed`]).
///
/// The change names the version that it was made from (`update_webhook`), so that a change by somebody else
/// in between is refused and shown, not overwritten. When it is refused, the webhook is loaded again and the
/// words on the button are right again.
fn switching(webhook: Fetched<WebhookView>, name: String) -> UnsyncCallback<()> {
    let (project, toasts, nav) = (use_project(), use_toasts(), use_nav());
    UnsyncCallback::new(move |()| {
        let known = webhook.value.with_untracked(|webhook| {
            webhook.as_ref().map(|webhook| (webhook.version, webhook.enabled, webhook.health.disabled_at))
        });
        let Some((version, enabled, disabled_at)) = known else { return };
        let shown = name.clone();
        when(project.update_webhook(&name, version, &json!({ "enabled": !enabled })), move |answer| {
            match answer {
                Ok(changed) => {
                    toasts.say(if changed.enabled {
                        format!("{shown} enabled")
                    } else {
                        format!("{shown} disabled: events pass it by")
                    });
                    let missed = disabled_at
                        .filter(|_| changed.enabled && !webhook.value.is_disposed())
                        .map(Timestamp::to_rfc3339);
                    nav.filter(MISSED, missed.as_deref());
                    webhook.value.set(Some(changed));
                }
                Err(failure) => {
                    toasts.complain(failure.to_string());
                    webhook.reload();
                }
            }
        });
    })
}

/// Leaves the screen and deletes the webhook, unless that is taken back, which leads back to it. `id` is what
/// lists hide it by.
///
/// The webhook is deleted once the time to take it back is over (`ui::toast`); until then lists hide it. If
/// the edge refuses, it comes back into the lists and the reason is said.
fn deleting(id: String, name: String) -> UnsyncCallback<()> {
    let (project, toasts, nav) = (use_project(), use_toasts(), use_nav());
    UnsyncCallback::new(move |()| {
        let place = |area| Place::Project(project.name().clone(), area);
        let (back, here) = (place(Area::Webhooks), place(Area::Webhook(name.clone())));
        let (api, doomed, subject) = (project.clone(), name.clone(), id.clone());
        nav.go(&back);
        toasts.undoable(
            format!("{name} deleted"),
            id.clone(),
            move || {
                when(api.delete_webhook(&doomed), move |answer| {
                    if let Err(failure) = answer {
                        toasts.bring_back(&subject);
                        toasts.complain(format!("{doomed} was not deleted. {failure}"));
                    }
                });
            },
            move || nav.go(&here),
        );
    })
}
