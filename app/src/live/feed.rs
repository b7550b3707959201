//! The connection: how it is opened, heard, lost and opened again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::live::{Change, SUBPROTOCOL};
use postern_core::live_ticket::SUBPROTOCOL_PREFIX;
use postern_core::time::Timestamp;

use super::batch::Batch;
use crate::api::ProjectApi;
use crate::browser::clock::{chance, now};
use crate::browser::location;
use crate::browser::socket::{Socket, SocketEvent};
use crate::fetched::when;

/// How the feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Changes arrive as they happen.
    Live,
    /// The feed was lost, or is being opened for the first time.
    Reconnecting,
    /// The browser has no network.
    Offline,
}

impl Status {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Reconnecting => "Reconnecting",
            Self::Offline => "Offline",
        }
    }
}

/// What is called with each change, and the number under which it is taken off again.
type Listener = (u32, Rc<dyn Fn(&Change)>);

/// What the parts of the feed share. `Rc`: the page has one thread.
struct Feed {
    /// Gives the tickets with which sockets are opened.
    project: ProjectApi,
    /// What the dot says.
    status: RwSignal<Status>,
    /// What screens do with a change, in the order in which they asked for it.
    listeners: RefCell<Vec<Listener>>,
    /// The number of the next one.
    next_listener: Cell<u32>,
    /// The present connection; dropping it closes it.
    socket: RefCell<Option<Socket>>,
    /// Openings that failed since the feed was last live.
    failures: Cell<u32>,
    /// Whether there was a connection before: then the next one follows a gap.
    was_live: Cell<bool>,
    /// Counts up when the socket is replaced, so that what an old one still tells is not heard.
    generation: Cell<u32>,
    /// The next opening, while the feed waits for it.
    timer: Cell<Option<TimeoutHandle>>,
    /// Whether anything arrived since the last look.
    heard: Cell<bool>,
    /// Whether the project was left: whatever is still under way does nothing any more.
    closed: Cell<bool>,
    /// What came and was not told yet.
    batch: RefCell<Batch>,
    /// Counts the batches that were told: what was planned for an earlier one has nothing to do any more.
    told: Cell<u32>,
    /// When the latest batch was told.
    told_at: Cell<Timestamp>,
}

/// The feed of the project that is shown.
#[derive(Clone, Copy)]
pub(crate) struct Live(StoredValue<Rc<Feed>, LocalStorage>);

/// A frame that the server answers by itself, and how often: a connection that is dead without a word is
/// noticed so.
const PING: &str = "ping";

/// Shorter than the half minute or minute after which proxies drop a connection on which nothing moves.
const PING_EVERY: Duration = Duration::from_secs(25);

/// How long messages wait for a frame at most.
const WITHOUT_FRAMES: Duration = Duration::from_secs(1);

/// From one batch to the next at least. Nobody reads faster, and each batch that brings a row paints the list
/// anew, which costs as much for one row as for several.
const BETWEEN: Duration = Duration::from_millis(200);

impl Live {
    /// Opens the feed and offers it to everything below; it closes with the present scope.
    pub(crate) fn provide(project: &ProjectApi) -> Self {
        let feed = Rc::new(Feed {
            project: project.clone(),
            status: RwSignal::new(if location::is_online() { Status::Reconnecting } else { Status::Offline }),
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            socket: RefCell::new(None),
            failures: Cell::new(0),
            was_live: Cell::new(false),
            generation: Cell::new(0),
            timer: Cell::new(None),
            heard: Cell::new(true),
            closed: Cell::new(false),
            batch: RefCell::default(),
            told: Cell::new(0),
            told_at: Cell::new(Timestamp(0)),
        });
        connect(&feed);

        let live = Self(StoredValue::new_local(Rc::clone(&feed)));
        let online = window_event_listener(leptos::ev::online, move |_| live.with_feed(reconnect_now));
        let offline = window_event_listener(leptos::ev::offline, move |_| live.with_feed(lost));
        // What waits for a frame would wait until the tab is shown again.
        let visibility =
            window_event_listener(leptos::ev::visibilitychange, move |_| live.with_feed(tell_batch));
        let ping = set_interval_with_handle(move || live.with_feed(look), PING_EVERY).ok();
        on_cleanup(move || {
            online.remove();
            offline.remove();
            visibility.remove();
            if let Some(ping) = ping {
                ping.clear();
            }
            live.with_feed(|feed| {
                feed.closed.set(true);
                drop_socket(feed);
            });
        });
        provide_context(live);
        live
    }

    /// How the feed stands; reactive.
    pub(crate) fn status(self) -> Status {
        self.0.with_value(|feed| feed.status.get())
    }

    /// Calls `hear` for each change, as long as the present scope lives.
    pub(crate) fn on_change(self, hear: impl Fn(&Change) + 'static) {
        let id = self.0.with_value(|feed| {
            let id = feed.next_listener.get();
            feed.next_listener.set(id + 1);
            feed.listeners.borrow_mut().push((id, Rc::new(hear)));
            id
        });
        on_cleanup(move || {
            self.with_feed(|feed| feed.listeners.borrow_mut().retain(|(listener, _)| *listener != id));
        });
    }

    /// The screens may outlive the feed by a moment; what they do then does not matter.
    fn with_feed(self, act: impl FnOnce(&Rc<Feed>)) {
        if let Some(feed) = self.0.try_get_value() {
            act(&feed);
        }
    }
}

/// The feed of the project that is shown.
pub(crate) fn use_live() -> Live {
    expect_context()
}

/// Asks for a ticket, and opens a socket with it. Each ticket opens one socket, so each opening needs its
/// own.
fn connect(feed: &Rc<Feed>) {
    drop_socket(feed);
    let present = present(feed);
    when(feed.project.live_ticket(), move |answer| {
        let Some(feed) = present() else { return };
        match answer {
            Ok(ticket) => open(&feed, &ticket.ticket),
            // A token that opens nothing any more has ended the session; whatever else it was may be over
            // soon.
            Err(_failure) => lost(&feed),
        }
    });
}

/// The feed, as long as it is open and still at this connection.
fn present(feed: &Rc<Feed>) -> impl Fn() -> Option<Rc<Feed>> + Clone + 'static {
    let (feed, generation) = (Rc::downgrade(feed), feed.generation.get());
    move || feed.upgrade().filter(|feed| feed.generation.get() == generation && !feed.closed.get())
}

/// Opens the socket.
fn open(feed: &Rc<Feed>, ticket: &str) {
    let present = present(feed);
    let tell = move |event| {
        if let Some(feed) = present() {
            hear(&feed, event);
        }
    };
    let offered = format!("{SUBPROTOCOL_PREFIX}{ticket}");
    let socket = Socket::open(&feed.project.live_path(), &[SUBPROTOCOL, &offered], tell);
    let refused = socket.is_none();
    *feed.socket.borrow_mut() = socket;
    if refused {
        lost(feed);
    }
}

/// What a socket tells. Anything proves that the connection lives.
fn hear(feed: &Rc<Feed>, event: SocketEvent) {
    feed.heard.set(true);
    match event {
        SocketEvent::Opened => {
            feed.failures.set(0);
            feed.status.set(Status::Live);
            if feed.was_live.replace(true) {
                tell(feed, &Change::many());
            }
        }
        SocketEvent::Text(text) => {
            if feed.batch.borrow_mut().push(text) {
                plan(feed);
            }
        }
        SocketEvent::Closed => lost(feed),
    }
}

/// Sees to it that what came is told within the next frame, but not soon after the batch before. A tab that
/// is hidden has no frames: a timer does it there.
fn plan(feed: &Rc<Feed>) {
    let batch = feed.told.get();
    let turn = {
        let feed = Rc::downgrade(feed);
        move || {
            if let Some(feed) = feed.upgrade().filter(|feed| feed.told.get() == batch && !feed.closed.get()) {
                tell_batch(&feed);
            }
        }
    };
    if document().hidden() {
        return set_timeout(turn, WITHOUT_FRAMES);
    }
    // A clock that was set back meanwhile counts for nothing.
    let passed = Duration::from_millis(u64::try_from(now().ms_since(feed.told_at.get())).unwrap_or(u64::MAX));
    match BETWEEN.checked_sub(passed) {
        Some(left) => set_timeout(|| request_animation_frame(turn), left),
        None => request_animation_frame(turn),
    }
}

/// Tells what came, once for each thing.
fn tell_batch(feed: &Rc<Feed>) {
    feed.told.set(feed.told.get().wrapping_add(1));
    feed.told_at.set(now());
    let events = feed.batch.borrow_mut().take();
    for change in &events {
        tell(feed, change);
    }
}

/// Tells everybody of one change.
fn tell(feed: &Rc<Feed>, change: &Change) {
    // Copied first: a listener may add or remove listeners.
    let listeners: Vec<Listener> = feed.listeners.borrow().clone();
    for (_, hear) in listeners {
        hear(change);
    }
}

/// The socket is gone: says so, and comes back after a while, or when the browser has a network again.
fn lost(feed: &Rc<Feed>) {
    drop_socket(feed);
    let online = location::is_online();
    feed.status.set(if online { Status::Reconnecting } else { Status::Offline });
    if !online {
        return;
    }
    let failures = feed.failures.get();
    feed.failures.set(failures.saturating_add(1));
    let again = Rc::downgrade(feed);
    let timer = set_timeout_with_handle(
        move || {
            if let Some(feed) = again.upgrade().filter(|feed| !feed.closed.get()) {
                connect(&feed);
            }
        },
        Duration::from_millis(wait_ms(failures, chance())),
    );
    feed.timer.set(timer.ok());
}

/// The browser has a network again: there is nothing to wait for.
fn reconnect_now(feed: &Rc<Feed>) {
    if feed.status.get_untracked() != Status::Live {
        feed.failures.set(0);
        feed.status.set(Status::Reconnecting);
        connect(feed);
    }
}

/// Asks for a sign of life, or gives the connection up if there was none since the last time.
fn look(feed: &Rc<Feed>) {
    if feed.status.get_untracked() != Status::Live {
        return;
    }
    if feed.heard.replace(false) {
        if let Some(socket) = feed.socket.borrow().as_ref() {
            socket.send(PING);
        }
    } else {
        lost(feed);
    }
}

/// Ends the connection, and forgets a planned one. What the old socket still tells counts no more.
fn drop_socket(feed: &Feed) {
    feed.generation.set(feed.generation.get().wrapping_add(1));
    if let Some(timer) = feed.timer.take() {
        timer.clear();
    }
    feed.socket.borrow_mut().take();
}

/// Milliseconds before opening number `failures` + 1: 0.5 s, doubled each time up to 15 s, of which the
/// second half is left to `chance` (0 to 1), so that the pages of a restarted server do not all come back in
/// one moment.
fn wait_ms(failures: u32, chance: f64) -> u64 {
    let most = 500u64.saturating_mul(1 << failures.min(5)).min(15_000);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between 0 and 7,500"
    )]
    let part = (most as f64 / 2.0 * chance.clamp(0.0, 1.0)) as u64;
    most / 2 + part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_fifteen_seconds() {
        let most: Vec<u64> = (0..8).map(|failures| wait_ms(failures, 1.0)).collect();
        assert_eq!(most, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    }

    #[test]
    fn chance_moves_the_wait_within_its_second_half() {
        for chance in [0.0, 0.3, 1.0, 7.0, -1.0] {
            assert!((2_000..=4_000).contains(&wait_ms(3, chance)), "{chance}");
        }
    }
}
