//! One question at one instant: what its answer has at hand, and what it leaves behind.

use postern_core::api::replay::ReplayView;
use postern_core::egress::Policy;
use postern_core::id::{Kind, Seq};
use postern_core::operation::Operation;
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, ProjectName};
use postern_ledger::{Ledger, Verified};

use super::access;
use super::armed::Alarm;
use super::changes::Changes;
use super::refusal::Refusal;
use super::sql::ObjectSql;
use crate::caller::Caller;
use crate::config::Settings;
use crate::seal::{self, Owner};
use crate::url::split_url;

/// One question at one instant.
pub(crate) struct Turn<'a> {
    pub(super) ledger: &'a mut Ledger<ObjectSql>,
    pub(super) alarm: &'a Alarm,
    pub(super) settings: &'a Settings,
    pub(super) project: &'a ProjectName,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// `https://host` of the request; empty if there was none.
    pub(super) origin: &'a str,
    pub(super) now: Timestamp,
    /// The caller's token, if it has one.
    pub(super) token: Option<Verified>,
    /// What the live feed is told.
    pub(super) changes: Changes,
}

impl Turn<'_> {
    /// What may be called, with the host of this request as one of our own.
    pub(super) fn policy(&self) -> Policy {
        let host = (!self.origin.is_empty()).then(|| split_url(self.origin).host);
        self.settings.policy(host)
    }

    /// Whether the caller may also ask for `operation`.
    pub(super) fn may(&self, operation: Operation) -> bool {
        access::authorize(self.ledger, self.caller, Some(operation), self.now).is_ok()
    }

    /// A new id of this kind.
    pub(super) fn new_id(&mut self, kind: Kind) -> (Seq, String) {
        let seq = self.ledger.reserve(self.now);
        (seq, self.ledger.ids().id(kind, seq))
    }

    /// The definition with its secrets sealed for `id`; `current` is what is stored.
    ///
    /// # Errors
    /// A secret can't be sealed.
    pub(super) fn seal(
        &self,
        id: &str,
        definition: &Definition,
        current: Option<&Definition>,
    ) -> Result<Definition, Refusal> {
        let owner = Owner { project: self.project, id };
        Ok(seal::seal(&self.settings.keyring, owner, definition, current)?)
    }

    /// A replay that changed: for the caller and for the live feed.
    pub(super) fn announce_replay(&mut self, replay: ReplayView) -> ReplayView {
        self.changes.replays.push(replay.clone());
        replay
    }

    /// The live feed is told of this delivery.
    pub(super) fn announce_delivery(&mut self, id: &str) {
        self.changes.deliveries.extend(self.ledger.ids().seq(Kind::Delivery, id));
    }
}
