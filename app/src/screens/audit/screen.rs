//! The screen: the filter, and the entries that fit it.

use leptos::prelude::*;
use postern_core::api::audit::{AuditEntry, SubjectKind};

use super::entry::row;
use crate::api::use_project;
use crate::browser::clock::use_clock;
use crate::nav::{Nav, use_nav};
use crate::routes::Query;
use crate::screens::filters::typed_filter;
use crate::ui::button::Button;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::nothing_yet;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::rows::view::{Column, numbers, words};
use crate::ui::skeleton;

/// The value of the address that filters the log.
const SUBJECT: &str = "subject";

/// The columns, as the cells of [`row`] follow.
const COLUMNS: [Column; 4] = [words("What"), words("Who"), words("Difference"), numbers("When")];

/// The screen: the filter, and the entries that fit it.
///
/// It does not follow the feed: an entry is read to find out what happened, and is there when the screen is
/// opened.
#[component]
pub(crate) fn Audit() -> AnyView {
    let list = list_of();
    let kinds = Signal::stored(SubjectKind::ALL.map(|kind| String::from(kind.as_str())).to_vec());
    view! {
        <PageHead title="Audit log" about="Who changed what, kept for a year" />
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="Filters">
                {typed_filter(SUBJECT, "A kind such as token, or webhook:orders", kinds)}
            </div>
        </div>
        {loaded(list.page, skeleton::rows, content(list))}
    }
    .into_any()
}

/// The entries that the address asks for.
fn list_of() -> List<AuditEntry> {
    let (nav, project) = (use_nav(), use_project());
    let query = Memo::new(move |_| query_of(nav.value(SUBJECT).as_deref()));
    List::following(query, None, move |query| project.audit(query))
}

/// What the API is asked.
fn query_of(subject: Option<&str>) -> Query {
    Query::default().with(SUBJECT, subject)
}

/// The entries, the latest first, with a button for older ones. A page can be empty although older ones fit:
/// then only the button is there.
fn content(list: List<AuditEntry>) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let (clock, is_empty) = (use_clock(), list.core.is_empty());
    let opened = RwSignal::new(Vec::<String>::new());
    move || {
        let more = || {
            list.more("Show older ones", move |next| {
                let query = query_of(nav.query_now().value(SUBJECT).as_deref()).with("cursor", Some(next));
                api.with_value(|api| api.audit(&query))
            })
        };
        if !is_empty.get() {
            let table = list.table(&COLUMNS, Signal::stored(None), move |entry, place| {
                entry.with_untracked(|entry| row(entry, place, clock, opened))
            });
            return view! { <div class="card scroll">{table}</div>{more()} }.into_any();
        }
        if list.core.has_more() {
            nothing_yet(more())
        } else if nav.value(SUBJECT).is_some() {
            nothing_of_this(nav)
        } else {
            nothing_changed()
        }
    }
}

/// What stands in the place of the log of a project in which nothing was changed yet.
fn nothing_changed() -> AnyView {
    let advice = "Every change of a definition, a token or a setting is noted here.";
    empty(Icon::Audit, "Nothing was changed yet", advice, ().into_any())
}

/// What stands there while the log is about one thing to which nothing was done, with the way to the whole
/// log.
fn nothing_of_this(nav: Nav) -> AnyView {
    let clear = view! { <Button label="Remove the filter" on_press=move |()| nav.filter(SUBJECT, None) /> }
        .into_any();
    empty(Icon::Search, "Nothing was done to this", "Remove the filter to see all.", clear)
}
