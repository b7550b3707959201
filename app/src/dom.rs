//! How views become elements. Leptos gives the page its signals, effects, contexts and components; its own renderer, which
//! brings a copy of itself for every shape of markup, is not used (`app/markup` says why). What is here exists once, whatever
//! the number of screens.
//!
//! A [`View`] is made once and put into the document. What changes later is bound to a signal where it changes: a text, an
//! attribute, or a whole [`part`] that is made again. Text becomes text nodes: nothing is ever parsed as HTML.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::{GetValue, LocalStorage, Owner, RenderEffect, SetValue, StoredValue, document, untrack};
use leptos::wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Node;

use crate::state::{Memo, RwSignal, Signal};

pub(crate) use postern_markup::view;

/// A piece of the page, not yet put into it.
pub(crate) struct View(Option<Node>);

impl View {
    /// Shows nothing.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }
}

/// What can stand in markup.
pub(crate) trait IntoView {
    /// The piece of the page that it is.
    fn into_view(self) -> View;
}

impl IntoView for View {
    fn into_view(self) -> View {
        self
    }
}

impl IntoView for Element {
    fn into_view(self) -> View {
        View(Some(self.0.into()))
    }
}

impl IntoView for () {
    fn into_view(self) -> View {
        View::nothing()
    }
}

impl IntoView for &str {
    fn into_view(self) -> View {
        View(Some(document().create_text_node(self).into()))
    }
}

impl IntoView for String {
    fn into_view(self) -> View {
        self.as_str().into_view()
    }
}

impl IntoView for u32 {
    fn into_view(self) -> View {
        self.to_string().into_view()
    }
}

impl<V: IntoView> IntoView for Option<V> {
    fn into_view(self) -> View {
        self.map_or_else(View::nothing, IntoView::into_view)
    }
}

impl<V: IntoView> IntoView for Vec<V> {
    fn into_view(self) -> View {
        together(self.into_iter().map(IntoView::into_view).collect())
    }
}

impl IntoView for Signal<String> {
    fn into_view(self) -> View {
        text(move || self.get())
    }
}

/// Several pieces, one after the other.
pub(crate) fn together(views: Vec<View>) -> View {
    let all = document().create_document_fragment();
    for view in views {
        append(&all, view);
    }
    View(Some(all.into()))
}

fn append(parent: &Node, view: View) {
    if let Some(node) = view.0 {
        // Fails only for a node that may not stand there, which the markup rules out.
        drop(parent.append_child(&node));
    }
}

/// Iterators of pieces as one.
pub(crate) trait CollectView {
    /// All of them, one after the other.
    fn collect_view(self) -> View;
}

impl<V: IntoView, I: IntoIterator<Item = V>> CollectView for I {
    fn collect_view(self) -> View {
        together(self.into_iter().map(IntoView::into_view).collect())
    }
}

/// What stands inside a component, made once.
pub(crate) type Children = Box<dyn FnOnce() -> View>;
/// What stands inside a component, made each time it is shown.
pub(crate) type ChildrenFn = Rc<dyn Fn() -> View>;

/// What stands inside a component, as the component takes it.
pub(crate) trait ToChildren<F> {
    /// Takes what makes it.
    fn to_children(make: F) -> Self;
}

impl<F: FnOnce() -> View + 'static> ToChildren<F> for Children {
    fn to_children(make: F) -> Self {
        Box::new(make)
    }
}

impl<F: Fn() -> View + 'static> ToChildren<F> for ChildrenFn {
    fn to_children(make: F) -> Self {
        Rc::new(make)
    }
}

/// Makes what is the same each time, from the text that `app/markup` writes for it: a row of steps, each a control character
/// and what follows it.
pub(crate) fn stamp(text: &'static str) -> View {
    let all: Node = document().create_document_fragment().into();
    stamp_into(&all, text);
    // The only child alone, so that a row of a list is an element.
    match all.first_child() {
        Some(only) if only.next_sibling().is_none() => View(Some(only)),
        _ => View(Some(all)),
    }
}

fn stamp_into(all: &Node, text: &'static str) {
    let (mut open, mut name) = (all.clone(), "");
    let mut rest = text;
    while let Some(step) = rest.bytes().next() {
        let end = rest[1..].find(|c: char| c < '\u{7}').map_or(rest.len(), |end| end + 1);
        let what = &rest[1..end];
        rest = &rest[end..];
        match step {
            1 | 2 => {
                let space = if step == 1 { "http://www.w3.org/1999/xhtml" } else { "http://www.w3.org/2000/svg" };
                let made = document().create_element_ns(Some(space), what).expect("markup has names of elements only");
                append(&open, View(Some(made.clone().into())));
                open = made.into();
            }
            3 => name = what,
            4 => set(open.unchecked_ref(), name, Some(what)),
            5 => append(&open, what.into_view()),
            _ => open = open.parent_node().unwrap_or_else(|| all.clone()),
        }
    }
}

/// An element that is being made.
pub(crate) struct Element(web_sys::Element);

impl Element {
    /// An element with those of its attributes that are the same each time.
    pub(crate) fn new(head: &'static str) -> Self {
        let View(made) = stamp(head);
        Self(made.expect("a head opens one element").unchecked_into())
    }

    /// Puts a piece into it, after those that are there.
    pub(crate) fn add(&self, child: impl IntoView) {
        append(&self.0, child.into_view());
    }

    /// Sets or removes an attribute.
    pub(crate) fn set(&self, name: &str, value: Option<&str>) {
        set(&self.0, name, value);
    }

    /// Has a class as long as `flag` holds.
    pub(crate) fn class_if(&self, class: &'static str, flag: Flag) {
        let classes = self.0.class_list();
        // Fails only for a name that is no class.
        follow(Box::new(move || drop(classes.toggle_with_force(class, flag.holds()))));
    }

    /// Calls `act` for each event of this kind.
    pub(crate) fn hear<E: FromWasmAbi + 'static>(&self, name: &'static str, act: Heard<E>) {
        listen(&self.0, name, Closure::wrap(act));
    }
}

fn set(element: &web_sys::Element, name: &str, value: Option<&str>) {
    // Fails only for a name that is no attribute.
    drop(match value {
        Some(value) => element.set_attribute(name, value),
        None => element.remove_attribute(name),
    });
}

/// Something that listens to an element.
struct Listener<E: ?Sized + 'static> {
    element: web_sys::Element,
    name: &'static str,
    closure: Closure<E>,
}

impl<E: ?Sized> Drop for Listener<E> {
    fn drop(&mut self) {
        // A field that has the focus loses it, and says so, when it is taken out of the document: after its scope has ended.
        drop(self.element.remove_event_listener_with_callback(self.name, self.closure.as_ref().unchecked_ref()));
    }
}

/// Listens as long as the present scope lives.
fn listen<E: ?Sized + 'static>(element: &web_sys::Element, name: &'static str, closure: Closure<E>) {
    // Never fails for a function.
    drop(element.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()));
    keep(Listener { element: element.clone(), name, closure });
}

/// Keeps something until the present scope ends.
fn keep<T: 'static>(kept: T) {
    let _ = StoredValue::<T, LocalStorage>::new_local(kept);
}

/// Runs `act` now and whenever a signal that it reads changes, as long as the present scope lives.
fn follow(mut act: Box<dyn FnMut()>) {
    keep(RenderEffect::new(move |_: Option<()>| act()));
}

/// A value that an attribute can have.
pub(crate) trait Attribute {
    /// Gives it to the attribute `name` of `element`, now and as it changes.
    fn put(self, element: &Element, name: &'static str);
}

impl Attribute for &str {
    fn put(self, element: &Element, name: &'static str) {
        element.set(name, Some(self));
    }
}

impl Attribute for String {
    fn put(self, element: &Element, name: &'static str) {
        element.set(name, Some(&self));
    }
}

impl Attribute for Option<&str> {
    fn put(self, element: &Element, name: &'static str) {
        if self.is_some() {
            element.set(name, self);
        }
    }
}

impl Attribute for Option<String> {
    fn put(self, element: &Element, name: &'static str) {
        self.as_deref().put(element, name);
    }
}

impl Attribute for bool {
    fn put(self, element: &Element, name: &'static str) {
        self.then_some("").put(element, name);
    }
}

impl Attribute for Signal<String> {
    fn put(self, element: &Element, name: &'static str) {
        value(move || Some(self.get())).put(element, name);
    }
}

impl Attribute for Value {
    fn put(self, element: &Element, name: &'static str) {
        let element = element.0.clone();
        follow(Box::new(move || set(&element, name, self().as_deref())));
    }
}

/// A value that a property (what a person changes: `value`, `checked`) can have.
pub(crate) trait Property {
    /// Gives it to the property `name` of `element`, now and as it changes.
    fn keep(self, element: &Element, name: &'static str);
}

impl Property for Value {
    fn keep(self, element: &Element, name: &'static str) {
        keep_property(element, name, Box::new(move || JsValue::from_str(&self().unwrap_or_default())));
    }
}

impl Property for Flag {
    fn keep(self, element: &Element, name: &'static str) {
        keep_property(element, name, Box::new(move || JsValue::from_bool(self.holds())));
    }
}

impl Property for RwSignal<String> {
    fn keep(self, element: &Element, name: &'static str) {
        value(move || Some(self.get())).keep(element, name);
    }
}

impl Property for RwSignal<bool> {
    fn keep(self, element: &Element, name: &'static str) {
        self.flag().keep(element, name);
    }
}

fn keep_property(element: &Element, name: &'static str, value: Box<dyn Fn() -> JsValue>) {
    let element = element.0.clone();
    follow(Box::new(move || {
        let (name, value) = (JsValue::from_str(name), value());
        // Setting what is there already would move the cursor.
        if js_sys::Reflect::get(&element, &name).is_ok_and(|now| now != value) {
            // Never fails for an element's own properties.
            drop(js_sys::Reflect::set(&element, &name, &value));
        }
    }));
}

/// A place to find an element that markup made.
pub(crate) struct NodeRef<E: 'static>(StoredValue<Option<E>, LocalStorage>);

impl<E> Clone for NodeRef<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for NodeRef<E> {}

impl<E: JsCast + Clone> NodeRef<E> {
    /// Nothing found yet.
    pub(crate) fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Remembers the element.
    pub(crate) fn found(self, element: &Element) {
        self.0.set_value(element.0.dyn_ref::<E>().cloned());
    }

    /// The element, if it was made.
    pub(crate) fn element(self) -> Option<E> {
        self.0.try_get_value().flatten()
    }
}

/// The value of an attribute that changes; none removes the attribute.
pub(crate) type Value = Box<dyn Fn() -> Option<String>>;

/// The value of an attribute that changes.
pub(crate) fn value(make: impl Fn() -> Option<String> + 'static) -> Value {
    Box::new(make)
}

/// `true` or `false` as the value of an attribute.
pub(crate) fn truth(make: impl Fn() -> bool + 'static) -> Value {
    Box::new(move || Some(String::from(if make() { "true" } else { "false" })))
}

/// `true` as the value of an attribute, or no attribute.
pub(crate) fn only_if(make: impl Fn() -> bool + 'static) -> Value {
    Box::new(move || make().then(|| String::from("true")))
}

/// Something that holds or does not.
pub(crate) struct Flag(Box<dyn Fn() -> bool>);

impl Flag {
    fn holds(&self) -> bool {
        (self.0)()
    }
}

/// What can say whether something holds.
pub(crate) trait Holds {
    /// It as a flag.
    fn flag(self) -> Flag;
}

impl Holds for Flag {
    fn flag(self) -> Flag {
        self
    }
}

impl Holds for bool {
    fn flag(self) -> Flag {
        flag(move || self)
    }
}

impl Holds for RwSignal<bool> {
    fn flag(self) -> Flag {
        flag(move || self.get())
    }
}

impl Holds for Memo<bool> {
    fn flag(self) -> Flag {
        flag(move || self.get())
    }
}

/// Something that holds as long as `make` says so.
pub(crate) fn flag(make: impl Fn() -> bool + 'static) -> Flag {
    Flag(Box::new(make))
}

/// What happens when an event is heard.
pub(crate) type Heard<E> = Box<dyn FnMut(E)>;

/// What happens when an event is heard.
pub(crate) fn hears<E>(act: impl FnMut(E) + 'static) -> Heard<E> {
    Box::new(act)
}

/// Words that change.
pub(crate) fn text(make: impl Fn() -> String + 'static) -> View {
    boxed_text(Box::new(make))
}

fn boxed_text(make: Box<dyn Fn() -> String>) -> View {
    let node = document().create_text_node("");
    let shown = node.clone();
    follow(Box::new(move || {
        let words = make();
        if shown.data() != words {
            shown.set_data(&words);
        }
    }));
    View(Some(node.into()))
}

/// A part of a view that is made again whenever a signal that it reads changes.
pub(crate) fn part<V: IntoView>(make: impl Fn() -> V + 'static) -> View {
    boxed_part(Box::new(move || make().into_view()))
}

fn boxed_part(make: Box<dyn Fn() -> View>) -> View {
    let place = Place::new();
    let inside = place.clone();
    follow(Box::new(move || {
        let view = make();
        inside.clear();
        inside.add(view);
    }));
    place.view
}

/// A place between two marks, whatever stands there now.
struct Place {
    view: View,
    start: Node,
    end: Node,
}

impl Place {
    fn new() -> Self {
        let (start, end): (Node, Node) = (document().create_comment("").into(), document().create_comment("").into());
        let all = document().create_document_fragment();
        append(&all, View(Some(start.clone())));
        append(&all, View(Some(end.clone())));
        Self { view: View(Some(all.into())), start, end }
    }

    fn clone(&self) -> Self {
        Self { view: View::nothing(), start: self.start.clone(), end: self.end.clone() }
    }

    fn clear(&self) {
        while let Some(next) = self.start.next_sibling().filter(|next| *next != self.end) {
            remove(&next);
        }
    }

    fn add(&self, view: View) {
        if let (Some(node), Some(parent)) = (view.0, self.end.parent_node()) {
            // Fails only for a node that may not stand there, which the markup rules out.
            drop(parent.insert_before(&node, Some(&self.end)));
        }
    }
}

fn remove(node: &Node) {
    if let Some(parent) = node.parent_node() {
        // Never fails for a child.
        drop(parent.remove_child(node));
    }
}

/// One row for each id, in order; a row that moves keeps its element, and with it the focus. `row` is called once for an id,
/// reads what it shows from signals, and makes one element.
pub(crate) fn keyed(ids: impl Fn() -> Vec<String> + 'static, row: impl Fn(String) -> View + 'static) -> View {
    boxed_keyed(Box::new(ids), Box::new(row))
}

fn boxed_keyed(ids: Box<dyn Fn() -> Vec<String>>, row: Box<dyn Fn(String) -> View>) -> View {
    let place = Place::new();
    let inside = place.clone();
    // Rows belong to the list, not to the run that made them.
    let list = Owner::current().unwrap_or_default();
    let rows: RefCell<Vec<(String, Node, Owner)>> = RefCell::default();
    follow(Box::new(move || {
        let ids = ids();
        let mut rows = rows.borrow_mut();
        rows.retain(|(id, node, owner)| {
            let stays = ids.contains(id);
            if !stays {
                remove(node);
                owner.cleanup();
            }
            stays
        });
        let mut before = inside.start.clone();
        for id in ids {
            let known = rows.iter().find(|(known, ..)| *known == id).map(|(_, node, _)| node.clone());
            let node = known.unwrap_or_else(|| {
                let owner = list.child();
                let node = single(untrack(|| owner.with(|| row(id.clone()))));
                rows.push((id, node.clone(), owner));
                node
            });
            // Only what is out of place moves: moving an element takes the focus away from it.
            let next = before.next_sibling();
            if next.as_ref() != Some(&node)
                && let Some(parent) = before.parent_node()
            {
                // Never fails: both are children of the list, or about to be.
                drop(parent.insert_before(&node, next.as_ref()));
            }
            before = node;
        }
    }));
    place.view
}

/// The only node of a row; a mark for a row that shows nothing.
fn single(view: View) -> Node {
    let found = match view.0 {
        Some(node) if node.node_type() == Node::DOCUMENT_FRAGMENT_NODE => node.first_child(),
        other => other,
    };
    found.unwrap_or_else(|| document().create_comment("").into())
}

/// Puts the page into the document's body, for good.
pub(crate) fn mount(make: impl FnOnce() -> View) {
    let owner = Owner::new();
    let view = owner.with(make);
    if let Some(body) = document().body() {
        append(&body, view);
    }
    // The page ends with the document.
    std::mem::forget(owner);
}
