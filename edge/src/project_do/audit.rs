//! The audit log.

use postern_core::api::audit::AuditEntry;
use postern_core::api::page::Page;
use postern_core::operation::Operation;
use postern_core::query::AuditQuery;
use postern_ledger::AuditFilter;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(ListAudit);

replies! {
    Page<AuditEntry> => "audit",
}

/// One page of the audit log.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListAudit {
    /// Which.
    pub(crate) query: AuditQuery,
}

impl Question for ListAudit {
    const NAME: &'static str = "list_audit";
    const NEED: Need<Self> = Need::Of(Operation::ListAudit);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<AuditEntry>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<AuditEntry>, Refusal> {
        let AuditQuery { subject, name, page } = self.query;
        Ok(turn.ledger.list_audit(&AuditFilter { subject, name }, page.limit, page.cursor.as_deref())?)
    }
}
