//! The end of a project: its ledger goes at once, its copies in KV afterwards, some at each ring of the
//! alarm, until nothing is left of the object.

use postern_core::operation::Operation;
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_ledger::{Ledger, Leftover, OutboxItem, leftovers, leftovers_removed};

use super::answer::Answered;
use super::changes::Changes;
use super::erased::text_of;
use super::live::TOKEN_IS_OVER;
use super::object::{Project, refuse_admin_only};
use super::question::{Done, no_project};
use super::refusal::Refusal;
use super::socket::answer_close;
use super::sql::ObjectSql;
use super::wire::Call;
use crate::log::{self, RequestId};
use crate::{clock, definition_kv};

/// Copies that are removed at one ring: with the alarm itself they stay within the 50 calls that the free
/// plan allows (docs/platform.md 2.4).
const REMOVED_AT_ONCE: u32 = 40;
/// Milliseconds between two rings that remove copies, and after KV has refused.
const RING_EVERY_MS: i64 = 1_000;
const REFUSED_REST_MS: i64 = 30_000;

impl Project {
    /// Ends the project that `slot` holds. Asked again while copies of it are left, it goes on with those.
    pub(super) fn end<C>(
        &self,
        slot: &mut Option<Ledger<ObjectSql>>,
        call: &Call<C>,
        now: Timestamp,
    ) -> Result<Answered, Refusal> {
        if !call.caller.is_admin() {
            return Err(refuse_admin_only(slot.as_ref(), &call.caller, Operation::DeleteProject, now));
        }
        match slot.take() {
            Some(ledger) => ledger.remove()?,
            None if leftovers(&self.sql(), 1)?.is_empty() => {
                return Err(no_project(&call.caller, &call.project));
            }
            None => {}
        }
        self.alarm.forget_pressure();
        for socket in self.state.get_websockets() {
            answer_close(&socket, TOKEN_IS_OVER, "the project was deleted");
        }
        let wake_at = Some(now.plus_ms(RING_EVERY_MS));
        Ok(Answered { reply: text_of(&Done)?, wake_at, changes: Changes::default() })
    }

    /// Removes some of the copies of a project that was deleted; the alarm goes on as long as there are any.
    pub(super) async fn remove_leftovers(&self, id: &RequestId) {
        let failed =
            |error: &str| log::error(id, "a deleted project's copies stay for now", &[("error", &error)]);
        let left = match leftovers(&self.sql(), REMOVED_AT_ONCE) {
            Ok(left) if left.is_empty() => return,
            Ok(left) => left,
            Err(error) => return failed(&error.to_string()),
        };
        let mut removed = Vec::with_capacity(left.len());
        let mut rest_ms = RING_EVERY_MS;
        for leftover in left {
            if let Err(error) = self.remove_leftover(&leftover).await {
                failed(&log::chain(&error));
                rest_ms = REFUSED_REST_MS;
                break;
            }
            removed.push(leftover);
        }
        let has_more = leftovers_removed(&self.sql(), &removed).unwrap_or_else(|error| {
            failed(&error.to_string());
            true
        });
        if has_more {
            self.alarm.arm(&self.state.storage(), clock::now().plus_ms(rest_ms), id).await;
        } else {
            // Nothing of it is worth an error: the object is empty, and this frees its last pages.
            let _pages_stay = self.state.storage().delete_all().await;
        }
    }

    async fn remove_leftover(&self, leftover: &Leftover) -> worker::Result<()> {
        let Some(project) = ProjectName::parse(&leftover.project) else { return Ok(()) };
        match &leftover.webhook_id {
            None => definition_kv::unlist(&self.env, &project).await,
            Some(id) => {
                let item = OutboxItem::WebhookDeleted { id: id.clone() };
                definition_kv::publish(&self.env, &project, &item).await
            }
        }
    }

    fn sql(&self) -> ObjectSql {
        ObjectSql::new(&self.state.storage())
    }
}
