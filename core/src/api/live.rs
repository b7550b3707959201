//! The live feed: what the project sends to open pages over its WebSocket, as JSON text frames.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::delivery::DeliveryView;
use super::inbox::InboxRequestView;
use super::replay::ReplayView;
use super::run::RunView;
use super::test::TestView;
use crate::time::Timestamp;

/// The WebSocket subprotocol that the server answers with. A browser also offers a ticket
/// ([`crate::live_ticket`]).
pub const SUBPROTOCOL: &str = "postern.v1";

/// What opens the live feed once in the place of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LiveTicket {
    /// The ticket; shown only now.
    pub ticket: String,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A delivery is new or changed.
    Delivery {
        /// As it is now.
        delivery: DeliveryView,
    },
    /// A test changed.
    Test {
        /// As it is now.
        test: Box<TestView>,
    },
    /// An inbox recorded a request.
    InboxRequest {
        /// `ibx_…`
        inbox_id: String,
        /// The request; its body is cut at 4 KiB here, the list has it in full.
        request: Box<InboxRequestView>,
    },
    /// A replay started, went on or ended.
    Replay {
        /// As it is now.
        replay: Box<ReplayView>,
    },
    /// A run is new or changed.
    Run {
        /// As it is now.
        run: Box<RunView>,
    },
    /// Webhooks were created, changed or deleted: fetch the list again.
    Webhooks,
    /// More changed than is worth telling one by one: fetch again what is shown.
    Many,
}

/// What kind of thing changed: the `change` of a [`LiveEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A delivery is new or changed.
    Delivery,
    /// A test changed.
    Test,
    /// An inbox recorded a request.
    InboxRequest,
    /// A replay started, went on or ended.
    Replay,
    /// A run is new or changed.
    Run,
    /// Webhooks were created, changed or deleted.
    Webhooks,
    /// More changed than is worth telling one by one.
    Many,
}

/// A [`LiveEvent`] as its reader receives it: what changed is read when somebody asks for it, so that a
/// program has the readers of what it asks for only. (What serde derives for the whole enum makes the first
/// load of the dashboard 38 KB larger, compressed.)
#[derive(Clone, Debug)]
pub struct Change {
    kind: ChangeKind,
    id: String,
    inbox_id: Option<String>,
    subject: Option<Box<RawValue>>,
}

/// A frame as it is written.
#[derive(Deserialize)]
struct Frame<'a> {
    change: ChangeKind,
    inbox_id: Option<String>,
    #[serde(borrow, alias = "delivery", alias = "test", alias = "request", alias = "replay", alias = "run")]
    subject: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Change {
    /// More changed than is worth telling one by one.
    #[must_use]
    pub fn many() -> Self {
        Self { kind: ChangeKind::Many, id: String::new(), inbox_id: None, subject: None }
    }

    /// Reads a frame; `None` if it is not a change of this version (the answer to a ping, a kind that came
    /// later).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Frame { change: kind, inbox_id, subject } = serde_json::from_str(text).ok()?;
        let id = match kind {
            ChangeKind::Webhooks | ChangeKind::Many => String::new(),
            ChangeKind::Delivery
            | ChangeKind::Test
            | ChangeKind::InboxRequest
            | ChangeKind::Replay
            | ChangeKind::Run => serde_json::from_str::<Named>(subject?.get()).ok()?.id,
        };
        Some(Self { kind, id, inbox_id, subject: subject.map(ToOwned::to_owned) })
    }

    /// What kind of thing changed.
    #[must_use]
    pub const fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// The id of what changed; empty for [`ChangeKind::Webhooks`] and [`ChangeKind::Many`]. Ids start with
    /// their kind, so no two kinds share one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The delivery that changed.
    #[must_use]
    pub fn delivery(&self) -> Option<DeliveryView> {
        self.read(ChangeKind::Delivery)
    }

    /// The test that changed.
    #[must_use]
    pub fn test(&self) -> Option<TestView> {
        self.read(ChangeKind::Test)
    }

    /// The request that this inbox recorded.
    #[must_use]
    pub fn request_of(&self, inbox_id: &str) -> Option<InboxRequestView> {
        self.read(ChangeKind::InboxRequest).filter(|_request| self.inbox_id.as_deref() == Some(inbox_id))
    }

    /// The replay that changed.
    #[must_use]
    pub fn replay(&self) -> Option<ReplayView> {
        self.read(ChangeKind::Replay)
    }

    /// The run that changed.
    #[must_use]
    pub fn run(&self) -> Option<RunView> {
        self.read(ChangeKind::Run)
    }

    fn read<T: DeserializeOwned>(&self, kind: ChangeKind) -> Option<T> {
        let subject = self.subject.as_ref().filter(|_subject| self.kind == kind)?;
        serde_json::from_str(subject.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const AT: &str = "2026-11-21T14:07:31.204Z";

    fn frames() -> Vec<Value> {
        let delivery = json!({
            "id": "dlv_1", "event_id": "evt_1", "type": "a.b", "webhook_id": "whk_1", "webhook": null, "message_id": "msg_1",
            "state": "waiting", "attempts": 3, "next_at": AT, "last_status": 503, "last_result": "503", "last_duration_ms": 7,
            "created_at": AT, "updated_at": AT
        });
        let request = json!({
            "id": "req_1", "method": "POST", "path": "/a?b", "headers": [["x", "y"]], "body": "<b>", "body_is_base64": false,
            "body_bytes": 3, "truncated": false, "received_at": AT, "signature": {"verdict": "valid", "webhook": "w"}, "answered": 200
        });
        let replay = json!({
            "id": "rpl_1", "state": "running", "total": 9, "scanned": 5, "replayed": 4, "created_at": AT, "ended_at": null,
            "query": {"webhook": "w", "since": AT, "until": null, "states": ["dead"], "types": ["a.*"], "missing": false}
        });
        let run = json!({
            "id": "run_1", "state": "running", "mode": "work", "message": "m", "progress": {"step": 1, "of": 2, "percent": 50}, "claim": 1,
            "lease_until": AT, "labels": {"name": "n"}, "webhooks": {"finished": "https://e.com/", "update": null, "auth": "u:XXX"},
            "created_at": AT, "started_at": AT, "updated_at": AT, "ended_at": null
        });
        let test = json!({
            "id": "tst_1", "webhook": "w", "status": "failed", "error_message": "e", "retry": true, "attempts": 2, "next_attempt_at": AT,
            "attempt": null, "created_at": AT
        });
        vec![
            json!({"change": "delivery", "delivery": delivery}),
            json!({"change": "test", "test": test}),
            json!({"change": "inbox_request", "inbox_id": "ibx_1", "request": request}),
            json!({"change": "replay", "replay": replay}),
            json!({"change": "run", "run": run}),
            json!({"change": "webhooks"}),
            json!({"change": "many"}),
        ]
    }

    #[test]
    fn a_change_is_read_as_serde_reads_it() {
        for frame in frames() {
            let text = frame.to_string();
            let change = Change::parse(&text).expect("a frame of this version");
            let read = match change.kind() {
                ChangeKind::Delivery => {
                    LiveEvent::Delivery { delivery: change.delivery().expect("a delivery") }
                }
                ChangeKind::Test => LiveEvent::Test { test: Box::new(change.test().expect("a test")) },
                ChangeKind::InboxRequest => LiveEvent::InboxRequest {
                    inbox_id: String::from("ibx_1"),
                    request: Box::new(change.request_of("ibx_1").expect("a request")),
                },
                ChangeKind::Replay => {
                    LiveEvent::Replay { replay: Box::new(change.replay().expect("a replay")) }
                }
                ChangeKind::Run => LiveEvent::Run { run: Box::new(change.run().expect("a run")) },
                ChangeKind::Webhooks => LiveEvent::Webhooks,
                ChangeKind::Many => LiveEvent::Many,
            };
            assert_eq!(read, serde_json::from_str(&text).expect("serde reads the frame"), "{text}");
            let written = Change::parse(&serde_json::to_string(&read).expect("a change is written"))
                .expect("what is written is read");
            assert_eq!((written.kind(), written.id()), (change.kind(), change.id()));
        }
    }

    #[test]
    fn a_change_of_one_kind_is_not_one_of_another() {
        let changes: Vec<Change> =
            frames().iter().filter_map(|frame| Change::parse(&frame.to_string())).collect();
        let ids: Vec<&str> = changes.iter().map(Change::id).collect();
        assert_eq!(ids, ["dlv_1", "tst_1", "req_1", "rpl_1", "run_1", "", ""]);
        assert!(changes[0].test().is_none() && changes[1].delivery().is_none() && changes[6].run().is_none());
        assert!(changes[2].request_of("ibx_2").is_none(), "a request of another inbox");
    }

    #[test]
    fn what_is_not_a_change_of_this_version_is_none() {
        for text in [
            "pong",
            "{}",
            "{\"change\":\"from the future\"}",
            "{\"change\":\"delivery\"}",
            "{\"change\":\"run\",\"run\":{}}",
            "[]",
        ] {
            assert!(Change::parse(text).is_none(), "{text}");
        }
        let unfit =
            Change::parse("{\"change\":\"run\",\"run\":{\"id\":\"run_1\"}}").expect("a change of something");
        assert!(unfit.run().is_none());
    }
}
