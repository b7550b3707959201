//! The command palette (Ctrl/⌘ K): pages, actions, webhooks by name, and whatever has a place by its id. A
//! combobox with a list box (ARIA authoring practices).
//!
//! The focus stays in the search field all the time; what is marked in the list is told by
//! `aria-activedescendant`. Webhooks are loaded each time it is opened, and it works without them until they
//! are there. Those of a project that has more are asked for by what is typed.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::entries::ENTRIES;
use crate::api::{ProjectApi, use_project};
use crate::fetched::{effect, spawn};
use crate::nav::use_nav;
use crate::routes::{Area, Place, Query};
use crate::ui::dialog::Dialog;
use crate::ui::fresh_id;
use crate::ui::icon::{Icon, glyph};

/// Results that are shown: as many as fit without scrolling.
const RESULTS_MAX: usize = 12;

/// Something to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    /// Before the words.
    icon: Icon,
    /// What it is called, and searched by.
    words: String,
    /// `Page`, `Action` or `Webhook`.
    kind: &'static str,
    /// Where it leads.
    target: Target,
}

/// Where a command leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// A screen of the project, with this query.
    Area(Area, Query),
    /// The list of shortcuts.
    Help,
}

/// Opens the palette on Ctrl K and ⌘ K, wherever the focus is.
///
/// In a text field and in a dialog too, unlike other shortcuts: with Ctrl or ⌘ it types nothing. Pressed
/// again, it closes.
pub(crate) fn use_palette_keys(open: RwSignal<bool>) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key())
            && !event.shift_key()
            && !event.alt_key()
            && event.key().eq_ignore_ascii_case("k")
        {
            event.prevent_default();
            open.update(|open| *open = !*open);
        }
    });
    on_cleanup(move || handle.remove());
}

/// What is searched for, and which of the results is marked. It outlives the dialog: closed and opened again,
/// the palette still shows what was typed.
#[derive(Clone, Copy)]
struct Search {
    /// The words to search for.
    typed: RwSignal<String>,
    /// Which result is marked.
    at: RwSignal<usize>,
    /// What fits, as far as it is shown.
    found: Memo<Vec<Command>>,
}

impl Search {
    /// Nothing is typed yet.
    fn new(webhooks: RwSignal<Vec<Named>>) -> Self {
        let typed = RwSignal::new(String::new());
        let found = Memo::new(move |_| {
            typed.with(|typed| {
                let all = webhooks.with(|webhooks| commands(webhooks, typed.trim()));
                all.into_iter().filter(|command| fits(typed, &command.words)).take(RESULTS_MAX).collect()
            })
        });
        Self { typed, at: RwSignal::new(0), found }
    }

    /// Searches for `text`, and marks the first result.
    fn type_in(self, text: String) {
        self.typed.set(text);
        self.at.set(0);
    }

    /// Marks the next result, or stays at the last one.
    fn go_down(self) {
        let last = self.found.with_untracked(Vec::len).saturating_sub(1);
        self.at.update(|at| *at = (*at + 1).min(last));
    }

    /// Marks the result before, or stays at the first one.
    fn go_up(self) {
        self.at.update(|at| *at = at.saturating_sub(1));
    }

    /// The marked result, for what happens now.
    fn marked(self) -> Option<Command> {
        self.found.with_untracked(|found| found.get(self.at.get_untracked()).cloned())
    }
}

/// The palette: a dialog with the search field and what was found. Running a command closes it.
///
/// The typed words are forgotten when a command runs, and kept when the dialog is only closed.
#[component]
pub(crate) fn Palette(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Opens the list of shortcuts.
    help: RwSignal<bool>,
) -> AnyView {
    let (nav, api) = (use_nav(), use_project());
    let name = api.name().clone();
    let webhooks = RwSignal::new(Vec::<Named>::new());
    let search = Search::new(webhooks);
    load_webhooks(api, open, search.typed, webhooks);
    let run = UnsyncCallback::new(move |command: Command| {
        open.set(false);
        search.typed.set(String::new());
        match command.target {
            Target::Area(area, query) => nav.go_with(&Place::Project(name.clone(), area), &query),
            Target::Help => help.set(true),
        }
    });
    let list_id = fresh_id();
    view! {
        <Dialog open=open title="Jump to" class="palette">
            <SearchField search=search list_id=list_id.clone() run=run />
            <Results search=search list_id=list_id.clone() run=run />
        </Dialog>
    }
    .into_any()
}

/// The id of a result, by which the search field names the marked one.
fn option_id(list_id: &str, at: usize) -> String {
    format!("{list_id}-{at}")
}

/// Where is typed what is searched for. It keeps the focus: arrow keys mark a result, Enter runs it.
///
/// `aria-expanded` is always true, because the list is always there, if only with the words that nothing was
/// found.
#[component]
fn SearchField(
    /// What is searched for.
    search: Search,
    /// The id of the list of results.
    list_id: String,
    /// Runs a result.
    run: UnsyncCallback<Command>,
) -> AnyView {
    let keys = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => search.go_down(),
            "ArrowUp" => search.go_up(),
            "Enter" => {
                if let Some(command) = search.marked() {
                    run.run(command);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let controls = list_id.clone();
    let active =
        move || search.found.with(|found| (!found.is_empty()).then(|| option_id(&list_id, search.at.get())));
    view! {
        <input
            class="palette-input"
            type="text"
            role="combobox"
            aria-label="Jump to"
            aria-expanded="true"
            aria-autocomplete="list"
            aria-controls=controls
            aria-activedescendant=active
            placeholder="A page, a webhook, an action, an id"
            autocomplete="off"
            autofocus=true
            prop:value=search.typed
            on:input=move |event| search.type_in(event_target_value(&event))
            on:keydown=keys
        />
    }
    .into_any()
}

/// What was found, with the kind of each: a page, an action or a webhook. A press runs it.
#[component]
fn Results(
    /// What is searched for.
    search: Search,
    /// The id of the list.
    list_id: String,
    /// Runs a result.
    run: UnsyncCallback<Command>,
) -> AnyView {
    let id = list_id.clone();
    let options = move || {
        let option = |(at, command): (usize, Command)| {
            let (icon, words, kind) = (command.icon, command.words.clone(), command.kind);
            // On mousedown, before the search field loses the focus.
            let press = move |event: web_sys::MouseEvent| {
                event.prevent_default();
                run.run(command.clone());
            };
            view! {
                <li role="option" id=option_id(&list_id, at) aria-selected=move || (search.at.get() == at).to_string() on:mousedown=press>
                    {glyph(icon)}
                    <span>{words}</span>
                    <small>{kind}</small>
                </li>
            }
            .into_any()
        };
        search.found.get().into_iter().enumerate().map(option).collect_view()
    };
    let is_empty = Memo::new(move |_| search.found.with(Vec::is_empty));
    let nothing = move || {
        is_empty
            .get()
            .then(|| view! { <p class="about" role="status">"Nothing has this name or id."</p> }.into_any())
    };
    view! {
        <ul class="palette-list" role="listbox" aria-label="Results" id=id>{move || options()}</ul>
        {move || nothing()}
    }
    .into_any()
}

/// A webhook: its id and its name.
type Named = (String, String);

/// How long to wait for the next letter before the API is asked.
const TYPING: Duration = Duration::from_millis(200);

/// Loads the webhooks when the palette opens, and where there are more, those that fit what is typed.
///
/// The palette works without them; a failure is told by the screens.
fn load_webhooks(
    api: ProjectApi,
    open: RwSignal<bool>,
    typed: RwSignal<String>,
    webhooks: RwSignal<Vec<Named>>,
) {
    let has_more = RwSignal::new(false);
    let api = StoredValue::new_local(api);
    let load = move |query: Query| {
        let load = api.with_value(|api| api.webhooks(&query));
        spawn(async move {
            let Ok(page) = load.await else { return };
            let found = page.items.into_iter().map(|webhook| (webhook.id, webhook.name));
            if query.value("search").is_some() {
                webhooks.update(|webhooks| {
                    let known: Vec<String> = webhooks.iter().map(|(id, _)| id.clone()).collect();
                    webhooks.extend(found.filter(|(id, _)| !known.contains(id)));
                });
            } else {
                has_more.set(page.next.is_some());
                webhooks.set(found.collect());
            }
        });
    };
    effect(move || {
        if open.get() {
            load(Query::default().with("limit", Some("200")));
        }
    });
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    effect(move || {
        let typed = typed.get();
        if let Some(waiting) = waiting.get_value() {
            waiting.clear();
        }
        if has_more.get() && !typed.trim().is_empty() {
            let query = Query::default().with("search", Some(typed.trim())).with("limit", Some("200"));
            waiting.set_value(set_timeout_with_handle(move || load(query.clone()), TYPING).ok());
        }
    });
}

/// Everything that can be gone to: what the typed id names, then pages, actions and webhooks.
///
/// Webhooks are the only things of the project that are reached by name here: they are the ones that people
/// know by name.
fn commands(webhooks: &[Named], typed: &str) -> Vec<Command> {
    let page = |(words, icon, area): (&str, Icon, Area)| Command {
        icon,
        words: String::from(words),
        kind: "Page",
        target: Target::Area(area, Query::default()),
    };
    let action =
        |words: &str, icon, target| Command { icon, words: String::from(words), kind: "Action", target };
    let webhook = |(id, name): &Named| Command {
        icon: Icon::Webhook,
        // By its id where that is typed.
        words: if id == typed { id.clone() } else { name.clone() },
        kind: "Webhook",
        target: Target::Area(Area::Webhook(name.clone()), Query::default()),
    };
    let new_webhook = Target::Area(Area::WebhookNew, Query::default());
    let mut all: Vec<Command> = named_by_id(typed).into_iter().collect();
    all.extend(ENTRIES.into_iter().map(page));
    all.push(action("New webhook", Icon::Plus, new_webhook));
    all.push(action("Shortcuts", Icon::Keyboard, Target::Help));
    all.extend(webhooks.iter().map(webhook));
    all
}

/// What has this id, as far as an id says it. Whether there is such a thing, its screen says.
fn named_by_id(id: &str) -> Option<Command> {
    let (area, query) = Area::of_id(id)?;
    let (icon, kind) = match area {
        Area::Events => (Icon::Event, "Event"),
        Area::Run(_) => (Icon::Run, "Run"),
        Area::Inbox(_) => (Icon::Inbox, "Inbox"),
        _ => (Icon::Delivery, "Delivery"),
    };
    Some(Command { icon, words: String::from(id), kind, target: Target::Area(area, query) })
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
    fn every_page_and_action_can_be_found_by_its_own_words() {
        let all = commands(&[], "");
        assert!(all.iter().all(|command| fits(&command.words, &command.words)));
        assert!(all.iter().any(|command| command.target == Target::Help));
    }

    #[test]
    fn webhooks_come_after_pages_and_actions() {
        let all = commands(&[(String::from("whk_1"), String::from("orders"))], "");
        assert_eq!(all.last().map(|command| command.words.as_str()), Some("orders"));
        assert_eq!(all.first().map(|command| command.kind), Some("Page"));
    }

    #[test]
    fn an_id_leads_to_what_it_names() {
        let webhooks = [(String::from("whk_1"), String::from("orders"))];
        let first = |typed: &str| {
            let found = commands(&webhooks, typed).into_iter().find(|command| fits(typed, &command.words));
            found.map(|command| (command.kind, command.target))
        };
        let id = "evt_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11";
        let opened = Query::default().with("open", Some(id));
        assert_eq!(first(id), Some(("Event", Target::Area(Area::Events, opened))));
        let webhook = Target::Area(Area::Webhook(String::from("orders")), Query::default());
        assert_eq!(first("whk_1"), Some(("Webhook", webhook)));
        assert_eq!(first("tok_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11"), None);
    }
}
