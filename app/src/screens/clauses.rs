//! Why an event is wanted or not, clause by clause, as `postern_core` explains it. Tests of a filter, dry
//! runs and the facts of a webhook show the same.

use leptos::prelude::*;
use postern_core::condition::Clause;

use crate::ui::icon::{Icon, glyph};

/// What a condition asks for, without whether it holds.
pub(crate) fn condition_list(clause: &Clause) -> AnyView {
    let part = |part: &Clause| view! { <li>{condition_list(part)}</li> }.into_any();
    let parts = (!clause.children.is_empty()).then(|| {
        view! { <ul class="clauses">{clause.children.iter().map(part).collect_view()}</ul> }.into_any()
    });
    view! { <span class="break">{clause.text.clone()}</span>{parts} }.into_any()
}

/// The clauses with their parts, each with whether it holds and what was found.
pub(crate) fn clause_list(clauses: &[Clause]) -> AnyView {
    let item = |clause: &Clause| {
        let (class, icon, said) = if clause.holds {
            ("clause good", Icon::Done, "holds: ")
        } else {
            ("clause bad", Icon::Close, "does not hold: ")
        };
        let found = match &clause.found {
            Some(found) => view! { <span class="faint break">{format!("found {found}")}</span> }.into_any(),
            // What joins other clauses finds nothing itself.
            None if clause.children.is_empty() && !clause.holds && clause.pointer != "/enabled" => {
                view! { <span class="faint">"found nothing"</span> }.into_any()
            }
            None => ().into_any(),
        };
        let parts = (!clause.children.is_empty()).then(|| clause_list(&clause.children));
        let text = clause.text.clone();
        view! {
            <li class=class>
                <span class="clause-line">{glyph(icon)}<span class="for-ear">{said}</span><span class="break">{text}</span>{found}</span>
                {parts}
            </li>
        }
        .into_any()
    };
    view! { <ul class="clauses">{clauses.iter().map(item).collect_view()}</ul> }.into_any()
}
