//! How the live feed stands, in the corner of a screen.

use crate::live::{Live, Status};
use leptos::prelude::*;

use super::badge::{Tone, badge};

/// How the live feed stands, as a word and a dot. Announced when it changes.
///
/// A screen that follows the feed has one in its head: what is on it is as old as the last change while the
/// feed is lost.
pub(crate) fn live_dot(live: Live) -> AnyView {
    let state = badge(move || {
        let status = live.status();
        let tone = match status {
            Status::Live => Tone::Good,
            Status::Reconnecting => Tone::Busy,
            Status::Offline => Tone::Bad,
        };
        (tone, String::from(status.word()))
    });
    view! { <span class="live" role="status" aria-label="Live feed">{state}</span> }.into_any()
}
