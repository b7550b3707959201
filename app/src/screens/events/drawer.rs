//! One event in full.

use leptos::prelude::*;
use postern_core::api::event::EventView;
use postern_core::operation::Operation;

use super::story::EventStory;
use crate::api::use_project;
use crate::browser::clock::offset_min;
use crate::browser::focus;
use crate::caller::use_may;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::attempt::event_facts;
use crate::screens::replays;
use crate::ui::badge::Tone;
use crate::ui::button::LinkButton;
use crate::ui::drawer::Drawer;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::skeleton;
use crate::words;

/// The drawer of an event.
///
/// It is loaded once: the feed has no message of an event. Closed, it gives the focus back to its row, or to
/// the first row if that has gone.
#[component]
pub(super) fn EventDrawer(
    /// `evt_…`
    id: String,
) -> AnyView {
    let (nav, project) = (use_nav(), use_project());
    let event = Fetched::new(move || project.event(&id));
    let deliveries = StoredValue::new(link(Area::Deliveries));
    let may_send = use_may(Operation::CreateReplay);
    let content = move || {
        let shown = move || {
            event
                .value
                .with(|event| event.as_ref().map(|event| facts(event, &deliveries.get_value(), may_send)))
        };
        shown.into_any()
    };
    let close = move || {
        nav.open("open", None);
        focus::soon("main tr.open [data-row], main [data-row]");
    };
    view! { <Drawer label="Event" on_close=move |()| close()>{loaded(event, skeleton::text, content)}</Drawer> }.into_any()
}

/// What is in the drawer.
///
/// An event without a delivery is not an error, but mostly a surprise: it says what to do about it.
/// `deliveries` is the address of their screen, `may_send` whether the token may send events again.
fn facts(event: &EventView, deliveries: &str, may_send: Memo<bool>) -> AnyView {
    let href = format!("{deliveries}{}", Query::default().with("type", Some(&event.kind)).text());
    let unwanted = (event.deliveries == 0).then(|| {
        let advice = "It is kept. Make or change a webhook, then send this event to it.";
        notice(Tone::Idle, String::from("No webhook wanted it"), String::from(advice))
    });
    let send_to = send_address(event);
    let send = move || {
        may_send.get().then(|| {
            view! { <LinkButton label="Send to a webhook…" href=send_to.clone() icon=Icon::Again /> }
                .into_any()
        })
    };
    view! {
        <header class="drawer-head">
            <h2 class="mono">{event.kind.clone()}</h2>
            <p class="about">{format!("Posted {}", words::date_time(event.accepted_at, offset_min(event.accepted_at)))}</p>
            <div class="page-actions">
                <LinkButton label="Deliveries of this type" href=href icon=Icon::Delivery />
                {move || send()}
            </div>
        </header>
        {unwanted}
        <EventStory id=event.id.clone() accepted_at=event.accepted_at />
        {event_facts(event)}
    }
    .into_any()
}

/// Where this event alone is sent to a webhook that did not get it.
///
/// The form of a replay finds it by its type and by the millisecond in which it was accepted. Others of that
/// type and millisecond are sent too; the form counts them first.
fn send_address(event: &EventView) -> String {
    let (since, until) = (event.accepted_at.to_rfc3339(), event.accepted_at.plus_ms(1).to_rfc3339());
    let query = Query::default()
        .with("since", Some(&since))
        .with("until", Some(&until))
        .with("type", Some(&event.kind));
    replays::address(replays::Kind::Missing, &query)
}
