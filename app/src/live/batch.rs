//! Messages of the feed until the next frame. Plain Rust.

use std::collections::HashMap;

use postern_core::api::live::{Change, ChangeKind};

/// Messages that are kept at most, such as in a tab that is hidden: after more than these it is less work to
/// load again what is shown.
const KEPT_MAX: usize = 2_000;

/// What came since the last frame.
#[derive(Default)]
pub(super) struct Batch {
    /// As they came: most of them are never parsed, because a later one says more of the same thing.
    texts: Vec<String>,
    is_overfull: bool,
}

impl Batch {
    /// Keeps a message; whether it is the first one.
    pub(super) fn push(&mut self, text: String) -> bool {
        let is_first = self.texts.is_empty() && !self.is_overfull;
        if self.texts.len() == KEPT_MAX {
            self.texts.clear();
            self.is_overfull = true;
        }
        // Of an overfull batch nothing is told but that it was.
        if !self.is_overfull {
            self.texts.push(text);
        }
        is_first
    }

    /// What there is to tell, the last state of each thing; nothing is left behind.
    pub(super) fn take(&mut self) -> Vec<Change> {
        let texts = std::mem::take(&mut self.texts);
        if std::mem::take(&mut self.is_overfull) {
            return vec![Change::many()];
        }
        // Anything that is not a change (the answer to a ping, a kind that is newer than this page) is not
        // for us.
        merge(texts.iter().filter_map(|text| Change::parse(text)))
    }
}

/// The last state of each thing, in the order in which they were first named.
fn merge(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut merged: Vec<Change> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for change in changes {
        let place = *places.entry(String::from(subject(&change))).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => *known = change,
            None => merged.push(change),
        }
    }
    merged
}

/// What a message is about.
fn subject(change: &Change) -> &str {
    match change.kind() {
        ChangeKind::Webhooks => "webhooks",
        ChangeKind::Many => "many",
        ChangeKind::Delivery
        | ChangeKind::Test
        | ChangeKind::InboxRequest
        | ChangeKind::Replay
        | ChangeKind::Run => change.id(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, attempts: u32) -> String {
        format!(
            "{{\"change\":\"delivery\",\"delivery\":{{\"id\":\"{id}\",\"event_id\":\"evt_1\",\"type\":\"order.paid\",\"webhook_id\":\"whk_1\",\
             \"webhook\":\"billing\",\"message_id\":\"msg_1\",\"state\":\"waiting\",\"attempts\":{attempts},\"next_at\":null,\
             \"last_status\":null,\"last_result\":null,\"last_duration_ms\":null,\"created_at\":\"2026-11-21T14:07:31.204Z\",\
             \"updated_at\":\"2026-11-21T14:07:31.204Z\"}}}}"
        )
    }

    fn told(texts: &[String]) -> Vec<(String, u32)> {
        let mut batch = Batch::default();
        for text in texts {
            batch.push(text.clone());
        }
        let number = |change: &Change| change.delivery().map_or(0, |delivery| delivery.attempts);
        batch.take().iter().map(|change| (String::from(subject(change)), number(change))).collect()
    }

    #[test]
    fn the_last_state_of_a_row_wins_within_a_frame() {
        let webhooks = String::from("{\"change\":\"webhooks\"}");
        let texts = [
            delivery("dlv_1", 1),
            webhooks.clone(),
            delivery("dlv_2", 1),
            delivery("dlv_1", 2),
            webhooks,
            delivery("dlv_1", 3),
        ];
        let expected =
            [("dlv_1", 3), ("webhooks", 0), ("dlv_2", 1)].map(|(id, attempts)| (String::from(id), attempts));
        assert_eq!(told(&texts), expected);
    }

    #[test]
    fn a_frame_is_asked_for_once() {
        let mut batch = Batch::default();
        let asked: Vec<bool> = (0..3).map(|_| batch.push(delivery("dlv_1", 1))).collect();
        assert_eq!(asked, [true, false, false]);
        assert_eq!(batch.take().len(), 1);
        assert!(batch.take().is_empty() && batch.push(delivery("dlv_1", 1)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_said_to_be_many_beyond() {
        let mut batch = Batch::default();
        let asked = (0..u32::try_from(KEPT_MAX).unwrap_or_default() * 3)
            .filter(|at| batch.push(delivery("dlv_1", *at)))
            .count();
        assert_eq!((asked, batch.texts.len()), (1, 0));
        assert_eq!(batch.take().iter().map(Change::kind).collect::<Vec<_>>(), [ChangeKind::Many]);
        assert!(batch.push(delivery("dlv_1", 1)));
        assert_eq!(batch.take().iter().map(Change::kind).collect::<Vec<_>>(), [ChangeKind::Delivery]);
    }

    #[test]
    fn what_is_not_a_change_of_this_version_is_not_one() {
        for text in ["pong", "{\"change\":\"from the future\"}", "{\"change\":\"delivery\"}"] {
            assert_eq!(told(&[String::from(text)]), [], "{text}");
        }
        assert_eq!(told(&[String::from("{\"change\":\"many\"}")]), [(String::from("many"), 0)]);
    }

    #[test]
    fn a_burst_tells_of_each_thing_once() {
        let texts: Vec<String> = (0..2_000).map(|at| delivery(&format!("dlv_{}", at % 500), at)).collect();
        let told = told(&texts);
        assert_eq!((told.len(), told.last()), (500, Some(&(String::from("dlv_499"), 1_999))));
    }
}
