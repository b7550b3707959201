//! The faces of something that is loaded: a skeleton, what went wrong with a way to try again, or the thing
//! itself, with a note where it is older than it should be.

use leptos::prelude::*;

use super::button::Button;
use super::icon::{Icon, glyph};
use super::skeleton;
use crate::api::ApiFailure;
use crate::browser::focus;
use crate::fetched::Fetched;

/// Shows `ready` once `fetched` has a value; before that, `skeleton` or what went wrong.
///
/// A value that was there stays, whatever a later load does: if that fails, a line above says that what is
/// shown may be out of date. `ready` runs once for all values, not once for each: what is in it reads
/// `fetched` itself.
///
/// The button that tries again keeps the focus while it loads, and when that fails again. When the value
/// comes the button goes, and the focus moves to the heading of the screen, or to the drawer that shows the
/// value.
pub(crate) fn loaded<T: Send + Sync + 'static>(
    fetched: Fetched<T>,
    skeleton: fn() -> AnyView,
    ready: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let is_there = Memo::new(move |_| fetched.value.with(Option::is_some));
    faces(
        is_there,
        fetched.failure,
        fetched.is_loading,
        UnsyncCallback::new(move |()| fetched.reload()),
        skeleton,
        Box::new(ready),
    )
}

/// The faces, not generic, so that they exist once. Each closure reads only which face is shown: another
/// failure changes the words in it, and the button that somebody is on stays.
fn faces(
    is_there: Memo<bool>,
    failure: RwSignal<Option<ApiFailure>>,
    is_loading: RwSignal<bool>,
    reload: UnsyncCallback<()>,
    skeleton: fn() -> AnyView,
    ready: Box<dyn Fn() -> AnyView + Send>,
) -> AnyView {
    let is_stale = Memo::new(move |_| is_there.get() && failure.with(Option::is_some));
    let stale = move || {
        focus::rescue(".stale");
        is_stale.get().then(|| {
            view! {
                <div class="stale" role="status">
                    {glyph(Icon::Warning)}
                    <span><b>"This may be out of date. "</b>{move || headline(failure)}"."</span>
                    <Button label="Try again" on_press=move |()| reload.run(()) disabled=is_loading />
                </div>
            }
            .into_any()
        })
    };
    let has_failed = Memo::new(move |_| failure.with(Option::is_some));
    let content = move || {
        if is_there.get() {
            focus::rescue(".failed");
            ready()
        } else if has_failed.get() {
            failed(failure, is_loading, reload)
        } else {
            skeleton::loading(skeleton)
        }
    };
    view! {
        {move || stale()}
        {move || content()}
    }
    .into_any()
}

/// What went wrong in a few words; reactive.
fn headline(failure: RwSignal<Option<ApiFailure>>) -> Option<String> {
    failure.with(|failure| failure.as_ref().map(ApiFailure::headline))
}

/// What went wrong, what to do, and a button that tries again.
fn failed(
    failure: RwSignal<Option<ApiFailure>>,
    is_loading: RwSignal<bool>,
    reload: UnsyncCallback<()>,
) -> AnyView {
    let advice = move || failure.with(|failure| failure.as_ref().map(ApiFailure::advice));
    view! {
        <div class="empty failed" role="alert">
            {glyph(Icon::Warning)}
            <h2>{move || headline(failure)}</h2>
            <p>{move || advice()}</p>
            <Button label="Try again" icon=Icon::Again on_press=move |()| reload.run(()) disabled=is_loading />
        </div>
    }
    .into_any()
}
