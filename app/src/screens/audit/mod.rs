//! The audit log: who did what to which thing, when, from where, with the difference field by field.
//!
//! The filter stands in the address, so that other screens can lead here with one thing's history. Secrets are in no entry: a
//! difference says only that one was set or changed.

mod model;

use leptos::prelude::*;
use postern_core::api::audit::{AuditEntry, SubjectKind};
use postern_core::api::page::Page;
use postern_core::change::Change;

use crate::api::use_project;
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::routes::Query;
use crate::ui::button::Button;
use crate::ui::filter_chip::FilterChip;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::{more_button, nothing_yet};
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::words;

/// The value of the address that filters the log.
const SUBJECT: &str = "subject";

/// The screen: the filter, and the entries that fit it.
#[component]
pub(crate) fn Audit() -> AnyView {
    let (nav, project) = (use_nav(), use_project());
    let subject = Memo::new(move |_| nav.value(SUBJECT));
    let entries = Fetched::new(move || project.audit(&query_of(subject.get().as_deref())));
    let kinds = Signal::stored(SubjectKind::ALL.map(|kind| String::from(kind.as_str())).to_vec());
    let filter = move |value: Option<String>| nav.filter(SUBJECT, value.as_deref());
    let hint = "A kind such as token, or webhook:orders";
    let table = move || view! { <Entries entries=entries subject=subject /> }.into_any();
    view! {
        <PageHead title="Audit log" about="Who changed what, kept for a year" />
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="Filters">
                <FilterChip name="subject" value=subject hint=hint suggestions=kinds on_change=filter />
            </div>
        </div>
        {loaded(entries, skeleton::rows, table)}
    }
    .into_any()
}

/// What the API is asked.
fn query_of(subject: Option<&str>) -> Query {
    Query::default().with(SUBJECT, subject)
}

/// The entries, the latest first, with a button for older ones. A page can be empty although older ones fit: then only the button
/// is there.
#[component]
fn Entries(
    /// The entries that are loaded.
    entries: Fetched<Page<AuditEntry>>,
    /// What they are filtered by.
    subject: Memo<Option<String>>,
) -> AnyView {
    let api = StoredValue::new_local(use_project());
    let more = move || {
        more_button(entries, "Show older ones", move |next| {
            let query = query_of(subject.get_untracked().as_deref()).with("cursor", Some(next));
            api.with_value(|api| api.audit(&query))
        })
    };
    (move || {
        let items = entries.value.get().map(|page| page.items).unwrap_or_default();
        if items.is_empty() {
            return if entries.next().is_some() {
                nothing_yet(more())
            } else {
                nothing(subject.get().is_some())
            };
        }
        view! {
            <div class="card scroll">
                <table role="table" class="list cards">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"What"</th>
                            <th role="columnheader" scope="col">"Who"</th>
                            <th role="columnheader" scope="col">"Difference"</th>
                            <th role="columnheader" scope="col" class="number">"When"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{items.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
            {more()}
        }
        .into_any()
    })
    .into_any()
}

/// What stands in the place of a log without entries: why it is empty, and the way out where there is one.
fn nothing(is_filtered: bool) -> AnyView {
    if !is_filtered {
        let advice = "Every change of a definition, a token or a setting is noted here.";
        return empty(Icon::Audit, "Nothing was changed yet", advice, ().into_any());
    }
    let nav = use_nav();
    let clear = view! { <Button label="Remove the filter" on_press=move |()| nav.filter(SUBJECT, None) /> }
        .into_any();
    empty(Icon::Search, "Nothing was done to this", "Remove the filter to see all.", clear)
}

/// One entry: what was done to which thing, who did it, and the difference that it made.
fn row(entry: &AuditEntry) -> AnyView {
    let (clock, at) = (use_clock(), entry.at);
    let (exact, ago) = (words::date_time(at, offset_min(at)), move || words::ago(clock.now(), at));
    let subject = entry.subject.name.clone();
    view! {
        <tr role="row">
            <td role="cell" class="main-cell"><b>{model::words_of(entry)}</b><span class="mono faint clip">{subject}</span></td>
            <td role="cell" data-label="Who">{entry.actor.name.clone()}<span class="faint clip">{model::origin_of(entry)}</span></td>
            <td role="cell" data-label="Difference">{difference(entry)}</td>
            <td role="cell" class="number faint" data-label="When" title=exact>{ago}</td>
        </tr>
    }
    .into_any()
}

/// The fields that an entry changed, folded away.
fn difference(entry: &AuditEntry) -> AnyView {
    let changes = &entry.changes.0;
    if changes.is_empty() {
        return view! { <span class="faint">"—"</span> }.into_any();
    }
    let number = words::count(u32::try_from(changes.len()).unwrap_or(u32::MAX), "field", "fields");
    view! {
        <details class="fold">
            <summary>{number}<span class="for-ear">{format!(" of {}", entry.subject.name)}</span></summary>
            <dl class="facts">{changes.iter().map(field).collect_view()}</dl>
        </details>
    }
    .into_any()
}

/// One field before and after, as what was deleted and what was inserted: for the ear as well as for the eye.
fn field((name, change): (&String, &Change)) -> AnyView {
    let (from, to) = model::sides(change);
    let from = from.map(|text| view! { <del class="mono break">{text}</del> }.into_any());
    let to = to.map(|text| view! { <ins class="mono break">{text}</ins> }.into_any());
    view! { <div><dt>{name.clone()}</dt><dd>{from}" "{to}</dd></div> }.into_any()
}
