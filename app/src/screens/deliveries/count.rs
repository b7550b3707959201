//! How many deliveries fit the filters, below the query bar.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::delivery::{DeliveryCount, DeliveryView};
use postern_core::api::live::ChangeKind;

use super::fit::LiveFilter;
use super::model;
use super::unjudged::Unjudged;
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::{now, offset_min};
use crate::fetched::Fetched;
use crate::live::{at_most_every, use_live};
use crate::routes::Query;
use crate::screens::find::asked;
use crate::ui::button::{Button, Look};
use crate::ui::icon::Icon;
use crate::ui::rows::List;

/// How often it is counted again while deliveries come: counting looks at up to 100,000 rows.
const AGAIN_EVERY: Duration = Duration::from_secs(5);

/// The count, while the list is filtered; and how many came meanwhile of which only the API can say whether
/// they fit, with the button that loads them.
#[component]
pub(super) fn Count(
    /// What is asked.
    query: Memo<Query>,
    /// What the feed's deliveries are judged by.
    filter: Memo<LiveFilter>,
    /// The list.
    list: List<DeliveryView>,
    /// Those that came meanwhile.
    unjudged: Unjudged,
) -> AnyView {
    let project = use_project();
    let counted = Fetched::new(move || {
        // The list that was loaded anew is counted anew.
        list.page.value.track();
        let query = query.get();
        load(&project, query)
    });
    let again = at_most_every(AGAIN_EVERY, move || counted.reload());
    use_live().on_change(move |change| {
        let is_counted = query.with_untracked(|query| *query != Query::default());
        if is_counted
            && !filter.with_untracked(LiveFilter::needs_the_event)
            && matches!(change.kind(), ChangeKind::Delivery)
        {
            again();
        }
    });
    let said = move || {
        let query = query.get();
        if query == Query::default() {
            return None;
        }
        let count = counted.value.with(|counted| {
            let (of, count) = counted.as_ref()?;
            (*of == query).then(|| count.as_ref().map(|count| model::count_words(count, offset_min)))?
        });
        let failed = counted.failure.with(Option::is_some);
        Some(match count {
            Some(count) => count,
            None if failed => String::from("They could not be counted."),
            None => String::from("Counting…"),
        })
    };
    let refresh = move |()| list.page.reload();
    let came = move || {
        if !filter.with(LiveFilter::needs_the_event) {
            return ().into_any();
        }
        match unjudged.words() {
            None => view! { <span class="faint">"New ones are not added by themselves: only the server can say whether they fit."</span> }.into_any(),
            Some(words) => view! {
                <span>{words}"."</span>
                <Button label="Refresh" icon=Icon::Again look=Look::Quiet on_press=refresh />
            }
            .into_any(),
        }
    };
    view! {
        <div class="beside find-count" role="status" aria-label="Count">
            {move || said().map(|said| view! { <b>{said}</b> }.into_any())}
            {move || came()}
        </div>
    }
    .into_any()
}

/// What was counted, and how many there are; `None` where nothing is filtered.
type Counted = (Query, Option<DeliveryCount>);

/// Counts what a query of the page asks for.
fn load(project: &ProjectApi, query: Query) -> Load<Counted> {
    if query == Query::default() {
        return Box::pin(async move { Ok((query, None)) });
    }
    let parts: Vec<Load<DeliveryCount>> = model::parts(&asked(&query, now()))
        .iter()
        .map(|part| project.count_deliveries(&model::api_query(part, None)))
        .collect();
    Box::pin(async move {
        let mut counts = Vec::new();
        for part in parts {
            counts.push(part.await?);
        }
        Ok((query, Some(model::counted_together(&counts))))
    })
}
