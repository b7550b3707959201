//! What each total says, of which time, and where it leads. Plain Rust.

use postern_core::api::totals::TotalsView;
use postern_core::delivery::State;
use postern_core::search::DeliveryFilter;
use postern_core::time::Timestamp;

use super::stats::Range;
use crate::api::{Load, ProjectApi};
use crate::browser::clock::{now, offset_min};
use crate::routes::Query;
use crate::screens::find::UNDER_WAY;
use crate::words;

/// Totals, with what was asked for. The buttons may ask for another time already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    range: Range,
    since: Timestamp,
    totals: TotalsView,
}

/// Asks for the totals of a range.
pub(super) fn load(project: &ProjectApi, range: Range) -> Load<Asked> {
    let since = range.since(now());
    let totals = project.totals(&Query::default().with("since", Some(&since.to_rfc3339())));
    Box::pin(async move { Ok(Asked { range, since, totals: totals.await? }) })
}

/// A total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The number.
    pub(super) number: String,
    /// Of what and of which time it is.
    pub(super) about: String,
    /// Whether somebody should look.
    pub(super) is_bad: bool,
    /// What lists the rows that it counts, and no others.
    pub(super) query: Query,
}

/// Deliveries that were delivered, of those that were made.
pub(super) fn delivered(asked: &Asked) -> Figure {
    let (made, counts) = (asked.totals.made, asked.totals.made.counts);
    let of = match counts.all() {
        0 => String::from("none were made in"),
        all => format!("{} of {} made in", number(counts.delivered), number(all)),
    };
    Figure {
        number: words::percent(counts.delivered, counts.all()),
        about: format!("{of} {}", time_words(asked, made.since)),
        is_bad: false,
        query: query_of(&asked.totals.delivered_filter()),
    }
}

/// Deliveries that were given up.
pub(super) fn gave_up(asked: &Asked) -> Figure {
    let dead = asked.totals.dead;
    Figure {
        number: number(dead.count),
        about: format!("of those made in {}", time_words(asked, dead.since)),
        is_bad: dead.count > 0,
        query: query_of(&asked.totals.dead_filter()),
    }
}

/// Deliveries that have not ended.
pub(super) fn under_way(asked: &Asked) -> Figure {
    let open = asked.totals.open;
    let about = match open.oldest_at {
        Some(oldest) => format!("now, the oldest made {}", words::ago(now(), oldest)),
        None if open.exact => String::from("now: nothing waits to be sent"),
        None => String::from("at least, now"),
    };
    // Without a time the bars above the list would be of the last 24 hours only.
    let oldest = open.oldest_at.map(Timestamp::to_rfc3339);
    let query = Query::default().with("state", Some(UNDER_WAY)).with("since", oldest.as_deref());
    Figure { number: number(open.count), about, is_bad: false, query }
}

/// Webhooks that are down.
pub(super) fn down(asked: &Asked) -> Figure {
    let webhooks = asked.totals.webhooks;
    Figure {
        number: number(webhooks.down),
        about: format!("of {}, now", words::count(webhooks.all, "webhook", "webhooks")),
        is_bad: webhooks.down > 0,
        query: Query::default().with("state", Some("down")),
    }
}

/// Of which time a total is: that of the range, or where there were too many, a shorter one.
fn time_words(asked: &Asked, since: Timestamp) -> String {
    if since <= asked.since {
        return format!("the last {}", asked.range.label());
    }
    format!("the time since {}", words::date_time(since, offset_min(since)))
}

/// The query of the list of a filter with a state and a time.
fn query_of(filter: &DeliveryFilter) -> Query {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    Query::default()
        .with("state", filter.state.map(State::as_str))
        .with("since", time(filter.since).as_deref())
        .with("until", time(filter.until).as_deref())
}

fn number(count: u32) -> String {
    words::number(u64::from(count))
}

#[cfg(test)]
mod tests {
    use postern_core::api::delivery::StateCounts;
    use postern_core::api::totals::{DeadTotal, MadeTotal, OpenTotal, WebhookTotal};
    use postern_core::query::DeliveryQuery;

    use super::*;

    const UNTIL: Timestamp = Timestamp(1_795_270_051_204);

    fn asked() -> Asked {
        let since = Range::Day.since(UNTIL);
        let counts = StateCounts { waiting: 163, delivered: 9_500, dead: 24, ..StateCounts::default() };
        let totals = TotalsView {
            until: UNTIL,
            made: MadeTotal { since, counts },
            dead: DeadTotal { since, count: 24 },
            open: OpenTotal { count: 100_000, exact: false, oldest_at: None },
            webhooks: WebhookTotal { down: 9, all: 30 },
        };
        Asked { range: Range::Day, since, totals }
    }

    #[test]
    fn a_total_leads_to_the_list_that_it_was_counted_in() {
        let asked = asked();
        for (figure, filter) in [
            (gave_up(&asked), asked.totals.dead_filter()),
            (delivered(&asked), asked.totals.delivered_filter()),
        ] {
            let query = figure.query.text();
            assert_eq!(DeliveryQuery::parse_count(query.trim_start_matches('?')), Ok(filter));
        }
        assert_eq!(under_way(&asked).query.text(), "?state=under_way");
        assert_eq!(down(&asked).query.text(), "?state=down");
    }

    #[test]
    fn a_total_says_of_what_and_of_which_time_it_is() {
        let asked = asked();
        let delivered = delivered(&asked);
        assert_eq!(
            (delivered.number.as_str(), delivered.about.as_str()),
            ("98 %", "9,500 of 9,687 made in the last 24 hours")
        );
        let gave_up = gave_up(&asked);
        assert_eq!(
            (gave_up.number.as_str(), gave_up.about.as_str()),
            ("24", "of those made in the last 24 hours")
        );
        assert!(gave_up.is_bad);
        assert_eq!(under_way(&asked).about, "at least, now");
        assert_eq!(down(&asked).about, "of 30 webhooks, now");
    }
}
