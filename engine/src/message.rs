//! Messages of the queues `deliveries` and `retries`: ids only, so that no secret and no large body travels
//! through a queue. Several tickets of a project share a message, because a queue charges and delivers by
//! message.

use std::collections::BTreeMap;

use postern_core::webhook::ProjectName;
use postern_ledger::{Lane, LeaseTicket};
use serde::{Deserialize, Serialize};

/// Tickets of one message at most: as many as an invocation with five connections calls in a few seconds.
/// (`sendBatch` takes 100 messages and 256 KB, docs/platform.md 2.2; a ticket is below 80 bytes.)
pub const TICKETS_MAX: usize = 10;

/// Attempts to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whose.
    pub project: ProjectName,
    /// What may be claimed.
    pub tickets: Vec<LeaseTicket>,
    /// How often they were put back.
    #[serde(default)]
    pub hops: u32,
}

/// A message as it was: see [`Message::parse`].
#[derive(Deserialize)]
struct OfOneTicket {
    project: ProjectName,
    ticket: LeaseTicket,
    #[serde(default)]
    hops: u32,
}

impl Message {
    /// Reads a message's body. `None` for anything that is not ours (a poison message).
    ///
    /// Versions before 2026-11-30 sent one `ticket` a message. Such a message may still be in its queue when
    /// a new version is deployed, and without it the delivery would wait for its lease to end.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().or_else(|| {
            let OfOneTicket { project, ticket, hops } = serde_json::from_str(body).ok()?;
            Some(Self { project, tickets: vec![ticket], hops })
        })
    }

    /// Its tickets, one by one.
    pub fn into_queued(self) -> impl Iterator<Item = Queued> {
        let Self { project, tickets, hops } = self;
        tickets.into_iter().map(move |ticket| Queued { project: project.clone(), ticket, hops })
    }
}

/// A ticket from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Whose.
    pub project: ProjectName,
    /// What may be claimed.
    pub ticket: LeaseTicket,
    /// How often it was put back.
    pub hops: u32,
}

/// The messages that carry a project's tickets of one lane.
#[must_use]
pub fn pack(project: &ProjectName, tickets: &[LeaseTicket], lane: Lane, hops: u32) -> Vec<Message> {
    let of_lane: Vec<LeaseTicket> = tickets.iter().copied().filter(|ticket| ticket.lane == lane).collect();
    of_lane
        .chunks(TICKETS_MAX)
        .map(|tickets| Message { project: project.clone(), tickets: tickets.to_vec(), hops })
        .collect()
}

/// The messages that put tickets of one lane back into their queue, one hop older.
#[must_use]
pub fn put_back(tickets: &[Queued], lane: Lane) -> Vec<Message> {
    let mut alike: BTreeMap<(&ProjectName, u32), Vec<LeaseTicket>> = BTreeMap::new();
    for queued in tickets {
        alike.entry((&queued.project, queued.hops)).or_default().push(queued.ticket);
    }
    let packed = alike.into_iter().map(|((project, hops), tickets)| pack(project, &tickets, lane, hops + 1));
    packed.flatten().collect()
}

#[cfg(test)]
mod tests {
    use postern_core::id::Seq;

    use super::*;

    fn project(name: &str) -> ProjectName {
        ProjectName::parse(name).unwrap()
    }

    fn ticket(delivery: i64, lane: Lane) -> LeaseTicket {
        LeaseTicket { delivery: Seq(delivery), attempt: 2, webhook: Seq(3), lane }
    }

    #[test]
    fn the_wire_form_of_a_message_does_not_change_by_accident() {
        let message = Message { project: project("p1"), tickets: vec![ticket(5, Lane::Retry)], hops: 1 };
        let text =
            r#"{"project":"p1","tickets":[{"delivery":5,"attempt":2,"webhook":3,"lane":"retry"}],"hops":1}"#;
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        assert_eq!(Message::parse(text), Some(message));
    }

    #[test]
    fn a_message_that_was_sent_before_a_deploy_still_reads() {
        let text =
            r#"{"project":"p1","ticket":{"delivery":5,"attempt":2,"webhook":3,"lane":"retry"},"hops":1}"#;
        let message = Message { project: project("p1"), tickets: vec![ticket(5, Lane::Retry)], hops: 1 };
        assert_eq!(Message::parse(text), Some(message));
    }

    #[test]
    fn what_is_not_ours_is_no_message() {
        for body in ["", "{}", "null", "[1]", r#"{"project":"P 1"}"#, r#"{"project":"p1","tickets":[{}]}"#] {
            assert_eq!(Message::parse(body), None, "{body}");
        }
    }

    #[test]
    fn tickets_of_a_lane_share_messages() {
        let mut tickets: Vec<_> = (0..25).map(|key| ticket(key, Lane::First)).collect();
        tickets.push(ticket(25, Lane::Retry));
        let sizes = |lane| {
            let messages = pack(&project("p1"), &tickets, lane, 0);
            messages.iter().map(|message| message.tickets.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Lane::First), [10, 10, 5]);
        assert_eq!(sizes(Lane::Retry), [1]);
    }

    #[test]
    fn what_is_put_back_goes_with_its_kind_and_counts_its_hops() {
        let queued = |name: &str, delivery, hops| Queued {
            project: project(name),
            ticket: ticket(delivery, Lane::First),
            hops,
        };
        let messages = put_back(
            &[queued("a", 1, 0), queued("b", 2, 0), queued("a", 3, 4), queued("a", 4, 0)],
            Lane::First,
        );
        let told: Vec<_> = messages
            .iter()
            .map(|message| {
                let keys: Vec<_> = message.tickets.iter().map(|ticket| ticket.delivery.0).collect();
                (message.project.as_str(), message.hops, keys)
            })
            .collect();
        assert_eq!(told, [("a", 1, vec![1, 4]), ("a", 5, vec![3]), ("b", 1, vec![2])]);
        assert!(put_back(&[queued("a", 1, 0)], Lane::Retry).is_empty());
    }
}
