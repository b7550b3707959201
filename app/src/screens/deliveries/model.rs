//! The list of deliveries while it changes: filters, and what the live feed does to it.

use postern_core::api::delivery::{DeliveryCount, DeliveryView};
use postern_core::api::page::Page;
use postern_core::delivery::State;
use postern_core::retry::{JITTER_PERCENT, SCHEDULE_S};
use postern_core::time::Timestamp;

use crate::routes::Query;
use crate::screens::find::{Subject, Token, UNDER_WAY, own_query};
use crate::screens::replays;
use crate::ui::badge::Tone;
use crate::ui::rows::Extent;
use crate::ui::rows::store::Row;
use crate::words;

use crate::words::state_word;

/// Rows of a first page that are kept at most while the feed adds new ones.
const ROWS_MAX: usize = 400;

impl Row for DeliveryView {
    fn id(&self) -> &str {
        &self.id
    }

    fn follows(&self, known: &Self) -> bool {
        known.updated_at <= self.updated_at
    }
}

/// The states in which a delivery has not ended.
pub(crate) const UNDER_WAY_STATES: [State; 3] = [State::Pending, State::Leased, State::Waiting];

/// States that are pressed, beside "under way".
pub(super) const TOGGLED: [State; 5] =
    [State::Pending, State::Waiting, State::Delivered, State::Dead, State::Cancelled];

/// What the list is asked for. A replay of missed events stands in the address with a time of its own.
pub(super) fn listed_query(page: &Query) -> Query {
    let query = own_query(Subject::Deliveries, page);
    if page.value("replay").as_deref() == Some(replays::Kind::Missing.as_str()) {
        return query.with(Token::Since.key(), None).with(Token::Until.key(), None);
    }
    query
}

/// Several counts as one. It ends where the first of them does.
pub(super) fn counted_together(counts: &[DeliveryCount]) -> DeliveryCount {
    DeliveryCount {
        count: counts.iter().fold(0, |sum, count| sum.saturating_add(count.count)),
        exact: counts.iter().all(|count| count.exact),
        searched_to: counts.iter().filter_map(|count| count.searched_to).max(),
    }
}

/// How many there are, where local time is `offset_min` minutes ahead of UTC.
pub(super) fn count_words(count: &DeliveryCount, offset_min: impl Fn(Timestamp) -> i64) -> String {
    let number = words::number(u64::from(count.count));
    match (count.exact, count.searched_to) {
        (true, _) if count.count == 0 => String::from("No delivery fits."),
        (true, _) if count.count == 1 => String::from("1 delivery fits."),
        (true, _) => format!("{number} deliveries fit."),
        (false, Some(at)) => {
            format!("At least {number} fit, searched back to {}.", words::date_time(at, offset_min(at)))
        }
        (false, None) => format!("At least {number} fit."),
    }
}

/// Several lists as one, the newest first. It ends where the first of them does that goes on: what the others
/// have below that is left for the next page, so that no row comes to stand between two that are shown. The
/// cursor is an id without its kind, for all of them the same.
pub(crate) fn together(pages: Vec<Page<DeliveryView>>) -> Page<DeliveryView> {
    // Ids grow with time.
    let end = pages.iter().filter_map(|page| Some((page.next.clone()?, page.searched_to))).max();
    let (next, searched_to) = end.map_or((None, None), |(next, searched_to)| (Some(next), searched_to));
    let items = pages.into_iter().flat_map(|page| page.items).collect();
    let mut all = Page { items, next, searched_to };
    if let Some(end) = &all.next {
        all.items.retain(|delivery| delivery.id.split_once('_').is_some_and(|(_, own)| own >= end.as_str()));
    }
    all.items.sort_by(|a, b| b.id.cmp(&a.id));
    all
}

/// The query for the API from that of the page: its filters, and the `limit` where one stands beside them.
pub(crate) fn api_query(page: &Query, cursor: Option<&str>) -> Query {
    own_query(Subject::Deliveries, page).with("limit", page.value("limit").as_deref()).with("cursor", cursor)
}

/// The queries for the API that together find what `page` asks for. It has no state "under way": its three
/// are asked for one by one.
pub(super) fn parts(page: &Query) -> Vec<Query> {
    if page.value("state").as_deref() != Some(UNDER_WAY) {
        return vec![page.clone()];
    }
    UNDER_WAY_STATES.iter().map(|state| page.clone().with("state", Some(state.as_str()))).collect()
}

/// Whether a delivery belongs to the list that `page` asks for.
pub(crate) fn fits(page: &Query, delivery: &DeliveryView) -> bool {
    let is = |filter: &str, value: Option<&str>| {
        page.value(filter).is_none_or(|wanted| Some(wanted.as_str()) == value)
    };
    let is_state = match page.value("state").as_deref() {
        Some(UNDER_WAY) => !delivery.state.is_final(),
        _ => is("state", Some(delivery.state.as_str())),
    };
    is_state && is("webhook", delivery.webhook.as_deref()) && is("type", Some(&delivery.kind))
}

/// Puts a change into the list: a known delivery in its place (also where it no longer fits: nothing vanishes
/// under a person's eyes), a new one that fits on top.
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

/// Whether something else than the schedule keeps a delivery from being sent.
///
/// A closed gate has taken its time away: its webhook is paused, disabled, probed or at a limit.
pub(crate) fn is_held(delivery: &DeliveryView) -> bool {
    matches!(delivery.state, State::Pending | State::Waiting) && delivery.next_at.is_none()
}

/// The state as a word, with the time left where there is some.
pub(crate) fn standing(delivery: &DeliveryView, now: Timestamp) -> (Tone, String) {
    let (tone, word) = state_word(delivery.state);
    match (delivery.state, delivery.next_at) {
        (State::Waiting, Some(next_at)) => (tone, format!("{word} · {}", words::countdown(now, next_at))),
        _ if is_held(delivery) => (tone, String::from("Held")),
        _ => (tone, String::from(word)),
    }
}

/// The latest attempt in a few words, and why it is held, where it is.
pub(crate) fn result(delivery: &DeliveryView, held: Option<&str>) -> String {
    let latest = match (&delivery.last_result, delivery.last_duration_ms) {
        (Some(result), Some(ms)) => Some(format!("{result} · {}", words::duration(ms))),
        (Some(result), None) => Some(result.clone()),
        (None, _) => None,
    };
    match (held, latest) {
        (Some(held), Some(latest)) => format!("{held}; {latest}"),
        (Some(held), None) => String::from(held),
        (None, latest) => latest.unwrap_or_else(|| String::from("—")),
    }
}

/// Where the next attempt comes from, such as `30 min after attempt 3, ±20 %`. `waits_ms` is the wait from
/// the end of the latest attempt, `asked_s` what its answer asked for.
///
/// The page does not ask which schedule the webhook has: a wait that fits Postern's, with its spread, is
/// named by it, and any other by its length.
pub(crate) fn schedule_words(attempts: u32, waits_ms: Option<i64>, asked_s: Option<u32>) -> String {
    let Some(waits_ms) = waits_ms.filter(|_| attempts > 0) else {
        return String::from("as soon as possible");
    };
    // To the second: the end of the attempt is known to a moment only.
    if asked_s.is_some_and(|asked_s| asked_s > 0 && (i64::from(asked_s) * 1_000 - waits_ms).abs() <= 1_000) {
        return format!("as long after attempt {attempts} as the receiver asked for");
    }
    let percent = |seconds: u32, percent: u32| i64::from(seconds) * i64::from(percent) * 10;
    let usual = SCHEDULE_S.get(usize::try_from(attempts).unwrap_or(usize::MAX)).filter(|seconds| {
        (percent(**seconds, 100 - JITTER_PERCENT) - 1_000..=percent(**seconds, 100 + JITTER_PERCENT) + 1_000)
            .contains(&waits_ms)
    });
    match usual {
        Some(seconds) => format!("{} after attempt {attempts}, ±{JITTER_PERCENT} %", words::wait(*seconds)),
        // A schedule of its own, or somebody resent it.
        None => format!(
            "{} after attempt {attempts}",
            words::span(u64::try_from(waits_ms / 1_000).unwrap_or_default())
        ),
    }
}

/// The line below the heading. It counts no states: those of the rows that happen to be shown would be taken
/// for those of the list.
pub(crate) fn about(extent: Extent) -> String {
    let (shown, more) = match extent {
        Extent::Whole(number) => (number, ""),
        Extent::Cut(number) => (number, " shown, there are older ones"),
    };
    let shown = words::count(u32::try_from(shown).unwrap_or(u32::MAX), "delivery", "deliveries");
    format!("{shown}{more}")
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
        Page::new(items, None)
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
        let mut shown =
            list(vec![delivery("dlv_2", State::Waiting, 5), delivery("dlv_1", State::Waiting, 5)]);
        let waiting = Query::default().with("state", Some("waiting"));
        take_in(&mut shown, &waiting, &delivery("dlv_1", State::Delivered, 9));
        take_in(&mut shown, &waiting, &delivery("dlv_1", State::Leased, 7));
        assert_eq!(shown.items.len(), 2);
        assert_eq!(shown.items[1].state, State::Delivered);
    }

    #[test]
    fn the_heading_says_how_many_are_shown_and_whether_there_are_more() {
        assert_eq!(about(Extent::Whole(1)), "1 delivery");
        assert_eq!(about(Extent::Cut(50)), "50 deliveries shown, there are older ones");
    }

    #[test]
    fn a_message_that_was_overtaken_changes_nothing() {
        let (older, newer) = (delivery("dlv_1", State::Waiting, 5), delivery("dlv_1", State::Dead, 6));
        assert!(newer.follows(&older) && !older.follows(&newer) && older.follows(&older));
    }

    #[test]
    fn a_waiting_delivery_counts_down() {
        let mut waiting = delivery("dlv_1", State::Waiting, 0);
        waiting.next_at = Some(Timestamp(41_000));
        assert_eq!(standing(&waiting, Timestamp(0)), (Tone::Busy, String::from("Waiting · 0:41")));
        assert_eq!(result(&waiting, None), "503 Service Unavailable · 1.92 s");
    }

    #[test]
    fn the_next_attempt_says_where_it_comes_from() {
        assert_eq!(schedule_words(3, Some(2_000_000), None), "30 min after attempt 3, ±20 %");
        assert_eq!(
            schedule_words(1, Some(60_400), Some(60)),
            "as long after attempt 1 as the receiver asked for"
        );
        assert_eq!(schedule_words(1, Some(60_400), None), "1 min after attempt 1");
        assert_eq!(schedule_words(40, Some(90_000), None), "1 min 30 s after attempt 40");
        assert_eq!(schedule_words(0, None, None), "as soon as possible");
        assert_eq!(schedule_words(0, Some(0), None), "as soon as possible");
    }

    #[test]
    fn a_held_delivery_says_why() {
        let held = delivery("dlv_1", State::Waiting, 0);
        assert_eq!(standing(&held, Timestamp(0)).1, "Held");
        assert_eq!(result(&held, Some("webhook paused")), "webhook paused; 503 Service Unavailable · 1.92 s");
        assert!(!is_held(&delivery("dlv_1", State::Leased, 0)));
    }

    #[test]
    fn what_is_under_way_is_three_lists_as_one() {
        let page = |ids: &[&str], next: Option<&str>| {
            Page::new(ids.iter().map(|id| delivery(id, State::Waiting, 0)).collect(), next.map(String::from))
        };
        let ids = |page: &Page<DeliveryView>| {
            page.items.iter().map(|delivery| delivery.id.clone()).collect::<Vec<String>>()
        };
        let all =
            together(vec![page(&["dlv_5", "dlv_1"], None), page(&[], None), page(&["dlv_9", "dlv_4"], None)]);
        assert_eq!(
            (ids(&all), all.next),
            (["dlv_9", "dlv_5", "dlv_4", "dlv_1"].map(String::from).into(), None)
        );
        assert_eq!(together(vec![page(&[], None)]).next, None);
        let under_way = Query::default().with("state", Some(UNDER_WAY));
        assert!(
            fits(&under_way, &delivery("dlv_1", State::Pending, 0))
                && !fits(&under_way, &delivery("dlv_1", State::Dead, 0))
        );
    }

    #[test]
    fn three_lists_as_one_end_where_the_first_of_them_goes_on() {
        let page = |ids: &[&str], next: &str| {
            Page::new(
                ids.iter().map(|id| delivery(id, State::Waiting, 0)).collect(),
                Some(String::from(next)),
            )
        };
        // Below 4 there may be rows of the second list, above those of the first that are known already.
        let all = together(vec![page(&["dlv_5", "dlv_1"], "1"), page(&["dlv_9", "dlv_4"], "4")]);
        let ids: Vec<&str> = all.items.iter().map(|delivery| delivery.id.as_str()).collect();
        assert_eq!((ids, all.next.as_deref()), (vec!["dlv_9", "dlv_5", "dlv_4"], Some("4")));
        let searched = |next, at| Page { searched_to: Some(Timestamp(at)), ..page(&[], next) };
        let ended = Page::new(vec![delivery("dlv_d", State::Waiting, 0)], None);
        assert_eq!(together(vec![searched("c", 3), ended, searched("c", 5)]).searched_to, Some(Timestamp(5)));
        // The list ends where a page was full, not where another was searched further.
        assert_eq!(together(vec![page(&["dlv_8"], "8"), searched("2", 5)]).searched_to, None);
    }

    #[test]
    fn a_count_is_true_or_says_how_far_it_came() {
        let count = |count, searched_to: Option<i64>| DeliveryCount {
            count,
            exact: searched_to.is_none(),
            searched_to: searched_to.map(Timestamp),
        };
        let said = |count: &DeliveryCount| count_words(count, |_| 60);
        assert_eq!(said(&count(1_868, None)), "1,868 deliveries fit.");
        assert_eq!([said(&count(1, None)), said(&count(0, None))], ["1 delivery fits.", "No delivery fits."]);
        assert_eq!(said(&count(0, Some(0))), "At least 0 fit, searched back to 1970-01-01 01:00:00.");
        let together = counted_together(&[count(2, None), count(3, Some(5_000)), count(4, Some(9_000))]);
        assert_eq!(said(&together), "At least 9 fit, searched back to 1970-01-01 01:00:09.");
        assert_eq!(counted_together(&[count(2, None), count(3, None)]), count(5, None));
    }

    #[test]
    fn the_time_of_a_replay_of_missed_events_is_not_that_of_the_list() {
        let page = Query::parse("?replay=missing&since=1h&type=order.paid&open=dlv_1");
        assert_eq!(listed_query(&page).text(), "?type=order.paid");
        assert_eq!(listed_query(&page.with("replay", Some("ended"))).text(), "?since=1h&type=order.paid");
    }

    #[test]
    fn filters_other_than_ours_are_not_sent() {
        let page = Query::default().with("webhook", Some("a b")).with("open", Some("dlv_1"));
        assert_eq!(api_query(&page, Some("c1")).text(), "?webhook=a%20b&cursor=c1");
        assert_eq!(parts(&page), std::slice::from_ref(&page));
        let under_way: Vec<String> = parts(&page.with("state", Some(UNDER_WAY)))
            .iter()
            .map(|part| api_query(part, None).text())
            .collect();
        assert_eq!(
            under_way,
            ["pending", "leased", "waiting"].map(|state| format!("?state={state}&webhook=a%20b"))
        );
    }
}
