//! The audit log: who did what to which thing, when, from where, with the difference field by field.

mod model;

use crate::dom::{CollectView, View, part, view};
use crate::state::{Memo, Signal};
use leptos::prelude::*;
use postern_core::api::audit::{AuditEntry, SubjectKind};
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

/// The screen.
#[component]
pub(crate) fn Audit() -> View {
    let (nav, project) = (use_nav(), use_project());
    let subject = Memo::new(move || nav.value("subject"));
    let api = StoredValue::new_local(project.clone());
    let entries = Fetched::new(move || project.audit(&Query::default().with("subject", subject.get().as_deref())));
    let table = move || {
        let items = entries.value.get().map(|page| page.items).unwrap_or_default();
        let more = || {
            more_button(entries, "Show older ones", move |next| {
                let query = Query::default().with("subject", nav.query_now().value("subject").as_deref()).with("cursor", Some(next));
                api.with_value(|api| api.audit(&query))
            })
        };
        if items.is_empty() {
            if entries.next().is_some() {
                return nothing_yet(more());
            }
            return if subject.get().is_some() {
                let clear = view! { <Button label="Remove the filter" on_press=move |()| nav.filter("subject", None) /> };
                empty(Icon::Search, "Nothing was done to this", "Remove the filter to see all.", clear)
            } else {
                empty(
                    Icon::Audit,
                    "Nothing was changed yet",
                    "Every change of a definition, a token or a setting is noted here.",
                    View::nothing(),
                )
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
    };
    let value = Signal::derive(move || nav.value("subject"));
    let kinds = Signal::derive(|| SubjectKind::ALL.map(|kind| String::from(kind.as_str())).to_vec());
    view! {
        <PageHead title="Audit log" about="Who changed what, kept for a year">{View::nothing()}</PageHead>
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="Filters">
                <FilterChip name="subject" value=value hint="A kind such as token, or webhook:orders" suggestions=kinds on_change={move |value: Option<String>| nav.filter("subject", value.as_deref())} />
            </div>
        </div>
        {loaded(entries, skeleton::rows, move || part(table))}
    }
}

fn row(entry: &AuditEntry) -> View {
    let (clock, at) = (use_clock(), entry.at);
    let count = entry.changes.0.len();
    let difference = if count == 0 {
        view! { <span class="faint">"—"</span> }
    } else {
        let words = words::count(u32::try_from(count).unwrap_or(u32::MAX), "field", "fields");
        view! {
            <details class="fold">
                <summary>{words}<span class="for-ear">{format!(" of {}", entry.subject.name)}</span></summary>
                <dl class="facts">{entry.changes.0.iter().map(field).collect_view()}</dl>
            </details>
        }
    };
    let exact = words::date_time(at, offset_min(at));
    view! {
        <tr role="row">
            <td role="cell" class="main-cell"><b>{model::words_of(entry)}</b><span class="mono faint clip">{entry.subject.name.clone()}</span></td>
            <td role="cell" data-label="Who">{entry.actor.name.clone()}<span class="faint clip">{model::origin_of(entry)}</span></td>
            <td role="cell" data-label="Difference">{difference}</td>
            <td role="cell" class="number faint" data-label="When" title=exact>{part(move || words::ago(clock.now(), at))}</td>
        </tr>
    }
}

fn field((name, change): (&String, &Change)) -> View {
    let (from, to) = model::sides(change);
    let from = from.map(|text| view! { <del class="mono break">{text}</del> });
    let to = to.map(|text| view! { <ins class="mono break">{text}</ins> });
    view! { <div><dt>{name.clone()}</dt><dd>{from}" "{to}</dd></div> }
}
