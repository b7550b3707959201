//! The totals at the top.

use leptos::prelude::*;

use super::totals::{self, Asked};
use crate::fetched::Fetched;
use crate::project::link;
use crate::routes::Area;

/// What stands in the place of a number that is not known: it loads, or could not be loaded.
const UNKNOWN: &str = "–";

/// Four totals, each a link to exactly what it counts. The words below a number say of which time it is.
/// Those are red that call for a person: deliveries were given up, webhooks are down.
#[component]
pub(super) fn Figures(
    /// The totals of a time.
    totals: Fetched<Asked>,
) -> AnyView {
    let figure = move |name: &'static str, area: Area, figure: fn(&Asked) -> totals::Figure| {
        let shown = Memo::new(move |_| totals.value.with(|totals| totals.as_ref().map(figure)));
        let of = move |part: fn(totals::Figure) -> String| shown.get().map(part);
        let address = link(area);
        view! {
            <a class="card pad figure" href=move || format!("{address}{}", of(|shown| shown.query.text()).unwrap_or_default())>
                <span class="figure-name">{name}</span>
                <b class="figure-number" class:bad=move || shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.is_bad))>
                    {move || of(|shown| shown.number).unwrap_or_else(|| String::from(UNKNOWN))}
                </b>
                <span class="faint">{move || of(|shown| shown.about)}</span>
            </a>
        }
        .into_any()
    };
    view! {
        <div class="figures">
            {figure("Delivered", Area::Deliveries, totals::delivered)}
            {figure("Gave up", Area::Deliveries, totals::gave_up)}
            {figure("Under way", Area::Deliveries, totals::under_way)}
            {figure("Webhooks down", Area::Webhooks, totals::down)}
        </div>
    }
    .into_any()
}
