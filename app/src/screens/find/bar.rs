//! The query bar: a line of text with typed tokens, what may be meant while it is typed, and what is asked as
//! chips. A combobox with a list box (ARIA authoring practices).
//!
//! The focus stays in the line all the time; what is marked in the list is told by `aria-activedescendant`.
//! Nothing is marked until somebody presses an arrow key, so that Enter searches for what is typed.

use leptos::prelude::*;
use postern_core::fault::Fault;
use web_sys::KeyboardEvent;

use super::complete::{Completion, Known, Offer, complete};
use super::model::{self, Chip};
use super::token::{Subject, Token};
use super::views::Views;
use crate::browser::caret;
use crate::browser::clock::{now, offset_min};
use crate::browser::focus;
use crate::nav::{Nav, use_nav};
use crate::screens::filters::event_type_names;
use crate::ui::button::{Button, Look};
use crate::ui::fresh_id;
use crate::ui::icon::{Icon, glyph};

/// The line that is typed into.
const LINE: &str = "main [role=search] input";

/// The bar with its chips. `children` are filters of the screen that set the same query; they stand between.
#[component]
pub(crate) fn QueryBar(
    /// What is searched.
    subject: Subject,
    /// The names of the project's webhooks, as far as the page knows them.
    #[prop(into)]
    webhooks: Signal<Vec<String>>,
    /// States that `children` show, and chips need not.
    toggled: &'static [&'static str],
    /// Other filters.
    children: Children,
) -> AnyView {
    let bar = Bar::new(subject, webhooks);
    view! {
        <div class="toolbar find" role="search">
            <Line bar=bar />
            {children()}
            <Views subject=subject />
            <Chips bar=bar toggled=toggled />
        </div>
    }
    .into_any()
}

/// What is typed, and what is offered for it.
#[derive(Clone, Copy)]
struct Bar {
    subject: Subject,
    nav: Nav,
    /// What is typed and not asked yet.
    typed: RwSignal<String>,
    /// Bytes of it before the cursor.
    at: RwSignal<usize>,
    /// Whether the list of offers is open, if there are any.
    is_open: RwSignal<bool>,
    /// Which offer is marked.
    marked: RwSignal<Option<usize>>,
    /// What is offered.
    completion: Memo<Completion>,
    /// What is wrong with what is typed, once it was to be asked.
    wrong: RwSignal<Vec<Fault>>,
    /// What is asked.
    chips: Memo<Vec<Chip>>,
    /// The field.
    field: NodeRef<leptos::html::Input>,
}

impl Bar {
    fn new(subject: Subject, webhooks: Signal<Vec<String>>) -> Self {
        let (nav, types) = (use_nav(), event_type_names());
        let (typed, at) = (RwSignal::new(String::new()), RwSignal::new(0));
        let completion = Memo::new(move |_| {
            let known = Known { types: types.get(), webhooks: webhooks.get() };
            typed.with(|typed| complete(subject, typed, at.get(), &known))
        });
        Self {
            subject,
            nav,
            typed,
            at,
            is_open: RwSignal::new(false),
            marked: RwSignal::new(None),
            completion,
            wrong: RwSignal::new(Vec::new()),
            chips: Memo::new(move |_| model::chips(subject, &nav.query(), offset_min)),
            field: NodeRef::new(),
        }
    }

    /// Whether offers are shown; reactive.
    fn shows_offers(self) -> bool {
        self.is_open.get() && self.completion.with(|completion| !completion.offers.is_empty())
    }

    /// Opens the list of offers, with nothing marked.
    fn open(self) {
        self.is_open.set(true);
        self.marked.set(None);
    }

    /// Closes it.
    fn close(self) {
        self.is_open.set(false);
        self.marked.set(None);
    }

    /// Follows what stands in the field.
    fn follow(self) {
        let Some(field) = self.field.get_untracked() else { return };
        self.at.set(caret::before(&field));
        let text = field.value();
        if self.typed.with_untracked(|typed| *typed != text) {
            self.typed.set(text);
            self.wrong.set(Vec::new());
        }
    }

    /// Puts `text` into the field.
    fn write(self, text: &str, at: usize) {
        if let Some(field) = self.field.get_untracked() {
            caret::put(&field, text, at);
        }
        self.follow();
    }

    /// Marks the offer `by` further down; above the first one, none.
    fn mark(self, by: isize) {
        let count = self.completion.with_untracked(|completion| completion.offers.len());
        let place = self.marked.get_untracked().map_or(0, |at| at + 1);
        let next = place.saturating_add_signed(by).min(count);
        self.marked.set(next.checked_sub(1));
    }

    /// Puts an offer in its place. After the name of a token its values are offered.
    fn take(self, offer: &Offer) {
        let (text, at) = self
            .completion
            .with_untracked(|completion| self.typed.with_untracked(|typed| completion.taken(typed, offer)));
        self.write(&text, at);
        if offer.text.ends_with(':') {
            self.open();
        } else {
            self.close();
        }
    }

    /// Asks for what is typed, or says what is wrong with it.
    fn ask(self) {
        self.close();
        let query = self.nav.query_now();
        let typed = self.typed.get_untracked();
        match model::applied(self.subject, &query, &typed, now(), offset_min) {
            Ok(asked) => {
                self.write("", 0);
                if asked.value("open") != query.value("open") {
                    self.nav.open("open", asked.value("open").as_deref());
                } else if asked != query {
                    self.nav.filter_by(&asked);
                }
            }
            Err(faults) => self.wrong.set(faults),
        }
    }

    /// Takes a chip away. The focus goes to the field, because the chip is gone.
    fn remove(self, chip: &Chip) {
        self.nav.filter_by(&model::without(self.nav.query_now(), chip));
        focus::soon(LINE);
    }

    /// Takes all of them away.
    fn clear(self) {
        self.nav.filter_by(&model::unfiltered(self.subject, self.nav.query_now()));
        focus::soon(LINE);
    }

    /// Puts the last chip back into the field, to be changed; whether there was one.
    fn edit_last(self) -> bool {
        let Some(chip) = self.chips.with_untracked(|chips| chips.last().cloned()) else { return false };
        self.nav.filter_by(&model::without(self.nav.query_now(), &chip));
        self.write(&chip.typed, chip.typed.len());
        true
    }

    /// What a key does; `false`: what it does in any field.
    fn hear(self, event: &KeyboardEvent) -> bool {
        let is_open = self.shows_offers();
        match event.key().as_str() {
            "ArrowDown" if is_open => self.mark(1),
            "ArrowDown" => {
                self.follow();
                self.open();
                self.mark(1);
            }
            "ArrowUp" if is_open => self.mark(-1),
            "Escape" if is_open => self.close(),
            "Escape" if self.typed.with_untracked(|typed| !typed.is_empty()) => self.write("", 0),
            "Enter" if is_open => match self.marked_now() {
                Some(offer) => self.take(&offer),
                None => return false,
            },
            "Backspace" if self.typed.with_untracked(String::is_empty) && !event.repeat() => {
                return self.edit_last();
            }
            _ => return false,
        }
        true
    }

    /// The marked offer.
    fn marked_now(self) -> Option<Offer> {
        let at = self.marked.get_untracked()?;
        self.completion.with_untracked(|completion| completion.offers.get(at).cloned())
    }
}

/// The id of an offer, by which the field names the marked one.
fn offer_id(list: &str, at: usize) -> String {
    format!("{list}-{at}")
}

/// The field, what is offered below it, and what is wrong.
#[component]
fn Line(
    /// What is typed.
    bar: Bar,
) -> AnyView {
    let (list, below) = (fresh_id(), fresh_id());
    let (controls, list_id, described) = (list.clone(), list.clone(), below.clone());
    let noun = bar.subject.noun().1;
    let active = move || {
        let at = bar.marked.get().filter(|_| bar.shows_offers())?;
        Some(offer_id(&list, at))
    };
    let keys = move |event: KeyboardEvent| {
        if bar.hear(&event) {
            event.prevent_default();
        }
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        bar.ask();
    };
    let type_in = move || {
        bar.follow();
        bar.open();
    };
    let is_wrong = Memo::new(move |_| bar.wrong.with(|wrong| !wrong.is_empty()));
    view! {
        <form class="find-line" on:submit=submit novalidate=true>
            <label class="search">
                <span class="for-ear">{format!("Search {noun}")}</span>
                {glyph(Icon::Search)}
                <input
                    node_ref=bar.field
                    class="mono"
                    type="text"
                    role="combobox"
                    aria-autocomplete="list"
                    aria-expanded=move || bar.shows_offers().to_string()
                    aria-controls=controls
                    aria-activedescendant=active
                    aria-describedby=described
                    aria-invalid=move || is_wrong.get().then_some("true")
                    placeholder=placeholder(bar.subject)
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    enterkeyhint="search"
                    on:input=move |_| type_in()
                    on:click=move |_| type_in()
                    on:blur=move |_| bar.close()
                    on:keydown=keys
                />
                <kbd aria-hidden="true">"/"</kbd>
            </label>
            {offers(bar, list_id)}
            {faults(bar, below)}
        </form>
    }
    .into_any()
}

/// What stands in the field while it is empty.
const fn placeholder(subject: Subject) -> &'static str {
    match subject {
        Subject::Deliveries => "since:1h status:5xx label:customer=acme",
        Subject::Events => "since:1h type:order.paid label:customer=acme",
    }
}

/// What is offered for the word at the cursor. A press puts it there.
fn offers(bar: Bar, id: String) -> AnyView {
    let list = id.clone();
    let option = move |list: &str, at: usize, offer: Offer| {
        let (text, hint) = (offer.text.clone(), offer.hint.clone());
        // On mousedown, before the field loses the focus.
        let press = move |event: web_sys::MouseEvent| {
            event.prevent_default();
            bar.take(&offer);
        };
        view! {
            <li role="option" id=offer_id(list, at) aria-selected=move || (bar.marked.get() == Some(at)).to_string() on:mousedown=press>
                <span class="mono">{text}</span>
                <small>{hint}</small>
            </li>
        }
        .into_any()
    };
    let options = move || {
        let found = bar.completion.with(|completion| completion.offers.clone());
        found.into_iter().enumerate().map(|(at, offer)| option(&list, at, offer)).collect_view()
    };
    view! {
        <ul class="find-offers" role="listbox" aria-label="Suggestions" id=id hidden=move || !bar.shows_offers()>{options}</ul>
    }
    .into_any()
}

/// What is wrong: with what was typed, else with the address. It is announced when it appears.
fn faults(bar: Bar, id: String) -> AnyView {
    let shown = Memo::new(move |_| {
        let wrong = bar.wrong.get();
        if wrong.is_empty() { model::faults(bar.subject, &bar.nav.query(), now(), offset_min) } else { wrong }
    });
    let lines = move || {
        let line = |fault: Fault| {
            view! { <li><code class="break">{fault.pointer}</code>" "{fault.detail}"."</li> }.into_any()
        };
        let found = shown.get();
        (!found.is_empty()).then(|| {
            view! { <ul class="find-faults">{found.into_iter().map(line).collect_view()}</ul> }.into_any()
        })
    };
    view! { <div role="alert" id=id>{move || lines()}</div> }.into_any()
}

/// What is asked. A press on one takes it away.
#[component]
fn Chips(
    /// The bar that they belong to.
    bar: Bar,
    /// States that are shown otherwise.
    toggled: &'static [&'static str],
) -> AnyView {
    let shown = Memo::new(move |_| {
        let is_shown = |chip: &Chip| chip.token != Token::State || !toggled.contains(&chip.value.as_str());
        bar.chips.get().into_iter().filter(is_shown).collect::<Vec<_>>()
    });
    let chip = move |chip: Chip| {
        let words = chip.words.clone();
        view! {
            <button type="button" class="chip on" on:click=move |_| bar.remove(&chip)>
                <span class="break">{words}</span><span class="for-ear">" (remove this filter)"</span>{glyph(Icon::Close)}
            </button>
        }
        .into_any()
    };
    let chips = move || {
        let found = shown.get();
        let clear = (found.len() > 1).then(|| {
            view! { <Button label="Clear all" look=Look::Quiet on_press=move |()| bar.clear() /> }.into_any()
        });
        (!found.is_empty()).then(|| {
            view! {
                <div class="chips" role="group" aria-label="Searched by">
                    {found.into_iter().map(chip).collect_view()}
                    {clear}
                </div>
            }
            .into_any()
        })
    };
    chips.into_any()
}
