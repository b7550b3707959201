//! Short messages in a corner, announced politely, and what can still be undone.

use std::time::Duration;

use leptos::prelude::*;

use super::badge::Tone;
use super::button::{Button, icon_button};
use super::icon::Icon;
use super::shortcuts::use_shortcut;
use crate::fetched::effect;

/// How long a message stays, and how long something can be undone.
const SHOWN: Duration = Duration::from_secs(6);
/// How long a complaint stays: it is to be read to the end.
const COMPLAINT_SHOWN: Duration = Duration::from_secs(12);

/// A message, as long as it is shown.
struct Toast {
    /// Tells it from the others.
    id: u32,
    /// Its colour.
    tone: Tone,
    /// What it says.
    text: String,
    /// What it stands for, if that can still be taken back.
    undo: Option<Undo>,
    /// Takes it away.
    timer: Option<TimeoutHandle>,
}

/// Something that is done unless it is taken back.
struct Undo {
    /// What goes away with it; hidden from lists meanwhile.
    subject: String,
    /// Does it, once it can't be taken back any more.
    commit: Box<dyn FnOnce()>,
    /// Called instead where it was taken back.
    take_back: Box<dyn FnOnce()>,
}

/// The messages of the page.
#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    /// Those that are shown, the oldest first.
    all: RwSignal<Vec<Toast>, LocalStorage>,
    /// The number of the next one.
    next_id: StoredValue<u32>,
    /// The subjects of what is about to be done: lists leave them out.
    gone: RwSignal<Vec<String>>,
}

impl Toasts {
    /// Offers itself to everything below. What could still be undone is done when the page is left.
    pub(crate) fn provide() -> Self {
        let toasts = Self {
            all: RwSignal::new_local(Vec::new()),
            next_id: StoredValue::new(0),
            gone: RwSignal::new(Vec::new()),
        };
        window_event_listener(leptos::ev::pagehide, move |_| toasts.flush());
        provide_context(toasts);
        toasts
    }

    /// Says that something worked.
    pub(crate) fn say(self, text: impl Into<String>) {
        self.add(Tone::Good, text.into(), None, SHOWN);
    }

    /// Says that something did not work, and why.
    pub(crate) fn complain(self, text: impl Into<String>) {
        self.add(Tone::Bad, text.into(), None, COMPLAINT_SHOWN);
    }

    /// Says that `subject` is gone and calls `commit` when it can no longer be taken back; `take_back` when
    /// it was.
    ///
    /// Nothing is sent before: taking it back needs no call that could fail. `subject` is what lists ask
    /// [`Self::is_gone`] about, such as an id.
    pub(crate) fn undoable(
        self,
        text: impl Into<String>,
        subject: impl Into<String>,
        commit: impl FnOnce() + 'static,
        take_back: impl FnOnce() + 'static,
    ) {
        let subject = subject.into();
        self.gone.update(|gone| gone.push(subject.clone()));
        let undo = Undo { subject, commit: Box::new(commit), take_back: Box::new(take_back) };
        self.add(Tone::Idle, text.into(), Some(undo), SHOWN);
    }

    /// Whether `subject` goes away unless it is taken back; reactive.
    pub(crate) fn is_gone(self, subject: &str) -> bool {
        self.gone.with(|gone| gone.iter().any(|one| one == subject))
    }

    /// Shows `subject` again: its removal failed.
    pub(crate) fn bring_back(self, subject: &str) {
        self.gone.update(|gone| gone.retain(|one| one != subject));
    }

    /// Does now what could still be undone.
    ///
    /// Called when the page is left, and before the token changes. What could be taken back is done, not
    /// dropped: the person was told that it is gone.
    pub(crate) fn flush(self) {
        let ids: Vec<u32> = self.all.with_untracked(|all| {
            all.iter().filter(|toast| toast.undo.is_some()).map(|toast| toast.id).collect()
        });
        for id in ids {
            self.dismiss(id);
        }
    }

    /// Does now what could still be undone, then `act`: its calls go out with the token that `act` is about
    /// to replace, because a call reads the token when it starts, and it starts before the next timer.
    pub(crate) fn settle_then(self, act: impl FnOnce() + 'static) {
        self.flush();
        set_timeout(act, Duration::ZERO);
    }

    /// Shows a message for a while.
    fn add(self, tone: Tone, text: String, undo: Option<Undo>, shown: Duration) {
        let id = self.next_id.with_value(|id| *id);
        self.next_id.set_value(id + 1);
        let timer = set_timeout_with_handle(move || self.dismiss(id), shown).ok();
        self.all.update(|all| all.push(Toast { id, tone, text, undo, timer }));
    }

    /// Removes a message, with its timer.
    ///
    /// A message that is gone must not be dismissed once more when its time is over: that would do what was
    /// taken back.
    fn take(self, id: u32) -> Option<Toast> {
        let mut taken = None;
        self.all.update(|all| {
            taken = all.iter().position(|toast| toast.id == id).map(|at| all.remove(at));
        });
        if let Some(timer) = taken.as_ref().and_then(|toast| toast.timer) {
            timer.clear();
        }
        taken
    }

    /// Removes a message, and does now what it stood for.
    fn dismiss(self, id: u32) {
        if let Some(undo) = self.take(id).and_then(|toast| toast.undo) {
            (undo.commit)();
        }
    }

    /// Removes a message, and takes back what it stood for.
    fn take_back(self, id: u32) {
        if let Some(undo) = self.take(id).and_then(|toast| toast.undo) {
            self.bring_back(&undo.subject);
            (undo.take_back)();
        }
    }
}

/// The messages of the page.
pub(crate) fn use_toasts() -> Toasts {
    expect_context()
}

/// Where the messages appear. They are announced politely; the latest that can be taken back is taken back by
/// U.
///
/// The region is there before the first message, because a region that appears together with its text is not
/// announced by every screen reader.
#[component]
pub(crate) fn ToastRegion() -> AnyView {
    let toasts = use_toasts();
    let all = toasts.all;
    let seen = RwSignal::new(Vec::<(u32, Tone, String, bool)>::new());
    // A signal that may cross threads, as lists want it, from one that may not.
    effect(move || {
        seen.set(all.with(|all| {
            all.iter().map(|toast| (toast.id, toast.tone, toast.text.clone(), toast.undo.is_some())).collect()
        }));
    });
    let row = move |key: String| {
        let id: u32 = key.parse().unwrap_or_default();
        let found = seen.with_untracked(|seen| seen.iter().find(|(known, ..)| *known == id).cloned());
        let (_, tone, text, can_undo) = found.unwrap_or_default();
        view! {
            <div class=format!("toast {}", tone.class())>
                <i class="dot" aria-hidden="true"></i>
                <span>{text}</span>
                {can_undo.then(|| view! { <Button label="Undo" shortcut="U" on_press=move |()| toasts.take_back(id) /> }.into_any())}
                {icon_button(Icon::Close, "Dismiss", move || toasts.dismiss(id))}
            </div>
        }
        .into_any()
    };
    // Keys are texts, as in the lists of screens, so that a list is compiled once for all of them.
    let ids = move || seen.with(|seen| seen.iter().map(|(id, ..)| id.to_string()).collect::<Vec<String>>());
    let has_undo = Memo::new(move |_| seen.with(|seen| seen.iter().any(|(.., can_undo)| *can_undo)));
    let undo_key = move || has_undo.get().then(|| view! { <UndoKey /> }.into_any());
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
            <For each=move || ids() key=|id: &String| id.clone() children=row />
        </div>
        {move || undo_key()}
    }
    .into_any()
}

/// While something can be undone, `U` undoes the latest.
///
/// A component that shows nothing, so that the shortcut is listed and works only while there is something to
/// undo.
#[component]
fn UndoKey() -> AnyView {
    let toasts = use_toasts();
    use_shortcut("U", "Undo", move || {
        let latest = toasts
            .all
            .with_untracked(|all| all.iter().rev().find(|toast| toast.undo.is_some()).map(|toast| toast.id));
        if let Some(id) = latest {
            toasts.take_back(id);
        }
    });
    ().into_any()
}
