//! What a commit changed, as far as pages care, and what they are told of it.

use postern_core::api::live::LiveEvent;
use postern_core::api::replay::ReplayView;
use postern_core::api::run::RunView;
use postern_core::api::test::TestView;
use postern_core::id::Seq;
use postern_ledger::{Ledger, LedgerError};

use super::sql::ObjectSql;

/// Deliveries that are told one by one; more of them in one commit become [`LiveEvent::Many`].
const TOLD_MAX: usize = 100;

/// What a commit changed, as far as pages care.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Deliveries, in their order.
    pub(super) deliveries: Vec<Seq>,
    /// Tests as they are now.
    pub(super) tests: Vec<TestView>,
    /// Replays as they are now.
    pub(super) replays: Vec<ReplayView>,
    /// Runs as they are now.
    pub(super) runs: Vec<RunView>,
    /// A request that an inbox recorded, ready to be sent.
    pub(super) recorded: Option<LiveEvent>,
    /// Whether webhooks were created, changed or deleted.
    pub(super) webhooks: bool,
    /// Whether a token was revoked: nobody is told, but sockets that were opened with it are closed.
    pub(super) tokens: bool,
}

impl Changes {
    /// Whether there is nothing to tell.
    pub(super) fn are_none(&self) -> bool {
        let Self { deliveries, tests, replays, runs, recorded, webhooks, tokens } = self;
        let is_flagged = *webhooks || *tokens;
        deliveries.is_empty()
            && tests.is_empty()
            && replays.is_empty()
            && runs.is_empty()
            && recorded.is_none()
            && !is_flagged
    }

    /// What pages are told.
    ///
    /// # Errors
    /// The store could not be read.
    pub(super) fn events(self, ledger: &mut Ledger<ObjectSql>) -> Result<Vec<LiveEvent>, LedgerError> {
        let mut events = Vec::new();
        if self.webhooks {
            events.push(LiveEvent::Webhooks);
        }
        if self.deliveries.len() > TOLD_MAX {
            events.push(LiveEvent::Many);
        } else if !self.deliveries.is_empty() {
            let views = ledger.delivery_views(&self.deliveries)?;
            events.extend(views.into_iter().map(|delivery| LiveEvent::Delivery { delivery }));
        }
        events.extend(self.replays.into_iter().map(|replay| LiveEvent::Replay { replay: Box::new(replay) }));
        events.extend(self.runs.into_iter().map(|run| LiveEvent::Run { run: Box::new(run) }));
        events.extend(self.tests.into_iter().map(|test| LiveEvent::Test { test: Box::new(test) }));
        events.extend(self.recorded);
        Ok(events)
    }
}
