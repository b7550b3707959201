//! Parts of a view that change, and what is heard. In a view each closure is a type of its own, and each type brings its own
//! copy of the machinery that builds and rebuilds it (about 1 KB, hundreds of times). Boxed, all closures share one copy: this
//! is what keeps the page's first load within its budget.

use leptos::prelude::*;

/// A part of a view that is made again whenever a signal that it reads changes.
pub(crate) fn part<V: IntoView + 'static>(make: impl Fn() -> V + Send + 'static) -> AnyView {
    boxed(Box::new(move || make().into_any()))
}

fn boxed(make: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    make.into_any()
}

/// Words that change.
pub(crate) fn text(make: impl Fn() -> String + Send + 'static) -> AnyView {
    boxed_text(Box::new(make))
}

fn boxed_text(make: Box<dyn Fn() -> String + Send>) -> AnyView {
    make.into_any()
}

/// The value of an attribute that changes; none removes the attribute.
pub(crate) type Value = Box<dyn Fn() -> Option<String> + Send>;

/// The value of an attribute that changes.
pub(crate) fn value(make: impl Fn() -> Option<String> + Send + 'static) -> Value {
    Box::new(make)
}

/// `true` or `false` as the value of an attribute.
pub(crate) fn truth(make: impl Fn() -> bool + Send + 'static) -> Value {
    Box::new(move || Some(String::from(if make() { "true" } else { "false" })))
}

/// `true` as the value of an attribute, or no attribute.
pub(crate) fn only_if(make: impl Fn() -> bool + Send + 'static) -> Value {
    Box::new(move || make().then(|| String::from("true")))
}

/// Whether an element has a class.
pub(crate) type Flag = Box<dyn Fn() -> bool + Send>;

/// Whether an element has a class.
pub(crate) fn flag(make: impl Fn() -> bool + Send + 'static) -> Flag {
    Box::new(make)
}

/// What happens when an event is heard.
pub(crate) type Heard<E> = Box<dyn FnMut(E)>;

/// What happens when an event is heard.
pub(crate) fn hears<E>(act: impl FnMut(E) + 'static) -> Heard<E> {
    Box::new(act)
}
