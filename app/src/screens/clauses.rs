//! Why an event is wanted or not, clause by clause, as `postern_core` explains it.

use postern_core::condition::Clause;

use crate::dom::{CollectView, View, view};
use crate::ui::icon::{Icon, glyph};

/// What a condition asks for, without whether it holds.
pub(crate) fn condition_list(clause: &Clause) -> View {
    let parts = (!clause.children.is_empty()).then(
        || view! { <ul class="clauses">{clause.children.iter().map(|part| view! { <li>{condition_list(part)}</li> }).collect_view()}</ul> },
    );
    view! { <span class="break">{clause.text.clone()}</span>{parts} }
}

/// The clauses with their parts, each with whether it holds and what was found.
pub(crate) fn clause_list(clauses: &[Clause]) -> View {
    let item = |clause: &Clause| {
        let (class, icon, said) =
            if clause.holds { ("clause good", Icon::Done, "holds: ") } else { ("clause bad", Icon::Close, "does not hold: ") };
        let found = match &clause.found {
            Some(found) => view! { <span class="faint break">{format!("found {found}")}</span> },
            // What joins other clauses finds nothing itself.
            None if clause.children.is_empty() && !clause.holds && clause.pointer != "/enabled" => {
                view! { <span class="faint">"found nothing"</span> }
            }
            None => View::nothing(),
        };
        let parts = (!clause.children.is_empty()).then(|| clause_list(&clause.children));
        view! {
            <li class=class>
                <span class="clause-line">{glyph(icon)}<span class="for-ear">{said}</span><span class="break">{clause.text.clone()}</span>{found}</span>
                {parts}
            </li>
        }
    };
    view! { <ul class="clauses">{clauses.iter().map(item).collect_view()}</ul> }
}
