//! Questions about replays.

use postern_core::api::page::Page;
use postern_core::api::replay::{ReplayCount, ReplayView};
use postern_core::operation::Operation;
use postern_core::query::PageQuery;
use postern_core::replay::ReplayQuery;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(CreateReplay, CountReplay, ListReplays, ShowReplay, CancelReplay);

replies! {
    ReplayView => "replay",
    ReplayCount => "replay_count",
    Page<ReplayView> => "replays",
}

/// Start a replay.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateReplay {
    /// As parsed.
    pub(crate) query: ReplayQuery,
}

impl Question for CreateReplay {
    const NAME: &'static str = "create_replay";
    const NEED: Need<Self> = Need::Of(Operation::CreateReplay);
    const ARMS: Arms = Arms::Alarm;
    type Reply = ReplayView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ReplayView, Refusal> {
        let replay = turn.ledger.create_replay(self.query, turn.now)?;
        Ok(turn.announce_replay(replay))
    }
}

/// How many deliveries a replay would make due.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountReplay {
    /// As parsed.
    pub(crate) query: ReplayQuery,
}

impl Question for CountReplay {
    const NAME: &'static str = "count_replay";
    const NEED: Need<Self> = Need::Of(Operation::CreateReplay);
    const ARMS: Arms = Arms::Nothing;
    type Reply = ReplayCount;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ReplayCount, Refusal> {
        Ok(turn.ledger.count_replay(self.query, turn.now)?)
    }
}

/// One page of the replays.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListReplays {
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListReplays {
    const NAME: &'static str = "list_replays";
    const NEED: Need<Self> = Need::Of(Operation::ListReplays);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<ReplayView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<ReplayView>, Refusal> {
        Ok(turn.ledger.list_replays(self.page.limit, self.page.cursor.as_deref())?)
    }
}

/// One replay.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowReplay {
    /// `rpl_…`
    pub(crate) id: String,
}

impl Question for ShowReplay {
    const NAME: &'static str = "show_replay";
    const NEED: Need<Self> = Need::Of(Operation::GetReplay);
    const ARMS: Arms = Arms::Nothing;
    type Reply = ReplayView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ReplayView, Refusal> {
        Ok(turn.ledger.replay(&self.id)?)
    }
}

/// Stop a replay.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CancelReplay {
    /// `rpl_…`
    pub(crate) id: String,
}

impl Question for CancelReplay {
    const NAME: &'static str = "cancel_replay";
    const NEED: Need<Self> = Need::Of(Operation::CancelReplay);
    const ARMS: Arms = Arms::Alarm;
    type Reply = ReplayView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ReplayView, Refusal> {
        let replay = turn.ledger.cancel_replay(&self.id, turn.now)?;
        Ok(turn.announce_replay(replay))
    }
}
