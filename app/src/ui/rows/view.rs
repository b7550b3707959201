//! The rows of a list in the document: all of a short list, of a long one those near what is visible, with
//! spacers in the place of the others.
//!
//! What has the focus stays in the document, and what is looked at stays where it is on the screen while rows
//! come above it. The browser would keep the latter too, but not every one, and not where spacers change: it
//! is told to leave it to us (`.windowed`).

use std::time::Duration;

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use leptos::tachys::view::keyed::keyed;
use web_sys::{Element, HtmlElement};

use super::core::Core;
use super::list::List;
use super::news::{news, reached_top};
use super::one_by_one::{self, OneByOne};
use super::owners::RowOwners;
use super::store::{Id, Row};
use super::window::{self, Measured, Piece, WHOLE_MAX};
use crate::browser::scroll;
use crate::fetched::{effect, spawn};
use crate::live::at_most_every;
use crate::ui::fresh_id;

/// Shows the row with an id, with its place in the list for the ear.
pub(super) type Shower = StoredValue<Box<dyn Fn(&Id, Signal<String>) -> Option<AnyView>>, LocalStorage>;

/// The height of a row until one was measured.
const ROW_HEIGHT: f64 = 48.0;
/// Rows of a long list that are shown before anything was measured.
const FIRST_ROWS: usize = 40;
/// How often the rows in the document are numbered again (`aria-rowindex`) while rows come: each that comes
/// moves all of them, which is some forty writes for what is only heard where somebody is.
const NUMBERED_EVERY: Duration = Duration::from_millis(250);
/// How soon a list is measured again that was not in the document yet.
const SOON: Duration = Duration::from_millis(50);

/// A column of a table.
pub(crate) struct Column {
    /// Its heading.
    pub(crate) name: &'static str,
    /// Whether it holds numbers, which stand on the right.
    is_number: bool,
}

impl Column {
    /// The class of its heading.
    pub(crate) fn class(&self) -> Option<&'static str> {
        self.is_number.then_some("number")
    }
}

/// A column of words.
pub(crate) const fn words(name: &'static str) -> Column {
    Column { name, is_number: false }
}

/// A column of numbers.
pub(crate) const fn numbers(name: &'static str) -> Column {
    Column { name, is_number: true }
}

/// What the rows are in the document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `<tr>`, below a row of headings.
    Table,
    /// `<li>`
    Items,
}

impl<T: Row> List<T> {
    /// Shows rows by their id, with the signal of each.
    fn shower(self, row: impl Fn(RwSignal<T>, Signal<String>) -> AnyView + 'static) -> Shower {
        StoredValue::new_local(Box::new(move |id: &Id, place| {
            let signal = self.core.with(|intake| intake.store.signal::<T>(id)).flatten()?;
            Some(row(RwSignal::from(signal), place))
        }))
    }

    /// The list as a table. `row` makes a `<tr>` of a row's signal and its `aria-rowindex`; `open` is the id
    /// of the row that is shown beside the list, which stays in the document.
    pub(crate) fn table(
        self,
        columns: &'static [Column],
        open: Signal<Option<String>>,
        row: impl Fn(RwSignal<T>, Signal<String>) -> AnyView + 'static,
    ) -> AnyView {
        table(&Rows::new(self.core, Form::Table, open), columns, self.shower(row))
    }

    /// The list as a list element. `row` makes a `<li>` of a row's signal and its
    /// `aria-posinset`.
    ///
    /// For rows that are more than cells: a row that unfolds, or has a bar in it.
    pub(crate) fn items(
        self,
        class: &'static str,
        label: &'static str,
        row: impl Fn(RwSignal<T>, Signal<String>) -> AnyView + 'static,
    ) -> AnyView {
        items(&Rows::new(self.core, Form::Items, Signal::stored(None)), class, label, self.shower(row))
    }

    /// The bar that new rows wait behind; above the list.
    pub(crate) fn news(self) -> AnyView {
        news(self.core)
    }
}

/// Not generic, so that it exists once.
fn table(rows: &Rows, columns: &'static [Column], shower: Shower) -> AnyView {
    let core = rows.core;
    let heading = |column: &'static Column| {
        view! { <th role="columnheader" scope="col" class=column.class()>{column.name}</th> }.into_any()
    };
    let headings = columns.iter().map(heading).collect_view();
    view! {
        <table role="table" class="list cards" class:windowed=rows.is_windowed aria-rowcount=move || core.total(1)>
            <thead role="rowgroup"><tr role="row" aria-rowindex="1">{headings}</tr></thead>
            <tbody role="rowgroup" id=rows.element_id.get_value()>{content(rows, shower)}</tbody>
        </table>
    }
    .into_any()
}

/// Not generic, so that it exists once.
fn items(rows: &Rows, class: &'static str, label: &'static str, shower: Shower) -> AnyView {
    view! {
        <ol class=class class:windowed=rows.is_windowed aria-label=label id=rows.element_id.get_value()>{content(rows, shower)}</ol>
    }
    .into_any()
}

/// The rows and the spacers, each with its id as its key.
fn content(rows: &Rows, shower: Shower) -> AnyView {
    let rows = *rows;
    rows.listen();
    let child = move |id: Id| {
        if is_spacer(&id) {
            return spacer(&rows, id);
        }
        let place = {
            let id = Id::clone(&id);
            Memo::new(move |_| rows.place(&id))
        };
        // A row that went in this moment has no signal any more.
        shower.with_value(|show| show(&id, place.into())).unwrap_or_else(|| ().into_any())
    };
    let owners = RowOwners::new();
    let owned = move |_at: usize, id: Id| {
        let owner = owners.next();
        let view = owner.with(|| child(id));
        (drop::<usize>, OwnedView::new_with_owner(view, owner))
    };
    let known = StoredValue::new(Vec::new());
    let view = move || {
        let shown = rows.shown.get();
        let steps = known.with_value(|known| one_by_one::steps(known, &shown));
        known.set_value(shown);
        OneByOne::new(steps, |ids| keyed(ids, Id::clone, owned))
    };
    view.into_any()
}

/// Keeps the place of the rows that are not in the document.
fn spacer(rows: &Rows, id: Id) -> AnyView {
    let rows = *rows;
    let height = Memo::new(move |_| format!("{}px", rows.spacer_height(&id).round()));
    match rows.form {
        Form::Table => {
            view! { <tr class="gap" aria-hidden="true"><td style:height=move || height.get()></td></tr> }
                .into_any()
        }
        Form::Items => {
            view! { <li class="gap" aria-hidden="true" style:height=move || height.get()></li> }.into_any()
        }
    }
}

/// The id of a spacer; rows have none with a space in it.
fn spacer_id(number: i32) -> Id {
    Id::from(format!("gap {number}"))
}

/// Whether an id is that of a spacer.
fn is_spacer(id: &str) -> bool {
    id.starts_with("gap ")
}

/// What stands in the document: a row, or a spacer in the place of several.
#[derive(Clone, Debug, PartialEq)]
struct Laid {
    /// The row's id, or the spacer's.
    id: Id,
    /// The place of the row in the list, or of the first for which the spacer stands.
    at: usize,
    /// How many rows it stands for.
    len: usize,
}

/// A list in the document.
///
/// Signals are what elements follow. What only this code needs from one look to the next is in stored values,
/// whose change wakes nobody.
#[derive(Clone, Copy)]
struct Rows {
    /// What the list holds.
    core: Core,
    /// Which elements it is made of.
    form: Form,
    /// The id of the row that is shown beside the list.
    open: Signal<Option<String>>,
    /// The ids of what stands in the document, in order: their keys.
    shown: RwSignal<Vec<Id>>,
    /// How many rows each spacer stands for.
    spacers: RwSignal<Vec<(Id, usize)>>,
    /// The height of a row in pixels, as it was measured last.
    row_height: RwSignal<f64>,
    /// Moves when the rows in the document are to be numbered again.
    numbered: RwSignal<u32>,
    /// Whether the list is too long to be in the document as a whole.
    is_windowed: Memo<bool>,
    /// What `shown` was laid out as.
    laid: StoredValue<Vec<Laid>>,
    /// The id of the element that holds the rows.
    element_id: StoredValue<String>,
    /// Whether the next frame will look.
    is_planned: StoredValue<bool>,
    /// Whether the top of the list was visible at the latest look.
    was_at_top: StoredValue<bool>,
    /// The width at which rows were measured.
    measured_at: StoredValue<f64>,
    /// How far what is looked at is from its place: a browser scrolls by whole pixels, rows are not that
    /// high.
    astray: StoredValue<f64>,
}

/// What follows once the document shows what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing.
    Rest,
    /// Another look: the list has jumped to other places, and rows may be higher there than they were taken
    /// for.
    Look,
}

/// What is seen of a list: its elements, what they are, and where they are.
struct Seen {
    /// Its elements, from top to bottom.
    elements: Vec<Element>,
    /// What each of them is.
    laid: Vec<Laid>,
    /// Where each of them is.
    measured: Vec<Measured>,
    /// The upper edge of the list.
    top: f64,
    /// What within it has the focus, and in which of the elements.
    focused: Option<(HtmlElement, usize)>,
}

impl Rows {
    /// What belongs into the document before anything was measured.
    fn new(core: Core, form: Form, open: Signal<Option<String>>) -> Self {
        let rows = Self {
            core,
            form,
            open,
            shown: RwSignal::new(Vec::new()),
            spacers: RwSignal::new(Vec::new()),
            row_height: RwSignal::new(ROW_HEIGHT),
            numbered: RwSignal::new(0),
            is_windowed: Memo::new(move |_| core.len() > WHOLE_MAX),
            laid: StoredValue::new(Vec::new()),
            element_id: StoredValue::new(fresh_id()),
            is_planned: StoredValue::new(false),
            was_at_top: StoredValue::new(true),
            measured_at: StoredValue::new(0.0),
            astray: StoredValue::new(0.0),
        };
        untrack(|| rows.update());
        rows
    }

    /// Looks again whenever what is visible, or what there is, changes.
    fn listen(self) {
        let scrolled = window_event_listener(leptos::ev::scroll, move |_| self.plan());
        let resized = window_event_listener(leptos::ev::resize, move |_| self.plan());
        // The neighbours of what has the focus come into the document.
        let focused = window_event_listener(leptos::ev::focusin, move |_| self.plan());
        on_cleanup(move || {
            scrolled.remove();
            resized.remove();
            focused.remove();
        });
        let number = at_most_every(NUMBERED_EVERY, move || {
            self.numbered.update(|numbered| *numbered = numbered.wrapping_add(1));
        });
        effect(move || {
            self.core.order.track();
            self.open.track();
            untrack(|| self.update());
            number();
        });
    }

    /// Looks in the next frame, once for many calls.
    fn plan(self) {
        if self.is_planned.try_get_value() == Some(false) {
            self.is_planned.set_value(true);
            request_animation_frame(move || {
                if self.is_planned.try_update_value(|is_planned| *is_planned = false).is_some() {
                    self.look();
                }
            });
        }
    }

    /// What was scrolled to, or has another size.
    fn look(self) {
        if let Some(element) = self.element() {
            let is_at_top = scroll::edges(&element).0 >= 0.0;
            if is_at_top && !self.was_at_top.get_value() {
                reached_top(self.core);
            }
            self.was_at_top.set_value(is_at_top);
        }
        self.update();
    }

    /// The element that holds the rows, once it is in the document.
    fn element(self) -> Option<Element> {
        scroll::element(&self.element_id.try_get_value()?)
    }

    /// Puts into the document what belongs there now.
    fn update(self) {
        let Some(count) = self.core.with(|intake| intake.store.len()) else { return };
        if count <= WHOLE_MAX {
            return self.lay(&[Piece::Rows(0..count)], None);
        }
        let Some(seen) = self.see() else {
            self.lay(&window::pieces(&(0..FIRST_ROWS), &[], count), None);
            return set_timeout(move || self.plan(), SOON);
        };
        self.measure(&seen);
        let per_screen = window::per_screen(scroll::screen_height(), self.row_height.get_untracked());
        let first = if seen.top >= 0.0 { 0 } else { window::first_visible(&seen.measured) };
        let pieces = window::pieces(&window::around(first, per_screen, count), &self.pins(&seen), count);
        self.lay(&pieces, Some(seen));
    }

    /// What must not go: the row with the focus, and the one that is open.
    fn pins(self, seen: &Seen) -> Vec<usize> {
        let focused =
            seen.focused.as_ref().and_then(|(_, at)| seen.laid.get(*at)).map(|laid| Id::clone(&laid.id));
        let open = self.open.get_untracked().map(Id::from);
        self.core
            .with(|intake| focused.iter().chain(&open).filter_map(|id| intake.store.position(id)).collect())
            .unwrap_or_default()
    }

    /// Looks at the document; `None` where it does not show yet what it should.
    ///
    /// Most looks are at a list whose top is visible while rows come above it. Then nothing has to stay where
    /// it is, and no row is measured: that would be some two hundred calls to the browser for each row that
    /// comes.
    fn see(self) -> Option<Seen> {
        let (element, laid) = (self.element()?, self.laid.try_get_value()?);
        if usize::try_from(element.child_element_count()) != Ok(laid.len()) {
            return None;
        }
        let (top, focused) = (scroll::edges(&element).0, scroll::focused_within(&element));
        let is_measured = top < 0.0 || !self.knows_heights(&element);
        let elements = if is_measured || focused.is_some() { scroll::children(&element) } else { Vec::new() };
        let focused = focused.and_then(|focused| {
            elements.iter().position(|row| row.contains(Some(&focused))).map(|at| (focused, at))
        });
        let measured = if is_measured { self.measured(&elements, &laid)? } else { Vec::new() };
        Some(Seen { elements, laid, measured, top, focused })
    }

    /// Where each of `elements` is on the screen now, and where in the list.
    fn measured(self, elements: &[Element], laid: &[Laid]) -> Option<Vec<Measured>> {
        self.core.with(|intake| {
            let now = |laid: &Laid| intake.store.position(&laid.id).unwrap_or(laid.at);
            let one = |(element, laid): (&Element, &Laid)| {
                let (top, bottom) = scroll::edges(element);
                Measured { at: now(laid), len: laid.len, top, bottom }
            };
            elements.iter().zip(laid).map(one).collect()
        })
    }

    /// Whether rows were measured at the present width of the list.
    fn knows_heights(self, element: &Element) -> bool {
        (scroll::width(element) - self.measured_at.get_value()).abs() < 1.0
    }

    /// Measures a row, once for each width of the list.
    fn measure(self, seen: &Seen) {
        let Some(element) = self.element().filter(|element| !self.knows_heights(element)) else { return };
        if let Some(height) = window::row_height(&seen.measured) {
            self.measured_at.set_value(scroll::width(&element));
            self.row_height.set(height);
            keep_columns(&element);
        }
    }

    /// Shows these pieces. `seen`: what is in the document now, of which what is looked at stays in its
    /// place.
    ///
    /// Elements are touched only where something differs. A frame in which only places moved writes nothing:
    /// the rows are numbered apart from it ([`NUMBERED_EVERY`]).
    fn lay(self, pieces: &[Piece], seen: Option<Seen>) {
        let Some(laid) = self.core.with(|intake| laid_of(pieces, |at| intake.store.id_at(at).cloned()))
        else {
            return;
        };
        let spacers: Vec<(Id, usize)> = laid
            .iter()
            .filter(|laid| is_spacer(&laid.id))
            .map(|laid| (Id::clone(&laid.id), laid.len))
            .collect();
        let shown: Vec<Id> = laid.iter().map(|laid| Id::clone(&laid.id)).collect();
        let next = if self.laid.with_value(|before| places(before) == places(&laid)) {
            Next::Rest
        } else {
            Next::Look
        };
        self.laid.set_value(laid);
        let (moves, grows) = (
            self.shown.with_untracked(|known| *known != shown),
            self.spacers.with_untracked(|known| *known != spacers),
        );
        if grows {
            self.spacers.set(spacers);
        }
        if moves {
            self.shown.set(shown);
        }
        if let Some(seen) = seen.filter(|_| moves || grows) {
            self.settle(seen, next);
        }
    }

    /// Once the document has changed: puts back what was moved on the screen, or has lost the focus. `next`
    /// follows.
    fn settle(self, seen: Seen, next: Next) {
        let anchor = anchor(&seen);
        spawn(async move {
            // Effects that were woken before this run before it.
            leptos::task::tick().await;
            if let Some((element, top)) = anchor.filter(|(element, _)| element.is_connected()) {
                self.bring_back(&element, top);
            }
            if let Some((focused, _)) = seen.focused {
                scroll::refocus(&focused);
            }
            if next == Next::Look {
                self.plan();
            }
        });
    }

    /// Scrolls until the upper edge of `element` is at `top` again.
    ///
    /// What is left over below a pixel is kept in `astray` and counted next time: a list would creep
    /// otherwise, by half a pixel for each row that comes.
    fn bring_back(self, element: &Element, top: f64) {
        let Some(astray) = self.astray.try_get_value() else { return };
        let moved = scroll::edges(element).0 - top + astray;
        if moved.abs() >= 1.0 {
            scroll::by(moved);
        }
        // At the end of the page it cannot be brought back, and need not.
        let rest = scroll::edges(element).0 - top + astray;
        self.astray.set_value(if rest.abs() < 1.0 { rest } else { 0.0 });
    }

    /// The place of a row, counted from one; the headings of a table are its first row. Reactive, but not
    /// with each row that comes: see [`NUMBERED_EVERY`].
    fn place(self, id: &str) -> String {
        self.numbered.track();
        let first = if self.form == Form::Table { 2 } else { 1 };
        let at = self.core.with(|intake| intake.store.position(id)).flatten();
        at.map(|at| (at + first).to_string()).unwrap_or_default()
    }

    /// The height of a spacer; reactive.
    fn spacer_height(self, id: &str) -> f64 {
        let len = self
            .spacers
            .with(|spacers| spacers.iter().find(|(known, _)| **known == *id).map_or(0, |(_, len)| *len));
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let len = len as f64;
        len * self.row_height.get()
    }
}

/// The element that is to stay where it is, and its upper edge: the first row that is visible, once the start
/// of the list is above the screen.
fn anchor(seen: &Seen) -> Option<(Element, f64)> {
    if seen.top >= 0.0 {
        return None;
    }
    let rows = seen.elements.iter().zip(&seen.measured).zip(&seen.laid);
    rows.filter(|((_, measured), laid)| measured.bottom > 0.0 && !is_spacer(&laid.id))
        .map(|((element, measured), _)| (element.clone(), measured.top))
        .next()
}

/// The places of the rows that are in the document.
fn places(laid: &[Laid]) -> Vec<usize> {
    laid.iter().filter(|laid| !is_spacer(&laid.id)).map(|laid| laid.at).collect()
}

/// What the pieces consist of, one by one.
fn laid_of(pieces: &[Piece], id_at: impl Fn(usize) -> Option<Id>) -> Vec<Laid> {
    let mut all = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Rows(range) => {
                all.extend(range.clone().filter_map(|at| Some(Laid { id: id_at(at)?, at, len: 1 })));
            }
            Piece::Gap(number, range) => {
                all.push(Laid { id: spacer_id(*number), at: range.start, len: range.len() });
            }
        }
    }
    all
}

/// Fixes the widths of a table's columns as they are: with each row that comes and goes they would move.
///
/// Measured without the fixed layout first: a window that has become wider gives the columns their natural
/// widths again.
fn keep_columns(body: &Element) {
    let Some(table) = body.closest("table").ok().flatten() else { return };
    let headings: Vec<Element> = table
        .first_element_child()
        .and_then(|head| head.first_element_child())
        .iter()
        .flat_map(scroll::children)
        .collect();
    scroll::set_style(&table, "table-layout", "");
    for heading in &headings {
        scroll::set_style(heading, "width", "");
    }
    let (whole, widths) = (scroll::width(&table), headings.iter().map(scroll::width).collect::<Vec<f64>>());
    // Cards have no columns: their headings are only for the ear.
    if whole < 1.0 || widths.iter().sum::<f64>() < whole / 2.0 {
        return;
    }
    for (heading, width) in headings.iter().zip(widths) {
        scroll::set_style(heading, "width", &format!("{}px", width.round()));
    }
    scroll::set_style(&table, "table-layout", "fixed");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_document_has_each_key_once() {
        let id = |at: usize| Some(Id::from(format!("dlv_{at}")));
        let pieces = window::pieces(&(104..152), &[3, 500], 1_000);
        let laid = laid_of(&pieces, id);
        let mut ids: Vec<Id> = laid.iter().map(|laid| Id::clone(&laid.id)).collect();
        assert_eq!(
            (&*ids[0], &*ids[1], laid.iter().map(|laid| laid.len).sum::<usize>()),
            ("gap -2", "dlv_2", 1_000)
        );
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), laid.len());
    }

    #[test]
    fn no_id_of_a_row_is_that_of_a_spacer() {
        assert!(is_spacer(&spacer_id(-1)) && is_spacer(&spacer_id(i32::MAX)));
        assert!(!is_spacer("dlv_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11"));
    }
}
