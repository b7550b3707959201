//! Questions about counts.

use postern_core::api::stats::StatsView;
use postern_core::api::totals::TotalsView;
use postern_core::metrics::ProjectMetrics;
use postern_core::operation::Operation;
use postern_core::query::{StatsQuery, TotalsQuery};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(ShowStats, ShowTotals, ShowMetrics);

replies! {
    StatsView => "stats",
    TotalsView => "totals",
    ProjectMetrics => "metrics",
}

/// Counts of attempts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowStats {
    /// Which.
    pub(crate) query: StatsQuery,
}

impl Question for ShowStats {
    const NAME: &'static str = "show_stats";
    const NEED: Need<Self> = Need::Of(Operation::GetStats);
    const ARMS: Arms = Arms::Nothing;
    type Reply = StatsView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<StatsView, Refusal> {
        Ok(turn.ledger.stats(&self.query)?)
    }
}

/// What a person wants to know first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowTotals {
    /// Of which time.
    pub(crate) query: TotalsQuery,
}

impl Question for ShowTotals {
    const NAME: &'static str = "show_totals";
    const NEED: Need<Self> = Need::Of(Operation::GetTotals);
    const ARMS: Arms = Arms::Nothing;
    type Reply = TotalsView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TotalsView, Refusal> {
        Ok(turn.ledger.totals(&self.query)?)
    }
}

/// What the project tells Prometheus.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowMetrics;

impl Question for ShowMetrics {
    const NAME: &'static str = "show_metrics";
    const NEED: Need<Self> = Need::Of(Operation::GetProjectMetrics);
    const ARMS: Arms = Arms::Nothing;
    type Reply = ProjectMetrics;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ProjectMetrics, Refusal> {
        Ok(turn.ledger.metrics(turn.now)?)
    }
}
