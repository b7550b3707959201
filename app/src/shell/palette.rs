//! The command palette (Ctrl/⌘ K): pages, actions and webhooks by name. A combobox with a list box (ARIA authoring practices).

use crate::dom::{CollectView, View, hears, part, truth, value, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::ENTRIES;
use crate::api::use_project;
use crate::fetched::{effect, spawn};
use crate::nav::use_nav;
use crate::routes::{Area, Place, Query};
use crate::ui::dialog::Dialog;
use crate::ui::fresh_id;
use crate::ui::icon::{Icon, glyph};

/// Something to go to.
#[derive(Clone, PartialEq, Eq)]
struct Command {
    icon: Icon,
    words: String,
    kind: &'static str,
    target: Target,
}

#[derive(Clone, PartialEq, Eq)]
enum Target {
    Area(Area),
    Help,
}

/// Opens the palette on Ctrl K and ⌘ K, wherever the focus is.
pub(crate) fn use_palette_keys(open: RwSignal<bool>) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && !event.shift_key() && !event.alt_key() && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open.update(|open| *open = !*open);
        }
    });
    on_cleanup(move || handle.remove());
}

/// The palette.
#[component]
pub(crate) fn Palette(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Opens the list of shortcuts.
    help: RwSignal<bool>,
) -> View {
    let (nav, api) = (use_nav(), use_project());
    let name = api.name().clone();
    let webhooks = RwSignal::new(Vec::<String>::new());
    effect(move || {
        if open.get() {
            let api = api.clone();
            spawn(async move {
                // The palette works without them; a failure is told by the screens.
                if let Ok(page) = api.webhooks(&Query::default().with("limit", Some("200"))).await {
                    webhooks.set(page.items.into_iter().map(|webhook| webhook.name).collect());
                }
            });
        }
    });
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let found = Memo::new(move || {
        let all = webhooks.with(|names| commands(names));
        typed.with(|typed| all.into_iter().filter(|command| fits(typed, &command.words)).take(12).collect::<Vec<_>>())
    });
    let run = move |command: &Command| {
        open.set(false);
        typed.set(String::new());
        match &command.target {
            Target::Area(area) => nav.go(&Place::Project(name.clone(), area.clone())),
            Target::Help => help.set(true),
        }
    };
    let run = StoredValue::new_local(run);
    let list_id = fresh_id();
    let content = move || {
        let list_id = list_id.clone();
        let option_id = {
            let list_id = list_id.clone();
            move |index: usize| format!("{list_id}-{index}")
        };
        let keys = move |event: KeyboardEvent| {
            let last = found.with_untracked(Vec::len).saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
                "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
                "Enter" => {
                    if let Some(command) = found.with_untracked(|found| found.get(at.get_untracked()).cloned()) {
                        run.with_value(|run| run(&command));
                    }
                }
                _ => return,
            }
            event.prevent_default();
        };
        let active = {
            let option_id = option_id.clone();
            move || found.with(|found| (!found.is_empty()).then(|| option_id(at.get())))
        };
        let options = move || {
            let option = |(index, command): (usize, Command)| {
                let (icon, words, kind) = (command.icon, command.words.clone(), command.kind);
                view! {
                    <li
                        role="option"
                        id=option_id(index)
                        aria-selected=truth(move || at.get() == index)
                        on:mousedown=hears(move |event: web_sys::MouseEvent| {
                            event.prevent_default();
                            run.with_value(|run| run(&command));
                        })
                    >
                        {glyph(icon)}
                        <span>{words}</span>
                        <small>{kind}</small>
                    </li>
                }
            };
            found.get().into_iter().enumerate().map(option).collect_view()
        };
        let nothing = move || found.with(Vec::is_empty).then(|| view! { <p class="about" role="status">"Nothing has this name."</p> });
        view! {
            <input
                class="palette-input"
                type="text"
                role="combobox"
                aria-label="Jump to"
                aria-expanded="true"
                aria-autocomplete="list"
                aria-controls=list_id.clone()
                aria-activedescendant=value(active)
                placeholder="A page, a webhook, an action"
                autocomplete="off"
                autofocus=true
                prop:value=typed
                on:input=hears(move |event| {
                    typed.set(event_target_value(&event));
                    at.set(0);
                })
                on:keydown=hears(keys)
            />
            <ul class="palette-list" role="listbox" aria-label="Results" id=list_id>{part(options)}</ul>
            {part(nothing)}
        }
    };
    view! { <Dialog open=open title="Jump to" class="palette">{content()}</Dialog> }
}

fn commands(webhooks: &[String]) -> Vec<Command> {
    let page =
        |(words, icon, area): (&str, Icon, Area)| Command { icon, words: String::from(words), kind: "Page", target: Target::Area(area) };
    let action = |words: &str, icon, target| Command { icon, words: String::from(words), kind: "Action", target };
    let webhook = |name: &String| Command {
        icon: Icon::Webhook,
        words: name.clone(),
        kind: "Webhook",
        target: Target::Area(Area::Webhook(name.clone())),
    };
    let mut all: Vec<Command> = ENTRIES.into_iter().map(page).collect();
    all.push(action("New webhook", Icon::Plus, Target::Area(Area::WebhookNew)));
    all.push(action("Shortcuts", Icon::Keyboard, Target::Help));
    all.extend(webhooks.iter().map(webhook));
    all
}

/// Whether every typed word is in `words`, whatever the case.
fn fits(typed: &str, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    typed.split_whitespace().all(|word| words.contains(&word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_words_are_found_in_any_order_and_case() {
        assert!(fits("hook NEW", "New webhook"));
        assert!(fits("", "anything"));
        assert!(!fits("new inbox", "New webhook"));
    }

    #[test]
    fn webhooks_come_after_pages_and_actions() {
        let all = commands(&[String::from("orders")]);
        assert_eq!(all.last().map(|command| command.words.as_str()), Some("orders"));
        assert_eq!(all.first().map(|command| command.kind), Some("Page"));
    }
}
