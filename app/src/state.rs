//! Signals whose values are kept without their type, so that the machinery behind them exists once and not once for each of
//! the dozens of types that screens keep. They live on Leptos' own graph: a [`RwSignal`] is a Leptos trigger beside a value, a
//! [`Memo`] a Leptos memo of a counter beside one, and both are tracked, scheduled and cleaned up by Leptos. (Its generic
//! signals cost this page 100 KB compressed, which is most of what it may weigh.)
//!
//! Everything here is a handle that may be copied, and stays valid as long as the scope that made it.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use leptos::prelude as graph;
use leptos::prelude::{Get as _, GetUntracked as _, GetValue as _, LocalStorage, Notify as _, StoredValue, Track as _};

/// A value (in a `RefCell`), and who wants to know when it changes.
struct Slot {
    value: Box<dyn Any>,
    changed: graph::ArcTrigger,
}

impl Slot {
    /// The value, which is a `T`.
    fn value<T: 'static>(&self) -> &RefCell<T> {
        self.value.downcast_ref().unwrap_or_else(|| ended())
    }
}

type Handle = StoredValue<Rc<Slot>, LocalStorage>;

fn new_slot(value: Box<dyn Any>) -> Handle {
    StoredValue::new_local(Rc::new(Slot { value, changed: graph::ArcTrigger::new() }))
}

fn slot(handle: Handle) -> Rc<Slot> {
    handle.try_get_value().unwrap_or_else(|| ended())
}

fn tracked_slot(handle: Handle) -> Rc<Slot> {
    let slot = slot(handle);
    slot.changed.track();
    slot
}

/// A value was asked for after its scope had ended: a mistake of this page, not of its data.
#[cold]
fn ended() -> ! {
    panic!("a signal was used after its scope had ended")
}

/// A value that can be read and written.
pub(crate) struct RwSignal<T>(Handle, PhantomData<fn() -> T>);

impl<T> Clone for RwSignal<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RwSignal<T> {}

impl<T: 'static> RwSignal<T> {
    /// A signal with this value.
    pub(crate) fn new(value: T) -> Self {
        Self(new_slot(Box::new(RefCell::new(value))), PhantomData)
    }

    /// What `f` makes of the value; reactive.
    pub(crate) fn with<R>(self, f: impl FnOnce(&T) -> R) -> R {
        f(&tracked_slot(self.0).value::<T>().borrow())
    }

    /// What `f` makes of the value.
    pub(crate) fn with_untracked<R>(self, f: impl FnOnce(&T) -> R) -> R {
        f(&slot(self.0).value::<T>().borrow())
    }

    /// Changes the value, then tells who wants to know; nothing happens where the scope has ended.
    pub(crate) fn update(self, f: impl FnOnce(&mut T)) {
        if let Some(slot) = self.0.try_get_value() {
            f(&mut slot.value::<T>().borrow_mut());
            slot.changed.notify();
        }
    }

    /// Replaces the value; nothing happens where the scope has ended.
    pub(crate) fn set(self, value: T) {
        self.update(|old| *old = value);
    }

    /// Reacts to changes without reading the value.
    pub(crate) fn track(self) {
        tracked_slot(self.0);
    }

    /// Whether the scope has ended.
    pub(crate) fn is_disposed(self) -> bool {
        self.0.try_get_value().is_none()
    }
}

impl<T: Clone + 'static> RwSignal<T> {
    /// The value; reactive.
    pub(crate) fn get(self) -> T {
        self.with(T::clone)
    }

    /// The value.
    pub(crate) fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

/// A value that is made of others when they change, and tells of its own change only if it is another one then.
pub(crate) struct Memo<T> {
    slot: Handle,
    version: graph::Memo<u32>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Memo<T> {}

/// Makes the value again; whether it is another one.
type Remake = Rc<dyn Fn(&Slot) -> bool>;

fn new_version(slot: Handle, remake: Remake) -> graph::Memo<u32> {
    let remake = StoredValue::new_local(remake);
    graph::Memo::new(move |version: Option<&u32>| {
        let version = version.copied().unwrap_or_default();
        match (slot.try_get_value(), remake.try_get_value()) {
            (Some(slot), Some(remake)) if remake(&slot) => version.wrapping_add(1),
            _ => version,
        }
    })
}

impl<T: PartialEq + 'static> Memo<T> {
    /// A memo of what `make` makes.
    pub(crate) fn new(make: impl Fn() -> T + 'static) -> Self {
        let slot = new_slot(Box::new(RefCell::new(None::<T>)));
        let remake = move |slot: &Slot| {
            // Not while the slot is borrowed: `make` may read anything.
            let made = Some(make());
            let is_another = *slot.value::<Option<T>>().borrow() != made;
            if is_another {
                slot.value::<Option<T>>().replace(made);
            }
            is_another
        };
        Self { slot, version: new_version(slot, Rc::new(remake)), kind: PhantomData }
    }

    /// What `f` makes of the value; reactive.
    pub(crate) fn with<R>(self, f: impl FnOnce(&T) -> R) -> R {
        self.version.get();
        f(slot(self.slot).value::<Option<T>>().borrow().as_ref().unwrap_or_else(|| ended()))
    }

    /// What `f` makes of the value.
    pub(crate) fn with_untracked<R>(self, f: impl FnOnce(&T) -> R) -> R {
        self.version.get_untracked();
        f(slot(self.slot).value::<Option<T>>().borrow().as_ref().unwrap_or_else(|| ended()))
    }
}

impl<T: Clone + PartialEq + 'static> Memo<T> {
    /// The value; reactive.
    pub(crate) fn get(self) -> T {
        self.with(T::clone)
    }

    /// The value.
    pub(crate) fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

/// Anything that gives a `T`: a fixed one, a signal's, or one that is made each time it is asked for.
pub(crate) struct Signal<T: 'static>(StoredValue<Rc<dyn Fn() -> T>, LocalStorage>);

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Signal<T> {}

impl<T: 'static> Signal<T> {
    /// What `make` makes each time it is asked for.
    pub(crate) fn derive(make: impl Fn() -> T + 'static) -> Self {
        Self::of(Rc::new(make))
    }

    fn of(make: Rc<dyn Fn() -> T>) -> Self {
        Self(StoredValue::new_local(make))
    }

    /// The value; reactive.
    pub(crate) fn get(self) -> T {
        self.0.try_get_value().unwrap_or_else(|| ended())()
    }

    /// The value.
    pub(crate) fn get_untracked(self) -> T {
        graph::untrack(|| self.get())
    }

    /// What `f` makes of the value; reactive.
    pub(crate) fn with<R>(self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.get())
    }
}

impl<T: Clone + 'static> From<RwSignal<T>> for Signal<T> {
    fn from(signal: RwSignal<T>) -> Self {
        Self::derive(move || signal.get())
    }
}

impl<T: Clone + PartialEq + 'static> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Self {
        Self::derive(move || memo.get())
    }
}

impl From<String> for Signal<String> {
    fn from(text: String) -> Self {
        Self::derive(move || text.clone())
    }
}

impl From<&'static str> for Signal<String> {
    fn from(text: &'static str) -> Self {
        Self::derive(move || String::from(text))
    }
}

impl From<Vec<String>> for Signal<Vec<String>> {
    fn from(texts: Vec<String>) -> Self {
        Self::derive(move || texts.clone())
    }
}

impl Default for Signal<bool> {
    fn default() -> Self {
        Self::derive(|| false)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use leptos::prelude::Owner;

    use super::*;

    #[test]
    fn a_signal_keeps_what_was_set_last() {
        Owner::new().with(|| {
            let signal = RwSignal::new(vec![1]);
            signal.update(|list| list.push(2));
            assert_eq!(signal.get_untracked(), [1, 2]);
            signal.set(Vec::new());
            assert!(signal.with_untracked(Vec::is_empty));
        });
    }

    #[test]
    fn a_memo_is_made_again_only_when_what_it_read_has_changed() {
        Owner::new().with(|| {
            let (number, made) = (RwSignal::new(1), Rc::new(Cell::new(0)));
            let count = Rc::clone(&made);
            let is_even = Memo::new(move || {
                count.set(count.get() + 1);
                number.get() % 2 == 0
            });
            assert!(!is_even.get_untracked() && !is_even.get_untracked());
            assert_eq!(made.get(), 1);
            number.set(2);
            assert!(is_even.get_untracked());
            assert_eq!(made.get(), 2);
        });
    }

    #[test]
    fn a_memo_of_a_memo_rests_while_the_inner_one_stays_the_same() {
        Owner::new().with(|| {
            let (number, made) = (RwSignal::new(1), Rc::new(Cell::new(0)));
            let count = Rc::clone(&made);
            let is_even = Memo::new(move || number.get() % 2 == 0);
            let words = Memo::new(move || {
                count.set(count.get() + 1);
                if is_even.get() { "even" } else { "odd" }
            });
            assert_eq!(words.get_untracked(), "odd");
            number.set(3);
            assert_eq!(words.get_untracked(), "odd");
            assert_eq!(made.get(), 1);
            number.set(4);
            assert_eq!(words.get_untracked(), "even");
        });
    }

    #[test]
    fn setting_a_signal_of_an_ended_scope_does_nothing() {
        let owner = Owner::new();
        let signal = owner.with(|| RwSignal::new(1));
        owner.cleanup();
        signal.set(2);
        assert!(signal.is_disposed());
    }
}
