//! The list of deliveries while it changes: filters, and what the live feed does to it.

use postern_core::api::delivery::DeliveryView;
use postern_core::api::page::Page;
use postern_core::delivery::State;
use postern_core::retry::{JITTER_PERCENT, SCHEDULE_S};
use postern_core::time::Timestamp;

use crate::routes::Query;
use crate::ui::badge::Tone;
use crate::words;

use crate::screens::webhooks::model::state_word;

/// Rows kept at most while the feed adds new ones: more are a click away.
const ROWS_MAX: usize = 400;

/// The filters of the list, as they stand in the page's address.
pub(crate) const FILTERS: [&str; 3] = ["state", "webhook", "type"];

/// The query for the API from the page's own.
pub(crate) fn api_query(page: &Query, cursor: Option<&str>) -> Query {
    let query = FILTERS.iter().fold(Query::default(), |query, filter| query.with(filter, page.value(filter).as_deref()));
    query.with("cursor", cursor)
}

/// Whether the list is filtered.
pub(crate) fn is_filtered(page: &Query) -> bool {
    FILTERS.iter().any(|filter| page.value(filter).is_some())
}

/// Whether a delivery belongs to the list that `page` asks for.
pub(crate) fn fits(page: &Query, delivery: &DeliveryView) -> bool {
    let is = |filter: &str, value: Option<&str>| page.value(filter).is_none_or(|wanted| Some(wanted.as_str()) == value);
    is("state", Some(delivery.state.as_str())) && is("webhook", delivery.webhook.as_deref()) && is("type", Some(&delivery.kind))
}

/// Puts a change into the list: a known delivery in its place (also where it no longer fits: nothing vanishes under a
/// person's eyes), a new one that fits on top.
pub(crate) fn take_in(list: &mut Page<DeliveryView>, page: &Query, delivery: &DeliveryView) {
    if let Some(known) = list.items.iter_mut().find(|known| known.id == delivery.id) {
        // The feed may be overtaken by a list that was loaded after the change.
        if known.updated_at <= delivery.updated_at {
            *known = delivery.clone();
        }
    } else if fits(page, delivery) {
        list.items.insert(0, delivery.clone());
        list.items.truncate(ROWS_MAX);
    }
}

/// The state as a word, with the time left where there is some.
pub(crate) fn standing(delivery: &DeliveryView, now: Timestamp) -> (Tone, String) {
    let (tone, word) = state_word(delivery.state);
    match (delivery.state, delivery.next_at) {
        (State::Waiting, Some(next_at)) => (tone, format!("{word} · {}", words::countdown(now, next_at))),
        _ => (tone, String::from(word)),
    }
}

/// The latest attempt in a few words.
pub(crate) fn result(delivery: &DeliveryView) -> String {
    match (&delivery.last_result, delivery.last_duration_ms) {
        (Some(result), Some(ms)) => format!("{result} · {}", words::duration(ms)),
        (Some(result), None) => result.clone(),
        (None, _) => String::from("—"),
    }
}

/// Where the next attempt comes from, such as `30 min after attempt 3, ±20 %`. A wait (`waits_ms`, from the end of the latest
/// attempt) beyond what jitter makes of the schedule is one that the receiver asked for.
pub(crate) fn schedule_words(attempts: u32, waits_ms: Option<i64>) -> String {
    let longest_ms = |seconds: u32| i64::from(seconds) * i64::from(100 + JITTER_PERCENT) * 10;
    match SCHEDULE_S.get(usize::try_from(attempts).unwrap_or(usize::MAX)) {
        Some(seconds) if attempts > 0 && waits_ms.is_some_and(|waits_ms| waits_ms > longest_ms(*seconds)) => {
            format!("as long after attempt {attempts} as the receiver asked for")
        }
        Some(seconds) if attempts > 0 => format!("{} after attempt {attempts}, ±{JITTER_PERCENT} %", words::wait(*seconds)),
        _ => String::from("as soon as possible"),
    }
}

/// The line below the heading.
pub(crate) fn about(list: &Page<DeliveryView>) -> String {
    let number = |fits: fn(State) -> bool| list.items.iter().filter(|delivery| fits(delivery.state)).count();
    let (waiting, dead) = (number(|state| !state.is_final()), number(|state| state == State::Dead));
    let shown = words::count(u32::try_from(list.items.len()).unwrap_or(u32::MAX), "delivery", "deliveries");
    let more = if list.next.is_some() { " shown, there are older ones" } else { "" };
    format!("{shown}{more} · {waiting} under way · {dead} gave up")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, state: State, updated_ms: i64) -> DeliveryView {
        DeliveryView {
            id: String::from(id),
            event_id: String::from("evt_1"),
            kind: String::from("order.paid"),
            webhook_id: String::from("whk_1"),
            webhook: Some(String::from("billing")),
            message_id: String::from("msg_1"),
            state,
            attempts: 1,
            next_at: None,
            last_status: Some(503),
            last_result: Some(String::from("503 Service Unavailable")),
            last_duration_ms: Some(1_920),
            created_at: Timestamp(0),
            updated_at: Timestamp(updated_ms),
        }
    }

    fn list(items: Vec<DeliveryView>) -> Page<DeliveryView> {
        Page { items, next: None }
    }

    #[test]
    fn a_new_delivery_comes_on_top_if_it_fits() {
        let mut shown = list(vec![delivery("dlv_1", State::Waiting, 5)]);
        let waiting = Query::default().with("state", Some("waiting"));
        take_in(&mut shown, &waiting, &delivery("dlv_2", State::Waiting, 6));
        take_in(&mut shown, &waiting, &delivery("dlv_3", State::Delivered, 7));
        let ids: Vec<&str> = shown.items.iter().map(|delivery| delivery.id.as_str()).collect();
        assert_eq!(ids, ["dlv_2", "dlv_1"]);
    }

    #[test]
    fn a_known_delivery_stays_in_its_place_and_never_goes_back_in_time() {
        let mut shown = list(vec![delivery("dlv_2", State::Waiting, 5), delivery("dlv_1", State::Waiting, 5)]);
        let waiting = Query::default().with("state", Some("waiting"));
        take_in(&mut shown, &waiting, &delivery("dlv_1", State::Delivered, 9));
        take_in(&mut shown, &waiting, &delivery("dlv_1", State::Leased, 7));
        assert_eq!(shown.items.len(), 2);
        assert_eq!(shown.items[1].state, State::Delivered);
    }

    #[test]
    fn a_waiting_delivery_counts_down() {
        let mut waiting = delivery("dlv_1", State::Waiting, 0);
        waiting.next_at = Some(Timestamp(41_000));
        assert_eq!(standing(&waiting, Timestamp(0)), (Tone::Busy, String::from("Waiting · 0:41")));
        assert_eq!(result(&waiting), "503 Service Unavailable · 1.92 s");
    }

    #[test]
    fn the_next_attempt_says_where_it_comes_from() {
        assert_eq!(schedule_words(3, Some(2_000_000)), "30 min after attempt 3, ±20 %");
        assert_eq!(schedule_words(1, Some(60_000)), "as long after attempt 1 as the receiver asked for");
        assert_eq!(schedule_words(0, None), "as soon as possible");
        assert_eq!(schedule_words(40, None), "as soon as possible");
    }

    #[test]
    fn filters_other_than_ours_are_not_sent() {
        let page = Query::default().with("webhook", Some("a b")).with("open", Some("dlv_1"));
        assert_eq!(api_query(&page, Some("c1")).text(), "?webhook=a%20b&cursor=c1");
    }
}
