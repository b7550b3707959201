//! Something that is loaded: what is known of it, whether it is being loaded, and why the last load failed.
//! The five faces of a screen (loading, failed, empty, offline, stale) are made of these three in
//! `ui::loaded`.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{Answer, ApiFailure, Load};

/// Runs `work` beside everything else.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(work));
}

/// Not generic, so that it exists once; as the two below.
fn spawn_boxed(work: Pin<Box<dyn Future<Output = ()>>>) {
    spawn_local(work);
}

/// Calls `act` with the answer of a call, once it is there.
pub(crate) fn when<T: 'static>(load: Load<T>, act: impl FnOnce(Answer<T>) + 'static) {
    boxed_when(load, Box::new(act));
}

fn boxed_when<T: 'static>(load: Load<T>, act: Box<dyn FnOnce(Answer<T>)>) {
    spawn(async move { act(load.await) });
}

/// Runs `act` now and whenever a signal that it reads changes: for what happens outside of the page's own
/// signals.
pub(crate) fn effect(act: impl Fn() + 'static) {
    boxed_effect(Box::new(act));
}

fn boxed_effect(act: Box<dyn Fn()>) {
    Effect::new(move |_| act());
}

/// Something that is loaded.
pub(crate) struct Fetched<T: 'static> {
    /// What was loaded last.
    pub(crate) value: RwSignal<Option<T>>,
    /// Why the latest load failed.
    pub(crate) failure: RwSignal<Option<ApiFailure>>,
    /// Whether a load is under way.
    pub(crate) is_loading: RwSignal<bool>,
    /// Moves when it is to be loaded again.
    again: RwSignal<u32>,
    /// Counts the loads: only the answer of the latest is taken.
    generation: StoredValue<u32>,
    /// See [`Self::arrivals`].
    arrivals: StoredValue<u32>,
}

impl<T> Clone for Fetched<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Fetched<T> {}

impl<T: Send + Sync + 'static> Fetched<T> {
    /// Loads now, whenever a signal that `load` reads changes, and when told to ([`Self::reload`]). The value
    /// stays until the next one is there; answers that come too late are dropped.
    pub(crate) fn new(load: impl Fn() -> Load<T> + 'static) -> Self {
        Self::of(Rc::new(load))
    }

    /// Not generic over what loads it.
    fn of(load: Rc<dyn Fn() -> Load<T>>) -> Self {
        let fetched = Self {
            value: RwSignal::new(None),
            failure: RwSignal::new(None),
            is_loading: RwSignal::new(true),
            again: RwSignal::new(0),
            generation: StoredValue::new(0),
            arrivals: StoredValue::new(0),
        };
        effect(move || {
            fetched.again.track();
            fetched.start(load());
        });
        fetched
    }

    /// Loads again.
    pub(crate) fn reload(self) {
        // The screen may be gone when a late answer asks for this.
        self.again.update(|again| *again = again.wrapping_add(1));
    }

    /// Counts the values that were loaded: tells one that was loaded anew from one that was changed here.
    pub(crate) fn arrivals(self) -> u32 {
        self.arrivals.get_value()
    }

    /// Waits for an answer, and takes it unless another load was started meanwhile.
    fn start(self, load: Load<T>) {
        let generation = self.generation.with_value(|generation| generation.wrapping_add(1));
        self.generation.set_value(generation);
        self.is_loading.set(true);
        spawn(async move {
            let answer = load.await;
            if self.generation.try_get_value() != Some(generation) {
                return;
            }
            match answer {
                Ok(value) => {
                    self.failure.set(None);
                    self.arrivals.set_value(self.arrivals.get_value().wrapping_add(1));
                    self.value.set(Some(value));
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
            self.is_loading.set(false);
        });
    }
}
