//! The steps of the first minute, for a project in which nothing happened yet.

use leptos::prelude::*;

use super::model::Steps;
use crate::project::link;
use crate::routes::Area;
use crate::ui::icon::{Icon, glyph};

/// What is left to do until the first callback arrives: each step is a link to where it is done, and is
/// marked once it is.
///
/// The third step is done with the first callback that was delivered: one that failed still has something to
/// show. A project that was filled through the API has done all three and never sees this.
pub(super) fn first_minute(steps: Steps) -> AnyView {
    let step = |is_done: bool, number: u32, words: &'static str, about: &'static str, href: String| {
        let mark = if is_done { glyph(Icon::Done) } else { number.to_string().into_any() };
        view! {
            <li class="step" class:done=is_done>
                <span class="step-mark" aria-hidden="true">{mark}</span>
                <div>
                    <a class="stretched" data-row="" href=href>{words}</a>
                    {is_done.then(|| view! { <span class="for-ear">" (done)"</span> }.into_any())}
                    <p class="faint">{about}</p>
                </div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    let inbox_about = "A receiver of our own, so that you see a callback without running one.";
    let inbox = step(steps.has_inbox, 1, "Make an inbox", inbox_about, link(Area::Inboxes));
    let webhook = step(
        steps.has_webhook,
        2,
        "Make a webhook",
        "Say where to call, and for which events.",
        link(Area::WebhookNew),
    );
    let (post, post_about) =
        (format!("{}?post=1", link(Area::Events)), "It is signed, sent, and shown live in the inbox.");
    let event = step(steps.has_delivery, 3, "Post an event and watch it arrive", post_about, post);
    view! {
        <section class="card" aria-labelledby="first-minute">
            <h2 class="card-head" id="first-minute">"The first minute"</h2>
            <ol class="needs">{inbox}{webhook}{event}</ol>
        </section>
    }
    .into_any()
}
