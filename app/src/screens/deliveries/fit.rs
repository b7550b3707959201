//! Whether a delivery of which the live feed tells fits the filters. Plain Rust.

use postern_core::api::delivery::DeliveryView;
use postern_core::query::DeliveryQuery;
use postern_core::search::DeliveryFilter;
use postern_core::time::Timestamp;

use super::model;
use crate::routes::Query;
use crate::screens::find::{Subject, Token, asked, needs_the_event, own_query};

/// What can be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It fits.
    Fits,
    /// It does not.
    Differs,
    /// Only the API can say: the feed tells nothing of labels, object and payload.
    Unknown,
}

/// What deliveries are to be, as far as the feed tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveFilter {
    /// The query of the page.
    page: Query,
    /// What the API reads of it; `None` where it would refuse it.
    filter: Option<DeliveryFilter>,
}

impl LiveFilter {
    /// That of the query of the page, as it is asked now.
    pub(super) fn of(page: &Query, now: Timestamp) -> Self {
        let page = own_query(Subject::Deliveries, page);
        // Where it stands is judged by the page's own word for it.
        let query = asked(&page, now).with(Token::State.key(), None);
        Self { filter: DeliveryQuery::parse_count(query.text().trim_start_matches('?')).ok(), page }
    }

    /// What can be said of a delivery.
    pub(super) fn judge(&self, delivery: &DeliveryView) -> Fit {
        let Some(filter) = self.filter.as_ref().filter(|_| model::fits(&self.page, delivery)) else {
            return Fit::Differs;
        };
        let is_status = filter.status.is_none_or(|status| {
            let (first, last) = status.range();
            delivery.last_status.is_some_and(|status| (first..=last).contains(&status))
        });
        let fits = is_status
            && filter.event.as_ref().is_none_or(|event| *event == delivery.event_id)
            && filter.attempts_min.is_none_or(|least| delivery.attempts >= least)
            && filter.since.is_none_or(|since| delivery.created_at >= since)
            && filter.until.is_none_or(|until| delivery.created_at < until);
        if !fits {
            Fit::Differs
        } else if self.needs_the_event() {
            Fit::Unknown
        } else {
            Fit::Fits
        }
    }

    /// Whether a delivery that did not fit may fit later: it stands elsewhere then, or was answered
    /// otherwise.
    pub(super) fn follows_changes(&self) -> bool {
        [Token::State, Token::Status, Token::Attempts].iter().any(|of| self.page.value(of.key()).is_some())
    }

    /// Whether only the API can say what fits.
    pub(super) fn needs_the_event(&self) -> bool {
        needs_the_event(&self.page)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::State;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn judged(page: &str) -> Fit {
        let delivery = DeliveryView {
            id: String::from("dlv_1"),
            event_id: String::from("evt_1"),
            kind: String::from("order.paid"),
            webhook_id: String::from("whk_1"),
            webhook: Some(String::from("billing")),
            message_id: String::from("msg_1"),
            state: State::Waiting,
            attempts: 2,
            next_at: None,
            last_status: Some(503),
            last_result: None,
            last_duration_ms: None,
            created_at: NOW.plus_ms(-60_000),
            updated_at: NOW,
        };
        LiveFilter::of(&Query::parse(page), NOW).judge(&delivery)
    }

    #[test]
    fn what_the_feed_tells_is_judged_and_the_rest_is_not_known() {
        for page in [
            "",
            "?open=dlv_9",
            "?state=waiting&webhook=billing&type=order.paid",
            "?state=under_way&since=2m&until=30s",
            "?status=503&attempts_min=2&event=evt_1",
            "?status=5xx",
        ] {
            assert_eq!(judged(page), Fit::Fits, "{page}");
        }
        for page in [
            "?state=dead",
            "?webhook=crm",
            "?status=500",
            "?attempts_min=3",
            "?event=evt_2",
            "?since=30s",
            "?until=2m",
            "?label=a%3A1&state=dead",
            "?status=6xx",
        ] {
            assert_eq!(judged(page), Fit::Differs, "{page}");
        }
        for page in ["?label=a%3A1", "?object=invoice&state=waiting", "?text=acme"] {
            assert_eq!(judged(page), Fit::Unknown, "{page}");
        }
    }

    #[test]
    fn only_what_changes_may_fit_later() {
        let follows = |page: &str| LiveFilter::of(&Query::parse(page), NOW).follows_changes();
        assert!(follows("?state=dead&text=acme") && follows("?attempts_min=2") && !follows("?text=acme"));
    }
}
