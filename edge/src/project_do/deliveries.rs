//! Questions about deliveries.

use postern_core::api::delivery::{DeliveryCount, DeliveryDetail, DeliveryHistogram, DeliveryView};
use postern_core::api::page::Page;
use postern_core::id::Seq;
use postern_core::operation::Operation;
use postern_core::query::{DeliveryQuery, ExportQuery, HistogramQuery, PageQuery};
use postern_core::search::DeliveryFilter;
use postern_ledger::Exported;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::events::export_filter;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(
    ListDeliveries,
    ListEventDeliveries,
    CountDeliveries,
    ShowHistogram,
    ShowDelivery,
    ExportDeliveries,
    ResendDelivery,
    CancelDelivery
);

replies! {
    DeliveryView => "delivery",
    DeliveryDetail => "delivery_detail",
    Page<DeliveryView> => "deliveries",
    DeliveryCount => "delivery_count",
    DeliveryHistogram => "delivery_histogram",
}

/// One page of the deliveries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListDeliveries {
    /// Which.
    pub(crate) query: DeliveryQuery,
}

impl Question for ListDeliveries {
    const NAME: &'static str = "list_deliveries";
    const NEED: Need<Self> = Need::Of(Operation::ListDeliveries);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<DeliveryView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<DeliveryView>, Refusal> {
        let DeliveryQuery { filter, page } = self.query;
        Ok(turn.ledger.list_deliveries(&filter, page.limit, page.cursor.as_deref())?)
    }
}

/// The deliveries of one event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListEventDeliveries {
    /// `evt_…`
    pub(crate) event: String,
    /// Which part of them.
    pub(crate) page: PageQuery,
}

impl Question for ListEventDeliveries {
    const NAME: &'static str = "list_event_deliveries";
    const NEED: Need<Self> = Need::Of(Operation::ListEventDeliveries);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<DeliveryView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<DeliveryView>, Refusal> {
        Ok(turn.ledger.deliveries_of_event(&self.event, &self.page)?)
    }
}

/// How many deliveries there are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountDeliveries {
    /// Of which.
    pub(crate) filter: DeliveryFilter,
}

impl Question for CountDeliveries {
    const NAME: &'static str = "count_deliveries";
    const NEED: Need<Self> = Need::Of(Operation::CountDeliveries);
    const ARMS: Arms = Arms::Nothing;
    type Reply = DeliveryCount;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DeliveryCount, Refusal> {
        Ok(turn.ledger.count_deliveries(&self.filter)?)
    }
}

/// How many deliveries there are, by when they were made and where they stand.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowHistogram {
    /// Of which.
    pub(crate) query: HistogramQuery,
}

impl Question for ShowHistogram {
    const NAME: &'static str = "show_histogram";
    const NEED: Need<Self> = Need::Of(Operation::GetDeliveryHistogram);
    const ARMS: Arms = Arms::Nothing;
    type Reply = DeliveryHistogram;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DeliveryHistogram, Refusal> {
        Ok(turn.ledger.delivery_histogram(&self.query)?)
    }
}

/// One delivery with its attempts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowDelivery {
    /// `dlv_…`
    pub(crate) id: String,
}

impl Question for ShowDelivery {
    const NAME: &'static str = "show_delivery";
    const NEED: Need<Self> = Need::Of(Operation::GetDelivery);
    const ARMS: Arms = Arms::Nothing;
    type Reply = DeliveryDetail;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DeliveryDetail, Refusal> {
        Ok(turn.ledger.delivery(&self.id)?)
    }
}

/// A page of deliveries, oldest first, as text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExportDeliveries {
    /// Which.
    pub(crate) query: ExportQuery,
    /// Where the page before ended.
    pub(crate) after: Option<Seq>,
}

impl Question for ExportDeliveries {
    const NAME: &'static str = "export_deliveries";
    const NEED: Need<Self> = Need::Of(Operation::ExportDeliveries);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Exported;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Exported, Refusal> {
        Ok(turn.ledger.export_deliveries(&export_filter(self.query), self.after)?)
    }
}

/// Make a delivery due now.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ResendDelivery {
    /// `dlv_…`
    pub(crate) id: String,
}

impl Question for ResendDelivery {
    const NAME: &'static str = "resend";
    const NEED: Need<Self> = Need::Of(Operation::RetryDelivery);
    const ARMS: Arms = Arms::Alarm;
    type Reply = DeliveryView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DeliveryView, Refusal> {
        let view = turn.ledger.resend(&self.id, turn.now)?;
        turn.announce_delivery(&self.id);
        Ok(view)
    }
}

/// Stop a delivery.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CancelDelivery {
    /// `dlv_…`
    pub(crate) id: String,
}

impl Question for CancelDelivery {
    const NAME: &'static str = "cancel";
    const NEED: Need<Self> = Need::Of(Operation::CancelDelivery);
    const ARMS: Arms = Arms::Alarm;
    type Reply = DeliveryView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DeliveryView, Refusal> {
        let view = turn.ledger.cancel(&self.id, turn.now)?;
        turn.announce_delivery(&self.id);
        Ok(view)
    }
}
